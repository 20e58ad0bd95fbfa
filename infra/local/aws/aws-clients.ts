/** The AWS SDK's clients, pointed at the emulators: real protocols, and credentials that open nothing. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';

/** Where the emulators listen. */
export interface Endpoints {
  readonly sqs: string;
  readonly dynamodb: string;
  readonly secretsManager: string;
}

/** What a function needs to be told. */
export interface FunctionEndpoints extends Endpoints {
  readonly lambda: string;
}

/** The account that fauxqs builds its queue ARNs with. */
export const LOCAL_ACCOUNT = '000000000000';

/** Accepted by every emulator, and by nothing else. */
export const LOCAL_CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local', sessionToken: 'local' } as const;

/** One client for each emulator. */
export interface AwsClients {
  readonly sqs: SQSClient;
  readonly dynamodb: DynamoDBClient;
  readonly secretsManager: SecretsManagerClient;
}

/** Connects to the emulators; the host's own AWS configuration has no say. */
export function createAwsClients(endpoints: Endpoints, region: string): AwsClients {
  const common = { region, credentials: LOCAL_CREDENTIALS };
  return {
    sqs: new SQSClient({ ...common, endpoint: endpoints.sqs }),
    dynamodb: new DynamoDBClient({ ...common, endpoint: endpoints.dynamodb }),
    secretsManager: new SecretsManagerClient({ ...common, endpoint: endpoints.secretsManager }),
  };
}
