/**
 * The events that leave the interface, as other systems get them: CloudEvents 1.0. The ledger is their outbox: an item
 * holds the data of its event as the attribute `event`, a pipe takes it from the table's stream
 * (infra/constructs/outgoing-events.ts), and the CloudEvent is put together there.
 */
import * as z from 'zod';

const sapClient = z.string().describe('The SAP client of the cart, such as `100`.');
const instant = z.iso.datetime();

export const orderCreated = z.strictObject({
  externalId: z.string().min(1).describe('The name of the order in both systems.'),
  orderId: z.string().min(1).describe('The id of the order in 11VMS.'),
  orderNumber: z.string().describe('The number of the order in 11VMS; empty where 11VMS gave none.'),
  sapClient,
  cartNumber: z.string().describe('The number of the shopping cart in SRM.'),
  createdAt: instant.describe('When the interface learned that the order exists.'),
});
export type OrderCreated = z.infer<typeof orderCreated>;

export const cartDeadLettered = z.strictObject({
  messageId: z.string().min(1).describe('The id of the message that was given up.'),
  cart: z
    .string()
    .min(1)
    .describe('SAP client and cart number, such as `100/1070000008`; `100/-<guid>` of a cart without a number.'),
  sapClient,
  cartNumber: z.string().describe('The number of the shopping cart in SRM; empty where the message names none.'),
  codes: z.array(z.string()).min(1).describe('Why: codes of the error catalogue, `errors.md`, in no order.'),
  owner: z.string().describe('Who can correct the first reason, such as `mapping owner`.'),
  recordedAt: instant.describe('When the message was given up.'),
});
export type CartDeadLettered = z.infer<typeof cartDeadLettered>;

/** By the detail type under which the bus of the interface has them. */
export const EVENTS = {
  'PurchaseOrder.Created.v1': {
    /** What follows the prefix of the environment in the type of the CloudEvent. */
    type: 'purchaseorder.v1.PurchaseOrder.Created.v1',
    meaning: 'A purchase order exists in 11VMS, created or found by this interface. Once for each order.',
    data: orderCreated,
    /** Members of the data. */
    id: 'externalId',
    subject: 'externalId',
    time: 'createdAt',
  },
  'ShoppingCart.DeadLettered.v1': {
    type: 'shoppingcart.v1.ShoppingCart.DeadLettered.v1',
    meaning:
      'A message of a shopping cart was given up: the cart is not ordered, or only in part, until a person acts. An attempt that crashed sends none: the dead-letter queue has it alone.',
    data: cartDeadLettered,
    id: 'messageId',
    subject: 'cart',
    time: 'recordedAt',
  },
} as const;
export type EventName = keyof typeof EVENTS;

/** CloudEvents 1.0. `id` comes from the ledger: an event that is delivered twice has the same. */
export const cloudEvent = <Data extends z.ZodType>(data: Data) =>
  z.strictObject({
    specversion: z.literal('1.0'),
    id: z.string().min(1),
    source: z.string().min(1),
    type: z.string().min(1),
    subject: z.string().min(1),
    time: instant,
    datacontenttype: z.literal('application/json'),
    data,
  });

/** The name of the interface as the source of events. */
export const EVENT_SOURCE = 'proc-srm7-11vms-purchase-order-v1';
