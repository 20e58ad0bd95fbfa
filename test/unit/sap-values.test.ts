/** SAP's ways to write a value: source-srm7.md, "JSON quirks". */
import { describe, expect, test } from '@jest/globals';
import { parseExactJson } from '../../shared/exact-json.ts';
import {
  cartGuid,
  cartNumber,
  cartNumberOf,
  edmInstantMs,
  hasOffset,
  isCode,
  isOpenEnd,
  normalGuid,
  padZeros,
  stripZeros,
  SUPPLIER_NUMBER,
  suppliersOf,
} from '../../shared/sap-values.ts';
import fc from '../properties.ts';

const MINUTE = 60_000;
const END = new Date('9998-12-31T23:59:59.999Z');

describe('an Edm date', () => {
  test.each([
    ['/Date(1794960000000)/', 1_794_960_000_000],
    ['/Date(1795185125000+0000)/', 1_795_185_125_000],
    ['/Date(0)/', 0],
    ['/Date(-6847804800000)/', Date.parse('1753-01-01T00:00:00Z')],
    ['/Date(-1000+0000)/', -1000],
    ['/Date(253370764799999)/', Date.parse('9998-12-31T23:59:59.999Z')],
    [' /Date(0)/', 0],
    ['/Date(0)/\u00a0\n', 0],
  ])('%s is %i ms after 1970', (text, ms) => {
    expect(edmInstantMs(text)).toBe(ms);
  });

  test.each([
    ['/Date(1795185125000+0060)/', 1_795_185_125_000 - 60 * MINUTE],
    ['/Date(1795185125000-0300)/', 1_795_185_125_000 + 300 * MINUTE],
    ['/Date(1795185125000+0120)/', 1_795_185_125_000 - 120 * MINUTE],
  ])('%s has an offset of minutes, which is subtracted as UI5 does', (text, ms) => {
    expect(edmInstantMs(text)).toBe(ms);
  });

  test.each([
    '/Date(-62135596800000)/',
    '/Date(-6847804800001)/',
    '/Date(-6847804800000+0001)/',
    '/Date(253370764800000)/',
    '/Date(253370764799999-0001)/',
    '/Date(253402214400000)/',
    '/Date(8640000000000000)/',
    '/Date(8640000000000001)/',
    '/Date(99999999999999999)/',
    '/Date(100000000000000000)/',
    '/Date()/',
    '/Date(1.5)/',
    '/Date(1e3)/',
    '/Date(1795185125000+60)/',
    '/Date(1795185125000 +0000)/',
    '/Date(+0)/',
    'Date(0)',
    '2026-11-20T14:32:05Z',
    '',
    null,
    undefined,
    0,
    1_795_185_125_000,
    ['/Date(0)/'],
    {},
  ])('%p is no Edm date', (value) => {
    expect(edmInstantMs(value)).toBeUndefined();
  });

  test('is read back from any instant, with any offset', () => {
    const offsets = fc.integer({ min: -9999, max: 9999 });
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true, min: new Date('1753-01-01'), max: END }), offsets, (date, offset) => {
        const shown = `${offset < 0 ? '-' : '+'}${String(Math.abs(offset)).padStart(4, '0')}`;
        expect(edmInstantMs(`/Date(${date.getTime()})/`)).toBe(date.getTime());
        const ms = date.getTime() - offset * MINUTE;
        const year = new Date(ms).getUTCFullYear();
        expect(edmInstantMs(`/Date(${date.getTime()}${shown})/`)).toBe(year >= 1753 && year <= 9998 ? ms : undefined);
      }),
    );
  });

  test.each([
    ['/Date(253402214400000)/', true],
    ['/Date(253402300799999)/', true],
    ['/Date(253402214400000+0000)/ ', true],
    ['/Date(253402214399999)/', false],
    ['/Date(253402300800000)/', false],
    ['99991231', false],
    [null, false],
  ])('%p is the end that SAP leaves open: %p', (value, isOpen) => {
    expect(isOpenEnd(value)).toBe(isOpen);
  });

  test.each([
    ['/Date(0)/', false],
    ['/Date(0+0000)/', false],
    ['/Date(0-0000)/', false],
    ['/Date(0+0060)/', true],
    ['/Date(-5-0001)/', true],
    ['no date +0060', false],
  ])('%s carries an offset that is not zero: %p', (text, has) => {
    expect(hasOffset(text)).toBe(has);
  });
});

describe('leading zeros', () => {
  test.each([
    ['0000615200', '615200'],
    ['0', '0'],
    ['0000', '0'],
    ['10', '10'],
    ['', ''],
    ['00A1', '00A1'],
    ['BE10', 'BE10'],
    ['-01', '-01'],
    ['0.50', '0.50'],
    [' 01', ' 01'],
    ['٠٠١', '٠٠١'],
  ])('of %p are dropped as %p: of digits only, and never the last one', (value, stripped) => {
    expect(stripZeros(value)).toBe(stripped);
  });

  test.each([
    ['615200', 10, '0000615200'],
    ['0000615200', 10, '0000615200'],
    ['12345678901', 10, '12345678901'],
    ['', 10, ''],
    ['4711A', 10, '4711A'],
    ['O 50000123', 14, 'O 50000123'],
  ])('of %p are filled to %i as %p: of digits only', (value, length, padded) => {
    expect(padZeros(value, length)).toBe(padded);
  });

  test('can be dropped and filled again without a change of meaning', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.integer({ min: 0, max: 40 }), (number, length) => {
        expect(stripZeros(padZeros(String(number), length))).toBe(String(number));
      }),
    );
  });
});

describe('the form of a code', () => {
  test.each(['I1129', 'V0', 'KG', 'EUR', 'BE10', 'SUP-00871', 'MAT-PPE-03', 'P-2026/001.4', '0000100234', 'x'])(
    'is that of %p',
    (text) => {
      expect(isCode(text)).toBe(true);
    },
  );

  // What a person is called, or how one is reached.
  test.each([
    '',
    'MUELLER',
    'jan.peeters1',
    'a@b1',
    'J. Li',
    'Straat 12',
    'Zoë',
    '+32255512',
    'ACME-',
    'KLAUS',
    '1'.repeat(41),
  ])('is not that of %p', (text) => {
    expect(isCode(text)).toBe(false);
  });

  test('or that of a GUID is that of a key of SRM', () => {
    const guids = ['005056a5-09b3-1ee1-bee5-8ce5a1c90db0', 'AFBWpQmzHuG+5YzlockNsA==', 'G-4711'];
    expect(guids.map(cartGuid)).toEqual(guids);
    expect(['Vandenbroucke', 'a@b', '', null].map(cartGuid)).toEqual(Array.from({ length: 4 }));
  });
});

describe('the number of a cart', () => {
  test.each<[unknown, string]>([
    ['1000004711', '1000004711'],
    ['1000004711 ', '1000004711'],
    ['\ufeff1000004711\u00a0\r\n', '1000004711'],
    [1_000_004_711, '1000004711'],
    [parseExactJson('10000000000000004711'), '10000000000000004711'],
    ['0000004711', '4711'],
    ['00A4711', '00A4711'],
    ['ORDER00012', 'ORDER00012'],
    ['SHOPCART-0000000012', 'SHOPCART-0000000012'],
  ])('%p is read as %p', (value, number) => {
    expect(cartNumber(value)).toBe(number);
    expect(cartNumberOf({ ObjectId: value })).toBe(number);
    // The message and the cleaned row give the same number again.
    expect(cartNumber(cartNumber(value))).toBe(number);
  });

  test.each<[unknown]>([
    [''],
    [' '],
    ['0000000000'],
    [0],
    ['no number'],
    // What a person may be called somewhere.
    ['MUELLER1980'],
    ['mueller00012'],
    ['Order00012'],
    ['SHOPPINGCART00012'],
    ['SHOPCART-000000000012'],
    ['1000\n4711'],
    ['é'],
    ['9'.repeat(65)],
    [null],
    [undefined],
    [true],
    [{}],
    [[1]],
  ])('%p names no cart', (value) => {
    expect(cartNumber(value)).toBeUndefined();
    expect(cartNumberOf({ ObjectId: value })).toBeUndefined();
  });

  test('cannot be read from a row that is no object', () => {
    expect([null, 7, 'x', [], undefined].map(cartNumberOf)).toEqual(Array.from({ length: 5 }));
  });
});

describe('a GUID', () => {
  const hex = '005056a509b31ee1bee58ce5a1c90db0';
  test.each([
    ['Edm.Guid', '005056a5-09b3-1ee1-bee5-8ce5a1c90db0'],
    ['Edm.Guid in capitals', '005056A5-09B3-1EE1-BEE5-8CE5A1C90DB0'],
    ['CHAR32', '005056A509B31EE1BEE58CE5A1C90DB0'],
    ['base64 of its 16 bytes', Buffer.from(hex, 'hex').toString('base64')],
  ])('as %s is the same 32 digits', (_, value) => {
    expect(normalGuid(value)).toBe(hex);
  });

  test.each([
    '',
    hex.slice(1),
    `${hex}0`,
    `${hex.slice(1)}g`,
    `${hex} `,
    'AFBWpQmzHuG+5YzlockNsA=',
    'AFBWpQmzHuG-5YzlockNsA==',
  ])('%p is no GUID', (value) => {
    expect(normalGuid(value)).toBeUndefined();
  });

  test('has the same digits in any of its forms', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (octets) => {
        const bytes = Buffer.from(octets);
        const digits = bytes.toString('hex');
        const dashed = digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
        const forms = [digits, digits.toUpperCase(), dashed, dashed.toUpperCase(), bytes.toString('base64')];
        expect(forms.map(normalGuid)).toEqual(forms.map(() => digits));
      }),
    );
  });
});

describe('the number of a supplier', () => {
  test.each(['1', '100234', 'V10023', '10023-A', '00V234', 'VENDOR01', 'BE_0042', '1-2-3', 'CPD', 'ZENT'])(
    'can be %s',
    (text) => {
      expect(SUPPLIER_NUMBER.test(text)).toBe(true);
    },
  );

  // What a person is called, and what a firewall or an address does not bear.
  test.each([
    '',
    'DUPONT',
    'VAN-DAEL',
    'dupont1',
    '12/345',
    '12.345',
    '..',
    "'1'='1'",
    '<script>',
    '1--1',
    '-1',
    '1-',
    '1%2F2',
    'a@b1',
    '1 2',
    'MÜLLER1',
    '1\n',
  ])('is never %j', (text) => {
    expect(SUPPLIER_NUMBER.test(text)).toBe(false);
  });
});

test('the suppliers of a cart are a hundred at most: no cart can have as many orders', () => {
  const results = Array.from({ length: 200 }, (_, index) => ({ VendorId: String(1000 + index) }));
  expect(suppliersOf({ Items: { results } })).toHaveLength(100);
  expect(suppliersOf({ Items: { results: results.slice(0, 3) } })).toEqual(['1000', '1001', '1002']);
});
