/**
 * What would become of a cart: its orders with the source of each value, or all faults. Nothing is read or sent. It is
 * data: as-text.ts, as-html.ts and as-csv.ts print it.
 */
import { identityMismatch } from '../../functions/create-purchase-orders/load-cart.ts';
import type { PurchaseOrder } from '../../functions/create-purchase-orders/translation/purchase-order.ts';
import type { RuleRow } from '../../functions/create-purchase-orders/translation/rule-table.ts';
import { itemFlags } from '../../functions/create-purchase-orders/translation/shopping-cart.ts';
import { valueAtPath } from '../../functions/create-purchase-orders/translation/source-quotes.ts';
import {
  type CartOrigin,
  type GroupTranslation,
  translateCart,
} from '../../functions/create-purchase-orders/translation/translate-cart.ts';
import type { CartMessage } from '../../shared/cart-message.ts';
import { asJsonObject, numberText } from '../../shared/exact-json.ts';
import type { Fault, Warning } from '../../shared/failure.ts';
import { sourceRow } from '../../shared/reading/source-row.ts';
import { isWhole, rowsOf } from '../../shared/reading/whole-cart.ts';
import { lineNumber, textOf } from '../../shared/sap-values.ts';
import { mappedFields } from '../docs/mapping.ts';
import { createReadRecorder, type Read, type RecordedGroup, type RecordedLookUp } from './record-reads.ts';

export type FieldValue = string | number | boolean;

/** A field of the cart that was read for a field of the order. */
export interface SourceValue {
  /** JSON path in the source row. */
  readonly path: string;
  readonly name: string;
  /** As SRM sent it; empty where there is nothing. */
  readonly value: string;
  /** The mapping row names it. Other fields are read for a check, or decide whether the value is made. */
  readonly isNamed: boolean;
  /** It was read when the order or its lines were prepared, and not by the rule itself. */
  readonly isReadBefore: boolean;
}

export interface FieldPreview {
  /** `lines[0].tax.code` */
  readonly field: string;
  /** `lines[].tax.code` */
  readonly target: string;
  /** Undefined where the field is left out, or could not be made. */
  readonly value: FieldValue | undefined;
  /** `default`: all fields that the mapping row names are empty. */
  readonly origin: 'source' | 'default' | 'constant' | 'computed';
  readonly sources: readonly SourceValue[];
  /** Of mapping.csv. */
  readonly row: number;
  readonly rule: string;
  readonly mandatory: RuleRow['mandatory'];
}

export interface LinePreview {
  readonly path: string;
  readonly number: string | undefined;
  readonly description: string | undefined;
}

/** The lines of one supplier, currency and company code. */
export interface GroupPreview {
  readonly kind: 'order' | 'faulty';
  readonly externalId: string | undefined;
  readonly supplier: string | undefined;
  readonly currency: string | undefined;
  readonly companyCode: string | undefined;
  readonly lines: readonly LinePreview[];
  readonly fields: readonly FieldPreview[];
  readonly faults: readonly Fault[];
  readonly warnings: readonly Warning[];
  /** Without it where a fault prevents the order. */
  readonly order?: PurchaseOrder;
  /** As it is sent. */
  readonly body?: string;
}

export interface CartPreview {
  readonly kind: 'orders' | 'skip' | 'faulty';
  readonly number: string | undefined;
  readonly guid: string | undefined;
  readonly description: string | undefined;
  /** Why a rule skips the cart. */
  readonly reason?: string;
  readonly groups: readonly GroupPreview[];
  /** Those of the whole cart; each group has its own. */
  readonly faults: readonly Fault[];
  readonly warnings: readonly Warning[];
  readonly droppedLines: readonly (LinePreview & { readonly reason: string })[];
  /** Fields of the cart that have a value and that no rule reads: `Items.ItmType`. */
  readonly unusedFields: readonly string[];
  /** The codes that were looked up in the value maps, and what they become. */
  readonly lookUps: readonly RecordedLookUp[];
  readonly notes: readonly string[];
}

/** The queue message that held the cart. */
export type Envelope = Pick<CartMessage, 'client' | 'cart'>;

export function previewCart(source: unknown, origin: Omit<CartOrigin, 'recorder'>, envelope?: Envelope): CartPreview {
  const recorder = createReadRecorder();
  const client = envelope?.client ?? origin.client;
  const translation = translateCart(source, { ...origin, client, recorder });
  const { number, guid } = sourceRow(typeof source === 'string' ? { source, faultOffset: 0 } : { source });
  const cart = {
    number,
    guid,
    description: textOf(asJsonObject(source)?.['Description']),
    groups: [],
    faults: [],
    warnings: [],
    droppedLines: [],
    unusedFields: [],
    lookUps: recorder.lookUps,
    notes: isWhole(source) ? [] : [NOT_WHOLE],
  };
  if (translation.kind === 'faulty') return { ...cart, kind: 'faulty', faults: translation.faults };
  const mismatch = envelope === undefined ? undefined : identityMismatch(envelope, source, origin.client);
  if (mismatch !== undefined) return { ...cart, kind: 'faulty', faults: [mismatch] };
  const droppedLines = translation.droppedLines.map(({ path, reason }) => ({ ...lineAt(source, path), reason }));
  if (translation.kind === 'skip') return { ...cart, kind: 'skip', reason: translation.reason, droppedLines };
  const groups = translation.groups.flatMap((made, index) => {
    const recorded = recorder.groups[index];
    return recorded === undefined ? [] : [groupPreview(made, recorded, source)];
  });
  return {
    ...cart,
    kind: 'orders',
    groups,
    warnings: translation.warnings,
    droppedLines,
    unusedFields: unusedFields(source, recorder.groups),
    notes: [...cart.notes, ...(translation.onlyIfNeverSent ? [ONLY_IF_NEVER_SENT] : [])],
  };
}

const NOT_WHOLE =
  'the cart came with links in the place of rows; the interface reads those from SRM, the preview does not';
const ONLY_IF_NEVER_SENT = 'the cart is completed in SRM: it is ordered only if it never was';

const lineAt = (source: unknown, path: string): LinePreview => ({
  path,
  number: lineNumber(valueAtPath(source, `${path}.NumberInt`)),
  description: textOf(valueAtPath(source, `${path}.Description`)),
});

function groupPreview(made: GroupTranslation, recorded: RecordedGroup, source: unknown): GroupPreview {
  const { vendorId, currency, companyCode, lines } = recorded.group;
  const group = {
    supplier: vendorId,
    currency,
    companyCode,
    lines: lines.map(({ path }) => lineAt(source, path)),
    fields: fieldPreviews(recorded, source),
  };
  if (made.kind === 'faulty')
    return { ...group, kind: 'faulty', externalId: made.externalId, faults: made.faults, warnings: [] };
  const { order, body, warnings } = made;
  return { ...group, kind: 'order', externalId: order.externalId, faults: [], warnings, order, body };
}

/** By target, with the list marks: `lines[].tax.code`. */
const RULES: ReadonlyMap<string, RuleRow> = new Map(mappedFields().map(({ target, rule }) => [target, rule]));

function fieldPreviews(recorded: RecordedGroup, source: unknown): FieldPreview[] {
  return recorded.fields.flatMap((field) => {
    const target = field.replaceAll(/\[\d+\]/g, '[]');
    const rule = RULES.get(target);
    // An object or a list has no row of its own.
    if (rule === undefined) return [];
    const sources = sourcesOf(field, rule, recorded, source);
    const { row, mandatory } = rule;
    return [
      {
        field,
        target,
        value: recorded.order && valueOf(recorded.order, field),
        origin: originOf(rule, sources),
        sources,
        row,
        rule: rule.rule,
        mandatory,
      },
    ];
  });
}

function sourcesOf(field: string, { source: names }: RuleRow, recorded: RecordedGroup, source: unknown): SourceValue[] {
  const byRule = recorded.readByRule(field);
  const pathsByRule = new Set(byRule.map(pathOf));
  const toSource = (read: Read, isReadBefore: boolean): SourceValue => {
    const path = pathOf(read);
    return {
      path,
      name: read.name,
      value: shownValue(valueAtPath(source, path)),
      isNamed: isNamed(read, names),
      isReadBefore,
    };
  };
  const before = recorded.readBefore(field, names).filter((read) => !pathsByRule.has(pathOf(read)));
  return [...byRule.map((read) => toSource(read, false)), ...before.map((read) => toSource(read, true))];
}

const pathOf = ({ entity, name }: Read): string => `${entity}.${name}`;

/** By its own name, or by the list that it stands in. */
const isNamed = ({ entity, name }: Read, names: readonly string[]): boolean =>
  names.includes(name) || names.some((list) => new RegExp(`\\.${list}\\.results\\[\\d+\\]$`).test(entity));

function originOf({ source, rule }: RuleRow, sources: readonly SourceValue[]): FieldPreview['origin'] {
  if (source.length === 0) return rule.startsWith('constant') ? 'constant' : 'computed';
  return sources.some(({ isNamed, value }) => isNamed && value !== '') ? 'source' : 'default';
}

function valueOf(order: PurchaseOrder, field: string): FieldValue | undefined {
  const value: unknown = valueAtPath({ order }, `$.order.${field}`);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : undefined;
}

/** They decide which carts and lines are ordered, before any rule. */
const DECIDING = [
  'VersionType',
  'Status',
  'DelInd',
  ...['Guid', 'ParentGuid', ...Object.keys(itemFlags.shape)].map((name) => `Items.${name}`),
];

function unusedFields(source: unknown, groups: readonly RecordedGroup[]): string[] {
  const reads = groups.flatMap(({ allReads }) => allReads);
  const used = new Set([...DECIDING, ...reads.map((read) => plainPath(pathOf(read)))]);
  const filled = filledFields(source).map(({ path }) => plainPath(path));
  return [...new Set(filled)].filter((name) => !used.has(name));
}

/** `$.Items.results[0].Unit` is `Items.Unit`. */
const plainPath = (path: string): string => path.replaceAll(/\.results\[\d+\]/g, '').replace(/^\$\./, '');

/** A field of the cart that has a value. */
export type CartField = Pick<SourceValue, 'path' | 'name' | 'value'>;

/** All of them, in the order of the row; those of a list where the list stands. */
export function filledFields(entity: unknown, at = '$'): CartField[] {
  return Object.entries(asJsonObject(entity) ?? {}).flatMap(([name, value]): CartField[] => {
    if (name === '__metadata') return [];
    const path = `${at}.${name}`;
    const rows = rowsOf(value);
    if (rows.length > 0) return rows.flatMap((row, index) => filledFields(row, `${path}.results[${index}]`));
    const isFilled = typeof value === 'string' ? textOf(value) !== undefined : numberText(value) !== undefined;
    return isFilled || value === true ? [{ path, name, value: shownValue(value) }] : [];
  });
}

/** As SRM sent it; empty where there is nothing. */
const shownValue = (value: unknown): string => (typeof value === 'boolean' ? String(value) : (textOf(value) ?? ''));
