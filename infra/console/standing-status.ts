/** A cart's standing as a shape and a word: the words of shared/standing.ts. */
import type { Standing, StandingWord } from '../../shared/standing.ts';
import { html, status, type StatusKind } from './html.ts';
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
  const { word } = standing;
  const shown = status(KINDS[word], word.charAt(0).toUpperCase() + word.slice(1));
  return word === 'partly-ordered' ? html`${shown}<br><small>the rest ${standing.rest.word}</small>` : shown;
}

/** `partly-ordered, the rest dead-lettered` */
export const wordsOf = (standing: Standing): string =>
  standing.word === 'partly-ordered' ? `${standing.word}, the rest ${standing.rest.word}` : standing.word;
