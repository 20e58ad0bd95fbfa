/** What all functions have in common as handlers of Lambda. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { expect, test } from '@jest/globals';
import { createLambdaHandler } from '../../shared/lambda-handler.ts';
import { createMetrics } from '../../shared/log.ts';
import { lambdaContext } from './fixture.ts';

test('a handler is never ended before its work: Lambda ends the process, and with it the work', async () => {
  let isDone = false;
  const handler = createLambdaHandler(new Logger(), createMetrics('test'), async () => {
    await sleep(50);
    isDone = true;
    return 'result';
  });

  expect(
    await handler(
      {},
      lambdaContext(() => 10),
    ),
  ).toBe('result');
  expect(isDone).toBe(true);
});
