/** The worker finds the rate of 11VMS without configuration. drain.deep.ts checks how close it comes. */
import { expect, test } from '@jest/globals';
import { drain } from './drain.ts';

test('when 11VMS is too slow for the received carts, they are retried, and none is dead-lettered', async () => {
  const limit = { callsPerSecond: 1, burst: 1, retryAfterSeconds: 1 };
  const drained = await drain({ carts: 150, maximumConcurrency: 20, limit, seed: 1 });
  expect(drained).toMatchObject({ orders: 150, deadLetters: 0, callsTooEarly: 0 });
  expect(drained.retries + drained.requeues).toBeGreaterThan(50);
  expect(drained.requeues).toBeLessThan(150);
});
