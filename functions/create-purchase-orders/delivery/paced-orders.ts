/** All calls to 11VMS at one pace: each waits for its turn, as long as there is time. */
import type { Fault } from '../../../shared/failure.ts';
import type { Meter } from '../../../shared/log.ts';
import { METRICS } from '../../../shared/metric-names.ts';
import type { Pacer } from './pacer.ts';
import type { CreateAnswer, LookUpResult } from './answers.ts';
import type { VmsOrders } from './vms-orders.ts';

/** One for each execution environment. A probe does not wait: it is asked when nothing else may be. */
export function createPacedOrders(orders: VmsOrders, pacer: Pacer, meter: Meter): VmsOrders {
  /** The answer for which calls last had to wait. */
  let throttle: Fault = { code: 'E_TGT_THROTTLED', message: '11VMS was slow: no time is left for a call' };

  function pace(answer: CreateAnswer | LookUpResult): void {
    if (answer.kind !== 'throttled') return pacer.succeeded();
    meter.count(METRICS.targetThrottled);
    throttle = answer.fault;
    return pacer.throttled(answer.retryAfterMs);
  }

  /**
   * No turn came in time, so that nothing was sent. A 503 that lasts so long is a failure like any other; a 429 is not,
   * since 11VMS works (rules.md, "throttled").
   */
  const outOfTime = () => ({
    health: throttle.code === 'E_TGT_THROTTLED' ? ('throttled' as const) : ('unhealthy' as const),
    fault: throttle,
    // A cart that only waited behind a throttled neighbour must not use up a receive before the pause is over.
    retryAfterMs: pacer.pausedForMs(),
  });

  return {
    ...orders,
    async create(request, sendByMs) {
      if (!(await pacer.turn(sendByMs))) return { kind: 'not-taken', ...outOfTime() };
      const answer = await orders.create(request, sendByMs);
      pace(answer);
      return answer;
    },
    async lookUp(externalId, correlationId, sendByMs) {
      if (!(await pacer.turn(sendByMs))) return { kind: 'unanswered', ...outOfTime() };
      const result = await orders.lookUp(externalId, correlationId, sendByMs);
      pace(result);
      return result;
    },
  };
}
