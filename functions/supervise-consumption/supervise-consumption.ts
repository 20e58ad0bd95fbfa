/**
 * Circuit Breaker, the slow half: keeps the event source mapping in line with the breaker's state, and closes the
 * breaker once 11VMS is healthy again. The quick half, in the worker, opens it (edge cases 67 to 71, 80).
 */
import { type BreakerItem, type BreakerRecord, boundedReason, type TrialResult } from '../../shared/circuit-breaker.ts';
import { errorFields, type Log, type Meter } from '../../shared/log.ts';
import { METRICS } from '../../shared/metric-names.ts';
import type { ByHand, OperationOutcome } from '../../shared/operations.ts';
import type { Consumption } from './event-source.ts';
import { reportPause, stateOf, type SupervisionResult } from './pause-report.ts';
import type { WaitingCarts } from './waiting-carts.ts';

export interface SupervisionDependencies {
  readonly breaker: BreakerRecord;
  readonly consumption: Consumption;
  /** Has the worker probe 11VMS and, when it is healthy, try one message. */
  readonly trial: () => Promise<TrialResult>;
  readonly countWaitingCarts: () => Promise<WaitingCarts>;
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

/** What a supervision leaves, and the trial that it made, if any. */
interface Supervised {
  readonly item: BreakerItem;
  readonly trial?: TrialResult;
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
  if (current.state === 'CLOSED' && !current.mappingPaused) return report({ item: current }, dependencies);
  // Of two supervisions that read OPEN, one could otherwise close the breaker and enable the mapping, and the other
  // disable it afterwards: it would stay disabled.
  const holder = newId();
  const item = await breaker.hold(holder, now(), now() + leaseMs);
  if (item === undefined) return report({ item: current }, dependencies);
  try {
    return await report(await act(item, whileHeld(dependencies)), dependencies);
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
      recordTrial: (trial) => held(() => breaker.recordTrial(trial)),
      close: (nowMs) => held(() => breaker.close(nowMs)),
    },
  };
}

async function act(item: BreakerItem, dependencies: SupervisionDependencies): Promise<Supervised> {
  if (item.state === 'CLOSED') {
    // An earlier supervision closed the breaker, and crashed before it enabled the mapping.
    if (item.mappingPaused) await resume(dependencies);
    return { item };
  }
  const mappingPaused = await pause(item, dependencies);
  return item.state === 'OPEN' ? tryToClose({ ...item, mappingPaused }, dependencies) : { item };
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

async function tryToClose(item: BreakerItem, dependencies: SupervisionDependencies): Promise<Supervised> {
  const { breaker, log, now } = dependencies;
  if (now() < item.nextTrialAtMs) return { item };
  // Recorded before the trial: when a trial crashes this function, the next one must not follow at once.
  const delayMs = dependencies.firstTrialDelayMs * Math.min(2 ** item.failedTrials, LONGEST_TRIAL_DELAY);
  const postponed = { ...item, failedTrials: item.failedTrials + 1, nextTrialAtMs: now() + delayMs };
  await breaker.postponeTrial(postponed.failedTrials, postponed.nextTrialAtMs);
  const trial = await dependencies.trial();
  if (!trial.healthy) {
    const spoken = spokenBy(trial, now());
    // One that tried nothing cost no receive, so that the next supervision may try again. After any other the schedule
    // is not written a second time: a person may have asked for the next trial meanwhile.
    const { failedTrials, nextTrialAtMs } = item;
    await breaker.recordTrial(trial.tried ? spoken : { ...spoken, failedTrials, nextTrialAtMs });
    return { item: { ...(trial.tried ? postponed : item), ...spoken }, trial };
  }
  // A person forced it open meanwhile.
  if (!(await breaker.close(now()))) return { item: await breaker.read() };
  if (item.mappingPaused) await resume(dependencies);
  log.info('consumption.resumed', { reason: item.reason });
  return { item: { ...item, state: 'CLOSED', reason: '', sinceMs: now() } };
}

/** What a bad trial said: by its probe, and by the message that it tried. */
function spokenBy(trial: TrialResult & { healthy: false }, atMs: number): Pick<BreakerItem, 'lastProbe' | 'lastTrial'> {
  const { obstacle, tried, reason, visibleAtMs } = trial;
  const said = { atMs, answer: boundedReason(reason) };
  if (obstacle === 'probe' || obstacle === 'probe-wait') return { lastProbe: said };
  return {
    ...(obstacle === 'worker' ? {} : { lastProbe: { atMs, answer: 'answered' } }),
    ...(tried ? { lastTrial: { ...said, ...(visibleAtMs === undefined ? {} : { visibleAtMs }) } } : {}),
  };
}

async function resume({ breaker, consumption }: SupervisionDependencies): Promise<void> {
  await consumption.resume();
  await breaker.mappingPaused(false);
}

async function report({ item, trial }: Supervised, dependencies: SupervisionDependencies): Promise<SupervisionResult> {
  const { meter, log, now } = dependencies;
  meter.count(METRICS.consumptionPaused, item.state === 'CLOSED' ? 0 : 1);
  if (item.state === 'CLOSED') return stateOf(item);
  const waiting = await dependencies.countWaitingCarts().catch((error: unknown) => {
    log.warn('consumption.carts-not-counted', errorFields(error));
    return undefined;
  });
  const result = reportPause({ item, waiting, trial, nowMs: now() });
  if (trial?.healthy === false) {
    const isUnhealthy = trial.obstacle === 'probe' || trial.obstacle === 'trial';
    const { since: pausedSince, cartsWaiting, nextTrialAt } = result;
    const fields = { reason: trial.reason, reasons: [result.summary ?? ''], pausedSince, cartsWaiting, nextTrialAt };
    log.warn(isUnhealthy ? 'consumption.still-paused' : 'consumption.trial-inconclusive', fields);
  }
  return result;
}

/** A person pauses consumption, and only a person can resume it. The next reader of the state learns who, and why. */
export async function pauseByHand(
  { by, reason }: ByHand,
  dependencies: SupervisionDependencies,
): Promise<SupervisionResult> {
  await dependencies.breaker.force(`${reason} (by ${by})`, dependencies.now());
  return superviseConsumption(dependencies);
}

/** A person resumes consumption: it resumes when a probe and the trial of one message, made at once, succeed. */
export async function resumeByHand(dependencies: SupervisionDependencies): Promise<SupervisionResult> {
  await dependencies.breaker.letResume(dependencies.now());
  return superviseConsumption(dependencies);
}

/** What came of an act by hand. A resume that finds 11VMS unhealthy is continued by the next supervisions. */
export function outcomeOf(
  action: 'pause' | 'resume',
  { state, summary = 'carts flow' }: SupervisionResult,
): OperationOutcome {
  const isDone = action === 'pause' ? state === 'FORCED_OPEN' : state === 'CLOSED';
  return { result: isDone ? 'done' : 'stopped', summary: `${state}: ${summary}` };
}
