/** The message between extractor and worker. */
import { describe, expect, test } from '@jest/globals';
import { type CartMessage, readCartMessage, UnreadableMessage, writeCartMessage } from '../../shared/cart-message.ts';
import { parseExactJson } from '../../shared/exact-json.ts';
import { cartNumber } from '../../shared/sap-values.ts';
import fc from '../properties.ts';

const envelope = {
  schemaVersion: 1 as const,
  runId: '5f0c6f3e-0000-4000-8000-000000000000',
  correlationId: '5f0c6f3e-0000-4000-8000-000000000000/005056a5-09b3-1ee1-bee5-8ce5a1c90db0',
  client: '100',
  cart: { number: '1000004711', guid: '005056a5-09b3-1ee1-bee5-8ce5a1c90db0' },
};

/** Any code unit, including lone surrogates and non-characters. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc
    .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0, 0x7f, 0xd800, 0xdc00, 0xfffe, 0xffff)))
    .map((units) => String.fromCharCode(...units)),
);
/** Any JSON; without minus zero, which JSON.stringify writes as 0. */
const anySource: fc.Arbitrary<unknown> = fc.oneof(
  fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      anyText,
      fc.constantFrom(null, true, false),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (Object.is(number, -0) ? 0 : number)),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(anyText, tie('value'), { maxKeys: 4 }),
    ),
  })).value,
);
/** A row that the extractor takes for a cart. */
const anyIdentifier = fc.stringMatching(/^[!-~]{1,64}$/);
const anyMessage: fc.Arbitrary<CartMessage> = fc
  .record({
    number: fc.option(anyIdentifier).map((number) => cartNumber(number) ?? null),
    guid: fc.option(fc.uuid()),
    source: anySource,
    claim: fc.boolean(),
    again: fc.boolean(),
  })
  .map(({ number, guid, source, claim, again }) => ({
    ...envelope,
    ...(again ? { origin: 'reconciliation' as const } : {}),
    cart: { number, guid },
    ...(claim ? { claim: { guid } } : { source }),
  }));

/** The characters that SQS accepts: #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF. */
const SQS_TEXT = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;

describe('a cart message', () => {
  test('of any row is read as it was written', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        expect(readCartMessage(writeCartMessage(message))).toEqual(message);
      }),
      { numRuns: 500 },
    );
  });

  test('holds only characters that SQS accepts, and none beyond the basic plane', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const body = writeCartMessage(message);
        expect(body).toMatch(SQS_TEXT);
        expect(body).not.toMatch(/[\ud800-\udfff]/);
        // The way through UTF-8 changes nothing.
        expect(Buffer.from(body).toString()).toBe(body);
      }),
      { numRuns: 500 },
    );
  });

  test('keeps the digits of the row’s numbers', () => {
    const source = parseExactJson('{"a":650.00,"b":[12345678901234567890,-0,1E400]}');
    const body = writeCartMessage({ ...envelope, source });
    expect(body).toContain('"source":{"a":650.00,"b":[12345678901234567890,-0,1E400]}');
    expect(writeCartMessage(readCartMessage(body))).toBe(body);
  });

  test('exists for a row that is null, and for a cart without a key', () => {
    for (const message of [
      { ...envelope, source: null },
      { ...envelope, cart: { number: null, guid: null }, claim: { guid: null } },
    ]) {
      expect(readCartMessage(writeCartMessage(message))).toEqual(message);
    }
  });
});

describe('a text that is no cart message', () => {
  const good = { ...envelope, source: {} };
  const { runId: _, ...noRun } = good;

  test.each([
    ['of another version', { ...good, schemaVersion: 2 }],
    ['of an unknown origin', { ...good, origin: 'elsewhere' }],
    ['without a run', noRun],
    ['with an empty run', { ...good, runId: '' }],
    ['with a correlation id that would break a header', { ...good, correlationId: 'a\r\nX: b' }],
    ['of an invalid client', { ...good, client: '1' }],
    ['without a source and without a claim', envelope],
    ['with both', { ...good, claim: { guid: null } }],
    ['with an empty claim', { ...envelope, claim: { guid: '' } }],
    ['with anything else', { ...good, extra: 1 }],
    ['with more about the cart', { ...good, cart: { ...good.cart, name: 'x' } }],
    ['that is a list', [good]],
    ['that is null', null],
  ])('%s is unreadable', (_, json) => {
    expect(() => readCartMessage(JSON.stringify(json))).toThrow(UnreadableMessage);
  });

  test('is refused with the place of the mistake, and never quoted', () => {
    const message = { ...good, client: 'Jean Dupont', source: 'Jean Dupont' };
    expect(() => readCartMessage(JSON.stringify(message))).toThrow(/^breaks the schema of cart messages at \$.*/);
    expect(() => readCartMessage(JSON.stringify(message))).not.toThrow(/Jean/);
    expect(() => readCartMessage('{"client":"Jean Dupont"')).toThrow(
      new UnreadableMessage('not JSON (23 characters, wrong at character 24)'),
    );
  });

  test('is unreadable whatever it is, and causes no other error', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.json()), (text) => {
        expect(() => readCartMessage(text)).toThrow(UnreadableMessage);
      }),
    );
  });
});
