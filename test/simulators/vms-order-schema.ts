import * as z from 'zod';

// Each check has the error code of 11VMS.
const within = (max: number): z.ZodString =>
  z
    .string()
    .refine((text) => text.trim() !== '', { error: 'is empty', params: { code: 'REQUIRED' } })
    .refine((text) => codePointsWithin(text, max), { error: `is longer than ${max}`, params: { code: 'TOO_LONG' } })
    .refine(isCleanText, { error: 'holds control characters or half a character', params: { code: 'INVALID_TEXT' } })
    .meta({ maxLength: max });

const decimal = z.string().regex(/^\d{1,13}(\.\d{1,4})?$/);
const percentage = z.string().regex(/^\d{1,3}(\.\d{1,2})?$/);
const guid = z.string().regex(/^[0-9a-f]{32}$/);
const date = z.iso.date();
const instant = z.iso.datetime();

// The part of UN/ECE Recommendation 20 that the contract's unit map uses.
const countingUnits = ['EA', 'H87', 'C62'] as const;
const timeUnits = ['HUR', 'DAY', 'WEE', 'MON', 'ANN', 'MIN'] as const;
const measuringUnits = ['KGM', 'GRM', 'TNE', 'MTR', 'MTK', 'MTQ', 'LTR', 'KMT'] as const;
const unitOfMeasure = z.enum([...countingUnits, ...timeUnits, ...measuringUnits]);

// Node's list lacks the two currencies with four decimals.
const isoCurrencies = new Set([...Intl.supportedValuesOf('currency'), 'CLF', 'UYW']);
const currency = z
  .string()
  .refine((code) => isoCurrencies.has(code), { error: 'is not a currency', params: { code: 'INVALID_VALUE' } });

const period = z.strictObject({ startDate: date, endDate: date.optional() });

// The contract has no lengths for an address, so these are SRM's. Only the country has a rule.
const address = z.strictObject({
  name: within(80).optional(),
  street: within(60).optional(),
  houseNumber: within(10).optional(),
  postalCode: within(10).optional(),
  city: within(40).optional(),
  region: within(3).optional(),
  country: z.string().regex(/^[A-Z]{2}$/),
});

const person = {
  externalId: within(12).optional(),
  email: within(254)
    .regex(/^[^\s@]+@[^\s@]+\.[^\s@]+$/)
    .optional(),
};

const accounting = z.strictObject({
  sequence: z.int().min(1),
  category: z.enum(['COST_CENTRE', 'INTERNAL_ORDER', 'WBS', 'ASSET', 'NETWORK']),
  percentage,
  amount: decimal,
  glAccount: within(10).optional(),
  costCentre: within(10).optional(),
  internalOrder: within(12).optional(),
  wbsElement: within(24).optional(),
  asset: within(17).optional(),
  network: within(17).optional(),
  profitCentre: within(10).optional(),
  companyCode: within(4).optional(),
  controllingArea: within(4).optional(),
});

const line = z.strictObject({
  lineNumber: z.int().min(1),
  externalLineId: guid,
  purchaseRequestLineId: within(10).optional(),
  type: z.enum(['MATERIAL', 'SERVICE', 'LABOUR', 'LIMIT']),
  description: within(255),
  longText: within(4000).optional(),
  category: z.strictObject({ scheme: within(10), code: within(20) }),
  productCode: within(40).optional(),
  supplierPartNumber: within(40).optional(),
  manufacturerPartNumber: within(40).optional(),
  quantity: decimal.optional(),
  unitOfMeasure: unitOfMeasure.optional(),
  unitPrice: decimal.optional(),
  priceBaseQuantity: z
    .string()
    .regex(/^[1-9]\d{0,12}$/)
    .optional(),
  netAmount: decimal,
  limit: z
    .strictObject({
      maximumAmount: decimal.optional(),
      unlimited: z.literal(true).optional(),
      expectedAmount: decimal,
    })
    .optional(),
  tax: z.strictObject({ code: within(10), amount: decimal }).optional(),
  deliveryDate: date.optional(),
  servicePeriod: period.optional(),
  contract: z.strictObject({ number: within(10), item: within(10).optional() }).optional(),
  deliverTo: address.optional(),
  accounting: z.array(accounting).min(1).max(99),
});

/** The body of POST purchase-orders, as the table of the target contract defines it. */
export const purchaseOrderSchema = z.strictObject({
  externalSystem: z.literal('SRM7'),
  externalId: within(64),
  externalRevision: z.int().min(1),
  sourceDocument: z.strictObject({
    guid,
    number: within(10),
    approvedAt: instant.optional(),
    approvedBy: within(12).optional(),
    changedAt: instant,
  }),
  purchaseRequestId: within(35).optional(),
  erpPurchaseOrderNumber: within(20).optional(),
  title: within(120),
  orderDate: date,
  currency,
  businessUnit: z.strictObject({ code: within(20) }),
  legalEntity: z.strictObject({ code: within(10) }),
  purchasingOrganization: within(20).optional(),
  purchasingGroup: within(20).optional(),
  supplier: z.strictObject({ code: within(35), externalCode: within(10), name: within(120).optional() }),
  requester: z.strictObject({ ...person, name: within(80).optional() }),
  approver: z.strictObject(person).optional(),
  validity: period.optional(),
  paymentTerms: within(10).optional(),
  incoterms: z.strictObject({ code: within(3), location: within(28).optional() }).optional(),
  deliveryAddress: address.optional(),
  totals: z.strictObject({ netAmount: decimal, taxAmount: decimal, grossAmount: decimal }),
  lines: z.array(line).min(1).max(999),
  notes: z
    .array(
      z.strictObject({
        type: z.enum(['HEADER', 'INTERNAL', 'SUPPLIER']),
        language: z
          .string()
          .regex(/^[a-z]{2}$/)
          .optional(),
        text: within(4000),
      }),
    )
    .optional(),
  attachments: z
    .array(
      z.strictObject({
        fileName: within(255),
        mimeType: within(128).optional(),
        sizeBytes: z.int().min(0).optional(),
        url: within(2048),
      }),
    )
    .optional(),
});

export type PurchaseOrder = z.infer<typeof purchaseOrderSchema>;

export type PurchaseOrderLine = PurchaseOrder['lines'][number];

function codePointsWithin(text: string, max: number): boolean {
  return text.length <= max || Array.from(text).length <= max;
}

/** JSON allows control characters and lone surrogates, but printing or storing an order fails on them. */
function isCleanText(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- The expression looks for control characters.
  return text.isWellFormed() && !/[\u0000-\u0008\u000b-\u001f]/.test(text);
}
