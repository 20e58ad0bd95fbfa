/** The command line of the benchmarks. */
import { commandLine } from '../../infra/command-line.ts';

export interface BenchmarkOptions {
  readonly what: 'throughput' | 'cold' | 'extract' | 'drain' | 'cost';
  /** The carts of a throughput round, of --extract, of --drain or of a --cost phase. */
  readonly carts: number;
  /** How often each side is measured. The sides take turns, and the figures are medians. */
  readonly rounds: number;
  /** Of the comparisons with the floor: those that have one of these texts in their name; undefined for all. */
  readonly only: readonly string[] | undefined;
  /** With --cost: what each optional block of an environment adds. */
  readonly platforms: boolean;
  readonly json: boolean;
}

export const HELP = `npm run bench -- [options]

Compares the worker and the extractor, bundled as deployed, with a floor in the same run: a bare handler that makes the
same calls, and the worker with Powertools' batch and idempotency utilities, also where 11VMS loses one answer in ten after it
has created the order. Both systems answer after 20 ms, the table after 3 ms, SQS after 10 ms. Compare ratios and counts:
the other figures depend on this machine and this minute. The ratios of single rounds say how much.

  --carts N      carts in a round (700; a tenth of it in batches of one, twice as many for two environments, five times as
                 many for the extractor)
  --rounds N     rounds; the sides take turns, figures are medians (3; with --cold 20)
  --only TEXT    only the comparisons that have this text in their name, such as "in two environments"; may be repeated

Each of these options runs another benchmark instead:

  --cold         bundle size and time to the first answer, compared with NodejsFunction's defaults
  --extract N    reads N generated carts; compares the peak memory with that of 10,000 carts
  --drain N      drains up to N queued carts into an 11VMS that limits its callers, by each kind of limit
  --cost         messages, calls and the monthly bill at 1,000, 100,000 and 10 million carts a day, from the counted calls
                 of a local run of --carts carts a phase (300)
  --platforms    with --cost: also what each optional block of an environment adds to resources and bill

  --json         one JSON line on stdout, all else on stderr (npm run --silent bench -- --json)
  --help         this text
`;

export const { parse, refusal, wholeNumber } = commandLine('npm run bench');

/** Undefined for --help. @throws {UsageError} */
export function parseOptions(args: readonly string[]): BenchmarkOptions | undefined {
  const values = parse(args, {
    carts: { type: 'string' },
    rounds: { type: 'string' },
    only: { type: 'string', multiple: true },
    cold: { type: 'boolean' },
    extract: { type: 'string' },
    drain: { type: 'string' },
    cost: { type: 'boolean' },
    platforms: { type: 'boolean' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help === true) return undefined;
  const others = (['cold', 'extract', 'drain', 'cost'] as const).filter((name) => values[name] !== undefined);
  if (others.length > 1) throw refusal(`Either ${others.map((name) => `--${name}`).join(' or ')}, not both.`);
  const what = others[0] ?? 'throughput';
  if (values.platforms === true && what !== 'cost') throw refusal('--platforms goes with --cost.');
  if (values.only !== undefined && what !== 'throughput') throw refusal(`--only does not go with --${what}.`);
  const [option, text = what === 'cost' ? '300' : '700'] =
    what === 'extract' || what === 'drain' ? [`--${what}`, values[what]] : ['--carts', values.carts];
  return {
    what,
    carts: wholeNumber(option, text, 1, 100_000_000),
    rounds: wholeNumber('--rounds', values.rounds ?? (what === 'cold' ? '20' : '3'), 1, 1000),
    only: values.only,
    platforms: values.platforms ?? false,
    json: values.json ?? false,
  };
}
