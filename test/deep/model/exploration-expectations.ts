import { expect } from '@jest/globals';
import type { AttemptTree } from './attempt-replay.ts';
import { explore } from './explore.ts';
import type { Scenario } from './system-state.ts';

export async function expectEveryInvariant(scenario: Scenario, tree: AttemptTree): Promise<void> {
  const { violation, checks, states } = await explore(scenario, tree);
  expect(violation).toBeUndefined();
  expect(states).toBeGreaterThan(500);
  // An invariant that never had anything to check proves nothing.
  expect(Object.entries(checks).filter(([, count]) => count === 0)).toEqual([]);
}
