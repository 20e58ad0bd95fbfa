/** Edge cases 13 to 27: which carts become orders, how many, and what a later version of a cart does. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createRedriveRecord } from '../../../functions/redrive-dead-letters/redrive-record.ts';
import { createLedgerTable } from '../../../shared/ledger-table.ts';
import { type Standing, standingOf } from '../../../shared/standing.ts';
import { readTraces } from '../../../shared/traces.ts';
import { type Interceptor, onceFor, type RecordedCall } from '../recording-proxy.ts';
import {
  always,
  answer,
  CARELESS,
  commitThenAnswer,
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

const keyOf = (cart: Row) => ({ client: '100', number: textOf(cart['ObjectId']) });
const table = () => createLedgerTable(fixture.systems.clients.dynamodb, fixture.systems.tableName);
/** A person has cancelled the order in 11VMS, and closes the dead letter. */
const close = (cart: Row, messageId: string, changedAt = '2026-11-20T14:32:06Z'): Promise<void> =>
  createRedriveRecord(table()).close(
    { cart: keyOf(cart), messageId },
    { by: 'an operator', reason: 'cancelled in 11VMS', changedAtMs: Date.parse(changedAt) },
    1_000_000,
  );
const standing = async (cart: Row): Promise<Standing> =>
  standingOf(await readTraces(table(), keyOf(cart)), { nowMs: Date.now() });

const isCallFor = (cart: Row, { path, body }: RecordedCall): boolean => `${path} ${body}`.includes(externalIdOf(cart));

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
      expect.objectContaining({ sk: expect.stringMatching(/^SKIP/), messageId, reason: expect.stringMatching(reason) }),
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

  test('with the same content is skipped, and 11VMS is not asked', async () => {
    const cart = newCart();
    const { worker } = await sent(cart);
    await worker.deliver();
    await worker.send(envelope(later(cart, 1)));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual(['create']);
    expect(fixture.takeOutput().join('\n')).toContain('already created as');
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
    await close(cart, messageId, '2026-11-20T15:32:06Z');
    await worker.send(envelope(moved));
    expect(await worker.deliver()).toMatchObject({ failed: [messageId] });
    expect(fixture.ordersOf(cart)).toHaveLength(2);
    expect(await fixture.orderRow(cart, '100777')).toMatchObject({ state: 'CREATED' });
    expect(await standing(cart)).toMatchObject({ word: 'cured' });
  });

  test('that has no line left, and comes after a newer one that has its order, tells of none', async () => {
    const cart = newCart();
    const worker = await fixture.worker();
    await worker.send(envelope(cart));
    await worker.deliver();
    const [newer = ''] = await worker.send(envelope(later(cart, 2, { Description: 'Other mission' })));
    expect((await worker.deliver()).failed).toEqual([newer]);
    const next = await fixture.worker();
    await next.send(envelope(later(cart, 1, { Items: { results: [] } })));
    expect(await next.deliver()).toMatchObject({ failed: [] });
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
    expect(await standing(cart)).toMatchObject({
      word: 'skipped',
      reason: expect.stringContaining('was ordered before'),
    });
  });

  test('that is completed is not ordered in part where one of its orders was created, and another is left over', async () => {
    const cart = withVendors(newCart(), A, B);
    const { worker } = await sent(cart);
    await worker.deliver();
    await worker.send(envelope(withVendors(later(cart, 1, { Status: 'I1038' }), A, '0000100888')));

    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual(['create', 'create']);
    expect(await standing(cart)).toMatchObject({ word: 'ordered', created: [{ externalId: externalIdOf(cart) }] });
  });

  describe('that has nothing left for an order which 11VMS is known to hold from a rejected attempt', () => {
    /** Two versions: the first was created without an answer, the second finds it with other content. */
    async function rejectedButHeld() {
      const cart = withVendors(newCart(), A);
      const { worker } = await sent(cart);
      fixture.vms.setDisturbances(onFirstCreate({ kind: 'reset-after-commit' }));
      fixture.proxies.vms.intercept(always(isLookUp, answer(503)));
      await worker.deliver();
      fixture.calm();
      await fixture.expireLease(cart);
      const [messageId = ''] = await worker.send(envelope(later(cart, 1, { Description: 'Second version' })));
      expect((await worker.deliver()).failed).toEqual([messageId]);
      expect(await fixture.orderRow(cart)).toMatchObject({ state: 'REJECTED', mayExist: true });
      return { cart, messageId };
    }

    test.each<[string, (cart: Row) => Row, string[]]>([
      [
        'is not ordered beside it, when the line has moved',
        (cart) => withVendors(cart, B),
        ['E_CART_CANCELLED_AFTER_SEND', 'E_CART_CHANGED_AFTER_SEND'],
      ],
      [
        'is not ordered beside it, when the cart is completed and the line has moved',
        (cart) => withVendors({ ...cart, Status: 'I1038' }, B),
        ['E_CART_CHANGED_AFTER_SEND', 'E_CART_CANCELLED_AFTER_SEND'],
      ],
      ['tells of it, when the cart is deleted', (cart) => ({ ...cart, DelInd: 'X' }), ['E_CART_CANCELLED_AFTER_SEND']],
    ])('%s', async (_what, change, codes) => {
      const { cart } = await rejectedButHeld();
      const { worker, messageId } = await sent(change(later(cart, 2)));
      expect((await worker.deliver()).failed).toEqual([messageId]);
      expect((await fixture.verdictOf(messageId))?.map(({ code }) => code)).toEqual(codes);
      expect(fixture.ordersOf(cart)).toHaveLength(1);
    });

    test('is ordered once a person has closed the dead letter that says so, and not that of the rejected attempt', async () => {
      const { cart, messageId: rejected } = await rejectedButHeld();
      // The order was corrected in 11VMS by hand.
      await close(cart, rejected);
      const moved = withVendors(later(cart, 2), B);
      const { worker, messageId } = await sent(moved);
      expect((await worker.deliver()).failed).toEqual([messageId]);
      await close(cart, messageId);
      const replayed = await sent(moved);
      expect(await replayed.worker.deliver()).toMatchObject({ failed: [] });
      expect(fixture.ordersOf(cart)).toHaveLength(2);
    });
  });

  test('waits for the last attempt of an earlier one, and is not ordered beside the order that its crash left open', async () => {
    const cart = withVendors(newCart(), A);
    const worker = await fixture.worker({ VMS_TIMEOUT_MS: '5000' });
    await worker.send(envelope(cart));
    fixture.proxies.vms.intercept(always(isCreate, answer(408)));
    await worker.deliverTimes(3);
    const answered = Promise.withResolvers<'reset'>();
    fixture.proxies.vms.intercept(
      always(isCreate, async (_call, forward) => {
        await forward();
        return answered.promise;
      }),
    );
    const abandoned = worker.invoke(await worker.receive());
    await fixture.until(() => fixture.ordersOf(cart).length === 1);
    fixture.calm();

    const next = await fixture.worker();
    const [messageId = ''] = await next.send(envelope(withVendors(later(cart, 1), B)));
    expect((await next.deliverAndReturn()).failed).toEqual([messageId]);
    expect(await fixture.verdictOf(messageId)).toBeUndefined();
    expect(await fixture.orderRow(cart, '100777')).toMatchObject({ faults: [{ code: 'E_INT_IN_PROGRESS' }] });
    await fixture.expireLease(cart);
    expect((await next.deliver()).failed).toEqual([messageId]);
    expect(await fixture.verdictOf(messageId)).toMatchObject([
      { code: 'E_CART_CANCELLED_AFTER_SEND', message: expect.stringContaining(externalIdOf(cart)) },
      { code: 'E_CART_CHANGED_AFTER_SEND' },
    ]);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
    answered.resolve('reset');
    await abandoned;
  });

  describe('whose order a person has cancelled for an earlier one', () => {
    const handCancelled = (cart: Row, vendor?: string) => ({
      code: 'E_CART_CHANGED_AFTER_SEND',
      message: expect.stringContaining(`the order ${externalIdOf(cart, vendor)} was cancelled by hand`),
    });

    test('tells that it is to be restored, until a person has closed that, too', async () => {
      const cart = withVendors(newCart(), A);
      const { worker } = await sent(cart);
      await worker.deliver();
      const [deleted = ''] = await worker.send(envelope(later(cart, 1, { DelInd: 'X' })));
      await worker.deliver();
      await close(cart, deleted);

      const again = await fixture.worker();
      const [messageId = ''] = await again.send(envelope(later(cart, 2)));
      expect((await again.deliver()).failed).toEqual([messageId]);
      expect(await fixture.verdictOf(messageId)).toEqual([handCancelled(cart)]);

      // The order is restored by hand.
      await close(cart, messageId);
      const restored = await fixture.worker();
      await restored.send(envelope(later(cart, 3)));
      expect(await restored.deliver()).toMatchObject({ failed: [] });
      fixture.takeOutput();
      const [deletedAgain = ''] = await restored.send(envelope(later(cart, 4, { DelInd: 'X' })));
      expect((await restored.deliver()).failed).toEqual([deletedAgain]);
      expect(await fixture.verdictOf(deletedAgain)).toEqual([cancelledOrder(cart)]);
      expect(fixture.ordersOf(cart)).toHaveLength(1);
    });

    test('tells so beside the order that has taken its place', async () => {
      const cart = withVendors(newCart(), A);
      const { worker } = await sent(cart);
      await worker.deliver();
      const moved = withVendors(later(cart, 1), B);
      const [first = ''] = await worker.send(envelope(moved));
      await worker.deliver();
      await close(cart, first);
      await worker.send(envelope(moved));
      await worker.deliver();
      expect(await fixture.orderRow(cart, '100777')).toMatchObject({ state: 'CREATED' });

      const back = await fixture.worker();
      const [messageId = ''] = await back.send(envelope(later(cart, 2)));
      expect((await back.deliver()).failed).toEqual([messageId]);
      expect(await fixture.verdictOf(messageId)).toEqual([
        { code: 'E_CART_CANCELLED_AFTER_SEND', message: expect.stringMatching(/nothing left for it$/) },
        handCancelled(cart),
      ]);
    });

    /** The cart of an order whose outcome stayed open is deleted, and a person closes the dead letter that tells of it. */
    async function deleteAndClose(cart: Row): Promise<void> {
      fixture.calm();
      await fixture.expireLease(cart);
      const worker = await fixture.worker();
      const [deleted = ''] = await worker.send(envelope(later(cart, 1, { DelInd: 'X' })));
      expect((await worker.deliver()).failed).toEqual([deleted]);
      await close(cart, deleted);
    }

    test('counts it as live once it is created after that', async () => {
      const cart = withVendors(newCart(), A);
      const { worker } = await sent(cart);
      fixture.proxies.vms.intercept(always((call) => isCallFor(cart, call), answer(500)));
      await worker.deliverTimes(4);
      // 11VMS does not hold it.
      await deleteAndClose(cart);

      const again = await fixture.worker();
      await again.send(envelope(later(cart, 2)));
      expect(await again.deliver()).toMatchObject({ failed: [] });
      await again.send(envelope(later(cart, 3, { Description: 'Other mission' })));
      const { failed } = await again.deliver();
      expect(await fixture.verdictOf(failed[0] ?? '')).toMatchObject([
        { code: 'E_CART_CHANGED_AFTER_SEND', message: expect.stringContaining('/title') },
      ]);
      const last = await fixture.worker();
      const [moved = ''] = await last.send(envelope(withVendors(later(cart, 4), B)));
      expect((await last.deliver()).failed).toEqual([moved]);
      expect((await fixture.verdictOf(moved))?.[0]).toEqual(cancelledOrder(cart));
      expect(fixture.ordersOf(cart)).toHaveLength(1);
    });

    test('tells so of an order whose outcome stayed open, when 11VMS holds it', async () => {
      const cart = withVendors(newCart(), A);
      const { worker } = await sent(cart);
      fixture.vms.setDisturbances(onFirstCreate({ kind: 'reset-after-commit' }));
      const isOfCart = (call: RecordedCall): boolean => isLookUp(call) && call.path.includes(externalIdOf(cart));
      fixture.proxies.vms.intercept(always(isOfCart, answer(503)));
      await worker.deliverTimes(4);
      await deleteAndClose(cart);

      const again = await fixture.worker();
      const [messageId = ''] = await again.send(envelope(later(cart, 2)));
      expect((await again.deliver()).failed).toEqual([messageId]);
      expect(await fixture.verdictOf(messageId)).toEqual([handCancelled(cart)]);
      expect(fixture.ordersOf(cart)).toHaveLength(1);
    });
  });

  test('is not ordered beside an order that a newer dead letter still holds, whatever older one is closed', async () => {
    const cart = withVendors(newCart(), A);
    const { worker } = await sent(cart);
    await worker.deliver();
    const letter = async (row: Row): Promise<string> => {
      const own = await fixture.worker();
      const [messageId = ''] = await own.send(envelope(row));
      expect((await own.deliver()).failed).toEqual([messageId]);
      return messageId;
    };
    const moved = withVendors(later(cart, 2), B);
    const older = await letter(withVendors(later(cart, 1), B));
    await letter(moved);
    await close(cart, older);

    // The newer one is redriven.
    const redriven = await letter(moved);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
    await close(cart, redriven);
    const replayed = await fixture.worker();
    await replayed.send(envelope(moved));
    expect(await replayed.deliver()).toMatchObject({ failed: [] });
    expect(fixture.ordersOf(cart)).toHaveLength(2);
  });

  test('with the same time of change is not ordered beside the order of the other', async () => {
    const cart = withVendors(newCart(), A);
    const { worker } = await sent(cart);
    await worker.deliver();
    const [messageId = ''] = await worker.send(envelope(withVendors(cart, B)));
    expect((await worker.deliver()).failed).toEqual([messageId]);
    expect(await fixture.verdictOf(messageId)).toMatchObject([
      { code: 'E_CART_CHANGED_AFTER_SEND' },
      cancelledOrder(cart),
    ]);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
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
  describe('that is no active one', () => {
    const change = (cart: Row, hours = 1): Row => later(cart, hours, { VersionType: 'C' });
    const failing: Interceptor = answer(400, { __type: 'ValidationException' });
    const isSkip = ({ body }: RecordedCall): boolean => body.includes('"SKIP');

    test.each<[string, (cart: Row) => Row]>([
      ['whole', (cart) => cart],
      ['broken', (cart) => ({ ...cart, CoCode: {}, TotalValue: true })],
      ['too large', (cart) => ({ ...cart, Items: { results: Array.from({ length: 10_001 }, () => 0) } })],
    ])('is skipped, and leaves the active one to be ordered, where its row is %s', async (_what, changed) => {
      const cart = newCart();
      const worker = await fixture.worker();
      await worker.send(envelope(changed(change(cart))));
      expect(await worker.deliver()).toMatchObject({ failed: [] });
      expect(await standing(cart)).toMatchObject({ word: 'skipped' });
      await worker.send(envelope(cart));

      expect(await worker.deliver()).toMatchObject({ failed: [] });
      expect(fixture.ordersOf(cart)).toHaveLength(1);
      expect(await standing(cart)).toMatchObject({ word: 'ordered' });
    });

    test('leaves the active one to be ordered where its own message is given up, and a person closes that', async () => {
      const cart = newCart();
      const worker = await fixture.worker();
      const [messageId = ''] = await worker.send(envelope(change(cart)));
      fixture.proxies.dynamodb.intercept(always(isSkip, failing));
      await worker.deliverTimes(4);
      fixture.calm();
      expect(await fixture.verdictOf(messageId)).toMatchObject([{ code: 'E_INT_UNEXPECTED' }]);
      expect(await standing(cart)).toMatchObject({ word: 'dead-lettered', messageIds: [messageId] });
      await close(cart, messageId, '2026-11-20T15:32:06Z');
      await worker.send(envelope(cart));

      await worker.deliver();
      expect(fixture.ordersOf(cart)).toHaveLength(1);
      expect(await standing(cart)).toMatchObject({ word: 'ordered' });
    });

    test('leaves the active one a dead letter', async () => {
      const cart = withVendors(newCart(), '');
      const { worker, messageId } = await sent(cart);
      await worker.deliver();
      await worker.send(envelope(change(cart)));
      await worker.deliver();
      expect(await standing(cart)).toMatchObject({ word: 'dead-lettered', messageIds: [messageId] });
    });

    test('does not hide that the active one was deleted', async () => {
      const cart = newCart();
      const worker = await fixture.worker();
      for (const version of [later(cart, 1, { DelInd: 'X' }), change(cart, 2), cart]) {
        await worker.send(envelope(version));
        expect(await worker.deliver()).toMatchObject({ failed: [] });
      }
      expect(fixture.callsFor(cart)).toEqual([]);
      expect(await standing(cart)).toMatchObject({ word: 'skipped', reason: 'the cart is deleted' });
    });
  });

  test('that is deleted stays so when an earlier one is skipped after it', async () => {
    const cart = newCart();
    const worker = await fixture.worker();
    for (const version of [
      later(cart, 2, { DelInd: 'X' }),
      later(cart, 0, { Items: { results: [] } }),
      later(cart, 1),
    ]) {
      await worker.send(envelope(version));
      expect(await worker.deliver()).toMatchObject({ failed: [] });
    }
    expect(fixture.callsFor(cart)).toEqual([]);
    expect(await standing(cart)).toMatchObject({ word: 'skipped', reason: 'the cart is deleted' });
  });

  /** 11VMS holds the order, which its message does not know yet, when a later version of the cart is deleted. */
  async function deletedMeanwhile(cart: Row) {
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
    return { worker, messageId };
  }
  const tooMany = {
    code: 'E_CART_CANCELLED_AFTER_SEND',
    message: expect.stringMatching(/created as .* nothing left for it$/),
  };

  test.each([
    ['it has unchanged', undefined],
    ['it has with other content', { Description: 'another one' }],
  ])(
    'is waited for by an older message that finds an order which %s, and could not claim yet',
    async (_how, changes) => {
      const cart = withVendors(newCart(), A, '0000100777');
      const { worker, messageId } = await sent(cart);
      // 11VMS stores the second order; neither its answer nor a look-up arrives.
      const second = externalIdOf(cart, '100777');
      const isOfSecond = ({ path, body }: RecordedCall): boolean => `${path} ${body}`.includes(second);
      fixture.proxies.vms.intercept(always(isOfSecond, commitThenAnswer(500)));
      const { records: older } = await worker.deliver();
      const changed = withItems(cart, (item, index) => ({ ...item, ...(index === 1 ? changes : {}) }));
      const [newerId] = await worker.send(envelope(later(changed, 1)));
      const { records: newer, failed } = await worker.deliver();
      expect(failed).toEqual([newerId]);
      fixture.calm();
      await fixture.expireLease(cart, '100777');

      await worker.endDelay(older);
      expect((await worker.deliver()).failed).toEqual([messageId]);
      expect(await fixture.verdictOf(messageId)).toBeUndefined();
      await worker.endDelay(newer);
      const ofNewer = await worker.deliver();
      expect(ofNewer.failed).toEqual(changes === undefined ? [] : [newerId]);
      await worker.endDelay(older);
      expect((await worker.deliver()).failed).not.toContain(messageId);
      expect(fixture.ordersOf(cart)).toHaveLength(2);
      expect(await fixture.verdictOf(messageId)).toBeUndefined();
    },
  );

  test('leaves an order of unknown outcome to the older message, which tells of it when 11VMS holds it', async () => {
    const cart = withVendors(newCart(), A);
    const { worker, messageId } = await deletedMeanwhile(cart);
    expect((await worker.deliver()).failed).toEqual([messageId]);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED' });
    expect(await fixture.verdictOf(messageId)).toEqual([tooMany]);
    // Only this dead letter tells of the order: the cart does not stand as skipped.
    expect(await standing(cart)).toMatchObject({ word: 'dead-lettered', faults: [tooMany], messageIds: [messageId] });

    // Redriven, the message tells of it again, until a person closes a dead letter which does.
    const [redriven = ''] = await worker.send(envelope(cart));
    expect((await worker.deliver()).failed).toContain(redriven);
    expect(await fixture.verdictOf(redriven)).toEqual([tooMany]);
    await close(cart, redriven);
    expect(await standing(cart)).toMatchObject({ word: 'skipped' });
    const [replayed] = await worker.send(envelope(cart));
    expect((await worker.deliver()).failed).not.toContain(replayed);
  });

  test('is told of by the next receive of the older message where the verdict could not be written', async () => {
    const cart = withVendors(newCart(), A);
    const { worker, messageId } = await deletedMeanwhile(cart);
    const isVerdict = ({ operation, body }: RecordedCall): boolean =>
      operation === 'PutItem' && body.includes('VERDICT#');
    fixture.proxies.dynamodb.intercept(onceFor(isVerdict, answer(400, { __type: 'ValidationException' })));
    expect((await worker.deliverAndReturn()).failed).toEqual([messageId]);
    expect(await fixture.verdictOf(messageId)).toBeUndefined();

    expect((await worker.deliver()).failed).toEqual([messageId]);
    expect(await fixture.verdictOf(messageId)).toEqual([tooMany]);
  });

  test('leaves an order of unknown outcome to a dead letter: the cart stands as dead-lettered until that is settled', async () => {
    const cart = withVendors(newCart(), A);
    const { worker, messageId } = await sent(cart);
    // 11VMS works, but for this order.
    fixture.proxies.vms.intercept(always((call) => isCallFor(cart, call), answer(500)));
    const { records } = await worker.deliver();
    await fixture.expireLease(cart);
    await worker.send(envelope(later(cart, 1, { DelInd: 'X' })));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(await standing(cart)).toMatchObject({ word: 'skipped' });

    await worker.endDelay(records);
    await worker.deliverTimes(3);
    await worker.receive();
    expect(await worker.deadLetters()).toEqual([messageId]);
    expect(await standing(cart)).toMatchObject({ word: 'dead-lettered', messageIds: [messageId] });
    await close(cart, messageId);
    expect(await standing(cart)).toMatchObject({ word: 'skipped' });
  });

  test.each<[string, readonly [] | readonly [Interceptor]]>([
    ['is told of by the dead letter of that message', []],
    [
      'is told of by its next receive where the verdict could not be written',
      [
        onceFor(
          ({ operation, body }) => operation === 'PutItem' && body.includes('VERDICT#'),
          answer(400, { __type: 'ValidationException' }),
        ),
      ],
    ],
  ])('leaves an order that 11VMS holds with other content to the older message: it %s', async (_what, failing) => {
    const cart = withVendors(newCart(), A);
    const { worker } = await sent(cart);
    fixture.vms.setDisturbances(onFirstCreate({ kind: 'reset-after-commit' }));
    fixture.proxies.vms.intercept(always(isLookUp, answer(503)));
    await worker.deliver();
    await fixture.expireLease(cart);
    const second = await fixture.worker();
    const [messageId = ''] = await second.send(envelope(later(cart, 1, { Description: 'Other mission' })));
    const { records } = await second.deliver();
    fixture.calm();
    await fixture.expireLease(cart);
    const third = await fixture.worker();
    await third.send(envelope(later(cart, 2, { DelInd: 'X' })));
    expect(await third.deliver()).toMatchObject({ failed: [] });

    await second.endDelay(records);
    for (const interceptor of failing) fixture.proxies.dynamodb.intercept(interceptor);
    const first = failing.length > 0 ? await second.deliverAndReturn() : undefined;
    expect(first?.failed ?? [messageId]).toEqual([messageId]);
    expect((await second.deliver()).failed).toEqual([messageId]);
    expect(new Set(await fixture.verdictOf(messageId))).toEqual(
      new Set([
        { code: 'E_CART_CHANGED_AFTER_SEND', message: expect.stringContaining('/title') },
        { code: 'E_CART_CANCELLED_AFTER_SEND', message: expect.stringContaining(externalIdOf(cart)) },
      ]),
    );
    expect(await standing(cart)).toMatchObject({ word: 'dead-lettered', messageIds: [messageId] });
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
    const [messageId = ''] = await worker.send(envelope(later(cart, 1, { Description: 'Other mission' })));
    expect((await worker.deliver()).failed).toEqual([messageId]);
    expect(await fixture.verdictOf(messageId)).toEqual([
      { code: 'E_CART_CHANGED_AFTER_SEND', message: expect.stringMatching(doubt) },
    ]);
  });

  test('is retried while 11VMS cannot be asked for the difference, and skipped where it holds the later content', async () => {
    const cart = newCart();
    const { worker } = await sent(cart);
    await worker.deliver();
    fixture.proxies.vms.intercept(always(isLookUp, answer(503)));
    await worker.send(envelope(later(cart, 1, { Description: 'Other mission' })));
    const { failed } = await worker.deliverAndReturn();
    expect(failed).toHaveLength(1);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED' });
    // A person has corrected the order by hand.
    fixture.proxies.vms.intercept(
      always(isLookUp, async (_call, forward) => {
        const reply = await forward();
        return { ...reply, body: reply.body.replaceAll(JSON.stringify(cart['Description']), '"Other mission"') };
      }),
    );
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(await fixture.orderRow(cart)).toMatchObject({ changedAtMs: Date.parse('2026-11-20T15:32:06Z') });
  });

  test.each<[string, boolean]>([
    ['closed', true],
    ['replayed', false],
  ])(
    'that returns to the first content is compared with what 11VMS holds, where a dead letter between them was %s',
    async (_what, isClosed) => {
      const cart = newCart();
      const worker = await fixture.worker();
      await worker.send(envelope(cart));
      await worker.deliver();
      const changed = later(cart, 1, { Description: 'Other mission' });
      const [messageId = ''] = await worker.send(envelope(changed));
      expect((await worker.deliver()).failed).toEqual([messageId]);
      // A person has corrected the order by hand.
      fixture.proxies.vms.intercept(
        always(isLookUp, async (_call, forward) => {
          const reply = await forward();
          return { ...reply, body: reply.body.replaceAll(JSON.stringify(cart['Description']), '"Other mission"') };
        }),
      );
      const next = await fixture.worker();
      if (isClosed) await close(cart, messageId);
      else await next.send(envelope(changed));
      expect(await next.deliver()).toMatchObject({ failed: [] });

      const [back = ''] = await next.send(envelope(later(cart, 2)));
      expect((await next.deliver()).failed).toEqual([back]);
      expect(await fixture.verdictOf(back)).toEqual([
        { code: 'E_CART_CHANGED_AFTER_SEND', message: expect.stringContaining('/title') },
      ]);
    },
  );

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

describe('after a change of the settings', () => {
  const others = { lineFilter: { suppliers: ['100999'] } };

  test.each<[string, (cart: Row) => Row[]]>([
    ['tells of its order whose outcome is open', () => []],
    ['tells of it as well where a later version is known', (cart) => [withVendors(later(cart, 1), '', '')]],
  ])('a cart that is skipped by then %s', async (_what, versions) => {
    const cart = newCart();
    const { worker } = await sent(cart);
    fixture.vms.setDisturbances(onFirstCreate({ kind: 'reset-after-commit' }));
    fixture.proxies.vms.intercept(always(isLookUp, answer(503)));
    const { records } = await worker.deliver();
    fixture.calm();
    await fixture.expireLease(cart);
    const other = await fixture.worker();
    for (const version of versions(cart)) {
      await other.send(envelope(version));
      expect((await other.deliver()).failed).toHaveLength(1);
    }
    await worker.endDelay(records);
    const changed = fixture.anotherHandler(worker, fixture.withTranslation(others));
    const { failed } = await worker.deliver({ handler: changed });
    expect(failed).toHaveLength(1);
    expect(await fixture.verdictOf(failed[0] ?? '')).toMatchObject([
      { code: 'E_CART_CANCELLED_AFTER_SEND', message: expect.stringContaining(externalIdOf(cart)) },
    ]);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'UNKNOWN' });
  });

  test('a cart that was ordered is skipped when it is read again, and a later version of it tells of its order', async () => {
    const cart = newCart();
    const { worker } = await sent(cart);
    await worker.deliver();
    const changed = fixture.anotherHandler(worker, fixture.withTranslation(others));
    await worker.send(envelope(cart));
    expect(await worker.deliver({ handler: changed })).toMatchObject({ failed: [] });
    const [messageId = ''] = await worker.send(envelope(later(cart, 1)));
    expect((await worker.deliver({ handler: changed })).failed).toEqual([messageId]);
    expect(await fixture.verdictOf(messageId)).toMatchObject([{ code: 'E_CART_CANCELLED_AFTER_SEND' }]);
  });

  test.each([
    ['leave out the faulty line', ['100234']],
    ['leave out all its lines', ['100999']],
  ])('a cart that was ordered in part has nothing missing when it is read again: they %s', async (_what, suppliers) => {
    const cart = withItems(withVendors(newCart(), '0000100234', '0000100777'), (item, index) =>
      index === 1 ? { ...item, Unit: 'ZQ9X' } : item,
    );
    const { worker } = await sent(cart);
    expect((await worker.deliver()).failed).toHaveLength(1);
    expect(await standing(cart)).toMatchObject({ word: 'partly-ordered', missing: 1 });
    const changed = fixture.anotherHandler(worker, fixture.withTranslation({ lineFilter: { suppliers } }));
    await worker.deliverTimes(3);
    await worker.receive();
    await worker.send(envelope(cart));
    expect(await worker.deliver({ handler: changed })).toMatchObject({ failed: [] });
    expect(await standing(cart)).toMatchObject({ word: 'cured' });
    expect(fixture.callsFor(cart)).toEqual(['create']);
  });

  test('a cart that was ordered is skipped as well when it has lost one of its orders', async () => {
    const cart = withVendors(newCart(), '0000100234', '0000100777');
    const { worker } = await sent(cart);
    await worker.deliver();
    const changed = fixture.anotherHandler(worker, fixture.withTranslation({ lineFilter: { suppliers: ['100777'] } }));
    await worker.send(envelope(cart));
    expect(await worker.deliver({ handler: changed })).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual(['create', 'create']);
  });

  test('a cart that has lost one of its orders tells of it where its outcome is open', async () => {
    const cart = withVendors(newCart(), '0000100234', '0000100777');
    const { worker } = await sent(cart);
    fixture.vms.setDisturbances(({ operation, key }) =>
      operation === 'create' && key === externalIdOf(cart) ? { kind: 'reset-after-commit' } : { kind: 'none' },
    );
    fixture.proxies.vms.intercept(always(isLookUp, answer(503)));
    const { records } = await worker.deliver();
    fixture.calm();
    await worker.endDelay(records);
    const changed = fixture.anotherHandler(worker, fixture.withTranslation({ lineFilter: { suppliers: ['100777'] } }));
    const { failed } = await worker.deliver({ handler: changed });
    expect(await fixture.verdictOf(failed[0] ?? '')).toMatchObject([
      { code: 'E_CART_CANCELLED_AFTER_SEND', message: expect.stringContaining(externalIdOf(cart)) },
    ]);
  });
});
