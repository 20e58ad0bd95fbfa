/**
 * What a cart may write to the logs at INFO: 3 lines and 2 KB, metrics included. Measured as deployed, in names as long as
 * those of AWS.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { METRIC_NAMESPACE, SERVICE_NAMES } from '../../../shared/metric-names.ts';
import { lambdaContext } from '../fixture.ts';
import {
  edmInstant,
  envelope,
  newCart,
  openWorkerFixture,
  type Row,
  textOf,
  type Worker,
  withItems,
  type WorkerFixture,
} from './worker-fixture.ts';

const LINES_A_CART = 3;
const BYTES_A_CART = 2048;

let fixture: WorkerFixture;
beforeAll(async () => {
  fixture = await openWorkerFixture();
  Object.assign(process.env, {
    POWERTOOLS_SERVICE_NAME: SERVICE_NAMES.worker,
    POWERTOOLS_METRICS_NAMESPACE: METRIC_NAMESPACE,
    _X_AMZN_TRACE_ID: 'Root=1-6745d2a0-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=1',
  });
});
afterAll(() => fixture.close());

/** In the form that CloudFormation gives to the worker of production. */
const functionName = 'proc-srm7-11vms-purchase-order-v1-prod-WorkerFunctionAF8A26AF-0a1B2c3D4e5F';
const deployedContext = () => ({
  ...lambdaContext(),
  functionName,
  invokedFunctionArn: `arn:aws:lambda:eu-central-1:123456789012:function:${functionName}`,
});

/** Queues a batch and processes it; returns what was written meanwhile. */
async function read(worker: Worker, carts: readonly Row[]): Promise<string[]> {
  const runId = randomUUID();
  const messages = carts.map((cart) => envelope(cart, { runId, correlationId: `${runId}/${textOf(cart['Guid'])}` }));
  await worker.send(...messages);
  const Records = await worker.receive();
  expect(Records).toHaveLength(carts.length);
  fixture.takeOutput();
  expect(await worker.handler({ Records }, deployedContext())).toEqual({ batchItemFailures: [] });
  return fixture.takeOutput();
}

const bytesOf = (lines: readonly string[]): number => lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0);

const tomorrow = edmInstant(new Date(Date.now() + 24 * 3600_000).toISOString());
const yesterday = edmInstant(new Date(Date.now() - 24 * 3600_000).toISOString());
const deliveredOn = (DelivDate: string): Row => withItems(newCart(), (item) => ({ ...item, DelivDate }));

test.each([
  ['a line taken out', () => deliveredOn(tomorrow)],
  ['a line taken out, and warnings', () => deliveredOn(yesterday)],
])('ten carts with %s stay within the log budget', async (_what, cart) => {
  const worker = await fixture.worker();
  const carts = Array.from({ length: 10 }, cart);
  const lines = await read(worker, carts);
  const first = lines.filter((line) => line.includes('"Order created"'));
  expect(first).toHaveLength(carts.length);

  expect(lines.length / carts.length).toBeLessThanOrEqual(LINES_A_CART);
  expect(bytesOf(lines) / carts.length).toBeLessThanOrEqual(BYTES_A_CART);
});

test('a single cart with warnings, whose metrics are its alone, stays within the log budget', async () => {
  const lines = await read(await fixture.worker(), [deliveredOn(yesterday)]);

  expect(lines.length).toBeLessThanOrEqual(LINES_A_CART);
  expect(bytesOf(lines)).toBeLessThanOrEqual(BYTES_A_CART);
});

test('a copy of a cart is counted, and logged with its order', async () => {
  const worker = await fixture.worker();
  const cart = deliveredOn(tomorrow);
  await read(worker, [cart]);
  const again = (await read(worker, [cart])).join('\n');
  expect(again).toContain('"CartsSkipped":1');
  expect(again).toMatch(/"message":"Cart skipped".*already created as PO-/);
});

test('a message that is received again after a crash is logged with its order, since the crash may have lost the first line', async () => {
  const worker = await fixture.worker();
  await worker.send(envelope(deliveredOn(tomorrow)));
  const Records = await worker.receive();
  await worker.handler({ Records }, deployedContext());
  fixture.takeOutput();
  // It was not deleted: SQS delivers it once more.
  await worker.endDelay(Records);
  await worker.handler({ Records: await worker.receive() }, deployedContext());

  expect(fixture.takeOutput().join('\n')).toMatch(/"message":"Cart skipped".*already created as PO-/);
});

test('a dead letter writes its reason and its metrics once, however often it is received on its way', async () => {
  const worker = await fixture.worker();
  await worker.send(envelope(newCart({ Items: { results: [null] } })));
  fixture.takeOutput();
  await worker.deliverTimes(4);

  expect(fixture.takeOutput().sort()).toEqual([
    expect.stringContaining('"CartsDeadLettered":1'),
    expect.stringContaining('"outcome":"dead-letter"'),
  ]);
});
