/**
 * What the supervisor's tests share: its real handler, an embedded DynamoDB, and a Lambda API that records its calls.
 */
import {
  CreateTableCommand,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { CreateQueueCommand, PurgeQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { createHandler } from '../../../functions/supervise-consumption/handler.ts';
import { LOCAL_CREDENTIALS } from '../../../infra/local/aws/aws-clients.ts';
import { type Emulators, startEmulators } from '../../../infra/local/aws/emulators.ts';
import type { BreakerItem, TrialResult } from '../../../shared/circuit-breaker.ts';
import { asJsonObject, tryParseJson } from '../../../shared/exact-json.ts';
import { createLedgerTable } from '../../../shared/ledger-table.ts';
import { type Operation, operationsOfMonth } from '../../../shared/operations-of-month.ts';
import { startLedgerOf } from '../ledger-of.ts';
import { startRecordingProxy, type Reply, type RecordingProxy, type RecordedCall } from '../recording-proxy.ts';
import { lambdaContext } from '../fixture.ts';

const TABLE = 'ledger';
const KEY = marshall({ pk: 'BREAKER#11VMS', sk: 'BREAKER' });

type StoredItem = Partial<BreakerItem> & { heldBy?: string; heldUntilMs?: number };

export interface SupervisorFixture {
  /** Everything that the supervisor calls of DynamoDB and of Lambda, in order. */
  readonly calls: string[];
  readonly proxies: {
    readonly dynamodb: RecordingProxy;
    readonly lambda: RecordingProxy;
    readonly sqs: RecordingProxy;
  };
  /** The event source mapping, with its state as Lambda reports it. */
  mapping: { state: string };
  /** What the worker answers to a trial. */
  trial: () => Promise<TrialResult> | TrialResult;
  /** Ends all disturbances; the mapping is enabled, the breaker closed, 11VMS healthy. */
  reset(): Promise<void>;
  run(event?: unknown): Promise<unknown>;
  item(): Promise<StoredItem>;
  /** The acts by hand of this month. */
  operations(): Promise<readonly Operation[]>;
  put(item: StoredItem): Promise<void>;
  /** As if an hour had passed: trials are due, and every hold on the breaker has ended. */
  letTimePass(): Promise<void>;
  /** Queues carts, which can be received after the delay. */
  queue(count: number, delaySeconds?: number): Promise<void>;
  /** Moves the supervisor's clock, as after an hour in a frozen execution environment. */
  skipHour(): void;
  /** What a call does that is not disturbed. */
  serve(call: RecordedCall): Promise<Reply>;
  takeOutput(): string;
  close(): Promise<void>;
}

const json = (status: number, body: unknown, headers: Record<string, string> = {}): Reply => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

/** An error of the Lambda API. */
export const lambdaError = (status: number, type: string): Reply =>
  json(status, { Type: 'User', Message: 'so it is' }, { 'x-amzn-errortype': type });

/** The supervisor's calls in short: `PutMapping false`, `UpdateItem`, `Invoke`. */
function nameOf(call: RecordedCall): string {
  if (call.operation !== '') return call.operation;
  if (call.path.includes('/functions/')) return 'Invoke';
  return call.method === 'GET'
    ? 'GetMapping'
    : `PutMapping ${String(asJsonObject(tryParseJson(call.body))?.['Enabled'])}`;
}

export async function openSupervisorFixture(): Promise<SupervisorFixture> {
  const emulators: Emulators = await startEmulators();
  const [dynamodb, lambda, sqs] = await Promise.all([
    startLedgerOf('Supervisor', emulators.endpoints.dynamodb),
    startRecordingProxy('http://127.0.0.1:9'),
    startRecordingProxy(emulators.endpoints.sqs),
  ]);
  Object.assign(process.env, {
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb.url,
    AWS_ENDPOINT_URL_LAMBDA: lambda.url,
    AWS_ENDPOINT_URL_SQS: sqs.url,
    POWERTOOLS_SERVICE_NAME: 'test',
    POWERTOOLS_METRICS_NAMESPACE: 'test',
    POWERTOOLS_LOG_LEVEL: 'INFO',
  });
  const client = new DynamoDBClient({
    region: 'eu-west-1',
    credentials: LOCAL_CREDENTIALS,
    endpoint: emulators.endpoints.dynamodb,
  });
  const attribute = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' as const });
  await client.send(
    new CreateTableCommand({
      TableName: TABLE,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [attribute('pk'), attribute('sk')],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  );
  const queues = new SQSClient({
    region: 'eu-west-1',
    credentials: LOCAL_CREDENTIALS,
    endpoint: emulators.endpoints.sqs,
  });
  const { QueueUrl = '' } = await queues.send(new CreateQueueCommand({ QueueName: 'carts' }));
  let skippedMs = 0;
  const variables = {
    INTERFACE_ENVIRONMENT: 'test',
    TABLE_NAME: TABLE,
    POWERTOOLS_SERVICE_NAME: 'test',
    POWERTOOLS_METRICS_NAMESPACE: 'test',
    POWERTOOLS_LOG_LEVEL: 'INFO',
    QUEUE_URL: new URL(new URL(QueueUrl).pathname, sqs.url).href,
    EVENT_SOURCE_MAPPING: 'the-mapping',
    WORKER_FUNCTION: 'the-worker',
    WORKER_TIMEOUT_SECONDS: '60',
    RETRY_BASE_SECONDS: '30',
  };
  const handler = createHandler(variables, { now: () => Date.now() + skippedMs });
  const output = captureOutput();

  const fixture: SupervisorFixture = {
    calls: [],
    proxies: { dynamodb, lambda, sqs },
    mapping: { state: 'Enabled' },
    trial: () => ({ healthy: true }),
    async reset() {
      fixture.calls.length = 0;
      skippedMs = 0;
      fixture.mapping = { state: 'Enabled' };
      fixture.trial = () => ({ healthy: true });
      dynamodb.intercept((call, forward) => {
        fixture.calls.push(nameOf(call));
        return forward();
      });
      lambda.intercept((call) => fixture.serve(call));
      sqs.intercept((_call, forward) => forward());
      await queues.send(new PurgeQueueCommand({ QueueUrl }));
      await client.send(new DeleteItemCommand({ TableName: TABLE, Key: KEY }));
      output.take();
    },
    async serve(call) {
      fixture.calls.push(nameOf(call));
      if (call.path.includes('/functions/the-worker/')) return json(200, await fixture.trial());
      if (!call.path.includes('/event-source-mappings/the-mapping'))
        return lambdaError(404, 'ResourceNotFoundException');
      if (call.method === 'PUT') {
        fixture.mapping.state = asJsonObject(tryParseJson(call.body))?.['Enabled'] === true ? 'Enabled' : 'Disabled';
        return json(202, { UUID: 'the-mapping', State: fixture.mapping.state });
      }
      return json(200, { UUID: 'the-mapping', State: fixture.mapping.state });
    },
    run: (event = {}) =>
      handler(
        event,
        lambdaContext(() => 80_000),
      ),
    async item() {
      const { Item } = await client.send(new GetItemCommand({ TableName: TABLE, Key: KEY, ConsistentRead: true }));
      return Item === undefined ? {} : unmarshall(Item);
    },
    operations: () => operationsOfMonth(createLedgerTable(client, TABLE), new Date().toISOString().slice(0, 7)),
    async put(item) {
      const Item = marshall({ pk: 'BREAKER#11VMS', sk: 'BREAKER', ...item }, { removeUndefinedValues: true });
      await client.send(new PutItemCommand({ TableName: TABLE, Item }));
    },
    async letTimePass() {
      const { heldBy: _gone, heldUntilMs: _over, ...item } = await fixture.item();
      await fixture.put({ ...item, nextTrialAtMs: 0 });
    },
    async queue(count, delaySeconds = 0) {
      const cart = { QueueUrl, MessageBody: '{}', DelaySeconds: delaySeconds };
      await Promise.all(Array.from({ length: count }, () => queues.send(new SendMessageCommand(cart))));
    },
    skipHour() {
      skippedMs += 3_600_000;
    },
    takeOutput: () => output.take(),
    async close() {
      output.stop();
      client.destroy();
      queues.destroy();
      await Promise.all([dynamodb.close(), lambda.close(), sqs.close()]);
      await emulators.close();
    },
  };
  return fixture;
}

function captureOutput(): { take(): string; stop(): void } {
  const streams = [process.stdout, process.stderr];
  const restore = streams.map((stream) => {
    const write = stream.write.bind(stream);
    return () => {
      stream.write = write;
    };
  });
  let text = '';
  for (const stream of streams) {
    stream.write = (chunk: string | Uint8Array): boolean => {
      text += chunk.toString();
      return true;
    };
  }
  return {
    take() {
      const taken = text;
      text = '';
      return taken;
    },
    stop() {
      for (const one of restore) one();
    },
  };
}
