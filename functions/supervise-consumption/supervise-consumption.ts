/**
 * Circuit Breaker, the slow half: keeps the event source mapping in line with the breaker's state, and closes the
 * breaker again once 11VMS is well. The quick half, which opens it, is the worker's (edge cases 67 to 71, 80).
 */
import type { BreakerItem, BreakerRecord, BreakerState, TrialResult } from '../../shared/circuit-breaker.ts';
import { errorFields, type Log, type Meter } from '../../shared/log.ts';
import { METRICS } from '../../shared/metric-names.ts';
import type { Consumption } from './event-source.ts';

export interface SupervisionDependencies {
  readonly breaker: BreakerRecord;
  readonly consumption: Consumption;
  /** Asks 11VMS whether it is well, and if so has the worker try one message. */
  readonly trial: () => Promise<TrialResult>;
  readonly log: Log;
  readonly meter: Meter;
  readonly now: () => number;
  /** Names this look. */
  readonly newId: () => string;
  /** Longer than this look can live: no other one acts meanwhile. */
  readonly leaseMs: number;
  /**
   * A trial burns a receive of the message that is tried: after each bad one the next waits twice as long. One that
   * tried none is simply repeated.
   */
  readonly firstTrialDelayMs: number;
}

export interface SupervisionResult {
  readonly state: BreakerState;
  readonly reason: string;
  /** Since when it is in this state: an RFC 3339 instant; absent where it never changed. */
  readonly since?: string;
}

/** In first delays: a quarter of an hour where that is a minute. */
const LONGEST_TRIAL_DELAY = 15;

/** One look, every minute. Whatever it does can be done again by the next one, so that it may die anywhere. */
export async function superviseConsumption(dependencies: SupervisionDependencies): Promise<SupervisionResult> {
  const { breaker, now, newId, leaseMs } = dependencies;
  const seen = await breaker.read();
  if (seen.state === 'CLOSED' && !seen.mappingPaused) return tell(seen, dependencies);
  // Two looks that read OPEN could otherwise disable the mapping after one of them had closed the breaker and enabled
  // it: nobody would enable it again.
  const holder = newId();
  const item = await breaker.hold(holder, now(), now() + leaseMs);
  if (item === undefined) return tell(seen, dependencies);
  try {
    return tell(await act(item, dependencies), dependencies);
  } finally {
    await breaker.letGo(holder).catch((error: unknown) => {
      // It runs out by itself; until then the next looks only tell.
      dependencies.log.warn('consumption.hold-not-released', errorFields(error));
    });
  }
}

async function act(item: BreakerItem, dependencies: SupervisionDependencies): Promise<BreakerItem> {
  if (item.state === 'CLOSED') {
    // A look before this one closed the breaker and did not come further.
    if (item.mappingPaused) await resume(dependencies);
    return item;
  }
  const mappingPaused = await pause(item, dependencies);
  return item.state === 'OPEN' ? tryToClose({ ...item, mappingPaused }, dependencies) : item;
}

/** Repeated every time: a deployment may have enabled the mapping again. True when it is ours to enable. */
async function pause(item: BreakerItem, { breaker, consumption }: SupervisionDependencies): Promise<boolean> {
  if (!item.mappingPaused) {
    // Whoever disabled it before us, in the console, is the one to enable it again.
    if (await consumption.isPaused()) return false;
    // Noted before it is done: what was paused and not noted would stay paused.
    await breaker.mappingPaused(true);
  }
  await consumption.pause();
  return true;
}

async function tryToClose(item: BreakerItem, dependencies: SupervisionDependencies): Promise<BreakerItem> {
  const { breaker, log, now } = dependencies;
  if (now() < item.nextTrialAtMs) return item;
  // Noted before the trial: one that ends with this function's death must not be followed by the next at once.
  const delayMs = dependencies.firstTrialDelayMs * Math.min(2 ** item.failedTrials, LONGEST_TRIAL_DELAY);
  await breaker.postponeTrial(item.failedTrials + 1, now() + delayMs);
  const trial = await dependencies.trial();
  if (!trial.healthy) {
    if (!trial.tried) await breaker.postponeTrial(item.failedTrials, now() + dependencies.firstTrialDelayMs);
    log.warn('consumption.still-paused', { reason: trial.reason });
    return item;
  }
  if (!(await breaker.close(now()))) {
    const found = await breaker.read();
    // A person forced it open meanwhile. CLOSED is our own doing, whose answer was lost.
    if (found.state !== 'CLOSED') return found;
  }
  if (item.mappingPaused) await resume(dependencies);
  log.info('consumption.resumed', { reason: item.reason });
  return { ...item, state: 'CLOSED', reason: '', sinceMs: now() };
}

async function resume({ breaker, consumption }: SupervisionDependencies): Promise<void> {
  await consumption.resume();
  await breaker.mappingPaused(false);
}

function tell({ state, reason, sinceMs }: BreakerItem, { meter }: SupervisionDependencies): SupervisionResult {
  meter.count(METRICS.consumptionPaused, state === 'CLOSED' ? 0 : 1);
  return { state, reason, ...(sinceMs === 0 ? {} : { since: new Date(sinceMs).toISOString() }) };
}

/** A person pauses: nothing resumes by itself. */
export async function pauseByHand(reason: string, dependencies: SupervisionDependencies): Promise<SupervisionResult> {
  await dependencies.breaker.force(reason, dependencies.now());
  dependencies.log.warn('consumption.paused-by-person', { reason });
  return superviseConsumption(dependencies);
}

/** A person resumes: 11VMS is probed and one message tried at once, and consumption goes on when that went well. */
export async function resumeByHand(dependencies: SupervisionDependencies): Promise<SupervisionResult> {
  await dependencies.breaker.letResume(dependencies.now());
  dependencies.log.info('consumption.resume-requested');
  return superviseConsumption(dependencies);
}
