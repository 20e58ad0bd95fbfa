/**
 * The process of one execution environment. It loads the bundled handler as Lambda's runtime does, and runs one event at
 * a time for its parent (execution-environment.ts).
 */
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export interface InvocationMessage {
  readonly requestId: string;
  readonly arn: string;
  readonly event: unknown;
  readonly deadline: number;
}

type Handler = (event: unknown, context: object) => unknown;

const variable = (name: string): string => process.env[name] ?? '';
const write = { stdout: process.stdout.write.bind(process.stdout), stderr: process.stderr.write.bind(process.stderr) };
const asFailure = (error: unknown): object =>
  error instanceof Error
    ? { errorType: error.name, errorMessage: error.message, trace: error.stack?.split('\n') ?? [] }
    : { errorType: typeof error, errorMessage: String(error), trace: [] };

async function loadHandler(): Promise<Handler> {
  const [, path = '', name = ''] = /^(.*?[^/.]*)\.(.+)$/.exec(variable('_HANDLER')) ?? [];
  const file = ['.js', '.mjs', '.cjs']
    .map((extension) => join(variable('LAMBDA_TASK_ROOT'), path + extension))
    .find((candidate) => existsSync(candidate));
  if (file === undefined) throw new Error(`Error: Cannot find module '${path}' in ${variable('LAMBDA_TASK_ROOT')}`);
  const loaded: unknown = file.endsWith('.cjs') ? createRequire(file)(file) : await import(pathToFileURL(file).href);
  const handler: unknown = Reflect.get(Object(loaded), name);
  if (typeof handler !== 'function') throw new Error(`${variable('_HANDLER')} is undefined or not exported`);
  if (handler.length > 2) throw new Error('Node.js 24 on Lambda knows no callback handlers: return a promise instead');
  return (event, context) => Reflect.apply(handler, undefined, [event, context]);
}

async function run(handler: Handler, { requestId, arn, event, deadline }: InvocationMessage): Promise<object> {
  const context = {
    awsRequestId: requestId,
    invokedFunctionArn: arn,
    functionName: variable('AWS_LAMBDA_FUNCTION_NAME'),
    functionVersion: variable('AWS_LAMBDA_FUNCTION_VERSION'),
    memoryLimitInMB: variable('AWS_LAMBDA_FUNCTION_MEMORY_SIZE'),
    logGroupName: variable('AWS_LAMBDA_LOG_GROUP_NAME'),
    logStreamName: variable('AWS_LAMBDA_LOG_STREAM_NAME'),
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
  try {
    const payload = JSON.stringify((await handler(event, context)) ?? null);
    return { type: 'succeeded', payload };
  } catch (error) {
    return { type: 'failed', ...asFailure(error) };
  }
}

async function answer(handler: Handler, invocation: InvocationMessage): Promise<void> {
  const outcome = await run(handler, invocation);
  // Marks the end of this invocation's output for the parent.
  write.stdout(`\0END ${invocation.requestId}\n`);
  write.stderr(`\0END ${invocation.requestId}\n`);
  process.send?.(outcome);
}

// Without its parent the process ends too.
process.on('disconnect', () => process.exit());
// Ctrl-C reaches the whole process group, but only the parent may end an invocation.
process.on('SIGINT', () => {});
try {
  const handler = await loadHandler();
  process.on('message', (invocation: InvocationMessage) => {
    void answer(handler, invocation);
  });
  process.send?.({ type: 'ready' });
} catch (error) {
  process.send?.({ type: 'unloadable', ...asFailure(error) }, () => process.exit(1));
}
