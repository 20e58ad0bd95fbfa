/** One execution environment of a local Lambda: a process with the handler loaded. It runs one invocation at a time. */
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import * as z from 'zod';
import { type FunctionEndpoints, LOCAL_CREDENTIALS } from './aws-clients.ts';
import type { InvocationMessage } from './lambda-process.ts';
import type { FunctionDescription } from './provision.ts';

const PROCESS_FILE = join(import.meta.dirname, 'lambda-process.ts');
/** Lambda's limit for loading the code. */
const INIT_LIMIT_MS = 10_000;
/** Lambda's limit for a response. */
const MAX_PAYLOAD_BYTES = 6 * 1024 * 1024;

const failure = { errorType: z.string(), errorMessage: z.string(), trace: z.array(z.string()) };
const messageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('unloadable'), ...failure }),
  z.object({ type: z.literal('succeeded'), payload: z.string() }),
  z.object({ type: z.literal('failed'), ...failure }),
]);
type Message = z.infer<typeof messageSchema> | { type: 'timed-out' } | { type: 'ended'; how: string };

/** A line that a function wrote. A line written outside an invocation has no `requestId`. */
export interface LogLine {
  readonly functionName: string;
  readonly stream: 'stdout' | 'stderr';
  readonly requestId: string | undefined;
  readonly text: string;
}

/** How an invocation ended. Every kind but `succeeded` is an error for the caller. */
export type InvocationResult = { readonly requestId: string; readonly durationMs: number } & (
  | { readonly kind: 'succeeded'; readonly payload: unknown }
  | { readonly kind: 'failed'; readonly reason: string; readonly errorType: string; readonly trace: readonly string[] }
  | { readonly kind: 'timed-out'; readonly reason: string }
  | { readonly kind: 'crashed'; readonly reason: string }
);
/** A result as the execution environment knows it; {@link LambdaFunction} adds the rest. */
export type Outcome = InvocationResult extends infer Result
  ? Result extends InvocationResult
    ? Omit<Result, 'requestId' | 'durationMs'>
    : never
  : never;

export interface LambdaOptions {
  readonly region: string;
  readonly endpoints: FunctionEndpoints;
  readonly onLogLine?: (line: LogLine) => void;
}

export class ExecutionEnvironment {
  readonly #description: FunctionDescription;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #onLogLine: LambdaOptions['onLogLine'];
  #ready = false;
  #endedHow: string | undefined;
  #requestId: string | undefined;
  #receive: (message: Message) => void = () => {};
  #endOfLog: () => void = () => {};

  constructor(description: FunctionDescription, options: LambdaOptions, onEnd: () => void) {
    this.#description = description;
    this.#onLogLine = options.onLogLine;
    this.#child = fork(PROCESS_FILE, [], {
      cwd: description.codeDirectory,
      env: environmentVariables(description, options),
      // Lambda's runtime keeps a tenth of the memory for everything outside the JavaScript heap.
      execArgv: [`--max-old-space-size=${Math.floor(description.memoryMegabytes * 0.9)}`],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child.on('message', (message) => {
      const parsed = messageSchema.safeParse(message);
      // The function may send on this channel too. Messages outside the protocol are ignored.
      if (parsed.success) this.#receive(parsed.data);
    });
    this.#read('stdout', this.#child.stdout);
    this.#read('stderr', this.#child.stderr);
    this.#ended = new Promise((resolve) => {
      const end = (how: string): void => {
        this.#endedHow ??= how;
        onEnd();
        this.#endOfLog();
        this.#receive({ type: 'ended', how });
        resolve();
      };
      this.#child.on('error', (error) => end(error.message));
      // "close" comes after all output was read; "exit" may come earlier.
      this.#child.once('close', (code, signal) => end(signal ?? `exit status ${code}`));
    });
  }

  get alive(): boolean {
    return this.#endedHow === undefined;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async invoke(requestId: string, event: unknown, timeoutMs: number): Promise<Outcome> {
    if (!this.#ready) {
      const started = await this.#next(INIT_LIMIT_MS);
      if (started.type !== 'ready')
        return await this.#abort(started, `loading ${this.#description.handler}`, INIT_LIMIT_MS);
      this.#ready = true;
    }
    const { arn } = this.#description;
    this.#requestId = requestId;
    const logged = this.#wholeLog();
    const message: InvocationMessage = { requestId, arn, event, deadline: Date.now() + timeoutMs };
    // When the process has just died, its end is reported by the "close" event.
    this.#child.send(message, () => {});
    const answer = await this.#next(timeoutMs);
    if (answer.type === 'succeeded' || answer.type === 'failed') await logged;
    this.#requestId = undefined;
    if (answer.type === 'failed') {
      return {
        kind: 'failed',
        reason: `${answer.errorType}: ${answer.errorMessage}`,
        errorType: answer.errorType,
        trace: answer.trace,
      };
    }
    if (answer.type !== 'succeeded') return await this.#abort(answer, 'an invocation', timeoutMs);
    if (Buffer.byteLength(answer.payload) > MAX_PAYLOAD_BYTES) {
      const errorType = 'Function.ResponseSizeTooLarge';
      return { kind: 'failed', reason: `${errorType}: the response exceeds 6 MB`, errorType, trace: [] };
    }
    return { kind: 'succeeded', payload: JSON.parse(answer.payload) };
  }

  async #abort(message: Message, doing: string, limitMs: number): Promise<Outcome> {
    const { name } = this.#description;
    await this.kill();
    if (message.type === 'timed-out') {
      return {
        kind: 'timed-out',
        reason: `${name}: Task timed out after ${(limitMs / 1000).toFixed(2)} seconds, ${doing}`,
      };
    }
    const why = message.type === 'unloadable' ? `${message.errorType}: ${message.errorMessage}` : this.#endedHow;
    return { kind: 'crashed', reason: `${name} died during ${doing}: ${why}` };
  }

  #next(limitMs: number): Promise<Message> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve({ type: 'timed-out' }), limitMs);
      this.#receive = (message) => {
        clearTimeout(timer);
        this.#receive = () => {};
        resolve(message);
      };
      if (this.#endedHow !== undefined) this.#receive({ type: 'ended', how: this.#endedHow });
    });
  }

  /** Resolves when the output of this invocation has been read from both streams. */
  #wholeLog(): Promise<void> {
    return new Promise((resolve) => {
      let open = 2;
      this.#endOfLog = () => {
        open -= 1;
        if (open === 0 || !this.alive) resolve();
      };
    });
  }

  #read(stream: 'stdout' | 'stderr', source: Readable | null): void {
    if (source === null) return;
    createInterface({ input: source, crlfDelay: Infinity }).on('line', (line) => {
      // The marker holds the request id, so that no other output of a function can end its log.
      const end = this.#requestId === undefined ? -1 : line.indexOf(`\0END ${this.#requestId}`);
      const text = end === -1 ? line : line.slice(0, end);
      if (end === -1 || text !== '') {
        this.#onLogLine?.({ functionName: this.#description.name, stream, requestId: this.#requestId, text });
      }
      if (end !== -1) this.#endOfLog();
    });
  }
}

/** The template's variables and those that Lambda sets. From this machine only PATH is passed on. */
function environmentVariables(
  { name, handler, runtime, codeDirectory, memoryMegabytes, variables }: FunctionDescription,
  { region, endpoints }: LambdaOptions,
): Record<string, string> {
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
  return {
    TZ: 'UTC',
    LANG: 'en_US.UTF-8',
    ...variables,
    PATH: process.env.PATH ?? '',
    _HANDLER: handler,
    LAMBDA_TASK_ROOT: codeDirectory,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: `AWS_Lambda_${runtime}`,
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMegabytes),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: `${day}/[$LATEST]${randomBytes(16).toString('hex')}`,
    AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
    AWS_SESSION_TOKEN: LOCAL_CREDENTIALS.sessionToken,
    AWS_ENDPOINT_URL_LAMBDA: endpoints.lambda,
    AWS_ENDPOINT_URL_SQS: endpoints.sqs,
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.secretsManager,
    // The discard port: a call to a service that is not emulated fails here and never reaches AWS.
    AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
  };
}
