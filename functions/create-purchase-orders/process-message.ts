/** Event-Driven Consumer: the pipeline of one queue message, from its body to its outcome. */
import { type CartMessage, cartOfMessage, tryReadCartMessage, UnreadableMessage } from '../../shared/cart-message.ts';
import { type Fault, InterfaceError } from '../../shared/failure.ts';
import type { CartKey, CartVersion } from '../../shared/ledger-keys.ts';
import { errorFields, type Log } from '../../shared/log.ts';
import { rowChangedAtMs } from '../../shared/sap-values.ts';
import { type FinalAttemptDependencies, resolveFinalAttempt } from './breaker/final-attempt.ts';
import { observeOrders } from './breaker/observe-orders.ts';
import type { PauseReason } from './breaker/target-health.ts';
import { tripBreaker } from './breaker/trip-breaker.ts';
import { loadCart } from './load-cart.ts';
import type { Outcome } from './outcome.ts';
import { type CartDependencies, processCart, type Receive } from './process-cart.ts';
import { reportOutcome } from './report-outcome.ts';
import { CRASHED, type VerdictStep, verdictAfter } from './verdict/verdict.ts';
import type { VerdictKey, VerdictRecord } from './verdict/verdict-record.ts';
import type { Waiting } from './waiting.ts';

/** One receive of one queue message. */
export interface ReceivedMessage extends Receive {
  readonly body: string;
  readonly waiting: Waiting;
}

export type MessageDependencies = CartDependencies &
  FinalAttemptDependencies & {
    readonly verdicts: VerdictRecord;
    /** The queue's maxReceiveCount. */
    readonly maximumAttempts: number;
    /** Why consumption is paused; undefined where it is not. */
    readonly pausedBecause?: string | undefined;
  };

/** Never throws: an unexpected error is retried, and dead-lettered with a reason when it stays. */
export async function processMessage(received: ReceivedMessage, dependencies: MessageDependencies): Promise<Outcome> {
  const message = tryReadCartMessage(received.body);
  let cart = cartOf(message, dependencies.sapClient);
  const own = { ...dependencies, log: logOf(message, cart, received, dependencies.log) };
  const isFinalAttempt = received.attempt >= dependencies.maximumAttempts;
  const verdictKey = () => ({ cart, messageId: received.messageId });

  // A crash up to here leaves nothing behind: SQS delivers the message again.
  const finalFaults = await readFinalVerdict(received, verdictKey(), own);
  if (finalFaults !== undefined) return { kind: 'dead-letter', faults: finalFaults };

  // A crash in here leaves orders at POSTING, which the next attempt looks up; in the final attempt, SQS moves the
  // message to the dead-letter queue, and the PROVISIONAL verdict is its reason.
  const watch = watchHealth(cart, own);
  const attempted = await attempt(own.log, async () => {
    if (isFinalAttempt)
      await own.verdicts.record(verdictKey(), { state: 'PROVISIONAL', faults: [CRASHED], nowMs: own.now() });
    if (own.pausedBecause !== undefined) return paused(own.pausedBecause);
    if (!isCart(message)) return invalidMessage(message);
    const source = await loadCart(message, own.carts);
    cart = { ...cart, changedAtMs: rowChangedAtMs(source) };
    return processCart(message, source, received, cart, { ...own, orders: watch.orders });
  });

  // A crash from here on leaves every order in the ledger: the next attempt skips what exists, and comes to the same end.
  await tripBreaker(watch.pause(), own);

  // A crash after this may leave the message beside its requeued copy: the ledger makes one order of both.
  const isPaused = own.pausedBecause !== undefined || watch.pause() !== undefined;
  const final = { cart: nameOf(cart), message: received, isPaused };
  const outcome = isFinalAttempt ? await resolveFinalAttempt(attempted, final, own) : attempted;
  await tripBreaker(own.health.note(outcome), own);
  reportOutcome(outcome, received.waiting, own);

  // A crash after this leaves a FINAL verdict, at which the remaining receives end, or a message that SQS delivers again.
  await recordVerdict(verdictAfter(outcome, isFinalAttempt), verdictKey(), own);
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

const isCart = (message: CartMessage | UnreadableMessage): message is CartMessage =>
  !(message instanceof UnreadableMessage);

const cartOf = (message: CartMessage | UnreadableMessage, sapClient: string): CartVersion => ({
  ...cartOfMessage(message, sapClient),
  changedAtMs: isCart(message) && 'source' in message ? rowChangedAtMs(message.source) : undefined,
});

function logOf(message: CartMessage | UnreadableMessage, cart: CartVersion, receive: Receive, log: Log): Log {
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
  { attempt }: Receive,
  key: VerdictKey,
  { verdicts, log }: MessageDependencies,
): Promise<readonly Fault[] | undefined> {
  if (attempt === 1) return undefined;
  try {
    const verdict = await verdicts.read(key);
    return verdict?.state === 'FINAL' ? verdict.faults : undefined;
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
  key: VerdictKey,
  { verdicts, log, now }: MessageDependencies,
): Promise<void> {
  try {
    if (step?.state === 'FINAL') await verdicts.record(key, { ...step, nowMs: now() });
    if (step?.state === 'WITHDRAWN') await verdicts.withdraw(key);
  } catch (error) {
    // The log line of the outcome has the reason; without a verdict the next receive comes to the same end.
    log.warn(step?.state === 'FINAL' ? 'verdict.write-failed' : 'verdict.withdraw-failed', errorFields(error));
  }
}
