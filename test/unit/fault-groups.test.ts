/** The faults of dead letters on the screen: one line for each kind of fault, not one paragraph for each cart. */
import { describe, expect, test } from '@jest/globals';
import type { DeadLetter, ReportedFault } from '../../infra/local/run/accounting.ts';
import { faultLines as linesOf } from '../../infra/local/run/fault-groups.ts';
import { ownerText } from '../../infra/owners.ts';

const unit = (line: number, value: string): ReportedFault => ({
  code: 'E_MAP_UOM',
  message: 'the code is not in the value map',
  path: `$.Items.results[${line}].Unit`,
  field: `lines[${line}].unitOfMeasure`,
  value,
  owner: 'mapping owner',
  action: 'Add the unit.',
});
const missing: ReportedFault = {
  code: 'E_FIELD_MISSING',
  message: 'the field is empty',
  path: '$.Description',
  owner: 'buyer',
  action: 'Fill the field.',
};
const deadLetter = (cartNumber: string | null, ...faults: readonly ReportedFault[]): DeadLetter => ({
  cartNumber,
  guid: null,
  codes: [],
  reason: '',
  faults,
  body: '',
});

/** Of an environment that names the mapping owner alone. */
const owners = { mapping: { name: 'Catalogue', contact: '#catalogue' } };
const faultLines = (deadLetters: readonly DeadLetter[]): string[] =>
  linesOf(deadLetters, (owner) => ownerText({ owners }, owner));

describe('the faults of dead letters', () => {
  test('are one line for all carts and lines that have the same fault, with its values and examples', () => {
    const carts = ['101', '102', '103', '104', '105'].map((number, line) => deadLetter(number, unit(line, `Z${line}`)));

    expect(faultLines(carts)).toEqual([
      '  E_MAP_UOM  for the mapping owner (Catalogue, #catalogue): Add the unit.',
      '      5 carts    the code is not in the value map ($.Items.results[…].Unit, for lines[…].unitOfMeasure, ' +
        'value "Z0", "Z1", "Z2" and 2 more): 101, 102, 103 and 2 more',
    ]);
  });

  test('count a cart once, however many of its lines have the fault', () => {
    expect(faultLines([deadLetter('101', unit(0, 'ZZZ'), unit(1, 'ZZZ'))])[1]).toBe(
      '      1 cart     the code is not in the value map ($.Items.results[…].Unit, for lines[…].unitOfMeasure, value "ZZZ"): 101',
    );
  });

  test('keep the path of a fault that only one line has', () => {
    expect(faultLines([deadLetter('101', unit(3, 'ZZZ'))])[1]).toContain('($.Items.results[3].Unit, for lines[3]');
  });

  test('come under one heading for each code, the most frequent first', () => {
    const lines = faultLines([
      deadLetter('101', missing, { ...missing, path: '$.CoCode' }),
      deadLetter('102', unit(0, 'ZZZ')),
      deadLetter('103', { ...missing, path: '$.CoCode' }),
      deadLetter(null, { ...missing, path: '$.CoCode' }),
    ]);

    expect(lines.map((line) => line.replace(/ {2,}/g, ' '))).toEqual([
      ' E_FIELD_MISSING for the buyer: Fill the field.',
      ' 3 carts the field is empty ($.CoCode): 101, 103, without number',
      ' 1 cart the field is empty ($.Description): 101',
      ' E_MAP_UOM for the mapping owner (Catalogue, #catalogue): Add the unit.',
      ' 1 cart the code is not in the value map ($.Items.results[0].Unit, for lines[0].unitOfMeasure, value "ZZZ"): 102',
    ]);
  });

  test('of a code of another version are shown without an owner, and none ends in an empty place', () => {
    const fault: ReportedFault = { code: 'E_FUTURE', message: 'something new', owner: null, action: null };

    expect(faultLines([deadLetter('101', fault)])).toEqual(['  E_FUTURE', '      1 cart     something new: 101']);
  });
});
