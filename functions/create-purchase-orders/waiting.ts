/**
 * How long a cart has waited on the queue, over all its messages. Message attributes carry it from a message to its
 * requeued copy, so that the body stays the same byte for byte.
 */
import * as z from 'zod';
import { attributeText } from '../../shared/message-attribute.ts';

export interface Waiting {
  /** When SQS took this message. SQS keeps it for a fixed time from then. */
  readonly sentAtMs: number;
  /** When SQS took the first message of the cart. */
  readonly sinceMs: number;
  /** How often the cart was requeued since then. */
  readonly requeues: number;
}

/** Far more than SendMessage with its retries takes, far less than passes between a requeue and a redrive. */
const SAME_SEND_MS = 60_000;

const instant = z.iso.datetime().transform((text) => Date.parse(text));
const count = z
  .string()
  .regex(/^[1-9]\d{0,8}$/)
  .transform(Number);

const attributesOfCopy = z.object({
  waitingSince: attributeText.pipe(instant),
  requeues: attributeText.pipe(count),
  requeuedAt: attributeText.pipe(instant),
});

/** What `readWaiting` reads from the copy that is sent at `nowMs`. */
export const waitingAttributes = ({ sinceMs, requeues }: Pick<Waiting, 'sinceMs' | 'requeues'>, nowMs: number) => ({
  waitingSince: { DataType: 'String', StringValue: new Date(sinceMs).toISOString() },
  requeues: { DataType: 'Number', StringValue: String(requeues + 1) },
  requeuedAt: { DataType: 'String', StringValue: new Date(nowMs).toISOString() },
});

/**
 * Attributes that a worker did not write for this very message count as absent: the cart waits since SQS took the
 * message. A redriven dead letter keeps its attributes, but SQS takes it anew, long after `requeuedAt`. It waits since
 * its redrive: its old age would page for a cart that an operator has just sent on its way.
 * @param sentAtMs SQS's SentTimestamp.
 */
export function readWaiting(messageAttributes: unknown, sentAtMs: number): Waiting {
  const { data } = attributesOfCopy.safeParse(messageAttributes);
  const isOfThisMessage =
    data !== undefined && data.waitingSince <= sentAtMs && Math.abs(sentAtMs - data.requeuedAt) <= SAME_SEND_MS;
  const waited = isOfThisMessage
    ? { sinceMs: data.waitingSince, requeues: data.requeues }
    : { sinceMs: sentAtMs, requeues: 0 };
  return { sentAtMs, ...waited };
}
