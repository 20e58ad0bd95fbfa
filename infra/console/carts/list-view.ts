/** The parts of a page that shows a list a part at a time. */
import { readExternalId } from '../../../shared/external-id.ts';
import { type ListSlice, type ListStart, orderOf, type StandingCart } from '../../carts/cart-lists.ts';
import { html, identifier, linkTo, NOTHING, numberText, time } from '../html.ts';
import { ROWS_OF_A_PAGE } from '../layout.ts';
import type { Html, PageRequest } from '../page.ts';
import { standingStatus } from '../standing-status.ts';
import { cartLink } from './cart-link.ts';
import { writeStart } from './list-request.ts';

/** A page reads no more of the index, whatever the filter. */
export const LIST_LIMITS = { rows: ROWS_OF_A_PAGE, requests: 40 };

/** Says whether there are more, and does not count a list of 100,000 to show 50. */
export function countText({ items, next }: ListSlice, start: ListStart | undefined): string {
  const count = numberText(items.length);
  if (next === undefined) return start === undefined ? `(${count})` : `(last ${count})`;
  return `(${start === undefined ? 'first' : 'next'} ${count}; more ${items.length < ROWS_OF_A_PAGE ? 'may follow' : 'follow'})`;
}

export function listPager(
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  { next, lookedAt, items }: ListSlice,
  start: ListStart | undefined,
): Html {
  if (next === undefined && start === undefined) return NOTHING;
  const looked =
    next === undefined || items.length === ROWS_OF_A_PAGE
      ? NOTHING
      : html`<span>Looked through ${numberText(lookedAt)} entries, back to ${next.day}: not to the end.</span>`;
  return html`<nav class="pager" aria-label="Parts of the list">${start === undefined ? NOTHING : html`<a href="${linkTo(path, query)}">From the newest</a>`}${looked}${
    next === undefined
      ? NOTHING
      : html`<a href="${linkTo(path, { ...query, after: writeStart(next) })}" rel="next">Next ${ROWS_OF_A_PAGE}</a>`
  }</nav>`;
}

export function orderTable(carts: readonly StandingCart[], { nowMs, sources }: PageRequest): Html {
  const { client } = sources.environment.srm;
  return html`<table><caption>Newest first, with the cart's present standing</caption><thead><tr><th scope="col">Ordered</th><th scope="col">Cart</th><th scope="col">Standing</th><th scope="col">Order</th><th scope="col">Supplier</th><th scope="col">Company</th><th scope="col">External id</th></tr></thead><tbody>${carts.map(
    ({ item, cart, standing }) => {
      const { orderNumber, orderId, externalId } = orderOf(item);
      const { supplier = '', company = '' } = readExternalId(externalId) ?? {};
      return html`<tr><td>${time(item.listedAtMs, nowMs)}</td><th scope="row">${cartLink(client, cart.name)}</th><td>${standingStatus(standing)}</td><td>${identifier(orderNumber === '' ? orderId : orderNumber)}</td><td>${supplier}</td><td>${company}</td><td>${identifier(externalId)}</td></tr>`;
    },
  )}</tbody></table>`;
}
