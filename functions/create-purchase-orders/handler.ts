/** Wiring only: environment -> adapters -> handler. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Context, SQSBatchResponse } from 'aws-lambda';
import * as z from 'zod';
import { AWS_CLIENT_SETTINGS } from '../../shared/aws-client-settings.ts';
import { measureCalls } from '../../shared/call-metrics.ts';
import { createBreakerRecord, type TrialResult } from '../../shared/circuit-breaker.ts';
import {
  parseVariables,
  TRANSLATION_SETTINGS_FILE,
  VMS_FIELDS_FILE,
  workerVariables,
} from '../../shared/environment.ts';
import type { HttpClient } from '../../shared/http-client.ts';
import { createLambdaHandler } from '../../shared/lambda-handler.ts';
import { createLimit } from '../../shared/lanes.ts';
import { createLedger } from '../../shared/ledger.ts';
import { type CartKey, cartPartition } from '../../shared/ledger-keys.ts';
import { createLedgerTable } from '../../shared/ledger-table.ts';
import { createLog, createMeter, createMetrics } from '../../shared/log.ts';
import { createSignatureChecker, messageKeyOf } from '../../shared/message-key.ts';
import { readSignature } from '../../shared/message-signature.ts';
import { createSrmCarts } from '../../shared/srm-carts.ts';
import { createSrmClient, srmSettings } from '../../shared/srm-client.ts';
import { withTraceparent } from '../../shared/traceparent.ts';
import { readTraces, tracesOf } from '../../shared/traces.ts';
import type { TranslationSettings } from '../../shared/translation-settings.ts';
import { createCartMessages, type QueueMessage, systemAttributes } from './cart-messages.ts';
import { type Forecasts, forecastMessages } from './forecast.ts';
import { retryDelaySeconds } from './outcome.ts';
import { createPacedOrders } from './delivery/paced-orders.ts';
import { createPacer } from './delivery/pacer.ts';
import { tryOneMessage } from './breaker/trial.ts';
import { createTargetHealth } from './breaker/target-health.ts';
import { createVmsClient } from './delivery/vms-client.ts';
import { createVmsOrders } from './delivery/vms-orders.ts';
import { vmsSettings } from './delivery/vms-settings.ts';
import { type BatchDependencies, processBatch } from './process-batch.ts';
import { createVerdictRecord } from './verdict/verdict-record.ts';
import { createWireOrder, type WireSettings } from './translation/wire-order.ts';
import { readWaiting } from './waiting.ts';

/** The stack's variables, and the one by which Lambda says where the bundle lies. */
const processVariables = workerVariables.extend({ LAMBDA_TASK_ROOT: z.string().min(1) });

const sqsEvent = z.object({
  Records: z.array(
    z
      .object({
        messageId: z.string().min(1),
        receiptHandle: z.string().min(1),
        body: z.string(),
        attributes: systemAttributes,
        messageAttributes: z.unknown().optional(),
      })
      .transform(
        ({ attributes, messageAttributes, ...message }): QueueMessage => ({
          ...message,
          signature: readSignature(messageAttributes),
          attempt: attributes.ApproximateReceiveCount,
          waiting: readWaiting(messageAttributes, attributes.SentTimestamp ?? Date.now()),
        }),
      ),
  ),
});
/** The supervisor sends it while consumption is paused. */
const trialEvent = z.strictObject({ trial: z.literal(true) });
/** The redriver asks before dead letters go back to the queue. */
const forecastEvent = z.strictObject({
  forecast: z.array(
    z.strictObject({ messageId: z.string().min(1), body: z.string(), signature: z.string().optional() }),
  ),
});
const anyEvent = z.union([trialEvent, forecastEvent, sqsEvent]);

const LARGE_CARTS_AT_ONCE = 5;

/** For the ledger's last write and the message's visibility. */
const RESERVE_MS = 2000;

export interface HandlerOptions {
  /** Fetches what the first event needs before there is one. */
  readonly warmUp?: boolean;
  readonly now?: () => number;
}

export function createHandler(
  variables: Readonly<Record<string, string | undefined>>,
  { warmUp = false, now = Date.now }: HandlerOptions = {},
) {
  const environment = parseVariables(processVariables, variables);
  const settings = readBundled<TranslationSettings>(environment.LAMBDA_TASK_ROOT, TRANSLATION_SETTINGS_FILE);
  const fields = readBundled<WireSettings['fields']>(environment.LAMBDA_TASK_ROOT, VMS_FIELDS_FILE);
  const vms = vmsSettings(environment, fields);
  const wire = createWireOrder(vms);
  const logger = new Logger();
  const metrics = createMetrics(environment.INTERFACE_ENVIRONMENT);
  const secrets = new SecretsManagerClient(AWS_CLIENT_SETTINGS);
  const messages = createCartMessages(new SQSClient(AWS_CLIENT_SETTINGS), environment.QUEUE_URL, now);
  const signatures = createSignatureChecker(messageKeyOf(environment, secrets, now));
  const table = createLedgerTable(new DynamoDBClient(AWS_CLIENT_SETTINGS), environment.TABLE_NAME);
  const ledger = createLedger(table);
  const verdicts = createVerdictRecord(table);
  const breaker = createBreakerRecord(table);
  const health = createTargetHealth({ deadLettersPause: environment.PAUSE_FOR_DEAD_LETTERS });
  const limitLargeCarts = createLimit(LARGE_CARTS_AT_ONCE);
  const pacer = createPacer({ now, sleep: setTimeout, random: Math.random });
  const log = createLog(logger);
  const meter = createMeter(metrics);
  const srmClient = withTraceparent(
    createSrmClient(environment, secrets, now, measureCalls('SRM', meter, log)),
    variables,
  );
  const vmsClient = createVmsClient(environment, secrets, now, measureCalls('11VMS', meter, log));
  // SRM's secret and token are fetched when needed: few carts are read again from SRM.
  if (warmUp) {
    vmsClient.warmUp();
    signatures.warmUp();
  }
  // Without the queued versions, which decide nothing (other-versions.ts).
  const tracesOfCart = async (cart: CartKey) => tracesOf(await table.queryItems(cartPartition(cart), ''));
  const orders = createPacedOrders(createVmsOrders(withTraceparent(vmsClient, variables), now, vms), pacer, meter);

  async function handle(event: unknown, context: Context): Promise<SQSBatchResponse | TrialResult | Forecasts> {
    const request = anyEvent.parse(event);
    // After the last create is sent there must be time for its answer, a look-up, a probe and the reserve.
    const { VMS_TIMEOUT_MS: callMs } = environment;
    const lookUpDeadlineMs = now() + context.getRemainingTimeInMillis() - RESERVE_MS - 2 * callMs;
    const deadlineMs = lookUpDeadlineMs - callMs;
    const wait = async (ms: number): Promise<boolean> => {
      if (now() + ms > deadlineMs) return false;
      await setTimeout(ms);
      return true;
    };
    /** The calls end before the reserve even when they are sent at the last moment. */
    const srmUntil = (sendByMs: number, timeoutMs: number) => {
      const http: HttpClient = { request: (request) => srmClient.request({ ...request, sendByMs, timeoutMs }) };
      return createSrmCarts(srmSettings(environment), { http, now, wait });
    };
    const policy = { baseSeconds: environment.RETRY_BASE_SECONDS };
    const maximumAttempts = environment.MAX_RECEIVE_COUNT;
    const dependencies: BatchDependencies = {
      ledger,
      tracesOf: tracesOfCart,
      verdicts,
      isSigned: signatures.forInvocation(deadlineMs),
      breaker,
      orders,
      health,
      messages,
      carts: srmUntil(deadlineMs, 3 * callMs),
      srmProbe: srmUntil(lookUpDeadlineMs + callMs, callMs),
      log,
      meter,
      now,
      newId: randomUUID,
      random: Math.random,
      deadlineMs,
      lookUpDeadlineMs,
      leaseMs: environment.LEASE_SECONDS * 1000,
      // A create without an answer may be under way for as long as a call.
      quietMs: Math.max(retryDelaySeconds(1, policy, 0) * 1000, callMs),
      settings,
      wire,
      sapClient: environment.SRM_CLIENT,
      maximumAttempts,
      limitLargeCarts,
      policy,
      // The delay of the new message continues the doubling of the old one's delays.
      requeue: (message) => messages.requeue(message, retryDelaySeconds(maximumAttempts, policy, Math.random())),
    };
    if ('trial' in request) return tryOneMessage(dependencies);
    if ('forecast' in request) {
      const all = (cart: CartKey) => readTraces(table, cart);
      return forecastMessages(request.forecast, { ...dependencies, ledger, tracesOf: all });
    }
    const processed = await processBatch(request.Records, dependencies);
    const returned = processed.flatMap(({ returned }) => (returned === undefined ? [] : [returned]));
    return { batchItemFailures: returned.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  }

  return createLambdaHandler(logger, metrics, handle);
}

/**
 * The settings, which synth has validated. They are part of the same asset as this code, so they are not parsed again:
 * that took a quarter of the worker's start.
 */
// oxlint-disable-next-line no-unnecessary-type-parameters -- see above; test/infra holds each asset's files against the schema
function readBundled<Settings>(directory: string, file: string): Settings {
  // oxlint-disable-next-line no-unsafe-type-assertion -- the same
  return JSON.parse(readFileSync(join(directory, file), 'utf8')) as Settings;
}
