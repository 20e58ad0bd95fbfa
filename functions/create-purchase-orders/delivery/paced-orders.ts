/** All calls to 11VMS at one pace: each waits for its turn, as long as there is time. */
import type { Fault } from '../../../shared/failure.ts';
import type { Meter } from '../../../shared/log.ts';
import { METRICS } from '../../../shared/metric-names.ts';
import type { Pacer } from './pacer.ts';
import { type CreateAnswer, isHealthy } from './answers.ts';
import type { VmsOrders } from './vms-orders.ts';

/** One for each execution environment. A probe does not wait: it is asked when nothing else may be. */
export function createPacedOrders(orders: VmsOrders, pacer: Pacer, meter: Meter): VmsOrders {
  /** Why calls wait: the latest answer that asked for it, until 11VMS answers a create again. */
  let throttle: Fault = SLOW;

  /** Whether the refused call may be repeated here, at its next turn. Otherwise its cart goes back to the queue. */
  function isRepeated({ fault, retryAfterMs }: Refusal): boolean {
    meter.count(METRICS.targetThrottled);
    throttle = fault;
    return pacer.throttled(retryAfterMs);
  }

  /** No turn came in time, so that nothing was sent. */
  // A cart that only waited behind a throttled neighbour must not use up a receive before the pause is over.
  const outOfTime = () => postponed({ fault: throttle, retryAfterMs: pacer.pausedForMs() });

  return {
    ...orders,
    async create(request, sendByMs) {
      if (!(await pacer.turn(sendByMs))) return { kind: 'not-taken', ...outOfTime() };
      const answer = await orders.create(request, sendByMs);
      if (answer.kind === 'throttled' && !isRepeated(answer)) return { kind: 'not-taken', ...postponed(answer) };
      if (answer.kind === 'unknown' && answer.health === 'throttled') {
        // A batch that meets one short overload is no outage: what counts is to be refused again after the pause.
        const isLasting = throttle.code === answer.fault.code && pacer.pausedForMs() === 0;
        return isRepeated(answer) && !isLasting ? answer : { kind: 'unknown', ...postponed(answer) };
      }
      if (isHealthy(answer.health)) {
        pacer.succeeded();
        throttle = SLOW;
      }
      return answer;
    },
    async lookUp(externalId, correlationId, sendByMs) {
      if (orders.hasNoLookUp) return orders.lookUp(externalId, correlationId, sendByMs);
      if (!(await pacer.turn(sendByMs))) return { kind: 'unanswered', ...outOfTime() };
      const result = await orders.lookUp(externalId, correlationId, sendByMs);
      if (result.kind === 'throttled' && !isRepeated(result)) return { kind: 'unanswered', ...postponed(result) };
      if (isHealthy(result.health)) pacer.succeeded();
      return result;
    },
  };
}

const SLOW: Fault = { code: 'E_TGT_THROTTLED', message: 'no time was left for a call to 11VMS' };

type Refusal = Pick<Extract<CreateAnswer, { kind: 'throttled' }>, 'fault' | 'retryAfterMs'>;

/** A 503 that is not waited out is a failure like any other; a 429 is not: 11VMS works (rules.md, "throttled"). */
const postponed = ({ fault, retryAfterMs }: Refusal) => ({
  health: fault.code === 'E_TGT_THROTTLED' ? ('throttled' as const) : ('unhealthy' as const),
  fault,
  retryAfterMs,
});
