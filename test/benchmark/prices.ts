/**
 * List prices of AWS in US dollars for eu-west-1 (Ireland), written from memory in November 2026 WITHOUT network access. Check
 * them against the AWS price list before you quote a figure. Free tier, savings plans, volume tiers and taxes are left out:
 * the price of the first tier is used for all.
 */

export const PRICE_REGION = 'eu-west-1';
export const PRICE_DATE = '2026-11';
export const PRICE_SOURCE = 'the public price pages of each service, recalled without network access';

export interface Price {
  readonly usd: number;
  /** The price is for so many units. */
  readonly per: number;
  readonly unit: string;
}

const MILLION = 1_000_000;

export const PRICES = {
  lambdaRequests: { usd: 0.2, per: MILLION, unit: 'request' },
  lambdaArm64: { usd: 0.0000133334, per: 1, unit: 'GB-second' },
  lambdaX86: { usd: 0.0000166667, per: 1, unit: 'GB-second' },
  /** Standard queue; each 64 KiB of a call is one request. */
  sqsRequests: { usd: 0.4, per: MILLION, unit: 'request' },
  /** On-demand: 1 KiB written. */
  dynamodbWrites: { usd: 0.705, per: MILLION, unit: 'write request unit' },
  /** On-demand: 4 KiB read consistently. */
  dynamodbReads: { usd: 0.141, per: MILLION, unit: 'read request unit' },
  dynamodbStorage: { usd: 0.283, per: 1, unit: 'GB-month' },
  dynamodbPointInTimeRecovery: { usd: 0.226, per: 1, unit: 'GB-month' },
  secrets: { usd: 0.4, per: 1, unit: 'secret-month' },
  secretCalls: { usd: 0.05, per: 10_000, unit: 'call' },
  logIngestion: { usd: 0.57, per: 1, unit: 'GB' },
  /** The bytes that a data protection policy scans: all that are ingested. */
  logMasking: { usd: 0.12, per: 1, unit: 'GB' },
  /** For compressed bytes. */
  logStorage: { usd: 0.03, per: 1, unit: 'GB-month' },
  customMetrics: { usd: 0.3, per: 1, unit: 'metric-month' },
  /** Standard resolution; an alarm on an expression is charged for each metric in it. */
  alarms: { usd: 0.1, per: 1, unit: 'alarm metric-month' },
  compositeAlarms: { usd: 0.5, per: 1, unit: 'alarm-month' },
  dashboards: { usd: 3, per: 1, unit: 'dashboard-month' },
  kmsKeys: { usd: 1, per: 1, unit: 'key-month' },
  kmsRequests: { usd: 0.03, per: 10_000, unit: 'request' },
  xrayTraces: { usd: 5, per: MILLION, unit: 'trace' },
  snsPublishes: { usd: 0.5, per: MILLION, unit: 'request' },
  snsHttpsDeliveries: { usd: 0.6, per: MILLION, unit: 'notification' },
  snsEmailDeliveries: { usd: 2, per: 100_000, unit: 'notification' },
  schedulerInvocations: { usd: 1, per: MILLION, unit: 'invocation' },
  /** What each refresh of a board in Grafana asks for, too. */
  metricsRead: { usd: 0.01, per: 1000, unit: 'metric' },
  firehose: { usd: 0.031, per: 1, unit: 'GB' },
  firehoseDecompression: { usd: 0.00325, per: 1, unit: 'GB' },
  /** After the filter. */
  pipeRequests: { usd: 0.5, per: MILLION, unit: 'request of 64 KiB' },
  customEvents: { usd: 1, per: MILLION, unit: 'event of 64 KiB' },
  apiDestinations: { usd: 0.24, per: MILLION, unit: 'invocation' },
} as const satisfies Record<string, Price>;

export type PriceTable = Readonly<Record<keyof typeof PRICES, Price>>;
