/**
 * The cart as SRM sends it, with SAP's names, made regular: every field is clean text or absent, every navigation a
 * list. Structure and types are judged here (E_SRC_SCHEMA); the content of a field is its rule's to judge.
 * Source: source-srm7.md, "Fields" and "JSON quirks"; rules.md, "Schema or field", "Texts".
 */
import * as z from 'zod';
import { asJsonObject, numberText } from '../../../shared/exact-json.ts';
import type { Fault } from '../../../shared/failure.ts';
import { cleanText } from './text.ts';

/** Text, number (with its digits), flag or nothing; an object or a list breaks the contract. */
const field = z
  .custom<unknown>(
    (value) =>
      value === undefined ||
      value === null ||
      typeof value === 'string' ||
      typeof value === 'boolean' ||
      numberText(value) !== undefined,
    'must be text',
  )
  .transform((value): string | undefined => {
    if (typeof value === 'boolean') return value ? 'X' : undefined;
    const text = typeof value === 'string' ? value : numberText(value);
    const clean = text === undefined ? '' : cleanText(text);
    return clean === '' ? undefined : clean;
  })
  .optional();

/** `{"results":[..]}` or, from some V1-style services, the list itself. */
const navigation = <Entity extends z.ZodType>(entity: Entity) =>
  z
    .preprocess(
      (value) => (Array.isArray(value) ? { results: value } : value),
      z.object({ results: z.array(entity, 'must be a list') }, 'must be a list'),
    )
    .transform(({ results }) => results);
const optionalNavigation = <Entity extends z.ZodType>(entity: Entity) =>
  navigation(entity)
    .nullish()
    .transform((rows): z.infer<Entity>[] => rows ?? []);

const fields = <Name extends string>(...names: readonly Name[]): Record<Name, typeof field> => {
  const shape: Partial<Record<Name, typeof field>> = {};
  for (const name of names) shape[name] = field;
  // oxlint-disable-next-line no-unsafe-type-assertion -- every name was just given its field
  return shape as Record<Name, typeof field>;
};

// biome-ignore format: lists of names
const accountAssignment = z.object(fields(
  'AccNo', 'AccCat', 'DistrPerc', 'GLAcct', 'CostCtr', 'OrderNo', 'WbsElem', 'Asset', 'SubNumber', 'Network',
  'Activity', 'ProfitCtr', 'CoArea', 'DelInd',
));
const partner = z.object(fields('PartnerFct', 'Name', 'Street', 'HouseNo', 'PostlCod1', 'City', 'Region', 'Country'));
const text = z.object(fields('Tdid', 'Language', 'Text'));
const attachment = z.object(fields('Guid', 'FileName', 'MimeType', 'SizeBytes', 'InternalOnly'));

/** What decides whether an item is ordered; an item that is not is judged by nothing else. */
const itemFlags = z.object(fields('Guid', 'ParentGuid', 'OutlineInd', 'Description', 'Status', 'DelInd'));

// biome-ignore format: lists of names
const item = z.object({
  ...fields(
    'Guid', 'ParentGuid', 'NumberInt', 'ProductType', 'OrderedProd', 'Description', 'CategoryId', 'PartnerProd',
    'ManuProd', 'Quantity', 'Unit', 'Price', 'PriceUnit', 'Value', 'Currency', 'TaxCode', 'TaxValue', 'DelivDate',
    'StartDate', 'EndDate', 'LimitInd', 'Limit', 'Unlimited', 'ExpValue', 'VendorId', 'VendorName', 'CtrId', 'CtrItem',
    'ExtDemid', 'ExtDemPosid', 'IncotermKey', 'IncotermLoc', 'Status', 'BeObjectId',
  ),
  Accounting: optionalNavigation(accountAssignment),
  Partners: optionalNavigation(partner),
  Texts: optionalNavigation(text),
});

// biome-ignore format: lists of names
const shoppingCart = z.object({
  ...fields(
    'ObjectId', 'Description', 'DescrLanguage', 'PostingDate', 'CreatedBy', 'ChangedAt', 'ApprovedAt', 'ApprovedBy',
    'ApproverEmail', 'Status', 'Currency', 'TotalValue', 'CoCode', 'ProcOrg', 'ProcGroup', 'PmntTrms', 'VersionType',
    'DelInd', 'RequesterId', 'RequesterName', 'RequesterEmail',
  ),
  Guid: z.string('must be a GUID').min(1, 'must be a GUID'),
  Items: navigation(z.unknown()),
  Partners: optionalNavigation(partner),
  Texts: optionalNavigation(text),
  Attachments: optionalNavigation(attachment),
});

export type ShoppingCart = z.infer<typeof shoppingCart>;
export type ShoppingCartItem = z.infer<typeof item>;
export type ItemFlags = z.infer<typeof itemFlags>;
export type AccountAssignment = ShoppingCartItem['Accounting'][number];
export type Partner = ShoppingCart['Partners'][number];
export type CartText = ShoppingCart['Texts'][number];

/** What was read, or every way in which it breaks the contract: by its JSON path, without the value, which may be personal. */
export type Read<Value> = { readonly value: Value } | { readonly faults: readonly Fault[] };

function read<Schema extends z.ZodType>(schema: Schema, source: unknown, path: string): Read<z.infer<Schema>> {
  const parsed = schema.safeParse(source);
  if (parsed.success) return { value: parsed.data };
  return {
    faults: parsed.error.issues.map((issue) => ({
      code: 'E_SRC_SCHEMA',
      message: `the source row breaks the contract: ${issue.message}`,
      path: path + jsonPath(issue.path),
    })),
  };
}

const jsonPath = (path: readonly PropertyKey[]): string =>
  path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');

/** The header and what hangs on it; its items are left as they came. */
export const readShoppingCart = (source: unknown): Read<ShoppingCart> => read(shoppingCart, source, '$');

export const readItemFlags = (source: unknown, path: string): Read<ItemFlags> => read(itemFlags, source, path);

export const readItem = (source: unknown, path: string): Read<ShoppingCartItem> => read(item, source, path);

/** Properties of the contract that the mapping does not use; anything beyond them and the schema is drift. */
// biome-ignore format: lists of names
const UNUSED = new Set([
  '__metadata', 'ProcessType', 'CreatedAt', 'ChangedBy', 'Tzone', 'StatusText', 'TotalTax', 'VersionNo', 'DocClosed',
  'ItmType', 'OutlineInd', 'DelInd', 'SourceRelInd', 'BeLogSystem', 'BeObjectType', 'BeObjItem', 'BusArea', 'FuncArea',
  'PartnerNo', 'Email', 'Tel', 'ContentUri',
]);

/** How many properties of the header and its items the contract does not know (edge case 85). */
export function countUnknownProperties(source: unknown): number {
  const unknownIn = (entity: unknown, shape: object): number =>
    Object.keys(asJsonObject(entity) ?? {}).filter((name) => !UNUSED.has(name) && !Object.hasOwn(shape, name)).length;
  const items = rowsOf(asJsonObject(source)?.['Items']);
  return items.reduce<number>(
    (count, entity) => count + unknownIn(entity, item.shape),
    unknownIn(source, shoppingCart.shape),
  );
}

/** True where SRM sent a link instead of the data (edge case 84): the row must be read again, expanded. */
export function isDeferred(source: unknown): boolean {
  const row = asJsonObject(source);
  const links = (entity: unknown, names: readonly string[]): boolean =>
    names.some((name) => asJsonObject(asJsonObject(entity)?.[name])?.['__deferred'] !== undefined);
  if (links(row, ['Items', 'Partners', 'Texts', 'Attachments'])) return true;
  return rowsOf(row?.['Items']).some((entity) => links(entity, ['Accounting', 'Partners', 'Texts']));
}

function rowsOf(collection: unknown): readonly unknown[] {
  const rows = Array.isArray(collection) ? collection : asJsonObject(collection)?.['results'];
  return Array.isArray(rows) ? rows : [];
}
