/** A clock that jumps: hours of waiting pass as fast as the work in them is done. */
import { setImmediate } from 'node:timers/promises';

export interface VirtualTime {
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Lets everything happen that is due until then. */
  runUntil(untilMs: number): Promise<void>;
}

/** Whole milliseconds, as a real clock tells them. */
export function createVirtualTime(startMs: number): VirtualTime {
  let currentMs = startMs;
  let order = 0;
  const sleeping: { readonly atMs: number; readonly order: number; readonly wake: () => void }[] = [];
  return {
    now: () => currentMs,
    sleep: (milliseconds) =>
      new Promise((wake) => {
        sleeping.push({ atMs: Math.ceil(currentMs + Math.max(0, milliseconds)), order: order++, wake });
      }),
    async runUntil(untilMs) {
      for (;;) {
        // Nothing in this world waits for anything real, so that by then all of it sleeps.
        await setImmediate();
        const next = sleeping.reduce<(typeof sleeping)[number] | undefined>(
          (first, one) =>
            first === undefined || one.atMs < first.atMs || (one.atMs === first.atMs && one.order < first.order)
              ? one
              : first,
          undefined,
        );
        if (next === undefined || next.atMs > untilMs) break;
        sleeping.splice(sleeping.indexOf(next), 1);
        currentMs = next.atMs;
        next.wake();
      }
      currentMs = untilMs;
    },
  };
}
