/**
 * Answers of SRM and of 11VMS that are too large, too slow, cut short, or never come, through the functions themselves:
 * each ends in bounded time and memory, as a failure with a reason.
 * (The HTTP client by itself, with its errors: ../http/http-client.test.ts.)
 */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHttpClient } from '../../../shared/http-client.ts';
import { envelope, newCart, openWorkerFixture, type WorkerFixture } from '../create/worker-fixture.ts';
import { noTimeToRetry, useFixture } from '../extract/extractor-fixture.ts';
import { type LoopbackServer, serve, watchMemory } from './loopback.ts';

const MB = 1024 * 1024;

type Misbehaviour = (request: IncomingMessage, response: ServerResponse) => void;

/** Writes without end, at the pace at which it is read. */
const writeForEver =
  (piece: Buffer | string): Misbehaviour =>
  (_request, response) => {
    const write = (): void => {
      if (response.destroyed) return;
      if (response.write(piece)) setImmediate(write);
      else response.once('drain', write);
    };
    write();
  };

/** One byte at a time: never idle for long. */
const drip: Misbehaviour = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), 20);
  response.on('close', () => clearInterval(timer));
};

const compressed = (encoding: string, bomb: Buffer): Misbehaviour => {
  return (_request, response) =>
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': encoding }).end(bomb);
};

const blank = Buffer.alloc(200 * MB, ' ');
const fast = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
const BOMBS: Readonly<Record<string, Buffer>> = {
  gzip: gzipSync(blank),
  deflate: deflateSync(blank),
  br: brotliCompressSync(blank, fast),
  zstd: zstdCompressSync(blank),
};

/** Each of these must be cut off, by its size or by the time limit. */
const MISBEHAVIOURS: Readonly<Record<string, Misbehaviour>> = {
  'a length of terabytes': (request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(2 ** 42) });
    writeForEver(' '.repeat(65_536))(request, response);
  },
  'chunks without end': (request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    writeForEver(' '.repeat(65_536))(request, response);
  },
  'a body that is cut off': (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('{"d":', () => response.destroy());
  },
  'a slow drip': drip,
  'a connection that never answers': () => undefined,
  'headers of megabytes': (_request, response) => {
    for (let i = 0; i < 100; i++) response.setHeader(`x-${i}`, 'x'.repeat(10_000));
    response.end('{}');
  },
  'interim answers without end': (_request, response) => {
    const timer = setInterval(() => {
      for (let i = 0; i < 100; i++) response.writeContinue();
    }, 1);
    response.on('close', () => clearInterval(timer));
  },
  'gzip without end that unpacks to nothing': (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    writeForEver(gzipSync(''))(_request, response);
  },
  ...Object.fromEntries(
    Object.entries(BOMBS).map(([encoding, bomb]) => [
      `${bomb.length} bytes of ${encoding} that unpack to 200 MB`,
      compressed(encoding, bomb),
    ]),
  ),
};

describe('an answer of 11VMS that is', () => {
  let fixture: WorkerFixture;
  let misbehave: Misbehaviour = () => undefined;
  let served: LoopbackServer;
  beforeAll(async () => {
    fixture = await openWorkerFixture();
    served = await serve((request, response) => {
      request.resume().once('end', () => misbehave(request, response));
    });
  });
  beforeEach(() => void fixture.takeOutput());
  afterAll(async () => {
    await served.close();
    await fixture.close();
  });

  test.each(Object.entries(MISBEHAVIOURS))(
    '%s: the cart is retried with a reason, in bounded time and memory',
    async (what, how) => {
      misbehave = how;
      // Bombs have all the time they need: only their size may cut them off.
      const VMS_TIMEOUT_MS = what.includes('unpack to 200 MB') ? '5000' : '2000';
      const worker = await fixture.worker({ VMS_BASE_URL: served.url, VMS_TIMEOUT_MS });
      const [messageId = ''] = await worker.send(envelope(newCart()));
      const startedAt = performance.now();
      const memory = watchMemory();

      expect((await worker.deliver()).failed).toEqual([messageId]);

      // A create and the look-up after it, each at most the time limit, and a slow machine.
      expect(performance.now() - startedAt).toBeLessThan(2 * Number(VMS_TIMEOUT_MS) + 4000);
      // The limit for an answer of 11VMS is 4 MiB; 200 MB would show.
      expect(memory.stop()).toBeLessThan(150 * MB);
      const output = fixture.takeOutput();
      expect(output.join('\n')).toMatch(/E_TGT_TIMEOUT_UNKNOWN/);
      expect(output.every((line) => line.length < 10_000)).toBe(true);
    },
  );
});

describe('a page of SRM that is', () => {
  const fixture = useFixture();
  // The limit for a page is 64 MiB and 15 s: only endless size is tested here; time is tested above.
  // In a slice that is as narrow as it gets, one page ends the run: wider ones are read again in quarters.
  const narrowest = () => ({ FIRST_WATERMARK: new Date(Date.now() - 30_000).toISOString() });
  test.each(Object.entries(BOMBS))(
    '%s that unpacks to 200 MB is cut off: nothing is queued',
    async (encoding, bomb) => {
      const service = await fixture.serve(compressed(encoding, bomb));
      const extractor = await fixture.open({ variables: { SRM_BASE_URL: service.url, ...narrowest() } });
      const memory = watchMemory();

      await expect(extractor.run({ remaining: noTimeToRetry })).rejects.toMatchObject({
        fault: { code: 'E_SRC_UNAVAILABLE', message: expect.stringContaining('TOO_LARGE') },
      });

      expect(memory.stop()).toBeLessThan(180 * MB);
      expect(await extractor.guids()).toEqual([]);
    },
  );

  test('chunks without end is cut off: nothing is queued', async () => {
    const service = await fixture.serve(writeForEver(' '.repeat(65_536)));
    const extractor = await fixture.open({ variables: { SRM_BASE_URL: service.url, ...narrowest() } });

    await expect(extractor.run({ remaining: noTimeToRetry })).rejects.toMatchObject({
      fault: { code: 'E_SRC_UNAVAILABLE', message: expect.stringContaining('TOO_LARGE') },
    });
  });
});

describe('a connection', () => {
  const sockets = new Set<Socket>();
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
  });

  test.each([
    ['is taken and never answered', () => undefined],
    ['sends a status line without end', (socket: Socket) => socket.write(`HTTP/1.1 200 ${'x'.repeat(MB)}`)],
    [
      'sends a chunk size without end',
      (socket: Socket) => socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'f'.repeat(100_000)}`),
    ],
    [
      'names two lengths',
      (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 40\r\n\r\n{}'),
    ],
    [
      'names a length and chunks',
      (socket: Socket) =>
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
    ],
    [
      'answers twice',
      (socket: Socket) =>
        socket.end('HTTP/1.1 100 Continue\r\nX-A: \0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'),
    ],
  ])('that %s fails within the time limit', async (_what, behave) => {
    const server = createTcpServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('data', () => behave(socket));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const client = createHttpClient({
      baseUrl: `http://127.0.0.1:${port}`,
      timeoutMs: 1500,
      maximumResponseBytes: MB,
      now: Date.now,
    });
    const startedAt = performance.now();

    await expect(client.request({ method: 'GET', path: '/' })).rejects.toMatchObject({ name: 'HttpError', sent: true });

    expect(performance.now() - startedAt).toBeLessThan(5000);
    server.close();
  });
});
