/**
 * A page that is no JSON as a whole, because some of its rows are none: every row alone, so that a bad one does not keep
 * back its neighbours.
 */
import { InvalidJson, parseLenientJson } from '../exact-json.ts';
import { endOfString } from '../json-text.ts';

export interface PageRow {
  /** The parsed row; of one that is no JSON, its text. */
  readonly source: unknown;
  /** Where the page stops being JSON, in a row that is none. */
  readonly faultOffset?: number;
}

export interface SplitPage {
  /** The page without its rows. */
  readonly envelope: unknown;
  readonly rows: readonly PageRow[];
}

/** Up to the list of rows: it stands in `d`, or in the `results` of `d`, beside texts and numbers only. */
const HEAD = /^\s*\{\s*"d"\s*:\s*(?:\{[^[\]{}]*"results"\s*:\s*)?\[/;
/** From the end of the list on. */
const TAIL = /\]\s*(?:,\s*"__\w+"\s*:\s*(?:"[^"]*"|\d+|null)\s*)*\}\s*(?:\}\s*)?$/;
const LONGEST_TAIL = 20_000;
/** A bad row may be read to the end of the page. Of a page with many, so many times the page is read at most. */
const MOST_READ_IN_VAIN = 10;

/**
 * Undefined where not even the rows can be found.
 *
 * @param ownField a field that each row has, and nothing inside it
 */
export function splitPage(text: string, ownField: string): SplitPage | undefined {
  const start = HEAD.exec(text)?.[0].length ?? text.length;
  const tailFrom = Math.max(start, text.length - LONGEST_TAIL);
  const end = tailFrom + (TAIL.exec(text.slice(tailFrom))?.index ?? text.length);
  const first = /^\s*(\{\s*"[^"\\]*"\s*:)/.exec(text.slice(start, start + LONGEST_TAIL))?.[1];
  if (first === undefined || end > text.length) return undefined;
  const envelope = tryParse(text.slice(0, start) + text.slice(end));
  if (envelope === undefined) return undefined;

  const starts = rowStarts(text.slice(0, end), start, first, ownField);
  const rows: PageRow[] = [];
  let passed = 0;
  let inVain = 0;
  for (let at = skipBlanks(text, start); at < end; ) {
    while ((starts[passed] ?? end) <= at) passed++;
    const next = starts[passed] ?? end;
    // Where an entity inside a row begins as a row does, the row ends behind the next beginning.
    const limit = inVain < MOST_READ_IN_VAIN * text.length ? end : next;
    const rowEnd = endOfObject(text, at, limit);
    const row = rowEnd === undefined ? undefined : tryParse(text.slice(at, rowEnd));
    // Also a bad row has an end, but where quotes do not match, it may lie in another row.
    if (row === undefined) inVain += (rowEnd ?? limit) - at;
    if (rowEnd !== undefined && row !== undefined) {
      rows.push({ source: row.value });
      at = skipBlanks(text, rowEnd);
    } else {
      const bad = text.slice(at, next).replace(/[\s,]+$/, '');
      rows.push({ source: bad, faultOffset: at + faultOffset(bad) });
      at = next;
    }
  }
  return { envelope: envelope.value, rows };
}

function tryParse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: parseLenientJson(text) };
  } catch (error) {
    if (error instanceof InvalidJson) return undefined;
    throw error;
  }
}

function faultOffset(text: string): number {
  try {
    parseLenientJson(text);
    return 0;
  } catch (error) {
    return error instanceof InvalidJson ? (error.offset ?? 0) : 0;
  }
}

const skipBlanks = (text: string, at: number): number =>
  at + (/^[\s,]*/.exec(text.slice(at, at + 1000))?.[0].length ?? 0);

/**
 * Where rows seem to begin: as the first one does, and with their own field before the next such beginning. An entity inside
 * a row may begin alike. Used only to go on after a bad row.
 */
function rowStarts(text: string, from: number, first: string, ownField: string): number[] {
  const starts: number[] = [];
  for (let at = text.indexOf(first, from); at >= 0; at = text.indexOf(first, at + 1)) starts.push(at);
  const isRow = (at: number, index: number): boolean => text.slice(at, starts[index + 1]).includes(`"${ownField}"`);
  const rows = starts.filter(isRow);
  return rows.length > 0 ? rows : starts;
}

const MARK = /["[\]{}]/g;

/** The end of the object that begins here; undefined when there is none before the end. */
function endOfObject(text: string, from: number, end: number): number | undefined {
  let depth = 0;
  for (let at = from; ; ) {
    MARK.lastIndex = at;
    const mark = MARK.exec(text)?.[0];
    at = MARK.lastIndex;
    if (mark === undefined || at > end) return undefined;
    if (mark === '"') {
      const close = endOfString(text, at);
      if (close === undefined) return undefined;
      at = close + 1;
    } else {
      depth += mark === '{' || mark === '[' ? 1 : -1;
      if (depth === 0) return at;
    }
  }
}
