/**
 * What the answers of 11VMS mean. Each is read once, in vms-answers.ts, and carries the health that it shows of 11VMS.
 * Breaker, trial, final attempt and metrics use this health, and judge by no rule of their own.
 */
import { type Fault, faultSummary } from '../../../shared/failure.ts';
import type { StoredOrder } from './stored-order.ts';

export type Health =
  /** Did what was asked. */
  | 'processed'
  /** Turned one request down, as its contract says: it works. */
  | 'judged'
  /** Asks us to wait, or there was no time left to ask it. That says nothing about the cart. */
  | 'throttled'
  /** Cannot be reached, fails, or answers outside its contract. */
  | 'unhealthy'
  /** Refuses every request: our credentials or the address are wrong. */
  | 'refused'
  /** 403, a firewall's block page, or no collection for a create: refuses us, perhaps for one order only. */
  | 'forbidden';

export interface HealthSignal {
  readonly request: 'create' | 'look-up' | 'probe';
  readonly health: Health;
  /** What was answered, as text for a person. */
  readonly reason: string;
}

/** 11VMS works: it did what was asked, or turned the request down for its content. */
export const isHealthy = (health: Health): boolean => health === 'processed' || health === 'judged';

/** The answer to a create. */
export type CreateAnswer = { readonly health: Health } & (
  | { readonly kind: 'created'; readonly id: string; readonly number: string | undefined }
  /** 409: something of the order exists. `rejection`: the faults of the order when it is not the order itself. */
  | { readonly kind: 'conflict'; readonly fault: Fault; readonly rejection: readonly Fault[] | undefined }
  /** `mayBeTaken`: not this request, but an earlier one with the same key. */
  | { readonly kind: 'rejected'; readonly faults: readonly Fault[]; readonly mayBeTaken: boolean }
  /** Not taken. Forbidden health: unless a firewall refuses only what 11VMS answered. */
  | { readonly kind: 'not-taken'; readonly fault: Fault; readonly retryAfterMs: number | undefined }
  /** Certainly not taken, and wants a pause before the next call. */
  | { readonly kind: 'throttled'; readonly fault: Fault; readonly retryAfterMs: number | undefined }
  /** Perhaps taken: to be looked up before anything is posted again. Throttled health: it wants a pause, too. */
  | { readonly kind: 'unknown'; readonly fault: Fault; readonly retryAfterMs: number | undefined }
);

/** The result of a look-up by externalId. */
export type LookUpResult = { readonly health: Health } & (
  | { readonly kind: 'found'; readonly stored: StoredOrder }
  | { readonly kind: 'absent' }
  /** Wants a pause before the next call. */
  | { readonly kind: 'throttled'; readonly fault: Fault; readonly retryAfterMs: number | undefined }
  /** 11VMS did not say whether it holds the order; it may answer a later look-up. */
  | { readonly kind: 'unanswered'; readonly fault: Fault; readonly retryAfterMs: number | undefined }
  /** This 11VMS has no look-up. */
  | { readonly kind: 'impossible'; readonly fault: Fault }
);

/** What an answer says, as text for a person. */
export function answerText(answer: CreateAnswer | LookUpResult): string {
  if ('fault' in answer) return faultSummary(answer.fault);
  if ('faults' in answer) return answer.faults.map(faultSummary).join('; ');
  return answer.kind;
}
