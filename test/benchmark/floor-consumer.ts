/**
 * The floor of the worker: a bare handler that makes the same calls. For a batch, it reads whether consumption is paused; for
 * each of its carts at once, it claims the order in the table, posts it and records it.
 */
import {
  DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { CLAIM_EXPRESSIONS } from '../../shared/ledger.ts';
import { orderOf, postOrder } from './bare-calls.ts';

const dynamodb = new DynamoDBClient({});
const { TABLE_NAME: TableName = '' } = process.env;

type Write = Omit<UpdateItemCommandInput, 'TableName' | 'Key'>;

/** As long as the ledger's own: the size of a call counts, too. */
const CLAIM: Write = {
  ...CLAIM_EXPRESSIONS,
  ExpressionAttributeNames: { '#state': 'state' },
  ExpressionAttributeValues: {
    ':posting': { S: 'POSTING' },
    ':new': { S: 'NEW' },
    ':unknown': { S: 'UNKNOWN' },
    ':rejected': { S: 'REJECTED' },
    ':hash': { S: 'f'.repeat(64) },
    ':hashes': { SS: ['f'.repeat(64)] },
    ':changed': { N: '1795185125000' },
    ':message': { S: 'benchmark' },
    ':receive': { N: '1' },
    ':orders': { N: '1' },
    ':attempt': { S: '00000000-0000-4000-8000-000000000000' },
    ':lease': { N: '1795185190000' },
    ':now': { N: '1795185125000' },
    ':true': { BOOL: true },
    ':false': { BOOL: false },
    ':none': { L: [] },
    ':one': { N: '1' },
  },
  ReturnValues: 'ALL_NEW',
  ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
};
const RECORDED = {
  state: { S: 'CREATED' },
  orderId: { S: 'benchmark' },
  orderNumber: { S: 'benchmark' },
  faults: { L: [] },
  createdAtMs: { N: '1795185125000' },
  listedAs: { S: 'CREATED#2026-11-29' },
  listedAtMs: { N: '1795185125000' },
};
const recordedNames = Object.keys(RECORDED);
const RECORD: Write = {
  UpdateExpression: `SET ${recordedNames.map((name) => `#${name} = :${name}`).join(', ')}`,
  ConditionExpression: 'attemptId = :attempt AND (#state = :posting OR #state = :state)',
  ExpressionAttributeNames: Object.fromEntries(recordedNames.map((name) => [`#${name}`, name])),
  ExpressionAttributeValues: {
    ':attempt': { S: '00000000-0000-4000-8000-000000000000' },
    ':posting': { S: 'POSTING' },
    ...Object.fromEntries(Object.entries(RECORDED).map(([name, value]) => [`:${name}`, value])),
  },
};

async function write(key: string, update: Write): Promise<void> {
  await dynamodb.send(new UpdateItemCommand({ TableName, Key: { pk: { S: key }, sk: { S: key } }, ...update }));
}

async function create(message: string): Promise<void> {
  const order = orderOf(message);
  await write(order.externalId, CLAIM);
  await postOrder(order);
  await write(order.externalId, RECORD);
}

export async function handler(event: { Records: readonly { body: string }[] }): Promise<object> {
  const Key = { pk: { S: 'BREAKER#11VMS' }, sk: { S: 'BREAKER' } };
  await dynamodb.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
  await Promise.all(event.Records.map(({ body }) => create(body)));
  return { batchItemFailures: [] };
}
