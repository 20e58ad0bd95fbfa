/** Reads an order as 11VMS keeps it, from the answer to a look-up. */
import * as z from 'zod';
import { numberText } from '../../../shared/exact-json.ts';
import { normalOrder } from '../translation/normal-order.ts';
import { type PurchaseOrder, purchaseOrderSchema } from '../translation/purchase-order.ts';
import { namesOf } from './json-pointer.ts';
import { type AnswerForm, LOCATION } from './vms-settings.ts';

/** An order as 11VMS keeps it. */
export interface StoredOrder {
  readonly id: string;
  readonly number: string | undefined;
  /** Its content in its normal form; undefined where that cannot be read. */
  readonly order: PurchaseOrder | undefined;
}

const nameText = (form: RegExp) => z.preprocess((value) => numberText(value) ?? value, z.string().regex(form));
/** What systems write in the place of an id that they do not have: `-1`, `0`, and the empty values of their languages. */
const PLACEHOLDER = /^(null|nil|none|undefined|nan|-\d.*|0+(\.0*)?)$/i;
/** Both go into the ledger and into logs, so that they must be printable and short. Some systems write them as numbers. */
export const orderNames = {
  id: nameText(/^[\x21-\x7e]{1,100}$/).refine((id) => !PLACEHOLDER.test(id)),
  number: nameText(/^[\x20-\x7e]{1,100}$/)
    .optional()
    .catch(undefined),
};
const names = z.object(orderNames);

/**
 * An order of 11VMS as a look-up gives it back: what an answer to a create holds deeper inside, it holds itself.
 * @returns undefined where 11VMS does not name the order.
 */
export function readStoredOrder(item: Readonly<Record<string, unknown>>, form: AnswerForm): StoredOrder | undefined {
  const { idAt, numberAt, wire } = form;
  const order = normalOrder(wire.fromWire(item));
  const lastName = (pointer: string): string => namesOf(pointer).at(-1) ?? '';
  // Where only a header names orders, the look-up shows that 11VMS knows this one by its externalId.
  const id = idAt === LOCATION ? (item['id'] ?? Reflect.get(Object(order), 'externalId')) : item[lastName(idAt)];
  const named = names.safeParse({ id, number: item[lastName(numberAt)] });
  return named.success
    ? { id: named.data.id, number: named.data.number, order: purchaseOrderSchema.safeParse(order).data }
    : undefined;
}
