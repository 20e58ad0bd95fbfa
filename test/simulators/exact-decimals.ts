/** Divides and rounds half away from zero; amounts here are never negative, so that is half up. */
export function divideRounded(numerator: bigint, denominator: bigint): bigint {
  return (2n * numerator + denominator) / (2n * denominator);
}

/** Writes `units` of 10^-`scale` as a decimal with exactly `digits` decimals: (1250n, 2, 3) is "12.500". */
export function unitsToDecimal(units: bigint, scale: number, digits: number): string {
  if (digits < scale) {
    throw new RangeError(`${units} x 10^-${scale} does not fit in ${digits} decimals`);
  }
  const shown = (units * 10n ** BigInt(digits - scale)).toString().padStart(digits + 1, '0');
  return digits === 0 ? shown : `${shown.slice(0, -digits)}.${shown.slice(-digits)}`;
}

/** Reads a plain decimal such as "12.50" as a count of 10^-`scale`: ("12.50", 4) is 125000n. */
export function decimalToUnits(decimal: string, scale: number): bigint {
  const [whole = '', fraction = ''] = decimal.split('.');
  if (fraction.length > scale) {
    throw new RangeError(`${decimal} has more than ${scale} decimals`);
  }
  return BigInt(whole + fraction.padEnd(scale, '0'));
}

/** The decimals that ISO 4217 gives a currency: 2 for EUR, 0 for JPY, 3 for KWD. */
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

// Building a NumberFormat takes some 20 us, which a simulator under load would pay for every order.
const minorDigitsByCurrency = new Map<string, number>();
