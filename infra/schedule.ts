/** Reads the schedule expressions of EventBridge Scheduler: one parser for synth, alarms, doctor and the local run. */
import { Cron } from 'croner';

export type Schedule =
  | { readonly kind: 'rate'; readonly everyMs: number }
  | { readonly kind: 'cron'; nextAfter(after: Date): Date | undefined };

/** The expression, or its time zone, is not one of EventBridge Scheduler. The message quotes it, and shows a right one. */
export class BadSchedule extends Error {}

/** What people write for a unit, to show them what AWS takes. */
const RATE_UNITS: Readonly<Record<string, { readonly ms: number; readonly spelling: RegExp }>> = {
  minute: { ms: 60_000, spelling: /^m(in(ute)?s?)?$/i },
  hour: { ms: 3_600_000, spelling: /^h((ou)?rs?)?$/i },
  day: { ms: 86_400_000, spelling: /^d(ays?)?$/i },
};
const EXAMPLES = 'rate(5 minutes), or cron(0/5 6-20 ? * MON-FRI *)';

/** @throws {BadSchedule} */
export function parseSchedule(expression: string, timeZone: string): Schedule {
  const [, kind, content = ''] = /^(rate|cron)\((.*)\)$/.exec(expression) ?? [];
  if (kind === 'rate') return { kind, everyMs: ratePeriodMs(content, expression) };
  if (kind === 'cron') return { kind, nextAfter: cronFirings(content, expression, timeZone) };
  const unix = cronOfUnix(expression);
  throw new BadSchedule(
    `"${expression}" is no schedule of EventBridge Scheduler: write ${unix === undefined ? EXAMPLES : `${unix} for this cron of Unix`}`,
  );
}

/** The first firing after an instant; undefined when it never fires again. @throws {BadSchedule} */
export function nextFiring(expression: string, timeZone: string, after: Date): Date | undefined {
  const schedule = parseSchedule(expression, timeZone);
  return schedule.kind === 'rate' ? new Date(after.getTime() + schedule.everyMs) : schedule.nextAfter(after);
}

function ratePeriodMs(content: string, expression: string): number {
  const [, count = '', unit = ''] = /^(\d+)\s*([a-z]+)$/i.exec(content.trim()) ?? [];
  const number = Number(count);
  const known = Object.keys(RATE_UNITS).find((name) => RATE_UNITS[name]?.spelling.test(unit));
  if (known === undefined || number === 0) {
    throw new BadSchedule(
      `"${expression}" is no rate: write a whole number and minutes, hours or days, as in rate(5 minutes)`,
    );
  }
  const right = `${number} ${known}${number === 1 ? '' : 's'}`;
  if (content !== right) throw new BadSchedule(`"${expression}" is no rate: write rate(${right})`);
  return number * (RATE_UNITS[known]?.ms ?? 0);
}

const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** The six fields for the five of Unix, which has no year, and counts the days of the week from 0; else undefined. */
function cronOfUnix(fields: string): string | undefined {
  const [minute, hour, dayOfMonth, month, dayOfWeek = '', ...rest] = fields.trim().split(/\s+/);
  if (dayOfWeek === '' || rest.length > 0 || !/^[\d*/,-]+$/.test(minute ?? '')) return undefined;
  if (dayOfWeek === '*' || dayOfWeek === '?')
    return `cron(${minute} ${hour} ${dayOfMonth === '?' ? '*' : dayOfMonth} ${month} ? *)`;
  const named = dayOfWeek.replace(/\b[0-7]\b(?<!\/\d)/g, (day) => DAYS[Number(day) % 7] ?? day);
  // EventBridge cannot say "on the 1st, and on each Monday" in one schedule.
  return dayOfMonth === '*' || dayOfMonth === '?' ? `cron(${minute} ${hour} ? ${month} ${named} *)` : undefined;
}

function cronFirings(content: string, expression: string, timeZone: string): (after: Date) => Date | undefined {
  const fields = content.trim().split(/\s+/);
  const [, , dayOfMonth, , dayOfWeek] = fields;
  if (fields.length !== 6) {
    const right = cronOfUnix(content);
    throw new BadSchedule(
      `"${expression}" needs six fields, minutes hours day-of-month month day-of-week year: write ${right ?? 'cron(0/5 6-20 ? * MON-FRI *)'}`,
    );
  }
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) {
    throw new BadSchedule(
      `"${expression}" needs a "?" for either day-of-month or day-of-week, and not for both, as in cron(0 6 * * ? *) or cron(0 6 ? * MON-FRI *)`,
    );
  }
  for (const [index, field] of FIELDS.entries()) {
    const text = fields[index] ?? '';
    if (!isField(text, index))
      throw new BadSchedule(`"${expression}": "${text}" is no ${field.name}, which is ${field.range}`);
  }
  const cron = cronOf(fields, timeZone);
  return (after) => cron.nextRun(after) ?? undefined;
}

const FIELDS = [
  { name: 'minute', range: '0 to 59', from: 0, to: 59 },
  { name: 'hour', range: '0 to 23', from: 0, to: 23 },
  { name: 'day-of-month', range: '1 to 31, or L for the last', from: 1, to: 31 },
  { name: 'month', range: '1 to 12, or JAN to DEC', from: 1, to: 12 },
  { name: 'day-of-week', range: '1 (Sunday) to 7, or SUN to SAT', from: 1, to: 7 },
  { name: 'year', range: '1970 to 2199', from: 1970, to: 2199 },
] as const;

/** Is the field right by itself? Croner's own message counts months and days from 0. */
function isField(text: string, index: number): boolean {
  const { from, to } = FIELDS[index] ?? { from: 0, to: 0 };
  const numbers = [...text.matchAll(/(?<![/#\d])\d+/g)].map(Number);
  if (numbers.some((number) => number < from || number > to)) return false;
  try {
    cronOf(
      FIELDS.map((_, other) => (other === index ? text : '*')),
      'UTC',
    );
    return true;
  } catch {
    return false;
  }
}

function cronOf(fields: readonly string[], timeZone: string): Cron {
  // Croner reads "?" as the present moment; AWS means "any".
  const pattern = ['0', ...fields.map((field) => (field === '?' ? '*' : field))].join(' ');
  // AWS's dialect is Quartz's: the days of a week count from 1, Sunday, and "5/15" steps from 5 on.
  return new Cron(pattern, { timezone: timeZone, mode: '7-part', alternativeWeekdays: true, sloppyRanges: true });
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/**
 * After so long without a good extraction, something is wrong: the threshold, or three intervals of a `rate(...)`. A run
 * that dies keeps its lease for longer than an interval, so that the next one ends as `locked`.
 */
export const extractionSilenceMs = (
  extraction: { readonly schedule: string; readonly timeZone: string },
  thresholdMinutes: number | undefined,
): number => (thresholdMinutes === undefined ? silenceMs(extraction, 3) : thresholdMinutes * MINUTE_MS);

/** A `rate(...)` is silent after so many intervals. The longest gap of a `cron(...)` is not computed: 3 days cover a weekend. */
export function silenceMs(
  { schedule, timeZone }: { readonly schedule: string; readonly timeZone: string },
  intervals: number,
): number {
  const parsed = parseSchedule(schedule, timeZone);
  return parsed.kind === 'cron' ? 3 * DAY_MS : Math.min(intervals * parsed.everyMs, 7 * DAY_MS);
}
