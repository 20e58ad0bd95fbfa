/** Checks the deployed stack: does it run as the entry says, do carts wait, and does an alarm reach a person? */
import { GetEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import { GetScheduleCommand } from '@aws-sdk/client-scheduler';
import { paginateListSubscriptionsByTopic } from '@aws-sdk/client-sns';
import * as z from 'zod';
import { reportPause } from '../../functions/supervise-consumption/pause-report.ts';
import { countWaitingCarts } from '../../functions/supervise-consumption/waiting-carts.ts';
import { type BreakerItem, createBreakerRecord } from '../../shared/circuit-breaker.ts';
import { describeAwsError } from '../aws-account.ts';
import {
  type DeployedStack,
  isCreationFailure,
  isWorkerMapping,
  readDeployedStack,
  regionsWithStack,
  unprotectCommand,
} from '../deployed-stack.ts';
import { describeValueMaps } from '../deployment.ts';
import { type Environment, stackName } from '../environments.ts';
import { checkAlarms } from './alarm-checks.ts';
import { checkCloudAlm } from './cloud-alm-checks.ts';
import { differences } from './drift.ts';
import { fail, type Finding, notChecked, ok, runCheck, warn } from './finding.ts';
import { checkEvents } from './event-checks.ts';
import { checkFunctions } from './function-checks.ts';
import { checkJobs, runsAfter } from './job-checks.ts';
import { checkLogForwarding } from './log-forwarding-checks.ts';
import { checkMessageKey } from './message-key-check.ts';
import { checkQueues } from './queue-checks.ts';
import { readRoutingKey } from './routing-key.ts';
import {
  alignAdvice,
  comparableResources,
  deployCommand,
  type DeployedContext,
  ledgerTable,
  missingResources,
  output,
  OutputMissing,
  resourcesOf,
  type StackContext,
} from './stack-context.ts';

const RESUME = `invoke the supervisor function with { "consumption": "resume", "by": "<you>", "reason": "<why>" }`;

type Check = (context: DeployedContext) => Promise<readonly Finding[]>;

/** The checks of a stack, by the name that a check has where it gives no answer. */
const PARTS: Readonly<Record<string, Check>> = {
  resources: checkResources,
  functions: checkFunctions,
  'event source mapping': checkMapping,
  queues: checkQueues,
  'message key': checkMessageKey,
  schedules: checkSchedules,
  alarms: checkAlarms,
  notifications: checkNotifications,
  watermark: checkWatermark,
  jobs: checkJobs,
};

/** Those of the optional blocks only where the entry has them. */
const partsOf = ({ logForwarding, cloudAlm, events, orderNumbers }: Environment): Readonly<Record<string, Check>> => ({
  ...PARTS,
  ...(events === undefined && orderNumbers === undefined ? {} : { events: checkEvents }),
  ...(logForwarding === undefined ? {} : { 'log forwarding': checkLogForwarding(logForwarding) }),
  ...(cloudAlm === undefined ? {} : { 'Cloud ALM': checkCloudAlm(cloudAlm) }),
});

export async function checkStack(context: StackContext): Promise<readonly Finding[]> {
  let stack: DeployedStack | undefined;
  const state = await runCheck(
    'stack',
    context.timeoutMs,
    async () => {
      stack = await readDeployedStack(context.cloudformation, stackName(context.environment));
      return [stack === undefined ? await absentFinding(context) : stackFinding(stack, context)];
    },
    (error) =>
      fail(`stack cannot be asked for (${describeAwsError(error)})`, 'check your rights to read CloudFormation'),
  );
  const deployed = stack;
  // A first deployment that was rolled back leaves a stack with nothing in it.
  if (deployed === undefined || Object.keys(deployed.outputs).length === 0) {
    return [...state, ...Object.keys(partsOf(context.environment)).map((what) => notChecked(what, 'the stack'))];
  }
  const deployedContext: DeployedContext = {
    ...context,
    stack: deployed,
    expected: await context.expectStack(context.environment),
  };
  const parts = await Promise.all(
    Object.entries(partsOf(context.environment)).map(([what, check]) =>
      runCheck(
        what,
        context.timeoutMs,
        () => check(deployedContext),
        (error) => unanswered(what, error, context),
      ),
    ),
  );
  return [...state, ...parts.flat()];
}

function unanswered(what: string, error: unknown, context: StackContext): Finding {
  if (error instanceof OutputMissing) return fail(`${what}: ${error.message}`, deployCommand(context));
  return fail(
    `${what} cannot be asked for (${describeAwsError(error)})`,
    `check your rights; if it was deleted by hand, ${deployCommand(context)}`,
  );
}

/**
 * A second stack would order a second time what the first one has ordered, as far as 11VMS lets it: where none is found, the
 * place is doubted first.
 */
async function absentFinding(context: StackContext): Promise<Finding> {
  const { account, region, environment, cloudformationOf } = context;
  const name = stackName(environment);
  const what = `stack ${name} is not in account ${account}, region ${region}`;
  const { found, unanswered } = await regionsWithStack(name, region, cloudformationOf);
  const where = 'set "region" in the environment entry, or AWS_REGION';
  if (found.length > 0) return fail(`${what}; it is in ${found.join(' and ')}`, `${where}, to that region`);
  const others =
    unanswered.length === 0
      ? 'and in no other region of this account'
      : `other regions may hold it: ${unanswered.length} gave no answer (${unanswered.join(', ')})`;
  return fail(
    `${what}; ${others}`,
    `check the account and the region: ${where}. How a stack is deployed for the first time: infra/deploying.md`,
  );
}

function stackFinding(stack: DeployedStack, context: StackContext): Finding {
  const name = stackName(context.environment);
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

/** Which deployment runs, with which value maps, and is everything there that the entry asks for? */
async function checkResources(context: DeployedContext): Promise<readonly Finding[]> {
  const { Deployment: deployment, ValueMaps: deployed } = context.stack.outputs;
  const said = deployment === undefined ? [] : [ok(`deployment: ${deployment}`)];
  const wanted = describeValueMaps(context.environment);
  const maps =
    deployed === wanted
      ? ok(`value maps are deployed as the entry says: ${wanted}`)
      : fail(
          `value maps differ: deployed are ${deployed ?? 'unknown ones'}; the entry has ${wanted}`,
          `npm run deploy -- --env ${context.environmentName} --diff shows them line by line; then correct the entry, or deploy`,
        );
  const missing = missingResources(context).map(({ logicalId, type }) => `${logicalId} (${type})`);
  const { length: count } = context.expected.resources;
  if (missing.length === 0) return [...said, maps, ok(`resources: all ${count} of the entry are in the stack`)];
  return [
    ...said,
    maps,
    fail(
      `resources: the stack lacks ${missing.length} of ${count}: ${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ', ...' : ''}`,
      `the entry was changed since, or another version is deployed; ${deployCommand(context)}`,
    ),
  ];
}

const mappingProperties = z.object({
  BatchSize: z.number(),
  MaximumBatchingWindowInSeconds: z.number().default(0),
  ScalingConfig: z.object({ MaximumConcurrency: z.number() }),
  FunctionResponseTypes: z.array(z.string()),
});
/** The supervisor, which runs every minute, disables the mapping of an open breaker. */
const PAUSING_MS = 3 * 60_000;

async function checkMapping(context: DeployedContext): Promise<readonly Finding[]> {
  const mappings = comparableResources(context, 'AWS::Lambda::EventSourceMapping');
  const breaker = createBreakerRecord(ledgerTable(context));
  const findings = mappings.map(async (mapping) => {
    const { physicalId, expected } = mapping;
    const deployed = await context.lambda.send(new GetEventSourceMappingCommand({ UUID: physicalId }));
    const { State: state = 'unknown', LastProcessingResult: result = '' } = deployed;
    const wanted = mappingProperties.safeParse(expected).data;
    const differing = differences([
      { name: 'batch size', expected: wanted?.BatchSize, deployed: deployed.BatchSize },
      {
        name: 'batching window (seconds)',
        expected: wanted?.MaximumBatchingWindowInSeconds,
        deployed: deployed.MaximumBatchingWindowInSeconds ?? 0,
      },
      {
        name: 'maximum concurrency',
        expected: wanted?.ScalingConfig.MaximumConcurrency,
        deployed: deployed.ScalingConfig?.MaximumConcurrency,
      },
      { name: 'response types', expected: wanted?.FunctionResponseTypes, deployed: deployed.FunctionResponseTypes },
    ]);
    const drift =
      differing.length === 0
        ? []
        : [fail(`event source mapping differs: ${differing.join('; ')}`, alignAdvice(context))];
    // The breaker pauses the worker alone.
    const item = isWorkerMapping(mapping) ? await breaker.read() : undefined;
    return [await mappingFinding({ state, result, uuid: physicalId }, item, context), ...drift];
  });
  return (await Promise.all(findings)).flat();
}

interface Mapping {
  readonly state: string;
  readonly result: string;
  readonly uuid: string;
}

/** Judges the mapping together with the breaker, which decides what it should be; without one, it should be enabled. */
async function mappingFinding(
  { state, result, uuid }: Mapping,
  breaker: BreakerItem | undefined,
  context: DeployedContext,
): Promise<Finding> {
  const what = `event source mapping${breaker === undefined ? ' of the order numbers' : ''} is ${state}`;
  if (state.startsWith('Disabl') && breaker === undefined)
    return fail(`${what}: no number goes back to SRM`, `find out why, then enable the mapping ${uuid}`);
  if (state.startsWith('Disabl') && breaker !== undefined) return pausedFinding(breaker, what, uuid, context);
  if (state !== 'Enabled') return warn(what, 'wait a minute, and ask again');
  if (breaker !== undefined && breaker.state !== 'CLOSED') return unpausedFinding(breaker, what, context.now());
  if (/PROBLEM/i.test(result)) {
    return warn(
      `${what}, but Lambda reports a problem with it`,
      'read its last processing result in the Lambda console',
    );
  }
  return ok(what);
}

/** An operator or a deployment enabled it, or the supervisor has not disabled it yet. */
function unpausedFinding({ state, reason, sinceMs }: BreakerItem, what: string, nowMs: number): Finding {
  const text = `${what} while the circuit breaker is ${state}${because(reason)}: carts are tried that should wait`;
  return nowMs - sinceMs < PAUSING_MS
    ? warn(text, 'the supervisor disables it within a minute; ask again')
    : fail(
        text,
        'find out why the supervisor does not disable it: read its log (infra/runbook.md, "consumption-paused")',
      );
}

const because = (reason: string): string => (reason === '' ? '' : ` (${reason})`);

async function pausedFinding(
  breaker: BreakerItem,
  what: string,
  uuid: string,
  context: DeployedContext,
): Promise<Finding> {
  if (breaker.state === 'CLOSED') {
    return fail(
      `${what}, and not by the circuit breaker: no order is created`,
      `find out who disabled it and why, then enable the mapping ${uuid}`,
    );
  }
  const waiting = await countWaitingCarts(context.sqs, output(context, 'QueueUrl')).catch(() => undefined);
  const { summary = '' } = reportPause({ item: breaker, waiting, trial: undefined, nowMs: context.now() });
  return fail(
    `${what}, by the circuit breaker. ${summary}`,
    breaker.state === 'OPEN'
      ? 'correct the cause (infra/runbook.md, "consumption-paused"); consumption resumes by itself once 11VMS is healthy'
      : `once that is settled, ${RESUME}`,
  );
}

const scheduleProperties = z.object({
  ScheduleExpression: z.string(),
  ScheduleExpressionTimezone: z.string().default('UTC'),
});

async function checkSchedules(context: DeployedContext): Promise<readonly Finding[]> {
  const groups = resourcesOf(context, 'AWS::Scheduler::ScheduleGroup').map(({ physicalId }) => physicalId);
  const schedules = comparableResources(context, 'AWS::Scheduler::Schedule');
  const findings = schedules.map(async ({ physicalId: name, expected }): Promise<Finding[]> => {
    const deployed = await findSchedule(context, name, groups.length === 0 ? ['default'] : groups);
    const what = `schedule ${name} is ${deployed?.State ?? 'deleted'}`;
    if (deployed?.State !== 'ENABLED') {
      return [fail(what, `enable it in EventBridge Scheduler, or ${deployCommand(context)}`)];
    }
    const wanted = scheduleProperties.safeParse(expected).data;
    const differing = differences([
      { name: 'expression', expected: wanted?.ScheduleExpression, deployed: deployed.ScheduleExpression },
      {
        name: 'time zone',
        expected: wanted?.ScheduleExpressionTimezone,
        deployed: deployed.ScheduleExpressionTimezone ?? 'UTC',
      },
    ]);
    if (differing.length === 0) return [ok(what)];
    return [fail(`schedule ${name} differs: ${differing.join('; ')}`, alignAdvice(context))];
  });
  return (await Promise.all(findings)).flat();
}

/** Scheduler needs the group of a schedule, and CloudFormation returns only the name. Undefined for none. */
async function findSchedule({ scheduler }: StackContext, name: string, groups: readonly string[]) {
  for (const group of groups) {
    try {
      return await scheduler.send(new GetScheduleCommand({ Name: name, GroupName: group }));
    } catch (error) {
      if (!(error instanceof Error && error.name === 'ResourceNotFoundException')) throw error;
    }
  }
  return undefined;
}

async function checkNotifications(context: DeployedContext): Promise<readonly Finding[]> {
  const topics = resourcesOf(context, 'AWS::SNS::Topic');
  const addRecipients = 'set notifications in the environment entry, then deploy again';
  const key = await pagerDutyFindings(context);
  const findings = topics.map(async ({ physicalId: topic }): Promise<Finding[]> => {
    const name = topic.split(':').at(-1) ?? topic;
    const subscriptions: { protocol: string; pending: boolean }[] = [];
    for await (const page of paginateListSubscriptionsByTopic({ client: context.sns }, { TopicArn: topic })) {
      for (const { Protocol = '', SubscriptionArn: arn = '' } of page.Subscriptions ?? []) {
        if (arn !== 'Deleted') subscriptions.push({ protocol: Protocol, pending: arn === 'PendingConfirmation' });
      }
    }
    if (subscriptions.length === 0) return [warn(`notifications: topic ${name} has no subscription`, addRecipients)];
    // Not the endpoint: one of another kind may hold a key.
    return subscriptions.map(({ protocol, pending }) =>
      pending
        ? fail(
            `notifications: the ${protocol} subscription of topic ${name} is not confirmed, and receives nothing`,
            protocol.startsWith('email')
              ? 'open the confirmation message from AWS and follow its link; deploy again if it is older than 3 days'
              : 'request the confirmation again in the SNS console, and see that the endpoint answers',
          )
        : ok(`notifications: the ${protocol} subscription of topic ${name} is confirmed`),
    );
  });
  return [...key, ...(await Promise.all(findings)).flat()];
}

/** Is the key there, which CloudFormation puts into the connection? */
async function pagerDutyFindings({ environment, secrets }: DeployedContext): Promise<Finding[]> {
  const { pagerDuty } = environment.notifications;
  if (pagerDuty === undefined) return [];
  const { routingKeySecretName: name } = pagerDuty;
  const key = await readRoutingKey(secrets, name);
  if (key.isUsable) return [ok(`notifications: the secret ${name} holds a key of PagerDuty`)];
  return [fail(`notifications: the secret ${name} ${key.why}`, key.advice)];
}

const watermarkItem = z.object({ watermarkMs: z.number().optional() });

async function checkWatermark(context: DeployedContext): Promise<readonly Finding[]> {
  const { environment, now } = context;
  const { extraction, srm } = environment;
  const item = await ledgerTable(context).getItem({ pk: `WATERMARK#${srm.client}`, sk: 'WATERMARK' });
  const { watermarkMs } = watermarkItem.parse(item ?? {});
  const firstMs = Date.parse(extraction.firstWatermark);
  const reading = 'find out why its runs fail (infra/runbook.md, "no-extraction")';
  if (watermarkMs === undefined) {
    const first = `the first watermark, ${isoSeconds(firstMs)}`;
    if (firstMs > now()) return [ok(`watermark: nothing is read before ${first}`)];
    return [warn(`watermark: nothing has been read since ${first}`, reading)];
  }
  if (watermarkMs < firstMs) {
    return [
      fail(
        `watermark: SRM is read up to ${isoSeconds(watermarkMs)}, and the next run starts at ${isoSeconds(firstMs)}: what changed between is not read`,
        'lower extraction.firstWatermark to what it was, and deploy again',
      ),
    ];
  }
  const what = `watermark: SRM is read up to ${isoSeconds(watermarkMs)}`;
  const due = runsAfter(extraction, watermarkMs + extraction.safetySeconds * 1000);
  return [due === undefined || due > now() ? ok(what) : fail(`${what}; since then no run has completed`, reading)];
}

const isoSeconds = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');
