import { type CartDraft, isEligible, type LineDraft, type SrmRow } from './cart-draft.ts';
import { pick, type Random } from './seeded-random.ts';

/** Something unusual that a correct interface takes: the cart becomes the same orders, or is skipped by a rule. */
export interface CartOddity {
  readonly name: string;
  /** The share of good carts that have it, as far as they have a place for it. */
  readonly share: number;
  /** False when this cart has no place for it. */
  readonly apply: (cart: CartDraft, random: Random) => boolean;
}

/** Whether a line can have an oddity. */
export type LineTest = (line: LineDraft, cart: CartDraft) => boolean;

/** What an oddity does to a line. */
export type LineChange = (line: LineDraft, random: Random, cart: CartDraft) => void;

/** Changes the cart. */
export const onCart =
  (change: (cart: CartDraft, random: Random) => void): CartOddity['apply'] =>
  (cart, random) => {
    change(cart, random);
    return true;
  };

/** Writes other fields into the cart's row. */
export const cartFields = (...choices: readonly SrmRow[]): CartOddity['apply'] =>
  onCart((cart, random) => {
    const fields = pick(random, choices);
    cart.edits.push(() => fields);
  });

/** Suits every line. */
export const anyLine: LineTest = () => true;

/** Changes one of the ordered lines that suit. */
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

/** Changes every line. */
export const onLines = (change: LineChange): CartOddity['apply'] =>
  onCart((cart, random) => {
    for (const line of cart.lines) {
      change(line, random, cart);
    }
  });

/** Writes other fields into the row of one of the ordered lines that suit. */
export const lineFields = (suits: LineTest, ...choices: readonly SrmRow[]): CartOddity['apply'] =>
  onLine(suits, (line, random) => {
    const fields = pick(random, choices);
    line.edits.push(() => fields);
  });
