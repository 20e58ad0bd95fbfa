/** When a schedule of EventBridge Scheduler fires next, and which event it sends. */
import { Cron } from 'croner';
import { randomUUID } from 'node:crypto';
import { LOCAL_ACCOUNT } from './local/aws/aws-clients.ts';
import type { ScheduleDescription } from './local/aws/provision.ts';

const UNIT_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/**
 * The first firing after an instant; undefined when it never fires again.
 * @throws {Error} that quotes the expression, when it is not one of `rate(...)` and `cron(...)`.
 */
export function nextFiring(expression: string, timeZone: string, after: Date): Date | undefined {
  const [, kind, content = ''] = /^(rate|cron)\((.+)\)$/.exec(expression.trim()) ?? [];
  if (kind === 'rate') return new Date(after.getTime() + ratePeriodMs(content, expression));
  if (kind === 'cron') return nextCronFiring(content, expression, timeZone, after);
  throw new Error(`Schedule "${expression}" is not supported locally: use rate(<n> <unit>) or cron(<six fields>).`);
}

function ratePeriodMs(content: string, expression: string): number {
  const [, count = '', unit = ''] = /^([1-9]\d*) (minute|hour|day)s?$/.exec(content.trim()) ?? [];
  const unitMs = UNIT_MS[unit];
  if (unitMs === undefined) {
    throw new Error(`Schedule "${expression}" is malformed: a rate is a whole number and minutes, hours or days.`);
  }
  return Number(count) * unitMs;
}

function nextCronFiring(content: string, expression: string, timeZone: string, after: Date): Date | undefined {
  const [minute, hour, dayOfMonth, month, dayOfWeek, year, ...rest] = content.trim().split(/\s+/);
  if (year === undefined || rest.length > 0) {
    throw new Error(
      `Schedule "${expression}" is malformed: six fields, minutes hours day-of-month month day-of-week year.`,
    );
  }
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) {
    throw new Error(`Schedule "${expression}" is malformed: either day-of-month or day-of-week is "?", not both.`);
  }
  // Croner reads "?" as the present moment; AWS means "any".
  const any = (field: string | undefined): string | undefined => (field === '?' ? '*' : field);
  const pattern = ['0', minute, hour, any(dayOfMonth), month, any(dayOfWeek), year].join(' ');
  try {
    // AWS's dialect is Quartz's: the days of a week count from 1, Sunday, and "5/15" steps from 5 on.
    const cron = new Cron(pattern, {
      timezone: timeZone,
      mode: '7-part',
      alternativeWeekdays: true,
      sloppyRanges: true,
    });
    return cron.nextRun(after) ?? undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Schedule "${expression}" (${timeZone}) is malformed: ${reason}`, { cause: error });
  }
}

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
