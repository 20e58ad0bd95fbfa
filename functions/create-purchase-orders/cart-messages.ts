/** The worker's own calls to SQS about its messages. The event source mapping makes all other calls. */
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import * as z from 'zod';
import type { Log } from '../../shared/log.ts';
import { readSignature, signatureAttribute, type SignedBody } from '../../shared/message-signature.ts';
import { type ReturnedMessage, setVisibility } from '../../shared/message-visibility.ts';
import { readWaiting, type Waiting, waitingAttributes } from './waiting.ts';

export interface QueueMessage extends SignedBody {
  readonly messageId: string;
  readonly receiptHandle: string;
  /** ApproximateReceiveCount: 1 for the first receive. */
  readonly attempt: number;
  readonly waiting: Waiting;
}

/** What a requeued copy keeps of its message. */
export type Requeueable = Pick<QueueMessage, 'body' | 'signature' | 'waiting'>;

export interface CartMessages {
  /** Sets when returned messages become visible again: one call for ten. */
  setVisibility(messages: readonly ReturnedMessage[], log: Log): Promise<void>;
  /**
   * Queues a copy as a new message, which has all its receives and remembers how long its cart has waited. It keeps its
   * signature: a new one would make a message valid that could not be checked.
   * @throws the SDK's error when it is not queued.
   */
  requeue(message: Requeueable, delaySeconds: number): Promise<void>;
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

const MESSAGE_COUNTS = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesDelayed',
  'ApproximateNumberOfMessagesNotVisible',
] as const;

export function createCartMessages(sqs: SQSClient, queueUrl: string, now: () => number): CartMessages {
  return {
    setVisibility: (messages, log) => setVisibility(messages, { sqs, queueUrl, log }),
    async requeue({ body, signature, waiting }, delaySeconds) {
      const MessageAttributes = {
        ...waitingAttributes(waiting, now()),
        ...(signature === undefined ? {} : signatureAttribute(signature)),
      };
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
        signature: readSignature(MessageAttributes),
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
