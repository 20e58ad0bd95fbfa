/**
 * One pace for all calls to 11VMS from this process. A throttled call says something about 11VMS, not about its cart:
 * everybody waits, and then goes on at a slower pace that recovers with each success.
 */
export interface Pacer {
  /** Waits for a turn; false when there is none before the deadline. */
  turn(deadlineMs: number): Promise<boolean>;
  /** How long nobody gets a turn, by 11VMS's word; 0 when calls flow. */
  pausedForMs(): number;
  throttled(retryAfterMs: number | undefined): void;
  succeeded(): void;
}

export interface PacerDependencies {
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
}

const DEFAULT_PAUSE_MS = 1000;
const FIRST_SPACING_MS = 25;
const WIDEST_SPACING_MS = 2000;
const NARROWEST_SPACING_MS = 2;

export function createPacer({ now, sleep }: PacerDependencies): Pacer {
  let openAtMs = 0;
  let pausedUntilMs = 0;
  let slowedAtMs = Number.NEGATIVE_INFINITY;
  let spacingMs = 0;
  return {
    async turn(deadlineMs) {
      for (;;) {
        const current = now();
        const myTurnMs = Math.max(current, openAtMs);
        if (myTurnMs > deadlineMs) return false;
        if (myTurnMs === current) {
          openAtMs = current + spacingMs;
          return true;
        }
        // Asked again afterwards: another call may have been throttled meanwhile.
        await sleep(myTurnMs - current);
      }
    },
    pausedForMs: () => Math.max(0, pausedUntilMs - now()),
    throttled(retryAfterMs) {
      // The calls of one batch are throttled together, if not in the same moment: that is one sign, not ten.
      const known = now() < Math.max(pausedUntilMs, slowedAtMs + DEFAULT_PAUSE_MS);
      pausedUntilMs = Math.max(pausedUntilMs, now() + (retryAfterMs ?? DEFAULT_PAUSE_MS));
      openAtMs = Math.max(openAtMs, pausedUntilMs);
      if (known) return;
      slowedAtMs = now();
      spacingMs = Math.min(Math.max(spacingMs * 2, FIRST_SPACING_MS), WIDEST_SPACING_MS);
    },
    succeeded() {
      spacingMs = spacingMs < NARROWEST_SPACING_MS ? 0 : spacingMs * 0.9;
    },
  };
}
