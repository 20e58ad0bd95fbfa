/**
 * The emulators behind proxies that count what AWS would bill: SQS requests in units of 64 KiB, request units of DynamoDB
 * by item size, and calls of Secrets Manager. The functions and the event source mapping call the proxies.
 */
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import * as z from 'zod';
import type { Emulators } from '../../infra/local/aws/emulators.ts';
import { asJsonObject } from '../../shared/exact-json.ts';
import { QUEUE_DELAY_MS } from './delays.ts';
import type { UsageMeter } from './usage.ts';

/** Has the interface of the emulators, so that a stack can run on it. */
export async function meterServices(emulators: Emulators, meter: UsageMeter): Promise<Emulators> {
  const sqs = await openProxy(emulators.endpoints.sqs, {
    leastMs: QUEUE_DELAY_MS,
    onAnswer(call) {
      meter.add('sqsRequests', sqsUnits(call));
      meter.add('messages', messagesSent(call));
    },
  });
  const dynamodb = await openProxy(emulators.endpoints.dynamodb, dynamodbMeter(meter));
  const secretsManager = await openProxy(emulators.endpoints.secretsManager, {
    onAnswer: ({ operation }) => {
      if (operation === 'GetSecretValue') meter.add('secretCalls');
    },
  });
  const proxies = [sqs, dynamodb, secretsManager];
  return {
    endpoints: { sqs: sqs.url, dynamodb: dynamodb.url, secretsManager: secretsManager.url },
    inspectQueue: (name) => emulators.inspectQueue(name),
    async close() {
      await Promise.all(proxies.map(({ close }) => close()));
      await emulators.close();
    },
  };
}

export interface AnsweredCall {
  /** Such as `UpdateItem`. */
  readonly operation: string;
  readonly request: string;
  readonly status: number;
  readonly answer: string;
}

const SQS_UNIT_BYTES = 65_536;
const sentSchema = z.object({
  MessageBody: z.string().optional(),
  Entries: z.array(z.object({ MessageBody: z.string().optional() })).default([]),
});
const confirmedSchema = z.object({ Successful: z.array(z.unknown()).default([]) });
const receivedSchema = z.object({ Messages: z.array(z.object({ Body: z.string() })).default([]) });

/** The messages that a call puts on a queue. */
export function messagesSent({ operation, status, answer }: AnsweredCall): number {
  if (status !== 200) return 0;
  if (operation === 'SendMessage') return 1;
  return operation === 'SendMessageBatch' ? confirmedSchema.parse(JSON.parse(answer)).Successful.length : 0;
}

/** The requests that SQS bills for one call: one for each 64 KiB of message bodies. */
export function sqsUnits({ operation, request: sent, answer }: AnsweredCall): number {
  // Only the local event source mapping makes this call, to know when a queue is empty.
  if (operation === 'GetQueueAttributes') return 0;
  if (operation === 'ReceiveMessage') {
    const bodies = receivedSchema.parse(JSON.parse(answer)).Messages.map(({ Body }) => Body);
    // Empty receives are estimated by the hour, because Lambda polls all day and a local run does not.
    return bodies.length === 0 ? 0 : unitsOf(bodies);
  }
  const { MessageBody, Entries } = sentSchema.parse(JSON.parse(sent));
  return unitsOf([MessageBody, ...Entries.map((entry) => entry.MessageBody)].filter((body) => body !== undefined));
}

const unitsOf = (bodies: readonly string[]): number =>
  Math.max(1, Math.ceil(bodies.reduce((sum, body) => sum + Buffer.byteLength(body), 0) / SQS_UNIT_BYTES));

const READS = new Set(['GetItem', 'Query', 'BatchGetItem']);
const WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem']);
const capacity = z.object({ CapacityUnits: z.number() });
/** A list for a batch, which may name several tables. */
const consumedSchema = z.object({
  ConsumedCapacity: z.union([z.array(capacity), capacity.transform((one) => [one])]),
});

/** Asks the emulator for the consumed capacity, which it counts by item size as DynamoDB does. */
function dynamodbMeter(meter: UsageMeter): Listener {
  const writtenUnits = new Map<string, number>();
  return {
    rewrite: (operation, sent) =>
      READS.has(operation) || WRITES.has(operation)
        ? JSON.stringify({ ...asJsonObject(JSON.parse(sent)), ReturnConsumedCapacity: 'TOTAL' })
        : sent,
    onAnswer({ operation, request: sent, status, answer }) {
      if (status === 200 && READS.has(operation)) meter.add('readUnits', consumed(answer));
      if (!WRITES.has(operation)) return;
      const key = JSON.stringify(asJsonObject(JSON.parse(sent))?.['Key']);
      // A refused conditional write costs as much as the stored item.
      const units = status === 200 ? consumed(answer) : (writtenUnits.get(key) ?? 1);
      if (status === 200) writtenUnits.set(key, units);
      if (status === 200 || status === 400) meter.add('writeUnits', units);
      // The emulator does not count the index: a listed item is one small write more.
      if (status === 200 && /"#?listedAs"/.test(sent)) meter.add('writeUnits', 1);
    },
  };
}

const consumed = (answer: string): number =>
  consumedSchema.parse(JSON.parse(answer)).ConsumedCapacity.reduce((sum, { CapacityUnits }) => sum + CapacityUnits, 0);

interface Listener {
  /** No answer comes earlier. */
  readonly leastMs?: number;
  rewrite?(operation: string, sent: string): string;
  onAnswer(call: AnsweredCall): void;
}

async function openProxy(
  upstream: string,
  listener: Listener,
): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, response) => {
    pass(upstream, agent, listener, incoming, response).catch(() => incoming.socket.destroy());
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return address.port;
}

async function pass(
  upstream: string,
  agent: Agent,
  listener: Listener,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const operation = incoming.headers['x-amz-target']?.toString().split('.').at(-1) ?? '';
  const earliest = setTimeout(listener.leastMs ?? 0);
  const received = await text(incoming);
  const sent = listener.rewrite?.(operation, received) ?? received;
  const headers = { ...incoming.headers, 'content-length': String(Buffer.byteLength(sent)) };
  const call = request(upstream + (incoming.url ?? '/'), { method: incoming.method, headers, agent });
  // The long poll of a closed connection must end, or it would receive messages and lose them.
  response.once('close', () => call.destroy());
  call.end(sent);
  const [answered]: IncomingMessage[] = await once(call, 'response');
  if (answered === undefined) throw new Error(`no answer to ${operation}`);
  const answer = await text(answered);
  const status = answered.statusCode ?? 500;
  listener.onAnswer({ operation, request: sent, status, answer });
  await earliest;
  response.writeHead(status, answered.headers);
  response.end(answer);
}
