/**
 * The OAuth client, against a token endpoint and an API on loopback: when it fetches a token, and its errors without
 * one.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { text } from 'node:stream/consumers';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ClientAuthentication } from '../../../shared/client-authentication.ts';
import { type ConnectionSecret, SecretUnusable } from '../../../shared/connection-secret.ts';
import { InterfaceError } from '../../../shared/failure.ts';
import { type HttpClient, HttpError } from '../../../shared/http-client.ts';
import { createOAuthClient } from '../../../shared/oauth-client.ts';
import type { ClientCheck } from '../../simulators/client-credentials.ts';
import { startVms } from '../../simulators/vms.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

interface TokenAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The content of the secret: JSON, unless it is a text. */
  readonly body?: unknown;
}
interface TokenRequest {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly form: URLSearchParams;
}

const SECRET = 'the-secret-itself';
const PATH = '/orders?x=1';

/** A token endpoint, an API that answers as the test says, and the client that stands before both. */
async function openDesk(
  options: {
    /** The answer to the n-th token request; by default a token of an hour, `token-<n>`. */
    answerToken?: (ordinal: number) => Promise<TokenAnswer | undefined> | TokenAnswer | undefined;
    timeoutMs?: number;
    accepts?: (authorization: string) => boolean;
    readSecret?: () => Promise<ConnectionSecret>;
    scope?: string;
    tokenPath?: string;
  } = {},
) {
  const tokenRequests: TokenRequest[] = [];
  const calls: string[] = [];
  let secretReads = 0;
  let nowMs = Date.parse('2026-11-20T14:00:00Z');
  const tokenServer = await serve((request, response) => {
    const answerTo = async (body: string): Promise<void> => {
      const { method, url, headers } = request;
      tokenRequests.push({ method, path: url, headers, form: new URLSearchParams(body) });
      const ordinal = tokenRequests.length;
      const answer = (await options.answerToken?.(ordinal)) ?? {};
      const content = answer.body ?? { access_token: `token-${ordinal}`, token_type: 'Bearer', expires_in: 3600 };
      response.writeHead(answer.status ?? 200, { 'Content-Type': 'application/json', ...answer.headers });
      response.end(typeof content === 'string' ? content : JSON.stringify(content));
    };
    void text(request).then(answerTo);
  });
  const api = await serve((request, response) => {
    const authorization = request.headers.authorization ?? '';
    calls.push(authorization);
    response.writeHead((options.accepts?.(authorization) ?? true) ? 200 : 401).end('answer');
  });
  const readSecret = options.readSecret ?? (() => Promise.resolve({ clientId: 'id', clientSecret: SECRET }));
  const tokenUrl = tokenServer + (options.tokenPath ?? '/oauth/token');
  const client = createOAuthClient({
    secretName: 'the/secret',
    system: '11VMS',
    section: 'vms',
    clientAuthentication: 'basic',
    http: { baseUrl: api, timeoutMs: options.timeoutMs ?? 5000, maximumResponseBytes: 10_000 },
    tokenUrl,
    scope: options.scope ?? 'orders.write',
    readSecret: () => {
      secretReads++;
      return readSecret();
    },
    faults: { refused: 'E_TGT_AUTH', unavailable: 'E_TGT_UNAVAILABLE' },
    now: () => nowMs,
  });
  return {
    client,
    tokenUrl,
    tokenRequests,
    /** The Authorization header of each call to the API. */
    calls,
    secretReads: () => secretReads,
    pass: (seconds: number): void => {
      nowMs += seconds * 1000;
    },
  };
}

const call = (client: HttpClient) => client.request({ method: 'GET', path: PATH });
const statuses = async (client: HttpClient, times: number) => {
  const answers = await Promise.all(Array.from({ length: times }, () => call(client)));
  return answers.map(({ status }) => status);
};

async function failureOf(client: HttpClient, answer = call(client)): Promise<InterfaceError> {
  const error: unknown = await answer.then(
    ({ status }) => new Error(`was answered ${status}`),
    (error: unknown) => error,
  );
  if (!(error instanceof InterfaceError)) throw error;
  const texts = [error.message, error.stack, JSON.stringify(error), inspect(error, { depth: 10 })].join('\n');
  expect(texts).not.toContain(SECRET);
  expect(texts).not.toContain(Buffer.from(`id:${SECRET}`).toString('base64'));
  expect(texts).not.toMatch(/authorization|basic /i);
  return error;
}

describe('a token that is fetched ahead', () => {
  test('is there for the first call, which waits for it and its secret', async () => {
    const { client, tokenRequests, calls, secretReads } = await openDesk();

    client.warmUp();
    expect(await statuses(client, 5)).toEqual([200, 200, 200, 200, 200]);

    expect({ tokens: tokenRequests.length, secrets: secretReads() }).toEqual({ tokens: 1, secrets: 1 });
    expect(new Set(calls)).toEqual(new Set(['Bearer token-1']));
  });

  test('is fetched even when no call follows', async () => {
    const { client, tokenRequests } = await openDesk();

    client.warmUp();
    for (let wait = 0; wait < 500 && tokenRequests.length === 0; wait++) await sleep(10);

    expect(tokenRequests).toHaveLength(1);
  });

  test('that failed is fetched again by the first call', async () => {
    const { client, calls } = await openDesk({ answerToken: (ordinal) => (ordinal === 1 ? { status: 503 } : {}) });

    client.warmUp();
    expect(await statuses(client, 1)).toEqual([200]);

    expect(calls).toEqual(['Bearer token-2']);
  });

  test('that fails again then is an error of the first call, and causes no unhandled rejection', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => {
      unhandled.push(reason);
    };
    process.on('unhandledRejection', note);
    try {
      let reads = 0;
      const { client } = await openDesk({
        readSecret: () => Promise.reject(new Error(`Secrets Manager is down (${(reads += 1)})`)),
      });

      client.warmUp();
      await setImmediate();
      const { failureClass, fault } = await failureOf(client);

      expect(reads).toBe(2);
      expect({ failureClass, code: fault.code }).toEqual({ failureClass: 'transient', code: 'E_TGT_UNAVAILABLE' });
      await setImmediate();
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });
});

describe('one token for all calls', () => {
  test('serves 20 calls at once, and reads the secret once', async () => {
    const { client, tokenRequests, calls, secretReads } = await openDesk();

    expect(new Set(await statuses(client, 20))).toEqual(new Set([200]));

    expect(tokenRequests).toHaveLength(1);
    expect(secretReads()).toBe(1);
    expect(calls).toEqual(Array.from({ length: 20 }, () => 'Bearer token-1'));
  });

  test('is kept until its expiry less 60 s, and renewed then', async () => {
    const { client, tokenRequests, calls, pass } = await openDesk();

    await call(client);
    pass(3600 - 61);
    await call(client);
    expect(tokenRequests).toHaveLength(1);
    pass(1);
    await statuses(client, 5);

    expect(tokenRequests).toHaveLength(2);
    expect(calls.slice(0, 2)).toEqual(['Bearer token-1', 'Bearer token-1']);
    expect(new Set(calls.slice(2))).toEqual(new Set(['Bearer token-2']));
  });

  test('is renewed without reading the secret again', async () => {
    const { client, secretReads, pass } = await openDesk();

    await call(client);
    pass(3600);
    await call(client);

    expect(secretReads()).toBe(1);
  });

  test.each([10, 60, 90])('of %i s is usable for at least half its life, and not beyond it', async (seconds) => {
    const { client, tokenRequests, pass } = await openDesk({
      answerToken: (ordinal) => ({ body: { access_token: `token-${ordinal}`, expires_in: seconds } }),
    });

    await statuses(client, 5);
    pass(seconds / 2 - 1);
    await call(client);
    expect(tokenRequests).toHaveLength(1);
    pass(seconds / 2 + 1);
    await call(client);
    expect(tokenRequests).toHaveLength(2);
  });

  test.each([
    ['as text', { access_token: 'token-1', expires_in: '3600' }, 3000],
    ['left out', { access_token: 'token-1' }, 200],
  ])('is accepted with its lifetime %s', async (_what, body, seconds) => {
    const { client, tokenRequests, pass } = await openDesk({ answerToken: () => ({ body }) });

    await call(client);
    pass(seconds);
    await call(client);

    expect(tokenRequests).toHaveLength(1);
  });

  test('is fetched again by the next call after a failure', async () => {
    const { client, tokenRequests } = await openDesk({
      answerToken: (ordinal) => (ordinal === 1 ? { status: 503, body: '' } : undefined),
    });

    const failed = await Promise.allSettled(Array.from({ length: 20 }, () => call(client)));
    expect(new Set(failed.map(({ status }) => status))).toEqual(new Set(['rejected']));
    expect(tokenRequests).toHaveLength(1);

    expect(await call(client)).toMatchObject({ status: 200 });
    expect(tokenRequests).toHaveLength(2);
  });
});

describe('the token request', () => {
  test('is a form with the grant and the scope, authorized by Basic', async () => {
    const { client, tokenRequests } = await openDesk({ scope: 'a b', tokenPath: '/realm/token?tenant=7' });

    await call(client);

    const [request] = tokenRequests;
    expect(request).toMatchObject({
      method: 'POST',
      path: '/realm/token?tenant=7',
      headers: {
        authorization: `Basic ${Buffer.from(`id:${SECRET}`).toString('base64')}`,
        'x-cf-encoded-credentials': 'true',
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
      },
    });
    expect([...(request?.form ?? [])]).toEqual([
      ['grant_type', 'client_credentials'],
      ['scope', 'a b'],
    ]);
  });

  test('has no scope where the environment names none', async () => {
    const { client, tokenRequests } = await openDesk({ scope: '' });

    await call(client);

    expect([...(tokenRequests[0]?.form.keys() ?? [])]).toEqual(['grant_type']);
  });

  test('form-encodes both halves of the Basic pair (RFC 6749, 2.3.1): a colon in the id does not split them', async () => {
    const credentials = { clientId: 'a:b c', clientSecret: 'ü%+&=/:"\\ *!' };
    const { client, tokenRequests } = await openDesk({ readSecret: () => Promise.resolve(credentials) });

    await call(client);

    const basic = tokenRequests[0]?.headers.authorization?.replace('Basic ', '') ?? '';
    const pair = Buffer.from(basic, 'base64').toString();
    // As a server decodes it: split at the only colon, then each half as a form's value.
    expect(pair.match(/:/g)).toHaveLength(1);
    const [clientId, clientSecret] = pair.split(':').map((half) => new URLSearchParams(`v=${half}`).get('v'));
    expect({ clientId, clientSecret }).toEqual(credentials);
  });
});

describe('a call that is refused (401)', () => {
  test('renews the token once, with a secret that is read again, and is repeated unchanged', async () => {
    const { client, tokenRequests, calls, secretReads } = await openDesk({
      accepts: (authorization) => authorization === 'Bearer token-2',
    });

    expect(await call(client)).toMatchObject({ status: 200 });

    expect(calls).toEqual(['Bearer token-1', 'Bearer token-2']);
    expect(tokenRequests).toHaveLength(2);
    expect(secretReads()).toBe(2);
  });

  test('renews it once for all of 20 calls that are refused at once', async () => {
    let good = 'Bearer token-1';
    const { client, tokenRequests, calls, secretReads } = await openDesk({
      accepts: (authorization) => authorization === good,
    });
    await call(client);
    good = 'Bearer token-2';

    expect(new Set(await statuses(client, 20))).toEqual(new Set([200]));

    expect(tokenRequests).toHaveLength(2);
    expect(secretReads()).toBe(2);
    expect(calls.filter((authorization) => authorization === 'Bearer token-2')).toHaveLength(20);
  });

  test('late does not renew a token that was renewed meanwhile', async () => {
    // The first call's refusal is held back until another call has renewed the token.
    let refuseLate: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      refuseLate = resolve;
    });
    const seen: string[] = [];
    const api = await serve((request, response) => {
      const authorization = request.headers.authorization ?? '';
      seen.push(authorization);
      const answer = (): void => {
        response.writeHead(authorization === 'Bearer token-2' ? 200 : 401).end();
      };
      if (seen.length === 1) void held.then(answer);
      else answer();
    });
    let tokens = 0;
    const tokenServer = await serve((_request, response) => {
      tokens++;
      response.end(JSON.stringify({ access_token: `token-${tokens}`, expires_in: 3600 }));
    });
    const client = createOAuthClient({
      secretName: 'the/secret',
      system: '11VMS',
      section: 'vms',
      clientAuthentication: 'basic',
      http: { baseUrl: api, timeoutMs: 5000, maximumResponseBytes: 10_000 },
      tokenUrl: `${tokenServer}/token`,
      scope: '',
      readSecret: () => Promise.resolve({ clientId: 'id', clientSecret: SECRET }),
      faults: { refused: 'E_TGT_AUTH', unavailable: 'E_TGT_UNAVAILABLE' },
      now: () => 0,
    });

    const late = call(client);
    while (seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await call(client)).toMatchObject({ status: 200 });
    refuseLate();

    expect(await late).toMatchObject({ status: 200 });
    expect(tokens).toBe(2);
  });

  test('and is refused again returns the second 401 to the caller, with no third attempt', async () => {
    const { client, tokenRequests, calls } = await openDesk({ accepts: () => false });

    expect(await call(client)).toMatchObject({ status: 401, body: 'answer' });

    expect(calls).toEqual(['Bearer token-1', 'Bearer token-2']);
    expect(tokenRequests).toHaveLength(2);
  });

  test('among 20 at once, all refused twice, causes one renewal and 20 times 401', async () => {
    const { client, tokenRequests, calls } = await openDesk({ accepts: () => false });

    expect(await statuses(client, 20)).toEqual(Array.from({ length: 20 }, () => 401));

    expect(tokenRequests).toHaveLength(2);
    expect(calls).toHaveLength(40);
  });

  test('with 403 instead renews no token, since the client lacks a right', async () => {
    const api = await serve((_request, response) => response.writeHead(403).end());
    let tokens = 0;
    const tokenServer = await serve((_request, response) => {
      tokens++;
      response.end(JSON.stringify({ access_token: 'token', expires_in: 3600 }));
    });
    const client = createOAuthClient({
      secretName: 'the/secret',
      system: 'SRM',
      section: 'srm',
      clientAuthentication: 'basic',
      http: { baseUrl: api, timeoutMs: 5000, maximumResponseBytes: 10_000 },
      tokenUrl: `${tokenServer}/token`,
      scope: '',
      readSecret: () => Promise.resolve({ clientId: 'id', clientSecret: SECRET }),
      faults: { refused: 'E_SRC_AUTH', unavailable: 'E_SRC_UNAVAILABLE' },
      now: () => 0,
    });

    expect(await call(client)).toMatchObject({ status: 403 });
    expect(tokens).toBe(1);
  });

  test('by the simulator of 11VMS, which revoked the token, gets a new one, too', async () => {
    const vms = await startVms();
    closing.push(() => vms.close());
    const client = createOAuthClient({
      secretName: 'the/secret',
      system: '11VMS',
      section: 'vms',
      clientAuthentication: 'basic',
      http: { baseUrl: vms.baseUrl, timeoutMs: 5000, maximumResponseBytes: 100_000 },
      tokenUrl: vms.tokenUrl,
      scope: '',
      readSecret: () => Promise.resolve({ clientId: vms.clientId, clientSecret: vms.clientSecret }),
      faults: { refused: 'E_TGT_AUTH', unavailable: 'E_TGT_UNAVAILABLE' },
      now: Date.now,
    });
    const lookUp = () =>
      client.request({
        method: 'GET',
        path: '/purchase-orders?externalId=SRM7-100-1-1-EUR-BE10',
        headers: {
          Accept: 'application/json',
          'X-Correlation-ID': 'c',
          'X-Interface-ID': 'PROC-SRM7-11VMS-PURCHASE-ORDER-V1',
        },
      });
    await lookUp();
    vms.revokeTokens();

    expect((await lookUp()).status).not.toBe(401);
    expect(vms.traffic().requests.token).toBe(2);
  });
});

describe('a client with an odd id or secret', () => {
  const ODD = 'a|$=+/%41 :~ü';
  const WAYS: readonly [ClientAuthentication, ClientCheck][] = [
    ['basic', 'basic'],
    ['basic', 'basic-when-marked'],
    ['basic-unencoded', 'basic-unencoded'],
    ['body', 'body'],
  ];

  async function statusOf(clientAuthentication: ClientAuthentication, clientCheck: ClientCheck, credentials = {}) {
    const vms = await startVms({ clientCheck, clientId: 'id', clientSecret: ODD, ...credentials });
    closing.push(() => vms.close());
    const client = createOAuthClient({
      secretName: 'the/secret',
      system: '11VMS',
      section: 'vms',
      clientAuthentication,
      http: { baseUrl: vms.baseUrl, timeoutMs: 5000, maximumResponseBytes: 100_000 },
      tokenUrl: vms.tokenUrl,
      scope: '',
      readSecret: () => Promise.resolve({ clientId: vms.clientId, clientSecret: vms.clientSecret }),
      faults: { refused: 'E_TGT_AUTH', unavailable: 'E_TGT_UNAVAILABLE' },
      now: Date.now,
    });
    return client.request({ method: 'GET', path: '/' }).then(
      ({ status }) => status,
      (error: unknown) => {
        if (error instanceof InterfaceError) return error.message;
        throw error;
      },
    );
  }

  test.each(WAYS)('gets a token with "%s" where the server takes "%s"', async (way, check) => {
    for (const sign of ['|', '$', '=', '+', '/', '%', '%41', ':', ' ', '~', 'ü', ODD]) {
      // HTTP Basic without encoding cannot carry a colon in the id (RFC 7617).
      const clientId = way === 'basic-unencoded' ? `id${sign.replaceAll(':', '')}` : `id${sign}`;
      expect([sign, await statusOf(way, check, { clientId, clientSecret: `s${sign}s` })]).toEqual([sign, 404]);
    }
  });

  const all = ['basic', 'basic-unencoded', 'body'] as const;
  test.each(
    all
      .flatMap((way) => [...all, 'basic-when-marked' as const].map((check) => [way, check] as const))
      .filter(([way, check]) => !WAYS.some(([right, taken]) => right === way && taken === check))
      // Unencoded is right, too, where nothing is decoded.
      .filter(([way, check]) => way !== 'basic-unencoded' || check !== 'basic-when-marked'),
  )('is refused with "%s" where the server takes "%s": the error names the setting', async (way, check) => {
    expect(await statusOf(way, check)).toMatch(
      /answered 401; check clientId and clientSecret in the secret the\/secret, and the settings clientAuthentication, scope and tokenParameters of vms$/,
    );
  });
});

describe('a call with a latest instant of sending', () => {
  const START = Date.parse('2026-11-20T14:00:00Z');
  const callBy = (client: HttpClient, sendByMs: number) => client.request({ method: 'GET', path: PATH, sendByMs });
  const late = { name: 'HttpError', sent: false, code: 'DEADLINE' };

  test('is not sent when the token came too late', async () => {
    const desk = await openDesk({
      answerToken() {
        desk.pass(60);
        return {};
      },
    });

    await expect(callBy(desk.client, START + 59_000)).rejects.toMatchObject(late);

    expect(desk.calls).toEqual([]);
    expect(await callBy(desk.client, START + 60_000)).toMatchObject({ status: 200 });
    expect(desk.tokenRequests).toHaveLength(1);
  });

  test('is not repeated after a 401 that came too late', async () => {
    const desk = await openDesk({
      accepts() {
        desk.pass(60);
        return false;
      },
    });

    await expect(callBy(desk.client, START + 59_000)).rejects.toMatchObject(late);

    expect(desk.calls).toEqual(['Bearer token-1']);
  });

  test('waits for a silent token endpoint until then: the failure is transient, and others go on waiting', async () => {
    const [asked, goOn] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    const { client, tokenUrl, tokenRequests, calls } = await openDesk({
      async answerToken() {
        asked.resolve(undefined);
        await goOn.promise;
        return {};
      },
    });
    const patient = call(client);
    await asked.promise;

    // A call that is late itself shows nothing of the token endpoint.
    await expect(callBy(client, START + 20)).rejects.toMatchObject(late);
    const error = await failureOf(client, callBy(client, START + 1000));

    expect(error).toMatchObject({ failureClass: 'transient', fault: { code: 'E_TGT_UNAVAILABLE' } });
    expect(error.fault.message).toBe(`11VMS token endpoint ${tokenUrl} did not answer in time`);
    expect(calls).toEqual([]);
    goOn.resolve(undefined);
    expect(await patient).toMatchObject({ status: 200 });
    expect(tokenRequests).toHaveLength(1);
  });

  test('waits for a silent Secrets Manager until then, also where it was asked ahead', async () => {
    const secret = Promise.withResolvers<ConnectionSecret>();
    const { client, calls } = await openDesk({ readSecret: () => secret.promise });
    client.warmUp();

    const error = await failureOf(client, callBy(client, START + 1000));

    expect(error).toMatchObject({ failureClass: 'transient', fault: { code: 'E_TGT_UNAVAILABLE' } });
    expect(error.fault.message).toBe('Secrets Manager did not give the secret of 11VMS in time');
    secret.resolve({ clientId: 'id', clientSecret: SECRET });
    expect(await call(client)).toMatchObject({ status: 200 });
    expect(calls).toHaveLength(1);
  });
});

describe('a secret that was rotated', () => {
  test('since it was read is read again once, when the token endpoint refuses the old one', async () => {
    const old = { clientId: 'id', clientSecret: `${SECRET}-old` };
    const secrets = [old, { clientId: 'id', clientSecret: SECRET }];
    const good = `Basic ${Buffer.from(`id:${SECRET}`).toString('base64')}`;
    const desk = await openDesk({
      readSecret: () => Promise.resolve(secrets.shift() ?? old),
      answerToken: (ordinal) => (ordinal === 2 ? { status: 401, body: { error: 'invalid_client' } } : undefined),
    });
    await call(desk.client);
    desk.pass(3600);

    expect(new Set(await statuses(desk.client, 20))).toEqual(new Set([200]));

    expect(desk.secretReads()).toBe(2);
    expect(desk.tokenRequests).toHaveLength(3);
    expect(desk.tokenRequests[1]?.headers.authorization).not.toBe(good);
    expect(desk.tokenRequests[2]?.headers.authorization).toBe(good);
  });

  test('and is refused again is an error after one more attempt', async () => {
    const desk = await openDesk({
      answerToken: (ordinal) => (ordinal > 1 ? { status: 401, body: { error: 'invalid_client' } } : undefined),
    });
    await call(desk.client);
    desk.pass(3600);

    expect(await failureOf(desk.client)).toMatchObject({ failureClass: 'refused', fault: { code: 'E_TGT_AUTH' } });
    expect(desk.secretReads()).toBe(2);
    expect(desk.tokenRequests).toHaveLength(3);
  });

  test('just before the first call was read only then, and is not tried twice', async () => {
    const desk = await openDesk({ answerToken: () => ({ status: 401, body: { error: 'invalid_client' } }) });

    await failureOf(desk.client);

    expect(desk.secretReads()).toBe(1);
    expect(desk.tokenRequests).toHaveLength(1);
  });
});

describe('a token is taken', () => {
  test.each([
    ['of an answer 201', { status: 201 }, 3600],
    ['without a lifetime, for 300 s', { body: { access_token: 'token-1' } }, 300],
    ['with the lifetime null, for 300 s', { body: { access_token: 'token-1', expires_in: null } }, 300],
    ['with an empty lifetime, for 300 s', { body: { access_token: 'token-1', expires_in: '' } }, 300],
    ['with a lifetime as text', { body: { access_token: 'token-1', expires_in: '1800' } }, 1800],
    ['with the type null', { body: { access_token: 'token-1', token_type: null, expires_in: 3600 } }, 3600],
    ['with an empty type', { body: { access_token: 'token-1', token_type: '', expires_in: 3600 } }, 3600],
    ['with the type in capitals', { body: { access_token: 'token-1', token_type: 'BEARER', expires_in: 3600 } }, 3600],
  ])('%s', async (_what, answer, lifetimeSeconds) => {
    const { client, calls, tokenRequests, pass } = await openDesk({ answerToken: () => answer });

    expect(await call(client)).toMatchObject({ status: 200 });
    pass(lifetimeSeconds - 61);
    await call(client);
    expect(tokenRequests).toHaveLength(1);
    pass(1);
    await call(client);

    expect(tokenRequests).toHaveLength(2);
    expect(calls[0]).toBe('Bearer token-1');
  });
});

describe('without a token', () => {
  test('within the time limit of a call the failure is transient', async () => {
    const { client, tokenUrl } = await openDesk({ timeoutMs: 200, answerToken: () => new Promise(() => undefined) });

    const error = await failureOf(client);

    expect(error).toMatchObject({ failureClass: 'transient', fault: { code: 'E_TGT_UNAVAILABLE' } });
    expect(error.fault.message).toBe(`11VMS token endpoint ${tokenUrl} cannot be reached (TIMEOUT)`);
  });

  test.each([
    [500, undefined, undefined],
    [502, undefined, undefined],
    [503, '20', 20_000],
    [429, '7', 7000],
    [429, 'Fri, 20 Nov 2026 14:00:30 GMT', 30_000],
    [408, undefined, undefined],
  ])('after %i (Retry-After %s) the failure is transient', async (status, retryAfter, retryAfterMs) => {
    const headers = retryAfter === undefined ? {} : { 'Retry-After': retryAfter };
    const { client, tokenUrl } = await openDesk({ answerToken: () => ({ status, headers, body: 'sorry' }) });

    const error = await failureOf(client);

    expect(error).toMatchObject({ failureClass: 'transient', fault: { code: 'E_TGT_UNAVAILABLE' }, retryAfterMs });
    expect(error.fault.message).toBe(`11VMS token endpoint ${tokenUrl} answered ${status}`);
  });

  test.each([400, 401, 403, 404, 302])('after %i the failure is a refusal', async (status) => {
    const { client, tokenUrl } = await openDesk({
      answerToken: () => ({ status, headers: { Location: 'http://127.0.0.1:9/' }, body: { error: 'invalid_client' } }),
    });

    const error = await failureOf(client);

    expect(error).toMatchObject({ failureClass: 'refused', fault: { code: 'E_TGT_AUTH' } });
    const suspects =
      status >= 400 && status < 404
        ? 'clientId and clientSecret in the secret the/secret, and the settings clientAuthentication, scope and tokenParameters of vms'
        : 'the setting vms.tokenUrl';
    const { host, pathname } = new URL(tokenUrl);
    const answered = status === 302 ? `302 with a redirect from ${host}${pathname} to 127.0.0.1:9` : String(status);
    expect(error.fault.message).toBe(`11VMS token endpoint ${tokenUrl} answered ${answered}; check ${suspects}`);
  });

  test.each([400, 401, 500, 200])('an endpoint that echoes the secret (%i) is not quoted', async (status) => {
    const { client } = await openDesk({
      answerToken: () => ({
        status,
        body: {
          error: 'invalid_client',
          error_description: `id ${SECRET} is wrong, Basic ${Buffer.from(`id:${SECRET}`).toString('base64')}`,
        },
      }),
    });

    // failureOf searches for the secret.
    expect((await failureOf(client)).fault.message).not.toContain('is wrong');
  });

  test.each<[string, string | object, string?]>([
    ['not JSON', `{"access_token": "${SECRET}`],
    ['no body', ''],
    ['a JSON that is no object', `["${SECRET}"]`],
    ['null', 'null'],
    ['no access_token', { token_type: 'Bearer', expires_in: 3600 }],
    ['an empty access_token', { access_token: '', expires_in: 3600 }],
    ['an access_token that is no text', { access_token: 7, expires_in: 3600 }],
    ['an access_token that would break the header', { access_token: `${SECRET}\r\nX-Evil: 1`, expires_in: 3600 }],
    ['an access_token beyond ASCII', { access_token: `${SECRET}é`, expires_in: 3600 }],
    ['a lifetime that is over', { access_token: SECRET, expires_in: 0 }, 'expires_in'],
    ['an invalid lifetime', { access_token: SECRET, expires_in: 'soon' }, 'expires_in'],
    ['a token of another type', { access_token: SECRET, token_type: SECRET, expires_in: 60 }, 'token_type'],
  ])(
    'after 200 with %s the failure is transient, and names what is missing',
    async (_what, body, member = 'access_token') => {
      const { client, tokenUrl, calls } = await openDesk({ answerToken: () => ({ body }) });

      const error = await failureOf(client);

      expect(error).toMatchObject({ failureClass: 'transient', fault: { code: 'E_TGT_UNAVAILABLE' } });
      expect(error.fault.message).toBe(`11VMS token endpoint ${tokenUrl} answered 200 without a usable ${member}`);
      expect(calls).toEqual([]);
    },
  );

  test('after an oversized answer the failure is transient', async () => {
    const { client } = await openDesk({ answerToken: () => ({ body: 'x'.repeat(200_000) }) });

    expect(await failureOf(client)).toMatchObject({ failureClass: 'transient', fault: { code: 'E_TGT_UNAVAILABLE' } });
  });

  test('of an unreachable token endpoint the failure is transient, with the address and the reason', async () => {
    const port = new URL(await serve(() => undefined)).port;
    for (const close of closing.splice(0)) await close();
    const client = createOAuthClient({
      secretName: 'the/secret',
      system: 'SRM',
      section: 'srm',
      clientAuthentication: 'basic',
      http: { baseUrl: 'http://127.0.0.1:9', timeoutMs: 1000, maximumResponseBytes: 1000 },
      tokenUrl: `http://127.0.0.1:${port}/oauth/token?tenant=7`,
      scope: '',
      readSecret: () => Promise.resolve({ clientId: 'id', clientSecret: SECRET }),
      faults: { refused: 'E_SRC_AUTH', unavailable: 'E_SRC_UNAVAILABLE' },
      now: () => 0,
    });

    const error = await failureOf(client);

    expect(error).toMatchObject({ failureClass: 'transient', fault: { code: 'E_SRC_UNAVAILABLE' } });
    const where = `SRM token endpoint http://127.0.0.1:${port}/oauth/token`;
    expect(error.fault.message).toBe(`${where} cannot be reached (ECONNREFUSED)`);
  });

  test("of a secret that cannot be used the failure is a refusal, in the words of the secret's own error", async () => {
    const { client, tokenRequests } = await openDesk({
      readSecret: () =>
        Promise.reject(
          new SecretUnusable({ name: 'x/11vms', mutualTls: false, privateCa: false, apiKey: false }, 'holds no % yet'),
        ),
    });

    const error = await failureOf(client);

    expect(error).toMatchObject({ failureClass: 'refused', fault: { code: 'E_TGT_AUTH' } });
    expect(error.fault.message).toContain('the secret x/11vms holds no { "clientId", "clientSecret" } yet: write it');
    expect(tokenRequests).toEqual([]);
  });

  test('of a silent Secrets Manager the failure is transient, without its message, and the next call reads again', async () => {
    let reads = 0;
    const { client } = await openDesk({
      readSecret: () => {
        reads++;
        const error = new Error(`said ${SECRET}`);
        error.name = 'ThrottlingException';
        return reads === 1 ? Promise.reject(error) : Promise.resolve({ clientId: 'id', clientSecret: SECRET });
      },
    });

    const error = await failureOf(client);

    expect(error).toMatchObject({ failureClass: 'transient', fault: { code: 'E_TGT_UNAVAILABLE' } });
    expect(error.fault.message).toBe('Secrets Manager did not give the secret of 11VMS (ThrottlingException)');
    expect(await call(client)).toMatchObject({ status: 200 });
  });

  test('a failure of the call itself stays an HttpError', async () => {
    const { tokenUrl } = await openDesk();
    const client = createOAuthClient({
      secretName: 'the/secret',
      system: '11VMS',
      section: 'vms',
      clientAuthentication: 'basic',
      http: { baseUrl: 'http://127.0.0.1:1', timeoutMs: 1000, maximumResponseBytes: 1000 },
      tokenUrl,
      scope: '',
      readSecret: () => Promise.resolve({ clientId: 'id', clientSecret: SECRET }),
      faults: { refused: 'E_TGT_AUTH', unavailable: 'E_TGT_UNAVAILABLE' },
      now: () => 0,
    });

    await expect(call(client)).rejects.toThrow(HttpError);
  });
});
