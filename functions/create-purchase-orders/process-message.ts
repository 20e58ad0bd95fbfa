/** Event-Driven Consumer: the pipeline of one queue message, from its body to its outcome. */
import {
  type CartMessage,
  cartOfMessage,
  noCart,
  tryReadCartMessage,
  UnreadableMessage,
} from '../../shared/cart-message.ts';
import { type Fault, InterfaceError } from '../../shared/failure.ts';
import type { CartKey, CartVersion } from '../../shared/ledger-keys.ts';
import type { Limit } from '../../shared/lanes.ts';
import { errorFields, type Log } from '../../shared/log.ts';
import type { IsSigned, SignedBody } from '../../shared/message-signature.ts';
import { rowVersion } from '../../shared/sap-values.ts';
import type { SrmCarts } from '../../shared/srm-carts.ts';
import { type FinalAttemptDependencies, resolveFinalAttempt } from './breaker/final-attempt.ts';
import { observeOrders } from './breaker/observe-orders.ts';
import type { PauseReason } from './breaker/target-health.ts';
import { tripBreaker } from './breaker/trip-breaker.ts';
import { isLarge, queuedCart, readCartAgain } from './load-cart.ts';
import type { Outcome } from './outcome.ts';
import { type CartDependencies, processCart, type Receive } from './process-cart.ts';
import { reportOutcome } from './report-outcome.ts';
import { CRASHED, type VerdictStep, verdictAfter } from './verdict/verdict.ts';
import type { VerdictKey, VerdictRecord } from './verdict/verdict-record.ts';
import type { Waiting } from './waiting.ts';

/** One receive of one queue message. */
export interface ReceivedMessage extends Receive, SignedBody {
  readonly waiting: Waiting;
}

export type MessageDependencies = CartDependencies &
  FinalAttemptDependencies & {
    readonly verdicts: VerdictRecord;
    readonly isSigned: IsSigned;
    readonly carts: Pick<SrmCarts, 'cart'>;
    /** The queue's maxReceiveCount. */
    readonly maximumAttempts: number;
    /** Why consumption is paused; undefined where it is not. */
    readonly pausedBecause?: string | undefined;
    /** A cart that is read again may have 8 MiB: so few are in memory at once, however many the batch holds. */
    readonly limitLargeCarts: Limit;
    /** A trial while consumption is paused: what it meets is no fault of its cart, whatever a probe says. */
    readonly isTrial?: boolean;
  };

/** Never throws: an unexpected error is retried, and dead-lettered with a reason when it stays. */
export async function processMessage(received: ReceivedMessage, dependencies: MessageDependencies): Promise<Outcome> {
  const message = await openMessage(received, dependencies);
  let cart = cartOf(message, dependencies.sapClient);
  const own = { ...dependencies, log: logOf(message, cart, received, dependencies.log) };
  const isFinalAttempt = received.attempt >= dependencies.maximumAttempts;
  const verdictKey = () => ({ cart, messageId: received.messageId });
  const { sentAtMs } = received.waiting;

  // A crash up to here leaves nothing behind: SQS delivers the message again.
  const finalFaults = await readFinalVerdict(received, filedUnder(message, cart, received), own);
  if (finalFaults !== undefined) return { kind: 'dead-letter', faults: finalFaults };

  // A crash in here leaves orders at POSTING, which the next attempt looks up; in the final attempt, SQS moves the
  // message to the dead-letter queue, and the PROVISIONAL verdict is its reason.
  const watch = watchHealth(cart, own);
  const attempted = await attempt(own.log, async () => {
    if (isFinalAttempt) {
      const provisional = { state: 'PROVISIONAL', faults: [CRASHED], nowMs: own.now(), sentAtMs } as const;
      await own.verdicts.record(verdictKey(), provisional);
    }
    if (own.pausedBecause !== undefined) return paused(own.pausedBecause);
    if (!isCart(message)) return message;
    const order = (source: unknown): Promise<Outcome> => {
      cart = { ...cart, ...rowVersion(source) };
      return processCart(message, source, received, cart, { ...own, orders: watch.orders });
    };
    const queued = queuedCart(message);
    if (queued !== undefined) return order(queued);
    const read = await own.limitLargeCarts(async () => {
      const source = await readCartAgain(message, own.carts);
      return isLarge(source) ? order(source) : { source };
    });
    return 'source' in read ? order(read.source) : read;
  });

  // A crash from here on leaves every order in the ledger: the next attempt skips what exists, and comes to the same end.
  await tripBreaker(watch.pause(), own);

  // A crash after this may leave the message beside its requeued copy: the ledger makes one order of both.
  const isPaused = own.isTrial === true || own.pausedBecause !== undefined || watch.pause() !== undefined;
  const final = { cart: nameOf(cart), message: received, isPaused };
  const outcome = isFinalAttempt ? await resolveFinalAttempt(attempted, final, own) : attempted;
  await tripBreaker(own.health.note(outcome), own);
  reportOutcome(outcome, received, own);

  // A crash after this leaves a FINAL verdict, at which the remaining receives end, or a message that SQS delivers again.
  await recordVerdict(verdictAfter(outcome, isFinalAttempt), { ...verdictKey(), sentAtMs }, own);
  return outcome;
}

const nameOf = ({ client, number, guid }: CartKey): string => `${client}/${number ?? guid ?? ''}`;

/** Tells the breaker what each answer of 11VMS to this cart's calls shows. */
function watchHealth(cart: CartKey, { orders, health }: MessageDependencies) {
  let pause: PauseReason | undefined;
  const observed = observeOrders(orders, (signal) => {
    pause ??= health.observe(nameOf(cart), signal);
  });
  return { orders: observed, pause: () => pause };
}

const paused = (reason: string): Outcome => ({
  kind: 'retry',
  faults: [{ code: 'E_INT_PAUSED', message: `consumption is paused: ${reason}` }],
  afterMs: undefined,
  cause: undefined,
});

/** The message, or what becomes of one that may not be ordered. The cart that such a message claims is not believed. */
type Opened = CartMessage | Outcome;

const isCart = (message: Opened): message is CartMessage => 'schemaVersion' in message;

async function openMessage(received: SignedBody, { isSigned }: MessageDependencies): Promise<Opened> {
  try {
    if (!(await isSigned(received))) return { kind: 'dead-letter', faults: [UNSIGNED] };
  } catch (error) {
    const fault = error instanceof InterfaceError ? error.fault : toUnexpectedFault(error);
    return { kind: 'retry', faults: [fault], afterMs: undefined, cause: undefined };
  }
  const message = tryReadCartMessage(received.body);
  return message instanceof UnreadableMessage ? invalidMessage(message) : message;
}

const UNSIGNED: Fault = {
  code: 'E_INT_SIGNATURE',
  message: 'the queue message is not signed with the key of this stack: it is not ordered, whatever cart it names',
};

const cartOf = (message: Opened, sapClient: string): CartVersion =>
  isCart(message)
    ? {
        ...cartOfMessage(message, sapClient),
        ...('source' in message ? rowVersion(message.source) : { changedAtMs: undefined }),
      }
    : { ...noCart(sapClient), changedAtMs: undefined };

/** Where a verdict of the message may stand. Without the key, whether an earlier attempt believed its cart is not known. */
const filedUnder = (message: Opened, cart: CartKey, { body }: SignedBody): readonly CartKey[] =>
  isCart(message) || message.kind !== 'retry' ? [cart] : [cart, cartOfMessage(tryReadCartMessage(body), cart.client)];

function logOf(message: Opened, cart: CartVersion, receive: Receive, log: Log): Log {
  const common = { messageId: receive.messageId, attempt: receive.attempt };
  if (!isCart(message)) return log.with(common);
  return log.with({
    ...common,
    cartNumber: cart.number,
    cartGuid: message.cart.guid ?? undefined,
    runId: message.runId,
    correlationId: message.correlationId,
  });
}

/**
 * The faults of a message that an earlier attempt gave up. A PROVISIONAL verdict means that SQS delivered the final
 * receive twice, and that the other one is under way.
 */
async function readFinalVerdict(
  { attempt, messageId }: Receive,
  carts: readonly CartKey[],
  { verdicts, log }: MessageDependencies,
): Promise<readonly Fault[] | undefined> {
  if (attempt === 1) return undefined;
  try {
    for (const cart of carts) {
      const verdict = await verdicts.read({ cart, messageId });
      if (verdict?.state === 'FINAL') return verdict.faults;
    }
    return undefined;
  } catch (error) {
    // Another attempt is safe: the ledger guards every order, and the attempt comes to the same verdict.
    log.warn('verdict.read-failed', errorFields(error));
    return undefined;
  }
}

async function attempt(log: Log, work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof InterfaceError) return sourceFailure(error);
    const fault = toUnexpectedFault(error);
    log.error('attempt.failed', { codes: [fault.code], reason: fault.message, ...errorFields(error) });
    return { kind: 'retry', faults: [fault], afterMs: undefined, cause: undefined };
  }
}

/** SRM did not give the cart. */
function sourceFailure({ failureClass, fault, retryAfterMs }: InterfaceError): Outcome {
  if (failureClass === 'permanent') return { kind: 'dead-letter', faults: [fault] };
  const health = failureClass === 'refused' || failureClass === 'throttled' ? failureClass : 'unhealthy';
  return { kind: 'retry', faults: [fault], afterMs: retryAfterMs, cause: { system: 'SRM', health } };
}

const invalidMessage = (error: UnreadableMessage): Outcome => ({
  kind: 'dead-letter',
  faults: [{ code: 'E_INT_MESSAGE', message: `the queue message ${error.message}` }],
});

/**
 * An error of AWS means that the ledger did not answer. Any other error is a defect, and so is a write that DynamoDB
 * finds invalid. No error's message is quoted: it may hold data.
 */
function toUnexpectedFault(error: unknown): Fault {
  const name = error instanceof Error ? error.name : typeof error;
  const isAws = typeof error === 'object' && error !== null && '$metadata' in error && name !== 'ValidationException';
  return isAws || name === 'TimeoutError' || name === 'AggregateError'
    ? { code: 'E_INT_LEDGER', message: `the ledger did not answer (${name})` }
    : { code: 'E_INT_UNEXPECTED', message: `unexpected ${name}` };
}

async function recordVerdict(
  step: VerdictStep,
  { sentAtMs, ...key }: VerdictKey & { readonly sentAtMs: number },
  { verdicts, log, now }: MessageDependencies,
): Promise<void> {
  try {
    if (step?.state === 'FINAL') await verdicts.record(key, { ...step, nowMs: now(), sentAtMs });
    if (step?.state === 'WITHDRAWN') await verdicts.withdraw(key);
  } catch (error) {
    // The log line of the outcome has the reason; without a verdict the next receive comes to the same end.
    log.warn(step?.state === 'FINAL' ? 'verdict.write-failed' : 'verdict.withdraw-failed', errorFields(error));
  }
}
