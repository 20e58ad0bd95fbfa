/** The main promise: one approved cart becomes one order, exactly once, and leaves no personal data behind. */
import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import canonicalize from 'canonicalize';
import { v5 as uuidV5 } from 'uuid';
import * as z from 'zod';
import {
  CARELESS,
  envelope,
  externalIdOf,
  itemsOf,
  newCart,
  setUpWorkerFixture,
  type Row,
  sampleCart,
  sampleOrder,
  textOf,
} from './worker-fixture.ts';

const fixture = await setUpWorkerFixture({ vms: CARELESS });

/** The people that the sample cart names, and the credentials. */
const PRIVATE = [
  'Dupont',
  'example.test',
  'Rue du Canal',
  'Nordlys',
  'Data engineer',
  'simulator-secret',
  '11vms-token',
];
const logLine = z.looseObject({ level: z.string(), message: z.string(), messageId: z.string().optional() });

test('the sample cart becomes the sample order to the letter, and leaves no personal data behind', async () => {
  const worker = await fixture.worker();
  const before = fixture.proxies.dynamodb.calls.length;
  const [messageId] = await worker.send(envelope(sampleCart(), { correlationId: 'c-7f31' }));

  expect(await worker.deliver()).toMatchObject({ failed: [] });

  const stored = fixture.ordersOf(sampleCart());
  expect(JSON.stringify(stored.map(({ order }) => order))).toBe(JSON.stringify([sampleOrder]));
  const hash = createHash('sha256')
    .update(canonicalize(sampleOrder) ?? '')
    .digest('hex');
  const namespace = uuidV5('urn:interface:PROC-SRM7-11VMS-PURCHASE-ORDER-V1', uuidV5.URL);
  const key = uuidV5(`SRM7-100-1000004711-100234-EUR-BE10|r1|${hash}`, namespace);
  const [create, ...others] = fixture.proxies.vms.calls.filter(({ path }) => path.includes('/purchase-orders'));
  expect(others).toEqual([]);
  expect(create).toMatchObject({
    method: 'POST',
    path: '/11VMSProxy_V2/purchase-orders',
    headers: {
      authorization: expect.stringMatching(/^Bearer \S+$/),
      'content-type': 'application/json; charset=utf-8',
      accept: 'application/json, application/problem+json',
      'idempotency-key': `"${key}"`,
      'x-correlation-id': 'c-7f31',
      'x-interface-id': 'PROC-SRM7-11VMS-PURCHASE-ORDER-V1',
    },
  });

  // One read of the breaker for the batch; a conditional write before the POST and one after it; and in between a read of
  // the other versions of the cart.
  const ledgerCalls = fixture.proxies.dynamodb.calls.slice(before);
  expect(ledgerCalls.map(({ operation }) => operation)).toEqual(['GetItem', 'UpdateItem', 'Query', 'UpdateItem']);
  const orderNumber = stored[0]?.number;
  expect(await fixture.ledgerOf(sampleCart())).toEqual([
    expect.objectContaining({
      sk: 'ORDER#SRM7-100-1000004711-100234-EUR-BE10',
      state: 'CREATED',
      orderNumber,
      messageId,
    }),
  ]);

  const output = fixture.takeOutput();
  const lines = output.map((line) => logLine.parse({ level: '', message: '', ...JSON.parse(line) }));
  const ofTheCart = lines.filter((line) => line.messageId !== undefined);
  expect(ofTheCart.length).toBeGreaterThan(0);
  expect(ofTheCart.length).toBeLessThanOrEqual(3);
  expect(ofTheCart.find(({ message }) => message === 'Order created')).toMatchObject({
    level: 'INFO',
    cartNumber: '1000004711',
    cartGuid: '005056a5-09b3-1ee1-bee5-8ce5a1c90db0',
    messageId,
    runId: 'run-7',
    correlationId: 'c-7f31',
    orderNumber,
  });
  const kept = [...output, JSON.stringify(await fixture.wholeTable())].join('\n');
  expect(PRIVATE.filter((word) => kept.includes(word))).toEqual([]);
});

/** A cart without deleted lines, as nearly all carts are. */
const withoutDeletedItems = (cart: Row): Row => ({
  ...cart,
  Items: { results: itemsOf(cart).filter((item) => item['DelInd'] !== 'X') },
});

test('a batch of ten becomes ten orders with one token, one read of the breaker, and a read and two writes of the ledger each', async () => {
  const worker = await fixture.worker();
  const carts = Array.from({ length: 10 }, () => withoutDeletedItems(newCart()));
  const before = { ledger: fixture.proxies.dynamodb.calls.length, vms: fixture.proxies.vms.calls.length };
  await worker.send(...carts.map((cart) => envelope(cart)));
  expect(await worker.deliver()).toMatchObject({ failed: [] });

  expect(carts.map((cart) => fixture.ordersOf(cart).length)).toEqual(carts.map(() => 1));
  expect(fixture.proxies.dynamodb.calls.slice(before.ledger)).toHaveLength(31);
  const calls = fixture.proxies.vms.calls.slice(before.vms).map(({ method, path }) => `${method} ${path}`);
  expect(calls.filter((call) => call.includes('token'))).toHaveLength(1);
  expect(calls.filter((call) => call.startsWith('GET'))).toEqual([]);
});

test('each call to 11VMS carries the trace of its own invocation, and the token endpoint gets none', async () => {
  const worker = await fixture.worker();
  const traces = [
    'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1',
    'Root=1-5759e989-bd862e3fe1be46a994272794;Parent=53995c3f42cd8ad9;Sampled=0;Lineage=a87bd80c:1',
    'Root=1-5759e98a-bd862e3fe1be46a994272795;Sampled=0',
  ];
  const before = fixture.proxies.vms.calls.length;
  for (const trace of traces) {
    Object.assign(worker.variables, { _X_AMZN_TRACE_ID: trace });
    await worker.send(envelope(newCart()));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
  }

  const calls = fixture.proxies.vms.calls.slice(before);
  expect(calls.map(({ path, headers }) => [path, headers['traceparent']])).toEqual([
    ['/oauth/token', undefined],
    ['/11VMSProxy_V2/purchase-orders', '00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01'],
    ['/11VMSProxy_V2/purchase-orders', '00-5759e989bd862e3fe1be46a994272794-53995c3f42cd8ad9-00'],
    ['/11VMSProxy_V2/purchase-orders', undefined],
  ]);
});

// Edge case 1.
test('a created cart that is delivered again is acknowledged, and not posted again', async () => {
  const worker = await fixture.worker();
  const cart = newCart();
  await worker.send(envelope(cart));
  const records = await worker.receive();
  await worker.invoke(records);
  // The deletion was lost: the same message is received again, and the same cart arrives as another message, too.
  expect(await worker.invoke(records)).toMatchObject({ failed: [] });
  await worker.send(envelope(cart, { runId: 'run-8' }));
  expect(await worker.deliver()).toMatchObject({ failed: [] });

  expect(fixture.callsFor(cart)).toEqual(['create']);
  expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED', attempts: 1 });
});

// Edge case 75.
test('the same message delivered twice at once becomes one order, and the second delivery is retried', async () => {
  const worker = await fixture.worker();
  const cart = newCart();
  await worker.send(envelope(cart));
  const records = await worker.receive();
  // Slow enough that both deliveries run before the first has its answer.
  fixture.vms.setDisturbances(({ operation }) =>
    operation === 'create' ? { kind: 'slow', delayMs: 1000 } : { kind: 'none' },
  );
  const other = fixture.anotherHandler(worker);
  const deliveries = await Promise.all([worker.invoke(records), worker.invoke(records, { handler: other })]);

  expect(deliveries.map(({ failed }) => failed.length).toSorted((a, b) => a - b)).toEqual([0, 1]);
  expect(fixture.ordersOf(cart)).toHaveLength(1);
  expect(fixture.callsFor(cart)).toEqual(['create']);
  expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED' });
});

test('the same cart twice in one batch becomes one order', async () => {
  const worker = await fixture.worker();
  const cart = newCart();
  await worker.send(envelope(cart), envelope(cart, { runId: 'run-8' }));
  const { failed } = await worker.deliverAndReturn();
  expect(failed).toHaveLength(1);
  expect(await worker.deliver()).toMatchObject({ failed: [] });
  expect(fixture.callsFor(cart)).toEqual(['create']);
});

test.each<[string, (number: string) => unknown]>([
  ['a JSON number', Number],
  ['text with blanks at its end', (number) => `${number} \u00a0`],
  ['text with leading zeros', (number) => `000${number}`],
])('a cart number that SRM writes as %s is one number for order, ledger and log', async (_, written) => {
  const cart = newCart();
  const number = textOf(cart['ObjectId']);
  const worker = await fixture.worker();
  fixture.takeOutput();
  await worker.send({ ...envelope(cart), source: { ...cart, ObjectId: written(number) } });

  expect(await worker.deliver()).toMatchObject({ failed: [] });

  expect(fixture.ordersOf(cart)).toHaveLength(1);
  expect(await fixture.ledgerOf(cart)).toEqual([
    expect.objectContaining({ sk: `ORDER#${externalIdOf(cart)}`, state: 'CREATED' }),
  ]);
  const created = fixture.takeOutput().filter((line) => line.includes('Order created'));
  expect(created).toEqual([expect.stringContaining(`"cartNumber":"${number}"`)]);
});
