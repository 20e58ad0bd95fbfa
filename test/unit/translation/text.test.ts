/** Texts of SAP, cleaned and cut. SAP's other values are the subject of test/unit/sap-values.test.ts. */
import { describe, expect, test } from '@jest/globals';
import { userId, withoutHrPrefix } from '../../../functions/create-purchase-orders/translation/conversions.ts';
import { cutText, languageCode } from '../../../functions/create-purchase-orders/translation/text.ts';
import { cleanText } from '../../../shared/sap-values.ts';
import fc from '../../properties.ts';

const points = (text: string): number => Array.from(text).length;
// oxlint-disable-next-line no-control-regex -- they are what must not be there
const UNFIT = /[\u0000-\u0008\u000b-\u001f\u00a0\ufeff]/;

describe('a cleaned text', () => {
  test.each([
    ['line ends', 'a\r\nb\rc\nd', 'a\nb\nc\nd'],
    ['SAP’s tag for an ampersand', 'R<(>&<)>D <(>&<)>', 'R&D &'],
    ['SAP’s tags for angle brackets', 'a <(><<)> b <(>><)> c<(><<)><(>><)>', 'a < b > c<>'],
    ['a tag around anything else stays', '<(>x<)> <(>&amp;<)>', '<(>x<)> <(>&amp;<)>'],
    ['no-break space', 'a\u00a0b', 'a b'],
    ['byte order marks', '\ufeffa\ufeff', 'a'],
    ['control characters, but line feed and tab', 'a\u0000\u0008\u000b\u000c\u000e\u001fb\n\tc', 'ab\n\tc'],
    ['lone surrogates', '\ud83c \udf31', '\ufffd \ufffd'],
    ['halves that meet when what stood between them is gone', '\ud83c\ufeff\udf31', '🌱'],
    ['composed', 'e\u0301 A\u030a', 'é Å'],
    ['blank', ' \u00a0\t\r\n ', ''],
    ['clean text stays as it is', '🧪 漢字 & < > " \u0085 \u2028x', '🧪 漢字 & < > " \u0085 \u2028x'],
  ])('%s', (_what, text, clean) => {
    expect(cleanText(text)).toBe(clean);
  });

  test('is fit to send for any text, and does not change a fit one', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const clean = cleanText(text);
        expect(clean.isWellFormed()).toBe(true);
        expect(clean).toBe(clean.normalize('NFC'));
        expect(clean).toBe(clean.trim());
        expect(clean).not.toMatch(UNFIT);
      }),
      { numRuns: 300 },
    );
  });

  test('keeps a user’s capitals as NFC, whatever the letter', () => {
    const letters = Array.from({ length: 0x3_0000 }, (_, code) => code)
      .filter((code) => code < 0xd800 || code > 0xdfff)
      .map((code) => String.fromCodePoint(code).normalize('NFC'));
    expect(letters.filter((letter) => userId(letter) !== userId(letter)?.normalize('NFC'))).toEqual([]);
    expect(letters.filter((letter) => letter.toLowerCase() !== letter.toLowerCase().normalize('NFC'))).toEqual([]);
  });
});

describe('a cut text', () => {
  test('is cut at code points, and the marker counts', () => {
    expect(cutText('🌱'.repeat(10), 10)).toBe('🌱'.repeat(10));
    expect(cutText('🌱'.repeat(11), 10)).toBe('🌱🌱🌱🌱🌱[...]');
    expect(cutText('abcdefghijk', 10)).toBe('abcde[...]');
    expect(cutText('', 10)).toBe('');
  });

  test('is never longer than the maximum, and ends in no half character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.integer({ min: 5, max: 40 }), (text, maximum) => {
        const cut = cutText(text, maximum);
        expect(points(cut)).toBe(Math.min(points(text), maximum));
        expect(cut.isWellFormed()).toBe(true);
        expect(cut === text || text.startsWith(cut.slice(0, -'[...]'.length))).toBe(true);
      }),
    );
  });
});

test.each([
  ['E', 'en'],
  ['F', 'fr'],
  ['D', 'de'],
  ['N', 'nl'],
  ['S', 'es'],
  ['I', 'it'],
  ['P', 'pt'],
  ['EN', 'en'],
  ['fr', 'fr'],
  ['JA', 'ja'],
  ['1', undefined],
  ['Z', undefined],
  ['ENG', undefined],
  ['É', undefined],
  ['toString', undefined],
  [undefined, undefined],
])('the language key %s becomes %s', (language, code) => {
  expect(languageCode(language)).toBe(code);
});

test('the prefix of an HR object is removed, and no other letter', () => {
  expect(['O 50000123', 'O\t1', 'OTTO', 'O', '50000123', undefined].map(withoutHrPrefix)).toEqual([
    '50000123',
    '1',
    'OTTO',
    'O',
    '50000123',
    undefined,
  ]);
});
