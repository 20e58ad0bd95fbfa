import {
  type AccountingDraft,
  type CartDraft,
  dayMs,
  draftAccountingPart,
  type DropReason,
  isEligible,
  type LineDraft,
  lineValueMinor,
  midnight,
  openEndMs,
  shareOrder,
  sixDigits,
  type SrmRow,
} from './cart-draft.ts';
import { anyLine, type CartOddity, lineFields, onCart, onLine, onLines } from './cart-oddity.ts';
import { goods } from './cart-vocabulary.ts';
import { minorDigits } from './exact-decimals.ts';
import { between, chance, pick, type Random } from './seeded-random.ts';

const isMaterial = ({ kind }: LineDraft): boolean => kind === 'MATERIAL';
const isLimit = ({ kind }: LineDraft): boolean => kind === 'LIMIT';
const isPriced = ({ kind }: LineDraft): boolean => kind !== 'LIMIT';
const hasPeriod = ({ startMs }: LineDraft): boolean => startMs !== null;

/** Adds a copy of a line in any position, dropped, so that it is in no order. */
function addDropped(cart: CartDraft, random: Random, reason: DropReason): LineDraft {
  const copy = { ...pick(random, cart.lines), edits: [], numberOf: null, dropped: reason };
  cart.lines.splice(between(random, 0, cart.lines.length), 0, copy);
  return copy;
}

const dropped = (reason: Exclude<DropReason, 'outline'>, statuses: readonly string[]): CartOddity['apply'] =>
  onCart((cart, random) => {
    const status = pick(random, statuses);
    addDropped(cart, random, reason).edits.push(() => ({ Status: status }));
  });

const lifeCycleOddities: readonly CartOddity[] = [
  // Edge case 14; rules.md, "Items".
  { name: 'item deleted', share: 0.03, apply: dropped('deleted', ['I1040', 'I1129']) },
  { name: 'item rejected', share: 0.03, apply: dropped('rejected', ['I1016']) },
  { name: 'item awaiting approval', share: 0.02, apply: dropped('awaiting', ['I1015', 'I1021', 'I1009']) },
  {
    // rules.md, "Schema or field": dropped items are not checked beyond the flags that drop them.
    name: 'dropped item breaks the contract',
    share: 0.015,
    apply: onCart((cart, random) => {
      const reason = pick(random, ['deleted', 'rejected'] as const);
      const wrong = { Quantity: { value: 1 }, Unit: 'ZZZ', Price: '1,00', VendorId: '', Accounting: 7, Texts: 'none' };
      addDropped(cart, random, reason).edits.push(() => wrong);
    }),
  },
  {
    // Edge case 22: one outline row, or a tree of two levels.
    name: 'outline rows',
    share: 0.05,
    apply: onCart((cart, random) => {
      const outlines = Array.from({ length: between(random, 1, 2) }, () => ({
        ...pick(random, cart.lines),
        article: pick(random, goods),
        numberOf: null,
        dropped: 'outline' as const,
        accounting: [],
        edits: [() => ({ Quantity: '0.000', Price: '0.0000', Value: '0.000', VendorId: '' })],
      }));
      cart.lines.splice(between(random, 0, cart.lines.length - 1), 0, ...outlines);
    }),
  },
  {
    // Edge case 29: a number must be unique only among the lines of one order.
    name: 'number of a dropped line',
    share: 0.015,
    apply: (cart, random) => {
      const line = cart.lines.find(isEligible);
      if (line === undefined) {
        return false;
      }
      addDropped(cart, random, 'deleted').numberOf = line;
      return true;
    },
  },
  {
    name: 'number of another order',
    share: 0.1,
    apply: (cart) => {
      const [first, ...others] = cart.lines.filter(isEligible);
      const other = others.find((line) => first !== undefined && !shareOrder(line, first));
      if (first === undefined || other === undefined) {
        return false;
      }
      other.numberOf = first;
      return true;
    },
  },
  {
    // Edge case 19, mapping row 10.
    name: 'follow-on order known',
    share: 0.04,
    apply: onCart((cart, random) => {
      const number = `${pick(random, ['', '0000'])}4500${sixDigits(random)}`;
      for (const line of cart.lines) {
        line.erpOrder = number;
        line.status = 'I1113';
      }
    }),
  },
  {
    // Mapping row 10: several numbers are reported and left out.
    name: 'follow-on order of each line',
    share: 0.015,
    apply: onLines((line, random) => {
      line.erpOrder = `4500${sixDigits(random)}`;
      line.status = 'I1113';
    }),
  },
  {
    // source-srm7.md, "Statuses": the status of an item may be ahead of its cart, or unknown.
    name: 'other item status',
    share: 0.03,
    apply: onLine(anyLine, (line, random) => {
      line.status = pick(random, ['I1111', 'I1080', 'I1120', 'I1116', 'I1180', 'I1038']);
    }),
  },
  { name: 'item status empty', share: 0.015, apply: lineFields(anyLine, { Status: '', StatusText: '' }) },
  {
    name: 'item status unknown',
    share: 0.01,
    apply: lineFields(anyLine, { Status: 'I9999', StatusText: 'Zugestellt' }),
  },
];

const codeOddities: readonly CartOddity[] = [
  {
    // Edge case 24, mapping row 13: the line still belongs to the order of its currency.
    name: 'currency in lower case',
    share: 0.015,
    apply: onLine(anyLine, (line) => {
      line.edits.push(() => ({ Currency: line.currency.toLowerCase() }));
    }),
  },
  {
    // Mapping row 13: the currency of the header replaces it.
    name: 'currency of a line empty',
    share: 0.015,
    apply: lineFields((line, cart) => line.currency === cart.currency, { Currency: '' }, { Currency: null }),
  },
  {
    // Edge case 50: the same supplier with and without leading zeros.
    name: 'supplier without its zeros',
    share: 0.03,
    apply: onLine(anyLine, (line) => {
      line.edits.push((row) => withoutZeros(row, ['VendorId']));
    }),
  },
  {
    // Edge case 50: a service whose conversion exits are on.
    name: 'zeros dropped everywhere',
    share: 0.02,
    apply: onLines((line) => {
      line.accounting = line.accounting.map(withoutObjectZeros);
      line.edits.push((row) => withoutZeros(row, ['VendorId', 'NumberInt', 'OrderedProd', 'CtrId', 'CtrItem']));
    }),
  },
  {
    // Edge case 50: a service whose conversion exits are off.
    name: 'zeros kept everywhere',
    share: 0.02,
    apply: onLines((line) => {
      line.edits.push((row) => paddedFields(row, { CtrItem: 10, ExtDemPosid: 10, OrderedProd: 18 }));
    }),
  },
  {
    // source-srm7.md, "Leading zeros": zeros alone are ABAP's initial value.
    name: 'references of zeros',
    share: 0.03,
    apply: lineFields(
      anyLine,
      { CtrItem: '0000000000' },
      { CtrId: '0000000000', CtrItem: '0000000000' },
      { ExtDemPosid: '0000000000' },
      { OrderedProd: '0'.repeat(18), BeObjectId: '0000000000' },
    ),
  },
  {
    // source-srm7.md, "Material number": up to 40 characters.
    name: 'long material number',
    share: 0.015,
    apply: onLine(isMaterial, (line, random) => {
      line.materialNumber = `NITRIL/${sixDigits(random)}-`.padEnd(40, 'Ä');
    }),
  },
  {
    // Mapping row 9; rules.md, "References".
    name: 'several purchase requests',
    share: 0.03,
    apply: onLines((line, random) => {
      line.purchaseRequest = chance(random, 0.2) ? '' : `PR-2026-${sixDigits(random)}`;
    }),
  },
  // Mapping row 28: the lines differ.
  {
    name: 'incoterm of one line',
    share: 0.015,
    apply: lineFields(anyLine, { IncotermKey: 'EXW', IncotermLoc: '' }, { IncotermKey: '', IncotermLoc: 'Anvers' }),
  },
];

const fieldText = (row: SrmRow, name: string): string => {
  const value = row[name];
  return typeof value === 'string' ? value : '';
};

function withoutZeros(row: SrmRow, names: readonly string[]): SrmRow {
  return Object.fromEntries(names.map((name) => [name, fieldText(row, name).replace(/^0+(?=\d+$)/, '')]));
}

function paddedFields(row: SrmRow, lengths: Readonly<Record<string, number>>): SrmRow {
  return Object.fromEntries(
    Object.entries(lengths).map(([name, length]) => {
      const text = fieldText(row, name);
      return [name, /^\d+$/.test(text) ? text.padStart(length, '0') : text];
    }),
  );
}

function withoutObjectZeros(part: AccountingDraft): AccountingDraft {
  const bare = (text: string): string => text.replace(/^0+(?=\d+$)/, '');
  return { ...part, object: bare(part.object), part: bare(part.part), glAccount: bare(part.glAccount) };
}

const nearSplits: readonly (readonly bigint[])[] = [
  [3333n, 3333n, 3333n],
  [3334n, 3334n, 3334n],
  [5000n, 4999n],
  [9999n],
  [10_001n],
  [2501n, 2500n, 2500n, 2500n],
  Array.from({ length: 6 }, () => 1667n),
  Array.from({ length: 7 }, () => 1428n),
];

const addPart = (part: (random: Random) => AccountingDraft): CartOddity['apply'] =>
  onLine(anyLine, (line, random) => {
    const at = between(random, 0, line.accounting.length);
    line.accounting = [...line.accounting.slice(0, at), part(random), ...line.accounting.slice(at)];
  });

const accountingOddities: readonly CartOddity[] = [
  {
    // Edge case 31: at most 0.01 for each part; the largest part takes it.
    name: 'split near 100 %',
    share: 0.03,
    apply: onLine(anyLine, (line, random) => {
      line.accounting = pick(random, nearSplits).map((percent) => draftAccountingPart(random, percent));
    }),
  },
  {
    // Edge case 32.
    name: 'many shares',
    share: 0.01,
    apply: onLine(anyLine, (line, random) => {
      line.accounting = Array.from({ length: 99 }, (_, index) => draftAccountingPart(random, index < 98 ? 101n : 102n));
    }),
  },
  {
    // Edge case 32: the smallest amount cannot be split, but the sum must be right.
    name: 'one minor unit in three shares',
    share: 0.015,
    apply: onLine(isPriced, (line, random) => {
      setExactPrice(line, 1000n, 1n);
      line.accounting = [3333n, 3333n, 3334n].map((percent) => draftAccountingPart(random, percent));
    }),
  },
  // Edge case 33.
  { name: 'share of 0 %', share: 0.02, apply: addPart((random) => draftAccountingPart(random, 0n)) },
  {
    // Edge case 31: a deleted share is left out before the sum.
    name: 'share deleted',
    share: 0.03,
    apply: addPart((random) => ({
      ...draftAccountingPart(random, 4000n),
      deleted: true,
      ...(chance(random, 0.3) ? { fields: { DistrPerc: '', AccCat: 'ZZ', GLAcct: '' } } : {}),
    })),
  },
  {
    // Mapping row 56: the position replaces the number.
    name: 'shares without numbers',
    share: 0.015,
    apply: onLine(anyLine, (line) => {
      line.accounting = line.accounting.map((part) => ({ ...part, fields: { ...part.fields, AccNo: '' } }));
    }),
  },
  {
    // Mapping row 60: optional by default.
    name: 'no G/L account',
    share: 0.015,
    apply: onLine(anyLine, (line) => {
      line.accounting = line.accounting.map((part) => ({ ...part, glAccount: '' }));
    }),
  },
];

/** A price in whole minor units, so that the value is exact, and without tax. */
function setExactPrice(line: LineDraft, quantityThousandths: bigint, priceMinor: bigint): void {
  line.quantityThousandths = quantityThousandths;
  line.priceUnit = 1n;
  line.priceTenThousandths = priceMinor * 10n ** BigInt(4 - minorDigits(line.currency));
  line.valueMinor = lineValueMinor(line);
  line.taxMinor = 0n;
}

const decimalFields = ['Quantity', 'Price', 'Value', 'TaxValue', 'Limit', 'ExpValue'] as const;

const trimmed = (decimal: unknown): unknown =>
  typeof decimal === 'string' && decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal;

const amountOddities: readonly CartOddity[] = [
  {
    // Edge case 37: 1 replaces it, and the value agrees.
    name: 'price unit 0 or empty',
    share: 0.03,
    apply: lineFields(
      ({ kind, priceUnit }) => kind !== 'LIMIT' && priceUnit === 1n,
      { PriceUnit: '0' },
      { PriceUnit: '' },
      { PriceUnit: null },
    ),
  },
  {
    // source-srm7.md, "Edm.Decimal": trailing zeros vary.
    name: 'decimals without trailing zeros',
    share: 0.04,
    apply: onLines((line) => {
      line.edits.push((row) => Object.fromEntries(decimalFields.map((name) => [name, trimmed(row[name])])));
    }),
  },
  {
    // rules.md, "Units and prices": a JSON number is accepted where its text is exact.
    name: 'whole numbers as JSON numbers',
    share: 0.015,
    apply: onLine(
      (line) => isPriced(line) && line.quantityThousandths % 1000n === 0n,
      (line) => {
        line.edits.push(() => ({
          Quantity: Number(line.quantityThousandths / 1000n),
          PriceUnit: Number(line.priceUnit),
        }));
      },
    ),
  },
  {
    // Mapping row 48: one minor unit of tolerance.
    name: 'value off by one minor unit',
    share: 0.02,
    apply: onLine(isPriced, (line, random) => {
      setExactPrice(line, 3000n, BigInt(between(random, 100, 99_999)));
      line.valueMinor += pick(random, [1n, -1n]);
    }),
  },
  {
    // Edge case 42: as many digits as the field of SRM holds.
    name: 'price of eleven digits',
    share: 0.01,
    apply: onLine(
      (line) => isPriced(line) && minorDigits(line.currency) === 2,
      (line) => setExactPrice(line, 1000n, 9_999_999_999_999n),
    ),
  },
  { name: 'tax empty', share: 0.02, apply: lineFields(anyLine, { TaxValue: '' }, { TaxValue: null }) },
  // Mapping rows 32 and 51: neither the line nor the order has it.
  { name: 'tax without a code', share: 0.015, apply: lineFields(anyLine, { TaxCode: '' }) },
  {
    // Edge case 58: a limit line needs only its limits.
    name: 'limit line with nothing but limits',
    share: 0.03,
    apply: lineFields(isLimit, { Quantity: '0.000', Unit: '', Price: '', PriceUnit: '0', Value: '0.000' }),
  },
  {
    // Edge case 60.
    name: 'expected as much as the limit',
    share: 0.03,
    apply: onLine(isLimit, (line) => {
      line.limitMinor = line.valueMinor;
    }),
  },
];

const dateOddities: readonly CartOddity[] = [
  {
    // Edge case 54: ABAP's initial date in an optional field.
    name: 'initial dates',
    share: 0.02,
    apply: lineFields(isMaterial, { StartDate: '00000000', EndDate: '00000000' }, { StartDate: '', EndDate: '' }),
  },
  {
    // Edge case 54, mapping row 26: an open end.
    name: 'end open',
    share: 0.05,
    apply: onLine(hasPeriod, (line, random) => {
      line.endMs = pick(random, [openEndMs, null]);
    }),
  },
  {
    // Edge case 56: a time of day that comes from a time zone does not change the date.
    name: 'dates near midnight',
    share: 0.03,
    apply: onLine(anyLine, (line) => {
      const late = (ms: number | null): number | null => (ms === null ? null : ms + dayMs - 1000);
      line.deliveryMs = late(line.deliveryMs);
      line.startMs = late(line.startMs);
    }),
  },
  {
    // source-srm7.md, "Negative ticks"; edge case 57.
    name: 'start before 1970',
    share: 0.01,
    apply: onLine(hasPeriod, (line, random) => {
      line.startMs = -dayMs * between(random, 1, 9000);
    }),
  },
  {
    // Edge case 57: the approval took long.
    name: 'dates in the past',
    share: 0.03,
    apply: onLine(anyLine, (line, random, cart) => {
      const past = midnight(cart.changedAtMs) - dayMs * between(random, 2, 30);
      line.deliveryMs = line.deliveryMs === null ? null : past;
      line.startMs = line.startMs === null ? null : past;
      line.endMs = line.endMs === null ? null : past + dayMs;
    }),
  },
  {
    // Mapping row 52: a service may have both.
    name: 'period and delivery date',
    share: 0.02,
    apply: onLine(hasPeriod, (line) => {
      line.deliveryMs = line.startMs;
    }),
  },
];

/** Oddities of items. */
export const lineOddities: readonly CartOddity[] = [
  ...codeOddities,
  ...accountingOddities,
  ...amountOddities,
  ...dateOddities,
  ...lifeCycleOddities,
];
