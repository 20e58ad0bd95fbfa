/** Edge cases 79, 83 and 84: messages that hold no cart, carts that break the contract, and carts to be read again. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { lambdaContext } from '../fixture.ts';
import {
  asRequeuedCopy,
  CARELESS,
  type CartMessage,
  claimCheck,
  envelope,
  itemsOf,
  newCart,
  setUpWorkerFixture,
  type Row,
  textOf,
} from './worker-fixture.ts';

const fixture = await setUpWorkerFixture({ vms: CARELESS });
beforeEach(() => fixture.systems.srm.setDisturbances('none'));

const MARK = 'j.dupont@example.test';
const withSource = (source: unknown): string => JSON.stringify({ ...envelope(newCart()), source });
const nested = (depth: number): string => `${'['.repeat(depth)}"${MARK}"${']'.repeat(depth)}`;
const withoutGuid = (): string => {
  const { Guid: _guid, ...row } = newCart({ RequesterEmail: MARK });
  return withSource(row);
};
/** A key that only JSON text can hold. */
const withProto = (text: string): string => `{"__proto__":{"polluted":"${MARK}"},${text.slice(1)}`;

describe('a message', () => {
  test.each<[string, () => string, string, RegExp]>([
    ['is not JSON', () => `<cart>${MARK}</cart>`, 'E_INT_MESSAGE', /not JSON/],
    ['is half of its JSON', () => withSource(newCart()).slice(0, 700), 'E_INT_MESSAGE', /not JSON/],
    ['is JSON null', () => 'null', 'E_INT_MESSAGE', /at \$/],
    ['is an empty list', () => '[]', 'E_INT_MESSAGE', /at \$/],
    [
      'has an unknown schema version',
      () => JSON.stringify({ ...envelope(newCart()), schemaVersion: 2 }),
      'E_INT_MESSAGE',
      /at \$/,
    ],
    [
      'is of another client',
      () => JSON.stringify(envelope(newCart(), { client: '200' })),
      'E_INT_MESSAGE',
      /of sap-client 200, and the environment reads sap-client 100$/,
    ],
    ['has no source', () => JSON.stringify({ ...envelope(newCart()), source: undefined }), 'E_INT_MESSAGE', /at \$/],
    ['has __proto__ in its envelope', () => withProto(withSource(newCart())), 'E_INT_MESSAGE', /at \$/],
    ['is nested beyond all measure', () => nested(200_000), 'E_INT_MESSAGE', /./],
    ['has a source nested beyond all measure', () => withSource(0).replace(/0}$/, `${nested(50_000)}}`), 'E_', /./],
    ['has a source null', () => withSource(null), 'E_SRC_SCHEMA', /^\$$/],
    ['has a source that is text', () => withSource(MARK), 'E_SRC_SCHEMA', /^\$$/],
    [
      'has a source that is the text of a row that is no JSON',
      () => withSource(`{"RequesterEmail":"${MARK}" x}`),
      'E_SRC_SCHEMA',
      /^\$$/,
    ],
    ['has a source that is a number', () => withSource(17), 'E_SRC_SCHEMA', /^\$$/],
    ['has a source that is a list', () => withSource([newCart()]), 'E_SRC_SCHEMA', /^\$$/],
    ['has Items that are text', () => withSource(newCart({ Items: MARK })), 'E_SRC_SCHEMA', /^\$\.Items/],
    ['has Items that are null', () => withSource(newCart({ Items: null })), 'E_SRC_SCHEMA', /^\$\.Items/],
    [
      'has results that are no list',
      () => withSource(newCart({ Items: { results: {} } })),
      'E_SRC_SCHEMA',
      /^\$\.Items/,
    ],
    ['has an item that is null', () => withSource(newCart({ Items: { results: [null] } })), 'E_SRC_SCHEMA', /\[0\]/],
    [
      'has an object as currency',
      () => withSource(newCart({ Currency: { a: MARK } })),
      'E_SRC_SCHEMA',
      /^\$\.Currency/,
    ],
    ['has no Guid', withoutGuid, 'E_SRC_SCHEMA', /^\$\.Guid/],
    ['has a Guid that is a number', () => withSource(newCart({ Guid: 5 })), 'E_SRC_SCHEMA', /^\$\.Guid/],
  ])(
    'that %s is dead-lettered at once with its reason, and nothing of it is quoted',
    async (_what, body, code, where) => {
      const worker = await fixture.worker();
      const [messageId = ''] = await worker.send(body());
      expect((await worker.deliver()).failed).toEqual([messageId]);
      expect(worker.takeVisibilities()).toEqual([[0]]);
      const [fault] = (await fixture.verdictOf(messageId)) ?? [];
      expect(fault?.code).toContain(code);
      expect(fault?.path ?? fault?.message).toMatch(where);
      // On to the dead-letter queue, without a call to 11VMS.
      const calls = fixture.proxies.vms.calls.length;
      expect(await worker.deliverTimes(3)).toEqual([[messageId], [messageId], [messageId]]);
      expect(await worker.receive()).toEqual([]);
      expect(await worker.deadLetters()).toEqual([messageId]);
      expect(fixture.proxies.vms.calls).toHaveLength(calls);
      const kept = [...fixture.takeOutput(), JSON.stringify(await fixture.verdictOf(messageId))].join('\n');
      expect(kept).not.toMatch(/dupont|polluted/i);
      expect(kept).toContain(messageId);
    },
  );
});

// Edge case 79.
test('one poison message among ten does not hold back the other nine', async () => {
  const worker = await fixture.worker();
  const carts = Array.from({ length: 9 }, () => newCart());
  const [first, ...rest] = carts.map((cart) => envelope(cart));
  const ids = await worker.send(...[first, `{"${MARK}`, ...rest].filter((message) => message !== undefined));
  expect((await worker.deliver()).failed).toEqual([ids[1]]);
  expect(carts.map((cart) => fixture.ordersOf(cart).length)).toEqual(carts.map(() => 1));
});

describe('a cart that would cost the worker its memory or its time', () => {
  const times = (count: number, make: (index: number) => Row): Row[] =>
    Array.from({ length: count }, (_, index) => make(index));
  const items = (results: readonly Row[]): Row => newCart({ Items: { results } });
  const [line = {}] = itemsOf(newCart());

  test.each<[string, () => Row, string]>([
    [
      'of 30,000 lines below a chain of 2,000 outline rows',
      () =>
        items([
          ...times(2000, (index) => ({ Guid: `o${index}`, ParentGuid: `o${index - 1}`, OutlineInd: 'X' })),
          ...times(30_000, () => ({ ParentGuid: 'o1999' })),
        ]),
      'E_TGT_TOO_LARGE',
    ],
    ['of 1,000 lines of one order', () => items(times(1000, () => ({ VendorId: '1' }))), 'E_TGT_TOO_LARGE'],
    [
      'of 300 orders',
      () => items(times(300, (index) => ({ ...line, VendorId: String(index + 1) }))),
      'E_TGT_TOO_LARGE',
    ],
    [
      'whose company code would be repeated in each account',
      () => ({
        ...items([{ ...line, Accounting: { results: times(5000, () => ({ AccCat: 'CC' })) } }]),
        CoCode: 'C'.repeat(300_000),
      }),
      'E_SRC_SCHEMA',
    ],
    [
      'of a letter with 400,000 marks',
      () => newCart({ Description: `a${'\u0301'.repeat(200_000)}${'\u0323'.repeat(200_000)}`, CoCode: 'ZZ99' }),
      'E_MAP_COMPANY',
    ],
    [
      'whose lines have thousands of faults',
      () => items(times(9000, (index) => ({ VendorId: String(index % 10) }))),
      'E_FIELD_FORMAT',
    ],
  ])('%s is a dead letter with its reason, and the nine beside it are ordered', async (_what, make, code) => {
    // On a busy machine, an order that is answered late would be a failure, too.
    const worker = await fixture.worker({ VMS_TIMEOUT_MS: '10000' });
    const good = times(9, () => newCart());
    const hostile = make();
    const [poison = ''] = await worker.send(envelope(hostile));
    await worker.send(...good.map((cart) => envelope(cart)));
    expect((await worker.deliver()).failed).toEqual([poison]);
    expect(good.map((cart) => fixture.ordersOf(cart).length)).toEqual(good.map(() => 1));
    const verdict = (await fixture.verdictOf(poison)) ?? [];
    expect(verdict.map((fault) => fault.code)).toContain(code);
    expect(JSON.stringify(verdict).length).toBeLessThan(50_000);
    for (const output of fixture.takeOutput()) expect(output.length).toBeLessThan(20_000);
  });
});

test('unknown properties, __proto__ among them, stop no order and pollute nothing', async () => {
  const worker = await fixture.worker();
  const cart = newCart();
  const source = JSON.parse(withProto(JSON.stringify({ ...cart, ZZ_NEW: { deep: [MARK] } })));
  const message: CartMessage = { ...envelope(cart), source };
  await worker.send(message);
  expect(await worker.deliver()).toMatchObject({ failed: [] });
  expect(fixture.ordersOf(cart)).toHaveLength(1);
  expect(Reflect.get({}, 'polluted')).toBeUndefined();
});

test.each<[string, unknown]>([
  ['no event', undefined],
  ['no Records', {}],
  [
    'a record without a receive count',
    { Records: [{ messageId: 'm', receiptHandle: 'r', body: '{}', attributes: {} }] },
  ],
  [
    'a record without a body',
    { Records: [{ messageId: 'm', receiptHandle: 'r', attributes: { ApproximateReceiveCount: '1' } }] },
  ],
])('%s: the invocation fails as a whole, so that nothing is deleted', async (_what, event) => {
  const worker = await fixture.worker();
  await expect(worker.handler(event, lambdaContext())).rejects.toThrow(/Records|invalid/i);
});

// Edge case 84.
describe('a cart that is read again from SRM', () => {
  /** What a list shows of a cart that it does not expand. */
  const deferred = (cart: Row): Row => ({ ...cart, Items: { __deferred: { uri: 'https://srm.example.test/Items' } } });
  const deferredBelow = (cart: Row): Row => ({
    ...cart,
    Items: { results: itemsOf(cart).map((item) => ({ ...item, Accounting: { __deferred: { uri: 'https://x' } } })) },
  });

  test.each<[string, (cart: Row) => CartMessage]>([
    ['was too large for the queue', claimCheck],
    ['came without its items', (cart) => envelope(deferred(cart))],
    ['came without the accounting of its items', (cart) => envelope(deferredBelow(cart))],
  ])('because it %s is read once, and ordered', async (_what, message) => {
    const cart = newCart();
    fixture.systems.srm.addCarts([cart]);
    const reads = fixture.systems.srm.traffic().requests.cart;
    const worker = await fixture.worker();
    await worker.send(message(cart));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.ordersOf(cart).map(({ order }) => order.lines.length)).toEqual([3]);
    expect(fixture.systems.srm.traffic().requests.cart).toBe(reads + 1);
    expect(fixture.systems.srm.requests.at(-1)).toMatchObject({
      operation: 'cart',
      correlationId: `c-${textOf(cart['ObjectId'])}`,
    });
  });

  test('is ordered in its present version, not in the one that was queued', async () => {
    const cart = newCart();
    fixture.systems.srm.addCarts([{ ...cart, Status: 'I1016' }]);
    const worker = await fixture.worker();
    await worker.send(claimCheck(cart));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.ordersOf(cart)).toEqual([]);
    expect(await fixture.ledgerOf(cart)).toMatchObject([{ sk: 'SKIP' }]);
  });

  test('is retried while SRM is down, and ordered afterwards', async () => {
    const cart = newCart();
    fixture.systems.srm.addCarts([cart]);
    fixture.systems.srm.setDisturbances(() => ({ kind: 'status', status: 503 }));
    const worker = await fixture.worker();
    await worker.send(claimCheck(cart));
    // Too little time is left for the retries of the reader, which have tests of their own.
    expect((await worker.deliverAndReturn({ remainingMs: 17_990 })).failed).toHaveLength(1);
    expect(worker.takeVisibilities()[0]?.[0]).toBeLessThanOrEqual(36);
    expect(fixture.takeOutput().join('\n')).toContain('answered 503');
    fixture.systems.srm.setDisturbances('none');
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  });

  test('is retried without a verdict where SRM refuses our credentials', async () => {
    const cart = newCart();
    fixture.systems.srm.setDisturbances(({ operation }) =>
      operation === 'cart' ? { kind: 'status', status: 403 } : { kind: 'none' },
    );
    const worker = await fixture.worker();
    const [messageId = ''] = await worker.send(claimCheck(cart));
    expect((await worker.deliver()).failed).toEqual([messageId]);
    expect(worker.takeVisibilities()[0]?.[0]).toBeLessThanOrEqual(36);
    expect(await fixture.verdictOf(messageId)).toBeUndefined();
  });

  test.each([
    ['alone for a day is a dead letter with that as the reason', true, 24, [{ code: 'E_SRC_AUTH' }], 1],
    ['for less is kept, since SRM may forbid what only a real cart needs', true, 23, [{ code: 'E_INT_CRASHED' }], 0],
    ['like any other is kept', false, 99, [{ code: 'E_INT_CRASHED' }], 0],
  ])('that SRM forbids %s', async (_what, isAlone, hours, verdict, dead) => {
    const cart = newCart();
    fixture.systems.srm.setDisturbances(({ operation, key }) =>
      operation === 'cart' && (!isAlone || key === String(cart['Guid']).replaceAll('-', ''))
        ? { kind: 'status', status: 403 }
        : { kind: 'none' },
    );
    const worker = await fixture.worker();
    const [messageId = ''] = await worker.send(claimCheck(cart));
    await worker.deliverTimes(3);
    const copies = (await worker.receive()).map((record) => asRequeuedCopy(record, 3, hours * 3600 * 1000));
    expect((await worker.invoke(copies)).failed).toHaveLength(dead);
    expect(await fixture.verdictOf(messageId)).toMatchObject(verdict);
    expect(await fixture.breaker()).toBeUndefined();
  });

  test('is dead-lettered where SRM does not find it, with that as the reason', async () => {
    const cart = newCart();
    const worker = await fixture.worker();
    const [messageId = ''] = await worker.send(claimCheck(cart));
    expect((await worker.deliver()).failed).toEqual([messageId]);
    expect(await fixture.verdictOf(messageId)).toMatchObject([
      { code: 'E_SRC_SCHEMA', message: 'SRM does not find the cart by its Guid', path: '$.Guid' },
    ]);
  });

  test.each([
    ['too large for the queue', (): CartMessage => ({ ...claimCheck(newCart()), claim: { guid: null } })],
    [
      'without all its parts',
      (): CartMessage => ({ ...envelope(deferred(newCart())), cart: { number: '1', guid: null } }),
    ],
  ])('is dead-lettered where it is %s and has no Guid to read it by', async (what, message) => {
    const worker = await fixture.worker();
    const [messageId = ''] = await worker.send(message());
    expect((await worker.deliver()).failed).toEqual([messageId]);
    expect((await fixture.verdictOf(messageId))?.[0]?.message).toContain(what);
  });
});
