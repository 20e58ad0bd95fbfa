/**
 * The state machine of the ledger as data: the table in shared/ledger.ts, row by row, with a small interpreter. The model uses
 * it, and a property test compares the real ledger with it.
 */
import type { Verdict, VerdictRecord } from '../../../functions/create-purchase-orders/verdict/verdict-record.ts';
import type { Fault } from '../../../shared/failure.ts';
import type { ClaimResult, Ledger, OrderClaim, OrderItem } from '../../../shared/ledger.ts';
import type { CartKey } from '../../../shared/ledger-keys.ts';

/** The state of an order; `none` without an item. */
export type OrderState = 'none' | OrderItem['state'];

type Asks = Pick<OrderClaim, 'messageId' | 'attemptId' | 'changedAtMs' | 'nowMs'>;

/** A row of the claim table. The first row that fits decides. */
export interface ClaimRow {
  readonly from: readonly OrderState[];
  readonly when: string;
  readonly fits: (item: OrderItem, claim: Asks) => boolean;
  /** `POSTING` for a successful claim; undefined when nothing changes. */
  readonly to: 'POSTING' | undefined;
  readonly answer: ClaimResult['kind'];
}

const isNewer = (item: OrderItem, claim: Asks): boolean => item.changedAtMs > claim.changedAtMs;
const isHeld = (item: OrderItem, claim: Asks): boolean => item.leaseUntilMs >= claim.nowMs;

export const CLAIM_TABLE: readonly ClaimRow[] = [
  { from: ['none'], when: 'always', fits: () => true, to: 'POSTING', answer: 'claimed' },
  { from: ['CREATED'], when: 'always', fits: () => true, to: undefined, answer: 'created' },
  {
    from: ['POSTING'],
    when: "this attempt's own lease runs",
    fits: (item, claim) => item.attemptId === claim.attemptId && isHeld(item, claim),
    to: undefined,
    answer: 'claimed',
  },
  {
    from: ['POSTING'],
    when: "another attempt's lease runs",
    fits: (item, claim) => item.attemptId !== claim.attemptId && isHeld(item, claim),
    to: undefined,
    answer: 'held',
  },
  { from: ['UNKNOWN'], when: 'its quiet time runs', fits: isHeld, to: undefined, answer: 'held' },
  {
    from: ['NEW', 'POSTING', 'REJECTED', 'UNKNOWN'],
    when: 'it knows a newer version of the cart',
    fits: isNewer,
    to: undefined,
    answer: 'superseded',
  },
  {
    from: ['REJECTED'],
    when: 'it was rejected for this message',
    fits: (item, claim) => item.messageId === claim.messageId,
    to: undefined,
    answer: 'rejected',
  },
  {
    from: ['NEW', 'POSTING', 'REJECTED', 'UNKNOWN'],
    when: 'otherwise',
    fits: () => true,
    to: 'POSTING',
    answer: 'claimed',
  },
];

/** The ends of a claim: the new state, and the mark that the order may exist. */
export const SETTLE_TABLE = {
  created: { to: 'CREATED', mayExist: 'unchanged' },
  rejected: { to: 'REJECTED', mayExist: 'as given' },
  unknown: { to: 'UNKNOWN', mayExist: 'unchanged' },
  released: { to: 'NEW', mayExist: 'cleared' },
} as const satisfies Record<
  string,
  { readonly to: OrderItem['state']; readonly mayExist: 'unchanged' | 'as given' | 'cleared' }
>;
export type Settling = keyof typeof SETTLE_TABLE;

export interface SettleFacts {
  readonly faults: readonly Fault[];
  readonly mayExist?: boolean;
  readonly leaseUntilMs?: number;
  readonly order?: { readonly id: string; readonly number: string | undefined };
}

/** The result of a claim, and the new item. */
export function claimItem(
  item: OrderItem | undefined,
  claim: OrderClaim,
): { readonly item: OrderItem | undefined; readonly result: ClaimResult } {
  const row = CLAIM_TABLE.find(
    ({ from, fits }) => from.includes(item?.state ?? 'none') && (item === undefined || fits(item, claim)),
  );
  if (row === undefined) throw new Error(`the claim table has no row for ${item?.state ?? 'none'}`);
  if (row.to === undefined && item !== undefined) return { item, result: unchanged(row.answer, item) };
  const { contentHash, changedAtMs, ordersOfCart, messageId, attemptId } = claim;
  const claimed: OrderItem = {
    ...item,
    state: 'POSTING',
    contentHash,
    changedAtMs,
    ordersOfCart,
    messageId,
    attemptId,
    leaseUntilMs: claim.nowMs + claim.leaseMs,
    attempts: (item?.attempts ?? 0) + 1,
    lookUpFirst: item?.mayExist ?? false,
    mayExist: true,
    claimedHashes: new Set([...(item?.claimedHashes ?? []), contentHash]),
    faults: [],
  };
  return { item: claimed, result: unchanged('claimed', claimed) };
}

function unchanged(answer: ClaimResult['kind'], item: OrderItem): ClaimResult {
  switch (answer) {
    case 'created':
      return { kind: 'created', order: item };
    case 'held':
      return { kind: 'held', untilMs: item.leaseUntilMs };
    case 'superseded':
      return { kind: 'superseded', byChangedAtMs: item.changedAtMs };
    case 'rejected':
      return { kind: 'rejected', faults: item.faults };
    case 'claimed':
      return { kind: 'claimed', lookUpFirst: item.lookUpFirst, claimedHashes: item.claimedHashes };
  }
}

/** Ends a claim. Only its own attempt can do so, and CREATED never changes. */
export function settleItem(
  item: OrderItem | undefined,
  attemptId: string,
  how: Settling,
  { faults, mayExist, leaseUntilMs, order }: SettleFacts,
): OrderItem | undefined {
  const { to, mayExist: mark } = SETTLE_TABLE[how];
  const isOwn = item?.attemptId === attemptId && (item.state === 'POSTING' || item.state === to);
  if (item === undefined || !isOwn) return item;
  return {
    ...item,
    state: to,
    faults: [...faults],
    mayExist: mark === 'cleared' ? false : mark === 'as given' ? (mayExist ?? item.mayExist) : item.mayExist,
    leaseUntilMs: leaseUntilMs ?? item.leaseUntilMs,
    ...(order === undefined ? {} : { orderId: order.id }),
    ...(order?.number === undefined ? {} : { orderNumber: order.number }),
  };
}

/** The created order is valid for a newer version of its cart. */
export const confirmItem = (
  item: OrderItem | undefined,
  { changedAtMs, contentHash, ordersOfCart }: Pick<OrderClaim, 'changedAtMs' | 'contentHash' | 'ordersOfCart'>,
): OrderItem | undefined =>
  item?.state === 'CREATED' && item.changedAtMs <= changedAtMs
    ? { ...item, changedAtMs, contentHash, ordersOfCart }
    : item;

export interface LedgerRecords {
  readonly ledger: Ledger;
  readonly verdicts: VerdictRecord;
}

/** The reference as ledger and verdicts in memory. `items` are the items of the orders. */
export function createReferenceRecords(): LedgerRecords & { readonly items: ReadonlyMap<string, OrderItem> } {
  const items = new Map<string, OrderItem>();
  const recorded = new Map<string, Verdict>();
  const cartOf = (cart: CartKey): string => `${cart.client}/${cart.number ?? '-'}`;
  const keyOf = (claim: OrderClaim): string => `${cartOf(claim.cart)}/${claim.externalId}`;
  const put = (claim: OrderClaim, item: OrderItem | undefined): void => {
    if (item !== undefined) items.set(keyOf(claim), item);
  };
  const settle = (claim: OrderClaim, how: Settling, facts: SettleFacts): Promise<void> => {
    put(claim, settleItem(items.get(keyOf(claim)), claim.attemptId, how, facts));
    return Promise.resolve();
  };
  const ledger: Ledger = {
    claim(claim) {
      const { item, result } = claimItem(items.get(keyOf(claim)), claim);
      put(claim, item);
      return Promise.resolve(result);
    },
    created: (claim, order) => settle(claim, 'created', { faults: [], order }),
    rejected: (claim, faults, mayExist) => settle(claim, 'rejected', { faults, mayExist }),
    unknown: (claim, fault, quietUntilMs) => settle(claim, 'unknown', { faults: [fault], leaseUntilMs: quietUntilMs }),
    released: (claim, fault) => settle(claim, 'released', { faults: fault === undefined ? [] : [fault] }),
    confirmed(claim) {
      put(claim, confirmItem(items.get(keyOf(claim)), claim));
      return Promise.resolve();
    },
    recordSkip: () => Promise.resolve(),
  };
  const verdicts: VerdictRecord = {
    read: ({ cart, messageId }) => Promise.resolve(recorded.get(`${cartOf(cart)}/${messageId}`)),
    record({ cart, messageId }, { state, faults }) {
      recorded.set(`${cartOf(cart)}/${messageId}`, { state, faults });
      return Promise.resolve();
    },
    withdraw({ cart, messageId }) {
      const key = `${cartOf(cart)}/${messageId}`;
      const verdict = recorded.get(key);
      if (verdict !== undefined) recorded.set(key, { ...verdict, state: 'WITHDRAWN' });
      return Promise.resolve();
    },
  };
  return { items, ledger, verdicts };
}
