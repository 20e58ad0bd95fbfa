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
      z.object({
        results: z.array(entity),
      }),
    )
    .transform(({ results }) => results);
const optionalNavigation = <Entity extends z.ZodType>(entity: Entity) =>
  z
    .union([z.null(), z.undefined(), navigation(entity)])
    .transform((rows): z.infer<Entity>[] => rows ?? [])
    .optional()
    .default([]);

const fields = <Name extends string>(...names: readonly Name[]): Record<Name, typeof field> => {
  const shape: Partial<Record<Name, typeof field>> = {};
  for (const name of names) shape[name] = field;
  // oxlint-disable-next-line no-unsafe-type-assertion -- every name was just given its field
  return shape as Record<Name, typeof field>;
};

const accountAssignment = z.object(
  fields(
    'AccNo',
    'AccCat',
    'DistrPerc',
    'GLAcct',
    'CostCtr',
    'OrderNo',
    'WbsElem',
    'Asset',
    'SubNumber',
    'Network',
    'Activity',
    'ProfitCtr',
    'CoArea',
    'DelInd',
  ),
);
const partner = z.object(fields('PartnerFct', 'Name', 'Street', 'HouseNo', 'PostlCod1', 'City', 'Region', 'Country'));
const text = z.object(fields('Tdid', 'Language', 'Text'));
const attachment = z.object(fields('Guid', 'FileName', 'MimeType', 'SizeBytes', 'InternalOnly'));

const item = z.object({
  ...fields(
    'Guid',
    'ParentGuid',
    'NumberInt',
    'OutlineInd',
    'ProductType',
    'OrderedProd',
    'Description',
    'CategoryId',
    'PartnerProd',
    'ManuProd',
    'Quantity',
    'Unit',
    'Price',
    'PriceUnit',
    'Value',
    'Currency',
    'TaxCode',
    'TaxValue',
    'DelivDate',
    'StartDate',
    'EndDate',
    'LimitInd',
    'Limit',
    'Unlimited',
    'ExpValue',
    'VendorId',
    'VendorName',
    'CtrId',
    'CtrItem',
    'ExtDemid',
    'ExtDemPosid',
    'IncotermKey',
    'IncotermLoc',
    'Status',
    'DelInd',
    'BeObjectId',
  ),
  Accounting: optionalNavigation(accountAssignment),
  Partners: optionalNavigation(partner),
  Texts: optionalNavigation(text),
});

const shoppingCart = z.object({
  ...fields(
    'Description',
    'DescrLanguage',
    'PostingDate',
    'CreatedBy',
    'ChangedAt',
    'ApprovedAt',
    'ApprovedBy',
    'ApproverEmail',
    'Status',
    'Currency',
    'TotalValue',
    'CoCode',
    'ProcOrg',
    'ProcGroup',
    'PmntTrms',
    'VersionType',
    'DelInd',
    'RequesterId',
    'RequesterName',
    'RequesterEmail',
  ),
  Guid: z.string('must be a GUID').min(1, 'must be a GUID'),
  ObjectId: field,
  Items: navigation(item),
  Partners: optionalNavigation(partner),
  Texts: optionalNavigation(text),
  Attachments: optionalNavigation(attachment),
});

export type ShoppingCart = z.infer<typeof shoppingCart>;
export type ShoppingCartItem = ShoppingCart['Items'][number];
export type AccountAssignment = ShoppingCartItem['Accounting'][number];
export type Partner = ShoppingCart['Partners'][number];
export type CartText = ShoppingCart['Texts'][number];

/** Every way in which a row breaks the contract, with its JSON path; never the value, which may be personal. */
export function readShoppingCart(source: unknown): { cart: ShoppingCart } | { faults: readonly Fault[] } {
  const parsed = shoppingCart.safeParse(source);
  if (parsed.success) return { cart: parsed.data };
  return {
    faults: parsed.error.issues.map((issue) => ({
      code: 'E_SRC_SCHEMA',
      message: `the source row breaks the contract: ${issue.message}`,
      path: jsonPath(issue.path),
    })),
  };
}

const jsonPath = (path: readonly PropertyKey[]): string =>
  `$${path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('')}`;

/** True where SRM sent a link instead of the data (edge case 84): the row must be read again, expanded. */
export function isDeferred(source: unknown): boolean {
  const row = asJsonObject(source);
  const links = (entity: unknown, names: readonly string[]): boolean =>
    names.some((name) => asJsonObject(asJsonObject(entity)?.[name])?.['__deferred'] !== undefined);
  if (links(row, ['Items', 'Partners', 'Texts', 'Attachments'])) return true;
  const items = row?.['Items'];
  const rows = Array.isArray(items) ? items : asJsonObject(items)?.['results'];
  return Array.isArray(rows) && rows.some((entity) => links(entity, ['Accounting', 'Partners', 'Texts']));
}
