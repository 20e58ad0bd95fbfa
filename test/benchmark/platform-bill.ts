/** Estimates what the optional blocks of an environment add to the bill of a month. Pure. */
import type { Bill } from './bill.ts';
import { ASSUMPTIONS, PLATFORM_LOG_LINES } from './bill.ts';
import type { Price, PriceTable } from './prices.ts';

/** A block of the environment entry that `npm run bench -- --cost` prices. */
export type Platform = 'pagerDuty' | 'grafana' | 'splunk' | 'elastic' | 'cloudAlm' | 'events' | 'orderNumbers';

/** What a block adds to the template. */
export interface PlatformResources {
  readonly resources: number;
  readonly alarmMetrics: number;
  /** Those of the stack, and those that must exist before it. */
  readonly secrets: number;
  readonly keys: number;
}

/** What the blocks themselves say of their use. */
export interface PlatformUse {
  /** Reports to Cloud ALM a day, and the metrics that each reads. */
  readonly reportsPerDay: number;
  readonly metricsOfReport: number;
  /** The series of the dashboard in Grafana. */
  readonly seriesOfBoard: number;
  readonly subscribers: number;
}

export interface PlatformBill {
  readonly platform: Platform;
  readonly added: PlatformResources;
  readonly usd: number;
}

/** Assumptions of the platforms alone. Each is printed with the table. */
export const PLATFORM_ASSUMPTIONS = {
  /** Firehose rounds each record up: CloudWatch Logs sends one for each invocation or for more of them. */
  bytesOfFirehoseRecord: 5 * 1024,
  /** One browser shows the board, and asks again every five minutes. */
  boardHoursPerDay: 8,
  boardDaysInMonth: 22,
  boardRefreshesPerHour: 12,
  pagesInMonth: 20,
  /** Milliseconds of a report to Cloud ALM, and of a number that is written back, at 256 MB. */
  reportMs: 1500,
  writeBackMs: 500,
  memoryGigabytes: 0.25,
  ordersPerCart: 1,
} as const;

const GIGABYTE = 1024 ** 3;
const cost = ({ usd, per }: Price, quantity: number): number => (quantity / per) * usd;

/** @param bill that of the same volume without the block */
export function platformBill(
  platform: Platform,
  added: PlatformResources,
  use: PlatformUse,
  { prices, bill }: { readonly prices: PriceTable; readonly bill: Bill },
): PlatformBill {
  const standing =
    cost(prices.secrets, added.secrets) + cost(prices.alarms, added.alarmMetrics) + cost(prices.kmsKeys, added.keys);
  return { platform, added, usd: standing + RUNNING[platform](use, prices, bill) };
}

type Running = (use: PlatformUse, prices: PriceTable, bill: Bill) => number;

const a = PLATFORM_ASSUMPTIONS;
const { daysInMonth } = ASSUMPTIONS;
const ordersInMonth = ({ cartsPerDay }: Bill): number => cartsPerDay * a.ordersPerCart * daysInMonth;
const lambda = (prices: PriceTable, invocations: number, ms: number): number =>
  cost(prices.lambdaRequests, invocations) + cost(prices.lambdaArm64, (invocations * ms * a.memoryGigabytes) / 1000);

/** Once for a stream and pipe, once for each subscriber. */
const eventsSent = (prices: PriceTable, bill: Bill): number =>
  cost(prices.pipeRequests, ordersInMonth(bill)) + cost(prices.customEvents, ordersInMonth(bill));

function firehose(prices: PriceTable, { usage }: Bill): { readonly gigabytes: number; readonly usd: number } {
  const invocations =
    usage.extractorInvocations + usage.workerInvocations + usage.supervisorInvocations + usage.reconcilerInvocations;
  const lines = usage.logLines + invocations * PLATFORM_LOG_LINES;
  const bytes = usage.logBytes + lines * ASSUMPTIONS.bytesPerLogLine;
  const gigabytes = (Math.max(bytes, invocations * a.bytesOfFirehoseRecord) * daysInMonth) / GIGABYTE;
  return { gigabytes, usd: cost(prices.firehose, gigabytes) };
}

const RUNNING: Readonly<Record<Platform, Running>> = {
  // A beginning and an end each.
  pagerDuty: (_use, prices) => cost(prices.apiDestinations, 2 * a.pagesInMonth),
  grafana: ({ seriesOfBoard }, prices) =>
    cost(prices.metricsRead, seriesOfBoard * a.boardHoursPerDay * a.boardDaysInMonth * a.boardRefreshesPerHour),
  splunk: (_use, prices, bill) => {
    const { gigabytes, usd } = firehose(prices, bill);
    return usd + cost(prices.firehoseDecompression, gigabytes);
  },
  elastic: (_use, prices, bill) => firehose(prices, bill).usd,
  cloudAlm: ({ reportsPerDay, metricsOfReport }, prices) =>
    lambda(prices, reportsPerDay * daysInMonth, a.reportMs) +
    cost(prices.schedulerInvocations, reportsPerDay * daysInMonth) +
    cost(prices.metricsRead, reportsPerDay * daysInMonth * metricsOfReport),
  events: ({ subscribers }, prices, bill) =>
    eventsSent(prices, bill) + cost(prices.apiDestinations, ordersInMonth(bill) * subscribers),
  orderNumbers: (_use, prices, bill) =>
    eventsSent(prices, bill) +
    // Sent, received, deleted.
    cost(prices.sqsRequests, 3 * ordersInMonth(bill)) +
    lambda(prices, ordersInMonth(bill), a.writeBackMs),
};
