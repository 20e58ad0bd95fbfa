import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type BusOptions, createBus } from '../../simulators/eventbridge/bus.ts';

interface Request {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let server: Server;
let url = '';
let requests: Request[] = [];
/** The answers in turn; 200 after the last. */
let statuses: number[] = [];

beforeEach(async () => {
  requests = [];
  statuses = [];
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      requests.push({ path: request.url ?? '', headers: request.headers, body });
      if (request.url?.startsWith('/token') === true) {
        response.end(JSON.stringify({ access_token: `token-${requests.length}` }));
      } else {
        response.writeHead(statuses.shift() ?? 200).end();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const API_KEY = {
  AuthorizationType: 'API_KEY',
  AuthParameters: {
    ApiKeyAuthParameters: { ApiKeyName: 'X-Api-Key', ApiKeyValue: 'none' },
    InvocationHttpParameters: {
      BodyParameters: [
        { Key: 'routing_key', Value: '{{resolve:secretsmanager:acme/key:SecretString:::}}', IsValueSecret: true },
      ],
    },
  },
};
const OAUTH = {
  AuthorizationType: 'OAUTH_CLIENT_CREDENTIALS',
  AuthParameters: {
    OAuthParameters: {
      AuthorizationEndpoint: 'https://login.example/token',
      ClientParameters: {
        ClientID: '{{resolve:secretsmanager:acme/client:SecretString:clientId::}}',
        ClientSecret: '{{resolve:secretsmanager:acme/client:SecretString:clientSecret::}}',
      },
      HttpMethod: 'POST',
      OAuthHttpParameters: { BodyParameters: [{ Key: 'grant_type', Value: 'client_credentials' }] },
    },
  },
};

function templateWith(connection: object, target: object = {}, rule: object = {}): unknown {
  return {
    Resources: {
      Connection: { Type: 'AWS::Events::Connection', Properties: connection },
      Destination: {
        Type: 'AWS::Events::ApiDestination',
        Properties: {
          ConnectionArn: { 'Fn::GetAtt': ['Connection', 'Arn'] },
          HttpMethod: 'POST',
          InvocationEndpoint: 'https://api.example/events?a=1',
        },
      },
      Rule: {
        Type: 'AWS::Events::Rule',
        Properties: {
          EventPattern: { source: ['test'] },
          Targets: [
            {
              Id: 'Target0',
              Arn: { 'Fn::GetAtt': ['Destination', 'Arn'] },
              DeadLetterConfig: { Arn: { 'Fn::GetAtt': ['Queue', 'Arn'] } },
              ...target,
            },
          ],
          ...rule,
        },
      },
    },
  };
}

const options = (): BusOptions => ({
  hosts: { 'api.example': url, 'login.example': url },
  secrets: { 'acme/key': 'k3y', 'acme/client': '{"clientId":"id","clientSecret":"s3cret"}' },
});

describe('the bus', () => {
  test('posts the event with the key of its connection and the secret parameter in the body', async () => {
    const [delivery] = await createBus(templateWith(API_KEY), options()).send({ source: 'test' });

    expect(delivery).toMatchObject({ rule: 'Rule', end: 'delivered', attempts: [200] });
    expect(requests).toMatchObject([{ path: '/events?a=1', headers: { 'x-api-key': 'none' } }]);
    expect(JSON.parse(requests[0]?.body ?? '')).toEqual({ source: 'test', routing_key: 'k3y' });
    expect(delivery?.input).not.toContain('k3y');
  });

  test('sends nothing for an event that no rule matches, to a disabled rule, or on another bus', async () => {
    const bus = createBus(templateWith(API_KEY), options());

    expect(await bus.send({ source: 'other' })).toEqual([]);
    expect(await bus.send({ source: 'test' }, 'own')).toEqual([]);
    expect(
      await createBus(templateWith(API_KEY, {}, { State: 'DISABLED' }), options()).send({ source: 'test' }),
    ).toEqual([]);
    expect(requests).toEqual([]);
  });

  test('keeps a token until the destination refuses it, and then asks for another', async () => {
    const bus = createBus(templateWith(OAUTH), options());
    await bus.send({ source: 'test' });
    statuses = [401];
    const [delivery] = await bus.send({ source: 'test' });

    expect(delivery).toMatchObject({ end: 'delivered', attempts: [401, 200] });
    expect(requests.map(({ path, headers }) => headers.authorization ?? path)).toEqual([
      '/token',
      'Bearer token-1',
      'Bearer token-1',
      '/token',
      'Bearer token-4',
    ]);
    expect(Object.fromEntries(new URLSearchParams(requests[0]?.body))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'id',
      client_secret: 's3cret',
    });
  });

  test.each([
    ['once for a 400', [400], [400]],
    ['again for 429 and 5xx', [429, 503, 500], [429, 503, 500]],
  ])('tries %s, and then keeps the event as a dead letter', async (_what, given, attempts) => {
    statuses = given;
    const [delivery] = await createBus(templateWith(API_KEY), options()).send({ source: 'test' });

    expect(delivery).toMatchObject({ end: 'dead letter', deadLetterQueue: 'Queue.Arn', attempts });
  });

  test('loses an event without a dead-letter queue', async () => {
    statuses = [400];
    const template = templateWith(API_KEY, { DeadLetterConfig: undefined });
    const [delivery] = await createBus(template, options()).send({ source: 'test' });

    expect(delivery).toMatchObject({ end: 'lost' });
  });

  test('does not send what is not JSON', async () => {
    const target = { InputTransformer: { InputPathsMap: { a: '$.text' }, InputTemplate: '{"a": <a>}' } };
    const bus = createBus(templateWith(API_KEY, target), options());
    const [delivery] = await bus.send({ source: 'test', text: '"' });

    expect(delivery).toMatchObject({ end: 'dead letter', attempts: ['invalid JSON'] });
    expect(requests).toEqual([]);
  });

  test.each<[string, unknown, string]>([
    ['a property of a target', templateWith(API_KEY, { SqsParameters: {} }), 'SqsParameters'],
    ['a property of a rule', templateWith(API_KEY, {}, { ScheduleExpression: 'rate(1 minute)' }), 'ScheduleExpression'],
    ['a property of a connection', templateWith({ ...API_KEY, KmsKeyIdentifier: 'k' }), 'KmsKeyIdentifier'],
  ])('refuses %s that it does not know', (_what, template, name) => {
    expect(() => createBus(template, options())).toThrow(name);
  });

  test('refuses a host without a server, and a secret that does not exist', async () => {
    const event = { source: 'test' };

    await expect(createBus(templateWith(API_KEY), { ...options(), hosts: {} }).send(event)).rejects.toThrow(
      'no server stands in for api.example',
    );
    await expect(createBus(templateWith(API_KEY), { ...options(), secrets: {} }).send(event)).rejects.toThrow(
      'the secret acme/key does not exist',
    );
  });
});
