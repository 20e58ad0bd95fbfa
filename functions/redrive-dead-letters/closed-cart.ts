/** Whether a person has settled by hand what a dead letter is about: what is ordered elsewhere is not ordered here again. */
import type { CartKey } from '../../shared/ledger-keys.ts';
import { isClosedByHand } from '../../shared/standing.ts';
import type { Trace } from '../../shared/traces.ts';
import type { LetterKey, RedriveRecord } from './redrive-record.ts';

export interface ClosingDependencies {
  readonly record: Pick<RedriveRecord, 'read'>;
  /** What the ledger holds of a cart. */
  readonly tracesOf: (cart: CartKey) => Promise<readonly Trace[]>;
}

export interface ClosingQuestion {
  /** The version of the cart; of one that is not known, any closing counts. */
  readonly changedAtMs: number | undefined;
  /**
   * Another dead letter of the cart counts only where it was closed after this time: a copy that was queued later is a new
   * request.
   */
  readonly sinceMs: number | undefined;
}

/** Whether this dead letter was closed, or another one of the same version of its cart. */
export async function isOfClosedCart(
  { cart, messageId }: LetterKey,
  { changedAtMs = 0, sinceMs }: ClosingQuestion,
  { record, tracesOf }: ClosingDependencies,
): Promise<boolean> {
  // Carts with neither share a partition: another closing there says nothing of this one.
  if (cart.number === undefined && cart.guid === undefined) return (await record.read({ cart, messageId })).isClosed;
  const traces = await tracesOf(cart);
  const isItselfClosed = traces.some((trace) => trace.kind === 'closed' && trace.messageId === messageId);
  return isItselfClosed || isClosedByHand(traces, changedAtMs, sinceMs);
}
