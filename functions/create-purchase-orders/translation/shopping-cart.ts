/**
 * The cart as SRM sends it, with SAP's names, made regular: every field is clean text or absent, every navigation a
 * list. Structure and types are checked here (E_SRC_SCHEMA); the rule of a field checks its content.
 * Source: source-srm7.md, "Fields" and "JSON quirks"; rules.md, "Schema or field" and "Texts".
 */
import * as z from 'zod';
import { asJsonObject, InvalidJson, numberText, parseLenientJson } from '../../../shared/exact-json.ts';
import type { Fault } from '../../../shared/failure.ts';
import { firstFindings } from '../../../shared/recorded-faults.ts';
import { missingRows, rowsOf } from '../../../shared/reading/whole-cart.ts';
import { cleanText, isInitialNumber, NO_GUID, normalGuid, textOf } from '../../../shared/sap-values.ts';

/** As long as the longest text of an order. A longer code would be repeated in each line, and in each of its accounts. */
const LONGEST_CODE = 4000;

/** Text, number (with its digits) or nothing; a boolean, an object or a list breaks the contract. */
const fieldOf = (maximum: number) =>
  z
    // One step, not a check and then a change: a cart of five lines has 400 fields.
    .transform((value: unknown, { issues }) => {
      if (value === undefined || value === null) return undefined;
      const isText = typeof value === 'string' || numberText(value) !== undefined;
      const text = isText ? textOf(value) : undefined;
      if (isText && (text === undefined || text.length <= maximum)) return text;
      const message = isText ? `must have at most ${maximum} characters` : 'must be a text or a number, such as "10"';
      issues.push({ code: 'custom', message, input: value });
      return z.NEVER;
    })
    .optional();
const field = fieldOf(LONGEST_CODE);
/** A text for people, or one that is left out where it is too long. */
const freeText = fieldOf(Number.POSITIVE_INFINITY);

/** ABAP's initial date or time stamp, from a service that does not turn it into null. */
const INITIAL_DATE = /^(0{8}|0{14})$/;

/** A date or an instant as text; its rule parses it. */
const date = field.transform((text) => (text === undefined || INITIAL_DATE.test(text) ? undefined : text));

/** A number kept as text, which ABAP fills with zeros while it is initial. */
const number = field.transform((text) => (text === undefined || isInitialNumber(text) ? undefined : text));

/** A GUID in one form, so that a line finds its outline; another text stays as it came, for its rule to report. */
const guid = field.transform((text) => (text === undefined ? undefined : (normalGuid(text) ?? text)));

/** `X` or blank, or a real boolean (source-srm7.md, "Boolean"); anything else breaks the contract. */
const flag = z
  .custom<unknown>(
    (value) =>
      value === undefined ||
      value === null ||
      typeof value === 'boolean' ||
      (typeof value === 'string' && /^X?$/i.test(cleanText(value))),
    'must be X or blank, or true or false',
  )
  .transform((value) => value === true || textOf(value) !== undefined)
  .optional();

const NO_LIST = 'must be a list, such as {"results":[]}';

/** A collection, with all of its rows. */
const navigation = <Entity extends z.ZodType>(entity: Entity) =>
  z
    .preprocess(
      (value, { issues }) => {
        const message = missingRows(value);
        if (message !== undefined) issues.push({ code: 'custom', message, input: value });
        return Array.isArray(value) ? { results: value } : value;
      },
      z.object({ results: z.array(entity, NO_LIST) }, NO_LIST),
    )
    .transform(({ results }) => results);
const optionalNavigation = <Entity extends z.ZodType>(entity: Entity) =>
  navigation(entity)
    .nullish()
    .transform((rows): z.infer<Entity>[] => rows ?? []);

const each =
  <Schema extends z.ZodType>(schema: Schema) =>
  <Name extends string>(...names: readonly Name[]): Record<Name, Schema> => {
    const shape: Partial<Record<Name, Schema>> = {};
    for (const name of names) shape[name] = schema;
    // oxlint-disable-next-line no-unsafe-type-assertion -- every name was just given its schema
    return shape as Record<Name, Schema>;
  };
const entity = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.object(shape, 'must be an object, such as { "Guid": "..." }');
const fields = each(field);
const freeTexts = each(freeText);
const numbers = each(number);
const dates = each(date);
const flags = each(flag);
const guids = each(guid);

// biome-ignore format: lists of names
const accountAssignment = entity({
  // The sub-number of a main asset is 0000.
  ...fields('AccNo', 'AccCat', 'DistrPerc', 'SubNumber', 'CoArea'),
  ...numbers('GLAcct', 'CostCtr', 'OrderNo', 'WbsElem', 'Asset', 'Network', 'Activity', 'ProfitCtr'),
  ...flags('DelInd'),
});
const partner = entity({
  ...fields('PartnerFct', 'Street', 'HouseNo', 'PostlCod1', 'City', 'Region', 'Country'),
  ...freeTexts('Name'),
});
const text = entity({ ...fields('Tdid', 'Language'), ...freeTexts('Text') });
const attachment = entity({
  ...fields('Guid'),
  ...freeTexts('FileName', 'MimeType', 'SizeBytes'),
  ...flags('InternalOnly'),
});

/** These fields decide whether an item is ordered. Of an item that is not ordered, nothing else is checked. */
export const itemFlags = entity({ ...fields('Status'), ...flags('OutlineInd', 'DelInd') });

/** An outline row is no line of an order; its lines stand below it. */
const outline = entity({ ...guids('Guid', 'ParentGuid'), ...freeTexts('Description') });

// biome-ignore format: lists of names
export const item = entity({
  ...guids('Guid', 'ParentGuid'),
  ...fields(
    'NumberInt', 'ProductType', 'CategoryId', 'PartnerProd', 'ManuProd',
    'Quantity', 'Unit', 'Price', 'PriceUnit', 'Value', 'Currency', 'TaxCode', 'TaxValue', 'Limit', 'ExpValue',
    'IncotermKey', 'IncotermLoc', 'Status',
  ),
  ...freeTexts('Description', 'VendorName'),
  ...numbers('OrderedProd', 'VendorId', 'CtrId', 'CtrItem', 'ExtDemid', 'ExtDemPosid', 'BeObjectId'),
  ...dates('DelivDate', 'StartDate', 'EndDate'),
  ...flags('LimitInd', 'Unlimited'),
  Accounting: optionalNavigation(accountAssignment),
  Partners: optionalNavigation(partner),
  Texts: optionalNavigation(text),
});

// biome-ignore format: lists of names
export const shoppingCart = entity({
  ...numbers('ObjectId'),
  ...fields(
    'DescrLanguage', 'CreatedBy', 'ApprovedBy', 'Status', 'Currency', 'TotalValue', 'CoCode', 'ProcOrg', 'ProcGroup',
    'PmntTrms', 'VersionType', 'RequesterId',
  ),
  ...freeTexts('Description', 'ApproverEmail', 'RequesterName', 'RequesterEmail'),
  ...dates('PostingDate', 'ChangedAt', 'ApprovedAt'),
  ...flags('DelInd'),
  Guid: z.string(NO_GUID).overwrite(cleanText).min(1, NO_GUID),
  Items: navigation(z.unknown()),
  Partners: optionalNavigation(partner),
  Texts: optionalNavigation(text),
  Attachments: optionalNavigation(attachment),
});

export type ShoppingCart = z.infer<typeof shoppingCart>;
export type ShoppingCartItem = z.infer<typeof item>;
export type ItemFlags = z.infer<typeof itemFlags>;
export type Outline = z.infer<typeof outline>;
export type AccountAssignment = ShoppingCartItem['Accounting'][number];
export type Partner = ShoppingCart['Partners'][number];
export type Attachment = ShoppingCart['Attachments'][number];
export type CartText = ShoppingCart['Texts'][number];
/** A field of any of these, by SAP's name. */
export type SourceField =
  | keyof ShoppingCart
  | keyof ShoppingCartItem
  | keyof AccountAssignment
  | keyof Partner
  | keyof Attachment
  | keyof CartText;

/** The value, or every breach of the contract with its JSON path. */
export type Read<Value> = { readonly value: Value } | { readonly faults: readonly Fault[] };

function read<Schema extends z.ZodType>(schema: Schema, source: unknown, path: string): Read<z.infer<Schema>> {
  const parsed = schema.safeParse(source);
  if (parsed.success) return { value: parsed.data };
  const faults = parsed.error.issues.map(
    (issue): Fault => ({
      code: 'E_SRC_SCHEMA',
      message: `the source row breaks the contract: ${issue.message}`,
      path: path + jsonPath(issue.path),
    }),
  );
  return { faults: firstFindings(faults) };
}

const jsonPath = (path: readonly PropertyKey[]): string =>
  path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');

/** The header and its navigations; the items stay as they came. */
export function readShoppingCart(source: unknown): Read<ShoppingCart> {
  const reason = typeof source === 'string' ? reasonOfText(source) : undefined;
  if (reason === undefined) return read(shoppingCart, source, '$');
  return { faults: [{ code: 'E_SRC_SCHEMA', message: `the source row is ${reason}`, path: '$' }] };
}

/** A row that was no JSON was queued as its text. */
function reasonOfText(text: string): string | undefined {
  try {
    parseLenientJson(text);
    return undefined;
  } catch (error) {
    if (error instanceof InvalidJson) return error.message;
    throw error;
  }
}

export const readItemFlags = (source: unknown, path: string): Read<ItemFlags> => read(itemFlags, source, path);

export const readOutline = (source: unknown, path: string): Read<Outline> => read(outline, source, path);

export const readItem = (source: unknown, path: string): Read<ShoppingCartItem> => read(item, source, path);

/** Properties of the contract that the mapping does not use; anything beyond them and the schema is drift. */
// biome-ignore format: lists of names
export const UNUSED_PROPERTIES: ReadonlySet<string> = new Set([
  '__metadata', 'Guid', 'ProcessType', 'CreatedAt', 'ChangedBy', 'Tzone', 'StatusText', 'TotalTax', 'VersionNo', 'DocClosed',
  'ItmType', 'OutlineInd', 'DelInd', 'SourceRelInd', 'BeLogSystem', 'BeObjectType', 'BeObjItem', 'BusArea', 'FuncArea',
  'PartnerNo', 'Email', 'Tel', 'ContentUri',
]);

/** An entity of the contract: its properties and its navigations. */
interface Entity {
  readonly shape: object;
  readonly parts: Readonly<Record<string, Entity>>;
}
const entityOf = ({ shape }: z.ZodObject, parts: Entity['parts'] = {}): Entity => ({ shape, parts });
const common = { Partners: entityOf(partner), Texts: entityOf(text) };
const cartEntity = entityOf(shoppingCart, {
  ...common,
  Attachments: entityOf(attachment),
  Items: entityOf(item, { ...common, Accounting: entityOf(accountAssignment) }),
});

/** How many properties of the cart and of its navigations the contract does not know (edge case 85). */
export const countUnknownProperties = (source: unknown): number => unknownIn(source, cartEntity);

function unknownIn(source: unknown, { shape, parts }: Entity): number {
  const row = asJsonObject(source) ?? {};
  const own = Object.keys(row).filter((name) => !UNUSED_PROPERTIES.has(name) && !Object.hasOwn(shape, name)).length;
  return Object.entries(parts)
    .flatMap(([name, part]) => rowsOf(row[name]).map((entry) => unknownIn(entry, part)))
    .reduce((total, count) => total + count, own);
}

/** The items, read even from a malformed row. */
export const itemsOf = (source: unknown): readonly unknown[] => rowsOf(asJsonObject(source)?.['Items']);
