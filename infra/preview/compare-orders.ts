/** An order as the settings make it, beside the one that 11VMS holds: field by field, each with its mapping row. */
import { normalOrder } from '../../functions/create-purchase-orders/translation/normal-order.ts';
import { differences } from '../../functions/create-purchase-orders/translation/order-content.ts';
import type { PurchaseOrder } from '../../functions/create-purchase-orders/translation/purchase-order.ts';
import { mappedFields } from '../docs/mapping.ts';
import type { FieldValue } from './preview-cart.ts';

export interface ComparedField {
  /** `lines[0].tax.code` */
  readonly field: string;
  /** `lines[].tax.code` */
  readonly target: string;
  readonly result: 'equal' | 'differs' | 'only here' | 'only in 11VMS';
  readonly here: FieldValue | undefined;
  readonly there: FieldValue | undefined;
  /** False where a difference is none for the interface: SRM moves the approval with every status. */
  readonly counts: boolean;
  /** Of mapping.csv. */
  readonly row: number | undefined;
}

export interface ComparedOrder {
  /** The interface takes the one for the other. */
  readonly isSame: boolean;
  readonly fields: readonly ComparedField[];
}

const ROWS: ReadonlyMap<string, number> = new Map(mappedFields().map(({ target, rule }) => [target, rule.row]));

/** Texts that say the same are the same: 39000.00 and 39000. Lines stand in the order of their numbers. */
export function compareOrders(here: PurchaseOrder, there: PurchaseOrder): ComparedOrder {
  const pointers = differences(here, there);
  const [ours, theirs] = [leavesOf(normalOrder(here), ''), leavesOf(normalOrder(there), '')];
  const fields = [...new Set([...ours.keys(), ...theirs.keys()])].map((pointer): ComparedField => {
    const [one, other] = [ours.get(pointer), theirs.get(pointer)];
    const field = pointer
      .slice(1)
      .replaceAll(/\/(\d+)/g, '[$1]')
      .replaceAll('/', '.');
    const target = field.replaceAll(/\[\d+\]/g, '[]');
    const isEqual = Object.is(one, other);
    return {
      field,
      target,
      result: isEqual ? 'equal' : other === undefined ? 'only here' : one === undefined ? 'only in 11VMS' : 'differs',
      here: one,
      there: other,
      counts: isEqual || pointers.some((known) => pointer === known || pointer.startsWith(`${known}/`)),
      row: ROWS.get(target),
    };
  });
  return { isSame: pointers.length === 0, fields };
}

/** The single values, by their JSON pointers. */
function leavesOf(value: unknown, pointer: string): Map<string, FieldValue> {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return new Map([[pointer, value]]);
  if (typeof value !== 'object' || value === null) return new Map();
  return new Map(Object.entries(value).flatMap(([name, part]) => [...leavesOf(part, `${pointer}/${name}`)]));
}
