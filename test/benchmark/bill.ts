/** Estimates the bill of a month from counted usage and deployed resources. Pure. */
import type { DeployedResources, FunctionRole } from './deployed-resources.ts';
import type { Price, PriceTable } from './prices.ts';
import { NO_USAGE, sumOf, times, type Usage } from './usage.ts';

/** The counted usage of a local run, by phase. */
export interface CountedUsage {
  /** A scheduled extraction that finds nothing new. */
  readonly emptyExtraction: Usage;
  readonly emptyReconciliation: Usage;
  /** A start without a reconciliation that is due or unfinished. */
  readonly reconciliationNotDue: Usage;
  readonly supervision: Usage;
  /** One new cart, from SRM to its order. */
  readonly newCart: Usage;
  /** The same cart, read again within the overlap. */
  readonly cartReadAgain: Usage;
  /** One cart that the reconciliation compares with the ledger. */
  readonly cartReconciled: Usage;
  /** Calls of Secrets Manager until all execution environments are warm. */
  readonly secretCallsWhenCold: number;
  /** Distinct by function, name and dimensions. */
  readonly customMetrics: number;
  /** The ratio of compressed to uncompressed bytes. */
  readonly logCompression: number;
}

export interface BillLine {
  readonly name: string;
  readonly usd: number;
}

export interface Bill {
  readonly cartsPerDay: number;
  readonly lines: readonly BillLine[];
  readonly totalUsd: number;
  /** Of one day. */
  readonly usage: Usage;
  readonly fit: Fit;
}

/** What this volume needs. The deployed settings may allow less; the bill assumes that they are raised. */
export interface Fit {
  /** The seconds of one extraction. */
  readonly extractionSeconds: number;
  /** The average number of parallel invocations of the worker. */
  readonly workerConcurrency: number;
  /** The seconds of all reconciliations of a day, if they read all their days. */
  readonly reconciliationSeconds: number;
}

export interface BillBasis {
  readonly prices: PriceTable;
  readonly resources: DeployedResources;
  readonly counted: CountedUsage;
  readonly cartsPerDay: number;
}

/** Assumptions that are neither counted nor in the template. Each is printed with the bill. */
export const ASSUMPTIONS = {
  daysInMonth: 30,
  /** Storage is that of the end of the first year. Orders stay in the ledger; logs have a retention time. */
  daysStored: 365,
  /** The least number of pollers of Lambda, and the length of their long poll. */
  pollers: 5,
  longPollSeconds: 20,
  /** One batch of each extraction is not full. */
  partialBatchesPerExtraction: 1,
  /** DynamoDB calls KMS for the key of a caller at most so often. */
  kmsCacheSeconds: 300,
  alarmNotificationsPerMonth: 100,
  /** The default rule of X-Ray: one trace a second, and this share of the rest. */
  tracesPerSecond: 1,
  sampledShare: 0.05,
  /** Bytes that CloudWatch adds to each line, and DynamoDB to each item. */
  bytesPerLogLine: 26,
  bytesPerItem: 100,
} as const;

/** START, END and REPORT. Lambda's runtime writes them for each invocation; the local run does not. */
const PLATFORM_LOG = [
  'START RequestId: 8f5f5a37-3f0e-4f0e-9f37-0d6f7a1f7a3e Version: $LATEST',
  'END RequestId: 8f5f5a37-3f0e-4f0e-9f37-0d6f7a1f7a3e',
  'REPORT RequestId: 8f5f5a37-3f0e-4f0e-9f37-0d6f7a1f7a3e\tDuration: 123.45 ms\tBilled Duration: 124 ms\tMemory Size: 1024 MB\tMax Memory Used: 123 MB\t',
  'XRAY TraceId: 1-6745d2a0-0123456789abcdef01234567\tSegmentId: 0123456789abcdef\tSampled: true\t',
];
export const PLATFORM_LOG_LINES = PLATFORM_LOG.length;
const PLATFORM_LOG_BYTES = PLATFORM_LOG.join('').length;

const GIGABYTE = 1024 ** 3;
const MEGABYTES = 1024;
const SECONDS_A_DAY = 24 * 3600;

/** How often a cart is read again: each run reads it until the overlap has passed it. */
export function readsAgain({ overlapSeconds, schedule }: DeployedResources): number {
  return schedule.extractionsPerDay === 0 ? 0 : (overlapSeconds * schedule.extractionsPerDay) / SECONDS_A_DAY;
}

/** The bill for so many carts on each day of the month. */
export function monthlyBill(basis: BillBasis): Bill {
  const usage = dailyUsage(basis);
  const lines = [
    ...computeLines(basis, usage),
    ...ledgerLines(basis, usage),
    ...secretLines(basis),
    ...watchingLines(basis, usage),
  ];
  return {
    cartsPerDay: basis.cartsPerDay,
    lines,
    totalUsd: lines.reduce((sum, { usd }) => sum + usd, 0),
    usage,
    fit: fitOf(basis),
  };
}

function dailyUsage({ resources, counted, cartsPerDay }: BillBasis): Usage {
  const { extractionsPerDay, reconciliationsPerDay, reconciliationResumesPerDay, supervisionsPerDay } =
    resources.schedule;
  const partialBatches = extractionsPerDay * ASSUMPTIONS.partialBatchesPerExtraction;
  return sumOf(
    times(counted.emptyExtraction, extractionsPerDay),
    times(counted.emptyReconciliation, reconciliationsPerDay),
    times(counted.reconciliationNotDue, reconciliationResumesPerDay),
    times(counted.supervision, supervisionsPerDay),
    times(counted.newCart, cartsPerDay),
    times(counted.cartReadAgain, cartsPerDay * readsAgain(resources)),
    times(counted.cartReconciled, cartsReconciled(resources, counted, cartsPerDay)),
    // One receive and one delete, which could carry ten messages.
    {
      ...NO_USAGE,
      workerInvocations: partialBatches,
      workerMs: partialBatches * batchMs(counted),
      sqsRequests: 2 * partialBatches,
    },
    {
      ...NO_USAGE,
      sqsRequests: (resources.eventSourceMappings * ASSUMPTIONS.pollers * SECONDS_A_DAY) / ASSUMPTIONS.longPollSeconds,
    },
  );
}

const batchMs = ({ newCart }: CountedUsage): number =>
  newCart.workerInvocations === 0 ? 0 : newCart.workerMs / newCart.workerInvocations;

/** At most as many as the reconciliations can read in their time. */
function cartsReconciled(resources: DeployedResources, counted: CountedUsage, cartsPerDay: number): number {
  const wanted = resources.schedule.reconciliationsPerDay * resources.reconciliationDays * cartsPerDay;
  const msEach = counted.cartReconciled.reconcilerMs;
  return msEach === 0 ? wanted : Math.min(wanted, (reconciliationSecondsPerDay(resources) * 1000) / msEach);
}

/** The seconds a day that the schedules give to reconciliations. */
export const reconciliationSecondsPerDay = ({ functions, schedule }: DeployedResources): number =>
  (schedule.reconciliationsPerDay + schedule.reconciliationResumesPerDay) * functions.reconciler.timeoutSeconds;

function fitOf({ resources, counted, cartsPerDay }: BillBasis): Fit {
  const { emptyExtraction, emptyReconciliation, newCart, cartReadAgain, cartReconciled } = counted;
  const again = readsAgain(resources);
  const cartsPerRun = cartsPerDay / Math.max(1, resources.schedule.extractionsPerDay);
  const perCart = sumOf(newCart, times(cartReadAgain, again));
  return {
    extractionSeconds: (emptyExtraction.extractorMs + cartsPerRun * perCart.extractorMs) / 1000,
    workerConcurrency: (cartsPerDay * perCart.workerMs) / (SECONDS_A_DAY * 1000),
    reconciliationSeconds:
      (resources.schedule.reconciliationsPerDay *
        (emptyReconciliation.reconcilerMs + resources.reconciliationDays * cartsPerDay * cartReconciled.reconcilerMs)) /
      1000,
  };
}

const cost = ({ usd, per }: Price, quantity: number): number => (quantity / per) * usd;

function computeLines({ prices, resources }: BillBasis, usage: Usage): BillLine[] {
  const { functions, schedule } = resources;
  const { daysInMonth } = ASSUMPTIONS;
  const perMonth = (price: Price, aDay: number): number => cost(price, aDay * daysInMonth);
  const milliseconds: Readonly<Record<FunctionRole, number>> = {
    extractor: usage.extractorMs,
    worker: usage.workerMs,
    supervisor: usage.supervisorMs,
    reconciler: usage.reconcilerMs,
  };
  const gigabyteSeconds = (role: FunctionRole): number =>
    perMonth(
      functions[role].architecture === 'arm64' ? prices.lambdaArm64 : prices.lambdaX86,
      (milliseconds[role] / 1000) * (functions[role].memoryMegabytes / MEGABYTES),
    );
  const starts = Object.values(schedule).reduce((sum, perDay) => sum + perDay, 0);
  return [
    { name: 'Lambda requests', usd: perMonth(prices.lambdaRequests, invocations(usage)) },
    {
      name: 'Lambda GB-seconds',
      usd:
        gigabyteSeconds('extractor') +
        gigabyteSeconds('worker') +
        gigabyteSeconds('supervisor') +
        gigabyteSeconds('reconciler'),
    },
    { name: 'SQS requests', usd: perMonth(prices.sqsRequests, usage.sqsRequests) },
    { name: 'EventBridge Scheduler', usd: perMonth(prices.schedulerInvocations, starts) },
  ];
}

const invocations = (usage: Usage): number =>
  usage.extractorInvocations + usage.workerInvocations + usage.supervisorInvocations + usage.reconcilerInvocations;

function ledgerLines({ prices, resources }: BillBasis, usage: Usage): BillLine[] {
  const { daysInMonth, daysStored, bytesPerItem } = ASSUMPTIONS;
  const storedGigabytes = ((usage.itemBytes + usage.items * bytesPerItem) * daysStored) / GIGABYTE;
  const recoverable = resources.tablesWithPointInTimeRecovery / Math.max(1, resources.tables);
  return [
    { name: 'DynamoDB writes', usd: cost(prices.dynamodbWrites, usage.writeUnits * daysInMonth) },
    { name: 'DynamoDB reads', usd: cost(prices.dynamodbReads, usage.readUnits * daysInMonth) },
    { name: 'DynamoDB storage', usd: cost(prices.dynamodbStorage, storedGigabytes) },
    {
      name: 'DynamoDB recovery (PITR)',
      usd: cost(prices.dynamodbPointInTimeRecovery, storedGigabytes * recoverable),
    },
  ];
}

function secretLines({ prices, resources, counted }: BillBasis): BillLine[] {
  const { daysInMonth, kmsCacheSeconds, alarmNotificationsPerMonth } = ASSUMPTIONS;
  // As if each extraction met only cold execution environments.
  const secretCalls = resources.schedule.extractionsPerDay * daysInMonth * counted.secretCallsWhenCold;
  const callers = Object.keys(resources.functions).length;
  const tableKeyUses = (resources.tablesUnderKms * callers * daysInMonth * SECONDS_A_DAY) / kmsCacheSeconds;
  const topicKeyUses = resources.keys === 0 ? 0 : alarmNotificationsPerMonth;
  return [
    { name: 'Secrets', usd: cost(prices.secrets, resources.secrets) },
    { name: 'Secrets Manager calls', usd: cost(prices.secretCalls, secretCalls) },
    { name: 'KMS keys', usd: cost(prices.kmsKeys, resources.keys) },
    { name: 'KMS requests', usd: cost(prices.kmsRequests, tableKeyUses + topicKeyUses) },
  ];
}

function watchingLines({ prices, resources, counted }: BillBasis, usage: Usage): BillLine[] {
  const { daysInMonth, alarmNotificationsPerMonth } = ASSUMPTIONS;
  const bytesPerDay = logBytes(usage);
  const writtenGigabytes = (bytesPerDay * daysInMonth) / GIGABYTE;
  const daysKept = Math.min(resources.logRetentionDays, ASSUMPTIONS.daysStored);
  const keptGigabytes = (bytesPerDay * daysKept * counted.logCompression) / GIGABYTE;
  const { https = 0, email = 0 } = resources.subscriptions;
  return [
    { name: 'Logs ingestion', usd: cost(prices.logIngestion, writtenGigabytes) },
    { name: 'Logs masking', usd: resources.masksLogs ? cost(prices.logMasking, writtenGigabytes) : 0 },
    { name: 'Logs storage', usd: cost(prices.logStorage, keptGigabytes) },
    { name: 'Custom metrics', usd: cost(prices.customMetrics, counted.customMetrics) },
    { name: 'Alarms', usd: cost(prices.alarms, resources.alarmMetrics) },
    { name: 'Composite alarms', usd: cost(prices.compositeAlarms, resources.compositeAlarms) },
    { name: 'Dashboard', usd: cost(prices.dashboards, resources.dashboards) },
    { name: 'X-Ray', usd: resources.traces ? cost(prices.xrayTraces, sampledPerDay(usage) * daysInMonth) : 0 },
    {
      name: 'SNS',
      usd:
        cost(prices.snsPublishes, alarmNotificationsPerMonth) +
        cost(prices.snsHttpsDeliveries, alarmNotificationsPerMonth * https) +
        cost(prices.snsEmailDeliveries, alarmNotificationsPerMonth * email),
    },
  ];
}

/** The bytes that CloudWatch ingests: lines of the functions and of the runtime, and what it adds to each. */
function logBytes(usage: Usage): number {
  const runs = invocations(usage);
  const lines = usage.logLines + runs * PLATFORM_LOG_LINES;
  return usage.logBytes + runs * PLATFORM_LOG_BYTES + lines * ASSUMPTIONS.bytesPerLogLine;
}

/** For traffic that is even over the day, because then most traces are sampled. */
function sampledPerDay(usage: Usage): number {
  const perSecond = invocations(usage) / SECONDS_A_DAY;
  const { tracesPerSecond, sampledShare } = ASSUMPTIONS;
  const reserved = Math.min(perSecond, tracesPerSecond);
  return (reserved + sampledShare * (perSecond - reserved)) * SECONDS_A_DAY;
}
