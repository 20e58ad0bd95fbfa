/** The only code that asks CloudWatch: the metrics behind the values, and the states of the alarms. */
import {
  type CloudWatchClient,
  type MetricDataQuery,
  type MetricDataResult,
  paginateDescribeAlarms,
  paginateGetMetricData,
} from '@aws-sdk/client-cloudwatch';
import * as z from 'zod';
import { METRICS, SERVICE_NAMES } from '../../shared/metric-names.ts';
import type { InterfaceState } from './health-metrics.ts';
import { type AlarmState, type AlarmStates, HEALTH_VALUES, type Measure, STATUSES } from './interface-health.ts';

/** Under which names CloudWatch knows this stack. */
export interface StackNames {
  /** Of the environment. */
  readonly environment: string;
  /** Of the interface's own metrics. */
  readonly namespace: string;
  readonly queue: string;
  readonly deadLetterQueue: string;
  /** What the names of all alarms begin with. */
  readonly alarmPrefix: string;
}

/** @throws {Error} when CloudWatch gives no whole answer: what could not be read must not be told as healthy. */
export async function readInterfaceState(
  cloudwatch: CloudWatchClient,
  names: StackNames,
  nowMs: number,
): Promise<InterfaceState> {
  const [values, alarms] = await Promise.all([
    readValues(cloudwatch, names, nowMs),
    readAlarms(cloudwatch, names.alarmPrefix),
  ]);
  return { values, alarms };
}

const MINUTE_MS = 60_000;
const LONGEST_WINDOW_MS = Math.max(...HEALTH_VALUES.map(({ measure }) => measure.windowMinutes)) * MINUTE_MS;

interface Datapoint {
  /** When its period began. */
  readonly atMs: number;
  readonly value: number;
}

/** Several pages may bring the points of one metric. The state is that of the last. */
interface Series {
  readonly points: readonly Datapoint[];
  readonly status: string;
}

async function readValues(
  cloudwatch: CloudWatchClient,
  names: StackNames,
  nowMs: number,
): Promise<ReadonlyMap<string, number>> {
  const request = {
    MetricDataQueries: HEALTH_VALUES.map(({ measure }, index) => queryOf(measure, `v${index}`, names)),
    StartTime: new Date(nowMs - LONGEST_WINDOW_MS),
    EndTime: new Date(nowMs),
  };
  const series = new Map<string, Series>();
  for await (const { MetricDataResults: results = [] } of paginateGetMetricData({ client: cloudwatch }, request)) {
    for (const result of results) {
      const { Id: id = '', StatusCode: status = 'no status' } = result;
      series.set(id, { points: [...(series.get(id)?.points ?? []), ...pointsOf(result)], status });
    }
  }
  return new Map(
    HEALTH_VALUES.flatMap(({ name, measure }, index): [string, number][] => {
      const { points, status } = series.get(`v${index}`) ?? { points: [], status: 'no answer' };
      if (status !== 'Complete') throw new Error(`CloudWatch did not give ${name} whole (${status})`);
      const value = valueOf(measure, points, nowMs);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function queryOf({ metric, statistic, periodSeconds }: Measure, id: string, names: StackNames): MetricDataQuery {
  const { queue, deadLetterQueue, namespace, environment } = names;
  const named =
    'queue' in metric
      ? {
          Namespace: 'AWS/SQS',
          MetricName: metric.metric,
          Dimensions: [{ Name: 'QueueName', Value: metric.queue === 'carts' ? queue : deadLetterQueue }],
        }
      : {
          Namespace: namespace,
          MetricName: METRICS[metric.metric],
          Dimensions: [
            { Name: 'service', Value: SERVICE_NAMES[metric.service] },
            { Name: 'environment', Value: environment },
          ],
        };
  return { Id: id, MetricStat: { Metric: named, Period: periodSeconds, Stat: statistic } };
}

const pointsOf = ({ Timestamps: times = [], Values: values = [] }: MetricDataResult): Datapoint[] =>
  times.flatMap((time, index) => {
    const value = values[index];
    return value === undefined ? [] : [{ atMs: time.getTime(), value }];
  });

/** Undefined where there is no datapoint, and none is not a value. */
function valueOf(measure: Measure, points: readonly Datapoint[], nowMs: number): number | undefined {
  const { take, windowMinutes, without, divisor = 1 } = measure;
  const inWindow = points.filter(({ atMs }) => atMs >= nowMs - windowMinutes * MINUTE_MS);
  const newest = inWindow.reduce<Datapoint | undefined>(
    (latest, point) => (latest === undefined || point.atMs > latest.atMs ? point : latest),
    undefined,
  );
  if (newest === undefined) return without;
  switch (take) {
    case 'sum':
      return inWindow.reduce((sum, { value }) => sum + value, 0) / divisor;
    case 'largest':
      return Math.max(...inWindow.map(({ value }) => value)) / divisor;
    case 'latest':
      return newest.value / divisor;
    case 'minutes since':
      return Math.floor((nowMs - newest.atMs) / MINUTE_MS);
  }
}

/** Those that a rating needs. */
const NEEDED_ALARMS = [
  ...HEALTH_VALUES.flatMap(({ critical, warning = [] }) => [...critical, ...warning]),
  ...STATUSES.map(({ alarm }) => alarm),
];

const alarmState = z.enum(['OK', 'ALARM', 'INSUFFICIENT_DATA'] satisfies AlarmState[]);

async function readAlarms(cloudwatch: CloudWatchClient, prefix: string): Promise<AlarmStates> {
  const request = { AlarmNamePrefix: prefix, AlarmTypes: ['MetricAlarm' as const, 'CompositeAlarm' as const] };
  const states = new Map<string, AlarmState>();
  const pages = paginateDescribeAlarms({ client: cloudwatch }, request);
  for await (const { MetricAlarms: metric = [], CompositeAlarms: composite = [] } of pages) {
    for (const { AlarmName: name = '', StateValue: state } of [...metric, ...composite]) {
      states.set(name.slice(prefix.length), alarmState.parse(state));
    }
  }
  const missing = NEEDED_ALARMS.filter((name) => !states.has(name));
  if (missing.length === 0) return states;
  throw new Error(
    `Without these alarms nothing can be rated: ${[...new Set(missing)].join(', ')}. Deploy the stack again`,
  );
}
