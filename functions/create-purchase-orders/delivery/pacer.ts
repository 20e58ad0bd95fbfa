/**
 * One pace for all calls to 11VMS from this process. Throttling says something about 11VMS, not about a cart: all calls
 * wait, and then continue at a slower pace that recovers with time.
 *
 * Rate-based congestion control as in TCP CUBIC, and in the adaptive retry mode of AWS's SDKs: the execution
 * environments cannot communicate, so each finds its share of the allowed rate by the answers that it gets. After a
 * slow start the rate falls with each throttling, soon rises to just below the rate that was too high, stays there for
 * long (the plateau), and only then rises further. The plateau must be long, since each throttling costs a pause.
 */
export interface Pacer {
  /** Waits for a turn; false when there is none before the deadline. */
  turn(deadlineMs: number): Promise<boolean>;
  /** For how many milliseconds 11VMS wants no call; 0 when calls flow. */
  pausedForMs(): number;
  throttled(retryAfterMs: number | undefined): void;
  succeeded(): void;
}

export interface PacerDependencies {
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
  /** 0 to 1, uniformly. */
  readonly random: () => number;
}

const DEFAULT_PAUSE_MS = 1000;
/** Of one environment. A few environments soon double it; fifty together do not start too fast. */
const FIRST_CALLS_PER_SECOND = 4;
const DOUBLING_MS = 300;
/** Lower than any useful share, and high enough that an environment recovers from it within minutes. */
const FEWEST_CALLS_PER_SECOND = 0.1;
/** From this rate on calls are not spaced: the spacing would be 2 ms. */
const FREE_CALLS_PER_SECOND = 500;
/** The part of the rate that stays after a throttling: most, since it may be chance; less when few calls were taken. */
const LEAST_FALL = 0.9;
const DEEPEST_FALL = 0.7;
/** The old rate weighs as much as this many accepted calls: a low rate cannot be measured by a few calls alone. */
const CALLS_OF_TRUST = 3;
/** The length of a plateau in pauses: pauses then cost 3 % of the time. */
const PAUSES_PER_PLATEAU = 30;
/** Longer pauses count as this one: after pauses of a minute, full speed must return within half an hour. */
const LONGEST_COUNTED_PAUSE_MS = 3000;

/** The allowed calls per second, by the milliseconds since the last pause ended. */
type Curve = (elapsedMs: number) => number;

const unlimited: Curve = () => Number.POSITIVE_INFINITY;
const slowStart: Curve = (elapsedMs) => FIRST_CALLS_PER_SECOND * 2 ** (elapsedMs / DOUBLING_MS);
/** CUBIC: rises quickly from `low` to near `peak`, reaches it after `plateauMs`, and then rises faster and faster. */
const cubic =
  (low: number, peak: number, plateauMs: number): Curve =>
  (elapsedMs) =>
    peak + (peak - low) * (elapsedMs / plateauMs - 1) ** 3;

/** A pause that is shorter than the spacing of calls costs nothing: then every other call may try a higher rate. */
function plateauMs(callsPerSecond: number, pauseMs: number): number {
  const countedMs = Math.min(Math.max(pauseMs, DEFAULT_PAUSE_MS), LONGEST_COUNTED_PAUSE_MS);
  const spacingMs = 1000 / callsPerSecond;
  return (PAUSES_PER_PLATEAU * countedMs * countedMs) / (countedMs + spacingMs) + spacingMs;
}

export function createPacer({ now, sleep, random }: PacerDependencies): Pacer {
  let curve = unlimited;
  let pausedUntilMs = Number.NEGATIVE_INFINITY;
  let slowedAtMs = Number.NEGATIVE_INFINITY;
  let lastTurnMs = Number.NEGATIVE_INFINITY;
  /** 0 to 1: the part of one spacing that this environment waits after a pause, so that not all return at once. */
  let phase = 0;
  let accepted = 0;

  const callsPerSecond = (): number => curve(Math.max(0, now() - Math.max(pausedUntilMs, slowedAtMs)));

  function openAtMs(): number {
    const rate = callsPerSecond();
    const spacingMs = rate >= FREE_CALLS_PER_SECOND ? 0 : 1000 / rate;
    return Math.max(pausedUntilMs + phase * spacingMs, lastTurnMs + spacingMs);
  }

  function slowerCurve(pauseMs: number): Curve {
    if (curve === unlimited) return slowStart;
    // High enough that the deepest fall does not end below the fewest calls: a curve from there would not rise again.
    const peak = Math.min(Math.max(callsPerSecond(), FEWEST_CALLS_PER_SECOND / DEEPEST_FALL), FREE_CALLS_PER_SECOND);
    const seconds = (now() - slowedAtMs) / 1000;
    // The seconds include the pause, so that a rate at which every call is throttled at once is measured as low.
    const taken = (accepted + CALLS_OF_TRUST) / (seconds + CALLS_OF_TRUST / peak);
    const low = Math.min(Math.max(taken, peak * DEEPEST_FALL), peak * LEAST_FALL);
    return cubic(low, peak, plateauMs(peak, pauseMs));
  }

  return {
    async turn(deadlineMs) {
      for (;;) {
        const current = now();
        const myTurnMs = Math.max(current, openAtMs());
        if (myTurnMs > deadlineMs) return false;
        if (myTurnMs === current) {
          lastTurnMs = current;
          return true;
        }
        // The turn is computed again after the wait: another call may have been throttled meanwhile.
        await sleep(myTurnMs - current);
      }
    },
    pausedForMs: () => Math.max(0, pausedUntilMs - now()),
    throttled(retryAfterMs) {
      const pauseMs = retryAfterMs ?? DEFAULT_PAUSE_MS;
      // The calls of one batch are throttled at almost the same time: they count as one throttling.
      if (now() >= Math.max(pausedUntilMs, slowedAtMs + DEFAULT_PAUSE_MS)) {
        curve = slowerCurve(pauseMs);
        slowedAtMs = now();
        phase = random();
        accepted = 0;
      }
      pausedUntilMs = Math.max(pausedUntilMs, now() + pauseMs);
    },
    succeeded() {
      accepted++;
    },
  };
}
