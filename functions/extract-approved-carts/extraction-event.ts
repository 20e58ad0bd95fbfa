/** The function's events: from its schedule, and from an operator. */
import * as z from 'zod';
import { asJsonObject } from '../../shared/exact-json.ts';
import { type ByHand, byHand } from '../../shared/operations.ts';
import { IDENTIFIER, stripZeros } from '../../shared/sap-values.ts';
import type { ReadingWindow } from '../../shared/srm-carts.ts';

export type ExtractionRequest =
  | { readonly kind: 'normal' }
  | ({ readonly kind: 'replay-window'; readonly window: ReadingWindow } & ByHand)
  | ({ readonly kind: 'replay-cart'; readonly number: string } & ByHand);

const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

const nothing = z.strictObject({}).transform((): ExtractionRequest => ({ kind: 'normal' }));
/** The notification that EventBridge Scheduler sends where a schedule has no input; AWS may add to it. */
const scheduled = z
  .looseObject({ 'detail-type': z.literal('Scheduled Event') })
  .transform((): ExtractionRequest => ({ kind: 'normal' }));
const replay = z
  .strictObject({ changedFrom: instant, changedTo: instant, ...byHand })
  .refine(({ changedFrom, changedTo }) => changedFrom < changedTo, 'changedFrom must be before changedTo')
  .transform(
    ({ changedFrom, changedTo, ...rest }): ExtractionRequest => ({
      kind: 'replay-window',
      window: { fromMs: changedFrom, toMs: changedTo },
      ...rest,
    }),
  );

/** SRM writes a cart's number with or without leading zeros; so may a person. */
const replayCart = z
  .strictObject({
    cart: z.string().trim().regex(IDENTIFIER, 'must be the number of a cart, such as "1010000123"'),
    ...byHand,
  })
  .transform(({ cart, ...rest }): ExtractionRequest => ({ kind: 'replay-cart', number: stripZeros(cart), ...rest }));

/** @throws {Error} for any other event; it says which events are allowed, and what is wrong with this one. */
export function readEvent(event: unknown): ExtractionRequest {
  const parsed = schemaOf(event).safeParse(event);
  if (parsed.success) return parsed.data;
  throw new Error(
    'The event must be {} for a normal run, { "changedFrom", "changedTo", "by", "reason" } in RFC 3339 for a replay, or ' +
      '{ "cart", "by", "reason" } with its number for a replay of one cart: ' +
      z.prettifyError(parsed.error),
  );
}

/** Chosen by the event's keys, so that the error names the wrong field and not the union. */
function schemaOf(event: unknown): z.ZodType<ExtractionRequest> {
  const fields = asJsonObject(event) ?? {};
  if ('cart' in fields) return replayCart;
  if ('changedFrom' in fields || 'changedTo' in fields) return replay;
  return 'detail-type' in fields ? scheduled : nothing;
}

/** What a replay is about, as it is recorded. */
export function subjectOf(request: Exclude<ExtractionRequest, { readonly kind: 'normal' }>) {
  if (request.kind === 'replay-cart') return { subject: `cart ${request.number}`, cartNumbers: [request.number] };
  const { fromMs, toMs } = request.window;
  return { subject: `carts changed from ${new Date(fromMs).toISOString()} to ${new Date(toMs).toISOString()}` };
}
