/** The client of one system, as the functions make it. */
import type { ConnectionSecret } from '../../shared/connection-secret.ts';
import type { HttpClient } from '../../shared/http-client.ts';
import { createOAuthClient } from '../../shared/oauth-client.ts';
import type { Environment } from '../environments.ts';

const SYSTEMS = {
  srm: { system: 'SRM', faults: { refused: 'E_SRC_AUTH', unavailable: 'E_SRC_UNAVAILABLE' } },
  vms: { system: '11VMS', faults: { refused: 'E_TGT_AUTH', unavailable: 'E_TGT_UNAVAILABLE' } },
} as const;

const MAXIMUM_ANSWER_BYTES = 64 * 1024 * 1024;

/** @param baseUrl Another address than the system's own. */
export function openSystem(
  environment: Pick<Environment, 'srm' | 'vms'>,
  section: 'srm' | 'vms',
  options: {
    readonly readSecret: () => Promise<ConnectionSecret>;
    readonly now: () => number;
    readonly baseUrl?: string;
  },
): HttpClient {
  const { baseUrl, tokenUrl, clientAuthentication, scope, secretName, timeoutSeconds } = environment[section];
  return createOAuthClient({
    ...SYSTEMS[section],
    section,
    http: {
      baseUrl: options.baseUrl ?? baseUrl,
      timeoutMs: timeoutSeconds * 1000,
      maximumResponseBytes: MAXIMUM_ANSWER_BYTES,
    },
    tokenUrl,
    clientAuthentication,
    scope,
    secretName,
    readSecret: options.readSecret,
    now: options.now,
  });
}
