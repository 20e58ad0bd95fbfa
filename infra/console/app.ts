/** The console as a function from Request to Response: it listens nowhere, so that it can also run behind a login. */
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { getCookie, setCookie } from 'hono/cookie';
import { html } from 'hono/html';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { describeAwsError } from '../aws-account.ts';
import { Unanswerable } from '../carts/open-ledger.ts';
import type { Assets } from './assets.ts';
import { refusalOf, SECURITY_HEADERS } from './guard.ts';
import { failurePage, framed } from './layout.ts';
import type { Answer, Download, Html, Mode, Page, PageRequest } from './page.ts';
import { PAGES } from './pages.ts';
import type { Session } from './session.ts';
import { InvocationFailed, type Sources } from './sources.ts';

export interface ConsoleOptions {
  readonly sources: Sources;
  readonly session: Session;
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly mode: Mode;
  readonly assets: Assets;
  readonly now: () => number;
  /** A request that a person made, as opposed to one that a page repeats by itself. */
  readonly onUse?: () => void;
  /** An invitation was used: the next tab needs another one. */
  readonly onExchange?: () => void;
  /** An error that nobody foresaw; the page does not show it. */
  readonly onError: (error: unknown) => void;
}

/** The header with the key of a session, which no other site can send. */
const KEY_HEADER = 'x-console-key';
/** Sent by a page that refreshes itself: it keeps no console open. */
export const REFRESH_HEADER = 'x-console-refresh';
const MOST_BYTES = 6 * 1024 * 1024;

export function createConsole(options: ConsoleOptions): Hono {
  const { sources, session, host, mode, assets, now, onUse, onExchange, onError } = options;
  const cookieName = `console_${host.split(':')[1] ?? ''}`;
  const app = new Hono();

  app.use(async (context, next) => {
    const refusal = refusalOf(context.req.raw, host);
    if (refusal === undefined) await next();
    else context.res = new Response(`Refused: ${refusal}.\n`, { status: 403 });
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) context.header(name, value);
  });
  app.use(bodyLimit({ maxSize: MOST_BYTES, onError: (context) => context.text('Too large: 6 MB at most.\n', 413) }));

  app.get('/assets/:name', (context) => {
    const asset = assets[context.req.param('name')];
    return asset === undefined
      ? context.notFound()
      : context.body(asset.text, 200, { 'Content-Type': asset.contentType });
  });

  app.post('/session', (context) => {
    const given = session.exchange(context.req.header(KEY_HEADER) ?? '');
    if (given === undefined) return context.text('This link was used already.\n', 403);
    onExchange?.();
    setCookie(context, cookieName, given.cookie, { httpOnly: true, sameSite: 'Strict', path: '/' });
    return context.text(given.key);
  });

  app.use(async (context, next) => {
    if (!session.mayRead(getCookie(context, cookieName))) return context.html(entrance(), 401);
    if (context.req.header(REFRESH_HEADER) === undefined) onUse?.();
    return next();
  });

  const navigation = PAGES.flatMap(({ path, label }) => (label === undefined ? [] : [{ path, label }]));
  for (const page of PAGES) {
    const requestOf = (raw: Request, params: Readonly<Record<string, string>>): PageRequest => ({
      url: new URL(raw.url),
      params,
      sources,
      mode,
      nowMs: now(),
    });
    const send = async (request: PageRequest, make: () => Promise<Answer>): Promise<Response> => {
      const answer = await make().catch((error: unknown) => failureOf(error, onError));
      if ('chunks' in answer) return downloadOf(answer);
      if ('redirectTo' in answer) return new Response(null, { status: 303, headers: { Location: answer.redirectTo } });
      const markup = await framed(answer, { ...request, path: page.path, navigation });
      return pageOf(markup, answer.status ?? 200);
    };
    app.get(page.path, (context) => {
      const request = requestOf(context.req.raw, context.req.param());
      return send(request, () => page.show(request));
    });
    const { submit } = page;
    if (submit === undefined) continue;
    app.post(page.path, (context) => {
      const request = requestOf(context.req.raw, context.req.param());
      return send(request, async () => {
        if (!session.mayAct(context.req.header(KEY_HEADER))) return NO_KEY;
        if (submit.needs === 'operate' && mode !== 'operate') return READ_ONLY;
        return submit.handle({ ...request, form: await context.req.raw.formData() });
      });
    });
  }

  app.notFound(async (context) => {
    const missing: Page = { title: 'There is no such page', body: html`<p><a href="/">Now</a> shows the state.</p>` };
    const markup = await framed(missing, { sources, mode, nowMs: now(), path: '', navigation });
    return context.html(markup, 404);
  });
  return app;
}

const pageOf = (markup: string, statusCode: ContentfulStatusCode): Response =>
  new Response(markup, { status: statusCode, headers: { 'Content-Type': 'text/html; charset=utf-8' } });

const downloadOf = ({ filename, contentType, chunks }: Download): Response => {
  const iterator = chunks[Symbol.asyncIterator]();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done === true) controller.close();
      else controller.enqueue(Buffer.from(value));
    },
    async cancel() {
      await iterator.return?.();
    },
  });
  return new Response(body, {
    headers: { 'Content-Type': contentType, 'Content-Disposition': `attachment; filename="${filename}"` },
  });
};

/** Of the SDK: an answer of AWS, or no credentials to ask with. */
const isOfAws = (error: unknown): boolean =>
  error instanceof Error && ('$metadata' in error || error.name === 'CredentialsProviderError');

/** What the person can act on is shown; a defect is for the terminal. */
function failureOf(error: unknown, onError: (error: unknown) => void): Page {
  if (error instanceof Unanswerable) return failurePage(error.message, error.advice);
  if (error instanceof InvocationFailed)
    return failurePage(error.message, 'Nothing more is known of it: look at "Operations".');
  if (isOfAws(error)) {
    return failurePage(
      `AWS gives no answer to this (${describeAwsError(error)}).`,
      'If your session has ended, log in again (aws sso login) and load this page again. If your role may not do this, ask for the policy of the stack that allows it.',
    );
  }
  onError(error);
  return failurePage('The console failed unexpectedly.', 'The terminal in which it runs says more.');
}

const NO_KEY: Page = {
  title: 'This tab may only look',
  status: 403,
  body: html`<p>The key of this console is kept by the tab that opened its link. The terminal shows a link for another tab.</p>`,
};
const READ_ONLY: Page = {
  title: 'This console is read only',
  status: 403,
  body: html`<p>Nothing was changed. Start the console with <code>--operate</code> to act.</p>`,
};

/** Shown without a cookie: its script exchanges the link's secret. */
const entrance = (): Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Console</title>
<link rel="icon" href="/assets/rehearsal.svg">
<link rel="stylesheet" href="/assets/console.css">
<script type="module" src="/assets/console.js"></script>
</head>
<body>
<main><h1>Console</h1>
<p role="status" id="entrance">Open the console by the link that its terminal shows: each link opens it once. If it is open already, <a href="">open this page again</a>.</p>
<noscript><p>The console needs JavaScript to open.</p></noscript>
</main>
</body>
</html>`;
