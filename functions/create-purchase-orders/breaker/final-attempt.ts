/** The outcome of a message that has no receive left: dead-lettered, or requeued where its cart is not at fault. */
import { type Fault, type FaultCode, faultSummary, InterfaceError } from '../../../shared/failure.ts';
import { errorFields } from '../../../shared/log.ts';
import type { SrmCarts } from '../../../shared/srm-carts.ts';
import type { QueueMessage } from '../cart-messages.ts';
import { answerText, isHealthy } from '../delivery/answers.ts';
import type { VmsOrders } from '../delivery/vms-orders.ts';
import type { Outcome } from '../outcome.ts';
import type { TargetHealth } from './target-health.ts';
import { type BreakerDependencies, tripBreaker } from './trip-breaker.ts';

export interface FinalAttemptDependencies extends BreakerDependencies {
  readonly orders: Pick<VmsOrders, 'probe'>;
  readonly carts: Pick<SrmCarts, 'cart'>;
  readonly health: TargetHealth;
  readonly newId: () => string;
  /** No probe is sent later. */
  readonly lookUpDeadlineMs: number;
  /** Puts a copy on the queue as a new message. @throws when it is not queued. */
  readonly requeue: (message: Pick<QueueMessage, 'body' | 'waiting'>) => Promise<void>;
}

/** The last receive of a message. */
export interface FinalAttempt {
  /** The cart's name, as {@link TargetHealth} knows it. */
  readonly cart: string;
  readonly message: Pick<QueueMessage, 'body' | 'waiting'>;
  /** Consumption is paused, or this very attempt pauses it. */
  readonly isPaused: boolean;
}

/**
 * Requeues the message as a new one when its last attempt failed for a systemic reason, so that an outage dead-letters
 * nothing. The copy is queued before the old message is deleted: a crash between the two leaves both, and the ledger
 * makes one order of them.
 */
export async function resolveFinalAttempt(
  outcome: Outcome,
  attempt: FinalAttempt,
  dependencies: FinalAttemptDependencies,
): Promise<Outcome> {
  if (outcome.kind !== 'retry') return outcome;
  const { faults } = outcome;
  if (!attempt.isPaused && !(await isSystemicFailure(outcome, attempt, dependencies))) {
    return { kind: 'dead-letter', faults };
  }
  try {
    await dependencies.requeue(attempt.message);
    return { kind: 'requeued', faults };
  } catch (error) {
    dependencies.log.warn('cart.requeue-failed', errorFields(error));
    return { kind: 'dead-letter', faults };
  }
}

const CART_INDEPENDENT_CODES: ReadonlySet<FaultCode> = new Set(['E_INT_LEDGER', 'E_INT_IN_PROGRESS']);

async function isSystemicFailure(
  { cause, faults: [fault] }: Extract<Outcome, { kind: 'retry' }>,
  attempt: FinalAttempt,
  dependencies: FinalAttemptDependencies,
): Promise<boolean> {
  if (fault !== undefined && CART_INDEPENDENT_CODES.has(fault.code)) return true;
  if (cause === undefined || isHealthy(cause.health)) return false;
  // A cart that its system cannot process fails like a cart in an outage: the probe of another request tells them apart.
  if (cause.health !== 'unhealthy') return true;
  return cause.system === 'SRM' ? isSrmUnhealthy(dependencies) : isTargetUnhealthy(attempt, fault, dependencies);
}

async function isTargetUnhealthy(
  { cart, message }: FinalAttempt,
  fault: Fault | undefined,
  dependencies: FinalAttemptDependencies,
): Promise<boolean> {
  const { orders, health, newId, lookUpDeadlineMs } = dependencies;
  const failure = fault === undefined ? '11VMS failed' : faultSummary(fault);
  // Two carts that 11VMS cannot process look alike. They are requeued once for each other, not for ever.
  if (message.waiting.requeues === 0 && health.failsForOthers(cart)) {
    await tripBreaker({ reason: `${failure}; and other carts failed, too`, byPerson: false }, dependencies);
    return true;
  }
  const probe = await orders.probe(newId(), lookUpDeadlineMs);
  if (isHealthy(probe.health)) return false;
  // A throttled probe shows neither: the cart gets another chance.
  if (probe.health !== 'throttled') {
    await tripBreaker({ reason: `${failure}; and ${answerText(probe)}`, byPerson: false }, dependencies);
  }
  return true;
}

/** No cart has it. */
const PROBE_GUID = '00000000-0000-0000-0000-000000000000';

async function isSrmUnhealthy({ carts, newId }: FinalAttemptDependencies): Promise<boolean> {
  try {
    await carts.cart(PROBE_GUID, newId());
    return false;
  } catch (error) {
    if (error instanceof InterfaceError) return true;
    throw error;
  }
}
