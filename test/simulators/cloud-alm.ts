/**
 * SAP Cloud ALM for one service: the token endpoint of its service key, and the inbound metrics of Health Monitoring.
 * It takes what OTLP/JSON allows (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding") with the attributes of
 * SAP's published samples (test/simulators/cloud-alm-samples.ts); the rest of its answers is assumed.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import * as z from 'zod';
import type { Answer } from './answers.ts';
import { openTokenDesk } from './client-credentials.ts';

const int64 = z.string().regex(/^-?\d+$/, 'a 64-bit integer is a decimal text');
const anyValue = z
  .strictObject({
    stringValue: z.string(),
    boolValue: z.boolean(),
    intValue: int64,
    doubleValue: z.number(),
  })
  .partial()
  .refine((value) => Object.keys(value).length === 1, 'holds exactly one value');
const attributes = z
  .array(z.strictObject({ key: z.string().min(1), value: anyValue }))
  .refine((list) => new Set(list.map(({ key }) => key)).size === list.length, 'holds a key twice')
  .default([]);

const RATINGS = ['ok', 'info', 'warning', 'error', 'critical', 'fatal'];
const VALUES_OF_SAP: Readonly<Record<string, readonly string[]>> = {
  'sap.calm.hm.metric.type': ['status', 'quota'],
  'sap.calm.hm.metric.rating': RATINGS,
  'sap.calm.hm.quota': ['limit', 'value'],
};
const attributesOfPoint = attributes.refine(
  (list) =>
    list.every(({ key, value }) => {
      if (!key.startsWith('sap.')) return true;
      return value.stringValue !== undefined && VALUES_OF_SAP[key]?.includes(value.stringValue) === true;
    }),
  'holds an attribute of SAP that none of its samples has',
);
const dataPoint = z
  .strictObject({
    attributes: attributesOfPoint,
    startTimeUnixNano: int64.optional(),
    timeUnixNano: int64.optional(),
    asDouble: z.number().optional(),
    asInt: int64.optional(),
    flags: z.number().optional(),
  })
  .refine(({ asDouble, asInt }) => (asDouble === undefined) !== (asInt === undefined), 'has exactly one value');
const metric = z.strictObject({
  name: z.string().min(1),
  description: z.string().optional(),
  unit: z.string().optional(),
  gauge: z.strictObject({ dataPoints: z.array(dataPoint).min(1) }),
});
export const metricsRequest = z.strictObject({
  resourceMetrics: z
    .array(
      z.strictObject({
        resource: z.strictObject({ attributes }).partial().optional(),
        schemaUrl: z.string().optional(),
        scopeMetrics: z
          .array(
            z.strictObject({
              scope: z.strictObject({ name: z.string().optional(), version: z.string().optional() }).optional(),
              schemaUrl: z.string().optional(),
              metrics: z.array(metric).min(1),
            }),
          )
          .min(1),
      }),
    )
    .min(1),
});
export type MetricsRequest = z.infer<typeof metricsRequest>;

export interface CloudAlmSimulator {
  /** `endpoints.Api` of the service key: it ends in `/api`. */
  readonly apiUrl: string;
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly serviceId: string;
  /** Each push that was taken. */
  readonly taken: readonly { readonly body: MetricsRequest; readonly isDevelopment: boolean }[];
  /** The status of each answer, in order, with the path that was asked for. */
  readonly answers: readonly { readonly path: string; readonly status: number }[];
  /** Answers the next pushes so, one after the other, whatever they hold. */
  answerNext(...answers: readonly Answer[]): void;
  revokeTokens(): void;
  setClient(clientId: string, clientSecret: string): void;
  close(): Promise<void>;
}

const json = (status: number, body: object): Answer => ({
  status,
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
});

export async function startCloudAlm(clock: () => Date = () => new Date()): Promise<CloudAlmSimulator> {
  const client = { clientId: 'sb-acme!b1|cloud-alm', clientSecret: 'cloud-alm+secret/%' };
  const serviceId = 'acme-orders';
  const desk = openTokenDesk({
    ...client,
    // XSUAA.
    clientCheck: 'basic-when-marked',
    tokenParameters: undefined,
    tokenPrefix: 'alm',
    lifetimeSeconds: 3600,
    clock,
  });
  const taken: { body: MetricsRequest; isDevelopment: boolean }[] = [];
  const answers: { path: string; status: number }[] = [];
  const planned: Answer[] = [];

  function takeMetrics({ headers, method }: IncomingMessage, url: URL, body: string): Answer {
    if (!desk.accepts(headers.authorization)) return json(401, { error: 'invalid_token' });
    const next = planned.shift();
    if (next !== undefined) return next;
    if (method !== 'POST') return json(405, { error: 'POST only' });
    if (headers['content-type'] !== 'application/json') return json(415, { error: 'application/json only' });
    const { useCase, serviceId: asked, dev = 'false', ...rest } = Object.fromEntries(url.searchParams);
    if (useCase !== 'hm' || Object.keys(rest).length > 0 || !['true', 'false'].includes(dev)) {
      return json(400, { error: 'unknown query' });
    }
    if (asked !== serviceId) return json(403, { error: 'no such service' });
    const parsed = metricsRequest.safeParse(JSON.parse(body));
    if (!parsed.success) return json(400, { error: z.prettifyError(parsed.error) });
    const isDevelopment = dev === 'true';
    taken.push({ body: parsed.data, isDevelopment });
    if (!isDevelopment) return json(200, {});
    // As a tenant might: what it understood, beside what it was called with.
    return json(200, { authorization: headers.authorization, understood: understood(parsed.data) });
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const answer =
      url.pathname === '/oauth/token'
        ? desk.issue(request.headers, body)
        : url.pathname === '/api/calm-metrics/v1/metrics'
          ? takeMetrics(request, url, body)
          : json(404, { error: 'no such API' });
    answers.push({ path: url.pathname, status: answer.status });
    response.writeHead(answer.status, { ...answer.headers }).end(answer.body);
  }

  const server = createServer((request, response) => void serve(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const origin = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  return {
    ...client,
    apiUrl: `${origin}/api`,
    tokenUrl: `${origin}/oauth/token`,
    serviceId,
    taken,
    answers,
    answerNext: (...next) => {
      planned.push(...next);
    },
    revokeTokens: () => desk.revokeTokens(),
    setClient: (clientId, clientSecret) => desk.setClient(clientId, clientSecret),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

/** The metrics of a body, each with the rating of its first point. */
export const understood = ({ resourceMetrics }: MetricsRequest) =>
  resourceMetrics
    .flatMap(({ scopeMetrics }) => scopeMetrics)
    .flatMap(({ metrics }) => metrics)
    .map(({ name, gauge: { dataPoints } }) => ({
      name,
      value: dataPoints[0]?.asDouble,
      rating: dataPoints[0]?.attributes.find(({ key }) => key === 'sap.calm.hm.metric.rating')?.value.stringValue,
    }));
