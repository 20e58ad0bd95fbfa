/** Promises of the stack, held against the synthesized template of every environment, and of a user's own. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { App } from 'aws-cdk-lib';
import * as z from 'zod';
import { bundleFunctions } from '../../infra/bundle.ts';
import { SILENT_ALARMS } from '../../infra/constructs/alarm-texts.ts';
import { MAX_RECEIVE_COUNT } from '../../infra/constructs/cart-channel.ts';
import { checkContents } from '../../infra/deploy/assembly.ts';
import { ENVIRONMENTS, loadEnvironment, stackName } from '../../infra/environments.ts';
import { addPurchaseOrderStack, featureFlags } from '../../infra/synthesize.ts';
import {
  extractorVariables,
  parseVariables,
  reconcilerVariables,
  redriverVariables,
  supervisorVariables,
  workerVariables,
} from '../../shared/environment.ts';
import { TRANSLATION_SETTINGS_FILE, VMS_FIELDS_FILE } from '../../shared/environment.ts';
import { namesOf } from '../../shared/names-of.ts';
import { translationSettingsSchema } from '../../shared/translation-settings.ts';
import {
  asText,
  ofType,
  one,
  OWN_ENVIRONMENT,
  OWN_SRM_DIFFERENCES,
  OWN_VMS_DIFFERENCES,
  partsOf,
  refSchema,
  type Resource,
  type Synthesis,
  synthesizeStack,
  type Template,
} from './synthesis.ts';

const root = join(import.meta.dirname, '..', '..');
const directory = mkdtempSync(join(tmpdir(), 'template-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A user's own environment, as a file. */
const OWN = join(directory, 'own.json');

const names = [...Object.keys(ENVIRONMENTS), OWN];
const syntheses = new Map<string, Synthesis>();
beforeAll(async () => {
  writeFileSync(OWN, JSON.stringify(OWN_ENVIRONMENT));
  await Promise.all(
    names.map(async (name, index) => {
      syntheses.set(name, await synthesizeStack(name, join(directory, String(index))));
    }),
  );
}, 180_000);

function synthesis(name: string): Synthesis {
  const found = syntheses.get(name);
  if (found === undefined) throw new Error(`${name} was not synthesized`);
  return found;
}

const parts = (name: string) => partsOf(synthesis(name));

const dataProtection = z.object({
  Statement: z.tuple([
    z.object({ DataIdentifier: z.array(z.unknown()), Operation: z.unknown() }),
    z.object({ DataIdentifier: z.array(z.unknown()), Operation: z.unknown() }),
  ]),
  Configuration: z.object({ CustomDataIdentifier: z.array(z.object({ Name: z.string(), Regex: z.string() })) }),
});

/** A latch is no alarm: it tells nobody by design. */
function alarmsWithoutAction(template: Template): string[] {
  const alarm = z.object({ AlarmActions: z.array(z.unknown()).default([]), ActionsEnabled: z.boolean().default(true) });
  return ['AWS::CloudWatch::Alarm', 'AWS::CloudWatch::CompositeAlarm']
    .flatMap((type) => ofType({ template }, type))
    .filter(
      ({ Properties }) =>
        !namesOf(SILENT_ALARMS).some((name) => asText(Properties['AlarmName'] ?? '').endsWith(`-${name}`)),
    )
    .filter(({ Properties }) => {
      const { AlarmActions, ActionsEnabled } = alarm.parse(Properties);
      return AlarmActions.length === 0 || !ActionsEnabled;
    })
    .map(({ id }) => id);
}

/** What CloudFormation leaves when it deletes the stack. */
const outliving = ({ template }: Synthesis): Resource[] =>
  Object.entries(template.Resources)
    .map(([id, resource]) => ({ id, ...resource }))
    .filter(({ DeletionPolicy = 'Delete' }) => DeletionPolicy !== 'Delete');

/** By which property CloudFormation imports a resource ("Resource type support" in its guide). */
const IMPORT_IDENTIFIERS: Readonly<Record<string, string>> = {
  'AWS::DynamoDB::Table': 'TableName',
  'AWS::Logs::LogGroup': 'LogGroupName',
  'AWS::SQS::Queue': 'QueueUrl',
  'AWS::SecretsManager::Secret': 'Id',
};

/** The resources of the template that a resource needs. */
function referencesOf(resource: Resource): string[] {
  const text = JSON.stringify(resource);
  const references = [...text.matchAll(/"Ref":"(\w+)"|"Fn::GetAtt":\["(\w+)"|\$\{(\w+)[.}]|"DependsOn":\[?"(\w+)"/g)];
  return references.flatMap((groups) => groups.slice(1).filter((group) => group !== undefined));
}

/** Texts that look like a credential. */
function plaintextSecrets(text: string): string[] {
  const credential = [
    /"SecretString":\s*"/,
    /client_?secret["\\]*:\s*\\?"(?!\.\.\.|\{\{resolve:)/i,
    /-----BEGIN|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/,
    /:\/\/[^/"\s:@]+:[^/"\s:@]+@/,
    /"IsValueSecret":\s*true,[^}]*"Value":\s*"(?!\{\{resolve:)/,
  ];
  return credential.flatMap((pattern) => pattern.exec(text)?.[0] ?? []);
}

describe.each(names.map((name) => [name === OWN ? "a user's own" : name, name] as const))(
  'environment %s',
  (_title, name) => {
    test('is deployed from an assembly that holds what the deployment knows, and no more', () => {
      const { assembly, environment } = synthesis(name);

      expect(checkContents(assembly, environment)).toMatchObject({ stackName: stackName(environment) });
    });

    describe('functions', () => {
      test('are the five of the interface, on nodejs24.x and arm64', () => {
        const { functions } = parts(name);

        expect(functions).toHaveLength(5);
        for (const { Runtime, Architectures, Handler } of functions) {
          expect({ Runtime, Architectures, Handler }).toEqual({
            Runtime: 'nodejs24.x',
            Architectures: ['arm64'],
            Handler: 'main.handler',
          });
        }
      });

      test('have the limits of their environment; the reconciliation has the longest time-out that Lambda allows', () => {
        const { worker, extractor, reconciler, environment } = parts(name);

        expect(worker).toMatchObject({
          Timeout: environment.delivery.timeoutSeconds,
          MemorySize: environment.delivery.memoryMegabytes,
        });
        expect(extractor).toMatchObject({
          Timeout: environment.extraction.timeoutSeconds,
          MemorySize: environment.extraction.memoryMegabytes,
        });
        expect(reconciler).toMatchObject({ Timeout: 900 });
      });

      test('are not invoked again by Lambda when an asynchronous invocation failed', () => {
        const { functions, ...stack } = parts(name);
        const retries = ofType(stack, 'AWS::Lambda::EventInvokeConfig').map(({ Properties }) => [
          refSchema.parse(Properties['FunctionName']).Ref,
          Properties['MaximumRetryAttempts'],
        ]);

        expect(Object.fromEntries(retries)).toEqual(Object.fromEntries(functions.map(({ id }) => [id, 0])));
      });

      test('leave an asynchronous invocation that failed, or waited too long, in a queue for people', () => {
        const { failedInvocations, ...stack } = parts(name);
        const configurations = ofType(stack, 'AWS::Lambda::EventInvokeConfig').map(({ Properties }) => Properties);

        expect(configurations).toHaveLength(5);
        for (const { DestinationConfig, MaximumEventAgeInSeconds } of configurations) {
          expect(DestinationConfig).toEqual({
            OnFailure: { Destination: { 'Fn::GetAtt': [failedInvocations.id, 'Arn'] } },
          });
          expect(Number(MaximumEventAgeInSeconds)).toBeLessThanOrEqual(900);
        }
      });

      test('are traced by X-Ray', () => {
        for (const { TracingConfig } of parts(name).functions) expect(TracingConfig).toEqual({ Mode: 'Active' });
      });

      test('that call SRM or 11VMS are in the network of their environment, if any; the supervisor is in no network', () => {
        const { worker, extractor, supervisor, reconciler, environment } = parts(name);

        expect(supervisor.VpcConfig).toBeUndefined();
        for (const { VpcConfig } of [worker, extractor, reconciler]) {
          expect(VpcConfig).toEqual(
            environment.network === undefined
              ? undefined
              : { SubnetIds: environment.network.subnetIds, SecurityGroupIds: environment.network.securityGroupIds },
          );
        }
      });

      test('have no reserved concurrency, which would burn receives', () => {
        expect(synthesis(name).text.includes('ReservedConcurrentExecutions')).toBe(false);
      });
    });

    describe('the variables of the functions', () => {
      /** As CloudFormation fills them in: references become something of the right form. */
      const resolved = (variables: Readonly<Record<string, unknown>>): Record<string, string> =>
        Object.fromEntries(
          Object.entries(variables).map(([key, value]) => [
            key,
            typeof value === 'string' ? value : key.endsWith('_URL') ? `https://sqs.example/1/${key}` : `the-${key}`,
          ]),
        );

      test('are exactly those of the schemas, and each one parses', () => {
        const { worker, extractor, supervisor, reconciler, redriver } = parts(name);
        for (const [lambda, schema] of [
          [worker, workerVariables],
          [extractor, extractorVariables],
          [supervisor, supervisorVariables],
          [reconciler, reconcilerVariables],
          [redriver, redriverVariables],
        ] as const) {
          const { NODE_OPTIONS, ...variables } = resolved(lambda.Environment.Variables);
          expect(NODE_OPTIONS).toBe('--enable-source-maps');
          expect(Object.keys(variables).sort()).toEqual(Object.keys(schema.shape).sort());
          expect(() => parseVariables<z.ZodType>(schema, variables)).not.toThrow();
        }
      });

      test('are accompanied by a warning where carts can fall between two pages', () => {
        const { environment, warnings } = synthesis(name);

        expect(warnings.filter((text) => text.startsWith('srm.paging is "skip-top"'))).toHaveLength(
          environment.srm.paging === 'skip-top' ? 1 : 0,
        );
      });

      test('have the values of the environment', () => {
        const { worker, extractor, reconciler, environment, queue, table, messageKey } = parts(name);
        const { srm, vms, extraction, reconciliation, delivery } = environment;
        const common = {
          INTERFACE_ENVIRONMENT: environment.name,
          TABLE_NAME: { Ref: table.id },
          QUEUE_URL: { Ref: queue.id },
          MESSAGE_KEY: { Ref: messageKey.id },
          POWERTOOLS_LOG_LEVEL: environment.logLevel,
          SRM_BASE_URL: srm.baseUrl,
          SRM_TOKEN_URL: srm.tokenUrl,
          SRM_CLIENT_AUTHENTICATION: srm.clientAuthentication,
          SRM_SCOPE: srm.scope,
          SRM_SECRET: srm.secretName,
          SRM_MUTUAL_TLS: String(srm.mutualTls),
          SRM_PRIVATE_CA: String(srm.privateCa),
          SRM_API_KEY_HEADER: srm.apiKeyHeader ?? '',
          SRM_PROXY_URL: srm.proxyUrl ?? '',
          SRM_DIFFERENCES: name === OWN ? JSON.stringify(OWN_SRM_DIFFERENCES) : '{}',
          SRM_CLIENT: srm.client,
          SRM_LANGUAGE: srm.language,
          SRM_INTERNAL_HOSTS: srm.internalHosts.join(','),
          SRM_STATUSES: srm.statuses.join(','),
          SRM_TIMEOUT_MS: String(srm.timeoutSeconds * 1000),
          SRM_PAGE_SIZE: String(srm.pageSize ?? 0),
          SRM_PAGING: srm.paging,
          SRM_SERVICE_PATH: srm.servicePath,
          SRM_ENTITY_SET: srm.entitySet,
          SRM_KEY_PROPERTY: srm.keyProperty,
          SRM_CHANGED_AT_PROPERTY: srm.changedAtProperty,
        };
        expect(extractor.Environment.Variables).toMatchObject({
          ...common,
          POWERTOOLS_SERVICE_NAME: 'extract-approved-carts',
          FIRST_WATERMARK: extraction.firstWatermark,
          OVERLAP_SECONDS: String(extraction.overlapSeconds),
          SAFETY_SECONDS: String(extraction.safetySeconds),
        });
        expect(reconciler.Environment.Variables).toMatchObject({
          ...common,
          POWERTOOLS_SERVICE_NAME: 'reconcile-carts',
          FIRST_WATERMARK: extraction.firstWatermark,
          RECONCILIATION_DAYS: String(reconciliation.days),
        });
        expect(worker.Environment.Variables).toMatchObject({
          ...common,
          POWERTOOLS_SERVICE_NAME: 'create-purchase-orders',
          VMS_BASE_URL: vms.baseUrl,
          VMS_COLLECTION_PATH: vms.collectionPath,
          VMS_LOOK_UP_BY: vms.lookUpBy,
          VMS_FOUND_AT: vms.foundAt,
          VMS_ID_AT: vms.idAt,
          VMS_NUMBER_AT: vms.numberAt,
          VMS_EXTERNAL_ID_AT: vms.externalIdAt,
          VMS_DECIMALS_AS: vms.decimalsAs,
          VMS_TOKEN_URL: vms.tokenUrl,
          VMS_CLIENT_AUTHENTICATION: vms.clientAuthentication,
          VMS_SCOPE: vms.scope,
          VMS_SECRET: vms.secretName,
          VMS_MUTUAL_TLS: String(vms.mutualTls),
          VMS_PRIVATE_CA: String(vms.privateCa),
          VMS_API_KEY_HEADER: vms.apiKeyHeader ?? '',
          VMS_PROXY_URL: vms.proxyUrl ?? '',
          VMS_DIFFERENCES: name === OWN ? JSON.stringify(OWN_VMS_DIFFERENCES) : '{}',
          VMS_TIMEOUT_MS: String(vms.timeoutSeconds * 1000),
          RETRY_BASE_SECONDS: String(delivery.retryBaseSeconds),
          MAX_RECEIVE_COUNT: String(MAX_RECEIVE_COUNT),
          PAUSE_FOR_DEAD_LETTERS: 'true',
        });
      });

      test('hold a lease for longer than the function can live', () => {
        const { worker, extractor } = parts(name);
        for (const {
          Timeout,
          Environment: { Variables },
        } of [worker, extractor]) {
          expect(Number(Variables['LEASE_SECONDS'])).toBeGreaterThan(Timeout);
        }
      });

      test('leave room for a look-up, a create and the last writes in one invocation', () => {
        const { worker } = parts(name);

        expect(2 * Number(worker.Environment.Variables['VMS_TIMEOUT_MS']) + 2000).toBeLessThan(worker.Timeout * 1000);
      });
    });

    describe('the queue of carts', () => {
      test("keeps a message invisible for at least six times the worker's time-out and the batching window", () => {
        const { queue, worker, mapping } = parts(name);
        const leastSeconds = 6 * worker.Timeout + mapping.MaximumBatchingWindowInSeconds;

        expect(queue.VisibilityTimeout).toBeGreaterThanOrEqual(leastSeconds);
        expect(queue.VisibilityTimeout).toBeLessThanOrEqual(43_200);
      });

      test("moves a message to the dead-letter queue after 4 receives, by SQS's own redrive policy", () => {
        const { queue, deadLetters } = parts(name);

        expect(MAX_RECEIVE_COUNT).toBe(4);
        expect(queue.RedrivePolicy).toEqual({
          deadLetterTargetArn: { 'Fn::GetAtt': [deadLetters.id, 'Arn'] },
          maxReceiveCount: 4,
        });
        expect(deadLetters.RedrivePolicy).toBeUndefined();
      });

      test('keeps messages 4 days, dead letters 14, the longest that SQS allows', () => {
        const { queue, deadLetters } = parts(name);
        const day = 86_400;

        expect(queue.MessageRetentionPeriod).toBe(4 * day);
        expect(deadLetters.MessageRetentionPeriod).toBe(14 * day);
      });

      test('has no name of its own: it outlives its stack, and the next stack must not find the name taken', () => {
        const { queue, deadLetters } = parts(name);

        expect(queue.QueueName).toBeUndefined();
        expect(deadLetters.QueueName).toBeUndefined();
      });

      test('feeds the worker in batches that fail message by message, at a concurrency that protects 11VMS', () => {
        const { mapping, environment } = parts(name);

        expect(mapping.FunctionResponseTypes).toEqual(['ReportBatchItemFailures']);
        expect(mapping.BatchSize).toBe(environment.delivery.batchSize);
        expect(mapping.MaximumBatchingWindowInSeconds).toBe(environment.delivery.batchingWindowSeconds);
        expect(mapping.ScalingConfig.MaximumConcurrency).toBe(environment.delivery.maximumConcurrency);
        expect(mapping.ScalingConfig.MaximumConcurrency).toBeGreaterThanOrEqual(2);
      });
    });

    describe('the schedules', () => {
      test('start the extractor as its environment says, in its time zone', () => {
        const { schedules, extractor, environment } = parts(name);
        const { schedule: expression, timeZone } = environment.extraction;
        const schedule = one(
          schedules.filter(
            ({ ScheduleExpression, Target }) =>
              ScheduleExpression === expression && Target.Arn['Fn::GetAtt'][0] === extractor.id,
          ),
          expression,
        );

        expect(schedule).toMatchObject({ State: 'ENABLED', ScheduleExpressionTimezone: timeZone });
      });

      test('start the reconciliation as its environment says, in the time zone of the extraction', () => {
        const { schedules, reconciler, environment } = parts(name);
        const { extraction, reconciliation } = environment;
        const schedule = one(
          schedules.filter(({ Target }) => Target.Arn['Fn::GetAtt'][0] === reconciler.id),
          'schedule of the reconciliation',
        );

        expect(schedule).toMatchObject({
          State: 'ENABLED',
          ScheduleExpression: reconciliation.schedule,
          ScheduleExpressionTimezone: extraction.timeZone,
        });
      });

      test('have a group of their own', () => {
        const { schedules, ...stack } = parts(name);
        const group = one(ofType(stack, 'AWS::Scheduler::ScheduleGroup'), 'schedule group');

        for (const { GroupName } of schedules) {
          expect(GroupName).toBe(group.Properties['Name']);
          expect(GroupName.length).toBeLessThanOrEqual(64);
        }
      });

      test('start late events never, repeat failed starts a few times, and leave the rest in a queue for people', () => {
        const { schedules, reconciler, failedInvocations } = parts(name);

        expect(schedules).toHaveLength(3);
        for (const { Target } of schedules) {
          expect(Target.RetryPolicy.MaximumRetryAttempts).toBeLessThanOrEqual(3);
          // The reconciliation of a day may start an hour late; what starts every few minutes may not.
          expect(Target.RetryPolicy.MaximumEventAgeInSeconds).toBeLessThanOrEqual(
            Target.Arn['Fn::GetAtt'][0] === reconciler.id ? 3600 : 900,
          );
          expect(Target.DeadLetterConfig?.Arn['Fn::GetAtt'][0]).toBe(failedInvocations.id);
        }
      });
    });

    describe('events of failed invocations', () => {
      test('stay 14 days in a queue that is no dead-letter queue of carts', () => {
        const { failedInvocations, queue } = parts(name);

        expect(failedInvocations.MessageRetentionPeriod).toBe(14 * 86_400);
        expect(queue.RedrivePolicy?.deadLetterTargetArn['Fn::GetAtt'][0]).not.toBe(failedInvocations.id);
      });
    });

    describe('every queue', () => {
      test('is encrypted, takes TLS only, and outlives the stack', () => {
        const { queues, ...stack } = parts(name);
        const denied = ofType(stack, 'AWS::SQS::QueuePolicy').map(({ Properties }) => Properties);

        expect(queues).toHaveLength(4);
        for (const { id, SqsManagedSseEnabled, DeletionPolicy, UpdateReplacePolicy } of queues) {
          // A page that PagerDuty did not accept is of no use to the next stack.
          const [deletion, replacement] = id.startsWith('Monitoring')
            ? ['Delete', 'Delete']
            : ['RetainExceptOnCreate', 'Retain'];
          expect({ SqsManagedSseEnabled, DeletionPolicy, UpdateReplacePolicy }).toEqual({
            SqsManagedSseEnabled: true,
            DeletionPolicy: deletion,
            UpdateReplacePolicy: replacement,
          });
          expect(denied).toContainEqual(
            expect.objectContaining({
              Queues: [{ Ref: id }],
              PolicyDocument: expect.objectContaining({
                Statement: expect.arrayContaining([
                  {
                    Effect: 'Deny',
                    Action: 'sqs:*',
                    Principal: { AWS: '*' },
                    Resource: { 'Fn::GetAtt': [id, 'Arn'] },
                    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
                  },
                ]),
              }),
            }),
          );
        }
      });
    });

    describe('the ledger', () => {
      test('is one table, on demand, encrypted, with point-in-time recovery, and protected against deletion, even with the stack', () => {
        expect(parts(name).table).toMatchObject({
          DeletionPolicy: 'Retain',
          UpdateReplacePolicy: 'Retain',
          Properties: {
            BillingMode: 'PAY_PER_REQUEST',
            PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
            DeletionProtectionEnabled: true,
            SSESpecification: { SSEEnabled: true },
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
      test('of the connections are two, named by the environment, and outlive the stack; or exist already', () => {
        const { secrets, environment } = parts(name);
        const { srm, vms } = environment;

        expect(secrets.map(({ Properties }) => Properties['Name'])).toEqual(
          [srm, vms].filter(({ createSecret }) => createSecret).map(({ secretName }) => secretName),
        );
        for (const secret of secrets) expect(secret).toMatchObject({ DeletionPolicy: 'RetainExceptOnCreate' });
      });

      test('are joined by the key of the messages, which Secrets Manager makes, and which outlives the stack like the queues', () => {
        const { messageKey } = parts(name);

        expect(messageKey).toMatchObject({ DeletionPolicy: 'RetainExceptOnCreate' });
        expect(messageKey.Properties).toEqual({
          Description: expect.stringContaining('who has it may order'),
          GenerateSecretString: { PasswordLength: 64, ExcludePunctuation: true },
          Tags: messageKey.Properties['Tags'],
        });
      });

      test('have no value in the template, and no other secret value stands there', () => {
        const { secrets, text } = parts(name);

        for (const { Properties } of secrets) {
          expect(Properties).not.toHaveProperty('SecretString');
          // Empty: the functions refuse it, and name the command that writes one.
          expect(Properties).not.toHaveProperty('GenerateSecretString');
        }
        expect(plaintextSecrets(text)).toEqual([]);
      });

      test('are read by the functions themselves: the variables hold only their names', () => {
        for (const { Environment } of parts(name).functions) {
          expect(JSON.stringify(Environment)).not.toContain('{{resolve:');
        }
      });
    });

    describe('logs', () => {
      test("go to a group of each function's own, in Lambda's text format, which leaves EMF unchanged", () => {
        const { functions, ...stack } = parts(name);
        const groups = ofType(stack, 'AWS::Logs::LogGroup').map(({ id }) => id);

        expect(functions.map(({ LoggingConfig }) => LoggingConfig.LogGroup.Ref).sort()).toEqual(groups.sort());
        expect(new Set(groups).size).toBe(5);
        expect(functions.map(({ LoggingConfig }) => LoggingConfig.LogFormat ?? 'Text')).toEqual([
          'Text',
          'Text',
          'Text',
          'Text',
          'Text',
        ]);
      });

      test('expire when the environment says, and outlive the stack until then', () => {
        const { environment, ...stack } = parts(name);

        for (const group of ofType(stack, 'AWS::Logs::LogGroup')) {
          expect(group).toMatchObject({
            DeletionPolicy: 'RetainExceptOnCreate',
            UpdateReplacePolicy: 'Retain',
            Properties: { RetentionInDays: environment.operation.logRetentionDays },
          });
        }
      });

      test('mask e-mail addresses, keys and credentials, and count what they mask', () => {
        for (const { Properties } of ofType(synthesis(name), 'AWS::Logs::LogGroup')) {
          const policy = dataProtection.parse(Properties['DataProtectionPolicy']);
          const [audit, mask] = policy.Statement;

          expect(audit?.Operation).toEqual({ Audit: { FindingsDestination: {} } });
          expect(mask?.Operation).toEqual({ Deidentify: { MaskConfig: {} } });
          for (const { DataIdentifier } of policy.Statement) {
            expect(DataIdentifier.map((identifier) => asText(identifier).replace(/.*\//, '')).sort()).toEqual(
              [
                'ApiKey',
                'AwsSecretKey',
                'BasicCredentials',
                'BearerToken',
                'ClientSecret',
                'EmailAddress',
                'OpenSshPrivateKey',
                'PkcsPrivateKey',
              ].sort(),
            );
          }
        }
      });

      test('mask by patterns that CloudWatch Logs accepts, and that find what they are made for', () => {
        const [group] = ofType(synthesis(name), 'AWS::Logs::LogGroup');
        const { Configuration } = dataProtection.parse(group?.Properties['DataProtectionPolicy']);
        const masked = (line: string): string =>
          Configuration.CustomDataIdentifier.reduce(
            (text, { Regex }) => text.replaceAll(new RegExp(Regex, 'g'), '***'),
            line,
          );

        for (const { Regex } of Configuration.CustomDataIdentifier) {
          // CloudWatch Logs' guide, "Custom data identifier constraints".
          expect(Regex).toMatch(/^[A-Za-z0-9_#=@/;,\- ^$?[\]{}|\\*+.]{1,200}$/);
        }
        expect(masked('{"authorization":"Bearer eyJhbGciOi.eyJzdWIiOiIx.c2lnbmF0dXJl"}')).toBe(
          '{"authorization":"***"}',
        );
        expect(masked('Authorization: Basic aWQ6dGhlLXNlY3JldC1pdHNlbGY=')).toBe('Authorization: ***=');
        expect(masked('{"clientSecret":"hunter2!x","scope":"s"}')).not.toContain('hunter2');
        expect(masked('client_secret=hunter2')).not.toContain('hunter2');
        // What an operator must be able to read.
        const cure =
          'Secret x/srm does not hold an OAuth2 client. Write { "clientId": "...", "clientSecret": "..." } into it';
        expect(masked(cure)).toBe(cure);
      });
    });

    describe('the stack', () => {
      test('is tagged with the interface and its environment, and as the environment says', () => {
        const { stack, environment } = synthesis(name);

        expect(stack.tags).toEqual({
          ...environment.operation.tags,
          interface: 'PROC-SRM7-11VMS-PURCHASE-ORDER-V1',
          environment: environment.name,
        });
      });

      test('is protected against deletion where its environment says so, as prod does', () => {
        const { stack, environment } = synthesis(name);

        expect(stack.terminationProtection).toBe(environment.operation.terminationProtection);
        expect(loadEnvironment('prod').operation.terminationProtection).toBe(true);
      });

      test('can be deleted and created again: what outlives it has no name, apart from the secrets that the entry names', () => {
        const retained = outliving(synthesis(name));
        const named = retained.flatMap(({ Type, Properties }) =>
          Object.entries(Properties).flatMap(([key, value]) =>
            key.endsWith('Name') ? [`${Type} ${key} ${asText(value)}`] : [],
          ),
        );
        const { srm, vms } = synthesis(name).environment;

        expect(retained.length).toBeGreaterThan(8);
        expect(named).toEqual(
          [srm, vms]
            .filter(({ createSecret }) => createSecret)
            .map(({ secretName }) => `AWS::SecretsManager::Secret Name ${secretName}`),
        );
      });

      test('can be created around what outlived another: CloudFormation can import it, by itself, before everything else', () => {
        const retained = outliving(synthesis(name));
        const ids = retained.map(({ id }) => id);

        // The types of the runbook, "Adopt what a deleted stack left". The name of each identifies it for an import.
        expect([...new Set(retained.map(({ Type }) => Type))].sort()).toEqual(Object.keys(IMPORT_IDENTIFIERS).sort());
        // An import creates nothing, so nothing that it imports may refer to anything else.
        expect(retained.flatMap((resource) => referencesOf(resource)).filter((id) => !ids.includes(id))).toEqual([]);
      });

      test('has no alarm without a recipient', () => {
        expect(alarmsWithoutAction(synthesis(name).template)).toEqual([]);
      });

      test('passes cdk-nag with these findings acknowledged, each with its reason', () => {
        const { acknowledged, environment, stack } = synthesis(name);
        const { srm, vms } = environment;
        const secrets = [['MessageKey'], srm.createSecret ? ['SrmSecret'] : [], vms.createSecret ? ['VmsSecret'] : []]
          .flat()
          .map((secret) => `${secret}/Secret: AwsSolutions-SMG4`);

        expect(acknowledged.map(({ path, rule }) => `${path.replace('/PurchaseOrder/', '')}: ${rule}`).sort()).toEqual(
          [
            ...secrets,
            ...['Viewer', 'Operator'].flatMap((role) => [
              `Access/${role}: AwsSolutions-IAM5[Resource::*]`,
              `Access/${role}: AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:cloudformation:<AWS::Region>:<AWS::AccountId>:stack/${stack.stackName}/*]`,
            ]),
            'Extractor/FunctionRole: AwsSolutions-IAM5[Resource::*]',
            'FailedInvocations/Queue: AwsSolutions-SQS3',
            'Monitoring/Notifications/UndeliveredPages: AwsSolutions-SQS3',
            'Reconciler/FunctionRole: AwsSolutions-IAM5[Resource::*]',
            'Redriver/FunctionRole: AwsSolutions-IAM5[Resource::*]',
            'Supervisor/FunctionRole: AwsSolutions-IAM5[Resource::*]',
            'Worker/FunctionRole: AwsSolutions-IAM5[Resource::*]',
          ].sort(),
        );
        for (const { reason } of acknowledged) expect(reason.length).toBeGreaterThan(40);
      });
    });

    describe('bundles', () => {
      const read = (role: 'worker' | 'extractor' | 'supervisor' | 'reconciler' | 'redriver') => {
        const { assembly, [role]: lambda } = parts(name);
        const asset = join(assembly, `asset.${lambda.Code.S3Key.replace('.zip', '')}`);
        const map = readFileSync(join(asset, 'main.cjs.map'), 'utf8');
        return { files: readdirSync(asset).sort(), asset, code: readFileSync(join(asset, 'main.cjs'), 'utf8'), map };
      };
      // A matcher that fails would print a megabyte of code.
      const has = (text: string, what: string | RegExp): boolean =>
        typeof what === 'string' ? text.includes(what) : what.test(text);

      test('are one minified CommonJS file each, with a map beside it', () => {
        for (const { code, files } of [read('worker'), read('extractor'), read('reconciler')]) {
          expect(files).toEqual(expect.arrayContaining(['main.cjs', 'main.cjs.map']));
          expect({
            exports: has(code, /\bmodule\.exports\s?=/),
            importsOrExportsAsModule: has(code, /^(import|export)[\s{]/m),
            // Of a module of node: it would be loaded as ESM, which reads all of undici.
            dynamicImports: has(code, /\bimport\(["'`](?:node:)?(?:https?|http2|stream)["'`]\)/),
            comments: has(code, /^\s*\/\*\*|^\s*\/\/ /m),
          }).toEqual({ exports: true, importsOrExportsAsModule: false, dynamicImports: false, comments: false });
          expect(code.length / code.split('\n').length).toBeGreaterThan(500);
        }
      });

      test.each(['extractor', 'worker', 'supervisor', 'reconciler', 'redriver'] as const)(
        'of the %s is small enough to start fast',
        (role) => {
          // If it is larger: `npm run bench -- --cold` lists what is in it, by package.
          expect(Buffer.byteLength(read(role).code)).toBeLessThanOrEqual(604_000);
        },
      );

      test('contain the SDK, and import only modules of node', () => {
        for (const { code } of [read('worker'), read('extractor'), read('reconciler')]) {
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
        for (const { code, map } of [read('worker'), read('extractor'), read('reconciler')]) {
          const paths = [`${root}/`, `${directory}/`, `${homedir()}/`];
          expect(paths.filter((path) => has(code, path) || has(map, path))).toEqual([]);
          expect(has(map, '"sourcesContent"')).toBe(false);
          // Relative to the project's root, wherever the bundle is made.
          const { sources } = z.object({ sources: z.array(z.string()) }).parse(JSON.parse(map));
          expect(sources.filter((source) => !/^((functions|shared|node_modules)\/|left-out:)/.test(source))).toEqual(
            [],
          );
        }
      });

      test("carry the settings of the translation only in the worker's bundle, as the environment has them", () => {
        const { asset } = read('worker');
        const settings: unknown = JSON.parse(readFileSync(join(asset, TRANSLATION_SETTINGS_FILE), 'utf8'));

        expect(translationSettingsSchema.parse(settings)).toEqual(parts(name).environment.translation);
        expect(read('extractor').files).toEqual(['main.cjs', 'main.cjs.map']);
        const fields: unknown = JSON.parse(readFileSync(join(asset, VMS_FIELDS_FILE), 'utf8'));
        expect(fields).toEqual(parts(name).environment.vms.fields);
        expect(read('worker').files).toEqual(['main.cjs', 'main.cjs.map', TRANSLATION_SETTINGS_FILE, VMS_FIELDS_FILE]);
      });
    });

    test('the outputs name what an operator needs: dashboard, runbook, queues, table, functions, logs', () => {
      const { template, environment, queue, deadLetters, failedInvocations, table, ...functions } = parts(name);
      const { extractor, supervisor, reconciler, redriver, worker } = functions;

      const dashboard = z
        .object({ Properties: z.object({ DashboardName: z.string() }) })
        .parse(one(ofType({ template }, 'AWS::CloudWatch::Dashboard'), 'dashboard'));
      const dashboardUrl = asText(template.Outputs['DashboardUrl']?.Value);
      expect(dashboardUrl.endsWith(`#dashboards/dashboard/${dashboard.Properties.DashboardName}`)).toBe(true);
      expect(template.Outputs).toMatchObject({
        RunbookUrl: { Value: environment.notifications.runbookUrl },
        QueueUrl: { Value: { Ref: queue.id } },
        DeadLetterQueueUrl: { Value: { Ref: deadLetters.id } },
        FailedInvocationsQueueUrl: { Value: { Ref: failedInvocations.id } },
        LedgerTableName: { Value: { Ref: table.id } },
        ExtractorFunctionName: { Value: { Ref: extractor.id } },
        ExtractorLogGroupName: { Value: extractor.LoggingConfig.LogGroup },
        SupervisorFunctionName: { Value: { Ref: supervisor.id } },
        SupervisorLogGroupName: { Value: supervisor.LoggingConfig.LogGroup },
        ReconcilerFunctionName: { Value: { Ref: reconciler.id } },
        ReconcilerLogGroupName: { Value: reconciler.LoggingConfig.LogGroup },
        RedriverFunctionName: { Value: { Ref: redriver.id } },
        RedriverLogGroupName: { Value: redriver.LoggingConfig.LogGroup },
        WorkerFunctionName: { Value: { Ref: worker.id } },
        WorkerLogGroupName: { Value: worker.LoggingConfig.LogGroup },
      });
    });
  },
);

describe('the checks of this file', () => {
  test('find an alarm without an action', () => {
    const alarm = { Type: 'AWS::CloudWatch::Alarm', Properties: {} };
    const Resources = {
      Silent: alarm,
      Empty: { ...alarm, Properties: { AlarmActions: [] } },
      Off: { ...alarm, Properties: { AlarmActions: [{ Ref: 'Topic' }], ActionsEnabled: false } },
      Loud: { ...alarm, Properties: { AlarmActions: [{ Ref: 'Topic' }] } },
    };

    expect(alarmsWithoutAction({ Resources, Outputs: {} })).toEqual(['Silent', 'Empty', 'Off']);
  });

  test.each([
    '{"SecretString":"x"}',
    '{"SecretString": "x"}',
    '{"Variables":{"clientSecret":"x"}}',
    '{"IsValueSecret":true,"Key":"routing_key","Value":"0123456789abcdef0123456789abcdef"}',
    '{"Variables":{"KEY":"-----BEGIN PRIVATE KEY-----"}}',
    '{"Variables":{"KEY":"AKIAIOSFODNN7EXAMPLE"}}',
    '{"Url":"https://user:word@srm.example"}',
  ])('find a plaintext secret in %s', (text) => {
    expect(plaintextSecrets(text)).toHaveLength(1);
  });
});

const rawTemplate = z.looseObject({
  Resources: z.record(
    z.string(),
    z.looseObject({
      Type: z.string(),
      DeletionPolicy: z.string().optional(),
      Properties: z.record(z.string(), z.unknown()).optional(),
    }),
  ),
});

describe('across environments', () => {
  test('logical ids are the same, so that a tested stack is the deployed one', () => {
    const ids = Object.keys(ENVIRONMENTS).map((name) => Object.keys(synthesis(name).template.Resources));

    for (const those of ids) {
      // The role of the schedule is named by a hash of its target.
      const stable = (id: string): string => id.replace(/^(SchedulerRoleForTarget)\w{6}/, '$1');
      expect(those.map(stable).map((id) => id.replace(/(SchedulerRoleForTarget.*?)[0-9A-F]{8}$/, '$1'))).toEqual(
        ids[0]?.map(stable).map((id) => id.replace(/(SchedulerRoleForTarget.*?)[0-9A-F]{8}$/, '$1')),
      );
    }
  });

  test('a stack that is being created differs only in its protection, so that a rollback deletes all of it', async () => {
    const outdir = join(directory, 'being-created');
    const app = new App({
      outdir,
      context: featureFlags(),
      analyticsReporting: false,
      builtinCloudFormationValidation: false,
    });
    const bundleDirectory = join(directory, 'being-created-bundles');
    const stack = await addPurchaseOrderStack(app, loadEnvironment('prod'), { bundleDirectory, isBeingCreated: true });
    app.synth();

    const { Resources, ...others } = rawTemplate.parse(JSON.parse(synthesis('prod').text));
    const { id } = parts('prod').table;
    const { Properties, ...table } = Resources[id] ?? {};
    expect(JSON.parse(readFileSync(join(outdir, stack.templateFile), 'utf8'))).toEqual({
      ...others,
      Resources: {
        ...Resources,
        [id]: {
          ...table,
          DeletionPolicy: 'RetainExceptOnCreate',
          Properties: { ...Properties, DeletionProtectionEnabled: false },
        },
      },
    });
    expect(stack.terminationProtection).toBe(false);
    // What a rollback of the creation would leave behind.
    const kept = Object.keys(Resources).filter((name) => Resources[name]?.DeletionPolicy === 'Retain');
    expect(kept).toEqual([id]);
  }, 180_000);

  test('only the secrets have names that a new stack would find taken', () => {
    const { Resources } = rawTemplate.parse(JSON.parse(synthesis('prod').text));
    const named = Object.values(Resources).filter(
      ({ DeletionPolicy = 'Delete', Properties = {} }) =>
        DeletionPolicy !== 'Delete' && Object.keys(Properties).some((key) => /^(Table|Queue|LogGroup)?Name$/.test(key)),
    );

    expect(named.map(({ Type }) => Type)).toEqual(['AWS::SecretsManager::Secret', 'AWS::SecretsManager::Secret']);
  });

  test("the code is the same: the extractor's asset does not change with the environment", () => {
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
