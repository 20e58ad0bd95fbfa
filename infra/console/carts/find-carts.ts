/**
 * Finds carts by whatever a person has in hand. What the ledger knows by its key comes first, then the lists of the last 14
 * days, by bounded work, and the log last. A text that has the form of no identifier is not searched at all.
 */
import { readExternalId } from '../../../shared/external-id.ts';
import { cartPartition, verdictSort } from '../../../shared/ledger-keys.ts';
import { cartItems } from '../../../shared/traces.ts';
import { cartKeyOf } from '../../carts/cart-key.ts';
import { type CartList, lastDays, readSlice } from '../../carts/cart-lists.ts';
import { cartOf } from '../../carts/known-cart.ts';
import type { OpenedLedger } from '../../carts/open-ledger.ts';
import { plural } from '../html.ts';
import { type Identifier, type IdentifierKind, identifiersOf, type LogSearch } from '../logs/log-search.ts';
import { isOfSupplier } from './list-request.ts';

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
  const byList = await inLists(identifiers, sources, everywhere);
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
  const items = await cartItems(ledger.table, cartPartition({ client, ...key }));
  const cart = key.number ?? key.guid ?? '';
  return items.length === 0
    ? { found: [], searched: [place], only: undefined }
    : { found: [{ cart, as: order === undefined ? 'cart' : 'external id' }], searched: [place], only: cart };
}

/** Megabytes of the index, at a thousandth of a cent each. */
const MOST_REQUESTS = 40;
const MOST_FOUND = 50;

type ListSearch = Pick<CartList, 'list' | 'filter' | 'isWanted'> & { readonly what: string; readonly as: string };

/** One after another, until one finds something: each reads what the lists hold of 14 days. */
async function inLists(identifiers: readonly Identifier[], sources: FindSources, everywhere: boolean): Promise<Search> {
  const searched: string[] = [];
  const found: FoundCart[] = [];
  for (const search of identifiers.flatMap((one) => listSearchOf(one) ?? [])) {
    const answer = await inList(search, sources);
    searched.push(answer.sentence);
    found.push(...answer.found);
    if (found.length > 0 && !everywhere) break;
  }
  const [first] = found;
  const isOne = found.every(({ cart, as }) => as !== 'supplier' && cart === first?.cart);
  return { found, searched, only: isOne ? first?.cart : undefined };
}

function listSearchOf({ kind, value }: Identifier): ListSearch | undefined {
  switch (kind) {
    case 'messageId':
      return {
        list: 'DEAD-LETTERED',
        isWanted: ({ sk }) => sk === verdictSort(value),
        what: 'messages that were given up',
        as: 'message id',
      };
    case 'orderNumber':
      return {
        list: 'CREATED',
        filter: { expression: 'orderNumber = :order OR orderId = :order', values: { ':order': value } },
        what: 'orders',
        as: 'order number',
      };
    case 'supplier':
      return { list: 'CREATED', isWanted: isOfSupplier(value), what: 'orders, by supplier,', as: 'supplier' };
    default:
      return undefined;
  }
}

async function inList(
  { what, as, ...list }: ListSearch,
  { ledger, nowMs }: FindSources,
): Promise<{ readonly found: readonly FoundCart[]; readonly sentence: string }> {
  const days = lastDays(nowMs).toReversed();
  const limits = { rows: MOST_FOUND, requests: MOST_REQUESTS };
  const { items, next, lookedAt } = await readSlice(ledger, { ...list, days }, undefined, limits);
  const carts = new Set(items.map(({ pk }) => cartOf(pk)?.name ?? pk));
  const entries = plural(lookedAt, 'entry', 'entries');
  const end =
    next === undefined
      ? `of the last 14 days (${entries})`
      : `back to ${next.day} (${entries}): not all of the last 14 days`;
  return { found: [...carts].map((cart) => ({ cart, as })), sentence: `The ${what} ${end}.` };
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
