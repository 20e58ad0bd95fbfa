/** The channel of carts to the worker, and its Dead Letter Channel. */
import { Duration } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { KeptQueue } from './kept-queue.ts';

/** 3 retries are 4 attempts (rules.md, "Delivering once"). */
export const MAX_RECEIVE_COUNT = 4;

/** What shows a message, keeps it from others, or destroys it. */
const TAKING = ['sqs:ReceiveMessage', 'sqs:ChangeMessageVisibility', 'sqs:DeleteMessage'];
const EMPTYING = 'sqs:PurgeQueue';

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
    this.deadLetters = new KeptQueue(this, 'DeadLetters');
    this.queue = new KeptQueue(this, 'Queue', {
      retentionPeriod: Duration.days(4),
      // AWS's own rule for an event source: six times the function's time-out, and the batching window.
      visibilityTimeout: Duration.seconds(6 * props.workerTimeout.toSeconds() + props.batchingWindow.toSeconds()),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: MAX_RECEIVE_COUNT },
    });
  }

  /**
   * A message holds the requester's name and e-mail address, and one that is received and deleted is an order lost. Only these roles
   * take messages, whatever rights other principals of the account have. The queues' policies themselves stay open to the
   * people who own the account: they can name another role.
   */
  refuseOtherReceivers(
    { worker, redriver }: Record<'worker' | 'redriver', IRole>,
    { readers, redriveRoles }: Record<'readers' | 'redriveRoles', readonly string[]>,
  ): void {
    const refuse = (sid: string, queue: Queue, actions: string[], receivers: readonly string[]): void => {
      queue.addToResourcePolicy(
        new PolicyStatement({
          sid,
          effect: Effect.DENY,
          principals: [new AnyPrincipal()],
          actions,
          resources: [queue.queueArn],
          // Also a request without a principal's ARN does not match, and is denied.
          conditions: { ArnNotLike: { 'aws:PrincipalArn': receivers } },
        }),
      );
    };
    // Lambda polls with the worker's role.
    refuse('OnlyTheWorkerReceives', this.queue, TAKING, [worker.roleArn]);
    // After a leak of the message key (runbook): the carts in it are in SRM, too.
    refuse('OnlyTheseEmpty', this.queue, [EMPTYING], [worker.roleArn, ...redriveRoles]);
    // A move task may have another queue as its destination.
    refuse(
      'OnlyTheseReceive',
      this.deadLetters,
      [...TAKING, EMPTYING, 'sqs:StartMessageMoveTask'],
      [redriver.roleArn, ...readers],
    );
  }

  /**
   * A message on the cart queue is meant to become an order. Only these roles send there, whatever rights
   * other principals of the account have; also SQS's own redrive sends with the rights of its caller. No principal sends to
   * the dead-letter queue: SQS itself moves messages there.
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
