/** Each run reads the overlap again: a cart is read up to seven times, and its faults are reported once. */
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, test } from '@jest/globals';
import { type Interceptor, onceFor, resetBefore } from '../recording-proxy.ts';
import {
  always,
  answer,
  CARELESS,
  claimCheck,
  type CartMessage,
  edmInstant,
  envelope,
  isCreate,
  newCart,
  setUpWorkerFixture,
  type Row,
  textOf,
  type Worker,
} from './worker-fixture.ts';

const fixture = await setUpWorkerFixture({ vms: CARELESS });

const faulty = (): Row => newCart({ CoCode: 'ZZ99' });
const readBy = (cart: Row, runId: string, changes: Partial<CartMessage> = {}): CartMessage =>
  envelope(cart, { runId, correlationId: `${runId}/${textOf(cart['Guid'])}`, ...changes });

/** Sends the messages one after the other, each when the one before is processed; returns whether each is retried. */
async function read(worker: Worker, ...messages: readonly CartMessage[]): Promise<boolean[]> {
  const failed: boolean[] = [];
  for (const message of messages) {
    const [messageId = ''] = await worker.send(message);
    failed.push((await worker.deliver()).failed.includes(messageId));
  }
  return failed;
}

const noSearch: Interceptor = (call, forward) =>
  call.operation === 'Query' && call.body.includes('VERDICT#') ? resetBefore(call, forward) : forward();

const linesOf = (output: readonly string[], text: string): string[] => output.filter((line) => line.includes(text));

describe('a faulty cart', () => {
  test('is one dead letter, one verdict and one alarm, however often the overlap is read', async () => {
    const cart = faulty();
    const worker = await fixture.worker();
    const runs = Array.from({ length: 7 }, (_, run) => readBy(cart, `run-${run}`));
    expect(await read(worker, ...runs)).toEqual([true, false, false, false, false, false, false]);

    const output = fixture.takeOutput();
    expect(linesOf(output, 'Cart goes to the dead-letter queue')).toHaveLength(1);
    expect(linesOf(output, '"CartsDeadLettered":1')).toHaveLength(1);
    expect((await fixture.ledgerOf(cart)).map(({ sk }) => sk.split('#')[0])).toEqual(['VERDICT']);
  });

  test('that travels as its key is one dead letter as well: its version is known once it is read', async () => {
    const cart = faulty();
    const worker = await fixture.worker();
    fixture.systems.srm.addCarts([cart]);
    const keyOnly = (runId: string): CartMessage => ({ ...claimCheck(cart), runId });
    expect(await read(worker, keyOnly('run-1'), keyOnly('run-2'), readBy(cart, 'run-3'))).toEqual([true, false, false]);
    expect(await fixture.ledgerOf(cart)).toMatchObject([{ changedAtMs: expect.any(Number) }]);
  });

  test('that 11VMS rejects is one dead letter as well', async () => {
    const cart = newCart();
    const worker = await fixture.worker();
    fixture.proxies.vms.intercept(always(isCreate, answer(400, { code: 'VALIDATION' })));
    expect(await read(worker, readBy(cart, 'run-1'), readBy(cart, 'run-2'))).toEqual([true, false]);
  });

  test('is tried again, and dead-lettered again, when it is redriven', async () => {
    const cart = faulty();
    const worker = await fixture.worker();
    const [first, second] = [readBy(cart, 'run-1'), readBy(cart, 'run-2')];
    // SQS redrives the body as a new message.
    expect(await read(worker, first, second, first, second, first)).toEqual([true, false, true, false, true]);
  });

  test('that two readings dead-lettered stays one dead letter when both are redriven', async () => {
    const cart = faulty();
    const [one, other] = [await fixture.worker(), await fixture.worker()];
    const [first, second] = [readBy(cart, 'run-1'), readBy(cart, 'run-2')];
    // Neither reading can see the verdict of the other.
    fixture.proxies.dynamodb.intercept(noSearch);
    expect(await read(one, first, second)).toEqual([true, true]);
    fixture.calm();
    expect(await read(other, first, second)).toEqual([true, true]);
  });

  test.each<[string, Partial<CartMessage>]>([
    ['an operator asks for its window again', { origin: 'replay' }],
    ['the reconciliation finds nothing that accounts for it', { origin: 'reconciliation' }],
  ])('is a second dead letter where %s', async (_what, changes) => {
    const cart = faulty();
    const worker = await fixture.worker();
    expect(await read(worker, readBy(cart, 'run-1'), readBy(cart, 'run-2', changes))).toEqual([true, true]);
  });

  test('is dead-lettered again when it has changed and is still faulty', async () => {
    const cart = faulty();
    const changed = { ...cart, ChangedAt: edmInstant('2030-01-01T00:00:00Z') };
    const worker = await fixture.worker();
    expect(await read(worker, readBy(cart, 'run-1'), readBy(changed, 'run-2'))).toEqual([true, true]);
    expect(await read(worker, readBy(changed, 'run-3'))).toEqual([false]);
  });

  test('is dead-lettered again for another fault', async () => {
    const cart = newCart();
    const worker = await fixture.worker();
    fixture.proxies.vms.intercept(onceFor(isCreate, answer(400, { code: 'ONE' })));
    expect(await read(worker, readBy(cart, 'run-1'))).toEqual([true]);
    fixture.proxies.vms.intercept(always(isCreate, answer(400, { code: 'OTHER' })));
    expect(await read(worker, readBy(cart, 'run-2'), readBy(cart, 'run-3'))).toEqual([true, false]);
  });

  test('is dead-lettered again after an hour, when the overlap is over', async () => {
    const cart = faulty();
    const worker = await fixture.worker();
    expect(await read(worker, readBy(cart, 'run-1'))).toEqual([true]);
    const [verdict] = await fixture.ledgerOf(cart);
    const { pk = '', sk = '' } = verdict ?? {};
    const age = async (ms: number): Promise<void> => {
      await fixture.systems.clients.dynamodb.send(
        new UpdateItemCommand({
          TableName: fixture.systems.tableName,
          Key: marshall({ pk, sk }),
          UpdateExpression: 'SET recordedAtMs = :then',
          ExpressionAttributeValues: marshall({ ':then': Date.now() - ms }),
        }),
      );
    };
    await age(59 * 60_000);
    expect(await read(worker, readBy(cart, 'run-2'))).toEqual([false]);
    await age(61 * 60_000);
    expect(await read(worker, readBy(cart, 'run-3'))).toEqual([true]);
  });

  test('is dead-lettered where the ledger cannot be searched: twice is better than never', async () => {
    const cart = faulty();
    const worker = await fixture.worker();
    expect(await read(worker, readBy(cart, 'run-1'))).toEqual([true]);
    fixture.proxies.dynamodb.intercept(noSearch);
    expect(await read(worker, readBy(cart, 'run-2'))).toEqual([true]);
    expect(linesOf(fixture.takeOutput(), '"event":"verdict.duplicates-read-failed"')).toHaveLength(1);
  });

  test('does not suppress other readings by a provisional verdict', async () => {
    const cart = newCart();
    const worker = await fixture.worker({ VMS_TIMEOUT_MS: '500' });
    fixture.proxies.vms.intercept(always(isCreate, answer(408)));
    await worker.send(readBy(cart, 'run-1'));
    // The final attempt is requeued, and its verdict withdrawn.
    await worker.deliverTimes(4);
    fixture.proxies.vms.intercept(always(isCreate, answer(400)));
    expect(await read(worker, readBy(cart, 'run-2'))).toEqual([true]);
  });
});

test('a cart that a rule skips is logged once, and again when it has changed', async () => {
  const deleted = newCart({ DelInd: 'X' });
  const worker = await fixture.worker();
  await read(worker, readBy(deleted, 'run-1'), readBy(deleted, 'run-2'), readBy(deleted, 'run-3'));
  expect(linesOf(fixture.takeOutput(), 'Cart skipped')).toHaveLength(1);
  await read(worker, readBy({ ...deleted, ChangedAt: edmInstant('2030-01-01T00:00:00Z') }, 'run-4'));
  expect(linesOf(fixture.takeOutput(), 'Cart skipped')).toHaveLength(1);
});
