/**
 * The interface's memory of what became of each cart and order: single items with conditional writes, in one table.
 *
 * | item    | pk                      | sk                   |
 * |---------|-------------------------|----------------------|
 * | order   | CART#<client>#<number>  | ORDER#<externalId>   |
 * | verdict | CART#<client>#<number>  | VERDICT#<messageId>  |
 * | skip    | CART#<client>#<number>  | SKIP                 |
 *
 * An order's states, and what each means to the next attempt:
 *
 * | state    | meaning                                           | next attempt                                  |
 * |----------|---------------------------------------------------|-----------------------------------------------|
 * | (none)   | never tried                                       | claims it, posts                              |
 * | NEW      | tried; 11VMS certainly did not take it            | claims it, posts                              |
 * | POSTING  | an attempt holds it until its lease ends          | waits; after the lease: claims it, looks up   |
 * | UNKNOWN  | 11VMS may have taken it                           | claims it, looks up before it posts           |
 * | CREATED  | done; holds the order number                      | posts never again                             |
 * | REJECTED | 11VMS refused its content, for one queue message  | same message: ends; new message: claims it    |
 *
 * No item holds a payload, a name or a secret.
 */
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { FAULT_CATALOGUE, type Fault, type FaultCode } from './failure.ts';

/** A cart's identity (rules.md, rule 4); the number is unknown where the row has none. */
export interface CartKey {
  readonly client: string;
  readonly number: string | undefined;
}

const faultCode = z.custom<FaultCode>((code) => typeof code === 'string' && Object.hasOwn(FAULT_CATALOGUE, code));
const fault = z.object({
  code: faultCode,
  message: z.string(),
  path: z.string().exactOptional(),
  field: z.string().exactOptional(),
  value: z.string().exactOptional(),
}) satisfies z.ZodType<Fault>;
const faults = z.array(fault);

const orderItem = z.object({
  state: z.enum(['NEW', 'POSTING', 'CREATED', 'REJECTED', 'UNKNOWN']),
  contentHash: z.string(),
  changedAtMs: z.number(),
  messageId: z.string(),
  attemptId: z.string(),
  attempts: z.number(),
  leaseUntilMs: z.number(),
  /** Set from the claim on: whoever finds it must look up before posting. Cleared only by certainty. */
  mayExist: z.boolean().default(false),
  orderId: z.string().optional(),
  orderNumber: z.string().optional(),
  faults: faults.default([]),
});
export type OrderItem = z.infer<typeof orderItem>;
const keyedOrderItem = orderItem.extend({ sk: z.string() });

export interface OrderClaim {
  readonly cart: CartKey;
  readonly externalId: string;
  readonly contentHash: string;
  /** When the cart was last changed in SRM: older content never replaces newer (edge case 16). */
  readonly changedAtMs: number;
  readonly messageId: string;
  readonly attemptId: string;
  readonly nowMs: number;
  readonly leaseMs: number;
}

export type ClaimResult =
  /** Ours until the lease ends. `before` is what an earlier attempt left, if any. */
  | { readonly kind: 'claimed'; readonly lookUpFirst: boolean; readonly before: OrderItem | undefined }
  | { readonly kind: 'held'; readonly untilMs: number }
  | { readonly kind: 'created'; readonly order: OrderItem }
  | { readonly kind: 'rejected'; readonly faults: readonly Fault[] }
  | { readonly kind: 'superseded'; readonly byChangedAtMs: number };

export interface CreatedOrder {
  readonly externalId: string;
  readonly orderNumber: string | undefined;
  readonly changedAtMs: number;
}

export interface Ledger {
  /** NEW, UNKNOWN, REJECTED for another message, or POSTING past its lease, to POSTING. One write when it succeeds. */
  claim(claim: OrderClaim): Promise<ClaimResult>;
  created(claim: OrderClaim, order: { id: string; number: string | undefined }): Promise<void>;
  /** `mayExist`: an order is there all the same, so that a redrive looks it up before it posts. */
  rejected(claim: OrderClaim, faults: readonly Fault[], mayExist: boolean): Promise<void>;
  unknown(claim: OrderClaim, fault: Fault): Promise<void>;
  /** Back to NEW: 11VMS certainly did not take the order in this attempt, nor, by then, in an earlier one. */
  released(claim: OrderClaim, fault: Fault): Promise<void>;
  /** The orders that were created of a cart. One read; wanted only where something was taken out of a cart. */
  createdOrders(cart: CartKey): Promise<readonly CreatedOrder[]>;
  /** Why a message is on its way to the dead-letter queue, or undefined. */
  verdict(cart: CartKey, messageId: string): Promise<readonly Fault[] | undefined>;
  recordVerdict(cart: CartKey, messageId: string, faults: readonly Fault[], nowMs: number): Promise<void>;
  /** Takes a provisional verdict back: its message was not given up after all. */
  withdrawVerdict(cart: CartKey, messageId: string): Promise<void>;
  /** That a rule skipped the cart, for whoever asks what became of it. */
  recordSkip(cart: CartKey, skip: { reason: string; messageId: string; nowMs: number }): Promise<void>;
}

/** A verdict outlives its message: 4 days on the queue, 14 in the dead-letter queue, then time to ask questions. */
const VERDICT_LIFETIME_SECONDS = 90 * 24 * 3600;

const MAXIMUM_FAULTS = 100;
const MAXIMUM_MESSAGE = 500;
const MAXIMUM_PLACE = 200;

/**
 * DynamoDB takes no item over 400 KB, and a cart of 999 lines can have thousands of faults: a reason must always fit.
 * Where not all fit, every code is kept at least once.
 */
function bounded(faults: readonly Fault[]): Fault[] {
  const cut = (text: string, maximum: number): string => text.slice(0, maximum).toWellFormed();
  // Looked up, not searched for: a cart of 10,000 broken lines has 90,000 faults, and its neighbours wait meanwhile.
  const firstOfCode = new Map(faults.toReversed().map((fault) => [fault.code, fault]));
  const isFirstOfItsCode = (fault: Fault): boolean => firstOfCode.get(fault.code) === fault;
  const ordered =
    faults.length <= MAXIMUM_FAULTS
      ? faults
      : [...faults.filter(isFirstOfItsCode), ...faults.filter((fault) => !isFirstOfItsCode(fault))];
  const kept = ordered.slice(0, MAXIMUM_FAULTS).map((fault) => ({
    ...fault,
    message: cut(fault.message, MAXIMUM_MESSAGE),
    ...(fault.path === undefined ? {} : { path: cut(fault.path, MAXIMUM_PLACE) }),
    ...(fault.field === undefined ? {} : { field: cut(fault.field, MAXIMUM_PLACE) }),
    ...(fault.value === undefined ? {} : { value: cut(fault.value, MAXIMUM_PLACE) }),
  }));
  const [firstLeftOut] = ordered.slice(MAXIMUM_FAULTS);
  if (firstLeftOut === undefined) return kept;
  return [...kept, { code: firstLeftOut.code, message: `and ${faults.length - MAXIMUM_FAULTS} more faults` }];
}

export const cartPartition = (cart: CartKey): string => `CART#${cart.client}#${cart.number ?? '-'}`;
export const orderSort = (externalId: string): string => `ORDER#${externalId}`;
const verdictSort = (messageId: string): string => `VERDICT#${messageId}`;

export function createLedger(client: DynamoDBClient, tableName: string): Ledger {
  const orderKey = (claim: OrderClaim) => marshall({ pk: cartPartition(claim.cart), sk: orderSort(claim.externalId) });

  async function read(key: Record<string, unknown>): Promise<Record<string, unknown> | undefined> {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: tableName, Key: marshall(key), ConsistentRead: true }),
    );
    return Item === undefined ? undefined : unmarshall(Item);
  }

  /** Ends this attempt's claim. Loses silently against a later attempt, which then owns the truth. */
  async function settle(claim: OrderClaim, state: OrderItem['state'], changes: Record<string, unknown>): Promise<void> {
    const values = { state, ...changes };
    const names = Object.keys(values);
    try {
      await client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: orderKey(claim),
          UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
          // CREATED is final even against ourselves: a lost answer of DynamoDB must not undo it.
          ConditionExpression: 'attemptId = :attempt AND (#state = :posting OR #state = :state)',
          ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
          ExpressionAttributeValues: marshall({
            ':attempt': claim.attemptId,
            ':posting': 'POSTING',
            ...Object.fromEntries(Object.entries(values).map(([name, value]) => [`:${name}`, value])),
          }),
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  async function claimOnce(claim: OrderClaim): Promise<ClaimResult | undefined> {
    try {
      const { Attributes } = await client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: orderKey(claim),
          UpdateExpression:
            'SET #state = :posting, contentHash = :hash, changedAtMs = :changed, messageId = :message, ' +
            'attemptId = :attempt, leaseUntilMs = :lease, mayExist = :true, faults = :none, updatedAtMs = :now ' +
            'ADD attempts :one',
          // The last alternative: our own claim, written although its answer was lost.
          ConditionExpression:
            '(attribute_not_exists(changedAtMs) OR changedAtMs <= :changed) AND ' +
            '(attribute_not_exists(#state) OR #state IN (:new, :unknown) OR ' +
            '(#state = :rejected AND messageId <> :message) OR (#state = :posting AND leaseUntilMs < :now) OR ' +
            '(#state = :posting AND attemptId = :attempt))',
          ExpressionAttributeNames: { '#state': 'state' },
          ExpressionAttributeValues: marshall({
            ':posting': 'POSTING',
            ':new': 'NEW',
            ':unknown': 'UNKNOWN',
            ':rejected': 'REJECTED',
            ':hash': claim.contentHash,
            ':changed': claim.changedAtMs,
            ':message': claim.messageId,
            ':attempt': claim.attemptId,
            ':lease': claim.nowMs + claim.leaseMs,
            ':now': claim.nowMs,
            ':true': true,
            ':none': [],
            ':one': 1,
          }),
          ReturnValues: 'ALL_OLD',
        }),
      );
      const before = Attributes === undefined ? undefined : orderItem.parse(unmarshall(Attributes));
      return { kind: 'claimed', lookUpFirst: before?.mayExist ?? false, before };
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw error;
    }
  }

  async function explainRefusal(claim: OrderClaim): Promise<ClaimResult> {
    const item = orderItem.parse(await read({ pk: cartPartition(claim.cart), sk: orderSort(claim.externalId) }));
    if (item.state === 'CREATED') return { kind: 'created', order: item };
    if (item.state === 'POSTING' && item.attemptId !== claim.attemptId && item.leaseUntilMs >= claim.nowMs) {
      return { kind: 'held', untilMs: item.leaseUntilMs };
    }
    if (item.changedAtMs > claim.changedAtMs) return { kind: 'superseded', byChangedAtMs: item.changedAtMs };
    if (item.state === 'REJECTED' && item.messageId === claim.messageId)
      return { kind: 'rejected', faults: item.faults };
    // It changed between the write and the read; the attempt after the next delay sees clearer.
    return { kind: 'held', untilMs: claim.nowMs };
  }

  return {
    claim: async (claim) => (await claimOnce(claim)) ?? (await explainRefusal(claim)),
    created: (claim, { id, number }) =>
      settle(claim, 'CREATED', { orderId: id, ...(number === undefined ? {} : { orderNumber: number }), faults: [] }),
    rejected: (claim, faults, mayExist) => settle(claim, 'REJECTED', { faults: bounded(faults), mayExist }),
    unknown: (claim, fault) => settle(claim, 'UNKNOWN', { faults: [fault] }),
    released: (claim, fault) => settle(claim, 'NEW', { faults: [fault], mayExist: false }),

    async createdOrders(cart) {
      // A cart has few orders: one page holds them all.
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: 'pk = :cart AND begins_with(sk, :orders)',
          ExpressionAttributeValues: marshall({ ':cart': cartPartition(cart), ':orders': orderSort('') }),
          ConsistentRead: true,
        }),
      );
      return Items.flatMap((raw) => {
        const item = keyedOrderItem.parse(unmarshall(raw));
        const externalId = item.sk.slice(orderSort('').length);
        const { orderNumber, changedAtMs } = item;
        return item.state === 'CREATED' ? [{ externalId, orderNumber, changedAtMs }] : [];
      });
    },
    async verdict(cart, messageId) {
      const item = await read({ pk: cartPartition(cart), sk: verdictSort(messageId) });
      return item === undefined ? undefined : faults.parse(item['faults']);
    },
    async recordVerdict(cart, messageId, faults, nowMs) {
      await client.send(
        new PutItemCommand({
          TableName: tableName,
          Item: marshall({
            pk: cartPartition(cart),
            sk: verdictSort(messageId),
            faults: bounded(faults),
            recordedAtMs: nowMs,
            expiresAt: Math.floor(nowMs / 1000) + VERDICT_LIFETIME_SECONDS,
          }),
        }),
      );
    },
    async withdrawVerdict(cart, messageId) {
      await client.send(
        new DeleteItemCommand({
          TableName: tableName,
          Key: marshall({ pk: cartPartition(cart), sk: verdictSort(messageId) }),
        }),
      );
    },
    async recordSkip(cart, { reason, messageId, nowMs }) {
      await client.send(
        new PutItemCommand({
          TableName: tableName,
          Item: marshall({ pk: cartPartition(cart), sk: 'SKIP', reason, messageId, recordedAtMs: nowMs }),
        }),
      );
    },
  };
}
