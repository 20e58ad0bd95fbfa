/** What the ledger holds of a cart's other versions, as far as it decides on the version at hand. Edge cases 16 and 18. */
import type { Fault } from '../../shared/failure.ts';
import type { OrderTrace, Trace } from '../../shared/traces.ts';

/** The version at hand. */
export interface PresentVersion {
  readonly changedAtMs: number;
  /** Of its orders, with those that cannot be translated; undefined where even the id is not known. */
  readonly externalIds: readonly (string | undefined)[];
  readonly nowMs: number;
}

export interface OtherVersions {
  /** A later version was ordered, skipped or given up: nothing of this one is created any more. */
  readonly isOutdated: boolean;
  /** The orders of earlier versions of which this one has nothing left, as faults that no person has settled yet. */
  readonly leftOver: readonly Fault[];
  /** How long an attempt at such an order may still run; undefined where none does. */
  readonly busyForMs: number | undefined;
}

export function otherVersions(
  traces: readonly Trace[],
  { changedAtMs, externalIds, nowMs }: PresentVersion,
): OtherVersions {
  const orders = traces
    .filter((trace) => trace.kind === 'order')
    .filter((order) => order.changedAtMs < changedAtMs && !externalIds.includes(order.externalId));
  const ends = endsOf(traces);
  const settled = settledFaults(ends);
  const isSettled = (fault: Fault): boolean =>
    settled.some(({ code, message }) => code === fault.code && message === fault.message);
  const busy = orders.filter(({ state, leaseUntilMs }) => isOpen(state) && leaseUntilMs >= nowMs);
  return {
    isOutdated: traces.some((trace) => isOfLaterVersion(trace, changedAtMs)),
    leftOver: orders.flatMap((order) => leftOverFault(order, ends) ?? []).filter((fault) => !isSettled(fault)),
    busyForMs: busy.length === 0 ? undefined : Math.max(...busy.map(({ leaseUntilMs }) => leaseUntilMs)) - nowMs,
  };
}

const isOpen = (state: OrderTrace['state']): boolean => state === 'POSTING' || state === 'UNKNOWN';

/** A version that is only queued may be no active one: the attempt at its message decides. */
const isOfLaterVersion = (trace: Trace, changedAtMs: number): boolean =>
  trace.kind !== 'queued' &&
  !(trace.kind === 'skip' && trace.isInactiveVersion === true) &&
  trace.isVersionKnown &&
  trace.changedAtMs > changedAtMs;

/** The messages that ended in the dead-letter queue, and those of them that a person has closed. */
function endsOf(traces: readonly Trace[]) {
  const closed = new Set(traces.flatMap((trace) => (trace.kind === 'closed' ? [trace.messageId] : [])));
  const verdicts = traces.filter((trace) => trace.kind === 'verdict').filter(({ state }) => state === 'FINAL');
  return { closed, verdicts };
}
type Ends = ReturnType<typeof endsOf>;

/** Undefined while the message that left an open order behind is still tried: it looks the order up (deliver-order.ts). */
function leftOverFault(order: OrderTrace, { closed, verdicts }: Ends): Fault | undefined {
  const { state, externalId, messageId, orderNumber = externalId } = order;
  const tooMany = (what: string): Fault => ({
    code: 'E_CART_CANCELLED_AFTER_SEND',
    message: `${what}, and the cart has nothing left for it`,
  });
  if (state === 'CREATED' || 'unknownState' in order) return tooMany(`the order was created as ${orderNumber}`);
  const isGivenUp = verdicts.some((verdict) => verdict.messageId === messageId) && !closed.has(messageId);
  return isOpen(state) && isGivenUp ? tooMany(`11VMS may hold the order ${externalId}`) : undefined;
}

/** The faults of the dead letters that a person has closed. Their orders are cancelled: no later version reports them again. */
const settledFaults = ({ closed, verdicts }: Ends): readonly Fault[] =>
  verdicts.flatMap(({ messageId, faults }) => (closed.has(messageId) ? faults : []));
