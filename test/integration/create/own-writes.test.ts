/**
 * What the interface wrote itself, it knows again: a write to DynamoDB whose first answer was lost and that the SDK
 * repeats, and an order that an earlier version of the cart created.
 */
import { describe, expect, test } from '@jest/globals';
import { commitThenReset, onceFor, type RecordedCall } from '../recording-proxy.ts';
import {
  always,
  answer,
  CARELESS,
  edmInstant,
  envelope,
  isLookUp,
  itemsOf,
  newCart,
  onFirstCreate,
  type Row,
  setUpWorkerFixture,
  type Worker,
} from './worker-fixture.ts';

const fixture = await setUpWorkerFixture({ vms: CARELESS });

const isClaim = ({ operation, body }: RecordedCall): boolean =>
  operation === 'UpdateItem' && body.includes('"POSTING"') && body.includes('contentHash');
const isSkip = ({ operation, body }: RecordedCall): boolean => operation === 'UpdateItem' && body.includes('"SKIP"');

async function sent(cart: Row): Promise<Worker> {
  const worker = await fixture.worker();
  await worker.send(envelope(cart));
  return worker;
}

/** 11VMS stores the order of the first create; neither its answer nor a look-up arrives. */
function loseFirstOrder(): void {
  fixture.vms.setDisturbances(onFirstCreate({ kind: 'reset-after-commit' }));
  fixture.proxies.vms.intercept(always(isLookUp, answer(503)));
}

/** A cart with such an order, after its first attempt and the end of the attempt's lease. */
async function lostOrder(): Promise<{ cart: Row; worker: Worker }> {
  const cart = newCart();
  const worker = await sent(cart);
  loseFirstOrder();
  await worker.deliver();
  await fixture.expireLease(cart);
  return { cart, worker };
}

/** The cart, changed and approved again, with another order. */
const changed = (cart: Row, hour: number, title: string): Row => ({
  ...cart,
  Description: title,
  ChangedAt: edmInstant(`2026-11-20T${hour}:32:06Z`),
});

describe('a claim that DynamoDB wrote twice, since its first answer was lost,', () => {
  test('is the first claim: the order is posted without a look-up, and the attempt is counted once', async () => {
    const cart = newCart();
    const worker = await sent(cart);
    fixture.proxies.dynamodb.intercept(onceFor(isClaim, commitThenReset));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual(['create']);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED', attempts: 1 });
  });

  test('looks up first where an earlier attempt may have created the order', async () => {
    const cart = newCart();
    const worker = await sent(cart);
    loseFirstOrder();
    await worker.deliverAndReturn();
    fixture.calm();
    fixture.proxies.dynamodb.intercept(onceFor(isClaim, commitThenReset));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual(['create', 'lookup', 'lookup']);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED', attempts: 2 });
  });

  test('still knows the order that an earlier version of the cart created', async () => {
    const { cart, worker } = await lostOrder();
    fixture.calm();
    fixture.proxies.dynamodb.intercept(onceFor(isClaim, commitThenReset));
    const [messageId = ''] = await worker.send(envelope(changed(cart, 15, 'Other mission')));
    await worker.deliver();
    expect(await fixture.verdictOf(messageId)).toMatchObject([{ code: 'E_CART_CHANGED_AFTER_SEND' }]);
  });
});

test('a skip that DynamoDB wrote twice, since its first answer was lost, is reported once', async () => {
  const cart = newCart({ Items: { results: itemsOf(newCart()).map((item) => ({ ...item, DelInd: 'X' })) } });
  const worker = await sent(cart);
  fixture.proxies.dynamodb.intercept(onceFor(isSkip, commitThenReset));
  await worker.deliver();
  const reports = fixture.takeOutput().filter((line) => line.includes('"event":"cart.skipped"'));
  expect(reports).toHaveLength(1);
});

// Edge cases 17 and 63.
describe('an order whose answer was lost is known as an earlier version of the cart', () => {
  test('by the second attempt at the next version, after a look-up that failed', async () => {
    const { cart, worker } = await lostOrder();
    const [messageId = ''] = await worker.send(envelope(changed(cart, 15, 'Other mission')));
    await worker.deliverAndReturn();
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'UNKNOWN' });
    fixture.calm();
    await worker.deliver();
    expect(await fixture.verdictOf(messageId)).toEqual([
      { code: 'E_CART_CHANGED_AFTER_SEND', message: expect.stringMatching(/^created as PO-.*different now: \/title$/) },
    ]);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  });

  test('by every later version, and by a redrive', async () => {
    const { cart, worker } = await lostOrder();
    fixture.calm();
    const versions = [changed(cart, 15, 'Second'), changed(cart, 16, 'Third'), changed(cart, 16, 'Third')];
    for (const version of versions) {
      const [messageId = ''] = await worker.send(envelope(version));
      await worker.deliver();
      expect(await fixture.verdictOf(messageId)).toMatchObject([{ code: 'E_CART_CHANGED_AFTER_SEND' }]);
    }
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  });

  test('also by the version that has its content again: the order is recovered', async () => {
    const { cart, worker } = await lostOrder();
    fixture.calm();
    await worker.send(envelope(changed(cart, 15, 'Second')));
    await worker.deliver();
    await worker.send(envelope({ ...cart, ChangedAt: edmInstant('2026-11-20T16:32:06Z') }));
    await worker.deliver();
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED' });
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  });
});
