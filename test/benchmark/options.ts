/** The command line of the benchmarks. */
import { commandLine } from '../../infra/command-line.ts';

export interface BenchmarkOptions {
  /** Which benchmark: each prints a table of its own. */
  readonly what: 'throughput' | 'cold' | 'extract' | 'drain' | 'cost';
  /** Carts in a round of throughput, read by --extract, or drained by --drain. */
  readonly carts: number;
  /** Repetitions, in turn with what is compared; the figures are medians. */
  readonly rounds: number;
  readonly json: boolean;
}

export const HELP = `npm run benchmark -- [options]

Measures both functions, bundled as deployed, beside a floor in the same run: a bare handler that makes the same HTTP
calls and the same number of DynamoDB calls, a bare stream from page to queue. Both systems answer after 20 ms. Every figure
that counts is a ratio or a count; the others are of this machine, this minute.

  --carts N      carts a round (700; in batches of one a tenth of them, and the extractor reads five times as many)
  --rounds N     rounds, ours and the floor in turn; medians (3; with --cold 20)

Other benchmarks, each instead of that one:

  --cold         size of the bundles, and start to first answer in fresh processes, beside NodejsFunction's defaults
  --extract N    streams N generated carts through the extractor; peak memory beside that of 10,000 carts
  --drain N      drains N queued carts at a maximum concurrency of 2, 10 and 50 against an 11VMS that allows a fixed rate
  --cost         the monthly bill at 1,000, 100,000 and 10 million carts a day, from the counted calls of a local run
                 of --carts carts a phase (300)

  --json         one JSON line on stdout, all else on stderr (npm run --silent benchmark -- --json)
  --help         this text
`;

const { parse, refusal, wholeNumber } = commandLine('npm run benchmark');

/** Undefined when help is asked for. @throws {UsageError} */
export function parseOptions(args: readonly string[]): BenchmarkOptions | undefined {
  const values = parse(args, {
    carts: { type: 'string' },
    rounds: { type: 'string' },
    cold: { type: 'boolean' },
    extract: { type: 'string' },
    drain: { type: 'string' },
    cost: { type: 'boolean' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help === true) return undefined;
  const others = (['cold', 'extract', 'drain', 'cost'] as const).filter((name) => values[name] !== undefined);
  if (others.length > 1) throw refusal(`Either ${others.map((name) => `--${name}`).join(' or ')}, not both.`);
  const what = others[0] ?? 'throughput';
  const [option, text = what === 'cost' ? '300' : '700'] =
    what === 'extract' || what === 'drain' ? [`--${what}`, values[what]] : ['--carts', values.carts];
  return {
    what,
    carts: wholeNumber(option, text, 1, 100_000_000),
    rounds: wholeNumber('--rounds', values.rounds ?? (what === 'cold' ? '20' : '3'), 1, 1000),
    json: values.json ?? false,
  };
}
