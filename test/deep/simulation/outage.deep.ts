/**
 * After a six-hour outage at 1,000 carts a day every order is created, and the dead-letter queue is empty. The real use cases
 * run in virtual time.
 */
import { describe, expect, test } from '@jest/globals';
import { expectAllOrdered, expectFewDeadLetters, expectPagedSoon } from './outage-expectations.ts';
import { type OutageResult, simulateOutage } from './outage.ts';
import { HARMLESS_OUTAGE, OUTAGE_KINDS, type OutageKind, UNCLEAR_OUTAGE } from './virtual-vms.ts';

const SEEDS = [1];
const PAUSING = OUTAGE_KINDS.filter((kind) => kind !== '429' && kind !== HARMLESS_OUTAGE);

const simulate = (kind: OutageKind, seed: number): Promise<OutageResult> =>
  simulateOutage({ kind, seed, cartsADay: 1000, outageHours: 6 });

describe('a six-hour outage at 1,000 carts a day', () => {
  describe.each(PAUSING)('by %s', (kind) => {
    test.each(SEEDS)('pauses, pages within a quarter of an hour, and loses nothing (seed %i)', async (seed) => {
      const result = await simulate(kind, seed);
      expect(result.carts).toBeGreaterThan(250);
      expectPagedSoon(result);
      // At most the first carts are dead letters, with a reason.
      if (kind === UNCLEAR_OUTAGE) expectFewDeadLetters(result);
      else expectAllOrdered(result);
    });
  });

  test.each(SEEDS)(`by ${HARMLESS_OUTAGE} loses nothing (seed %i)`, async (seed) => {
    expectAllOrdered(await simulate(HARMLESS_OUTAGE, seed));
  });

  test.each(SEEDS)('by 429 never pauses, pages after hours, and loses nothing (seed %i)', async (seed) => {
    const result = await simulate('429', seed);
    expectAllOrdered(result);
    expect(result.minutesToThePause).toBeUndefined();
    expect(result.page?.alarm).toBe('cart-waiting-too-long');
    expect(result.page?.afterMinutes).toBeLessThanOrEqual(5 * 60);
  });
});
