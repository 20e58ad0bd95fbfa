/**
 * The queue for asynchronous invocations that Scheduler could not deliver, or that Lambda gave up. It holds events of
 * schedules, never carts: carts have the Dead Letter Channel in cart-channel.ts.
 */
import { Validations } from 'aws-cdk-lib';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { KeptQueue } from './kept-queue.ts';

export class FailedInvocations extends Construct {
  readonly queue: Queue;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.queue = new KeptQueue(this, 'Queue');
    Validations.of(this.queue).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'It is a dead-letter queue itself, of Lambda and Scheduler rather than of SQS: nothing consumes it.',
    });
  }
}
