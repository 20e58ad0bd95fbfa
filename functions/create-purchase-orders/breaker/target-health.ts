/**
 * Circuit Breaker, the quick half: judges the health of 11VMS by the last messages of this execution environment, and
 * decides when consumption must pause. Each environment judges alone: none waits for another to open the breaker.
 */
import type { TrialResult } from '../../../shared/circuit-breaker.ts';
import type { Fault, FaultCode } from '../../../shared/failure.ts';
import type { CartKey } from '../../../shared/ledger.ts';
import { isDuplicateRead, type Outcome } from '../outcome.ts';
import type { CreateAnswer, LookUpResult } from '../delivery/vms-orders.ts';

/** Why consumption must pause. `byPerson`: only a person can decide that it resumes. */
export interface PauseReason {
  readonly reason: string;
  readonly byPerson: boolean;
}

export interface TargetHealth {
  /** Records the outcome of one attempt. Returns a reason when consumption must pause. */
  note(cart: CartKey, outcome: Outcome): PauseReason | undefined;
}

/** Edge case 71. The failures must be those of two carts at least: one cart that keeps failing is no outage. */
const FAILURES_IN_A_ROW = 5;
/** Edge case 68. */
const FORBIDDEN_IN_A_ROW = 3;
/** Edge case 80. */
const MESSAGES_WATCHED = 20;
const SHARE_REJECTED = 0.5;

/** Failures of 11VMS that any cart would meet. Throttling is not one of them: it shows that 11VMS is alive. */
const TARGET_FAILURES: ReadonlySet<FaultCode> = new Set([
  'E_TGT_UNAVAILABLE',
  'E_TGT_TIMEOUT_UNKNOWN',
  'E_TGT_DISGUISED_ERROR',
  'E_TGT_RESPONSE_SCHEMA',
]);

const faultText = ({ code, message }: Fault): string => `${code}: ${message}`;

/**
 * The failure of 11VMS that ended an attempt, as text; undefined where 11VMS did not fail, or where SRM or the ledger
 * did. A dead letter is such a failure, too, when 11VMS has no look-up: 11VMS never judged the order's content.
 */
export function targetFailure(outcome: Outcome): string | undefined {
  if (outcome.kind !== 'retry' && outcome.kind !== 'dead-letter') return undefined;
  const [fault] = outcome.faults;
  return fault !== undefined && TARGET_FAILURES.has(fault.code) ? faultText(fault) : undefined;
}

/** 11VMS judged the order's content: it is alive, even when it rejected the order. */
const wasJudgedBy11Vms = (outcome: Outcome): boolean =>
  outcome.kind === 'dead-letter' &&
  outcome.faults.some(({ code }) => code.startsWith('E_TGT_') && !TARGET_FAILURES.has(code));

const unhealthy = (fault: Fault): TrialResult => ({ healthy: false, tried: true, reason: faultText(fault) });

/**
 * The health that the answer to a create shows: an 11VMS that judges an order is healthy, even when it rejects it. A
 * throttled answer shows nothing: the create is repeated, and its last answer counts.
 */
export function createHealth(answer: CreateAnswer): TrialResult | undefined {
  if (answer.kind === 'throttled') return undefined;
  return 'fault' in answer ? unhealthy(answer.fault) : { healthy: true };
}

/**
 * The health that a look-up shows. A throttled look-up is repeated, an 11VMS without look-ups may be healthy, and an
 * answered look-up does not prove that creates work: these show nothing.
 */
export const lookUpHealth = (result: LookUpResult): TrialResult | undefined =>
  result.kind === 'unanswered' && result.reason !== 'throttled' ? unhealthy(result.fault) : undefined;

/** Without the ledger no order can be created. Failures of SRM show nothing about 11VMS. */
export function ledgerHealth(outcome: Outcome): TrialResult | undefined {
  const [fault] = 'faults' in outcome ? outcome.faults : [];
  return fault?.code === 'E_INT_LEDGER' ? unhealthy(fault) : undefined;
}

const nameOf = ({ client, number }: CartKey): string => `${client}/${number ?? ''}`;

export function createTargetHealth(): TargetHealth {
  let failing: string[] = [];
  let forbidden: string[] = [];
  let rejected: boolean[] = [];

  function refusal({ faults, isForbidden }: Extract<Outcome, { kind: 'refused' }>, cart: string) {
    const [fault] = faults;
    // A refusal by SRM concerns only the few carts that are read again, and the extractor's alarm reports it.
    if (fault?.code !== 'E_TGT_AUTH') return undefined;
    forbidden.push(cart);
    if (isForbidden && forbidden.length < FORBIDDEN_IN_A_ROW) return undefined;
    return { reason: faultText(fault), byPerson: false };
  }

  function failure(text: string, cart: string): PauseReason | undefined {
    failing.push(cart);
    if (failing.length < FAILURES_IN_A_ROW || new Set(failing).size < 2) return undefined;
    return { reason: `${failing.length} failures in a row, the last: ${text}`, byPerson: false };
  }

  function massFailure(isRejected: boolean): PauseReason | undefined {
    rejected = [...rejected, isRejected].slice(-MESSAGES_WATCHED);
    const count = rejected.filter(Boolean).length;
    if (rejected.length < MESSAGES_WATCHED || count <= SHARE_REJECTED * MESSAGES_WATCHED) return undefined;
    return {
      reason: `${count} of the last ${MESSAGES_WATCHED} carts were rejected by content: check the last change of value maps`,
      byPerson: true,
    };
  }

  function judge(cart: CartKey, outcome: Outcome): PauseReason | undefined {
    switch (outcome.kind) {
      case 'refused':
        return refusal(outcome, nameOf(cart));
      case 'retry': {
        const text = targetFailure(outcome);
        return text === undefined ? undefined : failure(text, nameOf(cart));
      }
      case 'requeued':
        return undefined;
      case 'done':
        failing = [];
        forbidden = [];
        return massFailure(false);
      case 'skipped':
        return massFailure(false);
      case 'dead-letter': {
        const text = targetFailure(outcome);
        if (text !== undefined) return failure(text, nameOf(cart));
        if (wasJudgedBy11Vms(outcome)) [failing, forbidden] = [[], []];
        return massFailure(true);
      }
    }
  }

  return {
    note(cart, outcome) {
      // A duplicate read called neither system, and one cart must not count once for each reading of the overlap.
      if (isDuplicateRead(outcome)) return undefined;
      const pause = judge(cart, outcome);
      // Counting starts again after a pause: when consumption resumes, earlier failures must not stop it.
      if (pause !== undefined) [failing, forbidden, rejected] = [[], [], []];
      return pause;
    },
  };
}
