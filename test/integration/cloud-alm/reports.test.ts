/** What Cloud ALM is told, through the real handler: CloudWatch and Cloud ALM are called over their protocols. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { CreateSecretCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { createHandler } from '../../../functions/report-to-cloud-alm/handler.ts';
import { HEALTH_VALUES, STATUSES } from '../../../functions/report-to-cloud-alm/interface-health.ts';
import { METRIC_ALARMS, PAGING_ALARMS } from '../../../infra/constructs/alarm-texts.ts';
import { type AwsClients, createAwsClients, LOCAL_CREDENTIALS } from '../../../infra/local/aws/aws-clients.ts';
import { type Emulators, startEmulators } from '../../../infra/local/aws/emulators.ts';
import type { CloudAlmReporterVariables } from '../../../shared/environment.ts';
import { METRIC_NAMESPACE, METRICS, SERVICE_NAMES } from '../../../shared/metric-names.ts';
import { type Answer, htmlAnswer } from '../../simulators/answers.ts';
import { type CloudAlmSimulator, startCloudAlm, understood } from '../../simulators/cloud-alm.ts';
import { PAGES, UNQUOTABLE } from '../../simulators/pages.ts';
import { type AwsSimulator, startAwsSimulator } from '../aws-simulator.ts';
import { captureOutput, lambdaContext } from '../fixture.ts';

const NOW_MS = Date.parse('2026-12-10T12:02:30Z');
const PREFIX = 'proc-srm7-11vms-purchase-order-v1-test-';
const MINUTE_MS = 60_000;

let emulators: Emulators;
let clients: AwsClients;
let aws: AwsSimulator;
let cloudAlm: CloudAlmSimulator;
let output: ReturnType<typeof captureOutput>;
let handler: ReturnType<typeof createHandler>;
let variablesBefore: NodeJS.ProcessEnv;

beforeAll(async () => {
  variablesBefore = { ...process.env };
  [emulators, aws, cloudAlm] = await Promise.all([startEmulators(), startAwsSimulator(), startCloudAlm()]);
  Object.assign(process.env, aws.variables, {
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: emulators.endpoints.secretsManager,
    POWERTOOLS_LOG_LEVEL: 'INFO',
  });
  clients = createAwsClients(emulators.endpoints, 'eu-west-1');
  await clients.secretsManager.send(new CreateSecretCommand({ Name: 'cloud-alm', SecretString: clientText() }));
  output = captureOutput();
});
afterAll(async () => {
  output.stop();
  for (const client of Object.values(clients)) client.destroy();
  await Promise.all([emulators.close(), aws.close(), cloudAlm.close()]);
  for (const name of Object.keys(process.env))
    if (!(name in variablesBefore)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, variablesBefore);
});
beforeEach(() => {
  aws.state.alarms = [...Object.keys(PAGING_ALARMS), ...Object.keys(METRIC_ALARMS)].map((name) => ({
    name: PREFIX + name,
    isComposite: Object.hasOwn(PAGING_ALARMS, name),
    state: 'OK',
    isEnabled: true,
  }));
  aws.state.datapoints = [];
  aws.state.metricStatus = 'Complete';
  handler = createHandler(variables(), { now: () => NOW_MS });
});
afterEach(() => {
  output.take();
});

const clientText = (): string => JSON.stringify({ clientId: cloudAlm.clientId, clientSecret: cloudAlm.clientSecret });

const variables = (): CloudAlmReporterVariables => ({
  INTERFACE_ENVIRONMENT: 'test',
  POWERTOOLS_SERVICE_NAME: SERVICE_NAMES.cloudAlmReporter,
  POWERTOOLS_METRICS_NAMESPACE: METRIC_NAMESPACE,
  POWERTOOLS_LOG_LEVEL: 'INFO',
  CLOUD_ALM_API_URL: cloudAlm.apiUrl,
  CLOUD_ALM_TOKEN_URL: cloudAlm.tokenUrl,
  CLOUD_ALM_SECRET: 'cloud-alm',
  CLOUD_ALM_SERVICE_ID: cloudAlm.serviceId,
  QUEUE_NAME: 'carts',
  DEAD_LETTER_QUEUE_NAME: 'carts-dead',
  ALARM_PREFIX: PREFIX,
});

/** The notification of EventBridge Scheduler. */
const SCHEDULED = { 'detail-type': 'Scheduled Event', source: 'aws.scheduler' };
const run = (): Promise<unknown> => handler(SCHEDULED, lambdaContext());

function own(service: keyof typeof SERVICE_NAMES, metric: keyof typeof METRICS, minutesAgo: number, value = 1): void {
  aws.state.datapoints.push({
    metric: METRICS[metric],
    of: [SERVICE_NAMES[service], 'test'],
    atMs: NOW_MS - minutesAgo * MINUTE_MS,
    value,
  });
}
function ofQueue(queue: 'carts' | 'carts-dead', metric: string, minutesAgo: number, value: number): void {
  aws.state.datapoints.push({ metric, of: [queue], atMs: NOW_MS - minutesAgo * MINUTE_MS, value });
}
function alarm(name: string): void {
  for (const one of aws.state.alarms) if (one.name === PREFIX + name) one.state = 'ALARM';
}
function healthy(): void {
  own('worker', 'ordersCreated', 50, 2);
  own('worker', 'ordersCreated', 3, 5);
  own('worker', 'approvalToOrder', 40, 90_000);
  own('worker', 'approvalToOrder', 4, 61_500);
  own('supervisor', 'consumptionPaused', 2, 0);
  own('extractor', 'extractionCompleted', 12);
  own('extractor', 'extractionCompleted', 7);
  ofQueue('carts', 'ApproximateAgeOfOldestMessage', 4, 33);
  ofQueue('carts-dead', 'ApproximateNumberOfMessagesVisible', 4, 0);
}
/** What the last push told: value and rating, by name. */
function told(): Record<string, [number | undefined, string | undefined]> {
  const { body } = cloudAlm.taken.at(-1) ?? {};
  if (body === undefined) throw new Error('nothing was told');
  return Object.fromEntries(understood(body).map(({ name, value, rating }) => [name, [value, rating]]));
}

describe('a healthy interface', () => {
  test('is told in one push: each value, and a status for each alarm that pages', async () => {
    healthy();
    const before = cloudAlm.taken.length;
    const result = await run();

    expect(cloudAlm.taken).toHaveLength(before + 1);
    expect(cloudAlm.taken.at(-1)?.isDevelopment).toBe(false);
    expect(told()).toEqual({
      'orders.created': [7, 'ok'],
      'dead_letters.waiting': [0, 'ok'],
      'oldest_message.age': [33, 'ok'],
      'consumption.paused': [0, 'ok'],
      'extraction.since_completed': [7, 'ok'],
      'srm.refusals': [0, 'ok'],
      'vms.refusals': [0, 'ok'],
      'approval_to_order.p95': [90, 'ok'],
      'carts.requeued': [0, 'ok'],
      'status.orders': [1, 'ok'],
      'status.extraction': [1, 'ok'],
      'status.dead_letters': [1, 'ok'],
    });
    expect(result).toMatchObject({ withoutData: [] });
    expect(output.take().join('\n')).toContain('"event":"health.reported","summary":"all ok"');
  });

  test('tells no value of which CloudWatch has no data, and 0 only of what is counted when it happens', async () => {
    const result = await run();

    expect(told()).toEqual({
      'orders.created': [0, 'ok'],
      'dead_letters.waiting': [0, 'ok'],
      'srm.refusals': [0, 'ok'],
      'vms.refusals': [0, 'ok'],
      'carts.requeued': [0, 'ok'],
      'status.orders': [1, 'ok'],
      'status.extraction': [1, 'ok'],
      'status.dead_letters': [1, 'ok'],
    });
    expect(result).toMatchObject({
      withoutData: ['oldest_message.age', 'consumption.paused', 'extraction.since_completed', 'approval_to_order.p95'],
    });
    expect(output.take().join('\n')).toContain('all ok; without data: oldest_message.age, consumption.paused');
  });

  test('is asked for by metrics that the dashboard and the alarms of the stack have, too', async () => {
    await run();
    const file = join(import.meta.dirname, '../../infra/snapshots/prod.json');
    const snapshot = readFileSync(file, 'utf8').replace(/[\\\s]/g, '');
    for (const { measure } of HEALTH_VALUES) {
      const { metric } = measure;
      const shown =
        'queue' in metric
          ? `"${metric.metric}"`
          : `"${METRIC_NAMESPACE}","${METRICS[metric.metric]}","environment","prod","service","${SERVICE_NAMES[metric.service]}"`;
      expect([shown, snapshot.includes(shown)]).toEqual([shown, true]);
    }
    const queries = aws.metricQueries.at(-1);
    expect(queries).toHaveLength(HEALTH_VALUES.length);
    expect(queries?.[0]).toMatchObject({
      MetricStat: {
        Metric: {
          Namespace: METRIC_NAMESPACE,
          MetricName: 'OrdersCreated',
          Dimensions: [
            { Name: 'service', Value: 'create-purchase-orders' },
            { Name: 'environment', Value: 'test' },
          ],
        },
      },
    });
    expect(queries?.[1]).toMatchObject({
      MetricStat: { Metric: { Namespace: 'AWS/SQS', Dimensions: [{ Name: 'QueueName', Value: 'carts-dead' }] } },
    });
  });

  test('is rated by alarms that exist, and each alarm that pages has a status', () => {
    const rated = HEALTH_VALUES.flatMap(({ critical, warning = [] }) => [...critical, ...warning]);

    expect(rated.filter((name) => !Object.hasOwn(PAGING_ALARMS, name) && !Object.hasOwn(METRIC_ALARMS, name))).toEqual(
      [],
    );
    expect(STATUSES.map(({ alarm: name }) => name)).toEqual(Object.keys(PAGING_ALARMS));
  });
});

describe('a state that is not healthy', () => {
  test('is a warning by its value, and critical by its alarm', async () => {
    healthy();
    ofQueue('carts-dead', 'ApproximateNumberOfMessagesVisible', 1, 3);
    own('supervisor', 'consumptionPaused', 1, 1);
    own('worker', 'targetRefused', 20, 2);
    own('worker', 'targetRefused', 70, 100);
    alarm('consumption-paused');
    alarm('orders-stopped');
    alarm('backlog');
    await run();

    expect(told()).toMatchObject({
      'dead_letters.waiting': [3, 'warning'],
      'consumption.paused': [1, 'critical'],
      'vms.refusals': [2, 'warning'],
      'oldest_message.age': [33, 'warning'],
      'orders.created': [7, 'critical'],
      'status.orders': [1, 'critical'],
      'status.extraction': [1, 'ok'],
    });
    expect(output.take().join('\n')).toContain('consumption.paused critical');
  });

  test('that CloudWatch gives in part is not told at all: the run fails', async () => {
    healthy();
    aws.state.metricStatus = 'InternalError';
    const before = cloudAlm.taken.length;

    await expect(run()).rejects.toThrow('CloudWatch did not give orders.created whole (InternalError)');
    expect(cloudAlm.taken).toHaveLength(before);
    expect(output.take().join('\n')).toContain('"event":"health.not-reported"');
  });

  test('cannot be rated without its alarms: the run fails', async () => {
    aws.state.alarms = aws.state.alarms.filter(({ name }) => name !== `${PREFIX}source-refused`);

    await expect(run()).rejects.toThrow(
      /Without these alarms nothing can be rated: source-refused\. Deploy the stack again/,
    );
  });
});

describe('Cloud ALM', () => {
  const status = (code: number): Answer => ({ status: code, headers: {}, body: '{"secret":"KANARI"}' });

  test('that takes the token no more is asked again with a new one', async () => {
    healthy();
    await run();
    cloudAlm.revokeTokens();
    const before = cloudAlm.answers.length;
    await run();

    expect(cloudAlm.answers.slice(before).map(({ status: code }) => code)).toEqual([401, 200, 200]);
  });

  test.each<[string, Answer, RegExp]>([
    ['403', status(403), /^E_ALM_AUTH: Cloud ALM answered 403$/],
    ['404', status(404), /^E_ALM_UNAVAILABLE: Cloud ALM answered 404$/],
    ['429', { ...status(429), headers: { 'Retry-After': '30' } }, /^E_ALM_UNAVAILABLE: Cloud ALM answered 429$/],
    ['503', status(503), /^E_ALM_UNAVAILABLE: Cloud ALM answered 503$/],
    ['a page', htmlAnswer(200, 'Logon'), /^E_ALM_UNAVAILABLE: Cloud ALM answered 200 with HTML in place of JSON/],
    [
      'a logon page',
      { status: 200, headers: { 'Content-Type': 'text/html' }, body: PAGES['saml-logon'] },
      /^E_ALM_UNAVAILABLE: Cloud ALM answered 200 with HTML in place of JSON \(.*logon page\)/,
    ],
    [
      'a success that refuses points',
      { status: 200, headers: {}, body: '{"partialSuccess":{"rejectedDataPoints":"2","errorMessage":"KANARI"}}' },
      /^E_ALM_UNAVAILABLE: Cloud ALM answered 200, and refused 2 of the points$/,
    ],
  ])('that answers %s fails the run, which quotes nothing of the answer', async (_what, answer, message) => {
    healthy();
    cloudAlm.answerNext(answer);

    await expect(run()).rejects.toThrow(message);
    const said = output.take().join('\n');
    expect(said).toContain('"event":"health.not-reported"');
    expect(said).toMatch(/"codes":\["E_ALM_/);
    for (const text of ['KANARI', cloudAlm.clientSecret, ...UNQUOTABLE]) expect(said).not.toContain(text);
  });

  test('with a client that was replaced is asked with the new one, without a deployment', async () => {
    healthy();
    await run();
    cloudAlm.setClient('sb-new', 'new secret');
    cloudAlm.revokeTokens();
    await clients.secretsManager.send(
      new PutSecretValueCommand({
        SecretId: 'cloud-alm',
        SecretString: JSON.stringify({ clientId: 'sb-new', clientSecret: 'new secret' }),
      }),
    );
    await run();

    expect(cloudAlm.answers.at(-1)?.status).toBe(200);
    cloudAlm.setClient(cloudAlm.clientId, cloudAlm.clientSecret);
    await clients.secretsManager.send(new PutSecretValueCommand({ SecretId: 'cloud-alm', SecretString: clientText() }));
  });

  test('is not asked while the secret is not written: the run says which, and how', async () => {
    handler = createHandler({ ...variables(), CLOUD_ALM_SECRET: 'empty' }, { now: () => NOW_MS });

    await expect(run()).rejects.toThrow(
      'E_ALM_AUTH: the secret empty does not exist, or holds no { "clientId", "clientSecret" } yet: write it with aws secretsmanager put-secret-value',
    );
  });

  test('refuses a client that it does not know: the run names the secret, and no setting that the block lacks', async () => {
    cloudAlm.setClient('sb-another', 'another');
    cloudAlm.revokeTokens();
    try {
      await expect(run()).rejects.toThrow(
        /token endpoint .* answered 401; check clientId and clientSecret in the secret cloud-alm$/,
      );
    } finally {
      cloudAlm.setClient(cloudAlm.clientId, cloudAlm.clientSecret);
    }
  });
});
