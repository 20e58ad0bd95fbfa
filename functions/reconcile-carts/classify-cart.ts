/** Classifies a cart by the items that the ledger holds of it. Pure. */
import type { Trace } from '../../shared/ledger.ts';

export type CartStatus =
  /** Every order that is known of it was created. */
  | 'created'
  /** An attempt was made not long ago; SQS holds its message. */
  | 'in-flight'
  | 'dead-lettered'
  | 'skipped'
  /** Nothing accounts for this version of the cart. */
  | 'lost';

/** The longest delay between two attempts is 15 minutes: after an hour without an attempt, none will follow. */
export const FRESH_MS = 3600_000;

type OrderTrace = Extract<Trace, { kind: 'order' }>;
type VerdictTrace = Extract<Trace, { kind: 'verdict' }>;

/**
 * Classifies one version of a cart. Traces of an older version say nothing about it. One case cannot be seen without
 * translating the cart: an order that was never attempted, beside another one that was.
 */
export function classifyCart(traces: readonly Trace[], changedAtMs: number, nowMs: number): CartStatus {
  const current = traces.filter((trace) => trace.changedAtMs >= changedAtMs);
  const orders = current.filter((trace): trace is OrderTrace => trace.kind === 'order');
  const verdicts = current.filter((trace): trace is VerdictTrace => trace.kind === 'verdict');
  const isDead = (order: OrderTrace): boolean =>
    order.state === 'REJECTED' ||
    (order.state !== 'CREATED' &&
      verdicts.some((verdict) => verdict.messageId === order.messageId || verdict.recordedAtMs >= order.claimedAtMs));
  const open = orders.filter((order) => order.state !== 'CREATED' && !isDead(order));
  if (open.some(({ claimedAtMs }) => claimedAtMs >= nowMs - FRESH_MS)) return 'in-flight';
  if (open.length > 0) return 'lost';
  // An order that was created after a verdict settles it: the message was redriven. A verdict that is younger than all
  // orders concerns the rest of the cart.
  const isUnsettled = (verdict: VerdictTrace): boolean =>
    orders.every(({ claimedAtMs }) => verdict.recordedAtMs >= claimedAtMs);
  if (orders.some(isDead) || verdicts.some(isUnsettled)) return 'dead-lettered';
  if (orders.length > 0) return 'created';
  return current.length > 0 ? 'skipped' : 'lost';
}
