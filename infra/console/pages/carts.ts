/** The carts of a day, or of the last 14 days, by state: a part of the list at a time, however long it is. */
import { FAULT_CATALOGUE } from '../../../shared/fault-catalogue.ts';
import { inLanes } from '../../../shared/lanes.ts';
import { reasonsOf } from '../../../shared/standing-sentence.ts';
import { type ListSlice, readSlice, type StandingCart, standingsOf } from '../../carts/cart-lists.ts';
import type { ListedState } from '../../carts/cart-states.ts';
import { CARTS_AT_ONCE, standingOfCart } from '../../carts/known-cart.ts';
import { howToName, readWaitingQueue } from '../../carts/waiting-carts.ts';
import { orBadQuery } from '../carts/bad-query.ts';
import { cartLink } from '../carts/cart-link.ts';
import { CSV_COLUMNS, csvRows, deadLetterOf } from '../carts/cart-rows.ts';
import { CLOSED_COLUMNS, type ClosedCart, closedCarts, closedRow } from '../carts/closed-carts.ts';
import { csvDownload } from '../carts/csv-download.ts';
import {
  BadQuery,
  isListedState,
  listRequestOf,
  type ListRequest,
  newestDays,
  type Period,
  periodOf,
} from '../carts/list-request.ts';
import { countText, LIST_LIMITS, listPager, orderTable } from '../carts/list-view.ts';
import { html, identifier, linkTo, NOTHING, numberText, time } from '../html.ts';
import { pageOf, pager, ROWS_OF_A_PAGE } from '../layout.ts';
import type { Answer, ConsolePage, Html, PageRequest } from '../page.ts';
import { standingStatus } from '../standing-status.ts';

const PATH = '/carts';

export const cartsPage: ConsolePage = {
  path: PATH,
  label: 'Carts',
  show: (request) => orBadQuery(PATH, () => show(request)),
};

const TABS = {
  ordered: 'Ordered',
  'dead-lettered': 'Dead-lettered',
  skipped: 'Skipped',
  closed: 'Closed by hand',
  waiting: 'Waiting',
} as const;
type Tab = keyof typeof TABS;
const isTab = (text: string): text is Tab => Object.hasOwn(TABS, text);

async function show(request: PageRequest): Promise<Answer> {
  const tab = request.url.searchParams.get('state') ?? 'ordered';
  if (!isTab(tab)) throw new BadQuery(`A state is one of ${Object.keys(TABS).join(', ')}.`);
  if (isListedState(tab)) return listed(tab, request);
  return tab === 'waiting' ? waiting(request) : closed(request);
}

const tabs = (current: Tab, { day }: Pick<Period, 'day'>): Html =>
  html`<nav class="tabs" aria-label="States"><ul>${Object.entries(TABS).map(
    ([tab, label]) =>
      html`<li><a href="${linkTo(PATH, { state: tab, day: tab === 'waiting' ? undefined : day })}" ${tab === current ? html`aria-current="page"` : NOTHING}>${label}</a></li>`,
  )}</ul></nav>`;

const whenText = ({ day }: Period): string => (day === undefined ? 'in the last 14 days' : `on ${day} (UTC)`);
const fileName = (state: Tab, name: string, { day = 'last-14-days' }: Period): string =>
  `carts-${state}-${name}-${day}`;

const dayField = ({ day }: Period): Html =>
  html`<label>Day (UTC; empty: the last 14 days)<br><input type="date" name="day" value="${day ?? ''}"></label>`;

async function listed(state: ListedState, request: PageRequest): Promise<Answer> {
  const { url, sources, nowMs } = request;
  const { environment, ledger } = sources;
  const asked = listRequestOf(url, state, environment.srm.client, nowMs);
  const { list, start, query, period } = asked;
  if (url.searchParams.get('as') === 'csv') {
    const rows = csvRows(state, { ...list, days: list.days.toReversed() }, ledger, nowMs);
    return csvDownload(fileName(state, environment.name, period), CSV_COLUMNS[state], rows);
  }
  const slice = await readSlice(ledger, list, start, LIST_LIMITS);
  const carts = await standingsOf(slice.items, ledger, nowMs);
  return {
    title: 'Carts',
    body: html`${tabs(state, period)}
<section aria-labelledby="list"><h2 id="list">${headingOf(asked, slice)}</h2>
${filterForm(asked)}
<p><a href="${linkTo(PATH, { ...query, as: 'csv' })}">The whole list as CSV</a></p>
${carts.length === 0 ? NOTHING : TABLES[state](carts, request)}
${listPager(PATH, query, slice, start)}</section>`,
  };
}

const WHAT: Readonly<Record<ListedState, string>> = {
  ordered: 'Orders',
  'dead-lettered': 'Messages given up',
  skipped: 'Skipped carts',
};

const headingOf = ({ state, period, start, code, supplier }: ListRequest, slice: ListSlice): string =>
  [
    WHAT[state],
    ...(code === undefined ? [] : [`for ${code}`]),
    ...(supplier === undefined ? [] : [`for supplier ${supplier}`]),
    whenText(period),
    countText(slice, start),
  ].join(' ');

const filterForm = ({ state, period, code, supplier }: ListRequest): Html =>
  html`<form class="fields" action="${PATH}"><input type="hidden" name="state" value="${state}">${dayField(period)}
${state === 'ordered' ? html`<label>Supplier<br><input name="supplier" value="${supplier ?? ''}" size="12" maxlength="20" autocomplete="off"></label>` : NOTHING}
${
  state === 'dead-lettered'
    ? html`<label>Reason<br><select name="code"><option value="">any</option>${Object.keys(FAULT_CATALOGUE).map((one) => html`<option ${one === code ? html`selected` : NOTHING}>${one}</option>`)}</select></label>`
    : NOTHING
}
<button>Show</button></form>`;

const CAPTION = "Newest first, with the cart's present standing";

const TABLES: Readonly<Record<ListedState, (carts: readonly StandingCart[], request: PageRequest) => Html>> = {
  ordered: orderTable,
  skipped: (carts, { nowMs, sources }) =>
    html`<table><caption>${CAPTION}</caption><thead><tr><th scope="col">Skipped</th><th scope="col">Cart</th><th scope="col">Standing</th><th scope="col">Reason</th></tr></thead><tbody>${carts.map(
      ({ item, cart, standing }) =>
        html`<tr><td>${time(item.listedAtMs, nowMs)}</td><th scope="row">${cartLink(sources.environment.srm.client, cart.name)}</th><td>${standingStatus(standing)}</td><td>${item.reason}</td></tr>`,
    )}</tbody></table>`,
  'dead-lettered': (carts, { nowMs, sources }) =>
    html`<table><caption>${CAPTION}</caption><thead><tr><th scope="col">Given up</th><th scope="col">Cart</th><th scope="col">Standing</th><th scope="col">Why</th><th scope="col">Who can correct it</th><th scope="col">Message</th></tr></thead><tbody>${carts.map(
      (one) => {
        const { messageId, faults, owners } = deadLetterOf(one, sources.environment);
        return html`<tr><td>${time(one.item.listedAtMs, nowMs)}</td><th scope="row">${cartLink(sources.environment.srm.client, one.cart.name)}</th><td>${standingStatus(one.standing)}</td><td>${reasonsOf(faults)}</td><td>${owners}</td><td>${identifier(messageId)}</td></tr>`;
      },
    )}</tbody></table>`,
};

async function closed(request: PageRequest): Promise<Answer> {
  const { url, sources, nowMs } = request;
  const { environment, ledger } = sources;
  const period = periodOf(url);
  const all = await closedCarts(ledger.table, newestDays(period, nowMs));
  if (url.searchParams.get('as') === 'csv') {
    return csvDownload(fileName('closed', environment.name, period), CLOSED_COLUMNS, [all.map(closedRow)]);
  }
  const page = pageOf(url);
  const rows = all.slice((page - 1) * ROWS_OF_A_PAGE, page * ROWS_OF_A_PAGE);
  const query = { state: 'closed', day: period.day };
  return {
    title: 'Carts',
    body: html`${tabs('closed', period)}
<section aria-labelledby="list"><h2 id="list">Carts closed by hand ${whenText(period)} (${numberText(all.length)})</h2>
<form class="fields" action="${PATH}"><input type="hidden" name="state" value="closed">${dayField(period)}<button>Show</button></form>
<p><a href="${linkTo(PATH, { ...query, as: 'csv' })}">The whole list as CSV</a></p>
${rows.length === 0 ? NOTHING : await closedTable(rows, request)}
${pager(PATH, query, { page, rows: all.length })}</section>`,
  };
}

async function closedTable(rows: readonly ClosedCart[], { sources, nowMs }: PageRequest): Promise<Html> {
  const { environment, ledger } = sources;
  const cells = await inLanes(rows, CARTS_AT_ONCE, async ({ atMs, cart, reason, by }) => {
    const standing = await standingOfCart(cart, ledger, nowMs);
    return html`<tr><td>${time(atMs, nowMs)}</td><th scope="row">${cartLink(environment.srm.client, cart)}</th><td>${standing === undefined ? NOTHING : standingStatus(standing)}</td><td>${reason}</td><td>${by}</td></tr>`;
  });
  return html`<table><caption>${CAPTION}</caption><thead><tr><th scope="col">Closed</th><th scope="col">Cart</th><th scope="col">Standing</th><th scope="col">Why</th><th scope="col">By</th></tr></thead><tbody>${cells}</tbody></table>`;
}

/** No index lists waiting carts: SQS counts them. */
async function waiting({ sources, nowMs }: PageRequest): Promise<Answer> {
  const { sentences, sizeInBytes } = await readWaitingQueue(sources.ledger, nowMs);
  return {
    title: 'Carts',
    body: html`${tabs('waiting', { day: undefined })}
<section aria-labelledby="list"><h2 id="list">Waiting carts</h2>
${sentences.map((sentence) => html`<p>${sentence}</p>`)}
<p class="quiet">No list names waiting carts. One cart: search for its number above. All of them, on the command line: <code>npm run carts -- --env ${sources.environment.name}</code>. ${howToName(sizeInBytes)}</p></section>`,
  };
}
