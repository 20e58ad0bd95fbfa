/** What `npm run bench` runs. */
import { UsageError } from '../../infra/command-line.ts';
import { benchColdStart } from './cold.ts';
import { benchCost } from './cost.ts';
import { benchDrain } from './drain.ts';
import { type BenchOptions, HELP, parseOptions } from './options.ts';
import { stopAll } from './processes.ts';
import { benchReading } from './reading.ts';
import type { BenchReport, OnStep } from './report.ts';
import { benchThroughput } from './throughput.ts';

const BENCHMARKS: Readonly<
  Record<BenchOptions['what'], (options: BenchOptions, onStep: OnStep) => Promise<BenchReport>>
> = {
  throughput: benchThroughput,
  extract: benchReading,
  cold: benchColdStart,
  drain: benchDrain,
  cost: benchCost,
};

async function main(args: readonly string[]): Promise<number> {
  process.once('exit', stopAll);
  process.once('SIGINT', () => process.exit(130));
  try {
    const options = parseOptions(args);
    if (options === undefined) {
      process.stdout.write(HELP);
      return 0;
    }
    const { lines, json } = await BENCHMARKS[options.what](options, (step) => process.stderr.write(`  ${step}\n`));
    process.stdout.write(options.json ? `${JSON.stringify(json)}\n` : `${lines.join('\n')}\n`);
    return 0;
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`${error instanceof UsageError ? error.message : text}\n`);
    return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
