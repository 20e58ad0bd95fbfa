/** What `npm run deploy` runs. */
import { createInterface } from 'node:readline/promises';
import { UsageError } from '../command-line.ts';
import { PINNED_CDK } from './cdk-command.ts';
import { deploy, DeploymentRefused } from './deploy.ts';
import { HELP, parseOptions } from './options.ts';

process.exitCode = await main(process.argv.slice(2));

/** Returns 0 on success, 1 when a check failed and nothing was changed, else CDK's own exit code. */
async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args);
    if (options === undefined) {
      process.stdout.write(HELP);
      return 0;
    }
    return await deploy(options, {
      cdk: PINNED_CDK,
      say: (line) => void process.stdout.write(`${line}\n`),
      ask: process.stdin.isTTY && process.stdout.isTTY ? ask : undefined,
      now: Date.now,
    });
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
