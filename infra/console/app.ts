/** The console as a function from Request to Response: it listens nowhere, so that it can also run behind a login. */
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { getCookie, setCookie } from 'hono/cookie';
import { html } from 'hono/html';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { describeAwsError, isAwsError, isSessionRefused, LOG_IN } from '../aws-account.ts';
import { Unanswerable } from '../carts/open-ledger.ts';
import type { Assets } from './assets.ts';
import { refusalOf, SECURITY_HEADERS } from './guard.ts';
import { failurePage, type Frame, framed } from './layout.ts';
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
  /** A defect; the page does not show it. */
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
  app.get('/assets/:name', (context) => {
    const asset = assets.get(context.req.param('name'));
    // A page would say in its frame which environment this is, and no cookie was shown yet.
    return asset === undefined
      ? context.text('There is no such file.\n', 404)
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
    const isUse = context.req.header(REFRESH_HEADER) === undefined;
    if (isUse) onUse?.();
    const answer = await next();
    // The person begins to read now.
    if (isUse) onUse?.();
    return answer;
  });
  app.use(bodyLimit({ maxSize: MOST_BYTES, onError: (context) => context.text('Too large: 6 MB at most.\n', 413) }));

  const navigation = PAGES.flatMap(({ path, label }) => (label === undefined ? [] : [{ path, label }]));
  const frameOf = async (path: string): Promise<Frame> => {
    const endsAtMs = await sources.endOfSession();
    return { sources, mode, nowMs: now(), path, navigation, endsAtMs };
  };
  for (const page of PAGES) {
    const requestOf = (raw: Request, params: Readonly<Record<string, string>>): PageRequest => ({
      url: new URL(raw.url),
      params,
      sources,
      mode,
      nowMs: now(),
    });
    const send = async (make: () => Promise<Answer>): Promise<Response> => {
      const show = async (answer: Page): Promise<Response> =>
        pageOf(await framed(answer, await frameOf(page.path)), answer.status ?? 200);
      try {
        const answer = await make();
        if ('chunks' in answer) return await downloadOf(answer, onError);
        if ('redirectTo' in answer) return redirectTo(answer.redirectTo);
        return await show(answer);
      } catch (error) {
        return show(failureOf(error, onError));
      }
    };
    app.get(page.path, (context) => {
      const request = requestOf(context.req.raw, context.req.param());
      return send(() => page.show(request));
    });
    const { submit } = page;
    if (submit === undefined) continue;
    app.post(page.path, (context) => {
      const request = requestOf(context.req.raw, context.req.param());
      return send(async () => {
        if (!session.mayAct(context.req.header(KEY_HEADER))) return NO_KEY;
        if (submit.needs === 'operate' && mode !== 'operate') return READ_ONLY;
        const form = await context.req.raw.formData().catch(() => undefined);
        return form === undefined ? NO_FORM : submit.handle({ ...request, form });
      });
    });
  }

  app.notFound(async (context) => {
    const missing: Page = { title: 'There is no such page', body: html`<p><a href="/">Now</a> shows the state.</p>` };
    return context.html(await framed(missing, await frameOf('')), 404);
  });
  app.onError((error, context) => {
    onError(error);
    return context.text('The console failed unexpectedly; its terminal says more.\n', 500);
  });
  return app;
}

const pageOf = (markup: string, statusCode: ContentfulStatusCode): Response =>
  new Response(markup, { status: statusCode, headers: { 'Content-Type': 'text/html; charset=utf-8' } });

/** To a page of this console alone: a browser reads `//evil.example` as another site. */
function redirectTo(path: string): Response {
  if (!/^\/(?![/\\])/.test(path)) throw new Error('a redirect leads out of the console');
  return new Response(null, { status: 303, headers: { Location: path } });
}

/** @throws what its first part throws: then nothing is sent yet, and a page can say what went wrong. */
async function downloadOf(
  { filename, contentType, chunks }: Download,
  onError: (error: unknown) => void,
): Promise<Response> {
  const iterator = chunks[Symbol.asyncIterator]();
  let next = await iterator.next();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (next.done === true) {
        controller.close();
        return;
      }
      controller.enqueue(Buffer.from(next.value));
      try {
        next = await iterator.next();
      } catch (error) {
        onError(error);
        // The browser says that the file is not whole.
        controller.error(new Error('the download broke off'));
      }
    },
    async cancel() {
      await iterator.return?.();
    },
  });
  return new Response(body, {
    headers: { 'Content-Type': contentType, 'Content-Disposition': `attachment; filename="${filename}"` },
  });
}

/** What the person can act on is shown; a defect is for the terminal. */
function failureOf(error: unknown, onError: (error: unknown) => void): Page {
  if (error instanceof Unanswerable) return failurePage(error.message, error.advice);
  if (error instanceof InvocationFailed)
    return failurePage(error.message, 'Nothing more is known of it: look at "Operations".');
  if (isAwsError(error)) {
    const reason = describeAwsError(error);
    return isSessionRefused(error)
      ? failurePage(`AWS refuses the session (${reason}).`, LOG_IN)
      : failurePage(
          `AWS refuses or gives no answer (${reason}).`,
          'Does your role have the viewer policy of the stack?',
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
const NO_FORM: Page = {
  title: 'This form could not be read',
  status: 400,
  body: html`<p>Nothing was done. Go back, and send it once more.</p>`,
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
