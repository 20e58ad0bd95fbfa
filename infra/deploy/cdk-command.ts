/** Runs the CLI of the AWS CDK as a child process. */
import { spawn } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { halfOf, type Half } from './assembly.ts';
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

const appArguments = (environment: string, deployment: string, half: Half): string[] => [
  `--context=env=${environment}`,
  `--context=deployment=${deployment}`,
  ...(half === 'creating' ? ['--context=creating=true'] : []),
];

/** The arguments for CDK. */
export function cdkArguments(options: DeployOptions, files: CdkFiles, half: Half = 'created'): string[] {
  const common = [
    // An assembly takes the place of the app, which then does not run.
    ...(options.assembly === undefined
      ? appArguments(options.environment, files.deployment, half)
      : [`--app=${halfOf(options.assembly.directory, half)}`]),
    ...(options.profile === undefined ? [] : [`--profile=${options.profile}`]),
  ];
  // Without a change set, which a role that only reads may not create.
  if (options.action === 'diff') return ['diff', '--method=template', ...common];
  return [
    'deploy',
    '--all',
    ...common,
    `--require-approval=${options.yes ? 'never' : 'broadening'}`,
    `--outputs-file=${files.outputs}`,
  ];
}

/** The arguments for CDK that write one half of an assembly. */
export const synthArguments = (environment: string, deployment: string, half: Half, directory: string): string[] => [
  'synth',
  '--quiet',
  ...appArguments(environment, deployment, half),
  `--output=${halfOf(directory, half)}`,
];

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
