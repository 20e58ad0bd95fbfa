/** Sends dead letters back to the cart queue, as they are. */
import { type MessageAttributeValue, SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { DeadLetter } from './dead-letter-queue.ts';

export interface SentLetters {
  /** The ids of the new messages, by the ids of the dead letters. */
  readonly sent: ReadonlyMap<string, string>;
  /** SQS's codes, by the ids of the dead letters that it did not take. */
  readonly refused: ReadonlyMap<string, string>;
}

export interface CartSender {
  /** At most one batch of SQS. @throws the SDK's error where it is not known what SQS took. */
  send(letters: readonly DeadLetter[]): Promise<SentLetters>;
}

export function createCartSender(sqs: SQSClient, queueUrl: string): CartSender {
  return {
    async send(letters) {
      const Entries = letters.map(({ body, attributes, traceHeader }, index) => ({
        Id: String(index),
        MessageBody: body,
        ...(Object.keys(attributes).length === 0 ? {} : { MessageAttributes: mapValues(attributes, withoutLists) }),
        ...(traceHeader === undefined
          ? {}
          : { MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: traceHeader } } }),
      }));
      const { Successful = [], Failed = [] } = await sqs.send(
        new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }),
      );
      const oldId = (index: string | undefined): string => letters[Number(index)]?.messageId ?? '';
      const sent = new Map(Successful.map(({ Id, MessageId = '' }) => [oldId(Id), MessageId]));
      const codes = new Map(Failed.map(({ Id, Code = 'unknown' }) => [oldId(Id), Code]));
      const refused = letters.map(({ messageId }) => messageId).filter((messageId) => !sent.has(messageId));
      return { sent, refused: new Map(refused.map((id) => [id, codes.get(id) ?? 'not confirmed'])) };
    },
  };
}

/** SQS gives empty lists with each attribute, and takes none. */
const withoutLists = ({ DataType, StringValue, BinaryValue }: MessageAttributeValue): MessageAttributeValue => ({
  DataType,
  ...(StringValue === undefined ? {} : { StringValue }),
  ...(BinaryValue === undefined ? {} : { BinaryValue }),
});

const mapValues = <Value>(values: Readonly<Record<string, Value>>, change: (value: Value) => Value) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
