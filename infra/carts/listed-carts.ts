/** The lists by day and by state, from the ledger's index. */
import { FAULT_CATALOGUE, type Fault, type FaultCode, faultPlace } from '../../shared/failure.ts';
import { inLanes } from '../../shared/lanes.ts';
import { orderSort } from '../../shared/ledger-keys.ts';
import type { List } from '../../shared/lists.ts';
import { printable } from '../../shared/printable-text.ts';
import { type OpenStanding, type Standing, standingOf, type StandingWord } from '../../shared/standing.ts';
import { instantText } from '../../shared/standing-sentence.ts';
import { tracesOf } from '../../shared/traces.ts';
import { ownerText } from '../owners.ts';
import type { Answer } from './answer.ts';
import { cartOf, CARTS_AT_ONCE, type KnownCart, type Progress, UNIDENTIFIED } from './known-cart.ts';
import type { ListedItem, OpenedLedger } from './open-ledger.ts';
import type { ListedState, StateQuestion } from './options.ts';
import { asTable, plural, type TableRow } from './tables.ts';

const DAY_MS = 24 * 3600_000;
/** SQS keeps a dead letter for so long. */
const DAYS = 14;
const LIST_OF = { ordered: 'CREATED', skipped: 'SKIPPED', 'dead-lettered': 'DEAD-LETTERED' } as const satisfies Record<
  ListedState,
  List
>;

/** Today and the 14 days before. */
const lastDays = (nowMs: number): string[] =>
  Array.from({ length: DAYS + 1 }, (_, index) => new Date(nowMs - (DAYS - index) * DAY_MS).toISOString().slice(0, 10));

interface ListedOrder {
  readonly orderedAtMs: number;
  readonly cart: string;
  readonly orderNumber: string;
  readonly orderId: string;
  readonly externalId: string;
  readonly changedAtMs: number | undefined;
}

const orderOf = ({ pk, sk, listedAtMs, changedAtMs, orderId = '', orderNumber = '' }: ListedItem): ListedOrder => ({
  orderedAtMs: listedAtMs,
  cart: cartOf(pk)?.name ?? pk,
  orderNumber,
  orderId,
  externalId: sk.slice(orderSort('').length),
  changedAtMs,
});

const ORDER_COLUMNS = ['ordered at', 'cart', 'order number', 'order id', 'external id', 'cart changed at'] as const;
const orderRow = (order: ListedOrder): TableRow =>
  ({
    'ordered at': instantText(order.orderedAtMs),
    cart: order.cart,
    'order number': order.orderNumber,
    'order id': order.orderId,
    'external id': order.externalId,
    'cart changed at': order.changedAtMs === undefined ? '' : instantText(order.changedAtMs),
  }) satisfies Record<(typeof ORDER_COLUMNS)[number], string>;

/** Also the orders that a look-up found: the ledger learns of them in the same way. */
export async function ordersOfDay(day: string, ledger: OpenedLedger): Promise<Answer> {
  const orders = (await ledger.listed('CREATED', day)).map(orderOf);
  const rows = orders.map(orderRow);
  const carts = new Set(orders.map(({ cart }) => cart)).size;
  return {
    text: `${plural(orders.length, 'order')} of ${plural(carts, 'cart')}, created on ${day} (UTC)\n${rows.length === 0 ? '' : `\n${asTable(rows)}`}`,
    data: { day, carts, orders },
    list: { columns: ORDER_COLUMNS, rows },
  };
}

export async function cartsInState(
  { state, day, code }: StateQuestion,
  ledger: OpenedLedger,
  nowMs: number,
  progress: Progress,
): Promise<Answer> {
  const days = day === undefined ? lastDays(nowMs) : [day];
  const lists = await inLanes(days, CARTS_AT_ONCE, async (one) => ({
    day: one,
    items: await ledger.listed(LIST_OF[state], one),
  }));
  const when = day === undefined ? `since ${days[0] ?? ''}` : `on ${day}`;
  if (state === 'ordered') return orderedByDay(lists, when);
  const asked = await askStandings(
    lists.flatMap(({ items }) => items),
    ledger,
    nowMs,
    progress,
  );
  return state === 'skipped' ? skippedByReason(asked, when) : deadLettersByReason(asked, { when, code }, ledger);
}

function orderedByDay(
  lists: readonly { readonly day: string; readonly items: readonly ListedItem[] }[],
  when: string,
): Answer {
  const all = lists.map(({ day, items }) => ({ day, orders: items.map(orderOf) }));
  const counts = all
    .filter(({ orders }) => orders.length > 0)
    .map(({ day, orders }) => ({ day, orders: orders.length, carts: new Set(orders.map(({ cart }) => cart)).size }));
  const total = counts.reduce((sum, { orders }) => sum + orders, 0);
  return {
    text: `${plural(total, 'order')}, created ${when} (UTC); --day shows those of one day\n${counts.length === 0 ? '' : `\n${asTable(counts)}`}`,
    data: { state: 'ordered', when, days: counts },
    list: { columns: ORDER_COLUMNS, rows: all.flatMap(({ orders }) => orders.map(orderRow)) },
  };
}

interface AskedCart {
  readonly cart: KnownCart;
  readonly standing: Standing;
}

/** The present standing of each cart that is listed: much can have happened since. */
async function askStandings(
  items: readonly ListedItem[],
  { table }: OpenedLedger,
  nowMs: number,
  progress: Progress,
): Promise<readonly AskedCart[]> {
  // Carts without any identity share a partition: each of their messages stands for a cart of its own.
  const keyOf = ({ pk, sk }: ListedItem): string => (cartOf(pk)?.name === UNIDENTIFIED ? `${pk} ${sk}` : pk);
  const distinct = [...new Map(items.map((item) => [keyOf(item), item])).values()];
  let done = 0;
  const asked = await inLanes(distinct, CARTS_AT_ONCE, async ({ pk, sk }) => {
    const cart = cartOf(pk);
    const isUnidentified = cart?.name === UNIDENTIFIED;
    const traces = tracesOf(await table.queryItems(pk, isUnidentified ? sk : ''));
    progress.at(++done, distinct.length);
    return cart === undefined ? [] : [{ cart, standing: standingOf(traces, { nowMs }) }];
  });
  return asked.flat();
}

function skippedByReason(asked: readonly AskedCart[], when: string): Answer {
  const skipped = asked.flatMap(({ cart, standing }) =>
    standing.word === 'skipped' ? [{ cart: cart.name, ...standing }] : [],
  );
  const groups = groupedBy(skipped, ({ reason }) => reason).map(([reason, carts]) => ({
    reason,
    carts: carts.map(({ cart, sinceMs }) => ({ cart, sinceMs })),
  }));
  const notCounted = wordsOf(asked, 'skipped');
  const rowOf = ({ cart, sinceMs }: { cart: string; sinceMs: number }) => ({
    cart,
    'skipped at': instantText(sinceMs),
  });
  return {
    text: [
      `${plural(skipped.length, 'cart')} skipped by a rule ${when} (UTC)${notCountedText(notCounted)}\n`,
      ...groups.map(
        ({ reason, carts }) => `\n${plural(carts.length, 'cart')}: ${reason}\n${asTable(carts.map(rowOf), '  ')}`,
      ),
    ].join(''),
    data: { state: 'skipped', when, groups, notCounted },
    list: {
      columns: ['cart', 'skipped at', 'reason'],
      rows: groups.flatMap(({ reason, carts }) => carts.map((cart) => ({ ...rowOf(cart), reason }))),
    },
  };
}

type DeadLettered = Extract<OpenStanding, { readonly word: 'dead-lettered' }>;
interface OpenFault {
  readonly cart: string;
  readonly fault: Fault;
  readonly sinceMs: number;
  readonly keptUntilMs: number;
  readonly messageIds: readonly string[];
}

function deadLettersByReason(
  asked: readonly AskedCart[],
  { when, code: onlyCode }: { readonly when: string; readonly code: FaultCode | undefined },
  { environment }: OpenedLedger,
): Answer {
  const all = asked.flatMap(({ cart, standing }) => {
    const dead = deadPartOf(standing);
    return dead === undefined ? [] : [{ cart: cart.name, dead }];
  });
  // A cart with a fault beside it fails again when this one is corrected.
  const open = onlyCode === undefined ? all : all.filter(({ dead }) => codesOf(dead) === onlyCode);
  const others = all.length - open.length;
  const faults = open.flatMap(({ cart, dead }) => openFaults(cart, dead));
  const groups = groupedBy(faults, ({ fault }) => fault.code).map(([code, carts]) => {
    const { owner, meaning, action } = FAULT_CATALOGUE[code];
    return { code, owner: ownerText(environment, owner), meaning, action, values: valuesOf(code, open), carts };
  });
  const notCounted = wordsOf(asked.filter(({ standing }) => deadPartOf(standing) === undefined));
  const rowOf = ({ cart, sinceMs, keptUntilMs, fault, messageIds }: OpenFault): TableRow => ({
    cart,
    'given up at': instantText(sinceMs),
    'kept until': instantText(keptUntilMs),
    'message id': messageIds.join(' '),
    why: `${fault.message}${faultPlace(fault)}`,
  });
  return {
    text: [
      `${plural(open.length, 'cart')} dead-lettered ${when} (UTC) and not cured${notCountedText(notCounted)}\n`,
      onlyCode === undefined
        ? ''
        : `For ${onlyCode} alone; ${others} more for other reasons, or for more than this one\n`,
      ...groups.map(
        ({ code, owner, meaning, action, values, carts }) =>
          `\n${code}: ${plural(carts.length, 'cart')}, owner: ${owner}\n  ${meaning}. ${action}\n${valuesText(values)}${asTable(carts.map(rowOf), '  ')}`,
      ),
    ].join(''),
    data: {
      state: 'dead-lettered',
      when,
      carts: open.length,
      groups: groups.map(({ carts, ...group }) => ({
        ...group,
        carts: carts.map(({ fault, ...cart }) => ({ ...cart, ...fault })),
      })),
      notCounted,
    },
    list: {
      columns: ['cart', 'code', 'owner', 'given up at', 'kept until', 'message id', 'why', 'what to do'],
      rows: groups.flatMap(({ code, owner, action, carts }) =>
        carts.map((one) => ({ ...rowOf(one), code, owner, 'what to do': action })),
      ),
    },
  };
}

function deadPartOf(standing: Standing): DeadLettered | undefined {
  if (standing.word === 'partly-ordered') return deadPartOf(standing.rest);
  return standing.word === 'dead-lettered' ? standing : undefined;
}

interface FaultyValue {
  readonly value: string;
  readonly carts: number;
}

/** All of them: one that is not corrected with the others comes back as a dead letter after the redrive. */
function valuesOf(code: FaultCode, open: readonly { readonly dead: DeadLettered }[]): FaultyValue[] {
  const values = open.flatMap(({ dead }) => [
    ...new Set(dead.faults.flatMap((fault) => (fault.code === code ? [fault.value ?? ''] : []))),
  ]);
  return groupedBy(
    values.filter((value) => value !== ''),
    (value) => value,
  ).map(([value, { length }]) => ({ value, carts: length }));
}

const SHOWN_VALUES = 20;

function valuesText(values: readonly FaultyValue[]): string {
  const texts = values
    .slice(0, SHOWN_VALUES)
    .map(({ value, carts }) => `"${printable(value, 40)}" (${plural(carts, 'cart')})`);
  const more = values.length > SHOWN_VALUES ? [`and ${values.length - SHOWN_VALUES} more, in --json`] : [];
  return texts.length === 0 ? '' : `  Values: ${[...texts, ...more].join(', ')}\n`;
}

const codesOf = ({ faults }: DeadLettered): string => [...new Set(faults.map(({ code }) => code))].join(' ');

/** One of each code: a cart with a hundred faults of one kind is one cart. */
function openFaults(cart: string, { faults, sinceMs, keptUntilMs, messageIds }: DeadLettered): OpenFault[] {
  const byCode = new Map(faults.toReversed().map((fault) => [fault.code, fault]));
  return [...byCode.values()].map((fault) => ({ cart, fault, sinceMs, keptUntilMs, messageIds }));
}

/** The largest group first. */
function groupedBy<One, Key>(all: readonly One[], keyOf: (one: One) => Key): [Key, One[]][] {
  const groups = new Map<Key, One[]>();
  for (const one of all) {
    const group = groups.get(keyOf(one));
    if (group === undefined) groups.set(keyOf(one), [one]);
    else group.push(one);
  }
  return [...groups].sort(([, one], [, other]) => other.length - one.length);
}

/** How many carts are listed and stand otherwise by now. */
function wordsOf(asked: readonly AskedCart[], except?: StandingWord): Partial<Record<StandingWord, number>> {
  const others = asked.map(({ standing }) => standing.word).filter((word) => word !== except);
  return Object.fromEntries(groupedBy(others, (word) => word).map(([word, { length }]) => [word, length]));
}

function notCountedText(counts: Partial<Record<StandingWord, number>>): string {
  const texts = Object.entries(counts).map(([word, count]) => `${count} ${word}`);
  return texts.length === 0 ? '' : `; since then otherwise: ${texts.join(', ')}`;
}
