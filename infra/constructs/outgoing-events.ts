/**
 * The interface's events for other systems: the ledger's stream, a pipe for each kind of event, a bus of their own, and a
 * rule for each subscriber. No code runs: pipe and rule put together and deliver what the ledger holds.
 */
import { Duration, SecretValue, Stack, Validations } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import {
  ApiDestination,
  Authorization,
  Connection,
  EventBus,
  HttpMethod,
  HttpParameter,
  Rule,
  RuleTargetInput,
} from 'aws-cdk-lib/aws-events';
import { AccountPrincipal, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnPipe } from 'aws-cdk-lib/aws-pipes';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { METRICS } from '../../shared/metric-names.ts';
import { namesOf } from '../../shared/names-of.ts';
import { EVENT_SOURCE, EVENTS, type EventName } from '../../shared/order-events.ts';
import type { Environment } from '../environments.ts';
import { EVENT_FILTERS, eventTemplate } from '../platforms/event-templates.ts';
import { type AlarmCondition, type PlatformConditions, sumOf } from './alarms.ts';
import { interfaceMetrics } from './interface-metrics.ts';
import { KeptQueue } from './kept-queue.ts';

export interface OutgoingEventsProps {
  readonly environment: Environment;
  /** Of the ledger's table, with new and old images. */
  readonly streamArn: string;
}

type Subscriber = NonNullable<Environment['events']>['subscribers'][string];

/** How long, and how often, a rule tries a delivery again: both are the most that EventBridge allows. */
export const DELIVERY = { retryAttempts: 185, maxEventAge: Duration.hours(24) };

/** What another account needs for a rule of its own (EventBridge's guide, "Permissions for event buses"). */
const RULE_ACTIONS = [
  'events:PutRule',
  'events:DeleteRule',
  'events:DescribeRule',
  'events:DisableRule',
  'events:EnableRule',
  'events:PutTargets',
  'events:RemoveTargets',
];

/** The worker's metric that counts what each event reports. */
const COUNTED = {
  'PurchaseOrder.Created.v1': 'ordersCreated',
  'ShoppingCart.DeadLettered.v1': 'cartsDeadLettered',
} as const satisfies Record<EventName, keyof typeof METRICS>;

const pipeMetric = (pipe: CfnPipe, metricName: string, period: Duration): Metric =>
  new Metric({
    namespace: 'AWS/EventBridge/Pipes',
    metricName,
    dimensionsMap: { PipeName: pipe.ref },
    statistic: 'Sum',
    period,
  });

/** The `type` of events that no other system gets. */
const INTERNAL_PREFIX = 'internal';

export class OutgoingEvents extends Construct {
  readonly bus: EventBus;
  /** What a pipe or a rule gave up: of a pipe where in the stream the records are, of a rule the event. */
  readonly undelivered: Queue;
  readonly alarms: PlatformConditions;
  readonly #pipes: ReadonlyMap<EventName, CfnPipe>;

  constructor(scope: Construct, id: string, props: OutgoingEventsProps) {
    super(scope, id);
    const { events } = props.environment;
    const { stackName } = Stack.of(this);
    this.undelivered = new KeptQueue(this, 'Undelivered');
    Validations.of(this.undelivered).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'It is a dead-letter queue itself, of EventBridge rather than of SQS: nothing consumes it.',
    });
    // Of all rules of the bus that this account has.
    this.undelivered.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [this.undelivered.queueArn],
        conditions: { ArnLike: { 'aws:SourceArn': this.#rulesArn(stackName) } },
      }),
    );
    // Not the default bus: its rules see the events of the whole account, and another account may be let in here alone.
    // It is under EventBridge's own key: an event holds identifiers, codes and times, and a key of ours could lock a subscriber out.
    this.bus = new EventBus(this, 'Bus', {
      eventBusName: stackName,
      description: 'Orders created and shopping carts given up by PROC-SRM7-11VMS-PURCHASE-ORDER-V1',
    });
    // Without `events`, only the order numbers need them, and no dead letter.
    const names: readonly EventName[] = events === undefined ? ['PurchaseOrder.Created.v1'] : namesOf(EVENTS);
    this.#pipes = new Map(names.map((name) => [name, this.#pipe(name, props)]));
    this.alarms = {
      'events-standing-still': this.#standingStill(props.environment),
      ...(events === undefined ? {} : { 'events-undelivered': this.#notDelivered() }),
    };
    if (events === undefined) return;
    for (const [name, subscriber] of Object.entries(events.subscribers)) this.#deliver(name, subscriber);
    for (const account of events.accounts) this.#letIn(account);
  }

  /** What the mail of the block is about: a pipe or a rule gave up, or a pipe fails. */
  get undeliveredMetrics(): readonly IMetric[] {
    const period = Duration.minutes(5);
    const failures = [...this.#pipes.values()].map((pipe) => pipeMetric(pipe, 'ExecutionFailed', period));
    const given = this.undelivered.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period });
    return [given, ...failures];
  }

  #notDelivered(): AlarmCondition {
    return {
      metric: sumOf(this.undeliveredMetrics, Duration.minutes(5), 'Events given up, and failures of pipes'),
      threshold: 1,
      // An idle queue is empty, and an idle pipe does not fail.
      missing: TreatMissingData.NOT_BREACHING,
    };
  }

  /** A pipe that is stopped, or reads a stream that is gone, counts no failure: it shows only against what was counted. */
  #standingStill(environment: Environment): AlarmCondition {
    const period = Duration.hours(1);
    const metric = interfaceMetrics(environment);
    const hours = [...this.#pipes].map(
      ([name, pipe], index) =>
        new MathExpression({
          expression: `IF(FILL(counted${index}, 0) > 0 AND FILL(ran${index}, 0) < 1, 1, 0)`,
          usingMetrics: {
            [`counted${index}`]: metric('worker', COUNTED[name], { period }),
            [`ran${index}`]: pipeMetric(pipe, 'Invocations', period),
          },
          period,
        }),
    );
    return {
      metric: sumOf(hours, period, 'Pipes that did not run for their events'),
      threshold: 1,
      // Events may be a day apart. One hour says nothing: the worker counts at the end of a batch, which may be the next hour.
      periods: 3 * 24,
      datapoints: 2,
      // Counted only when it happens.
      missing: TreatMissingData.NOT_BREACHING,
    };
  }

  #rulesArn(bus: string): string {
    return Stack.of(this).formatArn({ service: 'events', resource: 'rule', resourceName: `${bus}/*` });
  }

  #pipe(name: EventName, { environment, streamArn }: OutgoingEventsProps): CfnPipe {
    const id = name.replaceAll('.', '');
    // The rights stand in the role itself: the pipe reads the stream while it is being created.
    const role = new Role(this, `${id}Role`, {
      assumedBy: new ServicePrincipal('pipes.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      inlinePolicies: {
        FromLedgerToBus: new PolicyDocument({
          statements: [
            new PolicyStatement({
              actions: [
                'dynamodb:DescribeStream',
                'dynamodb:GetRecords',
                'dynamodb:GetShardIterator',
                'dynamodb:ListStreams',
              ],
              resources: [streamArn],
            }),
            new PolicyStatement({ actions: ['events:PutEvents'], resources: [this.bus.eventBusArn] }),
            // Without this right the creation of the pipe fails, and says that it "did not stabilize".
            new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [this.undelivered.queueArn] }),
          ],
        }),
      },
    });
    return new CfnPipe(this, id, {
      description: `From the ledger to the bus: ${name}`,
      roleArn: role.roleArn,
      source: streamArn,
      sourceParameters: {
        dynamoDbStreamParameters: {
          startingPosition: 'LATEST',
          batchSize: 10,
          // A record is in the stream for 24 hours: an hour before, the pipe gives it up, and says so in the queue.
          maximumRecordAgeInSeconds: Duration.hours(23).toSeconds(),
          // Only its age ends the retries of a record. What is at fault itself is isolated by the bisection.
          maximumRetryAttempts: -1,
          onPartialBatchItemFailure: 'AUTOMATIC_BISECT',
          deadLetterConfig: { arn: this.undelivered.queueArn },
        },
        filterCriteria: { filters: EVENT_FILTERS[name].map((pattern) => ({ pattern: JSON.stringify(pattern) })) },
      },
      target: this.bus.eventBusArn,
      targetParameters: {
        eventBridgeEventBusParameters: { source: EVENT_SOURCE, detailType: name },
        inputTemplate: eventTemplate(name, {
          typePrefix: environment.events?.typePrefix ?? INTERNAL_PREFIX,
          environment: environment.name,
        }),
      },
    });
  }

  #deliver(name: string, { url, tokenUrl, scope, secretName, headers, ratePerSecond }: Subscriber): void {
    const client = (jsonField: string): SecretValue => SecretValue.secretsManager(secretName, { jsonField });
    const connection = new Connection(this, `${name}-connection`, {
      description: `OAuth2 client for the subscriber ${name}`,
      authorization: Authorization.oauth({
        authorizationEndpoint: tokenUrl,
        httpMethod: HttpMethod.POST,
        // Resolved by CloudFormation: the template holds references, never the client.
        clientId: client('clientId').unsafeUnwrap(),
        clientSecret: client('clientSecret'),
        bodyParameters: {
          grant_type: HttpParameter.fromString('client_credentials'),
          ...(scope === '' ? {} : { scope: HttpParameter.fromString(scope) }),
        },
      }),
    });
    const destination = new ApiDestination(this, `${name}-destination`, {
      description: `Events for the subscriber ${name}`,
      connection,
      endpoint: url,
      httpMethod: HttpMethod.POST,
      rateLimitPerSecond: ratePerSecond,
    });
    // CDK's own target has one role for the destinations of all rules.
    const role = new Role(this, `${name}-role`, {
      assumedBy: new ServicePrincipal('events.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      inlinePolicies: {
        Post: new PolicyDocument({
          statements: [
            // The ARN with the id at its end, as in CDK's own target: `apiDestinationArnForPolicy` ends before the id.
            new PolicyStatement({
              actions: ['events:InvokeApiDestination'],
              resources: [destination.apiDestinationArn],
            }),
          ],
        }),
      },
    });
    new Rule(this, `${name}-rule`, {
      description: `Delivers the events to the subscriber ${name}`,
      eventBus: this.bus,
      eventPattern: { source: [EVENT_SOURCE] },
      targets: [
        {
          bind: () => ({
            arn: destination.apiDestinationArn,
            role,
            // The pipe has made the CloudEvent: every subscriber, and every other rule of the bus, gets the same.
            input: RuleTargetInput.fromEventPath('$.detail'),
            httpParameters: { headerParameters: { 'Content-Type': 'application/cloudevents+json', ...headers } },
            deadLetterConfig: { arn: this.undelivered.queueArn },
            retryPolicy: {
              maximumRetryAttempts: DELIVERY.retryAttempts,
              maximumEventAgeInSeconds: DELIVERY.maxEventAge.toSeconds(),
            },
          }),
        },
      ],
    });
  }

  /** The account may then make rules of its own on this bus, and change and delete these alone. */
  #letIn(account: string): void {
    const { bus } = this;
    bus.addToResourcePolicy(
      new PolicyStatement({
        sid: `RulesOf${account}`,
        principals: [new AccountPrincipal(account)],
        actions: RULE_ACTIONS,
        resources: [this.#rulesArn(bus.eventBusName)],
        conditions: {
          StringEqualsIfExists: { 'events:creatorAccount': '${aws:PrincipalAccount}', 'events:source': EVENT_SOURCE },
        },
      }),
    );
  }
}
