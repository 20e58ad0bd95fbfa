/** A list as CSV, sent while it is read: it needs no more memory for 100,000 rows than for one part of them. */
import type { TableRow } from '../../carts/tables.ts';
import { BYTE_ORDER_MARK, csvText } from '../../csv.ts';
import type { Download } from '../page.ts';

export function csvDownload(
  name: string,
  columns: readonly string[],
  parts: AsyncIterable<readonly TableRow[]> | Iterable<readonly TableRow[]>,
): Download {
  async function* chunks(): AsyncGenerator<string> {
    yield BYTE_ORDER_MARK + csvText([columns]);
    for await (const rows of parts) {
      if (rows.length > 0) yield csvText(rows.map((row) => columns.map((column) => String(row[column] ?? ''))));
    }
  }
  return { filename: `${name}.csv`, contentType: 'text/csv; charset=utf-8', chunks: chunks() };
}
