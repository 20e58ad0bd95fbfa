/** The console's search in the logs: in the file of a local run, and by CloudWatch Logs Insights over its protocol. */
import { createServer, type Server } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type Identifier,
  identifier,
  type IdentifierKind,
  identifiersOf,
  type LogSearch,
} from '../../../infra/console/logs/log-search.ts';
import { createLogsInsights } from '../../../infra/console/logs/logs-insights.ts';
import { createRunLogSearch } from '../../../infra/console/logs/run-log-search.ts';
import { queryText } from '../../../infra/constructs/query-texts.ts';
import { asJsonObject } from '../../../shared/exact-json.ts';

const AT = Date.UTC(2026, 10, 27, 14);
const MINUTE = 60_000;
const window = { fromMs: AT - MINUTE, toMs: AT + 10 * MINUTE };
const MESSAGE = '11111111-2222-3333-4444-555555555555';
const RUN = '99999999-2222-3333-4444-555555555555';
const ORDER = 'SRM7-101-1010000123-100234-EUR-BE10';

function wanted(kind: IdentifierKind, text: string): Identifier {
  const one = identifier(kind, text);
  if (one === undefined) throw new Error(`${text} has not the form of a ${kind}`);
  return one;
}

const HOSTILE = [
  '1" or cartNumber like /.*/ or cartNumber = "2',
  "1' or '1'='1",
  '1\n| fields @message',
  '1 | fields @message',
  '/.*/',
  '.*',
  '1\\',
  '1`2',
  '{"$ne":1}',
  '<script>alert(1)</script>',
  '1\u{2028}2',
  '１０',
  '1'.repeat(500),
  '',
  ' ',
];

describe('what may enter a query', () => {
  test.each(HOSTILE)('is not %j, as anything', (text) => {
    expect(identifiersOf(text)).toEqual([]);
  });

  test.each<[string, readonly IdentifierKind[]]>([
    ['1010000123', ['cartNumber', 'orderNumber', 'orderId', 'supplier']],
    [MESSAGE, ['cartNumber', 'cartGuid', 'messageId', 'runId', 'orderNumber', 'orderId']],
    ['AFBWpQmzHuG+5YzlockNsA==', ['cartGuid']],
    [ORDER, ['cartNumber', 'externalId', 'orderNumber', 'orderId']],
    ['PO-2026/0004711', ['orderNumber', 'orderId']],
  ])('%s can be %j', (text, kinds) => {
    expect(identifiersOf(text).map(({ kind }) => kind)).toEqual(kinds);
  });
});

const line = (seconds: number, event: string, fields: object = {}) =>
  JSON.stringify({
    timestamp: new Date(AT + seconds * 1000).toISOString(),
    level: 'INFO',
    service: 'create-purchase-orders',
    event,
    message: `sentence of ${event}`,
    ...fields,
  });
const cart = { cartNumber: '1010000123', cartGuid: 'g', messageId: MESSAGE, runId: RUN };

describe('in the file of a local run', () => {
  const directory = mkdtempSync(join(tmpdir(), 'log-search-'));
  const path = join(directory, 'functions.log');
  const search = createRunLogSearch(path, () => AT + 5 * MINUTE);
  beforeAll(() => {
    writeFileSync(
      path,
      [
        line(-3600, 'cart.skipped', cart),
        line(1, 'cart.retry-scheduled', { ...cart, attempt: 1, reasons: ['E_TGT_UNAVAILABLE: down', 'E_X: y'] }),
        'START RequestId: 1',
        '{"_aws":{},"CartsQueued":1}',
        line(2, 'consumption.pausing', { reason: '11VMS is down' }),
        line(3, 'order.created', { ...cart, externalId: ORDER, orderNumber: 'PO-1' }),
        line(4, 'cart.skipped', { cartNumber: '1010000124', messageId: RUN }),
        line(5, 'cart.skipped', { cartGuid: 'only-guid', runId: RUN }),
        '{"broken',
      ].join('\n'),
    );
  });
  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  test('finds the lines of a cart in its window, and the pauses of consumption', async () => {
    const answer = await search.story([wanted('cartNumber', '1010000123')], window);

    expect(answer).toMatchObject({ kind: 'answered', upToMs: AT + 5 * MINUTE, isWhole: true });
    expect(answer.kind === 'answered' ? answer.value : []).toMatchObject([
      { atMs: AT + 1000, event: 'cart.retry-scheduled', attempt: 1, reason: 'E_TGT_UNAVAILABLE: down' },
      { event: 'consumption.pausing', reason: '11VMS is down' },
      { event: 'order.created', externalId: ORDER, orderNumber: 'PO-1', messageId: MESSAGE },
    ]);
  });

  test.each<[IdentifierKind, string, unknown]>([
    ['orderNumber', 'PO-1', [{ number: '1010000123', guid: 'g' }]],
    ['orderNumber', 'PO-2', []],
    ['supplier', '100234', [{ number: '1010000123', guid: 'g' }]],
    ['supplier', '10023', []],
    ['externalId', ORDER, [{ number: '1010000123', guid: 'g' }]],
    ['messageId', RUN, [{ number: '1010000124', guid: undefined }]],
    [
      'runId',
      RUN,
      [
        { number: undefined, guid: 'only-guid' },
        { number: '1010000123', guid: 'g' },
      ],
    ],
  ])('finds carts by %s %s', async (kind, text, value) => {
    expect(await search.cartsBy([wanted(kind, text)], window)).toMatchObject({
      kind: 'answered',
      value,
      isWhole: true,
    });
  });

  test('finds what the runs said at their end, the newest first', async () => {
    const own = join(directory, 'runs.log');
    const run = { service: 'extract-approved-carts', runId: RUN };
    writeFileSync(
      own,
      [
        line(1, 'extraction.completed', { ...run, watermark: '2026-11-27T14:00:00Z', pages: 3, rows: 200, queued: 12 }),
        line(2, 'extraction.page-queued', { ...run, pages: 1 }),
        line(3, 'extraction.failed', { ...run, level: 'ERROR', codes: ['E_SRC_AUTH'], reason: 'SRM refuses' }),
        line(4, 'extraction.locked', run),
        line(5, 'order.created', { ...cart, level: 'ERROR' }),
      ].join('\n'),
    );

    expect(await createRunLogSearch(own, () => AT).runs(window)).toMatchObject({
      kind: 'answered',
      isWhole: true,
      value: [
        { sentence: 'sentence of extraction.locked', readTo: undefined },
        { sentence: 'sentence of extraction.failed', reason: 'SRM refuses' },
        { atMs: AT + 1000, runId: RUN, readTo: '2026-11-27T14:00:00Z', pages: '3', rows: '200', queued: '12' },
      ],
    });
  });

  test('finds nothing before there is a file', async () => {
    const none = createRunLogSearch(join(directory, 'none.log'), () => AT);

    expect(await none.story([wanted('cartNumber', '1')], window)).toMatchObject({ kind: 'answered', value: [] });
  });
});

describe('by CloudWatch Logs Insights', () => {
  let server: Server;
  let client: CloudWatchLogsClient;
  let requests: { readonly action: string; readonly body: Readonly<Record<string, unknown>> }[] = [];
  let answers: ((action: string) => { readonly status?: number; readonly body: object })[] = [];
  let nowMs = AT;
  let search: LogSearch;

  beforeAll(async () => {
    server = createServer((request, response) => {
      void (async () => {
        const action = String(request.headers['x-amz-target']).replace(/^.*\./, '');
        requests.push({ action, body: asJsonObject(await json(request)) ?? {} });
        const { status = 200, body } = answers.shift()?.(action) ?? { status: 500, body: {} };
        response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
      })();
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    client = new CloudWatchLogsClient({
      region: 'eu-west-1',
      endpoint: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      maxAttempts: 1,
    });
    search = createLogsInsights({
      client,
      logGroupNames: ['worker', 'extractor'],
      now: () => nowMs,
      wait: async (ms) => {
        nowMs += ms;
      },
    });
  });
  beforeEach(() => {
    requests = [];
    nowMs = AT;
  });
  afterAll(async () => {
    client.destroy();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  const started = () => ({ body: { queryId: 'q1' } });
  const running = () => ({ body: { status: 'Running', results: [] } });
  const complete =
    (...rows: readonly Readonly<Record<string, string>>[]) =>
    () => ({
      body: {
        status: 'Complete',
        results: rows.map((row) => Object.entries(row).map(([field, value]) => ({ field, value }))),
      },
    });

  test('asks the saved query of a cart, waits for its end, and reads its rows', async () => {
    const row = { '@timestamp': '2026-11-27 14:00:01.500', event: 'order.created', message: 'Order created' };
    answers = [started, running, running, complete({ ...row, orderNumber: 'PO-1', attempt: '2', 'reasons.0': 'why' })];

    const answer = await search.story([wanted('cartNumber', '1010000123'), wanted('externalId', ORDER)], window);

    expect(answer).toMatchObject({ kind: 'answered', upToMs: AT, isWhole: true });
    expect(answer.kind === 'answered' ? answer.value : []).toEqual([
      {
        atMs: AT + 1500,
        service: '',
        event: 'order.created',
        sentence: 'Order created',
        cartNumber: undefined,
        messageId: undefined,
        runId: undefined,
        externalId: undefined,
        orderNumber: 'PO-1',
        attempt: 2,
        reason: 'why',
      },
    ]);
    expect(requests.map(({ action }) => action)).toEqual(['StartQuery', ...Array(3).fill('GetQueryResults')]);
    expect(requests[0]?.body).toMatchObject({
      logGroupNames: ['worker', 'extractor'],
      startTime: window.fromMs / 1000,
      endTime: window.toMs / 1000,
    });
    expect(requests[0]?.body['queryString']).toBe(
      `fields @timestamp, service, level, event, message, outcome, reason, reasons.0, errorName, externalId, orderNumber, attempt, messageId, runId, cartNumber
| filter cartNumber = "1010000123" or externalId = "${ORDER}" or event in ["consumption.pausing", "consumption.resumed"]
| sort @timestamp asc
| limit 1000`,
    );
  });

  test('finds carts by all that a text can be, and says when there are more', async () => {
    answers = [
      started,
      complete(...Array.from({ length: 51 }, (_, index) => ({ cartNumber: `${index}`, cartGuid: '' }))),
    ];

    const answer = await search.cartsBy(identifiersOf('100234'), window);

    expect(answer).toMatchObject({ kind: 'answered', isWhole: false });
    expect(answer.kind === 'answered' ? answer.value.length : 0).toBe(50);
    expect(requests[0]?.body['queryString']).toContain(
      'filter (cartNumber = "100234" or orderNumber = "100234" or orderId = "100234" or externalId like /^SRM7-\\d+-[^-]+-100234-/) and',
    );
  });

  test('asks the saved query for what the runs said', async () => {
    const row = { '@timestamp': '2026-11-27 14:00:01.000', message: 'Extraction complete', runId: RUN };
    // An error of AWS has no code of ours.
    const failed = { '@timestamp': '2026-11-27 14:00:00.000', errorName: 'TimeoutError' };
    answers = [started, complete({ ...row, rows: '200', 'codes.0': 'E_X' }, failed)];

    expect(await search.runs(window)).toMatchObject({
      kind: 'answered',
      isWhole: true,
      value: [
        { atMs: AT + 1000, sentence: 'Extraction complete', runId: RUN, rows: '200', reason: 'E_X' },
        { atMs: AT, reason: 'TimeoutError' },
      ],
    });
    expect(requests[0]?.body['queryString']).toBe(queryText('runs'));
  });

  test('says which rights are missing', async () => {
    answers = [() => ({ status: 400, body: { __type: 'AccessDeniedException', message: 'no' } })];

    expect(await search.cartsBy(identifiersOf('1'), window)).toEqual({
      kind: 'unanswered',
      why: expect.stringMatching(/^AWS refuses \(AccessDenied.*\): ask for the rights logs:StartQuery/),
    });
  });

  test('gives up after 20 seconds, and stops the query', async () => {
    answers = Array.from({ length: 100 }, () => (action: string) => (action === 'StartQuery' ? started() : running()));

    expect(await search.cartsBy(identifiersOf('1'), window)).toMatchObject({ kind: 'unanswered' });
    expect(requests.at(-1)).toMatchObject({ action: 'StopQuery', body: { queryId: 'q1' } });
  });
});
