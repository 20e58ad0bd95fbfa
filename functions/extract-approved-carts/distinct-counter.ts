/** How many different texts were seen, in at most 32 bytes each: a slice can hold a million carts (edge cases 7, 8). */
import { hash } from 'node:crypto';

export interface DistinctCounter {
  add(text: string): void;
  readonly count: number;
}

/** Slots, each of two words; a power of two. */
const FIRST_SLOTS = 1 << 12;

/**
 * Remembers 64 bits of each text's hash. That two of a million share them happens once in 30 million slices, and only
 * has the slice read again.
 */
export function createDistinctCounter(): DistinctCounter {
  let words = new Uint32Array(2 * FIRST_SLOTS);
  let count = 0;

  /** Puts a fingerprint into its slot, or the next that is free; false when it is there already. */
  function put(high: number, low: number): boolean {
    const mask = words.length - 1;
    for (let at = (low << 1) & mask; ; at = (at + 2) & mask) {
      if (words[at] === 0) {
        words[at] = high;
        words[at + 1] = low;
        return true;
      }
      if (words[at] === high && words[at + 1] === low) return false;
    }
  }

  /** Half of the slots stay free, so that a search ends soon. */
  function grow(): void {
    const full = words;
    words = new Uint32Array(2 * full.length);
    for (let at = 0; at < full.length; at += 2) {
      const [high = 0, low = 0] = [full[at], full[at + 1]];
      if (high !== 0) put(high, low);
    }
  }

  return {
    add(text) {
      const digest = hash('sha256', text, 'buffer');
      // A free slot begins with a zero.
      if (!put(digest.readUInt32LE(0) || 1, digest.readUInt32LE(4))) return;
      count++;
      if (4 * count > words.length) grow();
    },
    get count() {
      return count;
    },
  };
}
