/** The state at a glance: do carts flow, what waits, what needs a person. */
import * as z from 'zod';
import {
  createReconciliationRecord,
  type ReconciliationReport,
  type ReconciliationState,
} from '../../../functions/reconcile-carts/reconciliation-record.ts';
import { reportPause } from '../../../functions/supervise-consumption/pause-report.ts';
import type { BreakerItem } from '../../../shared/circuit-breaker.ts';
import { isFaultCode } from '../../../shared/failure.ts';
import { FAULT_CATALOGUE } from '../../../shared/fault-catalogue.ts';
import { readSurroundings } from '../../carts/known-cart.ts';
import { heldBy, type QueueCounts } from '../../carts/open-ledger.ts';
import { ownerText } from '../../owners.ts';
import { byAndReason, fieldOf, invoked, reasonField, shownAfter } from '../acts.ts';
import { html, linkTo, notice, NOTHING, numberText, plural, status, time } from '../html.ts';
import { extractionSilenceMs } from '../../schedule.ts';
import { atMostPrefix, ONLY_A_LOOK_TELLS, type OpenDeadLetter, openDeadLetters } from '../open-dead-letters.ts';
import { cartLink } from '../carts/cart-link.ts';
import { hoursPicture } from '../hours-picture.ts';
import type { ConsolePage, FormRequest, Html, Page, PageRequest } from '../page.ts';
import { runbookLink } from '../runbook-heading.ts';
import type { AlarmState } from '../sources.ts';

export const nowPage: ConsolePage = {
  path: '/',
  label: 'Now',
  show,
  submit: { needs: 'operate', handle: pauseOrResume },
};

async function show(request: PageRequest, said: Html = NOTHING): Promise<Page> {
  const { sources, nowMs, mode } = request;
  const { ledger, health, environment } = sources;
  const record = createReconciliationRecord(ledger.table, environment.srm.client);
  const [context, counts, dead, deadLetters, alarms, hours, oldestMs, reconciliation, reports] = await Promise.all([
    readSurroundings(ledger, nowMs),
    ledger.queueCounts(),
    health.deadLetterCounts(),
    openDeadLetters(ledger, nowMs),
    health.alarms(),
    health.lastHours(nowMs),
    health.oldestWaitMs(nowMs),
    record.read(),
    record.reports(0),
  ]);
  const { breaker, watermarkMs } = context;
  const waiting = heldBy(counts);
  return {
    title: 'Now',
    body: html`${said}
<section aria-labelledby="flow" data-refresh><h2 id="flow">Flow</h2>
<dl class="facts">
<div><dt>Consumption</dt><dd>${flowStatus(breaker)}</dd></div>
<div><dt>Carts waiting (about)</dt><dd>${numberText(waiting)}${waiting > 0 ? html` <small>${countsText(counts)}</small>` : NOTHING}</dd></div>
<div><dt>Oldest wait</dt><dd>${oldestMs === undefined ? (waiting > 0 ? 'not known' : 'none') : time(oldestMs, nowMs)}</dd></div>
<div><dt>SRM is read up to</dt><dd>${readStatus(watermarkMs, request)} <a href="/runs">Runs</a></dd></div>
<div><dt>Reconciliation</dt><dd>${reconciliationText(reconciliation, reports.at(-1), nowMs)}</dd></div>
<div><dt>What runs</dt><dd>${sources.place.deployment ?? 'not known'}</dd></div>
</dl>
${breaker.state === 'CLOSED' ? NOTHING : html`<p>${reportPause({ item: breaker, waiting: { count: waiting }, trial: undefined, nowMs }).summary ?? ''}</p>${whoseTurn(breaker, request)}`}
${mode === 'operate' ? flowForm(breaker) : NOTHING}
</section>
<div class="columns">
<section aria-labelledby="dead"><h2 id="dead">Dead letters</h2>${deadLetterSummary(deadLetters, dead, request)}</section>
<section aria-labelledby="alarms"><h2 id="alarms">Alarms</h2>${alarmList(alarms, request)}</section>
</div>
<section aria-labelledby="hours"><h2 id="hours">The last 24 hours</h2>${hoursPicture(hours)}</section>`,
  };
}

const flowStatus = ({ state }: BreakerItem): Html =>
  state === 'CLOSED'
    ? status('positive', 'Flowing')
    : state === 'OPEN'
      ? status('critical', 'Paused by itself')
      : status('negative', 'Paused until a person resumes');

/** Whose turn it is: the reason of a pause begins with the code of what was wrong, where one fault paused it. */
function whoseTurn({ state, reason }: BreakerItem, { sources: { environment } }: PageRequest): Html {
  const code = /^E_[A-Z_]+/.exec(reason)?.[0];
  return html`<p>${code !== undefined && isFaultCode(code) ? html`<strong>${ownerText(environment, FAULT_CATALOGUE[code].owner)}</strong>: ${FAULT_CATALOGUE[code].action} ` : NOTHING}${state === 'OPEN' ? 'It resumes by itself when 11VMS takes carts again. ' : NOTHING}Runbook: ${runbookLink(environment, 'consumption-paused')}</p>`;
}

/** Behind by the silence after which the alarm on extractions rings. */
function readStatus(watermarkMs: number | undefined, { sources, nowMs }: PageRequest): Html {
  if (watermarkMs === undefined) return html`never read`;
  const { extraction, notifications } = sources.environment;
  const silenceMs = extractionSilenceMs(extraction, notifications.thresholds.extractionSilenceMinutes);
  const isBehind = nowMs - watermarkMs > silenceMs + extraction.safetySeconds * 1000;
  return html`${isBehind ? html`${status('negative', 'Behind')} ` : NOTHING}${time(watermarkMs, nowMs)}`;
}

const countsText = ({ ready, inFlight, delayed }: QueueCounts): string =>
  `${numberText(ready)} ready, ${numberText(inFlight)} tried now or waiting for a retry, ${numberText(delayed)} delayed`;

/** When the schedule last started one, or the newest one ended: of one that a person started, only the end is known. */
function reconciliationText(
  { startedMs = 0, reachedMs }: ReconciliationState,
  newest: ReconciliationReport | undefined,
  nowMs: number,
): Html {
  const lastMs = Math.max(startedMs, newest?.endedMs ?? 0);
  if (lastMs === 0) return html`never run`;
  return html`${time(lastMs, nowMs)}${reachedMs === undefined ? NOTHING : html`, not finished: it has read to ${time(reachedMs, nowMs)}`}`;
}

function flowForm({ state }: BreakerItem): Html {
  const act = state === 'CLOSED' ? 'pause' : 'resume';
  const explanation =
    act === 'pause'
      ? 'Carts wait on the queue until a person resumes; a message is kept for 4 days.'
      : 'The supervisor probes 11VMS, tries one cart, and resumes when both succeed.';
  return html`<details><summary>${act === 'pause' ? 'Pause consumption' : 'Resume consumption'}</summary>
<form method="post" action="/" class="fields"><input type="hidden" name="act" value="${act}">${reasonField('flow-reason')}<button class="act">${act === 'pause' ? 'Pause for all carts' : 'Resume'}</button></form>
<p class="quiet">${explanation}</p></details>`;
}

const SOON_MS = 3 * 86_400_000;

function deadLetterSummary(
  open: readonly OpenDeadLetter[],
  counts: QueueCounts,
  { sources, nowMs, mode }: PageRequest,
): Html {
  const { client } = sources.environment.srm;
  const onQueue = heldBy(counts);
  const [next] = open;
  if (next === undefined && onQueue === 0) return html`<p>${status('positive', 'None')}</p>`;
  const owners = Map.groupBy(
    open.flatMap((one) => one.owners.map((owner) => ({ owner, one }))),
    ({ owner }) => owner,
  );
  return html`<p>${status('negative', `${atMostPrefix(open.length, onQueue)}${plural(open.length, 'open dead letter')}`)} <small>by the ledger; the queue holds about ${numberText(onQueue)}</small></p>
${onQueue > open.length ? html`<p>${status('critical', `About ${numberText(onQueue - open.length)} more than the ledger lists`)} ${lookLink(mode)}</p>` : onQueue > 0 && onQueue < open.length ? html`<p>${status('open', ONLY_A_LOOK_TELLS)}: ${lookLink(mode)}</p>` : NOTHING}
${next === undefined ? NOTHING : html`<p>The next one is deleted ${time(next.deletedAtMs, nowMs)}: ${cartLink(client, next.cart)}; <a href="/dead-letters">${numberText(open.filter(({ deletedAtMs }) => deletedAtMs - nowMs < SOON_MS).length)} within 3 days</a>.</p>`}
<table><caption>By owner: who can correct the cause</caption><thead><tr><th scope="col">Owner</th><th scope="col" class="number">Dead letters</th><th scope="col">Deleted next</th></tr></thead><tbody>${[
    ...owners,
  ].map(
    ([owner, ones]) =>
      html`<tr><th scope="row"><a href="${linkTo('/dead-letters', { owner })}">${owner}</a></th><td class="number">${numberText(ones.length)}</td><td>${ones[0] === undefined ? NOTHING : time(ones[0].one.deletedAtMs, nowMs)}</td></tr>`,
  )}</tbody></table>
<p><a href="/dead-letters">All dead letters by cause</a></p>`;
}

const lookLink = (mode: PageRequest['mode']): Html =>
  html`<a href="/dead-letters">${mode === 'operate' ? 'Look into the queue' : 'who can look'}</a>`;

function alarmList(alarms: readonly AlarmState[] | undefined, { sources, nowMs }: PageRequest): Html {
  if (alarms === undefined) return html`<p>The local run has no alarms.</p>`;
  const ringing = alarms.filter(({ state }) => state === 'ALARM');
  if (alarms.length === 0) return html`<p>${status('negative', 'No alarm exists: the stack is incomplete')}</p>`;
  if (ringing.length === 0) return html`<p>${status('positive', `None of ${alarms.length}`)}</p>`;
  return html`<ul>${ringing.map(
    ({ name, sinceMs, isPage }) =>
      html`<li>${status(isPage ? 'negative' : 'critical', isPage ? 'Pages' : 'Mails')} ${runbookLink(sources.environment, name)}${sinceMs === undefined ? NOTHING : html` since ${time(sinceMs, nowMs)}`}</li>`,
  )}</ul><p class="quiet">${ringing.length} of ${alarms.length}. Each link leads to its heading in the runbook.</p>`;
}

const supervision = z.looseObject({
  state: z.string(),
  reason: z.string().default(''),
  summary: z.string().optional(),
});

async function pauseOrResume(request: FormRequest): Promise<Page> {
  const consumption = fieldOf(request.form, 'act') === 'pause' ? 'pause' : 'resume';
  const result = await invoked(request.sources, 'supervisor', { consumption, ...byAndReason(request) }, supervision);
  const words =
    result.summary ?? (result.state === 'CLOSED' ? 'Carts flow.' : `Consumption is ${result.state}: ${result.reason}`);
  const said = notice(result.state === 'CLOSED' ? 'positive' : 'information', words);
  return shownAfter(said, nowPage, () => show(request, said));
}
