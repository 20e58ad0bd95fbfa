/** An assembly that CDK builds for real, with all its checks; and what CDK calls for a diff, held against the policy of its role. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { checkAssembly, digestOf } from '../../infra/deploy/assembly.ts';
import { build } from '../../infra/deploy/build.ts';
import { PINNED_CDK } from '../../infra/deploy/cdk-command.ts';
import { deploy } from '../../infra/deploy/deploy.ts';
import { diffPolicy } from '../../infra/deploy/diff-policy.ts';
import { loadEnvironment } from '../../infra/environments.ts';
import { startAwsSimulator } from '../integration/aws-simulator.ts';

const NOW_MS = Date.parse('2026-12-10T12:00:00Z');
const home = mkdtempSync(join(tmpdir(), 'assembly-test-'));
const built = join(home, 'assembly');
const before = { ...process.env };
let code: number;
beforeAll(async () => {
  Object.assign(process.env, { HOME: home, CDK_DISABLE_VERSION_CHECK: '1' });
  code = await build(
    { environment: 'dev', action: 'build', directory: built },
    { cdk: PINNED_CDK, say: () => undefined, now: () => NOW_MS },
  );
}, 900_000);
afterAll(() => {
  for (const name of Object.keys(process.env)) if (!(name in before)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, before);
  rmSync(home, { recursive: true, force: true });
});

describe('an assembly of CDK', () => {
  test('is taken by the deployment of its environment', () => {
    expect(code).toBe(0);
    expect(checkAssembly({ directory: built, digest: digestOf(built) }, loadEnvironment('dev'))).toMatchObject({
      version: '1.0.0',
      at: '2026-12-10T12:00:00.000Z',
    });
  });

  test('protects the ledger in its second half alone, and holds nothing hidden, which GitHub would leave out', () => {
    const isProtected = ['creating', 'created'].map(
      (half) =>
        /"DeletionProtectionEnabled": (\w+)/.exec(
          readFileSync(join(built, half, 'PurchaseOrder.template.json'), 'utf8'),
        )?.[1],
    );

    expect(isProtected).toEqual(['false', 'true']);
    const paths = readdirSync(built, { recursive: true }).map(String);
    expect(paths.filter((path) => /(^|[\\/])\./.test(path))).toEqual([]);
  });
});

/** CDK would take on a role of its bootstrap if it could. */
test('the policy of the diff allows what is called, and no more', async () => {
  const aws = await startAwsSimulator();
  const { AWS_ENDPOINT_URL_STS: endpoint } = aws.variables;
  Object.assign(process.env, aws.variables, {
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'x',
    AWS_SECRET_ACCESS_KEY: 'y',
    AWS_EC2_METADATA_DISABLED: 'true',
    ...Object.fromEntries(
      ['SECRETS_MANAGER', 'DYNAMODB', 'SSM', 'S3', 'SQS'].map((service) => [`AWS_ENDPOINT_URL_${service}`, endpoint]),
    ),
  });
  for (const operation of ['AssumeRole', 'GetItem']) aws.state.denied.add(operation);
  aws.state.stack = {
    status: 'CREATE_COMPLETE',
    template: '{"Resources":{}}',
    outputs: { LedgerTableName: 'ledger' },
    resources: [],
  };
  // CDK, with the assembly in place of the app: one synthesis less.
  const cdk = join(home, 'cdk.cjs');
  writeFileSync(
    cdk,
    `const { spawnSync } = require('node:child_process');
    const args = process.argv.slice(2).filter((arg) => !arg.startsWith('--context='));
    const pinned = [...${JSON.stringify(PINNED_CDK)}, ...args, '--app=' + ${JSON.stringify(join(built, 'created'))}];
    process.exit(spawnSync(pinned[0], pinned.slice(1), { stdio: 'ignore' }).status);`,
  );
  const said: string[] = [];
  try {
    const ended = await deploy(
      { environment: 'dev', profile: undefined, action: 'diff', yes: false },
      { cdk: [process.execPath, cdk], say: (line) => void said.push(line), ask: undefined, now: () => NOW_MS },
    );
    expect(ended).toBe(0);
  } finally {
    await aws.close();
  }

  const { Statement: statements } = await diffPolicy(loadEnvironment('dev'));
  const allowed = statements.flatMap(({ Action }) => Action).map((action) => action.split(':')[1] ?? '');
  // Asking for one's own identity needs no right. All other calls are denied, and the diff goes on without them.
  const called = new Set(aws.operations).difference(new Set(['GetCallerIdentity', 'AssumeRole', 'GetItem']));
  expect([...called].sort()).toEqual([...allowed].sort());
  expect(aws.operations).toContain('AssumeRole');
  expect(said.join('\n')).toContain(
    'note: whether consumption is paused could not be checked (AccessDenied: aws:GetItem)',
  );
});
