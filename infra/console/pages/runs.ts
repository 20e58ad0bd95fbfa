/** Extractions and reconciliations: how far they are, what they said, and what a person may start by hand. */
import * as z from 'zod';
import {
  createReconciliationRecord,
  type ReconciliationReport,
  type ReconciliationState,
} from '../../../functions/reconcile-carts/reconciliation-record.ts';
import { IDENTIFIER, stripZeros } from '../../../shared/sap-values.ts';
import type { ReadingWindow } from '../../../shared/srm-carts.ts';
import { instantText } from '../../../shared/standing-sentence.ts';
import { createWatermark, type WatermarkItem } from '../../../shared/watermark.ts';
import { readCartStory } from '../../carts/cart-story.ts';
import type { Environment } from '../../environments.ts';
import { ownerText } from '../../owners.ts';
import { nextFiring } from '../../schedule.ts';
import { byAndReason, fieldOf, invoked, reasonField, shownAfter } from '../acts.ts';
import { durationText, html, linkTo, notice, NOTHING, numberText, plural, status, time } from '../html.ts';
import { identifier, type LogAnswer, type LogLine, MAXIMUM_RUNS, type RunInLog } from '../logs/log-search.ts';
import type { ConsolePage, FormRequest, Html, Page, PageRequest } from '../page.ts';
import { runbookLink } from '../runbook-heading.ts';
import { knownInWindow } from '../runs/known-in-window.ts';

const PATH = '/runs';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export const runsPage: ConsolePage = {
  path: PATH,
  label: 'Runs',
  show: (request) => show(request),
  submit: { needs: 'operate', handle: act },
};

export const runPage: ConsolePage = { path: `${PATH}/:runId`, show: showRun };

async function show(request: PageRequest, said: Html = NOTHING, code: 200 | 400 = 200): Promise<Page> {
  const { sources, nowMs, mode, url } = request;
  const { ledger, environment } = sources;
  const record = createReconciliationRecord(ledger.table, environment.srm.client);
  const hours = hoursOf(url);
  const [watermark, state, reports, runs, replay] = await Promise.all([
    createWatermark(ledger.table, environment.srm.client).read(),
    record.read(),
    record.reports(nowMs - 14 * DAY_MS),
    hours === undefined ? undefined : sources.logs.runs({ fromMs: nowMs - hours * HOUR_MS, toMs: nowMs }),
    mode === 'operate' ? replaySection(request) : NOTHING,
  ]);
  return {
    title: 'Runs',
    status: code,
    body: html`${said}
<section aria-labelledby="extraction"><h2 id="extraction">Extraction</h2>${extractionFacts(watermark, environment, nowMs)}</section>
<section aria-labelledby="reconciliation"><h2 id="reconciliation">Reconciliation</h2>${reconciliationFacts(state, environment, nowMs)}
${reportTable(reports.toReversed(), nowMs)}
${mode === 'operate' ? reconcileForm(state) : NOTHING}</section>
${replay}
<section aria-labelledby="log"><h2 id="log">What the runs said</h2>
<form class="fields" action="${PATH}"><label>Of the last<br><select name="hours">${[6, 24, 72, 168].map((choice) => html`<option value="${choice}" ${choice === (hours ?? 24) ? html`selected` : NOTHING}>${choice} hours</option>`)}</select></label><button>Search the log</button></form>
${runs === undefined ? NOTHING : html`${runTable(runs, nowMs)}<p class="quiet">For a run that fails: ${ownerText(environment, 'SRM team')}; runbook ${runbookLink(environment, 'no-extraction')}, and ${runbookLink(environment, 'html-where-json-was-expected')} where its reason says HTML.</p>`}</section>
${mode === 'operate' ? NOTHING : html`<p class="quiet">To replay a window or a cart, or to reconcile by hand, start the console with <code>--operate</code>.</p>`}`,
  };
}

function hoursOf({ searchParams }: URL): number | undefined {
  const text = searchParams.get('hours') ?? '';
  return /^\d{1,3}$/.test(text) ? Math.min(Math.max(Number(text), 1), 168) : undefined;
}

/** When a rate fires next, only AWS knows: it counts from its first firing. */
function nextText({ expression, timeZone }: { expression: string; timeZone: string }, nowMs: number): Html {
  const next = expression.startsWith('rate') ? undefined : nextFiring(expression, timeZone, new Date(nowMs));
  return html`<code>${expression}</code>, ${timeZone}${next === undefined ? NOTHING : html`; next ${time(next.getTime(), nowMs)}`}`;
}

function extractionFacts({ watermarkMs, positionMs }: WatermarkItem, environment: Environment, nowMs: number): Html {
  const { schedule, timeZone, overlapSeconds, safetySeconds, firstWatermark } = environment.extraction;
  return html`<dl class="facts">
<div><dt>SRM is read whole up to</dt><dd>${watermarkMs === undefined ? html`nothing yet: the first run begins at ${firstWatermark}` : time(watermarkMs, nowMs)}</dd></div>
${positionMs === undefined ? NOTHING : html`<div><dt>Queued of the slice under way, up to</dt><dd>${time(positionMs, nowMs)}</dd></div>`}
<div><dt>Schedule</dt><dd>${nextText({ expression: schedule, timeZone }, nowMs)}</dd></div>
<div><dt>Each run reads again</dt><dd>${durationText(overlapSeconds * 1000)} before it</dd></div>
<div><dt>And leaves unread</dt><dd>the last ${durationText(safetySeconds * 1000)}</dd></div>
</dl>`;
}

function reconciliationFacts(
  { startedMs, reachedMs }: ReconciliationState,
  { reconciliation, extraction: { timeZone } }: Environment,
  nowMs: number,
): Html {
  return html`<dl class="facts">
<div><dt>Last started by the schedule</dt><dd>${startedMs === undefined ? 'never' : time(startedMs, nowMs)}</dd></div>
<div><dt>State</dt><dd>${reachedMs === undefined ? (startedMs === undefined ? 'none' : status('positive', 'Finished')) : html`${status('information', 'Unfinished')} it has read to ${time(reachedMs, nowMs)}; the schedule goes on with it`}</dd></div>
<div><dt>Schedule</dt><dd>${nextText({ expression: reconciliation.schedule, timeZone }, nowMs)}</dd></div>
<div><dt>Goes back</dt><dd>${plural(reconciliation.days, 'day')}</dd></div>
</dl>`;
}

const REPORT_COUNTS = [
  ['cartsRead', 'Approved'],
  ['created', 'Ordered'],
  ['inFlight', 'Under way'],
  ['deadLettered', 'Dead-lettered'],
  ['skipped', 'Skipped'],
  ['queuedAgain', 'Queued again'],
  ['notJudged', 'Not judged'],
  ['unidentified', 'Without identity'],
] as const satisfies readonly (readonly [keyof ReconciliationReport, string])[];

const REPORT_STATUS = {
  complete: () => status('positive', 'Complete'),
  stopped: () => status('information', 'Out of time'),
  paused: () => status('critical', 'Paused'),
} as const satisfies Readonly<Record<ReconciliationReport['status'], () => Html>>;

function reportTable(reports: readonly ReconciliationReport[], nowMs: number): Html {
  if (reports.length === 0) return html`<p>No reconciliation has ended in the last 14 days.</p>`;
  return html`<table><caption>What the reconciliations of the last 14 days found, in carts</caption>
<thead><tr><th scope="col">Ended</th><th scope="col">Result</th><th scope="col">Carts that were changed</th>${REPORT_COUNTS.map(([, label]) => html`<th scope="col" class="number">${label}</th>`)}</tr></thead>
<tbody>${reports.map(
    (report) =>
      html`<tr><th scope="row">${time(report.endedMs, nowMs)}</th><td>${REPORT_STATUS[report.status]()}</td><td>from ${instantText(report.fromMs)} to ${instantText(report.toMs)}</td>${REPORT_COUNTS.map(([name]) => html`<td class="number">${numberText(report[name])}</td>`)}</tr>
`,
  )}</tbody></table>`;
}

function reconcileForm({ reachedMs }: ReconciliationState): Html {
  return html`<details><summary>Reconcile by hand</summary>
<p class="quiet">Reads the approved carts of the last days from SRM again, and queues what the ledger does not account for. No order is created twice.${reachedMs === undefined ? '' : ' It takes the place of the unfinished one.'}</p>
<form method="post" action="${PATH}" class="fields"><input type="hidden" name="act" value="reconcile">
<label>Days back<br><input type="number" name="days" min="1" max="60" value="1" required></label>
<label><input type="checkbox" name="lastHour" value="yes"> also the last hour, whose carts may be under way</label>
${reasonField('reconcile-reason')}<button class="act">Reconcile</button></form></details>`;
}

/** Both ways ask first what can be known, and then why. */
async function replaySection(request: PageRequest): Promise<Html> {
  const { searchParams } = request.url;
  const [from, to, cart] = ['from', 'to', 'cart'].map((name) => searchParams.get(name)?.trim() ?? '');
  const field = (name: string, label: string, value = ''): Html =>
    html`<label>${label}<br><input type="datetime-local" step="1" name="${name}" value="${localValue(value)}" required></label>`;
  return html`<section aria-labelledby="replay"><h2 id="replay">Replay</h2>
<p class="quiet">Reads carts from SRM again, and queues them once more. What is ordered already stays as it is: the ledger knows it.</p>
<form class="fields" action="${PATH}#replay">${field('from', 'Changed in SRM from (UTC)', from)}${field('to', 'up to (UTC)', to)}<button>What would it do?</button></form>
<form class="fields" action="${PATH}#replay"><label>or one cart, by its number<br><input name="cart" value="${cart ?? ''}" required maxlength="40" autocomplete="off"></label><button>What would it do?</button></form>
${from !== '' || to !== '' ? await windowPreview(request, from ?? '', to ?? '') : NOTHING}
${cart === '' ? NOTHING : await cartPreview(request, cart ?? '')}</section>`;
}

/** `2026-11-27T14:00:00`, as the field of a form has it. */
const localValue = (text: string): string => {
  const ms = instantMs(text);
  return ms === undefined ? '' : new Date(ms).toISOString().slice(0, 19);
};

/** An instant in UTC: with a zone, or as a field of a form has it, without. */
function instantMs(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?$/.test(text)) return undefined;
  const ms = Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}

function windowOf(from: string, to: string): ReadingWindow | undefined {
  const [fromMs, toMs] = [instantMs(from), instantMs(to)];
  return fromMs === undefined || toMs === undefined || fromMs >= toMs ? undefined : { fromMs, toMs };
}

const NO_WINDOW = 'The window needs two times in UTC, and the second must be later than the first.';

async function windowPreview({ sources, nowMs }: PageRequest, from: string, to: string): Promise<Html> {
  const window = windowOf(from, to);
  if (window === undefined) return notice('negative', NO_WINDOW);
  const { environment, ledger } = sources;
  const [{ watermarkMs }, known] = await Promise.all([
    createWatermark(ledger.table, environment.srm.client).read(),
    knownInWindow(ledger, window, nowMs),
  ]);
  const firstMs = Date.parse(environment.extraction.firstWatermark);
  const { carts, firstDay, lastDay, isWhole } = known;
  const atLeast = isWhole ? '' : 'at least ';
  return html`<h3>The window of ${durationText(window.toMs - window.fromMs)}, from ${instantText(window.fromMs)} to ${instantText(window.toMs)}</h3>
${window.fromMs < firstMs ? notice('negative', `It begins before the go-live (${environment.extraction.firstWatermark}): a replay would order the carts from before it, too.`) : NOTHING}
${watermarkMs !== undefined && window.toMs > watermarkMs ? notice('information', `It ends after what is read whole (${instantText(watermarkMs)}): the next run reads that part by itself.`) : NOTHING}
<p>The ledger knows of carts that were last changed in this window:</p>
<ul>
<li>${atLeast}${plural(carts.CREATED, 'cart')} with orders: nothing is ordered again</li>
<li>${atLeast}${plural(carts['DEAD-LETTERED'], 'cart')} with an open dead letter: each is tried again as a new message, and its dead letter stays${carts['DEAD-LETTERED'] > 10 ? '; where most of 20 carts fail again, consumption pauses until a person resumes it' : ''}</li>
<li>${atLeast}${plural(carts.SKIPPED, 'cart')} that a rule skipped: each is looked at again</li>
</ul>
<p class="quiet">Read from the lists of ${firstDay} to ${lastDay} (UTC)${isWhole ? '' : ', and not to their end'}. What cannot be known beforehand: which carts SRM has in this window. A replay also queues those that wait, that were changed since, and that were never read. It leaves out those that a person has closed by hand.</p>
<form method="post" action="${PATH}" class="fields"><input type="hidden" name="act" value="window"><input type="hidden" name="from" value="${new Date(window.fromMs).toISOString()}"><input type="hidden" name="to" value="${new Date(window.toMs).toISOString()}">${reasonField('window-reason')}<button class="act">Replay this window</button></form>`;
}

const NO_CART = 'A cart has a number of letters and digits, such as 1010000123.';

async function cartPreview({ sources, nowMs }: PageRequest, text: string): Promise<Html> {
  if (!IDENTIFIER.test(text)) return notice('negative', NO_CART);
  const number = stripZeros(text);
  const { standing, sentence } = await readCartStory({ number }, sources.ledger, nowMs);
  const isUnknown = standing.word === 'never-read';
  const isClosed = (standing.word === 'partly-ordered' ? standing.rest : standing).word === 'closed';
  return html`<h3>Cart ${number}</h3>
<p><b>${standing.word}</b>: ${sentence}</p>
${
  isUnknown
    ? notice(
        'critical',
        'A replay would be refused: SRM knows a cart by its GUID, which the ledger has only of carts that were read. Replay the window in which it was changed.',
      )
    : html`${isClosed ? notice('critical', 'A person has settled this cart by hand: its order may exist elsewhere. A replay orders it all the same.') : NOTHING}<p class="quiet">The cart is read from SRM as it stands now, and queued once more. An order that exists stays as it is; a change after an order is a dead letter.</p>
<form method="post" action="${PATH}" class="fields"><input type="hidden" name="act" value="cart"><input type="hidden" name="cart" value="${number}">${reasonField('cart-reason')}<button class="act">Replay this cart</button></form>`
}`;
}

function runTable(answer: LogAnswer<readonly RunInLog[]>, nowMs: number): Html {
  if (answer.kind === 'unanswered') return notice('critical', answer.why);
  const { value, isWhole, upToMs } = answer;
  return html`<table><caption>${isWhole ? plural(value.length, 'line') : `The last ${MAXIMUM_RUNS} lines`}, up to ${instantText(upToMs)}</caption>
<thead><tr><th scope="col">When</th><th scope="col">What</th><th scope="col">Read to</th><th scope="col" class="number">Pages</th><th scope="col" class="number">Carts read</th><th scope="col" class="number">Queued</th><th scope="col">Run</th></tr></thead>
<tbody>${value.map(
    ({ atMs, sentence, reason, readTo, pages = '', rows = '', queued = '', runId }) =>
      html`<tr><th scope="row">${time(atMs, nowMs)}</th><td>${sentence}${reason === undefined ? NOTHING : html` <small>${reason}</small>`}</td><td>${readTo ?? ''}</td><td class="number">${pages}</td><td class="number">${rows}</td><td class="number">${queued}</td><td>${runId === undefined ? NOTHING : html`<a href="${linkTo(`${PATH}/${encodeURIComponent(runId)}`, { at: atMs })}"><code>${runId}</code></a>`}</td></tr>
`,
  )}</tbody></table>`;
}

/** The lines of a run, and of the messages that it queued. */
async function showRun({ params, url, sources, nowMs }: PageRequest): Promise<Page> {
  const runId = params['runId'] ?? '';
  const of = identifier('runId', runId);
  if (of === undefined)
    return {
      title: 'There is no such run',
      status: 404,
      body: html`<p>A run has an id such as 11111111-2222-3333-4444-555555555555. <a href="${PATH}">Runs</a></p>`,
    };
  const at = Number(url.searchParams.get('at') ?? Number.NaN);
  const fromMs = Number.isFinite(at) ? at - HOUR_MS : nowMs - DAY_MS;
  const answer = await sources.logs.story([of], { fromMs, toMs: nowMs });
  return {
    title: `Run ${runId}`,
    body: html`<section aria-label="Log">${answer.kind === 'unanswered' ? notice('critical', answer.why) : lineTable(answer, fromMs, nowMs)}</section>
<p><a href="${PATH}">All runs</a></p>`,
  };
}

const lineTable = (
  { value, isWhole, upToMs }: Extract<LogAnswer<readonly LogLine[]>, { kind: 'answered' }>,
  fromMs: number,
  nowMs: number,
): Html =>
  html`<table><caption>${isWhole ? '' : 'The first '}${plural(value.length, 'line')} from ${instantText(fromMs)} to ${instantText(upToMs)}: of the run and of the carts that it queued, and the pauses of consumption</caption>
<thead><tr><th scope="col">When</th><th scope="col">Function</th><th scope="col">What</th><th scope="col">Cart</th><th scope="col">Order</th></tr></thead>
<tbody>${value.map(
    ({ atMs, service, sentence, reason, cartNumber = '', orderNumber, externalId }) =>
      html`<tr><th scope="row">${time(atMs, nowMs)}</th><td>${service}</td><td>${sentence}${reason === undefined ? NOTHING : html` <small>${reason}</small>`}</td><td>${cartNumber === '' ? NOTHING : html`<a href="${linkTo('/find', { q: cartNumber })}">${cartNumber}</a>`}</td><td>${orderNumber ?? externalId ?? ''}</td></tr>
`,
  )}</tbody></table>`;

const counts = z.number().default(0);
const extraction = z.looseObject({
  runId: z.string(),
  status: z.enum(['complete', 'stopped', 'locked', 'behind']),
  cartsRead: counts,
  cartsQueued: counts,
  closed: counts,
  readTo: z.string().optional(),
});
const reconciliation = z.looseObject({
  runId: z.string(),
  status: z.enum(['complete', 'stopped', 'paused']),
  cartsRead: counts,
  queuedAgain: counts,
  notJudged: counts,
  readTo: z.string().optional(),
});

async function act(request: FormRequest): Promise<Page> {
  switch (fieldOf(request.form, 'act')) {
    case 'window':
      return replayWindow(request);
    case 'cart':
      return replayCart(request);
    default:
      return reconcile(request);
  }
}

const shownAfterAct = (request: FormRequest, said: Html): Promise<Page> =>
  shownAfter(said, runsPage, () => show(request, said));

async function replayWindow(request: FormRequest): Promise<Page> {
  const { form, sources } = request;
  const [from, to] = [fieldOf(form, 'from'), fieldOf(form, 'to')];
  if (windowOf(from, to) === undefined) return show(request, notice('negative', NO_WINDOW), 400);
  const event = { changedFrom: from, changedTo: to, ...byAndReason(request) };
  const result = await invoked(sources, 'extractor', event, extraction);
  const words = `${plural(result.cartsRead, 'cart')} read, ${numberText(result.cartsQueued)} queued${result.closed === 0 ? '' : `, ${numberText(result.closed)} left out, which were closed by hand`}`;
  if (result.status === 'complete')
    return shownAfterAct(request, notice('positive', `The window is replayed: ${words}.`));
  const rest = linkTo(PATH, { from: result.readTo, to });
  return shownAfterAct(
    request,
    notice(
      'critical',
      html`The replay is out of time: ${words}. It has read to ${result.readTo ?? 'an unknown time'}. <a href="${rest}#replay">Go on from there</a>`,
    ),
  );
}

async function replayCart(request: FormRequest): Promise<Page> {
  const cart = fieldOf(request.form, 'cart');
  if (!IDENTIFIER.test(cart)) return show(request, notice('negative', NO_CART), 400);
  const { cartsQueued } = await invoked(request.sources, 'extractor', { cart, ...byAndReason(request) }, extraction);
  return shownAfterAct(
    request,
    notice('positive', `Cart ${cart} is read from SRM again: ${plural(cartsQueued, 'message')} queued.`),
  );
}

async function reconcile(request: FormRequest): Promise<Page> {
  const { form, sources } = request;
  const days = Number(fieldOf(form, 'days'));
  if (!Number.isInteger(days) || days < 1 || days > 60)
    return show(request, notice('negative', 'A reconciliation goes back 1 to 60 days.'), 400);
  const event = { days, includeLastHour: fieldOf(form, 'lastHour') === 'yes', ...byAndReason(request) };
  const result = await invoked(sources, 'reconciler', event, reconciliation);
  const words = `${plural(result.cartsRead, 'approved cart')} read, ${numberText(result.queuedAgain)} queued again`;
  const ends = {
    complete: notice('positive', `The reconciliation is complete: ${words}.`),
    stopped: notice('information', `The reconciliation is out of time, and the schedule finishes it: ${words}.`),
    paused: notice('critical', `Consumption is paused: ${words}, ${numberText(result.notJudged)} not judged.`),
  };
  return shownAfterAct(request, ends[result.status]);
}
