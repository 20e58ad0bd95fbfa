/** One cart: its standing, and its times. */
import type { CartKey } from '../../shared/ledger-keys.ts';
import { printable } from '../../shared/printable-text.ts';
import { instantText } from '../../shared/standing-sentence.ts';
import type { Answer } from './answer.ts';
import { howToRead, readCartStory } from './cart-story.ts';
import type { OpenedLedger } from './open-ledger.ts';

const MAXIMUM_LINE = 600;

export async function oneCart(key: Omit<CartKey, 'client'>, ledger: OpenedLedger, nowMs: number): Promise<Answer> {
  const story = await readCartStory(key, ledger, nowMs);
  const { name, standing, context } = story;
  const sentence = printable(story.sentence, 4 * MAXIMUM_LINE);
  const times = story.moments.map(({ atMs, what }) => ({ atMs, what }));
  const advice = standing.word === 'never-read' ? `\n${howToRead(ledger, context).join('\n- ')}\n` : '';
  const lines = times.map(({ atMs, what }) => `${instantText(atMs)}  ${printable(what, MAXIMUM_LINE)}\n`);
  return {
    text: `Cart ${name} (SAP client ${ledger.environment.srm.client}): ${standing.word}\n${sentence}\n${advice}${lines.length === 0 ? '' : '\n'}${lines.join('')}`,
    data: { cart: name, standing, sentence, times },
  };
}
