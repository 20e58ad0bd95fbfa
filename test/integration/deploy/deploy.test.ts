/** `npm run deploy`: what it refuses before anything is changed, how it calls CDK, and what it prints afterwards. */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { CreateSecretCommand, DeleteSecretCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { cdkArguments, PINNED_CDK } from '../../../infra/deploy/cdk-command.ts';
import { build } from '../../../infra/deploy/build.ts';
import { digestOf } from '../../../infra/deploy/assembly.ts';
import { deploy, exampleOwners } from '../../../infra/deploy/deploy.ts';
import { diffPolicy } from '../../../infra/deploy/diff-policy.ts';
import { type DeployOptions, HELP, parseOptions } from '../../../infra/deploy/options.ts';
import { DeploymentRefused } from '../../../infra/deploy/refusal.ts';
import { deploymentOfTemplate, packEntry } from '../../../infra/deployment.ts';
import { type Environment, ENVIRONMENTS, loadEnvironment } from '../../../infra/environments.ts';
import { type AwsClients, createAwsClients, LOCAL_CREDENTIALS } from '../../../infra/local/aws/aws-clients.ts';
import { type Emulators, startEmulators } from '../../../infra/local/aws/emulators.ts';
import { UsageError } from '../../../infra/command-line.ts';
import { createBreakerRecord } from '../../../shared/circuit-breaker.ts';
import { createLedgerTable } from '../../../shared/ledger-table.ts';
import { type GrafanaSimulator, startGrafana } from '../../simulators/grafana.ts';
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
    AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
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
    const of = (name) => args.find((arg) => arg.startsWith(name))?.slice(name.length);
    const record = ${JSON.stringify(recordOf())};
    const before = existsSync(record) ? readFileSync(record, 'utf8').split('\\n').length - 1 : 0;
    appendFileSync(record, JSON.stringify({ args, cwd: process.cwd(), region: process.env.AWS_REGION, path: process.env.PATH, deployment: JSON.parse(of('--context=deployment=') === undefined ? 'null' : readFileSync(of('--context=deployment='), 'utf8')) }) + '\\n');
    const file = of('--outputs-file=');
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
  grafana?: object;
  notifications?: object;
  events?: object;
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
    expect(said).toContain(`--secret-id ${SRM_SECRET} --secret-string file:///dev/stdin`);
    expect(said).toContain(`--secret-id ${VMS_SECRET} --secret-string file:///dev/stdin`);
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
    expect(called()?.args).toEqual([
      'diff',
      '--method=template',
      '--context=env=dev',
      expect.stringMatching(/^--context=deployment=/),
    ]);
    expect(said).not.toContain('Next');
  });

  test('notes that the owners of the code are examples, until they are not', async () => {
    expect((await run()).said).toMatch(/^note: 6 lines of \.github\/CODEOWNERS name @your-organization/m);
    expect(exampleOwners('# The teams of @your-organization/\n* @acme/integration\n')).toEqual([]);
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
    const arns = await Promise.all([SRM_SECRET, VMS_SECRET].map((name) => createSecret(name)));
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
describe('the dashboard of Grafana', () => {
  const environment = (url: string) => environmentFile({ grafana: { url, tokenSecretName: 'acme/grafana' } });
  const setToken = (token: string) =>
    clients.secretsManager.send(new CreateSecretCommand({ Name: 'acme/grafana', SecretString: token }));
  let grafana: GrafanaSimulator;
  beforeEach(async () => {
    grafana = await startGrafana();
    aws.state.stack = CREATED;
  });
  afterEach(() => grafana.close());

  test('is put there once CDK is done', async () => {
    await setToken(grafana.token);

    const { code, said } = await run({ environment: environment(grafana.url) });

    expect(code).toBe(0);
    expect(said).toContain(`Grafana has the dashboard of this version: ${grafana.url}/d/`);
    expect(said).not.toContain(grafana.token);
    expect([...grafana.dashboards.keys()]).toEqual(['proc-srm7-11vms-purchase-order-v1']);
  });

  test('that Grafana does not take leaves the deployment done, and ends it with a warning of what to do', async () => {
    await setToken('glsa_of_yesterday');

    const { code, said } = await run({ environment: environment(grafana.url) });

    expect(code).toBe(0);
    expect(called()).toBeDefined();
    expect(said).toMatch(
      /\nWARNING: the stack is deployed, but Grafana has not got the dashboard: .*401.* To do: .*acme\/grafana; then deploy again, or import infra\/monitoring\/grafana\/purchase-orders\.json by hand\.$/,
    );
    expect(said).not.toContain('glsa_of_yesterday');
  });

  test('is left alone where nothing is deployed', async () => {
    await setToken(grafana.token);
    const file = environment(grafana.url);

    expect((await run({ environment: file }, 3)).code).toBe(3);
    await run({ environment: file, action: 'diff' });
    expect((await run({ environment: file, action: 'dry-run' })).said).toContain(`put into ${grafana.url}`);

    expect(grafana.requests).toEqual([]);
  });
});

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
        resources: [
          {
            type: 'AWS::Lambda::EventSourceMapping',
            physicalId: 'of-order-numbers',
            logicalId: 'OrderNumbersFunctionSqs1',
          },
          { type: 'AWS::Lambda::EventSourceMapping', physicalId: MAPPING, logicalId: 'WorkerFunctionSqs1' },
        ],
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

async function createSecret(name: string, value?: string): Promise<string> {
  const { ARN = '' } = await clients.secretsManager.send(new CreateSecretCommand({ Name: name, SecretString: value }));
  return ARN;
}

const deleteSecret = (name: string) => clients.secretsManager.send(new DeleteSecretCommand({ SecretId: name }));

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

  test('while a secret of a connection is being deleted, whether it is to be created or used', async () => {
    await createSecret(SRM_SECRET, '{}');
    await deleteSecret(SRM_SECRET);
    const restore = `aws secretsmanager restore-secret --secret-id ${SRM_SECRET}`;

    expect(await refusalOf()).toBe(
      `The secret ${SRM_SECRET} is being deleted, and its name is taken until then: ${restore}, and set "createSecret": false in "srm" of the environment entry.`,
    );
    expect(await refusalOf({ environment: environmentFile({ srm: { createSecret: false } }) })).toBe(
      `srm.createSecret is false, but the secret ${SRM_SECRET} is being deleted: ${restore}.`,
    );
  });

  test.each([
    [
      'notifications.pagerDuty.routingKeySecretName',
      { notifications: { pagerDuty: { routingKeySecretName: 'acme/archive' } } },
    ],
    [
      'events.subscribers.archive.secretName',
      {
        events: {
          typePrefix: 'acme',
          subscribers: {
            archive: { url: 'https://a.example/x', tokenUrl: 'https://a.example/token', secretName: 'acme/archive' },
          },
        },
      },
    ],
  ])('while CloudFormation could not read the secret of %s', async (place, blocks) => {
    const environment = environmentFile(blocks);
    const refusal = (why: string, what: string) =>
      `${place} names the secret acme/archive, which ${why}. CloudFormation reads it while it deploys: ${what} first (infra/deploying.md).`;

    expect(await refusalOf({ environment })).toBe(
      refusal(
        'does not exist',
        'aws secretsmanager create-secret --name acme/archive --secret-string file:///dev/stdin',
      ),
    );
    await createSecret('acme/archive');
    expect(await refusalOf({ environment })).toBe(
      refusal(
        'is empty',
        'aws secretsmanager put-secret-value --secret-id acme/archive --secret-string file:///dev/stdin',
      ),
    );
    await clients.secretsManager.send(new PutSecretValueCommand({ SecretId: 'acme/archive', SecretString: 'key' }));
    expect((await run({ environment })).code).toBe(0);
  });

  test('while the secret that CloudFormation reads is being deleted', async () => {
    await createSecret('acme/pagerduty', 'key');
    await deleteSecret('acme/pagerduty');
    const notifications = { pagerDuty: { routingKeySecretName: 'acme/pagerduty' } };

    expect(await refusalOf({ environment: environmentFile({ notifications }) })).toContain(
      'acme/pagerduty, which is being deleted. CloudFormation reads it while it deploys: aws secretsmanager restore-secret --secret-id acme/pagerduty first',
    );
  });
});

/** What CDK writes of it that a deployment reads; test/deep/assembly.deep.ts builds one with CDK. */
describe('an assembly', () => {
  const RUN = 'octocat in https://github.com/acme/orders/actions/runs/4711';
  let built: string;
  let digest: string;
  let building: { readonly code: number; readonly said: readonly string[]; readonly output: string };
  const home = mkdtempSync(join(tmpdir(), 'assembly-test-'));
  const workflow = (output: string) => ({
    GITHUB_ACTOR: 'octocat',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_REPOSITORY: 'acme/orders',
    GITHUB_RUN_ID: '4711',
    GITHUB_OUTPUT: output,
  });
  // Once: no test changes what it builds.
  beforeAll(async () => {
    const variables = workflow(join(home, 'output'));
    Object.assign(process.env, variables);
    built = join(home, 'built');
    const said: string[] = [];
    const code = await build(
      { environment: 'dev', action: 'build', directory: built },
      { cdk: synthesizer(), say: (line) => void said.push(line), now: () => NOW_MS },
    );
    for (const name of Object.keys(variables)) Reflect.deleteProperty(process.env, name);
    building = { code, said, output: readFileSync(join(home, 'output'), 'utf8') };
    digest = digestOf(built);
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  /** Takes the place of CDK, and writes an assembly as it does. */
  function synthesizer(): readonly string[] {
    const path = join(home, 'cdk-synth');
    writeFileSync(
      path,
      `#!${process.execPath}
      const { mkdirSync, readFileSync, writeFileSync } = require('node:fs');
      const args = process.argv.slice(2);
      const of = (name) => args.find((arg) => arg.startsWith(name))?.slice(name.length);
      const output = of('--output=');
      const write = (name, content) => writeFileSync(output + '/' + name, JSON.stringify(content, undefined, 1));
      mkdirSync(output + '/asset.0123', { recursive: true });
      writeFileSync(output + '/asset.0123/main.cjs', '');
      write('PurchaseOrder.template.json', {
        Resources: { Ledger: { DeletionProtectionEnabled: of('--context=creating=') !== 'true' } },
        Metadata: { Deployment: JSON.parse(readFileSync(of('--context=deployment='), 'utf8')) },
      });
      const bootstrap = { requiresBootstrapStackVersion: 6, bootstrapStackVersionSsmParameter: '/cdk-bootstrap/hnb659fds/version' };
      const place = '\${AWS::AccountId}-\${AWS::Region}';
      const role = (kind) => 'arn:\${AWS::Partition}:iam::\${AWS::AccountId}:role/cdk-hnb659fds-' + kind + '-role-' + place;
      const bucketName = 'cdk-hnb659fds-assets-' + place;
      write('PurchaseOrder.assets.json', {
        version: '55.0.0',
        files: {
          '0123': {
            displayName: 'Worker/Function/Code',
            source: { path: 'asset.0123', packaging: 'zip' },
            destinations: {
              'current_account-current_region-0123': { bucketName, objectKey: '0123.zip', assumeRoleArn: role('file-publishing') },
            },
          },
        },
        dockerImages: {},
      });
      write('PurchaseOrder.metadata.json', { '/PurchaseOrder': [{ type: 'aws:cdk:logicalId', data: 'Ledger' }] });
      write('tree.json', {});
      write('manifest.json', {
        version: '55.0.0',
        minimumCliVersion: '2.1148.2',
        artifacts: {
          'PurchaseOrder.assets': { type: 'cdk:asset-manifest', properties: { file: 'PurchaseOrder.assets.json', ...bootstrap } },
          PurchaseOrder: {
            type: 'aws:cloudformation:stack',
            environment: 'aws://unknown-account/unknown-region',
            properties: {
              templateFile: 'PurchaseOrder.template.json',
              terminationProtection: false,
              validateOnSynth: false,
              assumeRoleArn: role('deploy'),
              cloudFormationExecutionRoleArn: role('cfn-exec'),
              stackTemplateAssetObjectUrl: 's3://' + bucketName + '/4567.json',
              ...bootstrap,
              additionalDependencies: ['PurchaseOrder.assets'],
              lookupRole: { arn: role('lookup'), ...bootstrap },
              stackName: 'proc-srm7-11vms-purchase-order-v1-dev',
            },
            dependencies: ['PurchaseOrder.assets'],
            additionalMetadataFile: 'PurchaseOrder.metadata.json',
            displayName: 'PurchaseOrder',
          },
          Tree: { type: 'cdk:tree', properties: { file: 'tree.json' } },
        },
      });
      if (args[0] !== 'synth') process.exit(9);`,
    );
    chmodSync(path, 0o755);
    return [path];
  }

  const copy = (): string => {
    const to = join(directory, 'assembly');
    cpSync(built, to, { recursive: true });
    return to;
  };
  /** Someone who can write into the assembly can also say its digest: what it holds is looked at, too. */
  const changed = (file: string, change: (text: string) => string) => {
    const to = copy();
    for (const half of ['creating', 'created']) {
      const path = join(to, half, file);
      writeFileSync(path, change(readFileSync(path, 'utf8')));
    }
    return { directory: to, digest: digestOf(to) };
  };

  test('is built with both halves, who built it, and its digest for the next job', () => {
    const { code, said, output } = building;

    expect(code).toBe(0);
    expect(said.at(-1)).toBe(`built: --assembly ${built} --digest ${digest}`);
    expect(output).toBe(`digest=${digest}\n`);
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    const halves = ['creating', 'created'].map((half) =>
      readFileSync(join(built, half, 'PurchaseOrder.template.json'), 'utf8'),
    );
    expect(halves.map((text) => text.includes('"DeletionProtectionEnabled": true'))).toEqual([false, true]);
    for (const half of halves) expect(deploymentOfTemplate(half)).toMatchObject({ by: RUN, version: '1.0.0' });
  });

  test('has the same digest after its way through GitHub, and another for any other byte or name', () => {
    const to = copy();
    for (const path of readdirSync(to, { recursive: true, withFileTypes: true })) {
      chmodSync(join(path.parentPath, path.name), path.isDirectory() ? 0o755 : 0o644);
    }
    expect(digestOf(to)).toBe(digest);
    renameSync(join(to, 'created', 'tree.json'), join(to, 'created', 'tree2.json'));
    const renamed = digestOf(to);
    writeFileSync(join(to, 'created', 'tree2.json'), '[]');
    expect(new Set([digest, renamed, digestOf(to)]).size).toBe(3);
  });

  test('is deployed as it is, without a synthesis; a first deployment takes both halves', async () => {
    const first = await run({ yes: true, assembly: { directory: built, digest } });

    expect(first.code).toBe(0);
    expect(first.said).toContain(`assembly: version 1.0.0, commit`);
    expect(first.said).toContain(RUN);
    expect(calls().map(({ args }) => args)).toEqual(
      ['creating', 'created'].map((half) => [
        'deploy',
        '--all',
        `--app=${join(built, half)}`,
        '--require-approval=never',
        expect.stringMatching(/^--outputs-file=/),
      ]),
    );
    aws.state.stack = CREATED;
    const dry = await run({ action: 'dry-run', assembly: { directory: built, digest } });
    expect(dry.said).toMatch(/this would be run:\n\S+cdk deploy --all --app=\S+created --require/);
  });

  test('of another digest is refused before AWS is asked anything', async () => {
    const to = copy();
    writeFileSync(join(to, 'created', 'PurchaseOrder.template.json'), '{}');
    const found = digestOf(to);

    expect(await refusalOf({ assembly: { directory: to, digest } })).toBe(
      `The assembly ${to} is not the one that was built: its digest is ${found}, and not ${digest}. Nothing is deployed. Build it again, and find out who changed it.`,
    );
    const { status, stderr } = await start(['--env=dev', `--assembly=${to}`, `--digest=${digest}`, '--yes']);
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining(`its digest is ${found}`) });
    expect(aws.operations).toEqual([]);
  });

  test('with a link to somewhere else, or that is not there, is refused', async () => {
    const to = copy();
    symlinkSync('/etc/hostname', join(to, 'created', 'link'));

    expect(await refusalOf({ assembly: { directory: to, digest } })).toBe(
      `${join(to, 'created', 'link')} is no file: an assembly holds files alone.`,
    );
    expect(await refusalOf({ assembly: { directory: join(directory, 'none'), digest } })).toContain(
      'There is no assembly',
    );
  });

  const refusedIn = (file: string) => `holds what no build of its entry writes (${file}): nothing of it is run.`;
  test.each<[string, string, (text: string) => string, RegExp | string]>([
    [
      'a command, which CDK would run',
      'PurchaseOrder.assets.json',
      (text) => text.replace('"packaging": "zip"', '"packaging": "zip", "executable": ["sh", "-c", "id"]'),
      refusedIn('PurchaseOrder.assets.json'),
    ],
    [
      'a file from outside',
      'PurchaseOrder.assets.json',
      (text) => text.replace('"path": "asset.0123"', '"path": "../../.."'),
      /takes \.\.\/\.\.\/\.\. from outside\.$/,
    ],
    [
      'a lookup',
      'manifest.json',
      (text) => text.replace('"artifacts"', '"missing": [{ "key": "k", "provider": "plugin" }], "artifacts"'),
      refusedIn('manifest.json'),
    ],
    [
      'an assembly within',
      'manifest.json',
      (text) => text.replace('"cdk:tree"', '"cdk:cloud-assembly"'),
      refusedIn('manifest.json'),
    ],
    [
      'an image that CDK would build, in the metadata',
      'PurchaseOrder.metadata.json',
      (text) =>
        text.replace('"aws:cdk:logicalId"', '"aws:cdk:asset", "packaging": "container-image", "path": "../../.."'),
      refusedIn('PurchaseOrder.metadata.json'),
    ],
    [
      'parameters that change the template',
      'manifest.json',
      (text) => text.replace('"terminationProtection"', '"parameters": { "Handler": "x" }, "terminationProtection"'),
      refusedIn('manifest.json'),
    ],
    [
      'a topic that hears of the stack',
      'manifest.json',
      (text) => text.replace('"terminationProtection"', '"notificationArns": ["arn:x"], "terminationProtection"'),
      refusedIn('manifest.json'),
    ],
    [
      'another account',
      'manifest.json',
      (text) => text.replace('unknown-account', '210987654321'),
      refusedIn('manifest.json'),
    ],
    [
      'a role of another account',
      'manifest.json',
      (text) => text.replace(/\$\{AWS::AccountId\}(?=:role\/cdk-hnb659fds-deploy)/, '210987654321'),
      refusedIn('manifest.json'),
    ],
    [
      'a bucket of other people',
      'PurchaseOrder.assets.json',
      (text) => text.replace(/"bucketName": "[^"]+"/, '"bucketName": "theirs"'),
      refusedIn('PurchaseOrder.assets.json'),
    ],
    [
      'the stack of another environment',
      'manifest.json',
      (text) => text.replace('v1-dev"', 'v1-prod"'),
      /is for proc-srm7-11vms-purchase-order-v1-prod, and not for proc-srm7-11vms-purchase-order-v1-dev\.$/,
    ],
    [
      'no word of what it is',
      'PurchaseOrder.template.json',
      () => '{}',
      /does not say what it is: build it with --build\.$/,
    ],
  ])('that holds %s is refused, whatever its digest', async (_what, file, change, message) => {
    const assembly = changed(file, change);
    expect(assembly.digest).not.toBe(digest);

    expect(await refusalOf({ assembly })).toMatch(message);
    expect(aws.operations).toEqual([]);
  });

  test('of another entry than the checkout holds is refused', async () => {
    const environment = environmentFile({ srm: { timeoutSeconds: 20 } });

    expect(await refusalOf({ environment, assembly: { directory: built, digest } })).toMatch(
      /was built from another entry of dev than this checkout holds: build it again\.$/,
    );
  });

  test('is not written over what is there', async () => {
    const surroundings = { cdk: recorder([]), say: () => undefined, now: () => NOW_MS };

    await expect(build({ environment: 'dev', action: 'build', directory: built }, surroundings)).rejects.toThrow(
      `${built} is not empty: name a directory that is empty, or not there.`,
    );
    expect(calls()).toEqual([]);
  });

  test('that CDK cannot build has no digest', async () => {
    const lines: string[] = [];
    Object.assign(process.env, workflow(join(directory, 'output')));
    const code = await build(
      { environment: 'dev', action: 'build', directory: join(directory, 'new') },
      { cdk: recorder([0, 3]), say: (line) => void lines.push(line), now: () => NOW_MS },
    );

    expect(code).toBe(3);
    expect(lines.join('\n')).toContain('the assembly is not whole');
    expect(lines.join('\n')).not.toContain('digest');
    expect(existsSync(join(directory, 'output'))).toBe(false);
  });
});

/** test/deep/assembly.deep.ts holds it against what CDK calls. */
test('the policy of the diff names this stack and its secrets', async () => {
  const policy = await diffPolicy(loadEnvironment(environmentFile({ account: '123456789012', region: 'cn-north-1' })));

  expect(policy.Statement).toEqual([
    {
      Effect: 'Allow',
      Action: ['cloudformation:DescribeStacks', 'cloudformation:GetTemplate', 'cloudformation:ListStackResources'],
      Resource: 'arn:aws-cn:cloudformation:*:123456789012:stack/proc-srm7-11vms-purchase-order-v1-dev/*',
    },
    {
      Effect: 'Allow',
      Action: ['secretsmanager:DescribeSecret'],
      Resource: [SRM_SECRET, VMS_SECRET].map(
        (name) => `arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:${name}-??????`,
      ),
    },
  ]);
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
    [['--env', 'dev', '--build', 'd', '--yes'], '--build needs no account, and goes with --env alone.'],
    [['--env', 'dev', '--build='], 'Where to? --build takes a directory.'],
    [['--env', 'dev', '--diff-policy', '--profile', 'p'], '--diff-policy needs no account, and goes with --env alone.'],
    [['--env', 'dev', '--assembly', 'd', '--yes'], '--assembly and --digest go together'],
    [['--env', 'dev', '--digest', 'a'.repeat(64)], '--assembly and --digest go together'],
    [['--env', 'dev', '--assembly', 'd', '--digest', 'abc'], '--digest takes the SHA-256 that --build said'],
    [['--env', 'dev', '--diff', '--assembly', 'd', '--digest', 'a'.repeat(64)], '--assembly goes with a deployment'],
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
