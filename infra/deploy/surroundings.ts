/** What every half of a deployment needs: its entry, what it says of itself, and how it runs CDK and speaks to the user. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { type Deployment, packEntry } from '../deployment.ts';
import { type Environment, loadWithWarnings } from '../environments.ts';
import { DeploymentRefused } from './refusal.ts';

export interface Surroundings {
  /** The CDK CLI: an executable and its first arguments. */
  readonly cdk: readonly string[];
  readonly say: (line: string) => void;
  /** Asks the user; undefined without a terminal. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  readonly now: () => number;
}

/** @throws {DeploymentRefused} */
export function readEnvironment(nameOrFile: string, say: Surroundings['say']): Environment {
  let environment: Environment;
  try {
    environment = loadWithWarnings(nameOrFile, (warning) => say(`note: ${warning}`));
  } catch (error) {
    throw new DeploymentRefused(error instanceof Error ? error.message : String(error), { cause: error });
  }
  if (environment.name === 'local') {
    throw new DeploymentRefused('Environment local runs on this machine: npm start. It is not for an account.');
  }
  return environment;
}

/** CDK runs in the root of the project, which need not be the user's directory. */
export const placeOf = (nameOrFile: string): string => (/[./\\]/.test(nameOrFile) ? resolve(nameOrFile) : nameOrFile);

/** What a deployment of this checkout says of itself. */
export function deploymentOf(
  environment: Environment,
  { atMs, by }: { readonly atMs: number; readonly by: string },
): Deployment {
  const entry = packEntry(environment);
  return { ...readVersion(), at: new Date(atMs).toISOString(), by, ...(entry === undefined ? {} : { entry }) };
}

/** Who builds where no identity in AWS is: the run of a workflow of GitHub and who started it, else the user of this machine. */
export function builder(variables: Readonly<Record<string, string | undefined>>): string {
  const { GITHUB_ACTOR: actor, GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = variables;
  if (actor === undefined) return userInfo().username;
  return `${actor} in ${server}/${repository}/actions/runs/${variables['GITHUB_RUN_ID']}`;
}

const packageSchema = z.object({ version: z.string() });

/** The version of this checkout, and its commit; `unknown` outside a clone of the repository. */
function readVersion(): { readonly version: string; readonly commit: string } {
  const root = join(import.meta.dirname, '..', '..');
  const { version } = packageSchema.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
  const git = (...args: string[]): string | undefined => {
    const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
    return status === 0 ? stdout.trim() : undefined;
  };
  const commit = git('rev-parse', '--short=12', 'HEAD');
  // An edited checkout deploys something that no commit holds.
  const edited = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : ' with changes';
  return { version, commit: commit === undefined ? 'unknown' : `${commit}${edited}` };
}
