/** Checks the alarms: does one say that something is wrong, and would each of them speak? */
import { paginateDescribeAlarms } from '@aws-sdk/client-cloudwatch';
import * as z from 'zod';
import { doesPage, isSilent, SILENT_ALARMS } from '../constructs/alarm-texts.ts';
import { stackName } from '../environments.ts';
import { fail, type Finding, ok, warn } from './finding.ts';
import { deployCommand, type DeployedContext } from './stack-context.ts';

const named = z.object({ AlarmName: z.string() });

interface Alarm {
  readonly state: string;
  readonly since: Date | undefined;
  readonly isEnabled: boolean;
}

export async function checkAlarms(context: DeployedContext): Promise<readonly Finding[]> {
  const prefix = `${stackName(context.environment)}-`;
  const alarms = new Map<string, Alarm>();
  const pages = paginateDescribeAlarms(
    { client: context.cloudwatch },
    { AlarmNamePrefix: prefix, AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] },
  );
  for await (const { MetricAlarms: metric = [], CompositeAlarms: composite = [] } of pages) {
    for (const { AlarmName, StateValue, StateUpdatedTimestamp, ActionsEnabled } of [...metric, ...composite]) {
      alarms.set(AlarmName ?? '', {
        state: StateValue ?? 'unknown',
        since: StateUpdatedTimestamp,
        isEnabled: ActionsEnabled !== false,
      });
    }
  }
  const wanted = context.expected.resources.filter(({ type }) => /^AWS::CloudWatch::(Composite)?Alarm$/.test(type));
  const findings = wanted.flatMap(({ properties }): Finding[] => {
    const { AlarmName: alarmName } = named.parse(properties);
    const name = alarmName.replace(prefix, '');
    const alarm = alarms.get(alarmName);
    if (alarm === undefined) {
      return [
        fail(
          `alarm ${name} does not exist`,
          `it was deleted, or another version is deployed; ${deployCommand(context)}`,
        ),
      ];
    }
    // A silent alarm has no actions: its state is no finding. It must only exist.
    if (isSilent(name)) return [];
    const { state, since, isEnabled } = alarm;
    const inAlarm = `alarm ${name} is in ALARM${since === undefined ? '' : ` since ${since.toISOString().slice(0, 16)}Z`}`;
    const advice = `read ${name} in infra/runbook.md`;
    return [
      ...(state !== 'ALARM' ? [] : [doesPage(name) ? fail(inAlarm, advice) : warn(inAlarm, advice)]),
      ...(isEnabled
        ? []
        : [
            fail(
              `alarm ${name} has its actions disabled: it sends nothing`,
              `find out who disabled them and why, then aws cloudwatch enable-alarm-actions --alarm-names ${alarmName}`,
            ),
          ]),
    ];
  });
  const telling = wanted.length - Object.keys(SILENT_ALARMS).length;
  return findings.length > 0 ? findings : [ok(`alarms: none of ${telling} is in ALARM, and all would tell`)];
}
