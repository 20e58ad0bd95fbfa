/** The part of the Lambda API that the stack calls: UpdateEventSourceMapping, its read, and Invoke. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { asJsonObject, tryParseJson } from '../../../shared/exact-json.ts';
import type { EventSourceMapping } from './event-source-mapping.ts';
import { guard } from './guard.ts';
import type { LambdaFunction } from './lambda-function.ts';

/** The functions and mappings of the API. They are read at each call: the API listens before they exist. */
export interface LambdaRegistry {
  readonly functions: readonly LambdaFunction[];
  readonly mappings: readonly EventSourceMapping[];
}

export interface LambdaApi {
  readonly url: string;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function startLambdaApi(registry: () => LambdaRegistry): Promise<LambdaApi> {
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, body, headers } = await answer(request, registry());
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => request.socket.destroy());
  });
  guard(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return {
    url: `http://127.0.0.1:${address.port}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(request: IncomingMessage, { functions, mappings }: LambdaRegistry): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const body = tryParseJson(Buffer.concat(chunks).toString());
  const [, kind, name = ''] =
    /^\/2015-03-31\/(event-source-mappings|functions)\/([^/?]+)/.exec(decodeURIComponent(request.url ?? '')) ?? [];
  if (kind === 'functions' && request.method === 'POST') {
    const target = functions.find(({ description }) => description.name === name);
    return target === undefined ? notFound(name) : await invoke(target, body);
  }
  const mapping = mappings.find(({ description }) => description.logicalId === name);
  if (mapping === undefined) return notFound(name);
  if (request.method === 'PUT') {
    const isEnabled = asJsonObject(body)?.['Enabled'];
    if (typeof isEnabled === 'boolean') mapping.enable(isEnabled);
    return { status: 202, body: mappingAnswer(mapping) };
  }
  return { status: 200, body: mappingAnswer(mapping) };
}

const mappingAnswer = (mapping: EventSourceMapping): object => ({
  UUID: mapping.description.logicalId,
  BatchSize: mapping.description.batchSize,
  MaximumBatchingWindowInSeconds: mapping.description.batchingWindowMs / 1000,
  EventSourceArn: mapping.description.queue.arn,
  FunctionArn: mapping.description.target.arn,
  State: mapping.enabled ? 'Enabled' : 'Disabled',
});

async function invoke(target: LambdaFunction, event: unknown): Promise<Answer> {
  const result = await target.invoke(event);
  if (result.kind === 'succeeded') return { status: 200, body: result.payload };
  const errorType = result.kind === 'failed' ? result.errorType : 'Sandbox.Timedout';
  return {
    status: 200,
    body: { errorType, errorMessage: result.reason },
    headers: { 'x-amz-function-error': 'Unhandled' },
  };
}

const notFound = (name: string): Answer => ({
  status: 404,
  body: { Type: 'User', Message: `The local Lambda has no ${name}` },
  headers: { 'x-amzn-errortype': 'ResourceNotFoundException' },
});
