/** What to do, in a sentence and its cases. */
import { html } from '../html.ts';
import type { Html } from '../page.ts';

export const adviceOf = ([first = '', ...others]: readonly string[]): Html =>
  html`<p>${first}</p><ul>${others.map((line) => html`<li>${line}</li>`)}</ul>`;
