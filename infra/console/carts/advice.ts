/** What to do, in a sentence and its cases. */
import { html } from '../html.ts';
import type { Html } from '../page.ts';

/** About a cart that no run has read: the page that queues it. */
export const adviceOf = ([first = '', ...others]: readonly string[]): Html =>
  html`<p>${first}</p><ul>${others.map((line) => html`<li>${line}</li>`)}</ul>
<p>Have it queued on <a href="/runs">Runs</a>: "Reconcile by hand" with the last hour queues only what no run has read; "Replay" of a narrow window queues all that was changed in it, dead letters too.</p>`;
