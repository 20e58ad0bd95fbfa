/** Lambda's event for SQS messages, and its reading of the function's response. */
import type { Message } from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';

/** Lambda's limit for an event. A larger batch is split over several invocations. */
const MAX_EVENT_BYTES = 6 * 1024 * 1024;

/** The ids of failed messages. `wholeBatchReason` says why all failed although the function succeeded. */
export interface BatchFailures {
  readonly failed: ReadonlySet<string>;
  readonly wholeBatchReason: string | undefined;
}

/**
 * Reads a partial batch response as Lambda documents it. An empty response, or one without a list, is a complete
 * success. A response of another shape, or an item with an unknown id, is a complete failure.
 */
export function batchItemFailures(response: unknown, messageIds: readonly string[]): BatchFailures {
  const all = (wholeBatchReason: string): BatchFailures => ({ failed: new Set(messageIds), wholeBatchReason });
  if (response === null || response === undefined) return { failed: new Set(), wholeBatchReason: undefined };
  if (typeof response !== 'object' || Array.isArray(response)) return all('the response is not an object');
  const items: unknown = Reflect.get(response, 'batchItemFailures') ?? [];
  if (!Array.isArray(items)) return all('batchItemFailures is not a list');
  const failed = new Set<string>();
  for (const item of items) {
    const id: unknown = Reflect.get(Object(item), 'itemIdentifier');
    if (typeof id !== 'string' || id === '') return all('an item of batchItemFailures has no itemIdentifier');
    if (!messageIds.includes(id)) return all(`itemIdentifier "${id}" is not a message of this batch`);
    failed.add(id);
  }
  return { failed, wholeBatchReason: undefined };
}

/** A received message in the form of Lambda's event: other names, other case, binary values in base64. */
export function messageToRecord(message: Message, queueArn: string, region: string): SQSRecord {
  const {
    MessageAttributes: attributes = {},
    MD5OfMessageAttributes: md5OfMessageAttributes,
    Attributes: system = {},
  } = message;
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes: {
      ...system,
      ApproximateReceiveCount: system.ApproximateReceiveCount ?? '',
      SentTimestamp: system.SentTimestamp ?? '',
      SenderId: system.SenderId ?? '',
      ApproximateFirstReceiveTimestamp: system.ApproximateFirstReceiveTimestamp ?? '',
    },
    messageAttributes: Object.fromEntries(
      Object.entries(attributes).map(([name, { DataType = 'String', StringValue, BinaryValue }]) => [
        name,
        {
          ...(StringValue === undefined ? {} : { stringValue: StringValue }),
          ...(BinaryValue === undefined ? {} : { binaryValue: Buffer.from(BinaryValue).toString('base64') }),
          stringListValues: [],
          binaryListValues: [],
          dataType: DataType,
        },
      ]),
    ),
    md5OfBody: message.MD5OfBody ?? '',
    ...(md5OfMessageAttributes === undefined ? {} : { md5OfMessageAttributes }),
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: region,
  };
}

/** Splits a batch into parts that fit into one event each. */
export function splitByPayload(records: readonly SQSRecord[]): SQSRecord[][] {
  const parts: SQSRecord[][] = [];
  let bytes = 0;
  for (const record of records) {
    const size = Buffer.byteLength(JSON.stringify(record));
    const part = parts.at(-1);
    if (part !== undefined && bytes + size <= MAX_EVENT_BYTES) {
      part.push(record);
      bytes += size;
    } else {
      parts.push([record]);
      bytes = size;
    }
  }
  return parts;
}
