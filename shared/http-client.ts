/** One HTTP client for both systems: axios with every default that would surprise us switched off. */
import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { getCACertificates } from 'node:tls';
import axios, { AxiosError } from 'axios';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** Path and query below the base URL, starting with `/`. Never an absolute URL. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Shortens the client's own time limit for this call. */
  readonly timeoutMs?: number;
  /** Lowers the client's own limit of an answer for this call. */
  readonly maximumResponseBytes?: number;
  /** The call is not sent later than this instant of the client's clock: it then fails, unsent. */
  readonly sendByMs?: number;
}

/** An answer, whatever its status; its body as text, unparsed. */
export interface HttpResponse {
  readonly status: number;
  readonly body: string;
  /** Host and path that answered, without the query: text for a person. */
  readonly from: string;
  /** A header by its lower-case name. */
  header(name: string): string | undefined;
  /** The cookies that the answer sets, each as `name=value`. */
  readonly cookies?: readonly string[];
}

export interface HttpClient {
  /** @throws {HttpError} when there is no whole answer. Every status is an answer. */
  request(request: HttpRequest): Promise<HttpResponse>;
}

/**
 * No whole answer. `sent` is false only when the request certainly did not reach the other side; otherwise it may have
 * been carried out. Holds no header, body or configuration of the request, which would carry the token.
 */
export class HttpError extends Error {
  readonly sent: boolean;
  readonly code: string;

  constructor(where: string, code: string, sent: boolean) {
    super(`${where}: ${sent ? 'no whole answer' : 'could not be sent'} (${code})`);
    this.name = 'HttpError';
    this.code = code;
    this.sent = sent;
  }
}

/** A connection's client certificate and key, and an authority that it trusts besides the public ones; all in PEM. */
export interface TlsIdentity {
  readonly certificate?: string;
  readonly key?: string;
  readonly authority?: string;
}

export interface HttpClientOptions {
  readonly baseUrl: string;
  /** For the whole call: connecting, sending, and the last byte of the answer. Connecting may take half of it. */
  readonly timeoutMs: number;
  /** A larger answer is cut off and fails. */
  readonly maximumResponseBytes: number;
  /** Is called once for each call, when the call has ended. */
  readonly onCall?: (call: HttpCall) => void;
  readonly tls?: TlsIdentity;
  /** A forward proxy, through which https goes in a tunnel (CONNECT). Plain http is for loopback, and goes directly. */
  readonly proxyUrl?: string | undefined;
  readonly now: () => number;
}

/** A call that has ended. */
export interface HttpCall {
  readonly method: HttpRequest['method'];
  readonly correlationId: string | undefined;
  readonly durationMs: number;
  /** Undefined when there was no whole answer. */
  readonly status: number | undefined;
}

/** A call that gets its connection late must still have time for its answer. */
const CONNECTING_SHARE = 0.5;

export function createHttpClient(options: HttpClientOptions): HttpClient {
  // The default agent drops connections after 5 s idle; a batch a minute would connect anew each time.
  const pool = { keepAlive: true, maxSockets: 64, timeout: 60_000 };
  const isHttps = new URL(options.baseUrl).protocol === 'https:';
  const agent = isHttps
    ? new HttpsAgent({ ...pool, ...asTlsOptions(options.tls), ...throughProxy(options.proxyUrl) })
    : new HttpAgent(pool);
  const connections = new Connections(agent, isHttps ? 'secureConnect' : 'connect');
  const client = axios.create({
    httpAgent: agent,
    httpsAgent: agent,
    timeout: options.timeoutMs,
    maxRedirects: 0,
    maxContentLength: options.maximumResponseBytes,
    // No proxy variable of the environment may send a token to a proxy.
    proxy: false,
    responseType: 'text',
    // The adapters judge statuses and bodies.
    validateStatus: () => true,
    transformRequest: [(data: unknown) => data],
    transformResponse: [(data: unknown) => data],
  });
  return {
    async request({
      method,
      path,
      headers,
      body,
      timeoutMs,
      maximumResponseBytes,
      sendByMs = Number.POSITIVE_INFINITY,
    }) {
      if (!path.startsWith('/') || path.startsWith('//')) throw new Error('HTTP path must start with a single slash');
      const { host, pathname } = new URL(options.baseUrl + path);
      const where = `${method} ${pathname}`;
      const isTooLate = (): boolean => options.now() > sendByMs;
      if (isTooLate()) throw tooLate(where);
      const limitMs = Math.max(1, Math.min(timeoutMs ?? options.timeoutMs, options.timeoutMs));
      const startedMs = performance.now();
      let status: number | undefined;
      let isSent = false;
      // A request that waits for its connection cannot be destroyed by itself: nothing would tell axios.
      const connecting = new AbortController();
      const watch = (request: ClientRequest): void =>
        connections.onReady(request, limitMs * CONNECTING_SHARE, {
          ready: () => {
            if (isTooLate()) request.destroy(new NotSent(DEADLINE));
            else isSent = true;
          },
          late: () => connecting.abort(),
        });
      try {
        const response = await client.request<unknown>({
          method,
          url: options.baseUrl + path,
          headers: { ...headers },
          ...(body === undefined ? {} : { data: body }),
          maxContentLength: Math.min(
            maximumResponseBytes ?? options.maximumResponseBytes,
            options.maximumResponseBytes,
          ),
          // axios's own timeout counts idle time only: a slow answer would never end.
          signal: AbortSignal.any([AbortSignal.timeout(limitMs), connecting.signal]),
          transport: watchedTransport(isHttps ? httpsRequest : httpRequest, watch),
        });
        ({ status } = response);
        return {
          status,
          body: typeof response.data === 'string' ? response.data : '',
          from: `${host}${pathname}`,
          header: (name) => headerText(response.headers[name]),
          cookies: (response.headers['set-cookie'] ?? []).map((cookie) => cookie.replace(/;.*/s, '').trim()),
        };
      } catch (error) {
        throw toHttpError(error, where, isSent);
      } finally {
        const durationMs = Math.round(performance.now() - startedMs);
        options.onCall?.({ method, correlationId: headers?.['X-Correlation-ID'], durationMs, status });
      }
    },
  };
}

/**
 * Knows which connections can carry a request. Whether a failed call was sent is read from its connection: the codes of
 * failures do not tell, and Node collects the failures of a host with several addresses in one error.
 */
class Connections {
  readonly #ready = new WeakSet<Duplex>();
  readonly #readyEvent: 'connect' | 'secureConnect';

  constructor(agent: HttpAgent, readyEvent: 'connect' | 'secureConnect') {
    this.#readyEvent = readyEvent;
    const create = agent.createConnection.bind(agent);
    agent.createConnection = (options, callback) => {
      // Through a proxy, the callback gets the connection to the other side, once it is secure; what is returned is then
      // the one to the proxy, which never becomes secure itself.
      const socket = create(options, (error, tunnelled) => {
        if (error === null) this.#ready.add(tunnelled);
        callback?.(error, tunnelled);
      });
      socket?.once(readyEvent, () => this.#ready.add(socket));
      return socket;
    };
  }

  /** Calls `ready` right before the request is sent, or `late` where its connection is not ready in time. */
  onReady(
    request: ClientRequest,
    timeoutMs: number,
    then: { readonly ready: () => void; readonly late: () => void },
  ): void {
    let isReady = false;
    const giveUp = (): void => {
      if (!isReady) then.late();
    };
    // A process that was busy reads its events first: the connection may be there. The request has a socket only behind
    // a proxy's tunnel, and the time runs from the start.
    const timer = setTimeout(() => setImmediate(giveUp), timeoutMs);
    const ready = (): void => {
      clearTimeout(timer);
      isReady = true;
      then.ready();
    };
    request.once('close', () => clearTimeout(timer));
    request.once('socket', (socket) => {
      if (this.#ready.has(socket)) return ready();
      // Before Node's own listener, which writes the request.
      socket.prependOnceListener(this.#readyEvent, ready);
    });
  }
}

/** What axios calls in the place of node:http. */
function watchedTransport(request: typeof httpRequest, watch: (request: ClientRequest) => void) {
  return {
    request(options: RequestOptions, onAnswer: (answer: IncomingMessage) => void): ClientRequest {
      const made = request(options, onAnswer);
      watch(made);
      return made;
    },
  };
}

/** The code of a call that was not sent by its latest instant. */
export const DEADLINE = 'DEADLINE';
export const tooLate = (where: string): HttpError => new HttpError(where, DEADLINE, false);

/** Ends a request that must not be sent any more. */
class NotSent extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** Node reads the variables of a proxy from here alone, and not from the environment. */
const throughProxy = (proxyUrl: string | undefined) =>
  proxyUrl === undefined ? {} : { proxyEnv: { HTTPS_PROXY: proxyUrl } };

function asTlsOptions({ certificate, key, authority }: TlsIdentity = {}) {
  return {
    // Said, or NODE_TLS_REJECT_UNAUTHORIZED=0 in a shell would send tokens to any server.
    rejectUnauthorized: true,
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(key === undefined ? {} : { key }),
    // `ca` replaces the public authorities, which the token endpoint may need.
    ...(authority === undefined ? {} : { ca: [...getCACertificates('default'), authority] }),
  };
}

/** The code of an answer that is larger than `maximumResponseBytes`. */
export const TOO_LARGE = 'TOO_LARGE';

function toHttpError(error: unknown, where: string, isSent: boolean): HttpError {
  // axios has no code of its own for it.
  if (error instanceof AxiosError && error.message.startsWith('maxContentLength')) {
    return new HttpError(where, TOO_LARGE, isSent);
  }
  const code = error instanceof AxiosError ? (error.code ?? 'UNKNOWN') : 'UNEXPECTED';
  return new HttpError(where, code === 'ERR_CANCELED' ? 'TIMEOUT' : code, isSent);
}

/** One side refused the other's certificate. With TLS 1.3 this shows after the request is written, or as a hang-up. */
export const isHandshakeFailure = ({ code }: HttpError): boolean =>
  /^(ERR_SSL|ERR_TLS|EPROTO|ECONNRESET|EPIPE)|CERT|SIGNATURE/.test(code);

const headerText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Cap of every `Retry-After` (rules.md, "transient"). */
const MAXIMUM_RETRY_AFTER_MS = 15 * 60_000;

/** `Retry-After` in milliseconds from now, from seconds or an HTTP date, capped at 15 min; undefined when unreadable. */
export function retryAfterMs(response: HttpResponse, nowMs: number): number | undefined {
  const text = response.header('retry-after')?.trim();
  if (text === undefined || text === '') return undefined;
  // `Date.parse` makes a date of nearly anything ("soon 1"); an HTTP date starts with a weekday's name.
  const dateMs = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text) ? Date.parse(text) : Number.NaN;
  const delayMs = /^\d+$/.test(text) ? Number(text) * 1000 : dateMs - nowMs;
  return Number.isNaN(delayMs) ? undefined : Math.min(Math.max(delayMs, 0), MAXIMUM_RETRY_AFTER_MS);
}
