/** The catalogue of faults: every code has an owner and an action. test/repository checks it against the rules. */
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { type FaultCode, InterfaceError } from '../../shared/failure.ts';
import { FAULT_CATALOGUE, faultToText } from '../../shared/fault-catalogue.ts';

const entries = Object.entries(FAULT_CATALOGUE);

describe('the catalogue of faults', () => {
  test.each(entries)('%s has an owner, a meaning, and an action', (_code, { owner, meaning, action }) => {
    expect(['buyer', 'mapping owner', 'SRM team', '11VMS team', 'interface team']).toContain(owner);
    // A phrase, to which a place may be added; and sentences.
    expect(meaning).toMatch(/^(?:[A-Z]|11VMS).{10,}[^.]$/);
    expect(action).toMatch(/^[A-Z].{10,}\.$/);
  });

  test.each(entries.filter(([, { meaning }]) => meaning.includes('AMBIGUOUS')))(
    '%s, where an order may exist, asks no person to post it again by hand',
    (_code, { action }) => {
      expect(action).toContain('externalId');
      expect(action).toContain('looks it up before anything is posted');
    },
  );
});

describe('a fault as text', () => {
  const code: FaultCode = 'E_MAP_UOM';
  const { action } = FAULT_CATALOGUE[code];

  test('says what is wrong and what to do', () => {
    expect(faultToText({ code, message: 'the unit is unknown' })).toBe(`E_MAP_UOM: the unit is unknown. ${action}`);
  });

  test('names the place: path, target field and value, each where it is known', () => {
    const message = 'the unit is unknown';
    const path = '$.Items[0].Unit';

    expect(faultToText({ code, message, path })).toBe(`E_MAP_UOM: the unit is unknown ($.Items[0].Unit). ${action}`);
    expect(faultToText({ code, message, path, field: 'lines[].unit', value: 'Z"Z' })).toBe(
      `E_MAP_UOM: the unit is unknown ($.Items[0].Unit, for lines[].unit, value "Z\\"Z"). ${action}`,
    );
    expect(faultToText({ code, message, value: '' })).toBe(`E_MAP_UOM: the unit is unknown (value ""). ${action}`);
  });
});

describe('an InterfaceError', () => {
  test('carries its class, its fault and its retry delay, and nothing else', () => {
    const fault = { code: 'E_TGT_THROTTLED', message: '11VMS answered 429' } as const;
    const error = new InterfaceError('throttled', fault, 7000);

    expect(error).toBeInstanceOf(Error);
    expect(Object.fromEntries(Object.entries(error))).toEqual({
      name: 'InterfaceError',
      failureClass: 'throttled',
      fault,
      retryAfterMs: 7000,
    });
    expect(error.message).toBe('E_TGT_THROTTLED: 11VMS answered 429');
    expect(new InterfaceError('throttled', fault).retryAfterMs).toBeUndefined();
    expect(inspect(error)).not.toMatch(/cause|config|headers/);
  });
});
