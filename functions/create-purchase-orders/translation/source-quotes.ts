/**
 * What a fault shows of the source row: the number of its line, and the value at its path as SRM sent it, if it has the form of a
 * code, a number or a date.
 */
import { asJsonObject, numberText } from '../../../shared/exact-json.ts';
import type { Finding } from '../../../shared/failure.ts';
import { rowsOf } from '../../../shared/reading/whole-cart.ts';
import { firstFindings } from '../../../shared/recorded-faults.ts';
import { isCode, isEdmDate, lineNumber } from '../../../shared/sap-values.ts';
import type { SourceField } from './shopping-cart.ts';
import { hasAtMost } from './text.ts';

/**
 * Fields that hold codes, numbers and dates. No other is quoted, whatever it holds: it is for personal data, or for what people
 * type, such as purchase request and part numbers and incoterms (edge case 86).
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

/** Adds line and value to faults and warnings of the translation, of which it keeps the first. */
export type Quote = <Code extends string>(findings: readonly Finding<Code>[]) => Finding<Code>[];

export const quoteFrom =
  (source: unknown): Quote =>
  (findings) =>
    firstFindings(findings).map((finding) => {
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
  return keptText(typeof value === 'string' ? value : (numberText(value) ?? ''));
}

/** Also with a comma, several points, an exponent, a currency or a percent sign, which a fault may be about. */
const NUMBER = /^(?:[A-Z]{3} )?-?\d{1,20}(?:[.,]\d{1,15}){0,6}(?:E[+-]?\d{1,4})?(?: ?(?:%|[A-Z]{3}))?$/i;
/** ISO 8601. */
const DATE = /^\d{4}-\d{2}-\d{2}(?:[T ][\d:.]{2,12}Z?)?$/;
const LONGEST = 40;

export const isKept = (text: string): boolean =>
  isCode(text) || (hasAtMost(text, LONGEST) && (NUMBER.test(text) || DATE.test(text) || isEdmDate(text)));

/**
 * The value, where it may be kept; else its kind and length. A name of at most four letters looks like a code, and a telephone
 * number without blanks like a number: they are kept.
 */
export function keptText(value: string): string {
  const text = value.slice(0, 1000).trim();
  // Blanks around a code are shown: they may be what is wrong.
  const isWhole = hasAtMost(value, LONGEST) && /^ *[^ ]* *$/.test(value);
  if (text === '' || isKept(text)) return isWhole ? value : text;
  return `[${kindOf(text)}, ${value.length} characters]`;
}

function kindOf(text: string): string {
  if (/^[^\s@]+@[^\s@]+$/.test(text)) return 'e-mail address';
  if (/^\p{L}+$/u.test(text)) return 'word';
  return /\s/.test(text) ? 'text with blanks' : 'text without blanks';
}

/** `results` also where a service sends the list itself. */
const valueAt = (source: unknown, keys: readonly string[]): unknown =>
  keys.reduce(
    (at, key) => (key === 'results' ? rowsOf(at) : Array.isArray(at) ? at[Number(key)] : asJsonObject(at)?.[key]),
    source,
  );
