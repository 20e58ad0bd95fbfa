/**
 * What a subscriber gets: the rules, destinations and connections of the synthesized template deliver an event by HTTP to
 * the REST gateway of SAP Event Mesh and to a webhook.
 */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cartDeadLetteredEvent, orderCreatedEvent } from '../../../shared/event-attribute.ts';
import { orderSort, verdictSort } from '../../../shared/ledger-keys.ts';
import { cartDeadLettered, cloudEvent, orderCreated } from '../../../shared/order-events.ts';
import { EVERYTHING_ENVIRONMENT, type Synthesis, synthesizeStack } from '../../infra/synthesis.ts';
import { type Bus, type BusOptions, createBus } from '../../simulators/eventbridge/bus.ts';
import { type BusEvent, createPipes, type Pipes, streamRecord } from '../../simulators/eventbridge/pipe.ts';
import { type EventMesh, startEventMesh } from '../../simulators/event-mesh.ts';

const MESH = 'acme-pubsub.cfapps.eu10.hana.ondemand.com';
const MESH_LOGIN = 'acme.authentication.eu10.hana.ondemand.com';
const TOPIC = 'acme/procurement/orders';
const SECRETS = {
  'acme/event-mesh': JSON.stringify({ clientId: 'mesh-client', clientSecret: 'mesh-secret' }),
  'acme/archive': JSON.stringify({ clientId: 'hook-client', clientSecret: 'hook-secret' }),
};

interface Request {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let directory: string;
let template: Synthesis['template'];
let pipes: Pipes;
let mesh: EventMesh;
let hook: Server;
let hookUrl = '';
let requests: Request[] = [];
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'deliveries-'));
  const file = join(directory, 'everything.json');
  writeFileSync(file, JSON.stringify(EVERYTHING_ENVIRONMENT));
  ({ template } = await synthesizeStack(file, join(directory, 'out')));
  pipes = createPipes(template);
}, 120_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));
beforeEach(async () => {
  mesh = await startEventMesh({
    clientId: 'mesh-client',
    clientSecret: 'mesh-secret',
    clientCheck: 'body',
    topics: [TOPIC],
  });
  requests = [];
  hook = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      requests.push({ path: request.url ?? '', headers: request.headers, body });
      if (request.url === '/token') response.end(JSON.stringify({ access_token: 'hook-token' }));
      else response.writeHead(202).end();
    });
  });
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  const address = hook.address();
  hookUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
afterEach(async () => {
  hook.closeAllConnections();
  await Promise.all([mesh.close(), new Promise((resolve) => hook.close(resolve))]);
});

const bus = (options: Partial<BusOptions> = {}): Bus =>
  createBus(template, {
    hosts: { [MESH]: mesh.url, [MESH_LOGIN]: mesh.url, 'hooks.acme.example': hookUrl, 'login.acme.example': hookUrl },
    secrets: SECRETS,
    ...options,
  });
const BUS = () => Object.entries(template.Resources).find(([, { Type }]) => Type === 'AWS::Events::EventBus')?.[0];

const cart = { client: '100', number: '1070000008' };
const externalId = 'SRM7-100-1070000008-100234-EUR-BE10';

/** The event as the pipe gives it to the bus; each call is another repetition. */
function orderEvent(): BusEvent {
  const posting = { pk: 'CART#100#1070000008', sk: orderSort(externalId), state: 'POSTING' };
  const event = orderCreatedEvent({ cart, externalId }, { id: 'po_1', number: 'PO-4711' }, Date.UTC(2026, 10, 29));
  return only(posting, { ...posting, state: 'CREATED', event });
}

function deadLetterEvent(): BusEvent {
  const faults = [{ code: 'E_MAP_UOM', message: 'the unit KAR of Ms Smith' } as const];
  const event = cartDeadLetteredEvent({ cart, messageId: 'message-1' }, faults, Date.UTC(2026, 10, 29));
  return only(undefined, { pk: 'CART#100#1070000008', sk: verdictSort('message-1'), state: 'FINAL', faults, event });
}

function only(before: object | undefined, after: object): BusEvent {
  const record = streamRecord(before && marshall(before), marshall(after));
  const [event] = record === undefined ? [] : pipes.eventsOf(record);
  if (event === undefined) throw new Error('the write is no event');
  return event;
}

const send = (event: BusEvent, options?: Partial<BusOptions>) => bus(options).send(event, BUS());
const ofMesh = (deliveries: Awaited<ReturnType<typeof send>>) =>
  deliveries.filter(({ rule }) => rule.startsWith('Eventseventmesh')).map(({ end, attempts }) => ({ end, attempts }));

describe('SAP Event Mesh', () => {
  test('gets the order at its topic as a CloudEvent, with the quality of service', async () => {
    const deliveries = await send(orderEvent());

    expect(ofMesh(deliveries)).toEqual([{ end: 'delivered', attempts: [204] }]);
    const [message, ...others] = mesh.messages;
    expect(others).toEqual([]);
    expect(message).toMatchObject({ topic: TOPIC, qos: '1', contentType: 'application/cloudevents+json' });
    expect(cloudEvent(orderCreated).parse(JSON.parse(message?.body ?? ''))).toEqual({
      specversion: '1.0',
      id: externalId,
      source: '/proc-srm7-11vms-purchase-order-v1/everything',
      type: 'acme.procurement.purchaseorder.v1.PurchaseOrder.Created.v1',
      subject: externalId,
      time: '2026-11-29T00:00:00.000Z',
      datacontenttype: 'application/json',
      data: {
        externalId,
        orderId: 'po_1',
        orderNumber: 'PO-4711',
        sapClient: '100',
        cartNumber: '1070000008',
        createdAt: '2026-11-29T00:00:00.000Z',
      },
    });
  });

  test('gets the dead letter without a text of it', async () => {
    await send(deadLetterEvent());

    const [message] = mesh.messages;
    expect(cloudEvent(cartDeadLettered).parse(JSON.parse(message?.body ?? ''))).toMatchObject({
      id: 'message-1',
      subject: '100/1070000008',
      data: { codes: ['E_MAP_UOM'], owner: 'mapping owner' },
    });
    expect(message?.body).not.toContain('Smith');
  });

  test('gets a repetition of the pipe under the same id', async () => {
    const [first, second] = [orderEvent(), orderEvent()];
    expect(first.id).not.toBe(second.id);
    await send(first);
    await send(second);

    expect(mesh.messages.map(({ body }) => cloudEvent(orderCreated).parse(JSON.parse(body)).id)).toEqual([
      externalId,
      externalId,
    ]);
    expect(mesh.messages[0]?.body).toBe(mesh.messages[1]?.body);
  });

  test('may take the client in the header, too', async () => {
    await mesh.close();
    mesh = await startEventMesh({
      clientId: 'mesh-client',
      clientSecret: 'mesh-secret',
      clientCheck: 'basic',
      topics: [TOPIC],
    });

    expect(ofMesh(await send(orderEvent(), { clientIn: 'basic' }))).toEqual([{ end: 'delivered', attempts: [204] }]);
  });

  test.each([429, 500, 503])('is tried again after %d', async (status) => {
    mesh.answerNext(status);
    expect(ofMesh(await send(orderEvent()))).toEqual([{ end: 'delivered', attempts: [status, 204] }]);
    expect(mesh.messages).toHaveLength(1);
  });

  test.each([400, 403, 404])('refuses with %d: the event goes to the queue of undelivered events', async (status) => {
    mesh.answerNext(status);
    const deliveries = await send(orderEvent());
    expect(ofMesh(deliveries)).toEqual([{ end: 'dead letter', attempts: [status] }]);
    expect(new Set(deliveries.map(({ deadLetterQueue }) => deadLetterQueue))).toContain(
      'EventsUndelivered2E07DD0B.Arn',
    );
    // The other subscriber has its event.
    expect(requests.filter(({ path }) => path === '/orders')).toHaveLength(1);
  });

  test('gives another token after 401', async () => {
    const deliver = bus();
    await deliver.send(orderEvent(), BUS());
    mesh.revokeTokens();
    expect(ofMesh(await deliver.send(orderEvent(), BUS()))).toEqual([{ end: 'delivered', attempts: [401, 204] }]);
  });

  test('whose client is wrong gets nothing, and the event is kept', async () => {
    const secrets = { ...SECRETS, 'acme/event-mesh': JSON.stringify({ clientId: 'mesh-client', clientSecret: 'old' }) };
    expect(ofMesh(await send(orderEvent(), { secrets }))).toEqual([{ end: 'dead letter', attempts: [401, 401, 401] }]);
    expect(mesh.messages).toEqual([]);
  });
});

test('a webhook gets the same CloudEvent, with a token of its own scope', async () => {
  await send(orderEvent());

  expect(requests.map(({ path }) => path)).toEqual(['/token', '/orders']);
  const [token, order] = requests;
  expect(Object.fromEntries(new URLSearchParams(token?.body))).toEqual({
    grant_type: 'client_credentials',
    scope: 'orders.write',
    client_id: 'hook-client',
    client_secret: 'hook-secret',
  });
  expect(order?.headers).toMatchObject({
    'content-type': 'application/cloudevents+json',
    authorization: 'Bearer hook-token',
  });
  expect(order?.headers['x-qos']).toBeUndefined();
  expect(order?.body).toBe(mesh.messages[0]?.body);
});

test('the rule of the order numbers queues orders, and no dead letter', async () => {
  const queued = async (event: BusEvent) =>
    (await send(event)).filter(({ end }) => end === 'not simulated').map(({ target, input }) => ({ target, input }));

  const order = orderEvent();
  expect(await queued(order)).toEqual([
    { target: expect.stringMatching(/^OrderNumbersQueue/), input: JSON.stringify(order.detail) },
  ]);
  expect(await queued(deadLetterEvent())).toEqual([]);
});

test('the template holds no secret of a subscriber', () => {
  const clients = [...JSON.stringify(template).matchAll(/"Client(?:ID|Secret)":"([^"]*)"/g)].map(([, value]) => value);
  expect(clients).toHaveLength(4);
  for (const value of clients)
    expect(value).toMatch(/^\{\{resolve:secretsmanager:acme\/[a-z-]+:SecretString:client\w+::\}\}$/);
});
