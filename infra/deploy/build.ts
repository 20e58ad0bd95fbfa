/** The first half of a deployment: an assembly, without an account. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeDeployment } from '../deployment.ts';
import { stackName } from '../environments.ts';
import { checkAssembly, digestOf, HALVES, newDirectory, tellWorkflow } from './assembly.ts';
import { runCdk, synthArguments } from './cdk-command.ts';
import type { OfflineOptions } from './options.ts';
import { builder, deploymentOf, placeOf, readEnvironment, type Surroundings } from './surroundings.ts';

type BuildOptions = Extract<OfflineOptions, { readonly action: 'build' }>;

/** Returns the exit code of CDK. @throws {DeploymentRefused} also for what a deployment would refuse of it. */
export async function build(
  { environment: nameOrFile, directory: typed }: BuildOptions,
  { cdk, say, now }: Pick<Surroundings, 'cdk' | 'say' | 'now'>,
): Promise<number> {
  const environment = readEnvironment(nameOrFile, say);
  const directory = newDirectory(typed);
  const next = deploymentOf(environment, { atMs: now(), by: builder(process.env) });
  say(`environment ${environment.name} -> stack ${stackName(environment)}`);
  say(`assembly: ${describeDeployment(next)}`);
  const temporary = mkdtempSync(join(tmpdir(), 'build-'));
  try {
    const deployment = join(temporary, 'deployment.json');
    writeFileSync(deployment, JSON.stringify(next));
    for (const half of HALVES) {
      const code = await runCdk(
        [...cdk, ...synthArguments(placeOf(nameOrFile), deployment, half, directory)],
        process.env,
      );
      if (code === 0) continue;
      say(`CDK failed (exit code ${code}): the assembly is not whole.`);
      return code;
    }
    const digest = digestOf(directory);
    // What the deployment would refuse is found here, before its approval.
    checkAssembly({ directory, digest }, environment);
    tellWorkflow(digest, process.env);
    say(`built: --assembly ${typed} --digest ${digest}`);
    return 0;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
