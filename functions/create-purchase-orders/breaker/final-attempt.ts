/** The outcome of a message that has no receive left: dead-lettered, or requeued where its cart is not at fault. */
import { type Fault, type FaultCode, faultSummary, InterfaceError } from '../../../shared/failure.ts';
import { errorFields } from '../../../shared/log.ts';
import type { SrmCarts } from '../../../shared/srm-carts.ts';
import type { Requeueable } from '../cart-messages.ts';
import { answerText, isHealthy } from '../delivery/answers.ts';
import type { VmsOrders } from '../delivery/vms-orders.ts';
import type { Cause, Outcome } from '../outcome.ts';
import type { TargetHealth } from './target-health.ts';
import { type BreakerDependencies, tripBreaker } from './trip-breaker.ts';

export interface FinalAttemptDependencies extends BreakerDependencies {
  readonly orders: Pick<VmsOrders, 'probe'>;
  /** For a probe, which has time of its own: reading a cart may use up that of the attempt. */
  readonly srmProbe: Pick<SrmCarts, 'cart'>;
  readonly health: TargetHealth;
  readonly newId: () => string;
  /** No probe is sent later. */
  readonly lookUpDeadlineMs: number;
  /** Puts a copy on the queue as a new message. @throws when it is not queued. */
  readonly requeue: (message: Requeueable) => Promise<void>;
}

/** The last receive of a message. */
export interface FinalAttempt {
  /** The cart's name, as {@link TargetHealth} knows it. */
  readonly cart: string;
  readonly message: Requeueable;
  /** Consumption is paused, this attempt being its trial or not; or this very attempt pauses it. */
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
  const { faults, cause } = outcome;
  const isAlone = dependencies.health.refusedAlone(attempt.cart);
  try {
    if (!attempt.isPaused && !(await isSystemicFailure(outcome, attempt, dependencies))) {
      return { kind: 'dead-letter', faults: cause?.health === 'forbidden' ? refusedAlone(faults, isAlone) : faults };
    }
    await dependencies.requeue(attempt.message);
    return { kind: 'requeued', faults };
  } catch (error) {
    // Thrown on, a defect of a probe would cost all messages of the batch their receive.
    dependencies.log.warn('cart.requeue-failed', errorFields(error));
    return { kind: 'dead-letter', faults };
  }
}

/** What a refusal means where 11VMS answers others. Beside it, the reason of an open outcome stays. */
const refusedAlone = (faults: readonly Fault[], isAlone: boolean): readonly Fault[] =>
  faults.map((fault) =>
    fault.code === 'E_TGT_AUTH'
      ? {
          ...fault,
          code: 'E_TGT_ORDER_REFUSED',
          message: `${fault.message}, and ${isAlone ? 'takes the orders of other carts' : 'answers a probe'}`,
        }
      : fault,
  );

/** How often a refused cart is requeued, about half an hour in all: by then another cart has shown whether all are refused. */
const REQUEUES_OF_A_REFUSED_CART = 3;
/** As long where no other cart has shown it. By then a person was paged: the cart has waited for `waitingHours`. */
const DAY_MS = 24 * 3600 * 1000;

const CART_INDEPENDENT_CODES: ReadonlySet<FaultCode> = new Set(['E_INT_KEY', 'E_INT_LEDGER', 'E_INT_IN_PROGRESS']);

async function isSystemicFailure(
  { cause, faults: [fault] }: Extract<Outcome, { kind: 'retry' }>,
  attempt: FinalAttempt,
  dependencies: FinalAttemptDependencies,
): Promise<boolean> {
  if (fault !== undefined && CART_INDEPENDENT_CODES.has(fault.code)) return true;
  if (cause === undefined || isHealthy(cause.health)) return false;
  // Without throttling, our own lateness may be the cart's: it takes longer to read than an attempt lasts.
  if (cause.health === 'throttled') return fault?.code !== 'E_SRC_UNAVAILABLE' || waitsBelowADay(attempt, dependencies);
  // A cart that its system cannot process, or refuses alone, fails like a cart in an outage: the probe of another request
  // tells them apart.
  if (cause.system === 'SRM') {
    // SRM may refuse what only a real cart needs, such as its items: a page for what waits long comes before a dead letter.
    const isEarly = cause.health === 'refused' && waitsBelowADay(attempt, dependencies);
    return isEarly || isSrmUnhealthy(dependencies);
  }
  return cause.health === 'refused' || isTargetUnhealthy(attempt, cause, fault, dependencies);
}

async function isTargetUnhealthy(
  attempt: FinalAttempt,
  cause: Cause,
  fault: Fault | undefined,
  dependencies: FinalAttemptDependencies,
): Promise<boolean> {
  const { cart, message } = attempt;
  const { orders, health, newId, lookUpDeadlineMs } = dependencies;
  const failure = fault === undefined ? '11VMS failed' : faultSummary(fault);
  // Two carts that 11VMS cannot process look alike. They are requeued once for each other, not for ever.
  if (message.waiting.requeues === 0 && health.failsForOthers(cart)) {
    await tripBreaker({ reason: `${failure}; and other carts failed, too`, byPerson: false }, dependencies);
    return true;
  }
  const probe = await orders.probe(newId(), lookUpDeadlineMs);
  if (isHealthy(probe.health)) return cause.health === 'forbidden' && isRefusalOpen(attempt, dependencies);
  // A throttled probe shows neither: the cart gets another chance.
  if (probe.health !== 'throttled') {
    await tripBreaker({ reason: `${failure}; and ${answerText(probe)}`, byPerson: false }, dependencies);
  }
  return true;
}

/**
 * Whether all carts may be refused like this one. The probe reads: that we may read does not show that we may create, so
 * that a refused cart waits for others to show it.
 */
function isRefusalOpen(attempt: FinalAttempt, dependencies: FinalAttemptDependencies): boolean {
  if (attempt.message.waiting.requeues < REQUEUES_OF_A_REFUSED_CART) return true;
  return !dependencies.health.refusedAlone(attempt.cart) && waitsBelowADay(attempt, dependencies);
}

const waitsBelowADay = ({ message }: FinalAttempt, { now }: FinalAttemptDependencies): boolean =>
  now() - message.waiting.sinceMs < DAY_MS;

/** No cart has it: SRM that answers it is there, and takes our client. */
const PROBE_GUID = '00000000-0000-0000-0000-000000000000';

async function isSrmUnhealthy({ srmProbe, newId }: FinalAttemptDependencies): Promise<boolean> {
  try {
    await srmProbe.cart(PROBE_GUID, newId());
    return false;
  } catch (error) {
    if (error instanceof InterfaceError) return true;
    throw error;
  }
}
