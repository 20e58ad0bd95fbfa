/** An 11VMS that gives orders back in other words than they were sent in: `null`, numbers, other zeros, other offsets. */
import { expect, test } from '@jest/globals';
import { commitThenReset, onceFor } from '../recording-proxy.ts';
import {
  CARELESS,
  edmInstant,
  envelope,
  isCreate,
  isLookUp,
  newCart,
  type Row,
  setUpWorkerFixture,
  type Worker,
} from './worker-fixture.ts';

const fixture = await setUpWorkerFixture({ vms: { ...CARELESS, disguiseSeed: 16 } });

async function sent(cart: Row): Promise<Worker> {
  const worker = await fixture.worker();
  await worker.send(envelope(cart));
  return worker;
}

const later = (cart: Row, hour: number, changes: Row = {}): Row => ({
  ...cart,
  ChangedAt: edmInstant(`2026-11-20T${hour}:32:06Z`),
  ...changes,
});

test('an order whose answer was lost is recovered, time and again', async () => {
  for (let round = 1; round <= 10; round += 1) {
    const cart = newCart();
    const worker = await sent(cart);
    fixture.proxies.vms.intercept(onceFor(isCreate, commitThenReset));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual(['create', 'lookup']);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED' });
  }
});

// Edge case 17.
test('a cart that is changed after its order is dead-lettered with the fields that differ, and no other', async () => {
  const cart = newCart();
  const worker = await sent(cart);
  await worker.deliver();
  const [messageId = ''] = await worker.send(envelope(later(cart, 15, { Description: 'Other mission' })));
  await worker.deliver();
  expect(await fixture.verdictOf(messageId)).toEqual([
    { code: 'E_CART_CHANGED_AFTER_SEND', message: expect.stringMatching(/: \/title$/) },
  ]);
});

test('an order of an earlier version whose answer was lost is known again by its content', async () => {
  const cart = newCart();
  const worker = await sent(cart);
  fixture.proxies.vms.intercept((call, forward) => {
    if (isCreate(call)) return commitThenReset(call, forward);
    return isLookUp(call) ? Promise.resolve('reset') : forward();
  });
  await worker.deliver();
  fixture.calm();
  await fixture.expireLease(cart);
  const [messageId = ''] = await worker.send(envelope(later(cart, 15, { Description: 'Other mission' })));
  await worker.deliver();
  expect(await fixture.verdictOf(messageId)).toMatchObject([{ code: 'E_CART_CHANGED_AFTER_SEND' }]);
});
