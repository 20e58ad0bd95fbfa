/** The operations of AWS Secrets Manager that the interface uses, over its JSON 1.1 protocol. npm has no such emulator. */
import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { json } from 'node:stream/consumers';
import * as z from 'zod';
import { LOCAL_ACCOUNT } from './aws-clients.ts';

interface Version {
  readonly id: string;
  readonly value: string;
}

interface Secret {
  readonly arn: string;
  readonly name: string;
  readonly createdAt: number;
  /** The latest first: its stage is AWSCURRENT, and that of the one before it AWSPREVIOUS. */
  versions: readonly Version[];
  /** Until it is restored, its value can be neither read nor written. */
  deletedAt?: number;
}

const STAGES = ['AWSCURRENT', 'AWSPREVIOUS'] as const;

const requestSchema = z.object({
  SecretId: z.string().optional(),
  Name: z.string().optional(),
  SecretString: z.string().optional(),
  VersionStage: z.enum(STAGES).default('AWSCURRENT'),
});
type Request = z.infer<typeof requestSchema>;

class ServiceError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const versionOf = (value: string | undefined): readonly Version[] =>
  value === undefined ? [] : [{ id: randomUUID(), value }];

/** A server for CreateSecret, PutSecretValue, GetSecretValue, DescribeSecret and DeleteSecret. It does not listen yet. */
export function createSecretsManager(): Server {
  const secrets: Secret[] = [];
  const find = ({ SecretId: id = '' }: Request): Secret => {
    const secret = secrets.find(({ arn, name }) => id === name || id === arn || id === arn.slice(0, -7));
    if (secret === undefined) {
      throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    }
    return secret;
  };
  const findReadable = (request: Request): Secret => {
    const secret = find(request);
    if (secret.deletedAt === undefined) return secret;
    throw new ServiceError(
      'InvalidRequestException',
      "You can't perform this operation on the secret because it was marked for deletion.",
    );
  };
  const operations: Readonly<Record<string, (request: Request, region: string) => object>> = {
    CreateSecret: ({ Name: name = '', SecretString: value }, region) => {
      if (secrets.some((secret) => secret.name === name)) {
        throw new ServiceError(
          'ResourceExistsException',
          `The operation failed because the secret ${name} already exists.`,
        );
      }
      // AWS ends the ARN of a secret with six random characters.
      const arn = `arn:aws:secretsmanager:${region}:${LOCAL_ACCOUNT}:secret:${name}-${randomBytes(3).toString('hex')}`;
      const secret: Secret = { arn, name, createdAt: Date.now() / 1000, versions: versionOf(value) };
      secrets.push(secret);
      return { ARN: arn, Name: name, VersionId: secret.versions[0]?.id };
    },
    PutSecretValue: (request) => {
      const secret = findReadable(request);
      secret.versions = [...versionOf(request.SecretString), ...secret.versions];
      const [current] = secret.versions;
      return { ARN: secret.arn, Name: secret.name, VersionId: current?.id, VersionStages: ['AWSCURRENT'] };
    },
    GetSecretValue: (request) => {
      const { arn, name, versions, createdAt } = findReadable(request);
      const stage = request.VersionStage;
      const version = versions[STAGES.indexOf(stage)];
      if (version === undefined) {
        throw new ServiceError(
          'ResourceNotFoundException',
          `Secrets Manager can't find the specified secret value for staging label: ${stage}`,
        );
      }
      const { id: VersionId, value: SecretString } = version;
      return { ARN: arn, Name: name, SecretString, VersionId, VersionStages: [stage], CreatedDate: createdAt };
    },
    DescribeSecret: (request) => {
      const { arn, name, versions, createdAt, deletedAt } = find(request);
      const staged = STAGES.flatMap((stage, index) => {
        const version = versions[index];
        return version === undefined ? [] : [[version.id, [stage]] as const];
      });
      const VersionIdsToStages = Object.fromEntries(staged);
      return { ARN: arn, Name: name, CreatedDate: createdAt, DeletedDate: deletedAt, VersionIdsToStages };
    },
    DeleteSecret: (request) => {
      const secret = find(request);
      secret.deletedAt = Date.now() / 1000;
      return { ARN: secret.arn, Name: secret.name, DeletionDate: secret.deletedAt };
    },
  };

  async function answer(request: IncomingMessage): Promise<object> {
    const name = String(request.headers['x-amz-target']).replace('secretsmanager.', '');
    const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
    if (operation === undefined) {
      throw new ServiceError(
        'UnknownOperationException',
        `${name} is not among ${Object.keys(operations).join(', ')}.`,
      );
    }
    // Credential=<key>/<date>/<region>/secretsmanager/aws4_request
    const region = request.headers.authorization?.split('/')[2] ?? 'eu-west-1';
    return operation(requestSchema.parse(await json(request)), region);
  }

  return createServer((request, response) => {
    const send = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    };
    answer(request).then(
      (body) => send(200, body),
      (error: unknown) => {
        if (error instanceof ServiceError) send(400, { __type: error.code, Message: error.message });
        else send(400, { __type: 'InvalidRequestException', Message: String(error) });
      },
    );
  });
}
