/** The data of an event as an item of the ledger holds it, for the pipe that reads the table's stream. */
import { type Fault, FAULTS } from './failure.ts';
import { type CartKey, cartPartition } from './ledger-keys.ts';
import type { CartDeadLettered, OrderCreated } from './order-events.ts';

/** The stream's records write a list with the type of each element, and a set as an array of texts, which an event needs. */
type InItem<Data> = { readonly [Member in keyof Data]: Data[Member] extends string ? string : ReadonlySet<string> };

const instant = (ms: number): string => new Date(ms).toISOString();

/** EventBridge puts a text into its template without escaping it. */
const plain = (text: string): string => text.replaceAll(/["\\\p{Cc}]/gu, '?');

export const orderCreatedEvent = (
  { cart, externalId }: { readonly cart: CartKey; readonly externalId: string },
  order: { readonly id: string; readonly number: string | undefined },
  nowMs: number,
): InItem<OrderCreated> => ({
  externalId: plain(externalId),
  orderId: plain(order.id),
  // Never left out: what EventBridge makes of a member that is missing, no document says.
  orderNumber: plain(order.number ?? ''),
  sapClient: cart.client,
  cartNumber: plain(cart.number ?? ''),
  createdAt: instant(nowMs),
});

/** Without the texts of the faults, which may quote the cart. Undefined without a fault: DynamoDB holds no empty set. */
export function cartDeadLetteredEvent(
  { cart, messageId }: { readonly cart: CartKey; readonly messageId: string },
  faults: readonly Fault[],
  nowMs: number,
): InItem<CartDeadLettered> | undefined {
  const [first] = faults;
  if (first === undefined) return undefined;
  return {
    messageId: plain(messageId),
    cart: plain(cartPartition(cart).replace(/^CART#(?<client>[^#]*)#/, '$<client>/')),
    sapClient: cart.client,
    cartNumber: plain(cart.number ?? ''),
    codes: new Set(faults.map(({ code }) => code)),
    owner: FAULTS[first.code].owner,
    recordedAt: instant(nowMs),
  };
}
