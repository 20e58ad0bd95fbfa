/** Polls a queue and invokes a function, by the contract of Lambda's event source mapping for SQS. */
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

/** How long a receive waits for a message. A stop waits as long, so this is shorter than the 20 s of Lambda. */
const LONG_POLL_SECONDS = 1;
/** The most messages of one receive or one delete. */
const SQS_BATCH_LIMIT = 10;
const MAX_BACKOFF_MS = 5_000;
const RECEIVE_RETRY_MS = 1_000;

/** Each batch has two events: it is received, and it ends. */
export type BatchEvent =
  | { readonly kind: 'received'; readonly records: readonly SQSRecord[] }
  | {
      readonly kind: 'ended';
      readonly records: readonly SQSRecord[];
      readonly result: InvocationResult;
      readonly deletedMessageIds: readonly string[];
      readonly returnedMessageIds: readonly string[];
      /** Why all messages went back to the queue although the function succeeded. */
      readonly wholeBatchReason: string | undefined;
    };

export interface EventSourceMappingOptions {
  readonly sqs: SQSClient;
  readonly region: string;
  readonly invoke: (event: SQSEvent) => Promise<InvocationResult>;
  readonly onBatch?: (event: BatchEvent) => void;
  /** Called when SQS fails. The poller tries again. */
  readonly onError: (error: unknown) => void;
}

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

  /** Whether messages are received: as the template says, until UpdateEventSourceMapping changes it. */
  get enabled(): boolean {
    return this.#enabled;
  }

  /** Enables or disables it, as UpdateEventSourceMapping does. Messages in flight are still processed. */
  enable(isEnabled: boolean): void {
    this.#enabled = isEnabled;
    this.#changes.emit('change');
  }

  /** How many invocations run now. */
  get inFlight(): number {
    return this.#running.size;
  }

  /** Begins to poll. A second call does nothing. */
  start(): void {
    if (this.#polling !== undefined) return;
    this.#stopping = new AbortController();
    this.#aborting = new AbortController();
    this.#polling = this.#poll();
  }

  /** Stops polling, and resolves when the batches in flight have ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#polling;
    await Promise.all(this.#running);
    this.#polling = undefined;
    this.#changes.emit('change');
  }

  /** Stops and aborts an open receive. Messages of that receive stay invisible, so call it only when SQS closes too. */
  async abort(): Promise<void> {
    this.#aborting.abort();
    await this.stop();
  }

  /** Resolves when nothing is in flight and the queue is empty. Delayed retries count as messages of the queue. */
  async settled(): Promise<void> {
    for (;;) {
      if ((await this.#queueIsEmpty()) && this.#running.size === 0) return;
      if (this.#polling === undefined)
        throw new Error(
          `The event source mapping ${this.description.logicalId} was stopped before its queue was empty.`,
        );
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

  /** Waits until the function can take a batch: a message that waited here would use up its visibility timeout. */
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

  /** Lambda polls more slowly while a function fails, unless the function reports batch item failures. */
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

/** A delay that ends early on a stop. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal }).catch(() => undefined);
}
