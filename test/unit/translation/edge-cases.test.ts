/**
 * The edge cases that a cart's content decides, by their number (edge-cases.md). The title of each test begins with it.
 *
 * Tested elsewhere, because the ledger or SRM decides them: 16 and 17 (a newer version of a cart), 18 beyond "is it
 * cancelled" (an order made of it before), 27's state in the report, 48's answer of 11VMS, 84's follow-up read, and
 * 86's logs and store.
 */
import { describe, expect, test } from '@jest/globals';
import { parseExactJson } from '../../../shared/exact-json.ts';
import { faultToText } from '../../../shared/fault-catalogue.ts';
import { countRows } from '../../../shared/reading/whole-cart.ts';
import {
  accounting,
  cartOf,
  cartWith,
  date,
  deleted,
  faultsOf,
  groupsOf,
  instant,
  itemWith,
  labour,
  limit,
  list,
  material,
  ordersOf,
  type Row,
  sampleCart,
  service,
  type SettingsChange,
  shares,
  shipTo,
  texts,
  translate,
  warningsOf,
} from './sample-carts.ts';

const orderOf = (cart: unknown, settings?: SettingsChange) => {
  const translation = translate(cart, settings);
  expect(faultsOf(translation)).toEqual([]);
  const [order] = ordersOf(translation);
  expect(order).toBeDefined();
  return order;
};
const codes = (cart: unknown, settings?: SettingsChange): string[] =>
  faultsOf(translate(cart, settings)).map(({ code }) => code);
const places = (cart: unknown, settings?: SettingsChange): string[] =>
  faultsOf(translate(cart, settings)).map(({ code, path }) => `${code} ${path}`);
const warningsIn = (cart: unknown, settings?: SettingsChange): string[] =>
  warningsOf(translate(cart, settings)).map(({ code, path }) => `${code} ${path}`);
const externalIds = (cart: unknown): string[] => ordersOf(translate(cart)).map(({ externalId }) => externalId);
/** A cart with a material whose address is the header's. */
const withMaterial = (fields: Row, header: Row = {}): Row =>
  cartOf([material(fields)], { Partners: shipTo({}), ...header });

describe('life cycle', () => {
  test.each([
    ['I1015', 'not approved: awaiting', false],
    ['I1021', 'not approved: awaiting', false],
    ['I1009', 'not approved: awaiting', false],
    ['I1016', 'not approved: rejected', true],
    ['I1040', 'not approved: deleted', true],
  ])('13: a cart with status %s is skipped', (Status, reason, isCancelled) => {
    expect(translate(cartWith({ Status }))).toMatchObject({
      kind: 'skip',
      reason,
      isCancelled,
      changedAtMs: 1_795_185_126_000,
    });
  });

  test.each(['I1129', 'I1111', 'I1113', 'I1080', 'I1120', 'I1116', 'I1180', 'I1038'])(
    '13: a cart with status %s is ordered',
    (Status) => {
      const translation = translate(cartWith({ Status }));
      expect(ordersOf(translation)).toHaveLength(1);
      expect(translation).toMatchObject({ onlyIfNeverSent: Status === 'I1038' });
    },
  );

  test.each([
    ['I9999', '"I9999"'],
    ['i1129', '"i1129"'],
    ['toString', 'for this value', '[word, 8 characters]'],
  ])('13: a cart of status %s, which means nothing, is a fault', (Status, entry, value = Status) => {
    const faults = [
      {
        code: 'E_MAP_STATUS',
        message: `the value map translation.valueMaps.status has no entry ${entry}`,
        path: '$.Status',
        value,
      },
    ];
    expect(translate(cartWith({ Status }))).toEqual({ kind: 'faulty', faults });
    // What needs no status to be skipped is skipped.
    expect(translate(cartWith({ Status, DelInd: 'X' }))).toMatchObject({ kind: 'skip', isCancelled: true });
    expect(translate(cartWith({ Status, VersionType: 'H' }))).toMatchObject({ kind: 'skip' });
  });

  test('13: a cart whose ChangedAt is unreadable is skipped all the same', () => {
    expect(translate(cartWith({ Status: 'I1015', ChangedAt: '' }))).toMatchObject({ kind: 'skip', changedAtMs: 0 });
  });

  test('14: the rejected, deleted and awaiting lines are dropped and counted, the rest is ordered', () => {
    const items = [
      labour(),
      labour({ NumberInt: '5', Status: 'I1016' }),
      labour({ NumberInt: '6', Status: 'I1015' }),
      labour({ NumberInt: '7', DelInd: true }),
      labour({ NumberInt: '8', Status: 'I1040' }),
    ];
    expect(translate(cartOf(items))).toMatchObject({
      kind: 'orders',
      droppedLines: [
        { path: '$.Items.results[1]', reason: 'not approved: rejected' },
        { path: '$.Items.results[2]', reason: 'not approved: awaiting' },
        { path: '$.Items.results[3]', reason: 'the line is deleted' },
        { path: '$.Items.results[4]', reason: 'not approved: deleted' },
      ],
    });
    expect(orderOf(cartOf(items))?.lines.map(({ lineNumber }) => lineNumber)).toEqual([1]);
  });

  test('14: a line with an unknown status is ordered with a warning, unless it is dropped anyway', () => {
    const cart = cartWith({}, { 1: { Status: 'Z9' }, 3: { Status: 'Z9' } });
    expect(orderOf(cart)?.lines).toHaveLength(3);
    expect(warningsOf(translate(cart))).toEqual([
      expect.objectContaining({ code: 'W_STATUS_UNKNOWN', path: '$.Items.results[1].Status', value: 'Z9' }),
    ]);
  });

  test('15: a cart with nothing left to order is skipped, as a cancellation unless all its lines are awaiting', () => {
    const empty = { kind: 'skip', reason: 'E_CART_EMPTY: no line is left to order' };
    expect(translate(cartOf([deleted(), labour({ Status: 'I1016' })]))).toMatchObject({ ...empty, isCancelled: true });
    expect(translate(cartOf([labour({ Status: 'I1016' })]))).toMatchObject({ ...empty, isCancelled: true });
    expect(translate(cartOf([]))).toMatchObject({ ...empty, isCancelled: true });
    expect(translate(cartOf([labour({ Status: 'I1015' })]))).toMatchObject({ ...empty, isCancelled: false });
    expect(translate(cartOf([labour()]), { lineFilter: { suppliers: ['1'] } })).toMatchObject({
      ...empty,
      isCancelled: true,
    });
    const filtered = [labour({ Status: 'I1015' }), labour()];
    expect(translate(cartOf(filtered), { lineFilter: { suppliers: ['1'] } })).toMatchObject({
      ...empty,
      isCancelled: true,
    });
  });

  test('18: a deleted cart is a cancellation, if an order was created for it', () => {
    expect(translate(cartWith({ DelInd: 'x' }))).toMatchObject({
      kind: 'skip',
      reason: 'the cart is deleted',
      isCancelled: true,
    });
  });

  test('19: the number of a follow-on document is passed on', () => {
    expect(orderOf(itemWith(1, { BeObjectId: '4500012345', Status: 'I1113' }))?.erpPurchaseOrderNumber).toBe(
      '4500012345',
    );
  });

  test.each(['C', 'H', 'Z'])('20: a row of version %s is skipped, whatever else is in it', (VersionType) => {
    expect(translate(cartWith({ VersionType, Status: '', DelInd: 'X' }))).toMatchObject({
      kind: 'skip',
      isCancelled: false,
    });
  });

  test('21: a cart that was released automatically has no approver', () => {
    const order = orderOf(cartWith({ ApprovedAt: null, ApprovedBy: '', ApproverEmail: '' }));
    expect(order).toMatchObject({ orderDate: '2026-11-18', sourceDocument: { approvedAt: '2026-11-20T14:32:06Z' } });
    expect(order).not.toHaveProperty('approver');
    expect(order).not.toHaveProperty('sourceDocument.approvedBy');
  });

  test('22: outline rows are no lines; their descriptions go before the long text, outermost first', () => {
    const cart = cartOf(
      [
        { Guid: 'A', ParentGuid: 'B', OutlineInd: 'X', Description: 'Inner' },
        { Guid: 'B', ParentGuid: 'A', OutlineInd: 'X', Description: 'Outer' },
        { Guid: 'C', ParentGuid: '', OutlineInd: true, Description: '' },
        { Guid: '', OutlineInd: 'X', Description: 'Nobody’s' },
        labour({ ParentGuid: 'A', Texts: texts({ Tdid: 'ITXT', Text: 'Own' }) }),
        labour({ NumberInt: '2', ParentGuid: 'B', Texts: texts() }),
        labour({ NumberInt: '3', ParentGuid: 'C', Texts: texts() }),
      ],
      { TotalValue: '117000.000' },
    );
    expect(translate(cart)).toMatchObject({ droppedLines: [] });
    expect(orderOf(cart)?.lines.map(({ longText }) => longText)).toEqual([
      'Outer\nInner\nOwn',
      'Inner\nOuter',
      undefined,
    ]);
  });

  test('22: a line finds its outline row by the GUID, in whatever form it is written', () => {
    const forms = [
      '005056A5-09B3-1EE1-BEE5-8CE5A1C90DB0',
      '005056a509b31ee1bee58ce5a1c90db0',
      'AFBWpQmzHuG+5YzlockNsA==',
    ];
    for (const Guid of forms) {
      for (const ParentGuid of forms) {
        const outline = { Guid, OutlineInd: 'X', Description: 'Top' };
        const order = orderOf(cartOf([outline, labour({ ParentGuid, Texts: texts() })]));
        expect(order?.lines[0]?.longText).toBe('Top');
      }
    }
  });

  test('22: an outline row that breaks the contract is a fault, unless it is deleted', () => {
    expect(places(cartOf([{ OutlineInd: 'X', Description: {} }, labour()]))).toEqual([
      'E_SRC_SCHEMA $.Items.results[0].Description',
    ]);
    expect(
      orderOf(
        cartOf([
          { OutlineInd: 'X', DelInd: 'X', Guid: 'A', Description: 'Top' },
          labour({ ParentGuid: 'A', Texts: null }),
        ]),
      )?.lines[0]?.longText,
    ).toBe('Top');
  });

  test('23: lines that do not belong in 11VMS are left out, where the interface is restricted', () => {
    const kept = (lineFilter: SettingsChange['lineFilter']) => {
      const cart = cartOf([labour(), labour({ NumberInt: '2', ExtDemid: '', CategoryId: '', VendorId: '' })]);
      const translation = translate(cart, { lineFilter: lineFilter ?? {} });
      return translation.kind === 'orders'
        ? [
            translation.droppedLines.length,
            ...ordersOf(translation).flatMap(({ lines }) => lines.map(({ lineNumber }) => lineNumber)),
          ]
        : [];
    };
    expect(kept({ purchaseRequestPattern: '^PR-\\d{4}-' })).toEqual([1, 1]);
    expect(kept({ categories: ['SERV-IT-01'] })).toEqual([1, 1]);
    expect(kept({ suppliers: ['100234'] })).toEqual([1, 1]);
    const numbered = cartOf([labour({ CategoryId: '000101' })]);
    expect(translate(numbered, { lineFilter: { categories: ['101'] } })).toMatchObject({ kind: 'orders' });
    expect(translate(numbered, { lineFilter: { categories: ['0101'] } })).toMatchObject({ kind: 'orders' });
    expect(translate(numbered, { lineFilter: { categories: ['1010'] } })).toMatchObject({ kind: 'skip' });
    expect(kept({ purchaseRequestPattern: '^PR', categories: ['SERV-IT-01'], suppliers: ['100234'] })).toEqual([1, 1]);
    expect(kept({ purchaseRequestPattern: '^XX' })).toEqual([]);
    expect(codes(cartOf([labour({ ExtDemid: '' })]), { purchaseRequestMandatory: true })).toEqual(['E_EXTREF_MISSING']);
  });
});

describe('grouping', () => {
  const mixed = cartOf([
    labour(),
    labour({ NumberInt: '2', VendorId: '0000100301' }),
    labour({ NumberInt: '3', Currency: 'USD' }),
    labour({ NumberInt: '4', VendorId: '100234', Currency: 'eur' }),
  ]);

  test('24: one order for each supplier and currency, each with its own id, in the order of the lines', () => {
    expect(externalIds(mixed)).toEqual([
      'SRM7-100-1000004711-100234-EUR-BE10',
      'SRM7-100-1000004711-100301-EUR-BE10',
      'SRM7-100-1000004711-100234-USD-BE10',
    ]);
    expect(ordersOf(translate(mixed)).map(({ lines }) => lines.map(({ lineNumber }) => lineNumber))).toEqual([
      [1, 4],
      [2],
      [3],
    ]);
    expect(ordersOf(translate(mixed)).map(({ totals }) => totals.netAmount)).toEqual([
      '78000.00',
      '39000.00',
      '39000.00',
    ]);
  });

  test('25: a line without a supplier fails its own group', () => {
    const cart = cartOf([labour({ VendorId: '' }), labour({ NumberInt: '2' })]);
    expect(places(cart)).toEqual(['E_SUPPLIER_MISSING $.Items.results[0].VendorId']);
    expect(externalIds(cart)).toEqual(['SRM7-100-1000004711-100234-EUR-BE10']);
    expect(groupsOf(translate(cart))[0]).toMatchObject({ kind: 'faulty', externalId: undefined });
  });

  test('26: a preferred vendor is no supplier', () => {
    const Partners = list({ PartnerFct: '00000039', PartnerNo: '0000100234' });
    expect(codes(cartOf([labour({ VendorId: '', Partners })]))).toEqual(['E_SUPPLIER_MISSING']);
  });

  test('27: a faulty group does not hold back its neighbours, and has its id', () => {
    const cart = cartOf([labour({ Unit: 'ZZZ' }), labour({ NumberInt: '2', VendorId: '0000100301' })]);
    expect(groupsOf(translate(cart))).toEqual([
      {
        kind: 'faulty',
        externalId: 'SRM7-100-1000004711-100234-EUR-BE10',
        faults: [expect.objectContaining({ code: 'E_MAP_UOM' })],
      },
      {
        kind: 'order',
        body: expect.any(String),
        order: expect.objectContaining({ externalId: 'SRM7-100-1000004711-100301-EUR-BE10' }),
        warnings: [],
      },
    ]);
  });

  const many = (count: number): Row =>
    cartOf(Array.from({ length: count }, (_, index) => labour({ NumberInt: String(index + 1), Texts: null })));

  test('28: 999 lines pass, and one more is too large', () => {
    expect(orderOf(many(999))?.lines).toHaveLength(999);
    expect(faultsOf(translate(many(1000)))).toEqual([
      {
        code: 'E_TGT_TOO_LARGE',
        message: '1000 lines, and translation.maximumLines is 999',
        field: 'lines',
        path: '$.Items',
      },
    ]);
  });

  test('28: the body has a limit of its own, counted in bytes', () => {
    const bytes = Buffer.byteLength(JSON.stringify(orderOf(cartWith({ Description: 'é' }))));
    const cart = cartWith({ Description: 'é' });
    expect(codes(cart, { maximumBodyBytes: bytes })).toEqual([]);
    expect(faultsOf(translate(cart, { maximumBodyBytes: bytes - 1 }))).toEqual([
      {
        code: 'E_TGT_TOO_LARGE',
        message: `${bytes} bytes, and translation.maximumBodyBytes is ${bytes - 1}`,
        field: 'lines',
        path: '$.Items',
      },
    ]);
  });

  test('28: too many bytes are reported together with all other faults, too many lines alone', () => {
    const cart = itemWith(0, { Unit: '' });
    expect(codes(cart, { maximumBodyBytes: 1024 })).toEqual(['E_MAP_UOM', 'E_TGT_TOO_LARGE']);
    expect(codes(cart, { maximumBodyBytes: 1024, maximumLines: 1 })).toEqual(['E_TGT_TOO_LARGE']);
  });

  test('28: too many lines have the name of their order, and do not hold back its neighbours', () => {
    const lines = ['1', '2', '2', '3'].map((VendorId, index) => labour({ NumberInt: String(index + 1), VendorId }));
    expect(groupsOf(translate(cartOf(lines), { maximumLines: 1 }))).toMatchObject([
      { kind: 'order' },
      { kind: 'faulty', externalId: 'SRM7-100-1000004711-2-EUR-BE10', faults: [{ code: 'E_TGT_TOO_LARGE' }] },
      { kind: 'order' },
    ]);
  });

  test('28: 50 orders of a cart pass, and one more is too many for the whole cart', () => {
    const suppliers = (count: number): Row =>
      cartOf(Array.from({ length: count }, (_, index) => labour({ VendorId: String(index + 1) })));
    expect(groupsOf(translate(suppliers(50)))).toHaveLength(50);
    const tooMany = '51 orders, and one cart can become 50';
    expect(translate(suppliers(51))).toMatchObject({ kind: 'faulty', faults: [{ message: tooMany }] });
  });

  test('28: the rows of the header count once for each order', () => {
    const cart = (notes: number): Row =>
      cartOf(
        ['1', '2'].map((VendorId) => labour({ VendorId })),
        {
          Partners: null,
          Attachments: null,
          Texts: texts(...Array.from({ length: notes }, () => ({ Tdid: 'NONE', Text: 'x' }))),
        },
      );
    expect(groupsOf(translate(cart(5000)))).toHaveLength(2);
    const tooMany = '10002 rows of the header in its orders, and they can have 10000';
    expect(translate(cart(5001))).toMatchObject({ kind: 'faulty', faults: [{ message: tooMany }] });
  });

  test('28: a cart of 10,000 rows is read, and one more is too large, whatever collections they stand in', () => {
    const own = countRows(cartWith({ Texts: texts() }));
    const cartOfRows = (rows: number): Row =>
      cartWith({ Texts: texts(...Array.from({ length: rows - own }, () => ({ Tdid: 'NONE', Text: 'x' }))) });
    expect(translate(cartOfRows(10_000))).toMatchObject({ kind: 'orders' });
    expect(translate(cartOfRows(10_001))).toEqual({
      kind: 'faulty',
      faults: [
        { code: 'E_TGT_TOO_LARGE', message: '10001 rows, and a cart can have 10000', field: 'lines', path: '$.Items' },
      ],
    });
  });

  test('29: a line number is checked among the eligible lines of one group, whatever its leading zeros', () => {
    expect(places(cartOf([labour({ NumberInt: '1' }), limit({ NumberInt: '0001' })]))).toEqual([
      'E_LINE_DUPLICATE $.Items.results[0].NumberInt',
      'E_LINE_DUPLICATE $.Items.results[1].NumberInt',
    ]);
    expect(codes(cartOf([labour({ NumberInt: '1' }), limit({ NumberInt: '1', VendorId: '1' })]))).toEqual([]);
    expect(codes(cartOf([labour({ NumberInt: '1' }), deleted({ NumberInt: '1' })]))).toEqual([]);
  });
});

describe('accounting', () => {
  const split = (Accounting: unknown): Row => itemWith(0, { Accounting });
  const percentages = (Accounting: unknown): (string | undefined)[] | undefined =>
    orderOf(split(Accounting))?.lines[0]?.accounting.map(({ percentage }) => percentage);
  const ACCOUNTING = '$.Items.results[0].Accounting';

  test('30: a line without accounting, or with deleted accounting only, is a fault', () => {
    expect(places(split(list()))).toEqual([`E_ACC_MISSING ${ACCOUNTING}`]);
    expect(places(split(null))).toEqual([`E_ACC_MISSING ${ACCOUNTING}`]);
    expect(places(split(accounting({ DelInd: 'X' }, { DelInd: true })))).toEqual([`E_ACC_MISSING ${ACCOUNTING}`]);
  });

  test.each([
    [['33.33', '33.33', '33.33'], ['33.34', '33.33', '33.33'], '99.99'],
    [['33.34', '33.34', '33.34'], ['33.32', '33.34', '33.34'], '100.02'],
    [['10.00', '44.99', '44.99'], ['10.00', '45.01', '44.99'], '99.98'],
    [['99.99'], ['100.00'], '99.99'],
    [['100.01'], ['100.00'], '100.01'],
  ])(
    '31: %j: a deviation of at most 0.01 a part goes to the first of the largest parts, with a warning',
    (given, expected, total) => {
      expect(percentages(shares(...given))).toEqual(expected);
      expect(warningsOf(translate(split(shares(...given))))).toEqual([
        {
          code: 'W_ACC_SPLIT_ROUNDED',
          message: `the shares add up to ${total} %; the largest takes the difference`,
          field: 'lines[0].accounting',
          line: '1',
          path: ACCOUNTING,
        },
      ]);
    },
  );

  test('31: exactly 100 gives no warning', () => {
    expect(percentages(shares('33.33', '33.33', '33.34'))).toEqual(['33.33', '33.33', '33.34']);
    expect(warningsIn(split(shares('33.33', '33.33', '33.34')))).toEqual([]);
  });

  test.each([
    [['33.33', '33.33', '33.30']],
    [['99.98']],
    [['100.02']],
    [['50.00', '49.97']],
    [['50.00', '49.98', '0.00', '0.00']].map((given) => given),
  ])('31: %j: a larger deviation is a fault; parts are counted after zero rows are dropped', (given) => {
    const isWithin = given.length === 4;
    expect(codes(split(shares(...given)))).toEqual(isWithin ? [] : ['E_ACC_SPLIT_NOT_100']);
  });

  test('31: zero rows do not widen the tolerance', () => {
    expect(codes(split(shares('50.00', '49.97', '0.00', '0.00', '0.00')))).toEqual(['E_ACC_SPLIT_NOT_100']);
  });

  test('31: deleted rows are left out before the check, whatever is in them', () => {
    const Accounting = accounting({ DistrPerc: 'x', AccCat: '', DelInd: 'X' }, { AccNo: '0002' });
    expect(orderOf(split(Accounting))?.lines[0]?.accounting).toEqual([
      expect.objectContaining({ sequence: 2, percentage: '100.00' }),
    ]);
  });

  const amounts = (value: string, ...given: string[]): (string | undefined)[] | undefined =>
    orderOf(cartOf([limit({ ExpValue: value, Accounting: shares(...given) })]))?.lines[0]?.accounting.map(
      ({ amount }) => amount,
    );

  test('32: amounts add up to the line by largest remainder; a tie goes to the lowest sequence', () => {
    expect(amounts('0.010', '50.00', '50.00')).toEqual(['0.01', '0.00']);
    expect(amounts('100.000', '33.33', '33.33', '33.34')).toEqual(['33.33', '33.33', '33.34']);
    expect(amounts('0.050', '25', '25', '25', '25')).toEqual(['0.02', '0.01', '0.01', '0.01']);
    expect(amounts('0.000', '25', '75')).toEqual(['0.00', '0.00']);
  });

  test('32: the lowest sequence need not be the first row', () => {
    const Accounting = accounting({ DistrPerc: '50', AccNo: '0002' }, { DistrPerc: '50', AccNo: '0001' });
    const line = orderOf(cartOf([limit({ ExpValue: '0.010', Accounting })]))?.lines[0];
    expect(line?.accounting.map(({ sequence, amount }) => [sequence, amount])).toEqual([
      [1, '0.01'],
      [2, '0.00'],
    ]);
  });

  test('33: zero-percent rows are dropped with a warning', () => {
    expect(percentages(shares('0.00', '100.00'))).toEqual(['100.00']);
    expect(warningsIn(split(shares('0.00', '100.00')))).toEqual([`W_ACC_SHARE_ZERO ${ACCOUNTING}`]);
  });

  test('33: only zero-percent rows are a split that is not 100', () => {
    expect(faultsOf(translate(split(shares('0.00', '0'))))).toEqual([
      expect.objectContaining({
        code: 'E_ACC_SPLIT_NOT_100',
        path: ACCOUNTING,
        message: 'the shares add up to 0 %, not to 100 %',
      }),
    ]);
  });

  test('34: the object that the category names is required, whatever other objects are there', () => {
    expect(places(split(accounting({ AccCat: 'CC', CostCtr: '', OrderNo: '800123' })))).toEqual([
      `E_ACC_OBJECT_MISSING ${ACCOUNTING}.results[0].CostCtr`,
    ]);
  });

  test('35: an unknown category is a fault', () => {
    expect(faultsOf(translate(split(accounting({ AccCat: 'SO' }))))).toEqual([
      expect.objectContaining({ code: 'E_MAP_ACCCAT', path: `${ACCOUNTING}.results[0].AccCat`, value: 'SO' }),
    ]);
  });
});

describe('amounts and quantities', () => {
  const price = (Currency: string, Price: string, Value: string, Quantity = '1.000'): Row =>
    cartOf([labour({ Currency, Price, Value, Quantity })], { Currency, TotalValue: Value });
  const paid = (cart: Row, settings?: SettingsChange) => {
    const order = orderOf(cart, settings);
    return [
      order?.lines[0]?.unitPrice,
      order?.lines[0]?.netAmount,
      order?.lines[0]?.accounting[0]?.amount,
      order?.totals.grossAmount,
    ];
  };

  test('36: a price per 100 is converted to a price per unit', () => {
    expect(orderOf(sampleCart)?.lines[1]).toMatchObject({
      unitPrice: '12.50',
      priceBaseQuantity: '100',
      netAmount: '31.25',
    });
    expect(codes(itemWith(1, { PriceUnit: '1' }))).toEqual(['E_AMT_LINE_MISMATCH']);
  });

  test.each(['0', '0.000', '', null])(
    '37: a price unit of %j counts as 1, with a warning; the check of the value decides',
    (PriceUnit) => {
      expect(orderOf(itemWith(0, { PriceUnit }))?.lines[0]?.priceBaseQuantity).toBe('1');
      expect(warningsIn(itemWith(0, { PriceUnit }))).toEqual(['W_PRICE_UNIT_EMPTY $.Items.results[0].PriceUnit']);
      expect(codes(itemWith(1, { PriceUnit }))).toEqual(['E_AMT_LINE_MISMATCH']);
    },
  );

  test('38: yen have no decimals, dinars three, the CLF four', () => {
    expect(paid(price('JPY', '100.0000', '100.000'))).toEqual(['100', '100', '60', '100']);
    expect(paid(price('KWD', '1.2345', '1.235'))).toEqual(['1.2345', '1.235', '0.741', '1.235']);
    expect(paid(price('CLF', '1.2345', '1.2345'))).toEqual(['1.2345', '1.2345', '0.7407', '1.2345']);
  });

  test('38: as ABAP stores them, where so configured: 100 JPY as 1.00, 100 TND as 1000.00', () => {
    const settings = { amountsAreInternal: true };
    expect(paid(price('JPY', '1.0000', '1.00'), settings)).toEqual(['100', '100', '60', '100']);
    expect(paid(price('TND', '1000.0000', '1000.00'), settings)).toEqual(['100.000', '100.000', '60.000', '100.000']);
    expect(paid(price('CLF', '123.4500', '123.45'), settings)).toEqual(['1.2345', '1.2345', '0.7407', '1.2345']);
    expect(paid(price('EUR', '1.0000', '1.00'), settings)).toEqual(['1.00', '1.00', '0.60', '1.00']);
    const internal = limit({ Currency: 'JPY', Limit: '30.00', ExpValue: '20.00', TaxValue: '2.00' });
    expect(orderOf(cartOf([internal], { Currency: 'JPY', TotalValue: '20.00' }), settings)?.lines[0]).toMatchObject({
      netAmount: '2000',
      limit: { maximumAmount: '3000', expectedAmount: '2000' },
      tax: { amount: '200' },
    });
    expect(
      codes(cartOf([limit({ ...internal, Limit: '19.99' })], { Currency: 'JPY', TotalValue: '20.00' }), settings),
    ).toEqual(['E_LIMIT_RANGE']);
  });

  test('38: decimals of SAP’s own table can go before ISO’s', () => {
    const settings = { valueMaps: { currencyDecimals: { HUF: 0 } } };
    expect(paid(price('HUF', '100.0000', '100.000'), settings)).toEqual(['100', '100', '60', '100']);
    expect(places(price('HUF', '100.5000', '100.500'), settings)).toEqual([
      'E_AMT_PRECISION $.Items.results[0].Value',
      'E_AMT_PRECISION $.TotalValue',
    ]);
  });

  test('39: an amount finer than its currency is a fault; a unit price may have up to 4 decimals', () => {
    const precision = ['E_AMT_PRECISION $.Items.results[0].Value', 'E_AMT_PRECISION $.TotalValue'];
    expect(places(price('EUR', '12.3450', '12.345'))).toEqual(precision);
    expect(places(price('JPY', '12.5000', '12.500'))).toEqual(precision);
    expect(paid(price('EUR', '12.3456', '12.350'))[0]).toBe('12.3456');
    expect(codes(price('EUR', '12.34561', '12.350'))).toEqual(['E_AMT_PRECISION']);
  });

  test('40: a header total that differs from its lines is a fault, where they can be compared', () => {
    expect(places(cartOf([labour()], { TotalValue: '39000.020' }))).toEqual(['E_AMT_TOTAL_MISMATCH $.TotalValue']);
    expect(codes(cartOf([labour()], { TotalValue: '39000.010' }))).toEqual([]);
    expect(codes(cartOf([labour(), deleted()], { TotalValue: '1.000' }))).toEqual([]);
    expect(codes(cartOf([labour(), labour({ VendorId: '1' })], { TotalValue: '1.000' }))).toEqual([]);
    expect(codes(cartOf([labour({ Value: '' })], { TotalValue: '1.000' }))).toEqual(['E_FIELD_MISSING']);
  });

  test.each(['0', '0.000', '-0.000', '-5'])('41: a quantity of %s is a fault', (Quantity) => {
    expect(codes(itemWith(0, { Quantity }))).toEqual(['E_QTY_INVALID']);
  });

  test('41: a price of zero is accepted only where it is allowed, a negative one never', () => {
    const free = cartOf([labour({ Price: '0.0000', Value: '0.000' })]);
    expect(codes(free)).toEqual(['E_PRICE_INVALID']);
    expect(paid(free, { allowZeroPrice: true })).toEqual(['0.00', '0.00', '0.00', '0.00']);
    expect(places(cartOf([labour({ Price: '0.0000' })]), { allowZeroPrice: true })).toEqual([
      'E_AMT_LINE_MISMATCH $.Items.results[0].Value',
    ]);
    expect(codes(cartOf([labour({ Price: '-650.0000' })]), { allowZeroPrice: true })).toEqual(['E_PRICE_INVALID']);
  });

  test.each([
    '12345678901234.000',
    '1e3',
    '1E+3',
    '1,5',
    '1.000,00',
    '+1',
    '.5',
    '1.',
    'NaN',
    'Infinity',
    '0x10',
    '1 000',
    '1.00-',
    '١',
  ])('42: %s is no decimal', (text) => {
    expect(places(itemWith(0, { Quantity: text }))).toEqual(['E_FIELD_FORMAT $.Items.results[0].Quantity']);
    expect(places(itemWith(1, { Price: text }))).toEqual(['E_FIELD_FORMAT $.Items.results[1].Price']);
    expect(places(itemWith(1, { Value: text }))).toEqual(['E_FIELD_FORMAT $.Items.results[1].Value']);
    expect(places(itemWith(2, { Limit: text }))).toEqual(['E_FIELD_FORMAT $.Items.results[2].Limit']);
  });

  test('42: digits that a double would lose are kept', () => {
    const order = orderOf(
      cartOf([limit({ ExpValue: '9007199254740.99', Limit: '9999999999999.99', Accounting: shares('100') })], {
        TotalValue: '9007199254740.99',
      }),
    );
    expect(order?.lines[0]).toMatchObject({
      netAmount: '9007199254740.99',
      limit: { maximumAmount: '9999999999999.99', expectedAmount: '9007199254740.99' },
      accounting: [{ amount: '9007199254740.99' }],
    });
  });

  test('42: a JSON number is read by its digits', () => {
    const text = JSON.stringify(itemWith(0, { Quantity: '@', PriceUnit: 1 })).replace('"@"', '60.000');
    expect(orderOf(parseExactJson(text))?.lines[0]).toMatchObject({ quantity: '60', priceBaseQuantity: '1' });
    const exponent = JSON.stringify(itemWith(0, { Quantity: '@' })).replace('"@"', '6e1');
    expect(codes(parseExactJson(exponent))).toEqual(['E_FIELD_FORMAT']);
    expect(codes(itemWith(0, { Quantity: 1e21 }))).toEqual(['E_FIELD_FORMAT']);
  });
});

describe('texts and characters', () => {
  const title = (Description: unknown): string | undefined => orderOf(cartWith({ Description }))?.title;

  test('43: control characters, byte order marks and lone surrogates are removed', () => {
    expect(title('\ufeffa\u0000\u0007b\u001fc\td\ne')).toBe('abc\td\ne');
    expect(title('a\r\nb\rc\n\rd')).toBe('a\nb\nc\n\nd');
    expect(title('a\u00a0b <(>&<)> c')).toBe('a b & c');
    expect(warningsIn(cartWith({ Description: 'plain' }))).toEqual([]);
    expect(title('half \ud83c of it')).toBe('half \ufffd of it');
    expect(warningsIn(cartWith({ Description: 'half \udf31' }))).toEqual(['W_TEXT_REPLACED $']);
    expect(title('e\u0301\u0063\u0327')).toBe('éç');
  });

  test('43: the capitals of a user id stay NFC', () => {
    expect(orderOf(cartWith({ RequesterId: '\u0390' }))?.requester.externalId).toBe('\u03aa\u0301');
  });

  test('44: all other characters pass unchanged, and are counted as code points', () => {
    const text = '🧪 漢字 العربية é & < > "q" \'s\' \\ </script> \u2028';
    expect(title(text)).toBe(text.trim());
    expect(title('🌱'.repeat(120))).toBe('🌱'.repeat(120));
    expect(warningsIn(cartWith({ Description: '🌱'.repeat(120) }))).toEqual([]);
    expect(codes(itemWith(1, { PartnerProd: '🌱'.repeat(40) }))).toEqual([]);
  });

  test('45: a text is cut with a marker, a code is never cut', () => {
    expect(title('🌱'.repeat(121))).toBe(`${'🌱'.repeat(115)}[...]`);
    expect(warningsIn(cartWith({ Description: '🌱'.repeat(121) }))).toEqual(['W_TEXT_CUT $.Description']);
    expect(faultsOf(translate(itemWith(1, { OrderedProd: '🌱'.repeat(41) })))).toEqual([
      {
        code: 'E_FIELD_LENGTH',
        message: 'longer than 40 characters',
        field: 'lines[1].productCode',
        line: '2',
        path: '$.Items.results[1].OrderedProd',
        value: '[text without blanks, 82 characters]',
      },
    ]);
  });

  test.each([
    ['ProcOrg', 21],
    ['ProcGroup', 21],
    ['PmntTrms', 11],
  ])('45: %s of the header is a fault when it is too long', (name, length) => {
    expect(places(cartWith({ [name]: 'L'.repeat(length) }))).toEqual([`E_FIELD_LENGTH $.${name}`]);
  });

  test.each([
    ['ExtDemid', 36],
    ['BeObjectId', 21],
    ['ExtDemPosid', 11],
    ['ManuProd', 41],
    ['TaxCode', 11],
    ['CtrId', 11],
    ['CtrItem', 11],
    ['IncotermKey', 4],
    ['IncotermLoc', 29],
  ])('45: %s of a line is a fault when it is too long', (name, length) => {
    const cart = cartOf([labour({ IncotermKey: 'DAP', [name]: 'L'.repeat(length) })]);
    expect(places(cart)).toEqual([`E_FIELD_LENGTH $.Items.results[0].${name}`]);
  });

  test('45: a wrong length is reported together with every other fault', () => {
    expect(places(cartWith({ PmntTrms: 'L'.repeat(11) }, { 0: { Unit: 'ZZZ' } }))).toEqual([
      'E_MAP_UOM $.Items.results[0].Unit',
      'E_FIELD_LENGTH $.PmntTrms',
    ]);
  });

  test.each([' ', '\t\r\n', '\u00a0', '\ufeff', '\u0000'])('46: %j counts as no value', (blank) => {
    expect(places(itemWith(0, { Description: blank }))).toEqual(['E_FIELD_MISSING $.Items.results[0].Description']);
    expect(title(blank)).toBe('Shopping cart 1000004711');
    expect(orderOf(itemWith(1, { PartnerProd: blank }))?.lines[1]).not.toHaveProperty('supplierPartNumber');
  });

  test('47: a text is taken in the language of the document, else in English, else the first', () => {
    const longText = (DescrLanguage: string, ...languages: string[]): string | undefined =>
      orderOf(
        cartWith(
          { DescrLanguage },
          { 0: { Texts: texts(...languages.map((Language) => ({ Tdid: 'ITXT', Language, Text: Language }))) } },
        ),
      )?.lines[0]?.longText;
    expect(longText('N', 'EN', 'F', 'NL', 'N')).toBe('NL');
    expect(longText('fr', 'EN', 'F')).toBe('F');
    expect(longText('P', 'D', 'E')).toBe('E');
    expect(longText('P', 'ZZ', 'D')).toBe('ZZ');
    expect(longText('constructor', 'D', 'EN')).toBe('EN');
  });
});

describe('codes', () => {
  test('48: a supplier that is not mapped is a fault', () => {
    const settings = { valueMaps: { supplier: { mode: 'mapped' as const, codes: { '1': 'SUP-1' } } } };
    expect(faultsOf(translate(sampleCart, settings))).toEqual([
      expect.objectContaining({
        code: 'E_MAP_SUPPLIER',
        path: '$.Items.results[0].VendorId',
        field: 'supplier.code',
        value: '0000100234',
      }),
    ]);
    expect(orderOf(cartOf([labour({ VendorId: '0000000001' })]), settings)?.supplier.code).toBe('SUP-1');
  });

  test.each(['ZZZ', 'PCE', 'tag', 'toString'])('49: the unit %s is unknown', (Unit) => {
    expect(codes(itemWith(1, { Unit }))).toEqual(['E_MAP_UOM']);
  });

  test.each([
    ['ST', 'EA'],
    ['PC', 'EA'],
    ['EA', 'EA'],
    ['KG', 'KGM'],
    ['G', 'GRM'],
    ['TO', 'TNE'],
    ['M', 'MTR'],
    ['M2', 'MTK'],
    ['M3', 'MTQ'],
    ['L', 'LTR'],
    ['KM', 'KMT'],
    ['LE', 'C62'],
    ['AU', 'C62'],
    ['MIN', 'MIN'],
    ['JHR', 'ANN'],
    ['YR', 'ANN'],
    ['MON', 'MON'],
    ['WCH', 'WEE'],
    ['WK', 'WEE'],
    ['TAG', 'DAY'],
    ['DAY', 'DAY'],
    ['STD', 'HUR'],
    ['H', 'HUR'],
  ])('49: the unit %s is %s', (Unit, code) => {
    expect(orderOf(itemWith(1, { Unit }))?.lines[1]?.unitOfMeasure).toBe(code);
  });

  test('50: a code is found in its value map with or without leading zeros, and as it is first', () => {
    const category = (codes: Record<string, string>, CategoryId: unknown) =>
      orderOf(itemWith(0, { CategoryId }), { valueMaps: { category: { mode: 'identity', codes } } })?.lines[0]?.category
        .code;
    expect(category({ '101': 'IT' }, '0000101')).toBe('IT');
    expect(category({ '0000101': 'IT' }, 101)).toBe('IT');
    expect(category({ '101': 'IT', '0101': 'HR' }, '0101')).toBe('HR');
    expect(category({ '101': 'IT' }, '0102')).toBe('0102');
    expect(category({ '0A1': 'IT' }, 'A1')).toBe('A1');
    const unit = (businessUnit: Record<string, string>, header: Row) =>
      orderOf(cartWith(header), { valueMaps: { businessUnit } })?.businessUnit.code;
    expect(unit({ '10': 'BU', '10/123': 'OWN' }, { CoCode: '0010', ProcOrg: 'O 00000123' })).toBe('OWN');
    expect(unit({ '10': 'BU', '10/123': 'OWN' }, { CoCode: '0010', ProcOrg: 'O 00000124' })).toBe('BU');
    expect(orderOf(itemWith(0, { ProductType: '2' }))?.lines[0]?.type).toBe('LABOUR');
  });

  test('50: leading zeros make no difference, and are restored where SAP has them', () => {
    const bare = cartOf(
      [
        labour({
          VendorId: '100234',
          NumberInt: '1',
          ExtDemPosid: '1',
          CtrId: '4400001234',
          CtrItem: '10',
          Accounting: accounting({ GLAcct: '615200', CostCtr: '101234' }),
        }),
      ],
      { ObjectId: '4711' },
    );
    const padded = cartOf(
      [
        labour({
          VendorId: '0000100234',
          NumberInt: '0000000001',
          ExtDemPosid: '0000000001',
          CtrId: '4400001234',
          CtrItem: '0000000010',
          Accounting: accounting({ GLAcct: '0000615200', CostCtr: '0000101234' }),
        }),
      ],
      { ObjectId: '0000004711' },
    );
    expect(JSON.stringify(orderOf(bare))).toBe(JSON.stringify(orderOf(padded)));
    expect(orderOf(cartWith({ Partners: list({ PartnerFct: '27', Country: 'NL' }) }))?.deliveryAddress).toEqual({
      country: 'NL',
    });
  });

  test.each(['EUR5', 'DEM', 'XXX', 'toString', '€'])(
    '51: the currency %s is unknown, and causes no fault of an amount',
    (Currency) => {
      expect(
        places(cartOf([labour({ Currency, Price: '0.3333', Quantity: '3.5', Value: '1.17' })], { Currency })),
      ).toEqual(['E_MAP_CURRENCY $.Items.results[0].Currency']);
    },
  );

  test.each([
    ['UK', 'GB'],
    ['EL', 'GR'],
    ['be', 'BE'],
  ])('52: the country %s is %s', (Country, code) => {
    expect(orderOf(cartWith({ Partners: shipTo({ Country }) }))?.deliveryAddress?.country).toBe(code);
  });

  test('52: a country that does not exist is a fault', () => {
    expect(places(cartWith({ Partners: shipTo({ Country: 'YU' }) }))).toEqual([
      'E_MAP_COUNTRY $.Partners.results[0].Country',
    ]);
    expect(places(withMaterial({}, { Partners: shipTo({ Country: 'YU' }) }))).toEqual([
      'E_MAP_COUNTRY $.Partners.results[0].Country',
    ]);
  });

  test('53: a category is a fault when it is unknown where a map is in force, or missing', () => {
    const settings = { valueMaps: { category: { mode: 'mapped' as const, codes: { 'MAT-PPE-03': 'PPE' } } } };
    expect(places(withMaterial({ CategoryId: 'MAT-X' }), settings)).toEqual([
      'E_MAP_CATEGORY $.Items.results[0].CategoryId',
    ]);
    expect(orderOf(withMaterial({}), settings)?.lines[0]?.category).toEqual({ scheme: 'SRM', code: 'PPE' });
    expect(codes(withMaterial({ CategoryId: '' }))).toEqual(['E_MAP_CATEGORY']);
  });
});

describe('dates', () => {
  test.each([null, '', '00000000', '00000000000000'])('54: %j is absent', (initial) => {
    expect(orderOf(itemWith(0, { EndDate: initial }))?.lines[0]?.servicePeriod).toEqual({ startDate: '2027-01-04' });
    expect(orderOf(cartWith({ ApprovedAt: initial }))?.sourceDocument.approvedAt).toBe('2026-11-20T14:32:06Z');
    expect(codes(itemWith(1, { DelivDate: initial }))).toEqual(['E_DATE_MISSING']);
  });

  test('54: 9999-12-31 is an open end', () => {
    const order = orderOf(itemWith(0, { EndDate: '/Date(253402214400000)/' }));
    expect(order?.lines[0]?.servicePeriod).toEqual({ startDate: '2027-01-04' });
    expect(order?.validity).toEqual({ startDate: '2027-01-04' });
  });

  test.each([
    '/Date(99999999999999999)/',
    '/Date(8640000000000001)/',
    '/Date(-62135596800000)/',
    '/Date(-6847804800001)/',
    '/Date(253370764800000)/',
    '/Date(253402300800000)/',
    '/Date(-99999999999999)/',
    '/Date()/',
    '/Date(1e9)/',
    '2026-12-15',
    '20261215',
    'x',
  ])('54: %s is no date', (text) => {
    expect(places(itemWith(1, { DelivDate: text }))).toEqual(['E_DATE_INVALID $.Items.results[1].DelivDate']);
    expect(places(itemWith(0, { EndDate: text }))).toEqual(['E_DATE_INVALID $.Items.results[0].EndDate']);
    expect(places(cartWith({ ApprovedAt: text }))).toEqual(['E_DATE_INVALID $.ApprovedAt']);
    expect(places(cartWith({ ChangedAt: text }))).toEqual(['E_DATE_INVALID $.ChangedAt']);
  });

  test('54: 9999-12-31 is an open end only where a period ends', () => {
    const open = '/Date(253402214400000)/';
    expect(places(itemWith(1, { DelivDate: open }))).toEqual(['E_DATE_INVALID $.Items.results[1].DelivDate']);
    expect(places(itemWith(0, { StartDate: open }))).toEqual(['E_DATE_INVALID $.Items.results[0].StartDate']);
    expect(places(cartWith({ ApprovedAt: open }))).toEqual(['E_DATE_INVALID $.ApprovedAt']);
    expect(places(cartWith({ ApprovedAt: null, PostingDate: open }))).toEqual(['E_DATE_INVALID $.PostingDate']);
    expect(places(cartWith({ ChangedAt: open }))).toEqual(['E_DATE_INVALID $.ChangedAt']);
  });

  test('54: an instant that the zone moves out of the years of a date is a fault of its field', () => {
    const last = cartWith({ ApprovedAt: instant('9998-12-31T23:30:00Z') });
    expect(orderOf(last, { timeZone: 'America/New_York' })?.orderDate).toBe('9998-12-31');
    expect(faultsOf(translate(last, { timeZone: 'Europe/Brussels' }))).toEqual([
      expect.objectContaining({ code: 'E_DATE_INVALID', path: '$.ApprovedAt', field: 'orderDate' }),
    ]);
    const first = cartWith({ ApprovedAt: instant('1753-01-01T00:30:00Z') });
    expect(orderOf(first, { timeZone: 'Europe/Brussels' })?.orderDate).toBe('1753-01-01');
    expect(places(first, { timeZone: 'America/New_York' })).toEqual(['E_DATE_INVALID $.ApprovedAt']);
  });

  test('54: an instant may have an offset, although SAP never sends one', () => {
    const cart = cartWith({ ApprovedAt: '/Date(1795185125000-0120)/', ChangedAt: '/Date(1795185126000+0060)/' });
    expect(orderOf(cart)?.sourceDocument).toMatchObject({
      approvedAt: '2026-11-20T16:32:05Z',
      changedAt: '2026-11-20T13:32:06Z',
    });
    expect(warningsIn(cart)).toEqual(['W_DATE_OFFSET $.ChangedAt', 'W_DATE_OFFSET $.ApprovedAt']);
    expect(translate(cart)).toMatchObject({ changedAtMs: Date.parse('2026-11-20T13:32:06Z') });
  });

  test('54: a date before 1970 is accepted', () => {
    expect(orderOf(itemWith(0, { StartDate: date('1969-07-20') }))?.validity?.startDate).toBe('1969-07-20');
  });

  test('55: an end before its start is a fault, and so is an end without a start', () => {
    expect(places(itemWith(0, { EndDate: date('2027-01-03') }))).toEqual(['E_DATE_RANGE $.Items.results[0].EndDate']);
    expect(places(itemWith(0, { StartDate: null }))).toEqual(['E_DATE_RANGE $.Items.results[0].StartDate']);
  });

  test('56: a date near midnight is the UTC day, in any time zone', () => {
    const cart = itemWith(1, { DelivDate: '/Date(1797379199000)/' });
    for (const timeZone of ['Pacific/Kiritimati', 'Pacific/Pago_Pago', 'Europe/Brussels'])
      expect(orderOf(cart, { timeZone })?.lines[1]?.deliveryDate).toBe('2026-12-15');
  });

  test('57: a date in the past is ordered with a warning', () => {
    const cart = cartWith(
      {},
      { 1: { DelivDate: date('2026-11-21') }, 2: { StartDate: date('2026-01-01'), EndDate: date('2026-11-21') } },
    );
    expect(ordersOf(translate(cart))).toHaveLength(1);
    expect(warningsOf(translate(cart))).toEqual([
      expect.objectContaining({
        code: 'W_DATE_PAST',
        path: '$.Items.results[2].EndDate',
        field: 'lines[2].servicePeriod',
        value: date('2026-11-21'),
      }),
      expect.objectContaining({
        code: 'W_DATE_PAST',
        path: '$.Items.results[1].DelivDate',
        field: 'lines[1].deliveryDate',
        value: date('2026-11-21'),
      }),
    ]);
    expect(warningsIn(itemWith(1, { DelivDate: date('2026-11-22') }))).toEqual([]);
  });
});

describe('limits and services', () => {
  test('58: a limit item has its own type, and its expected value as its value', () => {
    const line = orderOf(itemWith(2, { Quantity: '', Unit: '', Price: '', PriceUnit: '', Value: '' }))?.lines[2];
    expect(line).toMatchObject({
      type: 'LIMIT',
      netAmount: '2000.00',
      limit: { maximumAmount: '3000.00', expectedAmount: '2000.00' },
    });
    for (const name of ['quantity', 'unitOfMeasure', 'unitPrice', 'priceBaseQuantity'])
      expect(line).not.toHaveProperty(name);
  });

  test('59: an unlimited item is accepted only where it is allowed', () => {
    const cart = itemWith(2, { Unlimited: 'X', Limit: '' });
    expect(places(cart)).toEqual(['E_LIMIT_UNLIMITED $.Items.results[2].Unlimited']);
    expect(orderOf(cart, { allowUnlimited: true })?.lines[2]?.limit).toEqual({
      unlimited: true,
      expectedAmount: '2000.00',
    });
  });

  test('59: an unlimited item has no limit to exceed', () => {
    expect(codes(itemWith(2, { Unlimited: 'X', Limit: '1.000' }), { allowUnlimited: true })).toEqual([]);
  });

  test('60: an expected value over the limit is a fault', () => {
    expect(places(itemWith(2, { Limit: '1999.990' }))).toEqual(['E_LIMIT_RANGE $.Items.results[2].ExpValue']);
    expect(codes(itemWith(2, { Limit: '2000.000' }))).toEqual([]);
  });
});

describe('source faults', () => {
  test.each<[string, unknown, string[]]>([
    ['no object', 7, ['$']],
    ['null', null, ['$']],
    ['a list', [], ['$']],
    ['no GUID', cartWith({ Guid: undefined }), ['$.Guid']],
    ['a blank GUID', cartWith({ Guid: ' ' }), ['$.Guid']],
    ['a GUID that is a number', cartWith({ Guid: 7 }), ['$.Guid']],
    ['no status', cartWith({ Status: '' }), ['$.Status']],
    ['no items', cartWith({ Items: null }), ['$.Items']],
    ['items that are no list', cartWith({ Items: { results: 'X' } }), ['$.Items.results']],
    ['items that are not expanded', cartWith({ Items: { __deferred: { uri: 'x' } } }), ['$.Items']],
    ['an item that is no entity', cartWith({ Items: list(7) }), ['$.Items.results[0]']],
    ['a text that is an object', cartWith({ Description: {} }), ['$.Description']],
    ['a text that is a boolean', cartWith({ Description: true }), ['$.Description']],
    ['a field of a line that is a list', itemWith(1, { Quantity: [] }), ['$.Items.results[1].Quantity']],
    ['a flag that is neither X nor blank', itemWith(2, { LimitInd: 'Y' }), ['$.Items.results[2].LimitInd']],
    ['a flag that is a number', itemWith(2, { DelInd: 1 }), ['$.Items.results[2].DelInd']],
    ['a flag that is a list', cartWith({ DelInd: [] }), ['$.DelInd']],
    ['texts that are no list', cartWith({ Texts: 'X' }), ['$.Texts']],
    ['an attachment that is no entity', cartWith({ Attachments: list(null) }), ['$.Attachments.results[0]']],
    [
      'an assignment that is no entity',
      itemWith(0, { Accounting: list('X') }),
      ['$.Items.results[0].Accounting.results[0]'],
    ],
    ['all of them', cartWith({ Guid: 1, Status: {} }), ['$.Status', '$.Guid']],
    [
      'all lines',
      cartWith({}, { 0: { Price: {} }, 1: { Price: {}, Unit: {} } }),
      ['$.Items.results[0].Price', '$.Items.results[1].Unit', '$.Items.results[1].Price'],
    ],
  ])('83: %s fails the whole cart, with its path', (_what, cart, paths) => {
    const translation = translate(cart);
    expect(translation.kind).toBe('faulty');
    expect(faultsOf(translation).map(({ code, path }) => `${code} ${path}`)).toEqual(
      paths.map((path) => `E_SRC_SCHEMA ${path}`),
    );
  });

  test('83: a fault of the contract is reported without its value', () => {
    const translation = translate(cartWith({ RequesterName: { first: 'Jean', last: 'Dupont' } }));
    expect(faultsOf(translation)).toEqual([
      {
        code: 'E_SRC_SCHEMA',
        message: 'the source row breaks the contract: must be a text or a number, such as "10"',
        path: '$.RequesterName',
      },
    ]);
  });

  test('83: lists may be bare, or missing', () => {
    const bare = cartWith({
      Items: [labour({ Texts: [] })],
      Partners: undefined,
      Texts: null,
      Attachments: undefined,
      TotalValue: '39000.000',
    });
    expect(orderOf(bare)).not.toHaveProperty('attachments');
  });

  test('83: a dropped line is judged by its flags alone', () => {
    expect(codes(itemWith(3, { Guid: {}, Description: [], Quantity: {}, Accounting: 7 }))).toEqual([]);
    expect(places(itemWith(3, { Status: {} }))).toEqual(['E_SRC_SCHEMA $.Items.results[3].Status']);
  });

  test.each([
    ['a link in place of the rows', { __deferred: { uri: 'x' } }],
    ['a link to more rows', { results: [], __next: 'x' }],
    ['a link that is no text', { results: [], __next: {} }],
    ['fewer rows than it announces', { __count: '2', results: [] }],
    ['more rows than it announces', { __count: 0, results: [{}] }],
    ['a row that is a link', { results: [{ __deferred: { uri: 'x' } }] }],
  ])('84: a collection with %s is never read as the whole', (_what, collection) => {
    for (const name of ['Items', 'Partners', 'Texts', 'Attachments']) {
      expect(places(cartWith({ [name]: collection }))).toEqual([`E_SRC_SCHEMA $.${name}`]);
    }
    for (const name of ['Accounting', 'Partners', 'Texts']) {
      expect(places(itemWith(2, { [name]: collection }))).toEqual([`E_SRC_SCHEMA $.Items.results[2].${name}`]);
    }
  });

  test.each([
    ['null', { __next: null }],
    ['a blank', { __next: '' }],
    ['its right number', { __count: '4' }],
  ])('84: a collection with %s is whole', (_what, more) => {
    const items = Object(sampleCart).Items;
    expect(translate(cartWith({ Items: { ...items, ...more } }))).toMatchObject({ kind: 'orders' });
  });

  test('85: unknown properties are ignored and counted, wherever they are', () => {
    const cart = cartWith(
      { ZzPlant: '0010', Texts: texts({ Tdid: 'NOTE', Text: 'a', ZzText: '' }), Attachments: null },
      {
        0: { ZzFund: null, Accounting: accounting({ ZzGrant: 1 }), Partners: shipTo({ ZzFloor: '' }) },
        3: { ZzFund: '' },
      },
    );
    expect(translate(sampleCart)).toMatchObject({ unknownProperties: 0 });
    expect(translate(cart)).toMatchObject({ kind: 'orders', unknownProperties: 6 });
    expect(JSON.stringify(orderOf(cart))).not.toContain('Zz');
  });

  test('85: an element that is no entity, in a line that is dropped, has no properties', () => {
    expect(translate(itemWith(3, { Accounting: list(7, null) }))).toMatchObject({
      kind: 'orders',
      unknownProperties: 0,
    });
  });
});

describe('privacy', () => {
  test('86: no fault or warning quotes a requester, an approver or an address', () => {
    const secret = 'PERSONAL'.repeat(40);
    const people = {
      RequesterId: secret,
      CreatedBy: secret,
      RequesterName: secret,
      RequesterEmail: secret,
      ApprovedBy: secret,
      ApproverEmail: secret,
    };
    const home = shipTo({
      Name: secret,
      Street: secret,
      HouseNo: secret,
      PostlCod1: secret,
      City: secret,
      Region: secret,
    });
    const cart = cartWith(
      { ...people, Partners: home },
      { 0: { Partners: home }, 1: { Partners: shipTo({ City: secret }) } },
    );
    const faults = faultsOf(translate(cart));
    expect(faults).toHaveLength(9);
    expect(faults.map(faultToText).join('\n')).not.toMatch(/PERSONAL/i);
    const harmless = cartWith({
      RequesterEmail: secret,
      ApproverEmail: secret,
      RequesterName: secret,
      ApprovedAt: instant('2026-11-20T10:00:00Z'),
    });
    expect(warningsOf(translate(harmless))).toHaveLength(3);
    expect(JSON.stringify(warningsOf(translate(harmless)))).not.toMatch(/PERSONAL/i);
  });

  test('86: a service is judged like any other line', () => {
    expect(codes(cartOf([service()]))).toEqual([]);
  });
});
