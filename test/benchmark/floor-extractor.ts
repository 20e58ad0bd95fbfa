/**
 * The floor of the extractor: a bare handler that makes the same calls. It takes the watermark, and for each page it asks for
 * the versions that are queued, sends the messages ten batches at once, records the versions, moves the watermark, and
 * fetches the next page meanwhile.
 */
import {
  type AttributeValue,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DynamoDBClient,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { chunks } from '../../shared/lanes.ts';
import { call } from './bare-calls.ts';

const sqs = new SQSClient({});
const dynamodb = new DynamoDBClient({});
const { SRM_BASE_URL: baseUrl = '', SRM_TOKEN_URL: tokenUrl = '', QUEUE_URL: QueueUrl, TABLE_NAME = '' } = process.env;

interface Row {
  readonly ObjectId: string;
  readonly Guid: string;
  readonly ChangedAt: string;
}
interface Page {
  readonly d: { readonly results: readonly Row[]; readonly __next?: string };
}

// oxlint-disable-next-line no-unsafe-type-assertion -- the floor trusts everything
const read = async (url: string): Promise<Page> => JSON.parse(await call('GET', url)) as Page;

const keyOf = ({ ObjectId, ChangedAt }: Row): Record<string, AttributeValue> => ({
  pk: { S: `CART#100#${ObjectId}` },
  sk: { S: `QUEUED#${ChangedAt}` },
});

const WATERMARK = { pk: { S: 'WATERMARK#100' }, sk: { S: 'WATERMARK' } };

async function moveWatermark(): Promise<void> {
  await dynamodb.send(
    new UpdateItemCommand({
      TableName: TABLE_NAME,
      Key: WATERMARK,
      UpdateExpression: 'SET leaseUntilMs = :until, positionMs = :value',
      ConditionExpression: 'attribute_not_exists(positionMs) OR positionMs <= :value',
      ExpressionAttributeValues: { ':until': { N: '1795185190000' }, ':value': { N: '1795185125000' } },
      ReturnValues: 'ALL_NEW',
    }),
  );
}

async function queue({ d: { results: rows } }: Page): Promise<void> {
  const asked = { [TABLE_NAME]: { Keys: rows.map(keyOf), ProjectionExpression: 'pk, sk' } };
  await dynamodb.send(new BatchGetItemCommand({ RequestItems: asked }));
  await Promise.all(
    chunks(rows, 10).map((some) => {
      const Entries = some.map((source, index) => ({ Id: String(index), MessageBody: bodyOf(source) }));
      return sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    }),
  );
  await Promise.all(
    chunks(rows, 25).map((some) => {
      const recorded = some.map((row) => ({ PutRequest: { Item: { ...keyOf(row), ...factsOf(row) } } }));
      return dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [TABLE_NAME]: recorded } }));
    }),
  );
  await moveWatermark();
}

const RUN_ID = '00000000-0000-4000-8000-000000000000';

const bodyOf = (source: Row): string =>
  JSON.stringify({
    schemaVersion: 1,
    runId: RUN_ID,
    correlationId: `${RUN_ID}/${source.ObjectId}`,
    client: '100',
    cart: { number: source.ObjectId, guid: source.Guid },
    source,
  });

const factsOf = ({ Guid }: Row): Record<string, AttributeValue> => ({
  runId: { S: RUN_ID },
  queuedAtMs: { N: '1795185125000' },
  expiresAt: { N: '1795185125' },
  changedAtMs: { N: '1795185125000' },
  guid: { S: Guid },
});

export async function handler(): Promise<object> {
  let cartsQueued = 0;
  await call('POST', tokenUrl, 'grant_type=client_credentials');
  await moveWatermark();
  let next: Promise<Page> | undefined = read(`${baseUrl}/ShoppingCartSet`);
  while (next !== undefined) {
    const page: Page = await next;
    // oxlint-disable-next-line no-underscore-dangle -- a name of OData
    next = page.d.__next === undefined ? undefined : read(page.d.__next);
    await queue(page);
    cartsQueued += page.d.results.length;
  }
  await moveWatermark();
  await moveWatermark();
  return { status: 'complete', cartsQueued };
}
