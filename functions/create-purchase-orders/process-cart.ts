/** One cart to its purchase orders: translate, deliver each group, combine. */
import type { CartMessage } from '../../shared/cart-message.ts';
import type { Fault, Warning } from '../../shared/failure.ts';
import type { Ledger } from '../../shared/ledger.ts';
import type { CartKey, CartVersion } from '../../shared/ledger-keys.ts';
import { METRICS } from '../../shared/metric-names.ts';
import type { TranslationSettings } from '../../shared/translation-settings.ts';
import { type DeliveryDependencies, deliverOrder } from './delivery/deliver-order.ts';
import { IDENTITY_MISMATCH, isNamedBy } from './load-cart.ts';
import { combineOutcomes, type OrderOutcome, type Outcome } from './outcome.ts';
import { reportRecovery, reportTranslation } from './report-outcome.ts';
import { type CartTranslation, translateCart, type TranslatedCart } from './translation/translate-cart.ts';
import type { WireOrder } from './translation/wire-order.ts';

export interface CartDependencies extends DeliveryDependencies {
  readonly settings: TranslationSettings;
  readonly wire: WireOrder;
  /** `sap-client`: the only one whose carts this interface takes. */
  readonly sapClient: string;
  readonly newId: () => string;
}

/** One receive of the cart's message. */
export interface Receive {
  readonly messageId: string;
  /** ApproximateReceiveCount: 1 for the first receive. */
  readonly attempt: number;
}

/** @throws the SDK's error when the ledger does not answer. */
export async function processCart(
  message: CartMessage,
  source: unknown,
  receive: Receive,
  cart: CartVersion,
  dependencies: CartDependencies,
): Promise<Outcome> {
  const { settings, wire, sapClient, now } = dependencies;
  const today = new Date(now()).toISOString().slice(0, 10);
  const translation = translateCart(source, { client: message.client, settings, wire, today });
  if (translation.kind === 'faulty') return { kind: 'dead-letter', faults: translation.faults };
  if (!isNamedBy(message, source, sapClient)) return { kind: 'dead-letter', faults: [IDENTITY_MISMATCH] };
  return translation.kind === 'skip'
    ? skipCart(translation, receive, cart, dependencies)
    : deliverGroups(translation, message, receive, cart, dependencies);
}

/** A rule skips the cart. Orders that were created from an earlier version of it are faults. */
async function skipCart(
  { reason, isCancelled, changedAtMs }: Extract<CartTranslation, { kind: 'skip' }>,
  { messageId }: Receive,
  cart: CartVersion,
  { ledger, now }: CartDependencies,
): Promise<Outcome> {
  const cancelled = isCancelled ? await cancelledOrders(cart, changedAtMs, [], ledger) : [];
  if (cancelled.length > 0) return { kind: 'dead-letter', faults: cancelled };
  await ledger.recordSkip({ ...cart, changedAtMs }, { reason, messageId, nowMs: now() });
  return { kind: 'skipped', reason };
}

/** Each group becomes one order; a faulty group does not hold back its neighbours (rule 3). */
async function deliverGroups(
  translation: TranslatedCart,
  message: CartMessage,
  { messageId, attempt }: Receive,
  cart: CartVersion,
  dependencies: CartDependencies,
): Promise<Outcome> {
  const { ledger, log, meter, newId } = dependencies;
  if (translation.unknownProperties > 0) meter.count(METRICS.unknownProperties, translation.unknownProperties);
  const groupFaults = await ordersOfDroppedLines(translation, cart, ledger);
  const orders: OrderOutcome[] = [];
  const warnings: Warning[] = [];
  for (const group of translation.groups) {
    if (group.kind === 'faulty') {
      groupFaults.push(...group.faults);
      continue;
    }
    const delivery = {
      order: group.order,
      body: group.body,
      cart,
      changedAtMs: translation.changedAtMs,
      ordersOfCart: translation.groups.length,
      messageId,
      receive: attempt,
      attemptId: newId(),
      correlationId: message.correlationId,
      onlyIfNeverSent: translation.onlyIfNeverSent,
    };
    const order = await deliverOrder(delivery, dependencies);
    orders.push(order);
    warnings.push(...group.warnings);
  }
  if (message.origin === 'reconciliation') reportRecovery(orders, dependencies);
  reportTranslation(translation, warnings, log);
  return combineOutcomes(orders, groupFaults);
}

/** Edge case 18, for a part of a cart: an order of which no line is left. */
async function ordersOfDroppedLines(translation: TranslatedCart, cart: CartKey, ledger: Ledger): Promise<Fault[]> {
  if (translation.droppedLines.length === 0) return [];
  const current = translation.groups.map((group) =>
    group.kind === 'order' ? group.order.externalId : group.externalId,
  );
  return cancelledOrders(cart, translation.changedAtMs, current, ledger);
}

/** Orders that were created from an earlier version of the cart, and that its present version does not have. */
async function cancelledOrders(
  cart: CartKey,
  changedAtMs: number,
  current: readonly (string | undefined)[],
  ledger: Ledger,
): Promise<Fault[]> {
  const created = await ledger.createdOrders(cart);
  return created
    .filter((order) => order.changedAtMs < changedAtMs && !current.includes(order.externalId))
    .map(({ externalId, orderNumber }) => ({
      code: 'E_CART_CANCELLED_AFTER_SEND',
      message: `the order was created as ${orderNumber ?? externalId}, and the cart has nothing left for it`,
    }));
}
