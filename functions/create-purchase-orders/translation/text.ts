/** Texts for the order (edge cases 44 to 47; rules.md, "Texts"). How SAP's texts are cleaned: shared/sap-values.ts. */
import { printable } from '../../../shared/printable-text.ts';

/** Upper case in NFC: some letters become two characters, which NFC joins to one. */
export const upperCase = (text: string): string => text.toUpperCase().normalize('NFC');

const MARKER = '[...]';

/** Cuts at a code point, never inside one; the marker counts in the maximum. */
export function cutText(text: string, maximum: number): string {
  const points = Array.from(text);
  return points.length <= maximum ? text : points.slice(0, maximum - MARKER.length).join('') + MARKER;
}

/** The part of a value that a fault shows: printable, enough to search for, and never half a character. */
export const excerpt = (text: string): string =>
  printable(Array.from(text.slice(0, 80)).slice(0, 40).join(''), 80).normalize('NFC');

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
