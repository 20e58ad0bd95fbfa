/**
 * The redriver through its handler, over SQS's and DynamoDB's protocols, with the real worker behind it: from dead letters to
 * orders.
 */
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { GetQueueUrlCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { writeCartMessage } from '../../../shared/cart-message.ts';
import { asJsonObject, tryParseJson } from '../../../shared/exact-json.ts';
import { standingOf } from '../../../shared/standing.ts';
import { tracesOf } from '../../../shared/traces.ts';
import {
  always,
  answer,
  commitThenAnswer,
  edmInstant,
  envelope,
  externalIdOf,
  newCart,
  type Row,
  textOf,
  withItems,
} from '../create/worker-fixture.ts';
import type { RecordedCall } from '../recording-proxy.ts';
import { act, type Operator, setUpRedriver } from './redriver-fixture.ts';

const { fixture, lambda, closedSuppliers, open, answeredBy, deadLetters } = await setUpRedriver();

const cartsOf = (count: number): Row[] => Array.from({ length: count }, () => newCart());
const unmapped = (cart: Row): Row => withItems(cart, (item) => ({ ...item, Unit: 'XXX' }));

async function standingWord(cart: Row): Promise<string> {
  const pk = `CART#100#${textOf(cart['ObjectId'])}`;
  const items = (await fixture.wholeTable()).filter((item) => item['pk'] === pk);
  return standingOf(tracesOf(items), { nowMs: Date.now() }).word;
}

const operations = async (): Promise<Record<string, unknown>[]> =>
  (await fixture.wholeTable()).filter(({ pk }) => textOf(pk).startsWith('OPERATION#'));

describe('a redrive', () => {
  test('of three of ten by their ids makes their orders, and leaves the others as they were', async () => {
    const operator = await open();
    const carts = cartsOf(10);
    const ids = await deadLetters(operator, carts);
    const messageIds = ids.slice(2, 5);
    const plan = await operator.plan({ messageIds });
    expect(plan).toMatchObject({
      seen: 10,
      about: 10,
      selected: 3,
      moves: 3,
      orders: 3,
      forecasts: { ordered: 3 },
      notSeen: [],
    });

    expect(await operator.redrive(plan.planHash)).toMatchObject({
      status: 'complete',
      moved: 3,
      ordered: 3,
      failed: [],
      open: 0,
    });

    for (const [index, cart] of carts.entries()) {
      expect(fixture.ordersOf(cart)).toHaveLength(index >= 2 && index < 5 ? 1 : 0);
    }
    const others = ids.filter((id) => !messageIds.includes(id));
    expect((await operator.worker.deadLetters()).sort()).toEqual(others.sort());
    expect(await Promise.all(carts.slice(1, 4).map(standingWord))).toEqual(['dead-lettered', 'cured', 'cured']);
    // The list of open dead letters holds the others alone.
    const verdicts = (await fixture.wholeTable()).filter(({ sk }) => ids.includes(textOf(sk).replace('VERDICT#', '')));
    expect(verdicts).toHaveLength(10);
    expect(verdicts.filter(({ listedAs }) => listedAs !== undefined)).toHaveLength(7);
    expect((await operations()).at(-1)).toMatchObject({
      action: 'redrive',
      ...act,
      subject: `3 dead letters, plan ${plan.planHash ?? ''}`,
      messageIds: expect.arrayContaining(messageIds),
      cartNumbers: expect.arrayContaining([carts[2]?.['ObjectId']]),
      outcome: { result: 'done', summary: '3 moved, 3 ordered' },
    });
    // The same plan again finds nothing to move.
    expect(await operator.redrive(plan.planHash)).toMatchObject({ status: 'partly', moved: 0 });
  }, 60_000);

  test('by code takes those that now can pass, and neither what still fails nor what cannot be read', async () => {
    const operator = await open();
    const [curable, alsoCurable] = cartsOf(2);
    const [incurable] = [unmapped(newCart())];
    if (curable === undefined || alsoCurable === undefined) throw new Error('no carts');
    await deadLetters(operator, [curable, alsoCurable, incurable]);
    await operator.worker.send('no cart');
    await operator.drain();

    const all = await operator.plan({ owner: 'mapping owner' });
    expect(all.forecasts).toEqual({ ordered: 2, fails: 1 });
    expect((await operator.plan({ code: 'E_MAP_UOM' })).forecasts).toEqual({ fails: 1 });
    expect((await operator.plan({ code: 'E_INT_MESSAGE' })).forecasts).toEqual({ unreadable: 1 });
    expect((await operator.plan({ supplier: '0000100234', cart: textOf(curable['ObjectId']) })).forecasts).toEqual({
      ordered: 1,
    });
    expect((await operator.plan({ run: 'another' })).forecasts).toEqual({});
    expect((await operator.plan({ code: 'E_MAP_UOM' })).planHash).toBeUndefined();

    expect(await operator.redrive(all.planHash)).toMatchObject({ status: 'complete', moved: 2, ordered: 2 });
    expect(await operator.worker.deadLetters()).toHaveLength(2);
  }, 60_000);

  test('by several codes, in any order, takes those that have exactly these; by NONE those without a verdict', async () => {
    const operator = await open();
    const { worker } = operator;
    const both = withItems(newCart(), (item) => ({ ...item, Unit: 'XXX', Currency: 'XXX' }));
    await deadLetters(operator, [both, unmapped(newCart())]);
    const [neverTried = ''] = await worker.send(envelope(newCart()));
    await operator.giveUpUntried();

    const code = 'E_MAP_UOM E_MAP_CURRENCY';
    expect(await operator.plan({ code })).toMatchObject({
      selected: 1,
      messages: [{ codes: ['E_MAP_CURRENCY', 'E_MAP_UOM'] }],
    });
    expect(await operator.plan({ code: 'E_MAP_CURRENCY  E_MAP_UOM' })).toMatchObject({ selected: 1 });
    expect(await operator.plan({ code: 'E_MAP_CURRENCY' })).toMatchObject({ selected: 0 });
    expect(await operator.plan({ code: 'NONE' })).toMatchObject({ messages: [{ messageId: neverTried, moves: true }] });
  }, 60_000);

  test('stops at a first message that fails again, and releases all others', async () => {
    const operator = await open();
    const carts = cartsOf(5);
    const ids = await deadLetters(operator, carts);
    const { planHash } = await operator.plan({ code: 'E_TGT_VALIDATION' });
    closedSuppliers.add('SUP-00871');

    const result = await operator.redrive(planHash);
    expect(result).toMatchObject({ status: 'stopped', moved: 1, failed: [{ codes: ['E_TGT_VALIDATION'] }] });
    await operator.drain();
    const dead = await operator.worker.deadLetters();
    expect(dead).toHaveLength(5);
    expect(dead.filter((id) => ids.includes(id))).toHaveLength(4);
    expect((await operations()).at(-1)).toMatchObject({ outcome: { result: 'stopped' } });
  }, 60_000);

  test('is pointless where every order exists, and moves it only when asked for everything', async () => {
    const operator = await open();
    const cart = newCart();
    await deadLetters(operator, [cart]);
    await operator.worker.send(envelope(cart));
    await operator.drain();
    expect(fixture.ordersOf(cart)).toHaveLength(1);

    const selection = { cart: textOf(cart['ObjectId']) };
    expect(await operator.plan(selection)).toMatchObject({ moves: 0, forecasts: { pointless: 1 } });
    const { planHash } = await operator.plan(selection, true);
    expect(await operator.redrive(planHash)).toMatchObject({ status: 'complete', moved: 1, ordered: 1 });
    expect(fixture.ordersOf(cart)).toHaveLength(1);
    expect(await operator.worker.deadLetters()).toEqual([]);
  }, 60_000);

  test('keeps attributes as they are, and one that was interrupted is completed by the next', async () => {
    const operator = await open();
    const { worker } = operator;
    const { clients } = fixture.systems;
    const cart = newCart();
    const body = writeCartMessage(envelope(cart));
    const { QueueUrl } = await clients.sqs.send(new GetQueueUrlCommand({ QueueName: worker.deadLetterName }));
    const url = new URL(new URL(QueueUrl ?? '').pathname, fixture.systems.emulators.endpoints.sqs).href;
    const attributes = {
      ...fixture.systems.signed(body),
      requeues: { DataType: 'Number', StringValue: '3' },
      raw: { DataType: 'Binary.own', BinaryValue: new Uint8Array([1, 0, 255]) },
    };
    await clients.sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: body, MessageAttributes: attributes }));
    const { planHash } = await operator.plan({ cart: textOf(cart['ObjectId']) });

    // SQS takes the message, and its answer to the deletion never comes.
    fixture.proxies.sqs.intercept(async (call, forward) =>
      call.operation === 'DeleteMessageBatch' ? 'reset' : forward(),
    );
    await expect(operator.redrive(planHash)).rejects.toThrow(/socket hang up|ECONNRESET|reset/);
    fixture.calm();
    const queue = await clients.sqs.send(new GetQueueUrlCommand({ QueueName: worker.queueName }));
    const { Messages: messages = [] } = await clients.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: new URL(new URL(queue.QueueUrl ?? '').pathname, fixture.systems.emulators.endpoints.sqs).href,
        MessageAttributeNames: ['All'],
        VisibilityTimeout: 0,
      }),
    );
    expect(messages).toEqual([expect.objectContaining({ Body: body, MessageAttributes: attributes })]);
    expect(await worker.deadLetters()).toHaveLength(1);

    expect(await operator.plan({ cart: textOf(cart['ObjectId']) })).toMatchObject({ forecasts: { sent: 1 }, moves: 1 });
    expect(await operator.redrive(planHash)).toMatchObject({ status: 'complete', moved: 0, completed: 1 });
    expect(await worker.deadLetters()).toEqual([]);
    await operator.drain();
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  }, 60_000);

  test('is refused for an unknown plan, and while consumption is paused unless it is forced; nothing is recorded', async () => {
    const operator = await open();
    const cart = newCart();
    await deadLetters(operator, [cart]);
    const { planHash } = await operator.plan({ cart: textOf(cart['ObjectId']) });
    const before = (await operations()).length;
    await expect(operator.redrive('0'.repeat(32))).rejects.toThrow(/There is no such plan/);
    const Item = marshall({ pk: 'BREAKER#11VMS', sk: 'BREAKER', state: 'FORCED_OPEN', reason: 'maintenance' });
    await fixture.systems.clients.dynamodb.send(new PutItemCommand({ TableName: fixture.systems.tableName, Item }));
    await expect(operator.redrive(planHash)).rejects.toThrow(/Consumption is paused \(maintenance\)/);
    expect((await operations()).length).toBe(before);
    expect(await operator.worker.deadLetters()).toHaveLength(1);
  }, 60_000);
});

describe('a worker that dies', () => {
  /** What Lambda answers when a function is killed. */
  const died = {
    status: 200,
    headers: { 'content-type': 'application/json', 'x-amz-function-error': 'Unhandled' },
    body: JSON.stringify({ errorType: 'Runtime.OutOfMemory', errorMessage: 'signal: killed' }),
  };

  test('of one dead letter leaves that one without a forecast, and the plan moves the others', async () => {
    const operator = await open();
    const carts = cartsOf(5);
    const ids = await deadLetters(operator, carts);
    const answered = answeredBy(operator.worker);
    lambda.intercept((call, forward) =>
      call.body.includes(textOf(carts[3]?.['ObjectId'])) ? Promise.resolve(died) : answered(call, forward),
    );
    const plan = await operator.plan({ messageIds: ids });
    expect(plan).toMatchObject({ forecasts: { ordered: 4, unknown: 1 }, moves: 4 });
    expect(plan.messages.find(({ messageId }) => messageId === ids[3])).toMatchObject({
      forecast: 'unknown',
      forecastReason: 'the worker gave no forecast',
      moves: false,
    });
  }, 60_000);

  test('of everything gives no plan, and is not asked for each dead letter', async () => {
    const operator = await open();
    const ids = await deadLetters(operator, cartsOf(2));
    const before = lambda.calls.length;
    lambda.intercept(() => Promise.resolve(died));
    await expect(operator.plan({ messageIds: ids })).rejects.toThrow(/The worker gave no forecast/);
    expect(lambda.calls.slice(before)).toHaveLength(2);
  }, 60_000);
});

test('a dead letter that is closed is deleted; who, why and when stay, and its cart counts as closed', async () => {
  const operator = await open();
  const [closed, other] = cartsOf(2);
  if (closed === undefined || other === undefined) throw new Error('no carts');
  const [id = '', otherId] = await deadLetters(operator, [closed, other]);

  expect(await operator.invoke({ close: { messageIds: [id, 'unknown'], ...act } })).toMatchObject({
    status: 'partly',
    closed: 1,
    notSeen: ['unknown'],
    summary: '1 closed, 1 not seen',
  });

  expect(await operator.worker.deadLetters()).toEqual([otherId]);
  expect([await standingWord(closed), await standingWord(other)]).toEqual(['closed', 'dead-lettered']);
  const items = await fixture.ledgerOf(closed);
  expect(items.find(({ sk }) => sk === `CLOSED#${id}`)).toMatchObject({ ...act, recordedAtMs: expect.any(Number) });
  expect(items.find(({ sk }) => sk === `VERDICT#${id}`)).not.toHaveProperty('listedAs');
  expect((await operations()).at(-1)).toMatchObject({
    action: 'close',
    ...act,
    messageIds: [id, 'unknown'],
    cartNumbers: [closed['ObjectId']],
  });
}, 60_000);

/** SQS deletes nothing, until the returned function is called. */
function refuseDeletions(): () => void {
  let isRefusing = true;
  fixture.proxies.sqs.intercept(async ({ operation, body }, forward) => {
    if (!isRefusing || operation !== 'DeleteMessageBatch') return forward();
    const [entry] = z.object({ Entries: z.array(z.object({ Id: z.string() })) }).parse(tryParseJson(body)).Entries;
    const Failed = [{ Id: entry?.Id, Code: 'InternalError', SenderFault: false }];
    const headers = { 'content-type': 'application/x-amz-json-1.0' };
    return { status: 200, headers, body: JSON.stringify({ Successful: [], Failed }) };
  });
  return () => {
    isRefusing = false;
  };
}

describe('a cart that was closed by hand', () => {
  test('is ordered by no plan of a group, although another of its dead letters lies there; only by one that names it and asks for everything', async () => {
    const operator = await open();
    const [cart] = cartsOf(1);
    if (cart === undefined) throw new Error('no cart');
    // Two copies of one version.
    const [closed = '', copy = '', other = ''] = await deadLetters(operator, [cart, cart, newCart()]);
    expect(await operator.invoke({ close: { messageIds: [closed], ...act } })).toMatchObject({ closed: 1 });

    for (const everything of [false, true]) {
      const plan = await operator.plan({ code: 'E_TGT_VALIDATION' }, everything);
      expect(plan).toMatchObject({ forecasts: { closed: 1, ordered: 1 }, moves: 1, orders: 1 });
      expect(plan.messages.filter(({ moves }) => moves)).toMatchObject([{ messageId: other }]);
    }
    const number = textOf(cart['ObjectId']);
    expect(await operator.plan({ cart: number })).toMatchObject({ forecasts: { closed: 1 }, moves: 0 });
    expect(await operator.plan({ messageIds: [copy] }, true)).toMatchObject({ moves: 1, orders: 1 });
    const { planHash, messages } = await operator.plan({ cart: number }, true);
    expect(messages).toMatchObject([
      { forecast: 'ordered', forecastReason: expect.stringMatching(/^a person settled its cart by hand/) },
    ]);
    expect(await operator.redrive(planHash)).toMatchObject({ status: 'complete', moved: 1, ordered: 1 });
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  }, 60_000);

  test('is redriven as any other when it was queued again since', async () => {
    const operator = await open();
    const [cart] = cartsOf(1);
    if (cart === undefined) throw new Error('no cart');
    const ids = await deadLetters(operator, [cart]);
    await operator.invoke({ close: { messageIds: ids, ...act } });
    await deadLetters(operator, [cart]);

    expect(await operator.plan({ code: 'E_TGT_VALIDATION' })).toMatchObject({ forecasts: { ordered: 1 }, moves: 1 });
  }, 60_000);

  test('since the plan was made stays where it is', async () => {
    const operator = await open();
    const carts = cartsOf(3);
    const [closed = '', copied = ''] = await deadLetters(operator, carts);
    const { worker } = operator;
    closedSuppliers.add('SUP-00871');
    const [copy = ''] = await worker.send(envelope(carts[1] ?? {}));
    await operator.drain();
    closedSuppliers.clear();
    const { planHash, moves } = await operator.plan({ code: 'E_TGT_VALIDATION' });
    expect(moves).toBe(4);
    const deleteAgain = refuseDeletions();
    await operator.invoke({ close: { messageIds: [closed], ...act } });
    deleteAgain();
    await operator.invoke({ close: { messageIds: [copied], ...act } });

    expect(await operator.redrive(planHash)).toMatchObject({
      moved: 1,
      closed: expect.arrayContaining([closed, copy]),
      left: [copied],
      summary: '1 moved, 1 ordered, 2 closed by hand since the plan, 1 left in the dead-letter queue',
    });
    expect(carts.map((cart) => fixture.ordersOf(cart).length)).toEqual([0, 0, 1]);
    expect((await worker.deadLetters()).sort()).toEqual([closed, copy].sort());
  }, 60_000);
});

describe('a redrive of everything by SQS', () => {
  const started = () =>
    fixture.proxies.sqs.calls.filter(({ operation }) => operation === 'StartMessageMoveTask').length;

  test('is refused while a dead letter of a closed cart lies there: SQS would move it, too', async () => {
    const operator = await open();
    const cart = newCart();
    // Two copies of one version.
    const [closed = '', copy = '', other = ''] = await deadLetters(operator, [cart, cart, newCart()]);
    const before = started();
    const deleteAgain = refuseDeletions();
    expect(await operator.invoke({ close: { messageIds: [closed], ...act } })).toMatchObject({ notDeleted: [closed] });

    await expect(operator.invoke({ redriveAll: act })).rejects.toThrow(/Carts that were closed by hand .*Nothing was/);

    deleteAgain();
    expect(await operator.invoke({ close: { messageIds: [closed], ...act } })).toMatchObject({ closed: 1 });
    await expect(operator.invoke({ redriveAll: act })).rejects.toThrow(copy);
    expect(started()).toBe(before);
    expect(await operator.invoke({ close: { messageIds: [copy], ...act } })).toMatchObject({ closed: 1 });
    // The emulator has no move tasks.
    await expect(operator.invoke({ redriveAll: act })).rejects.toThrow('StartMessageMoveTask');
    expect(started()).toBeGreaterThan(before);
    expect(await operator.worker.deadLetters()).toEqual([other]);
  }, 60_000);

  test('is refused where only a part of the queue could be looked at, unless that is taken; a pause is another question', async () => {
    const operator = await open();
    await deadLetters(operator, cartsOf(2));
    const before = started();
    const { clients, emulators } = fixture.systems;
    const QueueUrl = new URL(`/000000000000/${operator.worker.deadLetterName}`, emulators.endpoints.sqs).href;
    await clients.sqs.send(new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 60 }));

    await expect(operator.invoke({ redriveAll: act })).rejects.toThrow(
      /Only 1 of about 2 could be looked at .*Nothing was/,
    );
    expect(started()).toBe(before);
    await expect(operator.invoke({ redriveAll: { ...act, force: true } })).rejects.toThrow(/or add "unseen": true/);
    expect(started()).toBe(before);
    // The emulator has no move tasks.
    await expect(operator.invoke({ redriveAll: { ...act, unseen: true } })).rejects.toThrow('StartMessageMoveTask');
    expect(started()).toBeGreaterThan(before);
  }, 60_000);
});

test('the list says what, why, since when and until when, and nothing of the content; nor do log, plan and operation', async () => {
  const operator = await open();
  const cart = newCart();
  const [id] = await deadLetters(operator, [cart]);
  fixture.takeOutput();

  const list = await operator.invoke({ list: {} });
  expect(list).toMatchObject({
    seen: 1,
    about: 1,
    heldByOthers: 0,
    deadLetters: [
      {
        messageId: id,
        cartNumber: cart['ObjectId'],
        cartGuid: cart['Guid'],
        runId: 'run-7',
        suppliers: ['100234'],
        queuedAt: expect.stringMatching(/Z$/),
        deadSince: expect.stringMatching(/Z$/),
        deletedAt: expect.stringMatching(/Z$/),
        codes: ['E_TGT_VALIDATION'],
        reason: expect.stringMatching(/^E_TGT_VALIDATION: /),
        owners: ['mapping owner'],
      },
    ],
  });
  // The ledger's list says as the queue does until when SQS keeps it.
  const { deadLetters: letters } = z.object({ deadLetters: z.array(z.object({ queuedAt: z.string() })) }).parse(list);
  const verdict = (await fixture.ledgerOf(cart)).find(({ sk }) => sk === `VERDICT#${id ?? ''}`);
  expect(letters.map(({ queuedAt }) => Date.parse(queuedAt))).toEqual([verdict?.['sentAtMs']]);
  const { planHash, ...plan } = await operator.plan({ messageIds: [id] });
  await operator.redrive(planHash);

  const personal = ['Jean Dupont', 'j.dupont@example.test', 'm.martin@example.test', 'Brussels campus'];
  const own = (await fixture.wholeTable()).filter(({ pk }) => /^(PLAN|OPERATION)#/.test(textOf(pk)));
  expect(JSON.stringify(asJsonObject(tryParseJson(writeCartMessage(envelope(cart)))))).toContain(personal[0]);
  const shown = [JSON.stringify(list), JSON.stringify(plan), JSON.stringify(own), ...fixture.takeOutput()].join('\n');
  for (const text of personal) expect(shown).not.toContain(text);
  expect(shown).toContain('"event":"operation.ended"');
}, 60_000);

test('a dead letter that is not signed is listed without the cart that it claims, stays where it is, and is closed under none', async () => {
  const operator = await open();
  const { worker } = operator;
  const cart = newCart();
  const { clients, emulators } = fixture.systems;
  const QueueUrl = new URL(`/000000000000/${worker.queueName}`, emulators.endpoints.sqs).href;
  const MessageBody = writeCartMessage(envelope(cart));
  const { MessageId: id = '' } = await clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  await operator.drain();
  expect(await worker.deadLetters()).toEqual([id]);

  const { deadLetters: listed } = z
    .looseObject({ deadLetters: z.array(z.record(z.string(), z.unknown())) })
    .parse(await operator.invoke({ list: {} }));
  expect(listed).toMatchObject([
    { messageId: id, codes: ['E_INT_SIGNATURE'], suppliers: [], owners: ['interface team'] },
  ]);
  expect(JSON.stringify(listed)).not.toContain(textOf(cart['ObjectId']));
  expect(await operator.plan({ cart: textOf(cart['ObjectId']) })).toMatchObject({ messages: [] });
  const { planHash, ...plan } = await operator.plan({ messageIds: [id] });
  expect(planHash).toBeUndefined();
  expect(plan).toMatchObject({
    moves: 0,
    messages: [
      { forecast: 'fails', forecastCodes: ['E_INT_SIGNATURE'], forecastReason: expect.stringContaining('not signed') },
    ],
  });
  // It is moved only when a person insists, and comes back.
  const forced = await operator.plan({ messageIds: [id] }, true);
  expect(await operator.redrive(forced.planHash)).toMatchObject({ status: 'stopped', moved: 1 });
  await operator.drain();
  const [newId = ''] = await worker.deadLetters();
  expect(newId).not.toBe(id);
  expect(await operator.invoke({ close: { messageIds: [newId], ...act } })).toMatchObject({
    closed: 1,
    cartNumbers: [],
  });
  expect(await worker.deadLetters()).toEqual([]);
  expect(fixture.ordersOf(cart)).toEqual([]);
  expect(JSON.stringify(await fixture.wholeTable())).not.toContain(textOf(cart['ObjectId']));
}, 60_000);

test.each<[string, unknown]>([
  ['no event', {}],
  ['a redrive without a reason', { redrive: { planHash: '0'.repeat(32), by: 'ann' } }],
  ['a reason that names a person', { close: { messageIds: ['m'], by: 'ann', reason: 'asked by ann@example.com' } }],
  ['an empty selection', { plan: { selection: {} } }],
  ['an unknown code', { plan: { selection: { code: 'E_NO' } } }],
  ['an unknown code beside a known one', { plan: { selection: { code: 'E_MAP_UOM E_NO' } } }],
  ['more than 500 ids', { close: { messageIds: Array.from({ length: 501 }, (_, i) => `m${i}`), ...act } }],
  ['two acts at once', { list: {}, redriveAll: { ...act } }],
  ['a field too much', { list: { all: true } }],
])('%s is refused, and nothing is changed', async (_what, event) => {
  const operator = await open();
  const before = fixture.proxies.sqs.calls.length;
  await expect(operator.invoke(event)).rejects.toThrow(/^The event must be .*nothing was changed/s);
  expect(fixture.proxies.sqs.calls.length).toBe(before);
});

describe('a redrive of a message whose order 11VMS may hold, while a newer version of its cart was deleted,', () => {
  /** The message is a dead letter. 11VMS holds its order, or never took it. */
  async function deletedMeanwhile(operator: Operator, isHeld: boolean): Promise<Row> {
    const cart = newCart();
    const { worker } = operator;
    const isCallFor = ({ path, body }: RecordedCall): boolean => `${path} ${body}`.includes(externalIdOf(cart));
    fixture.proxies.vms.intercept(always(isCallFor, isHeld ? commitThenAnswer(500) : answer(500)));
    await worker.send(envelope(cart));
    const { records } = await worker.deliver();
    await fixture.expireLease(cart);
    await worker.send(envelope({ ...cart, DelInd: 'X', ChangedAt: edmInstant('2026-11-28T08:00:00Z') }));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    await worker.endDelay(records);
    await operator.drain();
    fixture.calm();
    await fixture.expireLease(cart);
    return cart;
  }

  test.each([
    ['tells of it where 11VMS holds it', true, { status: 'stopped', ordered: 0, skipped: 0 }, 'dead-lettered'],
    ['ends without an order where 11VMS does not', false, { status: 'complete', skipped: 1, failed: [] }, 'skipped'],
  ])(
    '%s',
    async (_what, isHeld, result, word) => {
      const operator = await open();
      const cart = await deletedMeanwhile(operator, isHeld);
      const plan = await operator.plan({ cart: textOf(cart['ObjectId']) });
      expect(plan).toMatchObject({ forecasts: { unknown: 1 }, moves: 1 });

      expect(await operator.redrive(plan.planHash)).toMatchObject({ moved: 1, open: 0, ...result });
      expect(await standingWord(cart)).toBe(word);
      expect(fixture.ordersOf(cart)).toHaveLength(isHeld ? 1 : 0);
    },
    60_000,
  );
});
