/** Puts into the simulator of AWS what CloudFormation would make of an entry: all of it healthy, until a test changes it. */
import { SetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import {
  type ExpectedResource,
  type ExpectedStack,
  expectStack,
  resolveValue,
} from '../../infra/doctor/expected-stack.ts';
import { describeValueMaps } from '../../infra/deployment.ts';
import type { Environment } from '../../infra/environments.ts';
import type { AwsState, SimulatedDatapoint } from './aws-simulator.ts';

export interface Deployment {
  readonly environment: Environment;
  readonly sqs: SQSClient;
  readonly nowMs: number;
  /** By the output that names it, such as QueueUrl, or the logical id; one is made up for every other resource. */
  readonly physicalIds: Readonly<Record<string, string>>;
}

const GROUP = 'our-group';
const named = z.object({ AlarmName: z.string() });
const variables = z.object({ Variables: z.record(z.string(), z.string()) });

const subscription = z.object({
  LogGroupName: z.object({ Ref: z.string() }),
  DestinationArn: z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }),
});

const syntheses = new Map<string, Promise<ExpectedStack>>();

/** A synthesis takes most of a test's time, and the entries of most tests differ in the ports of the simulators alone. */
export async function expectStackOnce(environment: Environment): Promise<ExpectedStack> {
  const text = JSON.stringify(environment);
  const hosts = [...new Set(text.match(/127\.0\.0\.1:\d+/g))];
  const standIn = (index: number): string => `127.0.0.1:${60_001 + index}`;
  const key = hosts.reduce((result, host, index) => result.replaceAll(host, standIn(index)), text);
  const synthesis = syntheses.get(key) ?? expectStack(JSON.parse(key));
  syntheses.set(key, synthesis);
  const { resources, outputOf } = await synthesis;
  const here = hosts.reduce(
    (result, host, index) => result.replaceAll(standIn(index), host),
    JSON.stringify(resources),
  );
  return { resources: JSON.parse(here), outputOf };
}

export async function deployEntry(state: AwsState, deployment: Deployment): Promise<void> {
  const { environment, physicalIds, sqs, nowMs } = deployment;
  const { resources, outputOf } = await expectStackOnce(environment);
  const idOf = ({ logicalId, type }: ExpectedResource): string => {
    const known = physicalIds[outputOf.get(logicalId) ?? ''] ?? physicalIds[logicalId];
    if (known !== undefined) return known;
    if (type === 'AWS::SNS::Topic') return `arn:aws:sns:${state.region}:${state.account}:${logicalId}`;
    return type === 'AWS::Scheduler::ScheduleGroup' ? GROUP : logicalId;
  };
  const stack = {
    status: 'UPDATE_COMPLETE',
    outputs: {
      ValueMaps: describeValueMaps(environment),
      ...Object.fromEntries(
        resources.flatMap((resource) => {
          const output = outputOf.get(resource.logicalId);
          return output === undefined ? [] : [[output, idOf(resource)] as const];
        }),
      ),
    },
    resources: resources.map((resource) => ({
      logicalId: resource.logicalId,
      type: resource.type,
      physicalId: idOf(resource),
    })),
  };
  state.stack = stack;
  const place = { account: state.account, region: state.region };
  const deployed = { ...stack, isProtected: false, createdMs: 0 };
  const datapoint = (metric: string, service: string): SimulatedDatapoint => ({
    metric,
    of: [service, environment.name],
    atMs: nowMs - 2 * 60_000,
    value: 1,
  });
  state.datapoints = [
    datapoint('ExtractionCompleted', 'extract-approved-carts'),
    datapoint('ReconciliationCompleted', 'reconcile-carts'),
    datapoint('ConsumptionPaused', 'supervise-consumption'),
  ];
  state.alarms = [];
  state.subscriptionFilters = {};
  for (const resource of resources) {
    const id = idOf(resource);
    const properties: Record<string, unknown> = Object.fromEntries(
      Object.entries(resource.properties).map(([name, value]) => [name, resolveValue(value, deployed, place)]),
    );
    if (resource.type === 'AWS::Lambda::Function') {
      const { Timeout, MemorySize } = properties;
      state.functions[id] = {
        configuration: {
          Timeout,
          MemorySize,
          Environment: variables.parse(properties['Environment']),
          State: 'Active',
        },
      };
      state.datapoints.push({ metric: 'Invocations', of: [id], atMs: nowMs - 10 * 60_000, value: 7 });
    } else if (resource.type === 'AWS::Lambda::EventSourceMapping') {
      const { BatchSize, MaximumBatchingWindowInSeconds, ScalingConfig, FunctionResponseTypes } = properties;
      state.mappings[id] = {
        State: 'Enabled',
        LastProcessingResult: 'OK',
        BatchSize,
        MaximumBatchingWindowInSeconds,
        ScalingConfig,
        FunctionResponseTypes,
      };
    } else if (resource.type === 'AWS::Scheduler::Schedule') {
      const { ScheduleExpression, ScheduleExpressionTimezone } = properties;
      state.schedules[`${GROUP}/${id}`] = { State: 'ENABLED', ScheduleExpression, ScheduleExpressionTimezone };
    } else if (resource.type === 'AWS::Logs::SubscriptionFilter') {
      const { LogGroupName, DestinationArn } = subscription.parse(resource.properties);
      const destinationArn = `arn:aws:firehose:${state.region}:${state.account}:deliverystream/${DestinationArn['Fn::GetAtt'][0]}`;
      state.subscriptionFilters[LogGroupName.Ref] = [
        ...(state.subscriptionFilters[LogGroupName.Ref] ?? []),
        { name: id, pattern: String(properties['FilterPattern']), destinationArn },
      ];
    } else if (resource.type === 'AWS::SNS::Topic') {
      state.subscriptions[id] = [{ protocol: 'email', endpoint: 'p@x', arn: `${id}:1` }];
    } else if (resource.type === 'AWS::SQS::Queue') {
      await sqs.send(new SetQueueAttributesCommand({ QueueUrl: id, Attributes: queueAttributes(properties) }));
    } else if (resource.type.endsWith('Alarm')) {
      const { AlarmName: name } = named.parse(properties);
      state.alarms.push({ name, isComposite: resource.type.includes('Composite'), state: 'OK', isEnabled: true });
    }
  }
}

function queueAttributes(properties: Readonly<Record<string, unknown>>): Record<string, string> {
  const { MessageRetentionPeriod, VisibilityTimeout, RedrivePolicy } = properties;
  const given = { MessageRetentionPeriod, VisibilityTimeout: VisibilityTimeout ?? 30, RedrivePolicy };
  return Object.fromEntries(
    Object.entries(given)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
}
