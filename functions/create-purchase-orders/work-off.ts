/** Works off received messages: a batch of the event source mapping, or the one message of a trial. */
import type { TrialResult } from '../../shared/circuit-breaker.ts';
import type { CartMessages, QueueMessage, ReturnedMessage } from './cart-messages.ts';
import { type CreationDependencies, createPurchaseOrders } from './create-purchase-orders.ts';
import { type Outcome, type RetryPolicy, settle } from './outcome.ts';
import { targetFailure, trialVerdict } from './target-health.ts';

export interface BatchDependencies extends CreationDependencies {
  readonly messages: CartMessages;
  readonly policy: RetryPolicy;
  /** 0 to 1, uniformly. */
  readonly random: () => number;
}

interface WorkedOff {
  readonly message: QueueMessage;
  readonly outcome: Outcome;
  /** Undefined: the message is done with, and to be deleted. */
  readonly returned: ReturnedMessage | undefined;
}

/** All messages at once. Those that are not done with have their visibility set when this resolves, last of all. */
export async function workOff(
  received: readonly QueueMessage[],
  dependencies: BatchDependencies,
): Promise<readonly WorkedOff[]> {
  const { messages, policy, random, log } = dependencies;
  const workedOff = await Promise.all(
    received.map(async (message) => {
      const outcome = await createPurchaseOrders(message, dependencies);
      const settlement = settle(outcome, message.attempt, policy, random());
      const returned = settlement.kind === 'delete' ? undefined : { ...message, ...settlement };
      return { message, outcome, returned };
    }),
  );
  // A visibility that is set survives the return of the function.
  await messages.setVisibility(
    workedOff.flatMap(({ returned }) => (returned === undefined ? [] : [returned])),
    log,
  );
  return workedOff;
}

/** Carts that never reach 11VMS say nothing of it: so many are looked through for one that does. */
const MESSAGES_TRIED = 10;

/** One message first, while consumption is paused: does 11VMS take an order? An empty queue leaves nothing to fear. */
export async function tryOneMessage(dependencies: BatchDependencies): Promise<TrialResult> {
  const { messages, orders, newId, now, deadlineMs } = dependencies;
  const ailment = await orders.ailment(newId());
  if (ailment !== undefined) return { well: false, reason: ailment };
  let failed: string | undefined;
  for (let tried = 0; tried < MESSAGES_TRIED && now() < deadlineMs; tried++) {
    const message = await messages.receiveOne();
    if (message === undefined) {
      // Right after the breaker opened all carts wait for their next receive: that is no sign of health.
      if (await messages.isEmpty()) return { well: true };
      return { well: false, reason: 'no cart could be tried: those on the queue wait for their next receive' };
    }
    for (const { outcome, returned } of await workOff([message], dependencies)) {
      if (returned === undefined) await messages.remove(message);
      const verdict = trialVerdict(outcome);
      if (verdict !== undefined) return verdict;
      // Without a look-up: of this attempt, or left open by an earlier one. Somebody else's order must tell.
      failed ??= targetFailure(outcome);
    }
  }
  return failed === undefined ? { well: true } : { well: false, reason: failed };
}
