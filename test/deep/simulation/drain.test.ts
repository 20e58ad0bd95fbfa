/** The worker finds the pace of 11VMS without configuration. drain.deep.ts checks how close it comes, for every limit. */
import { expect, test } from '@jest/globals';
import { chanceCase, rateCase, runCase } from './drain-cases.ts';

test('429s by chance hold nothing up but their carts', async () => {
  const drained = await runCase(
    chanceCase(0.05, { carts: 1500, maximumConcurrency: 2, retryAfterSeconds: 1, seed: 1 }),
  );
  expect(drained).toMatchObject({ orders: 1500, deadLetters: 0, callsTooEarly: 0 });
  expect(drained.goodput).toBeGreaterThanOrEqual(0.8);
});

test('when 11VMS is too slow for the received carts, they are retried, and none is dead-lettered', async () => {
  const drained = await runCase(rateCase(1, { carts: 150, maximumConcurrency: 20, retryAfterSeconds: 1, seed: 1 }));
  expect(drained).toMatchObject({ orders: 150, deadLetters: 0, callsTooEarly: 0 });
  expect(drained.retries + drained.requeues).toBeGreaterThan(50);
  expect(drained.requeues).toBeLessThan(300);
});
