/** When two orders have the same content, and in what they differ. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
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

const hashOf = (order: PurchaseOrder): string => contentHash(canonicalBody(order));

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
  test('is that of its canonical JSON (RFC 8785)', () => {
    // The sha256sum of the sample, which another program wrote canonically.
    expect(hashOf(sample)).toBe('e6e60b43f2fb37971a29212e033569126d67351f5ae05938b2e3bb58c754e55b');
  });

  test('does not depend on the order of fields', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const mixed = shuffled(sample, (name) => mixedBy(seed, name));
        expect(hashOf(mixed)).toBe(hashOf(sample));
        expect(differences(mixed, sample)).toEqual([]);
      }),
    );
  });

  test('depends on the order of lines, and on every value', () => {
    const hashes = [
      sample,
      { ...sample, lines: sample.lines.toReversed() },
      { ...sample, title: `${sample.title} ` },
      { ...sample, externalRevision: 2 },
      { ...sample, sourceDocument: { ...sample.sourceDocument, changedAt: '2026-11-20T14:32:07Z' } },
    ].map(hashOf);
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

describe('the idempotency key', () => {
  const hash = hashOf(sample);
  test('is the same for the same order, content and revision, and a UUIDv5', () => {
    expect(idempotencyKey(sample, hash)).toBe(idempotencyKey(structuredClone(sample), hash));
    expect(idempotencyKey(sample, hash)).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  test('differs for other content, another revision, another order', () => {
    const keys = [
      idempotencyKey(sample, hash),
      idempotencyKey(sample, hashOf({ ...sample, title: 'Other' })),
      idempotencyKey({ ...sample, externalRevision: 2 }, hash),
      idempotencyKey({ ...sample, externalId: 'SRM7-100-1-1-EUR-BE10' }, hash),
    ];
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

  test('are empty exactly when the canonical bodies agree, apart from the times', () => {
    const change = fc.record({
      title: fc.constantFrom(sample.title, 'Other'),
      currency: fc.constantFrom(sample.currency, 'USD'),
      lines: fc.constantFrom(sample.lines, sample.lines.slice(1)),
    });
    fc.assert(
      fc.property(change, (changes) => {
        const other = { ...sample, ...changes };
        expect(differences(sample, other).length === 0).toBe(hashOf(sample) === hashOf(other));
      }),
    );
  });
});
