import { answerText, type CreateAnswer, type HealthSignal, type LookUpResult } from '../delivery/answers.ts';
import type { VmsOrders } from '../delivery/vms-orders.ts';

/** The same orders; `observe` is told what each answer shows of the health of 11VMS. */
export function observeOrders(orders: VmsOrders, observe: (signal: HealthSignal) => void): VmsOrders {
  function observed<Answer extends CreateAnswer | LookUpResult>(
    request: HealthSignal['request'],
    answer: Answer,
  ): Answer {
    observe({ request, health: answer.health, reason: answerText(answer) });
    return answer;
  }
  return {
    ...orders,
    create: async (...call) => observed('create', await orders.create(...call)),
    lookUp: async (...call) => observed('look-up', await orders.lookUp(...call)),
    probe: async (...call) => observed('probe', await orders.probe(...call)),
  };
}
