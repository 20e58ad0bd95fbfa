/** A cart's standing in plain words: since when, why, and what comes next. Pure; command line and console say the same. */
import type { BreakerItem } from './circuit-breaker.ts';
import { faultPlace, faultSummary, type Fault, type FaultOwner } from './failure.ts';
import { FAULT_CATALOGUE } from './fault-catalogue.ts';
import type { OpenStanding, Standing } from './standing.ts';
import type { OrderTrace } from './traces.ts';

export interface SentenceContext {
  readonly nowMs: number;
  /** While it is not closed, carts wait. */
  readonly breaker: Pick<BreakerItem, 'state' | 'reason' | 'sinceMs' | 'nextTrialAtMs'>;
  /** How far SRM is read; undefined before the first run. */
  readonly watermarkMs: number | undefined;
  /** An owner with a name and a way to reach them, where they are known. */
  readonly ownerText: (owner: FaultOwner) => string;
}

/** An instant as people read it: to the second, in UTC. */
export const instantText = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

export function sentenceOf(standing: Standing, context: SentenceContext): string {
  switch (standing.word) {
    case 'never-read':
      return context.watermarkMs === undefined
        ? 'No run has read this cart: no run has completed yet.'
        : `No run has read this cart; SRM is read up to ${instantText(context.watermarkMs)}.`;
    case 'partly-ordered': {
      const { created, missing, rest } = standing;
      const some = `${created.length} of its ${created.length + missing} orders ${created.length === 1 ? 'exists' : 'exist'}`;
      return `${some} (${created.map(nameOf).join(', ')}). What is missing: ${uncapitalized(openSentence(rest, context))}`;
    }
    case 'ordered':
      return `${orderedAs(standing.created)}.`;
    case 'cured': {
      const givenUpMs = Math.max(...standing.givenUp.map(({ recordedAtMs }) => recordedAtMs));
      const codes = codesOf(standing.givenUp.flatMap(({ faults }) => faults));
      return `${orderedAs(standing.created)}, after it was given up at ${instantText(givenUpMs)} for ${codes}.`;
    }
    case 'skipped':
      return `Not to be ordered, by a rule, since ${instantText(standing.sinceMs)}: ${ended(standing.reason)}`;
    default:
      return openSentence(standing, context);
  }
}

function openSentence(standing: OpenStanding, context: SentenceContext): string {
  switch (standing.word) {
    case 'waiting':
      return `Queued since ${instantText(standing.sinceMs)}, and not tried yet: ${
        pauseOf(context) ?? (standing.isOverdue ? `it waits in line, or ${LOST}` : 'it waits in line.')
      }`;
    case 'in-progress':
      return `Being tried; the attempt ends by ${instantText(standing.untilMs)}.`;
    case 'retrying': {
      const { triedAtMs, againAtMs, faults, isOverdue } = standing;
      const tried = `Tried at ${instantText(triedAtMs)}${faults.length === 0 ? ', without a recorded end' : `, without success (${reasonsOf(faults)})`}`;
      const isThrottled = faults.some(({ code }) => code.endsWith('_THROTTLED'));
      const soon = againAtMs > context.nowMs ? `at about ${instantText(againAtMs)}` : 'any moment';
      const again = `it is tried again ${soon}${isThrottled ? ', since the other side limits our calls' : ''}.`;
      return `${tried}: ${pauseOf(context) ?? (isOverdue ? `no attempt has followed; ${LOST}` : again)}`;
    }
    case 'dead-lettered': {
      const { faults, sinceMs, keptUntilMs } = standing;
      const kept =
        keptUntilMs > context.nowMs
          ? `SQS keeps its dead letter until ${instantText(keptUntilMs)}.`
          : `SQS may have deleted its dead letter, since ${instantText(keptUntilMs)}.`;
      return [`Given up at ${instantText(sinceMs)} (${reasonsOf(faults)}).`, ...actionsOf(faults, context), kept].join(
        ' ',
      );
    }
    case 'closed':
      return `Settled by hand at ${instantText(standing.sinceMs)}, by ${standing.by}: ${ended(standing.reason)}`;
  }
}

const LOST = 'its message is lost, and the daily reconciliation queues it again.';

function pauseOf({ nowMs, breaker: { state, reason, sinceMs, nextTrialAtMs } }: SentenceContext): string | undefined {
  if (state === 'CLOSED') return undefined;
  const next = nextTrialAtMs > nowMs ? `at about ${instantText(nextTrialAtMs)}` : 'within two minutes';
  const until = state === 'OPEN' ? `until a trial succeeds, the next one ${next}` : 'until a person resumes it';
  return `consumption is paused since ${instantText(sinceMs)}, ${until}${reason === '' ? '.' : ` (${reason}).`}`;
}

const nameOf = ({ orderNumber, orderId, externalId }: OrderTrace): string => orderNumber ?? orderId ?? externalId;

const orderedAs = (created: readonly OrderTrace[]): string =>
  `Ordered: ${created.map((order) => `${nameOf(order)}${order.createdAtMs === undefined ? '' : ` at ${instantText(order.createdAtMs)}`}`).join(', ')}`;

const codesOf = (faults: readonly Fault[]): string => [...new Set(faults.map(({ code }) => code))].join(', ');

/** A cart can have hundreds of faults, mostly of one kind. */
const SHOWN_FAULTS = 3;

export function reasonsOf(faults: readonly Fault[]): string {
  const texts = [...new Set(faults.map((fault) => `${faultSummary(fault)}${faultPlace(fault)}`))];
  if (texts.length === 0) return 'no reason is recorded';
  const more = texts.length > SHOWN_FAULTS ? [`and ${texts.length - SHOWN_FAULTS} more`] : [];
  return [...texts.slice(0, SHOWN_FAULTS), ...more].join('; ');
}

/** Each owner with what to do, once. */
function actionsOf(faults: readonly Fault[], { ownerText }: SentenceContext): string[] {
  const actions = faults.map(
    ({ code }) => `${capitalized(ownerText(FAULT_CATALOGUE[code].owner))}: ${FAULT_CATALOGUE[code].action}`,
  );
  return [...new Set(actions)];
}

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const uncapitalized = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
const ended = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
