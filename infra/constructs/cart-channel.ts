/** The channel of carts to the worker, and its Dead Letter Channel. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
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

  /**
   * A message on the cart queue becomes an order, and whoever may send there may order. Only these roles do, whatever rights
   * other principals of the account have; also SQS's own redrive sends with the rights of its caller. Nobody sends to the
   * dead-letter queue: SQS itself moves messages there, as no principal.
   */
  refuseOtherSenders(senders: readonly IRole[], redriveRoles: readonly string[]): void {
    const denial = { effect: Effect.DENY, principals: [new AnyPrincipal()], actions: ['sqs:SendMessage'] };
    this.queue.addToResourcePolicy(
      new PolicyStatement({
        ...denial,
        sid: 'OnlyTheInterfaceSends',
        resources: [this.queue.queueArn],
        // Also a request without a principal's ARN does not match, and is denied.
        conditions: {
          ArnNotLike: { 'aws:PrincipalArn': [...senders.map(({ roleArn }) => roleArn), ...redriveRoles] },
        },
      }),
    );
    this.deadLetters.addToResourcePolicy(
      new PolicyStatement({
        ...denial,
        sid: 'OnlySqsMovesMessagesHere',
        resources: [this.deadLetters.queueArn],
        conditions: { Null: { 'aws:PrincipalArn': 'false' } },
      }),
    );
  }
}
