/** The outcome of a message that has no receive left: dead-lettered, or requeued where its cart is not at fault. */
import type { FaultCode } from '../../../shared/failure.ts';
import { errorFields } from '../../../shared/log.ts';
import type { VmsOrders } from '../delivery/vms-orders.ts';
import type { Outcome } from '../outcome.ts';
import { targetFailure } from './target-health.ts';
import { type BreakerDependencies, tripBreaker } from './trip-breaker.ts';

export interface FinalAttemptDependencies extends BreakerDependencies {
  readonly orders: Pick<VmsOrders, 'probe'>;
  readonly newId: () => string;
  /** Puts a body on the queue as a new message. @throws when it is not queued. */
  readonly requeue: (body: string) => Promise<void>;
}

/**
 * Requeues the message as a new one when its last attempt failed for a systemic reason, so that an outage dead-letters
 * nothing. The copy is queued before the old message is deleted: a crash between the two leaves both, and the ledger
 * makes one order of them.
 */
export async function resolveFinalAttempt(
  outcome: Outcome,
  body: string,
  dependencies: FinalAttemptDependencies,
): Promise<Outcome> {
  if (outcome.kind !== 'retry' && outcome.kind !== 'refused') return outcome;
  const { faults } = outcome;
  if (!(await isSystemicFailure(outcome, dependencies))) return { kind: 'dead-letter', faults };
  try {
    await dependencies.requeue(body);
    return { kind: 'requeued', faults };
  } catch (error) {
    dependencies.log.warn('cart.requeue-failed', errorFields(error));
    return { kind: 'dead-letter', faults };
  }
}

const CART_INDEPENDENT_CODES: ReadonlySet<FaultCode> = new Set([
  'E_TGT_THROTTLED',
  'E_INT_LEDGER',
  'E_INT_IN_PROGRESS',
]);

async function isSystemicFailure(
  outcome: Extract<Outcome, { kind: 'retry' | 'refused' }>,
  dependencies: FinalAttemptDependencies,
): Promise<boolean> {
  const { breaker, orders, newId, log } = dependencies;
  if (outcome.kind === 'refused') return true;
  const [fault] = outcome.faults;
  if (fault !== undefined && CART_INDEPENDENT_CODES.has(fault.code)) return true;
  const failure = targetFailure(outcome);
  if (failure === undefined) return false;
  try {
    if ((await breaker.read()).state !== 'CLOSED') return true;
    // The failures so far may be too few to tell an outage from a cart that 11VMS cannot process: the probe can.
    const health = await orders.probe(newId());
    if (health.healthy) return false;
    await tripBreaker({ reason: `${failure}; and ${health.reason}`, byPerson: false }, dependencies);
  } catch (error) {
    // Without an answer from the breaker or the probe, the cart counts as not at fault.
    log.warn('attempt.cause-unknown', errorFields(error));
  }
  return true;
}
