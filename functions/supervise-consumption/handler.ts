/** Wiring only: environment -> adapters -> middy. */
import { randomUUID } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { AWS_CLIENT_SETTINGS } from '../../shared/aws-client-settings.ts';
import { createBreakerRecord } from '../../shared/circuit-breaker.ts';
import { parseVariables, supervisorVariables } from '../../shared/environment.ts';
import { createLedgerTable } from '../../shared/ledger-table.ts';
import { createLog, createMeter, createMetrics } from '../../shared/log.ts';
import { askForTrial, createConsumption } from './event-source.ts';
import {
  pauseByHand,
  resumeByHand,
  type SupervisionDependencies,
  type SupervisionResult,
  superviseConsumption,
} from './supervise-consumption.ts';

/** A person's request, from the console or a shell. The schedule's notification and an empty event request nothing. */
const eventSchema = z.union([
  z.strictObject({
    consumption: z.enum(['pause', 'resume']),
    /** For the next reader of the state: who, and why. */
    reason: z.string().max(200).default('paused by hand'),
  }),
  z.looseObject({ source: z.literal('aws.scheduler'), consumption: z.undefined().optional() }),
  z.strictObject({ consumption: z.undefined().optional() }),
]);

const CLOCK_DIFFERENCE_MS = 5000;

export function createHandler(variables: Readonly<Record<string, string | undefined>>) {
  const environment = parseVariables(supervisorVariables, variables);
  const logger = new Logger();
  const metrics = createMetrics(environment.INTERFACE_ENVIRONMENT);
  const table = createLedgerTable(new DynamoDBClient(AWS_CLIENT_SETTINGS), environment.TABLE_NAME);
  const breaker = createBreakerRecord(table);
  const consumption = createConsumption(new LambdaClient(AWS_CLIENT_SETTINGS), environment.EVENT_SOURCE_MAPPING);
  // The worker may take its whole time for a trial. A trial is not repeated, since it uses up a receive.
  const patientLambda = new LambdaClient({
    requestHandler: {
      ...AWS_CLIENT_SETTINGS.requestHandler,
      requestTimeout: environment.WORKER_TIMEOUT_SECONDS * 1000 + 5000,
    },
    maxAttempts: 1,
  });

  async function supervise(event: unknown, context: Context): Promise<SupervisionResult> {
    const parsed = eventSchema.safeParse(event ?? {});
    if (!parsed.success) {
      throw new Error(
        'The event must be { "consumption": "pause" | "resume", "reason"? }, or empty: nothing was changed.',
      );
    }
    const dependencies: SupervisionDependencies = {
      breaker,
      consumption,
      trial: () => askForTrial(patientLambda, environment.WORKER_FUNCTION),
      log: createLog(logger),
      meter: createMeter(metrics),
      now: Date.now,
      newId: randomUUID,
      // This invocation ends with its time-out, by a clock that may differ from the clock of another host.
      leaseMs: context.getRemainingTimeInMillis() + CLOCK_DIFFERENCE_MS,
      firstTrialDelayMs: 2 * environment.RETRY_BASE_SECONDS * 1000,
    };
    const request = parsed.data;
    if (request.consumption === 'pause') return pauseByHand(request.reason, dependencies);
    if (request.consumption === 'resume') return resumeByHand(dependencies);
    return superviseConsumption(dependencies);
  }

  return middy<unknown, SupervisionResult>()
    .use(injectLambdaContext(logger, { logEvent: false }))
    .use(logMetrics(metrics))
    .handler(supervise);
}
