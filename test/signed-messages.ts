/** Signs messages that a test sends itself, as the functions do. */
import { createSecretKey } from 'node:crypto';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { only, type LocalStack } from '../infra/local/aws/local-stack.ts';
import { signatureAttribute, signatureOf } from '../shared/message-signature.ts';

export interface MessageKey {
  readonly key: string;
  readonly environment: string;
}

/** The attributes of a signed message. */
export const signedBy = ({ key, environment }: MessageKey, body: string) =>
  signatureAttribute(signatureOf(body, createSecretKey(Buffer.from(key)), environment));

/** The key that the local stack has generated. */
export async function messageKeyOf({ clients, functions }: LocalStack): Promise<MessageKey> {
  const worker = functions.filter(({ description: { variables } }) => variables['MAX_RECEIVE_COUNT'] !== undefined);
  const { MESSAGE_KEY: SecretId, INTERFACE_ENVIRONMENT: environment = '' } = only(worker, 'worker').description
    .variables;
  const { SecretString: key = '' } = await clients.secretsManager.send(new GetSecretValueCommand({ SecretId }));
  return { key, environment };
}
