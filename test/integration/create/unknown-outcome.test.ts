/**
 * Edge cases 61, 62, 71 to 76: whatever happens to an answer, to the process or to the ledger, there is one order. All
 * against an 11VMS that would take a second POST for a second order.
 */
import { randomUUID } from 'node:crypto';
import { FAULT_CATALOGUE } from '../../../shared/fault-catalogue.ts';
import { describe, expect, test } from '@jest/globals';
import { createLedger, type OrderClaim } from '../../../shared/ledger.ts';
import { createLedgerTable } from '../../../shared/ledger-table.ts';
import type { Disturbance } from '../../simulators/disturbances.ts';
import { lambdaContext } from '../fixture.ts';
import {
  commitThenReset,
  type Interceptor,
  neverAnswer,
  onceFor,
  resetBefore,
  type RecordedCall,
} from '../recording-proxy.ts';
import {
  always,
  answer,
  CARELESS,
  commitThenAnswer,
  envelope,
  externalIdOf,
  isCreate,
  isLookUp,
  newCart,
  onFirstCreate,
  setUpWorkerFixture,
  type Row,
  type Variables,
  sampleCart,
  type Worker,
} from './worker-fixture.ts';

const fixture = await setUpWorkerFixture({ vms: CARELESS });

/** Where no answer comes in time. It is also the time in which a call must be connected. */
const SHORT = { VMS_TIMEOUT_MS: '1000' };

async function sent(cart: Row, variables: Partial<Variables> = {}): Promise<Worker> {
  const worker = await fixture.worker(variables);
  await worker.send(envelope(cart));
  return worker;
}

const html = '<html><body>Logon</body></html>';
const inProgress = { code: 'CONFLICT', errors: [{ code: 'REQUEST_IN_PROGRESS' }] };
const otherOrder = { id: 'po_1', number: 'PO-1', externalId: 'SRM7-100-1-1-EUR-BE10' };

// Edge cases 61, 71, 72 and 73.
describe('an order that is stored', () => {
  const disturbances: [string, Disturbance][] = [
    ['comes too late', { kind: 'timeout-after-commit', delayMs: 10_000 }],
    ['is a broken connection', { kind: 'reset-after-commit' }],
    ['is cut in the middle', { kind: 'truncated' }],
    ['is half of its JSON', { kind: 'not-json' }],
    ['is 500', { kind: 'status', status: 500, afterCommit: true }],
    ['is 502 in HTML', { kind: 'status', status: 502, body: 'html', afterCommit: true }],
    ['is 503', { kind: 'status', status: 503, afterCommit: true }],
    ['is 504', { kind: 'status', status: 504, afterCommit: true }],
    ['is 200 with an error inside', { kind: 'status', status: 200, body: 'error', afterCommit: true }],
    ['is 200 with HTML', { kind: 'status', status: 200, body: 'html', afterCommit: true }],
  ];
  const interceptors: [string, Interceptor][] = [
    ['is 201 with HTML', commitThenAnswer(201, html)],
    ['is 201 without an id', commitThenAnswer(201, { number: 'PO-2026-1' })],
    ['is 201 with an empty body', commitThenAnswer(201, '')],
    ['is 201 with an id that is no text', commitThenAnswer(201, { id: ['17'] })],
    ['is 201 with a Location that names no order', commitThenAnswer(201, '', { location: '/jobs/17' })],
    ['is 200 with an id and an error', commitThenAnswer(200, { id: 'req-1', error: { code: 'INTERNAL_ERROR' } })],
    ['is 201 with an id and errors', commitThenAnswer(201, { id: '7', errors: [{ code: 'X' }] })],
    ['is 200 with an id and a failure as status', commitThenAnswer(200, { id: 'req-1', title: 'Error', status: 500 })],
    ['is 201 with a failure deep inside', commitThenAnswer(201, { id: '7', data: [{ error: { code: 'X' } }] })],
    ['is 201 with an id that stands for none', commitThenAnswer(201, { id: -1 })],
    ['is 422 in HTML', commitThenAnswer(422, html)],
    ['is 409 in HTML', commitThenAnswer(409, html)],
    ['is 409 in small letters', commitThenAnswer(409, { code: 'external_id_exists' })],
    ['is 409 with its code elsewhere', commitThenAnswer(409, { error: { code: 'EXTERNAL_ID_EXISTS' } })],
    ['is 409 with a code of another kind', commitThenAnswer(409, { code: 'DUPLICATE_ORDER' })],
    ['is 201 for another order', commitThenAnswer(201, otherOrder)],
    ['is a redirect', commitThenAnswer(302, '', { location: '/logon' })],
    ['is 503 with a Retry-After', commitThenAnswer(503, {}, { 'retry-after': '0' })],
  ];

  const expectRecovered = async (cart: Row, worker: Worker): Promise<void> => {
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    const orders = fixture.ordersOf(cart);
    expect(orders).toHaveLength(1);
    expect(fixture.callsFor(cart)).toEqual(['create', 'lookup']);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED', orderNumber: orders[0]?.number });
  };

  test.each(disturbances)('whose answer %s is found by look-up, and exists once', async (_what, disturbance) => {
    const cart = newCart();
    fixture.vms.setDisturbances(onFirstCreate(disturbance));
    const { kind } = disturbance;
    await expectRecovered(cart, await sent(cart, kind === 'timeout-after-commit' ? SHORT : {}));
  });

  test.each(interceptors)('whose answer %s is found by look-up, and exists once', async (_what, instead) => {
    const cart = newCart();
    fixture.proxies.vms.intercept(onceFor(isCreate, instead));
    await expectRecovered(cart, await sent(cart));
  });
});

describe('a success of another form than usual creates the order without a look-up', () => {
  const stored = { id: 'po_17', number: 'PO-17' };
  test.each<[string, Interceptor, string, string | undefined]>([
    ['no error in words', commitThenAnswer(201, { ...stored, error: null, errors: [] }), 'po_17', 'PO-17'],
    ['warnings', commitThenAnswer(201, { ...stored, status: 'CREATED', warnings: [{ code: 'W' }] }), 'po_17', 'PO-17'],
    ['a numeric id', commitThenAnswer(201, { id: 17, number: 18 }), '17', '18'],
    [
      'only a Location',
      commitThenAnswer(201, '', { location: 'https://vms/api/purchase-orders/po_17' }),
      'po_17',
      undefined,
    ],
    [
      'a Location beside a body without id',
      commitThenAnswer(201, {}, { location: '/purchase-orders/po%2F17/' }),
      'po/17',
      undefined,
    ],
  ])('%s', async (_what, instead, orderId, orderNumber) => {
    const cart = newCart();
    const worker = await sent(cart);
    fixture.proxies.vms.intercept(always(isCreate, instead));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual(['create']);
    const row = await fixture.orderRow(cart);
    expect(row).toMatchObject({ state: 'CREATED', orderId });
    expect(row?.orderNumber).toBe(orderNumber);
  });
});

// Edge cases 61, 71, 72 and 73.
describe('an order that is not stored', () => {
  const disturbances: [string, Disturbance][] = [
    ['is a broken connection', { kind: 'reset-before' }],
    ['is 500', { kind: 'status', status: 500 }],
    ['is 502 in HTML', { kind: 'status', status: 502, body: 'html' }],
    ['is 503', { kind: 'status', status: 503 }],
    ['is 504', { kind: 'status', status: 504 }],
    ['is 200 with an error inside', { kind: 'status', status: 200, body: 'error' }],
  ];
  const interceptors: [string, Interceptor][] = [
    ['never comes', neverAnswer],
    ['is 201 with HTML', answer(201, html)],
    ['is 201 without an id', answer(201)],
    ['is 200 with an id and an error', answer(200, { id: 'req-1', error: { code: 'INTERNAL_ERROR' } })],
    ['is 201 with an id and errors', answer(201, { id: '7', errors: [{ code: 'X' }] })],
    ['is 200 with an id and a failure as status', answer(200, { id: 'req-1', title: 'Error', status: 500 })],
    ['is 200 with an id and a failure in words', answer(200, { id: 'req-1', status: 'ERROR' })],
    ['is 200 with an id and a status code', answer(200, { id: 'req-1', statusCode: 500, message: 'failed' })],
    ['is 200 with an id and "success": "false"', answer(200, { id: 'req-1', success: 'false' })],
    ['is 200 with the id of a job that failed', answer(200, { id: 'job-1', results: [{ status: 422 }] })],
    ['is 200 with an error deep inside', answer(200, { id: 'req-1', data: { errors: [{ code: 'X' }] } })],
    [
      'is 200 with a problem',
      answer(200, { id: 'req-1', title: 'Failed' }, { 'content-type': 'application/problem+json' }),
    ],
    ['is 201 with -1 as id', answer(201, { id: -1 })],
    ['is 201 with 0 as id', answer(201, { id: '0' })],
    ['is 201 with "undefined" as id', answer(201, '', { location: '/purchase-orders/undefined' })],
    ['is 201 with a list beside its Location', answer(201, [{ code: 'X' }], { location: '/purchase-orders/17' })],
    ['is 400 in HTML', answer(400, html)],
    ['is 409 in HTML', answer(409, html)],
    ['is 409 in progress, with its code elsewhere', answer(409, inProgress)],
    ['is 409 without a code', answer(409, {})],
    ['is 499', answer(499, '')],
    ['is 451 of a gateway', answer(451, { message: 'blocked' })],
  ];

  const expectOneLater = async (cart: Row, worker: Worker): Promise<void> => {
    const first = await worker.deliverAndReturn();
    expect(first.failed).toHaveLength(1);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'UNKNOWN', mayExist: true });
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    // Looked up at once, and looked up again before the second post.
    expect(fixture.callsFor(cart)).toEqual(['create', 'lookup', 'lookup', 'create']);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED', attempts: 2 });
  };

  test.each(disturbances)(
    'whose answer %s is looked up by the retry, and then posted once',
    async (_what, disturbance) => {
      const cart = newCart();
      fixture.vms.setDisturbances(onFirstCreate(disturbance));
      await expectOneLater(cart, await sent(cart));
    },
  );

  test.each(interceptors)('whose answer %s is looked up by the retry, and then posted once', async (_what, instead) => {
    const cart = newCart();
    fixture.proxies.vms.intercept(onceFor(isCreate, instead));
    await expectOneLater(cart, await sent(cart, instead === neverAnswer ? SHORT : {}));
  });
});

test('an order that appears only after the first look-up is found by the second, and not posted again', async () => {
  const cart = newCart();
  const worker = await sent(cart);
  let store: () => Promise<unknown> = () => Promise.resolve();
  fixture.proxies.vms.intercept(
    onceFor(isCreate, (_call, forward) => {
      store = forward;
      return Promise.resolve('reset');
    }),
  );
  expect((await worker.deliverAndReturn()).failed).toHaveLength(1);
  await store();
  expect(await worker.deliver()).toMatchObject({ failed: [] });
  expect(fixture.callsFor(cart)).toEqual(['create', 'lookup', 'lookup']);
  expect(fixture.ordersOf(cart)).toHaveLength(1);
});

test('a gateway that keeps the answers to look-ups does not hide an order', async () => {
  const cart = newCart();
  const worker = await sent(cart);
  const kept = new Map<string, Awaited<ReturnType<Interceptor>>>();
  let store: () => Promise<unknown> = () => Promise.resolve();
  fixture.proxies.vms.intercept(async (call, forward) => {
    if (isCreate(call)) {
      store = forward;
      return 'reset';
    }
    const found = call.headers['cache-control'] === 'no-cache' ? undefined : kept.get(call.path);
    if (found !== undefined) return found;
    const reply = await forward();
    if (isLookUp(call)) kept.set(call.path, reply);
    return reply;
  });
  expect((await worker.deliverAndReturn()).failed).toHaveLength(1);
  await store();
  expect(await worker.deliver()).toMatchObject({ failed: [] });
  expect(fixture.callsFor(cart)).toEqual(['create', 'lookup', 'lookup']);
});

test.each([
  ['the first retry delay', { RETRY_BASE_SECONDS: '30' }, 24],
  ['the time of a call, where the retries are quicker', { RETRY_BASE_SECONDS: '1', VMS_TIMEOUT_MS: '6000' }, 6],
])(
  'an unanswered create may still be stored for %s: until then, no message of the cart posts',
  async (_what, variables, rest) => {
    const cart = newCart();
    const worker = await fixture.worker(variables);
    await worker.send(envelope(cart));
    let store: () => Promise<unknown> = () => Promise.resolve();
    fixture.proxies.vms.intercept(
      onceFor(isCreate, (_call, forward) => {
        store = forward;
        return Promise.resolve('reset');
      }),
    );
    const first = await worker.deliver();
    expect(worker.takeVisibilities()[0]?.[0]).toBeGreaterThanOrEqual(rest);
    // The message of the next run's overlap, at once: its look-up would find nothing yet either.
    await worker.send(envelope(cart));
    expect((await worker.deliver()).failed).toHaveLength(1);
    expect(fixture.callsFor(cart)).toEqual(['create', 'lookup']);
    // It is delayed for the rest of that time.
    const [[seconds = 0] = []] = worker.takeVisibilities();
    expect(seconds).toBeGreaterThanOrEqual(rest - 5);
    await store();
    await worker.endDelay(first.records);
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual(['create', 'lookup', 'lookup']);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  },
);

test.each<[string, Interceptor]>([
  ['501', answer(501, { title: 'Not implemented' })],
  ['405', answer(405, '')],
  ['404 as a problem of its own', answer(404, { status: 404, title: 'Reading is not supported' })],
])(
  'against an 11VMS without a look-up (%s), a cart of unknown outcome is dead-lettered as AMBIGUOUS, and not posted again',
  async (_what, none) => {
    const cart = newCart();
    const worker = await fixture.worker();
    const [messageId = ''] = await worker.send(envelope(cart));
    fixture.proxies.vms.intercept((call, forward) => {
      if (isLookUp(call)) return none(call, forward);
      return isCreate(call) ? commitThenReset(call, forward) : forward();
    });
    await worker.deliverTimes(4);
    expect(await worker.receive()).toEqual([]);
    expect(await worker.deadLetters()).toEqual([messageId]);
    const [fault] = (await fixture.verdictOf(messageId)) ?? [];
    expect(fault).toMatchObject({ code: 'E_TGT_TIMEOUT_UNKNOWN', message: expect.stringContaining('no look-up') });
    expect(FAULT_CATALOGUE.E_TGT_TIMEOUT_UNKNOWN.meaning).toContain('AMBIGUOUS');
    expect(fixture.callsFor(cart)).toEqual(['create', 'lookup']);

    // A redrive does not post it again either.
    await fixture.expireLease(cart);
    await worker.send(envelope(cart));
    await worker.deliverTimes(4);
    expect(fixture.callsFor(cart)).toEqual(['create', 'lookup', 'lookup']);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
    expect(await worker.deadLetters()).toHaveLength(1);
    expect(await worker.receive()).toEqual([]);
    expect(await worker.deadLetters()).toHaveLength(2);
  },
);

test.each<[string, Interceptor]>([
  ['is down', answer(503)],
  ['has lost its route in the proxy', answer(404, html)],
  ['cannot be read', answer(200, { orders: [] })],
  ['holds an error', answer(200, { items: [], error: { code: 'BACKEND_DOWN' } })],
  ['ignores the externalId', answer(200, { items: [{ id: 'po_1', externalId: 'SRM7-100-1-1-EUR-BE10' }] })],
  ['has another page', answer(200, { items: [], nextPageToken: 'two' })],
  ['is 404 of a gateway', answer(404, { code: 'ROUTE_NOT_FOUND' })],
  ['is 404 of a web framework', answer(404, { title: 'Not Found', status: 404 })],
  ['is 501 of a gateway', answer(501, { message: 'Not implemented' })],
  ['comes from a cache', answer(200, { items: [] }, { age: '30' })],
  ['is reset', resetBefore],
  ['is refused', answer(403)],
])('while the look-up %s, nothing is posted again; afterwards the order is found', async (_what, instead) => {
  const cart = newCart();
  const worker = await sent(cart);
  fixture.proxies.vms.intercept(async (call, forward) => {
    if (isLookUp(call)) return instead(call, forward);
    return isCreate(call) ? commitThenReset(call, forward) : forward();
  });
  const unknown = { state: 'UNKNOWN', mayExist: true, faults: [{ code: 'E_TGT_TIMEOUT_UNKNOWN' }] };
  expect((await worker.deliverAndReturn()).failed).toHaveLength(1);
  expect(await fixture.orderRow(cart)).toMatchObject(unknown);
  await fixture.closeBreaker();
  expect((await worker.deliverAndReturn()).failed).toHaveLength(1);
  expect(await fixture.orderRow(cart)).toMatchObject(unknown);
  fixture.calm();
  await fixture.closeBreaker();
  expect(await worker.deliver()).toMatchObject({ failed: [] });
  expect(fixture.callsFor(cart)).toEqual(['create', 'lookup', 'lookup', 'lookup']);
  expect(fixture.ordersOf(cart)).toHaveLength(1);
});

test('a look-up that lists only other orders has not found the order', async () => {
  const cart = newCart();
  const worker = await sent(cart);
  fixture.proxies.vms.intercept(async (call, forward) => {
    if (isLookUp(call)) {
      const item = { ...Object(fixture.vms.orders()[0]?.order), id: 'po_X', externalId: 'SRM7-100-1-1-EUR-BE10' };
      return answer(200, { items: [item] })(call, forward);
    }
    return isCreate(call) ? 'reset' : forward();
  });
  expect((await worker.deliverAndReturn()).failed).toHaveLength(1);
  fixture.calm();
  expect(await worker.deliver()).toMatchObject({ failed: [] });
  expect(fixture.ordersOf(cart)).toHaveLength(1);
});

// Edge case 76.
describe('a crash while posting', () => {
  /** What an attempt leaves that claimed the order and died; its lease ends `leaseMs` from now. */
  async function crashedAttempt(cart: Row, leaseMs: number): Promise<void> {
    const ledger = createLedger(createLedgerTable(fixture.systems.clients.dynamodb, fixture.systems.tableName));
    const claim: OrderClaim = {
      cart: { client: '100', number: String(cart['ObjectId']) },
      externalId: externalIdOf(cart),
      contentHash: 'of the crashed attempt',
      changedAtMs: Date.parse('2026-11-20T14:32:06Z'),
      ordersOfCart: 1,
      messageId: randomUUID(),
      receive: 1,
      attemptId: randomUUID(),
      nowMs: Date.now() - 60_000,
      leaseMs: 60_000 + leaseMs,
    };
    expect(await ledger.claim(claim)).toMatchObject({ kind: 'claimed', lookUpFirst: false });
  }

  test('before the order was stored: it is looked up, then posted', async () => {
    const cart = newCart();
    await crashedAttempt(cart, -1000);
    const worker = await sent(cart);
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual(['lookup', 'create']);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED' });
  });

  test('after the order was stored: it is found and not posted again, and the late attempt changes nothing', async () => {
    const cart = newCart();
    const worker = await fixture.worker();
    await worker.send(envelope(cart));
    const zombie = Promise.withResolvers<'reset'>();
    fixture.proxies.vms.intercept(
      onceFor(isCreate, async (_call, forward) => {
        await forward();
        return zombie.promise;
      }),
    );
    const records = await worker.receive();
    const abandoned = worker.handler({ Records: records }, lambdaContext());
    await fixture.until(() => fixture.ordersOf(cart).length === 1);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'POSTING', mayExist: true });

    await fixture.expireLease(cart);
    expect(await worker.invoke(records, { handler: fixture.anotherHandler(worker) })).toMatchObject({ failed: [] });
    const row = await fixture.orderRow(cart);
    expect(row).toMatchObject({ state: 'CREATED', attempts: 2 });

    zombie.resolve('reset');
    await abandoned;
    expect(fixture.callsFor(cart).filter((call) => call === 'create')).toHaveLength(1);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
    expect(await fixture.orderRow(cart)).toEqual(row);
  });

  test('leaves the order to no other attempt while the lease runs: the message is retried', async () => {
    const cart = newCart();
    await crashedAttempt(cart, 45_000);
    const worker = await sent(cart);
    expect((await worker.deliver()).failed).toHaveLength(1);
    expect(fixture.callsFor(cart)).toEqual([]);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'POSTING', attempts: 1 });
    // Not before the lease has ended.
    const [[seconds] = []] = worker.takeVisibilities();
    expect(seconds).toBeGreaterThan(40);
    expect(seconds).toBeLessThanOrEqual(46);
  });
});

describe('a ledger that fails', () => {
  const isUpdate = ({ operation }: RecordedCall): boolean => operation === 'UpdateItem';
  const isSecondWrite = (call: RecordedCall): boolean => isUpdate(call) && call.body.includes('"CREATED"');
  // An error that the SDK does not retry by itself.
  const refusedByAws = answer(400, { __type: 'com.amazonaws.dynamodb.v20120810#AccessDeniedException' });

  // Edge case 74.
  test('after a 201: the message is retried, the order is found, and exists once', async () => {
    const cart = newCart();
    const worker = await sent(cart);
    fixture.proxies.dynamodb.intercept((call, forward) =>
      isSecondWrite(call) ? refusedByAws(call, forward) : forward(),
    );
    expect((await worker.deliverAndReturn()).failed).toHaveLength(1);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'POSTING' });
    fixture.calm();
    // No attempt touches the order before the lease ends; afterwards it is found.
    expect((await worker.deliverAndReturn()).failed).toHaveLength(1);
    await fixture.expireLease(cart);
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual(['create', 'lookup']);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED' });
  });

  test('with the answer to the claim lost: still one order', async () => {
    const cart = newCart();
    const worker = await sent(cart);
    fixture.proxies.dynamodb.intercept(onceFor(isUpdate, commitThenReset));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart).filter((call) => call === 'create')).toHaveLength(1);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED' });
  });

  test('with the answer to the second write lost: still CREATED, and acknowledged', async () => {
    const cart = newCart();
    const worker = await sent(cart);
    fixture.proxies.dynamodb.intercept(onceFor(isSecondWrite, commitThenReset));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual(['create']);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED' });
  });

  test('before the claim: nothing is posted, and the message is retried', async () => {
    const cart = newCart();
    const worker = await sent(cart);
    fixture.proxies.dynamodb.intercept((call, forward) => (isUpdate(call) ? refusedByAws(call, forward) : forward()));
    expect((await worker.deliverAndReturn()).failed).toHaveLength(1);
    expect(fixture.callsFor(cart)).toEqual([]);
    fixture.calm();
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  });
});

test('the sample order survives a lost answer to the letter: the look-up compares it by content', async () => {
  fixture.vms.setDisturbances(onFirstCreate({ kind: 'reset-after-commit' }));
  const worker = await sent(sampleCart());
  expect(await worker.deliver()).toMatchObject({ failed: [] });
  expect(fixture.ordersOf(sampleCart())).toHaveLength(1);
});
