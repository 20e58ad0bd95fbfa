/** The stream of the embedded table, which has none: each write is one record of it, made from the item before and after. */
import { GetItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import { type StreamRecord, streamRecord } from '../simulators/eventbridge/pipe.ts';
import type { Interceptor, RecordedCall } from './recording-proxy.ts';

const key = z.looseObject({ pk: z.object({ S: z.string() }), sk: z.object({ S: z.string() }) });
const update = z.object({ TableName: z.string(), Key: key });
const put = z.object({ TableName: z.string(), Item: key });
const batch = z.object({
  RequestItems: z.record(z.string(), z.array(z.object({ PutRequest: z.object({ Item: key }) }))),
});

/** The keys of the items that a call writes. */
function writtenKeys({
  operation,
  body,
}: RecordedCall): { readonly table: string; readonly key: z.infer<typeof key> }[] {
  const request: unknown = body === '' ? {} : JSON.parse(body);
  if (operation === 'UpdateItem') {
    const { TableName: table, Key } = update.parse(request);
    return [{ table, key: Key }];
  }
  if (operation === 'PutItem') {
    const { TableName: table, Item } = put.parse(request);
    return [{ table, key: Item }];
  }
  if (operation !== 'BatchWriteItem') return [];
  return Object.entries(batch.parse(request).RequestItems).flatMap(([table, requests]) =>
    requests.map(({ PutRequest }) => ({ table, key: PutRequest.Item })),
  );
}

export interface TableStream {
  readonly records: readonly StreamRecord[];
  /** Between the worker and the table. */
  readonly intercept: Interceptor;
}

/** One write after another, so that what is read before and after it is of that write. */
export function createTableStream(dynamodb: DynamoDBClient): TableStream {
  const records: StreamRecord[] = [];
  let last: Promise<unknown> = Promise.resolve();
  const read = async (table: string, { pk, sk }: z.infer<typeof key>) =>
    (await dynamodb.send(new GetItemCommand({ TableName: table, Key: { pk, sk }, ConsistentRead: true }))).Item;

  return {
    records,
    intercept(call, forward) {
      const keys = writtenKeys(call);
      if (keys.length === 0) return forward();
      const written = last.then(async () => {
        const before = await Promise.all(keys.map((one) => read(one.table, one.key)));
        const reply = await forward();
        const after = await Promise.all(keys.map((one) => read(one.table, one.key)));
        records.push(...keys.flatMap((_key, index) => streamRecord(before[index], after[index]) ?? []));
        return reply;
      });
      last = written.catch(() => undefined);
      return written;
    },
  };
}
