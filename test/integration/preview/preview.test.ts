/** `npm run preview` as a process: what it takes, what it refuses, and how it ends. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from '@jest/globals';
import { ENVIRONMENTS } from '../../../infra/environments.ts';
import { HELP, parseOptions } from '../../../infra/preview/options.ts';
import { preview } from '../../../infra/preview/preview.ts';
import { UnusableInput } from '../../../infra/preview/read-input.ts';
import type { Preview } from '../../../infra/preview/summary.ts';
import { rowToBody } from '../../../shared/message-body.ts';
import { sourceRow } from '../../../shared/reading/source-row.ts';
import { generateCarts } from '../../simulators/carts.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const SAMPLE = 'shared/contract/samples/srm7-shopping-carts.json';
const directory = mkdtempSync(join(tmpdir(), 'preview-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(args: readonly string[], stdin = ''): Promise<Ended> {
  const child = spawn(join(root, 'node_modules/.bin/node'), ['infra/preview/main.ts', ...args], {
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '' },
    timeout: 50_000,
  });
  const status = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  child.stdin.on('error', () => undefined).end(stdin);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await status, stdout, stderr };
}

/** The same without a process of its own, which takes most of the time. */
async function previewed(args: readonly string[]): Promise<Preview> {
  const options = parseOptions(args);
  if (options === undefined) throw new Error('help was asked for');
  return preview(options, '2026-11-29');
}

function file(name: string, content: unknown): string {
  const path = join(directory, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const page: { readonly d: { readonly results: readonly Readonly<Record<string, unknown>>[] } } = JSON.parse(
  readFileSync(join(root, SAMPLE), 'utf8'),
);
const [cart = {}] = page.d.results;
const bodyOf = (source: unknown, client = '100'): string =>
  rowToBody(sourceRow({ source }), { runId: 'run-1', client }).body;

interface Shown {
  readonly carts: readonly {
    readonly number?: string;
    readonly kind: string;
    readonly groups: readonly { readonly order?: unknown }[];
  }[];
  readonly notes: readonly string[];
  readonly summary: { readonly orders: number; readonly faulty: number };
}
const shownOf = ({ stdout }: Ended): Shown => JSON.parse(stdout);

describe('the sample', () => {
  test('becomes the sample order, and nothing is written to stderr', async () => {
    const json = await run([SAMPLE, '--json']);
    expect([json.status, json.stderr]).toEqual([0, '']);
    expect(shownOf(json).carts[0]?.groups[0]?.order).toEqual(
      JSON.parse(readFileSync(join(root, 'shared/contract/samples/11vms-purchase-order.json'), 'utf8')),
    );
    const { stdout, status } = await run([SAMPLE]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ +supplier\.code +SUP-00871 +VendorId 0000100234 \(line 1\) +18 LOOKUP supplier$/m);
  });

  test('goes to a file that its owner alone can read', async () => {
    const output = join(directory, 'page.html');
    const { status, stdout, stderr } = await run([SAMPLE, '--html', '--output', output]);
    expect([status, stdout, stderr]).toEqual([0, '', `${output} is written\n`]);
    expect(readFileSync(output, 'utf8')).toMatch(/^<!doctype html>/);
    expect(statSync(output).mode & 0o077).toBe(0);
  });

  test('differs with the value maps of another environment', async () => {
    const { status, stdout } = await run([SAMPLE, '--against', 'prod']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ +supplier\.code +SUP-00871 +100234 +18 LOOKUP supplier$/m);
  });
});

describe('what it takes', () => {
  const message = bodyOf(cart);
  test.each<[string, unknown]>([
    ['a cart', cart],
    ['a cart as OData answers to its key', { d: cart }],
    ['a page', page],
    ['a list of carts', [cart]],
    ['the body of a dead letter', message],
    ['a body that was copied with its quotes', JSON.stringify(message)],
    ['an answer of the AWS CLI', { Messages: [{ MessageId: 'm-1', ReceiptHandle: 'r', Body: message }] }],
    ['a message of it', { MessageId: 'm-1', Body: message }],
    ['an event of Lambda', { Records: [{ messageId: 'm-1', body: message }] }],
    ['the summary of a local run', { created: 0, deadLettered: [{ cartNumber: '1000004711', body: message }] }],
  ])('%s', async (_, content) => {
    const shown = await previewed([file('input.json', content)]);
    expect(shown.carts.map(({ number, kind }) => [number, kind])).toEqual([['1000004711', 'orders']]);
  });

  test('a page in the names of the landscape, and its dead letter in those of SAP', async () => {
    const { dev, local } = ENVIRONMENTS;
    const own = file('own.json', {
      ...dev,
      translation: local?.translation,
      srm: { ...dev?.srm, fields: { ObjectId: 'ScNumber' } },
    });
    const { ObjectId, ...rest } = cart;
    for (const content of [{ d: { results: [{ ...rest, ScNumber: ObjectId }] } }, bodyOf(cart)]) {
      const shown = await previewed([file('own-names.json', content), '--env', own]);
      expect(shown.carts.map(({ number, kind }) => [number, kind])).toEqual([['1000004711', 'orders']]);
    }
  });

  test('a page in the names of a landscape that the entry does not know is told with the settings', async () => {
    const { ObjectId, ...rest } = cart;
    const page = file('foreign.json', { d: { results: [{ ...rest, ScNumber: ObjectId }] } });
    const { notes } = await previewed([page]);
    expect(notes).toEqual([
      'no cart has a number under the name ObjectId: --env names the entry whose srm.fields and srm.keyProperty fit this SRM',
    ]);
    expect((await previewed([file('known.json', { d: { results: [cart] } })])).notes).toEqual([]);
  });

  test('standard input', async () => {
    const shown = await run(['-', '--json'], message);
    expect([shown.status, shown.stderr]).toEqual([0, '']);
    expect(shownOf(shown).carts.map(({ number, kind }) => [number, kind])).toEqual([['1000004711', 'orders']]);
  });

  test('a page in which one row is not JSON: the others all the same', async () => {
    const broken = JSON.stringify({ d: { results: [cart, { ...cart, ObjectId: '1000004712' }] } }).replace(
      '"ObjectId":"1000004712"',
      '"ObjectId":"1000004712", ???',
    );
    const shown = await run([file('broken.json', broken), '--json']);
    expect(shown.status).toBe(1);
    expect(shownOf(shown).carts.map(({ number, kind }) => [number, kind])).toEqual([
      ['1000004711', 'orders'],
      ['1000004712', 'faulty'],
    ]);
  });

  test('a page of 200 carts, with a summary first; one of them by its number', async () => {
    const carts = generateCarts({
      count: 200,
      seed: 7,
      from: new Date('2026-11-20'),
      to: new Date('2026-11-21'),
      faultyShare: 0.2,
    });
    const path = file('200.json', { d: { __count: '900', results: carts.map(({ row }) => row) } });
    const { status, stdout } = await run([path]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^note: the page holds 200 of 900 carts \(__count\)$/m);
    expect(stdout).toMatch(/^200 carts: \d+ orders; \d+ skipped; \d+ with faults; \d+ with warnings$/m);
    const number = carts.find(({ expected }) => expected === 'orders')?.number ?? '';
    const one = await run([path, '--cart', `000${number}`, '--json']);
    expect(shownOf(one).carts.map((shown) => shown.number)).toEqual([number]);
  });

  test('a message without its cart is named, and no reason to refuse the others', async () => {
    const claim = {
      schemaVersion: 1,
      runId: 'r',
      correlationId: 'r/1',
      client: '100',
      cart: { number: '7', guid: null },
      claim: { guid: null },
    };
    const shown = await run(['-', '--json'], JSON.stringify([claim, message]));
    expect(shownOf(shown)).toMatchObject({
      carts: [{ number: '1000004711' }],
      notes: [expect.stringContaining('cart 7')],
    });
  });
});

describe('faults', () => {
  test('end with 1, and are all there', async () => {
    const faulty = file('faulty.json', { ...cart, CoCode: 'ZZ99', PostingDate: 'never', ApprovedAt: 'never' });
    const { status, stdout } = await run([faulty]);
    expect(status).toBe(1);
    for (const code of ['E_MAP_COMPANY', 'E_DATE_INVALID']) expect(stdout).toContain(`FAULT ${code}`);
  });

  test('of a message for another client are those of the worker', async () => {
    const { status, stdout } = await run([file('message.json', bodyOf(cart, '400'))]);
    expect(status).toBe(1);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('of sap-client 400, and the environment reads sap-client 100');
  });
});

describe('what it refuses, with 2 and a reason that quotes nothing', () => {
  const environment = file('environment.json', { ...ENVIRONMENTS['dev'] });
  const bad = file('bad.json', { ...ENVIRONMENTS['dev'], srm: {} });
  test.each<[string, readonly string[], RegExp]>([
    ['no such file', ['nosuch.json'], /nosuch\.json cannot be read: .*ENOENT/],
    ['no JSON', [file('no.json', '{ "Guid": "Private Person", ]')], /no\.json is not JSON at line 1, column \d+/],
    [
      'a page cut off',
      [file('cut.json', '{"d":{"results":[{"ObjectId":"Private Person"')],
      /cut\.json is not JSON at line 1, column \d+: it ends too early/,
    ],
    ['XML', [file('feed.xml', '<feed><title>Private Person</title></feed>')], /is XML, and not JSON/],
    ['an empty file', [file('empty.json', '')], /is empty/],
    ['a number', [file('number.json', '5')], /holds no cart: it is neither an object nor a list/],
    [
      'an object',
      [file('object.json', { name: 'Private Person', 'Private Person': 1 })],
      /holds no cart: it is an object with 2 fields, such as name; a cart has Guid/,
    ],
    ['an environment', [environment], /is an environment, not carts: it is for --env/],
    ['OData V4', [file('v4.json', { '@odata.context': 'x', value: [] })], /OData V4/],
    [
      'a broken message',
      [file('message-2.json', { schemaVersion: 2, source: { Name: 'Private Person' } })],
      /holds a queue message that breaks the schema/,
    ],
    ['an unknown environment', [SAMPLE, '--env', 'nowhere'], /Unknown environment "nowhere". Known: dev, test/],
    ['a bad environment', [SAMPLE, '--env', bad], /is not a valid environment/],
    ['an unknown environment to compare with', [SAMPLE, '--against', 'nowhere'], /Unknown environment "nowhere"/],
    ['a cart that is not there', [SAMPLE, '--cart', '5'], /holds no cart 5, but 1 other/],
  ])('%s', async (_, args, message) => {
    const error = await previewed(args).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnusableInput);
    expect(String(error)).toMatch(message);
    expect(String(error)).not.toContain('Private Person');
  });

  test.each<[string, readonly string[], RegExp]>([
    [
      'an input',
      [file('private.json', '{ "Guid": "Private Person", ]')],
      /private\.json is not JSON at line 1, column \d+/,
    ],
    ['an output', [SAMPLE, '--output', join(directory, 'no', 'such')], /--output .* cannot be written/],
    ['an option', [SAMPLE, '--send'], /Unknown option '--send'/],
  ])('%s, on standard error', async (_, args, message) => {
    const { status, stdout, stderr } = await run(args);
    expect(stderr).toMatch(message);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).not.toMatch(/Private Person|\n {4}at /);
  });
});

describe('the command', () => {
  test('prints its help', async () => {
    expect(await run(['--help'])).toEqual({ status: 0, stdout: HELP, stderr: '' });
  });

  test('ends quietly when its reader has seen enough', async () => {
    const child = spawn(join(root, 'node_modules/.bin/node'), ['infra/preview/main.ts', SAMPLE, '--json'], {
      cwd: root,
      timeout: 50_000,
    });
    child.stdout.destroy();
    const stderr = text(child.stderr);
    const status = await new Promise((resolve) => {
      child.once('close', resolve);
    });
    expect([status, await stderr]).toEqual([0, '']);
  });
});
