/** The keys of the ledger's table, and the states of the items of a cart. What the items mean: shared/ledger.ts. */

/**
 * How the partition keys begin. IAM knows no sort key: which function may write what (infra/constructs/ledger-table.ts) is said
 * by these beginnings, and what a function must not overwrite needs another one.
 */
export const PARTITIONS = {
  cart: 'CART#',
  /** The queued versions of a cart, which the extractor writes: it must not reach the orders beside them. */
  queued: 'QUEUED#',
  /** The record of the numbers that went back to SRM: its writer must not reach the orders, either. */
  numbers: 'NUMBERS#',
  watermark: 'WATERMARK#',
  reconciliation: 'RECONCILIATION#',
  breaker: 'BREAKER#',
  plan: 'PLAN#',
  operation: 'OPERATION#',
} as const;
export type Partition = keyof typeof PARTITIONS;

/** A cart's identity (rule 4); the number is unknown where the row has none. */
export interface CartKey {
  readonly client: string;
  readonly number: string | undefined;
  /** Takes the place of a number that is missing. */
  readonly guid?: string | undefined;
}

/** A cart as it stood at one moment. */
export interface CartVersion extends CartKey {
  /** When it was last changed in SRM; undefined where that is not known. */
  readonly changedAtMs: number | undefined;
  /** A change or historical version: nothing is said of the active one (edge case 20). */
  readonly isInactiveVersion?: boolean;
}

/** As an item names the version that it is about. */
export const versionFields = ({ changedAtMs, isInactiveVersion = false }: Omit<CartVersion, keyof CartKey>) => ({
  ...(changedAtMs === undefined ? {} : { changedAtMs }),
  ...(isInactiveVersion ? { isInactiveVersion } : {}),
});

export const cartPartition = ({ client, number, guid }: CartKey): string =>
  `${PARTITIONS.cart}${client}#${number ?? `-${guid ?? ''}`}`;
/** Of the queued versions of the cart in this partition. */
export const queuedPartition = (cart: string): string => cart.replace(PARTITIONS.cart, PARTITIONS.queued);
export const numbersPartition = (cart: CartKey): string =>
  cartPartition(cart).replace(PARTITIONS.cart, PARTITIONS.numbers);

export const SKIP_SORT = 'SKIP';
/** Of change and historical versions: it must not replace the skip of an active one. It begins as that does, for lists. */
export const INACTIVE_SKIP_SORT = `${SKIP_SORT}#INACTIVE`;
export const NUMBERS_SORT = 'NUMBERS';
/** `version` is the changedAtMs and a hash of the row. */
export const queuedSort = (version: string): string => `QUEUED#${version}`;
export const orderSort = (externalId: string): string => `ORDER#${externalId}`;
export const verdictSort = (messageId: string): string => `VERDICT#${messageId}`;
export const redriveSort = (messageId: string): string => `REDRIVE#${messageId}`;
export const closedSort = (messageId: string): string => `CLOSED#${messageId}`;

/** The states of an order: shared/ledger.ts says what they mean. */
export const ORDER_STATES = ['NEW', 'POSTING', 'CREATED', 'REJECTED', 'UNKNOWN'] as const;
export type OrderState = (typeof ORDER_STATES)[number];
const ORDER_STATE_NAMES: readonly unknown[] = ORDER_STATES;
/** False for a state of another version of this interface. */
export const isOrderState = (state: unknown): state is OrderState => ORDER_STATE_NAMES.includes(state);

/** The states of a verdict: functions/create-purchase-orders/verdict/verdict.ts says what they mean. */
export const VERDICT_STATES = ['PROVISIONAL', 'FINAL', 'WITHDRAWN'] as const;
export type VerdictState = (typeof VERDICT_STATES)[number];

/** What came of writing a cart's order numbers back to SRM: functions/write-order-numbers/number-record.ts. */
export const NUMBERS_STATES = ['WRITTEN', 'REFUSED', 'POSTPONED'] as const;
export type NumbersState = (typeof NUMBERS_STATES)[number];

/** The states of a redrive: functions/redrive-dead-letters/redrive-record.ts says what they mean. */
export const REDRIVE_STATES = ['SENDING', 'SENT', 'DONE'] as const;
export type RedriveState = (typeof REDRIVE_STATES)[number];
