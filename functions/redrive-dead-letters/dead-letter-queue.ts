/** The calls to SQS about the dead-letter queue. Nothing is ever sent to it: only SQS itself moves messages there. */
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type MessageAttributeValue,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { chunks } from '../../shared/lanes.ts';

/** A message that this run holds: no other reader receives it until its time ends or it is released. */
export interface HeldLetter {
  readonly messageId: string;
  readonly receiptHandle: string;
}

export interface DeadLetter extends HeldLetter {
  readonly body: string;
  /** As SQS gives them, to be sent again as they are. */
  readonly attributes: Readonly<Record<string, MessageAttributeValue>>;
  /** X-Ray's, which SQS keeps outside the message attributes. */
  readonly traceHeader: string | undefined;
  /** When its message was first queued: SQS deletes a dead letter 14 days after that. */
  readonly sentAtMs: number | undefined;
}

export interface DeadLetterQueue {
  /** Approximate numbers. `hidden`: held by a reader. */
  counts(): Promise<{ readonly visible: number; readonly hidden: number }>;
  /** Up to ten, hidden from all readers for so long. A long poll: none means that SQS has none that is visible. */
  receive(hideSeconds: number): Promise<readonly DeadLetter[]>;
  /** Returns the ids of those that SQS did not delete. */
  remove(letters: readonly HeldLetter[]): Promise<readonly string[]>;
  /** Makes them visible at once. Returns how many SQS did not release: those become visible when their time ends. */
  release(letters: readonly HeldLetter[]): Promise<number>;
}

const SQS_BATCH_ENTRIES = 10;
/** A long poll asks all of SQS's servers; a short one may miss messages. */
const LONG_POLL_SECONDS = 1;

export function createDeadLetterQueue(sqs: SQSClient, queueUrl: string): DeadLetterQueue {
  const queue = { QueueUrl: queueUrl };
  const entriesOf = (letters: readonly HeldLetter[]) =>
    letters.map(({ receiptHandle }, index) => ({ Id: String(index), ReceiptHandle: receiptHandle }));

  return {
    async counts() {
      const { Attributes = {} } = await sqs.send(
        new GetQueueAttributesCommand({
          ...queue,
          AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
        }),
      );
      return {
        visible: Number(Attributes.ApproximateNumberOfMessages ?? 0),
        hidden: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
      };
    },
    async receive(hideSeconds) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          ...queue,
          MaxNumberOfMessages: SQS_BATCH_ENTRIES,
          VisibilityTimeout: hideSeconds,
          WaitTimeSeconds: LONG_POLL_SECONDS,
          MessageSystemAttributeNames: ['SentTimestamp', 'AWSTraceHeader'],
          MessageAttributeNames: ['All'],
        }),
      );
      return Messages.map(({ MessageId = '', ReceiptHandle = '', Body = '', Attributes, MessageAttributes = {} }) => ({
        messageId: MessageId,
        receiptHandle: ReceiptHandle,
        body: Body,
        attributes: MessageAttributes,
        traceHeader: Attributes?.AWSTraceHeader,
        sentAtMs: Attributes?.SentTimestamp === undefined ? undefined : Number(Attributes.SentTimestamp),
      }));
    },
    async remove(letters) {
      const failed = chunks(letters, SQS_BATCH_ENTRIES).map(async (some) => {
        const { Successful = [] } = await sqs.send(
          new DeleteMessageBatchCommand({ ...queue, Entries: entriesOf(some) }),
        );
        // What SQS does not confirm is not deleted, whether it lists it as failed or not at all.
        const confirmed = new Set(Successful.map(({ Id }) => Id));
        return some.filter((_, index) => !confirmed.has(String(index))).map(({ messageId }) => messageId);
      });
      return (await Promise.all(failed)).flat();
    },
    async release(letters) {
      const left = chunks(letters, SQS_BATCH_ENTRIES).map(async (some) => {
        const Entries = entriesOf(some).map((entry) => ({ ...entry, VisibilityTimeout: 0 }));
        const { Failed = [] } = await sqs.send(new ChangeMessageVisibilityBatchCommand({ ...queue, Entries }));
        return Failed.length;
      });
      return (await Promise.all(left)).reduce((sum, count) => sum + count, 0);
    },
  };
}
