/**
 * JSON as text, for texts that the parser refuses: its messages quote the text, or name no place. Strings are searched for
 * their quotes, since one regular expression for a whole string runs out of stack where the string has millions of escapes.
 */

/** The offset of the closing quote of a string; `from` is behind its opening one. Undefined where it is not closed. */
export function endOfString(text: string, from: number): number | undefined {
  for (let quote = text.indexOf('"', from); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (quote - backslashes > from && text.charAt(quote - backslashes - 1) === '\\') backslashes++;
    if (backslashes % 2 === 0) return quote;
  }
  return undefined;
}

// oxlint-disable-next-line no-control-regex -- the pattern must find them; a backslash before one escapes something else
const CONTROL_OR_ESCAPE = /\\[\s\S]|[\u0000-\u001f]/g;

/** Escapes the control characters in strings. */
export function escapeControls(text: string): string {
  const parts: string[] = [];
  let done = 0;
  for (let open = text.indexOf('"'); open >= 0; open = text.indexOf('"', done)) {
    const close = endOfString(text, open + 1);
    if (close === undefined) break;
    const escaped = text
      .slice(open, close)
      .replace(CONTROL_OR_ESCAPE, (part) =>
        part.startsWith('\\') ? part : `\\u${part.charCodeAt(0).toString(16).padStart(4, '0')}`,
      );
    parts.push(text.slice(done, open), escaped, '"');
    done = close + 1;
  }
  return parts.join('') + text.slice(done);
}

const MARK = /["[\]{}]/g;

/** Whether lists and objects are nested deeper than that. Brackets in strings do not count. */
export function isDeeperThan(text: string, maximum: number): boolean {
  let depth = 0;
  for (let at = 0; depth <= maximum; ) {
    MARK.lastIndex = at;
    const mark = MARK.exec(text)?.[0];
    if (mark === undefined) return false;
    at = MARK.lastIndex;
    if (mark === '"') {
      const close = endOfString(text, at);
      if (close === undefined) return false;
      at = close + 1;
    } else depth += mark === '{' || mark === '[' ? 1 : -1;
  }
  return true;
}

const BLANK = /[\t\n\r ]*/y;
const NUMBER_OR_WORD = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4})?/g;

function lengthOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0].length ?? 0;
}

/** The offset of the first wrong character of a string; its control characters are not wrong. */
function faultOfString(text: string, open: number, close: number | undefined): number | undefined {
  for (const { 0: escape, index } of text.slice(open, close).matchAll(ESCAPE)) {
    if (escape === '\\') return Math.min(open + index + 1, text.length);
  }
  return close === undefined ? text.length : undefined;
}

type Expected = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end';

/** The offset of the first character that JSON does not allow there; undefined for JSON. */
export function firstFault(text: string): number | undefined {
  const open: string[] = [];
  let expected: Expected = 'value';
  for (let at = lengthOf(BLANK, text, 0); ; at += lengthOf(BLANK, text, at)) {
    const character = text.charAt(at);
    if (open.length === 0 && expected === 'comma or end') return character === '' ? undefined : at;
    const container = open.at(-1);
    if (character === container && expected.endsWith('or end')) {
      open.pop();
      expected = 'comma or end';
      at++;
    } else if (expected === 'comma or end') {
      if (character !== ',') return at;
      expected = container === '}' ? 'key' : 'value';
      at++;
    } else if (expected === 'colon') {
      if (character !== ':') return at;
      expected = 'value';
      at++;
    } else if (character === '"') {
      const close = endOfString(text, at + 1);
      const fault = faultOfString(text, at, close);
      if (fault !== undefined || close === undefined) return fault;
      expected = expected.startsWith('key') ? 'colon' : 'comma or end';
      at = close + 1;
    } else if (expected.startsWith('key')) {
      return at;
    } else if (character === '{' || character === '[') {
      open.push(character === '{' ? '}' : ']');
      expected = character === '{' ? 'key or end' : 'value or end';
      at++;
    } else {
      const length = lengthOf(NUMBER_OR_WORD, text, at);
      if (length === 0) return at;
      expected = 'comma or end';
      at += length;
    }
  }
}
