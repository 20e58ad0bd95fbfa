/** The console's pages about carts, over a real ledger: lists, search, one cart, audit, and who did what by hand. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { createVerdictRecord } from '../../../functions/create-purchase-orders/verdict/verdict-record.ts';
import { createHandler } from '../../../functions/redrive-dead-letters/handler.ts';
import { createReconciliationRecord } from '../../../functions/reconcile-carts/reconciliation-record.ts';
import { writeStart } from '../../../infra/console/carts/list-request.ts';
import { type Environment, loadEnvironment } from '../../../infra/environments.ts';
import { writeCartMessage } from '../../../shared/cart-message.ts';
import type { Fault } from '../../../shared/failure.ts';
import { cartPartition, orderSort, queuedPartition, redriveSort } from '../../../shared/ledger-keys.ts';
import { createLedger } from '../../../shared/ledger.ts';
import { createLedgerTable, type LedgerTable } from '../../../shared/ledger-table.ts';
import { createWatermark } from '../../../shared/watermark.ts';
import { listed } from '../../../shared/lists.ts';
import { beginOperation } from '../../../shared/operations.ts';
import { type Fixture, lambdaContext, openFixture } from '../fixture.ts';
import { type ConsolePlace, openReadingConsole } from './reading-console.ts';

const CLIENT = '101';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Noon, so that an hour ago is the same day. */
const NOW = Date.UTC(2026, 10, 27, 12);
const dayText = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const TODAY = dayText(NOW);
const CROWDED = dayText(NOW - 3 * DAY);
const CROWD = 620;

const directory = mkdtempSync(join(tmpdir(), 'cart-pages-'));
let fixture: Fixture;
let table: LedgerTable;
let place: ConsolePlace;
let get: ReturnType<typeof openReadingConsole>;
let environment: Environment;
/** The commands that were sent to the table, with the index and how many of its items they read. */
let commands: string[] = [];

const externalId = (number: string, supplier = '100234'): string => `SRM7-${CLIENT}-${number}-${supplier}-EUR-BE10`;
const cartOf = (number: string) => ({ client: CLIENT, number, changedAtMs: NOW - 2 * HOUR });

async function order(
  number: string,
  options: { atMs: number; supplier?: string; orderNumber?: string },
): Promise<void> {
  const { atMs, supplier, orderNumber = `PO-${number}` } = options;
  const claim = {
    cart: cartOf(number),
    externalId: externalId(number, supplier),
    changedAtMs: NOW - 2 * HOUR,
    contentHash: 'hash',
    messageId: randomUUID(),
    receive: 1,
    attemptId: randomUUID(),
    ordersOfCart: 1,
    leaseMs: 1000,
    nowMs: atMs - 1000,
  };
  const ledger = createLedger(table);
  await ledger.claim(claim);
  await ledger.created(claim, { id: `id-${number}`, number: orderNumber }, atMs);
}

async function queued(number: string, atMs: number): Promise<void> {
  const key = { pk: queuedPartition(cartPartition(cartOf(number))), sk: `QUEUED#${NOW - 2 * HOUR}#0` };
  await table.putItem({ ...key, runId: 'run-of-the-test', queuedAtMs: atMs, changedAtMs: NOW - 2 * HOUR });
}

const dead = (number: string, messageId: string, atMs: number, faults: readonly Fault[]): Promise<void> =>
  createVerdictRecord(table).record({ cart: cartOf(number), messageId }, { state: 'FINAL', faults, nowMs: atMs });

/** By the redriver, as a person asks it. */
async function close(number: string): Promise<void> {
  const { clients, deadLetterUrl, deadLetterName, queueUrl, tableName } = fixture;
  const MessageBody = writeCartMessage({
    schemaVersion: 1,
    runId: 'run-7',
    correlationId: 'c',
    client: CLIENT,
    cart: { number, guid: null },
    source: { ObjectId: number },
  });
  const { MessageId: id = '' } = await clients.sqs.send(
    new SendMessageCommand({ QueueUrl: deadLetterUrl, MessageBody }),
  );
  await dead(number, id, NOW - HOUR, [UNIT]);
  const redriver = createHandler(
    {
      ...process.env,
      INTERFACE_ENVIRONMENT: 'test',
      TABLE_NAME: tableName,
      QUEUE_URL: queueUrl,
      DEAD_LETTER_QUEUE_URL: deadLetterUrl,
      DEAD_LETTER_QUEUE_ARN: `arn:aws:sqs:eu-west-1:000000000000:${deadLetterName}`,
      WORKER_FUNCTION: 'the-worker',
      WORKER_TIMEOUT_SECONDS: '60',
      SRM_CLIENT: CLIENT,
    },
    { now: () => NOW - 40 * MINUTE },
  );
  await redriver({ close: { messageIds: [id], by: OPERATOR, reason: 'ordered by hand, SRM-9' } }, lambdaContext());
}

const UNIT: Fault = {
  code: 'E_MAP_UOM',
  message: 'the unit is not in the value map',
  line: '1',
  path: '$.Items[0].Unit',
  value: 'XXX',
};
const MESSAGE = randomUUID();
const OPERATOR = 'arn:aws:sts::123456789012:assumed-role/operator/ada';

beforeAll(async () => {
  fixture = await openFixture();
  const { clients, tableName, queueUrl } = fixture;
  table = createLedgerTable(clients.dynamodb, tableName);
  clients.dynamodb.middlewareStack.add(
    (next, context) => (args) => {
      const input: object = args.input;
      const limit = 'Limit' in input ? `, ${String(input.Limit)} at most` : '';
      const index = 'IndexName' in input ? `(${String(input.IndexName)}${limit})` : '';
      commands.push(`${context.commandName ?? ''}${index}`);
      return next(args);
    },
    { step: 'initialize' },
  );
  const dev = loadEnvironment('dev');
  environment = {
    ...dev,
    srm: { ...dev.srm, client: CLIENT },
    owners: { mapping: { name: 'Catalogue', contact: '#catalogue' } },
    notifications: { ...dev.notifications, runbookUrl: 'https://wiki.example.com/runbook' },
  };
  place = { clients, tableName, queueUrl, environment, logPath: join(directory, 'functions.log'), now: () => NOW };
  get = openReadingConsole(place);
  await fill();
});
beforeEach(() => {
  commands = [];
});
afterAll(async () => {
  await fixture?.close();
  rmSync(directory, { recursive: true, force: true });
});

async function fill(): Promise<void> {
  await queued('1010000001', NOW - 90 * MINUTE);
  await order('1010000001', { atMs: NOW - 30 * MINUTE, orderNumber: '4500000001' });
  await order('1010000002', { atMs: NOW - 20 * MINUTE, supplier: 'SUP-7' });
  await order('1010000009', { atMs: NOW - DAY, orderNumber: '=HYPERLINK("http://evil.example")' });
  await queued('1010000003', NOW - 90 * MINUTE);
  await dead('1010000003', MESSAGE, NOW - HOUR, [UNIT]);
  // Given up, and ordered since.
  await dead('1010000004', randomUUID(), NOW - 59 * MINUTE, [{ ...UNIT, code: 'E_MAP_TAX' }]);
  await order('1010000004', { atMs: NOW - 10 * MINUTE });
  await createLedger(table).recordSkip(cartOf('1010000005'), {
    reason: 'the cart is a template <b>',
    messageId: randomUUID(),
    nowMs: NOW - HOUR,
  });
  await queued('1010000006', NOW - 5 * MINUTE);
  await close('1010000007');
  const act = { by: OPERATOR, requestId: 'r1', reason: 'ordered by hand, SRM-9' };
  await beginOperation(
    table,
    { ...act, action: 'pause', reason: '=cmd|calc', subject: 'consumption' },
    { nowMs: NOW - 80 * MINUTE, id: 'b' },
  );
  await table.putItems(
    Array.from({ length: CROWD }, (_, index) => {
      const number = String(2_000_000_000 + index);
      const atMs = Date.parse(`${CROWDED}T08:00:00Z`) + index;
      return {
        pk: cartPartition({ client: CLIENT, number }),
        sk: orderSort(externalId(number, index === 10 ? 'RARE' : '100234')),
        state: 'CREATED',
        orderNumber: `PO-${number}`,
        changedAtMs: atMs,
        ordersOfCart: 1,
        ...listed('CREATED', atMs),
      };
    }),
  );
  writeFileSync(
    join(directory, 'functions.log'),
    [
      { cartNumber: '1010000003', messageId: MESSAGE, event: 'cart.retry-scheduled', attempt: 1, seconds: -4000 },
      { cartNumber: '1010000003', messageId: MESSAGE, event: 'cart.dead-lettered', attempt: 2, seconds: -3600 },
      { cartNumber: '1010000006', messageId: randomUUID(), runId: RUN, event: 'cart.retry-scheduled', seconds: -60 },
    ]
      .map(({ seconds, ...fields }) =>
        JSON.stringify({
          ...fields,
          message: `sentence of ${fields.event}`,
          timestamp: new Date(NOW + seconds * 1000).toISOString(),
        }),
      )
      .join('\n'),
  );
}
const RUN = randomUUID();

const rowsOf = (markup: string): number => (markup.match(/<tbody>[\s\S]*?<\/tbody>/)?.[0].match(/<tr>/g) ?? []).length;
const nextOf = (markup: string): string =>
  (/<a href="([^"]*)" rel="next">/.exec(markup)?.[1] ?? '').replaceAll('&amp;', '&');
const csvOf = (text: string): string[][] => parse(text, { bom: true });

describe('the list of carts', () => {
  test('shows the orders of a day with carts, suppliers and present standings, newest first', async () => {
    const { text, response, markup } = await get(`/carts?day=${TODAY}`);

    expect(response.status).toBe(200);
    expect(text).toContain(`Orders on ${TODAY} (UTC) (3)`);
    expect(text).toMatch(/1010000004 Cured PO-1010000004 .*1010000002 Ordered PO-1010000002 SUP-7 BE10 .*1010000001/);
    expect(markup).toContain('href="/carts/101/1010000001"');
  });

  test.each<[string, RegExp]>([
    [
      'dead-lettered',
      /Messages given up in the last 14 days \(2\).* 1010000004 Cured E_MAP_TAX.* 1010000003 Dead-lettered E_MAP_UOM: .*value "XXX".*mapping owner \(Catalogue, #catalogue\)/,
    ],
    ['dead-lettered&code=e_map_uom', /Messages given up for E_MAP_UOM in the last 14 days \(1\)/],
    ['skipped', /Skipped carts in the last 14 days \(1\).* 1010000005 Skipped the cart is a template <b>/],
    ['closed', /Carts closed by hand in the last 14 days \(1\).* 1010000007 Closed ordered by hand, SRM-9 arn:aws:sts/],
    ['waiting', /0 messages on the queue.* Consumption is running\. SRM was never read/],
    ['ordered&supplier=SUP-7', /Orders for supplier SUP-7 in the last 14 days \(1\).* 1010000002/],
  ])('of those %s says which', async (state, shown) => {
    expect((await get(`/carts?state=${state}`)).text).toMatch(shown);
  });

  test('of a crowded day reads one page of the index, asks for the standings of the shown rows alone, and goes on', async () => {
    const first = await get(`/carts?day=${CROWDED}`);
    expect(commands).toEqual(['QueryCommand(listed, 51 at most)', ...Array(100).fill('QueryCommand')]);
    expect(first.text).toContain(`Orders on ${CROWDED} (UTC) (first 50; more follow)`);
    expect(rowsOf(first.markup)).toBe(50);
    expect(first.text).toContain('2000000619');

    commands = [];
    const second = await get(nextOf(first.markup));
    expect(commands.filter((command) => command !== 'QueryCommand')).toEqual(['QueryCommand(listed, 51 at most)']);
    expect(second.text).toContain('(next 50; more follow)');
    expect(second.text).toContain('2000000569');
    expect(second.text).not.toContain('2000000570 ');
  });

  test('is gone through to its end, each order once', async () => {
    let path = `/carts?day=${CROWDED}`;
    const seen: string[] = [];
    let last = '';
    while (path !== '') {
      const { markup, text } = await get(path);
      seen.push(...[...markup.matchAll(/href="\/carts\/101\/(\d+)"/g)].map(([, number = '']) => number));
      path = nextOf(markup);
      last = text;
    }
    expect(seen).toHaveLength(CROWD);
    expect(new Set(seen).size).toBe(CROWD);
    expect(last).toContain('(last 20)');
  });

  test('with a filter that matches one of many finds it, by a few requests', async () => {
    const { text } = await get(`/carts?day=${CROWDED}&supplier=RARE`);

    expect(text).toContain('(1)');
    expect(text).toContain('2000000010');
    expect(commands.filter((command) => command !== 'QueryCommand')).toEqual(['QueryCommand(listed)']);
  });

  const client = { pk: `CART#${CLIENT}#1`, sk: 'ORDER#1', listedAtMs: NOW };
  test.each<[string, string]>([
    ['is no base64', 'after=%27%22%3E'],
    ['is no JSON', `after=${Buffer.from('{').toString('base64url')}`],
    ['is of another client', `after=${writeStart({ day: TODAY, after: { ...client, pk: 'CART#999#1' } })}`],
    ['is of another list', `after=${writeStart({ day: TODAY, after: { ...client, sk: 'VERDICT#1' } })}`],
    ['is of another partition', `after=${writeStart({ day: TODAY, after: { ...client, pk: 'OPERATION#2026-11' } })}`],
    ['is of another day', `after=${writeStart({ day: TODAY, after: { ...client, listedAtMs: NOW - DAY } })}`],
    ['is of a day outside', `after=${writeStart({ day: '2020-01-01', after: undefined })}`],
    ['has no time', `after=${Buffer.from(`["${TODAY}",1e300,"CART#101#1","ORDER#1"]`).toString('base64url')}`],
    ['is very long', `after=${'a'.repeat(5000)}`],
  ])('refuses a position that %s', async (_, query) => {
    const { response, text } = await get(`/carts?day=${TODAY}&${query}`);

    expect(response.status).toBe(400);
    expect(text).toContain('The link to this part of the list is damaged');
    expect(commands).toEqual([]);
  });

  test.each(['state=lost', 'day=2026-02-30', 'day=x', 'state=dead-lettered&code=E_NONE', "supplier=1'%20or%201"])(
    'refuses %s',
    async (query) => {
      expect((await get(`/carts?${query}`)).response.status).toBe(400);
    },
  );

  test('as CSV is the whole list in parts, without anything that a spreadsheet would calculate', async () => {
    const { response, markup } = await get(`/carts?day=${CROWDED}&as=csv`);
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(response.headers.get('content-disposition')).toBe(`attachment; filename="carts-ordered-dev-${CROWDED}.csv"`);
    const rows = csvOf(markup);
    expect(rows).toHaveLength(CROWD + 1);
    expect(rows[0]).toEqual(['ordered at', 'cart', 'order number', 'order id', 'external id', 'cart changed at']);
    expect(rows[1]?.[1]).toBe('2000000000');

    const [, formula] = csvOf((await get(`/carts?day=${dayText(NOW - DAY)}&as=csv`)).markup);
    expect(formula?.[2]).toBe(`'=HYPERLINK("http://evil.example")`);
  });

  test('of dead letters as CSV says who and what to do, and how each cart stands now', async () => {
    const [head, ...rows] = csvOf((await get('/carts?state=dead-lettered&as=csv')).markup);

    expect(head).toEqual(['given up at', 'cart', 'standing', 'code', 'owner', 'message id', 'why', 'what to do']);
    const byCart = new Map(rows.map((row) => [row[1], row]));
    expect(byCart.get('1010000003')?.slice(2, 6)).toEqual([
      'dead-lettered',
      'E_MAP_UOM',
      'mapping owner (Catalogue, #catalogue)',
      MESSAGE,
    ]);
    expect(byCart.get('1010000004')?.[2]).toBe('cured');
  });
});

describe('the search', () => {
  const target = async (query: string) => {
    const { response } = await get(`/find?q=${encodeURIComponent(query)}`);
    return [response.status, response.headers.get('location')];
  };

  test.each<[string, string]>([
    ['a cart', '1010000001'],
    ['a cart with leading zeros', '0001010000001'],
    ['an external id', externalId('1010000001')],
    ['an order number', '4500000001'],
    ['an order id', 'id-1010000001'],
  ])('for %s leads to its page', async (_, query) => {
    expect(await target(query)).toEqual([303, '/carts/101/1010000001']);
  });

  test('for the message of a dead letter leads to its cart', async () => {
    expect(await target(MESSAGE)).toEqual([303, '/carts/101/1010000003']);
  });

  test('for a supplier lists its carts, and says where it searched', async () => {
    const { text } = await get('/find?q=100234');

    expect(text).toContain('Carts found (50)');
    expect(text).toMatch(
      /Searched The ledger, for a cart of this number or GUID\. The orders of the last 14 days \([\d,]+ entries\)\. The orders, by supplier, back to 2026-11-\d\d \([\d,]+ entries\): not all/,
    );
    expect((await get('/find?q=SUP-7')).text).toMatch(
      /Carts found \(1\) Cart Standing Found as 1010000002 Ordered supplier/,
    );
  });

  test('for a run looks into the log, and says so', async () => {
    const { text } = await get(`/find?q=${RUN}`);

    expect(text).toMatch(/Carts found \(1\) Cart Standing Found as 1010000006 Waiting in a line of its log/);
    expect(text).toContain('The log of the last 14 days, for this cart number, GUID, message id, run id');
  });

  test('for a number that nothing holds says how far SRM is read, and what to do', async () => {
    const { text } = await get('/find?q=1010099999');

    expect(text).toContain('If 1010099999 is the number of a cart No run has read this cart');
    expect(text).toContain('Check the number. In SRM: is it approved');
    expect(text).toContain('Carts found (0)');
  });

  test.each([
    '1" or cartNumber like /.*/ or cartNumber = "2',
    '1 | fields @message',
    '<script>alert(1)</script>',
    "'; drop",
    '../../etc/passwd\n',
    '1'.repeat(300),
  ])('refuses %j, and asks nothing', async (query) => {
    const { response, text, markup } = await get(`/find?q=${encodeURIComponent(query)}`);

    expect(response.status).toBe(400);
    expect(text).toContain('This is no identifier, and was not searched');
    expect(markup).not.toContain('<script>alert');
    expect(commands).toEqual([]);
  });
});

describe('the page of a cart', () => {
  test('says where it stands, who can do what, where the fault is, and what happened', async () => {
    const { text, markup } = await get('/carts/101/1010000003');

    expect(text).toContain('Cart 1010000003');
    expect(text).toMatch(/Standing Dead-lettered/);
    expect(text).toContain('What is wrong (1) E_MAP_UOM: The unit of measure is not in the value map');
    expect(text).toContain('Who can correct it mapping owner (Catalogue, #catalogue)');
    expect(text).toContain('the unit is not in the value map (line 1, $.Items[0].Unit, value "XXX")');
    expect(markup).toContain('href="https://wiki.example.com/runbook#redrive"');
    const story = text.slice(text.indexOf('What happened'));
    expect(story).toMatch(
      /SRM changed in SRM .*Queue read and queued by run run-of-the-test ledger .*Pause pause of consumption, by arn.* act by hand .*Attempt sentence of cart\.retry-scheduled \(attempt 1\) log .*Dead letter given up: message .* ledger/,
    );
    // Ledger and log both know it.
    expect(story.match(/given up: message/g)).toHaveLength(1);
    expect(story).not.toContain('sentence of cart.dead-lettered');
    expect(story).toContain('Log lines up to 2026-11-27 12:00:00 UTC');
  });

  test('of one that was closed by hand says by whom and why, once', async () => {
    const { text } = await get('/carts/101/1010000007');

    expect(text).toMatch(/Standing Closed/);
    expect(text).toMatch(
      /Closed closed by hand: message \S+, by arn:aws:sts::123456789012:assumed-role\/operator\/ada: ordered by hand, SRM-9/,
    );
    expect(text.match(/close of 1 dead letter/g)).toBeNull();
  });

  test('of one that was redriven tells it', async () => {
    const key = { pk: cartPartition(cartOf('1010000003')), sk: redriveSort(MESSAGE) };
    await table.putItem({
      ...key,
      state: 'SENT',
      newMessageId: randomUUID(),
      by: OPERATOR,
      reason: 'unit added',
      startedAtMs: NOW - 2 * MINUTE,
      sentAtMs: NOW - MINUTE,
      changedAtMs: NOW - 2 * HOUR,
    });

    expect((await get('/carts/101/1010000003')).text).toMatch(
      /Standing Waiting .*Redrive redriven as message .*: unit added/,
    );
  });

  test('of one that no run has read says what to do', async () => {
    expect((await get('/carts/101/1010099999')).text).toMatch(
      /Standing Never-read .*No run has read this cart.* In SRM: is it approved/,
    );
  });

  test('for a ticket holds identifiers, code, owner, what to do and times', async () => {
    const { markup } = await get('/carts/101/1010000004');

    expect(/<pre data-copy="the ticket">([\s\S]*?)<\/pre>/.exec(markup)?.[1]).toMatch(
      /^Environment: dev\nCart: 1010000004 \(SAP client 101\)\nStanding: cured\n[\s\S]*External id: SRM7-101-1010000004-[\s\S]*Runbook: https:\/\/wiki/,
    );
  });

  test.each(['/carts/999/1010000001', '/carts/101/unidentified', '/carts/101/a%20b', '/carts/101/%3Cscript%3E%20'])(
    'does not exist at %s',
    async (path) => {
      expect((await get(path)).response.status).toBe(404);
    },
  );
});

describe('the audit', () => {
  const record = () => createReconciliationRecord(table, CLIENT);
  const counts = {
    cartsRead: 10,
    created: 8,
    skipped: 1,
    inFlight: 0,
    deadLettered: 1,
    closed: 0,
    queuedAgain: 0,
    notJudged: 0,
    unidentified: 0,
  };

  test('of a day is its orders with their carts, and says when no reconciliation has read the whole of it', async () => {
    const { text } = await get(`/audit?day=${TODAY}`);

    expect(text).toContain(`Audit of ${TODAY} (UTC)`);
    expect(text).toContain('Orders created, with their carts (3)');
    expect(text).toContain('No reconciliation has read any of this period');
  });

  test('is of yesterday unless it says otherwise', async () => {
    expect((await get('/audit')).text).toContain(`Audit of ${dayText(NOW - DAY)} (UTC)`);
  });

  test('of a month goes through all its days', async () => {
    const { text, markup } = await get('/audit?month=2026-11');

    expect(text).toContain('Orders created, with their carts (first 50; more follow)');
    expect(nextOf(markup)).toContain('month=2026-11');
    expect(csvOf((await get('/audit?month=2026-11&as=csv')).markup)).toHaveLength(CROWD + 4 + 1);
    expect((await get('/audit?month=2026-10')).text).toContain('Orders created, with their carts (0)');
  });

  test('says what SRM approved in the period, against what became of it', async () => {
    const day = dayText(NOW - DAY);
    const fromMs = Date.parse(`${day}T00:00:00Z`);
    const report = {
      runId: RUN,
      status: 'complete',
      endedMs: NOW - HOUR,
      fromMs: fromMs - 6 * DAY,
      toMs: fromMs + DAY,
    } as const;
    await record().keepReport({ ...report, ...counts });
    await record().keepReport({ ...report, ...counts, status: 'stopped', endedMs: NOW - 2 * HOUR, toMs: fromMs + 1 });
    // One that begins in the period, and goes on after it, takes nothing from the one that has read it whole.
    await record().keepReport({ ...report, ...counts, endedMs: NOW - MINUTE, fromMs: fromMs + HOUR, toMs: NOW - HOUR });

    const { text } = await get(`/audit?day=${day}`);
    expect(text).toMatch(
      /Of 10 carts that SRM approved, last changed from 2026-11-20 00:00:00 UTC to 2026-11-27 00:00:00 UTC: 8 carts ordered, 1 skipped by a rule, 0 closed by hand, 1 otherwise, as of/,
    );
    expect(text).not.toContain('No reconciliation has read what was changed later');
    expect(text).toContain('3 reconciliations that read a part of this period');
    const [head, first] = csvOf((await get(`/audit?day=${day}&as=reconciliations`)).markup);
    expect(head).toContain('approved');
    expect(first).toContain('10');
  });

  test('of a month says which parts of it the reconciliations have read together, since none reads a month', async () => {
    const monthMs = Date.parse('2026-09-01T00:00:00Z');
    const week = (index: number): Promise<void> =>
      record().keepReport({
        runId: `week-${index}`,
        status: 'complete',
        endedMs: monthMs + (index + 7) * DAY,
        fromMs: monthMs + (index - 1) * DAY,
        toMs: monthMs + (index + 6.9) * DAY,
        ...counts,
      });
    const summary = async (): Promise<string> =>
      /No one reconciliation has read[^.]*\./.exec((await get('/audit?month=2026-09')).text)?.[0] ?? '';
    for (const index of [0, 5, 10, 20]) await week(index);
    expect(await summary()).toBe(
      'No one reconciliation has read the whole of this period: together, those below have read it but for what was changed from 2026-09-17 21:36:00 UTC to 2026-09-20 00:00:00 UTC, from 2026-09-27 21:36:00 UTC to 2026-10-01 00:00:00 UTC.',
    );
    for (const index of [15, 25]) await week(index);
    expect(await summary()).toBe(
      'No one reconciliation has read the whole of this period: together, those below have read all of it.',
    );
  });
});

describe('who did what by hand', () => {
  test('is shown with why, by whom and what came of it', async () => {
    const { text, markup } = await get('/operations?month=2026-11');

    expect(text).toContain('Acts by hand in 2026-11 (UTC) (2)');
    expect(text).toMatch(
      /close 1 dead letter Carts: 1010000007 ordered by hand, SRM-9 arn:aws:sts.* done after 0 s 1 closed .*pause consumption =cmd\|calc .* no end is recorded/,
    );
    expect(markup).toContain('href="/carts/101/1010000007"');
    expect((await get('/operations?action=pause&month=2026-11')).text).toContain('(UTC) (1)');
    expect((await get('/operations?month=2026-10')).text).toContain('No act by hand in this month.');
    expect((await get('/operations?action=drop')).response.status).toBe(400);
  });

  test('as CSV holds nothing that a spreadsheet would calculate', async () => {
    const [head, ...rows] = csvOf((await get('/operations?month=2026-11&as=csv')).markup);

    expect(head?.slice(2, 6)).toEqual(['act', 'on what', 'why', 'by']);
    expect(rows.map((row) => row[4])).toEqual(['ordered by hand, SRM-9', "'=cmd|calc"]);
  });
});

const NO_CARTS = {
  cartsRead: 0,
  created: 0,
  skipped: 0,
  inFlight: 0,
  deadLettered: 0,
  closed: 0,
  queuedAgain: 0,
  notJudged: 0,
  unidentified: 0,
};

// Last, since it lets SRM be read.
describe('the page Now', () => {
  test('says whether SRM is read in time, by the silence of the alarm, and which version runs', async () => {
    const lease = { runId: randomUUID(), leaseMs: 1000 };
    const watermark = createWatermark(table, CLIENT);
    // The schedule of dev reads every five minutes, and leaves the last five unread: three intervals more are too long.
    await watermark.acquire(lease, NOW);
    await watermark.completeSlice(lease, NOW - 20 * MINUTE, NOW);
    expect((await get('/')).text).toMatch(/SRM is read up to 2026-11-27 11:40:00 UTC \(20 min ago\) Runs/);
    expect((await get('/')).text).toContain('What runs version 1.0.0');
    const late = openReadingConsole({ ...place, now: () => NOW + 1000 });
    expect((await late('/')).text).toMatch(/SRM is read up to Behind 2026-11-27 11:40:00 UTC/);
  });

  test('says how many dead letters SQS deletes next', async () => {
    expect((await get('/')).text).toMatch(
      /The next one is deleted \S+ \S+ UTC \(in 13 d[^)]*\) ?: \S+ ?; 0 within 3 days/,
    );
    await dead('1010000020', randomUUID(), NOW - 12 * DAY, [UNIT]);
    expect((await get('/')).text).toMatch(/The next one is deleted \S+ \S+ UTC \(in 2 d\) ?: \S+ ?; 1 within 3 days/);
  });

  test('knows a reconciliation by hand, which the schedule did not start', async () => {
    const byHand = { runId: RUN, status: 'complete', fromMs: NOW - DAY, toMs: NOW, endedMs: NOW - MINUTE } as const;
    await createReconciliationRecord(table, CLIENT).keepReport({ ...byHand, ...NO_CARTS });
    expect((await get('/')).text).toMatch(/Reconciliation 2026-11-27 11:59:00 UTC \(1 min ago\) What runs/);
  });
});
