/**
 * What the front-door tests of the extractor share: a fixture for each file, and on it any number of extractors, each
 * with an SRM, a queue and a watermark of its own. After each test, no output and no error may hold a secret or
 * personal data.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import { type AttributeValue, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { CreateQueueCommand, PurgeQueueCommand } from '@aws-sdk/client-sqs';
import { createHandler as createWorker } from '../../../functions/create-purchase-orders/handler.ts';
import type { ExtractionResult } from '../../../functions/extract-approved-carts/extract-approved-carts.ts';
import { createHandler } from '../../../functions/extract-approved-carts/handler.ts';
import { createHandler as createReconciler } from '../../../functions/reconcile-carts/handler.ts';
import type { NotDue, ReconciliationResult } from '../../../functions/reconcile-carts/reconcile-carts.ts';
import { type CartMessage, readCartMessage } from '../../../shared/cart-message.ts';
import type { ExtractorVariables, ReconcilerVariables } from '../../../shared/environment.ts';
import { createLedgerTable } from '../../../shared/ledger-table.ts';
import { type Operation, operationsOfMonth } from '../../../shared/operations-of-month.ts';
import { type GeneratedCart, generateCarts } from '../../simulators/carts.ts';
import { type Srm7Options, type Srm7Simulator, startSrm7 } from '../../simulators/srm7.ts';
import { startLedgerOf, withLedgerOf } from '../ledger-of.ts';
import type { RecordingProxy } from '../recording-proxy.ts';
import { lambdaContext, openFixture, type Fixture, type FixtureOptions } from '../fixture.ts';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The clock of SRM, and its filter, count whole seconds. */
export const thisSecond = (): number => Math.floor(Date.now() / SECOND) * SECOND;

type Variables = ExtractorVariables & ReconcilerVariables;

export interface RunOptions {
  readonly event?: unknown;
  /** The remaining time of the invocation, in milliseconds. */
  readonly remaining?: () => number;
  /** Runs another handler, as after a deployment, with these variables. */
  readonly variables?: Partial<Variables>;
}

export interface ReconcileOptions extends RunOptions {
  readonly now?: () => number;
}

/** Enough time to read on, too little to wait for a retry: a disturbed run fails at once. */
export const noTimeToRetry = (): number => 20_500;

export interface Extractor {
  readonly srm: Srm7Simulator;
  readonly variables: Variables;
  readonly queueName: string;
  run(options?: RunOptions): Promise<ExtractionResult>;
  /** The event that the schedule sends to the reconciliation. */
  fireReconciler(options?: ReconcileOptions): Promise<ReconciliationResult | NotDue>;
  /** The same, where a reconciliation is due. */
  reconcile(options?: ReconcileOptions): Promise<ReconciliationResult>;
  bodies(): Promise<string[]>;
  messages(): Promise<CartMessage[]>;
  /** The acts by hand of this month, of all extractors. */
  operations(): Promise<readonly Operation[]>;
  /** The GUIDs on the queue, sorted; the GUID of a cart that was queued twice is there twice. */
  guids(): Promise<string[]>;
  /** The watermark's item as DynamoDB holds it. */
  watermark(): Promise<Record<string, AttributeValue> | undefined>;
  putWatermark(attributes: Readonly<Record<string, string | number>>): Promise<void>;
  /** The bodies of each batch that was sent, in order of arrival. */
  readonly batches: readonly (readonly string[])[];
  /** The windows that were requested from SRM since the last call; the following pages of a window do not count. */
  takeWindows(): Window[];
}

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface ExtractorOptions extends Srm7Options {
  readonly variables?: Partial<Variables>;
  readonly sqs?: SqsHooks;
}

/** Disturbances between the extractor and SQS. */
export interface SqsHooks {
  /** Awaited before a batch reaches SQS; the first batch is 1. */
  readonly beforeSend?: (ordinal: number) => Promise<void>;
  /** The code with which this entry fails, if it does. `time` counts how often the message was sent. */
  readonly fails?: (message: CartMessage, time: number) => string | undefined;
  /** Leaves the entry out of the answer. */
  readonly forgets?: (message: CartMessage, time: number) => boolean;
  /** Refuses the whole batch with this error. */
  readonly refuses?: (ordinal: number) => string | undefined;
}

export interface ExtractorFixture {
  readonly systems: () => Fixture;
  /** Everything that was logged, measured or thrown since the test began. */
  readonly shown: () => string[];
  open(options?: ExtractorOptions): Promise<Extractor>;
  /** The worker processes everything on the queue, delayed messages last, except the messages that are to be lost. */
  readonly deliver: (extractor: Extractor, isLost?: (guid: string) => boolean) => Promise<void>;
  /** Writes a secret. */
  putSecret(name: string, value: string): Promise<void>;
  /** A server of the test's own on loopback, closed at the end of the file. */
  serve(listener: RequestListener): Promise<TestServer>;
}

export interface TestServer {
  readonly url: string;
  readonly host: string;
  readonly requests: readonly IncomingMessage[];
}

/** Registers a fixture for the file that calls it. */
export function useFixture(options: FixtureOptions = {}): ExtractorFixture {
  let systems: Fixture | undefined;
  let ledgers: { readonly extractor: RecordingProxy; readonly reconciler: RecordingProxy } | undefined;
  let extractors = 0;
  const lines: string[] = [];
  const simulators: Srm7Simulator[] = [];
  const servers: Server[] = [];
  const proxies = new Map<string, SqsProxy>();
  const stderr = Object.getOwnPropertyDescriptor(process.stderr, 'write');
  const opened = (): Fixture => {
    if (systems === undefined) throw new Error('the fixture is not open');
    return systems;
  };
  const shown = (): string[] => {
    lines.push(...opened().takeOutput());
    return lines;
  };

  /** A test that listens to the calls itself has set another endpoint. */
  const as = <Result>(ledger: RecordingProxy | undefined, run: () => Promise<Result>): Promise<Result> => {
    const isOwn = process.env['AWS_ENDPOINT_URL_DYNAMODB'] !== opened().emulators.endpoints.dynamodb;
    return ledger === undefined || isOwn ? run() : withLedgerOf(ledger, run);
  };

  const serve = async (listener: RequestListener): Promise<TestServer> => {
    const requests: IncomingMessage[] = [];
    const server = createServer((request, response) => {
      requests.push(request);
      listener(request, response);
    });
    servers.push(server);
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return { url: `http://127.0.0.1:${port}`, host: `127.0.0.1:${port}`, requests };
  };

  beforeAll(async () => {
    systems = await openFixture(options);
    const { endpoints } = systems.emulators;
    ledgers = {
      extractor: await startLedgerOf('Extractor', endpoints.dynamodb),
      reconciler: await startLedgerOf('Reconciler', endpoints.dynamodb),
    };
    const recorded = await serve((request, response) => {
      passBatch(request, endpoints.sqs, proxies)
        .then(({ status, body }) => response.writeHead(status).end(JSON.stringify(body)))
        .catch(() => response.destroy());
    });
    process.env['AWS_ENDPOINT_URL_SQS'] = recorded.url;
    // Powertools writes its errors there.
    process.stderr.write = (chunk: string | Uint8Array) => {
      lines.push(chunk.toString());
      return true;
    };
  });
  afterEach(() => {
    const text = shown().join('\n');
    lines.length = 0;
    for (const secret of new Set(simulators.flatMap(secretsOf))) {
      if (text.includes(secret)) throw new Error(`shown in a log line or an error: ${secret}`);
    }
  });
  afterAll(async () => {
    // The stream uses the method of its prototype, unless another test helper has replaced it.
    Reflect.deleteProperty(process.stderr, 'write');
    if (stderr !== undefined) Object.defineProperty(process.stderr, 'write', stderr);
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
    await Promise.all(simulators.map((srm) => srm.close()));
    await ledgers?.extractor.close();
    await ledgers?.reconciler.close();
    await systems?.close();
  });

  return {
    systems: opened,
    shown,
    serve,
    async deliver({ queueName, variables }, isLost = () => false) {
      const { clients, emulators, workerVariables } = opened();
      const { ready, delayed } = await emulators.inspectQueue(queueName);
      await clients.sqs.send(new PurgeQueueCommand({ QueueUrl: variables.QUEUE_URL }));
      const ofSrm = Object.entries(variables).filter(([name]) => name.startsWith('SRM_'));
      const worker = createWorker({
        ...workerVariables,
        ...Object.fromEntries(ofSrm),
        // A cart in parts takes many calls, and each its time on a busy machine.
        VMS_TIMEOUT_MS: '5000',
        QUEUE_URL: variables.QUEUE_URL,
      });
      for (const messages of [ready, delayed]) {
        const kept = messages.filter(({ body }) => !isLost(readCartMessage(body).cart.guid ?? ''));
        const Records = kept.map(({ messageId, body, messageAttributes }) => ({
          messageId,
          receiptHandle: 'the message is gone already',
          body,
          attributes: { ApproximateReceiveCount: '1' },
          messageAttributes,
        }));
        while (Records.length > 0) await worker({ Records: Records.splice(0, 10) }, lambdaContext());
      }
    },
    async putSecret(name, value) {
      await opened().clients.secretsManager.send(new CreateSecretCommand({ Name: name, SecretString: value }));
    },
    async open({ variables: own = {}, sqs: hooks = {}, ...options } = {}) {
      const { clients, extractorVariables, reconcilerVariables, tableName, emulators } = opened();
      extractors++;
      // A client of its own, and so a watermark of its own.
      const client = String(100 + extractors);
      const queueName = `carts-${extractors}`;
      const srm = await startSrm7({ client, ...options });
      simulators.push(srm);
      const { QueueUrl = '' } = await clients.sqs.send(new CreateQueueCommand({ QueueName: queueName }));
      const { pathname } = new URL(QueueUrl);
      const proxy: SqsProxy = { hooks, batches: [], times: new Map() };
      proxies.set(pathname, proxy);
      const variables = {
        ...extractorVariables,
        ...reconcilerVariables,
        QUEUE_URL: new URL(pathname, process.env['AWS_ENDPOINT_URL_SQS']).href,
        SRM_BASE_URL: srm.url,
        SRM_TOKEN_URL: srm.tokenUrl,
        SRM_CLIENT: client,
        ...own,
      };
      const handler = createHandler(variables);
      let clock = Date.now;
      const reconciler = createReconciler(variables, { now: () => clock() });
      const Key = { pk: { S: `WATERMARK#${client}` }, sk: { S: 'WATERMARK' } };
      const bodies = async (): Promise<string[]> =>
        (await emulators.inspectQueue(queueName)).ready.map(({ body }) => body);
      const messages = async (): Promise<CartMessage[]> => (await bodies()).map(readCartMessage);
      let windowsTaken = 0;
      const logged = async <Result>(invocation: Promise<Result>): Promise<Result> =>
        invocation.catch((error: unknown) => {
          // Lambda writes a thrown error to the log.
          if (error instanceof Error) lines.push(error.stack ?? '', JSON.stringify(error));
          throw error;
        });
      const fireReconciler: Extractor['fireReconciler'] = async (options = {}) => {
        const { event = {}, remaining, variables: changed } = options;
        clock = options.now ?? Date.now;
        const run = changed === undefined ? reconciler : createReconciler({ ...variables, ...changed });
        return logged(as(ledgers?.reconciler, () => run(event, lambdaContext(remaining))));
      };
      return {
        srm,
        variables,
        queueName,
        batches: proxy.batches,
        bodies,
        messages,
        async run({ event = {}, remaining, variables: changed } = {}) {
          const run = changed === undefined ? handler : createHandler({ ...variables, ...changed });
          return logged(as(ledgers?.extractor, () => run(event, lambdaContext(remaining))));
        },
        fireReconciler,
        async reconcile(options) {
          const result = await fireReconciler(options);
          if (result.status === 'not-due') throw new Error('no reconciliation is due');
          return result;
        },
        operations: () =>
          operationsOfMonth(createLedgerTable(clients.dynamodb, tableName), new Date().toISOString().slice(0, 7)),
        guids: async () => (await messages()).map(({ cart }) => cart.guid ?? 'none').sort(),
        watermark: async () => (await clients.dynamodb.send(new GetItemCommand({ TableName: tableName, Key }))).Item,
        async putWatermark(attributes) {
          const values = Object.entries(attributes).map(([name, value]) => [
            name,
            typeof value === 'number' ? { N: String(value) } : { S: value },
          ]);
          const Item = { ...Key, ...Object.fromEntries(values) };
          await clients.dynamodb.send(new PutItemCommand({ TableName: tableName, Item }));
        },
        takeWindows() {
          const asked = srm.requests.filter(({ operation, path }) => operation === 'page' && !/skiptoken=/.test(path));
          const windows = asked.slice(windowsTaken).map(({ path }) => windowOf(path));
          windowsTaken = asked.length;
          return windows;
        },
      };
    },
  };
}

const literal = /datetimeoffset'([^']+)'/g;

/** The window that a request's filter names. */
export function windowOf(path: string): Window {
  const filter = new URL(path, 'http://srm').searchParams.get('$filter') ?? '';
  const [fromMs, toMs] = [...filter.matchAll(literal)].map(([, instant]) => Date.parse(instant ?? ''));
  if (fromMs === undefined || toMs === undefined) throw new Error(`no window in ${filter}`);
  return { fromMs, toMs };
}

/** What must not appear in a log: the simulator's secret, its tokens, and the people in its carts. */
function secretsOf(srm: Srm7Simulator): string[] {
  const people = srm
    .approvedCarts()
    .flatMap(({ text }) => [
      ...text.matchAll(/"(?:RequesterName|RequesterEmail|ApproverEmail|Street|Name|Email|Tel)":"([^"]{4,})"/g),
    ])
    .map(([, value]) => value ?? '');
  const apiKey = srm.apiKey === undefined ? [] : [srm.apiKey];
  return [srm.clientSecret, ...apiKey, 'srm7-token-', 'Bearer', 'Basic ', ...people];
}

/** One cart, stamped to the second. Different seeds make different carts. */
export function cartAt(changedAtMs: number, seed: number): GeneratedCart {
  const [cart] = generateCarts({ count: 1, seed, from: new Date(changedAtMs), to: new Date(changedAtMs + SECOND) });
  if (cart === undefined) throw new Error('no cart was generated');
  return cart;
}

/** Carts one after another, `stepMs` apart. */
export const cartsFrom = (firstMs: number, count: number, stepMs: number, seed = 1): GeneratedCart[] =>
  Array.from({ length: count }, (_, index) => cartAt(firstMs + index * stepMs, seed + index));

export const rowsOf = (carts: readonly GeneratedCart[]) => carts.map(({ row }) => row);
export const guidsOf = (carts: readonly GeneratedCart[]) => carts.map(({ guid }) => guid).sort();

/** The pages that were requested from SRM. While a page is judged, the next has not been requested yet. */
export const pagesRead = ({ srm }: Extractor): number => srm.traffic().requests.page;

/** Passes a request of the SDK on to an emulator. */
export function forward(endpoint: string, request: IncomingMessage, body: string): Promise<Response> {
  const ofTheConnection = new Set(['host', 'connection', 'content-length', 'transfer-encoding']);
  const headers = Object.entries(request.headers).flatMap(([name, value]): [string, string][] =>
    typeof value === 'string' && !ofTheConnection.has(name) ? [[name, value]] : [],
  );
  return fetch(endpoint, { method: 'POST', headers, body });
}

interface SqsProxy {
  readonly hooks: SqsHooks;
  readonly batches: string[][];
  readonly times: Map<string, number>;
}

interface BatchRequest {
  readonly QueueUrl: string;
  readonly Entries: readonly { readonly Id: string; readonly MessageBody: string }[];
}

/** Batches pass to the emulator, except the entries that a test makes fail. */
async function passBatch(
  request: IncomingMessage,
  endpoint: string,
  proxies: ReadonlyMap<string, SqsProxy>,
): Promise<{ status: number; body: unknown }> {
  const target = request.headers['x-amz-target'];
  if (target === 'AmazonSQS.ChangeMessageVisibilityBatch') {
    // A worker that may return the messages of a test.
    const reply = await forward(endpoint, request, await text(request));
    return { status: reply.status, body: await reply.json() };
  }
  expect(target).toBe('AmazonSQS.SendMessageBatch');
  // oxlint-disable-next-line no-unsafe-type-assertion -- what the SDK sends
  const { QueueUrl, Entries } = JSON.parse(await text(request)) as BatchRequest;
  const proxy = proxies.get(new URL(QueueUrl).pathname);
  if (proxy === undefined) throw new Error(`no extractor sends to ${QueueUrl}`);
  const { hooks, batches, times } = proxy;
  batches.push(Entries.map(({ MessageBody }) => MessageBody));
  const ordinal = batches.length;
  await hooks.beforeSend?.(ordinal);
  const refusal = hooks.refuses?.(ordinal);
  if (refusal !== undefined) return { status: 400, body: { __type: `com.amazonaws.sqs#${refusal}` } };

  const failed: object[] = [];
  const passed = Entries.filter(({ Id, MessageBody }) => {
    const message = readCartMessage(MessageBody);
    const time = (times.get(MessageBody) ?? 0) + 1;
    times.set(MessageBody, time);
    const code = hooks.fails?.(message, time);
    if (code !== undefined) failed.push({ Id, Code: code, SenderFault: false, Message: 'by the test' });
    return code === undefined && !(hooks.forgets?.(message, time) ?? false);
  });
  if (passed.length === 0) return { status: 200, body: { Successful: [], Failed: failed } };
  const reply = await forward(endpoint, request, JSON.stringify({ QueueUrl, Entries: passed }));
  const answer: unknown = await reply.json();
  // SQS's own answer, except for the partial failures of the test.
  const body = failed.length === 0 || typeof answer !== 'object' ? answer : { ...answer, Failed: failed };
  return { status: reply.status, body };
}
