/** The answers of functions/redrive-dead-letters, as the console reads them. */
import * as z from 'zod';

const count = z.number().int().nonnegative();

const plannedMessage = z.object({
  messageId: z.string(),
  cartNumber: z.string().optional(),
  cartGuid: z.string().optional(),
  forecast: z.string(),
  forecastReason: z.string(),
  forecastCodes: z.array(z.string()),
  orders: count,
  moves: z.boolean(),
});

export const planAnswer = z.object({
  seen: count,
  about: count,
  /** Absent where nothing would be redriven. */
  planHash: z.string().optional(),
  validUntil: z.string(),
  selected: count,
  beyond: count,
  notSeen: z.array(z.string()),
  forecasts: z.record(z.string(), count),
  moves: count,
  orders: count,
  messages: z.array(plannedMessage),
});
export type Plan = Readonly<z.output<typeof planAnswer>>;

export const redriveAnswer = z.object({
  status: z.enum(['complete', 'partly', 'stopped']),
  summary: z.string(),
  failed: z.array(z.object({ cartNumber: z.string().optional(), messageId: z.string(), codes: z.array(z.string()) })),
});
export type RedriveResult = Readonly<z.output<typeof redriveAnswer>>;

/** What the page shows of a dead letter that lies on the queue. */
const listedLetter = z.object({
  messageId: z.string(),
  cartNumber: z.string().optional(),
  cartGuid: z.string().optional(),
  codes: z.array(z.string()),
  reason: z.string(),
  queuedAt: z.string().optional(),
  deletedAt: z.string().optional(),
  settled: z.string().optional(),
});
export const listAnswer = z.object({
  seen: count,
  about: count,
  heldByOthers: count,
  deadLetters: z.array(listedLetter),
});
export type DeadLetterList = Readonly<z.output<typeof listAnswer>>;

/** Of every other act: what came of it, in a sentence. */
export const actAnswer = z.object({ status: z.string(), summary: z.string() });
