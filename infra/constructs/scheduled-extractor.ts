/** Polling Consumer: the function that reads approved carts from SRM onto the channel, and its schedule. */
import { Annotations, Duration, RemovalPolicy, TimeZone } from 'aws-cdk-lib';
import { Schedule, ScheduleExpression, ScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { IQueue, Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { ExtractorVariables } from '../../shared/environment.ts';
import type { Environment } from '../environments.ts';
import type { ConnectionSecret } from './connection-secret.ts';
import { FunctionTarget } from './function-target.ts';
import { commonVariables, InterfaceFunction, srmVariables } from './interface-function.ts';
import type { LedgerTable } from './ledger-table.ts';
import type { MessageKey } from './message-key.ts';

export interface ScheduledExtractorProps {
  readonly environment: Environment;
  readonly bundle: string;
  readonly queue: Queue;
  readonly ledger: LedgerTable;
  readonly srmSecret: ConnectionSecret;
  readonly messageKey: MessageKey;
  readonly failedInvocations: IQueue;
}

export class ScheduledExtractor extends Construct {
  readonly function: InterfaceFunction;
  /** The metric AWS/Scheduler has no dimension below the group: one group for all schedules of the stack. */
  readonly scheduleGroup: ScheduleGroup;

  constructor(scope: Construct, id: string, props: ScheduledExtractorProps) {
    super(scope, id);
    const { environment, ledger } = props;
    const { extraction } = environment;
    if (environment.srm.paging === 'skip-top') {
      Annotations.of(this).addWarningV2(
        'srm-skip-top',
        'srm.paging is "skip-top": a cart that changes between two pages can push another one off every page. The count ' +
          'of the window shows it only where SRM sends __count; else the overlap and the reconciliation have to find it.',
      );
    }
    const variables: ExtractorVariables = {
      ...commonVariables(environment, 'extractor', ledger.table.tableName),
      ...srmVariables(environment.srm),
      MESSAGE_KEY: props.messageKey.arn,
      QUEUE_URL: props.queue.queueUrl,
      FIRST_WATERMARK: extraction.firstWatermark,
      OVERLAP_SECONDS: String(extraction.overlapSeconds),
      SAFETY_SECONDS: String(extraction.safetySeconds),
      // The function is certainly dead by then, so a crash blocks the next run no longer than this.
      LEASE_SECONDS: String(extraction.timeoutSeconds + 30),
    };
    this.function = new InterfaceFunction(this, 'Function', {
      environment,
      network: environment.network,
      failedInvocations: props.failedInvocations,
      bundle: props.bundle,
      service: 'extractor',
      description: 'Reads approved shopping carts from SAP SRM 7 and queues them',
      timeoutSeconds: extraction.timeoutSeconds,
      memoryMegabytes: extraction.memoryMegabytes,
      variables,
    });
    props.queue.grant(this.function, 'sqs:SendMessage');
    ledger.grantExtraction(this.function);
    props.srmSecret.grantRead(this.function);
    props.messageKey.grantRead(this.function);

    // By default CDK keeps it, and under its fixed name: the next creation of the stack would find the name taken.
    this.scheduleGroup = new ScheduleGroup(this, 'ScheduleGroup', { removalPolicy: RemovalPolicy.DESTROY });
    new Schedule(this, 'Schedule', {
      description: 'Starts the extraction of approved shopping carts',
      scheduleGroup: this.scheduleGroup,
      schedule: ScheduleExpression.expression(extraction.schedule, TimeZone.of(extraction.timeZone)),
      // A run that could not be started is made up for by the next one, which reads the same window.
      target: new FunctionTarget(this.function, {
        retryAttempts: 2,
        maxEventAge: Duration.minutes(5),
        deadLetterQueue: props.failedInvocations,
      }),
    });
  }
}
