/** The function that accounts for every approved cart of the last days, and its schedule. */
import { Duration, TimeZone } from 'aws-cdk-lib';
import { Schedule, ScheduleExpression, type ScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { IQueue, Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { ReconcilerVariables } from '../../shared/environment.ts';
import type { Environment } from '../environments.ts';
import type { ConnectionSecret } from './connection-secret.ts';
import { FunctionTarget } from './function-target.ts';
import { commonVariables, InterfaceFunction, srmVariables } from './interface-function.ts';
import type { LedgerTable } from './ledger-table.ts';
import type { MessageKey } from './message-key.ts';

export interface CartReconcilerProps {
  readonly environment: Environment;
  readonly bundle: string;
  readonly queue: Queue;
  readonly ledger: LedgerTable;
  readonly srmSecret: ConnectionSecret;
  readonly messageKey: MessageKey;
  readonly scheduleGroup: ScheduleGroup;
  readonly failedInvocations: IQueue;
}

export class CartReconciler extends Construct {
  readonly function: InterfaceFunction;

  constructor(scope: Construct, id: string, props: CartReconcilerProps) {
    super(scope, id);
    const { environment, ledger } = props;
    const { extraction, reconciliation } = environment;
    const variables: ReconcilerVariables = {
      ...commonVariables(environment, 'reconciler', ledger.table.tableName),
      ...srmVariables(environment.srm),
      MESSAGE_KEY: props.messageKey.arn,
      QUEUE_URL: props.queue.queueUrl,
      FIRST_WATERMARK: extraction.firstWatermark,
      RECONCILIATION_DAYS: String(reconciliation.days),
    };
    this.function = new InterfaceFunction(this, 'Function', {
      environment,
      network: environment.network,
      failedInvocations: props.failedInvocations,
      bundle: props.bundle,
      service: 'reconciler',
      description: 'Accounts for every approved cart of the last days, and queues again what is lost',
      // The longest that Lambda allows: a run that has the time finishes; one that has not is finished by the next.
      timeoutSeconds: 900,
      // One whole virtual CPU, which a run keeps busy.
      memoryMegabytes: 1769,
      variables,
    });
    props.queue.grant(this.function, 'sqs:SendMessage');
    ledger.grantReconciliation(this.function);
    props.srmSecret.grantRead(this.function);
    props.messageKey.grantRead(this.function);
    new Schedule(this, 'Schedule', {
      description: 'Starts the reconciliation of the day, and continues one that is not finished',
      scheduleGroup: props.scheduleGroup,
      schedule: ScheduleExpression.expression(reconciliation.schedule, TimeZone.of(extraction.timeZone)),
      target: new FunctionTarget(this.function, {
        retryAttempts: 2,
        // Nothing waits for it: an hour late is better than a day.
        maxEventAge: Duration.hours(1),
        deadLetterQueue: props.failedInvocations,
      }),
    });
  }
}
