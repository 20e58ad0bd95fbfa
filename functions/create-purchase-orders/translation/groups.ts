/** Selection and grouping: which carts and lines are ordered, and which of them share an order. Source: rules.md. */
import { stripZeros } from '../../../shared/sap-values.ts';
import type { TranslationSettings } from '../../../shared/translation-settings.ts';
import type { ShoppingCart, ShoppingCartItem } from './shopping-cart.ts';

/** A line to be ordered, and where it stands in the source row. */
export interface CartLine {
  readonly item: ShoppingCartItem;
  /** JSON path of the item in the source row. */
  readonly path: string;
  /** Descriptions of its outline rows, outermost first (edge case 22). */
  readonly outlines: readonly string[];
  readonly cart: ShoppingCart;
}

/** One order's lines: same supplier, currency and company code (rule 3). */
export interface LineGroup {
  readonly cart: ShoppingCart;
  /** Vendor number without leading zeros; undefined while no source is assigned (edge case 25). */
  readonly vendorId: string | undefined;
  readonly currency: string | undefined;
  readonly companyCode: string | undefined;
  readonly lines: readonly CartLine[];
  /** True when the cart is this order and nothing else, so that their totals can be compared (mapping row 31). */
  readonly isWholeCart: boolean;
}

export type Selection =
  | { readonly kind: 'eligible'; readonly groups: readonly LineGroup[]; readonly droppedLines: number }
  /** Not for 11VMS, by a rule: audited, no alert. */
  | { readonly kind: 'skip'; readonly reason: string };

const isSet = (flag: string | undefined): boolean => flag === 'X' || flag === 'x';

/** Rules 1 to 3; edge cases 13 to 15, 20, 22, 24. */
export function selectAndGroup(cart: ShoppingCart, settings: TranslationSettings): Selection {
  const meaningOf = (status: string | undefined) =>
    status === undefined || !Object.hasOwn(settings.valueMaps.status, status)
      ? undefined
      : settings.valueMaps.status[status];

  if (cart.VersionType !== undefined)
    return { kind: 'skip', reason: 'a change or historical version, not the active one' };
  if (isSet(cart.DelInd)) return { kind: 'skip', reason: 'the cart is deleted' };
  const meaning = meaningOf(cart.Status);
  if (meaning === undefined) return { kind: 'skip', reason: `unknown status ${cart.Status ?? '(none)'}` };
  if (meaning !== 'approved' && meaning !== 'eligible') return { kind: 'skip', reason: `not approved: ${meaning}` };

  const all = cart.Items.map((item, index) => ({ item, path: `$.Items.results[${index}]` }));
  const isOutline = (item: ShoppingCartItem): boolean => isSet(item.OutlineInd);
  const isOrdered = (item: ShoppingCartItem): boolean => {
    const meaning = meaningOf(item.Status);
    return !isSet(item.DelInd) && meaning !== 'deleted' && meaning !== 'rejected' && meaning !== 'awaiting';
  };
  const outlineByGuid = new Map(
    all.filter(({ item }) => isOutline(item) && item.Guid !== undefined).map(({ item }) => [item.Guid, item]),
  );
  const lines = all
    .filter(({ item }) => !isOutline(item) && isOrdered(item))
    .map(({ item, path }): CartLine => ({ item, path, outlines: outlinesOf(item, outlineByGuid), cart }));
  if (lines.length === 0) return { kind: 'skip', reason: 'E_CART_EMPTY: no line is left to order' };

  const droppedLines = all.filter(({ item }) => !isOutline(item)).length - lines.length;
  const byKey = Map.groupBy(lines, (line) => JSON.stringify(groupKey(line)));
  const sameCurrency = lines.every(({ item }) => (item.Currency ?? cart.Currency) === cart.Currency);
  const groups = [...byKey.values()].map((members): LineGroup => {
    const [first] = members;
    const { vendorId, currency } = first === undefined ? {} : groupKey(first);
    return {
      cart,
      vendorId,
      currency,
      companyCode: cart.CoCode,
      lines: members,
      isWholeCart: byKey.size === 1 && droppedLines === 0 && sameCurrency,
    };
  });
  return { kind: 'eligible', groups, droppedLines };
}

function groupKey({ item, cart }: CartLine): { vendorId?: string; currency?: string } {
  const currency = (item.Currency ?? cart.Currency)?.toUpperCase();
  return {
    ...(item.VendorId === undefined ? {} : { vendorId: stripZeros(item.VendorId) }),
    ...(currency === undefined ? {} : { currency }),
  };
}

function outlinesOf(item: ShoppingCartItem, outlines: ReadonlyMap<string | undefined, ShoppingCartItem>): string[] {
  const texts: string[] = [];
  const seen = new Set<string>();
  let parent = item.ParentGuid;
  while (parent !== undefined && !seen.has(parent)) {
    seen.add(parent);
    const outline = outlines.get(parent);
    if (outline?.Description !== undefined) texts.unshift(outline.Description);
    parent = outline?.ParentGuid;
  }
  return texts;
}
