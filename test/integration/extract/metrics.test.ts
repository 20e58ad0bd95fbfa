/** What the extractor counts, as CloudWatch reads it: names, dimensions, and one count for each thing that happened. */
import { expect, test } from '@jest/globals';
import { METRICS } from '../../../shared/metric-names.ts';
import { emittedMetrics } from '../emitted-metrics.ts';
import { BY_HAND } from '../fixture.ts';
import { cartsFrom, MINUTE, noTimeToRetry, rowsOf, SECOND, thisSecond, useFixture } from './extractor-fixture.ts';

const fixture = useFixture();

const of = (name: string) =>
  emittedMetrics(fixture.shown()).flatMap((metric) => (metric.name === name ? metric.values : []));

test('a run emits the carts that it read and queued, its completion, and each call to SRM with its duration', async () => {
  const extractor = await fixture.open({ pageSize: 2 });
  extractor.srm.addCarts(rowsOf(cartsFrom(thisSecond() - 30 * MINUTE, 3, SECOND)));
  await extractor.run();

  expect(of(METRICS.cartsRead)).toEqual([2, 1]);
  expect(of(METRICS.cartsQueued)).toEqual([2, 1]);
  expect(of(METRICS.extractionCompleted)).toEqual([1]);
  expect(of(METRICS.srmCallDuration)).toHaveLength(2);
  expect(of(METRICS.srmCallErrors)).toEqual([]);
  for (const { dimensions } of emittedMetrics(fixture.shown())) expect(dimensions).toEqual(['environment', 'service']);
});

test('a replay emits no completed run: it would hide that those of the schedule fail', async () => {
  const extractor = await fixture.open();
  const event = {
    changedFrom: new Date(thisSecond() - 30 * MINUTE).toISOString(),
    changedTo: new Date().toISOString(),
    ...BY_HAND,
  };
  expect(await extractor.run({ event })).toMatchObject({ status: 'complete' });

  expect(of(METRICS.extractionCompleted)).toEqual([]);
});

test('a run against an SRM that fails emits an error of the call and a failed run, and no refusal', async () => {
  const extractor = await fixture.open();
  extractor.srm.setDisturbances(() => ({ kind: 'status', status: 503 }));
  await expect(extractor.run({ remaining: noTimeToRetry })).rejects.toThrow('E_SRC_UNAVAILABLE');

  expect(of(METRICS.extractionFailed)).toEqual([1]);
  expect(of(METRICS.sourceRefused)).toEqual([]);
  expect(of(METRICS.extractionCompleted)).toEqual([]);
});

test('a run against an SRM that refuses our credentials emits a refusal, not an error of the call', async () => {
  const extractor = await fixture.open();
  extractor.srm.setDisturbances(({ operation }) =>
    operation === 'token' ? { kind: 'none' } : { kind: 'status', status: 403 },
  );
  await expect(extractor.run({ remaining: noTimeToRetry })).rejects.toThrow('E_SRC_AUTH');

  expect(of(METRICS.sourceRefused)).toEqual([1]);
  expect(of(METRICS.extractionFailed)).toEqual([1]);
  expect(of(METRICS.srmCallErrors)).toEqual([]);
});
