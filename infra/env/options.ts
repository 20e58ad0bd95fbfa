/** The command line of `npm run env`. */
import { commandLine } from '../command-line.ts';

export type EnvOptions =
  | { readonly action: 'check'; readonly environment: string; readonly json: boolean }
  | {
      readonly action: 'new';
      readonly name: string;
      readonly file: string;
      /** Field to value, as typed. */
      readonly given: ReadonlyMap<string, string>;
    };

export const HELP = `npm run env -- check NAME|FILE [--json]
npm run env -- new NAME [options]

check  says whether an environment is valid, and else every mistake in it and in its CSV files at once, as a synthesis would
new    writes the file of a new environment, with every setting that it may have in a comment. On a terminal it asks for
       what no option gives. It overwrites nothing, and what it writes runs as it stands: npm start -- --env FILE

  --json              check: one JSON line (npm run --silent env -- ... keeps npm's own banner off stdout)
  --file FILE         new: where to write it (NAME.jsonc)
  --set FIELD=VALUE   new: a setting, such as --set srm.baseUrl=https://srm.example.com; may be repeated. A list is written
                      a,b; a value map BE10=BU-1,FR20=BU-2, or as the name of a CSV file; anything as JSON
  --help              this text

Fields and their meaning: infra/environments.md. Exits 0 when the environment is valid or written, 1 otherwise.
`;

const { parseWithOperands, refusal } = commandLine('npm run env');

/** Undefined when help is asked for. @throws {UsageError} */
export function parseOptions(args: readonly string[]): EnvOptions | undefined {
  const { values, positionals } = parseWithOperands(args, {
    json: { type: 'boolean' },
    file: { type: 'string' },
    set: { type: 'string', multiple: true },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help === true) return undefined;
  const [action, operand, ...more] = positionals;
  if (action !== 'check' && action !== 'new') throw refusal('What shall it do? check NAME|FILE, or new NAME.');
  if (operand === undefined || operand === '') {
    throw refusal(
      action === 'check' ? 'Which environment? check NAME, or check ./file.json.' : 'Which name? new NAME.',
    );
  }
  if (more.length > 0) throw refusal(`One environment at a time: "${more.join(' ')}" is too much.`);
  if (action === 'check') {
    if (values.file !== undefined || values.set !== undefined) throw refusal('--file and --set go with new.');
    return { action, environment: operand, json: values.json ?? false };
  }
  if (values.json === true) throw refusal('--json goes with check.');
  const given = new Map<string, string>();
  for (const text of values.set ?? []) {
    const [, field, value] = /^([^=]+)=([^]*)$/.exec(text) ?? [];
    if (field === undefined || value === undefined) throw refusal(`--set takes FIELD=VALUE, not "${text}".`);
    if (given.has(field)) throw refusal(`--set gives ${field} twice.`);
    given.set(field, value);
  }
  const file = values.file ?? `${operand}.jsonc`;
  if (!/[./\\]/.test(file)) throw refusal(`--file takes a path or a name with an ending, such as ${file}.jsonc.`);
  return { action, name: operand, file, given };
}
