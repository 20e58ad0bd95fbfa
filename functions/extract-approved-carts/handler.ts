/** Wiring only: environment -> adapters -> middy. */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { AWS_CLIENT_SETTINGS } from '../../shared/aws-client-settings.ts';
import { extractorVariables, parseVariables } from '../../shared/environment.ts';
import { InterfaceError } from '../../shared/failure.ts';
import { createLog, createMeter, errorFields } from '../../shared/log.ts';
import { METRICS } from '../../shared/metric-names.ts';
import { createSrmCarts } from '../../shared/srm-carts.ts';
import { createSrmClient, srmSettings } from '../../shared/srm-client.ts';
import { createWatermark } from '../../shared/watermark.ts';
import { createCartQueue } from './cart-queue.ts';
import {
  type ExtractionDependencies,
  type ExtractionResult,
  extractNewCarts,
  extractWindow,
} from './extract-approved-carts.ts';

const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

/** The schedule's event asks for what is new; an operator's names a window. */
const replay = z
  .strictObject({ changedFrom: instant, changedTo: instant })
  .refine(({ changedFrom, changedTo }) => changedFrom < changedTo, 'changedFrom must be before changedTo');

/** What one more page may need at worst: reading it, queueing it, and moving the watermark. */
const RESERVE_MS = 20_000;

export function createHandler(variables: Readonly<Record<string, string | undefined>>) {
  const environment = parseVariables(extractorVariables, variables);
  const logger = new Logger();
  const metrics = new Metrics({ defaultDimensions: { environment: environment.INTERFACE_ENVIRONMENT } });
  const now = Date.now;
  const dynamodb = new DynamoDBClient(AWS_CLIENT_SETTINGS);
  const queue = createCartQueue(new SQSClient(AWS_CLIENT_SETTINGS), environment.QUEUE_URL, (ms) => setTimeout(ms));
  const watermark = createWatermark(dynamodb, environment.TABLE_NAME, environment.SRM_CLIENT);
  const http = createSrmClient(environment, new SecretsManagerClient(AWS_CLIENT_SETTINGS), now);
  const settings = {
    sapClient: environment.SRM_CLIENT,
    firstWatermarkMs: Date.parse(environment.FIRST_WATERMARK),
    overlapMs: environment.OVERLAP_SECONDS * 1000,
    safetyMs: environment.SAFETY_SECONDS * 1000,
    leaseMs: environment.LEASE_SECONDS * 1000,
  };

  async function extract(event: unknown, context: Context): Promise<ExtractionResult> {
    // A run of its own each time: Lambda repeats the request id when it repeats an invocation.
    const runId = randomUUID();
    const log = createLog(logger).with({ runId });
    const meter = createMeter(metrics);
    const timeLeft = (): boolean => context.getRemainingTimeInMillis() > RESERVE_MS;
    const wait = async (ms: number): Promise<boolean> => {
      if (context.getRemainingTimeInMillis() - ms < RESERVE_MS) return false;
      await setTimeout(ms);
      return true;
    };
    const dependencies: ExtractionDependencies = {
      carts: createSrmCarts(srmSettings(environment), { http, now, wait }),
      queue,
      watermark,
      log,
      meter,
      now,
      timeLeft,
      runId,
      settings,
    };
    try {
      const window = windowOf(event);
      if (window === undefined) return await extractNewCarts(dependencies);
      return await extractWindow(window, dependencies);
    } catch (error) {
      meter.count(METRICS.extractionFailed);
      const known = error instanceof InterfaceError;
      log.error('Extraction failed; the next run reads the same window again', {
        ...(known ? { codes: [error.fault.code], reason: error.fault.message } : errorFields(error)),
      });
      throw error;
    }
  }

  return middy<unknown, ExtractionResult>()
    .use(injectLambdaContext(logger, { logEvent: false }))
    .use(logMetrics(metrics))
    .handler(extract);
}

/** @throws {Error} for an event that names a window badly: what, where, and how it should look. */
function windowOf(event: unknown): { fromMs: number; toMs: number } | undefined {
  const named = typeof event === 'object' && event !== null && ('changedFrom' in event || 'changedTo' in event);
  if (!named) return undefined;
  const parsed = replay.safeParse(event);
  if (parsed.success) return { fromMs: parsed.data.changedFrom, toMs: parsed.data.changedTo };
  throw new Error(
    `The event must be { "changedFrom", "changedTo" } in RFC 3339, or empty: ${z.prettifyError(parsed.error)}`,
  );
}
