/**
 * What became of one cart, in one word, by the items that the ledger holds of it. Pure. Reconciliation, command line and
 * console all ask here, so that they never tell different stories.
 *
 * | word           | the newest version of the cart                                                                  |
 * |----------------|-------------------------------------------------------------------------------------------------|
 * | never-read     | is not known: no run has read the cart                                                          |
 * | waiting        | is on the queue, and no attempt has come as far as one of its orders                            |
 * | in-progress    | is being tried by an attempt                                                                    |
 * | retrying       | was tried, and will be tried again                                                              |
 * | partly-ordered | has some of its orders; what is left is waiting, in progress, retrying, dead-lettered or closed |
 * | ordered        | has all its orders                                                                              |
 * | cured          | has all its orders, although one of its messages was given up                                   |
 * | skipped        | is not to be ordered, by a rule                                                                 |
 * | dead-lettered  | was given up, for a reason on which a person can act                                            |
 * | closed         | was given up, and a person has settled it by hand                                               |
 *
 * A dead letter that was redriven is waiting again, until an attempt at its new message says more.
 *
 * Where all orders exist, or a rule skips the others, nothing is missing: a verdict is past, unless it says that orders exist
 * which the cart no longer has. Of an earlier version, such a verdict may be the only notice: it decides where the newest version asks for
 * nothing more.
 */
import type { Fault } from './failure.ts';
import {
  type ClosedTrace,
  endsAttemptsAt,
  isOpenOrder,
  isRejectedButHeld,
  type OrderTrace,
  type QueuedTrace,
  type RedriveTrace,
  settledAtMs,
  type SkipTrace,
  type Trace,
  type VerdictTrace,
} from './traces.ts';

export type Standing =
  | { readonly word: 'never-read' }
  | {
      readonly word: 'partly-ordered';
      readonly created: readonly OrderTrace[];
      readonly missing: number;
      readonly rest: OpenStanding;
    }
  | { readonly word: 'ordered'; readonly created: readonly OrderTrace[] }
  | { readonly word: 'cured'; readonly created: readonly OrderTrace[]; readonly givenUp: readonly VerdictTrace[] }
  | { readonly word: 'skipped'; readonly reason: string; readonly sinceMs: number }
  | OpenStanding;

/** `isOverdue`: SQS cannot hold its message unless it waits in line, or consumption is paused. */
export type OpenStanding =
  | { readonly word: 'waiting'; readonly sinceMs: number; readonly isOverdue: boolean }
  | { readonly word: 'in-progress'; readonly untilMs: number }
  | {
      readonly word: 'retrying';
      readonly triedAtMs: number;
      /** About when: the worker varies its delays. */
      readonly againAtMs: number;
      readonly faults: readonly Fault[];
      readonly isOverdue: boolean;
    }
  | {
      readonly word: 'dead-lettered';
      readonly faults: readonly Fault[];
      readonly sinceMs: number;
      /** Until then, at the least, its message lies in the dead-letter queue. */
      readonly keptUntilMs: number;
      readonly messageIds: readonly string[];
    }
  | {
      readonly word: 'closed';
      readonly sinceMs: number;
      readonly by: string;
      readonly reason: string;
      readonly messageIds: readonly string[];
    };

export type StandingWord = Standing['word'];

export interface StandingQuestion {
  readonly nowMs: number;
  /** Of this version and later ones; undefined: of the newest that is known. */
  readonly changedAtMs?: number | undefined;
  /** Whether a change or historical version is asked about; undefined: the active one, if the ledger knows of it. */
  readonly isInactiveVersion?: boolean;
}

/** The longest delay between two attempts is 15 minutes: after an hour without an attempt, none will follow. */
export const FRESH_MS = 3600_000;
/** SQS keeps a dead letter for 14 days from when its message was first sent. */
export const DEAD_LETTER_LIFETIME_MS = 14 * 24 * 3600_000;
const FIRST_DELAY_MS = 30_000;
const LONGEST_DELAY_MS = 900_000;

export function standingOf(known: readonly Trace[], { nowMs, changedAtMs, ...asked }: StandingQuestion): Standing {
  const traces = relevantTo(known, { changedAtMs, ...asked });
  const newestMs = changedAtMs ?? newestVersionMs(traces);
  const standing = standingOfVersion(traces, newestMs, nowMs);
  const rest = standing.word === 'partly-ordered' ? standing.rest : standing;
  if (!AT_REST.has(rest.word)) return standing;
  const earlier = traces.filter((trace) => trace.changedAtMs < newestMs);
  const notices = noticesOf(earlier, traces, nowMs);
  if (notices.length === 0) return standing;
  const held = givenUp(notices, earlier, nowMs);
  return standing.word === 'partly-ordered' ? { ...standing, rest: held } : held;
}

/** What is known of change and historical versions says nothing of the active one (edge case 20), nor the other way round. */
function relevantTo(
  traces: readonly Trace[],
  { changedAtMs = 0, isInactiveVersion }: Omit<StandingQuestion, 'nowMs'>,
): readonly Trace[] {
  if (isInactiveVersion === true)
    return traces.filter((trace) => trace.isInactiveVersion === true || !trace.isVersionKnown);
  const active = traces.filter((trace) => trace.isInactiveVersion !== true);
  const isKnown = active.some((trace) => trace.changedAtMs >= changedAtMs);
  return isKnown || isInactiveVersion === false ? active : traces;
}

function standingOfVersion(traces: readonly Trace[], newestMs: number, nowMs: number): Standing {
  const current = traces.filter((trace) => trace.changedAtMs >= newestMs);
  const orders = current.filter((trace) => trace.kind === 'order');
  const verdicts = current.filter((trace) => trace.kind === 'verdict');
  const skip = current.find((trace) => trace.kind === 'skip');
  const created = orders.filter(({ state }) => state === 'CREATED');
  const redriven = current.filter(isSentAgain);
  const isSkipped = skip !== undefined && isLast(skip, orders, verdicts, redriven);
  if (isSkipped && created.length === 0) {
    return { word: 'skipped', reason: skip.reason, sinceMs: skip.recordedAtMs };
  }
  const expected = Math.max(orders.length, ...orders.map(({ ordersOfCart }) => ordersOfCart));
  if (created.length > 0 && (isSkipped || created.length === expected)) {
    const holding = verdicts.filter(saysTooMuchExists);
    const held = holding.length === 0 ? undefined : restOf([], holding, redriven, current, nowMs);
    // What a person cancelled is settled once an order is created after that.
    const isPast = held?.word === 'closed' && created.some(({ createdAtMs = 0 }) => createdAtMs > held.sinceMs);
    if (held !== undefined && !isPast) return held;
    const earlier = traces.filter((trace) => trace.kind === 'verdict');
    return earlier.length > 0 ? { word: 'cured', created, givenUp: earlier } : { word: 'ordered', created };
  }
  const rest = restOf(orders, verdicts, redriven, current, nowMs);
  if (rest === undefined) return { word: 'never-read' };
  return created.length > 0 ? { word: 'partly-ordered', created, missing: expected - created.length, rest } : rest;
}

/** The newest version expects nothing more. Any other standing needs attention, or may still change by itself. */
const AT_REST: ReadonlySet<StandingWord> = new Set(['ordered', 'cured', 'skipped', 'closed']);

/**
 * The dead letters of earlier versions that tell of an order which the newest one did not take over, and of which it could not
 * tell itself: while it was decided, the outcome was open.
 */
function noticesOf(earlier: readonly Trace[], traces: readonly Trace[], nowMs: number): readonly VerdictTrace[] {
  const leftOver = earlier
    .filter((trace) => trace.kind === 'order')
    .filter((order) => order.state === 'CREATED' || isOpenOrder(order) || isRejectedButHeld(order));
  if (leftOver.length === 0) return [];
  const settled = new Set(
    traces.flatMap((trace) => (trace.kind === 'closed' || isSentAgain(trace) ? [trace.messageId] : [])),
  );
  return traces
    .filter((trace) => trace.kind === 'verdict')
    .filter((verdict) => earlier.includes(verdict) || !verdict.isVersionKnown)
    .filter(
      (verdict) =>
        !settled.has(verdict.messageId) &&
        (saysTooMuchExists({ faults: verdict.faults.filter((fault) => settledAtMs(traces, [fault]) === 0) }) ||
          leftOver.some((order) => isOpenOrder(order) && endsAttemptsAt(verdict, order) && order.leaseUntilMs < nowMs)),
    );
}

const isSentAgain = (trace: Trace): trace is RedriveTrace => trace.kind === 'redrive' && trace.state !== 'SENDING';

/**
 * Whether a person has settled a dead letter of this version, or of a later one, by hand since a time: the order may exist
 * elsewhere.
 */
export const isClosedByHand = (traces: readonly Trace[], changedAtMs: number, sinceMs = 0): boolean =>
  traces.some(
    (trace) =>
      trace.kind === 'closed' &&
      trace.isInactiveVersion !== true &&
      trace.changedAtMs >= changedAtMs &&
      trace.recordedAtMs >= sinceMs,
  );

/** A cart may be given up before its version is read: that verdict must not hide the orders which came of it later. */
function newestVersionMs(traces: readonly Trace[]): number {
  const known = traces.filter(({ isVersionKnown }) => isVersionKnown);
  return Math.max(0, ...(known.length > 0 ? known : traces).map(({ changedAtMs }) => changedAtMs));
}

/** The mapping may have changed between a skip and another attempt at the same version: the later one counts. */
const isLast = (
  { recordedAtMs }: SkipTrace,
  orders: readonly OrderTrace[],
  verdicts: readonly VerdictTrace[],
  redriven: readonly RedriveTrace[],
) =>
  orders.every(({ claimedAtMs }) => claimedAtMs <= recordedAtMs) &&
  verdicts.every((verdict) => verdict.state === 'PROVISIONAL' || verdict.recordedAtMs <= recordedAtMs) &&
  redriven.every((redrive) => sentMsOf(redrive) <= recordedAtMs);

const sentMsOf = ({ sentAtMs, startedAtMs }: RedriveTrace): number => sentAtMs ?? startedAtMs;

/** Whether a verdict still holds although every order of the cart exists: there is one more, of which no line is left. */
const saysTooMuchExists = ({ faults }: Pick<VerdictTrace, 'faults'>): boolean =>
  faults.some(({ code }) => code === 'E_CART_CANCELLED_AFTER_SEND');

/** Of what is not created: the part on which the most is still to be expected decides. */
function restOf(
  orders: readonly OrderTrace[],
  verdicts: readonly VerdictTrace[],
  redriven: readonly RedriveTrace[],
  current: readonly Trace[],
  nowMs: number,
): OpenStanding | undefined {
  const closed = current.filter((trace) => trace.kind === 'closed');
  const settled = new Set([...redriven, ...closed].map(({ messageId }) => messageId));
  const isHeld = ({ state, leaseUntilMs }: OrderTrace): boolean => state === 'POSTING' && leaseUntilMs >= nowMs;
  const isGivenUp = ({ state, messageId, claimedAtMs }: OrderTrace): boolean =>
    state === 'REJECTED' ||
    settled.has(messageId) ||
    [...verdicts, ...closed].some((end) => end.messageId === messageId || end.recordedAtMs >= claimedAtMs);
  const missing = orders.filter(({ state }) => state !== 'CREATED');
  const held = missing.filter(isHeld);
  if (held.length > 0)
    return { word: 'in-progress', untilMs: Math.max(...held.map(({ leaseUntilMs }) => leaseUntilMs)) };
  const open = missing.filter((order) => !isGivenUp(order));
  if (open.length > 0) return retrying(open, nowMs);
  const openVerdicts = verdicts.filter(({ messageId }) => !settled.has(messageId));
  const endedAtMs = Math.max(0, ...[...openVerdicts, ...closed].map(({ recordedAtMs }) => recordedAtMs));
  // By its id, too: the clocks of two functions differ.
  const tried = new Set([...orders, ...verdicts, ...closed].map(({ messageId }) => messageId));
  const untried = redriven.filter((redrive) => sentMsOf(redrive) > endedAtMs && !tried.has(redrive.newMessageId ?? ''));
  if (untried.length > 0) return waitingSince(Math.max(...untried.map(sentMsOf)), nowMs);
  if (openVerdicts.length > 0) return givenUp(openVerdicts, current, nowMs);
  const refused = missing.filter(({ messageId }) => !settled.has(messageId));
  if (refused.length > 0) return givenUp(refused, current, nowMs);
  if (closed.length > 0) return closedByHand(closed);
  const queued = current.filter((trace) => trace.kind === 'queued');
  // An attempt ended between two orders of the cart.
  if (orders.length > 0) return retrying(orders, nowMs);
  return queued.length === 0 ? undefined : waiting(queued, nowMs);
}

/** A message that was redriven, and of which no attempt has left a trace. */
const waitingSince = (sinceMs: number, nowMs: number): OpenStanding => ({
  word: 'waiting',
  sinceMs,
  isOverdue: sinceMs < nowMs - FRESH_MS,
});

function closedByHand(closed: readonly ClosedTrace[]): OpenStanding {
  const last = closed.reduce((one, other) => (other.recordedAtMs > one.recordedAtMs ? other : one));
  const { recordedAtMs: sinceMs, by, reason } = last;
  return { word: 'closed', sinceMs, by, reason, messageIds: closed.map(({ messageId }) => messageId) };
}

function waiting(queued: readonly QueuedTrace[], nowMs: number): OpenStanding {
  const lastMs = Math.max(...queued.map(({ queuedAtMs, copiedAtMs = queuedAtMs }) => copiedAtMs));
  const sinceMs = Math.min(...queued.map(({ queuedAtMs }) => queuedAtMs));
  return { word: 'waiting', sinceMs, isOverdue: lastMs < nowMs - FRESH_MS };
}

function retrying(orders: readonly OrderTrace[], nowMs: number): OpenStanding {
  const triedAtMs = Math.max(...orders.map(({ claimedAtMs }) => claimedAtMs));
  const againAtMs = Math.max(
    ...orders.map(({ claimedAtMs, receive, state, leaseUntilMs }) =>
      Math.max(
        claimedAtMs + Math.min(FIRST_DELAY_MS * 2 ** (receive - 1), LONGEST_DELAY_MS),
        state === 'UNKNOWN' ? leaseUntilMs : 0,
      ),
    ),
  );
  const faults = orders.flatMap((order) => order.faults);
  return { word: 'retrying', triedAtMs, againAtMs, faults, isOverdue: triedAtMs < nowMs - FRESH_MS };
}

function givenUp(by: readonly (VerdictTrace | OrderTrace)[], current: readonly Trace[], nowMs: number): OpenStanding {
  const sinceMs = Math.max(...by.map((one) => (one.kind === 'verdict' ? one.recordedAtMs : one.claimedAtMs)));
  const queuedMs = current.flatMap((trace) =>
    trace.kind === 'queued' ? [trace.copiedAtMs ?? trace.queuedAtMs].filter((ms) => ms <= sinceMs) : [],
  );
  const takenMs = by.flatMap((one) => (one.kind === 'verdict' ? (one.sentAtMs ?? []) : []));
  const sentMs = takenMs.length > 0 ? takenMs : queuedMs;
  // Given up twice, a cart still has the faults of the last attempt alone: what was corrected meanwhile is past.
  const last = by.filter((one) => one.kind !== 'verdict' || one.recordedAtMs === sinceMs);
  return {
    word: 'dead-lettered',
    faults: last.flatMap(({ faults }) => faults),
    sinceMs,
    keptUntilMs: Math.max(...(sentMs.length > 0 ? sentMs : [Math.min(sinceMs, nowMs)])) + DEAD_LETTER_LIFETIME_MS,
    messageIds: [...new Set(by.map(({ messageId }) => messageId))],
  };
}
