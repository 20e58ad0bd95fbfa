import type { IncomingHttpHeaders } from 'node:http';
import type { Answer } from './simulator.ts';

/** The OAuth client of a simulator; it has only one. */
export interface OAuthClient {
  readonly clientId: string;
  readonly clientSecret: string;
}

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
  readonly tokenPrefix: string;
  readonly lifetimeSeconds: number;
  readonly clock: () => Date;
}

export function openTokenDesk(options: TokenDeskOptions): TokenDesk {
  const { tokenPrefix, lifetimeSeconds, clock } = options;
  const expiryByToken = new Map<string, number>();
  let client: OAuthClient = options;
  let issued = 0;
  return {
    issue(headers, body) {
      const form = new URLSearchParams(body);
      if (form.get('grant_type') !== 'client_credentials') {
        return oauthError(400, 'unsupported_grant_type');
      }
      if (!isClient(client, presentedClient(headers.authorization, form))) {
        return oauthError(401, 'invalid_client');
      }
      issued += 1;
      const token = `${tokenPrefix}-${issued}`;
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

function presentedClient(authorization: string | undefined, form: URLSearchParams): OAuthClient {
  const basic = /^Basic (?<encoded>\S+)$/i.exec(authorization ?? '')?.groups?.['encoded'];
  if (basic === undefined) {
    return { clientId: form.get('client_id') ?? '', clientSecret: form.get('client_secret') ?? '' };
  }
  const [clientId = '', ...secret] = Buffer.from(basic, 'base64').toString().split(':');
  return { clientId, clientSecret: secret.join(':') };
}

function isClient(known: OAuthClient, presented: OAuthClient): boolean {
  const same = (expected: string, given: string): boolean => given === expected || formDecoded(given) === expected;
  return same(known.clientId, presented.clientId) && same(known.clientSecret, presented.clientSecret);
}

/** RFC 6749 form-encodes both halves of the Basic pair. Many clients do not, so both forms are accepted. */
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
