/**
 * The mapping as data: one typed rule per target field, keyed by the field, so that a field without a rule does not
 * compile, every fault of a cart is reported at once, and the tables print themselves as the mapping spreadsheet.
 */
import type { Fault, FaultCode, Warning, WarningCode } from '../../../shared/failure.ts';
import type { TranslationSettings, ValueMapName } from '../../../shared/translation-settings.ts';
import type { SourceField } from './shopping-cart.ts';

/** A rule's row in the spreadsheet. */
export interface RuleRow {
  /** Row of mapping.csv. */
  readonly row: number;
  /** The fields of the source that it reads. */
  readonly source: readonly SourceField[];
  readonly rule: string;
  /** M mandatory, O optional, C by condition, cfg by configuration. */
  readonly mandatory: 'M' | 'O' | 'C' | 'cfg';
  /** The codes it can report. */
  readonly codes: readonly FaultCode[];
}

/** What a rule may use beside its source, and where it reports. */
export interface RuleContext {
  readonly settings: TranslationSettings;
  /** `sap-client`. */
  readonly client: string;
  /** The present date in UTC: earlier dates lie in the past. */
  readonly today: string;
  /** Decimals of the order's currency. For an unknown one the most that exist, so that no amount is too precise. */
  readonly decimals: number;
  /** False: amounts are not compared, since the size of a minor unit is unknown. */
  readonly isCurrencyKnown: boolean;
  /** The target field that the rule makes. */
  readonly field: string;
  readonly faults: Fault[];
  readonly warnings: Warning[];
  /** The translation calls it before it applies the rule of a field. */
  readonly onRule?: ((field: string) => void) | undefined;
  /** The translation calls it with each code that it looks up. */
  readonly onLookUp?: OnLookUp | undefined;
}

/** A code that was looked up in a value map. */
export interface LookUp {
  readonly map: ValueMapName;
  readonly code: string;
  /** What it becomes. Undefined where the map has no entry, and lets no code pass. */
  readonly value: string | number | undefined;
  /** False where the code passes as it is (mode `identity`), and where nothing is found. */
  readonly isListed: boolean;
  /** The target field; undefined for a status, which decides before any field is made. */
  readonly field?: string;
}
export type OnLookUp = (lookUp: LookUp) => void;

/** The rows of a table, by target field. */
export interface Spreadsheet {
  readonly [field: string]: RuleRow | Spreadsheet;
}

export interface Rule<Source, Value> {
  readonly spreadsheet: RuleRow | Spreadsheet;
  readonly apply: (source: Source, context: RuleContext) => Value | undefined;
}

/** One rule for each field of the target. */
export type RuleTable<Source, Target> = {
  readonly [Field in keyof Target]-?: Rule<Source, NonNullable<Target[Field]>>;
};

/**
 * Reports a fault for the context's field, with its JSON path in the source row: source-quotes.ts adds the value there.
 * Returns undefined, so that a rule can return it.
 */
export function fault({ field, faults }: RuleContext, code: FaultCode, message: string, path: string): undefined {
  faults.push({ code, message, field, path });
}

/** Reports something that was handled but is worth knowing. */
export function warn({ field, warnings }: RuleContext, code: WarningCode, message: string, path: string): undefined {
  warnings.push({ code, message, field, path });
}

/** The same context, for a field below the context's field. */
export const within = (context: RuleContext, name: string): RuleContext => ({
  ...context,
  field: `${context.field}.${name}`,
});

/** A rule for a single value. */
export const value = <Source, Value>(
  spreadsheet: RuleRow,
  apply: (source: Source, context: RuleContext) => Value | undefined,
): Rule<Source, Value> => ({ spreadsheet, apply });

/** A nested object by its own table; left out when none of its fields has a value. */
export const object = <Source, Target extends object>(table: RuleTable<Source, Target>): Rule<Source, Target> => ({
  spreadsheet: spreadsheetOf(table),
  apply: (source, context) => {
    const result = applyRules(table, source, context);
    return Object.keys(result).length === 0 ? undefined : result;
  },
});

/** A list: one object by the table for each element. */
export const list = <Source, Element, Target extends object>(
  elements: (source: Source, context: RuleContext) => readonly Element[],
  table: RuleTable<Element, Target>,
): Rule<Source, Target[]> => ({
  spreadsheet: spreadsheetOf(table),
  apply: (source, context) =>
    elements(source, context).map((element, index) =>
      applyRules(table, element, { ...context, field: `${context.field}[${index}]` }),
    ),
});

/** The rows of a table, nested as its target is. */
export const spreadsheetOf = <Source, Target extends object>(table: RuleTable<Source, Target>): Spreadsheet =>
  Object.fromEntries(
    Object.entries<Rule<Source, unknown>>(table).map(([field, { spreadsheet }]) => [field, spreadsheet]),
  );

/** Every row of a spreadsheet, by the full name of its field: `lines.tax.code`. */
export const rowsOf = (sheet: Spreadsheet, prefix = ''): [field: string, row: RuleRow][] =>
  Object.entries(sheet).flatMap(([name, rows]) =>
    isRow(rows) ? [[prefix + name, rows]] : rowsOf(rows, `${prefix}${name}.`),
  );

const isRow = (rows: RuleRow | Spreadsheet): rows is RuleRow => typeof rows['row'] === 'number';

/** Applies every rule of a table, in its order. Absent values are left out, so that no key is ever null. */
export function applyRules<Source, Target extends object>(
  table: RuleTable<Source, Target>,
  source: Source,
  context: RuleContext,
): Target {
  const prefix = context.field === '' ? '' : `${context.field}.`;
  const result: Record<string, unknown> = {};
  for (const [name, rule] of Object.entries<Rule<Source, unknown>>(table)) {
    const field = prefix + name;
    context.onRule?.(field);
    const made = rule.apply(source, { ...context, field });
    if (made !== undefined) result[name] = made;
  }
  // oxlint-disable-next-line no-unsafe-type-assertion -- the caller parses the whole by the target's schema
  return result as Target;
}
