/** The command line of `npm run preview`. */
import { stripZeros } from '../../shared/sap-values.ts';
import { commandLine } from '../command-line.ts';

const FORMATS = ['json', 'csv', 'html'] as const;
export type Format = 'text' | (typeof FORMATS)[number];

export interface PreviewOptions {
  /** A path, or `-` for standard input. */
  readonly input: string;
  /** An environment's name, or the path of its file. */
  readonly environment: string;
  readonly against: string | undefined;
  /** The number of one cart, without leading zeros; or its GUID. */
  readonly cart: string | undefined;
  readonly isMasked: boolean;
  readonly format: Format;
  readonly outputFile: string | undefined;
}

export const HELP = `npm run preview -- INPUT [options]

Shows which orders the carts of a file would become, with the source of each value, or all of their faults. Nothing is
sent, and no system is asked: it translates as the worker does, with the settings of an environment entry.

  INPUT                  a file: a cart as SRM sends it, a page of carts, or the body of a queue message, such as a dead
                         letter; also with SQS's wrapping, as the AWS CLI prints it. - reads standard input
  --env NAME|FILE        the environment: a name in infra/environments.ts, or the path of a JSON file (local). A page is
                         read with its srm.fields
  --against NAME|FILE    shows what would differ with the translation settings and value maps of another environment
  --cart NUMBER          one cart of the input; leading zeros do not matter. Of a cart without a number, its GUID
  --mask                 leaves out names, e-mail addresses and texts; codes, amounts and dates stay
  --html                 one page to mail to the owner of the mapping; it needs nothing else, and runs no script
  --csv                  a table for a spreadsheet (RFC 4180, UTF-8 with a byte order mark). A value that a spreadsheet
                         would change or calculate is written ="...", which spreadsheets show as it is
  --json                 one JSON line
  --output FILE          writes there, instead of to standard output. Or: npm run --silent preview -- ... keeps npm's
                         own banner off standard output
  --help                 this text

The output holds what the carts hold, personal data among it. Exits 0 when no cart has a fault, 1 when one has, 2 when
the input or an option cannot be used.
`;

const { parseWithOperands, refusal } = commandLine('npm run preview');

/** Undefined when help is asked for. @throws {UsageError} */
export function parseOptions(args: readonly string[]): PreviewOptions | undefined {
  const { values, positionals } = parseWithOperands(args, {
    env: { type: 'string' },
    against: { type: 'string' },
    cart: { type: 'string' },
    mask: { type: 'boolean' },
    html: { type: 'boolean' },
    csv: { type: 'boolean' },
    json: { type: 'boolean' },
    output: { type: 'string', short: 'o' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help === true) return undefined;
  const [input, ...more] = positionals;
  if (input === undefined) throw refusal('Which cart? Give a file, or - for standard input.');
  if (more.length > 0) throw refusal(`One input at a time: ${input}, and not also ${more.join(', ')}.`);
  const formats = FORMATS.filter((format) => values[format] === true);
  if (formats.length > 1) throw refusal(`Give one of --${formats.join(', --')}.`);
  for (const option of ['env', 'against', 'cart', 'output'] as const)
    if (values[option] === '') throw refusal(`--${option} is empty.`);
  return {
    input,
    environment: values.env ?? 'local',
    against: values.against,
    cart: values.cart === undefined ? undefined : stripZeros(values.cart.trim()),
    isMasked: values.mask ?? false,
    format: formats[0] ?? 'text',
    outputFile: values.output,
  };
}
