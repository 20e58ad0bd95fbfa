/** What of the carts' lists a URL asks for. Everything in it is checked, also the position at which a list goes on. */
import * as z from 'zod';
import { type FaultCode, isFaultCode } from '../../../shared/failure.ts';
import { readExternalId } from '../../../shared/external-id.ts';
import { orderSort, SKIP_SORT, verdictSort } from '../../../shared/ledger-keys.ts';
import type { List } from '../../../shared/lists.ts';
import { dayOf, daysOf, isDay, isMonth } from '../../calendar.ts';
import { type CartList, lastDays, LIST_OF, type ListStart } from '../../carts/cart-lists.ts';
import { type ListedState, STATES } from '../../carts/cart-states.ts';
import type { ListedItem } from '../../carts/open-ledger.ts';
import { identifier } from '../logs/log-search.ts';

/** The URL cannot be answered. The message is for the person who typed or changed it. */
export class BadQuery extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BadQuery';
  }
}

const given = ({ searchParams }: URL, name: string): string | undefined => searchParams.get(name)?.trim() || undefined;

/** A day, a month, or undefined for the last 14 days. @throws {BadQuery} */
export interface Period {
  readonly day: string | undefined;
  readonly month: string | undefined;
}

export function periodOf(url: URL): Period {
  const [day, month] = [given(url, 'day'), given(url, 'month')];
  if (day !== undefined && !isDay(day)) throw new BadQuery('A day is written as 2026-11-27, in UTC.');
  if (month !== undefined && !isMonth(month)) throw new BadQuery('A month is written as 2026-11, in UTC.');
  return { day, month };
}

/** Newest first, and none that is still to come. */
export function newestDays({ day, month }: Period, nowMs: number): readonly string[] {
  const days = day !== undefined ? [day] : month !== undefined ? daysOf(month) : lastDays(nowMs);
  return days.filter((one) => one <= dayOf(nowMs)).toReversed();
}

export interface ListRequest {
  readonly state: ListedState;
  readonly period: Period;
  /** Of dead letters. */
  readonly code: FaultCode | undefined;
  /** Of orders. */
  readonly supplier: string | undefined;
  readonly list: CartList;
  readonly start: ListStart | undefined;
  /** The filter, for links. */
  readonly query: Readonly<Record<string, string | undefined>>;
}

/** @throws {BadQuery} */
export function listRequestOf(url: URL, state: ListedState, client: string, nowMs: number): ListRequest {
  const period = periodOf(url);
  const code = state === 'dead-lettered' ? codeOf(given(url, 'code')) : undefined;
  const supplier = state === 'ordered' ? supplierOf(given(url, 'supplier')) : undefined;
  const days = newestDays(period, nowMs);
  const list = { list: LIST_OF[state], days, ...filterOf(code, supplier) };
  const after = given(url, 'after');
  return {
    state,
    period,
    code,
    supplier,
    list,
    start: after === undefined ? undefined : readStart(after, list, client),
    query: { state, ...period, code, supplier },
  };
}

export const isListedState = (text: string): text is ListedState => STATES.some((state) => state === text);

function codeOf(text: string | undefined): FaultCode | undefined {
  const code = text?.toUpperCase();
  if (code === undefined || isFaultCode(code)) return code;
  throw new BadQuery('A reason code is one of shared/contract/errors.md, such as E_MAP_UOM.');
}

function supplierOf(text: string | undefined): string | undefined {
  if (text === undefined || identifier('supplier', text) !== undefined) return text;
  throw new BadQuery('A supplier is its number in SRM without leading zeros, such as 100234.');
}

/** No index lists the orders of a supplier: its number is a part of their names. */
export const isOfSupplier =
  (supplier: string) =>
  ({ sk }: ListedItem): boolean =>
    readExternalId(sk.slice(orderSort('').length))?.supplier === supplier;

function filterOf(code: FaultCode | undefined, supplier: string | undefined): Pick<CartList, 'filter' | 'isWanted'> {
  if (code !== undefined) return { filter: { expression: 'contains(codes, :code)', values: { ':code': code } } };
  return supplier === undefined ? {} : { isWanted: isOfSupplier(supplier) };
}

const SORT_PREFIX: Readonly<Record<List, string>> = {
  CREATED: orderSort(''),
  SKIPPED: SKIP_SORT,
  'DEAD-LETTERED': verdictSort(''),
};

const DAMAGED = 'The link to this part of the list is damaged: begin with its first part.';
const MOST_CHARACTERS = 1000;
const position = z.union([
  z.tuple([z.string()]),
  z.tuple([z.string(), z.int(), z.string().max(MOST_CHARACTERS), z.string().max(MOST_CHARACTERS)]),
]);

export const writeStart = ({ day, after }: ListStart): string =>
  Buffer.from(JSON.stringify(after === undefined ? [day] : [day, after.listedAtMs, after.pk, after.sk])).toString(
    'base64url',
  );

/** It can only name another place of the same list, which the same person may read. @throws {BadQuery} */
export function readStart(text: string, { list, days }: CartList, client: string): ListStart {
  const { data } = position.safeParse(parsed(text));
  if (data === undefined || !days.includes(data[0])) throw new BadQuery(DAMAGED);
  if (data.length === 1) return { day: data[0], after: undefined };
  const [day, listedAtMs, pk, sk] = data;
  const isInside =
    pk.startsWith(`CART#${client}#`) &&
    sk.startsWith(SORT_PREFIX[list]) &&
    isTime(listedAtMs) &&
    dayOf(listedAtMs) === day;
  if (!isInside) throw new BadQuery(DAMAGED);
  return { day, after: { listedAtMs, pk, sk } };
}

const isTime = (ms: number): boolean => Math.abs(ms) <= 8.64e15;

function parsed(text: string): unknown {
  try {
    return /^[\w-]{1,4000}$/.test(text) ? JSON.parse(Buffer.from(text, 'base64url').toString()) : undefined;
  } catch {
    return undefined;
  }
}
