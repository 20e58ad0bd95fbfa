/**
 * The alarms of a synthesized template, at work: the test sets the states of metric alarms, composite alarms follow by
 * their rule, and each change becomes the actions and the events that CloudWatch sends. Sources: CloudWatch's user guide,
 * "Create a composite alarm" and "Alarm events and EventBridge", whose sample events these follow. No alarm of ours has a
 * suppressor: one that has is not simulated. How a metric becomes a state is no part of this: test/infra/alarms.test.ts has it.
 */
import * as z from 'zod';
import { type DeployedNames, deployed } from './eventbridge/deployed-template.ts';

export type AlarmStateValue = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

const actions = z.array(z.string()).default([]);
const metricProperties = z.object({ AlarmName: z.string(), AlarmActions: actions, OKActions: actions });
const compositeProperties = z.strictObject({
  AlarmName: z.string(),
  AlarmDescription: z.string().optional(),
  AlarmActions: actions,
  OKActions: actions,
  AlarmRule: z.string(),
  Tags: z.unknown().optional(),
});
const templateSchema = z.object({
  Resources: z.record(
    z.string(),
    z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) }),
  ),
});

/** What an alarm sent to a topic. */
export interface AlarmAction {
  readonly atMs: number;
  readonly alarm: string;
  readonly state: AlarmStateValue;
  readonly topic: string;
}

export interface AlarmStatesOptions {
  readonly names: DeployedNames;
  readonly startMs: number;
}

export interface AlarmStates {
  /** By the alarm's name. Composite alarms follow at once. */
  set(alarm: string, state: AlarmStateValue, reason?: string): void;
  stateOf(alarm: string): AlarmStateValue;
  advance(ms: number): void;
  readonly actions: readonly AlarmAction[];
  /** The events since the last call. */
  takeEvents(): unknown[];
}

interface State {
  readonly value: AlarmStateValue;
  readonly reason: string;
  readonly atMs: number;
}

interface Alarm {
  readonly arn: string;
  readonly name: string;
  readonly actionsOf: Readonly<Record<AlarmStateValue, readonly string[]>>;
  readonly composite?: z.infer<typeof compositeProperties>;
  state: State;
}

/** All metric alarms begin with INSUFFICIENT_DATA, as those of a new stack do. */
export function createAlarmStates(template: unknown, options: AlarmStatesOptions): AlarmStates {
  const { names, startMs } = options;
  let nowMs = startMs;
  const sent: AlarmAction[] = [];
  let events: unknown[] = [];
  const alarms = new Map<string, Alarm>();
  const begin: State = { value: 'INSUFFICIENT_DATA', reason: 'Unchecked: Initial alarm creation', atMs: startMs };

  for (const [id, { Type, Properties }] of Object.entries(templateSchema.parse(template).Resources)) {
    const arn = (): string => z.string().parse(deployed({ 'Fn::GetAtt': [id, 'Arn'] }, names));
    const actionsOf = ({ AlarmActions: ALARM, OKActions: OK }: z.infer<typeof metricProperties>) => ({
      ALARM,
      OK,
      INSUFFICIENT_DATA: [],
    });
    if (Type === 'AWS::CloudWatch::Alarm') {
      const metric = metricProperties.parse(deployed(Properties, names));
      alarms.set(arn(), { arn: arn(), name: metric.AlarmName, actionsOf: actionsOf(metric), state: begin });
    }
    if (Type === 'AWS::CloudWatch::CompositeAlarm') {
      const composite = compositeProperties.parse(deployed(Properties, names));
      const { AlarmName: name } = composite;
      alarms.set(arn(), { arn: arn(), name, actionsOf: actionsOf(composite), composite, state: begin });
    }
  }

  const byArn = (arn: string): Alarm => {
    const alarm = alarms.get(arn);
    if (alarm === undefined) throw new Error(`no alarm ${arn}`);
    return alarm;
  };
  const byName = (name: string): Alarm => {
    const alarm = [...alarms.values()].find((one) => one.name === name);
    if (alarm === undefined) throw new Error(`no alarm ${name}`);
    return alarm;
  };
  const valueOf = (arn: string): AlarmStateValue => byArn(arn).state.value;

  const emit = (alarm: Alarm, previous: State): void => {
    const { composite } = alarm;
    events.push({
      version: '0',
      id: `event-${events.length}`,
      'detail-type': 'CloudWatch Alarm State Change',
      source: 'aws.cloudwatch',
      account: '123456789012',
      time: new Date(nowMs).toISOString(),
      region: 'eu-west-1',
      resources: [alarm.arn],
      detail: {
        alarmName: alarm.name,
        state: stateInEvent(alarm.state),
        previousState: stateInEvent(previous),
        configuration:
          composite === undefined ? { metrics: [{ id: 'm1', returnData: true }] } : { alarmRule: composite.AlarmRule },
      },
    });
  };
  const act = (alarm: Alarm): void => {
    for (const topic of alarm.actionsOf[alarm.state.value]) {
      sent.push({ atMs: nowMs, alarm: alarm.name, state: alarm.state.value, topic });
    }
  };

  const change = (alarm: Alarm, value: AlarmStateValue, reason: string): void => {
    const previous = alarm.state;
    if (previous.value === value) return;
    alarm.state = { value, reason, atMs: nowMs };
    emit(alarm, previous);
    act(alarm);
    follow(alarm);
  };

  /** Composite alarms whose rule names the alarm. */
  const follow = ({ arn, name }: Alarm): void => {
    for (const other of alarms.values()) {
      const { composite } = other;
      if (composite === undefined) continue;
      if (composite.AlarmRule.includes(arn)) {
        const value = evaluateRule(composite.AlarmRule, valueOf) ? 'ALARM' : 'OK';
        change(other, value, `${arn} transitioned: "${name}" is ${valueOf(arn)}`);
      }
    }
  };

  for (const alarm of alarms.values()) {
    if (alarm.composite !== undefined) {
      change(
        alarm,
        evaluateRule(alarm.composite.AlarmRule, valueOf) ? 'ALARM' : 'OK',
        `${alarm.arn} was created and its alarm rule evaluates`,
      );
    }
  }

  return {
    set(name, value, reason = `Threshold Crossed: ${value}`) {
      const alarm = byName(name);
      if (alarm.composite !== undefined) throw new Error(`${name} is a composite alarm: set one of its parts`);
      change(alarm, value, reason);
    },
    stateOf: (name) => byName(name).state.value,
    advance(ms) {
      nowMs += ms;
    },
    actions: sent,
    takeEvents() {
      const taken = events;
      events = [];
      return taken;
    },
  };
}

/** `2022-07-22T15:57:45.394+0000`, as CloudWatch writes it. */
const stateInEvent = ({ value, reason, atMs }: State): object => ({
  value,
  reason,
  reasonData: JSON.stringify({ triggeringAlarms: [{ arn: 'arn:"quoted"', state: { value } }] }),
  timestamp: new Date(atMs).toISOString().replace('Z', '+0000'),
});

/**
 * `(ALARM("arn") OR OK("arn")) AND NOT ...`: AND binds more than OR.
 * @throws {Error} for what the language of alarm rules does not know.
 */
export function evaluateRule(rule: string, stateOf: (alarm: string) => AlarmStateValue): boolean {
  const tokens = [...rule.matchAll(/\s*(?:(?<word>[A-Z_]+)|(?<sign>[()])|"(?<name>[^"]+)"|(?<other>\S))/g)].map(
    ({ groups = {} }) => {
      if (groups['other'] !== undefined) throw new Error(`${rule}: cannot read ${groups['other']}`);
      return groups['word'] ?? groups['sign'] ?? { name: groups['name'] ?? '' };
    },
  );
  let at = 0;
  const next = (): string | { readonly name: string } => {
    const token = tokens[at];
    if (token === undefined) throw new Error(`${rule} ends too early`);
    at += 1;
    return token;
  };
  const expect = (sign: string): void => {
    if (next() !== sign) throw new Error(`${rule}: ${sign} is missing`);
  };
  const either = (): boolean => {
    let value = both();
    while (tokens[at] === 'OR') {
      at += 1;
      const further = both();
      value = value || further;
    }
    return value;
  };
  const both = (): boolean => {
    let value = one();
    while (tokens[at] === 'AND') {
      at += 1;
      const further = one();
      value = value && further;
    }
    return value;
  };
  const one = (): boolean => {
    const token = next();
    if (token === 'NOT') return !one();
    if (token === 'TRUE' || token === 'FALSE') return token === 'TRUE';
    if (token === '(') {
      const value = either();
      expect(')');
      return value;
    }
    if (token !== 'ALARM' && token !== 'OK' && token !== 'INSUFFICIENT_DATA') {
      throw new Error(`${rule}: ${JSON.stringify(token)} is no state`);
    }
    expect('(');
    const alarm = next();
    if (typeof alarm === 'string') throw new Error(`${rule}: ${token}(...) must name an alarm in quotes`);
    expect(')');
    return stateOf(alarm.name) === token;
  };
  const value = either();
  if (at < tokens.length) throw new Error(`${rule} goes on after its end`);
  return value;
}
