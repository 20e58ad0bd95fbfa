/** Tables for people and for spreadsheets. */
import { markdownTable } from 'markdown-table';

/** The first line of every written document: who wrote it, and how to write it again. */
export const GENERATED = 'Printed from the code by `npm run docs`; do not edit.';

/** A table of GitHub's markdown, aligned as biome formats it; a cell is one line. */
export const markdownText = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  markdownTable(
    [header, ...rows].map((cells) => cells.map(escapeCell)),
    { stringLength: (text) => Array.from(text).length },
  );

const escapeCell = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ');

/** RFC 4180, with line feeds. */
export const csvText = (rows: readonly (readonly string[])[]): string =>
  rows.map((cells) => `${cells.map(escapeCsv).join(',')}\n`).join('');

const escapeCsv = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
