/** The carts whose dead letters a person closed: no list of the ledger names them, the acts that closed them do. */
import type { LedgerTable } from '../../../shared/ledger-table.ts';
import { operationsOfMonth } from '../../../shared/operations-of-month.ts';
import { instantText } from '../../../shared/standing-sentence.ts';
import type { TableRow } from '../../carts/tables.ts';
import { dayOf } from '../../calendar.ts';

export interface ClosedCart {
  readonly atMs: number;
  readonly cart: string;
  readonly by: string;
  readonly reason: string;
}

/** Newest first. */
export async function closedCarts(
  table: Pick<LedgerTable, 'queryItems'>,
  days: readonly string[],
): Promise<readonly ClosedCart[]> {
  const months = [...new Set(days.map((day) => day.slice(0, 7)))];
  const operations = (await Promise.all(months.map((month) => operationsOfMonth(table, month)))).flat();
  return operations
    .filter(({ action, startedAtMs }) => action === 'close' && days.includes(dayOf(startedAtMs)))
    .flatMap(({ startedAtMs, cartNumbers, by, reason }) =>
      cartNumbers.map((cart) => ({ atMs: startedAtMs, cart, by, reason })),
    )
    .sort((one, other) => other.atMs - one.atMs);
}

export const CLOSED_COLUMNS = ['closed at', 'cart', 'by', 'reason'] as const;

export const closedRow = ({ atMs, cart, by, reason }: ClosedCart): TableRow => ({
  'closed at': instantText(atMs),
  cart,
  by,
  reason,
});
