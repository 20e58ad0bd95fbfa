/** The redriver through its handler, with the real worker behind it, and dead letters to work on. */
import { GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeEach, expect } from '@jest/globals';
import * as z from 'zod';
import { createHandler } from '../../../functions/redrive-dead-letters/handler.ts';
import { tryParseJson } from '../../../shared/exact-json.ts';
import { envelope, type Row, setUpWorkerFixture, type Worker, type WorkerFixture } from '../create/worker-fixture.ts';
import { lambdaContext } from '../fixture.ts';
import { startLedgerOf, withLedgerOf } from '../ledger-of.ts';
import { type Interceptor, type RecordingProxy, startRecordingProxy } from '../recording-proxy.ts';

export const act = { by: 'arn:aws:sts::111122223333:assumed-role/Operator/a-person', reason: 'INC-42: unit mapped' };

const planSchema = z.looseObject({
  planHash: z.string().optional(),
  moves: z.number(),
  forecasts: z.record(z.string(), z.number()),
  notSeen: z.array(z.string()),
  messages: z.array(z.looseObject({ messageId: z.string(), forecast: z.string(), moves: z.boolean() })),
});
const resultSchema = z.looseObject({ status: z.string(), moved: z.number(), summary: z.string() });

export interface Operator {
  readonly worker: Worker;
  invoke(event: unknown): Promise<unknown>;
  plan(selection: object, everything?: boolean): Promise<z.output<typeof planSchema>>;
  redrive(planHash: string | undefined): Promise<z.output<typeof resultSchema>>;
  /** Delivers until each message is a dead letter or gone. */
  drain(): Promise<void>;
  /** SQS gives up what waits, although no attempt begins. */
  giveUpUntried(): Promise<void>;
}

export interface RedriverFixture {
  readonly fixture: WorkerFixture;
  /** Between the redriver and the worker. */
  readonly lambda: RecordingProxy;
  /** Suppliers that are closed in 11VMS. */
  readonly closedSuppliers: Set<string>;
  /** An operator with a worker and queues of their own. */
  readonly open: () => Promise<Operator>;
  readonly answeredBy: (worker: Worker) => Interceptor;
  /** Of a queue, through the recording proxy. */
  readonly urlOf: (queueName: string) => Promise<string>;
  /** Carts whose supplier is closed in 11VMS, as dead letters; returns the ids of their messages. */
  readonly deadLetters: (operator: Operator, carts: readonly Row[]) => Promise<string[]>;
}

export async function setUpRedriver(): Promise<RedriverFixture> {
  const closedSuppliers = new Set<string>();
  const fixture = await setUpWorkerFixture({ vms: { inactiveSuppliers: (code) => closedSuppliers.has(code) } });
  const lambda = await startRecordingProxy('http://127.0.0.1:9');
  const ledger = await startLedgerOf('Redriver', fixture.systems.emulators.endpoints.dynamodb);
  afterAll(async () => {
    await lambda.close();
    await ledger.close();
  });
  beforeEach(() => closedSuppliers.clear());
  process.env['AWS_ENDPOINT_URL_LAMBDA'] = lambda.url;

  const answeredBy =
    (worker: Worker): Interceptor =>
    async ({ body }) => {
      const answer = await withLedgerOf(fixture.proxies.dynamodb, () =>
        worker.handler(tryParseJson(body), lambdaContext()),
      );
      return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(answer) };
    };

  async function urlOf(queueName: string): Promise<string> {
    const { QueueUrl = '' } = await fixture.systems.clients.sqs.send(new GetQueueUrlCommand({ QueueName: queueName }));
    return new URL(new URL(QueueUrl).pathname, fixture.proxies.sqs.url).href;
  }

  async function open(): Promise<Operator> {
    const worker = await fixture.worker();
    lambda.intercept(answeredBy(worker));
    const handler = createHandler(
      {
        INTERFACE_ENVIRONMENT: 'test',
        TABLE_NAME: fixture.systems.tableName,
        POWERTOOLS_SERVICE_NAME: 'test',
        POWERTOOLS_METRICS_NAMESPACE: 'test',
        POWERTOOLS_LOG_LEVEL: 'INFO',
        QUEUE_URL: await urlOf(worker.queueName),
        DEAD_LETTER_QUEUE_URL: await urlOf(worker.deadLetterName),
        DEAD_LETTER_QUEUE_ARN: `arn:aws:sqs:eu-west-1:000000000000:${worker.deadLetterName}`,
        WORKER_FUNCTION: 'the-worker',
        WORKER_TIMEOUT_SECONDS: '60',
        SRM_CLIENT: '100',
      },
      // While it waits for an outcome, the worker works.
      { wait: () => worker.deliverAndReturn() },
    );
    const operator: Operator = {
      worker,
      invoke: (event) =>
        withLedgerOf(ledger, () =>
          handler(
            event,
            lambdaContext(() => 900_000),
          ),
        ),
      plan: async (selection, everything = false) =>
        planSchema.parse(await operator.invoke({ plan: { selection, everything } })),
      redrive: async (planHash) => resultSchema.parse(await operator.invoke({ redrive: { planHash, ...act } })),
      async drain() {
        while ((await worker.deliverAndReturn()).records.length > 0);
      },
      async giveUpUntried() {
        for (let records = await worker.receive(); records.length > 0; records = await worker.receive()) {
          await worker.endDelay(records);
        }
      },
    };
    return operator;
  }

  async function deadLetters(operator: Operator, carts: readonly Row[]): Promise<string[]> {
    closedSuppliers.add('SUP-00871');
    const ids: string[] = [];
    for (const cart of carts) ids.push(...(await operator.worker.send(envelope(cart))));
    await operator.drain();
    closedSuppliers.clear();
    expect((await operator.worker.deadLetters()).sort()).toEqual([...ids].sort());
    return ids;
  }

  return { fixture, lambda, closedSuppliers, open, answeredBy, urlOf, deadLetters };
}
