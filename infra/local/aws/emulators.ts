/** The AWS services that the stack stands on, embedded in this process: SQS, DynamoDB and Secrets Manager. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import dynalite from 'dynalite';
import { buildApp } from 'fauxqs';
import * as z from 'zod';
import type { Endpoints } from './aws-clients.ts';
import { createSecretsManager } from './secrets-manager.ts';

/** Loopback only: the emulators ask nobody for a password. */
const HOST = '127.0.0.1';

const messageSchema = z.object({
  messageId: z.string(),
  body: z.string(),
  approximateReceiveCount: z.number(),
  sentTimestamp: z.number(),
});
const contentsSchema = z.object({
  messages: z.object({
    ready: z.array(messageSchema),
    delayed: z.array(messageSchema),
    inflight: z.array(z.object({ message: messageSchema })),
  }),
});

/** A message as it lies in a queue. */
export type QueuedMessage = z.infer<typeof messageSchema>;

/** What lies in a queue: nothing is received, and no receive is counted, by looking. */
export interface QueueContents {
  readonly ready: readonly QueuedMessage[];
  readonly delayed: readonly QueuedMessage[];
  readonly inFlight: readonly QueuedMessage[];
}

/** The running emulators. */
export interface Emulators {
  readonly endpoints: Endpoints;
  /** Looks into a queue without touching it. @throws {Error} when there is no queue of that name. */
  inspectQueue(queueName: string): Promise<QueueContents>;
  close(): Promise<void>;
}

/** Starts all three on 127.0.0.1, on free ports unless told. @throws {Error} that names the service and port in use. */
export async function startEmulators(ports: Partial<Record<keyof Endpoints, number>> = {}): Promise<Emulators> {
  // fauxqs' own start function listens on 0.0.0.0 whatever it is told, so its application is listened on here.
  const sqs = buildApp({ logger: false });
  const dynamodb = dynalite({ createTableMs: 0 });
  const secretsManager = createSecretsManager();
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
      `The local ${service} cannot listen on ${HOST}:${port} (${reason}). Stop what listens there, or choose another port.`,
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

/** Ends at once: open keep-alive connections of the SDK's clients would hold a server for seconds. */
async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  await new Promise<void>((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}
