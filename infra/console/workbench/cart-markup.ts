/** A translated cart as the workbench shows it. Every value is escaped, and what cannot be printed is shown as U+FFFD. */
import { isFaultCode } from '../../../shared/failure.ts';
import { FAULT_CATALOGUE } from '../../../shared/fault-catalogue.ts';
import { outcomeText } from '../../preview/compare-carts.ts';
import { adviceOf } from '../../preview/finding-words.ts';
import { type Html, html, NOTHING } from '../../preview/html.ts';
import type { CartPreview, GroupPreview } from '../../preview/preview-cart.ts';
import { amountOf, cartName, lineName, readable, splitText } from '../../preview/source-words.ts';
import {
  faultyCartSheet,
  type Finding,
  type RuleRow,
  type Sheet,
  sheetOf,
  type SheetRow,
  type SheetSection,
  shortPath,
  type SourceRow,
  type TargetRow,
} from './cart-sheet.ts';

export interface CartMarkup {
  /** As it is shown: masked, or not. */
  readonly cart: CartPreview;
  readonly source: unknown;
  readonly isMasked: boolean;
  /** Between the cart and its orders. */
  readonly between: Html;
  /** What else is shown of an order: its body, and how it compares. By the index of its group. */
  readonly besides: (index: number) => Html;
}

export function cartMarkup({ cart, source, isMasked, between, besides }: CartMarkup): Html {
  const { groups, droppedLines, faults, warnings, notes, unusedFields } = cart;
  const ofCart = [...faults, ...warnings];
  const alone =
    groups.length > 0 || cart.kind === 'skip' ? undefined : faultyCartSheet(source, ofCart, { prefix: 'c', isMasked });
  return html`<section aria-labelledby="cart"><h2 id="cart">Cart ${cartName(cart)}${cart.description === undefined ? NOTHING : html`: ${cart.description}`}</h2>
<p><b>${outcomeText(cart)}</b></p>
${notes.map((note) => html`<p>Note: ${note}.</p>`)}
${droppedLines.length === 0 ? NOTHING : html`<p>Not ordered:</p><ul>${droppedLines.map((line) => html`<li>line ${lineName(line)}${line.description === undefined ? NOTHING : html` (${line.description})`}: ${line.reason}</li>`)}</ul>`}
${findingList(ofCart, alone)}
${unusedFields.length === 0 ? NOTHING : html`<details><summary>${unusedFields.length} filled fields that no rule reads</summary><p>${unusedFields.join(', ')}</p></details>`}
${alone === undefined ? NOTHING : sheetMarkup(alone)}
</section>
${between}
${groups.map((group, index) => groupMarkup(group, index, { source, isMasked, ofCart, besides }))}`;
}

function groupMarkup(
  group: GroupPreview,
  index: number,
  {
    source,
    isMasked,
    ofCart,
    besides,
  }: Pick<CartMarkup, 'source' | 'isMasked' | 'besides'> & { readonly ofCart: readonly Finding[] },
): Html {
  const own = [...group.faults, ...group.warnings];
  const sheet = sheetOf(group, source, [...own, ...ofCart], { prefix: `o${index}`, isMasked });
  const id = `order-${index}`;
  const title =
    group.kind === 'order'
      ? html`Order ${group.externalId ?? ''}: ${amountOf(group)}`
      : html`No order ${group.externalId ?? ''}`;
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>
<p>${splitText(group)}</p>
${findingList(own, sheet)}
${sheetMarkup(sheet)}
${besides(index)}
</section>
`;
}

/** Each with a link to its place in the cart and in the order. */
function findingList(findings: readonly Finding[], sheet: Sheet | undefined): Html {
  if (findings.length === 0) return NOTHING;
  return html`<ul class="findings">${findings.map((finding) => {
    const { code, message, line, value, path, field } = finding;
    const places = [
      ...(path === undefined ? [] : [place(path, shortPath(path))]),
      ...(field === undefined ? [] : [place(field, field)]),
    ];
    return html`<li class="${isFault(finding) ? 'fault' : 'warning'}"><b>${isFault(finding) ? 'Fault' : 'Warning'} ${code}</b>: ${message}${value === undefined ? NOTHING : html`; the value is <code>${value}</code>`}${line === undefined ? NOTHING : html`; line ${line}`}${places.length === 0 ? NOTHING : html`; at ${places.map((one, index) => html`${index === 0 ? NOTHING : ', for '}${one}`)}`}.${adviceText(finding)}</li>
`;
  })}</ul>`;

  function place(name: string, text: string): Html {
    const id = sheet?.idOf(name);
    return id === undefined ? html`<code>${text}</code>` : html`<a href="#${id}">${text}</a>`;
  }
}

const isFault = ({ code }: Finding): boolean => isFaultCode(code);

function adviceText(finding: Finding): Html {
  const advice = adviceOf(finding);
  return advice === undefined ? NOTHING : html` <span class="advice">${advice}</span>`;
}

function sheetMarkup({ source, rules, target, unfilled }: Sheet): Html {
  return html`<div class="sheet">
<div class="column" role="group" aria-label="Cart" tabindex="0"><table class="source"><caption>Cart, as SRM sends it</caption>
<thead><tr><th scope="col">Field</th><th scope="col">Value</th></tr></thead>
${source.map((section) => sectionMarkup(section, 2, sourceRow))}</table></div>
${
  rules.length === 0
    ? NOTHING
    : html`<div class="column" role="group" aria-label="Mapping" tabindex="0"><table class="rules"><caption>Mapping rows</caption>
<thead><tr><th scope="col" class="number">Row</th><th scope="col">Rule</th></tr></thead>
<tbody>${rules.map(ruleRow)}</tbody></table></div>
<div class="column" role="group" aria-label="Order" tabindex="0"><table class="target"><caption>Order, as 11VMS gets it</caption>
<thead><tr><th scope="col">Field, from</th><th scope="col">Value</th><th scope="col" class="number">Row</th></tr></thead>
${target.map((section) => sectionMarkup(section, 3, targetRow))}</table></div>`
}
</div>
${unfilled.length === 0 ? NOTHING : html`<details><summary>${unfilled.length} fields of the order that this cart does not fill</summary><p>${unfilled.join(', ')}</p></details>`}`;
}

const sectionMarkup = <Row>({ title, rows }: SheetSection<Row>, columns: number, toMarkup: (row: Row) => Html): Html =>
  html`<tbody><tr><th scope="rowgroup" colspan="${columns}">${title}</th></tr>
${rows.map(toMarkup)}</tbody>
`;

const rowStart = ({ id, marks }: SheetRow, findings: readonly Finding[] = []): Html =>
  html`<tr id="${id}" data-marks="${marks.join(' ')}"${findings.length === 0 ? NOTHING : html` class="${findings.some(isFault) ? 'fault' : 'warning'}"`}>`;

const codes = (findings: readonly Finding[]): Html =>
  html`${findings.map((finding) => html` <b class="code" title="${meaningOf(finding)}">${finding.code}</b>`)}`;

const meaningOf = ({ code, message }: Finding): string => (isFaultCode(code) ? FAULT_CATALOGUE[code].meaning : message);

const sourceRow = (row: SourceRow): Html =>
  html`${rowStart(row, row.findings)}<th scope="row"${row.isRead ? NOTHING : html` class="quiet"`}>${row.label}</th><td class="value">${sourceValue(row.value)}${codes(row.findings)}</td></tr>
`;

/** A date also as people read it. */
function sourceValue(value: string): Html {
  if (value === '') return html`<i>empty</i>`;
  const words = readable(value);
  return words === value ? html`${value}` : html`${words}<small>${value}</small>`;
}

const ruleRow = (row: RuleRow): Html =>
  html`${rowStart(row)}<th scope="row" class="number">${row.row}</th><td>${row.rule}</td></tr>
`;

const targetRow = (row: TargetRow): Html => {
  const { field, sources, findings } = row;
  const links = sources.map(
    ({ id, label, isNamed }) => html`<a href="#${id}"${isNamed ? NOTHING : html` class="beside"`}>${label}</a>`,
  );
  const made =
    field.value === undefined ? html`<i>${isMissing(row) ? 'not made' : 'left out'}</i>` : String(field.value);
  const from =
    links.length === 0
      ? html`${field.origin}`
      : html`${links.map((link, index) => html`${index === 0 ? NOTHING : ', '}${link}`)}`;
  return html`${rowStart(row, findings)}<th scope="row">${row.label}<small>${field.origin === 'default' ? 'default, not ' : NOTHING}${from}</small></th><td class="value">${made}${codes(findings)}</td><td class="number"><a href="#${row.ruleId}">${field.row}</a></td></tr>
`;
};

const isMissing = ({ findings, field }: TargetRow): boolean => findings.some(isFault) || field.mandatory === 'M';
