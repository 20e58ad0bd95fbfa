/** Texts as SAP writes them, made fit to travel (edge cases 43 to 47; rules.md, "Texts"). */

/** C0 control characters, except line feed and tab. */
// oxlint-disable-next-line no-control-regex -- the pattern must find them
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g;

/** Printable ASCII with nothing to trim. */
const CLEAN = /^(?:[!-~](?:[ -~]*[!-~])?)?$/;

/** SAP's tag for `&`, line ends, no-break spaces, byte order marks, control characters, lone surrogates; NFC; trimmed. */
export function cleanText(text: string): string {
  // A fast path: a cart has hundreds of texts, and nearly all of them are clean.
  if (CLEAN.test(text) && !text.includes('<(>')) return text;
  return text
    .replaceAll('<(>&<)>', '&')
    .replace(/\r\n?/g, '\n')
    .replaceAll('\u00a0', ' ')
    .replaceAll('\ufeff', '')
    .replace(CONTROL, '')
    .toWellFormed()
    .normalize('NFC')
    .trim();
}

/** Upper case in NFC: some letters become two characters, which NFC joins to one. */
export const upperCase = (text: string): string => text.toUpperCase().normalize('NFC');

const MARKER = '[...]';

/** Cuts at a code point, never inside one; the marker counts in the maximum. */
export function cutText(text: string, maximum: number): string {
  const points = Array.from(text);
  return points.length <= maximum ? text : points.slice(0, maximum - MARKER.length).join('') + MARKER;
}

/** The part of a value that a fault shows: enough to search for, and never half a character. */
export const excerpt = (text: string): string => Array.from(text).slice(0, 40).join('');

/** SAP's one-character languages. */
const SAP_LANGUAGES = new Map([
  ['E', 'en'],
  ['F', 'fr'],
  ['D', 'de'],
  ['N', 'nl'],
  ['S', 'es'],
  ['I', 'it'],
  ['P', 'pt'],
]);

/** SAP's language key, of one or two characters, as ISO 639-1 in lower case; undefined when it is neither. */
export function languageCode(language: string | undefined): string | undefined {
  if (language === undefined) return undefined;
  return SAP_LANGUAGES.get(language) ?? (/^[A-Za-z]{2}$/.test(language) ? language.toLowerCase() : undefined);
}
