/** What became of one message, and of one order in it. Source: rules.md, "Delivering once". */
import type { Fault } from '../../shared/failure.ts';

/** What became of one order in this attempt. */
export type OrderOutcome =
  /** `recovered`: it existed already, by an earlier attempt whose outcome was not known. */
  | {
      readonly kind: 'created';
      readonly orderId: string;
      readonly orderNumber: string | undefined;
      readonly recovered: boolean;
    }
  /** Nothing to do: created before, or newer content is known. */
  | Skip
  | (NotNow & { readonly kind: 'retry'; readonly afterMs: number | undefined })
  | Refusal
  | { readonly kind: 'rejected'; readonly faults: readonly Fault[] };

export interface Skip {
  readonly kind: 'skipped';
  readonly reason: string;
  /** Nothing new of this very version: each run reads the overlap again, and every cart comes several times. */
  readonly isDuplicateRead?: true;
}

export const isDuplicateRead = (outcome: OrderOutcome | Outcome): boolean =>
  outcome.kind === 'skipped' && outcome.isDuplicateRead === true;

interface NotNow {
  readonly fault: Fault;
  /** What stays open meanwhile, when it was the look-up that was refused or throttled. */
  readonly unknown?: Fault;
}

/** 11VMS or SRM refuses us. `isForbidden`: by 403, which may be about one order's rights (edge case 68). */
export interface Refusal extends NotNow {
  readonly kind: 'refused';
  readonly isForbidden: boolean;
}

const faultsOf = ({ fault, unknown }: NotNow): Fault[] => (unknown === undefined ? [fault] : [fault, unknown]);

/** What becomes of a message. */
export type Outcome =
  /** Every order of the cart exists, or is not wanted: the message is deleted. */
  | { readonly kind: 'done' }
  | Skip
  /** Seen again after a delay, 4 attempts in all. */
  | { readonly kind: 'retry'; readonly faults: readonly Fault[]; readonly afterMs: number | undefined }
  /** 11VMS or SRM refuses us: the cart is not to blame. */
  | { readonly kind: 'refused'; readonly faults: readonly Fault[]; readonly isForbidden: boolean }
  /** The world was to blame to the last receive: a copy lies on the queue as a new message, and this one is done with. */
  | { readonly kind: 'requeued'; readonly faults: readonly Fault[] }
  /** Moved to the dead-letter queue by SQS, with the reason in the ledger. */
  | { readonly kind: 'dead-letter'; readonly faults: readonly Fault[] };

/**
 * The outcome of a message from those of its orders and the faults of its other groups. What may still succeed comes
 * first: a message is given up only when nothing in it is left to try.
 */
export function combineOutcomes(orders: readonly OrderOutcome[], groupFaults: readonly Fault[]): Outcome {
  // Told in any case, behind the reason: the attempt may turn out to be the last, and then all faults are the verdict.
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

/** What SQS is told of a message: nothing (it is deleted), or when it may be seen again. */
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
 * The one switch from outcome to acknowledgement. A dead-lettered message is made visible at once: its remaining
 * receives end at the recorded verdict, and then SQS itself moves it, so that it can be redriven from the console.
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

/** 30 s and doubling, +/- 20 %; what the other side asks for wins when it is longer, up to a quarter of an hour. */
export function retryDelaySeconds(attempt: number, policy: RetryPolicy, jitter: number, askedMs = 0): number {
  const doubled = policy.baseSeconds * 2 ** (attempt - 1);
  const delay = Math.max(Math.round(doubled * (0.8 + 0.4 * jitter)), Math.ceil(askedMs / 1000), 1);
  return Math.min(delay, MAXIMUM_DELAY_SECONDS);
}
