/** Reports the outcome of a message: log lines and metrics. */
import { type Fault, findingForLog, type Warning } from '../../shared/failure.ts';
import type { Log, Meter } from '../../shared/log.ts';
import { METRICS } from '../../shared/metric-names.ts';
import { isRefused, type OrderOutcome, type Outcome } from './outcome.ts';
import type { TranslatedCart } from './translation/translate-cart.ts';
import type { Waiting } from './waiting.ts';

export interface Reporting {
  readonly log: Log;
  readonly meter: Meter;
}

export function reportOutcome(
  outcome: Outcome,
  { attempt, waiting: { sinceMs, requeues } }: { readonly attempt: number; readonly waiting: Waiting },
  { log, meter, now }: Reporting & { readonly now: () => number },
): void {
  const waited = { waitingSince: new Date(sinceMs).toISOString(), requeues };
  // The age of the queue's oldest message would not do: a requeued copy starts anew, and SQS leaves out what was
  // received three times.
  const meterWait = (): void => meter.seconds(METRICS.cartWaitTime, Math.max(0, Math.round((now() - sinceMs) / 1000)));
  switch (outcome.kind) {
    case 'done':
      break;
    case 'skipped':
      meter.count(METRICS.cartsSkipped);
      log.info('cart.skipped', { outcome: 'skipped', reason: outcome.reason });
      break;
    case 'retry':
      meterWait();
      if (isRefused(outcome)) {
        // An alarm counts them, and a 403 may be about one cart, which is received again and again.
        if (outcome.cause?.health === 'refused' || attempt === 1) meter.count(METRICS.targetRefused);
        log.error('cart.refused', { outcome: 'refused', ...faultFields(outcome.faults), ...waited });
        break;
      }
      meter.count(METRICS.attemptsRetried);
      log.warn('cart.retry-scheduled', { outcome: 'retry', ...faultFields(outcome.faults), ...waited });
      break;
    case 'requeued':
      meter.count(METRICS.cartsRequeued);
      meterWait();
      log.warn('cart.requeued', {
        outcome: 'requeued',
        ...faultFields(outcome.faults),
        ...waited,
        requeues: requeues + 1,
      });
      break;
    case 'dead-letter':
      meter.count(METRICS.cartsDeadLettered);
      log.error('cart.dead-lettered', { outcome: 'dead-letter', ...faultFields(outcome.faults) });
      break;
  }
}

/** The warnings and dropped lines of a translation, in one line however many orders it has (edge cases 14, 85). */
export function reportTranslation(
  { warnings, droppedLines }: Pick<TranslatedCart, 'warnings' | 'droppedLines'>,
  orderWarnings: readonly Warning[],
  log: Log,
): void {
  const all = [...warnings, ...orderWarnings];
  if (all.length === 0 && droppedLines.length === 0) return;
  const fields = { ...(droppedLines.length === 0 ? {} : { droppedLines: droppedLines.length }), ...faultFields(all) };
  if (orderWarnings.length > 0) log.warn('cart.translated-with-warnings', fields);
  else log.info('cart.translated', fields);
}

/** For a cart that the reconciliation queued: it was lost only if one of its orders is created now. */
export function reportRecovery(orders: readonly OrderOutcome[], { log, meter }: Reporting): void {
  if (!orders.some((order) => order.kind === 'created' && !order.recovered)) return;
  meter.count(METRICS.cartsRecovered);
  log.warn('cart.recovered');
}

const faultFields = (faults: readonly (Fault | Warning)[]) => ({
  codes: [...new Set(faults.map(({ code }) => code))],
  reasons: faults.slice(0, 10).map(findingForLog),
});
