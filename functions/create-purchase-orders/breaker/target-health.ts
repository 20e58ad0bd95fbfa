/**
 * Circuit Breaker, the quick half: decides when consumption must pause, by the answers of 11VMS and the dead letters that
 * this execution environment saw. Each environment decides alone: none waits for another to open the breaker.
 */
import { type HealthSignal, isHealthy } from '../delivery/answers.ts';
import type { Outcome } from '../outcome.ts';

/** Why consumption must pause. `byPerson`: only a person can decide that it resumes. */
export interface PauseReason {
  readonly reason: string;
  readonly byPerson: boolean;
}

export interface TargetHealth {
  /** Records one answer to a call for a cart. Returns a reason when consumption must pause. */
  observe(cart: string, signal: HealthSignal): PauseReason | undefined;
  /** Whether 11VMS failed for another cart, or refused it by 403, and has processed none since. */
  failsForOthers(cart: string): boolean;
  /** Whether 11VMS took or judged another cart's order after it had refused one of this cart. */
  refusedAlone(cart: string): boolean;
  /** Records the final outcome of a message. Returns a reason when consumption must pause. */
  note(outcome: Outcome): PauseReason | undefined;
}

/** Edge case 71. One cart that keeps failing is no outage. */
const FAILING_CARTS = 5;
/** Edge case 68. */
const FORBIDDEN_CARTS = 3;
/** Edge case 80. */
const MESSAGES_WATCHED = 20;
const SHARE_DEAD = 0.5;

/** @param deadLettersPause Whether too many dead letters pause consumption. */
export function createTargetHealth({ deadLettersPause }: { readonly deadLettersPause: boolean }): TargetHealth {
  /** The carts of the failures, and of the refusals by 403, since 11VMS last processed or judged an order. */
  const failing = new Set<string>();
  const forbidden = new Set<string>();
  /** Those that were refused while 11VMS processed or judged others. */
  const alone = new Set<string>();
  let isDead: boolean[] = [];

  /** Counting starts again after a pause: when consumption resumes, earlier failures must not stop it. */
  function pause(reason: string, byPerson: boolean): PauseReason {
    failing.clear();
    forbidden.clear();
    alone.clear();
    isDead = [];
    return { reason, byPerson };
  }

  return {
    observe(cart, { request, health, reason }) {
      // An answered look-up does not show that orders can be created.
      if (request === 'create' && isHealthy(health)) {
        for (const other of forbidden) if (other !== cart) alone.add(other);
        failing.clear();
        forbidden.clear();
      }
      if (health === 'refused') return pause(reason, false);
      if (health === 'forbidden' && forbidden.add(cart).size >= FORBIDDEN_CARTS) {
        return pause(`${reason}; check the rights of our client, vms.baseUrl and vms.collectionPath`, false);
      }
      if (health === 'unhealthy' && failing.add(cart).size >= FAILING_CARTS) {
        return pause(`${failing.size} carts failed in a row, the last: ${reason}`, false);
      }
      return undefined;
    },
    failsForOthers: (cart) => [...failing, ...forbidden].some((other) => other !== cart),
    refusedAlone: (cart) => alone.has(cart),
    note(outcome) {
      const isFinal = outcome.kind === 'done' || outcome.kind === 'skipped' || outcome.kind === 'dead-letter';
      if (!isFinal || !deadLettersPause) return undefined;
      isDead = [...isDead, outcome.kind === 'dead-letter'].slice(-MESSAGES_WATCHED);
      const count = isDead.filter(Boolean).length;
      if (isDead.length < MESSAGES_WATCHED || count <= SHARE_DEAD * MESSAGES_WATCHED) return undefined;
      const share = `${count} of the last ${MESSAGES_WATCHED} carts`;
      return pause(`${share} became dead letters: check their reasons, the last release and the value maps`, true);
    },
  };
}
