/** Mapping rows 1 to 33, 63 and 64: the order's header. */
import { externalIdOf } from '../../../shared/external-id.ts';
import {
  cartNumber,
  isSameCode,
  NO_CART_NUMBER,
  NO_GUID,
  normalGuid,
  stripZeros,
  SUPPLIER_NUMBER,
  SUPPLIER_NUMBER_FORM,
} from '../../../shared/sap-values.ts';
import {
  amount,
  at,
  calendarDate,
  dateInZone,
  distinct,
  distinctCodes,
  email,
  instant,
  isEmail,
  listedEntry,
  lookUp,
  lookUpListed,
  mandatory,
  readableText,
  secondsOf,
  type ShipTo,
  shipToAddress,
  userId,
  withoutHrPrefix,
} from './conversions.ts';
import { type Decimal, minorUnit, scaled, sum, zero } from './decimal.ts';
import type { CartLine, LineGroup } from './groups.ts';
import { type OrderedLine, type PreparedLine, addressRules, lineRules, prepareLine } from './line-rules.ts';
import type { OrderLine, PurchaseOrder } from './purchase-order.ts';
import { fault, list, object, type RuleContext, type RuleTable, value, warn } from './rule-table.ts';
import type { Attachment as CartAttachment, CartText, ShoppingCartItem } from './shopping-cart.ts';
import { hasAtMost, languageCode, upperCase } from './text.ts';

/** A group with the values that the header's rules share, computed once. */
export interface PreparedOrder {
  readonly group: LineGroup;
  readonly externalId: string | undefined;
  readonly lines: readonly OrderedLine[];
  /** The header's ship-to address, else the one that the lines share. */
  readonly address: ShipTo | undefined;
  readonly net: Decimal;
  readonly tax: Decimal;
}

export function prepareOrder(group: LineGroup, context: RuleContext): PreparedOrder {
  const { cart } = group;
  const prepared = group.lines.map((line, index) => prepareLine(line, group, { ...context, field: `lines[${index}]` }));
  const address =
    shipToAddress(cart.Partners, { ...context, field: 'deliveryAddress' }, '$') ?? sharedAddress(prepared);
  const shared = sharedNumbers(prepared);
  const known = addressText(address);
  const lines = prepared.map((line) => ({
    ...line,
    deliverTo: addressText(line.shipTo) === known ? undefined : line.shipTo,
    sharesNumber: shared.has(lineNumber(line)),
  }));
  return {
    group,
    externalId: nameOf(group, context),
    lines,
    address,
    net: sum(lines.map(({ net }) => net ?? zero)),
    tax: sum(lines.map(({ tax }) => tax ?? zero)),
  };
}

const lineNumber = ({ item: { NumberInt = '' } }: CartLine): string => stripZeros(NumberInt);

function sharedNumbers(lines: readonly CartLine[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const shared = new Set<string>();
  for (const number of lines.map(lineNumber)) {
    if (seen.has(number)) shared.add(number);
    seen.add(number);
  }
  return shared;
}

/**
 * The address that the lines share: every line has it. Where no material has one of its own, the one of the services is
 * the site of the whole order (rules.md, "Addresses").
 */
function sharedAddress(lines: readonly PreparedLine[]): ShipTo | undefined {
  const own = lines.flatMap(({ shipTo }) => (shipTo === undefined ? [] : [shipTo]));
  const [first] = own;
  if (new Set(own.map(addressText)).size > 1) return undefined;
  const materials = lines.filter(({ type }) => type === 'MATERIAL');
  const isSite = materials.length > 0 && materials.every(({ shipTo }) => shipTo === undefined);
  return own.length === lines.length || isSite ? first : undefined;
}

/** The same for the same address. */
const addressText = (shipTo: ShipTo | undefined): string | undefined => JSON.stringify(shipTo?.address);

/** The order's externalId; undefined where a part of it is missing. */
export function nameOf(
  { cart, vendorId, currency, companyCode }: LineGroup,
  { client }: Pick<RuleContext, 'client'>,
): string | undefined {
  const number = cartNumber(cart.ObjectId);
  if (number === undefined || vendorId === undefined || currency === undefined || companyCode === undefined)
    return undefined;
  return externalIdOf({ client, cartNumber: number, supplier: vendorId, currency, company: companyCode });
}

/** The path of a value that the order takes from its lines: in the first line that has it, else in the first line. */
const ofFirstLine = ({ group: { lines } }: PreparedOrder, name: keyof ShoppingCartItem): string =>
  at((lines.find(({ item }) => item[name] !== undefined) ?? lines[0]).path, name);

const sourceDocumentRules: RuleTable<PreparedOrder, PurchaseOrder['sourceDocument']> = {
  guid: value(
    { row: 4, source: ['Guid'], rule: '32 lower-case hex', mandatory: 'M', codes: ['E_FIELD_FORMAT'] },
    ({ group: { cart } }, context) => normalGuid(cart.Guid) ?? fault(context, 'E_FIELD_FORMAT', NO_GUID, '$.Guid'),
  ),
  number: value(
    {
      row: 5,
      source: ['ObjectId'],
      rule: 'ALPHA-; in the form of a code, since ledger and log file the cart under it',
      mandatory: 'M',
      codes: ['E_FIELD_MISSING', 'E_FIELD_FORMAT'],
    },
    ({ group: { cart } }, context) => {
      const path = '$.ObjectId';
      const text = mandatory(cart.ObjectId, context, path);
      if (text === undefined) return undefined;
      return cartNumber(text) ?? fault(context, 'E_FIELD_FORMAT', NO_CART_NUMBER, path);
    },
  ),
  approvedAt: value(
    {
      row: 6,
      source: ['ApprovedAt', 'ChangedAt'],
      rule: 'RFC 3339 UTC; else ChangedAt, with a warning',
      mandatory: 'O',
      codes: ['E_DATE_INVALID'],
    },
    ({ group: { cart } }, context) => {
      if (cart.ApprovedAt !== undefined) return instant(cart.ApprovedAt, context, '$.ApprovedAt');
      const message = 'no time of approval; the time of the last change is taken';
      warn(context, 'W_APPROVAL_TIME_MISSING', message, '$.ApprovedAt');
      // Mapping row 8 reports a wrong ChangedAt.
      return secondsOf(cart.ChangedAt);
    },
  ),
  approvedBy: value(
    { row: 7, source: ['ApprovedBy'], rule: 'TRIM', mandatory: 'O', codes: [] },
    ({ group: { cart } }) => cart.ApprovedBy,
  ),
  changedAt: value(
    { row: 8, source: ['ChangedAt'], rule: 'RFC 3339 UTC', mandatory: 'M', codes: ['E_DATE_INVALID'] },
    ({ group: { cart } }, context) =>
      instant(mandatory(cart.ChangedAt, context, '$.ChangedAt', 'E_DATE_INVALID'), context, '$.ChangedAt'),
  ),
};

const supplierRules: RuleTable<PreparedOrder, PurchaseOrder['supplier']> = {
  code: value(
    {
      row: 18,
      source: ['VendorId'],
      rule: 'LOOKUP supplier',
      mandatory: 'M',
      codes: ['E_MAP_SUPPLIER', 'E_SUPPLIER_MISSING'],
    },
    (order, context) => {
      const { vendorId } = order.group;
      const path = ofFirstLine(order, 'VendorId');
      if (vendorId === undefined) return fault(context, 'E_SUPPLIER_MISSING', 'no source of supply is assigned', path);
      return lookUp('supplier', vendorId, context, 'E_MAP_SUPPLIER', path);
    },
  ),
  externalCode: value(
    {
      row: 19,
      source: ['VendorId'],
      rule: `ALPHA-; ${SUPPLIER_NUMBER_FORM}, since it is part of the name of the order`,
      mandatory: 'M',
      codes: ['E_FIELD_FORMAT'],
    },
    (order, context) => {
      const { vendorId } = order.group;
      if (vendorId === undefined || SUPPLIER_NUMBER.test(vendorId)) return vendorId;
      const message = `not the number of a supplier, which is ${SUPPLIER_NUMBER_FORM}, such as 100234`;
      return fault(context, 'E_FIELD_FORMAT', message, ofFirstLine(order, 'VendorId'));
    },
  ),
  name: value({ row: 20, source: ['VendorName'], rule: 'TRIM', mandatory: 'O', codes: [] }, (order, context) => {
    const [name] = distinct(order.lines.map(({ item }) => item.VendorName));
    return name === undefined ? undefined : readableText(name, 120, context, ofFirstLine(order, 'VendorName'));
  }),
};

const requesterRules: RuleTable<PreparedOrder, PurchaseOrder['requester']> = {
  externalId: value(
    {
      row: 21,
      source: ['RequesterId', 'CreatedBy'],
      rule: 'the first that is there, upper-case; an e-mail alone is enough',
      mandatory: 'C',
      codes: ['E_REQUESTER_MISSING'],
    },
    ({ group: { cart } }, context) => {
      const id = userId(cart.RequesterId ?? cart.CreatedBy);
      if (id !== undefined || (cart.RequesterEmail !== undefined && isEmail(cart.RequesterEmail))) return id;
      return fault(context, 'E_REQUESTER_MISSING', 'the cart names no requester', '$.RequesterId');
    },
  ),
  email: value(
    { row: 22, source: ['RequesterEmail'], rule: 'lower-case, syntax check', mandatory: 'O', codes: [] },
    ({ group: { cart } }, context) => email(cart.RequesterEmail, context, '$.RequesterEmail'),
  ),
  name: value(
    { row: 23, source: ['RequesterName'], rule: 'TRIM', mandatory: 'O', codes: [] },
    ({ group: { cart } }, context) =>
      cart.RequesterName === undefined ? undefined : readableText(cart.RequesterName, 80, context, '$.RequesterName'),
  ),
};

/** System users that approve, and are no persons (mapping row 24). */
const SYSTEM_USERS: readonly string[] = ['WF-BATCH', 'SAPSYS', 'DDIC'];
const approvedByPerson = ({ group: { cart } }: PreparedOrder): boolean =>
  !SYSTEM_USERS.includes(upperCase(cart.ApprovedBy ?? ''));

const approverRules: RuleTable<PreparedOrder, NonNullable<PurchaseOrder['approver']>> = {
  externalId: value(
    { row: 24, source: ['ApprovedBy'], rule: 'upper-case; system users left out', mandatory: 'O', codes: [] },
    (order) => (approvedByPerson(order) ? userId(order.group.cart.ApprovedBy) : undefined),
  ),
  email: value(
    { row: 24, source: ['ApproverEmail'], rule: 'lower-case, syntax check', mandatory: 'O', codes: [] },
    (order, context) =>
      approvedByPerson(order) ? email(order.group.cart.ApproverEmail, context, '$.ApproverEmail') : undefined,
  ),
};

const periods = ({ lines }: PreparedOrder) => lines.flatMap(({ period }) => (period === undefined ? [] : [period]));

const validityRules: RuleTable<PreparedOrder, NonNullable<PurchaseOrder['validity']>> = {
  startDate: value(
    { row: 25, source: ['StartDate'], rule: 'earliest of the lines', mandatory: 'C', codes: ['E_DATE_RANGE'] },
    (order, context) => {
      const start = periods(order)
        .map(({ startDate }) => startDate)
        .sort()[0];
      if (start !== undefined || !order.group.isComplete) return start;
      for (const { type, deliveryDate, hasFaultyDate, path } of order.lines) {
        // Mapping row 52 reports a line without any date; a wrong date was reported where it was read.
        if (type === 'LABOUR' && deliveryDate !== undefined && !hasFaultyDate)
          fault(context, 'E_DATE_RANGE', 'labour needs a service period', at(path, 'StartDate'));
      }
      return undefined;
    },
  ),
  endDate: value(
    { row: 26, source: ['EndDate'], rule: 'latest of the lines; left out when one is open', mandatory: 'O', codes: [] },
    (order) => {
      const ends = periods(order).map(({ endDate }) => endDate);
      return ends.includes(undefined)
        ? undefined
        : ends
            .filter((end) => end !== undefined)
            .sort()
            .at(-1);
    },
  ),
};

const incotermRules: RuleTable<PreparedOrder, NonNullable<PurchaseOrder['incoterms']>> = {
  code: value(
    { row: 28, source: ['IncotermKey'], rule: 'when the same on all lines', mandatory: 'O', codes: [] },
    (order) => common(order, ({ item }) => item.IncotermKey),
  ),
  location: value(
    { row: 28, source: ['IncotermLoc'], rule: 'when the same on all lines', mandatory: 'O', codes: [] },
    (order) =>
      common(order, ({ item }) => item.IncotermKey) === undefined
        ? undefined
        : common(order, ({ item }) => item.IncotermLoc),
  ),
};

/** The value that all lines have, or undefined. */
function common({ lines }: PreparedOrder, select: (line: OrderedLine) => string | undefined): string | undefined {
  const values = new Set(lines.map(select));
  return values.size === 1 ? [...values][0] : undefined;
}

const totalsRules: RuleTable<PreparedOrder, PurchaseOrder['totals']> = {
  netAmount: value(
    {
      row: 30,
      source: [],
      rule: 'sum of the lines; equal to TotalValue where comparable (row 31)',
      mandatory: 'M',
      codes: ['E_AMT_TOTAL_MISMATCH', 'E_FIELD_MISSING', 'E_FIELD_FORMAT', 'E_AMT_PRECISION'],
    },
    (order, context) => {
      checkTotal(order, context);
      return scaled(order.net, context.decimals);
    },
  ),
  taxAmount: value(
    { row: 32, source: ['TaxValue'], rule: "sum of the lines' tax, default 0", mandatory: 'M', codes: [] },
    ({ tax }, { decimals }) => scaled(tax, decimals),
  ),
  grossAmount: value(
    { row: 33, source: [], rule: 'net + tax', mandatory: 'M', codes: [] },
    ({ net, tax }, { decimals }) => scaled(net.plus(tax), decimals),
  ),
};

/** Mapping row 31: one minor unit of tolerance for each line. */
function checkTotal({ group, lines, net }: PreparedOrder, context: RuleContext): void {
  if (!group.isWholeCart) return;
  const total = amount(mandatory(group.cart.TotalValue, context, '$.TotalValue'), context, '$.TotalValue');
  // Amounts that cannot be read are no sum.
  if (total === undefined || !context.isCurrencyKnown || lines.some((line) => line.net === undefined)) return;
  if (total.minus(net).abs().lte(minorUnit(context.decimals).times(lines.length))) return;
  const message = `the lines add up to ${scaled(net, context.decimals)}`;
  fault(context, 'E_AMT_TOTAL_MISMATCH', message, '$.TotalValue');
}

/** A text or attachment of the header, and where it stands. */
interface Located<Row> {
  readonly row: Row;
  readonly path: string;
}
const located = <Row>(rows: readonly Row[], path: string): Located<Row>[] =>
  rows.map((row, index) => ({ row, path: `${path}.results[${index}]` }));

type Note = NonNullable<PurchaseOrder['notes']>[number];
const noteRules: RuleTable<Located<CartText>, Note> = {
  type: value(
    { row: 63, source: ['Tdid'], rule: 'LOOKUP text type; others left out', mandatory: 'M', codes: [] },
    ({ row: { Tdid = '' } }, context) => listedEntry('textType', Tdid, context),
  ),
  language: value(
    { row: 63, source: ['Language'], rule: 'ISO 639-1, lower-case', mandatory: 'O', codes: [] },
    ({ row }) => languageCode(row.Language),
  ),
  text: value(
    { row: 63, source: ['Text'], rule: 'cut at 4000 with marker', mandatory: 'M', codes: [] },
    ({ row: { Text = '' }, path }, context) => readableText(Text, 4000, context, at(path, 'Text')),
  ),
};

type Attachment = NonNullable<PurchaseOrder['attachments']>[number];
const attachmentRules: RuleTable<Located<CartAttachment>, Attachment> = {
  fileName: value(
    { row: 64, source: ['FileName'], rule: 'TRIM; cut at 255 with marker', mandatory: 'M', codes: [] },
    ({ row: { FileName = '' }, path }, context) => readableText(FileName, 255, context, at(path, 'FileName')),
  ),
  mimeType: value(
    {
      row: 64,
      source: ['MimeType'],
      rule: 'TRIM; left out with a warning when longer than 128',
      mandatory: 'O',
      codes: [],
    },
    ({ row: { MimeType }, path }, context) => {
      if (MimeType === undefined || hasAtMost(MimeType, 128)) return MimeType;
      const message = 'not a MIME type of at most 128 characters, such as application/pdf; left out';
      return warn(context, 'W_ATTACHMENT_LEFT_OUT', message, at(path, 'MimeType'));
    },
  ),
  sizeBytes: value(
    { row: 64, source: ['SizeBytes'], rule: 'integer, else left out with a warning', mandatory: 'O', codes: [] },
    ({ row: { SizeBytes }, path }, context) => {
      if (SizeBytes === undefined) return undefined;
      if (/^\d{1,15}$/.test(SizeBytes)) return Number(SizeBytes);
      const message = 'not a size in bytes of at most 15 digits, such as 20480; left out';
      return warn(context, 'W_ATTACHMENT_LEFT_OUT', message, at(path, 'SizeBytes'));
    },
  ),
  url: value(
    { row: 64, source: ['Guid'], rule: 'urn:srm7:attachment:<guid>', mandatory: 'M', codes: [] },
    ({ row: { Guid = '' } }) => `urn:srm7:attachment:${normalGuid(Guid)}`,
  ),
};

/** Attachments that are not internal. One without name or GUID, or above the maximum, is left out with a warning. */
function publicAttachments({ group: { cart } }: PreparedOrder, context: RuleContext): Located<CartAttachment>[] {
  const visible = located(cart.Attachments, '$.Attachments').filter(({ row }) => row.InternalOnly !== true);
  const usable = visible.filter(
    ({ row }) => row.FileName !== undefined && row.Guid !== undefined && normalGuid(row.Guid) !== undefined,
  );
  const { maximumAttachments } = context.settings;
  const kept = new Set(usable.slice(0, maximumAttachments));
  const isUsable = new Set(usable);
  for (const attachment of visible.filter((one) => !kept.has(one))) {
    const why = isUsable.has(attachment)
      ? `beyond the ${maximumAttachments} of translation.maximumAttachments`
      : 'without a name or a GUID';
    warn(context, 'W_ATTACHMENT_LEFT_OUT', `an attachment ${why}; left out`, attachment.path);
  }
  return [...kept];
}

/** Of `CoCode/ProcOrg`, each part is a code with or without leading zeros. */
function isSameOrganization(left: string, right: string): boolean {
  const [parts, others] = [left.split('/'), right.split('/')];
  return parts.length === others.length && parts.every((part, index) => isSameCode(part, others[index] ?? ''));
}

const businessUnitRules: RuleTable<PreparedOrder, PurchaseOrder['businessUnit']> = {
  code: value(
    {
      row: 14,
      source: ['CoCode', 'ProcOrg'],
      rule: 'LOOKUP business unit by CoCode/ProcOrg, else by CoCode',
      mandatory: 'M',
      codes: ['E_MAP_COMPANY'],
    },
    ({ group: { cart } }, context) => {
      // Mapping row 15 reports an empty company code.
      if (cart.CoCode === undefined) return undefined;
      const organization = `${cart.CoCode}/${withoutHrPrefix(cart.ProcOrg) ?? ''}`;
      return (
        listedEntry('businessUnit', organization, context, isSameOrganization) ??
        lookUpListed('businessUnit', cart.CoCode, context, 'E_MAP_COMPANY', '$.CoCode')
      );
    },
  ),
};

const legalEntityRules: RuleTable<PreparedOrder, PurchaseOrder['legalEntity']> = {
  code: value(
    { row: 15, source: ['CoCode'], rule: 'COPY', mandatory: 'M', codes: ['E_FIELD_MISSING'] },
    ({ group: { cart } }, context) => mandatory(cart.CoCode, context, '$.CoCode'),
  ),
};

/** V1 only creates. */
const FIRST_REVISION = 1;

const addressRule = object(addressRules);

export const orderRules: RuleTable<PreparedOrder, PurchaseOrder> = {
  externalSystem: value({ row: 1, source: [], rule: 'constant SRM7', mandatory: 'M', codes: [] }, () => 'SRM7'),
  externalId: value(
    {
      row: 2,
      source: ['ObjectId', 'VendorId', 'Currency', 'CoCode'],
      rule: 'SRM7-{client}-{ALPHA- ObjectId}-{ALPHA- VendorId}-{Currency}-{CoCode}',
      mandatory: 'M',
      codes: ['E_FIELD_MISSING'],
    },
    // Each part that is missing is reported by its own rule.
    ({ externalId }) => externalId,
  ),
  externalRevision: value({ row: 3, source: [], rule: 'constant 1', mandatory: 'M', codes: [] }, () => FIRST_REVISION),
  sourceDocument: object(sourceDocumentRules),
  purchaseRequestId: value(
    {
      row: 9,
      source: ['ExtDemid'],
      rule: 'one value -> COPY; several -> left out with a warning',
      mandatory: 'cfg',
      codes: ['E_EXTREF_MISSING'],
    },
    (order, context) => {
      const ids = distinctCodes(order.lines.map(({ item }) => item.ExtDemid));
      const path = ofFirstLine(order, 'ExtDemid');
      if (ids.length > 1) return warn(context, 'W_EXTREF_LEFT_OUT', 'several purchase requests; left out', path);
      if (ids.length === 0 && context.settings.purchaseRequestMandatory && order.group.isComplete) {
        const message = 'no line names a purchase request, and translation.purchaseRequestMandatory is true';
        return fault(context, 'E_EXTREF_MISSING', message, path);
      }
      return ids[0];
    },
  ),
  erpPurchaseOrderNumber: value(
    {
      row: 10,
      source: ['BeObjectId'],
      rule: 'one value -> ALPHA-; several -> left out with a warning',
      mandatory: 'O',
      codes: [],
    },
    (order, context) => {
      const ids = distinctCodes(order.lines.map(({ item }) => item.BeObjectId));
      const path = ofFirstLine(order, 'BeObjectId');
      if (ids.length > 1) return warn(context, 'W_FOLLOW_ON_LEFT_OUT', 'several follow-on documents; left out', path);
      return ids[0] === undefined ? undefined : stripZeros(ids[0]);
    },
  ),
  title: value(
    { row: 11, source: ['Description'], rule: 'TRIM; empty -> Shopping cart {number}', mandatory: 'M', codes: [] },
    ({ group: { cart } }, context) =>
      readableText(
        cart.Description ?? `Shopping cart ${cartNumber(cart.ObjectId) ?? ''}`,
        120,
        context,
        '$.Description',
      ),
  ),
  orderDate: value(
    {
      row: 12,
      source: ['ApprovedAt', 'PostingDate'],
      rule: 'calendar date of ApprovedAt in the interface zone; else PostingDate',
      mandatory: 'M',
      codes: ['E_DATE_INVALID'],
    },
    ({ group: { cart } }, context) => {
      // Mapping row 6 reports a wrong ApprovedAt.
      if (cart.ApprovedAt !== undefined)
        return dateInZone(cart.ApprovedAt, context.settings.timeZone, context, '$.ApprovedAt');
      const faultsBefore = context.faults.length;
      const postingDate = calendarDate(cart.PostingDate, context, '$.PostingDate');
      if (postingDate !== undefined || context.faults.length > faultsBefore) return postingDate;
      return fault(context, 'E_DATE_INVALID', 'neither a time of approval nor a posting date', '$.PostingDate');
    },
  ),
  currency: value(
    {
      row: 13,
      source: ['Currency'],
      rule: 'of the item, else of the header; upper-case, ISO 4217 known',
      mandatory: 'M',
      codes: ['E_MAP_CURRENCY'],
    },
    (order, context) => {
      const { cart, lines } = order.group;
      const isOfLines = lines.some(({ item }) => item.Currency !== undefined) || cart.Currency === undefined;
      const path = isOfLines ? ofFirstLine(order, 'Currency') : '$.Currency';
      const currency = mandatory(order.group.currency, context, path, 'E_MAP_CURRENCY');
      if (currency === undefined) return undefined;
      lookUpListed('currencyDecimals', currency, context, 'E_MAP_CURRENCY', path);
      return currency;
    },
  ),
  businessUnit: object(businessUnitRules),
  legalEntity: object(legalEntityRules),
  purchasingOrganization: value(
    { row: 16, source: ['ProcOrg'], rule: 'HR prefix dropped', mandatory: 'O', codes: [] },
    ({ group: { cart } }) => withoutHrPrefix(cart.ProcOrg),
  ),
  purchasingGroup: value(
    { row: 17, source: ['ProcGroup'], rule: 'HR prefix dropped', mandatory: 'O', codes: [] },
    ({ group: { cart } }) => withoutHrPrefix(cart.ProcGroup),
  ),
  supplier: object(supplierRules),
  requester: object(requesterRules),
  approver: object(approverRules),
  validity: object(validityRules),
  paymentTerms: value(
    { row: 27, source: ['PmntTrms'], rule: 'COPY', mandatory: 'O', codes: [] },
    ({ group: { cart } }) => cart.PmntTrms,
  ),
  incoterms: object(incotermRules),
  deliveryAddress: {
    spreadsheet: addressRule.spreadsheet,
    apply: ({ address, lines, group: { isComplete } }, context) => {
      if (address !== undefined) return addressRule.apply(address.address, context);
      if (!isComplete) return undefined;
      for (const { type, shipTo, path } of lines) {
        if (type === 'MATERIAL' && shipTo === undefined)
          fault(context, 'E_ADDRESS_MISSING', 'a material line has no ship-to address', at(path, 'Partners'));
      }
      return undefined;
    },
  },
  totals: object(totalsRules),
  lines: list<PreparedOrder, OrderedLine, OrderLine>(({ lines }) => lines, lineRules),
  notes: optionalList<Located<CartText>, Note>(
    ({ group: { cart } }, context) =>
      located(cart.Texts, '$.Texts').filter(
        ({ row: { Tdid = '', Text } }) => Text !== undefined && listedEntry('textType', Tdid, context) !== undefined,
      ),
    noteRules,
  ),
  attachments: optionalList<Located<CartAttachment>, Attachment>(publicAttachments, attachmentRules),
};

/** A list that is left out when it is empty. */
function optionalList<Element, Target extends object>(
  elements: (order: PreparedOrder, context: RuleContext) => readonly Element[],
  table: RuleTable<Element, Target>,
) {
  const { spreadsheet, apply } = list(elements, table);
  return {
    spreadsheet,
    apply: (order: PreparedOrder, context: RuleContext) => {
      const made = apply(order, context);
      return made?.length === 0 ? undefined : made;
    },
  };
}
