/** The events of the extractor; all others are refused, so that a typing error starts nothing. */
import { describe, expect, test } from '@jest/globals';
import { readEvent } from '../../functions/extract-approved-carts/extraction-event.ts';
import { scheduledEvent } from '../../infra/local/aws/scheduled-event.ts';

const byHand = { by: 'a person', reason: 'INC-42' };
const window = { changedFrom: '2026-11-20T00:00:00Z', changedTo: '2026-11-21T00:00:00+01:00' };

describe('the event of the extractor', () => {
  test('of Scheduler, where the schedule has no input, requests a normal run, whatever AWS adds to it', () => {
    const description = {
      logicalId: 'S',
      arn: 'arn:s',
      enabled: true,
      expression: '',
      timeZone: 'UTC',
      input: undefined,
    };
    const target = { logicalId: 'F' };
    // oxlint-disable-next-line no-unsafe-type-assertion -- the event depends on the schedule's arn and input alone
    const schedule = { ...description, target } as unknown as Parameters<typeof scheduledEvent>[0];
    const event = scheduledEvent(schedule, 'eu-west-1', new Date());

    expect(readEvent(event)).toEqual({ kind: 'normal' });
    expect(readEvent({ ...Object(event), addedByAws: 1 })).toEqual({ kind: 'normal' });
  });

  test.each<[string, unknown, unknown]>([
    ['that is empty asks for a normal run', {}, { kind: 'normal' }],
    [
      'with both ends asks for a replay',
      { ...window, ...byHand },
      {
        kind: 'replay-window',
        window: { fromMs: Date.parse(window.changedFrom), toMs: Date.parse(window.changedTo) },
        ...byHand,
      },
    ],
  ])('%s', (_, event, request) => {
    expect(readEvent(event)).toEqual(request);
  });

  test.each<[string, unknown, RegExp]>([
    [
      'a key in the wrong case',
      { changedfrom: window.changedFrom, changedto: window.changedTo },
      /Unrecognized keys: "changedfrom", "changedto"/,
    ],
    ['a replay without who asks', { ...window, reason: byHand.reason }, /→ at by/],
    ['a replay without a reason', { ...window, by: byHand.by }, /→ at reason/],
    ['a replay of one cart without a reason', { cart: '1', by: byHand.by }, /→ at reason/],
    ['a reason for a normal run', byHand, /Unrecognized keys: "by", "reason"/],
    ['an unknown key', { dryRun: true }, /Unrecognized key: "dryRun"/],
    ['the event of a reconciliation', { days: 7 }, /Unrecognized key: "days"/],
    ['an event of another service', { 'detail-type': 'Object Created', source: 'aws.s3' }, /→ at \["detail-type"\]/],
    ['nothing at all', null, /expected object/],
    ['a text', 'replay', /expected object/],
    ['a list', [window], /expected object/],
  ])('%s is refused, and the error says what is allowed', (_, event, message) => {
    expect(() => readEvent(event)).toThrow(message);
    expect(() => readEvent(event)).toThrow(
      'The event must be {} for a normal run, { "changedFrom", "changedTo", "by", "reason" } in RFC 3339 for a replay, or ' +
        '{ "cart", "by", "reason" } with its number for a replay of one cart: ',
    );
  });
});
