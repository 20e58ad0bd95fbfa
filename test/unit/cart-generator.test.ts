/** The generated carts cover every edge case, depend on the seed alone, and have their expected results. */
import { describe, expect, test } from '@jest/globals';
import { translateCart } from '../../functions/create-purchase-orders/translation/translate-cart.ts';
import { loadEnvironment } from '../../infra/environments.ts';
import { cartFlaws } from '../simulators/cart-flaws.ts';
import { cartOddities } from '../simulators/cart-oddities.ts';
import { type CartsOptions, cartStream, type GeneratedCart, generateCarts } from '../simulators/carts.ts';
import { judgeOrder, type OrderError } from '../simulators/vms-order-rules.ts';
import { createWireOrder } from '../../functions/create-purchase-orders/translation/wire-order.ts';
import { DEFAULT_VMS_CONTRACT } from '../../infra/vms-settings.ts';

const { translation: settings } = loadEnvironment('local');
const origin = { client: '100', settings, wire: createWireOrder(DEFAULT_VMS_CONTRACT), today: '2026-11-22' };

const carts = (options: Partial<CartsOptions>): CartsOptions => ({
  count: 200,
  seed: 1,
  from: new Date('2026-11-20T00:00:00Z'),
  to: new Date('2026-11-21T00:00:00Z'),
  ...options,
});

const mix = generateCarts(carts({ count: 2000 }));

describe('the mix of generated carts', () => {
  test('has every flaw and every oddity in 2,000 carts', () => {
    const flaws = new Set(mix.map(({ flaw }) => flaw));
    const oddities = new Set(mix.flatMap((cart) => cart.oddities));
    expect(cartFlaws.map(({ name }) => name).filter((name) => !flaws.has(name))).toEqual([]);
    expect(cartOddities.map(({ name }) => name).filter((name) => !oddities.has(name))).toEqual([]);
    expect(new Set(mix.map(({ row }) => row['Currency']))).toEqual(
      new Set(['EUR', 'USD', 'GBP', 'CHF', 'JPY', 'KWD', 'TND', 'BHD', 'KRW']),
    );
  });

  test('shows eight typical dead letters in 200 carts', () => {
    expect(generateCarts(carts({})).flatMap(({ codes = [] }) => codes)).toEqual([
      'E_MAP_COMPANY',
      'E_SUPPLIER_MISSING',
      'E_ACC_SPLIT_NOT_100',
      'E_MAP_UOM',
      'E_ACC_OBJECT_MISSING',
      'E_TGT_VALIDATION',
      'E_SRC_SCHEMA',
      'E_DATE_RANGE',
    ]);
  });

  test('names each flaw and each oddity once', () => {
    for (const names of [cartFlaws, cartOddities].map((list) => list.map(({ name }) => name))) {
      expect(names).toEqual([...new Set(names)]);
    }
  });
});

describe('the same seed', () => {
  test('gives the same carts to the byte, all at once or one by one', () => {
    const once = JSON.stringify(generateCarts(carts({ count: 200, seed: 9, faultyShare: 0.2 })));
    expect(JSON.stringify([...cartStream(carts({ count: 200, seed: 9, faultyShare: 0.2 }))])).toBe(once);
    expect(JSON.stringify(generateCarts(carts({ count: 200, seed: 10, faultyShare: 0.2 })))).not.toBe(once);
  });

  test('generates each cart on demand, without the later ones', () => {
    const { value } = cartStream(carts({ count: 1e9 })).next();
    expect(value).toMatchObject({ number: '1010000000' });
  });
});

describe('the expected result of a cart', () => {
  // One more round of all flaws for each seed, without the last flaw, which is slow.
  const faultyShare = (cartFlaws.length - 1) / 500;
  const others = [2, 3].flatMap((seed) => generateCarts(carts({ count: 500, seed, faultyShare })));
  const outcomes = [...mix, ...others].map((cart) => ({ cart, translation: translateCart(asRead(cart), origin) }));

  test('is the result of the translation', () => {
    for (const { cart, translation } of outcomes) {
      const { number, flaw, oddities } = cart;
      expect({ number, flaw, oddities, ...resultOf(translation) }).toEqual({
        number,
        flaw,
        oddities,
        ...promiseOf(cart),
      });
    }
  });

  test('holds at the 11VMS simulator, which accepts every order except that of the closed supplier', () => {
    for (const { cart, translation } of outcomes) {
      const errors = ordersOf(translation).flatMap((order) => errorsOf(order).map(({ code }) => code));
      const closed = cart.codes?.includes('E_TGT_VALIDATION') === true;
      expect({ cart: cart.number, errors }).toEqual({
        cart: cart.number,
        errors: closed ? ['SUPPLIER_NOT_FOUND'] : [],
      });
    }
  });
});

type Translation = ReturnType<typeof translateCart>;

/** The cart as JSON text, as SRM sends it. */
function asRead({ row }: GeneratedCart): unknown {
  return JSON.parse(JSON.stringify(row));
}

const ordersOf = (translation: Translation) =>
  translation.kind === 'orders'
    ? translation.groups.flatMap((group) => (group.kind === 'order' ? [group.order] : []))
    : [];

function errorsOf(order: unknown): readonly OrderError[] {
  const body: unknown = JSON.parse(JSON.stringify(order));
  const isActiveSupplier = (code: string): boolean => code !== 'SUP-INACTIVE';
  const judged = judgeOrder(body, { isActiveSupplier, purchaseRequestRequired: false });
  return 'errors' in judged ? judged.errors : [];
}

interface Result {
  readonly isSkipped: boolean;
  readonly codes: readonly string[];
  readonly externalIds: readonly string[];
}

function resultOf(translation: Translation): Result {
  const groups = translation.kind === 'orders' ? translation.groups : [];
  const ofGroups = groups.flatMap((group) => (group.kind === 'faulty' ? group.faults : []));
  const faults = translation.kind === 'faulty' ? translation.faults : ofGroups;
  return {
    isSkipped: translation.kind === 'skip',
    codes: [...new Set(faults.map(({ code }) => code))].sort(),
    externalIds: ordersOf(translation)
      .map(({ externalId }) => externalId)
      .filter((externalId) => !externalId.includes('-199999-'))
      .sort(),
  };
}

/** The translation cannot know the closed supplier, so its order is left out on both sides. */
const promiseOf = ({ expected, codes = [], externalIds }: GeneratedCart): Result => ({
  isSkipped: expected === 'skip',
  codes: codes.filter((code) => code !== 'E_TGT_VALIDATION').sort(),
  externalIds: [...externalIds].sort(),
});
