/**
 * One pace for all calls to 11VMS from this process.
 *
 * A refused call (429, or 503 with Retry-After) may be chance: a limit that 11VMS shares out among many callers refuses
 * some calls of each of them. So not the single refused call counts, but the share of them:
 * - Every answer moves the pace by a small step: up when the call was taken, down when it was refused. The steps balance
 *   while one call in five is refused. With fewer the pace rises to full speed; with more it falls, until fewer are.
 * - While half of the latest calls are refused, all calls pause, as long as 11VMS asks for and at least a second, and go
 *   on at a fifth of the pace. The refused call waits with the others.
 * - Otherwise the refused call alone waits: its cart goes back to the queue for that time, and its batch goes on.
 *
 * The execution environments cannot communicate. All see the same share of refused calls, and each finds its pace by it.
 */
export interface Pacer {
  /** Waits for a turn; false when there is none before the deadline. */
  turn(deadlineMs: number): Promise<boolean>;
  /** For how many milliseconds 11VMS wants no call; 0 when calls flow. */
  pausedForMs(): number;
  /** 11VMS refused a call. True: all calls pause, and this one waits for its next turn. False: back to the queue with it. */
  throttled(retryAfterMs: number | undefined): boolean;
  /** 11VMS answered a call, and did not throttle it. */
  succeeded(): void;
}

export interface PacerDependencies {
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
  /** 0 to 1, uniformly. */
  readonly random: () => number;
}

const LEAST_PAUSE_MS = 1000;
const TOLERATED_SHARE = 0.2;
const PAUSING_SHARE = 0.5;
/** How many answers the share is taken of. A new process has fewer: it starts as if one call had been taken. */
const LATEST_ANSWERS = 14;
const PACE_AFTER_PAUSE = 0.2;
/** Faster than any environment calls. It is the first pace, too. */
const MOST_CALLS_PER_SECOND = 1000;
const FEWEST_CALLS_PER_SECOND = 0.1;
/** One second's calls move the pace alike at 4 and at 40 calls a second; a single call never by more or less than this. */
const LARGEST_STEP = 0.3;
const SMALLEST_STEP = 0.02;
/** Unused turns of this time are kept: a batch that waits for its last answer loses no turn. */
const CREDIT_MS = 300;

export function createPacer({ now, sleep, random }: PacerDependencies): Pacer {
  let callsPerSecond = MOST_CALLS_PER_SECOND;
  let refusedShare = 0;
  let answers = 1;
  let nextTurnMs = Number.NEGATIVE_INFINITY;
  let pausedUntilMs = Number.NEGATIVE_INFINITY;

  const spacingMs = (): number => 1000 / callsPerSecond;

  function changePace(factor: number): void {
    callsPerSecond = Math.min(Math.max(callsPerSecond * factor, FEWEST_CALLS_PER_SECOND), MOST_CALLS_PER_SECOND);
  }

  function learn(refused: 0 | 1): void {
    answers = Math.min(answers + 1, LATEST_ANSWERS);
    refusedShare += (refused - refusedShare) / answers;
    const step = Math.min(Math.max(1 / callsPerSecond, SMALLEST_STEP), LARGEST_STEP);
    changePace(Math.exp(step * (TOLERATED_SHARE - refused)));
  }

  return {
    async turn(deadlineMs) {
      for (;;) {
        const current = now();
        const myTurnMs = Math.max(current, nextTurnMs);
        if (myTurnMs > deadlineMs) return false;
        if (myTurnMs === current) {
          nextTurnMs = Math.max(nextTurnMs, current - CREDIT_MS) + spacingMs();
          return true;
        }
        // The turn is computed again after the wait: another call may have been throttled meanwhile.
        await sleep(myTurnMs - current);
      }
    },
    pausedForMs: () => Math.max(0, pausedUntilMs - now()),
    throttled(retryAfterMs) {
      // A call that was refused in a pause was sent before it: it says nothing new.
      if (now() >= pausedUntilMs) {
        learn(1);
        if (refusedShare < PAUSING_SHARE) return false;
        changePace(PACE_AFTER_PAUSE);
      }
      pausedUntilMs = Math.max(pausedUntilMs, now() + Math.max(retryAfterMs ?? 0, LEAST_PAUSE_MS));
      // At random within one spacing: environments that pause together must not return together.
      nextTurnMs = Math.max(nextTurnMs, pausedUntilMs + random() * spacingMs());
      return true;
    },
    succeeded: () => learn(0),
  };
}
