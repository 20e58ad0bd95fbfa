/** Edge case 84: a collection of which SRM sent a part, or a link alone, is read to its end; a part is never the whole. */
import { createServer, type RequestListener } from 'node:http';
import { afterAll, describe, expect, test } from '@jest/globals';
import { type Disturbance, noDisturbance, type SimulatedRequest } from '../../simulators/disturbances.ts';
import { type Srm7Options, type Srm7Simulator, startSrm7 } from '../../simulators/srm7.ts';
import {
  always,
  asRequeuedCopy,
  CARELESS,
  claimCheck,
  edmInstant,
  envelope,
  isCreate,
  itemsOf,
  newCart,
  type Row,
  sampleOrder,
  setUpWorkerFixture,
  textOf,
  type Worker,
} from './worker-fixture.ts';

const fixture = await setUpWorkerFixture({ vms: CARELESS });
const closing: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  await Promise.all(closing.map((close) => close()));
});

/** Enough for one call; too little to wait for a retry of the reader. */
const NO_TIME_TO_RETRY_MS = 17_990;
const SERVICE = '/sap/opu/odata/sap/ZSRM_SC_EXTRACT_SRV';
/** A GUID of its own for each item: the simulator finds an item by it. */
function cartWithItems(changes: Row = {}): Row {
  const cart = newCart(changes);
  const items = itemsOf(cart).map((item, index) => ({
    ...item,
    Guid: textOf(cart['Guid']).replace(/^.{8}/, `1000000${index}`),
  }));
  return { ...cart, Items: { results: items } };
}

async function openSrm(options: Srm7Options): Promise<{ srm: Srm7Simulator; worker: Worker }> {
  const srm = await startSrm7(options);
  closing.push(() => srm.close());
  return { srm, worker: await fixture.worker({ SRM_BASE_URL: srm.url, SRM_TOKEN_URL: srm.tokenUrl }) };
}

/** A server of the test's own on loopback. */
async function serve(listener: RequestListener) {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url ?? '');
    listener(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  closing.push(async () => server.close());
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, paths };
}

/** The queued row, which holds only its first line and a link to the others. */
const firstLineOnly = (cart: Row, link: unknown): Row => ({
  ...cart,
  Items: { results: itemsOf(cart).slice(0, 1), __next: link },
});

/** Of each line, a third of more than a cart may have. */
function withHugeLines(cart: Row): Row {
  const Description = 'x'.repeat(3_000_000);
  return { ...cart, Items: { results: itemsOf(cart).map((item) => ({ ...item, Description })) } };
}

/** What the links of a cart lead to: lines, their accounting, notes and attachments. */
function partsOf(order: unknown): unknown {
  const { lines, notes, attachments, deliveryAddress } = Object(order);
  const accounting = Object(lines).map((line: object) => Object(Reflect.get(line, 'accounting')).length);
  return {
    accounting,
    longTexts: Object(lines).map((line: object) => Reflect.get(line, 'longText')),
    notes,
    attachments,
    deliveryAddress,
  };
}
const orderOf = (cart: Row): unknown => fixture.ordersOf(cart)[0]?.order;
const onceOn = (operation: string, disturbance: Disturbance) => {
  let done = false;
  return (request: SimulatedRequest): Disturbance => {
    if (done || request.operation !== operation) return noDisturbance;
    done = true;
    return disturbance;
  };
};

test.each<[string, Srm7Options]>([
  ['in one answer', {}],
  ['in several answers, each of which is small enough', { ignoreExpand: 'always', collectionPageSize: 1 }],
])('a cart that SRM sends with more than 8 MiB %s is a dead letter', async (_how, options) => {
  const cart = withHugeLines(cartWithItems());
  const { worker } = await openSrm({ ...options, carts: [cart] });
  const [messageId = ''] = await worker.send(claimCheck(cart));
  expect((await worker.deliver()).failed).toEqual([messageId]);
  expect(await fixture.verdictOf(messageId)).toEqual([
    { code: 'E_TGT_TOO_LARGE', message: 'the cart that SRM sent has more than 8388608 bytes' },
  ]);
});

test('of ten carts that were too large for the queue, five are read and ordered at once', async () => {
  const carts = Array.from({ length: 10 }, () => newCart());
  const { srm, worker } = await openSrm({ carts });
  srm.setDisturbances(({ operation }) => (operation === 'cart' ? { kind: 'slow', delayMs: 300 } : noDisturbance));
  await worker.send(...carts.map((cart) => claimCheck(cart)));
  expect(await worker.deliver()).toMatchObject({ failed: [] });
  expect(carts.flatMap((cart) => fixture.ordersOf(cart))).toHaveLength(10);
  expect(srm.traffic()).toMatchObject({ requests: { cart: 10 }, mostAtOnce: 5 });
});

test('none of them keeps another from being read while it is delivered', async () => {
  const carts = Array.from({ length: 10 }, () => newCart());
  const { worker } = await openSrm({ carts });
  const handler = fixture.anotherHandler(worker, {
    SRM_BASE_URL: worker.variables.SRM_BASE_URL,
    SRM_TOKEN_URL: worker.variables.SRM_TOKEN_URL,
    VMS_TIMEOUT_MS: '8000',
  });
  const allPosted = Promise.withResolvers<undefined>();
  let posted = 0;
  fixture.proxies.vms.intercept(
    always(isCreate, async (_call, forward) => {
      if (++posted === carts.length) allPosted.resolve(undefined);
      await allPosted.promise;
      return forward();
    }),
  );
  await worker.send(...carts.map((cart) => claimCheck(cart)));
  expect(await worker.deliver({ handler })).toMatchObject({ failed: [] });
});

test.each([
  [23, 1, 'E_INT_CRASHED', /./],
  [24, 0, 'E_SRC_UNAVAILABLE', /^no time was left .*\bsrm\.expand\b/],
])(
  'a cart that takes longer to read than an attempt lasts, after %i h: %i requeued',
  async (hours, requeued, code, message) => {
    const cart = cartWithItems();
    const { srm, worker } = await openSrm({ ignoreExpand: 'always', carts: [cart] });
    srm.setDisturbances(({ operation }) =>
      operation === 'navigation' ? { kind: 'slow', delayMs: 2000 } : noDisturbance,
    );
    const [messageId = ''] = await worker.send(claimCheck(cart));
    const variables = { SRM_BASE_URL: srm.url, SRM_TOKEN_URL: srm.tokenUrl, VMS_TIMEOUT_MS: '1000' };
    const by = { remainingMs: 6500, handler: fixture.anotherHandler(worker, variables) };
    for (let receive = 1; receive <= 3; receive++) await worker.deliverAndReturn(by);
    const records = await worker.receive();
    await worker.invoke(
      records.map((record) => asRequeuedCopy(record, 9, hours * 3_600_000)),
      by,
    );
    expect(await worker.requeued()).toHaveLength(requeued);
    const verdict = [{ code, message: expect.stringMatching(message) }];
    expect(await fixture.verdictOf(messageId)).toEqual(verdict);
  },
);

describe('a cart whose collections come in parts is ordered whole', () => {
  test.each<[string, Srm7Options]>([
    ['one row at a time, at every depth', { collectionPageSize: 1 }],
    ['two rows at a time', { collectionPageSize: 2 }],
    ['as links alone, even by its key', { ignoreExpand: 'always' }],
    ['as links to parts', { ignoreExpand: 'always', collectionPageSize: 1 }],
    ['with links of an internal host', { ignoreExpand: 'always', internalHost: 'sapsrm.internal:8000' }],
  ])('%s', async (_how, options) => {
    const cart = cartWithItems();
    const { srm, worker } = await openSrm({ ...options, carts: [cart] });
    const variables = {
      SRM_BASE_URL: srm.url,
      SRM_TOKEN_URL: srm.tokenUrl,
      SRM_INTERNAL_HOSTS: 'sapsrm.internal:8000',
    };
    await worker.send(
      envelope(
        firstLineOnly(cart, `${srm.serviceUrl}/ShoppingCartSet(guid'${textOf(cart['Guid'])}')/Items?$skiptoken=1`),
      ),
    );

    expect(await worker.deliver({ handler: fixture.anotherHandler(worker, variables) })).toMatchObject({ failed: [] });

    expect(partsOf(orderOf(cart))).toEqual(partsOf(sampleOrder));
    expect(srm.traffic().requests.navigation).toBeGreaterThan(0);
  });

  test('one that was too large for the queue, too', async () => {
    const cart = cartWithItems();
    const { worker } = await openSrm({ collectionPageSize: 1, carts: [cart] });
    await worker.send(claimCheck(cart));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(partsOf(orderOf(cart))).toEqual(partsOf(sampleOrder));
  });

  test('by the links that came with it, where SRM does not find it by its key', async () => {
    const cart = cartWithItems();
    const rest = itemsOf(cart).slice(1);
    const { url } = await serve((request, response) => {
      const isLink = request.url === `${SERVICE}/Items?$skiptoken=2`;
      response.writeHead(isLink ? 200 : 404, { 'content-type': 'application/json' });
      const page = { d: { __count: String(itemsOf(cart).length), results: rest } };
      response.end(JSON.stringify(isLink ? page : { error: { code: 'ZSRM_SC/001' } }));
    });
    const worker = await fixture.worker({ SRM_BASE_URL: url });
    await worker.send(envelope(firstLineOnly(cart, 'Items?$skiptoken=2')));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(partsOf(orderOf(cart))).toEqual(partsOf(sampleOrder));
  });

  test('after a failure of SRM on the way', async () => {
    const cart = cartWithItems();
    const { srm, worker } = await openSrm({ collectionPageSize: 1, carts: [cart] });
    srm.setDisturbances(onceOn('navigation', { kind: 'status', status: 503 }));
    await worker.send(claimCheck(cart));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(partsOf(orderOf(cart))).toEqual(partsOf(sampleOrder));
  });

  test('in its present version, where it changes while its parts are read', async () => {
    const cart = cartWithItems();
    const { srm, worker } = await openSrm({ collectionPageSize: 1, carts: [cart] });
    const changed = {
      ...cart,
      ChangedAt: edmInstant('2026-11-21T08:00:00Z'),
      Items: { results: itemsOf(cart).map((item) => ({ ...item, Description: 'Second version' })) },
    };
    let reads = 0;
    srm.setDisturbances(({ operation }) => {
      if (operation === 'navigation' && ++reads === 2) srm.addCarts([changed]);
      return noDisturbance;
    });
    await worker.send(claimCheck(cart));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    const [stored] = fixture.ordersOf(cart);
    expect(stored?.order.lines.map(({ description }) => description)).toEqual(
      Array.from({ length: 3 }, () => 'Second version'),
    );
  });
});

describe('a collection that cannot be read to its end is a dead letter with its path', () => {
  test.each<[string, (cart: Row, foreign: string) => Row, string, RegExp]>([
    [
      'names another host',
      (cart, foreign) => firstLineOnly(cart, `${foreign}${SERVICE}/Items?$skiptoken=2`),
      '$.Items',
      /__next names another host/,
    ],
    [
      'leaves the service',
      (cart) => firstLineOnly(cart, '/sap/opu/odata/sap/OTHER_SRV/Items?$skiptoken=2'),
      '$.Items',
      /__next leaves the extraction service/,
    ],
    ['is no text', (cart) => firstLineOnly(cart, 7), '$.Items', /__next is no URL/],
    ['leads back', (cart) => firstLineOnly(cart, 'circle'), '$.Items', /leads back/],
    ['is not found', (cart) => firstLineOnly(cart, 'gone'), '$.Items', /SRM answered 404 \(X\/1\)/],
    [
      'is missing in a deferred one',
      (cart) => ({ ...cart, Texts: { __deferred: {} } }),
      '$.Texts',
      /__deferred is no URL/,
    ],
    [
      'of a deferred one names another host',
      (cart, foreign) => ({
        ...cart,
        Items: {
          results: itemsOf(cart).map((item, index) =>
            index === 1 ? { ...item, Accounting: { __deferred: { uri: `${foreign}${SERVICE}/A` } } } : item,
          ),
        },
      }),
      '$.Items.results[1].Accounting',
      /__deferred names another host/,
    ],
  ])('because its link %s', async (_what, change, path, message) => {
    const foreigner = await serve((_, response) => response.end('{"d":{"results":[]}}'));
    const { url } = await serve((request, response) => {
      const isCircle = request.url?.endsWith('/circle') === true;
      response.writeHead(isCircle ? 200 : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify(isCircle ? { d: { results: [], __next: 'circle' } } : { error: { code: 'X/1' } }));
    });
    const cart = cartWithItems();
    const worker = await fixture.worker({ SRM_BASE_URL: url });
    const [messageId = ''] = await worker.send(envelope(change(cart, foreigner.url)));

    expect((await worker.deliver()).failed).toEqual([messageId]);

    expect(await fixture.verdictOf(messageId)).toMatchObject([
      { code: 'E_SRC_SCHEMA', path, message: expect.stringMatching(message) },
    ]);
    expect(fixture.ordersOf(cart)).toEqual([]);
    expect(foreigner.paths).toEqual([]);
  });

  test.each<[string, unknown]>([
    ['instead of the rows', { __deferred: { uri: 'rest' } }],
    ['to the rest of them', { results: [], __next: 'rest' }],
  ])('because the page behind its link, %s, announces more rows', async (_what, Items) => {
    const cart = cartWithItems();
    const { url } = await serve((request, response) => {
      const isLink = request.url?.endsWith('/rest') === true;
      response.writeHead(isLink ? 200 : 404, { 'content-type': 'application/json' });
      const page = { d: { __count: '9', results: itemsOf(cart) } };
      response.end(JSON.stringify(isLink ? page : { error: { code: 'X/1' } }));
    });
    const worker = await fixture.worker({ SRM_BASE_URL: url });
    const [messageId = ''] = await worker.send(envelope({ ...cart, Items }));
    expect((await worker.deliver()).failed).toEqual([messageId]);
    expect(await fixture.verdictOf(messageId)).toMatchObject([{ code: 'E_SRC_SCHEMA', path: '$.Items' }]);
    expect(fixture.ordersOf(cart)).toEqual([]);
  });

  test('because its time of change is malformed, in each version alike', async () => {
    const cart = { ...cartWithItems(), ChangedAt: {} };
    const rest = itemsOf(cart).slice(1);
    const { url } = await serve((request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const isLink = request.url?.endsWith('/rest') === true;
      response.end(JSON.stringify({ d: isLink ? { results: rest } : firstLineOnly(cart, 'rest') }));
    });
    const worker = await fixture.worker({ SRM_BASE_URL: url });
    const [messageId = ''] = await worker.send(envelope(firstLineOnly(cart, 'rest')));
    expect((await worker.deliver()).failed).toEqual([messageId]);
    expect(await fixture.verdictOf(messageId)).toMatchObject([{ code: 'E_SRC_SCHEMA', path: '$.ChangedAt' }]);
  });

  test.each<[string, (cart: Row) => Row, string]>([
    [
      'announces more rows than it holds',
      (cart) => ({ ...cart, Items: { __count: '5', results: itemsOf(cart) } }),
      '$.Items',
    ],
    [
      'holds a link in place of a row',
      (cart) => ({ ...cart, Partners: { results: [{ __deferred: { uri: 'x' } }] } }),
      '$.Partners',
    ],
  ])('because it %s', async (_what, change, path) => {
    const worker = await fixture.worker();
    const [messageId = ''] = await worker.send(envelope(change(newCart())));
    expect((await worker.deliver()).failed).toEqual([messageId]);
    expect(await fixture.verdictOf(messageId)).toMatchObject([{ code: 'E_SRC_SCHEMA', path }]);
  });
});

describe('a cart that SRM is asked for by its key', () => {
  test.each([
    ['in HTML', 'text/html', '<html>no route</html>'],
    ['in JSON of its own', 'application/json', '{"message":"no Route matched"}'],
    ['as SAP’s gateway without the service', 'application/json', '{"error":{"code":"/IWFND/MED/170"}}'],
  ])(
    'is tried again where a gateway answers 404 %s: only the service knows which carts there are',
    async (_how, type, body) => {
      const { url } = await serve((_, response) => response.writeHead(404, { 'content-type': type }).end(body));
      const worker = await fixture.worker({ SRM_BASE_URL: url });
      const [messageId = ''] = await worker.send(claimCheck(newCart()));
      expect((await worker.deliver({ remainingMs: NO_TIME_TO_RETRY_MS })).failed).toEqual([messageId]);
      expect(await fixture.verdictOf(messageId)).toBeUndefined();
      expect(fixture.takeOutput().join('\n')).toContain('SRM answered 404');
    },
  );

  test.each([
    ['32 hex digits', (guid: string) => guid.replaceAll('-', '')],
    ['capitals', (guid: string) => guid.toUpperCase()],
    ['base64', (guid: string) => Buffer.from(guid.replaceAll('-', ''), 'hex').toString('base64')],
  ])('is asked for by the literal of Edm.Guid, where its Guid came as %s', async (_how, form) => {
    const cart = newCart();
    const { srm, worker } = await openSrm({ carts: [cart] });
    await worker.send(claimCheck({ ...cart, Guid: form(textOf(cart['Guid'])) }));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.ordersOf(cart)).toHaveLength(1);
    expect(srm.requests.at(-1)?.path).toContain(`(guid'${textOf(cart['Guid'])}')`);
  });

  test('is a dead letter with the place where its JSON ends, and is tried again where it was cut off', async () => {
    const body = JSON.stringify({ d: newCart() });
    let answer = body.replace('"TotalValue":', '"TotalValue":,');
    const { url } = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
    });
    const worker = await fixture.worker({ SRM_BASE_URL: url });
    const [first = ''] = await worker.send(claimCheck(newCart()));
    await worker.deliver({ remainingMs: NO_TIME_TO_RETRY_MS });
    expect(await fixture.verdictOf(first)).toMatchObject([
      {
        code: 'E_SRC_SCHEMA',
        path: '$',
        message: expect.stringMatching(/not JSON \(\d+ characters, wrong at character \d+\)$/),
      },
    ]);

    answer = body.slice(0, 700);
    const [second = ''] = await worker.send(claimCheck(newCart()));
    expect((await worker.deliver({ remainingMs: NO_TIME_TO_RETRY_MS })).failed).toContain(second);
    expect(await fixture.verdictOf(second)).toBeUndefined();
  });

  test.each([
    ['a list of one', (cart: Row) => ({ d: { results: [cart] } })],
    ['a list as in the first version', (cart: Row) => ({ d: [cart] })],
  ])('may be answered as %s', async (_how, answer) => {
    const cart = newCart();
    const { url } = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer(cart)));
    });
    const worker = await fixture.worker({ SRM_BASE_URL: url });
    await worker.send(claimCheck(cart));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  });
});
