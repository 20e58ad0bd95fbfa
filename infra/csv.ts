/** Writes CSV that a spreadsheet opens: RFC 4180. */

/** Tells a spreadsheet that a file is UTF-8. */
export const BYTE_ORDER_MARK = '\u{FEFF}';

/** @param harmless what is written for a cell that a spreadsheet would not show as it is */
export const csvText = (rows: readonly (readonly string[])[], harmless = withApostrophe): string =>
  rows.map((cells) => `${cells.map((cell) => quotedIfNeeded(harmless(cell))).join(',')}\r\n`).join('');

/** A spreadsheet calculates a cell that begins like a formula; after an apostrophe it is text. */
export const withApostrophe = (text: string): string => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);

const quotedIfNeeded = (text: string): string => (/[",\r\n]/.test(text) ? quoted(text) : text);

export const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
