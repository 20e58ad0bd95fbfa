/** What is told of a state, and in which form: held against SAP's published samples. */
import { describe, expect, test } from '@jest/globals';
import { otlpMetrics, ratedMetrics } from '../../../functions/report-to-cloud-alm/health-metrics.ts';
import {
  type AlarmState,
  HEALTH_VALUES,
  type Rating,
  ratingOf,
  STATUSES,
} from '../../../functions/report-to-cloud-alm/interface-health.ts';
import fc from '../../properties.ts';
import { metricsRequest } from '../../simulators/cloud-alm.ts';
import { SAP_SAMPLES } from '../../simulators/cloud-alm-samples.ts';

const ALARMS = [
  ...new Set([
    ...HEALTH_VALUES.flatMap(({ critical, warning = [] }) => [...critical, ...warning]),
    ...STATUSES.map(({ alarm }) => alarm),
  ]),
];
const RANKS: readonly Rating[] = ['ok', 'warning', 'critical'];
const rank = (rating: Rating): number => RANKS.indexOf(rating);

const alarmStates = fc
  .array(fc.constantFrom<AlarmState>('OK', 'ALARM', 'INSUFFICIENT_DATA'), {
    minLength: ALARMS.length,
    maxLength: ALARMS.length,
  })
  .map((states) => new Map(ALARMS.map((name, index) => [name, states[index] ?? 'OK'])));
const values = fc
  .array(fc.option(fc.double({ min: 0, max: 1e9, noNaN: true }), { nil: undefined }), {
    minLength: HEALTH_VALUES.length,
    maxLength: HEALTH_VALUES.length,
  })
  .map(
    (list) =>
      new Map(
        HEALTH_VALUES.flatMap(({ name }, index): [string, number][] => {
          const value = list[index];
          return value === undefined ? [] : [[name, value]];
        }),
      ),
  );

describe('the rating of a value', () => {
  test('is critical exactly while an alarm of it that pages is in ALARM', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...HEALTH_VALUES),
        fc.double({ min: 0, noNaN: true }),
        alarmStates,
        (one, value, alarms) => {
          const isPaged = one.critical.some((name) => alarms.get(name) === 'ALARM');
          expect(ratingOf(one, value, alarms) === 'critical').toBe(isPaged);
        },
      ),
    );
  });

  test('never becomes better by an alarm more or by a larger value', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...HEALTH_VALUES),
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        alarmStates,
        fc.constantFrom(...ALARMS),
        (one, value, more, alarms, worse) => {
          const before = rank(ratingOf(one, value, alarms));
          const withAlarm = new Map(alarms).set(worse, 'ALARM');
          expect(rank(ratingOf(one, value + more, withAlarm))).toBeGreaterThanOrEqual(before);
        },
      ),
    );
  });

  test('is ok without any alarm and below its limit', () => {
    const quiet = new Map(ALARMS.map((name) => [name, 'OK' as const]));
    for (const one of HEALTH_VALUES) expect([one.name, ratingOf(one, 0, quiet)]).toEqual([one.name, 'ok']);
    const limited = HEALTH_VALUES.filter(({ warnFrom }) => warnFrom !== undefined);
    expect(limited.length).toBeGreaterThan(3);
    for (const one of limited) expect(ratingOf(one, one.warnFrom ?? 0, quiet)).toBe('warning');
  });
});

/** Every path of members in a value, with the keys of attributes, and without the places in lists. */
function pathsOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((part) => pathsOf(part, `${path}[]`));
  if (typeof value !== 'object' || value === null) return [`${path}: ${typeof value}`];
  const own = Object.entries(value);
  const key = 'key' in value ? `<${String(value.key)}>` : '';
  return own.length === 0 ? [path] : own.flatMap(([name, part]) => pathsOf(part, `${path}${key}.${name}`));
}

describe('the body of a push', () => {
  test('is OTLP JSON for every state, with one point for each value that has data', () => {
    fc.assert(
      fc.property(values, alarmStates, (known, alarms) => {
        const body = otlpMetrics(ratedMetrics({ values: known, alarms }));
        // As it is sent.
        const sent: unknown = JSON.parse(JSON.stringify(body));
        const parsed = metricsRequest.parse(sent);
        const metrics = parsed.resourceMetrics.flatMap(({ scopeMetrics }) =>
          scopeMetrics.flatMap((one) => one.metrics),
        );

        expect(metrics.map(({ name }) => name)).toEqual([
          ...HEALTH_VALUES.map(({ name }) => name).filter((name) => known.has(name)),
          ...STATUSES.map(({ name }) => name),
        ]);
        for (const { name, gauge } of metrics) {
          expect(gauge.dataPoints.map(({ asDouble }) => asDouble)).toEqual([known.get(name) ?? 1]);
        }
      }),
    );
  });

  test('has no member and no attribute that none of the published samples of SAP has', () => {
    const ofSap = new Set(Object.values(SAP_SAMPLES).flatMap((sample) => pathsOf(sample)));
    const all = { values: new Map(HEALTH_VALUES.map(({ name }) => [name, 1])), alarms: new Map() };
    const ours = pathsOf(otlpMetrics(ratedMetrics(all)));

    expect([...new Set(ours)].filter((path) => !ofSap.has(path))).toEqual([]);
  });
});

describe('the simulator of Cloud ALM', () => {
  test.each(Object.entries(SAP_SAMPLES))('takes %s as SAP publishes it', (_name, sample) => {
    expect(metricsRequest.safeParse(sample).success).toBe(true);
  });

  const withPoint = (point: unknown) => ({
    resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'x', gauge: { dataPoints: [point] } }] }] }],
  });
  test.each<[string, unknown]>([
    ['a number as text', withPoint({ asDouble: '1' })],
    ['a 64-bit integer as a number', withPoint({ asInt: 1 })],
    ['a time as a number', withPoint({ asDouble: 1, timeUnixNano: 1 })],
    ['names of Protobuf', withPoint({ as_double: 1 })],
    ['a point without a value', withPoint({ attributes: [] })],
    ['two values', withPoint({ asDouble: 1, asInt: '1' })],
    ['an attribute as an object', withPoint({ asDouble: 1, attributes: { a: 'b' } })],
    [
      'a rating that SAP does not have',
      withPoint({ asDouble: 1, attributes: [{ key: 'sap.calm.hm.metric.rating', value: { stringValue: 'red' } }] }),
    ],
    ['no metric', { resourceMetrics: [{ scopeMetrics: [{ metrics: [] }] }] }],
  ])('refuses %s', (_what, body) => {
    expect(metricsRequest.safeParse(body).success).toBe(false);
  });
});
