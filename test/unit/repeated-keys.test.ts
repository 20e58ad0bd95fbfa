import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { loadEnvironment } from '../../infra/environments.ts';
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

test('an environment file whose value map gives a code twice is refused at synth, by its path', () => {
  const directory = mkdtempSync(join(tmpdir(), 'repeated-'));
  const file = join(directory, 'twice.json');
  writeFileSync(file, '{"translation":{"valueMaps":{"businessUnit":{"BE10":"A","BE10":"B"}}}}');
  try {
    expect(() => loadEnvironment(file)).toThrow(`${file} gives a key twice: translation.valueMaps.businessUnit.BE10`);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
