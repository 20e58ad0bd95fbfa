/** The arithmetic of the bill, by an example that was calculated by hand, and by rules for every bill. */
import { describe, expect, test } from '@jest/globals';
import { type AdviceBasis, adviceOf } from '../benchmark/advice.ts';
import { type Bill, type BillBasis, type CountedUsage, monthlyBill, readsAgain } from '../benchmark/bill.ts';
import type { DeployedFunction, DeployedResources } from '../benchmark/deployed-resources.ts';
import { type Platform, platformBill } from '../benchmark/platform-bill.ts';
import { PRICES, type PriceTable } from '../benchmark/prices.ts';
import { NO_USAGE } from '../benchmark/usage.ts';

const arm64 = { memoryMegabytes: 1024, timeoutSeconds: 300, architecture: 'arm64' } as const;

const resources: DeployedResources = {
  functions: {
    extractor: arm64,
    worker: arm64,
    supervisor: { ...arm64, memoryMegabytes: 256 },
    reconciler: { ...arm64, memoryMegabytes: 2048 },
  },
  // One extraction an hour, whose overlap of two hours brings each cart two more times.
  schedule: {
    extractionsPerDay: 24,
    reconciliationsPerDay: 1,
    reconciliationResumesPerDay: 4,
    supervisionsPerDay: 1440,
  },
  overlapSeconds: 7200,
  reconciliationDays: 7,
  batchSize: 10,
  maximumConcurrency: 2,
  eventSourceMappings: 1,
  alarmMetrics: 30,
  compositeAlarms: 2,
  dashboards: 1,
  secrets: 2,
  keys: 1,
  tables: 1,
  tablesUnderKms: 1,
  tablesWithPointInTimeRecovery: 1,
  logRetentionDays: 30,
  masksLogs: true,
  traces: true,
  subscriptions: { https: 1, email: 2 },
};

const counted: CountedUsage = {
  emptyExtraction: { ...NO_USAGE, extractorInvocations: 1, extractorMs: 100, writeUnits: 4 },
  emptyReconciliation: { ...NO_USAGE, reconcilerInvocations: 1, reconcilerMs: 100, readUnits: 2 },
  reconciliationNotDue: { ...NO_USAGE, reconcilerInvocations: 1, reconcilerMs: 10, readUnits: 1 },
  supervision: { ...NO_USAGE, supervisorInvocations: 1, supervisorMs: 20, readUnits: 1 },
  newCart: {
    ...NO_USAGE,
    extractorMs: 1,
    workerInvocations: 0.1,
    workerMs: 5,
    sqsRequests: 0.4,
    writeUnits: 2,
    items: 1,
    itemBytes: 400,
    logLines: 2,
    logBytes: 1000,
  },
  cartReadAgain: { ...NO_USAGE, workerInvocations: 0.1, workerMs: 3, sqsRequests: 0.4, writeUnits: 1, readUnits: 1 },
  cartReconciled: { ...NO_USAGE, reconcilerMs: 0.5, readUnits: 1 },
  secretCallsWhenCold: 3,
  customMetrics: 10,
  logCompression: 0.1,
};

const basis: BillBasis = { prices: PRICES, resources, counted, cartsPerDay: 1000 };
/** Every unit costs a dollar: the bill is then the month's quantities. */
const quantities = (changes: Partial<BillBasis> = {}): Record<string, number> => {
  const prices: PriceTable = { ...PRICES };
  const dollars = Object.fromEntries(Object.keys(prices).map((name) => [name, { usd: 1, per: 1, unit: 'unit' }]));
  return linesOf(monthlyBill({ ...basis, ...changes, prices: { ...prices, ...dollars } }));
};
const linesOf = ({ lines }: Bill): Record<string, number> =>
  Object.fromEntries(lines.map(({ name, usd }) => [name, usd]));

describe('the bill of a thousand carts a day, calculated by hand,', () => {
  const GIGABYTE = 1024 ** 3;

  test('has each quantity of the month', () => {
    const month = quantities();
    // A day: 24 + 1 + 4 + 1440 starts by schedules; 1,000 x 0.1 and 2,000 x 0.1 batches; 24 batches that are not full.
    const invocations = 24 + 1 + 4 + 1440 + 100 + 200 + 24;
    expect(month['Lambda requests']).toBeCloseTo(30 * invocations);
    // Extractor: 24 x 100 + 1,000 x 1 ms. Worker: 1,000 x 5 + 2,000 x 3 + 24 x 50 ms. 1 GB each.
    // Supervisor: 1,440 x 20 ms, a quarter of a GB. Reconciler: 100 + 4 x 10 + 7,000 x 0.5 ms, 2 GB.
    expect(month['Lambda GB-seconds']).toBeCloseTo(30 * (3.4 + 12.2 + 28.8 / 4 + 2 * 3.64));
    // 3,000 x 0.4; two for each batch that is not full; five pollers, three times a minute each.
    expect(month['SQS requests']).toBeCloseTo(30 * (1200 + 48 + 21_600));
    expect(month['EventBridge Scheduler']).toBeCloseTo(30 * 1469);
    expect(month['DynamoDB writes']).toBeCloseTo(30 * (24 * 4 + 1000 * 2 + 2000));
    expect(month['DynamoDB reads']).toBeCloseTo(30 * (2 + 4 + 1440 + 2000 + 7000));
    // 365,000 items of 400 bytes and the 100 that DynamoDB adds.
    expect(month['DynamoDB storage']).toBeCloseTo(182_500_000 / GIGABYTE);
    expect(month['DynamoDB recovery (PITR)']).toBeCloseTo(182_500_000 / GIGABYTE);
    expect(month['Secrets']).toBe(2);
    expect(month['Secrets Manager calls']).toBe(30 * 24 * 3);
    expect(month['KMS keys']).toBe(1);
    // Four functions, each every five minutes; and a hundred notifications.
    expect(month['KMS requests']).toBe(30 * 288 * 4 + 100);
    expect(month['Custom metrics']).toBe(10);
    expect(month['Alarms']).toBe(30);
    expect(month['Composite alarms']).toBe(2);
    expect(month['Dashboard']).toBe(1);
    // Fewer than one invocation a second: all are traced.
    expect(month['X-Ray']).toBeCloseTo(30 * invocations);
    // A hundred publishes, each to one HTTPS and two e-mail receivers.
    expect(month['SNS']).toBe(400);
  });

  test('has each amount in dollars', () => {
    const bill = monthlyBill(basis);
    const lines = linesOf(bill);
    expect(lines['DynamoDB writes']).toBeCloseTo((122_880 / 1_000_000) * 0.705);
    expect(lines['SQS requests']).toBeCloseTo((685_440 / 1_000_000) * 0.4);
    expect(lines['Lambda GB-seconds']).toBeCloseTo(902.4 * 0.0000133334);
    expect(lines['Secrets']).toBeCloseTo(0.8);
    expect(lines['Secrets Manager calls']).toBeCloseTo((2160 / 10_000) * 0.05);
    expect(bill.totalUsd).toBeCloseTo(bill.lines.reduce((sum, { usd }) => sum + usd, 0));
  });

  test('counts of logs what the functions write, what the runtime adds, and 26 bytes a line', () => {
    const only = { ...counted, newCart: { ...NO_USAGE, logLines: 2, logBytes: 1000 } };
    const silent = { ...counted, newCart: NO_USAGE };
    const ofCarts = (name: string): number =>
      (quantities({ counted: only })[name] ?? 0) - (quantities({ counted: silent })[name] ?? 0);

    expect(ofCarts('Logs ingestion')).toBeCloseTo((30 * 1000 * 1052) / GIGABYTE, 8);
    expect(ofCarts('Logs masking')).toBeCloseTo((30 * 1000 * 1052) / GIGABYTE, 8);
    // Kept for 30 days, compressed to a tenth.
    expect(ofCarts('Logs storage')).toBeCloseTo((30 * 1000 * 1052 * 0.1) / GIGABYTE, 8);
    expect(quantities({ counted: silent })['Logs ingestion']).toBeGreaterThan(0);
  });
});

describe('the bill', () => {
  test('charges the price of each processor', () => {
    const x86 = { ...arm64, architecture: 'x86_64' } as const;
    const functions = allOf(x86);
    const ratio =
      (linesOf(monthlyBill({ ...basis, resources: { ...resources, functions } }))['Lambda GB-seconds'] ?? 0) /
      (linesOf(monthlyBill({ ...basis, resources: { ...resources, functions: allOf(arm64) } }))['Lambda GB-seconds'] ??
        1);
    expect(ratio).toBeCloseTo(0.0000166667 / 0.0000133334);
  });

  test('has no amount for a service that is not deployed', () => {
    const bare = {
      ...resources,
      masksLogs: false,
      traces: false,
      tablesWithPointInTimeRecovery: 0,
      tablesUnderKms: 0,
      keys: 0,
    };
    const month = quantities({ resources: bare });
    for (const name of ['Logs masking', 'X-Ray', 'DynamoDB recovery (PITR)', 'KMS keys', 'KMS requests']) {
      expect([name, month[name]]).toEqual([name, 0]);
    }
  });

  test('counts each cart again for every run until the overlap has passed it', () => {
    expect(readsAgain(resources)).toBe(2);
    expect(readsAgain({ ...resources, overlapSeconds: 0 })).toBe(0);
    const month = quantities({ resources: { ...resources, overlapSeconds: 0 } });
    expect(month['DynamoDB writes']).toBeCloseTo(30 * (24 * 4 + 2000));
  });

  test('counts stored logs no longer than they are kept, and a year at most', () => {
    const stored = (logRetentionDays: number): number =>
      quantities({ resources: { ...resources, logRetentionDays } })['Logs storage'] ?? 0;
    expect(stored(60) / stored(30)).toBeCloseTo(2);
    expect(stored(3653)).toBeCloseTo(stored(365));
  });

  test('counts one trace a second, and one for each further twenty invocations', () => {
    const month = quantities({ cartsPerDay: 10_000_000 });
    const perSecond = (month['Lambda requests'] ?? 0) / (30 * 86_400);
    expect(perSecond).toBeGreaterThan(30);
    expect(month['X-Ray']).toBeCloseTo(30 * 86_400 * (1 + 0.05 * (perSecond - 1)), 0);
  });

  test('counts a reconciliation no longer than its time-out', () => {
    // Five times 300 s, at half a millisecond a cart.
    expect(quantities({ cartsPerDay: 10_000_000 })['DynamoDB reads']).toBeCloseTo(
      30 * (2 + 4 + 1440 + 20_000_000 + 3_000_000),
    );
  });

  test('has an amount even without carts', () => {
    const { totalUsd, lines } = monthlyBill({ ...basis, cartsPerDay: 0 });
    expect(totalUsd).toBeGreaterThan(5);
    expect(lines.every(({ usd }) => usd >= 0)).toBe(true);
  });
});

const allOf = (one: DeployedFunction) => ({ extractor: one, worker: one, supervisor: one, reconciler: one });

describe('the advice', () => {
  const adviceAt = (cartsPerDay: number): string[] => {
    const at = (changes: Partial<BillBasis>): Bill => monthlyBill({ ...basis, cartsPerDay, ...changes });
    const advised: AdviceBasis = {
      bill: at({}),
      withoutCarts: at({ cartsPerDay: 0 }),
      withoutOverlap: at({ resources: { ...resources, overlapSeconds: 0 } }),
      resources,
    };
    return adviceOf(advised);
  };

  test('names the largest lines first, with their share', () => {
    expect(adviceAt(1000)[0]).toMatch(/^Most of it: (Alarms|Custom metrics|Dashboard) \d+ %, /);
    expect(adviceAt(10_000_000)[0]).toMatch(/^Most of it: DynamoDB writes \d+ %, /);
  });

  test('names the settings that are too small for the load, and only those', () => {
    expect(adviceAt(1000)).toHaveLength(2);
    const much = adviceAt(100_000_000).join('\n');
    // 4,166,667 carts an hour at a millisecond each; 1.1 million seconds of the worker in a day.
    expect(much).toContain('One extraction would need 4167 s, but its time-out is 300 s.');
    expect(much).toContain('The worker would need 13 parallel invocations on average, but maximumConcurrency is 2.');
    expect(much).toContain('A reconciliation would need 350000 s, and has 1500 a day');
  });

  test('differs from step to step', () => {
    const last = [1000, 100_000, 10_000_000].map((cartsPerDay) => adviceAt(cartsPerDay).at(-1));
    expect(last).toEqual([
      expect.stringMatching(/^Change: nothing/),
      expect.stringMatching(/^Change: settings/),
      expect.stringMatching(/^Change: the reading.*116 carts a second/),
    ]);
  });
});

describe('what an optional block adds', () => {
  const use = { reportsPerDay: 288, metricsOfReport: 9, seriesOfBoard: 51, subscribers: 2 };
  const none = { resources: 0, alarmMetrics: 0, secrets: 0, keys: 0 };
  const usdOf = (platform: Platform, cartsPerDay: number, added = none): number =>
    platformBill(platform, added, use, {
      prices: PRICES,
      bill: monthlyBill({ prices: PRICES, resources, counted, cartsPerDay }),
    }).usd;

  test('is what it lets stand, and what it does, as calculated by hand', () => {
    // Two secrets, three metrics of alarms, a key.
    expect(usdOf('pagerDuty', 0, { resources: 9, alarmMetrics: 3, secrets: 2, keys: 1 })).toBeCloseTo(2.1, 2);
    // 51 series, 12 times an hour, 8 hours, 22 days.
    expect(usdOf('grafana', 0)).toBeCloseTo(1.08, 2);
    // 288 reports a day of 9 metrics, of a second and a half at 256 MB.
    expect(usdOf('cloudAlm', 0)).toBeCloseTo(0.78 + 0.043 + 0.002 + 0.009, 2);
    // 3 million orders a month: a pipe, an event, and two subscribers each.
    expect(usdOf('events', 100_000)).toBeCloseTo(1.5 + 3 + 1.44, 2);
  });

  test('grows with the carts, where it depends on them', () => {
    for (const platform of ['splunk', 'elastic', 'events', 'orderNumbers'] satisfies Platform[]) {
      expect(usdOf(platform, 100_000)).toBeGreaterThan(usdOf(platform, 1000));
    }
    expect(usdOf('splunk', 1000)).toBeGreaterThan(usdOf('elastic', 1000));
  });
});
