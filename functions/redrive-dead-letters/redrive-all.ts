/** SQS's own redrive of all dead letters, without plan and canary: for more than a plan can hold. */
import { type ClosingDependencies, isOfClosedCart } from './closed-cart.ts';
import { describeLetter, type DescribingDependencies } from './describe-letter.ts';
import { LOOK_SECONDS } from './list-dead-letters.ts';
import type { MoveTasks } from './move-tasks.ts';
import { readDeadLetters, type ReadingDependencies, type Seen } from './read-dead-letters.ts';
import { Refused } from './redrive.ts';

export interface RedriveAllResult {
  readonly status: 'started' | 'cancelled';
  readonly summary: string;
}

/** As a redrive of ours: the breaker has time to open. */
const MESSAGES_PER_SECOND = 10;

const MOST_NAMED = 10;

export type LookingDependencies = ReadingDependencies & DescribingDependencies & ClosingDependencies;

/**
 * SQS moves everything, and so also what a person has settled by hand: a letter whose closing did not delete it, or another
 * one of the same version of a cart. Of a very large queue only a part can be looked at: then a person has to insist.
 * @throws {Refused}
 */
export async function refuseWhileClosed(
  { unseen }: { readonly unseen: boolean },
  dependencies: LookingDependencies,
): Promise<Seen> {
  /** By message: what a person finds it by. */
  const closed = new Map<string, string>();
  const seen = await readDeadLetters(
    { hideSeconds: LOOK_SECONDS, untilMs: dependencies.now() + LOOK_SECONDS * 1000, isEnough: () => closed.size > 0 },
    async (letters) => {
      await Promise.all(
        letters.map(async (letter) => {
          const described = await describeLetter(letter, dependencies);
          const { cart, messageId, changedAtMs, sentAtMs: sinceMs } = described;
          if (await isOfClosedCart(described, { changedAtMs, sinceMs }, dependencies))
            closed.set(messageId, `cart ${cart.number ?? cart.guid ?? 'unknown'}: ${messageId}`);
        }),
      );
      return [];
    },
    dependencies,
  );
  if (closed.size > 0) {
    const named = [...closed.values()].slice(0, MOST_NAMED).join(', ');
    throw new Refused(`Carts that were closed by hand would be ordered: close their dead letters first (${named})`);
  }
  if (seen.seen < seen.about && !unseen)
    throw new Refused(
      `Only ${seen.seen} of about ${seen.about} could be looked at for carts that were closed by hand: try again, redrive by plans, or add "unseen": true`,
    );
  return seen;
}

export async function redriveAll(
  { seen, about }: Seen,
  { moveTasks }: { readonly moveTasks: MoveTasks },
): Promise<RedriveAllResult> {
  await moveTasks.start(MESSAGES_PER_SECOND);
  return {
    status: 'started',
    summary:
      `SQS moves all dead letters, ${MESSAGES_PER_SECOND} a second; "moveTask" of the list shows how far it is` +
      (seen < about ? `. Only ${seen} of about ${about} could be looked at for closed carts` : ''),
  };
}

export async function cancelRedriveAll({ moveTasks }: { readonly moveTasks: MoveTasks }): Promise<RedriveAllResult> {
  const task = await moveTasks.last();
  if (task?.isActive !== true || task.handle === undefined)
    throw new Refused('SQS moves no dead letters: there is nothing to cancel');
  await moveTasks.cancel(task.handle);
  return { status: 'cancelled', summary: `SQS had moved about ${task.moved}; what it moved stays on the cart queue` };
}
