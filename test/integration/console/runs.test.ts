/** The page of the runs: what it shows of them, what it foretells of a replay, and what it starts by hand. */
import { describe, expect, test } from '@jest/globals';
import { createRedriveRecord } from '../../../functions/redrive-dead-letters/redrive-record.ts';
import { InvocationFailed, type Sources } from '../../../infra/console/sources.ts';
import type { Mode } from '../../../infra/console/page.ts';
import { loadEnvironment } from '../../../infra/environments.ts';
import { createLedgerTable } from '../../../shared/ledger-table.ts';
import {
  cartAt,
  DAY,
  type Extractor,
  HOUR,
  MINUTE,
  rowsOf,
  SECOND,
  thisSecond,
  useFixture,
} from '../extract/extractor-fixture.ts';
import type { GeneratedCart } from '../../simulators/carts.ts';
import { type ConsoleClient, openClient, type SentPage, sourcesOf } from './console-client.ts';

const fixture = useFixture();
const ME = 'arn:aws:sts::0:me';
const REASON = 'ticket 4711';

const localTime = (ms: number): string => new Date(ms).toISOString().slice(0, 19);

function clientOf(extractor: Extractor, mode: Mode = 'operate', own: Partial<Sources> = {}): ConsoleClient {
  const local = loadEnvironment('local');
  const { SRM_CLIENT: client, FIRST_WATERMARK: firstWatermark } = extractor.variables;
  const environment = {
    ...local,
    srm: { ...local.srm, client },
    extraction: { ...local.extraction, firstWatermark },
  };
  const functions: Sources['functions'] = {
    async invoke(name, event) {
      try {
        return await (name === 'extractor' ? extractor.run({ event }) : extractor.reconcile({ event }));
      } catch (error) {
        throw new InvocationFailed(error instanceof Error ? error.message : String(error));
      }
    },
  };
  return openClient(sourcesOf(fixture.systems(), environment, { functions, ...own }), { mode, nowMs: Date.now() });
}

let seed = 0;
function cartOfKind(expected: GeneratedCart['expected'], changedAtMs: number): GeneratedCart {
  for (;;) {
    const cart = cartAt(changedAtMs, ++seed);
    if (cart.expected === expected) return cart;
  }
}

async function opened(carts: readonly GeneratedCart[] = []): Promise<Extractor> {
  const extractor = await fixture.open({
    variables: { FIRST_WATERMARK: new Date(thisSecond() - 2 * DAY).toISOString() },
  });
  extractor.srm.addCarts(rowsOf(carts));
  return extractor;
}

const lastOperation = async (extractor: Extractor) => (await extractor.operations()).at(-1);

describe('the page', () => {
  test('says how far SRM is read, and what the reconciliations found', async () => {
    const extractor = await opened([cartOfKind('orders', thisSecond() - 5 * HOUR)]);
    const before = await clientOf(extractor).get('/runs');
    expect(before.text).toContain('nothing yet: the first run begins at');
    expect(before.text).toContain('No reconciliation has ended in the last 14 days.');
    await extractor.run();
    await fixture.deliver(extractor);
    await extractor.reconcile();
    const { text, status } = await clientOf(extractor, 'read-only').get('/runs');
    expect(status).toBe(200);
    expect(text).toMatch(/SRM is read whole up to\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/);
    expect(text).toMatch(/\| Complete \| from \S+Z to \S+Z \| 1 \| 1 \| 0 \| 0 \| 0 \| 0 \| 0 \| 0\n/);
  });

  test('offers nothing to do without the right to operate, and does nothing', async () => {
    const extractor = await opened();
    const client = clientOf(extractor, 'read-only');
    const { text, markup } = await client.get('/runs?cart=1010000123');
    expect(text).toContain('start the console with --operate');
    expect(markup).not.toContain('method="post"');
    const sent = await client.post('/runs', { act: 'cart', cart: '1010000123', reason: REASON });
    expect(sent.status).toBe(403);
    expect(extractor.srm.requests).toEqual([]);
  });

  test('searches the log only when it is asked to, and links each run', async () => {
    const asked: unknown[] = [];
    const run = '11111111-2222-3333-4444-555555555555';
    const atMs = Date.now() - MINUTE;
    const log = {
      kind: 'answered' as const,
      isWhole: true,
      upToMs: atMs,
    };
    const line = {
      atMs,
      sentence: 'Extraction complete',
      runId: run,
      readTo: '2026-11-29T05:52:11Z',
      pages: '3',
      rows: '200',
      queued: '12',
      reason: undefined,
    };
    const logs: Sources['logs'] = {
      async runs(window) {
        asked.push(window);
        return {
          ...log,
          value: [line, { ...line, sentence: '<b>Extraction failed</b>', runId: undefined, reason: 'E_SRC_AUTH' }],
        };
      },
      story: async () => ({ kind: 'unanswered', why: 'CloudWatch gives no answer' }),
      cartsBy: async () => ({ ...log, value: [] }),
    };
    const client = clientOf(await opened(), 'read-only', { logs });
    await client.get('/runs');
    expect(asked).toEqual([]);
    const { text, markup } = await client.get('/runs?hours=6');
    expect(asked).toEqual([{ fromMs: expect.any(Number), toMs: expect.any(Number) }]);
    expect(text).toContain('Extraction complete | 2026-11-29T05:52:11Z | 3 | 200 | 12 | ');
    expect(text).toContain('<b>Extraction failed</b> E_SRC_AUTH | ');
    expect(markup).not.toContain('<b>Extraction failed');
    expect(markup).toContain(`href="/runs/${run}?at=${atMs}"`);
    expect((await client.get(`/runs/${run}?at=${atMs}`)).text).toContain('CloudWatch gives no answer');
    expect((await client.get('/runs/none')).status).toBe(404);
  });
});

describe('a replay of a window', () => {
  test('says beforehand what the ledger knows of it, and what nobody knows', async () => {
    const from = thisSecond() - 10 * HOUR;
    const extractor = await opened([
      cartOfKind('orders', from),
      cartOfKind('orders', from + HOUR),
      cartOfKind('orders', from + 3 * HOUR),
      cartOfKind('dead-letter', from + HOUR),
      cartOfKind('skip', from + HOUR),
    ]);
    await extractor.run();
    await fixture.deliver(extractor);
    const { text, markup } = await clientOf(extractor).get(
      `/runs?from=${localTime(from)}&to=${localTime(from + 2 * HOUR)}`,
    );
    expect(text).toContain('2 carts with orders: nothing is ordered again');
    expect(text).toContain('1 cart with an open dead letter');
    expect(text).toContain('1 cart that a rule skipped');
    expect(text).toContain('What cannot be known beforehand: which carts SRM has in this window.');
    expect(text).not.toContain('at least');
    expect(markup).toContain(`name="from" value="${new Date(from).toISOString()}"`);
  });

  test('before the go-live, and beyond what is read, says so', async () => {
    const extractor = await opened();
    await extractor.run();
    const { text } = await clientOf(extractor).get(
      `/runs?from=${localTime(thisSecond() - 3 * DAY)}&to=${localTime(thisSecond() + HOUR)}`,
    );
    expect(text).toContain('It begins before the go-live');
    expect(text).toContain('the next run reads that part by itself');
  });

  test('is done by the extractor, with who and why', async () => {
    const at = thisSecond() - 5 * HOUR;
    const extractor = await opened([cartOfKind('orders', at)]);
    const fields = {
      act: 'window',
      from: new Date(at - SECOND).toISOString(),
      to: new Date(at + SECOND).toISOString(),
    };
    const { text } = await clientOf(extractor).post('/runs', { ...fields, reason: REASON });
    expect(text).toContain('The window is replayed: 1 cart read, 1 queued.');
    expect(await extractor.messages()).toHaveLength(1);
    expect(await lastOperation(extractor)).toMatchObject({ action: 'replay-window', by: ME, reason: REASON });
  });

  test('without a reason is refused, and nothing is read', async () => {
    const extractor = await opened();
    const fields = { act: 'window', from: '2026-11-01T00:00:00Z', to: '2026-11-02T00:00:00Z' };
    const { status, text } = await clientOf(extractor).post('/runs', { ...fields, reason: '' });
    expect(status).toBe(502);
    expect(text).toContain('must say why, in 3 to 200 characters');
    expect(extractor.srm.requests).toEqual([]);
  });

  test.each([
    ['2026-11-02T00:00:00', '2026-11-01T00:00:00'],
    ['yesterday', '2026-11-01T00:00:00'],
    ['2026-02-31T99:00:00', '2026-11-01T00:00:00'],
    ['"><script>', ''],
  ])('from %s to %s is none', async (from, to) => {
    const extractor = await opened();
    const client = clientOf(extractor);
    const shown = await client.get(`/runs?${new URLSearchParams({ from, to }).toString()}`);
    expect(shown.text).toContain('The window needs two times in UTC');
    expect(shown.markup).not.toContain('<script>');
    const sent = await client.post('/runs', { act: 'window', from, to, reason: REASON });
    expect(sent.status).toBe(400);
    expect(extractor.srm.requests).toEqual([]);
  });
});

describe('a replay of a cart', () => {
  test('says how the cart stands, and queues it once more', async () => {
    const cart = cartOfKind('orders', thisSecond() - 5 * HOUR);
    const extractor = await opened([cart]);
    const client = clientOf(extractor);
    const number = cart.number ?? '';
    const unknown = await client.get(`/runs?cart=${number}`);
    expect(unknown.text).toContain('never-read');
    expect(unknown.text).toContain('A replay would be refused');
    await extractor.run();
    await fixture.deliver(extractor);
    const known = await client.get(`/runs?cart=0000${number}`);
    expect(known.text).toContain(`Cart ${number}\nordered:`);
    const sent = await client.post('/runs', { act: 'cart', cart: number, reason: REASON });
    expect(sent.text).toContain(`Cart ${number} is read from SRM again: 1 message queued.`);
    expect(await extractor.messages()).toHaveLength(1);
    expect(await lastOperation(extractor)).toMatchObject({ action: 'replay-cart', by: ME, reason: REASON });
  });

  test('that a person has settled by hand says so beforehand', async () => {
    const cart = cartOfKind('orders', thisSecond() - 5 * HOUR);
    const extractor = await opened([cart]);
    await extractor.run();
    const number = cart.number ?? '';
    const table = createLedgerTable(fixture.systems().clients.dynamodb, fixture.systems().tableName);
    const key = { cart: { client: extractor.variables.SRM_CLIENT, number }, messageId: 'm' };
    await createRedriveRecord(table).close(key, { by: ME, reason: REASON, changedAtMs: undefined }, Date.now());

    const { text, markup } = await clientOf(extractor).get(`/runs?cart=${number}`);
    expect(text).toContain('closed: ');
    expect(markup).toMatch(/class="notice critical"[^>]*>A person has settled this cart by hand: its order may exist/);
    expect(text).toContain('Replay this cart');
  });

  test('that is no number is refused', async () => {
    const client = clientOf(await opened());
    const answers: SentPage[] = [
      await client.get(`/runs?cart=${encodeURIComponent('a b<script>')}`),
      await client.post('/runs', { act: 'cart', cart: 'a b', reason: REASON }),
    ];
    for (const { text } of answers) expect(text).toContain('A cart has a number of letters and digits');
  });
});

describe('a reconciliation by hand', () => {
  test('is done by the reconciler, with who and why', async () => {
    const extractor = await opened([cartOfKind('orders', thisSecond() - 5 * HOUR)]);
    await extractor.run();
    await fixture.deliver(extractor);
    const { text } = await clientOf(extractor).post('/runs', { act: 'reconcile', days: '1', reason: REASON });
    expect(text).toContain('The reconciliation is complete: 1 approved cart read, 0 queued again.');
    expect(await lastOperation(extractor)).toMatchObject({ action: 'reconcile', by: ME, reason: REASON });
  });

  test.each(['0', '61', '1.5', 'x', ''])('of %s days is refused', async (days) => {
    const { status, text } = await clientOf(await opened()).post('/runs', { act: 'reconcile', days, reason: REASON });
    expect(status).toBe(400);
    expect(text).toContain('1 to 60 days');
  });
});
