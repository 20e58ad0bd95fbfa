/** One field for whatever a person has in hand; a text that names one cart leads to its page at once. */
import { cartKeyOf } from '../../carts/cart-key.ts';
import { type CartStory, howToRead, readCartStory } from '../../carts/cart-story.ts';
import type { OpenedLedger } from '../../carts/open-ledger.ts';
import { adviceOf } from '../carts/advice.ts';
import { cartLink, cartPathOf } from '../carts/cart-link.ts';
import { findCarts, type FoundCart, type Search } from '../carts/find-carts.ts';
import { html, linkTo, notice, NOTHING, numberText } from '../html.ts';
import type { Answer, ConsolePage, Html, PageRequest } from '../page.ts';

const PATH = '/find';

export const findPage: ConsolePage = { path: PATH, show };

async function show({ url, sources, nowMs }: PageRequest): Promise<Answer> {
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
  const { client } = environment.srm;
  if (search.only !== undefined && !everywhere) return { redirectTo: cartPathOf(client, search.only) };
  const cart = /^\d+$/.test(text) ? cartKeyOf(text) : undefined;
  const unread =
    search.found.length > 0 || cart === undefined
      ? NOTHING
      : ifUnread(await readCartStory(cart, ledger, nowMs), ledger);
  return {
    title: 'Find',
    body: html`${form(text)}${unread}${results(search, client)}${further(text, search, everywhere)}`,
  };
}

const form = (text: string): Html => html`<section aria-labelledby="find"><h2 id="find">A cart</h2>
<form class="fields" action="${PATH}"><label>Cart number or GUID, order number, external id, supplier, message id or run id<br><input name="q" value="${text}" size="44" maxlength="100" required autocomplete="off"></label><button>Find</button></form></section>`;

/** No place knows the number: as a cart it may be one that no run has read. */
const ifUnread = (story: CartStory, ledger: OpenedLedger): Html =>
  html`<section aria-labelledby="unread"><h2 id="unread">If ${story.name} is the number of a cart</h2><p>${story.sentence}</p>${adviceOf(howToRead(ledger, story.context))}</section>`;

const results = (
  { found, searched }: Search,
  client: string,
): Html => html`<section aria-labelledby="found"><h2 id="found">Carts found (${numberText(found.length)})</h2>
${found.length === 0 ? html`<p>Nothing holds this identifier where it was searched.</p>` : foundTable(found, client)}
<h3>Searched</h3><ul>${searched.map((sentence) => html`<li>${sentence}</li>`)}</ul></section>`;

const foundTable = (found: readonly FoundCart[], client: string): Html =>
  html`<table><thead><tr><th scope="col">Cart</th><th scope="col">Found as</th></tr></thead><tbody>${found.map(
    ({ cart, as }) => html`<tr><th scope="row">${cartLink(client, cart)}</th><td>${as}</td></tr>`,
  )}</tbody></table>`;

const further = (text: string, { found }: Search, everywhere: boolean): Html =>
  everywhere || found.length === 0
    ? NOTHING
    : html`<p><a href="${linkTo(PATH, { q: text, all: 'yes' })}">Search everywhere, the log too</a></p>`;
