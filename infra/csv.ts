/** Writes CSV that a spreadsheet opens: RFC 4180. */

/** Tells a spreadsheet that a file is UTF-8. */
export const BYTE_ORDER_MARK = '\u{FEFF}';

export const csvText = (rows: readonly (readonly string[])[]): string =>
  rows.map((cells) => `${cells.map(cellText).join(',')}\r\n`).join('');

/** A spreadsheet calculates a cell that begins like a formula; after an apostrophe it is text. */
function cellText(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
