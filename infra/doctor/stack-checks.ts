/** Checks the deployed stack: does it run, do carts wait, and does an alarm reach a person? */
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetEventSourceMappingCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { GetScheduleCommand, type SchedulerClient } from '@aws-sdk/client-scheduler';
import { paginateListSubscriptionsByTopic, type SNSClient } from '@aws-sdk/client-sns';
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { type BreakerItem, createBreakerRecord } from '../../shared/circuit-breaker.ts';
import { createLedgerTable, type LedgerTable } from '../../shared/ledger-table.ts';
import { bootstrapCommand, describeAwsError } from '../aws-account.ts';
import {
  type DeployedStack,
  isCreationFailure,
  readDeployedStack,
  type StackResource,
  unprotectCommand,
} from '../deployed-stack.ts';
import { type Environment, stackName } from '../environments.ts';
import { nextFiring } from '../schedule.ts';
import { fail, type Finding, notChecked, ok, runCheck, warn } from './finding.ts';

export interface StackContext {
  readonly environment: Environment;
  /** The environment as the user named it, for the commands that are advised. */
  readonly environmentName: string;
  readonly account: string;
  readonly region: string;
  readonly cloudformation: CloudFormationClient;
  readonly dynamodb: DynamoDBClient;
  readonly lambda: LambdaClient;
  readonly scheduler: SchedulerClient;
  readonly sns: SNSClient;
  readonly sqs: SQSClient;
  readonly timeoutMs: number;
  readonly now: () => number;
}

/** The checks of a stack, by the name that their lines begin with. */
const PARTS = {
  mapping: 'event source mapping',
  queue: 'cart queue',
  deadLetters: 'dead-letter queue',
  schedules: 'schedules',
  notifications: 'notifications',
  watermark: 'watermark',
} as const;

export async function checkStack(context: StackContext): Promise<readonly Finding[]> {
  let stack: DeployedStack | undefined;
  const state = await runCheck(
    'stack',
    context.timeoutMs,
    async () => {
      stack = await readDeployedStack(context.cloudformation, stackName(context.environment));
      return [stackFinding(stack, context)];
    },
    (error) =>
      fail(`stack cannot be asked for (${describeAwsError(error)})`, 'check your rights to read CloudFormation'),
  );
  const deployed = stack;
  // A first deployment that was rolled back leaves a stack with nothing in it.
  if (deployed === undefined || Object.keys(deployed.outputs).length === 0) {
    return [...state, ...Object.values(PARTS).map((what) => notChecked(what, 'the stack'))];
  }
  const part = (what: string, check: (stack: DeployedStack, context: StackContext) => Promise<readonly Finding[]>) =>
    runCheck(
      what,
      context.timeoutMs,
      () => check(deployed, context),
      (error) => unanswered(what, error, context),
    );
  const parts = await Promise.all([
    part(PARTS.mapping, checkMapping),
    part(PARTS.queue, checkQueue),
    part(PARTS.deadLetters, checkDeadLetters),
    part(PARTS.schedules, checkSchedules),
    part(PARTS.notifications, checkNotifications),
    part(PARTS.watermark, checkWatermark),
  ]);
  return [...state, ...parts.flat()];
}

function unanswered(what: string, error: unknown, context: StackContext): Finding {
  if (error instanceof OutputMissing) return fail(`${what}: ${error.message}`, deployCommand(context));
  return fail(
    `${what} cannot be asked for (${describeAwsError(error)})`,
    `check your rights; if it was deleted by hand, ${deployCommand(context)}`,
  );
}

const deployCommand = ({ environmentName }: StackContext): string => `npm run deploy -- --env ${environmentName}`;

function stackFinding(stack: DeployedStack | undefined, context: StackContext): Finding {
  const name = stackName(context.environment);
  if (stack === undefined) {
    return fail(
      `stack ${name} is not deployed in account ${context.account}, region ${context.region}`,
      `${deployCommand(context)} (once for an account and region before: ${bootstrapCommand(context, context.environmentName)})`,
    );
  }
  const what = `stack ${name} is ${stack.status}`;
  if (isCreationFailure(stack)) {
    const unprotect = stack.isProtected ? `${unprotectCommand(name, context.region)}, then ` : '';
    return fail(
      `${what}: its creation failed, and nothing of it runs`,
      `read the stack's events in CloudFormation, then ${unprotect}${deployCommand(context)}, which deletes what is left`,
    );
  }
  if (/^(CREATE|UPDATE|IMPORT)_COMPLETE$/.test(stack.status)) {
    const isUnprotected = context.environment.operation.terminationProtection && !stack.isProtected;
    return isUnprotected ? warn(`${what}, but not protected against deletion`, deployCommand(context)) : ok(what);
  }
  if (stack.status === 'UPDATE_ROLLBACK_COMPLETE') {
    return warn(
      what,
      `the last deployment failed and the one before runs; read its events, then ${deployCommand(context)}`,
    );
  }
  if (stack.status.endsWith('_IN_PROGRESS')) return warn(what, 'wait until the deployment has ended, and ask again');
  return fail(what, `read the stack's events in CloudFormation, then ${deployCommand(context)}`);
}

const resourcesOf = ({ resources }: DeployedStack, type: string): StackResource[] =>
  resources.filter((resource) => resource.type === type);

class OutputMissing extends Error {}

/** An output that the stack of this version has. @throws {OutputMissing} */
function output({ outputs }: DeployedStack, name: string): string {
  const value = outputs[name];
  if (value !== undefined) return value;
  throw new OutputMissing(`the stack has no output ${name}: another version of it is deployed`);
}

const ledgerTable = (stack: DeployedStack, { dynamodb }: StackContext): LedgerTable =>
  createLedgerTable(dynamodb, output(stack, 'LedgerTableName'));

const RESUME = `invoke the supervisor function with { "consumption": "resume" }`;

async function checkMapping(stack: DeployedStack, context: StackContext): Promise<readonly Finding[]> {
  const mappings = resourcesOf(stack, 'AWS::Lambda::EventSourceMapping');
  if (mappings.length === 0) return [fail(`${PARTS.mapping} is not in the stack`, deployCommand(context))];
  const breaker = createBreakerRecord(ledgerTable(stack, context));
  const findings = mappings.map(async ({ physicalId }) => {
    const { State: state = 'unknown', LastProcessingResult: result = '' } = await context.lambda.send(
      new GetEventSourceMappingCommand({ UUID: physicalId }),
    );
    const what = `${PARTS.mapping} is ${state}`;
    if (state.startsWith('Disabl')) return pausedFinding(await breaker.read(), what, physicalId);
    if (state !== 'Enabled') return warn(what, 'wait a minute, and ask again');
    if (/PROBLEM/i.test(result))
      return warn(
        `${what}, but Lambda reports a problem with it`,
        'read its last processing result in the Lambda console',
      );
    return ok(what);
  });
  return Promise.all(findings);
}

function pausedFinding({ state, reason }: BreakerItem, what: string, uuid: string): Finding {
  if (state === 'CLOSED') {
    return fail(
      `${what}, and not by the circuit breaker: no order is created`,
      `find out who disabled it and why, then enable the mapping ${uuid}`,
    );
  }
  const because = reason === '' ? '' : ` (${reason})`;
  return state === 'OPEN'
    ? fail(
        `${what}: the circuit breaker has paused deliveries${because}`,
        'correct the cause; consumption resumes by itself once 11VMS is healthy',
      )
    : fail(`${what}: deliveries are paused until a person resumes them${because}`, `once that is settled, ${RESUME}`);
}

async function depth({ sqs }: StackContext, url: string): Promise<{ waiting: number; inFlight: number }> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: [
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesDelayed',
        'ApproximateNumberOfMessagesNotVisible',
      ],
    }),
  );
  const waiting =
    Number(Attributes.ApproximateNumberOfMessages) + Number(Attributes.ApproximateNumberOfMessagesDelayed);
  return { waiting, inFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible) };
}

async function checkQueue(stack: DeployedStack, context: StackContext): Promise<readonly Finding[]> {
  const { waiting, inFlight } = await depth(context, output(stack, 'QueueUrl'));
  return [ok(`${PARTS.queue} holds ${waiting} carts, and ${inFlight} in delivery or waiting for a retry`)];
}

async function checkDeadLetters(stack: DeployedStack, context: StackContext): Promise<readonly Finding[]> {
  const { waiting, inFlight } = await depth(context, output(stack, 'DeadLetterQueueUrl'));
  const carts = waiting + inFlight;
  if (carts === 0) return [ok(`${PARTS.deadLetters} is empty`)];
  return [
    warn(
      `${PARTS.deadLetters} holds ${carts} carts that need a person`,
      'read the reason of each in the ledger or the log, have it corrected, then start a redrive (infra/runbook.md, "Read a dead letter" and "Redrive")',
    ),
  ];
}

async function checkSchedules(stack: DeployedStack, context: StackContext): Promise<readonly Finding[]> {
  const schedules = resourcesOf(stack, 'AWS::Scheduler::Schedule');
  if (schedules.length === 0) return [fail(`${PARTS.schedules} are not in the stack`, deployCommand(context))];
  const groups = resourcesOf(stack, 'AWS::Scheduler::ScheduleGroup').map(({ physicalId }) => physicalId);
  return Promise.all(
    schedules.map(async ({ physicalId: name }) => {
      const state = await scheduleState(context, name, groups.length === 0 ? ['default'] : groups);
      const what = `schedule ${name} is ${state}`;
      return state === 'ENABLED'
        ? ok(what)
        : fail(what, `enable it in EventBridge Scheduler, or ${deployCommand(context)}`);
    }),
  );
}

/** Scheduler needs the group of a schedule, and CloudFormation returns only the name. */
async function scheduleState({ scheduler }: StackContext, name: string, groups: readonly string[]): Promise<string> {
  for (const group of groups) {
    try {
      const { State: state } = await scheduler.send(new GetScheduleCommand({ Name: name, GroupName: group }));
      return state ?? 'unknown';
    } catch (error) {
      if (!(error instanceof Error && error.name === 'ResourceNotFoundException')) throw error;
    }
  }
  return 'deleted';
}

async function checkNotifications(stack: DeployedStack, context: StackContext): Promise<readonly Finding[]> {
  const topics = resourcesOf(stack, 'AWS::SNS::Topic');
  const addRecipients = 'set notifications in the environment entry, then deploy again';
  if (topics.length === 0) return [warn(`${PARTS.notifications}: alarms have no recipient`, addRecipients)];
  const findings = topics.map(async ({ physicalId: topic }): Promise<Finding[]> => {
    const name = topic.split(':').at(-1) ?? topic;
    const subscriptions: { protocol: string; pending: boolean }[] = [];
    for await (const page of paginateListSubscriptionsByTopic({ client: context.sns }, { TopicArn: topic })) {
      for (const { Protocol = '', SubscriptionArn: arn = '' } of page.Subscriptions ?? []) {
        if (arn !== 'Deleted') subscriptions.push({ protocol: Protocol, pending: arn === 'PendingConfirmation' });
      }
    }
    if (subscriptions.length === 0)
      return [warn(`${PARTS.notifications}: topic ${name} has no subscription`, addRecipients)];
    // Not the endpoint: PagerDuty's holds the integration key.
    return subscriptions.map(({ protocol, pending }) =>
      pending
        ? fail(
            `${PARTS.notifications}: the ${protocol} subscription of topic ${name} is not confirmed, and receives nothing`,
            protocol.startsWith('email')
              ? 'open the confirmation message from AWS and follow its link; deploy again if it is older than 3 days'
              : 'request the confirmation again in the SNS console, and see that the endpoint answers',
          )
        : ok(`${PARTS.notifications}: the ${protocol} subscription of topic ${name} is confirmed`),
    );
  });
  return (await Promise.all(findings)).flat();
}

const watermarkItem = z.object({ watermarkMs: z.number().optional() });
/** After so many scheduled runs the watermark should have moved. */
const MISSED_RUNS = 3;

async function checkWatermark(stack: DeployedStack, context: StackContext): Promise<readonly Finding[]> {
  const { environment, now } = context;
  const { extraction, srm } = environment;
  const item = await ledgerTable(stack, context).getItem({ pk: `WATERMARK#${srm.client}`, sk: 'WATERMARK' });
  const { watermarkMs } = watermarkItem.parse(item ?? {});
  const firstMs = Date.parse(extraction.firstWatermark);
  const reading = 'read the extractor`s log: its last "Extraction failed" says why';
  if (watermarkMs === undefined) {
    const first = `the first watermark, ${isoSeconds(firstMs)}`;
    if (firstMs > now()) return [ok(`${PARTS.watermark}: nothing is read before ${first}`)];
    return [warn(`${PARTS.watermark}: nothing has been read since ${first}`, reading)];
  }
  if (watermarkMs < firstMs) {
    return [
      fail(
        `${PARTS.watermark}: SRM is read up to ${isoSeconds(watermarkMs)}, and the next run starts at ${isoSeconds(firstMs)}: what changed between is not read`,
        'lower extraction.firstWatermark to what it was, and deploy again',
      ),
    ];
  }
  const what = `${PARTS.watermark}: SRM is read up to ${isoSeconds(watermarkMs)}`;
  const due = runsAfter(extraction, watermarkMs + extraction.safetySeconds * 1000);
  return [due === undefined || due > now() ? ok(what) : fail(`${what}; since then no run has completed`, reading)];
}

/** The time of the last of {@link MISSED_RUNS} runs after an instant. */
function runsAfter({ schedule, timeZone }: Environment['extraction'], fromMs: number): number | undefined {
  let at: Date | undefined = new Date(fromMs);
  for (let run = 0; run < MISSED_RUNS && at !== undefined; run++) at = nextFiring(schedule, timeZone, at);
  return at?.getTime();
}

const isoSeconds = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');
