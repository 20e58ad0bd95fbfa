/** The limits that the worker meets in the drain: what 11VMS would take, and how near the worker comes to it. */
import { type Drained, type DrainPlan, drain } from './drain.ts';

export interface DrainCase extends DrainPlan {
  readonly name: string;
  /** The orders a second that 11VMS would take from one caller who knows the limit. */
  readonly allowedPerSecond: number;
}

export interface DrainResult extends Drained {
  /** The part of the allowed orders that was reached while carts wait on the queue. */
  readonly goodput: number;
}

export async function runCase(one: DrainCase): Promise<DrainResult> {
  const drained = await drain(one);
  return { ...drained, goodput: drained.reachedPerSecondOfHalf / one.allowedPerSecond };
}

/** A limit is judged over this time, if that takes fewer carts than wanted: the search for the pace is part of it. */
const JUDGED_SECONDS = 300;
const ANSWER_MS = 20;

type Plan = Pick<DrainPlan, 'carts' | 'maximumConcurrency' | 'retryAfterSeconds' | 'seed'>;

/** A burst of a fifth of a second: small, but more than one call at 20 a second. */
const bucket = (callsPerSecond: number) => ({ callsPerSecond, burst: Math.max(1, callsPerSecond / 5) });

export const rateCase = (callsPerSecond: number, plan: Plan): DrainCase => ({
  ...plan,
  name: `${callsPerSecond} a second`,
  limit: { kind: 'rate', ...bucket(callsPerSecond) },
  answerMs: ANSWER_MS,
  carts: Math.min(plan.carts, callsPerSecond * JUDGED_SECONDS),
  allowedPerSecond: callsPerSecond,
});

/** Each environment posts ten carts at once, and is slow enough that a few thousand carts take it a while. */
export const chanceCase = (share: number, plan: Plan): DrainCase => ({
  ...plan,
  name: `${share * 100} % by chance`,
  limit: { kind: 'chance', share },
  answerMs: 100,
  allowedPerSecond: 100 * plan.maximumConcurrency * (1 - share),
});

export const inFlightCase = (calls: number, plan: Plan): DrainCase => ({
  ...plan,
  name: `${calls} in flight`,
  limit: { kind: 'in flight', calls },
  answerMs: ANSWER_MS,
  allowedPerSecond: (calls * 1000) / ANSWER_MS,
});

/** The neighbour never slows down. It leaves a fifth of the limit. */
export const neighbourCase = (callsPerSecond: number, plan: Plan): DrainCase => ({
  ...plan,
  name: `${callsPerSecond} a second, shared`,
  limit: { kind: 'shared rate', ...bucket(callsPerSecond), neighbourPerSecond: callsPerSecond * 0.8 },
  answerMs: ANSWER_MS,
  carts: Math.min(plan.carts, callsPerSecond * 0.2 * JUDGED_SECONDS),
  allowedPerSecond: callsPerSecond * 0.2,
});

/** @param carts of each case, at most. */
export function drainCases(carts: number): readonly DrainCase[] {
  return [1, undefined].flatMap((retryAfterSeconds) => {
    const among = (maximumConcurrency: number): Plan => ({ carts, maximumConcurrency, retryAfterSeconds, seed: 1 });
    // Without Retry-After the pause is the same second: one concurrency is enough to show it.
    const concurrencies = retryAfterSeconds === undefined ? [10] : [2, 10, 50];
    return [
      ...[2, 20, 50, 200].flatMap((rate) => concurrencies.map((environments) => rateCase(rate, among(environments)))),
      ...[0.01, 0.05, 0.1, 0.2].map((share) => chanceCase(share, among(2))),
      inFlightCase(10, among(10)),
      neighbourCase(50, among(10)),
    ];
  });
}
