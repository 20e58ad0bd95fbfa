/** The service that SRM is assumed to have, and in what that of a landscape may differ (source-srm7.md, "Settings"). */

/** `next-link`: SRM cuts the list into pages and links them. `skip-top`: we cut it, for a service that sends no links. */
export const PAGINGS = ['next-link', 'skip-top'] as const;

/** What the window may filter and order by, in SAP's names. The version of a cart is its ChangedAt in any case. */
export const CHANGED_AT_PROPERTIES = ['ChangedAt', 'ApprovedAt'] as const;

export interface SrmService {
  readonly servicePath: string;
  readonly entitySet: string;
  /** This SRM's name of the property by which a cart is read: SAP's is Guid. */
  readonly keyProperty: string;
  /** This SRM's names of other properties and navigations, by SAP's: `Items.NumberInt` -> `ItemNo`. */
  readonly fields: Readonly<Record<string, string>>;
  readonly changedAtProperty: (typeof CHANGED_AT_PROPERTIES)[number];
  /** The navigations that are asked for with the cart, in SAP's names. Without it: all. */
  readonly expand?: readonly string[] | undefined;
  readonly paging: (typeof PAGINGS)[number];
}

export const ASSUMED_SERVICE: SrmService = {
  servicePath: '/sap/opu/odata/sap/ZSRM_SC_EXTRACT_SRV',
  entitySet: 'ShoppingCartSet',
  keyProperty: 'Guid',
  fields: {},
  changedAtProperty: 'ChangedAt',
  paging: 'next-link',
};

/** The property by which a cart is read. */
export const KEY = 'Guid';

/** What the interface reads, by the navigations that lead to it. A test holds it against the schema of the translation. */
// biome-ignore format: lists of names
export const READ_PROPERTIES: Readonly<Record<string, readonly string[]>> = {
  '': [
    'ObjectId', 'Description', 'DescrLanguage', 'CreatedBy', 'ApprovedBy', 'ApproverEmail', 'Status', 'Currency',
    'TotalValue', 'CoCode', 'ProcOrg', 'ProcGroup', 'PmntTrms', 'VersionType', 'RequesterId', 'RequesterName',
    'RequesterEmail', 'PostingDate', 'ChangedAt', 'ApprovedAt', 'DelInd', 'Guid', 'Items', 'Partners', 'Texts',
    'Attachments',
  ],
  Partners: [
    'PartnerFct', 'Name', 'Street', 'HouseNo', 'PostlCod1', 'City', 'Region', 'Country',
  ],
  Texts: [
    'Tdid', 'Language', 'Text',
  ],
  Attachments: [
    'Guid', 'FileName', 'MimeType', 'SizeBytes', 'InternalOnly',
  ],
  Items: [
    'Guid', 'ParentGuid', 'NumberInt', 'ProductType', 'Description', 'CategoryId', 'PartnerProd', 'ManuProd',
    'Quantity', 'Unit', 'Price', 'PriceUnit', 'Value', 'Currency', 'TaxCode', 'TaxValue', 'Limit', 'ExpValue',
    'VendorName', 'IncotermKey', 'IncotermLoc', 'Status', 'OrderedProd', 'VendorId', 'CtrId', 'CtrItem', 'ExtDemid',
    'ExtDemPosid', 'BeObjectId', 'DelivDate', 'StartDate', 'EndDate', 'LimitInd', 'Unlimited', 'Accounting',
    'Partners', 'Texts', 'OutlineInd', 'DelInd',
  ],
  'Items.Accounting': [
    'AccNo', 'AccCat', 'DistrPerc', 'SubNumber', 'CoArea', 'GLAcct', 'CostCtr', 'OrderNo', 'WbsElem', 'Asset',
    'Network', 'Activity', 'ProfitCtr', 'DelInd',
  ],
  'Items.Partners': [
    'PartnerFct', 'Name', 'Street', 'HouseNo', 'PostlCod1', 'City', 'Region', 'Country',
  ],
  'Items.Texts': [
    'Tdid', 'Language', 'Text',
  ],
};

export interface Navigations {
  readonly [name: string]: Navigations;
}

const COMMON = { Partners: {}, Texts: {} };
export const CART_NAVIGATIONS: Navigations = { Items: { Accounting: {}, ...COMMON }, ...COMMON, Attachments: {} };

/** The paths that ask for all of them. */
export const EXPANDED: readonly string[] = pathsOf(CART_NAVIGATIONS);

function pathsOf(navigations: Navigations): string[] {
  return Object.entries(navigations).flatMap(([name, below]) => {
    const paths = pathsOf(below);
    return paths.length === 0 ? [name] : paths.map((path) => `${name}/${path}`);
  });
}
