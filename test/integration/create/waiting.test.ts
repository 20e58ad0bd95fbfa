/** How long a cart has waited, over all its messages: what the log and the metric say, and what a requeued copy carries. */
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, test } from '@jest/globals';
import type { SQSMessageAttributes, SQSRecord } from 'aws-lambda';
import * as z from 'zod';
import { BODY_LIMIT_BYTES, writeCartMessage } from '../../../shared/cart-message.ts';
import { METRICS } from '../../../shared/metric-names.ts';
import { emittedMetrics } from '../emitted-metrics.ts';
import { lambdaContext } from '../fixture.ts';
import {
  always,
  answer,
  envelope,
  isCreate,
  newCart,
  setUpWorkerFixture,
  textOf,
  type Worker,
} from './worker-fixture.ts';

const fixture = await setUpWorkerFixture();

const HOUR_MS = 3_600_000;
const throttled = always(isCreate, answer(429, {}, { 'retry-after': '300' }));
const rejected = answer(422, { code: 'VALIDATION_ERROR' });

const line = z.object({ event: z.string(), waitingSince: z.iso.datetime(), requeues: z.number() });
/** What the last lines said of the waiting of carts, and the seconds that the metric got. */
function takeWaiting() {
  const output = fixture.takeOutput();
  const lines = output.filter((one) => one.includes('"waitingSince"')).map((one) => line.parse(JSON.parse(one)));
  const seconds = emittedMetrics(output).flatMap(({ name, values }) => (name === METRICS.cartWaitTime ? values : []));
  return { lines, seconds };
}

const attributes = (texts: Readonly<Record<string, string>>): SQSMessageAttributes =>
  Object.fromEntries(
    Object.entries(texts).map(([name, stringValue]) => [
      name,
      { stringValue, stringListValues: [], binaryListValues: [], dataType: 'String' },
    ]),
  );

const iso = (ms: number): string => new Date(ms).toISOString();

/** As received when SQS had taken it so long ago, with the attributes of a copy. */
function receivedAs(record: SQSRecord, sentMs: number, copied: Readonly<Record<string, string>> = {}): SQSRecord {
  return {
    ...record,
    attributes: { ...record.attributes, SentTimestamp: String(sentMs) },
    messageAttributes: { ...record.messageAttributes, ...attributes(copied) },
  };
}

/** A worker, and the record of the first receive of a cart that 11VMS throttles. */
async function throttledCart(): Promise<{ worker: Worker; record: SQSRecord }> {
  const worker = await fixture.worker();
  fixture.proxies.vms.intercept(throttled);
  await worker.send(envelope(newCart()));
  const [record] = await worker.receive();
  if (record === undefined) throw new Error('nothing was received');
  fixture.takeOutput();
  return { worker, record };
}

const sendMessageInput = z.object({
  QueueUrl: z.string(),
  MessageBody: z.string(),
  MessageAttributes: z.record(z.string(), z.object({ DataType: z.string(), StringValue: z.string() })),
});
const lastRequeue = () => {
  const call = fixture.proxies.sqs.calls.findLast(({ operation }) => operation === 'SendMessage');
  return sendMessageInput.parse(JSON.parse(call?.body ?? ''));
};
/** Queues a cart with the attributes of a copy, by the real protocol. */
async function queueCopy({ queueName }: Worker, copied: Readonly<Record<string, string>>): Promise<void> {
  const { clients, emulators } = fixture.systems;
  const MessageBody = writeCartMessage(envelope(newCart()));
  const MessageAttributes = {
    ...Object.fromEntries(
      Object.entries(copied).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
    ),
    ...fixture.systems.signed(MessageBody),
  };
  // The emulator's own answer names a host that does not resolve everywhere.
  const QueueUrl = new URL(`/000000000000/${queueName}`, emulators.endpoints.sqs).href;
  await clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageAttributes }));
}

describe('a cart that has to wait again', () => {
  test('is reported with the time since SQS took its message', async () => {
    const { worker, record } = await throttledCart();
    const sentMs = Date.now() - 2 * HOUR_MS;
    await worker.invoke([receivedAs(record, sentMs)]);
    const { lines, seconds } = takeWaiting();
    expect(lines).toEqual([{ event: 'cart.retry-scheduled', waitingSince: iso(sentMs), requeues: 0 }]);
    expect(seconds).toHaveLength(1);
    expect(seconds[0]).toBeGreaterThanOrEqual(7200);
    expect(seconds[0]).toBeLessThanOrEqual(7260);
  });

  test('is reported when 11VMS refuses us, too', async () => {
    const { worker, record } = await throttledCart();
    fixture.proxies.vms.intercept(always(isCreate, answer(403)));
    await worker.invoke([receivedAs(record, Date.now() - 2 * HOUR_MS)]);
    const { lines, seconds } = takeWaiting();
    expect(lines).toMatchObject([{ event: 'cart.refused', requeues: 0 }]);
    expect(seconds).toHaveLength(1);
    expect(seconds[0]).toBeGreaterThanOrEqual(7200);
  });

  test.each([
    ['ordered', () => fixture.calm()],
    ['dead-lettered', () => fixture.proxies.vms.intercept(always(isCreate, rejected))],
  ])('is not one that was %s: it gives no metric', async (_what, disturb) => {
    const { worker, record } = await throttledCart();
    disturb();
    await worker.invoke([receivedAs(record, Date.now() - 2 * HOUR_MS)], { handler: fixture.anotherHandler(worker) });
    expect(takeWaiting()).toEqual({ lines: [], seconds: [] });
  });

  test('may come from an event without a time: then it waits since now', async () => {
    const { worker, record } = await throttledCart();
    const bare = { ...record, attributes: { ApproximateReceiveCount: '1' } };
    const answered = await worker.handler({ Records: [bare] }, lambdaContext());
    expect(answered).toEqual({ batchItemFailures: [{ itemIdentifier: record.messageId }] });
    const { lines, seconds } = takeWaiting();
    expect(lines).toMatchObject([{ requeues: 0 }]);
    expect(seconds[0]).toBeLessThan(60);
  });
});

describe('a requeued copy', () => {
  test('carries since when its cart waits and how often it was requeued, over every further copy', async () => {
    const cart = newCart();
    const worker = await fixture.worker();
    fixture.proxies.vms.intercept(throttled);
    await worker.send(envelope(cart));
    const [first] = await worker.receive();
    const waitingSince = iso(Number(first?.attributes.SentTimestamp));
    await worker.endDelay(first === undefined ? [] : [first]);

    for (const requeues of [1, 2, 3]) {
      // The first message has been received once already.
      await worker.deliverTimes(requeues === 1 ? 2 : 3);
      fixture.takeOutput();
      expect((await worker.deliver()).failed).toEqual([]);
      expect(takeWaiting().lines).toEqual([{ event: 'cart.requeued', waitingSince, requeues }]);

      const { QueueUrl, MessageBody, MessageAttributes } = lastRequeue();
      expect(MessageBody).toBe(writeCartMessage(envelope(cart)));
      expect(MessageAttributes).toMatchObject({
        waitingSince: { DataType: 'String', StringValue: waitingSince },
        requeues: { DataType: 'Number', StringValue: String(requeues) },
      });
      // The same message without its delay.
      await fixture.systems.clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageAttributes }));
    }

    fixture.calm();
    expect(await worker.deliver({ handler: fixture.anotherHandler(worker) })).toMatchObject({ failed: [] });
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  });

  test('that a trial receives keeps its age', async () => {
    const worker = await fixture.worker();
    fixture.proxies.vms.intercept(throttled);
    const waitingSince = iso(Date.now() - 5 * HOUR_MS);
    await queueCopy(worker, { waitingSince, requeues: '7', requeuedAt: iso(Date.now()) });
    fixture.takeOutput();
    // The trial ends with its time, since a throttled cart shows nothing.
    await worker.handler(
      { trial: true },
      lambdaContext(() => 19_000),
    );
    expect(takeWaiting().lines).toContainEqual({ event: 'cart.retry-scheduled', waitingSince, requeues: 7 });
    // SQS gives only the attributes that are asked for; the emulator gives all.
    const receive = fixture.proxies.sqs.calls.findLast(({ operation }) => operation === 'ReceiveMessage');
    expect(JSON.parse(receive?.body ?? '')).toMatchObject({
      MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
      MessageAttributeNames: ['All'],
    });
  });

  test('of the largest message that is queued fits into SQS', async () => {
    const cart = newCart();
    const room = BODY_LIMIT_BYTES - Buffer.byteLength(writeCartMessage(envelope(cart)));
    const body = writeCartMessage(
      envelope({ ...cart, Description: `${textOf(cart['Description'])}${'x'.repeat(room)}` }),
    );
    expect(Buffer.byteLength(body)).toBe(BODY_LIMIT_BYTES);
    const worker = await fixture.worker();
    fixture.proxies.vms.intercept(throttled);
    await worker.send(body);
    await worker.deliverTimes(4);
    expect(await worker.requeued()).toMatchObject([{ body }]);
    expect(await worker.deadLetters()).toEqual([]);
  });

  const now = Date.now();
  const good = { waitingSince: iso(now - 5 * HOUR_MS), requeues: '7', requeuedAt: iso(now) };
  test.each<[string, Record<string, string>]>([
    ['no attribute', {}],
    ['a time that is none', { ...good, waitingSince: 'yesterday' }],
    ['a time in the future', { ...good, waitingSince: iso(now + HOUR_MS) }],
    ['a count that is none', { ...good, requeues: '-1' }],
    ['a count without an end', { ...good, requeues: '9'.repeat(400) }],
    ['no count', { waitingSince: good.waitingSince, requeuedAt: good.requeuedAt }],
    ['no time of its requeue', { waitingSince: good.waitingSince, requeues: '7' }],
    ['a time of its requeue in the future', { ...good, requeuedAt: iso(now + HOUR_MS) }],
    // A redriven dead letter keeps its attributes, but SQS queues it anew.
    ['the attributes of an earlier message', { ...good, requeuedAt: iso(now - HOUR_MS) }],
  ])('with %s waits since SQS took it, and is processed as ever', async (_what, copied) => {
    const { worker, record } = await throttledCart();
    expect((await worker.invoke([receivedAs(record, now, copied)])).failed).toEqual([record.messageId]);
    expect(takeWaiting().lines).toEqual([{ event: 'cart.retry-scheduled', waitingSince: iso(now), requeues: 0 }]);
  });

  test('with the attributes of a worker waits since its first message was queued', async () => {
    const { worker, record } = await throttledCart();
    await worker.invoke([receivedAs(record, now, good)]);
    const { waitingSince } = good;
    expect(takeWaiting().lines).toEqual([{ event: 'cart.retry-scheduled', waitingSince, requeues: 7 }]);
  });

  test('with binary attributes of a stranger is processed as ever', async () => {
    const { worker, record } = await throttledCart();
    const binary = { binaryValue: 'AP8=', stringListValues: [], binaryListValues: [], dataType: 'Binary' as const };
    await worker.invoke([
      { ...receivedAs(record, now), messageAttributes: { ...record.messageAttributes, waitingSince: binary } },
    ]);
    expect(takeWaiting().lines).toMatchObject([{ waitingSince: iso(now), requeues: 0 }]);
  });
});

test('a redriven dead letter that had been requeued waits since its redrive', async () => {
  const { worker, record } = await throttledCart();
  const longAgo = Date.now() - 24 * HOUR_MS;
  const copied = { waitingSince: iso(longAgo - 5 * HOUR_MS), requeues: '7', requeuedAt: iso(longAgo) };
  await worker.invoke([receivedAs(record, longAgo, copied)]);
  expect(takeWaiting().lines).toMatchObject([{ requeues: 7 }]);

  // SQS moves it to the dead-letter queue and, at the redrive, back, with its attributes.
  const redrivenMs = Date.now();
  await queueCopy(worker, copied);
  await worker.deliver();
  const { lines, seconds } = takeWaiting();
  expect(lines).toMatchObject([{ requeues: 0 }]);
  expect(Date.parse(lines[0]?.waitingSince ?? '')).toBeGreaterThanOrEqual(redrivenMs);
  expect(seconds[0]).toBeLessThan(60);
});
