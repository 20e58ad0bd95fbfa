import { EventEmitter, once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { ChangeMessageVisibilityCommand, SendMessageBatchCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { type Emulators, startEmulators } from '../../../infra/local/aws/emulators.ts';
import type { BatchEvent } from '../../../infra/local/aws/event-source-mapping.ts';
import type { LogLine } from '../../../infra/local/aws/execution-environment.ts';
import { type LocalMapping, type LocalStack, only, startLocalStack } from '../../../infra/local/aws/local-stack.ts';
import { batchItemFailures } from '../../../infra/local/aws/sqs-event.ts';
import { ARTIFACT, lambdaResource, mappingResource, queueResource, writeAssembly } from './assembly.ts';

type Ended = Extract<BatchEvent, { kind: 'ended' }>;

let emulators: Emulators;
let number = 0;
const open: LocalStack[] = [];
beforeAll(async () => {
  emulators = await startEmulators();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((stack) => stack.close()));
});
afterAll(() => emulators.close());

interface ExtractorFixture extends LocalMapping {
  readonly lines: LogLine[];
  readonly ended: Ended[];
  readonly send: (...bodies: string[]) => Promise<void>;
  /** Resolves when so many batches have ended, with those batches. */
  readonly batches: (count: number) => Promise<Ended[]>;
  /** Resolves when so many batches have been received. */
  readonly received: (count: number) => Promise<void>;
  readonly stack: LocalStack;
}

/** A queue with a dead-letter queue, a mapping and a function, on the shared emulators. */
async function fixture(
  handler: string,
  { queue = {}, lambda = {}, mapping = {} }: { queue?: object; lambda?: object; mapping?: object } = {},
): Promise<ExtractorFixture> {
  number += 1;
  const lines: LogLine[] = [];
  const ended: Ended[] = [];
  const changes = new EventEmitter();
  const received: BatchEvent[] = [];
  const stack = await startLocalStack({
    assembly: writeAssembly(
      {
        DeadLetters: queueResource({ QueueName: `dead-${number}` }),
        Queue: queueResource({
          QueueName: `queue-${number}`,
          // Longer than any test: a returned message stays in flight unless a test shortens this.
          VisibilityTimeout: 60,
          RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': ['DeadLetters', 'Arn'] }, maxReceiveCount: 2 },
          ...queue,
        }),
        Worker: lambdaResource('worker', lambda),
        Mapping: mappingResource(mapping),
      },
      { worker: handler },
    ),
    artifact: ARTIFACT,
    secrets: {},
    emulators,
    onLogLine: (line) => lines.push(line),
    onBatch(event) {
      if (event.kind === 'ended') ended.push(event);
      else received.push(event);
      changes.emit('change');
    },
    onError: (error) => {
      throw error;
    },
  });
  open.push(stack);
  const only1 = only(stack.mappings, 'mapping');
  return {
    ...only1,
    stack,
    lines,
    ended,
    async send(...bodies) {
      await stack.clients.sqs.send(
        new SendMessageBatchCommand({
          QueueUrl: only1.queue.url,
          Entries: bodies.map((body, index) => ({ Id: String(index), MessageBody: body })),
        }),
      );
    },
    batches: async (count) => {
      while (ended.length < count) await once(changes, 'change');
      return ended;
    },
    received: async (count) => {
      while (received.length < count) await once(changes, 'change');
    },
  };
}

const contents = async ({ queue }: LocalMapping): Promise<{ ready: string[]; inFlight: string[]; dead: string[] }> => {
  const { ready, inFlight } = await queue.inspect();
  const dead = (await queue.deadLetters?.inspect())?.ready ?? [];
  const bodies = (messages: readonly { body: string }[]): string[] => messages.map(({ body }) => body).toSorted();
  return { ready: bodies(ready), inFlight: bodies(inFlight), dead: bodies(dead) };
};

describe('an event source mapping', () => {
  test('invokes the function with an event in exactly the shape of Lambda', async () => {
    const { stack, queue, poller, batches } = await fixture(
      'exports.handler = async (event) => { console.log(JSON.stringify(event)); };',
    );
    const before = Date.now();
    const { MessageId } = await stack.clients.sqs.send(
      new SendMessageCommand({
        QueueUrl: queue.url,
        MessageBody: 'hello',
        MessageAttributes: {
          text: { DataType: 'String', StringValue: 'value' },
          binary: { DataType: 'Binary', BinaryValue: Buffer.from([0, 255]) },
        },
      }),
    );
    poller.start();

    const [batch] = await batches(1);
    expect(batch?.records).toEqual([
      {
        messageId: MessageId,
        receiptHandle: expect.stringMatching(/.+/),
        body: 'hello',
        attributes: {
          ApproximateReceiveCount: '1',
          SentTimestamp: expect.stringMatching(/^\d{13}$/),
          SenderId: '000000000000',
          ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
        },
        messageAttributes: {
          text: { stringValue: 'value', stringListValues: [], binaryListValues: [], dataType: 'String' },
          binary: { binaryValue: 'AP8=', stringListValues: [], binaryListValues: [], dataType: 'Binary' },
        },
        md5OfBody: '5d41402abc4b2a76b9719d911017c592',
        md5OfMessageAttributes: expect.stringMatching(/^[0-9a-f]{32}$/),
        eventSource: 'aws:sqs',
        eventSourceARN: queue.arn,
        awsRegion: 'eu-west-1',
      },
    ]);
    expect(Number(batch?.records[0]?.attributes.SentTimestamp)).toBeGreaterThanOrEqual(before);
  });

  test('the function receives the records of the batch event', async () => {
    const { poller, batches, lines, send } = await fixture(
      'exports.handler = async (event) => { console.log(JSON.stringify(event)); };',
    );
    await send('one');
    poller.start();

    const [batch] = await batches(1);
    expect(lines.map(({ text }) => JSON.parse(text))).toEqual([{ Records: batch?.records }]);
  });

  test('deletes a batch that succeeded', async () => {
    const mapping = await fixture('exports.handler = async () => undefined;');
    await mapping.send('a', 'b', 'c');
    mapping.poller.start();
    await mapping.poller.settled();

    expect(await contents(mapping)).toEqual({ ready: [], inFlight: [], dead: [] });
    expect(mapping.ended.flatMap(({ deletedMessageIds }) => deletedMessageIds)).toHaveLength(3);
  });

  const failB = `exports.handler = async ({ Records }) => ({ batchItemFailures: Records
    .filter(({ body }) => body === 'b').map(({ messageId }) => ({ itemIdentifier: messageId })) });`;

  test('returns only the messages that are reported as failed', async () => {
    const mapping = await fixture(failB);
    await mapping.send('a', 'b', 'c');
    mapping.poller.start();
    await mapping.batches(1);

    expect(await contents(mapping)).toEqual({ ready: [], inFlight: ['b'], dead: [] });
  });

  test('ignores a batch response when it is not configured for one', async () => {
    const mapping = await fixture(failB, { mapping: { FunctionResponseTypes: [] } });
    await mapping.send('a', 'b', 'c');
    mapping.poller.start();
    await mapping.batches(1);

    expect(await contents(mapping)).toEqual({ ready: [], inFlight: [], dead: [] });
  });

  test.each([
    [
      'reports an id that is not of the batch',
      "exports.handler = async () => ({ batchItemFailures: [{ itemIdentifier: 'x' }] });",
      'succeeded',
    ],
    ['throws', "exports.handler = async () => { throw new Error('no'); };", 'failed'],
    ['dies', 'exports.handler = async () => process.exit(1);', 'crashed'],
    ['runs out of time', 'exports.handler = () => new Promise(() => setInterval(() => {}, 100));', 'timed-out', 1],
  ])('deletes nothing when the function %s', async (_what, handler, kind, seconds = 60) => {
    const mapping = await fixture(handler, { lambda: { Timeout: seconds } });
    await mapping.send('a', 'b');
    mapping.poller.start();
    const [batch] = await mapping.batches(1);

    expect(batch?.result.kind).toBe(kind);
    expect(batch?.deletedMessageIds).toEqual([]);
    expect(batch?.returnedMessageIds).toHaveLength(2);
    expect(await contents(mapping)).toEqual({ ready: [], inFlight: ['a', 'b'], dead: [] });
  });

  test('a message that keeps failing is moved to the dead-letter queue by SQS after maxReceiveCount receives', async () => {
    const mapping = await fixture(failB);
    await mapping.send('a', 'b');
    mapping.poller.start();
    // Without a short time-out: a cold function on a busy machine may take longer, and its messages would come twice.
    for (const receives of [1, 2]) {
      const last = (await mapping.batches(receives)).at(-1);
      const ReceiptHandle = last?.records.find(({ body }) => body === 'b')?.receiptHandle;
      const again = { QueueUrl: mapping.queue.url, ReceiptHandle, VisibilityTimeout: 0 };
      await mapping.stack.clients.sqs.send(new ChangeMessageVisibilityCommand(again));
    }
    await mapping.poller.settled();

    expect(await contents(mapping)).toEqual({ ready: [], inFlight: [], dead: ['b'] });
    const receives = mapping.ended.flatMap(({ records }) => records).filter(({ body }) => body === 'b');
    expect(receives.map(({ attributes }) => attributes.ApproximateReceiveCount)).toEqual(['1', '2']);
  });

  test('never runs more invocations at once than its maximum concurrency, and uses all of it', async () => {
    const mapping = await fixture(
      `exports.handler = async () => {
         console.log(process.hrtime.bigint() + ' 1');
         await new Promise((resolve) => setTimeout(resolve, 400));
         console.log(process.hrtime.bigint() + ' -1'); };`,
      { mapping: { BatchSize: 1, ScalingConfig: { MaximumConcurrency: 2 } } },
    );
    await mapping.send(...Array.from({ length: 6 }, String));
    mapping.poller.start();
    await mapping.poller.settled();

    // The log lines of the functions, in order of time.
    const steps = mapping.lines
      .map(({ text }) => text.split(' '))
      .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
    let running = 0;
    const concurrency = steps.map(([, step]) => (running += Number(step)));
    expect(concurrency).toHaveLength(12);
    expect(Math.max(...concurrency)).toBe(2);
  });

  test('slows down while the function fails as a whole', async () => {
    const mapping = await fixture("exports.handler = async () => { throw new Error('no'); };", {
      mapping: { BatchSize: 1, FunctionResponseTypes: [] },
    });
    await mapping.send('1', '2', '3', '4', '5');
    const begun = performance.now();
    mapping.poller.start();
    await mapping.batches(5);

    // At full speed a warm function fails five times within a few milliseconds.
    expect(performance.now() - begun).toBeGreaterThan(500);
  });

  test('takes no more than its batch size', async () => {
    const mapping = await fixture('exports.handler = async () => {};', { mapping: { BatchSize: 3 } });
    await mapping.send('1', '2', '3', '4', '5', '6', '7');
    mapping.poller.start();
    await mapping.poller.settled();

    expect(mapping.ended.map(({ records }) => records.length).toSorted((a, b) => a - b)).toEqual([1, 3, 3]);
  });

  test('waits for the batching window to fill a batch beyond one receive', async () => {
    const mapping = await fixture('exports.handler = async () => {};', {
      mapping: { BatchSize: 15, MaximumBatchingWindowInSeconds: 2 },
    });
    await mapping.send(...Array.from({ length: 10 }, String));
    mapping.poller.start();
    await mapping.send('10', '11', '12', '13', '14');
    await mapping.batches(1);

    expect(mapping.ended.map(({ records }) => records.length)).toEqual([15]);
  });

  test('keeps an event under the 6 MB of Lambda', async () => {
    const mapping = await fixture('exports.handler = async () => {};');
    for (let index = 0; index < 8; index += 1) await mapping.send('x'.repeat(1_000_000));
    mapping.poller.start();
    await mapping.poller.settled();

    expect(mapping.ended.map(({ records }) => records.length).toSorted((a, b) => a - b)).toEqual([2, 6]);
  });

  test('lets the batches in flight end when it is stopped, and receives no more', async () => {
    const mapping = await fixture(
      `exports.handler = ({ Records: [{ body }] }) => new Promise((resolve) => setTimeout(resolve, Number(body)));`,
      { mapping: { BatchSize: 1 } },
    );
    await mapping.send('200', '600', '1');
    mapping.poller.start();
    await mapping.received(2);
    await mapping.poller.stop();

    expect(new Set(mapping.ended.map(({ records: [record] }) => record?.body))).toEqual(new Set(['200', '600']));
    expect(mapping.poller.inFlight).toBe(0);
    expect(await contents(mapping)).toEqual({ ready: ['1'], inFlight: [], dead: [] });
    await expect(mapping.poller.settled()).rejects.toThrow('Mapping was stopped');
  });
});

describe('a partial batch response', () => {
  const ids = ['1', '2'];
  const failed = (response: unknown): string[] => [...batchItemFailures(response, ids).failed];

  test.each([[null], [undefined], [{}], [{ batchItemFailures: [] }], [{ batchItemFailures: null }]])(
    '%j is a complete success',
    (response) => {
      expect(failed(response)).toEqual([]);
    },
  );

  test.each([
    ['done'],
    [7],
    [[]],
    [{ batchItemFailures: 'all' }],
    [{ batchItemFailures: [{ itemIdentifier: '' }] }],
    [{ batchItemFailures: [{ itemIdentifier: null }] }],
    [{ batchItemFailures: [{ itemidentifier: '1' }] }],
    [{ batchItemFailures: [null] }],
    [{ batchItemFailures: [{ itemIdentifier: '1' }, { itemIdentifier: '3' }] }],
  ])('%j is a complete failure', (response) => {
    expect(failed(response)).toEqual(ids);
    expect(batchItemFailures(response, ids).wholeBatchReason).toBeDefined();
  });

  test('with a list of ids fails exactly those messages', () => {
    expect(failed({ batchItemFailures: [{ itemIdentifier: '2' }] })).toEqual(['2']);
  });
});
