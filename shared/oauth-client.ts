/** OAuth2 client credentials: one token source per system, and a client that puts the token on each call. */
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { type ConnectionSecret, SecretUnusable } from './connection-secret.ts';
import { tryParseJson } from './exact-json.ts';
import { type FaultCode, InterfaceError } from './failure.ts';
import {
  createHttpClient,
  type HttpClient,
  type HttpClientOptions,
  HttpError,
  isHandshakeFailure,
  retryAfterMs,
} from './http-client.ts';

export interface OAuthClientOptions {
  /** The system's name in messages. */
  readonly system: string;
  /** How the API is reached; with which certificates, the secret says. */
  readonly http: Omit<HttpClientOptions, 'tls'>;
  readonly tokenUrl: string;
  readonly scope: string;
  readonly readSecret: () => Promise<ConnectionSecret>;
  readonly faults: { readonly refused: FaultCode; readonly unavailable: FaultCode };
  readonly now: () => number;
}

const tokenAnswer = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]+$/),
  // A token of another type (MAC, DPoP) must not be sent as a bearer's (RFC 6749, 7.1); Apigee says BearerToken.
  token_type: z
    .string()
    .regex(/^bearer(token)?$/i)
    .optional(),
  expires_in: z.coerce.number().positive().default(300),
});

interface Token {
  readonly value: string;
  readonly usableUntilMs: number;
}

/** What one reading of the secret leads to. */
interface Connection {
  readonly secret: ConnectionSecret;
  readonly api: HttpClient;
  readonly tokens: HttpClient;
}

/** A token is given up this long before it expires, so that it does not expire on its way (source-srm7.md, "Security"). */
const EXPIRY_MARGIN_MS = 60_000;

export interface OAuthClient extends HttpClient {
  /**
   * Fetches secret and token ahead of the first call, which waits for them. A failure is that call's to report: it asks
   * again, since Lambda may have stood still between its start and its first event, and the connections are gone.
   */
  warmUp(): void;
}

/**
 * An HTTP client that authorizes each call. The token is fetched once for all callers, kept until its expiry less
 * 60 s, and renewed once, with a freshly read secret, when a call is answered 401; a second 401 is the caller's.
 * @throws {InterfaceError} `refused` when there is no token to be had, `transient` when the token endpoint is down.
 */
export function createOAuthClient(options: OAuthClientOptions): OAuthClient {
  const tokenUrl = new URL(options.tokenUrl);
  const tokenHttp = { baseUrl: tokenUrl.origin, timeoutMs: 10_000, maximumResponseBytes: 65_536 };
  let connecting: Promise<Connection> | undefined;
  let latest: Connection | undefined;
  let cached: Token | undefined;
  let fetching: Promise<Token> | undefined;
  let warming: Promise<void> | undefined;

  async function connect(): Promise<Connection> {
    const secret = await options.readSecret();
    // The same certificates keep the same connections: a new secret for the client alone costs no handshake.
    const kept = latest !== undefined && isDeepStrictEqual(latest.secret.tls, secret.tls) ? latest : undefined;
    const tls = secret.tls === undefined ? {} : { tls: secret.tls };
    latest = {
      secret,
      api: kept?.api ?? createHttpClient({ ...options.http, ...tls }),
      tokens: kept?.tokens ?? createHttpClient({ ...tokenHttp, ...tls }),
    };
    return latest;
  }

  function connection(): Promise<Connection> {
    connecting ??= connect().catch((error: unknown) => {
      connecting = undefined;
      throw secretFault(error);
    });
    return connecting;
  }

  /** A handshake that fails may mean that the certificate was replaced since we read it: the next call reads again. */
  function forgetAfter(error: unknown): void {
    if (error instanceof HttpError && isHandshakeFailure(error) && latest?.secret.tls !== undefined) {
      connecting = undefined;
    }
  }

  async function fetchToken(freshSecret: boolean): Promise<Token> {
    if (freshSecret) connecting = undefined;
    const {
      secret: { clientId, clientSecret },
      tokens,
    } = await connection();
    const basic = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString('base64');
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      ...(options.scope === '' ? {} : { scope: options.scope }),
    });
    const response = await tokens
      .request({
        method: 'POST',
        path: tokenUrl.pathname + tokenUrl.search,
        headers: {
          Authorization: `Basic ${basic}`,
          'Content-Type': 'application/x-www-form-urlencoded',
          Accept: 'application/json',
        },
        body: form.toString(),
      })
      .catch((error: unknown) => {
        forgetAfter(error);
        throw tokenFault(
          'transient',
          error instanceof HttpError ? `cannot be reached (${error.code})` : 'cannot be reached',
        );
      });
    if (response.status >= 500 || response.status === 429 || response.status === 408) {
      throw tokenFault('transient', `answered ${response.status}`, retryAfterMs(response, options.now()));
    }
    if (response.status !== 200) throw tokenFault('refused', `answered ${response.status}`);
    // The body is never quoted: it holds the token, and some endpoints echo the secret.
    const answer = tokenAnswer.safeParse(tryParseJson(response.body));
    if (!answer.success) throw tokenFault('transient', 'answered 200 without a usable access_token');
    const lifetimeMs = answer.data.expires_in * 1000;
    const usableMs = Math.max(lifetimeMs - EXPIRY_MARGIN_MS, lifetimeMs / 2);
    return { value: answer.data.access_token, usableUntilMs: options.now() + usableMs };
  }

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
    return new InterfaceError('transient', {
      code: options.faults.unavailable,
      message: `Secrets Manager did not give the secret of ${options.system} (${name})`,
    });
  }

  /** A refusal may mean that the secret was rotated since we read it: once more, with a fresh one (edge case 81). */
  async function newToken(freshSecret: boolean): Promise<Token> {
    const secretWasCached = connecting !== undefined && !freshSecret;
    try {
      return await fetchToken(freshSecret);
    } catch (error) {
      const refused = error instanceof InterfaceError && error.failureClass === 'refused';
      if (!refused || !secretWasCached) throw error;
      return fetchToken(true);
    }
  }

  /** Single flight: whoever needs a token while one is being fetched waits for that one. */
  function fetchOnce(freshSecret: boolean): Promise<Token> {
    fetching ??= newToken(freshSecret)
      .then((token) => {
        cached = token;
        return token;
      })
      .finally(() => {
        fetching = undefined;
      });
    return fetching;
  }

  async function fetchAhead(): Promise<void> {
    try {
      await fetchOnce(false);
    } catch {
      // The first call asks again, and reports what it then meets.
    } finally {
      warming = undefined;
    }
  }

  const token = (): Token | Promise<Token> =>
    cached !== undefined && options.now() < cached.usableUntilMs ? cached : fetchOnce(false);

  /** One renewal for all the calls that were refused with the same token. */
  const tokenAfter = (refused: Token): Token | Promise<Token> =>
    cached !== undefined && cached !== refused ? cached : fetchOnce(true);

  return {
    warmUp() {
      warming = fetchAhead();
    },
    async request(request) {
      if (warming !== undefined) await warming;
      const call = async (bearer: Token) => {
        const { api } = await connection();
        const headers = { ...request.headers, Authorization: `Bearer ${bearer.value}` };
        return api.request({ ...request, headers }).catch((error: unknown) => {
          forgetAfter(error);
          throw error;
        });
      };
      const first = await token();
      const response = await call(first);
      return response.status === 401 ? call(await tokenAfter(first)) : response;
    },
  };
}
