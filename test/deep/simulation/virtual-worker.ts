/**
 * The worker in virtual time: the real use case with a queue that has the rules of SQS, a ledger in memory, and an 11VMS of
 * the caller. Only the adapters to AWS and to the network are simulated.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { retryDelaySeconds } from '../../../functions/create-purchase-orders/outcome.ts';
import { createWireOrder } from '../../../functions/create-purchase-orders/translation/wire-order.ts';
import { createPacedOrders } from '../../../functions/create-purchase-orders/delivery/paced-orders.ts';
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

const NO_CART = { cart: () => Promise.reject(new Error('the simulation reads no cart from SRM')) };

/** The queue message of a cart. Carts differ only in number and GUID. */
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
  /** The environment whose time-outs and delays are used. */
  readonly landscape: Pick<Environment, 'delivery' | 'vms'>;
  readonly doubledShare: number;
  readonly onMetric?: (name: string, value: number) => void;
}

/** Makes the dependencies of an invocation at its start. */
export type ExecutionEnvironment = () => BatchDependencies;

export function createVirtualWorker({ time, random, landscape, doubledShare, onMetric }: VirtualWorkerOptions) {
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
    count(name, value = 1) {
      counts.set(name, (counts.get(name) ?? 0) + value);
      onMetric?.(name, value);
    },
    milliseconds: () => undefined,
    seconds: (name, value) => onMetric?.(name, value),
  };
  const log: Log = { info: () => undefined, warn: () => undefined, error: () => undefined, with: () => log };
  let ids = 0;
  const newId = (): string => `id-${++ids}`;
  const policy = { baseSeconds: delivery.retryBaseSeconds };

  /** One execution environment, with its own health and pacer. */
  function environment(http: HttpClient): ExecutionEnvironment {
    const health = createTargetHealth({ deadLettersPause: true });
    const orders = createPacedOrders(createVmsOrders(http, now, target), createPacer({ now, sleep, random }), meter);
    // As in the handler of the worker.
    const callMs = target.timeoutSeconds * 1000;
    const workMs = delivery.timeoutSeconds * 1000 - 2000;
    return () => ({
      ledger,
      // Each cart has one version.
      tracesOf: async () => [],
      verdicts,
      isSigned: async () => true,
      breaker,
      orders,
      health,
      messages: queue,
      quietMs: Math.max(retryDelaySeconds(1, policy, 0) * 1000, callMs),
      carts: NO_CART,
      srmProbe: NO_CART,
      limitLargeCarts: (work) => work(),
      log,
      meter,
      now,
      newId,
      random,
      deadlineMs: now() + workMs - 3 * callMs,
      lookUpDeadlineMs: now() + workMs - 2 * callMs,
      leaseMs: (delivery.timeoutSeconds + 5) * 1000,
      settings,
      wire: createWireOrder(target),
      sapClient: '100',
      maximumAttempts: MAX_RECEIVE_COUNT,
      policy,
      requeue: (message) => queue.requeue(message, retryDelaySeconds(MAX_RECEIVE_COUNT, policy, random())),
    });
  }

  const invocationsMs: number[] = [];
  async function invocation<Result>(work: () => Promise<Result>): Promise<Result> {
    const began = now();
    const result = await work();
    invocationsMs.push(now() - began);
    return result;
  }

  /** Processes one batch after the other and deletes finished messages, as the event source mapping does. */
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
