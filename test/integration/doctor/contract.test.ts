/** `npm run doctor -- --contract` against simulators: what differs from the contract is named, and no value is shown. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { ENVIRONMENTS } from '../../../infra/environments.ts';
import { generateCarts } from '../../simulators/carts.ts';
import { type Srm7Simulator, startSrm7 } from '../../simulators/srm7.ts';
import { startVms, type VmsSimulator } from '../../simulators/vms.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const directory = mkdtempSync(join(tmpdir(), 'contract-test-'));
const closing: (() => unknown)[] = [];
afterAll(async () => {
  await Promise.all(closing.map((close) => close()));
  rmSync(directory, { recursive: true, force: true });
});

const samplePage: unknown = JSON.parse(
  readFileSync(join(ROOT, 'shared', 'contract', 'samples', 'srm7-shopping-carts.json'), 'utf8'),
);
const sampleOrder: { readonly externalId: string } = JSON.parse(
  readFileSync(join(ROOT, 'shared', 'contract', 'samples', '11vms-purchase-order.json'), 'utf8'),
);

async function doctor(args: readonly string[], variables: Readonly<Record<string, string>>) {
  const child = spawn(join(ROOT, 'node_modules', '.bin', 'node'), ['infra/doctor/main.ts', '--contract', ...args], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'] ?? '', HOME: directory, AWS_EC2_METADATA_DISABLED: 'true', ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  const ended = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [status] = await ended;
  return { stdout, stderr, status };
}

const reportSchema = z.object({
  fits: z.boolean(),
  reports: z.array(
    z.object({
      what: z.string(),
      findings: z.array(z.object({ status: z.string(), what: z.string(), advice: z.string().optional() })),
      properties: z.array(
        z.object({
          entity: z.string(),
          property: z.string(),
          status: z.string(),
          forms: z.record(z.string(), z.number()),
          advice: z.string().optional(),
        }),
      ),
    }),
  ),
});

function entry(srm: object, vms: object = {}): string {
  const { dev } = ENVIRONMENTS;
  const file = join(directory, `entry-${Math.random()}.json`);
  writeFileSync(file, JSON.stringify({ ...dev, srm: { ...dev?.srm, ...srm }, vms: { ...dev?.vms, ...vms } }));
  return file;
}

/** An SRM that answers every read with one page, and a token. */
async function startPage(page: string, status = 200): Promise<{ readonly srm: object; readonly requests: string[] }> {
  const requests: string[] = [];
  const server: Server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const isToken = request.url === '/token';
    response.writeHead(isToken ? 200 : status, { 'content-type': 'application/json' });
    response.end(isToken ? '{"access_token":"t","token_type":"Bearer","expires_in":600}' : page);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  return { srm: { baseUrl: url, tokenUrl: `${url}/token` }, requests };
}

const CLIENT = { SRM_CLIENT_ID: 'id', SRM_CLIENT_SECRET: 'hunter2' };

describe('against the simulators, which follow the contract', () => {
  let srm: Srm7Simulator;
  let vms: VmsSimulator;
  let variables: Readonly<Record<string, string>>;
  let file: string;
  beforeAll(async () => {
    [srm, vms] = await Promise.all([startSrm7(), startVms()]);
    closing.push(
      () => srm.close(),
      () => vms.close(),
    );
    const to = new Date(Date.now() - 5 * 60 * 60_000);
    const carts = generateCarts({ count: 20, seed: 3, from: new Date(to.getTime() - 3_600_000), to });
    srm.addCarts(carts.map(({ row }) => row));
    variables = {
      SRM_CLIENT_ID: srm.clientId,
      SRM_CLIENT_SECRET: srm.clientSecret,
      VMS_CLIENT_ID: vms.clientId,
      VMS_CLIENT_SECRET: vms.clientSecret,
    };
    file = entry({ baseUrl: srm.url, tokenUrl: srm.tokenUrl }, { baseUrl: vms.baseUrl, tokenUrl: vms.tokenUrl });
    const token = await fetch(vms.tokenUrl, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${vms.clientId}:${vms.clientSecret}`).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: 'grant_type=client_credentials',
    }).then(async (response) => z.object({ access_token: z.string() }).parse(await response.json()));
    const created = await fetch(`${vms.baseUrl}/purchase-orders`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token.access_token}`,
        'content-type': 'application/json; charset=utf-8',
        'idempotency-key': '"11111111-2222-5333-8444-555555555555"',
        'x-correlation-id': 'contract-test',
        'x-interface-id': 'PROC-SRM7-11VMS-PURCHASE-ORDER-V1',
      },
      body: JSON.stringify(sampleOrder),
    });
    if (created.status !== 201) throw new Error(`the sample order was refused: ${await created.text()}`);
  }, 60_000);

  test('an SRM that is read by $top and $skip, as its settings say, has no paging to complain of', async () => {
    const paged = entry({ baseUrl: srm.url, tokenUrl: srm.tokenUrl, paging: 'skip-top', pageSize: 5 });
    const { stdout, status } = await doctor(['--env', paged, '--json'], variables);
    const [report] = reportSchema.parse(JSON.parse(stdout)).reports;

    expect(report?.findings.filter((one) => one.status !== 'ok')).toEqual([]);
    expect(report?.findings.map(({ what }) => what)).toContain(
      '5 of 20 carts came: the next ones are asked for by $skip',
    );
    expect(status).toBe(0);
  });

  test('everything is as expected, and it only reads', async () => {
    const { stdout, status } = await doctor(['--env', file, '--order', sampleOrder.externalId, '--json'], variables);
    const { fits, reports } = reportSchema.parse(JSON.parse(stdout));

    expect({ fits, status }).toEqual({ fits: true, status: 0 });
    expect(reports.flatMap(({ findings }) => findings).filter((one) => one.status !== 'ok')).toEqual([]);
    // The carts of the simulator are odd on purpose.
    const odd = reports.flatMap(({ properties }) => properties).filter(({ status: how }) => how !== 'expected');
    const names = odd.map(({ property, status: how }) => `${how} ${property}`).toSorted();
    expect(names.filter((name) => !name.startsWith('unknown Zz'))).toEqual(['long Language', 'long ObjectId']);
    expect(reports.map(({ properties }) => properties.length > 20)).toEqual([true, true]);
    expect([...srm.requests, ...vms.requests.slice(2)].map(({ method, path }) => `${method} ${path}`)).toEqual(
      expect.not.arrayContaining([expect.stringMatching(/^(?!GET |POST \/oauth\/token)/)]),
    );
  }, 60_000);

  test('a person reads tables, without any value of a cart or an order', async () => {
    const { stdout } = await doctor(['--env', file, '--order', sampleOrder.externalId], variables);

    expect(stdout).toMatch(/^ShoppingCart: \d+ of \d+ properties as expected$/m);
    expect(stdout).toMatch(/^ +ChangedAt +DateTimeOffset +\/Date\(ms\+hhmm\)\//m);
    expect(stdout).not.toMatch(/Nordlys|SUP-00871|JDUPONT|10100000|@example/);
    expect(stdout).not.toContain(srm.clientSecret);
  }, 60_000);

  test('an order that 11VMS does not hold is said', async () => {
    const { stdout, status } = await doctor(['--env', file, '--order', 'SRM7-100-0-0-EUR-BE10'], variables);

    expect(status).toBe(0);
    expect(stdout).toContain('and holds no order of that externalId  -> give the externalId of an order');
  }, 60_000);
});

describe('against an SRM that differs', () => {
  test('what is missing, unknown or written otherwise is named, with what fits', async () => {
    const page = JSON.stringify(samplePage)
      .replaceAll('"ObjectId"', '"ScNumber"')
      .replaceAll('"VendorId"', '"SupplierNumber"')
      .replaceAll(/"ChangedAt":"[^"]*"/g, '"ChangedAt":"2026-11-20T14:32:06Z"')
      .replaceAll(/"Price":"650.0000"/g, '"Price":"650,0000"')
      .replace('"__count":"1"', '"__count":"7"')
      .replace(/"Partners":\{"results":\[[^\]]*\]\}/, '"Partners":{"__deferred":{"uri":"x"}}');
    const { srm, requests } = await startPage(page);

    const { stdout, status } = await doctor(['--env', entry(srm), '--json'], CLIENT);
    const [report] = reportSchema.parse(JSON.parse(stdout)).reports;
    const of = (property: string) => report?.properties.find((one) => one.property === property);

    expect(status).toBe(1);
    expect(of('ObjectId')).toMatchObject({
      status: 'missing',
      advice: expect.stringContaining('perhaps "srm": { "fields": { "ObjectId": "ScNumber"'),
    });
    expect(of('ScNumber')).toMatchObject({ status: 'unknown' });
    expect(of('VendorId')?.advice).toContain('"SupplierNumber"');
    expect(of('ChangedAt')).toMatchObject({ status: 'unreadable', forms: { 'date of ISO 8601': 1 } });
    expect(of('Price')).toMatchObject({ status: 'unreadable', forms: { 'decimal with a comma': expect.any(Number) } });
    expect(report?.findings).toContainEqual(
      expect.objectContaining({ status: 'fail', what: '1 of 7 carts came, and no __next leads to the rest' }),
    );
    expect(report?.findings).toContainEqual(
      expect.objectContaining({ what: expect.stringMatching(/^Partners comes as a link in 1 of \d rows/) }),
    );
    expect(stdout).not.toMatch(/2026-11-20T14:32|650,0000|Nordlys|1000004711/);
    expect(requests.every((request) => request.startsWith('GET ') || request === 'POST /token')).toBe(true);
  }, 60_000);

  test('an SRM without carts is looked at day by day, as far back as is asked', async () => {
    const { srm, requests } = await startPage('{"d":{"results":[]}}');

    const { stdout, status } = await doctor(['--env', entry(srm), '--days', '3'], CLIENT);

    expect(status).toBe(0);
    expect(stdout).toContain('no cart was changed in the last 3 days with the status I1129');
    expect(requests.filter((request) => request.startsWith('GET ')).length).toBe(3);
  }, 60_000);

  test('a page of HTML is named, with the settings that lead elsewhere', async () => {
    const { srm } = await startPage('<html><form action="/logon"><input type="password"></form></html>');

    const { stdout, status } = await doctor(['--env', entry(srm)], CLIENT);

    expect(status).toBe(1);
    expect(stdout).toMatch(/FAIL {2}no page can be read: SRM answered 200/);
  }, 60_000);

  test.each([
    [400, '-> often a name in srm.fields (of ChangedAt or a navigation), or a header that a gateway wants'],
    [401, 'srm.apiKeyHeader with its key, srm.headers and the authorizations of the client at SRM'],
    [404, '-> srm.baseUrl, srm.servicePath and srm.entitySet make the address'],
  ])(
    'a %i is told with the settings that it may come from',
    async (status, advice) => {
      const { srm } = await startPage('{}', status);

      const { stdout } = await doctor(['--env', entry(srm)], CLIENT);

      expect(stdout).toContain(`SRM answered ${status}`);
      expect(stdout).toContain(advice);
    },
    60_000,
  );

  test('an SRM that nothing reaches is told with its addresses', async () => {
    const { stdout } = await doctor(
      ['--env', entry({ baseUrl: 'http://127.0.0.1:1', tokenUrl: 'http://127.0.0.1:1/token' })],
      CLIENT,
    );

    expect(stdout).toContain('-> srm.baseUrl and srm.tokenUrl must be reachable from this machine');
  }, 60_000);

  test('a key that a gateway wants is asked for by its variable', async () => {
    const { srm, requests } = await startPage('{}');

    const { stdout } = await doctor(['--env', entry({ ...srm, apiKeyHeader: 'X-Gateway-Key' })], CLIENT);

    expect(stdout).toContain(
      'the doctor needs more than the OAuth2 client for this environment: SRM_API_KEY is missing',
    );
    expect(requests).toEqual([]);
  }, 60_000);

  test('half a client is refused before anything is asked', async () => {
    const { srm, requests } = await startPage('{}');

    const { stdout, status } = await doctor(['--env', entry(srm)], { SRM_CLIENT_ID: 'id' });

    expect(status).toBe(1);
    expect(stdout).toContain('set SRM_CLIENT_ID and SRM_CLIENT_SECRET');
    expect(requests).toEqual([]);
  }, 60_000);
});
