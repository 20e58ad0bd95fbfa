/** The numbers of orders go back to SRM: the real handler, the simulator of SRM with SAP Gateway's protection, the ledger. */
import { randomUUID } from 'node:crypto';
import { CreateQueueCommand, PurgeQueueCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { createHandler } from '../../../functions/write-order-numbers/handler.ts';
import { retryDelaySeconds } from '../../../functions/write-order-numbers/write-order-numbers.ts';
import { readCartStory } from '../../../infra/carts/cart-story.ts';
import { timelineOf } from '../../../infra/console/carts/timeline.ts';
import { loadEnvironment } from '../../../infra/environments.ts';
import type { NumberWriterVariables } from '../../../shared/environment.ts';
import { createLedger, type OrderClaim } from '../../../shared/ledger.ts';
import { createLedgerTable, type LedgerTable } from '../../../shared/ledger-table.ts';
import type { SimulatedRequest } from '../../simulators/disturbances.ts';
import { type Srm7Options, type Srm7Simulator, startSrm7 } from '../../simulators/srm7.ts';
import { newCart, textOf } from '../create/worker-fixture.ts';
import { type Fixture, lambdaContext, openFixture } from '../fixture.ts';
import { startLedgerOf } from '../ledger-of.ts';
import { onceFor, type RecordingProxy, startRecordingProxy } from '../recording-proxy.ts';

const PATH = "/ShoppingCarts('{cart}')";
const PROPERTY = 'ExternalOrderNumber';

let fixture: Fixture;
let table: LedgerTable;
let proxy: RecordingProxy;
let sqsProxy: RecordingProxy;
let ledger: RecordingProxy;
let queueUrl: string;
const others: Srm7Simulator[] = [];
beforeAll(async () => {
  fixture = await openFixture({ srm: { orderNumbers: { path: PATH, property: PROPERTY } } });
  table = createLedgerTable(fixture.clients.dynamodb, fixture.tableName);
  [proxy, sqsProxy, ledger] = await Promise.all([
    startRecordingProxy(fixture.srm.url),
    startRecordingProxy(fixture.emulators.endpoints.sqs),
    startLedgerOf('OrderNumbers', fixture.emulators.endpoints.dynamodb),
  ]);
  // Of the handlers, which are made later.
  process.env['AWS_ENDPOINT_URL_SQS'] = sqsProxy.url;
  process.env['AWS_ENDPOINT_URL_DYNAMODB'] = ledger.url;
  const { QueueUrl = '' } = await fixture.clients.sqs.send(new CreateQueueCommand({ QueueName: 'numbers' }));
  queueUrl = new URL(new URL(QueueUrl).pathname, fixture.emulators.endpoints.sqs).href;
});
afterAll(async () => {
  await Promise.all([proxy.close(), sqsProxy.close(), ledger.close(), ...others.map((srm) => srm.close())]);
  await fixture.close();
});
beforeEach(() => {
  fixture.srm.setDisturbances('none');
  proxy.intercept((_call, forward) => forward());
  fixture.takeOutput();
});

function handlerOf(changes: Partial<NumberWriterVariables> = {}, ofLambda: Readonly<Record<string, string>> = {}) {
  const { FIRST_WATERMARK: _first, RECONCILIATION_DAYS: _days, ...common } = fixture.reconcilerVariables;
  return createHandler({
    ...common,
    SRM_BASE_URL: proxy.url,
    SRM_TOKEN_URL: fixture.srm.tokenUrl,
    SRM_TIMEOUT_MS: '2000',
    QUEUE_URL: sqsProxy.url + new URL(queueUrl).pathname,
    NUMBERS_PATH: PATH,
    NUMBERS_METHOD: 'PATCH',
    NUMBERS_PROPERTY: PROPERTY,
    ...changes,
    ...ofLambda,
  });
}

/** A cart that SRM has; its number. */
function knownCart(srm: Srm7Simulator = fixture.srm): string {
  const cart = newCart();
  srm.addCarts([cart]);
  return textOf(cart['ObjectId']);
}

/** What the worker leaves in the ledger for an order. */
async function order(cart: string, number: string | undefined, supplier = '100234'): Promise<void> {
  const ledger = createLedger(table);
  const claim: OrderClaim = {
    cart: { client: '100', number: cart },
    externalId: `SRM7-100-${cart}-${supplier}-EUR-BE10`,
    contentHash: 'hash',
    changedAtMs: Date.UTC(2026, 10, 20),
    ordersOfCart: 1,
    messageId: 'worker-message',
    receive: 1,
    attemptId: randomUUID(),
    nowMs: Date.now(),
    leaseMs: 1000,
  };
  await ledger.claim(claim);
  await ledger.created(claim, { id: `po-${supplier}`, number }, Date.now());
}

const eventOf = (cart: string): string =>
  JSON.stringify({
    specversion: '1.0',
    id: `SRM7-100-${cart}-100234-EUR-BE10`,
    source: '/proc-srm7-11vms-purchase-order-v1/test',
    type: 'internal.purchaseorder.v1.PurchaseOrder.Created.v1',
    subject: `SRM7-100-${cart}-100234-EUR-BE10`,
    time: '2026-11-29T08:00:00.000Z',
    datacontenttype: 'application/json',
    data: {
      externalId: `SRM7-100-${cart}-100234-EUR-BE10`,
      orderId: 'po-100234',
      orderNumber: 'PO-1',
      sapClient: '100',
      cartNumber: cart,
      createdAt: '2026-11-29T08:00:00.000Z',
    },
  });

/** Delivers events, as the event source mapping does; what failed, and the seconds until it is visible again. */
async function deliver(
  handler: ReturnType<typeof handlerOf>,
  bodies: readonly string[],
  { receive = 1, messageIds: given = [] as readonly string[], remainingMs = 600_000 } = {},
) {
  const { sqs } = fixture.clients;
  await sqs.send(new PurgeQueueCommand({ QueueUrl: queueUrl }));
  for (const body of bodies) await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));
  const received = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600 }),
  );
  const records = z
    .array(z.object({ MessageId: z.string(), ReceiptHandle: z.string(), Body: z.string() }))
    .parse(received.Messages)
    .map(({ MessageId, ReceiptHandle, Body }, index) => ({
      messageId: given[index] ?? MessageId,
      receiptHandle: ReceiptHandle,
      body: Body,
      attributes: { ApproximateReceiveCount: String(receive) },
    }));
  expect(records.map(({ body }) => body)).toEqual(bodies);
  const from = sqsProxy.calls.length;
  const { batchItemFailures } = await handler(
    { Records: records },
    lambdaContext(() => remainingMs),
  );
  const visibleAfter = sqsProxy.calls
    .slice(from)
    .flatMap(({ body }) => visibilityCall.parse(JSON.parse(body)).Entries)
    .map(({ VisibilityTimeout }) => VisibilityTimeout);
  return {
    failed: batchItemFailures.map(({ itemIdentifier }) => itemIdentifier),
    messageIds: records.map(({ messageId }) => messageId),
    visibleAfter,
  };
}
const visibilityCall = z.object({ Entries: z.array(z.object({ VisibilityTimeout: z.number() })) });

const numberOf = (cart: string): string | undefined => fixture.srm.orderNumbers?.numbers.get(cart);
const writesOf = (cart: string) =>
  fixture.srm.orderNumbers?.writes.filter((write) => write.cart === cart).map(({ value }) => value);
const recordOf = (cart: string) => table.getItem({ pk: `NUMBERS#100#${cart}`, sk: 'NUMBERS' });
const callsOf = (from: number) => proxy.calls.slice(from).map(({ method, path }) => `${method} ${path.split('?')[0]}`);
const SERVICE = '/sap/opu/odata/sap/ZSRM_SC_EXTRACT_SRV';
const logged = () =>
  fixture
    .takeOutput()
    .filter((line) => line.startsWith('{') && !line.startsWith('{"_aws"'))
    .map((line) => z.looseObject({ event: z.string().optional(), level: z.string() }).parse(JSON.parse(line)));

describe('an order', () => {
  test('is written with a token and the cookies of the answer that gave it', async () => {
    const [cart, from] = [knownCart(), proxy.calls.length];
    await order(cart, 'PO-4711');

    expect((await deliver(handlerOf(), [eventOf(cart)])).failed).toEqual([]);
    expect(numberOf(cart)).toBe('PO-4711');
    expect(callsOf(from)).toEqual([`GET ${SERVICE}/`, `PATCH ${SERVICE}/ShoppingCarts('${cart}')`]);
    const [, write] = proxy.calls.slice(from);
    expect(write?.headers).toMatchObject({
      'content-type': 'application/json',
      'if-match': '*',
      'sap-client': '100',
      'x-csrf-token': expect.stringMatching(/^[0-9a-f-]{36}$/),
      cookie: expect.stringMatching(/^SAP_SESSIONID_SRM_100=[0-9a-f-]{36}; sap-usercontext=sap-client=100$/),
    });
    expect(write?.body).toBe('{"ExternalOrderNumber":"PO-4711"}');
    expect(await recordOf(cart)).toMatchObject({ state: 'WRITTEN', numbers: 'PO-4711' });
    expect(logged().map(({ event }) => event)).toEqual(['order-numbers.written']);
  });

  test('of a cart with several: all numbers, as one text; the id where 11VMS gave no number', async () => {
    const cart = knownCart();
    await order(cart, 'PO-2');
    await order(cart, 'PO-10', '100999');
    await order(cart, undefined, '100555');
    await deliver(handlerOf(), [eventOf(cart)]);

    expect(numberOf(cart)).toBe('PO-10, PO-2, po-100555');
  });

  test('whose number SRM has from another event of the cart is not written again', async () => {
    const cart = knownCart();
    await order(cart, 'PO-1');
    await order(cart, 'PO-2', '100999');
    const handler = handlerOf();
    expect((await deliver(handler, [eventOf(cart), eventOf(cart)])).failed).toEqual([]);

    expect(writesOf(cart)).toEqual(['PO-1, PO-2']);
    expect(logged().map(({ event }) => event)).toEqual(['order-numbers.written', 'order-numbers.known']);
    await order(cart, 'PO-3', '100777');
    await deliver(handler, [eventOf(cart)]);
    expect(writesOf(cart)).toEqual(['PO-1, PO-2', 'PO-1, PO-2, PO-3']);
  });

  test('whose event was received before is written whatever the ledger says: its own write may have come late', async () => {
    const cart = knownCart();
    await order(cart, 'PO-1');
    const handler = handlerOf();
    await deliver(handler, [eventOf(cart)]);
    await deliver(handler, [eventOf(cart)], { receive: 2 });

    expect(writesOf(cart)).toEqual(['PO-1', 'PO-1']);
  });

  test('that comes to be while another one is written is not lost: the last write has both', async () => {
    const cart = knownCart();
    await order(cart, 'PO-1');
    proxy.intercept(
      onceFor(
        ({ method }) => method === 'PATCH',
        async (_call, forward) => {
          await order(cart, 'PO-2', '100999');
          return forward();
        },
      ),
    );
    await deliver(handlerOf(), [eventOf(cart)]);

    expect(numberOf(cart)).toBe('PO-1, PO-2');
    expect(await recordOf(cart)).toMatchObject({ state: 'WRITTEN', numbers: 'PO-1, PO-2' });
  });

  test('of an event that has a member which this version does not know is written', async () => {
    const cart = knownCart();
    await order(cart, 'PO-1');
    const later = eventOf(cart).replace('"data":{', '"dataschema":"https://example.com/2","data":{"currency":"EUR",');
    expect((await deliver(handlerOf(), [later])).failed).toEqual([]);

    expect(numberOf(cart)).toBe('PO-1');
  });

  test('is written with the trace of the invocation, which the token endpoint does not get', async () => {
    const [cart, from] = [knownCart(), proxy.calls.length];
    await order(cart, 'PO-1');
    const trace = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';
    const handler = handlerOf({ SRM_TOKEN_URL: `${proxy.url}/oauth/token` }, { _X_AMZN_TRACE_ID: trace });
    await deliver(handler, [eventOf(cart)]);

    const traceparent = '00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01';
    expect(proxy.calls.slice(from).map(({ method, headers }) => [method, headers['traceparent']])).toEqual([
      ['POST', undefined],
      ['GET', traceparent],
      ['PATCH', traceparent],
    ]);
  });

  test('goes as a MERGE in a POST where the entry says so', async () => {
    const [cart, from] = [knownCart(), proxy.calls.length];
    await order(cart, 'PO-1');
    expect((await deliver(handlerOf({ NUMBERS_METHOD: 'POST' }), [eventOf(cart)])).failed).toEqual([]);

    expect(numberOf(cart)).toBe('PO-1');
    expect(proxy.calls.slice(from).map(({ method, headers }) => [method, headers['x-http-method']])).toEqual([
      ['GET', undefined],
      ['POST', 'MERGE'],
    ]);
  });
});

describe('the protection of SAP Gateway', () => {
  test('one token and its cookies serve every message of the container', async () => {
    const [carts, from] = [[knownCart(), knownCart()], proxy.calls.length];
    for (const cart of carts) await order(cart, `PO-${cart}`);
    const handler = handlerOf();
    await deliver(handler, [eventOf(carts[0] ?? '')]);
    await deliver(handler, [eventOf(carts[1] ?? '')]);

    expect(proxy.calls.slice(from).map(({ method }) => method)).toEqual(['GET', 'PATCH', 'PATCH']);
  });

  test('a session that has ended costs one more token, and no message', async () => {
    const [carts, from] = [[knownCart(), knownCart()], proxy.calls.length];
    for (const cart of carts) await order(cart, 'PO-1');
    const handler = handlerOf();
    await deliver(handler, [eventOf(carts[0] ?? '')]);
    fixture.srm.orderNumbers?.endSessions();
    expect((await deliver(handler, [eventOf(carts[1] ?? '')])).failed).toEqual([]);

    expect(proxy.calls.slice(from).map(({ method }) => method)).toEqual(['GET', 'PATCH', 'PATCH', 'GET', 'PATCH']);
  });

  test('a token that is void at once is fetched once more, and then the message waits', async () => {
    const [cart, from] = [knownCart(), proxy.calls.length];
    await order(cart, 'PO-1');
    proxy.intercept(async (call, forward) => {
      if (call.method === 'PATCH') fixture.srm.orderNumbers?.endSessions();
      return forward();
    });
    const { failed, messageIds } = await deliver(handlerOf(), [eventOf(cart)]);

    expect(failed).toEqual(messageIds);
    expect(proxy.calls.slice(from).map(({ method }) => method)).toEqual(['GET', 'PATCH', 'GET', 'PATCH']);
    expect(await recordOf(cart)).toMatchObject({ state: 'POSTPONED', reason: 'SRM answered 403' });
  });

  test('cookies are needed: the simulator refuses a token without them', async () => {
    const [cart, from] = [knownCart(), proxy.calls.length];
    await order(cart, 'PO-1');
    proxy.intercept(async (_call, forward) => {
      const { status, headers, body } = await forward();
      return { status, headers, body };
    });
    expect((await deliver(handlerOf(), [eventOf(cart)])).failed).toHaveLength(1);
    expect(numberOf(cart)).toBeUndefined();
    expect(proxy.calls.slice(from)[1]?.headers['x-csrf-token']).toBeDefined();
  });

  test.each([
    ['is off', { csrf: 'none' as const }, 200],
    ['is off, and the service does not show its root', { csrf: 'none' as const }, 404],
  ])('%s: the number is written without a token', async (_what, options, rootStatus) => {
    const srm = await startOther({ orderNumbers: { path: PATH, property: PROPERTY, ...options } });
    if (rootStatus === 404)
      srm.setDisturbances(({ operation }: SimulatedRequest) =>
        operation === 'csrf' ? { kind: 'status', status: 404 } : { kind: 'none' },
      );
    const cart = knownCart(srm);
    await order(cart, 'PO-1');
    const handler = handlerOf({ SRM_BASE_URL: srm.url, SRM_TOKEN_URL: srm.tokenUrl });

    expect((await deliver(handler, [eventOf(cart)])).failed).toEqual([]);
    expect(srm.orderNumbers?.numbers.get(cart)).toBe('PO-1');
  });
});

async function startOther(options: Srm7Options): Promise<Srm7Simulator> {
  const srm = await startSrm7({ ...options, clientId: fixture.srm.clientId, clientSecret: fixture.srm.clientSecret });
  others.push(srm);
  return srm;
}

const onWrite =
  (status: number, body?: 'html' | 'empty', retryAfter?: string) =>
  ({ operation }: SimulatedRequest) =>
    operation === 'write'
      ? ({ kind: 'status', status, ...(body && { body }), ...(retryAfter && { retryAfter }) } as const)
      : ({ kind: 'none' } as const);

describe('an answer that is final', () => {
  test.each([400, 405, 422])(
    '%d: the refusal is recorded, and the message goes on at once to its dead-letter queue',
    async (status) => {
      const cart = knownCart();
      await order(cart, 'PO-1');
      fixture.srm.setDisturbances(onWrite(status));
      const handler = handlerOf();
      const first = await deliver(handler, [eventOf(cart)]);

      expect(first).toMatchObject({ failed: first.messageIds, visibleAfter: [0] });
      expect(await recordOf(cart)).toMatchObject({
        state: 'REFUSED',
        numbers: 'PO-1',
        reason: `SRM answered ${status}`,
      });
      // The remaining receives of the same message do not ask SRM again; a redriven message is another one, and does.
      const from = proxy.calls.length;
      const again = await deliver(handler, [eventOf(cart)], { receive: 2, messageIds: first.messageIds });
      expect(again.failed).toEqual(first.messageIds);
      expect(proxy.calls.slice(from)).toEqual([]);
      fixture.srm.setDisturbances('none');
      expect((await deliver(handler, [eventOf(cart)], { receive: 2 })).failed).toEqual([]);
      expect(await recordOf(cart)).toMatchObject({ state: 'WRITTEN' });
    },
  );

  test('of several events of a cart is asked for once each, whatever came of the others', async () => {
    const [cart, from] = [knownCart(), proxy.calls.length];
    await order(cart, 'PO-1');
    const handler = handlerOf();
    fixture.srm.setDisturbances(onWrite(400));
    const refused = await deliver(handler, [eventOf(cart), eventOf(cart)]);
    fixture.srm.setDisturbances(onWrite(503));
    await deliver(handler, [eventOf(cart)]);
    const writes = () => proxy.calls.slice(from).filter(({ method }) => method === 'PATCH');
    expect(writes()).toHaveLength(3);

    const again = await deliver(handler, [eventOf(cart), eventOf(cart)], {
      receive: 2,
      messageIds: refused.messageIds,
    });
    expect(again).toMatchObject({ failed: refused.messageIds, visibleAfter: [0, 0] });
    expect(writes()).toHaveLength(3);
  });

  test('404: SRM does not know the cart', async () => {
    const cart = '2999999999';
    await order(cart, 'PO-1');
    await deliver(handlerOf(), [eventOf(cart)]);

    expect(await recordOf(cart)).toMatchObject({
      state: 'REFUSED',
      reason: 'SRM answered 404: it does not know the cart',
    });
    expect(logged().map(({ event, level }) => [event, level])).toEqual([['order-numbers.refused', 'ERROR']]);
  });

  test('does not keep the other messages of the batch', async () => {
    const [unknown, known] = ['2999999998', knownCart()];
    for (const cart of [unknown, known]) await order(cart, 'PO-1');
    const { failed, messageIds } = await deliver(handlerOf(), [eventOf(unknown), eventOf(known)]);

    expect(failed).toEqual(messageIds.slice(0, 1));
    expect(numberOf(known)).toBe('PO-1');
  });

  test('a message that is no event of an order goes to its dead-letter queue, and not one call is made', async () => {
    const from = proxy.calls.length;
    const noCart = eventOf('').replaceAll('SRM7-100--', 'SRM7-100-0-');
    const { failed } = await deliver(handlerOf(), ['no JSON', '{}', noCart]);

    expect(failed).toHaveLength(3);
    expect(proxy.calls.slice(from)).toEqual([]);
  });
});

describe('an answer that passes', () => {
  test.each([
    [401, undefined, 'SRM answered 401'],
    [429, undefined, 'SRM answered 429'],
    [503, undefined, 'SRM answered 503'],
    [200, 'html' as const, 'SRM answered 200 with HTML in place of JSON'],
    [403, 'html' as const, 'SRM answered 403 with HTML in place of JSON'],
    [404, 'html' as const, 'SRM answered 404 with HTML in place of JSON'],
    [302, 'empty' as const, 'SRM answered 302'],
  ])('%d %s: the message comes back, and the others of the batch do not ask', async (status, body, reason) => {
    const [carts, from] = [[knownCart(), knownCart()], proxy.calls.length];
    for (const cart of carts) await order(cart, 'PO-1');
    fixture.srm.setDisturbances(onWrite(status, body));
    const { failed, messageIds, visibleAfter } = await deliver(handlerOf(), carts.map(eventOf), { receive: 3 });

    expect(failed).toEqual(messageIds);
    expect(visibleAfter).toEqual([240, 240]);
    expect(await recordOf(carts[0] ?? '')).toMatchObject({
      state: 'POSTPONED',
      reason: expect.stringContaining(reason),
    });
    expect(await recordOf(carts[1] ?? '')).toBeUndefined();
    expect(callsOf(from).filter((call) => call.includes(carts[1] ?? ''))).toEqual([]);
  });

  test.each([403, 409, 412, 423, 428])(
    '%d concerns its cart alone: a person keeps it open, or it may not be changed. The others are written',
    async (status) => {
      const [held, other] = [knownCart(), knownCart()];
      for (const cart of [held, other]) await order(cart, 'PO-1');
      fixture.srm.setDisturbances(({ operation, key }: SimulatedRequest) =>
        operation === 'write' && key === held ? { kind: 'status', status } : { kind: 'none' },
      );
      const { failed, messageIds, visibleAfter } = await deliver(handlerOf(), [held, other].map(eventOf), {
        receive: 3,
      });

      expect(failed).toEqual(messageIds.slice(0, 1));
      expect(visibleAfter).toEqual([240]);
      expect(await recordOf(held)).toMatchObject({ state: 'POSTPONED', reason: `SRM answered ${status}` });
      expect(numberOf(other)).toBe('PO-1');
    },
  );

  test('403 that asks for a token, also with a new one, concerns every cart', async () => {
    const [carts, from] = [[knownCart(), knownCart()], proxy.calls.length];
    for (const cart of carts) await order(cart, 'PO-1');
    proxy.intercept((call, forward) =>
      call.method === 'GET' || call.path.endsWith('/token')
        ? forward()
        : Promise.resolve({ status: 403, headers: { 'x-csrf-token': 'Required' }, body: '' }),
    );
    const { failed, messageIds } = await deliver(handlerOf(), carts.map(eventOf));
    proxy.intercept((_call, forward) => forward());

    expect(failed).toEqual(messageIds);
    expect(callsOf(from).filter((call) => call.includes(carts[1] ?? ''))).toEqual([]);
  });

  test.each([
    ['a gateway that lost its route', '{"statusCode":404}'],
    ['SAP Gateway without the service', '{"error":{"code":"/IWFND/MED/170"}}'],
  ])('404 of %s may be about its cart alone. The others are written', async (_what, body) => {
    const [held, other] = [knownCart(), knownCart()];
    for (const cart of [held, other]) await order(cart, 'PO-1');
    proxy.intercept((call, forward) =>
      call.method === 'PATCH' && call.path.includes(held)
        ? Promise.resolve({ status: 404, headers: { 'content-type': 'application/json' }, body })
        : forward(),
    );
    const { failed, messageIds, visibleAfter } = await deliver(handlerOf(), [held, other].map(eventOf));

    expect({ failed, visibleAfter }).toEqual({ failed: messageIds.slice(0, 1), visibleAfter: [60] });
    expect(await recordOf(held)).toMatchObject({
      state: 'POSTPONED',
      reason: 'SRM answered 404, and does not say that it does not know the cart',
    });
    expect(numberOf(other)).toBe('PO-1');
  });

  test('Retry-After is waited for', async () => {
    const cart = knownCart();
    await order(cart, 'PO-1');
    fixture.srm.setDisturbances(onWrite(503, undefined, '300'));

    expect((await deliver(handlerOf(), [eventOf(cart)])).visibleAfter).toEqual([300]);
  });

  test('SRM that gives no token, or no answer', async () => {
    const cart = knownCart();
    await order(cart, 'PO-1');
    proxy.intercept(() => Promise.resolve('reset'));
    await deliver(handlerOf(), [eventOf(cart)]);
    expect(await recordOf(cart)).toMatchObject({
      state: 'POSTPONED',
      reason: expect.stringMatching(/^SRM did not answer/),
    });

    proxy.intercept((_call, forward) => forward());
    fixture.srm.setDisturbances(({ operation }: SimulatedRequest) =>
      operation === 'csrf' ? { kind: 'status', status: 503 } : { kind: 'none' },
    );
    await deliver(handlerOf(), [eventOf(cart)]);
    expect(await recordOf(cart)).toMatchObject({ state: 'POSTPONED', reason: 'SRM answered 503' });
  });

  test('a delay that SQS does not take is logged', async () => {
    const cart = knownCart();
    await order(cart, 'PO-1');
    fixture.srm.setDisturbances(onWrite(503));
    const body = JSON.stringify({ Failed: [{ Id: '0', SenderFault: true, Code: 'ReceiptHandleIsInvalid' }] });
    sqsProxy.intercept(() => Promise.resolve({ status: 200, headers: {}, body }));
    const { failed, messageIds } = await deliver(handlerOf(), [eventOf(cart)]);
    sqsProxy.intercept((_call, forward) => forward());

    expect(failed).toEqual(messageIds);
    expect(logged()).toContainEqual(
      expect.objectContaining({ event: 'message.visibility-not-set', codes: ['ReceiptHandleIsInvalid'] }),
    );
  });

  test('a message for which no time is left comes back untried', async () => {
    const [cart, from] = [knownCart(), proxy.calls.length];
    await order(cart, 'PO-1');
    const { failed, messageIds } = await deliver(handlerOf(), [eventOf(cart)], { remainingMs: 10_000 });

    expect(failed).toEqual(messageIds);
    expect(proxy.calls.slice(from)).toEqual([]);
  });

  test('the delays double, and 12 receives last about a day', () => {
    const delays = Array.from({ length: 11 }, (_, index) => retryDelaySeconds(index + 1));
    expect(delays.slice(0, 4)).toEqual([60, 120, 240, 480]);
    expect(delays.reduce((sum, delay) => sum + delay, 0) / 3600).toBeCloseTo(20.5, 0);
    expect(Math.max(...delays)).toBe(6 * 3600);
  });
});

describe('what came of it', () => {
  const told = async (cart: string) => {
    const environment = loadEnvironment('local');
    const story = await readCartStory({ number: cart }, { environment, table }, Date.now());
    return { story, timeline: timelineOf({ moments: story.moments, lines: [], operations: [] }) };
  };

  test('stands in the story of the cart and in its timeline, and changes nothing in its standing', async () => {
    const cart = knownCart();
    await order(cart, 'PO-1');
    const before = (await told(cart)).story.standing;
    fixture.srm.setDisturbances(onWrite(503));
    await deliver(handlerOf(), [eventOf(cart)]);
    expect((await told(cart)).timeline.at(-1)).toMatchObject({
      kind: 'written-back',
      what: 'not yet written back to SRM: PO-1: SRM answered 503',
    });

    fixture.srm.setDisturbances('none');
    await deliver(handlerOf(), [eventOf(cart)]);
    const { story, timeline } = await told(cart);
    expect(timeline.filter(({ kind }) => kind === 'written-back')).toMatchObject([
      { what: 'written back to SRM: PO-1' },
    ]);
    expect(timeline.filter(({ kind }) => kind === 'changed')).toHaveLength(1);
    expect(story.standing).toEqual(before);
  });
});
