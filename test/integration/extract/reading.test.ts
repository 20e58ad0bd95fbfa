/** What the extractor requests from SRM, and what arrives on the queue: rule 4; rules.md, "Reading without gaps". */
import { describe, expect, test } from '@jest/globals';
import { BODY_LIMIT_BYTES, readCartMessage } from '../../../shared/cart-message.ts';
import { parseExactJson } from '../../../shared/exact-json.ts';
import { noDisturbance } from '../../simulators/disturbances.ts';
import {
  cartAt,
  cartsFrom,
  DAY,
  type Extractor,
  guidsOf,
  HOUR,
  MINUTE,
  pagesRead,
  rowsOf,
  SECOND,
  thisSecond,
  useFixture,
} from './extractor-fixture.ts';
import { BY_HAND } from '../fixture.ts';

const fixture = useFixture();

/** Rows by their GUID, as SRM wrote them; numbers keep their digits. */
const sourcesOf = async (extractor: Extractor): Promise<Map<string | null, unknown>> =>
  new Map(
    (await extractor.messages()).map((message) => [
      message.cart.guid,
      'source' in message ? message.source : undefined,
    ]),
  );

describe('on the queue', () => {
  test('all carts of several pages arrive, each once, in an envelope that names the cart and the run', async () => {
    const extractor = await fixture.open({ pageSize: 7 });
    const carts = cartsFrom(thisSecond() - 30 * MINUTE, 30, 20 * SECOND);
    extractor.srm.addCarts(rowsOf(carts));

    const result = await extractor.run();

    expect(result).toMatchObject({ status: 'complete', cartsRead: 30, cartsQueued: 30, claimChecks: 0, pages: 5 });
    const messages = await extractor.messages();
    const byNumber = (left: { cart: { number: string | null } }, right: { cart: { number: string | null } }) =>
      (left.cart.number ?? '').localeCompare(right.cart.number ?? '');
    expect(messages.sort(byNumber)).toEqual(
      carts
        .map(({ row, number, guid }) => ({
          schemaVersion: 1,
          runId: result.runId,
          correlationId: `${result.runId}/${guid}`,
          client: extractor.variables.SRM_CLIENT,
          cart: { number, guid },
          source: row,
        }))
        .sort(byNumber),
    );
  });

  test('the row of the source is unchanged: the digits of its numbers, every character, every unknown field', async () => {
    const extractor = await fixture.open();
    const at = thisSecond() - 10 * MINUTE;
    const texts = [
      String.raw`"plain é 漢字 عربى \"quoted\" \\ \/ \u0000\u001f\u007f tab\tline\n"`,
      String.raw`"emoji 😀 👩‍👩‍👧 as text, \ud83d\ude00 as an escape"`,
      String.raw`"not in SQS: \uffff \ufffe, a lone \ud800 and a lone \udc00, reversed \udc00\ud800"`,
      '"raw \ufffe\uffff, bidi \u202e, line separator \u2028"',
    ];
    const rows = texts.map((description, index) => {
      const guid = `005056a5-0000-0000-0000-00000000000${index}`;
      return [
        `{"Guid":"${guid}","ObjectId":"000470${index}","ChangedAt":"/Date(${at + index * SECOND}+0000)/","Status":"I1129"`,
        `"Amount":650.00,"Long":12345678901234567890,"Small":-0.000000000000000000010,"Exponent":1E400,"Zero":-0`,
        `"Description":${description},"😀 key":null,"__proto__":{"a":1.0},"toJSON":"x","constructor":[true,[],{}]}`,
      ].join(',');
    });
    extractor.srm.addCarts(rows);

    await extractor.run();

    const sources = await sourcesOf(extractor);
    for (const [index, row] of rows.entries()) {
      const source = sources.get(`005056a5-0000-0000-0000-00000000000${index}`);
      expect(JSON.stringify(source)).toBe(JSON.stringify(parseExactJson(row)));
    }
    for (const body of await extractor.bodies()) {
      expect(body).toContain(
        '"Amount":650.00,"Long":12345678901234567890,"Small":-0.000000000000000000010,"Exponent":1E400,"Zero":-0',
      );
      expect(body).toContain('"__proto__":{"a":1.0},"toJSON":"x","constructor":[true,[],{}]');
    }
  });

  test('a row that is no cart arrives as it is, and does not hold back other rows', async () => {
    const extractor = await fixture.open({ pageSize: 3 });
    const at = thisSecond() - 30 * MINUTE;
    const cart = cartAt(at + 100 * SECOND, 1);
    const guid = '005056a5-1111-1111-1111-000000000001';
    const noNumber = { Guid: `${guid}  `, ChangedAt: `/Date(${at + 3000})/`, Status: 'I1129' };
    const noStamp = { Guid: 'not a guid', ObjectId: 4711, ChangedAt: 'yesterday', Status: 'I1129' };
    const odd: [string, unknown][] = [
      ['null', null],
      ['"a string"', 'a string'],
      ['17.50', parseExactJson('17.50')],
      ['[]', []],
      ['{}', {}],
    ];
    for (const [index, [row]] of odd.entries()) {
      extractor.srm.addCarts([row], {
        guid: `${index}`,
        changedAt: new Date(at + index * SECOND),
        status: 'I1129',
      });
    }
    extractor.srm.addCarts([noNumber]);
    extractor.srm.addCarts([noStamp], { changedAt: new Date(at + 200 * SECOND) });
    extractor.srm.addCarts([cart.row]);

    const { runId, ...result } = await extractor.run();

    expect(result).toMatchObject({ status: 'complete', cartsQueued: 8, claimChecks: 0 });
    const unnamed = { correlationId: `${runId}/unidentified`, cart: { number: null, guid: null } };
    const messages = await extractor.messages();
    expect(messages).toHaveLength(8);
    expect(messages).toEqual(
      expect.arrayContaining([
        ...odd.map(([, source]) => expect.objectContaining({ ...unnamed, source })),
        expect.objectContaining({
          correlationId: `${runId}/4711`,
          cart: { number: '4711', guid: null },
          source: noStamp,
        }),
        expect.objectContaining({ correlationId: `${runId}/${guid}`, cart: { number: null, guid }, source: noNumber }),
        expect.objectContaining({ cart: { number: cart.number, guid: cart.guid }, source: cart.row }),
      ]),
    );
  });

  test('a cart over 1 MiB arrives as a claim with its key, even one without a GUID, and the rest of the page arrives whole', async () => {
    const extractor = await fixture.open();
    const at = thisSecond() - 10 * MINUTE;
    const carts = cartsFrom(at, 3, SECOND);
    const [small, large, nameless] = carts.map(({ row }) => row);
    const Description = 'x'.repeat(BODY_LIMIT_BYTES);
    extractor.srm.addCarts([{ ...small }, { ...large, Description }]);
    extractor.srm.addCarts([{ ...nameless, Guid: '', Description }], { guid: 'nameless' });

    const result = await extractor.run();

    expect(result).toMatchObject({ status: 'complete', cartsQueued: 3, claimChecks: 2 });
    const messages = await extractor.messages();
    const claim = (guid: string | null) => expect.objectContaining({ claim: { guid } });
    expect(messages).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ source: small }),
        claim(carts[1]?.guid ?? 'missing'),
        claim(null),
      ]),
    );
    expect(messages.find((message) => message.cart.guid === null)).toMatchObject({
      correlationId: `${result.runId}/${carts[2]?.number}`,
      cart: { number: carts[2]?.number },
    });
  });

  test('a cart becomes a claim at the first byte beyond the largest body that fits into SQS with its attributes', async () => {
    const extractor = await fixture.open();
    const { row, guid } = cartAt(thisSecond() - 10 * MINUTE, 1);
    extractor.srm.addCarts([row]);
    await extractor.run();
    const full = {
      ...BY_HAND,
      changedFrom: new Date(Date.now() - HOUR).toISOString(),
      changedTo: new Date().toISOString(),
    };
    await extractor.run({ event: full });
    const [, replayed = ''] = await extractor.bodies();
    const room = BODY_LIMIT_BYTES - Buffer.byteLength(replayed);
    const fill = (bytes: number) => ({ ...row, Description: `${String(row['Description'])}${'x'.repeat(bytes)}` });

    extractor.srm.addCarts([fill(room)]);
    expect(await extractor.run({ event: full })).toMatchObject({ cartsQueued: 1, claimChecks: 0 });
    extractor.srm.addCarts([fill(room + 1)]);
    expect(await extractor.run({ event: full })).toMatchObject({ cartsQueued: 1, claimChecks: 1 });

    const bodies = await extractor.bodies();
    expect(bodies.map((text) => Buffer.byteLength(text))).toContain(BODY_LIMIT_BYTES);
    expect(bodies.map(readCartMessage)).toContainEqual(expect.objectContaining({ claim: { guid } }));
  });
});

describe('a request to SRM', () => {
  test('has the documented form: filter, order, expansion, count, client, language, and the run as correlation id', async () => {
    const extractor = await fixture.open({ pageSize: 2 });
    extractor.srm.addCarts(rowsOf(cartsFrom(thisSecond() - 20 * MINUTE, 3, SECOND)));
    const { runId } = await extractor.run();

    const pages = extractor.srm.requests.filter(({ operation }) => operation === 'page');
    expect(pages.map(({ correlationId }) => correlationId)).toEqual([runId, runId]);
    const url = new URL(pages[0]?.path ?? '', extractor.srm.url);
    expect(url.pathname).toBe('/sap/opu/odata/sap/ZSRM_SC_EXTRACT_SRV/ShoppingCartSet');
    const { $filter, ...query } = Object.fromEntries(url.searchParams);
    expect($filter).toMatch(
      /^ChangedAt ge datetimeoffset'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ' and ChangedAt lt datetimeoffset'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ' and Status eq 'I1129'$/,
    );
    expect(query).toEqual({
      $orderby: 'ChangedAt asc,Guid asc',
      $expand: 'Items/Accounting,Items/Partners,Items/Texts,Partners,Texts,Attachments',
      $inlinecount: 'allpages',
      $format: 'json',
      'sap-client': extractor.variables.SRM_CLIENT,
      'sap-language': 'EN',
    });
    // The query is encoded to the letter: `+` would be a space in one service and a plus in another.
    expect(pages[0]?.path).not.toMatch(/[ +']/);
  });

  test('asks for all configured statuses, and for no other', async () => {
    const extractor = await fixture.open({ variables: { SRM_STATUSES: 'I1129,I1111' } });
    const [approved, inTransfer, rejected] = cartsFrom(thisSecond() - 20 * MINUTE, 3, SECOND);
    if (!approved || !inTransfer || !rejected) throw new Error('no carts');
    extractor.srm.addCarts([
      approved.row,
      { ...inTransfer.row, Status: 'I1111' },
      { ...rejected.row, Status: 'I1016' },
    ]);

    await extractor.run();

    expect(await extractor.guids()).toEqual(guidsOf([approved, inTransfer]));
    const page = extractor.srm.requests.find(({ operation }) => operation === 'page');
    expect(decodeURIComponent(page?.path ?? '')).toContain(" and (Status eq 'I1129' or Status eq 'I1111')&");
  });

  test('carries the token, accepts JSON, and goes only to paths of SRM', async () => {
    const service = await fixture.serve((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"d":{"results":[],"__count":"0"}}');
    });
    const extractor = await fixture.open({ variables: { SRM_BASE_URL: `${service.url}/proxy/srm7` } });

    expect(await extractor.run()).toMatchObject({ status: 'complete', cartsQueued: 0 });

    const [request] = service.requests;
    expect(service.requests).toHaveLength(1);
    expect(request?.headers).toMatchObject({
      authorization: expect.stringMatching(/^Bearer srm7-token-[0-9a-f-]{36}$/),
      accept: 'application/json',
    });
    expect(request?.url).toMatch(/^\/proxy\/srm7\/sap\/opu\/odata\/sap\/ZSRM_SC_EXTRACT_SRV\/ShoppingCartSet\?/);
  });

  test.each([
    ['a list under results', '{"d":{"results":[{"Guid":"a"},{"Guid":"b"}]}}', ['a', 'b']],
    ['a list as in the first version', '{"d":[{"Guid":"a"},{"Guid":"b"}]}', ['a', 'b']],
    ['a single cart', '{"d":{"Guid":"a"}}', ['a']],
    ['nothing', '{"d":{"results":[],"__count":"0"}}', []],
    ['a count that is a number, behind a byte order mark', '\ufeff{"d":{"results":[{"Guid":"a"}],"__count":1}}', ['a']],
  ])('may be answered in any envelope: %s', async (_, body, guids) => {
    const service = await fixture.serve((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(body);
    });
    const extractor = await fixture.open({ variables: { SRM_BASE_URL: service.url } });

    await extractor.run();

    expect(await extractor.guids()).toEqual(guids);
  });
});

describe('the windows of a run', () => {
  // Edge case 11.
  test('start at the first watermark in the first run, and at the watermark less the overlap in the next', async () => {
    const first = thisSecond() - 2 * HOUR;
    const extractor = await fixture.open({
      variables: { FIRST_WATERMARK: new Date(first).toISOString(), OVERLAP_SECONDS: '1800', SAFETY_SECONDS: '300' },
    });
    const carts = cartsFrom(first - SECOND, 3, SECOND);
    extractor.srm.addCarts(rowsOf(carts));

    const earliest = thisSecond();
    const result = await extractor.run();
    const [window] = extractor.takeWindows();

    expect(window?.fromMs).toBe(first);
    expect(window?.toMs).toBeGreaterThanOrEqual(earliest - 5 * MINUTE);
    expect(window?.toMs).toBeLessThanOrEqual(thisSecond() - 5 * MINUTE);
    expect(result.readTo).toBe(new Date(window?.toMs ?? 0).toISOString());
    // Nothing from before the interface went live; a cart that is stamped at its first second is included.
    expect(await extractor.guids()).toEqual(guidsOf(carts.slice(1)));
    expect(await extractor.watermark()).toEqual({
      pk: { S: `WATERMARK#${extractor.variables.SRM_CLIENT}` },
      sk: { S: 'WATERMARK' },
      watermarkMs: { N: String(window?.toMs) },
    });

    await extractor.run({ variables: { SAFETY_SECONDS: '30' } });
    const [second] = extractor.takeWindows();
    expect(second?.fromMs).toBe((window?.toMs ?? 0) - 30 * MINUTE);
  });

  // Edge case 2.
  test('include a cart that was committed late, with a stamp inside the overlap', async () => {
    const extractor = await fixture.open({ variables: { SAFETY_SECONDS: '60', OVERLAP_SECONDS: '120' } });
    const now = thisSecond();
    const early = cartAt(now - 3 * MINUTE, 1);
    const late = cartAt(now - 2 * MINUTE, 2);
    extractor.srm.addCarts([early.row]);
    await extractor.run();
    expect(await extractor.guids()).toEqual([early.guid]);

    extractor.srm.addCarts([late.row]);
    await extractor.run({ variables: { SAFETY_SECONDS: '5' } });

    expect(await extractor.guids()).toContain(late.guid);
  });

  test('never reach before the first watermark with their overlap', async () => {
    const first = thisSecond() - 10 * MINUTE;
    const extractor = await fixture.open({
      variables: { FIRST_WATERMARK: new Date(first).toISOString(), SAFETY_SECONDS: '60', OVERLAP_SECONDS: '3600' },
    });
    extractor.srm.addCarts([cartAt(first - SECOND, 1).row]);

    await extractor.run();
    await extractor.run({ variables: { SAFETY_SECONDS: '5' } });

    expect(extractor.takeWindows().map(({ fromMs }) => fromMs)).toEqual([first, first]);
    expect(await extractor.guids()).toEqual([]);
  });

  // Edge case 10.
  test('are slices of at most 24 h without a gap after an outage of days', async () => {
    const first = thisSecond() - 3.5 * DAY;
    const extractor = await fixture.open({ variables: { FIRST_WATERMARK: new Date(first).toISOString() } });
    const edges = [0, DAY - SECOND, DAY, DAY + SECOND, 2 * DAY - SECOND, 2 * DAY, 3 * DAY, 3.4 * DAY];
    const carts = edges.map((offset, index) => cartAt(first + offset, index + 1));
    extractor.srm.addCarts(rowsOf(carts));

    const result = await extractor.run();

    const windows = extractor.takeWindows();
    expect(windows).toHaveLength(4);
    expect(windows.map(({ fromMs }) => fromMs)).toEqual([first, ...windows.slice(0, -1).map(({ toMs }) => toMs)]);
    for (const { fromMs, toMs } of windows) expect(toMs - fromMs).toBeLessThanOrEqual(DAY);
    expect(result).toMatchObject({
      status: 'complete',
      cartsQueued: 8,
      readTo: new Date(windows.at(-1)?.toMs ?? 0).toISOString(),
    });
    expect(await extractor.guids()).toEqual(guidsOf(carts));
    expect((await extractor.watermark())?.['watermarkMs']).toEqual({ N: String(windows.at(-1)?.toMs) });
  });

  test('are slices of an overlap that is longer than a slice, up to now', async () => {
    const watermark = thisSecond() - HOUR;
    const extractor = await fixture.open({
      variables: {
        FIRST_WATERMARK: new Date(watermark - 9 * DAY).toISOString(),
        OVERLAP_SECONDS: String((2.5 * DAY) / SECOND),
      },
    });
    await extractor.putWatermark({ watermarkMs: watermark });
    const fresh = cartAt(watermark + MINUTE, 1);
    extractor.srm.addCarts([fresh.row]);

    expect(await extractor.run()).toMatchObject({ status: 'complete' });

    expect(await extractor.guids()).toEqual([fresh.guid]);
    const windows = extractor.takeWindows();
    expect(windows).toHaveLength(3);
    expect(windows[0]).toEqual({ fromMs: watermark - 2.5 * DAY, toMs: watermark - 1.5 * DAY });
    expect((await extractor.watermark())?.['watermarkMs']).toEqual({ N: String(windows.at(-1)?.toMs) });
  });

  test('are each requested once from a slow SRM, not once more for every second that its answer took', async () => {
    const extractor = await fixture.open({
      disturbances: ({ operation }) => (operation === 'page' ? { kind: 'slow', delayMs: 1100 } : noDisturbance),
    });

    expect(await extractor.run()).toMatchObject({ status: 'complete', pages: 1 });
  });

  test('do not depend on the event of the schedule', async () => {
    const extractor = await fixture.open();
    const { number, guid, row } = cartAt(thisSecond() - 10 * MINUTE, 1);
    extractor.srm.addCarts([row]);
    const event = {
      version: '0',
      id: number,
      'detail-type': 'Scheduled Event',
      time: '2026-11-20T00:00:00Z',
      detail: '',
    };

    expect(await extractor.run({ event })).toMatchObject({ status: 'complete' });

    expect(await extractor.guids()).toEqual([guid]);
    expect(await extractor.watermark()).toBeDefined();
  });

  test('are not requested at all when nothing is new', async () => {
    const extractor = await fixture.open({ variables: { SAFETY_SECONDS: '30' } });
    await extractor.run({ variables: { SAFETY_SECONDS: '5' } });
    extractor.takeWindows();

    expect(await extractor.run()).toMatchObject({ status: 'complete', cartsQueued: 0, pages: 0 });
    expect(extractor.takeWindows()).toEqual([]);
  });
});

describe('a replay', () => {
  test('reads the window that it is given and leaves the watermark unchanged, to the byte', async () => {
    const extractor = await fixture.open({
      variables: { FIRST_WATERMARK: new Date(thisSecond() - HOUR).toISOString() },
    });
    const from = thisSecond() - 5 * DAY;
    const carts = cartsFrom(from - SECOND, 4, SECOND);
    extractor.srm.addCarts(rowsOf(carts));
    await extractor.run();
    extractor.takeWindows();
    const before = JSON.stringify(await extractor.watermark());

    const changedFrom = new Date(from).toISOString();
    const changedTo = new Date(from + 2 * SECOND).toISOString();
    const result = await extractor.run({ event: { changedFrom, changedTo, ...BY_HAND } });

    expect(result).toMatchObject({ status: 'complete', cartsQueued: 2, readTo: changedTo });
    expect(await extractor.guids()).toEqual(guidsOf(carts.slice(1, 3)));
    // An operator asked for it: such a cart is judged again, even where another reading of it is a dead letter.
    expect((await extractor.messages()).map(({ origin }) => origin)).toEqual(['replay', 'replay']);
    expect(extractor.takeWindows()).toEqual([{ fromMs: from, toMs: from + 2 * SECOND }]);
    expect(JSON.stringify(await extractor.watermark())).toBe(before);
    expect((await extractor.operations()).at(-1)).toMatchObject({
      ...BY_HAND,
      action: 'replay-window',
      subject: `carts changed from ${changedFrom} to ${changedTo}`,
      outcome: { result: 'done', summary: `run ${result.runId}: 2 carts read, 2 queued` },
    });
  });

  test('needs no watermark, creates none, and waits for no lease', async () => {
    const extractor = await fixture.open();
    const from = thisSecond() - 5 * DAY;
    const event = {
      ...BY_HAND,
      changedFrom: new Date(from).toISOString(),
      changedTo: new Date(from + HOUR).toISOString(),
    };
    expect(await extractor.run({ event })).toMatchObject({ status: 'complete' });
    expect(await extractor.watermark()).toBeUndefined();

    await extractor.putWatermark({ leaseOwner: 'another', leaseUntilMs: Date.now() + HOUR });
    expect(await extractor.run({ event })).toMatchObject({ status: 'complete' });
  });

  test('of more than an hour is read slice by slice', async () => {
    const extractor = await fixture.open();
    const from = thisSecond() - 9 * DAY;
    const event = {
      ...BY_HAND,
      changedFrom: new Date(from).toISOString(),
      changedTo: new Date(from + 2.5 * HOUR).toISOString(),
    };

    await extractor.run({ event });

    expect(extractor.takeWindows()).toEqual([
      { fromMs: from, toMs: from + HOUR },
      { fromMs: from + HOUR, toMs: from + 2 * HOUR },
      { fromMs: from + 2 * HOUR, toMs: from + 2.5 * HOUR },
    ]);
  });

  test('includes every second that its window touches, in any time zone', async () => {
    const extractor = await fixture.open();
    const carts = cartsFrom(Date.parse('2026-11-19T23:00:00Z'), 3, SECOND);
    extractor.srm.addCarts(rowsOf(carts));

    const event = {
      ...BY_HAND,
      changedFrom: '2026-11-20T00:00:00.5+01:00',
      changedTo: '2026-11-20T00:00:01.999+01:00',
    };
    await extractor.run({ event });

    expect(await extractor.guids()).toEqual(guidsOf(carts.slice(0, 2)));
  });

  test('that runs out of time reports where to continue', async () => {
    const extractor = await fixture.open({ pageSize: 2 });
    const from = thisSecond() - 5 * DAY;
    extractor.srm.addCarts(rowsOf(cartsFrom(from, 6, SECOND)));
    const event = {
      ...BY_HAND,
      changedFrom: new Date(from).toISOString(),
      changedTo: new Date(from + HOUR).toISOString(),
    };

    const result = await extractor.run({ event, remaining: () => (pagesRead(extractor) < 3 ? 60_000 : 1000) });

    expect(result).toMatchObject({
      status: 'stopped',
      cartsQueued: 4,
      readTo: new Date(from + 3 * SECOND).toISOString(),
    });
    expect((await extractor.operations()).at(-1)?.outcome).toEqual({
      result: 'stopped',
      summary: `run ${result.runId}: 4 carts read, 4 queued; stopped at ${result.readTo ?? ''}`,
    });
  });

  const from = '2026-11-20T00:00:00Z';
  test.each([
    ['one end is missing', { changedFrom: from }, /received undefined\s+→ at changedTo$/],
    ['the other end is missing', { changedTo: from }, /received undefined\s+→ at changedFrom$/],
    [
      'an end is not RFC 3339',
      { changedFrom: from, changedTo: '20.11.2026' },
      /Invalid ISO datetime\s+→ at changedTo$/,
    ],
    [
      'an end has no time zone',
      { changedFrom: '2026-11-20T00:00:00', changedTo: from },
      /Invalid ISO datetime\s+→ at changedFrom$/,
    ],
    [
      'it ends before it starts',
      { changedFrom: '2026-11-21T00:00:00Z', changedTo: from },
      /changedFrom must be before/,
    ],
    ['it is empty', { changedFrom: from, changedTo: from }, /changedFrom must be before/],
    ['it holds anything else', { changedFrom: from, changedTo: '2026-11-21T00:00:00Z', client: '100' }, /client/],
  ])('is refused when %s, and the error names the field and the form', async (_, event, field) => {
    const extractor = await fixture.open();

    const run = extractor.run({ event: { ...BY_HAND, ...event } });

    await expect(run).rejects.toThrow(field);
    await expect(run).rejects.toThrow(
      'must be {} for a normal run, { "changedFrom", "changedTo", "by", "reason" } in RFC 3339 for a replay',
    );
    expect(extractor.srm.requests).toEqual([]);
    expect(await extractor.watermark()).toBeUndefined();
  });
});
