/** The poller between a queue and a function: it keeps the contract of Lambda's event source mapping for SQS. */
import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { InvocationResult } from './execution-environment.ts';
import type { MappingDescription } from './provision.ts';
import { type BatchFailures, batchItemFailures, messageToRecord, splitByPayload } from './sqs-event.ts';

/** How long a receive waits for a message: a stop waits as long, and Lambda's own 20 s would gain nothing here. */
const LONG_POLL_SECONDS = 1;
/** Most that one receive or one delete takes. */
const SQS_BATCH_LIMIT = 10;
const MAX_BACKOFF_MS = 5_000;
const RECEIVE_RETRY_MS = 1_000;

/** A batch on its way: first received, then ended, with what was deleted and what went back to the queue. */
export type BatchEvent =
  | { readonly kind: 'received'; readonly records: readonly SQSRecord[] }
  | {
      readonly kind: 'ended';
      readonly records: readonly SQSRecord[];
      readonly result: InvocationResult;
      readonly deletedMessageIds: readonly string[];
      readonly returnedMessageIds: readonly string[];
      /** Why all went back although the function succeeded. */
      readonly wholeBatchReason: string | undefined;
    };

/** What a mapping works with. */
export interface EventSourceMappingOptions {
  readonly sqs: SQSClient;
  readonly region: string;
  readonly invoke: (event: SQSEvent) => Promise<InvocationResult>;
  readonly onBatch?: (event: BatchEvent) => void;
  /** A failing queue; the poller goes on trying. */
  readonly onError: (error: unknown) => void;
}

/** Polls one queue for one function. */
export class EventSourceMapping {
  readonly description: MappingDescription;
  readonly #options: EventSourceMappingOptions;
  readonly #running = new Set<Promise<void>>();
  readonly #changes = new EventEmitter().setMaxListeners(0);
  #polling: Promise<void> | undefined;
  #stopping = new AbortController();
  #aborting = new AbortController();
  #failuresInARow = 0;
  #enabled: boolean;

  constructor(description: MappingDescription, options: EventSourceMappingOptions) {
    this.description = description;
    this.#options = options;
    this.#enabled = description.enabled;
  }

  /** Whether it receives messages while it polls: as the template says, until somebody switches it. */
  get enabled(): boolean {
    return this.#enabled;
  }

  /** Switches it as UpdateEventSourceMapping does: what is in flight ends, the rest waits on the queue. */
  enable(isEnabled: boolean): void {
    this.#enabled = isEnabled;
    this.#changes.emit('change');
  }

  /** How many invocations are under way. */
  get inFlight(): number {
    return this.#running.size;
  }

  /** Begins to poll; nothing happens when it already does. */
  start(): void {
    if (this.#polling !== undefined) return;
    this.#stopping = new AbortController();
    this.#aborting = new AbortController();
    this.#polling = this.#poll();
  }

  /** Stops polling, and lets what was received end; done when nothing is in flight. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#polling;
    await Promise.all(this.#running);
    this.#polling = undefined;
    this.#changes.emit('change');
  }

  /** Stops without waiting for an open receive, whose messages would be lost to sight: only before SQS itself closes. */
  async abort(): Promise<void> {
    this.#aborting.abort();
    await this.stop();
  }

  /** Resolves when nothing is in flight and the queue is empty, retries under their delay included. */
  async settled(): Promise<void> {
    for (;;) {
      if ((await this.#queueIsEmpty()) && this.#running.size === 0) return;
      if (this.#polling === undefined)
        throw new Error(`${this.description.logicalId} is stopped, and its queue is not empty.`);
      await once(this.#changes, 'change');
    }
  }

  async #poll(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#freeSlot();
        while (!this.#enabled && !signal.aborted)
          await once(this.#changes, 'change', { signal }).catch(() => undefined);
        if (signal.aborted) return;
        const records = await this.#receiveBatch();
        for (const part of splitByPayload(records)) {
          await this.#freeSlot();
          this.#dispatch(part);
        }
        if (records.length === 0) this.#changes.emit('change');
        await this.#backOff();
      } catch (error) {
        if (signal.aborted) return;
        this.#options.onError(error);
        await pause(RECEIVE_RETRY_MS, signal);
      }
    }
  }

  /** A message is received only when it can be worked on: one that waits here would burn its visibility timeout. */
  async #freeSlot(): Promise<void> {
    while (this.#running.size >= this.description.maximumConcurrency) await Promise.race(this.#running);
  }

  async #receiveBatch(): Promise<SQSRecord[]> {
    const { batchSize, batchingWindowMs } = this.description;
    const records = await this.#receive(Math.min(batchSize, SQS_BATCH_LIMIT), LONG_POLL_SECONDS);
    const windowEnd = Date.now() + batchingWindowMs;
    while (records.length > 0 && records.length < batchSize && !this.#stopping.signal.aborted) {
      const leftMs = windowEnd - Date.now();
      if (leftMs <= 0) break;
      // SQS waits in whole seconds.
      const more = await this.#receive(
        Math.min(batchSize - records.length, SQS_BATCH_LIMIT),
        Math.floor(leftMs / 1000),
      );
      if (more.length === 0 && leftMs < 1000) await pause(leftMs, this.#stopping.signal);
      records.push(...more);
    }
    return records;
  }

  async #receive(maximum: number, waitSeconds: number): Promise<SQSRecord[]> {
    const { Messages: messages = [] } = await this.#options.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: this.description.queue.url,
        MaxNumberOfMessages: maximum,
        WaitTimeSeconds: Math.min(waitSeconds, LONG_POLL_SECONDS),
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
      { abortSignal: this.#aborting.signal },
    );
    return messages.map((message) => messageToRecord(message, this.description.queue.arn, this.#options.region));
  }

  #dispatch(records: readonly SQSRecord[]): void {
    const batch = this.#process(records)
      .catch((error: unknown) => this.#options.onError(error))
      .finally(() => {
        this.#running.delete(batch);
        this.#changes.emit('change');
      });
    this.#running.add(batch);
  }

  async #process(records: readonly SQSRecord[]): Promise<void> {
    this.#options.onBatch?.({ kind: 'received', records });
    const result = await this.#options.invoke({ Records: [...records] });
    const { failed, wholeBatchReason } = this.#failures(records, result);
    this.#failuresInARow = result.kind === 'succeeded' ? 0 : this.#failuresInARow + 1;
    const done = records.filter(({ messageId }) => !failed.has(messageId));
    await this.#delete(done);
    this.#options.onBatch?.({
      kind: 'ended',
      records,
      result,
      deletedMessageIds: done.map(({ messageId }) => messageId),
      returnedMessageIds: [...failed],
      wholeBatchReason,
    });
  }

  #failures(records: readonly SQSRecord[], result: InvocationResult): BatchFailures {
    const ids = records.map(({ messageId }) => messageId);
    if (result.kind !== 'succeeded') return { failed: new Set(ids), wholeBatchReason: undefined };
    if (!this.description.reportsBatchItemFailures) return { failed: new Set(), wholeBatchReason: undefined };
    return batchItemFailures(result.payload, ids);
  }

  async #delete(records: readonly SQSRecord[]): Promise<void> {
    for (let start = 0; start < records.length; start += SQS_BATCH_LIMIT) {
      const { Failed: failed = [] } = await this.#options.sqs.send(
        new DeleteMessageBatchCommand({
          QueueUrl: this.description.queue.url,
          Entries: records
            .slice(start, start + SQS_BATCH_LIMIT)
            .map(({ receiptHandle }, index) => ({ Id: String(index), ReceiptHandle: receiptHandle })),
        }),
      );
      if (failed.length > 0) throw new Error(`SQS did not delete ${failed.length} messages: ${JSON.stringify(failed)}`);
    }
  }

  /** Lambda slows down while a function fails, but not where it reports its failures by message. */
  async #backOff(): Promise<void> {
    if (this.#failuresInARow === 0 || this.description.reportsBatchItemFailures) return;
    await pause(Math.min(100 * 2 ** this.#failuresInARow, MAX_BACKOFF_MS), this.#stopping.signal);
  }

  async #queueIsEmpty(): Promise<boolean> {
    const { Attributes: attributes = {} } = await this.#options.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: this.description.queue.url, AttributeNames: ['All'] }),
    );
    const { ApproximateNumberOfMessages, ApproximateNumberOfMessagesDelayed, ApproximateNumberOfMessagesNotVisible } =
      attributes;
    return [
      ApproximateNumberOfMessages,
      ApproximateNumberOfMessagesDelayed,
      ApproximateNumberOfMessagesNotVisible,
    ].every((count) => count === '0');
  }
}

/** A delay that a stop cuts short. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal }).catch(() => undefined);
}
