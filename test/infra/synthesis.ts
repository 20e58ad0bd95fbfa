/**
 * The stack of one environment, synthesized as `npx cdk synth` does it, cdk-nag included; and its parts by their roles.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { type ExpectedResource, expectStack } from '../../infra/doctor/expected-stack.ts';
import { type Environment, ENVIRONMENTS, loadEnvironment, parseEnvironment } from '../../infra/environments.ts';
import { synthesizeOnce } from '../../infra/synthesis-cache.ts';

/** The settings of its connections that have a structure. */
export const OWN_SRM_DIFFERENCES = {
  tokenParameters: { audience: 'https://srm.own.example/' },
  headers: { 'X-Tenant': 'own' },
  fields: { ObjectId: 'ScNumber', 'Items.NumberInt': 'ItemNo' },
  expand: ['Items/Accounting', 'Texts'],
};
export const OWN_VMS_DIFFERENCES = {
  tokenParameters: { audience: 'own-vms', resource: 'urn:own:vms' },
  headers: { 'X-Tenant': 'own', 'X-Stage': 'test' },
};

/** A user's own environment: everything that may differ from the defaults does. */
export const OWN_ENVIRONMENT = {
  ...ENVIRONMENTS['dev'],
  name: 'own',
  account: '123456789012',
  region: 'eu-central-1',
  srm: {
    baseUrl: 'https://srm.own.example',
    tokenUrl: 'https://login.own.example/token',
    scope: 'own.read',
    clientAuthentication: 'body',
    secretName: 'own/srm',
    createSecret: false,
    kmsKeyArn: 'arn:aws:kms:eu-central-1:210987654321:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    client: '777',
    language: 'DE',
    internalHosts: ['sap-a.internal:8000', 'sap-b.internal'],
    statuses: ['I1129', 'I1111'],
    mutualTls: true,
    privateCa: true,
    ...OWN_SRM_DIFFERENCES,
    apiKeyHeader: 'Ocp-Apim-Subscription-Key',
    proxyUrl: 'http://proxy.own.example:8080',
    servicePath: '/odata/v2/zcarts.srv',
    entitySet: 'CartHeaders',
    keyProperty: 'CartGuid',
    changedAtProperty: 'ApprovedAt',
    pageSize: 50,
    paging: 'skip-top',
  },
  vms: {
    baseUrl: 'https://vms.own.example/api',
    tokenUrl: 'https://login.own.example/token',
    scope: 'own.write',
    clientAuthentication: 'basic-unencoded',
    secretName: 'own/vms',
    timeoutSeconds: 7,
    privateCa: true,
    ...OWN_VMS_DIFFERENCES,
    apiKeyHeader: 'X-Api-Key',
    proxyUrl: 'http://10.1.2.3:3128',
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
  reconciliation: { schedule: 'cron(0 1-3 * * ? *)', days: 9 },
  delivery: {
    retryBaseSeconds: 9,
    batchSize: 33,
    batchingWindowSeconds: 4,
    maximumConcurrency: 17,
    timeoutSeconds: 77,
    memoryMegabytes: 2048,
  },
  translation: { allowZeroPrice: true, valueMaps: { businessUnit: { XX10: 'BU-XX' } } },
  logLevel: 'WARN',
  operation: {
    logRetentionDays: 7,
    terminationProtection: true,
    tags: { 'cost-center': '4711', owner: 'purchasing@own.example' },
    contentRoles: [
      'arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_Content_*',
    ],
    redriveRoles: [
      'arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_Operator_*',
    ],
  },
  network: { subnetIds: ['subnet-0a1b2c3d', 'subnet-1a1b2c3d'], securityGroupIds: ['sg-0a1b2c3d'] },
};

/** A production environment that pages and mails, with thresholds of its own and some owners. */
export const NOTIFIED_ENVIRONMENT = {
  ...ENVIRONMENTS['prod'],
  owners: {
    mapping: { name: 'Purchasing data', contact: 'purchasing-data@example.com' },
    vms: { name: 'Vendor platform', contact: 'Teams: 11VMS support' },
  },
  notifications: {
    pagerDuty: { routingKeySecretName: 'prod/pagerduty', region: 'eu' },
    email: ['one@example.com', 'two@example.com'],
    thresholds: { deadLetters: 3, oldestMessageMinutes: 7, waitingHours: 2, backlog: 44, pausedMinutes: 9 },
  },
};

/** Every optional block at once. */
export const EVERYTHING_ENVIRONMENT = {
  ...ENVIRONMENTS['prod'],
  name: 'everything',
  account: '123456789012',
  region: 'eu-west-1',
  notifications: { email: ['one@acme.example'], pagerDuty: { routingKeySecretName: 'acme/pagerduty' } },
  grafana: { url: 'https://acme.grafana.net', folderUid: 'procurement', tokenSecretName: 'acme/grafana' },
  logForwarding: {
    splunk: { hecUrl: 'https://http-inputs-firehose-acme.splunkcloud.com:443', secretName: 'acme/splunk' },
    elastic: { url: 'https://acme.es.eu-west-1.aws.found.io', secretName: 'acme/elastic' },
  },
  cloudAlm: {
    apiUrl: 'https://eu10-004.alm.cloud.sap/api',
    tokenUrl: 'https://acme.authentication.eu10.hana.ondemand.com/oauth/token',
    serviceId: 'acme-orders',
    secretName: 'acme/cloud-alm',
  },
  events: {
    typePrefix: 'acme.procurement',
    subscribers: {
      'event-mesh': {
        url: 'https://acme-pubsub.cfapps.eu10.hana.ondemand.com/messagingrest/v1/topics/acme%2Fprocurement%2Forders/messages',
        tokenUrl: 'https://acme.authentication.eu10.hana.ondemand.com/oauth/token',
        secretName: 'acme/event-mesh',
        headers: { 'x-qos': '1' },
      },
      archive: {
        url: 'https://hooks.acme.example/orders',
        tokenUrl: 'https://login.acme.example/token',
        scope: 'orders.write',
        secretName: 'acme/archive',
      },
    },
  },
  orderNumbers: { path: "/ShoppingCarts('{cart}')" },
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
export type Template = z.infer<typeof templateSchema>;
export type Resource = Template['Resources'][string] & { readonly id: string };

const stackSchema = z.object({
  stackName: z.string(),
  terminationProtection: z.boolean(),
  tags: z.record(z.string(), z.string()),
});
const manifestSchema = z.object({
  artifacts: z.record(z.string(), z.object({ properties: z.record(z.string(), z.unknown()).default({}) })),
});
const metadataSchema = z.record(z.string(), z.array(z.object({ type: z.string(), data: z.unknown() })));
const acknowledgedSchema = z.record(z.string(), z.string());

export interface Synthesis {
  readonly environment: Environment;
  readonly assembly: string;
  readonly text: string;
  readonly template: Template;
  /** What CloudFormation learns of the stack beside its template. */
  readonly stack: z.infer<typeof stackSchema>;
  readonly warnings: readonly string[];
  /** Findings of cdk-nag that the code acknowledges, by construct path. */
  readonly acknowledged: readonly { readonly path: string; readonly rule: string; readonly reason: string }[];
}

/** @throws {Error} for a finding of cdk-nag or of CDK's own validation. */
export async function synthesizeStack(nameOrFile: string, outdir: string): Promise<Synthesis> {
  const environment = loadEnvironment(nameOrFile);
  const { directory: assembly, artifact } = await synthesizeOnce(environment, outdir, { isChecked: true });
  const read = (file: string): string => readFileSync(join(assembly, file), 'utf8');
  const text = read(`${artifact}.template.json`);
  const { artifacts } = manifestSchema.parse(JSON.parse(read('manifest.json')));
  const metadata = metadataSchema.parse(JSON.parse(read(`${artifact}.metadata.json`)));
  return {
    environment,
    assembly,
    text,
    template: templateSchema.parse(JSON.parse(text)),
    stack: stackSchema.parse(artifacts[artifact]?.properties),
    warnings: Object.values(metadata).flatMap((entries) =>
      entries.filter(({ type }) => type === 'aws:cdk:warning').map(({ data }) => String(data)),
    ),
    acknowledged: Object.entries(metadata).flatMap(([path, entries]) =>
      entries
        .filter(({ type }) => type === 'aws:cdk:acknowledged-rules')
        .flatMap(({ data }) => Object.entries(acknowledgedSchema.parse(data)))
        .map(([rule, reason]) => ({ path, rule: rule.replace(/^Annotation::/, ''), reason })),
    ),
  };
}

/** The resources of production with these blocks, without the code of the functions, which no template holds. */
export async function resourcesWith(blocks: Readonly<Record<string, unknown>>): Promise<readonly ExpectedResource[]> {
  const account = { account: '123456789012', region: 'eu-west-1' };
  const environment = parseEnvironment({ ...ENVIRONMENTS['prod'], ...account, ...blocks }, 'a test');
  return (await expectStack(environment)).resources;
}

/** The properties of an alarm, by the end of its name. */
export const alarmOf = (resources: readonly ExpectedResource[], name: string): Record<string, unknown> | undefined =>
  resources.find(
    ({ type, properties: { AlarmName } }) =>
      type === 'AWS::CloudWatch::Alarm' && String(AlarmName).endsWith(`-${name}`),
  )?.properties;

export const metricsOf = (alarm: unknown): string[] =>
  [...JSON.stringify(alarm).matchAll(/"MetricName":"([^"]+)"/g)].map(([, name = '']) => name);

export const refSchema = z.object({ Ref: z.string() });
export const attSchema = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) });
const functionSchema = z.object({
  Runtime: z.string(),
  Architectures: z.array(z.string()),
  Handler: z.string(),
  Timeout: z.number(),
  MemorySize: z.number(),
  Role: attSchema,
  Code: z.object({ S3Key: z.string() }),
  Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }),
  LoggingConfig: z.object({ LogGroup: refSchema, LogFormat: z.string().optional() }),
  TracingConfig: z.object({ Mode: z.string() }),
  VpcConfig: z.object({ SubnetIds: z.array(z.string()), SecurityGroupIds: z.array(z.string()) }).optional(),
});
const queueSchema = z.object({
  QueueName: z.unknown().optional(),
  VisibilityTimeout: z.number().optional(),
  MessageRetentionPeriod: z.number(),
  SqsManagedSseEnabled: z.boolean(),
  RedrivePolicy: z.object({ deadLetterTargetArn: attSchema, maxReceiveCount: z.number() }).optional(),
});
const mappingSchema = z.object({
  EventSourceArn: attSchema,
  FunctionName: refSchema,
  BatchSize: z.number(),
  MaximumBatchingWindowInSeconds: z.number().default(0),
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
    Input: z.string().optional(),
    DeadLetterConfig: z.object({ Arn: attSchema }).optional(),
    RetryPolicy: z.object({ MaximumRetryAttempts: z.number(), MaximumEventAgeInSeconds: z.number() }),
  }),
});

const intrinsics = z.strictObject({
  Ref: z.string().optional(),
  'Fn::GetAtt': z.tuple([z.string(), z.string()]).optional(),
  'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]).optional(),
  'Fn::Sub': z.string().optional(),
});

/** A value of the template as text: what CloudFormation fills in stands in braces. */
export function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  const intrinsic = intrinsics.parse(value);
  const { Ref, 'Fn::GetAtt': attribute, 'Fn::Join': join, 'Fn::Sub': substituted } = intrinsic;
  if (Ref !== undefined) return `{${Ref}}`;
  if (attribute !== undefined) return `{${attribute.join('.')}}`;
  if (join !== undefined) return join[1].map(asText).join(join[0]);
  if (substituted !== undefined) return substituted.replaceAll('${', '{');
  throw new Error(`${JSON.stringify(value)} cannot be read as text`);
}

export function ofType({ template }: Pick<Synthesis, 'template'>, type: string): Resource[] {
  const all = Object.entries(template.Resources).map(([id, resource]) => ({ id, ...resource }));
  return all.filter(({ Type }) => Type === type);
}

/** The only element of a list. @throws {Error} when there is none, or more than one. */
export function one<Thing>(among: readonly Thing[], what: string): Thing {
  const [thing] = among;
  if (thing === undefined || among.length > 1) throw new Error(`${among.length} of ${what}`);
  return thing;
}

/** The parts of the stack, found by what they are connected to rather than by their names. */
export function partsOf(synthesis: Synthesis) {
  const { id: mappingId, Properties } = one(ofType(synthesis, 'AWS::Lambda::EventSourceMapping'), 'mapping');
  const mapping = { id: mappingId, ...mappingSchema.parse(Properties) };
  const functions = ofType(synthesis, 'AWS::Lambda::Function').map(({ id, Properties }) => ({
    id,
    ...functionSchema.parse(Properties),
  }));
  const queues = ofType(synthesis, 'AWS::SQS::Queue').map((resource) => ({
    ...resource,
    ...queueSchema.parse(resource.Properties),
  }));
  const schedules = ofType(synthesis, 'AWS::Scheduler::Schedule').map(({ Properties }) =>
    scheduleSchema.parse(Properties),
  );
  const byId = <Part extends { readonly id: string }>(among: readonly Part[], id: string | undefined): Part =>
    one(
      among.filter((part) => part.id === id),
      id ?? 'nothing',
    );
  const functionWith = (variable: string) =>
    one(
      functions.filter(({ Environment }) => Object.hasOwn(Environment.Variables, variable)),
      variable,
    );
  const worker = byId(functions, mapping.FunctionName.Ref);
  const queue = byId(queues, mapping.EventSourceArn['Fn::GetAtt'][0]);
  const secrets = ofType(synthesis, 'AWS::SecretsManager::Secret');
  const messageKey = one(
    secrets.filter(({ Properties }) => Object.hasOwn(Properties, 'GenerateSecretString')),
    'key of the messages',
  );
  const deadLetters = byId(queues, queue.RedrivePolicy?.deadLetterTargetArn['Fn::GetAtt'][0]);
  return {
    ...synthesis,
    worker,
    // By a variable that only one of them has.
    extractor: functionWith('OVERLAP_SECONDS'),
    supervisor: functionWith('EVENT_SOURCE_MAPPING'),
    reconciler: functionWith('RECONCILIATION_DAYS'),
    redriver: functionWith('DEAD_LETTER_QUEUE_URL'),
    functions,
    mapping,
    queue,
    deadLetters,
    failedInvocations: one(
      // Connected to every function and schedule alike, and one of two queues that hold no carts.
      queues.filter(({ id }) => id.startsWith('FailedInvocations')),
      'queue for failed invocations',
    ),
    queues,
    schedules,
    table: one(ofType(synthesis, 'AWS::DynamoDB::Table'), 'table'),
    /** Of the connections. */
    secrets: secrets.filter(({ id }) => id !== messageKey.id),
    messageKey,
  };
}
