/** JSON that keeps every digit and character. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { asJsonObject, InvalidJson, numberText, parseExactJson, tryParseJson } from '../../shared/exact-json.ts';

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
    expect(() => parseExactJson(text)).toThrow(new InvalidJson(text.length));
    expect(new InvalidJson(text.length).message).toBe(`not JSON (${text.length} characters)`);
    expect(tryParseJson(text)).toBeUndefined();
  });

  test.each([
    ['lists', '[', ']'],
    ['objects', '{"a":', '}'],
  ])('such as %s nested too deeply is an error each time, and does not disturb other JSON', (_, open, close) => {
    const wide = `[${'{"a":[]},'.repeat(300)}`;
    const deep = `${wide}${open.repeat(100_000)}1${close.repeat(100_000)}]`;
    for (const text of [deep, deep]) {
      expect(() => parseExactJson(text)).toThrow(new InvalidJson(text.length));
      expect(parseExactJson(`${wide}1]`)).toHaveLength(301);
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
