/** The preview of a cart as data: its orders, faults, split and dropped lines; masked; and compared with another environment. */
import { describe, expect, test } from '@jest/globals';
import { compareCarts } from '../../../infra/preview/compare-carts.ts';
import { MASK, maskCart } from '../../../infra/preview/mask.ts';
import { type Envelope, previewCart } from '../../../infra/preview/preview-cart.ts';
import { faultsOfCart, summaryOf } from '../../../infra/preview/summary.ts';
import {
  cartOf,
  cartWith,
  contractWire,
  deleted,
  faultsOf,
  itemWith,
  labour,
  material,
  ordersOf,
  sampleCart,
  type SettingsChange,
  settingsWith,
  TODAY,
  translate,
} from '../translation/sample-carts.ts';

const preview = (cart: unknown, change?: SettingsChange, envelope?: Envelope) =>
  previewCart(cart, { client: '100', settings: settingsWith(change), wire: contractWire, today: TODAY }, envelope);

describe('the preview of a cart', () => {
  test('has the order as it is sent, and each of its values', () => {
    const { kind, number, groups, droppedLines } = preview(sampleCart);
    expect({ kind, number, droppedLines }).toEqual({
      kind: 'orders',
      number: '1000004711',
      droppedLines: [
        {
          path: '$.Items.results[3]',
          number: '4',
          description: 'Laptop dock (withdrawn)',
          reason: 'the line is deleted',
        },
      ],
    });
    expect(groups.map(({ order }) => order)).toEqual(ordersOf(translate(sampleCart)));
    const [group] = groups;
    const filled = group?.fields.filter(({ value }) => value !== undefined) ?? [];
    expect(filled.map(({ value }) => value)).toEqual(leavesOf(group?.order));
    expect(group?.fields.find(({ field }) => field === 'supplier.code')).toEqual({
      field: 'supplier.code',
      target: 'supplier.code',
      value: 'SUP-00871',
      origin: 'source',
      sources: [
        {
          path: '$.Items.results[0].VendorId',
          name: 'VendorId',
          value: '0000100234',
          isNamed: true,
          isReadBefore: false,
        },
      ],
      row: 18,
      rule: 'LOOKUP supplier',
      mandatory: 'M',
    });
  });

  test('says what each value is: of the cart, a default, constant or computed', () => {
    const { groups } = preview(itemWith(0, { PriceUnit: '' }));
    const origins = new Map(
      groups.flatMap(({ fields }) => fields.map(({ field, origin }) => [field, origin] as const)),
    );
    expect(origins.get('lines[0].quantity')).toBe('source');
    expect(origins.get('lines[0].priceBaseQuantity')).toBe('default');
    expect(origins.get('externalRevision')).toBe('constant');
    expect(origins.get('totals.netAmount')).toBe('computed');
  });

  test('has the address of a line under the row of its own', () => {
    const { groups } = preview(
      cartOf([labour(), material({ Partners: { results: [{ PartnerFct: '27', City: 'Ghent', Country: 'BE' }] } })]),
    );
    const rows = groups.flatMap(({ fields }) => fields).filter(({ field }) => field === 'lines[1].deliverTo.city');
    expect(rows.map(({ value, row }) => [value, row])).toEqual([['Ghent', 55]]);
  });

  test('has all faults of a group beside the orders of the others, and how the cart splits', () => {
    const cart = cartOf([labour(), material({ VendorId: '0000100777', Unit: 'XXX', TaxCode: 'V0', CategoryId: '' })]);
    const { groups } = preview(cart);
    expect(
      groups.map(({ kind, supplier, currency, companyCode, lines }) => [
        kind,
        supplier,
        currency,
        companyCode,
        lines.map(({ number }) => number),
      ]),
    ).toEqual([
      ['order', '100234', 'EUR', 'BE10', ['1']],
      ['faulty', '100777', 'EUR', 'BE10', ['2']],
    ]);
    expect(groups.flatMap(({ faults }) => faults)).toEqual(faultsOf(translate(cart)));
    expect(groups[1]?.fields.find(({ field }) => field === 'lines[0].quantity')?.value).toBe('250');
  });

  test('has the reason of a skip, and the lines that led to it', () => {
    expect(preview(cartOf([deleted()]))).toMatchObject({
      kind: 'skip',
      reason: 'E_CART_EMPTY: no line is left to order',
      droppedLines: [{ number: '4', reason: 'the line is deleted' }],
    });
  });

  test('has the faults of a row that cannot be read, also of one that is not JSON', () => {
    expect(preview(cartWith({ Items: 'none' }))).toMatchObject({ kind: 'faulty', number: '1000004711' });
    const { kind, number, faults } = preview('{ "ObjectId": "1000004712", "Guid": 5, "Items": [ }');
    expect({ kind, number, codes: faults.map(({ code }) => code) }).toEqual({
      kind: 'faulty',
      number: '1000004712',
      codes: ['E_SRC_SCHEMA'],
    });
  });

  test('says which filled fields no rule reads', () => {
    const { unusedFields } = preview(sampleCart);
    expect(unusedFields).toEqual(expect.arrayContaining(['ProcessType', 'CreatedBy', 'Items.IncotermLoc']));
    expect(unusedFields).not.toEqual(expect.arrayContaining(['RequesterId']));
    expect(unusedFields.filter((name) => /Unit|PartnerFct|Status$|DelInd|ParentGuid/.test(name))).toEqual([]);
  });

  test('refuses a queue message that names another cart, or comes from another client, as the worker does', () => {
    const envelope = { client: '100', cart: { number: '1000004711', guid: null } };
    expect(preview(sampleCart, {}, envelope).kind).toBe('orders');
    const other = preview(sampleCart, {}, { ...envelope, cart: { number: '1000004712', guid: null } });
    expect(other.faults.map(({ code }) => code)).toEqual(['E_INT_MESSAGE']);
    expect(preview(sampleCart, {}, { ...envelope, client: '400' }).faults).toEqual([
      {
        code: 'E_INT_MESSAGE',
        message: 'the queue message is of sap-client 400, and the environment reads sap-client 100',
      },
    ]);
  });

  test('says that a part is missing which the interface would read', () => {
    const cart = cartWith({ Texts: { __deferred: { uri: 'https://srm.example.test/Texts' } } });
    expect(preview(cart).notes).toEqual([expect.stringContaining('links in the place of rows')]);
  });
});

/** Every value of an order, in its order. */
function leavesOf(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leavesOf) : [value];
}

describe('a summary', () => {
  test('counts carts, orders and faults by code', () => {
    const carts = [
      sampleCart,
      itemWith(0, { Unit: 'XXX' }),
      itemWith(1, { Unit: 'XXX' }),
      cartWith({ DelInd: 'X' }),
    ].map((cart) => preview(cart));
    expect(summaryOf(carts)).toMatchObject({
      carts: 4,
      orders: 1,
      skipped: 1,
      faulty: 2,
      faults: [{ code: 'E_MAP_UOM', carts: 2, owner: 'mapping owner' }],
      skips: [{ reason: 'the cart is deleted', carts: 1 }],
    });
  });
});

describe('a masked preview', () => {
  test('keeps codes, amounts and dates, and no text that a person wrote or is', () => {
    const shown = JSON.stringify(maskCart(preview(itemWith(0, { Unit: 'XXX' }))));
    const other = JSON.stringify(maskCart(preview(sampleCart)));
    for (const secret of [
      'JDUPONT',
      'Dupont',
      'dupont',
      'MMARTIN',
      'Rue du Canal',
      'Brussels',
      'Presence',
      'annex-1',
      'Data platform',
      'Laptop',
      'Nordlys',
      'Approved under',
    ]) {
      expect(shown + other).not.toContain(secret);
    }
    for (const code of ['SUP-00871', '0000615200', '39000.00', 'LABOUR', MASK]) expect(other).toContain(code);
    expect(shown).toContain('E_MAP_UOM');
  });
});

describe('compared with another environment', () => {
  const compared = (cart: unknown, there: SettingsChange, here: SettingsChange = {}) =>
    compareCarts(preview(cart, here), preview(cart, there));

  test('the same settings change nothing', () => {
    expect(compared(sampleCart, {})).toBeUndefined();
  });

  test('a value map changes its fields', () => {
    const supplier = { mode: 'identity' as const, codes: { '100234': 'S-1' } };
    expect(compared(sampleCart, { valueMaps: { supplier }, timeZone: 'Pacific/Auckland' })?.orders).toMatchObject([
      {
        supplier: '100234',
        here: 'order',
        there: 'order',
        fields: [
          { field: 'orderDate', here: '2026-11-20', there: '2026-11-21', row: 12 },
          { field: 'supplier.code', here: 'SUP-00871', there: 'S-1', row: 18 },
        ],
      },
    ]);
  });

  test('faults come and go', () => {
    const unit = { EA: 'EA' };
    const come = compared(sampleCart, { valueMaps: { unit } });
    expect(come).toMatchObject({ here: '1 order', there: '1 order prevented by faults', faultsOnlyHere: [] });
    expect(come?.faultsOnlyThere.map(({ code, value }) => [code, value])).toEqual([
      ['E_MAP_UOM', 'TAG'],
      ['E_MAP_UOM', 'ST'],
    ]);
    expect(compared(sampleCart, {}, { valueMaps: { unit } })?.faultsOnlyHere).toHaveLength(2);
  });

  test('a filter leaves out a line: the other lines are compared by their numbers, and an order may vanish', () => {
    const categories = ['SERV-IT-01', 'MAT-PPE-03'];
    const lines = compared(sampleCart, { lineFilter: { categories } })?.orders[0];
    expect(lines).toMatchObject({ linesOnlyHere: ['3'], linesOnlyThere: [] });
    expect(lines?.fields.map(({ field }) => field)).not.toContain('line 2: lineNumber');
    expect(lines?.fields).toContainEqual(expect.objectContaining({ field: 'totals.netAmount', there: '39031.25' }));
    const two = cartOf([labour({ NumberInt: '5' }), labour({ NumberInt: '6', VendorId: '100777' })]);
    expect(compared(two, { lineFilter: { suppliers: ['100777'] } })).toMatchObject({
      here: '2 orders',
      there: '1 order',
      orders: [{ supplier: '100234', here: 'order', there: undefined, linesOnlyHere: ['5'] }],
    });
    expect(compared(sampleCart, { lineFilter: { categories: ['NONE'] } })).toMatchObject({
      here: '1 order',
      there: 'skipped: E_CART_EMPTY: no line is left to order',
      orders: [{ here: 'order', there: undefined }],
    });
  });

  test('has no fault that the first environment has, too', () => {
    const cart = itemWith(0, { Quantity: '0' });
    const change = { valueMaps: { unit: { TAG: 'DAY', LE: 'C62' } } };
    expect(compared(cart, change)?.faultsOnlyThere.map(({ code }) => code)).toEqual(['E_MAP_UOM']);
    expect(faultsOfCart(preview(cart))).toHaveLength(1);
  });
});
