/** What all functions have in common as handlers of Lambda. */
import type { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import type { Metrics } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import middy, { type MiddyfiedHandler } from '@middy/core';
import type { Context } from 'aws-lambda';

export function createLambdaHandler<Result>(
  logger: Logger,
  metrics: Metrics,
  handle: (event: unknown, context: Context) => Promise<Result>,
): MiddyfiedHandler<unknown, Result> {
  // middy would otherwise answer 5 ms before the time-out, and leave the work running: frozen with its environment, it
  // would go on in a later invocation, after its leases have ended. Lambda's own time-out ends the process.
  return middy<unknown, Result>({ timeoutEarlyInMillis: 0 })
    .use(injectLambdaContext(logger, { logEvent: false }))
    .use(logMetrics(metrics))
    .handler(handle);
}
