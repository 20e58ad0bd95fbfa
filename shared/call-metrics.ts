/** Measures each call to SRM or 11VMS: its duration and its failure as metrics, and a log line when it was slow. */
import type { HttpCall } from './http-client.ts';
import type { Log, Meter } from './log.ts';
import { METRICS } from './metric-names.ts';

/** A line for each call would be most of the log, so that only slow calls get one. */
const SLOW_CALL_MS = 3000;

const NAMES = {
  SRM: { duration: METRICS.srmCallDuration, errors: METRICS.srmCallErrors },
  '11VMS': { duration: METRICS.vmsCallDuration, errors: METRICS.vmsCallErrors },
} as const;

/** The `onCall` of a system's HTTP client. */
export function measureCalls(system: keyof typeof NAMES, meter: Meter, log: Log): (call: HttpCall) => void {
  const { duration, errors } = NAMES[system];
  return ({ method, correlationId, durationMs, status }) => {
    meter.milliseconds(duration, durationMs);
    // A refusal and a throttling have metrics of their own; any other 4xx concerns one cart.
    if (status === undefined || status >= 500) meter.count(errors);
    if (durationMs >= SLOW_CALL_MS) log.warn('call.slow', { system, method, status, durationMs, correlationId });
  };
}
