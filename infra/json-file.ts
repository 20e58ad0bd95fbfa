/**
 * Reads a JSON file that a person wrote. Where it is not JSON, the message says what it is instead, or on which line the
 * mistake is. No message quotes more than one character: the file may hold personal data.
 */
import { readFileSync } from 'node:fs';

/** The message goes on from "the file": "is XML", "cannot be read: ...". */
export class NoJsonFile extends Error {}

/** The text of the file, without a byte order mark. @throws {NoJsonFile} */
export function readJsonText(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new NoJsonFile(`cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  return decodeJson(bytes);
}

/** The text of what a file or standard input holds. @throws {NoJsonFile} */
export function decodeJson(bytes: Buffer): string {
  // A byte order mark, or every second byte zero, as in English text.
  if (/^(fffe|feff|00..00|..00..00)/.test(bytes.toString('hex', 0, 4))) {
    throw new NoJsonFile('is UTF-16, which PowerShell writes with ">": save it as UTF-8');
  }
  try {
    // The decoder cuts a byte order mark off.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const valid = bytes.toString('utf8').split('\uFFFD')[0] ?? '';
    throw new NoJsonFile(`is not UTF-8 at ${place(valid, valid.length)}: save it as UTF-8`);
  }
}

/**
 * The value of a text, and the paths of the keys that an object has twice, of which JSON.parse keeps the last.
 * @throws {NoJsonFile} that says what the text is instead, or where its first mistake is.
 */
export function parseHandwritten(text: string): { readonly json: unknown; readonly repeated: readonly string[] } {
  const { mistake, repeated } = scanJson(text);
  if (mistake !== undefined) throw new NoJsonFile(otherFormat(text) ?? mistake);
  return { json: JSON.parse(text), repeated };
}

const COMMENT = String.raw`\/\/[^\n]*(?:\n|$)|\/\*(?:[^*]|\*(?!\/))*\*\/`;
/** A text as it is, or what is no part of JSON: a comment, or a comma before the end of an object or list. */
const TEXT_COMMENT_OR_COMMA = new RegExp(String.raw`"(?:[^"\\\n]|\\.)*"|${COMMENT}|,(?=(?:\s|${COMMENT})*[}\]])`, 'g');

/** JSON without the comments and last commas of JSONC. What is left keeps its line and column. */
export const withoutComments = (text: string): string =>
  text.replaceAll(TEXT_COMMENT_OR_COMMA, (found) =>
    found.startsWith('"') ? found : found.replaceAll(/[^\r\n]/g, ' '),
  );

function otherFormat(text: string): string | undefined {
  const [first = '', second = ''] = text.split('\n').filter((line) => line.trim() !== '');
  if (first === '') return 'is empty';
  if (/^\s*<(!doctype html|html)/i.test(first)) return 'is HTML, and not JSON: perhaps the page of a log-in';
  if (/^\s*</.test(first)) return 'is XML, and not JSON: ask SRM for $format=json';
  if (/^\s*[[{"'/#]/.test(first)) return undefined;
  if (/^(---|[\w-]+:)(\s|$)/.test(first)) return 'is YAML, and not JSON';
  const columns = /[;,\t]/.exec(first)?.[0];
  return columns !== undefined && second.includes(columns) ? 'is CSV, and not JSON' : undefined;
}

interface Container {
  /** Undefined for a list. */
  readonly keys: Set<string> | undefined;
  readonly path: string;
  /** The key, or the index, that is being read. */
  current: string | number;
}

type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | 'colon' | 'comma or end';

/** A mark, a text, or a number or word. */
const TOKEN =
  /[ \t\n\r]*(?:([{}[\],:])|("(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*")|(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-]))/uy;

/**
 * The first mistake of a text that is not JSON, with its line and column; and the paths of the keys that an object has
 * twice, of which JSON.parse keeps the last without an error.
 */
export function scanJson(text: string): { readonly mistake: string | undefined; readonly repeated: readonly string[] } {
  const repeated: string[] = [];
  const open: Container[] = [];
  let expected: Expected = 'value';
  TOKEN.lastIndex = 0;
  for (let at = 0; ; at = TOKEN.lastIndex) {
    const start = at + (/^[ \t\n\r]*/.exec(text.slice(at, at + 10_000))?.[0].length ?? 0);
    const container = open.at(-1);
    const found = (what: string) => ({ mistake: `is not JSON at ${place(text, start)}: ${what}`, repeated });
    if (start === text.length) {
      if (container === undefined && expected === 'comma or end') return { mistake: undefined, repeated };
      return found(
        `it ends too early${container === undefined ? '' : `, without the ${closing(container)} of an open ${opening(container)}`}`,
      );
    }
    const [token, mark, string] = TOKEN.exec(text) ?? [];
    if (token === undefined) return found(unreadable(text.slice(start, start + 1000), expected));
    const isEnd = mark === '}' || mark === ']';
    if (isEnd && container !== undefined && mark === closing(container) && expected !== 'value' && expected !== 'key') {
      if (expected === 'colon') return found('a colon and a value are missing before it');
      open.pop();
      expected = 'comma or end';
    } else if (isEnd && (expected === 'value' || expected === 'key') && text.slice(0, start).trimEnd().endsWith(',')) {
      return found(`there is a comma too many before the ${mark}`);
    } else if (expected === 'comma or end') {
      if (container === undefined) return found('there is more after the end');
      if (mark !== ',') return found(`a comma or the ${closing(container)} is missing before it`);
      if (typeof container.current === 'number') container.current++;
      expected = container.keys === undefined ? 'value' : 'key';
    } else if (expected === 'colon') {
      if (mark !== ':') return found('a colon is missing before it');
      expected = 'value';
    } else if (expected === 'key' || expected === 'key or }') {
      if (string === undefined || container === undefined) return found('a field name in double quotes is missing');
      container.current = String(JSON.parse(string));
      if (container.keys?.has(container.current) === true) repeated.push(pathOf(container));
      container.keys?.add(container.current);
      expected = 'colon';
    } else if (mark === '{' || mark === '[') {
      const path = container === undefined ? '' : pathOf(container);
      const isObject = mark === '{';
      open.push({ keys: isObject ? new Set() : undefined, path, current: isObject ? '' : 0 });
      expected = isObject ? 'key or }' : 'value or ]';
    } else if (mark !== undefined) {
      return found('a value is missing before it');
    } else {
      expected = 'comma or end';
    }
  }
}

/** Why no token starts here. */
function unreadable(rest: string, expected: Expected): string {
  if (rest.startsWith('/*') && !rest.includes('*/')) return 'a comment that begins with /* ends with */';
  if (/^(\/\/|\/\*|#)/.test(rest)) return 'JSON has no comments';
  if (/^['‘’“”«»`]/u.test(rest)) return 'a text stands in straight double quotes, "like this"';
  if (rest.startsWith('"')) {
    return /^"[^"\n]*\\/.test(rest)
      ? 'a \\ in a text is written \\\\'
      : 'a text must end in a " on its own line, and hold no tab';
  }
  if (/^[\u00A0\u2000-\u200D\u202F\uFEFF]/.test(rest)) return 'there is an invisible character; delete it';
  if (/^(True|False|None|undefined|NaN)\b/.test(rest)) return 'write true, false or null';
  if (/^[\d.+-]/.test(rest)) return 'this is no number of JSON, such as 5 or 0.5';
  if (/^\p{L}/u.test(rest)) {
    return expected.startsWith('key') ? 'a field name stands in double quotes' : 'a text stands in double quotes';
  }
  return 'this character is not expected here';
}

const opening = ({ keys }: Container): string => (keys === undefined ? '[' : '{');
const closing = ({ keys }: Container): string => (keys === undefined ? ']' : '}');
const pathOf = ({ path, current }: Container): string => (path === '' ? String(current) : `${path}.${current}`);

function place(text: string, offset: number): string {
  const before = text.slice(0, offset).split(/\r\n|\n|\r/);
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
