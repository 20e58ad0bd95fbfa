/**
 * Idempotent Receiver: creates one order in 11VMS, at most once. The ledger is written before the first byte of a
 * create is sent and after its answer is read. When the outcome of an earlier create is open, the order is looked up
 * before it is posted again (rules.md, "Delivering once").
 */
import type { Fault } from '../../../shared/failure.ts';
import type { ClaimResult, Ledger, OrderClaim } from '../../../shared/ledger.ts';
import type { Log, Meter } from '../../../shared/log.ts';
import { METRICS } from '../../../shared/metric-names.ts';
import type { OrderOutcome, Retry } from '../outcome.ts';
import { contentHash, differences, idempotencyKey } from '../translation/order-content.ts';
import type { PurchaseOrder } from '../translation/purchase-order.ts';
import { createdTooMany, perhapsTooMany } from './after-send.ts';
import type { CreateAnswer, Health, LookUpResult } from './answers.ts';
import type { StoredOrder } from './stored-order.ts';
import type { VmsOrders } from './vms-orders.ts';

export interface DeliveryDependencies {
  readonly ledger: Ledger;
  readonly orders: VmsOrders;
  readonly log: Log;
  readonly meter: Meter;
  readonly now: () => number;
  /** No create is sent later, so that its answer can still be read, looked up and recorded. */
  readonly deadlineMs: number;
  /** No look-up is sent later: one call after the last create, whose outcome it may have to determine. */
  readonly lookUpDeadlineMs: number;
  readonly leaseMs: number;
  /** How long an order is left alone after a create without an answer: the request may still be on its way. */
  readonly quietMs: number;
}

export interface OrderDelivery {
  readonly order: PurchaseOrder;
  /** The order as 11VMS takes it, as canonical JSON. */
  readonly body: string;
  readonly cart: OrderClaim['cart'];
  readonly changedAtMs: number;
  readonly ordersOfCart: number;
  readonly messageId: string;
  readonly receive: number;
  readonly attemptId: string;
  readonly correlationId: string;
  /** A completed cart: an order that exists is left as it is, whatever the cart says now. */
  readonly onlyIfNeverSent: boolean;
  /** What the ledger holds of the order in other versions of the cart. */
  readonly history: () => Promise<OrderHistory>;
}

export interface OrderHistory {
  /** Why this version of the cart may not create an order. */
  readonly obstacle: Obstacle | undefined;
  /** A person has cancelled the order. Where it exists, only a person can restore it. */
  readonly toRestore: Fault | undefined;
  /** Since the version of the order, a dead letter asked a person to change it: it may not have the content that was sent. */
  readonly mayBeCorrected: boolean;
}

/** How an order ends that is not posted. `outdated`: a later version of the cart is known. */
export interface Obstacle {
  readonly kind: 'outdated' | 'held';
  readonly ending: OrderOutcome;
  /** Where 11VMS holds the order: it is not decided yet whether the newest version has it, too. */
  readonly whenHeld?: Retry | undefined;
}

/** @throws the SDK's error when the ledger does not answer: the message is then received again. */
export async function deliverOrder(delivery: OrderDelivery, dependencies: DeliveryDependencies): Promise<OrderOutcome> {
  const { order, cart, changedAtMs, ordersOfCart, messageId, receive, attemptId } = delivery;
  const { ledger, now, leaseMs } = dependencies;
  const claim: OrderClaim = {
    cart,
    externalId: order.externalId,
    contentHash: contentHash(order),
    changedAtMs,
    ordersOfCart,
    messageId,
    receive,
    attemptId,
    nowMs: now(),
    leaseMs,
  };
  const result = await ledger.claim(claim);
  if (result.kind !== 'claimed') return endWithoutClaim(result, delivery, claim, dependencies);
  const attempt: ClaimedAttempt = { ...dependencies, delivery, claim, claimedHashes: result.claimedHashes };
  // Of two versions that are under way at once, each writes before it reads: one of them sees the other.
  const { obstacle, toRestore } = await delivery.history();
  const found = result.lookUpFirst ? await lookUpAndEnd(attempt, { ...EARLIER_ATTEMPT, whenFound: toRestore }) : 'post';
  if (found === 'post')
    return obstacle === undefined ? post(attempt, result.lookUpFirst) : endUnposted(claim, obstacle, ledger);
  return obstacle?.kind === 'outdated' ? outdatedButHeld(found, claim, obstacle) : found;
}

/** 11VMS does not hold the order, and nothing of it is on its way. */
async function endUnposted(claim: OrderClaim, { ending }: Obstacle, ledger: Ledger): Promise<OrderOutcome> {
  await ledger.released(claim, 'faults' in ending ? ending.faults[0] : undefined);
  return ending;
}

/** 11VMS holds the order, and the later version may have been decided before this was known: so this attempt reports it. */
function outdatedButHeld(found: OrderOutcome, { externalId }: OrderClaim, { whenHeld }: Obstacle): OrderOutcome {
  switch (found.kind) {
    case 'created':
      return whenHeld ?? { kind: 'rejected', faults: [createdTooMany(found.orderNumber ?? externalId)] };
    case 'rejected':
      return whenHeld ?? { kind: 'rejected', faults: [...found.faults, perhapsTooMany(externalId)] };
    default:
      return found;
  }
}

/** An attempt that holds the claim. Before it ends, it records in the ledger what is known. */
interface ClaimedAttempt extends DeliveryDependencies {
  readonly delivery: OrderDelivery;
  readonly claim: OrderClaim;
  /** The contents that 11VMS may hold from this attempt or an earlier one. */
  readonly claimedHashes: ReadonlySet<string>;
}

/**
 * Posts the order, and again after each throttled answer while there is time.
 * @param mayExist 11VMS may hold the order, created by an earlier attempt.
 */
async function post(attempt: ClaimedAttempt, mayExist: boolean): Promise<OrderOutcome> {
  const { orders, log, meter, deadlineMs, claim, ledger } = attempt;
  const { order, body, correlationId } = attempt.delivery;
  const request = {
    externalId: order.externalId,
    body,
    idempotencyKey: idempotencyKey(order, body),
    correlationId,
  };
  for (;;) {
    const answer = await orders.create(request, deadlineMs);
    switch (answer.kind) {
      case 'created':
        return recordCreated(attempt, answer, 'order.created');
      case 'throttled':
        break;
      case 'rejected':
        await ledger.rejected(claim, answer.faults, mayExist || answer.mayBeTaken);
        return { kind: 'rejected', faults: answer.faults };
      case 'not-taken':
        if (answer.health === 'forbidden') {
          return endWithoutPosting(await lookUpAndEnd(attempt, forbidden(answer, mayExist)));
        }
        return endRetry(attempt, { ...answer, mayExist });
      case 'conflict':
        return endWithoutPosting(await lookUpAndEnd(attempt, conflict(answer)));
      case 'unknown':
        meter.count(METRICS.outcomesUnknown);
        log.warn('order.outcome-unknown', { codes: [answer.fault.code], reason: answer.fault.message });
        return endWithoutPosting(await lookUpAndEnd(attempt, unclearAnswer(answer)));
    }
  }
}

const retry = (faults: readonly Fault[], health: Health, afterMs: number | undefined): Retry => ({
  kind: 'retry',
  faults,
  afterMs,
  cause: { system: '11VMS', health },
});

/**
 * Why an order is looked up while its claim is held. Together with the result, it decides the ending:
 *
 * | why             | found   | absent                             | unanswered                        | impossible |
 * |-----------------|---------|------------------------------------|-----------------------------------|------------|
 * | EARLIER_ATTEMPT | compare | post                               | retry, for the health of look-ups | rejected   |
 * | conflict        | compare | rejected, or retry with its faults | retry, for the health of look-ups | rejected   |
 * | unclearAnswer   | compare | retry with its fault               | retry, for the health of creates  | rejected   |
 * | forbidden       | compare | retry with its fault               | retry, for the health of creates  | as absent  |
 *
 * A refused look-up is a refusal whatever the reason for it was. An order that a person has cancelled is rejected when found.
 */
interface LookUpReason {
  readonly openOutcome: string;
  readonly whenAbsent:
    | 'post'
    | { readonly kind: 'rejected'; readonly faults: readonly Fault[] }
    | ({ readonly kind: 'retry' } & RetryEnding);
  /** By default, the order that is found is compared. */
  readonly whenFound?: Fault | undefined;
  /** By default, only a person can find out whether the order exists. */
  readonly whenImpossible?: RetryEnding;
  /** The health that this attempt's own create has shown. */
  readonly health?: Health;
}

interface RetryEnding {
  readonly fault: Fault;
  readonly health: Health;
  readonly retryAfterMs: number | undefined;
  /** 11VMS may hold the order, or it may still be on its way. */
  readonly mayExist: boolean;
}

const EARLIER_ATTEMPT: LookUpReason = {
  openOutcome: 'the outcome of an earlier attempt is not known',
  whenAbsent: 'post',
};

/** 409: 11VMS says that something of the order exists. */
const conflict = ({ fault, rejection }: Extract<CreateAnswer, { kind: 'conflict' }>): LookUpReason => ({
  openOutcome: 'the outcome of an earlier attempt is not known',
  whenAbsent:
    rejection === undefined
      ? { kind: 'retry', fault, health: 'unhealthy', retryAfterMs: undefined, mayExist: true }
      : { kind: 'rejected', faults: rejection },
});

/** This attempt's create may have been taken. It is not posted again even when absent: it may still be on its way. */
const unclearAnswer = (answer: Extract<CreateAnswer, { kind: 'unknown' }>): LookUpReason => ({
  openOutcome: answer.fault.message,
  whenAbsent: { ...answer, kind: 'retry', mayExist: true },
  health: answer.health,
});

/**
 * What refuses the create may as well refuse only its answer: then the order exists, and an order by hand would double it.
 * And a look-up that is refused, too, shows at once that no text of the order is the cause.
 */
const forbidden = (answer: Extract<CreateAnswer, { kind: 'not-taken' }>, mayExist: boolean): LookUpReason => {
  const { fault, health } = answer;
  const notHeld = { ...fault, message: `${fault.message}; 11VMS does not hold the order` };
  return {
    openOutcome: fault.message,
    // 11VMS may find an order only some time after it took it.
    whenAbsent: { ...answer, kind: 'retry', fault: notHeld, mayExist: true },
    whenImpossible: { ...answer, mayExist },
    health,
  };
};

/** The table above. `post`: 11VMS does not hold the order, and nothing of it is on its way. */
async function lookUpAndEnd(attempt: ClaimedAttempt, why: LookUpReason): Promise<OrderOutcome | 'post'> {
  const result = await lookUp(attempt.delivery, attempt);
  switch (result.kind) {
    case 'found':
      return why.whenFound === undefined ? endFound(attempt, result.stored) : endRejected(attempt, [why.whenFound]);
    case 'absent': {
      const ending = why.whenAbsent;
      if (ending === 'post') return 'post';
      if (ending.kind === 'retry') return endRetry(attempt, ending);
      return endRejected(attempt, ending.faults);
    }
    case 'impossible': {
      if (why.whenImpossible !== undefined) return endRetry(attempt, why.whenImpossible);
      const unclear = unclearFault(why, result.fault);
      await recordOpen(attempt, unclear);
      return { kind: 'rejected', faults: [unclear] };
    }
    case 'unanswered': {
      const { fault, health, retryAfterMs } = result;
      const unclear = unclearFault(why, fault);
      await recordOpen(attempt, unclear);
      const afterMs = afterRest(attempt, retryAfterMs);
      if (health === 'refused' || health === 'forbidden') return retry([fault, unclear], health, afterMs);
      const refusal = why.whenImpossible === undefined ? [] : [why.whenImpossible.fault];
      return retry([...refusal, unclear], why.health ?? health, afterMs);
    }
  }
}

const unclearFault = ({ openOutcome }: LookUpReason, { message }: Fault): Fault => ({
  code: 'E_TGT_TIMEOUT_UNKNOWN',
  message: `${openOutcome}, and the look-up failed: ${message}`,
});

async function endRetry(
  attempt: ClaimedAttempt,
  { fault, health, retryAfterMs, mayExist }: RetryEnding,
): Promise<Retry> {
  if (!mayExist) {
    await attempt.ledger.released(attempt.claim, fault);
    return retry([fault], health, retryAfterMs);
  }
  await recordOpen(attempt, fault);
  return retry([fault], health, afterRest(attempt, retryAfterMs));
}

/** Only {@link EARLIER_ATTEMPT} lets an attempt post. */
function endWithoutPosting(ending: OrderOutcome | 'post'): OrderOutcome {
  if (ending === 'post') throw new Error('a look-up after an unclear answer must not lead to a second create');
  return ending;
}

type LookUpEnding = Exclude<LookUpResult, { kind: 'throttled' }>;

/** Looks the order up, and again after each throttled answer while there is time. */
async function lookUp(
  { order, correlationId }: OrderDelivery,
  { orders, lookUpDeadlineMs }: DeliveryDependencies,
): Promise<LookUpEnding> {
  for (;;) {
    const result = await orders.lookUp(order.externalId, correlationId, lookUpDeadlineMs);
    if (result.kind !== 'throttled') return result;
  }
}

/** 11VMS holds an order under our externalId. */
async function endFound(attempt: ClaimedAttempt, stored: StoredOrder): Promise<OrderOutcome> {
  const { delivery, claimedHashes } = attempt;
  // The same, or approved again, while the earlier outcome was open, without a change to its order.
  const isSame = stored.order !== undefined && differences(stored.order, delivery.order).length === 0;
  if (isSame) return recordCreated(attempt, stored, 'order.recovered');
  const isOurEarlierVersion = stored.order !== undefined && claimedHashes.has(contentHash(stored.order));
  return endRejected(attempt, [differentFault(stored, delivery.order, isOurEarlierVersion)]);
}

/** The order may exist nevertheless. */
async function endRejected({ ledger, claim }: ClaimedAttempt, faults: readonly Fault[]): Promise<OrderOutcome> {
  await ledger.rejected(claim, faults, true);
  return { kind: 'rejected', faults };
}

/** 11VMS holds the order with other content than ours (edge cases 17, 63). */
function differentFault(stored: StoredOrder, order: PurchaseOrder, isOurEarlierVersion: boolean): Fault {
  const name = stored.number ?? stored.id;
  if (stored.order === undefined) {
    const message = `11VMS holds the order as ${name}; its content cannot be compared`;
    return { code: 'E_TGT_RESPONSE_SCHEMA', message };
  }
  const changed = differences(stored.order, order).slice(0, 20).join(', ');
  return isOurEarlierVersion
    ? {
        code: 'E_CART_CHANGED_AFTER_SEND',
        message: `created as ${name} from an earlier version; different now: ${changed}`,
      }
    : { code: 'E_TGT_DUPLICATE_DIFFERENT', message: `11VMS holds ${name} with other content: ${changed}` };
}

async function recordCreated(
  { ledger, log, meter, now, claim }: ClaimedAttempt,
  { id, number }: { readonly id: string; readonly number: string | undefined },
  event: 'order.created' | 'order.recovered',
): Promise<OrderOutcome> {
  const recovered = event === 'order.recovered';
  await ledger.created(claim, { id, number }, now());
  meter.count(recovered ? METRICS.ordersRecovered : METRICS.ordersCreated);
  meter.milliseconds(METRICS.approvalToOrder, Math.max(0, now() - claim.changedAtMs));
  log.info(event, { externalId: claim.externalId, orderId: id, orderNumber: number });
  return { kind: 'created', orderId: id, orderNumber: number, recovered };
}

const recordOpen = ({ ledger, claim, now, quietMs }: ClaimedAttempt, fault: Fault): Promise<void> =>
  ledger.unknown(claim, fault, now() + quietMs);

/** The message's own next attempt must not find the order at rest. */
const afterRest = ({ quietMs }: ClaimedAttempt, retryAfterMs = 0): number => Math.max(quietMs, retryAfterMs);

/** Ends an attempt to which the ledger did not give the claim. */
async function endWithoutClaim(
  result: Exclude<ClaimResult, { kind: 'claimed' }>,
  delivery: OrderDelivery,
  claim: OrderClaim,
  dependencies: DeliveryDependencies,
): Promise<OrderOutcome> {
  switch (result.kind) {
    case 'held': {
      const fault = { code: 'E_INT_IN_PROGRESS', message: 'an attempt at this order is under way' } as const;
      return { kind: 'retry', faults: [fault], afterMs: Math.max(0, result.untilMs - claim.nowMs), cause: undefined };
    }
    case 'superseded':
      return { kind: 'skipped', reason: 'superseded: a newer version of the cart is known' };
    case 'rejected':
      return { kind: 'rejected', faults: result.faults };
    case 'created': {
      const { order } = result;
      const isSettled = delivery.onlyIfNeverSent || order.changedAtMs >= claim.changedAtMs;
      const history = isSettled ? undefined : await delivery.history();
      if (history?.toRestore !== undefined) return { kind: 'rejected', faults: [history.toRestore] };
      const isAsSent = order.contentHash === claim.contentHash && history?.mayBeCorrected !== true;
      if (isSettled || isAsSent) {
        // Its content in 11VMS was not looked at: it stays the one that is known.
        const { contentHash } = order;
        const isNewer = order.changedAtMs < claim.changedAtMs;
        // After a change of the settings, the same version may have more or fewer orders.
        const isResized = order.changedAtMs === claim.changedAtMs && order.ordersOfCart !== claim.ordersOfCart;
        if (isNewer || isResized) await dependencies.ledger.confirmed({ ...claim, contentHash });
        return { kind: 'skipped', reason: `already created as ${order.orderNumber ?? order.orderId ?? 'an order'}` };
      }
      const outcome = await compareAfterSend(delivery, dependencies);
      if (outcome.kind === 'skipped') await dependencies.ledger.confirmed(claim);
      return outcome;
    }
  }
}

/**
 * Edge case 17: V1 only creates. The ledger holds no content but its hash, so 11VMS is asked what it holds: a person may
 * have corrected the order.
 */
async function compareAfterSend(delivery: OrderDelivery, dependencies: DeliveryDependencies): Promise<OrderOutcome> {
  const result = await lookUp(delivery, dependencies);
  if (result.kind === 'unanswered') return retry([result.fault], result.health, result.retryAfterMs);
  const stored = result.kind === 'found' ? result.stored.order : undefined;
  if (stored === undefined) {
    return changedAfterSend(`the order was created from an earlier version of the cart; ${DOUBTS[result.kind]}`);
  }
  const changed = differences(stored, delivery.order);
  if (changed.length === 0)
    return { kind: 'skipped', reason: 'the order in 11VMS has the content of the cart already' };
  const fields = changed.slice(0, 20).join(', ');
  return changedAfterSend(`the order was created from an earlier version; different now: ${fields}`);
}

/** Why the difference is not known. */
const DOUBTS = {
  impossible: '11VMS has no look-up, so that the difference is unknown',
  absent: '11VMS does not hold it any more',
  found: 'its content in 11VMS cannot be compared',
} as const;

const changedAfterSend = (message: string): OrderOutcome => ({
  kind: 'rejected',
  faults: [{ code: 'E_CART_CHANGED_AFTER_SEND', message }],
});
