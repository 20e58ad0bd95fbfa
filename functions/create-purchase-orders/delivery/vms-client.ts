/** The client for 11VMS, made from the function's environment variables. */
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { readConnectionSecret } from '../../../shared/connection-secret.ts';
import type { WorkerEnvironment } from '../../../shared/environment.ts';
import type { HttpCall } from '../../../shared/http-client.ts';
import { createOAuthClient, type OAuthClient } from '../../../shared/oauth-client.ts';

/** The answer to a look-up holds the whole order. */
const MAXIMUM_ANSWER_BYTES = 4 * 1024 * 1024;

export function createVmsClient(
  environment: WorkerEnvironment,
  secrets: SecretsManagerClient,
  now: () => number,
  onCall: (call: HttpCall) => void,
): OAuthClient {
  return createOAuthClient({
    system: '11VMS',
    section: 'vms',
    http: {
      baseUrl: environment.VMS_BASE_URL,
      proxyUrl: environment.VMS_PROXY_URL,
      timeoutMs: environment.VMS_TIMEOUT_MS,
      maximumResponseBytes: MAXIMUM_ANSWER_BYTES,
      onCall,
    },
    tokenUrl: environment.VMS_TOKEN_URL,
    clientAuthentication: environment.VMS_CLIENT_AUTHENTICATION,
    scope: environment.VMS_SCOPE,
    tokenParameters: environment.VMS_DIFFERENCES.tokenParameters,
    headers: environment.VMS_DIFFERENCES.headers,
    apiKeyHeader: environment.VMS_API_KEY_HEADER,
    secretName: environment.VMS_SECRET,
    readSecret: () =>
      readConnectionSecret(secrets, {
        name: environment.VMS_SECRET,
        mutualTls: environment.VMS_MUTUAL_TLS,
        privateCa: environment.VMS_PRIVATE_CA,
        apiKey: environment.VMS_API_KEY_HEADER !== undefined,
      }),
    faults: { refused: 'E_TGT_AUTH', unavailable: 'E_TGT_UNAVAILABLE' },
    now,
  });
}
