/** What both dashboards show: CloudWatch's (dashboard.ts) and Grafana's (infra/docs/grafana.ts). One entry is one widget. */
import type { METRICS } from '../../shared/metric-names.ts';

export type FunctionRole = 'extractor' | 'worker' | 'supervisor' | 'reconciler' | 'redriver';
export type QueueRole = 'queue' | 'deadLetters';

/** A metric of the interface by its key in the code, or one that AWS keeps of a function or a queue. */
type Source =
  | { readonly of: FunctionRole; readonly metric: keyof typeof METRICS }
  | { readonly ofLambda: FunctionRole; readonly metric: 'Errors' | 'Throttles' | 'Duration' }
  | {
      readonly ofSqs: QueueRole;
      readonly metric:
        | 'ApproximateNumberOfMessagesVisible'
        | 'ApproximateNumberOfMessagesNotVisible'
        | 'ApproximateAgeOfOldestMessage';
    };

export type Series = Source & {
  readonly label: string;
  readonly statistic: 'Sum' | 'Maximum' | 'p50' | 'p95';
  /** Of one value; five minutes without it. */
  readonly periodSeconds?: number;
};

export interface Widget {
  readonly title: string;
  /** Numbers of the whole period shown, the latest numbers, or a graph. */
  readonly as: 'numbers of the period' | 'latest numbers' | 'graph';
  readonly series: readonly Series[];
  /** On the right axis of a graph. */
  readonly right?: readonly Series[];
}

const sum = (of: FunctionRole, metric: keyof typeof METRICS, label: string): Series => ({
  of,
  metric,
  label,
  statistic: 'Sum',
});
const percentiles = (of: FunctionRole, metric: keyof typeof METRICS): Series[] =>
  (['p50', 'p95'] as const).map((statistic) => ({ of, metric, label: statistic, statistic }));
const failures = (ofLambda: FunctionRole, metric: 'Errors' | 'Throttles', label: string): Series => ({
  ofLambda,
  metric,
  label,
  statistic: 'Sum',
});
const longest = (ofLambda: FunctionRole, label: string): Series => ({
  ofLambda,
  metric: 'Duration',
  label,
  statistic: 'Maximum',
});

const waiting: Series = {
  ofSqs: 'queue',
  metric: 'ApproximateNumberOfMessagesVisible',
  label: 'Waiting messages',
  statistic: 'Maximum',
};
const inRetry: Series = {
  ofSqs: 'queue',
  metric: 'ApproximateNumberOfMessagesNotVisible',
  label: 'Messages in work or waiting for a retry',
  statistic: 'Maximum',
};
const lying: Series = {
  ofSqs: 'deadLetters',
  metric: 'ApproximateNumberOfMessagesVisible',
  label: 'Dead-letter messages',
  statistic: 'Maximum',
};
const breaker: Series = { of: 'supervisor', metric: 'consumptionPaused', label: 'Breaker', statistic: 'Maximum' };

export const GUIDE = [
  '**Carts**: each version of a cart is queued once, as one message; a cart can become more than one order. Each run reads',
  'the overlap again, so *read again in each run* counts reads and not carts. **Messages**: as SQS counts them, about;',
  'those in work or waiting for a retry are not visible. **Breaker**: 0 carts flow, 1 consumption is paused.',
  'What to do: `infra/runbook.md`, by the name of the alarm. Queries: Logs Insights, saved queries, folder of the stack.',
].join(' ');

export const DASHBOARD_ROWS: readonly (readonly Widget[])[] = [
  [
    {
      title: 'Carts in the period shown',
      as: 'numbers of the period',
      series: [
        sum('extractor', 'cartsQueued', 'Carts queued'),
        sum('worker', 'ordersCreated', 'Orders created'),
        sum('worker', 'cartsDeadLettered', 'Carts dead-lettered'),
      ],
    },
    { title: 'Messages now', as: 'latest numbers', series: [waiting, inRetry, lying] },
    {
      title: 'Breaker and reconciliation',
      as: 'latest numbers',
      series: [
        breaker,
        sum('worker', 'cartsRequeued', 'Requeued'),
        { ...sum('worker', 'cartsRecovered', 'Recovered by the reconciliation'), periodSeconds: 86_400 },
      ],
    },
  ],
  [
    {
      title: 'Carts and orders',
      as: 'graph',
      series: [
        sum('extractor', 'cartsRead', 'Read again in each run'),
        sum('extractor', 'cartsQueued', 'Queued'),
        sum('reconciler', 'cartsQueued', 'Queued by the reconciliation'),
        sum('worker', 'ordersCreated', 'Orders created'),
        sum('worker', 'ordersRecovered', 'Orders found after an unknown outcome'),
        sum('worker', 'cartsSkipped', 'Skipped'),
        sum('worker', 'cartsDeadLettered', 'Dead-lettered'),
      ],
    },
    { title: 'Approval to order', as: 'graph', series: percentiles('worker', 'approvalToOrder') },
    {
      title: 'Queue',
      as: 'graph',
      series: [waiting, inRetry, lying],
      right: [
        {
          ofSqs: 'queue',
          metric: 'ApproximateAgeOfOldestMessage',
          label: 'Oldest message, s (right)',
          statistic: 'Maximum',
        },
        {
          of: 'worker',
          metric: 'cartWaitTime',
          label: 'Longest wait of a retried cart, s (right)',
          statistic: 'Maximum',
        },
      ],
    },
  ],
  [
    { title: 'Latency of SRM', as: 'graph', series: percentiles('extractor', 'srmCallDuration') },
    { title: 'Latency of 11VMS', as: 'graph', series: percentiles('worker', 'vmsCallDuration') },
    {
      title: 'Errors by system',
      as: 'graph',
      series: [
        sum('extractor', 'srmCallErrors', 'SRM: no answer or 5xx'),
        sum('extractor', 'sourceRefused', 'SRM refuses us'),
        sum('worker', 'vmsCallErrors', '11VMS: no answer or 5xx'),
        sum('worker', 'targetThrottled', '11VMS throttles us'),
        sum('worker', 'targetRefused', '11VMS refuses us'),
      ],
    },
  ],
  [
    {
      title: 'Deliveries in trouble',
      as: 'graph',
      series: [
        sum('worker', 'attemptsRetried', 'Attempts to be repeated'),
        sum('worker', 'outcomesUnknown', 'Outcomes unknown'),
        sum('worker', 'cartsRequeued', 'Requeued'),
        sum('redriver', 'deadLettersRedriven', 'Redriven by hand'),
        breaker,
      ],
    },
    {
      title: 'Runs',
      as: 'graph',
      series: [
        sum('extractor', 'extractionCompleted', 'Completed'),
        sum('extractor', 'extractionFailed', 'Failed'),
        sum('reconciler', 'reconciliationCompleted', 'Reconciliation'),
        sum('worker', 'unknownProperties', 'Properties unknown to the contract'),
      ],
    },
    {
      title: 'Functions',
      as: 'graph',
      series: [
        failures('extractor', 'Errors', 'Extractor: errors'),
        failures('worker', 'Errors', 'Worker: errors'),
        failures('supervisor', 'Errors', 'Supervisor: errors'),
        failures('reconciler', 'Errors', 'Reconciler: errors'),
        failures('redriver', 'Errors', 'Redriver: errors'),
        failures('extractor', 'Throttles', 'Extractor: throttles'),
        failures('worker', 'Throttles', 'Worker: throttles'),
      ],
      right: [
        longest('extractor', 'Extractor: longest, ms (right)'),
        longest('worker', 'Worker: longest, ms (right)'),
        longest('reconciler', 'Reconciler: longest, ms (right)'),
      ],
    },
  ],
];
