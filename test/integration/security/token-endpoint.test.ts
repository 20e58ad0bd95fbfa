/**
 * A token endpoint that echoes the secret, poisons the token or redirects, and an 11VMS that redirects: the secret and
 * the token go only to their own systems, and stand in no log line, no error and no ledger item.
 * (How each answer is judged: ../http/oauth-client.test.ts.)
 */
import type { RequestListener } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { envelope, newCart, openWorkerFixture, type WorkerFixture } from '../create/worker-fixture.ts';
import { type LoopbackServer, serve } from './loopback.ts';

const STATUSES = [301, 302, 303, 307, 308];

let fixture: WorkerFixture;
/** Answers like 11VMS, and must never be called. */
let foreigner: LoopbackServer;
let secret: string;
beforeAll(async () => {
  fixture = await openWorkerFixture();
  foreigner = await serve((_request, response) => response.writeHead(201).end('{"id":"po_1","number":"1"}'));
  secret = fixture.vms.clientSecret;
});
beforeEach(() => {
  fixture.calm();
  fixture.takeOutput();
});
afterAll(async () => {
  await foreigner.close();
  await fixture.close();
});

/** Everything that was written since the last call: output, and the whole table. */
async function kept(): Promise<string> {
  const shown = [...fixture.takeOutput(), JSON.stringify(await fixture.wholeTable())].join('\n');
  // The header as a whole and the secret in it, in every encoding.
  const basic = Buffer.from(`${fixture.vms.clientId}:${secret}`).toString('base64');
  for (const spelling of [secret, basic, basicOf(secret), Buffer.from(secret).toString('base64'), 'Bearer ', 'Basic '])
    expect(shown).not.toContain(spelling);
  return shown;
}

/** Processes a cart with this token endpoint; returns which calls each system got, and what failed. */
async function throughEndpoint(answer: (secret: string) => RequestListener) {
  const desk = await serve((request, response) => {
    request.resume().once('end', () => answer(secret)(request, response));
  });
  const api = await serve((_request, response) => response.writeHead(500).end());
  const worker = await fixture.worker({ VMS_TOKEN_URL: `${desk.url}/oauth/token`, VMS_BASE_URL: api.url });
  const [messageId = ''] = await worker.send(envelope(newCart()));
  expect((await worker.deliver()).failed).toEqual([messageId]);
  await Promise.all([desk.close(), api.close()]);
  return { desk, api };
}

const json =
  (status: number, body: (secret: string) => unknown, headers: Record<string, string> = {}) =>
  (echoed: string): RequestListener =>
  (_request, response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body(echoed)));

const basicOf = (echoed: string): string => Buffer.from(`id:${echoed}`).toString('base64');

describe('a token endpoint that', () => {
  test.each<[string, (secret: string) => RequestListener]>([
    ['echoes the secret as its error', json(400, (echoed) => ({ error: echoed }))],
    ['echoes it in error_description', json(401, (e) => ({ error: 'x', error_description: `${e} ${basicOf(e)}` }))],
    ['echoes it in an error of its own', json(500, (echoed) => ({ stack: `at login(${echoed})` }))],
    [
      'echoes it in headers',
      (echoed) => (_request, response) =>
        response
          .writeHead(401, { 'www-authenticate': `Basic realm="${echoed}"`, 'retry-after': echoed, 'x-echo': echoed })
          .end(),
    ],
    ['echoes it in the status line', (echoed) => (_request, response) => response.writeHead(400, echoed).end()],
    ['echoes it in HTML', (echoed) => (_request, response) => response.writeHead(200).end(`<p>${echoed}</p>`)],
    ['gives a token with a line break', json(200, (echoed) => ({ access_token: `${echoed}\r\nX-Evil: 1` }))],
    ['gives a token with a line feed', json(200, (echoed) => ({ access_token: `${echoed}\nX-Evil: 1` }))],
    ['gives a token with a NUL', json(200, (echoed) => ({ access_token: `${echoed}\0` }))],
    ['gives a token with a blank', json(200, (echoed) => ({ access_token: `${echoed} , Basic x` }))],
    ['gives a token of 1 MB', json(200, () => ({ access_token: 'x'.repeat(1_000_000) }))],
    ['gives a token that is a list', json(200, (echoed) => ({ access_token: [echoed] }))],
    ['gives a token that is an object', json(200, (echoed) => ({ access_token: { toString: echoed } }))],
    [
      'gives a token by __proto__',
      (echoed) => (_request, response) => response.writeHead(200).end(`{"__proto__":{"access_token":"${echoed}"}}`),
    ],
    ['gives a token for another scheme (MAC)', json(200, () => ({ access_token: 'good', token_type: 'mac' }))],
    ['gives a token for another scheme (DPoP)', json(200, () => ({ access_token: 'good', token_type: 'DPoP' }))],
    ['gives a lifetime below zero', json(200, () => ({ access_token: 'good', expires_in: -1 }))],
    ['gives a lifetime that is no number', json(200, () => ({ access_token: 'good', expires_in: 'NaN' }))],
    ['gives a lifetime that is an object', json(200, () => ({ access_token: 'good', expires_in: {} }))],
  ])('%s lets no call through, and nothing of it is written', async (_what, answer) => {
    const { api } = await throughEndpoint(answer);

    expect(api.requests).toEqual([]);
    const lines = await kept();
    expect(lines).toContain('token endpoint');
    expect(lines).not.toMatch(/x{1000}/);
  });

  test.each<[string, (secret: string) => RequestListener]>([
    [
      'echoes the secret beside a good token',
      json(200, (echoed) => ({ access_token: 'good', client_secret: echoed, scope: echoed, error: basicOf(echoed) })),
    ],
    ['gives a lifetime of ages', json(200, () => ({ access_token: 'good', expires_in: 1e300 }))],
    ['gives a lifetime as text', json(200, () => ({ access_token: 'good', expires_in: '60' }))],
    ['writes its type in capitals', json(200, () => ({ access_token: 'good', token_type: 'BEARER' }))],
    ['is an Apigee', json(200, () => ({ access_token: 'good', token_type: 'BearerToken' }))],
    [
      'pollutes',
      () => (_request, response) =>
        response
          .writeHead(200)
          .end('{"access_token":"good","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
    ],
  ])('%s is used like any other, and nothing else of it is written', async (_what, answer) => {
    const { api } = await throughEndpoint(answer);

    expect(new Set(api.requests.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer good']));
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
    await kept();
  });

  test.each(STATUSES)('redirects (%i) is not followed: the secret goes nowhere else', async (status) => {
    const asked = foreigner.requests.length;
    const { desk, api } = await throughEndpoint(
      () => (_request, response) => response.writeHead(status, { location: `${foreigner.url}/oauth/token` }).end(),
    );

    expect(foreigner.requests).toHaveLength(asked);
    expect(api.requests).toEqual([]);
    expect(desk.requests.length).toBeGreaterThan(0);
    await kept();
  });
});

test.each(STATUSES)('an 11VMS that redirects (%i) is not followed: token and order go nowhere else', async (status) => {
  const cart = newCart();
  const own = await serve((_request, response) =>
    response.writeHead(status, { location: `${foreigner.url}/purchase-orders` }).end(),
  );
  const worker = await fixture.worker({ VMS_BASE_URL: own.url });
  const [messageId = ''] = await worker.send(envelope(cart));

  expect((await worker.deliver()).failed).toEqual([messageId]);

  expect(foreigner.requests).toEqual([]);
  // The create and the look-up after it: a redirect proves nothing.
  expect(own.requests).toHaveLength(2);
  expect((await fixture.orderRow(cart))?.state).toBe('UNKNOWN');
  await kept();
  await own.close();
});
