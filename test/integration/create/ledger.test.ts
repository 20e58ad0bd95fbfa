/**
 * Ledger and verdicts by themselves, over DynamoDB's real protocol: which claim holds, and which attempt has lost its
 * claim.
 */
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  createVerdictRecord,
  type VerdictKey,
  type VerdictRecord,
} from '../../../functions/create-purchase-orders/verdict/verdict-record.ts';
import type { Fault } from '../../../shared/failure.ts';
import { createLedger, type Ledger, type OrderClaim } from '../../../shared/ledger.ts';
import type { CartKey, CartVersion } from '../../../shared/ledger-keys.ts';
import { createLedgerTable, type LedgerTable } from '../../../shared/ledger-table.ts';
import { readTraces, type Trace } from '../../../shared/traces.ts';
import { newCart, openWorkerFixture, textOf, type Row, type WorkerFixture, externalIdOf } from './worker-fixture.ts';

let fixture: WorkerFixture;
let table: LedgerTable;
let ledger: Ledger;
let verdicts: VerdictRecord;
beforeAll(async () => {
  fixture = await openWorkerFixture();
  table = createLedgerTable(fixture.systems.clients.dynamodb, fixture.systems.tableName);
  ledger = createLedger(table);
  verdicts = createVerdictRecord(table);
});
afterAll(() => fixture.close());

const fault: Fault = { code: 'E_TGT_UNAVAILABLE', message: 'down' };
const order = { id: 'po_1', number: 'PO-1' };
const keyOf = (cart: CartVersion, messageId: string): VerdictKey => ({ cart, messageId });
const recordFinal = (cart: CartVersion, messageId: string, faults: readonly Fault[], nowMs: number): Promise<void> =>
  verdicts.record(keyOf(cart, messageId), { state: 'FINAL', faults, nowMs });
const tracesOfCart = (cart: CartKey): Promise<readonly Trace[]> => readTraces(table, cart);
let attempts = 0;

/** An attempt at a cart's order, at second 1000, with a lease of 65 s. */
function claimOf(cart: Row, changes: Partial<OrderClaim> = {}): OrderClaim {
  attempts += 1;
  return {
    cart: { client: '100', number: textOf(cart['ObjectId']) },
    externalId: externalIdOf(cart),
    contentHash: 'hash',
    changedAtMs: 500,
    ordersOfCart: 2,
    messageId: 'message 1',
    receive: 1,
    attemptId: `attempt ${attempts}`,
    nowMs: 1_000_000,
    leaseMs: 65_000,
    ...changes,
  };
}

/** Every way in which an attempt can end its claim. */
const endings: [string, (claim: OrderClaim) => Promise<void>][] = [
  ['created', (claim) => ledger.created(claim, { id: 'po_2', number: 'PO-2' }, 1_000_500)],
  ['rejected', (claim) => ledger.rejected(claim, [fault], false)],
  ['unknown', (claim) => ledger.unknown(claim, fault, claim.nowMs + 24_000)],
  ['released', (claim) => ledger.released(claim, fault)],
];

test('of ten attempts at once, one claims the order', async () => {
  const cart = newCart();
  const results = await Promise.all(Array.from({ length: 10 }, () => ledger.claim(claimOf(cart))));
  expect(results.map(({ kind }) => kind).toSorted()).toEqual(['claimed', ...Array.from({ length: 9 }, () => 'held')]);
});

test('a lease holds to its last millisecond, and not beyond', async () => {
  const cart = newCart();
  await ledger.claim(claimOf(cart));
  expect(await ledger.claim(claimOf(cart, { nowMs: 1_065_000 }))).toEqual({ kind: 'held', untilMs: 1_065_000 });
  expect(await ledger.claim(claimOf(cart, { nowMs: 1_065_001 }))).toMatchObject({ kind: 'claimed', lookUpFirst: true });
});

test('an unknown outcome blocks every claim until its quiet time is over, and is then looked up', async () => {
  const cart = newCart();
  const claim = claimOf(cart);
  await ledger.claim(claim);
  await ledger.unknown(claim, fault, 1_024_000);
  for (const messageId of ['message 1', 'message 2']) {
    const held = await ledger.claim(claimOf(cart, { messageId, nowMs: 1_024_000 }));
    expect(held).toEqual({ kind: 'held', untilMs: 1_024_000 });
  }
  expect(await ledger.claim(claimOf(cart, { nowMs: 1_024_001 }))).toMatchObject({ kind: 'claimed', lookUpFirst: true });
});

describe('an attempt whose lease ran out and whose order another attempt claimed', () => {
  test.each(endings)('changes nothing by ending as %s, and does not fail either', async (_what, end) => {
    const cart = newCart();
    const zombie = claimOf(cart);
    await ledger.claim(zombie);
    await ledger.claim(claimOf(cart, { nowMs: 2_000_000 }));
    const row = await fixture.orderRow(cart);
    await end(zombie);
    expect(await fixture.orderRow(cart)).toEqual(row);
  });
});

describe('a created order', () => {
  test.each(endings.slice(1))(
    'is not undone by its own attempt ending as %s after a lost answer',
    async (_what, end) => {
      const cart = newCart();
      const claim = claimOf(cart);
      await ledger.claim(claim);
      await ledger.created(claim, order, 1_000_500);
      await end(claim);
      expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED', orderNumber: 'PO-1' });
    },
  );

  test.each([
    ['the same message', {}],
    ['a redrive', { messageId: 'message 2' }],
    ['a later version', { messageId: 'message 2', changedAtMs: 900 }],
    ['an earlier version', { messageId: 'message 2', changedAtMs: 100 }],
    ['an attempt long after', { nowMs: 9_000_000_000 }],
  ])('is never claimed again, by %s', async (_what, changes) => {
    const cart = newCart();
    const claim = claimOf(cart);
    await ledger.claim(claim);
    await ledger.created(claim, order, 1_000_500);
    expect(await ledger.claim(claimOf(cart, changes))).toMatchObject({
      kind: 'created',
      order: { orderId: 'po_1', orderNumber: 'PO-1' },
    });
  });
});

test.each<[string, (claim: OrderClaim) => Promise<void>, boolean]>([
  ['released', (claim) => ledger.released(claim, fault), false],
  ['unknown, its quiet time over', (claim) => ledger.unknown(claim, fault, claim.nowMs - 1), true],
  ['rejected, certainly not there', (claim) => ledger.rejected(claim, [fault], false), false],
  ['rejected, though it may be there', (claim) => ledger.rejected(claim, [fault], true), true],
])(
  'after an attempt that was %s, a new message claims the order, and looks up first only where needed',
  async (_what, end, lookUpFirst) => {
    const cart = newCart();
    const claim = claimOf(cart);
    await ledger.claim(claim);
    await end(claim);
    expect(await ledger.claim(claimOf(cart, { messageId: 'message 2' }))).toMatchObject({
      kind: 'claimed',
      lookUpFirst,
    });
  },
);

test('a rejected order stays rejected for its message, with its faults', async () => {
  const cart = newCart();
  const claim = claimOf(cart);
  await ledger.claim(claim);
  await ledger.rejected(claim, [fault], false);
  expect(await ledger.claim(claimOf(cart))).toEqual({ kind: 'rejected', faults: [fault] });
});

test('newer content claims what older content left behind; older content is superseded', async () => {
  const cart = newCart();
  const first = claimOf(cart, { contentHash: 'of 500' });
  await ledger.claim(first);
  await ledger.unknown(first, fault, first.nowMs - 1);
  const second = claimOf(cart, { contentHash: 'of 900', changedAtMs: 900, messageId: 'message 2' });
  expect(await ledger.claim(second)).toMatchObject({
    kind: 'claimed',
    lookUpFirst: true,
    claimedHashes: new Set(['of 500', 'of 900']),
  });
  await ledger.released(second, fault);
  expect(await ledger.claim(claimOf(cart))).toEqual({ kind: 'superseded', byChangedAtMs: 900 });
});

describe('a claim that is repeated, since its answer was lost,', () => {
  test('has the answer of the first, whether or not the order was tried before, and is counted once', async () => {
    const cart = newCart();
    const first = claimOf(cart);
    const answer = await ledger.claim(first);
    expect(answer).toEqual({ kind: 'claimed', lookUpFirst: false, claimedHashes: new Set(['hash']) });
    expect(await ledger.claim(first)).toEqual(answer);
    await ledger.unknown(first, fault, first.nowMs - 1);

    const second = claimOf(cart, { contentHash: 'other hash', changedAtMs: 900 });
    const other = await ledger.claim(second);
    expect(other).toEqual({ kind: 'claimed', lookUpFirst: true, claimedHashes: new Set(['hash', 'other hash']) });
    expect(await ledger.claim(second)).toEqual(other);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'POSTING', attempts: 2 });
  });

  test('is a new claim once its lease has ended', async () => {
    const cart = newCart();
    const claim = claimOf(cart);
    await ledger.claim(claim);
    expect(await ledger.claim({ ...claim, nowMs: 1_065_001 })).toMatchObject({ kind: 'claimed', lookUpFirst: true });
    expect(await fixture.orderRow(cart)).toMatchObject({ attempts: 2 });
  });
});

test('a hundred attempts at one content leave one hash in the item', async () => {
  const cart = newCart();
  for (let attempt = 1; attempt <= 100; attempt += 1) {
    const claim = claimOf(cart);
    await ledger.claim(claim);
    await ledger.unknown(claim, fault, claim.nowMs - 1);
  }
  expect(await fixture.orderRow(cart)).toMatchObject({ attempts: 100, claimedHashes: new Set(['hash']) });
});

test('a verdict belongs to one message of one cart, and is stored word for word', async () => {
  const cart = { client: '100', number: textOf(newCart()['ObjectId']), changedAtMs: 7 };
  const faults: Fault[] = [fault, { code: 'E_MAP_UOM', message: 'unit', path: '$.Items', field: 'lines', value: 'X' }];
  await recordFinal(cart, 'message 1', faults, 1_000_000);
  expect(await verdicts.read(keyOf(cart, 'message 1'))).toEqual({ state: 'FINAL', faults });
  expect(await verdicts.read(keyOf(cart, 'message 2'))).toBeUndefined();
  expect(await verdicts.read(keyOf({ ...cart, client: '200' }, 'message 1'))).toBeUndefined();
  const item = (await fixture.wholeTable()).find(({ sk }) => sk === 'VERDICT#message 1');
  // 90 days, by the table's time to live.
  expect(item).toMatchObject({ expiresAt: 1000 + 90 * 24 * 3600 });
});

test('an order that was created stands for a newer version once it is confirmed for it, and never for an older one again', async () => {
  const cart = newCart();
  const first = claimOf(cart);
  await ledger.claim(first);
  await ledger.created(first, order, 1_000_500);
  await ledger.confirmed(claimOf(cart, { changedAtMs: 700 }));
  await ledger.confirmed(claimOf(cart, { changedAtMs: 600 }));
  expect(await readTraces(table, first.cart)).toMatchObject([{ changedAtMs: 700, orderNumber: 'PO-1' }]);
});

test('only a created order can be confirmed', async () => {
  const cart = newCart();
  const claim = claimOf(cart);
  await ledger.claim(claim);
  await ledger.confirmed(claimOf(cart, { changedAtMs: 700 }));
  expect(await tracesOfCart(claim.cart)).toMatchObject([{ kind: 'order', state: 'POSTING', changedAtMs: 500 }]);
});

describe('what the ledger holds of a cart', () => {
  test('is read whole, each item with its version: orders, verdicts and a skip', async () => {
    const cart = newCart();
    const claim = claimOf(cart);
    const version = { ...claim.cart, changedAtMs: 500 };
    await ledger.claim(claim);
    await ledger.released(claim, fault);
    await recordFinal(version, 'message 1', [fault], 1_000_001);
    await recordFinal({ ...version, changedAtMs: undefined }, 'message 2', [fault], 1_000_002);
    await ledger.recordSkip(version, {
      reason: 'deleted',
      messageId: 'message 3',
      nowMs: 1_000_003,
    });

    expect(await tracesOfCart(claim.cart)).toMatchObject([
      {
        kind: 'order',
        state: 'NEW',
        changedAtMs: 500,
        messageId: 'message 1',
        ordersOfCart: 2,
        claimedAtMs: 1_000_000,
      },
      { kind: 'skip', changedAtMs: 500, reason: 'deleted', recordedAtMs: 1_000_003 },
      { kind: 'verdict', changedAtMs: 500, messageId: 'message 1', recordedAtMs: 1_000_001 },
      // The version is unknown, but it is not a later one.
      { kind: 'verdict', changedAtMs: 1_000_002, messageId: 'message 2', recordedAtMs: 1_000_002 },
    ]);
    expect(await tracesOfCart({ client: '100', number: textOf(newCart()['ObjectId']) })).toEqual([]);
  });

  test('is read without a withdrawn verdict, whose faults a person still finds', async () => {
    const cart = newCart();
    const version = { ...claimOf(cart).cart, changedAtMs: 500 };
    await verdicts.withdraw(keyOf(version, 'message 1'));
    expect(await fixture.ledgerOf(cart)).toEqual([]);
    await recordFinal(version, 'message 1', [fault], 1_000_001);
    await verdicts.withdraw(keyOf(version, 'message 1'));

    expect(await verdicts.read(keyOf(version, 'message 1'))).toEqual({ state: 'WITHDRAWN', faults: [fault] });
    expect(await tracesOfCart(version)).toEqual([]);
    expect(await fixture.ledgerOf(cart)).toMatchObject([{ sk: 'VERDICT#message 1', faults: [fault] }]);
    await recordFinal(version, 'message 1', [fault], 1_000_002);
    expect(await verdicts.read(keyOf(version, 'message 1'))).toEqual({ state: 'FINAL', faults: [fault] });
  });

  test('is read whole even when DynamoDB needs several pages for it', async () => {
    const cart = { client: '100', number: textOf(newCart()['ObjectId']), changedAtMs: 500 };
    const many = Array.from({ length: 100 }, () => ({ ...fault, message: 'm'.repeat(500), path: 'p'.repeat(200) }));
    const ids = Array.from({ length: 20 }, (_, index) => `message ${String(index).padStart(2, '0')}`);
    for (const id of ids) await recordFinal(cart, id, many, 1_000_000);

    const traces = await tracesOfCart(cart);

    expect(traces.map((trace) => (trace.kind === 'verdict' ? trace.messageId : trace.kind))).toEqual(ids);
  });

  test('is found by GUID for a cart without a number, and is never mixed with that of another such cart', async () => {
    const [one, other] = ['guid-1', 'guid-2'].map((guid) => ({ client: '100', number: undefined, guid }));
    await recordFinal({ client: '100', number: undefined, guid: 'guid-1', changedAtMs: 1 }, 'm', [fault], 2);

    expect(await tracesOfCart(one ?? { client: '100', number: '' })).toHaveLength(1);
    expect(await tracesOfCart(other ?? { client: '100', number: '' })).toEqual([]);
    // With a number, the GUID is no part of the key.
    await recordFinal({ client: '100', number: '1', guid: 'guid-1', changedAtMs: 1 }, 'm', [fault], 2);
    expect(await tracesOfCart({ client: '100', number: '1' })).toHaveLength(1);
  });
});

describe('a claim that is refused', () => {
  /** A ledger behind a proxy that gives the old item with a refusal, as DynamoDB does and the emulator does not. */
  async function withOldItem(test: (behind: Ledger, reads: () => number) => Promise<void>): Promise<void> {
    const { proxies, systems } = fixture;
    const client = new DynamoDBClient({ endpoint: proxies.dynamodb.url });
    let reads = 0;
    proxies.dynamodb.intercept(async (call, forward) => {
      if (call.operation === 'GetItem') reads++;
      const reply = await forward();
      if (call.operation !== 'UpdateItem' || reply.status !== 400) return reply;
      const { Key, ReturnValuesOnConditionCheckFailure } = JSON.parse(call.body);
      expect(ReturnValuesOnConditionCheckFailure).toBe('ALL_OLD');
      const { Item } = await systems.clients.dynamodb.send(new GetItemCommand({ TableName: systems.tableName, Key }));
      return { ...reply, body: JSON.stringify({ ...JSON.parse(reply.body), Item }) };
    });
    try {
      await test(createLedger(createLedgerTable(client, systems.tableName)), () => reads);
    } finally {
      client.destroy();
      fixture.calm();
    }
  }

  test('is explained by the item that came with the refusal, without a second read', () =>
    withOldItem(async (behind, reads) => {
      const cart = newCart();
      const first = claimOf(cart);
      await behind.claim(first);
      expect(await behind.claim(claimOf(cart))).toEqual({ kind: 'held', untilMs: first.nowMs + first.leaseMs });
      await behind.created(first, order, 1_000_500);
      expect(await behind.claim(claimOf(cart))).toMatchObject({
        kind: 'created',
        order: { orderId: 'po_1', orderNumber: 'PO-1', claimedHashes: new Set(['hash']) },
      });
      expect(reads()).toBe(0);
    }));
});
