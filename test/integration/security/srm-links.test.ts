/**
 * SRM can put any address into `__next`, into a redirect and into the key of a cart: its token goes to SRM alone, and
 * below the extraction service. (A valid `__next`: ../extract/connections.test.ts.)
 */
import { describe, expect, test } from '@jest/globals';
import { DAY, noTimeToRetry, useFixture } from '../extract/extractor-fixture.ts';

const fixture = useFixture();
const SERVICE = '/sap/opu/odata/sap/ZSRM_SC_EXTRACT_SRV';
const PAGE = `${SERVICE}/ShoppingCartSet?$skiptoken=2`;

/** Another server on this machine, which must not be called; it would answer a page, so that a run would continue. */
const openForeigner = () =>
  fixture.serve((_, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"d":{"results":[]}}'),
  );

/** An SRM whose first page leads to `link`, and whose other pages lead nowhere. */
async function openSrm(link: (own: { url: string; host: string }) => string) {
  const service = await fixture.serve((request, response) => {
    const isFirst = service.requests.length === 1;
    const d = { results: [], ...(isFirst ? { __next: link(service) } : {}) };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ d }));
    request.resume();
  });
  return { service, extractor: await fixture.open({ variables: { SRM_BASE_URL: service.url } }) };
}

describe('a __next that names another host is refused, and no request goes there', () => {
  const disguises: [string, (own: string, foreign: string) => string][] = [
    ['plainly', (_, foreign) => `http://${foreign}${PAGE}`],
    ['as https', (_, foreign) => `https://${foreign}${PAGE}`],
    ['without a protocol', (_, foreign) => `//${foreign}${PAGE}`],
    ['with three slashes', (_, foreign) => `///${foreign}${PAGE}`],
    ['with backslashes', (_, foreign) => `\\\\${foreign}${PAGE}`],
    ['with a protocol and backslashes', (_, foreign) => `http:\\\\${foreign}${PAGE}`],
    ['behind blanks', (_, foreign) => `  http://${foreign}${PAGE}`],
    ['with a tab and a line break in the protocol', (_, foreign) => `ht\ttp:\n//${foreign}${PAGE}`],
    ['behind our host as user', (own, foreign) => `HTTP://${own}@${foreign}${PAGE}`],
    ['behind our host as user and password', (own, foreign) => `http://${own}:x@${foreign}${PAGE}`],
    ['behind an encoded user', (own, foreign) => `http://${encodeURIComponent(own)}%40@${foreign}${PAGE}`],
    ['before our host as its path', (own, foreign) => `http://${foreign}/${own}${PAGE}`],
    ['before our host as its fragment', (own, foreign) => `http://${foreign}${PAGE}#@${own}`],
    ['with a backslash before our host', (own, foreign) => `http://${foreign}\\@${own}${PAGE}`],
    ['as a number', (_, foreign) => `http://2130706433:${foreign.split(':')[1]}${PAGE}`],
  ];
  test.each(disguises)('%s', async (_how, disguise) => {
    const foreigner = await openForeigner();
    const { service, extractor } = await openSrm(({ host }) => disguise(host, foreigner.host));

    await expect(extractor.run()).rejects.toThrow(`__next names another host (${foreigner.host})`);

    expect(foreigner.requests).toEqual([]);
    expect(service.requests).toHaveLength(1);
  });

  test.each<[string, (host: string) => string]>([
    ['no port', (host) => host.split(':')[0] ?? ''],
    ['another name of this machine', (host) => host.replace('127.0.0.1', 'localhost')],
    ['a trailing dot', (host) => host.replace('127.0.0.1', 'LOCALHOST.')],
    ['a name that only starts like ours', (host) => host.replace(':', '.evil.example:')],
    ['full-width letters', (host) => host.replace('127.0.0.1', 'ｅｖｉｌ.example')],
  ])('as ours with %s', async (_what, named) => {
    const { service, extractor } = await openSrm(({ host }) => `http://${named(host)}${PAGE}`);

    await expect(extractor.run()).rejects.toThrow('__next names another host');

    expect(service.requests).toHaveLength(1);
  });

  test('even where its name fills a page: the error and the log lines stay short', async () => {
    const { extractor } = await openSrm(() => `http://${'a'.repeat(1_000_000)}.example${PAGE}`);

    await expect(extractor.run()).rejects.toThrow(/^.{1,600}$/s);

    expect(fixture.shown().every((line) => line.length < 5000)).toBe(true);
  });
});

describe('a __next that leaves the extraction service is refused', () => {
  test.each([
    ['to another service', '/sap/opu/odata/sap/OTHER_SRV/Set'],
    ['by climbing', '../OTHER_SRV/Set'],
    ['by climbing with backslashes', '..\\OTHER_SRV\\Set'],
    ['by encoded dots', `${SERVICE}/%2e%2e/OTHER_SRV/Set`],
    ['by half encoded dots', `${SERVICE}/.%2E/OTHER_SRV/Set`],
    ['by an encoded slash', `${SERVICE}/..%2FOTHER_SRV/Set`],
    ['by an encoded backslash', `${SERVICE}/..%5cOTHER_SRV/Set`],
    ['by dots with a parameter', `${SERVICE}/..;/OTHER_SRV/Set`],
    ['by encoded dots with a parameter', `${SERVICE};v=1/.%2E;x/OTHER_SRV/Set`],
    ['by a name that only starts like it', `${SERVICE}2/ShoppingCartSet`],
    ['in its query alone', `/other?x=${SERVICE}/`],
    ['in its fragment alone', `/other#${SERVICE}/`],
  ])('%s', async (_how, link) => {
    const { service, extractor } = await openSrm(() => link);

    await expect(extractor.run()).rejects.toThrow('__next leaves the extraction service');

    expect(service.requests).toHaveLength(1);
  });
});

test.each([
  'javascript:alert(1)',
  'file:///etc/passwd',
  'data:application/json,{}',
  'http://',
  'http://[',
  'http://a b',
])('a __next that is no link at all (%s) ends the run, and no request follows it', async (link) => {
  const { service, extractor } = await openSrm(() => link);

  await expect(extractor.run()).rejects.toThrow(/__next (is no URL|names another host|leaves the extraction)/);

  expect(service.requests).toHaveLength(1);
});

test('line breaks in a __next create no header: they are removed or encoded', async () => {
  const { service, extractor } = await openSrm(() => `${PAGE}\r\nX-Evil: 1\r\n\r\nGET /evil HTTP/1.1`);

  await extractor.run();

  expect(service.requests.map(({ headers }) => headers['x-evil'])).toEqual([undefined, undefined]);
  expect(service.requests[1]?.url).toBe(`${PAGE}X-Evil:%201GET%20/evil%20HTTP/1.1`);
});

test('an endless chain of __next pages ends with the time of the run', async () => {
  const service = await fixture.serve((_, response) => {
    const d = { results: [], __next: `ShoppingCartSet?$skiptoken=${service.requests.length}` };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ d }));
  });
  const extractor = await fixture.open({ variables: { SRM_BASE_URL: service.url } });
  let remainingMs = 30_000;

  const run = extractor.run({ remaining: () => (remainingMs -= 1000) });

  expect(await run).toMatchObject({ status: 'stopped', cartsQueued: 0 });
  expect(service.requests.length).toBeLessThan(50);
});

describe('a redirect of SRM is not followed', () => {
  test.each([301, 302, 303, 307, 308])('%i: neither the page nor its token is requested elsewhere', async (status) => {
    const foreigner = await openForeigner();
    const redirect = await fixture.serve((_, response) =>
      response.writeHead(status, { location: `${foreigner.url}${PAGE}` }).end(),
    );
    const extractor = await fixture.open({ variables: { SRM_BASE_URL: redirect.url } });

    await expect(extractor.run({ remaining: noTimeToRetry })).rejects.toThrow(`SRM answered ${status}`);

    expect(foreigner.requests).toEqual([]);
    expect(redirect.requests).toHaveLength(1);
  });

  test.each([301, 302, 303, 307, 308])('%i of its token endpoint: the secret goes nowhere else', async (status) => {
    const foreigner = await openForeigner();
    const desk = await fixture.serve((_, response) =>
      response.writeHead(status, { location: `${foreigner.url}/oauth/token` }).end(),
    );
    const extractor = await fixture.open({ variables: { SRM_TOKEN_URL: `${desk.url}/oauth/token` } });

    await expect(extractor.run({ remaining: noTimeToRetry })).rejects.toThrow(`answered ${status}`);

    expect(foreigner.requests).toEqual([]);
    expect(desk.requests.length).toBeGreaterThan(0);
  });
});

describe('a row of SRM', () => {
  const [DEEP, GOOD] = ['d'.repeat(32), 'e'.repeat(32)];
  const depths = [500, 2000, 3000, 4000, 5000, 6000, 8000, 20_000];
  test.each(depths)(
    'nested %i deep is queued, or the page is refused with a reason: nothing crashes',
    async (depth) => {
      const poisoned = `{"d":{"results":[{"Guid":"${GOOD}"},{"Guid":"${DEEP}","X":${'['.repeat(depth)}${']'.repeat(depth)}}]}}`;
      const service = await fixture.serve((_, response) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(poisoned),
      );
      const extractor = await fixture.open({ variables: { SRM_BASE_URL: service.url } });

      const [ended] = await Promise.allSettled([extractor.run({ remaining: noTimeToRetry })]);

      const seen =
        ended?.status === 'fulfilled' ? await extractor.guids() : Reflect.get(Object(ended?.reason), 'fault');
      expect([[DEEP, GOOD], expect.objectContaining({ code: 'E_SRC_UNAVAILABLE' })]).toContainEqual(seen);
    },
  );

  test('with __proto__ and constructor keys pollutes nothing, and is queued as it is', async () => {
    const row = `{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"Guid":"a","ObjectId":"1"}`;
    const page = `{"__proto__":{"polluted":1},"d":{"__proto__":{"polluted":1},"results":[${row}]}}`;
    const service = await fixture.serve((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(page),
    );
    const extractor = await fixture.open({ variables: { SRM_BASE_URL: service.url } });

    expect(await extractor.run()).toMatchObject({ cartsQueued: 1 });

    expect((await extractor.bodies())[0]).toContain(row);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  test('stamped far in the future does not move the watermark past what was read', async () => {
    const before = Date.now();
    const row = { Guid: 'a', ObjectId: '1', ChangedAt: `/Date(${before + 400 * DAY})/` };
    const service = await fixture.serve((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ d: { results: [row] } })),
    );
    const extractor = await fixture.open({ variables: { SRM_BASE_URL: service.url } });

    await extractor.run();

    expect(Number((await extractor.watermark())?.['watermarkMs']?.N)).toBeLessThanOrEqual(Date.now());
  });
});
