/** A page of which some rows are no JSON: the others are read. */
import { describe, expect, test } from '@jest/globals';
import { countWork } from './counted-work.ts';
import { splitPage as split } from '../../shared/reading/split-page.ts';

const splitPage = (text: string) => split(text, 'ObjectId');

/** A cart with a bad or good end of its header; its text holds brackets and quotes, and its items begin as it does. */
const cart = (number: number, end = ''): string =>
  [
    `{"__metadata":{"id":"c${number}"},"Guid":"g${number}","ObjectId":"${number}","Description":"a \\" ] } , { b"${end}`,
    `"Items":{"results":[{"__metadata":{"id":"i"},"Guid":"i${number}","Description":"{["},{"__metadata":{}}]}}`,
  ].join(',');

const pageOf = (rows: readonly string[]): string =>
  `{"d":{"__count":"3","results":[${rows.join(', ')}],"__next":"https://srm/Set?$skiptoken=[1]"}}`;

/** The numbers of the good rows, and `bad` for the others. */
const namesOf = (text: string): unknown =>
  splitPage(text)?.rows.map(({ source, faultOffset }) => (faultOffset === undefined ? Object(source).ObjectId : 'bad'));

const bad: [string, string][] = [
  ['an open quote', ',"Text":"19" rack"'],
  ['two open quotes', ',"Text":"19" rack 20" deep"'],
  ['no value', ',"TotalValue":'],
  ['a value too many', ',"TotalValue":"1" "2"'],
  ['a number that is none', ',"TotalValue":1,50'],
  ['a word that is none', ',"TotalValue":NaN'],
  ['an unknown escape', String.raw`,"Text":"C:\temp\x"`],
  ['a string without an end', ',"Text":"open'],
  ['a bracket too many', ',"Text":}'],
  ['a square bracket too many', ',"Text":]'],
  ['a bracket that is open', ',"Text":{'],
];

describe.each(bad)('a row with %s', (_what, end) => {
  const good = [cart(1), cart(2), cart(3)];
  const broken = [cart(1, end), cart(2, end), cart(3, end)];

  test.each([
    ['first', [0], ['bad', '2', '3']],
    ['in the middle', [1], ['1', 'bad', '3']],
    ['last', [2], ['1', '2', 'bad']],
    ['first, and the next one too', [0, 1], ['bad', 'bad', '3']],
    ['twice at the end', [1, 2], ['1', 'bad', 'bad']],
    ['everywhere', [0, 1, 2], ['bad', 'bad', 'bad']],
  ])('does not take the others with it: %s', (_where, places, names) => {
    const text = pageOf(good.map((row, index) => (places.includes(index) ? (broken[index] ?? '') : row)));

    expect(namesOf(text)).toEqual(names);

    const page = splitPage(text);
    expect(page?.envelope).toEqual({ d: { __count: '3', results: [], __next: 'https://srm/Set?$skiptoken=[1]' } });
    for (const { source, faultOffset } of page?.rows ?? []) {
      if (faultOffset === undefined) continue;
      const start = text.indexOf(String(source));
      expect(faultOffset).toBeGreaterThan(start);
      expect(faultOffset).toBeLessThanOrEqual(start + String(source).length);
    }
  });
});

test('control characters in other rows are read as if escaped', () => {
  expect(namesOf(pageOf([cart(1, ',"Text":"a\tb\n"'), cart(2, ',"Text":'), cart(3)]))).toEqual(['1', 'bad', '3']);
});

test('a list as in the first version is split, too', () => {
  expect(namesOf(`{"d":[${cart(1)},${cart(2, ',"Text":')}]}`)).toEqual(['1', 'bad']);
});

test.each([
  '',
  '<html>',
  '{"error":{',
  '{"d":{"Guid":"x","Items":{"results":[{"a":}]}}}',
  '{"d":{"results":[',
  '{"d":{"results":[]}',
])('%p has no rows that could be told apart', (text) => {
  expect(splitPage(text)).toBeUndefined();
});

test.each([
  ['one bad row at the end', (index: number, last: boolean) => (last ? '{"ObjectId":x}' : `{"ObjectId":"${index}"}`)],
  ['open brackets everywhere', (index: number) => `{"ObjectId":"${index}","Text":[}`],
])('twice the rows of a page are at most twice the work: %s', (_what, row) => {
  const page = (rows: number): string =>
    pageOf(Array.from({ length: rows }, (_, index) => row(10_000 + index, index === rows - 1)));
  const [small, large] = [page(200), page(400)];
  expect(countWork(() => splitPage(large))).toBeLessThan(2.1 * countWork(() => splitPage(small)));
});

test('a page of bad rows still gives its good ones', () => {
  const rows = Array.from({ length: 100 }, (_, index) => cart(index, index % 2 === 0 ? ',"Text":"19" rack"' : ''));
  const expected = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? 'bad' : String(index)));
  expect(namesOf(pageOf(rows))).toEqual(expected);
});
