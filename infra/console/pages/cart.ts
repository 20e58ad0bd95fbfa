/** One cart: where it stands, why, who can do what about it, its orders, and all that happened to it. */
import { type Fault, faultPlace } from '../../../shared/failure.ts';
import type { OrderState } from '../../../shared/ledger-keys.ts';
import { DEAD_LETTER_LIFETIME_MS } from '../../../shared/standing.ts';
import type { OrderTrace, Trace } from '../../../shared/traces.ts';
import { cartKeyOf } from '../../carts/cart-key.ts';
import { deadPartOf } from '../../carts/cart-lists.ts';
import { howToRead } from '../../carts/cart-story.ts';
import { UNIDENTIFIED } from '../../carts/known-cart.ts';
import { ownerText } from '../../owners.ts';
import { adviceOf } from '../carts/advice.ts';
import { type CartFacts, faultGroups, readCartFacts } from '../carts/cart-facts.ts';
import type { EntryKind, TimelineEntry } from '../carts/timeline.ts';
import { html, identifier, linkTo, NOTHING, numberText, plural, status, type StatusKind, time } from '../html.ts';
import type { Answer, ConsolePage, Html, PageRequest } from '../page.ts';
import { runbookLink } from '../runbook-heading.ts';
import { standingStatus } from '../standing-status.ts';

export const cartPage: ConsolePage = { path: '/carts/:client/:name', show };

async function show(request: PageRequest): Promise<Answer> {
  const { sources, nowMs, params } = request;
  const { environment } = sources;
  const { client, name = '' } = params;
  const key = name === UNIDENTIFIED ? undefined : cartKeyOf(name);
  if (key === undefined || client !== environment.srm.client) {
    return {
      title: 'There is no such cart',
      status: 404,
      body: html`<p>The carts of this environment are those of SAP client ${environment.srm.client}; a cart is named by its number, or by its GUID where it has none.</p><p><a href="/find">Find a cart</a></p>`,
    };
  }
  const facts = await readCartFacts(key, sources, nowMs);
  const { story } = facts;
  return {
    title: `Cart ${story.name}`,
    body: html`${header(facts, request)}
${facts.faults.length === 0 ? NOTHING : faultSection(facts.faults, request)}
${facts.orders.length === 0 ? NOTHING : orderSection(facts.orders, request)}
${timelineSection(facts, request)}
<section aria-labelledby="ticket"><h2 id="ticket">For a ticket</h2><p class="quiet">Identifiers, codes and times alone: nothing that the cart holds.</p><pre data-copy="the ticket">${facts.ticket}</pre></section>`,
  };
}

/** Whether a verdict of it may be on the list of open ones, also of a version of which a newer one took the place. */
function mayBeListed(traces: readonly Trace[], nowMs: number): boolean {
  const settled = new Set(
    traces.flatMap((trace) =>
      trace.kind === 'closed' || (trace.kind === 'redrive' && trace.state !== 'SENDING') ? [trace.messageId] : [],
    ),
  );
  return traces
    .filter((trace) => trace.kind === 'verdict')
    .some(
      ({ messageId, recordedAtMs, sentAtMs = recordedAtMs }) =>
        !settled.has(messageId) && sentAtMs + DEAD_LETTER_LIFETIME_MS > nowMs,
    );
}

function header({ story, runbookHeading }: CartFacts, { sources, nowMs }: PageRequest): Html {
  const { environment } = sources;
  const { standing, sentence, name, context, traces } = story;
  return html`<section aria-labelledby="standing"><h2 id="standing">Where it stands</h2>
<dl class="facts">
<div><dt>Standing</dt><dd>${standingStatus(standing)}</dd></div>
<div><dt>${story.key.number === undefined ? 'GUID' : 'Number'}</dt><dd>${identifier(name)}</dd></div>
<div><dt>SAP client</dt><dd>${environment.srm.client}</dd></div>
<div><dt>Runbook</dt><dd>${runbookLink(environment, runbookHeading)}</dd></div>
</dl>
<p>${sentence}</p>
${deadPartOf(standing) === undefined && !mayBeListed(traces, nowMs) ? NOTHING : html`<p><a href="${linkTo('/dead-letters', { cart: name })}">Its dead letters: plan a redrive, or close them</a></p>`}
${standing.word === 'never-read' ? adviceOf(howToRead(sources.ledger, context)) : NOTHING}</section>`;
}

/** A cart of 999 lines can have as many faults. */
const SHOWN_PLACES = 20;

function faultSection(faults: readonly Fault[], { sources }: PageRequest): Html {
  const groups = faultGroups(faults);
  const { environment } = sources;
  return html`<section aria-labelledby="faults"><h2 id="faults">What is wrong (${numberText(groups.length)})</h2>${groups.map(
    ({ code, meaning, owner, action, faults: ones }) => html`<h3>${code}: ${meaning}</h3>
<dl class="facts"><div><dt>Who can correct it</dt><dd>${ownerText(environment, owner)}</dd></div><div><dt>What to do</dt><dd>${action}</dd></div></dl>
<ul>${ones.slice(0, SHOWN_PLACES).map((fault) => html`<li>${fault.message}${faultPlace(fault)}</li>`)}</ul>
${ones.length > SHOWN_PLACES ? html`<p>and ${plural(ones.length - SHOWN_PLACES, 'more place')}</p>` : NOTHING}
<p><a href="${linkTo('/dead-letters', { code })}">Dead letters for ${code} alone</a></p>`,
  )}</section>`;
}

const ORDER_STATES: Readonly<Record<OrderState, readonly [StatusKind, string]>> = {
  CREATED: ['positive', 'Created'],
  NEW: ['pending', 'Tried, and not taken'],
  POSTING: ['information', 'In flight'],
  UNKNOWN: ['open', 'Outcome open'],
  REJECTED: ['negative', 'Rejected'],
};

const orderSection = (
  orders: readonly OrderTrace[],
  { nowMs }: PageRequest,
): Html => html`<section aria-labelledby="orders"><h2 id="orders">Orders (${numberText(orders.length)})</h2>
<table><thead><tr><th scope="col">External id</th><th scope="col">State</th><th scope="col">Order</th><th scope="col">Created</th><th scope="col">Last tried</th></tr></thead><tbody>${orders.map(
  ({ externalId, state, orderNumber, orderId, createdAtMs, claimedAtMs }) => {
    const number = orderNumber ?? orderId;
    return html`<tr><th scope="row">${identifier(externalId)}</th><td>${status(...ORDER_STATES[state])}</td><td>${number === undefined ? NOTHING : identifier(number)}</td><td>${createdAtMs === undefined ? NOTHING : time(createdAtMs, nowMs)}</td><td>${time(claimedAtMs, nowMs)}</td></tr>`;
  },
)}</tbody></table></section>`;

const ENTRIES: Readonly<Record<EntryKind, readonly [StatusKind, string]>> = {
  changed: ['neutral', 'SRM'],
  queued: ['information', 'Queue'],
  tried: ['pending', 'Attempt'],
  ordered: ['positive', 'Order'],
  'dead-lettered': ['negative', 'Dead letter'],
  redriven: ['pending', 'Redrive'],
  closed: ['closed', 'Closed'],
  skipped: ['neutral', 'Rule'],
  'written-back': ['information', 'SRM'],
  paused: ['critical', 'Pause'],
  resumed: ['positive', 'Resume'],
  'by-hand': ['pending', 'By hand'],
  log: ['neutral', 'Log'],
};

function timelineSection({ timeline, log }: CartFacts, { nowMs }: PageRequest): Html {
  return html`<section aria-labelledby="timeline"><h2 id="timeline">What happened (${numberText(timeline.length)})</h2>
<p class="quiet">${logText(log, nowMs)}</p>
${timeline.length === 0 ? NOTHING : html`<table><caption>By ledger, log and the record of acts by hand; oldest first</caption><thead><tr><th scope="col">When</th><th scope="col">About</th><th scope="col">What</th><th scope="col">Known by</th></tr></thead><tbody>${timeline.map(entryRow(nowMs))}</tbody></table>`}</section>`;
}

const entryRow =
  (nowMs: number) =>
  ({ atMs, kind, what, witness }: TimelineEntry): Html =>
    html`<tr><td>${time(atMs, nowMs)}</td><td>${status(...ENTRIES[kind])}</td><td>${what}</td><td>${witness === 'operator' ? 'act by hand' : witness}</td></tr>`;

function logText(log: CartFacts['log'], nowMs: number): Html {
  if (log === undefined) return html`The log holds nothing of it.`;
  if (log.kind === 'unanswered') return html`Without the log: ${log.why}.`;
  return html`Log lines up to ${time(log.upToMs, nowMs)}; those of the last minutes before may still be on their way.${log.isWhole ? NOTHING : html` Only the first ${numberText(log.value.length)} lines are shown.`}`;
}
