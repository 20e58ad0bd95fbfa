/** OAuth2 client credentials: one token source per system, and a client that puts the token on each call. */
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { authenticateClient, type ClientAuthentication } from './client-authentication.ts';
import { type ConnectionSecret, SecretUnusable } from './connection-secret.ts';
import { tryParseJson } from './exact-json.ts';
import { type FaultCode, InterfaceError } from './failure.ts';
import { foreignPage } from './foreign-page.ts';
import {
  createHttpClient,
  type HttpClient,
  type HttpClientOptions,
  HttpError,
  type HttpRequest,
  type HttpResponse,
  isHandshakeFailure,
  retryAfterMs,
  tooLate,
} from './http-client.ts';
import { within } from './within.ts';

export interface OAuthClientOptions {
  /** The system's name in messages. */
  readonly system: string;
  /** The section of the environment entry that holds the connection's settings, for messages. */
  readonly section: 'srm' | 'vms' | 'cloudAlm';
  /** How the API is reached. The certificates are in the secret. Its time limit holds for the token endpoint, too. */
  readonly http: Omit<HttpClientOptions, 'tls' | 'now'>;
  readonly tokenUrl: string;
  readonly clientAuthentication: ClientAuthentication;
  readonly scope: string;
  /** Further parameters of the token request. */
  readonly tokenParameters?: Readonly<Record<string, string>>;
  /** Headers of each call to the API; not of the token request, whose endpoint may be another party's. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The header in which the API gets the key of the secret. */
  readonly apiKeyHeader?: string | undefined;
  /** For messages. */
  readonly secretName: string;
  readonly readSecret: () => Promise<ConnectionSecret>;
  readonly faults: { readonly refused: FaultCode; readonly unavailable: FaultCode };
  readonly now: () => number;
}

/** Some servers write null or an empty text for what they do not say. */
const orAbsent = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (value === null || value === '' ? undefined : value), schema);

const tokenAnswer = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]+$/),
  // A token of another type (MAC, DPoP) must not be sent as a bearer's (RFC 6749, 7.1); Apigee says BearerToken.
  token_type: orAbsent(
    z
      .string()
      .regex(/^bearer(token)?$/i)
      .optional(),
  ),
  expires_in: orAbsent(z.coerce.number().positive().default(300)),
});

interface Token {
  readonly value: string;
  readonly usableUntilMs: number;
}

/** A secret as it was read, and the clients that use it. */
interface Connection {
  readonly secret: ConnectionSecret;
  readonly api: HttpClient;
  readonly tokens: HttpClient;
}

interface Session {
  readonly connection: Connection;
  readonly token: Token;
}

/** The client's whole state, which each change replaces. */
interface State {
  /** Of the secret as it was last read. */
  readonly connection: Connection | undefined;
  /** The secret may have been replaced since it was read: it is read again before its next use. */
  readonly isSecretStale: boolean;
  readonly token: Token | undefined;
  /** The renewal under way: all calls that need one wait for it. */
  readonly renewal: Promise<Session> | undefined;
  /** What the renewal waits for. */
  readonly awaited: 'secret' | 'token';
  /** The renewal ahead of the first call; it never rejects. */
  readonly warmUp: Promise<unknown> | undefined;
}

const OF_A_CONNECTION = ', and the settings clientAuthentication, scope and tokenParameters of';
/** The settings by which a token endpoint may refuse a right client. */
const SETTINGS_OF_A_CLIENT: Readonly<Record<OAuthClientOptions['section'], string>> = {
  srm: `${OF_A_CONNECTION} srm`,
  vms: `${OF_A_CONNECTION} vms`,
  cloudAlm: '',
};

/** A token is last used this long before it expires, so that it does not expire on its way (source-srm7.md, "Security"). */
const EXPIRY_MARGIN_MS = 60_000;

/** Whether a token that takes longer is late, or the call is that waits for it, shows only where there was this much time. */
const LEAST_WAIT_MS = 1000;

export interface OAuthClient extends HttpClient {
  /**
   * Fetches secret and token ahead of the first call, which waits for them. After a failure, the first call fetches them
   * again: Lambda may have stood still between its start and its first event, which breaks the connections.
   */
  warmUp(): void;
}

/**
 * An HTTP client that authorizes each call. The token is fetched once for all callers, kept until its expiry less
 * 60 s, and renewed once, with a freshly read secret, when a call is answered 401. A second 401 goes to the caller.
 * A call with `sendByMs` waits for secret and token until then, and the renewal continues for the others.
 * @throws {InterfaceError} `refused` when the token is refused, `transient` when the token endpoint is down.
 */
export function createOAuthClient(options: OAuthClientOptions): OAuthClient {
  const tokenUrl = new URL(options.tokenUrl);
  const { now } = options;
  const { timeoutMs, proxyUrl } = options.http;
  const tokenHttp = { baseUrl: tokenUrl.origin, timeoutMs, proxyUrl, maximumResponseBytes: 65_536, now };
  let state: State = {
    connection: undefined,
    isSecretStale: true,
    token: undefined,
    renewal: undefined,
    awaited: 'secret',
    warmUp: undefined,
  };
  const change = (changes: Partial<State>): void => {
    state = { ...state, ...changes };
  };

  async function readSecret(): Promise<Connection> {
    change({ isSecretStale: true, awaited: 'secret' });
    const secret = await options.readSecret().catch((error: unknown) => {
      throw secretFault(error);
    });
    // The same certificates keep the same connections: a new client id costs no handshake.
    const kept = isDeepStrictEqual(state.connection?.secret.tls, secret.tls) ? state.connection : undefined;
    const tls = secret.tls === undefined ? {} : { tls: secret.tls };
    const connection = {
      secret,
      api: kept?.api ?? createHttpClient({ ...options.http, ...tls, now }),
      tokens: kept?.tokens ?? createHttpClient({ ...tokenHttp, ...tls }),
    };
    change({ connection, isSecretStale: false });
    return connection;
  }

  /** A failed handshake may mean that the certificate was replaced since it was read. */
  function distrustSecretAfter(error: unknown): void {
    const isOfCertificate = state.connection?.secret.tls !== undefined;
    if (error instanceof HttpError && isHandshakeFailure(error) && isOfCertificate) change({ isSecretStale: true });
  }

  async function fetchToken({ secret, tokens }: Connection): Promise<Token> {
    change({ awaited: 'token' });
    const authentication = authenticateClient(options.clientAuthentication, secret);
    const form = new URLSearchParams({
      ...options.tokenParameters,
      grant_type: 'client_credentials',
      ...(options.scope === '' ? {} : { scope: options.scope }),
      ...authentication.form,
    });
    const response = await tokens
      .request({
        method: 'POST',
        path: tokenUrl.pathname + tokenUrl.search,
        headers: {
          ...authentication.headers,
          'Content-Type': 'application/x-www-form-urlencoded',
          Accept: 'application/json',
        },
        body: form.toString(),
      })
      .catch((error: unknown) => {
        distrustSecretAfter(error);
        throw tokenFault(
          'transient',
          error instanceof HttpError ? `cannot be reached (${error.code})` : 'cannot be reached',
        );
      });
    const page = foreignPage(response);
    const answer = `answered ${response.status}${page}`;
    if (response.status >= 500 || response.status === 429 || response.status === 408) {
      throw tokenFault('transient', answer, retryAfterMs(response, now()));
    }
    if (response.status !== 200 && response.status !== 201) {
      throw tokenFault('refused', `${answer}; check ${suspects(response.status, page !== '')}`);
    }
    if (page !== '') throw tokenFault('transient', answer);
    // The body is never quoted: it holds the token, and some endpoints echo the secret.
    const parsed = tokenAnswer.safeParse(tryParseJson(response.body));
    if (!parsed.success) {
      const [member = 'access_token'] = parsed.error.issues.flatMap(({ path: [name] }) =>
        name === undefined ? [] : [name],
      );
      throw tokenFault('transient', `${answer} without a usable ${String(member)}`);
    }
    const lifetimeMs = parsed.data.expires_in * 1000;
    const usableMs = Math.max(lifetimeMs - EXPIRY_MARGIN_MS, lifetimeMs / 2);
    return { value: parsed.data.access_token, usableUntilMs: now() + usableMs };
  }

  /** What is probably wrong when the token endpoint refuses us. A page comes from something else at that address. */
  const suspects = (status: number, isPage: boolean): string =>
    [400, 401, 403].includes(status) && !isPage
      ? `clientId and clientSecret in the secret ${options.secretName}${SETTINGS_OF_A_CLIENT[options.section]}`
      : `the setting ${options.section}.tokenUrl`;

  function tokenFault(failureClass: 'transient' | 'refused', what: string, retryMs?: number): InterfaceError {
    const code = failureClass === 'refused' ? options.faults.refused : options.faults.unavailable;
    const where = `${options.system} token endpoint ${tokenUrl.origin}${tokenUrl.pathname}`;
    return new InterfaceError(failureClass, { code, message: `${where} ${what}` }, retryMs);
  }

  function secretFault(error: unknown): InterfaceError {
    if (error instanceof SecretUnusable) {
      return new InterfaceError('refused', { code: options.faults.refused, message: error.message });
    }
    const name = error instanceof Error ? error.name : 'unknown error';
    return secretUnavailable(`(${name})`);
  }

  function secretUnavailable(why: string): InterfaceError {
    return new InterfaceError('transient', {
      code: options.faults.unavailable,
      message: `Secrets Manager did not give the secret of ${options.system} ${why}`,
    });
  }

  /** Work that goes on for others; this call waits for it no longer than until it had to be sent. */
  async function untilSendBy<Result>(work: Promise<Result>, request: HttpRequest): Promise<Result> {
    if (request.sendByMs === undefined) return work;
    const waitMs = request.sendByMs - now();
    return within(waitMs, work, () => {
      if (waitMs < LEAST_WAIT_MS) return lateCall(request);
      return state.awaited === 'secret'
        ? secretUnavailable('in time')
        : tokenFault('transient', 'did not answer in time');
    });
  }

  const lateCall = ({ method, path }: HttpRequest): HttpError => tooLate(`${method} ${path.replace(/\?.*/, '')}`);

  async function signIn(): Promise<Session> {
    const wasSecretKept = !state.isSecretStale;
    let connection = wasSecretKept && state.connection !== undefined ? state.connection : await readSecret();
    if (isUsable(state.token)) return { connection, token: state.token };
    let token: Token;
    try {
      token = await fetchToken(connection);
    } catch (error) {
      const isRefused = error instanceof InterfaceError && error.failureClass === 'refused';
      if (!isRefused || !wasSecretKept) throw error;
      // The secret may have been rotated since it was read: one more try, with a fresh one (edge case 81).
      connection = await readSecret();
      token = await fetchToken(connection);
    }
    change({ token });
    return { connection, token };
  }

  function renew(): Promise<Session> {
    const renewal =
      state.renewal ??
      signIn().finally(() => {
        change({ renewal: undefined });
      });
    change({ renewal });
    return renewal;
  }

  const isUsable = (token: Token | undefined): token is Token => token !== undefined && now() < token.usableUntilMs;

  function session(request: HttpRequest): Session | Promise<Session> {
    const { connection, isSecretStale, token } = state;
    const isSignedIn = connection !== undefined && !isSecretStale && isUsable(token);
    return isSignedIn ? { connection, token } : untilSendBy(renew(), request);
  }

  function headersOf(request: HttpRequest, { connection, token }: Session): Readonly<Record<string, string>> {
    const { apiKey } = connection.secret;
    return {
      ...options.headers,
      ...request.headers,
      ...(options.apiKeyHeader === undefined || apiKey === undefined ? {} : { [options.apiKeyHeader]: apiKey }),
      Authorization: `Bearer ${token.value}`,
    };
  }

  return {
    warmUp() {
      const end = (): void => change({ warmUp: undefined });
      // The first call fetches again, and reports its own failure.
      change({ warmUp: renew().then(end, end) });
    },
    async request(request) {
      // A token that comes too late in any case is not asked for.
      const assertInTime = (): void => {
        if (request.sendByMs !== undefined && now() > request.sendByMs) throw lateCall(request);
      };
      assertInTime();
      if (state.warmUp !== undefined) await untilSendBy(state.warmUp, request);
      const call = async (signedIn: Session): Promise<HttpResponse> => {
        try {
          const headers = headersOf(request, signedIn);
          const response = await signedIn.connection.api.request({ ...request, headers });
          // Some gateways answer so to a key that was replaced. The next call reads the secret again.
          if (response.status === 403 && options.apiKeyHeader !== undefined) change({ isSecretStale: true });
          return response;
        } catch (error) {
          distrustSecretAfter(error);
          throw error;
        }
      };
      const first = await session(request);
      const response = await call(first);
      if (response.status !== 401) return response;
      assertInTime();
      // One renewal, with a freshly read secret, for all the calls that were refused with the same token.
      if (state.token === first.token) change({ token: undefined, isSecretStale: true });
      return call(await session(request));
    },
  };
}
