/** The OAuth2 client of one system, kept in Secrets Manager. */
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { tryParseJson } from './exact-json.ts';

const clientCredentials = z.object({ clientId: z.string().min(1), clientSecret: z.string().min(1) });
export type ClientCredentials = z.infer<typeof clientCredentials>;

/** The secret is missing or has the wrong form. Its message names the secret and the cure, never a value. */
export class SecretUnusable extends Error {
  readonly problem: string;
  readonly cure: string;

  constructor(secretName: string, what: string) {
    const problem = `the secret ${secretName} ${what} { "clientId", "clientSecret" } yet`;
    const cure = `write it with aws secretsmanager put-secret-value --secret-id ${secretName} --secret-string file://client.json`;
    super(`${problem}: ${cure}`);
    this.name = 'SecretUnusable';
    this.problem = problem;
    this.cure = cure;
  }
}

/**
 * Reads a secret, always afresh.
 * @throws {SecretUnusable} when it is missing or malformed; the SDK's error when Secrets Manager does not answer.
 */
export async function readClientCredentials(
  secrets: SecretsManagerClient,
  secretName: string,
): Promise<ClientCredentials> {
  const value = await secrets.send(new GetSecretValueCommand({ SecretId: secretName })).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') {
      throw new SecretUnusable(secretName, 'does not exist, or holds no');
    }
    throw error;
  });
  const parsed = clientCredentials.safeParse(tryParseJson(value.SecretString ?? ''));
  if (!parsed.success) throw new SecretUnusable(secretName, 'holds no');
  return parsed.data;
}
