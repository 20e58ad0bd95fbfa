/**
 * Drains a full queue into an 11VMS that allows a fixed rate, at several concurrencies. The code of the worker is real. The
 * time is virtual, because 50 functions on two cores would measure the cores.
 */
import { loadEnvironment } from '../../infra/environments.ts';
import { type Drained, drain } from '../deep/simulation/drain.ts';
import type { BenchmarkOptions } from './options.ts';
import { type BenchmarkReport, type OnStep, row } from './report.ts';

const CONCURRENCIES = [2, 10, 50];
const RATES = [20, 50, 200];
/** Five hundred carts in flight, and 11VMS takes as many in 25 s. */
const SLOWEST = { callsPerSecond: 20, maximumConcurrency: 50 };
/** Fifty environments with ten carts each, and 11VMS takes two a second: most carts come back, more than once. */
const TOO_SLOW = { callsPerSecond: 2, maximumConcurrency: 50 };
/** Each cart is received several times, so few carts are enough. */
const CARTS_TOO_SLOW = 2000;
/** Compares a longer wait per invocation, for many carts in many environments. */
const LONG_TIMEOUT_SECONDS = 120;
const SEED = 1;

interface Run extends Drained {
  readonly carts: number;
  readonly maximumConcurrency: number;
  readonly allowedPerSecond: number;
  readonly timeoutSeconds: number;
  readonly ratio: number;
}

export async function benchmarkDrain({ carts: wanted }: BenchmarkOptions, onStep: OnStep): Promise<BenchmarkReport> {
  const { timeoutSeconds } = loadEnvironment('prod').delivery;
  const plans = [
    ...RATES.flatMap((callsPerSecond) =>
      CONCURRENCIES.map((maximumConcurrency) => ({
        callsPerSecond,
        maximumConcurrency,
        carts: wanted,
        timeoutSeconds,
      })),
    ),
    { ...SLOWEST, carts: wanted, timeoutSeconds: LONG_TIMEOUT_SECONDS },
    ...[timeoutSeconds, LONG_TIMEOUT_SECONDS].map((seconds) => ({
      ...TOO_SLOW,
      carts: Math.min(wanted, CARTS_TOO_SLOW),
      timeoutSeconds: seconds,
    })),
  ];
  const runs: Run[] = [];
  for (const { callsPerSecond, ...plan } of plans) {
    onStep(
      `${plan.carts} carts at a concurrency of ${plan.maximumConcurrency} and ${callsPerSecond} calls a second, ` +
        `${plan.timeoutSeconds} s an invocation`,
    );
    const drained = await drain({ ...plan, limit: limitOf(callsPerSecond), seed: SEED });
    const ratio = drained.reachedPerSecond / callsPerSecond;
    runs.push({ ...drained, ...plan, allowedPerSecond: callsPerSecond, ratio });
  }
  return { lines: [...HEAD, ...runs.map(line)], json: { runs } };
}

/** The burst of a fifth of a second: small, but more than one call at 20 a second. */
const limitOf = (callsPerSecond: number) => ({
  callsPerSecond,
  burst: Math.max(1, callsPerSecond / 5),
  retryAfterSeconds: 1,
});

const HEAD = [
  row(
    'concurrency',
    'timeout s',
    'carts',
    'allowed/s',
    'reached/s',
    'ratio',
    'of 95 %',
    '429 a cart',
    'retries',
    'requeues',
    'receives',
    'dead',
    'early',
    'p95 s',
  ),
  '',
];

const line = (run: Run): string =>
  row(
    String(run.maximumConcurrency),
    String(run.timeoutSeconds),
    String(run.carts),
    String(run.allowedPerSecond),
    run.reachedPerSecond.toFixed(1),
    run.ratio.toFixed(3),
    (run.reachedPerSecondOf95Percent / run.allowedPerSecond).toFixed(3),
    (run.throttledCalls / run.carts).toFixed(3),
    String(run.retries),
    String(run.requeues),
    (1 + (run.retries + run.requeues) / run.carts).toFixed(2),
    String(run.deadLetters),
    String(run.callsTooEarly),
    (run.p95InvocationMs / 1000).toFixed(1),
  );
