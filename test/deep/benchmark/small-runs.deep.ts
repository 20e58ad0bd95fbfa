/**
 * Small runs of the benchmarks that depend on the settings of the stack: they run, and their counts are as promised. Times
 * are not checked. CI has twenty minutes for everything: the other comparisons are left to `npm run bench`.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';

const root = join(import.meta.dirname, '..', '..', '..');

async function benchmark<Schema extends z.ZodType>(
  schema: Schema,
  ...args: readonly string[]
): Promise<z.infer<Schema>> {
  const { stdout } = await promisify(execFile)(
    join(root, 'node_modules', '.bin', 'node'),
    ['test/benchmark/main.ts', '--json', ...args],
    { cwd: root, timeout: 600_000 },
  );
  return schema.parse(JSON.parse(stdout));
}

describe('npm run bench', () => {
  const figures = z.object({ callsPerCart: z.number(), duplicates: z.number() });
  const others = z.object({ floor: figures.optional(), powertools: figures.optional() });
  const report = z.object({ comparisons: z.array(z.object({ name: z.string(), ours: figures, others })) });

  test('one call more than the floor makes, for the other versions of the cart, and no duplicate order where answers are lost', async () => {
    const only = ['one answer in ten lost', 'worker, batches of 20'];
    const { comparisons } = await benchmark(
      report,
      '--carts',
      '20',
      '--rounds',
      '1',
      ...only.flatMap((name) => ['--only', name]),
    );
    expect(comparisons.map(({ name }) => name)).toEqual(only);
    const [lost, worker] = comparisons;
    expect(worker?.ours.callsPerCart).toBe((worker?.others.floor?.callsPerCart ?? 0) + 1);
    expect(lost?.ours.duplicates).toBe(0);
    expect(lost?.others.powertools?.duplicates).toBeGreaterThan(0);
  }, 600_000);

  test('--cost: the schedules as deployed, a cart within its log budget on any day, and a bill for three volumes', async () => {
    const result = await benchmark(
      z.object({
        steps: z.array(z.object({ cartsPerDay: z.number(), totalUsd: z.number() })),
        logOfCart: z.object({ lines: z.number(), bytes: z.number() }),
        logOfCartOnBadDay: z.object({ lines: z.number(), bytes: z.number() }),
        resources: z.object({ schedule: z.record(z.string(), z.number()) }),
      }),
      '--cost',
      '--carts',
      '20',
    );
    expect(result.resources.schedule).toEqual({
      extractionsPerDay: 288,
      reconciliationsPerDay: 1,
      reconciliationResumesPerDay: 3,
      supervisionsPerDay: 1440,
    });
    for (const { lines, bytes } of [result.logOfCart, result.logOfCartOnBadDay]) {
      expect(lines).toBeLessThanOrEqual(3);
      expect(bytes).toBeLessThanOrEqual(2048);
    }
    const bills = result.steps.map(({ totalUsd }) => totalUsd);
    expect(result.steps.map(({ cartsPerDay }) => cartsPerDay)).toEqual([1000, 100_000, 10_000_000]);
    expect(bills).toEqual(bills.toSorted((a, b) => a - b));
  });
});
