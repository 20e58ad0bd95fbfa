/** When messages that were not dealt with are seen again. */
import { ChangeMessageVisibilityBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Log } from '../../shared/log.ts';

export interface ReturnedMessage {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly visibleAfterSeconds: number;
}

/** One call for the batch, of at most 10. */
export async function returnMessages(
  sqs: SQSClient,
  queueUrl: string,
  messages: readonly ReturnedMessage[],
  log: Log,
): Promise<void> {
  if (messages.length === 0) return;
  const Entries = messages.map(({ receiptHandle, visibleAfterSeconds }, index) => ({
    Id: String(index),
    ReceiptHandle: receiptHandle,
    VisibilityTimeout: visibleAfterSeconds,
  }));
  try {
    const { Failed = [] } = await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }));
    if (Failed.length === 0) return;
    log.warn('Some messages keep the visibility of the queue', { codes: Failed.map(({ Code }) => Code ?? 'unknown') });
  } catch (error) {
    // Nothing is lost: the messages are seen again after the queue's own visibility timeout, only later than they
    // should. Failing here instead would return the whole batch, with the carts that are done.
    log.warn('The messages keep the visibility of the queue', {
      errorName: error instanceof Error ? error.name : 'unknown',
    });
  }
}
