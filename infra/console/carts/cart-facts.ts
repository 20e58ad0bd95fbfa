/** What the page of a cart tells, gathered from ledger, log and the record of acts by hand. */
import type { FaultCode, Fault } from '../../../shared/failure.ts';
import { FAULT_CATALOGUE } from '../../../shared/fault-catalogue.ts';
import type { CartKey } from '../../../shared/ledger-keys.ts';
import { type Operation, operationsOfMonth } from '../../../shared/operations-of-month.ts';
import type { Standing } from '../../../shared/standing.ts';
import type { OrderTrace, Trace } from '../../../shared/traces.ts';
import { monthOf } from '../../calendar.ts';
import { deadPartOf } from '../../carts/cart-lists.ts';
import { type CartStory, readCartStory } from '../../carts/cart-story.ts';
import type { Environment } from '../../environments.ts';
import { identifier, type Identifier, type IdentifierKind, type LogAnswer, type LogLine } from '../logs/log-search.ts';
import { runbookHeadingOf } from '../runbook-heading.ts';
import type { Sources } from '../sources.ts';
import { ticketText } from '../ticket.ts';
import { operationsAbout, timelineOf, type TimelineEntry } from './timeline.ts';

export interface CartFacts {
  readonly story: CartStory;
  readonly orders: readonly OrderTrace[];
  /** What is wrong with it now. */
  readonly faults: readonly Fault[];
  readonly timeline: readonly TimelineEntry[];
  /** Undefined where its identity cannot be searched for. */
  readonly log: LogAnswer<readonly LogLine[]> | undefined;
  readonly runbookHeading: string;
  readonly ticket: string;
}

const MINUTE_MS = 60_000;
/** Lines of an attempt that ended it are written a little after what the ledger holds. */
const AFTERWARDS_MS = 10 * MINUTE_MS;
const MOST_MONTHS = 13;
const MOST_IDENTIFIERS = 20;

export async function readCartFacts(
  key: Omit<CartKey, 'client'>,
  { ledger, logs, environment }: Pick<Sources, 'ledger' | 'logs' | 'environment'>,
  nowMs: number,
): Promise<CartFacts> {
  const story = await readCartStory(key, ledger, nowMs);
  const { traces, moments, standing, name } = story;
  const messageIds = messageIdsOf(traces);
  const orders = traces.filter((trace) => trace.kind === 'order');
  // SRM may have changed the cart long before a run read it.
  const times = moments.filter(({ kind }) => kind !== 'changed').map(({ atMs }) => atMs);
  const window = {
    fromMs: Math.min(nowMs, ...times) - MINUTE_MS,
    toMs: isSettled(standing) ? Math.min(nowMs, Math.max(...times) + AFTERWARDS_MS) : nowMs,
  };
  const asked = identifiersIn(
    key,
    messageIds,
    orders.map(({ externalId }) => externalId),
  );
  const [operations, log] = await Promise.all([
    operationsSince(window.fromMs, nowMs, ledger.table),
    asked.length === 0 || times.length === 0 ? undefined : logs.story(asked, window),
  ]);
  const faults = faultsOf(standing);
  const runbookHeading = runbookHeadingOf(standing, {
    isPaused: story.context.breaker.state !== 'CLOSED',
    hasNoLookUp: environment.vms.lookUpBy === 'none',
  });
  return {
    story,
    orders,
    faults,
    timeline: timelineOf({
      moments,
      lines: log?.kind === 'answered' ? log.value : [],
      operations: operationsAbout(operations, { number: key.number, messageIds }, window),
    }),
    log,
    runbookHeading,
    ticket: ticketOf(environment, { name, standing, faults, messageIds, orders, times, runbookHeading }),
  };
}

/** Also of the messages that a redrive made. */
const messageIdsOf = (traces: readonly Trace[]): readonly string[] => {
  const ids = traces.flatMap((trace) => [
    ...('messageId' in trace ? [trace.messageId] : []),
    ...(trace.kind === 'redrive' && trace.newMessageId !== undefined ? [trace.newMessageId] : []),
  ]);
  return [...new Set(ids)].filter((id) => id !== '');
};

/** Nothing more is to come of it by itself. */
const isSettled = ({ word }: Standing): boolean => ['ordered', 'cured', 'skipped', 'closed'].includes(word);

function faultsOf(standing: Standing): readonly Fault[] {
  if (standing.word === 'partly-ordered') return faultsOf(standing.rest);
  if (standing.word === 'retrying') return standing.faults;
  return deadPartOf(standing)?.faults ?? [];
}

/** Those in a form that may enter a query. */
function identifiersIn(
  { number, guid }: Omit<CartKey, 'client'>,
  messageIds: readonly string[],
  externalIds: readonly string[],
): readonly Identifier[] {
  const all: readonly (readonly [IdentifierKind, string])[] = [
    ...(number === undefined ? [] : [['cartNumber', number] as const]),
    ...(number !== undefined || guid === undefined ? [] : [['cartGuid', guid] as const]),
    ...messageIds.map((id) => ['messageId', id] as const),
    ...externalIds.map((id) => ['externalId', id] as const),
  ];
  return all.flatMap(([kind, text]) => identifier(kind, text) ?? []).slice(0, MOST_IDENTIFIERS);
}

async function operationsSince(
  fromMs: number,
  nowMs: number,
  table: Sources['ledger']['table'],
): Promise<readonly Operation[]> {
  const months: string[] = [];
  for (let ms = nowMs; months.length < MOST_MONTHS; ms = Date.parse(`${monthOf(ms)}-01T00:00:00Z`) - 1) {
    months.push(monthOf(ms));
    if (monthOf(ms) <= monthOf(fromMs)) break;
  }
  return (await Promise.all(months.map((month) => operationsOfMonth(table, month)))).flat();
}

interface TicketParts extends Pick<CartFacts, 'faults' | 'orders' | 'runbookHeading'> {
  readonly name: string;
  readonly standing: Standing;
  readonly messageIds: readonly string[];
  readonly times: readonly number[];
}

function ticketOf(environment: Environment, parts: TicketParts): string {
  const { name, standing, faults, messageIds, orders, times, runbookHeading } = parts;
  return ticketText({
    environment,
    cart: name,
    word: standing.word,
    messageIds,
    externalIds: orders.map(({ externalId }) => externalId),
    codes: codesOf(faults),
    firstSeenMs: times.length === 0 ? undefined : Math.min(...times),
    lastSeenMs: times.length === 0 ? undefined : Math.max(...times),
    runbook: runbookHeading,
  });
}

const codesOf = (faults: readonly Fault[]): readonly FaultCode[] => [...new Set(faults.map(({ code }) => code))];

/** Each reason once, with who can correct it and what to do, and the places where it was found. */
export const faultGroups = (faults: readonly Fault[]) =>
  codesOf(faults).map((code) => ({
    code,
    ...FAULT_CATALOGUE[code],
    faults: faults.filter((fault) => fault.code === code),
  }));
