/** The worklist: dead letters by cause and owner, what to do about each, and the redrive of exactly what was chosen. */
import { type FaultCode, isFaultCode } from '../../../shared/failure.ts';
import { FAULT_CATALOGUE } from '../../../shared/fault-catalogue.ts';
import { inLanes } from '../../../shared/lanes.ts';
import type { Standing } from '../../../shared/standing.ts';
import { instantText, reasonsOf } from '../../../shared/standing-sentence.ts';
import { deadPartOf } from '../../carts/cart-lists.ts';
import { CARTS_AT_ONCE, readSurroundings, standingOfPartition } from '../../carts/known-cart.ts';
import { BYTE_ORDER_MARK, csvText } from '../../csv.ts';
import { ownerText } from '../../owners.ts';
import { byAndReason, fieldOf, fieldsOf, invoked, reasonField } from '../acts.ts';
import { html, identifier, linkTo, notice, NOTHING, numberText, plural, status, time } from '../html.ts';
import { pageOf, pager, ROWS_OF_A_PAGE } from '../layout.ts';
import { type OpenDeadLetter, openDeadLetters } from '../open-dead-letters.ts';
import { deadLetterHeading, runbookLink } from '../runbook-heading.ts';
import type { Answer, ConsolePage, Download, FormRequest, Html, Page, PageRequest } from '../page.ts';
import { actAnswer, type Plan, planAnswer, type RedriveResult, redriveAnswer } from '../redriver-answers.ts';
import { cartLink } from '../carts/cart-link.ts';

const PATH = '/dead-letters';

export const deadLettersPage: ConsolePage = {
  path: PATH,
  label: 'Dead letters',
  show,
  submit: { needs: 'operate', handle: act },
};

interface Filter {
  readonly code: string | undefined;
  readonly owner: string | undefined;
  readonly cart: string | undefined;
}

const filterOf = ({ searchParams }: URL): Filter => {
  const given = (name: string): string | undefined => searchParams.get(name)?.trim() || undefined;
  return { code: given('code'), owner: given('owner'), cart: given('cart') };
};

/** The codes of a dead letter in one word: those with the same codes have the same cause. */
const causeOf = ({ codes }: OpenDeadLetter): string => codes.join(' ') || 'NONE';

const isShown = (one: OpenDeadLetter, { code, owner, cart }: Filter): boolean =>
  (code === undefined || causeOf(one) === code) &&
  (owner === undefined || one.owners.some((name) => name === owner)) &&
  (cart === undefined || one.cart === cart);

async function show(request: PageRequest): Promise<Answer> {
  const { url, sources, nowMs } = request;
  const filter = filterOf(url);
  const all = await openDeadLetters(sources.ledger, nowMs);
  const shown = all.filter((one) => isShown(one, filter));
  if (url.searchParams.get('as') === 'csv') return asCsv(shown, request);
  return worklist(request, { all, shown, filter }, NOTHING);
}

interface Lists {
  readonly all: readonly OpenDeadLetter[];
  readonly shown: readonly OpenDeadLetter[];
  readonly filter: Filter;
}

async function worklist(request: PageRequest, { all, shown, filter }: Lists, said: Html): Promise<Page> {
  const { sources, nowMs, mode, url } = request;
  const counts = await sources.health.deadLetterCounts();
  const onQueue = counts.ready + counts.inFlight + counts.delayed;
  const page = pageOf(url);
  const rows = shown.slice((page - 1) * ROWS_OF_A_PAGE, page * ROWS_OF_A_PAGE);
  const standings = await inLanes(rows, CARTS_AT_ONCE, ({ pk }) =>
    standingOfPartition(pk, sources.ledger.table, nowMs),
  );
  const isFiltered = shown.length !== all.length;
  const query = { code: filter.code, owner: filter.owner, cart: filter.cart };
  const byCause = html`<section aria-labelledby="causes"><h2 id="causes">By cause</h2>
${all.length === 0 ? html`<p>${status('positive', 'No dead letter is open')}</p>` : causes(all, request)}
<p class="quiet">By the ledger. The dead-letter queue holds about ${numberText(onQueue)}${counts.inFlight > 0 ? `, ${numberText(counts.inFlight)} of them held by a reader` : ''}.</p></section>`;
  const list =
    shown.length === 0
      ? NOTHING
      : html`<section aria-labelledby="list"><h2 id="list">${headingOf(filter, shown.length)}</h2>
<p>${isFiltered ? html`<a href="${PATH}">Show all</a> · ` : NOTHING}<a href="${linkTo(PATH, { ...query, as: 'csv' })}">As CSV</a> <span class="quiet">for those who have no AWS login, as is printing this page: no field of a person is in it</span></p>
${filter.code === undefined ? NOTHING : whatToDo(filter.code, request)}
${mode === 'operate' ? html`<form method="post" action="${linkTo(PATH, query)}">${table(rows, standings, request)}${chosenActs(filter, shown.length)}</form>` : table(rows, standings, request)}
${pager(PATH, query, { page, rows: shown.length })}
${ticket(shown, filter, request)}</section>`;
  return {
    title: `Dead letters (${isFiltered ? `${numberText(shown.length)} of ` : ''}${numberText(all.length)})`,
    body: html`${said}
${isFiltered ? [list, byCause] : [byCause, list]}
${mode === 'operate' ? selectionForm(onQueue) : NOTHING}`,
  };
}

const headingOf = ({ code, owner, cart }: Filter, count: number): string =>
  [plural(count, 'dead letter'), code, owner && `of the ${owner}`, cart && `of cart ${cart}`].filter(Boolean).join(' ');

function causes(all: readonly OpenDeadLetter[], { nowMs, sources }: PageRequest): Html {
  const groups = [...Map.groupBy(all, causeOf)].sort(([, one], [, other]) => other.length - one.length);
  return html`<table><caption>${plural(groups.length, 'cause')}, the most frequent first</caption><thead><tr><th scope="col">Cause</th><th scope="col" class="number">Dead letters</th><th scope="col">Who can correct it</th><th scope="col">What to do</th><th scope="col">Since</th><th scope="col">Deleted next</th></tr></thead><tbody>${groups.map(
    ([cause, ones]) => {
      const codes = cause.split(' ').filter(isFaultCode);
      const [oldest] = ones;
      return html`<tr><th scope="row"><a href="${linkTo(PATH, { code: cause })}">${cause === 'NONE' ? 'no reason is recorded' : cause}</a></th><td class="number">${numberText(ones.length)}</td><td>${each(codes, (code) => ownerText(sources.environment, FAULT_CATALOGUE[code].owner))}</td><td>${each(codes, (code) => FAULT_CATALOGUE[code].action)}</td><td>${oldest === undefined ? NOTHING : time(oldest.sinceMs, nowMs)}</td><td>${oldest === undefined ? NOTHING : expiry(oldest.deletedAtMs, nowMs)}</td></tr>`;
    },
  )}</tbody></table>`;
}

/** Each text once. */
const each = (codes: readonly FaultCode[], textOf: (code: FaultCode) => string): Html =>
  html`${[...new Set(codes.map(textOf))].map((text, index) => html`${index === 0 ? NOTHING : html`<br>`}${text}`)}`;

const URGENT_MS = 72 * 3_600_000;
const expiry = (ms: number, nowMs: number): Html =>
  ms - nowMs < URGENT_MS ? html`${status('critical', 'soon')} ${time(ms, nowMs)}` : time(ms, nowMs);

function whatToDo(cause: string, { sources }: PageRequest): Html {
  const hasNoLookUp = sources.environment.vms.lookUpBy === 'none';
  return html`${cause
    .split(' ')
    .filter(isFaultCode)
    .map((code) => {
      const { meaning, action, owner } = FAULT_CATALOGUE[code];
      return html`<p><strong>${code}</strong>: ${meaning}. <strong>${ownerText(sources.environment, owner)}</strong>: ${action} Runbook: ${runbookLink(sources.environment, deadLetterHeading([code], { hasNoLookUp }))}</p>`;
    })}`;
}

function table(rows: readonly OpenDeadLetter[], standings: readonly Standing[], request: PageRequest): Html {
  const { nowMs, mode, sources } = request;
  const { client } = sources.environment.srm;
  const isChosen = mode === 'operate';
  return html`<table><caption>Those that SQS deletes first come first</caption><thead><tr>${isChosen ? html`<th scope="col"><label>All <input type="checkbox" data-all="id"></label></th>` : NOTHING}<th scope="col">Cart</th><th scope="col">Why</th><th scope="col">Who</th><th scope="col">Since</th><th scope="col">Deleted</th></tr></thead><tbody>${rows.map(
    (one, index) => {
      const standing = standings[index];
      const dead = standing && deadPartOf(standing);
      const box =
        dead === undefined
          ? NOTHING
          : html`<input type="checkbox" name="id" value="${one.messageId}" aria-label="Cart ${one.cart}">`;
      return html`<tr>${isChosen ? html`<td>${box}</td>` : NOTHING}<th scope="row">${cartLink(client, one.cart)}</th><td>${dead === undefined ? html`${status('positive', standing?.word ?? '')} <small>since it was given up; nothing is to be done</small>` : html`${reasonsOf(dead.faults)}${isChosen ? html` <a href="${linkTo('/workbench', { message: one.messageId })}">Open in the workbench</a>` : NOTHING}`}</td><td>${one.owners.map((owner) => ownerText(sources.environment, owner)).join(', ')}</td><td>${time(one.sinceMs, nowMs)}</td><td>${expiry(one.deletedAtMs, nowMs)}</td></tr>`;
    },
  )}</tbody></table>`;
}

const chosenActs = (
  { code }: Filter,
  count: number,
): Html => html`<p><button name="act" value="plan-chosen">Plan a redrive of the chosen</button> ${
  code !== undefined && isFaultCode(code)
    ? html`<button name="act" value="plan-code">Plan a redrive of ${count === 1 ? 'the one dead letter' : `all ${plural(count, 'dead letter')}`} of ${code}</button><input type="hidden" name="code" value="${code}">`
    : NOTHING
} <span class="quiet">A plan moves nothing: it says what would become of each.</span></p>
<details><summary>Close the chosen: they were settled by hand</summary><p>${reasonField('close-reason', 'optional')} <button name="act" value="close" class="act">Close the chosen</button></p><p class="quiet">Their messages are deleted, their carts are settled: nothing orders them any more. The reason stays in the ledger.</p></details>`;

const selectionForm = (
  onQueue: number,
): Html => html`<section aria-labelledby="selection"><h2 id="selection">Plan by what they have in common</h2>
<form method="post" action="${PATH}" class="fields">
<label>Code<br><input name="code" size="24" autocomplete="off" placeholder="E_MAP_UOM"></label>
<label>Supplier<br><input name="supplier" size="12" autocomplete="off"></label>
<label>Run<br><input name="run" size="24" autocomplete="off"></label>
<label>Cart<br><input name="cart" size="12" autocomplete="off"></label>
<label>Owner<br><select name="owner"><option value="">any</option>${[...new Set(Object.values(FAULT_CATALOGUE).map(({ owner }) => owner))].map((owner) => html`<option>${owner}</option>`)}</select></label>
<label><input type="checkbox" name="everything" value="yes"> also those that would fail again</label>
<button name="act" value="plan-selection">Plan a redrive</button></form>
<p class="quiet">All that is given must hold. One plan takes 500; the queue holds about ${numberText(onQueue)}.</p>
${onQueue > 500 ? html`<details><summary>Redrive everything by SQS's own move task, ten a second</summary><form method="post" action="${PATH}" class="fields">${reasonField('all-reason')}<button class="act" name="act" value="redrive-all">Redrive all ${numberText(onQueue)}</button><button name="act" value="cancel-redrive-all">Stop the move task</button></form><p class="quiet">Without a plan and without a canary: what still has its cause fails again.</p></details>` : NOTHING}</section>`;

/** What a person may paste into a ticket: no value of a cart is in it. */
function ticket(shown: readonly OpenDeadLetter[], filter: Filter, { sources, nowMs }: PageRequest): Html {
  const codes = [...new Set(shown.flatMap((one) => one.codes))];
  const [first] = shown;
  const lines = [
    `Environment: ${sources.environment.name}`,
    `${headingOf(filter, shown.length)}, as of ${instantText(nowMs)}`,
    ...codes.map(
      (code) =>
        `${code}: ${FAULT_CATALOGUE[code].meaning}. Owner: ${ownerText(sources.environment, FAULT_CATALOGUE[code].owner)}. ${FAULT_CATALOGUE[code].action}`,
    ),
    ...(first === undefined
      ? []
      : [`First seen: ${instantText(first.sinceMs)}; the first is deleted: ${instantText(first.deletedAtMs)}`]),
    `Carts: ${[...new Set(shown.slice(0, ROWS_OF_A_PAGE).map(({ cart }) => cart))].join(', ')}${shown.length > ROWS_OF_A_PAGE ? ', …' : ''}`,
    `Runbook: ${sources.environment.notifications.runbookUrl}#redrive`,
  ];
  return html`<details><summary>Copy for a ticket</summary><pre data-copy="the ticket">${lines.join('\n')}</pre></details>`;
}

function asCsv(shown: readonly OpenDeadLetter[], { sources }: PageRequest): Download {
  const head = ['cart', 'codes', 'owner', 'what to do', 'given up at', 'deleted at the latest', 'message id'];
  async function* chunks(): AsyncGenerator<string> {
    yield BYTE_ORDER_MARK + csvText([head]);
    for (const one of shown) {
      yield csvText([
        [
          one.cart,
          one.codes.join(' '),
          one.owners.map((owner) => ownerText(sources.environment, owner)).join('; '),
          [...new Set(one.codes.map((code) => FAULT_CATALOGUE[code].action))].join(' '),
          instantText(one.sinceMs),
          instantText(one.deletedAtMs),
          one.messageId,
        ],
      ]);
    }
  }
  return {
    filename: `dead-letters-${sources.environment.name}.csv`,
    contentType: 'text/csv; charset=utf-8',
    chunks: chunks(),
  };
}

async function act(request: FormRequest): Promise<Page> {
  const { form, sources } = request;
  const chosen = fieldsOf(form, 'id');
  switch (fieldOf(form, 'act')) {
    case 'plan-chosen':
      return chosen.length === 0 ? nothingChosen(request) : plan(request, { messageIds: chosen });
    case 'plan-code':
      return plan(request, { code: fieldOf(form, 'code') });
    case 'plan-selection':
      return plan(request, selectionOf(form));
    case 'redrive': {
      const redrive = {
        planHash: fieldOf(form, 'planHash'),
        ...byAndReason(request),
        ...(fieldOf(form, 'force') === 'yes' ? { force: true } : {}),
      };
      return redriven(await invoked(sources, 'redriver', { redrive }, redriveAnswer), request);
    }
    case 'redrive-all':
      return told(request, { redriveAll: byAndReason(request) });
    case 'cancel-redrive-all':
      return told(request, { cancelRedriveAll: byAndReason(request) });
    case 'close':
      if (chosen.length === 0) return nothingChosen(request);
      return told(request, { close: { messageIds: chosen, ...byAndReason(request) } });
    default:
      return again(request, notice('negative', 'This form is not known.'));
  }
}

/** The list as it is after an act. */
async function again(request: FormRequest, said: Html): Promise<Page> {
  const filter = filterOf(request.url);
  const all = await openDeadLetters(request.sources.ledger, request.nowMs);
  return worklist(request, { all, shown: all.filter((one) => isShown(one, filter)), filter }, said);
}

const nothingChosen = (request: FormRequest): Promise<Page> =>
  again(request, notice('critical', 'Nothing is chosen: tick the dead letters in the list.'));

function selectionOf(form: FormData): Readonly<Record<string, string>> {
  const given = ['code', 'supplier', 'run', 'cart', 'owner'].map((name) => [name, fieldOf(form, name)]);
  return Object.fromEntries(given.filter(([, value]) => value !== ''));
}

async function plan(request: FormRequest, selection: object): Promise<Page> {
  const everything = fieldOf(request.form, 'everything') === 'yes' ? { everything: true } : {};
  const planned = await invoked(request.sources, 'redriver', { plan: { selection, ...everything } }, planAnswer);
  const { breaker } = await readSurroundings(request.sources.ledger, request.nowMs);
  const paused =
    breaker.state === 'CLOSED'
      ? NOTHING
      : notice(
          'critical',
          html`Consumption is paused: on the cart queue a cart is kept for 4 days only. <a href="/">Resume first</a>, or tick "also while consumption is paused".`,
        );
  return {
    title: 'Plan of a redrive',
    body: html`${paused}${planSection(planned, request)}<p><a href="${PATH}">Back to the dead letters</a></p>`,
  };
}

/** How a person reads a forecast. */
const FORECASTS: Readonly<Record<string, Parameters<typeof status>>> = {
  ordered: ['positive', 'would be ordered'],
  fails: ['negative', 'still fails'],
  pointless: ['neutral', 'pointless'],
  unreadable: ['negative', 'cannot be read'],
  unknown: ['open', 'cannot be said beforehand'],
  sent: ['pending', 'was sent already'],
  closed: ['closed', 'settled by hand'],
};
const forecastStatus = (forecast: string): Html => status(...(FORECASTS[forecast] ?? ['open', forecast]));

function planSection(planned: Plan, { sources, nowMs }: PageRequest): Html {
  const { messages, moves, orders, selected, beyond, notSeen, forecasts, seen, about, planHash, validUntil } = planned;
  const { client } = sources.environment.srm;
  const counts = Object.entries(forecasts).map(
    ([forecast, count]) => html`<div><dt>${forecastStatus(forecast)}</dt><dd>${numberText(count)}</dd></div>`,
  );
  return html`<section aria-labelledby="plan"><h2 id="plan">${plural(selected, 'dead letter')} selected, ${numberText(moves)} would be redriven</h2>
<dl class="facts">${counts}</dl>
<p class="quiet">Translated by the deployed worker with its settings of this moment; whether 11VMS takes it is not asked. ${numberText(seen)} of about ${numberText(about)} on the queue were seen.${beyond > 0 ? ` ${numberText(beyond)} more are selected than one plan takes: plan again after this redrive.` : ''}${notSeen.length > 0 ? ` ${plural(notSeen.length, 'chosen message')} not seen: held by another reader, moved or deleted.` : ''}</p>
${
  planHash === undefined
    ? html`<p>${status('neutral', 'Nothing would be redriven')}</p>${nextSteps(messages, sources)}`
    : html`<form method="post" action="${PATH}" class="fields"><input type="hidden" name="planHash" value="${planHash}">${reasonField('redrive-reason')}<label><input type="checkbox" name="force" value="yes"> also while consumption is paused</label><button class="act" name="act" value="redrive">Redrive ${plural(moves, 'message')}: ${plural(orders, 'order')}</button></form>
<p class="quiet">First one message, whose outcome is awaited; then the rest, ten a second; it stops at the first that fails with the same code. The plan is valid until ${time(Date.parse(validUntil), nowMs)}.</p>`
}
<table><caption>What would become of each</caption><thead><tr><th scope="col">Cart</th><th scope="col">Forecast</th><th scope="col">Why</th><th scope="col" class="number">Orders</th><th scope="col">Redriven</th><th scope="col">Message</th></tr></thead><tbody>${messages.map(
    (one) =>
      html`<tr><th scope="row">${one.cartNumber === undefined ? (one.cartGuid ?? 'no cart') : cartLink(client, one.cartNumber)}</th><td>${forecastStatus(one.forecast)}</td><td>${one.forecastReason === '' ? one.forecastCodes.join(', ') : one.forecastReason}</td><td class="number">${one.orders}</td><td>${one.moves ? 'yes' : 'no'}</td><td>${identifier(one.messageId)}</td></tr>`,
  )}</tbody></table></section>`;
}

/** Why nothing moves, and what has to come first. */
function nextSteps(messages: Plan['messages'], { environment }: PageRequest['sources']): Html {
  const failing = messages.filter(({ forecast }) => forecast === 'fails').flatMap(({ forecastCodes }) => forecastCodes);
  return html`${[...new Set(failing)]
    .filter(isFaultCode)
    .map(
      (code) =>
        html`<p>First, <strong>${code}</strong>: <strong>${ownerText(environment, FAULT_CATALOGUE[code].owner)}</strong>: ${FAULT_CATALOGUE[code].action} Then plan again.</p>`,
    )}`;
}

/** Does an act, and shows the list with what came of it. */
async function told(request: FormRequest, event: object): Promise<Page> {
  const { status: end, summary } = await invoked(request.sources, 'redriver', event, actAnswer);
  return again(request, notice(end === 'partly' ? 'critical' : 'positive', summary));
}

function redriven({ status: end, summary, failed }: RedriveResult, request: FormRequest): Promise<Page> {
  const repeated = failed.map(({ cartNumber, messageId, codes }) => `${cartNumber ?? messageId}: ${codes.join(', ')}`);
  const words =
    repeated.length === 0
      ? summary
      : `${summary}. By cart: ${repeated.join('; ')}. Correct that first, then plan again.`;
  return again(request, notice(end === 'complete' && failed.length === 0 ? 'positive' : 'critical', words));
}
