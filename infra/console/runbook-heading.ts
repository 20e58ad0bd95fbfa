/** The chapter of infra/runbook.md that helps with a cart, by the anchor of its heading. */
import type { FaultCode } from '../../shared/failure.ts';
import type { Standing } from '../../shared/standing.ts';
import type { Environment } from '../environments.ts';
import { html } from './html.ts';
import type { Html } from './page.ts';

const OPEN_OUTCOMES: readonly FaultCode[] = ['E_TGT_TIMEOUT_UNKNOWN', 'E_TGT_DISGUISED_ERROR', 'E_TGT_RESPONSE_SCHEMA'];

export interface HeadingContext {
  readonly isPaused: boolean;
  /** `vms.lookUpBy` of the environment is `none`: no redrive can find out what became of an order. */
  readonly hasNoLookUp: boolean;
}

export function runbookHeadingOf(standing: Standing, context: HeadingContext): string {
  switch (standing.word) {
    case 'partly-ordered':
      return runbookHeadingOf(standing.rest, context);
    case 'dead-lettered':
      return deadLetterHeading(
        standing.faults.map(({ code }) => code),
        context,
      );
    case 'waiting':
    case 'in-progress':
    case 'retrying':
      return context.isPaused ? 'consumption-paused' : 'cart-waiting-too-long';
    default:
      return 'find-a-cart';
  }
}

export function deadLetterHeading(
  codes: readonly FaultCode[],
  { hasNoLookUp }: Pick<HeadingContext, 'hasNoLookUp'>,
): string {
  if (codes.includes('E_INT_SIGNATURE')) return 'a-message-that-is-not-signed';
  return hasNoLookUp && codes.some((code) => OPEN_OUTCOMES.includes(code))
    ? 'unknown-outcome-without-a-look-up'
    : 'redrive';
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
