/**
 * One pace for all calls to 11VMS from this process. A throttled call says something about 11VMS, not about its cart:
 * everybody waits, and then goes on at a slower pace that recovers with time.
 *
 * Rate-based congestion control as in TCP CUBIC, and in the adaptive retry mode of AWS's SDKs: the execution environments
 * cannot talk to each other, so that each finds its share of the allowed rate by what 11VMS answers it. After a slow start
 * the rate falls with each throttle, comes back soon to just below the one that was too much, stays there for long, and
 * only then asks for more. How long is what matters: a question that is refused costs a pause.
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
  /** 0 to 1, uniformly. */
  readonly random: () => number;
}

const DEFAULT_PAUSE_MS = 1000;
/** Of one environment: slow for a few of them, which double it soon, and not too fast for fifty. */
const FIRST_CALLS_PER_SECOND = 4;
const DOUBLING_MS = 300;
/** Slower than any share that is worth an invocation: an environment must come back from here in minutes. */
const FEWEST_CALLS_PER_SECOND = 0.1;
/** Nobody is held up to make 2 ms. */
const FREE_CALLS_PER_SECOND = 500;
/** The fall after one throttle: little, since it may be a chance meeting with others; more where little was taken. */
const LEAST_FALL = 0.9;
const DEEPEST_FALL = 0.7;
/** So many calls weigh the old rate when the accepted one is measured: a share of one call in seconds is hard to count. */
const CALLS_OF_TRUST = 3;
/** One pause in so many is the price of asking for more: 3 %. */
const PAUSES_BETWEEN_QUESTIONS = 30;
/** Whoever was told to wait a minute again and again must still be back at full speed within the half hour. */
const LONGEST_PRICE_MS = 3000;

/** Calls a second, by the milliseconds since calls flow again. */
type Curve = (elapsedMs: number) => number;

const unlimited: Curve = () => Number.POSITIVE_INFINITY;
const slowStart: Curve = (elapsedMs) => FIRST_CALLS_PER_SECOND * 2 ** (elapsedMs / DOUBLING_MS);
/** CUBIC: from `low` quickly to near `peak`, there in `plateauMs`, and then faster and faster beyond it. */
const cubic =
  (low: number, peak: number, plateauMs: number): Curve =>
  (elapsedMs) =>
    peak + (peak - low) * (elapsedMs / plateauMs - 1) ** 3;

/** A pause of less than the distance between two calls costs nothing; then 11VMS may be asked with every other call. */
function plateauMs(callsPerSecond: number, pauseMs: number): number {
  const priceMs = Math.min(Math.max(pauseMs, DEFAULT_PAUSE_MS), LONGEST_PRICE_MS);
  const spacingMs = 1000 / callsPerSecond;
  return (PAUSES_BETWEEN_QUESTIONS * priceMs * priceMs) / (priceMs + spacingMs) + spacingMs;
}

export function createPacer({ now, sleep, random }: PacerDependencies): Pacer {
  let curve = unlimited;
  let pausedUntilMs = Number.NEGATIVE_INFINITY;
  let slowedAtMs = Number.NEGATIVE_INFINITY;
  let lastTurnMs = Number.NEGATIVE_INFINITY;
  /** 0 to 1: where in its first distance after a pause this environment begins, or all would come back at once. */
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
    // Never so low that the deepest fall ends below the fewest calls: a curve from there would not rise any more.
    const peak = Math.min(Math.max(callsPerSecond(), FEWEST_CALLS_PER_SECOND / DEEPEST_FALL), FREE_CALLS_PER_SECOND);
    const seconds = (now() - slowedAtMs) / 1000;
    // With its pause in it, so that a rate which is refused at once each time is seen for what it is.
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
        // Asked again afterwards: another call may have been throttled meanwhile.
        await sleep(myTurnMs - current);
      }
    },
    pausedForMs: () => Math.max(0, pausedUntilMs - now()),
    throttled(retryAfterMs) {
      const pauseMs = retryAfterMs ?? DEFAULT_PAUSE_MS;
      // The calls of one batch are throttled together, if not in the same moment: that is one sign, not ten.
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
