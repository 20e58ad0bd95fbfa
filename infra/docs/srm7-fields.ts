/** The entities of SRM's side: the fields that the interface reads, and their rows in the sample page. */
import { isJsonObject, isList, type Json } from './json-text.ts';
import { readSample } from './samples.ts';

/** Each navigation, and the entity that it leads to. */
export const NAVIGATIONS: Readonly<Record<string, string>> = {
  Items: 'ShoppingCartItem',
  Accounting: 'AccountAssignment',
  Partners: 'Partner',
  Texts: 'Text',
  Attachments: 'Attachment',
};

/** The type of each field at the source. `Flag` is String(1): X or blank, or a real boolean. */
export const EDM_TYPES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ShoppingCart: {
    Guid: 'Guid',
    ObjectId: 'String(10)',
    Description: 'String(40)',
    DescrLanguage: 'String(2)',
    PostingDate: 'DateTime',
    CreatedBy: 'String(12)',
    ChangedAt: 'DateTimeOffset',
    ApprovedAt: 'DateTimeOffset',
    ApprovedBy: 'String(12)',
    ApproverEmail: 'String(241)',
    Status: 'String(5)',
    Currency: 'String(5)',
    TotalValue: 'Decimal(15,3)',
    CoCode: 'String(4)',
    ProcOrg: 'String(14)',
    ProcGroup: 'String(14)',
    PmntTrms: 'String(4)',
    VersionType: 'String(1)',
    DelInd: 'Flag',
    RequesterId: 'String(12)',
    RequesterName: 'String(80)',
    RequesterEmail: 'String(241)',
  },
  ShoppingCartItem: {
    Guid: 'Guid',
    ParentGuid: 'Guid',
    NumberInt: 'String(10)',
    OutlineInd: 'Flag',
    ProductType: 'String(2)',
    OrderedProd: 'String(40)',
    Description: 'String(40)',
    CategoryId: 'String(20)',
    PartnerProd: 'String(40)',
    ManuProd: 'String(40)',
    Quantity: 'Decimal(13,3)',
    Unit: 'String(3)',
    Price: 'Decimal(15,4)',
    PriceUnit: 'Decimal(5,0)',
    Value: 'Decimal(15,3)',
    Currency: 'String(5)',
    TaxCode: 'String(2)',
    TaxValue: 'Decimal(15,3)',
    DelivDate: 'DateTime',
    StartDate: 'DateTime',
    EndDate: 'DateTime',
    LimitInd: 'Flag',
    Limit: 'Decimal(15,3)',
    Unlimited: 'Flag',
    ExpValue: 'Decimal(15,3)',
    VendorId: 'String(10)',
    VendorName: 'String(80)',
    CtrId: 'String(10)',
    CtrItem: 'String(10)',
    ExtDemid: 'String(35)',
    ExtDemPosid: 'String(10)',
    IncotermKey: 'String(3)',
    IncotermLoc: 'String(28)',
    Status: 'String(5)',
    DelInd: 'Flag',
    BeObjectId: 'String(20)',
  },
  AccountAssignment: {
    AccNo: 'String(4)',
    AccCat: 'String(5)',
    DistrPerc: 'Decimal(5,2)',
    GLAcct: 'String(10)',
    CostCtr: 'String(10)',
    OrderNo: 'String(12)',
    WbsElem: 'String(24)',
    Asset: 'String(12)',
    SubNumber: 'String(4)',
    Network: 'String(12)',
    Activity: 'String(4)',
    ProfitCtr: 'String(10)',
    CoArea: 'String(4)',
    DelInd: 'Flag',
  },
  Partner: {
    PartnerFct: 'String(8)',
    Name: 'String(80)',
    Street: 'String(60)',
    HouseNo: 'String(10)',
    PostlCod1: 'String(10)',
    City: 'String(40)',
    Region: 'String(3)',
    Country: 'String(3)',
  },
  Text: { Tdid: 'String(4)', Language: 'String(2)', Text: 'String(32000)' },
  Attachment: {
    Guid: 'Guid',
    FileName: 'String(255)',
    MimeType: 'String(128)',
    SizeBytes: 'Int64',
    InternalOnly: 'Flag',
  },
};

/** Every row of an entity in the sample page. */
export function sampleRows(component: string): readonly Json[] {
  const carts = listAt(readSample('srm7-shopping-carts.json'), ['d', 'results']);
  const items = carts.flatMap((cart) => listAt(cart, ['Items', 'results']));
  const below = (name: string): Json[] => [...carts, ...items].flatMap((owner) => listAt(owner, [name, 'results']));
  if (component === 'ShoppingCart') return carts;
  if (component === 'ShoppingCartItem') return items;
  const navigation = Object.keys(NAVIGATIONS).find((name) => NAVIGATIONS[name] === component);
  return navigation === undefined ? [] : below(navigation);
}

export function listAt(json: Json, path: readonly [string, string]): readonly Json[] {
  const [outer, inner] = path;
  const owner = isJsonObject(json) ? json[outer] : undefined;
  const list = isJsonObject(owner) ? owner[inner] : undefined;
  return isList(list) ? list : [];
}

/** SAP writes an empty text for what is not there. */
export const isFilled = (value: Json | undefined): boolean => value !== undefined && value !== null && value !== '';
