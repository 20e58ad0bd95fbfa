/**
 * What would become of a queue message if it were delivered now: the worker's answer to the redriver, which asks before a
 * person puts dead letters back on the queue.
 */
import * as z from 'zod';

/**
 * | kind       | with today's settings                                                                         |
 * |------------|-----------------------------------------------------------------------------------------------|
 * | ordered    | orders would be created                                                                       |
 * | fails      | it would be dead-lettered again, for these codes                                              |
 * | pointless  | nothing would come of it, or nothing good: the reason says why                                |
 * | unreadable | no attempt can read it                                                                        |
 * | unknown    | it cannot be said without trying: SRM or the ledger did not answer, an attempt is under way,   |
 * |            | or only 11VMS knows whether it holds the order from an earlier attempt                         |
 */
export const FORECAST_KINDS = ['ordered', 'fails', 'pointless', 'unreadable', 'unknown'] as const;
export type ForecastKind = (typeof FORECAST_KINDS)[number];

export const forecastSchema = z.object({
  messageId: z.string(),
  kind: z.enum(FORECAST_KINDS),
  /** How many orders would be created; also of a message that fails beside them. */
  orders: z.number(),
  codes: z.array(z.string()),
  /** In words, without content. */
  reason: z.string(),
  /** The version of the cart, where it is known. */
  changedAtMs: z.number().optional(),
});
export type Forecast = Readonly<z.output<typeof forecastSchema>>;
export const forecastAnswer = z.object({ forecasts: z.array(forecastSchema) });

/** What the worker is asked. */
export interface ForecastQuestion {
  readonly messageId: string;
  readonly body: string;
  readonly signature?: string | undefined;
}
