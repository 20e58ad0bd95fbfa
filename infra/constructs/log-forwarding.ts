/** The logs of all functions, sent to Splunk and to Elastic by Firehose. */
import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { MathExpression, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnDeliveryStream, type CfnDeliveryStreamProps, DeliveryStream } from 'aws-cdk-lib/aws-kinesisfirehose';
import { FilterPattern, LogGroup, LogStream, SubscriptionFilter } from 'aws-cdk-lib/aws-logs';
import { FirehoseDestination } from 'aws-cdk-lib/aws-logs-destinations';
import { BlockPublicAccess, Bucket, BucketEncryption, CfnBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Environment } from '../environments.ts';
import type { AlarmCondition } from './alarms.ts';
import { ConnectionSecret, type ConnectionSecretProps } from './connection-secret.ts';
import type { InterfaceFunction } from './interface-function.ts';

type Settings = NonNullable<Environment['logForwarding']>;

export interface LogForwardingProps {
  readonly environment: Environment;
  readonly settings: Settings;
  /** Every function of the stack. */
  readonly functions: readonly InterfaceFunction[];
}

/** What one of the two systems is sent by, beside its own address. */
interface Delivery {
  readonly secretsManagerConfiguration: { enabled: true; secretArn: string; roleArn: string };
  readonly s3Configuration: CfnDeliveryStream.S3DestinationConfigurationProperty;
  readonly cloudWatchLoggingOptions: CfnDeliveryStream.CloudWatchLoggingOptionsProperty;
  readonly roleArn: string;
}

/**
 * All lines but those of metrics (EMF), whose first member this is. A line of a crash is no JSON, so that a pattern for
 * JSON would lose it.
 */
const NO_METRICS = FilterPattern.literal('-"_aws"');

export class LogForwarding extends Construct {
  readonly alarm: AlarmCondition;
  readonly #failed: Bucket;
  readonly #errors: LogGroup;

  constructor(scope: Construct, id: string, { environment, settings, functions }: LogForwardingProps) {
    super(scope, id);
    const { logRetentionDays } = environment.operation;
    this.#failed = this.#failedRecords(logRetentionDays);
    // Of Firehose itself. It is not forwarded: each failure would make the next one.
    this.#errors = new LogGroup(this, 'Errors', {
      retention: logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const { splunk, elastic } = settings;
    const streams = [
      ...(splunk === undefined ? [] : [this.#toSplunk(splunk)]),
      ...(elastic === undefined ? [] : [this.#toElastic(elastic, environment.name)]),
    ];
    for (const stream of streams) this.#subscribe(stream, functions);
    this.alarm = notForwarded(streams.map(deliveryMetrics));
  }

  /** What neither system took, after all retries. */
  #failedRecords(keptDays: number): Bucket {
    const bucket = new Bucket(this, 'FailedRecords', {
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      // No longer than the logs, of which they are copies.
      lifecycleRules: [{ expiration: Duration.days(keptDays), abortIncompleteMultipartUploadAfter: Duration.days(1) }],
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'It holds copies of log lines that another system did not take, and Firehose alone writes there.',
    });
    return bucket;
  }

  #toSplunk(splunk: NonNullable<Settings['splunk']>): CfnDeliveryStream {
    const { delivery, role } = this.#delivery('Splunk', {
      connection: splunk,
      system: 'Splunk',
      holds: 'Token of the HTTP Event Collector of %: { "hec_token": "..." }',
    });
    const { roleArn: _, ...destination } = delivery;
    return this.#stream('Splunk', role, {
      splunkDestinationConfiguration: {
        ...destination,
        hecEndpoint: splunk.hecUrl,
        // Lines as they are. `Event` would need each of them in an envelope of Splunk's (HEC answers "code 6").
        hecEndpointType: 'Raw',
        hecAcknowledgmentTimeoutInSeconds: 180,
        retryOptions: { durationInSeconds: 3600 },
        bufferingHints: { intervalInSeconds: 60, sizeInMBs: 1 },
        s3BackupMode: 'FailedEventsOnly',
        // CloudWatch Logs sends batches, packed. Splunk gets the lines in them.
        processingConfiguration: {
          enabled: true,
          processors: [
            {
              type: 'Decompression',
              parameters: [{ parameterName: 'CompressionFormat', parameterValue: 'GZIP' }],
            },
            {
              type: 'CloudWatchLogProcessing',
              parameters: [{ parameterName: 'DataMessageExtraction', parameterValue: 'true' }],
            },
          ],
        },
      },
    });
  }

  /** Elastic unpacks the batches itself. A buffer of 1 MiB, since it takes no larger request when it is unpacked. */
  #toElastic(elastic: NonNullable<Settings['elastic']>, environmentName: string): CfnDeliveryStream {
    const { delivery, role } = this.#delivery('Elastic', {
      connection: elastic,
      system: 'Elastic',
      holds: 'API key of %, in base64: { "api_key": "..." }',
    });
    return this.#stream('Elastic', role, {
      httpEndpointDestinationConfiguration: {
        ...delivery,
        endpointConfiguration: { name: 'Elastic', url: elastic.url },
        requestConfiguration: {
          contentEncoding: 'GZIP',
          commonAttributes: [
            { attributeName: 'es_datastream_name', attributeValue: elastic.dataStream },
            // Each document then holds it (infra/monitoring/elastic/ingest-pipeline.json).
            { attributeName: 'environment', attributeValue: environmentName },
          ],
        },
        retryOptions: { durationInSeconds: 300 },
        bufferingHints: { intervalInSeconds: 60, sizeInMBs: 1 },
        s3BackupMode: 'FailedDataOnly',
      },
    });
  }

  /**
   * Secret, bucket and error log with a role that may use them. The statements are written out: those that the CDK grants
   * by itself hold wildcards in their actions.
   */
  #delivery(name: string, secretProps: ConnectionSecretProps): { readonly delivery: Delivery; readonly role: Role } {
    const role = new Role(this, `${name}Role`, {
      assumedBy: new ServicePrincipal('firehose.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    });
    const secret = new ConnectionSecret(this, `${name}Secret`, secretProps);
    secret.grantRead(role);
    const { bucketArn } = this.#failed;
    role.addToPolicy(
      new PolicyStatement({
        actions: ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'],
        resources: [bucketArn],
      }),
    );
    role.addToPolicy(
      new PolicyStatement({
        actions: ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'],
        resources: [this.#failed.arnForObjects('*')],
      }),
    );
    role.addToPolicy(new PolicyStatement({ actions: ['logs:PutLogEvents'], resources: [this.#errors.logGroupArn] }));
    Validations.of(role).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${this.#logicalIdOf(this.#failed)}.Arn>/*]`,
      reason: 'Firehose chooses the names of the objects that it writes.',
    });
    const logStream = new LogStream(this, `${name}Errors`, {
      logGroup: this.#errors,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const { roleArn } = role;
    const prefix = name.toLowerCase();
    return {
      role,
      delivery: {
        roleArn,
        secretsManagerConfiguration: { enabled: true, secretArn: secret.arn, roleArn },
        s3Configuration: {
          bucketArn,
          roleArn,
          compressionFormat: 'GZIP',
          prefix: `${prefix}/`,
          errorOutputPrefix: `${prefix}-failed/`,
        },
        cloudWatchLoggingOptions: {
          enabled: true,
          logGroupName: this.#errors.logGroupName,
          logStreamName: logStream.logStreamName,
        },
      },
    };
  }

  #logicalIdOf(bucket: Bucket): string {
    const { defaultChild } = bucket.node;
    if (!(defaultChild instanceof CfnBucket)) throw new Error('A bucket of CDK has a CfnBucket');
    return Stack.of(this).getLogicalId(defaultChild);
  }

  #stream(
    name: string,
    role: Role,
    destination: Pick<
      CfnDeliveryStreamProps,
      'splunkDestinationConfiguration' | 'httpEndpointDestinationConfiguration'
    >,
  ): CfnDeliveryStream {
    const stream = new CfnDeliveryStream(this, name, {
      deliveryStreamType: 'DirectPut',
      deliveryStreamEncryptionConfigurationInput: { keyType: 'AWS_OWNED_CMK' },
      ...destination,
    });
    // Firehose tries its rights when the stream is created.
    stream.node.addDependency(role);
    return stream;
  }

  /** CloudWatch Logs tries the stream, too, when it is subscribed. */
  #subscribe(stream: CfnDeliveryStream, functions: readonly InterfaceFunction[]): void {
    const name = stream.node.id;
    const ofThisAccount = Stack.of(this).formatArn({ service: 'logs', resource: '*' });
    const role = new Role(this, `To${name}Role`, {
      assumedBy: new ServicePrincipal('logs.amazonaws.com', {
        conditions: { StringLike: { 'aws:SourceArn': ofThisAccount } },
      }),
    });
    const deliveryStream = DeliveryStream.fromDeliveryStreamAttributes(this, `${name}Stream`, {
      deliveryStreamArn: stream.attrArn,
    });
    const destination = new FirehoseDestination(deliveryStream, { role });
    // Below the function, so that its id stays where another function comes or goes.
    for (const lambda of functions) {
      new SubscriptionFilter(lambda, `To${name}`, {
        logGroup: lambda.logGroup,
        destination,
        filterPattern: NO_METRICS,
      });
    }
  }
}

const PERIOD = Duration.minutes(5);
/** Firehose keeps a record back for 15 minutes at most while all is well (its guide, "best practices with alarms"). */
const FRESH_SECONDS = 15 * 60;

/** How many records came to a stream, what share of its attempts succeeded, and how old its oldest record is. */
function deliveryMetrics(stream: CfnDeliveryStream) {
  const prefix = stream.splunkDestinationConfiguration === undefined ? 'DeliveryToHttpEndpoint' : 'DeliveryToSplunk';
  const metric = (name: string, statistic: string): Metric =>
    new Metric({
      namespace: 'AWS/Firehose',
      metricName: name,
      dimensionsMap: { DeliveryStreamName: stream.ref },
      statistic,
      period: PERIOD,
    });
  return {
    incoming: metric('IncomingRecords', 'Sum'),
    success: metric(`${prefix}.Success`, 'Average'),
    age: metric(`${prefix}.DataFreshness`, 'Maximum'),
  };
}

/**
 * In four of six periods: one attempt that is repeated at once sends no mail, nor does a late metric. The supervisor runs
 * every minute, and Lambda writes lines of each run. So a stream without records has lost its subscriptions, or CloudWatch
 * Logs has lost the right to write to it.
 */
function notForwarded(streams: readonly ReturnType<typeof deliveryMetrics>[]): AlarmCondition {
  const usingMetrics = Object.fromEntries(
    streams.flatMap(({ incoming, success, age }, index) => [
      [`incoming${index}`, incoming],
      [`success${index}`, success],
      [`age${index}`, age],
    ]),
  );
  const troubles = streams.map(
    (_, index) =>
      `IF(FILL(incoming${index}, 0) < 1 OR FILL(success${index}, 1) < 1 OR FILL(age${index}, 0) > ${FRESH_SECONDS}, 1, 0)`,
  );
  return {
    metric: new MathExpression({
      expression: troubles.join(' + '),
      usingMetrics,
      period: PERIOD,
      label: 'Streams that do not deliver',
    }),
    threshold: 1,
    periods: 6,
    datapoints: 4,
    // No metric at all: nothing came yet. A new stack mails once, and again when the first lines are there.
    missing: TreatMissingData.BREACHING,
  };
}
