/** The events of the reconciliation; all others are refused, so that a typing error starts nothing. */
import { describe, expect, test } from '@jest/globals';
import { readEvent } from '../../functions/reconcile-carts/reconciliation-event.ts';

const byHand = { by: 'a person', reason: 'INC-42' };
const scheduled = { version: '0', 'detail-type': 'Scheduled Event', source: 'aws.scheduler', detail: '{}' };

describe('the event of the reconciliation', () => {
  test.each<[string, unknown, unknown]>([
    ['that is empty asks for what is due', {}, {}],
    ['of Scheduler asks for what is due, whatever AWS adds to it', { ...scheduled, addedByAws: 1 }, {}],
    ['may say for how many days', { days: 14, ...byHand }, { days: 14, includeLastHour: false, ...byHand }],
    [
      'may include the last hour',
      { days: 1, includeLastHour: true, ...byHand },
      { days: 1, includeLastHour: true, ...byHand },
    ],
  ])('%s', (_, event, request) => {
    expect(readEvent(event)).toEqual(request);
  });

  test.each<[string, unknown, RegExp]>([
    ['days without who asks', { days: 7, reason: byHand.reason }, /→ at by/],
    ['days without a reason', { days: 7, by: byHand.by }, /→ at reason/],
    ['a reason for what is due', byHand, /Unrecognized keys: "by", "reason"/],
    ['an unknown key', { dryRun: true }, /Unrecognized key: "dryRun"/],
    ['a window', { days: 7, changedFrom: '2026-11-20T00:00:00Z' }, /Unrecognized key: "changedFrom"/],
    ['no days', { days: 0 }, /→ at days/],
    ['half days', { days: 1.5 }, /→ at days/],
    ['days as text', { days: '7' }, /→ at days/],
    ['days beyond what verdicts are kept for', { days: 61 }, /→ at days/],
    ['the last hour without days', { includeLastHour: true }, /→ at days/],
    ['a last hour that is no yes or no', { days: 1, includeLastHour: 'yes' }, /→ at includeLastHour/],
    ['an event of another service', { 'detail-type': 'Object Created', source: 'aws.s3' }, /→ at \["detail-type"\]/],
    ['nothing at all', null, /expected object/],
    ['a text', '7', /expected object/],
    ['a list', [7], /expected object/],
  ])('%s is refused, and the error says what is allowed', (_, event, fault) => {
    expect(() => readEvent(event)).toThrow(fault);
    expect(() => readEvent(event)).toThrow(
      'The event must be {} for the reconciliation of the day or the rest of an unfinished one, or { "days": 1 to 60, "by", "reason" }, ' +
        'with "includeLastHour": true where wanted: ',
    );
  });
});
