/** Event-Driven Consumer: ONE queued cart to its purchase orders, and what becomes of its message. */
import { type CartMessage, readCartMessage, UnreadableMessage } from '../../shared/cart-message.ts';
import { type Fault, type FaultCode, InterfaceError } from '../../shared/failure.ts';
import type { BreakerRecord } from '../../shared/circuit-breaker.ts';
import type { CartKey, CartVersion, Ledger, Verdict } from '../../shared/ledger.ts';
import { errorFields, type Log, type Meter } from '../../shared/log.ts';
import { METRICS } from '../../shared/metric-names.ts';
import { stripZeros } from '../../shared/sap-values.ts';
import type { SrmCarts } from '../../shared/srm-carts.ts';
import type { TranslationSettings } from '../../shared/translation-settings.ts';
import { type DeliveryDependencies, deliverOrder } from './delivery/deliver-order.ts';
import { combineOutcomes, isDuplicateRead, type OrderOutcome, type Outcome } from './outcome.ts';
import { type PauseReason, type TargetHealth, targetFailure } from './breaker/target-health.ts';
import { cartNumberOf, isDeferred, rowChangedAtMs } from './translation/shopping-cart.ts';
import { type CartTranslation, translateCart } from './translation/translate-cart.ts';

/** One receive of one queue message. */
export interface ReceivedMessage {
  readonly messageId: string;
  readonly body: string;
  /** ApproximateReceiveCount: 1 for the first receive. */
  readonly attempt: number;
}

export interface CreationDependencies extends DeliveryDependencies {
  readonly carts: Pick<SrmCarts, 'cart'>;
  readonly settings: TranslationSettings;
  /** `sap-client`: the only one whose carts are ours. */
  readonly sapClient: string;
  /** The queue's maxReceiveCount. */
  readonly maximumAttempts: number;
  readonly health: TargetHealth;
  readonly breaker: Pick<BreakerRecord, 'read' | 'open'>;
  /** Puts a body on the queue as a new message. @throws when it is not queued. */
  readonly putBack: (body: string) => Promise<void>;
  readonly newId: () => string;
}

/** Never throws: what is not foreseen is retried, and dead-lettered with a reason when it stays so. */
export async function createPurchaseOrders(
  received: ReceivedMessage,
  dependencies: CreationDependencies,
): Promise<Outcome> {
  const message = readMessage(received.body);
  const cart: CartVersion =
    message instanceof UnreadableMessage
      ? { client: dependencies.sapClient, number: undefined, changedAtMs: undefined }
      : cartOf(message);
  const log = logOf(message, cart, received, dependencies.log);
  const own = { ...dependencies, log };
  const verdict = await earlierVerdict(received, cart, own);
  if (verdict !== undefined) return { kind: 'dead-letter', faults: verdict };
  const attempted = await attempt(received, message, cart, own).catch((error: unknown): Outcome => {
    const fault = toUnexpectedFault(error);
    log.error('attempt.failed', { codes: [fault.code], reason: fault.message, ...errorFields(error) });
    return { kind: 'retry', faults: [fault], afterMs: undefined };
  });
  const tried = await suppressDuplicateDeadLetter(attempted, message, cart, own);
  await tripBreaker(dependencies.health.note(cart, tried), own);
  const isLast = received.attempt >= dependencies.maximumAttempts;
  const outcome = isLast ? await resolveFinalAttempt(tried, received.body, own) : tried;
  await conclude(outcome, verdictKey(received, message), cart, own);
  // The provisional verdict of the last receive was not to be; it is kept for the case that SQS never learns of it.
  if (isLast && outcome.kind !== 'dead-letter') await withdrawVerdict(received.messageId, cart, own);
  return outcome;
}

/** Each run reads the overlap again, half an hour of it: so long at least, a verdict speaks for its other readings. */
const READ_AGAIN_FOR_MS = 3600_000;

/**
 * A faulty cart is one dead letter, one alarm and one thing to mend, however often the overlap is read. Whoever asks for a
 * cart again, by a replay, a redrive or the reconciliation, gets an answer of their own.
 */
async function suppressDuplicateDeadLetter(
  outcome: Outcome,
  message: CartMessage | UnreadableMessage,
  cart: CartVersion,
  { ledger, log, now }: CreationDependencies,
): Promise<Outcome> {
  if (outcome.kind !== 'dead-letter' || message instanceof UnreadableMessage) return outcome;
  if (message.origin !== undefined) return outcome;
  const reading = { runId: message.runId, faults: outcome.faults };
  const isTold = await ledger.hasDuplicateVerdict(cart, reading, now() - READ_AGAIN_FOR_MS).catch((error: unknown) => {
    log.warn('verdict.duplicates-read-failed', errorFields(error));
    return false;
  });
  if (!isTold) return outcome;
  return { kind: 'skipped', reason: 'another reading of it is a dead letter already', isDuplicateRead: true };
}

/** Whom a verdict is about. */
const verdictKey = (
  { messageId }: ReceivedMessage,
  message: CartMessage | UnreadableMessage,
): Pick<Verdict, 'messageId' | 'runId'> => ({
  messageId,
  runId: message instanceof UnreadableMessage ? undefined : message.runId,
});

/** Opens the breaker: the supervisor disables the event source mapping within a minute. */
async function tripBreaker(
  pause: PauseReason | undefined,
  { breaker, log, meter, now }: CreationDependencies,
): Promise<void> {
  if (pause === undefined) return;
  meter.count(METRICS.consumptionPaused, 1);
  log.error('consumption.pausing', { reason: pause.reason });
  await breaker.open(pause.byPerson ? 'FORCED_OPEN' : 'OPEN', pause.reason, now()).catch((error: unknown) => {
    // The next failure opens it; until then the messages keep their receives, and are put back after the last.
    log.warn('consumption.pause-failed', errorFields(error));
  });
}

/**
 * No receive is left. What any other cart would have met as well says nothing about this one: it goes back on the queue
 * as a new message, so that an outage dead-letters nothing. The copy is queued before the old message is done with; a
 * crash between the two leaves both, and the ledger makes one of them.
 */
async function resolveFinalAttempt(tried: Outcome, body: string, dependencies: CreationDependencies): Promise<Outcome> {
  if (tried.kind !== 'retry' && tried.kind !== 'refused') return tried;
  const { faults } = tried;
  if (!(await isSystemicFailure(tried, dependencies))) return { kind: 'dead-letter', faults };
  try {
    await dependencies.putBack(body);
    return { kind: 'put-back', faults };
  } catch (error) {
    dependencies.log.warn('cart.requeue-failed', errorFields(error));
    return { kind: 'dead-letter', faults };
  }
}

/** Faults that say nothing about the cart they happened to. */
const CART_INDEPENDENT_CODES: ReadonlySet<FaultCode> = new Set([
  'E_TGT_THROTTLED',
  'E_INT_LEDGER',
  'E_INT_IN_PROGRESS',
]);

async function isSystemicFailure(
  tried: Extract<Outcome, { kind: 'retry' | 'refused' }>,
  dependencies: CreationDependencies,
): Promise<boolean> {
  const { breaker, orders, newId, log } = dependencies;
  if (tried.kind === 'refused') return true;
  const [fault] = tried.faults;
  if (fault !== undefined && CART_INDEPENDENT_CODES.has(fault.code)) return true;
  const what = targetFailure(tried);
  if (what === undefined) return false;
  try {
    if ((await breaker.read()).state !== 'CLOSED') return true;
    // Too few carts may have failed to tell an outage from a cart that 11VMS cannot digest: 11VMS itself is asked.
    const ailment = await orders.ailment(newId());
    if (ailment === undefined) return false;
    await tripBreaker({ reason: `${what}; and ${ailment}`, byPerson: false }, dependencies);
  } catch (error) {
    // Where neither can be asked, nothing accuses the cart.
    log.warn('attempt.cause-unknown', errorFields(error));
  }
  return true;
}

async function withdrawVerdict(messageId: string, cart: CartKey, { ledger, log }: CreationDependencies): Promise<void> {
  await ledger.withdrawVerdict(cart, messageId).catch((error: unknown) => {
    // It stays beside the order's own row, which says more.
    log.warn('verdict.withdraw-failed', errorFields(error));
  });
}

const cartOf = (message: CartMessage): CartVersion => ({
  client: message.client,
  number: message.cart.number === null ? undefined : stripZeros(message.cart.number),
  guid: message.cart.guid ?? undefined,
  changedAtMs: 'source' in message ? rowChangedAtMs(message.source) : undefined,
});

/** A message that was received before ends at its verdict, without another call to anybody. */
async function earlierVerdict(
  { messageId, attempt }: ReceivedMessage,
  cart: CartKey,
  { ledger, log }: CreationDependencies,
): Promise<readonly Fault[] | undefined> {
  if (attempt === 1) return undefined;
  try {
    const verdict = await ledger.verdict(cart, messageId);
    // A provisional one means that the last receive is under way this moment, and that SQS delivered it twice.
    return verdict?.some(({ code }) => code === CRASHED.code) === true ? undefined : verdict;
  } catch (error) {
    // Trying once more is safe: the ledger guards every order, and comes to the same verdict.
    log.warn('verdict.read-failed', errorFields(error));
    return undefined;
  }
}

/** The last receive gets a provisional verdict first, so that even a crash leaves a reason behind. */
async function attempt(
  received: ReceivedMessage,
  message: CartMessage | UnreadableMessage,
  cart: CartVersion,
  dependencies: CreationDependencies,
): Promise<Outcome> {
  const { ledger, now, maximumAttempts } = dependencies;
  if (received.attempt >= maximumAttempts) {
    await ledger.recordVerdict(cart, { ...verdictKey(received, message), faults: [CRASHED], nowMs: now() });
  }
  return message instanceof UnreadableMessage
    ? invalidMessage(message)
    : tryCart(message, received, cart, dependencies);
}

/** Writes down what became of the message, for people and for its next receive. */
async function conclude(
  outcome: Outcome,
  message: Pick<Verdict, 'messageId' | 'runId'>,
  cart: CartVersion,
  { ledger, log, meter, now }: CreationDependencies,
): Promise<void> {
  switch (outcome.kind) {
    case 'done':
      break;
    case 'skipped':
      meter.count(METRICS.cartsSkipped);
      // A line of its own for each reading of the overlap would be six lines an order that say nothing new.
      if (!isDuplicateRead(outcome)) log.info('cart.skipped', { outcome: 'skipped', reason: outcome.reason });
      break;
    case 'retry':
      meter.count(METRICS.attemptsRetried);
      log.warn('cart.retry-scheduled', { outcome: 'retry', ...faultFields(outcome.faults) });
      break;
    case 'put-back':
      meter.count(METRICS.cartsRequeued);
      log.warn('cart.requeued', {
        outcome: 'put-back',
        ...faultFields(outcome.faults),
      });
      break;
    case 'refused':
      meter.count(METRICS.targetRefused);
      log.error('cart.refused', { outcome: 'refused', ...faultFields(outcome.faults) });
      break;
    case 'dead-letter':
      meter.count(METRICS.cartsDeadLettered);
      log.error('cart.dead-lettered', { outcome: 'dead-letter', ...faultFields(outcome.faults) });
      await ledger.recordVerdict(cart, { ...message, faults: outcome.faults, nowMs: now() }).catch((error: unknown) => {
        // The reason stands in the line above; without a verdict the next receive comes to the same end by itself.
        log.warn('verdict.write-failed', errorFields(error));
      });
      break;
  }
}

const CRASHED: Fault = { code: 'E_INT_CRASHED', message: 'the last attempt started and did not end' };

async function tryCart(
  message: CartMessage,
  received: ReceivedMessage,
  cart: CartVersion,
  dependencies: CreationDependencies,
): Promise<Outcome> {
  const { ledger, settings, log, meter, now } = dependencies;
  let source: unknown;
  try {
    source = await sourceOf(message, dependencies.carts);
  } catch (error) {
    if (error instanceof InterfaceError) return sourceFailure(error);
    throw error;
  }
  const today = new Date(now()).toISOString().slice(0, 10);
  const translation = translateCart(source, { client: message.client, settings, today });
  if (translation.kind === 'faulty') return { kind: 'dead-letter', faults: translation.faults };
  if (!isNamedBy(message, source, dependencies.sapClient)) return { kind: 'dead-letter', faults: [IDENTITY_MISMATCH] };
  if (translation.kind === 'skip') {
    const cancelled = translation.isCancelled ? await cancelledOrders(cart, translation.changedAtMs, [], ledger) : [];
    if (cancelled.length > 0) return { kind: 'dead-letter', faults: cancelled };
    const version = { ...cart, changedAtMs: translation.changedAtMs };
    const { reason } = translation;
    const isNew = await ledger.recordSkip(version, { reason, messageId: received.messageId, nowMs: now() });
    return { kind: 'skipped', reason, ...(isNew ? {} : { isDuplicateRead: true }) };
  }
  if (translation.unknownProperties > 0) meter.count(METRICS.unknownProperties, translation.unknownProperties);
  const groupFaults = await ordersOfDroppedLines(translation, cart, ledger);
  const outcomes: OrderOutcome[] = [];
  const warnings: Fault[] = [];
  for (const group of translation.groups) {
    if (group.kind === 'faulty') {
      groupFaults.push(...group.faults);
      continue;
    }
    const delivery = {
      order: group.order,
      body: group.body,
      cart,
      changedAtMs: translation.changedAtMs,
      messageId: received.messageId,
      isFirstReceive: received.attempt === 1,
      attemptId: dependencies.newId(),
      correlationId: message.correlationId,
      onlyIfNeverSent: translation.onlyIfNeverSent,
    };
    const outcome = await deliverOrder(delivery, dependencies);
    outcomes.push(outcome);
    if (!isDuplicateRead(outcome)) warnings.push(...group.warnings);
  }
  if (message.origin === 'reconciliation') auditRecovery(outcomes, log, meter);
  const outcome = combineOutcomes(outcomes, groupFaults);
  if (!isDuplicateRead(outcome)) audit(translation, warnings, log);
  return outcome;
}

type TranslatedCart = Extract<CartTranslation, { kind: 'orders' }>;

/** What is worth knowing of a translation, in one line however many orders it has (edge cases 14, 85). */
function audit({ warnings, droppedLines }: TranslatedCart, ofOrders: readonly Fault[], log: Log): void {
  const all = [...warnings, ...ofOrders];
  if (all.length === 0 && droppedLines === 0) return;
  const fields = { ...(droppedLines === 0 ? {} : { droppedLines }), ...faultFields(all) };
  if (ofOrders.length > 0) log.warn('cart.translated-with-warnings', fields);
  else log.info('cart.translated', fields);
}

/** Only an order that is made now was missing: whatever exists already came by itself. */
function auditRecovery(outcomes: readonly OrderOutcome[], log: Log, meter: Meter): void {
  if (!outcomes.some((outcome) => outcome.kind === 'created' && !outcome.recovered)) return;
  meter.count(METRICS.cartsRecovered);
  log.warn('cart.recovered');
}

/** Edge case 18, for a part of a cart: an order of which no line is left. */
async function ordersOfDroppedLines(translation: TranslatedCart, cart: CartKey, ledger: Ledger): Promise<Fault[]> {
  if (translation.droppedLines === 0) return [];
  const current = translation.groups.map((group) =>
    group.kind === 'order' ? group.order.externalId : group.externalId,
  );
  return cancelledOrders(cart, translation.changedAtMs, current, ledger);
}

const IDENTITY_MISMATCH: Fault = {
  code: 'E_INT_MESSAGE',
  message: 'the queue message names another cart than it carries',
};

/** Whoever is not who the message says would be ordered beside its own place in the ledger, and so perhaps twice. */
function isNamedBy({ client, cart }: CartMessage, source: unknown, sapClient: string): boolean {
  return client === sapClient && stripZeros(cartNumberOf(source) ?? '') === stripZeros(cart.number ?? '');
}

/** Orders that were created of an earlier version of the cart, and that its present version has no place for. */
async function cancelledOrders(
  cart: CartKey,
  changedAtMs: number,
  current: readonly (string | undefined)[],
  ledger: Ledger,
): Promise<Fault[]> {
  const created = await ledger.createdOrders(cart);
  return created
    .filter((order) => order.changedAtMs < changedAtMs && !current.includes(order.externalId))
    .map(({ externalId, orderNumber }) => ({
      code: 'E_CART_CANCELLED_AFTER_SEND',
      message: `the order was created as ${orderNumber ?? externalId}, and the cart has nothing left for it`,
    }));
}

/** The row itself; or read again from SRM, for a cart that was too large to queue or came without its parts (edge case 84). */
async function sourceOf(message: CartMessage, carts: Pick<SrmCarts, 'cart'>): Promise<unknown> {
  if ('source' in message && !isDeferred(message.source)) return message.source;
  const guid = 'claim' in message ? message.claim.guid : message.cart.guid;
  if (guid === null) {
    const what = 'claim' in message ? 'is too large for the queue' : 'came without its parts';
    const fault = {
      code: 'E_SRC_SCHEMA',
      message: `the cart ${what} and has no readable Guid`,
      path: '$.Guid',
    } as const;
    throw new InterfaceError('permanent', fault);
  }
  const source = await carts.cart(guid, message.correlationId);
  if (source !== undefined) return source;
  const fault = {
    code: 'E_SRC_SCHEMA',
    message: 'SRM does not find the cart by its Guid',
    path: '$.Guid',
    value: guid,
  } as const;
  throw new InterfaceError('permanent', fault);
}

function sourceFailure({ failureClass, fault, retryAfterMs }: InterfaceError): Outcome {
  if (failureClass === 'refused') return { kind: 'refused', faults: [fault], isForbidden: false };
  if (failureClass === 'permanent') return { kind: 'dead-letter', faults: [fault] };
  return { kind: 'retry', faults: [fault], afterMs: retryAfterMs };
}

function readMessage(body: string): CartMessage | UnreadableMessage {
  try {
    return readCartMessage(body);
  } catch (error) {
    if (error instanceof UnreadableMessage) return error;
    throw error;
  }
}

const invalidMessage = (error: UnreadableMessage): Outcome => ({
  kind: 'dead-letter',
  faults: [{ code: 'E_INT_MESSAGE', message: `the queue message ${error.message}` }],
});

/**
 * AWS's errors are named by their service; anything else is a defect, and so is a write that DynamoDB finds invalid.
 * Neither message is quoted: it may hold data.
 */
function toUnexpectedFault(error: unknown): Fault {
  const name = error instanceof Error ? error.name : typeof error;
  const isAws = typeof error === 'object' && error !== null && '$metadata' in error && name !== 'ValidationException';
  return isAws || name === 'TimeoutError' || name === 'AggregateError'
    ? { code: 'E_INT_LEDGER', message: `the ledger did not answer (${name})` }
    : { code: 'E_INT_UNEXPECTED', message: `unforeseen ${name}` };
}

const faultFields = (faults: readonly Fault[]) => ({
  codes: [...new Set(faults.map(({ code }) => code))],
  reasons: faults
    .slice(0, 10)
    .map(({ code, message, path }) => `${code}: ${message}${path === undefined ? '' : ` at ${path}`}`),
});

function logOf(message: CartMessage | UnreadableMessage, cart: CartKey, received: ReceivedMessage, log: Log): Log {
  const common = { messageId: received.messageId, attempt: received.attempt };
  if (message instanceof UnreadableMessage) return log.with(common);
  return log.with({
    ...common,
    cartNumber: cart.number,
    cartGuid: message.cart.guid ?? undefined,
    runId: message.runId,
    correlationId: message.correlationId,
  });
}
