/**
 * Carts by fast-check: generated ones with any value in any place, and good ones with any amounts, splits and texts.
 */
import fc from '../../properties.ts';
import { generateCarts } from '../../simulators/carts.ts';
import { date, labour, limit, list, material, type Row, sampleCart, shares, shipTo, texts } from './sample-carts.ts';

/** Good, faulty and odd carts of the generator, without the very large ones, which only cost time. */
const pool: readonly Row[] = generateCarts({
  count: 400,
  seed: 11,
  from: new Date('2026-11-20T00:00:00Z'),
  to: new Date('2026-11-21T00:00:00Z'),
  faultyShare: 0.3,
})
  .map(({ row }) => row)
  .filter((row) => JSON.stringify(row).length < 40_000);

export const generatedCart: fc.Arbitrary<Row> = fc.constantFrom(...pool);

export type Path = readonly (string | number)[];

/** Every place in a cart: of fields, of entities and of lists. */
export function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const below = Object.entries(value).flatMap(([key, part]) =>
    pathsOf(part, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return path.length === 0 ? below : [path, ...below];
}

/** The same cart with another value in one place; undefined removes the place. */
export function replaced(value: unknown, [head, ...rest]: Path, by: unknown): unknown {
  if (head === undefined) return by;
  if (Array.isArray(value))
    return value.map((part: unknown, index) => (index === head ? replaced(part, rest, by) : part));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, key === head ? replaced(part, rest, by) : part]),
  );
}

const anyText = fc.string({ unit: 'binary', maxLength: 300 });

/** Valid and invalid values of a field. */
const content: fc.Arbitrary<unknown> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom<unknown>(
      '',
      ' ',
      'X',
      true,
      false,
      null,
      undefined,
      0,
      1,
      -1,
      '0',
      '00000000',
      '0000000000',
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.integer({ min: -5, max: 99_999 }), fc.nat({ max: 4 }))
      .map(([units, scale]) => (units / 10 ** scale).toFixed(scale)),
  },
  { weight: 1, arbitrary: fc.integer({ min: -9e15, max: 9e15 }).map((ms) => `/Date(${ms})/`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'EUR',
      'JPY',
      'KWD',
      'DEM',
      'I1129',
      'I1016',
      'CC',
      'AS',
      'TAG',
      '01',
      '02',
      '1E3',
      '1,5',
      '__proto__',
      'constructor',
    ),
  },
  { weight: 3, arbitrary: anyText },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', minLength: 30, maxLength: 5000 }) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
);

/** A generated cart with other values in some places. */
export const mutatedCart: fc.Arbitrary<Row> = generatedCart.chain((cart) =>
  fc
    .array(fc.tuple(fc.constantFrom(...pathsOf(cart)), content), { minLength: 1, maxLength: 5 })
    .map((changes) => changes.reduce<unknown>((row, [path, by]) => replaced(row, path, by), cart))
    .filter((row): row is Row => typeof row === 'object' && row !== null && !Array.isArray(row)),
);

const DECIMALS: Readonly<Record<string, number>> = { EUR: 2, JPY: 0, KWD: 3, USD: 2 };

/** An amount in minor units, as SRM writes it. */
const money = (minor: bigint, decimals: number): string => {
  const digits = minor.toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  return decimals === 0 ? whole : `${whole}.${digits.slice(-decimals)}`;
};

/** Percentages that add up to 100.00, or nearly. */
const percentages: fc.Arbitrary<readonly string[]> = fc
  .tuple(fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 12 }), fc.constantFrom(0, 0, 1, -1))
  .map(([weights, off]) => {
    const whole = weights.reduce((sum, weight) => sum + weight, 0);
    const hundredths = weights.map((weight) => Math.floor((weight * 10_000) / whole));
    const rest = 10_000 + off - hundredths.reduce((sum, part) => sum + part, 0);
    return [...hundredths.slice(1), (hundredths[0] ?? 0) + rest];
  })
  .map((hundredths) => hundredths.map((part) => (part / 100).toFixed(2)));

const day = fc
  .integer({ min: Date.UTC(2026, 0), max: Date.UTC(2030, 0) })
  .map((ms) => new Date(ms).toISOString().slice(0, 10));

/** Letters around any text, so that it is never blank. */
const anyTitle = fc.string({ unit: 'binary', maxLength: 400 }).map((text) => `A${text}Z`);

const line = (currency: string): fc.Arbitrary<Row> =>
  fc
    .record({
      kind: fc.constantFrom(labour, limit, material),
      quantity: fc.bigInt({ min: 1n, max: 9999n }),
      price: fc.bigInt({ min: 1n, max: 99_999_999n }),
      tax: fc.bigInt({ min: 0n, max: 99_999n }),
      split: percentages,
      VendorId: fc.constantFrom('0000100234', '0000100301'),
      description: anyTitle,
      longText: anyText,
      start: day,
      delivery: day,
    })
    .map(({ kind, quantity, price, tax, split, VendorId, description, longText, start, delivery }) => {
      const decimals = DECIMALS[currency] ?? 2;
      const value = money(quantity * price, decimals);
      return kind({
        Currency: currency,
        VendorId,
        Description: description,
        Quantity: `${quantity}.000`,
        Price: money(price, decimals),
        PriceUnit: '1',
        Value: value,
        ExpValue: value,
        Limit: value,
        TaxValue: money(tax, decimals),
        StartDate: date(start),
        EndDate: null,
        DelivDate: date(delivery),
        Texts: texts({ Tdid: 'ITXT', Language: 'EN', Text: longText }),
        Accounting: shares(...split),
      });
    });

/** A cart that breaks no rule: some of its lines for another supplier, one currency, any texts. */
export const goodCart: fc.Arbitrary<Row> = fc.constantFrom(...Object.keys(DECIMALS)).chain((Currency) =>
  fc
    .record({
      items: fc.array(line(Currency), { minLength: 1, maxLength: 5 }),
      title: anyTitle,
      name: anyText,
      note: anyText,
    })
    .map(({ items, title, name, note }) => {
      const numbered = items.map((item, index): Row => ({ ...item, NumberInt: String(index + 1) }));
      return {
        ...sampleCart,
        Currency,
        Description: title,
        RequesterName: name,
        TotalValue: money(
          numbered.map((item) => minorUnits(item['Value'])).reduce((sum, units) => sum + units, 0n),
          DECIMALS[Currency] ?? 2,
        ),
        Partners: shipTo({ Name: title }),
        Texts: texts({ Tdid: 'NOTE', Language: 'EN', Text: note }),
        Attachments: list({ Guid: sampleCart['Guid'], FileName: title }),
        Items: list(...numbered),
      };
    }),
);

const minorUnits = (value: unknown): bigint => BigInt(String(value).replace('.', ''));
