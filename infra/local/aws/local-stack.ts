/** One synthesized stack, running: its resources on the emulators, its functions in processes, its queue polled. */
import { DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import { type AwsClients, createAwsClients } from './aws-clients.ts';
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
import { nextFiring, scheduledEvent } from '../../schedule.ts';
import { loadTemplate } from './template.ts';

/** What to run, and who listens. */
export interface LocalStackOptions {
  /** The assembly's directory, and the stack's name in it: what infra/synthesize.ts returns. */
  readonly assembly: string;
  readonly artifact: string;
  /** Secret strings by secret name: one for every secret of the template. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Emulators to stand on; otherwise the stack starts its own, and closes them. */
  readonly emulators?: Emulators;
  /** Values in place of the template's, by the name of the variable; a function gets those it has anyway. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Invokes the target of an event source mapping; who wants to trouble an invocation does it here. */
  readonly invoke?: (target: LambdaFunction, event: SQSEvent) => Promise<InvocationResult>;
  readonly onLogLine?: (line: LogLine) => void;
  readonly onBatch?: (event: BatchEvent) => void;
  /** A failing queue, which the poller goes on trying. */
  readonly onError: (error: unknown) => void;
}

/** A queue of the stack; `deadLetters` is where its redrive policy points. */
export interface LocalQueue extends QueueDescription {
  readonly deadLetters: LocalQueue | undefined;
  inspect(): Promise<QueueContents>;
  /**
   * Moves what lies in the dead-letter queue back here, as "redrive to source" does (StartMessageMoveTask, which the
   * emulator lacks): each body as a new message, whose receives begin again. Answers how many.
   */
  redriveDeadLetters(): Promise<number>;
}

/** A schedule of the stack; when it fires is up to the caller's clock. */
export interface LocalSchedule {
  readonly description: ScheduleDescription;
  readonly target: LambdaFunction;
  nextFiring(after: Date): Date | undefined;
  /** Invokes the target with what the schedule sends it. */
  fire(at: Date): Promise<InvocationResult>;
}

/** An event source mapping of the stack with both its ends; it polls only once started. */
export interface LocalMapping {
  readonly poller: EventSourceMapping;
  readonly queue: LocalQueue;
  readonly target: LambdaFunction;
}

/** The running stack. */
export interface LocalStack {
  readonly region: string;
  readonly emulators: Emulators;
  readonly clients: AwsClients;
  readonly functions: readonly LambdaFunction[];
  readonly queues: readonly LocalQueue[];
  readonly tables: readonly TableDescription[];
  readonly schedules: readonly LocalSchedule[];
  readonly mappings: readonly LocalMapping[];
  /** The template's outputs, resolved. */
  readonly outputs: Readonly<Record<string, string>>;
  /**
   * The schedule that starts the function of a role, such as the extractor's, with this input, or with none.
   * @throws {Error} when there is not just one.
   */
  scheduleOf(service: string, input?: string): LocalSchedule;
  /** Starts all pollers; those that the template disables wait to be enabled. */
  startMappings(): void;
  /** Lets in-flight batches end, and receives no more. */
  stopMappings(): Promise<void>;
  /** Ends everything at once. */
  close(): Promise<void>;
}

/** Provisions a stack. @throws {Error} that names the resource or the port at fault; nothing is left running then. */
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
      const told = withVariables(description, options.variables ?? {});
      functions.push(new LambdaFunction(told, { region, endpoints, ...onLogLine }));
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
        // Dead-letter queues come first: the redrive policy made provisioning see to that.
        deadLetters: description.deadLetterArn === undefined ? undefined : queues.get(description.deadLetterArn),
        inspect: () => emulators.inspectQueue(description.name),
        redriveDeadLetters: () => moveMessages(clients.sqs, queueUrlOf(description.deadLetterArn), description.url),
      });
    }

    const schedules = provisioned.schedules.map((description): LocalSchedule => {
      const target = functionOf(description.target);
      const next = (after: Date): Date | undefined => nextFiring(description.expression, description.timeZone, after);
      // An expression that nobody can read is refused now, not when it should have fired.
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
      clients,
      functions,
      queues: [...queues.values()],
      tables: provisioned.tables,
      schedules,
      mappings,
      outputs: provisioned.outputs,
      scheduleOf: (service, input) =>
        only(
          schedules.filter(
            ({ target, description }) =>
              target.description.variables['POWERTOOLS_SERVICE_NAME'] === service && description.input === input,
          ),
          `schedule of ${service} with ${input ?? 'no input'}`,
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

/** The one thing of a list. @throws {Error} when there are none, or several. */
export function only<Thing>(things: readonly Thing[], what: string): Thing {
  const [thing] = things;
  if (thing !== undefined && things.length === 1) return thing;
  throw new Error(`Expected exactly one ${what} in the template, found ${things.length}.`);
}

/** A message is on the other queue before it is taken from the first: a crash doubles it, and loses nothing. */
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
