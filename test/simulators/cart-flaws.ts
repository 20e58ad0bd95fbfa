import {
  type AccountingDraft,
  type CartDraft,
  dayMs,
  type LineDraft,
  type LineKind,
  lineValueMinor,
  moneyText,
  shareOrder,
  type SrmRow,
  totalMinor,
} from './cart-draft.ts';
import { inactiveVendor, type Vendor } from './cart-vocabulary.ts';
import { minorDigits, unitsToDecimal } from './exact-decimals.ts';
import { chance, pick, type Random } from './seeded-random.ts';

/** A change to a cart that leads to one fault of the catalogue. */
export interface CartFlaw {
  readonly name: string;
  readonly code: string;
  /** The kind of the first line, which gets the flaw. */
  readonly firstLine: LineKind;
  /** True when the cart becomes no order at all. False when only the group of the first line becomes none. */
  readonly wholeCart: boolean;
  readonly spoil: (cart: CartDraft, line: LineDraft, random: Random) => void;
  /** True for a large cart, which has its turn in the first round and then seldom. */
  readonly rare?: boolean;
}

type Spoil = CartFlaw['spoil'];

/** No other line has this supplier, so the first line is in an order of its own. */
const loner: Vendor = { id: '0000100399', name: 'Einzelstück & Cie' };

/** Replaces fields in the row of the line. */
const lineFields =
  (...choices: readonly SrmRow[]): Spoil =>
  (_cart, line, random) => {
    const fields = pick(random, choices);
    line.edits.push(() => fields);
  };

/** Replaces fields in the row of the cart. */
const cartFields =
  (...choices: readonly SrmRow[]): Spoil =>
  (cart, _line, random) => {
    const fields = pick(random, choices);
    cart.edits.push(() => fields);
  };

/** Replaces the account assignment of the line. */
const accounting =
  (...choices: readonly (readonly AccountingDraft[])[]): Spoil =>
  (_cart, line, random) => {
    line.accounting = pick(random, choices);
  };

function costCentre(object: string, percentHundredths: bigint, fields: SrmRow = {}): AccountingDraft {
  const rest = { part: '', glAccount: '0000615200', profitCentre: '', deleted: false };
  return { category: 'CC', object, percentHundredths, ...rest, fields };
}

const split = (...percents: readonly bigint[]): readonly AccountingDraft[] =>
  percents.map((percent, index) => costCentre(`000010123${index}`, percent));

const onLine = (name: string, code: string, firstLine: LineKind, spoil: Spoil): CartFlaw => ({
  name,
  code,
  firstLine,
  wholeCart: false,
  spoil,
});

const onCart = (name: string, code: string, spoil: Spoil, firstLine: LineKind = 'MATERIAL'): CartFlaw => ({
  name,
  code,
  firstLine,
  wholeCart: true,
  spoil,
});

/** The first flaws in turn: a run of a few hundred carts shows one of each common kind. */
const familiarFlaws: readonly CartFlaw[] = [
  // Mapping row 14.
  onCart('company not in the map', 'E_MAP_COMPANY', (cart) => {
    cart.companyCode = 'ZZ99';
  }),
  // Edge cases 25 and 26: a preferred vendor is not a supplier.
  onLine('no supplier', 'E_SUPPLIER_MISSING', 'MATERIAL', (_cart, line, random) => {
    line.preferredVendor = chance(random, 0.5) ? line.vendor : null;
    line.vendor = null;
    // Zeros alone are ABAP's initial value.
    if (chance(random, 0.5)) line.edits.push(() => ({ VendorId: '0000000000' }));
  }),
  // Edge case 31.
  onLine('split of 90 %', 'E_ACC_SPLIT_NOT_100', 'LABOUR', accounting(split(6000n, 3000n))),
  // Edge case 49.
  onLine('unit unknown', 'E_MAP_UOM', 'MATERIAL', (_cart, line) => {
    line.unit = 'ZZZ';
  }),
  // Edge case 34.
  onLine('cost centre empty', 'E_ACC_OBJECT_MISSING', 'MATERIAL', accounting([costCentre('', 10_000n)])),
  // Edge cases 48 and 66: only 11VMS knows that the supplier is closed.
  onLine('supplier inactive in 11VMS', 'E_TGT_VALIDATION', 'LABOUR', (_cart, line) => {
    line.vendor = inactiveVendor;
  }),
  // Edge case 83.
  onCart('items are no list', 'E_SRC_SCHEMA', (cart, _line, random) => {
    cart.brokenItems = pick<unknown>(random, [{ results: 'none' }, { results: { Guid: '' } }, 'X', 7]);
  }),
  // Edge case 55.
  onLine('end before start', 'E_DATE_RANGE', 'LABOUR', (_cart, line) => {
    line.endMs = (line.startMs ?? 0) - dayMs;
  }),
  // Edge case 41. All amounts are zero and agree, so that only the quantity is wrong.
  onLine('quantity zero', 'E_QTY_INVALID', 'MATERIAL', (_cart, line) => {
    line.quantityThousandths = 0n;
    line.valueMinor = 0n;
    line.taxMinor = 0n;
  }),
];

const structureFlaws: readonly CartFlaw[] = [
  // Edge case 83.
  onCart(
    'header field is an object',
    'E_SRC_SCHEMA',
    cartFields({ Description: { value: 'A title' } }, { CoCode: [] }),
  ),
  onCart('item is no object', 'E_SRC_SCHEMA', (cart) => {
    cart.brokenItems = { results: ['0000000001'] };
  }),
  onCart(
    'item field is an object',
    'E_SRC_SCHEMA',
    lineFields({ Quantity: { value: '1.000' } }, { Accounting: 7 }, { Texts: 'none' }),
  ),
  onCart('partners are no list', 'E_SRC_SCHEMA', cartFields({ Partners: 'none' }, { Attachments: { results: 3 } })),
  // Edge case 84: a second reading finds the same.
  onCart('items deferred for good', 'E_SRC_SCHEMA', (cart) => {
    cart.brokenItems = { __deferred: { uri: 'https://srm.example.test/sap/opu/odata/Items' } };
  }),
];

const fieldFlaws: readonly CartFlaw[] = [
  // Mapping row 15.
  onCart('company code empty', 'E_FIELD_MISSING', (cart) => {
    cart.companyCode = '';
  }),
  // Edge case 46; rules.md, "Texts".
  onLine(
    'description empty or blank',
    'E_FIELD_MISSING',
    'MATERIAL',
    lineFields({ Description: '' }, { Description: ' \t' }, { Description: '\u00a0' }),
  ),
  // Mapping row 47.
  onLine('value empty', 'E_FIELD_MISSING', 'MATERIAL', lineFields({ Value: '' }, { Value: null })),
  // Edge case 42.
  onLine(
    'comma, exponent or 14 digits',
    'E_FIELD_FORMAT',
    'MATERIAL',
    lineFields(
      { Quantity: '12,500' },
      { Price: '1.25E+3' },
      { Value: '12345678901234.000' },
      { Value: '1.000,00' },
      { PriceUnit: '1,000' },
    ),
  ),
  // Mapping rows 34 and 35.
  onLine('line number is no number', 'E_FIELD_FORMAT', 'MATERIAL', lineFields({ NumberInt: 'A1' }, { NumberInt: '' })),
  onLine('item GUID is none', 'E_FIELD_FORMAT', 'MATERIAL', lineFields({ Guid: '005056a5' }, { Guid: '' })),
  // Edge case 45: codes are never cut.
  onLine(
    'code of a line too long',
    'E_FIELD_LENGTH',
    'MATERIAL',
    lineFields(
      { CategoryId: 'MAT-PPE-03-GLOVES-NITR' },
      { OrderedProd: 'N'.repeat(41) },
      { PartnerProd: '9'.repeat(41) },
      { CtrId: '44000012345' },
    ),
  ),
  onCart(
    'code of the header too long',
    'E_FIELD_LENGTH',
    cartFields({ PmntTrms: 'Z045-NET-45' }, { RequesterId: 'JEANNEDUPONT2' }, { ProcGroup: 'O 500004560000000000001' }),
  ),
  // Mapping row 40.
  onLine('category empty', 'E_MAP_CATEGORY', 'MATERIAL', lineFields({ CategoryId: '' })),
  // Mapping row 21.
  onCart(
    'no requester',
    'E_REQUESTER_MISSING',
    cartFields(
      { RequesterId: '', CreatedBy: '', RequesterEmail: '' },
      { RequesterId: ' ', CreatedBy: '', RequesterEmail: 'no address' },
    ),
  ),
];

const dateFlaws: readonly CartFlaw[] = [
  // Edge case 54.
  onLine(
    'delivery date unreadable',
    'E_DATE_INVALID',
    'MATERIAL',
    lineFields(
      { DelivDate: '/Date(99999999999999999)/' },
      { DelivDate: '2026-12-24' },
      { DelivDate: '24.12.2026' },
      { DelivDate: '/Date(-62135596800000)/' },
      { DelivDate: '/Date(253402214400000)/' },
    ),
  ),
  onLine(
    'period end unreadable',
    'E_DATE_INVALID',
    'LABOUR',
    lineFields({ EndDate: '/Date()/' }, { EndDate: '31.12' }),
  ),
  onCart(
    'approval time unreadable',
    'E_DATE_INVALID',
    cartFields({ ApprovedAt: 'yesterday' }, { ApprovedAt: '/Date(253402214400000+0000)/' }),
  ),
  // Mapping row 12.
  onCart('neither approval nor posting date', 'E_DATE_INVALID', cartFields({ ApprovedAt: null, PostingDate: null })),
  // Mapping row 52.
  onLine('no delivery date', 'E_DATE_MISSING', 'MATERIAL', (_cart, line) => {
    line.deliveryMs = null;
  }),
  onLine('neither delivery date nor period', 'E_DATE_MISSING', 'SERVICE', (_cart, line) => {
    line.deliveryMs = null;
    line.startMs = null;
    line.endMs = null;
  }),
  // rules.md, "Dates": an end without a start.
  onLine('end without start', 'E_DATE_RANGE', 'LABOUR', (_cart, line) => {
    line.startMs = null;
  }),
  // Mapping row 25, if no other line of the order has a period.
  onLine('labour without period', 'E_DATE_RANGE', 'LABOUR', (_cart, line) => {
    line.vendor = loner;
    line.deliveryMs = line.startMs;
    line.startMs = null;
    line.endMs = null;
  }),
];

const mapFlaws: readonly CartFlaw[] = [
  // Edge case 51.
  onLine('currency unknown', 'E_MAP_CURRENCY', 'MATERIAL', (_cart, line, random) => {
    const currency = pick(random, ['DEM', 'EUR5']);
    line.vendor = loner;
    line.edits.push(() => ({ Currency: currency }));
  }),
  // Edge case 35; rules.md, "Accounts": SO has no object to name.
  onLine(
    'account category unknown',
    'E_MAP_ACCCAT',
    'MATERIAL',
    accounting(...['ZZ', '', 'SO'].map((category) => [costCentre('0000101234', 10_000n, { AccCat: category })])),
  ),
  // Edge case 52.
  onLine('country unknown', 'E_MAP_COUNTRY', 'MATERIAL', (cart, line, random) => {
    const address = pick(random, cart.company.addresses);
    line.address = { ...address, country: pick(random, ['XX', 'BEL', '']) };
  }),
  // Mapping row 37.
  onLine('product type unknown', 'E_MAP_LINE_TYPE', 'MATERIAL', lineFields({ ProductType: '03' }, { ProductType: '' })),
  // Edge case 49.
  onLine('unit empty', 'E_MAP_UOM', 'MATERIAL', lineFields({ Unit: '' })),
  // Edge case 29, mapping row 29: material without a delivery address.
  onLine('no delivery address', 'E_ADDRESS_MISSING', 'MATERIAL', (cart, line) => {
    const [home] = cart.company.addresses;
    for (const other of cart.lines) {
      other.address = shareOrder(other, line) ? null : (home ?? null);
    }
    cart.address = null;
  }),
  // rules.md, "Addresses": the address of another material is not that of this one.
  onLine('delivery address of another line', 'E_ADDRESS_MISSING', 'MATERIAL', (cart, line) => {
    const [home] = cart.company.addresses;
    cart.lines.push({ ...line, edits: [], numberOf: null });
    for (const other of cart.lines) {
      other.address = home ?? null;
    }
    line.address = null;
    cart.address = null;
  }),
  // Edge case 29.
  onLine('line number twice', 'E_LINE_DUPLICATE', 'MATERIAL', (cart, line) => {
    cart.lines.push({ ...line, edits: [], numberOf: line });
  }),
];

/** One decimal more than the currency has. */
function tooPrecise(minor: bigint, currency: string): string {
  const scale = minorDigits(currency) + 1;
  return unitsToDecimal(minor * 10n + 5n, scale, Math.max(3, scale));
}

const amountFlaws: readonly CartFlaw[] = [
  // Edge case 41.
  onLine('quantity empty', 'E_QTY_INVALID', 'MATERIAL', lineFields({ Quantity: '' }, { Quantity: null })),
  onLine('price empty', 'E_PRICE_INVALID', 'MATERIAL', lineFields({ Price: '' }, { Price: null })),
  onLine('free of charge', 'E_PRICE_INVALID', 'MATERIAL', (_cart, line) => {
    line.priceTenThousandths = 0n;
    line.valueMinor = 0n;
    line.taxMinor = 0n;
  }),
  // Edge case 39.
  onLine('value finer than the currency', 'E_AMT_PRECISION', 'LIMIT', (_cart, line) => {
    const value = tooPrecise(line.valueMinor, line.currency);
    line.edits.push(() => ({ ExpValue: value }));
  }),
  onLine('tax finer than the currency', 'E_AMT_PRECISION', 'MATERIAL', (_cart, line) => {
    const tax = tooPrecise(line.taxMinor, line.currency);
    line.edits.push(() => ({ TaxCode: 'V1', TaxValue: tax }));
  }),
  // Mapping row 48; edge case 36.
  onLine('value of another price unit', 'E_AMT_LINE_MISMATCH', 'MATERIAL', (_cart, line) => {
    line.valueMinor = line.valueMinor * 100n + 1n;
  }),
  onLine('value off by two minor units', 'E_AMT_LINE_MISMATCH', 'LABOUR', (_cart, line) => {
    line.quantityThousandths = 10_000n;
    line.priceTenThousandths -= line.priceTenThousandths % 10n ** BigInt(4 - minorDigits(line.currency));
    line.valueMinor = lineValueMinor(line) + 2n;
  }),
  // Edge case 40: a cart with one line, and one minor unit more than the tolerance.
  onCart('total off by two minor units', 'E_AMT_TOTAL_MISMATCH', (cart) => {
    cart.lines.splice(1);
    const total = moneyText(totalMinor(cart) + 2n, cart.currency);
    cart.edits.push(() => ({ TotalValue: total }));
  }),
];

const accountingFlaws: readonly CartFlaw[] = [
  // Edge case 30; rules.md, "Schema or field": all accounting rows deleted, or none at all.
  onLine(
    'no accounting',
    'E_ACC_MISSING',
    'MATERIAL',
    accounting([], [{ ...costCentre('0000101234', 10_000n), deleted: true }]),
  ),
  // Edge case 31: 0.01 more than the tolerance of 0.01 for each part.
  onLine(
    'split just beyond the tolerance',
    'E_ACC_SPLIT_NOT_100',
    'MATERIAL',
    accounting(split(3332n, 3332n, 3332n), split(5001n, 5002n), split(10_002n), split(4999n, 4998n, 0n)),
  ),
  // Edge case 33.
  onLine('split of nothing', 'E_ACC_SPLIT_NOT_100', 'SERVICE', accounting(split(0n), split(0n, 0n))),
  // Edge case 34, for the other categories.
  onLine(
    'accounting object empty',
    'E_ACC_OBJECT_MISSING',
    'MATERIAL',
    accounting(
      ...(['OR', 'WBS', 'AS', 'NET'] as const).map((category) => [{ ...costCentre('', 10_000n), category }]),
      // A cost centre is not an internal order.
      [costCentre('0000101234', 10_000n, { AccCat: 'OR' })],
    ),
  ),
  // Mapping row 58.
  onLine(
    'share empty',
    'E_ACC_SPLIT_NOT_100',
    'MATERIAL',
    accounting([costCentre('0000101234', 10_000n, { DistrPerc: '' })]),
  ),
  // Edge case 59.
  onLine(
    'unlimited',
    'E_LIMIT_UNLIMITED',
    'LIMIT',
    lineFields({ Unlimited: 'X', Limit: '0.000' }, { Unlimited: true }),
  ),
  // Edge case 60.
  onLine('expected over the limit', 'E_LIMIT_RANGE', 'LIMIT', (_cart, line) => {
    line.limitMinor = line.valueMinor - 1n;
  }),
];

const sizeFlaws: readonly CartFlaw[] = [
  {
    // Edge case 28. Its row is over the limit of SQS too, so the message holds only its key.
    ...onLine('a thousand lines', 'E_TGT_TOO_LARGE', 'MATERIAL', (cart, line) => {
      line.texts = [];
      line.accounting = line.accounting.slice(0, 1).map((part) => ({ ...part, percentHundredths: 10_000n }));
      cart.lines.push(...Array.from({ length: 999 }, () => ({ ...line })));
    }),
    rare: true,
  },
];

/** All flaws, in the order of their turns. */
export const cartFlaws: readonly CartFlaw[] = [
  ...familiarFlaws,
  ...structureFlaws,
  ...fieldFlaws,
  ...dateFlaws,
  ...mapFlaws,
  ...amountFlaws,
  ...accountingFlaws,
  ...sizeFlaws,
];
