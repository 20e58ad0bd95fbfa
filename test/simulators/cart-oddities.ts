import type { CartDraft } from './cart-draft.ts';
import { headerOddities } from './cart-header-oddities.ts';
import { lineOddities } from './cart-line-oddities.ts';
import { textOddities } from './cart-text-oddities.ts';
import type { CartOddity } from './cart-oddity.ts';
import { hash32, mulberry32 } from './seeded-random.ts';

/** All oddities, in the order in which a cart gets them. */
export const cartOddities: readonly CartOddity[] = [...lineOddities, ...headerOddities, ...textOddities];

/**
 * Adds oddities to a cart and returns their names. Each oddity draws from a seed of its own, so that a new oddity does not
 * change where the others appear.
 */
export function addOddities(cart: CartDraft, cartKey: string): readonly string[] {
  const cartHash = hash32(cartKey);
  const added: string[] = [];
  for (const [index, { name, share, apply }] of cartOddities.entries()) {
    const seed = cartHash ^ (nameHashes[index] ?? 0);
    if (roll(seed) < share && apply(cart, mulberry32(seed))) {
      added.push(name);
    }
  }
  return added;
}

const nameHashes = cartOddities.map(({ name }) => hash32(name));
const { imul } = Math;

/** One number in [0, 1), by the last step of murmur's hash. Nearly all rolls miss, so a generator for each would be slow. */
function roll(seed: number): number {
  let mixed = imul(seed ^ (seed >>> 16), 0x85ebca6b);
  mixed = imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 4_294_967_296;
}
