/** The connection to Cloud ALM: the function's, and the doctor's. */
import type { ConnectionSecret, SecretForm } from '../../shared/connection-secret.ts';
import { createOAuthClient, type OAuthClient } from '../../shared/oauth-client.ts';

export interface CloudAlmConnection {
  readonly apiUrl: string;
  readonly tokenUrl: string;
  readonly secretName: string;
  readonly readSecret: () => Promise<ConnectionSecret>;
  readonly now: () => number;
}

/** `clientId` and `clientSecret` of the service key, and nothing else. */
export const cloudAlmSecret = (name: string): SecretForm => ({
  name,
  mutualTls: false,
  privateCa: false,
  apiKey: false,
});

const TIMEOUT_MS = 10_000;
const MAXIMUM_ANSWER_BYTES = 1024 * 1024;

export const openCloudAlm = ({ apiUrl, tokenUrl, secretName, readSecret, now }: CloudAlmConnection): OAuthClient =>
  createOAuthClient({
    system: 'Cloud ALM',
    section: 'cloudAlm',
    http: { baseUrl: apiUrl, timeoutMs: TIMEOUT_MS, maximumResponseBytes: MAXIMUM_ANSWER_BYTES },
    tokenUrl,
    // SAP's XSUAA.
    clientAuthentication: 'basic',
    scope: '',
    secretName,
    readSecret,
    faults: { refused: 'E_ALM_AUTH', unavailable: 'E_ALM_UNAVAILABLE' },
    now,
  });
