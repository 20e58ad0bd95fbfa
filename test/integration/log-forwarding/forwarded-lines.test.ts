/** What leaves for Splunk and Elastic: the lines that the real worker prints, through the filter and the pipeline. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Logger } from '@aws-lambda-powertools/logger';
import * as z from 'zod';
import { expectStack } from '../../../infra/doctor/expected-stack.ts';
import { ENVIRONMENTS, parseEnvironment } from '../../../infra/environments.ts';
import { createLog, type LogFields } from '../../../shared/log.ts';
import {
  always,
  answer,
  envelope,
  isCreate,
  newCart,
  openWorkerFixture,
  type WorkerFixture,
} from '../create/worker-fixture.ts';
import { type Document, type IngestPipeline, ingestPipeline, runPipeline } from '../../simulators/ingest-pipeline.ts';
import {
  deliverToSplunk,
  type EventCollector,
  logRecord,
  splunkDestination,
  startEventCollector,
} from '../../simulators/splunk.ts';

const folder = join(import.meta.dirname, '../../../infra/monitoring/elastic');
const readJson = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), 'utf8'));
const INGESTED = '2026-12-10T12:00:09.000Z';
const LOGGED = '2026-12-10T12:00:01.000Z';

/** As Firehose delivers a line to Elastic: the names are those of the tests of Elastic's own integration. */
const delivered = (message: string): Document => ({
  '@timestamp': LOGGED,
  message,
  'aws.cloudwatch.log_group': 'proc-srm7-11vms-purchase-order-v1-prod-WorkerFunctionLogsGroup',
  'aws.cloudwatch.log_stream': '2026/12/10/[$LATEST]0123456789abcdef',
  'aws.firehose.arn': 'arn:aws:firehose:eu-west-1:123456789012:deliverystream/x',
  'aws.firehose.parameters': { environment: 'prod', es_datastream_name: 'logs-purchase_orders-default' },
  'data_stream.type': 'logs',
  'data_stream.dataset': 'purchase_orders',
  'data_stream.namespace': 'default',
  'event.id': '37670326805251200781477669690942747782212394134076063744',
});

/** The pattern of the subscription filters, `-"_aws"`: every line without this term. */
const isForwarded = (line: string): boolean => !line.includes('_aws');

/** Where a member of a line goes; all others go below `labels`. */
const PLACES: Readonly<Record<string, string>> = {
  timestamp: '@timestamp',
  level: 'log.level',
  message: 'message',
  service: 'service.name',
  event: 'event.action',
  errorName: 'error.type',
  stack: 'error.stack_trace',
  xray_trace_id: 'trace.id',
  function_request_id: 'faas.execution',
  cold_start: 'faas.coldstart',
  method: 'http.request.method',
  status: 'http.response.status_code',
};
/** Of Powertools: always 0. */
const LEFT_OUT = new Set(['sampling_rate']);

const placeOf = (document: Document, path: string): unknown =>
  path.split('.').reduce<unknown>((part, name) => Object(part)[name], document);

let pipeline: IngestPipeline;
let fixture: WorkerFixture;
beforeAll(async () => {
  pipeline = ingestPipeline.parse(readJson('ingest-pipeline.json'));
  fixture = await openWorkerFixture();
});
beforeEach(() => {
  fixture.calm();
  fixture.takeOutput();
});
afterAll(() => fixture.close());

/** Holds that a document has each member of its line in the place of ECS, and nothing else beside what came with it. */
function expectWhole(line: string): void {
  const members = Object.entries(Object(JSON.parse(line)));
  const document = runPipeline(pipeline, delivered(line), INGESTED);
  const labels = Object(document['labels']);
  for (const [name, value] of members.filter(([member]) => !LEFT_OUT.has(member))) {
    const place = PLACES[name] ?? `labels.${name}`;
    const expected =
      name === 'level'
        ? String(value).toLowerCase()
        : name === 'timestamp'
          ? new Date(String(value)).toISOString()
          : value;
    expect([place, placeOf(document, place)]).toEqual([place, expected]);
  }
  expect(Object.keys(labels).filter((name) => Object.hasOwn(PLACES, name) || LEFT_OUT.has(name))).toEqual([]);
  // Labels of ECS are flat.
  for (const value of Object.values(labels).flat()) expect(Object(value)).not.toBe(value);
  expect(placeOf(document, 'service.environment')).toBe('prod');
  expect(placeOf(document, 'event.id')).toBe(delivered('')['event.id']);
}

/** The lines that the real worker prints: a cart that is ordered, one that fails, one that is tried again. */
async function linesOfWorker(): Promise<string[]> {
  const worker = await fixture.worker();
  const failing = newCart({ Items: { results: [null] } });
  await worker.send(envelope(newCart()), envelope(failing));
  await worker.deliver();
  fixture.proxies.vms.intercept(always(isCreate, answer(503, 'no')));
  await worker.send(envelope(newCart()));
  await worker.deliver();
  return fixture.takeOutput();
}

test('the lines of carts that are ordered, fail and are tried again leave whole; those of metrics stay', async () => {
  const lines = await linesOfWorker();
  const forwarded = lines.filter(isForwarded);
  const left = lines.filter((line) => !isForwarded(line));

  expect(forwarded.join('\n')).toMatch(/"event":"order.created"[\s\S]*"event":"cart\.retry-scheduled"/);
  expect(left.length).toBeGreaterThan(0);
  for (const line of left) expect(line.startsWith('{"_aws":')).toBe(true);
  for (const line of forwarded) expectWhole(line);
});

/** Of every function: each logs by shared/log.ts, and nothing else. */
test('a line with every field that the code can log keeps each of them', () => {
  const fields: { readonly [Name in keyof Required<LogFields>]: NonNullable<LogFields[Name]> } = {
    cartNumber: '1000004711',
    cartGuid: '005056a5-09b3-1ee1-bee5-8ce5a1c90db0',
    messageId: 'a message',
    runId: 'a run',
    correlationId: 'a run/a cart',
    externalId: 'SRM7-100-1000004711',
    orderId: 'po_1',
    orderNumber: 'PO-1',
    outcome: 'retry',
    codes: ['E_TGT_AUTH'],
    reason: 'a reason',
    reasons: ['E_TGT_AUTH: refused'],
    action: 'redrive',
    by: 'arn:aws:sts::111122223333:assumed-role/Operator/a-person',
    subject: 'a subject',
    summary: 'a summary',
    attempt: 2,
    retryInSeconds: 30,
    waitingSince: '2026-12-10T11:00:00.000Z',
    pausedSince: '2026-12-10T11:30:00.000Z',
    cartsWaiting: 3,
    nextTrialAt: '2026-12-10T12:05:00.000Z',
    requeues: 1,
    status: 403,
    transactionId: 'ABC',
    changedFrom: '2026-12-10T10:00:00.000Z',
    changedTo: '2026-12-10T11:00:00.000Z',
    watermark: '2026-12-10T11:00:00.000Z',
    pages: 4,
    rows: 5,
    queued: 6,
    expected: 7,
    skewSeconds: 8,
    created: 9,
    inFlight: 10,
    deadLettered: 11,
    closed: 12,
    skipped: 13,
    queuedAgain: 14,
    notJudged: 15,
    unidentified: 16,
    system: '11VMS',
    method: 'POST',
    durationMs: 1234,
    droppedLines: 17,
    errorName: 'TypeError',
    stack: '    at f (x.ts:1:1)\n    at g (x.ts:2:2)',
  };
  createLog(new Logger()).error('attempt.failed', fields);
  const lines = fixture.takeOutput();

  expect(lines).toHaveLength(1);
  for (const line of lines) expectWhole(line);
});

describe('Splunk', () => {
  const token = 'token-of-splunk';
  let collector: EventCollector;
  let destination: z.infer<typeof splunkDestination>;
  beforeAll(async () => {
    collector = await startEventCollector({ token });
    const splunk = { hecUrl: 'https://splunk.example.com', secretName: 'acme/splunk' };
    const environment = parseEnvironment({ ...ENVIRONMENTS['prod'], logForwarding: { splunk } }, 'a test');
    const { resources } = await expectStack(environment);
    const stream = resources.find(({ type }) => type === 'AWS::KinesisFirehose::DeliveryStream')?.properties;
    destination = splunkDestination.parse(Object(stream)['SplunkDestinationConfiguration']);
  }, 60_000);
  afterAll(() => collector.close());

  test('takes and acknowledges what the stream of the template sends, and makes an event of each line', async () => {
    const printed = (await linesOfWorker()).filter(isForwarded);
    const lines = ['START RequestId: 8f507cfc Version: $LATEST', ...printed, '2026-12-10 8f507cfc Task timed out'];
    const delivery = await deliverToSplunk(destination, logRecord(lines), { url: collector.url, token });

    expect(delivery).toMatchObject({ status: 200, answer: { code: 0 }, isAcknowledged: true });
    expect(collector.events).toEqual(lines);
  });

  test.each<[string, Partial<z.infer<typeof splunkDestination>>]>([
    ['as events, each of which needs an envelope', { HECEndpointType: 'Event' }],
    [
      'as events, with the batches as they come',
      { HECEndpointType: 'Event', ProcessingConfiguration: { Enabled: false, Processors: [] } },
    ],
  ])('refuses lines that are sent %s', async (_what, changes) => {
    const record = logRecord(['START RequestId: 8f507cfc Version: $LATEST', '{"level":"INFO"}']);
    const delivery = await deliverToSplunk({ ...destination, ...changes }, record, { url: collector.url, token });

    expect(delivery).toMatchObject({ status: 400, answer: { code: 6 }, isAcknowledged: false });
  });

  test('refuses a token that it does not know', async () => {
    const delivery = await deliverToSplunk(destination, logRecord(['END']), { url: collector.url, token: 'old' });

    expect(delivery).toMatchObject({ status: 403, answer: { code: 4 } });
  });
});

describe('a line that is no JSON', () => {
  test.each([
    ['the start', 'START RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95 Version: $LATEST'],
    ['the end', 'END RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95'],
    [
      'the report',
      'REPORT RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95\tDuration: 15.74 ms\tBilled Duration: 16 ms\tMemory Size: 1024 MB',
    ],
    ['a time-out', '2026-12-10T12:00:01.000Z 8f507cfc-xmpl-4697-b07a-ac58fc914c95 Task timed out after 60.06 seconds'],
    [
      'a crash',
      '2026-12-10T12:00:01.000Z\t8f507cfc\tERROR\tUncaught Exception\t{"errorType":"RangeError","errorMessage":"x"}',
    ],
    ['a line that is cut', '{"level":"INFO","message":"Order cre'],
    ['a number', '12'],
  ])('such as %s is forwarded, and stays the message', (_what, line) => {
    expect(isForwarded(line)).toBe(true);
    const document = runPipeline(pipeline, delivered(line), INGESTED);

    expect(document).toMatchObject({ message: line, '@timestamp': LOGGED, service: { environment: 'prod' } });
    expect(document).not.toHaveProperty('labels');
    expect(document).not.toHaveProperty('error');
  });
});

test('a document without a time gets that of its arrival', () => {
  const { '@timestamp': _, ...rest } = delivered('END');

  expect(runPipeline(pipeline, rest, INGESTED)).toMatchObject({ '@timestamp': INGESTED });
});

test('the index template leads the data stream of the settings through the pipeline, before the managed one', () => {
  expect(readJson('index-template.json')).toMatchObject({
    index_patterns: ['logs-purchase_orders-*'],
    // That of the managed template for logs-*-* is 100.
    priority: 200,
    data_stream: {},
    template: { settings: { index: { default_pipeline: 'logs-purchase_orders' } } },
  });
});
