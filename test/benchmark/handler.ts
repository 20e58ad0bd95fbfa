/** Loads and calls a handler as Lambda's runtime does. */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

export type Handler = (event: unknown, context: object) => Promise<unknown>;

export async function loadHandler(file: string): Promise<Handler> {
  const loaded: unknown = file.endsWith('.cjs') ? createRequire(file)(file) : await import(pathToFileURL(file).href);
  const handler: unknown = Reflect.get(Object(loaded), 'handler');
  if (typeof handler !== 'function') throw new Error(`${file} exports no handler`);
  return (event, context) => Reflect.apply(handler, undefined, [event, context]);
}

export function lambdaContext(timeoutMs: number): object {
  const endMs = Date.now() + timeoutMs;
  return {
    awsRequestId: 'benchmark',
    functionName: 'benchmark',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:eu-west-1:000000000000:function:benchmark',
    memoryLimitInMB: '1024',
    getRemainingTimeInMillis: () => Math.max(0, endMs - Date.now()),
  };
}
