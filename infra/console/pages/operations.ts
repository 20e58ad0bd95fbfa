/** Who did what by hand, why, and what came of it. */
import { ACTIONS } from '../../../shared/operations.ts';
import { type Operation, operationsOfMonth } from '../../../shared/operations-of-month.ts';
import { instantText } from '../../../shared/standing-sentence.ts';
import { monthOf } from '../../calendar.ts';
import type { TableRow } from '../../carts/tables.ts';
import { orBadQuery } from '../carts/bad-query.ts';
import { cartLink } from '../carts/cart-link.ts';
import { csvDownload } from '../carts/csv-download.ts';
import { BadQuery, periodOf } from '../carts/list-request.ts';
import { durationText, html, linkTo, NOTHING, numberText, status, type StatusKind, time } from '../html.ts';
import { pageOf, pager, ROWS_OF_A_PAGE } from '../layout.ts';
import type { Answer, ConsolePage, Html, PageRequest } from '../page.ts';

const PATH = '/operations';

export const operationsPage: ConsolePage = {
  path: PATH,
  label: 'Operations',
  show: (request) => orBadQuery(PATH, () => show(request)),
};

async function show(request: PageRequest): Promise<Answer> {
  const { url, sources, nowMs } = request;
  const { month = monthOf(nowMs) } = periodOf(url);
  const action = url.searchParams.get('action') || undefined;
  if (action !== undefined && !ACTIONS.some((one) => one === action)) {
    throw new BadQuery(`An act is one of ${ACTIONS.join(', ')}.`);
  }
  const all = await operationsOfMonth(sources.ledger.table, month);
  const shown = all.filter((one) => action === undefined || one.action === action).toReversed();
  const query = { month, action };
  if (url.searchParams.get('as') === 'csv') {
    return csvDownload(`operations-${sources.environment.name}-${month}`, COLUMNS, [shown.map(csvRow)]);
  }
  const page = pageOf(url);
  const rows = shown.slice((page - 1) * ROWS_OF_A_PAGE, page * ROWS_OF_A_PAGE);
  return {
    title: 'Operations',
    body: html`<section aria-labelledby="acts"><h2 id="acts">Acts by hand in ${month} (UTC) (${numberText(shown.length)})</h2>
<form class="fields" action="${PATH}"><label>Month (UTC)<br><input type="month" name="month" value="${month}" placeholder="2026-11" size="10"></label>
<label>Act<br><select name="action"><option value="">any</option>${ACTIONS.map((one) => html`<option ${one === action ? html`selected` : NOTHING}>${one}</option>`)}</select></label><button>Show</button></form>
<p><a href="${linkTo(PATH, { ...query, as: 'csv' })}">As CSV</a></p>
${rows.length === 0 ? html`<p>No act by hand in this month.</p>` : table(rows, request)}
${pager(PATH, query, { page, rows: shown.length })}</section>`,
  };
}

const table = (rows: readonly Operation[], { nowMs, sources }: PageRequest): Html =>
  html`<table><caption>Newest first</caption><thead><tr><th scope="col">Begun</th><th scope="col">Act</th><th scope="col">On what</th><th scope="col">Why</th><th scope="col">By</th><th scope="col">What came of it</th></tr></thead><tbody>${rows.map(
    (one) =>
      html`<tr><td>${time(one.startedAtMs, nowMs)}</td><th scope="row">${one.action}</th><td>${one.subject}${carts(one, sources.environment.srm.client)}</td><td>${one.reason}</td><td>${one.by}</td><td>${outcome(one)}</td></tr>`,
  )}</tbody></table>`;

const SHOWN_CARTS = 5;

function carts({ cartNumbers }: Operation, client: string): Html {
  if (cartNumbers.length === 0) return NOTHING;
  const links = cartNumbers.map((number, index) => html`${index === 0 ? NOTHING : ', '}${cartLink(client, number)}`);
  const first = html`<br><small>Carts: ${links.slice(0, SHOWN_CARTS)}</small>`;
  if (links.length <= SHOWN_CARTS) return first;
  return html`<details><summary>${numberText(links.length)} carts</summary>${links}</details>`;
}

const RESULTS: Readonly<Record<string, StatusKind>> = { done: 'positive', stopped: 'critical', failed: 'negative' };

function outcome({ outcome: end, startedAtMs, endedAtMs }: Operation): Html {
  if (end === undefined) return html`${status('open', 'no end is recorded')}<br>It still runs, or its function died.`;
  const took = endedAtMs === undefined ? NOTHING : html` <small>after ${durationText(endedAtMs - startedAtMs)}</small>`;
  return html`${status(RESULTS[end.result] ?? 'neutral', end.result)}${took}<br>${end.summary}`;
}

const COLUMNS = [
  'begun at',
  'ended at',
  'act',
  'on what',
  'why',
  'by',
  'result',
  'what came of it',
  'carts',
  'messages',
  'request id',
];

const csvRow = (one: Operation): TableRow => ({
  'begun at': instantText(one.startedAtMs),
  'ended at': one.endedAtMs === undefined ? '' : instantText(one.endedAtMs),
  act: one.action,
  'on what': one.subject,
  why: one.reason,
  by: one.by,
  result: one.outcome?.result ?? '',
  'what came of it': one.outcome?.summary ?? '',
  carts: one.cartNumbers.join(' '),
  messages: one.messageIds.join(' '),
  'request id': one.requestId,
});
