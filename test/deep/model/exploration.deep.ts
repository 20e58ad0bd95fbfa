/** The model: no interleaving of two workers, crashes, lost answers and redeliveries creates a second order. */
import { expect, test } from '@jest/globals';
import { AttemptTree } from './attempt-replay.ts';
import { expectEveryInvariant } from './exploration-expectations.ts';
import { SCENARIOS, SMALL_SCENARIOS } from './scenarios.ts';

/** One tree for all scenarios, because the code does the same after the same history. */
const tree = new AttemptTree();

/** Most of all states. CI has twenty minutes for everything: `npm run model` explores these, too. */
const LARGEST: readonly string[] = [
  'four receives',
  'requeued',
  'requeued twice',
  'redriver beside a move task',
  'two redrivers',
  'redrive',
  'approved again',
  'no look-up, requeued',
  'frozen, changed',
  'frozen, redriven',
  'frozen, requeued',
  'cart queued twice',
  'no look-up, overlapping',
  // Their small forms stay.
  'overlapping',
  'cart changed',
  'cart read twice',
  'no look-up',
];

test('the largest scenarios are left to `npm run model`, and exist', () => {
  expect(SCENARIOS.map(({ name }) => name)).toEqual(expect.arrayContaining([...LARGEST]));
});

test.each([...SCENARIOS.filter(({ name }) => !LARGEST.includes(name)), ...SMALL_SCENARIOS])(
  'in every interleaving every invariant holds: $says',
  async (scenario) => {
    await expectEveryInvariant(scenario, tree);
  },
);
