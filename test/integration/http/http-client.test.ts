/**
 * The one HTTP client, against real servers on loopback: what counts as an answer, and the errors of a call without
 * one.
 */
import dns, { type LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  createHttpClient,
  HttpError,
  type HttpClientOptions,
  type HttpResponse,
  retryAfterMs,
  TOO_LARGE,
} from '../../../shared/http-client.ts';
import { createCertificateAuthority } from '../../simulators/certificates.ts';
import { CLOSED_PORT } from '../closed-port.ts';

const SECRET_TOKEN = 'token-that-must-stay-secret';
const SECRET_BODY = '{"requester":"Private Person"}';
const secretRequest = {
  method: 'POST',
  path: '/purchase-orders?externalId=X-1',
  headers: { Authorization: `Bearer ${SECRET_TOKEN}`, 'Content-Type': 'application/json' },
  body: SECRET_BODY,
} as const;

const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function listen(server: Server | TcpServer, host = '127.0.0.1'): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return (address satisfies AddressInfo).port;
}

/** An HTTP server on loopback, closed after the test. */
async function serve(listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener);
  const port = await listen(server);
  cleanUps.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return { url: `http://127.0.0.1:${port}`, server };
}

/** A port that answers nothing, not even a SYN: its backlog is full, and the thread that listens never accepts. */
async function silentPort(host = '127.0.0.1'): Promise<number> {
  const thread = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
    const server = require('node:net').createServer();
    server.listen({ port: 0, host: workerData, backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
    });`,
    { eval: true, workerData: host },
  );
  const [port]: unknown[] = await once(thread, 'message');
  if (typeof port !== 'number') throw new Error('the thread does not listen');
  const fillers = Array.from({ length: 4 }, () => connect(port, host).on('error', () => undefined));
  cleanUps.push(async () => {
    for (const socket of fillers) socket.destroy();
    await thread.terminate();
  });
  // Two fit into the backlog; the others wait.
  await Promise.all(fillers.slice(0, 2).map((socket) => once(socket, 'connect')));
  return port;
}

/** A host of several addresses, as the name server gives them. */
function resolveTo(addresses: readonly LookupAddress[]): string {
  // oxlint-disable-next-line typescript/unbound-method -- only put back where it was
  const original = dns.lookup;
  cleanUps.push(() => {
    dns.lookup = original;
  });
  const lookup = (_host: string, _options: unknown, done: (error: null, found: unknown) => void): void =>
    done(null, addresses);
  Reflect.set(dns, 'lookup', lookup);
  return 'dual-stack.example';
}

const authority = createCertificateAuthority('Test authority');

/** An HTTPS server on loopback, and the client's trust in it. */
async function serveTls(listener: RequestListener) {
  const { certificate: cert, key } = authority.issue({ name: '11VMS', ip: '127.0.0.1' });
  const server = createTlsServer({ cert, key }, listener);
  const port = await listen(server);
  cleanUps.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `https://127.0.0.1:${port}`, trust: { tls: { authority: authority.certificate } } };
}

const clientOf = (baseUrl: string, options: Partial<HttpClientOptions> = {}) =>
  createHttpClient({ baseUrl, timeoutMs: 5000, maximumResponseBytes: 100_000, now: Date.now, ...options });

/** The error of a request that must fail. */
async function failureOf(answer: Promise<HttpResponse>): Promise<HttpError> {
  const error: unknown = await answer.then(
    ({ status }) => new Error(`was answered ${status}`),
    (error: unknown) => error,
  );
  if (error instanceof HttpError) return error;
  throw error;
}

function expectNoSecretIn(error: HttpError): void {
  const texts = [error.message, String(error), error.stack, JSON.stringify(error), inspect(error, { depth: 10 })];
  for (const text of texts) {
    expect(text).not.toContain(SECRET_TOKEN);
    expect(text).not.toContain('Private Person');
    expect(text).not.toMatch(/authorization|bearer/i);
  }
  expect(error.cause).toBeUndefined();
}

describe('an answer', () => {
  test.each([200, 201, 202, 301, 302, 307, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504])(
    'of status %i is returned, with its body and headers',
    async (status) => {
      const { url } = await serve((_request, response) => {
        response.writeHead(status, { 'Retry-After': '7', 'X-Thing': 'some' }).end('{"a":650.00}');
      });

      const answer = await clientOf(url).request({ method: 'GET', path: '/' });

      expect(answer).toMatchObject({ status, body: '{"a":650.00}' });
      expect(answer.header('retry-after')).toBe('7');
      expect(answer.header('x-thing')).toBe('some');
      expect(answer.header('x-other')).toBeUndefined();
    },
  );

  test('of status 204 or without a body is an empty text', async () => {
    const { url } = await serve((request, response) => {
      response.writeHead(request.url === '/none' ? 204 : 200).end();
    });
    const client = clientOf(url);

    expect(await client.request({ method: 'GET', path: '/none' })).toMatchObject({ status: 204, body: '' });
    expect(await client.request({ method: 'GET', path: '/empty' })).toMatchObject({ status: 200, body: '' });
  });

  test('is text to the letter: JSON is not parsed, and characters beyond ASCII arrive', async () => {
    const text = '{"quantity":1.10,"name":"Žluťoučký 🐎 كتاب"}';
    const { url } = await serve((_request, response) => {
      response.setHeader('Content-Type', 'application/json').end(text);
    });

    expect((await clientOf(url).request({ method: 'GET', path: '/' })).body).toBe(text);
  });

  test('arrives for the request as it was made: method, path and query, headers, body', async () => {
    const seen: unknown[] = [];
    const { url } = await serve((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      request.on('end', () => {
        seen.push({ method: request.method, url: request.url, authorization: request.headers.authorization, body });
        response.end();
      });
    });
    const path = '/Set?$filter=ChangedAt%20ge%20datetimeoffset%272026-11-20T14%3A00%3A00Z%27&$format=json';

    await clientOf(`${url}/base`).request({ ...secretRequest, path, body: '{"price":"1.00","é":1.10}' });

    const authorization = `Bearer ${SECRET_TOKEN}`;
    expect(seen).toEqual([{ method: 'POST', url: `/base${path}`, authorization, body: '{"price":"1.00","é":1.10}' }]);
  });

  test('in pieces is put together', async () => {
    const { url } = await serve((_request, response) => {
      response.write('one ');
      setImmediate(() => response.end('two'));
    });

    expect((await clientOf(url).request({ method: 'GET', path: '/' })).body).toBe('one two');
  });
});

describe('a request', () => {
  test.each([301, 302, 303, 307, 308])(
    'does not follow a redirect (%i): the token goes nowhere else',
    async (status) => {
      const visited: string[] = [];
      const { url: elsewhere } = await serve((request, response) => {
        visited.push(`elsewhere ${request.headers.authorization}`);
        response.end();
      });
      const { url } = await serve((request, response) => {
        visited.push(`here ${request.url}`);
        response.writeHead(status, { Location: `${elsewhere}/stolen` }).end();
      });

      const answer = await clientOf(url).request(secretRequest);

      expect(answer.status).toBe(status);
      expect(answer.header('location')).toBe(`${elsewhere}/stolen`);
      expect(visited).toEqual([`here ${secretRequest.path}`]);
    },
  );

  test('with an absolute URL, or with a path that names a host, is refused before anything is sent', async () => {
    let calls = 0;
    const { url } = await serve((_request, response) => {
      calls++;
      response.end();
    });
    const host = url.replace('http:', '');
    const client = clientOf(url);

    for (const path of [`${url}/x`, `${host}/x`, '//other.example.com/x', '@other.example.com', '.evil.com', '', 'x']) {
      await expect(client.request({ ...secretRequest, path })).rejects.toThrow('must start with a single slash');
    }
    expect(calls).toBe(0);
  });

  test('with a path that only looks like another host stays on ours', async () => {
    const seen: (string | undefined)[] = [];
    const { url } = await serve((request, response) => {
      seen.push(request.url);
      response.end();
    });
    const client = clientOf(url);

    await client.request({ method: 'GET', path: '/\\other.example.com/x' });
    await client.request({ method: 'GET', path: '/@other.example.com/x' });
    await client.request({ method: 'GET', path: '/x?next=http://other.example.com/' });

    expect(seen).toHaveLength(3);
  });

  test('ignores a proxy of the environment', async () => {
    let throughProxy = 0;
    const { url: proxy } = await serve((_request, response) => {
      throughProxy++;
      response.end('from the proxy');
    });
    const { url } = await serve((_request, response) => response.end('from the system'));
    const names = [
      'HTTP_PROXY',
      'http_proxy',
      'HTTPS_PROXY',
      'https_proxy',
      'ALL_PROXY',
      'all_proxy',
      'NO_PROXY',
      'no_proxy',
    ];
    const before = names.map((name) => [name, process.env[name]] as const);
    cleanUps.push(() => {
      for (const [name, value] of before) {
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
      }
    });
    for (const name of names) process.env[name] = name.toLowerCase() === 'no_proxy' ? '' : proxy;

    const answer = await clientOf(url).request(secretRequest);

    expect(answer.body).toBe('from the system');
    expect(throughProxy).toBe(0);
  });

  test('uses the connection of the one before, even after a pause', async () => {
    const { url, server } = await serve((request, response) => {
      request.resume().on('end', () => response.end('ok'));
    });
    let connections = 0;
    server.on('connection', () => {
      connections++;
    });
    const client = clientOf(url);

    for (let call = 0; call < 5; call++) await client.request(secretRequest);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await client.request(secretRequest);

    expect(connections).toBe(1);
  });

  test('does not wait for others at the same time', async () => {
    const waiting: (() => void)[] = [];
    const { url } = await serve((_request, response) => {
      waiting.push(() => response.end());
      // None is answered before all have arrived.
      if (waiting.length === 10) for (const answer of waiting) answer();
    });
    const client = clientOf(url);

    const answers = await Promise.all(Array.from({ length: 10 }, () => client.request({ method: 'GET', path: '/' })));

    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
  });
});

describe('a call that gets no connection', () => {
  const V6 = { address: '::1', family: 6 };

  test('since the other side is silent was certainly not sent, and ends before its whole time is over', async () => {
    const port = await silentPort();
    const startedMs = performance.now();

    const error = await failureOf(clientOf(`http://127.0.0.1:${port}`, { timeoutMs: 4000 }).request(secretRequest));

    expect(error).toMatchObject({ sent: false, code: 'TIMEOUT' });
    expect(error.message).toBe('POST /purchase-orders: could not be sent (TIMEOUT)');
    expect(performance.now() - startedMs).toBeLessThan(3800);
    expectNoSecretIn(error);
  });

  test('since its own short time limit is over first was not sent either', async () => {
    const port = await silentPort();

    const error = await failureOf(clientOf(`http://127.0.0.1:${port}`).request({ ...secretRequest, timeoutMs: 1 }));

    expect(error).toMatchObject({ sent: false, code: 'TIMEOUT' });
  });

  test('since the TLS handshake never ends was certainly not sent', async () => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined).resume();
      cleanUps.push(() => {
        socket.destroy();
      });
    });
    const port = await listen(server);
    cleanUps.push(() => {
      server.close();
    });

    const error = await failureOf(clientOf(`https://127.0.0.1:${port}`, { timeoutMs: 400 }).request(secretRequest));

    expect(error).toMatchObject({ sent: false, code: 'TIMEOUT' });
  });

  test.each(['end', 'resetAndDestroy'] as const)(
    'since the other side hangs up in the TLS handshake (%s) was certainly not sent',
    async (hangUp) => {
      const server = createTcpServer((socket) => {
        socket.on('error', () => undefined).once('data', () => socket[hangUp]());
      });
      const port = await listen(server);
      cleanUps.push(() => {
        server.close();
      });

      const error = await failureOf(clientOf(`https://127.0.0.1:${port}`).request(secretRequest));

      expect(error.sent).toBe(false);
    },
  );

  test('since all connections of the client are in use was certainly not sent', async () => {
    let arrived = 0;
    const allArrived = Promise.withResolvers<undefined>();
    const { url } = await serve(() => {
      arrived++;
      if (arrived === 64) allArrived.resolve(undefined);
    });
    const client = clientOf(url, { timeoutMs: 5000 });
    const others = Array.from({ length: 64 }, () => failureOf(client.request(secretRequest)));
    await allArrived.promise;

    const error = await failureOf(client.request({ ...secretRequest, timeoutMs: 100 }));

    expect(error).toMatchObject({ sent: false, code: 'TIMEOUT' });
    expect((await Promise.all(others)).filter(({ sent }) => sent)).toHaveLength(64);
    expect(arrived).toBe(64);
  });

  // No server of another test listens there: a port that is silent on ::1 may be taken on 127.0.0.1.
  const FREE_HOST = '127.0.0.9';
  const OTHER_V4 = { address: FREE_HOST, family: 4 };
  test.each([
    ['the first is silent, the second refuses', [V6, OTHER_V4]],
    ['the first refuses, the second is silent', [OTHER_V4, V6]],
  ])('at none of two addresses was certainly not sent: %s', async (_what, addresses) => {
    const port = await silentPort('::1');

    const error = await failureOf(
      clientOf(`http://${resolveTo(addresses)}:${port}`, { timeoutMs: 2000 }).request(secretRequest),
    );

    expect(error.sent).toBe(false);
    expectNoSecretIn(error);
  });

  test('at the first of two addresses is answered by the second', async () => {
    const port = await silentPort('::1');
    const server = createServer((_request, response) => response.end('ok'));
    server.listen(port, FREE_HOST);
    await once(server, 'listening');
    cleanUps.push(() => {
      server.close();
      server.closeAllConnections();
    });

    const answer = await clientOf(`http://${resolveTo([V6, OTHER_V4])}:${port}`).request(secretRequest);

    expect(answer.body).toBe('ok');
  });

  test('in time, but has one and is not answered, counts as sent: TLS, too', async () => {
    let arrived = 0;
    const { url, trust } = await serveTls(() => {
      arrived++;
    });

    const error = await failureOf(clientOf(url, { ...trust, timeoutMs: 3000 }).request(secretRequest));

    expect(error).toMatchObject({ sent: true, code: 'TIMEOUT' });
    expect(arrived).toBe(1);
  });
});

describe('a call with a latest instant of sending', () => {
  /** Both kinds of server, and what they got. */
  async function both() {
    const seen: string[] = [];
    const listener: RequestListener = (request, response) => {
      seen.push(String(request.url));
      request.resume().on('end', () => response.end('ok'));
    };
    return { seen, servers: [{ ...(await serve(listener)), trust: {} }, await serveTls(listener)] };
  }
  const late = { sent: false, code: 'DEADLINE' };

  test('is sent at that instant, and not later', async () => {
    const { seen, servers } = await both();
    for (const { url, trust } of servers) {
      let nowMs = 1000;
      const calls: unknown[] = [];
      const client = clientOf(url, { ...trust, now: () => nowMs, onCall: (call) => calls.push(call) });

      expect(await client.request({ ...secretRequest, sendByMs: 1000 })).toMatchObject({ status: 200 });
      nowMs = 1001;
      const error = await failureOf(client.request({ ...secretRequest, sendByMs: 1000 }));

      expect(error).toMatchObject(late);
      expect(error.message).toBe('POST /purchase-orders: could not be sent (DEADLINE)');
      expectNoSecretIn(error);
      // A call that was not made says nothing about the other side.
      expect(calls).toHaveLength(1);
    }
    expect(seen).toHaveLength(2);
  });

  test('is not sent when the connection is there only afterwards, as when the process stood still', async () => {
    const { seen, servers } = await both();
    for (const { url, trust } of servers) {
      const clock = [1000, 5000];
      const client = clientOf(url, { ...trust, now: () => clock.shift() ?? 5000 });

      expect(await failureOf(client.request({ ...secretRequest, sendByMs: 1000 }))).toMatchObject(late);
      expect(await client.request(secretRequest)).toMatchObject({ status: 200 });
    }
    expect(seen).toHaveLength(2);
  });

  test('is not sent on a connection that is kept, when it waited for it too long', async () => {
    const { seen, servers } = await both();
    for (const { url, trust } of servers) {
      let clock: number[] = [];
      const client = clientOf(url, { ...trust, now: () => clock.shift() ?? 5000 });
      await client.request(secretRequest);
      clock = [1000, 5000];

      expect(await failureOf(client.request({ ...secretRequest, sendByMs: 1000 }))).toMatchObject(late);
    }
    expect(seen).toHaveLength(2);
  });
});

describe('a call without a whole answer', () => {
  test('whose connection is refused was certainly not sent', async () => {
    for (const host of ['127.0.0.1', 'localhost']) {
      const error = await failureOf(clientOf(`http://${host}:${CLOSED_PORT}`).request(secretRequest));
      expect(error).toMatchObject({ name: 'HttpError', sent: false, code: 'ECONNREFUSED' });
      expect(error.message).toBe('POST /purchase-orders: could not be sent (ECONNREFUSED)');
      expectNoSecretIn(error);
    }
  });

  test('whose host does not resolve was certainly not sent', async () => {
    const error = await failureOf(clientOf('http://srm.does-not-exist.invalid').request(secretRequest));

    expect(error.sent).toBe(false);
    // A slow resolver needs longer than the call may take.
    expect(['ENOTFOUND', 'EAI_AGAIN', 'TIMEOUT']).toContain(error.code);
    expectNoSecretIn(error);
  });

  test('to a server without TLS, or without a trusted certificate, was certainly not sent', async () => {
    const received: string[] = [];
    const { url } = await serve((request, response) => {
      received.push(String(request.url));
      response.end();
    });

    const error = await failureOf(clientOf(url.replace('http:', 'https:')).request(secretRequest));

    expect(received).toEqual([]);
    expect(error.sent).toBe(false);
    expectNoSecretIn(error);
  });

  test('that was reset after the body was sent may have been carried out', async () => {
    const bodies: string[] = [];
    const { url } = await serve((request) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      request.on('end', () => {
        bodies.push(body);
        request.socket.resetAndDestroy();
      });
    });

    const error = await failureOf(clientOf(url).request(secretRequest));

    expect(bodies).toEqual([SECRET_BODY]);
    expect(error).toMatchObject({ sent: true, code: 'ECONNRESET' });
    expect(error.message).toBe('POST /purchase-orders: no whole answer (ECONNRESET)');
    expectNoSecretIn(error);
  });

  test('whose connection closed in the middle of the answer may have been carried out', async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(201, { 'Content-Length': '100' });
      response.write('{"id":', () => response.destroy());
    });

    const error = await failureOf(clientOf(url).request(secretRequest));

    expect(error.sent).toBe(true);
    expectNoSecretIn(error);
  });

  test('that was reset on a kept-alive connection counts as sent, since nothing proves the opposite', async () => {
    let calls = 0;
    const { url } = await serve((request, response) => {
      request.resume().on('end', () => {
        calls++;
        if (calls === 1) response.end('ok');
        else request.socket.resetAndDestroy();
      });
    });
    const client = clientOf(url);
    await client.request(secretRequest);

    const error = await failureOf(client.request(secretRequest));

    expect(error.sent).toBe(true);
    expect(calls).toBe(2);
    expectNoSecretIn(error);
  });

  test('fails when the answer is no HTTP at all', async () => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('220 mail.example.com ESMTP\r\n');
    });
    const port = await listen(server);
    cleanUps.push(() => {
      server.close();
    });

    const error = await failureOf(clientOf(`http://127.0.0.1:${port}`).request(secretRequest));

    expect(error.sent).toBe(true);
    expectNoSecretIn(error);
  });

  test('is cut at the time limit when the server is silent', async () => {
    const { url } = await serve(() => undefined);

    const error = await failureOf(clientOf(url, { timeoutMs: 1000 }).request(secretRequest));

    expect(error).toMatchObject({ sent: true, code: 'TIMEOUT' });
    expect(error.message).toBe('POST /purchase-orders: no whole answer (TIMEOUT)');
    expectNoSecretIn(error);
  });

  test('is cut at the time limit when the answer drips slowly, and is never idle for long', async () => {
    let drops = 0;
    const { url } = await serve((_request, response) => {
      response.writeHead(200);
      const drip = setInterval(() => {
        drops++;
        response.write('.');
      }, 20);
      response.on('close', () => clearInterval(drip));
      cleanUps.push(() => clearInterval(drip));
    });

    const error = await failureOf(clientOf(url, { timeoutMs: 1000 }).request(secretRequest));

    expect(drops).toBeGreaterThan(0);
    expect(error).toMatchObject({ sent: true, code: 'TIMEOUT' });
  });

  test('may have a shorter time limit of its own, never a longer one', async () => {
    const { url } = await serve(() => undefined);

    const errors = await Promise.all(
      [
        { ofClient: 60_000, ofCall: 100 },
        { ofClient: 100, ofCall: 60_000 },
        { ofClient: 60_000, ofCall: -5 },
      ].map(({ ofClient, ofCall }) =>
        failureOf(clientOf(url, { timeoutMs: ofClient }).request({ ...secretRequest, timeoutMs: ofCall })),
      ),
    );

    expect(errors.map(({ code }) => code)).toEqual(['TIMEOUT', 'TIMEOUT', 'TIMEOUT']);
  });

  test('leaves no cut connection for the next call', async () => {
    let calls = 0;
    const { url } = await serve((request, response) => {
      calls++;
      if (request.url !== '/slow') response.end('ok');
    });
    const client = clientOf(url, { timeoutMs: 10_000 });
    await failureOf(client.request({ method: 'GET', path: '/slow', timeoutMs: 1000 }));

    expect(await client.request({ method: 'GET', path: '/' })).toMatchObject({ status: 200, body: 'ok' });
    expect(calls).toBe(2);
  });

  test('is cut when the answer is too large, whether it declares its length or not', async () => {
    const piece = 'x'.repeat(10_000);
    let written = 0;
    const { url } = await serve((request, response) => {
      if (request.url === '/announced') {
        response.writeHead(200, { 'Content-Length': String(1000 * piece.length) });
      }
      const write = (): void => {
        if (response.destroyed) return;
        written++;
        response.write(piece, () => setImmediate(write));
      };
      write();
    });
    const client = clientOf(url, { maximumResponseBytes: 50_000 });

    for (const path of ['/announced', '/chunked']) {
      const error = await failureOf(client.request({ ...secretRequest, path }));
      expect(error.sent).toBe(true);
      expect(error.code).toBe(TOO_LARGE);
      expectNoSecretIn(error);
    }
    expect(written).toBeLessThan(10_000);
  });

  test('is cut when a small answer unpacks to one that is too large', async () => {
    const bomb = gzipSync(Buffer.alloc(5_000_000, 'x'));
    const { url } = await serve((_request, response) => {
      response.writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Length': String(bomb.length) }).end(bomb);
    });
    expect(bomb.length).toBeLessThan(50_000);

    const error = await failureOf(clientOf(url, { maximumResponseBytes: 50_000 }).request(secretRequest));

    expect(error).toMatchObject({ sent: true, code: TOO_LARGE });
  });

  test('an answer of exactly the largest size is not cut', async () => {
    const { url } = await serve((_request, response) => response.end('x'.repeat(50_000)));

    const { body } = await clientOf(url, { maximumResponseBytes: 50_000 }).request({ method: 'GET', path: '/' });

    expect(body).toHaveLength(50_000);
  });
});

describe('Retry-After', () => {
  const nowMs = Date.parse('2026-11-20T14:00:00Z');
  const delay = (value: string | undefined): number | undefined =>
    retryAfterMs(
      { status: 429, body: '', from: '', header: (name) => (name === 'retry-after' ? value : undefined) },
      nowMs,
    );

  test.each([
    ['seconds', '30', 30_000],
    ['no wait', '0', 0],
    ['spaces around', '  5 ', 5000],
    ['just the cap', '900', 900_000],
    ['more than the cap', '901', 900_000],
    ['far more than the cap', '99999999999999999999999999', 900_000],
    ['an HTTP date', 'Fri, 20 Nov 2026 14:00:45 GMT', 45_000],
    ['an HTTP date in RFC 850 form', 'Friday, 20-Nov-26 14:00:45 GMT', 45_000],
    ['a date that is past', 'Fri, 20 Nov 2026 13:59:00 GMT', 0],
    ['a date beyond the cap', 'Sat, 21 Nov 2026 14:00:00 GMT', 900_000],
    ['nothing', undefined, undefined],
    ['an empty text', '', undefined],
    ['words', 'later', undefined],
    ['words with a number', 'soon 1', undefined],
    ['words with a number, in capitals', 'Later 1', undefined],
    ['a negative number', '-5', undefined],
    ['a fraction', '1.5', undefined],
    ['a duration', 'PT30S', undefined],
    ['an impossible date', 'Fri, 45 Nov 2026 14:00:45 GMT', undefined],
  ])('with %s is read correctly', (_what, value, expected) => {
    expect(delay(value)).toBe(expected);
  });

  test('is read from an answer over the wire', async () => {
    const { url } = await serve((_request, response) => response.writeHead(429, { 'Retry-After': '3' }).end());

    expect(retryAfterMs(await clientOf(url).request({ method: 'GET', path: '/' }), nowMs)).toBe(3000);
  });
});
