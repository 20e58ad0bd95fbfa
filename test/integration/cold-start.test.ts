/** How the functions start on Lambda: what they fetch before the first event, and a start without a token endpoint. */
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHandler as createWorker } from '../../functions/create-purchase-orders/handler.ts';
import { createHandler as createExtractor } from '../../functions/extract-approved-carts/handler.ts';
import { writeCartMessage } from '../../shared/cart-message.ts';
import { envelope, newCart } from './create/worker-fixture.ts';
import { BY_HAND, lambdaContext, openFixture, type Fixture } from './fixture.ts';

/** Nothing listens at this address. */
const UNREACHABLE = 'http://127.0.0.1:9/oauth/token';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(() => fixture.close());

const tokensOf = (system: 'srm' | 'vms'): number =>
  fixture[system].requests.filter(({ operation }) => operation === 'token').length;

/** Runs before the first event. */
async function firstToken(system: 'srm' | 'vms'): Promise<void> {
  for (let wait = 0; wait < 500 && tokensOf(system) === 0; wait++) await setTimeout(10);
  expect(tokensOf(system)).toBe(1);
}

function eventOf(messageId: string) {
  const body = writeCartMessage(envelope(newCart()));
  const attributes = { ApproximateReceiveCount: '1' };
  const messageAttributes = fixture.signed(body);
  return { Records: [{ messageId, receiptHandle: messageId, body, attributes, messageAttributes }] };
}

test('the worker fetches the token of 11VMS before its first event, once, and no token of SRM', async () => {
  const worker = createWorker(fixture.workerVariables, { warmUp: true });
  await firstToken('vms');

  const answer = await worker(eventOf('m-1'), lambdaContext());

  expect(answer).toEqual({ batchItemFailures: [] });
  expect({ vms: tokensOf('vms'), srm: tokensOf('srm') }).toEqual({ vms: 1, srm: 0 });
});

test('the extractor fetches the token of SRM before its first event, once', async () => {
  const extractor = createExtractor(fixture.extractorVariables, { warmUp: true });
  await firstToken('srm');

  expect(await extractor({}, lambdaContext())).toMatchObject({ status: 'complete' });
  expect(tokensOf('srm')).toBe(1);
});

test('a worker that starts while the token endpoint is down answers, and its message is retried', async () => {
  const worker = createWorker({ ...fixture.workerVariables, VMS_TOKEN_URL: UNREACHABLE }, { warmUp: true });
  fixture.takeOutput();

  expect(await worker(eventOf('m-2'), lambdaContext())).toEqual({ batchItemFailures: [{ itemIdentifier: 'm-2' }] });
  expect(fixture.takeOutput().join('\n')).toContain('"AttemptsRetried":1');
});

test('an extractor that starts while the token endpoint is down reports what failed', async () => {
  const extractor = createExtractor({ ...fixture.extractorVariables, SRM_TOKEN_URL: UNREACHABLE }, { warmUp: true });

  const hour = { changedFrom: '2026-11-20T00:00:00Z', changedTo: '2026-11-20T01:00:00Z', ...BY_HAND };
  await expect(
    extractor(
      hour,
      lambdaContext(() => 25_000),
    ),
  ).rejects.toMatchObject({
    fault: { code: 'E_SRC_UNAVAILABLE' },
  });
});
