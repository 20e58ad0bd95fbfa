/** A source of numbers in [0, 1) that gives the same numbers for the same seed. */
export type Random = () => number;

/** The 32-bit generator "mulberry32": small and fast. Its quality is enough for disturbances and generated carts. */
export function mulberry32(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A 32-bit hash of a text: FNV-1a, then the last step of murmur, because FNV gives similar keys similar hashes. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A whole number from `lowest` to `highest`, both included. */
export function between(random: Random, lowest: number, highest: number): number {
  return lowest + Math.floor(random() * (highest - lowest + 1));
}

/** True for about `share` of the calls. */
export function chance(random: Random, share: number): boolean {
  return random() < share;
}

/** One element of a list. The list must not be empty. */
export function pick<T>(random: Random, list: readonly T[]): T {
  const [chosen] = list.slice(between(random, 0, list.length - 1));
  if (chosen === undefined) {
    throw new Error('Nothing to pick from: the list is empty');
  }
  return chosen;
}
