import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Answer } from './answers.ts';

/** The OAuth client of a simulator; it has only one. */
export interface OAuthClient {
  readonly clientId: string;
  readonly clientSecret: string;
}

/**
 * The only way in which a token endpoint takes the client:
 * - `basic`: HTTP Basic, both parts percent-decoded (RFC 6749, 2.3.1)
 * - `basic-when-marked`: HTTP Basic, decoded only with `X-CF-ENCODED-CREDENTIALS: true`, as SAP's XSUAA
 * - `basic-unencoded`: HTTP Basic, taken as it comes
 * - `body`: in the form
 */
export type ClientCheck = 'basic' | 'basic-when-marked' | 'basic-unencoded' | 'body';

/** Issues and checks tokens of the OAuth 2.0 client_credentials grant. */
export interface TokenDesk {
  issue(headers: IncomingHttpHeaders, body: string): Answer;
  /** True when the token of the Authorization header was issued, has not expired and is not revoked. */
  accepts(authorization: string | undefined): boolean;
  revokeTokens(): void;
  /** Rotates the secret. Issued tokens stay valid, as at a real authorization server. */
  setClient(clientId: string, clientSecret: string): void;
}

export interface TokenDeskOptions extends OAuthClient {
  /** `basic` by default. */
  readonly clientCheck: ClientCheck | undefined;
  /** Parameters that a request must carry; none by default. */
  readonly tokenParameters: Readonly<Record<string, string>> | undefined;
  readonly tokenPrefix: string;
  readonly lifetimeSeconds: number;
  readonly clock: () => Date;
}

export function openTokenDesk(options: TokenDeskOptions): TokenDesk {
  const { clientCheck = 'basic', tokenParameters = {}, tokenPrefix, lifetimeSeconds, clock } = options;
  const expiryByToken = new Map<string, number>();
  let client: OAuthClient = options;
  return {
    issue(headers, body) {
      const form = new URLSearchParams(body);
      if (form.get('grant_type') !== 'client_credentials') {
        return oauthError(400, 'unsupported_grant_type');
      }
      const { clientId, clientSecret } = presentedClient(clientCheck, headers, form);
      if (clientId !== client.clientId || clientSecret !== client.clientSecret) {
        return oauthError(401, 'invalid_client');
      }
      if (Object.entries(tokenParameters).some(([name, value]) => form.get(name) !== value)) {
        return oauthError(400, 'invalid_request');
      }
      const token = `${tokenPrefix}-${randomUUID()}`;
      expiryByToken.set(token, clock().getTime() + lifetimeSeconds * 1000);
      return tokenAnswer(200, { access_token: token, token_type: 'Bearer', expires_in: lifetimeSeconds });
    },
    accepts(authorization) {
      const token = /^Bearer (?<token>\S+)$/i.exec(authorization ?? '')?.groups?.['token'] ?? '';
      return (expiryByToken.get(token) ?? 0) > clock().getTime();
    },
    revokeTokens: () => expiryByToken.clear(),
    setClient(clientId, clientSecret) {
      client = { clientId, clientSecret };
    },
  };
}

/** The client as the token endpoint understands it; empty where it is shown in another way. */
function presentedClient(check: ClientCheck, headers: IncomingHttpHeaders, form: URLSearchParams): OAuthClient {
  if (check === 'body') {
    return { clientId: form.get('client_id') ?? '', clientSecret: form.get('client_secret') ?? '' };
  }
  const basic = /^Basic (?<encoded>\S+)$/i.exec(headers.authorization ?? '')?.groups?.['encoded'] ?? '';
  const [clientId = '', ...secret] = Buffer.from(basic, 'base64').toString().split(':');
  const clientSecret = secret.join(':');
  const isDecoded =
    check === 'basic' || (check === 'basic-when-marked' && headers['x-cf-encoded-credentials'] === 'true');
  return isDecoded
    ? { clientId: formDecoded(clientId), clientSecret: formDecoded(clientSecret) }
    : { clientId, clientSecret };
}

function formDecoded(text: string): string {
  return new URLSearchParams(`text=${text}`).get('text') ?? '';
}

function oauthError(status: number, error: string): Answer {
  const answer = tokenAnswer(status, { error });
  return status === 401 ? { ...answer, headers: { ...answer.headers, 'WWW-Authenticate': 'Basic' } } : answer;
}

function tokenAnswer(status: number, body: object): Answer {
  return {
    status,
    headers: { 'Content-Type': 'application/json;charset=UTF-8', 'Cache-Control': 'no-store' },
    body: JSON.stringify(body),
  };
}
