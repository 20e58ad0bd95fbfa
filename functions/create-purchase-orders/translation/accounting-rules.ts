/** Mapping rows 56 to 62: how a line's cost is assigned. */
import { padZeros } from '../../../shared/sap-values.ts';
import { at, decimal, lookUpListed, mandatory } from './conversions.ts';
import { type Decimal, parseDecimal, scaled, splitByLargestRemainder, sum, zero } from './decimal.ts';
import type { CartLine, LineGroup } from './groups.ts';
import type { LineAccounting } from './purchase-order.ts';
import { fault, type RuleContext, type RuleTable, value, warn } from './rule-table.ts';
import type { AccountAssignment } from './shopping-cart.ts';

/** One assignment with its final share of the line. */
export interface AccountingShare {
  readonly row: AccountAssignment;
  readonly path: string;
  readonly position: number;
  readonly percentage: Decimal;
  readonly amount: Decimal;
  readonly category: LineAccounting['category'] | undefined;
  readonly companyCode: string | undefined;
}

const HUNDRED = parseDecimal('100') ?? zero;
const TOLERANCE_PER_PART = parseDecimal('0.01') ?? zero;

/** The shares of a line, which always add up to 100 % and to its amount (edge cases 30 to 33; rows 58, 59). */
export function accountingShares(
  { item, path: linePath }: CartLine,
  group: LineGroup,
  lineAmount: Decimal | undefined,
  context: RuleContext,
): AccountingShare[] {
  const path = at(linePath, 'Accounting');
  const given = item.Accounting.map((row, index) => ({ row, path: `${path}.results[${index}]`, position: index + 1 }))
    .filter(({ row }) => row.DelInd === undefined)
    .map((entry) => ({ ...entry, percentage: percentageOf(entry.row, context, entry.path) }));
  if (given.length === 0) {
    fault(context, 'E_ACC_MISSING', 'the line has no account assignment', { path });
    return [];
  }
  const known = given.flatMap(({ percentage, ...entry }) =>
    percentage === undefined ? [] : [{ ...entry, percentage }],
  );
  if (known.length < given.length) return [];
  const parts = known.filter(({ percentage }) => percentage.gt(0));
  if (parts.length < known.length) warn(context, 'E_ACC_SPLIT_NOT_100', 'zero-percent rows are left out', { path });
  const percentages = toHundred(
    parts.map(({ percentage }) => percentage),
    context,
    path,
  );
  if (percentages === undefined) return [];
  const amounts = splitByLargestRemainder(lineAmount ?? zero, percentages, context.decimals);
  return parts.map(({ row, path: rowPath, position }, index) => ({
    row,
    path: rowPath,
    position,
    percentage: percentages[index] ?? zero,
    amount: amounts[index] ?? zero,
    category: categoryOf(row, context, rowPath),
    companyCode: group.companyCode,
  }));
}

function percentageOf(row: AccountAssignment, context: RuleContext, path: string): Decimal | undefined {
  const where = at(path, 'DistrPerc');
  const text = mandatory(row.DistrPerc, context, where);
  const share = decimal(text, context, where);
  return share?.lt(0)
    ? fault(context, 'E_ACC_SPLIT_NOT_100', 'a share is negative', { path: where, value: share.toFixed() })
    : share;
}

/** Edge case 31: a rounding difference goes to the largest part, the first of equals; anything more is a fault. */
function toHundred(parts: readonly Decimal[], context: RuleContext, path: string): Decimal[] | undefined {
  const total = sum(parts);
  const difference = HUNDRED.minus(total);
  if (difference.eq(0)) return [...parts];
  if (parts.length === 0 || difference.abs().gt(TOLERANCE_PER_PART.times(parts.length))) {
    return fault(context, 'E_ACC_SPLIT_NOT_100', 'the shares do not add up to 100 %', { path, value: total.toFixed() });
  }
  warn(context, 'E_ACC_SPLIT_NOT_100', `the shares add up to ${total.toFixed()} %; the largest takes the difference`, {
    path,
  });
  const largest = parts.reduce((best, part, index) => (part.gt(parts[best] ?? zero) ? index : best), 0);
  return parts.map((part, index) => (index === largest ? part.plus(difference) : part));
}

function categoryOf(
  row: AccountAssignment,
  context: RuleContext,
  path: string,
): LineAccounting['category'] | undefined {
  const where = at(path, 'AccCat');
  const key = mandatory(row.AccCat, context, where, 'E_MAP_ACCCAT');
  if (key === undefined) return undefined;
  return lookUpListed(context.settings.valueMaps.accountCategory, key, context, 'E_MAP_ACCCAT', where);
}

/** Row 61: the object that the category names, and no other, must be there. */
const accountObject = (
  category: LineAccounting['category'],
  name: keyof AccountAssignment,
  length: number,
  second?: { readonly name: keyof AccountAssignment; readonly length: number },
) =>
  value<AccountingShare, string>(
    {
      row: 61,
      source: second === undefined ? name : `${name} (+${second.name})`,
      rule: `when the category is ${category}; padded as in SAP`,
      mandatory: 'C',
      codes: ['E_ACC_OBJECT_MISSING'],
    },
    (share, context) => {
      if (share.category !== category) return undefined;
      const main = mandatory(share.row[name], context, at(share.path, name), 'E_ACC_OBJECT_MISSING');
      if (main === undefined) return undefined;
      const extra = second === undefined ? undefined : share.row[second.name];
      const padded = padZeros(main, length);
      return extra === undefined ? padded : `${padded}-${padZeros(extra, second?.length ?? 0)}`;
    },
  );

export const accountingRules: RuleTable<AccountingShare, LineAccounting> = {
  sequence: value(
    { row: 56, source: 'AccNo', rule: 'integer, else the position', mandatory: 'M', codes: [] },
    ({ row, position }) => (row.AccNo !== undefined && /^\d{1,9}$/.test(row.AccNo) ? Number(row.AccNo) : position),
  ),
  category: value(
    { row: 57, source: 'AccCat', rule: 'LOOKUP account category', mandatory: 'M', codes: ['E_MAP_ACCCAT'] },
    ({ category }) => category,
  ),
  percentage: value(
    {
      row: 58,
      source: 'DistrPerc',
      rule: '2 decimals; the sum per line is exactly 100.00',
      mandatory: 'M',
      codes: ['E_ACC_SPLIT_NOT_100'],
    },
    ({ percentage }) => scaled(percentage, 2),
  ),
  amount: value(
    { row: 59, source: '-', rule: 'netAmount x percentage, by largest remainder', mandatory: 'M', codes: [] },
    (share, { decimals }) => scaled(share.amount, decimals),
  ),
  glAccount: value(
    { row: 60, source: 'GLAcct', rule: 'padded to 10', mandatory: 'cfg', codes: ['E_ACC_OBJECT_MISSING'] },
    ({ row, path }, context) => {
      if (row.GLAcct !== undefined) return padZeros(row.GLAcct, 10);
      if (!context.settings.glAccountMandatory) return undefined;
      return fault(context, 'E_ACC_OBJECT_MISSING', 'the G/L account is empty', { path: at(path, 'GLAcct') });
    },
  ),
  costCentre: accountObject('COST_CENTRE', 'CostCtr', 10),
  internalOrder: accountObject('INTERNAL_ORDER', 'OrderNo', 12),
  wbsElement: accountObject('WBS', 'WbsElem', 24),
  asset: accountObject('ASSET', 'Asset', 12, { name: 'SubNumber', length: 4 }),
  network: accountObject('NETWORK', 'Network', 12, { name: 'Activity', length: 4 }),
  profitCentre: value(
    { row: 62, source: 'ProfitCtr', rule: 'COPY', mandatory: 'O', codes: [] },
    ({ row }) => row.ProfitCtr,
  ),
  companyCode: value(
    { row: 62, source: 'CoCode', rule: 'COPY', mandatory: 'O', codes: [] },
    ({ companyCode }) => companyCode,
  ),
  controllingArea: value(
    { row: 62, source: 'CoArea', rule: 'COPY', mandatory: 'O', codes: [] },
    ({ row }) => row.CoArea,
  ),
};
