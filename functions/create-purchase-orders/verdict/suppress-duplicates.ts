/** A faulty cart is one dead letter and one alarm, however often the overlap is read. */
import type { CartMessage } from '../../../shared/cart-message.ts';
import type { CartVersion } from '../../../shared/ledger.ts';
import { errorFields, type Log } from '../../../shared/log.ts';
import type { Outcome } from '../outcome.ts';
import type { VerdictRecord } from './verdict-record.ts';

/** Each run reads half an hour of overlap again; a verdict counts for the other readings of its cart for this long. */
const DUPLICATE_WINDOW_MS = 3600_000;

/** A replay, a redrive and the reconciliation ask for the cart on purpose: each gets an answer of its own. */
export async function suppressDuplicateDeadLetter(
  outcome: Outcome,
  message: CartMessage,
  cart: CartVersion,
  { verdicts, log, now }: { readonly verdicts: VerdictRecord; readonly log: Log; readonly now: () => number },
): Promise<Outcome> {
  if (outcome.kind !== 'dead-letter' || message.origin !== undefined) return outcome;
  const reading = { runId: message.runId, faults: outcome.faults };
  const isDuplicate = await verdicts
    .hasDuplicate(cart, reading, now() - DUPLICATE_WINDOW_MS)
    .catch((error: unknown) => {
      log.warn('verdict.duplicates-read-failed', errorFields(error));
      return false;
    });
  if (!isDuplicate) return outcome;
  return { kind: 'skipped', reason: 'another reading of it is a dead letter already', isDuplicateRead: true };
}
