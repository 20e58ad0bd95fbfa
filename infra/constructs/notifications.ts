/** Where alarms go: a topic that pages, a topic that mails, and their subscriptions. */
import { Duration, RemovalPolicy, SecretValue, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Subscription, SubscriptionProtocol, Topic } from 'aws-cdk-lib/aws-sns';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Environment } from '../environments.ts';

export interface NotificationsProps {
  readonly environment: Environment;
}

/** An account of one region is unknown in the other. */
const PAGERDUTY_HOSTS = { us: 'events.pagerduty.com', eu: 'events.eu.pagerduty.com' } as const;

export class Notifications extends Construct {
  /** Wakes the person on call. */
  readonly pages: Topic;
  /** Read in working hours. */
  readonly mails: Topic;
  /** Pages that PagerDuty did not take. */
  readonly undeliveredPages: Queue;

  constructor(scope: Construct, id: string, props: NotificationsProps) {
    super(scope, id);
    const { name, notifications } = props.environment;
    const alarms = new ServicePrincipal('cloudwatch.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
    });
    // CloudWatch may not use the AWS-managed key of SNS: every alarm would be lost without an error.
    const key = new Key(this, 'Key', {
      description: `Alarm topics of PROC-SRM7-11VMS-PURCHASE-ORDER-V1 (${name})`,
      enableKeyRotation: true,
      // It protects nothing that outlives the stack.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    key.addToResourcePolicy(
      new PolicyStatement({
        principals: [alarms],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        resources: ['*'],
      }),
    );
    const topic = (topicId: string, displayName: string): Topic => {
      const created = new Topic(this, topicId, { displayName, masterKey: key, enforceSSL: true });
      // A policy replaces the default one, which allows alarms of the account to publish.
      created.addToResourcePolicy(
        new PolicyStatement({ principals: [alarms], actions: ['sns:Publish'], resources: [created.topicArn] }),
      );
      return created;
    };
    this.pages = topic('Pages', `Purchase orders ${name}: page`);
    this.mails = topic('Mails', `Purchase orders ${name}: mail`);
    this.undeliveredPages = new Queue(this, 'UndeliveredPages', {
      retentionPeriod: Duration.days(14),
      // Not the key of the topics: SNS would need it to write here, so that one wrong key policy would break both paths.
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    Validations.of(this.undeliveredPages).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'It is a dead-letter queue itself, of SNS rather than of SQS: nothing consumes it.',
    });
    if (notifications.pagerDutySecretName !== undefined)
      this.#subscribePagerDuty(notifications.pagerDutySecretName, notifications.pagerDutyRegion);
    for (const endpoint of notifications.email) {
      new Subscription(this, `Mail-${endpoint}`, { topic: this.mails, protocol: SubscriptionProtocol.EMAIL, endpoint });
    }
  }

  /** PagerDuty's CloudWatch integration reads SNS's own envelope: ALARM opens an incident per alarm name, OK resolves it. */
  #subscribePagerDuty(secretName: string, region: Environment['notifications']['pagerDutyRegion']): void {
    // Resolved by CloudFormation: the template holds a reference, never the key.
    const key = SecretValue.secretsManager(secretName).unsafeUnwrap();
    new Subscription(this, 'PagerDuty', {
      topic: this.pages,
      protocol: SubscriptionProtocol.HTTPS,
      endpoint: `https://${PAGERDUTY_HOSTS[region]}/integration/${key}/enqueue`,
      rawMessageDelivery: false,
      deadLetterQueue: this.undeliveredPages,
      deliveryPolicy: {
        // SNS would give up after a minute. Some 40 minutes in all; SNS allows an hour.
        healthyRetryPolicy: {
          minDelayTarget: Duration.seconds(5),
          maxDelayTarget: Duration.minutes(5),
          numRetries: 15,
        },
      },
    });
  }
}
