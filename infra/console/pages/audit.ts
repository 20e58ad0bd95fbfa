/** For an audit: the orders of a day or a month with their carts, and what SRM approved against what became of it. */
import {
  createReconciliationRecord,
  type ReconciliationReport,
} from '../../../functions/reconcile-carts/reconciliation-record.ts';
import { instantText } from '../../../shared/standing-sentence.ts';
import { dayOf, monthOf } from '../../calendar.ts';
import { readSlice, standingsOf } from '../../carts/cart-lists.ts';
import type { TableRow } from '../../carts/tables.ts';
import { orBadQuery } from '../carts/bad-query.ts';
import { CSV_COLUMNS, csvRows } from '../carts/cart-rows.ts';
import { csvDownload } from '../carts/csv-download.ts';
import { listRequestOf, newestDays, type Period, periodOf } from '../carts/list-request.ts';
import { countText, LIST_LIMITS, listPager, orderTable } from '../carts/list-view.ts';
import {
  html,
  instant,
  linkTo,
  notice,
  NOTHING,
  numberText,
  plural,
  status,
  type StatusKind,
  time,
  utcText,
} from '../html.ts';
import type { Answer, ConsolePage, Html, PageRequest } from '../page.ts';

const PATH = '/audit';
const DAY_MS = 86_400_000;

export const auditPage: ConsolePage = {
  path: PATH,
  label: 'Audit',
  show: (request) => orBadQuery(PATH, () => show(request)),
};

async function show({ url, ...others }: PageRequest): Promise<Answer> {
  const { nowMs, sources } = others;
  const { environment, ledger } = sources;
  const given = periodOf(url);
  const period =
    given.day === undefined && given.month === undefined ? { day: dayOf(nowMs - DAY_MS), month: undefined } : given;
  // The period may be the default: the links name it, so that a copied one means the same tomorrow.
  const whole = new URL(linkTo(url.pathname, { ...period, after: url.searchParams.get('after') ?? undefined }), url);
  const request: PageRequest = { url: whole, ...others };
  const { list, start } = listRequestOf(whole, 'ordered', environment.srm.client, nowMs);
  const query = { ...period };
  const name = `${environment.name}-${period.day ?? period.month}`;
  switch (url.searchParams.get('as')) {
    case 'csv':
      return csvDownload(
        `orders-${name}`,
        CSV_COLUMNS.ordered,
        csvRows('ordered', { ...list, days: list.days.toReversed() }, ledger, nowMs),
      );
    case 'reconciliations':
      return csvDownload(`reconciliations-${name}`, REPORT_COLUMNS, [
        (await reportsOf(period, request)).map(reportRow),
      ]);
    default: {
      const [slice, reports] = await Promise.all([
        readSlice(ledger, list, start, LIST_LIMITS),
        reportsOf(period, request),
      ]);
      const carts = await standingsOf(slice.items, ledger, nowMs);
      return {
        title: `Audit of ${periodText(period)}`,
        body: html`${choice(period, nowMs)}
${reconciliationSection(reports, period, request)}
<section aria-labelledby="orders"><h2 id="orders">Orders created, with their carts ${countText(slice, start)}</h2>
<p><a href="${linkTo(PATH, { ...query, as: 'csv' })}">All of them as CSV</a> <span class="quiet">also those that a later attempt found in 11VMS</span></p>
${carts.length === 0 ? NOTHING : orderTable(carts, request)}
${listPager(PATH, query, slice, start)}</section>`,
      };
    }
  }
}

const periodText = ({ day, month }: Period): string => `${day ?? month ?? ''} (UTC)`;

function choice({ day, month }: Period, nowMs: number): Html {
  const lastMonth = monthOf(Date.parse(`${monthOf(nowMs)}-01T00:00:00Z`) - 1);
  const links = [
    ['Today', { day: dayOf(nowMs) }],
    ['Yesterday', { day: dayOf(nowMs - DAY_MS) }],
    ['This month', { month: monthOf(nowMs) }],
    ['Last month', { month: lastMonth }],
  ] as const;
  return html`<section aria-labelledby="period"><h2 id="period">Period</h2>
<nav class="pager" aria-label="Periods">${links.map(([label, query]) => html`<a href="${linkTo(PATH, query)}">${label}</a>`)}</nav>
<form class="fields" action="${PATH}"><label>Day (UTC)<br><input type="date" name="day" value="${day ?? ''}"></label><button>Show the day</button></form>
<form class="fields" action="${PATH}"><label>Month (UTC)<br><input type="month" name="month" value="${month ?? ''}" placeholder="2026-11" size="10"></label><button>Show the month</button></form></section>`;
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

function spanOf(period: Period, nowMs: number): Span {
  const days = newestDays(period, nowMs);
  const startOf = (day: string | undefined): number => Date.parse(`${day ?? dayOf(nowMs)}T00:00:00Z`);
  return { fromMs: startOf(days.at(-1)), toMs: startOf(days[0]) + DAY_MS };
}

/** The reconciliations that read a part of the period, newest first. */
async function reportsOf(period: Period, { sources, nowMs }: PageRequest): Promise<readonly ReconciliationReport[]> {
  const { ledger, environment } = sources;
  const { fromMs, toMs } = spanOf(period, nowMs);
  const reports = await createReconciliationRecord(ledger.table, environment.srm.client).reports(fromMs);
  return reports.filter((report) => report.fromMs < toMs && report.toMs > fromMs).toReversed();
}

const COUNTS = {
  cartsRead: 'approved',
  created: 'ordered',
  skipped: 'skipped',
  inFlight: 'in flight',
  deadLettered: 'dead-lettered',
  closed: 'closed',
  queuedAgain: 'queued again',
  notJudged: 'not judged',
  unidentified: 'without id',
} as const satisfies Partial<Record<keyof ReconciliationReport, string>>;
type Count = keyof typeof COUNTS;
const isCount = (name: string): name is Count => Object.hasOwn(COUNTS, name);
const COUNT_NAMES = Object.keys(COUNTS).filter(isCount);

const REPORT_COLUMNS = [
  'ended at',
  'changed in SRM from',
  'changed in SRM before',
  ...Object.values(COUNTS),
  'end',
  'run id',
];

const reportRow = (report: ReconciliationReport): TableRow => ({
  'ended at': instantText(report.endedMs),
  'changed in SRM from': instantText(report.fromMs),
  'changed in SRM before': instantText(report.toMs),
  ...Object.fromEntries(COUNT_NAMES.map((name) => [COUNTS[name], report[name]])),
  end: report.status,
  'run id': report.runId,
});

const ENDS: Readonly<Record<ReconciliationReport['status'], readonly [StatusKind, string]>> = {
  complete: ['positive', 'Complete'],
  stopped: ['pending', 'Out of time'],
  paused: ['open', 'Consumption paused'],
};

function reconciliationSection(reports: readonly ReconciliationReport[], period: Period, request: PageRequest): Html {
  const { nowMs } = request;
  return html`<section aria-labelledby="approved"><h2 id="approved">What SRM approved, and what became of it</h2>
${summary(reports, spanOf(period, nowMs), nowMs)}
<p class="quiet">Each night the reconciliation reads every approved cart of the last days from SRM again, by when it was last changed there, and asks the ledger what became of it. It counts the carts; the log names those that it queued again. Orders are counted by cart here, and by order below; their days differ where a cart was ordered on another day than it was changed.</p>
${
  reports.length === 0
    ? NOTHING
    : html`<p><a href="${linkTo(PATH, { ...period, as: 'reconciliations' })}">As CSV</a></p>
<table><caption>${plural(reports.length, 'reconciliation')} that read a part of this period, newest first; carts by what became of them</caption><thead><tr><th scope="col">Ended</th><th scope="col">Changed in SRM</th>${COUNT_NAMES.map((name) => html`<th scope="col" class="number">${COUNTS[name]}</th>`)}</tr></thead><tbody>${reports.map(
        (report) =>
          html`<tr><td>${time(report.endedMs, nowMs)}<br>${status(...ENDS[report.status])}</td><td>${instant(report.fromMs)}<br>to ${instant(report.toMs)}</td>${COUNT_NAMES.map((name) => html`<td class="number">${numberText(report[name])}</td>`)}</tr>`,
      )}</tbody></table>`
}</section>`;
}

/** What no reconciliation has read of the span, in order. */
function unreadParts(reports: readonly Span[], { fromMs, toMs }: Span): readonly Span[] {
  const unread: Span[] = [];
  let readToMs = fromMs;
  for (const report of reports.toSorted((one, other) => one.fromMs - other.fromMs)) {
    if (report.fromMs > readToMs) unread.push({ fromMs: readToMs, toMs: report.fromMs });
    readToMs = Math.max(readToMs, report.toMs);
  }
  return readToMs < toMs ? [...unread, { fromMs: readToMs, toMs }] : unread;
}

/** Of a period that no reconciliation has read whole: what several have read of it together. */
function readTogether(reports: readonly ReconciliationReport[], span: Span): Html {
  if (reports.length === 0)
    return notice('open', 'No reconciliation has read any of this period: what SRM approved in it is not known here.');
  const unread = unreadParts(reports, span).map(({ fromMs, toMs }) => `from ${utcText(fromMs)} to ${utcText(toMs)}`);
  const what = unread.length === 0 ? 'all of it' : `it but for what was changed ${unread.join(', ')}`;
  return notice(
    unread.length === 0 ? 'information' : 'open',
    `No one reconciliation has read the whole of this period: together, those below have read ${what}. A cart that several of them read is counted by each.`,
  );
}

/**
 * By one reconciliation: of those that have read the period from its start, the one that has read furthest. Added up, the
 * counts of several would count carts twice.
 */
function summary(reports: readonly ReconciliationReport[], { fromMs, toMs }: Span, nowMs: number): Html {
  const [report] = reports.filter((one) => one.fromMs <= fromMs).sort((one, other) => other.toMs - one.toMs);
  const endMs = Math.min(toMs, nowMs);
  const isWhole = report !== undefined && report.toMs >= endMs;
  // Where another has read further, this one knows only the beginning of the period.
  if (report === undefined || (!isWhole && reports.some((one) => one.toMs > report.toMs)))
    return readTogether(reports, { fromMs, toMs: endMs });
  const { cartsRead, created, skipped, closed, inFlight, deadLettered, queuedAgain, notJudged, unidentified } = report;
  const open = inFlight + deadLettered + queuedAgain + notJudged + unidentified;
  const words = `Of ${plural(cartsRead, 'cart')} that SRM approved, last changed from ${utcText(report.fromMs)} to ${utcText(report.toMs)}: ${plural(created, 'cart')} ordered, ${numberText(skipped)} skipped by a rule, ${numberText(closed)} closed by hand, ${numberText(open)} otherwise, as of ${utcText(report.endedMs)}.`;
  const rest = isWhole ? '' : ' No reconciliation has read what was changed later.';
  return notice(!isWhole ? 'open' : open === 0 ? 'positive' : 'information', `${words}${rest}`);
}
