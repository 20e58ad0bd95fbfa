/** The doctor at a deployed environment: each thing that can be wrong is one line, with what to do, and no secret. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { marshall } from '@aws-sdk/util-dynamodb';
import { examine } from '../../../infra/doctor/doctor.ts';
import type { Finding } from '../../../infra/doctor/finding.ts';
import { HELP } from '../../../infra/doctor/options.ts';
import { ENVIRONMENTS } from '../../../infra/environments.ts';
import { createBreakerRecord } from '../../../shared/circuit-breaker.ts';
import { createLedgerTable } from '../../../shared/ledger-table.ts';
import { openFixture, type Fixture } from '../fixture.ts';
import { type AwsSimulator, startAwsSimulator } from '../aws-simulator.ts';
import { startVms } from '../../simulators/vms.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:alarms';
const MAPPING = '11111111-2222-3333-4444-555555555555';
const STACK = 'proc-srm7-11vms-purchase-order-v1-dev';
const NOW_MS = Date.parse('2026-12-10T12:00:00Z');

let directory: string;
let aws: AwsSimulator;
let fixture: Fixture;
let variablesBefore: NodeJS.ProcessEnv;

beforeEach(async () => {
  variablesBefore = { ...process.env };
  directory = mkdtempSync(join(tmpdir(), 'doctor-'));
  [aws, fixture] = await Promise.all([startAwsSimulator(), openFixture()]);
  Object.assign(process.env, aws.variables, { AWS_EC2_METADATA_DISABLED: 'true', HOME: directory });
  aws.state.stack = {
    status: 'UPDATE_COMPLETE',
    outputs: {
      QueueUrl: fixture.queueUrl,
      DeadLetterQueueUrl: fixture.deadLetterUrl,
      LedgerTableName: fixture.tableName,
    },
    resources: [
      { type: 'AWS::Lambda::EventSourceMapping', physicalId: MAPPING },
      { type: 'AWS::Scheduler::ScheduleGroup', physicalId: 'our-group' },
      { type: 'AWS::Scheduler::Schedule', physicalId: 'our-schedule' },
      { type: 'AWS::SNS::Topic', physicalId: TOPIC },
    ],
  };
  aws.state.mappings[MAPPING] = { State: 'Enabled', LastProcessingResult: 'OK' };
  aws.state.schedules['our-group/our-schedule'] = 'ENABLED';
  aws.state.subscriptions[TOPIC] = [{ protocol: 'email', endpoint: 'p@x', arn: `${TOPIC}:1` }];
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

/** The dev entry on the simulators, with changes. */
function environmentFile(
  change: { srm?: object; vms?: object; extraction?: object; operation?: object; account?: string } = {},
): string {
  const dev = ENVIRONMENTS['dev'];
  const path = join(directory, 'dev.json');
  const entry = {
    ...dev,
    region: 'eu-west-1',
    ...(change.account === undefined ? {} : { account: change.account }),
    ...(change.operation === undefined ? {} : { operation: change.operation }),
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
  const examination = { now: () => NOW_MS, timeoutMs, nodeVersion: '24.21.0' };
  const findings = await examine({ environment, profile: undefined }, examination);
  const shown = JSON.stringify(findings);
  for (const secret of [fixture.srm.clientSecret, fixture.vms.clientSecret, 'hunter2', 'srm7-token', '11vms-token']) {
    expect(shown).not.toContain(secret);
  }
  return findings;
}
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
      `11VMS looks orders up at ${fixture.vms.baseUrl}`,
      `stack ${STACK} is UPDATE_COMPLETE`,
      'event source mapping is Enabled',
      'cart queue holds 0 carts, and 0 in delivery or waiting for a retry',
      'dead-letter queue is empty',
      'schedule our-schedule is ENABLED',
      'notifications: the email subscription of topic alarms is confirmed',
      'watermark: SRM is read up to 2026-12-10T11:54:00Z',
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
      'DescribeStacks',
      'GetCallerIdentity',
      'GetEventSourceMapping',
      'GetSchedule',
      'ListStackResources',
      'ListSubscriptionsByTopic',
    ]);
    expect(fixture.vms.orders()).toEqual([]);
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

  test('a missing stack is reported with the commands for bootstrap and deployment; secrets and systems are checked all the same', async () => {
    aws.state.stack = undefined;

    const file = environmentFile();
    const findings = await diagnose(file);

    expect(reds(findings)).toEqual([
      `stack ${STACK} is not deployed in account 123456789012, region eu-west-1 -> npm run deploy -- --env ${file} ` +
        '(once for an account and region before: npx cdk bootstrap ' +
        `aws://123456789012/eu-west-1 -c env=${file})`,
    ]);
    expect(yellows(findings)).toHaveLength(6);
    expect(linesOf(findings, 'ok')).toContain(`11VMS looks orders up at ${fixture.vms.baseUrl}`);
  });

  test("a Node.js other than Lambda's is a warning", async () => {
    const options = { environment: 'nosuch', profile: undefined };
    const [node] = await examine(options, { now: () => NOW_MS, timeoutMs: 1000, nodeVersion: '22.18.0' });

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
          'aws secretsmanager put-secret-value --secret-id srm --secret-string file://client.json',
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
    const findings = await diagnose(environmentFile({ vms: { secretName: 'nowhere', createSecret } }));

    expect(reds(findings)).toEqual([expect.stringMatching(line)]);
  });

  test('a token endpoint that refuses the client is reported with where to look', async () => {
    await putSecret('11vms', JSON.stringify({ clientId: 'interface-at-11vms', clientSecret: 'hunter2' }));

    const findings = await diagnose();

    expect(reds(findings)).toEqual([
      `11VMS token: 11VMS token endpoint ${fixture.vms.tokenUrl} answered 401; check clientId and clientSecret in the ` +
        'secret 11vms, and the setting vms.clientAuthentication -> correct the secret 11vms, vms.clientAuthentication ("basic") or vms.scope ' +
        '("vms.purchase-orders.write"), together with those who run 11VMS',
    ]);
    expect(yellows(findings)).toEqual(['11VMS itself: not checked -> first correct the 11VMS token']);
  });

  test('a token endpoint that takes the client in the body is asked as the environment says', async () => {
    const vms = await startVms({ clientCheck: 'body', clientId: 'interface', clientSecret: 'p%41|$=+/:' });
    await putSecret('11vms', JSON.stringify({ clientId: vms.clientId, clientSecret: vms.clientSecret }));
    const { baseUrl, tokenUrl } = vms;

    const asBody = await diagnose(environmentFile({ vms: { baseUrl, tokenUrl, clientAuthentication: 'body' } }));
    const asBasic = await diagnose(environmentFile({ vms: { baseUrl, tokenUrl } }));
    await vms.close();

    expect(reds(asBody)).toEqual([]);
    expect(reds(asBasic)).toEqual([expect.stringContaining('vms.clientAuthentication ("basic")')]);
  });

  test('a token endpoint that is not reachable is reported', async () => {
    expect(reds(await diagnose(environmentFile({ srm: { tokenUrl: `${DEAD}/token` } })))).toEqual([
      `SRM token: SRM token endpoint ${DEAD}/token cannot be reached (ECONNREFUSED) -> ` +
        'check srm.tokenUrl in the environment entry, and whether this machine may reach it',
    ]);
  });

  test('SRM and 11VMS that are not reachable are both reported', async () => {
    const findings = await diagnose(environmentFile({ srm: { baseUrl: DEAD }, vms: { baseUrl: DEAD } }));

    expect(reds(findings)).toEqual([
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
      expect.stringMatching(
        /^SRM itself: SRM answered 403.* -> ask those who run SRM to let this client in: srm\.scope/,
      ),
      expect.stringMatching(
        /^11VMS itself: 11VMS answered 403.* -> ask those who run 11VMS to let this client in: vms\.scope/,
      ),
    ]);
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
    expect(yellows(findings)).toHaveLength(6);
    expect(yellows(findings)[0]).toBe('event source mapping: not checked -> first correct the stack');
  });

  test.each([
    [
      'OPEN',
      /the circuit breaker has paused deliveries \(11VMS answered 403\) -> correct the cause; consumption resumes by itself/,
    ],
    [
      'FORCED_OPEN',
      /deliveries are paused until a person resumes them \(11VMS answered 403\) -> .*invoke the supervisor function with \{ "consumption": "resume" \}$/,
    ],
  ] as const)(
    'with deliveries paused by the circuit breaker (%s) is reported with the reason and how they resume',
    async (state, line) => {
      aws.state.mappings[MAPPING] = { State: 'Disabled' };
      const table = createLedgerTable(fixture.clients.dynamodb, fixture.tableName);
      await createBreakerRecord(table).open(state, '11VMS answered 403', NOW_MS);

      expect(reds(await diagnose())).toEqual([expect.stringMatching(line)]);
    },
  );

  test.each([
    ['has nothing to say', undefined],
    ['is closed', 'CLOSED'],
  ])('with deliveries disabled while the breaker %s: a person disabled them', async (_what, state) => {
    aws.state.mappings[MAPPING] = { State: 'Disabling' };
    if (state !== undefined) await putItem({ pk: 'BREAKER#11VMS', sk: 'BREAKER', state });

    expect(reds(await diagnose())).toEqual([
      'event source mapping is Disabling, and not by the circuit breaker: no order is created -> ' +
        `find out who disabled it and why, then enable the mapping ${MAPPING}`,
    ]);
  });

  test('with a mapping under change, or one that Lambda has trouble with, gets a warning', async () => {
    aws.state.mappings[MAPPING] = { State: 'Enabling' };
    expect(yellows(await diagnose())).toEqual(['event source mapping is Enabling -> wait a minute, and ask again']);

    aws.state.mappings[MAPPING] = { State: 'Enabled', LastProcessingResult: 'PROBLEM: Function call failed' };
    expect(yellows(await diagnose())).toEqual([
      expect.stringMatching(/^event source mapping is Enabled, but Lambda reports/),
    ]);
  });

  test('without a mapping, a schedule and a queue that were deleted by hand gets a line for each; the rest is checked', async () => {
    aws.state.mappings = {};
    aws.state.schedules = {};
    if (aws.state.stack !== undefined) aws.state.stack.outputs['QueueUrl'] = `${fixture.queueUrl}-gone`;

    const findings = await diagnose();

    expect(reds(findings)).toEqual([
      expect.stringMatching(
        /^event source mapping cannot be asked for \(ResourceNotFoundException\) -> .*npm run deploy/,
      ),
      expect.stringMatching(/^cart queue cannot be asked for \(\w*QueueDoesNotExist\) -> /),
      expect.stringMatching(
        /^schedule our-schedule is deleted -> enable it in EventBridge Scheduler, or npm run deploy/,
      ),
    ]);
    expect(linesOf(findings, 'ok')).toContain('dead-letter queue is empty');
  });

  test('without one of its outputs is of another version', async () => {
    if (aws.state.stack !== undefined) Reflect.deleteProperty(aws.state.stack.outputs, 'LedgerTableName');

    const missing = 'the stack has no output LedgerTableName: another version of it is deployed -> npm run deploy';
    expect(reds(await diagnose())).toEqual([
      expect.stringContaining(`event source mapping: ${missing}`),
      expect.stringContaining(`watermark: ${missing}`),
    ]);
  });

  test('with a disabled schedule is reported', async () => {
    aws.state.schedules['our-group/our-schedule'] = 'DISABLED';

    expect(reds(await diagnose())).toEqual([expect.stringMatching(/^schedule our-schedule is DISABLED -> enable it/)]);
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
      expect.stringMatching(/^dead-letter queue holds 2 carts that need a person -> read/),
    ]);
  });

  test('with an unconfirmed subscription is reported without its endpoint, which may hold a key', async () => {
    aws.state.subscriptions[TOPIC] = [
      { protocol: 'email', endpoint: 'hunter2@x', arn: 'PendingConfirmation' },
      {
        protocol: 'https',
        endpoint: 'https://events.pagerduty.com/integration/hunter2/enqueue',
        arn: 'PendingConfirmation',
      },
      { protocol: 'https', endpoint: 'https://x/hunter2', arn: `${TOPIC}:2` },
      { protocol: 'email', endpoint: 'hunter2@y', arn: 'Deleted' },
    ];

    const findings = await diagnose();

    expect(reds(findings)).toEqual([
      expect.stringMatching(
        /the email subscription of topic alarms is not confirmed.* -> open the confirmation message/,
      ),
      expect.stringMatching(
        /the https subscription of topic alarms is not confirmed.* -> request the confirmation again/,
      ),
    ]);
    expect(linesOf(findings, 'ok')).toContain('notifications: the https subscription of topic alarms is confirmed');
  });

  test.each([
    [
      'a topic without a subscription',
      true,
      /topic alarms has no subscription -> set notifications in the environment entry/,
    ],
    ['no topic at all', false, /alarms have no recipient -> set notifications in the environment entry/],
  ])('%s gets a warning: a first deployment needs neither', async (_what, topic, line) => {
    aws.state.subscriptions = {};
    if (!topic && aws.state.stack !== undefined) aws.state.stack.resources.pop();

    const findings = await diagnose();

    expect(yellows(findings)).toEqual([expect.stringMatching(line)]);
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

    const findings = await diagnose(environmentFile(), 1500);

    expect(reds(findings)).toEqual([
      expect.stringMatching(/^event source mapping: no answer in 1\.5 s -> check the network/),
    ]);
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
        advice: 'read the extractor`s log: its last "Extraction failed" says why',
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
    aws.state.schedules['our-group/our-schedule'] = 'DISABLED';
    await putItem({ pk: 'WATERMARK#100', sk: 'WATERMARK', watermarkMs: Date.now() });

    const { stdout, stderr, status } = await run(['--env', environmentFile()]);
    expect(stderr).toBe('');

    expect(stdout).toMatch(/^ok {4}Node\.js \d/);
    expect(stdout).toMatch(/^FAIL {2}schedule our-schedule is DISABLED {2}-> enable it in EventBridge Scheduler, or /m);
    expect(stdout).toMatch(/\n\n\d+ ok, \d WARN, 1 FAIL\n$/);
    expect(status).toBe(1);
  });

  test('--json prints one line for a machine, and exits 0 when nothing is red', async () => {
    await putItem({ pk: 'WATERMARK#100', sk: 'WATERMARK', watermarkMs: Date.now() });
    aws.state.subscriptions = {};
    const file = environmentFile();

    const { stdout, stderr, status } = await run(['--env', file, '--json']);

    expect(stdout.split('\n')).toHaveLength(2);
    expect(JSON.parse(stdout)).toMatchObject({
      environment: file,
      healthy: true,
      findings: expect.arrayContaining([
        { status: 'ok', what: 'dead-letter queue is empty' },
        {
          status: 'warn',
          what: 'notifications: topic alarms has no subscription',
          advice: 'set notifications in the environment entry, then deploy again',
        },
      ]),
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});
