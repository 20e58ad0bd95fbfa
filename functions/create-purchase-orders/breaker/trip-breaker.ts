import type { BreakerRecord } from '../../../shared/circuit-breaker.ts';
import { errorFields, type Log, type Meter } from '../../../shared/log.ts';
import { METRICS } from '../../../shared/metric-names.ts';
import type { PauseReason } from './target-health.ts';

export interface BreakerDependencies {
  readonly breaker: Pick<BreakerRecord, 'open'>;
  readonly log: Log;
  readonly meter: Meter;
  readonly now: () => number;
}

/** Opens the breaker when there is a reason. The supervisor then disables the event source mapping within a minute. */
export async function tripBreaker(
  pause: PauseReason | undefined,
  { breaker, log, meter, now }: BreakerDependencies,
): Promise<void> {
  if (pause === undefined) return;
  meter.count(METRICS.consumptionPaused, 1);
  log.error('consumption.pausing', { reason: pause.reason });
  await breaker.open(pause.byPerson ? 'FORCED_OPEN' : 'OPEN', pause.reason, now()).catch((error: unknown) => {
    // The next failure opens it. Until then messages are retried, and requeued after their last receive.
    log.warn('consumption.pause-failed', errorFields(error));
  });
}
