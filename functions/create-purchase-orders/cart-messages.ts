/** The worker's own calls to SQS about its messages. The event source mapping makes all other calls. */
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { chunks } from '../../shared/lanes.ts';
import { errorFields, type Log } from '../../shared/log.ts';
import { readWaiting, type Waiting, waitingAttributes } from './waiting.ts';

export interface QueueMessage {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  /** ApproximateReceiveCount: 1 for the first receive. */
  readonly attempt: number;
  readonly waiting: Waiting;
}

export interface ReturnedMessage {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly visibleAfterSeconds: number;
}

export interface CartMessages {
  /** Sets when returned messages become visible again: one call for ten. */
  setVisibility(messages: readonly ReturnedMessage[], log: Log): Promise<void>;
  /**
   * Queues a copy as a new message, which has all its receives and remembers how long its cart has waited.
   * @throws the SDK's error when it is not queued.
   */
  requeue(message: Pick<QueueMessage, 'body' | 'waiting'>, delaySeconds: number): Promise<void>;
  /** One message; undefined when none is visible. */
  receiveOne(): Promise<QueueMessage | undefined>;
  /** Whether the queue holds no message, also none that is delayed or in flight. SQS's counts are approximate. */
  isEmpty(): Promise<boolean>;
  remove(message: QueueMessage): Promise<void>;
}

/** The attributes that SQS itself gives to a received message. */
export const systemAttributes = z.object({
  ApproximateReceiveCount: z.coerce.number().int().min(1),
  SentTimestamp: z.coerce.number().int().positive().optional().catch(undefined),
});

const receivedMessage = z.object({
  MessageId: z.string(),
  ReceiptHandle: z.string(),
  Body: z.string(),
  Attributes: systemAttributes,
  MessageAttributes: z.unknown().optional(),
});

/** The most entries of a batch call of SQS. */
const SQS_BATCH_ENTRIES = 10;

const MESSAGE_COUNTS = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesDelayed',
  'ApproximateNumberOfMessagesNotVisible',
] as const;

export function createCartMessages(sqs: SQSClient, queueUrl: string, now: () => number): CartMessages {
  async function setVisibilityOfSome(messages: readonly ReturnedMessage[], log: Log): Promise<void> {
    const Entries = messages.map(({ receiptHandle, visibleAfterSeconds }, index) => ({
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
      // thrown here would return the whole batch, with the carts that are done.
      log.warn('message.visibility-not-set', errorFields(error));
    }
  }

  return {
    async setVisibility(messages, log) {
      await Promise.all(chunks(messages, SQS_BATCH_ENTRIES).map((some) => setVisibilityOfSome(some, log)));
    },
    async requeue({ body, waiting }, delaySeconds) {
      const MessageAttributes = waitingAttributes(waiting, now());
      const copy = { MessageBody: body, MessageAttributes, DelaySeconds: delaySeconds };
      await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, ...copy }));
    },
    async receiveOne() {
      const { Messages: [message] = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: 1,
          // A long poll asks all of SQS's servers; a short one may miss the only message.
          WaitTimeSeconds: 1,
          MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
          MessageAttributeNames: ['All'],
        }),
      );
      if (message === undefined) return undefined;
      const { MessageId, ReceiptHandle, Body, Attributes, MessageAttributes } = receivedMessage.parse(message);
      return {
        messageId: MessageId,
        receiptHandle: ReceiptHandle,
        body: Body,
        attempt: Attributes.ApproximateReceiveCount,
        waiting: readWaiting(MessageAttributes, Attributes.SentTimestamp ?? now()),
      };
    },
    async isEmpty() {
      const { Attributes = {} } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...MESSAGE_COUNTS] }),
      );
      return MESSAGE_COUNTS.every((name) => Attributes[name] === '0');
    },
    async remove({ receiptHandle }) {
      await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: receiptHandle }));
    },
  };
}
