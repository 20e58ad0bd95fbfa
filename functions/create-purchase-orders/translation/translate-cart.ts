/** Message Translator: one cart to its purchase orders, or to every fault it has. Pure. */
import type { Fault, FaultCode } from '../../../shared/failure.ts';
import { edmInstantMs, stripZeros } from '../../../shared/sap-values.ts';
import type { TranslationSettings } from '../../../shared/translation-settings.ts';
import { type LineGroup, selectAndGroup } from './groups.ts';
import { externalIdOf, orderRules, prepareOrder } from './order-rules.ts';
import { type PurchaseOrder, purchaseOrderSchema } from './purchase-order.ts';
import { applyRules, type RuleContext } from './rule-table.ts';
import { readShoppingCart, type ShoppingCart } from './shopping-cart.ts';

/** One group of a cart: its order, or why there is none. A fault does not hold back the neighbours (rule 3). */
export type GroupTranslation =
  | { readonly kind: 'order'; readonly order: PurchaseOrder; readonly warnings: readonly Fault[] }
  | { readonly kind: 'faulty'; readonly externalId: string | undefined; readonly faults: readonly Fault[] };

export type CartTranslation =
  | { readonly kind: 'orders'; readonly changedAtMs: number; readonly groups: readonly GroupTranslation[] }
  | { readonly kind: 'skip'; readonly reason: string }
  /** The row as a whole breaks the contract. */
  | { readonly kind: 'faulty'; readonly faults: readonly Fault[] };

export interface CartOrigin {
  /** `sap-client`. */
  readonly client: string;
  readonly settings: TranslationSettings;
}

export function translateCart(source: unknown, origin: CartOrigin): CartTranslation {
  const read = readShoppingCart(source);
  if ('faults' in read) return { kind: 'faulty', faults: read.faults };
  const selection = selectAndGroup(read.cart, origin.settings);
  if (selection.kind === 'skip') return selection;
  return {
    kind: 'orders',
    changedAtMs: edmInstantMs(read.cart.ChangedAt) ?? 0,
    groups: selection.groups.map((group) => translateGroup(group, origin)),
  };
}

/** The cart's number as the ledger keys it: without leading zeros, which SRM sends or not. */
export const cartNumber = (cart: Pick<ShoppingCart, 'ObjectId'>): string | undefined =>
  cart.ObjectId === undefined ? undefined : stripZeros(cart.ObjectId);

function translateGroup(group: LineGroup, { client, settings }: CartOrigin): GroupTranslation {
  const { currencyDecimals } = settings.valueMaps;
  const known = group.currency !== undefined && Object.hasOwn(currencyDecimals, group.currency);
  const context: RuleContext = {
    settings,
    client,
    // An unknown currency is a fault by its own rule; 4 decimals keep the amounts from being blamed for it.
    decimals: known ? (currencyDecimals[group.currency ?? ''] ?? 4) : 4,
    field: '',
    faults: [],
    warnings: [],
  };
  const made = applyRules(orderRules, prepareOrder(group, context), context);
  const faults = context.faults.length > 0 ? context.faults : faultsOfTheWhole(made, group, settings);
  if (faults.length > 0) return { kind: 'faulty', externalId: externalIdOf(group, context), faults };
  return { kind: 'order', order: made, warnings: context.warnings };
}

/** What no single rule sees: lengths and patterns of the target, the number of lines, the size of the body. */
function faultsOfTheWhole(order: PurchaseOrder, { lines }: LineGroup, settings: TranslationSettings): readonly Fault[] {
  if (lines.length > settings.maximumLines) {
    return [
      { code: 'E_TGT_TOO_LARGE', message: `${lines.length} lines, at most ${settings.maximumLines}`, field: 'lines' },
    ];
  }
  const parsed = purchaseOrderSchema.safeParse(order);
  if (!parsed.success) {
    return parsed.error.issues.map((issue) => ({
      code: codeOfIssue(issue),
      message: issue.message,
      field: issue.path
        .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
        .join('')
        .slice(1),
    }));
  }
  const bytes = Buffer.byteLength(JSON.stringify(order));
  if (bytes > settings.maximumBodyBytes) {
    return [{ code: 'E_TGT_TOO_LARGE', message: `${bytes} bytes, at most ${settings.maximumBodyBytes}` }];
  }
  return [];
}

function codeOfIssue(issue: { code?: string | undefined; params?: unknown; input?: unknown }): FaultCode {
  const { code, params } = issue;
  if (code === 'too_big' || (typeof params === 'object' && params !== null && 'tooLong' in params))
    return 'E_FIELD_LENGTH';
  return code === 'invalid_type' ? 'E_FIELD_MISSING' : 'E_FIELD_FORMAT';
}
