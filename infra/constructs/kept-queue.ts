/** A queue of the stack: encrypted, over TLS alone, and kept when the stack is deleted unless its maker says otherwise. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

export type KeptQueueProps = Pick<
  QueueProps,
  'retentionPeriod' | 'visibilityTimeout' | 'deadLetterQueue' | 'removalPolicy'
>;

export class KeptQueue extends Queue {
  constructor(scope: Construct, id: string, props: KeptQueueProps = {}) {
    super(scope, id, {
      // The longest that SQS allows: time for a person to act.
      retentionPeriod: Duration.days(14),
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
      ...props,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    });
  }
}
