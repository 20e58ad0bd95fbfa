/** The sources of a deployed environment, with the operator's own session. */
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { setTimeout } from 'node:timers/promises';
import { clientSettings } from '../aws-account.ts';
import { environmentOf, ledgerAt, openDeployedStack, Unanswerable } from '../carts/open-ledger.ts';
import { stackName } from '../environments.ts';
import { createCloudHealth } from './cloud-health.ts';
import { readDeployedWorker, settingsOfWorker } from './deployed-settings.ts';
import { createDeadLetterLook } from './dead-letter-look.ts';
import { createFunctions } from './functions.ts';
import { createOrderLookUp } from './order-look-up.ts';
import { createLogsInsights } from './logs/logs-insights.ts';
import type { Sources } from './sources.ts';

export interface OpenedSources extends Sources {
  close(): void;
}

export interface SourceOptions {
  readonly environment: string;
  readonly profile: string | undefined;
}

/** @throws {Unanswerable} in the wrong account, without a session, or where nothing is deployed. */
export async function openSources(options: SourceOptions): Promise<OpenedSources> {
  const environment = environmentOf(options.environment);
  const { account, stack } = await openDeployedStack(environment, options);
  const settings = { ...clientSettings(options), region: account.region };
  const name = stackName(environment);
  const output = (key: string): string => {
    const value = stack.outputs[key];
    if (value !== undefined) return value;
    throw new Unanswerable(
      `stack ${name} is ${stack.status} and has no output ${key}`,
      `another version of it is deployed: npm run doctor -- --env ${options.environment} says what differs`,
    );
  };
  const sqs = new SQSClient(settings);
  const cloudwatch = new CloudWatchClient(settings);
  const lambda = new LambdaClient(settings);
  const secrets = new SecretsManagerClient(settings);
  const deployedWorker = () => readDeployedWorker(lambda, output('WorkerFunctionName'));
  const logs = new CloudWatchLogsClient(settings);
  const queueUrl = output('QueueUrl');
  const ledger = ledgerAt(
    environment,
    { tableName: output('LedgerTableName'), queueUrl },
    { dynamodb: new DynamoDBClient(settings), sqs },
  );
  const functions = createFunctions(settings, {
    extractor: output('ExtractorFunctionName'),
    supervisor: output('SupervisorFunctionName'),
    reconciler: output('ReconcilerFunctionName'),
    redriver: output('RedriverFunctionName'),
  });
  return {
    environment,
    place: {
      environmentName: options.environment,
      account: account.account,
      region: account.region,
      identity: account.arn,
      deployment: stack.outputs['Deployment'],
    },
    async endOfSession() {
      // The SDK renews what it can renew; where it cannot, the session has ended.
      const credentials = await lambda.config.credentials().catch(() => ({ expiration: new Date(0) }));
      return credentials.expiration?.getTime();
    },
    ledger,
    functions,
    health: createCloudHealth({
      cloudwatch,
      sqs,
      stackName: name,
      environmentName: environment.name,
      queueUrl,
      deadLetterQueueUrl: output('DeadLetterQueueUrl'),
    }),
    deployedSettings: async () => settingsOfWorker(await deployedWorker()),
    deadLetter: createDeadLetterLook({
      functions,
      sqs,
      deadLetterQueueUrl: output('DeadLetterQueueUrl'),
      now: Date.now,
    }),
    lookUpOrder: createOrderLookUp(deployedWorker, secrets),
    logs: createLogsInsights({
      client: logs,
      // Those of the functions, which people may search. The stack has others, and CloudWatch refuses a query that names one.
      logGroupNames: Object.entries(stack.outputs).flatMap(([key, value]) =>
        key.endsWith('LogGroupName') ? [value] : [],
      ),
      now: Date.now,
      wait: (ms) => setTimeout(ms),
    }),
    close() {
      secrets.destroy();
      ledger.close();
      logs.destroy();
      cloudwatch.destroy();
      lambda.destroy();
    },
  };
}
