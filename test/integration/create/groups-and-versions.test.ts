/** Edge cases 13 to 27: which carts become orders, how many, and what a later version of a cart does. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createRedriveRecord } from '../../../functions/redrive-dead-letters/redrive-record.ts';
import { createLedgerTable } from '../../../shared/ledger-table.ts';
import { type Interceptor, onceFor } from '../recording-proxy.ts';
import {
  always,
  answer,
  CARELESS,
  edmInstant,
  envelope,
  externalIdOf,
  isCreate,
  isLookUp,
  itemsOf,
  newCart,
  onFirstCreate,
  openWorkerFixture,
  type Row,
  textOf,
  type Worker,
  type WorkerFixture,
  withItems,
  withVendors,
} from './worker-fixture.ts';

let fixture: WorkerFixture;
const inactive = new Set<string>();
beforeAll(async () => {
  fixture = await openWorkerFixture({ vms: { ...CARELESS, inactiveSuppliers: (code) => inactive.has(code) } });
});
beforeEach(() => {
  inactive.clear();
  fixture.calm();
  fixture.takeOutput();
});
afterAll(() => fixture.close());

/** The orders of a look-up, of which the contract's content is missing. */
const withoutLines: Interceptor = async (_call, forward) => {
  const reply = await forward();
  return { ...reply, body: reply.body.replaceAll('"lines":', '"rows":') };
};

async function sent(cart: Row): Promise<{ worker: Worker; messageId: string }> {
  const worker = await fixture.worker();
  const [messageId = ''] = await worker.send(envelope(cart));
  return { worker, messageId };
}

/** The same cart, changed and approved again this many hours later. */
const later = (cart: Row, hours: number, changes: Row = {}): Row => ({
  ...cart,
  ChangedAt: edmInstant(`2026-11-20T${14 + hours}:32:06Z`),
  ApprovedAt: edmInstant(`2026-11-20T${14 + hours}:32:05Z`),
  ...changes,
});

describe('a cart with several groups', () => {
  test('becomes one order for each supplier', async () => {
    const cart = withVendors(newCart(), '0000100234', '0000100777');
    const { worker } = await sent(cart);
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(
      fixture
        .ordersOf(cart)
        .map(({ order }) => order.externalId)
        .toSorted(),
    ).toEqual([externalIdOf(cart), externalIdOf(cart, '100777')]);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED' });
    expect(await fixture.orderRow(cart, '100777')).toMatchObject({ state: 'CREATED' });
  });

  // Edge case 27.
  test('with a fault in one group creates the good order once, and is dead-lettered for the faulty group', async () => {
    const cart = withVendors(newCart(), '0000100234', '');
    const { worker, messageId } = await sent(cart);
    expect(await worker.deliverTimes(4)).toEqual(Array.from({ length: 4 }, () => [messageId]));
    expect(await worker.receive()).toEqual([]);
    expect(await worker.deadLetters()).toEqual([messageId]);
    expect(fixture.callsFor(cart)).toEqual(['create']);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED' });
    expect(await fixture.verdictOf(messageId)).toMatchObject([
      { code: 'E_SUPPLIER_MISSING', path: expect.stringContaining('$.Items.results[1]') },
    ]);
    // Redriven after a source is assigned in SRM and the cart is replayed: only the missing order is created.
    await worker.send(envelope(withVendors(cart, '0000100234', '0000100777')));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual(['create', 'create']);
    expect(fixture.ordersOf(cart)).toHaveLength(2);
  });

  test('of which 11VMS rejects one order and fails at another is tried again for the other alone', async () => {
    const cart = withVendors(newCart(), '0000100234', '0000100777');
    const { worker, messageId } = await sent(cart);
    inactive.add('SUP-00871');
    fixture.proxies.vms.intercept(
      always((call) => isCreate(call) && call.body.includes('"externalCode":"100777"'), answer(408)),
    );
    expect((await worker.deliverAndReturn()).failed).toEqual([messageId]);
    expect(await fixture.verdictOf(messageId)).toBeUndefined();
    fixture.calm();
    expect((await worker.deliver()).failed).toEqual([messageId]);
    expect(await fixture.orderRow(cart, '100777')).toMatchObject({ state: 'CREATED' });
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'REJECTED', attempts: 1 });
    expect(await fixture.verdictOf(messageId)).toMatchObject([{ code: 'E_TGT_VALIDATION' }]);
  });

  test('that is dead-lettered after the final attempt has the faults of all its groups in its verdict', async () => {
    const cart = withVendors(newCart(), '0000100234', '', '0000100777');
    const { worker, messageId } = await sent(cart);
    inactive.add('SUP-00871');
    fixture.proxies.vms.intercept(
      always((call) => isCreate(call) && call.body.includes('"externalCode":"100777"'), answer(408)),
    );
    await worker.deliverTimes(4);
    const codes = (await fixture.verdictOf(messageId))?.map(({ code }) => code);
    expect(new Set(codes)).toEqual(new Set(['E_TGT_UNAVAILABLE', 'E_SUPPLIER_MISSING', 'E_TGT_VALIDATION']));
  });
});

test('has all its faults reported together, however many', async () => {
  const cart = newCart({ CoCode: 'XX99', RequesterId: '', RequesterEmail: '' });
  const [line] = itemsOf(cart);
  // An unknown unit, so long that the faults would not fit into one item of DynamoDB.
  const results = Array.from({ length: 150 }, (_, index) => ({
    ...line,
    NumberInt: String(index + 1),
    Unit: 'X'.repeat(4000),
  }));
  const many = { ...cart, Items: { results } };
  const { worker, messageId } = await sent(many);
  expect((await worker.deliver()).failed).toEqual([messageId]);
  expect(worker.takeVisibilities()).toEqual([[0]]);
  const verdict = (await fixture.verdictOf(messageId)) ?? [];
  expect(verdict.map(({ code }) => code)).toEqual(expect.arrayContaining(['E_MAP_COMPANY', 'E_MAP_UOM']));
  expect(verdict.at(-1)?.message).toMatch(/^and at least \d+ more$/);
  expect(fixture.callsFor(cart)).toEqual([]);
});

describe('a cart that is not to be ordered is skipped with its reason, and acknowledged', () => {
  const allDeleted = (cart: Row): Row => withItems(cart, (item) => ({ ...item, DelInd: 'X' }));
  test.each<[string, (cart: Row) => Row, RegExp]>([
    ['a change version', (cart) => ({ ...cart, VersionType: 'C' }), /version/],
    ['a historical version', (cart) => ({ ...cart, VersionType: 'H' }), /version/],
    ['awaiting approval', (cart) => ({ ...cart, Status: 'I1015' }), /not approved: awaiting/],
    ['rejected', (cart) => ({ ...cart, Status: 'I1016' }), /not approved: rejected/],
    ['deleted', (cart) => ({ ...cart, DelInd: 'X' }), /deleted/],
    ['without a line that is left', allDeleted, /E_CART_EMPTY/],
  ])('%s', async (_what, change, reason) => {
    const cart = change(newCart());
    const { worker, messageId } = await sent(cart);
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual([]);
    expect(await fixture.ledgerOf(cart)).toEqual([
      expect.objectContaining({ sk: 'SKIP', messageId, reason: expect.stringMatching(reason) }),
    ]);
    expect(await worker.receive()).toEqual([]);
    expect(fixture.takeOutput().join('\n')).toMatch(/"outcome":"skipped","reason":/);
  });
});

test('a cart of a status that the value map does not know is a dead letter, and no skip', async () => {
  const cart = newCart({ Status: 'Z0001' });
  const { worker, messageId } = await sent(cart);
  expect((await worker.deliver()).failed).toEqual([messageId]);
  expect(await fixture.verdictOf(messageId)).toEqual([
    {
      code: 'E_MAP_STATUS',
      message: 'the value map translation.valueMaps.status has no entry "Z0001"',
      path: '$.Status',
    },
  ]);
  expect((await fixture.ledgerOf(cart)).map(({ sk }) => sk)).toEqual([`VERDICT#${messageId}`]);
  expect(fixture.callsFor(cart)).toEqual([]);
});

describe('a later version of a cart', () => {
  // Edge case 16.
  test('that is delivered first is ordered; the older message is superseded', async () => {
    const cart = newCart();
    const worker = await fixture.worker();
    await worker.send(envelope(later(cart, 1, { Description: 'Second version' })));
    await worker.deliver();
    await worker.send(envelope(cart));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual(['create']);
    expect(fixture.ordersOf(cart).map(({ order }) => order.title)).toEqual(['Second version']);
  });

  test('overtakes an older version that is waiting for its retry', async () => {
    const cart = newCart();
    const { worker } = await sent(cart);
    fixture.proxies.vms.intercept(onceFor(isCreate, answer(408)));
    const { records } = await worker.deliver();
    await worker.send(envelope(later(cart, 1, { Description: 'Second version' })));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    await worker.endDelay(records);
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.ordersOf(cart).map(({ order }) => order.title)).toEqual(['Second version']);
  });

  test('supersedes an older version that failed again before it', async () => {
    const cart = newCart();
    const { worker } = await sent(later(cart, 1));
    fixture.proxies.vms.intercept(onceFor(isCreate, answer(408)));
    await worker.deliver();
    await worker.send(envelope(cart));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.takeOutput().join('\n')).toContain('superseded');
    expect(fixture.ordersOf(cart)).toHaveLength(0);
  });

  // Edge case 17.
  test('that changes a created order is dead-lettered, with the names of the changed fields and without their values', async () => {
    const cart = newCart();
    const { worker } = await sent(cart);
    await worker.deliver();
    fixture.takeOutput();
    const [messageId = ''] = await worker.send(
      envelope(
        withItems(later(cart, 1, { Description: 'Secret mission', RequesterName: 'Jane Roe' }), (item, index) =>
          index === 0 ? { ...item, Description: 'Data scientist' } : item,
        ),
      ),
    );
    expect((await worker.deliver()).failed).toEqual([messageId]);
    expect(worker.takeVisibilities()).toEqual([[0]]);
    const verdict = await fixture.verdictOf(messageId);
    expect(verdict).toMatchObject([{ code: 'E_CART_CHANGED_AFTER_SEND' }]);
    for (const pointer of ['/title', '/requester/name', '/lines/0/description']) {
      expect(verdict?.[0]?.message).toContain(pointer);
    }
    const kept = [...fixture.takeOutput(), JSON.stringify(verdict)].join('\n');
    expect(['Secret', 'Roe', 'Dupont', 'scientist'].filter((word) => kept.includes(word))).toEqual([]);
    expect(await worker.deliver()).toMatchObject({ failed: [messageId] });
    expect(fixture.callsFor(cart)).toEqual(['create', 'lookup']);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED' });
  });

  test('with the same content is skipped', async () => {
    const cart = newCart();
    const { worker } = await sent(cart);
    await worker.deliver();
    await worker.send(envelope(later(cart, 1)));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual(['create', 'lookup']);
    expect(fixture.takeOutput().join('\n')).toContain('approved again without a change');
  });

  // Edge case 18.
  test.each<[string, (cart: Row) => Row]>([
    ['the cart is deleted', (cart) => ({ ...cart, DelInd: 'X' })],
    ['the cart is rejected', (cart) => ({ ...cart, Status: 'I1016' })],
    ['all its lines are deleted', (cart) => withItems(cart, (item) => ({ ...item, DelInd: 'X' }))],
    ['it has no line any more', (cart) => ({ ...cart, Items: { results: [] } })],
  ])('that cancels its created order is dead-lettered: %s', async (_what, change) => {
    const cart = newCart();
    const { worker } = await sent(cart);
    await worker.deliver();
    const [messageId = ''] = await worker.send(envelope(change(later(cart, 1))));
    expect((await worker.deliver()).failed).toEqual([messageId]);
    const [order] = fixture.ordersOf(cart);
    expect(await fixture.verdictOf(messageId)).toEqual([
      { code: 'E_CART_CANCELLED_AFTER_SEND', message: expect.stringContaining(order?.number ?? 'no order') },
    ]);
    expect(fixture.callsFor(cart)).toEqual(['create']);
  });

  const [A, B] = ['0000100234', '0000100777'] as const;
  const cancelledOrder = (cart: Row) => ({
    code: 'E_CART_CANCELLED_AFTER_SEND',
    message: `the order was created as ${fixture.ordersOf(cart)[0]?.number}, and the cart has nothing left for it`,
  });

  // Edge case 18: the line is not deleted, it is another supplier's.
  test('whose line has moved to another supplier is not ordered beside the order of the earlier one', async () => {
    const cart = newCart();
    const { worker } = await sent(withVendors(cart, A));
    await worker.deliver();
    const moved = withVendors(later(cart, 1), B);
    const [messageId = ''] = await worker.send(envelope(moved));

    expect((await worker.deliver()).failed).toEqual([messageId]);
    expect(await fixture.verdictOf(messageId)).toEqual([
      cancelledOrder(cart),
      { code: 'E_CART_CHANGED_AFTER_SEND', message: expect.stringContaining(`${externalIdOf(cart, '100777')} is not`) },
    ]);
    expect(fixture.callsFor(cart)).toEqual(['create']);
    expect(await fixture.orderRow(cart, '100777')).toMatchObject({ state: 'NEW' });

    // The order is cancelled by hand, the dead letter is closed, and the cart is replayed.
    const key = { cart: { client: '100', number: textOf(cart['ObjectId']) }, messageId };
    await createRedriveRecord(createLedgerTable(fixture.systems.clients.dynamodb, fixture.systems.tableName)).close(
      key,
      { by: 'an operator', reason: 'cancelled in 11VMS', changedAtMs: undefined },
      1_000_000,
    );
    await worker.send(envelope(moved));
    expect(await worker.deliver()).toMatchObject({ failed: [messageId] });
    expect(fixture.ordersOf(cart)).toHaveLength(2);
    expect(await fixture.orderRow(cart, '100777')).toMatchObject({ state: 'CREATED' });
  });

  test('that has lost a line keeps its other order, and tells of the lost one', async () => {
    const cart = withVendors(newCart(), A, B);
    const { worker } = await sent(cart);
    await worker.deliver();
    const [first] = itemsOf(cart);
    const [messageId = ''] = await worker.send(envelope({ ...later(cart, 1), Items: { results: [first] } }));

    expect((await worker.deliver()).failed).toEqual([messageId]);
    expect((await fixture.verdictOf(messageId))?.map(({ code }) => code)).toContain('E_CART_CANCELLED_AFTER_SEND');
    expect(fixture.callsFor(cart).filter((call) => call === 'create')).toHaveLength(2);
  });

  test('whose line has lost its supplier leaves the order of the earlier one in peace, and adds none beside it', async () => {
    const cart = withVendors(newCart(), A);
    const { worker } = await sent(cart);
    await worker.deliver();
    const [messageId = ''] = await worker.send(envelope(withVendors(later(cart, 1), '', B)));

    expect((await worker.deliver()).failed).toEqual([messageId]);
    expect(await fixture.verdictOf(messageId)).toMatchObject([
      { code: 'E_SUPPLIER_MISSING' },
      {
        code: 'E_CART_CHANGED_AFTER_SEND',
        message: expect.stringMatching(/have the other faults .* corrected first$/),
      },
    ]);
    expect(fixture.callsFor(cart)).toEqual(['create']);
  });

  test('that is completed leaves the order of the earlier one, and is not ordered beside it', async () => {
    const cart = newCart();
    const { worker } = await sent(withVendors(cart, A));
    await worker.deliver();
    await worker.send(envelope(withVendors(later(cart, 1, { Status: 'I1038' }), B)));

    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual(['create']);
    expect(fixture.takeOutput().join('\n')).toContain('the completed cart was ordered before');
  });

  // Edge case 16: the later version has no item under the order of the earlier one.
  test.each<[string, (cart: Row) => Row]>([
    ['has a line less', (cart) => ({ ...cart, Items: { results: itemsOf(cart).slice(0, 1) } })],
    ['is deleted', (cart) => ({ ...cart, DelInd: 'X' })],
    ['is a dead letter', (cart) => withVendors(cart, '', '')],
  ])('that %s leaves nothing to order for an older message that comes after it', async (_what, change) => {
    const cart = withVendors(newCart(), A, B);
    const worker = await fixture.worker();
    await worker.send(envelope(change(later(cart, 1))));
    const { records } = await worker.deliver();
    const before = fixture.callsFor(cart).length;
    const [messageId = ''] = await worker.send(envelope(cart));
    const { failed } = await worker.deliver();

    expect(failed).not.toContain(messageId);
    expect(records).toHaveLength(1);
    expect(fixture.callsFor(cart)).toHaveLength(before);
    expect(fixture.takeOutput().join('\n')).toContain('superseded');
  });

  // Edge case 20.
  test('that is no active one leaves the active one to be ordered', async () => {
    const cart = newCart();
    const worker = await fixture.worker();
    await worker.send(envelope(later(cart, 1, { VersionType: 'C' })));
    await worker.deliver();
    await worker.send(envelope(cart));

    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  });

  test('leaves an order of unknown outcome to the older message, which tells of it when 11VMS holds it', async () => {
    const cart = withVendors(newCart(), A);
    const { worker, messageId } = await sent(cart);
    fixture.vms.setDisturbances(onFirstCreate({ kind: 'reset-after-commit' }));
    fixture.proxies.vms.intercept(always(isLookUp, answer(503)));
    const { records } = await worker.deliver();
    fixture.calm();
    await worker.send(envelope(later(cart, 1, { DelInd: 'X' })));
    // While the request may still be on its way, the later version waits.
    expect((await worker.deliverAndReturn()).failed).toHaveLength(1);
    await fixture.expireLease(cart);
    expect(await worker.deliver()).toMatchObject({ failed: [] });

    await worker.endDelay(records);
    expect((await worker.deliver()).failed).toEqual([messageId]);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED' });
    expect(await fixture.verdictOf(messageId)).toEqual([
      { code: 'E_CART_CANCELLED_AFTER_SEND', message: expect.stringContaining('does not have it') },
    ]);
  });

  test('supersedes an order of unknown outcome that 11VMS does not hold', async () => {
    const cart = withVendors(newCart(), A);
    const { worker } = await sent(cart);
    fixture.proxies.vms.intercept(always((call) => isCreate(call) || isLookUp(call), answer(503)));
    const { records } = await worker.deliver();
    fixture.calm();
    await fixture.expireLease(cart);
    await worker.send(envelope(later(cart, 1, { DelInd: 'X' })));
    expect(await worker.deliver()).toMatchObject({ failed: [] });

    await worker.endDelay(records);
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.ordersOf(cart)).toEqual([]);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'NEW', mayExist: false });
  });

  test.each<[string, Interceptor, RegExp]>([
    ['does not hold it', answer(200, { items: [] }), /; 11VMS does not hold it any more$/],
    ['holds it in another form', withoutLines, /; its content in 11VMS cannot be compared$/],
  ])('that changes a created order says so where 11VMS %s', async (_what, lookUp, doubt) => {
    const cart = newCart();
    const { worker } = await sent(cart);
    await worker.deliver();
    fixture.proxies.vms.intercept(always(isLookUp, lookUp));
    const [messageId = ''] = await worker.send(envelope(later(cart, 1)));
    expect((await worker.deliver()).failed).toEqual([messageId]);
    expect(await fixture.verdictOf(messageId)).toEqual([
      { code: 'E_CART_CHANGED_AFTER_SEND', message: expect.stringMatching(doubt) },
    ]);
  });

  test('is retried while 11VMS cannot be asked for the difference', async () => {
    const cart = newCart();
    const { worker } = await sent(cart);
    await worker.deliver();
    fixture.proxies.vms.intercept(always(isLookUp, answer(503)));
    await worker.send(envelope(later(cart, 1)));
    const { failed } = await worker.deliverAndReturn();
    expect(failed).toHaveLength(1);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED' });
    fixture.calm();
    expect(await worker.deliver()).toMatchObject({ failed: [] });
  });

  test.each([
    ['with the same content is the order that was stored', {}, [], 'CREATED', undefined],
    [
      'with other content finds the order of the earlier one',
      { Description: 'Secret mission' },
      [expect.any(String)],
      'REJECTED',
      'E_CART_CHANGED_AFTER_SEND',
    ],
  ])('that meets an order of unknown outcome: %s', async (_what, changes, failed, state, code) => {
    const cart = newCart();
    const { worker } = await sent(cart);
    // Stored, but neither the answer nor the look-up arrives.
    fixture.vms.setDisturbances(onFirstCreate({ kind: 'reset-after-commit' }));
    fixture.proxies.vms.intercept(always(isLookUp, answer(503)));
    await worker.deliver();
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'UNKNOWN' });
    fixture.calm();
    await fixture.expireLease(cart);
    const [messageId = ''] = await worker.send(envelope(later(cart, 1, changes)));
    expect((await worker.deliver()).failed).toEqual(failed);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
    expect(await fixture.orderRow(cart)).toMatchObject({ state });
    expect((await fixture.verdictOf(messageId))?.[0]?.code).toBe(code);
  });
});
