/** Delta debugging: searches for the smallest part of a schedule with which a run still fails. */
import type { Schedule, ScheduledDisturbance } from './schedule.ts';

export interface ShrinkOptions {
  /** Whether a run with this schedule fails. The implementation repeats runs that fail only sometimes. */
  readonly fails: (schedule: Schedule) => Promise<boolean>;
  /** The number of candidates that are tried in parallel. */
  readonly atOnce: number;
  /** The most candidates that are tried. */
  readonly budget: number;
  /** Ends the search with the smallest schedule found until then. */
  readonly signal?: AbortSignal;
  readonly onSmaller?: (schedule: Schedule) => void;
}

/** Removes parts of the schedule, then single disturbances, then carts, while the run still fails. */
export async function shrinkSchedule(schedule: Schedule, options: ShrinkOptions): Promise<Schedule> {
  let smallest = schedule;
  let tries = 0;
  const isOver = (): boolean => tries >= options.budget || options.signal?.aborted === true;

  /** The first candidate, in their order, that still fails. */
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
  while (smallest.disturbances.length > 0 && !isOver()) {
    const { disturbances } = smallest;
    const chunks = split(disturbances, Math.min(parts, disturbances.length));
    const fewer = [
      ...(chunks.length > 2 ? chunks : []),
      ...chunks.map((chunk) => disturbances.filter((disturbance) => !chunk.includes(disturbance))),
    ].map((kept) => ({ ...smallest, disturbances: kept }));
    const found = await firstFailing(fewer);
    if (found === undefined) {
      if (chunks.length >= disturbances.length) break;
      parts = chunks.length * 2;
      continue;
    }
    parts = found.disturbances.length < disturbances.length / 2 ? 2 : Math.max(2, chunks.length - 1);
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

function split(disturbances: readonly ScheduledDisturbance[], parts: number): ScheduledDisturbance[][] {
  const size = Math.ceil(disturbances.length / parts);
  return Array.from({ length: Math.ceil(disturbances.length / size) }, (_chunk, index) =>
    disturbances.slice(index * size, (index + 1) * size),
  );
}
