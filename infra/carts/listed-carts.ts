/** Answers about the lists by day and by state. */
import type { FaultCode } from '../../shared/failure.ts';
import { FAULT_CATALOGUE } from '../../shared/fault-catalogue.ts';
import { inLanes } from '../../shared/lanes.ts';
import { printable } from '../../shared/printable-text.ts';
import type { StandingWord } from '../../shared/standing.ts';
import { instantText } from '../../shared/standing-sentence.ts';
import { ownerText } from '../owners.ts';
import type { Answer } from './answer.ts';
import {
  codesOf,
  DEAD_LETTER_COLUMNS,
  type DeadLettered,
  deadLetterRow,
  deadPartOf,
  eachCartOnce,
  lastDays,
  LIST_OF,
  openFaultRow,
  openFaults,
  ORDER_COLUMNS,
  orderOf,
  orderRow,
  SKIPPED_COLUMNS,
  skippedRow,
  type StandingCart,
  standingsOf,
} from './cart-lists.ts';
import { CARTS_AT_ONCE, type Progress } from './known-cart.ts';
import type { OpenedLedger, ListedItem } from './open-ledger.ts';
import type { StateQuestion } from './options.ts';
import { asTable, plural } from './tables.ts';

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

/** Of each listed cart once. */
async function askStandings(
  items: readonly ListedItem[],
  ledger: OpenedLedger,
  nowMs: number,
  progress: Progress,
): Promise<readonly StandingCart[]> {
  const carts = eachCartOnce(items);
  let done = 0;
  return standingsOf(carts, ledger, nowMs, () => progress.at(++done, carts.length));
}

function skippedByReason(asked: readonly StandingCart[], when: string): Answer {
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
      columns: SKIPPED_COLUMNS,
      rows: groups.flatMap(({ reason, carts }) =>
        carts.map(({ cart, sinceMs }) => skippedRow(cart, { sinceMs, reason })),
      ),
    },
  };
}

function deadLettersByReason(
  asked: readonly StandingCart[],
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
  return {
    text: [
      `${plural(open.length, 'cart')} dead-lettered ${when} (UTC) and not cured${notCountedText(notCounted)}\n`,
      onlyCode === undefined
        ? ''
        : `For ${onlyCode} alone; ${others} more for other reasons, or for more than this one\n`,
      ...groups.map(
        ({ code, owner, meaning, action, values, carts }) =>
          `\n${code}: ${plural(carts.length, 'cart')}, owner: ${owner}\n  ${meaning}. ${action}\n${valuesText(values)}${asTable(carts.map(openFaultRow), '  ')}`,
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
      columns: DEAD_LETTER_COLUMNS,
      rows: groups.flatMap(({ carts }) => carts.map((one) => deadLetterRow(one, environment))),
    },
  };
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
function wordsOf(asked: readonly StandingCart[], except?: StandingWord): Partial<Record<StandingWord, number>> {
  const others = asked.map(({ standing }) => standing.word).filter((word) => word !== except);
  return Object.fromEntries(groupedBy(others, (word) => word).map(([word, { length }]) => [word, length]));
}

function notCountedText(counts: Partial<Record<StandingWord, number>>): string {
  const texts = Object.entries(counts).map(([word, count]) => `${count} ${word}`);
  return texts.length === 0 ? '' : `; since then otherwise: ${texts.join(', ')}`;
}
