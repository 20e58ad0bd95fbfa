/** The client of one system, as the functions make it. */
import type { ConnectionSecret, SecretForm } from '../../shared/connection-secret.ts';
import type { HttpClient } from '../../shared/http-client.ts';
import { createOAuthClient } from '../../shared/oauth-client.ts';
import type { Environment } from '../environments.ts';

const SYSTEMS = {
  srm: { system: 'SRM', faults: { refused: 'E_SRC_AUTH', unavailable: 'E_SRC_UNAVAILABLE' } },
  vms: { system: '11VMS', faults: { refused: 'E_TGT_AUTH', unavailable: 'E_TGT_UNAVAILABLE' } },
} as const;

type Section = keyof typeof SYSTEMS;

/** Which secret the system has, and what it must hold. */
export const secretFormOf = ({ secretName, mutualTls, privateCa, apiKeyHeader }: Environment[Section]): SecretForm => ({
  name: secretName,
  mutualTls,
  privateCa,
  apiKey: apiKeyHeader !== undefined,
});

const MAXIMUM_ANSWER_BYTES = 64 * 1024 * 1024;

/** @param baseUrl Another address than the system's own. */
export function openSystem(
  environment: Pick<Environment, 'srm' | 'vms'>,
  section: Section,
  options: {
    readonly readSecret: () => Promise<ConnectionSecret>;
    readonly now: () => number;
    readonly baseUrl?: string | undefined;
  },
): HttpClient {
  const connection = environment[section];
  return createOAuthClient({
    ...SYSTEMS[section],
    section,
    http: {
      baseUrl: options.baseUrl ?? connection.baseUrl,
      proxyUrl: connection.proxyUrl,
      timeoutMs: connection.timeoutSeconds * 1000,
      maximumResponseBytes: MAXIMUM_ANSWER_BYTES,
    },
    tokenUrl: connection.tokenUrl,
    clientAuthentication: connection.clientAuthentication,
    scope: connection.scope,
    tokenParameters: connection.tokenParameters,
    headers: connection.headers,
    apiKeyHeader: connection.apiKeyHeader,
    secretName: connection.secretName,
    readSecret: options.readSecret,
    now: options.now,
  });
}
