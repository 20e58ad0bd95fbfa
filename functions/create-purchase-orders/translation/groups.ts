/** Selection and grouping: which carts and lines are ordered, and which of them share an order. rules.md. */
import type { Fault, Warning } from '../../../shared/failure.ts';
import { stripZeros } from '../../../shared/sap-values.ts';
import type { TranslationSettings } from '../../../shared/translation-settings.ts';
import { noEntry } from './conversions.ts';
import {
  itemsOf,
  type Outline,
  readItem,
  readItemFlags,
  readOutline,
  type ShoppingCart,
  type ShoppingCartItem,
} from './shopping-cart.ts';
import type { OnLookUp } from './rule-table.ts';
import { upperCase } from './text.ts';

/** No order that 11VMS takes has as many lines, accounts, partners and texts together. */
export const MOST_ROWS = 10_000;
/** No cart has as many suppliers. Each order takes a call, and more would keep the other carts of the batch waiting. */
const MOST_ORDERS = 50;
/** No hierarchy is as deep. */
const MOST_OUTLINES = 100;
/** Longer than any purchase request of an order. An operator's pattern may take a time that grows fast with the text. */
const LONGEST_FILTERED = 40;

interface LocatedOutline {
  readonly row: Outline;
  readonly path: string;
}

/** A line to be ordered, and where it stands in the source row. */
export interface CartLine {
  readonly item: ShoppingCartItem;
  /** JSON path of the item in the source row. */
  readonly path: string;
  /** Its outline rows, outermost first (edge case 22). Lines with the same parent share the list. */
  readonly outlines: readonly LocatedOutline[];
  readonly cart: ShoppingCart;
}

/** One order's lines: same supplier, currency and company code (rule 3). */
export interface LineGroup {
  readonly cart: ShoppingCart;
  /** Vendor number without leading zeros; undefined while no source is assigned (edge case 25). */
  readonly vendorId: string | undefined;
  /** Upper-case. */
  readonly currency: string | undefined;
  readonly companyCode: string | undefined;
  readonly lines: readonly [CartLine, ...CartLine[]];
  /** False when a line of the cart could not be read: what the other lines lack, it may have. */
  readonly isComplete: boolean;
  /** True when the cart is this order and nothing else, so that their totals can be compared (mapping row 31). */
  readonly isWholeCart: boolean;
}

/** A line that is not ordered. */
export interface DroppedLine {
  /** JSON path of the item in the source row. */
  readonly path: string;
  readonly reason: string;
}

export type Selection =
  | {
      readonly kind: 'eligible';
      readonly groups: readonly LineGroup[];
      /** Deleted, rejected, awaiting or filtered (edge case 14). */
      readonly droppedLines: readonly DroppedLine[];
      /** A completed cart is ordered only if it never was (source-srm7.md, "Statuses"). */
      readonly onlyIfNeverSent: boolean;
      readonly warnings: readonly Warning[];
    }
  /** A rule skips the cart. `isCancelled`: for good, and an earlier version of it may have been ordered (edge case 18). */
  | {
      readonly kind: 'skip';
      readonly reason: string;
      readonly isCancelled: boolean;
      readonly droppedLines: readonly DroppedLine[];
    }
  /** `groups`: those of the lines that can be read, for their faults. */
  | { readonly kind: 'faulty'; readonly faults: readonly Fault[]; readonly groups: readonly LineGroup[] };

type Meaning = TranslationSettings['valueMaps']['status'][string];

type Skip = Extract<Selection, { kind: 'skip' }>;

const skip = (reason: string, isCancelled = false, droppedLines: readonly DroppedLine[] = []): Skip => ({
  kind: 'skip',
  reason,
  isCancelled,
  droppedLines,
});

/** Rules 1 to 3, of an active version; edge cases 13 to 15, 18, 22 to 24. */
export function selectAndGroup(cart: ShoppingCart, settings: TranslationSettings, onLookUp?: OnLookUp): Selection {
  if (cart.DelInd === true) return skip('the cart is deleted', true);
  if (cart.Status === undefined) return { kind: 'faulty', faults: [NO_STATUS], groups: [] };
  const meaning = meaningOf(cart.Status, settings, onLookUp);
  if (meaning === undefined) return { kind: 'faulty', faults: [unknownStatus(cart.Status)], groups: [] };
  if (!isApproved(meaning)) return skip(`not approved: ${meaning}`, isCancelled(meaning));

  const { lines, faults, warnings, droppedLines, awaitingLines } = readLines(cart.Items, settings, onLookUp);
  const isComplete = faults.length === 0;
  const groups = group(
    cart,
    lines.map((line) => ({ ...line, cart })),
    { droppedLines, isComplete },
  );
  const tooMany = faultOfOrders(cart, groups.length);
  if (tooMany !== undefined) return { kind: 'faulty', faults: [...faults, tooMany], groups: [] };
  // A row whose structure breaks the contract fails as a whole, together with what the rules find in the rest of it.
  if (!isComplete) return { kind: 'faulty', faults, groups };
  if (lines.length === 0) {
    const isAwaiting = droppedLines.length > 0 && awaitingLines === droppedLines.length;
    return skip('E_CART_EMPTY: no line is left to order', !isAwaiting, droppedLines);
  }
  return { kind: 'eligible', groups, droppedLines, onlyIfNeverSent: meaning === 'completed', warnings };
}

/** The cart, or an order of it, has more than can be ordered (edge case 28). */
export const tooLarge = (message: string): Fault => ({
  code: 'E_TGT_TOO_LARGE',
  message,
  field: 'lines',
  path: '$.Items',
});

/** Each order takes a call, and has the rows of the header, too. */
function faultOfOrders({ Partners, Texts, Attachments }: ShoppingCart, orders: number): Fault | undefined {
  if (orders > MOST_ORDERS) return tooLarge(`${orders} orders, and one cart can become ${MOST_ORDERS}`);
  const rows = orders * (Partners.length + Texts.length + Attachments.length);
  return rows > MOST_ROWS
    ? tooLarge(`${rows} rows of the header in its orders, and they can have ${MOST_ROWS}`)
    : undefined;
}

/** Every breach of the contract in the items of a cart whose header breaks it, too. */
export const faultsOfItems = (source: unknown, settings: TranslationSettings): readonly Fault[] =>
  readLines(itemsOf(source), settings).faults;

interface LinesRead {
  readonly lines: readonly Omit<CartLine, 'cart'>[];
  readonly droppedLines: readonly DroppedLine[];
  /** Of these, how many may still be ordered by a later version of the cart. */
  readonly awaitingLines: number;
  readonly warnings: readonly Warning[];
  readonly faults: readonly Fault[];
}

/** Rule 2; edge cases 14 and 22. */
function readLines(items: readonly unknown[], settings: TranslationSettings, onLookUp?: OnLookUp): LinesRead {
  const warnings: Warning[] = [];
  const faults: Fault[] = [];
  const outlines = new Map<string, LocatedOutline>();
  const ordered: { readonly source: unknown; readonly path: string }[] = [];
  const droppedLines: DroppedLine[] = [];
  let awaitingLines = 0;
  for (const [index, source] of items.entries()) {
    const path = `$.Items.results[${index}]`;
    const flags = readItemFlags(source, path);
    if ('faults' in flags) {
      faults.push(...flags.faults);
      continue;
    }
    const { OutlineInd, Status, DelInd } = flags.value;
    if (OutlineInd === true) {
      const outline = readOutline(source, path);
      if ('faults' in outline) faults.push(...outline.faults);
      else if (outline.value.Guid !== undefined) outlines.set(outline.value.Guid, { row: outline.value, path });
      continue;
    }
    const ofItem = meaningOf(Status, settings, onLookUp);
    if (DelInd === true || (ofItem !== undefined && !isApproved(ofItem))) {
      droppedLines.push({ path, reason: DelInd === true ? 'the line is deleted' : `not approved: ${ofItem}` });
      if (DelInd !== true && !isCancelled(ofItem)) awaitingLines++;
      continue;
    }
    if (Status !== undefined && ofItem === undefined) warnings.push(unknownLineStatus(Status, path));
    ordered.push({ source, path });
  }

  const lines: LinesRead['lines'][number][] = [];
  const isWanted = filterOf(settings.lineFilter);
  const outlinesAbove = createOutlines(outlines);
  for (const { source, path } of ordered) {
    const item = readItem(source, path);
    if ('faults' in item) faults.push(...item.faults);
    else if (!isWanted(item.value)) droppedLines.push({ path, reason: 'outside translation.lineFilter' });
    else {
      const above = outlinesAbove(item.value);
      if (above === undefined) faults.push(tooDeep(path));
      else lines.push({ item: item.value, path, outlines: above });
    }
  }
  return { lines, droppedLines, awaitingLines, warnings, faults };
}

function meaningOf(
  status: string | undefined,
  { valueMaps }: TranslationSettings,
  onLookUp: OnLookUp | undefined,
): Meaning | undefined {
  if (status === undefined) return undefined;
  const meaning = Object.hasOwn(valueMaps.status, status) ? valueMaps.status[status] : undefined;
  onLookUp?.({ map: 'status', code: status, value: meaning, isListed: meaning !== undefined });
  return meaning;
}

const isApproved = (meaning: Meaning): boolean =>
  meaning === 'approved' || meaning === 'eligible' || meaning === 'completed';

const isCancelled = (meaning: Meaning | undefined): boolean => meaning === 'deleted' || meaning === 'rejected';

const NO_STATUS: Fault = {
  code: 'E_SRC_SCHEMA',
  message: 'the source row breaks the contract: must have a status, such as I1129',
  path: '$.Status',
};

/** SRM delivered it, because its status was asked for. Whether that means approved is not for us to guess. */
const unknownStatus = (status: string): Fault => ({
  code: 'E_MAP_STATUS',
  message: noEntry('status', status),
  path: '$.Status',
});

const unknownLineStatus = (status: string, path: string): Warning => ({
  code: 'W_STATUS_UNKNOWN',
  message: `${noEntry('status', status)}; the line of an approved cart is ordered`,
  path: `${path}.Status`,
});

/** Rule 2: whether a line is among those to which the interface may be restricted. Made once for a cart. */
function filterOf({
  purchaseRequestPattern,
  categories,
  suppliers,
}: TranslationSettings['lineFilter']): (item: ShoppingCartItem) => boolean {
  const pattern = purchaseRequestPattern === undefined ? undefined : new RegExp(purchaseRequestPattern, 'u');
  const listed = (codes: readonly string[] | undefined) => codes && new Set(codes.map(stripZeros));
  const [wantedCategories, wantedSuppliers] = [listed(categories), listed(suppliers)];
  return ({ ExtDemid = '', CategoryId = '', VendorId = '' }) =>
    pattern?.test(ExtDemid.slice(0, LONGEST_FILTERED)) !== false &&
    wantedCategories?.has(stripZeros(CategoryId)) !== false &&
    wantedSuppliers?.has(stripZeros(VendorId)) !== false;
}

function group(
  cart: ShoppingCart,
  lines: readonly CartLine[],
  { droppedLines, isComplete }: Pick<LinesRead, 'droppedLines'> & Pick<LineGroup, 'isComplete'>,
): LineGroup[] {
  const byKey = new Map<string, [CartLine, ...CartLine[]]>();
  for (const line of lines) {
    const { vendorId, currency } = groupKey(line);
    const key = JSON.stringify([vendorId, currency]);
    const members = byKey.get(key);
    if (members === undefined) byKey.set(key, [line]);
    else members.push(line);
  }
  const headerCurrency = currencyOf(cart.Currency);
  const isWholeCart =
    isComplete &&
    droppedLines.length === 0 &&
    byKey.size === 1 &&
    lines.every((line) => groupKey(line).currency === headerCurrency);
  return [...byKey.values()].map((members) => ({
    cart,
    ...groupKey(members[0]),
    companyCode: cart.CoCode,
    lines: members,
    isComplete,
    isWholeCart,
  }));
}

const currencyOf = (text: string | undefined): string | undefined => (text === undefined ? undefined : upperCase(text));

const groupKey = (line: CartLine): Pick<LineGroup, 'vendorId' | 'currency'> => ({
  vendorId: vendorOfLine(line),
  currency: currencyOfLine(line),
});

export const vendorOfLine = ({ item }: CartLine): LineGroup['vendorId'] =>
  item.VendorId === undefined ? undefined : stripZeros(item.VendorId);

export const currencyOfLine = ({ item, cart }: CartLine): LineGroup['currency'] =>
  currencyOf(item.Currency ?? cart.Currency);

/** Finds the outline rows above a line, once for each parent; undefined where they are too many. */
function createOutlines(
  outlines: ReadonlyMap<string, LocatedOutline>,
): (item: ShoppingCartItem) => readonly LocatedOutline[] | undefined {
  const known = new Map<string | undefined, readonly LocatedOutline[] | undefined>();
  return ({ ParentGuid }) => {
    if (!known.has(ParentGuid)) known.set(ParentGuid, outlinesFrom(ParentGuid, outlines));
    return known.get(ParentGuid);
  };
}

/** Ends also where the rows are in a circle. */
function outlinesFrom(
  first: string | undefined,
  outlines: ReadonlyMap<string, LocatedOutline>,
): readonly LocatedOutline[] | undefined {
  const found = new Set<LocatedOutline>();
  for (let guid = first; guid !== undefined; ) {
    const outline = outlines.get(guid);
    if (outline === undefined || found.has(outline)) break;
    if (found.size === MOST_OUTLINES) return undefined;
    found.add(outline);
    guid = outline.row.ParentGuid;
  }
  return [...found].toReversed();
}

const tooDeep = (path: string): Fault => ({
  code: 'E_SRC_SCHEMA',
  message: `the source row breaks the contract: must stand below at most ${MOST_OUTLINES} outline rows`,
  path: `${path}.ParentGuid`,
});
