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
import { createBreakerRecord } from '../../shared/circuit-breaker.ts';
import { parseVariables, reconcilerVariables } from '../../shared/environment.ts';
import { InterfaceError } from '../../shared/failure.ts';
import { createLambdaHandler } from '../../shared/lambda-handler.ts';
import type { CartKey } from '../../shared/ledger-keys.ts';
import { createLedgerTable } from '../../shared/ledger-table.ts';
import { createLog, createMeter, createMetrics, errorFields } from '../../shared/log.ts';
import { createMessageSigner, messageKeyOf } from '../../shared/message-key.ts';
import { METRICS } from '../../shared/metric-names.ts';
import { recordOperation } from '../../shared/operations.ts';
import { createRecordCopies } from '../../shared/queued-copies.ts';
import { createSrmCarts } from '../../shared/srm-carts.ts';
import { createSrmClient, srmSettings } from '../../shared/srm-client.ts';
import { withTraceparent } from '../../shared/traceparent.ts';
import { readTraces } from '../../shared/traces.ts';
import { createWatermark } from '../../shared/watermark.ts';
import {
  type NotDue,
  outcomeOf,
  reconcileDays,
  type ReconciliationDependencies,
  type ReconciliationResult,
  reconcileWhenDue,
} from './reconcile-carts.ts';
import { readEvent } from './reconciliation-event.ts';
import { createReconciliationRecord } from './reconciliation-record.ts';

/** For one more page beside the call itself: to ask the ledger about each of its carts. */
const RESERVE_MS = 5000;

export interface HandlerOptions {
  /** Fetches what the first event needs before there is one. */
  readonly warmUp?: boolean;
  readonly now?: () => number;
}

export function createHandler(
  variables: Readonly<Record<string, string | undefined>>,
  { warmUp = false, now = Date.now }: HandlerOptions = {},
) {
  const environment = parseVariables(reconcilerVariables, variables);
  const logger = new Logger();
  const metrics = createMetrics(environment.INTERFACE_ENVIRONMENT);
  const table = createLedgerTable(new DynamoDBClient(AWS_CLIENT_SETTINGS), environment.TABLE_NAME);
  const meter = createMeter(metrics);
  const onCall = measureCalls('SRM', meter, createLog(logger));
  const secrets = new SecretsManagerClient(AWS_CLIENT_SETTINGS);
  const srmClient = createSrmClient(environment, secrets, now, onCall);
  if (warmUp) srmClient.warmUp();
  const http = withTraceparent(srmClient, variables);
  const signer = createMessageSigner(messageKeyOf(environment, secrets, now));
  const sqs = new SQSClient(AWS_CLIENT_SETTINGS);
  const adapters = {
    queue: createCartQueue(sqs, environment.QUEUE_URL, signer, (ms) => setTimeout(ms)),
    watermark: createWatermark(table, environment.SRM_CLIENT),
    tracesOf: (cart: CartKey) => readTraces(table, cart),
    recordCopies: createRecordCopies(table, environment.SRM_CLIENT),
    record: createReconciliationRecord(table, environment.SRM_CLIENT),
    breaker: createBreakerRecord(table),
  };
  const reserveMs = environment.SRM_TIMEOUT_MS + RESERVE_MS;
  const settings = {
    sapClient: environment.SRM_CLIENT,
    firstWatermarkMs: Date.parse(environment.FIRST_WATERMARK),
    days: environment.RECONCILIATION_DAYS,
  };

  async function reconcile(event: unknown, context: Context): Promise<ReconciliationResult | NotDue> {
    // A new id for each run: Lambda repeats the request id when it repeats an invocation.
    const runId = randomUUID();
    const log = createLog(logger).with({ runId });
    const wait = async (ms: number): Promise<boolean> => {
      if (context.getRemainingTimeInMillis() - ms < reserveMs) return false;
      await setTimeout(ms);
      return true;
    };
    const dependencies: ReconciliationDependencies = {
      ...adapters,
      carts: createSrmCarts(srmSettings(environment), { http, now, wait }),
      log,
      meter,
      now,
      timeLeft: () => context.getRemainingTimeInMillis() > reserveMs,
      runId,
      settings,
    };
    const request = readEvent(event);
    try {
      if (request.days === undefined) return await reconcileWhenDue(dependencies);
      const { by, reason, days } = request;
      return await recordOperation(
        { action: 'reconcile', by, reason, requestId: context.awsRequestId, subject: `carts of the last ${days} days` },
        { act: () => reconcileDays(request, dependencies), outcomeOf },
        { table, log, now, newId: randomUUID },
      );
    } catch (error) {
      const known = error instanceof InterfaceError;
      if (known && error.failureClass === 'refused') meter.count(METRICS.sourceRefused);
      // No metric of its own: Lambda counts what is thrown, and an alarm watches that a reconciliation completes.
      log.error(
        'reconciliation.failed',
        known ? { codes: [error.fault.code], reason: error.fault.message } : errorFields(error),
      );
      throw error;
    }
  }

  return createLambdaHandler(logger, metrics, reconcile);
}
