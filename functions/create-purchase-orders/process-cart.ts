/** One cart to its purchase orders: translate, deliver each group, combine. */
import type { CartMessage } from '../../shared/cart-message.ts';
import type { Fault, Warning } from '../../shared/failure.ts';
import type { CartKey, CartVersion } from '../../shared/ledger-keys.ts';
import { METRICS } from '../../shared/metric-names.ts';
import type { Trace } from '../../shared/traces.ts';
import type { TranslationSettings } from '../../shared/translation-settings.ts';
import { cancelledByHand } from './delivery/after-send.ts';
import {
  type DeliveryDependencies,
  deliverOrder,
  type Obstacle,
  type OrderDelivery,
  type OrderHistory,
} from './delivery/deliver-order.ts';
import { identityMismatch } from './load-cart.ts';
import { type OtherVersions, otherVersions } from './other-versions.ts';
import { combineOutcomes, type OrderOutcome, type Outcome, type Retry, type Skip } from './outcome.ts';
import { reportRecovery, reportTranslation } from './report-outcome.ts';
import { type CartTranslation, translateCart, type TranslatedCart } from './translation/translate-cart.ts';
import type { WireOrder } from './translation/wire-order.ts';

export interface CartDependencies extends DeliveryDependencies {
  readonly settings: TranslationSettings;
  readonly wire: WireOrder;
  /** `sap-client`: the only one whose carts this interface takes. */
  readonly sapClient: string;
  readonly newId: () => string;
  /** What the ledger holds of a cart, in all its versions. */
  readonly tracesOf: (cart: CartKey) => Promise<readonly Trace[]>;
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
  const mismatch = identityMismatch(message, source, sapClient);
  if (mismatch !== undefined) return { kind: 'dead-letter', faults: [mismatch] };
  return translation.kind === 'skip'
    ? skipCart(translation, receive, cart, dependencies)
    : deliverGroups(translation, message, receive, cart, dependencies);
}

/**
 * A rule skips the cart. Its orders end the attempt instead: those of earlier versions where the skip is for good (edge case 18)
 * and no later version is known, and any of this version whose outcome is open, since no other attempt looks it up.
 */
async function skipCart(
  { reason, isCancelled, changedAtMs }: Extract<CartTranslation, { kind: 'skip' }>,
  { messageId }: Receive,
  cart: CartVersion,
  { ledger, now, leaseMs, tracesOf }: CartDependencies,
): Promise<Outcome> {
  const isOfNoEarlierVersion = (trace: Trace): boolean => trace.changedAtMs >= changedAtMs;
  const endingByOrders = async (): Promise<Outcome | undefined> => {
    if (cart.isInactiveVersion === true) return undefined;
    const version = { changedAtMs, externalIds: [], nowMs: now(), leaseMs };
    const traces = await tracesOf(cart);
    const others = otherVersions(traces, version);
    // A later version, which may have the orders of the earlier ones, tells of them itself.
    const { leftOver, busyForMs } =
      isCancelled && !others.isOutdated ? others : otherVersions(traces.filter(isOfNoEarlierVersion), version);
    if (leftOver.length > 0) return { kind: 'dead-letter', faults: leftOver };
    return busyForMs === undefined ? undefined : earlierVersionIsBusy(busyForMs);
  };
  const before = await endingByOrders();
  if (before !== undefined) return before;
  await ledger.recordSkip({ ...cart, changedAtMs }, { reason, messageId, nowMs: now() });
  // An earlier version that did not find the skip has claimed its order before.
  return (await endingByOrders()) ?? { kind: 'skipped', reason };
}

/** Each group becomes one order; a faulty group does not hold back its neighbours (rule 3). */
async function deliverGroups(
  translation: TranslatedCart,
  message: CartMessage,
  { messageId, attempt }: Receive,
  cart: CartVersion,
  dependencies: CartDependencies,
): Promise<Outcome> {
  const { ledger, log, meter, newId, now, leaseMs, tracesOf } = dependencies;
  const { changedAtMs, groups, onlyIfNeverSent } = translation;
  if (translation.unknownProperties > 0) meter.count(METRICS.unknownProperties, translation.unknownProperties);
  const externalIds = groups.map((group) => (group.kind === 'order' ? group.order.externalId : group.externalId));
  const readOthers = async (): Promise<OtherVersions> =>
    otherVersions(await tracesOf(cart), { changedAtMs, externalIds, nowMs: now(), leaseMs });
  // A line without its supplier, for one, may belong to any order.
  const areOrdersKnown = !externalIds.includes(undefined);
  let others: OtherVersions | undefined;
  const orders: OrderOutcome[] = [];
  const groupFaults: Fault[] = [];
  const warnings: Warning[] = [];
  for (const group of groups) {
    if (group.kind === 'faulty') {
      groupFaults.push(...group.faults);
      continue;
    }
    const delivery: OrderDelivery = {
      order: group.order,
      body: group.body,
      cart,
      changedAtMs,
      ordersOfCart: groups.length,
      messageId,
      receive: attempt,
      attemptId: newId(),
      correlationId: message.correlationId,
      onlyIfNeverSent,
      history: async () => historyOf(delivery, (others = await readOthers()), areOrdersKnown),
    };
    const order = await deliverOrder(delivery, dependencies);
    orders.push(order);
    warnings.push(...group.warnings);
  }
  // Read again only where no order was claimed.
  others ??= await readOthers();
  if (others.isOutdated) {
    const untold = others.untold.filter(isNotAmong(orders));
    if (others.newestForMs === undefined) groupFaults.push(...untold);
    else if (untold.length > 0) orders.push(newestVersionIsBusy(others.newestForMs));
  } else if (!onlyIfNeverSent) {
    if (areOrdersKnown) groupFaults.push(...others.leftOver);
    if (others.busyForMs !== undefined) orders.push(earlierVersionIsBusy(others.busyForMs));
  }
  if (message.origin === 'reconciliation') reportRecovery(orders, dependencies);
  reportTranslation(translation, warnings, log);
  const outcome = combineOutcomes(orders, groupFaults);
  const isSettled = outcome.kind === 'done' || outcome.kind === 'skipped';
  // Else its order would look like one that is tried again.
  if (isSettled && orders.includes(ORDERED_BEFORE))
    await ledger.recordSkip({ ...cart, changedAtMs }, { reason: ORDERED_BEFORE.reason, messageId, nowMs: now() });
  return outcome;
}

const historyOf = (
  delivery: Pick<OrderDelivery, 'order' | 'onlyIfNeverSent'>,
  others: OtherVersions,
  areOrdersKnown: boolean,
): OrderHistory => {
  const { externalId } = delivery.order;
  const isToRestore = others.cancelled.includes(externalId) && !others.isOutdated;
  return {
    obstacle: obstacleTo(delivery, others, areOrdersKnown),
    toRestore: isToRestore ? cancelledByHand(externalId) : undefined,
    mayBeCorrected: others.changed.includes(externalId),
  };
};

/** The outcome of an order that was just found reports it already. */
const isNotAmong =
  (orders: readonly OrderOutcome[]) =>
  ({ message }: Fault): boolean =>
    !orders.some((order) => order.kind === 'rejected' && order.faults.some((fault) => fault.message === message));

/**
 * Whether an order that does not exist may be created. Where an order of an earlier version is left over, its lines may
 * have moved into this one: both together would order them twice.
 */
function obstacleTo(
  { order: { externalId }, onlyIfNeverSent }: Pick<OrderDelivery, 'order' | 'onlyIfNeverSent'>,
  { isOutdated, leftOver, besides, isOrdered, busyForMs, newestForMs }: OtherVersions,
  areOrdersKnown: boolean,
): Obstacle | undefined {
  if (isOutdated) {
    return {
      kind: 'outdated',
      ending: { kind: 'skipped', reason: 'superseded: a newer version of the cart is known' },
      whenHeld: newestForMs === undefined ? undefined : newestVersionIsBusy(newestForMs),
    };
  }
  if (busyForMs !== undefined) return { kind: 'held', ending: earlierVersionIsBusy(busyForMs) };
  if (leftOver.length === 0 && besides.length === 0) return undefined;
  if (onlyIfNeverSent && isOrdered) return { kind: 'held', ending: ORDERED_BEFORE };
  // Of a completed cart, nothing else tells of what is left over.
  const toCancel = onlyIfNeverSent && areOrdersKnown ? leftOver : [];
  const faults = [notBesideLeftOver(externalId, areOrdersKnown), ...besides, ...toCancel];
  return { kind: 'held', ending: { kind: 'rejected', faults } };
}

const ORDERED_BEFORE: Skip = { kind: 'skipped', reason: 'the completed cart was ordered before' };

const notBesideLeftOver = (externalId: string, areOrdersKnown: boolean): Fault => ({
  code: 'E_CART_CHANGED_AFTER_SEND',
  message: `the order ${externalId} is not created beside one of an earlier version, which may hold the same lines: ${
    areOrdersKnown
      ? 'cancel that one in 11VMS, close this dead letter, then replay the cart'
      : 'have the other faults of the cart corrected first'
  }`,
});

const busy =
  (what: string) =>
  (afterMs: number): Retry => ({
    kind: 'retry',
    faults: [{ code: 'E_INT_IN_PROGRESS', message: `${what} is under way` }],
    afterMs,
    cause: undefined,
  });
const earlierVersionIsBusy = busy('an attempt at an order of an earlier version');
const newestVersionIsBusy = busy('a newer version of the cart, which may have the same order,');
