/** The source row of a queued cart: from its message, or read again from SRM. */
import { BODY_LIMIT_BYTES, type CartMessage } from '../../shared/cart-message.ts';
import { type Fault, InterfaceError } from '../../shared/failure.ts';
import { isWhole } from '../../shared/reading/whole-cart.ts';
import { cartNumberOf } from '../../shared/sap-values.ts';
import type { SrmCarts } from '../../shared/srm-carts.ts';

/** Undefined for a cart that was too large for the queue, or of which a part is missing (edge case 84). */
export function queuedCart(message: CartMessage): unknown {
  return 'source' in message && isWhole(message.source) ? message.source : undefined;
}

/** Reads the cart by its GUID. @throws {InterfaceError} when SRM does not give it. */
export async function readCartAgain(message: CartMessage, carts: Pick<SrmCarts, 'cart'>): Promise<unknown> {
  const row = 'source' in message ? message.source : undefined;
  const guid = 'claim' in message ? message.claim.guid : message.cart.guid;
  if (guid === null) {
    const why = 'claim' in message ? 'is too large for the queue' : 'came without all its parts';
    throw unreadable(`the cart ${why} and has no readable Guid`);
  }
  const source = await carts.cart(guid, message.correlationId, row);
  if (source === undefined) throw unreadable('SRM does not find the cart by its Guid', guid);
  return source;
}

/** Whether the cart is larger than one that comes in its message, of which a batch may hold many. */
export const isLarge = (source: unknown): boolean => Buffer.byteLength(JSON.stringify(source)) > BODY_LIMIT_BYTES;

const unreadable = (message: string, value?: string): InterfaceError =>
  new InterfaceError('permanent', {
    code: 'E_SRC_SCHEMA',
    message,
    path: '$.Guid',
    ...(value === undefined ? {} : { value }),
  });

/**
 * Why the cart is not ordered as the one that the message names; undefined where it is that. The ledger would record it as
 * another: a second order could follow.
 */
export function identityMismatch(
  { client, cart }: Pick<CartMessage, 'client' | 'cart'>,
  source: unknown,
  sapClient: string,
): Fault | undefined {
  if (client !== sapClient) {
    const message = `the queue message is of sap-client ${client}, and the environment reads sap-client ${sapClient}`;
    return { code: 'E_INT_MESSAGE', message };
  }
  if ((cartNumberOf(source) ?? null) === cart.number) return undefined;
  return { code: 'E_INT_MESSAGE', message: 'the queue message names another cart than it carries' };
}
