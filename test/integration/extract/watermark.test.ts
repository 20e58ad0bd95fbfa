/** How far reading has come, and which run may read on: edge cases 3, 5, 7, 8 and 9. */
import { describe, expect, test } from '@jest/globals';
import { type Disturbance, type SimulatedRequest, noDisturbance } from '../../simulators/disturbances.ts';
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
} from './extractor-fixture.ts';
import { BY_HAND } from '../fixture.ts';

const fixture = useFixture();

const unavailable: Disturbance = { kind: 'status', status: 503 };

/** Disturbances for the pages of these ordinals: 1 is the first page that is requested. */
const onPages =
  (...ordinals: number[]) =>
  ({ operation, ordinal }: SimulatedRequest): Disturbance =>
    operation === 'page' && ordinals.includes(ordinal) ? unavailable : noDisturbance;

const numberOf = async (extractor: Extractor, name: 'watermarkMs' | 'positionMs'): Promise<number | undefined> => {
  const value = (await extractor.watermark())?.[name]?.N;
  return value === undefined ? undefined : Number(value);
};

const leaseOf = async (extractor: Extractor): Promise<string | undefined> =>
  (await extractor.watermark())?.['leaseOwner']?.S;

/** Fifteen carts, a minute apart, in pages of five: the first page ends at minute 4, the second at minute 9. */
async function openThreePages(options: ExtractorOptions = {}) {
  const start = thisSecond() - 30 * MINUTE;
  const extractor = await fixture.open({
    pageSize: 5,
    ...options,
    variables: { FIRST_WATERMARK: new Date(start).toISOString(), OVERLAP_SECONDS: '60', ...options.variables },
  });
  const carts = cartsFrom(start, 15, MINUTE);
  extractor.srm.addCarts(rowsOf(carts));
  return { extractor, carts, start };
}

describe('a page that cannot be read', () => {
  // Edge case 5.
  test('fails the run; the watermark stands at the page before, and the next run finishes without a gap', async () => {
    const { extractor, carts, start } = await openThreePages({ disturbances: onPages(2) });

    await expect(extractor.run({ remaining: noTimeToRetry })).rejects.toMatchObject({
      fault: { code: 'E_SRC_UNAVAILABLE' },
    });

    expect(await extractor.guids()).toEqual(guidsOf(carts.slice(0, 5)));
    expect(await numberOf(extractor, 'watermarkMs')).toBeUndefined();
    expect(await numberOf(extractor, 'positionMs')).toBe(start + 4 * MINUTE);
    expect(await leaseOf(extractor)).toBeUndefined();
    extractor.takeWindows();

    expect(await extractor.run()).toMatchObject({ status: 'complete' });
    const [window] = extractor.takeWindows();
    expect(window?.fromMs).toBe(start + 3 * MINUTE);
    expect(await extractor.guids()).toEqual(guidsOf(carts));
    expect(await numberOf(extractor, 'watermarkMs')).toBe(window?.toMs);
    expect(await numberOf(extractor, 'positionMs')).toBeUndefined();
  });

  test.each([
    [1, false],
    [2, false],
    [3, false],
    [4, false],
    [1, true],
    [2, true],
    [3, true],
    [4, true],
  ])('is read by the next run (page %i of 4, out of order: %s): then every cart is queued', async (page, unordered) => {
    const { extractor, carts } = await openThreePages({ pageSize: 4, unordered, disturbances: onPages(page) });

    await expect(extractor.run({ remaining: noTimeToRetry })).rejects.toThrow('E_SRC_UNAVAILABLE');
    // Everything behind the watermark, less the overlap, has been queued.
    const queued = new Set(await extractor.guids());
    const reachedMs = ((await numberOf(extractor, 'positionMs')) ?? 0) - MINUTE;
    const behind = extractor.srm.approvedCarts().filter(({ changedAt }) => changedAt.getTime() < reachedMs);
    expect(behind.filter(({ text }) => !carts.some(({ guid }) => queued.has(guid) && text.includes(guid)))).toEqual([]);

    expect(await extractor.run()).toMatchObject({ status: 'complete' });
    expect(new Set(await extractor.guids())).toEqual(new Set(guidsOf(carts)));
  });

  test('does not move the watermark when it is the first page', async () => {
    const { extractor } = await openThreePages({ disturbances: onPages(1) });

    await expect(extractor.run({ remaining: noTimeToRetry })).rejects.toThrow('E_SRC_UNAVAILABLE');

    expect(await extractor.bodies()).toEqual([]);
    expect(await numberOf(extractor, 'watermarkMs')).toBeUndefined();
    expect(await numberOf(extractor, 'positionMs')).toBeUndefined();
  });

  test('in a later slice keeps the progress of the slices before', async () => {
    const start = thisSecond() - 2.5 * DAY;
    const extractor = await fixture.open({
      disturbances: onPages(2),
      variables: { FIRST_WATERMARK: new Date(start).toISOString() },
    });

    await expect(extractor.run({ remaining: noTimeToRetry })).rejects.toThrow('E_SRC_UNAVAILABLE');

    expect(await numberOf(extractor, 'watermarkMs')).toBe(start + DAY);
  });

  test('after pages that were not in order does not move the watermark', async () => {
    const { extractor, carts, start } = await openThreePages({ unordered: true, disturbances: onPages(3) });
    await expect(extractor.run({ remaining: noTimeToRetry })).rejects.toThrow('E_SRC_UNAVAILABLE');
    expect(await extractor.bodies()).toHaveLength(10);
    // With these carts the first page is out of order, too: nothing has moved beyond the start.
    expect((await numberOf(extractor, 'positionMs')) ?? start).toBe(start);
    extractor.takeWindows();

    expect(await extractor.run()).toMatchObject({ status: 'complete', cartsRead: 15, cartsQueued: 5 });

    const [window] = extractor.takeWindows();
    expect(window?.fromMs).toBe(start);
    expect(new Set(await extractor.guids())).toEqual(new Set(guidsOf(carts)));
    expect(await numberOf(extractor, 'watermarkMs')).toBe(window?.toMs);
  });

  test('after a cart with a stamp beyond the window does not move the watermark to that stamp', async () => {
    const { extractor, start } = await openThreePages({ disturbances: onPages(2) });
    const stray = { ...cartAt(start, 50).row, ChangedAt: '/Date(4102444800000)/' };
    // It is the last of its page, where no later cart shows that it is out of order.
    extractor.srm.addCarts([stray], { changedAt: new Date(start + 3.5 * MINUTE) });

    await expect(extractor.run({ remaining: noTimeToRetry })).rejects.toThrow('E_SRC_UNAVAILABLE');
    expect(await numberOf(extractor, 'positionMs')).toBeUndefined();

    expect(await extractor.run()).toMatchObject({ status: 'complete', cartsRead: 16, cartsQueued: 11 });
  });
});

test('does not move the watermark when SQS refuses it: what is not durably queued is read again', async () => {
  const state = { refuses: true };
  const { extractor, carts, start } = await openThreePages({
    sqs: { refuses: (ordinal) => (state.refuses && ordinal === 2 ? 'AccessDeniedException' : undefined) },
  });

  await expect(extractor.run()).rejects.toMatchObject({ fault: { code: 'E_INT_QUEUE' } });
  expect(await numberOf(extractor, 'positionMs')).toBe(start + 4 * MINUTE);
  state.refuses = false;

  expect(await extractor.run()).toMatchObject({ status: 'complete' });
  expect([...new Set(await extractor.guids())].sort()).toEqual(guidsOf(carts).sort());
});

// Edge case 7.
describe('a count that does not add up', () => {
  const incomplete = { fault: { code: 'E_SRC_PAGING_INCOMPLETE' } };

  test('has the slice read twice, fails the run, and the next run starts where this one did', async () => {
    const { extractor, start } = await openThreePages();
    extractor.srm.miscount(2);

    await expect(extractor.run()).rejects.toMatchObject(incomplete);

    expect(extractor.takeWindows().map(({ fromMs }) => fromMs)).toEqual([start, start]);
    expect(await numberOf(extractor, 'watermarkMs')).toBeUndefined();
    expect(await numberOf(extractor, 'positionMs')).toBeUndefined();
    expect(await leaseOf(extractor)).toBeUndefined();
    expect(fixture.shown().join('\n')).toContain('announced 17 carts and delivered 15, twice');

    extractor.srm.miscount(0);
    await extractor.run();
    expect(extractor.takeWindows()[0]?.fromMs).toBe(start);
  });

  test('leaves the watermark of the runs before where it was', async () => {
    const { extractor, start } = await openThreePages();
    const watermarkMs = start + 10 * MINUTE;
    await extractor.putWatermark({ watermarkMs });
    extractor.srm.miscount(-1);

    await expect(extractor.run()).rejects.toMatchObject(incomplete);

    expect(await numberOf(extractor, 'watermarkMs')).toBe(watermarkMs);
    expect(await numberOf(extractor, 'positionMs')).toBeUndefined();
  });

  test('lets the run complete when it adds up at the second read', async () => {
    let srm: Srm7Simulator | undefined;
    const { extractor, carts } = await openThreePages({
      disturbances: ({ operation, ordinal }) => {
        // Before the fourth page, which is the first of the second read.
        if (operation === 'page' && ordinal === 4) srm?.miscount(0);
        return noDisturbance;
      },
    });
    srm = extractor.srm;
    srm.miscount(1);

    expect(await extractor.run()).toMatchObject({ status: 'complete', pages: 6 });

    const windows = extractor.takeWindows();
    expect(windows).toHaveLength(2);
    expect(await numberOf(extractor, 'watermarkMs')).toBe(windows[0]?.toMs);
    expect(new Set(await extractor.guids())).toEqual(new Set(guidsOf(carts)));
  });

  test.each([
    ['fails', onPages(5), () => 20_500],
    ['runs out of time', () => noDisturbance, undefined],
  ])('does not move the watermark, even when the second read %s', async (_, disturbances, remaining) => {
    const { extractor, start } = await openThreePages({ disturbances });
    extractor.srm.miscount(1);
    const run = extractor.run({ remaining: remaining ?? (() => (pagesRead(extractor) < 5 ? 60_000 : 1000)) });

    const [ended] = await Promise.allSettled([run]);

    expect(ended).toMatchObject(
      remaining === undefined
        ? { value: { status: 'stopped', readTo: new Date(start).toISOString() } }
        : { reason: { fault: { code: 'E_SRC_UNAVAILABLE' } } },
    );
    expect(await numberOf(extractor, 'positionMs')).toBeUndefined();
    expect(await numberOf(extractor, 'watermarkMs')).toBeUndefined();
  });

  test('fails a replay in the same way', async () => {
    const { extractor, start } = await openThreePages();
    extractor.srm.miscount(1);
    const event = {
      ...BY_HAND,
      changedFrom: new Date(start).toISOString(),
      changedTo: new Date(start + HOUR).toISOString(),
    };

    await expect(extractor.run({ event })).rejects.toMatchObject(incomplete);

    expect(extractor.takeWindows()).toHaveLength(2);
    expect(await extractor.watermark()).toBeUndefined();
  });

  /** A service whose two pages hold these GUIDs. */
  async function openTwoPages(announced: number, first: string[], second: string[]): Promise<Extractor> {
    const rows = (guids: string[]) => JSON.stringify(guids.map((Guid) => ({ Guid })));
    const service = await fixture.serve((request, response) => {
      const body = request.url?.includes('skiptoken')
        ? `{"d":{"results":${rows(second)}}}`
        : `{"d":{"__count":"${announced}","results":${rows(first)},"__next":"ShoppingCartSet?$skiptoken=2"}}`;
      response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    });
    return fixture.open({ variables: { SRM_BASE_URL: service.url } });
  }

  test('is not corrected by a cart that moved between the pages and was read twice', async () => {
    const extractor = await openTwoPages(3, ['a', 'b'], ['b']);
    await expect(extractor.run()).rejects.toMatchObject(incomplete);
  });

  test('is not caused by a cart that moved between the pages and was read twice', async () => {
    const extractor = await openTwoPages(3, ['a', 'b'], ['b', 'c']);
    expect(await extractor.run()).toMatchObject({ status: 'complete', cartsRead: 4 });
  });
});

// Edge case 8.
describe('a cart that is approved again while it is read', () => {
  /** Just before the second page is requested, this cart is changed, as of this minute of the window. */
  async function openWithRevision(place: number, minute: number) {
    const revision: { apply?: () => void } = {};
    const opened = await openThreePages({
      disturbances: ({ operation, ordinal }) => {
        if (operation === 'page' && ordinal === 2) revision.apply?.();
        return noDisturbance;
      },
    });
    const { extractor, carts, start } = opened;
    const cart = carts[place];
    if (cart === undefined) throw new Error('no cart');
    const row = { ...cart.row, ChangedAt: `/Date(${start + minute * MINUTE})/` };
    revision.apply = () => extractor.srm.addCarts([row]);
    const stampsOf = async (): Promise<unknown[]> =>
      (await extractor.messages()).flatMap((message) =>
        message.cart.guid === cart.guid && 'source' in message
          ? [Reflect.get(Object(message.source), 'ChangedAt')]
          : [],
      );
    return { ...opened, cart, row, stampsOf };
  }

  test('and moves from a page that was read to a later one is queued in both versions and counts once', async () => {
    const { extractor, carts, row, cart, stampsOf } = await openWithRevision(1, 12);

    expect(await extractor.run()).toMatchObject({ status: 'complete', cartsRead: 16, pages: 4 });

    expect(await stampsOf()).toEqual([cart.row['ChangedAt'], row.ChangedAt]);
    expect(new Set(await extractor.guids())).toEqual(new Set(guidsOf(carts)));
  });

  test('and moves within the pages that are not read yet is queued once, in its new version', async () => {
    const { extractor, carts, row, stampsOf } = await openWithRevision(7, 12.5);

    expect(await extractor.run()).toMatchObject({ status: 'complete', cartsRead: 15 });

    expect(await stampsOf()).toEqual([row.ChangedAt]);
    expect(await extractor.guids()).toEqual(guidsOf(carts));
  });

  test('and leaves the window before its page is read has the slice read again, and is queued by the next run', async () => {
    const { extractor, carts, cart, row, stampsOf } = await openWithRevision(7, 29.9);

    // The count includes it, and the pages do not.
    expect(await extractor.run({ variables: { SAFETY_SECONDS: '60' } })).toMatchObject({
      status: 'complete',
      pages: 6,
    });
    expect(extractor.takeWindows()).toHaveLength(2);
    expect(new Set(await extractor.guids())).toEqual(new Set(guidsOf(carts.filter((other) => other !== cart))));

    expect(await extractor.run({ variables: { SAFETY_SECONDS: '0' } })).toMatchObject({ status: 'complete' });
    expect(await stampsOf()).toEqual([row.ChangedAt]);
  });
});

describe('a schedule', () => {
  test('that fires twice at the same moment queues every cart once', async () => {
    const { extractor, carts } = await openThreePages();

    const ends = await Promise.all([extractor.run(), extractor.run()]);

    expect(ends.map(({ status }) => status).toSorted()).toEqual(['complete', 'locked']);
    expect(await extractor.guids()).toEqual(guidsOf(carts));
  });

  test('that fires twice, one after the other, reads only the overlap again, and moves nothing back', async () => {
    const { extractor, carts } = await openThreePages({ variables: { SAFETY_SECONDS: '0' } });
    await extractor.run();
    const watermarkMs = (await numberOf(extractor, 'watermarkMs')) ?? 0;

    expect(await extractor.run()).toMatchObject({ status: 'complete', cartsQueued: 0 });

    expect(await numberOf(extractor, 'watermarkMs')).toBeGreaterThanOrEqual(watermarkMs);
    expect(await extractor.guids()).toEqual(guidsOf(carts));
  });

  test('that does not fire for days continues where the last run ended, and misses nothing', async () => {
    const watermarkMs = thisSecond() - 3.2 * DAY;
    const extractor = await fixture.open({
      variables: { FIRST_WATERMARK: new Date(thisSecond() - 9 * DAY).toISOString() },
    });
    await extractor.putWatermark({ watermarkMs });
    const carts = cartsFrom(watermarkMs, 12, 6 * HOUR);
    extractor.srm.addCarts(rowsOf(carts));

    expect(await extractor.run()).toMatchObject({ status: 'complete', cartsQueued: 12 });

    expect(extractor.takeWindows()[0]?.fromMs).toBe(watermarkMs - MINUTE);
    expect(await extractor.guids()).toEqual(guidsOf(carts));
  });
});

// Edge case 9.
describe('of two runs at once', () => {
  test('the second finds the watermark locked and queues nothing; the first is not disturbed', async () => {
    const second = Promise.withResolvers<unknown>();
    const sending = Promise.withResolvers<unknown>();
    const { extractor, carts } = await openThreePages({
      sqs: {
        async beforeSend() {
          sending.resolve(undefined);
          await second.promise;
        },
      },
    });
    const first = extractor.run();
    await sending.promise;

    const result = await extractor.run();
    second.resolve(undefined);

    expect(result).toMatchObject({ status: 'locked', cartsRead: 0, cartsQueued: 0, pages: 0 });
    expect(await first).toMatchObject({ status: 'complete', cartsQueued: 15 });
    expect(await extractor.guids()).toEqual(guidsOf(carts));
  });

  test('a second one waits for the end of the lease, even when the first has crashed', async () => {
    const { extractor } = await openThreePages();
    await extractor.putWatermark({ leaseOwner: 'crashed', leaseUntilMs: Date.now() + MINUTE });

    expect(await extractor.run()).toMatchObject({ status: 'locked' });

    expect(extractor.srm.requests).toEqual([]);
    expect(await leaseOf(extractor)).toBe('crashed');
  });

  test('the second takes over from a crashed one once the lease has expired, from where the crashed one was', async () => {
    // With an overlap of more than a page, what is read again moves nothing.
    const { extractor, carts, start } = await openThreePages({ variables: { OVERLAP_SECONDS: '360' } });
    await extractor.putWatermark({
      leaseOwner: 'crashed',
      leaseUntilMs: Date.now() - 1,
      watermarkMs: start + MINUTE,
      positionMs: start + 9 * MINUTE,
    });

    expect(await extractor.run()).toMatchObject({ status: 'complete' });

    expect(extractor.takeWindows()[0]?.fromMs).toBe(start + 3 * MINUTE);
    expect(await extractor.guids()).toEqual(guidsOf(carts.slice(3)));
    expect(await leaseOf(extractor)).toBeUndefined();
  });

  test.each([1, 3])(
    'a first one whose lease was taken while it queued page %i stops and moves nothing',
    async (page) => {
      const thief = { leaseOwner: 'thief', leaseUntilMs: Date.now() + HOUR, watermarkMs: Date.now() - 10 * MINUTE };
      const { extractor } = await openThreePages({
        sqs: {
          async beforeSend(ordinal) {
            if (ordinal === page) await extractor.putWatermark(thief);
          },
        },
      });

      const run = extractor.run();

      await expect(run).rejects.toThrow('Another extraction run holds the watermark');
      expect(await extractor.watermark()).toMatchObject({
        leaseOwner: { S: 'thief' },
        watermarkMs: { N: String(thief.watermarkMs) },
      });
      expect(await numberOf(extractor, 'positionMs')).toBeUndefined();
      expect(extractor.batches).toHaveLength(page);
    },
  );

  test('the first holds the watermark for as long as its lease says, and each page renews it', async () => {
    const until: number[] = [];
    const { extractor } = await openThreePages({
      variables: { LEASE_SECONDS: '100' },
      sqs: {
        async beforeSend() {
          until.push(Number((await extractor.watermark())?.['leaseUntilMs']?.N));
        },
      },
    });
    const before = Date.now();
    await extractor.run();

    expect(until).toHaveLength(3);
    for (const [index, leaseUntilMs] of until.entries()) {
      expect(leaseUntilMs).toBeGreaterThanOrEqual(index === 0 ? before + 100 * SECOND : (until[index - 1] ?? 0));
      expect(leaseUntilMs).toBeLessThanOrEqual(Date.now() + 100 * SECOND);
    }
    expect(new Set(until).size).toBeGreaterThan(1);
  });

  test('a run whose lease cannot be released warns, and completes', async () => {
    const { extractor, carts } = await openThreePages();
    const endpoint = process.env['AWS_ENDPOINT_URL_DYNAMODB'] ?? '';
    const dynamodb = await fixture.serve((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        if (body.includes('REMOVE leaseOwner')) {
          response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
          response.end('{"__type":"com.amazonaws.dynamodb.v20120810#AccessDeniedException"}');
          return;
        }
        forward(endpoint, request, body)
          .then(async (reply) => response.writeHead(reply.status).end(await reply.text()))
          .catch(() => response.destroy());
      });
    });
    process.env['AWS_ENDPOINT_URL_DYNAMODB'] = dynamodb.url;
    try {
      expect(await extractor.run({ variables: {} })).toMatchObject({
        status: 'complete',
        cartsQueued: 15,
      });
    } finally {
      process.env['AWS_ENDPOINT_URL_DYNAMODB'] = endpoint;
    }
    expect(await extractor.guids()).toEqual(guidsOf(carts));
    expect(fixture.shown().join('\n')).toContain('The lease could not be released');
    expect(await leaseOf(extractor)).toBeDefined();
  });
});

describe('a run near its time limit', () => {
  const stopAtPage = (extractor: Extractor, page: number) => () => (pagesRead(extractor) < page ? 60_000 : 10_000);

  test('stops cleanly: what is queued stays, the lease is free, and the next run continues from there', async () => {
    const { extractor, carts, start } = await openThreePages();

    const result = await extractor.run({ remaining: stopAtPage(extractor, 2) });

    expect(result).toMatchObject({
      status: 'stopped',
      cartsQueued: 5,
      readTo: new Date(start + 4 * MINUTE).toISOString(),
    });
    expect(await extractor.guids()).toEqual(guidsOf(carts.slice(0, 5)));
    expect(await numberOf(extractor, 'positionMs')).toBe(start + 4 * MINUTE);
    expect(await leaseOf(extractor)).toBeUndefined();
    extractor.takeWindows();

    expect(await extractor.run()).toMatchObject({ status: 'complete' });
    expect(extractor.takeWindows()[0]?.fromMs).toBe(start + 3 * MINUTE);
    expect(new Set(await extractor.guids())).toEqual(new Set(guidsOf(carts)));
  });

  test('stops cleanly at the very first page, where nothing has moved yet', async () => {
    const { extractor, carts, start } = await openThreePages();

    const result = await extractor.run({ remaining: stopAtPage(extractor, 1) });

    expect(result).toMatchObject({ status: 'stopped', cartsQueued: 0, readTo: new Date(start).toISOString() });
    expect(await extractor.bodies()).toEqual([]);
    expect(await leaseOf(extractor)).toBeUndefined();
    expect(await numberOf(extractor, 'positionMs')).toBeUndefined();

    await extractor.run();
    expect(extractor.takeWindows()[1]?.fromMs).toBe(start);
    expect(await extractor.guids()).toEqual(guidsOf(carts));
  });

  test('and all runs after it still complete the reading', async () => {
    const { extractor, carts } = await openThreePages();
    const runs: string[] = [];
    while (!runs.includes('complete') && runs.length < 10) {
      const next = pagesRead(extractor) + 2;
      runs.push((await extractor.run({ remaining: stopAtPage(extractor, next) })).status);
    }

    expect(runs.at(-1)).toBe('complete');
    expect(runs.length).toBeGreaterThan(2);
    expect(new Set(await extractor.guids())).toEqual(new Set(guidsOf(carts)));
  });

  test('stops cleanly between two slices', async () => {
    const start = thisSecond() - 2.5 * DAY;
    const extractor = await fixture.open({ variables: { FIRST_WATERMARK: new Date(start).toISOString() } });

    const result = await extractor.run({ remaining: stopAtPage(extractor, 2) });

    expect(result).toMatchObject({ status: 'stopped', readTo: new Date(start + DAY).toISOString() });
    expect(await numberOf(extractor, 'watermarkMs')).toBe(start + DAY);
  });

  test('stops within a long overlap, and takes nothing back of what an earlier run has read', async () => {
    const start = thisSecond() - 20 * HOUR;
    const extractor = await fixture.open({
      variables: { FIRST_WATERMARK: new Date(start).toISOString(), OVERLAP_SECONDS: String((3 * HOUR) / SECOND) },
    });
    await extractor.putWatermark({ watermarkMs: start, positionMs: start + 10 * HOUR, sliceMs: HOUR });

    expect(await extractor.run({ remaining: stopAtPage(extractor, 2) })).toMatchObject({ status: 'stopped' });

    expect(await numberOf(extractor, 'positionMs')).toBe(start + 10 * HOUR);
  });

  describe('whose carts come in no order, and fill more pages than a run has time for,', () => {
    /** Twelve carts within an hour, and two in the next. */
    async function openUnordered() {
      const start = thisSecond() - 2 * HOUR;
      const extractor = await fixture.open({
        pageSize: 4,
        unordered: true,
        variables: { FIRST_WATERMARK: new Date(start).toISOString(), OVERLAP_SECONDS: '60' },
      });
      const carts = [...cartsFrom(start, 12, 5 * MINUTE), ...cartsFrom(start + 70 * MINUTE, 2, 20 * MINUTE, 20)];
      extractor.srm.addCarts(rowsOf(carts));
      return { extractor, carts, start };
    }

    test('makes progress, or lets the next one read a narrower slice: after some runs all is read', async () => {
      const { extractor, carts } = await openUnordered();
      const runs: string[] = [];
      while (!runs.includes('complete') && runs.length < 10) {
        const next = pagesRead(extractor) + 4;
        runs.push((await extractor.run({ remaining: stopAtPage(extractor, next) })).status);
      }

      expect(runs.at(-1)).toBe('complete');
      expect(runs.length).toBeGreaterThan(2);
      expect(new Set(await extractor.guids())).toEqual(new Set(guidsOf(carts)));
      expect(Object.keys((await extractor.watermark()) ?? {}).sort()).toEqual(['pk', 'sk', 'watermarkMs']);
    });

    test('gets on as well in a replay that an operator continues where it stopped', async () => {
      const { extractor, carts, start } = await openUnordered();
      const changedTo = new Date(start + 2 * HOUR).toISOString();
      let changedFrom = new Date(start).toISOString();
      let status = '';
      for (let runs = 0; status !== 'complete' && runs < 8; runs++) {
        const next = pagesRead(extractor) + 4;
        const event = { changedFrom, changedTo, ...BY_HAND };
        const end = await extractor.run({ event, remaining: stopAtPage(extractor, next) });
        status = end.status;
        changedFrom = end.readTo ?? changedFrom;
      }

      expect(status).toBe('complete');
      expect(new Set(await extractor.guids())).toEqual(new Set(guidsOf(carts)));
    });
  });
});

// Edge case 3.
describe('when the clocks differ', () => {
  const skewed = (ms: number) => ({ clock: () => new Date(Date.now() + ms) });
  const warning = 'The clocks of SRM and of this function differ';

  test('and SRM is 10 minutes behind, the watermark does not pass SRM’s own now less the safety, with a warning', async () => {
    const { extractor } = await openThreePages({ ...skewed(-10 * MINUTE), variables: { SAFETY_SECONDS: '60' } });

    const before = thisSecond();
    expect(await extractor.run()).toMatchObject({ status: 'complete' });

    const watermarkMs = (await numberOf(extractor, 'watermarkMs')) ?? 0;
    expect(watermarkMs).toBeGreaterThanOrEqual(before - 11 * MINUTE);
    expect(watermarkMs).toBeLessThanOrEqual(thisSecond() - 11 * MINUTE);
    const lines = fixture.shown().filter((line) => line.includes(warning));
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      expect.objectContaining({ level: 'WARN', skewSeconds: expect.any(Number) }),
    ]);

    // A cart that SRM commits late by its own clock is read, however far our own clock was ahead.
    const late = cartAt(watermarkMs + 5 * SECOND, 60);
    extractor.srm.addCarts([late.row]);
    await extractor.run();
    expect(await extractor.guids()).toContain(late.guid);
  });

  test('and SRM is behind by more than a slice, no window ends after SRM’s own now', async () => {
    const start = thisSecond() - 2.5 * DAY;
    const extractor = await fixture.open({
      ...skewed(-1.25 * DAY),
      variables: { FIRST_WATERMARK: new Date(start).toISOString() },
    });

    expect(await extractor.run()).toMatchObject({ status: 'complete' });

    expect(extractor.takeWindows().map(({ fromMs }) => fromMs)).toEqual([start, start + DAY]);
    expect(await numberOf(extractor, 'watermarkMs')).toBeLessThanOrEqual(thisSecond() - 1.25 * DAY);
  });

  test('and SRM is behind, a run that fails on its way does not move the watermark past SRM’s own now either', async () => {
    const start = thisSecond() - 12 * MINUTE;
    const extractor = await fixture.open({
      ...skewed(-10 * MINUTE),
      pageSize: 5,
      disturbances: onPages(2),
      variables: { FIRST_WATERMARK: new Date(start).toISOString(), SAFETY_SECONDS: '60', OVERLAP_SECONDS: '0' },
    });
    // Up to SRM's own last second, which is not safe yet.
    extractor.srm.addCarts(rowsOf(cartsFrom(start, 10, 20 * SECOND)));

    await expect(extractor.run({ remaining: noTimeToRetry })).rejects.toThrow('E_SRC_UNAVAILABLE');

    expect(await numberOf(extractor, 'positionMs')).toBeLessThanOrEqual(thisSecond() - 11 * MINUTE);
  });

  test('and SRM is 10 minutes ahead, the watermark does not pass our own now less the safety, with a warning', async () => {
    const { extractor } = await openThreePages({ ...skewed(10 * MINUTE), variables: { SAFETY_SECONDS: '60' } });

    const before = thisSecond();
    await extractor.run();

    const watermarkMs = await numberOf(extractor, 'watermarkMs');
    expect(watermarkMs).toBeGreaterThanOrEqual(before - MINUTE);
    expect(watermarkMs).toBeLessThanOrEqual(thisSecond() - MINUTE);
    expect(fixture.shown().join('\n')).toContain(warning);
  });

  test.each([30, -30])(
    'by less than a minute (%i s), our own clock counts, and there is no warning',
    async (seconds) => {
      const { extractor } = await openThreePages({ ...skewed(seconds * SECOND), variables: { SAFETY_SECONDS: '60' } });

      await extractor.run();

      expect(await numberOf(extractor, 'watermarkMs')).toBe(extractor.takeWindows()[0]?.toMs);
      expect(fixture.shown().join('\n')).not.toContain(warning);
    },
  );

  test('by a few minutes, SRM’s clock counts without a warning', async () => {
    const { extractor } = await openThreePages({ ...skewed(-3 * MINUTE), variables: { SAFETY_SECONDS: '60' } });

    await extractor.run();

    expect(await numberOf(extractor, 'watermarkMs')).toBeLessThanOrEqual(thisSecond() - 4 * MINUTE);
    expect(fixture.shown().join('\n')).not.toContain(warning);
  });
});
