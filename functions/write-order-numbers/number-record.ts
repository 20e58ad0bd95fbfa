/** What came of writing the numbers of a cart's orders back to SRM: one item a cart, of the last attempt. */
import { type CartKey, cartPartition, NUMBERS_SORT, type NumbersState } from '../../shared/ledger-keys.ts';
import type { LedgerTable } from '../../shared/ledger-table.ts';
import { expiresAt } from '../../shared/lifetimes.ts';

export interface NumberRecord {
  readonly state: NumbersState;
  /** What was to be written. */
  readonly numbers: string;
  /** SRM is not asked again for these, until it takes the numbers of the cart. */
  readonly refusedMessages: readonly string[];
  /** Why it was not written. */
  readonly reason?: string;
}

export type RecordNumbers = (cart: CartKey, record: NumberRecord, nowMs: number) => Promise<void>;

export const createNumberRecord =
  (table: Pick<LedgerTable, 'putItem'>): RecordNumbers =>
  async (cart, record, nowMs) => {
    await table.putItem({
      pk: cartPartition(cart),
      sk: NUMBERS_SORT,
      ...record,
      recordedAtMs: nowMs,
      expiresAt: expiresAt(nowMs, 'trace'),
    });
  };
