/** The quantities of the bill: units of SQS, sizes of items, and what a template deploys. */
import { describe, expect, test } from '@jest/globals';
import { countResources } from '../benchmark/deployed-resources.ts';
import { itemBytes } from '../benchmark/item-size.ts';
import { messagesSent, sqsUnits } from '../benchmark/metered-services.ts';
import { less, NO_USAGE, sumOf, times, UsageMeter } from '../benchmark/usage.ts';

describe('SQS bills each 64 KiB of message bodies:', () => {
  const call = (operation: string, request: object, answer: object = {}) => ({
    operation,
    request: JSON.stringify(request),
    status: 200,
    answer: JSON.stringify(answer),
  });
  const body = (bytes: number): string => 'x'.repeat(bytes);

  test.each([
    ['one body', [10], 1],
    ['64 KiB to the byte', [65_536], 1],
    ['one byte more, in two bodies', [65_536, 1], 2],
    ['ten carts of 20 KiB', Array.from({ length: 10 }, () => 20_480), 4],
  ])('%s sent or received', (_what, sizes, units) => {
    const Entries = sizes.map((size) => ({ Id: '1', MessageBody: body(size) }));
    const Messages = sizes.map((size) => ({ Body: body(size) }));
    expect(sqsUnits(call('SendMessageBatch', { Entries }))).toBe(units);
    expect(sqsUnits(call('ReceiveMessage', {}, { Messages }))).toBe(units);
  });

  test('a character of several bytes counts as its bytes', () => {
    expect(sqsUnits(call('SendMessage', { MessageBody: '€'.repeat(30_000) }))).toBe(2);
  });

  test('a call without a body is one unit, as an empty receive is; a call that only the local run makes is not billed', () => {
    expect(sqsUnits(call('DeleteMessageBatch', { Entries: [{ Id: '1', ReceiptHandle: 'r' }] }))).toBe(1);
    expect(sqsUnits(call('GetQueueAttributes', {}))).toBe(0);
    expect(sqsUnits(call('ReceiveMessage', {}, {}))).toBe(0);
  });
});

test('the messages that a call puts on a queue: those that SQS confirms', () => {
  const call = (operation: string, status: number, answer: object) => ({
    operation,
    request: '{}',
    status,
    answer: JSON.stringify(answer),
  });
  expect(messagesSent(call('SendMessageBatch', 200, { Successful: [{}, {}], Failed: [{}] }))).toBe(2);
  expect(messagesSent(call('SendMessageBatch', 200, { Failed: [{}] }))).toBe(0);
  expect(messagesSent(call('SendMessageBatch', 400, { __type: 'refused' }))).toBe(0);
  expect(messagesSent(call('SendMessage', 200, { MessageId: 'm' }))).toBe(1);
  expect(messagesSent(call('ReceiveMessage', 200, { Messages: [{}] }))).toBe(0);
});

test('an item of DynamoDB has the size of its names and values', () => {
  expect(itemBytes({ pk: { S: 'CART' }, sk: { S: 'é' } })).toBe(2 + 4 + 2 + 2);
  // 13 digits are seven bytes, plus one for sign and exponent.
  expect(itemBytes({ n: { N: '1795185125000' }, m: { N: '-1.5' } })).toBe(1 + 8 + 1 + 2);
  expect(itemBytes({ t: { BOOL: true }, l: { L: [{ M: { a: { S: 'b' } } }] } })).toBe(1 + 1 + 1 + 3 + 1 + 2 + 1 + 3);
  expect(() => itemBytes({ b: { B: new Uint8Array() } })).toThrow('B');
});

test('usage can be added up, subtracted and divided', () => {
  const meter = new UsageMeter();
  meter.add('writeUnits');
  const before = meter.read();
  meter.add('writeUnits', 3);
  meter.add('logBytes', 10);
  const span = less(meter.read(), before);
  expect(span).toEqual({ ...NO_USAGE, writeUnits: 3, logBytes: 10 });
  expect(times(sumOf(span, span), 0.5)).toEqual(span);
});

describe('resources that are counted from a template', () => {
  const lambda = (service: string, more: object = {}, variables: object = {}) => ({
    Type: 'AWS::Lambda::Function',
    Properties: {
      MemorySize: 512,
      Timeout: 60,
      Architectures: ['arm64'],
      Environment: { Variables: { POWERTOOLS_SERVICE_NAME: service, ...variables } },
      ...more,
    },
  });
  const schedule = (target: string, ScheduleExpression: string, more: object = {}) => ({
    Type: 'AWS::Scheduler::Schedule',
    Properties: {
      ScheduleExpression,
      ScheduleExpressionTimezone: 'Europe/Brussels',
      Target: { Arn: { 'Fn::GetAtt': [target, 'Arn'] }, ...more },
    },
  });
  const metric = { MetricStat: { Metric: {} } };
  const resources = {
    Extractor: lambda('extract-approved-carts', {}, { OVERLAP_SECONDS: '900' }),
    Worker: lambda('create-purchase-orders', { Architectures: undefined, TracingConfig: { Mode: 'Active' } }),
    Supervisor: lambda('supervise-consumption'),
    Reconciler: lambda('reconcile-carts', {}, { RECONCILIATION_DAYS: '3' }),
    Runs: schedule('Extractor', 'cron(0 8-17 ? * MON-FRI *)'),
    Nights: schedule('Reconciler', 'cron(0 */2 * * ? *)'),
    Minute: schedule('Supervisor', 'rate(1 minute)'),
    Mapping: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: { BatchSize: 5, ScalingConfig: { MaximumConcurrency: 7 } },
    },
    Alarm: { Type: 'AWS::CloudWatch::Alarm', Properties: { MetricName: 'Errors' } },
    Expression: {
      Type: 'AWS::CloudWatch::Alarm',
      Properties: { Metrics: [{ Expression: 'm0 + m1' }, metric, metric] },
    },
    Composite: { Type: 'AWS::CloudWatch::CompositeAlarm', Properties: {} },
    Key: { Type: 'AWS::KMS::Key', Properties: {} },
    Table: { Type: 'AWS::DynamoDB::Table', Properties: { SSESpecification: { SSEEnabled: true } } },
    Logs: { Type: 'AWS::Logs::LogGroup', Properties: { RetentionInDays: 30, DataProtectionPolicy: {} } },
    Mail: { Type: 'AWS::SNS::Subscription', Properties: { Protocol: 'email' } },
    OtherMail: { Type: 'AWS::SNS::Subscription', Properties: { Protocol: 'email' } },
  };
  const countOf = (changed: object = {}) =>
    countResources({ resources: new Map(Object.entries({ ...resources, ...changed })) });

  test('include an alarm on an expression for each of its metrics, and schedules by how often they fire', () => {
    expect(countOf()).toEqual({
      functions: {
        extractor: { memoryMegabytes: 512, timeoutSeconds: 60, architecture: 'arm64' },
        worker: { memoryMegabytes: 512, timeoutSeconds: 60, architecture: 'x86_64' },
        supervisor: { memoryMegabytes: 512, timeoutSeconds: 60, architecture: 'arm64' },
        reconciler: { memoryMegabytes: 512, timeoutSeconds: 60, architecture: 'arm64' },
      },
      schedule: {
        extractionsPerDay: 50 / 7,
        reconciliationsPerDay: 1,
        reconciliationResumesPerDay: 11,
        supervisionsPerDay: 1440,
      },
      overlapSeconds: 900,
      reconciliationDays: 3,
      batchSize: 5,
      maximumConcurrency: 7,
      eventSourceMappings: 1,
      alarmMetrics: 3,
      compositeAlarms: 1,
      dashboards: 0,
      secrets: 0,
      keys: 1,
      tables: 1,
      tablesUnderKms: 1,
      tablesWithPointInTimeRecovery: 0,
      logRetentionDays: 30,
      masksLogs: true,
      traces: true,
      subscriptions: { email: 2 },
    });
  });

  test('are refused when a part of the interface is missing', () => {
    expect(() => countOf({ Worker: lambda('something-else') })).toThrow('The template has no worker');
    expect(() => countOf({ Mapping: { Type: 'AWS::Other', Properties: {} } })).toThrow('no event source mapping');
  });
});
