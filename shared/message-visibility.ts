/** When messages that are not done become visible again. */
import { ChangeMessageVisibilityBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { chunks } from './lanes.ts';
import { errorFields, type Log } from './log.ts';

/** A message that is not done, and when SQS may deliver it again. */
export interface ReturnedMessage {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly visibleAfterSeconds: number;
}

/** The most entries of a batch call of SQS. */
const SQS_BATCH_ENTRIES = 10;

/** One call for ten messages. It comes last: the times survive the return of the function. */
export async function setVisibility(
  messages: readonly ReturnedMessage[],
  { sqs, queueUrl, log }: { readonly sqs: SQSClient; readonly queueUrl: string; readonly log: Log },
): Promise<void> {
  const setOfSome = async (some: readonly ReturnedMessage[]): Promise<void> => {
    const Entries = some.map(({ receiptHandle, visibleAfterSeconds }, index) => ({
      Id: String(index),
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: visibleAfterSeconds,
    }));
    try {
      const command = new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries });
      const { Failed = [] } = await sqs.send(command);
      if (Failed.length === 0) return;
      const codes = Failed.map(({ Code }) => Code ?? 'unknown');
      log.warn('message.visibility-not-set', { codes });
    } catch (error) {
      // Nothing is lost: the messages become visible after the queue's own visibility timeout, only later. An error
      // thrown here would return the whole batch, with the messages that are done.
      log.warn('message.visibility-not-set', errorFields(error));
    }
  };
  await Promise.all(chunks(messages, SQS_BATCH_ENTRIES).map(setOfSome));
}
