/**
 * Drains a full queue into an 11VMS that refuses calls, by each kind of limit. The code of the worker is real. The time is
 * virtual, because 50 functions on two cores would measure the cores.
 */
import { type DrainCase, type DrainResult, drainCases, runCase } from '../deep/simulation/drain-cases.ts';
import type { BenchmarkOptions } from './options.ts';
import { type BenchmarkReport, type OnStep, row } from './report.ts';

type Run = DrainCase & DrainResult;

export async function benchmarkDrain({ carts }: BenchmarkOptions, onStep: OnStep): Promise<BenchmarkReport> {
  const runs: Run[] = [];
  for (const one of drainCases(carts)) {
    onStep(`${one.carts} carts, concurrency ${one.maximumConcurrency}, ${one.name}`);
    runs.push({ ...one, ...(await runCase(one)) });
  }
  return { lines: [...HEAD, ...runs.map(line)], json: { runs } };
}

const HEAD = [
  row(
    'limit',
    'concurrency',
    'Retry-After',
    'carts',
    'allowed/s',
    'reached/s',
    'goodput',
    '429 a cart',
    'receives',
    'requeues',
    'dead',
    'early',
    'p95 s',
  ),
  '',
];

const line = (run: Run): string =>
  row(
    run.name,
    String(run.maximumConcurrency),
    run.retryAfterSeconds === undefined ? 'none' : `${run.retryAfterSeconds} s`,
    String(run.carts),
    run.allowedPerSecond.toFixed(1),
    run.reachedPerSecondOfHalf.toFixed(1),
    run.goodput.toFixed(3),
    (run.throttledCalls / run.carts).toFixed(3),
    (1 + (run.retries + run.requeues) / run.carts).toFixed(2),
    String(run.requeues),
    String(run.deadLetters),
    String(run.callsTooEarly),
    (run.p95InvocationMs / 1000).toFixed(1),
  );
