/** The dashboard: where the carts are, how fast they are ordered, and what is wrong. */
import { Duration, Stack } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IAlarm,
  type IMetric,
  LogQueryVisualizationType,
  LogQueryWidget,
  PeriodOverride,
  SingleValueWidget,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Environment } from '../environments.ts';
import { interfaceMetrics } from './interface-metrics.ts';
import { queryText } from './query-texts.ts';

export interface InterfaceDashboardProps {
  readonly environment: Environment;
  readonly extractor: IFunction;
  readonly worker: IFunction;
  readonly supervisor: IFunction;
  readonly reconciler: IFunction;
  readonly redriver: IFunction;
  readonly queue: IQueue;
  readonly deadLetters: IQueue;
  readonly alarms: readonly IAlarm[];
  readonly logGroupNames: readonly string[];
}

const FULL = 24;
const THIRD = 8;
const NUMBERS_HEIGHT = 4;
const GRAPH_HEIGHT = 6;

const GUIDE = [
  '**Carts**: each version of a cart is queued once, as one message; a cart can become more than one order. Each run reads',
  'the overlap again, so *read again in each run* counts reads and not carts. **Messages**: as SQS counts them, about;',
  'those in work or waiting for a retry are not visible. **Breaker**: 0 carts flow, 1 consumption is paused.',
  'What to do: `infra/runbook.md`, by the name of the alarm. Queries: Logs Insights, saved queries, folder of the stack.',
].join(' ');

export class InterfaceDashboard extends Construct {
  readonly name: string;

  constructor(scope: Construct, id: string, props: InterfaceDashboardProps) {
    super(scope, id);
    const { environment, extractor, worker, supervisor, reconciler, redriver, queue, deadLetters } = props;
    const metric = interfaceMetrics(environment);
    const { stackName } = Stack.of(this);
    this.name = stackName;
    const waiting = queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', label: 'Waiting messages' });
    const inRetry = queue.metricApproximateNumberOfMessagesNotVisible({
      statistic: 'Maximum',
      label: 'Messages in work or waiting for a retry',
    });
    const lying = deadLetters.metricApproximateNumberOfMessagesVisible({
      statistic: 'Maximum',
      label: 'Dead-letter messages',
    });
    const breaker = metric('supervisor', 'consumptionPaused', { statistic: 'Maximum', label: 'Breaker' });
    const dashboard = new Dashboard(this, 'Dashboard', {
      dashboardName: stackName,
      defaultInterval: Duration.hours(24),
      // Sums remain sums of five minutes in a view of any length.
      periodOverride: PeriodOverride.INHERIT,
    });
    dashboard.addWidgets(new TextWidget({ markdown: GUIDE, width: FULL, height: 2 }));
    dashboard.addWidgets(new AlarmStatusWidget({ title: 'Alarms', alarms: [...props.alarms], width: FULL, height: 5 }));
    dashboard.addWidgets(
      numbers('Carts in the period shown', true, [
        metric('extractor', 'cartsQueued', { label: 'Carts queued' }),
        metric('worker', 'ordersCreated', { label: 'Orders created' }),
        metric('worker', 'cartsDeadLettered', { label: 'Carts dead-lettered' }),
      ]),
      numbers('Messages now', false, [waiting, inRetry, lying]),
      numbers('Breaker and reconciliation', false, [
        breaker,
        metric('worker', 'cartsRequeued', { label: 'Requeued' }),
        metric('worker', 'cartsRecovered', { label: 'Recovered by the reconciliation', period: Duration.days(1) }),
      ]),
    );
    dashboard.addWidgets(
      graph('Carts and orders', [
        metric('extractor', 'cartsRead', { label: 'Read again in each run' }),
        metric('extractor', 'cartsQueued', { label: 'Queued' }),
        metric('reconciler', 'cartsQueued', { label: 'Queued by the reconciliation' }),
        metric('worker', 'ordersCreated', { label: 'Orders created' }),
        metric('worker', 'ordersRecovered', { label: 'Orders found after an unknown outcome' }),
        metric('worker', 'cartsSkipped', { label: 'Skipped' }),
        metric('worker', 'cartsDeadLettered', { label: 'Dead-lettered' }),
      ]),
      graph(
        'Approval to order',
        percentiles((statistic, label) => metric('worker', 'approvalToOrder', { statistic, label })),
      ),
      graph(
        'Queue',
        [waiting, inRetry, lying],
        [
          queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum', label: 'Oldest message, s (right)' }),
          metric('worker', 'cartWaitTime', {
            statistic: 'Maximum',
            label: 'Longest wait of a retried cart, s (right)',
          }),
        ],
      ),
    );
    dashboard.addWidgets(
      graph(
        'Latency of SRM',
        percentiles((statistic, label) => metric('extractor', 'srmCallDuration', { statistic, label })),
      ),
      graph(
        'Latency of 11VMS',
        percentiles((statistic, label) => metric('worker', 'vmsCallDuration', { statistic, label })),
      ),
      graph('Errors by system', [
        metric('extractor', 'srmCallErrors', { label: 'SRM: no answer or 5xx' }),
        metric('extractor', 'sourceRefused', { label: 'SRM refuses us' }),
        metric('worker', 'vmsCallErrors', { label: '11VMS: no answer or 5xx' }),
        metric('worker', 'targetThrottled', { label: '11VMS throttles us' }),
        metric('worker', 'targetRefused', { label: '11VMS refuses us' }),
      ]),
    );
    dashboard.addWidgets(
      graph('Deliveries in trouble', [
        metric('worker', 'attemptsRetried', { label: 'Attempts to be repeated' }),
        metric('worker', 'outcomesUnknown', { label: 'Outcomes unknown' }),
        metric('worker', 'cartsRequeued', { label: 'Requeued' }),
        metric('redriver', 'deadLettersRedriven', { label: 'Redriven by hand' }),
        breaker,
      ]),
      graph('Runs', [
        metric('extractor', 'extractionCompleted', { label: 'Completed' }),
        metric('extractor', 'extractionFailed', { label: 'Failed' }),
        metric('reconciler', 'reconciliationCompleted', { label: 'Reconciliation' }),
        metric('worker', 'unknownProperties', { label: 'Properties unknown to the contract' }),
      ]),
      graph(
        'Functions',
        [
          extractor.metricErrors({ label: 'Extractor: errors' }),
          worker.metricErrors({ label: 'Worker: errors' }),
          supervisor.metricErrors({ label: 'Supervisor: errors' }),
          reconciler.metricErrors({ label: 'Reconciler: errors' }),
          redriver.metricErrors({ label: 'Redriver: errors' }),
          extractor.metricThrottles({ label: 'Extractor: throttles' }),
          worker.metricThrottles({ label: 'Worker: throttles' }),
        ],
        [
          extractor.metricDuration({ statistic: 'Maximum', label: 'Extractor: longest, ms (right)' }),
          worker.metricDuration({ statistic: 'Maximum', label: 'Worker: longest, ms (right)' }),
          reconciler.metricDuration({ statistic: 'Maximum', label: 'Reconciler: longest, ms (right)' }),
        ],
      ),
    );
    dashboard.addWidgets(
      new LogQueryWidget({
        title: 'Dead letters of the period shown',
        logGroupNames: [...props.logGroupNames],
        queryString: queryText('dead letters'),
        view: LogQueryVisualizationType.TABLE,
        width: FULL,
        height: GRAPH_HEIGHT,
      }),
    );
  }
}

/** With `ofPeriod` the sum over the period shown; otherwise the latest value. */
const numbers = (title: string, ofPeriod: boolean, metrics: IMetric[]): SingleValueWidget =>
  new SingleValueWidget({ title, metrics, setPeriodToTimeRange: ofPeriod, width: THIRD, height: NUMBERS_HEIGHT });

const graph = (title: string, left: IMetric[], right: IMetric[] = []): GraphWidget =>
  new GraphWidget({ title, left, right, width: THIRD, height: GRAPH_HEIGHT, leftYAxis: { min: 0 } });

const percentiles = (metric: (statistic: string, label: string) => IMetric): IMetric[] =>
  ['p50', 'p95'].map((statistic) => metric(statistic, statistic));
