import { createServer, connect } from 'node:net';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
} from '@aws-sdk/client-secrets-manager';
import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { type AwsClients, createAwsClients, LOCAL_CREDENTIALS } from '../../../infra/local/aws/aws-clients.ts';
import { type Emulators, startEmulators } from '../../../infra/local/aws/emulators.ts';
import { startLambdaApi } from '../../../infra/local/aws/lambda-api.ts';
import { sendRaw } from '../raw-http.ts';

/** The addresses of this machine, other than 127.0.0.1, that a listener on 0.0.0.0 would have. */
const otherAddresses = [
  ...(process.platform === 'linux' ? ['127.0.0.2'] : []),
  ...Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address),
  ),
];

async function accepts(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port, timeout: 5000 });
  try {
    await Promise.race([
      once(socket, 'connect'),
      once(socket, 'timeout').then(() => Promise.reject(new Error('timeout'))),
    ]);
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

describe('the embedded emulators', () => {
  let emulators: Emulators;
  let clients: AwsClients;
  beforeAll(async () => {
    emulators = await startEmulators();
    clients = createAwsClients(emulators.endpoints, 'eu-west-1');
  });
  afterAll(async () => {
    for (const client of Object.values(clients)) client.destroy();
    await emulators.close();
  });

  test.each(['sqs', 'dynamodb', 'secretsManager'] as const)(
    '%s listens on 127.0.0.1 and nowhere else',
    async (service) => {
      const { hostname, port } = new URL(emulators.endpoints[service]);

      expect(hostname).toBe('127.0.0.1');
      expect(await accepts('127.0.0.1', Number(port))).toBe(true);
      expect(otherAddresses).not.toHaveLength(0);
      for (const address of otherAddresses)
        expect([address, await accepts(address, Number(port))]).toEqual([address, false]);
    },
  );

  test.each([
    ['sqs', 'SQS'],
    ['dynamodb', 'DynamoDB'],
    ['secretsManager', 'Secrets Manager'],
  ] as const)('%s says which port is in use, and what to do', async (service, name) => {
    const occupant = createServer().listen(0, '127.0.0.1');
    await once(occupant, 'listening');
    const address = occupant.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;

    await expect(startEmulators({ [service]: port })).rejects.toThrow(
      new RegExp(`local ${name} cannot listen on 127.0.0.1:${port} .*EADDRINUSE.*Stop the program`),
    );
    occupant.close();
  });

  describe.each(['sqs', 'dynamodb', 'secretsManager', 'lambda'] as const)('%s', (service) => {
    const signedBy = (accessKeyId: string): string =>
      `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20261129/eu-west-1/${service}/aws4_request, SignedHeaders=host, Signature=0`;
    const own = (port: string) => ({
      Host: `127.0.0.1:${port}`,
      Authorization: signedBy(LOCAL_CREDENTIALS.accessKeyId),
    });

    /** The status and the body of the answer to a POST with these headers. */
    async function post(headersOf: (port: string) => Readonly<Record<string, string>>) {
      const lambda = await startLambdaApi(() => ({ functions: [], mappings: [] }));
      const { port } = new URL(service === 'lambda' ? lambda.url : emulators.endpoints[service]);
      const body = '{}';
      const headers = { 'Content-Type': 'text/plain', 'Content-Length': String(body.length), ...headersOf(port) };
      const path = '/2015-03-31/functions/worker/invocations';
      const answer = await sendRaw(Number(port), { method: 'POST', path, headers: Object.entries(headers), body });
      await lambda.close();
      return { status: answer?.status, body: answer?.body };
    }

    test('answers a caller with the credentials of this run', async () => {
      // As far as an empty request comes: none knows what is asked.
      const answered = { sqs: 200, dynamodb: 404, secretsManager: 400, lambda: 404 };
      expect((await post(own)).status).toBe(answered[service]);
    });

    test.each([
      ['without credentials', (port: string) => ({ Host: `127.0.0.1:${port}` }), 'not those of this run'],
      [
        'with other credentials',
        (port: string) => ({ ...own(port), Authorization: signedBy('local') }),
        'not those of this run',
      ],
      [
        'from a page of another site',
        (port: string) => ({ ...own(port), Origin: 'https://evil.example' }),
        'wrong Origin',
      ],
      [
        'from a page of another port',
        (port: string) => ({ ...own(port), Origin: 'http://127.0.0.1:1' }),
        'wrong Origin',
      ],
      ['from a file', (port: string) => ({ ...own(port), Origin: 'null' }), 'wrong Origin'],
      ['by a rebound name', (port: string) => ({ ...own(port), Host: `evil.example:${port}` }), 'wrong Host'],
      [
        'by a name that only begins like the address',
        (port: string) => ({ ...own(port), Host: `127.0.0.1:${port}.evil.example` }),
        'wrong Host',
      ],
    ])('refuses one %s', async (_who, headersOf, why) => {
      expect(await post(headersOf)).toEqual({ status: 403, body: expect.stringContaining(why) });
    });
  });

  test('a secret is read by name and by ARN, and a new value replaces it', async () => {
    const { secretsManager } = clients;
    const { ARN } = await secretsManager.send(new CreateSecretCommand({ Name: 'a/secret', SecretString: 'one' }));

    const byName = await secretsManager.send(new GetSecretValueCommand({ SecretId: 'a/secret' }));
    expect(byName).toMatchObject({ ARN, Name: 'a/secret', SecretString: 'one', VersionStages: ['AWSCURRENT'] });
    expect(byName.CreatedDate).toBeInstanceOf(Date);
    await secretsManager.send(new PutSecretValueCommand({ SecretId: 'a/secret', SecretString: 'two' }));
    const byArn = await secretsManager.send(new GetSecretValueCommand({ SecretId: ARN }));
    expect(byArn.SecretString).toBe('two');
    expect(byArn.VersionId).not.toBe(byName.VersionId);
    expect(await secretsManager.send(new DescribeSecretCommand({ SecretId: 'a/secret' }))).toMatchObject({ ARN });
  });

  test('a secret that does not exist is reported as AWS reports it', async () => {
    await expect(clients.secretsManager.send(new GetSecretValueCommand({ SecretId: 'none' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: "Secrets Manager can't find the specified secret.",
      $metadata: { httpStatusCode: 400 },
    });
  });

  test('inspecting a queue receives nothing', async () => {
    const { QueueUrl } = await clients.sqs.send(new CreateQueueCommand({ QueueName: 'looked-into' }));
    await clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'ready' }));
    await clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'delayed', DelaySeconds: 60 }));

    const before = await emulators.inspectQueue('looked-into');
    expect(before.ready).toMatchObject([{ body: 'ready', approximateReceiveCount: 0 }]);
    expect(before.delayed).toMatchObject([{ body: 'delayed' }]);
    await clients.sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    const after = await emulators.inspectQueue('looked-into');
    expect(after.ready).toEqual([]);
    expect(after.inFlight).toMatchObject([{ body: 'ready', approximateReceiveCount: 1 }]);
    await expect(emulators.inspectQueue('none')).rejects.toThrow('no queue "none"');
  });
});
