/** SAP's ways to write a value in OData V2 JSON. Source: source-srm7.md, "JSON quirks"; rules.md, "Texts". */
import { asJsonObject, numberText } from './exact-json.ts';

/** C0 control characters, except line feed and tab. */
// oxlint-disable-next-line no-control-regex -- the pattern must find them
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g;

/**
 * More marks on one character than any script has (UAX #15 allows 30). To bring them into the order of NFC takes the square of
 * their number.
 */
const RUN_OF_MARKS = /(\p{M}{30})\p{M}+/gu;

/** Printable ASCII with nothing to trim. */
const CLEAN = /^(?:[!-~](?:[ -~]*[!-~])?)?$/;

/**
 * SAPscript's masks of its own characters, line ends, no-break spaces, byte order marks, control characters, lone surrogates,
 * marks beyond 30 on one character; NFC; trimmed.
 */
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
    .replace(RUN_OF_MARKS, '$1')
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

/** Also one out of those years. */
export const isEdmDate = (text: string): boolean => EDM_DATE.test(text);

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

/** Longer than any code of SAP. */
const LONGEST_CODE = 40;
const CODE = /^[A-Za-z0-9](?:[A-Za-z0-9_./-]*[A-Za-z0-9])?$/;
/** Codes are abbreviations, and names are words. */
const WORD = /[A-Za-z]{5}/;
const MOST_LETTERS = 4;

/**
 * Whether a text has the form of a code: letters, digits and their joints, with no word of five letters; without a digit, four
 * letters at most. A person can type a name or an address into any field, so that the ledger and the log hold only what has it.
 */
export const isCode = (text: string, maximum = LONGEST_CODE): boolean =>
  text.length <= maximum && CODE.test(text) && !WORD.test(text) && (text.length <= MOST_LETTERS || /\d/.test(text));

/** An identifier of the interface itself: printable, without blanks, and short. */
export const IDENTIFIER = /^[\x21-\x7e]{1,64}$/;

/**
 * The one reading of a cart's number, for the queue, the ledger, the log and the order: clean text or the digits of a
 * JSON number, without leading zeros. Undefined where there is none, or where it has not the form of a code: that stays in the
 * row, and the worker reports it with its path.
 */
export function cartNumber(value: unknown): string | undefined {
  const text = textOf(value);
  if (text === undefined || isInitialNumber(text)) return undefined;
  const number = stripZeros(text);
  return isCode(number, LONGEST_NUMBER) || PREFIXED_NUMBER.test(number) ? number : undefined;
}

/** SAP's own have ten digits. */
const LONGEST_NUMBER = 20;
/** Of a number range with a prefix, which SAP keeps in capitals. With fewer digits, it could be what a person is called. */
const PREFIXED_NUMBER = /^(?=.{1,20}$)[A-Z]{1,10}[_./-]?\d{5,}$/;
/** For messages that say what a cart's number must look like. */
export const NO_CART_NUMBER = `not a cart number: at most ${LONGEST_NUMBER} digits, such as 1000004711, also with up to ${MOST_LETTERS} letters in a row, or a prefix in capitals and five digits or more, such as ORDER00012`;

/** The cart's number, read even from a malformed row. */
export const cartNumberOf = (row: unknown): string | undefined => cartNumber(asJsonObject(row)?.['ObjectId']);

/** The version of the cart, read even from a malformed row; undefined where ChangedAt itself cannot be read. */
export const rowChangedAtMs = (row: unknown): number | undefined => edmInstantMs(asJsonObject(row)?.['ChangedAt']);

/** A change or historical version of a cart, read even from a malformed row: not the active one, which alone is ordered. */
export const isInactiveVersion = (row: unknown): boolean => textOf(asJsonObject(row)?.['VersionType']) !== undefined;

export const rowVersion = (row: unknown) => ({
  changedAtMs: rowChangedAtMs(row),
  isInactiveVersion: isInactiveVersion(row),
});

/**
 * The form of a supplier's number. It becomes part of the name of an order, which the ledger keeps for ever and by which
 * look-ups ask. So it can be no name of a person without a digit, and nothing that a firewall takes for an attack. SAP
 * keeps such a number in capitals.
 */
export const SUPPLIER_NUMBER = /^(?=.*\d|.{1,4}$)[A-Z0-9]+(?:[_-][A-Z0-9]+)*$/;
/** For messages that say what a supplier's number must look like. */
export const SUPPLIER_NUMBER_FORM =
  'capitals and digits, also joined by - or _, with a digit or of at most four characters';

/** Twice as many as the orders that one cart can become. */
const MOST_SUPPLIERS = 100;

/** The suppliers of the cart's lines, without leading zeros, read even from a malformed row; the first of very many. */
export function suppliersOf(row: unknown): string[] {
  const items = asJsonObject(asJsonObject(row)?.['Items'])?.['results'];
  const suppliers = (Array.isArray(items) ? items : []).flatMap((item: unknown) => {
    const supplier = textOf(asJsonObject(item)?.['VendorId']);
    return supplier === undefined || !IDENTIFIER.test(supplier) ? [] : [stripZeros(supplier)];
  });
  return [...new Set(suppliers)].sort().slice(0, MOST_SUPPLIERS);
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

/** The GUID of a cart as SRM writes it, read even from a malformed row; undefined where it is neither one nor a code. */
export function cartGuid(value: unknown): string | undefined {
  const text = textOf(value);
  return text !== undefined && (normalGuid(text) !== undefined || isCode(text)) ? text : undefined;
}

/** For messages that say what a GUID must look like. */
export const NO_GUID =
  'not a GUID, such as 005056a5-09b3-1ee1-bee5-8ce5a1c90db0, 005056a509b31ee1bee58ce5a1c90db0 or AFBWpQmzHuG+5YzlockNsA==';

/** The GUID as a key in a URL takes it: 8-4-4-4-12; undefined when it is none. */
export const guidLiteral = (value: string): string | undefined =>
  normalGuid(value)?.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
