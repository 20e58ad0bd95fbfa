/** Counts and lists in words, for the output of a run. */

/** "1 cart", "2 carts". */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** "a, b and 7 more". */
export const shortList = (names: readonly string[], shown: number): string =>
  names.length <= shown ? names.join(', ') : `${names.slice(0, shown).join(', ')} and ${names.length - shown} more`;
