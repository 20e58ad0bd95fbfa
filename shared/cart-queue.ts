/** Queues carts: batches are filled by count and bytes, and only messages that SQS did not take are sent again. */
import { SendMessageBatchCommand, type SendMessageBatchResultEntry, type SQSClient } from '@aws-sdk/client-sqs';
import { SQS_LIMIT_BYTES } from './cart-message.ts';
import { InterfaceError } from './failure.ts';
import { inLanes, packs } from './lanes.ts';
import { type Sign, SIGNATURE_BYTES, signatureAttribute } from './message-signature.ts';

export interface CartQueue {
  /**
   * Resolves when every body is durably queued, signed. The messages become visible after the delay, 900 seconds at most.
   * @throws {InterfaceError} E_INT_QUEUE when some are not queued after all tries; E_INT_KEY when they cannot be signed.
   */
  send(bodies: readonly string[], delaySeconds?: number): Promise<void>;
}

/** SQS did not take some messages; the run must not advance past them. */
function notQueued(count: number, tries: number, codes: readonly string[]): InterfaceError {
  const message = `SQS did not accept ${count} message(s) after ${tries} tries: ${codes.join(', ')}`;
  return new InterfaceError('transient', { code: 'E_INT_QUEUE', message });
}

/** SQS takes 10 messages in a batch. */
const BATCH_ENTRIES = 10;
const BATCHES_AT_ONCE = 10;
const TRIES = 5;
const FIRST_PAUSE_MS = 100;

/** As SQS takes them. */
export const packBatches = (bodies: readonly string[]): string[][] =>
  packs(bodies, { items: BATCH_ENTRIES, bytes: SQS_LIMIT_BYTES }, (body) => Buffer.byteLength(body) + SIGNATURE_BYTES);

export function createCartQueue(
  sqs: SQSClient,
  queueUrl: string,
  signer: () => Promise<Sign>,
  wait: (milliseconds: number) => Promise<unknown>,
): CartQueue {
  async function sendBatch(bodies: readonly string[], sign: Sign, delaySeconds: number | undefined): Promise<void> {
    let left = bodies;
    let failed: readonly string[] = [];
    for (let attempt = 0; attempt < TRIES && left.length > 0; attempt++) {
      if (attempt > 0) await wait(FIRST_PAUSE_MS * 2 ** (attempt - 1));
      const current = left;
      const Entries = current.map((MessageBody, index) => ({
        Id: String(index),
        MessageBody,
        MessageAttributes: signatureAttribute(sign(MessageBody)),
        DelaySeconds: delaySeconds,
      }));
      const answer = await sqs
        .send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }))
        .catch((error: unknown) => {
          // The SDK has made its own retries. Its message is not shown: it may quote the request.
          throw notQueued(current.length, attempt + 1, [error instanceof Error ? error.name : 'unknown']);
        });
      // A message that SQS does not confirm is not queued, whether SQS lists it as failed or not at all.
      const confirmed = new Set(answer.Successful?.map((entry: SendMessageBatchResultEntry) => entry.Id));
      left = current.filter((_, index) => !confirmed.has(String(index)));
      failed = [...new Set(answer.Failed?.map((entry) => entry.Code ?? 'unknown'))];
    }
    if (left.length > 0) throw notQueued(left.length, TRIES, failed);
  }

  return {
    async send(bodies, delaySeconds) {
      const sign = await signer();
      await inLanes(packBatches(bodies), BATCHES_AT_ONCE, (batch) => sendBatch(batch, sign, delaySeconds));
    },
  };
}
