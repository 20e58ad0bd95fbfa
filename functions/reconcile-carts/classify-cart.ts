/** What became of a cart, by the items that the ledger holds of it. Pure. */
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

/** The longest delay between two attempts is 15 minutes: a cart without an attempt for an hour does not come by itself. */
export const FRESH_MS = 3600_000;

type OrderTrace = Extract<Trace, { kind: 'order' }>;
type VerdictTrace = Extract<Trace, { kind: 'verdict' }>;

/**
 * Classifies one version of a cart. Traces of an older version say nothing about it. What cannot be seen without
 * translating the cart: an order of which no attempt was ever made, beside another that was.
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
  // A verdict from before an order was created is settled by it, since the message was redriven; one from after it
  // speaks of the rest of the cart.
  const isLastWord = (verdict: VerdictTrace): boolean =>
    orders.every(({ claimedAtMs }) => verdict.recordedAtMs >= claimedAtMs);
  if (orders.some(isDead) || verdicts.some(isLastWord)) return 'dead-lettered';
  if (orders.length > 0) return 'created';
  return current.length > 0 ? 'skipped' : 'lost';
}
