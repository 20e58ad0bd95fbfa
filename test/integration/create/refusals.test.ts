/** Edge cases 62 to 69, 77, 78 and 81: what 11VMS refuses, for good or until a system is healthy again. */
import { CreateSecretCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { onceFor, resetBefore } from '../recording-proxy.ts';
import { writeCartMessage } from '../../../shared/cart-message.ts';
import {
  always,
  answer,
  commitThenAnswer,
  envelope,
  isCreate,
  isLookUp,
  isToken,
  newCart,
  openWorkerFixture,
  type Row,
  type Worker,
  type WorkerFixture,
} from './worker-fixture.ts';

let fixture: WorkerFixture;
/** Suppliers that are closed in 11VMS; a test changes them. */
const inactive = new Set<string>();
beforeAll(async () => {
  fixture = await openWorkerFixture({
    // This 11VMS ignores the idempotency key: only the externalId protects against a second order.
    vms: { ignoreIdempotencyKeys: true, inactiveSuppliers: (code) => inactive.has(code) },
  });
});
beforeEach(() => {
  inactive.clear();
  fixture.calm();
  fixture.takeOutput();
});
afterAll(() => fixture.close());

async function sent(cart: Row): Promise<{ worker: Worker; messageId: string }> {
  const worker = await fixture.worker();
  const [messageId = ''] = await worker.send(envelope(cart));
  return { worker, messageId };
}

/** Receives that end at the verdict, until SQS itself moves the message; returns the receive counts seen. */
async function untilDeadLettered(worker: Worker): Promise<string[]> {
  const counts: string[] = [];
  for (;;) {
    const { records, failed } = await worker.deliver();
    if (records.length === 0) return counts;
    expect(failed).toEqual(records.map(({ messageId }) => messageId));
    counts.push(...records.map(({ attributes }) => attributes.ApproximateReceiveCount));
  }
}

describe('409', () => {
  // Edge case 62.
  test('for an order with the same content is a success', async () => {
    const cart = newCart();
    const { worker } = await sent(cart);
    await worker.deliver();
    await fixture.forget(cart);
    await worker.send(envelope(cart));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual(['create', 'create', 'lookup']);
    const [order] = fixture.ordersOf(cart);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED', orderNumber: order?.number });
  });

  // Edge case 63.
  test('for an order with other content dead-letters the cart, with the names of the fields and without their values', async () => {
    const cart = newCart();
    const { worker } = await sent(cart);
    await worker.deliver();
    await fixture.forget(cart);
    fixture.takeOutput();
    const changed = { ...cart, Description: 'Secret mission', RequesterName: 'Jane Roe' };
    const [messageId = ''] = await worker.send(envelope(changed));
    const { failed } = await worker.deliver();

    expect(failed).toEqual([messageId]);
    const verdict = await fixture.verdictOf(messageId);
    expect(verdict).toEqual([
      { code: 'E_TGT_DUPLICATE_DIFFERENT', message: expect.stringMatching(/PO-\d+.*: \/requester\/name, \/title$/) },
    ]);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'REJECTED', mayExist: true });
    const kept = [...fixture.takeOutput(), JSON.stringify(await fixture.wholeTable())].join('\n');
    expect(['Secret mission', 'Jane Roe', 'Dupont'].filter((word) => kept.includes(word))).toEqual([]);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  });

  // Edge case 64.
  test.each([
    ['an earlier request in progress that fails', false],
    ['an earlier request in progress that succeeds', true],
  ])('for %s is retried, and ends in one order', async (_what, succeeds) => {
    const cart = newCart();
    const { worker } = await sent(cart);
    const inProgress = { code: 'REQUEST_IN_PROGRESS', title: 'Conflict', status: 409 };
    let earlier: () => Promise<unknown> = () => Promise.resolve();
    fixture.proxies.vms.intercept(
      onceFor(isCreate, (call, forward) => {
        if (succeeds) earlier = forward;
        return answer(409, inProgress)(call, forward);
      }),
    );
    expect((await worker.deliverAndReturn()).failed).toHaveLength(1);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'UNKNOWN' });
    await earlier();
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    const calls = ['create', 'lookup', 'lookup'];
    expect(fixture.callsFor(cart)).toEqual(succeeds ? calls : [...calls, 'create']);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  });

  test('for an order that the look-up does not find is retried', async () => {
    const cart = newCart();
    const { worker, messageId } = await sent(cart);
    fixture.proxies.vms.intercept(always(isCreate, answer(409, { code: 'EXTERNAL_ID_EXISTS' })));
    expect((await worker.deliver()).failed).toHaveLength(1);
    expect(await fixture.orderRow(cart)).toMatchObject({
      state: 'UNKNOWN',
      faults: [{ code: 'E_TGT_RESPONSE_SCHEMA' }],
    });
    expect(await fixture.verdictOf(messageId)).toBeUndefined();
  });
});

test('200, the replay of an earlier answer to the same key, is a success without a look-up', async () => {
  const cart = newCart();
  const { worker } = await sent(cart);
  fixture.proxies.vms.intercept(always(isCreate, commitThenAnswer(200, { id: 'po_7', number: 'PO-7' })));
  expect(await worker.deliver()).toMatchObject({ failed: [] });
  expect(fixture.callsFor(cart)).toEqual(['create']);
  expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED', orderNumber: 'PO-7' });
});

describe('content that 11VMS rejects', () => {
  // Edge cases 48 and 66.
  test('is posted once, ends at its verdict on each receive, and is moved by SQS itself after the fourth', async () => {
    const cart = newCart();
    const { worker, messageId } = await sent(cart);
    inactive.add('SUP-00871');
    expect((await worker.deliver()).failed).toEqual([messageId]);
    // The handler has made the message visible at once: the test ends no delay.
    expect(worker.takeVisibilities()).toEqual([[0]]);
    const verdict = await fixture.verdictOf(messageId);
    expect(verdict).toEqual([
      {
        code: 'E_TGT_VALIDATION',
        message: expect.stringContaining('422 SUPPLIER_NOT_FOUND'),
        field: '/supplier/code',
      },
    ]);

    expect(await untilDeadLettered(worker)).toEqual(['2', '3', '4']);
    expect(await worker.deadLetters()).toEqual([messageId]);
    expect(fixture.callsFor(cart)).toEqual(['create']);
    expect(await fixture.verdictOf(messageId)).toEqual(verdict);
    // Logged once, and counted once.
    const output = fixture.takeOutput();
    expect(output.filter((line) => line.includes('"outcome":"dead-letter"'))).toHaveLength(1);
    expect(output.filter((line) => line.includes('"CartsDeadLettered":1'))).toHaveLength(1);
  });

  // Edge cases 77 and 78.
  test('is tried again by a redrive, and created once its cause is repaired', async () => {
    const cart = newCart();
    const { worker, messageId } = await sent(cart);
    inactive.add('SUP-00871');
    await untilDeadLettered(worker);

    // A redriven message has the same body and another id. The first redrive comes before the repair.
    const [second = ''] = await worker.send(envelope(cart));
    expect((await worker.deliver()).failed).toEqual([second]);
    expect(second).not.toBe(messageId);
    expect(fixture.callsFor(cart)).toEqual(['create', 'create']);
    await untilDeadLettered(worker);

    inactive.clear();
    await worker.send(envelope(cart));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual(['create', 'create', 'create']);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED', attempts: 3 });
    // And redriven once more by mistake: a created order is never posted again.
    await worker.send(envelope(cart));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toHaveLength(3);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  });

  test('is looked up by a redrive where an earlier outcome is unknown', async () => {
    const cart = newCart();
    const { worker } = await sent(cart);
    fixture.proxies.vms.intercept(onceFor(isCreate, resetBefore));
    inactive.add('SUP-00871');
    await worker.deliverAndReturn();
    await worker.deliver();
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'REJECTED', mayExist: true });
    await untilDeadLettered(worker);
    inactive.clear();
    await worker.send(envelope(cart));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual(['create', 'lookup', 'lookup', 'create', 'lookup', 'create']);
  });

  test('keeps its verdict when the write of the verdict itself fails once', async () => {
    const cart = newCart();
    const { worker, messageId } = await sent(cart);
    inactive.add('SUP-00871');
    const refusedByAws = answer(400, { __type: 'com.amazonaws.dynamodb.v20120810#AccessDeniedException' });
    fixture.proxies.dynamodb.intercept(onceFor(({ operation }) => operation === 'PutItem', refusedByAws));
    expect((await worker.deliverAndReturn()).failed).toEqual([messageId]);
    expect(await fixture.verdictOf(messageId)).toBeUndefined();
    await worker.deliver();
    expect(await fixture.verdictOf(messageId)).toMatchObject([{ code: 'E_TGT_VALIDATION' }]);
    expect(fixture.callsFor(cart)).toEqual(['create']);
  });

  const unknownReference = { errors: [{ code: 'REFERENCE_NOT_FOUND', pointer: '/businessUnit/code' }] };
  test.each<[string, number, unknown, object]>([
    [
      '400 with two errors',
      400,
      { errors: [{ code: 'A', pointer: '/title' }, { pointer: '/lines/0/tax/code' }] },
      [
        { code: 'E_TGT_VALIDATION', field: '/title' },
        { code: 'E_TGT_VALIDATION', field: '/lines/0/tax/code' },
      ],
    ],
    // Edge case 69.
    [
      '404 for a referenced object',
      404,
      unknownReference,
      [{ code: 'E_TGT_NOT_FOUND_REF', field: '/businessUnit/code' }],
    ],
    // Edge case 28.
    ['413', 413, '<html>too large</html>', [{ code: 'E_TGT_TOO_LARGE' }]],
    // Edge case 65.
    ['422 for a reused key', 422, { code: 'IDEMPOTENCY_KEY_REUSED' }, [{ code: 'E_TGT_IDEMPOTENCY' }]],
    ['422 without a body', 422, '', [{ code: 'E_TGT_VALIDATION' }]],
    ['418 as a problem', 418, { title: 'Teapot', detail: 'j.dupont@example.test' }, [{ code: 'E_TGT_VALIDATION' }]],
  ])('%s gets its verdict at once, without quoting the answer', async (_what, status, body, faults) => {
    const cart = newCart();
    const { worker, messageId } = await sent(cart);
    fixture.proxies.vms.intercept(always(isCreate, answer(status, body)));
    expect((await worker.deliver()).failed).toEqual([messageId]);
    expect(worker.takeVisibilities()).toEqual([[0]]);
    expect(await fixture.verdictOf(messageId)).toMatchObject(faults);
    expect(await worker.deliver()).toMatchObject({ failed: [messageId] });
    expect(fixture.callsFor(cart)).toEqual(['create']);
    expect(fixture.takeOutput().join('\n')).not.toContain('example.test');
  });

  test('422 for a reused key, too, leaves an order that a redrive looks up first', async () => {
    const cart = newCart();
    const { worker } = await sent(cart);
    fixture.proxies.vms.intercept(onceFor(isCreate, answer(422, { code: 'IDEMPOTENCY_KEY_REUSED' })));
    await untilDeadLettered(worker);
    await worker.send(envelope(cart));
    await worker.deliver();
    expect(fixture.callsFor(cart)).toEqual(['create', 'lookup', 'create']);
  });

  test('409 of another kind gets its verdict when a look-up finds no order, and a redrive looks up first', async () => {
    const cart = newCart();
    const { worker, messageId } = await sent(cart);
    fixture.proxies.vms.intercept(always(isCreate, answer(409, { code: 'SUPPLIER_BLOCKED' })));
    expect((await worker.deliver()).failed).toEqual([messageId]);
    expect(await fixture.verdictOf(messageId)).toMatchObject([
      { code: 'E_TGT_VALIDATION', message: '11VMS answered 409 SUPPLIER_BLOCKED' },
    ]);
    await worker.send(envelope(cart));
    await worker.deliver();
    expect(fixture.callsFor(cart)).toEqual(['create', 'lookup', 'lookup', 'create', 'lookup']);
  });

  test('is not quoted where 11VMS puts data into codes and pointers', async () => {
    const cart = newCart();
    const { worker, messageId } = await sent(cart);
    const errors = [{ code: 'j.dupont@example.test', pointer: 'Jean Dupont', detail: 'Jean Dupont is unknown' }];
    fixture.proxies.vms.intercept(always(isCreate, answer(422, { code: 'Jean Dupont', title: 'Jean Dupont', errors })));
    await worker.deliver();
    expect(await fixture.verdictOf(messageId)).toMatchObject([{ code: 'E_TGT_VALIDATION' }]);
    const kept = [...fixture.takeOutput(), JSON.stringify(await fixture.verdictOf(messageId))].join('\n');
    expect(kept).not.toMatch(/dupont/i);
  });
});

describe('a systemic failure does not count against the cart', () => {
  const secretReads = (): number =>
    fixture.proxies.secrets.calls.filter(({ body }) => body.includes(fixture.systems.workerVariables.VMS_SECRET))
      .length;
  const html = '<html><body>No such service</body></html>';
  // Edge cases 67, 68 and 69.
  const afterRefresh = ['create', 'create', 'lookup'];
  const forbidden = ['create', 'lookup'];
  test.each<[string, number, unknown, string[]]>([
    ['401 after a refresh of the token', 401, {}, afterRefresh],
    ['403', 403, {}, forbidden],
    ['404 in HTML on the collection', 404, html, forbidden],
    ['405 of a gateway on the collection', 405, { message: 'Method Not Allowed' }, forbidden],
    ['410 on the collection', 410, '', forbidden],
  ])('%s: the cart is retried without a verdict', async (_what, status, body, calls) => {
    const cart = newCart();
    const { worker, messageId } = await sent(cart);
    fixture.proxies.vms.intercept(always(isCreate, answer(status, body)));
    const before = {
      tokens: fixture.proxies.vms.calls.filter(isToken).length,
      secrets: secretReads(),
    };
    const { records, failed } = await worker.deliver();
    expect(failed).toEqual([messageId]);
    const [[seconds = 0] = []] = worker.takeVisibilities();
    expect(seconds).toBeGreaterThanOrEqual(24);
    expect(seconds).toBeLessThanOrEqual(36);
    expect(fixture.callsFor(cart)).toEqual(calls);
    const posts = calls.filter((call) => call === 'create').length;
    expect(fixture.proxies.vms.calls.filter(isToken)).toHaveLength(before.tokens + posts);
    expect(secretReads()).toBe(before.secrets + posts);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'UNKNOWN', faults: [{ code: 'E_TGT_AUTH' }] });
    expect(await fixture.verdictOf(messageId)).toBeUndefined();
    expect(await fixture.breaker()).toBeUndefined();

    await worker.endDelay(records);
    fixture.calm();
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual([...calls, 'lookup', 'create']);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  });

  test('no cart is dead-lettered even when the receives are used up: it is requeued as a new message', async () => {
    const cart = newCart();
    const { worker, messageId } = await sent(cart);
    fixture.proxies.vms.intercept(always((call) => isCreate(call) || isLookUp(call), answer(403)));
    expect(await worker.deliverTimes(3)).toEqual([[messageId], [messageId], [messageId]]);
    expect(await fixture.verdictOf(messageId)).toBeUndefined();
    expect((await worker.deliverAndReturn()).failed).toEqual([]);
    const verdict = (await fixture.ledgerOf(cart)).find(({ sk }) => sk === `VERDICT#${messageId}`);
    expect(verdict).toMatchObject({ state: 'WITHDRAWN', faults: [{ code: 'E_INT_CRASHED' }] });
    expect(await worker.receive()).toEqual([]);
    expect(await worker.deadLetters()).toEqual([]);
    const [copy] = await worker.requeued();
    expect(copy?.messageId).not.toBe(messageId);
    expect(copy?.body).toBe(writeCartMessage(envelope(cart)));
  });

  test('a secret that the token endpoint refuses: the cart is retried', async () => {
    const cart = newCart();
    const { worker, messageId } = await sent(cart);
    fixture.proxies.vms.intercept(always(isToken, answer(401, { error: 'invalid_client' })));
    expect((await worker.deliver()).failed).toEqual([messageId]);
    expect(fixture.callsFor(cart)).toEqual([]);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'NEW', faults: [{ code: 'E_TGT_AUTH' }] });
    expect(await fixture.verdictOf(messageId)).toBeUndefined();
  });

  test.each([
    ['does not exist', undefined],
    ['was created empty', ''],
    ['holds a password that Secrets Manager generated', '7%kQ"hunter2;xv'],
  ])('a secret that %s: the cart is retried, and log and ledger name the secret to write', async (what, value) => {
    const name = `first-deployment/${what.replaceAll(' ', '-')}`;
    if (value !== undefined) {
      const SecretString = value === '' ? undefined : value;
      await fixture.systems.clients.secretsManager.send(new CreateSecretCommand({ Name: name, SecretString }));
    }
    const worker = await fixture.worker({ VMS_SECRET: name });
    const cart = newCart();
    await worker.send(envelope(cart));
    expect((await worker.deliver()).failed).toHaveLength(1);
    const expected = new RegExp(
      `E_TGT_AUTH.*the secret ${name} .*holds no \\W+clientId\\W+clientSecret\\W+ yet: write it with aws .* put-secret-value`,
    );
    const log = fixture.takeOutput().join('\n');
    const row = await fixture.orderRow(cart);
    expect(log).toMatch(expected);
    expect(row?.faults?.[0]?.message).toContain(`{ "clientId", "clientSecret" } yet: write it`);
    expect(log + JSON.stringify(row)).not.toContain('hunter2');
  });

  test('a token endpoint that is down is a transient failure', async () => {
    const cart = newCart();
    const { worker } = await sent(cart);
    fixture.proxies.vms.intercept(always(isToken, answer(503)));
    expect((await worker.deliver()).failed).toHaveLength(1);
    expect(worker.takeVisibilities()[0]?.[0]).toBeLessThanOrEqual(36);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'NEW', faults: [{ code: 'E_TGT_UNAVAILABLE' }] });
  });

  test('revoked tokens: one renewal for a whole batch, and every order is created', async () => {
    const worker = await fixture.worker();
    await worker.send(envelope(newCart()));
    await worker.deliver();
    const tokens = fixture.proxies.vms.calls.filter(isToken).length;
    fixture.vms.revokeTokens();
    const carts = Array.from({ length: 5 }, () => newCart());
    await worker.send(...carts.map((cart) => envelope(cart)));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.proxies.vms.calls.filter(isToken)).toHaveLength(tokens + 1);
    expect(carts.map((cart) => fixture.ordersOf(cart).length)).toEqual([1, 1, 1, 1, 1]);
  });

  // Edge case 81.
  test('a secret that was rotated during the run is read again, and the order is created', async () => {
    const worker = await fixture.worker();
    const setSecret = async (clientSecret: string): Promise<void> => {
      fixture.vms.setClient(fixture.vms.clientId, clientSecret);
      fixture.vms.revokeTokens();
      const SecretString = JSON.stringify({ clientId: fixture.vms.clientId, clientSecret });
      await fixture.systems.clients.secretsManager.send(new PutSecretValueCommand({ SecretId: '11vms', SecretString }));
    };
    await worker.send(envelope(newCart()));
    await worker.deliver();
    await setSecret('rotated');
    const cart = newCart();
    const { secrets, vms } = fixture.proxies;
    const before = { secrets: secrets.calls.length, tokens: vms.calls.filter(isToken).length };
    await worker.send(envelope(cart));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual(['create', 'create']);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
    expect(secrets.calls.length).toBe(before.secrets + 1);
    expect(vms.calls.filter(isToken).length).toBe(before.tokens + 1);
    await setSecret(fixture.vms.clientSecret);
  });
});
