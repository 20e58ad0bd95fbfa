import {
  type Address,
  allowances,
  type Article,
  type Company,
  companies,
  goods,
  labour,
  people,
  type Person,
  services,
  titles,
  type Vendor,
  vendors,
  type Wording,
  wordings,
} from './cart-vocabulary.ts';
import { divideRounded, minorDigits } from './exact-decimals.ts';
import { between, chance, pick, type Random } from './seeded-random.ts';

/** What a line is to become in 11VMS. */
export type LineKind = 'MATERIAL' | 'SERVICE' | 'LABOUR' | 'LIMIT';

/** Why a line is left out of every order. */
export type DropReason = 'deleted' | 'rejected' | 'outline';

/** One share of a line's cost. */
export interface AccountingDraft {
  readonly category: 'CC' | 'OR' | 'WBS' | 'AS' | 'NET';
  readonly object: string;
  /** Sub-number of an asset, activity of a network. */
  readonly part: string;
  readonly percentHundredths: bigint;
  readonly glAccount: string;
  readonly profitCentre: string;
  readonly deleted: boolean;
}

/** A line before it is written as OData; amounts are counts of exact units, never floats. */
export interface LineDraft {
  readonly kind: LineKind;
  readonly article: Article;
  readonly currency: string;
  readonly priceUnit: bigint;
  readonly priceTenThousandths: bigint;
  readonly limitMinor: bigint;
  readonly taxCode: string;
  readonly deliveryMs: number | null;
  readonly texts: readonly Wording[];
  readonly contract: string;
  readonly materialNumber: string;
  readonly partNumber: string;
  readonly dropped: DropReason | null;
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
}

/** A cart before it is written as OData. */
export interface CartDraft {
  readonly company: Company;
  readonly currency: string;
  readonly title: string;
  readonly requester: Person;
  readonly approval: Approval;
  readonly changedAtMs: number;
  readonly versionType: '' | 'C' | 'H';
  readonly address: Address | null;
  readonly lines: readonly LineDraft[];
  readonly purchaseRequest: string;
  readonly erpOrder: string;
  readonly incoterm: { readonly code: string; readonly place: string } | null;
  companyCode: string;
  /** Takes the place of the list of items. */
  brokenItems: unknown;
}

/** Who approved: a person, a workflow's system user, or nobody where the cart was released automatically. */
export type Approval = { readonly by: Person } | 'workflow' | 'automatic';

/** What a draft is made to measure for. */
export interface DraftOrder {
  readonly changedAtMs: number;
  /** The kind of the first line, which a flaw needs. A cart with a flaw is never a version row. */
  readonly firstLine?: LineKind;
}

/** SAP's open end, 9999-12-31. */
export const openEndMs = 253_402_214_400_000;

const dayMs = 24 * 60 * 60 * 1000;

/** Invents a cart that breaks no rule. */
export function draftCart(random: Random, { changedAtMs, firstLine }: DraftOrder): CartDraft {
  const company = pick(random, companies);
  const currency = draftCurrency(random, 'EUR');
  const currencies = chance(random, 0.06) ? [currency, currency === 'USD' ? 'EUR' : 'USD'] : [currency];
  const suppliers = draftSuppliers(random);
  const lines = Array.from({ length: draftLineCount(random) }, (_, position) =>
    draftLine(random, {
      kind: position === 0 && firstLine !== undefined ? firstLine : draftKind(random),
      vendor: position === 0 ? pick(random, suppliers.slice(0, 1)) : pick(random, suppliers),
      currency: position === 0 ? currency : pick(random, currencies),
      company,
      day: midnight(changedAtMs),
      dropped: position > 0 && chance(random, 0.06) ? pick(random, ['deleted', 'rejected', 'outline'] as const) : null,
    }),
  );
  const delivery = draftDelivery(random, company, lines, firstLine === undefined);
  return {
    company,
    currency,
    title: chance(random, 0.03) ? '' : pick(random, titles),
    requester: pick(random, people),
    approval: draftApproval(random),
    changedAtMs,
    versionType: firstLine === undefined && chance(random, 0.02) ? pick(random, ['C', 'H'] as const) : '',
    address: delivery,
    lines,
    purchaseRequest: chance(random, 0.8) ? `PR-2026-${sixDigits(random)}` : '',
    erpOrder: chance(random, 0.04) ? `4500${sixDigits(random)}` : '',
    incoterm: chance(random, 0.1) ? { code: 'DAP', place: pick(random, company.addresses).city } : null,
    companyCode: company.code,
    brokenItems: undefined,
  };
}

/** Midnight UTC of the day of an instant. */
export function midnight(instantMs: number): number {
  return Math.floor(instantMs / dayMs) * dayMs;
}

/** Whether a line belongs in an order. */
export function isEligible(line: LineDraft): boolean {
  return line.dropped === null;
}

function draftCurrency(random: Random, usual: string): string {
  return chance(random, 0.84) ? usual : pick(random, ['USD', 'USD', 'GBP', 'CHF', 'JPY', 'KWD']);
}

function draftSuppliers(random: Random): readonly Vendor[] {
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

function draftApproval(random: Random): Approval {
  if (chance(random, 0.9)) {
    return { by: pick(random, people) };
  }
  return chance(random, 0.5) ? 'workflow' : 'automatic';
}

interface LineOrder {
  readonly kind: LineKind;
  readonly vendor: Vendor;
  readonly currency: string;
  readonly company: Company;
  readonly day: number;
  readonly dropped: DropReason | null;
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
    // The expected amount is the line's value, and the limit leaves some room above it.
    limitMinor: kind === 'LIMIT' ? valueMinor + valueMinor / BigInt(between(random, 1, 5)) : 0n,
    taxCode,
    taxMinor: taxCode === 'V1' ? divideRounded(valueMinor * company.taxRate, 100n) : 0n,
    ...draftTimes(random, kind, order.day),
    accounting: draftAccounting(random),
    texts: chance(random, 0.3) ? draftTexts(random) : [],
    contract: chance(random, 0.15) ? `4400${sixDigits(random)}` : '',
    materialNumber: kind === 'MATERIAL' && chance(random, 0.6) ? sixDigits(random).padStart(18, '0') : '',
    partNumber: kind === 'MATERIAL' && chance(random, 0.4) ? `NG-L-${between(random, 100, 999)}` : '',
    dropped: order.dropped,
    address: null,
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
  /** Bounds of the price, in cents of a euro. */
  readonly cents: readonly [lowest: number, highest: number];
}

function draftMeasure(random: Random, kind: LineKind): Measure {
  switch (kind) {
    case 'MATERIAL':
      return draftGoodsMeasure(random);
    case 'LABOUR':
      return draftLabourMeasure(random);
    case 'SERVICE': {
      const unit = pick(random, ['LE', 'LE', 'EA']);
      return { unit, quantityThousandths: whole(random, 1, 10), priceUnit: 1n, cents: [10_000, 900_000] };
    }
    default:
      return { unit: 'LE', quantityThousandths: 1000n, priceUnit: 1n, cents: [50_000, 2_000_000] };
  }
}

function draftGoodsMeasure(random: Random): Measure {
  if (chance(random, 0.15)) {
    return {
      unit: 'KG',
      quantityThousandths: BigInt(between(random, 250, 900_000)),
      priceUnit: 1n,
      cents: [50, 9_000],
    };
  }
  const unit = pick(random, ['ST', 'ST', 'PC', 'EA']);
  const priceUnit = pick(random, [1n, 1n, 1n, 10n, 100n, 1000n]);
  // At least one price unit is ordered, so that no line is worth nothing.
  return { unit, quantityThousandths: whole(random, 1, 60) * priceUnit, priceUnit, cents: [50, 90_000] };
}

function draftLabourMeasure(random: Random): Measure {
  const halves = (highest: number): bigint => BigInt(between(random, 2, highest)) * 500n;
  switch (pick(random, ['TAG', 'TAG', 'H', 'STD', 'MON'] as const)) {
    case 'TAG':
      return { unit: 'TAG', quantityThousandths: halves(240), priceUnit: 1n, cents: [35_000, 140_000] };
    case 'MON':
      return { unit: 'MON', quantityThousandths: whole(random, 1, 12), priceUnit: 1n, cents: [600_000, 1_900_000] };
    case 'H':
      return { unit: 'H', quantityThousandths: halves(900), priceUnit: 1n, cents: [3_500, 18_000] };
    default:
      return { unit: 'STD', quantityThousandths: halves(900), priceUnit: 1n, cents: [3_500, 18_000] };
  }
}

function whole(random: Random, lowest: number, highest: number): bigint {
  return BigInt(between(random, lowest, highest)) * 1000n;
}

/** A yen is about a cent and a fils a third of one, so cents become minor units of any currency. */
function draftPrice(random: Random, { cents: [lowest, highest], unit }: Measure, currency: string): bigint {
  const digits = minorDigits(currency);
  const minor = BigInt(between(random, lowest, highest)) * (digits === 3 ? 3n : 1n);
  const fine = unit !== 'LE' && chance(random, 0.12) ? BigInt(between(random, 1, 9)) : 0n;
  return minor * 10n ** BigInt(4 - digits) + fine;
}

/** Quantity x price / price unit, in minor units of the currency. */
function lineValueMinor(
  line: Omit<Measure, 'cents' | 'unit'> & Pick<LineDraft, 'priceTenThousandths' | 'currency'>,
): bigint {
  const scaled = line.quantityThousandths * line.priceTenThousandths * 10n ** BigInt(minorDigits(line.currency));
  return divideRounded(scaled, 10_000_000n * line.priceUnit);
}

function draftTimes(random: Random, kind: LineKind, day: number): Pick<LineDraft, 'deliveryMs' | 'startMs' | 'endMs'> {
  const startMs = day + between(random, 3, 60) * dayMs;
  if (kind === 'MATERIAL' || (kind !== 'LABOUR' && chance(random, 0.3))) {
    // An approval that took long leaves a delivery date in the past.
    const deliveryMs = chance(random, 0.03) ? day - 2 * dayMs : startMs;
    return { deliveryMs, startMs: null, endMs: null };
  }
  const openness = random();
  if (openness < 0.06) {
    return { deliveryMs: null, startMs, endMs: openness < 0.03 ? openEndMs : null };
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
  const parts = percents.map((percent) => draftAccountingPart(random, percent, false));
  // Both leave the sum of what counts at 100.00.
  return [
    ...parts,
    ...(chance(random, 0.02) ? [draftAccountingPart(random, 4000n, true)] : []),
    ...(chance(random, 0.01) ? [draftAccountingPart(random, 0n, false)] : []),
  ];
}

function draftAccountingPart(random: Random, percentHundredths: bigint, deleted: boolean): AccountingDraft {
  const glAccount = pick(random, ['0000615200', '0000602300', '0000625100', '615900']);
  const profitCentre = chance(random, 0.3) ? `0000${sixDigits(random)}` : '';
  return { ...draftAccountingObject(random), percentHundredths, glAccount, profitCentre, deleted };
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
    default: {
      const number = sixDigits(random);
      // Whether zeros lead depends on the service's conversion setting.
      return { category: 'CC', object: chance(random, 0.1) ? number : `0000${number}`, part: '' };
    }
  }
}

function draftTexts(random: Random): readonly Wording[] {
  const texts = Array.from({ length: between(random, 1, 3) }, () => pick(random, wordings));
  // Now and then one is longer than 11VMS takes.
  return texts.map(({ language, text }) => ({
    language,
    text: chance(random, 0.01) ? `${text}\r\n`.repeat(120) : text,
  }));
}

/** Puts a delivery address where MATERIAL lines find it: on the header, on all lines, or on one line for all. */
function draftDelivery(
  random: Random,
  company: Company,
  lines: readonly LineDraft[],
  mayBeShared: boolean,
): Address | null {
  const needed = lines.some((line) => isEligible(line) && line.kind === 'MATERIAL');
  const place = random();
  if (!needed && place < 0.3) {
    return null;
  }
  const common = pick(random, company.addresses);
  if (place < 0.55) {
    return common;
  }
  const [first, ...others] = lines;
  const oneGroup = others.every((line) => line.vendor === first?.vendor && line.currency === first?.currency);
  // As in the sample page: one line's address is the order's, as long as no line has another.
  const onOneLine = place > 0.9 && oneGroup && mayBeShared;
  for (const line of onOneLine ? lines.slice(0, 1) : lines) {
    line.address = place < 0.75 || onOneLine ? common : pick(random, company.addresses);
  }
  return place > 0.8 && place <= 0.9 ? common : null;
}

function sixDigits(random: Random): string {
  return String(between(random, 100_000, 999_999));
}
