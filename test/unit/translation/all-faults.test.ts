/** Every fault of a cart at once, each with its place, and a good order beside them. */
import { describe, expect, test } from '@jest/globals';
import { FAULT_CATALOGUE, faultToText } from '../../../shared/fault-catalogue.ts';
import {
  accounting,
  cartOf,
  date,
  faultsOf,
  groupsOf,
  labour,
  limit,
  list,
  material,
  type SettingsChange,
  shares,
  shipTo,
  translate,
} from './sample-carts.ts';

const cart = cartOf([
  labour({
    Guid: 'none',
    Unit: 'ZZZ',
    Quantity: '0.000',
    Price: '-1.0000',
    StartDate: date('2027-04-01'),
    Accounting: shares('50.00', '40.00'),
  }),
  material({
    NumberInt: '0000000001',
    CategoryId: 'L'.repeat(21),
    Description: ' ',
    DelivDate: null,
    Value: '31,25',
    Partners: shipTo({ Country: 'XX' }),
    Accounting: accounting({ AccCat: 'SO', DistrPerc: '50' }, { AccCat: 'OR', AccNo: '2', DistrPerc: '50' }),
  }),
  limit({ VendorId: '0000100301', ExpValue: '2000.001', Limit: '', Accounting: list() }),
  labour({ NumberInt: '7', VendorId: '0000100302' }),
]);

test('a cart with many faults in two groups reports all of them, and the third group becomes an order', () => {
  const translation = translate(cart);
  const places = groupsOf(translation).map((group) =>
    group.kind === 'faulty'
      ? group.faults.map(({ code, path, field }) => `${code} ${path} ${field}`)
      : group.order.externalId,
  );
  const [first, second] = ['$.Items.results[0]', '$.Items.results[1]'];
  expect(places).toEqual([
    [
      `E_MAP_UOM ${first}.Unit lines[0].unitOfMeasure`,
      `E_DATE_RANGE ${first}.EndDate lines[0].servicePeriod`,
      `E_ACC_SPLIT_NOT_100 ${first}.Accounting lines[0].accounting`,
      `E_FIELD_FORMAT ${second}.Value lines[1].netAmount`,
      `E_MAP_COUNTRY ${second}.Partners.results[0].Country lines[1].deliverTo.country`,
      `E_MAP_ACCCAT ${second}.Accounting.results[0].AccCat lines[1].accounting[0].category`,
      `E_LINE_DUPLICATE ${first}.NumberInt lines[0].lineNumber`,
      `E_FIELD_FORMAT ${first}.Guid lines[0].externalLineId`,
      `E_QTY_INVALID ${first}.Quantity lines[0].quantity`,
      `E_PRICE_INVALID ${first}.Price lines[0].unitPrice`,
      `E_LINE_DUPLICATE ${second}.NumberInt lines[1].lineNumber`,
      `E_FIELD_MISSING ${second}.Description lines[1].description`,
      `E_DATE_MISSING ${second}.DelivDate lines[1].deliveryDate`,
      `E_ACC_OBJECT_MISSING ${second}.Accounting.results[1].OrderNo lines[1].accounting[1].internalOrder`,
      `E_FIELD_LENGTH ${second}.CategoryId lines[1].category.code`,
    ],
    [
      'E_AMT_PRECISION $.Items.results[2].ExpValue lines[0].netAmount',
      'E_ACC_MISSING $.Items.results[2].Accounting lines[0].accounting',
      'E_FIELD_MISSING $.Items.results[2].Limit lines[0].limit.maximumAmount',
    ],
    'SRM7-100-1000004711-100302-EUR-BE10',
  ]);
});

test('each fault says in words what is wrong, where, and what its owner does about it', () => {
  const faults = faultsOf(translate(cart));
  expect(faults).toHaveLength(18);
  for (const fault of faults) {
    expect(fault.message).toMatch(/^[a-z].*[^.]$/i);
    expect(faultToText(fault)).toContain(FAULT_CATALOGUE[fault.code].action);
    expect(FAULT_CATALOGUE[fault.code].owner).toBeTruthy();
  }
  expect(faults.map(faultToText)).toContain(
    'E_MAP_UOM: the value map translation.valueMaps.unit has no entry "ZZZ" ' +
      '(line 1, $.Items.results[0].Unit, for lines[0].unitOfMeasure, value "ZZZ"). ' +
      FAULT_CATALOGUE.E_MAP_UOM.action,
  );
});

const places = (source: unknown, settings?: SettingsChange): string[] =>
  faultsOf(translate(source, settings)).map(({ code, path }) => `${code} ${path}`);
const [first, second, third] = ['$.Items.results[0]', '$.Items.results[1]', '$.Items.results[2]'];

test('a total that cannot be read is reported beside lines and a currency that cannot', () => {
  const total = 'E_FIELD_FORMAT $.TotalValue';
  expect(places(cartOf([labour({ Value: 'x' })], { TotalValue: '1,00' }))).toEqual([
    `E_FIELD_FORMAT ${first}.Value`,
    total,
  ]);
  expect(places(cartOf([labour({ Value: '' })], { TotalValue: '' }))).toEqual([
    `E_FIELD_MISSING ${first}.Value`,
    'E_FIELD_MISSING $.TotalValue',
  ]);
  expect(places(cartOf([labour({ Currency: 'DEM' })], { Currency: 'DEM', TotalValue: '1e3' }))).toEqual([
    `E_MAP_CURRENCY ${first}.Currency`,
    total,
  ]);
});

test('account assignments are checked whether or not their shares can be read and add up', () => {
  const rows = [{ AccCat: 'SO' }, { CostCtr: '', AccNo: '2' }];
  const found = (...shares: readonly string[]): string[] =>
    places(cartOf([labour({ Accounting: accounting(...rows.map((row, i) => ({ ...row, DistrPerc: shares[i] }))) })]));
  const objects = [
    `E_MAP_ACCCAT ${first}.Accounting.results[0].AccCat`,
    `E_ACC_OBJECT_MISSING ${first}.Accounting.results[1].CostCtr`,
  ];
  expect(found('50', '50')).toEqual(objects);
  expect(found('50', '40')).toEqual([`E_ACC_SPLIT_NOT_100 ${first}.Accounting`, ...objects]);
  expect(found('x', '')).toEqual([
    `E_FIELD_FORMAT ${first}.Accounting.results[0].DistrPerc`,
    `E_ACC_SPLIT_NOT_100 ${first}.Accounting.results[1].DistrPerc`,
    ...objects,
  ]);
});

test('a tax that cannot be read does not stand for a date that is missing', () => {
  const undated = { StartDate: null, EndDate: null, DelivDate: null };
  const faults = [`E_FIELD_FORMAT ${first}.TaxValue`, `E_DATE_MISSING ${first}.DelivDate`];
  expect(places(cartOf([labour({ ...undated, TaxValue: 'x' })]))).toEqual(faults);
  const dated = { ...undated, DelivDate: date('2026-12-15'), TaxValue: 'x' };
  expect(places(cartOf([labour(dated)]))).toContain(`E_DATE_RANGE ${first}.StartDate`);
});

test('an address without a known country is an address: its other fields are checked, and no line lacks it', () => {
  const Partners = shipTo({ Country: 'BEL', Street: 'S'.repeat(61) });
  expect(places(cartOf([material()], { Partners }))).toEqual([
    'E_MAP_COUNTRY $.Partners.results[0].Country',
    'E_FIELD_LENGTH $.Partners.results[0].Street',
  ]);
  expect(places(cartOf([labour({ Partners }), material({ NumberInt: '2', Partners: list() })]))).toEqual([
    `E_MAP_COUNTRY ${first}.Partners.results[0].Country`,
    `E_FIELD_LENGTH ${first}.Partners.results[0].Street`,
  ]);
});

test('each line that lacks something is named, not only the first', () => {
  const noAddress = [1, 2].map((number) => material({ NumberInt: String(number), Partners: list() }));
  expect(places(cartOf([...noAddress, material({ NumberInt: '3', Partners: shipTo({}) })]))).toEqual([
    `E_ADDRESS_MISSING ${first}.Partners`,
    `E_ADDRESS_MISSING ${second}.Partners`,
  ]);
  const dated = { StartDate: null, EndDate: null, DelivDate: date('2026-12-15') };
  expect(places(cartOf([labour(dated), labour({ ...dated, NumberInt: '2' })]))).toEqual([
    `E_DATE_RANGE ${first}.StartDate`,
    `E_DATE_RANGE ${second}.StartDate`,
  ]);
});

describe('a row that breaks the contract is reported', () => {
  test('in its header and in its items at once', () => {
    const items = [labour({ Price: {} }), material({ DelInd: 7 }), labour({ Status: 'I1016', Unit: [] })];
    expect(places(cartOf(items, { Guid: 7, TotalValue: [] }))).toEqual([
      'E_SRC_SCHEMA $.TotalValue',
      'E_SRC_SCHEMA $.Guid',
      `E_SRC_SCHEMA ${second}.DelInd`,
      `E_SRC_SCHEMA ${first}.Price`,
    ]);
    expect(places(cartOf([], { Guid: 7, Items: 'x' }))).toEqual(['E_SRC_SCHEMA $.Guid', 'E_SRC_SCHEMA $.Items']);
  });

  test('together with what the rules find in the rest of it', () => {
    const items = [labour({ Price: {} }), labour({ NumberInt: '2', Unit: 'ZZZ' }), limit({ VendorId: '' })];
    const found = places(cartOf(items, { CoCode: 'ZZ99', TotalValue: '1.00' }));
    expect(found).toEqual([
      `E_SRC_SCHEMA ${first}.Price`,
      `E_MAP_UOM ${second}.Unit`,
      'E_MAP_COMPANY $.CoCode',
      'E_MAP_COMPANY $.CoCode',
      `E_SUPPLIER_MISSING ${third}.VendorId`,
    ]);
  });

  test('without what the line that cannot be read may have', () => {
    const dated = { StartDate: null, EndDate: null, DelivDate: date('2026-12-15'), ExtDemid: '' };
    const items = [
      labour({ Price: {} }),
      labour({ ...dated, NumberInt: '2' }),
      material({ NumberInt: '3', ExtDemid: '' }),
    ];
    expect(places(cartOf(items), { purchaseRequestMandatory: true })).toEqual([`E_SRC_SCHEMA ${first}.Price`]);
    expect(translate(cartOf(items)).kind).toBe('faulty');
  });
});

test('faults of the header are reported for each order of the cart', () => {
  const header = { CoCode: 'ZZ99', RequesterId: '', CreatedBy: '', RequesterEmail: '', ChangedAt: 'x', ObjectId: '' };
  const twoGroups = cartOf([labour(), labour({ VendorId: '0000100301' })], header);
  const codes = ['E_FIELD_MISSING', 'E_DATE_INVALID', 'E_MAP_COMPANY', 'E_REQUESTER_MISSING'];
  expect(faultsOf(translate(twoGroups)).map(({ code }) => code)).toEqual([...codes, ...codes]);
});
