/** Edge cases 67 to 71 and 80: when the worker pauses consumption, and what the final attempt does to a cart. */
import { describe, expect, test } from '@jest/globals';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { writeCartMessage } from '../../../shared/cart-message.ts';
import { lambdaContext } from '../fixture.ts';
import {
  commitThenReset,
  type Interceptor,
  neverAnswer,
  onceFor,
  resetBefore,
  type RecordedCall,
  startRecordingProxy,
} from '../recording-proxy.ts';
import {
  always,
  answer,
  asRequeuedCopy,
  CARELESS,
  claimCheck,
  type Delivered,
  envelope,
  isCreate,
  isLookUp,
  isToken,
  newCart,
  setUpWorkerFixture,
  withVendors,
  type Row,
  type Worker,
} from './worker-fixture.ts';

const fixture = await setUpWorkerFixture({ vms: CARELESS });

/** An invocation that leaves no time for the pauses between several calls to SRM. */
const BRIEF = { remainingMs: 17_900 };
const carts = (count: number): Row[] => Array.from({ length: count }, () => newCart());
const isApi = (call: RecordedCall): boolean => isCreate(call) || isLookUp(call);
const isProbe = (call: RecordedCall): boolean => isLookUp(call) && call.path.endsWith('externalId=PROBE');
const isSendMessage = ({ operation }: RecordedCall): boolean => operation === 'SendMessage';
const count = (calls: readonly RecordedCall[], isFor: (call: RecordedCall) => boolean): number =>
  calls.filter(isFor).length;

/** Batches of one message, so that the outcomes come in a fixed order. */
async function deliverOneByOne(worker: Worker, rows: readonly Row[]): Promise<void> {
  for (const row of rows) {
    await worker.send(envelope(row));
    await worker.deliver();
  }
}

/** The values of a metric since the output was last read. */
function metric(name: string, output: readonly string[]): number[] {
  return output.flatMap((line) => {
    const [, value] = new RegExp(`"${name}":(\\[[\\d.,]+\\]|[\\d.]+)`).exec(line) ?? [];
    return value === undefined || !line.includes('CloudWatchMetrics') ? [] : JSON.parse(`[${value}]`).flat();
  });
}

describe('the worker pauses consumption', () => {
  const unauthorized = always(isApi, answer(401));
  // Edge cases 67 and 69.
  test.each<[string, Interceptor, RegExp]>([
    ['11VMS answers 401 to a fresh token', unauthorized, /E_TGT_AUTH: 11VMS answered 401/],
    [
      'the token endpoint refuses our secret',
      always(isToken, answer(401, { error: 'invalid_client' })),
      /answered 401/,
    ],
    [
      'the collection is not there',
      always(isApi, answer(404, '<html>')),
      /404 to a look-up .*; check vms\.baseUrl and vms\.lookUpBy/,
    ],
  ])('at once when %s', async (_what, interceptor, reason) => {
    const worker = await fixture.worker();
    fixture.proxies.vms.intercept(interceptor);
    await deliverOneByOne(worker, [newCart()]);
    expect(await fixture.breaker()).toMatchObject({ state: 'OPEN', reason: expect.stringMatching(reason) });
    expect(metric('ConsumptionPaused', fixture.takeOutput())).toEqual([1]);
  });

  // Edge case 68.
  test('at the third 403 in a row, and not when an order was created in between', async () => {
    const worker = await fixture.worker();
    const forbidden = always(isCreate, answer(403));
    fixture.proxies.vms.intercept(forbidden);
    await deliverOneByOne(worker, carts(2));
    fixture.calm();
    await deliverOneByOne(worker, carts(1));
    fixture.proxies.vms.intercept(forbidden);
    await deliverOneByOne(worker, carts(2));
    expect(await fixture.breaker()).toBeUndefined();
    await deliverOneByOne(worker, carts(1));
    expect(await fixture.breaker()).toMatchObject({
      state: 'OPEN',
      reason: expect.stringMatching(/^E_TGT_AUTH: 11VMS answered 403; check the rights of our client, vms\./),
    });
  });

  // Edge case 69.
  test('at the third cart where creates alone have lost their route', async () => {
    const worker = await fixture.worker();
    fixture.proxies.vms.intercept(always(isCreate, answer(404, '<html>')));
    await deliverOneByOne(worker, carts(2));
    expect(await fixture.breaker()).toBeUndefined();
    await deliverOneByOne(worker, carts(1));
    expect(await fixture.breaker()).toMatchObject({
      state: 'OPEN',
      reason: expect.stringMatching(/404 on the collection itself.*; check .*, vms\.baseUrl and vms\.collectionPath$/),
    });
  });

  // Edge case 71.
  test('at the fifth failing cart in a row; each execution environment counts what it saw itself', async () => {
    const worker = await fixture.worker();
    fixture.proxies.vms.intercept(always(isCreate, answer(408)));
    await worker.send(...carts(4).map((cart) => envelope(cart)));
    await worker.deliver();
    await worker.send(envelope(newCart()));
    await worker.deliverAndReturn({ handler: fixture.anotherHandler(worker) });
    expect(await fixture.breaker()).toBeUndefined();
    await worker.deliver();
    expect(await fixture.breaker()).toMatchObject({
      state: 'OPEN',
      reason: expect.stringMatching(/^5 carts failed in a row/),
    });
  });

  // Edge case 80.
  test('when 11VMS rejects the content of more than half of twenty carts, until a person resumes', async () => {
    const worker = await fixture.worker();
    const unmapped = Array.from({ length: 11 }, () => newCart({ CoCode: 'ZZ99' }));
    for (const some of [carts(9), unmapped.slice(0, 10)]) {
      await worker.send(...some.map((cart) => envelope(cart)));
      await worker.deliver();
    }
    expect(await fixture.breaker()).toBeUndefined();
    await worker.send(envelope(newCart({ CoCode: 'ZZ99' })));
    // The other ten are received again, end at their verdicts, and are not counted a second time.
    await worker.deliver();
    await worker.deliver();
    expect(await fixture.breaker()).toMatchObject({
      state: 'FORCED_OPEN',
      reason: expect.stringMatching(/11 of the last 20/),
    });
  });

  test('not for one failing cart, not for throttling, not for content that 11VMS rejects', async () => {
    const worker = await fixture.worker();
    for (const [status, body, headers] of [
      [408, {}, {}],
      [422, { errors: [{ code: 'X' }] }, {}],
      [429, {}, { 'retry-after': '300' }],
    ] as const) {
      const another = fixture.anotherHandler(worker);
      fixture.proxies.vms.intercept(always(isCreate, answer(status, body, headers)));
      const one = newCart();
      // One cart fails eight times in a row; or five different carts fail, twice each.
      await worker.send(...(status === 408 ? [one, one] : carts(5)).map((cart) => envelope(cart)));
      const receives = status === 408 ? 4 : 2;
      for (let receive = 0; receive < receives; receive++) await worker.deliverAndReturn({ handler: another });
    }
    expect(await fixture.breaker()).toBeUndefined();
  });

  test('at the third cart that is answered 403, and not for one cart, however often; also where a look-up is refused', async () => {
    const worker = await fixture.worker();
    fixture.proxies.vms.intercept(always(isCreate, answer(403)));
    await worker.send(envelope(newCart()));
    await worker.deliverTimes(2);
    expect(await fixture.breaker()).toBeUndefined();
    fixture.proxies.vms.intercept((call, forward) =>
      isLookUp(call) ? answer(403)(call, forward) : isCreate(call) ? commitThenReset(call, forward) : forward(),
    );
    await deliverOneByOne(worker, carts(1));
    expect(await fixture.breaker()).toBeUndefined();
    await deliverOneByOne(worker, carts(1));
    expect(await fixture.breaker()).toMatchObject({ state: 'OPEN', reason: expect.stringMatching(/403 to a look-up/) });
  });

  test('not at failures between which another order of the same cart was created', async () => {
    const worker = await fixture.worker();
    for (const cart of carts(6)) {
      let creates = 0;
      fixture.proxies.vms.intercept((call, forward) =>
        isCreate(call) && creates++ === 0 ? answer(408)(call, forward) : forward(),
      );
      await worker.send(envelope(withVendors(cart, '0000100234', '0000100777')));
      await worker.deliver();
      expect(creates).toBe(2);
    }
    expect(await fixture.breaker()).toBeUndefined();
  });

  test.each([
    [503, 'counts', [{ state: 'OPEN', reason: expect.stringMatching(/^5 carts failed.*11VMS answered 503/) }]],
    [429, 'does not count', []],
  ])('while 11VMS asks by %i to wait for longer than an invocation: that %s', async (status, _counts, opened) => {
    const worker = await fixture.worker();
    fixture.proxies.vms.intercept(always(isApi, answer(status, {}, { 'retry-after': '900' })));
    await deliverOneByOne(worker, carts(6));
    const items = (await fixture.wholeTable()).filter(({ sk }) => sk === 'BREAKER');
    expect(items).toMatchObject(opened);
  });

  test('not for an invocation that has no time left, long after an answer 503 asked to wait', async () => {
    const worker = await fixture.worker();
    fixture.proxies.vms.intercept(onceFor(isCreate, answer(503, {}, { 'retry-after': '0' })));
    await worker.send(envelope(newCart()));
    expect(await worker.deliverTimes(2)).toEqual([[expect.any(String)], []]);
    const late = carts(5);
    await worker.send(...late.map((cart) => envelope(cart)));
    expect((await worker.deliver({ remainingMs: 1000 })).failed).toHaveLength(5);
    expect(late.flatMap((cart) => fixture.callsFor(cart))).toEqual([]);
    expect(await fixture.breaker()).toBeUndefined();
  });

  // A gateway answers with codes of its own; the contract names the object that 11VMS does not know (edge case 69).
  test.each([{ statusCode: 404, message: 'Resource not found' }, { code: 'ROUTE_NOT_FOUND' }])(
    'at once when the gateway has lost its route: %j',
    async (body) => {
      const worker = await fixture.worker();
      fixture.proxies.vms.intercept(always(isApi, answer(404, body)));
      await deliverOneByOne(worker, [newCart()]);
      expect(await fixture.breaker()).toMatchObject({ state: 'OPEN', reason: expect.stringMatching(/404/) });
      expect(await worker.deadLetters()).toEqual([]);
    },
  );

  // One cart alone could bring these about, by a text that a firewall does not like. Ten cannot.
  test.each<[number, unknown]>([
    [405, ''],
    [410, { message: 'Gone' }],
    [499, ''],
    [451, { message: 'Blocked' }],
    [501, { message: 'Not implemented' }],
  ])('when a gateway answers %i to every request: no cart becomes a dead letter', async (status, body) => {
    const worker = await fixture.worker();
    fixture.proxies.vms.intercept(always(isApi, answer(status, body)));
    const ids = await worker.send(...carts(10).map((cart) => envelope(cart)));
    await worker.deliver();
    expect(await fixture.breaker()).toMatchObject({ state: 'OPEN' });
    expect(await Promise.all(ids.map((id) => fixture.verdictOf(id)))).toEqual(ids.map(() => undefined));
  });

  // Edge case 80.
  test('when every cart meets a defect of ours: twenty are dead letters, the others are kept', async () => {
    const worker = await fixture.worker();
    fixture.proxies.dynamodb.intercept(
      always(
        ({ operation, body }) => operation === 'UpdateItem' && body.includes('ORDER#'),
        answer(400, { __type: 'com.amazonaws.dynamodb.v20120810#ValidationException' }),
      ),
    );
    for (const batch of [carts(10), carts(10), carts(10)]) {
      await worker.send(...batch.map((cart) => envelope(cart)));
      await worker.deliverTimes(4);
    }
    expect(await fixture.breaker()).toMatchObject({
      state: 'FORCED_OPEN',
      reason: expect.stringMatching(/20 of the last 20 carts became dead letters/),
    });
    expect(await worker.receive()).toEqual([]);
    expect(await worker.deadLetters()).toHaveLength(20);
    expect(await worker.requeued()).toHaveLength(10);
  });

  test('when the first write to the breaker fails: the next failure writes it again', async () => {
    const worker = await fixture.worker();
    fixture.proxies.vms.intercept(unauthorized);
    fixture.proxies.dynamodb.intercept((call, forward) =>
      call.body.includes('BREAKER') ? answer(400, { __type: 'x#AccessDeniedException' })(call, forward) : forward(),
    );
    await worker.send(envelope(newCart()));
    expect((await worker.deliverAndReturn()).failed).toHaveLength(1);
    expect(await fixture.breaker()).toBeUndefined();
    fixture.proxies.dynamodb.intercept((_call, forward) => forward());
    await worker.deliver();
    expect(await fixture.breaker()).toMatchObject({ state: 'OPEN' });
  });

  test('when the answer to the write is lost, and records since when', async () => {
    const worker = await fixture.worker();
    fixture.proxies.vms.intercept(unauthorized);
    let lost = 0;
    fixture.proxies.dynamodb.intercept((call, forward) => {
      const isOpening = call.operation === 'UpdateItem' && call.body.includes('BREAKER');
      return isOpening && lost++ === 0 ? commitThenReset(call, forward) : forward();
    });
    await deliverOneByOne(worker, [newCart()]);
    expect(lost).toBe(2);
    expect(await fixture.breaker()).toMatchObject({ state: 'OPEN', sinceMs: expect.any(Number) });
  });
});

/** Three attempts that fail, then the final one; returns what it left behind. */
async function afterFinalAttempt(interceptor: Interceptor, before: Interceptor = interceptor) {
  const cart = newCart();
  const worker = await fixture.worker();
  const [messageId = ''] = await worker.send(envelope(cart));
  fixture.proxies.vms.intercept(before);
  await worker.deliverTimes(3);
  fixture.proxies.vms.intercept(interceptor);
  const calls = fixture.proxies.vms.calls.length;
  fixture.takeOutput();
  const { failed } = await worker.deliver();
  return { cart, worker, messageId, failed, callsOfTheLast: fixture.proxies.vms.calls.slice(calls) };
}

/** The cart is on the queue as a new, delayed message, and nothing is left of the old one. */
async function expectRequeued({
  cart,
  worker,
  messageId,
  failed,
}: Awaited<ReturnType<typeof afterFinalAttempt>>): Promise<void> {
  expect(failed).toEqual([]);
  const verdicts = (await fixture.wholeTable()).filter(({ sk }) => sk === `VERDICT#${messageId}`);
  expect(verdicts.every(({ state }) => state === 'WITHDRAWN')).toBe(true);
  const [copy, ...more] = await worker.requeued();
  expect(more).toEqual([]);
  expect(copy?.body).toBe(writeCartMessage(envelope(cart)));
  expect(copy?.messageId).not.toBe(messageId);
  const send = fixture.proxies.sqs.calls.findLast(isSendMessage);
  const DelaySeconds = Number(/"DelaySeconds":(\d+)/.exec(send?.body ?? '')?.[1]);
  expect(DelaySeconds).toBeGreaterThanOrEqual(192);
  expect(DelaySeconds).toBeLessThanOrEqual(288);
  expect(await worker.receive()).toEqual([]);
  expect(await worker.deadLetters()).toEqual([]);
  const output = fixture.takeOutput();
  expect(metric('CartsRequeued', output)).toEqual([1]);
  expect(metric('CartsDeadLettered', output)).toEqual([]);
}

describe('while consumption is paused', () => {
  test('a batch is not tried: one read of the breaker for all, and no call to 11VMS; the last receive requeues', async () => {
    const worker = await fixture.worker();
    fixture.proxies.vms.intercept(always(isApi, answer(401)));
    await deliverOneByOne(worker, carts(1));
    fixture.calm();
    await worker.endDelay((await worker.receive()).slice());
    await worker.send(...carts(5).map((cart) => envelope(cart)));
    const before = { vms: fixture.proxies.vms.calls.length, table: fixture.proxies.dynamodb.calls.length };
    const { records, failed } = await worker.deliverAndReturn();
    expect(failed).toHaveLength(records.length);
    expect(fixture.proxies.vms.calls).toHaveLength(before.vms);
    const reads = fixture.proxies.dynamodb.calls.slice(before.table).filter(({ body }) => body.includes('BREAKER'));
    expect(reads).toHaveLength(1);
    expect(fixture.takeOutput().join('\n')).toMatch(/"codes":\["E_INT_PAUSED"\]/);
    await worker.deliverTimes(3);
    expect(await worker.receive()).toEqual([]);
    expect(await worker.deadLetters()).toEqual([]);
    expect(await worker.requeued()).toHaveLength(records.length);
  });

  test('a message that is a dead letter already goes its way', async () => {
    const worker = await fixture.worker();
    const [messageId = ''] = await worker.send(envelope(newCart({ CoCode: 'ZZ99' })));
    await worker.deliver();
    fixture.proxies.vms.intercept(always(isApi, answer(401)));
    await deliverOneByOne(worker, carts(1));
    expect(await fixture.breaker()).toMatchObject({ state: 'OPEN' });
    for (let receive = 2; receive <= 5; receive++) await worker.deliver();
    expect(await worker.deadLetters()).toEqual([messageId]);
  });
});

describe('in the final attempt', () => {
  const unhealthy = always(isApi, answer(500));
  test.each<[string, Interceptor]>([
    ['11VMS cannot be reached', resetBefore],
    ['11VMS fails, and so does its look-up', unhealthy],
    ['11VMS answers 401', always(isApi, answer(401))],
    ['11VMS answers 403', always(isApi, answer(403))],
    ['11VMS throttles', always(isCreate, answer(429, {}, { 'retry-after': '300' }))],
  ])('a cart is requeued as a new message when %s', async (_what, interceptor) => {
    const rest = await afterFinalAttempt(interceptor, always(isCreate, answer(408)));
    await expectRequeued(rest);
    fixture.calm();
    await fixture.closeBreaker();
    // The delay of the new message is longer than any lease or quiet time.
    await fixture.expireLease(rest.cart);
    await rest.worker.send(envelope(rest.cart));
    await rest.worker.deliver({ handler: fixture.anotherHandler(rest.worker) });
    expect(fixture.ordersOf(rest.cart)).toHaveLength(1);
  });

  test('a cart is requeued as a new message when the token endpoint fails', async () => {
    await expectRequeued(await afterFinalAttempt(always(isToken, answer(503))));
  });

  test('a failing cart opens the breaker only when a probe finds 11VMS unhealthy, too', async () => {
    const rest = await afterFinalAttempt(unhealthy);
    await expectRequeued(rest);
    expect(count(rest.callsOfTheLast, isProbe)).toBe(1);
    expect(await fixture.breaker()).toMatchObject({
      state: 'OPEN',
      reason: expect.stringMatching(/answered 500 to a probe/),
    });
  });

  test('no probe is sent when other carts failed, too, and none was processed since', async () => {
    const worker = await fixture.worker();
    fixture.proxies.vms.intercept(always(isCreate, answer(408)));
    await worker.send(...carts(2).map((cart) => envelope(cart)));
    await worker.deliverTimes(3);
    expect(await fixture.breaker()).toBeUndefined();
    const before = fixture.proxies.vms.calls.length;
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(count(fixture.proxies.vms.calls.slice(before), isProbe)).toBe(0);
    expect(await worker.requeued()).toHaveLength(2);
    expect(await fixture.breaker()).toMatchObject({ state: 'OPEN', reason: expect.stringMatching(/other carts/) });
  });

  test('two carts that 11VMS cannot process are not requeued for each other again and again', async () => {
    const worker = await fixture.worker();
    fixture.proxies.vms.intercept(always(isCreate, answer(408)));
    const ids = await worker.send(...carts(2).map((cart) => envelope(cart)));
    await worker.deliverTimes(3);
    const copies = (await worker.receive()).map((record) => asRequeuedCopy(record));
    expect((await worker.invoke(copies)).failed.toSorted()).toEqual(ids.toSorted());
    expect(await worker.requeued()).toEqual([]);
    for (const id of ids) expect(await fixture.verdictOf(id)).toMatchObject([{ code: 'E_TGT_UNAVAILABLE' }]);
    expect(await fixture.breaker()).toBeUndefined();
  });

  test('a cart that another delivery holds is requeued', async () => {
    const cart = newCart();
    const worker = await fixture.worker();
    const [messageId = ''] = await worker.send(envelope(cart));
    fixture.proxies.vms.intercept(always(isCreate, answer(408)));
    await worker.deliverTimes(3);
    const row = await fixture.orderRow(cart);
    const held = { ...row, state: 'POSTING', attemptId: 'another', leaseUntilMs: Date.now() + 60_000 };
    await fixture.systems.clients.dynamodb.send(
      new PutItemCommand({
        TableName: fixture.systems.tableName,
        Item: marshall(held, { removeUndefinedValues: true }),
      }),
    );
    fixture.takeOutput();
    const { failed } = await worker.deliver();
    await expectRequeued({ cart, worker, messageId, failed, callsOfTheLast: [] });
  });

  test('a cart that fails alone, while a probe finds 11VMS healthy, is dead-lettered with its reason', async () => {
    const { worker, messageId, failed, callsOfTheLast } = await afterFinalAttempt(always(isCreate, answer(408)));
    expect(failed).toEqual([messageId]);
    expect(count(callsOfTheLast, isProbe)).toBe(1);
    expect(await fixture.verdictOf(messageId)).toMatchObject([{ code: 'E_TGT_UNAVAILABLE' }]);
    expect(await worker.requeued()).toEqual([]);
    expect(await fixture.breaker()).toBeUndefined();
    await worker.receive();
    expect(await worker.deadLetters()).toEqual([messageId]);
  });

  test('a defect of the probe makes a dead letter, and does not fail the batch', async () => {
    const cart = newCart();
    const worker = await fixture.worker();
    const [messageId = ''] = await worker.send(envelope(cart));
    fixture.proxies.vms.intercept(always(isCreate, answer(408)));
    await worker.deliverTimes(3);
    let isProbed = false;
    fixture.proxies.vms.intercept((call, forward) => {
      isProbed = isProbe(call);
      return isCreate(call) ? answer(408)(call, forward) : forward();
    });
    // The answer to the probe is read next.
    const now = (): number => {
      if (!isProbed) return Date.now();
      isProbed = false;
      throw new Error('a defect');
    };
    const handler = fixture.anotherHandler(worker, {}, { now });
    expect((await worker.deliver({ handler })).failed).toEqual([messageId]);
    expect(await fixture.verdictOf(messageId)).toMatchObject([{ code: 'E_TGT_UNAVAILABLE' }]);
  });

  test.each<[string, Interceptor]>([
    ['its proxy answers everything with a page of its own', always(isApi, answer(200, '<html>Maintenance</html>'))],
    [
      'its proxy fails at creates, and has lost the route of look-ups',
      (call, forward) =>
        isCreate(call)
          ? answer(502, '<html>')(call, forward)
          : isLookUp(call)
            ? answer(404, '<html>')(call, forward)
            : forward(),
    ],
  ])('a cart is kept and consumption paused when %s', async (_what, interceptor) => {
    const rest = await afterFinalAttempt(interceptor, always(isCreate, answer(408)));
    await expectRequeued(rest);
    expect(await fixture.breaker()).toMatchObject({ state: 'OPEN' });
  });

  test.each<[string, Interceptor]>([
    ['is down', answer(503, '<html>')],
    ['is throttling', answer(429, {})],
    ['refuses us', answer(401, {})],
  ])('a cart that is to be read from SRM is requeued while SRM %s', async (_what, instead) => {
    const srm = await startRecordingProxy(fixture.systems.srm.url);
    srm.intercept((call, forward) => (isToken(call) ? forward() : instead(call, forward)));
    const variables = {
      SRM_BASE_URL: fixture.systems.workerVariables.SRM_BASE_URL.replace(fixture.systems.srm.url, srm.url),
    };
    const worker = await fixture.worker(variables);
    const cart = newCart();
    await worker.send(claimCheck(cart));
    for (let receive = 1; receive <= 4; receive++) await worker.deliverAndReturn(BRIEF);
    expect(await worker.requeued()).toHaveLength(1);
    expect(await worker.deadLetters()).toEqual([]);
    expect(await fixture.breaker()).toBeUndefined();
    await srm.close();
  });

  test.each<[string, Interceptor]>([
    ['fails at', answer(500, {})],
    ['does not answer for, until no time is left', neverAnswer],
  ])('a cart that SRM %s, and no other, is a dead letter', async (_what, last) => {
    const srm = await startRecordingProxy(fixture.systems.srm.url);
    const cart = newCart();
    const guid = String(cart['Guid']);
    const disturb = (instead: Interceptor): void =>
      srm.intercept((call, forward) => (call.path.includes(guid) ? instead(call, forward) : forward()));
    const variables = {
      SRM_BASE_URL: fixture.systems.workerVariables.SRM_BASE_URL.replace(fixture.systems.srm.url, srm.url),
      SRM_TIMEOUT_MS: '2000',
    };
    const worker = await fixture.worker(variables);
    const [messageId = ''] = await worker.send(claimCheck(cart));
    disturb(answer(500, {}));
    for (let receive = 1; receive <= 3; receive++) await worker.deliverAndReturn(BRIEF);
    disturb(last);
    await worker.deliver({ remainingMs: 18_900 });
    expect(await fixture.verdictOf(messageId)).toMatchObject([{ code: 'E_SRC_UNAVAILABLE' }]);
    expect(await worker.requeued()).toEqual([]);
    await srm.close();
  });

  test('a missing look-up is no sign of an unhealthy 11VMS', async () => {
    const { messageId, failed } = await afterFinalAttempt((call, forward) =>
      isCreate(call) ? answer(408)(call, forward) : isProbe(call) ? answer(405)(call, forward) : forward(),
    );
    expect(failed).toEqual([messageId]);
  });

  test('no cart is dead-lettered while the ledger cannot say whether consumption is paused', async () => {
    const cart = newCart();
    const worker = await fixture.worker();
    const [messageId = ''] = await worker.send(envelope(cart));
    fixture.proxies.vms.intercept(unhealthy);
    await worker.deliverTimes(3);
    fixture.proxies.dynamodb.intercept((call, forward) =>
      call.body.includes('BREAKER') ? answer(400, { __type: 'x#AccessDeniedException' })(call, forward) : forward(),
    );
    fixture.takeOutput();
    const { failed } = await worker.deliver();
    await expectRequeued({ cart, worker, messageId, failed, callsOfTheLast: [] });
  });

  test('a cart that SQS refuses to requeue is dead-lettered with its reason', async () => {
    const cart = newCart();
    const worker = await fixture.worker();
    const [messageId = ''] = await worker.send(envelope(cart));
    fixture.proxies.vms.intercept(always(isApi, answer(401)));
    await worker.deliverTimes(3);
    fixture.proxies.sqs.intercept(always(isSendMessage, answer(400, { __type: 'com.amazonaws.sqs#AccessDenied' })));
    expect((await worker.deliver()).failed).toEqual([messageId]);
    expect(await fixture.verdictOf(messageId)).toMatchObject([
      { code: 'E_INT_PAUSED', message: 'consumption is paused: E_TGT_AUTH: 11VMS answered 401 to a look-up' },
    ]);
    expect(await worker.receive()).toEqual([]);
    expect(await worker.deadLetters()).toEqual([messageId]);
    expect(await worker.requeued()).toEqual([]);
  });

  test('a cart that was requeued twice, since the first answer of SQS was lost, becomes one order', async () => {
    const cart = newCart();
    const worker = await fixture.worker();
    await worker.send(envelope(cart));
    fixture.proxies.vms.intercept(always(isApi, answer(401)));
    await worker.deliverTimes(3);
    let sends = 0;
    fixture.proxies.sqs.intercept((call, forward) =>
      isSendMessage(call) && sends++ === 0 ? commitThenReset(call, forward) : forward(),
    );
    expect((await worker.deliver()).failed).toEqual([]);
    const copies = await worker.requeued();
    expect(copies).toHaveLength(2);
    fixture.calm();
    await fixture.closeBreaker();
    await worker.send(...copies.map(({ body }) => body));
    const posts = count(fixture.proxies.vms.calls, isCreate);
    await worker.deliverTimes(2);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
    expect(count(fixture.proxies.vms.calls, isCreate)).toBe(posts + 1);
  });

  test('a second delivery at the same time does not dead-letter the message of the first', async () => {
    const cart = newCart();
    const worker = await fixture.worker();
    await worker.send(envelope(cart));
    fixture.proxies.vms.intercept(always(isCreate, answer(408)));
    await worker.deliverTimes(3);
    const posted = Promise.withResolvers<undefined>();
    const goOn = Promise.withResolvers<undefined>();
    fixture.proxies.vms.intercept(
      always(isCreate, async (_call, forward) => {
        posted.resolve(undefined);
        await goOn.promise;
        return forward();
      }),
    );
    const records = await worker.receive();
    const first = worker.invoke(records);
    await posted.promise;
    const second = await worker.invoke(records, { handler: fixture.anotherHandler(worker) });
    goOn.resolve(undefined);
    expect([second.failed, (await first).failed]).toEqual([[], []]);
    expect(await worker.receive()).toEqual([]);
    expect(await worker.deadLetters()).toEqual([]);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  });

  test('a function that dies between requeue and acknowledgement leaves two messages, and one order', async () => {
    const cart = newCart();
    const worker = await fixture.worker();
    const [messageId = ''] = await worker.send(envelope(cart));
    fixture.proxies.vms.intercept(always(isApi, answer(401)));
    await worker.deliverTimes(3);
    // The old message is not deleted: Lambda never learned how its invocation ended.
    const records = await worker.receive();
    await worker.handler({ Records: records }, lambdaContext());
    await worker.endDelay(records);
    expect(await worker.receive()).toEqual([]);
    expect(await worker.deadLetters()).toEqual([messageId]);
    const [copy] = await worker.requeued();
    fixture.calm();
    await fixture.closeBreaker();
    await worker.send(copy?.body ?? '', writeCartMessage(envelope(cart)));
    await worker.deliverTimes(2);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  });
});

describe('a trial of one message', () => {
  const isReceive = ({ operation }: RecordedCall): boolean => operation === 'ReceiveMessage';
  async function trial(worker: Worker) {
    const before = { sqs: fixture.proxies.sqs.calls.length, vms: fixture.proxies.vms.calls.length };
    const result = await worker.handler({ trial: true }, lambdaContext());
    const sqs = fixture.proxies.sqs.calls.slice(before.sqs);
    const vms = fixture.proxies.vms.calls.slice(before.vms);
    return { result, receives: count(sqs, isReceive), posts: count(vms, isCreate), deletes: sqs };
  }

  test.each<[string, Interceptor, RegExp]>([
    ['fails', always(isLookUp, answer(503)), /^E_TGT_UNAVAILABLE: 11VMS answered 503 to a probe$/],
    ['refuses us', always(isLookUp, answer(401)), /^E_TGT_AUTH: 11VMS answered 401 to a probe$/],
    ['cannot be reached', resetBefore, /cannot be (asked|reached)/],
    ['answers everything with a page of its proxy', always(isLookUp, answer(200, '<html>')), /probe cannot be read/],
    ['has lost its route', always(isLookUp, answer(404, '<html>')), /answered 404 to a probe/],
    ['gives no token', always(isToken, answer(401, {})), /token endpoint .* answered 401/],
  ])('does not begin while 11VMS %s, and uses up no receive', async (_what, interceptor, reason) => {
    const worker = await fixture.worker();
    await worker.send(envelope(newCart()));
    fixture.proxies.vms.intercept(interceptor);
    const { result, receives } = await trial(worker);
    expect(result).toEqual({ healthy: false, obstacle: 'probe', tried: false, reason: expect.stringMatching(reason) });
    expect(receives).toBe(0);
    expect((await worker.receive()).map(({ attributes }) => attributes.ApproximateReceiveCount)).toEqual(['1']);
  });

  test('takes one message of many, creates its order, and deletes it', async () => {
    const worker = await fixture.worker();
    await worker.send(...carts(3).map((cart) => envelope(cart)));
    expect(await trial(worker)).toMatchObject({ result: { healthy: true }, receives: 1, posts: 1 });
    expect((await worker.receive()).length).toBe(2);
  });

  test('that fails returns the message to the queue with its delay, and reports why', async () => {
    const worker = await fixture.worker();
    await worker.send(envelope(newCart()));
    fixture.proxies.vms.intercept(always(isCreate, answer(403)));
    worker.takeVisibilities();
    expect(await trial(worker)).toMatchObject({
      result: {
        healthy: false,
        obstacle: 'trial',
        tried: true,
        reason: 'E_TGT_AUTH: 11VMS answered 403',
        visibleAtMs: expect.any(Number),
      },
    });
    const [[seconds = 0] = []] = worker.takeVisibilities();
    expect(seconds).toBeGreaterThanOrEqual(24);
  });

  test('that 11VMS throttles has used up a receive, and does not try another cart', async () => {
    const worker = await fixture.worker();
    await worker.send(...carts(3).map((cart) => envelope(cart)));
    fixture.proxies.vms.intercept(always(isCreate, answer(429, {}, { 'retry-after': '300' })));
    expect(await trial(worker)).toMatchObject({
      result: { healthy: false, obstacle: 'trial-wait', tried: true, reason: 'E_TGT_THROTTLED: 11VMS answered 429' },
      receives: 1,
      posts: 1,
    });
  });

  test('of a create that is answered 503 with a Retry-After finds 11VMS unhealthy, though look-ups are answered', async () => {
    const worker = await fixture.worker();
    await worker.send(envelope(newCart()));
    fixture.proxies.vms.intercept(always(isCreate, answer(503, {}, { 'retry-after': '0' })));
    expect(await trial(worker)).toMatchObject({ result: { healthy: false, tried: true }, posts: 1 });
  });

  test('that is throttled at first and creates the order then finds 11VMS healthy', async () => {
    const worker = await fixture.worker();
    await worker.send(envelope(newCart()));
    fixture.proxies.vms.intercept(onceFor(isCreate, answer(429, {}, { 'retry-after': '0' })));
    expect(await trial(worker)).toMatchObject({ result: { healthy: true }, posts: 2 });
  });

  test('skips carts that never reach 11VMS', async () => {
    const worker = await fixture.worker();
    const cart = newCart();
    await worker.send(envelope(newCart({ Status: 'I1015' })));
    await worker.send(envelope(newCart({ CoCode: 'ZZ99' })));
    await worker.send(envelope(cart));
    expect(await trial(worker)).toMatchObject({ result: { healthy: true }, posts: 1 });
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  });

  test('skips carts with an open attempt, where 11VMS has no look-up, and none of them counts as a failure', async () => {
    const worker = await fixture.worker();
    const open = carts(15);
    fixture.proxies.vms.intercept(always(isApi, answer(500)));
    const heap: Delivered[] = [];
    for (const some of [open.slice(0, 10), open.slice(10)]) {
      await worker.send(...some.map((cart) => envelope(cart)));
      heap.push(await worker.deliver());
      await fixture.closeBreaker();
    }
    for (const { records } of heap) await worker.endDelay(records);
    fixture.proxies.vms.intercept(always(isLookUp, answer(405)));
    expect(await trial(worker)).toMatchObject({ result: { healthy: true }, posts: 0 });
    expect(await worker.deadLetters()).toHaveLength(15);
  });

  test('ends at a create without an answer, where 11VMS has no look-up: it risks one cart, not ten', async () => {
    const worker = await fixture.worker();
    const ids = await worker.send(...carts(3).map((cart) => envelope(cart)));
    fixture.proxies.vms.intercept((call, forward) =>
      isCreate(call) ? commitThenReset(call, forward) : isLookUp(call) ? answer(405)(call, forward) : forward(),
    );
    expect(await trial(worker)).toMatchObject({
      result: { healthy: false, tried: true, reason: expect.stringMatching(/^E_TGT_TIMEOUT_UNKNOWN/) },
      posts: 1,
    });
    const verdicts = await Promise.all(ids.map((id) => fixture.verdictOf(id)));
    expect(verdicts.filter((verdict) => verdict !== undefined)).toHaveLength(1);
  });

  test('that begins too late for a request finds nothing, and has used up a receive', async () => {
    const worker = await fixture.worker();
    await worker.send(envelope(newCart()));
    // From now on it has the key of the messages.
    await worker.deliver();
    await worker.send(envelope(newCart()));
    fixture.proxies.sqs.intercept(
      always(isReceive, async (_call, forward) => {
        const received = await forward();
        await fixture.until(() => Date.now() > startedMs + 3100);
        return received;
      }),
    );
    const startedMs = Date.now();
    // Three calls of 5 s and the reserve of 2 s must fit behind the last create (handler.ts), which is 3 s away.
    const result = await worker.handler(
      { trial: true },
      lambdaContext(() => 20_000),
    );
    expect(result).toMatchObject({ healthy: false, obstacle: 'trial-wait', tried: true });
  });

  test('finds 11VMS healthy when 11VMS rejects the content of a cart', async () => {
    const worker = await fixture.worker();
    await worker.send(...carts(2).map((cart) => envelope(cart)));
    fixture.proxies.vms.intercept(always(isCreate, answer(422, { errors: [{ code: 'X' }] })));
    expect(await trial(worker)).toMatchObject({ result: { healthy: true }, posts: 1 });
  });

  test('keeps the pause while all carts wait for their next attempt, since it could try none', async () => {
    const worker = await fixture.worker();
    await worker.send(envelope(newCart()));
    await worker.receive();
    expect(await trial(worker)).toMatchObject({
      result: {
        healthy: false,
        obstacle: 'hidden',
        tried: false,
        reason: expect.stringMatching(/^no cart could be tried/),
      },
      posts: 0,
    });
  });

  test('finds 11VMS healthy when the queue is empty', async () => {
    const worker = await fixture.worker();
    expect(await trial(worker)).toMatchObject({ result: { healthy: true }, receives: 1, posts: 0 });
  });

  test('requeues a cart that was in its final attempt', async () => {
    const cart = newCart();
    const worker = await fixture.worker();
    await worker.send(envelope(cart));
    fixture.proxies.vms.intercept(always(isCreate, answer(403)));
    await worker.deliverTimes(3);
    expect(await trial(worker)).toMatchObject({ result: { healthy: false } });
    expect(await worker.requeued()).toHaveLength(1);
    expect(await worker.receive()).toEqual([]);
    expect(await worker.deadLetters()).toEqual([]);
  });

  test('is no batch: an event that is neither trial nor batch is an error', async () => {
    const worker = await fixture.worker();
    await expect(worker.handler({ trial: 'yes' }, lambdaContext())).rejects.toThrow(/invalid/i);
  });
});
