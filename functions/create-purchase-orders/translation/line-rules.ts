/** Mapping rows 34 to 55: the lines of an order. */
import { isSameCode, lineNumber, NO_GUID, normalGuid, stripZeros } from '../../../shared/sap-values.ts';
import { type AccountingShare, accountingRules, accountingShares } from './accounting-rules.ts';
import {
  actualAmount,
  amount,
  at,
  calendarDate,
  decimal,
  endOfPeriod,
  lookUp,
  lookUpListed,
  mandatory,
  readableText,
  type ShipTo,
  shipToAddress,
  warnIfPast,
} from './conversions.ts';
import {
  type Decimal,
  hasAtMostDecimals,
  minorUnit,
  parseDecimal,
  powerOfTen,
  scaled,
  withAtLeastDecimals,
  withoutTrailingZeros,
  zero,
} from './decimal.ts';
import type { CartLine, LineGroup } from './groups.ts';
import type { Address, LineAccounting, OrderLine } from './purchase-order.ts';
import { fault, list, object, type RuleContext, type RuleTable, value, warn, within } from './rule-table.ts';
import { hasAtMost, headOf, languageCode } from './text.ts';

/** A line with the values that its rules share, computed once. */
export interface PreparedLine extends CartLine {
  readonly group: LineGroup;
  readonly type: OrderLine['type'] | undefined;
  readonly unit: string | undefined;
  readonly net: Decimal | undefined;
  readonly tax: Decimal | undefined;
  readonly period: { readonly startDate: string; readonly endDate?: string } | undefined;
  readonly deliveryDate: string | undefined;
  /** A wrong date of the line was reported: it is not reported as missing, too. */
  readonly hasFaultyDate: boolean;
  /** The line's own ship-to address. */
  readonly shipTo: ShipTo | undefined;
  readonly accounting: readonly AccountingShare[];
}

/** A prepared line, compared with the other lines of its order. */
export interface OrderedLine extends PreparedLine {
  /** The address that the order's header does not already give. */
  readonly deliverTo: ShipTo | undefined;
  /** Another line has its number, too. */
  readonly sharesNumber: boolean;
}

const ONE = powerOfTen(0);
const TIME_UNITS: readonly string[] = ['HUR', 'DAY', 'WEE', 'MON'];

/** `field` of the context is the line's place in the order, for the faults found here. */
export function prepareLine(line: CartLine, group: LineGroup, context: RuleContext): PreparedLine {
  const { item, path } = line;
  const of = (name: string): RuleContext => within(context, name);
  const unit = item.LimitInd === true ? undefined : unitOf(line, of('unitOfMeasure'));
  const type = lineType(line, unit, of('type'));
  const net = netAmount(line, of('netAmount'));
  const faultsBefore = context.faults.length;
  const period = periodOf(line, of('servicePeriod'));
  const deliveryDate = calendarDate(item.DelivDate, of('deliveryDate'), at(path, 'DelivDate'));
  const hasFaultyDate = context.faults.length > faultsBefore;
  return {
    ...line,
    group,
    type,
    unit,
    net,
    tax: taxOf(line, of('tax.amount')),
    period,
    deliveryDate,
    hasFaultyDate,
    shipTo: shipToAddress(item.Partners, of('deliverTo'), path),
    accounting: accountingShares(line, group, net, of('accounting')),
  };
}

/** A line's amount: its value, or what a limit line is expected to cost (mapping rows 47, 58). */
function netAmount({ item, path }: CartLine, context: RuleContext): Decimal | undefined {
  const name = item.LimitInd === true ? 'ExpValue' : 'Value';
  const where = at(path, name);
  return amount(mandatory(item[name], context, where), context, where);
}

/** A tax without its code has no place in the order: neither in the line nor in the totals (mapping rows 32, 51). */
function taxOf({ item, path }: CartLine, context: RuleContext): Decimal | undefined {
  const where = at(path, 'TaxValue');
  const tax = amount(item.TaxValue, context, where);
  if (tax === undefined || tax.eq(0) || item.TaxCode !== undefined) return tax;
  return warn(context, 'W_TAX_LEFT_OUT', 'a tax without a tax code; left out', where);
}

function unitOf({ item, path }: CartLine, context: RuleContext): string | undefined {
  const unit = mandatory(item.Unit, context, at(path, 'Unit'), 'E_MAP_UOM');
  return unit === undefined ? undefined : lookUpListed('unit', unit, context, 'E_MAP_UOM', at(path, 'Unit'));
}

function lineType(
  { item, path }: CartLine,
  unit: string | undefined,
  context: RuleContext,
): OrderLine['type'] | undefined {
  if (item.LimitInd === true) return 'LIMIT';
  const isOfType = (type: string): boolean => isSameCode(item.ProductType ?? '', type);
  if (isOfType('01')) return 'MATERIAL';
  if (isOfType('02')) return unit !== undefined && TIME_UNITS.includes(unit) ? 'LABOUR' : 'SERVICE';
  return fault(context, 'E_MAP_LINE_TYPE', 'the product type is neither 01 nor 02', at(path, 'ProductType'));
}

function periodOf({ item, path }: CartLine, context: RuleContext): PreparedLine['period'] {
  const faultsBefore = context.faults.length;
  const startDate = calendarDate(item.StartDate, context, at(path, 'StartDate'));
  const endDate = endOfPeriod(item.EndDate, context, at(path, 'EndDate'));
  // With a date that cannot be read there is nothing to compare.
  if (context.faults.length > faultsBefore) return undefined;
  if (startDate === undefined) {
    return endDate === undefined
      ? undefined
      : fault(context, 'E_DATE_RANGE', 'the period has an end but no start', at(path, 'StartDate'));
  }
  if (endDate === undefined) return { startDate };
  if (endDate >= startDate) return { startDate, endDate: warnIfPast(endDate, context, at(path, 'EndDate')) };
  const message = `the period ends on ${endDate}, before it starts on ${startDate}`;
  return fault(context, 'E_DATE_RANGE', message, at(path, 'EndDate'));
}

const isLimit = (line: PreparedLine): boolean => line.type === 'LIMIT';

/** Mapping row 46; edge case 37: 0 or absent is 1, and the value check decides. */
function priceUnit({ item, path }: PreparedLine, context: RuleContext): Decimal | undefined {
  const where = at(path, 'PriceUnit');
  const unit = decimal(item.PriceUnit ?? '0', context, where);
  if (unit === undefined) return undefined;
  if (unit.eq(0)) {
    warn(context, 'W_PRICE_UNIT_EMPTY', 'the price unit is 0 or empty; 1 is taken', where);
    return ONE;
  }
  if (unit.gt(0) && hasAtMostDecimals(unit, 0)) return unit;
  return fault(context, 'E_FIELD_FORMAT', 'not a whole number of at least 1, such as 100', where);
}

/** Mapping row 48: quantity x price / price unit is the value. Reports no fault that another rule reports. */
function checkLineAmount(line: PreparedLine, net: Decimal, context: RuleContext): void {
  if (isLimit(line) || !context.isCurrencyKnown) return;
  const { item, path } = line;
  const [quantity, price, unit] = [item.Quantity, item.Price, item.PriceUnit ?? '0'].map((text = '') =>
    parseDecimal(text),
  );
  if (quantity === undefined || quantity.lte(0) || price === undefined || price.lt(0)) return;
  if (unit === undefined || unit.lt(0)) return;
  const expected = quantity.times(actualAmount(price, context)).div(unit.eq(0) ? ONE : unit);
  if (expected.minus(net).abs().lte(minorUnit(context.decimals))) return;
  const message = `quantity x price / price unit is ${expected.round(4).toFixed()}`;
  fault(context, 'E_AMT_LINE_MISMATCH', message, at(path, 'Value'));
}

const periodRules: RuleTable<NonNullable<PreparedLine['period']>, NonNullable<OrderLine['servicePeriod']>> = {
  startDate: value(
    { row: 53, source: ['StartDate'], rule: 'date', mandatory: 'C', codes: ['E_DATE_INVALID', 'E_DATE_RANGE'] },
    ({ startDate }) => startDate,
  ),
  endDate: value(
    {
      row: 53,
      source: ['EndDate'],
      rule: 'date, not before the start; an open end is left out',
      mandatory: 'O',
      codes: ['E_DATE_INVALID', 'E_DATE_RANGE'],
    },
    ({ endDate }) => endDate,
  ),
};

const limitRules: RuleTable<PreparedLine, NonNullable<OrderLine['limit']>> = {
  maximumAmount: value(
    {
      row: 49,
      source: ['Limit'],
      rule: 'SCALE, unless unlimited',
      mandatory: 'C',
      codes: ['E_FIELD_MISSING', 'E_FIELD_FORMAT', 'E_AMT_PRECISION'],
    },
    ({ item, path }, context) => {
      if (item.Unlimited === true) return undefined;
      const where = at(path, 'Limit');
      const maximum = amount(mandatory(item.Limit, context, where), context, where);
      return maximum === undefined ? undefined : scaled(maximum, context.decimals);
    },
  ),
  unlimited: value(
    { row: 49, source: ['Unlimited'], rule: 'true, only if allowed', mandatory: 'C', codes: ['E_LIMIT_UNLIMITED'] },
    ({ item, path }, context) => {
      if (item.Unlimited !== true) return undefined;
      if (context.settings.allowUnlimited) return true;
      const message = 'the line has no limit, and translation.allowUnlimited is false';
      return fault(context, 'E_LIMIT_UNLIMITED', message, at(path, 'Unlimited'));
    },
  ),
  expectedAmount: value(
    { row: 50, source: ['ExpValue'], rule: 'SCALE, at most the limit', mandatory: 'C', codes: ['E_LIMIT_RANGE'] },
    ({ item, path, net }, context) => {
      const limit = parseDecimal(item.Limit ?? '');
      if (net === undefined) return undefined;
      if (item.Unlimited !== true && limit !== undefined && net.gt(actualAmount(limit, context))) {
        return fault(context, 'E_LIMIT_RANGE', 'the expected value exceeds the limit', at(path, 'ExpValue'));
      }
      return scaled(net, context.decimals);
    },
  ),
};

const LONGEST_TEXT = 4000;

/** Made once for each list of outline rows, and no longer than the long text can show. */
const outlineTexts = new WeakMap<CartLine['outlines'], string | undefined>();

function textOfOutlines(outlines: CartLine['outlines']): string | undefined {
  if (outlineTexts.has(outlines)) return outlineTexts.get(outlines);
  let text: string | undefined;
  for (const { row } of outlines) {
    const { Description: own } = row;
    if (own === undefined) continue;
    text = headOf(text === undefined ? own : `${text}\n${own}`, LONGEST_TEXT);
    if (!hasAtMost(text, LONGEST_TEXT)) break;
  }
  outlineTexts.set(outlines, text);
  return text;
}

const contractRules: RuleTable<PreparedLine, NonNullable<OrderLine['contract']>> = {
  number: value({ row: 54, source: ['CtrId'], rule: 'ALPHA-', mandatory: 'O', codes: [] }, ({ item }) =>
    item.CtrId === undefined ? undefined : stripZeros(item.CtrId),
  ),
  item: value({ row: 54, source: ['CtrItem'], rule: 'ALPHA-', mandatory: 'O', codes: [] }, ({ item }) =>
    item.CtrId === undefined || item.CtrItem === undefined ? undefined : stripZeros(item.CtrItem),
  ),
};

const categoryRules: RuleTable<PreparedLine, OrderLine['category']> = {
  scheme: value({ row: 40, source: [], rule: 'constant SRM', mandatory: 'M', codes: [] }, () => 'SRM'),
  code: value(
    { row: 40, source: ['CategoryId'], rule: 'COPY or LOOKUP category', mandatory: 'M', codes: ['E_MAP_CATEGORY'] },
    ({ item, path }, context) => {
      const where = at(path, 'CategoryId');
      const category = mandatory(item.CategoryId, context, where, 'E_MAP_CATEGORY');
      return category === undefined ? undefined : lookUp('category', category, context, 'E_MAP_CATEGORY', where);
    },
  ),
};

const taxRules: RuleTable<PreparedLine, NonNullable<OrderLine['tax']>> = {
  code: value(
    { row: 51, source: ['TaxCode'], rule: 'LOOKUP or COPY', mandatory: 'O', codes: ['E_MAP_TAX'] },
    ({ item, path }, context) =>
      item.TaxCode === undefined ? undefined : lookUp('tax', item.TaxCode, context, 'E_MAP_TAX', at(path, 'TaxCode')),
  ),
  amount: value(
    {
      row: 51,
      source: ['TaxValue'],
      rule: 'SCALE, default 0',
      mandatory: 'O',
      codes: ['E_FIELD_FORMAT', 'E_AMT_PRECISION'],
    },
    ({ item, tax }, { decimals }) => (item.TaxCode === undefined ? undefined : scaled(tax ?? zero, decimals)),
  ),
};

export const addressRules: RuleTable<Partial<Address>, Address> = {
  name: value(
    { row: 29, source: ['Name'], rule: 'TRIM; cut at 80 with marker', mandatory: 'O', codes: [] },
    ({ name }) => name,
  ),
  street: value({ row: 29, source: ['Street'], rule: 'TRIM', mandatory: 'O', codes: [] }, ({ street }) => street),
  houseNumber: value(
    { row: 29, source: ['HouseNo'], rule: 'TRIM', mandatory: 'O', codes: [] },
    ({ houseNumber }) => houseNumber,
  ),
  postalCode: value(
    { row: 29, source: ['PostlCod1'], rule: 'TRIM', mandatory: 'O', codes: [] },
    ({ postalCode }) => postalCode,
  ),
  city: value({ row: 29, source: ['City'], rule: 'TRIM', mandatory: 'O', codes: [] }, ({ city }) => city),
  region: value({ row: 29, source: ['Region'], rule: 'TRIM', mandatory: 'O', codes: [] }, ({ region }) => region),
  country: value(
    {
      row: 29,
      source: ['Country'],
      rule: 'LOOKUP to alpha-2; MATERIAL lines need an address',
      mandatory: 'M',
      codes: ['E_MAP_COUNTRY', 'E_ADDRESS_MISSING'],
    },
    ({ country }) => country,
  ),
};

/** Applies a nested table to a part of the line that may be absent. */
const part = <Part, Target extends object>(
  select: (line: OrderedLine) => Part | undefined,
  table: RuleTable<Part, Target>,
) => {
  const rule = object(table);
  return {
    spreadsheet: rule.spreadsheet,
    apply: (line: OrderedLine, context: RuleContext) => {
      const selected = select(line);
      return selected === undefined ? undefined : rule.apply(selected, context);
    },
  };
};

export const lineRules: RuleTable<OrderedLine, OrderLine> = {
  lineNumber: value(
    {
      row: 34,
      source: ['NumberInt'],
      rule: 'integer of at least 1, not renumbered',
      mandatory: 'M',
      codes: ['E_FIELD_FORMAT', 'E_LINE_DUPLICATE'],
    },
    ({ item, path, sharesNumber }, context) => {
      const where = at(path, 'NumberInt');
      const text = mandatory(item.NumberInt, context, where, 'E_FIELD_FORMAT');
      if (text === undefined) return undefined;
      const number = lineNumber(text);
      if (number === undefined)
        return fault(context, 'E_FIELD_FORMAT', 'not a line number of at most 10 digits, such as 0000000010', where);
      if (sharesNumber) return fault(context, 'E_LINE_DUPLICATE', 'another line of the order has this number', where);
      return Number(number);
    },
  ),
  externalLineId: value(
    { row: 35, source: ['Guid'], rule: 'of the item; 32 hex', mandatory: 'M', codes: ['E_FIELD_FORMAT'] },
    ({ item, path }, context) => {
      const where = at(path, 'Guid');
      const guid = mandatory(item.Guid, context, where, 'E_FIELD_FORMAT');
      return guid === undefined ? undefined : (normalGuid(guid) ?? fault(context, 'E_FIELD_FORMAT', NO_GUID, where));
    },
  ),
  purchaseRequestLineId: value(
    { row: 36, source: ['ExtDemPosid'], rule: 'ALPHA-', mandatory: 'O', codes: [] },
    ({ item }) => (item.ExtDemPosid === undefined ? undefined : stripZeros(item.ExtDemPosid)),
  ),
  type: value(
    {
      row: 37,
      source: ['LimitInd', 'ProductType', 'Unit'],
      rule: 'LimitInd -> LIMIT; 01 -> MATERIAL; 02 + time unit -> LABOUR; other 02 -> SERVICE',
      mandatory: 'M',
      codes: ['E_MAP_LINE_TYPE'],
    },
    ({ type }) => type,
  ),
  description: value(
    { row: 38, source: ['Description'], rule: 'TRIM', mandatory: 'M', codes: ['E_FIELD_MISSING'] },
    ({ item, path }, context) => {
      const where = at(path, 'Description');
      const text = mandatory(item.Description, context, where);
      return text === undefined ? undefined : readableText(text, 255, context, where);
    },
  ),
  longText: value(
    {
      row: 39,
      source: ['Texts'],
      rule: 'ITXT; language: document, EN, first; cut at 4000 with marker; outline descriptions before it',
      mandatory: 'O',
      codes: [],
    },
    (line, context) => {
      const texts = line.item.Texts.filter(({ Tdid, Text }) => Tdid === 'ITXT' && Text !== undefined);
      const inLanguage = (language: string | undefined) =>
        texts.find((text) => language !== undefined && languageCode(text.Language) === language);
      const own = (inLanguage(languageCode(line.cart.DescrLanguage)) ?? inLanguage('en') ?? texts[0])?.Text;
      const parts = [textOfOutlines(line.outlines), own && headOf(own, LONGEST_TEXT)];
      const whole = parts.filter((text) => text !== undefined).join('\n');
      return whole === '' ? undefined : readableText(whole, LONGEST_TEXT, context, at(line.path, 'Texts'));
    },
  ),
  category: object(categoryRules),
  productCode: value({ row: 41, source: ['OrderedProd'], rule: 'ALPHA-', mandatory: 'O', codes: [] }, ({ item }) =>
    item.OrderedProd === undefined ? undefined : stripZeros(item.OrderedProd),
  ),
  supplierPartNumber: value(
    { row: 42, source: ['PartnerProd'], rule: 'TRIM', mandatory: 'O', codes: [] },
    ({ item }) => item.PartnerProd,
  ),
  manufacturerPartNumber: value(
    { row: 42, source: ['ManuProd'], rule: 'TRIM', mandatory: 'O', codes: [] },
    ({ item }) => item.ManuProd,
  ),
  quantity: value(
    {
      row: 43,
      source: ['Quantity'],
      rule: '> 0; trailing zeros dropped; not for LIMIT',
      mandatory: 'C',
      codes: ['E_QTY_INVALID', 'E_FIELD_FORMAT'],
    },
    (line, context) => {
      if (isLimit(line)) return undefined;
      const where = at(line.path, 'Quantity');
      const quantity = decimal(mandatory(line.item.Quantity, context, where, 'E_QTY_INVALID'), context, where);
      if (quantity === undefined) return undefined;
      if (quantity.lte(0)) return fault(context, 'E_QTY_INVALID', 'the quantity is not greater than zero', where);
      return withoutTrailingZeros(quantity);
    },
  ),
  unitOfMeasure: value(
    { row: 44, source: ['Unit'], rule: 'LOOKUP unit; not for LIMIT', mandatory: 'C', codes: ['E_MAP_UOM'] },
    ({ unit }) => unit,
  ),
  unitPrice: value(
    {
      row: 45,
      source: ['Price'],
      rule: '>= 0, zero only if allowed; at least the decimals of the currency, at most 4; not for LIMIT',
      mandatory: 'C',
      codes: ['E_PRICE_INVALID', 'E_FIELD_FORMAT', 'E_AMT_PRECISION'],
    },
    (line, context) => {
      if (isLimit(line)) return undefined;
      const where = at(line.path, 'Price');
      const stored = decimal(mandatory(line.item.Price, context, where, 'E_PRICE_INVALID'), context, where);
      if (stored === undefined) return undefined;
      const price = actualAmount(stored, context);
      if (price.lt(0)) return fault(context, 'E_PRICE_INVALID', 'the price is negative', where);
      if (price.eq(0) && !context.settings.allowZeroPrice)
        return fault(context, 'E_PRICE_INVALID', 'the price is zero, and translation.allowZeroPrice is false', where);
      if (!hasAtMostDecimals(price, 4))
        return fault(context, 'E_AMT_PRECISION', 'a unit price has more than 4 decimals', where);
      return withAtLeastDecimals(price, context.decimals);
    },
  ),
  priceBaseQuantity: value(
    {
      row: 46,
      source: ['PriceUnit'],
      rule: 'integer >= 1; 0 or absent -> 1; not for LIMIT',
      mandatory: 'C',
      codes: ['E_FIELD_FORMAT'],
    },
    (line, context) => (isLimit(line) ? undefined : priceUnit(line, context)?.toFixed()),
  ),
  netAmount: value(
    {
      row: 47,
      source: ['Value', 'ExpValue'],
      rule: 'Value, of LIMIT lines ExpValue; SCALE; equal to quantity x price / price unit within one minor unit (row 48)',
      mandatory: 'M',
      codes: ['E_FIELD_MISSING', 'E_FIELD_FORMAT', 'E_AMT_PRECISION', 'E_AMT_LINE_MISMATCH'],
    },
    (line, context) => {
      if (line.net === undefined) return undefined;
      checkLineAmount(line, line.net, context);
      return scaled(line.net, context.decimals);
    },
  ),
  limit: part((line) => (isLimit(line) ? line : undefined), limitRules),
  tax: object(taxRules),
  deliveryDate: value(
    {
      row: 52,
      source: ['DelivDate'],
      rule: 'MATERIAL; any other line with no period',
      mandatory: 'C',
      codes: ['E_DATE_MISSING', 'E_DATE_INVALID'],
    },
    (line, context) => {
      if (line.type !== 'MATERIAL' && line.period !== undefined) return undefined;
      const where = at(line.path, 'DelivDate');
      if (line.deliveryDate !== undefined) return warnIfPast(line.deliveryDate, context, where);
      if (line.hasFaultyDate) return undefined;
      const what = line.type === 'MATERIAL' ? 'no delivery date' : 'neither a delivery date nor a service period';
      return fault(context, 'E_DATE_MISSING', `the line has ${what}`, where);
    },
  ),
  servicePeriod: part((line) => (line.type === 'MATERIAL' ? undefined : line.period), periodRules),
  contract: object(contractRules),
  deliverTo: part(({ deliverTo }) => deliverTo?.address, addressRules),
  accounting: list<OrderedLine, AccountingShare, LineAccounting>(({ accounting }) => accounting, accountingRules),
};
