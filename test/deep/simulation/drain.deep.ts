/** The worker finds the rate of 11VMS without configuration. `npm run benchmark -- --drain 20000` prints the long table. */
import { expect, test } from '@jest/globals';
import { drain } from './drain.ts';

const CARTS = 1000;
const WORKER_TIMEOUT_MS = 60_000;

test('ten environments drain a full queue at the rate that 11VMS allows', async () => {
  const limit = { callsPerSecond: 20, burst: 10, retryAfterSeconds: 1 };
  const drained = await drain({ carts: CARTS, maximumConcurrency: 10, limit, seed: 1 });
  expect(drained).toMatchObject({ orders: CARTS, deadLetters: 0, callsTooEarly: 0 });
  expect(drained.reachedPerSecond / limit.callsPerSecond).toBeGreaterThanOrEqual(0.9);
  expect(drained.throttledCalls / CARTS).toBeLessThan(0.5);
  expect(drained.longestInvocationMs).toBeLessThan(WORKER_TIMEOUT_MS);
});
