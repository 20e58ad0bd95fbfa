import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { repeatedKeys } from '../../infra/repeated-keys.ts';

describe('repeatedKeys', () => {
  test.each([
    ['{"a":1,"b":{"a":2}}', []],
    ['{"a":1,"a":2}', ['a']],
    ['{"maps":{"unit":{"ST":"EA","KG":"KGM","ST":"C62"}}}', ['maps.unit.ST']],
    ['[{"a":1},{"a":2}]', []],
    ['{"list":[{"a":1,"a":2},[]],"list":0}', ['list.0.a', 'list']],
    [String.raw`{"a\"b":1,"a\u0022b":2}`, ['a"b']],
    ['{"a":"{\\"b\\":1,","b":",","c":[1,2]}', []],
  ])('%s', (json, expected) => {
    expect(repeatedKeys(json)).toEqual(expected);
  });

  test('finds none in what JSON.stringify writes, since an object holds each key once', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.boolean(), (value, pretty) => {
        expect(repeatedKeys(JSON.stringify(value, null, pretty ? 2 : 0))).toEqual([]);
      }),
    );
  });
});
