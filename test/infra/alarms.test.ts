/** Promises of the alarms, of their notifications, and of the dashboard, held against the synthesized template. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { ScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import * as z from 'zod';
import { SILENT_ALARMS, METRIC_ALARMS, PAGING_ALARMS, PLATFORM_ALARMS } from '../../infra/constructs/alarm-texts.ts';
import { Alarms, type PlatformConditions } from '../../infra/constructs/alarms.ts';
import { Notifications } from '../../infra/constructs/notifications.ts';
import { OutgoingEvents } from '../../infra/constructs/outgoing-events.ts';
import {
  type Environment,
  ENVIRONMENTS,
  loadEnvironment,
  parseEnvironment,
  stackName,
} from '../../infra/environments.ts';
import { synthesizeOnce } from '../../infra/synthesis-cache.ts';
import { METRIC_NAMESPACE, METRICS, SERVICE_NAMES } from '../../shared/metric-names.ts';
import { NOTIFIED_ENVIRONMENT } from './synthesis.ts';

const directory = mkdtempSync(join(tmpdir(), 'alarms-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const reference = z.union([
  z.object({ Ref: z.string() }).transform(({ Ref }) => Ref),
  z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }).transform(({ 'Fn::GetAtt': [id] }) => id),
]);
/** Text with references in it; those stand as `<id>`. */
const joined = z.union([
  z.string(),
  reference.transform((id) => `<${id}>`),
  z
    .object({
      'Fn::Join': z.tuple([z.string(), z.array(z.union([z.string(), reference.transform((id) => `<${id}>`)]))]),
    })
    .transform(({ 'Fn::Join': [separator, parts] }) => parts.join(separator)),
]);
const dimensions = z.array(z.object({ Name: z.string(), Value: z.unknown() })).default([]);
const named = {
  AlarmName: z.string(),
  AlarmDescription: z.string(),
  AlarmActions: z.array(reference),
  OKActions: z.array(reference),
};
const metricStat = z.object({
  Metric: z.object({ Namespace: z.string(), MetricName: z.string(), Dimensions: dimensions }),
  Period: z.number(),
  Stat: z.string(),
});
const metricAlarm = z.object({
  ...named,
  Namespace: z.string().optional(),
  MetricName: z.string().optional(),
  Dimensions: dimensions,
  Metrics: z.array(z.object({ Expression: z.string().optional(), MetricStat: metricStat.optional() })).default([]),
  Period: z.number().optional(),
  Statistic: z.string().optional(),
  Threshold: z.number(),
  ComparisonOperator: z.enum(['GreaterThanOrEqualToThreshold', 'LessThanThreshold']),
  EvaluationPeriods: z.number(),
  DatapointsToAlarm: z.number(),
  TreatMissingData: z.enum(['breaching', 'notBreaching']),
});
type MetricAlarmProperties = z.infer<typeof metricAlarm>;
const compositeAlarm = z.object({
  ...named,
  AlarmRule: joined,
});
const templateSchema = z.object({
  Resources: z.record(
    z.string(),
    z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) }),
  ),
});

/** The monitoring of a template; the names of the alarms are given without the stack's. */
class Synthesis {
  readonly text: string;
  readonly #resources: z.infer<typeof templateSchema>['Resources'];
  readonly #prefix: string;

  constructor(text: string, prefix: string) {
    this.text = text;
    this.#resources = templateSchema.parse(JSON.parse(text)).Resources;
    this.#prefix = `${prefix}-`;
  }

  ofType(type: string): { id: string; properties: Record<string, unknown> }[] {
    return Object.entries(this.#resources).flatMap(([id, { Type, Properties }]) =>
      Type === type ? [{ id, properties: Properties }] : [],
    );
  }

  /** Without the latches, which have no actions: pages.test.ts holds them. */
  metricAlarms(): Map<string, MetricAlarmProperties & { id: string }> {
    return new Map(
      this.ofType('AWS::CloudWatch::Alarm')
        .filter(({ properties }) => !Object.hasOwn(SILENT_ALARMS, this.#short(String(properties['AlarmName']))))
        .map(({ id, properties }) => {
          const alarm = metricAlarm.parse(properties);
          return [this.#short(alarm.AlarmName), { ...alarm, id }];
        }),
    );
  }

  composites(): Map<string, z.infer<typeof compositeAlarm>> {
    return new Map(
      this.ofType('AWS::CloudWatch::CompositeAlarm').map(({ properties }) => {
        const alarm = compositeAlarm.parse(properties);
        return [this.#short(alarm.AlarmName), alarm];
      }),
    );
  }

  alarm(name: string): MetricAlarmProperties {
    const found = this.metricAlarms().get(name);
    if (found === undefined) throw new Error(`no alarm ${name}`);
    return found;
  }

  /** One that tells nobody. */
  silentAlarm(name: keyof typeof SILENT_ALARMS) {
    return this.ofType('AWS::CloudWatch::Alarm').find(({ properties }) =>
      String(properties['AlarmName']).endsWith(name),
    )?.properties;
  }

  topic(kind: 'page' | 'mail'): string {
    const topic = this.ofType('AWS::SNS::Topic').find(({ properties }) =>
      String(properties['DisplayName']).endsWith(kind),
    );
    if (topic === undefined) throw new Error(`no topic that would ${kind}`);
    return topic.id;
  }

  dashboard(): z.infer<typeof dashboardBody> {
    const [dashboard] = this.ofType('AWS::CloudWatch::Dashboard');
    return dashboardBody.parse(JSON.parse(joined.parse(dashboard?.properties['DashboardBody'])));
  }

  #short(name: string): string {
    if (!name.startsWith(this.#prefix)) throw new Error(`${name} is not named after its stack`);
    return name.slice(this.#prefix.length);
  }
}

const dashboardBody = z.object({
  widgets: z.array(
    z.object({
      type: z.string(),
      properties: z.object({
        title: z.string().optional(),
        alarms: z.array(z.string()).default([]),
        metrics: z.array(z.array(z.unknown())).default([]),
        query: z.string().optional(),
        markdown: z.string().optional(),
      }),
    }),
  ),
});

const notified = parseEnvironment(NOTIFIED_ENVIRONMENT, 'this test');

const syntheses = new Map<string, Synthesis>();
async function synthesizeAs(title: string, environment: Environment): Promise<void> {
  const { directory: assembly, artifact } = await synthesizeOnce(environment, join(directory, title), {
    isChecked: true,
  });
  const text = readFileSync(join(assembly, `${artifact}.template.json`), 'utf8');
  syntheses.set(title, new Synthesis(text, stackName(environment)));
}
beforeAll(async () => {
  await synthesizeAs('prod', loadEnvironment('prod'));
  await synthesizeAs('notified', notified);
}, 180_000);

function of(title: 'prod' | 'notified'): Synthesis {
  const found = syntheses.get(title);
  if (found === undefined) throw new Error(`${title} was not synthesized`);
  return found;
}

/** The alarms alone, quickly, with another schedule. */
function alarmsOn(schedule: string, thresholds: Readonly<Record<string, number>> = {}): Synthesis {
  const base = loadEnvironment('prod');
  const environment: Environment = {
    ...base,
    extraction: { ...base.extraction, schedule },
    notifications: { ...base.notifications, thresholds: { ...base.notifications.thresholds, ...thresholds } },
  };
  return alarmsOf(environment);
}

function alarmsOf(
  environment: Environment,
  platformsOf: (stack: Stack) => PlatformConditions = () => ({}),
  optionalFunctions: readonly string[] = [],
): Synthesis {
  const stack = new Stack(new App({ builtinCloudFormationValidation: false }), 'Alarms', { stackName: 'alarms' });
  new Alarms(stack, 'Alarms', {
    environment,
    notifications: new Notifications(stack, 'Notifications', { environment }),
    extractor: LambdaFunction.fromFunctionName(stack, 'Extractor', 'extractor'),
    worker: LambdaFunction.fromFunctionName(stack, 'Worker', 'worker'),
    supervisor: LambdaFunction.fromFunctionName(stack, 'Supervisor', 'supervisor'),
    reconciler: LambdaFunction.fromFunctionName(stack, 'Reconciler', 'reconciler'),
    redriver: LambdaFunction.fromFunctionName(stack, 'Redriver', 'redriver'),
    queue: new Queue(stack, 'Queue'),
    deadLetters: new Queue(stack, 'DeadLetters'),
    optionalFunctions: optionalFunctions.map((name) => LambdaFunction.fromFunctionName(stack, name, name)),
    scheduleGroups: [new ScheduleGroup(stack, 'One'), new ScheduleGroup(stack, 'Two')],
    platforms: platformsOf(stack),
  });
  return new Synthesis(JSON.stringify(Template.fromStack(stack).toJSON()), 'alarms');
}

/** The state that CloudWatch derives from the last datapoints, newest last; undefined is a period without data. */
function stateOf(alarm: MetricAlarmProperties, datapoints: readonly (number | undefined)[]): 'ALARM' | 'OK' {
  const { EvaluationPeriods: periods, Threshold: threshold, ComparisonOperator: operator } = alarm;
  const seen = [...Array.from({ length: periods }, () => undefined), ...datapoints].slice(-periods);
  const breaching = seen.filter((value) => {
    if (value === undefined) return alarm.TreatMissingData === 'breaching';
    return operator === 'LessThanThreshold' ? value < threshold : value >= threshold;
  });
  return breaching.length >= alarm.DatapointsToAlarm ? 'ALARM' : 'OK';
}

const times = <Value>(count: number, value: Value): Value[] => Array.from({ length: count }, () => value);

describe('every alarm', () => {
  test('has a text, and every text belongs to an alarm', () => {
    expect([...of('prod').metricAlarms().keys()].sort()).toEqual(Object.keys(METRIC_ALARMS).sort());
    expect([...of('prod').composites().keys()].sort()).toEqual(Object.keys(PAGING_ALARMS).sort());
  });

  test('of an optional block mails, and exists where the construct of the block gives its condition', () => {
    const condition = {
      metric: new Metric({ namespace: 'AWS/Firehose', metricName: 'DeliveryToSplunk.Success' }),
      threshold: 1,
      below: true,
      missing: TreatMissingData.NOT_BREACHING,
    } as const;
    const stack = alarmsOf(loadEnvironment('prod'), () => ({ 'logs-not-forwarded': condition }));

    expect([...stack.metricAlarms().keys()].filter((name) => Object.hasOwn(PLATFORM_ALARMS, name))).toEqual([
      'logs-not-forwarded',
    ]);
    expect(stack.alarm('logs-not-forwarded')).toMatchObject({
      AlarmActions: [stack.topic('mail')],
      AlarmDescription: expect.stringMatching(/ Impact: .+ Runbook: infra\/runbook\.md#logs-not-forwarded$/),
      ComparisonOperator: 'LessThanThreshold',
    });
  });

  test('names what is wrong, its impact, and its runbook heading', () => {
    for (const [name, { AlarmDescription }] of [...of('prod').metricAlarms(), ...of('prod').composites()]) {
      expect(AlarmDescription).toMatch(/^[A-Z0-9].{20,}\. Impact: .{10,}\. Runbook: infra\/runbook\.md#[a-z-]+$/);
      expect(AlarmDescription.endsWith(`#${name}`)).toBe(true);
      expect(AlarmDescription.length).toBeLessThanOrEqual(1024);
    }
  });

  test('calls owners by the names and channels of the environment; without them it stays as it is', () => {
    const descriptionOf = (stack: Synthesis, name: string): string | undefined =>
      (stack.composites().get(name) ?? stack.metricAlarms().get(name))?.AlarmDescription;
    const all = [...Object.keys(PAGING_ALARMS), ...Object.keys(METRIC_ALARMS)];

    expect(all.filter((name) => descriptionOf(of('prod'), name)?.includes('Owner'))).toEqual([]);
    // An owner that the entry leaves out is not named.
    expect(descriptionOf(of('notified'), 'dead-letters-many')).toContain(
      ' Owners: mapping owner (Purchasing data, purchasing-data@example.com); 11VMS team (Vendor platform, Teams: 11VMS support). Runbook: ',
    );
    expect(descriptionOf(of('notified'), 'target-refused')).toContain(
      ' Owners: 11VMS team (Vendor platform, Teams: 11VMS support). Runbook: ',
    );
    expect(descriptionOf(of('notified'), 'source-refused')).toBe(descriptionOf(of('prod'), 'source-refused'));
  });

  test('fits into the description that CloudWatch allows, however long the owners and the runbook are called', () => {
    const owner = { name: 'n'.repeat(60), contact: 'c'.repeat(80) };
    const environment = parseEnvironment(
      {
        ...ENVIRONMENTS['prod'],
        owners: { mapping: owner, srm: owner, vms: owner, buyer: owner },
        notifications: { runbookUrl: `https://${'r'.repeat(192)}` },
      },
      'this test',
    );
    const stack = alarmsOf(environment);
    const descriptions = [...stack.metricAlarms().values(), ...stack.composites().values()].map(
      ({ AlarmDescription }) => AlarmDescription,
    );

    expect(descriptions.filter((text) => text.includes(owner.contact)).length).toBeGreaterThan(5);
    expect(descriptions.filter((text) => text.length > 1024)).toEqual([]);
  });

  test('sends its end to everyone who got its beginning, so that an incident is closed', () => {
    for (const { AlarmActions, OKActions } of [
      ...of('prod').metricAlarms().values(),
      ...of('prod').composites().values(),
    ]) {
      expect(AlarmActions).toHaveLength(1);
      expect(OKActions).toEqual(AlarmActions);
    }
  });

  test('looks back no longer than CloudWatch allows: a day in periods below an hour, else a week', () => {
    for (const alarm of of('prod').metricAlarms().values()) {
      const period = alarm.Period ?? alarm.Metrics[0]?.MetricStat?.Period ?? alarm.Metrics[1]?.MetricStat?.Period ?? 0;
      expect(period).toBeGreaterThanOrEqual(60);
      expect(period * alarm.EvaluationPeriods).toBeLessThanOrEqual(period < 3600 ? 86_400 : 604_800);
    }
  });
});

describe('the severity of an alarm', () => {
  test('is mail for a metric alarm; only a failure of the mail path pages by itself', () => {
    for (const [name, { AlarmActions }] of of('prod').metricAlarms()) {
      expect([name, AlarmActions]).toEqual([name, [of('prod').topic(name === 'mails-undelivered' ? 'page' : 'mail')]]);
    }
  });

  test('is a page through a composite where a person must act at night: one page for an incident, however many alarms it trips', () => {
    const stack = of('prod');
    const parts = [...stack.composites()].map(([name, { AlarmRule, AlarmActions }]) => {
      expect(AlarmActions).toEqual([stack.topic('page')]);
      // Nothing but ALARM(..) OR ALARM(..) beside the latches and what holds back: while one part holds, a further one changes nothing.
      const rule = AlarmRule.replaceAll(
        /\((.+?) AND OK\("<Monitoring\w+first(?:extraction|supervision)\w+>"\)\)/g,
        '$1',
      ).replace(/\((ALARM\([^)]+\)) AND \(NOT \(ALARM\("<Monitoring\w+pausedlately\w+>"\)\)\)\)/, '$1');
      const ids = [...rule.matchAll(/ALARM\("<(\w+)>"\)/g)].map(([, id]) => id);
      expect(rule).toBe(`(${ids.map((id) => `ALARM("<${id}>")`).join(' OR ')})`);
      const names = ids.map((id) => [...stack.metricAlarms()].find(([, alarm]) => alarm.id === id)?.[0]);
      return [name, names] as const;
    });

    expect(Object.fromEntries(parts)).toEqual({
      'orders-stopped': [
        'consumption-paused',
        'target-refused',
        'oldest-message-too-old',
        'cart-waiting-too-long',
        'worker-failing',
      ],
      'extraction-stopped': ['no-extraction', 'source-refused'],
      'dead-letters-urgent': ['dead-letters-many', 'dead-letters-unattended'],
    });
    const all = parts.flatMap(([, names]) => names);
    expect(new Set(all).size).toBe(all.length);
  });
});

test('a mass of rejected carts pages once, as a pause; its dead letters page only when they are not redriven afterwards', () => {
  const stack = of('notified');
  const urgent = JSON.stringify(stack.composites().get('dead-letters-urgent')?.AlarmRule);
  const held = stack.silentAlarm('paused-lately');
  const many = stack.alarm('dead-letters-many');

  // What nobody looks after for a week is never held back.
  expect(urgent).toMatch(/deadlettersmany\w+>\\"\) AND \(NOT \(ALARM\([^)]*pausedlately/);
  expect(urgent).toMatch(/ OR ALARM\([^)]*deadlettersunattended\w+>\\"\)\)"$/);
  // It lasts for half an hour, and a pause that is too short to page holds nothing back.
  expect(held).toMatchObject({ Period: 60, EvaluationPeriods: 30, DatapointsToAlarm: 9, Threshold: 1 });
  expect(held?.['DatapointsToAlarm']).toBe(stack.alarm('consumption-paused').EvaluationPeriods);
  expect(held).toMatchObject({ ComparisonOperator: 'GreaterThanOrEqualToThreshold', TreatMissingData: 'notBreaching' });
  // Its cause is reported before they are many.
  expect(Number(many.Period) * many.EvaluationPeriods).toBeGreaterThan(
    60 * Number(held?.['DatapointsToAlarm']) + Number(many.Period),
  );
  // A suppressed alarm would tell EventBridge nothing that it can rely on.
  expect(stack.text).not.toContain('ActionsSuppressor');
});

describe('the conditions of the alarms', () => {
  test('report three intervals without an extraction, whether it failed or did not even start', () => {
    const alarm = of('prod').alarm('no-extraction');

    expect(alarm).toMatchObject({ Namespace: METRIC_NAMESPACE, MetricName: METRICS.extractionCompleted, Period: 60 });
    expect(stateOf(alarm, times(15, undefined))).toBe('ALARM');
    // A run that died is silent for so long: its lease outlives the next interval.
    expect(stateOf(alarm, [1, ...times(14, undefined)])).toBe('OK');
    expect(stateOf(alarm, [1, ...times(15, undefined)])).toBe('ALARM');
    expect(stateOf(alarm, [...times(15, undefined), 1])).toBe('OK');
  });

  test.each([
    ['rate(1 minute)', {}, 3],
    ['rate(5 minutes)', {}, 15],
    ['rate(1 hour)', {}, 180],
    ['rate(6 hours)', {}, 18 * 60],
    ['rate(1 day)', {}, 3 * 24 * 60],
    ['rate(30 days)', {}, 7 * 24 * 60],
    ['cron(0/10 6-20 ? * MON-FRI *)', {}, 3 * 24 * 60],
    ['cron(0/10 6-20 ? * MON-FRI *)', { extractionSilenceMinutes: 45 }, 45],
    ['rate(5 minutes)', { extractionSilenceMinutes: 61 }, 61],
  ])('on %s with %j report a silent extraction after %i minutes', (schedule, thresholds, minutes) => {
    const alarm = alarmsOn(schedule, thresholds).alarm('no-extraction');
    const { Period = 0, EvaluationPeriods, DatapointsToAlarm } = alarm;

    expect((Period * EvaluationPeriods) / 60).toBe(minutes);
    expect(DatapointsToAlarm).toBe(EvaluationPeriods);
    expect(Period * EvaluationPeriods).toBeLessThanOrEqual(Period < 3600 ? 86_400 : 604_800);
  });

  test('report 26 hours without a reconciliation', () => {
    const alarm = of('prod').alarm('no-reconciliation');

    expect(alarm).toMatchObject({ MetricName: METRICS.reconciliationCompleted, Period: 3600, EvaluationPeriods: 26 });
    expect(stateOf(alarm, [])).toBe('ALARM');
    expect(stateOf(alarm, [1, ...times(25, undefined)])).toBe('OK');
    expect(stateOf(alarm, [1, ...times(26, undefined)])).toBe('ALARM');
  });

  test('report a pause of five minutes, and a breaker whose state is no longer counted', () => {
    const alarm = of('prod').alarm('consumption-paused');

    expect(alarm).toMatchObject({ MetricName: METRICS.consumptionPaused, Period: 60, Statistic: 'Maximum' });
    expect(stateOf(alarm, times(5, 0))).toBe('OK');
    expect(stateOf(alarm, [0, 1, 1, 1, 1])).toBe('OK');
    expect(stateOf(alarm, times(5, 1))).toBe('ALARM');
    expect(stateOf(alarm, [])).toBe('ALARM');
    expect(stateOf(alarm, [0, undefined, undefined, undefined, undefined])).toBe('OK');
  });

  test('report a cart that still has to wait after four hours, but not the single failure that follows a long pause', () => {
    const alarm = of('prod').alarm('cart-waiting-too-long');
    const hours = (count: number): number => count * 3600;

    expect(alarm).toMatchObject({
      Namespace: METRIC_NAMESPACE,
      MetricName: METRICS.cartWaitTime,
      Statistic: 'Maximum',
      Period: 900,
    });
    expect(stateOf(alarm, [hours(4), hours(4.25)])).toBe('ALARM');
    // It is tried every 15 minutes, a little more or less.
    expect(stateOf(alarm, [hours(5), undefined, hours(5.5)])).toBe('ALARM');
    expect(stateOf(alarm, [hours(6), undefined, undefined])).toBe('OK');
    expect(stateOf(alarm, times(3, hours(3.9)))).toBe('OK');
  });

  test('treat missing data as an alarm for these three alone; for all others it means that nothing is wrong', () => {
    const silent = [...of('prod').metricAlarms()]
      .filter(([, alarm]) => stateOf(alarm, []) === 'ALARM')
      .map(([name]) => name);

    expect(silent.sort()).toEqual(['consumption-paused', 'no-extraction', 'no-reconciliation']);
  });

  test('report every dead letter by its verdict, even when others lie in the queue already', () => {
    const alarm = of('prod').alarm('new-dead-letter');

    expect(alarm).toMatchObject({
      Namespace: METRIC_NAMESPACE,
      MetricName: METRICS.cartsDeadLettered,
      Statistic: 'Sum',
    });
    expect(stateOf(alarm, [1, undefined])).toBe('OK');
    expect(stateOf(alarm, [undefined, 1])).toBe('ALARM');
  });

  test('report the first crash or throttled invocation, which makes a dead letter without a verdict', () => {
    for (const name of ['worker-crashed', 'functions-throttled']) {
      expect(stateOf(of('prod').alarm(name), [0, 1])).toBe('ALARM');
      expect(stateOf(of('prod').alarm(name), [1, 0])).toBe('OK');
    }
    expect(of('prod').alarm('worker-crashed')).toMatchObject({ Namespace: 'AWS/Lambda', MetricName: 'Errors' });
  });

  test('report a throttled function of an optional block, too', () => {
    const stack = alarmsOf(loadEnvironment('prod'), undefined, ['writer', 'reporter']);
    const watched = stack.alarm('functions-throttled').Metrics.flatMap(({ MetricStat }) => MetricStat?.Metric ?? []);

    expect(watched.map(({ Dimensions }) => /function:(\w+)/.exec(JSON.stringify(Dimensions))?.[1])).toEqual([
      'extractor',
      'worker',
      'supervisor',
      'reconciler',
      'redriver',
      'writer',
      'reporter',
    ]);
  });

  test('report a pipe that stands still in two hours of a day that had an event for it', () => {
    const environment = { ...loadEnvironment('prod'), events: { typePrefix: 'acme', subscribers: {}, accounts: [] } };
    const streamArn = 'arn:aws:dynamodb:eu-west-1:123456789012:table/ledger/stream/2026-11-29T00:00:00.000';
    const stack = alarmsOf(
      environment,
      (scope) => new OutgoingEvents(scope, 'Events', { environment, streamArn }).alarms,
    );
    const alarm = stack.alarm('events-standing-still');
    const expressions = alarm.Metrics.flatMap(({ Expression = [] }) => Expression);
    const watched = alarm.Metrics.flatMap(({ MetricStat }) => MetricStat ?? []);

    expect(expressions).toEqual(
      expect.arrayContaining([0, 1].map((of) => `IF(FILL(counted${of}, 0) > 0 AND FILL(ran${of}, 0) < 1, 1, 0)`)),
    );
    expect(watched.map(({ Metric: { MetricName }, Period, Stat }) => [MetricName, Period, Stat])).toEqual([
      [METRICS.ordersCreated, 3600, 'Sum'],
      ['Invocations', 3600, 'Sum'],
      [METRICS.cartsDeadLettered, 3600, 'Sum'],
      ['Invocations', 3600, 'Sum'],
    ]);
    expect(alarm.EvaluationPeriods).toBe(72);
    // An order may be counted in one hour, and its event leave in the next.
    expect(stateOf(alarm, [1, ...times(71, 0)])).toBe('OK');
    // One event a day.
    expect(stateOf(alarm, [...times(47, 0), 1, ...times(23, 0), 1])).toBe('ALARM');
    expect(stateOf(alarm, times(72, undefined))).toBe('OK');
  });

  test('report a worker that fails in whatever way: Lambda counts every one of them as an error', () => {
    const alarm = of('prod').alarm('worker-failing');
    const watched = alarm.Metrics.flatMap(({ MetricStat }) => MetricStat?.Metric ?? []);

    // Not lines of the log, whose forms Lambda changes: the metric also counts time-outs, crashes, a lack of memory and
    // failed starts.
    expect(watched.map(({ Namespace, MetricName }) => [Namespace, MetricName])).toEqual([
      ['AWS/Lambda', 'Errors'],
      ['AWS/Lambda', 'Invocations'],
    ]);
    expect(new Set(watched.map(({ Dimensions }) => JSON.stringify(Dimensions))).size).toBe(1);
    expect(stateOf(alarm, [50, 100])).toBe('ALARM');
    expect(stateOf(alarm, [100, 49])).toBe('OK');
  });

  test('report a failed run of any scheduled function: Lambda drops its event, and nothing repeats it', () => {
    const alarm = of('prod').alarm('scheduled-run-failed');
    const dropped = alarm.Metrics.flatMap(({ MetricStat }) => MetricStat?.Metric ?? []);
    const watched = new Map(dropped.map(({ Dimensions }) => [reference.parse(Dimensions[0]?.Value), 0]));
    const retries = new Map(
      of('prod')
        .ofType('AWS::Lambda::EventInvokeConfig')
        .map(({ properties }) => [reference.parse(properties['FunctionName']), properties['MaximumRetryAttempts']]),
    );

    expect(new Set(dropped.map(({ MetricName }) => MetricName))).toEqual(new Set(['AsyncEventsDropped']));
    expect(retries).toEqual(watched);
    expect(stateOf(alarm, [0, 1])).toBe('ALARM');
    expect(stateOf(alarm, [1, 0])).toBe('OK');
  });

  test('report a dead-letter queue that was not empty in any hour of a week, days before SQS deletes', () => {
    const alarm = of('prod').alarm('dead-letters-unattended');

    expect(alarm.Period).toBe(3600);
    expect(stateOf(alarm, times(7 * 24, 2))).toBe('ALARM');
    expect(stateOf(alarm, [...times(7 * 24 - 1, 2), 0])).toBe('OK');
    expect(stateOf(alarm, [0, ...times(7 * 24 - 1, 2)])).toBe('OK');
  });

  test('tell the two queues apart', () => {
    const [mapping] = of('prod').ofType('AWS::Lambda::EventSourceMapping');
    const source = reference.parse(mapping?.properties['EventSourceArn']);
    const queueOf = (name: string): string[] =>
      of('prod')
        .alarm(name)
        .Dimensions.map(({ Value }) => reference.parse(Value));

    expect(queueOf('oldest-message-too-old')).toEqual([source]);
    expect(queueOf('backlog')).toEqual([source]);
    expect(queueOf('dead-letters-many')).not.toEqual([source]);
    expect(queueOf('dead-letters-unattended')).toEqual(queueOf('dead-letters-many'));
  });

  test('watch the schedules of every group', () => {
    const groups = alarmsOn('rate(5 minutes)')
      .alarm('scheduler-failed')
      .Metrics.flatMap(({ MetricStat }) => MetricStat?.Metric ?? [])
      .map(({ MetricName, Dimensions }) => [MetricName, Dimensions[0]?.Value]);

    expect(groups.map(([name = '']) => String(name)).sort()).toEqual([
      'InvocationDroppedCount',
      'InvocationDroppedCount',
      'TargetErrorCount',
      'TargetErrorCount',
    ]);
    expect(new Set(groups.map(([, group]) => JSON.stringify(group))).size).toBe(2);
  });

  test('follow the thresholds of the environment', () => {
    const stack = of('notified');

    expect(stack.alarm('dead-letters-many').Threshold).toBe(3);
    expect(stack.alarm('oldest-message-too-old').Threshold).toBe(420);
    expect(stack.alarm('cart-waiting-too-long').Threshold).toBe(2 * 3600);
    expect(stack.alarm('backlog').Threshold).toBe(44);
    expect(stack.alarm('consumption-paused').EvaluationPeriods).toBe(9);
    expect(of('prod').alarm('worker-near-timeout').Threshold).toBe(54_000);
    expect(of('prod').alarm('extractor-near-timeout').Threshold).toBe(270_000);
  });
});

describe('the metrics', () => {
  const ofAlarms = () =>
    [...of('prod').metricAlarms().values()].flatMap((alarm) => [
      ...(alarm.MetricName === undefined
        ? []
        : [{ namespace: alarm.Namespace, name: alarm.MetricName, dimensions: alarm.Dimensions }]),
      ...alarm.Metrics.flatMap(({ MetricStat }) =>
        MetricStat === undefined
          ? []
          : [
              {
                namespace: MetricStat.Metric.Namespace,
                name: MetricStat.Metric.MetricName,
                dimensions: MetricStat.Metric.Dimensions,
              },
            ],
      ),
    ]);
  /** In a dashboard a metric is [namespace, name, dimension, value, ..., options]. */
  const ofDashboard = () =>
    of('prod')
      .dashboard()
      .widgets.flatMap(({ properties }) => properties.metrics)
      .map(([namespace, name, ...rest]) => {
        const pairs = rest.filter((part) => typeof part === 'string');
        return {
          namespace: String(namespace),
          name: String(name),
          dimensions: pairs.flatMap((value, index) =>
            index % 2 === 0 ? [{ Name: value, Value: pairs[index + 1] }] : [],
          ),
        };
      });

  test('of our own are those that the code names, under the dimensions that the functions emit', () => {
    const own = [...ofAlarms(), ...ofDashboard()].filter(({ namespace }) => namespace === METRIC_NAMESPACE);
    const names: readonly string[] = Object.values(METRICS);

    expect(own.length).toBeGreaterThan(30);
    expect(own.filter(({ name }) => !names.includes(name))).toEqual([]);
    for (const { dimensions } of own) {
      const { environment, service, ...others } = Object.fromEntries(
        dimensions.map(({ Name, Value }) => [Name, Value]),
      );
      expect(environment).toBe('prod');
      expect(Object.values(SERVICE_NAMES)).toContain(service);
      expect(others).toEqual({});
    }
  });

  test('of AWS are those of the services that the stack uses', () => {
    const others = [...ofAlarms(), ...ofDashboard()].filter(({ namespace }) => namespace !== METRIC_NAMESPACE);

    expect([...new Set(others.map(({ namespace }) => String(namespace)))].sort()).toEqual([
      'AWS/Lambda',
      'AWS/SNS',
      'AWS/SQS',
      'AWS/Scheduler',
    ]);
    for (const { dimensions } of others) expect(dimensions).toHaveLength(1);
  });

  test('of our own all stand on the dashboard', () => {
    const shown = new Set(ofDashboard().map(({ name }) => name));

    expect(Object.values(METRICS).filter((name) => !shown.has(name))).toEqual([]);
  });
});

describe('the notification topics', () => {
  const policies = (stack: Synthesis, type: string) => stack.ofType(type).map(({ properties }) => properties);

  test('exist without a subscription, so that nothing must exist before the first deployment', () => {
    expect(of('prod').ofType('AWS::SNS::Topic')).toHaveLength(2);
    expect(of('prod').ofType('AWS::SNS::Subscription')).toEqual([]);
    expect(of('prod').text).not.toContain('{{resolve:');
  });

  test('differ between environments by their subscriptions, and by nothing else', () => {
    const ids = (stack: Synthesis) =>
      Object.keys(templateSchema.parse(JSON.parse(stack.text)).Resources).filter(
        (id) => !/PagerDuty|(Mail|Page)[a-z0-9]*example/.test(id),
      );

    expect(ids(of('notified'))).toEqual(ids(of('prod')));
  });

  test('send mail to each address', () => {
    const stack = of('notified');
    const mails = stack.ofType('AWS::SNS::Subscription').filter(({ properties }) => properties['Protocol'] === 'email');

    expect(mails.map(({ properties }) => [properties['Endpoint'], reference.parse(properties['TopicArn'])])).toEqual([
      ['one@example.com', stack.topic('mail')],
      ['two@example.com', stack.topic('mail')],
      // Each page is a mail, too.
      ['one@example.com', stack.topic('page')],
      ['two@example.com', stack.topic('page')],
    ]);
  });

  test('each report their own failure through the other one', () => {
    const stack = of('notified');

    expect(stack.alarm('pages-undelivered').AlarmActions).toEqual([stack.topic('mail')]);
    expect(stack.alarm('mails-undelivered').AlarmActions).toEqual([stack.topic('page')]);
    expect(
      stack
        .alarm('mails-undelivered')
        .Metrics.flatMap(({ MetricStat }) => MetricStat?.Metric ?? [])
        .map(({ Namespace, MetricName, Dimensions }) => [Namespace, MetricName, reference.parse(Dimensions[0]?.Value)]),
    ).toEqual([
      ['AWS/SNS', 'NumberOfNotificationsFailed', stack.topic('mail')],
      ['AWS/SNS', 'NumberOfNotificationsFailed', stack.topic('page')],
    ]);
  });

  test('let alarms through: CloudWatch may use the key of both topics, and publish to them', () => {
    const stack = of('prod');
    const [key] = stack.ofType('AWS::KMS::Key');
    const service = { Service: 'cloudwatch.amazonaws.com' };
    const account = { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } };

    expect(key?.properties).toMatchObject({
      EnableKeyRotation: true,
      KeyPolicy: {
        Statement: expect.arrayContaining([
          {
            Effect: 'Allow',
            Principal: service,
            Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
            Resource: '*',
            Condition: account,
          },
        ]),
      },
    });
    for (const { id, properties } of stack.ofType('AWS::SNS::Topic')) {
      expect(properties['KmsMasterKeyId']).toEqual({ 'Fn::GetAtt': [key?.id, 'Arn'] });
      const policy = policies(stack, 'AWS::SNS::TopicPolicy').find(({ Topics }) =>
        JSON.stringify(Topics).includes(`"${id}"`),
      );
      expect(policy).toMatchObject({
        PolicyDocument: {
          Statement: expect.arrayContaining([
            expect.objectContaining({ Effect: 'Allow', Principal: service, Action: 'sns:Publish', Condition: account }),
            expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          ]),
        },
      });
    }
  });
});

describe('the dashboard', () => {
  test('is one for an environment, named as its stack, with all alarms', () => {
    const [dashboard, ...others] = of('prod').ofType('AWS::CloudWatch::Dashboard');
    const shown = of('prod')
      .dashboard()
      .widgets.flatMap(({ properties }) => properties.alarms);

    expect(others).toEqual([]);
    expect(dashboard?.properties['DashboardName']).toBe('proc-srm7-11vms-purchase-order-v1-prod');
    expect(shown).toHaveLength(of('prod').metricAlarms().size + of('prod').composites().size);
  });

  test('shows where the carts are, how fast they are processed, and both systems, at a glance', () => {
    const titles = of('prod')
      .dashboard()
      .widgets.map(({ properties }) => properties.title);

    expect(titles).toEqual(
      expect.arrayContaining([
        'Alarms',
        'Messages now',
        'Approval to order',
        'Latency of SRM',
        'Latency of 11VMS',
        'Errors by system',
        'Queue',
      ]),
    );
    for (const title of ['Approval to order', 'Latency of SRM', 'Latency of 11VMS']) {
      const graph = of('prod')
        .dashboard()
        .widgets.find(({ properties }) => properties.title === title);
      expect(JSON.stringify(graph?.properties.metrics)).toMatch(/"p50".*"p95"/);
    }
  });
});

describe('a number on the dashboard', () => {
  const widgets = () =>
    of('prod')
      .dashboard()
      .widgets.map(({ properties }) => properties);
  /** The last part of a metric holds its options. */
  const shown = z.array(z.unknown()).transform((metric) => ({
    namespace: String(metric[0]),
    name: String(metric[1]),
    ...z.object({ label: z.string().optional() }).parse(typeof metric.at(-1) === 'object' ? metric.at(-1) : {}),
  }));

  test('of SQS is called a number of messages, or of seconds', () => {
    const ofSqs = widgets().flatMap(({ title = '', metrics }) =>
      metrics
        .map((metric) => shown.parse(metric))
        .flatMap(({ namespace, label }) => (namespace === 'AWS/SQS' ? [`${title}: ${label}`] : [])),
    );

    expect(ofSqs.length).toBeGreaterThan(5);
    expect(ofSqs.filter((text) => !/messages|, s \(right\)/i.test(text))).toEqual([]);
  });

  test('of carts leaves out what each run reads again', () => {
    const carts = widgets().find(({ title = '' }) => title.startsWith('Carts in the period'));

    expect(carts?.metrics.map((metric) => shown.parse(metric).name)).toEqual([
      METRICS.cartsQueued,
      METRICS.ordersCreated,
      METRICS.cartsDeadLettered,
    ]);
    expect(JSON.stringify(widgets())).not.toContain('several');
  });
});

describe('the saved queries', () => {
  test("search all functions' logs, in a folder named as the stack", () => {
    const queries = of('prod')
      .ofType('AWS::Logs::QueryDefinition')
      .map(({ properties }) => properties);

    expect(queries.map(({ Name }) => Name)).toEqual(
      [
        "one cart's story",
        'dead letters',
        'dead letters by reason',
        'pauses',
        'acts by hand',
        'slowest calls',
        'one run',
        'runs',
        'crashes',
      ].map((title) => `proc-srm7-11vms-purchase-order-v1-prod/${title}`),
    );
    for (const { LogGroupNames } of queries) expect(LogGroupNames).toHaveLength(5);
  });

  const queryNamed = (title: string): string =>
    String(
      of('prod')
        .ofType('AWS::Logs::QueryDefinition')
        .find(({ properties }) => String(properties['Name']).endsWith(`/${title}`))?.properties['QueryString'],
    );

  test('count dead letters by carts, and name what they count else', () => {
    expect(queryNamed('dead letters by reason')).toContain('count_distinct(messageId) as messages');
    expect(queryNamed('dead letters by reason')).toContain('count_distinct(cartNumber) as carts');
  });

  describe('of crashes', () => {
    /** The lines that the query finds. */
    const found = (lines: readonly string[]): string[] => {
      const [, pattern = '(?!)'] = /filter @message like \/(.+)\/$/m.exec(queryNamed('crashes')) ?? [];
      return lines.filter((line) => new RegExp(pattern).test(line));
    };
    const id = '8f5f5a37-3f0e-4f0e-9f37-0d6f7a1f7a3e';
    const report = `REPORT RequestId: ${id}\tDuration: 35.50 ms\tBilled Duration: 36 ms\tMemory Size: 1024 MB\tMax Memory Used: 95 MB\t`;

    test.each([
      ['a time-out', `2026-11-27T10:15:30.123Z ${id} Task timed out after 60.06 seconds`],
      ['a time-out, by its report', `${report}Status: timeout`],
      ['a crash', `RequestId: ${id} Error: Runtime exited with error: exit status 1`],
      ['a crash without an error', `RequestId: ${id} Error: Runtime exited without providing a reason`],
      ['a process that was killed', `RequestId: ${id} Error: Runtime exited with error: signal: killed`],
      ['the type of a crash, in a line of its own', 'Runtime.ExitError'],
      ['too little memory, by its report', `${report}Status: error\tError Type: Runtime.OutOfMemory`],
      [
        'a module that is missing',
        'INIT_REPORT Init Duration: 229.04 ms\tPhase: init\tStatus: error\tError Type: Runtime.ImportModuleError',
      ],
      ['a start that took too long', 'INIT_REPORT Init Duration: 9999.81 ms\tPhase: init\tStatus: timeout'],
      [
        'a start again that failed',
        'INIT_REPORT Init Duration: 99.65 ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError',
      ],
      ['an extension that crashed', `${report}Status: error\tError Type: Extension.Crash`],
      ['an environment that failed', `${report}Status: failure\tError Type: Sandbox.Failure`],
      ['an answer that is too large', `${report}Status: error\tError Type: Function.ResponseSizeTooLarge`],
      ['an error of no known type', `${report}Status: error\tError Type: Unknown`],
      ['an older form', `RequestId: ${id} Process exited before completing request`],
      [
        'an error that the handler threw',
        `2026-11-27T10:15:30.123Z\t${id}\tERROR\tInvoke Error \t{"errorType":"Error","errorMessage":"Environment variables missing or wrong"}`,
      ],
      [
        'an error while the module was loaded',
        '2026-11-27T10:15:30.123Z\tundefined\tERROR\tUncaught Exception \t{"errorType":"Error","errorMessage":"x"}',
      ],
      [
        'a promise that nobody awaited',
        `2026-11-27T10:15:30.123Z\t${id}\tERROR\tUnhandled Promise Rejection \t{"errorType":"Runtime.UnhandledPromiseRejection"}`,
      ],
    ])('find %s', (_what, line) => {
      expect(found([line])).toEqual([line]);
    });

    test('pass over what Lambda says of a healthy invocation, and our own lines', () => {
      expect(
        found([
          'INIT_START Runtime Version: nodejs:24.v12\tRuntime Version ARN: arn:aws:lambda:eu-west-1::runtime:0a1b',
          `START RequestId: ${id} Version: $LATEST`,
          `END RequestId: ${id}`,
          `${report}Init Duration: 204.11 ms`,
          `${report}Status: success`,
          '{"level":"WARN","event":"call.slow","message":"A call took long","status":504,"reason":"timed out"}',
          '{"level":"INFO","stack":"Error: x\\n at Runtime.handleOnceNonStreaming (file:///var/runtime/index.mjs:1250:29)"}',
        ]),
      ).toEqual([]);
    });
  });
});
