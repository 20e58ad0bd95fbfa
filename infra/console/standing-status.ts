/** A cart's standing as a shape and a word: the words of shared/standing.ts. */
import type { Standing, StandingWord } from '../../shared/standing.ts';
import { status, type StatusKind } from './html.ts';
import type { Html } from './page.ts';

const KINDS: Readonly<Record<StandingWord, StatusKind>> = {
  'never-read': 'open',
  waiting: 'information',
  'in-progress': 'information',
  retrying: 'pending',
  'partly-ordered': 'critical',
  ordered: 'positive',
  cured: 'positive',
  skipped: 'neutral',
  'dead-lettered': 'negative',
  closed: 'closed',
};

export function standingStatus(standing: Standing): Html {
  const words = wordsOf(standing);
  return status(KINDS[standing.word], words.charAt(0).toUpperCase() + words.slice(1));
}

/** `partly-ordered, the rest dead-lettered` */
export const wordsOf = (standing: Standing): string =>
  standing.word === 'partly-ordered' ? `${standing.word}, the rest ${standing.rest.word}` : standing.word;
