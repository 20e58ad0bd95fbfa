/** The function's events: from its schedule, and from an operator. */
import * as z from 'zod';
import { asJsonObject } from '../../shared/exact-json.ts';
import { type ByHand, byHand } from '../../shared/operations.ts';

export type SupervisionRequest = { readonly kind: 'supervise' } | ({ readonly kind: 'pause' | 'resume' } & ByHand);

const byOperator = z
  .strictObject({ consumption: z.enum(['pause', 'resume']), ...byHand })
  .transform(({ consumption, ...rest }): SupervisionRequest => ({ kind: consumption, ...rest }));
/** The notification that EventBridge Scheduler sends where a schedule has no input; AWS may add to it. */
const scheduled = z
  .looseObject({ 'detail-type': z.literal('Scheduled Event') })
  .transform((): SupervisionRequest => ({ kind: 'supervise' }));
const nothing = z.strictObject({}).transform((): SupervisionRequest => ({ kind: 'supervise' }));

/** @throws {Error} for any other event; it says which events are allowed, and what is wrong with this one. */
export function readEvent(event: unknown): SupervisionRequest {
  const parsed = schemaOf(event).safeParse(event);
  if (parsed.success) return parsed.data;
  throw new Error(
    'The event must be {} to read the state, or { "consumption": "pause" | "resume", "by", "reason" }; nothing was changed: ' +
      z.prettifyError(parsed.error),
  );
}

/** Chosen by the event's keys, so that the error names the wrong field and not the union. */
function schemaOf(event: unknown): z.ZodType<SupervisionRequest> {
  const fields = asJsonObject(event) ?? {};
  if ('consumption' in fields) return byOperator;
  return 'detail-type' in fields ? scheduled : nothing;
}
