/**
 * The worker finds the pace of 11VMS without configuration, whatever limits it, and takes no chance for a limit.
 * `npm run bench -- --drain 20000` prints the whole table.
 */
import { expect, test } from '@jest/globals';
import { type DrainCase, drainCases, runCase } from './drain-cases.ts';

const CARTS = 3000;
const WORKER_TIMEOUT_MS = 60_000;
/** Each environment posts its first ten carts before it has an answer. */
const FIRST_BATCH = 10;

/**
 * At two calls a second the limit holds one call: whoever comes within half a second of another is refused. Callers that
 * cannot agree on their moments use such a limit badly, or are refused many times a cart.
 */
const isLimitOfOneCall = ({ limit }: DrainCase): boolean => limit.kind === 'rate' && limit.burst === 1;

const leastGoodput = (one: DrainCase): number => {
  if (isLimitOfOneCall(one)) return 0.35;
  return one.limit.kind === 'chance' ? 0.8 : 0.9;
};

const mostRefusals = (one: DrainCase): number => (isLimitOfOneCall(one) ? 3 : 0.3);

/** CI has twenty minutes for everything: the other cases are left to `npm run bench -- --drain`. */
const isOfCi = ({ limit, maximumConcurrency, retryAfterSeconds }: DrainCase): boolean =>
  limit.kind === 'chance' ? limit.share === 0.2 : maximumConcurrency === 10 && retryAfterSeconds !== undefined;

for (const one of drainCases(CARTS).filter(isOfCi)) {
  const retryAfter = one.retryAfterSeconds === undefined ? 'without' : 'with';
  test(`${one.name}, ${one.maximumConcurrency} environments, ${retryAfter} Retry-After`, async () => {
    const drained = await runCase(one);
    expect(drained).toMatchObject({ orders: one.carts, deadLetters: 0, callsTooEarly: 0 });
    expect(drained.goodput).toBeGreaterThanOrEqual(leastGoodput(one));
    expect(drained.longestInvocationMs).toBeLessThan(WORKER_TIMEOUT_MS);
    const refused = drained.throttledCalls - FIRST_BATCH * one.maximumConcurrency;
    expect(refused / one.carts).toBeLessThanOrEqual(mostRefusals(one));
  });
}
