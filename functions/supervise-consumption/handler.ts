/** Wiring only: environment -> adapters -> handler. */
import { randomUUID } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { AWS_CLIENT_SETTINGS } from '../../shared/aws-client-settings.ts';
import { createBreakerRecord } from '../../shared/circuit-breaker.ts';
import { parseVariables, supervisorVariables } from '../../shared/environment.ts';
import { createLambdaHandler } from '../../shared/lambda-handler.ts';
import { createLedgerTable } from '../../shared/ledger-table.ts';
import { createLog, createMeter, createMetrics } from '../../shared/log.ts';
import { askForTrial, createConsumption } from './event-source.ts';
import type { SupervisionResult } from './pause-report.ts';
import { countWaitingCarts } from './waiting-carts.ts';
import {
  HoldEnded,
  pauseByHand,
  resumeByHand,
  type SupervisionDependencies,
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

export function createHandler(
  variables: Readonly<Record<string, string | undefined>>,
  { now = Date.now }: { readonly now?: () => number } = {},
) {
  const environment = parseVariables(supervisorVariables, variables);
  const logger = new Logger();
  const metrics = createMetrics(environment.INTERFACE_ENVIRONMENT);
  const table = createLedgerTable(new DynamoDBClient(AWS_CLIENT_SETTINGS), environment.TABLE_NAME);
  const breaker = createBreakerRecord(table);
  const lambda = new LambdaClient(AWS_CLIENT_SETTINGS);
  const sqs = new SQSClient(AWS_CLIENT_SETTINGS);
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
    const remainingMs = context.getRemainingTimeInMillis();
    const deadlineMs = now() + remainingMs;
    const assertHeld = (): void => {
      if (now() > deadlineMs) throw new HoldEnded();
    };
    const dependencies: SupervisionDependencies = {
      breaker,
      consumption: createConsumption(lambda, environment.EVENT_SOURCE_MAPPING, assertHeld),
      trial: () => askForTrial(patientLambda, environment.WORKER_FUNCTION),
      countWaitingCarts: () => countWaitingCarts(sqs, environment.QUEUE_URL),
      log: createLog(logger),
      meter: createMeter(metrics),
      now,
      newId: randomUUID,
      // This invocation ends with its time-out, by a clock that may differ from the clock of another host.
      leaseMs: remainingMs + CLOCK_DIFFERENCE_MS,
      assertHeld,
      firstTrialDelayMs: 2 * environment.RETRY_BASE_SECONDS * 1000,
    };
    const request = parsed.data;
    if (request.consumption === 'pause') return pauseByHand(request.reason, dependencies);
    if (request.consumption === 'resume') return resumeByHand(dependencies);
    return superviseConsumption(dependencies);
  }

  return createLambdaHandler(logger, metrics, supervise);
}
