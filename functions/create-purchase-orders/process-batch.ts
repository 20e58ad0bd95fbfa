/** Works off received messages: a batch of the event source mapping, or the one message of a trial. */
import type { TrialResult } from '../../shared/circuit-breaker.ts';
import type { CartMessages, QueueMessage, ReturnedMessage } from './cart-messages.ts';
import { type CreationDependencies, createPurchaseOrders } from './process-message.ts';
import { type Outcome, type RetryPolicy, settle } from './outcome.ts';
import { createVerdict, ledgerVerdict, lookUpVerdict } from './breaker/target-health.ts';
import type { VmsOrders } from './delivery/vms-orders.ts';

export interface BatchDependencies extends CreationDependencies {
  readonly messages: CartMessages;
  readonly policy: RetryPolicy;
  /** 0 to 1, uniformly. */
  readonly random: () => number;
}

interface ProcessedMessage {
  readonly message: QueueMessage;
  readonly outcome: Outcome;
  /** Undefined: the message is done with, and to be deleted. */
  readonly returned: ReturnedMessage | undefined;
}

/** All messages at once. Those that are not done with have their visibility set when this resolves, last of all. */
export async function processBatch(
  received: readonly QueueMessage[],
  dependencies: BatchDependencies,
): Promise<readonly ProcessedMessage[]> {
  const { messages, policy, random, log } = dependencies;
  const processed = await Promise.all(
    received.map(async (message) => {
      const outcome = await createPurchaseOrders(message, dependencies);
      const settlement = settle(outcome, message.attempt, policy, random());
      const returned = settlement.kind === 'delete' ? undefined : { ...message, ...settlement };
      return { message, outcome, returned };
    }),
  );
  // A visibility that is set survives the return of the function.
  await messages.setVisibility(
    processed.flatMap(({ returned }) => (returned === undefined ? [] : [returned])),
    log,
  );
  return processed;
}

/**
 * One message first, while consumption is paused: does 11VMS take an order? An empty queue leaves nothing to fear. Carts
 * of which 11VMS is sent nothing say nothing of it, be they faulty or, without a look-up, left open by an earlier attempt:
 * the next cart must.
 */
export async function tryOneMessage(dependencies: BatchDependencies): Promise<TrialResult> {
  const { messages, orders, newId, now, deadlineMs } = dependencies;
  const ailment = await orders.ailment(newId());
  if (ailment !== undefined) return untried(ailment);
  const heard = observeHealth(orders);
  while (now() < deadlineMs) {
    const message = await messages.receiveOne();
    if (message === undefined) {
      // Right after the breaker opened all carts wait for their next receive: that is no sign of health.
      if (await messages.isEmpty()) return { well: true };
      return untried('no cart could be tried: those on the queue wait for their next receive');
    }
    for (const { outcome, returned } of await processBatch([message], { ...dependencies, orders: heard.orders })) {
      if (returned === undefined) await messages.remove(message);
      const verdict = heard.verdict() ?? ledgerVerdict(outcome);
      if (verdict !== undefined) return verdict;
    }
  }
  return untried('11VMS judged no order in the time of a trial');
}

const untried = (reason: string): TrialResult => ({ well: false, tried: false, reason });

/** The same orders, and what their answers said of 11VMS: of several, the worst. */
function observeHealth(orders: VmsOrders): { orders: VmsOrders; verdict: () => TrialResult | undefined } {
  let heard: TrialResult | undefined;
  const hear = (verdict: TrialResult | undefined): void => {
    if (heard?.well !== false) heard = verdict ?? heard;
  };
  return {
    verdict: () => heard,
    orders: {
      ...orders,
      async create(request) {
        const answer = await orders.create(request);
        hear(createVerdict(answer));
        return answer;
      },
      async lookUp(externalId, correlationId) {
        try {
          return await orders.lookUp(externalId, correlationId);
        } catch (error) {
          hear(lookUpVerdict(error));
          throw error;
        }
      },
    },
  };
}
