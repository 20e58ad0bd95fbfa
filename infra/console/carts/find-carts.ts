/**
 * Finds carts by whatever a person has in hand. What the ledger knows by its key comes first, then the lists of the last 14
 * days, by bounded work, and the log last. A text that has the form of no identifier is not searched at all.
 */
import { readExternalId } from '../../../shared/external-id.ts';
import { cartPartition, orderSort, verdictSort } from '../../../shared/ledger-keys.ts';
import type { List } from '../../../shared/lists.ts';
import { cartKeyOf } from '../../carts/cart-key.ts';
import { lastDays, readSlice } from '../../carts/cart-lists.ts';
import { cartOf } from '../../carts/known-cart.ts';
import type { ListedItem, OpenedLedger } from '../../carts/open-ledger.ts';
import { plural } from '../html.ts';
import { type Identifier, type IdentifierKind, identifiersOf, type LogSearch } from '../logs/log-search.ts';

export interface FoundCart {
  readonly cart: string;
  /** As what the text was found: `order number`. */
  readonly as: string;
}

export interface Search {
  readonly found: readonly FoundCart[];
  /** What was searched, each place in a sentence. */
  readonly searched: readonly string[];
  /** The text names this cart, and can hardly mean another. */
  readonly only: string | undefined;
}

export interface FindSources {
  readonly ledger: OpenedLedger;
  readonly logs: LogSearch;
  readonly nowMs: number;
}

/** Undefined for a text that is no identifier. `everywhere`: also where another place has an answer already. */
export async function findCarts(text: string, sources: FindSources, everywhere: boolean): Promise<Search | undefined> {
  const identifiers = identifiersOf(text);
  if (identifiers.length === 0) return undefined;
  const byKey = await inLedger(text, sources);
  if (byKey.found.length > 0 && !everywhere) return byKey;
  const byList = await inLists(text, identifiers, sources);
  const both = { found: [...byKey.found, ...byList.found], searched: [...byKey.searched, ...byList.searched] };
  if (both.found.length > 0 && !everywhere) return { ...both, only: byList.only };
  const byLog = await inLog(identifiers, sources);
  return {
    found: [...both.found, ...byLog.found.filter(({ cart }) => !both.found.some((one) => one.cart === cart))],
    searched: [...both.searched, ...byLog.searched],
    only: undefined,
  };
}

/** An external id names its cart. */
async function inLedger(text: string, { ledger }: FindSources): Promise<Search> {
  const { client } = ledger.environment.srm;
  const order = readExternalId(text);
  const key = order === undefined ? cartKeyOf(text) : { number: order.cartNumber };
  const place =
    order === undefined ? 'The ledger, for a cart of this number or GUID.' : 'The ledger, for the cart of this order.';
  if (key === undefined || (order !== undefined && order.client !== client))
    return { found: [], searched: [], only: undefined };
  const items = await ledger.table.queryItems(cartPartition({ client, ...key }), '');
  const cart = key.number ?? key.guid ?? '';
  return items.length === 0
    ? { found: [], searched: [place], only: undefined }
    : { found: [{ cart, as: order === undefined ? 'cart' : 'external id' }], searched: [place], only: cart };
}

/** Megabytes of the index, at a thousandth of a cent each. */
const MOST_REQUESTS = 40;
const MOST_FOUND = 50;

const OF_ORDERS: readonly IdentifierKind[] = ['orderNumber', 'orderId', 'externalId', 'supplier'];

async function inLists(text: string, identifiers: readonly Identifier[], sources: FindSources): Promise<Search> {
  const kinds = new Set(identifiers.map(({ kind }) => kind));
  const searches: Search[] = [];
  if (OF_ORDERS.some((kind) => kinds.has(kind))) {
    const supplier = identifiers.find(({ kind }) => kind === 'supplier')?.value;
    searches.push(await inList('CREATED', 'orders', (item) => orderMatch(item, text, supplier), sources));
  }
  if (kinds.has('messageId')) {
    const isIt = ({ sk }: ListedItem) => (sk === verdictSort(text) ? ('message id' as const) : undefined);
    searches.push(await inList('DEAD-LETTERED', 'messages that were given up', isIt, sources));
  }
  const found = searches.flatMap((search) => search.found);
  const [first] = found;
  const isOne = first !== undefined && first.as !== 'supplier' && found.every(({ cart }) => cart === first.cart);
  return { found, searched: searches.flatMap(({ searched }) => searched), only: isOne ? first.cart : undefined };
}

function orderMatch({ sk, orderNumber, orderId }: ListedItem, text: string, supplier: string | undefined) {
  if (orderNumber === text) return 'order number';
  if (orderId === text) return 'order id';
  const externalId = sk.slice(orderSort('').length);
  if (externalId === text) return 'external id';
  return supplier !== undefined && readExternalId(externalId)?.supplier === supplier ? 'supplier' : undefined;
}

async function inList(
  list: List,
  what: string,
  matchOf: (item: ListedItem) => string | undefined,
  { ledger, nowMs }: FindSources,
): Promise<Search> {
  const days = lastDays(nowMs).toReversed();
  const isWanted = (item: ListedItem): boolean => matchOf(item) !== undefined;
  const limits = { rows: MOST_FOUND, requests: MOST_REQUESTS };
  const { items, next, lookedAt } = await readSlice(ledger, { list, days, isWanted }, undefined, limits);
  const found = new Map(
    items.map((item) => {
      const cart = cartOf(item.pk)?.name ?? item.pk;
      return [cart, { cart, as: matchOf(item) ?? '' }];
    }),
  );
  const end =
    next === undefined
      ? `of the last 14 days (${plural(lookedAt, 'entry', 'entries')})`
      : `back to ${next.day} (${plural(lookedAt, 'entry', 'entries')}): not all of the last 14 days`;
  return { found: [...found.values()], searched: [`The ${what} ${end}.`], only: undefined };
}

const LOG_WINDOW_MS = 14 * 24 * 3600_000;
const NAMES: Readonly<Record<IdentifierKind, string>> = {
  cartNumber: 'cart number',
  cartGuid: 'GUID',
  messageId: 'message id',
  runId: 'run id',
  externalId: 'external id',
  orderNumber: 'order number',
  orderId: 'order id',
  supplier: 'supplier',
};

async function inLog(identifiers: readonly Identifier[], { logs, nowMs }: FindSources): Promise<Search> {
  const answer = await logs.cartsBy(identifiers, { fromMs: nowMs - LOG_WINDOW_MS, toMs: nowMs });
  const names = identifiers.map(({ kind }) => NAMES[kind]).join(', ');
  if (answer.kind === 'unanswered') {
    return { found: [], searched: [`Not the log: ${answer.why}.`], only: undefined };
  }
  const end = answer.isWhole ? '' : '; there are more carts than are shown';
  const found = answer.value.flatMap(({ number, guid }) => {
    const cart = number ?? guid;
    return cart === undefined ? [] : [{ cart, as: 'in a line of its log' }];
  });
  return { found, searched: [`The log of the last 14 days, for this ${names}${end}.`], only: undefined };
}
