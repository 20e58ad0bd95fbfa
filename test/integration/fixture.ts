/**
 * What a front-door test of a handler needs: both simulators, the embedded SQS, DynamoDB and Secrets Manager over their
 * real protocols, and the environment variables of the handlers.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { CreateQueueCommand, GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { loadEnvironment } from '../../infra/environments.ts';
import { type AwsClients, createAwsClients, LOCAL_CREDENTIALS } from '../../infra/local/aws/aws-clients.ts';
import { type Emulators, startEmulators } from '../../infra/local/aws/emulators.ts';
import {
  type ExtractorVariables,
  type ReconcilerVariables,
  TRANSLATION_SETTINGS_FILE,
  VMS_FIELDS_FILE,
  type WorkerVariables,
} from '../../shared/environment.ts';
import { LISTED_FIELDS, LISTED_INDEX } from '../../shared/lists.ts';
import { type Srm7Options, type Srm7Simulator, startSrm7 } from '../simulators/srm7.ts';
import { type MessageKey, signedBy } from '../signed-messages.ts';
import { startVms, type VmsOptions, type VmsSimulator } from '../simulators/vms.ts';

const REGION = 'eu-west-1';
const MAX_RECEIVE_COUNT = 4;

const MESSAGE_KEY: MessageKey = { key: randomBytes(32).toString('hex'), environment: 'test' };

/** Who asks, and why, in the event of an act by hand. */
export const BY_HAND = { by: 'arn:aws:sts::111122223333:assumed-role/Operator/a-person', reason: 'a test of it' };

export interface Fixture {
  readonly emulators: Emulators;
  readonly clients: AwsClients;
  readonly srm: Srm7Simulator;
  readonly vms: VmsSimulator;
  readonly queueName: string;
  readonly queueUrl: string;
  readonly deadLetterName: string;
  readonly deadLetterUrl: string;
  readonly tableName: string;
  readonly extractorVariables: ExtractorVariables;
  readonly reconcilerVariables: ReconcilerVariables;
  readonly workerVariables: WorkerVariables & { readonly LAMBDA_TASK_ROOT: string };
  /** The attributes of a message with this body that the interface has queued. */
  signed(body: string): ReturnType<typeof signedBy>;
  /** What was written to stdout since the last call: log lines and EMF. Also keeps the test's own output readable. */
  takeOutput(): string[];
  close(): Promise<void>;
}

export interface FixtureOptions {
  readonly srm?: Srm7Options;
  readonly vms?: VmsOptions;
}

/** Starts everything on free loopback ports, and points the SDK of this process at it. */
export async function openFixture(options: FixtureOptions = {}): Promise<Fixture> {
  const [emulators, srm, vms] = await Promise.all([startEmulators(), startSrm7(options.srm), startVms(options.vms)]);
  const { endpoints } = emulators;
  Object.assign(process.env, {
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_SQS: endpoints.sqs,
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.secretsManager,
    POWERTOOLS_SERVICE_NAME: 'test',
    POWERTOOLS_METRICS_NAMESPACE: 'test',
    POWERTOOLS_LOG_LEVEL: 'INFO',
  });
  const clients = createAwsClients(endpoints, REGION);
  const [queueName, deadLetterName, tableName] = ['carts', 'carts-dead', 'ledger'];
  const createQueue = async (name: string, attributes: Record<string, string>): Promise<string> => {
    const { QueueUrl } = await clients.sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
    // The emulator names a host that does not resolve everywhere; the SDK follows a queue's URL.
    return new URL(new URL(QueueUrl ?? '').pathname, endpoints.sqs).href;
  };
  const deadLetterUrl = await createQueue(deadLetterName, {});
  const { Attributes } = await clients.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: deadLetterUrl, AttributeNames: ['QueueArn'] }),
  );
  const queueUrl = await createQueue(queueName, {
    VisibilityTimeout: '60',
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: Attributes?.QueueArn, maxReceiveCount: MAX_RECEIVE_COUNT }),
  });
  await clients.dynamodb.send(
    new CreateTableCommand({
      TableName: tableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
        { AttributeName: 'listedAs', AttributeType: 'S' },
        { AttributeName: 'listedAtMs', AttributeType: 'N' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: LISTED_INDEX,
          KeySchema: [
            { AttributeName: 'listedAs', KeyType: 'HASH' },
            { AttributeName: 'listedAtMs', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: [...LISTED_FIELDS] },
        },
      ],
    }),
  );
  for (const [Name, simulator] of [
    ['srm', srm],
    ['11vms', vms],
  ] as const) {
    const { clientId, clientSecret } = simulator;
    await clients.secretsManager.send(
      new CreateSecretCommand({ Name, SecretString: JSON.stringify({ clientId, clientSecret }) }),
    );
  }
  await clients.secretsManager.send(new CreateSecretCommand({ Name: 'message-key', SecretString: MESSAGE_KEY.key }));
  const taskRoot = mkdtempSync(join(tmpdir(), 'task-root-'));
  writeFileSync(join(taskRoot, TRANSLATION_SETTINGS_FILE), JSON.stringify(loadEnvironment('local').translation));
  writeFileSync(join(taskRoot, VMS_FIELDS_FILE), '{}');
  const output = captureOutput();
  const common = {
    INTERFACE_ENVIRONMENT: MESSAGE_KEY.environment,
    MESSAGE_KEY: 'message-key',
    TABLE_NAME: tableName,
    POWERTOOLS_SERVICE_NAME: 'test',
    POWERTOOLS_METRICS_NAMESPACE: 'test',
    POWERTOOLS_LOG_LEVEL: 'INFO',
    QUEUE_URL: queueUrl,
    SRM_BASE_URL: srm.url,
    SRM_TOKEN_URL: srm.tokenUrl,
    SRM_CLIENT_AUTHENTICATION: 'basic',
    SRM_SCOPE: 'srm.carts.read',
    SRM_SECRET: 'srm',
    SRM_MUTUAL_TLS: 'false',
    SRM_PRIVATE_CA: 'false',
    SRM_API_KEY_HEADER: '',
    SRM_PROXY_URL: '',
    SRM_DIFFERENCES: '{}',
    SRM_CLIENT: srm.client,
    SRM_LANGUAGE: 'EN',
    SRM_INTERNAL_HOSTS: '',
    SRM_STATUSES: 'I1129',
    SRM_TIMEOUT_MS: '15000',
    SRM_PAGE_SIZE: '0',
    SRM_PAGING: 'next-link',
    SRM_SERVICE_PATH: '/sap/opu/odata/sap/ZSRM_SC_EXTRACT_SRV',
    SRM_ENTITY_SET: 'ShoppingCartSet',
    SRM_KEY_PROPERTY: 'Guid',
    SRM_CHANGED_AT_PROPERTY: 'ChangedAt',
  };
  const FIRST_WATERMARK = new Date(Date.now() - 3_600_000).toISOString();
  return {
    emulators,
    clients,
    srm,
    vms,
    queueName,
    queueUrl,
    deadLetterName,
    deadLetterUrl,
    tableName,
    extractorVariables: {
      ...common,
      FIRST_WATERMARK,
      OVERLAP_SECONDS: '60',
      SAFETY_SECONDS: '5',
      LEASE_SECONDS: '330',
    },
    reconcilerVariables: { ...common, FIRST_WATERMARK, RECONCILIATION_DAYS: '7' },
    workerVariables: {
      ...common,
      VMS_BASE_URL: vms.baseUrl,
      VMS_COLLECTION_PATH: '/purchase-orders',
      VMS_LOOK_UP_BY: '?externalId=',
      VMS_FOUND_AT: '/items',
      VMS_ID_AT: '/id',
      VMS_NUMBER_AT: '/number',
      VMS_EXTERNAL_ID_AT: '/externalId',
      VMS_DECIMALS_AS: 'string',
      VMS_TOKEN_URL: vms.tokenUrl,
      VMS_CLIENT_AUTHENTICATION: 'basic',
      VMS_SCOPE: 'vms.purchase-orders.write',
      VMS_SECRET: '11vms',
      VMS_MUTUAL_TLS: 'false',
      VMS_PRIVATE_CA: 'false',
      VMS_API_KEY_HEADER: '',
      VMS_PROXY_URL: '',
      VMS_DIFFERENCES: '{}',
      VMS_TIMEOUT_MS: '5000',
      RETRY_BASE_SECONDS: '30',
      MAX_RECEIVE_COUNT: String(MAX_RECEIVE_COUNT),
      PAUSE_FOR_DEAD_LETTERS: 'true',
      LEASE_SECONDS: '65',
      LAMBDA_TASK_ROOT: taskRoot,
    },
    signed: (body) => signedBy(MESSAGE_KEY, body),
    takeOutput: () => output.take(),
    async close() {
      output.stop();
      for (const client of Object.values(clients)) client.destroy();
      await Promise.all([emulators.close(), srm.close(), vms.close()]);
      rmSync(taskRoot, { recursive: true, force: true });
    },
  };
}

/** Both streams, as in Lambda's log: warnings and errors go to stderr. */
export function captureOutput(): { take(): string[]; stop(): void } {
  const streams = [process.stdout, process.stderr].map((stream) => ({ stream, write: stream.write.bind(stream) }));
  let lines: string[] = [];
  for (const { stream } of streams) {
    stream.write = (chunk: string | Uint8Array) => {
      lines.push(
        ...chunk
          .toString()
          .split('\n')
          .filter((line) => line !== ''),
      );
      return true;
    };
  }
  return {
    take() {
      const taken = lines;
      lines = [];
      return taken;
    },
    stop() {
      for (const { stream, write } of streams) stream.write = write;
    },
  };
}

/** The part of Lambda's context that the handlers use. */
export const lambdaContext = (remainingMs: () => number = () => 60_000) => ({
  awsRequestId: crypto.randomUUID(),
  functionName: 'test',
  functionVersion: '1',
  invokedFunctionArn: 'arn:aws:lambda:eu-west-1:000000000000:function:test',
  memoryLimitInMB: '1024',
  logGroupName: 'test',
  logStreamName: 'test',
  callbackWaitsForEmptyEventLoop: true,
  getRemainingTimeInMillis: remainingMs,
  done: () => undefined,
  fail: () => undefined,
  succeed: () => undefined,
});
