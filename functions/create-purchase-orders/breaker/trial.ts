/** The supervisor's trial: while consumption is paused, one message shows whether 11VMS takes an order. */
import type { TrialResult } from '../../../shared/circuit-breaker.ts';
import { faultSummary } from '../../../shared/failure.ts';
import { answerText, type HealthSignal, isHealthy } from '../delivery/answers.ts';
import type { Outcome } from '../outcome.ts';
import { type BatchDependencies, processReceived } from '../process-batch.ts';
import { observeOrders } from './observe-orders.ts';

/**
 * Probes 11VMS, then tries messages until one shows the health of 11VMS. An empty queue counts as healthy: nothing can
 * fail. A cart for which nothing is sent to 11VMS shows nothing, and the next cart is tried.
 */
export async function tryOneMessage(dependencies: BatchDependencies): Promise<TrialResult> {
  const { messages, orders, newId, now, deadlineMs } = dependencies;
  const probe = await orders.probe(newId(), deadlineMs);
  if (!isHealthy(probe.health)) {
    const obstacle = probe.health === 'throttled' ? 'probe-wait' : 'probe';
    return { healthy: false, obstacle, tried: false, reason: answerText(probe) };
  }
  let tried = false;
  let visibleAtMs: number | undefined;
  while (now() < deadlineMs) {
    const message = await messages.receiveOne();
    if (message === undefined) {
      // Right after the breaker opened, all messages wait for their next receive: that is no sign of health.
      if (await messages.isEmpty()) return { healthy: true };
      const reason = 'no cart could be tried: those on the queue wait for their next receive';
      return { healthy: false, obstacle: 'hidden', tried, reason, visibleAtMs };
    }
    const signals: HealthSignal[] = [];
    const observed = observeOrders(orders, (signal) => signals.push(signal));
    for (const { outcome, returned } of await processReceived([message], {
      ...dependencies,
      orders: observed,
      isTrial: true,
    })) {
      if (returned === undefined) await messages.remove(message);
      else {
        tried = true;
        visibleAtMs = now() + returned.visibleAfterSeconds * 1000;
      }
      const result = judge(signals, outcome);
      if (result !== undefined) return result.healthy ? result : { ...result, visibleAtMs };
    }
  }
  const reason = '11VMS judged no order in the time of a trial';
  return { healthy: false, obstacle: 'out-of-time', tried, reason, visibleAtMs };
}

/** Of several answers the worst counts; of a throttled create, what came of its repetition. */
function judge(signals: readonly HealthSignal[], outcome: Outcome): TrialResult | undefined {
  const failed = (obstacle: 'trial' | 'trial-wait' | 'ledger', reason: string): TrialResult => ({
    healthy: false,
    obstacle,
    tried: true,
    reason,
  });
  const bad = signals.find(({ health }) => !isHealthy(health) && health !== 'throttled');
  if (bad !== undefined) return failed('trial', bad.reason);
  const [fault] = 'faults' in outcome ? outcome.faults : [];
  // Without the ledger, or the key of the messages, no order can be created.
  if (fault?.code === 'E_INT_LEDGER' || fault?.code === 'E_INT_KEY') return failed('ledger', faultSummary(fault));
  // An answered look-up after a create hides nothing of it.
  const last = signals.findLast(({ request }) => request === 'create') ?? signals.at(-1);
  if (last?.health === 'throttled') return failed('trial-wait', last.reason);
  // An answered look-up does not show that orders can be created.
  return signals.some(({ request }) => request === 'create') ? { healthy: true } : undefined;
}
