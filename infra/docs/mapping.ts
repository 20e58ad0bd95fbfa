/** The mapping spreadsheet, printed from the rule tables that do the translation. */
import * as z from 'zod';
import { canonicalBody, idempotencyKey } from '../../functions/create-purchase-orders/translation/order-content.ts';
import { orderRules } from '../../functions/create-purchase-orders/translation/order-rules.ts';
import { purchaseOrderSchema } from '../../functions/create-purchase-orders/translation/purchase-order.ts';
import {
  type RuleRow,
  type Spreadsheet,
  spreadsheetOf,
} from '../../functions/create-purchase-orders/translation/rule-table.ts';
import { type CodeMap, type ValueMaps, valueMapsSchema } from '../../shared/translation-settings.ts';
import { type Json, toJson } from './json-text.ts';
import { csvText, GENERATED, markdownText } from './markdown.ts';
import { firstAt, parseSample, readSample, textAt } from './samples.ts';

export interface MappingRow extends Omit<RuleRow, 'source'> {
  /** As printed. */
  readonly source: string;
  /** `lines[].accounting[].amount` */
  readonly target: string;
  /** Of the sample order; empty where it has none. */
  readonly example: string;
}

const COLUMNS = ['row', 'target', 'source', 'rule', 'mandatory', 'code on failure', 'example'];

/** One table serves both addresses and names the row of the first; this is the row of the second. */
const OTHER_ROWS: Readonly<Record<string, { readonly row: number; readonly note: string }>> = {
  'lines[].deliverTo': { row: 55, note: 'when different from deliveryAddress' },
};

/** Every field of the order, in the order of the rule tables, and the two headers that carry it. */
export function mappingRows(): MappingRow[] {
  const order = readSample('11vms-purchase-order.json');
  const fields = fieldsOf(spreadsheetOf(orderRules), toJson(z.toJSONSchema(purchaseOrderSchema)), []);
  return [
    ...fields.map(({ path, rule }) => ({
      ...rule,
      source: rule.source.length === 0 ? '-' : rule.source.join(', '),
      target: path.map(({ name, isList }) => (isList ? `${name}[]` : name)).join('.'),
      example: exampleText(
        firstAt(
          order,
          path.map(({ name }) => name),
        ),
      ),
    })),
    ...headerRows(),
  ];
}

interface Step {
  readonly name: string;
  readonly isList: boolean;
}

/** The target's schema tells a list from an object; the rules of both look alike. */
function fieldsOf(
  rules: Spreadsheet,
  schema: Json | undefined,
  above: readonly Step[],
): { readonly path: readonly Step[]; readonly rule: RuleRow }[] {
  return Object.entries(rules).flatMap(([name, rule]) => {
    const own = firstAt(schema, ['properties', name]);
    const items = firstAt(own, ['items']);
    const path = [...above, { name, isList: items !== undefined }];
    return isRow(rule) ? [{ path, rule: withOtherRow(rule, above) }] : fieldsOf(rule, items ?? own, path);
  });
}

const isRow = (rule: RuleRow | Spreadsheet): rule is RuleRow => typeof rule['row'] === 'number';

function withOtherRow(rule: RuleRow, above: readonly Step[]): RuleRow {
  const place = above.map(({ name, isList }) => (isList ? `${name}[]` : name)).join('.');
  const other = OTHER_ROWS[place];
  if (other === undefined || rule.row === other.row) return rule;
  return { ...rule, row: other.row, rule: `${rule.rule}; ${other.note}` };
}

/** The example on one line. */
function exampleText(value: Json | undefined): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? JSON.stringify(value).slice(1, -1) : JSON.stringify(value);
}

/** Mapping rows 65 and 66 are headers, which the worker sets on the call. */
function headerRows(): MappingRow[] {
  const order = parseSample('11vms-purchase-order.json', purchaseOrderSchema);
  const guid = textAt('srm7-shopping-carts.json', 'd', 'results', 'Guid');
  return [
    {
      row: 65,
      target: '(header) Idempotency-Key',
      source: 'externalId, externalRevision, the canonical body',
      rule: 'UUIDv5 of externalId, revision and SHA-256 of the body (RFC 8785), in quotes',
      mandatory: 'M',
      codes: [],
      example: `"${idempotencyKey(order, canonicalBody(order))}"`,
    },
    {
      row: 66,
      target: '(header) X-Correlation-ID',
      source: 'run id, Guid',
      rule: '{run id}/{Guid as SRM sent it}; also in every log line of the cart',
      mandatory: 'M',
      codes: [],
      example: `{run id}/${guid}`,
    },
  ];
}

const cells = (row: MappingRow): string[] => [
  String(row.row),
  row.target,
  row.source,
  row.rule,
  row.mandatory,
  row.codes.join(', '),
  row.example,
];

export const mappingCsv = (): string => csvText([COLUMNS, ...mappingRows().map(cells)]);

export function mappingMarkdown(): string {
  return `# Mapping: shopping cart of SAP SRM 7 to purchase order of 11VMS

${GENERATED}
The rules are the code beside this file; \`mapping.csv\` is the same table for a spreadsheet.

- **source**: properties of the cart or its item, with SAP's names; \`-\` where the interface makes the value.
- **rule**: COPY as it stands; TRIM; ALPHA- drops leading zeros of all-digit values; SCALE to the decimals of the
  currency; LOOKUP in a value map of the environment.
- **mandatory**: M always, O optional, C by condition, cfg by configuration. What is missing and optional is left out.
- **code on failure**: what it means and what to do stands in \`shared/contract/errors.md\`. A fault of one order does not
  hold back the other orders of its cart, and all faults of a cart are reported at once.
  Beside them: an identifier or code that is longer than 11VMS allows is E_FIELD_LENGTH (texts for people are cut), a row
  whose structure breaks the contract E_SRC_SCHEMA, a cart whose status is in no value map E_MAP_STATUS, an order with too
  many lines or bytes E_TGT_TOO_LARGE.
- **example**: from the sample order; empty where the sample has none.

${markdownText(COLUMNS, mappingRows().map(cells))}

## Value maps

The defaults; an environment adds to a map, or replaces it whole (\`extend\`). A code that is not listed is refused, except
where the mode is \`identity\`: there it passes through unchanged.

${markdownText(
  ['map', 'codes'],
  Object.entries(defaultMaps()).map(([name, map]) => [name, mapText(map)]),
)}
`;
}

/** One map has no default: each environment gives its own. */
function defaultMaps(): CodeMaps {
  const placeholder = 'of the environment';
  const { extend: _, ...maps } = valueMapsSchema.parse({ businessUnit: { CoCode: placeholder } });
  return maps;
}

type CodeMaps = Omit<ValueMaps, 'extend'>;
type ValueMap = CodeMaps[keyof CodeMaps];
const isCodeMap = (map: ValueMap): map is CodeMap => 'mode' in map;

/** ISO's lists are long and known: only the differences from them are printed. */
function mapText(map: ValueMap): string {
  if (isCodeMap(map)) return map.mode === 'identity' ? 'identity' : pairs(map.codes);
  const own = Object.entries(map).filter(([key, code]) => key !== code);
  const isIso = Object.keys(map).length > 100;
  if (!isIso) return pairs(map);
  return typeof own[0]?.[1] === 'number'
    ? `the ${own.length} currencies of ISO 4217, with their decimals`
    : `the ${Object.keys(map).length - own.length} countries of ISO 3166-1, and ${pairs(Object.fromEntries(own))}`;
}

const pairs = (map: object): string =>
  Object.entries(map)
    .map(([key, code]) => `${key} -> ${String(code)}`)
    .join(', ');
