/** The function that puts chosen dead letters back on the queue, when an operator asks it to. */
import { Construct } from 'constructs';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { RedriverVariables } from '../../shared/environment.ts';
import type { Environment } from '../environments.ts';
import type { CartChannel } from './cart-channel.ts';
import { commonVariables, InterfaceFunction } from './interface-function.ts';
import type { LedgerTable } from './ledger-table.ts';
import type { OrderWorker } from './order-worker.ts';

export interface DeadLetterRedriverProps {
  readonly environment: Environment;
  readonly bundle: string;
  readonly channel: CartChannel;
  readonly ledger: LedgerTable;
  /** It says what would become of a dead letter. */
  readonly worker: OrderWorker;
  readonly failedInvocations: IQueue;
}

export class DeadLetterRedriver extends Construct {
  readonly function: InterfaceFunction;

  constructor(scope: Construct, id: string, props: DeadLetterRedriverProps) {
    super(scope, id);
    const { environment, ledger, worker } = props;
    const { queue, deadLetters } = props.channel;
    const variables: RedriverVariables = {
      ...commonVariables(environment, 'redriver', ledger.table.tableName),
      QUEUE_URL: queue.queueUrl,
      DEAD_LETTER_QUEUE_URL: deadLetters.queueUrl,
      DEAD_LETTER_QUEUE_ARN: deadLetters.queueArn,
      WORKER_FUNCTION: worker.function.functionName,
      WORKER_TIMEOUT_SECONDS: String(environment.delivery.timeoutSeconds),
      SRM_CLIENT: environment.srm.client,
    };
    // Without reserved concurrency: two runs at once do no harm, and a new account has none to reserve.
    this.function = new InterfaceFunction(this, 'Function', {
      environment,
      failedInvocations: props.failedInvocations,
      bundle: props.bundle,
      service: 'redriver',
      description: 'Lists dead letters, and puts those that an operator chose back on the queue',
      // The longest that Lambda allows: 500 messages at ten a second, after five minutes for the first.
      timeoutSeconds: 900,
      // It holds some megabytes of messages at once, as text and as what they say.
      memoryMegabytes: 512,
      variables,
    });
    ledger.grantRedriving(this.function);
    queue.grant(this.function, 'sqs:SendMessage');
    deadLetters.grant(
      this.function,
      'sqs:ReceiveMessage',
      'sqs:DeleteMessage',
      'sqs:ChangeMessageVisibility',
      'sqs:GetQueueAttributes',
      'sqs:StartMessageMoveTask',
      'sqs:ListMessageMoveTasks',
      'sqs:CancelMessageMoveTask',
    );
    // This function only; CDK's grantInvoke would add its versions and aliases.
    this.function.addToRolePolicy(
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [worker.function.functionArn] }),
    );
  }
}
