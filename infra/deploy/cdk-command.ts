/** Runs the CLI of the AWS CDK as a child process. */
import { spawn } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import type { DeployOptions } from './options.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** The CLI that package.json pins, on the Node.js of this process; a `cdk` on the PATH is not used. */
export const PINNED_CDK: readonly string[] = [process.execPath, join(ROOT, 'node_modules', 'aws-cdk', 'bin', 'cdk')];

export interface CdkFiles {
  /** CDK writes the outputs of the stack there. */
  readonly outputs: string;
  /** What the deployment says of itself. */
  readonly deployment: string;
}

/** The arguments for CDK. */
export function cdkArguments(options: DeployOptions, files: CdkFiles, isCreation = false): string[] {
  const common = [
    `--context=env=${options.environment}`,
    `--context=deployment=${files.deployment}`,
    ...(isCreation ? ['--context=creating=true'] : []),
    ...(options.profile === undefined ? [] : [`--profile=${options.profile}`]),
  ];
  if (options.action === 'diff') return ['diff', ...common];
  return [
    'deploy',
    '--all',
    ...common,
    `--require-approval=${options.yes ? 'never' : 'broadening'}`,
    `--outputs-file=${files.outputs}`,
  ];
}

/** A command, quoted for a shell. */
export const asShellText = (command: readonly string[]): string =>
  command.map((part) => (/^[\w@%+=:,./-]+$/.test(part) ? part : `'${part.replaceAll("'", `'\\''`)}'`)).join(' ');

/** Runs CDK in this terminal; returns its exit code. The terminal sends Ctrl-C to CDK, which decides when to end. */
export async function runCdk(
  command: readonly string[],
  variables: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const [executable = '', ...args] = command;
  // CDK starts the app as `node` (cdk.json), which must be the Node.js of this process.
  const path = [dirname(process.execPath), variables['PATH']].filter((part) => part !== undefined).join(delimiter);
  const child = spawn(executable, args, { cwd: ROOT, env: { ...variables, PATH: path }, stdio: 'inherit' });
  const leaveToChild = (): void => undefined;
  const passOn = (): boolean => child.kill('SIGTERM');
  process.on('SIGINT', leaveToChild).on('SIGTERM', passOn);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', reject).once('close', (code) => resolve(code ?? 1));
    });
  } finally {
    process.off('SIGINT', leaveToChild).off('SIGTERM', passOn);
  }
}
