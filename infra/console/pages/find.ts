/** One field for whatever a person has in hand; a text that names one cart leads to its page at once. */
import { inLanes } from '../../../shared/lanes.ts';
import { cartKeyOf } from '../../carts/cart-key.ts';
import { type CartStory, howToRead, readCartStory } from '../../carts/cart-story.ts';
import { CARTS_AT_ONCE, standingOfCart } from '../../carts/known-cart.ts';
import type { OpenedLedger } from '../../carts/open-ledger.ts';
import { adviceOf } from '../carts/advice.ts';
import { cartLink, cartPathOf } from '../carts/cart-link.ts';
import { findCarts, type FoundCart, type Search } from '../carts/find-carts.ts';
import { html, linkTo, notice, NOTHING, numberText } from '../html.ts';
import type { Answer, ConsolePage, Html, PageRequest } from '../page.ts';
import type { Sources } from '../sources.ts';
import { standingStatus } from '../standing-status.ts';

const PATH = '/find';

export const findPage: ConsolePage = { path: PATH, show };

async function show(request: PageRequest): Promise<Answer> {
  const { url, sources, nowMs } = request;
  const text = url.searchParams.get('q')?.trim() ?? '';
  if (text === '') return { title: 'Find', body: form('') };
  const everywhere = url.searchParams.get('all') === 'yes';
  const { ledger, logs, environment } = sources;
  const search = await findCarts(text, { ledger, logs, nowMs }, everywhere);
  if (search === undefined) {
    return {
      title: 'Find',
      status: 400,
      body: html`${notice('negative', 'This is no identifier, and was not searched: letters, digits and . _ - / : alone, 64 at most.')}${form(text)}`,
    };
  }
  if (search.only !== undefined && !everywhere) return { redirectTo: cartPathOf(environment.srm.client, search.only) };
  const cart = /^\d+$/.test(text) ? cartKeyOf(text) : undefined;
  const unread =
    search.found.length > 0 || cart === undefined
      ? NOTHING
      : ifUnread(await readCartStory(cart, ledger, nowMs), ledger);
  return {
    title: 'Find',
    body: html`${form(text)}${unread}${await results(search, request)}${further(text, search, everywhere)}`,
  };
}

const form = (text: string): Html => html`<section aria-labelledby="find"><h2 id="find">A cart</h2>
<form class="fields" action="${PATH}"><label>Cart number or GUID, order number, external id, supplier, message id or run id<br><input name="q" value="${text}" size="44" maxlength="100" required autocomplete="off"></label><button>Find</button></form></section>`;

/** No place knows the number: as a cart it may be one that no run has read. */
const ifUnread = (story: CartStory, ledger: OpenedLedger): Html =>
  html`<section aria-labelledby="unread"><h2 id="unread">If ${story.name} is the number of a cart</h2><p>${story.sentence}</p>${adviceOf(howToRead(ledger, story.context))}</section>`;

async function results({ found, searched }: Search, { sources, nowMs }: PageRequest): Promise<Html> {
  const table = found.length === 0 ? html`<p>Nothing holds this identifier where it was searched.</p>` : undefined;
  return html`<section aria-labelledby="found"><h2 id="found">Carts found (${numberText(found.length)})</h2>
${table ?? (await foundTable(found, sources, nowMs))}
<h3>Searched</h3><ul>${searched.map((sentence) => html`<li>${sentence}</li>`)}</ul></section>`;
}

async function foundTable(found: readonly FoundCart[], { ledger, environment }: Sources, nowMs: number): Promise<Html> {
  const rows = await inLanes(found, CARTS_AT_ONCE, async ({ cart, as }) => {
    const standing = await standingOfCart(cart, ledger, nowMs);
    return html`<tr><th scope="row">${cartLink(environment.srm.client, cart)}</th><td>${standing === undefined ? NOTHING : standingStatus(standing)}</td><td>${as}</td></tr>`;
  });
  return html`<table><thead><tr><th scope="col">Cart</th><th scope="col">Standing</th><th scope="col">Found as</th></tr></thead><tbody>${rows}</tbody></table>`;
}

const further = (text: string, { found }: Search, everywhere: boolean): Html =>
  everywhere || found.length === 0
    ? NOTHING
    : html`<p><a href="${linkTo(PATH, { q: text, all: 'yes' })}">Search everywhere, the log too</a></p>`;
