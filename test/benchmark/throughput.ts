/**
 * Compares the worker and the extractor with their floors, and the worker with Powertools' utilities, measured in turn, as
 * medians.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleFunctions } from '../../infra/bundle.ts';
import { loadEnvironment } from '../../infra/environments.ts';
import { type BenchmarkOptions, refusal } from './options.ts';
import {
  type ConsumerWork,
  type Measured,
  measureConsumer,
  measureExtractor,
  type Service,
  startNeighbours,
  stopNeighbours,
  variablesOf,
} from './processes.ts';
import { WARM_UP_CARTS } from './carts.ts';
import { type BenchmarkReport, inTurn, median, type OnStep, row } from './report.ts';

/** Who does the same work. */
type Side = 'ours' | 'floor' | 'powertools';

/** A measurement, and what its services have counted. */
interface Counted extends Measured {
  /** To the table, the queue and the two systems, for each cart. */
  readonly callsPerCart: number;
  readonly duplicates: number;
}

interface Figures {
  readonly cartsPerSecond: number;
  readonly cpuMsPerCart: number;
  readonly billedMsPerCart: number;
  readonly callsPerCart: number;
  /** Orders that 11VMS holds twice. */
  readonly duplicates: number;
}

interface Comparison {
  readonly name: string;
  readonly ours: Figures;
  readonly others: Partial<Readonly<Record<Side, Figures>>>;
  /** Ours to the floor's, where the floor takes part. */
  readonly ratio: number;
  readonly cpuRatio: number;
  /** The smallest and the largest ratio of a round: how much the machine's other work disturbs. */
  readonly ratioOfRounds: readonly [number, number];
}

interface Load extends ConsumerWork {
  readonly name: string;
  readonly sides: readonly Side[];
  /** 11VMS loses the answer to one of so many new orders; 0: to none. */
  readonly loseEvery: number;
}

/** The name of the one comparison that is not of the worker. */
const EXTRACTOR = 'extractor';

/** One answer of so many is lost. */
const LOSE_EVERY = 10;

/** A single cart takes as long as a batch of ten, so a tenth of the carts is enough. */
const loads = (carts: number): readonly Load[] => {
  const batches = (batchSize: number, more: Partial<Load> = {}): Load => ({
    name: `worker, batches of ${batchSize}`,
    carts,
    batchSize,
    environments: 1,
    sides: ['ours', 'floor'],
    loseEvery: 0,
    ...more,
  });
  return [
    batches(1, { carts: Math.ceil(carts / 10) }),
    batches(10, { sides: ['ours', 'floor', 'powertools'] }),
    batches(10, { name: '  in two environments', environments: 2, carts: 2 * carts }),
    batches(10, { name: '  one answer in ten lost', sides: ['ours', 'powertools'], loseEvery: LOSE_EVERY }),
    batches(20),
    batches(40),
  ];
};

export async function benchmarkThroughput(options: BenchmarkOptions, onStep: OnStep): Promise<BenchmarkReport> {
  const directory = mkdtempSync(join(tmpdir(), 'benchmark-'));
  try {
    const bundles = await bundleFunctions(loadEnvironment('local'), directory);
    const { carts, rounds, only } = options;
    const isWanted = (name: string): boolean => only === undefined || only.some((text) => name.includes(text));
    const wanted = loads(carts).filter(({ name }) => isWanted(name));
    const comparisons: Comparison[] = [];
    for (const load of wanted) {
      comparisons.push(await compareConsumers(bundles['create-purchase-orders'], load, rounds, onStep));
    }
    if (isWanted(EXTRACTOR)) {
      comparisons.push(await compareExtractors(bundles['extract-approved-carts'], options, onStep));
    }
    if (comparisons.length === 0) {
      const names = [...loads(carts).map(({ name }) => name.trim()), EXTRACTOR];
      throw refusal(`--only takes a part of one of these names, not "${only?.join('", "')}": ${names.join('; ')}.`);
    }
    return report(comparisons);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function report(comparisons: readonly Comparison[]): BenchmarkReport {
  return {
    lines: [
      row('', 'carts/s', 'CPU ms', 'billed ms', 'calls', 'duplicates', 'to floor', 'of rounds', 'CPU'),
      ...comparisons.flatMap(rows),
    ],
    json: {
      comparisons: comparisons.map(({ name, ...comparison }) => ({ name: name.trim(), ...comparison })),
    },
  };
}

function rows({ name, ours, others, ratio, cpuRatio, ratioOfRounds }: Comparison): string[] {
  const figures = (of: Figures): string[] => [
    of.cartsPerSecond.toFixed(0),
    of.cpuMsPerCart.toFixed(2),
    of.billedMsPerCart.toFixed(2),
    of.callsPerCart.toFixed(2),
    String(of.duplicates),
  ];
  const ratios =
    others.floor === undefined
      ? []
      : [ratio.toFixed(2), ratioOfRounds.map((one) => one.toFixed(2)).join('-'), cpuRatio.toFixed(2)];
  return [
    row(name, ...figures(ours), ...ratios),
    ...Object.entries(others).map(([side, other]) => row(`    ${side}`, ...figures(other))),
  ];
}

const sideFile = (side: Exclude<Side, 'ours'>, name: string): string => join(import.meta.dirname, `${side}-${name}.ts`);

/** Each measurement starts its own services, because a full table or a cached token would favour one side. */
async function compareConsumers(bundle: string, load: Load, rounds: number, onStep: OnStep): Promise<Comparison> {
  const { name, sides, loseEvery, environments } = load;
  const measure =
    (side: Side) =>
    async (round: number): Promise<Counted> => {
      onStep(`${name.trim()}, round ${round} of ${rounds}: ${side}`);
      const neighbours = await startNeighbours({ loseEvery });
      try {
        const file = side === 'ours' ? join(bundle, 'main.cjs') : sideFile(side, 'consumer');
        const variables = variablesOf(neighbours, bundle, new Date(0).toISOString());
        const measured = await measureConsumer(file, load, variables);
        if (loseEvery === 0 && measured.returned > 0) throw new Error(`${side}: ${measured.returned} carts failed`);
        const { create = 0, lookup = 0, duplicate = 0 } = await neighbours.vms.stats();
        const calls = create + lookup + (await callsOf(neighbours.table));
        const callsPerCart = calls / (measured.carts + environments * WARM_UP_CARTS);
        return { ...measured, callsPerCart, duplicates: duplicate };
      } finally {
        stopNeighbours(neighbours);
      }
    };
  return compare(name, await inTurn(rounds, Object.fromEntries(sides.map((side) => [side, measure(side)]))));
}

async function callsOf(service: Service): Promise<number> {
  const stats = await service.stats();
  return Object.values(stats).reduce((sum, calls) => sum + calls, 0);
}

/** The first cart of the source. Reading ends with the current second. */
const READING_SPAN_MS = 24 * 3600_000;
const EXTRACTOR_TIMEOUT_SECONDS = 300;
/** The extractor reads so many times more carts than the worker works off: it is that much faster. */
const EXTRACTED = 5;

async function compareExtractors(
  bundle: string,
  options: Pick<BenchmarkOptions, 'carts' | 'rounds'>,
  onStep: OnStep,
): Promise<Comparison> {
  const carts = options.carts * EXTRACTED;
  const measure =
    (side: Exclude<Side, 'powertools'>) =>
    async (round: number): Promise<Counted> => {
      onStep(`${EXTRACTOR}, round ${round} of ${options.rounds}: ${side}`);
      const startMs = Math.floor((Date.now() - READING_SPAN_MS / 2) / 1000) * 1000;
      const neighbours = await startNeighbours({ source: { carts, startMs } });
      try {
        const file = side === 'ours' ? join(bundle, 'main.cjs') : sideFile(side, 'extractor');
        const variables = variablesOf(neighbours, bundle, new Date(startMs).toISOString());
        const measured = await measureExtractor(file, EXTRACTOR_TIMEOUT_SECONDS, variables);
        const { messages = 0, SendMessageBatch: batches = 0 } = await neighbours.queue.stats();
        if (messages !== carts)
          throw new Error(`${side}: ${messages} messages, one for each of ${carts} carts expected`);
        const { page = 0 } = await neighbours.srm.stats();
        const calls = page + batches + (await callsOf(neighbours.table));
        return { ...measured, callsPerCart: calls / carts, duplicates: 0 };
      } finally {
        stopNeighbours(neighbours);
      }
    };
  return compare(EXTRACTOR, await inTurn(options.rounds, { ours: measure('ours'), floor: measure('floor') }));
}

function compare(name: string, { ours = [], ...others }: Partial<Record<Side, readonly Counted[]>>): Comparison {
  const our = figuresOf(ours);
  const { floor = [] } = others;
  const ofRounds = floor.map((one, round) => speed(ours[round] ?? one) / speed(one));
  const bare = figuresOf(floor);
  return {
    name,
    ours: our,
    others: Object.fromEntries(Object.entries(others).map(([side, results]) => [side, figuresOf(results)])),
    ratio: our.cartsPerSecond / bare.cartsPerSecond,
    cpuRatio: our.cpuMsPerCart / bare.cpuMsPerCart,
    ratioOfRounds: [Math.min(...ofRounds), Math.max(...ofRounds)],
  };
}

const speed = ({ carts, seconds }: Counted): number => carts / seconds;

const figuresOf = (results: readonly Counted[]): Figures => ({
  cartsPerSecond: median(results.map(speed)),
  cpuMsPerCart: median(results.map(({ carts, cpuMs }) => cpuMs / carts)),
  billedMsPerCart: median(results.map(({ carts, billedMs }) => billedMs / carts)),
  callsPerCart: median(results.map(({ callsPerCart }) => callsPerCart)),
  duplicates: median(results.map(({ duplicates }) => duplicates)),
});
