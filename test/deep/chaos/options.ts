/** The command line of the chaos runs. */
import { commandLine, type DisturbanceLevel } from '../../../infra/command-line.ts';

export interface ChaosOptions {
  readonly runs: number;
  readonly seed: number;
  readonly carts: number;
  readonly parallel: number;
  readonly disturbances: DisturbanceLevel;
  readonly scheduleFile: string | undefined;
  readonly shrink: boolean;
  readonly json: boolean;
}

export const HELP = `npm run chaos -- [options]

Runs the whole interface on this machine under random disturbances, many runs at once, and checks after each run,
at the simulators, the queues and the ledger: nothing lost, nothing doubled, every dead letter explained.

  --runs N              how many runs, each with a seed of its own (20)
  --seed S              the first seed; the others follow it (1)
  --carts N             carts in a run (50)
  --parallel N          runs at the same time (12)
  --disturbances LEVEL  none, typical or harsh (harsh)
  --schedule FILE       runs the schedule in the file, --runs times, instead of schedules drawn from seeds
  --no-shrink           does not search for the smallest schedule that fails
  --json                the result as one JSON line on stdout, all else on stderr (npm run --silent chaos -- --json)
  --help                this text

A run that fails prints its seed and the broken invariants, and writes the smallest schedule that still fails to a file
that --schedule reads.
Exits 0 when every invariant held in every run, 1 otherwise.
`;

export const { parse, wholeNumber, disturbanceLevel, refusal } = commandLine('npm run chaos');

/** Undefined for --help. @throws {UsageError} */
export function parseOptions(args: readonly string[]): ChaosOptions | undefined {
  const values = parse(args, {
    runs: { type: 'string' },
    seed: { type: 'string' },
    carts: { type: 'string' },
    parallel: { type: 'string' },
    disturbances: { type: 'string' },
    schedule: { type: 'string' },
    'no-shrink': { type: 'boolean' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help === true) return undefined;
  return {
    runs: wholeNumber('--runs', values.runs ?? '20', 1, 100_000),
    seed: wholeNumber('--seed', values.seed ?? '1', 0, 2 ** 31),
    carts: wholeNumber('--carts', values.carts ?? '50', 1, 10_000),
    parallel: wholeNumber('--parallel', values.parallel ?? '12', 1, 200),
    disturbances: disturbanceLevel(values.disturbances ?? 'harsh'),
    scheduleFile: values.schedule,
    shrink: values['no-shrink'] !== true,
    json: values.json ?? false,
  };
}
