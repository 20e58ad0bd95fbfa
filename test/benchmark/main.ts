/** What `npm run bench` runs. */
import { UsageError } from '../../infra/command-line.ts';
import { benchmarkColdStart } from './cold.ts';
import { benchmarkCost } from './cost.ts';
import { benchmarkDrain } from './drain.ts';
import { type BenchmarkOptions, HELP, parseOptions } from './options.ts';
import { stopAll } from './processes.ts';
import { benchmarkReading } from './reading.ts';
import type { BenchmarkReport, OnStep } from './report.ts';
import { benchmarkThroughput } from './throughput.ts';

const BENCHMARKS: Readonly<
  Record<BenchmarkOptions['what'], (options: BenchmarkOptions, onStep: OnStep) => Promise<BenchmarkReport>>
> = {
  throughput: benchmarkThroughput,
  extract: benchmarkReading,
  cold: benchmarkColdStart,
  drain: benchmarkDrain,
  cost: benchmarkCost,
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
