/**
 * The interface's memory of what became of each cart and order: single items with conditional writes, in one table.
 *
 * | item    | pk                      | sk                   |
 * |---------|-------------------------|----------------------|
 * | order   | CART#<client>#<number>  | ORDER#<externalId>   |
 * | verdict | CART#<client>#<number>  | VERDICT#<messageId>  |
 * | skip    | CART#<client>#<number>  | SKIP                 |
 *
 * A cart without a number goes by its GUID: CART#<client>#-<guid>. Each item says of which version of the cart it
 * tells (`changedAtMs`), so that the daily reconciliation can hold it against what SRM says today.
 *
 * An order's states:
 *
 * | state    | meaning                                                                                     |
 * |----------|---------------------------------------------------------------------------------------------|
 * | none     | never tried                                                                                 |
 * | NEW      | tried; 11VMS certainly did not take it                                                      |
 * | POSTING  | an attempt holds it until its lease ends, which is after the end of any attempt             |
 * | UNKNOWN  | 11VMS may have taken it, and until the quiet time ends may still be about to                |
 * | CREATED  | done; holds the order number; final                                                         |
 * | REJECTED | 11VMS refused its content, for one queue message                                            |
 *
 * `mayExist` stands beside the state, from the claim on: whoever claims next looks up before it posts.
 *
 * Any attempt may claim; the first row that fits decides, in one conditional write:
 *
 * | state                           | when                                 | becomes | answer     |
 * |---------------------------------|--------------------------------------|---------|------------|
 * | none                            | always                               | POSTING | claimed    |
 * | CREATED                         | always                               | -       | created    |
 * | POSTING                         | another attempt's lease runs         | -       | held       |
 * | UNKNOWN                         | its quiet time runs                  | -       | held       |
 * | NEW, POSTING, REJECTED, UNKNOWN | it knows a newer version of the cart | -       | superseded |
 * | REJECTED                        | it was rejected for this message     | -       | rejected   |
 * | NEW, POSTING, REJECTED, UNKNOWN | otherwise                            | POSTING | claimed    |
 *
 * Only the attempt that the item names ends its claim; from any other the same call changes nothing, and does not fail:
 *
 * | state    | created | rejected | unknown  | released |
 * |----------|---------|----------|----------|----------|
 * | POSTING  | CREATED | REJECTED | UNKNOWN  | NEW      |
 * | CREATED  | CREATED | -        | -        | -        |
 * | REJECTED | -       | REJECTED | -        | -        |
 * | UNKNOWN  | -       | -        | UNKNOWN  | -        |
 * | NEW      | -       | -        | -        | NEW      |
 * | mayExist | stays   | as told  | stays    | cleared  |
 *
 * `npm run model` explores what two workers, crashes and redeliveries can do to it; test/deep/model/reference-ledger.ts is
 * this table as data, and a property test holds the code below against it.
 *
 * No item holds a payload, a name or a secret.
 */
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { FAULT_CATALOGUE, type Fault, type FaultCode } from './failure.ts';
import type { ItemKey, LedgerTable } from './ledger-table.ts';

/** A cart's identity (rule 4); the number is unknown where the row has none. */
export interface CartKey {
  readonly client: string;
  readonly number: string | undefined;
  /** Takes the place of a number that is missing. */
  readonly guid?: string | undefined;
}

/** A cart as it stood at one moment. */
export interface CartVersion extends CartKey {
  /** When it was last changed in SRM; undefined where that is not known. */
  readonly changedAtMs: number | undefined;
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
  /** While POSTING: the end of the lease. While UNKNOWN: the end of the quiet time. */
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

/** What one item tells of a cart, for whoever asks what became of it. */
export type Trace =
  | {
      readonly kind: 'order';
      readonly state: OrderItem['state'];
      readonly changedAtMs: number;
      readonly messageId: string;
      /** When an attempt last claimed it. */
      readonly claimedAtMs: number;
    }
  | {
      readonly kind: 'verdict';
      readonly changedAtMs: number;
      readonly messageId: string;
      readonly recordedAtMs: number;
    }
  | { readonly kind: 'skip'; readonly changedAtMs: number };

/** Why a message is given up. */
export interface Verdict {
  readonly messageId: string;
  /** The extraction run that queued it; a redrive or a copy keeps it. Undefined where the message cannot be read. */
  readonly runId: string | undefined;
  readonly faults: readonly Fault[];
  readonly nowMs: number;
}

export interface Ledger {
  /** To POSTING, where the table above lets it. One write when it succeeds. */
  claim(claim: OrderClaim): Promise<ClaimResult>;
  created(claim: OrderClaim, order: { id: string; number: string | undefined }): Promise<void>;
  /** `mayExist`: an order is there all the same, so that a redrive looks it up before it posts. */
  rejected(claim: OrderClaim, faults: readonly Fault[], mayExist: boolean): Promise<void>;
  /** Until `quietUntilMs` nobody claims it: 11VMS may commit the request after whatever a look-up says now. */
  unknown(claim: OrderClaim, fault: Fault, quietUntilMs: number): Promise<void>;
  /** Back to NEW: 11VMS certainly did not take the order in this attempt, nor, by then, in an earlier one. */
  released(claim: OrderClaim, fault: Fault): Promise<void>;
  /** An order that was created stands for this newer version of its cart, too: there was nothing to change. */
  confirmed(claim: OrderClaim): Promise<void>;
  /** The orders that were created of a cart. One read; wanted only where something was taken out of a cart. */
  createdOrders(cart: CartKey): Promise<readonly CreatedOrder[]>;
  /** Why a message is on its way to the dead-letter queue, or undefined. */
  verdict(cart: CartKey, messageId: string): Promise<readonly Fault[] | undefined>;
  recordVerdict(cart: CartVersion, verdict: Verdict): Promise<void>;
  /**
   * Whether another reading of this very version of the cart is on its way to the dead-letter queue for the same faults,
   * told since `sinceMs`. Never of a reading that has a verdict of its own already: what comes of it now was redriven, or
   * put back, and must not count on another one.
   */
  hasDuplicateVerdict(
    cart: CartVersion,
    reading: { readonly runId: string; readonly faults: readonly Fault[] },
    sinceMs: number,
  ): Promise<boolean>;
  /**
   * Marks a provisional verdict: its message was not given up after all. Its faults stay, since the message can still
   * become a dead letter: by a crash before it is acknowledged, or because its attempt outlived the visibility timeout.
   */
  withdrawVerdict(cart: CartKey, messageId: string): Promise<void>;
  /** That a rule skipped the cart, for whoever asks what became of it. False when that was known of this version. */
  recordSkip(cart: CartVersion, skip: { reason: string; messageId: string; nowMs: number }): Promise<boolean>;
  /** All that is known of a cart, of any version, but for verdicts that were withdrawn. */
  traces(cart: CartKey): Promise<readonly Trace[]>;
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

export const cartPartition = ({ client, number, guid }: CartKey): string =>
  `CART#${client}#${number ?? `-${guid ?? ''}`}`;
const SKIP_SORT = 'SKIP';
export const orderSort = (externalId: string): string => `ORDER#${externalId}`;
const verdictSort = (messageId: string): string => `VERDICT#${messageId}`;

const versionOf = ({ changedAtMs }: CartVersion) => (changedAtMs === undefined ? {} : { changedAtMs });

const traceItem = z.object({
  sk: z.string(),
  state: orderItem.shape.state.optional(),
  changedAtMs: z.number().optional(),
  messageId: z.string().default(''),
  updatedAtMs: z.number().default(0),
  recordedAtMs: z.number().default(0),
  withdrawn: z.boolean().default(false),
});
const TRACED = {
  ProjectionExpression: 'sk, #state, changedAtMs, messageId, updatedAtMs, recordedAtMs, withdrawn',
  ExpressionAttributeNames: { '#state': 'state' },
} as const;
const skipItem = traceItem.pick({ changedAtMs: true });
/** Its faults are compared, whatever they are: an older version of this code may have written them. */
const toldVerdict = traceItem
  .pick({ changedAtMs: true, recordedAtMs: true, withdrawn: true })
  .extend({ runId: z.string().optional(), faults: z.unknown() });

function toTrace({ sk, state, messageId, updatedAtMs, recordedAtMs, ...item }: z.infer<typeof traceItem>): Trace {
  // Where the version could not be told, it is at any rate none of later.
  const changedAtMs = item.changedAtMs ?? recordedAtMs;
  if (state !== undefined) return { kind: 'order', state, changedAtMs, messageId, claimedAtMs: updatedAtMs };
  if (sk === SKIP_SORT) return { kind: 'skip', changedAtMs };
  return { kind: 'verdict', changedAtMs, messageId: sk.slice(verdictSort('').length), recordedAtMs };
}

/** The claim of the table above, as one conditional write. */
export const CLAIM_EXPRESSIONS = {
  UpdateExpression:
    'SET #state = :posting, contentHash = :hash, changedAtMs = :changed, messageId = :message, ' +
    'attemptId = :attempt, leaseUntilMs = :lease, mayExist = :true, faults = :none, updatedAtMs = :now ' +
    'ADD attempts :one',
  // The last alternative: our own claim, written although its answer was lost.
  ConditionExpression:
    '(attribute_not_exists(changedAtMs) OR changedAtMs <= :changed) AND ' +
    '(attribute_not_exists(#state) OR #state = :new OR (#state = :rejected AND messageId <> :message) OR ' +
    '(#state IN (:posting, :unknown) AND leaseUntilMs < :now) OR ' +
    '(#state = :posting AND attemptId = :attempt))',
} as const;

export function createLedger(table: LedgerTable): Ledger {
  const orderKey = (claim: OrderClaim): ItemKey => ({
    pk: cartPartition(claim.cart),
    sk: orderSort(claim.externalId),
  });
  const verdictKey = (cart: CartKey, messageId: string): ItemKey => ({
    pk: cartPartition(cart),
    sk: verdictSort(messageId),
  });

  /** Ends this attempt's claim. Loses silently against a later attempt, which then owns the truth. */
  async function settle(claim: OrderClaim, state: OrderItem['state'], changes: Record<string, unknown>): Promise<void> {
    const values = { state, ...changes };
    const names = Object.keys(values);
    await table.updateItem(orderKey(claim), {
      UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
      // CREATED is final even against ourselves: a lost answer of DynamoDB must not undo it.
      ConditionExpression: 'attemptId = :attempt AND (#state = :posting OR #state = :state)',
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: {
        ':attempt': claim.attemptId,
        ':posting': 'POSTING',
        ...Object.fromEntries(Object.entries(values).map(([name, value]) => [`:${name}`, value])),
      },
    });
  }

  async function claimOnce(claim: OrderClaim): Promise<ClaimResult | undefined> {
    const result = await table.updateItem(orderKey(claim), {
      ...CLAIM_EXPRESSIONS,
      ExpressionAttributeNames: { '#state': 'state' },
      ExpressionAttributeValues: {
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
      },
      ReturnValues: 'ALL_OLD',
    });
    if (result.kind === 'refused') return undefined;
    const before = orderItem.optional().parse(result.item);
    return { kind: 'claimed', lookUpFirst: before?.mayExist ?? false, before };
  }

  async function explainRefusal(claim: OrderClaim): Promise<ClaimResult> {
    const item = orderItem.parse(await table.getItem(orderKey(claim)));
    if (item.state === 'CREATED') return { kind: 'created', order: item };
    const isTimed = item.state === 'UNKNOWN' || (item.state === 'POSTING' && item.attemptId !== claim.attemptId);
    if (isTimed && item.leaseUntilMs >= claim.nowMs) return { kind: 'held', untilMs: item.leaseUntilMs };
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
    unknown: (claim, fault, quietUntilMs) => settle(claim, 'UNKNOWN', { faults: [fault], leaseUntilMs: quietUntilMs }),
    released: (claim, fault) => settle(claim, 'NEW', { faults: [fault], mayExist: false }),

    async confirmed(claim) {
      // Refused where a newer version has been here meanwhile: then that is what the order stands for.
      await table.updateItem(orderKey(claim), {
        UpdateExpression: 'SET changedAtMs = :changed',
        ConditionExpression: '#state = :created AND changedAtMs < :changed',
        ExpressionAttributeNames: { '#state': 'state' },
        ExpressionAttributeValues: { ':created': 'CREATED', ':changed': claim.changedAtMs },
      });
    },

    async createdOrders(cart) {
      return (await table.queryItems(cartPartition(cart), orderSort(''))).flatMap((raw) => {
        const item = keyedOrderItem.parse(raw);
        const externalId = item.sk.slice(orderSort('').length);
        const { orderNumber, changedAtMs } = item;
        return item.state === 'CREATED' ? [{ externalId, orderNumber, changedAtMs }] : [];
      });
    },
    async verdict(cart, messageId) {
      const item = await table.getItem(verdictKey(cart, messageId));
      return item === undefined || item['withdrawn'] === true ? undefined : faults.parse(item['faults']);
    },
    async recordVerdict(cart, { messageId, runId, faults, nowMs }) {
      await table.putItem({
        ...verdictKey(cart, messageId),
        ...versionOf(cart),
        ...(runId === undefined ? {} : { runId }),
        faults: bounded(faults),
        recordedAtMs: nowMs,
        expiresAt: Math.floor(nowMs / 1000) + VERDICT_LIFETIME_SECONDS,
      });
    },
    async hasDuplicateVerdict(cart, { runId, faults }, sinceMs) {
      const told = z.array(toldVerdict).parse(await table.queryItems(cartPartition(cart), verdictSort('')));
      if (told.some((verdict) => verdict.runId === runId)) return false;
      return told.some(
        (verdict) =>
          !verdict.withdrawn &&
          verdict.changedAtMs !== undefined &&
          verdict.changedAtMs === cart.changedAtMs &&
          verdict.recordedAtMs >= sinceMs &&
          isDeepStrictEqual(verdict.faults, bounded(faults)),
      );
    },
    async withdrawVerdict(cart, messageId) {
      // Refused where there is none: the ledger did not take it.
      await table.updateItem(verdictKey(cart, messageId), {
        UpdateExpression: 'SET withdrawn = :true',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeValues: { ':true': true },
      });
    },
    async recordSkip(cart, { reason, messageId, nowMs }) {
      const replaced = await table.putItem({
        pk: cartPartition(cart),
        sk: SKIP_SORT,
        ...versionOf(cart),
        reason,
        messageId,
        recordedAtMs: nowMs,
      });
      return replaced === undefined || skipItem.parse(replaced).changedAtMs !== cart.changedAtMs;
    },
    async traces(cart) {
      const items = z.array(traceItem).parse(await table.queryItems(cartPartition(cart), '', TRACED));
      return items.filter(({ withdrawn }) => !withdrawn).map(toTrace);
    },
  };
}
