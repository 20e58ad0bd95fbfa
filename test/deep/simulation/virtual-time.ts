/** A clock that jumps to the next event, so that hours of waiting take no time. */
import { setImmediate } from 'node:timers/promises';

export interface VirtualTime {
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Runs all events until this time, or until `isOver`, which is checked after each event. */
  runUntil(untilMs: number, isOver?: () => boolean): Promise<void>;
}

interface Sleeper {
  readonly atMs: number;
  readonly order: number;
  readonly wake: () => void;
}

/** Whole milliseconds, as of a real clock. */
export function createVirtualTime(startMs: number): VirtualTime {
  let currentMs = startMs;
  let order = 0;
  const sleepers = createSleepers();
  return {
    now: () => currentMs,
    sleep: (milliseconds) =>
      new Promise((wake) => {
        sleepers.add({ atMs: Math.ceil(currentMs + Math.max(0, milliseconds)), order: order++, wake });
      }),
    async runUntil(untilMs, isOver = () => false) {
      for (;;) {
        // No activity waits for a real event, so now all of them sleep.
        await setImmediate();
        if (isOver()) return;
        const next = sleepers.takeUntil(untilMs);
        if (next === undefined) break;
        currentMs = next.atMs;
        next.wake();
      }
      currentMs = untilMs;
    },
  };
}

const isBefore = (one: Sleeper, other: Sleeper): boolean =>
  one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);

/** A binary heap, for a million sleeps while 20,000 carts are drained. */
function createSleepers() {
  const heap: Sleeper[] = [];

  function rise(sleeper: Sleeper): void {
    let index = heap.push(sleeper) - 1;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(sleeper, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = sleeper;
  }

  function sink(sleeper: Sleeper): void {
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      const [left, right] = [heap[below], heap[below + 1]];
      if (left === undefined) break;
      const child = right !== undefined && isBefore(right, left) ? right : left;
      if (child === right) below += 1;
      if (!isBefore(child, sleeper)) break;
      heap[index] = child;
      index = below;
    }
    heap[index] = sleeper;
  }

  return {
    add: rise,
    takeUntil(untilMs: number): Sleeper | undefined {
      const [first] = heap;
      if (first === undefined || first.atMs > untilMs) return undefined;
      const last = heap.pop();
      if (last !== undefined && last !== first) sink(last);
      return first;
    },
  };
}
