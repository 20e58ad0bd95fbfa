import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

/** An address on 127.0.0.1 that no request reaches. */
export interface UnreachableHost {
  readonly port: number;
  /** With the given scheme; with `https`, a silent host never answers the TLS handshake. */
  url(scheme: 'http' | 'https'): string;
  close(): Promise<void>;
}

/** Nothing listens: a connect is refused. */
export async function startRefusingHost(): Promise<UnreachableHost> {
  const server = createServer();
  const port = await listen(server);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return unreachableHost(port, () => Promise.resolve());
}

/** A connect succeeds, and no byte ever comes back. */
export async function startSilentHost(): Promise<UnreachableHost> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  const port = await listen(server);
  return unreachableHost(port, async () => {
    for (const socket of sockets) {
      socket.destroy();
    }
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
}

/**
 * A connect never completes, as behind a firewall that drops it: the listener's thread stands still, and its queue of
 * waiting connections is full.
 */
export async function startDroppingHost(): Promise<UnreachableHost> {
  const thread = new Worker(STANDING_LISTENER, { eval: true });
  const [port]: unknown[] = await once(thread, 'message');
  if (typeof port !== 'number') {
    throw new Error('the dropping host does not listen');
  }
  const fillers = Array.from({ length: BACKLOG + 3 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  // Linux keeps one more than the backlog; the others wait, as every later connect does.
  await Promise.all(fillers.slice(0, BACKLOG + 1).map((filler) => once(filler, 'connect')));
  return unreachableHost(port, async () => {
    for (const filler of fillers) {
      filler.destroy();
    }
    await thread.terminate();
  });
}

const BACKLOG = 1;
const STANDING_LISTENER = `
  const { createServer } = require('node:net');
  const { parentPort } = require('node:worker_threads');
  const server = createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: ${BACKLOG} }, () => {
    parentPort.postMessage(server.address().port);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;

const unreachableHost = (port: number, close: () => Promise<void>): UnreachableHost => ({
  port,
  url: (scheme) => `${scheme}://127.0.0.1:${port}`,
  close,
});

async function listen(server: ReturnType<typeof createServer>): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) {
    throw new Error('the server has no port');
  }
  return address.port;
}
