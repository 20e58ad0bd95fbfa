/** Circuit Breaker: the function that checks every minute whether to pause or resume the event source of the worker. */
import { Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Schedule, ScheduleExpression, type ScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { SupervisorVariables } from '../../shared/environment.ts';
import { type Environment, SUPERVISOR_MARGIN_SECONDS } from '../environments.ts';
import { FunctionTarget } from './function-target.ts';
import { commonVariables, InterfaceFunction } from './interface-function.ts';
import type { LedgerTable } from './ledger-table.ts';
import type { OrderWorker } from './order-worker.ts';

export interface ConsumptionSupervisorProps {
  readonly environment: Environment;
  readonly bundle: string;
  readonly queue: IQueue;
  readonly ledger: LedgerTable;
  readonly worker: OrderWorker;
  readonly scheduleGroup: ScheduleGroup;
  readonly failedInvocations: IQueue;
}

export class ConsumptionSupervisor extends Construct {
  readonly function: InterfaceFunction;

  constructor(scope: Construct, id: string, props: ConsumptionSupervisorProps) {
    super(scope, id);
    const { environment, queue, ledger, worker } = props;
    const { delivery } = environment;
    const variables: SupervisorVariables = {
      ...commonVariables(environment, 'supervisor', ledger.table.tableName),
      QUEUE_URL: queue.queueUrl,
      EVENT_SOURCE_MAPPING: worker.eventSource.eventSourceMappingId,
      WORKER_FUNCTION: worker.function.functionName,
      WORKER_TIMEOUT_SECONDS: String(delivery.timeoutSeconds),
      RETRY_BASE_SECONDS: String(delivery.retryBaseSeconds),
    };
    this.function = new InterfaceFunction(this, 'Function', {
      environment,
      failedInvocations: props.failedInvocations,
      bundle: props.bundle,
      service: 'supervisor',
      description: 'Pauses the consumption of carts while 11VMS is down or refuses us, and resumes it afterwards',
      timeoutSeconds: delivery.timeoutSeconds + SUPERVISOR_MARGIN_SECONDS,
      memoryMegabytes: 256,
      variables,
    });
    ledger.grantSupervision(this.function);
    this.function.addToRolePolicy(
      new PolicyStatement({ actions: ['sqs:GetQueueAttributes'], resources: [queue.queueArn] }),
    );
    // This function only; CDK's grantInvoke would add its versions and aliases.
    this.function.addToRolePolicy(
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [worker.function.functionArn] }),
    );
    this.function.addToRolePolicy(
      new PolicyStatement({
        actions: ['lambda:GetEventSourceMapping', 'lambda:UpdateEventSourceMapping'],
        resources: [worker.eventSource.eventSourceMappingArn],
      }),
    );
    new Schedule(this, 'Schedule', {
      description: 'Checks whether the consumption of carts should pause or resume',
      scheduleGroup: props.scheduleGroup,
      schedule: ScheduleExpression.rate(Duration.minutes(1)),
      // A check that could not be started is not repeated: the next one comes in a minute.
      target: new FunctionTarget(this.function, {
        retryAttempts: 0,
        maxEventAge: Duration.minutes(1),
        deadLetterQueue: props.failedInvocations,
      }),
    });
  }
}
