/** The table of the benchmarks answers as the embedded emulator does, and gives the old item with a refusal. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createVerdictRecord } from '../../functions/create-purchase-orders/verdict/verdict-record.ts';
import { createBreakerRecord } from '../../shared/circuit-breaker.ts';
import { createLedgerTable, type LedgerTable } from '../../shared/ledger-table.ts';
import { createLedger } from '../../shared/ledger.ts';
import { createQueuedVersions } from '../../shared/queued-versions.ts';
import { readTraces } from '../../shared/traces.ts';
import { createWatermark } from '../../shared/watermark.ts';
import { type Service, startService } from '../benchmark/processes.ts';
import { type Fixture, openFixture } from './fixture.ts';

const NOW_MS = Date.parse('2026-11-29T12:00:00Z');
const cart = { client: '100', number: '1010000123', guid: 'g-1', changedAtMs: NOW_MS };
const claim = (attemptId: string, nowMs: number, changedAtMs = NOW_MS) => ({
  cart,
  externalId: 'SRM7-100-1010000123-1',
  contentHash: attemptId.repeat(4),
  changedAtMs,
  ordersOfCart: 2,
  messageId: `m-${attemptId}`,
  receive: 1,
  attemptId,
  nowMs,
  leaseMs: 60_000,
});

let fixture: Fixture;
let service: Service;
beforeAll(async () => {
  [fixture, service] = await Promise.all([openFixture(), startService('table')]);
});
afterAll(async () => {
  service.stop();
  await fixture.close();
});

/** What the interface's own stores are answered, one call after the other. */
async function answers(table: LedgerTable): Promise<unknown[]> {
  const ledger = createLedger(table);
  const watermark = createWatermark(table, '100');
  const versions = createQueuedVersions(table, '100');
  const verdicts = createVerdictRecord(table);
  const breaker = createBreakerRecord(table);
  const verdict = { cart, messageId: 'm-a' };
  const rows = ['1', '2', '3'].map((number) => ({
    number,
    guid: `g-${number}`,
    changedAtMs: 1,
    positionMs: 1,
    source: { number },
  }));
  const lease = (runId: string) => ({ runId, leaseMs: 1000 });
  const steps: (() => Promise<unknown>)[] = [
    () => ledger.claim(claim('a', NOW_MS)),
    () => ledger.claim(claim('a', NOW_MS)),
    () => ledger.claim(claim('b', NOW_MS)),
    () => ledger.unknown(claim('a', NOW_MS), { code: 'E_TGT_TIMEOUT_UNKNOWN', message: 'no answer' }, NOW_MS + 30_000),
    () => ledger.claim(claim('b', NOW_MS + 1)),
    () => ledger.claim(claim('c', NOW_MS + 60_000, NOW_MS - 1)),
    () => ledger.claim(claim('c', NOW_MS + 60_000)),
    () => ledger.created(claim('a', NOW_MS), { id: 'po_a', number: 'PO-A' }, NOW_MS),
    () => ledger.created(claim('c', NOW_MS), { id: 'po_c', number: 'PO-C' }, NOW_MS),
    () => ledger.claim(claim('d', NOW_MS + 200_000)),
    () => readTraces(table, cart),
    () => ledger.confirmed(claim('d', NOW_MS, NOW_MS + 5)),
    () => ledger.recordSkip(cart, { reason: 'no lines', messageId: 'm-a', nowMs: NOW_MS }),
    () => verdicts.withdraw(verdict),
    () => verdicts.record(verdict, { state: 'FINAL', faults: [], nowMs: NOW_MS }),
    () => verdicts.withdraw(verdict),
    () => verdicts.read(verdict),
    () => watermark.acquire(lease('one'), NOW_MS),
    () => watermark.acquire(lease('two'), NOW_MS),
    () => watermark.advancePosition(lease('one'), 7, NOW_MS),
    () => watermark.completeSlice(lease('one'), 8, NOW_MS),
    () => watermark.release(lease('one')),
    () => watermark.acquire(lease('two'), NOW_MS),
    async () => (await versions.unqueued(rows)).map(({ row: { number } }) => number),
    async () => versions.record((await versions.unqueued(rows)).slice(0, 2), { runId: 'r', nowMs: NOW_MS }),
    async () => (await versions.unqueued(rows)).map(({ row: { number } }) => number),
    () => breaker.read(),
    () => breaker.open('OPEN', 'down', NOW_MS),
    () => breaker.open('OPEN', 'down again', NOW_MS),
    () => breaker.letResume(NOW_MS + 1),
    () => breaker.hold('one', NOW_MS, NOW_MS + 10),
    () => breaker.hold('two', NOW_MS, NOW_MS + 10),
    () => breaker.close(NOW_MS + 2),
    async () => (await table.queryItems('CART#100#1010000123', '')).map(({ sk }) => sk),
    async () => (await table.queryItems('CART#100#1010000123', 'ORDER#')).length,
    () => table.getItem({ pk: 'CART#100#1010000123', sk: 'ORDER#SRM7-100-1010000123-1' }),
    () => table.getItem({ pk: 'CART#100#1010000123', sk: 'none' }),
    () => table.putItem({ pk: 'CART#100#1010000123', sk: 'SKIP' }),
  ];
  const given: unknown[] = [];
  for (const step of steps) given.push(withoutIds(await step()));
  return given;
}

/** The breaker names each of its changes by a random id. */
const withoutIds = (answer: unknown): unknown =>
  answer !== null && typeof answer === 'object' && 'changeId' in answer ? { ...answer, changeId: '' } : answer;

const tableAt = (endpoint: string, name: string): LedgerTable =>
  createLedgerTable(new DynamoDBClient({ endpoint }), name);

test('the stores of the interface are answered alike', async () => {
  const emulated = await answers(tableAt(fixture.emulators.endpoints.dynamodb, fixture.tableName));
  expect(await answers(tableAt(service.url, 'ledger'))).toEqual(emulated);
});

test('a refusal brings the old item, as from AWS, if the call asks for it', async () => {
  const table = tableAt(service.url, 'ledger');
  const key = { pk: 'ITEM', sk: 'ITEM' };
  await table.putItem({ ...key, state: 'OLD' });
  const refused = {
    UpdateExpression: 'SET #state = :new',
    ConditionExpression: 'attribute_not_exists(#state)',
    ExpressionAttributeNames: { '#state': 'state' },
    ExpressionAttributeValues: { ':new': 'NEW' },
  };
  expect(await table.updateItem(key, refused)).toEqual({ kind: 'refused', item: undefined });
  const asked = { ...refused, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;
  expect(await table.updateItem(key, asked)).toEqual({ kind: 'refused', item: { ...key, state: 'OLD' } });
});

test('a name that stands in no expression is refused, as by AWS', async () => {
  const update = {
    UpdateExpression: 'SET state = :new',
    ExpressionAttributeNames: { '#state': 'state' },
    ExpressionAttributeValues: { ':new': 'NEW' },
  };
  await expect(tableAt(service.url, 'ledger').updateItem({ pk: 'A', sk: 'A' }, update)).rejects.toThrow(
    '#state stand in no expression',
  );
});
