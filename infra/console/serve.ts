/** Listens on 127.0.0.1 alone, prints the link, and ends when nobody uses it. */
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { createConsole } from './app.ts';
import { loadAssets } from './assets.ts';
import type { Mode } from './page.ts';
import { createSession } from './session.ts';
import type { Sources } from './sources.ts';

/** The only address that this console ever listens on. */
const LOOPBACK = '127.0.0.1';

export interface ServeOptions {
  readonly sources: Sources;
  readonly mode: Mode;
  /** 0 takes a free one. */
  readonly port: number;
  /** Without a request of a person for so long, `onIdle` is called. */
  readonly idleMs: number;
  readonly onIdle: () => void;
  /** Gets each link: one opens one tab. */
  readonly onLink: (link: string) => void;
  readonly onError: (error: unknown) => void;
}

export interface ServedConsole {
  readonly address: AddressInfo;
  close(): Promise<void>;
}

/** @throws {Error} when the port is in use. */
export async function serveConsole(options: ServeOptions): Promise<ServedConsole> {
  const { sources, mode, port, idleMs, onIdle, onLink, onError } = options;
  const session = createSession();
  const assets = await loadAssets();
  let lastUseMs = Date.now();
  let answer: (request: Request) => Response | Promise<Response> = () => new Response('', { status: 503 });
  const server = createAdaptorServer({ fetch: (request) => answer(request), overrideGlobalObjects: false });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, LOOPBACK, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  const host = `${LOOPBACK}:${address.port}`;
  const invite = (): void => {
    onLink(`http://${host}/#open=${session.invite()}`);
  };
  const app = createConsole({
    sources,
    session,
    host,
    mode,
    assets,
    now: Date.now,
    onUse: () => {
      lastUseMs = Date.now();
    },
    onExchange: invite,
    onError,
  });
  answer = (request) => app.fetch(request);
  const watch = setInterval(
    () => {
      if (Date.now() - lastUseMs > idleMs) onIdle();
    },
    Math.min(idleMs, 10_000),
  );
  watch.unref();
  invite();
  return {
    address,
    close: () =>
      new Promise((resolve) => {
        clearInterval(watch);
        server.close(() => {
          resolve();
        });
        if ('closeAllConnections' in server) server.closeAllConnections();
      }),
  };
}
