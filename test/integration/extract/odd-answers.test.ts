/** How SRM's answers can be odd and still say something: pages with a bad byte, other links, wrong clocks, several counts. */
import { describe, expect, test } from '@jest/globals';
import { noDisturbance } from '../../simulators/disturbances.ts';
import type { CartRow } from '../../simulators/srm7-rows.ts';
import {
  cartAt,
  cartsFrom,
  DAY,
  type Extractor,
  type ExtractorOptions,
  guidsOf,
  HOUR,
  MINUTE,
  noTimeToRetry,
  rowsOf,
  SECOND,
  thisSecond,
  useFixture,
  windowOf,
} from './extractor-fixture.ts';

const fixture = useFixture();
const SERVICE = '/sap/opu/odata/sap/ZSRM_SC_EXTRACT_SRV';

const watermarkOf = async (extractor: Extractor): Promise<number> =>
  Number((await extractor.watermark())?.['watermarkMs']?.N);
const warnings = (event: string): unknown[] =>
  fixture
    .shown()
    .flatMap((line): unknown[] => (line.startsWith('{"') ? [JSON.parse(line)] : []))
    .filter((line) => Object(line).event === event);

/** A service that answers each request with the next body, and the last one from then on. */
async function openService(bodies: readonly string[], options: ExtractorOptions = {}) {
  const service = await fixture.serve((_, response) => {
    const body = bodies[Math.min(service.requests.length, bodies.length) - 1];
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  });
  const variables = { SRM_BASE_URL: service.url, ...options.variables };
  return { service, extractor: await fixture.open({ ...options, variables }) };
}

describe('a page with a bad byte', () => {
  /** Three carts, of which the middle one is written with a change to its text. */
  async function openThree(change: (text: string) => string) {
    const extractor = await fixture.open();
    const carts = cartsFrom(thisSecond() - 30 * MINUTE, 3, SECOND);
    const rows = carts.map(({ row }, index): [CartRow, number] => [
      index === 1 ? change(JSON.stringify(row)) : JSON.stringify(row),
      thisSecond() - 30 * MINUTE + index * SECOND,
    ]);
    for (const [index, [row, changedAtMs]] of rows.entries()) {
      const guid = carts[index]?.guid ?? '';
      extractor.srm.addCarts([row], { guid, changedAt: new Date(changedAtMs), status: 'I1129' });
    }
    return { extractor, carts };
  }

  test('in a text, such as a line break or a tab, is read as if it were escaped', async () => {
    const { extractor, carts } = await openThree((text) => text.replace('{', '{"ZzNote":"one\ttwo\r\nthree\u0001",'));

    expect(await extractor.run()).toMatchObject({ status: 'complete', cartsQueued: 3 });

    expect(await extractor.guids()).toEqual(guidsOf(carts));
    const notes = (await extractor.messages()).map((message) =>
      'source' in message ? Reflect.get(Object(message.source), 'ZzNote') : undefined,
    );
    expect(notes).toContain('one\ttwo\r\nthree\u0001');
    expect(warnings('page.row-unreadable')).toEqual([]);
  });

  test.each<[string, (text: string) => string]>([
    ['an open quote', (text) => text.replace(/"Description":"/, '$&19" rack ')],
    ['no value', (text) => text.replace(/"TotalValue":"[^"]*"/, '"TotalValue":')],
    ['an unknown escape', (text) => text.replace(/"Description":"/, String.raw`$&C:\xtemp `)],
  ])('that makes one row unreadable (%s) keeps no other back; the row goes on as its text', async (_what, change) => {
    const { extractor, carts } = await openThree(change);

    expect(await extractor.run()).toMatchObject({ status: 'complete', cartsQueued: 3 });

    expect(await extractor.guids()).toEqual(guidsOf(carts));
    const bad = carts[1];
    const messages = await extractor.messages();
    expect(messages.filter((message) => 'source' in message && typeof message.source === 'string')).toEqual([
      expect.objectContaining({ cart: { number: bad?.number, guid: bad?.guid } }),
    ]);
    expect(warnings('page.row-unreadable')).toEqual([
      expect.objectContaining({
        level: 'WARN',
        cartNumber: bad?.number,
        cartGuid: bad?.guid,
        reason: expect.stringMatching(/^its page is not JSON at character \d+$/),
      }),
    ]);
    // The run goes on behind the page.
    expect(await watermarkOf(extractor)).toBe(extractor.takeWindows()[0]?.toMs);
  });

  test('outside its rows is an error that says where, and near which cart', async () => {
    const { extractor } = await openService(['{"d":{"results":[{"ObjectId":"4711","Guid":"a"}],"__count":}}']);
    await expect(extractor.run({ remaining: noTimeToRetry })).rejects.toThrow(
      'the page from SRM is not JSON (61 characters, wrong at character 60), behind cart 4711',
    );
  });
});

describe('a list without carts', () => {
  test.each(['{}', '{"__count":"0"}', '{"results":[],"__count":"0"}', '{"__metadata":{},"__count":0}'])(
    'may be written as %s',
    async (emptyList) => {
      const extractor = await fixture.open({ emptyList });
      expect(await extractor.run()).toMatchObject({ status: 'complete', cartsQueued: 0, pages: 1 });
      expect(await extractor.bodies()).toEqual([]);
    },
  );

  test('is no empty list where it announces some', async () => {
    const { extractor } = await openService(['{"d":{"__count":"3"}}']);
    await expect(extractor.run()).rejects.toThrow('E_SRC_PAGING_INCOMPLETE');
  });
});

test('a byte order mark before each JSON is cut off', async () => {
  const extractor = await fixture.open({ byteOrderMark: true, pageSize: 2 });
  const carts = cartsFrom(thisSecond() - 30 * MINUTE, 3, SECOND);
  extractor.srm.addCarts(rowsOf(carts));
  expect(await extractor.run()).toMatchObject({ status: 'complete', cartsQueued: 3 });
});

// Edge case 6.
describe('a __next in another spelling of the same service is followed', () => {
  test.each<[string, ExtractorOptions]>([
    ['with the namespace in capitals', { linkedServicePath: '/sap/opu/odata/SAP/ZSRM_SC_EXTRACT_SRV' }],
    ['in small letters', { linkedServicePath: SERVICE.toLowerCase() }],
    ['with a version', { linkedServicePath: `${SERVICE};v=1` }],
    [
      'with a host in capitals',
      { internalHost: 'SAPSRM.Internal:8000', variables: { SRM_INTERNAL_HOSTS: 'sapsrm.internal:8000' } },
    ],
    ['with a # in its token', { skipTokenMarks: 'a#b#' }],
    ['with other marks in its token', { skipTokenMarks: "+'|~" }],
  ])('%s', async (_how, options) => {
    const extractor = await fixture.open({ pageSize: 2, ...options });
    const carts = cartsFrom(thisSecond() - 30 * MINUTE, 5, SECOND);
    extractor.srm.addCarts(rowsOf(carts));

    expect(await extractor.run()).toMatchObject({ status: 'complete', pages: 3 });

    expect(await extractor.guids()).toEqual(guidsOf(carts));
  });

  test('and sent as it is spelled', async () => {
    const next = '/Proxy/SAP/opu/odata;x=1/sap/zsrm_sc_extract_srv;v=1/ShoppingCartSet?$skiptoken=1#2?3#4';
    const { service, extractor } = await openService([
      `{"d":{"results":[],"__next":"${next}"}}`,
      '{"d":{"results":[]}}',
    ]);
    expect(await extractor.run()).toMatchObject({ status: 'complete', pages: 2 });
    expect(service.requests[1]?.url).toBe(
      '/SAP/opu/odata;x=1/sap/zsrm_sc_extract_srv;v=1/ShoppingCartSet?$skiptoken=1%232?3%234',
    );
  });
});

test.each([
  ['names another host', 'https://srm.example.test/sap'],
  ['is no text', 7],
  ['is a list', []],
])('a __next that %s fails the run, and does not keep back the page that it came with', async (_what, link) => {
  const guids = ['a'.repeat(32), 'b'.repeat(32)];
  const page = JSON.stringify({ d: { results: guids.map((Guid) => ({ Guid })), __next: link } });
  const { service, extractor } = await openService([page]);

  await expect(extractor.run()).rejects.toMatchObject({ fault: { code: 'E_SRC_UNAVAILABLE' } });

  expect(await extractor.guids()).toEqual(guids);
  expect(service.requests).toHaveLength(1);
  expect((await extractor.watermark())?.['watermarkMs']).toBeUndefined();
});

describe('the size of a page', () => {
  test.each(['next-link', 'skip-top'])('can be asked for, with paging by %s', async (paging) => {
    const extractor = await fixture.open({ variables: { SRM_PAGE_SIZE: '2', SRM_PAGING: paging } });
    const carts = cartsFrom(thisSecond() - 30 * MINUTE, 5, SECOND);
    extractor.srm.addCarts(rowsOf(carts));

    expect(await extractor.run()).toMatchObject({ status: 'complete', cartsQueued: 5, pages: 3 });

    expect(await extractor.guids()).toEqual(guidsOf(carts));
  });

  const two = '[{"Guid":"a"},{"Guid":"b"}]';
  const top = { variables: { SRM_PAGE_SIZE: '2', SRM_PAGING: 'skip-top' } };

  test.each([
    ['$top, and the list is whole', [`{"d":{"results":[{"Guid":"a"},{"Guid":"b"},{"Guid":"c"}]}}`], ['a', 'b', 'c']],
    ['$skip, and the list is whole', [`{"d":{"__count":"2","results":${two}}}`], ['a', 'b']],
  ])('does no harm where SRM ignores %s', async (_what, bodies, guids) => {
    const { extractor } = await openService(bodies, top);
    expect(await extractor.run()).toMatchObject({ status: 'complete', cartsQueued: guids.length });
    expect(await extractor.guids()).toEqual(guids);
  });

  test.each([`{"d":{"results":${two}}}`, `{"d":{"__count":"5","results":${two}}}`])(
    'is an error where SRM ignores $skip and there may be more: %s',
    async (body) => {
      const { extractor } = await openService([body], top);
      await expect(extractor.run()).rejects.toThrow('it ignores $skip');
    },
  );

  /** Too large for a window wider than this. */
  const openLarge = async (fittingMs: number, sinceMs: number) => {
    const service = await fixture.serve(({ url = '' }, response) => {
      const { fromMs, toMs } = windowOf(url);
      const body = toMs - fromMs > fittingMs ? Buffer.alloc(65 * 1024 * 1024, ' ') : '{"d":{"results":[]}}';
      response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    });
    const firstWatermark = new Date(thisSecond() - 5 * MINUTE - sinceMs).toISOString();
    const extractor = await fixture.open({
      variables: { SRM_BASE_URL: service.url, FIRST_WATERMARK: firstWatermark, SAFETY_SECONDS: '300' },
    });
    const minutes = () =>
      service.requests.map(({ url = '' }) => Math.round((windowOf(url).toMs - windowOf(url).fromMs) / MINUTE));
    return { extractor, minutes };
  };

  test('is too large beyond 64 MiB: its slice is read again in quarters', async () => {
    const { extractor, minutes } = await openLarge(25 * MINUTE, 80 * MINUTE);

    expect(await extractor.run()).toMatchObject({ status: 'complete' });

    expect(minutes().slice(0, 4)).toEqual([80, 20, 20, 20]);
  });

  test('is too large in the narrowest slice, too: the error says what to do', async () => {
    const { extractor, minutes } = await openLarge(0, MINUTE / 2);
    await expect(extractor.run()).rejects.toThrow(/no whole answer \(TOO_LARGE\); lower srm\.pageSize$/);
    // It would be as large at the next attempt.
    expect(minutes()).toHaveLength(1);
  });

  describe('and its time:', () => {
    const openSlow = (SRM_TIMEOUT_MS: string) =>
      fixture.open({
        variables: { SRM_TIMEOUT_MS },
        disturbances: ({ operation }) => (operation === 'page' ? { kind: 'slow', delayMs: 4000 } : noDisturbance),
      });

    test('a page that takes longer than the time-out fails, and the error names the settings', async () => {
      const run = (await openSlow('2000')).run({ remaining: () => 7500 });
      await expect(run).rejects.toThrow('(TIMEOUT); raise srm.timeoutSeconds or lower srm.pageSize');
    });

    test('one that takes less is read', async () => {
      expect(await (await openSlow('20000')).run({ remaining: () => 25_500 })).toMatchObject({ status: 'complete' });
    });
  });
});

// Edge case 7.
describe('the count of a window', () => {
  test('counts a cart as often as SRM lists it', async () => {
    const extractor = await fixture.open({ copies: 2 });
    const carts = cartsFrom(thisSecond() - 30 * MINUTE, 3, SECOND);
    extractor.srm.addCarts(rowsOf(carts));

    expect(await extractor.run()).toMatchObject({ status: 'complete', cartsRead: 6, pages: 1 });

    expect([...new Set(await extractor.guids())]).toEqual(guidsOf(carts));
  });

  const at = Date.now() - 10 * MINUTE;
  const rows = (...versions: string[]) =>
    JSON.stringify(
      versions.map((version) => ({
        Guid: version.charAt(0),
        ChangedAt: `/Date(${at + Number(version.slice(1)) * SECOND})/`,
      })),
    );
  const pages = (count: number, first: string, second: string) => [
    `{"d":{"__count":"${count}","results":${first},"__next":"ShoppingCartSet?$skiptoken=2"}}`,
    `{"d":{"results":${second}}}`,
  ];

  test.each([
    ['A, A, B on one page', pages(4, rows('a1', 'a1', 'b2'), rows('c3'))],
    ['A on one page, and A in the same version on the next', pages(4, rows('a1', 'b2'), rows('b2', 'c3'))],
    ['A that moved to the next page', pages(3, rows('a1', 'b2'), rows('c3', 'a4'))],
  ])('agrees with %s', async (_what, bodies) => {
    const { extractor } = await openService(bodies);
    expect(await extractor.run()).toMatchObject({ status: 'complete', cartsRead: 4 });
  });

  test('does not take a cart that moved for one that is missing', async () => {
    const bodies = pages(4, rows('a1', 'b2'), rows('c3', 'a4'));
    const { extractor } = await openService([...bodies, ...bodies]);
    await expect(extractor.run()).rejects.toThrow('announced 4 carts and delivered 3, twice');
  });
});

// Edge case 3.
describe('a Date that is no clock', () => {
  const start = thisSecond() - 2 * HOUR;
  const open = (options: ExtractorOptions) =>
    fixture.open({ ...options, variables: { FIRST_WATERMARK: new Date(start).toISOString(), ...options.variables } });

  test.each<[string, () => Record<string, string>, string]>([
    ['is that of 1970', () => ({ Date: 'Thu, 01 Jan 1970 00:00:00 GMT' }), 'it lies before what was read already'],
    [
      'comes with an Age',
      () => ({ Date: new Date(start + HOUR).toUTCString(), Age: '3600' }),
      'the answer has an Age, so it comes from a cache',
    ],
    [
      'lies before a cart of its page',
      () => ({ Date: new Date(start + HOUR).toUTCString() }),
      'it lies before a ChangedAt of its own page',
    ],
  ])(
    'because it %s does not stop the watermark: our own clock counts, and a warning says so',
    async (_why, listHeaders, reason) => {
      const extractor = await open({ listHeaders, pageSize: 2 });
      extractor.srm.addCarts(rowsOf(cartsFrom(start + 90 * MINUTE, 3, SECOND)));

      expect(await extractor.run()).toMatchObject({ status: 'complete', cartsQueued: 3 });

      expect(await watermarkOf(extractor)).toBe(extractor.takeWindows()[0]?.toMs);
      expect(warnings('extraction.clock-ignored')).toEqual([expect.objectContaining({ level: 'WARN', reason })]);
    },
  );

  test('a cart with a stamp beyond the window says nothing about the clock', async () => {
    const serverMs = thisSecond() - 10 * MINUTE;
    const extractor = await open({ listHeaders: () => ({ Date: new Date(serverMs).toUTCString() }) });
    const stray = { ...cartAt(start + MINUTE, 1).row, ChangedAt: '/Date(253402214400000)/' };
    extractor.srm.addCarts([stray], { changedAt: new Date(start + MINUTE) });

    await extractor.run();

    expect(await watermarkOf(extractor)).toBe(serverMs - 5 * SECOND);
  });

  test('a clock that stands still does not let a run count as complete, so that an alarm sees it', async () => {
    const stands = new Date(start + HOUR).toUTCString();
    const extractor = await open({ listHeaders: () => ({ Date: stands }) });
    // As far as that clock goes, the run is complete.
    expect(await extractor.run()).toMatchObject({ status: 'complete' });
    const watermarkMs = await watermarkOf(extractor);
    fixture.shown();

    expect(await extractor.run()).toMatchObject({ status: 'behind', readTo: new Date(watermarkMs).toISOString() });

    expect(await watermarkOf(extractor)).toBe(watermarkMs);
    expect(warnings('extraction.behind')).toHaveLength(1);
    const completed = fixture.shown().filter((line) => line.includes('"ExtractionCompleted":'));
    expect(completed).toHaveLength(1);
  });

  test('a clock that runs, however late, completes each run that moves the watermark', async () => {
    const extractor = await open({ clock: () => new Date(Date.now() - DAY / 48) });
    expect(await extractor.run()).toMatchObject({ status: 'complete' });
  });
});
