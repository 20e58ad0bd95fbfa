/** What leaves for Splunk and Elastic: the lines that the real worker prints, through the filter and the pipeline. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Logger } from '@aws-lambda-powertools/logger';
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

test('the lines of carts that are ordered, fail and are tried again leave whole; those of metrics stay', async () => {
  const worker = await fixture.worker();
  const failing = newCart({ Items: { results: [null] } });
  await worker.send(envelope(newCart()), envelope(failing));
  await worker.deliver();
  fixture.proxies.vms.intercept(always(isCreate, answer(503, 'no')));
  await worker.send(envelope(newCart()));
  await worker.deliver();
  const lines = fixture.takeOutput();
  const forwarded = lines.filter(isForwarded);
  const left = lines.filter((line) => !isForwarded(line));

  expect(forwarded.join('\n')).toMatch(/"event":"order.created"[\s\S]*"event":"cart\.retry-scheduled"/);
  expect(left.length).toBeGreaterThan(0);
  for (const line of left) expect(line.startsWith('{"_aws":')).toBe(true);
  for (const line of forwarded) expectWhole(line);
});

test('a line with every field that the code can log keeps each of them', () => {
  const text = { reason: 'a reason', cartNumber: '1000004711', externalId: 'SRM7-100-1000004711', system: '11VMS' };
  const fields: LogFields = {
    ...text,
    codes: ['E_TGT_AUTH'],
    reasons: ['E_TGT_AUTH: refused'],
    attempt: 2,
    status: 403,
    method: 'POST',
    durationMs: 1234,
    outcome: 'retry',
    errorName: 'TypeError',
    stack: '    at f (x.ts:1:1)',
  };
  createLog(new Logger()).error('attempt.failed', fields);
  const lines = fixture.takeOutput();

  expect(lines).toHaveLength(1);
  for (const line of lines) expectWhole(line);
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
