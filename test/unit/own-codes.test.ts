/** A first run with one's own environment file: the generated carts speak its codes, whatever its value maps hold. */
import { describe, expect, test } from '@jest/globals';
import { translateCart } from '../../functions/create-purchase-orders/translation/translate-cart.ts';
import { ENVIRONMENTS, type Environment, parseEnvironment } from '../../infra/environments.ts';
import { ownCodesOf } from '../../infra/local/run/own-codes.ts';
import type { Fault } from '../../shared/failure.ts';
import { type GeneratedCart, generateCarts } from '../simulators/carts.ts';
import { createWireOrder } from '../../functions/create-purchase-orders/translation/wire-order.ts';

interface Changes {
  readonly srm?: Readonly<Record<string, unknown>>;
  readonly translation?: Readonly<Record<string, unknown>>;
  readonly valueMaps?: Readonly<Record<string, unknown>>;
}

function environment({ srm = {}, translation = {}, valueMaps = {} }: Changes): Environment {
  const { dev } = ENVIRONMENTS;
  return parseEnvironment(
    {
      ...dev,
      srm: { ...dev?.srm, ...srm },
      translation: {
        ...translation,
        valueMaps: { businessUnit: { '4711': 'PARIS' }, ...valueMaps },
      },
    },
    'The environment of the test',
  );
}

const COUNT = 400;

function cartsFor(own: Environment): GeneratedCart[] {
  const { vendors, currencies, translate } = ownCodesOf(own);
  const from = new Date('2026-11-20T00:00:00Z');
  const to = new Date('2026-11-21T00:00:00Z');
  const carts = generateCarts({ count: COUNT, seed: 3, from, to, vendors, currencies });
  return carts.map((cart) => ({ ...cart, row: translate(cart.row) }));
}

interface Result {
  readonly cart: GeneratedCart;
  readonly orders: number;
  readonly faults: readonly Fault[];
}

function resultsFor(own: Environment): Result[] {
  const origin = { client: '100', settings: own.translation, wire: createWireOrder(own.vms), today: '2026-11-22' };
  return cartsFor(own).map((cart) => {
    const translated = translateCart(JSON.parse(JSON.stringify(cart.row)), origin);
    const groups = translated.kind === 'orders' ? translated.groups : [];
    const ofGroups = groups.flatMap((group) => (group.kind === 'faulty' ? group.faults : []));
    return {
      cart,
      orders: groups.filter(({ kind }) => kind === 'order').length,
      faults: translated.kind === 'faulty' ? translated.faults : ofGroups,
    };
  });
}

const ENVIRONMENTS_OF_OTHERS: Readonly<Record<string, Changes>> = {
  'its own companies': {},
  'business units by company and purchasing organization': { valueMaps: { businessUnit: { '4711/50000777': 'LYON' } } },
  'its own suppliers, few of them': { valueMaps: { supplier: { mode: 'mapped', codes: { '42': 'S-42', K7: 'S-7' } } } },
  'its own categories': { valueMaps: { category: { mode: 'mapped', codes: { '1000': 'GOODS', '2000': 'WORK' } } } },
  'its own tax codes': { valueMaps: { tax: { mode: 'mapped', codes: { A1: 'FULL' } } } },
  'its own units alone': { valueMaps: { extend: { unit: false }, unit: { STK: 'EA', TG: 'DAY' } } },
  'one currency': { valueMaps: { extend: { currencyDecimals: false }, currencyDecimals: { PLN: 2 } } },
  'one country': { valueMaps: { extend: { country: false }, country: { PL: 'PL' } } },
  'its own account categories': {
    valueMaps: { extend: { accountCategory: false }, accountCategory: { K: 'COST_CENTRE', F: 'INTERNAL_ORDER' } },
  },
  'its own statuses': {
    srm: { statuses: ['Z0001'] },
    valueMaps: { extend: { status: false }, status: { Z0001: 'approved', Z0002: 'rejected' } },
  },
  'another partner function': { valueMaps: { partnerFunction: { shipTo: '00000099' } } },
  'a line filter': { translation: { lineFilter: { categories: ['SERV-IT-01'], suppliers: ['100301'] } } },
  'mandatory fields': { translation: { glAccountMandatory: true, purchaseRequestMandatory: true } },
  'internal amounts': { translation: { amountsAreInternal: true } },
};

describe('generated carts in the codes of an environment with', () => {
  test.each(Object.entries(ENVIRONMENTS_OF_OTHERS))(
    '%s become orders, without other faults than their flaws',
    (what, changes) => {
      const good = resultsFor(environment(changes)).filter(({ cart }) => cart.flaw === undefined);
      const faults = good.flatMap(({ cart, faults }) =>
        faults.map(({ code, path }) => `${cart.number} ${code} ${path}`),
      );
      // Carts that name several purchase requests name none in the order.
      const expected = what === 'mandatory fields' ? faults.filter((fault) => fault.includes('E_EXTREF_MISSING')) : [];

      expect(faults).toEqual(expected);
      expect(faults.length).toBeLessThan(COUNT / 20);
      expect(good.filter(({ orders }) => orders > 0).length).toBeGreaterThan(COUNT * 0.85);
    },
  );

  test('its own companies keep their flaws', () => {
    const flawed = resultsFor(environment({})).filter(
      ({ cart }) => cart.codes !== undefined && !cart.codes.includes('E_TGT_VALIDATION'),
    );

    expect(flawed.length).toBeGreaterThan(10);
    expect(flawed.map(({ faults }) => [...new Set(faults.map(({ code }) => code))])).toEqual(
      flawed.map(({ cart }) => cart.codes),
    );
  });
});
