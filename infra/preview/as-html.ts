/** A preview as one page to mail to the owner of a mapping: without a script, and without anything from elsewhere. */
import { parseExactJson } from '../../shared/exact-json.ts';
import { type Fault, faultPlace, type Warning } from '../../shared/failure.ts';
import { type CartDifference, outcomeText } from './compare-carts.ts';
import { adviceOf } from './finding-words.ts';
import { type Html, html, NOTHING } from './html.ts';
import type { CartPreview, FieldPreview, GroupPreview } from './preview-cart.ts';
import {
  amountOf,
  cartName,
  fieldName,
  keyText,
  LEGEND,
  lineName,
  namedText,
  type Section,
  sectionsOf,
  sourceWords,
  splitText,
} from './source-words.ts';
import { STYLE } from './style.ts';
import { faultsOfCart, type Preview, summaryOf } from './summary.ts';

export function asHtml(preview: Preview): string {
  const { input, environment, client, today, carts, against, notes } = preview;
  const title = `Preview of ${carts.length === 1 && carts[0] !== undefined ? `cart ${cartName(carts[0])}` : `${carts.length} carts`}`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<p class="notice">${noticeOf(preview)}</p>
<h1>${title}</h1>
<p>Shopping carts of SAP SRM 7, and the purchase orders of 11VMS that they would become. Nothing was sent.</p>
<dl>
<div><dt>Input</dt><dd>${input}</dd></div>
<div><dt>Environment</dt><dd>${environment} (sap-client ${client})</dd></div>
${against === undefined ? NOTHING : html`<div><dt>Compared with</dt><dd>${against.environment}</dd></div>`}
<div><dt>As of</dt><dd>${today}</dd></div>
</dl>
${notes.map((note) => html`<p>Note: ${note}.</p>`)}
</header>
<main>
${carts.length === 1 ? NOTHING : summarySection(carts)}
${against === undefined ? NOTHING : differencesSection(preview, against)}
${carts.map((cart, index) => cartArticle(cart, index, carts.length))}
</main>
<footer>
<p>Made by <code>npm run preview</code> of PROC-SRM7-11VMS-PURCHASE-ORDER-V1. Row: the row of <code>mapping.csv</code>.
${LEGEND}.</p>
</footer>
</body>
</html>
`.text;
}

const noticeOf = ({ isMasked, carts }: Preview): string => {
  const whose = carts.length === 1 ? "the cart's data" : "the carts' data";
  return isMasked
    ? `This page contains ${whose}: codes, amounts and dates. Names, e-mail addresses and texts are masked.`
    : `This page contains ${whose}, with personal data: names, e-mail addresses and texts. Keep it, mail it and delete it as you would the carts.`;
};

/** More carts than that are folded; a browser's search opens them. */
const MOST_OPEN = 5;

const anchorOf = (index: number): string => `cart-${index + 1}`;

function summarySection(carts: readonly CartPreview[]): Html {
  const { orders, skipped, faulty, withWarnings, faults, skips } = summaryOf(carts);
  return html`<section aria-labelledby="summary">
<h2 id="summary">Summary</h2>
<ul class="figures">
<li><b>${carts.length}</b> carts</li>
<li><b>${orders}</b> orders</li>
<li><b>${skipped}</b> skipped</li>
<li><b>${faulty}</b> with faults</li>
<li><b>${withWarnings}</b> with warnings</li>
</ul>
${
  faults.length === 0
    ? NOTHING
    : html`<table class="list">
<caption>Faults</caption>
<thead><tr><th scope="col">Code</th><th scope="col" class="number">Carts</th><th scope="col">Owner</th><th scope="col">Meaning</th></tr></thead>
<tbody>${faults.map(
        ({
          code,
          carts: count,
          owner,
          meaning,
        }) => html`<tr><th scope="row">${code}</th><td class="number">${count}</td><td>${owner}</td><td>${meaning}</td></tr>
`,
      )}</tbody>
</table>`
}
${
  skips.length === 0
    ? NOTHING
    : html`<table class="list">
<caption>Skipped</caption>
<thead><tr><th scope="col" class="number">Carts</th><th scope="col">Reason</th></tr></thead>
<tbody>${skips.map(
        ({ reason, carts: count }) => html`<tr><td class="number">${count}</td><th scope="row">${reason}</th></tr>
`,
      )}</tbody>
</table>`
}
<table class="list">
<caption>Carts</caption>
<thead><tr><th scope="col">Cart</th><th scope="col">Description</th><th scope="col">Outcome</th><th scope="col">Faults</th></tr></thead>
<tbody>${carts.map(
    (
      cart,
      index,
    ) => html`<tr><th scope="row"><a href="#${anchorOf(index)}">${cartName(cart)}</a></th><td>${cart.description ?? ''}</td><td>${outcomeText(cart)}</td><td>${[...new Set(faultsOfCart(cart).map(({ code }) => code))].join(', ')}</td></tr>
`,
  )}</tbody>
</table>
</section>`;
}

function cartArticle(cart: CartPreview, index: number, count: number): Html {
  const title = html`Cart ${cartName(cart)}${cart.description === undefined ? NOTHING : html`: ${cart.description}`}`;
  const content = cartContent(cart);
  if (count <= MOST_OPEN)
    return html`<article id="${anchorOf(index)}"><h2>${title}</h2>${content}</article>
`;
  return html`<article id="${anchorOf(index)}"><details${faultsOfCart(cart).length > 0 ? html` open` : NOTHING}><summary><h2>${title}</h2> <span>${outcomeText(cart)}</span></summary>${content}</details></article>
`;
}

function cartContent({ groups, faults, warnings, droppedLines, notes, unusedFields, ...cart }: CartPreview): Html {
  return html`<p class="outcome">${outcomeText({ groups, faults, warnings, droppedLines, notes, unusedFields, ...cart })}</p>
${notes.map((note) => html`<p>Note: ${note}.</p>`)}
${
  groups.length < 2
    ? NOTHING
    : html`<p>One order for each supplier, currency and company code:</p>
<ul>${groups.map((group) => html`<li>${splitText(group)}</li>`)}</ul>`
}
${
  droppedLines.length === 0
    ? NOTHING
    : html`<p>Not ordered:</p>
<ul>${droppedLines.map((line) => html`<li>line ${lineName(line)}${line.description === undefined ? NOTHING : html` (${line.description})`}: ${line.reason}</li>`)}</ul>`
}
${findingList([...faults, ...warnings])}
${groups.map(groupSection)}
${unusedFields.length === 0 ? NOTHING : html`<p class="quiet">Filled in the cart, and read by no rule: ${unusedFields.join(', ')}.</p>`}`;
}

function groupSection(group: GroupPreview): Html {
  const { kind, externalId, faults, warnings, body } = group;
  const title =
    kind === 'order'
      ? html`Order ${externalId ?? ''}: ${amountOf(group)}`
      : html`No order${externalId === undefined ? '' : ` ${externalId}`}`;
  return html`<section class="order">
<h3>${title}</h3>
<p>${splitText(group)}</p>
${findingList([...faults, ...warnings])}
${sectionsOf(group).map((section) => sectionTable(section, group))}
${body === undefined ? NOTHING : html`<details><summary>The order as it is sent (JSON)</summary><pre>${indented(body)}</pre></details>`}
</section>
`;
}

export const indented = (body: string): string => JSON.stringify(parseExactJson(body), undefined, 2);

const findingList = (findings: readonly (Fault | Warning)[]): Html =>
  findings.length === 0 ? NOTHING : html`<ul class="findings">${findings.map(findingItem)}</ul>`;

function findingItem(finding: Fault | Warning): Html {
  const advice = adviceOf(finding);
  return html`<li class="${advice === undefined ? 'warning' : 'fault'}"><b>${advice === undefined ? 'Warning' : 'Fault'} ${finding.code}</b>: ${finding.message}${faultPlace(finding)}.${advice === undefined ? NOTHING : html` <span class="advice">${advice}</span>`}</li>
`;
}

function sectionTable(section: Section, group: GroupPreview): Html {
  const { line, fields } = section;
  const findings = Map.groupBy([...group.faults, ...group.warnings], ({ field }) => field);
  const isShown = (field: FieldPreview): boolean =>
    field.value !== undefined || field.origin === 'source' || findings.has(field.field);
  const unfilled = fields.filter((field) => !isShown(field));
  const title = line === undefined ? 'Header' : `Line ${lineName(line)}`;
  return html`<table class="fields">
<caption>${title}${line?.description === undefined ? NOTHING : html`: ${line.description}`}</caption>
<thead><tr><th scope="col">Field of the order</th><th scope="col">Value</th><th scope="col">From the cart</th><th scope="col" class="number">Row</th><th scope="col">Rule</th></tr></thead>
<tbody>${fields.filter(isShown).map((field) => fieldRow(field, section, group, findings.get(field.field) ?? []))}</tbody>
</table>
${unfilled.length === 0 ? NOTHING : html`<p class="quiet">Not filled: ${unfilled.map(fieldName).join(', ')}.</p>`}
`;
}

function fieldRow(
  field: FieldPreview,
  section: Section,
  group: GroupPreview,
  findings: readonly (Fault | Warning)[],
): Html {
  const { from, empty, beside } = sourceWords(field, section, group.lines, Number.POSITIVE_INFINITY);
  const isMissing = findings.length > 0 || (group.kind === 'faulty' && field.mandatory === 'M');
  const value =
    field.value === undefined ? html`<i>${isMissing ? 'not made' : 'left out'}</i>` : html`${String(field.value)}`;
  return html`<tr><th scope="row">${fieldName(field)}</th><td class="value">${value}${findings.map(({ code }) => html` <b class="mark">${code}</b>`)}</td><td>${from.map(({ name, value }) => html`<div><span class="quiet">${name}</span> ${value}</div>`)}${empty.length === 0 ? NOTHING : html`<div class="quiet">${namedText(empty)} empty</div>`}${beside.length === 0 ? NOTHING : html`<div class="quiet">beside: ${namedText(beside)}</div>`}</td><td class="number">${field.row}</td><td>${field.rule}</td></tr>
`;
}

function differencesSection({ environment, carts }: Preview, against: NonNullable<Preview['against']>): Html {
  const { environment: other, differences } = against;
  return html`<section aria-labelledby="differences">
<h2 id="differences">With the translation of ${other} instead of ${environment}</h2>
<p>${differences.length === 0 ? 'No cart' : differences.length} of ${carts.length} would differ.</p>
${differences.map((difference) => differenceSection(difference, environment, other))}
</section>`;
}

export function differenceSection(difference: CartDifference, here: string, there: string): Html {
  const { orders, faultsOnlyHere, faultsOnlyThere } = difference;
  const outcome = { order: 'an order', faulty: 'prevented by faults', none: 'no such order' };
  return html`<section class="order">
<h3>Cart ${cartName(difference)}</h3>
<p>${difference.here === difference.there ? difference.here : `${here}: ${difference.here}; ${there}: ${difference.there}`}</p>
${orders.map(
  (
    order,
  ) => html`<p>${keyText(order)}${order.here === order.there ? '' : `. ${here}: ${outcome[order.here ?? 'none']}; ${there}: ${outcome[order.there ?? 'none']}`}</p>
${order.linesOnlyHere.length === 0 ? NOTHING : html`<p>Lines with ${here} only: ${order.linesOnlyHere.join(', ')}</p>`}
${order.linesOnlyThere.length === 0 ? NOTHING : html`<p>Lines with ${there} only: ${order.linesOnlyThere.join(', ')}</p>`}
${
  order.fields.length === 0
    ? NOTHING
    : html`<table>
<caption>Fields that differ</caption>
<thead><tr><th scope="col">Field of the order</th><th scope="col">${here}</th><th scope="col">${there}</th><th scope="col" class="number">Row</th><th scope="col">Rule</th></tr></thead>
<tbody>${order.fields.map(
        ({
          field,
          row,
          rule,
          ...values
        }) => html`<tr><th scope="row">${field}</th><td class="value">${values.here === undefined ? html`<i>none</i>` : String(values.here)}</td><td class="value">${values.there === undefined ? html`<i>none</i>` : String(values.there)}</td><td class="number">${row}</td><td>${rule}</td></tr>
`,
      )}</tbody>
</table>`
}`,
)}
${faultsOnlyHere.length === 0 ? NOTHING : html`<p>Faults that go with ${there}:</p>${findingList(faultsOnlyHere)}`}
${faultsOnlyThere.length === 0 ? NOTHING : html`<p>Faults that come with ${there}:</p>${findingList(faultsOnlyThere)}`}
</section>
`;
}
