/** How an OAuth2 client shows its id and secret to a token endpoint. Servers differ, so that it is a setting. */

/**
 * - `basic`: HTTP Basic, both parts percent-encoded as RFC 6749 (2.3.1) asks. SAP's XSUAA decodes them only with the
 *   header `X-CF-ENCODED-CREDENTIALS`, which other servers ignore.
 * - `basic-unencoded`: HTTP Basic as RFC 7617 has it, for the many servers that do not decode.
 * - `body`: `client_id` and `client_secret` in the form, for servers that do not take HTTP Basic.
 */
export const CLIENT_AUTHENTICATIONS = ['basic', 'basic-unencoded', 'body'] as const;
export type ClientAuthentication = (typeof CLIENT_AUTHENTICATIONS)[number];

export interface ClientCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** What a token request carries to authenticate the client. */
export interface AuthenticationParts {
  readonly headers: Readonly<Record<string, string>>;
  readonly form: Readonly<Record<string, string>>;
}

export function authenticateClient(
  way: ClientAuthentication,
  { clientId, clientSecret }: ClientCredentials,
): AuthenticationParts {
  switch (way) {
    case 'basic':
      return {
        // Without `+` for a blank: what decodes percents only, and what decodes forms, then read the same.
        headers: {
          Authorization: basic(encodeURIComponent(clientId), encodeURIComponent(clientSecret)),
          'X-CF-ENCODED-CREDENTIALS': 'true',
        },
        form: {},
      };
    case 'basic-unencoded':
      return { headers: { Authorization: basic(clientId, clientSecret) }, form: {} };
    case 'body':
      return { headers: {}, form: { client_id: clientId, client_secret: clientSecret } };
  }
}

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
