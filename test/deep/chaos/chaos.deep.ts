/** One chaos run: random disturbances, and every invariant checked from outside. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Assembly, prepareAssembly, runChaos } from './chaos-run.ts';
import { drawSchedule, type Schedule } from './schedule.ts';

describe('a chaos run', () => {
  let assembly: Assembly;
  beforeAll(async () => {
    assembly = await prepareAssembly();
  });
  afterAll(() => assembly.remove());

  test('holds all invariants under disturbances, with an 11VMS that stores a second order for a second POST', async () => {
    const schedule: Schedule = { ...drawSchedule(11, 20, 'harsh'), target: 'careless' };

    const { violations, hits, orders } = await runChaos(schedule, { assembly });

    expect(violations).toEqual([]);
    expect(hits.length).toBeGreaterThan(10);
    expect(orders).toBeGreaterThan(0);
  });
});
