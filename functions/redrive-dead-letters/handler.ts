/** Wiring only: environment -> adapters -> handler. */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Context } from 'aws-lambda';
import { AWS_CLIENT_SETTINGS, patientClientSettings } from '../../shared/aws-client-settings.ts';
import { createBreakerRecord } from '../../shared/circuit-breaker.ts';
import { parseVariables, redriverVariables } from '../../shared/environment.ts';
import { createLambdaHandler } from '../../shared/lambda-handler.ts';
import type { CartKey } from '../../shared/ledger-keys.ts';
import { createLedgerTable } from '../../shared/ledger-table.ts';
import { createLog, createMeter, createMetrics } from '../../shared/log.ts';
import { type OperationRequest, recordOperation } from '../../shared/operations.ts';
import { readTraces } from '../../shared/traces.ts';
import { createCartSender } from './cart-sender.ts';
import { type ClosingResult, closeDeadLetters } from './close-dead-letters.ts';
import { createDeadLetterQueue } from './dead-letter-queue.ts';
import { type DeadLetterList, listDeadLetters } from './list-dead-letters.ts';
import { createMoveTasks } from './move-tasks.ts';
import { createPlanRecord } from './plan-record.ts';
import { planRedrive, type ShownPlan } from './plan-redrive.ts';
import { approveRedrive, redrive, refuseWhileUnsafe, type RedriveResult } from './redrive.ts';
import { cancelRedriveAll, redriveAll, type RedriveAllResult, refuseWhileClosed } from './redrive-all.ts';
import { readEvent } from './redrive-event.ts';
import { createRedriveRecord } from './redrive-record.ts';
import { createAskForecasts } from './worker-forecast.ts';

export interface HandlerOptions {
  readonly now?: () => number;
  readonly wait?: (ms: number) => Promise<unknown>;
}

interface Recorded {
  readonly status: 'complete';
  readonly summary: string;
}
/** What each act answers. */
interface Done {
  readonly status: string;
  readonly summary: string;
  readonly cartNumbers?: readonly string[];
}
type Answer = DeadLetterList | ShownPlan | RedriveResult | ClosingResult | RedriveAllResult | Recorded;

export function createHandler(
  variables: Readonly<Record<string, string | undefined>>,
  { now = Date.now, wait = setTimeout }: HandlerOptions = {},
) {
  const environment = parseVariables(redriverVariables, variables);
  const logger = new Logger();
  const metrics = createMetrics(environment.INTERFACE_ENVIRONMENT);
  const sqs = new SQSClient(AWS_CLIENT_SETTINGS);
  const table = createLedgerTable(new DynamoDBClient(AWS_CLIENT_SETTINGS), environment.TABLE_NAME);
  const patientLambda = new LambdaClient(patientClientSettings(environment.WORKER_TIMEOUT_SECONDS));
  const plans = createPlanRecord(table);
  const adapters = {
    deadLetters: createDeadLetterQueue(sqs, environment.DEAD_LETTER_QUEUE_URL),
    cartQueue: createCartSender(sqs, environment.QUEUE_URL),
    moveTasks: createMoveTasks(sqs, environment.DEAD_LETTER_QUEUE_ARN),
    record: createRedriveRecord(table),
    plans,
    breaker: createBreakerRecord(table),
    tracesOf: (cart: CartKey) => readTraces(table, cart),
    askForecasts: createAskForecasts(patientLambda, environment.WORKER_FUNCTION),
    sapClient: environment.SRM_CLIENT,
  };

  async function operate(event: unknown, context: Context): Promise<Answer> {
    const request = readEvent(event);
    const log = createLog(logger);
    const dependencies = {
      ...adapters,
      log,
      meter: createMeter(metrics),
      now,
      wait,
      timeLeftMs: () => context.getRemainingTimeInMillis(),
    };
    /** The operation's item and its log line say who, why, what, and what came of it. */
    const recorded = <Result extends Done>(
      operation: Omit<OperationRequest, 'requestId'>,
      act: () => Promise<Result>,
    ): Promise<Result> =>
      recordOperation(
        { ...operation, requestId: context.awsRequestId },
        {
          act,
          outcomeOf: ({ status, summary, cartNumbers }) => ({
            result: status === 'stopped' || status === 'partly' ? 'stopped' : 'done',
            summary,
            ...(cartNumbers && { cartNumbers }),
          }),
        },
        { table, log, now, newId: randomUUID },
      );

    if ('list' in request) return listDeadLetters(dependencies);
    if ('plan' in request) return planRedrive(request.plan, dependencies);
    if ('redrive' in request) {
      const { by, reason, planHash } = request.redrive;
      const plan = await approveRedrive(request.redrive, dependencies);
      const moving = plan.messages.filter(({ moves }) => moves);
      const operation = {
        action: 'redrive' as const,
        by,
        reason,
        subject: `${countOf(moving)}, plan ${planHash}`,
        messageIds: moving.map(({ messageId }) => messageId),
        cartNumbers: moving.flatMap(({ number }) => number ?? []),
      };
      return recorded(operation, () => redrive(plan, { by, reason }, dependencies));
    }
    if ('close' in request) {
      const { by, reason, messageIds } = request.close;
      const subject = countOf(messageIds);
      return recorded({ action: 'close', by, reason, subject, messageIds }, () =>
        closeDeadLetters(request.close, dependencies),
      );
    }
    if ('look' in request) {
      const { by, reason, messageId } = request.look;
      const subject = `the content of dead letter ${messageId}`;
      return recorded(
        { action: 'look', by, reason, subject, messageIds: [messageId] },
        async (): Promise<Recorded> => ({
          status: 'complete',
          summary: 'the console may show it',
        }),
      );
    }
    if ('redriveAll' in request) {
      const { by, reason } = request.redriveAll;
      await refuseWhileUnsafe(request.redriveAll, dependencies);
      const seen = await refuseWhileClosed(request.redriveAll, dependencies);
      return recorded({ action: 'redrive-all', by, reason, subject: 'all dead letters' }, () =>
        redriveAll(seen, dependencies),
      );
    }
    const { by, reason } = request.cancelRedriveAll;
    return recorded({ action: 'cancel-redrive-all', by, reason, subject: 'all dead letters' }, () =>
      cancelRedriveAll(dependencies),
    );
  }

  return createLambdaHandler(logger, metrics, operate);
}

const countOf = ({ length }: readonly unknown[]): string => (length === 1 ? '1 dead letter' : `${length} dead letters`);
