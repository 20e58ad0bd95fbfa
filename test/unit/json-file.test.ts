import { describe, expect, test } from '@jest/globals';
import { scanJson } from '../../infra/json-file.ts';
import fc from '../properties.ts';

const mistakeOf = (text: string): string | undefined => scanJson(text).mistake;

describe('keys that an object has twice', () => {
  test.each([
    ['{"a":1,"b":{"a":2}}', []],
    ['{"a":1,"a":2}', ['a']],
    ['{"maps":{"unit":{"ST":"EA","KG":"KGM","ST":"C62"}}}', ['maps.unit.ST']],
    ['[{"a":1},{"a":2}]', []],
    ['{"list":[{"a":1,"a":2},[]],"list":0}', ['list.0.a', 'list']],
    [String.raw`{"a\"b":1,"a\u0022b":2}`, ['a"b']],
    ['{"a":"{\\"b\\":1,","b":",","c":[1,2]}', []],
  ])('of %s', (json, expected) => {
    expect(scanJson(json)).toEqual({ mistake: undefined, repeated: expected });
  });

  test('are none in what JSON.stringify writes, since an object holds each key once', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.boolean(), (value, pretty) => {
        expect(scanJson(JSON.stringify(value, null, pretty ? 2 : 0))).toEqual({ mistake: undefined, repeated: [] });
      }),
    );
  });
});

describe('the first mistake of a text', () => {
  test.each([
    ['{ "name": mine }', 'line 1, column 11: a text stands in double quotes'],
    ['{ name: "mine" }', 'line 1, column 3: a field name stands in double quotes'],
    ['{\r\n  "a": 1\r\n  "b": 2\r\n}', 'line 3, column 3: a comma or the } is missing before it'],
    ['{\n  "a": 1,\n}', 'line 3, column 1: there is a comma too many before the }'],
    ['[1,\n]', 'line 2, column 1: there is a comma too many before the ]'],
    ['{ "a": [1, 2 }', 'line 1, column 14: a comma or the ] is missing before it'],
    ['{ "a": 1', 'line 1, column 9: it ends too early, without the } of an open {'],
    ['{ "a": 1 } {', 'line 1, column 12: there is more after the end'],
    ['{ "a" 1 }', 'line 1, column 7: a colon is missing before it'],
    ['{ "a": }', 'line 1, column 8: a value is missing before it'],
    ["{ 'a': 1 }", 'line 1, column 3: a text stands in straight double quotes, "like this"'],
    ['{ "a": “b” }', 'line 1, column 8: a text stands in straight double quotes, "like this"'],
    ['{ "a": 1, // b\n}', 'line 1, column 11: JSON has no comments'],
    ['{ "a": "b\nc" }', 'line 1, column 8: a text must end in a " on its own line, and hold no tab'],
    [String.raw`{ "path": "C:\Users" }`, String.raw`line 1, column 11: a \ in a text is written \\`],
    ['{ "a": True }', 'line 1, column 8: write true, false or null'],
    ['{ "a": 007 }', 'line 1, column 8: this is no number of JSON, such as 5 or 0.5'],
    ['{ "a":\u00A01 }', 'line 1, column 7: there is an invisible character; delete it'],
  ])('%s', (text, expected) => {
    expect(mistakeOf(text)).toBe(`is not JSON at ${expected}`);
  });

  test('is found exactly where JSON.parse refuses a text', () => {
    const changed = fc
      .tuple(
        fc.jsonValue({ maxDepth: 3 }),
        fc.nat(),
        fc.constantFrom('', ',', '}', ']', '"', '\\', ':', '0', '-', 'x', '\t'),
      )
      .map(([value, at, put]) => {
        const text = JSON.stringify(value);
        const index = at % (text.length + 1);
        return text.slice(0, index) + put + text.slice(index + 1);
      });
    fc.assert(
      fc.property(changed, (text) => {
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        expect([text, mistakeOf(text) === undefined]).toEqual([text, isJson]);
      }),
      { numRuns: 3000 },
    );
  });
});
