/** The event that EventBridge Scheduler sends to the target of a schedule. */
import { randomUUID } from 'node:crypto';
import { LOCAL_ACCOUNT } from './aws-clients.ts';
import type { ScheduleDescription } from './provision.ts';

/** The event that the schedule's target receives: its input, or else Scheduler's default notification. */
export function scheduledEvent(schedule: ScheduleDescription, region: string, at: Date): unknown {
  const time = at.toISOString().replace(/\.\d{3}Z$/, 'Z');
  const id = randomUUID();
  if (schedule.input === undefined) {
    return {
      version: '0',
      id,
      'detail-type': 'Scheduled Event',
      source: 'aws.scheduler',
      account: LOCAL_ACCOUNT,
      time,
      region,
      resources: [schedule.arn],
      detail: '{}',
    };
  }
  const text = schedule.input
    .replaceAll('<aws.scheduler.schedule-arn>', schedule.arn)
    .replaceAll('<aws.scheduler.scheduled-time>', time)
    .replaceAll('<aws.scheduler.execution-id>', id)
    .replaceAll('<aws.scheduler.attempt-number>', '1');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${schedule.logicalId}: its input is not JSON, which a Lambda target needs: ${text}`, {
      cause: error,
    });
  }
}
