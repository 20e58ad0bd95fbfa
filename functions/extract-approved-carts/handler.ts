/** Wiring only: environment -> adapters -> handler. */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Context } from 'aws-lambda';
import { AWS_CLIENT_SETTINGS } from '../../shared/aws-client-settings.ts';
import { measureCalls } from '../../shared/call-metrics.ts';
import { createCartQueue } from '../../shared/cart-queue.ts';
import { extractorVariables, parseVariables } from '../../shared/environment.ts';
import { InterfaceError } from '../../shared/failure.ts';
import { createLambdaHandler } from '../../shared/lambda-handler.ts';
import { createLedgerTable } from '../../shared/ledger-table.ts';
import { createLog, createMeter, createMetrics, errorFields } from '../../shared/log.ts';
import { createMessageSigner, messageKeyOf } from '../../shared/message-key.ts';
import { METRICS } from '../../shared/metric-names.ts';
import { recordOperation } from '../../shared/operations.ts';
import { createRecordCopies } from '../../shared/queued-copies.ts';
import { createQueuedVersions } from '../../shared/queued-versions.ts';
import { createSrmCarts } from '../../shared/srm-carts.ts';
import { createSrmClient, srmSettings } from '../../shared/srm-client.ts';
import { withTraceparent } from '../../shared/traceparent.ts';
import { readTraces } from '../../shared/traces.ts';
import { createWatermark } from '../../shared/watermark.ts';
import {
  type ExtractionDependencies,
  type ExtractionResult,
  extractCart,
  extractNewCarts,
  extractWindow,
  outcomeOf,
} from './extract-approved-carts.ts';
import { readEvent, subjectOf } from './extraction-event.ts';

/** For one more page beside the call itself: to queue it, and to move the watermark. */
const RESERVE_MS = 5000;

/** `warmUp` fetches what the first event needs before there is one. */
export function createHandler(
  variables: Readonly<Record<string, string | undefined>>,
  { warmUp = false }: { readonly warmUp?: boolean } = {},
) {
  const environment = parseVariables(extractorVariables, variables);
  const logger = new Logger();
  const metrics = createMetrics(environment.INTERFACE_ENVIRONMENT);
  const now = Date.now;
  const table = createLedgerTable(new DynamoDBClient(AWS_CLIENT_SETTINGS), environment.TABLE_NAME);
  const secrets = new SecretsManagerClient(AWS_CLIENT_SETTINGS);
  const signer = createMessageSigner(messageKeyOf(environment, secrets, now));
  const sqs = new SQSClient(AWS_CLIENT_SETTINGS);
  const queue = createCartQueue(sqs, environment.QUEUE_URL, signer, (ms) => setTimeout(ms));
  const watermark = createWatermark(table, environment.SRM_CLIENT);
  const queuedVersions = createQueuedVersions(table, environment.SRM_CLIENT);
  const recordCopies = createRecordCopies(table, environment.SRM_CLIENT);
  const meter = createMeter(metrics);
  const onCall = measureCalls('SRM', meter, createLog(logger));
  const srmClient = createSrmClient(environment, secrets, now, onCall);
  if (warmUp) srmClient.warmUp();
  const http = withTraceparent(srmClient, variables);
  const reserveMs = environment.SRM_TIMEOUT_MS + RESERVE_MS;
  const settings = {
    sapClient: environment.SRM_CLIENT,
    firstWatermarkMs: Date.parse(environment.FIRST_WATERMARK),
    overlapMs: environment.OVERLAP_SECONDS * 1000,
    safetyMs: environment.SAFETY_SECONDS * 1000,
    leaseMs: environment.LEASE_SECONDS * 1000,
  };

  async function extract(event: unknown, context: Context): Promise<ExtractionResult> {
    // A new id for each run: Lambda repeats the request id when it repeats an invocation.
    const runId = randomUUID();
    const log = createLog(logger).with({ runId });
    const timeLeft = (): boolean => context.getRemainingTimeInMillis() > reserveMs;
    const wait = async (ms: number): Promise<boolean> => {
      if (context.getRemainingTimeInMillis() - ms < reserveMs) return false;
      await setTimeout(ms);
      return true;
    };
    const dependencies: ExtractionDependencies = {
      carts: createSrmCarts(srmSettings(environment), { http, now, wait }),
      queue,
      queuedVersions,
      recordCopies,
      tracesOf: (cart) => readTraces(table, cart),
      watermark,
      log,
      meter,
      now,
      timeLeft,
      runId,
      settings,
    };
    const request = readEvent(event);
    try {
      if (request.kind === 'normal') return await extractNewCarts(dependencies);
      const { kind: action, by, reason } = request;
      return await recordOperation(
        { action, by, reason, requestId: context.awsRequestId, ...subjectOf(request) },
        {
          act: () =>
            request.kind === 'replay-cart'
              ? extractCart(request.number, dependencies)
              : extractWindow(request.window, dependencies),
          outcomeOf,
        },
        { table, log, now, newId: randomUUID },
      );
    } catch (error) {
      const known = error instanceof InterfaceError;
      if (known && error.failureClass === 'refused') meter.count(METRICS.sourceRefused);
      meter.count(METRICS.extractionFailed);
      log.error(
        'extraction.failed',
        known ? { codes: [error.fault.code], reason: error.fault.message } : errorFields(error),
      );
      throw error;
    }
  }

  return createLambdaHandler(logger, metrics, extract);
}
