/** How the interface is, in the values that Cloud ALM is told, and how each of them is rated. */
import type { METRICS, SERVICE_NAMES } from '../../shared/metric-names.ts';

export type Rating = 'ok' | 'warning' | 'critical';
export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';
/** The alarms of the stack, by the end of their names. */
export type AlarmStates = ReadonlyMap<string, AlarmState>;

/** A metric of CloudWatch, and how its datapoints become one value. */
export interface Measure {
  readonly metric:
    | { readonly service: keyof typeof SERVICE_NAMES; readonly metric: keyof typeof METRICS }
    | { readonly queue: 'carts' | 'dead letters'; readonly metric: string };
  readonly statistic: 'Sum' | 'Maximum' | 'p95';
  readonly take: 'sum' | 'largest' | 'latest' | 'minutes since';
  readonly periodSeconds: 60 | 300;
  readonly windowMinutes: number;
  /**
   * The value without any datapoint, only where the metric itself says so. Any other metric without data is not told:
   * Cloud ALM must not take silence for health.
   */
  readonly without?: 0;
  /** One of these many is one of `unit`. */
  readonly divisor?: number;
}

export interface HealthValue {
  /** In Cloud ALM. */
  readonly name: string;
  readonly description: string;
  /** In UCUM, as OpenTelemetry writes units. */
  readonly unit: '1' | 's' | 'min';
  readonly measure: Measure;
  /** The alarms that make it critical: those that page, or are part of one that does. */
  readonly critical: readonly string[];
  /** The alarms that make it a warning. */
  readonly warning?: readonly string[];
  /** It is a warning from this value on. */
  readonly warnFrom?: number;
}

const HOUR = 60;
/** So long a metric of each minute may be on its way. */
const QUARTER = 15;
const DAY = 24 * HOUR;

/** A count of ours in the last hour. Our functions count only what happens: without a datapoint, the count is 0. */
const countOf = (service: keyof typeof SERVICE_NAMES, metric: keyof typeof METRICS): Measure => ({
  metric: { service, metric },
  statistic: 'Sum',
  take: 'sum',
  periodSeconds: 300,
  windowMinutes: HOUR,
  without: 0,
});

export const HEALTH_VALUES: readonly HealthValue[] = [
  {
    name: 'orders.created',
    description: 'Orders created in 11VMS in the last hour',
    unit: '1',
    measure: countOf('worker', 'ordersCreated'),
    critical: ['orders-stopped'],
  },
  {
    name: 'dead_letters.waiting',
    description: 'Dead letters that wait for a person, each one version of a cart',
    unit: '1',
    measure: {
      metric: { queue: 'dead letters', metric: 'ApproximateNumberOfMessagesVisible' },
      statistic: 'Maximum',
      take: 'latest',
      periodSeconds: 300,
      windowMinutes: QUARTER,
      // SQS sends no data of a queue that was idle for six hours, and one that holds a message is never idle (SQS
      // Developer Guide, "Available CloudWatch metrics").
      without: 0,
    },
    critical: ['dead-letters-urgent'],
    warnFrom: 1,
  },
  {
    name: 'oldest_message.age',
    description: 'How long the oldest message has waited on the cart queue',
    unit: 's',
    measure: {
      metric: { queue: 'carts', metric: 'ApproximateAgeOfOldestMessage' },
      statistic: 'Maximum',
      take: 'latest',
      periodSeconds: 300,
      windowMinutes: QUARTER,
    },
    critical: ['oldest-message-too-old'],
    warning: ['backlog'],
  },
  {
    name: 'consumption.paused',
    description: '1 while the circuit breaker keeps consumption paused, 0 while carts flow',
    unit: '1',
    measure: {
      metric: { service: 'supervisor', metric: 'consumptionPaused' },
      statistic: 'Maximum',
      take: 'latest',
      periodSeconds: 60,
      windowMinutes: QUARTER,
    },
    critical: ['consumption-paused'],
    warnFrom: 1,
  },
  {
    name: 'extraction.since_completed',
    description: 'Since the last extraction from SRM that completed, where one did in the last day',
    unit: 'min',
    measure: {
      metric: { service: 'extractor', metric: 'extractionCompleted' },
      statistic: 'Sum',
      take: 'minutes since',
      periodSeconds: 60,
      windowMinutes: DAY,
    },
    critical: ['no-extraction'],
  },
  {
    name: 'srm.refusals',
    description: 'Extractions of the last hour that ended because SRM refuses us',
    unit: '1',
    measure: countOf('extractor', 'sourceRefused'),
    critical: ['source-refused'],
    warnFrom: 1,
  },
  {
    name: 'vms.refusals',
    description: 'Attempts of the last hour that 11VMS refused: our client, not the cart',
    unit: '1',
    measure: countOf('worker', 'targetRefused'),
    critical: ['target-refused'],
    warnFrom: 1,
  },
  {
    name: 'approval_to_order.p95',
    description: 'From approval to order, 95 of 100 carts, in the worst five minutes of the last hour',
    unit: 's',
    measure: {
      metric: { service: 'worker', metric: 'approvalToOrder' },
      statistic: 'p95',
      take: 'largest',
      periodSeconds: 300,
      windowMinutes: HOUR,
      divisor: 1000,
    },
    critical: ['cart-waiting-too-long'],
  },
  {
    name: 'carts.requeued',
    description: 'Carts of the last hour that went back on the queue as new messages, since something fails for all',
    unit: '1',
    measure: countOf('worker', 'cartsRequeued'),
    critical: ['cart-waiting-too-long'],
    warnFrom: 1,
  },
];

/** The alarms that page, each as a status of its own. */
export const STATUSES: readonly { readonly alarm: string; readonly name: string; readonly description: string }[] = [
  { alarm: 'orders-stopped', name: 'status.orders', description: 'Carts that were read become orders' },
  { alarm: 'extraction-stopped', name: 'status.extraction', description: 'Approved carts are read from SRM' },
  { alarm: 'dead-letters-urgent', name: 'status.dead_letters', description: 'Dead letters are few, and looked after' },
];

/** What the alarms and the value itself say. An alarm without data says nothing. */
export function ratingOf(
  {
    critical,
    warning = [],
    warnFrom = Number.POSITIVE_INFINITY,
  }: Omit<HealthValue, 'name' | 'description' | 'unit' | 'measure'>,
  value: number,
  alarms: AlarmStates,
): Rating {
  const isInAlarm = (name: string): boolean => alarms.get(name) === 'ALARM';
  if (critical.some(isInAlarm)) return 'critical';
  return value >= warnFrom || warning.some(isInAlarm) ? 'warning' : 'ok';
}
