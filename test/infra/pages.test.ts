/**
 * A page from the state of an alarm to the incident at PagerDuty, over the synthesized template: alarm, event, rule, body,
 * and the simulator of the Events API v2 that takes it. What stands for AWS here follows its documents; the drill in
 * infra/runbook.md ("Test the paths") proves it in an account.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import * as z from 'zod';
import { METRIC_ALARMS, PAGING_ALARMS, SILENT_ALARMS, type SilentAlarm } from '../../infra/constructs/alarm-texts.ts';
import { PagerDuty } from '../../infra/constructs/pager-duty.ts';
import { type Environment, parseEnvironment, stackName } from '../../infra/environments.ts';
import { IGNORED_TYPES } from '../../infra/local/aws/resource-properties.ts';
import { synthesizeOnce } from '../../infra/synthesis-cache.ts';
import { namesOf } from '../../shared/names-of.ts';
import { createAlarmStates } from '../simulators/alarm-states.ts';
import { createBus, type Delivery } from '../simulators/eventbridge/bus.ts';
import type { DeployedNames } from '../simulators/eventbridge/deployed-template.ts';
import { type PagerDutySimulator, startPagerDuty } from '../simulators/pager-duty.ts';
import { NOTIFIED_ENVIRONMENT } from './synthesis.ts';

const KEY = 'R0123456789abcdef0123456789abcde';
const START_MS = Date.parse('2026-12-01T08:00:00Z');
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const environment = parseEnvironment(NOTIFIED_ENVIRONMENT, 'this test');
const named = z.object({
  Resources: z.record(
    z.string(),
    z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) }),
  ),
});

const directory = mkdtempSync(join(tmpdir(), 'pages-'));
let text = '';
let pagerDuty: PagerDutySimulator;

beforeAll(async () => {
  const { directory: assembly, artifact } = await synthesizeOnce(environment, join(directory, 'notified'), {
    isChecked: true,
  });
  text = readFileSync(join(assembly, `${artifact}.template.json`), 'utf8');
}, 180_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

beforeEach(async () => {
  pagerDuty = await startPagerDuty({ routingKeys: [KEY] });
});
afterEach(async () => {
  await pagerDuty.close();
});

/** An alarm has the ARN of its name; every other resource its logical id. */
function namesIn(template: unknown): DeployedNames {
  const { Resources } = named.parse(template);
  return {
    secrets: { 'prod/pagerduty': KEY },
    physical(id, attribute) {
      const { AlarmName: name } = Resources[id]?.Properties ?? {};
      if (attribute === 'Arn' && typeof name === 'string') {
        return `arn:aws:cloudwatch:eu-west-1:123456789012:alarm:${name}`;
      }
      return attribute === undefined ? id : `${id}.${attribute}`;
    },
  };
}

const alarmEvent = z.object({ detail: z.looseObject({ state: z.looseObject({}) }) });

interface WorldOptions {
  /** The integration key in the secret. */
  readonly key?: string;
}

/** The deployed alarms and rules before PagerDuty. */
function deploy({ key = KEY }: WorldOptions = {}) {
  const template: unknown = JSON.parse(text);
  const names = { ...namesIn(template), secrets: { 'prod/pagerduty': key } };
  const states = createAlarmStates(template, { names, startMs: START_MS });
  const bus = createBus(template, { ...names, hosts: { 'events.eu.pagerduty.com': pagerDuty.url } });
  const prefix = `${stackName(environment)}-`;
  const deliver = async (): Promise<Delivery[]> => {
    const deliveries: Delivery[] = [];
    for (const event of states.takeEvents()) deliveries.push(...(await bus.send(event)));
    return deliveries;
  };
  const topicOf = (kind: 'page' | 'mail'): string => {
    const topic = Object.entries(named.parse(template).Resources).find(
      ([, { Type, Properties }]) =>
        Type === 'AWS::SNS::Topic' && String(Properties['DisplayName']).endsWith(`: ${kind}`),
    );
    return topic?.[0] ?? '';
  };
  return {
    async set(alarm: string, state: 'OK' | 'ALARM', reason?: string) {
      states.set(prefix + alarm, state, reason);
      return deliver();
    },
    /** The event of a change whose actions CloudWatch keeps back. @returns what the rules delivered */
    async sendSuppressed(part: string, actionsSuppressedBy: string) {
      states.set(prefix + part, 'ALARM');
      const deliveries: Delivery[] = [];
      for (const event of states.takeEvents()) {
        const { detail } = alarmEvent.parse(event);
        const state = { ...detail.state, actionsSuppressedBy };
        deliveries.push(...(await bus.send({ ...Object(event), detail: { ...detail, state } })));
      }
      return deliveries;
    },
    async advance(ms: number) {
      states.advance(ms);
      return deliver();
    },
    stateOf: (alarm: string) => states.stateOf(prefix + alarm),
    /** `<alarm> <state>` of what the topic got. */
    sent: (kind: 'page' | 'mail') =>
      states.actions
        .filter(({ topic }) => topic === topicOf(kind))
        .map(({ alarm, state }) => `${alarm.replace(prefix, '')} ${state}`),
  };
}

/** A stack that has run for a while: nothing is wrong, and PagerDuty knows nothing. */
async function deployHealthy(options: WorldOptions = {}) {
  const world = deploy(options);
  for (const alarm of [...namesOf(METRIC_ALARMS), ...namesOf(SILENT_ALARMS)]) await world.set(alarm, 'OK');
  await world.advance(24 * HOUR_MS);
  expect(pagerDuty.alerts).toEqual([]);
  return world;
}

const refused = (): number[] => pagerDuty.statuses.filter((status) => status !== 202);

/** A part that sets off each page by itself. */
const PART_OF = {
  'orders-stopped': 'target-refused',
  'extraction-stopped': 'source-refused',
  'dead-letters-urgent': 'dead-letters-unattended',
  'mails-undelivered': 'mails-undelivered',
} as const;

/** All that page, by themselves or as a part. */
const PAGING: readonly string[] = [
  'consumption-paused',
  'target-refused',
  'oldest-message-too-old',
  'cart-waiting-too-long',
  'worker-failing',
  'no-extraction',
  'source-refused',
  'dead-letters-many',
  'dead-letters-unattended',
  'mails-undelivered',
];

describe('a page', () => {
  test.each(namesOf(PART_OF))('%s opens one incident and resolves it', async (name) => {
    const world = await deployHealthy();

    await world.set(PART_OF[name], 'ALARM');
    await world.advance(HOUR_MS);
    expect(pagerDuty.alerts).toMatchObject([{ state: 'triggered', repeated: 0 }]);
    await world.set(PART_OF[name], 'OK');
    await world.advance(HOUR_MS);

    expect(pagerDuty.alerts).toMatchObject([
      {
        dedupKey: `arn:aws:cloudwatch:eu-west-1:123456789012:alarm:proc-srm7-11vms-purchase-order-v1-prod-${name}`,
        state: 'resolved',
        repeated: 0,
      },
    ]);
    expect(refused()).toEqual([]);
  });

  test('says what is wrong, its impact and severity, why CloudWatch thinks so, and where to read on', async () => {
    const world = await deployHealthy();
    await world.set('target-refused', 'ALARM');

    const { what, impact } = PAGING_ALARMS['orders-stopped'];
    expect(pagerDuty.alerts[0]?.trigger).toEqual({
      routing_key: KEY,
      event_action: 'trigger',
      dedup_key: expect.stringMatching(/^arn:aws:cloudwatch:.+-orders-stopped$/),
      payload: {
        summary: `Purchase orders prod: ${what} Impact: ${impact}`,
        source: expect.stringMatching(/^arn:aws:cloudwatch:.+-orders-stopped$/),
        severity: 'critical',
        timestamp: '2026-12-02T08:00:00.000+0000',
        component: 'PROC-SRM7-11VMS-PURCHASE-ORDER-V1',
        group: 'proc-srm7-11vms-purchase-order-v1-prod',
        class: 'orders-stopped',
        custom_details: {
          runbook: 'infra/runbook.md#orders-stopped',
          owners: ['11VMS team (Vendor platform, Teams: 11VMS support)'],
          alarm: expect.objectContaining({ value: 'ALARM', reason: expect.stringContaining('-target-refused') }),
        },
      },
      links: [
        {
          href: 'https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#dashboards/dashboard/proc-srm7-11vms-purchase-order-v1-prod',
          text: 'Dashboard',
        },
      ],
    });
  });

  test('is taken whatever the reason of the alarm holds', async () => {
    const world = await deployHealthy();
    const reason = 'Threshold "1.0"\ncrossed: \\ {"a":[<b>]} \u2028 é';
    await world.set('mails-undelivered', 'ALARM', reason);

    expect(refused()).toEqual([]);
    expect(pagerDuty.alerts[0]?.trigger.payload.custom_details).toMatchObject({ alarm: { reason } });
  });

  test('comes once for an incident, however many of its alarms follow', async () => {
    const world = await deployHealthy();
    for (const part of ['target-refused', 'consumption-paused', 'oldest-message-too-old']) {
      await world.set(part, 'ALARM');
    }
    await world.set('target-refused', 'OK');

    expect(pagerDuty.alerts).toMatchObject([{ state: 'triggered', repeated: 0 }]);
  });

  test('is a mail, too: the addresses of the entry read both topics', async () => {
    const world = await deployHealthy();
    await world.set('target-refused', 'ALARM');
    await world.set('target-refused', 'OK');

    expect(world.sent('page').slice(-2)).toEqual(['orders-stopped ALARM', 'orders-stopped OK']);
  });

  test('does not come of an alarm that mails only', async () => {
    const world = await deployHealthy();
    const before = pagerDuty.statuses.length;
    const mailing = namesOf(METRIC_ALARMS).filter((name) => !PAGING.includes(name));
    for (const name of mailing) await world.set(name, 'ALARM');

    expect(mailing.length).toBeGreaterThan(12);
    expect(pagerDuty.statuses).toHaveLength(before);
    expect(world.sent('mail').slice(-mailing.length)).toEqual(mailing.map((name) => `${name} ALARM`));
  });
});

describe('many dead letters that come with a pause', () => {
  const urgentPages = (world: Awaited<ReturnType<typeof deployHealthy>>): string[] =>
    world.sent('page').filter((line) => line === 'dead-letters-urgent ALARM');
  const classes = (): (string | undefined)[] => pagerDuty.alerts.map(({ trigger }) => trigger.payload.class);
  const manyDeadLettersInAPause = async () => {
    const world = await deployHealthy();
    // The supervisor reports the pause within a minute; dead letters are many only after two periods of five.
    await world.set('paused-lately', 'ALARM');
    await world.advance(5 * MINUTE_MS);
    await world.set('consumption-paused', 'ALARM');
    await world.advance(5 * MINUTE_MS);
    await world.set('dead-letters-many', 'ALARM');
    await world.advance(6 * HOUR_MS);
    return world;
  };

  test('are no page of their own: the pause is', async () => {
    const world = await manyDeadLettersInAPause();

    expect(classes()).toEqual(['orders-stopped']);
    expect(urgentPages(world)).toEqual([]);
  });

  test('page by both ways where they still lie half an hour after it', async () => {
    const world = await manyDeadLettersInAPause();
    await world.set('consumption-paused', 'OK');
    await world.advance(30 * MINUTE_MS);
    expect(urgentPages(world)).toEqual([]);
    await world.set('paused-lately', 'OK');

    expect(urgentPages(world)).toHaveLength(1);
    expect(classes()).toEqual(['orders-stopped', 'dead-letters-urgent']);
    expect(pagerDuty.alerts.map(({ state }) => state)).toEqual(['resolved', 'triggered']);
  });

  test('page nobody where they are redriven in time', async () => {
    const world = await manyDeadLettersInAPause();
    await world.set('consumption-paused', 'OK');
    await world.advance(10 * MINUTE_MS);
    await world.set('dead-letters-many', 'OK');
    await world.set('paused-lately', 'OK');

    expect(pagerDuty.alerts).toMatchObject([{ state: 'resolved' }]);
    expect(urgentPages(world)).toEqual([]);
  });
});

test('an alarm that CloudWatch suppresses opens no incident, should one get a suppressor', async () => {
  const world = await deployHealthy();

  expect(await world.sendSuppressed('target-refused', 'WaitPeriod')).toEqual([]);
  expect(pagerDuty.alerts).toEqual([]);
});

describe('a new stack', () => {
  const SILENT = ['no-extraction', 'consumption-paused', 'no-reconciliation'];

  test('mails that nothing has run yet, and pages nobody', async () => {
    const world = deploy();
    for (const alarm of SILENT) await world.set(alarm, 'ALARM');
    await world.set('source-refused', 'ALARM');

    expect(refused()).toEqual([]);
    expect(pagerDuty.alerts).toEqual([]);
    expect(world.sent('page').filter((line) => line.endsWith(' ALARM'))).toEqual([]);
    expect(world.sent('mail')).toEqual([...SILENT, 'source-refused'].map((alarm) => `${alarm} ALARM`));
  });

  test.each([
    ['no-extraction', 'first-extraction', 'extraction-stopped'],
    ['consumption-paused', 'first-supervision', 'orders-stopped'],
  ])('pages for %s when data have come and end again', async (part, latch, page) => {
    const world = deploy();
    await world.set(part, 'ALARM');
    await world.set(part, 'OK');
    await world.set(latch, 'OK');
    expect(pagerDuty.alerts).toEqual([]);
    await world.set(part, 'ALARM');

    expect(pagerDuty.alerts.map(({ trigger }) => trigger.payload.class)).toEqual([page]);
  });

  test('pages at once for what is no silence', async () => {
    const world = deploy();
    await world.set('target-refused', 'ALARM');

    expect(pagerDuty.alerts).toMatchObject([{ state: 'triggered' }]);
  });

  test('has latches that only a data point moves, and that no value brings into ALARM', () => {
    const latch = z.object({
      AlarmActions: z.never().optional(),
      OKActions: z.never().optional(),
      TreatMissingData: z.literal('ignore'),
      ComparisonOperator: z.literal('LessThanThreshold'),
      Threshold: z.literal(0),
      // More than a day, which CloudWatch evaluates once an hour: later than the alarm behind the latch.
      EvaluationPeriods: z.literal(25),
      Period: z.literal(3600),
      Statistic: z.enum(['Sum', 'Maximum']),
    });
    const { Resources } = named.parse(JSON.parse(text));
    for (const name of ['first-extraction', 'first-supervision'] satisfies SilentAlarm[]) {
      const alarm = Object.values(Resources).find(
        ({ Properties }) => Properties['AlarmName'] === `${stackName(environment)}-${name}`,
      );
      expect(latch.safeParse(alarm?.Properties).error).toBeUndefined();
    }
  });
});

describe('a page that PagerDuty does not take', () => {
  const QUEUE = /^MonitoringNotificationsUndeliveredPages\w+\.Arn$/;

  test('at first is sent again', async () => {
    const world = await deployHealthy();
    pagerDuty.failNext(429, 503);
    const [delivery] = await world.set('target-refused', 'ALARM');

    expect(delivery).toMatchObject({ end: 'delivered', attempts: [429, 503, 202] });
    expect(pagerDuty.alerts).toHaveLength(1);
  });

  test.each([
    ['because it is down', { key: KEY }, [500, 500, 500]],
    ['because the key is wrong', { key: 'R0000000000000000000000000000000' }, [400]],
    ['because the secret holds no key', { key: '{"key":"x"}' }, [400]],
  ])('%s lies in the queue that an alarm watches by mail', async (_why, options, attempts) => {
    const world = await deployHealthy(options);
    if (attempts.length > 1) pagerDuty.failNext(...attempts);
    const [delivery] = await world.set('target-refused', 'ALARM');

    expect(delivery).toMatchObject({ end: 'dead letter', attempts, deadLetterQueue: expect.stringMatching(QUEUE) });
    expect(pagerDuty.alerts).toEqual([]);
    await world.set('pages-undelivered', 'ALARM');
    expect(world.sent('mail').at(-1)).toBe('pages-undelivered ALARM');
  });

  test('may be put into that queue by each rule', () => {
    const { Resources } = named.parse(JSON.parse(text));
    const rules = Object.keys(Resources).filter((id) => Resources[id]?.Type === 'AWS::Events::Rule');
    const policies = Object.values(Resources).filter(({ Type }) => Type === 'AWS::SQS::QueuePolicy');
    const allowing = JSON.stringify(policies.filter((policy) => JSON.stringify(policy).includes('UndeliveredPages')));

    expect(rules).toHaveLength(2 * namesOf(PART_OF).length);
    expect(rules.filter((id) => !allowing.includes(`"aws:SourceArn":{"Fn::GetAtt":["${id}","Arn"]}`))).toEqual([]);
  });
});

describe('the template', () => {
  test('holds a reference to the key of PagerDuty in one place, and never the key', async () => {
    const world = await deployHealthy();
    const [delivery] = await world.set('target-refused', 'ALARM');

    expect(text.match(/\{\{resolve:[^}]+\}\}/g)).toEqual(['{{resolve:secretsmanager:prod/pagerduty:SecretString:::}}']);
    expect(delivery?.input).not.toContain(KEY);
  });

  test('runs locally without its pages', () => {
    const types = new Set(Object.values(named.parse(JSON.parse(text)).Resources).map(({ Type }) => Type));

    expect([...types].filter((type) => type.startsWith('AWS::Events::') && !IGNORED_TYPES.has(type))).toEqual([]);
  });

  /** The rules of one alarm, quickly. */
  function rulesOf(changed: Partial<Environment>, region: 'us' | 'eu'): unknown {
    const stack = new Stack(new App({ builtinCloudFormationValidation: false }), 'Pages', { stackName: 'pages' });
    const alarm = Alarm.fromAlarmArn(
      stack,
      'Alarm',
      'arn:aws:cloudwatch:eu-west-1:123456789012:alarm:pages-dead-letters-urgent',
    );
    new PagerDuty(stack, 'PagerDuty', {
      environment: { ...environment, ...changed },
      settings: { routingKeySecretName: 'prod/pagerduty', region },
      pages: [{ name: 'dead-letters-urgent', alarm, text: PAGING_ALARMS['dead-letters-urgent'] }],
      undelivered: new Queue(stack, 'Undelivered'),
      dashboardUrl: 'https://dashboard.example',
    });
    return Template.fromStack(stack).toJSON();
  }
  const EVENT = {
    source: 'aws.cloudwatch',
    'detail-type': 'CloudWatch Alarm State Change',
    resources: ['arn:aws:cloudwatch:eu-west-1:123456789012:alarm:pages-dead-letters-urgent'],
    detail: { state: { value: 'ALARM', timestamp: '2026-12-01T08:00:00.000+0000' } },
  };

  test.each([
    ['us', 'events.pagerduty.com'],
    ['eu', 'events.eu.pagerduty.com'],
  ] as const)('sends to PagerDuty in %s', async (region, host) => {
    const template = rulesOf({}, region);
    const [delivery] = await createBus(template, {
      ...namesIn(template),
      hosts: { [host]: pagerDuty.url },
    }).send(EVENT);

    expect(delivery).toMatchObject({ end: 'delivered' });
  });

  test('takes owners and a runbook of any length and with any sign', async () => {
    const owner = { name: `Buyers "A\\B" ${'n'.repeat(40)}`, contact: `Ops <ops@example.com> ${'c'.repeat(50)}` };
    const template = rulesOf(
      {
        owners: { mapping: owner, srm: owner, vms: owner, buyer: owner },
        notifications: { ...environment.notifications, runbookUrl: `https://wiki.example/${'r'.repeat(170)}` },
      },
      'us',
    );
    const bus = createBus(template, { ...namesIn(template), hosts: { 'events.pagerduty.com': pagerDuty.url } });
    const [delivery] = await bus.send(EVENT);

    expect(delivery).toMatchObject({ end: 'delivered' });
    expect(pagerDuty.alerts[0]?.trigger).toMatchObject({
      payload: {
        custom_details: {
          owners: expect.arrayContaining([expect.stringContaining('Buyers "A\\B" nn')]),
          runbook: expect.stringMatching(/r#dead-letters-urgent$/),
        },
      },
      links: [{ text: 'Runbook', href: expect.stringMatching(/r#dead-letters-urgent$/) }, { text: 'Dashboard' }],
    });
    expect(JSON.stringify(pagerDuty.alerts[0]?.trigger)).toContain('Ops (ops@example.com) c');
  });
});
