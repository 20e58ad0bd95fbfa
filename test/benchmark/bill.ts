/** From counted usage and deployed resources to a month's bill. Pure: an estimate in plain numbers, no ledger of money. */
import type { DeployedResources, FunctionRole } from './deployed-resources.ts';
import type { Price, PriceTable } from './prices.ts';
import { NO_USAGE, sumOf, times, type Usage } from './usage.ts';

/** What a run of the functions cost, by what happened in it. */
export interface CountedUsage {
  /** A scheduled extraction that finds nothing new. */
  readonly emptyExtraction: Usage;
  readonly emptyReconciliation: Usage;
  /** A start that finds no reconciliation due, and none to finish. */
  readonly reconciliationNotDue: Usage;
  readonly supervision: Usage;
  /** One cart, from SRM to its order. */
  readonly newCart: Usage;
  /** The same cart read again within the overlap. */
  readonly cartReadAgain: Usage;
  /** One cart held against the ledger by the reconciliation. */
  readonly cartReconciled: Usage;
  /** Calls of Secrets Manager until every execution environment is warm. */
  readonly secretCallsWhenCold: number;
  /** Distinct by function, name and dimensions. */
  readonly customMetrics: number;
  /** Compressed to uncompressed. */
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
  readonly fit: Fit;
}

/** Whether the deployed settings carry so many carts at all; the bill is reckoned as if they were raised. */
export interface Fit {
  /** One extraction, of the function's time-out. */
  readonly extractionSeconds: number;
  /** Invocations of the worker at once, on average over the day. */
  readonly workerConcurrency: number;
  /** All reconciliations of a day, at all the days that they should see. */
  readonly reconciliationSeconds: number;
}

export interface BillBasis {
  readonly prices: PriceTable;
  readonly resources: DeployedResources;
  readonly counted: CountedUsage;
  readonly cartsPerDay: number;
}

/** What is neither counted nor in the template. Each is printed with the bill. */
export const ASSUMPTIONS = {
  daysInMonth: 30,
  /** Storage is that of the end of the first year: orders stay in the ledger, logs as long as they are kept. */
  daysStored: 365,
  /** Lambda polls a queue with at least so many pollers, each waiting so long for a message. */
  pollers: 5,
  longPollSeconds: 20,
  /** Of each extraction one batch is not full. */
  partialBatchesPerExtraction: 1,
  /** DynamoDB asks KMS for a caller's key no more often. */
  kmsCacheSeconds: 300,
  alarmNotificationsPerMonth: 100,
  /** X-Ray's default rule: one trace a second, and this share of the others. */
  tracesPerSecond: 1,
  sampledShare: 0.05,
  /** What CloudWatch adds to each line, and DynamoDB to each item. */
  bytesPerLogLine: 26,
  bytesPerItem: 100,
} as const;

/** START, END and REPORT, which Lambda's runtime writes around each invocation; a local process does not. */
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

/** How often a cart is read again after the first time: by each run until the overlap has passed it. */
export function readsAgain({ overlapSeconds, schedule }: DeployedResources): number {
  return schedule.extractionsPerDay === 0 ? 0 : (overlapSeconds * schedule.extractionsPerDay) / SECONDS_A_DAY;
}

/** A bill for so many carts on every day of the month. */
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
    // A receive and a delete that might have carried ten.
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

/** No more than there is time for. */
function cartsReconciled(resources: DeployedResources, counted: CountedUsage, cartsPerDay: number): number {
  const wanted = resources.schedule.reconciliationsPerDay * resources.reconciliationDays * cartsPerDay;
  const msEach = counted.cartReconciled.reconcilerMs;
  return msEach === 0 ? wanted : Math.min(wanted, (reconciliationSecondsPerDay(resources) * 1000) / msEach);
}

/** The time that the schedules give to reconciliations. */
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
  // As if every extraction found nothing but cold execution environments.
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

/** All that CloudWatch takes in: the functions' own lines, the runtime's, and what is added to each. */
function logBytes(usage: Usage): number {
  const runs = invocations(usage);
  const lines = usage.logLines + runs * PLATFORM_LOG_LINES;
  return usage.logBytes + runs * PLATFORM_LOG_BYTES + lines * ASSUMPTIONS.bytesPerLogLine;
}

/** Spread evenly over the day, which is when most are sampled. */
function sampledPerDay(usage: Usage): number {
  const perSecond = invocations(usage) / SECONDS_A_DAY;
  const { tracesPerSecond, sampledShare } = ASSUMPTIONS;
  const reserved = Math.min(perSecond, tracesPerSecond);
  return (reserved + sampledShare * (perSecond - reserved)) * SECONDS_A_DAY;
}
