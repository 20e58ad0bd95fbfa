/**
 * Reads the dead-letter queue, as far as SQS lets one read: each message that is received is hidden for a time. Released at
 * once it would come again, and hide the others from this reader: so it is held until the reading ends.
 */
import { errorFields, type Log } from '../../shared/log.ts';
import type { DeadLetter, DeadLetterQueue } from './dead-letter-queue.ts';

export interface Reading {
  /** For how long a received message is hidden, even if this function dies. */
  readonly hideSeconds: number;
  /** No message is received later. */
  readonly untilMs: number;
  readonly isEnough: () => boolean;
}

export interface ReadingDependencies {
  readonly deadLetters: DeadLetterQueue;
  readonly log: Log;
  readonly now: () => number;
}

/** SQS's numbers are approximate. */
export interface Seen {
  readonly seen: number;
  readonly about: number;
  /** When the reading began. */
  readonly heldByOthers: number;
}

/** Of a large queue SQS often gives fewer than ten at a time, and some twice. */
const RECEIVES_PER_TEN = 3;
const MORE_RECEIVES = 5;

/**
 * `onLetters` returns the ids of those that it has deleted; all others are released in the end. They are hidden since
 * `receivedAtMs`, or a moment later.
 */
export async function readDeadLetters(
  { hideSeconds, untilMs, isEnough }: Reading,
  onLetters: (letters: readonly DeadLetter[], receivedAtMs: number) => Promise<readonly string[]>,
  { deadLetters, log, now }: ReadingDependencies,
): Promise<Seen> {
  const { visible, hidden } = await deadLetters.counts();
  const mostReceives = Math.ceil((visible + hidden) / 10) * RECEIVES_PER_TEN + MORE_RECEIVES;
  const seen = new Set<string>();
  const held = new Map<string, DeadLetter>();
  try {
    let empty = 0;
    for (let receives = 0; receives < mostReceives && now() < untilMs && !isEnough(); receives++) {
      // One empty answer proves little, unless everything was seen.
      if (empty >= 2 || (empty === 1 && seen.size >= visible)) break;
      const receivedAtMs = now();
      const letters = await deadLetters.receive(hideSeconds);
      empty = letters.length === 0 ? empty + 1 : 0;
      for (const letter of letters) {
        seen.add(letter.messageId);
        // Of the body nothing is kept.
        held.set(letter.messageId, { ...letter, body: '', attributes: {} });
      }
      if (letters.length > 0) for (const messageId of await onLetters(letters, receivedAtMs)) held.delete(messageId);
    }
  } finally {
    await release([...held.values()], deadLetters, log);
  }
  return { seen: seen.size, about: Math.max(visible + hidden, seen.size), heldByOthers: hidden };
}

async function release(letters: readonly DeadLetter[], queue: DeadLetterQueue, log: Log): Promise<void> {
  try {
    const left = await queue.release(letters);
    if (left > 0) log.warn('dead-letters.not-released', { expected: letters.length, queued: letters.length - left });
  } catch (error) {
    // They become visible when their time ends. An error thrown here would hide the one that ended the reading.
    log.warn('dead-letters.not-released', errorFields(error));
  }
}
