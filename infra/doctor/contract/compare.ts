/** What came, held against what the contract expects, property by property. No value leaves this file. */
import { asJsonObject } from '../../../shared/exact-json.ts';
import { printable } from '../../../shared/printable-text.ts';
import { formOf } from './forms.ts';

/** As expected; longer than expected; written in a form that is not read; in no row; or not known to the contract. */
export type PropertyStatus = 'expected' | 'long' | 'unreadable' | 'missing' | 'unknown';

export interface PropertyReport {
  readonly entity: string;
  /** The contract's name; of an unknown property the one that came. */
  readonly property: string;
  readonly status: PropertyStatus;
  /** The contract's type; undefined for an unknown property. */
  readonly expected: string | undefined;
  /** In how many of the rows it stands. */
  readonly rows: number;
  /** How often it came in each form, the most frequent first. */
  readonly forms: Readonly<Record<string, number>>;
  /** Characters of its longest text. */
  readonly longest: number;
  /** What to do; undefined where there is nothing to do. */
  readonly advice: string | undefined;
}

export interface Entity {
  readonly name: string;
  /** Type by property, for those that are read. */
  readonly types: Readonly<Record<string, string>>;
  /** The contract has it, and nothing reads it. */
  readonly isUnused: (property: string) => boolean;
  /** What to do about a property that is missing, or unreadable. */
  readonly advise: (property: string, status: 'missing' | 'unreadable', candidates: readonly string[]) => string;
}

const LONGEST_NAME = 60;

/** One report a property: first those of the contract, in its order, then the unknown ones. */
export function compareRows(entity: Entity, rows: readonly unknown[]): PropertyReport[] {
  if (rows.length === 0) return [];
  const objects = rows.map((row) => asJsonObject(row) ?? {});
  const names = new Set(objects.flatMap((row) => Object.keys(row)));
  const unknown = [...names]
    .filter((name) => !Object.hasOwn(entity.types, name) && !name.startsWith('__') && !entity.isUnused(name))
    .map((name) => reportOn(entity, name, undefined, objects, undefined));
  const expected = Object.entries(entity.types).map(([name, type]) => {
    const candidates = unknown.filter(({ forms }) => mayBe(type, forms)).map(({ property }) => property);
    return reportOn(entity, name, type, objects, nearest(name, candidates));
  });
  return [...expected, ...unknown];
}

function reportOn(
  { name: entity, advise }: Entity,
  name: string,
  type: string | undefined,
  rows: readonly Readonly<Record<string, unknown>>[],
  candidates: readonly string[] | undefined,
): PropertyReport {
  const values = rows.filter((row) => Object.hasOwn(row, name)).map((row) => row[name]);
  const forms = values.map((value) => formOf(value, type ?? guessedType(value)));
  const counts = Map.groupBy(forms, (form) => form.name);
  const longest = values.reduce<number>(
    (most, value) => Math.max(most, typeof value === 'string' ? Array.from(value.trimEnd()).length : 0),
    0,
  );
  const status = statusOf(type, {
    isThere: values.length > 0,
    isRead: forms.every(({ isRead }) => isRead),
    isLong: longest > longestOf(type),
  });
  return {
    entity,
    property: printable(name, LONGEST_NAME),
    status,
    expected: type,
    rows: values.length,
    forms: Object.fromEntries(
      [...counts].map(([form, same]): [string, number] => [form, same.length]).sort((a, b) => b[1] - a[1]),
    ),
    longest,
    advice: status === 'missing' || status === 'unreadable' ? advise(name, status, candidates ?? []) : undefined,
  };
}

function statusOf(
  type: string | undefined,
  { isThere, isRead, isLong }: { readonly isThere: boolean; readonly isRead: boolean; readonly isLong: boolean },
): PropertyStatus {
  if (type === undefined) return 'unknown';
  if (!isThere) return 'missing';
  if (!isRead) return 'unreadable';
  return isLong ? 'long' : 'expected';
}

const longestOf = (type = ''): number => Number(/^String\((\d+)\)/.exec(type)?.[1] ?? Number.POSITIVE_INFINITY);

/** An unknown property is told by the most telling form that its value has. */
function guessedType(value: unknown): string {
  const types = ['Guid', 'DateTime', 'Flag', 'Decimal'];
  return (
    types.find((type) => formOf(value, type).isRead && !['null', 'blank'].includes(formOf(value, type).name)) ??
    'String'
  );
}

/** May a property with values of these forms be one of this type under another name? */
function mayBe(type: string, forms: Readonly<Record<string, number>>): boolean {
  const given = Object.keys(forms).filter((form) => form !== 'null' && form !== 'blank');
  if (given.length === 0) return false;
  const isText = type.startsWith('String');
  return given.every((form) => {
    if (form.startsWith('GUID')) return type === 'Guid';
    if (form.includes('ate')) return type.startsWith('DateTime');
    if (form === 'X' || form === 'true or false') return type === 'Flag';
    if (form === 'decimal as text' || form === 'number')
      return isText || type.startsWith('Decimal') || type === 'Int64';
    return isText && form === 'text';
  });
}

const MOST_CANDIDATES = 3;

/** Those whose names have most in common come first. */
function nearest(name: string, candidates: readonly string[]): string[] {
  return candidates
    .map((candidate) => ({ candidate, likeness: likeness(name, candidate) }))
    .sort((a, b) => b.likeness - a.likeness)
    .slice(0, MOST_CANDIDATES)
    .map(({ candidate }) => candidate);
}

/** Of two names: the share of their pairs of letters that they have in common (Dice). */
function likeness(left: string, right: string): number {
  const [a, b] = [pairs(left), pairs(right)];
  const common = [...a].filter((pair) => b.has(pair)).length;
  return (2 * common) / Math.max(1, a.size + b.size);
}

const pairs = (name: string): Set<string> => {
  const letters = name.toLowerCase().replaceAll(/[^a-z\d]/g, '');
  return new Set(
    Array.from({ length: Math.max(0, letters.length - 1) }, (_, index) => letters.slice(index, index + 2)),
  );
};
