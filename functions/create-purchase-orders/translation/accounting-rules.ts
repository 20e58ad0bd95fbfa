/** Mapping rows 56 to 62: how a line's cost is assigned. */
import { padZeros } from '../../../shared/sap-values.ts';
import { at, decimal, lookUpListed, mandatory } from './conversions.ts';
import {
  type Decimal,
  hasAtMostDecimals,
  minorUnit,
  powerOfTen,
  scaled,
  splitByLargestRemainder,
  sum,
  zero,
} from './decimal.ts';
import type { CartLine, LineGroup } from './groups.ts';
import type { LineAccounting } from './purchase-order.ts';
import { fault, type RuleContext, type RuleTable, value, warn, within } from './rule-table.ts';
import type { AccountAssignment } from './shopping-cart.ts';

/** One assignment with its final share of the line; without it where the shares cannot be read or do not add up. */
export interface AccountingShare {
  readonly row: AccountAssignment;
  readonly path: string;
  readonly sequence: number;
  readonly percentage: Decimal | undefined;
  readonly amount: Decimal | undefined;
  readonly category: LineAccounting['category'] | undefined;
  readonly companyCode: string | undefined;
}

const HUNDRED = powerOfTen(2);
const TOLERANCE_PER_PART = minorUnit(2);

/** An assignment that is not deleted, and its share as SRM has it. */
type GivenShare = Pick<AccountingShare, 'row' | 'path' | 'sequence' | 'percentage'>;
type KnownShare = GivenShare & { readonly percentage: Decimal };

const isKnown = (share: GivenShare): share is KnownShare => share.percentage !== undefined;

/** The shares of a line, which always add up to 100 % and to its amount (edge cases 30 to 33; mapping rows 58, 59). */
export function accountingShares(
  { item, path: linePath }: CartLine,
  group: LineGroup,
  lineAmount: Decimal | undefined,
  context: RuleContext,
): AccountingShare[] {
  const path = at(linePath, 'Accounting');
  const given = item.Accounting.map((row, index) => ({
    row,
    path: `${path}.results[${index}]`,
    sequence: sequenceOf(row, index + 1),
  }))
    .filter(({ row }) => row.DelInd !== true)
    // The remainder goes to the lowest sequence, which need not come first in the list.
    .sort((a, b) => a.sequence - b.sequence)
    .map((entry, index) => ({
      ...entry,
      percentage: percentageOf(entry.row, shareContext(context, index), entry.path),
    }));
  if (given.length === 0) {
    fault(context, 'E_ACC_MISSING', 'the line has no account assignment', path);
    return [];
  }
  const parts = given.filter((share) => !isKnown(share) || share.percentage.gt(0));
  if (parts.length < given.length) warn(context, 'W_ACC_SHARE_ZERO', 'zero-percent rows are left out', path);
  // A share that cannot be read leaves no sum to check. Category and object of each part are checked all the same.
  const shares = parts.every(isKnown) ? toHundred(parts, context, path) : undefined;
  const split = splitByLargestRemainder(
    lineAmount ?? zero,
    shares ?? [],
    ({ percentage }) => percentage,
    context.decimals,
  );
  return parts.map((part, index) => ({
    ...part,
    percentage: split[index]?.part.percentage,
    amount: split[index]?.amount,
    category: categoryOf(part, shareContext(context, index)),
    companyCode: group.companyCode,
  }));
}

const sequenceOf = ({ AccNo = '' }: AccountAssignment, position: number): number =>
  /^0*[1-9]\d{0,8}$/.test(AccNo) ? Number(AccNo) : position;

const shareContext = (context: RuleContext, index: number): RuleContext => ({
  ...context,
  field: `${context.field}[${index}]`,
});

function percentageOf(row: AccountAssignment, context: RuleContext, path: string): Decimal | undefined {
  const where = at(path, 'DistrPerc');
  const field = within(context, 'percentage');
  const share = decimal(mandatory(row.DistrPerc, field, where, 'E_ACC_SPLIT_NOT_100'), field, where);
  if (share === undefined || (share.gte(0) && hasAtMostDecimals(share, 2))) return share;
  return fault(field, 'E_ACC_SPLIT_NOT_100', 'not a share of 0 or more with at most 2 decimals, such as 33.33', where);
}

/** Edge case 31: a rounding difference goes to the largest part, the first of equals; anything more is a fault. */
function toHundred(
  parts: readonly KnownShare[],
  context: RuleContext,
  path: string,
): readonly KnownShare[] | undefined {
  const total = sum(parts.map(({ percentage }) => percentage));
  const difference = HUNDRED.minus(total);
  if (difference.eq(0)) return parts;
  if (difference.abs().gt(TOLERANCE_PER_PART.times(parts.length))) {
    return fault(context, 'E_ACC_SPLIT_NOT_100', `the shares add up to ${total.toFixed()} %, not to 100 %`, path);
  }
  const message = `the shares add up to ${total.toFixed()} %; the largest takes the difference`;
  warn(context, 'W_ACC_SPLIT_ROUNDED', message, path);
  const [largest] = [...parts].sort((a, b) => b.percentage.cmp(a.percentage));
  return parts.map((part) => (part === largest ? { ...part, percentage: part.percentage.plus(difference) } : part));
}

function categoryOf({ row, path }: GivenShare, context: RuleContext): LineAccounting['category'] | undefined {
  const where = at(path, 'AccCat');
  const field = within(context, 'category');
  const key = mandatory(row.AccCat, field, where, 'E_MAP_ACCCAT');
  if (key === undefined) return undefined;
  return lookUpListed('accountCategory', key, field, 'E_MAP_ACCCAT', where);
}

/** A field, and the length to which SAP pads its digits. */
type PaddedField = readonly [name: Exclude<keyof AccountAssignment, 'DelInd'>, length: number];

/** Mapping row 61: the object of the category is mandatory, its second part optional; other objects are left out. */
const accountObject = (category: LineAccounting['category'], [name, length]: PaddedField, ...second: PaddedField[]) =>
  value<AccountingShare, string>(
    {
      row: 61,
      source: [name, ...second.map(([part]) => part)],
      rule: `when the category is ${category}; padded as in SAP${second.length === 0 ? '' : '; parts joined by a hyphen'}`,
      mandatory: 'C',
      codes: ['E_ACC_OBJECT_MISSING'],
    },
    (share, context) => {
      if (share.category !== category) return undefined;
      const main = mandatory(share.row[name], context, at(share.path, name), 'E_ACC_OBJECT_MISSING');
      if (main === undefined) return undefined;
      const parts = second.map(([part, partLength]) => padded(share.row[part], partLength));
      return [padZeros(main, length), ...parts.filter((part) => part !== undefined)].join('-');
    },
  );

const padded = (text: string | undefined, length: number): string | undefined =>
  text === undefined ? undefined : padZeros(text, length);

export const accountingRules: RuleTable<AccountingShare, LineAccounting> = {
  sequence: value(
    {
      row: 56,
      source: ['AccNo'],
      rule: 'integer of at least 1, else the position; rows are in its order',
      mandatory: 'M',
      codes: [],
    },
    ({ sequence }) => sequence,
  ),
  category: value(
    {
      row: 57,
      source: ['AccCat'],
      rule: 'LOOKUP account category; a line without any assignment is refused',
      mandatory: 'M',
      codes: ['E_MAP_ACCCAT', 'E_ACC_MISSING'],
    },
    ({ category }) => category,
  ),
  percentage: value(
    {
      row: 58,
      source: ['DistrPerc'],
      rule: '2 decimals; the sum per line is exactly 100.00, or within 0.01 a part: then the largest takes the difference',
      mandatory: 'M',
      codes: ['E_ACC_SPLIT_NOT_100', 'E_FIELD_FORMAT'],
    },
    ({ percentage }) => (percentage === undefined ? undefined : scaled(percentage, 2)),
  ),
  amount: value(
    { row: 59, source: [], rule: 'netAmount x percentage, by largest remainder', mandatory: 'M', codes: [] },
    ({ amount }, { decimals }) => (amount === undefined ? undefined : scaled(amount, decimals)),
  ),
  glAccount: value(
    { row: 60, source: ['GLAcct'], rule: 'padded to 10', mandatory: 'cfg', codes: ['E_ACC_OBJECT_MISSING'] },
    ({ row, path }, context) => {
      if (row.GLAcct !== undefined) return padZeros(row.GLAcct, 10);
      if (!context.settings.glAccountMandatory) return undefined;
      const message = 'the G/L account is empty, and translation.glAccountMandatory is true';
      return fault(context, 'E_ACC_OBJECT_MISSING', message, at(path, 'GLAcct'));
    },
  ),
  costCentre: accountObject('COST_CENTRE', ['CostCtr', 10]),
  internalOrder: accountObject('INTERNAL_ORDER', ['OrderNo', 12]),
  // SAP does not pad a WBS element: a mask formats its key, which may be digits only.
  wbsElement: accountObject('WBS', ['WbsElem', 0]),
  asset: accountObject('ASSET', ['Asset', 12], ['SubNumber', 4]),
  network: accountObject('NETWORK', ['Network', 12], ['Activity', 4]),
  profitCentre: value(
    { row: 62, source: ['ProfitCtr'], rule: 'COPY', mandatory: 'O', codes: [] },
    ({ row }) => row.ProfitCtr,
  ),
  companyCode: value(
    { row: 62, source: ['CoCode'], rule: 'COPY', mandatory: 'O', codes: [] },
    ({ companyCode }) => companyCode,
  ),
  controllingArea: value(
    { row: 62, source: ['CoArea'], rule: 'COPY', mandatory: 'O', codes: [] },
    ({ row }) => row.CoArea,
  ),
};
