/** The dashboard: where the carts are, how fast they are ordered, and what is wrong. */
import { Duration, Stack } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IAlarm,
  type IMetric,
  type IWidget,
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
import { DASHBOARD_ROWS, GUIDE, type Series, type Widget } from './dashboard-rows.ts';
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

export class InterfaceDashboard extends Construct {
  readonly name: string;

  constructor(scope: Construct, id: string, props: InterfaceDashboardProps) {
    super(scope, id);
    const { stackName } = Stack.of(this);
    this.name = stackName;
    const metricOf = metricsOf(props);
    const dashboard = new Dashboard(this, 'Dashboard', {
      dashboardName: stackName,
      defaultInterval: Duration.hours(24),
      // Sums remain sums of five minutes in a view of any length.
      periodOverride: PeriodOverride.INHERIT,
    });
    dashboard.addWidgets(new TextWidget({ markdown: GUIDE, width: FULL, height: 2 }));
    dashboard.addWidgets(new AlarmStatusWidget({ title: 'Alarms', alarms: [...props.alarms], width: FULL, height: 5 }));
    for (const row of DASHBOARD_ROWS) dashboard.addWidgets(...row.map((widget) => widgetOf(widget, metricOf)));
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

type MetricOf = (series: Series) => IMetric;

function metricsOf({ environment, queue, deadLetters, ...functions }: InterfaceDashboardProps): MetricOf {
  const own = interfaceMetrics(environment);
  const queues = { queue, deadLetters };
  return (series) => {
    const { label, statistic, periodSeconds } = series;
    const period = periodSeconds === undefined ? {} : { period: Duration.seconds(periodSeconds) };
    const options = { label, statistic, ...period };
    if ('of' in series) return own(series.of, series.metric, options);
    return 'ofSqs' in series
      ? queues[series.ofSqs].metric(series.metric, options)
      : functions[series.ofLambda].metric(series.metric, options);
  };
}

function widgetOf({ title, as, series, right = [] }: Widget, metricOf: MetricOf): IWidget {
  const metrics = series.map(metricOf);
  return as === 'graph'
    ? new GraphWidget({
        title,
        left: metrics,
        right: right.map(metricOf),
        width: THIRD,
        height: GRAPH_HEIGHT,
        leftYAxis: { min: 0 },
      })
    : new SingleValueWidget({
        title,
        metrics,
        setPeriodToTimeRange: as === 'numbers of the period',
        width: THIRD,
        height: NUMBERS_HEIGHT,
      });
}
