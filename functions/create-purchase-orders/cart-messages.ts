/** The channel's far end: what the worker itself tells SQS of its messages. All else the event source mapping does. */
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { errorFields, type Log } from '../../shared/log.ts';

export interface QueueMessage {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  /** ApproximateReceiveCount: 1 for the first receive. */
  readonly attempt: number;
}

export interface ReturnedMessage {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly visibleAfterSeconds: number;
}

export interface CartMessages {
  /** Sets when messages that were not dealt with are seen again: one call for a batch of at most 10. */
  setVisibility(messages: readonly ReturnedMessage[], log: Log): Promise<void>;
  /** The same body as a new message, with all its receives before it. @throws the SDK's error: it is not queued then. */
  requeue(body: string, delaySeconds: number): Promise<void>;
  /** One message, or undefined where none is to be seen. */
  receiveOne(): Promise<QueueMessage | undefined>;
  /** Whether nothing lies on the queue at all, be it under a delay or in flight: as far as SQS knows. */
  isEmpty(): Promise<boolean>;
  remove(message: QueueMessage): Promise<void>;
}

const receivedMessage = z.object({
  MessageId: z.string(),
  ReceiptHandle: z.string(),
  Body: z.string(),
  Attributes: z.object({ ApproximateReceiveCount: z.coerce.number().int().min(1) }),
});

const MESSAGE_COUNTS = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesDelayed',
  'ApproximateNumberOfMessagesNotVisible',
] as const;

export function createCartMessages(sqs: SQSClient, queueUrl: string): CartMessages {
  return {
    async setVisibility(messages, log) {
      if (messages.length === 0) return;
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
        // Nothing is lost: the messages are seen again after the queue's own visibility timeout, only later than they
        // should. Failing here instead would return the whole batch, with the carts that are done.
        log.warn('message.visibility-not-set', errorFields(error));
      }
    },
    async requeue(body, delaySeconds) {
      await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body, DelaySeconds: delaySeconds }));
    },
    async receiveOne() {
      const { Messages: [message] = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: 1,
          // Asks all of SQS's servers: a short poll may miss the only message.
          WaitTimeSeconds: 1,
          MessageSystemAttributeNames: ['ApproximateReceiveCount'],
        }),
      );
      if (message === undefined) return undefined;
      const { MessageId, ReceiptHandle, Body, Attributes } = receivedMessage.parse(message);
      const attempt = Attributes.ApproximateReceiveCount;
      return { messageId: MessageId, receiptHandle: ReceiptHandle, body: Body, attempt };
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
