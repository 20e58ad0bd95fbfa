/** The monthly bill at three volumes, from the counted usage of a local run and a dated price table. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { namesOf } from '../../shared/names-of.ts';
import { adviceOf, percentOf } from './advice.ts';
import {
  ASSUMPTIONS,
  type Bill,
  type CountedUsage,
  monthlyBill,
  PLATFORM_LOG_LINES,
  readsAgain,
  reconciliationSecondsPerDay,
} from './bill.ts';
import { type CostRun, countCostRun, ENVIRONMENT_NAME, FAULTY_SHARE } from './cost-run.ts';
import { QUEUE_DELAY_MS, SYSTEM_DELAY_MS, TABLE_DELAY_MS } from './delays.ts';
import type { DeployedResources } from './deployed-resources.ts';
import type { BenchmarkOptions } from './options.ts';
import { PLATFORM_ASSUMPTIONS, platformBill } from './platform-bill.ts';
import { countPlatforms } from './platform-resources.ts';
import { PRICE_DATE, PRICE_REGION, PRICE_SOURCE, PRICES } from './prices.ts';
import { type BenchmarkReport, type OnStep, row } from './report.ts';
import { sumOf, times, type Usage } from './usage.ts';

const STEPS = [1000, 100_000, 10_000_000] as const;
/** Log lines at INFO, over all readings of a cart. */
const LOG_BUDGET = { lines: 3, bytes: 2048 } as const;

interface Step {
  readonly bill: Bill;
  readonly badDay: Bill;
  readonly withoutOverlap: Bill;
  readonly advice: readonly string[];
}

export async function benchmarkCost(
  { carts, platforms: withPlatforms }: BenchmarkOptions,
  onStep: OnStep,
): Promise<BenchmarkReport> {
  const run = await countCostRun(carts, onStep);
  const steps = STEPS.map((cartsPerDay) => stepOf(run, cartsPerDay));
  if (withPlatforms) onStep('synthesizing each optional block');
  const platforms = withPlatforms ? await pricedPlatforms(steps) : undefined;
  return {
    lines: [
      ...billTable(steps),
      '',
      ...dayTable(steps),
      '',
      ...countedTable(run),
      '',
      ...logBudgetLines(run),
      '',
      ...fitTable(run.resources, steps),
      '',
      ...(platforms === undefined ? [] : [...platformTable(platforms), '']),
      ...assumptionLines(run, carts),
      ...steps.flatMap(({ bill, advice }) => ['', `At ${wholeNumber(bill.cartsPerDay)} carts a day`, ...advice]),
    ].map((line) => line.trimEnd()),
    json: {
      region: PRICE_REGION,
      priceDate: PRICE_DATE,
      environment: ENVIRONMENT_NAME,
      steps: steps.map(({ bill, badDay, withoutOverlap, advice }) => ({
        cartsPerDay: bill.cartsPerDay,
        totalUsd: cents(bill.totalUsd),
        badDayUsd: cents(badDay.totalUsd),
        withoutOverlapUsd: cents(withoutOverlap.totalUsd),
        lines: Object.fromEntries(bill.lines.map(({ name, usd }) => [name, cents(usd)])),
        eachDay: bill.usage,
        fit: bill.fit,
        advice,
      })),
      logOfCart: logOfCart(run.undisturbed, run.resources),
      logOfCartOnBadDay: logOfCart(run.disturbed, run.resources),
      platforms,
      counted: run.undisturbed,
      countedOnBadDay: run.disturbed,
      resources: run.resources,
    },
  };
}

function stepOf({ resources, undisturbed, disturbed }: CostRun, cartsPerDay: number): Step {
  const basis = { prices: PRICES, resources, counted: undisturbed, cartsPerDay };
  const bill = monthlyBill(basis);
  const withoutOverlap = monthlyBill({ ...basis, resources: { ...resources, overlapSeconds: 0 } });
  const withoutCarts = monthlyBill({ ...basis, cartsPerDay: 0 });
  return {
    bill,
    badDay: monthlyBill({ ...basis, counted: disturbed }),
    withoutOverlap,
    advice: adviceOf({ bill, withoutCarts, withoutOverlap, resources }),
  };
}

async function pricedPlatforms(steps: readonly Step[]) {
  const directory = mkdtempSync(join(tmpdir(), 'benchmark-platforms-'));
  try {
    const { base, everything, added, use } = await countPlatforms(directory);
    const blocks = namesOf(added).map((platform) => ({
      platform,
      ...added[platform],
      usdAMonth: steps.map(({ bill }) =>
        cents(platformBill(platform, added[platform], use, { prices: PRICES, bill }).usd),
      ),
    }));
    return { resourcesWithout: base, resourcesWithEverything: everything, use, blocks };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function platformTable({
  resourcesWithout,
  resourcesWithEverything,
  use,
  blocks,
}: Awaited<ReturnType<typeof pricedPlatforms>>): string[] {
  const p = PLATFORM_ASSUMPTIONS;
  return [
    `Optional blocks: what each adds to ${resourcesWithout} resources, US dollars a month at ${STEPS.map(wholeNumber).join(', ')} carts a day`,
    `(all of them: ${resourcesWithEverything} resources; the prices of the platforms themselves are not here)`,
    '',
    row('block', 'resources', 'alarms', 'secrets', ...STEPS.map(wholeNumber)),
    ...blocks.map(({ platform, resources, alarmMetrics, secrets, usdAMonth }) =>
      row(platform, String(resources), String(alarmMetrics), String(secrets), ...usdAMonth.map(money)),
    ),
    `Assumed: ${p.pagesInMonth} pages; one browser shows ${use.seriesOfBoard} series in Grafana ${p.boardHoursPerDay} hours on ${p.boardDaysInMonth} days, every 5 minutes; ${use.subscribers} subscribers;`,
    `${p.ordersPerCart} order a cart; a record of Firehose of at least ${p.bytesOfFirehoseRecord} bytes for each invocation; ${p.reportMs} ms a report to Cloud ALM, ${p.writeBackMs} ms a number.`,
  ];
}

const cents = (usd: number): number => Math.round(usd * 100) / 100;
const money = (usd: number): string => wholeCents.format(usd);
const wholeCents = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const wholeNumber = (value: number): string => value.toLocaleString('en');

function billTable(steps: readonly Step[]): string[] {
  const [first] = steps;
  const total = (name: string, of: (step: Step) => number): string =>
    row(name, ...steps.map((step) => money(of(step))));
  return [
    `US dollars a month, ${PRICE_REGION}, list prices of ${PRICE_DATE} without free tier`,
    `(${PRICE_SOURCE}: to be checked before they are quoted)`,
    '',
    row('carts a day', ...steps.map(({ bill }) => wholeNumber(bill.cartsPerDay))),
    ...(first?.bill.lines.map(({ name }, index) =>
      row(name, ...steps.map(({ bill }) => money(bill.lines[index]?.usd ?? 0))),
    ) ?? []),
    total('total', ({ bill }) => bill.totalUsd),
    total('a thousand carts', ({ bill }) => (1000 * bill.totalUsd) / (bill.cartsPerDay * ASSUMPTIONS.daysInMonth)),
    total('total, all days bad', ({ badDay }) => badDay.totalUsd),
    total('total without overlap', ({ withoutOverlap }) => withoutOverlap.totalUsd),
  ];
}

function dayTable(steps: readonly Step[]): string[] {
  const figures = (name: string, of: (usage: Usage) => number): string =>
    row(name, ...steps.map(({ bill }) => wholeNumber(Math.round(of(bill.usage)))));
  return [
    row('each day', ...steps.map(({ bill }) => wholeNumber(bill.cartsPerDay))),
    figures('messages', ({ messages }) => messages),
    figures('worker invocations', ({ workerInvocations }) => workerInvocations),
    figures('SQS requests of 64 KiB', ({ sqsRequests }) => sqsRequests),
    figures('DynamoDB write units', ({ writeUnits }) => writeUnits),
    figures('DynamoDB read units', ({ readUnits }) => readUnits),
    figures('log lines', ({ logLines }) => logLines),
  ];
}

function countedTable({ resources, undisturbed, disturbed }: CostRun): string[] {
  const figures = (name: string, of: (usage: Usage) => number): string =>
    row(
      name,
      ...[
        undisturbed.newCart,
        undisturbed.cartReadAgain,
        undisturbed.cartReconciled,
        disturbed.newCart,
        disturbed.cartReadAgain,
      ].map((usage) => of(usage).toFixed(2)),
    );
  const again = `again x ${readsAgain(resources)}`;
  const reconciliations = resources.reconciliationDays * resources.schedule.reconciliationsPerDay;
  return [
    row('counted, each cart', 'new', again, `reconciled x ${reconciliations}`, 'new, bad', 'again, bad'),
    figures('worker invocations', ({ workerInvocations }) => workerInvocations),
    figures('worker ms', ({ workerMs }) => workerMs),
    figures('extractor ms', ({ extractorMs }) => extractorMs),
    figures('reconciler ms', ({ reconcilerMs }) => reconcilerMs),
    figures('SQS requests of 64 KiB', ({ sqsRequests }) => sqsRequests),
    figures('DynamoDB write units', ({ writeUnits }) => writeUnits),
    figures('DynamoDB read units', ({ readUnits }) => readUnits),
    figures('ledger items', ({ items }) => items),
    figures('ledger bytes', ({ itemBytes }) => itemBytes),
    figures('log lines', ({ logLines }) => logLines),
    figures('log bytes', ({ logBytes }) => logBytes),
  ];
}

/** The log of a cart: of its first reading, and of each later one until the overlap has passed it. */
function logOfCart({ newCart, cartReadAgain }: CountedUsage, resources: DeployedResources) {
  const { logLines, logBytes } = sumOf(newCart, times(cartReadAgain, readsAgain(resources)));
  return { lines: logLines, bytes: logBytes };
}

function logBudgetLines({ undisturbed, disturbed, resources }: CostRun): string[] {
  const tell = (name: string, counted: CountedUsage): string => {
    const { lines, bytes } = logOfCart(counted, resources);
    const isKept = lines <= LOG_BUDGET.lines && bytes <= LOG_BUDGET.bytes;
    const figures = `${lines.toFixed(2)} of ${LOG_BUDGET.lines} lines, ${bytes.toFixed(0)} of ${LOG_BUDGET.bytes} bytes`;
    return `${name}: ${figures}${isKept ? '' : ' EXCEEDED'}`;
  };
  return [
    tell('logs of a cart at INFO, metrics included, all its readings', undisturbed),
    tell('the same on a bad day', disturbed),
  ];
}

function fitTable(resources: DeployedResources, steps: readonly Step[]): string[] {
  const { functions, maximumConcurrency } = resources;
  const { timeoutSeconds } = functions.extractor;
  const figures = (name: string, of: (bill: Bill) => string): string => row(name, ...steps.map(({ bill }) => of(bill)));
  return [
    figures(`extraction, s of ${timeoutSeconds}`, ({ fit }) => fit.extractionSeconds.toFixed(1)),
    figures(`worker at once, of ${maximumConcurrency}`, ({ fit }) => fit.workerConcurrency.toFixed(2)),
    figures(`reconciliations a day, s of ${reconciliationSecondsPerDay(resources)}`, ({ fit }) =>
      fit.reconciliationSeconds.toFixed(0),
    ),
  ];
}

function assumptionLines({ resources, undisturbed }: CostRun, carts: number): string[] {
  const { functions, schedule } = resources;
  const { pollers, longPollSeconds, daysInMonth, daysStored } = ASSUMPTIONS;
  const [batches, milliseconds] = [undisturbed.newCart.workerInvocations, undisturbed.newCart.workerMs];
  return [
    `Counted: the template of ${ENVIRONMENT_NAME} (${resources.alarmMetrics} alarm metrics, ${resources.compositeAlarms} composite alarms, ${resources.secrets} secrets, ` +
      `${resources.keys} key, ${schedule.extractionsPerDay} extractions, ${schedule.supervisionsPerDay} supervisions, ${schedule.reconciliationsPerDay} reconciliation a day, which ${schedule.reconciliationResumesPerDay} more starts may finish; ` +
      `${functions.worker.architecture}, ${Object.values(functions)
        .map(({ memoryMegabytes }) => memoryMegabytes)
        .join(', ')} MB), ` +
      `and a local run of ${wholeNumber(carts)} generated carts a phase: ${undisturbed.customMetrics} custom metrics, logs compressed to ${percentOf(undisturbed.logCompression, 1)}.`,
    `Handler time is this machine's, both systems answering after ${SYSTEM_DELAY_MS} ms, SQS after ${QUEUE_DELAY_MS} ms, the table after ${TABLE_DELAY_MS} ms: ` +
      `${(milliseconds / batches).toFixed(0)} ms a batch of ${(1 / batches).toFixed(1)} carts. Lambda's will differ, and initialization is left out.`,
    `Assumed: a month of ${daysInMonth} days, storage as after ${daysStored} days; ${pollers} pollers waiting ${longPollSeconds} s each, day and night; carts spread over ` +
      'the day, one batch of each extraction not full; every extraction finds cold environments, which read their secrets; ' +
      `KMS asked every ${ASSUMPTIONS.kmsCacheSeconds} s for the table's key by each function; ${ASSUMPTIONS.alarmNotificationsPerMonth} alarm notifications; X-Ray's default ` +
      `sampling; ${PLATFORM_LOG_LINES} lines of the runtime an invocation. A bad day: typical disturbances, ${percentOf(FAULTY_SHARE, 1)} faulty carts. Left out: NAT and data transfer, queries of logs.`,
  ];
}
