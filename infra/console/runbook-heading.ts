/** The chapter of infra/runbook.md that helps with a cart, by the anchor of its heading. */
import type { FaultCode } from '../../shared/failure.ts';
import type { Standing } from '../../shared/standing.ts';

const OPEN_OUTCOMES: readonly FaultCode[] = ['E_TGT_TIMEOUT_UNKNOWN', 'E_TGT_DISGUISED_ERROR', 'E_TGT_RESPONSE_SCHEMA'];

export function runbookHeadingOf(standing: Standing, isPaused: boolean): string {
  switch (standing.word) {
    case 'partly-ordered':
      return runbookHeadingOf(standing.rest, isPaused);
    case 'dead-lettered':
      return standing.faults.some(({ code }) => OPEN_OUTCOMES.includes(code))
        ? 'unknown-outcome-without-a-look-up'
        : 'redrive';
    case 'waiting':
    case 'in-progress':
    case 'retrying':
      return isPaused ? 'consumption-paused' : 'cart-waiting-too-long';
    default:
      return 'find-a-cart';
  }
}
