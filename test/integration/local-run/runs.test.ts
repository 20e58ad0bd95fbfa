/** `npm start` in a process of its own: its orders, its output and its exit status. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { isFaultCode } from '../../../shared/failure.ts';
import { FAULT_CATALOGUE } from '../../../shared/fault-catalogue.ts';
import { type GeneratedCart, generateCarts } from '../../simulators/carts.ts';
import { type Srm7Simulator, startSrm7 } from '../../simulators/srm7.ts';
import { startVms, type VmsSimulator } from '../../simulators/vms.ts';
import { CLOSED_PORT } from '../closed-port.ts';
import { npmStart, ROOT, type Run, summaryOf } from './npm-start.ts';

const samples = join(ROOT, 'shared', 'contract', 'samples');
const directory = mkdtempSync(join(tmpdir(), 'runs-'));
const closing: (() => Promise<void>)[] = [];

const run = (args: readonly string[], variables: Readonly<Record<string, string>> = {}): Promise<Run> =>
  npmStart(directory, args, variables);

const sourceOf = (body: string): unknown => z.object({ source: z.unknown() }).parse(JSON.parse(body)).source;

const page = z.object({ d: z.object({ results: z.tuple([z.record(z.string(), z.unknown())]) }) });
const [sampleRow] = page.parse(JSON.parse(readFileSync(join(samples, 'srm7-shopping-carts.json'), 'utf8'))).d.results;
const guid = (n: number): string => `005056a5-0000-1eeb-8000-${String(n).padStart(12, '0')}`;
const row = (n: number, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  ...sampleRow,
  ObjectId: String(1_000_000_000 + n),
  Guid: guid(n),
  ...changes,
});

/** Valid rows, and rows that break the contract. `undefined` leaves a field out of the JSON. */
const malformed: readonly unknown[] = [
  row(1),
  row(2, { ObjectId: undefined }),
  row(3, { Guid: undefined }),
  row(4, { ObjectId: undefined, Guid: undefined }),
  row(5, { Items: 7 }),
  null,
  row(6, { ChangedAt: 'gestern' }),
  row(7, { ChangedAt: undefined }),
  row(8, { Texts: { results: [{ Tdid: 'NOTE', Language: 'EN', Text: 'x'.repeat(1.2 * 1024 * 1024) }] } }),
  row(9),
  row(9),
  row(10, { ObjectId: 'no number é' }),
  'a text',
  [],
  {},
  row(11, { ChangedAt: '/Date(253402300799000)/' }),
  row(12, { ChangedAt: '/Date(0)/' }),
  row(13, { ObjectId: 1_000_000_013 }),
  row(14, { ObjectId: '1000000014 ' }),
  row(15, { ObjectId: '0001000015\u00a0' }),
];

let sample: { run: Run; vms: VmsSimulator };
let elsewhere: { run: Run; carts: readonly GeneratedCart[]; srm: Srm7Simulator; vms: VmsSimulator };
let broken: Run;
let unreachable: Run;

beforeAll(async () => {
  const nowMs = Date.now();
  const carts = generateCarts({
    count: 30,
    seed: 7,
    from: new Date(nowMs - 6 * 3_600_000),
    to: new Date(nowMs - 60_000),
    faultyShare: 0.34,
  });
  const [vms, busyVms, srm] = await Promise.all([
    startVms({ clientId: 'me', clientSecret: 'my secret' }),
    startVms({ disturbances: 'typical', seed: 7, inactiveSuppliers: ['SUP-INACTIVE'] }),
    startSrm7({ carts: carts.map((cart) => cart.row), pageSize: 7 }),
  ]);
  closing.push(
    () => vms.close(),
    () => busyVms.close(),
    () => srm.close(),
  );
  const file = join(directory, 'malformed.json');
  writeFileSync(file, JSON.stringify({ d: { results: malformed } }));
  // The first run synthesizes. The others take its assembly.
  const ofUnreachable = await run(['--srm', `http://127.0.0.1:${CLOSED_PORT}`], {
    SRM_CLIENT_ID: 'id',
    SRM_CLIENT_SECRET: 'hunter2',
  });
  const [ofSample, ofElsewhere, ofBroken] = await Promise.all([
    run(['--json', '--input', 'shared/contract/samples/srm7-shopping-carts.json', '--vms', vms.url], {
      VMS_CLIENT_ID: 'me',
      VMS_CLIENT_SECRET: 'my secret',
    }),
    run(['--json', '--reconcile', '--srm', srm.url, '--vms', `${busyVms.baseUrl}/`], {
      SRM_CLIENT_ID: srm.clientId,
      SRM_CLIENT_SECRET: srm.clientSecret,
      VMS_CLIENT_ID: busyVms.clientId,
      VMS_CLIENT_SECRET: busyVms.clientSecret,
    }),
    run(['--json', '--disturbances', 'none', '--input', file]),
  ]);
  sample = { run: ofSample, vms };
  elsewhere = { run: ofElsewhere, carts, srm, vms: busyVms };
  broken = ofBroken;
  unreachable = ofUnreachable;
}, 240_000);
afterAll(async () => {
  await Promise.all(closing.map((close) => close()));
  rmSync(directory, { recursive: true, force: true });
});

describe("the sample page, with --json, against an 11VMS of the user's", () => {
  test('creates exactly the sample order', () => {
    const order: unknown = JSON.parse(readFileSync(join(samples, '11vms-purchase-order.json'), 'utf8'));

    expect(sample.vms.orders().map((stored) => stored.order)).toEqual([order]);
  });

  test('prints one line on stdout: the summary, with exactly the keys of the contract', () => {
    expect(sample.run.stdout.split('\n')).toHaveLength(2);
    expect(sample.run.stdout).toMatch(/^\{.*\}\n$/);
    const { seconds, log, warnings: _, ...counts } = summaryOf(sample.run);
    const [stored] = sample.vms.orders();
    expect(seconds).toBeGreaterThan(0);
    expect(log).toMatch(/functions\.log$/);
    // A busy machine may lose the answer to a call, or to a second.
    expect(counts.retries).toBeLessThanOrEqual(2);
    expect(counts).toEqual({
      approved: 1,
      queued: 1,
      dryRun: false,
      created: 1,
      createdInFull: 1,
      createdInPart: 0,
      skipped: 0,
      deadLettered: [],
      retries: expect.any(Number),
      waiting: 0,
      unaccounted: 0,
      failure: null,
      pause: null,
      orders: [
        {
          cartNumber: '1000004711',
          externalId: 'SRM7-100-1000004711-100234-EUR-BE10',
          orderId: stored?.id,
          orderNumber: stored?.number,
        },
      ],
      skips: [],
      condemned: [],
      waitingCarts: [],
      unaccountedCarts: [],
      doubled: [],
    });
  });

  test('exits 0, and prints on stderr a line for each stage, the summary, and where the log is', () => {
    const { status, stderr } = sample.run;

    expect(status).toBe(0);
    for (const stage of ['systems', 'synthesized', 'provisioned', 'extracted']) {
      expect(stderr).toMatch(new RegExp(`^ {2}${stage} `, 'm'));
    }
    expect(stderr).toContain(`11VMS at ${sample.vms.url}/11VMSProxy_V2`);
    expect(stderr).toContain('Summary: every approved cart is accounted for');
    expect(stderr).toMatch(/^ +1 {2}orders created, with \d+ retr(?:y|ies), in [\d.]+ s$/m);
    expect(stderr).toContain('More information');
    expect(stderr).not.toContain('\u001b');
    expect(stderr).not.toContain('my secret');
  });

  test('leaves the log that it names, with a JSON line for each step, the cart and its order', () => {
    const path = /^ {2}log +(\S+)$/m.exec(sample.run.stderr)?.[1] ?? '';
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    // A busy machine may lose the answer to a create: then the order is looked up, and found.
    const created = lines.filter((line) => /"event":"order\.(created|recovered)"/.test(line));

    for (const line of lines) expect(() => z.record(z.string(), z.unknown()).parse(JSON.parse(line))).not.toThrow();
    expect(created).toHaveLength(1);
    expect(created[0]).toContain(`"cartNumber":"${String(sampleRow['ObjectId'])}"`);
    expect(created[0]).toMatch(/"orderNumber":"[^"]+"/);
    const secrets = lines.filter((line) => /my secret|11vms-token|srm7-token/.test(line));
    expect(secrets).toEqual([]);
  });
});

describe("30 carts of an SRM of the user's, faulty ones among them, into an 11VMS that throttles and fails", () => {
  const expectedDead = (): GeneratedCart[] => elsewhere.carts.filter(({ expected }) => expected === 'dead-letter');

  test('become exactly the expected orders, none twice', () => {
    const orders = elsewhere.vms.orders().map(({ order }) => order.externalId);

    expect(orders.toSorted()).toEqual(elsewhere.carts.flatMap(({ externalIds }) => externalIds).toSorted());
    expect(summaryOf(elsewhere.run).created).toBe(orders.length);
  });

  test('are all accounted for', () => {
    const { approved, queued, skipped, unaccounted } = summaryOf(elsewhere.run);
    const skips = elsewhere.carts.filter(({ expected }) => expected === 'skip').length;

    expect({ approved, queued, skipped, unaccounted }).toEqual({
      approved: 30,
      queued: 30,
      skipped: skips,
      unaccounted: 0,
    });
    expect(elsewhere.run.status).toBe(0);
  });

  test('are accounted for by the reconciliation too, if they are older than an hour: it queues none of them again', () => {
    const line = /^ {2}reconciled +(.*)$/m.exec(elsewhere.run.stderr)?.[1];
    const [, read = ''] = /^complete to \S+Z: cartsRead (\d+), created \d+, deadLettered \d+/.exec(line ?? '') ?? [];

    expect(Number(read)).toBeGreaterThan(15);
    expect(Number(read)).toBeLessThan(30);
    expect(line).not.toMatch(/queuedAgain|inFlight|notJudged|unidentified/);
  });

  test('are dead-lettered with cart number, GUID and the codes of their flaws', () => {
    const { deadLettered } = summaryOf(elsewhere.run);
    const byNumber = <Item extends { cartNumber: string | null }>(items: readonly Item[]): Item[] =>
      items.toSorted((a, b) => String(a.cartNumber).localeCompare(String(b.cartNumber)));

    expect(expectedDead().length).toBeGreaterThan(5);
    expect(
      byNumber(deadLettered.map(({ cartNumber, guid, codes }) => ({ cartNumber, guid, codes: codes.toSorted() }))),
    ).toEqual(
      byNumber(
        expectedDead().map(({ number, guid, codes }) => ({ cartNumber: number, guid, codes: codes?.toSorted() })),
      ),
    );
  });

  test('are dead-lettered with a reason that names fault, place and remedy, and with the body that SRM sent', () => {
    for (const { cartNumber, codes, reason, body } of summaryOf(elsewhere.run).deadLettered) {
      const cart = elsewhere.carts.find(({ number }) => number === cartNumber);
      expect(sourceOf(body)).toEqual(JSON.parse(JSON.stringify(cart?.row)));
      const [code = ''] = codes;
      const catalogue: Readonly<Record<string, { readonly action: string }>> = FAULT_CATALOGUE;
      expect(reason).toContain(catalogue[code]?.action ?? 'an action');
      // A path in the row, or a pointer into the order.
      expect(reason).toMatch(/ \((line \w+, )?(\$|for \/)/);
    }
  });

  test('are dead-lettered with each fault in its parts, with owner and action', () => {
    for (const { codes, faults } of summaryOf(elsewhere.run).deadLettered) {
      expect(faults.map(({ code, owner, action }) => ({ code, owner, action }))).toEqual(
        faults.map(({ code }) => {
          const { owner, action } = FAULT_CATALOGUE[isFaultCode(code) ? code : 'E_INT_UNEXPECTED'];
          return { code, owner, action };
        }),
      );
      expect([...new Set(faults.map(({ code }) => code))]).toEqual(codes);
    }
  });

  test('are on the screen by fault: a heading for each code, and a line for each fault with the carts that have it', () => {
    const [, section = ''] = /\nDead letters: \d+ carts\n([^]*?)\n\n/.exec(elsewhere.run.stderr) ?? [];
    const headings = section.match(/^ {2}E_\w+(?= {2}for the )/gm)?.map((heading) => heading.trim());
    const codes = new Set(expectedDead().flatMap((cart) => cart.codes ?? []));

    expect(headings?.toSorted()).toEqual([...codes].toSorted());
    for (const { number } of expectedDead())
      expect(section).toMatch(new RegExp(`^ {6}\\d+ carts? .*\\b${number}\\b`, 'm'));
  });

  test('add up: every cart has one end, on the screen and in the JSON', () => {
    const { stderr } = elsewhere.run;
    const { approved, createdInFull, createdInPart, skipped, deadLettered, waiting, unaccounted } = summaryOf(
      elsewhere.run,
    );
    const row = (name: string): number => Number(new RegExp(`^ +(\\d+) {2}${name}`, 'm').exec(stderr)?.[1]);

    const inPart = expectedDead().filter(({ orders }) => orders > 0).length;
    expect({ createdInPart, waiting, unaccounted }).toEqual({ createdInPart: inPart, waiting: 0, unaccounted: 0 });
    expect(createdInFull + skipped + deadLettered.length).toBe(approved);
    expect(row('carts approved')).toBe(approved);
    expect(row('created in full')).toBe(createdInFull);
    expect(row('created in part')).toBe(createdInPart);
    expect(row('skipped')).toBe(skipped);
    expect(row('dead-lettered')).toBe(deadLettered.length - createdInPart);
  });

  test("are read once, page by page, with the user's client", () => {
    const pages = elsewhere.srm.requests.filter(({ operation }) => operation === 'page');

    // Five pages, and those of the second slice: the default of 24 hours is a little more than one slice.
    expect(pages.length).toBeGreaterThanOrEqual(5);
    expect(new Set(pages.map(({ path }) => path)).size).toBe(pages.length);
    expect(pages.map(({ status }) => status)).toEqual(pages.map(() => 200));
  });
});

describe('a file with malformed carts', () => {
  test('loses none of them: each is ordered or dead-lettered, and the run exits 0', () => {
    const { approved, queued, created, skipped, deadLettered, unaccounted } = summaryOf(broken);

    // The same cart twice counts as one cart, as in SRM.
    const carts = malformed.length - 1;
    expect({ approved, queued, unaccounted, skipped }).toEqual({
      approved: carts,
      queued: carts,
      unaccounted: 0,
      skipped: 0,
    });
    expect(deadLettered.length + created).toBe(carts);
    expect(broken.status).toBe(0);
  });

  test('names each by number or GUID, and each fault by its path', () => {
    const found = summaryOf(broken).deadLettered.map(({ cartNumber, guid, codes, reason }) => ({
      cart: cartNumber ?? guid ?? 'nameless',
      codes: codes.join(),
      path: /\((?:line \w+, )?(\$[^),]*)/.exec(reason)?.[1],
    }));

    expect(found).toEqual(
      expect.arrayContaining([
        { cart: guid(2), codes: 'E_FIELD_MISSING', path: '$.ObjectId' },
        { cart: '1000000003', codes: 'E_SRC_SCHEMA', path: '$.Guid' },
        { cart: '1000000005', codes: 'E_SRC_SCHEMA', path: '$.Items' },
        { cart: '1000000006', codes: 'E_DATE_INVALID', path: '$.ChangedAt' },
        { cart: guid(10), codes: 'E_FIELD_FORMAT', path: '$.ObjectId' },
      ]),
    );
    // Without number and GUID: null, a text, a list, and an empty object.
    expect(found.filter(({ cart }) => cart === 'nameless').map(({ codes }) => codes)).toEqual(
      Array.from({ length: 5 }, () => 'E_SRC_SCHEMA'),
    );
    const numbers = found.map(({ cart }) => cart);
    for (const good of [1, 8, 9, 13, 14]) expect(numbers).not.toContain(String(1_000_000_000 + good));
  });

  test('keeps the body of each as SRM sent it', () => {
    const sources = summaryOf(broken).deadLettered.map(({ body }) => sourceOf(body));

    expect(sources).toEqual(expect.arrayContaining([null, 'a text', [], {}, JSON.parse(JSON.stringify(malformed[3]))]));
  });
});

describe('a file with malformed carts, on the screen', () => {
  test('ends no path and no message in an empty colon', () => {
    expect(broken.stderr).not.toMatch(/:\s*(\.|;|,|\)|$)(?!\n {2})/m);
  });
});

describe('an SRM that cannot be reached', () => {
  test('ends the run with 1, and a message that names the fault, the place and the remedy', () => {
    const { status, stdout, stderr } = unreachable;

    expect(status).toBe(1);
    expect(stdout).toContain(
      `extraction failed: E_SRC_UNAVAILABLE: SRM token endpoint http://127.0.0.1:${CLOSED_PORT}/oauth/token ` +
        `cannot be reached (ECONNREFUSED). ${FAULT_CATALOGUE.E_SRC_UNAVAILABLE.action}`,
    );
    expect(stdout).toContain('Summary: NOT COMPLETE, no extraction was completed');
    expect(stdout + stderr).not.toMatch(/hunter2|^\s+at .*\.ts/m);
  });
});
