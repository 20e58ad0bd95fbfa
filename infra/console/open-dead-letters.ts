/**
 * The dead letters that are open, by the ledger's list: each verdict that no redrive and no person has settled. The list
 * holds what a page of all of them needs, so that ten thousand are read in a few requests. A cart that was redriven by
 * the SQS console and ordered since is still on it: where its standing matters, it is asked for.
 */
import { type FaultCode, type FaultOwner, isFaultCode } from '../../shared/failure.ts';
import { FAULT_CATALOGUE } from '../../shared/fault-catalogue.ts';
import { inLanes } from '../../shared/lanes.ts';
import { verdictSort } from '../../shared/ledger-keys.ts';
import { DEAD_LETTER_LIFETIME_MS } from '../../shared/standing.ts';
import { lastDays } from '../carts/cart-lists.ts';
import { cartOf } from '../carts/known-cart.ts';
import type { OpenedLedger } from '../carts/open-ledger.ts';

const DAYS_AT_ONCE = 8;

export interface OpenDeadLetter {
  readonly pk: string;
  readonly cart: string;
  readonly messageId: string;
  readonly codes: readonly FaultCode[];
  readonly owners: readonly FaultOwner[];
  readonly sinceMs: number;
  /** At the latest: the message was queued before it was given up. */
  readonly deletedAtMs: number;
}

/** Oldest first: those that SQS deletes next. */
export async function openDeadLetters(ledger: OpenedLedger, nowMs: number): Promise<readonly OpenDeadLetter[]> {
  const lists = await inLanes(lastDays(nowMs), DAYS_AT_ONCE, (day) => ledger.listed('DEAD-LETTERED', day));
  return lists.flat().flatMap(({ pk, sk, listedAtMs, codes }): OpenDeadLetter[] => {
    const deletedAtMs = listedAtMs + DEAD_LETTER_LIFETIME_MS;
    if (deletedAtMs <= nowMs) return [];
    const known = codes.filter(isFaultCode);
    return [
      {
        pk,
        cart: cartOf(pk)?.name ?? pk,
        messageId: sk.slice(verdictSort('').length),
        codes: known,
        owners: [...new Set(known.map((code) => FAULT_CATALOGUE[code].owner))],
        sinceMs: listedAtMs,
        deletedAtMs,
      },
    ];
  });
}
