/** What the ledger holds of a cart's other versions, as far as it decides on the version at hand. Edge cases 16 and 18. */
import type { Fault } from '../../shared/failure.ts';
import { DEAD_LETTER_LIFETIME_MS } from '../../shared/standing.ts';
import {
  endsAttemptsAt,
  isOpenOrder,
  isRejectedButHeld,
  type OrderTrace,
  settledAtMs,
  type Trace,
  type VerdictTrace,
} from '../../shared/traces.ts';
import { cancelledByHand, createdTooMany, perhapsTooMany } from './delivery/after-send.ts';

/** The version at hand. */
export interface PresentVersion {
  readonly changedAtMs: number;
  /** Of its orders, with those that cannot be translated; undefined where even the id is not known. */
  readonly externalIds: readonly (string | undefined)[];
  readonly nowMs: number;
  /** No attempt lasts longer. */
  readonly leaseMs: number;
}

export interface OtherVersions {
  /** A later version was ordered, skipped or given up: nothing of this one is created any more. */
  readonly isOutdated: boolean;
  /** The orders of which this version has nothing left, as faults that no person has settled yet. */
  readonly leftOver: readonly Fault[];
  /**
   * The same of created orders that have the time of change of this version. They are of another version with that time, or of
   * this one, from before a setting restricted it: only the former are too many.
   */
  readonly besides: readonly Fault[];
  /** One of `leftOver` or `besides` was created. */
  readonly isOrdered: boolean;
  /**
   * The orders of this version that were found after every later version was decided: those could not tell of them. Once a person
   * has closed a dead letter that does, the order counts as cancelled, and nothing is left to tell.
   */
  readonly untold: readonly Fault[];
  /** How long an attempt at such an order may still run; undefined where none does. */
  readonly busyForMs: number | undefined;
  /**
   * How long to wait for the newest version, of which some orders are not claimed yet: one of this version may be among them.
   * Undefined where that is decided.
   */
  readonly newestForMs: number | undefined;
  /** The external ids of the orders that a person has cancelled. */
  readonly cancelled: readonly string[];
  /** The external ids of the orders that a dead letter since their version asked a person to change. */
  readonly changed: readonly string[];
}

export function otherVersions(
  traces: readonly Trace[],
  { changedAtMs, externalIds, nowMs, leaseMs }: PresentVersion,
): OtherVersions {
  const verdicts = traces.filter((trace) => trace.kind === 'verdict');
  const all = traces.filter((trace) => trace.kind === 'order');
  const cancelled = all.filter((order) => isCancelled(order, traces)).map(({ externalId }) => externalId);
  const decided: readonly (string | undefined)[] = [...externalIds, ...cancelled];
  const orders = all.filter((order) => order.changedAtMs <= changedAtMs && !decided.includes(order.externalId));
  const isOfSameTime = (order: OrderTrace): boolean => order.changedAtMs === changedAtMs;
  const created = orders.filter(isCreated);
  const endOf = (order: OrderTrace): number => Math.max(order.leaseUntilMs, lastAttemptEndMs(order, verdicts, leaseMs));
  const perhaps = orders.filter((order) => {
    if (isCreated(order)) return false;
    if (!isOpenOrder(order)) return isRejectedButHeld(order);
    // Of this version, no other attempt looks it up. Of an earlier one, its own message does while it is still tried.
    return isOfSameTime(order) ? endOf(order) < nowMs : isGivenUp(order, verdicts, { nowMs, leaseMs });
  });
  const busyUntilMs = Math.max(...orders.filter(isOpenOrder).map(endOf));
  const later = traces.filter((trace) => isDecidedLater(trace, changedAtMs));
  return {
    isOutdated: later.length > 0,
    leftOver: [
      ...created.filter((order) => !isOfSameTime(order)).map(createdFault),
      ...perhaps.map(({ externalId }) => perhapsTooMany(externalId)),
    ],
    besides: created.filter(isOfSameTime).map(createdFault),
    isOrdered: created.length > 0,
    busyForMs: busyUntilMs >= nowMs ? busyUntilMs - nowMs : undefined,
    newestForMs: isNewestUnderWay(later, { nowMs, leaseMs }) ? leaseMs : undefined,
    untold: untoldOf(all, later, { changedAtMs, externalIds })
      .filter(({ externalId }) => !cancelled.includes(externalId))
      .map(untoldFault),
    cancelled,
    changed: all.filter((order) => verdicts.some(asksToChange(order, changedAtMs))).map(({ externalId }) => externalId),
  };
}

/** Which of the cart's orders it asks to change, its text does not tell for certain. */
const asksToChange =
  (order: OrderTrace, changedAtMs: number) =>
  (verdict: VerdictTrace): boolean =>
    order.changedAtMs < verdict.changedAtMs &&
    verdict.changedAtMs <= changedAtMs &&
    verdict.faults.some(({ code }) => code === 'E_CART_CHANGED_AFTER_SEND');

/** Whether it is of a later version of the cart, and of an active one: change and historical versions decide nothing. */
export const isOfLaterVersion = (trace: Trace, changedAtMs: number): boolean =>
  trace.isInactiveVersion !== true && trace.isVersionKnown && trace.changedAtMs > changedAtMs;

/** A version that is only queued decides nothing: the attempt at its message does. */
const isDecidedLater = (trace: Trace, changedAtMs: number): boolean =>
  trace.kind !== 'queued' && isOfLaterVersion(trace, changedAtMs);

/** In a state that this version of the interface does not know, it counts as created. */
const isCreated = (order: OrderTrace): boolean => order.state === 'CREATED' || 'unknownState' in order;

const createdFault = ({ externalId, orderNumber = externalId }: OrderTrace): Fault => createdTooMany(orderNumber);

const CART_MESSAGE_LIFETIME_MS = 4 * 24 * 3600_000;
/** A dead letter is redriven within 14 days of when SQS took its message. The new message then waits 4 days at most. */
const LONGEST_PAUSE_MS = DEAD_LETTER_LIFETIME_MS + CART_MESSAGE_LIFETIME_MS;

/**
 * Whether an open order of an earlier version is looked up by no attempt any more: its message, or a copy as which that was
 * requeued, is a dead letter, the last attempt did not end, or the message is gone. The ledger keeps the order for longer than
 * the verdict.
 */
const isGivenUp = (
  order: OrderTrace,
  verdicts: readonly VerdictTrace[],
  { nowMs, leaseMs }: Pick<PresentVersion, 'nowMs' | 'leaseMs'>,
): boolean =>
  order.claimedAtMs + LONGEST_PAUSE_MS < nowMs ||
  verdicts.some(
    (verdict) =>
      endsAttemptsAt(verdict, order) && (verdict.state === 'FINAL' || verdict.recordedAtMs + leaseMs < nowMs),
  );

/** A last attempt begins with a PROVISIONAL verdict, and may still requeue its message after the order is at rest. */
function lastAttemptEndMs({ messageId }: OrderTrace, verdicts: readonly VerdictTrace[], leaseMs: number): number {
  const last = verdicts.find((verdict) => verdict.messageId === messageId && verdict.state === 'PROVISIONAL');
  return last === undefined ? 0 : last.recordedAtMs + leaseMs;
}

/**
 * Whether a person has cancelled the order, as a dead letter asked for, and it was neither restored nor created since. Several
 * dead letters may ask for it, and the older ones may be closed because a newer version took their place: the newest one counts.
 */
function isCancelled(order: OrderTrace, traces: readonly Trace[]): boolean {
  const { externalId, createdAtMs = 0 } = order;
  const cancelledAtMs = settledAtMs(traces, [createdFault(order), perhapsTooMany(externalId)]);
  return cancelledAtMs > createdAtMs && settledAtMs(traces, [cancelledByHand(externalId)]) < cancelledAtMs;
}

/** Its attempt ends with a skip, a verdict or a claim of each of its orders. A last attempt begins with a PROVISIONAL verdict. */
function isNewestUnderWay(
  later: readonly Trace[],
  { nowMs, leaseMs }: Pick<PresentVersion, 'nowMs' | 'leaseMs'>,
): boolean {
  const newestMs = Math.max(...later.map(({ changedAtMs }) => changedAtMs));
  const newest = later.filter((trace) => trace.changedAtMs === newestMs);
  const orders = newest.filter((trace) => trace.kind === 'order');
  const isLive = (trace: Trace): boolean =>
    trace.kind === 'verdict' && trace.state === 'PROVISIONAL' && trace.recordedAtMs + leaseMs >= nowMs;
  const isEnded = newest.some((trace) => trace.kind !== 'order' && !isLive(trace));
  const areAllClaimed = orders.length > 0 && orders.every(({ ordersOfCart }) => ordersOfCart <= orders.length);
  return later.length > 0 && !isEnded && !areAllClaimed;
}

/** The orders that 11VMS was found to hold after every later version was decided. */
function untoldOf(
  orders: readonly OrderTrace[],
  later: readonly Trace[],
  { changedAtMs, externalIds }: Pick<PresentVersion, 'changedAtMs' | 'externalIds'>,
): readonly OrderTrace[] {
  if (later.length === 0) return [];
  const lastMs = Math.max(
    ...later.flatMap((trace) => {
      if (trace.kind === 'order') return [trace.confirmedAtMs ?? trace.claimedAtMs];
      return 'recordedAtMs' in trace ? [trace.recordedAtMs] : [];
    }),
  );
  const isFoundLater = (order: OrderTrace): boolean =>
    order.state === 'CREATED'
      ? (order.createdAtMs ?? 0) >= lastMs
      : isRejectedButHeld(order) && order.claimedAtMs >= lastMs;
  return orders.filter(
    (order) => order.changedAtMs <= changedAtMs && externalIds.includes(order.externalId) && isFoundLater(order),
  );
}

const untoldFault = (order: OrderTrace): Fault =>
  order.state === 'CREATED' ? createdFault(order) : perhapsTooMany(order.externalId);
