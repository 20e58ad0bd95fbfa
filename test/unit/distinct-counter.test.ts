/** Edge cases 7 and 8: a cart that comes twice counts once, however many there are. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createDistinctCounter } from '../../functions/extract-approved-carts/distinct-counter.ts';

const countOf = (texts: readonly string[]): number => {
  const counter = createDistinctCounter();
  for (const text of texts) counter.add(text);
  return counter.count;
};

test('counts as a set does', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 2 }), { maxLength: 300 }), (texts) => {
      expect(countOf(texts)).toBe(new Set(texts).size);
    }),
  );
});

test('counts on while it grows, and knows again what it saw before it grew', () => {
  const guids = Array.from(
    { length: 50_000 },
    (_, index) => `005056a5-09b3-1ee1-bee5-${String(index).padStart(12, '0')}`,
  );
  expect(countOf(guids)).toBe(50_000);
  expect(countOf([...guids, ...guids])).toBe(50_000);
});
