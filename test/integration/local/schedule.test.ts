import { describe, expect, test } from '@jest/globals';
import type { FunctionDescription, ScheduleDescription } from '../../../infra/local/aws/provision.ts';
import { scheduledEvent } from '../../../infra/local/aws/scheduled-event.ts';
import { nextFiring } from '../../../infra/schedule.ts';

const next = (expression: string, after: string, timeZone = 'UTC'): string | undefined =>
  nextFiring(expression, timeZone, new Date(after))?.toISOString();

describe('a schedule expression', () => {
  test.each([
    ['rate(5 minutes)', '2026-11-22T10:00:00Z', '2026-11-22T10:05:00.000Z'],
    ['rate(1 hour)', '2026-11-22T10:00:30Z', '2026-11-22T11:00:30.000Z'],
    ['rate(2 days)', '2026-11-22T10:00:00Z', '2026-11-24T10:00:00.000Z'],
    ['cron(0/15 * * * ? *)', '2026-11-22T10:01:00Z', '2026-11-22T10:15:00.000Z'],
    ['cron(5/15 * * * ? *)', '2026-11-22T10:51:00Z', '2026-11-22T11:05:00.000Z'],
    ['cron(30 6 * * ? *)', '2026-11-22T10:00:00Z', '2026-11-23T06:30:00.000Z'],
    // AWS counts from Sunday, 1: 2 is Monday. The 22nd of November 2026 is a Sunday.
    ['cron(0 8 ? * 2 *)', '2026-11-22T10:00:00Z', '2026-11-23T08:00:00.000Z'],
    ['cron(0 8 ? * MON-FRI *)', '2026-11-20T10:00:00Z', '2026-11-23T08:00:00.000Z'],
    ['cron(0 8 L * ? *)', '2026-11-22T10:00:00Z', '2026-11-30T08:00:00.000Z'],
    ['cron(0 8 ? * 6#1 *)', '2026-11-22T10:00:00Z', '2026-12-04T08:00:00.000Z'],
    ['cron(0 0 1 1 ? 2030)', '2026-11-22T10:00:00Z', '2030-01-01T00:00:00.000Z'],
    ['cron(0 0 1 1 ? 2020)', '2026-11-22T10:00:00Z', undefined],
  ])('%s after %s fires at %s', (expression, after, expected) => {
    expect(next(expression, after)).toBe(expected);
  });

  test('of the cron form is read in its time zone, on both sides of a change of the clocks', () => {
    expect(next('cron(0 6 * * ? *)', '2026-10-24T10:00:00Z', 'Europe/Brussels')).toBe('2026-10-25T05:00:00.000Z');
    expect(next('cron(0 6 * * ? *)', '2026-10-23T10:00:00Z', 'Europe/Brussels')).toBe('2026-10-24T04:00:00.000Z');
  });

  test.each([
    ['at(2026-01-01T00:00:00)', /^"at\(2026-01-01T00:00:00\)" is no schedule of EventBridge Scheduler/],
    ['rate(0 minutes)', /is no rate: write a whole number/],
    ['rate(5 weeks)', /is no rate: write a whole number/],
    ['rate(5 months)', /is no rate: write a whole number/],
    ['cron(0 6 * * *)', /needs six fields/],
    ['cron(0 6 * * * *)', /needs a "\?" for either day-of-month or day-of-week/],
    ['cron(99 6 * * ? *)', /"99" is no minute, which is 0 to 59/],
    ['cron(0 6 ? * 0 *)', /"0" is no day-of-week, which is 1 \(Sunday\) to 7/],
    ['cron(0 6 * 13 ? *)', /"13" is no month, which is 1 to 12/],
    ['cron(0 6 1,32 * ? *)', /"1,32" is no day-of-month/],
    ['cron(six 6 * * ? *)', /"six" is no minute/],
  ])('%s is refused', (expression, message) => {
    expect(() => next(expression, '2026-11-22T10:00:00Z')).toThrow(message);
  });

  test('in an unknown time zone is refused', () => {
    expect(() => next('cron(0 6 * * ? *)', '2026-11-22T10:00:00Z', 'Europe/Atlantis')).toThrow(/Europe\/Atlantis/);
  });
});

describe('the event of a schedule', () => {
  const target: FunctionDescription = {
    logicalId: 'Target',
    name: 'target',
    arn: 'arn:target',
    runtime: 'nodejs24.x',
    codeDirectory: '.',
    handler: 'main.handler',
    timeoutMs: 1000,
    memoryMegabytes: 128,
    variables: {},
  };
  const schedule = (input: string | undefined): ScheduleDescription => ({
    logicalId: 'Schedule',
    arn: 'arn:schedule',
    target,
    enabled: true,
    expression: 'rate(1 hour)',
    timeZone: 'UTC',
    input,
  });
  const at = new Date('2026-11-22T10:00:00.123Z');

  test('is the default notification of EventBridge Scheduler', () => {
    expect(scheduledEvent(schedule(undefined), 'eu-west-1', at)).toMatchObject({
      source: 'aws.scheduler',
      'detail-type': 'Scheduled Event',
      time: '2026-11-22T10:00:00Z',
      resources: ['arn:schedule'],
      detail: '{}',
    });
  });

  test('is the input of the schedule, with the context attributes filled in', () => {
    expect(scheduledEvent(schedule('{"now":"<aws.scheduler.scheduled-time>"}'), 'eu-west-1', at)).toEqual({
      now: '2026-11-22T10:00:00Z',
    });
    expect(() => scheduledEvent(schedule('not JSON'), 'eu-west-1', at)).toThrow('Schedule: its input is not JSON');
  });
});
