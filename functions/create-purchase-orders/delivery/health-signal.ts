/**
 * What one answer of 11VMS says about its health. It is judged once, where the answer is read (vms-answers.ts). Breaker,
 * trial, final attempt and metrics use this signal and judge by no rule of their own.
 */
export type Health =
  /** Did what was asked. */
  | 'processed'
  /** Turned one request down, as its contract says: it works. */
  | 'judged'
  /** Asks us to wait. It works, and says nothing about the cart. */
  | 'throttled'
  /** Cannot be reached, fails, or answers outside its contract. */
  | 'unhealthy'
  /** Refuses every request: our credentials or the address are wrong. */
  | 'refused'
  /** 403: refuses us, perhaps for one order only. */
  | 'forbidden';

export interface HealthSignal {
  readonly request: 'create' | 'look-up' | 'probe';
  readonly health: Health;
  /** What was answered, as text for a person. */
  readonly reason: string;
}

/** 11VMS works: it did what was asked, or turned the request down for its content. */
export const isHealthy = (health: Health): boolean => health === 'processed' || health === 'judged';
