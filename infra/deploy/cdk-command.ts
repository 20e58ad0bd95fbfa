/** The AWS CDK's own command line, as a child process of ours. */
import { spawn } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import type { DeployOptions } from './options.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** The CLI that package.json pins, on the Node.js that runs us; whatever `cdk` is on the PATH has no say. */
export const PINNED_CDK: readonly string[] = [process.execPath, join(ROOT, 'node_modules', 'aws-cdk', 'bin', 'cdk')];

/** What to tell CDK; `outputsFile` is where it writes the stack's outputs. */
export function cdkArguments(options: DeployOptions, outputsFile: string): string[] {
  const common = [
    `--context=env=${options.environment}`,
    ...(options.profile === undefined ? [] : [`--profile=${options.profile}`]),
  ];
  if (options.action === 'diff') return ['diff', ...common];
  return [
    'deploy',
    '--all',
    ...common,
    `--require-approval=${options.yes ? 'never' : 'broadening'}`,
    `--outputs-file=${outputsFile}`,
  ];
}

/** A command as a shell takes it. */
export const asShellText = (command: readonly string[]): string =>
  command.map((part) => (/^[\w@%+=:,./-]+$/.test(part) ? part : `'${part.replaceAll("'", `'\\''`)}'`)).join(' ');

/** Runs CDK at our own terminal; returns its exit code. Ctrl-C is CDK's to obey: it reaches the child by itself. */
export async function runCdk(
  command: readonly string[],
  variables: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const [executable = '', ...args] = command;
  // CDK starts the app as `node` (cdk.json), which must be the one that runs us.
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
