/**
 * The right to order: only what the interface has queued itself becomes an order, whoever else reaches the queue or the worker.
 * A rotation of the key, and a Secrets Manager that is down, lose no cart.
 */
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { writeCartMessage } from '../../../shared/cart-message.ts';
import { createMessageSigner, createSignatureChecker } from '../../../shared/message-key.ts';
import { signedBy } from '../../signed-messages.ts';
import {
  always,
  answer,
  claimCheck,
  envelope,
  isCreate,
  newCart,
  type Row,
  setUpWorkerFixture,
  textOf,
  type Worker,
} from '../create/worker-fixture.ts';
import { lambdaContext } from '../fixture.ts';
import { neverAnswer, onceFor, type RecordedCall } from '../recording-proxy.ts';

const attributesSchema = z.record(z.string(), z.object({ DataType: z.string(), StringValue: z.string() }));

const fixture = await setUpWorkerFixture();
const { clients, emulators, srm } = fixture.systems;
const signed = (body: string) => fixture.systems.signed(body);

type Attributes = Readonly<Record<string, { readonly DataType: string; readonly StringValue: string }>>;

async function sendAs({ queueName }: Worker, MessageBody: string, MessageAttributes: Attributes): Promise<string> {
  // The emulator's own answer names a host that does not resolve everywhere.
  const QueueUrl = new URL(`/000000000000/${queueName}`, emulators.endpoints.sqs).href;
  const { MessageId = '' } = await clients.sqs.send(
    new SendMessageCommand({ QueueUrl, MessageBody, MessageAttributes }),
  );
  return MessageId;
}

/** A key of its own, as the stack of another test would have it. */
async function newKey(environment = 'test') {
  const name = `key-${randomUUID()}`;
  const versions: string[] = [];
  const next = (): string => {
    const key = randomBytes(32).toString('hex');
    versions.push(key);
    return key;
  };
  await clients.secretsManager.send(new CreateSecretCommand({ Name: name, SecretString: next() }));
  return {
    name,
    async rotate() {
      // As the command of the runbook gives it: with the line break of a pipe.
      const SecretString = `${next()}\n`;
      await clients.secretsManager.send(new PutSecretValueCommand({ SecretId: name, SecretString }));
    },
    /** By default with the latest version. */
    sign: (body: string, version = versions.length - 1) =>
      signedBy({ key: versions[version] ?? '', environment }, body),
  };
}

const isKeyRead =
  (name: string) =>
  (call: RecordedCall): boolean =>
    call.operation === 'GetSecretValue' && call.body.includes(name);
const readsOf = (name: string): number => fixture.proxies.secrets.calls.filter(isKeyRead(name)).length;
const refusesKey = (name: string): void =>
  fixture.proxies.secrets.intercept(always(isKeyRead(name), answer(400, { __type: 'AccessDeniedException' })));

const hidesKey = (name: string): void => fixture.proxies.secrets.intercept(always(isKeyRead(name), neverAnswer));

/** Ends at a verdict without a call to either system, and without a trace under the cart that it claims. */
async function expectNotOrdered(worker: Worker, cart: Row, messageId: string, calls: ReturnType<typeof callsSoFar>) {
  expect((await worker.deliver()).failed).toEqual([messageId]);
  expect(worker.takeVisibilities()).toEqual([[0]]);
  expect(await worker.deliverTimes(3)).toEqual([[messageId], [messageId], [messageId]]);
  expect(await worker.receive()).toEqual([]);
  expect(await worker.deadLetters()).toEqual([messageId]);
  expect(callsSoFar()).toEqual(calls);
  expect(fixture.ordersOf(cart)).toEqual([]);
  await expectNoTrace(cart, messageId);
  const lines = linesOf('cart.dead-lettered');
  expect(lines).toMatchObject([{ messageId, codes: ['E_INT_SIGNATURE'] }]);
  expect(JSON.stringify(lines)).not.toContain(textOf(cart['ObjectId']));
}

async function expectNoTrace(cart: Row, messageId: string): Promise<void> {
  const [number, guid] = [textOf(cart['ObjectId']), textOf(cart['Guid'])];
  const table = await fixture.wholeTable();
  expect(table.filter((item) => JSON.stringify(item).includes(number))).toEqual([]);
  expect(table.filter((item) => JSON.stringify(item).includes(guid))).toEqual([]);
  expect(table.filter(({ sk }) => sk === `VERDICT#${messageId}`)).toEqual([
    expect.objectContaining({ pk: 'CART#100#-', codes: ['E_INT_SIGNATURE'], state: 'FINAL' }),
  ]);
}

const callsSoFar = () => ({
  vms: fixture.proxies.vms.calls.filter(({ path }) => !path.endsWith('/oauth/token')).length,
  srm: srm.requests.length,
});

const linesOf = (event: string): Record<string, unknown>[] =>
  fixture
    .takeOutput()
    .filter((line) => line.includes(`"${event}"`))
    .map((line): Record<string, unknown> => JSON.parse(line));

const other = await newKey();
const elsewhere = await newKey('another');

describe('what is not signed with the key of the stack is not ordered', () => {
  test.each<[string, (body: string) => Attributes]>([
    ['has no signature', () => ({})],
    ['has an empty signature', (body) => ({ signature: { ...signed(body).signature, StringValue: ' ' } })],
    ['has the signature of another cart', () => signed(writeCartMessage(envelope(newCart())))],
    ['has one byte more than was signed', (body) => signed(body.slice(0, -1))],
    ['was signed with the key of another stack', (body) => other.sign(body)],
    ['was signed for another environment', (body) => elsewhere.sign(body)],
    [
      'has a signature of 100 KB',
      (body) => ({ signature: { ...signed(body).signature, StringValue: 'v'.repeat(1e5) } }),
    ],
  ])('a cart that %s', async (_what, attributesOf) => {
    const worker = await fixture.worker(_what.includes('environment') ? { MESSAGE_KEY: elsewhere.name } : {});
    const [cart, calls] = [newCart(), callsSoFar()];
    const body = writeCartMessage(envelope(cart));
    const messageId = await sendAs(worker, body, attributesOf(body));

    await expectNotOrdered(worker, cart, messageId, calls);
  });

  test('a cart that was too large for the queue: SRM is not asked for it', async () => {
    const worker = await fixture.worker();
    const [cart, calls] = [newCart(), callsSoFar()];
    const messageId = await sendAs(worker, writeCartMessage(claimCheck(cart)), {});

    await expectNotOrdered(worker, cart, messageId, calls);
  });

  test('a cart in an event that somebody made by hand, with all that a record can say', async () => {
    const worker = await fixture.worker();
    const [cart, calls] = [newCart(), callsSoFar()];
    const [body, at] = [writeCartMessage(envelope(cart)), String(Date.now())];
    const record = {
      messageId: 'by-hand',
      receiptHandle: 'by-hand',
      body,
      attributes: { ApproximateReceiveCount: '1', SentTimestamp: at },
      messageAttributes: { signature: { dataType: 'String', stringValue: `v1:${'A'.repeat(43)}` } },
    };

    expect(await worker.handler({ Records: [record] }, lambdaContext())).toEqual({
      batchItemFailures: [{ itemIdentifier: 'by-hand' }],
    });
    expect(callsSoFar()).toEqual(calls);
    await expectNoTrace(cart, 'by-hand');
  });

  test('beside carts that are: those are ordered', async () => {
    const worker = await fixture.worker();
    const [own, forged] = [newCart(), newCart()];
    const messageId = await sendAs(worker, writeCartMessage(envelope(forged)), {});
    await worker.send(envelope(own));

    expect((await worker.deliver()).failed).toEqual([messageId]);
    expect([own, forged].map((cart) => fixture.ordersOf(cart).length)).toEqual([1, 0]);
  });
});

test('the signature is the HMAC-SHA256 of version, environment and body: messages that wait are read after a deployment', () => {
  const key = 'k'.repeat(64);
  const mac = createHmac('sha256', key).update('purchase-order cart v1\nprod\n{"ü":1}').digest('base64url');
  const { signature } = signedBy({ key, environment: 'prod' }, '{"ü":1}');

  expect(signature).toEqual({ DataType: 'String', StringValue: `v1:${mac}` });
});

test('a copy of a signed message makes no second order', async () => {
  const worker = await fixture.worker();
  const cart = newCart();
  await worker.send(envelope(cart), envelope(cart));
  await worker.deliverTimes(2);
  await worker.send(envelope(cart));
  await worker.deliver();

  expect(fixture.ordersOf(cart)).toHaveLength(1);
  expect(await worker.deadLetters()).toEqual([]);
});

describe('after a rotation', () => {
  async function signedWithFirst() {
    const key = await newKey();
    const worker = await fixture.worker({ MESSAGE_KEY: key.name });
    const cart = newCart();
    const body = writeCartMessage(envelope(cart));
    const messageId = await sendAs(worker, body, key.sign(body));
    return { key, worker, cart, messageId };
  }

  test('a message of the previous key is ordered; after two it is a dead letter', async () => {
    const once = await signedWithFirst();
    await once.key.rotate();
    expect((await once.worker.deliver()).failed).toEqual([]);
    expect(fixture.ordersOf(once.cart)).toHaveLength(1);

    const twice = await signedWithFirst();
    const calls = callsSoFar();
    await twice.key.rotate();
    await twice.key.rotate();
    await expectNotOrdered(twice.worker, twice.cart, twice.messageId, calls);
  });

  test('a worker that holds the old key reads again before it judges, and orders what the new one signed', async () => {
    const { key, worker, cart } = await signedWithFirst();
    await worker.deliver();
    expect(fixture.ordersOf(cart)).toHaveLength(1);
    expect(readsOf(key.name)).toBe(1);

    await key.rotate();
    const carts = Array.from({ length: 9 }, () => newCart());
    for (const [index, next] of carts.entries()) {
      const body = writeCartMessage(envelope(next));
      // Of both keys, in one batch.
      await sendAs(worker, body, key.sign(body, index % 2));
    }
    expect((await worker.deliver()).failed).toEqual([]);
    expect(carts.map((next) => fixture.ordersOf(next).length)).toEqual(carts.map(() => 1));
    // The current and the previous one, once for the batch.
    expect(readsOf(key.name)).toBe(3);
  });

  test('a rotation while a worker reads both keys again leaves out no key that was believed before it', async () => {
    const { key, worker } = await signedWithFirst();
    await worker.deliver();
    await key.rotate();
    const cart = newCart();
    const body = writeCartMessage(envelope(cart));
    await sendAs(worker, body, key.sign(body));
    const isCurrent = (call: RecordedCall): boolean => isKeyRead(key.name)(call) && call.body.includes('AWSCURRENT');
    fixture.proxies.secrets.intercept(
      onceFor(isCurrent, async (_call, forward) => {
        // A read of the previous key that does not wait for this one ends before the rotation.
        await setTimeout(100);
        await key.rotate();
        return forward();
      }),
    );

    expect((await worker.deliver()).failed).toEqual([]);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  });

  test('forged messages make it read again once an invocation, and those without a signature never', async () => {
    const { key, worker } = await signedWithFirst();
    await worker.deliver();
    const before = readsOf(key.name);
    for (let count = 0; count < 5; count++) {
      const body = writeCartMessage(envelope(newCart()));
      await sendAs(worker, body, signed(body));
    }
    expect((await worker.deliver()).failed).toHaveLength(5);
    expect(readsOf(key.name)).toBe(before + 2);

    const another = await fixture.worker({ MESSAGE_KEY: key.name });
    await sendAs(another, writeCartMessage(envelope(newCart())), {});
    expect((await another.deliver()).failed).toHaveLength(1);
    expect(readsOf(key.name)).toBe(before + 2);
  });

  test('what queues signs with the new key within a minute, and on with the old one while it cannot read it', async () => {
    const key = await newKey();
    const secrets = new SecretsManagerClient();
    let nowMs = 0;
    const signer = createMessageSigner({ secrets, secretId: key.name, environment: 'test', now: () => nowMs });
    const signature = async (): Promise<string> => (await signer())('body');
    const signatureOf = (version: number): string => key.sign('body', version).signature.StringValue;
    expect(await signature()).toBe(signatureOf(0));
    await key.rotate();
    nowMs = 59_999;
    expect(await signature()).toBe(signatureOf(0));
    nowMs = 60_000;
    expect(await signature()).toBe(signatureOf(1));
    await key.rotate();
    nowMs = 120_000;
    refusesKey(key.name);
    expect(await signature()).toBe(signatureOf(1));
    fixture.calm();
    nowMs = 180_000;
    expect(await signature()).toBe(signatureOf(2));
    await key.rotate();
    nowMs = 240_000;
    hidesKey(key.name);
    expect(await signature()).toBe(signatureOf(2));
    secrets.destroy();
  });

  test('a key that two rotations have made void is believed for a minute more; any, while no key can be read', async () => {
    const key = await newKey();
    const secrets = new SecretsManagerClient();
    let nowMs = 0;
    const checker = createSignatureChecker({ secrets, secretId: key.name, environment: 'test', now: () => nowMs });
    const believes = (version: number): Promise<boolean> =>
      checker.forInvocation(nowMs + 10_000)({
        body: 'body',
        signature: key.sign('body', version).signature.StringValue,
      });
    expect(await believes(0)).toBe(true);
    await key.rotate();
    await key.rotate();
    nowMs = 59_999;
    expect(await believes(0)).toBe(true);
    nowMs = 60_000;
    expect(await believes(0)).toBe(false);
    expect(await believes(2)).toBe(true);
    await key.rotate();
    nowMs = 120_000;
    refusesKey(key.name);
    expect(await believes(2)).toBe(true);
    nowMs = 180_000;
    hidesKey(key.name);
    expect(await believes(2)).toBe(true);
    // It asks again after a minute, and not for each invocation.
    const reads = readsOf(key.name);
    expect(await believes(2)).toBe(true);
    expect(readsOf(key.name)).toBe(reads);
    fixture.calm();
    secrets.destroy();
  });
});

describe('while the key cannot be read', () => {
  test.each<[string, (name: string) => void | Promise<unknown>, RegExp]>([
    ['Secrets Manager refuses it', refusesKey, /Secrets Manager did not give .* \(AccessDeniedException\)/],
    [
      'its secret holds too short a text',
      (name) => clients.secretsManager.send(new PutSecretValueCommand({ SecretId: name, SecretString: 'short' })),
      /holds no key of 32 characters or more: infra\/runbook.md/,
    ],
  ])('because %s, messages go back and are queued again, and nothing is dead-lettered', async (_why, hide, reason) => {
    const key = await newKey();
    const worker = await fixture.worker({ MESSAGE_KEY: key.name });
    const [cart, calls] = [newCart(), callsSoFar()];
    const body = writeCartMessage(envelope(cart));
    const messageId = await sendAs(worker, body, key.sign(body));
    await hide(key.name);

    expect(await worker.deliverTimes(3)).toEqual([[messageId], [messageId], [messageId]]);
    const [retry] = linesOf('cart.retry-scheduled');
    expect(retry).toMatchObject({ codes: ['E_INT_KEY'], reasons: [expect.stringMatching(reason)] });
    // Its last receive.
    expect((await worker.deliver()).failed).toEqual([]);
    expect(await worker.deadLetters()).toEqual([]);
    expect(callsSoFar()).toEqual(calls);
    expect(await fixture.ledgerOf(cart)).toEqual([]);
    expect(await fixture.breaker()).toBeUndefined();
    const [copy] = await worker.requeued();
    expect(copy).toMatchObject({ body });
    // The copy has the signature of its message, since nobody has checked it yet.
    const queued = (await emulators.inspectQueue(worker.queueName)).delayed;
    expect(queued).toMatchObject([{ messageAttributes: key.sign(body) }]);
  });

  test('it is the signature of the copy that counts, once the key can be read again', async () => {
    const key = await newKey();
    const worker = await fixture.worker({ MESSAGE_KEY: key.name });
    const [own, forged] = [newCart(), newCart()];
    for (const [cart, attributesOf] of [
      [own, key.sign],
      [forged, signed],
    ] as const) {
      const body = writeCartMessage(envelope(cart));
      await sendAs(worker, body, attributesOf(body));
    }
    refusesKey(key.name);
    await worker.deliverTimes(4);
    fixture.calm();
    // They are delayed: sent as they are, to be received now.
    const copies = (await emulators.inspectQueue(worker.queueName)).delayed;
    const another = await fixture.worker({ MESSAGE_KEY: key.name });
    for (const { body, messageAttributes } of copies)
      await sendAs(another, body, attributesSchema.parse(messageAttributes));

    expect((await another.deliver()).failed).toHaveLength(1);
    expect([own, forged].map((cart) => fixture.ordersOf(cart).length)).toEqual([1, 0]);
  });

  test('a worker that holds it orders on, and judges no message of another signature', async () => {
    const key = await newKey();
    const worker = await fixture.worker({ MESSAGE_KEY: key.name });
    const [first, second, forged] = [newCart(), newCart(), newCart()];
    const send = (cart: Row, attributesOf: (body: string) => Attributes): Promise<string> => {
      const body = writeCartMessage(envelope(cart));
      return sendAs(worker, body, attributesOf(body));
    };
    await send(first, key.sign);
    await worker.deliver();
    refusesKey(key.name);
    await send(second, (body) => key.sign(body));
    const messageId = await send(forged, signed);

    expect((await worker.deliver()).failed).toEqual([messageId]);
    expect([first, second, forged].map((cart) => fixture.ordersOf(cart).length)).toEqual([1, 1, 0]);
    expect(linesOf('cart.dead-lettered')).toEqual([]);
    expect(await fixture.verdictOf(messageId)).toBeUndefined();
  });

  test('a message that was given up goes its way to the dead letters, and no copy of it is queued', async () => {
    const key = await newKey();
    const worker = await fixture.worker({ MESSAGE_KEY: key.name });
    const body = writeCartMessage(envelope(newCart({ CoCode: 'ZZ99' })));
    const messageId = await sendAs(worker, body, key.sign(body));
    await worker.deliverTimes(3);
    refusesKey(key.name);

    const handler = fixture.anotherHandler(worker, { MESSAGE_KEY: key.name });
    expect((await worker.deliver({ handler })).failed).toEqual([messageId]);
    expect(await worker.requeued()).toEqual([]);
    expect(await worker.receive()).toEqual([]);
    expect(await worker.deadLetters()).toEqual([messageId]);
    expect(await fixture.verdictOf(messageId)).toMatchObject([{ code: 'E_MAP_COMPANY' }]);
  });

  test('a trial says so, and orders nothing', async () => {
    const key = await newKey();
    const worker = await fixture.worker({ MESSAGE_KEY: key.name });
    const body = writeCartMessage(envelope(newCart()));
    await sendAs(worker, body, key.sign(body));
    refusesKey(key.name);

    expect(await worker.handler({ trial: true }, lambdaContext())).toMatchObject({
      healthy: false,
      obstacle: 'ledger',
      reason: expect.stringMatching(/^E_INT_KEY: /),
    });
    expect(fixture.proxies.vms.calls.filter(isCreate).filter((call) => call.body.includes(body))).toEqual([]);
  });
});
