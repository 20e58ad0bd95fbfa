/** Divides and rounds half up. Amounts are never negative. */
export function divideRounded(numerator: bigint, denominator: bigint): bigint {
  return (2n * numerator + denominator) / (2n * denominator);
}

/** Writes `units` of 10^-`scale` with exactly `digits` decimals: (1250n, 2, 3) is "12.500". */
export function unitsToDecimal(units: bigint, scale: number, digits: number): string {
  if (digits < scale) {
    throw new RangeError(`${units} x 10^-${scale} does not fit in ${digits} decimals`);
  }
  const shown = (units * 10n ** BigInt(digits - scale)).toString().padStart(digits + 1, '0');
  return digits === 0 ? shown : `${shown.slice(0, -digits)}.${shown.slice(-digits)}`;
}

/** Reads a decimal as a number of units of 10^-`scale`: ("12.50", 4) is 125000n. */
export function decimalToUnits(decimal: string, scale: number): bigint {
  const [whole = '', fraction = ''] = decimal.split('.');
  if (fraction.length > scale) {
    throw new RangeError(`${decimal} has more than ${scale} decimals`);
  }
  return BigInt(whole + fraction.padEnd(scale, '0'));
}

/** The number of decimals of a currency in ISO 4217: 2 for EUR, 0 for JPY, 3 for KWD. */
export function minorDigits(currency: string): number {
  const known = minorDigitsByCurrency.get(currency);
  if (known !== undefined) {
    return known;
  }
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  minorDigitsByCurrency.set(currency, digits);
  return digits;
}

// A NumberFormat takes about 20 us to build, too long to do for every order.
const minorDigitsByCurrency = new Map<string, number>();
