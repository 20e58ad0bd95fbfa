import type { CartDraft } from './cart-draft.ts';
import { headerOddities } from './cart-header-oddities.ts';
import { lineOddities } from './cart-line-oddities.ts';
import { textOddities } from './cart-text-oddities.ts';
import { hash32, mulberry32, type Random } from './seeded-random.ts';

/** Something unusual that a correct interface takes: the cart becomes the same orders, or is skipped by a rule. */
export interface CartOddity {
  readonly name: string;
  /** The share of good carts that have it, as far as they have a place for it. */
  readonly share: number;
  /** False when this cart has no place for it. */
  readonly apply: (cart: CartDraft, random: Random) => boolean;
}

/** Every oddity, in the order in which a cart gets them. */
export const cartOddities: readonly CartOddity[] = [...lineOddities, ...headerOddities, ...textOddities];

/**
 * Gives a cart its oddities, and names them. Each has numbers of its own, so that one more oddity leaves all others
 * where they were.
 */
export function addOddities(cart: CartDraft, cartKey: string): readonly string[] {
  const added: string[] = [];
  for (const { name, share, apply } of cartOddities) {
    const random = mulberry32(hash32(`${name} ${cartKey}`));
    if (random() < share && apply(cart, random)) {
      added.push(name);
    }
  }
  return added;
}
