/**
 * The same task with the batch and idempotency utilities of Powertools, as their documentation shows it: a cart's order is
 * posted once by its externalId, and a failed message goes back to the queue on its own.
 */
import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { type BareOrder, orderOf, postOrder } from './bare-calls.ts';

const { TABLE_NAME: tableName = '' } = process.env;
const config = new IdempotencyConfig({ eventKeyJmesPath: 'externalId' });
const createOnce = makeIdempotent(async (order: BareOrder) => ({ answer: await postOrder(order) }), {
  persistenceStore: new DynamoDBPersistenceLayer({ tableName, keyAttr: 'pk', sortKeyAttr: 'sk' }),
  config,
});
const processor = new BatchProcessor(EventType.SQS);

const create = async ({ body }: SQSRecord): Promise<void> => {
  await createOnce(orderOf(body));
};

export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  config.registerLambdaContext(context);
  return processPartialResponse(event, create, processor, { context, throwOnFullBatchFailure: false });
}
