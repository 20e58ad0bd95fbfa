import { hash32 } from './seeded-random.ts';
import type { Selection } from './srm7-query.ts';

/** A cart of a test: an object, or the JSON text of the row, which is served byte for byte. */
export type CartRow = string | Readonly<Record<string, unknown>>;

/** The values by which the service selects and orders a row. */
export interface RowIndex {
  /** 32 lower-case hex digits. */
  readonly guid: string;
  readonly changedAt: Date;
  readonly status: string;
}

export interface StoredCart extends RowIndex {
  readonly number: string;
  readonly text: string;
}

/** The carts of an SRM client, with one row for each GUID. */
export interface CartRows {
  /** Adds rows. A row with a known GUID replaces the earlier one. `index` overrides the fields of the row. */
  put(rows: Iterable<CartRow>, index?: Partial<RowIndex>): void;
  /** Moves the ChangedAt of the row with this number, as a write to the header does; false where there is none. */
  touch(number: string, changedAt: Date): boolean;
  byGuid(guid: string): StoredCart | undefined;
  /** The cart of an item, by the GUID of 32 lower-case digits. */
  byItemGuid(guid: string): StoredCart | undefined;
  /** The selected rows, ordered. */
  select(selection: Selection): readonly StoredCart[];
  all(): readonly StoredCart[];
}

/** A position in the order of rows. */
export interface RowPosition {
  readonly rank: number;
  readonly guid: string;
}

export type ChangedAtProperty = 'ChangedAt' | 'ApprovedAt';

/** Rows are ordered by that property and Guid, or, when `unordered`, by a hash. */
export function openCartRows(unordered: boolean, changedAtProperty: ChangedAtProperty): CartRows {
  const rowsByGuid = new Map<string, StoredCart>();
  let ordered: readonly StoredCart[] | undefined;
  let lastSelection: { readonly selection: string; readonly rows: readonly StoredCart[] } | undefined;

  const all = (): readonly StoredCart[] => {
    ordered ??= [...rowsByGuid.values()].sort((left, right) =>
      comparePositions(positionOf(left, unordered), positionOf(right, unordered)),
    );
    return ordered;
  };

  const put: CartRows['put'] = (rows, index) => {
    for (const row of rows) {
      const stored = storedCart(row, rowsByGuid.size, changedAtProperty, index);
      rowsByGuid.set(stored.guid, stored);
    }
    ordered = undefined;
    lastSelection = undefined;
  };

  return {
    all,
    put,
    touch(number, changedAt) {
      const row = all().find((stored) => stored.number === number);
      if (row === undefined) return false;
      // SAP counts whole seconds.
      const moved = `/Date(${Math.floor(changedAt.getTime() / 1000) * 1000}+0000)/`;
      put([JSON.stringify({ ...JSON.parse(row.text), ChangedAt: moved })], { status: row.status });
      return true;
    },
    byGuid: (guid) => rowsByGuid.get(plainGuid(guid)),
    byItemGuid: (guid) =>
      all().find(({ text }) => {
        const guids = text.matchAll(/"Guid": ?"([^"]*)"/g);
        return [...guids].some(([, written = '']) => plainGuid(written) === guid);
      }),
    select(selection) {
      // All pages of a window select the same rows: selecting once keeps long windows fast.
      const asked = `${selection.fromMs} ${selection.toMs} ${[...selection.statuses].join()}`;
      if (lastSelection?.selection !== asked) {
        lastSelection = { selection: asked, rows: all().filter((row) => isSelected(row, selection)) };
      }
      return lastSelection.rows;
    },
  };
}

export function positionOf(row: RowIndex, unordered: boolean): RowPosition {
  return { rank: unordered ? hash32(row.guid) : row.changedAt.getTime(), guid: row.guid };
}

/** The index of the first row after a position. */
export function firstAfter(rows: readonly StoredCart[], position: RowPosition, unordered: boolean): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const row = rows[middle];
    if (row !== undefined && comparePositions(positionOf(row, unordered), position) <= 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/** A GUID as 32 lower-case hex digits. */
export function plainGuid(guid: string): string {
  return guid.replaceAll('-', '').toLowerCase();
}

function comparePositions(left: RowPosition, right: RowPosition): number {
  if (left.rank !== right.rank) {
    return left.rank - right.rank;
  }
  return left.guid < right.guid ? -1 : Number(left.guid > right.guid);
}

function isSelected(row: StoredCart, { fromMs, toMs, statuses }: Selection): boolean {
  const changedAtMs = row.changedAt.getTime();
  return changedAtMs >= fromMs && changedAtMs < toMs && statuses.has(row.status);
}

function storedCart(
  row: CartRow,
  position: number,
  changedAtProperty: ChangedAtProperty,
  index: Partial<RowIndex> = {},
): StoredCart {
  const fields = rowFields(row, index);
  const changedAt = index.changedAt ?? odataInstant(fields[changedAtProperty]) ?? unselected(fields, changedAtProperty);
  if (changedAt === undefined) {
    throw new Error(
      `Row ${position} has no readable ${changedAtProperty}. Pass the time to addCarts(rows, { changedAt })`,
    );
  }
  // The interface must also be tested with a row without a GUID, so such a row gets a position of its own.
  const guid = index.guid ?? (textField(fields, 'Guid') || `row ${position}`);
  return {
    guid: plainGuid(guid),
    number: textField(fields, 'ObjectId').replace(/^0+(?=\d)/, ''),
    changedAt,
    status: index.status ?? textField(fields, 'Status'),
    text: typeof row === 'string' ? row : JSON.stringify(row),
  };
}

/** A cart that was released automatically has no ApprovedAt, and is in no window of it. */
function unselected(fields: Readonly<Record<string, unknown>>, property: ChangedAtProperty): Date | undefined {
  return property === 'ApprovedAt' && (fields['ApprovedAt'] ?? '') === '' ? new Date(0) : undefined;
}

function rowFields(row: CartRow, index: Partial<RowIndex>): Readonly<Record<string, unknown>> {
  if (typeof row !== 'string') {
    return row;
  }
  try {
    const parsed: unknown = JSON.parse(row);
    return isRecord(parsed) ? parsed : {};
  } catch (cause) {
    // For a row that is not JSON the test must pass the whole index.
    if (index.changedAt !== undefined) {
      return {};
    }
    throw new Error(`Not a JSON row: ${row.slice(0, 80)}`, { cause });
  }
}

function textField(fields: Readonly<Record<string, unknown>>, name: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : '';
}

function odataInstant(value: unknown): Date | undefined {
  const match = typeof value === 'string' ? /^\/Date\((-?\d+)([+-]\d+)?\)\/$/.exec(value) : null;
  return match === null ? undefined : new Date(Number(match[1]) - Number(match[2] ?? 0) * 60_000);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
