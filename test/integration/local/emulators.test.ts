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
import { type AwsClients, createAwsClients } from '../../../infra/local/aws/aws-clients.ts';
import { type Emulators, startEmulators } from '../../../infra/local/aws/emulators.ts';

/** The addresses of this machine, other than 127.0.0.1, that a listener on 0.0.0.0 would have. */
const otherAddresses = [
  ...(process.platform === 'linux' ? ['127.0.0.2'] : []),
  ...Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address),
  ),
];

async function accepts(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port, timeout: 1000 });
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
