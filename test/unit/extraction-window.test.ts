/** Which windows a run reads: whatever happens between the runs, time is covered without a gap. */
import { describe, expect, test } from '@jest/globals';
import {
  readingEndMs,
  readingStartMs,
  trustedTimeMs,
  type WindowSettings,
  wholeSeconds,
} from '../../functions/extract-approved-carts/extraction-window.ts';
import { nextSlice } from '../../shared/reading/slice.ts';
import type { ReadingWindow } from '../../shared/srm-carts.ts';
import fc from '../properties.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
const first = Date.parse('2026-12-01T00:00:00Z');
const settings: WindowSettings = { firstWatermarkMs: first, overlapMs: 30 * MINUTE, safetyMs: 5 * MINUTE };

describe('reading starts', () => {
  test.each([
    ['at the first watermark, when nothing has been read', {}, first],
    ['at the watermark less the overlap', { watermarkMs: first + DAY }, first + DAY - 30 * MINUTE],
    [
      'at the position less the overlap, when that is further',
      { watermarkMs: first + DAY, positionMs: first + 2 * DAY },
      first + 2 * DAY - 30 * MINUTE,
    ],
    [
      'at the watermark, when the position is behind it',
      { watermarkMs: first + DAY, positionMs: first + MINUTE },
      first + DAY - 30 * MINUTE,
    ],
    ['at the position, when no slice was whole yet', { positionMs: first + DAY }, first + DAY - 30 * MINUTE],
    ['at the first watermark, when the overlap would reach behind it', { watermarkMs: first + MINUTE }, first],
    ['at the first watermark, when that was moved on since', { watermarkMs: first - DAY }, first],
    ['at a whole second', { watermarkMs: first + DAY + 999 }, first + DAY - 30 * MINUTE],
  ])('%s', (_, stored, startMs) => {
    expect(readingStartMs(stored, settings)).toBe(startMs);
  });
});

describe('reading ends', () => {
  test('at now less the safety, in whole seconds', () => {
    expect(readingEndMs(first + 999, settings)).toBe(first - 5 * MINUTE);
    expect(readingEndMs(first + 1000, settings)).toBe(first - 5 * MINUTE + SECOND);
  });

  test.each([
    ['nothing is left', first, undefined, first, undefined],
    ['the end lies before the start', first, undefined, first - SECOND, undefined],
    ['only the overlap is left', first, first + MINUTE, first + MINUTE, undefined],
    ['a second is left', first, first + MINUTE, first + MINUTE + SECOND, first + MINUTE + SECOND],
    ['exactly a day is left', first, undefined, first + DAY, first + DAY],
    ['more than a day is left', first, undefined, first + DAY + SECOND, first + DAY],
    ['a slice is all overlap, and more is behind it', first, first + 2 * DAY, first + 3 * DAY, first + DAY],
  ])('at the right second when %s', (_, startMs, reachedMs, endMs, toMs) => {
    expect(nextSlice(startMs, reachedMs, endMs, DAY)).toEqual(
      toMs === undefined ? undefined : { fromMs: startMs, toMs },
    );
  });
});

describe('the time that counts as now', () => {
  test.each([
    ['ours, when SRM says nothing', undefined, first],
    ['ours, at a minute ahead', first + MINUTE, first],
    ['ours, at a minute behind', first - MINUTE, first],
    ['SRM’s, beyond a minute ahead', first + MINUTE + 1, first + MINUTE + 1],
    ['SRM’s, beyond a minute behind', first - MINUTE - 1, first - MINUTE - 1],
  ])('is %s', (_, serverMs, trustedMs) => {
    expect(trustedTimeMs(first, serverMs)).toBe(trustedMs);
  });
});

describe('a window that an operator gives', () => {
  test.each([
    [0, 0, 0, 0],
    [1, 1, 0, 1000],
    [999, 1000, 0, 1000],
    [1000, 1001, 1000, 2000],
    [-1, 59_999, -1000, 60_000],
  ])('of %i to %i takes in the seconds from %i to %i', (fromMs, toMs, from, to) => {
    expect(wholeSeconds({ fromMs, toMs })).toEqual({ fromMs: from, toMs: to });
  });
});

describe('a sequence of runs, whatever happens to each run,', () => {
  /** One run as the extractor makes it, which may stop after some slices, at a position within the next. */
  interface Run {
    readonly pauseMs: number;
    readonly wholeSlices: number;
    readonly within: number | undefined;
  }
  const anyRun: fc.Arbitrary<Run> = fc.record({
    pauseMs: fc.oneof(fc.integer({ min: 0, max: 10 * MINUTE }), fc.integer({ min: 0, max: 5 * DAY })),
    wholeSlices: fc.integer({ min: 0, max: 6 }),
    within: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
  });
  const anySettings = fc.record({
    firstWatermarkMs: fc.integer({ min: 0, max: 86_400 }).map((seconds) => first + seconds * SECOND),
    overlapMs: fc
      .oneof(fc.integer({ min: 0, max: 60 * 60 }), fc.integer({ min: 0, max: 4 * 86_400 }))
      .map((s) => s * SECOND),
    safetyMs: fc.integer({ min: 0, max: 3600 }).map((seconds) => seconds * SECOND),
  });

  /** The slices that were read whole, and the read parts of the others. */
  function play(
    runs: readonly Run[],
    given: WindowSettings,
  ): { read: ReadingWindow[]; starts: number[]; endMs: number } {
    const stored: { watermarkMs?: number; positionMs?: number } = {};
    const read: ReadingWindow[] = [];
    const starts: number[] = [];
    let nowMs = given.firstWatermarkMs;
    let lastEndMs = Number.NEGATIVE_INFINITY;
    for (const { pauseMs, wholeSlices, within } of [...runs, { pauseMs: 0, wholeSlices: 99, within: undefined }]) {
      nowMs += pauseMs;
      const endMs = readingEndMs(nowMs, given);
      let startMs = readingStartMs(stored, given);
      for (let slices = 0; ; slices++) {
        const slice = nextSlice(startMs, stored.watermarkMs, endMs, DAY);
        if (slice === undefined) break;
        starts.push(slice.fromMs);
        if (slices === wholeSlices) {
          if (within === undefined) break;
          const positionMs = slice.fromMs + Math.floor((within * (slice.toMs - slice.fromMs)) / SECOND) * SECOND;
          stored.positionMs = Math.max(positionMs, stored.positionMs ?? positionMs);
          read.push({ fromMs: slice.fromMs, toMs: positionMs });
          break;
        }
        read.push(slice);
        if (slice.toMs > (stored.watermarkMs ?? slice.fromMs)) {
          stored.watermarkMs = slice.toMs;
          delete stored.positionMs;
        }
        startMs = slice.toMs;
      }
      lastEndMs = endMs;
    }
    return { read, starts, endMs: lastEndMs };
  }

  test('covers time from the first watermark to the last end without a gap', () => {
    fc.assert(
      fc.property(fc.array(anyRun, { maxLength: 8 }), anySettings, (runs, given) => {
        const { read, endMs } = play(runs, given);
        let coveredMs = given.firstWatermarkMs;
        for (const { fromMs, toMs } of [...read].sort((left, right) => left.fromMs - right.fromMs)) {
          expect(fromMs).toBeLessThanOrEqual(coveredMs);
          coveredMs = Math.max(coveredMs, toMs);
        }
        expect(coveredMs).toBe(Math.max(given.firstWatermarkMs, endMs));
      }),
      { numRuns: 300 },
    );
  });

  test('has no window that starts before the first watermark, is wider than 24 h, or cuts a second', () => {
    fc.assert(
      fc.property(fc.array(anyRun, { maxLength: 8 }), anySettings, (runs, given) => {
        const { read, starts } = play(runs, given);
        for (const fromMs of starts) expect(fromMs).toBeGreaterThanOrEqual(given.firstWatermarkMs);
        for (const { fromMs, toMs } of read) {
          expect(toMs - fromMs).toBeLessThanOrEqual(DAY);
          expect([fromMs % SECOND, toMs % SECOND]).toEqual([0, 0]);
        }
      }),
      { numRuns: 300 },
    );
  });
});
