/** Where the value of a field comes from, in words. */
import { edmInstantMs } from '../../shared/sap-values.ts';
import type { FieldPreview, GroupPreview, SourceValue } from './preview-cart.ts';

/** Before the name of a field that was read when the order or its line was prepared, and not by the rule itself. */
const READ_BEFORE = '~';

export const LEGEND = `${READ_BEFORE} read when the order or its line was prepared, before the rule; beside: read, and not named by the mapping row`;

/** A field of the cart, and its value. */
export interface NamedValue {
  /** `VendorId` */
  readonly name: string;
  /** `0000100234 (line 1)` */
  readonly value: string;
}

export interface SourceWords {
  readonly from: readonly NamedValue[];
  /** Fields that the mapping row names, and that are empty. */
  readonly empty: readonly NamedValue[];
  /** Fields that the mapping row does not name: read for a check, or since they decide whether the value is made. */
  readonly beside: readonly NamedValue[];
}

/** The fields of an order that stand together: its header, or one of its lines. */
export interface Section {
  /** Undefined for the header. */
  readonly line: GroupPreview['lines'][number] | undefined;
  readonly fields: readonly FieldPreview[];
}

/** Header, lines, and what follows the lines. */
export function sectionsOf({ fields, lines }: GroupPreview): Section[] {
  const byLine = Map.groupBy(fields, ({ field }) => /^lines\[(\d+)\]/.exec(field)?.[1] ?? '');
  return [
    { line: undefined, fields: byLine.get('') ?? [] },
    ...lines.map((line, index) => ({ line, fields: byLine.get(String(index)) ?? [] })),
  ];
}

/** `41031.25 EUR` */
export function amountOf({ fields, currency }: GroupPreview): string {
  const net = fields.find(({ field }) => field === 'totals.netAmount')?.value;
  return `${net ?? ''} ${currency ?? ''}`.trim();
}

/** `supplier 100234, EUR, company code BE10`: what the lines of an order have in common. */
export const keyText = ({
  supplier,
  currency,
  companyCode,
}: Pick<GroupPreview, 'supplier' | 'currency' | 'companyCode'>): string =>
  `${supplier === undefined ? 'no supplier' : `supplier ${supplier}`}, ${currency ?? 'no currency'}, ${companyCode === undefined ? 'no company code' : `company code ${companyCode}`}`;

/** With the lines themselves. */
export const splitText = (group: GroupPreview): string =>
  `${keyText(group)}: line${group.lines.length === 1 ? '' : 's'} ${group.lines.map(lineName).join(', ')}`;

export const cartName = ({
  number,
  guid,
}: {
  readonly number: string | undefined;
  readonly guid: string | undefined;
}): string => number ?? (guid === undefined ? 'without a number' : `without a number, GUID ${guid}`);

/** The name of a field inside its section: `tax.code`. */
export const fieldName = ({ field }: FieldPreview): string => field.replace(/^lines\[\d+\]\./, '');

export const lineName = ({ number }: { readonly number: string | undefined }): string => number ?? 'without a number';

/** @param limit the longest value of the cart that is shown */
export function sourceWords(
  { origin, sources }: FieldPreview,
  { line }: Section,
  lines: GroupPreview['lines'],
  limit: number,
): SourceWords {
  const words = (select: (source: SourceValue) => boolean): NamedValue[] => {
    const labelled = sources.filter(select).map((source) => ({ ...labelOf(source.path, line, lines), source }));
    const same = Map.groupBy(labelled, ({ label, source: { value, isReadBefore } }) =>
      JSON.stringify([label, value, isReadBefore]),
    );
    return [...same.values()].flatMap((group) => {
      const [first] = group;
      if (first === undefined) return [];
      const { label, source } = first;
      const numbers = group.flatMap(({ number }) => (number === undefined ? [] : [number]));
      const value = `${shortened(readable(source.value), limit)}${numbersText(numbers)}`.trim();
      return [{ name: `${source.isReadBefore ? READ_BEFORE : ''}${label}`, value }];
    });
  };
  const from = words(({ isNamed, value }) => isNamed && value !== '');
  return {
    from: from.length > 0 || origin === 'source' || origin === 'default' ? from : [{ name: '', value: origin }],
    empty: words(({ isNamed, value }) => isNamed && value === ''),
    beside: words(({ isNamed, value }) => !isNamed && value !== ''),
  };
}

/** All of it in one text. */
export function sourceText({ from, empty, beside }: SourceWords): string {
  return [
    ...(from.length === 0 ? [] : [namedText(from)]),
    ...(empty.length === 0 ? [] : [`${namedText(empty)} empty`]),
    ...(beside.length === 0 ? [] : [`beside: ${namedText(beside)}`]),
  ].join('; ');
}

export const namedText = (values: readonly NamedValue[]): string =>
  values.map(({ name, value }) => `${name} ${value}`.trim()).join(', ');

/** A date of SAP as people read it; any other value as it is. */
export function readable(value: string): string {
  const ms = edmInstantMs(value);
  return ms === undefined
    ? value
    : new Date(ms)
        .toISOString()
        .replace(/(T00:00:00)?\.000Z$/, (_, midnight?: string) => (midnight === undefined ? 'Z' : ''));
}

const shortened = (text: string, limit: number): string => (text.length <= limit ? text : `${text.slice(0, limit)}…`);

/** A path as it reads in its section: `Accounting[0].DistrPerc`, `cart.DescrLanguage`; the number of another line apart. */
function labelOf(path: string, own: Section['line'], lines: GroupPreview['lines']) {
  const [, item = '', inItem] = /^(\$\.Items\.results\[\d+\])\.(.*)$/.exec(path) ?? [];
  const label = (inItem ?? path.slice('$.'.length)).replaceAll('.results[', '[');
  if (inItem === undefined) return { label: own === undefined ? label : `cart.${label}`, number: undefined };
  if (own?.path === item) return { label, number: undefined };
  const line = lines.find((one) => one.path === item);
  // An outline row is no line.
  if (line === undefined) return { label: path.slice('$.'.length).replaceAll('.results[', '['), number: undefined };
  return { label, number: lineName(line) };
}

const MOST_NUMBERS = 4;

function numbersText(numbers: readonly string[]): string {
  if (numbers.length === 0) return '';
  const shown = numbers.slice(0, MOST_NUMBERS).join(', ');
  const more = numbers.length > MOST_NUMBERS ? ` and ${numbers.length - MOST_NUMBERS} more` : '';
  return ` (line${numbers.length === 1 ? '' : 's'} ${shown}${more})`;
}
