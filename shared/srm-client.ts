/** The client for SRM, made from a function's environment variables. */
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { readConnectionSecret } from './connection-secret.ts';
import type { ExtractorEnvironment } from './environment.ts';
import type { HttpCall } from './http-client.ts';
import { createOAuthClient, type OAuthClient } from './oauth-client.ts';
import type { SrmSettings } from './srm-carts.ts';

type SrmEnvironment = Pick<ExtractorEnvironment, Extract<keyof ExtractorEnvironment, `SRM_${string}`>>;

/** A page of 100 large carts is some tens of megabytes; more is not a page. */
const MAXIMUM_PAGE_BYTES = 64 * 1024 * 1024;

export function createSrmClient(
  environment: SrmEnvironment,
  secrets: SecretsManagerClient,
  now: () => number,
  onCall: (call: HttpCall) => void,
): OAuthClient {
  return createOAuthClient({
    system: 'SRM',
    section: 'srm',
    http: {
      baseUrl: environment.SRM_BASE_URL,
      proxyUrl: environment.SRM_PROXY_URL,
      timeoutMs: environment.SRM_TIMEOUT_MS,
      maximumResponseBytes: MAXIMUM_PAGE_BYTES,
      onCall,
    },
    tokenUrl: environment.SRM_TOKEN_URL,
    clientAuthentication: environment.SRM_CLIENT_AUTHENTICATION,
    scope: environment.SRM_SCOPE,
    tokenParameters: environment.SRM_DIFFERENCES.tokenParameters,
    headers: environment.SRM_DIFFERENCES.headers,
    apiKeyHeader: environment.SRM_API_KEY_HEADER,
    secretName: environment.SRM_SECRET,
    readSecret: () =>
      readConnectionSecret(secrets, {
        name: environment.SRM_SECRET,
        mutualTls: environment.SRM_MUTUAL_TLS,
        privateCa: environment.SRM_PRIVATE_CA,
        apiKey: environment.SRM_API_KEY_HEADER !== undefined,
      }),
    faults: { refused: 'E_SRC_AUTH', unavailable: 'E_SRC_UNAVAILABLE' },
    now,
  });
}

export const srmSettings = (environment: SrmEnvironment): SrmSettings => ({
  baseUrl: environment.SRM_BASE_URL,
  client: environment.SRM_CLIENT,
  language: environment.SRM_LANGUAGE,
  statuses: environment.SRM_STATUSES,
  internalHosts: environment.SRM_INTERNAL_HOSTS,
  pageSize: environment.SRM_PAGE_SIZE === 0 ? undefined : environment.SRM_PAGE_SIZE,
  servicePath: environment.SRM_SERVICE_PATH,
  entitySet: environment.SRM_ENTITY_SET,
  keyProperty: environment.SRM_KEY_PROPERTY,
  fields: environment.SRM_DIFFERENCES.fields,
  changedAtProperty: environment.SRM_CHANGED_AT_PROPERTY,
  expand: environment.SRM_DIFFERENCES.expand,
  paging: environment.SRM_PAGING,
});
