/** What came of writing the numbers of a cart's orders back to SRM: one item a cart, of the last attempt. */
import * as z from 'zod';
import {
  type CartKey,
  NUMBERS_SORT,
  NUMBERS_STATES,
  numbersPartition,
  type NumbersState,
} from '../../shared/ledger-keys.ts';
import type { ItemKey, LedgerTable } from '../../shared/ledger-table.ts';
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

const recordedNumbers = z.object({
  state: z.enum(NUMBERS_STATES),
  numbers: z.string().default(''),
  refusedMessages: z.array(z.string()).default([]),
  reason: z.string().default(''),
  recordedAtMs: z.number().default(0),
});
export type RecordedNumbers = Readonly<z.output<typeof recordedNumbers>>;

export type RecordNumbers = (cart: CartKey, record: NumberRecord, nowMs: number) => Promise<void>;

const keyOf = (cart: CartKey): ItemKey => ({ pk: numbersPartition(cart), sk: NUMBERS_SORT });

export const createNumberRecord =
  (table: Pick<LedgerTable, 'putItem'>): RecordNumbers =>
  async (cart, record, nowMs) => {
    await table.putItem({
      ...keyOf(cart),
      ...record,
      recordedAtMs: nowMs,
      expiresAt: expiresAt(nowMs, 'trace'),
    });
  };

/** Undefined also for an item that another version of this interface wrote, and that this one cannot read. */
export const readNumberRecord = async (
  table: Pick<LedgerTable, 'getItem'>,
  cart: CartKey,
): Promise<RecordedNumbers | undefined> => recordedNumbers.safeParse(await table.getItem(keyOf(cart))).data;
