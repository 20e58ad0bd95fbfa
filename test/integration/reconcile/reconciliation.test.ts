/** The daily reconciliation: every approved cart of the last days is accounted for, or queued again (edge case 12). */
import { text } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { createReconciliationRecord } from '../../../functions/reconcile-carts/reconciliation-record.ts';
import { readCartMessage } from '../../../shared/cart-message.ts';
import { createLedgerTable } from '../../../shared/ledger-table.ts';
import fc from '../../properties.ts';
import { type Disturbance, noDisturbance } from '../../simulators/disturbances.ts';
import { type GeneratedCart, generateCarts } from '../../simulators/carts.ts';
import type { Srm7Simulator } from '../../simulators/srm7.ts';
import {
  cartAt,
  cartsFrom,
  DAY,
  type Extractor,
  type ExtractorOptions,
  forward,
  guidsOf,
  HOUR,
  MINUTE,
  noTimeToRetry,
  pagesRead,
  rowsOf,
  SECOND,
  thisSecond,
  useFixture,
  windowOf,
} from '../extract/extractor-fixture.ts';
import { BY_HAND } from '../fixture.ts';

const fixture = useFixture({ vms: { inactiveSuppliers: ['SUP-INACTIVE'] } });

/** This environment went live ten days ago, and its reconciliation looks back two days. */
async function open(options: ExtractorOptions = {}): Promise<Extractor> {
  // So that the carts of an earlier test do not count here.
  await setBreaker('CLOSED');
  const firstWatermark = new Date(thisSecond() - 10 * DAY).toISOString();
  const variables = { FIRST_WATERMARK: firstWatermark, RECONCILIATION_DAYS: '2', ...options.variables };
  return fixture.open({ ...options, variables });
}

let seed = 1000;
/** A cart that becomes orders and nothing else. */
function cartToOrder(changedAtMs: number): GeneratedCart {
  for (;;) {
    seed++;
    const cart = cartAt(changedAtMs, seed % 60_000);
    if (cart.expected === 'orders') return cart;
  }
}
const cartsToOrder = (count: number, fromMs: number, stepMs = SECOND): GeneratedCart[] =>
  Array.from({ length: count }, (_, index) => cartToOrder(fromMs + index * stepMs));

/** Long after the carts were queued: one that no attempt has touched is lost by then. */
const later = { now: (): number => Date.now() + 61 * MINUTE };
/** A reconciliation that an operator starts, although none is due. */
const byHand = { event: { days: 2, ...BY_HAND }, ...later };

/** In the middle of a slice of six hours, so that carts of one minute are read together. */
const longAgo = (): number => thisSecond() - 33 * HOUR;

const { deliver } = fixture;

const delayedMessages = async ({ queueName }: Extractor) =>
  (await fixture.systems().emulators.inspectQueue(queueName)).delayed.map(({ body }) => readCartMessage(body));
const delayedGuids = async (extractor: Extractor): Promise<string[]> =>
  (await delayedMessages(extractor)).map(({ cart }) => cart.guid ?? 'none').sort();

const ordersOf = ({ number }: GeneratedCart) =>
  fixture
    .systems()
    .vms.orders()
    .filter(({ order }) => order.sourceDocument.number === number);

/** How often a metric was counted since the test began. */
const counted = (metric: string): number =>
  fixture
    .shown()
    .flatMap((line) => new RegExp(`"${metric}":\\[?([\\d,]+)`).exec(line)?.[1]?.split(',') ?? [])
    .reduce((sum, count) => sum + Number(count), 0);

const cartKey = (extractor: Extractor, { number }: GeneratedCart): string =>
  `CART#${extractor.variables.SRM_CLIENT}#${number}`;

async function setBreaker(state: string): Promise<void> {
  const { clients, tableName } = fixture.systems();
  const Item = marshall({ pk: 'BREAKER#11VMS', sk: 'BREAKER', state });
  await clients.dynamodb.send(new PutItemCommand({ TableName: tableName, Item }));
}

/** The item in which an unfinished reconciliation records its progress. */
async function reachedMs(extractor: Extractor): Promise<unknown> {
  const { clients, tableName } = fixture.systems();
  const Key = marshall({ pk: `RECONCILIATION#${extractor.variables.SRM_CLIENT}`, sk: 'RECONCILIATION' });
  const { Item } = await clients.dynamodb.send(new GetItemCommand({ TableName: tableName, Key }));
  return Item === undefined ? undefined : unmarshall(Item)['reachedMs'];
}

const nothing = {
  created: 0,
  inFlight: 0,
  deadLettered: 0,
  closed: 0,
  skipped: 0,
  queuedAgain: 0,
  notJudged: 0,
  unidentified: 0,
};

test('what a run found stays in the ledger, for an audit, with the window that it read', async () => {
  const extractor = await open();
  const [lost] = cartsToOrder(3, longAgo());
  if (lost === undefined) throw new Error('no carts');
  extractor.srm.addCarts(rowsOf([lost, ...cartsToOrder(2, longAgo())]));
  await extractor.run();
  await deliver(extractor, (guid) => guid === lost.guid);
  const startedMs = Date.now();
  const { runId, status, readTo, ...counts } = await extractor.reconcile(byHand);

  const table = createLedgerTable(fixture.systems().clients.dynamodb, fixture.systems().tableName);
  const record = createReconciliationRecord(table, extractor.variables.SRM_CLIENT);
  const [report, ...others] = await record.reports(startedMs);

  expect(others).toEqual([]);
  expect(counts).toMatchObject({ cartsRead: 3, created: 2, queuedAgain: 1 });
  expect(report).toMatchObject({ runId, status, toMs: Date.parse(readTo), ...counts });
  expect(report?.fromMs).toBeLessThanOrEqual(startedMs - 2 * DAY + later.now() - startedMs);
  expect(report?.fromMs).toBeGreaterThan(startedMs - 3 * DAY);
  expect(await record.reports(startedMs + DAY)).toEqual([]);
});

describe('a cart that is not accounted for', () => {
  test('because its message was lost is queued again, and becomes its orders; no other cart is queued', async () => {
    const extractor = await open();
    const carts = cartsToOrder(5, longAgo());
    const [first, lost] = carts;
    if (first === undefined || lost === undefined) throw new Error('no carts');
    extractor.srm.addCarts(rowsOf(carts));
    await extractor.run();
    await deliver(extractor, (guid) => guid === lost.guid);
    expect(ordersOf(lost)).toEqual([]);

    expect(await extractor.reconcile()).toMatchObject({ ...nothing, created: 4, inFlight: 1 });
    expect(await extractor.reconcile(byHand)).toMatchObject({
      ...nothing,
      status: 'complete',
      cartsRead: 5,
      created: 4,
      queuedAgain: 1,
    });

    expect(await delayedMessages(extractor)).toEqual([
      expect.objectContaining({
        origin: 'reconciliation',
        cart: { number: lost.number, guid: lost.guid },
        source: JSON.parse(JSON.stringify(lost.row)),
      }),
    ]);
    // The new message is delayed: an original that is late, and not lost, is received first.
    expect(await extractor.bodies()).toEqual([]);
    await deliver(extractor);
    for (const cart of carts) expect(ordersOf(cart)).toHaveLength(cart.orders);
    expect([counted('CartsRecovered'), counted('ReconciliationCompleted')]).toEqual([1, 2]);

    expect(await extractor.reconcile(byHand)).toMatchObject({ ...nothing, cartsRead: 5, created: 5 });
    expect(await delayedMessages(extractor)).toEqual([]);
  });

  // Edge case 12.
  test('because it was approved without a new ChangedAt, before every overlap, is found', async () => {
    const extractor = await open();
    await extractor.run();
    const late = cartToOrder(longAgo());
    extractor.srm.addCarts([late.row]);
    await extractor.run({ variables: { SAFETY_SECONDS: '0' } });
    expect(await extractor.guids()).toEqual([]);

    expect(await extractor.reconcile()).toMatchObject({ ...nothing, cartsRead: 1, queuedAgain: 1 });

    await deliver(extractor);
    expect(ordersOf(late)).toHaveLength(late.orders);
    expect(fixture.shown().join('\n')).toContain('The cart was lost; reconciliation recovered it');
  });

  test('in its present version is queued again, even when an older version is accounted for', async () => {
    const extractor = await open();
    const cart = cartToOrder(longAgo());
    extractor.srm.addCarts([cart.row]);
    await extractor.run();
    await deliver(extractor);
    extractor.srm.addCarts([{ ...cart.row, ChangedAt: `/Date(${longAgo() + HOUR})/` }]);

    expect(await extractor.reconcile()).toMatchObject({ ...nothing, queuedAgain: 1 });

    // The second approval without a change is now known, too.
    await deliver(extractor);
    expect(ordersOf(cart)).toHaveLength(cart.orders);
    expect(await extractor.reconcile(byHand)).toMatchObject({ ...nothing, created: 1 });
    expect(counted('CartsRecovered')).toBe(0);
  });

  // Edge case 20.
  test('is queued again, although a later change version of it was skipped; that one is not', async () => {
    const extractor = await open();
    const changedAtMs = longAgo();
    const cart = cartToOrder(changedAtMs);
    // SRM keeps it as a document of its own, under the same number.
    const Guid = '005056a5-09b3-1ee1-bee5-8ce5a1c90db0';
    const change = { ...cart.row, Guid, VersionType: 'C', ChangedAt: `/Date(${changedAtMs + SECOND})/` };
    extractor.srm.addCarts([change]);
    await extractor.run();
    await deliver(extractor);
    extractor.srm.addCarts([cart.row]);

    expect(await extractor.reconcile(later)).toMatchObject({ ...nothing, queuedAgain: 1, skipped: 1 });
    await deliver(extractor);
    expect(ordersOf(cart)).toHaveLength(cart.orders);
    expect(await extractor.reconcile(byHand)).toMatchObject({ ...nothing, created: 1, skipped: 1 });
  });

  test('and is too large for the queue is queued as a claim with its key', async () => {
    const extractor = await open();
    await extractor.run();
    const cart = cartToOrder(longAgo());
    extractor.srm.addCarts([{ ...cart.row, Description: 'x'.repeat(1_100_000) }]);

    await extractor.reconcile();

    expect(await delayedMessages(extractor)).toEqual([
      expect.objectContaining({ origin: 'reconciliation', claim: { guid: cart.guid } }),
    ]);
    await deliver(extractor);
    expect(await extractor.reconcile(byHand)).toMatchObject({ ...nothing, created: 1 });
  });

  test('counts as recovered only if its order was really missing, not if the original message created it first', async () => {
    const extractor = await open();
    const cart = cartToOrder(longAgo());
    extractor.srm.addCarts([cart.row]);
    await extractor.run();
    // Still in line: for an hour it waits, then it may be lost.
    expect(await extractor.reconcile()).toMatchObject({ ...nothing, inFlight: 1 });
    expect(await extractor.reconcile(byHand)).toMatchObject({ ...nothing, queuedAgain: 1 });

    await deliver(extractor);

    expect(ordersOf(cart)).toHaveLength(cart.orders);
    expect(counted('CartsRecovered')).toBe(0);
  });

  test('because an attempt was left open an hour ago is queued again; a younger attempt is in flight', async () => {
    const extractor = await open();
    const [recent, stale] = cartsToOrder(2, longAgo());
    if (recent === undefined || stale === undefined) throw new Error('no carts');
    extractor.srm.addCarts([recent.row, stale.row]);
    await extractor.run();
    await deliver(extractor);
    const { clients, tableName } = fixture.systems();
    for (const cart of [recent, stale]) {
      for (const externalId of cart.externalIds) {
        const sk = `ORDER#${externalId.replace('SRM7-100-', `SRM7-${extractor.variables.SRM_CLIENT}-`)}`;
        await clients.dynamodb.send(
          new UpdateItemCommand({
            TableName: tableName,
            Key: marshall({ pk: cartKey(extractor, cart), sk }),
            UpdateExpression: 'SET #state = :unknown, claimedAtMs = :then',
            ConditionExpression: 'attribute_exists(pk)',
            ExpressionAttributeNames: { '#state': 'state' },
            ExpressionAttributeValues: marshall({
              ':unknown': 'UNKNOWN',
              ':then': Date.now() - (cart === stale ? 61 : 59) * MINUTE,
            }),
          }),
        );
      }
    }

    expect(await extractor.reconcile()).toMatchObject({ ...nothing, inFlight: 1, queuedAgain: 1 });

    expect(await delayedGuids(extractor)).toEqual([stale.guid]);
    // Looked up before it is posted: it exists, and nothing is recovered.
    await deliver(extractor);
    expect(ordersOf(stale)).toHaveLength(stale.orders);
    expect(counted('CartsRecovered')).toBe(0);
  });

  test('is found whichever messages are lost: afterwards every order exists, and exactly once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 3, maxLength: 8 }), async (losses) => {
        const extractor = await open({ pageSize: 3 });
        const carts = cartsToOrder(losses.length, longAgo(), 20 * MINUTE);
        extractor.srm.addCarts(rowsOf(carts));
        await extractor.run();
        const lost = carts.filter((_, index) => losses[index] === true);
        const recoveredBefore = counted('CartsRecovered');
        await deliver(extractor, (guid) => lost.some((cart) => cart.guid === guid));

        const result = await extractor.reconcile(later);

        expect(result).toMatchObject({ ...nothing, created: carts.length - lost.length, queuedAgain: lost.length });
        expect(await delayedGuids(extractor)).toEqual(guidsOf(lost));
        await deliver(extractor);
        for (const cart of carts) expect(ordersOf(cart)).toHaveLength(cart.orders);
        expect(counted('CartsRecovered') - recoveredBefore).toBe(lost.length);
      }),
      { numRuns: 5 },
    );
  });
});

describe('a cart that is accounted for is not queued again', () => {
  test('when it was ordered, skipped by a rule, or dead-lettered for any fault', async () => {
    const extractor = await open();
    const from = longAgo();
    const carts = generateCarts({
      count: 90,
      seed: 4711,
      from: new Date(from),
      to: new Date(from + 2 * HOUR),
      faultyShare: 0.3,
      client: extractor.variables.SRM_CLIENT,
    });
    // Few generated carts are ones to skip.
    const left = carts.filter(({ expected }) => expected === 'orders').slice(0, 5);
    extractor.srm.addCarts(carts.map((cart) => (left.includes(cart) ? { ...cart.row, VersionType: 'C' } : cart.row)));
    await extractor.run();
    await deliver(extractor);

    const result = await extractor.reconcile();

    const of = (expected: string): number => carts.filter((cart) => cart.expected === expected).length;
    expect(result).toMatchObject({
      ...nothing,
      status: 'complete',
      cartsRead: 90,
      created: of('orders') - 5,
      skipped: of('skip') + 5,
      deadLettered: of('dead-letter'),
    });
    expect(Math.min(of('orders'), of('dead-letter'))).toBeGreaterThan(20);
    expect(await delayedMessages(extractor)).toEqual([]);
  });

  test('when a person has settled its dead letter by hand, also one that no verdict explains', async () => {
    const extractor = await open();
    const carts = cartsToOrder(2, longAgo());
    extractor.srm.addCarts(rowsOf(carts));
    await extractor.run();
    const { clients, tableName } = fixture.systems();
    const closed = { changedAtMs: Date.now(), by: 'ann', reason: 'ordered by telephone', recordedAtMs: longAgo() };
    for (const cart of carts) {
      const Item = marshall({ pk: cartKey(extractor, cart), sk: 'CLOSED#m1', ...closed });
      await clients.dynamodb.send(new PutItemCommand({ TableName: tableName, Item }));
    }

    expect(await extractor.reconcile(later)).toMatchObject({ ...nothing, cartsRead: 2, closed: 2 });
    expect(await delayedMessages(extractor)).toEqual([]);
  });

  test('without a number when its GUID is known; without both it is counted in the result and left to its dead letter', async () => {
    const extractor = await open();
    const [known, lost, nameless] = cartsToOrder(3, longAgo());
    if (known === undefined || lost === undefined || nameless === undefined) throw new Error('no carts');
    const unnumbered = ({ row }: GeneratedCart) => ({ ...row, ObjectId: null });
    extractor.srm.addCarts([unnumbered(known), unnumbered(lost)]);
    extractor.srm.addCarts([{ ...nameless.row, ObjectId: null, Guid: null }]);
    await extractor.run();
    await deliver(extractor, (guid) => guid === lost.guid);

    const result = await extractor.reconcile(later);

    expect(result).toMatchObject({ ...nothing, deadLettered: 1, queuedAgain: 1, unidentified: 1 });
    expect(await delayedGuids(extractor)).toEqual([lost.guid]);
  });

  test('with an unreadable stamp when any version of it is known', async () => {
    const extractor = await open();
    const cart = cartToOrder(longAgo());
    extractor.srm.addCarts([{ ...cart.row, ChangedAt: 'gestern' }], { changedAt: new Date(longAgo()) });
    await extractor.run();
    await deliver(extractor);

    expect(await extractor.reconcile()).toMatchObject({ ...nothing, deadLettered: 1 });
  });
});

describe('while consumption is paused', () => {
  test.each(['OPEN', 'FORCED_OPEN'])(
    '(%s) no cart is judged lost; afterwards a cart that still is lost gets queued',
    async (state) => {
      const extractor = await open();
      const [ordered, waiting] = cartsToOrder(2, longAgo());
      if (ordered === undefined || waiting === undefined) throw new Error('no carts');
      extractor.srm.addCarts([ordered.row, waiting.row]);
      await extractor.run();
      await deliver(extractor, (guid) => guid === waiting.guid);
      await setBreaker(state);

      const paused = await extractor.reconcile(later).finally(() => setBreaker('CLOSED'));

      expect(paused).toMatchObject({ ...nothing, status: 'paused', created: 1, notJudged: 1 });
      expect(await delayedMessages(extractor)).toEqual([]);
      expect(counted('ReconciliationCompleted')).toBe(0);
      expect(fixture.shown().join('\n')).toContain('because consumption is paused');

      expect(await extractor.reconcile(byHand)).toMatchObject({
        ...nothing,
        status: 'complete',
        created: 1,
        queuedAgain: 1,
      });
      expect(counted('ReconciliationCompleted')).toBe(1);
    },
  );
});

describe('the window of a reconciliation', () => {
  test('begins the configured days ago, ends an hour before the watermark, and is read in slices without a gap', async () => {
    const extractor = await open();
    await extractor.run();
    extractor.takeWindows();
    const watermarkMs = Number((await extractor.watermark())?.['watermarkMs']?.N);
    const before = thisSecond();

    const { readTo } = await extractor.reconcile();

    const windows = extractor.takeWindows();
    const first = windows[0]?.fromMs ?? 0;
    expect(first).toBeGreaterThanOrEqual(before - 2 * DAY);
    expect(first).toBeLessThanOrEqual(thisSecond() - 2 * DAY);
    expect(windows.slice(1).map(({ fromMs }) => fromMs)).toEqual(windows.slice(0, -1).map(({ toMs }) => toMs));
    expect(windows.at(-1)?.toMs).toBe(watermarkMs - HOUR);
    for (const { fromMs, toMs } of windows) expect(toMs - fromMs).toBeLessThanOrEqual(DAY);
    expect(readTo).toBe(new Date(watermarkMs - HOUR).toISOString());
  });

  test('never begins before the first watermark, and does not exist before the first run', async () => {
    const first = thisSecond() - 5 * HOUR;
    const extractor = await open({ variables: { FIRST_WATERMARK: new Date(first).toISOString() } });
    extractor.srm.addCarts([cartToOrder(first - SECOND).row]);
    expect(await extractor.reconcile()).toMatchObject({ ...nothing, status: 'complete', cartsRead: 0 });
    expect(extractor.srm.requests).toEqual([]);
    await extractor.run();
    extractor.takeWindows();

    expect(await extractor.reconcile(byHand)).toMatchObject({ ...nothing, cartsRead: 0 });

    expect(extractor.takeWindows()[0]?.fromMs).toBe(first);
  });

  test('is as long as an operator says', async () => {
    const extractor = await open();
    await extractor.run();
    const [inside, outside] = [cartToOrder(thisSecond() - 8.5 * DAY), cartToOrder(thisSecond() - 9.5 * DAY)];
    extractor.srm.addCarts([inside.row, outside.row]);

    await expect(extractor.reconcile({ event: { days: 9.2, ...BY_HAND } })).rejects.toThrow('→ at days');
    expect(await extractor.reconcile(byHand)).toMatchObject({ ...nothing });
    expect(await extractor.reconcile({ variables: { RECONCILIATION_DAYS: '9' } })).toMatchObject({
      ...nothing,
      queuedAgain: 1,
    });
    expect(await extractor.reconcile({ event: { days: 10, ...BY_HAND } })).toMatchObject({
      inFlight: 1,
      queuedAgain: 1,
    });
  });

  test('includes the last hour where an operator says so: only a cart that no run has read is queued', async () => {
    const extractor = await open();
    const [read, missed] = cartsToOrder(2, thisSecond() - 20 * MINUTE);
    if (read === undefined || missed === undefined) throw new Error('no carts');
    extractor.srm.addCarts([read.row]);
    await extractor.run();
    extractor.srm.addCarts([missed.row]);
    const watermarkMs = Number((await extractor.watermark())?.['watermarkMs']?.N);

    expect(await extractor.reconcile({ event: { days: 1, ...BY_HAND } })).toMatchObject({ ...nothing, cartsRead: 0 });
    expect(await extractor.reconcile({ event: { days: 1, includeLastHour: true, ...BY_HAND } })).toMatchObject({
      ...nothing,
      status: 'complete',
      cartsRead: 2,
      inFlight: 1,
      queuedAgain: 1,
      readTo: new Date(watermarkMs).toISOString(),
    });

    expect(await delayedGuids(extractor)).toEqual([missed.guid]);
  });
});

describe('a reconciliation', () => {
  test('beside a normal run waits for no lease, and leaves the watermark unchanged, to the byte', async () => {
    const extractor = await open();
    const cart = cartToOrder(longAgo());
    extractor.srm.addCarts([cart.row]);
    await extractor.putWatermark({
      watermarkMs: thisSecond() - MINUTE,
      positionMs: thisSecond() - SECOND,
      leaseOwner: 'another',
      leaseUntilMs: Date.now() + HOUR,
    });
    const before = JSON.stringify(await extractor.watermark());

    expect(await extractor.reconcile()).toMatchObject({ ...nothing, queuedAgain: 1 });

    expect(JSON.stringify(await extractor.watermark())).toBe(before);
  });

  test('beside a second reconciliation queues nothing that would create an order twice', async () => {
    const extractor = await open();
    const carts = cartsToOrder(4, longAgo());
    await extractor.run();
    extractor.srm.addCarts(rowsOf(carts));

    await Promise.all([extractor.reconcile(), extractor.reconcile(byHand), extractor.run()]);
    await deliver(extractor);

    for (const cart of carts) expect(ordersOf(cart)).toHaveLength(cart.orders);
    // The orders of one cart may be created by two messages.
    expect(counted('CartsRecovered')).toBeGreaterThanOrEqual(4);
  });
});

test('a reconciliation queries the ledger for twenty carts at a time, whatever the size of a page, and writes only its record and what it queued', async () => {
  const endpoint = process.env['AWS_ENDPOINT_URL_DYNAMODB'] ?? '';
  const asked = { now: 0, most: 0, queries: 0 };
  const operations = new Set<string>();
  const forty = Promise.withResolvers<unknown>();
  const dynamodb = await fixture.serve((request, response) => {
    const operation = String(request.headers['x-amz-target']).replace('DynamoDB_20120810.', '');
    operations.add(operation);
    const isQuery = operation === 'Query';
    if (isQuery) {
      asked.now++;
      asked.queries++;
      asked.most = Math.max(asked.most, asked.now);
      if (asked.now === 40) forty.resolve(undefined);
    }
    const answer = async (): Promise<void> => {
      const body = await text(request);
      // No query is answered before forty are under way: a cart has two partitions.
      if (isQuery) await forty.promise;
      const reply = await forward(endpoint, request, body);
      const answered = await reply.text();
      if (isQuery) asked.now--;
      response.writeHead(reply.status).end(answered);
    };
    answer().catch(() => response.destroy());
  });
  const extractor = await open();
  await extractor.run();
  extractor.srm.addCarts(rowsOf(cartsToOrder(30, longAgo())));
  process.env['AWS_ENDPOINT_URL_DYNAMODB'] = dynamodb.url;
  try {
    // With clients that use the proxy.
    expect(await extractor.reconcile({ variables: {} })).toMatchObject({ ...nothing, queuedAgain: 30 });
  } finally {
    process.env['AWS_ENDPOINT_URL_DYNAMODB'] = endpoint;
  }
  expect(asked).toEqual({ now: 0, most: 40, queries: 60 });
  // The rights that infra/constructs/ledger-table.ts grants.
  expect([...operations].sort()).toEqual(['GetItem', 'PutItem', 'Query', 'UpdateItem']);
});

describe('a reconciliation that does not finish', () => {
  /** Six lost carts on three pages, within one slice. */
  async function openSixLost(options: ExtractorOptions = {}) {
    const extractor = await open({ pageSize: 2, ...options });
    await extractor.run();
    const firstMs = longAgo();
    const carts = cartsToOrder(6, firstMs, SECOND);
    extractor.srm.addCarts(rowsOf(carts));
    return { extractor, carts, firstMs };
  }
  const isDone = (guids: readonly unknown[], carts: readonly GeneratedCart[]): boolean =>
    new Set(guids).size === carts.length;

  test('for lack of time records its progress, warns, and is continued by the next one, even within a slice', async () => {
    const { extractor, carts, firstMs } = await openSixLost();
    // One page of the six carts is queued, and no time is left for the next.
    const remaining = () => (extractor.batches.length > 0 ? 1000 : 60_000);

    const stopped = await extractor.reconcile({ remaining });

    expect(stopped).toMatchObject({ status: 'stopped', queuedAgain: 2, cartsRead: 2 });
    const at = Date.parse(stopped.readTo);
    // The second of the page's two carts, since more carts may have its stamp.
    expect(at).toBe(firstMs + SECOND);
    expect(await reachedMs(extractor)).toBe(at);
    const line = fixture.shown().find((shown) => shown.includes('Reconciliation out of time'));
    expect(JSON.parse(line ?? '')).toMatchObject({ level: 'WARN', watermark: stopped.readTo, queuedAgain: 2 });
    expect(counted('ReconciliationCompleted')).toBe(0);
    extractor.takeWindows();

    const next = await extractor.reconcile();
    expect(next.status).toBe('complete');
    expect(extractor.takeWindows()[0]?.fromMs).toBe(at);
    expect(await reachedMs(extractor)).toBeUndefined();
    expect(isDone(await delayedGuids(extractor), carts)).toBe(true);

    // Once finished, the next one begins anew.
    await extractor.reconcile(byHand);
    expect(extractor.takeWindows()[0]?.fromMs).toBeLessThan(at);
  });

  test('is finished by the next firings of the schedule; then none is due until the next day', async () => {
    const { extractor, carts } = await openSixLost();
    const startedMs = Date.now();
    let hours = 0;
    const now = () => startedMs + hours * HOUR;
    const ends: string[] = [];
    for (; !ends.includes('complete') && hours < 100; hours++) {
      const until = pagesRead(extractor) + 3;
      const remaining = () => (pagesRead(extractor) < until ? 60_000 : 1000);
      ends.push((await extractor.fireReconciler({ now, remaining })).status);
    }
    expect(ends.length).toBeGreaterThan(3);
    expect([ends.at(-1), ...new Set(ends.slice(0, -1))]).toEqual(['complete', 'stopped']);
    expect(isDone(await delayedGuids(extractor), carts)).toBe(true);
    expect(counted('ReconciliationCompleted')).toBe(1);

    const before = pagesRead(extractor);
    expect(hours).toBeLessThan(12);
    for (; hours < 12; hours++) expect((await extractor.fireReconciler({ now })).status).toBe('not-due');
    expect(pagesRead(extractor)).toBe(before);
    extractor.takeWindows();

    // The day of 23 hours.
    hours = 23;
    expect((await extractor.fireReconciler({ now })).status).toBe('complete');
    expect(extractor.takeWindows()[0]?.fromMs).toBe(Math.floor((now() - 2 * DAY) / SECOND) * SECOND);
  });

  test('gets on where its carts come in no order, and fill more pages than a run has time for', async () => {
    const firstMs = thisSecond() - 8 * HOUR;
    const extractor = await open({
      pageSize: 4,
      unordered: true,
      variables: { FIRST_WATERMARK: new Date(firstMs).toISOString() },
    });
    await extractor.run();
    const carts = cartsFrom(firstMs, 12, 20 * MINUTE);
    extractor.srm.addCarts(rowsOf(carts));
    const ends: string[] = [];
    while (!ends.includes('complete') && ends.length < 8) {
      const until = pagesRead(extractor) + 3;
      const remaining = () => (pagesRead(extractor) < until ? 60_000 : 1000);
      ends.push((await extractor.fireReconciler({ remaining })).status);
    }

    expect(ends.at(-1)).toBe('complete');
    expect(isDone(await delayedGuids(extractor), carts)).toBe(true);
  });

  test('is continued even if an operator started it, and the daily one stays due', async () => {
    const { extractor, carts } = await openSixLost();
    const remaining = () => (extractor.batches.length > 0 ? 1000 : 60_000);
    expect((await extractor.reconcile({ ...byHand, remaining })).status).toBe('stopped');

    expect((await extractor.fireReconciler()).status).toBe('complete');

    expect(isDone(await delayedGuids(extractor), carts)).toBe(true);
    expect((await extractor.fireReconciler()).status).toBe('complete');
    expect((await extractor.fireReconciler()).status).toBe('not-due');
  });

  test('is interrupted by one of fewer days, which does not count, and is then continued where it was', async () => {
    const { extractor, carts, firstMs } = await openSixLost();
    const remaining = () => (extractor.batches.length > 0 ? 1000 : 60_000);
    expect((await extractor.reconcile({ remaining })).status).toBe('stopped');

    expect((await extractor.reconcile({ event: { days: 1, ...BY_HAND } })).status).toBe('complete');

    expect(counted('ReconciliationCompleted')).toBe(0);
    expect(await reachedMs(extractor)).toBe(firstMs + SECOND);
    expect((await extractor.fireReconciler()).status).toBe('complete');
    expect(counted('ReconciliationCompleted')).toBe(1);
    expect(isDone(await delayedGuids(extractor), carts)).toBe(true);
  });

  test('is continued up to the watermark where the operator included the last hour, and the daily one is not', async () => {
    const { extractor } = await openSixLost();
    const watermarkMs = Number((await extractor.watermark())?.['watermarkMs']?.N);
    const remaining = () => (extractor.batches.length > 0 ? 1000 : 60_000);
    const event = { days: 2, includeLastHour: true, ...BY_HAND };
    expect((await extractor.reconcile({ event, remaining })).status).toBe('stopped');
    expect((await extractor.operations()).at(-1)).toMatchObject({
      ...BY_HAND,
      action: 'reconcile',
      subject: 'carts of the last 2 days',
      outcome: { result: 'stopped', summary: expect.stringMatching(/^run \S+: \d carts read, .*; stopped at .+Z$/) },
    });

    expect((await extractor.reconcile()).readTo).toBe(new Date(watermarkMs).toISOString());
    expect((await extractor.reconcile()).readTo).toBe(new Date(watermarkMs - HOUR).toISOString());
  });

  test('because SRM fails is continued with the slice that failed', async () => {
    const unavailable: Disturbance = { kind: 'status', status: 503 };
    const state = { isDown: false };
    const { extractor, carts } = await openSixLost({
      // Down as soon as the carts' second page is requested.
      disturbances: ({ operation, key }) =>
        operation === 'page' && state.isDown && key.includes('skiptoken') ? unavailable : noDisturbance,
    });
    state.isDown = true;

    await expect(extractor.reconcile({ remaining: noTimeToRetry })).rejects.toMatchObject({
      fault: { code: 'E_SRC_UNAVAILABLE' },
    });

    expect(fixture.shown().join('\n')).toContain('Reconciliation failed; the next one continues where this one ended');
    expect([counted('ExtractionFailed'), counted('ReconciliationCompleted')]).toEqual([0, 0]);
    const failedAt = extractor.takeWindows().at(-1)?.fromMs;
    state.isDown = false;
    expect((await extractor.reconcile()).status).toBe('complete');
    expect(extractor.takeWindows()[0]?.fromMs).toBe(failedAt);
    expect(isDone(await delayedGuids(extractor), carts)).toBe(true);
  });

  test('because SQS refuses counts nothing as queued', async () => {
    const state = { refuses: true };
    const { extractor, carts } = await openSixLost({
      sqs: { refuses: () => (state.refuses ? 'AccessDeniedException' : undefined) },
    });
    await expect(extractor.reconcile()).rejects.toMatchObject({ fault: { code: 'E_INT_QUEUE' } });
    state.refuses = false;

    expect(await extractor.reconcile()).toMatchObject({ status: 'complete', queuedAgain: 6 });
    expect(isDone(await delayedGuids(extractor), carts)).toBe(true);
  });
});

test('a slice that cannot be read does not hide the days after it; then the run fails, and completes nothing', async () => {
  let refusedMs = 0;
  const extractor = await open({
    disturbances: ({ operation, key }) => {
      if (operation !== 'page') return noDisturbance;
      const { fromMs, toMs } = windowOf(key);
      return fromMs <= refusedMs && refusedMs < toMs ? { kind: 'status', status: 404 } : noDisturbance;
    },
  });
  await extractor.run();
  const [hidden, ...carts] = cartsToOrder(3, longAgo(), 8 * HOUR);
  if (hidden === undefined) throw new Error('no carts');
  extractor.srm.addCarts(rowsOf([hidden, ...carts]));
  refusedMs = longAgo();

  await expect(extractor.reconcile()).rejects.toMatchObject({
    fault: {
      code: 'E_SRC_UNAVAILABLE',
      message: expect.stringMatching(/^1 slice\(s\) .* cannot be read: SRM answered 404/),
    },
  });

  expect(await delayedGuids(extractor)).toEqual(guidsOf(carts));
  expect(counted('ReconciliationCompleted')).toBe(0);
  expect(await reachedMs(extractor)).toBeUndefined();
});

describe('a count that does not add up in a reconciliation', () => {
  test('at the first read only: the slice is read again, and no cart is judged or queued twice', async () => {
    let srm: Srm7Simulator | undefined;
    const first = thisSecond() - 4 * HOUR;
    const extractor = await open({
      variables: { FIRST_WATERMARK: new Date(first).toISOString() },
      disturbances: ({ operation, ordinal }) => {
        // The first page is the normal run's, the third one belongs to the second read of the slice.
        if (operation === 'page' && ordinal === 3) srm?.miscount(0);
        return noDisturbance;
      },
    });
    srm = extractor.srm;
    await extractor.run();
    const carts = cartsToOrder(3, first + HOUR);
    srm.addCarts(rowsOf(carts));
    srm.miscount(1);

    expect(await extractor.reconcile()).toMatchObject({ status: 'complete', cartsRead: 3, queuedAgain: 3 });

    expect(await delayedGuids(extractor)).toEqual(guidsOf(carts));
  });

  test('at every read: the days after it are reconciled all the same, and then the run fails and completes nothing', async () => {
    const extractor = await open();
    await extractor.run();
    const carts = cartsToOrder(3, longAgo(), 2 * HOUR);
    extractor.srm.addCarts(rowsOf(carts));
    extractor.srm.miscount(1);

    await expect(extractor.reconcile()).rejects.toMatchObject({ fault: { code: 'E_SRC_PAGING_INCOMPLETE' } });

    expect(await delayedGuids(extractor)).toEqual(guidsOf(carts));
    expect(counted('ReconciliationCompleted')).toBe(0);
    expect(await reachedMs(extractor)).toBeUndefined();
  });
});

test('the result of a reconciliation and one line of the log say the same', async () => {
  const extractor = await open();
  const [cart, lost] = cartsToOrder(2, longAgo());
  if (cart === undefined || lost === undefined) throw new Error('no carts');
  extractor.srm.addCarts([cart.row, lost.row]);
  await extractor.run();
  await deliver(extractor, (guid) => guid === lost.guid);

  const { cartsRead, readTo, status: _, ...result } = await extractor.reconcile(byHand);

  const lines = fixture.shown().filter((line) => line.includes('"Reconciliation complete"'));
  expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
    expect.objectContaining({ rows: cartsRead, watermark: readTo, ...result }),
  ]);
  const named = fixture
    .shown()
    .filter((line) => line.includes('The ledger does not account for the cart; it is queued again'));
  expect(named).toHaveLength(1);
  expect(named[0]).toContain(`"cartNumber":"${lost.number}"`);
});
