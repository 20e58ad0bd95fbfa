/** The source row of a queued cart: from its message, or read again from SRM. */
import type { CartMessage } from '../../shared/cart-message.ts';
import { type Fault, InterfaceError } from '../../shared/failure.ts';
import { isWhole } from '../../shared/reading/whole-cart.ts';
import { cartNumberOf } from '../../shared/sap-values.ts';
import type { SrmCarts } from '../../shared/srm-carts.ts';

/**
 * A cart that was too large for the queue, or of which a part is missing (edge case 84), is read by its GUID.
 * @throws {InterfaceError} when SRM does not give it.
 */
export async function loadCart(message: CartMessage, carts: Pick<SrmCarts, 'cart'>): Promise<unknown> {
  const row = 'source' in message ? message.source : undefined;
  if (row !== undefined && isWhole(row)) return row;
  const guid = 'claim' in message ? message.claim.guid : message.cart.guid;
  if (guid === null) {
    const why = 'claim' in message ? 'is too large for the queue' : 'came without all its parts';
    throw unreadable(`the cart ${why} and has no readable Guid`);
  }
  const source = await carts.cart(guid, message.correlationId, row);
  if (source === undefined) throw unreadable('SRM does not find the cart by its Guid', guid);
  return source;
}

const unreadable = (message: string, value?: string): InterfaceError =>
  new InterfaceError('permanent', {
    code: 'E_SRC_SCHEMA',
    message,
    path: '$.Guid',
    ...(value === undefined ? {} : { value }),
  });

/** Whether the message names this cart. If not, the ledger would record it as another: a second order could follow. */
export function isNamedBy(
  { client, cart }: Pick<CartMessage, 'client' | 'cart'>,
  source: unknown,
  sapClient: string,
): boolean {
  return client === sapClient && (cartNumberOf(source) ?? null) === cart.number;
}

export const IDENTITY_MISMATCH: Fault = {
  code: 'E_INT_MESSAGE',
  message: 'the queue message names another cart than it carries',
};
