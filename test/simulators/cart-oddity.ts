import { type CartDraft, isEligible, type LineDraft, type SrmRow } from './cart-draft.ts';
import { pick, type Random } from './seeded-random.ts';

/** Something unusual but valid: the cart becomes orders, or a rule skips it. */
export interface CartOddity {
  readonly name: string;
  /** The share of good carts that get it, among those that it suits. */
  readonly share: number;
  /** False when it does not suit this cart. */
  readonly apply: (cart: CartDraft, random: Random) => boolean;
}

export type LineTest = (line: LineDraft, cart: CartDraft) => boolean;

export type LineChange = (line: LineDraft, random: Random, cart: CartDraft) => void;

export const onCart =
  (change: (cart: CartDraft, random: Random) => void): CartOddity['apply'] =>
  (cart, random) => {
    change(cart, random);
    return true;
  };

/** Replaces fields in the row of the cart. */
export const cartFields = (...choices: readonly SrmRow[]): CartOddity['apply'] =>
  onCart((cart, random) => {
    const fields = pick(random, choices);
    cart.edits.push(() => fields);
  });

export const anyLine: LineTest = () => true;

/** Changes one of the eligible lines that suit. */
export const onLine =
  (suits: LineTest, change: LineChange): CartOddity['apply'] =>
  (cart, random) => {
    const lines = cart.lines.filter((line) => isEligible(line) && suits(line, cart));
    if (lines.length === 0) {
      return false;
    }
    change(pick(random, lines), random, cart);
    return true;
  };

export const onLines = (change: LineChange): CartOddity['apply'] =>
  onCart((cart, random) => {
    for (const line of cart.lines) {
      change(line, random, cart);
    }
  });

/** Replaces fields in the row of one of the eligible lines that suit. */
export const lineFields = (suits: LineTest, ...choices: readonly SrmRow[]): CartOddity['apply'] =>
  onLine(suits, (line, random) => {
    const fields = pick(random, choices);
    line.edits.push(() => fields);
  });
