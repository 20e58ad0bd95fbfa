/** All checks of the doctor for one environment. A check that fails does not stop the others. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { AccountUnusable, type AwsAccount, clientSettings, describeAwsError, openAccount } from '../aws-account.ts';
import { type Environment, loadEnvironment } from '../environments.ts';
import { checkConnections } from './connection-checks.ts';
import type { ExpectedStack } from './expected-stack.ts';
import { fail, type Finding, notChecked, ok, runCheck, warn } from './finding.ts';
import { checkGrafana } from './grafana-checks.ts';
import type { DoctorOptions } from './options.ts';
import { checkStack } from './stack-checks.ts';

export interface Examination {
  readonly now: () => number;
  /** For each check; a check that takes longer is a finding. */
  readonly timeoutMs: number;
  readonly nodeVersion: string;
  /** The stack of an entry, with which the deployed one is compared. */
  readonly expectStack: (environment: Environment) => Promise<ExpectedStack>;
}

/** Changes nothing. */
export async function examine(
  options: Pick<DoctorOptions, 'environment' | 'profile'>,
  examination: Examination,
): Promise<readonly Finding[]> {
  const node = nodeFinding(examination.nodeVersion);
  let environment: Environment;
  try {
    environment = loadEnvironment(options.environment);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [
      node,
      fail(`environment: ${oneLine(reason)}`, 'correct the entry, or --env; nothing else can be checked before'),
    ];
  }
  const findings = [node, ...environmentFindings(environment, options.environment)];
  const { timeoutMs, now, expectStack } = examination;
  let account: AwsAccount | undefined;
  const accountFindings = await runCheck(
    'AWS account',
    timeoutMs,
    async () => {
      account = await openAccount(environment, options);
      return [ok(`AWS account ${account.account}, region ${account.region}, as ${account.arn}`)];
    },
    (error) =>
      error instanceof AccountUnusable
        ? fail(error.message, error.advice)
        : fail(
            `AWS account cannot be asked for (${describeAwsError(error)})`,
            'check the AWS configuration of this machine',
          ),
  );
  findings.push(...accountFindings);
  if (account === undefined) {
    return [
      ...findings,
      notChecked('secrets, SRM and 11VMS', 'the AWS account'),
      notChecked('stack', 'the AWS account'),
    ];
  }

  const settings = { ...clientSettings(options), region: account.region };
  const clients = {
    cloudformation: new CloudFormationClient(settings),
    cloudwatch: new CloudWatchClient(settings),
    dynamodb: new DynamoDBClient(settings),
    lambda: new LambdaClient(settings),
    logs: new CloudWatchLogsClient(settings),
    scheduler: new SchedulerClient(settings),
    secrets: new SecretsManagerClient(settings),
    sns: new SNSClient(settings),
    sqs: new SQSClient(settings),
  };
  try {
    const cloudformationOf = (region: string) => new CloudFormationClient({ ...settings, region, maxAttempts: 1 });
    const context = {
      ...clients,
      ...account,
      cloudformationOf,
      environment,
      environmentName: options.environment,
      timeoutMs,
      now,
      expectStack,
    };
    const [connections, grafana] = await Promise.all([checkConnections(context), checkGrafana(context)]);
    // It synthesizes, which stops this process for seconds: a call under way would seem to get no answer.
    const stack = await checkStack(context);
    return [...findings, ...connections, ...grafana, ...stack];
  } finally {
    for (const client of Object.values(clients)) client.destroy();
  }
}

/** Is it the Node version of Lambda and of this project? */
function nodeFinding(version: string): Finding {
  const wanted = readFileSync(join(import.meta.dirname, '..', '..', '.nvmrc'), 'utf8').trim();
  const what = `Node.js ${version}`;
  return version.split('.')[0] === wanted
    ? ok(what)
    : warn(`${what}, where ${wanted} is expected`, 'run npm ci, which brings it, or install it (.nvmrc)');
}

function environmentFindings({ name, srm, vms }: Environment, origin: string): Finding[] {
  const what = `environment ${name}${origin === name ? '' : ` (${origin})`}`;
  const examples = [srm.baseUrl, srm.tokenUrl, vms.baseUrl, vms.tokenUrl].filter((url) =>
    /(^|\.)example(\.com)?$/.test(new URL(url).hostname),
  );
  if (examples.length === 0) return [ok(`${what} is valid`)];
  return [
    warn(
      `${what} names hosts that are examples: ${[...new Set(examples)].join(', ')}`,
      'put your own into the entry, then deploy',
    ),
  ];
}

const oneLine = (text: string): string => text.split(/\s*\n\s*/).join(' ');
