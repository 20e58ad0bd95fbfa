/** The only code that asks SQS: how many carts wait, and how long SQS can hide them. */
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';

/** SQS's counts are approximate. */
export interface WaitingCarts {
  readonly count: number;
  /** Can be received at this moment. The others are delayed until their next attempt, or in flight. */
  readonly visible: number;
  /** A received message without an answer is hidden for as long. */
  readonly visibilityTimeoutMs: number;
}

const number = z.coerce.number().int().nonnegative();
const attributes = z.object({
  ApproximateNumberOfMessages: number,
  ApproximateNumberOfMessagesDelayed: number,
  ApproximateNumberOfMessagesNotVisible: number,
  VisibilityTimeout: number,
});

export async function countWaitingCarts(sqs: SQSClient, queueUrl: string): Promise<WaitingCarts> {
  const AttributeNames = attributes.keyof().options;
  const answer = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames }));
  const counts = attributes.parse(answer.Attributes);
  const visible = counts.ApproximateNumberOfMessages;
  return {
    count: visible + counts.ApproximateNumberOfMessagesDelayed + counts.ApproximateNumberOfMessagesNotVisible,
    visible,
    visibilityTimeoutMs: counts.VisibilityTimeout * 1000,
  };
}
