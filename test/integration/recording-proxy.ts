/** A proxy between the worker and one of its systems: it records every call, and disturbs those that a test picks. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export interface RecordedCall {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The operation of an AWS service, such as `UpdateItem`. */
  readonly operation: string;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Each is a `Set-Cookie`. */
  readonly cookies?: readonly string[];
  readonly body: string;
}

/** What the caller gets: the system's answer from `forward`, another one, or a broken connection. */
export type Interceptor = (
  call: RecordedCall,
  /** Passes the call on, with another body if given. */
  forward: (body?: string) => Promise<Reply>,
) => Promise<Reply | 'reset'>;

export interface RecordingProxy {
  readonly url: string;
  /** Every call since the start, in order of arrival. */
  readonly calls: readonly RecordedCall[];
  /** Disturbs the calls from now on; at first everything passes. */
  intercept(interceptor: Interceptor): void;
  close(): Promise<void>;
}

/** Headers that belong to one connection, or that fetch writes itself. */
const NOT_FORWARDED = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'keep-alive',
  'date',
  // There may be several.
  'set-cookie',
]);

/** @param refuse The answer to a call that is not let through, whatever a test intercepts. */
export async function startRecordingProxy(
  upstream: string,
  refuse: (call: RecordedCall) => Reply | undefined = () => undefined,
): Promise<RecordingProxy> {
  const calls: RecordedCall[] = [];
  let interceptor: Interceptor = (_call, forward) => forward();
  const closing = new AbortController();

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = await readCall(request);
    calls.push(call);
    const reply =
      refuse(call) ??
      (await interceptor(call, (body = call.body) => forwardCall(upstream, { ...call, body }, closing.signal)));
    if (reply === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    const { cookies = [] } = reply;
    response.writeHead(reply.status, {
      ...reply.headers,
      ...(cookies.length === 0 ? {} : { 'set-cookie': [...cookies] }),
      'content-length': Buffer.byteLength(reply.body),
    });
    response.end(reply.body);
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => request.socket.destroy());
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return {
    url: `http://127.0.0.1:${address.port}`,
    calls,
    intercept(next) {
      interceptor = next;
    },
    async close() {
      closing.abort();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function readCall(request: IncomingMessage): Promise<RecordedCall> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const headers = Object.fromEntries(
    Object.entries(request.headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  );
  return {
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    headers,
    body: Buffer.concat(chunks).toString(),
    operation: headers['x-amz-target']?.split('.').at(-1) ?? '',
  };
}

async function forwardCall(upstream: string, call: RecordedCall, signal: AbortSignal): Promise<Reply> {
  const { method, headers, body } = call;
  const response = await fetch(upstream + call.path, {
    method,
    headers: withoutConnection(Object.entries(headers)),
    redirect: 'manual',
    signal,
    ...(body === '' ? {} : { body }),
  });
  return {
    status: response.status,
    headers: withoutConnection(response.headers),
    cookies: response.headers.getSetCookie(),
    body: await response.text(),
  };
}

const withoutConnection = (headers: Iterable<[string, string]>): Record<string, string> =>
  Object.fromEntries([...headers].filter(([name]) => !NOT_FORWARDED.has(name)));

/** Disturbs the first call that matches, and lets every other call pass. */
export function onceFor(isFor: (call: RecordedCall) => boolean, instead: Interceptor): Interceptor {
  let used = false;
  return (call, forward) => {
    if (used || !isFor(call)) return forward();
    used = true;
    return instead(call, forward);
  };
}

/** The system does its work, and its answer is lost. */
export const commitThenReset: Interceptor = async (_call, forward) => {
  await forward();
  return 'reset';
};

/** The call never arrives. */
export const resetBefore: Interceptor = () => Promise.resolve('reset');

/** The answer never comes, and the system does nothing. */
export const neverAnswer: Interceptor = () => new Promise(() => undefined);
