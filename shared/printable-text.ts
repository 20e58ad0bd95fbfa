/** Makes text from other systems fit for a line of a log or of a terminal. */

/** Control characters, also those of 8-bit terminals, line separators, and marks that change the direction of text. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** The text on one line and of a bounded length; unprintable characters become U+FFFD. */
export const printable = (text: string, maximum: number): string =>
  text.slice(0, maximum).replace(UNPRINTABLE, '\ufffd');

/** JSON on one line. Characters that JSON allows and a terminal would execute are escaped. */
export const printableJson = (value: unknown): string =>
  JSON.stringify(value).replace(UNPRINTABLE, (text) =>
    Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
  );
