/** Properties of the translation that hold for any cart. */
import { describe, expect, test } from '@jest/globals';
import { orderRules } from '../../../functions/create-purchase-orders/translation/order-rules.ts';
import {
  type PurchaseOrder,
  purchaseOrderSchema,
} from '../../../functions/create-purchase-orders/translation/purchase-order.ts';
import { rowsOf, spreadsheetOf } from '../../../functions/create-purchase-orders/translation/rule-table.ts';
import type { CartTranslation } from '../../../functions/create-purchase-orders/translation/translate-cart.ts';
import { type FaultCode, WARNING_CATALOGUE } from '../../../shared/failure.ts';
import { FAULT_CATALOGUE, faultToText } from '../../../shared/fault-catalogue.ts';
import fc from '../../properties.ts';
import { decimalToUnits } from '../../simulators/exact-decimals.ts';
import { judgeOrder } from '../../simulators/vms-order-rules.ts';
import { purchaseOrderSchema as strictSchema } from '../../simulators/vms-order-schema.ts';
import { generatedCart, goodCart, mutatedCart } from './arbitrary-carts.ts';
import { faultsOf, groupsOf, ordersOf, type Row, translate, warningsOf } from './sample-carts.ts';

const anyCart = fc.oneof({ weight: 3, arbitrary: mutatedCart }, goodCart, generatedCart);
const KINDS = ['orders', 'skip', 'faulty'];

/** Amounts in ten-thousandths, the finest that the contract's decimals can say. */
const units = (decimal: string): bigint => decimalToUnits(decimal, 4);
const total = (decimals: readonly string[]): bigint => decimals.reduce((sum, decimal) => sum + units(decimal), 0n);

/** The mistakes in an order by the schemas of both sides, by the rules of 11VMS, and by its sums. */
function complaints(order: PurchaseOrder): string[] {
  const sent: unknown = JSON.parse(JSON.stringify(order));
  const rules = { isActiveSupplier: () => true, purchaseRequestRequired: false };
  const judged = judgeOrder(sent, rules);
  const sums = order.lines.flatMap(({ accounting, netAmount }, index) => [
    ...(total(accounting.map(({ amount }) => amount)) === units(netAmount) ? [] : [`line ${index}: amounts`]),
    ...(total(accounting.map(({ percentage }) => percentage)) === units('100.00')
      ? []
      : [`line ${index}: percentages`]),
  ]);
  const { netAmount, taxAmount, grossAmount } = order.totals;
  return [
    ...(purchaseOrderSchema.safeParse(sent).error?.issues ?? []).map(({ message }) => `ours: ${message}`),
    ...(strictSchema.safeParse(sent).error?.issues ?? []).map(({ message }) => `theirs: ${message}`),
    ...('errors' in judged ? judged.errors : []).map(({ code, pointer }) => `${code} ${pointer}`),
    ...sums,
    ...(total(order.lines.map((line) => line.netAmount)) === units(netAmount) ? [] : ['net total']),
    ...(total([netAmount, taxAmount]) === units(grossAmount) ? [] : ['gross total']),
  ];
}

function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsOf) : [];
}

// oxlint-disable-next-line no-control-regex -- they are what must not be there
const CONTROL = /[\u0000-\u0008\u000b-\u001f]/;
const isFit = (text: string): boolean => text.isWellFormed() && !CONTROL.test(text) && text === text.normalize('NFC');

const faultsAndWarningsOf = (translation: CartTranslation) => [...faultsOf(translation), ...warningsOf(translation)];

describe('any cart', () => {
  test('gives orders, a skip or faults for any JSON, and never throws', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (source) => {
        expect(KINDS).toContain(translate(source).kind);
      }),
    );
  });

  test('gives orders that both schemas accept and whose sums agree; each fault has a place and a remedy; all text is clean', () => {
    let orders = 0;
    let faulty = 0;
    fc.assert(
      fc.property(anyCart, (cart) => {
        const translation = translate(cart);
        expect(KINDS).toContain(translation.kind);
        orders += ordersOf(translation).length;
        faulty += Math.min(1, faultsOf(translation).length);
        expect(ordersOf(translation).flatMap(complaints)).toEqual([]);
        expect(
          stringsOf([ordersOf(translation), faultsAndWarningsOf(translation)]).filter((text) => !isFit(text)),
        ).toEqual([]);
        expect(groupsOf(translation).filter((group) => group.kind === 'faulty' && group.faults.length === 0)).toEqual(
          [],
        );
        expect(faultsOf(translation).filter(({ code }) => !Object.hasOwn(FAULT_CATALOGUE, code))).toEqual([]);
        expect(warningsOf(translation).filter(({ code }) => !Object.hasOwn(WARNING_CATALOGUE, code))).toEqual([]);
        expect(faultsAndWarningsOf(translation).filter(({ path }) => path?.startsWith('$') !== true)).toEqual([]);
      }),
      { numRuns: 300 },
    );
    // The arbitraries cover enough.
    expect(orders).toBeGreaterThan(60);
    expect(faulty).toBeGreaterThan(60);
  });

  test('gives byte-equal orders each time, in whatever order its properties come', () => {
    fc.assert(
      fc.property(anyCart, (cart) => {
        const first = JSON.stringify(translate(cart));
        expect(JSON.stringify(translate(structuredClone(cart)))).toBe(first);
        expect(JSON.stringify(ordersOf(translate(backwards(cart))))).toBe(JSON.stringify(ordersOf(translate(cart))));
      }),
      { numRuns: 50 },
    );
  });

  test('is not changed by being read', () => {
    fc.assert(
      fc.property(anyCart, (cart) => {
        const before = structuredClone(cart);
        translate(deepFrozen(cart));
        expect(cart).toEqual(before);
      }),
      { numRuns: 50 },
    );
  });

  test('reports only the codes that its rules announce in the mapping', () => {
    fc.assert(
      fc.property(mutatedCart, (cart) => {
        const strangers = faultsOf(translate(cart))
          .filter(
            ({ code, field }) =>
              field !== undefined && !GENERAL.includes(code) && !announced(plainField(field)).includes(code),
          )
          .map(({ code, field }) => `${code} for ${field}`);
        expect(strangers).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});

test('a good cart gives one order for each supplier, with no fault', () => {
  fc.assert(
    fc.property(goodCart, (cart) => {
      const translation = translate(cart);
      expect(faultsOf(translation)).toEqual([]);
      expect(ordersOf(translation)).toHaveLength(
        new Set(entriesOf(cart, 'Items').map(({ VendorId }) => VendorId)).size,
      );
    }),
    { numRuns: 100 },
  );
});

test('an order is the same whether its neighbours are there, faulty or deleted', () => {
  fc.assert(
    fc.property(
      goodCart,
      fc.constantFrom<Row>({ DelInd: 'X' }, { Unit: 'ZZZ', ProductType: '', CategoryId: '' }),
      (cart, change) => {
        const [supplier] = entriesOf(cart, 'Items').map(({ VendorId }) => VendorId);
        const items = entriesOf(cart, 'Items').map((item) =>
          item['VendorId'] === supplier ? item : { ...item, ...change },
        );
        const [alone] = ordersOf(translate({ ...cart, Items: { results: items } }));
        expect(JSON.stringify(alone)).toBe(JSON.stringify(ordersOf(translate(cart))[0]));
      },
    ),
    { numRuns: 50 },
  );
});

describe('privacy', () => {
  const SECRET = 'qzperson';
  /** All personal data: too long, malformed or valid. */
  const personal = fc.constantFrom(
    SECRET,
    SECRET.toUpperCase(),
    `${SECRET}@example.test`,
    `<${SECRET}>`,
    SECRET.repeat(60),
    `${SECRET} \ud800`,
  );
  const people = fc.record({
    RequesterId: personal,
    RequesterName: personal,
    RequesterEmail: personal,
    CreatedBy: personal,
    ApprovedBy: personal,
    ApproverEmail: personal,
  });
  const address = fc.record({
    PartnerFct: fc.constantFrom('00000027', '00000016'),
    Name: personal,
    Email: personal,
    Tel: personal,
    Street: personal,
    HouseNo: personal,
    PostlCod1: personal,
    City: personal,
    Region: personal,
    Country: fc.constantFrom('BE', 'XX', ''),
  });

  test('no fault or warning quotes a requester, an approver or an address (edge case 86)', () => {
    fc.assert(
      fc.property(mutatedCart, people, address, address, (cart, names, home, elsewhere) => {
        const row = {
          ...cart,
          ...names,
          Partners: { results: [home] },
          Items: { results: entriesOf(cart, 'Items').map((item) => ({ ...item, Partners: { results: [elsewhere] } })) },
        };
        const translation = translate(row);
        const texts = [
          ...faultsOf(translation).map(faultToText),
          ...faultsAndWarningsOf(translation).map((fault) => JSON.stringify(fault)),
        ];
        const reason = translation.kind === 'skip' ? translation.reason : '';
        expect([...texts, reason].filter((text) => text.toLowerCase().includes(SECRET))).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});

/** The same row with the properties of every entity in reverse. */
function backwards(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(backwards);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, part]) => [key, backwards(part)])
      .toReversed(),
  );
}

function deepFrozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) deepFrozen(part);
  return Object.freeze(value);
}

function entriesOf(row: Row, name: string): Row[] {
  const collection = row[name];
  const rows: unknown =
    typeof collection === 'object' && collection !== null && 'results' in collection ? collection.results : collection;
  return Array.isArray(rows) ? rows.filter((entry): entry is Row => typeof entry === 'object' && entry !== null) : [];
}

/** Of the target's schema as a whole, which holds for every field. */
const GENERAL: readonly FaultCode[] = ['E_FIELD_LENGTH', 'E_FIELD_FORMAT', 'E_TGT_TOO_LARGE'];

/** `lines[0].tax.code` as the mapping writes it: `lines.tax.code`. */
const plainField = (field: string): string => field.replace(/\[\d+\]/g, '');

/** The codes that the rule of a field can report; of an object or list, those of all its fields. */
const announced = (field: string): readonly FaultCode[] =>
  rowsOf(spreadsheetOf(orderRules))
    .filter(([name]) => name === field || name.startsWith(`${field}.`))
    .flatMap(([, { codes }]) => codes);

test('every code that the mapping announces is in the catalogue', () => {
  const codes = rowsOf(spreadsheetOf(orderRules)).flatMap(([, row]) => row.codes);
  expect(codes.filter((code) => !Object.hasOwn(FAULT_CATALOGUE, code))).toEqual([]);
});
