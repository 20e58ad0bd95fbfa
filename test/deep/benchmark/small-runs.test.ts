/** The smallest benchmark. small-runs.deep.ts runs more of them, as processes. */
import { expect, test } from '@jest/globals';
import * as z from 'zod';
import { benchmarkDrain } from '../../benchmark/drain.ts';

const drained = z.object({ carts: z.number(), orders: z.number(), deadLetters: z.number(), callsTooEarly: z.number() });

test('--drain: no dead letter by throttling, and no call before Retry-After has passed', async () => {
  const { json } = await benchmarkDrain(
    { what: 'drain', carts: 20, rounds: 1, only: undefined, platforms: false, json: true },
    () => undefined,
  );
  const { runs } = z.object({ runs: z.array(drained) }).parse(json);
  expect(runs.length).toBeGreaterThan(9);
  for (const { carts, ...ended } of runs) {
    expect(ended).toEqual({ orders: carts, deadLetters: 0, callsTooEarly: 0 });
  }
});
