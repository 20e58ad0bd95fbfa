/** One HTTP client for both systems: axios with every default that would surprise us switched off. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { getCACertificates } from 'node:tls';
import axios, { AxiosError } from 'axios';

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  /** Path and query below the base URL, starting with `/`. Never an absolute URL. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Shortens the client's own time limit for this call. */
  readonly timeoutMs?: number;
  /** Later, the request is not sent. */
  readonly sendByMs?: number;
}

/** An answer, whatever its status; its body as text, unparsed. */
export interface HttpResponse {
  readonly status: number;
  readonly body: string;
  /** A header by its lower-case name. */
  header(name: string): string | undefined;
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
  /** For the whole call: connecting, sending, and the last byte of the answer. */
  readonly timeoutMs: number;
  /** A larger answer is cut off and fails. */
  readonly maximumResponseBytes: number;
  /** Is called once for each call, when the call has ended. */
  readonly onCall?: (call: HttpCall) => void;
  readonly tls?: TlsIdentity;
}

/** A call that has ended. */
export interface HttpCall {
  readonly method: HttpRequest['method'];
  readonly correlationId: string | undefined;
  readonly durationMs: number;
  /** Undefined when there was no whole answer. */
  readonly status: number | undefined;
}

/** Failures before the first byte of the request leaves this host. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_INVALID_URL',
]);

export function createHttpClient(options: HttpClientOptions): HttpClient {
  // The default agent drops connections after 5 s idle; a batch a minute would connect anew each time.
  const agent = { keepAlive: true, maxSockets: 64, timeout: 60_000 };
  const client = axios.create({
    httpAgent: new HttpAgent(agent),
    httpsAgent: new HttpsAgent({ ...agent, ...asTlsOptions(options.tls) }),
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
    async request({ method, path, headers, body, timeoutMs }) {
      if (!path.startsWith('/') || path.startsWith('//')) throw new Error('HTTP path must start with a single slash');
      const limitMs = Math.max(1, Math.min(timeoutMs ?? options.timeoutMs, options.timeoutMs));
      const startedMs = performance.now();
      let status: number | undefined;
      try {
        const response = await client.request<unknown>({
          method,
          url: options.baseUrl + path,
          headers: { ...headers },
          ...(body === undefined ? {} : { data: body }),
          // axios's own timeout counts idle time only: a slow answer would never end.
          signal: AbortSignal.timeout(limitMs),
        });
        ({ status } = response);
        return {
          status,
          body: typeof response.data === 'string' ? response.data : '',
          header: (name) => headerText(response.headers[name]),
        };
      } catch (error) {
        throw toHttpError(error, `${method} ${new URL(options.baseUrl + path).pathname}`);
      } finally {
        const durationMs = Math.round(performance.now() - startedMs);
        options.onCall?.({ method, correlationId: headers?.['X-Correlation-ID'], durationMs, status });
      }
    },
  };
}

function asTlsOptions({ certificate, key, authority }: TlsIdentity = {}) {
  return {
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(key === undefined ? {} : { key }),
    // `ca` replaces the public authorities, which the token endpoint may need.
    ...(authority === undefined ? {} : { ca: [...getCACertificates('default'), authority] }),
  };
}

function toHttpError(error: unknown, where: string): HttpError {
  if (!(error instanceof AxiosError)) return new HttpError(where, 'UNEXPECTED', true);
  const code = error.code ?? 'UNKNOWN';
  if (code === 'ERR_CANCELED') return new HttpError(where, 'TIMEOUT', true);
  const sent = !(NOT_SENT.has(code) || isConnectError(error.cause));
  return new HttpError(where, code, sent);
}

/** Node names the system call that failed: a request that failed while connecting was never sent. */
const isConnectError = (cause: unknown): boolean =>
  typeof cause === 'object' && cause !== null && 'syscall' in cause && cause.syscall === 'connect';

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
