/** What the function can be asked for: by its schedule, and by an operator. */
import * as z from 'zod';
import { asJsonObject } from '../../shared/exact-json.ts';

/** Verdicts are kept for 90 days: further back, dead letters would look like lost carts. */
const operators = z.strictObject({ days: z.int().min(1).max(60) });
/** The notification that EventBridge Scheduler sends where a schedule has no input; AWS may add to it. */
const scheduled = z.looseObject({ 'detail-type': z.literal('Scheduled Event') }).transform(() => ({}));
const empty = z.strictObject({});

export interface ReconciliationRequest {
  /** How many days to go back; undefined for what the schedule starts. */
  readonly days?: number;
}

/** @throws {Error} for any other event: which are allowed, and what is wrong with this one. */
export function readEvent(event: unknown): ReconciliationRequest {
  const parsed = schemaOf(event).safeParse(event);
  if (parsed.success) return parsed.data;
  throw new Error(
    'The event must be {} for the reconciliation of the day or the rest of an unfinished one, or { "days": 1 to 60 }: ' +
      z.prettifyError(parsed.error),
  );
}

/** Chosen by its keys, so that a fault is reported at its own place, not at the union's. */
function schemaOf(event: unknown): z.ZodType<ReconciliationRequest> {
  const fields = asJsonObject(event) ?? {};
  if ('days' in fields) return operators;
  return 'detail-type' in fields ? scheduled : empty;
}
