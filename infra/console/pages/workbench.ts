/**
 * What the interface makes of a cart, and why: source, mapping row and target side by side. The preview is its engine. It
 * translates with the settings that are deployed. What is pasted stays in this process.
 */
import { html as page, raw } from 'hono/html';
import { contentHash, idempotencyKey } from '../../../functions/create-purchase-orders/translation/order-content.ts';
import { createWireOrder } from '../../../functions/create-purchase-orders/translation/wire-order.ts';
import { faultSummary } from '../../../shared/failure.ts';
import { namesOfService } from '../../../shared/reading/field-names.ts';
import type { TranslationSettings } from '../../../shared/translation-settings.ts';
import { NoJsonFile } from '../../json-file.ts';
import { differenceSection, indented } from '../../preview/as-html.ts';
import { compareCarts, outcomeText } from '../../preview/compare-carts.ts';
import { type ComparedField, compareOrders } from '../../preview/compare-orders.ts';
import { type Html, html, NOTHING } from '../../preview/html.ts';
import { maskCart, maskTarget } from '../../preview/mask.ts';
import { type CartPreview, type GroupPreview, previewCart } from '../../preview/preview-cart.ts';
import type { RecordedLookUp } from '../../preview/record-reads.ts';
import { type Input, type InputCart, inputOf, UnusableInput } from '../../preview/read-input.ts';
import { cartName } from '../../preview/source-words.ts';
import { faultsOfCart } from '../../preview/summary.ts';
import { entryToAdd, type TriedValue, withTriedValues } from '../../preview/try-values.ts';
import { placeOf } from '../../setting-mistakes.ts';
import { byAndReason, fieldOf } from '../acts.ts';
import { type CartSettings, differingSettings, settingsOfEntry, UnreadableSettings } from '../deployed-settings.ts';
import { identifier } from '../logs/log-search.ts';
import type { ConsolePage, FormRequest, Mode, Page, PageRequest } from '../page.ts';
import { cartMarkup } from '../workbench/cart-markup.ts';
import {
  type GivenText,
  givenText,
  SAMPLE_NAMES,
  triedValues,
  tryField,
  UnusableForm,
} from '../workbench/read-form.ts';

const PATH = '/workbench';

export const workbenchPage: ConsolePage = {
  path: PATH,
  label: 'Workbench',
  show: async (request) =>
    pageOf(request, { text: '', message: request.url.searchParams.get('message') ?? '', isMasked: true }, NOTHING),
  submit: { needs: 'key', handle: translate },
};

interface FormState {
  readonly text: string;
  /** The id of a dead letter, whose body is not shown as it is. */
  readonly message: string;
  readonly isMasked: boolean;
}

const pageOf = ({ mode }: PageRequest, state: FormState, results: Html, status: 200 | 400 = 200): Page => ({
  title: 'Workbench',
  status,
  body: page`${inputForm(state, mode)}
${raw(results.text)}
${mode === 'operate' ? '' : page`<p class="quiet">To compare with what 11VMS holds, start the console with <code>--operate</code>: that uses the secret of its connection.</p>`}
<script type="module" src="/assets/workbench.js"></script>`,
});

/** The text stands in it as it was given, to the letter: it is sent again with the next question. */
const inputForm = ({ text, message, isMasked }: FormState, mode: Mode): Page['body'] =>
  page`<section aria-labelledby="input"><h2 id="input">${text === '' ? 'Which cart?' : 'The cart'}</h2>
<form method="post" action="${PATH}" enctype="multipart/form-data" autocomplete="off" id="workbench">
<p class="quiet">A cart as SRM sends it, a page of carts, or the body of a queue message, such as a dead letter. It stays in this process: nothing is sent or stored.</p>
<label for="text">Paste it here, or drop a file</label>
<textarea id="text" name="text" rows="${text === '' ? 8 : 4}" spellcheck="false" autocomplete="off">
${text}</textarea>
<div class="fields">
<label>or choose a file<br><input type="file" name="file" accept=".json,application/json,text/plain"></label>
<label>or a sample of this project<br><select name="sample"><option value="">none</option>${SAMPLE_NAMES.map((name) => page`<option>${name}</option>`)}</select></label>
<label><input type="checkbox" name="unmasked" value="yes"${isMasked ? '' : raw(' checked')}> show names, e-mail addresses and texts</label>
<button class="act" name="act" value="translate">Translate</button>
</div>
${mode === 'operate' ? letterFields(message) : ''}
</form>
</section>`;

const letterFields = (message: string): Page['body'] =>
  page`<details${message === '' ? '' : raw(' open')}><summary>or a dead letter, by the id of its message</summary>
<p class="quiet">It stays where it is. Who looks at its content, and why, is kept in the ledger. Its signature is not checked here: whether it would be ordered at all, the plan of its redrive says.</p>
<div class="fields">
<label>Message id<br><input name="message" value="${message}" size="40" maxlength="100" autocomplete="off"></label>
<label>Why (no personal data)<br><input name="reason" size="40" maxlength="200" autocomplete="off"></label>
</div></details>`;

/** Undefined where no dead letter is named. @throws {UnusableForm} */
async function openedLetter(request: FormRequest): Promise<GivenText | undefined> {
  const message = fieldOf(request.form, 'message');
  if (message === '') return undefined;
  if (request.mode !== 'operate') throw new UnusableForm('To open a dead letter, start the console with --operate.');
  if (identifier('messageId', message) === undefined)
    throw new UnusableForm('The id of a message looks like 11111111-2222-3333-4444-555555555555.');
  const text = await request.sources.deadLetter(message, byAndReason(request));
  if (text !== undefined) return { text, origin: 'The dead letter' };
  throw new UnusableForm(
    'No message of this id can be seen in the dead-letter queue: it was redriven or deleted, or another reader holds it for a minute.',
  );
}

async function translate(request: FormRequest): Promise<Page> {
  const { form } = request;
  const isMasked = fieldOf(form, 'unmasked') !== 'yes';
  let state: FormState = { text: '', message: fieldOf(form, 'message'), isMasked };
  try {
    const own = await givenText(form);
    if (own !== undefined) state = { text: own.text, message: '', isMasked };
    const given = own ?? (await openedLetter(request));
    if (given === undefined) throw new UnusableForm('Nothing was given: paste a cart, or choose a file or a sample.');
    const basis = await settingsInUse(request);
    const results = await resultsOf(request, readInput(given, basis.used), basis, isMasked);
    return pageOf(request, state, results);
  } catch (error) {
    if (!(error instanceof UnusableForm)) throw error;
    const refusal = html`<p class="notice negative" role="alert">${error.message}</p>`;
    return pageOf(request, state, refusal, 400);
  }
}

function readInput({ text, origin }: GivenText, { srm }: CartSettings): Input {
  try {
    return inputOf(text, namesOfService(srm));
  } catch (error) {
    if (error instanceof NoJsonFile || error instanceof UnusableInput)
      throw new UnusableForm(`${origin} ${error.message}.`);
    throw error;
  }
}

/** The settings that are used, and what is to say about them. */
interface Basis {
  readonly used: CartSettings;
  readonly entry: CartSettings;
  readonly differing: readonly string[];
  /** Why the deployed ones are not used. */
  readonly unreadable: string | undefined;
}

async function settingsInUse({ sources }: PageRequest): Promise<Basis> {
  const entry = settingsOfEntry(sources.environment);
  try {
    const used = await sources.deployedSettings();
    return { used, entry, differing: differingSettings(entry, used), unreadable: undefined };
  } catch (error) {
    if (!(error instanceof UnreadableSettings)) throw error;
    return { used: entry, entry, differing: [], unreadable: error.message };
  }
}

async function resultsOf(request: FormRequest, input: Input, basis: Basis, isMasked: boolean): Promise<Html> {
  const { form, nowMs, mode } = request;
  const { used, entry } = basis;
  const today = new Date(nowMs).toISOString().slice(0, 10);
  const previewWith = ({ srm, vms, translation }: CartSettings, cart: InputCart): CartPreview =>
    previewCart(
      cart.source,
      { client: srm.client, settings: translation, wire: createWireOrder(vms), today },
      cart.envelope,
    );
  const shownOf = (cart: CartPreview): CartPreview => (isMasked ? maskCart(cart) : cart);

  const previews = input.carts.map((cart) => previewWith(used, cart));
  const index = chosenCart(form, previews);
  const [cart, preview] = [input.carts[index], previews[index]];
  const head = html`${settingsNotice(basis)}
${input.notes.map((note) => html`<p>Note: ${note}.</p>`)}
${previews.length < 2 ? NOTHING : cartList(previews.map(shownOf), index)}`;
  if (cart === undefined || preview === undefined) return head;

  const given = triedValues(form);
  const trial = withTriedValues(used.translation, given);
  const result = 'settings' in trial ? previewWith({ ...used, translation: trial.settings }, cart) : preview;
  // Those that were tried for another cart change nothing here.
  const tried = 'settings' in trial ? given.filter((one) => wasLookedUp(one, preview, result)) : given;
  const [, group] = /^compare (\d+)$/.exec(fieldOf(form, 'act')) ?? [];
  const compared = mode === 'operate' && group !== undefined ? Number(group) : undefined;
  const comparison = compared === undefined ? NOTHING : await comparedOrder(request, result.groups[compared]);
  const besides = (at: number): Html => {
    const own = result.groups[at];
    return own === undefined
      ? NOTHING
      : html`${contentOf(own, isMasked)}${mode === 'operate' && own.order !== undefined ? compareButton(at) : NOTHING}${at === compared ? comparison : NOTHING}`;
  };
  return html`${head}
<input type="hidden" form="workbench" name="shown" value="${index}">
${basis.differing.length === 0 ? NOTHING : checkoutSection(shownOf(preview), shownOf(previewWith(entry, cart)))}
${tried.length === 0 ? NOTHING : trialSection(tried, used.translation, { before: shownOf(preview), after: shownOf(result) })}
${cartMarkup({ cart: shownOf(result), source: cart.source, isMasked, between: lookUpSection(result, tried), besides })}`;
}

const wasLookedUp = ({ map, code }: TriedValue, ...carts: readonly CartPreview[]): boolean =>
  carts.some(({ lookUps }) => lookUps.some((one) => one.map === map && one.code === code));

/** The one whose button was pressed, or that was shown before; at first the first with a fault. */
function chosenCart(form: FormData, carts: readonly CartPreview[]): number {
  const asked = [fieldOf(form, 'cart'), fieldOf(form, 'shown')].find((text) => /^\d{1,6}$/.test(text));
  if (asked !== undefined && Number(asked) < carts.length) return Number(asked);
  return Math.max(
    0,
    carts.findIndex((cart) => faultsOfCart(cart).length > 0),
  );
}

const MOST_NAMES = 30;

function settingsNotice({ differing, unreadable }: Basis): Html {
  if (unreadable !== undefined)
    return html`<p class="notice critical" role="status">The settings of the deployed worker cannot be read: ${unreadable}. This is what the entry of this checkout makes of the cart, which may be something else.</p>`;
  if (differing.length === 0)
    return html`<p class="quiet">Translated with the settings that are deployed. The entry of this checkout has the same.</p>`;
  const more = differing.length > MOST_NAMES ? html` and ${differing.length - MOST_NAMES} more` : NOTHING;
  return html`<p class="notice critical" role="status">Translated with the settings that are deployed. The entry of this checkout differs in ${differing.length === 1 ? 'one of them' : `${differing.length} of them`}: ${differing.slice(0, MOST_NAMES).join(', ')}${more}.</p>`;
}

function cartList(carts: readonly CartPreview[], chosen: number): Html {
  return html`<section aria-labelledby="carts"><h2 id="carts">${carts.length} carts</h2>
<table><thead><tr><th scope="col">Cart</th><th scope="col">Outcome</th><th scope="col">Faults</th><th scope="col">Shown below</th></tr></thead>
<tbody>${carts.map(
    (cart, index) =>
      html`<tr><th scope="row">${cartName(cart)}</th><td>${outcomeText(cart)}</td><td>${[...new Set(faultsOfCart(cart).map(({ code }) => code))].join(', ')}</td><td>${index === chosen ? html`<b>this one</b>` : html`<button form="workbench" name="cart" value="${index}" aria-label="Show cart ${cartName(cart)}">Show</button>`}</td></tr>
`,
  )}</tbody></table></section>`;
}

function checkoutSection(deployed: CartPreview, checkout: CartPreview): Html {
  const difference = compareCarts(deployed, checkout);
  return html`<section aria-labelledby="checkout"><h2 id="checkout">With the entry of this checkout</h2>
${difference === undefined ? html`<p>This cart would become the same.</p>` : differenceSection(difference, 'deployed', 'this checkout')}</section>`;
}

function trialSection(
  tried: readonly TriedValue[],
  settings: TranslationSettings,
  { before, after }: { readonly before: CartPreview; readonly after: CartPreview },
): Html {
  const trial = withTriedValues(settings, tried);
  const head = html`<h2 id="tried">Tried: ${tried.map(({ map, code, value }) => `${map} ${code} → ${value}`).join(', ')}</h2>`;
  if ('mistakes' in trial)
    return html`<section aria-labelledby="tried">${head}
<p class="notice negative" role="alert">A deployment would refuse this, so that it is not used below: ${trial.mistakes.map((mistake) => `translation.${placeOf(mistake)} ${mistake.message}`).join('; ')}.</p></section>`;
  const difference = compareCarts(before, after);
  return html`<section aria-labelledby="tried">${head}
<p>Nothing was changed: below, the cart is shown as it would become with this.</p>
${difference === undefined ? html`<p>The cart becomes the same as without it.</p>` : differenceSection(difference, 'deployed', 'the trial')}
<h3>To have it so, add this to the environment's entry, and deploy</h3>
<pre>${JSON.stringify(entryToAdd(settings, tried), undefined, 2)}</pre>
<p class="quiet">Where the entry keeps the map in a CSV file, add a row there: source, target. Dead letters are redriven after the deployment.</p>
</section>`;
}

function contentOf({ order, body }: GroupPreview, isMasked: boolean): Html {
  if (order === undefined || body === undefined) return NOTHING;
  return html`<dl class="facts">
<div><dt>Hash of its content</dt><dd><code>${contentHash(order)}</code></dd></div>
<div><dt>Idempotency key</dt><dd><code>${idempotencyKey(order, body)}</code></dd></div>
</dl>
${isMasked ? html`<p class="quiet">The body as it is sent holds names and texts: it is shown together with them.</p>` : html`<details><summary>The body as it is sent (canonical JSON, ${Buffer.byteLength(body)} bytes; shown with line breaks)</summary><pre>${indented(body)}</pre></details>`}`;
}

const compareButton = (group: number): Html =>
  html`<p><button form="workbench" name="act" value="compare ${group}">Compare with what 11VMS holds</button></p>`;

/** Masked whatever is shown of the cart itself: it is content of 11VMS, and nothing records who looks at it. */
async function comparedOrder({ sources }: PageRequest, group: GroupPreview | undefined): Promise<Html> {
  if (group?.order === undefined) return NOTHING;
  const answer = await sources.lookUpOrder(group.order.externalId);
  if (answer.kind === 'absent') return html`<p class="notice">11VMS holds no order ${group.order.externalId}.</p>`;
  if (answer.kind !== 'found')
    return html`<p class="notice critical">11VMS did not answer the question: ${faultSummary(answer.fault)}.</p>`;
  const { id, number, order } = answer.stored;
  const name = number ?? id;
  if (order === undefined)
    return html`<p class="notice critical">11VMS holds order ${name}, whose content cannot be read.</p>`;
  const { isSame, fields } = compareOrders(group.order, order);
  const [equal, others] = [
    fields.filter(({ result }) => result === 'equal'),
    fields.filter(({ result }) => result !== 'equal'),
  ];
  return html`<p class="notice ${isSame ? 'positive' : 'negative'}" role="status">11VMS holds order ${name}, ${isSame ? 'with the same content' : 'with other content'}: ${equal.length} fields are equal, ${others.length} are not.</p>
${others.length === 0 ? NOTHING : comparisonTable('Fields that are not equal', others)}
<details><summary>${equal.length} equal fields</summary>${comparisonTable('Equal fields', equal)}</details>`;
}

function comparisonTable(caption: string, fields: readonly ComparedField[]): Html {
  const shown = (target: string, value: ComparedField['here']): Html => {
    const text = maskTarget(target, value);
    return text === undefined ? html`<i>none</i>` : html`${String(text)}`;
  };
  return html`<table><caption>${caption}</caption>
<thead><tr><th scope="col">Field of the order</th><th scope="col">From this cart</th><th scope="col">In 11VMS</th><th scope="col">Result</th><th scope="col" class="number">Row</th></tr></thead>
<tbody>${fields.map(
    ({ field, target, result, here, there, counts, row }) =>
      html`<tr><th scope="row">${field}</th><td class="value">${shown(target, here)}</td><td class="value">${shown(target, there)}</td><td>${result}${counts ? NOTHING : html` <small>(does not count: SRM moves it with every status)</small>`}</td><td class="number">${row ?? ''}</td></tr>
`,
  )}</tbody></table>`;
}

function lookUpSection(cart: CartPreview, tried: readonly TriedValue[]): Html {
  const { lookUps } = cart;
  if (lookUps.length === 0) return NOTHING;
  const faults = new Set(faultsOfCart(cart).map(({ field, path }) => field ?? path));
  const isTried = ({ map, code }: RecordedLookUp): boolean => tried.some((one) => one.map === map && one.code === code);
  // A code may be missing where nothing needs it: an organization goes before its company, which has an entry.
  const isNeeded = ({ value, fields }: RecordedLookUp): boolean =>
    value === undefined && [...fields, '$.Status'].some((place) => faults.has(place));
  const [first, others] = [
    lookUps.filter((one) => isNeeded(one) || isTried(one)),
    lookUps.filter((one) => !isNeeded(one) && !isTried(one)),
  ];
  const table = (caption: string, rows: readonly RecordedLookUp[]): Html =>
    rows.length === 0
      ? NOTHING
      : html`<table class="look-ups"><caption>${caption}</caption><thead><tr><th scope="col">Value map</th><th scope="col">Code in the cart</th><th scope="col">Becomes</th><th scope="col">For</th><th scope="col">Try a value</th></tr></thead>
<tbody>${rows.map((row) => lookUpRow(row, isNeeded(row), tried))}</tbody></table>`;
  return html`<section aria-labelledby="look-ups"><h2 id="look-ups">What if a code were mapped to another value?</h2>
<p class="quiet">Write a value beside a code: the cart is translated with it in this process, and nothing is changed.</p>
${table('Codes without an entry, and those that are tried', first)}
<details${first.length === 0 ? html` open` : NOTHING}><summary>${others.length} codes that were looked up${first.length === 0 ? '' : ' besides'}</summary>${table('Codes that were looked up', others)}</details>
<p><button form="workbench" name="act" value="try">Try these values</button></p>
</section>`;
}

function lookUpRow(
  { map, code, value, isListed, fields }: RecordedLookUp,
  isNeeded: boolean,
  tried: readonly TriedValue[],
): Html {
  const own = tried.find((one) => one.map === map && one.code === code)?.value ?? '';
  const becomes =
    value === undefined
      ? html`<i>${isNeeded ? 'no entry' : 'no entry, and none is needed'}</i>`
      : html`${String(value)}${isListed ? NOTHING : html`<small>not listed: it passes as it is</small>`}`;
  return html`<tr${isNeeded ? html` class="missing"` : NOTHING}><th scope="row">${map}</th><td><code>${code}</code></td><td class="value">${becomes}</td><td>${fields.length === 0 ? 'whether it is ordered' : fields.join(', ')}</td><td><input form="workbench" name="${tryField(map, code)}" value="${own}" maxlength="100" size="14" autocomplete="off" aria-label="Value to try for ${map} ${code}"></td></tr>
`;
}
