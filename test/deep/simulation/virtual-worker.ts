/**
 * The worker in virtual time: its real use case, between a queue with SQS's rules, a ledger in memory and whatever 11VMS
 * a world puts there. Only the adapters to AWS and the network are played.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { retryDelaySeconds } from '../../../functions/create-purchase-orders/outcome.ts';
import { createPacer } from '../../../functions/create-purchase-orders/delivery/pacer.ts';
import { createTargetHealth } from '../../../functions/create-purchase-orders/breaker/target-health.ts';
import { createVmsOrders } from '../../../functions/create-purchase-orders/delivery/vms-orders.ts';
import { type BatchDependencies, processBatch } from '../../../functions/create-purchase-orders/process-batch.ts';
import { MAX_RECEIVE_COUNT } from '../../../infra/constructs/cart-channel.ts';
import { type Environment, loadEnvironment } from '../../../infra/environments.ts';
import { writeCartMessage } from '../../../shared/cart-message.ts';
import type { HttpClient } from '../../../shared/http-client.ts';
import type { Log, Meter } from '../../../shared/log.ts';
import { createMemoryBreaker, createMemoryLedger, createMemoryVerdicts } from './memory-table.ts';
import { createVirtualQueue } from './virtual-sqs.ts';
import type { VirtualTime } from './virtual-time.ts';

const { results } = z
  .object({ d: z.object({ results: z.array(z.record(z.string(), z.unknown())) }) })
  .transform(({ d }) => d)
  .parse(
    JSON.parse(
      readFileSync(join(import.meta.dirname, '../../../shared/contract/samples/srm7-shopping-carts.json'), 'utf8'),
    ),
  );
const [sample = {}] = results;

/** The queue message of a cart that differs from others in its names only. */
export function cartBody(number: string): string {
  const guid = `005056a5-09b3-1ee1-bee5-${number.padStart(12, '0')}`;
  return writeCartMessage({
    schemaVersion: 1,
    runId: 'run',
    correlationId: `c-${number}`,
    client: '100',
    cart: { number, guid },
    source: { ...sample, Guid: guid, ObjectId: number },
  });
}

export interface VirtualWorkerOptions {
  readonly time: VirtualTime;
  readonly random: () => number;
  /** Whose time-outs and delays hold. */
  readonly landscape: Pick<Environment, 'delivery' | 'vms'>;
  readonly doubledShare: number;
}

/** What the dependencies of an invocation are, from its start on. */
export type ExecutionEnvironment = () => BatchDependencies;

export function createVirtualWorker({ time, random, landscape, doubledShare }: VirtualWorkerOptions) {
  const { delivery, vms: target } = landscape;
  const { translation: settings } = loadEnvironment('local');
  const { now, sleep } = time;
  const queue = createVirtualQueue({
    time,
    random,
    visibilityTimeoutMs: 6 * delivery.timeoutSeconds * 1000,
    maxReceiveCount: MAX_RECEIVE_COUNT,
    doubledShare,
  });
  const ledger = createMemoryLedger();
  const verdicts = createMemoryVerdicts();
  const breaker = createMemoryBreaker();
  const counts = new Map<string, number>();
  const meter: Meter = {
    count: (name, value = 1) => counts.set(name, (counts.get(name) ?? 0) + value),
    milliseconds: () => undefined,
  };
  const log: Log = { info: () => undefined, warn: () => undefined, error: () => undefined, with: () => log };
  let ids = 0;
  const newId = (): string => `id-${++ids}`;
  const policy = { baseSeconds: delivery.retryBaseSeconds };

  /** One execution environment: its own health and pace. */
  function environment(http: HttpClient): ExecutionEnvironment {
    const [health, pacer] = [createTargetHealth(), createPacer({ now, sleep, random })];
    // As in the worker's handler.
    const callMs = target.timeoutSeconds * 1000;
    const workMs = delivery.timeoutSeconds * 1000 - 2000;
    return () => ({
      ledger,
      verdicts,
      breaker,
      orders: createVmsOrders(http, now),
      pacer,
      health,
      messages: queue,
      quietMs: retryDelaySeconds(1, policy, 0) * 1000,
      carts: { cart: () => Promise.reject(new Error('no cart is read again here')) },
      log,
      meter,
      now,
      newId,
      random,
      deadlineMs: now() + workMs - 3 * callMs,
      lookUpDeadlineMs: now() + workMs - 2 * callMs,
      leaseMs: (delivery.timeoutSeconds + 5) * 1000,
      settings,
      sapClient: '100',
      maximumAttempts: MAX_RECEIVE_COUNT,
      policy,
      requeue: (body) => queue.requeue(body, retryDelaySeconds(MAX_RECEIVE_COUNT, policy, random())),
    });
  }

  const invocationsMs: number[] = [];
  async function invocation<Result>(work: () => Promise<Result>): Promise<Result> {
    const began = now();
    const result = await work();
    invocationsMs.push(now() - began);
    return result;
  }

  /** As the event source mapping does: one batch after the other, and what is done with is deleted. */
  async function poll(dependencies: ExecutionEnvironment, pollMs: number, isEnabled = () => true): Promise<void> {
    for (;;) {
      const batch = isEnabled() ? queue.receive(delivery.batchSize) : [];
      if (batch.length === 0) {
        await sleep(pollMs);
        continue;
      }
      const processed = await invocation(() => processBatch(batch, dependencies()));
      for (const { message, returned } of processed) if (returned === undefined) await queue.remove(message);
    }
  }

  return { queue, verdicts, breaker, counts, meter, log, newId, invocationsMs, environment, invocation, poll };
}
