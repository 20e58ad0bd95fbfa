/**
 * Compares cold starts of the functions, bundled as deployed, with the same code bundled by NodejsFunction's defaults: size,
 * import and first answer. Each start has a fresh process. The two take turns, and the figures are medians.
 */
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { bundleFunctions, type FunctionFolder } from '../../infra/bundle.ts';
import { loadEnvironment } from '../../infra/environments.ts';
import { sqsRecords } from './carts.ts';
import type { BenchmarkOptions } from './options.ts';
import { bytesByPackage } from './packages.ts';
import { type ColdStart, measureStart, startNeighbours, stopNeighbours, variablesOf } from './processes.ts';
import { type BenchmarkReport, inTurn, median, type OnStep, row } from './report.ts';

const root = join(import.meta.dirname, '../..');
/** Inside the project, so that the defaults, which leave the SDK out, find it in node_modules as in Lambda's runtime. */
const directory = join(root, '.build/benchmark-cold');

const LARGEST_PACKAGES = 15;
const CARTS_A_PAGE = 10;

/** The event of a first invocation, and a check of its answer: a fast failure must not count. */
interface FirstEvent {
  readonly event: unknown;
  readonly variables?: Readonly<Record<string, string>>;
  readonly isAnswered: (answer: object) => boolean;
}

/** Those whose start delays a cart. */
type TimedFolder = Exclude<FunctionFolder, 'redrive-dead-letters' | 'report-to-cloud-alm' | 'write-order-numbers'>;

const FIRST_EVENTS: Readonly<Record<TimedFolder, (index: number) => FirstEvent>> = {
  'create-purchase-orders': (index) => ({
    event: { Records: sqsRecords(index, 1) },
    isAnswered: (answer) => JSON.stringify(answer) === '{"batchItemFailures":[]}',
  }),
  'extract-approved-carts': (index) => ({
    event: {},
    // A watermark belongs to a client: in the same second, a second run of one client would have nothing to read. With a new
    // client each run reads the same page, from the first watermark.
    variables: { SRM_CLIENT: String(100 + (index % 900)), OVERLAP_SECONDS: '86400' },
    isAnswered: (answer) =>
      Reflect.get(answer, 'status') === 'complete' && Reflect.get(answer, 'cartsQueued') === CARTS_A_PAGE,
  }),
  'supervise-consumption': () => ({ event: {}, isAnswered: (answer) => Reflect.get(answer, 'state') === 'CLOSED' }),
  'reconcile-carts': () => ({
    event: { days: 1, by: 'a benchmark', reason: 'a cold start' },
    isAnswered: (answer) => Reflect.get(answer, 'status') === 'complete',
  }),
};
const FOLDERS = [
  'extract-approved-carts',
  'create-purchase-orders',
  'supervise-consumption',
  'reconcile-carts',
] as const;

interface Figures {
  readonly kilobytes: number;
  readonly importMs: number;
  readonly answerMs: number;
}

interface Comparison {
  readonly folder: TimedFolder;
  readonly ours: Figures;
  readonly theirs: Figures;
  readonly packages: ReturnType<typeof bytesByPackage>;
}

export async function benchmarkColdStart({ rounds }: BenchmarkOptions, onStep: OnStep): Promise<BenchmarkReport> {
  const startMs = Math.floor(Date.now() / 1000) * 1000 - 60_000;
  const neighbours = await startNeighbours({ source: { carts: CARTS_A_PAGE, startMs } });
  try {
    const contents = new Map<FunctionFolder, Metafile>();
    const bundles = await bundleFunctions(loadEnvironment('local'), directory, (folder, metafile) => {
      contents.set(folder, metafile);
    });
    const subject = await bundleSubject();
    const comparisons: Comparison[] = [];
    for (const folder of FOLDERS) {
      const ours = join(bundles[folder], 'main.cjs');
      const theirs = await bundleByDefaults(folder);
      const run = startOf(subject, folder, variablesOf(neighbours, bundles[folder], new Date(startMs).toISOString()));
      // The first start reads its files from the disk, so it is not counted.
      await run(ours);
      await run(theirs);
      const started = await inTurn(rounds, {
        ours(round) {
          onStep(`${folder}, round ${round} of ${rounds}`);
          return run(ours);
        },
        theirs: () => run(theirs),
      });
      const metafile = contents.get(folder);
      comparisons.push({
        folder,
        ours: figuresOf(ours, started.ours),
        theirs: figuresOf(theirs, started.theirs),
        packages: metafile === undefined ? [] : bytesByPackage(metafile),
      });
    }
    return report(comparisons);
  } finally {
    stopNeighbours(neighbours);
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Bundled to JavaScript, because node would strip types while the start is measured. */
async function bundleSubject(): Promise<string> {
  const outfile = join(directory, 'subject.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'cold-subject.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
  return outfile;
}

/**
 * NodejsFunction's defaults (aws-lambda-nodejs, BundlingOptions) for a runtime with SDK v3: not minified, no source map,
 * CommonJS, esbuild's main fields for node, and the SDK of the runtime.
 */
async function bundleByDefaults(folder: TimedFolder): Promise<string> {
  const outfile = join(directory, 'defaults', folder, 'index.cjs');
  await build({
    entryPoints: [join(root, 'functions', folder, 'main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    external: ['@aws-sdk/*', '@smithy/*'],
    logLevel: 'error',
  });
  return outfile;
}

let starts = 0;

function startOf(subject: string, folder: TimedFolder, variables: Readonly<Record<string, string>>) {
  return async (file: string): Promise<ColdStart> => {
    const index = starts++;
    const { event, variables: own, isAnswered } = FIRST_EVENTS[folder](index);
    const started = await measureStart(subject, file, event, { ...variables, ...own });
    if (!isAnswered(Object(started.answer)))
      throw new Error(`the first invocation failed: ${JSON.stringify(started.answer)}`);
    return started;
  };
}

const figuresOf = (file: string, starts: readonly ColdStart[]): Figures => ({
  kilobytes: statSync(file).size / 1000,
  importMs: median(starts.map(({ importMs }) => importMs)),
  answerMs: median(starts.map(({ answerMs }) => answerMs)),
});

function report(comparisons: readonly Comparison[]): BenchmarkReport {
  return {
    lines: [
      row('', 'KB', 'defaults', 'import ms', 'defaults', 'ratio', 'answer ms', 'defaults', 'ratio'),
      ...comparisons.map(comparisonRow),
      '',
      'Both times from the moment the bundle is loaded. The defaults leave the SDK out of the bundle.',
      ...comparisons.flatMap(packageLines),
    ],
    json: Object.fromEntries(comparisons.map((one) => [one.folder, asJson(one)])),
  };
}

function comparisonRow({ folder, ours, theirs }: Comparison): string {
  return row(
    folder,
    ours.kilobytes.toFixed(0),
    theirs.kilobytes.toFixed(0),
    ours.importMs.toFixed(1),
    theirs.importMs.toFixed(1),
    (ours.importMs / theirs.importMs).toFixed(2),
    ours.answerMs.toFixed(1),
    theirs.answerMs.toFixed(1),
    (ours.answerMs / theirs.answerMs).toFixed(2),
  );
}

function packageLines({ folder, packages }: Comparison): string[] {
  const rest = packages.slice(LARGEST_PACKAGES).reduce((sum, [, bytes]) => sum + bytes, 0);
  const shown = [...packages.slice(0, LARGEST_PACKAGES), ['all others', rest] as const];
  const cells = (name: string, cell: string): string => name.padEnd(34) + cell.padStart(8);
  return ['', cells(folder, 'KB'), ...shown.map(([name, bytes]) => cells(`  ${name}`, (bytes / 1000).toFixed(1)))];
}

const asJson = ({ ours, theirs }: Comparison): object => ({
  kilobytes: ours.kilobytes,
  importRatio: ours.importMs / theirs.importMs,
  answerRatio: ours.answerMs / theirs.answerMs,
});
