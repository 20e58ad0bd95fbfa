/** The full model: no interleaving of two workers, crashes, lost answers and redeliveries creates a second order. */
import { test } from '@jest/globals';
import { AttemptTree } from './attempt-replay.ts';
import { expectEveryInvariant } from './exploration-expectations.ts';
import { SCENARIOS, SMALL_SCENARIOS } from './scenarios.ts';

/** One tree for all scenarios, because the code does the same after the same history. */
const tree = new AttemptTree();

test.each([...SCENARIOS, ...SMALL_SCENARIOS])(
  'in every interleaving every invariant holds: $says',
  async (scenario) => {
    await expectEveryInvariant(scenario, tree);
  },
);
