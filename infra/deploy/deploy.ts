/** One deployment: checks, then CDK, then the next steps. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetEventSourceMappingCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  DescribeSecretCommand,
  type DescribeSecretCommandOutput,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { createBreakerRecord } from '../../shared/circuit-breaker.ts';
import { createLedgerTable } from '../../shared/ledger-table.ts';
import { createSecretCommand, restoreSecretCommand, writeSecretCommand } from '../../shared/secret-command.ts';
import {
  AccountUnusable,
  type AwsAccount,
  bootstrapCommand,
  clientSettings,
  describeAwsError,
  openAccount,
} from '../aws-account.ts';
import {
  type DeployedStack,
  isCreationFailure,
  isWorkerMapping,
  readDeployedStack,
  readDeployedTemplate,
  regionsWithStack,
  unprotectCommand,
} from '../deployed-stack.ts';
import {
  type Deployment,
  deploymentOfTemplate,
  describeDeployment,
  entryDifferences,
  largeLosses,
  unpackEntry,
} from '../deployment.ts';
import { type Environment, stackName } from '../environments.ts';
import { DASHBOARD_FILE, GrafanaFault, openGrafana } from '../platforms/grafana.ts';
import { deploymentSecrets, type RuntimeSecret, runtimeSecrets, secretText } from '../platforms/runtime-secrets.ts';
import { checkAssembly, type Half } from './assembly.ts';
import { asShellText, cdkArguments, runCdk } from './cdk-command.ts';
import type { DeployOptions } from './options.ts';
import { DeploymentRefused } from './refusal.ts';
import { deploymentOf, placeOf, readEnvironment, type Surroundings } from './surroundings.ts';

/** Deploys; returns the exit code. @throws {DeploymentRefused} before anything is changed. */
export async function deploy(typed: DeployOptions, surroundings: Surroundings): Promise<number> {
  const { cdk, say, ask } = surroundings;
  const environment = readEnvironment(typed.environment, say);
  const built = typed.assembly === undefined ? undefined : checkAssembly(typed.assembly, environment);
  const options = { ...typed, environment: placeOf(typed.environment) };
  const account = await openAccount(environment, options).catch((error: unknown) => {
    throw error instanceof AccountUnusable ? new DeploymentRefused(`${error.message}: ${error.advice}.`) : error;
  });
  say(`environment ${environment.name} -> stack ${stackName(environment)}`);
  say(`account ${account.account}, region ${account.region}, as ${account.arn}`);
  if (built !== undefined) say(`assembly: ${describeDeployment(built)}`);
  for (const line of [...exampleHosts(environment), ...exampleOwners(readFileSync(CODE_OWNERS, 'utf8'))]) say(line);
  const { state: stack, deployed } = await checkedStack(environment, account, options, say);
  const isCreation = stack === 'absent';
  if (isCreation) await refuseSecondRegion(environment, account, options, say);
  const running =
    deployed === undefined
      ? undefined
      : await compareWithDeployed(environment, { account, deployed, options, surroundings });
  const mayAsk = options.action === 'deploy' && !options.yes;
  if (mayAsk && ask === undefined) say(`note: ${WITHOUT_TERMINAL}`);

  const directory = mkdtempSync(join(tmpdir(), 'deploy-'));
  try {
    const files = { outputs: join(directory, 'outputs.json'), deployment: join(directory, 'deployment.json') };
    if (built === undefined) {
      const next = deploymentOf(environment, { atMs: surroundings.now(), by: account.arn });
      // That the next deployment will be another one is no difference worth a line.
      writeFileSync(files.deployment, JSON.stringify(options.action === 'diff' ? (running ?? next) : next));
    }
    const halves: readonly Half[] = isCreation && options.action !== 'diff' ? ['creating', 'created'] : ['created'];
    const commands = halves.map((half) => [...cdk, ...cdkArguments(options, files, half)]);
    if (options.action === 'dry-run') {
      say(`nothing is changed; this would be run:\n${commands.map(asShellText).join('\n')}`);
      if (environment.grafana !== undefined) say(`then the dashboard would be put into ${environment.grafana.url}`);
      return 0;
    }
    const code = await runHalves(commands, account.region, say);
    if (code !== 0) {
      say(
        `CDK failed (exit code ${code}). If it says that the account is not bootstrapped: ${bootstrapCommand(account, typed.environment)}`,
      );
      if (mayAsk && ask === undefined) say(WITHOUT_TERMINAL);
      if (stack === 'unknown' && environment.operation.terminationProtection) {
        say(
          `If the stack was never created before, the next deployment needs this first: ${unprotectCommand(stackName(environment), account.region)}`,
        );
      }
      return code;
    }
    if (options.action === 'deploy') {
      for (const line of nextSteps(environment, typed, readOutputs(files.outputs))) say(line);
      if (environment.grafana !== undefined) {
        say(await putDashboard(environment.grafana, { ...clientSettings(options), region: account.region }));
      }
    }
    return 0;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Returns the exit code of the first half that failed, or 0. */
async function runHalves(
  commands: readonly (readonly string[])[],
  region: string,
  say: Surroundings['say'],
): Promise<number> {
  for (const [index, command] of commands.entries()) {
    if (index > 0) say('The stack is created. A second deployment protects it against deletion.');
    // Without a region CDK would use us-east-1 without saying so.
    const code = await runCdk(command, { ...process.env, AWS_REGION: region });
    if (code !== 0) return code;
  }
  return 0;
}

const GRAFANA_TIMEOUT_MS = 15_000;

/** The stack is deployed by then: a Grafana that is down must neither fail the deployment nor be passed over. */
async function putDashboard(grafana: NonNullable<Environment['grafana']>, settings: ClientSettings): Promise<string> {
  const secrets = new SecretsManagerClient(settings);
  try {
    const address = await openGrafana(grafana, secrets, { timeoutMs: GRAFANA_TIMEOUT_MS, now: Date.now }).push();
    return `\nGrafana has the dashboard of this version: ${address}`;
  } catch (error) {
    if (!(error instanceof GrafanaFault)) throw error;
    return `\nWARNING: the stack is deployed, but Grafana has not got the dashboard: ${error.message}. To do: ${error.advice}; then deploy again, or import ${DASHBOARD_FILE} by hand.`;
  } finally {
    secrets.destroy();
  }
}

function exampleHosts({ srm, vms }: Environment): string[] {
  const hosts = [srm.baseUrl, vms.baseUrl].map((url) => new URL(url).hostname);
  const examples = hosts.filter((host) => /(^|\.)example(\.com)?$/.test(host));
  return examples.length === 0 ? [] : [`note: ${examples.join(' and ')} are examples: nothing will be read or ordered`];
}

const CODE_OWNERS = join(import.meta.dirname, '..', '..', '.github', 'CODEOWNERS');

/** GitHub passes over an owner that it does not know. @param text Of CODEOWNERS. */
export function exampleOwners(text: string): string[] {
  const lines = text.split('\n').filter((line) => !line.startsWith('#') && line.includes('@your-organization/'));
  if (lines.length === 0) return [];
  return [
    `note: ${lines.length} lines of .github/CODEOWNERS name @your-organization, an example: GitHub asks for no review of what they cover`,
  ];
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
): Promise<{ readonly state: 'created' | 'absent' | 'unknown'; readonly deployed: DeployedStack | undefined }> {
  const settings = { ...clientSettings(options), region };
  const [cloudformation, secrets] = [new CloudFormationClient(settings), new SecretsManagerClient(settings)];
  let state: 'created' | 'absent' | 'unknown' = 'unknown';
  let deployed: DeployedStack | undefined;
  try {
    const stack = await readDeployedStack(cloudformation, stackName(environment));
    const isCreated = stack !== undefined && !isCreationFailure(stack) && stack.status !== 'REVIEW_IN_PROGRESS';
    state = isCreated ? 'created' : 'absent';
    deployed = isCreated ? stack : undefined;
    if (stack !== undefined && isCreationFailure(stack) && stack.isProtected) {
      throw new DeploymentRefused(
        `The creation of the stack failed (${stack.status}), and CDK cannot delete what is left, which is protected. Nothing of it runs. Let it: ${unprotectCommand(stackName(environment), region)}, then deploy again.`,
      );
    }
    await refuseUnusableSecrets(environment, stack, secrets);
  } catch (error) {
    if (error instanceof DeploymentRefused) throw error;
    say(
      `note: whether the ${state === 'unknown' ? 'stack and the ' : ''}connection secrets exist could not be checked (${describeAwsError(error)})`,
    );
  } finally {
    cloudformation.destroy();
    secrets.destroy();
  }
  return { state, deployed };
}

/** Two stacks of an environment would each order every cart. @throws {DeploymentRefused} */
async function refuseSecondRegion(
  environment: Environment,
  { region }: AwsAccount,
  options: DeployOptions,
  say: Surroundings['say'],
): Promise<void> {
  const name = stackName(environment);
  const { found, unanswered } = await regionsWithStack(
    name,
    region,
    (other) => new CloudFormationClient({ ...clientSettings(options), region: other }),
  );
  if (found.length > 0) {
    throw new DeploymentRefused(
      `The stack ${name} is not in region ${region}, but in ${found.join(' and ')}, and a second one would order each cart again. Set "region" in the environment entry, or AWS_REGION, to that region. An environment of its own needs a "name" of its own.`,
    );
  }
  if (unanswered.length > 0)
    say(`note: ${unanswered.length} regions gave no answer, and may hold the stack: ${unanswered.join(', ')}`);
}

interface Comparison {
  readonly account: AwsAccount;
  readonly deployed: DeployedStack;
  readonly options: DeployOptions;
  readonly surroundings: Surroundings;
}

/**
 * Says what runs now, whether consumption is paused, and what of the entry would change. Returns the running deployment.
 * @throws {DeploymentRefused} when a value map loses much, and neither `--yes` nor an answer allows it.
 */
async function compareWithDeployed(
  environment: Environment,
  { account, deployed, options, surroundings }: Comparison,
): Promise<Deployment | undefined> {
  const { say, ask } = surroundings;
  const client = { ...clientSettings(options), region: account.region };
  for (const line of await pauseNotes(deployed, client)) say(line);
  const running = await runningDeployment(environment, client, say);
  if (running === undefined) return undefined;
  say(`deployed now: ${describeDeployment(running)}`);
  if (running.entry === undefined) {
    say('note: the deployed stack does not hold its entry: only the differences of its resources can be shown');
    return running;
  }
  const entry = unpackEntry(running.entry);
  const { settings: differing, valueMaps } = entryDifferences(entry, environment);
  const isDiff = options.action === 'diff';
  const hidden = isDiff ? '' : ' (--diff shows them)';
  if (differing.length + valueMaps.length === 0) say('entry: as deployed');
  if (differing.length > 0) say(`entry: settings that differ: ${differing.length}${hidden}`);
  if (isDiff) for (const line of differing) say(`  ${line}`);
  for (const { name, counts, lines } of valueMaps) {
    say(`value map ${name}: ${counts}${hidden}`);
    if (isDiff) for (const line of lines) say(`  ${line}`);
  }

  const losses = largeLosses(entry, environment);
  for (const loss of losses) say(`note: ${loss}`);
  if (losses.length === 0 || options.yes || options.action !== 'deploy') return running;
  if (ask === undefined) {
    throw new DeploymentRefused(
      `The ${losses.join(', and the ')}: carts with a code that is lost become dead letters. No terminal is attached to ask: where it is meant, add --yes.`,
    );
  }
  const answer = await ask(`The ${losses.join(', and the ')}. Deploy all the same (yes or no)?`);
  if (!/^y(es)?$/i.test(answer.trim())) throw new DeploymentRefused('Nothing was deployed.');
  return running;
}

const WITHOUT_TERMINAL =
  'no terminal is attached, so that CDK cannot ask before rights are widened, and refuses: add --yes where they may be';

type ClientSettings = ReturnType<typeof clientSettings> & { readonly region: string };

/** What the last deployment says of itself; undefined where the stack does not say it. */
async function runningDeployment(
  environment: Environment,
  settings: ClientSettings,
  say: Surroundings['say'],
): Promise<Deployment | undefined> {
  const cloudformation = new CloudFormationClient(settings);
  try {
    const running = deploymentOfTemplate(await readDeployedTemplate(cloudformation, stackName(environment)));
    if (running === undefined)
      say('note: the deployed stack does not say which deployment it is: npm run deploy did not make it');
    return running;
  } catch (error) {
    say(`note: which deployment runs could not be read (${describeAwsError(error)})`);
    return undefined;
  } finally {
    cloudformation.destroy();
  }
}

/** Whether consumption is paused, by the circuit breaker or by a person. */
async function pauseNotes(deployed: DeployedStack, settings: ClientSettings): Promise<string[]> {
  const [dynamodb, lambda] = [new DynamoDBClient(settings), new LambdaClient(settings)];
  try {
    const { LedgerTableName: tableName } = deployed.outputs;
    if (tableName === undefined) return [];
    const { state, reason, sinceMs } = await createBreakerRecord(createLedgerTable(dynamodb, tableName)).read();
    if (state !== 'CLOSED') {
      const since = new Date(sinceMs).toISOString();
      const end = state === 'OPEN' ? 'until 11VMS is healthy' : 'until a person resumes it';
      return [
        `note: consumption is paused since ${since} (${reason}), ${end}: no cart is ordered. If this deployment enables the event source mapping, the supervisor disables it again within a minute.`,
      ];
    }
    const mapping = deployed.resources.find(isWorkerMapping);
    if (mapping === undefined) return [];
    const { State: mappingState = '' } = await lambda.send(
      new GetEventSourceMappingCommand({ UUID: mapping.physicalId }),
    );
    if (!mappingState.startsWith('Disabl')) return [];
    return [
      `note: consumption is paused: the event source mapping is ${mappingState}, and not by the circuit breaker. No cart is ordered until a person enables it, or this deployment does.`,
    ];
  } catch (error) {
    return [`note: whether consumption is paused could not be checked (${describeAwsError(error)})`];
  } finally {
    dynamodb.destroy();
    lambda.destroy();
  }
}

/** CloudFormation cannot read a secret that is empty or being deleted, nor create one whose name is taken. */
async function refuseUnusableSecrets(
  environment: Environment,
  stack: DeployedStack | undefined,
  secrets: SecretsManagerClient,
): Promise<void> {
  const own = new Set(stack?.resources.map(({ physicalId }) => physicalId));
  const find = (secretName: string) =>
    secrets.send(new DescribeSecretCommand({ SecretId: secretName })).catch((error: unknown) => {
      if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
      throw error;
    });
  for (const { path, secretName } of deploymentSecrets(environment)) {
    const obstacle = readingObstacle(secretName, await find(secretName));
    if (obstacle === undefined) continue;
    throw new DeploymentRefused(
      `${path.join('.')} names the secret ${secretName}, which ${obstacle.what}. CloudFormation reads it while it deploys: ${obstacle.remedy} first (infra/deploying.md).`,
    );
  }
  for (const { block: entry, secretName, createSecret, isOfConnection } of runtimeSecrets(environment)) {
    const found = await find(secretName);
    if (!createSecret && found === undefined) {
      throw new DeploymentRefused(
        `${entry}.createSecret is false, but there is no secret ${secretName}: create it, or leave createSecret out.`,
      );
    }
    if (!createSecret && found?.DeletedDate !== undefined) {
      throw new DeploymentRefused(
        `${entry}.createSecret is false, but the secret ${secretName} is being deleted: ${restoreSecretCommand(secretName)}.`,
      );
    }
    if (!createSecret || found === undefined || own.has(found.ARN ?? '')) continue;
    const adopt = isOfConnection
      ? 'If a deleted stack of this environment left it, adopt its ledger first, or carts are ordered twice (infra/runbook.md, "Adopt what a deleted stack left"). '
      : '';
    throw new DeploymentRefused(
      found.DeletedDate === undefined
        ? `The secret ${secretName} exists, and is not this stack's. ${adopt}To use it as it is, set "createSecret": false in "${entry}" of the environment entry; else delete it, or choose another secretName.`
        : `The secret ${secretName} is being deleted, and its name is taken until then: ${restoreSecretCommand(secretName)}, and set "createSecret": false in "${entry}" of the environment entry.`,
    );
  }
}

/** Why the value of a secret could not be read, and what to do; undefined where it can be. */
function readingObstacle(
  secretName: string,
  found: DescribeSecretCommandOutput | undefined,
): { readonly what: string; readonly remedy: string } | undefined {
  if (found === undefined) return { what: 'does not exist', remedy: createSecretCommand(secretName) };
  if (found.DeletedDate !== undefined) return { what: 'is being deleted', remedy: restoreSecretCommand(secretName) };
  const stages = Object.values(found.VersionIdsToStages ?? {}).flat();
  return stages.includes('AWSCURRENT') ? undefined : { what: 'is empty', remedy: writeSecretCommand(secretName) };
}

const outputsSchema = z.record(z.string(), z.record(z.string(), z.string()));

function readOutputs(file: string): [string, string][] {
  return Object.values(outputsSchema.parse(JSON.parse(readFileSync(file, 'utf8')))).flatMap(Object.entries);
}

function nextSteps(environment: Environment, typed: DeployOptions, outputs: readonly [string, string][]): string[] {
  const write = (secret: RuntimeSecret): string[] => [
    `     ${secret.block}: ${secretText(secret)}`,
    `       ${writeSecretCommand(secret.secretName)}`,
  ];
  const width = Math.max(...outputs.map(([name]) => name.length));
  return [
    '',
    'Deployed:',
    ...outputs.map(([name, value]) => `  ${name.padEnd(width)} ${value}`),
    '',
    'Next, where it is not done yet:',
    '  1. write the secrets; each command reads one from standard input (infra/deploying.md, Secrets):',
    ...runtimeSecrets(environment).flatMap(write),
    '  2. set notifications in the environment entry (who gets pages and mails), and deploy again',
    `  3. npm run doctor -- --env ${typed.environment}`,
  ];
}
