/** What lies in the dead-letter queue, without its content. */
import {
  type DescribedLetter,
  describeLetter,
  type DescribingDependencies,
  instant,
  type ShownLetter,
  showLetter,
} from './describe-letter.ts';
import type { MoveTask, MoveTasks } from './move-tasks.ts';
import { readDeadLetters, type ReadingDependencies, type Seen } from './read-dead-letters.ts';

export type ListingDependencies = ReadingDependencies &
  DescribingDependencies & { readonly moveTasks: Pick<MoveTasks, 'last'> };

export interface ShownMoveTask {
  readonly status: string;
  readonly isActive: boolean;
  readonly startedAt?: string;
  readonly moved: number;
  readonly toMove?: number;
  readonly failureReason?: string;
}

export interface DeadLetterList extends Seen {
  readonly deadLetters: readonly ShownLetter[];
  /** SQS's own redrive of all, by this function or by a person in the console of SQS: the last one. */
  readonly moveTask?: ShownMoveTask;
}

/**
 * A mere look: longer, and the alarm on dead letters would take them for gone, and mail again. Also the longest for which
 * an operator's second look shows nothing after this function died.
 */
export const LOOK_SECONDS = 20;
/** Lambda answers with 6 MB at most. */
const MOST_LISTED = 5000;

export async function listDeadLetters(dependencies: ListingDependencies): Promise<DeadLetterList> {
  const found = new Map<string, DescribedLetter>();
  const [task, seen] = await Promise.all([
    dependencies.moveTasks.last(),
    readDeadLetters(
      {
        hideSeconds: LOOK_SECONDS,
        untilMs: dependencies.now() + LOOK_SECONDS * 1000,
        isEnough: () => found.size >= MOST_LISTED,
      },
      async (letters) => {
        const described = await Promise.all(letters.map((letter) => describeLetter(letter, dependencies)));
        for (const letter of described) found.set(letter.messageId, letter);
        return [];
      },
      dependencies,
    ),
  ]);
  // What SQS deletes first comes first.
  const deadLetters = [...found.values()].sort((one, other) => (one.sentAtMs ?? 0) - (other.sentAtMs ?? 0));
  return {
    ...seen,
    deadLetters: deadLetters.map(showLetter),
    ...(task === undefined ? {} : { moveTask: showTask(task) }),
  };
}

function showTask({ status, isActive, startedAtMs, moved, toMove, failureReason }: MoveTask): ShownMoveTask {
  return {
    status,
    isActive,
    ...(startedAtMs === undefined ? {} : { startedAt: instant(startedAtMs) }),
    moved,
    ...(toMove === undefined ? {} : { toMove }),
    ...(failureReason === undefined ? {} : { failureReason }),
  };
}
