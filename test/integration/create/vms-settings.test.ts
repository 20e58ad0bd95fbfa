/** An 11VMS that differs from the contract: by each setting alone, through the front door, against a simulator that follows it. */
import { createHash } from 'node:crypto';
import type { SQSRecord } from 'aws-lambda';
import { v5 as uuidV5 } from 'uuid';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { VmsOptions } from '../../simulators/vms.ts';
import { FAULT_CATALOGUE } from '../../../shared/fault-catalogue.ts';
import { lambdaContext } from '../fixture.ts';
import { commitThenReset, type Interceptor, onceFor, resetBefore } from '../recording-proxy.ts';
import { openVmsLandscape, type VmsLandscape } from './vms-landscape.ts';
import {
  answer,
  CARELESS,
  commitThenAnswer,
  edmInstant,
  envelope,
  externalIdOf,
  newCart,
  setUpWorkerFixture,
  type Variables,
  withItems,
} from './worker-fixture.ts';

const fixture = await setUpWorkerFixture();
const open: VmsLandscape[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((landscape) => landscape.close()));
});

async function landscape(options: VmsOptions, variables: Partial<Variables>): Promise<VmsLandscape> {
  const opened = await openVmsLandscape(fixture, { ...CARELESS, ...options }, variables);
  open.push(opened);
  return opened;
}

const isPost = ({ method }: { readonly method: string }): boolean => method === 'POST';

describe('another collection path', () => {
  const variables = { VMS_COLLECTION_PATH: '/v2/orders' };
  const options = { collectionPath: '/v2/orders' };

  test('is where orders are created and looked up', async () => {
    const cart = newCart();
    const { worker, proxy, calls, ordersOf } = await landscape(options, variables);
    proxy.intercept(onceFor(isPost, commitThenReset));
    await worker.send(envelope(cart));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(calls()).toEqual(['POST /v2/orders', `GET /v2/orders?externalId=${externalIdOf(cart)}`]);
    expect(ordersOf(cart)).toHaveLength(1);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED', orderId: ordersOf(cart)[0]?.id });
  });

  test.each([
    ['https://vms/api/orders/po_17', 'po_17', 1],
    ['/elsewhere/orders/po%2F17/', 'po/17', 1],
    // Of another collection than the one that was posted to: no order shows.
    ['/v2/purchase-orders/po_17', undefined, 2],
    ['/v2/orders', undefined, 2],
  ])('has its name in a Location: %s', async (location, id, calls) => {
    const cart = newCart();
    const { worker, proxy, ordersOf, ...vms } = await landscape(options, variables);
    proxy.intercept(onceFor(isPost, commitThenAnswer(201, '', { location })));
    await worker.send(envelope(cart));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(vms.calls()).toHaveLength(calls);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED', orderId: id ?? ordersOf(cart)[0]?.id });
  });
});

describe('another look-up', () => {
  const ways: [string, VmsOptions, Partial<Variables>, (externalId: string) => string][] = [
    [
      'by another query',
      { lookUpBy: '?system=SRM7&reference=', foundAt: '/data/list' },
      { VMS_LOOK_UP_BY: '?system=SRM7&reference=', VMS_FOUND_AT: '/data/list' },
      (externalId) => `/purchase-orders?system=SRM7&reference=${externalId}`,
    ],
    [
      'by a path',
      { lookUpBy: '/purchase-orders/{externalId}' },
      { VMS_LOOK_UP_BY: '/purchase-orders/{externalId}', VMS_FOUND_AT: '' },
      (externalId) => `/purchase-orders/${externalId}`,
    ],
    [
      'by a path of another resource',
      { lookUpBy: '/references/x-{externalId}/order', foundAt: '/order' },
      { VMS_LOOK_UP_BY: '/references/x-{externalId}/order', VMS_FOUND_AT: '/order' },
      (externalId) => `/references/x-${externalId}/order`,
    ],
  ];

  test.each(ways)('%s finds an order whose answer was lost', async (_what, options, variables, path) => {
    const cart = newCart();
    const { worker, proxy, calls, ordersOf } = await landscape(options, variables);
    proxy.intercept(onceFor(isPost, commitThenReset));
    await worker.send(envelope(cart));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(calls()).toEqual(['POST /purchase-orders', `GET ${path(externalIdOf(cart))}`]);
    expect(ordersOf(cart)).toHaveLength(1);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED', orderId: ordersOf(cart)[0]?.id });
  });

  test.each(ways)(
    '%s does not find one that never arrived, which is then posted again',
    async (_what, options, variables) => {
      const cart = newCart();
      const { worker, proxy, ordersOf } = await landscape(options, variables);
      proxy.intercept(onceFor(isPost, resetBefore));
      await worker.send(envelope(cart));
      expect((await worker.deliverAndReturn()).failed).toHaveLength(1);
      expect(await fixture.orderRow(cart)).toMatchObject({ state: 'UNKNOWN', mayExist: true });
      expect(await worker.deliver()).toMatchObject({ failed: [] });
      expect(ordersOf(cart)).toHaveLength(1);
      expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED' });
    },
  );

  test.each(ways)('%s probes 11VMS, too', async (_what, options, variables, path) => {
    const { worker, calls } = await landscape(options, variables);
    expect(await worker.handler({ trial: true }, lambdaContext())).toEqual({ healthy: true });
    expect(calls()).toEqual([`GET ${path('PROBE')}`]);
  });

  // What does not show that the order is absent must not lead to a second POST.
  const other = { id: 'po_1', externalId: 'SRM7-100-1-1-EUR-BE10' };
  test.each<[string, Interceptor]>([
    ['404 of a gateway', answer(404, { statusCode: 404, message: 'Resource not found' })],
    ['404 with a code of a gateway', answer(404, { code: 'ROUTE_NOT_FOUND' })],
    ['404 of a web framework', answer(404, { type: 'about:blank', title: 'Not Found', status: 404 })],
    ['404 in HTML', answer(404, '<html></html>')],
    ['404 without a body', answer(404, '')],
    ['200 with another order', answer(200, other)],
    ['200 with an order of no name', answer(200, { id: 'po_1' })],
    ['200 with an error', answer(200, { error: { code: 'NOT_FOUND' } })],
    ['200 without a body', answer(200, '')],
    ['204', answer(204, '')],
    ['410 as a problem', answer(410, { title: 'Gone' })],
    ['500', answer(500, { title: 'Failed' })],
  ])('by a path that answers %s says nothing of the order', async (_what, instead) => {
    const cart = newCart();
    const byPath = '/purchase-orders/{externalId}';
    const { worker, proxy, calls, ordersOf } = await landscape(
      { lookUpBy: byPath },
      { VMS_LOOK_UP_BY: byPath, VMS_FOUND_AT: '' },
    );
    proxy.intercept((call, forward) => (isPost(call) ? commitThenReset(call, forward) : instead(call, forward)));
    await worker.send(envelope(cart));
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      expect((await worker.deliverAndReturn()).failed).toHaveLength(1);
      await fixture.closeBreaker();
    }
    expect(calls().map((call) => call.split(' ')[0])).toEqual(['POST', 'GET', 'GET']);
    expect(ordersOf(cart)).toHaveLength(1);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'UNKNOWN', mayExist: true });
  });

  test.each([
    ['a list at its place that is a single order', '/order', { order: 'HERE' }],
    ['a list of one at the place of the order', '/order', { order: ['HERE'] }],
    ['a list that is the whole answer', '', ['HERE']],
  ])('reads %s', async (_what, foundAt, form) => {
    const cart = newCart();
    const { worker, proxy, vms } = await landscape({}, { VMS_FOUND_AT: foundAt });
    proxy.intercept((call, forward) => {
      if (isPost(call)) return commitThenReset(call, forward);
      const [stored] = vms.orders();
      const body: unknown = JSON.parse(
        JSON.stringify(form).replace('"HERE"', JSON.stringify({ id: 'po_7', ...stored?.order })),
      );
      return answer(200, body)(call, forward);
    });
    await worker.send(envelope(cart));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED', orderId: 'po_7' });
  });

  test('with a next page beside an empty list says nothing of the order', async () => {
    const cart = newCart();
    const { worker, proxy } = await landscape({}, { VMS_FOUND_AT: '/data/list' });
    proxy.intercept((call, forward) =>
      isPost(call)
        ? commitThenReset(call, forward)
        : answer(200, { data: { list: [], nextPageToken: 'two' } })(call, forward),
    );
    await worker.send(envelope(cart));
    expect((await worker.deliverAndReturn()).failed).toHaveLength(1);
    expect((await worker.deliverAndReturn()).failed).toHaveLength(1);
    expect(proxy.calls.filter(isPost)).toHaveLength(1);
  });
});

describe('no look-up', () => {
  const variables = { VMS_LOOK_UP_BY: 'none' };
  const without = () => landscape({ lookUpBy: 'none' }, variables);

  test('an order whose answer was lost is dead-lettered as AMBIGUOUS, nothing is looked up, and no redrive posts it', async () => {
    const cart = newCart();
    const { worker, proxy, calls, ordersOf } = await without();
    proxy.intercept(onceFor(isPost, commitThenReset));
    const [messageId = ''] = await worker.send(envelope(cart));
    await worker.deliverTimes(4);
    expect(await worker.receive()).toEqual([]);
    expect(await worker.deadLetters()).toEqual([messageId]);
    expect(await fixture.verdictOf(messageId)).toEqual([
      {
        code: 'E_TGT_TIMEOUT_UNKNOWN',
        message: expect.stringMatching(/no whole answer.*11VMS has no look-up \(vms\.lookUpBy\)$/),
      },
    ]);
    expect(FAULT_CATALOGUE.E_TGT_TIMEOUT_UNKNOWN.meaning).toContain('AMBIGUOUS');
    await fixture.expireLease(cart);
    await worker.send(envelope(cart));
    await worker.deliverTimes(4);
    expect(calls()).toEqual(['POST /purchase-orders']);
    expect(ordersOf(cart)).toHaveLength(1);
  });

  test('an order that a crash left at POSTING is dead-lettered, too, and never posted again', async () => {
    const cart = newCart();
    const { worker, proxy, calls, ordersOf } = await without();
    const [messageId = ''] = await worker.send(envelope(cart));
    // The ledger takes the claim and nothing after it, as of a process that ends.
    let writes = 0;
    fixture.proxies.dynamodb.intercept((call, forward) => {
      if (call.operation !== 'UpdateItem' || (writes += 1) === 1) return forward();
      return Promise.resolve('reset');
    });
    proxy.intercept(onceFor(isPost, commitThenReset));
    expect((await worker.deliverAndReturn()).failed).toEqual([messageId]);
    fixture.calm();
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'POSTING', mayExist: true });
    await fixture.expireLease(cart);
    await worker.deliverTimes(3);
    expect(await worker.receive()).toEqual([]);
    expect(await worker.deadLetters()).toEqual([messageId]);
    expect(await fixture.verdictOf(messageId)).toMatchObject([
      { code: 'E_TGT_TIMEOUT_UNKNOWN', message: expect.stringContaining('earlier attempt is not known') },
    ]);
    expect(calls()).toEqual(['POST /purchase-orders']);
    expect(ordersOf(cart)).toHaveLength(1);
  });

  test('an outage makes a dead letter of each order that was under way as it began, and pauses consumption', async () => {
    const { worker, proxy } = await without();
    proxy.intercept(answer(500));
    const records: SQSRecord[] = [];
    while (records.length < 30) {
      await worker.send(...Array.from({ length: 10 }, () => envelope(newCart())));
      records.push(...(await worker.receive()));
    }
    await worker.invoke(records);
    const verdicts = await Promise.all(records.map(({ messageId }) => fixture.verdictOf(messageId)));
    expect(verdicts.filter((faults) => faults?.some(({ code }) => code === 'E_TGT_TIMEOUT_UNKNOWN'))).toHaveLength(30);
    expect(await fixture.breaker()).toMatchObject({ state: 'OPEN' });
  });

  test('an order that 11VMS certainly did not take is posted again', async () => {
    const cart = newCart();
    const { worker, proxy, ordersOf } = await without();
    proxy.intercept(onceFor(isPost, answer(429)));
    await worker.send(envelope(cart));
    await worker.deliverTimes(2);
    expect(ordersOf(cart)).toHaveLength(1);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED' });
  });

  test('a conflict is left to a person', async () => {
    const cart = newCart();
    const { worker, proxy } = await without();
    proxy.intercept(onceFor(isPost, answer(409, { code: 'EXTERNAL_ID_EXISTS' })));
    const [messageId = ''] = await worker.send(envelope(cart));
    await worker.deliver();
    expect(await fixture.verdictOf(messageId)).toMatchObject([{ code: 'E_TGT_TIMEOUT_UNKNOWN' }]);
    expect(proxy.calls).toHaveLength(1);
  });

  test('a cart that is approved again without a change to its order is confirmed', async () => {
    const cart = newCart();
    const { worker, calls } = await without();
    await worker.send(envelope(cart));
    await worker.deliver();
    await worker.send(envelope({ ...cart, ChangedAt: edmInstant('2026-11-20T15:32:06Z') }));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(await fixture.orderRow(cart)).toMatchObject({ changedAtMs: Date.parse('2026-11-20T15:32:06Z') });
    expect(calls()).toEqual(['POST /purchase-orders']);
  });

  test('a cart that is changed after its order was created is left to a person', async () => {
    const cart = newCart();
    const { worker, calls } = await without();
    await worker.send(envelope(cart));
    await worker.deliver();
    const later = { ...cart, ChangedAt: edmInstant('2026-11-20T15:32:06Z') };
    const [messageId = ''] = await worker.send(envelope({ ...later, Description: 'Other mission' }));
    await worker.deliver();
    expect(await fixture.verdictOf(messageId)).toEqual([
      { code: 'E_CART_CHANGED_AFTER_SEND', message: expect.stringContaining('11VMS has no look-up') },
    ]);
    expect(calls()).toEqual(['POST /purchase-orders']);
  });

  test.each<[string, Interceptor, boolean]>([
    ['a gateway that has no such route', answer(404, { statusCode: 404, message: 'Resource not found' }), true],
    ['405 in HTML', answer(405, '<html></html>'), true],
    ['a list', answer(200, { items: [] }), true],
    ['403, since this client may only create', answer(403, { message: 'Forbidden' }), true],
    ['501', answer(501, ''), true],
    ['401', answer(401), false],
    ['500', answer(500), false],
    ['503', answer(503), false],
    ['a logon page', answer(200, '<html>Logon</html>'), false],
    ['a redirect to a logon page', answer(302, '', { location: '/logon' }), false],
    ['no answer', resetBefore, false],
  ])('a probe reads the collection: %s', async (_what, instead, healthy) => {
    const { worker, proxy, calls } = await without();
    proxy.intercept(instead);
    expect(await worker.handler({ trial: true }, lambdaContext())).toMatchObject({ healthy });
    expect(new Set(calls())).toEqual(new Set(['GET /purchase-orders']));
  });
});

describe('decimals as numbers', () => {
  test('have their digits in the body, and in the key of the body; an order in numbers is recovered', async () => {
    const cart = newCart();
    const { worker, proxy, ordersOf } = await landscape({ decimalsAs: 'number' }, { VMS_DECIMALS_AS: 'number' });
    proxy.intercept(onceFor(isPost, commitThenReset));
    await worker.send(envelope(cart));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    const create = proxy.calls.find(isPost);
    expect(create?.body).toContain('"totals":{"grossAmount":41031.25,"netAmount":41031.25,"taxAmount":0.00}');
    expect(create?.body).toContain('"unitPrice":650.00');
    const sha256 = createHash('sha256')
      .update(create?.body ?? '')
      .digest('hex');
    const key = uuidV5(`${externalIdOf(cart)}|r1|${sha256}`, 'abd5b202-d749-5970-b137-3d07fd2a6ecc');
    expect(create?.headers['idempotency-key']).toBe(`"${key}"`);
    expect(ordersOf(cart)[0]?.order.totals).toEqual({
      grossAmount: '41031.25',
      netAmount: '41031.25',
      taxAmount: '0.00',
    });
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED' });
  });

  test.each([
    [{ decimalsAs: 'number' }, {}],
    [{}, { VMS_DECIMALS_AS: 'number' }],
  ] as const)('are refused by an 11VMS that wants the other form: %j', async (options, variables) => {
    const cart = newCart();
    const { worker, ordersOf } = await landscape(options, variables);
    const [messageId = ''] = await worker.send(envelope(cart));
    await worker.deliver();
    const faults = (await fixture.verdictOf(messageId)) ?? [];
    expect(faults).toContainEqual(expect.objectContaining({ code: 'E_TGT_VALIDATION', field: '/totals/netAmount' }));
    expect(ordersOf(cart)).toEqual([]);
  });
});

describe('an id elsewhere in the answer', () => {
  const elsewhere = { idAt: '/data/orderId', numberAt: '/data/po', externalIdAt: '/data/externalId' };
  const variables = { VMS_ID_AT: '/data/orderId', VMS_NUMBER_AT: '/data/po', VMS_EXTERNAL_ID_AT: '/data/externalId' };
  const inHeader = { VMS_ID_AT: 'Location' };

  test.each<[string, VmsOptions, Partial<Variables>, boolean]>([
    ['deeper', elsewhere, variables, true],
    ['in the header', { idAt: 'Location' }, inHeader, false],
  ])('%s is taken without a look-up', async (_what, options, settings, hasNumber) => {
    const cart = newCart();
    const { worker, calls, ordersOf } = await landscape(options, settings);
    await worker.send(envelope(cart));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(calls()).toEqual(['POST /purchase-orders']);
    const [order] = ordersOf(cart);
    const row = await fixture.orderRow(cart);
    expect(row).toMatchObject({ state: 'CREATED', orderId: order?.id });
    expect(row?.orderNumber).toBe(hasNumber ? order?.number : undefined);
  });

  test.each<[string, VmsOptions, Partial<Variables>, boolean]>([
    ['deeper', elsewhere, variables, true],
    // What is looked up holds no id: the externalId, by which it was found, takes its place.
    ['in the header', { idAt: 'Location' }, inHeader, false],
  ])('%s is taken from the order itself when it is looked up', async (_what, options, settings, hasId) => {
    const cart = newCart();
    const { worker, proxy, ordersOf } = await landscape(options, settings);
    proxy.intercept(onceFor(isPost, commitThenReset));
    await worker.send(envelope(cart));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    const [order] = ordersOf(cart);
    expect(await fixture.orderRow(cart)).toMatchObject({
      state: 'CREATED',
      orderId: hasId ? order?.id : externalIdOf(cart),
      orderNumber: order?.number,
    });
  });

  const data = { orderId: 'po_17', po: 'PO-17' };
  const location = { location: '/purchase-orders/po_17' };
  // Each is answered to an order that 11VMS does not have: it must not be booked as created.
  test.each<[string, Partial<Variables>, Interceptor]>([
    ['an id of the request alone', variables, answer(201, { id: 'req-1' })],
    ['an id of the request beside null', variables, answer(201, { id: 'req-1', data: null })],
    ['null as id', variables, answer(201, { data: { orderId: null, po: 'PO-1' } })],
    ['a placeholder as id', variables, answer(201, { data: { orderId: '0' } })],
    ['an object as id', variables, answer(201, { data: { orderId: { value: 'po_17' } } })],
    ['an error beside the id', variables, answer(201, { data, error: { code: 'X' } })],
    ['an error deeper', variables, answer(200, { data: { ...data, errors: [{ code: 'X' }] } })],
    ['a failure in words', variables, answer(201, { data, status: 'FAILED' })],
    ['the id of another order', variables, answer(201, { data: { ...data, externalId: 'SRM7-100-1-1-EUR-BE10' } })],
    ['the id as text of JSON', variables, answer(201, JSON.stringify({ data: { orderId: '' } }))],
    ['an id in the body and none in the header', inHeader, answer(201, { id: 'job-1', number: 'J-1' })],
    ['no Location', inHeader, answer(201, '')],
    ['a Location beside an error', inHeader, answer(201, { error: { code: 'X' } }, location)],
    ['a Location beside HTML', inHeader, answer(201, '<html></html>', location)],
    ['a Location beside a list', inHeader, answer(201, [{ code: 'X' }], location)],
    ['a Location beside another order', inHeader, answer(201, { externalId: 'SRM7-100-1-1-EUR-BE10' }, location)],
    ['a Location of a job', inHeader, answer(201, '', { location: '/jobs/17' })],
    ['a Location of the collection', inHeader, answer(201, '', { location: '/purchase-orders' })],
    ['a Location with 200', inHeader, answer(200, '', location)],
    ['a Location with 202', inHeader, answer(202, '', location)],
    ['a Location that stands for none', inHeader, answer(201, '', { location: '/purchase-orders/undefined' })],
  ])('is not shown by %s: looked up', async (_what, settings, instead) => {
    const cart = newCart();
    const { worker, proxy, ordersOf } = await landscape(
      settings === inHeader ? { idAt: 'Location' } : elsewhere,
      settings,
    );
    proxy.intercept(onceFor(isPost, instead));
    await worker.send(envelope(cart));
    expect((await worker.deliverAndReturn()).failed).toHaveLength(1);
    expect(proxy.calls.map(({ method }) => method)).toEqual(['POST', 'GET']);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'UNKNOWN', mayExist: true });
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(ordersOf(cart)).toHaveLength(1);
  });
});

describe('fields of other names', () => {
  const fields = {
    externalId: 'reference',
    'supplier.code': 'supplierCode',
    requester: 'orderedBy',
    currency: 'money.currency',
    lines: 'items',
    'lines.unitOfMeasure': 'uom',
    'lines.netAmount': 'amounts.net',
    'lines.accounting.glAccount': 'account',
  };
  const renamed = { fields, externalIdAt: '/reference', disguiseSeed: 17 };
  const inFields = async (options: VmsOptions = {}): Promise<VmsLandscape> =>
    landscape({ ...renamed, ...options }, { ...fixture.withFields(fields), VMS_EXTERNAL_ID_AT: '/reference' });

  test('are written, looked up and compared; ledger and order keep ours', async () => {
    const cart = newCart();
    const { worker, proxy, ordersOf } = await inFields();
    proxy.intercept(onceFor(isPost, commitThenReset));
    await worker.send(envelope(cart));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    const body: unknown = JSON.parse(proxy.calls.find(isPost)?.body ?? '');
    expect(body).toMatchObject({
      reference: externalIdOf(cart),
      supplierCode: 'SUP-00871',
      money: { currency: 'EUR' },
      items: [{ uom: 'DAY', amounts: { net: '39000.00' } }, {}, {}],
    });
    expect(ordersOf(cart)[0]?.order).toMatchObject({
      externalId: externalIdOf(cart),
      supplier: { code: 'SUP-00871' },
      lines: [{ unitOfMeasure: 'DAY' }, {}, {}],
    });
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED', orderNumber: ordersOf(cart)[0]?.number });
  });

  // Edge case 17.
  test('are named as ours where an order differs', async () => {
    const cart = newCart();
    const { worker } = await inFields();
    await worker.send(envelope(cart));
    await worker.deliver();
    const changed = withItems({ ...cart, ChangedAt: edmInstant('2026-11-20T15:32:06Z') }, (item, index) =>
      index === 0 ? { ...item, Quantity: '61', Unit: 'H', Value: '39650.00' } : item,
    );
    const [messageId = ''] = await worker.send(envelope(changed));
    await worker.deliver();
    const [fault] = (await fixture.verdictOf(messageId)) ?? [];
    expect(fault?.message).toContain('/lines/0/');
    expect(fault?.message).not.toMatch(/items|uom|amounts/);
  });

  test('are named as ours where 11VMS refuses one', async () => {
    const cart = newCart();
    const { worker } = await inFields({ inactiveSuppliers: ['SUP-00871'] });
    const [messageId = ''] = await worker.send(envelope(cart));
    await worker.deliver();
    expect(await fixture.verdictOf(messageId)).toEqual([
      {
        code: 'E_TGT_VALIDATION',
        message: expect.stringContaining('SUPPLIER_NOT_FOUND'),
        field: '/supplier/code',
      },
    ]);
  });

  test('are refused by an 11VMS that has the names of the contract', async () => {
    const cart = newCart();
    const { worker, ordersOf } = await landscape({}, fixture.withFields(fields));
    const [messageId = ''] = await worker.send(envelope(cart));
    await worker.deliver();
    expect(await fixture.verdictOf(messageId)).toContainEqual(
      expect.objectContaining({ code: 'E_TGT_VALIDATION', field: '/supplier/code' }),
    );
    expect(ordersOf(cart)).toEqual([]);
  });

  test('as an echo show that an answer is for another order', async () => {
    const cart = newCart();
    const { worker, proxy } = await inFields();
    proxy.intercept(onceFor(isPost, answer(201, { id: 'po_1', reference: 'SRM7-100-1-1-EUR-BE10' })));
    await worker.send(envelope(cart));
    expect((await worker.deliver()).failed).toHaveLength(1);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'UNKNOWN' });
  });
});
