import * as z from 'zod';
import { decimalToUnits, minorDigits } from './exact-decimals.ts';
import { type PurchaseOrder, type PurchaseOrderLine, purchaseOrderSchema } from './vms-order-schema.ts';

/** One entry of a problem's `errors[]`. */
export interface OrderFault {
  readonly code: string;
  /** A JSON pointer into the body. */
  readonly pointer: string;
  readonly detail: string;
}

/** What 11VMS knows beyond the body itself. */
export interface OrderRules {
  readonly isActiveSupplier: (code: string) => boolean;
  readonly purchaseRequestRequired: boolean;
}

/** A body judged: an order that may be stored, or everything that is wrong with it. */
export type JudgedOrder = { readonly order: PurchaseOrder } | { readonly faults: readonly OrderFault[] };

/** Checks a body against the contract: its shape first, and what its fields say together once the shape is right. */
export function judgeOrder(body: unknown, rules: OrderRules): JudgedOrder {
  const parsed = purchaseOrderSchema.safeParse(body);
  if (!parsed.success) {
    return { faults: parsed.error.issues.flatMap((issue) => shapeFaults(issue, body)) };
  }
  const order = parsed.data;
  const faults = [...headerFaults(order, rules), ...totalFaults(order), ...lineFaults(order)];
  return faults.length === 0 ? { order } : { faults };
}

function shapeFaults(issue: z.core.$ZodIssue, body: unknown): OrderFault[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      code: 'UNKNOWN_PROPERTY',
      pointer: jsonPointer([...issue.path, key]),
      detail: `Property ${key} is not known`,
    }));
  }
  return [{ code: shapeCode(issue, body), pointer: jsonPointer(issue.path), detail: issue.message }];
}

function shapeCode(issue: z.core.$ZodIssue, body: unknown): string {
  if (valueAt(body, issue.path) === undefined) {
    return 'REQUIRED';
  }
  switch (issue.code) {
    case 'custom':
      return typeof issue.params?.['code'] === 'string' ? issue.params['code'] : 'INVALID_VALUE';
    case 'invalid_format':
      return 'INVALID_FORMAT';
    case 'invalid_type':
      return 'INVALID_TYPE';
    case 'too_big':
      return 'TOO_LONG';
    default:
      return 'INVALID_VALUE';
  }
}

function valueAt(body: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    body,
  );
}

function jsonPointer(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function headerFaults(order: PurchaseOrder, rules: OrderRules): OrderFault[] {
  const { supplier, requester, validity, deliveryAddress, lines } = order;
  const faults: OrderFault[] = [];
  if (!rules.isActiveSupplier(supplier.code)) {
    faults.push(fault('SUPPLIER_NOT_FOUND', '/supplier/code', `No active supplier ${supplier.code}`));
  }
  if (rules.purchaseRequestRequired && order.purchaseRequestId === undefined) {
    faults.push(fault('REQUIRED', '/purchaseRequestId', 'A purchase request is required'));
  }
  if (requester.externalId === undefined && requester.email === undefined) {
    faults.push(fault('REQUIRED', '/requester', 'externalId or email is required'));
  }
  if (validity === undefined && lines.some(({ type, servicePeriod }) => type === 'LABOUR' || servicePeriod)) {
    faults.push(fault('REQUIRED', '/validity', 'Required with a LABOUR line or a service period'));
  }
  if (deliveryAddress === undefined && lines.some(({ type, deliverTo }) => type === 'MATERIAL' && !deliverTo)) {
    faults.push(fault('REQUIRED', '/deliveryAddress', 'Required with a MATERIAL line that has no deliverTo'));
  }
  return [...faults, ...periodFaults(validity, '/validity'), ...repeatedLineNumbers(lines)];
}

function repeatedLineNumbers(lines: readonly PurchaseOrderLine[]): OrderFault[] {
  const seen = new Set<number>();
  return lines.flatMap(({ lineNumber }, index) => {
    const repeated = seen.has(lineNumber);
    seen.add(lineNumber);
    return repeated ? [fault('DUPLICATE', `/lines/${index}/lineNumber`, `Line ${lineNumber} is there twice`)] : [];
  });
}

function totalFaults({ totals, lines, currency }: PurchaseOrder): OrderFault[] {
  const net = amount(totals.netAmount);
  const tax = amount(totals.taxAmount);
  const faults = amountFaults(currency, totals, '/totals');
  if (net !== total(lines.map(({ netAmount }) => netAmount))) {
    faults.push(fault('AMOUNT_MISMATCH', '/totals/netAmount', 'Is not the sum of the lines'));
  }
  if (amount(totals.grossAmount) !== net + tax) {
    faults.push(fault('AMOUNT_MISMATCH', '/totals/grossAmount', 'Is not net plus tax'));
  }
  const taxes = lines.flatMap((line) => (line.tax === undefined ? [] : [line.tax.amount]));
  // A line may leave its tax out, and then the sum says nothing.
  if (taxes.length === lines.length && total(taxes) !== tax) {
    faults.push(fault('AMOUNT_MISMATCH', '/totals/taxAmount', 'Is not the sum of the lines'));
  }
  return faults;
}

function lineFaults({ lines, currency }: PurchaseOrder): OrderFault[] {
  return lines.flatMap((line, index) => {
    const pointer = `/lines/${index}`;
    return [
      ...amountFaults(currency, { netAmount: line.netAmount }, pointer),
      ...(line.tax === undefined ? [] : amountFaults(currency, { amount: line.tax.amount }, `${pointer}/tax`)),
      ...(line.type === 'LIMIT' ? limitFaults(line, currency, pointer) : priceFaults(line, currency, pointer)),
      ...timeFaults(line, pointer),
      ...accountingFaults(line, currency, pointer),
    ];
  });
}

function priceFaults(line: PurchaseOrderLine, currency: string, pointer: string): OrderFault[] {
  const { quantity, unitOfMeasure, unitPrice, priceBaseQuantity, netAmount } = line;
  const missing = Object.entries({ quantity, unitOfMeasure, unitPrice, priceBaseQuantity })
    .filter(([, value]) => value === undefined)
    .map(([name]) => fault('REQUIRED', `${pointer}/${name}`, `Required on a ${line.type} line`));
  if (quantity === undefined || unitPrice === undefined || priceBaseQuantity === undefined) {
    return missing;
  }
  if (amount(quantity) === 0n) {
    return [...missing, fault('INVALID_VALUE', `${pointer}/quantity`, 'Must be more than zero')];
  }
  const base = BigInt(priceBaseQuantity);
  const difference = amount(quantity) * amount(unitPrice) - amount(netAmount) * 10_000n * base;
  const minorUnit = 10n ** BigInt(4 - minorDigits(currency));
  return (difference < 0n ? -difference : difference) > minorUnit * 10_000n * base
    ? [...missing, fault('AMOUNT_MISMATCH', `${pointer}/netAmount`, 'Is not quantity x unit price')]
    : missing;
}

function limitFaults({ limit, netAmount }: PurchaseOrderLine, currency: string, pointer: string): OrderFault[] {
  if (limit === undefined) {
    return [fault('REQUIRED', `${pointer}/limit`, 'Required on a LIMIT line')];
  }
  const { maximumAmount, unlimited, expectedAmount } = limit;
  const faults = amountFaults(currency, { maximumAmount, expectedAmount }, `${pointer}/limit`);
  if ((maximumAmount === undefined) === (unlimited === undefined)) {
    faults.push(fault('INVALID_VALUE', `${pointer}/limit`, 'Either maximumAmount or unlimited is required'));
  }
  if (maximumAmount !== undefined && amount(expectedAmount) > amount(maximumAmount)) {
    faults.push(fault('INVALID_VALUE', `${pointer}/limit/expectedAmount`, 'Is over the maximum'));
  }
  if (amount(netAmount) !== amount(expectedAmount)) {
    faults.push(fault('AMOUNT_MISMATCH', `${pointer}/netAmount`, 'Is not the expected amount'));
  }
  return faults;
}

function timeFaults({ deliveryDate, servicePeriod }: PurchaseOrderLine, pointer: string): OrderFault[] {
  return deliveryDate === undefined && servicePeriod === undefined
    ? [fault('REQUIRED', pointer, 'deliveryDate or servicePeriod is required')]
    : periodFaults(servicePeriod, `${pointer}/servicePeriod`);
}

function periodFaults(period: PurchaseOrder['validity'], pointer: string): OrderFault[] {
  // Dates of one form compare as texts.
  return period?.endDate !== undefined && period.endDate < period.startDate
    ? [fault('INVALID_VALUE', `${pointer}/endDate`, 'Is before the start')]
    : [];
}

const objectByCategory = {
  COST_CENTRE: 'costCentre',
  INTERNAL_ORDER: 'internalOrder',
  WBS: 'wbsElement',
  ASSET: 'asset',
  NETWORK: 'network',
} as const;

function accountingFaults(line: PurchaseOrderLine, currency: string, pointer: string): OrderFault[] {
  const faults = line.accounting.flatMap((part, index) => {
    const partPointer = `${pointer}/accounting/${index}`;
    const object = objectByCategory[part.category];
    const missing = fault('REQUIRED', `${partPointer}/${object}`, `Required with category ${part.category}`);
    return [
      ...amountFaults(currency, { amount: part.amount }, partPointer),
      ...(part[object] === undefined ? [missing] : []),
    ];
  });
  if (total(line.accounting.map(({ percentage }) => percentage)) !== amount('100')) {
    faults.push(fault('PERCENTAGE_MISMATCH', `${pointer}/accounting`, 'Percentages do not add up to 100.00'));
  }
  if (total(line.accounting.map((part) => part.amount)) !== amount(line.netAmount)) {
    faults.push(fault('AMOUNT_MISMATCH', `${pointer}/accounting`, 'Amounts do not add up to the line'));
  }
  return faults;
}

/** An amount may be written with more decimals than its currency has, but they must be zeros. */
function amountFaults(
  currency: string,
  amounts: Readonly<Record<string, string | undefined>>,
  pointer: string,
): OrderFault[] {
  const minorUnit = 10n ** BigInt(4 - minorDigits(currency));
  return Object.entries(amounts)
    .filter(([, value]) => value !== undefined && amount(value) % minorUnit !== 0n)
    .map(([name]) => fault('AMOUNT_PRECISION', `${pointer}/${name}`, `More decimals than ${currency} has`));
}

function total(decimals: readonly string[]): bigint {
  return decimals.reduce((sum, decimal) => sum + amount(decimal), 0n);
}

/** In ten-thousandths, the finest that the contract's decimals can say. */
function amount(decimal: string): bigint {
  return decimalToUnits(decimal, 4);
}

function fault(code: string, pointer: string, detail: string): OrderFault {
  return { code, pointer, detail };
}
