/**
 * The HTTP client behind a forward proxy: a real one on loopback, and a TLS server behind it. What it says of a failed
 * call, whether it was sent, decides whether an order may be posted again.
 */
import { once } from 'node:events';
import { type RequestListener } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createHttpClient, HttpError, type HttpClientOptions } from '../../../shared/http-client.ts';
import { createCertificateAuthority } from '../../simulators/certificates.ts';
import { type ForwardProxy, type ProxyBehaviour, startForwardProxy } from '../../simulators/forward-proxy.ts';
import { startRefusingHost, startSilentHost } from '../../simulators/unreachable.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const authority = createCertificateAuthority('Test authority');
const tls = { authority: authority.certificate };

async function serveTls(listener: RequestListener, options: ServerOptions = {}): Promise<string> {
  const { certificate: cert, key } = authority.issue({ name: '11VMS', ip: '127.0.0.1' });
  const server = createServer({ cert, key, ...options }, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  return `https://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

async function openProxy(behaviour?: ProxyBehaviour): Promise<ForwardProxy> {
  const proxy = await startForwardProxy(behaviour);
  closing.push(() => proxy.close());
  return proxy;
}

const clientOf = (baseUrl: string, proxyUrl: string, options: Partial<HttpClientOptions> = {}) =>
  createHttpClient({
    baseUrl,
    proxyUrl,
    tls,
    timeoutMs: 5000,
    maximumResponseBytes: 100_000,
    now: Date.now,
    ...options,
  });

const post = { method: 'POST', path: '/orders?x=1', headers: { Authorization: 'Bearer hunter2' }, body: '{}' } as const;

async function failureOf(answer: Promise<unknown>): Promise<HttpError> {
  const error: unknown = await answer.catch((error: unknown) => error);
  if (error instanceof HttpError) return error;
  throw new Error(`no HttpError, but ${String(error)}`);
}

describe('through a forward proxy', () => {
  test('a call arrives in a tunnel, encrypted to its end, and the next one takes the same tunnel', async () => {
    const paths: (string | undefined)[] = [];
    const url = await serveTls((request, response) => {
      paths.push(request.url);
      response.end('created');
    });
    const proxy = await openProxy();
    const client = clientOf(url, proxy.url);

    const answers = [await client.request(post), await client.request(post)];

    expect(answers.map(({ status, body }) => [status, body])).toEqual([
      [200, 'created'],
      [200, 'created'],
    ]);
    expect(paths).toEqual([post.path, post.path]);
    expect([proxy.tunnels, proxy.others]).toEqual([[new URL(url).host], []]);
    expect(proxy.passed().length).toBeGreaterThan(100);
    expect(proxy.passed()).not.toMatch(/hunter2|orders/);
  });

  test('the other side gets our client certificate', async () => {
    const url = await serveTls((_request, response) => response.end('{}'), {
      requestCert: true,
      rejectUnauthorized: true,
      ca: authority.certificate,
    });
    const proxy = await openProxy();
    const own = authority.issue({ name: 'interface' });

    const response = await clientOf(url, proxy.url, { tls: { ...tls, ...own } }).request(post);

    expect(response.status).toBe(200);
    expect(proxy.others).toEqual([]);
  });

  test('a call without an answer counts as sent: in the first request of a tunnel, and in a later one', async () => {
    const url = await serveTls(({ method }, response) => (method === 'GET' ? response.end() : undefined));
    const proxy = await openProxy();
    const client = clientOf(url, proxy.url, { timeoutMs: 3000 });

    expect(await failureOf(client.request(post))).toMatchObject({ sent: true, code: 'TIMEOUT' });
    await client.request({ method: 'GET', path: '/' });
    expect(await failureOf(client.request(post))).toMatchObject({ sent: true, code: 'TIMEOUT' });
  });

  test('a connection that breaks after the call was written counts as sent', async () => {
    const url = await serveTls(({ socket }) => socket.destroy());
    const { url: proxyUrl } = await openProxy();

    expect(await failureOf(clientOf(url, proxyUrl).request(post))).toMatchObject({ sent: true });
  });

  test.each<ProxyBehaviour>([403, 407, 'hang up'])(
    'a call was certainly not sent where the proxy answers %s',
    async (behaviour) => {
      const calls: unknown[] = [];
      const url = await serveTls((request, response) => {
        calls.push(request.url);
        response.end();
      });
      const { url: proxyUrl } = await openProxy(behaviour);

      const error = await failureOf(clientOf(url, proxyUrl).request(post));

      expect(error).toMatchObject({ sent: false });
      expect(error.message).not.toContain('hunter2');
      expect(calls).toEqual([]);
    },
  );

  test('a call was certainly not sent where the proxy is down', async () => {
    const url = await serveTls((_, response) => response.end());
    const proxy = await startRefusingHost();

    expect(await failureOf(clientOf(url, proxy.url('http')).request(post))).toMatchObject({
      sent: false,
      code: 'ECONNREFUSED',
    });
  });

  test('a call was certainly not sent where the other side refuses the connection of the proxy', async () => {
    const target = await startRefusingHost();
    const { url: proxyUrl } = await openProxy();

    expect(await failureOf(clientOf(target.url('https'), proxyUrl).request(post))).toMatchObject({ sent: false });
  });

  test.each(['the proxy', 'the other side'])(
    'a call was certainly not sent where %s hangs, and ends before its whole time',
    async (who) => {
      const silent = await startSilentHost();
      closing.push(() => silent.close());
      const proxy = await openProxy(who === 'the proxy' ? 'hang' : 'tunnel');
      const startedMs = performance.now();

      const error = await failureOf(clientOf(silent.url('https'), proxy.url, { timeoutMs: 3000 }).request(post));

      expect(error).toMatchObject({ sent: false, code: 'TIMEOUT' });
      expect(performance.now() - startedMs).toBeLessThan(2900);
    },
  );

  test('a call was certainly not sent where the other side has no trusted certificate', async () => {
    const url = await serveTls((_, response) => response.end());
    const { url: proxyUrl } = await openProxy();
    const stranger = { authority: createCertificateAuthority('Another').certificate };

    expect(await failureOf(clientOf(url, proxyUrl, { tls: stranger }).request(post))).toMatchObject({ sent: false });
  });

  test('plain http, which is for loopback, goes directly', async () => {
    const proxy = await openProxy();
    const target = await openProxy();

    expect(await clientOf(target.url, proxy.url).request(post)).toMatchObject({ status: 405 });

    expect([proxy.tunnels, proxy.others]).toEqual([[], []]);
    expect(target.others).toEqual([post.path]);
  });
});
