/**
 * Grafana's HTTP API for dashboards, as its public documents have it: "Create / Update dashboard" and "Get dashboard by
 * uid" of grafana.com/docs/grafana/latest/developers/http_api/dashboard.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import * as z from 'zod';
import { tryParseJson } from '../../shared/exact-json.ts';

export interface GrafanaSimulator {
  readonly url: string;
  readonly token: string;
  /** What is kept, by uid. */
  readonly dashboards: Map<string, KeptDashboard>;
  /** Method and path of each request, in order. */
  readonly requests: readonly string[];
  /** Answers in the place of Grafana. */
  answer: ((response: ServerResponse) => void) | undefined;
  close(): Promise<void>;
}

export interface KeptDashboard {
  readonly folderUid: string;
  readonly dashboard: Readonly<Record<string, unknown>>;
}

export interface GrafanaOptions {
  readonly folders?: readonly string[];
  /** The token may read, and not write. */
  readonly isViewer?: boolean;
}

const command = z.object({
  dashboard: z.looseObject({
    id: z.number().nullable().optional(),
    uid: z
      .string()
      .regex(/^[\w-]{1,40}$/)
      .optional(),
    title: z.string().min(1),
    tags: z.array(z.string()).optional(),
  }),
  folderUid: z.string().optional(),
  overwrite: z.boolean().default(false),
});

export async function startGrafana({ folders = [], isViewer = false }: GrafanaOptions = {}): Promise<GrafanaSimulator> {
  const dashboards = new Map<string, KeptDashboard>();
  const requests: string[] = [];
  const token = `glsa_${'simulated'.repeat(3)}_1a2b3c4d`;

  function answerTo({ method = '', url = '', headers }: IncomingMessage, body: string): [number, object] {
    if (headers.authorization !== `Bearer ${token}`) return [401, { message: 'Invalid API key' }];
    const [, uid] = /^\/api\/dashboards\/uid\/([\w-]+)$/.exec(url) ?? [];
    if (method === 'GET' && uid !== undefined) {
      const kept = dashboards.get(uid);
      if (kept === undefined) return [404, { message: 'Dashboard not found' }];
      return [200, { dashboard: kept.dashboard, meta: { url: `/d/${uid}/x`, folderUid: kept.folderUid } }];
    }
    if (method !== 'POST' || url !== '/api/dashboards/db') return [404, { message: 'Not found' }];
    if (headers['content-type'] !== 'application/json') return [415, { message: 'Unsupported media type' }];
    if (isViewer) return [403, { message: "You'll need additional permissions to perform this action" }];
    const { data } = command.safeParse(tryParseJson(body));
    if (data === undefined) return [400, { message: 'bad request data' }];
    const { dashboard, folderUid = '', overwrite } = data;
    if (folderUid !== '' && !folders.includes(folderUid)) return [404, { message: 'folder not found' }];
    const name = dashboard.uid ?? `made-${dashboards.size}`;
    const earlier = dashboards.get(name)?.dashboard['version'];
    const isKept = typeof earlier === 'number';
    if (isKept && !overwrite && dashboard['version'] !== earlier) {
      const message = 'The dashboard has been changed by someone else';
      return [412, { message, status: 'version-mismatch' }];
    }
    const version = isKept ? earlier + 1 : 1;
    // It keeps the content in a form of its own.
    dashboards.set(name, { folderUid, dashboard: { ...dashboard, id: 7, uid: name, version, schemaVersion: 99 } });
    return [
      200,
      { id: 7, uid: name, url: `/d/${name}/purchase-orders`, status: 'success', version, slug: 'purchase-orders' },
    ];
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    requests.push(`${request.method} ${request.url}`);
    const body = await text(request);
    if (self.answer !== undefined) return self.answer(response);
    const [status, content] = answerTo(request, body);
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(content));
  }

  const server = createServer((request, response) => {
    respond(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const self: GrafanaSimulator = {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    token,
    dashboards,
    requests,
    answer: undefined,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return self;
}
