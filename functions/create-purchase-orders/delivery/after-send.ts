/**
 * The faults that tell a person what to do with an order that a later version of its cart does not have, or has again.
 * Their texts are keys: other-versions.ts finds a fault of an earlier verdict by its text. A changed text disowns all dead
 * letters that are recorded.
 */
import type { Fault } from '../../../shared/failure.ts';

const tooMany = (what: string): Fault => ({
  code: 'E_CART_CANCELLED_AFTER_SEND',
  message: `${what}, and the cart has nothing left for it`,
});

/** @param name The order number, or the external id where 11VMS gave none. */
export const createdTooMany = (name: string): Fault => tooMany(`the order was created as ${name}`);

export const perhapsTooMany = (externalId: string): Fault => tooMany(`11VMS may hold the order ${externalId}`);

/** V1 only creates: it cannot bring back what was cancelled. */
export const cancelledByHand = (externalId: string): Fault => ({
  code: 'E_CART_CHANGED_AFTER_SEND',
  message:
    `the order ${externalId} was cancelled by hand, as an earlier version of the cart had nothing left for it: ` +
    'restore it in 11VMS by hand',
});
