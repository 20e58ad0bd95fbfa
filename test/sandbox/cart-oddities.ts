import type { CartDraft } from './cart-draft.ts';
import { headerOddities } from './cart-header-oddities.ts';
import { lineOddities } from './cart-line-oddities.ts';
import { textOddities } from './cart-text-oddities.ts';
import type { CartOddity } from './cart-oddity.ts';
import { hash32, mulberry32 } from './seeded-random.ts';

/** Every oddity, in the order in which a cart gets them. */
export const cartOddities: readonly CartOddity[] = [...lineOddities, ...headerOddities, ...textOddities];

/**
 * Gives a cart its oddities, and names them. Each has numbers of its own, so that one more oddity leaves all others
 * where they were.
 */
export function addOddities(cart: CartDraft, cartKey: string): readonly string[] {
  const cartHash = hash32(cartKey);
  const added: string[] = [];
  for (const [index, { name, share, apply }] of cartOddities.entries()) {
    const random = mulberry32(cartHash ^ (nameHashes[index] ?? 0));
    if (random() < share && apply(cart, random)) {
      added.push(name);
    }
  }
  return added;
}

const nameHashes = cartOddities.map(({ name }) => hash32(name));
