/** A preview for a spreadsheet: one row for each field, fault, warning, skip and dropped line. */
import { type Fault, faultPlace, type Warning } from '../../shared/failure.ts';
import type { CartDifference } from './compare-carts.ts';
import { BYTE_ORDER_MARK, csvText, quoted } from '../csv.ts';
import { adviceOf } from './finding-words.ts';
import type { CartPreview, GroupPreview } from './preview-cart.ts';
import { fieldName, lineName, sectionsOf } from './source-words.ts';
import type { Preview } from './summary.ts';

const COLUMNS = [
  'cart',
  'order',
  'line',
  'what',
  'field',
  'value',
  'source field',
  'source value',
  'mapping row',
  'rule',
  'mandatory',
  'code',
  'message',
  'what to do',
];
const AGAINST_COLUMNS = ['cart', 'what', 'supplier', 'field'];

type Cell = string | undefined;
type Row = Readonly<Record<string, Cell>>;

export function asCsv({ carts, environment, against }: Preview): string {
  if (against === undefined) return table(COLUMNS, carts.flatMap(cartRows));
  const columns = [...AGAINST_COLUMNS, environment, against.environment, 'mapping row', 'rule', 'code', 'message'];
  return table(
    columns,
    against.differences.flatMap((difference) => differenceRows(difference, environment, against.environment)),
  );
}

/** With a byte order mark, or Excel takes UTF-8 for the code page of its machine. */
const table = (columns: readonly string[], rows: readonly Row[]): string =>
  BYTE_ORDER_MARK + csvText([columns, ...rows.map((row) => columns.map((name) => row[name] ?? ''))], asShown);

/** Excel takes no longer text in a formula. */
const LONGEST_FORMULA_TEXT = 255;

/** Calculated when a spreadsheet opens the file. */
const FORMULA = /^\s*[=+\-@\t\r]/;
/** Numbers and dates of all countries; also MAR1 and 1-DEZ. */
const CONVERTED =
  /^[\d\s.,:/eE+-]*\d[\d\s.,:/eE+-]*$|^\p{L}{3,9}[-/ .]?\d{1,4}$|^\d{1,4}[-/ .]?\p{L}{3,9}([-/ .]?\d{1,4})?$/u;
/** Short numbers lose nothing. */
const PLAIN = /^(0|[1-9]\d{0,2})$/;

/**
 * A spreadsheet drops the zeros of 0000615200, writes 4400001234567890 as 4.4E+15, takes 10-2027 for a month, and
 * calculates =1+1. As ="..." each of them is a text that is shown as it is, and that no formula in it can leave.
 */
function asShown(text: string): string {
  const isAtRisk = FORMULA.test(text) || (CONVERTED.test(text) && !PLAIN.test(text));
  if (isAtRisk && text.length <= LONGEST_FORMULA_TEXT && !/[\r\n]/.test(text)) return `=${quoted(text)}`;
  // So long a text is no code: it may carry a mark.
  return FORMULA.test(text) ? `'${text}` : text;
}

function cartRows(cart: CartPreview): Row[] {
  const own = { cart: cart.number ?? cart.guid };
  return [
    ...(cart.reason === undefined ? [] : [{ ...own, what: 'skipped', message: cart.reason }]),
    ...cart.notes.map((message) => ({ ...own, what: 'note', message })),
    ...[...cart.faults, ...cart.warnings].map((finding) => findingRow(finding, own)),
    ...cart.droppedLines.map((line) => ({
      ...own,
      line: lineName(line),
      what: 'line not ordered',
      message: line.reason,
    })),
    ...cart.groups.flatMap((group) => groupRows(group, own)),
  ];
}

function groupRows(group: GroupPreview, cart: Row): Row[] {
  const own = { ...cart, order: group.externalId };
  return [
    ...[...group.faults, ...group.warnings].map((finding) => findingRow(finding, own)),
    ...sectionsOf(group).flatMap((section) =>
      section.fields.map((field) => ({
        ...own,
        line: section.line === undefined ? '' : lineName(section.line),
        what: field.value === undefined ? 'not filled' : field.origin,
        field: fieldName(field),
        value: field.value === undefined ? '' : String(field.value),
        'source field': field.sources.map(({ path }) => path).join('\n'),
        'source value': field.sources.map(({ value }) => value).join('\n'),
        'mapping row': String(field.row),
        rule: field.rule,
        mandatory: field.mandatory,
      })),
    ),
  ];
}

function findingRow(finding: Fault | Warning, own: Row): Row {
  const advice = adviceOf(finding);
  return {
    ...own,
    line: finding.line,
    what: advice === undefined ? 'warning' : 'fault',
    field: finding.field,
    'source field': finding.path,
    'source value': finding.value,
    code: finding.code,
    message: finding.message,
    'what to do': advice,
  };
}

function differenceRows(difference: CartDifference, here: string, there: string): Row[] {
  const own = { cart: difference.number ?? difference.guid };
  const fault = (one: Fault, environment: string): Row => ({
    ...own,
    what: 'fault',
    field: one.field,
    [environment]: one.code,
    code: one.code,
    message: one.message + faultPlace(one),
  });
  return [
    ...(difference.here === difference.there
      ? []
      : [{ ...own, what: 'outcome', [here]: difference.here, [there]: difference.there }]),
    ...difference.orders.flatMap(({ supplier, linesOnlyHere, linesOnlyThere, fields }) => [
      ...(linesOnlyHere.length + linesOnlyThere.length === 0
        ? []
        : [{ ...own, what: 'lines', supplier, [here]: linesOnlyHere.join(' '), [there]: linesOnlyThere.join(' ') }]),
      ...fields.map((field) => ({
        ...own,
        what: 'field',
        supplier,
        field: field.field,
        [here]: field.here === undefined ? '' : String(field.here),
        [there]: field.there === undefined ? '' : String(field.there),
        'mapping row': String(field.row),
        rule: field.rule,
      })),
    ]),
    ...difference.faultsOnlyHere.map((one) => fault(one, here)),
    ...difference.faultsOnlyThere.map((one) => fault(one, there)),
  ];
}
