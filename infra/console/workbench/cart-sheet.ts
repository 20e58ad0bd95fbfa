/** One order beside the cart that it comes from: what the three columns of the workbench hold, and what belongs together. */
import type { Fault, Warning } from '../../../shared/failure.ts';
import { type CartField, type FieldPreview, filledFields, type GroupPreview } from '../../preview/preview-cart.ts';
import { maskSource } from '../../preview/mask.ts';
import { fieldName, lineName, sectionsOf } from '../../preview/source-words.ts';

/** A row of a column. Rows that share a mark belong together: a mark is a field of the order. */
export interface SheetRow {
  /** Of the element. */
  readonly id: string;
  readonly marks: readonly number[];
}

export interface SourceRow extends SheetRow {
  /** Inside its section: `Accounting[0].DistrPerc`. */
  readonly label: string;
  readonly value: string;
  /** A rule reads it. */
  readonly isRead: boolean;
  readonly findings: readonly Finding[];
}

export interface RuleRow extends SheetRow {
  readonly row: number;
  readonly rule: string;
  readonly mandatory: FieldPreview['mandatory'];
}

export interface TargetRow extends SheetRow {
  readonly label: string;
  readonly field: FieldPreview;
  readonly ruleId: string;
  readonly sources: readonly { readonly id: string; readonly label: string; readonly isNamed: boolean }[];
  readonly findings: readonly Finding[];
}

export interface SheetSection<Row> {
  readonly title: string;
  readonly rows: readonly Row[];
}

export interface Sheet {
  readonly source: readonly SheetSection<SourceRow>[];
  readonly rules: readonly RuleRow[];
  readonly target: readonly SheetSection<TargetRow>[];
  /** Fields of the order that nothing fills. */
  readonly unfilled: readonly string[];
  /** Where a finding stands, by its `path` and its `field`. */
  readonly idOf: (place: string) => string | undefined;
}

export type Finding = Fault | Warning;

export interface SheetOptions {
  /** Begins every id: a page holds several orders. */
  readonly prefix: string;
  readonly isMasked: boolean;
}

/** @param group as it is shown: masked, or not. @param findings those of the whole cart, too */
export function sheetOf(
  group: GroupPreview,
  source: unknown,
  findings: readonly Finding[],
  { prefix, isMasked }: SheetOptions,
): Sheet {
  const byField = Map.groupBy(findings, ({ field }) => field ?? '');
  const byPath = Map.groupBy(findings, ({ path }) => path ?? '');
  const sections = sectionsOf(group);
  const isShown = ({ field, value, origin }: FieldPreview): boolean =>
    value !== undefined || origin === 'source' || byField.has(field);
  const shown = sections.flatMap(({ fields }) => fields.filter(isShown));
  const markOf = new Map(shown.map((field, index) => [field, index]));
  const marksByPath = marksBy(shown, ({ sources }) => new Set(sources.map(({ path }) => path)));

  const ruleKey = ({ row, rule }: Pick<FieldPreview, 'row' | 'rule'>): string => `${row} ${rule}`;
  const distinctRules = [...new Map(shown.map((field) => [ruleKey(field), field])).values()]
    .map(({ row, rule, mandatory }) => ({ row, rule, mandatory }))
    .toSorted((one, other) => one.row - other.row);
  const marksByRule = marksBy(shown, (field) => [ruleKey(field)]);
  const rules = distinctRules.map(
    (rule, index): RuleRow => ({
      ...rule,
      id: `${prefix}m${index}`,
      marks: marksByRule.get(ruleKey(rule)) ?? [],
    }),
  );
  const ruleIds = new Map(rules.map((rule) => [ruleKey(rule), rule.id]));

  const lines = new Set(group.lines.map(({ path }) => path));
  const cartFields = sourceFields(source, shown, [...byPath.keys()], lines).map((field, index) => ({
    ...(isMasked ? maskSource(field) : field),
    id: `${prefix}s${index}`,
  }));
  const sourceIds = new Map(cartFields.map(({ path, id }) => [path, id]));
  const target = sections.map(({ line, fields }) => ({
    title: line === undefined ? 'Header' : `Line ${lineName(line)}`,
    rows: fields.filter(isShown).map((field): TargetRow => {
      const mark = markOf.get(field) ?? 0;
      return {
        id: `${prefix}t${mark}`,
        marks: [mark],
        label: fieldName(field),
        field,
        ruleId: ruleIds.get(ruleKey(field)) ?? '',
        sources: field.sources.flatMap(({ path, isNamed }) => {
          const id = sourceIds.get(path);
          return id === undefined ? [] : [{ id, label: shortPath(path), isNamed }];
        }),
        findings: byField.get(field.field) ?? [],
      };
    }),
  }));
  const targetIds = new Map(target.flatMap(({ rows }) => rows.map(({ id, field }) => [field.field, id] as const)));
  return {
    source: sourceSections(cartFields, group, (field) => ({
      id: field.id,
      marks: marksByPath.get(field.path) ?? [],
      label: labelInSection(field.path),
      value: field.value,
      isRead: marksByPath.has(field.path),
      findings: byPath.get(field.path) ?? [],
    })),
    rules,
    target,
    unfilled: sections.flatMap(({ fields }) => fields.filter((field) => !isShown(field)).map(({ field }) => field)),
    idOf: (place) => sourceIds.get(place) ?? targetIds.get(place),
  };
}

/** The marks of the fields that belong to each key. */
function marksBy(
  shown: readonly FieldPreview[],
  keysOf: (field: FieldPreview) => Iterable<string>,
): ReadonlyMap<string, readonly number[]> {
  const marks = new Map<string, number[]>();
  for (const [mark, field] of shown.entries()) {
    for (const key of keysOf(field)) {
      const found = marks.get(key);
      if (found === undefined) marks.set(key, [mark]);
      else found.push(mark);
    }
  }
  return marks;
}

/** Of a cart of which no order can be made at all: where its faults stand. */
export function faultyCartSheet(source: unknown, findings: readonly Finding[], options: SheetOptions): Sheet {
  const noGroup: GroupPreview = {
    kind: 'faulty',
    externalId: undefined,
    supplier: undefined,
    currency: undefined,
    companyCode: undefined,
    lines: [],
    fields: [],
    faults: [],
    warnings: [],
  };
  const paths = filledFields(source).flatMap(({ path }) => itemOf(path) ?? []);
  const lines = [...new Set(paths)].map((path) => ({ path, number: undefined, description: undefined }));
  return sheetOf({ ...noGroup, lines }, source, findings, options);
}

const itemOf = (path: string): string | undefined => /^\$\.Items\.results\[\d+\]/.exec(path)?.[0];

/** The filled fields of the header and of these lines, and what else a rule read or a finding names. */
function sourceFields(
  source: unknown,
  shown: readonly FieldPreview[],
  findingPaths: readonly string[],
  lines: ReadonlySet<string>,
): CartField[] {
  const filled = filledFields(source);
  const known = new Set(filled.map(({ path }) => path));
  const named = shown.flatMap(({ sources }) => sources);
  const wanted = new Set([...named.map(({ path }) => path), ...findingPaths]);
  const isOfOrder = (path: string): boolean => {
    const item = itemOf(path);
    return item === undefined || lines.has(item);
  };
  const empty = [
    ...named,
    ...findingPaths
      .filter((path) => path !== '' && isOfOrder(path))
      .map((path) => ({ path, name: path.split('.').at(-1) ?? '', value: '' })),
  ].filter(({ path }) => !known.has(path));
  return [
    ...filled.filter(({ path }) => wanted.has(path) || isOfOrder(path)),
    ...new Map(empty.map(({ path, name, value }) => [path, { path, name, value }])).values(),
  ];
}

function sourceSections<Field extends CartField>(
  fields: readonly Field[],
  { lines }: GroupPreview,
  toRow: (field: Field) => SourceRow,
): SheetSection<SourceRow>[] {
  const byItem = Map.groupBy(fields, ({ path }) => itemOf(path));
  const lineOf = new Map(lines.map((line) => [line.path, line]));
  return [...byItem].map(([item, ofItem]) => {
    const line = item === undefined ? undefined : lineOf.get(item);
    const title =
      item === undefined ? 'Header' : line?.number === undefined ? shortPath(item) : `Line ${lineName(line)}`;
    return { title, rows: ofItem.map(toRow) };
  });
}

/** `Items[0].Unit` for `$.Items.results[0].Unit` */
export const shortPath = (path: string): string =>
  path.replace(/^\$\.?/, '').replaceAll('.results[', '[') || 'the cart';

const labelInSection = (path: string): string => {
  const item = itemOf(path);
  if (item === undefined) return shortPath(path);
  return path === item ? 'the line itself' : shortPath(path.slice(item.length + 1));
};
