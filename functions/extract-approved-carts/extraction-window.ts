/** Which windows a run reads. Pure. Source: rules.md, "Reading without gaps"; edge cases 3, 10, 11. */
import { wholeSecond } from '../../shared/reading/slice.ts';
import type { CartPage, ReadingWindow } from '../../shared/srm-carts.ts';
import type { WatermarkItem } from '../../shared/watermark.ts';

export interface WindowSettings {
  readonly firstWatermarkMs: number;
  /** Read again before the watermark: a cart may be committed late, with an earlier stamp (edge case 2). */
  readonly overlapMs: number;
  /** Left unread at the end: a cart may be stamped already but not committed yet. */
  readonly safetyMs: number;
}

/** The whole seconds that a window touches: one that an operator gave may end at 23:59:59.999. */
export const wholeSeconds = ({ fromMs, toMs }: ReadingWindow): ReadingWindow => ({
  fromMs: wholeSecond(fromMs),
  toMs: wholeSecond(toMs + 999),
});

/**
 * Where the next slice starts: at the time up to which carts are durably queued, less the overlap, but never before the
 * first watermark, which is when the interface went live.
 */
export function readingStartMs(stored: WatermarkItem, settings: WindowSettings): number {
  const { firstWatermarkMs, overlapMs } = settings;
  const reachedMs = Math.max(stored.watermarkMs ?? firstWatermarkMs, stored.positionMs ?? firstWatermarkMs);
  return wholeSecond(Math.max(firstWatermarkMs, reachedMs - overlapMs));
}

/** Where reading stops: younger carts may not be committed yet. */
export const readingEndMs = (nowMs: number, settings: WindowSettings): number => wholeSecond(nowMs - settings.safetyMs);

/** When the clocks differ by more, SRM's is used (edge case 3). */
const SKEW_FOLLOWED_MS = 60_000;
export const SKEW_WARNED_MS = 5 * 60_000;

/** The time to use: ours, unless SRM's own clock differs by more than a minute. */
export function trustedTimeMs(ourMs: number, serverMs: number | undefined): number {
  return serverMs !== undefined && Math.abs(serverMs - ourMs) > SKEW_FOLLOWED_MS ? serverMs : ourMs;
}

/**
 * Why the `Date` of a page is not SRM's clock; undefined where it may be. A clock that stands in the past would stop the
 * watermark for good.
 *
 * @param readToMs how far was read before: SRM's clock was later than that already.
 */
export function clockFault(
  { rows, serverTimeMs, isCached }: CartPage,
  slice: ReadingWindow,
  readToMs: number,
): string | undefined {
  if (serverTimeMs === undefined) return undefined;
  if (isCached) return 'the answer has an Age, so it comes from a cache';
  if (serverTimeMs < readToMs) return 'it lies before what was read already';
  // A stamp outside the slice is a fault of its cart, and says nothing about the clock.
  const isLater = ({ positionMs = 0 }) => positionMs < slice.toMs && wholeSecond(positionMs) > serverTimeMs;
  return rows.some(isLater) ? 'it lies before a ChangedAt of its own page' : undefined;
}
