/** JSON that keeps every digit and character. */
import { describe, expect, test } from '@jest/globals';
import {
  asJsonObject,
  InvalidJson,
  numberText,
  parseExactJson,
  parseLenientJson,
  tryParseJson,
} from '../../shared/exact-json.ts';
import { firstFault } from '../../shared/json-text.ts';
import fc from '../properties.ts';

const decimal = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(fc.constant('0'), fc.stringMatching(/^[1-9]\d{0,30}$/)),
    fc.oneof(fc.constant(''), fc.stringMatching(/^\.\d{1,30}$/)),
    fc.oneof(fc.constant(''), fc.stringMatching(/^[eE][+-]?\d{1,4}$/)),
  )
  .map((parts) => parts.join(''));

describe('numbers in exact JSON', () => {
  test.each(['650.00', '12345678901234567890', '0.1', '-0', '1E400', '1e5', '0.000', '1.50e-7', '9007199254740993'])(
    '%s keeps its digits',
    (text) => {
      expect(JSON.stringify(parseExactJson(text))).toBe(text);
      expect(JSON.stringify(parseExactJson(`{"a":[${text}]}`))).toBe(`{"a":[${text}]}`);
      expect(numberText(parseExactJson(text))).toBe(text);
    },
  );

  test.each([
    ['0', 0],
    ['42', 42],
    ['-1.5', -1.5],
    ['9007199254740991', 9_007_199_254_740_991],
  ])('%s, which a double holds exactly, stays a number', (text, number) => {
    expect(parseExactJson(text)).toBe(number);
  });

  test('of any form, anywhere, keep their digits', () => {
    fc.assert(
      fc.property(fc.array(decimal), (numbers) => {
        const text = `{"list":[${numbers.join()}],"nested":{"n":${numbers[0] ?? '0'}}}`;
        expect(JSON.stringify(parseExactJson(text))).toBe(text);
      }),
    );
  });

  test.each([['650.00'], [true], [null], [undefined], [{}], [[1]], [{ rawJSON: '1' }]])(
    '%p is no exact number',
    (value) => {
      expect(numberText(value)).toBeUndefined();
    },
  );
});

describe('everything but numbers in exact JSON', () => {
  test('is parsed as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.stringify(parseExactJson(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  test('keeps a string that looks like a number as a string', () => {
    expect(parseExactJson('["650.00","1e5"]')).toEqual(['650.00', '1e5']);
  });

  test('keeps keys that a careless parser mishandles', () => {
    const text = '{"__proto__":{"polluted":1.0},"constructor":2.0,"toJSON":"x","rawJSON":"1"}';
    const parsed = parseExactJson(text);
    expect(JSON.stringify(parsed)).toBe(text);
    expect(asJsonObject(parsed)?.['polluted']).toBeUndefined();
  });

  test('keeps lone surrogates and U+FFFF', () => {
    const text = String.raw`"\ud800 \udc00 \uffff"`;
    expect(parseExactJson(text)).toBe('\ud800 \udc00 \uffff');
  });
});

describe('a text that is not JSON', () => {
  const bad = ['', ' ', '{', '{"a":1', '[1,]', '01', 'NaN', "{'a':1}", '<html>Jean Dupont</html>', '{"d":1} x', '"\n"'];

  test.each(bad)('%p is an error that gives its length and quotes nothing', (text) => {
    expect(() => parseExactJson(text)).toThrow(new InvalidJson(text));
    expect(new InvalidJson(text).message).toMatch(
      new RegExp(`^not JSON \\(${text.length} characters(, wrong at character \\d+)?\\)$`),
    );
    expect(tryParseJson(text)).toBeUndefined();
  });

  test.each([
    ['{"a":}', 6],
    ['{"a":"x" y"}', 10],
    [String.raw`{"a":"\x"}`, 8],
    ['[1,]', 4],
    ['01', 2],
    ['{"a" 1}', 6],
    ['{"a":1} x', 9],
    ['{"a":NaN}', 6],
  ])('%p is an error that says where it begins', (text, character) => {
    expect(new InvalidJson(text)).toMatchObject({
      message: `not JSON (${text.length} characters, wrong at character ${character})`,
      isCutOff: false,
    });
  });

  test.each(['', '{', '{"a":"b', '{"a":"b\\', '[1', '{"a":1,'])('%p was cut off', (text) => {
    expect(new InvalidJson(text)).toMatchObject({ offset: text.length, isCutOff: true });
  });

  test('has a place where it begins, and JSON has none', () => {
    const isJson = (text: string): boolean => tryParseJson(text) !== undefined || text === 'null';
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.stringMatching(/^[[\]{}",:\\ a1]$/), (text, at, mark) => {
        const place = at % (text.length + 1);
        const changed = text.slice(0, place) + mark + text.slice(place + 1);
        expect(firstFault(text)).toBeUndefined();
        expect(firstFault(changed) === undefined).toBe(isJson(changed));
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['lists', '[', ']'],
    ['objects', '{"a":', '}'],
  ])('such as %s nested too deeply is an error each time, and does not disturb other JSON', (_, open, close) => {
    const wide = `[${'{"a":[]},'.repeat(300)}`;
    const deep = `${wide}${open.repeat(100_000)}1${close.repeat(100_000)}]`;
    for (const text of [deep, deep]) {
      expect(() => parseExactJson(text)).toThrow(new InvalidJson(text));
      expect(parseExactJson(`${wide}1]`)).toHaveLength(301);
    }
  });

  test('is JSON up to 200 brackets deep, whatever stands in its strings, and whether it holds a number at risk', () => {
    const nested = (depth: number, value: string): string => '['.repeat(depth) + value + ']'.repeat(depth);
    for (const value of ['1', '1.50', JSON.stringify('[{'.repeat(300)), JSON.stringify(']"}'.repeat(300))]) {
      expect(() => parseExactJson(nested(200, value))).not.toThrow();
      expect(() => parseExactJson(nested(201, value))).toThrow(InvalidJson);
    }
  });

  test('is an error without a cause that would quote it', () => {
    let caught: unknown;
    try {
      parseExactJson('{"RequesterName":"Jean Dupont"');
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(InvalidJson);
    expect(caught instanceof Error && (caught.cause ?? 'none')).toBe('none');
    expect(caught instanceof Error && caught.stack).not.toContain('Jean');
  });

  test('is exactly what JSON.parse refuses', () => {
    const outcome = (parse: () => unknown): string | undefined => {
      try {
        return JSON.stringify(parse());
      } catch {
        return undefined;
      }
    };
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string({ unit: 'binary' })), fc.nat(), (text, cut) => {
        const part = text.slice(0, cut % (text.length + 1));
        const value = outcome(() => parseExactJson(part));
        expect(value === undefined ? undefined : JSON.stringify(JSON.parse(value))).toBe(
          outcome(() => JSON.parse(part)),
        );
      }),
    );
  });
});

describe('a JSON object', () => {
  test.each([['{}'], ['{"a":1}']])('%s is a JSON object', (text) => {
    expect(asJsonObject(parseExactJson(text))).toEqual(JSON.parse(text));
  });

  test.each(['[]', 'null', '"x"', '1', '1.0', 'true'])('%s is no JSON object', (text) => {
    expect(asJsonObject(parseExactJson(text))).toBeUndefined();
  });
});

describe('a byte order mark', () => {
  test('before JSON is cut off, and inside a text it stays', () => {
    expect(parseExactJson('\ufeff{"a":"\ufeff"}')).toEqual({ a: '\ufeff' });
    expect(parseLenientJson('\ufeff{"a":1.0}')).toEqual(parseExactJson('{"a":1.0}'));
    expect(tryParseJson('\ufeff{"a":1}')).toEqual({ a: 1 });
  });
});

describe('control characters', () => {
  test('may stand in strings as they are, and mean what their escapes mean', () => {
    const controls = Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).join('');
    expect(parseLenientJson(`{"a${controls}":[\t"${controls}\\\\"\r\n, 650.00, "\\"${controls}"]}`)).toEqual(
      parseExactJson(
        `{${JSON.stringify(`a${controls}`)}:[${JSON.stringify(`${controls}\\`)},650.00,${JSON.stringify(`"${controls}`)}]}`,
      ),
    );
  });

  test.each(['\u0001{}', '{"a":\u00011}', '{"a":"\\\n"}', '{"a":"\u0001'])('%j is not JSON all the same', (text) => {
    expect(() => parseLenientJson(text)).toThrow(InvalidJson);
  });

  test('in a text of many megabytes, with as many escapes, do not exhaust the stack', () => {
    const text = `{"a":"${String.raw`\n\"`.repeat(1_000_000)}\t"}`;
    expect(parseLenientJson(text)).toHaveProperty('a');
    expect(() => parseLenientJson(`${text} x`)).toThrow(`wrong at character ${text.length + 2}`);
  });
});
