/** The page of a cart, by the client and the identity that the ledger knows it by. */
import { cartOf } from '../carts/known-cart.ts';

/** `/carts/100/1010000123` */
export const cartPath = (client: string, pk: string): string =>
  `/carts/${encodeURIComponent(client)}/${encodeURIComponent(cartOf(pk)?.name ?? '')}`;
