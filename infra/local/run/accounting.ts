/** What became of every cart, read from the queues and the ledger alone. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { asJsonObject, tryParseJson } from '../../../shared/exact-json.ts';
import { FAULT_CATALOGUE, faultPlace, isFaultCode } from '../../../shared/failure.ts';
import { stripZeros } from '../../../shared/sap-values.ts';
import type { QueuedMessage } from '../aws/emulators.ts';
import type { CartIdentity } from './systems.ts';

/** The summary of a run. `created` counts orders; the other figures count carts. */
export interface Summary {
  readonly approved: number;
  readonly queued: number;
  readonly created: number;
  readonly skipped: number;
  readonly deadLettered: readonly DeadLetter[];
  readonly retries: number;
  readonly unaccounted: number;
  readonly seconds: number;
}

export interface DeadLetter {
  readonly cartNumber: string | null;
  readonly guid: string | null;
  readonly codes: readonly string[];
  readonly reason: string;
  readonly body: string;
}

export interface Accounts {
  readonly created: number;
  /** Carts with at least one order. */
  readonly orderedCarts: number;
  /** Of these, the carts with another order that was dead-lettered (edge case 27). */
  readonly partialCarts: number;
  readonly skippedFor: readonly string[];
  readonly deadLettered: readonly DeadLetter[];
  /** Approved carts whose end is unknown, by number or GUID. */
  readonly unaccounted: readonly string[];
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
  reason: z.string().optional(),
  faults: z
    .array(
      z.object({
        code: z.string(),
        message: z.string(),
        path: z.string().exactOptional(),
        field: z.string().exactOptional(),
        value: z.string().exactOptional(),
      }),
    )
    .default([]),
});
export type LedgerItem = z.infer<typeof ledgerItem>;

/** Every item of the ledger. */
export async function readLedger(client: DynamoDBClient, tableName: string): Promise<LedgerItem[]> {
  const items: LedgerItem[] = [];
  const pages = paginateScan(
    { client: DynamoDBDocumentClient.from(client) },
    { TableName: tableName, ConsistentRead: true },
  );
  for await (const { Items = [] } of pages) items.push(...z.array(ledgerItem).parse(Items));
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

/** Compares every approved cart with the queues and the ledger. */
export function account(evidence: Evidence): Accounts {
  const byCart = Map.groupBy(evidence.ledger, ({ pk }) => numberOf(pk));
  const verdicts = new Map(evidence.ledger.map((item) => [item.sk, item.faults]));
  const deadKeys = countBy(evidence.deadLetters.map(({ body }) => keyOf(identityOf(body))));
  const waiting = new Set(evidence.leftOnQueue.map(({ body }) => keyOf(identityOf(body))));
  const carts = evidence.approved ?? distinctCarts(evidence.queuedBodies);

  const isAccounted = (cart: CartIdentity): boolean => {
    // An invalid number becomes null in the message, which then has the GUID as its key.
    const keys = [keyOf(cart), keyOf({ ...cart, number: undefined })];
    const deadKey = keys.find((key) => (deadKeys.get(key) ?? 0) > 0);
    if (deadKey !== undefined) {
      // Carts without number and GUID share a key: each uses up one dead letter.
      if (deadKey === NAMELESS) deadKeys.set(deadKey, (deadKeys.get(deadKey) ?? 0) - 1);
      return true;
    }
    const items = byCart.get(keyOf(cart)) ?? [];
    const orders = items.filter(({ sk }) => sk.startsWith('ORDER#'));
    if (keys.some((key) => waiting.has(key)) || orders.some(({ state }) => state !== 'CREATED')) return false;
    return orders.length > 0 || items.some(({ sk }) => sk === 'SKIP');
  };

  const orders = evidence.ledger.filter(({ sk, state }) => sk.startsWith('ORDER#') && state === 'CREATED');
  const orderedKeys = new Set(orders.map(({ pk }) => numberOf(pk)));
  const deadNumbers = new Set(evidence.deadLetters.map(({ body }) => keyOf(identityOf(body))));
  return {
    created: orders.length,
    orderedCarts: orderedKeys.size,
    partialCarts: [...orderedKeys].filter((key) => deadNumbers.has(key)).length,
    skippedFor: evidence.ledger.filter(({ sk }) => sk === 'SKIP').map(({ reason }) => reason ?? 'unknown'),
    deadLettered: byCartAndReason(
      evidence.deadLetters.map(({ messageId, body }) => deadLetter(body, verdicts.get(`VERDICT#${messageId}`) ?? [])),
    ),
    unaccounted: carts.filter((cart) => !isAccounted(cart)).map(keyOf),
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

function deadLetter(body: string, faults: LedgerItem['faults']): DeadLetter {
  const { number, guid } = identityOf(body);
  const reasons = faults.map(({ code, message, ...place }) => {
    const action = isFaultCode(code) ? ` ${FAULT_CATALOGUE[code].action}` : '';
    return `${message}${faultPlace(place)}.${action}`;
  });
  return {
    cartNumber: number ?? null,
    guid: guid ?? null,
    // An attempt that ends writes a verdict. Without a verdict, every attempt was killed.
    codes: faults.length === 0 ? ['E_INT_CRASHED'] : [...new Set(faults.map(({ code }) => code))],
    reason:
      reasons.length === 0
        ? `The ledger holds no verdict: no attempt ended. ${FAULT_CATALOGUE.E_INT_CRASHED.action}`
        : [...new Set(reasons)].join(' '),
    body,
  };
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
