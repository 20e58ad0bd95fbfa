/** What the simulators answer under the disturbances that compose a status, a body, a moment and a header. */
import { connect } from 'node:net';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import type { Alteration, BodyForm } from '../../simulators/answers.ts';
import type { Disturbance } from '../../simulators/disturbances.ts';
import { startDroppingHost, startRefusingHost, startSilentHost } from '../../simulators/unreachable.ts';
import { startVms, type VmsSimulator } from '../../simulators/vms.ts';

const sample: unknown = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../shared/contract/samples/11vms-purchase-order.json'), 'utf8'),
);
let vms: VmsSimulator;
beforeEach(async () => {
  vms = await startVms();
});
afterEach(() => vms.close());

const tokenRequest = (): Promise<Response> =>
  fetch(vms.tokenUrl, {
    method: 'POST',
    headers: { Authorization: `Basic ${Buffer.from(`${vms.clientId}:${vms.clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });

async function authorized(): Promise<Record<string, string>> {
  const response = await tokenRequest();
  const { access_token: token } = z.object({ access_token: z.string() }).parse(await response.json());
  return {
    Authorization: `Bearer ${token}`,
    'X-Correlation-ID': 'c-1',
    'X-Interface-ID': 'PROC-SRM7-11VMS-PURCHASE-ORDER-V1',
  };
}

async function create(disturbance: Disturbance): Promise<Response> {
  const headers = await authorized();
  vms.setDisturbances(({ operation }) => (operation === 'create' ? disturbance : { kind: 'none' }));
  return fetch(`${vms.baseUrl}/purchase-orders`, {
    method: 'POST',
    headers: {
      ...headers,
      'Content-Type': 'application/json',
      'Idempotency-Key': '"6cf0ff64-21f3-5bd9-bd5e-3c8e8f3eb3bd"',
    },
    body: JSON.stringify(sample),
  });
}

describe('an answer in place of the right one', () => {
  test.each<[BodyForm, number, string]>([
    ['error', 200, '{"error":{"code":"INTERNAL_ERROR","message":"The request could not be processed"}}'],
    ['error-and-id', 200, '{"id":"req-1","error":{"code":"INTERNAL_ERROR"}}'],
    ['errors-and-id', 201, '{"id":"7","errors":[{"code":"X"}]}'],
    ['problem-and-id', 200, '{"id":"req-1","type":"about:blank","title":"Internal Server Error","status":500}'],
    ['words-and-id', 200, '{"id":"req-1","status":"ERROR"}'],
    ['failed-job', 200, '{"id":"job-1","results":[{"status":422,"errors":[{"code":"X"}]}]}'],
    ['gateway-status', 404, '{"statusCode":404,"message":"Resource not found"}'],
    ['gateway-code', 404, '{"code":"ROUTE_NOT_FOUND","message":"no Route matched with those values"}'],
    ['lower-case-code', 409, '{"code":"external_id_exists"}'],
    ['nested-code', 409, '{"error":{"code":"EXTERNAL_ID_EXISTS"}}'],
    ['empty', 201, ''],
  ])('has the form %s with status %i, before and after the commit', async (body, status, text) => {
    for (const afterCommit of [false, true]) {
      const response = await create({ kind: 'status', status, body, afterCommit });
      expect([response.status, await response.text()]).toEqual([status, text]);
      expect(vms.orders()).toHaveLength(afterCommit ? 1 : 0);
    }
  });

  test('is HTML with any status, and says when to come again', async () => {
    for (const status of [200, 400, 404, 405, 409, 502, 503]) {
      const response = await create({ kind: 'status', status, body: 'html', retryAfter: '7' });
      expect([response.status, response.headers.get('content-type')]).toEqual([status, 'text/html; charset=utf-8']);
      expect([response.headers.get('retry-after'), await response.text()]).toEqual([
        '7',
        expect.stringMatching(/^<!DOC/),
      ]);
    }
    expect(vms.orders()).toEqual([]);
  });
});

describe('a right answer, changed on its way', () => {
  test.each<[Alteration, (id: string) => { body: string; location: string | null }]>([
    ['location-only', (id) => ({ body: '', location: `/11VMSProxy_V2/purchase-orders/${id}` })],
    ['absolute-location-only', (id) => ({ body: '', location: `${vms.baseUrl}/purchase-orders/${id}` })],
    ['collection-location-only', () => ({ body: '', location: '/11VMSProxy_V2/purchase-orders' })],
    ['unreadable-location-only', () => ({ body: '', location: 'https://[not-a-host/purchase-orders/' })],
    ['no-body', () => ({ body: '', location: null })],
    [
      'null-errors',
      (id) => ({
        body: '\\{"id":"po_.*"error":null,"errors":\\[\\]\\}',
        location: `/11VMSProxy_V2/purchase-orders/${id}`,
      }),
    ],
  ])('is the 201 of an order with the change %s', async (how, expected) => {
    const response = await create({ kind: 'altered', how });
    const { body, location } = expected(vms.orders()[0]?.id ?? 'no order');
    expect(response.status).toBe(201);
    expect(await response.text()).toMatch(new RegExp(`^${body}$`));
    expect(response.headers.get('location')).toBe(location);
  });

  test.each<[Disturbance, number, object]>([
    [{ kind: 'altered', how: 'no-change', status: 201 }, 201, { token_type: 'Bearer', expires_in: 3600 }],
    [{ kind: 'altered', how: 'null-lifetime' }, 200, { token_type: null, expires_in: null }],
    [{ kind: 'altered', how: 'empty-lifetime' }, 200, { token_type: 'Bearer', expires_in: '' }],
  ])('is a token: %j', async (disturbance, status, members) => {
    vms.setDisturbances(() => disturbance);
    const response = await tokenRequest();
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({
      access_token: expect.stringMatching(/^11vms-token-[0-9a-f-]{36}$/),
      ...members,
    });
  });
});

describe('a host that no request reaches', () => {
  const outcome = async (port: number): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect', { signal: AbortSignal.timeout(2000) });
      return 'connected';
    } catch (error) {
      return z.object({ code: z.string() }).parse(error).code;
    } finally {
      socket.destroy();
    }
  };

  test.each([
    ['refuses', startRefusingHost, 'ECONNREFUSED'],
    ['drops', startDroppingHost, 'ABORT_ERR'],
    ['takes, and stays silent to,', startSilentHost, 'connected'],
  ] as const)('%s a connect', async (_does, start, expected) => {
    const host = await start();
    const found = await outcome(host.port).finally(() => host.close());
    expect(found).toBe(expected);
  });
});
