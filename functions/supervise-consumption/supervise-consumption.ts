/**
 * Circuit Breaker, the slow half: keeps the event source mapping in line with the breaker's state, and closes the
 * breaker once 11VMS is healthy again. The quick half, in the worker, opens it (edge cases 67 to 71, 80).
 */
import type { BreakerItem, BreakerRecord, BreakerState, TrialResult } from '../../shared/circuit-breaker.ts';
import { errorFields, type Log, type Meter } from '../../shared/log.ts';
import { METRICS } from '../../shared/metric-names.ts';
import type { Consumption } from './event-source.ts';

export interface SupervisionDependencies {
  readonly breaker: BreakerRecord;
  readonly consumption: Consumption;
  /** Has the worker probe 11VMS and, when it is healthy, try one message. */
  readonly trial: () => Promise<TrialResult>;
  readonly log: Log;
  readonly meter: Meter;
  readonly now: () => number;
  /** Makes the name under which this supervision holds the breaker. */
  readonly newId: () => string;
  /** Longer than this supervision can last: no other one acts meanwhile. */
  readonly leaseMs: number;
  /** Called before each act. @throws {HoldEnded} when this supervision has lasted longer than it may hold the breaker. */
  readonly assertHeld: () => void;
  /**
   * A trial uses up a receive of the message that it tries: each failed trial doubles the wait for the next. A trial
   * that tried no message delays nothing.
   */
  readonly firstTrialDelayMs: number;
}

export interface SupervisionResult {
  readonly state: BreakerState;
  readonly reason: string;
  /** Since when it is in this state: an RFC 3339 instant; absent where it never changed. */
  readonly since?: string;
}

/**
 * This supervision stood still, and another one may hold the breaker by now. It must change nothing: it could disable
 * the mapping after the other one has closed the breaker, and then nothing would enable it again.
 */
export class HoldEnded extends Error {
  constructor() {
    super('This supervision lasted longer than it may hold the breaker, and stops here; the next one continues');
    this.name = 'HoldEnded';
  }
}

/** In first delays: 15 minutes where the first delay is one minute. */
const LONGEST_TRIAL_DELAY = 15;

/** One supervision, every minute. The next one can repeat each step, so that a crash anywhere is harmless. */
export async function superviseConsumption(dependencies: SupervisionDependencies): Promise<SupervisionResult> {
  const { breaker, now, newId, leaseMs } = dependencies;
  const current = await breaker.read();
  if (current.state === 'CLOSED' && !current.mappingPaused) return report(current, dependencies);
  // Of two supervisions that read OPEN, one could otherwise close the breaker and enable the mapping, and the other
  // disable it afterwards: it would stay disabled.
  const holder = newId();
  const item = await breaker.hold(holder, now(), now() + leaseMs);
  if (item === undefined) return report(current, dependencies);
  try {
    return report(await act(item, whileHeld(dependencies)), dependencies);
  } finally {
    await breaker.letGo(holder).catch((error: unknown) => {
      // The hold expires by itself; until then other supervisions only report.
      dependencies.log.warn('consumption.hold-not-released', errorFields(error));
    });
  }
}

function whileHeld(dependencies: SupervisionDependencies): SupervisionDependencies {
  const { breaker, consumption, trial, assertHeld } = dependencies;
  const held = <Result>(change: () => Promise<Result>): Promise<Result> => {
    assertHeld();
    return change();
  };
  return {
    ...dependencies,
    trial: () => held(trial),
    consumption: {
      ...consumption,
      pause: () => held(() => consumption.pause()),
      resume: () => held(() => consumption.resume()),
    },
    breaker: {
      ...breaker,
      mappingPaused: (isPaused) => held(() => breaker.mappingPaused(isPaused)),
      postponeTrial: (failed, nextAtMs) => held(() => breaker.postponeTrial(failed, nextAtMs)),
      close: (nowMs) => held(() => breaker.close(nowMs)),
    },
  };
}

async function act(item: BreakerItem, dependencies: SupervisionDependencies): Promise<BreakerItem> {
  if (item.state === 'CLOSED') {
    // An earlier supervision closed the breaker, and crashed before it enabled the mapping.
    if (item.mappingPaused) await resume(dependencies);
    return item;
  }
  const mappingPaused = await pause(item, dependencies);
  return item.state === 'OPEN' ? tryToClose({ ...item, mappingPaused }, dependencies) : item;
}

/** Repeated every time: a deployment may have enabled the mapping. True when the supervisor must enable it again. */
async function pause(item: BreakerItem, { breaker, consumption }: SupervisionDependencies): Promise<boolean> {
  if (!item.mappingPaused) {
    // A person who has disabled it in the console must enable it again.
    if (await consumption.isPaused()) return false;
    // Recorded first: a mapping that was disabled without a record would stay disabled.
    await breaker.mappingPaused(true);
  }
  await consumption.pause();
  return true;
}

async function tryToClose(item: BreakerItem, dependencies: SupervisionDependencies): Promise<BreakerItem> {
  const { breaker, log, now } = dependencies;
  if (now() < item.nextTrialAtMs) return item;
  // Recorded before the trial: when a trial crashes this function, the next one must not follow at once.
  const delayMs = dependencies.firstTrialDelayMs * Math.min(2 ** item.failedTrials, LONGEST_TRIAL_DELAY);
  await breaker.postponeTrial(item.failedTrials + 1, now() + delayMs);
  const trial = await dependencies.trial();
  if (!trial.healthy) {
    // It cost no receive, so that the next supervision may try again.
    if (!trial.tried) await breaker.postponeTrial(item.failedTrials, item.nextTrialAtMs);
    log.warn('consumption.still-paused', { reason: trial.reason });
    return item;
  }
  // A person forced it open meanwhile.
  if (!(await breaker.close(now()))) return breaker.read();
  if (item.mappingPaused) await resume(dependencies);
  log.info('consumption.resumed', { reason: item.reason });
  return { ...item, state: 'CLOSED', reason: '', sinceMs: now() };
}

async function resume({ breaker, consumption }: SupervisionDependencies): Promise<void> {
  await consumption.resume();
  await breaker.mappingPaused(false);
}

function report({ state, reason, sinceMs }: BreakerItem, { meter }: SupervisionDependencies): SupervisionResult {
  meter.count(METRICS.consumptionPaused, state === 'CLOSED' ? 0 : 1);
  return { state, reason, ...(sinceMs === 0 ? {} : { since: new Date(sinceMs).toISOString() }) };
}

/** A person pauses consumption, and only a person can resume it. */
export async function pauseByHand(reason: string, dependencies: SupervisionDependencies): Promise<SupervisionResult> {
  await dependencies.breaker.force(reason, dependencies.now());
  dependencies.log.warn('consumption.paused-by-person', { reason });
  return superviseConsumption(dependencies);
}

/** A person resumes consumption: it resumes when a probe and the trial of one message, made at once, succeed. */
export async function resumeByHand(dependencies: SupervisionDependencies): Promise<SupervisionResult> {
  await dependencies.breaker.letResume(dependencies.now());
  dependencies.log.info('consumption.resume-requested');
  return superviseConsumption(dependencies);
}
