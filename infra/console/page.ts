/** What a page of the console is: a function of its request and of the sources. It knows no cookie, no key, no HTTP. */
import type { html } from 'hono/html';
import type { Sources } from './sources.ts';

/** What `hono/html`'s tag makes: markup, with every value in it escaped. */
export type Html = ReturnType<typeof html>;

/** `operate`: a person may redrive, close, pause, resume and replay. */
export type Mode = 'read-only' | 'operate';

export interface PageRequest {
  /** Its query holds the whole state of the page. */
  readonly url: URL;
  /** The parts of the path that the page names, decoded: `/carts/:client/:number`. */
  readonly params: Readonly<Record<string, string>>;
  readonly sources: Sources;
  readonly mode: Mode;
  readonly nowMs: number;
}

/** A form that was sent by this very page: the key was checked. */
export interface FormRequest extends PageRequest {
  readonly form: FormData;
}

export interface Page {
  /** Also the heading. */
  readonly title: string;
  readonly body: Html;
  /** 200 where it is left out. */
  readonly status?: 200 | 400 | 403 | 404 | 409 | 502;
}

/** A file, such as a list as CSV. It is sent while it is made. */
export interface Download {
  readonly filename: string;
  readonly contentType: string;
  readonly chunks: AsyncIterable<string>;
}

/** A path of the console: what was searched is there. */
export interface Redirect {
  readonly redirectTo: string;
}

export type Answer = Page | Download | Redirect;

export interface ConsolePage {
  /** As Hono writes paths: `/carts/:client/:number`. */
  readonly path: string;
  /** In the navigation; a page without it is reached by a link. */
  readonly label?: string;
  readonly show: (request: PageRequest) => Promise<Answer>;
  readonly submit?: {
    /** `key`: only looks, at content that is not shown by default. `operate`: changes something. */
    readonly needs: 'key' | 'operate';
    readonly handle: (request: FormRequest) => Promise<Page>;
  };
}
