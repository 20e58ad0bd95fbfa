/** Splunk, Elastic and Cloud ALM in the template: what leaves, by which rights, and what happens when it does not. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import type { ExpectedResource } from '../../infra/doctor/expected-stack.ts';
import { ENVIRONMENTS, parseEnvironment } from '../../infra/environments.ts';
import { alarmOf, asText, EVERYTHING_ENVIRONMENT, metricsOf, one, resourcesWith } from './synthesis.ts';

const { splunk, elastic } = EVERYTHING_ENVIRONMENT.logForwarding;
const { cloudAlm } = EVERYTHING_ENVIRONMENT;

let both: readonly ExpectedResource[];
let splunkOnly: readonly ExpectedResource[];
beforeAll(async () => {
  both = await resourcesWith({ logForwarding: { splunk, elastic: { ...elastic, createSecret: false } }, cloudAlm });
  splunkOnly = await resourcesWith({ logForwarding: { splunk } });
}, 120_000);

const ofType = (type: string, resources = both): readonly ExpectedResource[] =>
  resources.filter((resource) => resource.type === type);
const idOf = (value: unknown): string => asText(value).replace(/^\{([^.}]*).*\}$/, '$1');

const stream = z.object({
  SplunkDestinationConfiguration: z.record(z.string(), z.unknown()).optional(),
  HttpEndpointDestinationConfiguration: z.record(z.string(), z.unknown()).optional(),
});
function destination(which: keyof z.infer<typeof stream>, resources = both): Record<string, unknown> {
  const found = ofType('AWS::KinesisFirehose::DeliveryStream', resources).flatMap(({ properties }) => {
    const configuration = stream.parse(properties)[which];
    return configuration === undefined ? [] : [configuration];
  });
  return one(found, which);
}

const filter = z.strictObject({
  DestinationArn: z.unknown(),
  FilterPattern: z.string(),
  LogGroupName: z.unknown(),
  RoleArn: z.unknown(),
});
const functionSchema = z.object({ LoggingConfig: z.object({ LogGroup: z.unknown() }) });

describe('the streams', () => {
  test('to Splunk unpacks the batches, takes the lines out of them, and sends them raw', () => {
    const { ProcessingConfiguration, HECEndpointType, HECAcknowledgmentTimeoutInSeconds, ...rest } = destination(
      'SplunkDestinationConfiguration',
    );

    expect({ HECEndpointType, HECAcknowledgmentTimeoutInSeconds }).toEqual({
      HECEndpointType: 'Raw',
      HECAcknowledgmentTimeoutInSeconds: 180,
    });
    expect(ProcessingConfiguration).toEqual({
      Enabled: true,
      Processors: [
        { Type: 'Decompression', Parameters: [{ ParameterName: 'CompressionFormat', ParameterValue: 'GZIP' }] },
        {
          Type: 'CloudWatchLogProcessing',
          Parameters: [{ ParameterName: 'DataMessageExtraction', ParameterValue: 'true' }],
        },
      ],
    });
    expect(rest).toMatchObject({ HECEndpoint: splunk.hecUrl, S3BackupMode: 'FailedEventsOnly' });
  });

  test('to Elastic leaves the batches packed, since Elastic unpacks them', () => {
    expect(destination('HttpEndpointDestinationConfiguration')).toMatchObject({
      EndpointConfiguration: { Name: 'Elastic', Url: elastic.url },
      RequestConfiguration: {
        ContentEncoding: 'GZIP',
        CommonAttributes: [
          { AttributeName: 'es_datastream_name', AttributeValue: 'logs-purchase_orders-default' },
          { AttributeName: 'environment', AttributeValue: 'prod' },
        ],
      },
      BufferingHints: { IntervalInSeconds: 60, SizeInMBs: 1 },
      RetryOptions: { DurationInSeconds: 300 },
      S3BackupMode: 'FailedDataOnly',
    });
    expect(destination('HttpEndpointDestinationConfiguration')).not.toHaveProperty('ProcessingConfiguration');
  });

  test('read their credentials from Secrets Manager, by a role: the template holds neither token nor key', () => {
    const secrets = ofType('AWS::SecretsManager::Secret').map(({ properties }) => properties);
    for (const which of ['SplunkDestinationConfiguration', 'HttpEndpointDestinationConfiguration'] as const) {
      expect(destination(which)).toMatchObject({
        SecretsManagerConfiguration: { Enabled: true, SecretARN: expect.anything(), RoleARN: expect.anything() },
      });
    }
    const arnOf = (which: keyof z.infer<typeof stream>): string =>
      asText(z.object({ SecretARN: z.unknown() }).parse(destination(which)['SecretsManagerConfiguration']).SecretARN);
    expect(arnOf('SplunkDestinationConfiguration')).toMatch(/^\{LogForwardingSplunkSecret/);
    // Of another stack: the six characters at its end are not known.
    expect(arnOf('HttpEndpointDestinationConfiguration')).toBe(
      'arn:aws:secretsmanager:eu-west-1:123456789012:secret:acme/elastic',
    );
    expect(secrets.map(({ Name }) => Name)).toEqual(expect.arrayContaining(['acme/splunk', 'acme/cloud-alm']));
    expect(secrets.map(({ Name }) => Name)).not.toContain('acme/elastic');
    const written = secrets.filter((secret) => 'SecretString' in secret || 'GenerateSecretString' in secret);
    expect(written).toEqual([expect.objectContaining({ Description: expect.stringContaining('signs the messages') })]);
    expect(JSON.stringify(both)).not.toMatch(/"HECToken"|"AccessKey"/);
  });

  test('may do what they need, on their own bucket, secret and log group', () => {
    const statements = ofType('AWS::IAM::Policy')
      .filter(({ logicalId }) => logicalId.startsWith('LogForwarding'))
      .flatMap(({ properties }) => {
        const policy = z.object({
          PolicyDocument: z.object({
            Statement: z.array(
              z.strictObject({
                Effect: z.literal('Allow'),
                Action: z.union([z.string().transform((one) => [one]), z.array(z.string())]),
                Resource: z.unknown(),
              }),
            ),
          }),
        });
        return policy.parse(properties).PolicyDocument.Statement;
      });
    const rights = statements.map(({ Action, Resource }) => `${Action.join(' ')} on ${asText(Resource)}`);
    const bucket = idOf({ Ref: ofType('AWS::S3::Bucket')[0]?.logicalId ?? '' });

    expect([...new Set(rights)].map((right) => right.replace(/[0-9A-F]{8}(?=[.}])/g, '')).sort()).toEqual(
      [
        'firehose:PutRecord firehose:PutRecordBatch on {LogForwardingElastic.Arn}',
        'firehose:PutRecord firehose:PutRecordBatch on {LogForwardingSplunk.Arn}',
        'logs:PutLogEvents on {LogForwardingErrors.Arn}',
        's3:AbortMultipartUpload s3:GetObject s3:PutObject on {LogForwardingFailedRecords.Arn}/*',
        's3:GetBucketLocation s3:ListBucket s3:ListBucketMultipartUploads on {LogForwardingFailedRecords.Arn}',
        'secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-west-1:123456789012:secret:acme/elastic-??????',
        'secretsmanager:GetSecretValue on {LogForwardingSplunkSecret}',
      ].sort(),
    );
    expect(bucket).toMatch(/^LogForwardingFailedRecords/);
  });

  test('keep what is not taken in a bucket that is encrypted, closed, and forgets with the logs', () => {
    const [bucket, ...others] = ofType('AWS::S3::Bucket');
    const { operation } = parseEnvironment(ENVIRONMENTS['prod'], 'prod');

    expect(others).toEqual([]);
    expect(bucket?.properties).toMatchObject({
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      LifecycleConfiguration: {
        Rules: [{ ExpirationInDays: operation.logRetentionDays, Status: 'Enabled' }],
      },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
    expect(JSON.stringify(ofType('AWS::S3::BucketPolicy'))).toContain('"aws:SecureTransport":"false"');
  });
});

describe('the subscriptions', () => {
  const subscribed = (resources: readonly ExpectedResource[]): Map<string, string[]> => {
    const groups = new Map<string, string[]>();
    for (const { properties } of ofType('AWS::Logs::SubscriptionFilter', resources)) {
      const { DestinationArn, LogGroupName, FilterPattern } = filter.parse(properties);
      expect(FilterPattern).toBe('-"_aws"');
      groups.set(idOf(LogGroupName), [...(groups.get(idOf(LogGroupName)) ?? []), idOf(DestinationArn)]);
    }
    return groups;
  };
  const groupsOfFunctions = (resources: readonly ExpectedResource[]): string[] =>
    ofType('AWS::Lambda::Function', resources).map(({ properties }) =>
      idOf(functionSchema.parse(properties).LoggingConfig.LogGroup),
    );

  test('are of every function, those of optional blocks included, and of nothing else', () => {
    expect(groupsOfFunctions(both)).toHaveLength(6);
    expect([...subscribed(both).keys()].sort()).toEqual(groupsOfFunctions(both).sort());
    expect([...subscribed(splunkOnly).keys()].sort()).toEqual(groupsOfFunctions(splunkOnly).sort());
  });

  test('are two of a log group at most, which is all that CloudWatch Logs takes', () => {
    for (const streams of subscribed(both).values()) {
      expect(streams).toEqual([
        expect.stringMatching(/^LogForwardingSplunk/),
        expect.stringMatching(/^LogForwardingElastic/),
      ]);
    }
    for (const streams of subscribed(splunkOnly).values()) expect(streams).toHaveLength(1);
  });
});

describe('the alarms', () => {
  test('say that lines are not delivered: none comes to a stream, an attempt failed, or a record is too old', () => {
    expect(metricsOf(alarmOf(both, 'logs-not-forwarded'))).toEqual([
      'IncomingRecords',
      'DeliveryToSplunk.Success',
      'DeliveryToSplunk.DataFreshness',
      'IncomingRecords',
      'DeliveryToHttpEndpoint.Success',
      'DeliveryToHttpEndpoint.DataFreshness',
    ]);
    const trouble = (index: number): string =>
      `IF(FILL(incoming${index}, 0) < 1 OR FILL(success${index}, 1) < 1 OR FILL(age${index}, 0) > 900, 1, 0)`;
    expect(alarmOf(both, 'logs-not-forwarded')).toMatchObject({
      Threshold: 1,
      EvaluationPeriods: 6,
      DatapointsToAlarm: 4,
      // CloudWatch Logs may send nothing from the first moment on.
      TreatMissingData: 'breaching',
      Metrics: expect.arrayContaining([expect.objectContaining({ Expression: `${trouble(0)} + ${trouble(1)}` })]),
    });
    expect(metricsOf(alarmOf(splunkOnly, 'logs-not-forwarded'))).toEqual([
      'IncomingRecords',
      'DeliveryToSplunk.Success',
      'DeliveryToSplunk.DataFreshness',
    ]);
  });

  test('say that Cloud ALM was told nothing in three intervals, for whatever reason', () => {
    expect(alarmOf(both, 'cloud-alm-not-told')).toMatchObject({
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
      EvaluationPeriods: 15,
      TreatMissingData: 'breaching',
      Metrics: expect.arrayContaining([expect.objectContaining({ Expression: 'invocations - errors' })]),
    });
    expect(alarmOf(splunkOnly, 'cloud-alm-not-told')).toBeUndefined();
  });
});

describe('the reporter to Cloud ALM', () => {
  test('runs on its schedule, outside the network, and is not repeated', () => {
    const reporter = ofType('AWS::Lambda::Function').find(({ logicalId }) => logicalId.startsWith('CloudAlmReporter'));
    const schedule = ofType('AWS::Scheduler::Schedule').find(({ logicalId }) =>
      logicalId.startsWith('CloudAlmReporter'),
    );

    expect(reporter?.properties).toMatchObject({ MemorySize: 256, Timeout: 60 });
    expect(reporter?.properties).not.toHaveProperty('VpcConfig');
    expect(schedule?.properties).toMatchObject({
      ScheduleExpression: 'rate(5 minutes)',
      Target: { RetryPolicy: { MaximumRetryAttempts: 0 } },
    });
  });
});

test.each([
  [
    'the secret of another system',
    { logForwarding: { splunk: { ...splunk, secretName: cloudAlm.secretName } }, cloudAlm },
  ],
  [
    "the key of PagerDuty as a subscriber's client",
    {
      notifications: { pagerDuty: { routingKeySecretName: 'acme/archive' } },
      events: EVERYTHING_ENVIRONMENT.events,
    },
  ],
  ['neither of both', { logForwarding: {} }],
])('an entry with %s is refused', (_what, blocks) => {
  expect(() => parseEnvironment({ ...ENVIRONMENTS['prod'], ...blocks }, 'a test')).toThrow(
    /must be another secret than those of the other systems|must name splunk, elastic or both/,
  );
});
