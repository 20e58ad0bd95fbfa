import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';

/** How a proxy answers CONNECT: by a tunnel, by a status, or not at all. */
export type ProxyBehaviour = 'tunnel' | 403 | 407 | 'hang' | 'hang up';

/** A forward proxy on 127.0.0.1 for https: it knows CONNECT and nothing else. */
export interface ForwardProxy {
  readonly url: string;
  /** The hosts that tunnels were asked for. */
  readonly tunnels: readonly string[];
  /** Requests that did not ask for a tunnel, and all bytes that passed, as text. */
  readonly others: readonly string[];
  passed(): string;
  close(): Promise<void>;
}

export async function startForwardProxy(behaviour: ProxyBehaviour = 'tunnel'): Promise<ForwardProxy> {
  const tunnels: string[] = [];
  const others: string[] = [];
  const passed: Buffer[] = [];
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  };
  const server = createServer((request, response) => {
    others.push(request.url ?? '');
    response.writeHead(405).end();
  });
  server.on('connection', keep);
  server.on('connect', ({ url = '' }, client: Socket) => {
    tunnels.push(url);
    if (behaviour === 'hang') {
      return;
    }
    if (behaviour === 'hang up') {
      client.destroy();
      return;
    }
    if (behaviour !== 'tunnel') {
      client.end(`HTTP/1.1 ${behaviour} Refused\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(`http://${url}`);
    const target = connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.on('data', (bytes) => passed.push(bytes));
      client.pipe(target).pipe(client);
    });
    keep(target);
    target.once('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    tunnels,
    others,
    passed: () => Buffer.concat(passed).toString('latin1'),
    async close() {
      for (const socket of sockets) {
        socket.destroy();
      }
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
