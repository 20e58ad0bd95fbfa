/**
 * Splunk's HTTP Event Collector with indexer acknowledgement, as Splunk documents it ("HTTP Event Collector REST API
 * endpoints", "Troubleshoot HTTP Event Collector"), and what Firehose does on the way to it with a batch of CloudWatch Logs,
 * by the properties of its stream.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod';
import { tryParseJson } from '../../shared/exact-json.ts';

export interface EventCollector {
  readonly url: string;
  /** What was taken: each is one event in Splunk. */
  readonly events: readonly string[];
  close(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const refused = (status: number, code: number, text: string): Reply => ({ status, body: { text, code } });

/** Of an event, for the endpoint of events. */
const envelope = z.looseObject({ event: z.union([z.string(), z.looseObject({})]) });

export async function startEventCollector({ token }: { readonly token: string }): Promise<EventCollector> {
  const events: string[] = [];
  /** By channel, how many requests were taken. */
  const taken = new Map<string, number>();

  /** The events of a body; undefined where it has not the form of the endpoint. */
  const eventsOf = (endpoint: string, body: string): string[] | undefined => {
    // The source type breaks a raw body at its line ends.
    if (endpoint === 'raw') return body.split(/[\r\n]+/).filter((line) => line !== '');
    const { data } = envelope.safeParse(tryParseJson(body));
    return data === undefined ? undefined : [JSON.stringify(data.event)];
  };

  function answer(path: string, { authorization }: IncomingHttpHeaders, body: string): Reply {
    const { pathname, searchParams } = new URL(path, 'http://splunk');
    const endpoint = /^\/services\/collector\/(raw|event|ack)$/.exec(pathname)?.[1];
    if (endpoint === undefined) return refused(404, 404, 'The requested URL was not found on this server.');
    if (authorization === undefined) return refused(401, 2, 'Token is required');
    if (!authorization.startsWith('Splunk ')) return refused(401, 3, 'Invalid authorization');
    if (authorization !== `Splunk ${token}`) return refused(403, 4, 'Invalid token');
    const channel = searchParams.get('channel');
    if (channel === null) return refused(400, 10, 'Data channel is missing');
    const known = taken.get(channel) ?? 0;
    if (endpoint === 'ack') {
      const { acks } = z.object({ acks: z.array(z.number()) }).parse(JSON.parse(body));
      return { status: 200, body: { acks: Object.fromEntries(acks.map((ack) => [ack, ack < known])) } };
    }
    if (body === '') return refused(400, 5, 'No data');
    const found = eventsOf(endpoint, body);
    if (found === undefined) return refused(400, 6, 'Invalid data format');
    events.push(...found);
    taken.set(channel, known + 1);
    return { status: 200, body: { text: 'Success', code: 0, ackId: known } };
  }

  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const reply = answer(request.url ?? '', request.headers, body);
      response.writeHead(reply.status, { 'Content-Type': 'application/json' }).end(JSON.stringify(reply.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    events,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const parameter = z.strictObject({ ParameterName: z.string(), ParameterValue: z.string() });
/** What of a stream's destination decides what is sent. */
export const splunkDestination = z.object({
  HECEndpointType: z.enum(['Raw', 'Event']),
  ProcessingConfiguration: z.object({
    Enabled: z.boolean(),
    Processors: z.array(
      z.strictObject({
        Type: z.enum(['Decompression', 'CloudWatchLogProcessing']),
        Parameters: z.array(parameter),
      }),
    ),
  }),
});
const logBatch = z.object({ logEvents: z.array(z.object({ message: z.string() })) });

/** A record as CloudWatch Logs puts it on a stream (its guide, "Subscription filters with Amazon Data Firehose"). */
export const logRecord = (lines: readonly string[]): Buffer =>
  gzipSync(
    JSON.stringify({
      messageType: 'DATA_MESSAGE',
      owner: '123456789012',
      logGroup: 'proc-srm7-11vms-purchase-order-v1-prod-WorkerFunctionLogsGroup',
      logStream: '2026/12/10/[$LATEST]0123456789abcdef',
      subscriptionFilters: ['ToSplunk'],
      logEvents: lines.map((message, index) => ({ id: String(index), timestamp: 1_796_904_001_000, message })),
    }),
  );

/** Firehose delivers a record; the answer of the collector, and whether it has acknowledged. */
export async function deliverToSplunk(
  { HECEndpointType, ProcessingConfiguration: { Enabled, Processors } }: z.infer<typeof splunkDestination>,
  record: Buffer,
  { url, token }: { readonly url: string; readonly token: string },
): Promise<{ readonly status: number; readonly answer: unknown; readonly isAcknowledged: boolean }> {
  const types = Enabled ? Processors.map(({ Type }) => Type) : [];
  const text = types.includes('Decompression') ? gunzipSync(record).toString() : record.toString('latin1');
  // Each line on its own line (ASSUMED).
  const body = types.includes('CloudWatchLogProcessing')
    ? logBatch
        .parse(JSON.parse(text))
        .logEvents.map(({ message }) => `${message}\n`)
        .join('')
    : text;
  const channel = randomUUID();
  const post = (endpoint: string, data: string): Promise<Response> =>
    fetch(`${url}/services/collector/${endpoint}?channel=${channel}`, {
      method: 'POST',
      headers: { Authorization: `Splunk ${token}` },
      body: data,
    });
  const response = await post(HECEndpointType.toLowerCase(), body);
  const answer: unknown = await response.json();
  const { data } = z.object({ ackId: z.number() }).safeParse(answer);
  if (data === undefined) return { status: response.status, answer, isAcknowledged: false };
  const acknowledged: unknown = await (await post('ack', JSON.stringify({ acks: [data.ackId] }))).json();
  const { acks } = z.object({ acks: z.record(z.string(), z.boolean()) }).parse(acknowledged);
  return { status: response.status, answer, isAcknowledged: acks[data.ackId] === true };
}
