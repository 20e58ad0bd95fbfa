/** Message Translator: one cart to its purchase orders, or to every fault it has. Pure. */
import type { Fault, FaultCode, Warning } from '../../../shared/failure.ts';
import { countRows } from '../../../shared/reading/whole-cart.ts';
import { firstFindings } from '../../../shared/recorded-faults.ts';
import { edmInstantMs, hasOffset, isInactiveVersion, rowChangedAtMs } from '../../../shared/sap-values.ts';
import type { TranslationSettings } from '../../../shared/translation-settings.ts';
import { type DroppedLine, faultsOfItems, type LineGroup, MOST_ROWS, selectAndGroup, tooLarge } from './groups.ts';
import { nameOf, orderRules, type PreparedOrder, prepareOrder } from './order-rules.ts';
import { canonicalBody } from './order-content.ts';
import { type PurchaseOrder, purchaseOrderSchema } from './purchase-order.ts';
import { applyRules, type OnLookUp, type RuleContext, type RuleRow, rowsOf, spreadsheetOf } from './rule-table.ts';
import { countUnknownProperties, readShoppingCart, type ShoppingCart, type SourceField } from './shopping-cart.ts';
import { keptText, type Quote, quoteFrom } from './source-quotes.ts';
import type { WireOrder } from './wire-order.ts';

/** One group of a cart: its order, or the faults that prevent it. A fault does not hold back the neighbours (rule 3). */
export type GroupTranslation =
  | {
      readonly kind: 'order';
      readonly order: PurchaseOrder;
      /** The order as 11VMS takes it, as canonical JSON. */
      readonly body: string;
      readonly warnings: readonly Warning[];
    }
  | { readonly kind: 'faulty'; readonly externalId: string | undefined; readonly faults: readonly Fault[] };

export type CartTranslation =
  | {
      readonly kind: 'orders';
      readonly changedAtMs: number;
      readonly groups: readonly GroupTranslation[];
      /** Lines that a rule left out (edge case 14). */
      readonly droppedLines: readonly DroppedLine[];
      /** A completed cart: ordered only if it never was. */
      readonly onlyIfNeverSent: boolean;
      /** Those that concern the whole cart. */
      readonly warnings: readonly Warning[];
      /** Contract drift (edge case 85). */
      readonly unknownProperties: number;
    }
  /** `isCancelled`: nothing of it is wanted any more, nor an order of an earlier version (edge case 18). */
  | {
      readonly kind: 'skip';
      readonly reason: string;
      readonly isCancelled: boolean;
      readonly changedAtMs: number;
      readonly droppedLines: readonly DroppedLine[];
    }
  /** The row as a whole breaks the contract. */
  | { readonly kind: 'faulty'; readonly faults: readonly Fault[] };

export type TranslatedCart = Extract<CartTranslation, { kind: 'orders' }>;

export interface CartOrigin {
  /** `sap-client`. */
  readonly client: string;
  readonly settings: TranslationSettings;
  readonly wire: WireOrder;
  /** The present date in UTC: earlier dates lie in the past (edge case 57). */
  readonly today: string;
  readonly recorder?: TranslationRecorder;
}

/**
 * Learns which fields of the cart each rule reads, and which codes are looked up. The preview has one; the translation is
 * the same without it.
 */
export interface TranslationRecorder {
  /** The same group, in rows that report what is read of them. */
  readonly watch: (group: LineGroup) => LineGroup;
  readonly onRule: (field: string) => void;
  readonly onLookUp: OnLookUp;
  /** The group has too many lines: no rule is applied to it. */
  readonly onRefused: (group: LineGroup) => void;
  /** Every rule of the group was applied. The order of a faulty group is not whole. */
  readonly onMade: (prepared: PreparedOrder, order: PurchaseOrder) => void;
}

export function translateCart(source: unknown, origin: CartOrigin): CartTranslation {
  // A change or historical version is skipped before its row is checked (edge case 20): a fault would count against the
  // active one.
  if (isInactiveVersion(source)) return skipInactive(source);
  // Before anything is made of a row: some bytes of a cart become some kilobytes here.
  const rows = countRows(source);
  if (rows > MOST_ROWS) return { kind: 'faulty', faults: [tooLarge(`${rows} rows, and a cart can have ${MOST_ROWS}`)] };
  const quote = quoteFrom(source);
  const read = readShoppingCart(source);
  if ('faults' in read)
    return { kind: 'faulty', faults: quote([...read.faults, ...faultsOfItems(source, origin.settings)]) };
  const cart = read.value;
  const selection = selectAndGroup(cart, origin.settings, origin.recorder?.onLookUp);
  const changedAtMs = edmInstantMs(cart.ChangedAt) ?? 0;
  if (selection.kind === 'faulty') {
    const groups = selection.groups.map((group) => translateGroup(group, origin, quote));
    const faults = groups.flatMap((group) => (group.kind === 'faulty' ? group.faults : []));
    return { kind: 'faulty', faults: firstFindings([...quote(selection.faults), ...faults]) };
  }
  if (selection.kind === 'skip') return { ...selection, changedAtMs };
  return {
    kind: 'orders',
    changedAtMs,
    groups: selection.groups.map((group) => translateGroup(group, origin, quote)),
    droppedLines: selection.droppedLines,
    onlyIfNeverSent: selection.onlyIfNeverSent,
    warnings: quote([...selection.warnings, ...offsetWarnings(cart)]),
    unknownProperties: countUnknownProperties(source),
  };
}

const skipInactive = (source: unknown): CartTranslation => ({
  kind: 'skip',
  reason: 'a change or historical version, not the active one',
  isCancelled: false,
  changedAtMs: rowChangedAtMs(source) ?? 0,
  droppedLines: [],
});

/** SAP normally sends +0000. Any other offset is read as UI5 reads it, with a warning. */
const offsetWarnings = (cart: ShoppingCart): Warning[] =>
  (['ChangedAt', 'ApprovedAt'] as const)
    .filter((name) => hasOffset(cart[name] ?? ''))
    .map((name) => ({
      code: 'W_DATE_OFFSET',
      message: 'an instant with an offset; subtracted to get UTC',
      path: `$.${name}`,
    }));

function translateGroup(
  group: LineGroup,
  { client, settings, wire, today, recorder }: CartOrigin,
  quote: Quote,
): GroupTranslation {
  const { length } = group.lines;
  if (length > settings.maximumLines) {
    recorder?.onRefused(group);
    const faults = quote([tooLarge(`${length} lines, and translation.maximumLines is ${settings.maximumLines}`)]);
    return { kind: 'faulty', externalId: nameOf(group, { client }), faults };
  }
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
    onRule: recorder?.onRule,
    onLookUp: recorder?.onLookUp,
  };
  const prepared = prepareOrder(recorder?.watch(group) ?? group, context);
  const order = applyRules(orderRules, prepared, context);
  recorder?.onMade(prepared, order);
  const body = canonicalBody(wire.toWire(order));
  const faults = [...context.faults, ...faultsOfTheWhole(order, body, prepared, context)];
  if (faults.length > 0) return { kind: 'faulty', externalId: prepared.externalId, faults: quote(faults) };
  return { kind: 'order', order, body, warnings: quote([...context.warnings, ...warningsOfTheWhole(body)]) };
}

/** No currency has more decimals, and 11VMS takes no more. */
const MOST_DECIMALS = 4;

/** The faults that no single rule sees: lengths and patterns of the target, the size of the body. */
function faultsOfTheWhole(
  order: PurchaseOrder,
  body: string,
  prepared: PreparedOrder,
  { settings, faults }: RuleContext,
): Fault[] {
  const bytes = Buffer.byteLength(body);
  const { maximumBodyBytes } = settings;
  const oversize =
    bytes > maximumBodyBytes
      ? [tooLarge(`${bytes} bytes, and translation.maximumBodyBytes is ${maximumBodyBytes}`)]
      : [];
  const reported = new Set([...faults, ...oversize].map(({ field }) => field));
  const parsed = purchaseOrderSchema.safeParse(order, { reportInput: true });
  const issues = (parsed.error?.issues ?? []).map((issue) => ({ issue, field: fieldName(issue.path) }));
  const wrong = issues.filter(({ issue, field }) => isMade(issue.input) && !reported.has(field));
  // A rule reports a fault when it cannot make its value. A missing value without a fault must not become an order.
  const missing = faults.length === 0 ? issues.filter(({ issue }) => !isMade(issue.input)) : [];
  return [
    ...oversize,
    ...[...wrong, ...missing].map(({ issue, field }): Fault => {
      const code = CODES_OF_ISSUES[issue.code] ?? 'E_FIELD_FORMAT';
      const { path, input } = issue;
      const message = isMade(input) ? issue.message : 'the field is empty';
      // A value that was computed stands nowhere in the source row.
      const computed = typeof input === 'string' && sourcesOf(path).length === 0 ? { value: keptText(input) } : {};
      return { code, message, field, path: sourcePath(path, prepared), ...computed };
    }),
  ];
}

const isMade = (value: unknown): boolean => value !== undefined && !(Array.isArray(value) && value.length === 0);

/** By zod's name of the check: `custom` is the length of a text, `too_big` that of a list; all others are patterns. */
const CODES_OF_ISSUES: Readonly<Record<string, FaultCode>> = { custom: 'E_FIELD_LENGTH', too_big: 'E_TGT_TOO_LARGE' };

/** Edge case 43: cleaning replaces lone surrogates by U+FFFD. */
const warningsOfTheWhole = (body: string): Warning[] =>
  body.includes('\ufffd')
    ? [{ code: 'W_TEXT_REPLACED', message: 'characters that no text can hold were replaced by U+FFFD', path: '$' }]
    : [];

const fieldName = (path: readonly PropertyKey[]): string =>
  path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .slice(1);

/** The rule of each target field. */
const RULES: ReadonlyMap<string, RuleRow> = new Map(rowsOf(spreadsheetOf(orderRules)));

/** The source fields of a target field; none where it is computed, as a total is from all lines. */
function sourcesOf(path: readonly PropertyKey[]): readonly SourceField[] {
  const field = path.filter((key) => typeof key === 'string').join('.');
  return path[0] === 'totals' ? [] : (RULES.get(field)?.source ?? []);
}

/** The source path of a target field: its rule names the source fields, and the innermost part with one is taken. */
function sourcePath(path: readonly PropertyKey[], { group: { cart, lines }, ...prepared }: PreparedOrder): string {
  const [lineIndex, shareIndex] = path.filter((key) => typeof key === 'number');
  const line = lineIndex === undefined ? undefined : prepared.lines[lineIndex];
  const share = shareIndex === undefined ? undefined : line?.accounting[shareIndex];
  const shipTo = path.includes('deliverTo') ? line?.deliverTo : prepared.address;
  // Innermost first. A value that the header takes from its lines comes from the first line.
  const sources = [
    share,
    path.includes('deliverTo') || path.includes('deliveryAddress') ? shipTo : undefined,
    line && { row: line.item, path: line.path },
    { row: cart, path: '$' },
    { row: lines[0].item, path: lines[0].path },
  ].filter((source) => source !== undefined);
  const found = sourcesOf(path).flatMap((name) =>
    sources.filter(({ row }) => Reflect.get(row, name) !== undefined).map((source) => `${source.path}.${name}`),
  );
  return found[0] ?? line?.path ?? '$';
}
