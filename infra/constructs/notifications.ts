/**
 * Where alarms go: a topic of pages and a topic of mails. The addresses of the environment get both, so that each page is
 * a mail, too; PagerDuty gets the pages by EventBridge (pager-duty.ts).
 */
import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Subscription, SubscriptionProtocol, Topic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Environment } from '../environments.ts';
import { KeptQueue } from './kept-queue.ts';

export interface NotificationsProps {
  readonly environment: Environment;
}

export class Notifications extends Construct {
  /** What wakes the person on call. */
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
    // Not under the key of the topics: EventBridge would need it to write here, so that one wrong key policy would break both
    // paths. A page of a stack that is gone is of no use.
    this.undeliveredPages = new KeptQueue(this, 'UndeliveredPages', { removalPolicy: RemovalPolicy.DESTROY });
    Validations.of(this.undeliveredPages).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'It is a dead-letter queue itself, of EventBridge rather than of SQS: nothing consumes it.',
    });
    for (const [path, topic] of [
      ['Mail', this.mails],
      ['Page', this.pages],
    ] as const) {
      for (const endpoint of notifications.email) {
        new Subscription(this, `${path}-${endpoint}`, { topic, protocol: SubscriptionProtocol.EMAIL, endpoint });
      }
    }
  }
}
