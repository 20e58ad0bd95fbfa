/** A window is read in slices, and the pages of a slice prove how far it was read. Pure. */
import { InterfaceError } from '../failure.ts';
import type { CartPage, ReadingWindow } from '../srm-carts.ts';

/** SRM refuses a wider window. */
export const WIDEST_SLICE_MS = 24 * 3600_000;
/** Where less than this is too much, the page size or the time-out is at fault. */
const NARROWEST_MS = 60_000;

/** SRM's filter knows seconds; rounding down at both ends leaves no gap between windows. */
export const wholeSecond = (ms: number): number => Math.floor(ms / 1000) * 1000;

/**
 * The next slice up to an end, or undefined when nothing is left. An overlap alone is not worth a read: the end must
 * lie beyond what was read before.
 */
export function nextSlice(
  startMs: number,
  reachedMs: number | undefined,
  endMs: number,
  widthMs: number,
): ReadingWindow | undefined {
  if (endMs <= Math.max(startMs, reachedMs ?? startMs)) return undefined;
  return { fromMs: startMs, toMs: Math.min(startMs + widthMs, endMs) };
}

/**
 * A quarter of the width of a slice that did not fit into a run or an answer; undefined where it is as narrow as it gets. Where pages
 * are not in order, only a whole slice counts.
 */
export function narrowerWidth({ fromMs, toMs }: ReadingWindow): number | undefined {
  const widthMs = toMs - fromMs;
  return widthMs > NARROWEST_MS ? Math.max(NARROWEST_MS, wholeSecond(widthMs / 4)) : undefined;
}

/** A page is larger than the client takes, and would be at the next attempt: that of a narrower slice may fit. */
export class PageTooLarge extends InterfaceError {
  constructor(message: string) {
    super('permanent', { code: 'E_SRC_UNAVAILABLE', message });
  }
}

/** How far a slice is queued. The position stands still as soon as the pages turn out not to be in order. */
export class SlicePosition {
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
   * The new position when the page moved it forward, no further than the limit. A row without a readable stamp does not
   * move it; a stamp beyond the slice stops it.
   */
  after(page: CartPage, limitMs: number): number | undefined {
    for (const { positionMs } of page.rows) {
      if (positionMs === undefined) continue;
      if (positionMs < this.#lastMs || positionMs >= this.#endMs) this.#inOrder = false;
      this.#lastMs = positionMs;
    }
    const reachedMs = Math.min(this.#lastMs, limitMs);
    if (!this.#inOrder || reachedMs <= (this.reachedMs ?? 0)) return undefined;
    this.reachedMs = reachedMs;
    return reachedMs;
  }

  /** The slice was not delivered whole: the position proves nothing, so that only the end of the slice counts. */
  standStill(): void {
    this.reachedMs = undefined;
    this.#inOrder = false;
  }
}
