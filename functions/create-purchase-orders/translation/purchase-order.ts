/** The purchase order as 11VMS takes it. Source: target-11vms.md, "The purchase order". */
import * as z from 'zod';
import { hasAtMost } from './text.ts';

export const decimal = z
  .string()
  .regex(
    /^\d{1,13}(\.\d{1,4})?$/,
    'not a decimal of at most 13 digits before the point and 4 after it, such as 39000.00',
  );
export const percentage = z.string().regex(/^\d{1,3}(\.\d{1,2})?$/, 'not a percentage, such as 33.33');
export const date = z.iso.date('not a date, such as 2026-11-21');
export const instant = z.iso.datetime('not an instant in UTC, such as 2026-11-21T14:00:00Z');
const newText = (maximum: number) =>
  z
    .string()
    .min(1)
    .refine((value) => hasAtMost(value, maximum), `longer than ${maximum} characters`)
    // Counted in characters, as JSON Schema does, and not in UTF-16 units, as zod's own maximum would.
    .meta({ maxLength: maximum });
const texts = new Map<number, ReturnType<typeof newText>>();

/** One schema for each length: a schema is slow to make, and all are made at a cold start. */
function text(maximum: number) {
  const schema = texts.get(maximum) ?? newText(maximum);
  texts.set(maximum, schema);
  return schema;
}

const address = z.object({
  name: text(80).exactOptional(),
  street: text(60).exactOptional(),
  houseNumber: text(10).exactOptional(),
  postalCode: text(10).exactOptional(),
  city: text(40).exactOptional(),
  region: text(3).exactOptional(),
  country: z.string().regex(/^[A-Z]{2}$/, 'not a country, such as BE'),
});

const period = z.object({ startDate: date, endDate: date.exactOptional() });

const accounting = z.object({
  sequence: z.int().min(1),
  category: z.enum(['COST_CENTRE', 'INTERNAL_ORDER', 'WBS', 'ASSET', 'NETWORK']),
  percentage,
  amount: decimal,
  glAccount: text(10).exactOptional(),
  costCentre: text(10).exactOptional(),
  internalOrder: text(12).exactOptional(),
  wbsElement: text(24).exactOptional(),
  asset: text(17).exactOptional(),
  network: text(17).exactOptional(),
  profitCentre: text(10).exactOptional(),
  companyCode: text(4).exactOptional(),
  controllingArea: text(4).exactOptional(),
});

const line = z.object({
  lineNumber: z.int().min(1),
  externalLineId: text(32),
  purchaseRequestLineId: text(10).exactOptional(),
  type: z.enum(['MATERIAL', 'SERVICE', 'LABOUR', 'LIMIT']),
  description: text(255),
  longText: text(4000).exactOptional(),
  category: z.object({ scheme: z.literal('SRM'), code: text(20) }),
  productCode: text(40).exactOptional(),
  supplierPartNumber: text(40).exactOptional(),
  manufacturerPartNumber: text(40).exactOptional(),
  quantity: decimal.exactOptional(),
  unitOfMeasure: text(3).exactOptional(),
  unitPrice: decimal.exactOptional(),
  priceBaseQuantity: decimal.exactOptional(),
  netAmount: decimal,
  limit: z
    .object({
      maximumAmount: decimal.exactOptional(),
      unlimited: z.literal(true).exactOptional(),
      expectedAmount: decimal,
    })
    .exactOptional(),
  tax: z.object({ code: text(10), amount: decimal }).exactOptional(),
  deliveryDate: date.exactOptional(),
  servicePeriod: period.exactOptional(),
  contract: z.object({ number: text(10), item: text(10).exactOptional() }).exactOptional(),
  deliverTo: address.exactOptional(),
  accounting: z.array(accounting).min(1).max(99, 'more than 99 account assignments'),
});

export const purchaseOrderSchema = z.object({
  externalSystem: z.literal('SRM7'),
  externalId: text(64),
  externalRevision: z.int().min(1),
  sourceDocument: z.object({
    guid: text(32),
    number: text(10),
    approvedAt: instant.exactOptional(),
    approvedBy: text(12).exactOptional(),
    changedAt: instant,
  }),
  purchaseRequestId: text(35).exactOptional(),
  erpPurchaseOrderNumber: text(20).exactOptional(),
  title: text(120),
  orderDate: date,
  currency: z.string().regex(/^[A-Z]{3}$/, 'not a currency, such as EUR'),
  businessUnit: z.object({ code: text(20) }),
  legalEntity: z.object({ code: text(10) }),
  purchasingOrganization: text(20).exactOptional(),
  purchasingGroup: text(20).exactOptional(),
  supplier: z.object({ code: text(35), externalCode: text(10), name: text(120).exactOptional() }),
  requester: z.object({
    externalId: text(12).exactOptional(),
    email: text(254).exactOptional(),
    name: text(80).exactOptional(),
  }),
  approver: z.object({ externalId: text(12).exactOptional(), email: text(254).exactOptional() }).exactOptional(),
  validity: period.exactOptional(),
  paymentTerms: text(10).exactOptional(),
  incoterms: z.object({ code: text(3), location: text(28).exactOptional() }).exactOptional(),
  deliveryAddress: address.exactOptional(),
  totals: z.object({ netAmount: decimal, taxAmount: decimal, grossAmount: decimal }),
  lines: z.array(line).min(1).max(999, 'more than 999 lines'),
  notes: z
    .array(
      z.object({
        type: z.enum(['HEADER', 'INTERNAL', 'SUPPLIER']),
        language: z.string().length(2).exactOptional(),
        text: text(4000),
      }),
    )
    .exactOptional(),
  attachments: z
    .array(
      z.object({
        fileName: text(255),
        mimeType: text(128).exactOptional(),
        sizeBytes: z.int().min(0).exactOptional(),
        url: z.string(),
      }),
    )
    .exactOptional(),
});

export type PurchaseOrder = z.infer<typeof purchaseOrderSchema>;
export type OrderLine = PurchaseOrder['lines'][number];
export type LineAccounting = OrderLine['accounting'][number];
export type Address = z.infer<typeof address>;
