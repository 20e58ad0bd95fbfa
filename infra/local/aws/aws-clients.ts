/** The AWS SDK's clients, pointed at the emulators, with credentials that are worth nothing at AWS. */
import { randomBytes } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';

export interface Endpoints {
  readonly sqs: string;
  readonly dynamodb: string;
  readonly secretsManager: string;
}

/** The endpoints that a function gets as environment variables. */
export interface FunctionEndpoints extends Endpoints {
  readonly lambda: string;
}

/** The account that fauxqs builds its queue ARNs with. */
export const LOCAL_ACCOUNT = '000000000000';

/** Of this process alone, and random: the emulated services demand the access key id, which no page can know (guard.ts). */
export const LOCAL_CREDENTIALS = {
  accessKeyId: `LOCAL${randomBytes(16).toString('hex')}`,
  secretAccessKey: randomBytes(20).toString('hex'),
  sessionToken: 'local',
} as const;

export interface AwsClients {
  readonly sqs: SQSClient;
  readonly dynamodb: DynamoDBClient;
  readonly secretsManager: SecretsManagerClient;
}

/** Connects to the emulators. The AWS configuration of this machine is ignored. */
export function createAwsClients(endpoints: Endpoints, region: string): AwsClients {
  const common = { region, credentials: LOCAL_CREDENTIALS };
  return {
    sqs: new SQSClient({ ...common, endpoint: endpoints.sqs }),
    dynamodb: new DynamoDBClient({ ...common, endpoint: endpoints.dynamodb }),
    secretsManager: new SecretsManagerClient({ ...common, endpoint: endpoints.secretsManager }),
  };
}
