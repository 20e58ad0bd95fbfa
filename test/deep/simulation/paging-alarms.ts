/** The metric alarms of the page `orders-stopped` that an outage of 11VMS sets off (infra/constructs/alarms.ts). */
import type { MetricAlarm } from '../../../infra/constructs/alarm-texts.ts';
import type { Environment } from '../../../infra/environments.ts';
import { METRICS } from '../../../shared/metric-names.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface Page {
  readonly atMs: number;
  readonly alarm: MetricAlarm;
}

export interface PagingAlarms {
  readonly observe: (name: string, value: number) => void;
  /** When the worker or the supervisor first reported that consumption is paused. */
  readonly pausedAtMs: () => number | undefined;
  /** The first. */
  readonly page: () => Page | undefined;
}

const MINUTE_MS = 60_000;
const FIVE_MINUTES_MS = 5 * MINUTE_MS;
const QUARTER_MS = 15 * MINUTE_MS;
/** Of the alarm `target-refused`. */
const REFUSALS = 3;

export function createPagingAlarms(
  { now }: Pick<VirtualTime, 'now'>,
  { pausedMinutes, waitingHours }: Environment['notifications']['thresholds'],
): PagingAlarms {
  let pausedAtMs: number | undefined;
  let page: Page | undefined;
  /** The minutes in which consumption was reported as paused, and the refusals of each five minutes. */
  const pausedIn = new Set<number>();
  const refusals = new Map<number, number>();
  /** The quarters of an hour in which a cart had to wait again that has waited for too long. */
  const waitedIn = new Set<number>();

  function raise(alarm: MetricAlarm): void {
    page ??= { atMs: now(), alarm };
  }

  return {
    pausedAtMs: () => pausedAtMs,
    page: () => page,
    observe(name, value) {
      if (name === METRICS.consumptionPaused && value > 0) {
        pausedAtMs ??= now();
        const minute = Math.floor(now() / MINUTE_MS);
        pausedIn.add(minute);
        const latest = Array.from({ length: pausedMinutes }, (_minute, index) => minute - index);
        if (latest.every((one) => pausedIn.has(one))) raise('consumption-paused');
      }
      if (name === METRICS.targetRefused) {
        const period = Math.floor(now() / FIVE_MINUTES_MS);
        const count = (refusals.get(period) ?? 0) + value;
        refusals.set(period, count);
        if (count >= REFUSALS) raise('target-refused');
      }
      if (name === METRICS.cartWaitTime && value >= waitingHours * 3600) {
        const quarter = Math.floor(now() / QUARTER_MS);
        waitedIn.add(quarter);
        // Two of three.
        if (waitedIn.has(quarter - 1) || waitedIn.has(quarter - 2)) raise('cart-waiting-too-long');
      }
    },
  };
}
