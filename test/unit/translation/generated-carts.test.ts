/** The translation against carts of all kinds: what the generator says must come of them. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { purchaseOrderSchema } from '../../../functions/create-purchase-orders/translation/purchase-order.ts';
import { translateCart } from '../../../functions/create-purchase-orders/translation/translate-cart.ts';
import { loadEnvironment } from '../../../infra/environments.ts';
import { generateCarts } from '../../sandbox/carts.ts';

const { translation: settings } = loadEnvironment('local');
const origin = { client: '100', settings, today: '2026-11-22' };
/** What only 11VMS can tell: its supplier is closed there. */
const TARGET_CODES = new Set(['E_TGT_VALIDATION']);

describe('generated carts', () => {
  const carts = generateCarts({
    count: 1000,
    seed: 7,
    from: new Date('2026-11-20T00:00:00Z'),
    to: new Date('2026-11-21T00:00:00Z'),
    faultyShare: 0.2,
  });

  test('each becomes the orders, the skip or the faults that it was made for', () => {
    for (const { row, expected, codes = [], externalIds } of carts) {
      const translation = translateCart(row, origin);
      const outcome = { number: row['ObjectId'], ...summary(translation) };
      const ours = codes.filter((code) => !TARGET_CODES.has(code));
      if (expected === 'skip') expect(outcome).toMatchObject({ kind: 'skip' });
      else expect(outcome).toMatchObject({ codes: ours });
      if (codes.length === ours.length) expect(outcome.externalIds).toEqual([...externalIds].sort());
    }
  });

  test('every order passes the schema of 11VMS', () => {
    const orders = carts.flatMap(({ row }) => ordersOf(translateCart(row, origin)));
    expect(orders.length).toBeGreaterThan(900);
    for (const order of orders) expect(purchaseOrderSchema.safeParse(order).error).toBeUndefined();
  });
});

describe('any cart', () => {
  test('gives orders, a skip or faults, never a throw, whatever JSON it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (source) => {
        expect(['orders', 'skip', 'faulty']).toContain(translateCart(source, origin).kind);
      }),
    );
  });

  test('stays one of them when any field of a good cart holds anything else', () => {
    const [good] = generateCarts({ count: 1, seed: 3, from: new Date(0), to: new Date(1), faultyShare: 0 });
    const paths = leafPaths(good?.row);
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' })), (path, value) => {
        expect(['orders', 'skip', 'faulty']).toContain(translateCart(replaced(good?.row, path, value), origin).kind);
      }),
      { numRuns: 500 },
    );
  });

  test('gives byte-equal orders each time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), (seed) => {
        const [cart] = generateCarts({ count: 1, seed, from: new Date(0), to: new Date(1), faultyShare: 0 });
        expect(JSON.stringify(translateCart(structuredClone(cart?.row), origin))).toBe(
          JSON.stringify(translateCart(cart?.row, origin)),
        );
      }),
    );
  });
});

type Translation = ReturnType<typeof translateCart>;

const ordersOf = (translation: Translation) =>
  translation.kind === 'orders'
    ? translation.groups.flatMap((group) => (group.kind === 'order' ? [group.order] : []))
    : [];

function summary(translation: Translation): { kind: string; codes: string[]; externalIds: string[] } {
  const faults =
    translation.kind === 'orders'
      ? translation.groups.flatMap((group) => (group.kind === 'faulty' ? group.faults : []))
      : translation.kind === 'faulty'
        ? translation.faults
        : [];
  return {
    kind: translation.kind,
    codes: [...new Set(faults.map(({ code }) => code))],
    externalIds: ordersOf(translation)
      .map(({ externalId }) => externalId)
      .sort(),
  };
}

type Path = readonly (string | number)[];

function leafPaths(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, part]) =>
    leafPaths(part, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}

function replaced(value: unknown, [head, ...rest]: Path, by: unknown): unknown {
  if (head === undefined) return by;
  if (Array.isArray(value)) {
    return value.map((part: unknown, index) => (index === head ? replaced(part, rest, by) : part));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, key === head ? replaced(part, rest, by) : part]),
  );
}
