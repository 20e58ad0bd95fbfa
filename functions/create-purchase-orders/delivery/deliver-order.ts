/**
 * Idempotent Receiver: one order to 11VMS, at most once whatever happens. The ledger is written before the first byte
 * leaves and after the answer is read; whenever an earlier outcome is not known, 11VMS is asked before anything is
 * posted (rules.md, "Delivering once").
 */
import { type Fault, InterfaceError } from '../../../shared/failure.ts';
import type { ClaimResult, Ledger, OrderClaim } from '../../../shared/ledger.ts';
import type { Log, Meter } from '../../../shared/log.ts';
import { METRICS } from '../../../shared/metric-names.ts';
import { contentHash, differences, idempotencyKey } from './order-content.ts';
import type { OrderOutcome } from '../outcome.ts';
import type { Pacer } from './pacer.ts';
import { canonicalBody, type PurchaseOrder } from '../translation/purchase-order.ts';
import type { CreateAnswer, StoredOrder, VmsOrders } from './vms-orders.ts';

export interface DeliveryDependencies {
  readonly ledger: Ledger;
  readonly orders: VmsOrders;
  readonly pacer: Pacer;
  readonly log: Log;
  readonly meter: Meter;
  readonly now: () => number;
  /** No create starts later, so that its answer can still be read, looked up and written down. */
  readonly deadlineMs: number;
  /** No look-up starts later: by one call after the last create, whose outcome it may have to find out. */
  readonly lookUpDeadlineMs: number;
  readonly leaseMs: number;
  /** How long nobody touches an order whose create 11VMS left unanswered: the request may still be on its way. */
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

/** @throws the SDK's error when the ledger does not answer: the message is then seen again. */
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
  return result.kind === 'claimed'
    ? new Attempt(delivery, dependencies, claim, result).run()
    : notClaimed(result, delivery, claim, dependencies);
}

/** Somebody was here before: what that means for this message. */
async function notClaimed(
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
        // The same message again, after a crash perhaps, is no reading again: nobody may have told of its order yet.
        const isDuplicateRead = order.changedAtMs === claim.changedAtMs && delivery.isFirstReceive;
        return { kind: 'skipped', reason, ...(isDuplicateRead ? { isDuplicateRead } : {}) };
      }
      const outcome = await changedAfterSend(delivery, dependencies);
      if (outcome.kind === 'skipped') await dependencies.ledger.confirmed(claim);
      return outcome;
    }
  }
}

/** Edge case 17: V1 only creates. The difference is taken to what 11VMS holds, since the ledger holds no content. */
async function changedAfterSend(delivery: OrderDelivery, dependencies: DeliveryDependencies): Promise<OrderOutcome> {
  const { order } = delivery;
  let stored: StoredOrder | undefined;
  let isComparable = true;
  try {
    stored = await lookUpInTurn(delivery, dependencies);
  } catch (error) {
    const failure = failedLookUp(error);
    if (failure.kind !== 'impossible') return failure;
    isComparable = false;
  }
  const changed = stored?.order === undefined ? undefined : differences(stored.order, order);
  if (changed?.length === 0) return { kind: 'skipped', reason: 'approved again without a change to its order' };
  const doubt = isComparable ? '' : '; 11VMS has no look-up, so that nobody can tell what differs, if anything does';
  const message =
    changed === undefined
      ? `the order was created from an earlier version of the cart${doubt}`
      : `the order was created from an earlier version; different now: ${changed.slice(0, 20).join(', ')}`;
  return { kind: 'rejected', faults: [{ code: 'E_CART_CHANGED_AFTER_SEND', message }] };
}

/**
 * A look-up at the pace of all calls: a throttled one waits and asks again, as a create does.
 * @throws {InterfaceError} when it cannot be told, E_TGT_THROTTLED when there is no turn before the time is up.
 */
async function lookUpInTurn(
  { order, correlationId }: OrderDelivery,
  { orders, pacer, meter, lookUpDeadlineMs }: DeliveryDependencies,
): Promise<StoredOrder | undefined> {
  let last: Fault = { code: 'E_TGT_THROTTLED', message: '11VMS was slow: no time is left for a look-up' };
  while (await pacer.turn(lookUpDeadlineMs)) {
    try {
      return await orders.lookUp(order.externalId, correlationId);
    } catch (error) {
      if (!(error instanceof InterfaceError) || error.failureClass !== 'throttled') throw error;
      meter.count(METRICS.targetThrottled);
      pacer.throttled(error.retryAfterMs);
      last = error.fault;
    }
  }
  throw new InterfaceError('throttled', last, pacer.pausedForMs());
}

/** `impossible`: 11VMS has no look-up, and will have none at the next attempt. */
type FailedLookUp =
  | Extract<OrderOutcome, { kind: 'retry' | 'refused' }>
  | { readonly kind: 'impossible'; readonly fault: Fault };

function failedLookUp(error: unknown): FailedLookUp {
  if (!(error instanceof InterfaceError)) throw error;
  if (error.failureClass === 'permanent') return { kind: 'impossible', fault: error.fault };
  if (error.failureClass === 'refused') return { kind: 'refused', fault: error.fault, isForbidden: false };
  return { kind: 'retry', fault: error.fault, afterMs: error.retryAfterMs };
}

/** One attempt that holds the claim. Every way out of it first writes to the ledger what is known. */
class Attempt {
  readonly #delivery: OrderDelivery;
  readonly #dependencies: DeliveryDependencies;
  readonly #claim: OrderClaim;
  readonly #before: Extract<ClaimResult, { kind: 'claimed' }>;
  /** 11VMS may hold the order, by an earlier attempt or by this one. */
  #mayExist: boolean;

  constructor(
    delivery: OrderDelivery,
    dependencies: DeliveryDependencies,
    claim: OrderClaim,
    before: Extract<ClaimResult, { kind: 'claimed' }>,
  ) {
    this.#delivery = delivery;
    this.#dependencies = dependencies;
    this.#claim = claim;
    this.#before = before;
    this.#mayExist = before.lookUpFirst;
  }

  async run(): Promise<OrderOutcome> {
    const found = this.#mayExist ? await this.#lookUp() : undefined;
    if (found !== undefined) return found;
    return this.#post();
  }

  async #post(): Promise<OrderOutcome> {
    const { orders, pacer, meter, deadlineMs } = this.#dependencies;
    const { order, body, correlationId } = this.#delivery;
    let last: Fault = { code: 'E_TGT_THROTTLED', message: '11VMS is throttling; no turn before the time was up' };
    let retryAfterMs: number | undefined;
    while (await pacer.turn(deadlineMs)) {
      const answer = await orders.create({
        externalId: order.externalId,
        body,
        idempotencyKey: idempotencyKey(order, this.#claim.contentHash),
        correlationId,
      });
      if (answer.kind !== 'throttled') {
        if (answer.kind === 'created') pacer.succeeded();
        return this.#conclude(answer);
      }
      meter.count(METRICS.targetThrottled);
      pacer.throttled(answer.retryAfterMs);
      last = answer.fault;
      ({ retryAfterMs } = answer);
      if (answer.mayBeTaken) {
        this.#mayExist = true;
        const found = await this.#lookUp();
        if (found !== undefined) return found;
      }
    }
    // Who only waited behind a throttled neighbour must not come back, and use up a receive, before the pause is over.
    return this.#scheduleRetry(last, Math.max(retryAfterMs ?? 0, pacer.pausedForMs()));
  }

  async #conclude(answer: Exclude<CreateAnswer, { kind: 'throttled' }>): Promise<OrderOutcome> {
    const { ledger, log, meter } = this.#dependencies;
    switch (answer.kind) {
      case 'created':
        return this.#created(answer.id, answer.number, false);
      case 'rejected':
        await ledger.rejected(this.#claim, answer.faults, this.#mayExist);
        return { kind: 'rejected', faults: answer.faults };
      case 'refused':
        await this.#release(answer.fault);
        return answer;
      case 'not-taken':
        return this.#scheduleRetry(answer.fault, answer.retryAfterMs);
      case 'exists':
        this.#mayExist = true;
        return (
          (await this.#lookUp()) ??
          this.#scheduleRetry({
            code: 'E_TGT_RESPONSE_SCHEMA',
            message: '11VMS says the order exists, and does not find it',
          })
        );
      case 'unknown': {
        this.#mayExist = true;
        meter.count(METRICS.outcomesUnknown);
        log.warn('order.outcome-unknown', {
          codes: [answer.fault.code],
          reason: answer.fault.message,
        });
        // Not posted again in this attempt, even when it is not found: it may still be on its way.
        return (await this.#lookUp(answer.fault)) ?? this.#scheduleRetry(answer.fault, answer.retryAfterMs);
      }
    }
  }

  /** Found: settled. Not found: undefined. Cannot be told: to be tried again, still unknown; or never to be told. */
  async #lookUp(because?: Fault): Promise<OrderOutcome | undefined> {
    try {
      const stored = await lookUpInTurn(this.#delivery, this.#dependencies);
      return stored === undefined ? undefined : await this.#settleFound(stored);
    } catch (error) {
      const failure = failedLookUp(error);
      const why = because?.message ?? 'the outcome of an earlier attempt is not known';
      const message = `${why}, and the look-up failed: ${failure.fault.message}`;
      const fault = { code: 'E_TGT_TIMEOUT_UNKNOWN', message } as const;
      await this.#unknown(fault);
      // Not a guess: whether the order exists, only a person can find out.
      if (failure.kind === 'impossible') return { kind: 'rejected', faults: [fault] };
      // Who was only kept waiting says nothing against its cart; a create without an answer does, and was before it.
      const isOnlyThrottled = because === undefined && failure.fault.code === 'E_TGT_THROTTLED';
      return failure.kind === 'refused' || isOnlyThrottled ? { ...failure, unknown: fault } : { ...failure, fault };
    }
  }

  async #settleFound(stored: StoredOrder): Promise<OrderOutcome> {
    const { ledger } = this.#dependencies;
    const storedHash = stored.order === undefined ? undefined : contentHash(canonicalBody(stored.order));
    const isSame =
      storedHash === this.#claim.contentHash ||
      // Approved again, while the earlier outcome was open, without a change to its order.
      (stored.order !== undefined && differences(stored.order, this.#delivery.order).length === 0);
    if (isSame) return this.#created(stored.id, stored.number, true);
    const faults: Fault[] = [this.#foundDifferent(stored, storedHash)];
    await ledger.rejected(this.#claim, faults, true);
    return { kind: 'rejected', faults };
  }

  #foundDifferent(stored: StoredOrder, storedHash: string | undefined): Fault {
    const name = stored.number ?? stored.id;
    if (stored.order === undefined) {
      return {
        code: 'E_TGT_RESPONSE_SCHEMA',
        message: `11VMS holds the order as ${name}; its content cannot be compared`,
      };
    }
    const changed = differences(stored.order, this.#delivery.order).slice(0, 20).join(', ');
    const ours = storedHash === this.#before.before?.contentHash;
    return ours
      ? {
          code: 'E_CART_CHANGED_AFTER_SEND',
          message: `created as ${name} from an earlier version; different now: ${changed}`,
        }
      : { code: 'E_TGT_DUPLICATE_DIFFERENT', message: `11VMS holds ${name} with other content: ${changed}` };
  }

  async #created(id: string, number: string | undefined, recovered: boolean): Promise<OrderOutcome> {
    const { ledger, log, meter, now } = this.#dependencies;
    await ledger.created(this.#claim, { id, number });
    meter.count(recovered ? METRICS.ordersRecovered : METRICS.ordersCreated);
    meter.milliseconds(METRICS.approvalToOrder, Math.max(0, now() - this.#claim.changedAtMs));
    log.info(recovered ? 'order.recovered' : 'order.created', {
      externalId: this.#claim.externalId,
      orderId: id,
      orderNumber: number,
    });
    return { kind: 'created', orderId: id, orderNumber: number, recovered };
  }

  async #scheduleRetry(fault: Fault, retryAfterMs?: number): Promise<OrderOutcome> {
    await this.#release(fault);
    return { kind: 'retry', fault, afterMs: retryAfterMs };
  }

  #release(fault: Fault): Promise<void> {
    return this.#mayExist ? this.#unknown(fault) : this.#dependencies.ledger.released(this.#claim, fault);
  }

  #unknown(fault: Fault): Promise<void> {
    const { ledger, now, quietMs } = this.#dependencies;
    return ledger.unknown(this.#claim, fault, now() + quietMs);
  }
}
