/** The doctor at a deployed environment: each thing that can be wrong is one line, with what to do, and no secret. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { CreateSecretCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs';
import { marshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { examine } from '../../../infra/doctor/doctor.ts';
import type { Finding } from '../../../infra/doctor/finding.ts';
import { HELP } from '../../../infra/doctor/options.ts';
import { ENVIRONMENTS, loadEnvironment } from '../../../infra/environments.ts';
import { openGrafana } from '../../../infra/platforms/grafana.ts';
import { createBreakerRecord } from '../../../shared/circuit-breaker.ts';
import { createLedgerTable } from '../../../shared/ledger-table.ts';
import { openFixture, type Fixture } from '../fixture.ts';
import { type AwsSimulator, type SimulatedAlarm, startAwsSimulator } from '../aws-simulator.ts';
import { deployEntry, expectStackOnce } from '../deployed-state.ts';
import { type CloudAlmSimulator, startCloudAlm } from '../../simulators/cloud-alm.ts';
import { startGrafana } from '../../simulators/grafana.ts';
import { startVms } from '../../simulators/vms.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const MAPPING = '11111111-2222-3333-4444-555555555555';
/** Logical ids of resources that no output names. */
const WORKER_MAPPING = 'WorkerFunctionSqsEventSourcePurchaseOrderCartChannelQueue6FA9D6F571F1C7F5';
const UNDELIVERED_PAGES = 'MonitoringNotificationsUndeliveredPagesDBDCC099';
const EXTRACTION_SCHEDULE = 'ExtractorScheduleFFF934B3';
const PAGES = 'arn:aws:sns:eu-west-1:123456789012:MonitoringNotificationsPagesCC9127D2';
const MAILS = 'arn:aws:sns:eu-west-1:123456789012:MonitoringNotificationsMails466C70A2';
const STACK = 'proc-srm7-11vms-purchase-order-v1-dev';
const NOW_MS = Date.parse('2026-12-10T12:00:00Z');

let directory: string;
let aws: AwsSimulator;
let fixture: Fixture;
let variablesBefore: NodeJS.ProcessEnv;
let queues: { readonly failedInvocations: string; readonly undeliveredPages: string };

beforeEach(async () => {
  variablesBefore = { ...process.env };
  directory = mkdtempSync(join(tmpdir(), 'doctor-'));
  [aws, fixture] = await Promise.all([startAwsSimulator(), openFixture()]);
  Object.assign(process.env, aws.variables, { AWS_EC2_METADATA_DISABLED: 'true', HOME: directory });
  const [failedInvocations, undeliveredPages] = await Promise.all(['failed', 'pages'].map(createQueue));
  queues = { failedInvocations: failedInvocations ?? '', undeliveredPages: undeliveredPages ?? '' };
  await deployed(environmentFile());
  await putItem({ pk: 'WATERMARK#100', sk: 'WATERMARK', watermarkMs: NOW_MS - 6 * 60_000 });
});
afterEach(async () => {
  await Promise.all([fixture.close(), aws.close()]);
  for (const name of Object.keys(process.env))
    if (!(name in variablesBefore)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, variablesBefore);
  rmSync(directory, { recursive: true, force: true });
});

const putItem = (item: Record<string, unknown>) =>
  fixture.clients.dynamodb.send(new PutItemCommand({ TableName: fixture.tableName, Item: marshall(item) }));
const putSecret = (name: string, value: string) =>
  fixture.clients.secretsManager.send(new PutSecretValueCommand({ SecretId: name, SecretString: value }));

async function createQueue(name: string): Promise<string> {
  const { QueueUrl = '' } = await fixture.clients.sqs.send(new CreateQueueCommand({ QueueName: name }));
  return new URL(new URL(QueueUrl).pathname, fixture.emulators.endpoints.sqs).href;
}

/** As CloudFormation deploys an entry. */
const deployed = (file: string, nowMs = NOW_MS, more: Readonly<Record<string, string>> = {}): Promise<void> =>
  deployEntry(aws.state, {
    environment: loadEnvironment(file),
    sqs: fixture.clients.sqs,
    nowMs,
    physicalIds: {
      QueueUrl: fixture.queueUrl,
      DeadLetterQueueUrl: fixture.deadLetterUrl,
      FailedInvocationsQueueUrl: queues.failedInvocations,
      LedgerTableName: fixture.tableName,
      ExtractorFunctionName: 'extractor',
      WorkerFunctionName: 'worker',
      SupervisorFunctionName: 'supervisor',
      ReconcilerFunctionName: 'reconciler',
      RedriverFunctionName: 'redriver',
      MessageKeyArn: 'message-key',
      [UNDELIVERED_PAGES]: queues.undeliveredPages,
      [WORKER_MAPPING]: MAPPING,
      ...more,
    },
  });

const setSchedule = (change: Record<string, unknown>) => {
  const name = `our-group/${EXTRACTION_SCHEDULE}`;
  aws.state.schedules[name] = { ...aws.state.schedules[name], ...change };
};
const setMapping = (change: Record<string, unknown>) => {
  aws.state.mappings[MAPPING] = { ...aws.state.mappings[MAPPING], ...change };
};

/** The dev entry on the simulators, with changes. */
function environmentFile(
  change: {
    srm?: object;
    vms?: object;
    extraction?: object;
    operation?: object;
    notifications?: object;
    owners?: object;
    account?: string;
    grafana?: object;
    logForwarding?: object;
    cloudAlm?: object;
    events?: object;
    orderNumbers?: object;
  } = {},
): string {
  const dev = ENVIRONMENTS['dev'];
  const path = join(directory, 'dev.json');
  const entry = {
    ...dev,
    region: 'eu-west-1',
    ...(change.owners === undefined ? {} : { owners: change.owners }),
    ...(change.account === undefined ? {} : { account: change.account }),
    ...(change.operation === undefined ? {} : { operation: change.operation }),
    ...(change.grafana === undefined ? {} : { grafana: change.grafana }),
    ...(change.events === undefined ? {} : { events: change.events }),
    ...(change.orderNumbers === undefined ? {} : { orderNumbers: change.orderNumbers }),
    ...(change.notifications === undefined ? {} : { notifications: change.notifications }),
    ...(change.logForwarding === undefined ? {} : { logForwarding: change.logForwarding }),
    ...(change.cloudAlm === undefined ? {} : { cloudAlm: change.cloudAlm }),
    srm: { ...dev?.srm, baseUrl: fixture.srm.url, tokenUrl: fixture.srm.tokenUrl, secretName: 'srm', ...change.srm },
    vms: {
      ...dev?.vms,
      baseUrl: fixture.vms.baseUrl,
      tokenUrl: fixture.vms.tokenUrl,
      secretName: '11vms',
      ...change.vms,
    },
    // Valid for long: the tests that start a process use the real clock.
    extraction: { ...dev?.extraction, firstWatermark: '2020-01-01T00:00:00Z', ...change.extraction },
  };
  writeFileSync(path, JSON.stringify(entry));
  return path;
}

async function diagnose(environment = environmentFile(), timeoutMs = 10_000): Promise<readonly Finding[]> {
  const examination = { now: () => NOW_MS, timeoutMs, nodeVersion: '24.21.0', expectStack: expectStackOnce };
  const findings = await examine({ environment, profile: undefined }, examination);
  const shown = JSON.stringify(findings);
  for (const secret of [fixture.srm.clientSecret, fixture.vms.clientSecret, 'hunter2', 'srm7-token', '11vms-token']) {
    expect(shown).not.toContain(secret);
  }
  return findings;
}
const LOOKS_UP = () =>
  `11VMS looks orders up at ${fixture.vms.baseUrl}; whether it also lets this client create, only an order shows`;
const reds = (findings: readonly Finding[]): string[] => linesOf(findings, 'fail');
const yellows = (findings: readonly Finding[]): string[] => linesOf(findings, 'warn');
const linesOf = (findings: readonly Finding[], status: Finding['status']): string[] =>
  findings.flatMap((finding) =>
    finding.status !== status ? [] : [finding.status === 'ok' ? finding.what : `${finding.what} -> ${finding.advice}`],
  );

describe('a healthy environment', () => {
  test('has an ok line for each of its parts', async () => {
    const file = environmentFile();
    const findings = await diagnose(file);

    expect([...reds(findings), ...yellows(findings)]).toEqual([]);
    expect(linesOf(findings, 'ok')).toEqual([
      'Node.js 24.21.0',
      `environment dev (${file}) is valid`,
      'AWS account 123456789012, region eu-west-1, as arn:aws:iam::123456789012:user/operator',
      'SRM secret srm holds { "clientId", "clientSecret" }',
      `SRM token is given by ${fixture.srm.tokenUrl}`,
      `SRM reads lists at ${fixture.srm.url}`,
      '11VMS secret 11vms holds { "clientId", "clientSecret" }',
      `11VMS token is given by ${fixture.vms.tokenUrl}`,
      LOOKS_UP(),
      `stack ${STACK} is UPDATE_COMPLETE`,
      expect.stringMatching(/^value maps are deployed as the entry says: businessUnit 1 [0-9a-f]{8}, supplier 0 /),
      expect.stringMatching(/^resources: all \d+ of the entry are in the stack$/),
      expect.stringMatching(/^extractor is deployed as the entry says, with \d+ variables$/),
      expect.stringMatching(/^worker is deployed as the entry says, with \d+ variables$/),
      expect.stringMatching(/^supervisor is deployed as the entry says, with \d+ variables$/),
      expect.stringMatching(/^reconciler is deployed as the entry says, with \d+ variables$/),
      expect.stringMatching(/^redriver is deployed as the entry says, with \d+ variables$/),
      'extractor ran 7 times in the last hour without an error',
      'worker ran 7 times in the last hour without an error',
      'supervisor ran 7 times in the last hour without an error',
      'reconciler ran 7 times in the last hour without an error',
      'redriver ran 7 times in the last hour without an error',
      'event source mapping is Enabled',
      'dead-letter queue is empty',
      'cart queue holds 0 carts, and 0 in delivery or waiting for a retry',
      'queue of failed invocations is empty',
      'queue of undelivered pages is empty',
      'message key: there is one',
      'schedule ExtractorScheduleFFF934B3 is ENABLED',
      'schedule SupervisorSchedule8C72204B is ENABLED',
      'schedule ReconcilerSchedule268E39F0 is ENABLED',
      expect.stringMatching(/^alarms: none of \d+ is in ALARM, and all would tell$/),
      'notifications: the email subscription of topic MonitoringNotificationsPagesCC9127D2 is confirmed',
      'notifications: the email subscription of topic MonitoringNotificationsMails466C70A2 is confirmed',
      'watermark: SRM is read up to 2026-12-10T11:54:00Z',
      'extraction last succeeded at 2026-12-10T11:58Z',
      'reconciliation last succeeded at 2026-12-10T11:58Z',
      'supervision last succeeded at 2026-12-10T11:58Z',
    ]);
  });

  test('is only read: SRM and 11VMS serve a token, one list and one look-up, and nothing else', async () => {
    await diagnose();

    expect(fixture.srm.requests.map(({ operation }) => operation)).toEqual(['token', 'token', 'page']);
    expect(fixture.vms.requests.map(({ operation }) => operation)).toEqual(['token', 'token', 'lookup']);
    const { searchParams } = new URL(fixture.srm.requests.at(-1)?.path ?? '', fixture.srm.url);
    expect(searchParams.get('$filter')).toBe(
      "ChangedAt ge datetimeoffset'2026-12-10T11:54:59Z' and ChangedAt lt datetimeoffset'2026-12-10T11:55:00Z' and " +
        "Status eq 'I1129'",
    );
    expect([...new Set(aws.operations)].sort()).toEqual([
      'DescribeAlarms',
      'DescribeStacks',
      'GetCallerIdentity',
      'GetEventSourceMapping',
      'GetFunctionConcurrency',
      'GetFunctionConfiguration',
      'GetMetricData',
      'GetSchedule',
      'ListStackResources',
      'ListSubscriptionsByTopic',
    ]);
    expect(fixture.vms.orders()).toEqual([]);
  });
});

describe('an environment with events and order numbers', () => {
  const PIPE = 'EventsPurchaseOrderCreatedv1ADBF929D';
  let more: Record<string, string>;
  beforeEach(async () => {
    const names = ['UndeliveredEventsQueueUrl', 'OrderNumbersQueueUrl', 'UnwrittenNumbersQueueUrl'];
    more = Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await createQueue(name.slice(0, -3))] as const)),
    );
    const { clientId, clientSecret } = fixture.vms;
    await fixture.clients.secretsManager.send(
      new CreateSecretCommand({ Name: 'subscriber', SecretString: JSON.stringify({ clientId, clientSecret }) }),
    );
  });
  const withEvents = (subscriber: object = {}) =>
    environmentFile({
      events: {
        typePrefix: 'acme.procurement',
        subscribers: {
          mesh: {
            url: 'https://mesh.example/topics/orders/messages',
            tokenUrl: fixture.vms.tokenUrl,
            secretName: 'subscriber',
            ...subscriber,
          },
        },
      },
      orderNumbers: { path: "/ShoppingCarts('{cart}')" },
    });
  async function ask(subscriber: object = {}): Promise<readonly Finding[]> {
    const file = withEvents(subscriber);
    await deployed(file, NOW_MS, more);
    return diagnose(file);
  }
  const count = (metric: string, of: string[], value: number) =>
    aws.state.datapoints.push({ metric, of, atMs: NOW_MS - 3 * 3_600_000, value });

  test('has an ok line for the subscriber, its token, the pipe, the queues and the mapping', async () => {
    const findings = await ask();

    expect([...reds(findings), ...yellows(findings)]).toEqual([]);
    expect(linesOf(findings, 'ok')).toEqual(
      expect.arrayContaining([
        'subscriber mesh: its secret subscriber holds { "clientId", "clientSecret" }',
        `subscriber mesh: its token is given by ${fixture.vms.tokenUrl}`,
        'events: no order was created in the last day, and none had to leave',
        'queue of undelivered events is empty',
        'queue of order numbers holds 0 orders, and 0 in delivery or waiting for a retry',
        'dead-letter queue of order numbers is empty',
        'event source mapping of the order numbers is Enabled',
        expect.stringMatching(/^numberwriter is deployed as the entry says, with \d+ variables$/),
      ]),
    );
  });

  test('a pipe that did not run although orders were created is red; one that ran is not', async () => {
    await ask();
    count('OrdersCreated', ['create-purchase-orders', 'dev'], 5);
    expect(reds(await diagnose(withEvents()))).toEqual([
      `events: 5 orders were created in the last day, and the pipe ${PIPE} did not run once -> see in EventBridge whether it is Running, and whether the stream of the ledger was disabled (infra/runbook.md, "events-standing-still")`,
    ]);
    count('Invocations', [PIPE], 2);
    expect(reds(await diagnose(withEvents()))).toEqual([]);
    // It has stood still for some hours since it ran.
    const atMs = NOW_MS - 3_600_000;
    aws.state.datapoints.push({ metric: 'OrdersCreated', of: ['create-purchase-orders', 'dev'], atMs, value: 1 });
    expect(reds(await diagnose(withEvents()))).toEqual([
      expect.stringMatching(`^events: 1 orders were created since 2[^ ]*Z, and the pipe ${PIPE} did not run once`),
    ]);
  });

  test('the pipe of dead letters is held against the carts that were dead-lettered', async () => {
    await ask();
    count('CartsDeadLettered', ['create-purchase-orders', 'dev'], 2);
    expect(reds(await diagnose(withEvents()))).toEqual([
      expect.stringMatching(
        /^events: 2 carts were dead-lettered in the last day, and the pipe EventsShoppingCart\w+ did not run once/,
      ),
    ]);
  });

  test('a client that the token endpoint refuses, and a token endpoint that is none', async () => {
    await putSecret('subscriber', JSON.stringify({ clientId: 'mesh', clientSecret: 'hunter2' }));
    expect(reds(await ask())).toEqual([
      expect.stringMatching(
        /^subscriber mesh: its token is refused by .*\(401, 401\): EventBridge calls the connection deauthorized/,
      ),
    ]);
    expect(reds(await ask({ tokenUrl: 'http://127.0.0.1:9/token' }))).toEqual([
      expect.stringMatching(/^subscriber mesh: its token: .* gives no answer \(ECONNREFUSED\) -> check tokenUrl/),
    ]);
  });

  test('a secret that is missing, and one of the wrong form', async () => {
    expect(reds(await ask({ secretName: 'nosuch' }))).toEqual([expect.stringMatching(/^subscriber mesh: .*nosuch/)]);
    await putSecret('subscriber', 'hunter2');
    expect(reds(await ask())).toEqual([expect.stringMatching(/^subscriber mesh: .*new secret name/)]);
  });

  test('the breaker pauses the worker alone: the mapping of the order numbers stays enabled', async () => {
    const file = withEvents();
    await deployed(file, NOW_MS, more);
    const breaker = createBreakerRecord(createLedgerTable(fixture.clients.dynamodb, fixture.tableName));
    await breaker.open('OPEN', '11VMS is down', NOW_MS - 60_000);
    setMapping({ State: 'Disabled' });

    const findings = await diagnose(file);
    expect(reds(findings)).toEqual([
      expect.stringMatching(/^event source mapping is Disabled, by the circuit breaker/),
    ]);
    expect(linesOf(findings, 'ok')).toContain('event source mapping of the order numbers is Enabled');
  });
});

describe('before anything is deployed', () => {
  test('an unknown environment is one red line; Node.js is checked all the same', async () => {
    const findings = await diagnose('nosuch');

    expect(findings.map(({ status }) => status)).toEqual(['ok', 'fail']);
    expect(reds(findings)[0]).toContain('Unknown environment "nosuch". Known: dev, test, prod, local');
  });

  test('a bad entry is one line that names its fields', async () => {
    const findings = await diagnose(environmentFile({ srm: { client: 'x' } }));

    expect(reds(findings)[0]).toMatch(/must be a sap-client, three digits.*srm\.client -> correct the entry/);
  });

  test('hosts of the example are reported', async () => {
    const tokenUrl = 'https://srm-dev.example.com/oauth/token';
    const findings = await diagnose(environmentFile({ srm: { tokenUrl } }));

    expect(yellows(findings)).toContainEqual(
      expect.stringMatching(/names hosts that are examples: .* -> put your own/),
    );
  });

  test('missing AWS credentials are reported with what to do, and AWS is not called again', async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) Reflect.deleteProperty(process.env, name);

    const findings = await diagnose();

    expect(reds(findings)).toEqual([
      expect.stringMatching(/^AWS credentials were not found -> log in first: aws sso login/),
    ]);
    expect(yellows(findings)).toEqual([
      'secrets, SRM and 11VMS: not checked -> first correct the AWS account',
      'stack: not checked -> first correct the AWS account',
    ]);
    expect(aws.operations).toEqual([]);
  });

  test('credentials that AWS refuses are reported by the name of the error, without its text', async () => {
    aws.state.credentialsError = 'ExpiredToken';

    expect(reds(await diagnose())).toEqual([
      expect.stringMatching(/^AWS refuses the credentials \(ExpiredToken\w*\) -> log in first/),
    ]);
  });

  test('a wrong account is reported with the account of the entry', async () => {
    expect(reds(await diagnose(environmentFile({ account: '999999999999' })))).toEqual([
      'AWS credentials are for account 123456789012, but the environment is account 999999999999 -> ' +
        'log in to that account, or correct "account" in the environment entry',
    ]);
  });

  test('a stack that is nowhere is reported without advice to deploy; secrets and systems are checked all the same', async () => {
    aws.state.stack = undefined;

    const findings = await diagnose();

    expect(reds(findings)).toEqual([
      `stack ${STACK} is not in account 123456789012, region eu-west-1; and in no other region of this account -> ` +
        'check the account and the region: set "region" in the environment entry, or AWS_REGION. ' +
        'How a stack is deployed for the first time: infra/deploying.md',
    ]);
    expect(yellows(findings)).toHaveLength(10);
    expect(linesOf(findings, 'ok')).toContain(LOOKS_UP());
  });

  test('a stack in another region is found there, and nothing advises to deploy a second one', async () => {
    aws.state.region = 'eu-central-1';

    const findings = await diagnose();

    expect(reds(findings)).toEqual([
      `stack ${STACK} is not in account 123456789012, region eu-west-1; it is in eu-central-1 -> ` +
        'set "region" in the environment entry, or AWS_REGION, to that region',
    ]);
    expect(JSON.stringify(findings)).not.toContain('npm run deploy');
  });

  test('a region that gives no answer may hold the stack', async () => {
    aws.state.region = 'me-south-1';
    aws.state.closedRegions.add('me-south-1');

    const findings = await diagnose();

    expect(reds(findings)).toEqual([
      expect.stringContaining(
        '; other regions may hold it: 1 gave no answer (me-south-1) -> check the account and the region',
      ),
    ]);
    expect(JSON.stringify(findings)).not.toContain('npm run deploy');
  });

  test("a Node.js other than Lambda's is a warning", async () => {
    const options = { environment: 'nosuch', profile: undefined };
    const old = { now: () => NOW_MS, timeoutMs: 1000, nodeVersion: '22.18.0', expectStack: expectStackOnce };
    const [node] = await examine(options, old);

    expect(node).toEqual({
      status: 'warn',
      what: 'Node.js 22.18.0, where 24 is expected',
      advice: 'run npm ci, which brings it, or install it (.nvmrc)',
    });
  });
});

describe('a system that does not answer as it should', () => {
  const DEAD = 'http://127.0.0.1:9';

  test.each([
    ['a password that Secrets Manager generated', 'x7%kQ"hunter2'],
    ['half a client', '{"clientId":"hunter2"}'],
  ])(
    'a secret with %s is reported with the command that writes it; the rest of that system waits',
    async (_what, value) => {
      await putSecret('srm', value);

      const findings = await diagnose();

      expect(reds(findings)).toEqual([
        'the secret srm holds no { "clientId", "clientSecret" } yet -> write it with ' +
          'aws secretsmanager put-secret-value --secret-id srm --secret-string file:///dev/stdin',
      ]);
      expect(yellows(findings)).toEqual([
        'SRM token: not checked -> first correct the SRM secret',
        'SRM itself: not checked -> first correct the SRM secret',
      ]);
    },
  );

  test.each([
    [
      'which the deployment creates',
      true,
      /^the secret nowhere does not exist.* yet -> deploy, which creates it; write it/,
    ],
    [
      'which another team creates',
      false,
      /^the secret nowhere does not exist, or holds no .* yet -> write it with aws /,
    ],
  ])('a missing secret, %s, is reported', async (_what, createSecret, line) => {
    const file = environmentFile({ vms: { secretName: 'nowhere', createSecret } });
    await deployed(file);

    expect(reds(await diagnose(file))).toEqual([expect.stringMatching(line)]);
  });

  test('a token endpoint that refuses the client is reported with where to look', async () => {
    await putSecret('11vms', JSON.stringify({ clientId: 'interface-at-11vms', clientSecret: 'hunter2' }));
    const file = environmentFile({ owners: { vms: { name: '11VMS support', contact: '#vms' } } });
    await deployed(file);

    const findings = await diagnose(file);

    expect(reds(findings)).toEqual([
      `11VMS token: 11VMS token endpoint ${fixture.vms.tokenUrl} answered 401; check clientId and clientSecret in the ` +
        'secret 11vms, and the settings clientAuthentication, scope and tokenParameters of vms -> correct the secret ' +
        '11vms, vms.clientAuthentication ("basic"), vms.scope ("vms.purchase-orders.write") or vms.tokenParameters, together with the 11VMS team (11VMS support, #vms)',
    ]);
    expect(yellows(findings)).toEqual(['11VMS itself: not checked -> first correct the 11VMS token']);
  });

  test('a token endpoint that wants an audience is asked with it', async () => {
    const tokenParameters = { audience: 'https://vms.example.com/' };
    const vms = await startVms({ tokenParameters, clientId: 'interface', clientSecret: 'hunter2' });
    await putSecret('11vms', JSON.stringify({ clientId: vms.clientId, clientSecret: vms.clientSecret }));
    const { baseUrl, tokenUrl } = vms;

    const file = environmentFile({ vms: { baseUrl, tokenUrl, tokenParameters } });
    await deployed(file);
    const findings = await diagnose(file);
    await vms.close();

    expect(reds(findings)).toEqual([]);
  });

  test.each([
    [
      { lookUpBy: 'none' },
      '11VMS answers at {url}; vms.lookUpBy is "none", so that nothing more can be asked without creating an order',
    ],
    [
      { lookUpBy: '/orders/by/{externalId}', collectionPath: '/orders' },
      '11VMS looks orders up at {url} by /orders/by/{externalId}, and has none of an externalId that cannot exist; whether it also lets this client create, only an order shows',
    ],
  ])('an 11VMS of other settings is asked as they say: %j', async (settings, line) => {
    const vms = await startVms(settings);
    const { baseUrl, tokenUrl } = vms;
    const file = environmentFile({ vms: { baseUrl, tokenUrl, ...settings } });
    await deployed(file);
    const findings = await diagnose(file);
    const asked = vms.requests.map(({ operation }) => operation);
    await vms.close();

    expect(reds(findings)).toEqual([]);
    expect(findings.map(({ what }) => what)).toContain(line.replace('{url}', baseUrl));
    expect(asked).not.toContain('create');
  });

  test('a token endpoint that takes the client in the body is asked as the environment says', async () => {
    const vms = await startVms({ clientCheck: 'body', clientId: 'interface', clientSecret: 'p%41|$=+/:' });
    await putSecret('11vms', JSON.stringify({ clientId: vms.clientId, clientSecret: vms.clientSecret }));
    const { baseUrl, tokenUrl } = vms;

    const bodyFile = environmentFile({ vms: { baseUrl, tokenUrl, clientAuthentication: 'body' } });
    await deployed(bodyFile);
    const asBody = await diagnose(bodyFile);
    const basicFile = environmentFile({ vms: { baseUrl, tokenUrl } });
    await deployed(basicFile);
    const asBasic = await diagnose(basicFile);
    await vms.close();

    expect(reds(asBody)).toEqual([]);
    expect(reds(asBasic)).toEqual([expect.stringContaining('vms.clientAuthentication ("basic")')]);
  });

  test('a token endpoint that is not reachable is reported', async () => {
    const file = environmentFile({ srm: { tokenUrl: `${DEAD}/token` } });
    await deployed(file);

    expect(reds(await diagnose(file))).toEqual([
      `SRM token: SRM token endpoint ${DEAD}/token cannot be reached (ECONNREFUSED) -> ` +
        'check srm.tokenUrl in the environment entry, and whether this machine may reach it',
    ]);
  });

  test('SRM and 11VMS that are not reachable are both reported', async () => {
    const file = environmentFile({ srm: { baseUrl: DEAD }, vms: { baseUrl: DEAD } });
    await deployed(file);

    expect(reds(await diagnose(file))).toEqual([
      expect.stringMatching(
        /^SRM itself: SRM at 127\.0\.0\.1:9 cannot be read: .*ECONNREFUSED.* -> check srm\.baseUrl \(/,
      ),
      expect.stringMatching(/^11VMS itself: 11VMS cannot be reached \(ECONNREFUSED\) -> check vms\.baseUrl \(/),
    ]);
  });

  test('SRM and 11VMS that refuse the client are both reported', async () => {
    const refuse = ({ operation }: { operation: string }) =>
      operation === 'token' ? ({ kind: 'none' } as const) : ({ kind: 'status', status: 403 } as const);
    fixture.srm.setDisturbances(refuse);
    fixture.vms.setDisturbances(refuse);

    expect(reds(await diagnose())).toEqual([
      expect.stringMatching(/^SRM itself: SRM answered 403.* -> ask the SRM team to let this client in: srm\.scope/),
      expect.stringMatching(
        /^11VMS itself: 11VMS answered 403.* -> ask the 11VMS team to let this client in: vms\.scope/,
      ),
    ]);
  });

  test.each([
    ['SRM token', 'token', 401],
    ['SRM itself', 'page', 200],
    ['SRM itself', 'page', 403],
  ] as const)(
    'a page in place of %s (%s, %i) leads to its chapter, and away from the secret',
    async (line, page, status) => {
      fixture.srm.setDisturbances(({ operation }) =>
        operation === page ? { kind: 'status', status, body: 'sap-logon' } : { kind: 'none' },
      );

      expect(reds(await diagnose())).toEqual([
        expect.stringMatching(
          new RegExp(
            `^${line}: SRM .*answered ${status} with HTML in place of JSON .*; it looks like a logon page\\).* -> ` +
              'something before it answered: infra/runbook\\.md, "HTML where JSON was expected"$',
          ),
        ),
      ]);
    },
  );

  test('both systems have answered before the synthesis stops this process, so that none seems not to answer', async () => {
    let askedBefore: readonly string[] = [];
    fixture.vms.setDisturbances(({ operation }) => {
      if (operation === 'lookup') askedBefore = [...aws.operations];
      return { kind: 'none' };
    });
    await diagnose();

    expect(askedBefore).toEqual(['GetCallerIdentity']);
  });

  test('an SRM that is down is called once, not four times', async () => {
    fixture.srm.setDisturbances(({ operation }) =>
      operation === 'page' ? { kind: 'status', status: 503 } : { kind: 'none' },
    );

    expect(reds(await diagnose())).toEqual([expect.stringMatching(/^SRM itself: SRM answered 503/)]);
    expect(fixture.srm.traffic().requests.page).toBe(1);
  });
});

describe('a stack that does not process carts', () => {
  test.each([
    ['ROLLBACK_COMPLETE', 'fail', /read the stack's events .+, then npm run deploy .+, which deletes what is left/],
    ['UPDATE_ROLLBACK_FAILED', 'fail', /read the stack's events/],
    ['UPDATE_ROLLBACK_COMPLETE', 'warn', /the last deployment failed and the one before runs/],
    ['UPDATE_IN_PROGRESS', 'warn', /wait until the deployment has ended/],
  ] as const)('with status %s is %s', async (status, expected, advice) => {
    if (aws.state.stack !== undefined) aws.state.stack.status = status;

    const findings = await diagnose();

    expect(linesOf(findings, expected)).toEqual([expect.stringMatching(advice)]);
  });

  test('whose creation failed while it was protected names the command that lets CDK delete it', async () => {
    aws.state.stack = { status: 'ROLLBACK_COMPLETE', isProtected: true, outputs: {}, resources: [] };

    expect(reds(await diagnose())).toEqual([
      expect.stringContaining(
        'then aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name proc-srm7-11vms-purchase-order-v1-dev --region eu-west-1, then npm run deploy -- --env ',
      ),
    ]);
  });

  test('is not protected although its entry says so: the next deployment protects it', async () => {
    const findings = await diagnose(environmentFile({ operation: { terminationProtection: true } }));

    expect(yellows(findings)).toEqual([
      expect.stringMatching(/is UPDATE_COMPLETE, but not protected against deletion -> npm run deploy -- --env /),
    ]);
  });

  test('whose first deployment was rolled back is one red line, and its missing parts are not checked', async () => {
    aws.state.stack = { status: 'ROLLBACK_COMPLETE', outputs: {}, resources: [] };

    const findings = await diagnose();

    expect(reds(findings)).toHaveLength(1);
    expect(yellows(findings)).toHaveLength(10);
    expect(yellows(findings)[0]).toBe('resources: not checked -> first correct the stack');
  });

  test.each([
    [
      'OPEN',
      /^event source mapping is Disabled, by the circuit breaker\. Consumption is paused since 12:00 UTC: 11VMS answered 403\. 1 cart waits\. Last probe 12:00 UTC: 11VMS answered 503\. No trial yet\. Next trial within two minutes\. -> correct the cause \(infra\/runbook\.md, "consumption-paused"\); consumption resumes by itself/,
    ],
    [
      'FORCED_OPEN',
      /by the circuit breaker\. Consumption is paused since 12:00 UTC: 11VMS answered 403\. 1 cart waits\. Only a person ends this pause: .* -> once that is settled, invoke the supervisor function with \{ "consumption": "resume", "by": "<you>", "reason": "<why>" \}$/,
    ],
  ] as const)(
    'with consumption paused by the circuit breaker (%s) is reported with the reason and how they resume',
    async (state, line) => {
      setMapping({ State: 'Disabled' });
      const table = createLedgerTable(fixture.clients.dynamodb, fixture.tableName);
      const breaker = createBreakerRecord(table);
      await breaker.open(state, '11VMS answered 403', NOW_MS);
      await breaker.recordTrial({ lastProbe: { atMs: NOW_MS, answer: '11VMS answered 503' } });
      await fixture.clients.sqs.send(new SendMessageCommand({ QueueUrl: fixture.queueUrl, MessageBody: 'hunter2' }));

      expect(reds(await diagnose())).toEqual([expect.stringMatching(line)]);
    },
  );

  test.each([
    ['has nothing to say', undefined],
    ['is closed', 'CLOSED'],
  ])('with deliveries disabled while the breaker %s: a person disabled them', async (_what, state) => {
    setMapping({ State: 'Disabling' });
    if (state !== undefined) await putItem({ pk: 'BREAKER#11VMS', sk: 'BREAKER', state });

    expect(reds(await diagnose())).toEqual([
      'event source mapping is Disabling, and not by the circuit breaker: no order is created -> ' +
        `find out who disabled it and why, then enable the mapping ${MAPPING}`,
    ]);
  });

  test('with a mapping under change, or one that Lambda has trouble with, gets a warning', async () => {
    setMapping({ State: 'Enabling' });
    expect(yellows(await diagnose())).toEqual(['event source mapping is Enabling -> wait a minute, and ask again']);

    setMapping({ State: 'Enabled', LastProcessingResult: 'PROBLEM: Function call failed' });
    expect(yellows(await diagnose())).toEqual([
      expect.stringMatching(/^event source mapping is Enabled, but Lambda reports/),
    ]);
  });

  test('without a mapping, a schedule and a queue that were deleted by hand gets a line for each; the rest is checked', async () => {
    aws.state.mappings = {};
    Reflect.deleteProperty(aws.state.schedules, `our-group/${EXTRACTION_SCHEDULE}`);
    await fixture.clients.sqs.send(new DeleteQueueCommand({ QueueUrl: queues.failedInvocations }));

    const findings = await diagnose();

    expect(reds(findings)).toEqual([
      expect.stringMatching(
        /^event source mapping cannot be asked for \(ResourceNotFoundException\) -> .*npm run deploy/,
      ),
      expect.stringMatching(/^queues cannot be asked for \(\w*QueueDoesNotExist\) -> /),
      expect.stringMatching(
        /^schedule ExtractorScheduleFFF934B3 is deleted -> enable it in EventBridge Scheduler, or npm run deploy/,
      ),
    ]);
    expect(linesOf(findings, 'ok')).toContain('schedule SupervisorSchedule8C72204B is ENABLED');
  });

  test('without one of its outputs is of another version', async () => {
    if (aws.state.stack !== undefined) Reflect.deleteProperty(aws.state.stack.outputs, 'LedgerTableName');

    const missing = 'the stack has no output LedgerTableName: another version of it is deployed -> npm run deploy';
    expect(reds(await diagnose())).toEqual([
      expect.stringContaining(`event source mapping: ${missing}`),
      expect.stringContaining(`watermark: ${missing}`),
    ]);
  });

  test('without a key for its messages is red; a rotated one says that the previous key is still believed', async () => {
    const { secretsManager } = fixture.clients;
    await secretsManager.send(new CreateSecretCommand({ Name: 'no-key' }));
    const file = environmentFile();
    await deployed(file, NOW_MS, { MessageKeyArn: 'no-key' });
    expect(reds(await diagnose(file))).toEqual([
      'message key: its secret holds none, and no cart can be queued or ordered -> ' +
        'write one: infra/runbook.md, "Rotate the message key", step 2',
    ]);

    for (const key of ['one', 'two']) await putSecret('no-key', key);
    expect(linesOf(await diagnose(file), 'ok')).toContain(
      'message key: there is one, and the previous one is still believed',
    );
  });

  test('with a disabled schedule is reported', async () => {
    setSchedule({ State: 'DISABLED' });

    expect(reds(await diagnose())).toEqual([
      expect.stringMatching(/^schedule ExtractorScheduleFFF934B3 is DISABLED -> enable it/),
    ]);
  });

  test('with carts on both queues shows their counts; dead letters need a person', async () => {
    for (const url of [fixture.queueUrl, fixture.deadLetterUrl, fixture.deadLetterUrl]) {
      await fixture.clients.sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'hunter2' }));
    }

    const findings = await diagnose();

    expect(linesOf(findings, 'ok')).toContainEqual(
      expect.stringMatching(/^cart queue holds 1 carts, and 0 in delivery/),
    );
    expect(yellows(findings)).toEqual([
      expect.stringMatching(
        /^dead-letter queue holds 2 dead letters -> npm run carts -- --env \S+ --state dead-lettered says which carts need a person/,
      ),
    ]);
  });

  test('with an unconfirmed subscription is reported without its endpoint, which may hold a key', async () => {
    aws.state.subscriptions[PAGES] = [
      { protocol: 'email', endpoint: 'hunter2@x', arn: 'PendingConfirmation' },
      {
        protocol: 'https',
        endpoint: 'https://alerts.example/hunter2',
        arn: 'PendingConfirmation',
      },
      { protocol: 'https', endpoint: 'https://x/hunter2', arn: `${PAGES}:2` },
      { protocol: 'email', endpoint: 'hunter2@y', arn: 'Deleted' },
    ];

    const findings = await diagnose();

    expect(reds(findings)).toEqual([
      expect.stringMatching(
        /the email subscription of topic \w+Pages\w+ is not confirmed.* -> open the confirmation message/,
      ),
      expect.stringMatching(
        /the https subscription of topic \w+Pages\w+ is not confirmed.* -> request the confirmation again/,
      ),
    ]);
    expect(linesOf(findings, 'ok')).toContain(
      `notifications: the https subscription of topic ${PAGES.split(':').at(-1) ?? ''} is confirmed`,
    );
  });

  test('a topic without a subscription gets a warning: a first deployment needs none', async () => {
    aws.state.subscriptions[MAILS] = [];

    const findings = await diagnose();

    expect(yellows(findings)).toEqual([
      expect.stringMatching(/topic \w+Mails\w+ has no subscription -> set notifications in the environment entry/),
    ]);
    expect(reds(findings)).toEqual([]);
  });

  test('is reported red for each missing right, by the action that is missing', async () => {
    for (const operation of ['GetSchedule', 'ListSubscriptionsByTopic']) aws.state.denied.add(operation);

    expect(reds(await diagnose())).toEqual([
      expect.stringMatching(/^schedules cannot be asked for \(AccessDenied\w*: aws:GetSchedule\) -> check your rights/),
      expect.stringMatching(
        /^notifications cannot be asked for \(AccessDenied\w*: aws:ListSubscriptionsByTopic\) -> check/,
      ),
    ]);
  });

  test('is reported red for a call without an answer after the time limit, and the other checks still run', async () => {
    aws.state.silent.add('GetEventSourceMapping');

    const findings = await diagnose(environmentFile(), 5000);

    expect(reds(findings)).toEqual([
      expect.stringMatching(/^event source mapping: no answer in 5 s -> check the network/),
    ]);
  });
});

describe('what is deployed otherwise than the entry says', () => {
  const setFunction = (name: string, change: (configuration: Record<string, unknown>) => Record<string, unknown>) => {
    const before = aws.state.functions[name]?.configuration ?? {};
    aws.state.functions[name] = { configuration: { ...before, ...change(before) } };
  };
  const variablesOf = (configuration: Record<string, unknown>): Record<string, string> => {
    const { Environment: environment } = configuration;
    return z.object({ Variables: z.record(z.string(), z.string()) }).parse(environment).Variables;
  };
  const setVariables = (name: string, change: Record<string, string | undefined>) =>
    setFunction(name, (configuration) => ({
      Environment: { Variables: JSON.parse(JSON.stringify({ ...variablesOf(configuration), ...change })) },
    }));
  const setQueue = (url: string, attributes: Record<string, string>) =>
    fixture.clients.sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: attributes }));

  test('the entry gives the addresses of the resources as they are deployed', () => {
    expect(variablesOf(aws.state.functions['worker']?.configuration ?? {})).toMatchObject({
      QUEUE_URL: fixture.queueUrl,
      TABLE_NAME: fixture.tableName,
      MAX_RECEIVE_COUNT: '4',
    });
    expect(variablesOf(aws.state.functions['supervisor']?.configuration ?? {})).toMatchObject({
      EVENT_SOURCE_MAPPING: MAPPING,
      WORKER_FUNCTION: 'worker',
    });
  });

  test('a function with other variables names each of them, and shows no text that somebody typed', async () => {
    setVariables('worker', { RETRY_BASE_SECONDS: '5', VMS_SCOPE: 'hunter2', ADDED: 'hunter2', SRM_SECRET: undefined });

    expect(reds(await diagnose())).toEqual([
      'worker differs: ADDED is another value, and the entry says nothing of it; ' +
        'RETRY_BASE_SECONDS is 5, and the entry says 30; SRM_SECRET is not set, and the entry says srm; ' +
        'VMS_SCOPE is another value, and the entry says vms.purchase-orders.write -> ' +
        `find out who changed it and why; then correct the entry, or npm run deploy -- --env ${join(directory, 'dev.json')}`,
    ]);
  });

  test('a setting that is deployed together with others is named alone', async () => {
    const headers = { 'X-Tenant': 'acme' };
    await deployed(environmentFile({ srm: { headers, fields: { ObjectId: 'ScNumber' } } }));

    const entry = environmentFile({ srm: { headers, tokenParameters: { audience: 'srm' }, expand: ['Texts'] } });
    const [extractor = ''] = reds(await diagnose(entry));

    expect(extractor).toMatch(
      /^extractor differs: SRM_DIFFERENCES\.expand is not set, and the entry says \["Texts"\]; SRM_DIFFERENCES\.fields is another value, and the entry says nothing of it; SRM_DIFFERENCES\.tokenParameters is not set, and the entry says \{"audience":"srm"\} -> /,
    );
  });

  test('an entry that was changed and not deployed is seen at every function that reads it', async () => {
    expect(reds(await diagnose(environmentFile({ srm: { timeoutSeconds: 20 } })))).toEqual(
      ['extractor', 'worker', 'reconciler'].map((name) =>
        expect.stringMatching(`^${name} differs: SRM_TIMEOUT_MS is 15000, and the entry says 20000 -> `),
      ),
    );
  });

  test('a function with another time-out and memory is named', async () => {
    setFunction('supervisor', () => ({ Timeout: 3, MemorySize: 128 }));

    expect(reds(await diagnose())).toEqual([
      expect.stringMatching(
        /^supervisor differs: timeout is 3, and the entry says 80; memory is 128, and the entry says 256 ->/,
      ),
    ]);
  });

  test.each([
    [
      0,
      'fail',
      /^worker has a reserved concurrency of 0: it cannot run -> .*delete-function-concurrency --function-name worker/,
    ],
    [3, 'warn', /^worker has a reserved concurrency of 3: Lambda throttles/],
  ] as const)('a reserved concurrency of %d is %s', async (reservedConcurrency, status, line) => {
    aws.state.functions['worker'] = { configuration: {}, ...aws.state.functions['worker'], reservedConcurrency };

    expect(linesOf(await diagnose(), status)).toEqual([expect.stringMatching(line)]);
  });

  test('a function whose last update failed is named', async () => {
    setFunction('worker', () => ({ LastUpdateStatus: 'Failed', LastUpdateStatusReasonCode: 'ImageDeleted' }));

    expect(reds(await diagnose())).toEqual([expect.stringMatching(/^worker is not usable: ImageDeleted -> /)]);
  });

  test.each([
    [
      'shorter retention',
      { MessageRetentionPeriod: '3600' },
      /^cart queue differs: retention \(seconds\) is 3600, and the entry says 345600 ->/,
    ],
    [
      'no redrive policy',
      { RedrivePolicy: '' },
      /^cart queue differs: redrive policy is not set, and the entry says \{"deadLetterTargetArn":/,
    ],
    [
      'a shorter visibility time-out',
      { VisibilityTimeout: '30' },
      /^cart queue differs: visibility time-out \(seconds\) is 30, and the entry says 360 ->/,
    ],
  ])('a cart queue with %s is named', async (_what, attributes, line) => {
    await setQueue(fixture.queueUrl, attributes);

    expect(reds(await diagnose())).toEqual([expect.stringMatching(line)]);
  });

  test('a dead-letter queue that deletes early is named', async () => {
    await setQueue(fixture.deadLetterUrl, { MessageRetentionPeriod: '86400' });

    expect(reds(await diagnose())).toEqual([
      expect.stringMatching(
        /^dead-letter queue differs: retention \(seconds\) is 86400, and the entry says 1209600 ->/,
      ),
    ]);
  });

  test('a mapping with another batch size, another concurrency, and without partial answers is named', async () => {
    setMapping({ BatchSize: 1, ScalingConfig: { MaximumConcurrency: 50 }, FunctionResponseTypes: [] });

    expect(reds(await diagnose())).toEqual([
      expect.stringMatching(
        /^event source mapping differs: batch size is 1, and the entry says 10; maximum concurrency is 50, and the entry says 2; response types is another value, and the entry says \["ReportBatchItemFailures"\] ->/,
      ),
    ]);
  });

  test('a schedule with another expression is named', async () => {
    setSchedule({ ScheduleExpression: 'rate(1 day)' });

    expect(reds(await diagnose())).toEqual([
      expect.stringMatching(
        /^schedule ExtractorScheduleFFF934B3 differs: expression is another value, and the entry says rate\(5 minutes\) ->/,
      ),
    ]);
  });

  test('value maps of another content are named by number and fingerprint, and the deployment with them', async () => {
    if (aws.state.stack !== undefined) {
      aws.state.stack.outputs['ValueMaps'] = 'businessUnit 3 0a1b2c3d';
      aws.state.stack.outputs['Deployment'] = 'version 1.0.0, commit 0123456789ab, at 2026-12-01T08:00:00Z, by x';
    }

    const findings = await diagnose();

    expect(reds(findings)).toEqual([
      expect.stringMatching(
        /^value maps differ: deployed are businessUnit 3 0a1b2c3d; the entry has businessUnit 1 [0-9a-f]{8}, .* -> npm run deploy -- --env \S+ --diff shows them/,
      ),
    ]);
    expect(linesOf(findings, 'ok')).toContain(
      'deployment: version 1.0.0, commit 0123456789ab, at 2026-12-01T08:00:00Z, by x',
    );
  });

  test('a stack of a version without one of the resources is named', async () => {
    if (aws.state.stack !== undefined)
      aws.state.stack.resources = aws.state.stack.resources.filter(({ type }) => type !== 'AWS::SNS::TopicPolicy');

    expect(reds(await diagnose())).toEqual([
      expect.stringMatching(
        /^resources: the stack lacks 2 of \d+: \w+ \(AWS::SNS::TopicPolicy\), \w+ \(AWS::SNS::TopicPolicy\) -> /,
      ),
    ]);
  });
});

describe('illness', () => {
  const count = (metric: string, name: string, value: number, minutesAgo = 10) =>
    aws.state.datapoints.push({ metric, of: [name], atMs: NOW_MS - minutesAgo * 60_000, value });
  const alarm = (name: string, change: Partial<SimulatedAlarm>) => {
    aws.state.alarms = aws.state.alarms.map((one) => (one.name === `${STACK}-${name}` ? { ...one, ...change } : one));
  };

  test('a page in ALARM is red, a mail is yellow; each names its place in the runbook', async () => {
    alarm('orders-stopped', { state: 'ALARM' });
    alarm('new-dead-letter', { state: 'ALARM' });

    const findings = await diagnose();

    expect(reds(findings)).toEqual([
      'alarm orders-stopped is in ALARM since 2026-12-10T11:30Z -> read orders-stopped in infra/runbook.md',
    ]);
    expect(yellows(findings)).toEqual([
      'alarm new-dead-letter is in ALARM since 2026-12-10T11:30Z -> read new-dead-letter in infra/runbook.md',
    ]);
  });

  test('an alarm whose actions are disabled, or that was deleted, is red: it sends nothing', async () => {
    alarm('worker-failing', { isEnabled: false });
    aws.state.alarms = aws.state.alarms.filter(({ name }) => !name.endsWith('-no-extraction'));

    expect(reds(await diagnose()).toSorted()).toEqual([
      expect.stringMatching(/^alarm no-extraction does not exist -> /),
      `alarm worker-failing has its actions disabled: it sends nothing -> find out who disabled them and why, then aws cloudwatch enable-alarm-actions --alarm-names ${STACK}-worker-failing`,
    ]);
  });

  test('a function that failed in most invocations is red, in a few yellow; what is older than an hour is not counted', async () => {
    count('Errors', 'worker', 7);
    count('Errors', 'extractor', 1);
    count('Errors', 'reconciler', 5, 90);
    // It refuses an operator, who sees why.
    count('Errors', 'redriver', 7);

    const findings = await diagnose();

    expect(reds(findings)).toEqual([
      'worker failed in 7 of 7 invocations of the last hour -> read its log for the reason (infra/runbook.md, "worker-crashed")',
    ]);
    expect(yellows(findings)).toEqual([
      'extractor failed in 1 of 7 invocations of the last hour -> read its log for the reason (infra/runbook.md, "scheduled-run-failed")',
      'redriver failed in 7 of 7 invocations of the last hour -> read its log for the reason',
    ]);
  });

  test('a throttled function is yellow', async () => {
    count('Throttles', 'worker', 12);

    expect(yellows(await diagnose())).toEqual([
      expect.stringMatching(/^worker was throttled 12 times in the last hour -> .*"functions-throttled"/),
    ]);
  });

  test.each(['OPEN', 'FORCED_OPEN'] as const)(
    'a mapping that is Enabled while the breaker is %s is red once the supervisor should have disabled it',
    async (state) => {
      const table = createLedgerTable(fixture.clients.dynamodb, fixture.tableName);
      const breaker = createBreakerRecord(table);
      await breaker.open(state, '11VMS answered 403', NOW_MS - 60_000);
      expect(yellows(await diagnose())).toEqual([
        expect.stringMatching(/^event source mapping is Enabled while .* -> the supervisor disables it/),
      ]);

      await breaker.force('paused by hand', NOW_MS - 10 * 60_000);
      expect(reds(await diagnose())).toEqual([
        'event source mapping is Enabled while the circuit breaker is FORCED_OPEN (paused by hand): carts are tried that should wait -> ' +
          'find out why the supervisor does not disable it: read its log (infra/runbook.md, "consumption-paused")',
      ]);
    },
  );

  test.each([
    ['failedInvocations', /^queue of failed invocations holds 1 runs that failed -> .*"scheduled-run-failed"/],
    [
      'undeliveredPages',
      /^queue of undelivered pages holds 1 pages that PagerDuty did not take -> .*"pages-undelivered"/,
    ],
  ] as const)('a message on the queue %s is yellow', async (queue, line) => {
    await fixture.clients.sqs.send(new SendMessageCommand({ QueueUrl: queues[queue], MessageBody: 'hunter2' }));

    expect(yellows(await diagnose())).toEqual([expect.stringMatching(line)]);
  });

  test('a backlog on the cart queue is yellow', async () => {
    const file = environmentFile({ notifications: { thresholds: { backlog: 1 } } });
    await deployed(file);
    await fixture.clients.sqs.send(new SendMessageCommand({ QueueUrl: fixture.queueUrl, MessageBody: 'hunter2' }));

    expect(yellows(await diagnose(file))).toEqual([
      expect.stringMatching(/^cart queue holds 1 carts, .*: a backlog -> /),
    ]);
  });

  test.each([
    ['extraction', 'ExtractionCompleted', 25],
    ['reconciliation', 'ReconciliationCompleted', 27 * 60],
    ['supervision', 'ConsumptionPaused', 21],
  ])('a job that succeeded last too long ago, such as the %s, is red', async (name, metric, minutesAgo) => {
    aws.state.datapoints = aws.state.datapoints.map((point) =>
      point.metric === metric ? { ...point, atMs: NOW_MS - minutesAgo * 60_000 } : point,
    );

    expect(reds(await diagnose())).toEqual([
      expect.stringMatching(
        new RegExp(`^${name} last succeeded at 2026-12-\\S+: it is overdue -> read its log \\(infra/runbook.md, `),
      ),
    ]);
  });

  test('a job that never succeeded is red, except in a stack that is too new for it', async () => {
    aws.state.datapoints = aws.state.datapoints.filter(({ metric }) => metric !== 'ReconciliationCompleted');
    expect(reds(await diagnose())).toEqual([
      expect.stringMatching(/^reconciliation has not succeeded in 7 days: it is overdue -> /),
    ]);

    aws.state.stackCreatedMs = NOW_MS - 3_600_000;
    const findings = await diagnose();
    expect(reds(findings)).toEqual([]);
    expect(linesOf(findings, 'ok')).toContain('reconciliation is not due yet');
  });

  test.each([
    [
      'is missing',
      undefined,
      /^notifications: the secret pagerduty holds no key of PagerDuty -> write it with aws .* then deploy/,
    ],
    [
      'is JSON',
      '{"key":"hunter2"}',
      /^notifications: the secret pagerduty must hold the key of PagerDuty, 32 characters, and nothing else: no JSON and/,
    ],
  ])('a key of PagerDuty that %s is red', async (_what, value, line) => {
    if (value !== undefined)
      await fixture.clients.secretsManager.send(new CreateSecretCommand({ Name: 'pagerduty', SecretString: value }));
    const file = environmentFile({ notifications: { pagerDuty: { routingKeySecretName: 'pagerduty' } } });
    await deployed(file);

    expect(reds(await diagnose(file))).toEqual([expect.stringMatching(line)]);
  });

  test('a key of PagerDuty that is there is ok, and not shown', async () => {
    const key = 'hunter2hunter2hunter2hunter2hunt';
    await fixture.clients.secretsManager.send(new CreateSecretCommand({ Name: 'pagerduty', SecretString: key }));
    const file = environmentFile({ notifications: { pagerDuty: { routingKeySecretName: 'pagerduty' } } });
    await deployed(file);

    expect(linesOf(await diagnose(file), 'ok')).toContain(
      'notifications: the secret pagerduty holds a key of PagerDuty',
    );
  });
});

describe('Grafana', () => {
  test('is asked for the dashboard of this version, where the entry names one', async () => {
    const grafana = await startGrafana();
    try {
      const secret = { Name: 'acme/grafana', SecretString: grafana.token };
      await fixture.clients.secretsManager.send(new CreateSecretCommand(secret));
      const settings = { url: grafana.url, tokenSecretName: secret.Name };
      const file = environmentFile({ grafana: settings });
      const ofGrafana = async () => (await diagnose(file)).filter(({ what }) => what.includes('Grafana'));

      expect(await ofGrafana()).toEqual([
        { status: 'warn', what: `Grafana at ${grafana.url} does not have the dashboard`, advice: expect.any(String) },
      ]);
      const { secretsManager } = fixture.clients;
      await openGrafana(settings, secretsManager, { timeoutMs: 5000, now: Date.now }).push();
      expect(await ofGrafana()).toEqual([
        { status: 'ok', what: `Grafana at ${grafana.url} has the dashboard of this version` },
      ]);
      await putSecret('acme/grafana', 'glsa_of_yesterday');
      expect(await ofGrafana()).toEqual([
        { status: 'fail', what: expect.stringContaining('401'), advice: expect.stringContaining('acme/grafana') },
      ]);
    } finally {
      await grafana.close();
    }
  });
});

describe('the watermark', () => {
  const watermarkLine = (findings: readonly Finding[]) => findings.find(({ what }) => what.startsWith('watermark'));

  test.each([
    ['rate(5 minutes)', NOW_MS - 19 * 60_000, 'ok'],
    ['rate(5 minutes)', NOW_MS - 21 * 60_000, 'fail'],
    ['cron(0 6 * * ? *)', NOW_MS - 2 * 24 * 3_600_000, 'ok'],
    ['cron(0 6 * * ? *)', NOW_MS - 4 * 24 * 3_600_000, 'fail'],
  ])('with %s that stands at %d is %s: three runs may miss it', async (schedule, watermarkMs, status) => {
    await putItem({ pk: 'WATERMARK#100', sk: 'WATERMARK', watermarkMs });

    expect(watermarkLine(await diagnose(environmentFile({ extraction: { schedule } })))?.status).toBe(status);
  });

  test.each([
    [
      '2026-12-11T00:00:00Z',
      { status: 'ok', what: 'watermark: nothing is read before the first watermark, 2026-12-11T00:00:00Z' },
    ],
    [
      '2026-12-01T00:00:00Z',
      {
        status: 'warn',
        what: 'watermark: nothing has been read since the first watermark, 2026-12-01T00:00:00Z',
        advice: 'find out why its runs fail (infra/runbook.md, "no-extraction")',
      },
    ],
  ])('that does not exist yet, with reading from %s, is reported', async (firstWatermark, line) => {
    await putItem({ pk: 'WATERMARK#100', sk: 'WATERMARK' });

    expect(watermarkLine(await diagnose(environmentFile({ extraction: { firstWatermark } })))).toEqual(line);
  });

  test('that lies before a first watermark raised later is red: there is a gap', async () => {
    const raised = environmentFile({ extraction: { firstWatermark: '2026-12-10T11:55:00Z' } });

    expect(watermarkLine(await diagnose(raised))).toEqual({
      status: 'fail',
      what:
        'watermark: SRM is read up to 2026-12-10T11:54:00Z, and the next run starts at 2026-12-10T11:55:00Z: ' +
        'what changed between is not read',
      advice: 'lower extraction.firstWatermark to what it was, and deploy again',
    });
  });
});

describe('npm run doctor', () => {
  async function run(args: readonly string[]) {
    const child = spawn(process.execPath, ['infra/doctor/main.ts', ...args], {
      cwd: root,
      env: process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
    });
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('close', resolve);
    });
    const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { stdout, stderr, status };
  }

  test('--help prints what it does, and exits 0', async () => {
    expect(await run(['--help'])).toEqual({ stdout: HELP, stderr: '', status: 0 });
  });

  test.each([
    ['no environment', [], 'Which environment? Add --env NAME, or --env ./file.json.\nSee npm run doctor -- --help.'],
    ['an unknown option', ['--fix'], "Unknown option '--fix'"],
  ])('with %s prints the mistake, and exits 1', async (_what, args, message) => {
    const { stdout, stderr, status } = await run(args);

    expect({ stdout, status }).toEqual({ stdout: '', status: 1 });
    expect(stderr).toContain(message);
  });

  test('prints a line for each finding, its advice after an arrow, and exits 1 when there is a FAIL', async () => {
    await deployed(environmentFile(), Date.now());
    setSchedule({ State: 'DISABLED' });
    await putItem({ pk: 'WATERMARK#100', sk: 'WATERMARK', watermarkMs: Date.now() });

    const { stdout, stderr, status } = await run(['--env', environmentFile()]);
    expect(stderr).toBe('');

    expect(stdout).toMatch(/^ok {4}Node\.js \d/);
    expect(stdout).toMatch(
      /^FAIL {2}schedule ExtractorScheduleFFF934B3 is DISABLED {2}-> enable it in EventBridge Scheduler, or /m,
    );
    expect(stdout).toMatch(/\n\n\d+ ok, \d WARN, 1 FAIL\n$/);
    expect(status).toBe(1);
  });

  test('--json prints one line for a machine: a warning is not healthy, and exits 0 as nothing is red', async () => {
    await putItem({ pk: 'WATERMARK#100', sk: 'WATERMARK', watermarkMs: Date.now() });
    const file = environmentFile();
    await deployed(file, Date.now());
    aws.state.subscriptions = {};

    const { stdout, stderr, status } = await run(['--env', file, '--json']);

    expect(stdout.split('\n')).toHaveLength(2);
    expect(JSON.parse(stdout)).toMatchObject({
      environment: file,
      healthy: false,
      findings: expect.arrayContaining([
        { status: 'ok', what: 'dead-letter queue is empty' },
        {
          status: 'warn',
          what: expect.stringMatching(/^notifications: topic \w+ has no subscription$/),
          advice: 'set notifications in the environment entry, then deploy again',
        },
      ]),
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});

describe('with Splunk, Elastic and Cloud ALM', () => {
  let cloudAlm: CloudAlmSimulator;
  const logForwarding = {
    splunk: { hecUrl: 'https://http-inputs-firehose-acme.splunkcloud.com:443', secretName: 'splunk' },
    elastic: { url: 'https://acme.es.eu-west-1.aws.found.io', secretName: 'elastic' },
  };
  const SECRETS = { splunk: '{"hec_token":"hunter2"}', elastic: '{"api_key":"hunter2"}' };
  beforeEach(async () => {
    cloudAlm = await startCloudAlm(() => new Date(NOW_MS));
    const { clientId, clientSecret } = cloudAlm;
    const secrets = { ...SECRETS, 'cloud-alm': JSON.stringify({ clientId, clientSecret }) };
    for (const [Name, SecretString] of Object.entries(secrets)) {
      await fixture.clients.secretsManager.send(new CreateSecretCommand({ Name, SecretString }));
    }
  });
  afterEach(() => cloudAlm.close());

  const file = (): string => {
    const { apiUrl, tokenUrl, serviceId } = cloudAlm;
    return environmentFile({ logForwarding, cloudAlm: { apiUrl, tokenUrl, serviceId, secretName: 'cloud-alm' } });
  };
  async function diagnoseAll(): Promise<readonly Finding[]> {
    const findings = await diagnose(file());
    for (const secret of [cloudAlm.clientId, cloudAlm.clientSecret, 'alm-1']) {
      expect(JSON.stringify(findings)).not.toContain(secret);
    }
    return findings;
  }

  test('each has an ok line, and Cloud ALM says what it understood of the metrics, which it does not keep', async () => {
    await deployed(file());
    const findings = await diagnoseAll();

    expect([...reds(findings), ...yellows(findings)]).toEqual([]);
    const lines = linesOf(findings, 'ok');
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^reporter is deployed as the entry says, with \d+ variables$/),
        'log forwarding: the secret splunk holds "hec_token"',
        'log forwarding: the secret elastic holds "api_key"',
        'log forwarding: all 12 subscriptions of 6 log groups are there; a log group takes two, so that no other can be added',
        expect.stringMatching(
          /^Cloud ALM takes the metrics of acme-orders, and keeps none of this test; it understood: \{"authorization":"\*\*\*","understood":\[\{"name":"orders\.created","value":0,"rating":"ok"\}/,
        ),
      ]),
    );
    expect(cloudAlm.taken.map(({ isDevelopment }) => isDevelopment)).toEqual([true]);
    // Without the subscriptions of Elastic there is room for another.
    aws.state.subscriptionFilters = {};
    expect(reds(await diagnoseAll())).toEqual([
      expect.stringMatching(
        /^log forwarding: subscriptions are missing or changed: \w+ to LogForwardingSplunk\w+; .* -> find out who removed them; npm run deploy/,
      ),
    ]);
  });

  test('what is missing of them is a red line with what to do', async () => {
    await deployed(file());
    await putSecret('splunk', '{"token":"hunter2"}');
    await putSecret('elastic', 'hunter2');
    cloudAlm.setClient('another', 'client');

    expect(reds(await diagnoseAll())).toEqual([
      'log forwarding: the secret splunk holds no "hec_token": Firehose can deliver nothing -> aws secretsmanager put-secret-value --secret-id splunk --secret-string file:///dev/stdin, which reads { "hec_token": "..." } from standard input; no deployment is needed',
      expect.stringMatching(/^log forwarding: the secret elastic holds no "api_key".* file:\/\/\/dev\/stdin/),
      expect.stringMatching(
        /^Cloud ALM token endpoint .* answered 401; check clientId and clientSecret in the secret cloud-alm -> Check the service key in the secret of cloudAlm/,
      ),
    ]);
  });
});
