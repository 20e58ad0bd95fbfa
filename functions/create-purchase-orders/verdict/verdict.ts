/**
 * The life of a verdict: why one queue message is dead-lettered. Pure; verdict-record.ts stores it.
 *
 * | state       | meaning                                                        | next                             |
 * |-------------|----------------------------------------------------------------|----------------------------------|
 * | none        | no attempt gave the message up                                 | PROVISIONAL, FINAL               |
 * | PROVISIONAL | the final attempt is under way, or it crashed                  | FINAL, WITHDRAWN                 |
 * | FINAL       | the message goes to the dead-letter queue; all later receives  | WITHDRAWN, by an overlapping     |
 * |             | end here, without another call to 11VMS                        | receive that does not give it up |
 * | WITHDRAWN   | the final attempt did not give the message up                  | PROVISIONAL, FINAL, by a receive |
 * |             |                                                                | that overlaps                    |
 *
 * A withdrawn verdict keeps its faults: the message can still become a dead letter, by a crash before SQS deletes it or
 * by an attempt that outlived the visibility timeout.
 */
import type { Fault } from '../../../shared/failure.ts';
import type { Outcome } from '../outcome.ts';

/** The fault of a PROVISIONAL verdict: the reason that stays when the final attempt crashes. */
export const CRASHED: Fault = { code: 'E_INT_CRASHED', message: 'the last attempt started and did not end' };

/** The step that an attempt's outcome asks for; undefined: none. */
export type VerdictStep =
  | { readonly state: 'FINAL'; readonly faults: readonly Fault[] }
  | { readonly state: 'WITHDRAWN' }
  | undefined;

export function verdictAfter(outcome: Outcome, isFinalAttempt: boolean): VerdictStep {
  if (outcome.kind === 'dead-letter') return { state: 'FINAL', faults: outcome.faults };
  return isFinalAttempt ? { state: 'WITHDRAWN' } : undefined;
}
