/** The outcome of one message, and of each order in it. Source: rules.md, "Delivering once". */
import type { Fault } from '../../shared/failure.ts';

/** What one attempt came to for one order. */
export type OrderOutcome =
  /** `recovered`: an earlier attempt, whose outcome was unknown, had created it. */
  | {
      readonly kind: 'created';
      readonly orderId: string;
      readonly orderNumber: string | undefined;
      readonly recovered: boolean;
    }
  /** Nothing to do: created before, or newer content is known. */
  | Skip
  | (Postponed & { readonly kind: 'retry'; readonly afterMs: number | undefined })
  | Refusal
  | { readonly kind: 'rejected'; readonly faults: readonly Fault[] };

export interface Skip {
  readonly kind: 'skipped';
  readonly reason: string;
  /** This version was handled before: each run reads the overlap again, so that a cart comes several times. */
  readonly isDuplicateRead?: true;
}

export const isDuplicateRead = (outcome: OrderOutcome | Outcome): boolean =>
  outcome.kind === 'skipped' && outcome.isDuplicateRead === true;

interface Postponed {
  readonly fault: Fault;
  /** The open outcome of an earlier create, when its look-up was refused or throttled. */
  readonly unknown?: Fault;
}

/** 11VMS or SRM refuses us. `isForbidden`: by 403, which may concern the rights for one order only (edge case 68). */
export interface Refusal extends Postponed {
  readonly kind: 'refused';
  readonly isForbidden: boolean;
}

const faultsOf = ({ fault, unknown }: Postponed): Fault[] => (unknown === undefined ? [fault] : [fault, unknown]);

export type Outcome =
  /** Every order of the cart exists, or is not wanted: the message is deleted. */
  | { readonly kind: 'done' }
  | Skip
  /** The message is received again after a delay, while it has receives left. */
  | { readonly kind: 'retry'; readonly faults: readonly Fault[]; readonly afterMs: number | undefined }
  /** 11VMS or SRM refuses us: the cart is not to blame. */
  | { readonly kind: 'refused'; readonly faults: readonly Fault[]; readonly isForbidden: boolean }
  /** Systemic failure, and no receive is left: a copy is on the queue as a new message, and this one is deleted. */
  | { readonly kind: 'requeued'; readonly faults: readonly Fault[] }
  /** SQS moves the message to the dead-letter queue; the ledger holds the reason. */
  | { readonly kind: 'dead-letter'; readonly faults: readonly Fault[] };

/**
 * Combines the outcomes of a message's orders and the faults of its other groups. A message is dead-lettered only when
 * none of its orders may still succeed.
 */
export function combineOutcomes(orders: readonly OrderOutcome[], groupFaults: readonly Fault[]): Outcome {
  // They follow the reason of every outcome: if the attempt is the last, all faults together are the verdict.
  const faults = [...groupFaults, ...orders.flatMap((order) => (order.kind === 'rejected' ? order.faults : []))];
  const refusals = orders.filter((order) => order.kind === 'refused');
  if (refusals.length > 0) {
    return {
      kind: 'refused',
      faults: [...refusals.flatMap(faultsOf), ...faults],
      isForbidden: refusals.every(({ isForbidden }) => isForbidden),
    };
  }
  const retries = orders.filter((order) => order.kind === 'retry');
  if (retries.length > 0) {
    const delays = retries.flatMap(({ afterMs }) => (afterMs === undefined ? [] : [afterMs]));
    return {
      kind: 'retry',
      faults: [...retries.flatMap(faultsOf), ...faults],
      afterMs: delays.length === 0 ? undefined : Math.max(...delays),
    };
  }
  if (faults.length > 0) return { kind: 'dead-letter', faults };
  const skips = orders.filter((order) => order.kind === 'skipped');
  const [skip] = skips;
  if (skip === undefined || skips.length < orders.length) return { kind: 'done' };
  return skips.every(isDuplicateRead) ? skip : { kind: 'skipped', reason: skip.reason };
}

/** What SQS does with a message: deletes it, or makes it visible again after a delay. */
export type Settlement =
  | { readonly kind: 'delete' }
  | { readonly kind: 'return'; readonly visibleAfterSeconds: number };

export interface RetryPolicy {
  /** 30 s in the rules; doubles with each attempt. */
  readonly baseSeconds: number;
}

/** The cap of every delay (rules.md, "transient"). */
const MAXIMUM_DELAY_SECONDS = 900;

/**
 * Decides what SQS does with the message. A dead-lettered message becomes visible at once: its remaining receives end
 * at the recorded verdict, and then SQS itself moves it, so that it can be redriven from the console.
 * @param attempt 1 for the first receive.
 * @param jitter 0 to 1, uniformly; the delay varies by +/- 20 %.
 */
export function settle(outcome: Outcome, attempt: number, policy: RetryPolicy, jitter: number): Settlement {
  switch (outcome.kind) {
    case 'done':
    case 'skipped':
    case 'requeued':
      return { kind: 'delete' };
    case 'dead-letter':
      return { kind: 'return', visibleAfterSeconds: 0 };
    case 'refused':
      return { kind: 'return', visibleAfterSeconds: retryDelaySeconds(attempt, policy, jitter) };
    case 'retry':
      return { kind: 'return', visibleAfterSeconds: retryDelaySeconds(attempt, policy, jitter, outcome.afterMs) };
  }
}

/** The base, doubled with each attempt, +/- 20 %; or the delay that is asked for, when longer; 15 minutes at most. */
export function retryDelaySeconds(attempt: number, policy: RetryPolicy, jitter: number, askedMs = 0): number {
  const doubled = policy.baseSeconds * 2 ** (attempt - 1);
  const delay = Math.max(Math.round(doubled * (0.8 + 0.4 * jitter)), Math.ceil(askedMs / 1000), 1);
  return Math.min(delay, MAXIMUM_DELAY_SECONDS);
}
