/**
 * A service of a benchmark in a process of its own: `node service.ts <kind>`. It prints its URL as a line of JSON, and shows
 * its counts at `/stats`. It does as little as possible, because its work must not affect the measurement.
 */
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { createSecretsManager } from '../../infra/local/aws/secrets-manager.ts';
import { cartText, FIRST_CART_NUMBER } from './carts.ts';
import { QUEUE_DELAY_MS, SYSTEM_DELAY_MS, TABLE_DELAY_MS } from './delays.ts';
import { createTable } from './table.ts';

const ROWS_A_PAGE = 100;
const CART_EVERY_MS = 10;
/** SQS bills one request for each 64 KiB of a call. */
const BILLING_UNIT_BYTES = 65_536;

const counts: Record<string, number> = {};
const count = (name: string, by = 1): void => {
  counts[name] = (counts[name] ?? 0) + by;
};

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

function reply(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

const token = (response: ServerResponse): void => {
  count('token');
  reply(response, 200, '{"access_token":"benchmark","token_type":"Bearer","expires_in":3600}');
};

/** The orders of 11VMS by externalId, as JSON. */
const orders = new Map<string, string[]>();

/** 11VMS: accepts every order, also one that it holds. Of each so many new orders, the answer to one is lost. */
async function vms(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request);
  if (request.url === '/oauth/token') return token(response);
  await sleep(SYSTEM_DELAY_MS);
  if (request.method === 'GET') {
    count('lookup');
    const externalId = new URL(request.url ?? '', 'http://vms').searchParams.get('externalId') ?? '';
    return reply(response, 200, `{"items":[${(orders.get(externalId) ?? []).join(',')}]}`);
  }
  count('create');
  const [, externalId = ''] = /"externalId":"(SRM7-[^"]+)"/.exec(body) ?? [];
  const held = orders.get(externalId) ?? [];
  const names = `"id":"po_${counts['create']}","number":"PO-${counts['create']}"`;
  orders.set(externalId, [...held, `{${names},${body.slice(1)}`]);
  if (held.length > 0) count('duplicate');
  const loseEvery = Number(process.argv[3]);
  if (loseEvery > 0 && held.length === 0 && orders.size % loseEvery === 0) {
    count('lost');
    request.socket.destroy();
    return;
  }
  reply(response, 201, `{${names},"externalId":"${externalId}"}`);
}

/**
 * SRM: `total` carts from `startMs` on, one every 10 ms, in pages of 100. Only the two bounds of the window are read from the
 * filter.
 */
async function srm(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', `http://${request.headers.host ?? ''}`);
  await text(request);
  if (url.pathname === '/oauth/token') return token(response);
  await sleep(SYSTEM_DELAY_MS);
  count('page');
  const [total, startMs] = [Number(process.argv[3]), Number(process.argv[4])];
  const bounds = [...(url.searchParams.get('$filter') ?? '').matchAll(/datetimeoffset'([^']+)'/g)];
  const [fromMs = startMs, toMs = Number.POSITIVE_INFINITY] = bounds.map(([, instant = '']) => Date.parse(instant));
  const indexOf = (ms: number): number => Math.min(total, Math.max(0, Math.ceil((ms - startMs) / CART_EVERY_MS)));
  const first = Number(url.searchParams.get('first') ?? indexOf(fromMs));
  const end = Number(url.searchParams.get('end') ?? indexOf(toMs));
  const announced = Number(url.searchParams.get('count') ?? end - first);
  const last = Math.min(first + ROWS_A_PAGE, end);
  const rows = Array.from({ length: last - first }, (_, index) =>
    cartText(first + index, startMs + (first + index) * CART_EVERY_MS),
  );
  const next = last < end ? `,"__next":"${url.origin}${url.pathname}?first=${last}&end=${end}&count=${announced}"` : '';
  return reply(response, 200, `{"d":{"results":[${rows.join(',')}],"__count":"${announced}"${next}}}`);
}

const batchSchema = z.object({ Entries: z.array(z.object({ Id: z.string(), MessageBody: z.string() })) });

/** One bit for each cart on the queue, because a set of a million numbers needs much memory. */
const seen = new Uint8Array(1 << 24);

/** 1 for a cart that was not on the queue before, otherwise 0. */
function seenFirst(message: string): number {
  const [, digits = '0'] = /"number":"(\d+)"/.exec(message) ?? [];
  const index = Number(digits) - FIRST_CART_NUMBER;
  const [byte, bit] = [index >> 3, 1 << (index & 7)];
  const isFirst = ((seen[byte] ?? 0) & bit) === 0;
  seen[byte] = (seen[byte] ?? 0) | bit;
  return isFirst ? 1 : 0;
}

/** SQS: accepts every message and stores none. */
async function queue(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request);
  await sleep(QUEUE_DELAY_MS);
  const operation = operationOf(request);
  count(operation);
  if (operation !== 'SendMessageBatch') return reply(response, 200, '{}');
  const { Entries: entries } = batchSchema.parse(JSON.parse(body));
  const bytes = entries.reduce((sum, { MessageBody }) => sum + Buffer.byteLength(MessageBody), 0);
  count('messages', entries.length);
  for (const { MessageBody } of entries) count('distinct', seenFirst(MessageBody));
  count('bytes', bytes);
  count('billingUnits', Math.ceil(bytes / BILLING_UNIT_BYTES));
  const Successful = entries.map(({ Id, MessageBody }) => {
    // The SDK compares this checksum.
    const MD5OfMessageBody = createHash('md5').update(MessageBody).digest('hex');
    return { Id, MessageId: randomUUID(), MD5OfMessageBody };
  });
  return reply(response, 200, JSON.stringify({ Successful, Failed: [] }));
}

const answerOfTable = createTable();

/** DynamoDB. */
async function table(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const input: unknown = JSON.parse(await text(request));
  await sleep(TABLE_DELAY_MS);
  const { status, body } = answerOfTable(operationOf(request), input);
  reply(response, status, JSON.stringify(body));
}

const operationOf = (request: IncomingMessage): string =>
  request.headers['x-amz-target']?.toString().split('.').at(-1) ?? 'other';

/** A service of AWS that counts its calls by operation. */
function counted(listener: (request: IncomingMessage, response: ServerResponse) => void): RequestListener {
  return (request, response) => {
    count(operationOf(request));
    listener(request, response);
  };
}

function emulator(server: Server): RequestListener {
  return counted((request, response) => server.emit('request', request, response));
}

const asListener =
  (answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>): RequestListener =>
  (request, response) => {
    answer(request, response).catch(() => request.socket.destroy());
  };

const SERVICES: Readonly<Record<string, () => RequestListener>> = {
  vms: () => asListener(vms),
  srm: () => asListener(srm),
  queue: () => asListener(queue),
  table: () => counted(asListener(table)),
  secrets: () => emulator(createSecretsManager()),
};

const create = SERVICES[process.argv[2] ?? ''];
if (create === undefined) throw new Error(`service.ts takes one of ${Object.keys(SERVICES).join(', ')}`);
const listener = create();
const server = createServer((request, response) => {
  if (request.url === '/stats') reply(response, 200, JSON.stringify(counts));
  else listener(request, response);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
if (address === null || typeof address === 'string') throw new Error('no TCP address');
process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${address.port}` })}\n`);
// Without its parent the process ends too.
process.on('disconnect', () => process.exit());
