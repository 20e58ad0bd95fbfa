/**
 * Idempotent Receiver: creates one order in 11VMS, at most once. The ledger is written before the first byte of a
 * create is sent and after its answer is read. When the outcome of an earlier create is open, the order is looked up
 * before it is posted again (rules.md, "Delivering once").
 */
import type { Fault } from '../../../shared/failure.ts';
import type { ClaimResult, Ledger, OrderClaim, OrderItem } from '../../../shared/ledger.ts';
import type { Log, Meter } from '../../../shared/log.ts';
import { METRICS } from '../../../shared/metric-names.ts';
import type { OrderOutcome } from '../outcome.ts';
import { canonicalBody, contentHash, differences, idempotencyKey } from '../translation/order-content.ts';
import type { PurchaseOrder } from '../translation/purchase-order.ts';
import type { Pacer } from './pacer.ts';
import type { LookUpResult, StoredOrder, VmsOrders } from './vms-orders.ts';

export interface DeliveryDependencies {
  readonly ledger: Ledger;
  readonly orders: VmsOrders;
  readonly pacer: Pacer;
  readonly log: Log;
  readonly meter: Meter;
  readonly now: () => number;
  /** No create starts later, so that its answer can still be read, looked up and recorded. */
  readonly deadlineMs: number;
  /** No look-up starts later: one call after the last create, whose outcome it may have to determine. */
  readonly lookUpDeadlineMs: number;
  readonly leaseMs: number;
  /** How long an order is left alone after a create without an answer: the request may still be on its way. */
  readonly quietMs: number;
}

export interface OrderDelivery {
  readonly order: PurchaseOrder;
  /** The order as canonical JSON. */
  readonly body: string;
  readonly cart: OrderClaim['cart'];
  readonly changedAtMs: number;
  readonly messageId: string;
  readonly isFirstReceive: boolean;
  readonly attemptId: string;
  readonly correlationId: string;
  /** A completed cart: an order that exists is left as it is, whatever the cart says now. */
  readonly onlyIfNeverSent: boolean;
}

/** @throws the SDK's error when the ledger does not answer: the message is then received again. */
export async function deliverOrder(delivery: OrderDelivery, dependencies: DeliveryDependencies): Promise<OrderOutcome> {
  const { order, body, cart, changedAtMs, messageId, attemptId } = delivery;
  const { ledger, now, leaseMs } = dependencies;
  const claim: OrderClaim = {
    cart,
    externalId: order.externalId,
    contentHash: contentHash(body),
    changedAtMs,
    messageId,
    attemptId,
    nowMs: now(),
    leaseMs,
  };
  const result = await ledger.claim(claim);
  if (result.kind !== 'claimed') return endWithoutClaim(result, delivery, claim, dependencies);
  const attempt: ClaimedAttempt = { ...dependencies, delivery, claim, before: result.before };
  const found = result.lookUpFirst ? await lookUpAndEnd(attempt, EARLIER_ATTEMPT) : 'post';
  return found === 'post' ? post(attempt, result.lookUpFirst) : found;
}

/** An attempt that holds the claim. Before it ends, it records in the ledger what is known. */
interface ClaimedAttempt extends DeliveryDependencies {
  readonly delivery: OrderDelivery;
  readonly claim: OrderClaim;
  /** What an earlier attempt left in the ledger. */
  readonly before: OrderItem | undefined;
}

/** Posts the order, and again after each throttled answer while there is time. */
async function post(attempt: ClaimedAttempt, mayExistBefore: boolean): Promise<OrderOutcome> {
  const { orders, pacer, log, meter, deadlineMs, claim, ledger } = attempt;
  const { order, body, correlationId } = attempt.delivery;
  const request = {
    externalId: order.externalId,
    body,
    idempotencyKey: idempotencyKey(order, claim.contentHash),
    correlationId,
  };
  /** 11VMS may hold the order, created by an earlier attempt or by this one. */
  let mayExist = mayExistBefore;
  let throttled: Fault = { code: 'E_TGT_THROTTLED', message: '11VMS is throttling; no turn before the time was up' };
  let throttledForMs = 0;
  while (await pacer.turn(deadlineMs)) {
    const answer = await orders.create(request);
    switch (answer.kind) {
      case 'created':
        pacer.succeeded();
        return recordCreated(attempt, answer, 'order.created');
      case 'throttled': {
        meter.count(METRICS.targetThrottled);
        pacer.throttled(answer.retryAfterMs);
        throttled = answer.fault;
        throttledForMs = answer.retryAfterMs ?? 0;
        if (!answer.mayBeTaken) break;
        mayExist = true;
        const ending = await lookUpAndEnd(attempt, EARLIER_ATTEMPT);
        if (ending !== 'post') return ending;
        break;
      }
      case 'rejected':
        await ledger.rejected(claim, answer.faults, mayExist);
        return { kind: 'rejected', faults: answer.faults };
      case 'refused':
        await recordOpenOrReleased(attempt, answer.fault, mayExist);
        return answer;
      case 'not-taken':
        return scheduleRetry(attempt, answer.fault, mayExist, answer.retryAfterMs);
      case 'exists':
        return endWithoutPosting(await lookUpAndEnd(attempt, ALREADY_EXISTS));
      case 'unknown':
        meter.count(METRICS.outcomesUnknown);
        log.warn('order.outcome-unknown', { codes: [answer.fault.code], reason: answer.fault.message });
        return endWithoutPosting(await lookUpAndEnd(attempt, unclearAnswer(answer.fault, answer.retryAfterMs)));
    }
  }
  // A cart that only waited behind a throttled neighbour must not use up a receive before the pause is over.
  return scheduleRetry(attempt, throttled, mayExist, Math.max(throttledForMs, pacer.pausedForMs()));
}

/**
 * Why an order is looked up while its claim is held. Together with the result, it decides the ending:
 *
 * | why             | found   | absent                         | throttled           | refused | failed            | impossible |
 * |-----------------|---------|--------------------------------|---------------------|---------|-------------------|------------|
 * | EARLIER_ATTEMPT | compare | post                           | retry, as throttled | refused | retry, as unclear | rejected   |
 * | ALREADY_EXISTS  | compare | retry, E_TGT_RESPONSE_SCHEMA   | retry, as throttled | refused | retry, as unclear | rejected   |
 * | unclearAnswer   | compare | retry, with the create's fault | retry, as unclear   | refused | retry, as unclear | rejected   |
 *
 * "As unclear" is E_TGT_TIMEOUT_UNKNOWN, which counts against the cart or 11VMS. A throttled look-up counts against
 * neither, unless a create of the same attempt is open.
 */
interface LookUpReason {
  readonly openOutcome: string;
  readonly whenAbsent: 'post' | { readonly fault: Fault; readonly retryAfterMs: number | undefined };
  readonly whenThrottled: 'as throttled' | 'as unclear';
}

const EARLIER_ATTEMPT: LookUpReason = {
  openOutcome: 'the outcome of an earlier attempt is not known',
  whenAbsent: 'post',
  whenThrottled: 'as throttled',
};

/** 409: 11VMS says that the order exists. */
const ALREADY_EXISTS: LookUpReason = {
  openOutcome: 'the outcome of an earlier attempt is not known',
  whenAbsent: {
    fault: { code: 'E_TGT_RESPONSE_SCHEMA', message: '11VMS says the order exists, and does not find it' },
    retryAfterMs: undefined,
  },
  whenThrottled: 'as throttled',
};

/** This attempt's create may have been taken. It is not posted again even when absent: it may still be on its way. */
const unclearAnswer = (fault: Fault, retryAfterMs: number | undefined): LookUpReason => ({
  openOutcome: fault.message,
  whenAbsent: { fault, retryAfterMs },
  whenThrottled: 'as unclear',
});

/** The table above. `post`: 11VMS does not hold the order, and nothing of it is on its way. */
async function lookUpAndEnd(attempt: ClaimedAttempt, why: LookUpReason): Promise<OrderOutcome | 'post'> {
  const result = await lookUpInTurn(attempt.delivery, attempt);
  switch (result.kind) {
    case 'found':
      return endFound(attempt, result.stored);
    case 'absent':
      if (why.whenAbsent === 'post') return 'post';
      return scheduleRetry(attempt, why.whenAbsent.fault, true, why.whenAbsent.retryAfterMs);
    case 'impossible':
    case 'unanswered': {
      const message = `${why.openOutcome}, and the look-up failed: ${result.fault.message}`;
      const unclear: Fault = { code: 'E_TGT_TIMEOUT_UNKNOWN', message };
      await recordOpen(attempt, unclear);
      // Only a person can find out whether the order exists.
      if (result.kind === 'impossible') return { kind: 'rejected', faults: [unclear] };
      const ending = unansweredOutcome(result);
      const isCartBlamed =
        result.reason === 'failed' || (result.reason === 'throttled' && why.whenThrottled === 'as unclear');
      return isCartBlamed ? { ...ending, fault: unclear } : { ...ending, unknown: unclear };
    }
  }
}

/** Only {@link EARLIER_ATTEMPT} lets an attempt post. */
function endWithoutPosting(ending: OrderOutcome | 'post'): OrderOutcome {
  if (ending === 'post') throw new Error('a look-up after an unclear answer must not lead to a second create');
  return ending;
}

/** Looks the order up at the common pace of all calls. A throttled look-up waits and is repeated, as a create is. */
async function lookUpInTurn(
  { order, correlationId }: OrderDelivery,
  { orders, pacer, meter, lookUpDeadlineMs }: DeliveryDependencies,
): Promise<LookUpResult> {
  let fault: Fault = { code: 'E_TGT_THROTTLED', message: '11VMS was slow: no time is left for a look-up' };
  while (await pacer.turn(lookUpDeadlineMs)) {
    const result = await orders.lookUp(order.externalId, correlationId);
    if (result.kind !== 'unanswered' || result.reason !== 'throttled') return result;
    meter.count(METRICS.targetThrottled);
    pacer.throttled(result.retryAfterMs);
    ({ fault } = result);
  }
  return { kind: 'unanswered', reason: 'throttled', fault, retryAfterMs: pacer.pausedForMs() };
}

const unansweredOutcome = ({
  reason,
  fault,
  retryAfterMs,
}: Extract<LookUpResult, { kind: 'unanswered' }>): Extract<OrderOutcome, { kind: 'retry' | 'refused' }> =>
  reason === 'refused'
    ? { kind: 'refused', fault, isForbidden: false }
    : { kind: 'retry', fault, afterMs: retryAfterMs };

/** 11VMS holds an order under our externalId. */
async function endFound(attempt: ClaimedAttempt, stored: StoredOrder): Promise<OrderOutcome> {
  const { ledger, claim, delivery, before } = attempt;
  const storedHash = stored.order === undefined ? undefined : contentHash(canonicalBody(stored.order));
  const isSame =
    storedHash === claim.contentHash ||
    // Approved again, while the earlier outcome was open, without a change to its order.
    (stored.order !== undefined && differences(stored.order, delivery.order).length === 0);
  if (isSame) return recordCreated(attempt, stored, 'order.recovered');
  const isOurEarlierVersion = storedHash === before?.contentHash;
  const faults = [differentFault(stored, delivery.order, isOurEarlierVersion)];
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
  await ledger.created(claim, { id, number });
  meter.count(recovered ? METRICS.ordersRecovered : METRICS.ordersCreated);
  meter.milliseconds(METRICS.approvalToOrder, Math.max(0, now() - claim.changedAtMs));
  log.info(event, { externalId: claim.externalId, orderId: id, orderNumber: number });
  return { kind: 'created', orderId: id, orderNumber: number, recovered };
}

async function scheduleRetry(
  attempt: ClaimedAttempt,
  fault: Fault,
  mayExist: boolean,
  retryAfterMs: number | undefined,
): Promise<OrderOutcome> {
  await recordOpenOrReleased(attempt, fault, mayExist);
  return { kind: 'retry', fault, afterMs: retryAfterMs };
}

const recordOpenOrReleased = (attempt: ClaimedAttempt, fault: Fault, mayExist: boolean): Promise<void> =>
  mayExist ? recordOpen(attempt, fault) : attempt.ledger.released(attempt.claim, fault);

const recordOpen = ({ ledger, claim, now, quietMs }: ClaimedAttempt, fault: Fault): Promise<void> =>
  ledger.unknown(claim, fault, now() + quietMs);

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
      return { kind: 'retry', fault, afterMs: Math.max(0, result.untilMs - claim.nowMs) };
    }
    case 'superseded':
      return { kind: 'skipped', reason: 'superseded: a newer version of the cart is known' };
    case 'rejected':
      return { kind: 'rejected', faults: result.faults };
    case 'created': {
      const { order } = result;
      const isSettled = delivery.onlyIfNeverSent || order.changedAtMs >= claim.changedAtMs;
      if (isSettled || order.contentHash === claim.contentHash) {
        if (order.changedAtMs < claim.changedAtMs) await dependencies.ledger.confirmed(claim);
        const reason = `already created as ${order.orderNumber ?? order.orderId ?? 'an order'}`;
        // A later receive of the same message, perhaps after a crash, is no duplicate read: its order may be unreported.
        const isDuplicateRead = order.changedAtMs === claim.changedAtMs && delivery.isFirstReceive;
        return { kind: 'skipped', reason, ...(isDuplicateRead ? { isDuplicateRead } : {}) };
      }
      const outcome = await compareAfterSend(delivery, dependencies);
      if (outcome.kind === 'skipped') await dependencies.ledger.confirmed(claim);
      return outcome;
    }
  }
}

/** Edge case 17: V1 only creates. The ledger holds no content, so the order is compared with what 11VMS holds. */
async function compareAfterSend(delivery: OrderDelivery, dependencies: DeliveryDependencies): Promise<OrderOutcome> {
  const result = await lookUpInTurn(delivery, dependencies);
  if (result.kind === 'unanswered') return unansweredOutcome(result);
  const stored = result.kind === 'found' ? result.stored.order : undefined;
  if (stored === undefined) {
    const doubt = result.kind === 'impossible' ? '; 11VMS has no look-up, so that the difference is unknown' : '';
    return changedAfterSend(`the order was created from an earlier version of the cart${doubt}`);
  }
  const changed = differences(stored, delivery.order);
  if (changed.length === 0) return { kind: 'skipped', reason: 'approved again without a change to its order' };
  const fields = changed.slice(0, 20).join(', ');
  return changedAfterSend(`the order was created from an earlier version; different now: ${fields}`);
}

const changedAfterSend = (message: string): OrderOutcome => ({
  kind: 'rejected',
  faults: [{ code: 'E_CART_CHANGED_AFTER_SEND', message }],
});
