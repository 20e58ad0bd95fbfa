/** Listens on 127.0.0.1 alone, prints the link, and ends when it is not used. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener, RequestError } from '@hono/node-server';
import { Unanswerable } from '../carts/open-ledger.ts';
import { createConsole } from './app.ts';
import { loadAssets } from './assets.ts';
import { SECURITY_HEADERS } from './guard.ts';
import type { Mode } from './page.ts';
import { createSession } from './session.ts';
import type { Sources } from './sources.ts';

/** The time, and what happens again and again: a test has its own. */
export interface Clock {
  now(): number;
  /** Returns what ends it. */
  every(ms: number, act: () => void): () => void;
}

const SYSTEM_CLOCK: Clock = {
  now: Date.now,
  every(ms, act) {
    const timer = setInterval(act, ms);
    timer.unref();
    return () => {
      clearInterval(timer);
    };
  },
};

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
  readonly clock?: Clock;
}

export interface ServedConsole {
  readonly address: AddressInfo;
  close(): Promise<void>;
}

/** @throws {Unanswerable} when the port is in use. */
export async function serveConsole(options: ServeOptions): Promise<ServedConsole> {
  const { sources, mode, port, idleMs, onIdle, onLink, onError, clock = SYSTEM_CLOCK } = options;
  const session = createSession();
  const assets = await loadAssets();
  let lastUseMs = clock.now();
  let answer: (request: Request) => Response | Promise<Response> = () => new Response('', { status: 503 });
  const listener = getRequestListener((request) => answer(request), {
    overrideGlobalObjects: false,
    errorHandler(error) {
      if (error instanceof RequestError) return new Response('Refused.\n', { status: 400, headers: SECURITY_HEADERS });
      onError(error);
      return new Response('Failed.\n', { status: 500, headers: SECURITY_HEADERS });
    },
  });
  // Node would answer a request without Host itself, and without our headers.
  const server = createServer({ requireHostHeader: false }, listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new Unanswerable(`port ${port} is in use`, 'choose another --port, or leave it out')
          : error,
      );
    });
    server.listen(port, LOOPBACK, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  // As a browser writes it: port 80 is left out.
  const { host } = new URL(`http://${LOOPBACK}:${address.port}`);
  const invite = (): void => {
    onLink(`http://${host}/#open=${session.invite()}`);
  };
  const app = createConsole({
    sources,
    session,
    host,
    mode,
    assets,
    now: () => clock.now(),
    onUse: () => {
      lastUseMs = clock.now();
    },
    onExchange: invite,
    onError,
  });
  answer = (request) => app.fetch(request);
  // An act that takes longer is not cut off.
  const unanswered = new Set<ServerResponse>();
  server.on('request', (_request, response: ServerResponse) => {
    unanswered.add(response);
    const end = (): void => void unanswered.delete(response);
    response.once('finish', end).once('close', end);
  });
  const endWatch = clock.every(Math.min(idleMs, 10_000), () => {
    if (unanswered.size === 0 && clock.now() - lastUseMs > idleMs) onIdle();
  });
  invite();
  return {
    address,
    close: () =>
      new Promise((resolve) => {
        endWatch();
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
