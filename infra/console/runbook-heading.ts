/** The chapter of infra/runbook.md that helps with a cart, by the anchor of its heading. */
import type { FaultCode } from '../../shared/failure.ts';
import type { Standing } from '../../shared/standing.ts';
import type { Environment } from '../environments.ts';
import { html } from './html.ts';
import type { Html } from './page.ts';

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

/** A link where the runbook has an address, and its place in words where it has none. */
export function runbookLink(
  { notifications: { runbookUrl } }: { readonly notifications: Pick<Environment['notifications'], 'runbookUrl'> },
  heading: string,
): Html {
  return /^https?:\/\//.test(runbookUrl)
    ? html`<a href="${runbookUrl}#${heading}" rel="noreferrer">${heading}</a>`
    : html`<code>${runbookUrl}#${heading}</code>`;
}
