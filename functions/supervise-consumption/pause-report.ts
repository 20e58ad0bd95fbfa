/** What a person learns who asks about a pause: why, since when, what waits, what was tried, and what comes next. */
import type { BreakerItem, BreakerState, TrialResult } from '../../shared/circuit-breaker.ts';
import type { WaitingCarts } from './waiting-carts.ts';

export interface SupervisionResult {
  readonly state: BreakerState;
  readonly reason: string;
  /** Since when it is in this state: an RFC 3339 instant, as all of these; absent where it never changed. */
  readonly since?: string;
  /** The rest is said of a pause only. Absent where SQS did not answer. */
  readonly cartsWaiting?: number;
  /** Of this pause. */
  readonly lastProbe?: { readonly at: string; readonly answer: string };
  readonly lastTrial?: { readonly at: string; readonly answer: string };
  /** Not earlier than then, and within a minute after it; absent where only a person ends the pause. */
  readonly nextTrialAt?: string;
  /** All of it in sentences. */
  readonly summary?: string;
}

export interface Pause {
  readonly item: BreakerItem;
  /** Only who has made a trial must know for how long SQS hides a message. */
  readonly waiting: (Pick<WaitingCarts, 'count'> & Partial<WaitingCarts>) | undefined;
  /** Of the trial of this very supervision, if it made one. */
  readonly trial: TrialResult | undefined;
  readonly nowMs: number;
}

export function stateOf({ state, reason, sinceMs }: BreakerItem): SupervisionResult {
  return { state, reason, ...(sinceMs === 0 ? {} : { since: instant(sinceMs) }) };
}

export function reportPause(pause: Pause): SupervisionResult {
  const { item, waiting, nowMs } = pause;
  const lastProbe = ofThisPause(item, item.lastProbe);
  const lastTrial = ofThisPause(item, item.lastTrial);
  return {
    ...stateOf(item),
    ...(waiting === undefined ? {} : { cartsWaiting: waiting.count }),
    ...(lastProbe && { lastProbe }),
    ...(lastTrial && { lastTrial }),
    ...(item.state === 'OPEN' && { nextTrialAt: instant(Math.max(item.nextTrialAtMs, nowMs)) }),
    summary: summaryOf(pause),
  };
}

function ofThisPause({ sinceMs }: BreakerItem, spoken: BreakerItem['lastProbe']) {
  return spoken === undefined || spoken.atMs < sinceMs
    ? undefined
    : { at: instant(spoken.atMs), answer: spoken.answer };
}

function summaryOf(pause: Pause): string {
  const { item, waiting, nowMs } = pause;
  const { state, reason, sinceMs, lastProbe, lastTrial } = item;
  const since = sinceMs === 0 ? '' : ` since ${minute(sinceMs, nowMs)}`;
  const said = (what: string, spoken: BreakerItem['lastProbe']): string =>
    spoken === undefined || spoken.atMs < sinceMs
      ? `No ${what} yet.`
      : `Last ${what} ${minute(spoken.atMs, nowMs)}: ${spoken.answer}.`;
  return [
    `Consumption is paused${since}: ${reason === '' ? 'no reason is recorded' : reason}.`,
    waiting === undefined ? 'How many carts wait is not known.' : `${carts(waiting.count)}.`,
    ...(state === 'OPEN' ? [said('probe', lastProbe), said('trial', lastTrial)] : []),
    nextStep(pause),
  ].join(' ');
}

const carts = (count: number): string => (count === 1 ? '1 cart waits' : `${count} carts wait`);

/** A trial of this moment that tried nothing is told here: `lastTrial` is the last one that tried something. */
function nextStep(pause: Pause): string {
  const { item, trial, nowMs } = pause;
  if (item.state !== 'OPEN') return 'Only a person ends this pause: "Pause and resume" in the runbook.';
  const obstacle = trial?.healthy === false ? trial.obstacle : undefined;
  if (obstacle === 'hidden') return `11VMS answered the probe, but ${untilVisible(pause)}. It is tried then by itself.`;
  const untried =
    trial?.healthy === false && !trial.tried && obstacle !== 'probe' ? `Not tried: ${trial.reason}. ` : '';
  const soon = item.nextTrialAtMs <= nowMs + MINUTE_MS;
  return `${untried}Next trial ${soon ? 'within two minutes' : `at ${minute(item.nextTrialAtMs, nowMs)}`}.`;
}

const MINUTE_MS = 60_000;
/** The longest delay between two attempts (rules.md, "transient"). */
const LONGEST_DELAY_MS = 15 * MINUTE_MS;

/** SQS does not tell when it shows a hidden message. Known is when the last tried one comes, and the longest delay. */
function untilVisible({ item: { lastTrial }, waiting, nowMs }: Pause): string {
  const knownMs = lastTrial?.visibleAtMs ?? 0;
  const isOnly = waiting?.count === 1;
  if (isOnly && knownMs > nowMs)
    return `nothing can be tried before ${minute(knownMs, nowMs)}: the only cart waits for its next attempt until then`;
  const longestMs = Math.max(LONGEST_DELAY_MS, waiting?.visibilityTimeoutMs ?? 0);
  const latestMs = knownMs > nowMs ? Math.min(knownMs, nowMs + longestMs) : nowMs + longestMs;
  return (
    'nothing can be tried now: each cart on the queue waits for its next attempt, the first of them until ' +
    `${minute(latestMs, nowMs)} at the latest`
  );
}

const instant = (ms: number): string => new Date(ms).toISOString();

/** To the minute that is over, or of what is to come, to the next one; with its day where that is another one. */
function minute(ms: number, nowMs: number): string {
  const minutes = ms / MINUTE_MS;
  const text = instant((ms <= nowMs ? Math.floor(minutes) : Math.ceil(minutes)) * MINUTE_MS);
  const day = text.slice(0, 10);
  return `${day === instant(nowMs).slice(0, 10) ? '' : `${day} `}${text.slice(11, 16)} UTC`;
}
