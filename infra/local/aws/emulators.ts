/** Emulators of SQS, DynamoDB and Secrets Manager, embedded in this process. */
import { once } from 'node:events';
import { Server } from 'node:http';
import dynalite from 'dynalite';
import { buildApp } from 'fauxqs';
import * as z from 'zod';
import type { Endpoints } from './aws-clients.ts';
import { guard } from './guard.ts';
import { createSecretsManager } from './secrets-manager.ts';

/** The only address on which they listen. */
const HOST = '127.0.0.1';

const messageSchema = z.object({
  messageId: z.string(),
  body: z.string(),
  approximateReceiveCount: z.number(),
  sentTimestamp: z.number(),
  messageAttributes: z.record(z.string(), z.unknown()),
});
const contentsSchema = z.object({
  messages: z.object({
    ready: z.array(messageSchema),
    delayed: z.array(messageSchema),
    inflight: z.array(z.object({ message: messageSchema })),
  }),
});

export type QueuedMessage = z.infer<typeof messageSchema>;

/** The messages of a queue, read without receiving them: no receive is counted. */
export interface QueueContents {
  readonly ready: readonly QueuedMessage[];
  readonly delayed: readonly QueuedMessage[];
  readonly inFlight: readonly QueuedMessage[];
}

export interface Emulators {
  readonly endpoints: Endpoints;
  /** Reads a queue without receiving. @throws {Error} when no queue has that name. */
  inspectQueue(queueName: string): Promise<QueueContents>;
  close(): Promise<void>;
}

/** Starts all three on 127.0.0.1, on free ports by default. @throws {Error} that names the service and the port in use. */
export async function startEmulators(ports: Partial<Record<keyof Endpoints, number>> = {}): Promise<Emulators> {
  // The start function of fauxqs always listens on 0.0.0.0, so we build its application and listen here.
  const sqs = buildApp({ logger: false });
  const dynamodb = dynalite({ createTableMs: 0 });
  const secretsManager = createSecretsManager();
  for (const server of [sqs.server, dynamodb, secretsManager]) guard(server);
  const close = async (): Promise<void> => {
    await Promise.all([sqs.close(), closeServer(dynamodb), closeServer(secretsManager)]);
  };
  try {
    const endpoints: Endpoints = {
      sqs: await claim('SQS', ports.sqs, (port) => sqs.listen({ port, host: HOST })),
      dynamodb: await claim('DynamoDB', ports.dynamodb, (port) => listen(dynamodb, port)),
      secretsManager: await claim('Secrets Manager', ports.secretsManager, (port) => listen(secretsManager, port)),
    };
    return {
      endpoints,
      close,
      async inspectQueue(queueName) {
        const answer = await sqs.inject({ url: `/_fauxqs/queues/${encodeURIComponent(queueName)}` });
        if (answer.statusCode !== 200) throw new Error(`The local SQS has no queue "${queueName}".`);
        const { ready, delayed, inflight } = contentsSchema.parse(answer.json()).messages;
        return { ready, delayed, inFlight: inflight.map(({ message }) => message) };
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function claim(service: string, port = 0, open: (port: number) => Promise<string>): Promise<string> {
  try {
    return await open(port);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `The local ${service} cannot listen on ${HOST}:${port} (${reason}). Stop the program that uses this port, or choose another port.`,
      { cause: error },
    );
  }
}

async function listen(server: Server, port: number): Promise<string> {
  server.listen(port, HOST);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return `http://${address.address}:${address.port}`;
}

/** Closes open connections too: the keep-alive connections of the SDK's clients would delay the end for seconds. */
async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  await new Promise<void>((resolve, reject) => {
    // dynalite's own close also closes its database, which is in memory, under requests whose client was just killed.
    Server.prototype.close.call(server, (error) => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}
