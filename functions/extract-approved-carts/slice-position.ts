/** How far into a slice its pages prove that it was read. Pure. */
import type { CartPage, ReadingWindow } from '../../shared/srm-carts.ts';

/** How far a slice is done with. It stands still as soon as the pages turn out not to be in order. */
export class Position {
  reachedMs: number | undefined;
  readonly #endMs: number;
  #lastMs: number;
  #inOrder = true;

  constructor(slice: ReadingWindow, storedMs: number | undefined) {
    this.#endMs = slice.toMs;
    this.#lastMs = slice.fromMs;
    this.reachedMs = storedMs;
  }

  /**
   * The new position when the page moved it forward, no further than the limit. Rows without a readable stamp are
   * queued, and move nothing; a stamp beyond the slice is none to go by.
   */
  after(page: CartPage, limitMs: number): number | undefined {
    for (const { changedAtMs } of page.rows) {
      if (changedAtMs === undefined) continue;
      if (changedAtMs < this.#lastMs || changedAtMs >= this.#endMs) this.#inOrder = false;
      this.#lastMs = changedAtMs;
    }
    const reachedMs = Math.min(this.#lastMs, limitMs);
    if (!this.#inOrder || reachedMs <= (this.reachedMs ?? 0)) return undefined;
    this.reachedMs = reachedMs;
    return reachedMs;
  }

  /** The slice was not delivered whole: what it has reached proves nothing, and only its end will. */
  standStill(): void {
    this.reachedMs = undefined;
    this.#inOrder = false;
  }
}
