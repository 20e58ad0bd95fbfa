/** A page for a URL that cannot be answered: what is wrong with it, and the way back. */
import { html, notice } from '../html.ts';
import type { Answer } from '../page.ts';
import { BadQuery } from './list-request.ts';

export async function orBadQuery(path: string, make: () => Promise<Answer>): Promise<Answer> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof BadQuery)) throw error;
    return {
      title: 'This cannot be asked',
      status: 400,
      body: html`${notice('negative', error.message)}<p><a href="${path}">Begin again</a></p>`,
    };
  }
}
