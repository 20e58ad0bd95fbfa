/** The channel of carts to the worker, and its Dead Letter Channel. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

/** 3 retries are 4 attempts (rules.md, "Delivering once"). */
export const MAX_RECEIVE_COUNT = 4;

export interface CartChannelProps {
  readonly workerTimeout: Duration;
  /** How long the event source collects messages before it invokes the worker. */
  readonly batchingWindow: Duration;
}

export class CartChannel extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, props: CartChannelProps) {
    super(scope, id);
    this.deadLetters = new Queue(this, 'DeadLetters', {
      // The longest that SQS allows: time for a person to act.
      retentionPeriod: Duration.days(14),
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    this.queue = new Queue(this, 'Queue', {
      retentionPeriod: Duration.days(4),
      // AWS's own rule for an event source: six times the function's time-out, and the batching window.
      visibilityTimeout: Duration.seconds(6 * props.workerTimeout.toSeconds() + props.batchingWindow.toSeconds()),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: MAX_RECEIVE_COUNT },
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
  }
}
