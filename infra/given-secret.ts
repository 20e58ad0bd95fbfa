/** The secret of a system from the variables of the shell, for commands that run without AWS. */
import { clientIdentity, gatewayKey, privateAuthority } from '../shared/connection-secret.ts';
import type { Environment } from './environments.ts';

export type NamedSystem = 'SRM' | 'VMS';

/** The fields of a secret and the variables that give them, each after the name of the system. */
const SECRET_VARIABLES: Readonly<Record<string, string>> = {
  clientId: 'CLIENT_ID',
  clientSecret: 'CLIENT_SECRET',
  clientCertificate: 'CLIENT_CERTIFICATE',
  clientKey: 'CLIENT_KEY',
  certificateAuthority: 'CERTIFICATE_AUTHORITY',
  apiKey: 'API_KEY',
};

/** Its message begins behind what asked for the secret: ` needs the OAuth2 client: …`. */
export class VariablesIncomplete extends Error {}

export const hasGivenClient = (system: NamedSystem): boolean => (process.env[`${system}_CLIENT_ID`] ?? '') !== '';

/** The text of the secret, in the form that the environment asks for. @throws {VariablesIncomplete} */
export function givenSecret(
  system: NamedSystem,
  { mutualTls, privateCa, apiKeyHeader }: Pick<Environment['srm' | 'vms'], 'mutualTls' | 'privateCa' | 'apiKeyHeader'>,
): string {
  const given = Object.entries(SECRET_VARIABLES).map(([field, name]) => [
    field,
    process.env[`${system}_${name}`] ?? '',
  ]);
  const secret: Readonly<Record<string, string>> = Object.fromEntries(given.filter(([, value]) => value !== ''));
  if (secret['clientId'] === undefined || secret['clientSecret'] === undefined) {
    throw new VariablesIncomplete(` needs the OAuth2 client: set ${system}_CLIENT_ID and ${system}_CLIENT_SECRET.`);
  }
  const parts = [
    ...(mutualTls ? [clientIdentity] : []),
    ...(privateCa ? [privateAuthority] : []),
    ...(apiKeyHeader === undefined ? [] : [gatewayKey]),
  ];
  const issues = parts.flatMap((part) => part.safeParse(secret).error?.issues ?? []);
  if (issues.length === 0) return JSON.stringify(secret);
  const faults = issues.map(({ path: [field], message }) => `${system}_${SECRET_VARIABLES[String(field)]} ${message}`);
  throw new VariablesIncomplete(` needs more than the OAuth2 client for this environment: ${faults.join('; ')}.`);
}
