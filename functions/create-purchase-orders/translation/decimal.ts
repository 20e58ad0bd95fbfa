/** Exact decimals, from SAP's text to the target's; never through a float (edge cases 38, 39, 42). */
import Big from 'big.js';

export type Decimal = Big;

/** At most 13 digits before the point, beside leading zeros; no exponent, no comma. */
const PLAIN = /^-?0*\d{1,13}(\.\d{1,10})?$/;

export const zero = new Big(0);

/** Undefined when the text is no plain decimal. */
export const parseDecimal = (text: string): Decimal | undefined => (PLAIN.test(text) ? new Big(text) : undefined);

export const powerOfTen = (exponent: number): Decimal => new Big(10).pow(exponent);

/** The smallest amount of a currency with so many decimals. */
export const minorUnit = (decimals: number): Decimal => powerOfTen(-decimals);

export const sum = (values: readonly Decimal[]): Decimal => values.reduce((total, value) => total.plus(value), zero);

/** True when nothing is lost by writing the value with so many decimals. */
export const hasAtMostDecimals = (value: Decimal, decimals: number): boolean =>
  value.round(decimals, Big.roundDown).eq(value);

/** `39000.000` with 2 decimals is `39000.00`. */
export const scaled = (value: Decimal, decimals: number): string => value.toFixed(decimals);

/** `60.000` is `60`. */
export const withoutTrailingZeros = (value: Decimal): string => value.toFixed();

/** At least so many decimals, more where the value has more: unit prices. */
export const withAtLeastDecimals = (value: Decimal, decimals: number): string =>
  hasAtMostDecimals(value, decimals) ? value.toFixed(decimals) : value.toFixed();

/**
 * Splits a total by weights, in units of the last decimal, by largest remainder: the parts always add up to the total,
 * and a tie goes to the first (mapping row 59; rules.md, "Ties"). The weights must not all be zero.
 */
export function splitByLargestRemainder<Part>(
  total: Decimal,
  parts: readonly Part[],
  weightOf: (part: Part) => Decimal,
  decimals: number,
): { readonly part: Part; readonly amount: Decimal }[] {
  const unit = minorUnit(decimals);
  const whole = sum(parts.map(weightOf));
  const shares = parts.map((part) => {
    const units = total.times(weightOf(part)).div(whole).div(unit);
    const floor = units.round(0, Big.roundDown);
    return { part, floor, remainder: units.minus(floor) };
  });
  const missing = Number(
    total
      .div(unit)
      .minus(sum(shares.map((share) => share.floor)))
      .toFixed(0),
  );
  const receivers = new Set(
    shares
      .map((share, index) => ({ index, remainder: share.remainder }))
      .sort((a, b) => b.remainder.cmp(a.remainder) || a.index - b.index)
      .slice(0, missing)
      .map(({ index }) => index),
  );
  return shares.map(({ part, floor }, index) => ({
    part,
    amount: floor.plus(receivers.has(index) ? 1 : 0).times(unit),
  }));
}
