/** One deployment: checks, then CDK, then the next steps. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import {
  AccountUnusable,
  type AwsAccount,
  bootstrapCommand,
  clientSettings,
  describeAwsError,
  openAccount,
} from '../aws-account.ts';
import { type DeployedStack, isCreationFailure, readDeployedStack, unprotectCommand } from '../deployed-stack.ts';
import { type Environment, loadEnvironment, stackName } from '../environments.ts';
import { asShellText, cdkArguments, runCdk } from './cdk-command.ts';
import type { DeployOptions } from './options.ts';

/** Nothing was changed. The message says what is wrong, and what to do. */
export class DeploymentRefused extends Error {}

export interface Surroundings {
  /** The CDK CLI: an executable and its first arguments. */
  readonly cdk: readonly string[];
  readonly say: (line: string) => void;
}

/** Deploys; returns the exit code. @throws {DeploymentRefused} before anything is changed. */
export async function deploy(typed: DeployOptions, { cdk, say }: Surroundings): Promise<number> {
  const environment = readEnvironment(typed.environment);
  // CDK runs in the root of the project, which need not be the user's directory.
  const isFile = /[./\\]/.test(typed.environment);
  const options = { ...typed, environment: isFile ? resolve(typed.environment) : typed.environment };
  const account = await openAccount(environment, options).catch((error: unknown) => {
    throw error instanceof AccountUnusable ? new DeploymentRefused(`${error.message}: ${error.advice}.`) : error;
  });
  say(`environment ${environment.name} -> stack ${stackName(environment)}`);
  say(`account ${account.account}, region ${account.region}, as ${account.arn}`);
  for (const line of exampleHosts(environment)) say(line);
  const stack = await checkedStack(environment, account, options, say);
  const isCreation = stack === 'absent';

  const directory = mkdtempSync(join(tmpdir(), 'deploy-'));
  try {
    const outputsFile = join(directory, 'outputs.json');
    const commandOf = (isCreation: boolean) => [...cdk, ...cdkArguments(options, outputsFile, isCreation)];
    const commands = isCreation && options.action !== 'diff' ? [commandOf(true), commandOf(false)] : [commandOf(false)];
    if (options.action === 'dry-run') {
      say(`nothing is changed; this would be run:\n${commands.map(asShellText).join('\n')}`);
      return 0;
    }
    for (const [index, command] of commands.entries()) {
      if (index > 0) say('The stack is created. A second deployment protects it against deletion.');
      // Without a region CDK would use us-east-1 without saying so.
      const code = await runCdk(command, { ...process.env, AWS_REGION: account.region });
      if (code === 0) continue;
      say(
        `CDK failed (exit code ${code}). If it says that the account is not bootstrapped: ${bootstrapCommand(account, typed.environment)}`,
      );
      if (stack === 'unknown' && environment.operation.terminationProtection) {
        say(
          `If the stack was never created before, the next deployment needs this first: ${unprotectCommand(stackName(environment), account.region)}`,
        );
      }
      return code;
    }
    if (options.action === 'deploy') {
      for (const line of nextSteps(environment, typed, readOutputs(outputsFile))) say(line);
    }
    return 0;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function readEnvironment(nameOrFile: string): Environment {
  let environment: Environment;
  try {
    environment = loadEnvironment(nameOrFile);
  } catch (error) {
    throw new DeploymentRefused(error instanceof Error ? error.message : String(error), { cause: error });
  }
  if (environment.name === 'local') {
    throw new DeploymentRefused('Environment local runs on this machine: npm start. It is not for an account.');
  }
  return environment;
}

function exampleHosts({ srm, vms }: Environment): string[] {
  const hosts = [srm.baseUrl, vms.baseUrl].map((url) => new URL(url).hostname);
  const examples = hosts.filter((host) => /(^|\.)example(\.com)?$/.test(host));
  return examples.length === 0 ? [] : [`note: ${examples.join(' and ')} are examples: nothing will be read or ordered`];
}

/**
 * Whether the stack was created before; `unknown` for a user who may only assume the roles of CDK.
 * @throws {DeploymentRefused} for what CloudFormation would notice late, and roll back.
 */
async function checkedStack(
  environment: Environment,
  { region }: AwsAccount,
  options: DeployOptions,
  say: Surroundings['say'],
): Promise<'created' | 'absent' | 'unknown'> {
  const settings = { ...clientSettings(options), region };
  const [cloudformation, secrets] = [new CloudFormationClient(settings), new SecretsManagerClient(settings)];
  let state: 'created' | 'absent' | 'unknown' = 'unknown';
  try {
    const stack = await readDeployedStack(cloudformation, stackName(environment));
    const isCreated = stack !== undefined && !isCreationFailure(stack) && stack.status !== 'REVIEW_IN_PROGRESS';
    state = isCreated ? 'created' : 'absent';
    if (stack !== undefined && isCreationFailure(stack) && stack.isProtected) {
      throw new DeploymentRefused(
        `The creation of the stack failed (${stack.status}), and CDK cannot delete what is left, which is protected. Nothing of it runs. Let it: ${unprotectCommand(stackName(environment), region)}, then deploy again.`,
      );
    }
    await refuseForeignSecrets(environment, stack, secrets);
  } catch (error) {
    if (error instanceof DeploymentRefused) throw error;
    say(
      `note: whether the ${state === 'unknown' ? 'stack and the ' : ''}connection secrets exist could not be checked (${describeAwsError(error)})`,
    );
  } finally {
    cloudformation.destroy();
    secrets.destroy();
  }
  return state;
}

/** CloudFormation cannot create a secret whose name is taken. */
async function refuseForeignSecrets(
  environment: Environment,
  stack: DeployedStack | undefined,
  secrets: SecretsManagerClient,
): Promise<void> {
  const own = new Set(stack?.resources.map(({ physicalId }) => physicalId));
  for (const entry of ['srm', 'vms'] as const) {
    const { secretName, createSecret } = environment[entry];
    const found = await secrets.send(new DescribeSecretCommand({ SecretId: secretName })).catch((error: unknown) => {
      if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
      throw error;
    });
    if (!createSecret && found === undefined) {
      throw new DeploymentRefused(
        `${entry}.createSecret is false, but there is no secret ${secretName}: create it, or leave createSecret out.`,
      );
    }
    if (!createSecret || found === undefined || own.has(found.ARN ?? '')) continue;
    throw new DeploymentRefused(
      found.DeletedDate === undefined
        ? `The secret ${secretName} exists, and is not this stack's. To use it as it is, set "createSecret": false in "${entry}" of the environment entry; else delete it, or choose another secretName.`
        : `The secret ${secretName} is being deleted, and its name is taken until then: aws secretsmanager restore-secret --secret-id ${secretName}, and set "createSecret": false in "${entry}" of the environment entry.`,
    );
  }
}

const outputsSchema = z.record(z.string(), z.record(z.string(), z.string()));

function readOutputs(file: string): [string, string][] {
  return Object.values(outputsSchema.parse(JSON.parse(readFileSync(file, 'utf8')))).flatMap(Object.entries);
}

function nextSteps({ srm, vms }: Environment, typed: DeployOptions, outputs: readonly [string, string][]): string[] {
  const write = (secretName: string, file: string): string =>
    `       aws secretsmanager put-secret-value --secret-id ${secretName} --secret-string file://${file}`;
  const width = Math.max(...outputs.map(([name]) => name.length));
  return [
    '',
    'Deployed:',
    ...outputs.map(([name, value]) => `  ${name.padEnd(width)} ${value}`),
    '',
    'Next, where it is not done yet:',
    '  1. write both OAuth2 clients, each as { "clientId": "...", "clientSecret": "..." }:',
    write(srm.secretName, 'srm-client.json'),
    write(vms.secretName, '11vms-client.json'),
    '  2. set notifications in the environment entry (who gets pages and mails), and deploy again',
    `  3. npm run doctor -- --env ${typed.environment}`,
  ];
}
