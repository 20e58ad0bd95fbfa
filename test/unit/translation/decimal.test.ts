/** Exact decimals: nothing is lost, and the parts of a split add up. */
import { describe, expect, test } from '@jest/globals';
import {
  type Decimal,
  hasAtMostDecimals,
  minorUnit,
  parseDecimal,
  powerOfTen,
  scaled,
  splitByLargestRemainder,
  sum,
  withAtLeastDecimals,
  withoutTrailingZeros,
  zero,
} from '../../../functions/create-purchase-orders/translation/decimal.ts';
import fc from '../../properties.ts';

const decimal = (text: string): Decimal => {
  const value = parseDecimal(text);
  if (value === undefined) throw new Error(`${text} is no decimal`);
  return value;
};
const split = (total: string, weights: readonly string[], decimals: number): string[] =>
  splitByLargestRemainder(decimal(total), weights, decimal, decimals).map(({ amount }) => scaled(amount, decimals));

describe('a plain decimal', () => {
  test.each(['0', '-1', '0001.50', '9999999999999.9999999999', '0009999999999999', '9007199254740993'.slice(0, 13)])(
    '%s',
    (text) => {
      expect(parseDecimal(text)).toBeDefined();
    },
  );

  test.each([
    '',
    ' ',
    '1e3',
    '1,5',
    '+1',
    '.5',
    '5.',
    '1.2.3',
    '--1',
    '12345678901234',
    '0012345678901234',
    '1.12345678901',
    '0x1',
    '1_0',
  ])('%j is no plain decimal', (text) => {
    expect(parseDecimal(text)).toBeUndefined();
  });

  test('keeps every digit', () => {
    expect(decimal('9999999999999.9999999999').toFixed()).toBe('9999999999999.9999999999');
    expect(sum([decimal('0.1'), decimal('0.2')]).toFixed()).toBe('0.3');
    expect(sum([]).eq(zero)).toBe(true);
  });
});

describe('a written decimal', () => {
  test('has the decimals of a currency', () => {
    expect([0, 2, 3, 4].map((decimals) => scaled(decimal('39000.000'), decimals))).toEqual([
      '39000',
      '39000.00',
      '39000.000',
      '39000.0000',
    ]);
    expect(scaled(decimal('-0.00'), 2)).toBe('0.00');
  });

  test('has no trailing zeros', () => {
    expect(['60.000', '0.500', '0', '100'].map((text) => withoutTrailingZeros(decimal(text)))).toEqual([
      '60',
      '0.5',
      '0',
      '100',
    ]);
  });

  test('has at least the given number of decimals', () => {
    const written = (text: string, decimals: number) => withAtLeastDecimals(decimal(text), decimals);
    expect(written('650', 2)).toBe('650.00');
    expect(written('650.10', 2)).toBe('650.10');
    expect(written('650.1234', 2)).toBe('650.1234');
    expect(written('650.5', 0)).toBe('650.5');
    expect(written('650.0', 0)).toBe('650');
  });

  test('has at most the given number of decimals', () => {
    expect(hasAtMostDecimals(decimal('1.2300'), 2)).toBe(true);
    expect(hasAtMostDecimals(decimal('-1.234'), 2)).toBe(false);
    expect(hasAtMostDecimals(decimal('1.0'), 0)).toBe(true);
  });

  test('is in minor units or in powers of ten', () => {
    expect([0, 2, 3, 4].map((decimals) => minorUnit(decimals).toFixed())).toEqual(['1', '0.01', '0.001', '0.0001']);
    expect([-2, 0, 2].map((exponent) => powerOfTen(exponent).toFixed())).toEqual(['0.01', '1', '100']);
  });
});

describe('a split by largest remainder', () => {
  test.each([
    ['100', ['1', '1', '1'], 0, ['34', '33', '33']],
    ['100.00', ['1', '1', '1'], 2, ['33.34', '33.33', '33.33']],
    ['0.10', ['1', '1', '1', '1', '1', '1'], 2, ['0.02', '0.02', '0.02', '0.02', '0.01', '0.01']],
    ['1.000', ['1', '1', '1'], 3, ['0.334', '0.333', '0.333']],
    ['0.0001', ['50', '50'], 4, ['0.0001', '0.0000']],
    ['5', ['50', '50'], 0, ['3', '2']],
    ['10.00', ['33.33', '33.33', '33.34'], 2, ['3.33', '3.33', '3.34']],
    ['0.02', ['1', '99'], 2, ['0.00', '0.02']],
    ['7.00', ['0', '100'], 2, ['0.00', '7.00']],
    ['0.00', ['60', '40'], 2, ['0.00', '0.00']],
    ['9999999999999.99', ['50', '50'], 2, ['5000000000000.00', '4999999999999.99']],
  ])('%s by %j with %i decimals', (total, weights, decimals, parts) => {
    expect(split(total, weights, decimals)).toEqual(parts);
  });

  test('of nothing has no parts', () => {
    expect(split('1.00', [], 2)).toEqual([]);
  });

  test('always adds up, and each part is less than one unit off', () => {
    const cents = fc.bigInt({ min: 0n, max: 10n ** 15n - 1n });
    const weights = fc.array(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 99 });
    fc.assert(
      fc.property(cents, weights, fc.constantFrom(0, 2, 3, 4), (units, shares, decimals) => {
        const total = decimal(String(units % 10n ** 13n)).times(minorUnit(decimals));
        const parts = splitByLargestRemainder(total, shares, (share) => decimal(String(share)), decimals);
        const whole = shares.reduce((all, share) => all + share, 0);
        expect(sum(parts.map(({ amount }) => amount)).eq(total)).toBe(true);
        for (const { part, amount } of parts) {
          expect(hasAtMostDecimals(amount, decimals)).toBe(true);
          const exact = total.times(part).div(whole);
          expect(amount.minus(exact).abs().lt(minorUnit(decimals))).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });
});
