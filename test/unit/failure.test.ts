/** The failure taxonomy: every code of the rules, with an owner and something to do. */
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { FAULT_CATALOGUE, type FaultCode, faultToText, InterfaceError } from '../../shared/failure.ts';

/** Copied from rules.md, "Reason codes, by family". */
const RULES =
  'E_SRC_{AUTH,UNAVAILABLE,THROTTLED,SCHEMA,PAGING_INCOMPLETE}; E_CART_{EMPTY,CHANGED_AFTER_SEND,CANCELLED_AFTER_SEND}; ' +
  'E_EXTREF_MISSING; E_FIELD_{MISSING,FORMAT,LENGTH}; E_DATE_{INVALID,MISSING,RANGE}; ' +
  'E_MAP_{SUPPLIER,COMPANY,UOM,CATEGORY,TAX,CURRENCY,ACCCAT,COUNTRY,LINE_TYPE}; E_SUPPLIER_MISSING; E_REQUESTER_MISSING; ' +
  'E_ADDRESS_MISSING; E_LINE_DUPLICATE; E_QTY_INVALID; E_PRICE_INVALID; E_AMT_{PRECISION,LINE_MISMATCH,TOTAL_MISMATCH}; ' +
  'E_ACC_{MISSING,SPLIT_NOT_100,OBJECT_MISSING}; E_LIMIT_{UNLIMITED,RANGE}; ' +
  'E_TGT_{AUTH,VALIDATION,NOT_FOUND_REF,DUPLICATE_DIFFERENT,IDEMPOTENCY,THROTTLED,UNAVAILABLE,TIMEOUT_UNKNOWN,' +
  'DISGUISED_ERROR,RESPONSE_SCHEMA,TOO_LARGE}';
const ruleCodes = RULES.split('; ').flatMap((family) => {
  const [, prefix = '', members = ''] = /^(\w+)\{(.+)\}$/.exec(family) ?? [];
  return prefix === '' ? [family] : members.split(',').map((member) => prefix + member);
});
const entries = Object.entries(FAULT_CATALOGUE);

describe('the catalogue', () => {
  test('holds every code of the rules, and of its own only those of the interface itself', () => {
    const codes = entries.map(([code]) => code);

    expect(ruleCodes).toHaveLength(49);
    expect(codes).toEqual(expect.arrayContaining(ruleCodes));
    expect(codes.filter((code) => !ruleCodes.includes(code) && !code.startsWith('E_INT_'))).toEqual([]);
  });

  test.each(entries)('%s has an owner, a meaning, and something to do', (_code, { owner, meaning, action }) => {
    expect(['buyer', 'mapping owner', 'SRM team', '11VMS team', 'interface team']).toContain(owner);
    // A phrase, to which a place may be added; and sentences.
    expect(meaning).toMatch(/^(?:[A-Z]|11VMS).{10,}[^.]$/);
    expect(action).toMatch(/^[A-Z].{10,}\.$/);
  });

  test.each(entries.filter(([, { meaning }]) => meaning.includes('AMBIGUOUS')))(
    '%s, where an order may exist, sends nobody to post it again by hand',
    (_code, { action }) => {
      expect(action).toContain('externalId');
      expect(action).toContain('looks it up before anything is posted');
    },
  );
});

describe('a fault as text', () => {
  const code: FaultCode = 'E_MAP_UOM';
  const { action } = FAULT_CATALOGUE[code];

  test('says what and what to do', () => {
    expect(faultToText({ code, message: 'the unit is unknown' })).toBe(`E_MAP_UOM: the unit is unknown. ${action}`);
  });

  test('says where: path, target field and value, each where it is known', () => {
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
  test('is its class, its fault and when to come again, and nothing else', () => {
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
