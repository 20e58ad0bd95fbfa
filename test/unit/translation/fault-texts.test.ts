/** What a fault tells the person who must mend it: the form wanted, the setting, the line, and the value as it came. */
import { describe, expect, test } from '@jest/globals';
import { type Fault, faultPlace, type Warning } from '../../../shared/failure.ts';
import { FAULT_CATALOGUE, faultToText } from '../../../shared/fault-catalogue.ts';
import fc from '../../properties.ts';
import { mutatedCart } from './arbitrary-carts.ts';
import {
  accounting,
  cartOf,
  cartWith,
  date,
  faultsOf,
  itemWith,
  labour,
  limit,
  list,
  material,
  type Row,
  settingsWith,
  type SettingsChange,
  shares,
  shipTo,
  translate,
  valueAt,
  warningsOf,
} from './sample-carts.ts';

const found = (source: unknown, change?: SettingsChange): (Fault | Warning)[] => {
  const translation = translate(source, change);
  return [...faultsOf(translation), ...warningsOf(translation)];
};

function only(source: unknown, change?: SettingsChange): Fault | Warning {
  const [first, ...others] = found(source, change);
  if (first === undefined || others.length > 0) throw new Error(JSON.stringify([first, ...others]));
  return first;
}

/** The fault or warning at a path that ends so. */
function foundAt(end: string, source: unknown, change?: SettingsChange): Fault | Warning {
  const fault = found(source, change).find(({ path }) => path?.endsWith(end) === true);
  if (fault === undefined) throw new Error(`nothing at ${end}: ${JSON.stringify(found(source, change))}`);
  return fault;
}

const guidForms = [
  '005056a5-09b3-1ee1-bee5-8ce5a1c90db0',
  '005056a509b31ee1bee58ce5a1c90db0',
  'AFBWpQmzHuG+5YzlockNsA==',
];
const dateForms = ['/Date(1794960000000)/', '/Date(1795185125000+0000)/'];
const attachment = (fields: Row): Row => ({
  Attachments: list({ Guid: guidForms[0], FileName: 'a.pdf', MimeType: 'application/pdf', SizeBytes: '1', ...fields }),
});

describe('a text that says what a value is not', () => {
  // The last element is what the text must show; each of them is accepted in place of the wrong one.
  test.each<[what: string, name: string, cartWithText: (text: unknown) => Row, wrong: unknown, forms: string[]]>([
    ['a date', 'DelivDate', (DelivDate) => itemWith(1, { DelivDate }), '15.12.2026', dateForms],
    ['a time', 'ApprovedAt', (ApprovedAt) => cartWith({ ApprovedAt }), 'yesterday', dateForms],
    ['a decimal', 'Quantity', (Quantity) => itemWith(0, { Quantity }), '60,000', ['39000.00']],
    ['a price unit', 'PriceUnit', (PriceUnit) => itemWith(0, { PriceUnit }), '1.5', ['100']],
    ['a share', 'DistrPerc', (DistrPerc) => itemWith(0, { Accounting: accounting({ DistrPerc }) }), '-1', ['33.33']],
    ['a line number', 'NumberInt', (NumberInt) => itemWith(0, { NumberInt }), 'ten', ['0000000010']],
    ['a GUID of a line', 'Guid', (Guid) => itemWith(0, { Guid }), '4711', guidForms],
    ['a GUID of a cart', 'Guid', (Guid) => cartWith({ Guid }), '4711', guidForms],
    ['a GUID at all', 'Guid', (Guid) => cartWith({ Guid }), true, guidForms],
    ['a cart number', 'ObjectId', (ObjectId) => cartWith({ ObjectId }), '1000 4711', ['1000004711']],
    ['a product type', 'ProductType', (ProductType) => itemWith(1, { ProductType }), '03', ['01', '02']],
    ['a flag', 'DelInd', (DelInd) => cartWith({ DelInd }), 'Y', ['X']],
    [
      'a list',
      'Texts',
      (Texts) => cartWith({ Texts: typeof Texts === 'string' ? JSON.parse(Texts) : Texts }),
      5,
      ['{"results":[]}'],
    ],
    ['a text', 'Unit', (Unit) => itemWith(0, { Unit }), {}, ['10']],
    ['a status', 'Status', (Status) => cartWith({ Status }), '', ['I1129']],
    [
      'an e-mail address',
      'RequesterEmail',
      (RequesterEmail) => cartWith({ RequesterEmail }),
      'x',
      ['name@example.com'],
    ],
    ['a size', 'SizeBytes', (SizeBytes) => cartWith(attachment({ SizeBytes })), '1 kB', ['20480']],
    ['a MIME type', 'MimeType', (MimeType) => cartWith(attachment({ MimeType })), 'x'.repeat(129), ['application/pdf']],
  ])('%s shows what it looks like, and that is taken', (_what, name, cartWithText, wrong, forms) => {
    const { code, message } = foundAt(`.${name}`, cartWithText(wrong));
    for (const form of forms) {
      expect(message).toContain(form);
      const again = found(cartWithText(form)).filter((fault) => fault.code === code && fault.message === message);
      expect(again).toEqual([]);
    }
  });

  test('an item that is no object says so in words', () => {
    expect(foundAt('results[0]', cartWith({ Items: list(5) })).message).toBe(
      'the source row breaks the contract: must be an object, such as { "Guid": "..." }',
    );
    expect(only(null).message).toBe('the source row breaks the contract: must be an object, such as { "Guid": "..." }');
  });

  test('a value that 11VMS cannot take is told in words, not by a pattern', () => {
    expect(foundAt('Quantity', itemWith(0, { Quantity: '60.00001' })).message).toBe(
      'not a decimal of at most 13 digits before the point and 4 after it, such as 39000.00',
    );
    const hundred = labour({ Accounting: shares(...Array.from({ length: 100 }, () => '1.00')) });
    expect(foundAt('results[0]', cartOf([hundred])).message).toBe('more than 99 account assignments');
  });

  test('none speaks as zod or as a regular expression, whatever the cart', () => {
    fc.assert(
      fc.property(mutatedCart, (cart) => {
        // Without what is quoted, which may be anything.
        const texts = found(cart).map(({ message }) => message.replaceAll(/"(?:\\.|[^"\\])*"/g, ''));
        expect(
          texts.filter((text) => /Invalid|expected [a-z]+,|received|pattern|[\^$]|undefined|NaN/.test(text)),
        ).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

const mapped = { mode: 'mapped', codes: { X: 'X' } } as const;

describe('a code without an entry', () => {
  test.each<[code: keyof typeof FAULT_CATALOGUE, setting: string, key: string, cart: Row, change?: SettingsChange]>([
    ['E_MAP_SUPPLIER', 'supplier.codes', '100234', cartOf([labour()]), { valueMaps: { supplier: mapped } }],
    ['E_MAP_COMPANY', 'businessUnit', 'ZZ99', cartOf([labour()], { CoCode: ' ZZ99' })],
    ['E_MAP_UOM', 'unit', 'ZZZ', cartOf([labour({ Unit: 'ZZZ ' })])],
    [
      'E_MAP_CATEGORY',
      'category.codes',
      'MAT',
      cartOf([labour({ CategoryId: 'MAT' })]),
      { valueMaps: { category: mapped } },
    ],
    ['E_MAP_TAX', 'tax.codes', 'V9', cartOf([labour({ TaxCode: 'V9' })]), { valueMaps: { tax: mapped } }],
    ['E_MAP_CURRENCY', 'currencyDecimals', 'DEM', cartOf([labour({ Currency: 'dem' })], { Currency: 'dem' })],
    ['E_MAP_ACCCAT', 'accountCategory', 'SO', cartOf([labour({ Accounting: accounting({ AccCat: 'SO' }) })])],
    ['E_MAP_COUNTRY', 'country', 'XX', cartOf([labour()], { Partners: shipTo({ Country: 'xx' }) })],
    ['E_MAP_STATUS', 'status', 'Z1', cartOf([labour()], { Status: 'Z1' })],
  ])('%s names the setting, the entry to add, and the file', (code, setting, key, cart, ...[change]) => {
    const fault = found(cart, change).find((other) => other.code === code);
    expect(fault?.message).toBe(`the value map translation.valueMaps.${setting} has no entry "${key}"`);
    const { action } = FAULT_CATALOGUE[code];
    expect(action).toContain(
      `translation.valueMaps.${setting} in infra/environments.ts, or in the environment's own file`,
    );
    expect(action).toMatch(/, deploy, then redrive\.$/);
  });

  test('that is no code is not quoted in the message, which the log shows', () => {
    const fault = found(cartOf([labour()], { Status: 'Jan Jansen' })).find(({ code }) => code === 'E_MAP_STATUS');
    expect(fault?.message).toBe('the value map translation.valueMaps.status has no entry for this value');
  });

  test('that is a line status is told the same way, as a warning', () => {
    expect(only(itemWith(1, { Status: 'Z9' })).message).toBe(
      'the value map translation.valueMaps.status has no entry "Z9"; the line of an approved cart is ordered',
    );
  });
});

test('a text that a setting decides names the setting, and every setting that is named exists', () => {
  const reported: [setting: string, Fault | Warning][] = [
    ['allowZeroPrice', foundAt('Price', itemWith(0, { Price: '0', Value: '0' }))],
    ['allowUnlimited', foundAt('Unlimited', itemWith(2, { Unlimited: 'X' }))],
    [
      'purchaseRequestMandatory',
      foundAt('ExtDemid', cartOf([labour({ ExtDemid: '' })]), { purchaseRequestMandatory: true }),
    ],
    [
      'glAccountMandatory',
      foundAt('GLAcct', itemWith(0, { Accounting: accounting({ GLAcct: '' }) }), { glAccountMandatory: true }),
    ],
    ['maximumLines', foundAt('Items', cartWith({}), { maximumLines: 1 })],
    ['maximumBodyBytes', foundAt('Items', cartWith({}), { maximumBodyBytes: 1024 })],
    ['maximumAttachments', foundAt('results[0]', cartWith(attachment({})), { maximumAttachments: 0 })],
  ];
  for (const [setting, { message }] of reported) expect(message).toContain(`translation.${setting}`);

  const texts = [
    ...reported.map(([, { message }]) => message),
    ...Object.values(FAULT_CATALOGUE).flatMap(({ meaning, action }) => [meaning, action]),
  ];
  const settings = texts.flatMap((text) => text.match(/\btranslation(?:\.\w+)+/g) ?? []);
  expect(settings.length).toBeGreaterThan(15);
  const known = { translation: settingsWith({ purchaseRequestMandatory: true }) };
  expect(settings.filter((name) => valueAt(known, name) === undefined)).toEqual([]);
  expect(texts.filter((text) => /value map(?! translation\.)/.test(text) && /add|correct/i.test(text))).toEqual([]);
});

describe('the quoted value', () => {
  test.each<
    [what: string, raw: unknown, quoted: string, cart: (raw: unknown) => Row, end: string, change?: SettingsChange]
  >([
    ['keeps its blanks', ' ZZZ ', ' ZZZ ', (Unit) => itemWith(0, { Unit }), 'Unit'],
    ['keeps its letters', 'dem', 'dem', (Currency) => cartOf([labour({ Currency })], { Currency }), 'Currency'],
    [
      'keeps its leading zeros',
      '0000100234',
      '0000100234',
      (VendorId) => cartOf([labour({ VendorId })]),
      'VendorId',
      { valueMaps: { supplier: mapped } },
    ],
    ['keeps its trailing zeros', '-1.000', '-1.000', (Quantity) => itemWith(0, { Quantity }), 'Quantity'],
    [
      'says what it is and how long, where it has not the form of a code',
      '{4711-AB}',
      '[text without blanks, 9 characters]',
      (Guid) => itemWith(0, { Guid }),
      'Guid',
    ],
    ['keeps the digits of a number', 1e21, '1e+21', (Price) => itemWith(0, { Price }), 'Price'],
    [
      'keeps an initial value, which counts as empty',
      '0000000000',
      '0000000000',
      (VendorId) => cartOf([labour({ VendorId })]),
      'VendorId',
    ],
    ['says so of a text', 'Jan Peeters', '[text with blanks, 11 characters]', (Unit) => itemWith(0, { Unit }), 'Unit'],
    [
      'keeps a date as SRM writes it',
      date('2020-01-01'),
      date('2020-01-01'),
      (DelivDate) => itemWith(1, { DelivDate }),
      'DelivDate',
    ],
    [
      'is printable',
      'Z\u0000\u001b[2J\u2028\u202e\ud800Z',
      '[text with blanks, 10 characters]',
      (Unit) => itemWith(0, { Unit }),
      'Unit',
    ],
    [
      'says so of a code that is longer than any',
      '1'.repeat(50),
      '[text without blanks, 50 characters]',
      (Unit) => itemWith(0, { Unit }),
      'Unit',
    ],
    ['is one of a bare list', 'x', 'x', (Unit) => cartWith({ Items: [labour({ Unit })] }), 'Unit'],
  ])('%s', (_what, raw, quoted, cart, end, ...[change]) => {
    expect(foundAt(end, cart(raw), change).value).toBe(quoted);
  });

  test('is told beside what the interface made of it', () => {
    expect(foundAt('DelivDate', itemWith(1, { DelivDate: date('2020-01-01') })).message).toBe(
      'the date 2020-01-01 lies in the past',
    );
    const period = { StartDate: date('2027-01-04'), EndDate: date('2027-01-03') };
    expect(foundAt('EndDate', itemWith(0, period)).message).toBe(
      'the period ends on 2027-01-03, before it starts on 2027-01-04',
    );
    expect(foundAt('Accounting', cartOf([labour({ Accounting: shares('50', '40') })])).message).toBe(
      'the shares add up to 90 %, not to 100 %',
    );
  });

  test('is none where the field holds what people type, or nothing', () => {
    const long = 'x'.repeat(500);
    const typed = labour({ ExtDemid: long, ExtDemPosid: long, PartnerProd: long, ManuProd: long, IncotermKey: long });
    const faults = found(cartOf([typed], { RequesterId: long, ApprovedBy: long }));
    expect(faults.map(({ path }) => path?.split('.').at(-1))).toEqual(
      expect.arrayContaining([
        'ExtDemid',
        'ExtDemPosid',
        'PartnerProd',
        'ManuProd',
        'IncotermKey',
        'RequesterId',
        'ApprovedBy',
      ]),
    );
    expect(faults.filter((fault) => 'value' in fault)).toEqual([]);
    expect(foundAt('Unit', itemWith(0, { Unit: '' }))).not.toHaveProperty('value');
    expect(foundAt('Unit', itemWith(0, { Unit: { personal: 'text' } }))).not.toHaveProperty('value');
  });
});

describe('the place of a fault', () => {
  test('names the line as a buyer sees it, at any depth', () => {
    const cart = cartOf([
      labour({ Unit: 'ZZZ', NumberInt: '0000000010' }),
      material({ NumberInt: 20, Accounting: accounting({ AccCat: 'SO' }) }),
      limit({ NumberInt: '30', Limit: {} }),
    ]);
    expect(found(cart).map(({ line, path }) => `${line} ${path}`)).toEqual([
      '30 $.Items.results[2].Limit',
      '10 $.Items.results[0].Unit',
      '20 $.Items.results[1].Accounting.results[0].AccCat',
    ]);
    expect(foundAt('Status', itemWith(0, { Status: 'Z9', NumberInt: '0000000010' })).line).toBe('10');
  });

  test('names no line for a fault of the header, or where the line has no readable number', () => {
    expect(foundAt('$.CoCode', cartWith({ CoCode: 'ZZ99' }))).not.toHaveProperty('line');
    for (const NumberInt of ['', 'ten', '0000000000', '1'.repeat(11), null]) {
      expect(foundAt('Unit', itemWith(0, { Unit: 'ZZZ', NumberInt }))).not.toHaveProperty('line');
    }
    expect(foundAt('NumberInt', itemWith(0, { NumberInt: {} }))).not.toHaveProperty('line');
  });

  test('reads as one line: the line, the path, the field and the value', () => {
    const [fault] = faultsOf(translate(cartOf([labour({ Unit: ' ZZZ', NumberInt: '0000000010' })])));
    expect(fault === undefined ? undefined : faultToText(fault)).toBe(
      'E_MAP_UOM: the value map translation.valueMaps.unit has no entry "ZZZ" ' +
        '(line 10, $.Items.results[0].Unit, for lines[0].unitOfMeasure, value " ZZZ"). ' +
        "Add the unit to translation.valueMaps.unit in infra/environments.ts, or in the environment's own file, deploy, then redrive.",
    );
  });

  test('is whole: no part is empty, and no text ends in a colon', () => {
    fc.assert(
      fc.property(fc.oneof(mutatedCart, fc.jsonValue()), (cart) => {
        for (const fault of found(cart)) {
          expect(fault.message).toMatch(/[^\s:.]$/);
          expect(fault.path).toMatch(/^\$(?:\.\w+(?:\[\d+\])?)*$/);
          expect(fault.line ?? '1').toMatch(/^[1-9]\d{0,9}$/);
          expect(faultPlace(fault)).not.toMatch(/: ?[,)]|\(,|, ,/);
        }
      }),
      { numRuns: 200 },
    );
  });
});
