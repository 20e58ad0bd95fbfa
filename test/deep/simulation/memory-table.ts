/** The ledger and the breaker in memory, with the same conditions as in DynamoDB. */
import type { Verdict, VerdictRecord } from '../../../functions/create-purchase-orders/verdict/verdict-record.ts';
import type { BreakerItem, BreakerRecord } from '../../../shared/circuit-breaker.ts';
import type { ClaimResult, Ledger, OrderClaim, OrderItem } from '../../../shared/ledger.ts';
import type { CartKey } from '../../../shared/ledger-keys.ts';

export function createMemoryLedger(): Ledger {
  const orders = new Map<string, OrderItem & { readonly cart: CartKey; readonly externalId: string }>();

  function claim(wanted: OrderClaim): ClaimResult {
    const before = orders.get(wanted.externalId);
    if (before !== undefined) {
      if (before.state === 'CREATED') return { kind: 'created', order: before };
      if (before.state === 'POSTING' && before.attemptId !== wanted.attemptId && before.leaseUntilMs >= wanted.nowMs)
        return { kind: 'held', untilMs: before.leaseUntilMs };
      if (before.state === 'UNKNOWN' && before.leaseUntilMs >= wanted.nowMs)
        return { kind: 'held', untilMs: before.leaseUntilMs };
      if (before.changedAtMs > wanted.changedAtMs) return { kind: 'superseded', byChangedAtMs: before.changedAtMs };
      if (before.state === 'REJECTED' && before.messageId === wanted.messageId)
        return { kind: 'rejected', faults: before.faults };
    }
    const lookUpFirst = before?.mayExist ?? false;
    const claimedHashes = new Set([...(before?.claimedHashes ?? []), wanted.contentHash]);
    orders.set(wanted.externalId, {
      cart: wanted.cart,
      externalId: wanted.externalId,
      state: 'POSTING',
      contentHash: wanted.contentHash,
      ordersOfCart: wanted.ordersOfCart,
      changedAtMs: wanted.changedAtMs,
      messageId: wanted.messageId,
      attemptId: wanted.attemptId,
      attempts: (before?.attempts ?? 0) + 1,
      leaseUntilMs: wanted.nowMs + wanted.leaseMs,
      mayExist: true,
      lookUpFirst,
      claimedHashes,
      faults: [],
    });
    return { kind: 'claimed', lookUpFirst, claimedHashes };
  }

  function settle({ externalId, attemptId }: OrderClaim, changes: Partial<OrderItem>): Promise<void> {
    const item = orders.get(externalId);
    if (item?.attemptId === attemptId && item.state === 'POSTING') orders.set(externalId, { ...item, ...changes });
    return Promise.resolve();
  }

  return {
    claim: (wanted) => Promise.resolve(claim(wanted)),
    created: (own, { id, number }) => settle(own, { state: 'CREATED', orderId: id, orderNumber: number, faults: [] }),
    rejected: (own, faults, mayExist) => settle(own, { state: 'REJECTED', faults: [...faults], mayExist }),
    unknown: (own, fault, leaseUntilMs) => settle(own, { state: 'UNKNOWN', faults: [fault], leaseUntilMs }),
    released: (own, fault) =>
      settle(own, { state: 'NEW', faults: fault === undefined ? [] : [fault], mayExist: false }),
    recordSkip: () => Promise.resolve(),
    confirmed: () => Promise.resolve(),
  };
}

/** `found` holds the recorded verdicts of dead letters, by message id. */
export function createMemoryVerdicts(): VerdictRecord & { readonly found: ReadonlyMap<string, Verdict> } {
  const found = new Map<string, Verdict>();
  return {
    found,
    read: ({ messageId }) => Promise.resolve(found.get(messageId)),
    async record({ messageId }, { state, faults }) {
      found.set(messageId, { state, faults });
    },
    async withdraw({ messageId }) {
      found.delete(messageId);
    },
  };
}

export function createMemoryBreaker(): BreakerRecord {
  let item: BreakerItem = {
    state: 'CLOSED',
    reason: '',
    sinceMs: 0,
    mappingPaused: false,
    failedTrials: 0,
    nextTrialAtMs: 0,
  };
  let held: { readonly by: string; readonly untilMs: number } | undefined;
  async function change(isAllowed: boolean, changes: Partial<BreakerItem>): Promise<boolean> {
    if (isAllowed) item = { ...item, ...changes };
    return isAllowed;
  }
  const opened = (reason: string, nowMs: number) => ({ reason, sinceMs: nowMs, failedTrials: 0, nextTrialAtMs: nowMs });
  return {
    read: () => Promise.resolve(item),
    open: (state, reason, nowMs) => change(item.state === 'CLOSED', { state, ...opened(reason, nowMs) }),
    async force(reason, nowMs) {
      await change(true, { state: 'FORCED_OPEN', ...opened(reason, nowMs) });
    },
    letResume: (nowMs) => change(item.state !== 'CLOSED', { state: 'OPEN', nextTrialAtMs: nowMs }),
    async mappingPaused(isPaused) {
      await change(true, { mappingPaused: isPaused });
    },
    async postponeTrial(failedTrials, nextTrialAtMs) {
      await change(item.state === 'OPEN', { failedTrials, nextTrialAtMs });
    },
    recordTrial: async (trial) => {
      await change(item.state === 'OPEN', trial);
    },
    close: (nowMs) => change(item.state === 'OPEN', { state: 'CLOSED', reason: '', sinceMs: nowMs, failedTrials: 0 }),
    async hold(holder, nowMs, untilMs) {
      if (held !== undefined && held.untilMs >= nowMs && held.by !== holder) return undefined;
      held = { by: holder, untilMs };
      return item;
    },
    async letGo(holder) {
      if (held?.by === holder) held = undefined;
    },
  };
}
