/**
 * What the worker's tests share: the fixture of the systems, a recording proxy before each of them, and a queue of its
 * own for each test. The queue is served as an event source mapping serves it: a message that is not reported failed is
 * deleted.
 */
import { randomUUID } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { DeleteItemCommand, ScanCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import {
  ChangeMessageVisibilityBatchCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
} from '@aws-sdk/client-sqs';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeEach } from '@jest/globals';
import type { SQSRecord } from 'aws-lambda';
import * as z from 'zod';
import { createHandler, type HandlerOptions } from '../../../functions/create-purchase-orders/handler.ts';
import { messageToRecord } from '../../../infra/local/aws/sqs-event.ts';
import { TRANSLATION_SETTINGS_FILE, VMS_FIELDS_FILE } from '../../../shared/environment.ts';
import { type CartMessage, writeCartMessage } from '../../../shared/cart-message.ts';
import type { Disturbance, SimulatedRequest } from '../../simulators/disturbances.ts';
import type { VmsSimulator } from '../../simulators/vms.ts';
import { lambdaContext, openFixture, type Fixture, type FixtureOptions } from '../fixture.ts';
import { startLedgerOf } from '../ledger-of.ts';
import { type Interceptor, startRecordingProxy, type RecordingProxy, type RecordedCall } from '../recording-proxy.ts';

export type { CartMessage };
export type Row = Record<string, unknown>;
export type Variables = Fixture['workerVariables'];

/** This 11VMS checks nothing for duplicates: only the interface stands between a second POST and a second order. */
export const CARELESS = { ignoreIdempotencyKeys: true, enforceUniqueness: false } as const;

const rowSchema = z.record(z.string(), z.unknown());
const samples = join(import.meta.dirname, '../../../shared/contract/samples');
const samplePage = z
  .object({ d: z.object({ results: z.array(rowSchema) }) })
  .parse(JSON.parse(readFileSync(join(samples, 'srm7-shopping-carts.json'), 'utf8')));
/** The sample order as text, for a comparison to the letter. */
export const sampleOrder: unknown = JSON.parse(readFileSync(join(samples, '11vms-purchase-order.json'), 'utf8'));

/** The sample cart; each call a copy. */
export function sampleCart(): Row {
  const [row] = structuredClone(samplePage.d.results);
  if (row === undefined) throw new Error('the sample page is empty');
  return row;
}

let carts = 0;

/** A cart like the sample's, with its own number and GUID, and so an order of its own. */
export function newCart(changes: Row = {}): Row {
  carts += 1;
  const Guid = `005056a5-09b3-1ee1-bee5-${String(carts).padStart(12, '0')}`;
  return { ...sampleCart(), Guid, ObjectId: String(2_000_000_000 + carts), ...changes };
}

/** The lines of a row, to be changed in place. */
export function itemsOf(row: Row): Row[] {
  return z.object({ results: z.array(rowSchema) }).parse(row['Items']).results;
}

/** The cart with other lines; by default those of the sample, each changed. */
export function withItems(row: Row, change: (item: Row, index: number) => Row): Row {
  return { ...row, Items: { results: itemsOf(row).map(change) } };
}

/** The cart with its lines from these suppliers in turn; the ship-to address of its first line is that of all lines. */
export const withVendors = (cart: Row, ...vendors: string[]): Row => ({
  ...withItems(cart, (item, index) => ({ ...item, VendorId: vendors[index % vendors.length] ?? '' })),
  Partners: itemsOf(cart)[0]?.['Partners'],
});

/** An instant as SRM writes it. */
export const edmInstant = (text: string): string => `/Date(${Date.parse(text)}+0000)/`;

export const externalIdOf = (row: Row, vendor = '100234'): string =>
  `SRM7-100-${textOf(row['ObjectId'])}-${vendor}-EUR-BE10`;

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The envelope that the extractor writes around a row. */
export function envelope(source: Row, changes: Partial<CartMessage> = {}): CartMessage {
  const names = { number: textOf(source['ObjectId']), guid: textOf(source['Guid']) };
  return {
    schemaVersion: 1,
    runId: 'run-7',
    correlationId: `c-${names.number}`,
    client: '100',
    cart: names,
    source,
    ...changes,
  };
}

/** The envelope of a cart that was too large for the queue. */
export function claimCheck(source: Row): CartMessage {
  const { source: _dropped, ...rest } = { source, ...envelope(source) };
  return { ...rest, claim: { guid: textOf(source['Guid']) } };
}

const faultSchema = z.object({
  code: z.string(),
  message: z.string(),
  path: z.string().optional(),
  field: z.string().optional(),
});
const ledgerItem = z.looseObject({
  pk: z.string(),
  sk: z.string(),
  state: z.string().optional(),
  orderNumber: z.string().optional(),
  mayExist: z.boolean().optional(),
  attempts: z.number().optional(),
  reason: z.string().optional(),
  faults: z.array(faultSchema).optional(),
});
export type LedgerItem = z.infer<typeof ledgerItem>;

/** One delivery of a batch, and what happened to its messages. */
export interface Delivered {
  readonly records: readonly SQSRecord[];
  readonly failed: readonly string[];
}

const BREAKER_KEY = { pk: { S: 'BREAKER#11VMS' }, sk: { S: 'BREAKER' } };

type Handler = ReturnType<typeof createHandler>;

export interface Invocation {
  /** Uses a second execution environment. */
  readonly handler?: Handler;
  /** The remaining time of the function when it starts. */
  readonly remainingMs?: number;
}

/** One worker on a queue of its own. */
export interface Worker {
  readonly handler: Handler;
  /** The handler's variables: what changes in them, changes for the handler, as with `process.env`. */
  readonly variables: Variables;
  readonly queueName: string;
  readonly deadLetterName: string;
  /** Sends messages, signed as the extractor signs them, or any text; returns the message ids. */
  send(...messages: readonly (CartMessage | string)[]): Promise<string[]>;
  /** Receives up to 10 messages as the records of an event. */
  receive(): Promise<SQSRecord[]>;
  /** Invokes the handler, and deletes what it did not report as failed. */
  invoke(records: readonly SQSRecord[], by?: Invocation): Promise<Delivered>;
  /** Receives, then invokes. */
  deliver(by?: Invocation): Promise<Delivered>;
  /** Ends the delay of returned messages, and the quiet time of their unknown outcomes, so that no test has to wait. */
  endDelay(records: readonly SQSRecord[]): Promise<void>;
  /** Delivers, then ends the delay of the returned messages. */
  deliverAndReturn(by?: Invocation): Promise<Delivered>;
  /** Delivers so many times, without the delays; returns what failed in each. */
  deliverTimes(count: number): Promise<(readonly string[])[]>;
  /** The seconds set by each ChangeMessageVisibilityBatch since the last call. */
  takeVisibilities(): number[][];
  /** What waits on the queue as a new message, under its delay. */
  requeued(): Promise<{ readonly messageId: string; readonly body: string }[]>;
  /** The ids of the messages in the dead-letter queue. */
  deadLetters(): Promise<string[]>;
}

export interface WorkerFixture {
  readonly systems: Fixture;
  readonly vms: VmsSimulator;
  /** In front of 11VMS, DynamoDB, SQS and Secrets Manager. */
  readonly proxies: {
    readonly vms: RecordingProxy;
    readonly dynamodb: RecordingProxy;
    readonly sqs: RecordingProxy;
    readonly secrets: RecordingProxy;
  };
  /** A new worker with a new queue. */
  worker(variables?: Partial<Variables>): Promise<Worker>;
  /** Another execution environment of the same function. */
  anotherHandler(of: Worker, variables?: Partial<Variables>, options?: HandlerOptions): Handler;
  /** The variables of a bundle with other names for 11VMS's fields. */
  withFields(fields: Readonly<Record<string, string>>): Partial<Variables>;
  /** The variables of a bundle with other settings of the translation. */
  withTranslation(changes: Row): Partial<Variables>;
  /** The items of a cart in the ledger. */
  ledgerOf(cart: Row): Promise<LedgerItem[]>;
  orderRow(cart: Row, vendor?: string): Promise<LedgerItem | undefined>;
  verdictOf(messageId: string): Promise<readonly z.infer<typeof faultSchema>[] | undefined>;
  /** Makes the lease of an order's attempt run out, as a minute would, and that of a last attempt which did not end. */
  expireLease(cart: Row, vendor?: string): Promise<void>;
  /** Waits in small steps until a condition holds. */
  until(isSo: () => boolean): Promise<void>;
  /** Deletes the item of an order from the ledger, as the restore of an old backup would. */
  forget(cart: Row): Promise<void>;
  /** The item of the circuit breaker; undefined where it was never opened. Each new worker starts without one. */
  breaker(): Promise<Record<string, unknown> | undefined>;
  /** Closes the circuit breaker, as the supervisor does when 11VMS is healthy again. */
  closeBreaker(): Promise<void>;
  wholeTable(): Promise<Record<string, unknown>[]>;
  /** Orders that 11VMS holds for a cart. */
  ordersOf(cart: Row): ReturnType<VmsSimulator['orders']>;
  /** Calls of 11VMS's API about a cart since the start: `create` and `lookup`, in order. */
  callsFor(cart: Row): string[];
  /** Everything written to stdout and stderr since the last call: log lines of all levels, and metrics. */
  takeOutput(): string[];
  /** Ends all disturbances. */
  calm(): void;
  close(): Promise<void>;
}

/**
 * For all tests of a file: each begins with healthy systems and no output, and the fixture is closed after the last.
 */
export async function setUpWorkerFixture(options: FixtureOptions = {}): Promise<WorkerFixture> {
  const fixture = await openWorkerFixture(options);
  beforeEach(() => {
    fixture.calm();
    fixture.takeOutput();
  });
  afterAll(() => fixture.close());
  return fixture;
}

export async function openWorkerFixture(options: FixtureOptions = {}): Promise<WorkerFixture> {
  const systems = await openFixture(options);
  const errors = captureErrors();
  const { clients, vms, emulators } = systems;
  const { endpoints } = emulators;
  const [vmsTap, dynamodb, sqs, secrets] = await Promise.all([
    startRecordingProxy(vms.url),
    startLedgerOf('Worker', endpoints.dynamodb),
    startRecordingProxy(endpoints.sqs),
    startRecordingProxy(endpoints.secretsManager),
  ]);
  const proxies = { vms: vmsTap, dynamodb, sqs, secrets };
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_SQS: sqs.url,
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb.url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url,
  });
  const variablesOf = (queueUrl: string, variables: Partial<Variables>): Variables => ({
    ...systems.workerVariables,
    // The SDK follows a queue's URL, not its endpoint.
    QUEUE_URL: new URL(new URL(queueUrl).pathname, sqs.url).href,
    VMS_BASE_URL: vms.baseUrl.replace(vms.url, vmsTap.url),
    VMS_TOKEN_URL: vms.tokenUrl.replace(vms.url, vmsTap.url),
    ...variables,
  });
  const queues = new WeakMap<Worker, string>();

  async function createQueue(name: string, attributes: Record<string, string> = {}) {
    const { QueueUrl = '' } = await clients.sqs.send(
      new CreateQueueCommand({ QueueName: name, Attributes: attributes }),
    );
    const url = new URL(new URL(QueueUrl).pathname, endpoints.sqs).href;
    const { Attributes } = await clients.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }),
    );
    return { url, arn: Attributes?.QueueArn ?? '' };
  }

  const tableItems = async (): Promise<Record<string, unknown>[]> => {
    const { Items = [] } = await clients.dynamodb.send(new ScanCommand({ TableName: systems.tableName }));
    return Items.map((item) => unmarshall(item));
  };

  /** Ends the lease or quiet time of an order, or makes a verdict an old one. */
  const endTime = async (key: Record<string, unknown>, time = 'leaseUntilMs'): Promise<void> => {
    await clients.dynamodb.send(
      new UpdateItemCommand({
        TableName: systems.tableName,
        Key: marshall(key),
        UpdateExpression: `SET ${time} = :past`,
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeValues: { ':past': { N: '1' } },
      }),
    );
  };

  const closeBreaker = async (): Promise<void> => {
    await clients.dynamodb.send(new DeleteItemCommand({ TableName: systems.tableName, Key: BREAKER_KEY }));
  };

  const self: WorkerFixture = {
    systems,
    vms,
    proxies,

    async worker(variables = {}) {
      await closeBreaker();
      const [queueName, deadLetterName] = [`carts-${randomUUID()}`, `dead-${randomUUID()}`];
      const dead = await createQueue(deadLetterName);
      const queue = await createQueue(queueName, {
        VisibilityTimeout: '60',
        RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 4 }),
      });
      const ownVariables = variablesOf(queue.url, variables);
      const handler = createHandler(ownVariables);
      const seen = { sqsCalls: sqs.calls.length };

      const worker: Worker = {
        handler,
        variables: ownVariables,
        queueName,
        deadLetterName,
        async send(...messages) {
          const bodies = messages.map((message) => (typeof message === 'string' ? message : writeCartMessage(message)));
          const { Successful = [], Failed = [] } = await clients.sqs.send(
            new SendMessageBatchCommand({
              QueueUrl: queue.url,
              Entries: bodies.map((MessageBody, index) => ({
                Id: String(index),
                MessageBody,
                MessageAttributes: systems.signed(MessageBody),
              })),
            }),
          );
          if (Failed.length > 0) throw new Error(`SQS did not take ${Failed.length} messages`);
          return Successful.map(({ MessageId }) => MessageId ?? '');
        },
        async receive() {
          const { Messages = [] } = await clients.sqs.send(
            new ReceiveMessageCommand({
              QueueUrl: queue.url,
              MaxNumberOfMessages: 10,
              MessageSystemAttributeNames: ['All'],
              MessageAttributeNames: ['All'],
            }),
          );
          return Messages.map((message) => messageToRecord(message, queue.arn, 'eu-west-1'));
        },
        async invoke(records, by = {}) {
          const invoked = by.handler ?? handler;
          const context = lambdaContext(() => by.remainingMs ?? 60_000);
          const response = await invoked({ Records: [...records] }, context);
          if (!('batchItemFailures' in response)) throw new Error('not an answer to a batch');
          const failed = response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
          for (const { messageId, receiptHandle } of records) {
            if (failed.includes(messageId)) continue;
            await clients.sqs.send(new DeleteMessageCommand({ QueueUrl: queue.url, ReceiptHandle: receiptHandle }));
          }
          return { records, failed };
        },
        deliver: async (by) => worker.invoke(await worker.receive(), by),
        async endDelay(records) {
          if (records.length === 0) return;
          await clients.sqs.send(
            new ChangeMessageVisibilityBatchCommand({
              QueueUrl: queue.url,
              Entries: records.map(({ receiptHandle }, index) => ({
                Id: String(index),
                ReceiptHandle: receiptHandle,
                VisibilityTimeout: 0,
              })),
            }),
          );
          const returned = new Set(records.map(({ messageId }) => messageId));
          const quiet = (await tableItems()).filter(
            ({ state, messageId }) => state === 'UNKNOWN' && returned.has(textOf(messageId)),
          );
          for (const { pk, sk } of quiet) await endTime({ pk, sk });
        },
        async deliverAndReturn(by) {
          const delivered = await worker.deliver(by);
          await worker.endDelay(delivered.records.filter(({ messageId }) => delivered.failed.includes(messageId)));
          return delivered;
        },
        async deliverTimes(count) {
          const failures: (readonly string[])[] = [];
          while (failures.length < count) failures.push((await worker.deliverAndReturn()).failed);
          return failures;
        },
        async requeued() {
          const { delayed } = await emulators.inspectQueue(queueName);
          return delayed.map(({ messageId, body }) => ({ messageId, body }));
        },
        async deadLetters() {
          return (await emulators.inspectQueue(deadLetterName)).ready.map(({ messageId }) => messageId);
        },
        takeVisibilities() {
          const calls = sqs.calls.slice(seen.sqsCalls);
          seen.sqsCalls = sqs.calls.length;
          return calls.filter(({ operation }) => operation === 'ChangeMessageVisibilityBatch').map(secondsOf);
        },
      };
      queues.set(worker, queue.url);
      return worker;
    },

    anotherHandler: (of, variables = {}, options = {}) =>
      createHandler(variablesOf(queues.get(of) ?? '', variables), options),

    withFields(fields) {
      const { LAMBDA_TASK_ROOT: root } = systems.workerVariables;
      const own = mkdtempSync(join(root, 'fields-'));
      copyFileSync(join(root, TRANSLATION_SETTINGS_FILE), join(own, TRANSLATION_SETTINGS_FILE));
      writeFileSync(join(own, VMS_FIELDS_FILE), JSON.stringify(fields));
      return { LAMBDA_TASK_ROOT: own };
    },
    withTranslation(changes) {
      const { LAMBDA_TASK_ROOT: root } = systems.workerVariables;
      const own = mkdtempSync(join(root, 'translation-'));
      const settings = rowSchema.parse(JSON.parse(readFileSync(join(root, TRANSLATION_SETTINGS_FILE), 'utf8')));
      writeFileSync(join(own, TRANSLATION_SETTINGS_FILE), JSON.stringify({ ...settings, ...changes }));
      copyFileSync(join(root, VMS_FIELDS_FILE), join(own, VMS_FIELDS_FILE));
      return { LAMBDA_TASK_ROOT: own };
    },
    async ledgerOf(cart) {
      const pk = `CART#100#${textOf(cart['ObjectId'])}`;
      return (await tableItems()).filter((item) => item['pk'] === pk).map((item) => ledgerItem.parse(item));
    },
    async orderRow(cart, vendor) {
      const sk = `ORDER#${externalIdOf(cart, vendor)}`;
      return (await self.ledgerOf(cart)).find((item) => item.sk === sk);
    },
    async verdictOf(messageId) {
      const item = (await tableItems()).find(({ sk }) => sk === `VERDICT#${messageId}`);
      return item === undefined ? undefined : ledgerItem.parse(item).faults;
    },
    async expireLease(cart, vendor) {
      await endTime({ pk: `CART#100#${textOf(cart['ObjectId'])}`, sk: `ORDER#${externalIdOf(cart, vendor)}` });
      for (const { pk, sk, state } of await self.ledgerOf(cart)) {
        if (state === 'PROVISIONAL') await endTime({ pk, sk }, 'recordedAtMs');
      }
    },
    async forget(cart) {
      await clients.dynamodb.send(
        new DeleteItemCommand({
          TableName: systems.tableName,
          Key: { pk: { S: `CART#100#${textOf(cart['ObjectId'])}` }, sk: { S: `ORDER#${externalIdOf(cart)}` } },
          ConditionExpression: 'attribute_exists(pk)',
        }),
      );
    },
    async until(isSo) {
      const deadline = Date.now() + 5000;
      while (!isSo()) {
        if (Date.now() > deadline) throw new Error('what the test waits for did not happen within 5 s');
        await setImmediate();
      }
    },
    breaker: async () => (await tableItems()).find(({ sk }) => sk === 'BREAKER'),
    closeBreaker,
    wholeTable: tableItems,
    ordersOf: (cart) => vms.orders().filter(({ order }) => order.sourceDocument.number === cart['ObjectId']),
    callsFor: (cart) =>
      vmsTap.calls
        .filter(({ path, body }) => `${path} ${body}`.includes(`SRM7-100-${textOf(cart['ObjectId'])}-`))
        .map(({ method }) => (method === 'POST' ? 'create' : 'lookup')),
    takeOutput: () => [...systems.takeOutput(), ...errors.take()],
    calm() {
      vms.setDisturbances('none');
      for (const proxy of Object.values(proxies)) proxy.intercept((_call, forward) => forward());
    },
    async close() {
      errors.stop();
      await Promise.all(Object.values(proxies).map((proxy) => proxy.close()));
      await systems.close();
    },
  };
  return self;
}

/** Warnings and errors go to stderr, which the fixture of the systems does not capture. */
function captureErrors(): { take(): string[]; stop(): void } {
  // oxlint-disable-next-line typescript/unbound-method -- only put back where it was
  const original = process.stderr.write;
  let text = '';
  process.stderr.write = (chunk: string | Uint8Array): boolean => {
    text += chunk.toString();
    return true;
  };
  return {
    take() {
      const lines = text.split('\n').filter((line) => line !== '');
      text = '';
      return lines;
    },
    stop() {
      process.stderr.write = original;
    },
  };
}

/** The record as it was received when a worker had requeued its cart so often, and it had waited so long before. */
export function asRequeuedCopy(record: SQSRecord, requeues = 1, waitedMs = 0): SQSRecord {
  const text = (stringValue: string) => ({ dataType: 'String', stringValue });
  const sentMs = Number(record.attributes.SentTimestamp);
  const instant = (ms: number) => text(new Date(ms).toISOString());
  const waiting = {
    waitingSince: instant(sentMs - waitedMs),
    requeues: text(String(requeues)),
    requeuedAt: instant(sentMs),
  };
  return { ...record, messageAttributes: { ...record.messageAttributes, ...waiting } };
}

export const isCreate = ({ method, path }: RecordedCall): boolean =>
  method === 'POST' && path.endsWith('/purchase-orders');
export const isLookUp = ({ method, path }: RecordedCall): boolean => method === 'GET' && path.includes('externalId=');
export const isToken = ({ path }: RecordedCall): boolean => path.endsWith('/oauth/token');

/** 11VMS answers without doing anything. */
export const answer =
  (status: number, body: unknown = {}, headers: Record<string, string> = {}): Interceptor =>
  () =>
    Promise.resolve({
      status,
      headers: { 'content-type': typeof body === 'string' ? 'text/html' : 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });

/** 11VMS does its work, and answers something else. */
export const commitThenAnswer = (...instead: Parameters<typeof answer>): Interceptor => {
  const reply = answer(...instead);
  return async (call, forward) => {
    await forward();
    return reply(call, forward);
  };
};

/** Disturbs every call of a kind. */
export const always =
  (isFor: (call: RecordedCall) => boolean, instead: Interceptor): Interceptor =>
  (call, forward) =>
    isFor(call) ? instead(call, forward) : forward();

const visibilityCall = z.object({ Entries: z.array(z.object({ VisibilityTimeout: z.number() })) });
const secondsOf = ({ body }: { body: string }): number[] =>
  visibilityCall.parse(JSON.parse(body)).Entries.map(({ VisibilityTimeout }) => VisibilityTimeout);

/** Disturbs the first create of each order; everything else passes. */
export const onFirstCreate =
  (disturbance: Disturbance) =>
  ({ operation, ordinalOfKey }: SimulatedRequest): Disturbance =>
    operation === 'create' && ordinalOfKey === 1 ? disturbance : { kind: 'none' };

/** Disturbs every create in the same way. */
export const onEveryCreate =
  (disturbance: Disturbance) =>
  ({ operation }: SimulatedRequest): Disturbance =>
    operation === 'create' ? disturbance : { kind: 'none' };
