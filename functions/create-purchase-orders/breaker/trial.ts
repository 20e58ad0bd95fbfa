/** The supervisor's trial: while consumption is paused, one message shows whether 11VMS takes an order. */
import type { TrialResult } from '../../../shared/circuit-breaker.ts';
import type { VmsOrders } from '../delivery/vms-orders.ts';
import { type BatchDependencies, processBatch } from '../process-batch.ts';
import { createHealth, ledgerHealth, lookUpHealth } from './target-health.ts';

/**
 * Probes 11VMS, then tries messages until one shows the health of 11VMS. An empty queue counts as healthy: nothing can
 * fail. A cart for which nothing is sent to 11VMS shows nothing, and the next cart is tried.
 */
export async function tryOneMessage(dependencies: BatchDependencies): Promise<TrialResult> {
  const { messages, orders, newId, now, deadlineMs } = dependencies;
  const probed = await orders.probe(newId());
  if (!probed.healthy) return untried(probed.reason);
  const observed = observeHealth(orders);
  while (now() < deadlineMs) {
    const message = await messages.receiveOne();
    if (message === undefined) {
      // Right after the breaker opened, all messages wait for their next receive: that is no sign of health.
      if (await messages.isEmpty()) return { healthy: true };
      return untried('no cart could be tried: those on the queue wait for their next receive');
    }
    for (const { outcome, returned } of await processBatch([message], { ...dependencies, orders: observed.orders })) {
      if (returned === undefined) await messages.remove(message);
      const result = observed.health() ?? ledgerHealth(outcome);
      if (result !== undefined) return result;
    }
  }
  return untried('11VMS judged no order in the time of a trial');
}

const untried = (reason: string): TrialResult => ({ healthy: false, tried: false, reason });

/** Wraps `orders` to observe the health that their answers show: of several answers, the worst counts. */
function observeHealth(orders: VmsOrders): { orders: VmsOrders; health: () => TrialResult | undefined } {
  let observed: TrialResult | undefined;
  const observe = (result: TrialResult | undefined): void => {
    if (observed?.healthy !== false) observed = result ?? observed;
  };
  return {
    health: () => observed,
    orders: {
      ...orders,
      async create(request) {
        const answer = await orders.create(request);
        observe(createHealth(answer));
        return answer;
      },
      async lookUp(externalId, correlationId) {
        const result = await orders.lookUp(externalId, correlationId);
        observe(lookUpHealth(result));
        return result;
      },
    },
  };
}
