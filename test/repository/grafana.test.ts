/** The printed dashboard of Grafana: what it asks CloudWatch for exists, and nothing in it belongs to one account. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import * as z from 'zod';
import { DASHBOARD_ROWS } from '../../infra/constructs/dashboard-rows.ts';
import { grafanaDashboard } from '../../infra/docs/grafana.ts';
import { ENVIRONMENTS, stackName } from '../../infra/environments.ts';
import { createMeter, createMetrics } from '../../shared/log.ts';
import { METRIC_NAMESPACE, METRICS, SERVICE_NAMES } from '../../shared/metric-names.ts';
import { emittedMetrics } from '../integration/emitted-metrics.ts';

const root = join(import.meta.dirname, '..', '..');

const target = z.object({
  refId: z.string(),
  region: z.string(),
  namespace: z.string(),
  metricName: z.string(),
  dimensions: z.record(z.string(), z.string()),
  matchExact: z.literal(true),
  statistic: z.string(),
  period: z.string(),
  label: z.string(),
});
const variable = z.object({
  name: z.string(),
  type: z.string(),
  query: z.union([z.string(), z.looseObject({ queryType: z.string() })]),
  regex: z.string().optional(),
  hide: z.number().optional(),
});
const board = z
  .object({
    uid: z.string(),
    refresh: z.string(),
    editable: z.boolean(),
    time: z.object({ from: z.string(), to: z.string() }),
    panels: z.array(z.object({ id: z.number(), title: z.string().optional(), targets: z.array(target).default([]) })),
    templating: z.object({ list: z.array(variable) }),
    annotations: z.object({
      list: z.array(
        z.object({ target: z.looseObject({ alarmNamePrefix: z.string(), statistic: z.string().optional() }) }),
      ),
    }),
  })
  .parse(grafanaDashboard());
const text = JSON.stringify(grafanaDashboard());
const targets = board.panels.flatMap((panel) => panel.targets);
const alarms = board.annotations.list;
const own = targets.filter(({ namespace }) => namespace === METRIC_NAMESPACE);
const variables = new Map(board.templating.list.map((each) => [each.name, each]));

describe('the dashboard', () => {
  test('keeps its uid, by which Grafana knows it, and looks as far back as the one of CloudWatch', () => {
    expect(board.uid).toBe('proc-srm7-11vms-purchase-order-v1');
    expect(board.uid.length).toBeLessThanOrEqual(40);
    expect(board).toMatchObject({ time: { from: 'now-24h', to: 'now' }, refresh: '5m', editable: false });
  });

  test('has the widgets of CloudWatch, with the same series, and asks for each of them once', () => {
    const wanted = DASHBOARD_ROWS.flat().map(({ title, series, right = [] }) => ({
      title,
      labels: [...series, ...right].map(({ label }) => label),
    }));
    const shown = board.panels.filter((panel) => panel.targets.length > 0);

    expect(shown.map(({ title, targets: asked }) => ({ title, labels: asked.map(({ label }) => label) }))).toEqual(
      wanted,
    );
    for (const { targets: asked } of shown) expect(new Set(asked.map(({ refId }) => refId)).size).toBe(asked.length);
    expect(new Set(board.panels.map(({ id }) => id)).size).toBe(board.panels.length);
  });

  test('shows each metric of the interface', () => {
    const shown = new Set(own.map(({ metricName }) => metricName));

    expect(Object.values(METRICS).filter((name) => !shown.has(name))).toEqual([]);
  });

  test('belongs to no account, region, data source or environment', () => {
    expect(text).not.toMatch(/arn:aws|\b\d{12}\b|\b[a-z]{2}-[a-z]+-\d\b/);
    const uids = [...text.matchAll(/"datasource":\{"type":"cloudwatch","uid":"([^"]*)"/g)].map(([, uid]) => uid);
    expect(uids.length).toBeGreaterThan(targets.length);
    expect(new Set(uids)).toEqual(new Set(['${datasource}']));
    expect(new Set(targets.map(({ region }) => region))).toEqual(new Set(['$region']));
  });

  test('carries a mark of its content', () => {
    const { tags, ...content } = grafanaDashboard();
    const mark = createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 12);

    expect(tags).toEqual([board.uid, `printed-${mark}`]);
  });
});

describe('a variable of the dashboard', () => {
  test('exists for each one that is used', () => {
    const used = new Set([...text.matchAll(/\$\{?([a-zA-Z]+)/g)].map(([, name = '']) => name));

    expect([...used].filter((name) => !variables.has(name))).toEqual([]);
    expect([...variables.keys()].filter((name) => !used.has(name))).toEqual([]);
  });

  test('offers the environments that are deployed', () => {
    const names = Object.keys(ENVIRONMENTS).filter((name) => name !== 'local');

    expect(variables.get('environment')).toMatchObject({ type: 'custom', query: names.join(',') });
    expect(variables.get('datasource')).toMatchObject({ type: 'datasource', query: 'cloudwatch' });
  });

  // The whole stack is in the snapshot, and another test holds that.
  const { template } = z
    .object({ template: z.object({ Resources: z.record(z.string(), z.object({ Type: z.string() })) }) })
    .parse(JSON.parse(readFileSync(join(root, 'test/infra/snapshots/prod.json'), 'utf8')));
  const logicalIds = (type: string): string[] =>
    Object.entries(template.Resources).flatMap(([id, { Type }]) => (Type === type ? [id] : []));
  /** As CloudFormation names a resource without a name, when stack and id are long. */
  const arnOf = (service: string, stack: string, id: string): string =>
    `arn:aws:${service}:eu-west-1:123456789012:${stack.slice(0, 24)}-${id.slice(0, 24)}-AbCd1234EfGh`;

  test.each([
    ['extractor', 'lambda:function', 'AWS::Lambda::Function', 'ExtractorFunction'],
    ['worker', 'lambda:function', 'AWS::Lambda::Function', 'WorkerFunction'],
    ['supervisor', 'lambda:function', 'AWS::Lambda::Function', 'SupervisorFunction'],
    ['reconciler', 'lambda:function', 'AWS::Lambda::Function', 'ReconcilerFunction'],
    ['redriver', 'lambda:function', 'AWS::Lambda::Function', 'RedriverFunction'],
    ['queue', 'sqs', 'AWS::SQS::Queue', 'CartChannelQueue'],
    ['deadLetters', 'sqs', 'AWS::SQS::Queue', 'CartChannelDeadLetters'],
  ])('finds the name of %s among all resources of that kind, by tag and construct', (name, resourceType, type, id) => {
    const { query, regex = '', hide } = variables.get(name) ?? {};
    expect(query).toMatchObject({
      queryType: 'resourceARNs',
      region: '$region',
      resourceType,
      tags: { interface: [METRIC_NAMESPACE], environment: ['$environment'] },
    });
    expect(hide).toBe(2);

    const service = resourceType === 'sqs' ? 'sqs' : 'lambda';
    const arns = logicalIds(type).map((each) => arnOf(service, stackName({ name: 'prod' }), each));
    const pattern = new RegExp(regex.slice(1, -1));
    const found = arns.flatMap((arn) => pattern.exec(arn)?.[1] ?? []);

    expect(arns.length).toBeGreaterThan(3);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(id);
    expect(found[0]).not.toContain(':');
  });
});

describe('a metric of the dashboard', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test('of ours has the dimensions under which the functions emit it', () => {
    const lines: string[] = [];
    jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => lines.push(chunk.toString()) > 0);
    const metrics = createMetrics('$environment');
    const meter = createMeter(metrics);
    for (const name of Object.values(METRICS)) meter.count(name);
    metrics.publishStoredMetrics();
    const emitted = new Map(emittedMetrics(lines).map(({ name, dimensions }) => [name, dimensions]));

    expect(emitted.size).toBe(Object.values(METRICS).length);
    expect(own.length).toBeGreaterThan(30);
    for (const { metricName, dimensions } of own) {
      expect([metricName, Object.keys(dimensions).sort()]).toEqual([metricName, emitted.get(metricName)]);
      expect(dimensions['environment']).toBe('$environment');
    }
  });

  test('of ours is one that the code of that function counts', () => {
    const codeOf = (service: string): string =>
      ['shared', `functions/${service}`]
        .flatMap((folder) =>
          readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
            .filter((path) => path.endsWith('.ts') && path !== 'metric-names.ts')
            .map((path) => readFileSync(join(root, folder, path), 'utf8')),
        )
        .join('\n');
    const keys = new Map(Object.entries(METRICS).map(([key, name]): [string, string] => [name, key]));
    const uncounted = own.filter(({ metricName, dimensions: { service = '' } }) => {
      expect(Object.values(SERVICE_NAMES)).toContain(service);
      return !new RegExp(`METRICS\\.${keys.get(metricName)}\\b`).test(codeOf(service));
    });

    expect(uncounted.map(({ metricName, dimensions }) => `${dimensions['service']}: ${metricName}`)).toEqual([]);
  });

  test('of AWS is one of a function or a queue of the environment, by its name alone', () => {
    const others = targets.filter(({ namespace }) => namespace !== METRIC_NAMESPACE);

    expect(others.length).toBeGreaterThan(10);
    for (const { namespace, dimensions } of others) {
      const [[name, value] = ['', ''], ...more] = Object.entries(dimensions);
      expect(`${namespace} ${name}`).toMatch(/^AWS\/(Lambda FunctionName|SQS QueueName)$/);
      expect(variables.get(value.slice(1))?.query).toMatchObject({
        resourceType: namespace === 'AWS/SQS' ? 'sqs' : 'lambda:function',
      });
      expect(more).toEqual([]);
    }
  });

  test('is counted in steps of five minutes, whatever the view, but for what a day brings once', () => {
    const others = targets.filter(({ period }) => period !== '300');

    expect(others.map(({ metricName, period }) => `${metricName} ${period}`)).toEqual(['CartsRecovered 86400']);
  });
});

test('its document says what an open browser costs', () => {
  const document = readFileSync(join(root, 'infra/monitoring/grafana/README.md'), 'utf8');
  const usdAMonth = (minutes: number): string => ((targets.length * 30 * 24 * (60 / minutes) * 0.01) / 1000).toFixed(2);

  expect(document).toContain(`${targets.length} series in one open browser are ${usdAMonth(5)} US dollars a month`);
  expect(document).toContain(`and ${usdAMonth(1)} when refreshed each minute`);
});

test('the alarms are shown by the beginning of their names, in which Grafana replaces no variable', () => {
  for (const { target: query } of alarms) {
    expect(query).toMatchObject({ queryMode: 'Annotations', prefixMatching: true, region: '$region' });
    expect(query.alarmNamePrefix).not.toContain('$');
    for (const name of Object.keys(ENVIRONMENTS)) {
      expect(`${stackName({ name })}-orders-stopped`.startsWith(query.alarmNamePrefix)).toBe(true);
    }
  }
});

test('the alarms are shown with every statistic that one of them has, and without any: Grafana leaves out all others', () => {
  const statistics = ['prod', 'everything'].flatMap((name) =>
    [
      ...readFileSync(join(root, `test/infra/snapshots/${name}.json`), 'utf8').matchAll(
        /\bStatistic": "(?:none -> )?(\w+)"/g,
      ),
    ].map(([, statistic = '']) => statistic),
  );

  expect(alarms.map(({ target: query }) => query.statistic ?? '').sort()).toEqual(['', ...new Set(statistics)].sort());
});
