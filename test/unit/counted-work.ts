/**
 * Counts the work of a call, so that a test can say how it grows without a clock: the characters and elements that the
 * built-in functions of texts, patterns and lists go through, each step of an iteration, and each look into a map or set.
 * Not counted are loops over an index, and the spread of an object.
 */

interface Call {
  readonly self: { readonly length?: number; readonly size?: number };
  readonly values: readonly unknown[];
  readonly result: unknown;
  /** Of a pattern: where its search began and where it ended. */
  readonly lastIndex: readonly [before: number, after: number];
}

type Count = (call: Call) => number;

const lengthOf = (value: unknown): number => (typeof value === 'string' || Array.isArray(value) ? value.length : 1);
const ofSelf: Count = ({ self }) => self.length ?? 1;
const ofResult: Count = ({ result }) => lengthOf(result);
const one: Count = () => 1;
/** From where the search began to what it found, or to the end. */
const ofSearch: Count = ({ self, values: [, from = 0], result }) =>
  (Number(result) < 0 ? (self.length ?? 0) : Number(result) + 1) - Number(from);
const ofMatch: Count = ({ values: [text], result, lastIndex: [before, after] }) => {
  if (result === null) return lengthOf(text) - before + 1;
  const { index } = Object(result);
  return Math.max(after, Number(index) + lengthOf(Object(result)[0])) - before;
};

const names = (object: object, found: readonly string[], count: Count) =>
  found.map((name) => ({ object, name, count }));
const COUNTED = [
  ...names(String.prototype, ['normalize', 'replace', 'replaceAll', 'split', 'toUpperCase', 'trim'], ofSelf),
  ...names(String.prototype, ['slice'], ofResult),
  ...names(String.prototype, ['includes'], ofSelf),
  ...names(String.prototype, ['indexOf'], ofSearch),
  // The other functions of patterns call it.
  ...names(RegExp.prototype, ['exec'], ofMatch),
  ...names(
    Array.prototype,
    ['every', 'filter', 'find', 'findIndex', 'findLast', 'flatMap', 'forEach', 'includes', 'indexOf', 'join', 'map'],
    ofSelf,
  ),
  ...names(Array.prototype, ['reduce', 'some', 'sort', 'toReversed', 'toSorted', 'unshift'], ofSelf),
  ...names(Array.prototype, ['concat', 'flat', 'slice'], ofResult),
  ...names(Array, ['from'], ofResult),
  ...names(JSON, ['stringify'], ofResult),
  ...names(Object, ['entries', 'keys', 'values'], ofResult),
  ...names(Map.prototype, ['get', 'has', 'set'], one),
  ...names(Set.prototype, ['add', 'has'], one),
];
/** Each step counts: of a long list, often only the first element is taken. */
const ITERATED = [Array.prototype, Map.prototype, Set.prototype].flatMap((object) =>
  [Symbol.iterator, 'values', 'keys', 'entries'].map((name) => ({ object, name })),
);

export function countWork(work: () => unknown): number {
  let total = 0;
  const undo: (() => void)[] = [];

  /** Puts a function in the place of another, until the work is done. */
  function replace(
    object: object,
    name: string | symbol,
    by: (original: (self: object, values: readonly unknown[]) => unknown, self: object, values: unknown[]) => unknown,
  ): void {
    const original: unknown = Reflect.get(object, name);
    if (typeof original !== 'function') throw new Error(`${String(name)} is no function`);
    undo.push(() => Reflect.set(object, name, original));
    Reflect.set(object, name, function counted(this: object, ...values: unknown[]): unknown {
      return by((self, given) => Reflect.apply(original, self, given), this, values);
    });
  }

  for (const { object, name, count } of COUNTED) {
    replace(object, name, (original, self, values) => {
      const before = self instanceof RegExp && (self.global || self.sticky) ? self.lastIndex : 0;
      const result = original(self, values);
      total += count({ self, values, result, lastIndex: [before, self instanceof RegExp ? self.lastIndex : 0] });
      return result;
    });
  }
  for (const { object, name } of ITERATED) {
    replace(object, name, (original, self, values) => {
      const iterator = original(self, values);
      return Object.assign(Object.create(Object(iterator)), {
        next: (): unknown => {
          total += 1;
          return Object(iterator).next();
        },
      });
    });
  }
  try {
    work();
  } finally {
    for (const restore of undo) restore();
  }
  return total;
}
