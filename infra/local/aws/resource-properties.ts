/**
 * The resource types and properties that the local run supports, and those that it ignores. Everything else is refused:
 * a part of the stack that the local run dropped in silence would stay untested.
 */
import * as z from 'zod';

/** Types without a meaning in a local run, which has no permissions, log retention, alarms or notifications. */
export const IGNORED_TYPES = new Set([
  'AWS::CDK::Metadata',
  'AWS::CloudWatch::Alarm',
  'AWS::CloudWatch::CompositeAlarm',
  'AWS::CloudWatch::Dashboard',
  // What leaves the interface as events or pages: no local run has a stream, a pipe or a bus.
  'AWS::Events::ApiDestination',
  'AWS::Events::Connection',
  'AWS::Events::EventBus',
  'AWS::Events::EventBusPolicy',
  'AWS::Events::Rule',
  'AWS::IAM::ManagedPolicy',
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::KMS::Alias',
  'AWS::KMS::Key',
  // Asynchronous retries: the local run invokes synchronously.
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Lambda::Permission',
  'AWS::Logs::LogGroup',
  'AWS::Logs::MetricFilter',
  'AWS::Logs::QueryDefinition',
  'AWS::Pipes::Pipe',
  'AWS::SNS::Subscription',
  'AWS::SNS::Topic',
  'AWS::SNS::TopicPolicy',
  'AWS::SQS::QueuePolicy',
  'AWS::Scheduler::ScheduleGroup',
]);

/** Properties without a meaning in a local run, by type. `Tags` are ignored for all types. */
const IGNORED_PROPERTIES: Readonly<Record<string, readonly string[]>> = {
  'AWS::DynamoDB::Table': [
    'DeletionProtectionEnabled',
    'PointInTimeRecoverySpecification',
    'SSESpecification',
    'StreamSpecification',
    // dynalite expires no items, and no local run lasts long enough.
    'TimeToLiveSpecification',
  ],
  'AWS::Lambda::EventSourceMapping': [],
  'AWS::Lambda::Function': [
    'Architectures',
    'Code.S3Bucket',
    'DeadLetterConfig',
    'Description',
    'KmsKeyArn',
    'LoggingConfig',
    'RecursiveLoop',
    'Role',
    'TracingConfig',
    'VpcConfig',
  ],
  'AWS::SQS::Queue': ['KmsDataKeyReusePeriodSeconds', 'KmsMasterKeyId'],
  'AWS::Scheduler::Schedule': [
    'Description',
    'FlexibleTimeWindow',
    'GroupName',
    'KmsKeyArn',
    'Target.DeadLetterConfig',
    'Target.RetryPolicy',
    'Target.RoleArn',
  ],
  'AWS::SecretsManager::Secret': ['Description', 'KmsKeyId'],
};

/** Standard queues only: the poller does not keep an order. */
export const queueProperties = z.strictObject({
  QueueName: z.string().optional(),
  DelaySeconds: z.number().optional(),
  MaximumMessageSize: z.number().optional(),
  MessageRetentionPeriod: z.number().optional(),
  ReceiveMessageWaitTimeSeconds: z.number().optional(),
  RedriveAllowPolicy: z.record(z.string(), z.unknown()).optional(),
  RedrivePolicy: z.strictObject({ deadLetterTargetArn: z.string(), maxReceiveCount: z.number() }).optional(),
  SqsManagedSseEnabled: z.boolean().optional(),
  VisibilityTimeout: z.number().optional(),
});

const keySchema = z.array(z.strictObject({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }));
const projection = z.strictObject({
  ProjectionType: z.enum(['ALL', 'KEYS_ONLY', 'INCLUDE']),
  NonKeyAttributes: z.array(z.string()).exactOptional(),
});
const indexes = z.array(z.strictObject({ IndexName: z.string(), KeySchema: keySchema, Projection: projection }));
/** Keys and indexes. A local run has no capacity. */
export const tableProperties = z.strictObject({
  TableName: z.string().optional(),
  AttributeDefinitions: z.array(z.strictObject({ AttributeName: z.string(), AttributeType: z.enum(['S', 'N', 'B']) })),
  KeySchema: keySchema,
  BillingMode: z.literal('PAY_PER_REQUEST'),
  GlobalSecondaryIndexes: indexes.exactOptional(),
  LocalSecondaryIndexes: indexes.exactOptional(),
});

/** The caller gives the value of a secret that is not generated. */
export const secretProperties = z.strictObject({
  Name: z.string().optional(),
  GenerateSecretString: z
    .strictObject({ PasswordLength: z.int().min(1), ExcludePunctuation: z.literal(true) })
    .optional(),
});

export const functionProperties = z.strictObject({
  FunctionName: z.string().optional(),
  Runtime: z.string().regex(/^nodejs\d+\.x$/, 'the local run knows Node.js runtimes only'),
  Code: z.strictObject({ S3Key: z.string() }),
  Handler: z.string(),
  // CloudFormation's defaults.
  Timeout: z.number().default(3),
  MemorySize: z.number().default(128),
  Environment: z.strictObject({ Variables: z.record(z.string(), z.string()).default({}) }).optional(),
});

/** SQS sources only. A filter drops messages, so it is refused. */
export const mappingProperties = z.strictObject({
  EventSourceArn: z.string(),
  FunctionName: z.string(),
  Enabled: z.boolean().default(true),
  BatchSize: z.int().min(1).default(10),
  MaximumBatchingWindowInSeconds: z.int().min(0).default(0),
  // Without a limit Lambda starts with five parallel batches.
  ScalingConfig: z.strictObject({ MaximumConcurrency: z.int().min(2) }).default({ MaximumConcurrency: 5 }),
  FunctionResponseTypes: z.array(z.literal('ReportBatchItemFailures')).default([]),
});

export const scheduleProperties = z.strictObject({
  Name: z.string().optional(),
  ScheduleExpression: z.string(),
  ScheduleExpressionTimezone: z.string().default('UTC'),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  Target: z.strictObject({ Arn: z.string(), Input: z.string().optional() }),
});

/** The properties that are not ignored, unresolved. */
export const meaningfulProperties = (
  type: string,
  properties: Readonly<Record<string, unknown>>,
): Record<string, unknown> => withoutPaths(properties, ['Tags', ...(IGNORED_PROPERTIES[type] ?? [])]);

/** Removes the properties at the dotted paths before resolving: an ignored property may be one that cannot be resolved. */
function withoutPaths(
  properties: Readonly<Record<string, unknown>>,
  paths: readonly string[],
): Record<string, unknown> {
  const record = z.record(z.string(), z.unknown());
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([key]) => !paths.includes(key))
      .map(([key, value]) => {
        const below = paths.filter((path) => path.startsWith(`${key}.`)).map((path) => path.slice(key.length + 1));
        return [key, below.length === 0 ? value : withoutPaths(record.parse(value), below)];
      }),
  );
}
