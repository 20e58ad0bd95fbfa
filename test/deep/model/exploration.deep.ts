/** The model: no interleaving of two workers, crashes, lost answers and redeliveries creates a second order. */
import { expect, test } from '@jest/globals';
import { AttemptTree } from './attempt-replay.ts';
import { expectEveryInvariant } from './exploration-expectations.ts';
import { SCENARIOS, SMALL_SCENARIOS } from './scenarios.ts';

/** One tree for all scenarios, because the code does the same after the same history. */
const tree = new AttemptTree();

/** More than half of all states. CI has twenty minutes for everything: `npm run model` explores these, too. */
const LARGEST: readonly string[] = ['four receives', 'requeued', 'requeued twice', 'two redrivers'];

test('the largest scenarios are left to `npm run model`, and exist', () => {
  expect(SCENARIOS.map(({ name }) => name)).toEqual(expect.arrayContaining([...LARGEST]));
});

test.each([...SCENARIOS.filter(({ name }) => !LARGEST.includes(name)), ...SMALL_SCENARIOS])(
  'in every interleaving every invariant holds: $says',
  async (scenario) => {
    await expectEveryInvariant(scenario, tree);
  },
);
