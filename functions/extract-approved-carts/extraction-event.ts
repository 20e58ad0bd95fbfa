/** What the function can be asked for: by its three schedules, and by an operator. */
import * as z from 'zod';
import { asJsonObject } from '../../shared/exact-json.ts';
import type { ReadingWindow } from '../../shared/srm-carts.ts';

export type ExtractionRequest =
  | { readonly kind: 'normal' }
  | { readonly kind: 'replay'; readonly window: ReadingWindow }
  /** `days`: undefined for the configured number, or for the rest of a look that was not finished. */
  | { readonly kind: 'second-look'; readonly days: number | undefined }
  /** The rest of a look that was not finished, and nothing where there is none. */
  | { readonly kind: 'rest-of-second-look' };

const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

const nothing = z.strictObject({}).transform((): ExtractionRequest => ({ kind: 'normal' }));
/** The notification that EventBridge Scheduler sends where a schedule has no input; AWS may add to it. */
const scheduled = z
  .looseObject({ 'detail-type': z.literal('Scheduled Event') })
  .transform((): ExtractionRequest => ({ kind: 'normal' }));
const replay = z
  .strictObject({ changedFrom: instant, changedTo: instant })
  .refine(({ changedFrom, changedTo }) => changedFrom < changedTo, 'changedFrom must be before changedTo')
  .transform(
    ({ changedFrom, changedTo }): ExtractionRequest => ({
      kind: 'replay',
      window: { fromMs: changedFrom, toMs: changedTo },
    }),
  );
/** Verdicts are kept for 90 days: who looks back further would take dead letters for lost. */
const secondLook = z
  .strictObject({ secondLook: z.literal(true), days: z.int().min(1).max(60).optional() })
  .transform(({ days }): ExtractionRequest => ({ kind: 'second-look', days }));

const restOfSecondLook = z
  .strictObject({ secondLook: z.literal('rest') })
  .transform((): ExtractionRequest => ({ kind: 'rest-of-second-look' }));

/** @throws {Error} for any other event: which are allowed, and what is wrong with this one. A typing error starts nothing. */
export function readEvent(event: unknown): ExtractionRequest {
  const parsed = schemaOf(event).safeParse(event);
  if (parsed.success) return parsed.data;
  throw new Error(
    'The event must be {} for a normal run, { "changedFrom", "changedTo" } in RFC 3339 for a replay, ' +
      '{ "secondLook": true } with or without "days" for a second look, or { "secondLook": "rest" } to finish one: ' +
      z.prettifyError(parsed.error),
  );
}

/** Chosen by its keys, so that a fault is told at its own place, not at the union's. */
function schemaOf(event: unknown): z.ZodType<ExtractionRequest> {
  const fields = asJsonObject(event) ?? {};
  if (fields['secondLook'] === 'rest') return restOfSecondLook;
  if ('secondLook' in fields) return secondLook;
  if ('changedFrom' in fields || 'changedTo' in fields) return replay;
  return 'detail-type' in fields ? scheduled : nothing;
}
