import { type AccountingDraft, type CartDraft, isEligible, type LineDraft, midnight } from './cart-draft.ts';
import { type Address, documents, headerTextTypes, type Wording, wordings } from './cart-vocabulary.ts';
import { minorDigits, unitsToDecimal } from './exact-decimals.ts';
import { between, chance, pick, type Random } from './seeded-random.ts';

/** A cart's row as SRM's OData service writes it. */
export type SrmCartRow = Readonly<Record<string, unknown>>;

/** What names a cart. */
export interface CartNames {
  readonly number: string;
  /** The next GUID of the cart: the first is the cart's own. */
  readonly nextGuid: () => string;
}

const serviceRoot = 'https://srm.example.test/sap/opu/odata/sap/ZSRM_SC_EXTRACT_SRV';
const dayMs = 24 * 60 * 60 * 1000;

/** Writes a draft in the exact shape of the sample page. */
export function cartDraftToRow(draft: CartDraft, names: CartNames, random: Random): SrmCartRow {
  const guid = names.nextGuid();
  const eligible = draft.lines.filter((line) => isEligible(line) && line.currency === draft.currency);
  const money = (minor: bigint): string => unitsToDecimal(minor, minorDigits(draft.currency), 3);
  const items = itemRows(draft, guid, names.nextGuid);
  return {
    __metadata: { id: `${serviceRoot}/ShoppingCartSet(guid'${guid}')`, type: 'ZSRM_SC_EXTRACT_SRV.ShoppingCart' },
    Guid: guid,
    ObjectId: names.number,
    ProcessType: 'SHC',
    Description: draft.title,
    DescrLanguage: draft.company.language,
    ...headerTimes(draft, between(random, 1, 9)),
    ...approvalFields(draft),
    Tzone: draft.company.zone,
    Status: 'I1129',
    StatusText: 'Approved',
    Currency: draft.currency,
    TotalValue: money(eligible.reduce((sum, { valueMinor }) => sum + valueMinor, 0n)),
    TotalTax: money(eligible.reduce((sum, { taxMinor }) => sum + taxMinor, 0n)),
    CoCode: draft.companyCode,
    ProcOrg: draft.company.purchasingOrganization,
    ProcGroup: 'O 50000456',
    PmntTrms: pick(random, ['Z045', 'Z030', '']),
    VersionType: draft.versionType,
    VersionNo: '1',
    DocClosed: '',
    DelInd: '',
    RequesterId: chance(random, 0.05) ? '' : draft.requester.id,
    RequesterName: draft.requester.name,
    RequesterEmail: chance(random, 0.05) ? '' : draft.requester.email,
    Items: draft.brokenItems === undefined ? { results: items } : draft.brokenItems,
    Partners: { results: draft.address === null ? [] : [addressRow(draft.address)] },
    Texts: { results: chance(random, 0.25) ? headerTexts(random) : [] },
    Attachments: { results: chance(random, 0.1) ? attachmentRows(random, guid, names.nextGuid) : [] },
  };
}

function headerTimes({ changedAtMs, requester, approval }: CartDraft, daysOpen: number): SrmCartRow {
  const createdMs = changedAtMs - daysOpen * dayMs;
  return {
    PostingDate: dateText(midnight(createdMs)),
    CreatedAt: instantText(createdMs),
    CreatedBy: requester.id,
    ChangedAt: instantText(changedAtMs),
    ChangedBy: 'WF-BATCH',
    ApprovedAt: approval === 'automatic' ? null : instantText(changedAtMs - 1000),
  };
}

function approvalFields({ approval }: CartDraft): SrmCartRow {
  switch (approval) {
    case 'automatic':
      return { ApprovedBy: '', ApproverEmail: '' };
    case 'workflow':
      return { ApprovedBy: 'WF-BATCH', ApproverEmail: '' };
    default:
      return { ApprovedBy: approval.by.id, ApproverEmail: approval.by.email };
  }
}

function itemRows(draft: CartDraft, cartGuid: string, nextGuid: () => string): readonly SrmCartRow[] {
  let parentGuid = cartGuid;
  return draft.lines.map((line, position) => {
    const guid = nextGuid();
    const row = itemRow(draft, line, position + 1, { guid, parentGuid, nextGuid });
    // An outline item is the parent of the lines behind it.
    parentGuid = line.dropped === 'outline' ? guid : parentGuid;
    return row;
  });
}

interface ItemGuids {
  readonly guid: string;
  readonly parentGuid: string;
  readonly nextGuid: () => string;
}

function itemRow(draft: CartDraft, line: LineDraft, position: number, guids: ItemGuids): SrmCartRow {
  const money = (minor: bigint): string => unitsToDecimal(minor, minorDigits(line.currency), 3);
  const isLimit = line.kind === 'LIMIT';
  return {
    __metadata: { type: 'ZSRM_SC_EXTRACT_SRV.ShoppingCartItem' },
    Guid: guids.guid,
    ParentGuid: guids.parentGuid,
    NumberInt: String(position).padStart(10, '0'),
    ItmType: itemTypes[line.kind],
    OutlineInd: line.dropped === 'outline' ? 'X' : '',
    ProductType: line.kind === 'MATERIAL' ? '01' : '02',
    OrderedProd: line.materialNumber,
    Description: line.article.description,
    CategoryId: line.article.category,
    PartnerProd: line.partNumber,
    ManuProd: '',
    Quantity: unitsToDecimal(line.quantityThousandths, 3, 3),
    Unit: line.unit,
    Price: unitsToDecimal(line.priceTenThousandths, 4, 4),
    PriceUnit: String(line.priceUnit),
    Value: money(line.valueMinor),
    Currency: line.currency,
    TaxCode: line.taxCode,
    TaxValue: money(line.taxMinor),
    DelivDate: dateText(line.deliveryMs),
    StartDate: dateText(line.startMs),
    EndDate: dateText(line.endMs),
    LimitInd: isLimit ? 'X' : '',
    Limit: money(line.limitMinor),
    Unlimited: '',
    ExpValue: money(isLimit ? line.valueMinor : 0n),
    VendorId: line.vendor?.id ?? '',
    VendorName: line.vendor?.name ?? '',
    CtrId: line.contract,
    CtrItem: line.contract === '' ? '' : '10',
    ExtDemid: draft.purchaseRequest,
    ExtDemPosid: draft.purchaseRequest === '' ? '' : String(position),
    IncotermKey: draft.incoterm?.code ?? '',
    IncotermLoc: draft.incoterm?.place ?? '',
    SourceRelInd: '',
    ...itemStatus(draft, line),
    Accounting: {
      results: line.accounting.map((part, index) => accountingRow(draft, part, index + 1, guids.nextGuid())),
    },
    Partners: { results: itemPartners(line) },
    Texts: { results: line.texts.map((wording) => textRow('ITXT', wording)) },
  };
}

const itemTypes: Record<LineDraft['kind'], string> = {
  MATERIAL: 'SCMA',
  SERVICE: 'SCSE',
  LABOUR: 'SCSE',
  LIMIT: 'SCLI',
};

function itemStatus({ erpOrder }: CartDraft, { dropped }: LineDraft): SrmCartRow {
  const followOn = { BeLogSystem: '', BeObjectType: '', BeObjectId: '', BeObjItem: '' };
  if (dropped === 'deleted') {
    return { Status: 'I1040', StatusText: 'Deleted', DelInd: 'X', ...followOn };
  }
  if (dropped === 'rejected') {
    return { Status: 'I1016', StatusText: 'Rejected', DelInd: '', ...followOn };
  }
  if (erpOrder === '') {
    return { Status: 'I1129', StatusText: 'Approved', DelInd: '', ...followOn };
  }
  return {
    Status: 'I1113',
    StatusText: 'Follow-on document created',
    DelInd: '',
    BeLogSystem: 'ECCCLNT100',
    BeObjectType: 'BUS2012',
    BeObjectId: erpOrder,
    BeObjItem: '00010',
  };
}

function accountingRow({ company }: CartDraft, part: AccountingDraft, sequence: number, guid: string): SrmCartRow {
  const objectIf = (category: AccountingDraft['category']): string => (part.category === category ? part.object : '');
  return {
    Guid: guid,
    AccNo: String(sequence).padStart(4, '0'),
    AccCat: part.category,
    DistrPerc: unitsToDecimal(part.percentHundredths, 2, 2),
    GLAcct: part.glAccount,
    CostCtr: objectIf('CC'),
    OrderNo: objectIf('OR'),
    WbsElem: objectIf('WBS'),
    // The sample leaves these out where they do not apply.
    ...(part.category === 'AS' ? { Asset: part.object, SubNumber: part.part } : {}),
    ...(part.category === 'NET' ? { Network: part.object, Activity: part.part } : {}),
    ProfitCtr: part.profitCentre,
    CoArea: company.controllingArea,
    DelInd: part.deleted ? 'X' : '',
  };
}

function itemPartners({ address, preferredVendor }: LineDraft): readonly SrmCartRow[] {
  return [
    ...(address === null ? [] : [addressRow(address)]),
    ...(preferredVendor === null
      ? []
      : [partnerRow({ PartnerFct: '00000039', PartnerNo: preferredVendor.id, Name: preferredVendor.name })]),
  ];
}

function addressRow(address: Address): SrmCartRow {
  return partnerRow({
    PartnerFct: '00000027',
    PartnerNo: address.partnerNo,
    Name: address.name,
    Street: address.street,
    HouseNo: address.houseNo,
    PostlCod1: address.postalCode,
    City: address.city,
    Region: address.region,
    Country: address.country,
  });
}

function partnerRow(fields: SrmCartRow): SrmCartRow {
  const empty = { PartnerFct: '', PartnerNo: '', Name: '', Email: '', Street: '', HouseNo: '', PostlCod1: '' };
  return { ...empty, City: '', Region: '', Country: '', Tel: '', ...fields };
}

function headerTexts(random: Random): readonly SrmCartRow[] {
  return Array.from({ length: between(random, 1, 2) }, () =>
    textRow(pick(random, headerTextTypes), pick(random, wordings)),
  );
}

function textRow(type: string, { language, text }: Wording): SrmCartRow {
  return { Tdid: type, Language: language, Text: text };
}

function attachmentRows(random: Random, cartGuid: string, nextGuid: () => string): readonly SrmCartRow[] {
  return Array.from({ length: between(random, 1, 3) }, () => {
    const guid = nextGuid();
    const { fileName, mimeType } = pick(random, documents);
    return {
      Guid: guid,
      FileName: fileName,
      MimeType: mimeType,
      SizeBytes: String(between(random, 900, 4_000_000)),
      InternalOnly: chance(random, 0.2) ? 'X' : '',
      ContentUri: `ShoppingCartSet(guid'${cartGuid}')/Attachments(guid'${guid}')/$value`,
    };
  });
}

function dateText(midnightMs: number | null): string | null {
  return midnightMs === null ? null : `/Date(${midnightMs})/`;
}

function instantText(instantMs: number): string {
  return `/Date(${instantMs}+0000)/`;
}
