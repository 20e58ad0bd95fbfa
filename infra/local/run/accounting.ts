/** What became of every cart, read from the queues and the ledger alone. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { SKIP_SORT } from '../../../shared/ledger-keys.ts';
import type { Item } from '../../../shared/ledger-table.ts';
import { asJsonObject, tryParseJson } from '../../../shared/exact-json.ts';
import { type Fault, type FaultOwner, faultPlace, isFaultCode } from '../../../shared/failure.ts';
import { FAULT_CATALOGUE } from '../../../shared/fault-catalogue.ts';
import { stripZeros } from '../../../shared/sap-values.ts';
import type { QueuedMessage } from '../aws/emulators.ts';
import type { CartIdentity } from './systems.ts';

/** A fault as the ledger holds it, with what the catalogue says of its code: null for a code of another version. */
export interface ReportedFault extends Omit<Fault, 'code'> {
  readonly code: string;
  readonly owner: FaultOwner | null;
  readonly action: string | null;
}

export interface DeadLetter {
  readonly cartNumber: string | null;
  readonly guid: string | null;
  readonly codes: readonly string[];
  readonly reason: string;
  readonly faults: readonly ReportedFault[];
  readonly body: string;
}

/** An order of the ledger that 11VMS has taken. */
export interface CreatedOrder {
  readonly cartNumber: string;
  readonly externalId: string;
  readonly orderId: string | null;
  readonly orderNumber: string | null;
}

/** What becomes of a cart: exactly one of these. */
export const CART_ENDS = [
  'createdInFull',
  'createdInPart',
  'skipped',
  'deadLettered',
  'waiting',
  'unaccounted',
] as const;
export type CartEnd = (typeof CART_ENDS)[number];

export interface Accounts {
  /** The approved carts by their end, each by its number or GUID. */
  readonly carts: Readonly<Record<CartEnd, readonly string[]>>;
  readonly orders: readonly CreatedOrder[];
  readonly skips: readonly { readonly cart: string; readonly reason: string }[];
  readonly deadLettered: readonly DeadLetter[];
  /** Messages that still wait on the queue, and will be dead letters: the ledger holds their verdict. */
  readonly condemned: readonly DeadLetter[];
}

export interface Evidence {
  /** The approved carts of SRM; undefined when only the queue shows them. */
  readonly approved: readonly CartIdentity[] | undefined;
  /** The bodies of all messages that were on the queue. */
  readonly queuedBodies: readonly string[];
  readonly leftOnQueue: readonly QueuedMessage[];
  readonly deadLetters: readonly QueuedMessage[];
  readonly ledger: readonly LedgerItem[];
}

const ledgerItem = z.object({
  pk: z.string(),
  sk: z.string(),
  state: z.string().optional(),
  orderId: z.string().optional(),
  orderNumber: z.string().optional(),
  reason: z.string().optional(),
  faults: z
    .array(
      z.object({
        code: z.string(),
        message: z.string(),
        path: z.string().exactOptional(),
        line: z.string().exactOptional(),
        field: z.string().exactOptional(),
        value: z.string().exactOptional(),
      }),
    )
    .default([]),
});
export type LedgerItem = z.infer<typeof ledgerItem>;

/** Every item of the ledger. */
export async function readLedger(client: DynamoDBClient, tableName: string): Promise<LedgerItem[]> {
  return ledgerItemsOf(await readTable(client, tableName));
}

export const ledgerItemsOf = (items: readonly Item[]): LedgerItem[] => z.array(ledgerItem).parse(items);

/** Every item, as it is. */
export async function readTable(client: DynamoDBClient, tableName: string): Promise<Item[]> {
  const items: Item[] = [];
  const pages = paginateScan(
    { client: DynamoDBDocumentClient.from(client) },
    { TableName: tableName, ConsistentRead: true },
  );
  for await (const { Items = [] } of pages) items.push(...Items);
  return items;
}

/** The cart of a message body. Both fields are undefined for a body that is not a cart message. */
export function identityOf(body: string): CartIdentity {
  const cart = asJsonObject(asJsonObject(tryParseJson(body))?.['cart']);
  const text = (name: string): string | undefined => {
    const value = cart?.[name];
    return typeof value === 'string' ? value : undefined;
  };
  return { number: text('number'), guid: text('guid') };
}

/** The key of carts with neither number nor GUID. They can only be counted. */
const NAMELESS = 'no number, no GUID';

/** The key of a cart is its number, or else its GUID. */
function keyOf({ number, guid }: CartIdentity): string {
  if (number !== undefined) return stripZeros(number);
  return guid === undefined ? NAMELESS : `guid ${guid}`;
}

/** The cart number of a ledger item, by its partition key. */
const numberOf = (partition: string): string => partition.replace(/^CART#\d+#/, '');

const ORDER_SORT = /^ORDER#/;
const isSkip = ({ sk }: LedgerItem): boolean => sk.startsWith(SKIP_SORT);

/** Compares every approved cart with the queues and the ledger. */
export function account(evidence: Evidence): Accounts {
  const byCart = Map.groupBy(evidence.ledger, ({ pk }) => numberOf(pk));
  const verdicts = new Map(evidence.ledger.map((item) => [item.sk, item]));
  const deadKeys = countBy(evidence.deadLetters.map(({ body }) => keyOf(identityOf(body))));
  const waiting = new Set(evidence.leftOnQueue.map(({ body }) => keyOf(identityOf(body))));

  const endOf = (cart: CartIdentity): CartEnd => {
    // An invalid number becomes null in the message, which then has the GUID as its key.
    const keys = [keyOf(cart), keyOf({ ...cart, number: undefined })];
    const items = byCart.get(keyOf(cart)) ?? [];
    const orders = items.filter(({ sk }) => ORDER_SORT.test(sk));
    const deadKey = keys.find((key) => (deadKeys.get(key) ?? 0) > 0);
    if (deadKey !== undefined) {
      // Carts without number and GUID share a key: each uses up one dead letter.
      if (deadKey === NAMELESS) deadKeys.set(deadKey, (deadKeys.get(deadKey) ?? 0) - 1);
      return orders.some(({ state }) => state === 'CREATED') ? 'createdInPart' : 'deadLettered';
    }
    if (keys.some((key) => waiting.has(key))) return 'waiting';
    if (orders.some(({ state }) => state !== 'CREATED')) return 'unaccounted';
    if (orders.length > 0) return 'createdInFull';
    return items.some(isSkip) ? 'skipped' : 'unaccounted';
  };

  const ended = (evidence.approved ?? distinctCarts(evidence.queuedBodies)).map((cart) => ({
    key: keyOf(cart),
    end: endOf(cart),
  }));
  const keysOf = (end: CartEnd): string[] => ended.filter((cart) => cart.end === end).map(({ key }) => key);
  const verdictOf = ({ messageId }: QueuedMessage): LedgerItem | undefined => verdicts.get(`VERDICT#${messageId}`);
  const withReasons = (messages: readonly QueuedMessage[]): DeadLetter[] =>
    byCartAndReason(messages.map((message) => deadLetter(message.body, verdictOf(message)?.faults ?? [])));
  return {
    carts: {
      createdInFull: keysOf('createdInFull'),
      createdInPart: keysOf('createdInPart'),
      skipped: keysOf('skipped'),
      deadLettered: keysOf('deadLettered'),
      waiting: keysOf('waiting'),
      unaccounted: keysOf('unaccounted'),
    },
    orders: evidence.ledger
      .filter(({ sk, state }) => ORDER_SORT.test(sk) && state === 'CREATED')
      .map(({ pk, sk, orderId, orderNumber }) => ({
        cartNumber: numberOf(pk),
        externalId: sk.replace(ORDER_SORT, ''),
        orderId: orderId ?? null,
        orderNumber: orderNumber ?? null,
      })),
    skips: evidence.ledger
      .filter(isSkip)
      .map(({ pk, reason }) => ({ cart: numberOf(pk), reason: reason ?? 'unknown' })),
    deadLettered: withReasons(evidence.deadLetters),
    condemned: withReasons(evidence.leftOnQueue.filter((message) => verdictOf(message)?.state === 'FINAL')),
  };
}

/** Counts a cart once, however often it was queued. Carts without number and GUID are counted one by one. */
function byCartAndReason(deadLetters: readonly DeadLetter[]): DeadLetter[] {
  const distinct = new Map<string | DeadLetter, DeadLetter>();
  for (const deadLetter of deadLetters) {
    const { cartNumber, guid, reason } = deadLetter;
    const isNamed = cartNumber !== null || guid !== null;
    distinct.set(isNamed ? `${cartNumber} ${guid} ${reason}` : deadLetter, deadLetter);
  }
  // By number. Carts without a number come last.
  const rank = ({ cartNumber }: DeadLetter): string => cartNumber ?? '\uffff';
  return [...distinct.values()].sort((a, b) => (rank(a) < rank(b) ? -1 : Number(rank(a) > rank(b))));
}

/** An attempt that ends writes a verdict. Without a verdict, every attempt was killed. */
const NO_VERDICT: LedgerItem['faults'] = [
  { code: 'E_INT_CRASHED', message: 'The ledger holds no verdict: no attempt ended' },
];

function deadLetter(body: string, recorded: LedgerItem['faults']): DeadLetter {
  const { number, guid } = identityOf(body);
  const faults = (recorded.length === 0 ? NO_VERDICT : recorded).map(reportedFault);
  const reasons = faults.map(
    ({ message, action, ...place }) => `${message}${faultPlace(place)}.${action === null ? '' : ` ${action}`}`,
  );
  return {
    cartNumber: number ?? null,
    guid: guid ?? null,
    codes: [...new Set(faults.map(({ code }) => code))],
    reason: [...new Set(reasons)].join(' '),
    faults,
    body,
  };
}

function reportedFault(fault: LedgerItem['faults'][number]): ReportedFault {
  const { owner = null, action = null } = isFaultCode(fault.code) ? FAULT_CATALOGUE[fault.code] : {};
  return { ...fault, owner, action };
}

/** The carts of the messages, each once. */
export function distinctCarts(bodies: readonly string[]): CartIdentity[] {
  const identities = bodies.map(identityOf);
  const anonymous = identities.filter(({ number, guid }) => number === undefined && guid === undefined);
  const named = new Map(
    identities.filter((identity) => !anonymous.includes(identity)).map((identity) => [keyOf(identity), identity]),
  );
  return [...named.values(), ...anonymous];
}

function countBy(keys: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}
