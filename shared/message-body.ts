/** A row of SRM as the body of a queue message (rule 4). */
import { BODY_LIMIT_BYTES, type CartMessage, writeCartMessage } from './cart-message.ts';
import type { SourceRow } from './reading/source-row.ts';

/** Who queues a row: the run, its `sap-client`, and the origin where the run is not an ordinary one. */
export type Sender = Pick<CartMessage, 'runId' | 'client' | 'origin'>;

export interface MessageBody {
  readonly body: string;
  /** Too large for SQS: it holds the cart's key only. */
  readonly isClaim: boolean;
}

export function rowToBody(row: SourceRow, sender: Sender): MessageBody {
  const envelope = {
    schemaVersion: 1 as const,
    correlationId: `${sender.runId}/${row.guid ?? row.number ?? 'unidentified'}`,
    ...sender,
    cart: { number: row.number ?? null, guid: row.guid ?? null },
  };
  const body = writeCartMessage({ ...envelope, source: row.source });
  if (Buffer.byteLength(body) <= BODY_LIMIT_BYTES) return { body, isClaim: false };
  // Claim Check (rule 4).
  return { body: writeCartMessage({ ...envelope, claim: { guid: row.guid ?? null } }), isClaim: true };
}
