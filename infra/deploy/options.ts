/** The command line of a deployment. */
import { resolve } from 'node:path';
import { commandLine } from '../command-line.ts';

/** An assembly that --build wrote, and the digest that it said. */
export interface AssemblyChoice {
  readonly directory: string;
  readonly digest: string;
}

/** What needs no identity in AWS: write an assembly, or print what the role of the diff may do. */
export type OfflineOptions =
  | { readonly environment: string; readonly action: 'build'; readonly directory: string }
  | { readonly environment: string; readonly action: 'diff-policy' };

export interface DeployOptions {
  /** An environment's name, or the path of its file. */
  readonly environment: string;
  readonly profile: string | undefined;
  /** What to do with the stack: deploy it, show what would change, or only say which command would be run. */
  readonly action: 'deploy' | 'diff' | 'dry-run';
  /** Asks no questions. */
  readonly yes: boolean;
  /** Instead of a synthesis of this checkout. */
  readonly assembly?: AssemblyChoice | undefined;
}

export const HELP = `npm run deploy -- --env NAME|FILE [options]

Deploys the stack of one environment with the AWS CDK of this project. Before anything is changed it checks the entry,
the AWS credentials and their account, and that no other secret has the names of the connection secrets. The account
needs only a CDK bootstrap: secrets are created empty, and recipients of alarms can be added later. Last of all, the
dashboard is put into Grafana where the entry names one; a Grafana that does not take it is a warning.

  --env NAME|FILE   the environment: a name in infra/environments.ts, or the path of a JSON file
  --profile NAME    a profile of the AWS configuration (what the AWS SDK finds by itself)
  --diff            only shows what would change: the entry with its value maps line by line, then the resources
  --dry-run         only checks, and prints the command that would be run
  --yes             does not ask before rights are widened, or before a value map loses more than a fifth of its entries;
                    needed for both without a terminal
  --build DIR       only writes what would be deployed into DIR, checked as before a deployment, and says its digest;
                    needs no account
  --assembly DIR    deploys what --build wrote, and runs no synthesis; with --digest
  --digest SHA256   what --build said: an assembly of another digest is refused
  --diff-policy     prints the IAM policy of a role that may do what --diff needs, and no more; needs no account
  --help            this text

Exits 0 on success and 1 when a check fails; when CDK fails, with CDK's own code.
`;

const { parse, refusal } = commandLine('npm run deploy');

/** Undefined when help is asked for. @throws {UsageError} */
export function parseOptions(args: readonly string[]): DeployOptions | OfflineOptions | undefined {
  const values = parse(args, {
    env: { type: 'string' },
    profile: { type: 'string' },
    diff: { type: 'boolean' },
    'dry-run': { type: 'boolean' },
    yes: { type: 'boolean' },
    build: { type: 'string' },
    assembly: { type: 'string' },
    digest: { type: 'string' },
    'diff-policy': { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help === true) return undefined;
  const { env: environment, diff = false, 'dry-run': dryRun = false, yes = false, profile, assembly, digest } = values;
  if (environment === undefined || environment === '') {
    throw refusal('Which environment? Add --env NAME, or --env ./file.json.');
  }
  const alone = [
    ...(values.build === undefined ? [] : ['--build']),
    ...(values['diff-policy'] === true ? ['--diff-policy'] : []),
  ];
  if (alone[0] !== undefined) {
    const others = Object.keys(values).filter((name) => name !== 'env' && `--${name}` !== alone[0]);
    if (others.length > 0) throw refusal(`${alone[0]} needs no account, and goes with --env alone.`);
    if (values.build === undefined) return { environment, action: 'diff-policy' };
    if (values.build === '') throw refusal('Where to? --build takes a directory.');
    return { environment, action: 'build', directory: values.build };
  }
  if (diff && dryRun) throw refusal('Either --diff or --dry-run, not both.');
  if (yes && diff) throw refusal('--yes goes with a deployment: --diff changes nothing, and asks nothing.');
  if ((assembly === undefined) !== (digest === undefined)) {
    throw refusal('--assembly and --digest go together: the digest is the one that --build said.');
  }
  if (diff && assembly !== undefined) throw refusal('--assembly goes with a deployment: --diff takes this checkout.');
  if (digest !== undefined && !/^[0-9a-f]{64}$/.test(digest)) {
    throw refusal('--digest takes the SHA-256 that --build said: 64 characters, 0-9 and a-f.');
  }
  const changeless = diff ? 'diff' : 'dry-run';
  return {
    environment,
    profile,
    action: diff || dryRun ? changeless : 'deploy',
    yes,
    ...(assembly === undefined || digest === undefined ? {} : { assembly: { directory: resolve(assembly), digest } }),
  };
}
