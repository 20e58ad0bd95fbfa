import {
  type Address,
  allowances,
  type Article,
  type Company,
  companies,
  documents,
  goods,
  headerTextTypes,
  labour,
  people,
  type Person,
  services,
  titles,
  type Vendor,
  type Wording,
  wordings,
} from './cart-vocabulary.ts';
import { divideRounded, minorDigits, unitsToDecimal } from './exact-decimals.ts';
import { between, chance, pick, type Random } from './seeded-random.ts';

/** The type of the line in 11VMS. */
export type LineKind = 'MATERIAL' | 'SERVICE' | 'LABOUR' | 'LIMIT';

/** Why a line is in no order. */
export type DropReason = 'deleted' | 'rejected' | 'awaiting' | 'outline';

/** A row in the form of SRM's OData service. */
export type SrmRow = Readonly<Record<string, unknown>>;

/** Fields that replace those of the row. */
export type RowEdit = (row: SrmRow) => SrmRow;

export interface AccountingDraft {
  readonly category: 'CC' | 'OR' | 'WBS' | 'AS' | 'NET';
  readonly object: string;
  /** The sub-number of an asset, or the activity of a network. */
  readonly part: string;
  readonly percentHundredths: bigint;
  readonly glAccount: string;
  readonly profitCentre: string;
  readonly deleted: boolean;
  /** Fields that replace those of the draft. */
  readonly fields?: SrmRow;
}

/** A line before it is written as OData. Amounts are whole numbers of units, never floats. */
export interface LineDraft {
  readonly kind: LineKind;
  article: Article;
  currency: string;
  priceUnit: bigint;
  priceTenThousandths: bigint;
  limitMinor: bigint;
  taxCode: string;
  deliveryMs: number | null;
  texts: readonly Wording[];
  contract: string;
  materialNumber: string;
  partNumber: string;
  dropped: DropReason | null;
  vendor: Vendor | null;
  preferredVendor: Vendor | null;
  unit: string;
  quantityThousandths: bigint;
  valueMinor: bigint;
  taxMinor: bigint;
  startMs: number | null;
  endMs: number | null;
  accounting: readonly AccountingDraft[];
  address: Address | null;
  /** SRM's status of the line, unless it is dropped. */
  status: string;
  purchaseRequest: string;
  erpOrder: string;
  /** The line whose number this line has too. */
  numberOf: LineDraft | null;
  edits: RowEdit[];
}

export interface NoteDraft {
  readonly type: string;
  readonly wording: Wording;
}

export interface AttachmentDraft {
  readonly fileName: string;
  readonly mimeType: string;
  readonly sizeBytes: number;
  readonly internal: boolean;
}

/** How the service writes GUIDs. The GUID of the cart always has dashes. */
export type GuidStyle = 'dashed' | 'hex' | 'base64';

/** A cart before it is written as OData. */
export interface CartDraft {
  readonly company: Company;
  readonly currency: string;
  readonly changedAtMs: number;
  readonly lines: LineDraft[];
  title: string;
  language: string;
  requester: Person;
  approval: Approval;
  versionType: '' | 'C' | 'H';
  deleted: boolean;
  address: Address | null;
  incoterm: { readonly code: string; readonly place: string } | null;
  notes: readonly NoteDraft[];
  attachments: readonly AttachmentDraft[];
  companyCode: string;
  guidStyle: GuidStyle;
  /** Whether flags are JSON booleans instead of `X` and blank. */
  booleanFlags: boolean;
  /** The offset in minutes of every written instant from UTC. */
  offsetMinutes: number;
  /** Replaces the list of items. */
  brokenItems: unknown;
  readonly edits: RowEdit[];
}

/** The approver: a person, a system user, or none for a cart that was released automatically. */
export type Approval = { readonly by: Person } | { readonly systemUser: string } | 'automatic';

export interface DraftOrder {
  readonly changedAtMs: number;
  readonly vendors: readonly Vendor[];
  readonly currencies: readonly string[];
  /** The kind of the first line. A flaw may need a certain kind. */
  readonly firstLine?: LineKind;
}

/** 9999-12-31, which SAP writes for an open end. */
export const openEndMs = 253_402_214_400_000;

export const dayMs = 24 * 60 * 60 * 1000;

/** Draws a cart without flaws and oddities. */
export function draftCart(random: Random, order: DraftOrder): CartDraft {
  const { changedAtMs, firstLine } = order;
  const company = pick(random, companies);
  const accepted = (currency: string): string =>
    order.currencies.includes(currency) ? currency : pick(random, order.currencies);
  const currency = accepted(draftCurrency(random));
  const currencies = chance(random, 0.06) ? [currency, accepted(currency === 'USD' ? 'EUR' : 'USD')] : [currency];
  const suppliers = draftSuppliers(random, order.vendors);
  const purchaseRequest = chance(random, 0.8) ? `PR-2026-${sixDigits(random)}` : '';
  const lines = Array.from({ length: draftLineCount(random) }, (_, position) =>
    draftLine(random, {
      kind: position === 0 && firstLine !== undefined ? firstLine : draftKind(random),
      vendor: position === 0 ? pick(random, suppliers.slice(0, 1)) : pick(random, suppliers),
      currency: position === 0 ? currency : pick(random, currencies),
      company,
      day: midnight(changedAtMs),
      purchaseRequest,
    }),
  );
  return {
    company,
    currency,
    changedAtMs,
    lines,
    title: pick(random, titles),
    language: company.language,
    requester: pick(random, people),
    approval: { by: pick(random, people) },
    versionType: '',
    deleted: false,
    address: draftDelivery(random, company, lines, firstLine === undefined),
    incoterm: chance(random, 0.1) ? { code: 'DAP', place: pick(random, company.addresses).city } : null,
    notes: chance(random, 0.2) ? draftNotes(random) : [],
    attachments: chance(random, 0.1) ? draftAttachments(random, between(random, 1, 3)) : [],
    companyCode: company.code,
    guidStyle: 'dashed',
    booleanFlags: false,
    offsetMinutes: 0,
    brokenItems: undefined,
    edits: [],
  };
}

/** Attachments without content, some of them internal. */
export function draftAttachments(random: Random, count: number): readonly AttachmentDraft[] {
  return Array.from({ length: count }, () => ({
    ...pick(random, documents),
    sizeBytes: between(random, 900, 4_000_000),
    internal: chance(random, 0.2),
  }));
}

function draftNotes(random: Random): readonly NoteDraft[] {
  return Array.from({ length: between(random, 1, 2) }, () => ({
    type: pick(random, headerTextTypes),
    wording: pick(random, wordings),
  }));
}

/** An amount as SRM writes it: with three decimals, or with more if the currency has more. */
export function moneyText(minor: bigint, currency: string): string {
  const scale = minorDigits(currency);
  return unitsToDecimal(minor, scale, Math.max(3, scale));
}

/** The lines that SRM's header total counts: not dropped, and in the currency of the header. */
export function countedLines({ lines, currency }: CartDraft): readonly LineDraft[] {
  return lines.filter((line) => isEligible(line) && line.currency === currency);
}

/** The total of the header before tax. */
export function totalMinor(cart: CartDraft): bigint {
  return countedLines(cart).reduce((sum, { valueMinor }) => sum + valueMinor, 0n);
}

/** Whether two lines belong to the same order. */
export function shareOrder(left: LineDraft, right: LineDraft): boolean {
  return left.vendor?.id === right.vendor?.id && left.currency === right.currency;
}

/** Midnight UTC of the day of an instant. */
export function midnight(instantMs: number): number {
  return Math.floor(instantMs / dayMs) * dayMs;
}

/** Whether a line belongs to an order. */
export function isEligible(line: LineDraft): boolean {
  return line.dropped === null;
}

function draftCurrency(random: Random): string {
  return chance(random, 0.8)
    ? 'EUR'
    : pick(random, ['USD', 'USD', 'GBP', 'CHF', 'JPY', 'JPY', 'KWD', 'TND', 'BHD', 'KRW']);
}

function draftSuppliers(random: Random, vendors: readonly Vendor[]): readonly Vendor[] {
  const many = random();
  if (many < 0.75) {
    return [pick(random, vendors)];
  }
  return Array.from({ length: many < 0.95 ? 2 : 3 }, () => pick(random, vendors));
}

function draftLineCount(random: Random): number {
  return chance(random, 0.7) ? between(random, 1, 4) : between(random, 1, 8);
}

function draftKind(random: Random): LineKind {
  return pick(random, ['MATERIAL', 'MATERIAL', 'MATERIAL', 'SERVICE', 'LABOUR', 'LABOUR', 'LIMIT'] as const);
}

interface LineOrder {
  readonly kind: LineKind;
  readonly vendor: Vendor;
  readonly currency: string;
  readonly company: Company;
  readonly day: number;
  readonly purchaseRequest: string;
}

function draftLine(random: Random, order: LineOrder): LineDraft {
  const { kind, currency, company } = order;
  const measure = draftMeasure(random, kind);
  const priceTenThousandths = draftPrice(random, measure, currency);
  const valueMinor = lineValueMinor({ ...measure, priceTenThousandths, currency });
  const taxCode = chance(random, 0.8) ? 'V0' : 'V1';
  return {
    kind,
    article: pick(random, articlesByKind[kind]),
    currency,
    vendor: order.vendor,
    preferredVendor: null,
    unit: measure.unit,
    quantityThousandths: measure.quantityThousandths,
    priceUnit: measure.priceUnit,
    priceTenThousandths,
    valueMinor,
    // The expected amount is the value of the line, and the limit is a little higher.
    limitMinor: kind === 'LIMIT' ? valueMinor + valueMinor / BigInt(between(random, 1, 5)) : 0n,
    taxCode,
    taxMinor: taxCode === 'V1' ? divideRounded(valueMinor * company.taxRate, 100n) : 0n,
    ...draftTimes(random, kind, order.day),
    accounting: draftAccounting(random),
    texts: chance(random, 0.3) ? draftTexts(random) : [],
    contract: chance(random, 0.15) ? `4400${sixDigits(random)}` : '',
    materialNumber: kind === 'MATERIAL' && chance(random, 0.6) ? sixDigits(random).padStart(18, '0') : '',
    partNumber: kind === 'MATERIAL' && chance(random, 0.4) ? `NG-L-${between(random, 100, 999)}` : '',
    dropped: null,
    address: null,
    status: 'I1129',
    purchaseRequest: order.purchaseRequest,
    erpOrder: '',
    numberOf: null,
    edits: [],
  };
}

const articlesByKind: Record<LineKind, readonly Article[]> = {
  MATERIAL: goods,
  SERVICE: services,
  LABOUR: labour,
  LIMIT: allowances,
};

interface Measure {
  readonly unit: string;
  readonly quantityThousandths: bigint;
  readonly priceUnit: bigint;
  /** The range of the price, in euro cents. */
  readonly cents: readonly [lowest: number, highest: number];
}

function draftMeasure(random: Random, kind: LineKind): Measure {
  switch (kind) {
    case 'MATERIAL':
      return draftGoodsMeasure(random);
    case 'LABOUR':
      return draftLabourMeasure(random);
    case 'SERVICE': {
      // A service in years or minutes is not labour.
      const unit = pick(random, ['LE', 'LE', 'EA', 'AU', 'JHR', 'MIN']);
      return { unit, quantityThousandths: whole(random, 1, 10), priceUnit: 1n, cents: [10_000, 900_000] };
    }
    default:
      return { unit: 'LE', quantityThousandths: 1000n, priceUnit: 1n, cents: [50_000, 2_000_000] };
  }
}

function draftGoodsMeasure(random: Random): Measure {
  if (chance(random, 0.15)) {
    const unit = pick(random, ['KG', 'KG', 'G', 'TO', 'M', 'M2', 'M3', 'L', 'KM']);
    return { unit, quantityThousandths: BigInt(between(random, 250, 900_000)), priceUnit: 1n, cents: [50, 9_000] };
  }
  const unit = pick(random, ['ST', 'ST', 'PC', 'EA']);
  const priceUnit = pick(random, [1n, 1n, 1n, 10n, 100n, 1000n]);
  // At least one price unit is ordered, so that the value is never zero.
  return { unit, quantityThousandths: whole(random, 1, 60) * priceUnit, priceUnit, cents: [50, 90_000] };
}

interface LabourUnit {
  readonly unit: string;
  /** The longest job, in half units. */
  readonly halves: number;
  readonly cents: readonly [lowest: number, highest: number];
}

/** The time units of labour, with their internal and their English key. */
const labourUnits: readonly LabourUnit[] = [
  { unit: 'TAG', halves: 240, cents: [35_000, 140_000] },
  { unit: 'TAG', halves: 240, cents: [35_000, 140_000] },
  { unit: 'DAY', halves: 240, cents: [35_000, 140_000] },
  { unit: 'H', halves: 900, cents: [3_500, 18_000] },
  { unit: 'STD', halves: 900, cents: [3_500, 18_000] },
  { unit: 'WCH', halves: 40, cents: [150_000, 600_000] },
  { unit: 'WK', halves: 40, cents: [150_000, 600_000] },
  { unit: 'MON', halves: 24, cents: [600_000, 1_900_000] },
];

function draftLabourMeasure(random: Random): Measure {
  const { unit, halves, cents } = pick(random, labourUnits);
  return { unit, quantityThousandths: BigInt(between(random, 2, halves)) * 500n, priceUnit: 1n, cents };
}

function whole(random: Random, lowest: number, highest: number): bigint {
  return BigInt(between(random, lowest, highest)) * 1000n;
}

/** Takes euro cents as minor units of any currency: a yen is about one cent, a fils about a third. */
function draftPrice(random: Random, { cents: [lowest, highest], unit }: Measure, currency: string): bigint {
  const digits = minorDigits(currency);
  const minor = BigInt(between(random, lowest, highest)) * (digits === 3 ? 3n : 1n);
  const fine = unit !== 'LE' && chance(random, 0.12) ? BigInt(between(random, 1, 9)) : 0n;
  return minor * 10n ** BigInt(4 - digits) + fine;
}

/** Quantity x price / price unit, in minor units of the currency. */
export function lineValueMinor(
  line: Omit<Measure, 'cents' | 'unit'> & Pick<LineDraft, 'priceTenThousandths' | 'currency'>,
): bigint {
  const scaled = line.quantityThousandths * line.priceTenThousandths * 10n ** BigInt(minorDigits(line.currency));
  return divideRounded(scaled, 10_000_000n * line.priceUnit);
}

function draftTimes(random: Random, kind: LineKind, day: number): Pick<LineDraft, 'deliveryMs' | 'startMs' | 'endMs'> {
  const startMs = day + between(random, 3, 60) * dayMs;
  if (kind === 'MATERIAL' || (kind !== 'LABOUR' && chance(random, 0.3))) {
    return { deliveryMs: startMs, startMs: null, endMs: null };
  }
  return { deliveryMs: null, startMs, endMs: startMs + between(random, 0, 180) * dayMs };
}

const splits: readonly (readonly bigint[])[] = [
  [6000n, 4000n],
  [5000n, 5000n],
  [3333n, 3333n, 3334n],
  [2500n, 2500n, 2500n, 2500n],
  [1250n, 8750n],
  [1n, 9999n],
];

function draftAccounting(random: Random): readonly AccountingDraft[] {
  const percents = chance(random, 0.75) ? [10_000n] : pick(random, splits);
  return percents.map((percent) => draftAccountingPart(random, percent));
}

/** One share of the cost of a line, on any cost object of SAP. */
export function draftAccountingPart(random: Random, percentHundredths: bigint): AccountingDraft {
  const glAccount = pick(random, ['0000615200', '0000602300', '0000625100']);
  const profitCentre = chance(random, 0.3) ? `0000${sixDigits(random)}` : '';
  return { ...draftAccountingObject(random), percentHundredths, glAccount, profitCentre, deleted: false };
}

function draftAccountingObject(random: Random): Pick<AccountingDraft, 'category' | 'object' | 'part'> {
  switch (pick(random, ['CC', 'CC', 'CC', 'CC', 'WBS', 'WBS', 'OR', 'AS', 'NET'] as const)) {
    case 'WBS':
      return { category: 'WBS', object: `C-2027-${between(random, 1000, 9999)}`, part: '' };
    case 'OR':
      return { category: 'OR', object: `000000${sixDigits(random)}`, part: '' };
    case 'AS':
      return { category: 'AS', object: `000000${sixDigits(random)}`, part: pick(random, ['', '0001']) };
    case 'NET':
      return { category: 'NET', object: `000004${sixDigits(random)}`, part: pick(random, ['', '0010']) };
    default:
      return { category: 'CC', object: `0000${sixDigits(random)}`, part: '' };
  }
}

function draftTexts(random: Random): readonly Wording[] {
  return Array.from({ length: between(random, 1, 3) }, () => pick(random, wordings));
}

/** Sets the delivery address: on the header, on all lines, or on one line for all. */
function draftDelivery(
  random: Random,
  company: Company,
  lines: readonly LineDraft[],
  mayBeShared: boolean,
): Address | null {
  const needed = lines.some(({ kind }) => kind === 'MATERIAL');
  const place = random();
  if (!needed && place < 0.3) {
    return null;
  }
  const common = pick(random, company.addresses);
  if (place < 0.55) {
    return common;
  }
  const [first, ...others] = lines;
  const oneGroup = first !== undefined && others.every((line) => shareOrder(line, first));
  // As in the sample: the address of a service is that of the whole order, where no material has one of its own.
  const isSite = first?.kind !== 'MATERIAL';
  const onOneLine = place > 0.9 && oneGroup && mayBeShared && isSite;
  for (const line of onOneLine ? lines.slice(0, 1) : lines) {
    line.address = place < 0.75 || onOneLine ? common : pick(random, company.addresses);
  }
  return place > 0.8 && place <= 0.9 ? common : null;
}

/** Six digits. The first is not zero. */
export function sixDigits(random: Random): string {
  return String(between(random, 100_000, 999_999));
}
