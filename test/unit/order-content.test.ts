/** When two orders have the same content, also in other words, and in what they differ. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import canonicalize from 'canonicalize';
import type { LookUpResult } from '../../functions/create-purchase-orders/delivery/answers.ts';
import { readCreateAnswer, readLookUpAnswer } from '../../functions/create-purchase-orders/delivery/vms-answers.ts';
import {
  canonicalBody,
  contentHash,
  differences,
  idempotencyKey,
} from '../../functions/create-purchase-orders/translation/order-content.ts';
import {
  type PurchaseOrder,
  purchaseOrderSchema,
} from '../../functions/create-purchase-orders/translation/purchase-order.ts';
import { DEFAULT_VMS_CONTRACT } from '../../infra/vms-settings.ts';
import { tryParseExactJson } from '../../shared/exact-json.ts';
import fc from '../properties.ts';
import { disguisedOrder } from '../simulators/order-disguise.ts';
import { mulberry32 } from '../simulators/seeded-random.ts';
import { generatedCart, goodCart, pathsOf, replaced, type Path } from './translation/arbitrary-carts.ts';
import { ordersOf, translate } from './translation/sample-carts.ts';
import { createWireOrder } from '../../functions/create-purchase-orders/translation/wire-order.ts';

const form = { ...DEFAULT_VMS_CONTRACT, wire: createWireOrder(DEFAULT_VMS_CONTRACT) };
const sample = purchaseOrderSchema.parse(
  JSON.parse(
    readFileSync(join(import.meta.dirname, '../../shared/contract/samples/11vms-purchase-order.json'), 'utf8'),
  ),
);

/** The same value with the members of every object in another order. */
function shuffled<Value>(value: Value, keyOf: (name: string) => number): Value {
  const walk = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(walk);
    if (typeof node !== 'object' || node === null) return node;
    const members = Object.entries(node).sort(([a], [b]) => keyOf(a) - keyOf(b));
    return Object.fromEntries(members.map(([name, member]) => [name, walk(member)]));
  };
  // oxlint-disable-next-line no-unsafe-type-assertion -- only the order of members was changed
  return walk(value) as Value;
}

const mixedBy = (seed: number, name: string): number => ((name.length * 7919 + name.charCodeAt(0)) * (seed | 1)) % 1009;

describe('the body of an order', () => {
  test('is its canonical JSON, as another implementation of RFC 8785 writes it', () => {
    const text = fc.string({ unit: 'binary', minLength: 1 });
    fc.assert(
      fc.property(fc.integer(), text, text, fc.nat(), (seed, title, description, externalRevision) => {
        const [line, ...lines] = sample.lines;
        if (line === undefined) throw new Error('the sample has no line');
        const order = shuffled(
          { ...sample, title, externalRevision, lines: [{ ...line, description }, ...lines] },
          (name) => mixedBy(seed, name),
        );
        expect(canonicalBody(order)).toBe(canonicalize(order));
      }),
    );
  });
});

describe('the hash of an order', () => {
  test('does not depend on the order of fields', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const mixed = shuffled(sample, (name) => mixedBy(seed, name));
        expect(contentHash(mixed)).toBe(contentHash(sample));
        expect(differences(mixed, sample)).toEqual([]);
      }),
    );
  });

  test('does not depend on the order of lines, which have numbers', () => {
    const mixed = { ...sample, lines: sample.lines.toReversed() };
    expect(contentHash(mixed)).toBe(contentHash(sample));
    expect(differences(mixed, sample)).toEqual([]);
  });

  test('depends on every value but the approval and the time of the last change', () => {
    const hashes = [sample, { ...sample, title: `${sample.title} ` }, { ...sample, externalRevision: 2 }].map(
      contentHash,
    );
    expect(new Set(hashes).size).toBe(hashes.length);
    const { guid, number } = sample.sourceDocument;
    const later = { guid, number, approvedBy: 'OTHER', changedAt: '2026-11-20T14:32:07Z' };
    expect(contentHash({ ...sample, sourceDocument: later })).toBe(contentHash(sample));
  });
});

const keyOf = (order: PurchaseOrder): string => idempotencyKey(order, canonicalBody(order));

describe('the idempotency key', () => {
  test('is that of the SHA-256 of the canonical body, as another program computes it', () => {
    // uuid.uuid5 of Python, over the sha256sum of the sample that another program wrote canonically.
    const sha256 = 'e6e60b43f2fb37971a29212e033569126d67351f5ae05938b2e3bb58c754e55b';
    expect(createHash('sha256').update(canonicalBody(sample)).digest('hex')).toBe(sha256);
    expect(keyOf(sample)).toBe('14bd7176-88a9-5592-8520-0d03f3296041');
  });

  test('is the same for the same order, content and revision, and a UUIDv5', () => {
    expect(keyOf(sample)).toBe(keyOf(structuredClone(sample)));
    expect(keyOf(sample)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test('differs for other content, another revision, another order', () => {
    const keys = [
      sample,
      { ...sample, title: 'Other' },
      { ...sample, externalRevision: 2 },
      { ...sample, externalId: 'SRM7-100-1-1-EUR-BE10' },
    ].map(keyOf);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('the differences of two orders', () => {
  const { notes: _notes, ...withoutNotes } = sample;
  const changedLine = sample.lines.map((line, index) => (index === 1 ? { ...line, quantity: '251' } : line));
  test.each<[string, PurchaseOrder, string[]]>([
    ['none', structuredClone(sample), []],
    ['a text', { ...sample, title: 'Other' }, ['/title']],
    ['a field inside', { ...sample, requester: { ...sample.requester, name: 'Jane Roe' } }, ['/requester/name']],
    ['a field of a line', { ...sample, lines: changedLine }, ['/lines/1/quantity']],
    ['a line less', { ...sample, lines: sample.lines.slice(0, 2) }, ['/lines/2']],
    ['a part less', withoutNotes, ['/notes']],
    [
      'the cart behind it',
      { ...sample, sourceDocument: { ...sample.sourceDocument, number: '1' } },
      ['/sourceDocument/number'],
    ],
    [
      'not when and by whom the cart was approved or touched',
      {
        ...sample,
        sourceDocument: {
          guid: sample.sourceDocument.guid,
          number: sample.sourceDocument.number,
          changedAt: '2026-12-01T00:00:00Z',
        },
      },
      [],
    ],
  ])('%s', (_what, other, pointers) => {
    expect(differences(sample, other)).toEqual(pointers);
    expect(differences(other, sample)).toEqual(pointers);
  });

  test('name fields, never values', () => {
    fc.assert(
      fc.property(fc.uuid(), (secret) => {
        const other = { ...sample, title: secret, requester: { name: secret }, notes: [] };
        expect(differences(sample, other).join()).not.toContain(secret);
      }),
    );
  });

  test('are empty exactly when the hashes agree', () => {
    const change = fc.record({
      title: fc.constantFrom(sample.title, 'Other'),
      currency: fc.constantFrom(sample.currency, 'USD'),
      lines: fc.constantFrom(sample.lines, sample.lines.slice(1)),
    });
    fc.assert(
      fc.property(change, (changes) => {
        const other = { ...sample, ...changes };
        expect(differences(sample, other).length === 0).toBe(contentHash(sample) === contentHash(other));
      }),
    );
  });
});

/** Any orders that the interface can send. */
const anyOrder: fc.Arbitrary<PurchaseOrder> = fc
  .oneof(goodCart, generatedCart)
  .map((cart) => ordersOf(translate(cart)))
  .filter((orders) => orders.length > 0)
  .chain((orders) => fc.constantFrom(...orders));

const lookUp = (body: string, externalId: string): LookUpResult =>
  readLookUpAnswer(
    { status: 200, body, from: '', header: () => undefined },
    { externalId, call: 'look-up', nowMs: 0, form },
  );

/** The order as the answer to a look-up gives it back. */
function readBack(text: string, externalId: string): PurchaseOrder | undefined {
  const result = lookUp(`{"items":[${text}]}`, externalId);
  if (result.kind !== 'found') throw new Error('the answer cannot be read, or the order is not found in it');
  return result.stored.order;
}

const isOfApproval = ([first, second]: Path): boolean =>
  first === 'sourceDocument' && ['approvedAt', 'approvedBy', 'changedAt'].includes(String(second));

/** Another value of the same kind. */
function otherValue(value: unknown): unknown {
  if (typeof value === 'number') return value + 1000;
  if (typeof value !== 'string') return undefined;
  if (/^\d{4}-\d\d-\d\dT/.test(value)) return new Date(Date.parse(value) + 1000).toISOString();
  if (/^\d{4}-\d\d-\d\d$/.test(value)) return new Date(Date.parse(value) + 86_400_000).toISOString().slice(0, 10);
  if (/^\d{1,12}(\.\d{1,4})?$/.test(value)) return value.replace(/^\d/, (digit) => `${(Number(digit) % 9) + 1}`);
  return value.endsWith('x') ? `${value.slice(0, -1)}y` : `${value.slice(0, -1)}x`;
}

describe('an order that 11VMS gives back', () => {
  test('in other words is the same, whatever they are', () => {
    fc.assert(
      fc.property(anyOrder, fc.integer(), (order, seed) => {
        const stored = { id: 'po_1', number: 'PO-1', ...order };
        const read = readBack(disguisedOrder(stored, mulberry32(seed)), order.externalId);
        if (read === undefined) throw new Error('the content cannot be read');
        expect(differences(read, order)).toEqual([]);
        expect(contentHash(read)).toBe(contentHash(order));
      }),
      { numRuns: 100 },
    );
  });

  test('with any other value is another, in whatever words', () => {
    fc.assert(
      fc.property(anyOrder, fc.integer(), fc.nat(), (order, seed, choice) => {
        const paths = pathsOf(order).filter(([first]) => first !== 'externalId');
        const path = paths[choice % paths.length] ?? [];
        const value = path.reduce<unknown>((part, key) => Reflect.get(Object(part), key), order);
        const changed = replaced(order, path, otherValue(value));
        const stored: object = JSON.parse(JSON.stringify({ id: 'po_1', number: 'PO-1', ...Object(changed) }));
        const read = readBack(disguisedOrder(stored, mulberry32(seed)), order.externalId);
        // A changed constant makes the content unreadable.
        if (read === undefined) return;
        expect(differences(read, order).length > 0).toBe(!isOfApproval(path));
        expect(contentHash(read) === contentHash(order)).toBe(isOfApproval(path));
      }),
      { numRuns: 100 },
    );
  });

  const written = (changes: Readonly<Record<string, unknown>>): string =>
    JSON.stringify({ id: 'po_1', ...sample, ...changes });
  const total = (text: string): string => written({}).replaceAll('"41031.25"', text);
  const { notes: _notes, ...withoutNotes } = sample;
  const { attachments: _attachments, ...bare } = withoutNotes;

  test.each<[string, string, PurchaseOrder]>([
    ['null for what is absent', written({ erpPurchaseOrderNumber: null, notes: null }), withoutNotes],
    ['an empty text for what is absent', written({ erpPurchaseOrderNumber: '' }), sample],
    ['an empty list for what is absent', written({ notes: [], attachments: [] }), bare],
    ['an object of nulls for what is absent', written({ incoterms: { code: null, location: null } }), sample],
    ['amounts as numbers', total('41031.25'), sample],
    ['amounts as numbers with other zeros', total('41031.2500'), sample],
    ['amounts as numbers with an exponent', total('4.103125e4'), sample],
    ['amounts with other zeros', total('"41031.250000"'), sample],
    ['a whole number as text', written({ externalRevision: '1' }), sample],
    [
      'an instant elsewhere',
      written({ sourceDocument: { ...sample.sourceDocument, changedAt: '2026-11-20T16:32:06.000+02:00' } }),
      sample,
    ],
    ['a date with the time at which it begins', written({ orderDate: '2026-11-20T00:00:00+01:00' }), sample],
    ['an id that is a number', written({ id: 17, number: 20_260_001 }), sample],
    ['a code that is a number', written({ purchasingGroup: 50_000_456 }), sample],
    ['a padded code that is a number', written({}).replaceAll('"0000615200"', '615200'), sample],
    ['other members beside', written({ status: 'CREATED', version: 3, custom: { a: [null] } }), sample],
  ])('with %s is the same', (_what, text, order) => {
    const read = readBack(text, sample.externalId);
    expect(read === undefined ? ['unreadable'] : differences(read, order)).toEqual([]);
    expect(read && contentHash(read)).toBe(contentHash(order));
  });

  test.each([
    ['an amount that differs in its last decimal', total('41031.2501'), ['/totals/grossAmount', '/totals/netAmount']],
    [
      'an amount that a double would make equal',
      total('4103125000000.0001'),
      ['/totals/grossAmount', '/totals/netAmount'],
    ],
    ['a text in other letters', written({ title: sample.title.toUpperCase() }), ['/title']],
    ['a blank more', written({ title: `${sample.title} ` }), ['/title']],
    ['zeros less in a text', written({ purchasingGroup: '0050000456' }), ['/purchasingGroup']],
    ['a note more', written({ notes: [...(sample.notes ?? []), { type: 'HEADER', text: 'more' }] }), ['/notes/1']],
  ])('with %s is another', (_what, text, pointers) => {
    const read = readBack(text, sample.externalId);
    expect(read && differences(sample, read)).toEqual(pointers);
  });

  test.each([
    ['a comma in an amount', total('"41.031,25"')],
    ['more decimals than an order can have', total('41031.25001')],
    ['an exponent beyond reason', total('1e999999999')],
    ['an amount of a thousand digits', total(`"${'1'.repeat(1000)}"`)],
    [
      'an instant of no zone',
      written({ sourceDocument: { ...sample.sourceDocument, changedAt: '2026-11-20T14:32:06' } }),
    ],
    ['a mandatory value that is null', written({ title: null })],
    ['lines that are no list', written({ lines: { results: sample.lines } })],
    ['an object in place of a text', written({ title: { de: 'Titel' } })],
  ])('with %s cannot be compared', (_what, text) => {
    expect(readBack(text, sample.externalId)).toBeUndefined();
  });

  test.each([
    ['no JSON', '<html></html>'],
    ['no list', '{"items":{}}'],
    ['an order without an externalId', '{"items":[{"id":"po_1"}]}'],
    ['an order without an id', `{"items":[{"externalId":"${sample.externalId}"}]}`],
    ['an id that a log could not show', `{"items":[{"externalId":"${sample.externalId}","id":"a\\nb"}]}`],
  ])('in an answer with %s may be there: the answer is not read as "absent"', (_what, body) => {
    expect(lookUp(body, sample.externalId)).toMatchObject({ kind: 'unanswered', health: 'unhealthy' });
  });

  test.each([
    [
      'a create',
      (body: string) =>
        readCreateAnswer({ status: 201, body, from: '', header: () => undefined }, sample.externalId, 0, form),
    ],
    ['a look-up', (body: string) => lookUp(`{"items":[${body}]}`, sample.externalId)],
  ])('has all the digits of its id in the answer to %s, also where they are a number', (_what, read) => {
    const answer = read(`{"externalId":"${sample.externalId}","id":9007199254740993}`);
    expect(JSON.stringify(answer)).toContain('"id":"9007199254740993"');
  });

  test('among other orders is found by its externalId alone', () => {
    const other = { ...sample, externalId: 'SRM7-100-1-1-EUR-BE10', id: 7 };
    // It may be on another page of an answer that ignores the externalId.
    expect(lookUp(JSON.stringify({ items: [other] }), sample.externalId)).toMatchObject({ kind: 'unanswered' });
    const found = lookUp(JSON.stringify({ items: [other, { ...sample, id: 8 }] }), sample.externalId);
    expect(found).toMatchObject({ kind: 'found', stored: { id: '8', number: undefined } });
  });

  test('is read exactly: numbers keep all their digits', () => {
    expect(JSON.stringify(tryParseExactJson('{"a":4103125000000.0001}'))).toBe('{"a":4103125000000.0001}');
    expect(tryParseExactJson('no JSON')).toBeUndefined();
  });
});
