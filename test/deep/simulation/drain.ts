/** Drains a full queue in virtual time. 11VMS refuses calls by a limit that the interface does not know. */
import { loadEnvironment } from '../../../infra/environments.ts';
import { METRICS } from '../../../shared/metric-names.ts';
import { mulberry32 } from '../../simulators/seeded-random.ts';
import { type Limit, limitCalls } from './limits.ts';
import { createVirtualTime } from './virtual-time.ts';
import { createVirtualVms } from './virtual-vms.ts';
import { cartBody, createVirtualWorker } from './virtual-worker.ts';

/** A long poll ends when a message arrives; here it may be late by this time. */
const POLL_MS = 1000;
/** Lambda starts all environments at once when the queue is full, so all first calls come together. */
const STARTS_WITHIN_MS = 200;
/** The retention time of SQS: the end of the simulation at the latest. */
const LONGEST_DRAIN_MS = 4 * 24 * 3600_000;

export interface DrainPlan {
  readonly carts: number;
  readonly maximumConcurrency: number;
  readonly limit: Limit;
  readonly retryAfterSeconds: number | undefined;
  /** The time of an answer of 11VMS. */
  readonly answerMs: number;
  readonly seed: number;
}

export interface Drained {
  /** The time from the first receive to the last order. */
  readonly reachedPerSecond: number;
  /** The time until 95 % of the orders: without the last retries, which come to an empty queue. */
  readonly reachedPerSecondOf95Percent: number;
  /** The time until half of the orders: while carts wait on the queue, whatever the limit. */
  readonly reachedPerSecondOfHalf: number;
  readonly orders: number;
  readonly throttledCalls: number;
  readonly callsTooEarly: number;
  /** Receives that led to a delayed retry, and receives that led to a new message. */
  readonly retries: number;
  readonly requeues: number;
  readonly deadLetters: number;
  readonly p95InvocationMs: number;
  readonly longestInvocationMs: number;
}

export async function drain(plan: DrainPlan): Promise<Drained> {
  const { carts, maximumConcurrency, limit, retryAfterSeconds, answerMs, seed } = plan;
  const { vms: target, delivery } = loadEnvironment('prod');
  const random = mulberry32(seed);
  const startMs = Date.parse('2026-12-07T06:00:00Z');
  const time = createVirtualTime(startMs);
  const vms = createVirtualVms(time, target.timeoutSeconds * 1000, () => undefined, answerMs);
  const limited = limitCalls({ target: vms, time, random, answerMs, limit, retryAfterSeconds });
  const worker = createVirtualWorker({ time, random, landscape: { vms: target, delivery }, doubledShare: 0 });
  for (let cart = 0; cart < carts; cart++) worker.queue.send(cartBody(String(3_000_000_000 + cart)));

  const failures: unknown[] = [];
  async function start(): Promise<void> {
    await time.sleep(random() * STARTS_WITHIN_MS);
    await worker.poll(worker.environment(limited), POLL_MS);
  }
  for (let index = 0; index < maximumConcurrency; index++) start().catch((error: unknown) => failures.push(error));
  await time.runUntil(startMs + LONGEST_DRAIN_MS, () => worker.queue.size() === 0 || failures.length > 0);
  if (failures.length > 0) throw new AggregateError(failures, 'the simulation itself failed');

  const reachedPerSecond = (orders: number): number =>
    (orders * 1000) / ((vms.orders[orders - 1]?.atMs ?? time.now()) - startMs);
  const invocationsMs = worker.invocationsMs.toSorted((a, b) => a - b);
  return {
    reachedPerSecond: reachedPerSecond(vms.orders.length),
    reachedPerSecondOf95Percent: reachedPerSecond(Math.ceil(vms.orders.length * 0.95)),
    reachedPerSecondOfHalf: reachedPerSecond(Math.ceil(vms.orders.length / 2)),
    orders: vms.orders.length,
    throttledCalls: limited.throttled(),
    callsTooEarly: limited.tooEarly(),
    retries: worker.counts.get(METRICS.attemptsRetried) ?? 0,
    requeues: worker.counts.get(METRICS.cartsRequeued) ?? 0,
    deadLetters: worker.queue.deadLetters.length,
    p95InvocationMs: invocationsMs[Math.floor(invocationsMs.length * 0.95)] ?? 0,
    longestInvocationMs: invocationsMs.at(-1) ?? 0,
  };
}
