/** The function's events: from its schedule, and from an operator. */
import * as z from 'zod';
import { asJsonObject } from '../../shared/exact-json.ts';
import { type ByHand, byHand } from '../../shared/operations.ts';

/** Verdicts are kept for 90 days: further back, dead letters would look like lost carts. */
const byOperator = z.strictObject({
  days: z.int().min(1).max(60),
  includeLastHour: z.boolean().default(false),
  ...byHand,
});
/** The notification that EventBridge Scheduler sends where a schedule has no input; AWS may add to it. */
const scheduled = z.looseObject({ 'detail-type': z.literal('Scheduled Event') }).transform(() => ({}));
const empty = z.strictObject({});

export type ReconciliationRequest =
  /** The schedule starts the run. */
  | { readonly days?: undefined }
  | ({
      /** How many days to go back. */
      readonly days: number;
      /** Whether to read up to the watermark, and not only up to an hour before it. */
      readonly includeLastHour: boolean;
    } & ByHand);

/** @throws {Error} for any other event; it says which events are allowed, and what is wrong with this one. */
export function readEvent(event: unknown): ReconciliationRequest {
  const parsed = schemaOf(event).safeParse(event);
  if (parsed.success) return parsed.data;
  throw new Error(
    'The event must be {} for the reconciliation of the day or the rest of an unfinished one, or { "days": 1 to 60, "by", "reason" }, ' +
      'with "includeLastHour": true where wanted: ' +
      z.prettifyError(parsed.error),
  );
}

/** Chosen by the event's keys, so that the error names the wrong field and not the union. */
function schemaOf(event: unknown): z.ZodType<ReconciliationRequest> {
  const fields = asJsonObject(event) ?? {};
  if ('days' in fields || 'includeLastHour' in fields) return byOperator;
  return 'detail-type' in fields ? scheduled : empty;
}
