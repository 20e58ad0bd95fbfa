/** The command line of the chaos runs. */
import { parseArgs } from 'node:util';
import type { ChaosLevel } from './schedule.ts';

/** What was asked for. */
export interface ChaosOptions {
  readonly runs: number;
  readonly seed: number;
  readonly carts: number;
  readonly parallel: number;
  readonly faults: ChaosLevel;
  readonly scheduleFile: string | undefined;
  readonly shrink: boolean;
  readonly json: boolean;
}

export const HELP = `npm run chaos -- [options]

Runs the whole interface on this machine under random fault schedules, many runs at once, and checks after each run,
at the stand-ins, the queues and the ledger: nothing lost, nothing doubled, every dead letter explained.

  --runs N          how many runs, each with a seed of its own (20)
  --seed S          the first seed; the others follow it (1)
  --carts N         carts in a run (50)
  --parallel N      runs at the same time (12)
  --faults LEVEL    none, typical or harsh (harsh)
  --schedule FILE   runs under the schedule in the file, --runs times, instead of drawing schedules from seeds
  --no-shrink       does not look for the smallest schedule that fails
  --json            the result as one JSON line on stdout, all else on stderr (npm run --silent chaos -- --json)
  --help            this text

A run that fails prints its seed, what does not hold, and the smallest schedule that still fails, in a file for --schedule.
Exits 0 when every invariant held in every run, 1 otherwise.
`;

/** What the user typed cannot be used: the message says which option, and what it takes. */
export class UsageError extends Error {
  constructor(message: string) {
    super(`${message}\nSee npm run chaos -- --help.`);
    this.name = 'UsageError';
  }
}

/** Undefined when help is asked for. @throws {UsageError} */
export function parseOptions(args: readonly string[]): ChaosOptions | undefined {
  const values = parse(args);
  if (values.help === true) return undefined;
  return {
    runs: wholeNumber('--runs', values.runs ?? '20', 1, 100_000),
    seed: wholeNumber('--seed', values.seed ?? '1', 0, 2 ** 31),
    carts: wholeNumber('--carts', values.carts ?? '50', 1, 10_000),
    parallel: wholeNumber('--parallel', values.parallel ?? '12', 1, 200),
    faults: chaosLevel(values.faults ?? 'harsh'),
    scheduleFile: values.schedule,
    shrink: values['no-shrink'] !== true,
    json: values.json ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        runs: { type: 'string' },
        seed: { type: 'string' },
        carts: { type: 'string' },
        parallel: { type: 'string' },
        faults: { type: 'string' },
        schedule: { type: 'string' },
        'no-shrink': { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function wholeNumber(option: string, text: string, minimum: number, maximum: number): number {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= minimum && number <= maximum) return number;
  throw new UsageError(`${option} takes a whole number from ${minimum} to ${maximum}, not "${text}".`);
}

function chaosLevel(text: string): ChaosLevel {
  if (text === 'none' || text === 'typical' || text === 'harsh') return text;
  throw new UsageError(`--faults takes none, typical or harsh, not "${text}".`);
}
