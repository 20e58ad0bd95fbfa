/** What `npm run deploy` runs. */
import { createInterface } from 'node:readline/promises';
import { UsageError } from '../command-line.ts';
import { build } from './build.ts';
import { PINNED_CDK } from './cdk-command.ts';
import { deploy } from './deploy.ts';
import { diffPolicy } from './diff-policy.ts';
import { HELP, parseOptions } from './options.ts';
import { DeploymentRefused } from './refusal.ts';
import { readEnvironment } from './surroundings.ts';

process.exitCode = await main(process.argv.slice(2));

/** Returns 0 on success, 1 when a check failed and nothing was changed, else CDK's own exit code. */
async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args);
    if (options === undefined) {
      process.stdout.write(HELP);
      return 0;
    }
    const surroundings = {
      cdk: PINNED_CDK,
      say: (line: string) => void process.stdout.write(`${line}\n`),
      ask: process.stdin.isTTY && process.stdout.isTTY ? ask : undefined,
      now: Date.now,
    };
    if (options.action === 'build') return await build(options, surroundings);
    if (options.action === 'diff-policy') {
      const environment = readEnvironment(options.environment, (note) => void process.stderr.write(`${note}\n`));
      process.stdout.write(`${JSON.stringify(await diffPolicy(environment), undefined, 2)}\n`);
      return 0;
    }
    return await deploy(options, surroundings);
  } catch (error) {
    process.stderr.write(`\n${describe(error)}\n`);
    return 1;
  }
}

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await terminal.question(`${question} `);
  } finally {
    terminal.close();
  }
}

/** A mistake that the user can correct is one sentence; anything else is a defect, and is printed with its stack. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const expected = error instanceof UsageError || error instanceof DeploymentRefused;
  return expected ? error.message : (error.stack ?? error.message);
}
