/** Wiring only: environment -> adapters -> handler. */
import { randomUUID } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Context, SQSBatchResponse } from 'aws-lambda';
import * as z from 'zod';
import { AWS_CLIENT_SETTINGS } from '../../shared/aws-client-settings.ts';
import { measureCalls } from '../../shared/call-metrics.ts';
import { numberWriterVariables, parseVariables } from '../../shared/environment.ts';
import { tryParseJson } from '../../shared/exact-json.ts';
import { createLambdaHandler } from '../../shared/lambda-handler.ts';
import { type CartKey, cartPartition } from '../../shared/ledger-keys.ts';
import { createLedgerTable } from '../../shared/ledger-table.ts';
import { createLog, createMeter, createMetrics } from '../../shared/log.ts';
import { setVisibility } from '../../shared/message-visibility.ts';
import { createSrmClient } from '../../shared/srm-client.ts';
import { withTraceparent } from '../../shared/traceparent.ts';
import { tracesOf } from '../../shared/traces.ts';
import { createNumberRecord, readNumberRecord } from './number-record.ts';
import { createSrmNumbers } from './srm-numbers.ts';
import { type NumberMessage, writeOrderNumbers } from './write-order-numbers.ts';

const sqsEvent = z.object({
  Records: z.array(
    z.object({
      messageId: z.string().min(1),
      receiptHandle: z.string().min(1),
      body: z.string(),
      attributes: z.object({ ApproximateReceiveCount: z.coerce.number().int().min(1) }),
    }),
  ),
});
type SqsRecord = z.infer<typeof sqsEvent>['Records'][number];

/** What is needed of an order's event: one that another version of this interface has queued may hold more. */
const orderEvent = z.object({ data: z.object({ sapClient: z.string().min(1), cartNumber: z.string().min(1) }) });

/** A token, its cookies, the write, and once again with new ones. */
const CALLS_OF_A_CART = 4;
const RESERVE_MS = 5000;

export function createHandler(
  variables: Readonly<Record<string, string | undefined>>,
  { now = Date.now }: { readonly now?: () => number } = {},
) {
  const environment = parseVariables(numberWriterVariables, variables);
  const logger = new Logger();
  const metrics = createMetrics(environment.INTERFACE_ENVIRONMENT);
  const log = createLog(logger);
  const table = createLedgerTable(new DynamoDBClient(AWS_CLIENT_SETTINGS), environment.TABLE_NAME);
  const sqs = new SQSClient(AWS_CLIENT_SETTINGS);
  const secrets = new SecretsManagerClient(AWS_CLIENT_SETTINGS);
  const srmClient = createSrmClient(environment, secrets, now, measureCalls('SRM', createMeter(metrics), log));
  const http = withTraceparent(srmClient, variables);
  const srm = createSrmNumbers(
    {
      servicePath: environment.SRM_SERVICE_PATH,
      client: environment.SRM_CLIENT,
      language: environment.SRM_LANGUAGE,
      path: environment.NUMBERS_PATH,
      method: environment.NUMBERS_METHOD,
      property: environment.NUMBERS_PROPERTY,
    },
    { http, now },
  );

  async function handle(event: unknown, context: Context): Promise<SQSBatchResponse> {
    const { Records } = sqsEvent.parse(event);
    const reserveMs = CALLS_OF_A_CART * environment.SRM_TIMEOUT_MS + RESERVE_MS;
    const returned = await writeOrderNumbers(Records.map(readMessage), {
      srm,
      tracesOf: async (cart: CartKey) => tracesOf(await table.queryItems(cartPartition(cart), '')),
      recorded: (cart: CartKey) => readNumberRecord(table, cart),
      record: createNumberRecord(table),
      log,
      now,
      newId: randomUUID,
      timeLeft: () => context.getRemainingTimeInMillis() > reserveMs,
    });
    await setVisibility(returned, { sqs, queueUrl: environment.QUEUE_URL, log });
    return { batchItemFailures: returned.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  }

  return createLambdaHandler(logger, metrics, handle);
}

function readMessage({ messageId, receiptHandle, body, attributes }: SqsRecord): NumberMessage {
  const { data } = orderEvent.safeParse(tryParseJson(body));
  const cart = data === undefined ? undefined : { client: data.data.sapClient, number: data.data.cartNumber };
  return { messageId, receiptHandle, receive: attributes.ApproximateReceiveCount, cart };
}
