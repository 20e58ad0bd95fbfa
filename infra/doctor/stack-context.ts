/** What the checks of a deployed stack share. */
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { SchedulerClient } from '@aws-sdk/client-scheduler';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SNSClient } from '@aws-sdk/client-sns';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { createLedgerTable, type LedgerTable } from '../../shared/ledger-table.ts';
import type { DeployedStack, StackResource } from '../deployed-stack.ts';
import type { Environment } from '../environments.ts';
import { type ExpectedResource, type ExpectedStack, resolveValue } from './expected-stack.ts';

export interface StackContext {
  readonly environment: Environment;
  /** The environment as the user named it, for the commands that are advised. */
  readonly environmentName: string;
  readonly account: string;
  readonly region: string;
  /** Of another region, for the question whether the stack is there. */
  readonly cloudformationOf: (region: string) => CloudFormationClient;
  readonly cloudformation: CloudFormationClient;
  readonly cloudwatch: CloudWatchClient;
  readonly dynamodb: DynamoDBClient;
  readonly lambda: LambdaClient;
  readonly logs: CloudWatchLogsClient;
  readonly scheduler: SchedulerClient;
  readonly secrets: SecretsManagerClient;
  readonly sns: SNSClient;
  readonly sqs: SQSClient;
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly expectStack: (environment: Environment) => Promise<ExpectedStack>;
}

export interface DeployedContext extends StackContext {
  readonly stack: DeployedStack;
  readonly expected: ExpectedStack;
}

export const deployCommand = ({ environmentName }: StackContext): string =>
  `npm run deploy -- --env ${environmentName}`;

/** What to do about a difference between the entry and what is deployed. */
export const alignAdvice = (context: StackContext): string =>
  `find out who changed it and why; then correct the entry, or ${deployCommand(context)}`;

export class OutputMissing extends Error {}

/** An output that the stack of this version has. @throws {OutputMissing} */
export function output({ stack: { outputs } }: DeployedContext, name: string): string {
  const value = outputs[name];
  if (value !== undefined) return value;
  throw new OutputMissing(`the stack has no output ${name}: another version of it is deployed`);
}

export const ledgerTable = (context: DeployedContext): LedgerTable =>
  createLedgerTable(context.dynamodb, output(context, 'LedgerTableName'));

export const resourcesOf = ({ stack }: DeployedContext, type: string): StackResource[] =>
  stack.resources.filter((resource) => resource.type === type);

/** A resource that is deployed, with the properties that the entry gives it. */
export interface ComparableResource extends StackResource {
  readonly expected: Readonly<Record<string, unknown>>;
}

export function comparableResources(context: DeployedContext, type: string): ComparableResource[] {
  const { stack, expected } = context;
  const properties = new Map(expected.resources.map((resource) => [resource.logicalId, resource.properties]));
  return resourcesOf(context, type).map((resource) => ({
    ...resource,
    expected: Object.fromEntries(
      Object.entries(properties.get(resource.logicalId) ?? {}).map(([name, value]) => [
        name,
        resolveValue(value, stack, context),
      ]),
    ),
  }));
}

/** The resources of the entry that the stack does not have. */
export const missingResources = ({ stack, expected }: DeployedContext): ExpectedResource[] => {
  const deployed = new Set(stack.resources.map(({ logicalId }) => logicalId));
  return expected.resources.filter(({ logicalId }) => !deployed.has(logicalId));
};
