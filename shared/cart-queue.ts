/** Queues carts: batches are filled by count and bytes, and only messages that SQS did not take are sent again. */
import { SendMessageBatchCommand, type SendMessageBatchResultEntry, type SQSClient } from '@aws-sdk/client-sqs';
import { SQS_LIMIT_BYTES } from './cart-message.ts';
import { InterfaceError } from './failure.ts';
import { inLanes } from './lanes.ts';

export interface CartQueue {
  /**
   * Resolves when every body is durably queued. The messages become visible after the delay, 900 seconds at most.
   * @throws {InterfaceError} E_INT_QUEUE when some are not queued after all tries.
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

/** Packs bodies in order: a batch is closed by its tenth entry or when the next would exceed SQS's bytes. */
export function packBatches(bodies: readonly string[]): string[][] {
  const batches: string[][] = [];
  let batch: string[] = [];
  let bytes = 0;
  for (const body of bodies) {
    const size = Buffer.byteLength(body);
    if (batch.length === BATCH_ENTRIES || bytes + size > SQS_LIMIT_BYTES) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(body);
    bytes += size;
  }
  if (batch.length > 0) batches.push(batch);
  return batches.filter((full) => full.length > 0);
}

export function createCartQueue(
  sqs: SQSClient,
  queueUrl: string,
  wait: (milliseconds: number) => Promise<unknown>,
): CartQueue {
  async function sendBatch(bodies: readonly string[], delaySeconds: number | undefined): Promise<void> {
    let left = bodies;
    let failed: readonly string[] = [];
    for (let attempt = 0; attempt < TRIES && left.length > 0; attempt++) {
      if (attempt > 0) await wait(FIRST_PAUSE_MS * 2 ** (attempt - 1));
      const current = left;
      const Entries = current.map((MessageBody, index) => ({
        Id: String(index),
        MessageBody,
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
      await inLanes(packBatches(bodies), BATCHES_AT_ONCE, (batch) => sendBatch(batch, delaySeconds));
    },
  };
}
