/** The command line of a deployment. */
import { commandLine } from '../command-line.ts';

export interface DeployOptions {
  /** An environment's name, or the path of its file. */
  readonly environment: string;
  readonly profile: string | undefined;
  /** What to do with the stack: deploy it, show what would change, or only say which command would be run. */
  readonly action: 'deploy' | 'diff' | 'dry-run';
  /** Asks no questions. */
  readonly yes: boolean;
}

export const HELP = `npm run deploy -- --env NAME|FILE [options]

Deploys the stack of one environment with the AWS CDK of this project. Before anything is changed it checks the entry,
the AWS credentials and their account, and that no other secret has the names of the connection secrets. The account
needs only a CDK bootstrap: secrets are created empty, and recipients of alarms can be added later.

  --env NAME|FILE   the environment: a name in infra/environments.ts, or the path of a JSON file
  --profile NAME    a profile of the AWS configuration (what the AWS SDK finds by itself)
  --diff            only shows what would change: the entry with its value maps line by line, then the resources
  --dry-run         only checks, and prints the command that would be run
  --yes             does not ask before rights are widened, or before a value map loses more than a fifth of its entries;
                    needed for both without a terminal
  --help            this text

Exits 0 on success and 1 when a check fails; when CDK fails, with CDK's own code.
`;

const { parse, refusal } = commandLine('npm run deploy');

/** Undefined when help is asked for. @throws {UsageError} */
export function parseOptions(args: readonly string[]): DeployOptions | undefined {
  const values = parse(args, {
    env: { type: 'string' },
    profile: { type: 'string' },
    diff: { type: 'boolean' },
    'dry-run': { type: 'boolean' },
    yes: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help === true) return undefined;
  const { env: environment, diff = false, 'dry-run': dryRun = false, yes = false, profile } = values;
  if (environment === undefined || environment === '') {
    throw refusal('Which environment? Add --env NAME, or --env ./file.json.');
  }
  if (diff && dryRun) throw refusal('Either --diff or --dry-run, not both.');
  if (yes && diff) throw refusal('--yes goes with a deployment: --diff changes nothing, and asks nothing.');
  const changeless = diff ? 'diff' : 'dry-run';
  return { environment, profile, action: diff || dryRun ? changeless : 'deploy', yes };
}
