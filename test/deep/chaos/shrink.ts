/** Delta debugging: the smallest part of a fault schedule with which a run still fails. */
import type { Schedule, ScheduledFault } from './schedule.ts';

/** How to look for it. */
export interface ShrinkOptions {
  /** Whether a run under the schedule fails; a run that fails only now and then is tried more than once by whoever answers. */
  readonly fails: (schedule: Schedule) => Promise<boolean>;
  /** Candidates that are tried at the same time. */
  readonly atOnce: number;
  /** Candidates that are tried at most. */
  readonly budget: number;
  /** Ends the search with what it has found so far. */
  readonly signal?: AbortSignal;
  readonly onSmaller?: (schedule: Schedule) => void;
}

/** Drops parts of the schedule, then single faults, then carts, for as long as the run still fails. */
export async function shrinkSchedule(schedule: Schedule, options: ShrinkOptions): Promise<Schedule> {
  let smallest = schedule;
  let tries = 0;
  const isOver = (): boolean => tries >= options.budget || options.signal?.aborted === true;

  /** The first of the candidates, in their order, that still fails. */
  async function firstFailing(candidates: readonly Schedule[]): Promise<Schedule | undefined> {
    for (let start = 0; start < candidates.length && !isOver(); start += options.atOnce) {
      const some = candidates.slice(start, start + Math.min(options.atOnce, options.budget - tries));
      tries += some.length;
      const failed = await Promise.all(some.map((candidate) => options.fails(candidate)));
      const found = some.find((_candidate, index) => failed[index]);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  let parts = 2;
  while (smallest.faults.length > 0 && !isOver()) {
    const { faults } = smallest;
    const chunks = split(faults, Math.min(parts, faults.length));
    const fewer = [
      ...(chunks.length > 2 ? chunks : []),
      ...chunks.map((chunk) => faults.filter((fault) => !chunk.includes(fault))),
    ].map((kept) => ({ ...smallest, faults: kept }));
    const found = await firstFailing(fewer);
    if (found === undefined) {
      if (chunks.length >= faults.length) break;
      parts = chunks.length * 2;
      continue;
    }
    parts = found.faults.length < faults.length / 2 ? 2 : Math.max(2, chunks.length - 1);
    smallest = found;
    options.onSmaller?.(smallest);
  }

  while (smallest.carts > 1 && !isOver()) {
    const found = await firstFailing([{ ...smallest, carts: Math.ceil(smallest.carts / 2) }]);
    if (found === undefined) break;
    smallest = found;
    options.onSmaller?.(smallest);
  }
  return smallest;
}

function split(faults: readonly ScheduledFault[], parts: number): ScheduledFault[][] {
  const size = Math.ceil(faults.length / parts);
  return Array.from({ length: Math.ceil(faults.length / size) }, (_chunk, index) =>
    faults.slice(index * size, (index + 1) * size),
  );
}
