/** Wiring only: environment -> adapters -> handler. */
import { randomUUID } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Context } from 'aws-lambda';
import { AWS_CLIENT_SETTINGS, patientClientSettings } from '../../shared/aws-client-settings.ts';
import { createBreakerRecord } from '../../shared/circuit-breaker.ts';
import { parseVariables, supervisorVariables } from '../../shared/environment.ts';
import { createLambdaHandler } from '../../shared/lambda-handler.ts';
import { createLedgerTable } from '../../shared/ledger-table.ts';
import { createLog, createMeter, createMetrics } from '../../shared/log.ts';
import { recordOperation } from '../../shared/operations.ts';
import { askForTrial, createConsumption } from './event-source.ts';
import type { SupervisionResult } from './pause-report.ts';
import { countWaitingCarts } from './waiting-carts.ts';
import { readEvent } from './supervision-event.ts';
import {
  HoldEnded,
  outcomeOf,
  pauseByHand,
  resumeByHand,
  type SupervisionDependencies,
  superviseConsumption,
} from './supervise-consumption.ts';

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
  // A trial that is repeated uses up a receive.
  const patientLambda = new LambdaClient(patientClientSettings(environment.WORKER_TIMEOUT_SECONDS));

  async function supervise(event: unknown, context: Context): Promise<SupervisionResult> {
    const request = readEvent(event ?? {});
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
    if (request.kind === 'supervise') return superviseConsumption(dependencies);
    const { kind: action, by, reason } = request;
    return recordOperation(
      { action, by, reason, requestId: context.awsRequestId, subject: 'consumption' },
      {
        act: () => (action === 'pause' ? pauseByHand(request, dependencies) : resumeByHand(dependencies)),
        outcomeOf: (result) => outcomeOf(action, result),
      },
      { table, log: dependencies.log, now, newId: dependencies.newId },
    );
  }

  return createLambdaHandler(logger, metrics, supervise);
}
