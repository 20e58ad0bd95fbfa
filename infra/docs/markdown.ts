/** Tables for people. */
import { markdownTable } from 'markdown-table';

/** The first line of every written document: who wrote it, and how to write it again. */
export const GENERATED = 'Printed from the code by `npm run docs`; do not edit.';

/** A table of GitHub's markdown; a cell is one line. Without padding, a change of one cell is a change of one line. */
export const markdownText = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  markdownTable(
    [header, ...rows].map((cells) => cells.map(escapeCell)),
    { alignDelimiters: false },
  );

const escapeCell = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ');
