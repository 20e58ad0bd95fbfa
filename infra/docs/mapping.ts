/** The mapping spreadsheet, printed from the rule tables that do the translation. */
import * as z from 'zod';
import { canonicalBody, idempotencyKey } from '../../functions/create-purchase-orders/translation/order-content.ts';
import { orderRules } from '../../functions/create-purchase-orders/translation/order-rules.ts';
import {
  decimal,
  percentage,
  purchaseOrderSchema,
} from '../../functions/create-purchase-orders/translation/purchase-order.ts';
import {
  type RuleRow,
  type Spreadsheet,
  spreadsheetOf,
} from '../../functions/create-purchase-orders/translation/rule-table.ts';
import { type CodeMap, type ValueMaps, valueMapsSchema } from '../../shared/translation-settings.ts';
import { BYTE_ORDER_MARK, csvText } from '../csv.ts';
import { isJsonObject, isList, type Json, type JsonObject, toJson } from './json-text.ts';
import { GENERATED, markdownText } from './markdown.ts';
import { firstAt, parseSample, readSample, textAt } from './samples.ts';
import { selectionText, statusRows } from './selection.ts';
import { EDM_TYPES, isFilled, NAVIGATIONS, sampleRows } from './srm7-fields.ts';

/** A field of SRM. */
export interface MappingSource {
  readonly entity: string;
  readonly field: string;
}

export interface MappingRow extends Omit<RuleRow, 'source'> {
  /** Empty where the interface makes the value. */
  readonly sources: readonly MappingSource[];
  /** `lines[].accounting[].amount` */
  readonly target: string;
  /** With its length. */
  readonly type: string;
  /** Of the sample cart, as SRM sends it. */
  readonly sourceExample: string;
  /** What the sample cart becomes; empty where the sample has none. */
  readonly example: string;
}

/** Column name to cell. */
const COLUMNS: Readonly<Record<string, (row: MappingRow) => string>> = {
  row: ({ row }) => String(row),
  target: ({ target }) => target,
  'target type': ({ type }) => type,
  source: ({ sources }) => sources.map(({ entity, field }) => `${entity}.${field}`).join(', '),
  'source type': ({ sources }) => [...new Set(sources.map(sourceType))].join(', '),
  rule: ({ rule }) => rule,
  mandatory: ({ mandatory }) => mandatory,
  'code on failure': ({ codes }) => codes.join(', '),
  'example in SRM': ({ sourceExample }) => sourceExample,
  'becomes in 11VMS': ({ example }) => example,
};

/** One table serves both addresses and names the row of the first; this is the row of the second. */
const OTHER_ROWS: Readonly<Record<string, { readonly row: number; readonly note: string }>> = {
  'lines[].deliverTo': { row: 55, note: 'when different from deliveryAddress' },
};

export interface MappedField {
  /** `lines[].accounting[].amount` */
  readonly target: string;
  readonly path: readonly Step[];
  /** In the JSON Schema of the order. */
  readonly schema: Json | undefined;
  readonly rule: RuleRow;
}

/** Every field of the order, in the order of the rule tables. */
export const mappedFields = (): MappedField[] =>
  fieldsOf(spreadsheetOf(orderRules), toJson(z.toJSONSchema(purchaseOrderSchema)), []).map((field) => ({
    ...field,
    target: targetOf(field.path),
  }));

const targetOf = (path: readonly Step[]): string =>
  path.map(({ name, isList }) => (isList ? `${name}[]` : name)).join('.');

/** Every field of the order, and the two headers that carry it. */
export function mappingRows(): MappingRow[] {
  const order = readSample('11vms-purchase-order.json');
  return [
    ...mappedFields().map(({ target, path, schema, rule: { source, ...rule } }) => {
      const sources = source.flatMap((field) => entitiesOf(field, target).map((entity) => ({ entity, field })));
      const found = findFirst(
        order,
        path.map(({ name }) => name),
      );
      return {
        ...rule,
        sources,
        target,
        type: typeText(schema),
        sourceExample: found === undefined ? '' : sourceExample(sources, found.indexes),
        example: exampleText(found?.value),
      };
    }),
    ...headerRows(),
  ];
}

/** Where a field of SRM stands, by the part of the order that it goes to: the first entity that has the field. */
const ENTITIES: readonly (readonly [target: RegExp, entities: readonly string[]])[] = [
  [/^lines\[\]\.accounting/, ['AccountAssignment', 'ShoppingCart']],
  [/^(deliveryAddress|lines\[\]\.deliverTo)/, ['Partner']],
  [/^notes/, ['Text']],
  [/^attachments/, ['Attachment']],
  [/^lines/, ['ShoppingCartItem', 'ShoppingCart']],
  [/./, ['ShoppingCart', 'ShoppingCartItem']],
];

/** These take the currency of the item, and where it has none that of the cart. */
const CURRENCY_OF_BOTH = ['externalId', 'currency'];

/** @throws {Error} when no entity has the field. */
function entitiesOf(field: string, target: string): readonly string[] {
  if (field === 'Currency' && CURRENCY_OF_BOTH.includes(target)) return ['ShoppingCartItem', 'ShoppingCart'];
  const [, entities = []] = ENTITIES.find(([pattern]) => pattern.test(target)) ?? [];
  const entity = entities.find(
    (name) => Object.hasOwn(EDM_TYPES[name] ?? {}, field) || Object.hasOwn(NAVIGATIONS, field),
  );
  if (entity === undefined) throw new Error(`infra/docs/mapping.ts: no entity of ${target} has the field ${field}`);
  return [entity];
}

const sourceType = ({ entity, field }: MappingSource): string =>
  EDM_TYPES[entity]?.[field]?.replace('Flag', 'String(1)') ?? `list of ${NAVIGATIONS[field] ?? ''}`;

interface Found {
  readonly value: Json;
  /** The positions in the lists on the way. */
  readonly indexes: readonly number[];
}

/** The first value at a path, where a list stands for its elements in turn. */
function findFirst(json: Json | undefined, path: readonly string[]): Found | undefined {
  if (isList(json)) {
    for (const [index, element] of json.entries()) {
      const found = findFirst(element, path);
      if (found !== undefined) return { ...found, indexes: [index, ...found.indexes] };
    }
    return undefined;
  }
  const [name, ...rest] = path;
  if (name === undefined) return json === undefined ? undefined : { value: json, indexes: [] };
  return isJsonObject(json) ? findFirst(json[name], rest) : undefined;
}

/** The values in the rows from which the example of the order comes: of the same line and the same part of it. */
function sourceExample(sources: readonly MappingSource[], [line, part]: readonly number[]): string {
  const examples = sources.map(({ entity, field }) => {
    const [cart] = sampleRows('ShoppingCart');
    const item = sampleRows('ShoppingCartItem')[line ?? 0];
    const rows: Readonly<Record<string, readonly (Json | undefined)[]>> = {
      ShoppingCart: [cart],
      ShoppingCartItem: line === undefined ? sampleRows('ShoppingCartItem') : [item],
      AccountAssignment: [resultsOf(item, 'Accounting')[part ?? 0]],
      Text: [resultsOf(cart, 'Texts')[line ?? 0]],
      Attachment: [resultsOf(cart, 'Attachments')[line ?? 0]],
    };
    const values = (rows[entity] ?? sampleRows(entity)).map((row) =>
      Object.hasOwn(NAVIGATIONS, field) ? findFirst(resultsOf(row, field), ['Text'])?.value : fieldOf(row, field),
    );
    return exampleText(values.find(isFilled)) || '(empty)';
  });
  return examples.join('; ');
}

const fieldOf = (row: Json | undefined, name: string): Json | undefined => (isJsonObject(row) ? row[name] : undefined);

function resultsOf(row: Json | undefined, navigation: string): readonly Json[] {
  const owner = fieldOf(row, navigation);
  const results = isJsonObject(owner) ? owner['results'] : undefined;
  return isList(results) ? results : [];
}

/** What 11VMS takes, in words. */
function typeText(schema: Json | undefined): string {
  const {
    type,
    const: constant,
    enum: words,
    format,
    pattern,
    minLength,
    maxLength,
    minimum,
  } = isJsonObject(schema) ? schema : ({} satisfies JsonObject);
  if (constant !== undefined) return `always ${exampleText(constant)}`;
  if (isList(words)) return `one of ${words.map(exampleText).join(', ')}`;
  if (type === 'integer') return `whole number of at least ${exampleText(minimum)}`;
  if (format === 'date') return 'date, YYYY-MM-DD';
  if (format === 'date-time') return 'instant in UTC, YYYY-MM-DDThh:mm:ssZ';
  if (typeof pattern === 'string') return PATTERNS[pattern] ?? `text, ${pattern}`;
  if (maxLength === undefined) return 'text';
  return `text of ${minLength === maxLength ? '' : 'at most '}${exampleText(maxLength)} characters`;
}

const PATTERNS: Readonly<Record<string, string>> = {
  [String(z.toJSONSchema(decimal).pattern)]: 'decimal, at most 13 digits and 4 decimals',
  [String(z.toJSONSchema(percentage).pattern)]: 'decimal, at most 3 digits and 2 decimals',
  '^[A-Z]{2}$': 'text of 2 capital letters',
  '^[A-Z]{3}$': 'text of 3 capital letters',
};

interface Step {
  readonly name: string;
  readonly isList: boolean;
}

/** The target's schema tells a list from an object; the rules of both look alike. */
function fieldsOf(
  rules: Spreadsheet,
  schema: Json | undefined,
  above: readonly Step[],
): { readonly path: readonly Step[]; readonly schema: Json | undefined; readonly rule: RuleRow }[] {
  return Object.entries(rules).flatMap(([name, rule]) => {
    const own = firstAt(schema, ['properties', name]);
    const items = firstAt(own, ['items']);
    const path = [...above, { name, isList: items !== undefined }];
    return isRow(rule) ? [{ path, schema: own, rule: withOtherRow(rule, above) }] : fieldsOf(rule, items ?? own, path);
  });
}

const isRow = (rule: RuleRow | Spreadsheet): rule is RuleRow => typeof rule['row'] === 'number';

function withOtherRow(rule: RuleRow, above: readonly Step[]): RuleRow {
  const other = OTHER_ROWS[targetOf(above)];
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
      type: 'UUID in quotes',
      sources: [],
      sourceExample: '',
      rule: 'UUIDv5 of externalId, revision and SHA-256 of the body (RFC 8785), in quotes',
      mandatory: 'M',
      codes: [],
      example: `"${idempotencyKey(order, canonicalBody(order))}"`,
    },
    {
      row: 66,
      target: '(header) X-Correlation-ID',
      type: 'text',
      sources: [{ entity: 'ShoppingCart', field: 'Guid' }],
      sourceExample: guid,
      rule: '{run id}/{Guid as SRM sent it}; also in every log line of the cart',
      mandatory: 'M',
      codes: [],
      example: `{run id}/${guid}`,
    },
  ];
}

const table = (): readonly (readonly string[])[] =>
  mappingRows().map((row) => Object.values(COLUMNS).map((cell) => cell(row)));

export const mappingCsv = (): string => BYTE_ORDER_MARK + csvText([Object.keys(COLUMNS), ...table()]);

export function mappingMarkdown(): string {
  return `# Mapping: shopping cart of SAP SRM 7 to purchase order of 11VMS

${GENERATED}
The rules are the code beside this file; \`mapping.csv\` has the table of the fields for a spreadsheet. All examples are those of
the sample cart and of the order that it becomes (\`shared/contract/samples\`).

## Which carts and lines are ordered, and how a cart is split

${selectionText()}

## What a status means

The default of the value map \`status\`; an environment adds to it, or replaces it. A cart whose status is not listed is
refused (E_MAP_STATUS); a line whose status is not listed is ordered, with a warning.

${markdownText(['status', 'meaning', 'a cart that has it', 'a line that has it'], statusRows(defaultMaps().status))}

## Fields

- **target**: the field of the order; \`[]\` is a list.
- **source**: entity and property, with SAP's names; empty where the interface makes the value. The cart is \`ShoppingCart\`, its line
  \`ShoppingCartItem\`, what a line is charged to \`AccountAssignment\`, the ship-to address \`Partner\`.
- **source type**: as SRM's service declares it: String(10) has at most 10 characters, Decimal(15,3) at most 15 digits, 3 of them
  decimals.
- **rule**: COPY as it stands; TRIM; ALPHA- drops leading zeros of all-digit values; SCALE to the decimals of the
  currency; LOOKUP in a value map of the environment.
- **mandatory**: M always, O optional, C by condition, cfg by configuration. What is missing and optional is left out.
- **code on failure**: what it means and what to do stands in \`shared/contract/errors.md\`. A fault of one order does not
  hold back the other orders of its cart, and all faults of a cart are reported at once.
  Beside them: an identifier or code that is longer than 11VMS allows is E_FIELD_LENGTH (texts for people are cut), a row
  whose structure breaks the contract E_SRC_SCHEMA, a cart whose status is in no value map E_MAP_STATUS, an order with too
  many lines or bytes E_TGT_TOO_LARGE.
- **example in SRM**, **becomes in 11VMS**: empty where the sample has none; \`(empty)\` is a property that SRM sends empty.

${markdownText(Object.keys(COLUMNS), table())}

## Value maps

The defaults; an environment adds to a map, or replaces it whole (\`extend\`). A code that is not listed is refused, except
where the mode is \`identity\`: there it passes through unchanged. The statuses stand above.

${markdownText(['map', 'code in SRM', 'becomes'], Object.entries(defaultMaps()).flatMap(mapRows))}
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

/** A row for each code. ISO's lists are long and known: only the differences from them are printed. */
function mapRows([name, map]: [string, ValueMap]): string[][] {
  if (name === 'status') return [];
  if (isCodeMap(map) && map.mode === 'identity') return [[name, 'any', 'itself']];
  const codes = Object.entries(isCodeMap(map) ? map.codes : map);
  const isIso = codes.length > 100;
  if (isIso && typeof codes[0]?.[1] === 'number')
    return [[name, `the ${codes.length} currencies of ISO 4217`, 'known, with the decimals of ISO 4217']];
  const own = isIso ? codes.filter(([key, code]) => key !== code) : codes;
  return [
    ...(isIso ? [[name, `the ${codes.length - own.length} countries of ISO 3166-1`, 'itself']] : []),
    ...own.map(([key, code]) => [name, key, String(code)]),
  ];
}
