/** Rows as a table for people, and as CSV for a spreadsheet. */
import { printable } from '../../shared/printable-text.ts';
import { csvText } from '../csv.ts';

/** Column name to cell. */
export type TableRow = Readonly<Record<string, string | number>>;

export const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

const MAXIMUM_CELL = 300;

/** The columns of the first row, aligned. */
export function asTable(rows: readonly TableRow[], indent = ''): string {
  const columns = Object.keys(rows[0] ?? {});
  const lines = [
    columns,
    ...rows.map((row) => columns.map((name) => printable(String(row[name] ?? ''), MAXIMUM_CELL))),
  ];
  const widths = columns.map((_, index) =>
    lines.reduce((widest, line) => Math.max(widest, line[index]?.length ?? 0), 0),
  );
  return lines
    .map((line) => `${indent}${line.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  ')}`.trimEnd())
    .map((line) => `${line}\n`)
    .join('');
}

export const asCsv = (columns: readonly string[], rows: readonly TableRow[]): string =>
  csvText([columns, ...rows.map((row) => columns.map((name) => String(row[name] ?? '')))]);
