/** The frame of every page: where one is, who one is, and what one may do. */
import { html } from 'hono/html';
import { linkTo, NOTHING, plural, status, time } from './html.ts';
import type { Html, Mode, Page } from './page.ts';
import type { Sources } from './sources.ts';

export interface Frame {
  readonly sources: Sources;
  readonly mode: Mode;
  readonly nowMs: number;
  readonly endsAtMs: number | undefined;
  /** The path of this page, for the navigation. */
  readonly path: string;
  readonly navigation: readonly { readonly path: string; readonly label: string }[];
}

export function framed({ title, body }: Page, frame: Frame): Html {
  const { sources, nowMs, path, navigation } = frame;
  const { environmentName } = sources.place;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · ${environmentName}</title>
<link rel="icon" href="${iconOf(sources)}">
<link rel="stylesheet" href="/assets/console.css">
<script type="module" src="/assets/console.js"></script>
</head>
<body class="${toneOf(sources)}">
<a class="skip" href="#content">To the content</a>
<header>
${placeBand(frame)}
<nav aria-label="Pages"><ul>${navigation.map(
    (page) =>
      html`<li><a href="${page.path}" ${page.path === path ? html`aria-current="page"` : NOTHING}>${page.label}</a></li>`,
  )}</ul>
<form role="search" action="/find"><label>Find <input type="search" name="q" required maxlength="100" autocomplete="off" placeholder="cart, order, supplier, message, run"></label><button>Find</button></form>
</nav>
</header>
<main id="content" tabindex="-1">
<h1>${title}</h1>
${body}
</main>
<footer><p>As of ${time(nowMs, nowMs)} in ${environmentName}. Everything here is read; ${
    frame.mode === 'operate'
      ? 'acts ask before they change anything.'
      : 'nothing can be changed: start with --operate to act.'
  } Press <kbd>/</kbd> to search.</p></footer>
</body>
</html>`;
}

const isProduction = ({ environment }: Sources): boolean => environment.operation.terminationProtection;
const toneOf = (sources: Sources): string => (isProduction(sources) ? 'production' : 'rehearsal');
const iconOf = (sources: Sources): string => `/assets/${toneOf(sources)}.svg`;

function placeBand({ sources, mode, nowMs, endsAtMs }: Frame): Html {
  const { environmentName, account, region, identity } = sources.place;
  return html`<dl class="place">
<div><dt>Environment</dt><dd><strong>${environmentName}</strong>${isProduction(sources) ? html` <strong>(protected: real orders)</strong>` : NOTHING}</dd></div>
<div><dt>Account</dt><dd>${account}, ${region}</dd></div>
<div><dt>Signed in as</dt><dd>${identity}</dd></div>
<div><dt>Session</dt><dd>${sessionText(endsAtMs, nowMs)}</dd></div>
<div><dt>Mode</dt><dd>${mode === 'operate' ? status('critical', 'Operates') : status('neutral', 'Read only')}</dd></div>
</dl>`;
}

function sessionText(endsAtMs: number | undefined, nowMs: number): Html {
  if (endsAtMs === undefined) return html`no end`;
  return endsAtMs <= nowMs ? status('negative', 'ended: log in again') : html`ends ${time(endsAtMs, nowMs)}`;
}

const PAGE_ROWS = 50;
/** Of a list on one page. */
export const ROWS_OF_A_PAGE = PAGE_ROWS;

/** Which page of a list is asked for, from 1. */
export function pageOf({ searchParams }: URL): number {
  const text = searchParams.get('page') ?? '1';
  return /^[1-9]\d{0,5}$/.test(text) ? Number(text) : 1;
}

/** Links to the pages of a list whose length is known. @param page from 1 */
export function pager(
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  { page, rows }: { readonly page: number; readonly rows: number },
): Html {
  const pages = Math.max(1, Math.ceil(rows / PAGE_ROWS));
  if (pages === 1) return NOTHING;
  const link = (to: number, text: string): Html =>
    to < 1 || to > pages
      ? NOTHING
      : html`<a href="${linkTo(path, { ...query, page: to === 1 ? undefined : to })}">${text}</a>`;
  return html`<nav class="pager" aria-label="Pages of the list">${link(page - 1, 'Previous')}<span>Page ${page} of ${pages}, ${plural(rows, 'row')}</span>${link(page + 1, 'Next')}</nav>`;
}

/** What is shown instead of a page that could not be made. */
export const failurePage = (what: string, advice: string): Page => ({
  title: 'This could not be shown',
  status: 502,
  body: html`<p class="notice negative" role="alert">${what}</p><p>${advice}</p>`,
});
