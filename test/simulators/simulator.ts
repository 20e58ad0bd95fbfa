import type { ClientCheck } from './client-credentials.ts';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { alteredAnswer, type Answer, foreignAnswer } from './answers.ts';
import {
  createDisturbancePlan,
  type Disturbance,
  type DisturbanceOptions,
  type DisturbanceSource,
  type Operation,
  type SimulatedSystem,
} from './disturbances.ts';

export interface Call {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body was over the limit, and was discarded. */
  readonly tooLarge: boolean;
}

/** A recorded request. Its body, and its headers but the correlation id, are left out: no secret is kept. */
export interface RecordedRequest {
  readonly method: string;
  /** The path with its query, as it arrived. */
  readonly path: string;
  readonly operation: Operation;
  readonly disturbance: Disturbance['kind'];
  readonly correlationId?: string;
  /** The status of the answer; `pending` before the answer, `reset` when the connection was broken instead. */
  readonly status: number | 'pending' | 'reset';
}

/** Counts since the start. */
export interface Traffic {
  readonly requests: Readonly<Record<Operation, number>>;
  readonly disturbances: number;
  /** The largest number of parallel requests. */
  readonly mostAtOnce: number;
}

export interface SimulatorOptions extends DisturbanceOptions {
  /** 0, the default, takes a free port. */
  readonly port?: number;
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly clientCheck?: ClientCheck;
  /** Parameters that a token request must carry, such as an audience. */
  readonly tokenParameters?: Readonly<Record<string, string>>;
  readonly tokenLifetimeSeconds?: number;
  /** Headers that a gateway demands of each call, but not of a token request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The header in which the gateway demands its key, and how it answers another key: 401 by default. */
  readonly apiKey?: { readonly header: string; readonly value: string; readonly refusal?: 401 | 403 };
  /** The clock for token expiry, `Date` headers and creation times. */
  readonly clock?: () => Date;
  readonly disturbances?: DisturbanceSource;
  /** False to save memory in a run with many requests. */
  readonly keepRequests?: boolean;
}

export interface Simulator {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  readonly tokenUrl: string;
  readonly port: number;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly requests: readonly RecordedRequest[];
  traffic(): Traffic;
  setDisturbances(disturbances: DisturbanceSource): void;
  /** Revokes all tokens: the next call with one of them is answered 401. */
  revokeTokens(): void;
  setClient(clientId: string, clientSecret: string): void;
  /** The key of the gateway at the start, where it demands one. */
  readonly apiKey: string | undefined;
  setApiKey(value: string): void;
  close(): Promise<void>;
}

/** The part of a simulator that differs between SRM and 11VMS. */
export interface SimulatorPart {
  readonly system: SimulatedSystem;
  /** The name in error messages. */
  readonly title: string;
  readonly maxBodyBytes: number;
  classify(call: Call): { readonly operation: Operation; readonly key: string };
  /** Answers a call. It awaits `work`, which takes the time of a slow answer, before it commits. */
  answer(call: Call, operation: Operation, work: () => Promise<void>): Promise<Answer>;
  /** An error in the format of the system; disguised where the status is that of a success. */
  failure(status: number): Answer;
}

export type RunningPart = Pick<
  Simulator,
  'url' | 'port' | 'requests' | 'traffic' | 'setDisturbances' | 'apiKey' | 'setApiKey' | 'close'
>;

/** Listens on 127.0.0.1, records requests and applies disturbances. */
export async function startPart(system: SimulatorPart, options: SimulatorOptions): Promise<RunningPart> {
  let apiKey = options.apiKey?.value;
  const part: SimulatorPart = {
    ...system,
    async answer(call, operation, work) {
      const refusal = operation === 'token' ? undefined : gatewayRefusal(call, options, apiKey);
      return refusal ?? (await system.answer(call, operation, work));
    },
  };
  const closing = new AbortController();
  const log = openRequestLog(options.keepRequests ?? true);
  const clock = options.clock ?? ((): Date => new Date());
  let plan = createDisturbancePlan(part.system, options.disturbances ?? 'none', options);

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const call = await readCall(request, part.maxBodyBytes);
    const { operation, key } = part.classify(call);
    const disturbance: Disturbance = operation === 'other' ? { kind: 'none' } : plan.decide(operation, key);
    const done = log.open(call, request.url ?? '/', operation, disturbance);
    try {
      const reply = await applyDisturbance(disturbance, part, call, operation, closing.signal);
      done(reply === 'reset' ? 'reset' : reply.status);
      send(response, reply, clock());
    } catch (error) {
      done(500);
      throw error;
    }
  };

  const listener: RequestListener = (request, response) => {
    serve(request, response).catch((error: unknown) => {
      // A closing simulator drops its requests. Any other error is a defect of the simulator, and the caller must see it.
      if (!closing.signal.aborted && !request.destroyed) {
        send(response, defectAnswer(part.title, error), clock());
      }
    });
  };

  const server = await listenOnLoopback(part.title, listener, options.port ?? 0);
  return {
    url: server.url,
    port: server.port,
    requests: log.requests,
    traffic: log.traffic,
    setDisturbances(disturbances) {
      plan = createDisturbancePlan(part.system, disturbances, options);
    },
    apiKey,
    setApiKey(value) {
      apiKey = value;
    },
    async close() {
      closing.abort();
      await server.close();
    },
  };
}

/** What the gateway before the system answers to a call without its headers or its key. */
function gatewayRefusal({ headers }: Call, options: SimulatorOptions, apiKey = ''): Answer | undefined {
  const { header, refusal = 401 } = options.apiKey ?? { header: undefined };
  if (header !== undefined && headers[header.toLowerCase()] !== apiKey) {
    return gatewayAnswer(refusal, 'Access denied due to invalid subscription key');
  }
  const missing = Object.entries(options.headers ?? {}).find(([name, value]) => headers[name.toLowerCase()] !== value);
  return missing === undefined ? undefined : gatewayAnswer(400, `Header ${missing[0]} is missing`);
}

const gatewayAnswer = (status: number, message: string): Answer => ({
  status,
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ statusCode: status, message }),
});

async function applyDisturbance(
  disturbance: Disturbance,
  part: SimulatorPart,
  call: Call,
  operation: Operation,
  closing: AbortSignal,
): Promise<Answer | 'reset'> {
  const wait = async (delayMs: number): Promise<void> => await pause(delayMs, undefined, { signal: closing });
  const work = async (workMs = 0): Promise<Answer> =>
    await part.answer(call, operation, async () => (workMs > 0 ? await wait(workMs) : undefined));

  let reply: Answer | 'reset';
  switch (disturbance.kind) {
    case 'none':
      reply = await work();
      break;
    case 'slow':
      reply = await work(disturbance.delayMs);
      break;
    case 'status':
      await (disturbance.afterCommit === true ? work() : undefined);
      reply = statusAnswer(part, disturbance);
      break;
    case 'reset-before':
      reply = 'reset';
      break;
    case 'reset-after-commit':
      await work();
      reply = 'reset';
      break;
    case 'timeout-after-commit':
      reply = await work();
      await wait(disturbance.delayMs);
      break;
    case 'altered':
      reply = alteredAnswer(await work(), disturbance.how, `http://${call.headers.host ?? ''}`, disturbance.status);
      break;
    case 'not-json':
      reply = await work();
      reply = { ...reply, body: reply.body.slice(0, reply.body.length / 2) };
      break;
    case 'truncated':
      reply = { ...(await work()), cut: true };
      break;
  }
  return reply;
}

function statusAnswer(
  part: SimulatorPart,
  { status, body, retryAfter }: Extract<Disturbance, { kind: 'status' }>,
): Answer {
  const answer = body === undefined ? part.failure(status) : foreignAnswer(status, body);
  return retryAfter === undefined ? answer : { ...answer, headers: { ...answer.headers, 'Retry-After': retryAfter } };
}

function defectAnswer(title: string, error: unknown): Answer {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    status: 500,
    headers: { 'Content-Type': 'text/plain; charset=utf-8' },
    body: `${title} failed; this is a defect of the simulator: ${reason}`,
  };
}

/** @throws {Error} of the connection. */
export async function readCall(request: IncomingMessage, maxBodyBytes: number): Promise<Call> {
  const chunks: Buffer[] = [];
  let size = 0;
  // A body over the limit is read to its end: a caller that still sends would see a reset instead of the 413.
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size <= maxBodyBytes) {
      chunks.push(bytes);
    }
  }
  const tooLarge = size > maxBodyBytes;
  return {
    method: request.method ?? 'GET',
    url: new URL(request.url ?? '/', 'http://127.0.0.1'),
    headers: request.headers,
    body: tooLarge ? '' : Buffer.concat(chunks).toString(),
    tooLarge,
  };
}

export function send(response: ServerResponse, reply: Answer | 'reset', date: Date): void {
  const { socket } = response;
  if (socket === null || socket.destroyed) {
    return;
  }
  if (reply === 'reset') {
    socket.resetAndDestroy();
    return;
  }
  const body = Buffer.from(reply.body);
  response.writeHead(reply.status, {
    Date: date.toUTCString(),
    ...reply.headers,
    ...(reply.cookies === undefined ? {} : { 'Set-Cookie': [...reply.cookies] }),
    'Content-Length': body.length,
  });
  if (reply.cut === true) {
    response.write(body.subarray(0, body.length / 2), () => socket.destroy());
    return;
  }
  response.end(body);
}

interface RequestLog {
  readonly requests: readonly RecordedRequest[];
  readonly traffic: () => Traffic;
  /** Records the start of a request. The returned function records its end. */
  open(call: Call, path: string, operation: Operation, disturbance: Disturbance): (status: number | 'reset') => void;
}

function openRequestLog(keep: boolean): RequestLog {
  const requests: RecordedRequest[] = [];
  const counted: Record<Operation, number> = {
    token: 0,
    page: 0,
    cart: 0,
    navigation: 0,
    create: 0,
    lookup: 0,
    list: 0,
    csrf: 0,
    write: 0,
    other: 0,
  };
  let disturbances = 0;
  let atOnce = 0;
  let mostAtOnce = 0;
  return {
    requests,
    traffic: () => ({ requests: { ...counted }, disturbances, mostAtOnce }),
    open({ method, headers }, path, operation, disturbance) {
      counted[operation] += 1;
      disturbances += disturbance.kind === 'none' ? 0 : 1;
      atOnce += 1;
      mostAtOnce = Math.max(mostAtOnce, atOnce);
      const correlationId = headers['x-correlation-id'];
      const request = {
        method,
        path,
        operation,
        disturbance: disturbance.kind,
        ...(typeof correlationId === 'string' ? { correlationId } : {}),
        status: 'pending' as RecordedRequest['status'],
      };
      if (keep) {
        requests.push(request);
      }
      return (status) => {
        atOnce -= 1;
        request.status = status;
      };
    },
  };
}

export interface LoopbackServer {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

export async function listenOnLoopback(
  title: string,
  listener: RequestListener,
  port: number,
): Promise<LoopbackServer> {
  const server = createServer(listener);
  // Node's default of 5 s could close a connection while a caller reuses it: a disturbance outside the plan.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    const refuse = (cause: NodeJS.ErrnoException): void => reject(listenError(title, port, cause));
    server.once('error', refuse);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', refuse);
      resolve();
    });
  });
  const address = server.address();
  const taken = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://127.0.0.1:${taken}`,
    port: taken,
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

function listenError(title: string, port: number, cause: NodeJS.ErrnoException): Error {
  const reason = cause.code === 'EADDRINUSE' ? 'another program uses the port' : cause.message;
  return new Error(`${title} cannot listen on 127.0.0.1:${port}: ${reason}`, { cause });
}
