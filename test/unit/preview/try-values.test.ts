/** Values that are tried in memory: what they make of a cart, and what to write into the entry. */
import { describe, expect, test } from '@jest/globals';
import { ENVIRONMENTS, parseEnvironment } from '../../../infra/environments.ts';
import { entryToAdd, type TriedValue, withTriedValues } from '../../../infra/preview/try-values.ts';
import {
  cartOf,
  contractWire,
  groupsOf,
  itemWith,
  labour,
  material,
  type Row,
  TODAY,
} from '../translation/sample-carts.ts';
import { translateCart } from '../../../functions/create-purchase-orders/translation/translate-cart.ts';
import type { TranslationSettings } from '../../../shared/translation-settings.ts';

const entry = merged(ENVIRONMENTS['local'], {
  translation: { valueMaps: { supplier: { mode: 'mapped', codes: { '100234': 'SUP-00871' } } } },
});
const deployed = parseEnvironment(entry, 'this test').translation;

/** The entry with the printed addition, as a person pastes it. */
function pasted(addition: object): TranslationSettings {
  return parseEnvironment(merged(entry, JSON.parse(JSON.stringify(addition))), 'this test').translation;
}

function merged(one: unknown, other: unknown): unknown {
  const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
  if (!isObject(one) || !isObject(other)) return other;
  return Object.fromEntries(
    [...new Set([...Object.keys(one), ...Object.keys(other)])].map((key) => {
      const [left, right]: unknown[] = [Reflect.get(one, key), Reflect.get(other, key)];
      return [key, right === undefined ? left : merged(left, right)];
    }),
  );
}

const translated = (cart: Row, settings: TranslationSettings) =>
  translateCart(cart, { client: '100', settings, wire: contractWire, today: TODAY });

function tryOut(...tried: readonly TriedValue[]): TranslationSettings {
  const result = withTriedValues(deployed, tried);
  if ('mistakes' in result) throw new Error(JSON.stringify(result.mistakes));
  return result.settings;
}

describe('a tried value', () => {
  test.each<[string, TriedValue, Row, object]>([
    [
      'a unit is added to the default',
      { map: 'unit', code: 'XXX', value: 'EA' },
      itemWith(1, { Unit: 'XXX' }),
      { unit: { XXX: 'EA' } },
    ],
    [
      'a supplier is one of the codes, and the mode stays',
      { map: 'supplier', code: '100777', value: 'SUP-1' },
      cartOf([labour(), material({ VendorId: '0000100777' })]),
      { supplier: { mode: 'mapped', codes: { '100777': 'SUP-1' } } },
    ],
    [
      'a code that passes as it is gets an entry',
      { map: 'tax', code: 'V0', value: 'ZERO' },
      itemWith(0, {}),
      { tax: { mode: 'identity', codes: { V0: 'ZERO' } } },
    ],
    [
      'a map that has its default says that it is added to it',
      { map: 'status', code: 'I9999', value: 'eligible' },
      { ...itemWith(0, {}), Status: 'I9999' },
      { extend: { status: true }, status: { I9999: 'eligible' } },
    ],
    [
      'decimals are a number',
      { map: 'currencyDecimals', code: 'EUR', value: '3' },
      itemWith(0, {}),
      { extend: { currencyDecimals: true }, currencyDecimals: { EUR: 3 } },
    ],
  ])('%s', (_, tried, cart, printed) => {
    expect(entryToAdd(deployed, [tried])).toEqual({ translation: { valueMaps: printed } });
    expect(translated(cart, tryOut(tried))).toEqual(translated(cart, pasted(entryToAdd(deployed, [tried]))));
    expect(translated(cart, tryOut(tried))).not.toEqual(translated(cart, deployed));
  });

  test('cures the cart, together with others', () => {
    const cart = cartOf([labour({ Unit: 'XXX' }), material({ Unit: 'YYY' })]);
    const tried = ['XXX', 'YYY'].map((code) => ({ map: 'unit' as const, code, value: 'EA' }));
    expect(groupsOf(translated(cart, tryOut(...tried))).map(({ kind }) => kind)).toEqual(['order']);
    expect(entryToAdd(deployed, tried)).toEqual({ translation: { valueMaps: { unit: { XXX: 'EA', YYY: 'EA' } } } });
  });

  test.each<[TriedValue, string]>([
    [{ map: 'unit', code: 'XXX', value: 'LONG' }, 'translation.valueMaps.unit.XXX'],
    [{ map: 'status', code: 'I9999', value: 'approved-ish' }, 'valueMaps.status.I9999'],
    [{ map: 'currencyDecimals', code: 'EUR', value: 'two' }, 'valueMaps.currencyDecimals.EUR'],
  ])('is refused where a deployment would refuse it: %o', (tried) => {
    const result = withTriedValues(deployed, [tried]);
    expect('mistakes' in result && result.mistakes.map(({ path }) => path.join('.'))).toEqual([
      `valueMaps.${tried.map}.${tried.code}`,
    ]);
  });
});
