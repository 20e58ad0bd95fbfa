/** The keys and states of the items of a cart in the ledger's table. What the items mean: shared/ledger.ts. */

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
}

export const cartPartition = ({ client, number, guid }: CartKey): string =>
  `CART#${client}#${number ?? `-${guid ?? ''}`}`;

export const SKIP_SORT = 'SKIP';
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

/** The states of a redrive: functions/redrive-dead-letters/redrive-record.ts says what they mean. */
export const REDRIVE_STATES = ['SENDING', 'SENT', 'DONE'] as const;
export type RedriveState = (typeof REDRIVE_STATES)[number];
