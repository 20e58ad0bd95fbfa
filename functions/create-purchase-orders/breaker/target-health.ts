/**
 * Circuit Breaker, the quick half: what the last messages of this execution environment say of the world, and when
 * consumption must pause. Each environment judges by what it sees itself: none waits for another to open the breaker.
 */
import type { TrialResult } from '../../../shared/circuit-breaker.ts';
import type { Fault, FaultCode } from '../../../shared/failure.ts';
import type { CartKey } from '../../../shared/ledger.ts';
import { isDuplicateRead, type Outcome } from '../outcome.ts';
import type { CreateAnswer, LookUpResult } from '../delivery/vms-orders.ts';

/** Why consumption must pause; `byPerson`: only a person can tell that it may go on. */
export interface PauseReason {
  readonly reason: string;
  readonly byPerson: boolean;
}

export interface TargetHealth {
  /** Takes note of what became of a message in this attempt. */
  note(cart: CartKey, outcome: Outcome): PauseReason | undefined;
}

/** Edge case 71; of different carts, since one cart's own trouble is no outage. */
const FAILURES_IN_A_ROW = 5;
/** Edge case 68. */
const FORBIDDEN_IN_A_ROW = 3;
/** Edge case 80. */
const MESSAGES_WATCHED = 20;
const SHARE_REJECTED = 0.5;

/** Failures of 11VMS that any cart would meet. Throttling is none: it is paced, and means that 11VMS is alive. */
const TARGET_FAILURES: ReadonlySet<FaultCode> = new Set([
  'E_TGT_UNAVAILABLE',
  'E_TGT_TIMEOUT_UNKNOWN',
  'E_TGT_DISGUISED_ERROR',
  'E_TGT_RESPONSE_SCHEMA',
]);

const faultText = ({ code, message }: Fault): string => `${code}: ${message}`;

/**
 * What made 11VMS fail an attempt; undefined where it did not, or where SRM or the ledger did. Without a look-up, even a
 * dead letter may be such a failure: nobody judged its content.
 */
export function targetFailure(outcome: Outcome): string | undefined {
  if (outcome.kind !== 'retry' && outcome.kind !== 'dead-letter') return undefined;
  const [fault] = outcome.faults;
  return fault !== undefined && TARGET_FAILURES.has(fault.code) ? faultText(fault) : undefined;
}

/** 11VMS took the order's content and judged it: it is alive, whatever it said. */
const wasJudgedBy11Vms = (outcome: Outcome): boolean =>
  outcome.kind === 'dead-letter' &&
  outcome.faults.some(({ code }) => code.startsWith('E_TGT_') && !TARGET_FAILURES.has(code));

const unhealthy = (fault: Fault): TrialResult => ({ healthy: false, tried: true, reason: faultText(fault) });

/**
 * What the answer to a create shows in a trial: an 11VMS that judges an order is healthy, whatever its judgement. A
 * throttled create is tried again; its last answer shows it.
 */
export function createHealth(answer: CreateAnswer): TrialResult | undefined {
  if (answer.kind === 'throttled') return undefined;
  return 'fault' in answer ? unhealthy(answer.fault) : { healthy: true };
}

/**
 * What a look-up shows in a trial. A throttled one is asked again, an 11VMS without look-ups may be healthy, and an
 * answer is no proof that creates work.
 */
export const lookUpHealth = (result: LookUpResult): TrialResult | undefined =>
  result.kind === 'unanswered' && result.reason !== 'throttled' ? unhealthy(result.fault) : undefined;

/** Without the ledger no order can be created. Other failures that are not of 11VMS show nothing about it. */
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
    // SRM's refusal concerns the few carts that are read again; the extractor's alarm tells of it.
    if (fault?.code !== 'E_TGT_AUTH') return undefined;
    forbidden.push(cart);
    if (isForbidden && forbidden.length < FORBIDDEN_IN_A_ROW) return undefined;
    return { reason: faultText(fault), byPerson: false };
  }

  function failure(what: string, cart: string): PauseReason | undefined {
    failing.push(cart);
    if (failing.length < FAILURES_IN_A_ROW || new Set(failing).size < 2) return undefined;
    return { reason: `${failing.length} failures in a row, the last: ${what}`, byPerson: false };
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
        const what = targetFailure(outcome);
        return what === undefined ? undefined : failure(what, nameOf(cart));
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
        const what = targetFailure(outcome);
        if (what !== undefined) return failure(what, nameOf(cart));
        if (wasJudgedBy11Vms(outcome)) [failing, forbidden] = [[], []];
        return massFailure(true);
      }
    }
  }

  return {
    note(cart, outcome) {
      // Nobody was asked anything new, and the same cart must not count seven times.
      if (isDuplicateRead(outcome)) return undefined;
      const pause = judge(cart, outcome);
      // Once told, it counts from the start: when carts flow again, the past is no reason to stop them.
      if (pause !== undefined) [failing, forbidden, rejected] = [[], [], []];
      return pause;
    },
  };
}
