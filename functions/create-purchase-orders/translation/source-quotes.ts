/** What a fault shows of the source row: the number of its line, and the value at its path as SRM sent it. */
import { asJsonObject, numberText } from '../../../shared/exact-json.ts';
import type { Fault, Warning } from '../../../shared/failure.ts';
import { rowsOf } from '../../../shared/reading/whole-cart.ts';
import { lineNumber } from '../../../shared/sap-values.ts';
import type { SourceField } from './shopping-cart.ts';
import { excerpt } from './text.ts';

/**
 * Fields that hold codes, numbers and dates. No other is quoted: it holds personal data, or what people type, such as
 * purchase request and part numbers and incoterms (edge case 86).
 */
// biome-ignore format: lists of names
export const QUOTED_FIELDS: ReadonlySet<string> = new Set<SourceField>([
  'Guid', 'ObjectId', 'PostingDate', 'ChangedAt', 'ApprovedAt', 'Status', 'Currency', 'TotalValue', 'CoCode',
  'ProcOrg', 'ProcGroup', 'PmntTrms',
  'NumberInt', 'ProductType', 'OrderedProd', 'CategoryId', 'Quantity', 'Unit', 'Price', 'PriceUnit', 'Value',
  'TaxCode', 'TaxValue', 'DelivDate', 'StartDate', 'EndDate', 'Limit', 'ExpValue', 'VendorId', 'CtrId', 'CtrItem',
  'BeObjectId',
  'AccCat', 'DistrPerc', 'GLAcct', 'CostCtr', 'OrderNo', 'WbsElem', 'Asset', 'SubNumber', 'Network', 'Activity',
  'ProfitCtr', 'CoArea',
  'Country',
]);

/** Adds line and value to faults and warnings of the translation. */
export type Quote = <Finding extends Fault | Warning>(findings: readonly Finding[]) => Finding[];

export const quoteFrom =
  (source: unknown): Quote =>
  (findings) =>
    findings.map((finding) => {
      const keys = keysOf(finding.path ?? '');
      const line = lineNumber(keys[0] === 'Items' ? valueAt(source, [...keys.slice(0, 3), 'NumberInt']) : undefined);
      const value = finding.value ?? (QUOTED_FIELDS.has(keys.at(-1) ?? '') ? textAt(source, keys) : '');
      return { ...finding, ...(line === undefined ? {} : { line }), ...(value === '' ? {} : { value }) };
    });

/** What stands at a JSON path of the source row. */
export const valueAtPath = (source: unknown, path: string): unknown => valueAt(source, keysOf(path));

const keysOf = (path: string): string[] => path.split(/[.[\]]+/).filter((key) => key !== '' && key !== '$');

function textAt(source: unknown, keys: readonly string[]): string {
  const value = valueAt(source, keys);
  return excerpt(typeof value === 'string' ? value : (numberText(value) ?? ''));
}

/** `results` also where a service sends the list itself. */
const valueAt = (source: unknown, keys: readonly string[]): unknown =>
  keys.reduce(
    (at, key) => (key === 'results' ? rowsOf(at) : Array.isArray(at) ? at[Number(key)] : asJsonObject(at)?.[key]),
    source,
  );
