/** SAP's ways to write a value in OData V2 JSON. Source: source-srm7.md, "JSON quirks". */

/** Edm.DateTime and Edm.DateTimeOffset: milliseconds since 1970, with an offset in minutes that is nearly always 0. */
const EDM_DATE = /^\/Date\((-?\d{1,17})([+-]\d{4})?\)\/$/;

const MAXIMUM_MS = 8_640_000_000_000_000;

/** Milliseconds since 1970, or undefined when the value is no Edm date or no time that JavaScript can hold. */
export function edmInstantMs(value: unknown): number | undefined {
  const match = typeof value === 'string' ? EDM_DATE.exec(value) : null;
  if (match === null) return undefined;
  // UI5 subtracts the offset to get UTC; MS-ODATA's text says otherwise, and SAP's own client wins.
  const ms = Number(match[1]) - Number(match[2] ?? 0) * 60_000;
  return Math.abs(ms) <= MAXIMUM_MS ? ms : undefined;
}

/** True when the value carries an offset that is not zero, which SAP normally never sends. */
export function hasOffset(value: string): boolean {
  const offset = EDM_DATE.exec(value)?.[2];
  return offset !== undefined && Number(offset) !== 0;
}

/** ALPHA conversion, outwards: leading zeros dropped from values of digits only; anything else stays. */
export const stripZeros = (value: string): string => (/^\d+$/.test(value) ? value.replace(/^0+(?=\d)/, '') : value);

/** ALPHA conversion, inwards: digits padded to SAP's length; anything else stays. */
export const padZeros = (value: string, length: number): string =>
  /^\d+$/.test(value) ? value.padStart(length, '0') : value;

/** An identifier as it may stand in a key or a log line: printable, without blanks, and short. */
export const IDENTIFIER = /^[\x21-\x7e]{1,64}$/;

/** The value, if it is an identifier. Anything else stays in the row, where the worker reports it with its path. */
export const identifierText = (value: unknown): string | undefined =>
  typeof value === 'string' && IDENTIFIER.test(value) ? value : undefined;

/** Edm.Guid, base64 of 16 bytes or CHAR32, as 32 lower-case hex digits; undefined when it is none of them. */
export function normalGuid(value: string): string | undefined {
  const hex = value.replaceAll('-', '').toLowerCase();
  if (/^[0-9a-f]{32}$/.test(hex)) return hex;
  return /^[A-Za-z0-9+/]{22}==$/.test(value) ? Buffer.from(value, 'base64').toString('hex') : undefined;
}

/** The GUID as a key in a URL takes it: 8-4-4-4-12; undefined when it is none. */
export const guidLiteral = (value: string): string | undefined =>
  normalGuid(value)?.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
