/**
 * Records which fields of the cart are read while its orders are made, and for which field of the order, and which codes
 * are looked up in the value maps. Rows are watched,
 * not rules: the translation runs as in the worker. What is read before the first rule, while lines and order are prepared,
 * belongs to no field yet: it is given to the fields whose mapping row names it.
 */
import {
  type CartLine,
  currencyOfLine,
  type LineGroup,
  vendorOfLine,
} from '../../functions/create-purchase-orders/translation/groups.ts';
import type { PreparedOrder } from '../../functions/create-purchase-orders/translation/order-rules.ts';
import type { PurchaseOrder } from '../../functions/create-purchase-orders/translation/purchase-order.ts';
import type { LookUp } from '../../functions/create-purchase-orders/translation/rule-table.ts';
import type { TranslationRecorder } from '../../functions/create-purchase-orders/translation/translate-cart.ts';

/** A field of the cart that was read. */
export interface Read {
  /** JSON path of its entity in the source row. */
  readonly entity: string;
  readonly name: string;
}

export interface RecordedGroup {
  readonly group: LineGroup;
  /** As far as the rules could make it. Undefined where the group has too many lines. */
  readonly order: PurchaseOrder | undefined;
  /** Fields, and the objects and lists that hold them, in the order of the rules. */
  readonly fields: readonly string[];
  /** What the rule of a field read. */
  readonly readByRule: (field: string) => readonly Read[];
  /** Of the named fields of the cart, those that were read before the rules where this field of the order comes from. */
  readonly readBefore: (field: string, names: readonly string[]) => readonly Read[];
  readonly allReads: readonly Read[];
}

export interface ReadRecorder extends TranslationRecorder {
  /** In the order of the groups. */
  readonly groups: readonly RecordedGroup[];
  /** Each code of each map once. */
  readonly lookUps: readonly RecordedLookUp[];
}

export interface RecordedLookUp extends Omit<LookUp, 'field'> {
  /** The fields of the order that it was looked up for: `lines[0].unitOfMeasure`. */
  readonly fields: readonly string[];
}

type Reads = Map<string, Read>;
type Note = (read: Read) => void;

/** No rule is applied yet. */
const PREPARATION = '';

export function createReadRecorder(): ReadRecorder {
  const groups: RecordedGroup[] = [];
  const lookUps = new Map<string, Omit<RecordedLookUp, 'fields'> & { readonly fields: Set<string> }>();
  let byField = new Map<string, Reads>();
  let current: Reads | undefined;
  const enter = (field: string): void => {
    current = byField.get(field) ?? new Map<string, Read>();
    byField.set(field, current);
  };
  return {
    groups,
    get lookUps() {
      return [...lookUps.values()].map(({ fields, ...lookUp }) => ({ ...lookUp, fields: [...fields] }));
    },
    watch(group) {
      byField = new Map();
      enter(PREPARATION);
      return watchedGroup(group, (read) => current?.set(`${read.entity}.${read.name}`, read));
    },
    onRefused(group) {
      const nothing = { order: undefined, fields: [], allReads: [], readByRule: () => [], readBefore: () => [] };
      groups.push({ group, ...nothing });
    },
    onRule: enter,
    onLookUp({ field, ...lookUp }) {
      const key = JSON.stringify([lookUp.map, lookUp.code]);
      const fields = lookUps.get(key)?.fields ?? new Set();
      if (field !== undefined) fields.add(field);
      lookUps.set(key, { ...lookUp, fields });
    },
    onMade(prepared, order) {
      current = undefined;
      const recorded = byField;
      const readsOf = (field: string): Read[] => [...(recorded.get(field)?.values() ?? [])];
      const before = Map.groupBy(readsOf(PREPARATION), ({ entity }) => entity);
      groups.push({
        group: prepared.group,
        order,
        fields: [...recorded.keys()].filter((field) => field !== PREPARATION),
        readByRule: readsOf,
        allReads: [...recorded.values()].flatMap((reads) => [...reads.values()]),
        readBefore(field, names) {
          for (const entities of placesOf(field, prepared)) {
            const reads = entities.flatMap((entity) => before.get(entity) ?? []);
            const named = reads.filter(({ name }) => names.includes(name));
            if (named.length > 0) return named;
          }
          return [];
        },
      });
    },
  };
}

function watchedGroup(group: LineGroup, note: Note): LineGroup {
  const cart = watchedRow(group.cart, '$', note);
  const watchedLine = (line: CartLine): CartLine => ({
    ...line,
    item: watchedRow(line.item, line.path, note),
    outlines: line.outlines.map(({ row, path }) => ({ row: watchedRow(row, path, note), path })),
    cart,
  });
  const [first, ...others] = group.lines;
  const lines: LineGroup['lines'] = [watchedLine(first), ...others.map(watchedLine)];
  return {
    ...group,
    cart,
    lines,
    // It is made of the lines before. A read of it counts as a read of those lines.
    get vendorId() {
      return vendorOfLine(lines[0]);
    },
    get currency() {
      return currencyOfLine(lines[0]);
    },
    get companyCode() {
      return cart.CoCode;
    },
  };
}

/** The same row, and all rows below it. The items of a cart are watched as lines. */
function watchedRow<Row extends object>(row: Row, entity: string, note: Note): Row {
  const watched: object = new Proxy(
    Object.fromEntries(
      Object.entries(row).map(([name, value]: [string, unknown]) => [
        name,
        Array.isArray(value) && name !== 'Items' ? watchedRows(value, `${entity}.${name}`, note) : value,
      ]),
    ),
    {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        // A list is read by reading its rows.
        if (typeof name === 'string' && !Array.isArray(value)) note({ entity, name });
        return value;
      },
    },
  );
  // oxlint-disable-next-line no-unsafe-type-assertion -- a copy, field by field
  return watched as Row;
}

const watchedRows = (rows: readonly unknown[], path: string, note: Note): unknown[] =>
  rows.map((row, index) =>
    typeof row === 'object' && row !== null ? watchedRow(row, `${path}.results[${index}]`, note) : row,
  );

/** The entities of the cart that a field of the order can come from, the innermost first. */
function placesOf(field: string, { group, lines, address }: PreparedOrder): (readonly string[])[] {
  const [, lineIndex = '', inLine = ''] = /^lines\[(\d+)\]\.(.*)$/.exec(field) ?? [];
  const line = lines[Number(lineIndex === '' ? Number.NaN : lineIndex)];
  if (line === undefined) {
    return [
      field.startsWith('deliveryAddress.') ? given(address?.path) : ['$', ...group.lines.map(({ path }) => path)],
    ];
  }
  if (inLine.startsWith('deliverTo.')) return [given(line.deliverTo?.path)];
  const shareIndex = /^accounting\[(\d+)\]/.exec(inLine)?.[1];
  const share = shareIndex === undefined ? undefined : line.accounting[Number(shareIndex)];
  return [given(share?.path), [line.path], ['$']];
}

const given = (path: string | undefined): string[] => (path === undefined ? [] : [path]);
