/** Packs dead letters as SQS takes them: ten a batch, and 1 MiB in all. Pure. */
import { SQS_LIMIT_BYTES } from '../../shared/cart-message.ts';
import { packs } from '../../shared/lanes.ts';
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

/** A letter was a message once, so that one alone always fits. */
export const packLetters = (letters: readonly DeadLetter[]): DeadLetter[][] =>
  packs(letters, { items: BATCH_ENTRIES, bytes: SQS_LIMIT_BYTES }, bytesOf);
