/** The translation of carts of all kinds, against the expectations of the generator. */
import { describe, expect, test } from '@jest/globals';
import { purchaseOrderSchema } from '../../../functions/create-purchase-orders/translation/purchase-order.ts';
import { type GeneratedCart, generateCarts } from '../../simulators/carts.ts';
import { faultsOf, ordersOf, translate } from './sample-carts.ts';

/** A flaw that only 11VMS can see: its supplier is closed there. */
const TARGET_CODES = new Set(['E_TGT_VALIDATION']);

describe('generated carts', () => {
  const carts = generateCarts({
    count: 600,
    seed: 7,
    from: new Date('2026-11-20T00:00:00Z'),
    to: new Date('2026-11-21T00:00:00Z'),
    faultyShare: 0.2,
  }).map((cart) => ({ cart, translation: translate(cart.row) }));

  test('become the orders, the skip or the faults that each was made for', () => {
    const outcomes = carts.map(({ cart, translation }) => ({
      number: cart.number,
      isSkipped: translation.kind === 'skip',
      codes: [...new Set(faultsOf(translation).map(({ code }) => code))],
      externalIds: ordersOf(translation)
        .map(({ externalId }) => externalId)
        .filter((id) => !isClosedThere(cart) || cart.externalIds.includes(id))
        .sort(),
    }));
    expect(outcomes).toEqual(
      carts.map(({ cart: { number, expected, codes = [], externalIds } }) => ({
        number,
        isSkipped: expected === 'skip',
        codes: codes.filter((code) => !TARGET_CODES.has(code)),
        externalIds: [...externalIds].sort(),
      })),
    );
  });

  test('become orders that pass the schema of 11VMS', () => {
    const orders = carts.flatMap(({ translation }) => ordersOf(translation));
    expect(orders.length).toBeGreaterThan(500);
    expect(orders.flatMap((order) => purchaseOrderSchema.safeParse(order).error?.issues ?? [])).toEqual([]);
  });
});

/** The translation makes an order here, which 11VMS will refuse. */
const isClosedThere = ({ codes = [] }: GeneratedCart): boolean => codes.some((code) => TARGET_CODES.has(code));
