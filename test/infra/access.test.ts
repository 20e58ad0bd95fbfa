/** What people may do: the managed policies for permission sets, held against what the commands and the runbook call. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { asText, ofType, one, OWN_ENVIRONMENT, partsOf, type Synthesis, synthesizeStack } from './synthesis.ts';

const root = join(import.meta.dirname, '..', '..');
const directory = mkdtempSync(join(tmpdir(), 'access-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const OWN = join(directory, 'own.json');
const names = ['prod', OWN];
const syntheses = new Map<string, Synthesis>();
beforeAll(async () => {
  writeFileSync(OWN, JSON.stringify(OWN_ENVIRONMENT));
  await Promise.all(
    names.map(async (name, index) => {
      syntheses.set(name, await synthesizeStack(name, join(directory, String(index))));
    }),
  );
}, 180_000);

const list = z.union([z.string().transform((text) => [text]), z.array(z.string())]);
const policySchema = z.strictObject({
  ManagedPolicyName: z.string(),
  Path: z.literal('/'),
  // CDK's own words for none; a change of a description would replace the policy, whose name is taken.
  Description: z.literal(''),
  PolicyDocument: z.object({
    Statement: z.array(
      z.strictObject({
        Effect: z.literal('Allow'),
        Action: list,
        Resource: z.unknown(),
        Condition: z.unknown().optional(),
      }),
    ),
  }),
});

type Rights = Record<string, string[]>;
const ROLES = ['viewer', 'operator', 'content'] as const;
type Role = (typeof ROLES)[number];

describe.each(names.map((name) => [name === OWN ? "a user's own" : name, name] as const))('in %s', (_, name) => {
  function partsOfStack() {
    const found = syntheses.get(name);
    if (found === undefined) throw new Error(`${name} was not synthesized`);
    return partsOf(found);
  }

  function policyOf(role: Role) {
    const stack = partsOfStack();
    const policies = ofType(stack, 'AWS::IAM::ManagedPolicy').map(({ id, Properties }) => ({
      id,
      ...policySchema.parse(Properties),
    }));
    expect(policies).toHaveLength(3);
    const named = `${stack.stack.stackName}-${role}`;
    return one(
      policies.filter(({ ManagedPolicyName }) => ManagedPolicyName === named),
      named,
    );
  }

  function rightsOf(role: Role): Rights {
    const rights: Rights = {};
    for (const { Action, Resource } of policyOf(role).PolicyDocument.Statement) {
      for (const action of Action) {
        const resources = Array.isArray(Resource) ? Resource : [Resource];
        rights[action] = [...(rights[action] ?? []), ...resources.map(asText)].sort();
      }
    }
    return rights;
  }

  function expected() {
    const { functions, worker, extractor, supervisor, reconciler, redriver, ...stack } = partsOfStack();
    const { table, queue, deadLetters, failedInvocations } = stack;
    const arn = ({ id }: { readonly id: string }): string => `{${id}.Arn}`;
    const logs = functions.map(({ LoggingConfig }) => `{${LoggingConfig.LogGroup.Ref}.Arn}`).sort();
    const stackArn = `arn:{AWS::Partition}:cloudformation:{AWS::Region}:{AWS::AccountId}:stack/${stack.stack.stackName}/*`;
    const viewer: Rights = {
      'cloudformation:DescribeStacks': [stackArn],
      'cloudformation:ListStackResources': [stackArn],
      'cloudwatch:DescribeAlarms': ['*'],
      'cloudwatch:GetDashboard': ['*'],
      'cloudwatch:GetMetricData': ['*'],
      'cloudwatch:ListDashboards': ['*'],
      'cloudwatch:ListMetrics': ['*'],
      'dynamodb:DescribeTable': [arn(table)],
      'dynamodb:GetItem': [arn(table)],
      'dynamodb:Query': [arn(table), `${arn(table)}/index/listed`],
      'dynamodb:Scan': [arn(table)],
      'lambda:GetFunction': [arn(worker)],
      'lambda:GetFunctionConfiguration': functions.map(arn).sort(),
      'lambda:ListEventSourceMappings': ['*'],
      'logs:DescribeLogGroups': ['*'],
      'logs:DescribeQueryDefinitions': ['*'],
      'logs:FilterLogEvents': logs,
      'logs:GetQueryResults': ['*'],
      'logs:StartQuery': logs,
      'logs:StopQuery': ['*'],
      'sqs:GetQueueAttributes': [queue, deadLetters, failedInvocations].map(arn).sort(),
      'sqs:ListMessageMoveTasks': [arn(deadLetters)],
    };
    return {
      viewer,
      invoked: [extractor, supervisor, reconciler, redriver].map(arn).sort(),
      deadLetters: arn(deadLetters),
    };
  }

  test('who looks reads the ledger, the logs and settings of these functions, alarms, metrics and queues: nothing else', () => {
    expect(rightsOf('viewer')).toEqual(expected().viewer);
  });

  test('who acts may look, and invoke exactly the functions that act for a person', () => {
    const { viewer, invoked } = expected();

    expect(rightsOf('operator')).toEqual({ ...viewer, 'lambda:InvokeFunction': invoked });
  });

  test('who sees contents reads dead letters and the secret of 11VMS, and this policy allows nothing beside it', () => {
    const { environment, secrets } = partsOfStack();
    const { secretName } = environment.vms;
    const created = secrets.find(({ Properties }) => Properties['Name'] === secretName);
    const { deadLetters } = expected();

    expect(rightsOf('content')).toEqual({
      'sqs:ReceiveMessage': [deadLetters],
      'sqs:ChangeMessageVisibility': [deadLetters],
      'secretsmanager:GetSecretValue': [
        created === undefined
          ? `arn:aws:secretsmanager:${environment.region}:${environment.account}:secret:${secretName}-??????`
          : `{${created.id}}`,
      ],
      ...(environment.vms.kmsKeyArn === undefined ? {} : { 'kms:Decrypt': [environment.vms.kmsKeyArn] }),
    });
  });

  test('the key of a secret may be used through Secrets Manager alone', () => {
    const { environment } = partsOfStack();
    const conditions = policyOf('content')
      .PolicyDocument.Statement.filter(({ Action }) => Action.includes('kms:Decrypt'))
      .map(({ Condition }) => Condition);

    expect(conditions).toEqual(
      environment.vms.kmsKeyArn === undefined
        ? []
        : [{ StringEquals: { 'kms:ViaService': `secretsmanager.${environment.region}.amazonaws.com` } }],
    );
  });

  test('nobody may order, delete, or write: not by the cart queue, the worker, the dead-letter queue or the ledger', () => {
    const { worker } = partsOfStack();
    const actions = ROLES.flatMap((role) => Object.keys(rightsOf(role)));

    expect(
      actions.filter((action) => /[*]|Send|Delete|Put|Update|Write|Start(?!Query)|Purge|Create/.test(action)),
    ).toEqual([]);
    expect(rightsOf('operator')['lambda:InvokeFunction']).not.toContain(`{${worker.id}.Arn}`);
  });

  test('each policy has the name that a permission set asks for, an output, and a size that IAM takes', () => {
    const { template } = partsOfStack();
    for (const role of ROLES) {
      const { id, PolicyDocument } = policyOf(role);
      expect(template.Outputs[`${role.replace(/^./, (letter) => letter.toUpperCase())}PolicyArn`]?.Value).toEqual({
        Ref: id,
      });
      // IAM takes 6144 characters; what CloudFormation fills in has at most some 150 characters each.
      const text = JSON.stringify(PolicyDocument).replace(/\{"(Ref|Fn::GetAtt)":[^}]+\}/g, 'x'.repeat(150));
      expect(text.length).toBeLessThan(6144);
    }
  });
});

const runbook = readFileSync(join(root, 'infra/runbook.md'), 'utf8');
/** The actions of the commands of AWS's CLI that the runbook prints. */
const typedInRunbook = [
  ...new Set(
    [...runbook.matchAll(/\baws (\w+) ([a-z]+(?:-[a-z]+)+|invoke|query)\b/g)].map(([, service = '', command = '']) => {
      const action = command.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
      return `${service}:${action === 'Invoke' ? 'InvokeFunction' : action}`;
    }),
  ),
];

test('who looks may call what the console and the carts command call, and what the runbook reads: neither less nor more', () => {
  const code = ['infra/console', 'infra/carts']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
    )
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readFileSync(join(root, path), 'utf8'));
  const services: Record<string, string> = {
    'client-cloudwatch-logs': 'logs',
    'client-cloudwatch': 'cloudwatch',
    'client-cloudformation': 'cloudformation',
    'client-dynamodb': 'dynamodb',
    'lib-dynamodb': 'dynamodb',
    'client-lambda': 'lambda',
    'client-secrets-manager': 'secretsmanager',
    'client-sqs': 'sqs',
  };
  const called = code.flatMap((text) =>
    [...text.matchAll(/import \{([^}]*)\} from '@aws-sdk\/([\w-]+)'/g)].flatMap(([, names = '', client = '']) =>
      [...names.matchAll(/\b(?:paginate(\w+)|(\w+?)(?:Batch)?Command)\b/g)].map(
        ([, paged, single = paged]) =>
          `${services[client] ?? client}:${single === 'Invoke' ? 'InvokeFunction' : single}`,
      ),
    ),
  );
  const actions = rightsInProd('viewer');

  // Through shared/ledger-table.ts and infra/deployed-stack.ts.
  const byOthers = [
    'dynamodb:GetItem',
    'dynamodb:Query',
    'cloudformation:DescribeStacks',
    'cloudformation:ListStackResources',
  ];
  // What the pages of AWS call that the runbook opens: CloudWatch's dashboard, its metrics, and Logs Insights.
  const inConsoleOfAws = [
    'cloudwatch:GetDashboard',
    'cloudwatch:ListDashboards',
    'cloudwatch:ListMetrics',
    'logs:DescribeLogGroups',
    'logs:DescribeQueryDefinitions',
  ];
  // Those of the other two policies.
  const beyond = [
    'lambda:InvokeFunction',
    'secretsmanager:GetSecretValue',
    'sqs:ReceiveMessage',
    'sqs:ChangeMessageVisibility',
  ];
  expect(called.length).toBeGreaterThan(10);
  expect([...called, ...byOthers].filter((action) => !actions.includes(action) && !beyond.includes(action))).toEqual(
    [],
  );
  expect(
    actions.filter((action) => ![...called, ...byOthers, ...inConsoleOfAws, ...typedInRunbook].includes(action)),
  ).toEqual([]);
  expect(inConsoleOfAws.filter((action) => !actions.includes(action))).toEqual([]);
});

test('each command of the runbook is allowed by a policy, or named in deploying.md among the rights beyond them', () => {
  const deploying = readFileSync(join(root, 'infra/deploying.md'), 'utf8');
  const [, access = ''] = /^## Access\n(.+?)^## /ms.exec(deploying) ?? [];
  const beyond = [...access.matchAll(/`([a-z]+:[A-Z]\w+)`/g)].map(([, action = '']) => action);
  const allowed = ROLES.flatMap(rightsInProd);
  // AWS answers it whatever rights the caller has.
  const free = ['sts:GetCallerIdentity'];

  expect(typedInRunbook.length).toBeGreaterThan(20);
  expect(typedInRunbook.filter((action) => ![...allowed, ...beyond, ...free].includes(action))).toEqual([]);
});

function rightsInProd(role: Role): string[] {
  const found = syntheses.get('prod');
  if (found === undefined) throw new Error('prod was not synthesized');
  const policies = ofType(found, 'AWS::IAM::ManagedPolicy').map(({ Properties }) => policySchema.parse(Properties));
  const policy = one(
    policies.filter(({ ManagedPolicyName }) => ManagedPolicyName.endsWith(`-${role}`)),
    role,
  );
  return policy.PolicyDocument.Statement.flatMap(({ Action }) => Action);
}
