/** Links to the page of a cart. */
import { UNIDENTIFIED } from '../../carts/known-cart.ts';
import { html } from '../html.ts';
import type { Html } from '../page.ts';

export const cartPathOf = (client: string, name: string): string =>
  `/carts/${encodeURIComponent(client)}/${encodeURIComponent(name)}`;

/** A cart with neither number nor GUID has no page: the ledger knows only its messages. */
export const cartLink = (client: string, name: string): Html =>
  name === UNIDENTIFIED ? html`${name}` : html`<a href="${cartPathOf(client, name)}">${name}</a>`;
