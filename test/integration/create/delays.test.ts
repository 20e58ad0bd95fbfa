/** Edge cases 64, 70, 71: how long a cart waits for its next attempt, and which waits stay inside the invocation. */
import { describe, expect, test } from '@jest/globals';
import { writeCartMessage } from '../../../shared/cart-message.ts';
import type { Disturbance } from '../../simulators/disturbances.ts';
import { CLOSED_PORT } from '../closed-port.ts';
import { onceFor } from '../recording-proxy.ts';
import {
  always,
  answer,
  CARELESS,
  commitThenAnswer,
  envelope,
  isCreate,
  isLookUp,
  newCart,
  onEveryCreate,
  onFirstCreate,
  setUpWorkerFixture,
  type Row,
  type Variables,
  type Worker,
} from './worker-fixture.ts';

const fixture = await setUpWorkerFixture({ vms: CARELESS });

async function sent(cart: Row, variables: Partial<Variables> = {}): Promise<{ worker: Worker; messageId: string }> {
  const worker = await fixture.worker({ ...variables });
  const [messageId = ''] = await worker.send(envelope(cart));
  return { worker, messageId };
}

const onlySeconds = (worker: Worker): number => {
  const calls = worker.takeVisibilities();
  expect(calls).toHaveLength(1);
  return calls[0]?.[0] ?? -1;
};

// Edge case 71.
test('a cart of an unreachable 11VMS is retried after 30, 60 and 120 s without a look-up, and is then requeued', async () => {
  const cart = newCart();
  const { worker, messageId } = await sent(cart, { VMS_BASE_URL: `http://127.0.0.1:${CLOSED_PORT}` });
  for (const [low, high] of [
    [24, 36],
    [48, 72],
    [96, 144],
  ]) {
    expect((await worker.deliverAndReturn()).failed).toEqual([messageId]);
    const seconds = onlySeconds(worker);
    expect(seconds).toBeGreaterThanOrEqual(low ?? 0);
    expect(seconds).toBeLessThanOrEqual(high ?? 0);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'NEW', mayExist: false });
    expect(await fixture.verdictOf(messageId)).toBeUndefined();
  }
  expect((await worker.deliver()).failed).toEqual([]);
  const verdict = (await fixture.ledgerOf(cart)).find(({ sk }) => sk === `VERDICT#${messageId}`);
  expect(verdict).toMatchObject({ state: 'WITHDRAWN' });
  expect(await worker.requeued()).toMatchObject([{ body: writeCartMessage(envelope(cart)) }]);
  expect(await worker.deadLetters()).toEqual([]);

  // The new message reaches 11VMS again, and needs no look-up first.
  await fixture.closeBreaker();
  await worker.send(envelope(cart));
  expect(await worker.deliver({ handler: fixture.anotherHandler(worker) })).toMatchObject({ failed: [] });
  expect(fixture.callsFor(cart)).toEqual(['create']);
});

test('one call delays a whole batch, each message by a delay of its own', async () => {
  const worker = await fixture.worker();
  fixture.vms.setDisturbances(onEveryCreate({ kind: 'status', status: 408 }));
  const ids = await worker.send(...Array.from({ length: 10 }, () => envelope(newCart())));
  expect((await worker.deliver()).failed.toSorted()).toEqual(ids.toSorted());
  const calls = worker.takeVisibilities();
  expect(calls).toHaveLength(1);
  expect(calls[0]).toHaveLength(10);
  expect(new Set(calls[0]).size).toBeGreaterThan(1);
});

test('only failed messages are delayed; a batch without failures makes no call', async () => {
  const worker = await fixture.worker();
  const [bad, ...good] = Array.from({ length: 4 }, () => newCart());
  const badId = String(bad?.['ObjectId']);
  fixture.vms.setDisturbances(({ operation, key }) =>
    operation === 'create' && key.includes(badId) ? { kind: 'status', status: 408 } : { kind: 'none' },
  );
  await worker.send(...[bad, ...good].map((cart) => envelope(cart ?? {})));
  expect((await worker.deliverAndReturn()).failed).toHaveLength(1);
  expect(worker.takeVisibilities().map((seconds) => seconds.length)).toEqual([1]);
  fixture.calm();
  expect(await worker.deliver()).toMatchObject({ failed: [] });
  expect(worker.takeVisibilities()).toEqual([]);
  expect([bad, ...good].map((cart) => fixture.ordersOf(cart ?? {}).length)).toEqual([1, 1, 1, 1]);
});

test('a batch of more than ten, of which all carts come back, sets the delay of each', async () => {
  const worker = await fixture.worker();
  const messages = Array.from({ length: 12 }, () => envelope(newCart()));
  await worker.send(...messages.slice(0, 6));
  await worker.send(...messages.slice(6));
  fixture.vms.setDisturbances(onEveryCreate({ kind: 'status', status: 408 }));
  // Lambda collects such a batch from several receives.
  const batch = [...(await worker.receive()), ...(await worker.receive())];
  expect((await worker.invoke(batch)).failed).toHaveLength(12);
  expect(fixture.takeOutput().join('\n')).not.toContain('"event":"message.visibility-not-set"');
  expect(worker.takeVisibilities().flat()).toHaveLength(12);
});

test('a batch is reported to Lambda even when SQS refuses the delays', async () => {
  const cart = newCart();
  const { worker, messageId } = await sent(cart);
  fixture.vms.setDisturbances(onEveryCreate({ kind: 'status', status: 408 }));
  const refusedByAws = answer(400, { __type: 'com.amazonaws.sqs#AccessDeniedException' });
  fixture.proxies.sqs.intercept(always(({ operation }) => operation === 'ChangeMessageVisibilityBatch', refusedByAws));
  expect((await worker.deliver()).failed).toEqual([messageId]);
  expect(fixture.takeOutput().join('\n')).toContain('"event":"message.visibility-not-set"');
});

describe('Retry-After', () => {
  const IN_TEN_MINUTES = 'in ten minutes';
  test.each<[string, number, string, number, number]>([
    ['wins when it is longer', 408, '200', 200, 200],
    ['does not shorten a delay', 408, '3', 24, 36],
    ['is a date too', 408, IN_TEN_MINUTES, 590, 600],
    ['is capped at 15 minutes', 408, '86400', 900, 900],
    ['is ignored when it is nonsense', 408, 'soon', 24, 36],
    ['counts where the outcome is unknown', 500, '200', 200, 200],
  ])('%s', async (_what, status, retryAfter, low, high) => {
    const cart = newCart();
    const { worker } = await sent(cart);
    // Only now: the tests before this one take their time.
    const value = retryAfter === IN_TEN_MINUTES ? new Date(Date.now() + 600_000).toUTCString() : retryAfter;
    fixture.proxies.vms.intercept(always(isCreate, answer(status, {}, { 'retry-after': value })));
    expect((await worker.deliver()).failed).toHaveLength(1);
    const seconds = onlySeconds(worker);
    expect(seconds).toBeGreaterThanOrEqual(low);
    expect(seconds).toBeLessThanOrEqual(high);
  });

  test('of a look-up delays the message, too', async () => {
    const cart = newCart();
    const { worker } = await sent(cart);
    fixture.proxies.vms.intercept((call, forward) => {
      if (isLookUp(call)) return answer(429, {}, { 'retry-after': '300' })(call, forward);
      return isCreate(call) ? Promise.resolve('reset') : forward();
    });
    expect((await worker.deliver()).failed).toHaveLength(1);
    expect(onlySeconds(worker)).toBe(300);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'UNKNOWN' });
  });
});

// Edge case 70.
describe('429', () => {
  const throttledOnce: Disturbance = { kind: 'status', status: 429, retryAfter: '2' };

  test('of a whole batch is waited out inside the invocation: the orders are created, and no failure is reported', async () => {
    const worker = await fixture.worker();
    const carts = Array.from({ length: 10 }, () => newCart());
    fixture.vms.setDisturbances(onFirstCreate(throttledOnce));
    await worker.send(...carts.map((cart) => envelope(cart)));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(carts.map((cart) => fixture.callsFor(cart))).toEqual(carts.map(() => ['create', 'create']));
    expect(carts.map((cart) => fixture.ordersOf(cart).length)).toEqual(carts.map(() => 1));
    expect(fixture.takeOutput().join('\n')).toContain('"TargetThrottled"');
  });

  test('among taken calls sends its cart back to the queue for that time, and holds no other call up', async () => {
    const worker = await fixture.worker();
    await worker.send(...Array.from({ length: 10 }, () => envelope(newCart())));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    worker.takeVisibilities();

    const carts = Array.from({ length: 10 }, () => newCart());
    const ids = await worker.send(...carts.map((cart) => envelope(cart)));
    const [unlucky = {}, ...others] = carts;
    const isUnlucky = (call: Parameters<typeof isCreate>[0]): boolean =>
      isCreate(call) && call.body.includes(String(unlucky['ObjectId']));
    fixture.proxies.vms.intercept(onceFor(isUnlucky, answer(429, {}, { 'retry-after': '300' })));
    expect((await worker.deliver()).failed).toEqual([ids[0]]);
    expect(onlySeconds(worker)).toBe(300);
    expect(others.map((cart) => fixture.ordersOf(cart).length)).toEqual(others.map(() => 1));
    expect(await fixture.orderRow(unlucky)).toMatchObject({ state: 'NEW', faults: [{ code: 'E_TGT_THROTTLED' }] });
    await worker.send(envelope(newCart()));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
  });

  test('of a first call keeps all other calls from 11VMS until the pause is over', async () => {
    const worker = await fixture.worker();
    const first = newCart();
    const times = new Map<string, number>();
    fixture.proxies.vms.intercept(async (call, forward) => {
      if (!isCreate(call)) return forward();
      const isFirst = call.body.includes(String(first['ObjectId']));
      times.set(`${isFirst ? 'first' : 'second'} ${times.size}`, performance.now());
      return times.size === 1 ? answer(429, {}, { 'retry-after': '1' })(call, forward) : forward();
    });
    await worker.send(envelope(first));
    const delivered = worker.deliver();
    await fixture.until(() => times.size === 1);
    await worker.send(envelope(newCart()));
    await Promise.all([delivered, worker.deliver()]);
    const [throttled = 0, ...later] = times.values();
    expect(later).toHaveLength(2);
    expect(Math.min(...later) - throttled).toBeGreaterThanOrEqual(950);
  });

  test('that is longer than the invocation delays the message by that time, and nothing is posted twice', async () => {
    const cart = newCart();
    const { worker, messageId } = await sent(cart);
    fixture.proxies.vms.intercept(onceFor(isCreate, answer(429, {}, { 'retry-after': '300' })));
    const { records, failed } = await worker.deliver();
    expect(failed).toEqual([messageId]);
    expect(onlySeconds(worker)).toBe(300);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'NEW', faults: [{ code: 'E_TGT_THROTTLED' }] });

    // A cart that arrives meanwhile is not posted, and is not retried before the pause is over either.
    const neighbour = newCart();
    await worker.send(envelope(neighbour));
    expect((await worker.deliver()).failed).toHaveLength(1);
    expect(onlySeconds(worker)).toBeGreaterThanOrEqual(295);
    expect(fixture.callsFor(neighbour)).toEqual([]);

    await worker.endDelay(records);
    expect(await worker.deliver({ handler: fixture.anotherHandler(worker) })).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual(['create', 'create']);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  });

  test('in the final attempt does not count against the cart: it is requeued as a new message', async () => {
    const cart = newCart();
    const { worker, messageId } = await sent(cart);
    fixture.proxies.vms.intercept(always(isCreate, answer(429, {}, { 'retry-after': '300' })));
    expect((await worker.deliverTimes(4)).at(-1)).toEqual([]);
    const verdict = (await fixture.ledgerOf(cart)).find(({ sk }) => sk === `VERDICT#${messageId}`);
    expect(verdict).toMatchObject({ state: 'WITHDRAWN' });
    expect(await worker.requeued()).toHaveLength(1);
    expect(await fixture.breaker()).toBeUndefined();
    expect(fixture.callsFor(cart)).toEqual(['create']);
  });
});

test('503 with a Retry-After may hide an order that is still stored: it rests before it is posted again', async () => {
  const cart = newCart();
  const { worker } = await sent(cart);
  let store: () => Promise<unknown> = () => Promise.resolve();
  fixture.proxies.vms.intercept(
    onceFor(isCreate, (call, forward) => {
      store = forward;
      return answer(503, {}, { 'retry-after': '0' })(call, forward);
    }),
  );
  expect((await worker.deliverAndReturn()).failed).toHaveLength(1);
  expect(onlySeconds(worker)).toBeGreaterThanOrEqual(24);
  expect(fixture.callsFor(cart)).toEqual(['create', 'lookup']);
  await store();
  expect(await worker.deliver()).toMatchObject({ failed: [] });
  expect(fixture.callsFor(cart)).toEqual(['create', 'lookup', 'lookup']);
  expect(fixture.ordersOf(cart)).toHaveLength(1);
});

test('503 with a Retry-After to a whole batch is no outage, and pauses nothing', async () => {
  const worker = await fixture.worker();
  const carts = Array.from({ length: 10 }, () => newCart());
  fixture.vms.setDisturbances(onFirstCreate({ kind: 'status', status: 503, retryAfter: '1' }));
  await worker.send(...carts.map((cart) => envelope(cart)));
  expect((await worker.deliverAndReturn()).failed).toHaveLength(10);
  expect(await fixture.breaker()).toBeUndefined();
  expect(await worker.deliver()).toMatchObject({ failed: [] });
  expect(carts.map((cart) => fixture.ordersOf(cart).length)).toEqual(carts.map(() => 1));
});

test('503 with a Retry-After that lasts pauses, also where look-ups are answered', async () => {
  const worker = await fixture.worker();
  fixture.proxies.vms.intercept(always(isCreate, answer(503, {}, { 'retry-after': '0' })));
  const carts = Array.from({ length: 6 }, () => newCart());
  await worker.send(...carts.map((cart) => envelope(cart)));
  await worker.deliverAndReturn();
  expect(await fixture.breaker()).toBeUndefined();
  await worker.deliverAndReturn();
  await worker.deliver();
  expect(await fixture.breaker()).toMatchObject({ state: 'OPEN', reason: expect.stringContaining('503') });
});

test('503 with a Retry-After that leaves no time for a look-up leaves an unknown outcome, which is looked up first', async () => {
  const cart = newCart();
  const { worker } = await sent(cart);
  fixture.proxies.vms.intercept(onceFor(isCreate, commitThenAnswer(503, {}, { 'retry-after': '300' })));
  const { records } = await worker.deliver();
  expect(onlySeconds(worker)).toBe(300);
  expect(await fixture.orderRow(cart)).toMatchObject({ state: 'UNKNOWN', faults: [{ code: 'E_TGT_TIMEOUT_UNKNOWN' }] });
  await worker.endDelay(records);
  expect(await worker.deliver({ handler: fixture.anotherHandler(worker) })).toMatchObject({ failed: [] });
  expect(fixture.callsFor(cart)).toEqual(['create', 'lookup']);
  expect(fixture.ordersOf(cart)).toHaveLength(1);
});

describe('a throttled look-up', () => {
  /** An order that 11VMS stored without answering, and whose look-up it did not answer either. */
  async function leftOpen(): Promise<{ cart: Row; worker: Worker; messageId: string }> {
    const cart = newCart();
    const { worker, messageId } = await sent(cart);
    fixture.proxies.vms.intercept((call, forward) => {
      if (isLookUp(call)) return Promise.resolve('reset');
      return isCreate(call) ? commitThenAnswer(500)(call, forward) : forward();
    });
    await worker.deliverAndReturn();
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'UNKNOWN' });
    worker.takeVisibilities();
    return { cart, worker, messageId };
  }

  test.each([429, 503])('by %i is waited out inside the invocation, and repeated', async (status) => {
    const { cart, worker } = await leftOpen();
    const before = fixture.callsFor(cart).length;
    fixture.proxies.vms.intercept(onceFor(isLookUp, answer(status, {}, { 'retry-after': '0' })));
    fixture.takeOutput();
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart).slice(before)).toEqual(['lookup', 'lookup']);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED' });
    expect(fixture.takeOutput().join('\n')).toContain('"TargetThrottled"');
  });

  test('keeps all other carts from 11VMS as well, and delays the message until the pause is over', async () => {
    const { cart, worker } = await leftOpen();
    fixture.proxies.vms.intercept(always(isLookUp, answer(429, {}, { 'retry-after': '300' })));
    expect((await worker.deliver()).failed).toHaveLength(1);
    expect(onlySeconds(worker)).toBeGreaterThanOrEqual(299);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'UNKNOWN', mayExist: true });

    const neighbour = newCart();
    await worker.send(envelope(neighbour));
    expect((await worker.deliver()).failed).toHaveLength(1);
    expect(fixture.callsFor(neighbour)).toEqual([]);
  });

  test('in the final attempt does not count against the cart: it is requeued, and the breaker stays closed', async () => {
    const { cart, worker } = await leftOpen();
    fixture.proxies.vms.intercept(always(isLookUp, answer(429, {}, { 'retry-after': '300' })));
    expect((await worker.deliverTimes(3)).at(-1)).toEqual([]);
    expect(await worker.requeued()).toHaveLength(1);
    expect(await fixture.breaker()).toBeUndefined();
    expect(await worker.deadLetters()).toEqual([]);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  });

  test('after a create without an answer leaves the failure of the create as the reason', async () => {
    const cart = newCart();
    const { worker } = await sent(cart);
    fixture.proxies.vms.intercept((call, forward) => {
      if (isLookUp(call)) return answer(429, {}, { 'retry-after': '300' })(call, forward);
      return isCreate(call) ? commitThenAnswer(500)(call, forward) : forward();
    });
    fixture.takeOutput();
    expect((await worker.deliver()).failed).toHaveLength(1);
    const line = fixture.takeOutput().find((one) => one.includes('Cart will be tried again'));
    expect(line).toContain('"codes":["E_TGT_TIMEOUT_UNKNOWN"]');
  });
});

test('an invocation without time for an answer posts nothing, and releases the claim', async () => {
  const { worker } = await sent(newCart());
  // From now on it has the key of the messages.
  await worker.deliver();
  const cart = newCart();
  await worker.send(envelope(cart));
  expect((await worker.deliverAndReturn({ remainingMs: 2900 })).failed).toHaveLength(1);
  expect(fixture.callsFor(cart)).toEqual([]);
  expect(await fixture.orderRow(cart)).toMatchObject({ state: 'NEW' });
  expect(await worker.deliver()).toMatchObject({ failed: [] });
});
