/** The results of many runs. */
import type { RunResult } from './chaos-run.ts';
import { nameOf } from './schedule.ts';

export interface Tally {
  readonly failures: readonly RunResult[];
  add(result: RunResult): void;
  progress(runs: number): string;
  summary(): TallySummary;
  /** The summary as text. */
  lines(): string[];
}

/** The summary of --json. */
export interface TallySummary {
  readonly runs: number;
  readonly failed: number;
  readonly failedSeeds: readonly number[];
  readonly carts: number;
  /** The expected orders, and those of them in 11VMS. The others are dead letters. */
  readonly promised: number;
  readonly orders: number;
  readonly deadLetters: number;
  /** Dead letters that the redriver sent, as far as it lived to say so. */
  readonly redriven: number;
  /** Dead letters by the code of their verdict. */
  readonly deadLetterCodes: Readonly<Record<string, number>>;
  /** The disturbances that were carried out, by place and kind. */
  readonly disturbances: Readonly<Record<string, number>>;
  readonly seconds: number;
}

export function createTally(): Tally {
  const startedMs = Date.now();
  const failures: RunResult[] = [];
  const codes = new Map<string, number>();
  const disturbances = new Map<string, number>();
  let runs = 0;
  let carts = 0;
  let promised = 0;
  let orders = 0;
  let deadLetters = 0;
  let redriven = 0;
  const seconds = (): number => Math.round((Date.now() - startedMs) / 100) / 10;

  const summary = (): TallySummary => ({
    runs,
    failed: failures.length,
    failedSeeds: failures.map(({ schedule }) => schedule.seed),
    carts,
    promised,
    orders,
    deadLetters,
    redriven,
    deadLetterCodes: sorted(codes),
    disturbances: sorted(disturbances),
    seconds: seconds(),
  });

  return {
    failures,
    add(result) {
      runs++;
      carts += result.schedule.carts;
      promised += result.promised;
      orders += result.orders;
      deadLetters += result.deadLetters;
      redriven += result.redriven;
      for (const [code, count] of result.deadLetterCodes) codes.set(code, (codes.get(code) ?? 0) + count);
      for (const { at, disturbance } of result.hits) {
        const name = `${at}: ${nameOf(disturbance)}`;
        disturbances.set(name, (disturbances.get(name) ?? 0) + 1);
      }
      if (result.violations.length > 0) failures.push(result);
    },
    progress: (wanted) => `${runs} of ${wanted} runs, ${failures.length} failed, ${orders} orders, ${seconds()} s`,
    summary,
    lines() {
      const { runs, failed, disturbances, deadLetterCodes } = summary();
      return [
        `  disturbances carried out: ${total(disturbances)}`,
        ...columns(disturbances),
        `  dead letters: ${deadLetters}, by code`,
        ...columns(deadLetterCodes),
        `${runs} runs in ${seconds()} s: ${carts} carts, ${orders} of ${promised} orders in 11VMS, ${deadLetters} dead letters, ${redriven} redriven`,
        ...(orders < promised / 2
          ? ['Few orders came through: disturbances this dense, or a machine this slow (--parallel), prove little.']
          : []),
        failed === 0 ? 'every invariant held in every run' : `${failed} runs FAILED`,
      ];
    },
  };
}

const sorted = (counts: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...counts].sort(([left], [right]) => (left < right ? -1 : 1)));

const total = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

const columns = (counts: Readonly<Record<string, number>>): string[] =>
  Object.entries(counts).map(([name, count]) => `    ${String(count).padStart(7)}  ${name}`);
