/**
 * The queue for asynchronous invocations that Scheduler could not deliver, or that Lambda gave up. It holds events of
 * schedules, never carts: carts have the Dead Letter Channel in cart-channel.ts.
 */
import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

export class FailedInvocations extends Construct {
  readonly queue: Queue;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.queue = new Queue(this, 'Queue', {
      // The longest that SQS allows: time for a person to act.
      retentionPeriod: Duration.days(14),
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    Validations.of(this.queue).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'It is a dead-letter queue itself, of Lambda and Scheduler rather than of SQS: nothing consumes it.',
    });
  }
}
