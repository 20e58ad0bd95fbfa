/**
 * After a six-hour outage at 1,000 carts a day every order is created, and the dead-letter queue is empty. The real use cases
 * run in virtual time.
 */
import { afterAll, describe, expect, test } from '@jest/globals';
import { type OutageResult, simulateOutage } from './outage.ts';
import { OUTAGE_KINDS, type OutageKind } from './virtual-vms.ts';

const SEEDS = [1, 2];
const WORKER_TIMEOUT_MS = 60_000;
/** Throttling does not open the breaker, so every cart is retried all the time, which is slow even in virtual time. */
const THROTTLED_HOURS = 1;
/** With a healthy look-up, the outage at first looks like a fault of single carts. */
const WITH_HEALTHY_LOOK_UP: ReadonlySet<OutageKind> = new Set(['500 on POST only']);

const figures: Record<string, string | number>[] = [];
afterAll(() => console.table(figures));

async function simulate(kind: OutageKind, seed: number, outageHours = 6): Promise<OutageResult> {
  const result = await simulateOutage({ kind, seed, cartsADay: 1000, outageHours });
  figures.push({
    kind,
    seed,
    carts: result.carts,
    'dead letters': result.deadLetters.length,
    requeued: result.requeued,
    'calls in the outage': result.callsInOutage,
    'last order after (min)': result.minutesToTheLastOrder,
    'longest invocation (s)': Math.round(result.longestInvocationMs / 1000),
  });
  return result;
}

function expectAllOrdered(result: OutageResult): void {
  expect(result).toMatchObject({ ...recovered, wrong: [], deadLetters: [] });
  expect(result.longestInvocationMs).toBeLessThan(WORKER_TIMEOUT_MS);
  expect(result.minutesToTheLastOrder).toBeLessThanOrEqual(30);
}

const recovered = { leftOnQueue: 0, breaker: 'CLOSED', isEnabled: true };

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
      const result = await simulate(kind, seed);
      expect(result).toMatchObject(recovered);
      // Each of the two execution environments decides alone. Before the fifth successive failure of different carts, an
      // outage looks like a cart that 11VMS cannot process.
      expect(result.deadLetters.length).toBeLessThanOrEqual(2);
      for (const { verdict } of result.deadLetters) expect(verdict).toMatchObject([{ code: 'E_TGT_UNAVAILABLE' }]);
      expect([...result.wrong].sort()).toEqual(result.deadLetters.map(({ cart }) => cart).sort());
      expect([...result.ordersPerCart.values()].every((orders) => orders <= 1)).toBe(true);
    });
  }
});

test('an hour of throttling never pauses consumption, and ends with every order once and no dead letter', async () => {
  const result = await simulate('429', 1, THROTTLED_HOURS);
  expectAllOrdered(result);
});
