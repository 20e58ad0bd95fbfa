/** Compares both functions with their floors: carts a second and CPU a cart, measured in turn, as medians. */
import { rmSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleFunctions } from '../../infra/bundle.ts';
import { loadEnvironment } from '../../infra/environments.ts';
import type { BenchmarkOptions } from './options.ts';
import { type Measured, measure, startNeighbours, stopNeighbours, type TableKind, variablesOf } from './processes.ts';
import { type BenchmarkReport, inTurn, median, type OnStep, row } from './report.ts';

interface Figures {
  readonly cartsPerSecond: number;
  readonly cpuMsPerCart: number;
}

interface Comparison {
  readonly ours: Figures;
  readonly floor: Figures;
  /** The ratios of the function to its floor. */
  readonly ratio: number;
  readonly cpuRatio: number;
}

interface ConsumerComparison extends Comparison {
  readonly batchSize: number;
  /** Carts a second of one execution environment. */
  readonly tokenRequests: number;
  readonly secretReads: number;
  readonly dynamodbCallsPerOrder: number;
  readonly lookUpsPerOrder: number;
}

interface ExtractorComparison extends Comparison {
  readonly messagesPerBillingUnit: number;
}

interface ThroughputOptions {
  readonly carts: number;
  readonly rounds: number;
  readonly onStep: OnStep;
}

export async function benchmarkThroughput(
  { carts, rounds }: BenchmarkOptions,
  onStep: OnStep,
): Promise<BenchmarkReport> {
  const directory = mkdtempSync(join(tmpdir(), 'benchmark-'));
  try {
    const bundles = await bundleFunctions(loadEnvironment('local'), directory);
    const consumer = (batchSize: number, table: TableKind = 'table'): Promise<ConsumerComparison> =>
      compareConsumers(bundles['create-purchase-orders'], {
        // A single cart takes as long as a batch of ten, so a tenth of the carts is enough.
        carts: Math.ceil((carts * batchSize) / 10),
        rounds,
        onStep,
        batchSize,
        table,
      });
    const single = await consumer(1);
    const batched = await consumer(10);
    return report(
      single,
      batched,
      await consumer(10, 'bare-table'),
      await compareExtractors(bundles['extract-approved-carts'], { carts, rounds, onStep }),
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function report(
  single: ConsumerComparison,
  batched: ConsumerComparison,
  bare: ConsumerComparison,
  extractor: ExtractorComparison,
): BenchmarkReport {
  const { ratio, cpuRatio, tokenRequests, secretReads, dynamodbCallsPerOrder, lookUpsPerOrder } = batched;
  return {
    lines: [
      row('', 'carts/s', 'floor', 'ratio', 'CPU ms/cart', 'floor', 'ratio'),
      comparisonRow('consumer, batches of 1', single),
      comparisonRow('consumer, batches of 10', batched),
      comparisonRow('  and a table of 3 ms', bare),
      comparisonRow('extractor', extractor),
      '',
      `token requests and secret reads of one environment: ${tokenRequests} and ${secretReads}`,
      `DynamoDB calls per created order: ${dynamodbCallsPerOrder.toFixed(2)}; look-ups: ${lookUpsPerOrder.toFixed(2)}`,
      `messages in a billing unit of 64 KiB: ${extractor.messagesPerBillingUnit.toFixed(2)}`,
    ],
    json: {
      consumer: { ratio, cpuRatio, bareTableRatio: bare.ratio },
      extractor: { ratio: extractor.ratio },
      tokenRequests,
      secretReads,
      dynamodbCallsPerOrder,
      lookUpsPerOrder,
    },
  };
}

const comparisonRow = (name: string, { ours, floor, ratio, cpuRatio }: Comparison): string =>
  row(
    name,
    ours.cartsPerSecond.toFixed(0),
    floor.cartsPerSecond.toFixed(0),
    ratio.toFixed(2),
    ours.cpuMsPerCart.toFixed(2),
    floor.cpuMsPerCart.toFixed(2),
    cpuRatio.toFixed(2),
  );

const floorFile = (name: string): string => join(import.meta.dirname, `floor-${name}.ts`);

/** Each measurement starts its own services, because a full table or a cached token would favour one side. */
async function compareConsumers(
  bundle: string,
  { carts, rounds, onStep, batchSize, table }: ThroughputOptions & { batchSize: number; table: TableKind },
): Promise<ConsumerComparison> {
  const counts = { tokenRequests: 0, secretReads: 0, dynamodbCalls: 0, lookUps: 0, orders: 1 };
  const run = async (file: string, isOurs: boolean): Promise<Measured> => {
    const neighbours = await startNeighbours({ carts: 0, startMs: 0 }, table);
    try {
      const measured = await measure(
        file,
        ['consumer', carts, batchSize],
        variablesOf(neighbours, bundle, new Date(0).toISOString()),
      );
      if (!isOurs) return measured;
      const [vms, ledger, secrets] = await Promise.all([
        neighbours.vms.stats(),
        neighbours.table.stats(),
        neighbours.secrets.stats(),
      ]);
      counts.tokenRequests = vms['token'] ?? 0;
      counts.lookUps = vms['lookup'] ?? 0;
      counts.orders = vms['create'] ?? 0;
      counts.secretReads = secrets['GetSecretValue'] ?? 0;
      counts.dynamodbCalls = Object.entries(ledger)
        .filter(([operation]) => operation !== 'CreateTable')
        .reduce((sum, [, calls]) => sum + calls, 0);
      return measured;
    } finally {
      stopNeighbours(neighbours);
    }
  };
  const compared = await inTurn(rounds, [
    (round) => {
      onStep(`consumer, batches of ${batchSize}, ${table}, round ${round} of ${rounds}: ours`);
      return run(join(bundle, 'main.cjs'), true);
    },
    (round) => {
      onStep(`consumer, batches of ${batchSize}, ${table}, round ${round} of ${rounds}: floor`);
      return run(floorFile('consumer'), false);
    },
  ]);
  return {
    ...compare(compared),
    batchSize,
    tokenRequests: counts.tokenRequests,
    secretReads: counts.secretReads,
    dynamodbCallsPerOrder: counts.dynamodbCalls / counts.orders,
    lookUpsPerOrder: counts.lookUps / counts.orders,
  };
}

/** The first cart of the source. Reading ends with the current second. */
const READING_SPAN_MS = 24 * 3600_000;
const EXTRACTOR_TIMEOUT_SECONDS = 300;

async function compareExtractors(
  bundle: string,
  { carts, rounds, onStep }: ThroughputOptions,
): Promise<ExtractorComparison> {
  let messagesPerBillingUnit = 0;
  const run = async (file: string, isOurs: boolean): Promise<Measured> => {
    const startMs = Math.floor((Date.now() - READING_SPAN_MS / 2) / 1000) * 1000;
    const neighbours = await startNeighbours({ carts: carts * 5, startMs });
    try {
      const variables = variablesOf(neighbours, bundle, new Date(startMs).toISOString());
      const measured = await measure(file, ['extractor', EXTRACTOR_TIMEOUT_SECONDS], variables);
      const { messages = 0, billingUnits = 1 } = await neighbours.queue.stats();
      if (messages !== carts * 5)
        throw new Error(`expected ${carts * 5} messages, one for each cart, but found ${messages}`);
      if (isOurs) messagesPerBillingUnit = messages / billingUnits;
      return measured;
    } finally {
      stopNeighbours(neighbours);
    }
  };
  const compared = await inTurn(rounds, [
    (round) => {
      onStep(`extractor, round ${round} of ${rounds}: ours`);
      return run(join(bundle, 'main.cjs'), true);
    },
    (round) => {
      onStep(`extractor, round ${round} of ${rounds}: floor`);
      return run(floorFile('extractor'), false);
    },
  ]);
  return { ...compare(compared), messagesPerBillingUnit };
}

function compare([ours, floor]: readonly [readonly Measured[], readonly Measured[]]): Comparison {
  const [our, floors] = [figuresOf(ours), figuresOf(floor)];
  return {
    ours: our,
    floor: floors,
    ratio: our.cartsPerSecond / floors.cartsPerSecond,
    cpuRatio: our.cpuMsPerCart / floors.cpuMsPerCart,
  };
}

const figuresOf = (results: readonly Measured[]): Figures => ({
  cartsPerSecond: median(results.map(({ carts, seconds }) => carts / seconds)),
  cpuMsPerCart: median(results.map(({ carts, cpuMs }) => cpuMs / carts)),
});
