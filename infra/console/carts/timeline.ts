/**
 * One timeline of a cart, from three witnesses: the ledger, the log, and the record of what people did by hand. What two of
 * them tell stands in it once. Pure.
 */
import type { LogEvent } from '../../../shared/log-events.ts';
import type { Operation } from '../../../shared/operations-of-month.ts';
import type { Moment, MomentKind } from '../../carts/cart-story.ts';
import type { LogLine } from '../logs/log-search.ts';

export type EntryKind = MomentKind | 'paused' | 'resumed' | 'by-hand' | 'log';

export interface TimelineEntry {
  readonly atMs: number;
  readonly kind: EntryKind;
  readonly witness: 'ledger' | 'log' | 'operator';
  readonly what: string;
}

export interface Witnesses {
  readonly moments: readonly Moment[];
  readonly lines: readonly LogLine[];
  /** Those that concern the cart, and those that paused or resumed consumption. */
  readonly operations: readonly Operation[];
}

/** The clocks of the functions, of DynamoDB's items and of the log are a little apart. */
const SAME_MS = 60_000;

/** What a line tells that the ledger tells, too. */
const TOLD_BY_LEDGER: ReadonlyMap<string, MomentKind> = new Map<LogEvent, MomentKind>([
  ['order.created', 'ordered'],
  ['order.recovered', 'ordered'],
  ['cart.dead-lettered', 'dead-lettered'],
  ['cart.skipped', 'skipped'],
]);

const KIND_OF_EVENT: ReadonlyMap<string, EntryKind> = new Map<LogEvent, EntryKind>([
  ['order.created', 'ordered'],
  ['order.recovered', 'ordered'],
  ['order.outcome-unknown', 'tried'],
  ['cart.retry-scheduled', 'tried'],
  ['cart.refused', 'tried'],
  ['cart.requeued', 'queued'],
  ['reconciliation.cart-queued', 'queued'],
  ['cart.dead-lettered', 'dead-lettered'],
  ['cart.skipped', 'skipped'],
  ['consumption.pausing', 'paused'],
  ['consumption.resumed', 'resumed'],
]);

export function timelineOf({ moments, lines, operations }: Witnesses): readonly TimelineEntry[] {
  const acts = operations.filter((operation) => !isToldBy(moments, operation));
  const told = distinctLines(lines).filter((line) => !isToldByLedger(line, moments) && !isToldByAct(line));
  const entries: TimelineEntry[] = [
    ...moments.map(({ atMs, kind, what }): TimelineEntry => ({ atMs, kind, witness: 'ledger', what })),
    ...told.map(entryOfLine),
    ...acts.map(entryOfAct),
  ];
  return entries.sort((one, other) => one.atMs - other.atMs);
}

/** Lambda may deliver a line twice; and two identifiers of a cart may find the same one. */
function distinctLines(lines: readonly LogLine[]): readonly LogLine[] {
  const keyOf = ({ atMs, service, event, messageId, externalId, attempt }: LogLine): string =>
    [atMs, service, event, messageId, externalId, attempt].join('\n');
  return [...new Map(lines.map((line) => [keyOf(line), line])).values()];
}

const isNear = (one: number, other: number): boolean => Math.abs(one - other) <= SAME_MS;

const isSameIfKnown = (one: string | undefined, other: string | undefined): boolean =>
  one === undefined || other === undefined || one === other;

function isToldByLedger(line: LogLine, moments: readonly Moment[]): boolean {
  const kind = TOLD_BY_LEDGER.get(line.event);
  return moments.some(
    (moment) =>
      moment.kind === kind &&
      isNear(moment.atMs, line.atMs) &&
      isSameIfKnown(moment.messageId, line.messageId) &&
      isSameIfKnown(moment.externalId, line.externalId),
  );
}

/** The ledger holds each act that has a line. */
const isToldByAct = ({ event }: LogLine): boolean => event.startsWith('operation.');

/** The ledger says by whom and why a dead letter of this cart was redriven or closed. */
const isToldBy = (moments: readonly Moment[], { action, startedAtMs, endedAtMs = startedAtMs }: Operation): boolean =>
  moments.some(
    ({ kind, atMs }) =>
      KIND_OF_ACTION.get(action) === kind && atMs >= startedAtMs - SAME_MS && atMs <= endedAtMs + SAME_MS,
  );
const KIND_OF_ACTION: ReadonlyMap<string, string> = new Map([
  ['redrive', 'redriven'],
  ['close', 'closed'],
]);

function entryOfLine({ atMs, event, sentence, reason, attempt, orderNumber, externalId }: LogLine): TimelineEntry {
  const facts = [
    ...(attempt === undefined ? [] : [`attempt ${attempt}`]),
    ...(orderNumber === undefined ? [] : [orderNumber]),
    ...(externalId === undefined ? [] : [externalId]),
  ];
  const what = `${sentence === '' ? event : sentence}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}${reason === undefined ? '' : `: ${reason}`}`;
  return { atMs, kind: KIND_OF_EVENT.get(event) ?? 'log', witness: 'log', what };
}

function entryOfAct({ action, by, reason, subject, startedAtMs, outcome }: Operation): TimelineEntry {
  const kind = action === 'pause' ? 'paused' : action === 'resume' ? 'resumed' : 'by-hand';
  const end = outcome === undefined ? 'no end is recorded' : `${outcome.result}: ${outcome.summary}`;
  return {
    atMs: startedAtMs,
    kind,
    witness: 'operator',
    what: `${action} of ${subject}, by ${by}: ${reason} (${end})`,
  };
}

/** The acts that a cart's timeline tells: those on it, and the pauses of its time. */
export function operationsAbout(
  operations: readonly Operation[],
  cart: { readonly number: string | undefined; readonly messageIds: readonly string[] },
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): readonly Operation[] {
  return operations.filter(({ action, cartNumbers, messageIds, startedAtMs }) => {
    if (action === 'pause' || action === 'resume') return startedAtMs >= fromMs && startedAtMs <= toMs;
    return (
      (cart.number !== undefined && cartNumbers.includes(cart.number)) ||
      messageIds.some((id) => cart.messageIds.includes(id))
    );
  });
}
