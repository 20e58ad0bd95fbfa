/**
 * The interface's memory of what became of each cart and order: single items with conditional writes, in one table.
 *
 * | item    | pk                        | sk                              | written by                |
 * |---------|---------------------------|---------------------------------|---------------------------|
 * | queued  | QUEUED#<client>#<number>  | QUEUED#<changedAtMs>#<row hash> | shared/queued-versions.ts |
 * | order   | CART#<client>#<number>    | ORDER#<externalId>              | this file                 |
 * | verdict | CART#<client>#<number>    | VERDICT#<messageId>             | verdict/verdict-record.ts |
 * | skip    | CART#<client>#<number>    | SKIP, SKIP#INACTIVE             | this file                 |
 * | redrive | CART#<client>#<number>    | REDRIVE#<messageId>             | redrive-record.ts         |
 * | closed  | CART#<client>#<number>    | CLOSED#<messageId>              | redrive-record.ts         |
 * | numbers | NUMBERS#<client>#<number> | NUMBERS                         | number-record.ts          |
 *
 * A cart without a number goes by its GUID: CART#<client>#-<guid>. What a run queued, and what went back to SRM, have
 * partitions of their own: the roles that may write them can write nothing else of a cart (shared/ledger-keys.ts). Each
 * item about a version names it (`changedAtMs`), and says whether it is a change or historical one (`isInactiveVersion`).
 * The items of a cart together make its standing: shared/standing.ts.
 *
 * The index of shared/lists.ts holds what people ask for by day and by state: created orders, skipped carts and verdicts
 * that give a message up, as long as their dead letters are neither redriven nor closed.
 *
 * An order's states:
 *
 * | state    | meaning                                                                                     |
 * |----------|---------------------------------------------------------------------------------------------|
 * | none     | never tried                                                                                 |
 * | NEW      | tried; 11VMS certainly did not take it                                                      |
 * | POSTING  | an attempt holds it until its lease ends, which is after the end of any attempt             |
 * | UNKNOWN  | 11VMS may have taken it, or may still take it until the quiet time ends                     |
 * | CREATED  | done; holds the order number; final                                                         |
 * | REJECTED | 11VMS refused its content, for one queue message                                            |
 *
 * Beside the state, the claim sets the flag `mayExist`: the next attempt looks the order up before it posts. It also adds
 * its content to `claimedHashes`, which no later claim overwrites: 11VMS may hold any of these contents.
 *
 * Any attempt may claim; the first row that fits decides, in one conditional write:
 *
 * | state                           | when                                 | becomes | answer     |
 * |---------------------------------|--------------------------------------|---------|------------|
 * | none                            | always                               | POSTING | claimed    |
 * | CREATED                         | always                               | -       | created    |
 * | POSTING                         | this attempt's own lease runs        | -       | claimed    |
 * | POSTING                         | another attempt's lease runs         | -       | held       |
 * | UNKNOWN                         | its quiet time runs                  | -       | held       |
 * | NEW, POSTING, REJECTED, UNKNOWN | it knows a newer version of the cart | -       | superseded |
 * | REJECTED                        | it was rejected for this message     | -       | rejected   |
 * | NEW, POSTING, REJECTED, UNKNOWN | otherwise                            | POSTING | claimed    |
 *
 * Only the attempt that the item names can end its claim. From another attempt, the same call changes nothing and does
 * not fail:
 *
 * | state    | created | rejected | unknown  | released |
 * |----------|---------|----------|----------|----------|
 * | POSTING  | CREATED | REJECTED | UNKNOWN  | NEW      |
 * | CREATED  | CREATED | -        | -        | -        |
 * | REJECTED | -       | REJECTED | -        | -        |
 * | UNKNOWN  | -       | -        | UNKNOWN  | -        |
 * | NEW      | -       | -        | -        | NEW      |
 * | mayExist | stays   | as given | stays    | cleared  |
 *
 * An item that another version of this interface wrote, in a state that this one does not know, is never claimed and never
 * changed: its cart is rejected with the reason. It accounts for nothing in the cart's standing, and counts as a created order
 * where the cart has nothing left for it, so that a person looks.
 *
 * The table is the outbox of the interface's events, too: an order that becomes CREATED and a verdict that becomes FINAL
 * hold, as `event`, what other systems are told (shared/order-events.ts). No other transition is an event.
 *
 * `npm run model` explores what two workers, crashes and redeliveries can do to it; test/deep/model/reference-ledger.ts is
 * this table as data, and a property test compares the code below with it.
 *
 * No item holds a payload or a secret. Of a cart it holds what has the form of a code, a number or a date (source-quotes.ts), and
 * of people the operator who redrives or closes a dead letter. How long each is kept: lifetimes.ts.
 */
import * as z from 'zod';
import { orderCreatedEvent } from './event-attribute.ts';
import type { Fault } from './failure.ts';
import {
  type CartKey,
  cartPartition,
  type CartVersion,
  INACTIVE_SKIP_SORT,
  ORDER_STATES,
  orderSort,
  SKIP_SORT,
  versionFields,
} from './ledger-keys.ts';
import type { Item, ItemKey, LedgerTable } from './ledger-table.ts';
import { expiresAt } from './lifetimes.ts';
import { listed } from './lists.ts';
import { boundedFaults, recordedFaults } from './recorded-faults.ts';
import { settingAll } from './setting-all.ts';

const orderItem = z.object({
  state: z.enum(ORDER_STATES),
  contentHash: z.string(),
  changedAtMs: z.number(),
  /** The message that claimed it last. */
  messageId: z.string(),
  attemptId: z.string(),
  attempts: z.number(),
  /** While POSTING: the end of the lease. While UNKNOWN: the end of the quiet time. */
  leaseUntilMs: z.number(),
  /** Set by the claim: the next attempt must look up before it posts. Cleared when 11VMS certainly has no order. */
  mayExist: z.boolean().default(false),
  /** While POSTING: `mayExist` as the claim found it. */
  lookUpFirst: z.boolean().default(false),
  /**
   * The hash of every content that was ever claimed. It grows by one for each approval and each corrected mapping that
   * comes before the order is created; retries and redrives of the same content add nothing. 64 bytes each.
   */
  claimedHashes: z.set(z.string()).default(new Set()),
  orderId: z.string().optional(),
  orderNumber: z.string().optional(),
  ordersOfCart: z.number().default(1),
  faults: recordedFaults.default([]),
});
export type OrderItem = z.infer<typeof orderItem>;
const claimedItem = orderItem.pick({ lookUpFirst: true, claimedHashes: true });

export interface OrderClaim {
  readonly cart: CartKey;
  readonly externalId: string;
  readonly contentHash: string;
  /** When the cart was last changed in SRM: older content never replaces newer (edge case 16). */
  readonly changedAtMs: number;
  /** How many orders this version of the cart has, with those that cannot be translated. */
  readonly ordersOfCart: number;
  readonly messageId: string;
  /** The receive of the message: 1 for the first. */
  readonly receive: number;
  readonly attemptId: string;
  readonly nowMs: number;
  readonly leaseMs: number;
}

export type ClaimResult =
  /** Ours until the lease ends. 11VMS may hold the order with the content of any of `claimedHashes`. */
  | { readonly kind: 'claimed'; readonly lookUpFirst: boolean; readonly claimedHashes: ReadonlySet<string> }
  | { readonly kind: 'held'; readonly untilMs: number }
  | { readonly kind: 'created'; readonly order: OrderItem }
  | { readonly kind: 'rejected'; readonly faults: readonly Fault[] }
  | { readonly kind: 'superseded'; readonly byChangedAtMs: number };

export interface CartSkip {
  readonly reason: string;
  readonly messageId: string;
  readonly nowMs: number;
}

export interface Ledger {
  /** To POSTING, where the table above lets it. One write when it succeeds. */
  claim(claim: OrderClaim): Promise<ClaimResult>;
  created(claim: OrderClaim, order: { id: string; number: string | undefined }, nowMs: number): Promise<void>;
  /** `mayExist`: an order may exist nevertheless, so that a redrive looks it up before it posts. */
  rejected(claim: OrderClaim, faults: readonly Fault[], mayExist: boolean): Promise<void>;
  /** No attempt can claim it before `quietUntilMs`: 11VMS may commit the request after a look-up has found nothing. */
  unknown(claim: OrderClaim, fault: Fault, quietUntilMs: number): Promise<void>;
  /** Back to NEW: 11VMS certainly did not take the order in this attempt, nor, by then, in an earlier one. */
  released(claim: OrderClaim, fault: Fault | undefined): Promise<void>;
  /** The created order is also that of this version of its cart, with this content and so many orders. */
  confirmed(claim: OrderClaim): Promise<void>;
  /** Records that a rule skipped the cart. Changes nothing where a later version was skipped. */
  recordSkip(cart: CartVersion & { readonly changedAtMs: number }, skip: CartSkip): Promise<void>;
}

export interface Foresight {
  /** What `claim` would answer to another attempt now. It only reads. */
  foresee(claim: OrderClaim): Promise<ClaimResult>;
}

const unreadableItem = (error: z.ZodError): ClaimResult => {
  const fields = [...new Set(error.issues.map(({ path: [field] }) => String(field)))].join(', ');
  const message = `another version of this interface wrote the order's item in the ledger: its ${fields} cannot be read`;
  return { kind: 'rejected', faults: [{ code: 'E_INT_UNEXPECTED', message }] };
};

/** The claim of the table above, as one conditional write. */
export const CLAIM_EXPRESSIONS = {
  UpdateExpression:
    'SET #state = :posting, contentHash = :hash, changedAtMs = :changed, messageId = :message, ' +
    'receive = :receive, attemptId = :attempt, leaseUntilMs = :lease, ordersOfCart = :orders, ' +
    'lookUpFirst = if_not_exists(mayExist, :false), mayExist = :true, faults = :none, ' +
    'claimedAtMs = :now, firstClaimedAtMs = if_not_exists(firstClaimedAtMs, :now) ' +
    'ADD attempts :one, claimedHashes :hashes',
  ConditionExpression:
    '(attribute_not_exists(changedAtMs) OR changedAtMs <= :changed) AND ' +
    '(attribute_not_exists(#state) OR #state = :new OR (#state = :rejected AND messageId <> :message) OR ' +
    '(#state IN (:posting, :unknown) AND leaseUntilMs < :now))',
} as const;

/** By the table above: why an item is not claimed; undefined where it is. */
function refusalOf(claim: OrderClaim, item: OrderItem): ClaimResult | undefined {
  if (item.state === 'CREATED') return { kind: 'created', order: item };
  const isHeld = (item.state === 'POSTING' || item.state === 'UNKNOWN') && item.leaseUntilMs >= claim.nowMs;
  if (isHeld) return { kind: 'held', untilMs: item.leaseUntilMs };
  if (item.changedAtMs > claim.changedAtMs) return { kind: 'superseded', byChangedAtMs: item.changedAtMs };
  if (item.state === 'REJECTED' && item.messageId === claim.messageId) return { kind: 'rejected', faults: item.faults };
  return undefined;
}

export function createLedger(table: LedgerTable): Ledger & Foresight {
  const orderKey = (claim: OrderClaim): ItemKey => ({
    pk: cartPartition(claim.cart),
    sk: orderSort(claim.externalId),
  });

  /** Ends this attempt's claim. Changes nothing when a later attempt has claimed the order. */
  async function settle(claim: OrderClaim, state: OrderItem['state'], changes: Record<string, unknown>): Promise<void> {
    const { ExpressionAttributeValues, ...setting } = settingAll({ state, ...changes });
    await table.updateItem(orderKey(claim), {
      ...setting,
      // CREATED is final even against ourselves: a lost answer of DynamoDB must not undo it.
      ConditionExpression: 'attemptId = :attempt AND (#state = :posting OR #state = :state)',
      ExpressionAttributeValues: { ...ExpressionAttributeValues, ':attempt': claim.attemptId, ':posting': 'POSTING' },
    });
  }

  async function tryToClaim(claim: OrderClaim): Promise<ClaimResult> {
    const result = await table.updateItem(orderKey(claim), {
      ...CLAIM_EXPRESSIONS,
      ExpressionAttributeNames: { '#state': 'state' },
      ExpressionAttributeValues: {
        ':posting': 'POSTING',
        ':new': 'NEW',
        ':unknown': 'UNKNOWN',
        ':rejected': 'REJECTED',
        ':hash': claim.contentHash,
        ':hashes': new Set([claim.contentHash]),
        ':changed': claim.changedAtMs,
        ':message': claim.messageId,
        ':receive': claim.receive,
        ':orders': claim.ordersOfCart,
        ':attempt': claim.attemptId,
        ':lease': claim.nowMs + claim.leaseMs,
        ':now': claim.nowMs,
        ':true': true,
        ':false': false,
        ':none': [],
        ':one': 1,
      },
      ReturnValues: 'ALL_NEW',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    if (result.kind === 'written') return { kind: 'claimed', ...claimedItem.parse(result.item) };
    return explainRefusal(claim, result.item ?? (await table.getItem(orderKey(claim))));
  }

  function explainRefusal(claim: OrderClaim, stored: Item | undefined): ClaimResult {
    // The item changed between the write and the read: the next attempt decides.
    const undecided = { kind: 'held', untilMs: claim.nowMs } as const;
    if (stored === undefined) return undecided;
    const parsed = orderItem.safeParse(stored);
    if (!parsed.success) return unreadableItem(parsed.error);
    const item = parsed.data;
    const refusal = refusalOf(claim, item);
    // DynamoDB's first answer was lost, and the SDK repeated the claim.
    const isOwn = item.state === 'POSTING' && item.attemptId === claim.attemptId;
    if (refusal?.kind === 'held' && isOwn) return { kind: 'claimed', ...claimedItem.parse(stored) };
    return refusal ?? undecided;
  }

  return {
    claim: tryToClaim,
    async foresee(claim) {
      const stored = await table.getItem(orderKey(claim));
      const claimedHashes = new Set([claim.contentHash]);
      if (stored === undefined) return { kind: 'claimed', lookUpFirst: false, claimedHashes };
      const { data: item, error } = orderItem.safeParse(stored);
      if (error !== undefined) return unreadableItem(error);
      const claimed = { lookUpFirst: item.mayExist, claimedHashes: claimedHashes.union(item.claimedHashes) };
      return refusalOf(claim, item) ?? { kind: 'claimed', ...claimed };
    },
    created: (claim, { id, number }, nowMs) =>
      settle(claim, 'CREATED', {
        orderId: id,
        ...(number === undefined ? {} : { orderNumber: number }),
        faults: [],
        createdAtMs: nowMs,
        event: orderCreatedEvent(claim, { id, number }, nowMs),
        ...listed('CREATED', nowMs),
      }),
    rejected: (claim, faults, mayExist) => settle(claim, 'REJECTED', { faults: boundedFaults(faults), mayExist }),
    unknown: (claim, fault, quietUntilMs) => settle(claim, 'UNKNOWN', { faults: [fault], leaseUntilMs: quietUntilMs }),
    released: (claim, fault) => settle(claim, 'NEW', { faults: fault === undefined ? [] : [fault], mayExist: false }),

    async confirmed(claim) {
      // Refused when a newer version was confirmed meanwhile: the order is then that of the newer version.
      await table.updateItem(orderKey(claim), {
        UpdateExpression:
          'SET changedAtMs = :changed, contentHash = :hash, ordersOfCart = :orders, confirmedAtMs = :now',
        ConditionExpression: '#state = :created AND changedAtMs <= :changed',
        ExpressionAttributeNames: { '#state': 'state' },
        ExpressionAttributeValues: {
          ':created': 'CREATED',
          ':hash': claim.contentHash,
          ':changed': claim.changedAtMs,
          ':orders': claim.ordersOfCart,
          ':now': claim.nowMs,
        },
      });
    },

    async recordSkip(cart, { reason, messageId, nowMs }) {
      const item = {
        ...versionFields(cart),
        reason,
        messageId,
        recordedAtMs: nowMs,
        expiresAt: expiresAt(nowMs, 'trace'),
        ...listed('SKIPPED', nowMs),
      };
      await table.updateItem(
        { pk: cartPartition(cart), sk: cart.isInactiveVersion === true ? INACTIVE_SKIP_SORT : SKIP_SORT },
        {
          ...settingAll(item),
          // Messages come in any order: the skip of a later version supersedes what comes after it.
          ConditionExpression: 'attribute_not_exists(changedAtMs) OR changedAtMs <= :changedAtMs',
        },
      );
    },
  };
}
