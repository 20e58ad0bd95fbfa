/** How SRM and SQS can behave: links, tokens, disturbances, partial failures. Edge cases 6, 81, 82 and 86. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { text } from 'node:stream/consumers';
import { readCartMessage, SQS_LIMIT_BYTES } from '../../../shared/cart-message.ts';
import type { FaultCode } from '../../../shared/failure.ts';
import type { PageForm } from '../../simulators/answers.ts';
import { type Disturbance, type SimulatedRequest, noDisturbance } from '../../simulators/disturbances.ts';
import { UNQUOTABLE } from '../../simulators/pages.ts';
import type { Srm7Simulator } from '../../simulators/srm7.ts';
import {
  cartsFrom,
  type Extractor,
  type ExtractorOptions,
  guidsOf,
  MINUTE,
  noTimeToRetry,
  rowsOf,
  SECOND,
  thisSecond,
  useFixture,
} from './extractor-fixture.ts';
import { BY_HAND } from '../fixture.ts';

const fixture = useFixture();

const SERVICE = '/sap/opu/odata/sap/ZSRM_SC_EXTRACT_SRV';

/** An extractor with six carts on three pages. */
async function openSixCarts(options: ExtractorOptions = {}) {
  const extractor = await fixture.open({ pageSize: 2, ...options });
  const carts = cartsFrom(thisSecond() - 30 * MINUTE, 6, SECOND);
  extractor.srm.addCarts(rowsOf(carts));
  return { extractor, carts };
}

const pagesOf = ({ srm }: Extractor): number => srm.traffic().requests.page;
const tokensOf = ({ srm }: Extractor): number => srm.traffic().requests.token;

const throttled: Disturbance = { kind: 'status', status: 429, retryAfter: '1' };
const disturbedOnce: Record<string, Disturbance> = {
  '503': { kind: 'status', status: 503 },
  '503 from a proxy, in HTML': { kind: 'status', status: 503, body: 'html' },
  '503 with Retry-After': { kind: 'status', status: 503, retryAfter: '1' },
  '429 with Retry-After': throttled,
  '429 with a date that has passed': { kind: 'status', status: 429, retryAfter: 'Thu, 01 Jan 1970 00:00:00 GMT' },
  '500': { kind: 'status', status: 500 },
  '408': { kind: 'status', status: 408 },
  'a log-on page with status 200': { kind: 'status', status: 200, body: 'html' },
  'a page that is not JSON': { kind: 'not-json' },
  'an answer that is cut off': { kind: 'truncated' },
  'a connection that is reset': { kind: 'reset-before' },
  'an error that calls itself a success': { kind: 'status', status: 200 },
};

// Real retries take real seconds: all of these runs retry at the same time, while the other tests run.
type Ended = {
  readonly extractor: Extractor;
  readonly guids: string[];
  readonly ended: PromiseSettledResult<unknown>;
};
const runs = new Map<string, Promise<Ended>>();
const start = (name: string, options: ExtractorOptions): void => {
  const run = openSixCarts(options).then(async ({ extractor, carts }) => {
    const [ended] = await Promise.allSettled([extractor.run()]);
    return { extractor, guids: guidsOf(carts), ended };
  });
  run.catch(() => undefined);
  runs.set(name, run);
};
const outcome = async (name: string): Promise<Ended> => {
  const run = await runs.get(name);
  if (run === undefined) throw new Error(`${name} was not started`);
  return run;
};
const onPage =
  (page: number, disturbance: Disturbance) =>
  ({ operation, ordinal }: SimulatedRequest): Disturbance =>
    operation === 'page' && ordinal === page ? disturbance : noDisturbance;

beforeAll(() => {
  for (const [name, disturbance] of Object.entries(disturbedOnce))
    start(name, { disturbances: onPage(2, disturbance) });
  start('three in a row', {
    disturbances: [noDisturbance, { kind: 'status', status: 200, body: 'html' }, throttled, { kind: 'truncated' }],
  });
  start('four in a row', {
    disturbances: [noDisturbance, ...Array.from({ length: 4 }, (): Disturbance => ({ kind: 'status', status: 503 }))],
  });
  start('always throttled', { disturbances: ({ operation }) => (operation === 'token' ? noDisturbance : throttled) });
  start('a token endpoint that recovers', {
    disturbances: ({ operation, ordinal }) =>
      operation === 'token' && ordinal < 3
        ? { kind: 'status', status: 503, ...(ordinal === 2 ? { body: 'html' } : {}) }
        : noDisturbance,
  });
});

describe('a run against an SRM that fails', () => {
  describe('is measured and logged:', () => {
    test('a complete run by what it read and queued', async () => {
      const { extractor } = await openSixCarts();
      const { runId } = await extractor.run();
      // A run that was started before it may have ended meanwhile, with an error.
      const lines = fixture.shown().flatMap((line): unknown => (line.startsWith('{') ? JSON.parse(line) : []));
      expect(lines).toContainEqual(
        expect.objectContaining({ CartsRead: [2, 2, 2], CartsQueued: [2, 2, 2], ExtractionCompleted: 1 }),
      );
      expect(lines).toContainEqual(
        expect.objectContaining({ level: 'INFO', message: 'Extraction complete', runId, rows: 6, pages: 3 }),
      );
    });

    test('a failed run by its code, its reason and what to do', async () => {
      const { extractor } = await openSixCarts({ disturbances: onPage(1, { kind: 'status', status: 503 }) });
      await expect(extractor.run({ remaining: noTimeToRetry })).rejects.toThrow('E_SRC_UNAVAILABLE');
      const lines = fixture.shown().flatMap((line): unknown[] => (line.startsWith('{"') ? [JSON.parse(line)] : []));
      expect(lines).toContainEqual(expect.objectContaining({ ExtractionFailed: 1 }));
      expect(lines).toContainEqual(
        expect.objectContaining({
          level: 'ERROR',
          message: 'Extraction failed; the next run reads the same window again',
          codes: ['E_SRC_UNAVAILABLE'],
          reason: expect.stringMatching(/^SRM answered 503 \(\/IWFND\/CM_MGW\/503, transaction [0-9A-F]{32}\)$/),
          runId: expect.any(String),
        }),
      );
    });
  });

  // Edge case 82.
  describe('gives up at once', () => {
    test.each([401, 403])('on %i, after one renewal of the token at most, with E_SRC_AUTH', async (status) => {
      const { extractor } = await openSixCarts({
        disturbances: ({ operation }) =>
          operation === 'page'
            ? { kind: 'status', status, ...(status === 401 ? { body: 'html' } : {}) }
            : noDisturbance,
      });

      await expect(extractor.run()).rejects.toMatchObject({
        failureClass: 'refused',
        fault: { code: 'E_SRC_AUTH', message: expect.stringContaining(`SRM answered ${status}`) },
      });

      // A 401 gets one renewal, with a secret that is read again; there is no second one.
      const tries = status === 401 ? 2 : 1;
      expect([pagesOf(extractor), tokensOf(extractor)]).toEqual([tries, tries]);
    });

    test.each([
      [400, 'check the query: srm.fields, .keyProperty, .expand, .client and .headers'],
      [404, 'check the base URL and the service: srm.baseUrl, .servicePath and .entitySet'],
    ])('on %i, and reports SAP’s code and transaction, never its text', async (status, check) => {
      const { extractor } = await openSixCarts({ disturbances: onPage(1, { kind: 'status', status }) });

      const run = extractor.run();

      await expect(run).rejects.toMatchObject({ failureClass: 'permanent', fault: { code: 'E_SRC_UNAVAILABLE' } });
      await expect(run).rejects.toThrow(new RegExp(`\\(/IWFND/CM_MGW/${status}, transaction [0-9A-F]{32}\\)`));
      await expect(run).rejects.toThrow(check);
      expect(pagesOf(extractor)).toBe(1);
      expect(fixture.shown().join('\n')).not.toContain(`The service answers ${status}`);
    });

    test.each([
      ['seconds', '900'],
      ['a date', () => new Date(Date.now() + 10 * MINUTE).toUTCString()],
    ])('when Retry-After, in %s, is longer than the remaining time', async (_, retryAfter) => {
      const value = typeof retryAfter === 'string' ? retryAfter : retryAfter();
      const { extractor } = await openSixCarts({
        disturbances: onPage(2, { kind: 'status', status: 429, retryAfter: value }),
      });

      await expect(extractor.run()).rejects.toMatchObject({ fault: { code: 'E_SRC_THROTTLED' } });

      expect(pagesOf(extractor)).toBe(2);
      expect(await extractor.bodies()).toHaveLength(2);
    });

    test('when a retry would not end before the invocation ends', async () => {
      const { extractor } = await openSixCarts({ disturbances: onPage(2, { kind: 'status', status: 503 }) });
      await expect(extractor.run({ remaining: noTimeToRetry })).rejects.toThrow('E_SRC_UNAVAILABLE');
      expect(pagesOf(extractor)).toBe(2);
    });
  });

  test.each<[string, Disturbance, RegExp]>([
    ['half a page', { kind: 'not-json' }, /: the page from SRM is not JSON \(\d+ characters, wrong at character \d+\)/],
    ['an error in a success', { kind: 'status', status: 200 }, /: the page from SRM has no d\.results$/],
    [
      'a broken connection',
      { kind: 'truncated' },
      /: SRM at 127\.0\.0\.1:\d+ cannot be read: GET \/sap\S+: no whole answer/,
    ],
  ])('reports what it received instead of a page: %s', async (_, disturbance, message) => {
    const { extractor } = await openSixCarts({ disturbances: onPage(1, disturbance) });
    await expect(extractor.run({ remaining: noTimeToRetry })).rejects.toThrow(message);
  });

  // Each page holds a person's name and a session.
  const pages: [PageForm, number, FaultCode, RegExp][] = [
    ['sap-logon', 200, 'E_SRC_UNAVAILABLE', /200 with HTML .*\(text\/html, from HOST; it looks like a logon page\)$/],
    ['saml-logon', 403, 'E_SRC_AUTH', /403 with HTML .*\(text\/html, from HOST; it looks like a logon page\)$/],
    ['maintenance', 503, 'E_SRC_UNAVAILABLE', /503 with HTML .*; it looks like a maintenance page\)$/],
    ['blocked', 403, 'E_SRC_AUTH', /403 with HTML .*; it looks like the block page of a firewall\)$/],
    ['unknown-page', 429, 'E_SRC_THROTTLED', /429 with HTML .*; it does not look like a logon page\)$/],
    [
      'logon-redirect',
      302,
      'E_SRC_UNAVAILABLE',
      /302 with a redirect from HOST to login\.example\.com \(it looks like a logon page\); check the base URL/,
    ],
  ];
  test.each(pages)(
    'names a page in place of JSON, and quotes nothing of it: %s, %i',
    async (body, status, code, text) => {
      const { extractor } = await openSixCarts({ disturbances: onPage(1, { kind: 'status', status, body }) });
      const run = extractor.run({ remaining: noTimeToRetry });
      const from = `${new URL(extractor.srm.url).host}${SERVICE}/ShoppingCartSet`;
      await expect(run).rejects.toMatchObject({
        fault: { code, message: expect.stringMatching(new RegExp(text.source.replace('HOST', from))) },
      });
      const told = [String(await run.catch((error: unknown) => error)), ...fixture.shown()].join('\n');
      for (const secret of [...UNQUOTABLE, 'filter']) expect(told).not.toContain(secret);
    },
  );

  test.each(pages)('names a page of the token endpoint: %s, %i', async (body, status, _code, text) => {
    const { extractor } = await openSixCarts({
      disturbances: ({ operation }) => (operation === 'token' ? { kind: 'status', status, body } : noDisturbance),
    });
    const run = extractor.run({ remaining: noTimeToRetry });
    const { host, pathname } = new URL(extractor.srm.tokenUrl);
    const [named = ''] = text.source.replace('HOST', host + pathname).split(/\$|;.check/);
    await expect(run).rejects.toMatchObject({
      fault: { message: expect.stringMatching(new RegExp(`^SRM token endpoint \\S+ answered ${named}`)) },
    });
    const told = [String(await run.catch((error: unknown) => error)), ...fixture.shown()].join('\n');
    for (const secret of UNQUOTABLE) expect(told).not.toContain(secret);
  });

  test.each([
    ['no data', '{}', 'no d.results'],
    ['a null list', '{"d":{"results":null,"__count":"0"}}', 'no d.results'],
    ['results that are no list', '{"d":{"results":{"Guid":"a"}}}', 'no d.results'],
    ['a text', '"d"', 'no d.results'],
  ])('queues nothing from an answer that is no page: %s', async (_, body, message) => {
    const service = await fixture.serve((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    });
    const extractor = await fixture.open({ variables: { SRM_BASE_URL: service.url } });
    await expect(extractor.run({ remaining: noTimeToRetry })).rejects.toThrow(message);
    expect(await extractor.bodies()).toEqual([]);
  });

  describe('names the system that cannot be reached:', () => {
    test('SRM, with its host', async () => {
      const { extractor } = await openSixCarts({ variables: { SRM_BASE_URL: 'http://127.0.0.1:9' } });
      await expect(extractor.run({ remaining: noTimeToRetry })).rejects.toMatchObject({
        fault: { code: 'E_SRC_UNAVAILABLE', message: expect.stringMatching(/127\.0\.0\.1:9 .*ECONNREFUSED/) },
      });
    });

    test('the token endpoint, with its address', async () => {
      const { extractor } = await openSixCarts({ variables: { SRM_TOKEN_URL: 'http://127.0.0.1:9/oauth/token' } });
      await expect(extractor.run({ remaining: noTimeToRetry })).rejects.toMatchObject({
        fault: {
          code: 'E_SRC_UNAVAILABLE',
          message: 'SRM token endpoint http://127.0.0.1:9/oauth/token cannot be reached (ECONNREFUSED)',
        },
      });
    });
  });
});

// A hostile link is the subject of ../security/srm-links.test.ts.
// Edge case 6.
const GUIDS = ['a'.repeat(32), 'b'.repeat(32)];

describe('a __next link', () => {
  /** A service of two pages, the first with this link and the second with the other; then pages without a link. */
  async function openService(base: string, next: string, second?: string) {
    const service = await fixture.serve((request, response) => {
      const first = !request.url?.includes('skiptoken');
      const link = first ? next : second;
      const d = { results: [{ Guid: GUIDS[first ? 0 : 1] }], ...(link === undefined ? {} : { __next: link }) };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ d }));
    });
    return { service, extractor: await fixture.open({ variables: { SRM_BASE_URL: service.url + base } }) };
  }

  /** A server that must not be called. */
  const openForeigner = () => fixture.serve((_, response) => response.end('{"d":{"results":[]}}'));

  test.each(['sapsrm.internal:8000', 'SAPSRM.Internal:8000'])(
    'that names the internal system (%s) is followed at the configured base',
    async (configured) => {
      const { extractor, carts } = await openSixCarts({
        internalHost: 'sapsrm.internal:8000',
        variables: { SRM_INTERNAL_HOSTS: `other.internal,${configured}` },
      });

      expect(await extractor.run()).toMatchObject({ status: 'complete', pages: 3 });

      expect(await extractor.guids()).toEqual(guidsOf(carts));
    },
  );

  test('that names another host is refused, and no request and no token goes there', async () => {
    const foreigner = await openForeigner();
    const { extractor } = await openSixCarts({
      internalHost: foreigner.host,
      variables: { SRM_INTERNAL_HOSTS: 'sapsrm.internal:8000' },
    });

    const run = extractor.run();

    await expect(run).rejects.toMatchObject({ failureClass: 'permanent', fault: { code: 'E_SRC_UNAVAILABLE' } });
    await expect(run).rejects.toThrow(`__next names another host (${foreigner.host}); add it to internalHosts`);
    expect(foreigner.requests).toEqual([]);
    expect((await extractor.watermark())?.['watermarkMs']).toBeUndefined();
  });

  test.each([
    ['relative to the service', 'ShoppingCartSet?$skiptoken=2'],
    ['relative to the host', `${SERVICE}/ShoppingCartSet?$skiptoken=2`],
    ['absolute, without the proxy’s path', `http://sapsrm.internal${SERVICE}/ShoppingCartSet?$skiptoken=2`],
    ['absolute, with a path of the proxy', `http://sapsrm.internal/proxy${SERVICE}/ShoppingCartSet?$skiptoken=2`],
  ])('may be %s, and is followed below the base', async (_, next) => {
    const { service, extractor } = await openService('/proxy', next);
    const variables = { SRM_INTERNAL_HOSTS: 'sapsrm.internal' };

    expect(await extractor.run({ variables })).toMatchObject({ status: 'complete', pages: 2 });

    expect(service.requests[1]?.url).toBe(`/proxy${SERVICE}/ShoppingCartSet?$skiptoken=2`);
    expect(await extractor.guids()).toEqual(GUIDS);
  });

  test('is followed to the letter, with the token and the correlation id of the run', async () => {
    const query = '$skiptoken=a%2Fb%20c+d%3D%3D&$filter=x%27y&sap-client=100&Umlaut=%C3%BC';
    const { service, extractor } = await openService('', `ShoppingCartSet?${query}`);

    const { runId } = await extractor.run();

    expect(service.requests[1]?.url).toBe(`${SERVICE}/ShoppingCartSet?${query}`);
    expect(service.requests[1]?.headers).toMatchObject({
      authorization: service.requests[0]?.headers.authorization,
      accept: 'application/json',
      'x-correlation-id': runId,
    });
  });

  test('is followed with the trace of the invocation', async () => {
    const { service, extractor } = await openService('', 'ShoppingCartSet?$skiptoken=2');
    const trace = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';
    Object.assign(extractor.variables, { _X_AMZN_TRACE_ID: trace });

    await extractor.run();

    const traceparent = '00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01';
    expect(service.requests.map(({ headers }) => headers['traceparent'])).toEqual([traceparent, traceparent]);
  });

  test.each([
    ['leads back to the page it is on', 'ShoppingCartSet?$skiptoken=2', 'ShoppingCartSet?$skiptoken=2', 'leads back'],
  ])('that %s is an error, not an endless run', async (_, next, second, message) => {
    const { service, extractor } = await openService('', next, second);

    const run = extractor.run();

    await expect(run).rejects.toThrow(message);
    await expect(run).rejects.toMatchObject({ fault: { code: 'E_SRC_UNAVAILABLE' } });
    expect(service.requests.length).toBe(second === undefined ? 1 : 2);
  });
});

describe('the token', () => {
  test('is fetched once in a whole run, and kept for the next run', async () => {
    const { extractor } = await openSixCarts({ variables: { SAFETY_SECONDS: '30' } });

    await extractor.run();
    expect([pagesOf(extractor), tokensOf(extractor)]).toEqual([3, 1]);

    const changedFrom = new Date(Date.now() - 40 * MINUTE).toISOString();
    await extractor.run({ event: { changedFrom, changedTo: new Date().toISOString(), ...BY_HAND } });
    expect([pagesOf(extractor), tokensOf(extractor)]).toEqual([6, 1]);
  });

  test('is fetched with the client’s name and secret, the grant and the scope', async () => {
    const asked: string[] = [];
    const desk = await fixture.serve((request, response) => {
      void text(request)
        .then((body) => asked.push(body))
        .finally(() => response.end('{"access_token":"t","expires_in":"3600"}'));
    });
    await fixture.putSecret('odd', JSON.stringify({ clientId: 'a:b c', clientSecret: 'ü%+/=' }));
    const service = await fixture.serve((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"d":{"results":[]}}');
    });
    const variables = { SRM_BASE_URL: service.url, SRM_TOKEN_URL: `${desk.url}/a/token?x=1`, SRM_SECRET: 'odd' };
    const extractor = await fixture.open({ variables });

    await extractor.run();

    expect(asked).toEqual(['grant_type=client_credentials&scope=srm.carts.read']);
    const [request] = desk.requests;
    expect(request).toMatchObject({ method: 'POST', url: '/a/token?x=1' });
    // RFC 6749, 2.3.1: both halves are form-encoded, so that a colon cannot split them wrongly.
    expect(Buffer.from(request?.headers.authorization?.replace('Basic ', '') ?? '', 'base64').toString()).toBe(
      'a%3Ab%20c:%C3%BC%25%2B%2F%3D',
    );
    expect(service.requests[0]?.headers.authorization).toBe('Bearer t');
  });

  test('that expires in the middle of a run is renewed once, and the run continues', async () => {
    let srm: Srm7Simulator | undefined;
    const { extractor, carts } = await openSixCarts({
      disturbances: ({ operation, ordinal }) => {
        if (operation === 'page' && ordinal === 2) srm?.revokeTokens();
        return noDisturbance;
      },
    });
    srm = extractor.srm;

    expect(await extractor.run()).toMatchObject({ status: 'complete', cartsQueued: 6 });

    expect([pagesOf(extractor), tokensOf(extractor)]).toEqual([4, 2]);
    expect(await extractor.guids()).toEqual(guidsOf(carts));
  });

  // Edge case 81.
  test('is renewed with the new secret when the secret was rotated in the middle of a run', async () => {
    await fixture.putSecret(
      'rotated',
      JSON.stringify({ clientId: 'interface-at-srm7', clientSecret: 'the-first-secret' }),
    );
    let rotate = false;
    let srm: Srm7Simulator | undefined;
    const { extractor, carts } = await openSixCarts({
      clientSecret: 'the-first-secret',
      variables: { SRM_SECRET: 'rotated' },
      disturbances: ({ operation, key }) => {
        if (rotate && operation === 'page' && key.includes('skiptoken')) {
          srm?.setClient('interface-at-srm7', 'the-second-secret');
          srm?.revokeTokens();
          rotate = false;
        }
        return noDisturbance;
      },
    });
    srm = extractor.srm;
    // This run reads the first secret and keeps it.
    const past = { changedFrom: '2026-11-01T00:00:00Z', changedTo: '2026-11-01T01:00:00Z' };
    await extractor.run({ event: { ...past, ...BY_HAND } });
    await fixture.systems().clients.secretsManager.send(
      new PutSecretValueCommand({
        SecretId: 'rotated',
        SecretString: JSON.stringify({ clientId: 'interface-at-srm7', clientSecret: 'the-second-secret' }),
      }),
    );
    rotate = true;

    expect(await extractor.run()).toMatchObject({ status: 'complete', cartsQueued: 6 });

    expect(tokensOf(extractor)).toBe(2);
    expect(await extractor.guids()).toEqual(guidsOf(carts));
    expect(fixture.shown().join('\n')).not.toMatch(/the-(first|second)-secret/);
  });

  test('is refused to a wrong secret: the run fails with E_SRC_AUTH and names the token endpoint', async () => {
    const { extractor } = await openSixCarts();
    extractor.srm.setClient('interface-at-srm7', 'another-secret');

    await expect(extractor.run()).rejects.toMatchObject({
      failureClass: 'refused',
      fault: {
        code: 'E_SRC_AUTH',
        message: expect.stringMatching(/^SRM token endpoint .* answered 401; check clientId/),
      },
    });
    expect(pagesOf(extractor)).toBe(0);
    expect((await extractor.watermark())?.['leaseOwner']).toBeUndefined();
  });

  test.each([
    ['is missing', undefined, 'does not exist, or holds no'],
    ['is not JSON', 'hunter2', 'holds no'],
    ['lacks a part', '{"clientId":"hunter2"}', 'holds no'],
    ['has an empty part', '{"clientId":"","clientSecret":"hunter2"}', 'holds no'],
  ])(
    'is not fetched when the secret %s: the error names the secret and how to write it',
    async (what, value, message) => {
      const name = `secret/${what.replaceAll(' ', '-')}`;
      if (value !== undefined) await fixture.putSecret(name, value);
      const { extractor } = await openSixCarts({ variables: { SRM_SECRET: name } });

      const run = extractor.run();

      await expect(run).rejects.toMatchObject({ fault: { code: 'E_SRC_AUTH' } });
      await expect(run).rejects.toThrow(`the secret ${name} ${message} { "clientId", "clientSecret" } yet: write it`);
      await expect(run).rejects.toThrow(`aws secretsmanager put-secret-value --secret-id ${name}`);
      expect(extractor.srm.requests).toEqual([]);
      expect(fixture.shown().join('\n')).not.toContain('hunter2');
    },
  );

  test.each([
    ['without a token', '{"error_description":"srm7-simulator-secret is wrong"}'],
    ['with a token that would break a header', '{"access_token":"srm7-token-1\\r\\nX: y"}'],
  ])('that comes %s is an error that quotes nothing of it', async (_, body) => {
    const desk = await fixture.serve((request, response) => {
      request.resume();
      response.end(body);
    });
    const { extractor } = await openSixCarts({ variables: { SRM_TOKEN_URL: `${desk.url}/token` } });

    await expect(extractor.run({ remaining: noTimeToRetry })).rejects.toMatchObject({
      fault: {
        code: 'E_SRC_UNAVAILABLE',
        message: `SRM token endpoint ${desk.url}/token answered 200 without a usable access_token`,
      },
    });
    expect(pagesOf(extractor)).toBe(0);
  });

  test('is not fetched when Secrets Manager does not answer, and the error says so', async () => {
    const { extractor } = await openSixCarts();
    const endpoint = process.env['AWS_ENDPOINT_URL_SECRETS_MANAGER'];
    const broken = await fixture.serve((_, response) => {
      response.writeHead(400).end('{"__type":"AccessDeniedException","Message":"no"}');
    });
    process.env['AWS_ENDPOINT_URL_SECRETS_MANAGER'] = broken.url;
    try {
      await expect(extractor.run({ remaining: noTimeToRetry, variables: {} })).rejects.toMatchObject({
        fault: {
          code: 'E_SRC_UNAVAILABLE',
          message: 'Secrets Manager did not give the secret of SRM (AccessDeniedException)',
        },
      });
    } finally {
      process.env['AWS_ENDPOINT_URL_SECRETS_MANAGER'] = endpoint;
    }
    expect(extractor.srm.requests).toEqual([]);
  });
});

async function openCarts(count: number, options: ExtractorOptions = {}) {
  const extractor = await fixture.open(options);
  const carts = cartsFrom(thisSecond() - 30 * MINUTE, count, SECOND);
  extractor.srm.addCarts(rowsOf(carts));
  return { extractor, carts };
}

/** The carts of each batch, as positions in the order of SRM. */
const placesOf = ({ batches }: Extractor, carts: readonly { readonly guid: string }[]): number[][] =>
  batches.map((bodies) =>
    bodies.map((body) => carts.findIndex(({ guid }) => guid === readCartMessage(body).cart.guid)),
  );

/** How many carts each batch holds; several batches are sent at once, so the order of their arrival is open. */
const sizesOf = ({ batches }: Extractor): number[] =>
  batches.map(({ length }) => length).sort((left, right) => left - right);

describe('a batch for SQS', () => {
  test('is complete at ten carts', async () => {
    const { extractor, carts } = await openCarts(25);
    await extractor.run();
    expect(sizesOf(extractor)).toEqual([5, 10, 10]);
    expect(await extractor.guids()).toEqual(guidsOf(carts));
  });

  test('is complete before it would exceed 1 MiB', async () => {
    const { extractor } = await openCarts(0);
    const large = cartsFrom(thisSecond() - 30 * MINUTE, 5, SECOND).map(({ row }) => ({
      ...row,
      Description: 'é'.repeat(200_000),
    }));
    extractor.srm.addCarts(large);

    expect(await extractor.run()).toMatchObject({ cartsQueued: 5, claimChecks: 0 });

    expect(sizesOf(extractor)).toEqual([1, 2, 2]);
    for (const batch of extractor.batches) {
      expect(batch.reduce((sum, body) => sum + Buffer.byteLength(body), 0)).toBeLessThanOrEqual(SQS_LIMIT_BYTES);
    }
  });

  test('is not sent for an empty page', async () => {
    const { extractor } = await openCarts(0);
    expect(await extractor.run()).toMatchObject({ status: 'complete', pages: 1 });
    expect(extractor.batches).toEqual([]);
  });
});

describe('an entry or a batch that SQS does not confirm', () => {
  test.each([
    ['names as failed', 'fails' as const],
    ['leaves out of its answer', 'forgets' as const],
  ])('is sent again, and nothing else: entries that it %s', async (_, how) => {
    const chosen = new Set<string | null>();
    const isDisturbed = ({ cart }: { cart: { guid: string | null } }, time: number): boolean =>
      chosen.has(cart.guid) && time <= 2;
    const { extractor, carts } = await openCarts(10, {
      sqs:
        how === 'forgets'
          ? { forgets: isDisturbed }
          : { fails: (...sent) => (isDisturbed(...sent) ? 'Busy' : undefined) },
    });
    for (const place of [0, 3, 9]) chosen.add(carts[place]?.guid ?? null);

    expect(await extractor.run()).toMatchObject({ status: 'complete', cartsQueued: 10 });

    expect(placesOf(extractor, carts)).toEqual([
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      [0, 3, 9],
      [0, 3, 9],
    ]);
    expect(await extractor.guids()).toEqual(guidsOf(carts));
  });

  test('after five tries fails the run; the watermark does not pass it, and the next run queues it', async () => {
    const stuck = new Set<string | null>();
    const { extractor, carts } = await openCarts(15, {
      pageSize: 5,
      sqs: { fails: ({ cart }) => (stuck.has(cart.guid) ? 'ServiceUnavailable' : undefined) },
    });
    stuck.add(carts[7]?.guid ?? null);

    await expect(extractor.run()).rejects.toMatchObject({
      fault: {
        code: 'E_INT_QUEUE',
        message: 'SQS did not accept 1 message(s) after 5 tries: ServiceUnavailable',
      },
    });

    // The first page; of the second page all but one entry, which was tried five times; nothing of the third.
    expect(placesOf(extractor, carts)).toEqual([[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [7], [7], [7], [7]]);
    const item = await extractor.watermark();
    expect(item?.['watermarkMs']).toBeUndefined();
    const firstPageEnd = thisSecond() - 30 * MINUTE + 4 * SECOND;
    expect(Number(item?.['positionMs']?.N)).toBeLessThanOrEqual(firstPageEnd);
    expect(item?.['leaseOwner']).toBeUndefined();

    stuck.clear();
    expect(await extractor.run()).toMatchObject({ status: 'complete' });
    expect([...new Set(await extractor.guids())]).toEqual(guidsOf(carts));
  });

  test('fails the run with SQS’s own error code when SQS refuses the whole batch', async () => {
    const { extractor } = await openCarts(3, { sqs: { refuses: () => 'AccessDeniedException' } });

    await expect(extractor.run()).rejects.toMatchObject({
      fault: {
        code: 'E_INT_QUEUE',
        message: 'SQS did not accept 3 message(s) after 1 tries: AccessDeniedException',
      },
    });

    expect((await extractor.watermark())?.['watermarkMs']).toBeUndefined();
    expect((await extractor.watermark())?.['positionMs']).toBeUndefined();
  });

  test('is not sent without a signature: where the key cannot be read, the run fails, and the next one queues it', async () => {
    const { extractor, carts } = await openCarts(3);

    await expect(extractor.run({ variables: { MESSAGE_KEY: 'no-such-key' } })).rejects.toMatchObject({
      fault: { code: 'E_INT_KEY', message: expect.stringContaining('the secret no-such-key holds no key') },
    });

    expect(await extractor.guids()).toEqual([]);
    expect((await extractor.watermark())?.['watermarkMs']).toBeUndefined();
    expect((await extractor.watermark())?.['positionMs']).toBeUndefined();
    expect(fixture.shown().join('\n')).toContain('"codes":["E_INT_KEY"]');
    expect(await extractor.run()).toMatchObject({ status: 'complete' });
    expect(await extractor.guids()).toEqual(guidsOf(carts));
  });

  test('does not leave the other batches of its page in flight when the run ends', async () => {
    const refused = Promise.withResolvers<unknown>();
    const { extractor } = await openCarts(40, {
      sqs: {
        async beforeSend(ordinal) {
          if (ordinal === 1) return;
          await refused.promise;
          // Long enough for a run that does not wait to have ended.
          for (let times = 0; times < 5; times++) await extractor.watermark();
        },
        refuses(ordinal) {
          if (ordinal !== 1) return undefined;
          refused.resolve(undefined);
          return 'AccessDeniedException';
        },
      },
    });

    await expect(extractor.run()).rejects.toThrow('E_INT_QUEUE');

    expect(await extractor.bodies()).toHaveLength(30);
  });
});

describe('pages on their way from SRM to SQS', () => {
  test('are read ahead: the next page is requested while the last one is still being sent', async () => {
    const asked = Promise.withResolvers<unknown>();
    const { extractor, carts } = await openCarts(4, {
      pageSize: 2,
      disturbances: ({ operation, ordinal }) => {
        if (operation === 'page' && ordinal === 2) asked.resolve(undefined);
        return noDisturbance;
      },
      sqs: {
        // The first send ends only when the second page has been requested.
        beforeSend: async () => {
          await asked.promise;
        },
      },
    });

    expect(await extractor.run()).toMatchObject({ status: 'complete', cartsQueued: 4 });
    expect(await extractor.guids()).toEqual(guidsOf(carts));
  });

  test('are sent one after another, and only one is read ahead', async () => {
    const pagesAtSend: number[] = [];
    const { extractor, carts } = await openCarts(10, {
      pageSize: 2,
      sqs: {
        async beforeSend() {
          // Time enough to request many more.
          for (let times = 0; times < 5; times++) await extractor.watermark();
          pagesAtSend.push(extractor.srm.traffic().requests.page);
        },
      },
    });

    await extractor.run();

    expect(placesOf(extractor, carts)).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
      [6, 7],
      [8, 9],
    ]);
    for (const [index, pages] of pagesAtSend.entries()) expect(pages).toBeLessThanOrEqual(index + 2);
  });
});

// Edge case 82.
describe('a run whose retries take their time', () => {
  // At the end of the file, so that the tests above run while these wait.
  describe('recovers from', () => {
    test.each(Object.keys(disturbedOnce))('%s', async (name) => {
      const { extractor, guids, ended } = await outcome(name);
      expect(ended).toMatchObject({ value: { status: 'complete', cartsQueued: 6, pages: 3 } });
      expect(pagesOf(extractor)).toBe(4);
      expect(await extractor.guids()).toEqual(guids);
    });

    test('three disturbances in a row, of different kinds', async () => {
      const { extractor, guids, ended } = await outcome('three in a row');
      expect(ended).toMatchObject({ value: { status: 'complete' } });
      expect(pagesOf(extractor)).toBe(6);
      expect(await extractor.guids()).toEqual(guids);
    });

    test('a token endpoint that recovers', async () => {
      const { extractor, guids, ended } = await outcome('a token endpoint that recovers');
      expect(ended).toMatchObject({ value: { status: 'complete' } });
      expect(tokensOf(extractor)).toBe(3);
      expect(await extractor.guids()).toEqual(guids);
    });
  });

  describe('fails after the third retry', () => {
    test('of a page: what was queued before stays, and the next run reads the rest', async () => {
      const { extractor, guids, ended } = await outcome('four in a row');
      expect(ended).toMatchObject({ reason: { failureClass: 'transient', fault: { code: 'E_SRC_UNAVAILABLE' } } });
      expect(pagesOf(extractor)).toBe(5);
      expect(await extractor.guids()).toHaveLength(2);
      expect((await extractor.watermark())?.['watermarkMs']).toBeUndefined();

      expect(await extractor.run()).toMatchObject({ status: 'complete' });
      expect([...new Set(await extractor.guids())]).toEqual(guids);
    });

    test('of a throttled call', async () => {
      const { extractor, ended } = await outcome('always throttled');
      expect(ended).toMatchObject({ reason: { failureClass: 'throttled', fault: { code: 'E_SRC_THROTTLED' } } });
      expect(pagesOf(extractor)).toBe(4);
    });
  });
});
