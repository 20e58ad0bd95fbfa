/** JSON without loss: numbers keep the digits that they were written with, which IEEE doubles would lose. */
import { escapeControls, firstFault, isDeeperThan } from './json-text.ts';

// The source text access of JSON.parse is in Node 24; TypeScript's library does not describe it yet.
interface RawJson {
  readonly rawJSON: string;
}
interface JsonWithSource {
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
  rawJSON(text: string): RawJson;
  isRawJSON(value: unknown): value is RawJson;
}
// oxlint-disable-next-line no-unsafe-type-assertion -- only the library's description is missing
const exactJson = JSON as unknown as JsonWithSource;

/** A number with a fraction, an exponent, a sign or more digits than a double keeps; also what only looks like one in a string. */
const NUMBER_AT_RISK = /[:,[]\s*(?:-|\d+[.eE]|\d{16})/;
/** The text is only a number. A pattern of its own: as an alternative above, it would halve the speed of the search. */
const NUMBER_ALONE = /^\s*[-\d]/;

/** No cart is as deep. JSON.parse itself has no limit, but code that walks or writes the result would run out of stack. */
const DEEP = 200;

const BRACKETS = /[[\]{}]/g;

function isTooDeep(text: string): boolean {
  let depth = 0;
  BRACKETS.lastIndex = 0;
  // Searches from one bracket to the next: reading every character takes seven times as long. Those in strings count, too:
  // few texts then have to be searched for their strings.
  while (depth <= DEEP && BRACKETS.test(text)) depth += '[{'.includes(text.charAt(BRACKETS.lastIndex - 1)) ? 1 : -1;
  return depth > DEEP && isDeeperThan(text, DEEP);
}

/** Windows tools and some proxies put it before JSON. */
const withoutByteOrderMark = (text: string): string => (text.startsWith('\ufeff') ? text.slice(1) : text);

/**
 * Parses JSON; a number whose text a double would change (`650.00`, 20 digits) becomes a raw number, which
 * `JSON.stringify` writes back to the letter. A byte order mark before it is cut off.
 * @throws {InvalidJson} without any part of the text in its message: the text may hold personal data.
 */
export function parseExactJson(text: string): unknown {
  try {
    return parse(withoutByteOrderMark(text));
  } catch {
    throw new InvalidJson(text);
  }
}

/** As `parseExactJson`; undefined for other text. */
export function tryParseExactJson(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}

/** As `parseExactJson`, where control characters may stand in strings as they are: hand-written ABAP does not escape them. */
export function parseLenientJson(marked: string): unknown {
  const text = withoutByteOrderMark(marked);
  try {
    return parse(text);
  } catch {
    try {
      return parse(escapeControls(text));
    } catch {
      throw new InvalidJson(text);
    }
  }
}

function parse(text: string): unknown {
  if (isTooDeep(text)) throw new RangeError('nested too deeply');
  // Visiting every value costs more than all the rest, and most texts hold no number that a double would change.
  if (!NUMBER_ALONE.test(text) && !NUMBER_AT_RISK.test(text)) return JSON.parse(text);
  return exactJson.parse(text, (_key, value, context) =>
    typeof value === 'number' && context.source !== undefined && String(value) !== context.source
      ? exactJson.rawJSON(context.source)
      : value,
  );
}

/** Parsed JSON for a schema to check; undefined for other text. The parser's message would quote the text. */
export function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(withoutByteOrderMark(text));
  } catch {
    return undefined;
  }
}

/** The text is not JSON. */
export class InvalidJson extends Error {
  /** Of the first wrong character; undefined where none is wrong alone, as in lists that are nested too deeply. */
  readonly offset: number | undefined;
  /** The text ends too early: it was probably cut off on its way. */
  readonly isCutOff: boolean;

  constructor(text: string) {
    const offset = firstFault(text);
    super(`not JSON (${text.length} characters${offset === undefined ? '' : `, wrong at character ${offset + 1}`})`);
    this.name = 'InvalidJson';
    this.offset = offset;
    this.isCutOff = offset === text.length;
  }
}

/** A number that JSON.stringify writes with these digits. @throws SyntaxError for what is no number in JSON. */
export const rawNumber = (digits: string): unknown => exactJson.rawJSON(digits);

/** The digits of a number as they were written, or undefined when the value is no number. */
export function numberText(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return exactJson.isRawJSON(value) ? value.rawJSON : undefined;
}

/** A JSON object, and not an array, null or a raw number. */
export function asJsonObject(value: unknown): JsonObject | undefined {
  return isJsonObject(value) ? value : undefined;
}

type JsonObject = Readonly<Record<string, unknown>>;

const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !exactJson.isRawJSON(value);
