/** What the worker counts, as CloudWatch reads it: names, dimensions, and one count for each thing that happened. */
import { expect, test } from '@jest/globals';
import { METRICS } from '../../../shared/metric-names.ts';
import { emittedMetrics } from '../emitted-metrics.ts';
import { answer, envelope, isCreate, newCart, setUpWorkerFixture } from './worker-fixture.ts';

const fixture = await setUpWorkerFixture();

const taken = () => emittedMetrics(fixture.takeOutput());

test('the worker emits its metrics under the dimensions that alarms and dashboard read', async () => {
  const worker = await fixture.worker();
  await worker.send(envelope(newCart()));
  await worker.deliver();

  const metrics = taken();
  expect(metrics.length).toBeGreaterThan(2);
  for (const { dimensions } of metrics) expect(dimensions).toEqual(['environment', 'service']);
});

test('the worker counts for an ordered cart one order, one latency, and each call to 11VMS with its duration', async () => {
  const worker = await fixture.worker();
  await worker.send(envelope(newCart()), envelope(newCart()));
  await worker.deliver();

  const metrics = taken();
  const of = (name: string) => metrics.flatMap((metric) => (metric.name === name ? metric.values : []));
  expect(of(METRICS.ordersCreated)).toEqual([1, 1]);
  expect(of(METRICS.approvalToOrder)).toHaveLength(2);
  expect(of(METRICS.vmsCallDuration)).toHaveLength(2);
  expect(of(METRICS.vmsCallErrors)).toEqual([]);
  expect(of(METRICS.srmCallDuration)).toEqual([]);
});

test('the worker counts for a failing 11VMS an error of the call, and an attempt to be retried', async () => {
  const worker = await fixture.worker();
  await worker.send(envelope(newCart()));
  fixture.proxies.vms.intercept((call, forward) => (isCreate(call) ? answer(503)(call, forward) : forward()));
  await worker.deliver();

  const metrics = taken();
  const of = (name: string) => metrics.flatMap((metric) => (metric.name === name ? metric.values : []));
  expect(of(METRICS.vmsCallErrors)).toEqual([1]);
  expect(of(METRICS.attemptsRetried)).toEqual([1]);
  expect(of(METRICS.ordersCreated)).toEqual([]);
});

test('the worker counts a dead letter once, however often its message is received on its way', async () => {
  const worker = await fixture.worker();
  const [messageId = ''] = await worker.send(envelope(newCart({ Items: { results: [null] } })));
  await worker.deliverTimes(4);
  await worker.receive();

  const counted = taken().flatMap(({ name, values }) => (name === METRICS.cartsDeadLettered ? values : []));
  expect(counted).toEqual([1]);
  expect(await worker.deadLetters()).toEqual([messageId]);
});
