/** A preview for a terminal. */
import { type Fault, faultPlace, type Warning } from '../../shared/failure.ts';
import { printable } from '../../shared/printable-text.ts';
import { asTable, plural } from '../carts/tables.ts';
import { type CartDifference, type OrderDifference, outcomeText } from './compare-carts.ts';
import { adviceOf } from './finding-words.ts';
import type { CartPreview, FieldPreview, FieldValue, GroupPreview } from './preview-cart.ts';
import {
  amountOf,
  cartName,
  fieldName,
  keyText,
  LEGEND,
  lineName,
  type Section,
  sectionsOf,
  splitText,
  sourceText,
  sourceWords,
} from './source-words.ts';
import { type Preview, summaryOf } from './summary.ts';

/** Longer values are shortened; --json, --csv and --html have them whole. */
const LONGEST_VALUE = 120;

/** @param width of the terminal, in characters */
export function asText(preview: Preview, width: number): string {
  const { against, carts } = preview;
  const parts = [
    headText(preview),
    ...(carts.length > 1 ? [summaryText(preview)] : []),
    ...(against === undefined
      ? [
          ...carts.map((cart) => cartText(cart, width)),
          wrapped(`${LEGEND}. Rules in full: translation/mapping.md, or --html`, width).join('\n'),
        ]
      : against.differences.map((difference) =>
          differenceText(difference, preview.environment, against.environment, width),
        )),
  ];
  return parts.map((part) => `${part.trimEnd()}\n`).join('\n');
}

function headText({ input, environment, client, carts, against, notes }: Preview): string {
  const what = `${input}: ${plural(carts.length, 'cart')}, with environment ${environment} (sap-client ${client})`;
  const lines = [`${what}. Nothing is sent.`, ...notes.map((note) => `note: ${note}`)];
  if (against === undefined) return lines.join('\n');
  const { length } = against.differences;
  const result = length === 0 ? 'no cart would differ' : `${length} of ${plural(carts.length, 'cart')} would differ`;
  return [...lines, `With the translation settings and value maps of ${against.environment}, ${result}.`].join('\n');
}

function summaryText({ carts }: Preview): string {
  const { orders, skipped, faulty, withWarnings, faults, skips } = summaryOf(carts);
  const lines = [
    `${plural(carts.length, 'cart')}: ${plural(orders, 'order')}; ${skipped} skipped; ${faulty} with faults; ${withWarnings} with warnings`,
    ...skips.map(({ reason, carts: count }) => `  ${count} skipped: ${reason}`),
  ];
  const table = asTable(
    faults.map(({ code, carts: count, owner, meaning }) => ({ fault: code, carts: count, owner, meaning })),
    '  ',
  );
  return `${lines.join('\n')}\n${faults.length === 0 ? '' : `\n${table}`}`;
}

const ruler = (title: string, width: number): string => {
  const start = `== ${title} `;
  return start + '='.repeat(Math.max(2, width - start.length));
};

function cartText(cart: CartPreview, width: number): string {
  const { droppedLines, groups, faults, warnings, notes, unusedFields } = cart;
  const description = cart.description === undefined ? '' : `: ${printable(cart.description, LONGEST_VALUE)}`;
  return [
    ruler(`Cart ${cartName(cart)}${description}`, width),
    `  ${outcomeText(cart)}`,
    ...(groups.length > 1
      ? [
          '  One order for each supplier, currency and company code:',
          ...groups.map((group) => `    ${splitText(group)}`),
        ]
      : []),
    ...notes.map((note) => `  note: ${note}`),
    ...droppedLines.map((line) => `  not ordered: line ${lineName(line)}${describedAs(line)}: ${line.reason}`),
    ...findingLines(faults, '  ', width),
    ...findingLines(warnings, '  ', width),
    ...groups.flatMap((group) => ['', groupText(group, width)]),
    ...(unusedFields.length === 0
      ? []
      : [
          '',
          ...wrapped(`Filled in the cart, and read by no rule: ${unusedFields.join(', ')}`, width - 2).map(
            (line) => `  ${line}`,
          ),
        ]),
  ].join('\n');
}

const describedAs = ({ description }: { readonly description: string | undefined }): string =>
  description === undefined ? '' : ` (${printable(description, 60)})`;

function groupText(group: GroupPreview, width: number): string {
  const { kind, externalId } = group;
  const title =
    kind === 'order'
      ? `Order ${externalId}: ${amountOf(group)}`
      : `No order${externalId === undefined ? '' : ` ${externalId}`}: ${plural(group.faults.length, 'fault')}`;
  return [
    `  ${title}`,
    ...wrapped(splitText(group), width - 2).map((line) => `  ${line}`),
    ...findingLines(group.faults, '  ', width),
    ...findingLines(group.warnings, '  ', width),
    ...(kind === 'order' ? sectionsOf(group).map((section) => sectionText(section, group, width)) : []),
  ].join('\n');
}

function findingLines(findings: readonly (Fault | Warning)[], indent: string, width: number): string[] {
  return findings.flatMap((finding) => {
    const text = `${adviceOf(finding) === undefined ? 'warning' : 'FAULT'} ${finding.code}: ${finding.message}${faultPlace(finding)}`;
    const advice = adviceOf(finding);
    return [
      ...wrapped(printable(text, 2000), width - indent.length).map(
        (line, index) => indent + (index === 0 ? '' : '  ') + line,
      ),
      ...(advice === undefined
        ? []
        : wrapped(`-> ${advice}`, width - indent.length - 2).map((line) => `${indent}  ${line}`)),
    ];
  });
}

export const valueText = (value: FieldValue | undefined): string => (value === undefined ? '' : String(value));

function sectionText(section: Section, group: GroupPreview, width: number): string {
  const { line, fields } = section;
  const title = line === undefined ? 'Header' : `Line ${lineName(line)}${describedAs(line)}`;
  const filled = fields.filter(({ value }) => value !== undefined);
  const sourceOf = (field: FieldPreview): string => sourceText(sourceWords(field, section, group.lines, LONGEST_VALUE));
  const rows = filled.map((field) => [
    fieldName(field),
    shortened(valueText(field.value)),
    sourceOf(field),
    `${String(field.row).padStart(2)} ${field.rule}`,
  ]);
  const leftOut = fields.filter(({ value }) => value === undefined);
  const [unfilled, refused] = [
    leftOut.filter(({ origin }) => origin !== 'source'),
    leftOut.filter(({ origin }) => origin === 'source'),
  ];
  return [
    '',
    `  ${title}`,
    ...columnsText([['field', 'value', 'from the cart', 'row and rule'], ...rows], width - 4).map(
      (text) => `    ${text}`,
    ),
    ...refused.flatMap((field) =>
      wrapped(
        `left out: ${fieldName(field)}, from ${sourceOf(field)} (row ${field.row}: ${field.rule})`,
        width - 4,
      ).map((text, index) => `    ${index === 0 ? '' : '  '}${text}`),
    ),
    ...(unfilled.length === 0
      ? []
      : wrapped(`not filled: ${unfilled.map(fieldName).join(', ')}`, width - 4).map(
          (text, index) => `    ${index === 0 ? '' : '  '}${text}`,
        )),
  ].join('\n');
}

const shortened = (text: string): string =>
  text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)}… (${text.length} characters)`;

const WIDEST_RULE = 26;

/**
 * Rows in columns. The first column, the name, keeps its width. The last one, the rule, gets as many lines as the others
 * need, and is cut.
 */
function columnsText([header = [], ...rows]: readonly (readonly string[])[], width: number): string[] {
  const clean = [header, ...rows].map((row) => row.map((cell) => printable(cell.replaceAll('\n', ' ⏎ '), 2000)));
  const natural = header.map((_, index) => Math.max(...clean.map((row) => row[index]?.length ?? 0)));
  const [name = 0, rule] = [natural[0], Math.min(WIDEST_RULE, natural.at(-1) ?? 0)];
  const room = width - name - rule - 2 * (header.length - 1);
  const widths = [name, ...fittingWidths(natural.slice(1, -1), room)];
  return clean.flatMap((row) => {
    const cells = row.slice(0, -1).map((cell, index) => wrapped(cell, widths[index] ?? 1));
    const height = Math.max(...cells.map(({ length }) => length));
    const ruleLines = cut(wrapped(row.at(-1) ?? '', rule), height, rule);
    return Array.from({ length: height }, (_, line) =>
      [...cells.map((cell, index) => (cell[line] ?? '').padEnd(widths[index] ?? 0)), ruleLines[line] ?? '']
        .join('  ')
        .trimEnd(),
    );
  });
}

function cut(lines: readonly string[], most: number, width: number): readonly string[] {
  const last = lines[most - 1];
  if (lines.length <= most || last === undefined) return lines;
  return [...lines.slice(0, most - 1), `${last.slice(0, width - 2).trimEnd()} …`];
}

/** Takes from the widest column until all fit. */
function fittingWidths(natural: readonly number[], room: number): number[] {
  const widths = [...natural];
  const total = (): number => widths.reduce((sum, width) => sum + width, 0);
  while (total() > room && Math.max(...widths) > 10) {
    const widest = widths.indexOf(Math.max(...widths));
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

/** Lines no longer than the width, broken at blanks where there are any. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const blank = rest.lastIndexOf(' ', width);
    const end = blank > 0 ? blank : width;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest];
}

function differenceText(difference: CartDifference, here: string, there: string, width: number): string {
  const { orders, faultsOnlyHere, faultsOnlyThere } = difference;
  const outcome =
    difference.here === difference.there
      ? [`  ${difference.here}`]
      : [`  ${here}: ${difference.here}`, `  ${there}: ${difference.there}`];
  return [
    ruler(`Cart ${cartName(difference)}`, width),
    ...outcome,
    ...orders.flatMap((order) => ['', ...orderDifferenceLines(order, here, there, width)]),
    ...(faultsOnlyHere.length === 0
      ? []
      : ['', `  Faults that go with ${there}:`, ...findingLines(faultsOnlyHere, '    ', width)]),
    ...(faultsOnlyThere.length === 0
      ? []
      : ['', `  Faults that come with ${there}:`, ...findingLines(faultsOnlyThere, '    ', width)]),
  ].join('\n');
}

function orderDifferenceLines(order: OrderDifference, here: string, there: string, width: number): string[] {
  const outcome = { order: 'an order', faulty: 'prevented by faults', none: 'no such order' };
  const rows = order.fields.map(({ field, here: one, there: other, row, rule }) => [
    field,
    shortened(valueText(one)) || '(none)',
    shortened(valueText(other)) || '(none)',
    `${String(row).padStart(2)} ${rule}`,
  ]);
  return [
    `  ${keyText(order)}`,
    ...(order.here === order.there
      ? []
      : [`    ${here}: ${outcome[order.here ?? 'none']}; ${there}: ${outcome[order.there ?? 'none']}`]),
    ...(order.linesOnlyHere.length === 0 ? [] : [`    lines with ${here} only: ${order.linesOnlyHere.join(', ')}`]),
    ...(order.linesOnlyThere.length === 0 ? [] : [`    lines with ${there} only: ${order.linesOnlyThere.join(', ')}`]),
    ...(rows.length === 0
      ? []
      : columnsText([['field', here, there, 'row and rule'], ...rows], width - 4).map((text) => `    ${text}`)),
  ];
}
