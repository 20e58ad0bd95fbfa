/** `npm start` with the user's own environment file, own pages, and systems that ask for certificates. */
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createCertificateAuthority } from '../../simulators/certificates.ts';
import { startVms, type VmsSimulator } from '../../simulators/vms.ts';
import { npmStart, ROOT, type Run, summaryOf } from './npm-start.ts';

const directory = mkdtempSync(join(tmpdir(), 'own-environment-'));
const closing: (() => unknown)[] = [];

function file(name: string, content: unknown): string {
  const path = join(directory, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

const environment = (tokenUrl: string) => ({
  name: 'acme',
  srm: {
    baseUrl: 'https://srm.acme.test',
    tokenUrl: 'https://login.acme.test/token',
    secretName: 'acme/srm',
    createSecret: false,
    kmsKeyArn: 'arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    client: '300',
    statuses: ['Z0001'],
    mutualTls: true,
    privateCa: true,
  },
  vms: {
    baseUrl: 'https://vms.acme.test/11VMSProxy_V2',
    tokenUrl,
    secretName: 'acme/vms',
    mutualTls: true,
    privateCa: true,
  },
  extraction: { schedule: 'cron(0/5 6-20 ? * MON-FRI *)', firstWatermark: '2026-12-01T00:00:00Z' },
  delivery: {},
  // Of these a local run makes nothing.
  logForwarding: { splunk: { hecUrl: 'https://http-inputs-firehose-acme.splunkcloud.com', secretName: 'acme/splunk' } },
  cloudAlm: {
    apiUrl: 'https://eu10-004.alm.cloud.sap/api',
    tokenUrl: 'https://acme.authentication.eu10.hana.ondemand.com/oauth/token',
    serviceId: 'acme-orders',
    secretName: 'acme/cloud-alm',
  },
  network: { subnetIds: ['subnet-0a1b2c3d'], securityGroupIds: ['sg-0a1b2c3d'] },
  translation: {
    valueMaps: {
      extend: { status: false, accountCategory: false, currencyDecimals: false },
      businessUnit: { '4711': 'PARIS', '4712/50000777': 'LYON', BE10: 'BRUSSELS' },
      // As a European spreadsheet writes it, beside the entry.
      supplier: { mode: 'mapped', codes: { file: 'suppliers.csv' } },
      category: {
        mode: 'mapped',
        codes: {
          '1000': 'GOODS',
          'MAT-IT-07': 'IT',
          'MAT-PPE-03': 'PPE',
          'SERV-IT-01': 'WORK',
          'SERV-TRV-01': 'TRAVEL',
        },
      },
      tax: { mode: 'mapped', codes: { A1: 'FULL', V0: 'NONE' } },
      status: { Z0001: 'approved', Z0002: 'rejected', I1129: 'approved', I1040: 'deleted' },
      accountCategory: { CC: 'COST_CENTRE', WBS: 'WBS', OR: 'INTERNAL_ORDER' },
      currencyDecimals: { PLN: 2, EUR: 2 },
    },
  },
});

writeFileSync(
  join(directory, 'suppliers.csv'),
  '\uFEFFtarget;source;name\r\nS-42;42;Nordlys Conseil\r\nS-43;43;\r\nS-44;100234;\r\n;;\r\n',
);

const samplePage: { readonly d: { readonly results: readonly Readonly<Record<string, unknown>>[] } } = JSON.parse(
  readFileSync(join(ROOT, 'shared', 'contract', 'samples', 'srm7-shopping-carts.json'), 'utf8'),
);
const [sampleCart] = samplePage.d.results;

/** An 11VMS that answers only clients with a certificate, and whose token endpoint has a path of its own. */
async function openGuardedVms() {
  const servers = createCertificateAuthority('Test authority of 11VMS');
  const clients = createCertificateAuthority('Test authority of clients');
  const vms = await startVms();
  const { certificate: cert, key } = servers.issue({ name: '11VMS', ip: '127.0.0.1' });
  const paths: string[] = [];
  const guard = createServer(
    { cert, key, ca: clients.certificate, requestCert: true, rejectUnauthorized: true },
    (incoming, answer) => {
      const path = incoming.url ?? '';
      paths.push(path);
      const target = new URL(path === '/login/token' ? vms.tokenUrl : `${vms.url}${path}`);
      const { method, headers } = incoming;
      const forwarded = request(target, { method, headers }, (response) => {
        answer.writeHead(response.statusCode ?? 500, response.headers);
        response.pipe(answer);
      });
      incoming.pipe(forwarded);
    },
  );
  guard.listen(0, '127.0.0.1');
  await once(guard, 'listening');
  closing.push(
    () => guard.closeAllConnections(),
    () => guard.close(),
    () => vms.close(),
  );
  const address = guard.address();
  const url = `https://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  const client = clients.issue({ name: 'the interface' });
  return {
    vms,
    paths,
    url,
    variables: {
      VMS_CLIENT_ID: vms.clientId,
      VMS_CLIENT_SECRET: vms.clientSecret,
      VMS_CLIENT_CERTIFICATE: client.certificate,
      VMS_CLIENT_KEY: client.key,
      VMS_CERTIFICATE_AUTHORITY: servers.certificate,
    },
  };
}

let first: Run;
let guarded: { readonly run: Run; readonly vms: VmsSimulator; readonly paths: readonly string[] };
let empty: Run;
let cut: Run;
let paused: Run;
let foldersAfter: string[];

beforeAll(async () => {
  const guard = await openGuardedVms();
  const env = file('acme.json', environment(`${guard.url}/login/token`));
  const row = { ...sampleCart, Status: 'Z0001' };
  const page = file('page.json', { d: { results: [row] } });
  const unknown = {
    d: {
      results: Array.from({ length: 60 }, (_, index) => ({
        ...row,
        ObjectId: String(1_000_000_001 + index),
        Guid: `005056a5-0000-1eeb-8000-${String(index).padStart(12, '0')}`,
        CoCode: 'ZZ99',
      })),
    },
  };
  // The first run synthesizes. The others take its assembly.
  first = await npmStart(directory, ['--json', '--env', env]);
  // Two at once: four would start twenty functions, for which two cores are too slow.
  const [ofGuarded, ofPaused] = await Promise.all([
    npmStart(directory, ['--json', '--env', env, '--input', page, '--vms', guard.url], guard.variables),
    npmStart(directory, ['--json', '--env', env, '--disturbances', 'none', '--input', file('unknown.json', unknown)]),
  ]);
  const [ofEmpty, ofCut] = await Promise.all([
    npmStart(directory, ['--env', env, '--input', file('empty.json', { d: { results: [] } })]),
    npmStart(directory, [
      '--env',
      env,
      '--input',
      file('cut.json', { d: { __count: '250', results: [row, row], __next: 'https://srm.acme.test/next' } }),
    ]),
  ]);
  guarded = { run: ofGuarded, ...guard };
  paused = ofPaused;
  empty = ofEmpty;
  cut = ofCut;
  foldersAfter = readdirSync(directory).filter((name) => name.startsWith('proc-'));
}, 420_000);
afterAll(async () => {
  for (const close of closing) await close();
  rmSync(directory, { recursive: true, force: true });
});

describe("a first run with one's own environment file, which asks for certificates and has its own value maps", () => {
  test('is green: its generated carts speak its codes', () => {
    const { failure, pause, waiting, createdInFull, deadLettered } = summaryOf(first);

    expect({ failure, pause, waiting, status: first.status }).toEqual({
      failure: null,
      pause: null,
      waiting: 0,
      status: 0,
    });
    expect(createdInFull).toBeGreaterThan(180);
    expect(deadLettered.length).toBeLessThan(10);
    expect(deadLettered.flatMap(({ codes }) => codes)).not.toContain('E_MAP_CATEGORY');
  });

  test('gives the orders under the numbers of 11VMS', () => {
    const { orders, created } = summaryOf(first);

    expect(orders).toHaveLength(created);
    for (const order of orders) {
      expect(order.externalId).toMatch(new RegExp(`^SRM7-300-${order.cartNumber}-(42|43|100234)-(PLN|EUR)-`));
      expect(order.orderNumber).toMatch(/^PO-\d{4}-\d+$/);
    }
  });
});

describe("one's own page into an 11VMS that wants a certificate", () => {
  test("becomes its order, with certificates from variables and the file's own token URL", () => {
    const { vms, paths, run } = guarded;

    expect({ status: run.status, stderr: run.status === 0 ? '' : run.stderr }).toEqual({ status: 0, stderr: '' });
    expect(summaryOf(run).deadLettered.map(({ reason }) => reason)).toEqual([]);
    expect(vms.orders().map(({ order }) => order.externalId)).toEqual(['SRM7-300-1000004711-100234-EUR-BE10']);
    expect(paths[0]).toBe('/login/token');
  });

  test('shows no key, and warns of no clock although the page is old', () => {
    const { run } = guarded;
    const log = readFileSync(summaryOf(run).log, 'utf8');

    expect(run.stdout + run.stderr + log).not.toContain('PRIVATE KEY');
    expect(log).not.toMatch(/clock/i);
  });
});

describe('carts that all have the same fault, so that consumption pauses', () => {
  test('end the run with 1: those that still wait are neither lost nor dead-lettered, and their faults are shown', () => {
    const { approved, waiting, waitingCarts, deadLettered, condemned, unaccounted, failure, pause } = summaryOf(paused);

    expect(waiting).toBeGreaterThan(0);
    expect(waitingCarts).toHaveLength(waiting);
    expect(deadLettered.length + waiting).toBe(approved);
    expect({ approved, unaccounted, failure, status: paused.status }).toEqual({
      approved: 60,
      unaccounted: 0,
      failure: `${waiting} carts still on the queue`,
      status: 1,
    });
    expect(pause).toMatch(/of the last 20 carts became dead letters/);
    const all = [...deadLettered, ...condemned];
    expect(new Set(all.flatMap(({ codes }) => codes))).toEqual(new Set(['E_MAP_COMPANY']));
    expect(paused.stderr.match(/^ {6}\d+ carts? .*"ZZ99"/gm)?.length).toBeLessThanOrEqual(2);
  });

  test('are told the same by the progress and by the summary', () => {
    const { waiting, skipped, created } = summaryOf(paused);
    const lines = paused.stderr.match(/^ {2}moving .*$/gm) ?? [];

    expect(lines.at(-1)).toContain(`60 queued · ${created} orders · ${skipped} skipped`);
    expect(lines.at(-1)).toContain(`${waiting} wait: consumption is paused`);
    expect(paused.stderr).toMatch(
      new RegExp(`^ +${waiting} {2}waiting +on the queue, because consumption is paused: `, 'm'),
    );
  });
});

describe('a page that is not what was meant', () => {
  test('an empty one is said to be empty', () => {
    expect(empty.stdout).toMatch(/^ {2}! +\S+empty\.json is an empty page: it holds no cart$/m);
    expect(empty.status).toBe(0);
  });

  test('one of several is said to be one, with the count of SRM, and a repeated row is said, too', () => {
    expect(cut.stdout).toMatch(
      /^ {2}! +\S+cut\.json is one page of several: it holds 2 of 250 carts \(__count\)\. The others are not in this run$/m,
    );
    expect(cut.stdout).toMatch(/cut\.json holds 1 row of a cart that comes again; the newest is taken$/m);
  });
});

test('a run leaves its log, says where, and leaves nothing else', () => {
  const named: string[] = [first.stderr, guarded.run.stderr, paused.stderr, empty.stdout, cut.stdout].map(
    (text) => /^ {2}log +(\S+)$/m.exec(text)?.[1] ?? 'no log',
  );

  expect(foldersAfter.map((name) => join(directory, name, 'functions.log')).toSorted()).toEqual(named.toSorted());
  for (const name of foldersAfter) expect(readdirSync(join(directory, name))).toEqual(['functions.log']);
});
