/** The function that writes the numbers of orders back to SRM, its queue, and the rule that fills it. */
import { Duration, Validations } from 'aws-cdk-lib';
import { MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { IQueue, Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { NumberWriterVariables } from '../../shared/environment.ts';
import { EVENT_SOURCE, type EventName } from '../../shared/order-events.ts';
import type { Environment } from '../environments.ts';
import { type PlatformConditions, sumOf } from './alarms.ts';
import type { ConnectionSecret } from './connection-secret.ts';
import { commonVariables, InterfaceFunction, srmVariables } from './interface-function.ts';
import { KeptQueue } from './kept-queue.ts';
import type { LedgerTable } from './ledger-table.ts';
import { DELIVERY, type OutgoingEvents } from './outgoing-events.ts';

export interface OrderNumberWriterProps {
  readonly environment: Environment;
  readonly settings: NonNullable<Environment['orderNumbers']>;
  readonly bundle: string;
  readonly events: OutgoingEvents;
  readonly ledger: LedgerTable;
  readonly srmSecret: ConnectionSecret;
  readonly failedInvocations: IQueue;
}

/** About a day: the function doubles its delays (functions/write-order-numbers/write-order-numbers.ts). */
const MAX_RECEIVE_COUNT = 12;
const RETENTION_DAYS = 4;
/** A message that SRM does not take is given up after a day. One that lies for half of its retention was not tried. */
const UNTRIED_AFTER = Duration.days(RETENTION_DAYS / 2);
const BATCH_SIZE = 5;
const TIMEOUT = Duration.minutes(10);

export class OrderNumberWriter extends Construct {
  readonly function: InterfaceFunction;
  readonly queue: Queue;
  readonly deadLetters: Queue;
  readonly alarms: PlatformConditions;

  constructor(scope: Construct, id: string, props: OrderNumberWriterProps) {
    super(scope, id);
    const { environment, settings, events, ledger } = props;
    const period = Duration.minutes(5);
    this.deadLetters = new KeptQueue(this, 'DeadLetters');
    this.queue = new KeptQueue(this, 'Queue', {
      retentionPeriod: Duration.days(RETENTION_DAYS),
      // AWS's own rule for an event source: six times the function's time-out.
      visibilityTimeout: Duration.seconds(6 * TIMEOUT.toSeconds()),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: MAX_RECEIVE_COUNT },
    });
    // A queue and not an API destination: SAP Gateway wants a token first, and the cookies of the answer that gave it.
    new Rule(this, 'Rule', {
      description: 'Queues each order whose number is to be written back to SRM',
      eventBus: events.bus,
      eventPattern: { source: [EVENT_SOURCE], detailType: ['PurchaseOrder.Created.v1' satisfies EventName] },
      targets: [
        new SqsQueue(this.queue, {
          message: RuleTargetInput.fromEventPath('$.detail'),
          deadLetterQueue: events.undelivered,
          ...DELIVERY,
        }),
      ],
    });
    const variables: NumberWriterVariables = {
      ...commonVariables(environment, 'numberWriter', ledger.table.tableName),
      ...srmVariables(environment.srm),
      QUEUE_URL: this.queue.queueUrl,
      NUMBERS_PATH: settings.path,
      NUMBERS_METHOD: settings.method,
      NUMBERS_PROPERTY: settings.property,
    };
    this.function = new InterfaceFunction(this, 'Function', {
      environment,
      network: environment.network,
      failedInvocations: props.failedInvocations,
      bundle: props.bundle,
      service: 'numberWriter',
      description: 'Writes the numbers of created orders back to the shopping carts in SAP SRM 7',
      timeoutSeconds: TIMEOUT.toSeconds(),
      memoryMegabytes: 256,
      variables,
    });
    this.function.addEventSource(
      new SqsEventSource(this.queue, {
        batchSize: BATCH_SIZE,
        // An invocation writes one cart after another: so many are written to SRM at once.
        maxConcurrency: settings.maximumConcurrency,
        reportBatchItemFailures: true,
      }),
    );
    ledger.grantOrderNumbers(this.function);
    props.srmSecret.grantRead(this.function);
    // The function is not invoked, as while its event source is disabled.
    const untried = new MathExpression({
      expression: `IF(FILL(numbersAge, 0) >= ${UNTRIED_AFTER.toSeconds()}, 1, 0)`,
      usingMetrics: { numbersAge: this.queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum', period }) },
      period,
    });
    const unwritten = this.deadLetters.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period });
    this.alarms = {
      'order-numbers-unwritten': {
        // Without the block `events`, its alarm is missing: this one then also tells of an event that never reached the queue.
        metric: sumOf(
          [unwritten, untried, ...(environment.events === undefined ? events.undeliveredMetrics : [])],
          period,
          'Order numbers given up, or not tried for days',
        ),
        threshold: 1,
        // An idle queue is empty.
        missing: TreatMissingData.NOT_BREACHING,
      },
    };
    Validations.of(this.deadLetters).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'It is a dead-letter queue itself.',
    });
  }
}
