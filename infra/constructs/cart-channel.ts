/** The channel between both functions, and its Dead Letter Channel. */
import { Duration, Fn, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Queue, QueueEncryption, RedrivePermission } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

/** 3 retries are 4 attempts (rules.md, "Delivering once"). */
export const MAX_RECEIVE_COUNT = 4;

export interface CartChannelProps {
  readonly workerTimeout: Duration;
}

export class CartChannel extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, props: CartChannelProps) {
    super(scope, id);
    const queueName = this.#queueName();
    this.deadLetters = new Queue(this, 'DeadLetters', {
      // The longest that SQS allows: time for a person to act.
      retentionPeriod: Duration.days(14),
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      // No other queue may move its messages here, and a redrive goes back to this one.
      redriveAllowPolicy: {
        redrivePermission: RedrivePermission.BY_QUEUE,
        sourceQueues: [Queue.fromQueueArn(this, 'QueueByName', this.#queueArn(queueName))],
      },
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.queue = new Queue(this, 'Queue', {
      queueName,
      retentionPeriod: Duration.days(4),
      // AWS's own rule for an event source: six times the function's time-out.
      visibilityTimeout: Duration.seconds(6 * props.workerTimeout.toSeconds()),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: MAX_RECEIVE_COUNT },
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  /**
   * Each queue names the other in a policy: CloudFormation would see a circle, so one of them is named here. The name
   * ends in a part of the stack's own id, since the queue outlives its stack, and the next one must not find it taken.
   */
  #queueName(): string {
    const { stackName, stackId } = Stack.of(this);
    const stackUuid = Fn.select(2, Fn.split('/', stackId));
    return `${stackName}-carts-${Fn.select(0, Fn.split('-', stackUuid))}`;
  }

  #queueArn(queueName: string): string {
    return Stack.of(this).formatArn({ service: 'sqs', resource: queueName });
  }
}
