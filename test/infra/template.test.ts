/** Promises of the stack, held against the synthesized template of every environment, and of a user's own. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { bundleFunctions } from '../../infra/bundle.ts';
import { MAX_RECEIVE_COUNT } from '../../infra/constructs/cart-channel.ts';
import { type Environment, ENVIRONMENTS, loadEnvironment } from '../../infra/environments.ts';
import { synthesize } from '../../infra/synthesize.ts';
import { extractorVariables, parseVariables, workerVariables } from '../../shared/environment.ts';
import { TRANSLATION_SETTINGS_FILE, translationSettingsSchema } from '../../shared/translation-settings.ts';

const root = join(import.meta.dirname, '..', '..');
const directory = mkdtempSync(join(tmpdir(), 'template-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A user's own environment: everything that may differ from the defaults does. */
const OWN = join(directory, 'own.json');
const own = {
  ...ENVIRONMENTS['dev'],
  name: 'own',
  account: '123456789012',
  region: 'eu-central-1',
  srm: {
    baseUrl: 'https://srm.own.example',
    tokenUrl: 'https://login.own.example/token',
    scope: 'own.read',
    secretName: 'own/srm',
    client: '777',
    language: 'DE',
    internalHosts: ['sap-a.internal:8000', 'sap-b.internal'],
    statuses: ['I1129', 'I1111'],
  },
  vms: {
    baseUrl: 'https://vms.own.example/api',
    tokenUrl: 'https://login.own.example/token',
    scope: 'own.write',
    secretName: 'own/vms',
    timeoutSeconds: 7,
  },
  extraction: {
    schedule: 'cron(0/10 6-20 ? * MON-FRI *)',
    timeZone: 'Europe/Paris',
    firstWatermark: '2027-01-01T00:00:00+01:00',
    overlapSeconds: 111,
    safetySeconds: 22,
    timeoutSeconds: 444,
    memoryMegabytes: 512,
  },
  delivery: {
    retryBaseSeconds: 9,
    batchSize: 3,
    maximumConcurrency: 17,
    timeoutSeconds: 77,
    memoryMegabytes: 2048,
  },
  translation: { allowZeroPrice: true, valueMaps: { businessUnit: { XX10: 'BU-XX' } } },
  logLevel: 'WARN',
};

const templateSchema = z.object({
  Resources: z.record(
    z.string(),
    z.object({
      Type: z.string(),
      Properties: z.record(z.string(), z.unknown()).default({}),
      DeletionPolicy: z.string().optional(),
      UpdateReplacePolicy: z.string().optional(),
    }),
  ),
  Outputs: z.record(z.string(), z.object({ Value: z.unknown() })),
});
type Template = z.infer<typeof templateSchema>;
type Resource = Template['Resources'][string] & { readonly id: string };

interface Synthesis {
  readonly environment: Environment;
  readonly assembly: string;
  readonly text: string;
  readonly template: Template;
}

const functionSchema = z.object({
  Runtime: z.string(),
  Architectures: z.array(z.string()),
  Handler: z.string(),
  Timeout: z.number(),
  MemorySize: z.number(),
  Code: z.object({ S3Key: z.string() }),
  Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }),
});
const refSchema = z.object({ Ref: z.string() });
const attSchema = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) });
const queueSchema = z.object({
  VisibilityTimeout: z.number().optional(),
  MessageRetentionPeriod: z.number(),
  SqsManagedSseEnabled: z.boolean(),
  RedrivePolicy: z.object({ deadLetterTargetArn: attSchema, maxReceiveCount: z.number() }).optional(),
});
const mappingSchema = z.object({
  EventSourceArn: attSchema,
  FunctionName: refSchema,
  BatchSize: z.number(),
  FunctionResponseTypes: z.array(z.string()).optional(),
  ScalingConfig: z.object({ MaximumConcurrency: z.number() }),
});
const scheduleSchema = z.object({
  GroupName: z.string(),
  ScheduleExpression: z.string(),
  ScheduleExpressionTimezone: z.string(),
  State: z.string(),
  Target: z.object({
    Arn: attSchema,
    RetryPolicy: z.object({ MaximumRetryAttempts: z.number(), MaximumEventAgeInSeconds: z.number() }),
  }),
});
const statementSchema = z.object({
  Effect: z.enum(['Allow', 'Deny']),
  Action: z.union([z.string().transform((action) => [action]), z.array(z.string())]),
  Resource: z.unknown(),
});
const policySchema = z.object({
  PolicyDocument: z.object({ Statement: z.array(statementSchema) }),
  Roles: z.array(refSchema).optional(),
});

const names = [...Object.keys(ENVIRONMENTS), OWN];
const syntheses = new Map<string, Synthesis>();
beforeAll(async () => {
  writeFileSync(OWN, JSON.stringify(own));
  await Promise.all(
    names.map(async (name, index) => {
      const environment = loadEnvironment(name);
      const { directory: assembly, artifact } = await synthesize(environment, join(directory, String(index)));
      const text = readFileSync(join(assembly, `${artifact}.template.json`), 'utf8');
      syntheses.set(name, { environment, assembly, text, template: templateSchema.parse(JSON.parse(text)) });
    }),
  );
}, 180_000);

function synthesis(name: string): Synthesis {
  const found = syntheses.get(name);
  if (found === undefined) throw new Error(`${name} was not synthesized`);
  return found;
}

function ofType({ template }: Synthesis, type: string): Resource[] {
  const all = Object.entries(template.Resources).map(([id, resource]) => ({ id, ...resource }));
  return all.filter(({ Type }) => Type === type);
}

function one(among: readonly Resource[], what: string): Resource {
  const [resource] = among;
  if (resource === undefined || among.length > 1) throw new Error(`${among.length} of ${what}`);
  return resource;
}

/** The parts of the stack, by their roles. */
function parts(name: string) {
  const stack = synthesis(name);
  const mapping = mappingSchema.parse(one(ofType(stack, 'AWS::Lambda::EventSourceMapping'), 'mapping').Properties);
  const functions = ofType(stack, 'AWS::Lambda::Function').map(({ id, Properties }) => ({
    id,
    ...functionSchema.parse(Properties),
  }));
  const queues = ofType(stack, 'AWS::SQS::Queue').map((resource) => ({
    ...resource,
    ...queueSchema.parse(resource.Properties),
  }));
  const [worker, ...otherFunctions] = functions.toSorted((a) => (a.id === mapping.FunctionName.Ref ? -1 : 1));
  const [queue, ...otherQueues] = queues.toSorted((a) => (a.id === mapping.EventSourceArn['Fn::GetAtt'][0] ? -1 : 1));
  const [extractor] = otherFunctions;
  const [deadLetters] = otherQueues;
  if (worker === undefined || extractor === undefined || queue === undefined || deadLetters === undefined) {
    throw new Error(`${name}: ${functions.length} functions, ${queues.length} queues`);
  }
  const schedule = one(ofType(stack, 'AWS::Scheduler::Schedule'), 'schedule');
  const table = one(ofType(stack, 'AWS::DynamoDB::Table'), 'table');
  return {
    ...stack,
    worker,
    extractor,
    functions,
    mapping,
    queue,
    deadLetters,
    queues,
    schedule: scheduleSchema.parse(schedule.Properties),
    table,
    secrets: ofType(stack, 'AWS::SecretsManager::Secret'),
  };
}

describe.each(names.map((name) => [name === OWN ? "a user's own" : name, name] as const))(
  'environment %s',
  (_title, name) => {
    describe('functions', () => {
      test('are the two of the interface, on nodejs24.x and arm64', () => {
        const { functions } = parts(name);

        expect(functions).toHaveLength(2);
        for (const { Runtime, Architectures, Handler } of functions) {
          expect({ Runtime, Architectures, Handler }).toEqual({
            Runtime: 'nodejs24.x',
            Architectures: ['arm64'],
            Handler: 'main.handler',
          });
        }
      });

      test('have the limits of their environment', () => {
        const { worker, extractor, environment } = parts(name);

        expect(worker).toMatchObject({
          Timeout: environment.delivery.timeoutSeconds,
          MemorySize: environment.delivery.memoryMegabytes,
        });
        expect(extractor).toMatchObject({
          Timeout: environment.extraction.timeoutSeconds,
          MemorySize: environment.extraction.memoryMegabytes,
        });
      });

      test('are not invoked again by Lambda when an asynchronous invocation failed', () => {
        const { functions, ...stack } = parts(name);
        const retries = ofType(stack, 'AWS::Lambda::EventInvokeConfig').map(({ Properties }) => [
          refSchema.parse(Properties['FunctionName']).Ref,
          Properties['MaximumRetryAttempts'],
        ]);

        expect(Object.fromEntries(retries)).toEqual(Object.fromEntries(functions.map(({ id }) => [id, 0])));
      });

      test('have no reserved concurrency, which would burn receives', () => {
        expect(synthesis(name).text.includes('ReservedConcurrentExecutions')).toBe(false);
      });
    });

    describe('variables', () => {
      /** As CloudFormation fills them in: references become something of the right form. */
      const resolved = (variables: Readonly<Record<string, unknown>>): Record<string, string> =>
        Object.fromEntries(
          Object.entries(variables).map(([key, value]) => [
            key,
            typeof value === 'string' ? value : key.endsWith('_URL') ? `https://sqs.example/1/${key}` : `the-${key}`,
          ]),
        );

      test('are exactly those of the schemas, and each parses', () => {
        const { worker, extractor } = parts(name);
        for (const [lambda, schema] of [
          [worker, workerVariables],
          [extractor, extractorVariables],
        ] as const) {
          const { NODE_OPTIONS, ...variables } = resolved(lambda.Environment.Variables);
          expect(NODE_OPTIONS).toBe('--enable-source-maps');
          expect(Object.keys(variables).sort()).toEqual(Object.keys(schema.shape).sort());
          expect(() => parseVariables<z.ZodType>(schema, variables)).not.toThrow();
        }
      });

      test('say what the environment says', () => {
        const { worker, extractor, environment, queue, table } = parts(name);
        const { srm, vms, extraction, delivery } = environment;
        const common = {
          INTERFACE_ENVIRONMENT: environment.name,
          TABLE_NAME: { Ref: table.id },
          QUEUE_URL: { Ref: queue.id },
          POWERTOOLS_LOG_LEVEL: environment.logLevel,
          SRM_BASE_URL: srm.baseUrl,
          SRM_TOKEN_URL: srm.tokenUrl,
          SRM_SCOPE: srm.scope,
          SRM_SECRET: srm.secretName,
          SRM_CLIENT: srm.client,
          SRM_LANGUAGE: srm.language,
          SRM_INTERNAL_HOSTS: srm.internalHosts.join(','),
          SRM_STATUSES: srm.statuses.join(','),
        };
        expect(extractor.Environment.Variables).toMatchObject({
          ...common,
          POWERTOOLS_SERVICE_NAME: 'extract-approved-carts',
          FIRST_WATERMARK: extraction.firstWatermark,
          OVERLAP_SECONDS: String(extraction.overlapSeconds),
          SAFETY_SECONDS: String(extraction.safetySeconds),
        });
        expect(worker.Environment.Variables).toMatchObject({
          ...common,
          POWERTOOLS_SERVICE_NAME: 'create-purchase-orders',
          VMS_BASE_URL: vms.baseUrl,
          VMS_TOKEN_URL: vms.tokenUrl,
          VMS_SCOPE: vms.scope,
          VMS_SECRET: vms.secretName,
          VMS_TIMEOUT_MS: String(vms.timeoutSeconds * 1000),
          RETRY_BASE_SECONDS: String(delivery.retryBaseSeconds),
          MAX_RECEIVE_COUNT: String(MAX_RECEIVE_COUNT),
        });
      });

      test('hold a lease for longer than the function can live', () => {
        for (const {
          Timeout,
          Environment: { Variables },
        } of parts(name).functions) {
          expect(Number(Variables['LEASE_SECONDS'])).toBeGreaterThan(Timeout);
        }
      });

      test('leave room for a look-up, a create and the last writes in one invocation', () => {
        const { worker } = parts(name);

        expect(2 * Number(worker.Environment.Variables['VMS_TIMEOUT_MS']) + 2000).toBeLessThan(worker.Timeout * 1000);
      });
    });

    describe('the channel', () => {
      test('keeps a message invisible for at least six times the worker`s time-out', () => {
        const { queue, worker } = parts(name);

        expect(queue.VisibilityTimeout).toBeGreaterThanOrEqual(6 * worker.Timeout);
        expect(queue.VisibilityTimeout).toBeLessThanOrEqual(43_200);
      });

      test('moves a message to the dead letters after 4 receives, by SQS`s own redrive', () => {
        const { queue, deadLetters } = parts(name);

        expect(MAX_RECEIVE_COUNT).toBe(4);
        expect(queue.RedrivePolicy).toEqual({
          deadLetterTargetArn: { 'Fn::GetAtt': [deadLetters.id, 'Arn'] },
          maxReceiveCount: 4,
        });
        expect(deadLetters.RedrivePolicy).toBeUndefined();
      });

      test('keeps messages 4 days, dead letters 14: the longest that SQS allows', () => {
        const { queue, deadLetters } = parts(name);
        const day = 86_400;

        expect(queue.MessageRetentionPeriod).toBe(4 * day);
        expect(deadLetters.MessageRetentionPeriod).toBe(14 * day);
      });

      test('is encrypted, takes TLS only, and outlives the stack', () => {
        const { queues, ...stack } = parts(name);

        expect(queues).toHaveLength(2);
        for (const { SqsManagedSseEnabled, DeletionPolicy, UpdateReplacePolicy } of queues) {
          expect({ SqsManagedSseEnabled, DeletionPolicy, UpdateReplacePolicy }).toEqual({
            SqsManagedSseEnabled: true,
            DeletionPolicy: 'Retain',
            UpdateReplacePolicy: 'Retain',
          });
        }
        const denied = ofType(stack, 'AWS::SQS::QueuePolicy').map(({ Properties }) => Properties);
        expect(denied).toHaveLength(2);
        for (const policy of denied) {
          expect(policy).toMatchObject({
            PolicyDocument: {
              Statement: [{ Effect: 'Deny', Action: 'sqs:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }],
            },
          });
        }
      });

      test('feeds the worker in batches that fail message by message, at a concurrency that protects 11VMS', () => {
        const { mapping, environment } = parts(name);

        expect(mapping.FunctionResponseTypes).toEqual(['ReportBatchItemFailures']);
        expect(mapping.BatchSize).toBe(environment.delivery.batchSize);
        expect(mapping.ScalingConfig.MaximumConcurrency).toBe(environment.delivery.maximumConcurrency);
        expect(mapping.ScalingConfig.MaximumConcurrency).toBeGreaterThanOrEqual(2);
      });
    });

    describe('the schedule', () => {
      test('starts the extractor, and nothing else, in the time zone of its environment', () => {
        const { schedule, extractor, environment } = parts(name);

        expect(schedule).toMatchObject({
          State: 'ENABLED',
          ScheduleExpression: environment.extraction.schedule,
          ScheduleExpressionTimezone: environment.extraction.timeZone,
          Target: { Arn: { 'Fn::GetAtt': [extractor.id, 'Arn'] } },
        });
      });

      test('has a group of its own', () => {
        const { schedule, ...stack } = parts(name);
        const group = one(ofType(stack, 'AWS::Scheduler::ScheduleGroup'), 'schedule group');

        expect(schedule.GroupName).toBe(group.Properties['Name']);
        expect(schedule.GroupName.length).toBeLessThanOrEqual(64);
      });

      test('makes few attempts and none that is late: the next run reads the same window', () => {
        const { MaximumRetryAttempts, MaximumEventAgeInSeconds } = parts(name).schedule.Target.RetryPolicy;

        expect(MaximumRetryAttempts).toBeLessThanOrEqual(3);
        expect(MaximumEventAgeInSeconds).toBeLessThanOrEqual(900);
      });
    });

    describe('the ledger', () => {
      test('is one table, on demand, whose items may expire, and that outlives the stack', () => {
        expect(parts(name).table).toMatchObject({
          DeletionPolicy: 'Retain',
          UpdateReplacePolicy: 'Retain',
          Properties: {
            BillingMode: 'PAY_PER_REQUEST',
            TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
            KeySchema: [
              { AttributeName: 'pk', KeyType: 'HASH' },
              { AttributeName: 'sk', KeyType: 'RANGE' },
            ],
          },
        });
      });
    });

    describe('secrets', () => {
      test('are two, named by the environment, and outlive the stack', () => {
        const { secrets, environment } = parts(name);

        expect(secrets.map(({ Properties }) => Properties['Name'])).toEqual([
          environment.srm.secretName,
          environment.vms.secretName,
        ]);
        for (const secret of secrets) expect(secret).toMatchObject({ DeletionPolicy: 'Retain' });
      });

      test('have no value in the template, nor does anything else', () => {
        const { secrets, text } = parts(name);

        for (const { Properties } of secrets) {
          expect(Properties).not.toHaveProperty('SecretString');
          // Something that is no OAuth2 client, which the functions refuse with the command that writes one.
          expect(Properties['GenerateSecretString']).toEqual({});
        }
        const values = /resolve:secretsmanager|SecretString":\s*"|client_?secret["\\]*:\s*\\?"(?!\.\.\.)/i;
        expect(values.exec(text)?.[0]).toBeUndefined();
      });
    });

    describe('rights', () => {
      /** Who may do what on what: `role: action on resource`. */
      function rights(): string[] {
        const stack = synthesis(name);
        return ofType(stack, 'AWS::IAM::Policy').flatMap(({ Properties }) => {
          const { PolicyDocument, Roles } = policySchema.parse(Properties);
          const role = Roles?.map(({ Ref }) => Ref.replace(/[0-9A-F]{8}$/, '')).join();
          return PolicyDocument.Statement.flatMap(({ Effect, Action, Resource: on }) =>
            (Array.isArray(on) ? on : [on]).flatMap((resource: unknown) =>
              Action.map((action) => `${role}: ${Effect} ${action} on ${resourceName(resource)}`),
            ),
          );
        });
      }

      function resourceName(resource: unknown): string {
        const named = attSchema.safeParse(resource).data?.['Fn::GetAtt'][0] ?? refSchema.safeParse(resource).data?.Ref;
        return named === undefined ? JSON.stringify(resource) : named.replace(/[0-9A-F]{8}$/, '');
      }

      test('are these, and no more', () => {
        const { extractor } = parts(name);
        const versions = JSON.stringify({ 'Fn::Join': ['', [{ 'Fn::GetAtt': [extractor.id, 'Arn'] }, ':*']] });
        const expected = [
          ...['GetQueueAttributes', 'GetQueueUrl', 'SendMessage'].map(
            (action) => `ExtractorFunctionServiceRole: Allow sqs:${action} on CartChannelQueue`,
          ),
          ...['ChangeMessageVisibility', 'DeleteMessage', 'GetQueueAttributes', 'GetQueueUrl', 'ReceiveMessage'].map(
            (action) => `WorkerFunctionServiceRole: Allow sqs:${action} on CartChannelQueue`,
          ),
          ...['Extractor', 'Worker'].flatMap((role) => [
            ...['GetItem', 'PutItem', 'Query', 'UpdateItem'].map(
              (action) => `${role}FunctionServiceRole: Allow dynamodb:${action} on LedgerTable`,
            ),
            ...['DescribeSecret', 'GetSecretValue'].map(
              (action) => `${role}FunctionServiceRole: Allow secretsmanager:${action} on SrmSecret`,
            ),
          ]),
          ...['DescribeSecret', 'GetSecretValue'].map(
            (action) => `WorkerFunctionServiceRole: Allow secretsmanager:${action} on VmsSecret`,
          ),
        ];
        const ofScheduler = rights().filter((right) => right.startsWith('SchedulerRole'));

        expect(
          rights()
            .filter((right) => !right.startsWith('SchedulerRole'))
            .sort(),
        ).toEqual(expected.sort());
        expect(ofScheduler.map((right) => right.replace(/^\w+: /, '')).sort()).toEqual(
          [`Allow lambda:InvokeFunction on ExtractorFunction`, `Allow lambda:InvokeFunction on ${versions}`].sort(),
        );
      });

      test('are on named resources: no policy says "*"', () => {
        const unnamed = rights().filter((right) => right.endsWith('on "*"'));

        expect(unnamed).toEqual([]);
      });

      test('to send to the dead letters has nobody: only SQS moves messages there', () => {
        const { deadLetters, ...stack } = parts(name);
        const allowed = [...ofType(stack, 'AWS::IAM::Policy'), ...ofType(stack, 'AWS::SQS::QueuePolicy')].flatMap(
          ({ Properties }) =>
            policySchema.parse(Properties).PolicyDocument.Statement.filter(({ Effect }) => Effect === 'Allow'),
        );

        expect(allowed.length).toBeGreaterThan(3);
        expect(JSON.stringify(allowed)).not.toContain(deadLetters.id);
        expect(JSON.stringify(allowed)).not.toMatch(/sqs:\*|"\*"/);
      });
    });

    describe('bundles', () => {
      const read = (role: 'worker' | 'extractor') => {
        const { assembly, [role]: lambda } = parts(name);
        const asset = join(assembly, `asset.${lambda.Code.S3Key.replace('.zip', '')}`);
        const map = readFileSync(join(asset, 'main.cjs.map'), 'utf8');
        return { files: readdirSync(asset).sort(), asset, code: readFileSync(join(asset, 'main.cjs'), 'utf8'), map };
      };
      // A matcher that fails would print a megabyte of code.
      const has = (text: string, what: string | RegExp): boolean =>
        typeof what === 'string' ? text.includes(what) : what.test(text);

      test('are one minified CommonJS file each, with a map beside it', () => {
        for (const { code, files } of [read('worker'), read('extractor')]) {
          expect(files).toEqual(expect.arrayContaining(['main.cjs', 'main.cjs.map']));
          expect({
            exports: has(code, /\bmodule\.exports\s?=/),
            importsOrExportsAsModule: has(code, /^(import|export)[\s{]/m),
            // Of a module of node: it would be loaded as ESM, which reads all of undici.
            dynamicImports: has(code, /\bimport\(["'`](?:node:)?(?:https?|http2|stream)["'`]\)/),
            comments: has(code, /^\s*\/\*\*|^\s*\/\/ /m),
          }).toEqual({ exports: true, importsOrExportsAsModule: false, dynamicImports: false, comments: false });
          expect(code.length / code.split('\n').length).toBeGreaterThan(500);
          expect(code.length).toBeLessThan(3_000_000);
        }
      });

      test('have the SDK inside, and ask for nothing but node itself', () => {
        for (const { code } of [read('worker'), read('extractor')]) {
          // In brackets it is part of a message of the SDK.
          const required = [...code.matchAll(/(?<!\[)\b(?:require|import)\(\s*["'`]([^"'`]+)["'`]\s*\)/g)];
          const modules = required.map(([, module = '']) => module);

          expect(modules).toContain('node:http');
          expect(modules.filter((module) => !isBuiltin(module))).toEqual([]);
          expect(
            ['secretsmanager.', 'DynamoDB_20120810', 'AmazonSQS'].filter((service) => !has(code, service)),
          ).toEqual([]);
        }
      });

      test('hold no path of this machine, neither in the code nor in its map', () => {
        for (const { code, map } of [read('worker'), read('extractor')]) {
          const paths = [`${root}/`, `${directory}/`, `${homedir()}/`];
          expect(paths.filter((path) => has(code, path) || has(map, path))).toEqual([]);
          expect(has(map, '"sourcesContent"')).toBe(false);
          // From the project's root, wherever the bundle is made.
          const { sources } = z.object({ sources: z.array(z.string()) }).parse(JSON.parse(map));
          expect(sources.filter((source) => !/^(functions|shared|node_modules)\//.test(source))).toEqual([]);
        }
      });

      test('carry the translation`s settings with the worker alone, as the environment has them', () => {
        const { asset } = read('worker');
        const settings: unknown = JSON.parse(readFileSync(join(asset, TRANSLATION_SETTINGS_FILE), 'utf8'));

        expect(translationSettingsSchema.parse(settings)).toEqual(parts(name).environment.translation);
        expect(read('extractor').files).toEqual(['main.cjs', 'main.cjs.map']);
        expect(read('worker').files).toEqual(['main.cjs', 'main.cjs.map', TRANSLATION_SETTINGS_FILE]);
      });
    });

    test('outputs name the queues and the table', () => {
      const { template, queue, deadLetters, table } = parts(name);

      expect(template.Outputs).toEqual({
        QueueUrl: { Value: { Ref: queue.id } },
        DeadLetterQueueUrl: { Value: { Ref: deadLetters.id } },
        LedgerTableName: { Value: { Ref: table.id } },
      });
    });
  },
);

describe('across environments', () => {
  test('logical ids are the same, so that what is tested is what is deployed', () => {
    const ids = names.map((name) => Object.keys(synthesis(name).template.Resources));

    for (const those of ids) {
      // The role of the schedule is named by a hash of its target.
      const stable = (id: string): string => id.replace(/^(SchedulerRoleForTarget)\w{6}/, '$1');
      expect(those.map(stable).map((id) => id.replace(/(SchedulerRoleForTarget.*?)[0-9A-F]{8}$/, '$1'))).toEqual(
        ids[0]?.map(stable).map((id) => id.replace(/(SchedulerRoleForTarget.*?)[0-9A-F]{8}$/, '$1')),
      );
    }
  });

  test('the code is the same: the extractor`s asset does not change with them', () => {
    expect(new Set(names.map((name) => parts(name).extractor.Code.S3Key)).size).toBe(1);
  });

  test('a bundle does not depend on where it is made', async () => {
    const environment = loadEnvironment('dev');
    const [one, two] = await Promise.all(
      ['here', 'over-there'].map((folder) => bundleFunctions(environment, join(directory, folder))),
    );

    for (const folder of ['extract-approved-carts', 'create-purchase-orders'] as const) {
      const code = (bundles: typeof one): string => readFileSync(join(bundles?.[folder] ?? '', 'main.cjs'), 'utf8');
      expect(code(one) === code(two)).toBe(true);
    }
  });
});
