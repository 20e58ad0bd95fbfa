/** `npm run deploy`: what it refuses before anything is changed, how it calls CDK, and what it prints afterwards. */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { cdkArguments, PINNED_CDK } from '../../../infra/deploy/cdk-command.ts';
import { deploy, DeploymentRefused } from '../../../infra/deploy/deploy.ts';
import { type DeployOptions, HELP, parseOptions } from '../../../infra/deploy/options.ts';
import { packEntry } from '../../../infra/deployment.ts';
import { type Environment, ENVIRONMENTS, loadEnvironment } from '../../../infra/environments.ts';
import { type AwsClients, createAwsClients } from '../../../infra/local/aws/aws-clients.ts';
import { type Emulators, startEmulators } from '../../../infra/local/aws/emulators.ts';
import { UsageError } from '../../../infra/command-line.ts';
import { createBreakerRecord } from '../../../shared/circuit-breaker.ts';
import { createLedgerTable } from '../../../shared/ledger-table.ts';
import { type AwsSimulator, type AwsState, startAwsSimulator } from '../aws-simulator.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const SRM_SECRET = 'proc-srm7-11vms-purchase-order-v1/dev/srm';
const VMS_SECRET = 'proc-srm7-11vms-purchase-order-v1/dev/11vms';

let directory: string;
let aws: AwsSimulator;
let emulators: Emulators;
let clients: AwsClients;
let variablesBefore: NodeJS.ProcessEnv;

beforeEach(async () => {
  variablesBefore = { ...process.env };
  directory = mkdtempSync(join(tmpdir(), 'deploy-test-'));
  [aws, emulators] = await Promise.all([startAwsSimulator(), startEmulators()]);
  clients = createAwsClients(emulators.endpoints, 'eu-west-1');
  for (const name of ['AWS_DEFAULT_REGION', 'AWS_PROFILE']) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, aws.variables, {
    AWS_ENDPOINT_URL_SECRETS_MANAGER: emulators.endpoints.secretsManager,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'hunter2',
    AWS_EC2_METADATA_DISABLED: 'true',
    HOME: directory,
  });
});
afterEach(async () => {
  for (const client of Object.values(clients)) client.destroy();
  await Promise.all([emulators.close(), aws.close()]);
  for (const name of Object.keys(process.env))
    if (!(name in variablesBefore)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, variablesBefore);
  rmSync(directory, { recursive: true, force: true });
});

const NOW_MS = Date.parse('2026-12-10T12:00:00Z');
const recordOf = (): string => join(directory, 'cdk-was-called.json');

/**
 * Takes the place of CDK: it writes down how it was called, a line a call, and writes outputs as CDK does.
 * @param exitCodes Of its calls, in turn; 0 afterwards.
 */
function recorder(exitCodes: readonly number[]): readonly string[] {
  const path = join(directory, 'cdk');
  writeFileSync(
    path,
    `#!${process.execPath}
    const { appendFileSync, existsSync, readFileSync, writeFileSync } = require('node:fs');
    const args = process.argv.slice(2);
    const record = ${JSON.stringify(recordOf())};
    const before = existsSync(record) ? readFileSync(record, 'utf8').split('\\n').length - 1 : 0;
    appendFileSync(record, JSON.stringify({ args, cwd: process.cwd(), region: process.env.AWS_REGION, path: process.env.PATH, deployment: JSON.parse(readFileSync(args.find((arg) => arg.startsWith('--context=deployment=')).slice('--context=deployment='.length), 'utf8')) }) + '\\n');
    const file = args.find((arg) => arg.startsWith('--outputs-file='))?.slice('--outputs-file='.length);
    if (file) writeFileSync(file, JSON.stringify({ stack: { QueueUrl: 'https://sqs/carts', LedgerTableName: 'ledger' } }));
    process.exit(${JSON.stringify(exitCodes)}[before] ?? 0);`,
  );
  chmodSync(path, 0o755);
  return [path];
}

interface Call {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly region: string;
  readonly path: string;
  /** What the app of the CDK reads. */
  readonly deployment: unknown;
}
const calls = (): readonly Call[] =>
  existsSync(recordOf())
    ? readFileSync(recordOf(), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    : [];
const called = (): Call | undefined => calls()[0];

const options = (change: Partial<DeployOptions> = {}): DeployOptions => ({
  environment: 'dev',
  profile: undefined,
  action: 'deploy',
  yes: false,
  ...change,
});

/** What the user answers; undefined without a terminal. */
let answer: string | undefined;
let questions: string[];
beforeEach(() => {
  answer = 'no';
  questions = [];
});

async function run(change: Partial<DeployOptions> = {}, ...exitCodes: readonly number[]) {
  const lines: string[] = [];
  const given = answer;
  const ask = (question: string): Promise<string> => {
    questions.push(question);
    return Promise.resolve(given ?? '');
  };
  const code = await deploy(options(change), {
    cdk: recorder(exitCodes),
    say: (line) => lines.push(line),
    ask: given === undefined ? undefined : ask,
    now: () => NOW_MS,
  });
  const said = lines.join('\n');
  expect(said).not.toContain('hunter2');
  return { code, said };
}

async function refusalOf(change: Partial<DeployOptions> = {}): Promise<string> {
  const refusal: unknown = await run(change).catch((error: unknown) => error);
  expect(called()).toBeUndefined();
  if (refusal instanceof DeploymentRefused) return refusal.message;
  throw new Error('was not refused', { cause: refusal });
}

function environmentFile(change: {
  account?: string;
  region?: string;
  srm?: object;
  vms?: object;
  operation?: object;
  translation?: object;
}): string {
  const dev = ENVIRONMENTS['dev'];
  const path = join(directory, 'mine.json');
  const [srm, vms] = [
    { ...dev?.srm, ...change.srm },
    { ...dev?.vms, ...change.vms },
  ];
  writeFileSync(path, JSON.stringify({ ...dev, ...change, srm, vms }));
  return path;
}

const CREATED = { status: 'CREATE_COMPLETE', isProtected: true, outputs: {}, resources: [] };

describe('a deployment', () => {
  test("of a stack that exists calls CDK once, from the project's root, and prints what to do next", async () => {
    aws.state.stack = CREATED;

    const { code, said } = await run();

    expect(code).toBe(0);
    expect(calls()).toEqual([
      {
        args: [
          'deploy',
          '--all',
          '--context=env=dev',
          expect.stringMatching(/^--context=deployment=.+deployment\.json$/),
          '--require-approval=broadening',
          expect.stringMatching(/^--outputs-file=.+outputs\.json$/),
        ],
        cwd: root,
        region: 'eu-west-1',
        // The CDK app is started as `node`: with the Node that runs this test.
        path: expect.stringMatching(new RegExp(`^${dirname(process.execPath)}${delimiter}`)),
        deployment: {
          version: '1.0.0',
          commit: expect.stringMatching(/^[0-9a-f]{12}( with changes)?$/),
          at: '2026-12-10T12:00:00.000Z',
          by: 'arn:aws:iam::123456789012:user/operator',
          entry: expect.any(String),
        },
      },
    ]);
    expect(said).toContain('account 123456789012, region eu-west-1, as arn:aws:iam::123456789012:user/operator');
    expect(said).toMatch(/^ {2}QueueUrl +https:\/\/sqs\/carts\n {2}LedgerTableName ledger$/m);
    expect(said).toContain(`--secret-id ${SRM_SECRET} --secret-string file://srm-client.json`);
    expect(said).toContain(`--secret-id ${VMS_SECRET} --secret-string file://11vms-client.json`);
    expect(said).toContain('npm run doctor -- --env dev');
    expect([...new Set(aws.operations)]).toEqual([
      'GetCallerIdentity',
      'DescribeStacks',
      'ListStackResources',
      'GetTemplate',
    ]);
  });

  test('with --yes asks no question, and passes the profile on', async () => {
    writeFileSync(join(directory, 'config'), '[profile other]\nregion = eu-west-1\n');
    writeFileSync(join(directory, 'credentials'), '[other]\naws_access_key_id = a\naws_secret_access_key = hunter2\n');
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, {
      AWS_CONFIG_FILE: join(directory, 'config'),
      AWS_SHARED_CREDENTIALS_FILE: join(directory, 'credentials'),
    });

    await run({ yes: true, profile: 'other' });

    expect(called()?.args).toEqual(expect.arrayContaining(['--require-approval=never', '--profile=other']));
  });

  test('from a file passes its absolute path, and the region of its entry', async () => {
    const file = environmentFile({ region: 'eu-central-1', account: '123456789012' });

    await run({ environment: file });

    expect(called()).toMatchObject({ region: 'eu-central-1' });
    expect(called()?.args).toContain(`--context=env=${file}`);
  });

  test('with --diff changes nothing', async () => {
    const { code, said } = await run({ action: 'diff' });

    expect(code).toBe(0);
    expect(called()?.args).toEqual(['diff', '--context=env=dev', expect.stringMatching(/^--context=deployment=/)]);
    expect(said).not.toContain('Next');
  });

  test('with --dry-run calls nothing, and prints the command', async () => {
    const { code, said } = await run({ action: 'dry-run' });

    expect(code).toBe(0);
    expect(called()).toBeUndefined();
    expect(said).toMatch(/this would be run:\n\S+cdk deploy --all --context=env=dev /);
  });

  test("that fails in CDK ends with CDK's exit code, and names the bootstrap that may be missing", async () => {
    const { code, said } = await run({}, 3);

    expect(code).toBe(3);
    expect(said).toContain('npx cdk bootstrap aws://123456789012/eu-west-1 -c env=dev');
    expect(said).not.toContain('Deployed');
  });

  test('with rights for CDK alone continues, and prints what was not checked', async () => {
    aws.state.denied.add('DescribeStacks');

    const { code, said } = await run();

    expect(code).toBe(0);
    expect(said).toContain(
      'note: whether the stack and the connection secrets exist could not be checked (AccessDenied: aws:DescribeStacks)',
    );
    // The stack may exist: nothing of it may lose its protection.
    expect(calls().map(isCreation)).toEqual([false]);
  });

  test('a second time finds its own secrets, and continues', async () => {
    const arns = await Promise.all([SRM_SECRET, VMS_SECRET].map(createSecret));
    aws.state.stack = {
      status: 'CREATE_COMPLETE',
      outputs: {},
      resources: arns.map((physicalId) => ({ type: 'AWS::SecretsManager::Secret', physicalId })),
    };

    expect((await run()).code).toBe(0);
  });

  test('runs the CLI that package.json pins', () => {
    expect(PINNED_CDK).toEqual([process.execPath, join(root, 'node_modules/aws-cdk/bin/cdk')]);
    expect(existsSync(PINNED_CDK[1] ?? '')).toBe(true);
  });
});

const isCreation = ({ args }: Call): boolean => args.includes('--context=creating=true');

/** CDK protects a stack before it creates it, and cannot delete a protected one whose creation failed. */
describe('a first deployment', () => {
  const protectedEnvironment = () => environmentFile({ operation: { terminationProtection: true } });
  const unprotect =
    'aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name proc-srm7-11vms-purchase-order-v1-dev --region eu-west-1';

  test('protects the stack once it is created, by a second deployment', async () => {
    const { code, said } = await run({ environment: protectedEnvironment() });

    expect(code).toBe(0);
    expect(calls().map(isCreation)).toEqual([true, false]);
    expect(said).toContain('The stack is created. A second deployment protects it against deletion.');
    expect(said).toContain('Next, where it is not done yet:');
  });

  test.each(['ROLLBACK_COMPLETE', 'ROLLBACK_FAILED', 'REVIEW_IN_PROGRESS'])(
    'that failed, and left a stack in %s, is repeated as a first one',
    async (status) => {
      const environment = protectedEnvironment();
      const failed = await run({ environment }, 1);
      aws.state.stack = { status, isProtected: false, outputs: {}, resources: [] };

      const repeated = await run({ environment });

      expect([failed.code, repeated.code]).toEqual([1, 0]);
      expect(failed.said).not.toContain('Deployed');
      expect(calls().map(isCreation)).toEqual([true, true, false]);
    },
  );

  test('whose second half failed is not repeated: the next deployment protects the stack', async () => {
    const environment = protectedEnvironment();
    expect((await run({ environment }, 0, 3)).code).toBe(3);
    aws.state.stack = { ...CREATED, isProtected: false };

    await run({ environment });

    expect(calls().map(isCreation)).toEqual([true, false, false]);
  });

  test.each(['ROLLBACK_COMPLETE', 'ROLLBACK_FAILED'])(
    'past this command left a protected stack in %s: refused, with the one command that helps',
    async (status) => {
      aws.state.stack = { status, isProtected: true, outputs: {}, resources: [] };

      expect(await refusalOf({ environment: protectedEnvironment() })).toBe(
        `The creation of the stack failed (${status}), and CDK cannot delete what is left, which is protected. Nothing of it runs. Let it: ${unprotect}, then deploy again.`,
      );
    },
  );

  test('that cannot be told from a later one names that command when CDK fails', async () => {
    aws.state.denied.add('DescribeStacks');

    const { said } = await run({ environment: protectedEnvironment() }, 1);

    expect(said).toContain(`If the stack was never created before, the next deployment needs this first: ${unprotect}`);
  });

  test('is shown by --dry-run with both commands, and by --diff as any other', async () => {
    const { said } = await run({ action: 'dry-run' });
    await run({ action: 'diff' });

    expect(said.match(/^\S+cdk deploy .+$/gm)).toEqual([
      expect.stringContaining(' --context=creating=true '),
      expect.not.stringContaining('creating'),
    ]);
    expect(calls().map(isCreation)).toEqual([false]);
  });
});

describe('what is deployed now', () => {
  const RUNNING = {
    version: '0.9.0',
    commit: '0123456789ab',
    at: '2026-12-01T08:00:00.000Z',
    by: 'arn:aws:iam::1:user/ann',
  };

  /** As a deployment of this entry leaves the stack. */
  function deployedFrom(environment: Environment, change: Partial<NonNullable<AwsState['stack']>> = {}) {
    const entry = packEntry(environment);
    aws.state.stack = {
      ...CREATED,
      template: JSON.stringify({ Resources: {}, Metadata: { Deployment: { ...RUNNING, entry } } }),
      ...change,
    };
  }
  const businessUnits = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`C${index}`, `BU-${index}`]));
  const environmentWith = (change: { units: number; timeoutSeconds?: number }) =>
    environmentFile({
      srm: change.timeoutSeconds === undefined ? {} : { timeoutSeconds: change.timeoutSeconds },
      translation: { valueMaps: { businessUnit: businessUnits(change.units) } },
    });

  test('is said, and --diff shows entry and value maps line by line; it passes no other deployment on', async () => {
    deployedFrom(loadEnvironment(environmentWith({ units: 2 })));

    const { said } = await run({ environment: environmentWith({ units: 3, timeoutSeconds: 20 }), action: 'diff' });

    expect(said).toContain(
      'deployed now: version 0.9.0, commit 0123456789ab, at 2026-12-01T08:00:00.000Z, by arn:aws:iam::1:user/ann',
    );
    expect(said).toContain(
      'entry: settings that differ: 1\n  ~ srm.timeoutSeconds: 15 -> 20\nvalue map businessUnit: 1 added\n  + C2 -> BU-2',
    );
    expect(called()?.deployment).toMatchObject(RUNNING);
  });

  test('is compared by a deployment, too, which only counts the lines', async () => {
    deployedFrom(loadEnvironment(environmentWith({ units: 2 })));

    expect((await run({ environment: environmentWith({ units: 2 }) })).said).toContain('entry: as deployed');
    const { said } = await run({ environment: environmentWith({ units: 3, timeoutSeconds: 20 }) });
    expect(said).toContain('entry: settings that differ: 1 (--diff shows them)\n');
    expect(said).toContain('value map businessUnit: 1 added (--diff shows them)\n');
    expect(said).not.toContain('BU-2');
  });

  test('shows every value map code by code, from a CSV file as from the entry', async () => {
    const extend = { status: true, currencyDecimals: true, accountCategory: true, textType: true };
    const maps = {
      businessUnit: { BE10: 'BU-1', FR20: 'BU-2' },
      supplier: { mode: 'mapped', codes: { '100234': 'SUP-1', '100777': 'SUP-2' } },
      category: { mode: 'identity', codes: { IT: 'C-1' } },
    };
    const before = environmentFile({ translation: { valueMaps: { extend, ...maps } } });
    deployedFrom(loadEnvironment(before));
    writeFileSync(join(directory, 'suppliers.csv'), '\uFEFFsource;target;name\r\n100234;SUP-9;x\r\n100888;SUP-3;y\r\n');
    const after = {
      extend,
      businessUnit: { BE10: 'BU-1', NL40: 'BU-4' },
      supplier: { mode: 'mapped', codes: { file: 'suppliers.csv' } },
      category: { mode: 'mapped', codes: { IT: 'C-1' } },
      tax: { mode: 'identity', codes: { V0: 'NONE' } },
      unit: { KAR: 'CT' },
      currencyDecimals: { JPY: 2 },
      country: { XK: 'RS' },
      accountCategory: { ZZ: 'WBS' },
      status: { Z0001: 'approved', I1015: 'deleted' },
      textType: { NOTE: 'SUPPLIER' },
      partnerFunction: { shipTo: '00000075' },
    };

    const { said } = await run({ environment: environmentFile({ translation: { valueMaps: after } }), action: 'diff' });

    const shown = said.slice(said.indexOf('entry: '), said.indexOf('note: value map'));
    expect(shown.split('\n').filter((line) => line !== '')).toEqual([
      'entry: settings that differ: 1',
      '  ~ translation.valueMaps.category.mode: "identity" -> "mapped"',
      'value map businessUnit: 1 added, 1 removed',
      '  - FR20 -> BU-2',
      '  + NL40 -> BU-4',
      'value map supplier: 1 added, 1 changed, 1 removed',
      '  ~ 100234: SUP-1 -> SUP-9',
      '  - 100777 -> SUP-2',
      '  + 100888 -> SUP-3',
      'value map tax: 1 added',
      '  + V0 -> NONE',
      'value map unit: 1 added',
      '  + KAR -> CT',
      'value map currencyDecimals: 1 changed',
      '  ~ JPY: 0 -> 2',
      'value map country: 1 added',
      '  + XK -> RS',
      'value map accountCategory: 1 added',
      '  + ZZ -> WBS',
      'value map status: 1 added, 1 changed',
      '  ~ I1015: awaiting -> deleted',
      '  + Z0001 -> approved',
      'value map textType: 1 changed',
      '  ~ NOTE: HEADER -> SUPPLIER',
      'value map partnerFunction: 1 changed',
      '  ~ shipTo: 00000027 -> 00000075',
    ]);
  });

  test.each([
    ['a fifth', 10, 8, []],
    [
      'more than a fifth',
      10,
      7,
      ['The value map businessUnit loses 3 of its 10 entries. Deploy all the same (yes or no)?'],
    ],
  ])(
    'a value map that loses %s of its entries: a deployment asks only beyond it',
    async (_what, before, after, asked) => {
      deployedFrom(loadEnvironment(environmentWith({ units: before })));
      answer = 'yes';

      expect((await run({ environment: environmentWith({ units: after }) })).code).toBe(0);
      expect(questions).toEqual(asked);
    },
  );

  test('a value map that loses much is not deployed when the answer is not yes', async () => {
    deployedFrom(loadEnvironment(environmentWith({ units: 10 })));
    answer = '';

    expect(await refusalOf({ environment: environmentWith({ units: 5 }) })).toBe('Nothing was deployed.');
  });

  test('without a terminal a value map that loses much is refused, with --yes deployed, and by --diff only noted', async () => {
    deployedFrom(loadEnvironment(environmentWith({ units: 10 })));
    answer = undefined;
    const environment = environmentWith({ units: 5 });

    expect(await refusalOf({ environment })).toMatch(
      /^The value map businessUnit loses 5 of its 10 entries: .* No terminal is attached to ask: where it is meant, add --yes\.$/,
    );
    const [yes, diff] = [await run({ environment, yes: true }), await run({ environment, action: 'diff' })];
    expect([yes.code, diff.code]).toEqual([0, 0]);
    for (const { said } of [yes, diff])
      expect(said).toContain('note: value map businessUnit loses 5 of its 10 entries');
  });

  test('without a terminal it says --yes before CDK is called, and again when CDK fails', async () => {
    answer = undefined;
    aws.state.stack = CREATED;

    const { said } = await run({}, 1);

    expect(
      said.match(/no terminal is attached, so that CDK cannot ask before rights are widened.*add --yes/g),
    ).toHaveLength(2);
    expect((await run({ yes: true })).said).not.toContain('terminal');
  });

  test('a stack that another way deployed, or whose template may not be read, is deployed with a note', async () => {
    aws.state.stack = CREATED;
    expect((await run()).said).toContain('note: the deployed stack does not say which deployment it is');

    aws.state.denied.add('GetTemplate');
    expect((await run()).said).toContain(
      'note: which deployment runs could not be read (AccessDenied: aws:GetTemplate)',
    );
  });

  describe('is paused', () => {
    const MAPPING = '11111111-2222-3333-4444-555555555555';
    const paused = (outputs: Record<string, string>) =>
      deployedFrom(loadEnvironment('dev'), {
        outputs,
        resources: [{ type: 'AWS::Lambda::EventSourceMapping', physicalId: MAPPING }],
      });
    beforeEach(async () => {
      process.env['AWS_ENDPOINT_URL_DYNAMODB'] = emulators.endpoints.dynamodb;
      await clients.dynamodb.send(
        new CreateTableCommand({
          TableName: 'ledger',
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: [
            { AttributeName: 'pk', AttributeType: 'S' },
            { AttributeName: 'sk', AttributeType: 'S' },
          ],
          KeySchema: [
            { AttributeName: 'pk', KeyType: 'HASH' },
            { AttributeName: 'sk', KeyType: 'RANGE' },
          ],
        }),
      );
      aws.state.mappings[MAPPING] = { State: 'Enabled' };
    });

    test.each([
      ['OPEN', 'until 11VMS is healthy'],
      ['FORCED_OPEN', 'until a person resumes it'],
    ] as const)('by the circuit breaker (%s): it is said with reason and time', async (state, end) => {
      paused({ LedgerTableName: 'ledger' });
      await createBreakerRecord(createLedgerTable(clients.dynamodb, 'ledger')).open(
        state,
        '11VMS answered 403',
        NOW_MS,
      );

      expect((await run()).said).toContain(
        `note: consumption is paused since 2026-12-10T12:00:00.000Z (11VMS answered 403), ${end}: no cart is ordered.`,
      );
    });

    test('by a person, at the event source mapping: it is said', async () => {
      paused({ LedgerTableName: 'ledger' });
      aws.state.mappings[MAPPING] = { State: 'Disabled' };

      expect((await run()).said).toContain(
        'note: consumption is paused: the event source mapping is Disabled, and not by the circuit breaker.',
      );
    });

    test('not at all: nothing is said', async () => {
      paused({ LedgerTableName: 'ledger' });

      expect((await run()).said).not.toContain('paused');
    });

    test('perhaps: a right that is missing is a note', async () => {
      paused({ LedgerTableName: 'ledger' });
      aws.state.denied.add('GetEventSourceMapping');

      expect((await run()).said).toContain(
        'note: whether consumption is paused could not be checked (AccessDenied: aws:GetEventSourceMapping)',
      );
    });
  });
});

async function createSecret(name: string): Promise<string> {
  const { ARN = '' } = await clients.secretsManager.send(new CreateSecretCommand({ Name: name }));
  return ARN;
}

describe('a deployment changes nothing', () => {
  test.each([
    ['an unknown environment', 'nosuch', /^Unknown environment "nosuch"\. Known: dev, test, prod, local;/],
    ['a file that is not there', './nosuch.json', /^Environment file \.\/nosuch\.json cannot be read: .*ENOENT/],
    ['the local environment', 'local', /^Environment local runs on this machine: npm start/],
  ])('for %s', async (_what, environment, message) => {
    expect(await refusalOf({ environment })).toMatch(message);
    expect(aws.operations).toEqual([]);
  });

  test('without AWS credentials', async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) Reflect.deleteProperty(process.env, name);

    expect(await refusalOf()).toMatch(/^AWS credentials were not found: log in first: aws sso login/);
  });

  test.each(['ExpiredToken', 'InvalidClientTokenId'])('with credentials that AWS refuses (%s)', async (error) => {
    aws.state.credentialsError = error;

    expect(await refusalOf()).toMatch(new RegExp(`^AWS refuses the credentials \\(${error}\\w*\\): log in first`));
  });

  test("in another account than the entry's", async () => {
    expect(await refusalOf({ environment: environmentFile({ account: '999999999999' }) })).toBe(
      'AWS credentials are for account 123456789012, but the environment is account 999999999999: ' +
        'log in to that account, or correct "account" in the environment entry.',
    );
  });

  test('without a region, which CDK would choose without a question', async () => {
    Reflect.deleteProperty(process.env, 'AWS_REGION');

    expect(await refusalOf()).toMatch(
      /^AWS region is not known: give "region" in the environment entry, or set AWS_REGION/,
    );
  });

  test('in a region where the stack is not, while another region holds it', async () => {
    aws.state.stack = CREATED;
    aws.state.region = 'eu-central-1';

    expect(await refusalOf()).toMatch(
      /^The stack \S+-dev is not in region eu-west-1, but in eu-central-1, and a second one would order each cart again\./,
    );
  });

  test('where a region that may hold the stack gives no answer, only with a note', async () => {
    aws.state.closedRegions.add('me-south-1');

    const { code, said } = await run();

    expect(code).toBe(0);
    expect(said).toContain('note: 1 regions gave no answer, and may hold the stack: me-south-1');
  });

  test('while the connection secret exists outside the stack; with createSecret false it is used', async () => {
    await createSecret(VMS_SECRET);

    expect(await refusalOf()).toMatch(
      new RegExp(
        `^The secret ${VMS_SECRET} exists, and is not this stack's\\. .*Adopt what a deleted stack left.* set "createSecret": false in "vms"`,
      ),
    );
    expect((await run({ environment: environmentFile({ vms: { createSecret: false } }) })).code).toBe(0);
  });

  test('where a secret that should exist does not', async () => {
    expect(await refusalOf({ environment: environmentFile({ srm: { createSecret: false } }) })).toBe(
      `srm.createSecret is false, but there is no secret ${SRM_SECRET}: create it, or leave createSecret out.`,
    );
  });
});

describe('the command line', () => {
  test('names the action: deploy, show the differences, dry run or help', () => {
    expect(parseOptions(['--env', 'dev'])).toEqual(options());
    expect(parseOptions(['--env=dev', '--diff', '--profile', 'p'])).toEqual(options({ action: 'diff', profile: 'p' }));
    expect(parseOptions(['--env', 'dev', '--dry-run', '--yes'])).toEqual(options({ action: 'dry-run', yes: true }));
    expect(parseOptions(['--env', 'dev', '--help'])).toBeUndefined();
  });

  test.each([
    [[], 'Which environment? Add --env NAME, or --env ./file.json.'],
    [['--env', ''], 'Which environment?'],
    [['--env', 'dev', '--force'], "Unknown option '--force'"],
    [['dev'], "Unexpected argument 'dev'"],
    [['--env', 'dev', '--diff', '--dry-run'], 'Either --diff or --dry-run, not both.'],
    [['--env', 'dev', '--diff', '--yes'], '--yes goes with a deployment'],
  ])('%j is refused, and the message points to --help', (args, message) => {
    const parse = () => parseOptions(args);

    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(message);
    expect(parse).toThrow('See npm run deploy -- --help.');
  });

  test('--help and a refusal work in a process of their own', async () => {
    const [help, refusal] = await Promise.all([start(['--help']), start(['--env', 'nosuch'])]);

    expect(help).toEqual({ stdout: HELP, stderr: '', status: 0 });
    expect(refusal).toMatchObject({ stdout: '', status: 1 });
    expect(refusal.stderr).toContain('Unknown environment "nosuch"');
    expect(refusal.stderr).not.toMatch(/^\s+at /m);
  });

  /** The pinned CLI judges its command line before it does anything. */
  test.each(['deploy', 'diff'] as const)(
    'of CDK for %s holds only options that the pinned CLI knows',
    async (action) => {
      const args = cdkArguments(options({ action, yes: action === 'deploy', profile: 'p' }), {
        outputs: 'outputs.json',
        deployment: 'deployment.json',
      });
      const [executable = '', ...first] = PINNED_CDK;
      const { stdout } = await startProcess(executable, [...first, ...args, '--help']);
      const known = new Set(stdout.match(/--[a-z][a-z-]+/g));

      const flags = args.filter((arg) => arg.startsWith('--')).map((arg) => arg.replace(/=.*/s, ''));
      expect(flags.length).toBeGreaterThan(1);
      expect(flags.filter((flag) => !known.has(flag))).toEqual([]);
    },
    60_000,
  );
});

const start = (args: readonly string[]) => startProcess(process.execPath, ['infra/deploy/main.ts', ...args]);

async function startProcess(executable: string, args: readonly string[]) {
  const child = spawn(executable, args, {
    cwd: root,
    env: { ...process.env, CDK_DISABLE_VERSION_CHECK: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { stdout, stderr, status };
}
