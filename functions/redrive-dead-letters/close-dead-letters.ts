/**
 * Closes dead letters that were settled by hand: the ledger keeps who, why and when, then the message is deleted. A crash in
 * between leaves a dead letter that counts as closed; the next closing deletes it.
 */
import { describeLetter, type DescribingDependencies } from './describe-letter.ts';
import { readDeadLetters, type ReadingDependencies } from './read-dead-letters.ts';
import type { CloseRequest } from './redrive-event.ts';
import type { RedriveRecord } from './redrive-record.ts';

export type ClosingDependencies = ReadingDependencies &
  Omit<DescribingDependencies, 'record'> & {
    readonly record: RedriveRecord;
    readonly timeLeftMs: () => number;
  };

export interface ClosingResult {
  readonly status: 'complete' | 'partly';
  readonly summary: string;
  readonly closed: number;
  /** Also of those that are not deleted. */
  readonly cartNumbers: readonly string[];
  /** Another reader holds them, or they are gone. */
  readonly notSeen: readonly string[];
  /** Closed, and still in the dead-letter queue: close them once more. */
  readonly notDeleted: readonly string[];
}

const HIDE_SECONDS = 60;
const RESERVE_MS = 20_000;

export async function closeDeadLetters(
  { messageIds, by, reason }: CloseRequest,
  dependencies: ClosingDependencies,
): Promise<ClosingResult> {
  const { record, deadLetters, now, timeLeftMs } = dependencies;
  const left = new Set(messageIds);
  const notDeleted = new Set<string>();
  let closed = 0;
  const cartNumbers = new Set<string>();
  await readDeadLetters(
    { hideSeconds: HIDE_SECONDS, untilMs: now() + timeLeftMs() - RESERVE_MS, isEnough: () => left.size === 0 },
    async (received) => {
      const wanted = received.filter(({ messageId }) => left.has(messageId));
      if (wanted.length === 0) return [];
      const described = await Promise.all(wanted.map((letter) => describeLetter(letter, dependencies)));
      await Promise.all(
        described.map(async (letter) => {
          await record.close(letter, { by, reason, changedAtMs: letter.changedAtMs }, now());
          await record.unlist(letter);
          if (letter.cart.number !== undefined) cartNumbers.add(letter.cart.number);
        }),
      );
      const undeleted = new Set(await deadLetters.remove(wanted));
      for (const letter of described) {
        if (undeleted.has(letter.messageId)) {
          notDeleted.add(letter.messageId);
          continue;
        }
        notDeleted.delete(letter.messageId);
        left.delete(letter.messageId);
        closed++;
      }
      return wanted.map(({ messageId }) => messageId).filter((messageId) => !undeleted.has(messageId));
    },
    dependencies,
  );
  const notSeen = [...left].filter((messageId) => !notDeleted.has(messageId));
  return {
    status: left.size === 0 ? 'complete' : 'partly',
    summary: [
      `${closed} closed`,
      ...(notSeen.length > 0 ? [`${notSeen.length} not seen`] : []),
      ...(notDeleted.size > 0 ? [`${notDeleted.size} closed and not deleted yet`] : []),
    ].join(', '),
    closed,
    cartNumbers: [...cartNumbers],
    notSeen,
    notDeleted: [...notDeleted],
  };
}
