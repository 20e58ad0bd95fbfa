import {
  type AccountingDraft,
  type AttachmentDraft,
  type CartDraft,
  countedLines,
  dayMs,
  type DropReason,
  type GuidStyle,
  type LineDraft,
  midnight,
  moneyText,
  type RowEdit,
  type SrmRow,
  totalMinor,
} from './cart-draft.ts';
import type { Address, Wording } from './cart-vocabulary.ts';
import { unitsToDecimal } from './exact-decimals.ts';
import { between, pick, type Random } from './seeded-random.ts';

export interface CartNames {
  readonly number: string;
  /** The next GUID: first the GUID of the cart, then those of its entities. */
  readonly nextGuid: () => string;
}

const serviceRoot = 'https://srm.example.test/sap/opu/odata/sap/ZSRM_SC_EXTRACT_SRV';

/** Writes a draft in the form of the sample page. */
export function cartDraftToRow(draft: CartDraft, names: CartNames, random: Random): SrmRow {
  const guid = names.nextGuid();
  const nextGuid = (): string => styledGuid(names.nextGuid(), draft.guidStyle);
  const taxMinor = countedLines(draft).reduce((sum, line) => sum + line.taxMinor, 0n);
  const items = itemRows(draft, guid, nextGuid);
  const row = {
    __metadata: { id: `${serviceRoot}/ShoppingCartSet(guid'${guid}')`, type: 'ZSRM_SC_EXTRACT_SRV.ShoppingCart' },
    Guid: guid,
    ObjectId: names.number,
    ProcessType: 'SHC',
    Description: draft.title,
    DescrLanguage: draft.language,
    ...headerTimes(draft, between(random, 1, 9)),
    ...approvalFields(draft),
    Tzone: draft.company.zone,
    Status: 'I1129',
    StatusText: 'Approved',
    Currency: draft.currency,
    TotalValue: moneyText(totalMinor(draft), draft.currency),
    TotalTax: moneyText(taxMinor, draft.currency),
    CoCode: draft.companyCode,
    ProcOrg: draft.company.purchasingOrganization,
    ProcGroup: 'O 50000456',
    PmntTrms: pick(random, ['Z045', 'Z030', '']),
    VersionType: draft.versionType,
    VersionNo: '1',
    DocClosed: flag(draft, false),
    DelInd: flag(draft, draft.deleted),
    RequesterId: draft.requester.id,
    RequesterName: draft.requester.name,
    RequesterEmail: draft.requester.email,
    Items: draft.brokenItems === undefined ? { results: items } : draft.brokenItems,
    Partners: { results: draft.address === null ? [] : [addressRow(draft.address)] },
    Texts: { results: draft.notes.map(({ type, wording }) => textRow(type, wording)) },
    Attachments: { results: draft.attachments.map((file) => attachmentRow(draft, file, guid, nextGuid())) },
  };
  return draft.edits.length === 0 ? row : edited(row, draft.edits);
}

function edited(row: SrmRow, edits: readonly RowEdit[]): SrmRow {
  const result = { ...row };
  for (const edit of edits) {
    Object.assign(result, edit(result));
  }
  return result;
}

function flag({ booleanFlags }: CartDraft, set: boolean): boolean | string {
  if (booleanFlags) {
    return set;
  }
  return set ? 'X' : '';
}

function styledGuid(dashed: string, style: GuidStyle): string {
  if (style === 'dashed') {
    return dashed;
  }
  const hex = dashed.replaceAll('-', '');
  return style === 'hex' ? hex.toUpperCase() : Buffer.from(hex, 'hex').toString('base64');
}

function headerTimes({ changedAtMs, requester, approval, offsetMinutes }: CartDraft, daysOpen: number): SrmRow {
  const createdMs = changedAtMs - daysOpen * dayMs;
  return {
    PostingDate: dateText(midnight(createdMs)),
    CreatedAt: instantText(createdMs, offsetMinutes),
    CreatedBy: requester.id,
    ChangedAt: instantText(changedAtMs, offsetMinutes),
    ChangedBy: 'WF-BATCH',
    ApprovedAt: approval === 'automatic' ? null : instantText(changedAtMs - 1000, offsetMinutes),
  };
}

function approvalFields({ approval }: CartDraft): SrmRow {
  if (approval === 'automatic') {
    return { ApprovedBy: '', ApproverEmail: '' };
  }
  return 'by' in approval
    ? { ApprovedBy: approval.by.id, ApproverEmail: approval.by.email }
    : { ApprovedBy: approval.systemUser, ApproverEmail: '' };
}

function itemRows(draft: CartDraft, cartGuid: string, nextGuid: () => string): readonly SrmRow[] {
  let parentGuid = styledGuid(cartGuid, draft.guidStyle);
  return draft.lines.map((line, position) => {
    const guid = nextGuid();
    const number = line.numberOf === null ? position + 1 : draft.lines.indexOf(line.numberOf) + 1;
    const row = edited(itemRow(draft, line, number, { guid, parentGuid, nextGuid }), line.edits);
    // An outline item is the parent of the items after it, so two in succession make a tree of two levels.
    parentGuid = line.dropped === 'outline' ? guid : parentGuid;
    return row;
  });
}

interface ItemGuids {
  readonly guid: string;
  readonly parentGuid: string;
  readonly nextGuid: () => string;
}

function itemRow(draft: CartDraft, line: LineDraft, number: number, guids: ItemGuids): SrmRow {
  const money = (minor: bigint): string => moneyText(minor, line.currency);
  const isLimit = line.kind === 'LIMIT';
  return {
    __metadata: { type: 'ZSRM_SC_EXTRACT_SRV.ShoppingCartItem' },
    Guid: guids.guid,
    ParentGuid: guids.parentGuid,
    NumberInt: String(number).padStart(10, '0'),
    ItmType: itemTypes[line.kind],
    OutlineInd: flag(draft, line.dropped === 'outline'),
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
    LimitInd: flag(draft, isLimit),
    Limit: money(line.limitMinor),
    Unlimited: flag(draft, false),
    ExpValue: money(isLimit ? line.valueMinor : 0n),
    VendorId: line.vendor?.id ?? '',
    VendorName: line.vendor?.name ?? '',
    CtrId: line.contract,
    CtrItem: line.contract === '' ? '' : '10',
    ExtDemid: line.purchaseRequest,
    ExtDemPosid: line.purchaseRequest === '' ? '' : String(number),
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

const droppedStatuses: Record<DropReason, string> = {
  deleted: 'I1040',
  rejected: 'I1016',
  awaiting: 'I1015',
  outline: 'I1129',
};

function itemStatus(draft: CartDraft, { dropped, status, erpOrder }: LineDraft): SrmRow {
  const ordered = dropped === null && erpOrder !== '';
  const shown = dropped === null ? status : droppedStatuses[dropped];
  return {
    Status: shown,
    StatusText: statusTexts.get(shown) ?? '',
    DelInd: flag(draft, dropped === 'deleted'),
    BeLogSystem: ordered ? 'ECCCLNT100' : '',
    BeObjectType: ordered ? 'BUS2012' : '',
    BeObjectId: ordered ? erpOrder : '',
    BeObjItem: ordered ? '00010' : '',
  };
}

const statusTexts: ReadonlyMap<string, string> = new Map([
  ['I1129', 'Approved'],
  ['I1113', 'Follow-on document created'],
  ['I1111', 'Item in transfer process'],
  ['I1040', 'Deleted'],
  ['I1016', 'Rejected'],
  ['I1015', 'Awaiting approval'],
]);

function accountingRow(draft: CartDraft, part: AccountingDraft, sequence: number, guid: string): SrmRow {
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
    // The sample has these fields only where they apply.
    ...(part.category === 'AS' ? { Asset: part.object, SubNumber: part.part } : {}),
    ...(part.category === 'NET' ? { Network: part.object, Activity: part.part } : {}),
    ProfitCtr: part.profitCentre,
    CoArea: draft.company.controllingArea,
    DelInd: flag(draft, part.deleted),
    ...part.fields,
  };
}

function itemPartners({ address, preferredVendor }: LineDraft): readonly SrmRow[] {
  return [
    ...(address === null ? [] : [addressRow(address)]),
    ...(preferredVendor === null
      ? []
      : [partnerRow({ PartnerFct: '00000039', PartnerNo: preferredVendor.id, Name: preferredVendor.name })]),
  ];
}

function addressRow(address: Address): SrmRow {
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

function partnerRow(fields: SrmRow): SrmRow {
  const empty = { PartnerFct: '', PartnerNo: '', Name: '', Email: '', Street: '', HouseNo: '', PostlCod1: '' };
  return { ...empty, City: '', Region: '', Country: '', Tel: '', ...fields };
}

function textRow(type: string, { language, text }: Wording): SrmRow {
  return { Tdid: type, Language: language, Text: text };
}

function attachmentRow(draft: CartDraft, file: AttachmentDraft, cartGuid: string, guid: string): SrmRow {
  return {
    Guid: guid,
    FileName: file.fileName,
    MimeType: file.mimeType,
    SizeBytes: String(file.sizeBytes),
    InternalOnly: flag(draft, file.internal),
    ContentUri: `ShoppingCartSet(guid'${cartGuid}')/Attachments(guid'${guid}')/$value`,
  };
}

function dateText(midnightMs: number | null): string | null {
  return midnightMs === null ? null : `/Date(${midnightMs})/`;
}

/** SAP subtracts the offset to get UTC. */
function instantText(instantMs: number, offsetMinutes: number): string {
  const sign = offsetMinutes < 0 ? '-' : '+';
  const minutes = String(Math.abs(offsetMinutes)).padStart(4, '0');
  return `/Date(${instantMs + offsetMinutes * 60_000}${sign}${minutes})/`;
}
