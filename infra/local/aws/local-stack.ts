/** Runs one synthesized stack: resources on the emulators, functions in processes, pollers on the queues. */
import { DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import { type AwsClients, createAwsClients, type FunctionEndpoints } from './aws-clients.ts';
import { type Emulators, type QueueContents, startEmulators } from './emulators.ts';
import { type BatchEvent, EventSourceMapping } from './event-source-mapping.ts';
import type { InvocationResult, LogLine } from './execution-environment.ts';
import { startLambdaApi } from './lambda-api.ts';
import { LambdaFunction } from './lambda-function.ts';
import {
  type FunctionDescription,
  provision,
  type QueueDescription,
  type ScheduleDescription,
  type TableDescription,
} from './provision.ts';
import { nextFiring } from '../../schedule.ts';
import { scheduledEvent } from './scheduled-event.ts';
import { loadTemplate } from './template.ts';

export interface LocalStackOptions {
  /** The directory of the assembly, and the stack's name in it, as infra/synthesize.ts returns them. */
  readonly assembly: string;
  readonly artifact: string;
  /** Secret strings by secret name, one for every secret of the template. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Running emulators. Without them the stack starts its own and closes them. */
  readonly emulators?: Emulators;
  /** Replaces values of environment variables. A variable that a function does not have is not added. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Replaces the invocation by an event source mapping, so that a test can disturb it. */
  readonly invoke?: (target: LambdaFunction, event: SQSEvent) => Promise<InvocationResult>;
  readonly onLogLine?: (line: LogLine) => void;
  readonly onBatch?: (event: BatchEvent) => void;
  /** Called when SQS fails. The poller tries again. */
  readonly onError: (error: unknown) => void;
}

/** A queue of the stack. `deadLetters` is the queue that its redrive policy names. */
export interface LocalQueue extends QueueDescription {
  readonly deadLetters: LocalQueue | undefined;
  inspect(): Promise<QueueContents>;
  /**
   * Moves the dead letters back to this queue, as "redrive to source" does (StartMessageMoveTask, which the emulator
   * lacks). Each body is sent as a new message, so its receives start at 1. Returns how many were moved.
   */
  redriveDeadLetters(): Promise<number>;
}

/** A schedule of the stack. It does not fire by itself: the caller fires it. */
export interface LocalSchedule {
  readonly description: ScheduleDescription;
  readonly target: LambdaFunction;
  nextFiring(after: Date): Date | undefined;
  /** Invokes the target with the schedule's input. */
  fire(at: Date): Promise<InvocationResult>;
}

/** An event source mapping with its queue and its function. It does not poll before `startMappings`. */
export interface LocalMapping {
  readonly poller: EventSourceMapping;
  readonly queue: LocalQueue;
  readonly target: LambdaFunction;
}

export interface LocalStack {
  readonly region: string;
  readonly emulators: Emulators;
  /** Of the emulators and of the local Lambda. */
  readonly endpoints: FunctionEndpoints;
  readonly clients: AwsClients;
  readonly functions: readonly LambdaFunction[];
  readonly queues: readonly LocalQueue[];
  readonly tables: readonly TableDescription[];
  readonly schedules: readonly LocalSchedule[];
  readonly mappings: readonly LocalMapping[];
  /** The template's outputs, resolved. */
  readonly outputs: Readonly<Record<string, string>>;
  /** The schedule that invokes the function with this service name. @throws {Error} when the stack has none or several. */
  scheduleOf(service: string): LocalSchedule;
  /** The mapping that feeds the function with this service name. @throws {Error} when the stack has none or several. */
  mappingOf(service: string): LocalMapping;
  /** Starts all pollers. A mapping that the template disables waits until it is enabled. */
  startMappings(): void;
  /** Receives no more, and resolves when the batches in flight have ended. */
  stopMappings(): Promise<void>;
  /** Ends everything at once. Running invocations end as crashed. */
  close(): Promise<void>;
}

/** Provisions a stack. @throws {Error} that names the resource or port; then nothing is left running. */
export async function startLocalStack(options: LocalStackOptions): Promise<LocalStack> {
  const template = loadTemplate(options.assembly, options.artifact);
  const { region } = template;
  const emulators = options.emulators ?? (await startEmulators());
  const clients = createAwsClients(emulators.endpoints, region);
  const functions: LambdaFunction[] = [];
  const mappings: LocalMapping[] = [];
  const lambdaApi = await startLambdaApi(() => ({ functions, mappings: mappings.map(({ poller }) => poller) }));
  const endpoints = { ...emulators.endpoints, lambda: lambdaApi.url };
  const release = async (): Promise<void> => {
    for (const client of Object.values(clients)) client.destroy();
    await lambdaApi.close();
    if (options.emulators === undefined) await emulators.close();
  };
  try {
    const provisioned = await provision(template, {
      clients,
      endpoints: emulators.endpoints,
      secrets: options.secrets,
    });

    for (const description of provisioned.functions) {
      const onLogLine = options.onLogLine === undefined ? {} : { onLogLine: options.onLogLine };
      const adjusted = withVariables(description, options.variables ?? {});
      functions.push(new LambdaFunction(adjusted, { region, endpoints, ...onLogLine }));
    }
    const functionOf = ({ logicalId }: FunctionDescription): LambdaFunction =>
      only(
        functions.filter((candidate) => candidate.description.logicalId === logicalId),
        logicalId,
      );

    const queueUrlOf = (arn: string | undefined): string | undefined =>
      provisioned.queues.find((candidate) => candidate.arn === arn)?.url;
    const queues = new Map<string, LocalQueue>();
    for (const description of provisioned.queues) {
      queues.set(description.arn, {
        ...description,
        // Provisioning puts a dead-letter queue before its source, because the redrive policy refers to it.
        deadLetters: description.deadLetterArn === undefined ? undefined : queues.get(description.deadLetterArn),
        inspect: () => emulators.inspectQueue(description.name),
        redriveDeadLetters: () => moveMessages(clients.sqs, queueUrlOf(description.deadLetterArn), description.url),
      });
    }

    const schedules = provisioned.schedules.map((description): LocalSchedule => {
      const target = functionOf(description.target);
      const next = (after: Date): Date | undefined => nextFiring(description.expression, description.timeZone, after);
      // An invalid schedule expression is refused now, not when it would fire.
      next(new Date(0));
      return {
        description,
        target,
        nextFiring: next,
        fire: (at) => target.invoke(scheduledEvent(description, region, at)),
      };
    });

    for (const description of provisioned.mappings) {
      const target = functionOf(description.target);
      const queue = only(
        [...queues.values()].filter(({ arn }) => arn === description.queue.arn),
        description.queue.logicalId,
      );
      const poller = new EventSourceMapping(description, {
        sqs: clients.sqs,
        region,
        invoke: (event) => options.invoke?.(target, event) ?? target.invoke(event),
        ...(options.onBatch === undefined ? {} : { onBatch: options.onBatch }),
        onError: options.onError,
      });
      mappings.push({ poller, queue, target });
    }

    return {
      region,
      emulators,
      endpoints,
      clients,
      functions,
      queues: [...queues.values()],
      tables: provisioned.tables,
      schedules,
      mappings,
      outputs: provisioned.outputs,
      scheduleOf: (service) =>
        only(
          schedules.filter(({ target }) => target.description.variables['POWERTOOLS_SERVICE_NAME'] === service),
          `schedule of ${service}`,
        ),
      mappingOf: (service) =>
        only(
          mappings.filter(({ target }) => target.description.variables['POWERTOOLS_SERVICE_NAME'] === service),
          `event source mapping of ${service}`,
        ),
      startMappings() {
        for (const { poller } of mappings) poller.start();
      },
      async stopMappings() {
        await Promise.all(mappings.map(({ poller }) => poller.stop()));
      },
      async close() {
        const aborted = mappings.map(({ poller }) => poller.abort());
        await Promise.all(functions.map((lambda) => lambda.close()));
        await Promise.all(aborted);
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

function withVariables(
  description: FunctionDescription,
  others: Readonly<Record<string, string>>,
): FunctionDescription {
  const variables = Object.entries(description.variables).map(([name, value]) => [name, others[name] ?? value]);
  return { ...description, variables: Object.fromEntries(variables) };
}

/** The only item of a list. @throws {Error} when there is none, or more than one. */
export function only<Thing>(things: readonly Thing[], what: string): Thing {
  const [thing] = things;
  if (thing !== undefined && things.length === 1) return thing;
  throw new Error(`Expected exactly one ${what} in the template, found ${things.length}.`);
}

/** Sends each message before it deletes it: a crash between the two doubles a message but loses none. */
async function moveMessages(sqs: SQSClient, from: string | undefined, to: string): Promise<number> {
  if (from === undefined) return 0;
  for (let moved = 0; ; ) {
    const { Messages: messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: from, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] }),
    );
    if (messages.length === 0) return moved;
    for (const { Body, MessageAttributes, ReceiptHandle } of messages) {
      await sqs.send(
        new SendMessageCommand({
          QueueUrl: to,
          MessageBody: Body,
          ...(MessageAttributes === undefined ? {} : { MessageAttributes }),
        }),
      );
      await sqs.send(new DeleteMessageCommand({ QueueUrl: from, ReceiptHandle }));
      moved += 1;
    }
  }
}
