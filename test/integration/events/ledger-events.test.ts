/**
 * Which writes to the ledger are events: the filters of the synthesized pipes over every transition of the reference, and
 * over what the real worker writes.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { CRASHED } from '../../../functions/create-purchase-orders/verdict/verdict.ts';
import { orderSort, VERDICT_STATES, verdictSort } from '../../../shared/ledger-keys.ts';
import { cartDeadLetteredEvent, orderCreatedEvent } from '../../../shared/event-attribute.ts';
import { namesOf } from '../../../shared/names-of.ts';
import type { OrderClaim, OrderItem } from '../../../shared/ledger.ts';
import { cartDeadLettered, cloudEvent, orderCreated } from '../../../shared/order-events.ts';
import { claimItem, confirmItem, SETTLE_TABLE, settleItem } from '../../deep/model/reference-ledger.ts';
import { EVERYTHING_ENVIRONMENT, synthesizeStack } from '../../infra/synthesis.ts';
import { type BusEvent, createPipes, type Pipes, streamRecord } from '../../simulators/eventbridge/pipe.ts';
import {
  always,
  answer,
  CARELESS,
  commitThenAnswer,
  edmInstant,
  envelope,
  externalIdOf,
  isCreate,
  isLookUp,
  newCart,
  onFirstCreate,
  openWorkerFixture,
  type Row,
  textOf,
  type Worker,
  type WorkerFixture,
  withItems,
  withVendors,
} from '../create/worker-fixture.ts';
import { createTableStream, type TableStream } from '../table-stream.ts';

let fixture: WorkerFixture;
let pipes: Pipes;
let stream: TableStream;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'events-'));
  const file = join(directory, 'everything.json');
  writeFileSync(file, JSON.stringify(EVERYTHING_ENVIRONMENT));
  const [synthesis, opened] = await Promise.all([
    synthesizeStack(file, join(directory, 'out')),
    openWorkerFixture({ vms: CARELESS }),
  ]);
  pipes = createPipes(synthesis.template);
  fixture = opened;
}, 120_000);
afterAll(async () => {
  await fixture.close();
  rmSync(directory, { recursive: true, force: true });
});
beforeEach(() => {
  fixture.calm();
  fixture.takeOutput();
  stream = createTableStream(fixture.systems.clients.dynamodb);
  fixture.proxies.dynamodb.intercept(stream.intercept);
});

const CREATED = 'PurchaseOrder.Created.v1';
const DEAD_LETTERED = 'ShoppingCart.DeadLettered.v1';

describe('by the reference of the ledger', () => {
  const cart = { client: '100', number: '1070000008' };
  const externalId = 'SRM7-100-1070000008-100234-EUR-BE10';
  const image = (item: OrderItem | undefined) =>
    item &&
    marshall(
      {
        pk: 'CART#100#1070000008',
        sk: orderSort(externalId),
        ...item,
        ...(item.state === 'CREATED'
          ? { event: orderCreatedEvent({ cart, externalId }, { id: 'po_1', number: 'PO-1' }, 0) }
          : {}),
      },
      { removeUndefinedValues: true },
    );
  const claimOf = (attempt: number, version: number, nowMs: number): OrderClaim => ({
    cart,
    externalId,
    contentHash: `content ${version}`,
    changedAtMs: version,
    ordersOfCart: 1,
    messageId: `message ${version}`,
    receive: 1,
    attemptId: `attempt ${attempt}`,
    nowMs,
    leaseMs: 10,
  });

  /** Every write that can follow an item: two attempts, two versions, within a lease and after it. */
  function* following(item: OrderItem | undefined): Generator<OrderItem | undefined> {
    for (const attempt of [1, 2]) {
      for (const version of [1, 2]) {
        for (const nowMs of [0, 100]) yield claimItem(item, claimOf(attempt, version, nowMs)).item;
        yield confirmItem(item, claimOf(attempt, version, 0));
      }
      for (const how of namesOf(SETTLE_TABLE)) {
        const order = how === 'created' ? { order: { id: 'po_1', number: 'PO-1' } } : {};
        yield settleItem(item, `attempt ${attempt}`, how, { faults: [], mayExist: true, leaseUntilMs: 50, ...order });
      }
    }
  }

  test('an order is an event when it becomes CREATED, and by no other write', () => {
    const seen = new Set<string>();
    const transitions = new Map<string, number>();
    let frontier: (OrderItem | undefined)[] = [undefined];
    for (let depth = 0; depth < 6; depth += 1) {
      const next: (OrderItem | undefined)[] = [];
      for (const before of frontier) {
        for (const after of following(before)) {
          const record = streamRecord(image(before), image(after));
          if (record === undefined || after === undefined) continue;
          const name = `${before?.state ?? 'none'} -> ${after.state}`;
          transitions.set(name, (transitions.get(name) ?? 0) + 1);
          const isEvent = before?.state !== 'CREATED' && after.state === 'CREATED';
          expect([name, pipes.eventsOf(record).map((event) => event['detail-type'])]).toEqual([
            name,
            isEvent ? [CREATED] : [],
          ]);
          const { attempts: _count, ...state } = after;
          const key = JSON.stringify({ ...state, claimedHashes: [...state.claimedHashes] });
          if (!seen.has(key)) next.push(after);
          seen.add(key);
        }
      }
      frontier = next;
    }
    // What was walked, so that a walk that stands still does not pass; a created order is written again, and is no event.
    expect([...transitions.keys()].sort()).toEqual([
      'CREATED -> CREATED',
      'NEW -> POSTING',
      'POSTING -> CREATED',
      'POSTING -> NEW',
      'POSTING -> POSTING',
      'POSTING -> REJECTED',
      'POSTING -> UNKNOWN',
      'REJECTED -> POSTING',
      'UNKNOWN -> POSTING',
      'none -> POSTING',
    ]);
  });

  test('a verdict is an event when it becomes FINAL, and by no other write', () => {
    const faults = [CRASHED];
    const verdict = (state: (typeof VERDICT_STATES)[number] | undefined, recordedAtMs: number) =>
      state &&
      marshall({
        pk: 'CART#100#1070000008',
        sk: verdictSort('message'),
        state,
        faults,
        recordedAtMs,
        ...(state === 'FINAL' ? { event: cartDeadLetteredEvent({ cart, messageId: 'message' }, faults, 0) } : {}),
      });
    for (const before of [undefined, ...VERDICT_STATES]) {
      for (const after of [undefined, ...VERDICT_STATES]) {
        const record = streamRecord(verdict(before, 1), verdict(after, 2));
        const isEvent = before !== 'FINAL' && after === 'FINAL';
        const events = record === undefined ? [] : pipes.eventsOf(record);
        expect([before, after, events.map((event) => event['detail-type'])]).toEqual([
          before,
          after,
          isEvent ? [DEAD_LETTERED] : [],
        ]);
      }
    }
  });
});

describe('by what the worker writes', () => {
  const events = (): BusEvent[] => stream.records.flatMap((record) => pipes.eventsOf(record));
  const told = (): string[] => events().map((event) => `${event['detail-type']} ${textOf(event.detail['id'])}`);
  const created = (cart: Row, vendor?: string): string => `${CREATED} ${externalIdOf(cart, vendor)}`;

  async function sent(cart: Row): Promise<{ worker: Worker; messageId: string }> {
    const worker = await fixture.worker();
    const [messageId = ''] = await worker.send(envelope(cart));
    return { worker, messageId };
  }

  test('an order is created: one event, which is a CloudEvent with the data of the order', async () => {
    const cart = newCart();
    const { worker } = await sent(cart);
    await worker.deliver();

    const [event, ...others] = events();
    expect(others).toEqual([]);
    const [{ id: orderId, number: orderNumber } = {}] = fixture.ordersOf(cart);
    const { time, ...detail } = cloudEvent(orderCreated).parse(event?.detail);
    expect(detail).toEqual({
      specversion: '1.0',
      id: externalIdOf(cart),
      source: '/proc-srm7-11vms-purchase-order-v1/everything',
      type: 'acme.procurement.purchaseorder.v1.PurchaseOrder.Created.v1',
      subject: externalIdOf(cart),
      datacontenttype: 'application/json',
      data: {
        externalId: externalIdOf(cart),
        orderId,
        orderNumber,
        sapClient: '100',
        cartNumber: cart['ObjectId'],
        createdAt: time,
      },
    });
    expect(orderNumber).not.toBe('');
    expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(60_000);
    expect(event).toMatchObject({ source: 'proc-srm7-11vms-purchase-order-v1', 'detail-type': CREATED });
  });

  test('11VMS gives no number: the number is empty, and the event is whole', async () => {
    const cart = newCart();
    const { worker } = await sent(cart);
    fixture.proxies.vms.intercept(
      always(isCreate, commitThenAnswer(201, { id: 'po-without-number', externalId: externalIdOf(cart) })),
    );
    await worker.deliver();

    const [{ detail } = {}] = events();
    expect(cloudEvent(orderCreated).parse(detail).data).toMatchObject({
      orderId: 'po-without-number',
      orderNumber: '',
    });
  });

  test('each order of a cart is one event', async () => {
    const cart = withVendors(newCart(), '100234', '100999');
    const { worker } = await sent(cart);
    await worker.deliver();

    expect(fixture.ordersOf(cart)).toHaveLength(2);
    expect(
      told()
        .filter((text) => text.startsWith(CREATED))
        .sort(),
    ).toEqual(
      fixture
        .ordersOf(cart)
        .map(({ order }) => `${CREATED} ${order.externalId}`)
        .sort(),
    );
  });

  test('a lost answer, and the order that a later attempt finds: one event', async () => {
    const cart = newCart();
    const { worker } = await sent(cart);
    fixture.vms.setDisturbances(onFirstCreate({ kind: 'reset-after-commit' }));
    fixture.proxies.vms.intercept(always(isLookUp, answer(503)));
    await worker.deliver();
    expect(told()).toEqual([]);
    fixture.proxies.vms.intercept((_call, forward) => forward());
    await fixture.expireLease(cart);
    await worker.send(envelope(cart));
    await worker.deliver();

    expect(fixture.ordersOf(cart)).toHaveLength(1);
    expect(told()).toEqual([created(cart)]);
  });

  test('the same cart again, unchanged, in a newer version and changed: no further event of its order', async () => {
    const cart = newCart();
    const { worker } = await sent(cart);
    await worker.deliver();
    const newer = { ...cart, ChangedAt: edmInstant('2026-11-20T20:32:06Z') };
    await worker.send(envelope(cart), envelope(newer));
    await worker.deliver();
    // The version that the order is confirmed for is written into its item.
    expect(stream.records.filter(({ dynamodb }) => JSON.stringify(dynamodb.NewImage).includes('CREATED')).length).toBe(
      2,
    );
    expect(told()).toEqual([created(cart)]);
  });

  test('a cart that cannot be translated: one event of the message, with codes and owner and without a text', async () => {
    const cart = withItems(newCart(), (item) => ({ ...item, Unit: 'ZQ9X' }));
    const { worker, messageId } = await sent(cart);
    // The remaining receives end at the verdict, which none of them writes again.
    await worker.deliverTimes(4);

    const [event, ...others] = events();
    expect(others).toEqual([]);
    const { time, ...detail } = cloudEvent(cartDeadLettered).parse(event?.detail);
    expect(detail).toEqual({
      specversion: '1.0',
      id: messageId,
      source: '/proc-srm7-11vms-purchase-order-v1/everything',
      type: 'acme.procurement.shoppingcart.v1.ShoppingCart.DeadLettered.v1',
      subject: `100/${textOf(cart['ObjectId'])}`,
      datacontenttype: 'application/json',
      data: {
        messageId,
        cart: `100/${textOf(cart['ObjectId'])}`,
        sapClient: '100',
        cartNumber: cart['ObjectId'],
        codes: ['E_MAP_UOM'],
        owner: 'mapping owner',
        recordedAt: time,
      },
    });
    // What the verdict's faults quote stays in the ledger.
    expect(JSON.stringify(await fixture.verdictOf(messageId))).toContain('ZQ9X');
    expect(JSON.stringify(events())).not.toContain('ZQ9X');
  });

  test('a message that no attempt can deliver: no event until the last attempt ends, then one', async () => {
    const cart = newCart();
    const { worker, messageId } = await sent(cart);
    fixture.proxies.vms.intercept(always(isCreate, answer(422, { code: 'X', message: 'no' })));
    await worker.deliverTimes(1);
    expect(told()).toEqual([`${DEAD_LETTERED} ${messageId}`]);

    const other = newCart();
    const { worker: patient, messageId: second } = await sent(other);
    fixture.proxies.vms.intercept(always(isCreate, answer(408)));
    await patient.deliverTimes(3);
    expect(told().filter((text) => text.endsWith(second))).toEqual([]);
  });

  test('a message that cannot be read: an event of the message, whose cart nobody knows', async () => {
    const worker = await fixture.worker();
    const [messageId = ''] = await worker.send('"quotes" and \\ and no envelope');
    await worker.deliverTimes(1);

    const [{ detail } = {}] = events();
    const { subject, data } = cloudEvent(cartDeadLettered).parse(detail);
    expect(subject).toBe('100/-');
    expect(data).toMatchObject({ messageId, cart: '100/-', cartNumber: '', codes: ['E_INT_MESSAGE'] });
  });

  test('a skipped cart is no event', async () => {
    const cart = newCart({ DelInd: 'X' });
    const { worker } = await sent(cart);
    await worker.deliver();

    expect(stream.records.length).toBeGreaterThan(0);
    expect(told()).toEqual([]);
  });
});

test('no text of the ledger breaks the JSON of an event', () => {
  const hostile = 'a"b\\c\nd';
  const cart = { client: '100', number: hostile };
  const before = { pk: 'p', sk: orderSort('x'), state: 'POSTING' };
  const after = {
    ...before,
    state: 'CREATED',
    event: orderCreatedEvent({ cart, externalId: hostile }, { id: hostile, number: hostile }, 0),
  };
  const record = streamRecord(marshall(before), marshall(after));
  const [event] = record === undefined ? [] : pipes.eventsOf(record);

  expect(cloudEvent(orderCreated).parse(event?.detail).data).toMatchObject({
    externalId: 'a?b?c?d',
    cartNumber: 'a?b?c?d',
  });
});
