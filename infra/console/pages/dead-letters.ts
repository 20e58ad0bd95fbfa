/** The worklist: dead letters by cause and owner, what to do about each, and the redrive of exactly what was chosen. */
import type { MoveTask } from '../../../functions/redrive-dead-letters/move-tasks.ts';
import { MOST_LETTERS, WITHOUT_CODE } from '../../../functions/redrive-dead-letters/redrive-event.ts';
import { type FaultCode, isFaultCode } from '../../../shared/failure.ts';
import { FAULT_CATALOGUE } from '../../../shared/fault-catalogue.ts';
import { chunks } from '../../../shared/lanes.ts';
import { instantText, reasonsOf } from '../../../shared/standing-sentence.ts';
import { deadPartOf, type StandingCart, standingsOf } from '../../carts/cart-lists.ts';
import { readSurroundings } from '../../carts/known-cart.ts';
import { heldBy } from '../../carts/open-ledger.ts';
import { BYTE_ORDER_MARK, csvText } from '../../csv.ts';
import { ownerText } from '../../owners.ts';
import { byAndReason, fieldOf, fieldsOf, invoked, reasonField, shownAfter } from '../acts.ts';
import { html, identifier, linkTo, notice, NOTHING, numberText, plural, status, time } from '../html.ts';
import { pageOf, pager, ROWS_OF_A_PAGE } from '../layout.ts';
import { atMostPrefix, ONLY_A_LOOK_TELLS, type OpenDeadLetter, openDeadLetters } from '../open-dead-letters.ts';
import { deadLetterHeading, runbookLink } from '../runbook-heading.ts';
import type { Answer, ConsolePage, Download, FormRequest, Html, Page, PageRequest } from '../page.ts';
import {
  actAnswer,
  type DeadLetterList,
  listAnswer,
  type Plan,
  planAnswer,
  type RedriveResult,
  redriveAnswer,
} from '../redriver-answers.ts';
import { wordsOf } from '../standing-status.ts';
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
  return { code: given('code')?.split(/\s+/).sort().join(' '), owner: given('owner'), cart: given('cart') };
};

/** The codes of a dead letter in one word: those with the same codes have the same cause. */
const causeOf = ({ codes }: OpenDeadLetter): string => codes.join(' ') || WITHOUT_CODE;

const isShown = (one: OpenDeadLetter, { code, owner, cart }: Filter): boolean =>
  (code === undefined || causeOf(one) === code) &&
  (owner === undefined || one.owners.some((name) => name === owner)) &&
  (cart === undefined || one.cart === cart);

async function show(request: PageRequest): Promise<Answer> {
  const lists = await listsNow(request);
  if (request.url.searchParams.get('as') === 'csv') return asCsv(lists.shown, request);
  return worklist(request, lists, NOTHING);
}

interface Lists {
  readonly all: readonly OpenDeadLetter[];
  readonly shown: readonly OpenDeadLetter[];
  readonly filter: Filter;
}

async function listsNow({ url, sources, nowMs }: PageRequest): Promise<Lists> {
  const filter = filterOf(url);
  const all = await openDeadLetters(sources.ledger, nowMs);
  return { all, shown: all.filter((one) => isShown(one, filter)), filter };
}

/** The messages that a look into the queue saw; undefined: no look was taken. */
type SeenIds = ReadonlySet<string> | undefined;

async function worklist(
  request: PageRequest,
  { all, shown, filter }: Lists,
  said: Html,
  seenIds?: SeenIds,
): Promise<Page> {
  const { sources, mode, url } = request;
  const [counts, moveTask] = await Promise.all([
    sources.health.deadLetterCounts(),
    // Beside the list: where SQS does not say it, all else is shown.
    sources.health.moveTask().catch(() => 'not known' as const),
  ]);
  const onQueue = heldBy(counts);
  const page = pageOf(url);
  const rows = await rowsOf(shown.slice((page - 1) * ROWS_OF_A_PAGE, page * ROWS_OF_A_PAGE), request);
  const isFiltered = shown.length !== all.length;
  // Those listed are perhaps not those that lie there, and no look has told it.
  const isBlind =
    seenIds === undefined &&
    (onQueue < all.length || !rows.every(isDead) || all.some((one) => isMovedSince(one, moveTask)));
  const query = { code: filter.code, owner: filter.owner, cart: filter.cart };
  const prefix = atMostPrefix(all.length, onQueue);
  const heading = `${prefix}${headingOf(filter, shown.length)}`;
  const noneIsOpen = onQueue === 0 ? html`<p>${status('positive', 'No dead letter is open')}</p>` : NOTHING;
  const heldByReader = counts.inFlight > 0 ? `, ${numberText(counts.inFlight)} of them held by a reader` : '';
  const someAreSettled =
    onQueue < all.length
      ? ' What SQS itself has moved or deleted stays on the ledger’s list: a row below says what has become of it.'
      : '';
  const byCause = html`<section aria-labelledby="causes"><h2 id="causes">By cause</h2>
${all.length > 0 ? causes(all, request) : noneIsOpen}
<p class="quiet">By the ledger. The dead-letter queue holds about ${numberText(onQueue)}${heldByReader}.${someAreSettled}</p>
${difference({ listed: all.length, onQueue, isBlind }, mode)}${moveTaskText(moveTask, request)}</section>`;
  const rowsTable = table(rows, seenIds, request);
  const chosenForm = html`<form method="post" action="${linkTo(PATH, query)}">${rowsTable}${isFiltered ? planOfAll(filter, shown.length) : NOTHING}${chosenActs('close-reason')}</form>`;
  const list =
    shown.length === 0
      ? NOTHING
      : html`<section aria-labelledby="list"><h2 id="list">${heading}</h2>
<p>${isFiltered ? html`<a href="${PATH}">Show all</a> · ` : NOTHING}<a href="${linkTo(PATH, { ...query, as: 'csv' })}">As CSV</a> <span class="quiet">for those who have no AWS login, as is printing this page: no field of a person is in it</span></p>
${filter.code === undefined ? NOTHING : whatToDo(filter.code, request)}
${mode === 'operate' ? chosenForm : rowsTable}
${pager(PATH, query, { page, rows: shown.length })}
${ticket(rows, { heading, isWhole: rows.length === shown.length }, request)}</section>`;
  const shownOf = isFiltered ? `${numberText(shown.length)} of ` : '';
  return {
    title: `Dead letters (${prefix}${shownOf}${numberText(all.length)})`,
    body: html`${said}
${isFiltered ? [list, byCause] : [byCause, list]}
${mode === 'operate' ? html`<section aria-labelledby="selection"><h2 id="selection">Plan by what they have in common</h2>${selectionForm(onQueue)}${onQueue > MOST_LETTERS ? await redriveAllForm(onQueue, request) : NOTHING}</section>` : NOTHING}`,
  };
}

/** A dead letter of the list, and what its cart is now. */
interface Row {
  readonly one: OpenDeadLetter;
  readonly now: StandingCart | undefined;
}
const deadPart = ({ now }: Row) => now && deadPartOf(now.standing);
const isDead = (row: Row): boolean => deadPart(row) !== undefined;
const wordsOfRow = ({ now }: Row): string => (now === undefined ? 'not known' : wordsOf(now.standing));

/** Of a listed dead letter whose cart needs no correction: what a newer version took the place of, or SQS itself moved. */
const TO_CLOSE = 'its message may still lie on the queue: close it';
function whatIsLeft(messageId: string, seenIds: SeenIds): string {
  if (seenIds === undefined) return TO_CLOSE;
  return seenIds.has(messageId) ? 'its message lies on the queue: close it' : 'this look did not see its message';
}

/** What SQS says of its last move of all; it may say nothing. */
type LastMove = MoveTask | undefined | 'not known';
const isMovedSince = ({ sinceMs }: OpenDeadLetter, move: LastMove): boolean =>
  typeof move === 'object' && move.startedAtMs !== undefined && move.startedAtMs >= sinceMs;

async function rowsOf(ones: readonly OpenDeadLetter[], { sources, nowMs }: PageRequest): Promise<readonly Row[]> {
  const items = ones.map(({ item }) => item);
  const known = new Map((await standingsOf(items, sources.ledger, nowMs)).map((now) => [now.item, now]));
  return ones.map((one) => ({ one, now: known.get(one.item) }));
}

/** The queue may hold what the ledger does not list: that is no worklist which is done. */
function difference(
  { listed, onQueue, isBlind }: { readonly listed: number; readonly onQueue: number; readonly isBlind: boolean },
  mode: PageRequest['mode'],
): Html {
  const whoCanLook =
    mode === 'operate'
      ? ''
      : ' A console that operates can look at them; so can "list" of the runbook’s chapter Redrive.';
  const more =
    onQueue > listed
      ? notice(
          'critical',
          `The queue holds about ${numberText(onQueue - listed)} more than the ledger lists: no attempt at them came to an end, or a settled one was not deleted.${whoCanLook}`,
        )
      : onQueue > 0 && isBlind
        ? notice('open', `${ONLY_A_LOOK_TELLS}.${whoCanLook}`)
        : NOTHING;
  if (mode !== 'operate' || onQueue === 0) return more;
  return html`${more}<form method="post" action="${PATH}"><button name="act" value="list">Look into the queue</button> <span class="quiet">It shows what the ledger does not list, and which of the listed lie there. For 20 seconds no other reader sees the messages.</span></form>`;
}

function moveTaskText(task: LastMove, { mode, nowMs }: PageRequest): Html {
  if (task === undefined) return NOTHING;
  if (task === 'not known') return html`<p>The last move of all dead letters by SQS: not known</p>`;
  const { status: word, isActive, startedAtMs, moved, toMove, failureReason } = task;
  const facts = html`${status(isActive ? 'pending' : 'neutral', word)}${startedAtMs === undefined ? NOTHING : html`, begun ${time(startedAtMs, nowMs)}`}; moved about ${numberText(moved)}${toMove === undefined ? '' : ` of ${numberText(toMove)}`}${failureReason === undefined ? '' : `: ${failureReason}`}`;
  const stop = html`<form method="post" action="${PATH}" class="fields">${reasonField('stop-reason')}<button class="act" name="act" value="cancel-redrive-all">Stop the move task</button></form>`;
  return html`<p>The last move of all dead letters by SQS: ${facts}</p>${isActive && mode === 'operate' ? stop : NOTHING}`;
}

const headingOf = ({ code, owner, cart }: Filter, count: number): string =>
  [
    plural(count, 'dead letter'),
    code === WITHOUT_CODE ? 'without a verdict' : code,
    owner && `of the ${owner}`,
    cart && `of cart ${cart}`,
  ]
    .filter(Boolean)
    .join(' ');

function causes(all: readonly OpenDeadLetter[], { nowMs, sources }: PageRequest): Html {
  const groups = [...Map.groupBy(all, causeOf)].sort(([, one], [, other]) => other.length - one.length);
  return html`<table><caption>${plural(groups.length, 'cause')}, the most frequent first</caption><thead><tr><th scope="col">Cause</th><th scope="col" class="number">Dead letters</th><th scope="col">Who can correct it</th><th scope="col">What to do</th><th scope="col">Since</th><th scope="col">Deleted next</th></tr></thead><tbody>${groups.map(
    ([cause, ones]) => {
      const codes = cause.split(' ').filter(isFaultCode);
      const [oldest] = ones;
      return html`<tr><th scope="row"><a href="${linkTo(PATH, { code: cause })}">${cause === WITHOUT_CODE ? 'no reason is recorded' : cause}</a></th><td class="number">${numberText(ones.length)}</td><td>${each(codes, (code) => ownerText(sources.environment, FAULT_CATALOGUE[code].owner))}</td><td>${each(codes, (code) => FAULT_CATALOGUE[code].action)}</td><td>${oldest === undefined ? NOTHING : time(oldest.sinceMs, nowMs)}</td><td>${oldest === undefined ? NOTHING : expiry(oldest.deletedAtMs, nowMs)}</td></tr>`;
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

function table(rows: readonly Row[], seenIds: SeenIds, request: PageRequest): Html {
  const { nowMs, mode, sources } = request;
  const { client } = sources.environment.srm;
  const isChosen = mode === 'operate';
  return html`<table><caption>Those that SQS deletes first come first</caption><thead><tr>${isChosen ? html`<th scope="col"><label>All <input type="checkbox" data-all="id"></label></th>` : NOTHING}<th scope="col">Cart</th><th scope="col">Why</th><th scope="col">Who</th><th scope="col">Since</th><th scope="col">Deleted</th></tr></thead><tbody>${rows.map(
    (row) => {
      const { one } = row;
      const dead = deadPart(row);
      const box = html`<input type="checkbox" name="id" value="${one.messageId}" aria-label="Cart ${one.cart}">`;
      return html`<tr>${isChosen ? html`<td>${box}</td>` : NOTHING}<th scope="row">${cartLink(client, one.cart)}</th><td>${dead === undefined ? html`${status('neutral', wordsOfRow(row))} <small>since it was given up; ${whatIsLeft(one.messageId, seenIds)}</small>` : html`${reasonsOf(dead.faults)}${isChosen ? html` <a href="${linkTo('/workbench', { message: one.messageId })}">Open in the workbench</a>` : NOTHING}`}</td><td>${one.owners.map((owner) => ownerText(sources.environment, owner)).join(', ')}</td><td>${time(one.sinceMs, nowMs)}</td><td>${expiry(one.deletedAtMs, nowMs)}</td></tr>`;
    },
  )}</tbody></table>`;
}

/** Of all pages of the list, by what it is filtered by. */
const planOfAll = (filter: Filter, count: number): Html =>
  html`<p><button name="act" value="plan-selection">Plan a redrive of ${count === 1 ? '' : 'all '}${headingOf(filter, count)}</button>${Object.entries(filter).map(([name, value]) => (value === undefined ? NOTHING : html`<input type="hidden" name="${name}" value="${value}">`))}</p>`;

/** What can be done with the ticked boxes of a form; the id of its field is another one in each form of a page. */
const chosenActs = (
  reasonId: string,
): Html => html`<p><button name="act" value="plan-chosen">Plan a redrive of the chosen</button> <span class="quiet">A plan moves nothing: it says what would become of each.</span></p>
<details><summary>Close the chosen: they were settled by hand</summary><p>${reasonField(reasonId, 'optional')} <button name="act" value="close" class="act">Close the chosen</button></p><p class="quiet">Their messages are deleted, their carts are settled: nothing orders them any more but a newer version, or a person who names them. The reason stays in the ledger.</p></details>`;

const selectionForm = (onQueue: number): Html => html`<form method="post" action="${PATH}" class="fields">
<label>Code, or several<br><input name="code" size="24" autocomplete="off" placeholder="E_MAP_UOM"></label>
<label>Supplier<br><input name="supplier" size="12" autocomplete="off"></label>
<label>Run<br><input name="run" size="24" autocomplete="off"></label>
<label>Cart<br><input name="cart" size="12" autocomplete="off"></label>
<label>Owner<br><select name="owner"><option value="">any</option>${[...new Set(Object.values(FAULT_CATALOGUE).map(({ owner }) => owner))].map((owner) => html`<option>${owner}</option>`)}</select></label>
<label><input type="checkbox" name="everything" value="yes"> also those that would fail again</label>
<button name="act" value="plan-selection">Plan a redrive</button></form>
<p class="quiet">All that is given must hold. One plan takes 500; the queue holds about ${numberText(onQueue)}.</p>`;

async function redriveAllForm(onQueue: number, request: PageRequest): Promise<Html> {
  return html`<details><summary>Redrive everything by SQS's own move task, ten a second</summary>${await pauseNotice(request)}<form method="post" action="${PATH}" class="fields">${reasonField('all-reason')}${FORCE_BOX}<label><input type="checkbox" name="unseen" value="yes"> also where only a part of the queue could be looked at for closed carts, which would be ordered again</label><button class="act" name="act" value="redrive-all">Redrive all ${numberText(onQueue)}</button></form><p class="quiet">Without a plan and without a canary: what still has its cause fails again.</p></details>`;
}

const FORCE_BOX = html`<label><input type="checkbox" name="force" value="yes"> also while consumption is paused</label>`;

async function pauseNotice({ sources, nowMs }: PageRequest): Promise<Html> {
  const { breaker } = await readSurroundings(sources.ledger, nowMs);
  if (breaker.state === 'CLOSED') return NOTHING;
  return notice(
    'critical',
    html`Consumption is paused: on the cart queue a cart is kept for 4 days only. <a href="/">Resume first</a>, or tick "also while consumption is paused".`,
  );
}

/** What a person may paste into a ticket, of the rows of a page whose cause is to be corrected: no value of a cart is in it. */
function ticket(
  rows: readonly Row[],
  { heading, isWhole }: { readonly heading: string; readonly isWhole: boolean },
  { sources, nowMs }: PageRequest,
): Html {
  const shown = rows.filter(isDead).map(({ one }) => one);
  const toClose = rows.length - shown.length;
  const codes = [...new Set(shown.flatMap((one) => one.codes))].sort();
  const [first] = shown;
  const lines = [
    `Environment: ${sources.environment.name}`,
    `${heading}, as of ${instantText(nowMs)}`,
    ...codes.map(
      (code) =>
        `${code}: ${FAULT_CATALOGUE[code].meaning}. Owner: ${ownerText(sources.environment, FAULT_CATALOGUE[code].owner)}. ${FAULT_CATALOGUE[code].action}`,
    ),
    ...(first === undefined
      ? []
      : [
          `First given up: ${instantText(Math.min(...shown.map(({ sinceMs }) => sinceMs)))}; the first is deleted: ${instantText(first.deletedAtMs)}`,
        ]),
    `Carts: ${[...new Set(shown.map(({ cart }) => cart))].join(', ') || 'none'}${isWhole ? '' : ', …'}`,
    ...(toClose === 0 ? [] : [`${numberText(toClose)} more only to close: nothing is to be corrected for them`]),
    `Runbook: ${sources.environment.notifications.runbookUrl}#redrive`,
  ];
  return html`<details><summary>Copy for a ticket</summary><pre data-copy="the ticket">${lines.join('\n')}</pre></details>`;
}

const PART_OF_A_FILE = 500;

/** Each with what its cart is now: each cart is asked for. */
function asCsv(shown: readonly OpenDeadLetter[], request: PageRequest): Download {
  const { sources } = request;
  const head = ['cart', 'codes', 'owner', 'what to do', 'given up at', 'deleted at', 'standing', 'message id'];
  const line = (row: Row): readonly string[] => {
    const { one } = row;
    return [
      one.cart,
      one.codes.join(' '),
      one.owners.map((owner) => ownerText(sources.environment, owner)).join('; '),
      isDead(row) ? [...new Set(one.codes.map((code) => FAULT_CATALOGUE[code].action))].join(' ') : TO_CLOSE,
      instantText(one.sinceMs),
      instantText(one.deletedAtMs),
      wordsOfRow(row),
      one.messageId,
    ];
  };
  async function* parts(): AsyncGenerator<string> {
    yield BYTE_ORDER_MARK + csvText([head]);
    for (const part of chunks(shown, PART_OF_A_FILE)) {
      yield csvText((await rowsOf(part, request)).map(line));
    }
  }
  return {
    filename: `dead-letters-${sources.environment.name}.csv`,
    contentType: 'text/csv; charset=utf-8',
    chunks: parts(),
  };
}

async function act(request: FormRequest): Promise<Page> {
  const { form, sources } = request;
  const chosen = fieldsOf(form, 'id');
  switch (fieldOf(form, 'act')) {
    case 'plan-chosen':
      return chosen.length === 0 ? nothingChosen(request) : plan(request, { messageIds: chosen });
    case 'plan-selection':
      return plan(request, selectionOf(form));
    case 'redrive': {
      const redrive = {
        planHash: fieldOf(form, 'planHash'),
        ...byAndReason(request),
        ...forced(form),
      };
      return redriven(await invoked(sources, 'redriver', { redrive }, redriveAnswer), request);
    }
    case 'list':
      return looked(request, await invoked(sources, 'redriver', { list: {} }, listAnswer));
    case 'redrive-all':
      return told(request, {
        redriveAll: { ...byAndReason(request), ...forced(form), ...(isTicked(form, 'unseen') && { unseen: true }) },
      });
    case 'cancel-redrive-all':
      return told(request, { cancelRedriveAll: byAndReason(request) });
    case 'close':
      if (chosen.length === 0) return nothingChosen(request);
      return told(request, { close: { messageIds: chosen, ...byAndReason(request) } });
    default:
      return again(request, notice('negative', 'This form is not known.'));
  }
}

const isTicked = (form: FormData, name: string): boolean => fieldOf(form, name) === 'yes';
const forced = (form: FormData): object => (isTicked(form, 'force') ? { force: true } : {});

/** The list as it is after an act. */
const again = (request: FormRequest, said: Html): Promise<Page> =>
  shownAfter(said, deadLettersPage, async () => worklist(request, await listsNow(request), said));

/** What lies on the queue, and stands on no list; of the list, which lie there. */
async function looked(request: FormRequest, { deadLetters, seen, about, heldByOthers }: DeadLetterList): Promise<Page> {
  const lists = await listsNow(request);
  const listed = new Set(lists.all.map(({ messageId }) => messageId));
  const unlisted = deadLetters.filter(({ messageId }) => !listed.has(messageId));
  const looks = `${numberText(seen)} of about ${numberText(about)} were seen${heldByOthers > 0 ? `; another reader held ${numberText(heldByOthers)}` : ''}.`;
  const said =
    unlisted.length === 0
      ? notice('information', `The ledger lists each dead letter that was seen. ${looks}`)
      : unlistedSection(unlisted, looks, request);
  return worklist(request, lists, said, new Set(deadLetters.map(({ messageId }) => messageId)));
}

function unlistedSection(unlisted: DeadLetterList['deadLetters'], looks: string, request: PageRequest): Html {
  const { sources, nowMs } = request;
  const { client } = sources.environment.srm;
  const rows = unlisted.slice(0, MOST_LETTERS);
  const untold = unlisted.filter(({ codes, settled }) => codes.length === 0 && settled === undefined).length;
  const instantOf = (text: string | undefined): Html => (text === undefined ? NOTHING : time(Date.parse(text), nowMs));
  return html`<section aria-labelledby="unlisted"><h2 id="unlisted">${plural(unlisted.length, 'dead letter')} that the ledger does not list</h2>
<p class="quiet">${looks}${rows.length < unlisted.length ? ` The first ${numberText(rows.length)} are shown.` : ''}</p>
<form method="post" action="${PATH}"><table><caption>Those that SQS deletes first come first</caption><thead><tr><th scope="col"><label>All <input type="checkbox" data-all="id"></label></th><th scope="col">Cart</th><th scope="col">Why</th><th scope="col">Queued</th><th scope="col">Deleted</th></tr></thead><tbody>${rows.map(
    ({ messageId, cartNumber, cartGuid, reason, settled, queuedAt, deletedAt }) =>
      html`<tr><td><input type="checkbox" name="id" value="${messageId}" aria-label="Cart ${cartNumber ?? cartGuid ?? 'unknown'}"></td><th scope="row">${cartNumber === undefined ? (cartGuid ?? 'no cart') : cartLink(client, cartNumber)}</th><td>${settled === undefined ? reason : `${settled} by a person; its message was not deleted`}</td><td>${instantOf(queuedAt)}</td><td>${instantOf(deletedAt)}</td></tr>`,
  )}</tbody></table>${untold === 0 ? NOTHING : planOfAll({ code: WITHOUT_CODE, owner: undefined, cart: undefined }, untold)}${chosenActs('close-unlisted-reason')}</form></section>`;
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
  return {
    title: 'Plan of a redrive',
    body: html`${await pauseNotice(request)}${planSection(planned, request)}<p><a href="${PATH}">Back to the dead letters</a></p>`,
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
    : html`<form method="post" action="${PATH}" class="fields"><input type="hidden" name="planHash" value="${planHash}">${reasonField('redrive-reason')}${FORCE_BOX}<button class="act" name="act" value="redrive">Redrive ${plural(moves, 'message')}: ${plural(orders, 'order')}</button></form>
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
