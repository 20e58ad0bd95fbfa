/** A test's own server on 127.0.0.1 with its requests, and a second one that must not be called. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';

export interface LoopbackServer {
  readonly url: string;
  /** Every request since the start. */
  readonly requests: readonly { readonly path: string; readonly headers: IncomingHttpHeaders }[];
  close(): Promise<void>;
}

export async function serve(listener: RequestListener): Promise<LoopbackServer> {
  const requests: { path: string; headers: IncomingHttpHeaders }[] = [];
  const server = createServer((request, response) => {
    requests.push({ path: request.url ?? '', headers: request.headers });
    listener(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** How far the memory of this process grows, in bytes: `stop` returns the maximum. */
export function watchMemory(): { stop(): number } {
  const atFirst = process.memoryUsage.rss();
  let most = atFirst;
  const measure = (): void => {
    most = Math.max(most, process.memoryUsage.rss());
  };
  const timer = setInterval(measure, 2);
  return {
    stop() {
      clearInterval(timer);
      measure();
      return most - atFirst;
    },
  };
}
