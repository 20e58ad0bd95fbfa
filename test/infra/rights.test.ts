/** Least privilege: which role may do what on which resource, held against what the bundled code calls. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { cartPartition, PARTITIONS, queuedPartition } from '../../shared/ledger-keys.ts';
import { LEDGER_FUNCTIONS, type LedgerFunction, ledgerRequest, mayDo } from './ledger-rights.ts';
import { asText, ofType, OWN_ENVIRONMENT, partsOf, refSchema, type Synthesis, synthesizeStack } from './synthesis.ts';

const root = join(import.meta.dirname, '..', '..');
const directory = mkdtempSync(join(tmpdir(), 'rights-'));
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

function parts(name: string) {
  const found = syntheses.get(name);
  if (found === undefined) throw new Error(`${name} was not synthesized`);
  return partsOf(found);
}

/** Of both lists of the entry. */
const MOST_ROLES = 40;

const list = z.union([z.string().transform((text) => [text]), z.array(z.string())]);
const statementSchema = z.object({
  Effect: z.enum(['Allow', 'Deny']),
  Action: list,
  Resource: z.unknown(),
  Condition: z.unknown().optional(),
});
const queuePolicySchema = z.object({
  Queues: z.array(refSchema),
  PolicyDocument: z.object({ Statement: z.array(z.unknown()) }),
});
const policySchema = z.object({
  PolicyDocument: z.object({ Statement: z.array(statementSchema) }),
  Roles: z.array(refSchema).optional(),
});

interface Right {
  /** Logical id of the role; undefined in a policy of a resource. */
  readonly role: string | undefined;
  readonly effect: 'Allow' | 'Deny';
  readonly action: string;
  readonly on: string;
  readonly condition: unknown;
}

function rightsIn(stack: Synthesis): Right[] {
  return (
    ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy', 'AWS::SQS::QueuePolicy']
      .flatMap((type) => ofType(stack, type))
      // What people may do: test/infra/access.test.ts.
      .filter(({ Type, Properties }) => Type !== 'AWS::IAM::ManagedPolicy' || 'Roles' in Properties)
      .flatMap(({ Properties }) => {
        const { PolicyDocument, Roles = [undefined] } = policySchema.parse(Properties);
        return Roles.flatMap((role) =>
          PolicyDocument.Statement.flatMap(({ Effect: effect, Action, Resource, Condition: condition }) =>
            (Array.isArray(Resource) ? Resource : [Resource]).flatMap((resource: unknown) =>
              Action.map((action) => ({ role: role?.Ref, effect, action, on: asText(resource), condition })),
            ),
          ),
        );
      })
  );
}

const allowed = (name: string): Right[] => rightsIn(parts(name)).filter(({ effect }) => effect === 'Allow');

/** The methods of shared/ledger-table.ts, through which all functions reach the table. */
const TABLE_ACTIONS: Readonly<Record<string, string>> = {
  getItem: 'dynamodb:GetItem',
  putItem: 'dynamodb:PutItem',
  updateItem: 'dynamodb:UpdateItem',
  queryItems: 'dynamodb:Query',
  existingKeys: 'dynamodb:BatchGetItem',
  putItems: 'dynamodb:BatchWriteItem',
};

/** The actions of IAM that the bundle of a function calls, by the sources that are in it. */
function actionsCalled(assembly: string, s3Key: string): string[] {
  const map: unknown = JSON.parse(
    readFileSync(join(assembly, `asset.${s3Key.replace('.zip', '')}`, 'main.cjs.map'), 'utf8'),
  );
  const { sources } = z.object({ sources: z.array(z.string()) }).parse(map);
  const services = { sqs: 'sqs', 'secrets-manager': 'secretsmanager', lambda: 'lambda' };
  const actions = sources
    .filter((source) => /^(functions|shared)\//.test(source))
    .map((source) => readFileSync(join(root, source), 'utf8'))
    .flatMap((code) => [
      ...[...code.matchAll(/\btable\.(\w+)\(/g)].map(([, method = '']) => TABLE_ACTIONS[method] ?? method),
      ...Object.entries(services).flatMap(([client, service]) =>
        // Import by import, so that a command is known by its service.
        [...code.matchAll(new RegExp(`import \\{([^}]*)\\} from '@aws-sdk/client-${client}'`, 'g'))].flatMap(
          ([, imported = '']) =>
            [...imported.matchAll(/\b(\w+?)(?:Batch)?Command\b/g)].map(
              // The one operation whose right has another name.
              ([, operation]) => `${service}:${operation === 'Invoke' ? 'InvokeFunction' : operation}`,
            ),
        ),
      ),
    ]);
  return [...new Set(actions)].sort();
}

describe.each(names.map((name) => [name === OWN ? "a user's own" : name, name] as const))('rights in %s', (_, name) => {
  /** What a role may do, by action; the resources as names of the stack. */
  function rightsOf(role: string): Record<string, string[]> {
    const rights: Record<string, string[]> = {};
    for (const { role: holder, action, on } of allowed(name)) {
      if (holder === role) rights[action] = [...new Set([...(rights[action] ?? []), on])].sort();
    }
    return rights;
  }

  function expectedOf(which: 'worker' | 'extractor' | 'supervisor' | 'reconciler' | 'redriver') {
    const { [which]: lambda, table, queue, failedInvocations, environment, secrets, messageKey } = parts(name);
    const secret = (system: 'srm' | 'vms'): string => {
      const { secretName } = environment[system];
      const created = secrets.find(({ Properties }) => Properties['Name'] === secretName);
      if (created !== undefined) return `{${created.id}}`;
      return `arn:aws:secretsmanager:${environment.region}:${environment.account}:secret:${secretName}-??????`;
    };
    return {
      lambda,
      table: `{${table.id}.Arn}`,
      queue: `{${queue.id}.Arn}`,
      failedInvocations: `{${failedInvocations.id}.Arn}`,
      logs: `{${lambda.LoggingConfig.LogGroup.Ref}.Arn}`,
      srm: secret('srm'),
      vms: secret('vms'),
      messageKey: `{${messageKey.id}}`,
      // The key of a secret that another stack created.
      key: environment.srm.kmsKeyArn === undefined ? {} : { 'kms:Decrypt': [environment.srm.kmsKeyArn] },
      network:
        lambda.VpcConfig === undefined ? {} : Object.fromEntries(networkActions.map((action) => [action, ['*']])),
    };
  }

  const networkActions = [
    'ec2:AssignPrivateIpAddresses',
    'ec2:CreateNetworkInterface',
    'ec2:DeleteNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSubnets',
    'ec2:UnassignPrivateIpAddresses',
  ];

  test('of the extractor: the watermark, which versions are queued, sending to the queue, its own secret, the key of the messages and its logs', () => {
    const { lambda, table, queue, failedInvocations, logs, srm, messageKey, key, network } = expectedOf('extractor');

    expect(rightsOf(lambda.Role['Fn::GetAtt'][0])).toEqual({
      'dynamodb:BatchGetItem': [table],
      'dynamodb:BatchWriteItem': [table],
      'dynamodb:GetItem': [table],
      'dynamodb:Query': [table],
      'dynamodb:UpdateItem': [table],
      'sqs:SendMessage': [queue, failedInvocations].sort(),
      'secretsmanager:GetSecretValue': [srm, messageKey].sort(),
      ...key,
      'logs:CreateLogStream': [logs],
      'logs:PutLogEvents': [logs],
      'xray:PutTelemetryRecords': ['*'],
      'xray:PutTraceSegments': ['*'],
      ...network,
    });
  });

  test('of the reconciler: reading what the ledger holds of carts, writing its own record and what it queues, sending to the queue, its own secret, the key of the messages and its logs', () => {
    const { lambda, table, queue, failedInvocations, logs, srm, messageKey, key, network } = expectedOf('reconciler');

    expect(rightsOf(lambda.Role['Fn::GetAtt'][0])).toEqual({
      'dynamodb:GetItem': [table],
      'dynamodb:PutItem': [table],
      'dynamodb:Query': [table],
      'dynamodb:UpdateItem': [table],
      'sqs:SendMessage': [queue, failedInvocations].sort(),
      'secretsmanager:GetSecretValue': [srm, messageKey].sort(),
      ...key,
      'logs:CreateLogStream': [logs],
      'logs:PutLogEvents': [logs],
      'xray:PutTelemetryRecords': ['*'],
      'xray:PutTraceSegments': ['*'],
      ...network,
    });
  });

  test('of the worker: the items of the ledger, receiving from the queue, both secrets, the key of the messages and its own logs', () => {
    const { lambda, table, queue, failedInvocations, logs, srm, vms, messageKey, key, network } = expectedOf('worker');

    expect(rightsOf(lambda.Role['Fn::GetAtt'][0])).toEqual({
      'dynamodb:GetItem': [table],
      'dynamodb:PutItem': [table],
      'dynamodb:Query': [table],
      'dynamodb:UpdateItem': [table],
      'sqs:ChangeMessageVisibility': [queue],
      'sqs:DeleteMessage': [queue],
      'sqs:GetQueueAttributes': [queue],
      'sqs:GetQueueUrl': [queue],
      'sqs:ReceiveMessage': [queue],
      // To requeue a cart that an outage has brought to its final attempt.
      'sqs:SendMessage': [queue, failedInvocations].sort(),
      'secretsmanager:GetSecretValue': [srm, vms, messageKey].sort(),
      ...key,
      'logs:CreateLogStream': [logs],
      'logs:PutLogEvents': [logs],
      'xray:PutTelemetryRecords': ['*'],
      'xray:PutTraceSegments': ['*'],
      ...network,
    });
  });

  test('of the supervisor: the record of the breaker, the worker, its event source, and how many carts wait', () => {
    const { lambda, table, failedInvocations, logs } = expectedOf('supervisor');
    const { worker, mapping, queue } = parts(name);
    const rights = rightsOf(lambda.Role['Fn::GetAtt'][0]);
    const eventSource = `event-source-mapping:\\{${mapping.id}\\}`;

    expect(rights['lambda:GetEventSourceMapping']).toEqual([expect.stringMatching(`:${eventSource}$`)]);
    expect(rights).toEqual({
      'dynamodb:GetItem': [table],
      'dynamodb:UpdateItem': [table],
      'lambda:GetEventSourceMapping': rights['lambda:GetEventSourceMapping'],
      'lambda:UpdateEventSourceMapping': rights['lambda:GetEventSourceMapping'],
      'lambda:InvokeFunction': [`{${worker.id}.Arn}`],
      'sqs:GetQueueAttributes': [`{${queue.id}.Arn}`],
      'sqs:SendMessage': [failedInvocations],
      'logs:CreateLogStream': [logs],
      'logs:PutLogEvents': [logs],
      'xray:PutTelemetryRecords': ['*'],
      'xray:PutTraceSegments': ['*'],
    });
  });

  test('of the redriver: the items of the ledger, taking from the dead-letter queue, sending to the cart queue, asking the worker', () => {
    const { lambda, table, queue, failedInvocations, logs } = expectedOf('redriver');
    const { worker, deadLetters } = parts(name);
    const dead = [`{${deadLetters.id}.Arn}`];

    expect(rightsOf(lambda.Role['Fn::GetAtt'][0])).toEqual({
      'dynamodb:GetItem': [table],
      'dynamodb:PutItem': [table],
      'dynamodb:Query': [table],
      'dynamodb:UpdateItem': [table],
      'lambda:InvokeFunction': [`{${worker.id}.Arn}`],
      'sqs:CancelMessageMoveTask': dead,
      'sqs:ChangeMessageVisibility': dead,
      'sqs:DeleteMessage': dead,
      'sqs:GetQueueAttributes': dead,
      'sqs:ListMessageMoveTasks': dead,
      'sqs:ReceiveMessage': dead,
      'sqs:SendMessage': [queue, failedInvocations].sort(),
      'sqs:StartMessageMoveTask': dead,
      'logs:CreateLogStream': [logs],
      'logs:PutLogEvents': [logs],
      'xray:PutTelemetryRecords': ['*'],
      'xray:PutTraceSegments': ['*'],
    });
  });

  test.each([
    ['extractor', []],
    ['supervisor', []],
    ['reconciler', []],
    ['redriver', []],
    // What Lambda's poller does with the function's role.
    ['worker', ['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:GetQueueUrl', 'sqs:ReceiveMessage']],
  ] as const)('of the %s are those that its code calls, neither fewer nor more', (which, poller) => {
    const { [which]: lambda, assembly, failedInvocations } = parts(name);
    const ofCode = allowed(name)
      .filter(({ role }) => role === lambda.Role['Fn::GetAtt'][0])
      // What Lambda itself does: logs, traces, the network, and an event that failed. Secrets Manager decrypts for it.
      .filter(({ action, on }) => !/^(logs|xray|ec2|kms):/.test(action) && on !== `{${failedInvocations.id}.Arn}`)
      .map(({ action }) => action);
    const called = actionsCalled(assembly, lambda.Code.S3Key);

    expect(called.length).toBeGreaterThan(2);
    expect([...new Set(ofCode)].sort()).toEqual([...new Set([...called, ...poller])].sort());
  });

  test('of the schedules: invoking these functions, and sending the events that failed to their queue', () => {
    const { functions, failedInvocations } = parts(name);
    const roles = functions.map(({ Role }) => Role['Fn::GetAtt'][0]);
    const others = allowed(name).filter(({ role }) => role === undefined || !roles.includes(role));

    const errands = [
      ...functions.map(({ id }) => `lambda:InvokeFunction on {${id}.Arn}`),
      `sqs:SendMessage on {${failedInvocations.id}.Arn}`,
    ];
    expect(others.length).toBeGreaterThan(1);
    expect(others.filter(({ role }) => role?.startsWith('SchedulerRole') !== true)).toEqual([]);
    expect(errands).toEqual(expect.arrayContaining(others.map(({ action, on }) => `${action} on ${on}`)));
  });

  test('to the key of a secret hold through Secrets Manager alone', () => {
    const { environment } = parts(name);
    const decrypting = allowed(name).filter(({ action }) => action.startsWith('kms:'));

    expect(decrypting).toHaveLength(environment.srm.kmsKeyArn === undefined ? 0 : 3);
    for (const { condition } of decrypting) {
      expect(condition).toEqual({
        StringEquals: { 'kms:ViaService': `secretsmanager.${environment.region}.amazonaws.com` },
      });
    }
  });

  test('name their resources: a wildcard stands only where AWS accepts nothing else', () => {
    const { environment } = parts(name);
    const xray = 'X-Ray has no resources';
    const lambda = 'Lambda makes network interfaces with the role, and asks for all of them';
    const reasons: Record<string, string> = {
      'xray:PutTelemetryRecords on *': xray,
      'xray:PutTraceSegments on *': xray,
      ...(environment.network === undefined
        ? {}
        : Object.fromEntries(networkActions.map((action) => [`${action} on *`, lambda]))),
    };
    // Secrets Manager adds six random characters to the ARN of a secret.
    const named = allowed(name).map(({ on, ...right }) => ({ ...right, on: on.replace(/-\?{6}$/, '') }));
    const wild = named
      .filter(({ action, on }) => /[*?]/.test(action + on))
      .map(({ action, on }) => `${action} on ${on}`);

    expect([...new Set(wild)].sort()).toEqual(Object.keys(reasons).sort());
  });

  test('to the network belong to Lambda: the code that has them is denied each of them', () => {
    const { functions, environment } = parts(name);
    const denied = rightsIn(parts(name)).filter(({ effect, role }) => effect === 'Deny' && role !== undefined);

    expect(denied.map(({ role, action, on, condition }) => ({ role, action, on, condition }))).toEqual(
      environment.network === undefined
        ? []
        : functions
            .filter(({ VpcConfig }) => VpcConfig !== undefined)
            .flatMap(({ id, Role }) =>
              networkActions.map((action) => ({
                role: Role['Fn::GetAtt'][0],
                action,
                on: '*',
                condition: { ArnEquals: { 'lambda:SourceFunctionArn': { 'Fn::GetAtt': [id, 'Arn'] } } },
              })),
            ),
    );
  });

  test('to send to the dead-letter queue are given to no role: only SQS moves messages there', () => {
    const { deadLetters, redriver } = parts(name);
    const rights = allowed(name).filter(({ role, on }) => role !== undefined && on.includes(deadLetters.id));

    expect(rights.filter(({ action }) => action === 'sqs:SendMessage')).toEqual([]);
    expect([...new Set(rights.map(({ role }) => role))]).toEqual([redriver.Role['Fn::GetAtt'][0]]);
    expect(allowed(name).filter(({ action }) => /^\*|^sqs:\*/.test(action))).toEqual([]);
  });

  test('to send to the cart queue, which is the right to order, and to take carts from either queue are denied to all but the functions and the roles of the entry', () => {
    const { queue, deadLetters, extractor, worker, reconciler, redriver, environment } = parts(name);
    const statementsOf = (id: string): unknown[] =>
      ofType(parts(name), 'AWS::SQS::QueuePolicy')
        .map(({ Properties }) => queuePolicySchema.parse(Properties))
        .filter(({ Queues }) => Queues.some(({ Ref }) => Ref === id))
        .flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
    const onlyEncrypted = (id: string) => ({
      Action: 'sqs:*',
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      Effect: 'Deny',
      Principal: { AWS: '*' },
      Resource: { 'Fn::GetAtt': [id, 'Arn'] },
    });
    const senders = [extractor, worker, reconciler, redriver].map(({ Role }) => Role);
    const { contentRoles, redriveRoles } = environment.operation;
    const readers = [...contentRoles, ...redriveRoles];
    const taking = ['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:ReceiveMessage'];

    expect(statementsOf(queue.id)).toEqual([
      onlyEncrypted(queue.id),
      {
        Sid: 'OnlyTheInterfaceSends',
        Effect: 'Deny',
        Principal: { AWS: '*' },
        Action: 'sqs:SendMessage',
        Resource: { 'Fn::GetAtt': [queue.id, 'Arn'] },
        Condition: { ArnNotLike: { 'aws:PrincipalArn': [...senders, ...redriveRoles] } },
      },
      {
        Sid: 'OnlyTheWorkerReceives',
        Effect: 'Deny',
        Principal: { AWS: '*' },
        Action: taking,
        Resource: { 'Fn::GetAtt': [queue.id, 'Arn'] },
        Condition: { ArnNotLike: { 'aws:PrincipalArn': [worker.Role] } },
      },
      {
        Sid: 'OnlyTheseEmpty',
        Effect: 'Deny',
        Principal: { AWS: '*' },
        Action: 'sqs:PurgeQueue',
        Resource: { 'Fn::GetAtt': [queue.id, 'Arn'] },
        Condition: { ArnNotLike: { 'aws:PrincipalArn': [worker.Role, ...redriveRoles] } },
      },
    ]);
    expect(statementsOf(deadLetters.id)).toEqual([
      onlyEncrypted(deadLetters.id),
      {
        Sid: 'OnlySqsMovesMessagesHere',
        Effect: 'Deny',
        Principal: { AWS: '*' },
        Action: 'sqs:SendMessage',
        Resource: { 'Fn::GetAtt': [deadLetters.id, 'Arn'] },
        Condition: { Null: { 'aws:PrincipalArn': 'false' } },
      },
      {
        Sid: 'OnlyTheseReceive',
        Effect: 'Deny',
        Principal: { AWS: '*' },
        Action: [...taking, 'sqs:PurgeQueue', 'sqs:StartMessageMoveTask'].sort(),
        Resource: { 'Fn::GetAtt': [deadLetters.id, 'Arn'] },
        Condition: { ArnNotLike: { 'aws:PrincipalArn': [redriver.Role, ...readers] } },
      },
    ]);
    // Who has the right is not denied it, and who is not denied it has it.
    const holders = allowed(name).filter(({ action, on }) => action === 'sqs:SendMessage' && on.includes(queue.id));
    expect(new Set(holders.map(({ role }) => role))).toEqual(new Set(senders.map((role) => role['Fn::GetAtt'][0])));
    expect(readers).toHaveLength(name === OWN ? 2 : 0);
    // Nobody is locked out of the policies themselves, and SQS takes 8,192 bytes of each.
    for (const { id } of [queue, deadLetters]) {
      const text = JSON.stringify(statementsOf(id)).replaceAll(/\{"(Ref|Fn::GetAtt)":[^}]+\}/g, 'x'.repeat(120));
      expect(text).not.toMatch(/QueueAttributes|DeleteQueue|Permission|"sqs:\*","Condition":(?!\{"Bool")/);
      expect(text.length + MOST_ROLES * 120).toBeLessThan(8192);
    }
  });

  test('to the ledger name the partitions that a function reads and writes, and hold for no request without a key', () => {
    const { table } = parts(name);
    const onTable = allowed(name).filter(({ role, on }) => role !== undefined && on === `{${table.id}.Arn}`);

    expect(onTable.length).toBeGreaterThan(20);
    for (const { condition } of onTable) {
      expect(condition).toEqual({
        'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': expect.any(Array) },
        Null: { 'dynamodb:LeadingKeys': 'false' },
      });
    }
  });

  test('come from policies of this stack alone: no managed policy of AWS is attached, which would say "*"', () => {
    for (const { Properties } of ofType(parts(name), 'AWS::IAM::Role')) {
      expect(Properties).not.toHaveProperty('ManagedPolicyArns');
      expect(Properties).not.toHaveProperty('Policies');
    }
  });
});

const key = { client: '100', number: '1000001234' };
const ORDER_OF_CART = cartPartition(key);
const QUEUED = queuedPartition(ORDER_OF_CART);
const NUMBERS = `NUMBERS#${key.client}#${key.number}`;
const OF_OTHERS = [PARTITIONS.watermark, PARTITIONS.reconciliation, PARTITIONS.breaker, PARTITIONS.plan].map(
  (beginning) => `${beginning}1`,
);
const WRITES = ['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'];
const writable = (name: LedgerFunction): string[] =>
  [ORDER_OF_CART, QUEUED, NUMBERS, ...OF_OTHERS, `${PARTITIONS.operation}2026-11`].filter((pk) =>
    WRITES.some((operation) => mayDo(name, { operation, keys: [pk] })),
  );

describe('of the items of the ledger', () => {
  test.each([
    ['Extractor', [QUEUED, 'WATERMARK#1', 'OPERATION#2026-11']],
    ['Reconciler', [QUEUED, 'RECONCILIATION#1', 'OPERATION#2026-11']],
    ['Supervisor', ['BREAKER#1', 'OPERATION#2026-11']],
    ['Worker', [ORDER_OF_CART, 'BREAKER#1']],
    ['Redriver', [ORDER_OF_CART, 'PLAN#1', 'OPERATION#2026-11']],
    ['OrderNumbers', [NUMBERS]],
  ] as const)('the %s writes these partitions and no other', (name, partitions) => {
    expect(writable(name)).toEqual(partitions);
  });

  test('no function deletes an item or scans the table, and no batch of the extractor names an order', () => {
    for (const name of LEDGER_FUNCTIONS) {
      expect(mayDo(name, { operation: 'DeleteItem', keys: [ORDER_OF_CART] })).toBe(false);
      expect(mayDo(name, { operation: 'Scan', keys: [] })).toBe(false);
      expect(mayDo(name, { operation: 'Query', keys: [] })).toBe(false);
    }
    // A batch may delete, too.
    expect(mayDo('Extractor', { operation: 'BatchWriteItem', keys: [QUEUED, ORDER_OF_CART] })).toBe(false);
    expect(mayDo('Extractor', { operation: 'BatchWriteItem', keys: [QUEUED, QUEUED] })).toBe(true);
  });

  test('a request names its keys where the SDK puts them', () => {
    const pk = { pk: { S: 'CART#1' } };
    const asked = (operation: string, body: object) => ledgerRequest({ operation, body: JSON.stringify(body) }).keys;

    expect(asked('GetItem', { Key: pk })).toEqual(['CART#1']);
    expect(asked('PutItem', { Item: pk })).toEqual(['CART#1']);
    expect(asked('Query', { KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': pk.pk } })).toEqual(
      ['CART#1'],
    );
    expect(asked('BatchGetItem', { RequestItems: { ledger: { Keys: [pk, pk] } } })).toEqual(['CART#1', 'CART#1']);
    expect(
      asked('BatchWriteItem', {
        RequestItems: { ledger: [{ PutRequest: { Item: pk } }, { DeleteRequest: { Key: pk } }] },
      }),
    ).toEqual(['CART#1', 'CART#1']);
    expect(asked('Scan', {})).toEqual([]);
    expect(() => asked('Query', { IndexName: 'listed' })).toThrow('IndexName');
  });
});
