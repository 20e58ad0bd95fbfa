/** What is recorded while a cart is translated: it changes nothing, and it says which fields of the cart were read. */
import { describe, expect, test } from '@jest/globals';
import { translateCart } from '../../../functions/create-purchase-orders/translation/translate-cart.ts';
import { type FieldPreview, previewCart } from '../../../infra/preview/preview-cart.ts';
import { createReadRecorder } from '../../../infra/preview/record-reads.ts';
import fc from '../../properties.ts';
import { countWork } from '../counted-work.ts';
import { generatedCart, goodCart, mutatedCart } from '../translation/arbitrary-carts.ts';
import {
  cartOf,
  cartWith,
  contractWire,
  groupsOf,
  itemWith,
  labour,
  material,
  type Row,
  sampleCart,
  type SettingsChange,
  settingsWith,
  shipTo,
  TODAY,
} from '../translation/sample-carts.ts';

const anyCart = fc.oneof({ weight: 3, arbitrary: mutatedCart }, goodCart, generatedCart);
const origin = { client: '100', settings: settingsWith(), wire: contractWire, today: TODAY };

const fieldsOf = (cart: Row): readonly FieldPreview[] =>
  previewCart(cart, origin).groups.flatMap(({ fields }) => fields);

/** `ApprovedAt`, `~Items[0].Unit` where it was read before the rule, `(...)` where the mapping row does not name it. */
function readsOf(cart: Row, field: string): string[] {
  const found = fieldsOf(cart).find((one) => one.field === field);
  return (found?.sources ?? []).map(({ path, isNamed, isReadBefore }) => {
    const short = `${isReadBefore ? '~' : ''}${path.replace('$.', '').replaceAll('.results', '')}`;
    return isNamed ? short : `(${short})`;
  });
}

describe('recording', () => {
  test('leaves every order, fault and warning as it is, byte for byte', () => {
    let orders = 0;
    fc.assert(
      fc.property(anyCart, (cart) => {
        const recorder = createReadRecorder();
        const recorded = translateCart(cart, { ...origin, recorder });
        const plain = translateCart(cart, origin);
        expect(JSON.stringify(recorded)).toBe(JSON.stringify(plain));
        const { length } = groupsOf(plain);
        expect(recorder.groups.slice(0, length)).toHaveLength(length);
        orders += length;
      }),
      { numRuns: 200 },
    );
    expect(orders).toBeGreaterThan(60);
  });

  test.each<[string, (size: number) => () => unknown]>([
    [
      'looking up one code for each',
      (size) => () => {
        const recorder = createReadRecorder();
        for (let line = 0; line < size; line++) {
          recorder.onLookUp?.({
            map: 'unit',
            code: 'HUR',
            value: 'HUR',
            isListed: true,
            field: `lines[${line}].unit`,
          });
        }
        return recorder.lookUps;
      },
    ],
    [
      'asking for each field what was read before it',
      (size) => {
        const recorder = createReadRecorder();
        translateCart(cartOf(Array.from({ length: size }, (_, line) => labour({ NumberInt: String(100 + line) }))), {
          ...origin,
          recorder,
        });
        const [group] = recorder.groups;
        return () => group?.fields.map((field) => group.readBefore(field, ['Unit']));
      },
    ],
  ])('of twice the lines is at most twice the work: %s', (_what, workOf) => {
    const [small, large] = [workOf(50), workOf(100)];
    expect(countWork(large)).toBeLessThan(2.1 * countWork(small));
  });

  test('finds a source that was read for each value that the mapping takes from the cart', () => {
    fc.assert(
      fc.property(anyCart, (cart) => {
        const unexplained = fieldsOf(cart)
          .filter(({ value, origin: from }) => value !== undefined && (from === 'source' || from === 'default'))
          .filter(({ sources }) => sources.length === 0);
        expect(unexplained.map(({ field }) => field)).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});

describe('what was read', () => {
  test.each<[string, Row, string, readonly string[]]>([
    ['the first of two that is there', sampleCart, 'requester.externalId', ['RequesterId']],
    [
      'the second, where the first is empty',
      cartWith({ RequesterId: '' }),
      'requester.externalId',
      ['RequesterId', 'CreatedBy'],
    ],
    ['an approval', sampleCart, 'sourceDocument.approvedAt', ['ApprovedAt']],
    [
      'the change in its place',
      cartWith({ ApprovedAt: null }),
      'sourceDocument.approvedAt',
      ['ApprovedAt', 'ChangedAt'],
    ],
    ['a default', cartWith({ Description: '' }), 'title', ['Description', '(ObjectId)']],
    [
      'the same field of all lines',
      sampleCart,
      'purchaseRequestId',
      ['Items[0].ExtDemid', 'Items[1].ExtDemid', 'Items[2].ExtDemid'],
    ],
    ['the vendor of a group', sampleCart, 'supplier.externalCode', ['Items[0].VendorId']],
    [
      'the parts of a prepared id',
      sampleCart,
      'externalId',
      ['~CoCode', '~ObjectId', '~Items[0].VendorId', '~Items[0].Currency'],
    ],
    [
      'the currency of the header, where a line has none',
      cartOf([labour({ Currency: '' })]),
      'externalId',
      ['~CoCode', '~Currency', '~ObjectId', '~Items[0].VendorId', '~Items[0].Currency'],
    ],
    ['a prepared unit', sampleCart, 'lines[0].unitOfMeasure', ['~Items[0].Unit']],
    [
      'the value of a line, beside what it is checked with',
      sampleCart,
      'lines[0].netAmount',
      ['(Items[0].Quantity)', '(Items[0].Price)', '(Items[0].PriceUnit)', '~Items[0].Value'],
    ],
    ['the expected value of a limit line', sampleCart, 'lines[2].netAmount', ['~Items[2].ExpValue']],
    [
      'the earliest start of all lines',
      sampleCart,
      'validity.startDate',
      ['~Items[0].StartDate', '~Items[1].StartDate', '~Items[2].StartDate'],
    ],
    ['the address that the lines share', sampleCart, 'deliveryAddress.city', ['~Items[0].Partners[0].City']],
    [
      'the address of the header',
      cartWith({ Partners: shipTo({ City: 'Ghent' }) }),
      'deliveryAddress.city',
      ['~Partners[0].City'],
    ],
    [
      'the address of a line',
      cartOf([labour({ Partners: shipTo({}) }), material({ Partners: shipTo({ City: 'Ghent' }) })]),
      'lines[1].deliverTo.city',
      ['~Items[1].Partners[0].City'],
    ],
    ['the second share of a line', sampleCart, 'lines[0].accounting[1].wbsElement', ['Items[0].Accounting[1].WbsElem']],
    [
      'a text of the line, by the language of the header',
      sampleCart,
      'lines[0].longText',
      ['Items[0].Texts[0].Tdid', 'Items[0].Texts[0].Text', '(DescrLanguage)', 'Items[0].Texts[0].Language'],
    ],
    ['nothing, for a constant', sampleCart, 'externalSystem', []],
    ['nothing, for a sum', sampleCart, 'totals.grossAmount', []],
  ])('is %s', (_, cart, field, expected) => {
    expect(readsOf(cart, field)).toEqual(expected);
  });

  test('is the description of an outline row, for the long text of its lines', () => {
    const cart = cartOf([{ Guid: 'A', OutlineInd: 'X', Description: 'Top' }, labour({ ParentGuid: 'A', Texts: null })]);
    expect(readsOf(cart, 'lines[0].longText')).toEqual(['(DescrLanguage)', '(Items[0].Description)']);
  });

  test('is the row in which an account assignment stands, also where they are not in order', () => {
    const swapped = itemWith(0, {
      Accounting: {
        results: [
          { AccNo: '0003', AccCat: 'CC', DistrPerc: '0.00', CostCtr: '1' },
          { AccNo: '0002', AccCat: 'CC', DistrPerc: '40.00', CostCtr: '2' },
          { AccNo: '0001', AccCat: 'CC', DistrPerc: '60.00', CostCtr: '3' },
        ],
      },
    });
    expect(readsOf(swapped, 'lines[0].accounting[0].costCentre')).toEqual(['Items[0].Accounting[2].CostCtr']);
    expect(readsOf(swapped, 'lines[0].accounting[0].percentage')).toEqual(['~Items[0].Accounting[2].DistrPerc']);
    expect(readsOf(swapped, 'lines[0].accounting[1].costCentre')).toEqual(['Items[0].Accounting[1].CostCtr']);
  });
});

describe('the codes that are looked up', () => {
  const lookUpsOf = (cart: Row, change?: SettingsChange) =>
    previewCart(cart, { ...origin, settings: settingsWith(change) }).lookUps.map(
      ({ map, code, value, isListed, fields }) =>
        `${map} ${code} ${isListed ? 'is' : 'passes as'} ${value ?? 'nothing'}: ${fields.join(' ')}`,
    );

  test('are each there once, with what they become and the fields that they are for', () => {
    expect(lookUpsOf(sampleCart)).toEqual([
      'status I1129 is approved: ',
      'status I1040 is deleted: ',
      'unit TAG is DAY: lines[0].unitOfMeasure',
      'country BE is BE: lines[0].deliverTo.country',
      'accountCategory CC is COST_CENTRE: lines[0].accounting[0].category lines[2].accounting[0].category',
      'accountCategory WBS is WBS: lines[0].accounting[1].category',
      'unit ST is EA: lines[1].unitOfMeasure',
      'accountCategory OR is INTERNAL_ORDER: lines[1].accounting[0].category',
      'currencyDecimals EUR is 2: currency',
      // The organization goes before the company.
      'businessUnit BE10/50000123 passes as nothing: businessUnit.code',
      'businessUnit BE10 is BU-BE-BRU: businessUnit.code',
      'supplier 100234 is SUP-00871: supplier.code',
      'category SERV-IT-01 passes as SERV-IT-01: lines[0].category.code',
      'tax V0 passes as V0: lines[0].tax.code lines[1].tax.code lines[2].tax.code',
      'category MAT-PPE-03 passes as MAT-PPE-03: lines[1].category.code',
      'category SERV-TRV-01 passes as SERV-TRV-01: lines[2].category.code',
      'textType NOTE is HEADER: notes notes[0].type',
    ]);
  });

  test('say which one is missing: of a line, of a text that is left out, and of a cart that is refused for it', () => {
    const unit = itemWith(0, { Unit: 'XXX', TaxCode: 'V7' });
    const mapped = { valueMaps: { tax: { mode: 'mapped' as const, codes: { V1: '21' } } } };
    expect(lookUpsOf(unit, mapped)).toEqual(
      expect.arrayContaining([
        'unit XXX passes as nothing: lines[0].unitOfMeasure',
        'tax V7 passes as nothing: lines[0].tax.code',
      ]),
    );
    expect(lookUpsOf(cartWith({ Texts: { results: [{ Tdid: 'ZZZZ', Text: 'x' }] } }))).toContain(
      'textType ZZZZ passes as nothing: notes',
    );
    expect(lookUpsOf(cartWith({ Status: 'I9999' }))).toEqual(['status I9999 passes as nothing: ']);
  });
});
