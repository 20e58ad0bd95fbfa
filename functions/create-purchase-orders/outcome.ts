/** The outcome of one message, and of each order in it. Source: rules.md, "Delivering once". */
import type { Fault } from '../../shared/failure.ts';
import type { Health } from './delivery/answers.ts';

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
  | Retry
  | { readonly kind: 'rejected'; readonly faults: readonly Fault[] };

export interface Skip {
  readonly kind: 'skipped';
  readonly reason: string;
}

/** The answer that ended an attempt before its end: the health that it shows of the system which gave it. */
export interface Cause {
  readonly system: 'SRM' | '11VMS';
  readonly health: Health;
}

/** The message is received again after a delay, while it has receives left. */
export interface Retry {
  readonly kind: 'retry';
  readonly faults: readonly Fault[];
  readonly afterMs: number | undefined;
  /** Undefined where no answer of SRM or 11VMS ended the attempt. */
  readonly cause: Cause | undefined;
}

/** SRM or 11VMS refuses us: the cart is not at fault. */
export const isRefused = ({ cause }: Retry): boolean => cause?.health === 'refused' || cause?.health === 'forbidden';

export type Outcome =
  /** Every order of the cart exists, or is not wanted: the message is deleted. */
  | { readonly kind: 'done' }
  | Skip
  | Retry
  /** Systemic failure, and no receive is left: a copy is on the queue as a new message, and this one is deleted. */
  | { readonly kind: 'requeued'; readonly faults: readonly Fault[] }
  /** SQS moves the message to the dead-letter queue; the ledger holds the reason. */
  | { readonly kind: 'dead-letter'; readonly faults: readonly Fault[] };

const hopelessness = ({ cause }: Retry): number =>
  cause?.health === 'refused' ? 0 : cause?.health === 'forbidden' ? 2 : cause?.health === 'unhealthy' ? 3 : 1;

/**
 * Combines the outcomes of a message's orders and the faults of its other groups. A message is dead-lettered only when
 * none of its orders may still succeed.
 */
export function combineOutcomes(orders: readonly OrderOutcome[], groupFaults: readonly Fault[]): Outcome {
  // They follow the reason of every outcome: if the attempt is the last, all faults together are the verdict.
  const faults = [...groupFaults, ...orders.flatMap((order) => (order.kind === 'rejected' ? order.faults : []))];
  const retries = orders.filter((order) => order.kind === 'retry');
  // Of an order that its system may be unable to process and one that may still succeed, the latter decides.
  const [first, ...others] = retries.toSorted((a, b) => hopelessness(a) - hopelessness(b));
  if (first !== undefined) {
    const delays = retries.flatMap(({ afterMs }) => (afterMs === undefined ? [] : [afterMs]));
    return {
      ...first,
      faults: [...first.faults, ...others.flatMap((other) => other.faults), ...faults],
      afterMs: delays.length === 0 ? undefined : Math.max(...delays),
    };
  }
  if (faults.length > 0) return { kind: 'dead-letter', faults };
  const skips = orders.filter((order) => order.kind === 'skipped');
  const [skip] = skips;
  return skip !== undefined && skips.length === orders.length ? skip : { kind: 'done' };
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
