/** The key of PagerDuty, from its secret. It is never shown. */
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createSecretCommand } from '../../shared/secret-command.ts';

export type RoutingKey =
  | { readonly isUsable: true; readonly value: string }
  | { readonly isUsable: false; readonly why: string; readonly advice: string };

/** CloudFormation reads a secret again only when its reference changes. */
export const NEW_KEY =
  'write the right key into a secret of another name, set notifications.pagerDuty.routingKeySecretName to it, then deploy';

/** @throws {Error} of Secrets Manager, for a secret that may not be read. */
export async function readRoutingKey(secrets: SecretsManagerClient, name: string): Promise<RoutingKey> {
  const secret = await secrets.send(new GetSecretValueCommand({ SecretId: name })).catch((error: unknown) => {
    // A secret without a value is not found, either.
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
    throw error;
  });
  if (secret === undefined) {
    return {
      isUsable: false,
      why: 'holds no key of PagerDuty',
      advice: `write it with ${createSecretCommand(name)}, or put-secret-value where the secret is empty; then deploy`,
    };
  }
  const { SecretString: value = '' } = secret;
  // PagerDuty's integration keys have 32 characters.
  if (/^\w{32}$/.test(value)) return { isUsable: true, value };
  return {
    isUsable: false,
    why: 'must hold the key of PagerDuty, 32 characters, and nothing else: no JSON and no line end',
    advice: NEW_KEY,
  };
}
