/**
 * The item that says that a version of a cart is durably queued. It holds no content. The hash of the row is part of its key:
 * two changes of a cart may carry the same ChangedAt.
 */
import { createHash } from 'node:crypto';
import { cartPartition, queuedPartition, queuedSort, versionFields } from './ledger-keys.ts';
import type { Item, ItemKey } from './ledger-table.ts';
import { expiresAt } from './lifetimes.ts';
import type { SourceRow } from './reading/source-row.ts';
import { isInactiveVersion } from './sap-values.ts';

/** The run that queues, and when. */
export interface Queueing {
  readonly runId: string;
  readonly nowMs: number;
}

export interface KeyedRow {
  readonly key: ItemKey;
  readonly row: SourceRow;
}

/** Each version once, by its key as text: the same row may stand twice on a page, and DynamoDB takes a key once in a batch. */
export const distinctVersions = (rows: readonly SourceRow[], sapClient: string): Map<string, KeyedRow> =>
  new Map(
    rows.map((row) => {
      const key = keyOf(row, sapClient);
      return [keyText(key), { key, row }];
    }),
  );

export const keyText = ({ pk, sk }: ItemKey): string => `${pk} ${sk}`;

const keyOf = ({ number, guid, changedAtMs, source }: SourceRow, client: string): ItemKey => ({
  pk: queuedPartition(cartPartition({ client, number, guid })),
  sk: queuedSort(`${changedAtMs ?? '-'}#${hashOf(source)}`),
});

const hashOf = (source: unknown): string =>
  createHash('sha256').update(JSON.stringify(source)).digest('hex').slice(0, 16);

export const queuedFacts = ({ guid, changedAtMs, source }: SourceRow, { runId, nowMs }: Queueing): Item => ({
  runId,
  queuedAtMs: nowMs,
  expiresAt: expiresAt(nowMs, 'trace'),
  ...versionFields({ changedAtMs, isInactiveVersion: isInactiveVersion(source) }),
  ...(guid === undefined ? {} : { guid }),
});
