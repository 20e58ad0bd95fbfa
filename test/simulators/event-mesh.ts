/**
 * The REST gateway of SAP Event Mesh, as SAP documents it ("Use REST APIs to send messages", "Authenticate your REST API
 * requests"): a token of the binding, a topic in the path with `%2F` for `/`, `x-qos`, and 204.
 */
import { createServer } from 'node:http';
import { openTokenDesk } from './client-credentials.ts';
import type { Answer } from './answers.ts';

export interface EventMeshOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly clientCheck?: 'basic' | 'body';
  /** The topics that the rules of the message client let it publish to. */
  readonly topics: readonly string[];
}

export interface MeshMessage {
  readonly topic: string;
  readonly qos: string;
  readonly contentType: string;
  readonly body: string;
}

export interface EventMesh {
  readonly url: string;
  readonly tokenPath: string;
  /** What was taken. */
  readonly messages: readonly MeshMessage[];
  /** The answers to the next messages, before the right ones. */
  answerNext(...statuses: readonly number[]): void;
  revokeTokens(): void;
  close(): Promise<void>;
}

const PATH = /^\/messagingrest\/v1\/topics\/(?<topic>[^/]+)\/messages$/;
const plain = (status: number): Answer => ({ status, headers: {}, body: '' });

export async function startEventMesh(options: EventMeshOptions): Promise<EventMesh> {
  const messages: MeshMessage[] = [];
  let next: number[] = [];
  const tokens = openTokenDesk({
    ...options,
    clientCheck: options.clientCheck,
    tokenParameters: undefined,
    tokenPrefix: 'event-mesh-token',
    lifetimeSeconds: 3600,
    clock: () => new Date(),
  });

  function take(path: string, headers: NodeJS.Dict<string | string[]>, body: string): Answer {
    // The path as it came: `%2F` is no `/` here.
    const { topic } = PATH.exec(path)?.groups ?? {};
    if (topic === undefined) return plain(404);
    if (!tokens.accepts(String(headers['authorization']))) return plain(401);
    const { 'x-qos': qos, 'content-type': contentType } = headers;
    if ((qos !== '0' && qos !== '1') || contentType === undefined) return plain(400);
    if (!options.topics.includes(decodeURIComponent(topic))) return plain(403);
    const status = next.shift();
    if (status !== undefined) return plain(status);
    messages.push({ topic: decodeURIComponent(topic), qos, contentType: String(contentType), body });
    return plain(204);
  }

  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const path = request.url ?? '';
      const answer = path.startsWith('/oauth/token')
        ? tokens.issue(request.headers, body)
        : request.method === 'POST'
          ? take(path, request.headers, body)
          : plain(405);
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    tokenPath: '/oauth/token',
    messages,
    answerNext(...statuses) {
      next = [...statuses];
    },
    revokeTokens: () => tokens.revokeTokens(),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
