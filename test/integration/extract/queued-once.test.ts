/** Each version of a cart is queued once, however often the overlap is read; a copy is harmless, a lost cart is not. */
import { BatchWriteItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, test } from '@jest/globals';
import { standingOf } from '../../../shared/standing.ts';
import { tracesOf } from '../../../shared/traces.ts';
import type { GeneratedCart } from '../../simulators/carts.ts';
import { type RecordingProxy, startRecordingProxy } from '../recording-proxy.ts';
import {
  cartAt,
  cartsFrom,
  type Extractor,
  guidsOf,
  MINUTE,
  rowsOf,
  SECOND,
  thisSecond,
  useFixture,
} from './extractor-fixture.ts';
import { BY_HAND } from '../fixture.ts';

const fixture = useFixture();

/** An extractor that has carts of the last minutes, all within the overlap. */
async function openWith(count: number): Promise<{ extractor: Extractor; carts: GeneratedCart[] }> {
  const start = thisSecond() - 20 * MINUTE;
  const FIRST_WATERMARK = new Date(start - MINUTE).toISOString();
  const variables = { FIRST_WATERMARK, OVERLAP_SECONDS: '1800', SAFETY_SECONDS: '50' };
  const extractor = await fixture.open({ pageSize: 4, variables });
  const carts = cartsFrom(start, count, SECOND);
  extractor.srm.addCarts(rowsOf(carts));
  return { extractor, carts };
}

/** A later run of the schedule: each reads a second more than the one before, and the overlap again. */
function createLaterRuns(extractor: Extractor) {
  let safetySeconds = 50;
  return () => extractor.run({ variables: { SAFETY_SECONDS: String(--safetySeconds) } });
}

/** What the ledger's table holds of a cart. */
async function itemsOf(extractor: Extractor, number: string): Promise<Record<string, unknown>[]> {
  const { clients, tableName } = fixture.systems();
  const { Items = [] } = await clients.dynamodb.send(
    new QueryCommand({
      TableName: tableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: marshall({ ':pk': `QUEUED#${extractor.variables.SRM_CLIENT}#${number}` }),
    }),
  );
  return Items.map((item) => unmarshall(item));
}

describe('a version of a cart', () => {
  test('is queued by the first run that reads it, and by no later one', async () => {
    const { extractor, carts } = await openWith(10);
    const first = await extractor.run();
    expect(first).toMatchObject({ status: 'complete', cartsRead: 10, cartsQueued: 10 });
    const laterRun = createLaterRuns(extractor);
    for (let run = 0; run < 6; run++) {
      expect(await laterRun()).toMatchObject({ status: 'complete', cartsRead: 10, cartsQueued: 0 });
    }
    expect(await extractor.guids()).toEqual(guidsOf(carts));
  });

  test('is recorded with its times and its key, and with no content', async () => {
    const { extractor, carts } = await openWith(1);
    const [cart] = carts;
    const startedMs = Date.now();
    const { runId } = await extractor.run();
    const items = await itemsOf(extractor, cart?.number ?? '');
    expect(items).toEqual([
      {
        pk: expect.any(String),
        sk: expect.stringMatching(/^QUEUED#\d+#[0-9a-f]{16}$/),
        runId,
        guid: cart?.guid,
        changedAtMs: expect.any(Number),
        queuedAtMs: expect.any(Number),
        expiresAt: expect.any(Number),
      },
    ]);
    expect(standingOf(tracesOf(items), { nowMs: Date.now() })).toEqual({
      word: 'waiting',
      sinceMs: items[0]?.['queuedAtMs'],
      isOverdue: false,
    });
    expect(items[0]?.['queuedAtMs']).toBeGreaterThanOrEqual(startedMs);
  });

  test('that changed is queued as well, with a new ChangedAt or with the same', async () => {
    const { extractor, carts } = await openWith(2);
    const [one, other] = rowsOf(carts);
    await extractor.run();
    const laterRun = createLaterRuns(extractor);
    extractor.srm.addCarts([{ ...one, ChangedAt: `/Date(${thisSecond() - MINUTE})/` }]);
    expect(await laterRun()).toMatchObject({ cartsRead: 2, cartsQueued: 1 });
    extractor.srm.addCarts([{ ...other, Description: 'changed twice within a second' }]);
    expect(await laterRun()).toMatchObject({ cartsRead: 2, cartsQueued: 1 });
  });

  test('without number and GUID is one dead letter, not one for each reading', async () => {
    const { extractor } = await openWith(0);
    const rows = [1, 2].map((seed) => ({ ...cartAt(thisSecond() - MINUTE, seed).row, ObjectId: null, Guid: null }));
    extractor.srm.addCarts(rows);
    expect(await extractor.run()).toMatchObject({ cartsQueued: 2 });
    expect(await createLaterRuns(extractor)()).toMatchObject({ cartsRead: 2, cartsQueued: 0 });
  });
});

describe('a copy is queued', () => {
  /** Runs a test with a proxy before DynamoDB; each run in it has a handler of its own. */
  async function behindProxy(test: (proxy: RecordingProxy) => Promise<void>): Promise<void> {
    const proxy = await startRecordingProxy(fixture.systems().emulators.endpoints.dynamodb);
    const before = process.env['AWS_ENDPOINT_URL_DYNAMODB'];
    process.env['AWS_ENDPOINT_URL_DYNAMODB'] = proxy.url;
    try {
      await test(proxy);
    } finally {
      process.env['AWS_ENDPOINT_URL_DYNAMODB'] = before;
      await proxy.close();
    }
  }
  const reply = (status: number, body: unknown) => Promise.resolve({ status, headers: {}, body: JSON.stringify(body) });

  test('after a crash between the queue and the record: nothing is lost', () =>
    behindProxy(async (proxy) => {
      const { extractor, carts } = await openWith(3);
      proxy.intercept((call, forward) =>
        call.operation === 'BatchWriteItem' ? reply(400, { __type: 'AccessDeniedException' }) : forward(),
      );
      await expect(extractor.run()).rejects.toThrow('UnknownError');
      expect(await extractor.guids()).toEqual(guidsOf(carts));
      proxy.intercept((_call, forward) => forward());
      expect(await extractor.run()).toMatchObject({ status: 'complete', cartsQueued: 3 });
      expect(await extractor.guids()).toEqual(guidsOf([...carts, ...carts]));
    }));

  test('of what DynamoDB did not take after all tries, and the log says how many', () =>
    behindProxy(async (proxy) => {
      const { extractor } = await openWith(3);
      const tableName = fixture.systems().tableName;
      const sizes: number[] = [];
      proxy.intercept((call, forward) => {
        if (call.operation !== 'BatchWriteItem') return forward();
        const items: readonly unknown[] = JSON.parse(call.body).RequestItems[tableName];
        sizes.push(items.length);
        return reply(200, { UnprocessedItems: { [tableName]: items.slice(-2) } });
      });
      expect(await extractor.run()).toMatchObject({ status: 'complete', cartsQueued: 3 });
      expect(sizes).toEqual([3, 2, 2, 2]);
      expect(fixture.shown().join('\n')).toMatch(/"event":"extraction.queued-not-recorded"[^\n]*"rows":2/);
    }));

  test('by a replay of its window; the time of the first queueing stays', async () => {
    const { extractor, carts } = await openWith(3);
    const [cart] = carts;
    await extractor.run();
    const [before] = await itemsOf(extractor, cart?.number ?? '');
    const event = {
      changedFrom: new Date(thisSecond() - 30 * MINUTE).toISOString(),
      changedTo: new Date().toISOString(),
      ...BY_HAND,
    };
    expect(await extractor.run({ event })).toMatchObject({ cartsQueued: 3 });
    expect(await extractor.guids()).toEqual(guidsOf([...carts, ...carts]));
    const [after, ...others] = await itemsOf(extractor, cart?.number ?? '');
    expect(others).toEqual([]);
    expect(after).toMatchObject({ queuedAtMs: before?.['queuedAtMs'], copiedAtMs: expect.any(Number) });
  });
});

test('a replay of a window leaves out what a person has closed by hand, and no newer version of it', async () => {
  const { extractor, carts } = await openWith(3);
  const [closed, changed] = carts;
  if (closed === undefined || changed === undefined) throw new Error('no carts');
  await extractor.run();
  const queuedBefore = await extractor.bodies();
  const { clients, tableName } = fixture.systems();
  for (const { number, row } of [closed, changed]) {
    const Item = marshall({
      pk: `CART#${extractor.variables.SRM_CLIENT}#${number}`,
      sk: 'CLOSED#m1',
      changedAtMs: Number(/\d+/.exec(String(row['ChangedAt']))?.[0]),
      by: 'ann',
      reason: 'ordered by telephone',
      recordedAtMs: Date.now(),
    });
    await clients.dynamodb.send(new PutItemCommand({ TableName: tableName, Item }));
  }
  extractor.srm.addCarts([{ ...changed.row, ChangedAt: `/Date(${thisSecond() - MINUTE})/` }]);

  const result = await extractor.run({
    event: {
      changedFrom: new Date(thisSecond() - 30 * MINUTE).toISOString(),
      changedTo: new Date().toISOString(),
      ...BY_HAND,
    },
  });

  expect(result).toMatchObject({ status: 'complete', cartsRead: 3, cartsQueued: 2, closed: 1 });
  const copies = (await extractor.messages()).slice(queuedBefore.length).map(({ cart }) => cart.guid);
  expect(new Set(copies)).toEqual(new Set(guidsOf(carts.slice(1))));
  expect(fixture.shown().join('\n')).toMatch(
    new RegExp(`"extraction.cart-closed"[^\n]*"cartNumber":"${closed.number}"`),
  );
  expect((await extractor.operations()).at(-1)?.outcome).toEqual({
    result: 'done',
    summary: `run ${result.runId}: 3 carts read, 2 queued, 1 left out, which were closed by hand`,
  });
  // A replay by its number is about this cart alone: who asks for it knows.
  expect(await extractor.run({ event: { cart: closed.number, ...BY_HAND } })).toMatchObject({ cartsQueued: 1 });
});

describe('a replay of one cart', () => {
  test('queues that cart as it is now, and no other, although others changed in the same second', async () => {
    const { extractor } = await openWith(0);
    const changedAtMs = thisSecond() - MINUTE;
    const [wanted, ...others] = [1, 2, 3].map((seed) => cartAt(changedAtMs, seed));
    if (wanted === undefined) throw new Error('no cart');
    extractor.srm.addCarts([wanted.row, ...rowsOf(others)]);
    await extractor.run();
    const queuedBefore = await extractor.bodies();

    const result = await extractor.run({ event: { cart: `000${wanted.number}`, ...BY_HAND } });

    expect(result).toMatchObject({ status: 'complete', cartsRead: 1, cartsQueued: 1 });
    expect(result).not.toHaveProperty('readTo');
    const copies = (await extractor.messages()).slice(queuedBefore.length);
    expect(copies).toMatchObject([{ origin: 'replay', cart: { number: wanted.number, guid: wanted.guid } }]);
    expect((await extractor.operations()).at(-1)).toMatchObject({
      ...BY_HAND,
      action: 'replay-cart',
      cartNumbers: [wanted.number],
      outcome: { result: 'done', summary: `run ${result.runId}: 1 carts read, 1 queued` },
    });
  });

  test.each<[string, object, RegExp]>([
    ['that no run has read', { cart: '4711' }, /Cart 4711 cannot be replayed: the interface has not read it.*window/],
    ['whose number is none', { cart: 'a number' }, /must be the number of a cart, such as "1010000123"\s+→ at cart/],
    ['beside anything else', { cart: '1', days: 2 }, /days/],
  ])('%s is refused, and the error says what to do', async (_what, event, error) => {
    const { extractor } = await openWith(0);
    await expect(extractor.run({ event: { ...event, ...BY_HAND } })).rejects.toThrow(error);
    expect(await extractor.bodies()).toEqual([]);
  });

  test('that SRM no longer has is refused', async () => {
    const { extractor, carts } = await openWith(1);
    const [cart] = carts;
    await extractor.run();
    const { clients, tableName } = fixture.systems();
    const [item] = await itemsOf(extractor, cart?.number ?? '');
    const Item = marshall({ ...item, guid: '00000000000000000000000000000000' });
    await clients.dynamodb.send(
      new BatchWriteItemCommand({ RequestItems: { [tableName]: [{ PutRequest: { Item } }] } }),
    );
    await expect(extractor.run({ event: { cart: cart?.number, ...BY_HAND } })).rejects.toThrow(
      'SRM does not find it by its Guid',
    );
    expect((await extractor.operations()).at(-1)?.outcome).toEqual({ result: 'failed', summary: 'UnknownCart' });
  });
});
