/**
 * The lists by day and by state, from the ledger's index, with the carts' present standings: what command line and console
 * say of them. A list is read in parts, since a day can hold 100,000 carts.
 */
import { type Fault, faultPlace } from '../../shared/failure.ts';
import { FAULT_CATALOGUE } from '../../shared/fault-catalogue.ts';
import { inLanes } from '../../shared/lanes.ts';
import { orderSort } from '../../shared/ledger-keys.ts';
import type { List } from '../../shared/lists.ts';
import { type OpenStanding, type Standing, standingOf } from '../../shared/standing.ts';
import { instantText } from '../../shared/standing-sentence.ts';
import { cartItems, type Trace, tracesOf } from '../../shared/traces.ts';
import type { Environment } from '../environments.ts';
import { ownerText } from '../owners.ts';
import type { ListedState } from './cart-states.ts';
import { cartOf, CARTS_AT_ONCE, type KnownCart, UNIDENTIFIED } from './known-cart.ts';
import type { ListedItem, ListFilter, ListPosition, OpenedLedger } from './open-ledger.ts';
import type { TableRow } from './tables.ts';

export const LIST_OF = {
  ordered: 'CREATED',
  skipped: 'SKIPPED',
  'dead-lettered': 'DEAD-LETTERED',
} as const satisfies Record<ListedState, List>;

const DAY_MS = 24 * 3600_000;
/** SQS keeps a dead letter for so long. */
const DAYS = 14;

/** Today and the 14 days before. */
export const lastDays = (nowMs: number): string[] =>
  Array.from({ length: DAYS + 1 }, (_, index) => new Date(nowMs - (DAYS - index) * DAY_MS).toISOString().slice(0, 10));

/** A list over some days, in this order. */
export interface CartList {
  readonly list: List;
  readonly days: readonly string[];
  readonly filter?: ListFilter | undefined;
  /** Of what the filter lets through. Undefined: every item. */
  readonly isWanted?: ((item: ListedItem) => boolean) | undefined;
}

/** Where a list goes on. */
export interface ListStart {
  readonly day: string;
  /** Undefined: with the first item of the day. */
  readonly after: ListPosition | undefined;
}

export interface ListSlice {
  readonly items: readonly ListedItem[];
  /** Undefined at the end of the list. */
  readonly next: ListStart | undefined;
  /** How many items of the index were looked at. */
  readonly lookedAt: number;
}

/** So much of the index is read for one page, at the most: a filter may match nothing in 100,000 items. */
export interface SliceLimits {
  readonly rows: number;
  readonly requests: number;
}
const PART_OF_A_FILE = 500;

/** The next rows of a list, newest first. Reads no more of the index than they need. */
export async function readSlice(
  ledger: Pick<OpenedLedger, 'listedPart'>,
  { list, days, filter, isWanted }: CartList,
  start: ListStart | undefined,
  { rows, requests }: SliceLimits,
): Promise<ListSlice> {
  const items: ListedItem[] = [];
  let lookedAt = 0;
  let requested = 0;
  let after = start?.after;
  for (const day of days.slice(start === undefined ? 0 : Math.max(0, days.indexOf(start.day)))) {
    for (;;) {
      if (requested === requests) return { items, next: { day, after }, lookedAt };
      // One more than is shown tells whether there is more. DynamoDB counts the limit before its filter.
      const isWhole = filter === undefined && isWanted === undefined;
      const limit = isWhole ? { limit: rows + 1 - items.length } : {};
      const part = await ledger.listedPart(list, day, { after, newestFirst: true, filter, ...limit });
      requested++;
      lookedAt += part.lookedAt;
      for (const item of part.items) {
        if (isWanted === undefined || isWanted(item)) {
          if (items.length === rows) return { items, next: { day, after }, lookedAt };
          items.push(item);
        }
        after = item;
      }
      if (part.next === undefined) break;
      after = part.next;
    }
    after = undefined;
  }
  return { items, next: undefined, lookedAt };
}

/** All wanted items of a list, in parts, oldest first in each day. */
export async function* listParts(
  ledger: Pick<OpenedLedger, 'listedPart'>,
  { list, days, filter, isWanted = () => true }: CartList,
): AsyncGenerator<readonly ListedItem[]> {
  for (const day of days) {
    let after: ListPosition | undefined;
    do {
      const part = await ledger.listedPart(list, day, { after, filter, limit: PART_OF_A_FILE });
      yield part.items.filter(isWanted);
      after = part.next;
    } while (after !== undefined);
  }
}

export interface ListedOrder {
  readonly orderedAtMs: number;
  readonly cart: string;
  readonly orderNumber: string;
  readonly orderId: string;
  readonly externalId: string;
  readonly changedAtMs: number | undefined;
}

export const orderOf = ({
  pk,
  sk,
  listedAtMs,
  changedAtMs,
  orderId = '',
  orderNumber = '',
}: ListedItem): ListedOrder => ({
  orderedAtMs: listedAtMs,
  cart: cartOf(pk)?.name ?? pk,
  orderNumber,
  orderId,
  externalId: sk.slice(orderSort('').length),
  changedAtMs,
});

export const ORDER_COLUMNS = [
  'ordered at',
  'cart',
  'order number',
  'order id',
  'external id',
  'cart changed at',
] as const;
export const orderRow = (order: ListedOrder): TableRow =>
  ({
    'ordered at': instantText(order.orderedAtMs),
    cart: order.cart,
    'order number': order.orderNumber,
    'order id': order.orderId,
    'external id': order.externalId,
    'cart changed at': order.changedAtMs === undefined ? '' : instantText(order.changedAtMs),
  }) satisfies Record<(typeof ORDER_COLUMNS)[number], string>;

export interface StandingCart {
  readonly item: ListedItem;
  readonly cart: KnownCart;
  readonly standing: Standing;
  readonly traces: readonly Trace[];
}

/** Carts without any identity share a partition: each of their messages stands for a cart of its own. */
const keyOf = ({ pk, sk }: ListedItem): string => (cartOf(pk)?.name === UNIDENTIFIED ? `${pk} ${sk}` : pk);

/** Each cart once, although a list may name it for several of its orders or messages. */
export const eachCartOnce = (items: readonly ListedItem[]): readonly ListedItem[] => [
  ...new Map(items.map((item) => [keyOf(item), item])).values(),
];

/** The present standing of the cart of each item: much can have happened since it was listed. */
export async function standingsOf(
  items: readonly ListedItem[],
  { table }: Pick<OpenedLedger, 'table'>,
  nowMs: number,
  onStanding: () => void = () => undefined,
): Promise<readonly StandingCart[]> {
  const known = new Map(
    await inLanes(eachCartOnce(items), CARTS_AT_ONCE, async (item) => {
      const isUnidentified = cartOf(item.pk)?.name === UNIDENTIFIED;
      const traces = tracesOf(await (isUnidentified ? table.queryItems(item.pk, item.sk) : cartItems(table, item.pk)));
      onStanding();
      return [keyOf(item), { traces, standing: standingOf(traces, { nowMs }) }] as const;
    }),
  );
  return items.flatMap((item) => {
    const [cart, facts] = [cartOf(item.pk), known.get(keyOf(item))];
    return cart === undefined || facts === undefined ? [] : [{ item, cart, ...facts }];
  });
}

export const SKIPPED_COLUMNS = ['cart', 'skipped at', 'reason'] as const;
export const skippedRow = (cart: string, { sinceMs, reason }: { sinceMs: number; reason: string }): TableRow =>
  ({ cart, 'skipped at': instantText(sinceMs), reason }) satisfies Record<(typeof SKIPPED_COLUMNS)[number], string>;

export type DeadLettered = Extract<OpenStanding, { readonly word: 'dead-lettered' }>;

/** What of a cart is dead-lettered now, if anything is. */
export function deadPartOf(standing: Standing): DeadLettered | undefined {
  if (standing.word === 'partly-ordered') return deadPartOf(standing.rest);
  return standing.word === 'dead-lettered' ? standing : undefined;
}

export const codesOf = ({ faults }: { readonly faults: readonly Fault[] }): string =>
  [...new Set(faults.map(({ code }) => code))].join(' ');

export interface OpenFault {
  readonly cart: string;
  readonly fault: Fault;
  readonly sinceMs: number;
  readonly keptUntilMs: number;
  readonly messageIds: readonly string[];
}

/** One of each code: a cart with a hundred faults of one kind is one cart. */
export function openFaults(cart: string, { faults, sinceMs, keptUntilMs, messageIds }: DeadLettered): OpenFault[] {
  const byCode = new Map(faults.toReversed().map((fault) => [fault.code, fault]));
  return [...byCode.values()].map((fault) => ({ cart, fault, sinceMs, keptUntilMs, messageIds }));
}

export const openFaultRow = ({ cart, sinceMs, keptUntilMs, fault, messageIds }: OpenFault): TableRow => ({
  cart,
  'given up at': instantText(sinceMs),
  'kept until': instantText(keptUntilMs),
  'message id': messageIds.join(' '),
  why: `${fault.message}${faultPlace(fault)}`,
});

export const DEAD_LETTER_COLUMNS = [
  'cart',
  'code',
  'owner',
  'given up at',
  'kept until',
  'message id',
  'why',
  'what to do',
] as const;

export const deadLetterRow = (fault: OpenFault, environment: Pick<Environment, 'owners'>): TableRow => {
  const { code } = fault.fault;
  const { owner, action } = FAULT_CATALOGUE[code];
  return { ...openFaultRow(fault), code, owner: ownerText(environment, owner), 'what to do': action };
};
