/** Who the console answers, over a real listener: each way in that another site, another port or another program has. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Unanswerable } from '../../../infra/carts/open-ledger.ts';
import { SECURITY_HEADERS } from '../../../infra/console/guard.ts';
import type { ConsolePage } from '../../../infra/console/page.ts';
import { PAGES } from '../../../infra/console/pages.ts';
import { ENVIRONMENTS } from '../../../infra/environments.ts';
import { type RawAnswer, sendRaw } from '../raw-http.ts';
import { type DeployedConsole, deployConsole, openTab, secretOf, type Served, type Tab } from './deployed-console.ts';

const ACCOUNT = '123456789012';

let deployed: DeployedConsole;
let operating: Served;
let reading: Served;
let tab: Tab;
let readingTab: Tab;
/** Never to be seen in any page. */
let secrets: readonly string[];

beforeAll(async () => {
  deployed = await deployConsole();
  operating = await deployed.serve({ mode: 'operate' });
  reading = await deployed.serve({ mode: 'read-only' });
  [tab, readingTab] = [await openTab(operating), await openTab(reading)];
  secrets = [tab, readingTab].flatMap(({ cookie, key }) => [key, cookie.split('=')[1] ?? '']);
});
afterAll(() => deployed.close());

/** `{host}`, `{port}`, `{cookie}`, `{key}` and so on are those of the operating console. */
const filled = (text: string): string =>
  text
    .replaceAll('{host}', tab.host)
    .replaceAll('{port}', String(tab.port))
    .replaceAll('{cookie}', tab.cookie)
    .replaceAll('{cookieValue}', tab.cookie.split('=')[1] ?? '')
    .replaceAll('{key}', tab.key)
    .replaceAll('{otherCookie}', readingTab.cookie)
    .replaceAll('{otherKey}', readingTab.key)
    .replaceAll('{usedInvitation}', secretOf(operating.links[0] ?? ''));

/** A clock that the test moves, for a console that ends after a minute without use. */
function movedClock() {
  let nowMs = Date.now();
  let tick = (): void => undefined;
  let isEnded = false;
  let idles = 0;
  return {
    options: {
      idleMs: 60_000,
      onIdle: () => {
        idles += 1;
      },
      clock: {
        now: () => nowMs,
        every(_ms: number, act: () => void) {
          tick = act;
          return () => {
            isEnded = true;
          };
        },
      },
    },
    /** How often the console has ended for want of use, once so much more time has passed. */
    idlesAfter(ms: number): number {
      nowMs += ms;
      tick();
      return idles;
    },
    isEnded: () => isEnded,
  };
}

interface Sent {
  readonly method?: string;
  readonly path?: string;
  /** A list for several headers of one name; undefined leaves a header of the base out. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body?: string;
}

/** What a page of this console sends; a test changes one thing. */
const GET_BASE = { Host: '{host}', Cookie: '{cookie}' };
const POST_BASE = {
  ...GET_BASE,
  Origin: 'http://{host}',
  'Sec-Fetch-Site': 'same-origin',
  'Sec-Fetch-Mode': 'cors',
  'Content-Type': 'application/x-www-form-urlencoded',
  'X-Console-Key': '{key}',
};

async function send({
  method = 'GET',
  path = '/',
  headers = {},
  body: unfilled = '',
}: Sent): Promise<RawAnswer | undefined> {
  const body = filled(unfilled);
  const base: Readonly<Record<string, string>> = method === 'POST' ? POST_BASE : GET_BASE;
  const all: Sent['headers'] = {
    ...base,
    ...(method === 'POST' ? { 'Content-Length': String(Buffer.byteLength(body)) } : {}),
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one): [string, string] => [name, filled(one)]),
  );
  return sendRaw(tab.port, { method, path: filled(path), headers: lines, body });
}

/** What must hold for every answer, whatever was asked. */
function expectGuarded(answer: RawAnswer | undefined): void {
  const { headers = new Map<string, string>(), body = '' } = answer ?? {};
  expect(Object.fromEntries(headers)).toMatchObject(
    Object.fromEntries(Object.entries(SECURITY_HEADERS).map(([name, value]) => [name.toLowerCase(), value])),
  );
  expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
  for (const secret of secrets) expect(body).not.toContain(secret);
}

const CROSS = { 'Sec-Fetch-Site': 'cross-site' };
const NAVIGATION = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' };
const PAUSE = 'act=pause&reason=for+a+test';

describe('an answer', () => {
  test.each<[string, number, Sent]>([
    ['to the own page', 200, { headers: { 'Sec-Fetch-Site': 'same-origin', ...NAVIGATION } }],
    ['to an address that a person typed', 200, { headers: { 'Sec-Fetch-Site': 'none', ...NAVIGATION } }],
    ['to HEAD', 200, { method: 'HEAD' }],
    ['to a page that refreshes itself', 200, { headers: { 'X-Console-Refresh': '1' } }],
    ['without a cookie', 401, { headers: { Cookie: undefined } }],
    [
      'to a link from a ticket, to which the browser adds no strict cookie',
      401,
      {
        headers: { ...CROSS, ...NAVIGATION, Cookie: undefined },
      },
    ],
    ['with a cookie of another console', 401, { headers: { Cookie: '{otherCookie}' } }],
    ['with its own cookie under the name of another port', 401, { headers: { Cookie: 'console_1={cookieValue}' } }],
    ['with the key as a cookie', 401, { headers: { Cookie: 'console_{port}={key}' } }],
    ['with an empty cookie', 401, { headers: { Cookie: 'console_{port}=' } }],
    [
      'with the key in the query alone',
      401,
      {
        path: '/?x-console-key={key}&key={key}',
        headers: { Cookie: undefined },
      },
    ],
    ['with the key in a header alone', 401, { headers: { Cookie: undefined, 'X-Console-Key': '{key}' } }],
    ['to a page that does not exist', 404, { path: '/nothing' }],
    ['to a page that does not exist, without a cookie', 401, { path: '/nothing', headers: { Cookie: undefined } }],
    [
      'to a file that does not exist, without a cookie',
      404,
      {
        path: '/assets/none',
        headers: { Cookie: undefined },
      },
    ],
    [
      'to the name of a property of every object',
      404,
      {
        path: '/assets/constructor',
        headers: { Cookie: undefined },
      },
    ],
    ['to a path that climbs', 401, { path: '/assets/../../package.json', headers: { Cookie: undefined } }],
    ['to an encoded path that climbs', 404, { path: '/assets/..%2f..%2fpackage.json' }],
    ['to a broken escape', 404, { path: '/carts/%E0%A4%A' }],
    ['to GET of the exchange', 404, { path: '/session' }],
    [
      'to a used invitation',
      403,
      {
        method: 'POST',
        path: '/session',
        headers: { 'X-Console-Key': '{usedInvitation}' },
      },
    ],
    [
      'to an exchange without an invitation',
      403,
      {
        method: 'POST',
        path: '/session',
        headers: { 'X-Console-Key': undefined },
      },
    ],
    ['to the key where an invitation belongs', 403, { method: 'POST', path: '/session' }],

    [
      'to a rebound name whose Origin is equal to its Host',
      403,
      {
        method: 'POST',
        headers: { Host: 'evil.example:{port}', Origin: 'http://evil.example:{port}' },
        body: PAUSE,
      },
    ],
    ['to GET by a rebound name', 403, { headers: { Host: 'evil.example:{port}' } }],
    ['to a name that begins like the address', 400, { headers: { Host: '127.0.0.1:{port}.evil.example' } }],
    ['to a name that begins like the host', 403, { headers: { Host: '127.0.0.1.evil.example:{port}' } }],
    ['to a Host with a user', 400, { headers: { Host: 'evil.example@{host}' } }],
    ['to a Host that is only a user', 400, { headers: { Host: '127.0.0.1:1@evil.example' } }],
    ['to localhost', 403, { headers: { Host: 'localhost:{port}' } }],
    ['to LOCALHOST', 403, { headers: { Host: 'LOCALHOST:{port}' } }],
    ['to the address of IPv6', 403, { headers: { Host: '[::1]:{port}' } }],
    ['to the address of IPv4 within IPv6', 400, { headers: { Host: '[::ffff:127.0.0.1]:{port}' } }],
    ['to the address as one number', 403, { headers: { Host: '2130706433:{port}' } }],
    ['to the host with a dot', 403, { headers: { Host: '127.0.0.1.:{port}' } }],
    ['to another port', 403, { headers: { Host: '127.0.0.1:1' } }],
    ['to the host without its port', 403, { headers: { Host: '127.0.0.1' } }],
    ['to an empty Host', 400, { headers: { Host: '' } }],
    ['without a Host', 400, { headers: { Host: undefined } }],
    ['to two Hosts', 403, { headers: { Host: ['{host}', 'evil.example'] } }],
    ['to two Hosts, the other first', 403, { headers: { Host: ['evil.example', '{host}'] } }],
    ['to an absolute target of another host', 403, { path: 'http://evil.example/' }],
    ['to an absolute target of this host', 200, { path: 'http://{host}/' }],

    [
      'to a form of another site',
      403,
      {
        method: 'POST',
        headers: { ...CROSS, Origin: 'https://evil.example', ...NAVIGATION },
        body: PAUSE,
      },
    ],
    [
      'to JSON of another site',
      403,
      {
        method: 'POST',
        headers: { ...CROSS, Origin: 'https://evil.example', 'Content-Type': 'application/json' },
        body: '{"act":"pause"}',
      },
    ],
    ['to a form of a sandboxed frame', 403, { method: 'POST', headers: { Origin: 'null' }, body: PAUSE }],
    [
      'to a form of another port of this machine',
      403,
      {
        method: 'POST',
        headers: { Origin: 'http://127.0.0.1:1', 'Sec-Fetch-Site': 'same-site' },
        body: PAUSE,
      },
    ],
    ['to a form without an origin', 403, { method: 'POST', headers: { Origin: undefined }, body: PAUSE }],
    ['to a form that says another site in one header alone', 403, { method: 'POST', headers: CROSS, body: PAUSE }],
    [
      'to a form with two origins',
      403,
      {
        method: 'POST',
        headers: { Origin: ['http://{host}', 'https://evil.example'] },
        body: PAUSE,
      },
    ],
    [
      'to an image of another site',
      403,
      {
        headers: { ...CROSS, 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' },
      },
    ],
    [
      'to a script of another site',
      403,
      {
        path: '/assets/console.js',
        headers: { ...CROSS, 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'script' },
      },
    ],
    [
      'to fetch of another site',
      403,
      {
        headers: { ...CROSS, Origin: 'https://evil.example', 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' },
      },
    ],
    [
      'to fetch without CORS of another site',
      403,
      {
        headers: { ...CROSS, 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'empty' },
      },
    ],
    [
      'to a frame of another site',
      403,
      {
        headers: { ...CROSS, 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe' },
      },
    ],
    [
      'to fetch of another port of this machine',
      403,
      {
        headers: { 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' },
      },
    ],

    ['to OPTIONS', 403, { method: 'OPTIONS', headers: { 'Access-Control-Request-Method': 'POST' } }],
    ['to PUT', 403, { method: 'PUT', headers: { 'Content-Length': '0' } }],
    ['to DELETE', 403, { method: 'DELETE' }],
    ['to TRACE', 403, { method: 'TRACE' }],
    ['to an upgrade to a socket', 200, { headers: { Connection: 'Upgrade', Upgrade: 'websocket' } }],

    ['to an act without the key', 403, { method: 'POST', headers: { 'X-Console-Key': undefined }, body: PAUSE }],
    [
      'to an act with the cookie as the key',
      403,
      {
        method: 'POST',
        headers: { 'X-Console-Key': '{cookieValue}' },
        body: PAUSE,
      },
    ],
    [
      'to an act with the key of another console',
      403,
      {
        method: 'POST',
        headers: { 'X-Console-Key': '{otherKey}' },
        body: PAUSE,
      },
    ],
    [
      'to an act with the key in its form',
      403,
      {
        method: 'POST',
        headers: { 'X-Console-Key': undefined },
        body: `${PAUSE}&x-console-key={key}`,
      },
    ],
    [
      'to an act with the key but without the cookie',
      401,
      {
        method: 'POST',
        headers: { Cookie: undefined },
        body: PAUSE,
      },
    ],
    ['to an act that no page has', 404, { method: 'POST', path: '/nothing', body: PAUSE }],
    [
      'to a form as JSON',
      400,
      { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"act":"pause"}' },
    ],
    ['to a form of no type', 400, { method: 'POST', headers: { 'Content-Type': undefined }, body: PAUSE }],
    [
      'to a form that breaks off',
      400,
      {
        method: 'POST',
        headers: { 'Content-Type': 'multipart/form-data; boundary=x' },
        body: '--x\r\nContent-Disposition: form-data; name="act"\r\n\r\npau',
      },
    ],
    ['to a form that says it is too large', 413, { method: 'POST', headers: { 'Content-Length': '6291457' } }],
    [
      'to a form that is too large and does not say so',
      413,
      {
        method: 'POST',
        headers: { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' },
        body: `${'100000\r\n'.concat('a'.repeat(0x10_0000), '\r\n').repeat(7)}0\r\n\r\n`,
      },
    ],
  ])('%s is %i', async (_what, status, sent) => {
    const invokedBefore = deployed.aws.invocations.length;
    const answer = await send(sent);

    expect(answer?.status).toBe(status);
    expectGuarded(answer);
    const isStranger = sent.headers !== undefined && 'Cookie' in sent.headers;
    expect(isStranger ? answer?.body : '').not.toMatch(new RegExp(`${ACCOUNT}|arn:aws`));
    expect(deployed.aws.invocations).toHaveLength(invokedBefore);
    expect(deployed.errors).toEqual([]);
  });

  test('is not given to CONNECT, and is empty for what is no HTTP', async () => {
    expect(await send({ method: 'CONNECT', path: 'evil.example:443' })).toBeUndefined();
    expect(await send({ path: 'evil' })).toMatchObject({ status: 400, body: '' });
  });

  test('of a refusal says nothing of what is behind it', async () => {
    for (const headers of [{ Host: 'localhost:{port}' }, CROSS, { Cookie: undefined }]) {
      const answer = await send({ headers });
      expect(answer?.body).not.toMatch(new RegExp(`${ACCOUNT}|arn:aws|eu-west-1|entry`));
    }
  });

  test('to AWS that refuses is a page that says what is missing, without the message of AWS', async () => {
    deployed.aws.state.denied.add('DescribeAlarms');
    try {
      const answer = await send({});
      expect(answer).toMatchObject({ status: 502 });
      expect(answer?.body).toContain('aws:DescribeAlarms');
      expect(answer?.body).toContain('viewer policy');
      expect(answer?.body).not.toContain('hunter2');
      expect(deployed.errors).toEqual([]);
    } finally {
      deployed.aws.state.denied.clear();
    }
  });
});

describe('a link', () => {
  test('opens one tab: its cookie is kept from scripts and other sites, and ends with the browser', async () => {
    const served = await deployed.serve({ mode: 'read-only' });
    const { port } = served.address;
    const [link = ''] = served.links;
    expect(link).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${port}/#open=[\\w-]{43}$`));

    const open = () =>
      sendRaw(port, {
        method: 'POST',
        path: '/session',
        headers: [
          ['Host', `127.0.0.1:${port}`],
          ['Origin', `http://127.0.0.1:${port}`],
          ['X-Console-Key', secretOf(link)],
          ['Content-Length', '0'],
        ],
      });
    const first = await open();
    expect(first?.status).toBe(200);
    expect(first?.headers.get('set-cookie')).toMatch(
      new RegExp(`^console_${port}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict$`),
    );
    expect(first?.body).toMatch(/^[\w-]{43}$/);
    expect(first?.headers.get('set-cookie')).not.toContain(first?.body);
    // The next tab needs the next link.
    expect(served.links).toHaveLength(2);
    expect(new Set(served.links.map(secretOf)).size).toBe(2);
    expect((await open())?.status).toBe(403);
  });
});

/** The parts of its path are filled with something that passes for an identifier. */
const pathOf = ({ path }: ConsolePage): string => path.replaceAll(/:[a-z]+/g, '1010000123');

describe('each page', () => {
  test.each(PAGES.map((page) => [page.path, page] as const))(
    '%s runs no inline script, and shows no secret',
    async (_path, page) => {
      const answer = await send({ path: pathOf(page) });

      expect(answer?.status).not.toBe(403);
      expect(answer?.headers.get('content-security-policy')).not.toMatch(/unsafe|\*|data:|blob:|http/);
      expect(answer?.body).not.toMatch(/<script(?![^>]* src="\/assets\/)|<style|javascript:|\son\w+="|\sstyle="/i);
      expectGuarded(answer);
    },
  );

  test.each(
    PAGES.flatMap((page) => (page.submit === undefined ? [] : [[page.path, page, page.submit.needs] as const])),
  )('%s does nothing for a console that is read only, and looks only with a key', async (_path, page, needs) => {
    const sendTo = (key: readonly [string, string][]) =>
      sendRaw(readingTab.port, {
        method: 'POST',
        path: pathOf(page),
        headers: [
          ['Host', readingTab.host],
          ['Origin', `http://${readingTab.host}`],
          ['Cookie', readingTab.cookie],
          ['Content-Type', 'application/x-www-form-urlencoded'],
          ['Content-Length', '0'],
          ...key,
        ],
      });
    const invokedBefore = deployed.aws.invocations.length;

    expect((await sendTo([]))?.status).toBe(403);
    const answer = await sendTo([['X-Console-Key', readingTab.key]]);
    expect(answer?.body.includes('This console is read only')).toBe(needs === 'operate');
    expect(answer?.status === 403).toBe(needs === 'operate');
    expect(deployed.aws.invocations).toHaveLength(invokedBefore);
  });

  test.each(PAGES.map((page) => [page.path, page] as const))(
    '%s shows hostile words of its address as text',
    async (_path, page) => {
      const hostile = '"><script>alert(1)</script>';
      const names = [
        'q',
        'code',
        'owner',
        'cart',
        'supplier',
        'run',
        'state',
        'day',
        'from',
        'to',
        'page',
        'by',
        'month',
      ];
      const query = new URLSearchParams(names.map((name): [string, string] => [name, hostile])).toString();
      const answer = await send({ path: `${page.path.replaceAll(/:[a-z]+/g, encodeURIComponent(hostile))}?${query}` });

      expect(answer?.body).not.toContain('<script>alert');
      expect(deployed.errors).toEqual([]);
    },
  );
});

test('an environment with real orders looks otherwise than others on each page, and its icon is another one', async () => {
  const { operation } = ENVIRONMENTS['dev'] ?? {};
  const sources = await deployed.openSources({ operation: { ...operation, terminationProtection: true } });
  const opened = await openTab(await deployed.serve({ mode: 'read-only', sources }));
  for (const page of PAGES) {
    const { body = '' } =
      (await sendRaw(opened.port, {
        path: pathOf(page),
        headers: [
          ['Host', opened.host],
          ['Cookie', opened.cookie],
        ],
      })) ?? {};
    const { body: rehearsal = '' } = (await send({ path: pathOf(page) })) ?? {};
    for (const [markup, tone] of [
      [body, 'production'],
      [rehearsal, 'rehearsal'],
    ] as const) {
      expect(markup).toContain(`<body class="${tone}">`);
      expect(markup).toContain(`<link rel="icon" href="/assets/${tone}.svg">`);
      expect(markup.includes('(protected: real orders)')).toBe(tone === 'production');
    }
  }
});

describe('an act', () => {
  test('by the page with its key reaches the function, with who and why', async () => {
    deployed.aws.state.answers['supervisor'] = { state: 'FORCED_OPEN', reason: 'for a test' };
    const answer = await send({ method: 'POST', body: PAUSE });

    expect(answer?.status).toBe(200);
    expect(deployed.aws.invocations.at(-1)).toEqual({
      name: 'supervisor',
      event: { consumption: 'pause', by: `arn:aws:iam::${ACCOUNT}:user/operator`, reason: 'for a test' },
    });
  });

  test('that the role may not do says so, without the message of AWS', async () => {
    deployed.aws.state.denied.add('Invoke');
    try {
      const answer = await send({ method: 'POST', body: PAUSE });
      expect(answer).toMatchObject({ status: 502 });
      expect(answer?.body).toContain('your role may not invoke it');
      expect(answer?.body).not.toContain('hunter2');
    } finally {
      deployed.aws.state.denied.clear();
    }
  });
});

describe('the listener', () => {
  test('is on 127.0.0.1 and on no other address of this machine', async () => {
    expect(operating.address).toMatchObject({ address: '127.0.0.1', family: 'IPv4' });
    const others = Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address));
    for (const address of ['::1', '127.0.0.2', ...others].filter((one) => one !== '127.0.0.1')) {
      const socket = connect({ port: operating.address.port, host: address });
      const [outcome] = await Promise.race([
        once(socket, 'connect').then(() => ['connected']),
        once(socket, 'error').then(() => ['refused']),
      ]).catch(() => ['refused']);
      socket.destroy();
      expect({ address, outcome }).toEqual({ address, outcome: 'refused' });
    }
  });

  test('says which port another program listens on', async () => {
    const failure = await deployed
      .serve({ mode: 'read-only', port: operating.address.port })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Unanswerable);
    expect(failure).toMatchObject({
      message: `port ${operating.address.port} is in use`,
      advice: expect.stringContaining('--port'),
    });
  });

  test('does not end while an act of a person is under way, nor before its answer can be read', async () => {
    const clock = movedClock();
    const asked = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<unknown>();
    const served = await deployed.serve({
      mode: 'operate',
      ...clock.options,
      sources: {
        ...(await deployed.openSources()),
        functions: {
          invoke() {
            asked.resolve();
            return answered.promise;
          },
        },
      },
    });
    const opened = await openTab(served);
    const act = sendRaw(opened.port, {
      method: 'POST',
      headers: [
        ['Host', opened.host],
        ['Origin', `http://${opened.host}`],
        ['Cookie', opened.cookie],
        ['X-Console-Key', opened.key],
        ['Content-Type', 'application/x-www-form-urlencoded'],
        ['Content-Length', String(Buffer.byteLength(PAUSE))],
      ],
      body: PAUSE,
    });
    await asked.promise;

    expect(clock.idlesAfter(90_000)).toBe(0);
    answered.resolve({ state: 'FORCED_OPEN', reason: 'for a test' });
    expect(await act).toMatchObject({ status: 200 });
    expect(clock.idlesAfter(60_000)).toBe(0);
    expect(clock.idlesAfter(1)).toBe(1);
    await served.close();
  });

  test('ends when no person has used it for long enough; a page that refreshes itself keeps it from nothing', async () => {
    const clock = movedClock();
    const served = await deployed.serve({ mode: 'read-only', ...clock.options });
    const opened = await openTab(served);
    const look = (...more: (readonly [string, string])[]) =>
      sendRaw(opened.port, { headers: [['Host', opened.host], ['Cookie', opened.cookie], ...more] });

    expect(clock.idlesAfter(60_000)).toBe(0);
    await look();
    expect(clock.idlesAfter(60_000)).toBe(0);
    await look(['X-Console-Refresh', '1']);
    await sendRaw(opened.port, { headers: [['Host', opened.host]] });
    await sendRaw(opened.port, {
      headers: [
        ['Host', 'evil.example'],
        ['Cookie', opened.cookie],
      ],
    });
    expect(clock.idlesAfter(1)).toBe(1);
    await served.close();
    expect(clock.isEnded()).toBe(true);
  });
});

describe('the sources of a deployed environment', () => {
  test('search the log groups of the functions alone, and not that of Firehose, on which no role has the right', async () => {
    const { state } = deployed.aws;
    const before = state.stack;
    state.stack = {
      status: 'UPDATE_COMPLETE',
      ...before,
      outputs: { ...before?.outputs, WorkerLogGroupName: 'worker-log', RedriverLogGroupName: 'redriver-log' },
      resources: ['worker-log', 'firehose-errors', 'redriver-log'].map((physicalId) => ({
        type: 'AWS::Logs::LogGroup',
        physicalId,
      })),
    };
    state.searchable = new Set(['worker-log', 'redriver-log']);
    try {
      const { logs } = await deployed.openSources();
      expect(await logs.runs({ fromMs: 0, toMs: Date.now() })).toMatchObject({ kind: 'answered', value: [] });
      expect(deployed.aws.operations).toContain('StartQuery');
    } finally {
      state.stack = before;
    }
  });

  test.each(['DescribeStacks', 'ListStackResources'])(
    'that CloudFormation refuses (%s) say which right is missing, without a stack trace',
    async (operation) => {
      deployed.aws.state.denied.add(operation);
      try {
        const failure = await deployed.openSources().catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(Unanswerable);
        expect(failure).toMatchObject({
          message: expect.stringMatching(/^CloudFormation: AWS refuses \(AccessDenied.*\)$/),
          advice: expect.stringContaining('cloudformation:DescribeStacks'),
        });
        expect(String(failure)).not.toContain('hunter2');
      } finally {
        deployed.aws.state.denied.clear();
      }
    },
  );
});

describe('the session at AWS', () => {
  test('of another account is refused before anything is shown', async () => {
    await expect(deployed.openSources({ account: '999999999999' })).rejects.toThrow(
      new Unanswerable(`AWS credentials are for account ${ACCOUNT}, but the environment is account 999999999999`, ''),
    );
  });

  test('that has ended is refused, without the message of AWS', async () => {
    deployed.aws.state.credentialsError = 'ExpiredToken';
    try {
      const failure = await deployed.openSources().catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(Unanswerable);
      expect(failure).toMatchObject({
        message: 'AWS refuses the credentials (ExpiredToken)',
        advice: expect.stringContaining('aws sso login'),
      });
    } finally {
      deployed.aws.state.credentialsError = undefined;
    }
  });

  test('shows on each page who it is, where, and when it ends', async () => {
    let nowMs = Date.now();
    process.env['AWS_CREDENTIAL_EXPIRATION'] = new Date(nowMs + 3_600_000).toISOString();
    try {
      const sources = await deployed.openSources();
      const clock = { now: () => nowMs, every: () => () => undefined };
      const opened = await openTab(await deployed.serve({ mode: 'read-only', sources, clock }));
      const look = async (path = '/'): Promise<string> => {
        const answer = await sendRaw(opened.port, {
          path,
          headers: [
            ['Host', opened.host],
            ['Cookie', opened.cookie],
          ],
        });
        return answer?.body ?? '';
      };
      for (const page of PAGES) {
        const before = await look(pathOf(page));
        expect(before).toContain(`${ACCOUNT}, eu-west-1`);
        expect(before).toContain(`arn:aws:iam::${ACCOUNT}:user/operator`);
        expect(before).toMatch(/ends <time [^>]*>[^<]* UTC<\/time> <small>\(in 1 h\)/);
      }
      nowMs += 2 * 3_600_000;
      expect(await look()).toContain('ended: log in again');
    } finally {
      Reflect.deleteProperty(process.env, 'AWS_CREDENTIAL_EXPIRATION');
    }
  });
});
