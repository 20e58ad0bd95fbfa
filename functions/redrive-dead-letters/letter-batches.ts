/** Packs dead letters as SQS takes them: ten a batch, and 1 MiB in all. Pure. */
import { SQS_LIMIT_BYTES } from '../../shared/cart-message.ts';
import type { DeadLetter } from './dead-letter-queue.ts';

const BATCH_ENTRIES = 10;

/** As SQS counts it: the body, and the name, type and value of each attribute. */
export function bytesOf({ body, attributes }: Pick<DeadLetter, 'body' | 'attributes'>): number {
  const sizes = Object.entries(attributes).map(
    ([name, { DataType = '', StringValue = '', BinaryValue }]) =>
      Buffer.byteLength(name) +
      Buffer.byteLength(DataType) +
      Buffer.byteLength(StringValue) +
      (BinaryValue?.length ?? 0),
  );
  return Buffer.byteLength(body) + sizes.reduce((sum, size) => sum + size, 0);
}

/** In order. A letter was a message once, so that one alone always fits. */
export function packLetters(letters: readonly DeadLetter[]): DeadLetter[][] {
  const batches: DeadLetter[][] = [];
  let batch: DeadLetter[] = [];
  let bytes = 0;
  for (const letter of letters) {
    const size = bytesOf(letter);
    if (batch.length === BATCH_ENTRIES || (batch.length > 0 && bytes + size > SQS_LIMIT_BYTES)) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(letter);
    bytes += size;
  }
  return batch.length === 0 ? batches : [...batches, batch];
}
