/** The worker's forecast: what would become of a message, without a write and without a call of 11VMS. */
import { describe, expect, test } from '@jest/globals';
import { type Forecast, forecastAnswer } from '../../../shared/forecast.ts';
import { createLedgerTable } from '../../../shared/ledger-table.ts';
import { createQueuedVersions } from '../../../shared/queued-versions.ts';
import { sourceRow } from '../../../shared/reading/source-row.ts';
import { lambdaContext } from '../fixture.ts';
import { writeCartMessage } from '../../../shared/cart-message.ts';
import {
  answer,
  always,
  type CartMessage,
  claimCheck,
  edmInstant,
  envelope,
  isCreate,
  newCart,
  type Row,
  setUpWorkerFixture,
  textOf,
  type Worker,
  withItems,
  withVendors,
} from './worker-fixture.ts';

const fixture = await setUpWorkerFixture();
const { srm } = fixture.systems;

const READING = ['GetItem', 'Query', 'GetSecretValue', ''];

/** Asks about messages; nothing but reading may follow. */
async function ask(worker: Worker, ...messages: readonly (CartMessage | string)[]): Promise<Forecast[]> {
  const [before, tableBefore] = [callCounts(), await fixture.wholeTable()];
  const forecast = messages.map((message, index) => {
    const body = typeof message === 'string' ? message : writeCartMessage(message);
    return { messageId: `m${index}`, body, signature: fixture.systems.signed(body).signature.StringValue };
  });
  const { forecasts } = forecastAnswer.parse(await worker.handler({ forecast }, lambdaContext()));
  const { vms, dynamodb, sqs } = fixture.proxies;
  expect(vms.calls.slice(before.vms)).toEqual([]);
  expect(sqs.calls.slice(before.sqs)).toEqual([]);
  expect(dynamodb.calls.slice(before.dynamodb).filter(({ operation }) => !READING.includes(operation))).toEqual([]);
  expect(await fixture.wholeTable()).toEqual(tableBefore);
  expect(forecasts.map(({ messageId }) => messageId)).toEqual(forecast.map(({ messageId }) => messageId));
  return forecasts;
}

/** A worker whose first attempt at the cart has left the outcome of its order open. */
async function leftOpen(cart: Row): Promise<Worker> {
  const worker = await fixture.worker();
  fixture.proxies.vms.intercept(always(isCreate, answer(500)));
  await worker.send(envelope(cart));
  await worker.deliver();
  fixture.calm();
  return worker;
}

const callCounts = () => ({
  vms: fixture.proxies.vms.calls.length,
  dynamodb: fixture.proxies.dynamodb.calls.length,
  sqs: fixture.proxies.sqs.calls.length,
});

async function delivered(...carts: readonly Row[]): Promise<Worker> {
  const worker = await fixture.worker();
  for (const cart of carts) {
    await worker.send(envelope(cart));
    await worker.deliver();
  }
  return worker;
}

const unmapped = (cart: Row): Row => withItems(cart, (item) => ({ ...item, Unit: 'XXX' }));
const changedLater = (cart: Row, changes: Row = {}): Row => ({
  ...cart,
  ChangedAt: edmInstant('2026-11-28T08:00:00Z'),
  ...changes,
});

describe('the forecast of a message', () => {
  test('says how many orders would be created, for which codes it fails, and what no attempt can read', async () => {
    const worker = await fixture.worker();
    const cart = newCart();
    const forecasts = await ask(
      worker,
      envelope(cart),
      envelope(withVendors(newCart(), '0000100234', '0000100777')),
      envelope(unmapped(newCart())),
      envelope(withVendors(newCart(), '0000100234', '')),
      'no message at all',
      { ...envelope(newCart()), cart: { number: '77', guid: null } },
    );

    expect(forecasts).toMatchObject([
      { kind: 'ordered', orders: 1, codes: [], reason: '1 order would be created' },
      { kind: 'ordered', orders: 2, reason: '2 orders would be created' },
      {
        kind: 'fails',
        orders: 0,
        codes: ['E_MAP_UOM'],
        reason: expect.stringMatching(/^E_MAP_UOM: .* at line 1, \$\.Items/),
      },
      { kind: 'fails', orders: 1, codes: ['E_SUPPLIER_MISSING'] },
      { kind: 'unreadable', orders: 0, codes: ['E_INT_MESSAGE'] },
      { kind: 'unreadable', orders: 0, codes: ['E_INT_MESSAGE'] },
    ]);
    expect(forecasts[0]?.changedAtMs).toBe(Date.parse('2026-11-20T14:32:06Z'));
    expect(fixture.takeOutput().filter((line) => line.includes('"level"'))).toEqual([]);
    // In earnest, it comes true.
    await worker.send(envelope(cart));
    await worker.deliver();
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  });

  test('is pointless when every order exists, was changed or cancelled after it was sent, or a rule skips the cart', async () => {
    const [same, changed, cancelled] = [newCart(), newCart(), newCart()];
    const worker = await delivered(same, changed, cancelled);
    const forecasts = await ask(
      worker,
      envelope(same),
      envelope(changedLater(unitPrice(changed))),
      envelope(changedLater(cancelled, { DelInd: 'X' })),
      envelope(newCart({ DelInd: 'X' })),
    );

    expect(forecasts.map(({ kind }) => kind)).toEqual(['pointless', 'pointless', 'pointless', 'pointless']);
    expect(forecasts.map(({ codes }) => codes)).toEqual([
      [],
      ['E_CART_CHANGED_AFTER_SEND'],
      ['E_CART_CANCELLED_AFTER_SEND'],
      [],
    ]);
    expect(forecasts[0]?.reason).toMatch(/^already created as PO-/);
    expect(forecasts[1]?.reason).toBe('The cart was changed and approved again after its order was created');
  });

  /** A run has read and queued it. */
  async function queue(row: Row): Promise<void> {
    const table = createLedgerTable(fixture.systems.clients.dynamodb, fixture.systems.tableName);
    const versions = createQueuedVersions(table, '100');
    await versions.record(await versions.unqueued([sourceRow({ source: row })]), { runId: 'run', nowMs: 1 });
  }

  test('is pointless when a newer version of the cart is known, even with orders of other names', async () => {
    const cart = newCart();
    const worker = await fixture.worker();
    await queue(changedLater(cart));

    expect(await ask(worker, envelope(cart))).toMatchObject([
      { kind: 'pointless', codes: [], reason: 'a newer version of the cart is known' },
    ]);
    expect(await ask(worker, envelope(changedLater(cart)))).toMatchObject([{ kind: 'ordered' }]);
  });

  // Edge case 20.
  test('heeds no change or historical version', async () => {
    const cart = newCart();
    const change = changedLater(cart, { VersionType: 'C' });
    await queue(change);
    const worker = await fixture.worker();
    expect(await ask(worker, envelope(cart))).toMatchObject([{ kind: 'ordered' }]);
    await worker.send(envelope(change));
    await worker.deliver();
    expect(await ask(worker, envelope(cart))).toMatchObject([{ kind: 'ordered' }]);
  });

  test('cannot say whether 11VMS holds an order that a newer version leaves to this message', async () => {
    const cart = newCart();
    const worker = await leftOpen(cart);
    await fixture.expireLease(cart);
    await worker.send(envelope(changedLater(cart, { DelInd: 'X' })));
    await worker.deliver();

    expect(await ask(worker, envelope(cart))).toMatchObject([
      { kind: 'unknown', orders: 0, reason: expect.stringMatching(/^superseded: .*, unless 11VMS holds/) },
    ]);
  });

  test('says that the order is looked up first where 11VMS may hold it, and that it cannot be said while an attempt runs', async () => {
    const cart = newCart();
    const worker = await leftOpen(cart);

    expect(await ask(worker, envelope(cart))).toMatchObject([{ kind: 'unknown', codes: ['E_INT_IN_PROGRESS'] }]);
    await fixture.expireLease(cart);
    expect(await ask(worker, envelope(cart))).toMatchObject([
      { kind: 'ordered', reason: '1 order would be created, unless 11VMS holds the order from an earlier attempt' },
    ]);
  });

  test('reads a cart that was too large for the queue from SRM, and cannot say without it', async () => {
    const cart = newCart();
    const worker = await fixture.worker();
    expect(await ask(worker, claimCheck(cart))).toMatchObject([{ kind: 'fails', codes: ['E_SRC_SCHEMA'] }]);
    srm.addCarts([cart]);
    expect(await ask(worker, claimCheck(cart))).toMatchObject([{ kind: 'ordered', orders: 1 }]);
  });

  test('holds nothing of the content, and no event beside it is taken', async () => {
    const worker = await fixture.worker();
    const cart = unmapped(newCart({ RequesterName: 'Erika Mustermann', Description: 'for Erika' }));
    const text = JSON.stringify(await ask(worker, envelope(cart), JSON.stringify({ to: 'erika@example.com' })));
    expect(text).not.toMatch(/erika/i);
    expect(text).not.toContain(textOf(cart['ObjectId']));

    await expect(worker.handler({ forecast: [{ messageId: 'm' }] }, lambdaContext())).rejects.toThrow('body');
    await expect(worker.handler({ forecast: [], trial: true }, lambdaContext())).rejects.toThrow('trial');
  });
});

const unitPrice = (cart: Row): Row => withItems(cart, (item) => ({ ...item, Description: 'another text' }));
