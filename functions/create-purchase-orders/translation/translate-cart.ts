/** Message Translator: one cart to its purchase orders, or to every fault it has. Pure. */
import type { Fault, FaultCode } from '../../../shared/failure.ts';
import { edmInstantMs, hasOffset } from '../../../shared/sap-values.ts';
import type { TranslationSettings } from '../../../shared/translation-settings.ts';
import { type LineGroup, selectAndGroup } from './groups.ts';
import { externalIdOf, orderRules, type PreparedOrder, prepareOrder } from './order-rules.ts';
import { type PurchaseOrder, purchaseOrderSchema } from './purchase-order.ts';
import { applyRules, type RuleContext, type RuleRow, type Spreadsheet, spreadsheetOf } from './rule-table.ts';
import { countUnknownProperties, readShoppingCart, type ShoppingCart } from './shopping-cart.ts';

/** One group of a cart: its order, or why there is none. A fault does not hold back the neighbours (rule 3). */
export type GroupTranslation =
  | { readonly kind: 'order'; readonly order: PurchaseOrder; readonly warnings: readonly Fault[] }
  | { readonly kind: 'faulty'; readonly externalId: string | undefined; readonly faults: readonly Fault[] };

export type CartTranslation =
  | {
      readonly kind: 'orders';
      readonly changedAtMs: number;
      readonly groups: readonly GroupTranslation[];
      /** Lines that a rule left out (edge case 14). */
      readonly droppedLines: number;
      /** A completed cart: ordered only if it never was. */
      readonly onlyIfNeverSent: boolean;
      /** What concerns the whole cart. */
      readonly warnings: readonly Fault[];
      /** Contract drift (edge case 85). */
      readonly unknownProperties: number;
    }
  /** `isCancelled`: deleted or rejected, so that an order made of it earlier has lost its ground (edge case 18). */
  | { readonly kind: 'skip'; readonly reason: string; readonly isCancelled: boolean; readonly changedAtMs: number }
  /** The row as a whole breaks the contract. */
  | { readonly kind: 'faulty'; readonly faults: readonly Fault[] };

export interface CartOrigin {
  /** `sap-client`. */
  readonly client: string;
  readonly settings: TranslationSettings;
  /** The calendar date of now, for what lies in the past (edge case 57). */
  readonly today: string;
}

export function translateCart(source: unknown, origin: CartOrigin): CartTranslation {
  const read = readShoppingCart(source);
  if ('faults' in read) return { kind: 'faulty', faults: read.faults };
  const cart = read.value;
  const selection = selectAndGroup(cart, origin.settings);
  const changedAtMs = edmInstantMs(cart.ChangedAt) ?? 0;
  if (selection.kind === 'faulty') return selection;
  if (selection.kind === 'skip') return { ...selection, changedAtMs };
  return {
    kind: 'orders',
    changedAtMs,
    groups: selection.groups.map((group) => translateGroup(group, origin)),
    droppedLines: selection.droppedLines,
    onlyIfNeverSent: selection.onlyIfNeverSent,
    warnings: [...selection.warnings, ...offsetWarnings(cart)],
    unknownProperties: countUnknownProperties(source),
  };
}

/** SAP normally sends +0000; anything else is read as UI5 reads it, and told. */
const offsetWarnings = (cart: ShoppingCart): Fault[] =>
  (['ChangedAt', 'ApprovedAt'] as const)
    .filter((name) => hasOffset(cart[name] ?? ''))
    .map((name) => ({
      code: 'E_DATE_INVALID',
      message: 'an instant with an offset; subtracted to get UTC',
      path: `$.${name}`,
    }));

function translateGroup(group: LineGroup, { client, settings, today }: CartOrigin): GroupTranslation {
  const decimals = settings.valueMaps.currencyDecimals[group.currency ?? ''];
  const context: RuleContext = {
    settings,
    client,
    today,
    decimals: decimals ?? MOST_DECIMALS,
    isCurrencyKnown: decimals !== undefined,
    field: '',
    faults: [],
    warnings: [],
  };
  const prepared = prepareOrder(group, context);
  const order = applyRules(orderRules, prepared, context);
  const { warnings } = context;
  const faults = [...context.faults, ...faultsOfTheWhole(order, prepared, context)];
  if (faults.length > 0) return { kind: 'faulty', externalId: prepared.externalId, faults };
  return { kind: 'order', order, warnings: [...warnings, ...replacedCharacters(order)] };
}

/** No currency has more, and 11VMS takes no more. */
const MOST_DECIMALS = 4;

/** What no single rule sees: lengths and patterns of the target, the number of lines, the size of the body. */
function faultsOfTheWhole(order: PurchaseOrder, prepared: PreparedOrder, context: RuleContext): Fault[] {
  const { maximumLines, maximumBodyBytes } = context.settings;
  const lines = prepared.lines.length;
  const bytes = Buffer.byteLength(JSON.stringify(order));
  const tooLarge = [
    ...(lines > maximumLines ? [`${lines} lines, at most ${maximumLines}`] : []),
    ...(bytes > maximumBodyBytes ? [`${bytes} bytes, at most ${maximumBodyBytes}`] : []),
  ].map((message): Fault => ({ code: 'E_TGT_TOO_LARGE', message, field: 'lines', path: '$.Items' }));
  const reported = new Set([...context.faults, ...tooLarge].map(({ field }) => field));
  const issues = (purchaseOrderSchema.safeParse(order).error?.issues ?? []).map((issue) => ({
    ...issue,
    field: fieldName(issue.path),
    value: valueAt(order, issue.path),
  }));
  const [made, absent] = [true, false].map((isMade) =>
    issues
      .filter(({ value }) => isMade === (value !== undefined && value !== ''))
      .filter(({ field }) => !reported.has(field))
      .map((issue) => issueToFault(issue, prepared)),
  );
  return [];
}
function translateGroup(group: LineGroup, { client, settings, today }: CartOrigin): GroupTranslation {
  const { currencyDecimals } = settings.valueMaps;
  const currency = group.currency ?? '';
  const context: RuleContext = {
    settings,
    client,
    today,
    // An unknown currency is a fault by its own rule; 4 decimals keep the amounts from being blamed for it.
    decimals: Object.hasOwn(currencyDecimals, currency) ? (currencyDecimals[currency] ?? 4) : 4,
    field: '',
    faults: [],
    warnings: [],
  };
  const prepared = prepareOrder(group, context);
  const order = applyRules(orderRules, prepared, context);
  const faults = context.faults.length > 0 ? context.faults : faultsOfTheWhole(order, prepared, context);
  if (faults.length > 0) return { kind: 'faulty', externalId: externalIdOf(group, context), faults };
  return { kind: 'order', order, warnings: context.warnings };
}

/** What no single rule sees: lengths and patterns of the target, the number of lines, the size of the body. */
function faultsOfTheWhole(order: PurchaseOrder, prepared: PreparedOrder, context: RuleContext): readonly Fault[] {
  const { maximumLines, maximumBodyBytes } = context.settings;
  if (prepared.lines.length > maximumLines) {
    return [
      { code: 'E_TGT_TOO_LARGE', message: `${prepared.lines.length} lines, at most ${maximumLines}`, field: 'lines' },
    ];
  }
  const parsed = purchaseOrderSchema.safeParse(order);
  if (!parsed.success) {
    return parsed.error.issues.map((issue) => ({
      code: codeOfIssue(issue),
      message: issue.message,
      field: fieldName(issue.path),
      ...sourceOf(issue.path, prepared),
    }));
  }
  const body = JSON.stringify(order);
  const bytes = Buffer.byteLength(body);
  if (bytes > maximumBodyBytes)
    return [{ code: 'E_TGT_TOO_LARGE', message: `${bytes} bytes, at most ${maximumBodyBytes}` }];
  if (body.includes('\ufffd')) {
    const message = 'characters that no text can hold were replaced by U+FFFD';
    context.warnings.push({ code: 'E_FIELD_FORMAT', message });
  }
  return [];
}

function codeOfIssue(issue: { code?: string | undefined; params?: unknown }): FaultCode {
  const { code, params } = issue;
  if (code === 'too_big' || (typeof params === 'object' && params !== null && 'tooLong' in params))
    return 'E_FIELD_LENGTH';
  return code === 'invalid_type' ? 'E_FIELD_MISSING' : 'E_FIELD_FORMAT';
}

const fieldName = (path: readonly PropertyKey[]): string =>
  path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .slice(1);

/** Where a target field came from: by the rule that made it, and the line that it was made of. */
function sourceOf(path: readonly PropertyKey[], { lines }: PreparedOrder): Pick<Fault, 'path'> {
  const names = path.filter((key) => typeof key === 'string');
  const [lineIndex, shareIndex] = path.filter((key) => typeof key === 'number');
  const row = rowAt(spreadsheetOf(orderRules), names);
  const name = /^[A-Z]\w+/.exec(row?.source ?? '')?.[0];
  if (name === undefined) return {};
  const line = path[0] === 'lines' && lineIndex !== undefined ? lines[lineIndex] : undefined;
  const share = shareIndex === undefined ? undefined : line?.accounting[shareIndex];
  return { path: `${share?.path ?? line?.path ?? '$'}.${name}` };
}

function rowAt(sheet: Spreadsheet, names: readonly string[]): RuleRow | undefined {
  let rows: RuleRow | Spreadsheet | undefined = sheet;
  for (const name of names) {
    if (rows === undefined || isRow(rows)) break;
    rows = rows[name];
  }
  return rows !== undefined && isRow(rows) ? rows : undefined;
}

const isRow = (rows: RuleRow | Spreadsheet): rows is RuleRow => typeof rows['rule'] === 'string';
