/** The items that the ledger's table holds of one cart, as its standing needs them. */
import * as z from 'zod';
import type { Fault } from './failure.ts';
import {
  type CartKey,
  cartPartition,
  closedSort,
  INACTIVE_SKIP_SORT,
  isOrderState,
  orderSort,
  type OrderState,
  queuedPartition,
  queuedSort,
  REDRIVE_STATES,
  redriveSort,
  SKIP_SORT,
  verdictSort,
} from './ledger-keys.ts';
import type { Item, LedgerTable } from './ledger-table.ts';
import { recordedFaults } from './recorded-faults.ts';

const time = z.number().default(0);
const changedAtMs = z.number().optional();
const isInactiveVersion = z.boolean().optional();

const queuedItem = z.object({
  changedAtMs,
  isInactiveVersion,
  guid: z.string().optional(),
  runId: z.string().default(''),
  queuedAtMs: time,
  /** When a replay or the reconciliation last queued a copy. */
  copiedAtMs: z.number().optional(),
});
const orderItem = z.object({
  changedAtMs,
  state: z.string().optional(),
  /** The message that claimed it last. */
  messageId: z.string().default(''),
  receive: z.number().default(1),
  ordersOfCart: z.number().default(1),
  /** While REJECTED: 11VMS may hold it nevertheless. */
  mayExist: z.boolean().optional(),
  firstClaimedAtMs: time,
  claimedAtMs: time,
  leaseUntilMs: time,
  createdAtMs: z.number().optional(),
  /** When a later version of the cart was found to have it, too. */
  confirmedAtMs: z.number().optional(),
  orderId: z.string().optional(),
  orderNumber: z.string().optional(),
  faults: recordedFaults.default([]),
});
const verdictItem = z.object({
  changedAtMs,
  isInactiveVersion,
  state: z.enum(['PROVISIONAL', 'FINAL']),
  recordedAtMs: time,
  /** When SQS took the message. */
  sentAtMs: z.number().optional(),
  faults: recordedFaults.default([]),
});
const skipItem = z.object({
  changedAtMs,
  isInactiveVersion,
  reason: z.string().default(''),
  recordedAtMs: time,
});
const redriveItem = z.object({
  changedAtMs,
  state: z.enum(REDRIVE_STATES),
  by: z.string().default(''),
  reason: z.string().default(''),
  startedAtMs: time,
  /** Of the message that took the dead letter's place; both are absent while the state is SENDING. */
  newMessageId: z.string().optional(),
  sentAtMs: z.number().optional(),
});
const closedItem = z.object({
  changedAtMs,
  by: z.string().default(''),
  reason: z.string().default(''),
  recordedAtMs: time,
});

/** The version of the cart. One that is not known is not later than the record of it, whose time then stands for it. */
interface OfVersion {
  readonly changedAtMs: number;
  readonly isVersionKnown: boolean;
  /** A change or historical version: nothing is said of the active one. An order is never one of these. */
  readonly isInactiveVersion?: boolean | undefined;
}
const versionOf = (
  { changedAtMs }: { readonly changedAtMs?: number | undefined },
  recordedAtMs: number,
): OfVersion => ({
  changedAtMs: changedAtMs ?? recordedAtMs,
  isVersionKnown: changedAtMs !== undefined,
});
export type QueuedTrace = Readonly<z.output<typeof queuedItem>> & OfVersion & { readonly kind: 'queued' };
export type OrderTrace = Readonly<Omit<z.output<typeof orderItem>, 'state'>> &
  OfVersion & {
    readonly kind: 'order';
    readonly externalId: string;
    readonly state: OrderState;
    /** Present where another version of this interface wrote a state that this one does not know. */
    readonly unknownState?: unknown;
  };
/** Why a message was given up. Withdrawn verdicts leave no trace. */
export type VerdictTrace = Readonly<z.output<typeof verdictItem>> &
  OfVersion & { readonly kind: 'verdict'; readonly messageId: string };
export type SkipTrace = Readonly<z.output<typeof skipItem>> & OfVersion & { readonly kind: 'skip' };
/** A dead letter that a person put back on the queue, or began to. */
export type RedriveTrace = Readonly<z.output<typeof redriveItem>> &
  OfVersion & { readonly kind: 'redrive'; readonly messageId: string };
/** A dead letter that was settled by hand. */
export type ClosedTrace = Readonly<z.output<typeof closedItem>> &
  OfVersion & { readonly kind: 'closed'; readonly messageId: string };
export type Trace = QueuedTrace | OrderTrace | VerdictTrace | SkipTrace | RedriveTrace | ClosedTrace;

/** 11VMS may hold it. */
export const isOpenOrder = ({ state }: OrderTrace): boolean => state === 'POSTING' || state === 'UNKNOWN';

/** It was rejected, and 11VMS may hold it nevertheless. */
export const isRejectedButHeld = ({ state, mayExist }: Pick<OrderTrace, 'state' | 'mayExist'>): boolean =>
  state === 'REJECTED' && mayExist === true;

/**
 * Whether a verdict gives up the order's message, or a copy as which that was requeued: one that ended before it claimed the
 * order. Of a message that could not be read, the version is not known.
 */
export const endsAttemptsAt = (verdict: VerdictTrace, order: OrderTrace): boolean =>
  verdict.messageId === order.messageId ||
  (verdict.isInactiveVersion !== true &&
    (verdict.changedAtMs === order.changedAtMs || !verdict.isVersionKnown) &&
    verdict.recordedAtMs >= order.claimedAtMs);

/**
 * When the newest verdict with one of these faults was recorded, if a person has closed its message; else 0. An older one may be
 * closed because a newer version took its place: that settles nothing.
 */
export function settledAtMs(traces: readonly Trace[], faults: readonly Fault[]): number {
  const closed = new Set(traces.flatMap((trace) => (trace.kind === 'closed' ? [trace.messageId] : [])));
  const holds = (verdict: VerdictTrace): boolean =>
    verdict.faults.some((held) => faults.some(({ code, message }) => held.code === code && held.message === message));
  const [newest] = traces
    .filter((trace) => trace.kind === 'verdict')
    .filter(holds)
    .toSorted((one, other) => other.recordedAtMs - one.recordedAtMs);
  return newest !== undefined && closed.has(newest.messageId) ? newest.recordedAtMs : 0;
}

/** Of a cart in any version. */
export const readTraces = async (table: Pick<LedgerTable, 'queryItems'>, cart: CartKey): Promise<Trace[]> =>
  tracesOf(await cartItems(table, cartPartition(cart)));

/** Of a cart by its partition, and of its queued versions, which have a partition of their own. */
export async function cartItems(table: Pick<LedgerTable, 'queryItems'>, cart: string): Promise<Item[]> {
  const parts = await Promise.all([cart, queuedPartition(cart)].map((pk) => table.queryItems(pk, '')));
  return parts.flat();
}

/** Never fails: an item that another version of this interface wrote says as much as can be read of it. */
export function tracesOf(items: readonly Item[]): Trace[] {
  const traces = items.flatMap((item) => traceOf(item) ?? []);
  const inactive = new Set(
    traces.flatMap((trace) => (trace.kind === 'verdict' && trace.isInactiveVersion === true ? [trace.messageId] : [])),
  );
  return traces.map((trace) =>
    (trace.kind === 'redrive' || trace.kind === 'closed') && inactive.has(trace.messageId)
      ? { ...trace, isInactiveVersion: true }
      : trace,
  );
}

function traceOf(item: Item): Trace | undefined {
  const sk = String(item['sk']);
  if (sk === SKIP_SORT || sk === INACTIVE_SKIP_SORT) {
    const { data } = skipItem.safeParse(item);
    return data && { ...data, kind: 'skip', ...versionOf(data, data.recordedAtMs) };
  }
  if (sk.startsWith(QUEUED)) {
    const { data } = queuedItem.safeParse(item);
    return data && { ...data, kind: 'queued', ...versionOf(data, data.queuedAtMs) };
  }
  if (sk.startsWith(VERDICT)) {
    const { data } = verdictItem.safeParse(item);
    const messageId = sk.slice(VERDICT.length);
    return data && { ...data, kind: 'verdict', messageId, ...versionOf(data, data.recordedAtMs) };
  }
  if (sk.startsWith(REDRIVE)) {
    const { data } = redriveItem.safeParse(item);
    const messageId = sk.slice(REDRIVE.length);
    return data && { ...data, kind: 'redrive', messageId, ...versionOf(data, data.startedAtMs) };
  }
  if (sk.startsWith(CLOSED)) {
    const { data } = closedItem.safeParse(item);
    const messageId = sk.slice(CLOSED.length);
    return data && { ...data, kind: 'closed', messageId, ...versionOf(data, data.recordedAtMs) };
  }
  if (!sk.startsWith(ORDER)) return undefined;
  const { data } = orderItem.safeParse(item);
  return (
    data && {
      ...data,
      kind: 'order',
      externalId: sk.slice(ORDER.length),
      // In a state that this version does not know, it accounts for nothing.
      ...(isOrderState(data.state) ? { state: data.state } : { state: 'UNKNOWN', unknownState: data.state }),
      ...versionOf(data, data.claimedAtMs),
    }
  );
}

const QUEUED = queuedSort('');
const ORDER = orderSort('');
const VERDICT = verdictSort('');
const REDRIVE = redriveSort('');
const CLOSED = closedSort('');
