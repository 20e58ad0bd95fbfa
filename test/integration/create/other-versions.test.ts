/**
 * Items that another version of this interface wrote, before a deployment or before it was rolled back: with codes and
 * states that this version does not know. Nothing is lost or doubled, and a person sees what was stored.
 */
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  createVerdictRecord,
  type VerdictRecord,
} from '../../../functions/create-purchase-orders/verdict/verdict-record.ts';
import { type BreakerRecord, createBreakerRecord } from '../../../shared/circuit-breaker.ts';
import { createLedger, type Ledger, type OrderClaim } from '../../../shared/ledger.ts';
import { createLedgerTable, type LedgerTable } from '../../../shared/ledger-table.ts';
import { FRESH_MS, standingOf } from '../../../shared/standing.ts';
import { readTraces } from '../../../shared/traces.ts';
import { commitThenReset, onceFor } from '../recording-proxy.ts';
import {
  CARELESS,
  envelope,
  externalIdOf,
  newCart,
  type Row,
  setUpWorkerFixture,
  textOf,
  withVendors,
} from './worker-fixture.ts';

const fixture = await setUpWorkerFixture({ vms: CARELESS });
let table: LedgerTable;
let ledger: Ledger;
let verdicts: VerdictRecord;
let breaker: BreakerRecord;
// Through the proxy, which can lose answers.
const tappedClient = new DynamoDBClient({ endpoint: fixture.proxies.dynamodb.url });
afterAll(() => tappedClient.destroy());
beforeAll(() => {
  table = createLedgerTable(fixture.systems.clients.dynamodb, fixture.systems.tableName);
  ledger = createLedger(table);
  verdicts = createVerdictRecord(table);
  breaker = createBreakerRecord(createLedgerTable(tappedClient, fixture.systems.tableName));
});

const NOW_MS = Date.parse('2026-11-22T12:00:00Z');
const CHANGED_MS = Date.parse('2026-11-20T14:32:06Z');
const OLD = { code: 'E_MAP_MATERIAL_GROUP', message: 'the group is not in the value map', field: 'lines[0].category' };
const SHOWN = [{ code: 'E_INT_UNEXPECTED', message: `${OLD.code}: ${OLD.message}`, field: OLD.field }];

async function store(item: Record<string, unknown>): Promise<void> {
  const Item = marshall(item, { removeUndefinedValues: true });
  await fixture.systems.clients.dynamodb.send(new PutItemCommand({ TableName: fixture.systems.tableName, Item }));
}

const keyOf = (cart: Row) => ({ client: '100', number: textOf(cart['ObjectId']) });
const partitionOf = (cart: Row): string => `CART#100#${textOf(cart['ObjectId'])}`;

const storeOrder = (cart: Row, changes: Record<string, unknown>): Promise<void> =>
  store({
    pk: partitionOf(cart),
    sk: `ORDER#${externalIdOf(cart)}`,
    state: 'NEW',
    contentHash: 'hash',
    changedAtMs: CHANGED_MS,
    messageId: 'old message',
    attemptId: 'old attempt',
    attempts: 1,
    leaseUntilMs: 1,
    updatedAtMs: 1,
    mayExist: false,
    faults: [],
    ...changes,
  });

const storeVerdict = (cart: Row, messageId: string, changes: Record<string, unknown>): Promise<void> =>
  store({
    pk: partitionOf(cart),
    sk: `VERDICT#${messageId}`,
    state: 'FINAL',
    changedAtMs: CHANGED_MS,
    faults: [OLD],
    recordedAtMs: NOW_MS,
    ...changes,
  });

const claimOf = (cart: Row, messageId = 'message'): OrderClaim => ({
  cart: keyOf(cart),
  externalId: externalIdOf(cart),
  contentHash: 'hash',
  changedAtMs: CHANGED_MS,
  ordersOfCart: 1,
  messageId,
  receive: 1,
  attemptId: 'attempt',
  nowMs: NOW_MS,
  leaseMs: 65_000,
});

describe('a fault code that this version does not know', () => {
  test('of a rejected order stands in the message of the fault', async () => {
    const cart = newCart();
    await storeOrder(cart, { state: 'REJECTED', faults: [OLD] });
    expect(await ledger.claim(claimOf(cart, 'old message'))).toEqual({ kind: 'rejected', faults: SHOWN });
  });

  test('of an earlier attempt does not hinder the next', async () => {
    const cart = newCart();
    await storeOrder(cart, { state: 'NEW', faults: [OLD] });
    const worker = await fixture.worker();
    await worker.send(envelope(cart));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED' });
  });

  test('of a verdict still ends its message there, without a call to 11VMS', async () => {
    const cart = newCart();
    const worker = await fixture.worker();
    const [messageId = ''] = await worker.send(envelope(cart));
    await worker.endDelay(await worker.receive());
    await storeVerdict(cart, messageId, {});
    expect((await worker.deliver()).failed).toEqual([messageId]);
    expect(fixture.callsFor(cart)).toEqual([]);
    expect(await fixture.verdictOf(messageId)).toEqual([OLD]);
  });

  test.each<[string, unknown]>([
    ['faults that are no list', 'down'],
    ['no faults', undefined],
    ['a fault that is no object', ['down']],
    ['a fault without a code', [{ message: 'down' }]],
  ])('is said as well where a verdict has %s', async (_what, faults) => {
    const cart = newCart();
    await storeVerdict(cart, 'message', { faults });
    const version = { ...keyOf(cart), changedAtMs: CHANGED_MS };
    expect(await verdicts.read({ cart: version, messageId: 'message' })).toEqual({
      state: 'FINAL',
      faults: [{ code: 'E_INT_UNEXPECTED', message: 'the recorded fault cannot be read' }],
    });
  });
});

describe('an order in a state that this version does not know', () => {
  test('is neither claimed nor changed; its cart is dead-lettered with the reason, without a call to 11VMS', async () => {
    const cart = newCart();
    await storeOrder(cart, { state: 'UPDATING', mayExist: true });
    const row = await fixture.orderRow(cart);
    const worker = await fixture.worker();
    const [messageId = ''] = await worker.send(envelope(cart));
    expect((await worker.deliver()).failed).toEqual([messageId]);
    expect(fixture.callsFor(cart)).toEqual([]);
    expect(await fixture.orderRow(cart)).toEqual(row);
    expect(await fixture.verdictOf(messageId)).toEqual([
      { code: 'E_INT_UNEXPECTED', message: expect.stringMatching(/another version.*: its state cannot be read$/) },
    ]);
  });

  test('accounts for nothing: the reconciliation finds its cart lost, until a verdict accounts for it', async () => {
    const cart = newCart();
    await storeOrder(cart, { state: 'UPDATING', claimedAtMs: NOW_MS - FRESH_MS - 1 });
    const standing = async () =>
      standingOf(await readTraces(table, keyOf(cart)), { changedAtMs: CHANGED_MS, nowMs: NOW_MS });
    expect(await standing()).toMatchObject({ word: 'retrying', isOverdue: true });
    await storeVerdict(cart, 'message', {});
    expect(await standing()).toMatchObject({ word: 'dead-lettered' });
  });

  test('counts as created where the cart has nothing left for it', async () => {
    const cart = newCart();
    await storeOrder(cart, { state: 'UPDATING', orderNumber: 'PO-7' });
    const worker = await fixture.worker();
    const [messageId = ''] = await worker.send(
      envelope({ ...cart, DelInd: 'X', ChangedAt: `/Date(${CHANGED_MS + 1})/` }),
    );
    expect(await worker.deliver()).toMatchObject({ failed: [messageId] });
    expect(await fixture.verdictOf(messageId)).toEqual([
      { code: 'E_CART_CANCELLED_AFTER_SEND', message: expect.stringContaining('PO-7') },
    ]);
  });
});

describe('an order of an earlier version whose outcome stayed open in a dead letter', () => {
  const moved = (cart: Row): Row => withVendors({ ...cart, ChangedAt: `/Date(${CHANGED_MS + 1})/` }, '0000100777');

  test('holds the orders of a later version back, until a person closes the dead letter that asks to cancel it', async () => {
    const cart = newCart();
    await storeOrder(cart, { state: 'UNKNOWN', mayExist: true });
    await storeVerdict(cart, 'old message', {});
    const worker = await fixture.worker();
    const [messageId = ''] = await worker.send(envelope(moved(cart)));

    expect(await worker.deliver()).toMatchObject({ failed: [messageId] });
    expect(await fixture.verdictOf(messageId)).toMatchObject([
      {
        code: 'E_CART_CANCELLED_AFTER_SEND',
        message: `11VMS may hold the order ${externalIdOf(cart)}, and the cart has nothing left for it`,
      },
      { code: 'E_CART_CHANGED_AFTER_SEND' },
    ]);
    expect(fixture.callsFor(cart)).toEqual([]);

    const close = (closed: string): Promise<void> =>
      store({
        pk: partitionOf(cart),
        sk: `CLOSED#${closed}`,
        by: 'an operator',
        reason: 'settled in 11VMS',
        recordedAtMs: NOW_MS,
      });
    // Closed because the order was found in 11VMS, or entered there by hand.
    await close('old message');
    const again = await fixture.worker();
    const [second = ''] = await again.send(envelope(moved(cart)));
    expect(await again.deliver()).toMatchObject({ failed: [second] });
    expect(fixture.callsFor(cart)).toEqual([]);

    await close(second);
    const replayed = await fixture.worker();
    await replayed.send(envelope(moved(cart)));
    expect(await replayed.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual(['create']);
  });

  test.each<[string, number, number | undefined, number]>([
    ['of its version, after the last attempt: it holds them back', 1, CHANGED_MS, 0],
    ['of no known version, after the last attempt: it holds them back', 1, undefined, 0],
    ['of its version, before the last attempt: it does not', -1, CHANGED_MS, 1],
    ['of another version: it does not', 1, CHANGED_MS - 1, 1],
  ])('was requeued, and the copy is a dead letter %s', async (_what, afterMs, changedAtMs, creates) => {
    const cart = newCart();
    const claimedAtMs = Date.now() - 3600_000;
    await storeOrder(cart, { state: 'UNKNOWN', mayExist: true, claimedAtMs });
    await storeVerdict(cart, 'its copy', { changedAtMs, recordedAtMs: claimedAtMs + afterMs });
    const worker = await fixture.worker();
    await worker.send(envelope(moved(cart)));
    expect((await worker.deliver()).failed).toHaveLength(1 - creates);
    expect(fixture.callsFor(cart)).toHaveLength(creates);
  });

  // The ledger keeps orders for ever, and all else that it knows of a cart for 90 days.
  test.each(['UNKNOWN', 'POSTING'])(
    'holds them back as well when the verdict is gone, 90 days later: %s',
    async (state) => {
      const cart = newCart();
      await storeOrder(cart, { state, mayExist: true, claimedAtMs: 1 });
      const worker = await fixture.worker();
      const [messageId = ''] = await worker.send(envelope(moved(cart)));
      expect(await worker.deliver()).toMatchObject({ failed: [messageId] });
      expect(fixture.callsFor(cart)).toEqual([]);
    },
  );
});

describe('a verdict in a state that this version does not know', () => {
  test('accounts for nothing', async () => {
    const cart = newCart();
    await storeVerdict(cart, 'message', { state: 'DEFERRED' });
    expect(await readTraces(table, keyOf(cart))).toEqual([]);
  });

  test('lets the attempt be made again', async () => {
    const cart = newCart();
    const worker = await fixture.worker();
    const [messageId = ''] = await worker.send(envelope(cart));
    await worker.endDelay(await worker.receive());
    await storeVerdict(cart, messageId, { state: 'DEFERRED' });
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  });
});

test('an item of a kind that this version does not know accounts for nothing', async () => {
  const cart = newCart();
  await store({ pk: partitionOf(cart), sk: 'REVISION#1', state: 'OPEN', changedAtMs: CHANGED_MS });
  expect(await readTraces(table, keyOf(cart))).toEqual([]);
});

describe('a breaker', () => {
  const storeBreaker = (state: string): Promise<void> => store({ pk: 'BREAKER#11VMS', sk: 'BREAKER', state });

  test('in a state that this version does not know pauses until a person lets it resume', async () => {
    await storeBreaker('HALF_OPEN');
    expect(await breaker.read()).toMatchObject({ state: 'FORCED_OPEN' });
    expect(await breaker.open('OPEN', 'down', NOW_MS)).toBe(false);
    expect(await breaker.close(NOW_MS)).toBe(false);
    expect(await breaker.letResume(NOW_MS)).toBe(true);
    expect(await breaker.read()).toMatchObject({ state: 'OPEN', nextTrialAtMs: NOW_MS });
  });

  test.each<[string, string, () => Promise<boolean>]>([
    ['opens', 'CLOSED', () => breaker.open('OPEN', 'down', NOW_MS)],
    ['closes', 'OPEN', () => breaker.close(NOW_MS)],
    ['is let resume', 'FORCED_OPEN', () => breaker.letResume(NOW_MS)],
  ])('%s by its own write also when DynamoDB wrote it twice', async (_what, state, change) => {
    await storeBreaker(state);
    fixture.proxies.dynamodb.intercept(onceFor(({ operation }) => operation === 'UpdateItem', commitThenReset));
    expect(await change()).toBe(true);
    expect(await change()).toBe(state === 'FORCED_OPEN');
  });
});
