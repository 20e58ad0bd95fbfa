/** Texts for the order (edge cases 44 to 47; rules.md, "Texts"). How SAP's texts are cleaned: shared/sap-values.ts. */

/** Upper case in NFC: some letters become two characters, which NFC joins to one. */
export const upperCase = (text: string): string => text.toUpperCase().normalize('NFC');

const MARKER = '[...]';

/** Whether a text has at most so many characters. A character is one UTF-16 unit or two: few texts have to be counted. */
export const hasAtMost = (text: string, maximum: number): boolean =>
  text.length <= maximum || (text.length <= 2 * maximum && Array.from(text).length <= maximum);

/** The beginning of a text, with which `cutText` comes to the same: the rest of a huge text is not read. */
export const headOf = (text: string, maximum: number): string => text.slice(0, 2 * (maximum + 1));

/** Cuts at a code point, never inside one; the marker counts in the maximum. */
export function cutText(text: string, maximum: number): string {
  if (hasAtMost(text, maximum)) return text;
  const points = Array.from(headOf(text, maximum));
  return points.slice(0, maximum - MARKER.length).join('') + MARKER;
}

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
