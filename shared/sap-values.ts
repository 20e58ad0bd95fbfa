/** SAP's ways to write a value in OData V2 JSON. Source: source-srm7.md, "JSON quirks"; rules.md, "Texts". */
import { asJsonObject, numberText } from './exact-json.ts';

/** C0 control characters, except line feed and tab. */
// oxlint-disable-next-line no-control-regex -- the pattern must find them
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g;

/** Printable ASCII with nothing to trim. */
const CLEAN = /^(?:[!-~](?:[ -~]*[!-~])?)?$/;

/** SAPscript's masks of its own characters, line ends, no-break spaces, byte order marks, control characters, lone surrogates; NFC; trimmed. */
export function cleanText(text: string): string {
  // A fast path: a cart has hundreds of texts, and nearly all of them are clean.
  if (CLEAN.test(text) && !text.includes('<(>')) return text;
  return text
    .replace(/<\(>([&<>])<\)>/g, '$1')
    .replace(/\r\n?/g, '\n')
    .replaceAll('\u00a0', ' ')
    .replaceAll('\ufeff', '')
    .replace(CONTROL, '')
    .toWellFormed()
    .normalize('NFC')
    .trim();
}

/** The clean text of a text or of a number, by its digits; undefined for anything else, and where nothing is left. */
export function textOf(value: unknown): string | undefined {
  const clean = cleanText(typeof value === 'string' ? value : (numberText(value) ?? ''));
  return clean === '' ? undefined : clean;
}

/** Edm.DateTime and Edm.DateTimeOffset: milliseconds since 1970, with an offset in minutes that is nearly always 0. */
const EDM_DATE = /^\/Date\((-?\d{1,17})([+-]\d{4})?\)\/$/;

/** For messages that say what a date must look like. */
export const EDM_DATE_FORMS = '/Date(1794960000000)/ or /Date(1795185125000+0000)/';

/** Edm.DateTime begins in 1753; SAP writes a date of the year 9999 for "no end", which is no time. */
const FIRST_MS = Date.UTC(1753, 0);
const END_MS = Date.UTC(9999, 0);
const OPEN_END_MS = Date.UTC(9999, 11, 31);
const DAY_MS = 24 * 60 * 60 * 1000;

function ticks(value: unknown): number | undefined {
  const match = typeof value === 'string' ? EDM_DATE.exec(cleanText(value)) : null;
  // UI5 subtracts the offset to get UTC; MS-ODATA's text says otherwise, and SAP's own client wins.
  return match === null ? undefined : Number(match[1]) - Number(match[2] ?? 0) * 60_000;
}

/** Milliseconds since 1970, or undefined when the value is no Edm date of the years 1753 to 9998. */
export function edmInstantMs(value: unknown): number | undefined {
  const ms = ticks(value);
  return ms !== undefined && ms >= FIRST_MS && ms < END_MS ? ms : undefined;
}

/** SAP's "no end": 9999-12-31. */
export function isOpenEnd(value: unknown): boolean {
  const ms = ticks(value);
  return ms !== undefined && ms >= OPEN_END_MS && ms < OPEN_END_MS + DAY_MS;
}

/** True when the value carries an offset that is not zero, which SAP normally never sends. */
export function hasOffset(value: string): boolean {
  const offset = EDM_DATE.exec(cleanText(value))?.[2];
  return offset !== undefined && Number(offset) !== 0;
}

/** ALPHA conversion, outwards: leading zeros dropped from values of digits only; anything else stays. */
export const stripZeros = (value: string): string => (/^\d+$/.test(value) ? value.replace(/^0+(?=\d)/, '') : value);

/** Whether two codes are the same, with or without the leading zeros of ALPHA conversion. */
export const isSameCode = (left: string, right: string): boolean => stripZeros(left) === stripZeros(right);

/** ABAP's initial value of a number that is kept as text: nothing is there. */
export const isInitialNumber = (text: string): boolean => /^0+$/.test(text);

/** ALPHA conversion, inwards: digits padded to SAP's length; anything else stays. */
export const padZeros = (value: string, length: number): string =>
  /^\d+$/.test(value) ? value.padStart(length, '0') : value;

/** An identifier as it may stand in a key or a log line: printable, without blanks, and short. */
export const IDENTIFIER = /^[\x21-\x7e]{1,64}$/;

/** The value, if it is an identifier. Anything else stays in the row, where the worker reports it with its path. */
export const identifierText = (value: unknown): string | undefined =>
  typeof value === 'string' && IDENTIFIER.test(value) ? value : undefined;

/**
 * The one reading of a cart's number, for the queue, the ledger, the log and the order: clean text or the digits of a
 * JSON number, without leading zeros. Undefined where there is none, or where it is no identifier.
 */
export function cartNumber(value: unknown): string | undefined {
  const text = textOf(value);
  return text === undefined || isInitialNumber(text) ? undefined : identifierText(stripZeros(text));
}

/** The cart's number, read even from a malformed row. */
export const cartNumberOf = (row: unknown): string | undefined => cartNumber(asJsonObject(row)?.['ObjectId']);

/** The version of the cart, read even from a malformed row; undefined where ChangedAt itself cannot be read. */
export const rowChangedAtMs = (row: unknown): number | undefined => edmInstantMs(asJsonObject(row)?.['ChangedAt']);

/** The suppliers of the cart's lines, without leading zeros, read even from a malformed row. */
export function suppliersOf(row: unknown): string[] {
  const items = asJsonObject(asJsonObject(row)?.['Items'])?.['results'];
  const suppliers = (Array.isArray(items) ? items : []).flatMap((item: unknown) => {
    const supplier = identifierText(textOf(asJsonObject(item)?.['VendorId']));
    return supplier === undefined ? [] : [stripZeros(supplier)];
  });
  return [...new Set(suppliers)].sort();
}

/** The number of a line without leading zeros, as the order has it; undefined where it is none. */
export function lineNumber(value: unknown): string | undefined {
  const text = textOf(value);
  return text !== undefined && /^0*[1-9]\d{0,9}$/.test(text) ? stripZeros(text) : undefined;
}

/** Edm.Guid, base64 of 16 bytes or CHAR32, as 32 lower-case hex digits; undefined when it is none of them. */
export function normalGuid(value: string): string | undefined {
  const hex = value.replaceAll('-', '').toLowerCase();
  if (/^[0-9a-f]{32}$/.test(hex)) return hex;
  return /^[A-Za-z0-9+/]{22}==$/.test(value) ? Buffer.from(value, 'base64').toString('hex') : undefined;
}

/** For messages that say what a GUID must look like. */
export const NO_GUID =
  'not a GUID, such as 005056a5-09b3-1ee1-bee5-8ce5a1c90db0, 005056a509b31ee1bee58ce5a1c90db0 or AFBWpQmzHuG+5YzlockNsA==';

/** The GUID as a key in a URL takes it: 8-4-4-4-12; undefined when it is none. */
export const guidLiteral = (value: string): string | undefined =>
  normalGuid(value)?.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
