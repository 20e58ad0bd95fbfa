import * as z from 'zod';
import { decimalToUnits, minorDigits } from './exact-decimals.ts';
import { type PurchaseOrder, type PurchaseOrderLine, purchaseOrderSchema } from './vms-order-schema.ts';

/** One entry of `errors[]` in a problem. */
export interface OrderError {
  readonly code: string;
  /** A JSON pointer into the body. */
  readonly pointer: string;
  readonly detail: string;
}

/** What 11VMS checks against its own data and settings. */
export interface OrderRules {
  readonly isActiveSupplier: (code: string) => boolean;
  readonly purchaseRequestRequired: boolean;
}

/** Either an order that may be stored, or all errors of the body. */
export type JudgedOrder = { readonly order: PurchaseOrder } | { readonly errors: readonly OrderError[] };

/** Checks a body against the contract: first its shape, then the rules between its fields. */
export function judgeOrder(body: unknown, rules: OrderRules): JudgedOrder {
  const parsed = purchaseOrderSchema.safeParse(body);
  if (!parsed.success) {
    return { errors: parsed.error.issues.flatMap((issue) => shapeErrors(issue, body)) };
  }
  const order = parsed.data;
  const errors = [...headerErrors(order, rules), ...totalErrors(order), ...lineErrors(order)];
  return errors.length === 0 ? { order } : { errors };
}

function shapeErrors(issue: z.core.$ZodIssue, body: unknown): OrderError[] {
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

function headerErrors(order: PurchaseOrder, rules: OrderRules): OrderError[] {
  const { supplier, requester, validity, deliveryAddress, lines } = order;
  const errors: OrderError[] = [];
  if (!rules.isActiveSupplier(supplier.code)) {
    errors.push(orderError('SUPPLIER_NOT_FOUND', '/supplier/code', `No active supplier ${supplier.code}`));
  }
  if (rules.purchaseRequestRequired && order.purchaseRequestId === undefined) {
    errors.push(orderError('REQUIRED', '/purchaseRequestId', 'A purchase request is required'));
  }
  if (requester.externalId === undefined && requester.email === undefined) {
    errors.push(orderError('REQUIRED', '/requester', 'externalId or email is required'));
  }
  if (validity === undefined && lines.some(({ type, servicePeriod }) => type === 'LABOUR' || servicePeriod)) {
    errors.push(orderError('REQUIRED', '/validity', 'Required with a LABOUR line or a service period'));
  }
  if (deliveryAddress === undefined && lines.some(({ type, deliverTo }) => type === 'MATERIAL' && !deliverTo)) {
    errors.push(orderError('REQUIRED', '/deliveryAddress', 'Required with a MATERIAL line that has no deliverTo'));
  }
  return [...errors, ...periodErrors(validity, '/validity'), ...repeatedLineNumbers(lines)];
}

function repeatedLineNumbers(lines: readonly PurchaseOrderLine[]): OrderError[] {
  const seen = new Set<number>();
  return lines.flatMap(({ lineNumber }, index) => {
    const repeated = seen.has(lineNumber);
    seen.add(lineNumber);
    return repeated ? [orderError('DUPLICATE', `/lines/${index}/lineNumber`, `Line ${lineNumber} is there twice`)] : [];
  });
}

function totalErrors({ totals, lines, currency }: PurchaseOrder): OrderError[] {
  const net = amount(totals.netAmount);
  const tax = amount(totals.taxAmount);
  const errors = amountErrors(currency, totals, '/totals');
  if (net !== total(lines.map(({ netAmount }) => netAmount))) {
    errors.push(orderError('AMOUNT_MISMATCH', '/totals/netAmount', 'Is not the sum of the lines'));
  }
  if (amount(totals.grossAmount) !== net + tax) {
    errors.push(orderError('AMOUNT_MISMATCH', '/totals/grossAmount', 'Is not net plus tax'));
  }
  if (total(lines.flatMap((line) => (line.tax === undefined ? [] : [line.tax.amount]))) !== tax) {
    errors.push(orderError('AMOUNT_MISMATCH', '/totals/taxAmount', 'Is not the sum of the lines'));
  }
  return errors;
}

function lineErrors({ lines, currency }: PurchaseOrder): OrderError[] {
  return lines.flatMap((line, index) => {
    const pointer = `/lines/${index}`;
    return [
      ...amountErrors(currency, { netAmount: line.netAmount }, pointer),
      ...(line.tax === undefined ? [] : amountErrors(currency, { amount: line.tax.amount }, `${pointer}/tax`)),
      ...(line.type === 'LIMIT' ? limitErrors(line, currency, pointer) : priceErrors(line, currency, pointer)),
      ...timeErrors(line, pointer),
      ...accountingErrors(line, currency, pointer),
    ];
  });
}

function priceErrors(line: PurchaseOrderLine, currency: string, pointer: string): OrderError[] {
  const { quantity, unitOfMeasure, unitPrice, priceBaseQuantity, netAmount } = line;
  const missing = Object.entries({ quantity, unitOfMeasure, unitPrice, priceBaseQuantity })
    .filter(([, value]) => value === undefined)
    .map(([name]) => orderError('REQUIRED', `${pointer}/${name}`, `Required on a ${line.type} line`));
  if (quantity === undefined || unitPrice === undefined || priceBaseQuantity === undefined) {
    return missing;
  }
  if (amount(quantity) === 0n) {
    return [...missing, orderError('INVALID_VALUE', `${pointer}/quantity`, 'Must be more than zero')];
  }
  const base = BigInt(priceBaseQuantity);
  const difference = amount(quantity) * amount(unitPrice) - amount(netAmount) * 10_000n * base;
  const minorUnit = 10n ** BigInt(4 - minorDigits(currency));
  return (difference < 0n ? -difference : difference) > minorUnit * 10_000n * base
    ? [...missing, orderError('AMOUNT_MISMATCH', `${pointer}/netAmount`, 'Is not quantity x unit price')]
    : missing;
}

function limitErrors({ limit, netAmount }: PurchaseOrderLine, currency: string, pointer: string): OrderError[] {
  if (limit === undefined) {
    return [orderError('REQUIRED', `${pointer}/limit`, 'Required on a LIMIT line')];
  }
  const { maximumAmount, unlimited, expectedAmount } = limit;
  const errors = amountErrors(currency, { maximumAmount, expectedAmount }, `${pointer}/limit`);
  if ((maximumAmount === undefined) === (unlimited === undefined)) {
    errors.push(orderError('INVALID_VALUE', `${pointer}/limit`, 'Either maximumAmount or unlimited is required'));
  }
  if (maximumAmount !== undefined && amount(expectedAmount) > amount(maximumAmount)) {
    errors.push(orderError('INVALID_VALUE', `${pointer}/limit/expectedAmount`, 'Is over the maximum'));
  }
  if (amount(netAmount) !== amount(expectedAmount)) {
    errors.push(orderError('AMOUNT_MISMATCH', `${pointer}/netAmount`, 'Is not the expected amount'));
  }
  return errors;
}

function timeErrors({ deliveryDate, servicePeriod }: PurchaseOrderLine, pointer: string): OrderError[] {
  return deliveryDate === undefined && servicePeriod === undefined
    ? [orderError('REQUIRED', pointer, 'deliveryDate or servicePeriod is required')]
    : periodErrors(servicePeriod, `${pointer}/servicePeriod`);
}

function periodErrors(period: PurchaseOrder['validity'], pointer: string): OrderError[] {
  // ISO dates compare as texts.
  return period?.endDate !== undefined && period.endDate < period.startDate
    ? [orderError('INVALID_VALUE', `${pointer}/endDate`, 'Is before the start')]
    : [];
}

const objectByCategory = {
  COST_CENTRE: 'costCentre',
  INTERNAL_ORDER: 'internalOrder',
  WBS: 'wbsElement',
  ASSET: 'asset',
  NETWORK: 'network',
} as const;

function accountingErrors(line: PurchaseOrderLine, currency: string, pointer: string): OrderError[] {
  const errors = line.accounting.flatMap((part, index) => {
    const partPointer = `${pointer}/accounting/${index}`;
    const object = objectByCategory[part.category];
    const missing = orderError('REQUIRED', `${partPointer}/${object}`, `Required with category ${part.category}`);
    return [
      ...amountErrors(currency, { amount: part.amount }, partPointer),
      ...(part[object] === undefined ? [missing] : []),
    ];
  });
  if (total(line.accounting.map(({ percentage }) => percentage)) !== amount('100')) {
    errors.push(orderError('PERCENTAGE_MISMATCH', `${pointer}/accounting`, 'Percentages do not add up to 100.00'));
  }
  if (total(line.accounting.map((part) => part.amount)) !== amount(line.netAmount)) {
    errors.push(orderError('AMOUNT_MISMATCH', `${pointer}/accounting`, 'Amounts do not add up to the line'));
  }
  return errors;
}

/** Decimals beyond those of the currency must be zeros. */
function amountErrors(
  currency: string,
  amounts: Readonly<Record<string, string | undefined>>,
  pointer: string,
): OrderError[] {
  const minorUnit = 10n ** BigInt(4 - minorDigits(currency));
  return Object.entries(amounts)
    .filter(([, value]) => value !== undefined && amount(value) % minorUnit !== 0n)
    .map(([name]) => orderError('AMOUNT_PRECISION', `${pointer}/${name}`, `More decimals than ${currency} has`));
}

function total(decimals: readonly string[]): bigint {
  return decimals.reduce((sum, decimal) => sum + amount(decimal), 0n);
}

/** In ten-thousandths: the contract allows four decimals. */
function amount(decimal: string): bigint {
  return decimalToUnits(decimal, 4);
}

function orderError(code: string, pointer: string, detail: string): OrderError {
  return { code, pointer, detail };
}
