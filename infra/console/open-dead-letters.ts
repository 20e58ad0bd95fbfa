/**
 * The dead letters that are open, by the ledger's list: each verdict that no redrive and no person has settled. The list
 * holds what a page of all of them needs, so that ten thousand are read in a few requests.
 *
 * It is not the queue. What SQS itself moved or deleted stays on it, although its cart may be ordered: where the standing of a
 * cart matters, it is asked for. And a message of which no attempt came to an end is a dead letter without a verdict: it is
 * on the queue alone.
 */
import { type FaultCode, type FaultOwner, isFaultCode } from '../../shared/failure.ts';
import { FAULT_CATALOGUE } from '../../shared/fault-catalogue.ts';
import { inLanes } from '../../shared/lanes.ts';
import { verdictSort } from '../../shared/ledger-keys.ts';
import { DEAD_LETTER_LIFETIME_MS } from '../../shared/standing.ts';
import { lastDays } from '../carts/cart-lists.ts';
import { cartOf } from '../carts/known-cart.ts';
import type { ListedItem, OpenedLedger } from '../carts/open-ledger.ts';

const DAYS_AT_ONCE = 8;

export interface OpenDeadLetter {
  readonly item: ListedItem;
  readonly cart: string;
  readonly messageId: string;
  /** Sorted: the same codes are the same cause. */
  readonly codes: readonly FaultCode[];
  readonly owners: readonly FaultOwner[];
  readonly sinceMs: number;
  readonly deletedAtMs: number;
}

/** Those that SQS deletes next come first. */
export async function openDeadLetters(
  ledger: Pick<OpenedLedger, 'listed'>,
  nowMs: number,
): Promise<readonly OpenDeadLetter[]> {
  const lists = await inLanes(lastDays(nowMs), DAYS_AT_ONCE, (day) => ledger.listed('DEAD-LETTERED', day));
  return lists
    .flat()
    .map((item): OpenDeadLetter => {
      const { pk, sk, listedAtMs, sentAtMs = listedAtMs } = item;
      const codes = item.codes.filter(isFaultCode).sort();
      return {
        item,
        cart: cartOf(pk)?.name ?? pk,
        messageId: sk.slice(verdictSort('').length),
        codes,
        owners: [...new Set(codes.map((code) => FAULT_CATALOGUE[code].owner))],
        sinceMs: listedAtMs,
        deletedAtMs: sentAtMs + DEAD_LETTER_LIFETIME_MS,
      };
    })
    .filter(({ deletedAtMs }) => deletedAtMs > nowMs)
    .sort((one, other) => one.deletedAtMs - other.deletedAtMs);
}

/** Before a number of the ledger's list: where the queue holds fewer than all that is listed, some are settled. */
export const atMostPrefix = (listed: number, onQueue: number): string => (onQueue < listed ? 'at most ' : '');

/** Where the queue holds no more than the ledger lists: the numbers do not say that they are the same. */
export const ONLY_A_LOOK_TELLS = 'Only a look tells which of these lie there, and whether others do';
