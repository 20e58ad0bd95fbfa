/** What remains of an attempt that does not end: edge case 76, and the reason that even a crash leaves behind. */
import { describe, expect, test } from '@jest/globals';
import { writeCartMessage } from '../../../shared/cart-message.ts';
import { lambdaContext } from '../fixture.ts';
import {
  always,
  answer,
  CARELESS,
  envelope,
  isCreate,
  newCart,
  setUpWorkerFixture,
  type Worker,
} from './worker-fixture.ts';

const fixture = await setUpWorkerFixture({ vms: CARELESS });

const crashed = [{ code: 'E_INT_CRASHED', message: 'the last attempt started and did not end' }];

test('a function that dies in its final attempt leaves a reason, SQS moves the message, and a redrive looks up first', async () => {
  const cart = newCart();
  const worker = await fixture.worker();
  const [messageId = ''] = await worker.send(envelope(cart));
  fixture.proxies.vms.intercept(always(isCreate, answer(408)));
  await worker.deliverTimes(3);
  const answered = Promise.withResolvers<'reset'>();
  fixture.proxies.vms.intercept(
    always(isCreate, async (_call, forward) => {
      await forward();
      return answered.promise;
    }),
  );
  const records = await worker.receive();
  expect(records.map(({ attributes }) => attributes.ApproximateReceiveCount)).toEqual(['4']);
  const abandoned = worker.handler({ Records: records }, lambdaContext());
  await fixture.until(() => fixture.ordersOf(cart).length === 1);

  expect(await fixture.verdictOf(messageId)).toEqual(crashed);
  expect(await fixture.orderRow(cart)).toMatchObject({ state: 'POSTING', mayExist: true, attempts: 4 });
  await worker.endDelay(records);
  expect(await worker.receive()).toEqual([]);
  expect(await worker.deadLetters()).toEqual([messageId]);

  fixture.proxies.vms.intercept((_call, forward) => forward());
  await fixture.expireLease(cart);
  await worker.send(envelope(cart));
  expect(await worker.deliver({ handler: fixture.anotherHandler(worker) })).toMatchObject({ failed: [] });
  expect(fixture.ordersOf(cart)).toHaveLength(1);
  answered.resolve('reset');
  await abandoned;
  expect(fixture.ordersOf(cart)).toHaveLength(1);
});

test('the first three attempts record no provisional verdict', async () => {
  const cart = newCart();
  const worker = await fixture.worker();
  const [messageId = ''] = await worker.send(envelope(cart));
  fixture.proxies.vms.intercept(always(isCreate, answer(408)));
  const verdicts: unknown[] = [];
  while (verdicts.length < 3) {
    await worker.deliverAndReturn();
    verdicts.push(await fixture.verdictOf(messageId));
  }
  expect(verdicts).toEqual([undefined, undefined, undefined]);
});

test('a final attempt that succeeds creates the order', async () => {
  const cart = newCart();
  const worker = await fixture.worker();
  await worker.send(envelope(cart));
  fixture.proxies.vms.intercept(always(isCreate, answer(408)));
  await worker.deliverTimes(3);
  fixture.calm();
  expect(await worker.deliver()).toMatchObject({ failed: [] });
  expect(fixture.ordersOf(cart)).toHaveLength(1);
  expect(await worker.receive()).toEqual([]);
  expect(await worker.deadLetters()).toEqual([]);
});

describe('a final attempt that SQS never saw end leaves a dead letter with a reason, and one order', () => {
  /**
   * As when another message of the batch crashes the function: nothing is deleted, and the visibility time-out runs
   * out.
   */
  const lastReceiveUnacknowledged = async (worker: Worker): Promise<void> => {
    const records = await worker.receive();
    expect(records.map(({ attributes }) => attributes.ApproximateReceiveCount)).toEqual(['4']);
    expect(await worker.handler({ Records: records }, lambdaContext())).toEqual({ batchItemFailures: [] });
    await worker.endDelay(records);
    expect(await worker.receive()).toEqual([]);
  };

  test('when it had created the order', async () => {
    const cart = newCart();
    const worker = await fixture.worker();
    const [messageId = ''] = await worker.send(envelope(cart));
    fixture.proxies.vms.intercept(always(isCreate, answer(408)));
    await worker.deliverTimes(3);
    fixture.calm();
    await lastReceiveUnacknowledged(worker);
    expect(await worker.deadLetters()).toEqual([messageId]);
    expect(await fixture.verdictOf(messageId)).toEqual(crashed);
    expect(fixture.ordersOf(cart)).toHaveLength(1);

    await worker.send(envelope(cart));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  });

  test('when it had requeued the cart', async () => {
    const cart = newCart();
    const worker = await fixture.worker();
    const [messageId = ''] = await worker.send(envelope(cart));
    fixture.proxies.vms.intercept(always(isCreate, answer(403)));
    await worker.deliverTimes(3);
    await lastReceiveUnacknowledged(worker);
    expect(await worker.deadLetters()).toEqual([messageId]);
    expect(await fixture.verdictOf(messageId)).toEqual(crashed);
    expect(await worker.requeued()).toMatchObject([{ body: writeCartMessage(envelope(cart)) }]);
  });
});

test('a ledger that is down for all four attempts: nothing is posted, and the cart is requeued as a new message', async () => {
  const cart = newCart();
  const worker = await fixture.worker();
  const [messageId = ''] = await worker.send(envelope(cart));
  const refusedByAws = answer(400, { __type: 'com.amazonaws.dynamodb.v20120810#AccessDeniedException' });
  fixture.proxies.dynamodb.intercept(refusedByAws);
  fixture.takeOutput();
  expect(await worker.deliverTimes(4)).toEqual([[messageId], [messageId], [messageId], []]);
  expect(fixture.callsFor(cart)).toEqual([]);
  expect(fixture.takeOutput().join('\n')).toMatch(/"outcome":"requeued","codes":\["E_INT_LEDGER"\]/);
  expect(await worker.requeued()).toMatchObject([{ body: writeCartMessage(envelope(cart)) }]);
  expect(await worker.deadLetters()).toEqual([]);
});
