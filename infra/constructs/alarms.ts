/**
 * The alarms. An alarm pages only where a person can do something now: carts do not flow, or are about to be lost.
 * Everything else is mail. One cause sets off many alarms, so pages come from composite alarms, one for each kind of
 * incident: a composite that is in ALARM does not page again for its next part.
 */
import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  type AlarmProps,
  AlarmRule,
  AlarmState,
  ComparisonOperator,
  CompositeAlarm,
  type IAlarm,
  type IAlarmRule,
  type IMetric,
  MathExpression,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Environment } from '../environments.ts';
import { namesOf } from '../../shared/names-of.ts';
import { extractionSilenceMs } from '../schedule.ts';
import {
  type AlarmText,
  alarmDescription,
  isPage,
  type SilentAlarm,
  SILENT_ALARMS,
  METRIC_ALARMS,
  type MetricAlarm,
  PAGING_ALARMS,
  type PagingAlarm,
  PLATFORM_ALARMS,
  type PlatformAlarm,
} from './alarm-texts.ts';
import { interfaceMetrics } from './interface-metrics.ts';
import type { Notifications } from './notifications.ts';
import type { Page } from './pager-duty.ts';

export interface AlarmsProps {
  readonly environment: Environment;
  readonly notifications: Notifications;
  readonly extractor: IFunction;
  readonly worker: IFunction;
  readonly supervisor: IFunction;
  readonly reconciler: IFunction;
  readonly redriver: IFunction;
  /** Those of the optional blocks of the environment. What else they do wrong, the alarms of their blocks say. */
  readonly optionalFunctions: readonly IFunction[];
  readonly queue: IQueue;
  readonly deadLetters: IQueue;
  /** Every group with a schedule of the stack: the metrics of Scheduler have no finer dimension. */
  readonly scheduleGroups: readonly IScheduleGroup[];
  /** One for each alarm whose block is in the environment entry; the construct of the block gives it. */
  readonly platforms?: PlatformConditions;
}

export type PlatformConditions = Readonly<Partial<Record<PlatformAlarm, AlarmCondition>>>;

/** When a metric is in ALARM: at or above the threshold, or below it with `below`. */
export interface AlarmCondition {
  readonly metric: IMetric;
  readonly threshold: number;
  readonly below?: true;
  /** 1 by default. */
  readonly periods?: number;
  /** How many of those periods must breach the threshold; all by default. */
  readonly datapoints?: number;
  readonly missing: TreatMissingData;
}

/** The metric alarms that one kind of incident sets off. */
const PARTS: Readonly<Record<PagingAlarm, readonly MetricAlarm[]>> = {
  'orders-stopped': [
    'consumption-paused',
    'target-refused',
    'oldest-message-too-old',
    'cart-waiting-too-long',
    'worker-failing',
  ],
  'extraction-stopped': ['no-extraction', 'source-refused'],
  'dead-letters-urgent': ['dead-letters-many', 'dead-letters-unattended'],
};

/** What pages only after the first data point of its metric. */
const LATCHED: Readonly<Partial<Record<PagingAlarm | MetricAlarm, SilentAlarm>>> = {
  // The whole page: until a run has completed, the go-live is not over.
  'extraction-stopped': 'first-extraction',
  // Its other parts know no silence.
  'consumption-paused': 'first-supervision',
};

/**
 * What does not page while another alarm is in ALARM. A rule, and no suppressor of CloudWatch's: a suppressed alarm tells
 * EventBridge, and so PagerDuty, that it is suppressed, and no document says whether it tells the end of it.
 */
const HELD: Readonly<Partial<Record<MetricAlarm, SilentAlarm>>> = {
  // A cause that makes many dead letters also opens the breaker (edge case 80), which pages already. Half an hour after it
  // is for the redrive: dead letters that still lie there page. Not dead-letters-unattended: a week without a person has
  // no cause in common with a pause.
  'dead-letters-many': 'paused-lately',
};

const MINUTE = Duration.minutes(1);
const FIVE_MINUTES = Duration.minutes(5);
const QUARTER = Duration.minutes(15);
const HOUR = Duration.hours(1);

export class Alarms extends Construct {
  /** The alarms that page first, then the others. */
  readonly all: readonly IAlarm[];
  /** The alarms that page, for PagerDuty. */
  readonly pages: readonly Page[];

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    const { pages, mails } = props.notifications;
    const page = new SnsAction(pages);
    const mail = new SnsAction(mails);
    const { stackName } = Stack.of(this);
    const conditions = conditionsOf(props);
    const metricAlarm = (name: MetricAlarm | PlatformAlarm, text: AlarmText, condition: AlarmCondition): Alarm => {
      const { metric, threshold, below, periods = 1, datapoints = periods, missing } = condition;
      const alarm = new Alarm(this, name, {
        alarmName: `${stackName}-${name}`,
        alarmDescription: alarmDescription(name, text, props.environment),
        metric,
        threshold,
        comparisonOperator:
          below === true
            ? ComparisonOperator.LESS_THAN_THRESHOLD
            : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        evaluationPeriods: periods,
        datapointsToAlarm: datapoints,
        treatMissingData: missing,
      });
      const action = isPage(text) ? page : mail;
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
      return alarm;
    };
    const metricAlarms = new Map(
      namesOf(METRIC_ALARMS).map((name) => [name, metricAlarm(name, METRIC_ALARMS[name], conditions[name])]),
    );
    const platformAlarms = namesOf(PLATFORM_ALARMS).flatMap((name) => {
      const condition = props.platforms?.[name];
      return condition === undefined ? [] : [metricAlarm(name, PLATFORM_ALARMS[name], condition)];
    });
    const silent = silentConditions(props.environment);
    const silentAlarm = (name: SilentAlarm): Alarm =>
      new Alarm(this, name, {
        alarmName: `${stackName}-${name}`,
        alarmDescription: SILENT_ALARMS[name],
        ...silent[name],
      });
    const onceBegun = (name: PagingAlarm | MetricAlarm, rule: IAlarmRule): IAlarmRule => {
      const latch = LATCHED[name];
      return latch === undefined ? rule : AlarmRule.allOf(rule, AlarmRule.fromAlarm(silentAlarm(latch), AlarmState.OK));
    };
    const unlessHeld = (name: MetricAlarm, rule: IAlarmRule): IAlarmRule => {
      const holder = HELD[name];
      return holder === undefined
        ? rule
        : AlarmRule.allOf(rule, AlarmRule.not(AlarmRule.fromAlarm(silentAlarm(holder), AlarmState.ALARM)));
    };
    const pagingAlarm = (name: PagingAlarm): CompositeAlarm => {
      const parts = PARTS[name].flatMap((part) => {
        const alarm = metricAlarms.get(part);
        return alarm === undefined
          ? []
          : [unlessHeld(part, onceBegun(part, AlarmRule.fromAlarm(alarm, AlarmState.ALARM)))];
      });
      const alarm = new CompositeAlarm(this, name, {
        compositeAlarmName: `${stackName}-${name}`,
        alarmDescription: alarmDescription(name, PAGING_ALARMS[name], props.environment),
        alarmRule: onceBegun(name, AlarmRule.anyOf(...parts)),
      });
      alarm.addAlarmAction(page);
      alarm.addOkAction(page);
      return alarm;
    };
    const composites: Readonly<Record<PagingAlarm, CompositeAlarm>> = {
      'orders-stopped': pagingAlarm('orders-stopped'),
      'extraction-stopped': pagingAlarm('extraction-stopped'),
      'dead-letters-urgent': pagingAlarm('dead-letters-urgent'),
    };
    this.pages = [
      ...namesOf(composites).map((name) => ({ name, alarm: composites[name], text: PAGING_ALARMS[name] })),
      ...[...metricAlarms].flatMap(([name, alarm]) => {
        const text: AlarmText = METRIC_ALARMS[name];
        return isPage(text) ? [{ name, alarm, text }] : [];
      }),
    ];
    this.all = [...Object.values(composites), ...metricAlarms.values(), ...platformAlarms];
  }
}

function conditionsOf(props: AlarmsProps): Readonly<Record<MetricAlarm, AlarmCondition>> {
  const { environment, extractor, worker, supervisor, reconciler, redriver, queue, deadLetters, scheduleGroups } =
    props;
  const functions = [extractor, worker, supervisor, reconciler, redriver];
  const { pages, mails, undeliveredPages } = props.notifications;
  const { thresholds } = environment.notifications;
  const metric = interfaceMetrics(environment);
  const { BREACHING, NOT_BREACHING } = TreatMissingData;
  const nearTimeout = (seconds: number): number => seconds * 10 * thresholds.durationPercent;
  return {
    'consumption-paused': {
      metric: metric('supervisor', 'consumptionPaused', { statistic: 'Maximum', period: MINUTE }),
      threshold: 1,
      periods: thresholds.pausedMinutes,
      // The supervisor reports it every minute. When it does not, it does not resume a paused consumption either.
      missing: BREACHING,
    },
    'target-refused': {
      metric: metric('worker', 'targetRefused', { period: FIVE_MINUTES }),
      // One 403 may be the right to one object; a third in a row pauses consumption (edge case 68).
      threshold: 3,
      // Counted only when it happens.
      missing: NOT_BREACHING,
    },
    'oldest-message-too-old': {
      metric: queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum', period: FIVE_MINUTES }),
      threshold: thresholds.oldestMessageMinutes * 60,
      periods: 2,
      // SQS sends no data for a queue that was idle for six hours: nothing waits.
      missing: NOT_BREACHING,
    },
    'cart-waiting-too-long': {
      // It sees what the age of the oldest message does not: a cart that was received three times, and one that was
      // requeued, whose message is new.
      metric: metric('worker', 'cartWaitTime', { statistic: 'Maximum', period: QUARTER }),
      threshold: thresholds.waitingHours * 3600,
      // A waiting cart is tried every 15 minutes or so, which may leave out a period. One attempt that fails says
      // nothing: after a pause of hours, every cart has waited for hours.
      periods: 3,
      datapoints: 2,
      // Counted only when a cart has to wait again. While consumption is paused, the pause itself pages.
      missing: NOT_BREACHING,
    },
    'worker-failing': {
      // Lambda counts as an error whatever ends an invocation: what the code throws, and what the runtime does, such as a
      // time-out, a crash, a lack of memory or a failed start (its guide, "Types of metrics for Lambda functions").
      metric: new MathExpression({
        expression: 'IF(invocations > 0, 100 * errors / invocations, 0)',
        usingMetrics: {
          errors: worker.metricErrors({ period: FIVE_MINUTES }),
          invocations: worker.metricInvocations({ period: FIVE_MINUTES }),
        },
        label: 'Invocations that failed, %',
        period: FIVE_MINUTES,
      }),
      threshold: 50,
      periods: 2,
      // No invocation, no failure. A worker that is not invoked at all shows in the age of the oldest message.
      missing: NOT_BREACHING,
    },
    'no-extraction': {
      ...silenceOf(extractionSilence(environment), (period) => metric('extractor', 'extractionCompleted', { period })),
      threshold: 1,
      below: true,
      // A run that does not take place counts nothing, and that is what this alarm is for.
      missing: BREACHING,
    },
    'source-refused': {
      metric: metric('extractor', 'sourceRefused', { period: FIVE_MINUTES }),
      // It is counted after a refresh with a freshly read secret, so the next run would fail, too.
      threshold: 1,
      // Counted only when it happens.
      missing: NOT_BREACHING,
    },
    'dead-letters-many': {
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period: FIVE_MINUTES }),
      threshold: thresholds.deadLetters,
      // A pause that has the same cause must be seen first (paused-lately).
      periods: Math.ceil(thresholds.pausedMinutes / FIVE_MINUTES.toMinutes()) + 2,
      // SQS sends no data for a queue that was empty and idle for six hours.
      missing: NOT_BREACHING,
    },
    'dead-letters-unattended': {
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period: HOUR }),
      threshold: 1,
      // The longest time that CloudWatch evaluates. At least three days remain before SQS deletes a message: it may have
      // spent 4 of its 14 days on the cart queue. The age of the oldest message would not do: SQS leaves out of it what
      // was received three times, as every dead letter was.
      periods: 7 * 24,
      // An idle queue is empty: a queue that holds a message is active.
      missing: NOT_BREACHING,
    },
    'new-dead-letter': {
      // It counts verdicts, one for each message. An alarm on the number of dead letters would stay in ALARM while one
      // lies there, and would not mail for the next. What makes a dead letter without a verdict has its own alarms:
      // worker-crashed and functions-throttled.
      metric: metric('worker', 'cartsDeadLettered', { period: FIVE_MINUTES }),
      threshold: 1,
      // Counted only when it happens.
      missing: NOT_BREACHING,
    },
    'scheduler-failed': {
      metric: sumOf(
        scheduleGroups.flatMap((group) => [
          group.metricTargetErrors({ period: QUARTER }),
          group.metricDropped({ period: QUARTER }),
        ]),
        QUARTER,
        'Invocations that failed or were dropped',
      ),
      threshold: 1,
      // Scheduler sends these metrics only when there is something to count.
      missing: NOT_BREACHING,
    },
    'scheduled-run-failed': {
      // Every failed run throws, and is not retried: Lambda drops its event and counts that here.
      metric: sumOf(
        functions.map((lambda) => lambda.metric('AsyncEventsDropped', { statistic: 'Sum', period: QUARTER })),
        QUARTER,
        'Events dropped',
      ),
      threshold: 1,
      // Lambda sends this metric only when there is something to count.
      missing: NOT_BREACHING,
    },
    'worker-crashed': {
      // The worker never throws for a cart: every error is unexpected.
      metric: worker.metricErrors({ period: FIVE_MINUTES }),
      threshold: 1,
      // No invocation, no crash.
      missing: NOT_BREACHING,
    },
    'functions-throttled': {
      metric: sumOf(
        [...functions, ...props.optionalFunctions].map((lambda) => lambda.metricThrottles({ period: FIVE_MINUTES })),
        FIVE_MINUTES,
        'Throttled invocations',
      ),
      threshold: 1,
      // Counted only around invocations.
      missing: NOT_BREACHING,
    },
    'worker-near-timeout': {
      metric: worker.metricDuration({ statistic: 'Maximum', period: FIVE_MINUTES }),
      threshold: nearTimeout(environment.delivery.timeoutSeconds),
      // One slow batch is normal; two in a quarter of an hour are not.
      periods: 3,
      datapoints: 2,
      // No invocation, no duration.
      missing: NOT_BREACHING,
    },
    'extractor-near-timeout': {
      metric: extractor.metricDuration({ statistic: 'Maximum', period: FIVE_MINUTES }),
      threshold: nearTimeout(environment.extraction.timeoutSeconds),
      periods: 3,
      datapoints: 2,
      // No run, no duration.
      missing: NOT_BREACHING,
    },
    backlog: {
      metric: queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period: FIVE_MINUTES }),
      threshold: thresholds.backlog,
      // A go-live or a replay fills the queue for some minutes.
      periods: 3,
      // SQS sends nothing of an idle queue.
      missing: NOT_BREACHING,
    },
    'retry-rate': {
      metric: new MathExpression({
        // A rate of fewer than 20 messages says nothing.
        expression: 'IF(received >= 20, 100 * FILL(retried, 0) / received, 0)',
        usingMetrics: {
          retried: metric('worker', 'attemptsRetried', { period: QUARTER }),
          received: queue.metricNumberOfMessagesReceived({ period: QUARTER }),
        },
        label: 'Attempts that will be repeated, %',
        period: QUARTER,
      }),
      threshold: thresholds.retryPercent,
      // Nothing received, nothing retried.
      missing: NOT_BREACHING,
    },
    'unknown-outcomes': {
      metric: metric('worker', 'outcomesUnknown', { period: QUARTER }),
      threshold: thresholds.unknownOutcomes,
      // Counted only when it happens.
      missing: NOT_BREACHING,
    },
    'target-throttled': {
      metric: metric('worker', 'targetThrottled', { period: QUARTER }),
      threshold: thresholds.targetThrottled,
      // Counted only when it happens.
      missing: NOT_BREACHING,
    },
    'carts-recovered': {
      metric: metric('worker', 'cartsRecovered', { period: HOUR }),
      threshold: 1,
      // Counted only when it happens.
      missing: NOT_BREACHING,
    },
    'no-reconciliation': {
      ...silenceOf(Duration.hours(thresholds.reconciliationSilenceHours), (period) =>
        metric('reconciler', 'reconciliationCompleted', { period }),
      ),
      threshold: 1,
      below: true,
      // A reconciliation that does not take place counts nothing.
      missing: BREACHING,
    },
    'pages-undelivered': {
      metric: undeliveredPages.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period: FIVE_MINUTES }),
      threshold: 1,
      // An idle queue is empty.
      missing: NOT_BREACHING,
    },
    'mails-undelivered': {
      // Of both topics: nothing but mails is sent from either.
      metric: sumOf(
        [mails, pages].map((topic) => topic.metricNumberOfNotificationsFailed({ period: FIVE_MINUTES })),
        FIVE_MINUTES,
        'Mails that failed',
      ),
      threshold: 1,
      // SNS counts only what happens.
      missing: NOT_BREACHING,
    },
  };
}

/** How far back paused-lately looks. */
const PAUSED_LATELY_MINUTES = 30;

function silentConditions(environment: Environment): Readonly<Record<SilentAlarm, AlarmProps>> {
  const metric = interfaceMetrics(environment);
  const paused = (period: Duration): IMetric =>
    metric('supervisor', 'consumptionPaused', { statistic: 'Maximum', period });
  const latch = (counted: IMetric): AlarmProps => ({
    metric: counted,
    // What is counted is never negative.
    threshold: 0,
    comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
    // More than a day: such an alarm is evaluated once an hour, and one that looks back on minutes every minute. So the
    // alarm behind the latch is OK before the latch opens, and the first data point itself does not page.
    evaluationPeriods: 25,
    // INSUFFICIENT_DATA stays until the first data point, and OK stays after the last.
    treatMissingData: TreatMissingData.IGNORE,
  });
  return {
    'first-extraction': latch(metric('extractor', 'extractionCompleted', { period: HOUR })),
    'first-supervision': latch(paused(HOUR)),
    'paused-lately': {
      metric: paused(MINUTE),
      threshold: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: PAUSED_LATELY_MINUTES,
      // As many minutes as make a pause page: a shorter pause has no page, so it must not hold one back.
      datapointsToAlarm: Math.min(environment.notifications.thresholds.pausedMinutes, PAUSED_LATELY_MINUTES),
      // Whether the supervisor reports is for consumption-paused to say.
      treatMissingData: TreatMissingData.NOT_BREACHING,
    },
  };
}

/** The sum of metrics that send no data while there is nothing to count. */
export function sumOf(metrics: readonly IMetric[], period: Duration, label: string): MathExpression {
  const usingMetrics = Object.fromEntries(metrics.map((metric, index) => [`m${index}`, metric]));
  const expression = Object.keys(usingMetrics)
    .map((name) => `FILL(${name}, 0)`)
    .join(' + ');
  return new MathExpression({ expression, usingMetrics, period, label });
}

/**
 * An alarm on silence, in the finest periods that CloudWatch allows for its length: periods below an hour may cover a
 * day in all, longer ones a week.
 */
export function silenceOf(
  silence: Duration,
  metric: (period: Duration) => IMetric,
): Pick<AlarmCondition, 'metric' | 'periods'> {
  const minutes = silence.toMinutes();
  const periodMinutes = minutes <= 120 ? 1 : minutes <= 24 * 60 ? 5 : 60;
  return { metric: metric(Duration.minutes(periodMinutes)), periods: Math.ceil(minutes / periodMinutes) };
}

const extractionSilence = ({ extraction, notifications }: Environment): Duration =>
  Duration.millis(extractionSilenceMs(extraction, notifications.thresholds.extractionSilenceMinutes));
