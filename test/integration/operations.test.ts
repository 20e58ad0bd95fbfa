/** The records of acts by hand, over DynamoDB's real protocol. */
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { InterfaceError } from '../../shared/failure.ts';
import { createLedgerTable, type LedgerTable } from '../../shared/ledger-table.ts';
import type { Log, LogFields } from '../../shared/log.ts';
import {
  beginOperation,
  byHand,
  endOperation,
  type OperationOutcome,
  type OperationRequest,
  recordOperation,
} from '../../shared/operations.ts';
import { operationsOfMonth } from '../../shared/operations-of-month.ts';
import { type Fixture, openFixture } from './fixture.ts';

let fixture: Fixture;
let table: LedgerTable;
beforeAll(async () => {
  fixture = await openFixture();
  table = createLedgerTable(fixture.clients.dynamodb, fixture.tableName);
});
afterAll(() => fixture.close());

const BY = 'arn:aws:sts::111122223333:assumed-role/Operator/jane.doe@example.com';
const request: OperationRequest = {
  action: 'replay-cart',
  by: BY,
  reason: 'INC-42: the cost centre is corrected in SRM',
  requestId: 'request-1',
  subject: 'cart 1010000123',
  cartNumbers: ['1010000123'],
};
const done: OperationOutcome = { result: 'done', summary: '1 cart queued' };
const at = (text: string, id = 'a') => ({ nowMs: Date.parse(text), id });
const idsOf = async (month: string) => (await operationsOfMonth(table, month)).map(({ id }) => id);

test('an act is recorded with who, why, on what, what came of it, and when', async () => {
  const { nowMs, id } = at('2026-01-15T10:00:00Z');
  const key = await beginOperation(table, request, { nowMs, id });
  expect(await operationsOfMonth(table, '2026-01')).toEqual([
    { ...request, id: '2026-01-15T10:00:00.000Z#a', messageIds: [], startedAtMs: nowMs },
  ]);
  await endOperation(table, key, done, nowMs + 500);
  expect(await operationsOfMonth(table, '2026-01')).toMatchObject([
    { ...request, outcome: done, endedAtMs: nowMs + 500 },
  ]);
  const { Item = {} } = await fixture.clients.dynamodb.send(
    new GetItemCommand({ TableName: fixture.tableName, Key: marshall(key) }),
  );
  expect(unmarshall(Item)).toMatchObject({ expiresAt: nowMs / 1000 + 400 * 24 * 3600 });
});

test('the acts of a month, in UTC, are in the order in which they began', async () => {
  for (const text of [
    '2026-03-01T00:00:00Z',
    '2026-02-28T23:59:59.999Z',
    '2026-02-01T00:00:00Z',
    '2026-01-31T23:59:59Z',
  ]) {
    await beginOperation(table, request, at(text));
  }
  expect(await idsOf('2026-02')).toEqual(['2026-02-01T00:00:00.000Z#a', '2026-02-28T23:59:59.999Z#a']);
});

test('a repeated beginning changes nothing, and the first end stays', async () => {
  const key = await beginOperation(table, request, at('2026-04-01T00:00:00Z'));
  await endOperation(table, key, done, 1);
  await beginOperation(table, { ...request, reason: 'another' }, at('2026-04-01T00:00:00Z'));
  await endOperation(table, key, { result: 'failed', summary: 'late' }, 2);
  expect(await operationsOfMonth(table, '2026-04')).toMatchObject([{ ...request, outcome: done, endedAtMs: 1 }]);
});

test('an end without a beginning is not written', async () => {
  await endOperation(table, { pk: 'OPERATION#2026-05', sk: 'never' }, done, 1);
  expect(await idsOf('2026-05')).toEqual([]);
});

test('an item is bounded, whatever is recorded', async () => {
  const messageIds = Array.from({ length: 700 }, (_, index) => `message ${index}`);
  const key = await beginOperation(
    table,
    { ...request, subject: `a\u0000b${'s'.repeat(900)}`, messageIds },
    at('2026-06-01T00:00:00Z'),
  );
  await endOperation(table, key, { result: 'done', summary: `c\nd${'s'.repeat(900)}` }, 1);
  const [operation] = await operationsOfMonth(table, '2026-06');
  expect(operation?.messageIds).toEqual(messageIds.slice(0, 500));
  expect(operation?.subject).toBe(`a\ufffdb${'s'.repeat(497)}`);
  expect(operation?.outcome?.summary).toBe(`c\ufffdd${'s'.repeat(497)}`);
});

test('an item of another version says as much as can be read of it', async () => {
  const item = {
    pk: 'OPERATION#2026-07',
    sk: 'an instant',
    action: 'teleport',
    by: 7,
    outcome: 'fine',
    cartNumbers: [1],
  };
  await fixture.clients.dynamodb.send(new PutItemCommand({ TableName: fixture.tableName, Item: marshall(item) }));
  expect(await operationsOfMonth(table, '2026-07')).toEqual([
    {
      id: 'an instant',
      action: 'teleport',
      by: '',
      reason: '',
      requestId: '',
      subject: '',
      startedAtMs: 0,
      cartNumbers: [],
      messageIds: [],
    },
  ]);
});

describe('an act between its two records', () => {
  /** With the log lines that it writes. */
  function dependenciesOf(writable: Pick<LedgerTable, 'updateItem'>, text: string) {
    const lines: [string, LogFields | undefined][] = [];
    const write: Log['info'] = (event, fields) => lines.push([event, fields]);
    const log: Log = { info: write, warn: write, error: write, with: () => log };
    return { lines, dependencies: { table: writable, log, now: () => Date.parse(text), newId: () => 'a' } };
  }
  const line = {
    action: 'replay-cart',
    by: BY,
    reason: request.reason,
    subject: 'cart 1010000123',
    cartNumber: '1010000123',
  };

  test('has one log line, with what came of it', async () => {
    const { lines, dependencies } = dependenciesOf(table, '2026-08-01T00:00:00Z');
    const outcomeOf = (queued: number) => ({ ...done, summary: `${queued} queued` });
    expect(await recordOperation(request, { act: () => Promise.resolve(3), outcomeOf }, dependencies)).toBe(3);
    expect(lines).toEqual([['operation.ended', { ...line, outcome: 'done', summary: '3 queued' }]]);
    expect(await operationsOfMonth(table, '2026-08')).toMatchObject([
      { outcome: { result: 'done', summary: '3 queued' } },
    ]);
  });

  test.each<[string, string, Error, string]>([
    [
      'a known fault is recorded with its reason',
      '2026-09-01T00:00:00Z',
      new InterfaceError('transient', { code: 'E_SRC_UNAVAILABLE', message: 'SRM answered 503' }),
      'E_SRC_UNAVAILABLE: SRM answered 503',
    ],
    [
      'of any other error the message is left out',
      '2026-09-02T00:00:00Z',
      new TypeError('jane.doe@example.com'),
      'TypeError',
    ],
  ])('fails as before, and %s', async (_, text, error, summary) => {
    const { lines, dependencies } = dependenciesOf(table, text);
    const failing = recordOperation(request, { act: () => Promise.reject(error), outcomeOf: () => done }, dependencies);
    await expect(failing).rejects.toBe(error);
    expect(lines).toEqual([['operation.ended', { ...line, outcome: 'failed', summary }]]);
    expect(await operationsOfMonth(table, '2026-09')).toContainEqual(
      expect.objectContaining({ startedAtMs: Date.parse(text), outcome: { result: 'failed', summary } }),
    );
  });

  test('is not done where its beginning cannot be recorded', async () => {
    const down = new Error('the ledger is down');
    const { lines, dependencies } = dependenciesOf({ updateItem: () => Promise.reject(down) }, '2026-10-01T00:00:00Z');
    let acts = 0;
    const act = () => Promise.resolve((acts += 1));
    await expect(recordOperation(request, { act, outcomeOf: () => done }, dependencies)).rejects.toBe(down);
    expect({ acts, lines }).toEqual({ acts: 0, lines: [] });
  });

  test('succeeds where only its end cannot be recorded', async () => {
    let writes = 0;
    const updateItem: LedgerTable['updateItem'] = (key, update) => {
      writes += 1;
      return writes === 1 ? table.updateItem(key, update) : Promise.reject(new Error('the ledger is down'));
    };
    const { lines, dependencies } = dependenciesOf({ updateItem }, '2026-11-01T00:00:00Z');
    expect(await recordOperation(request, { act: () => Promise.resolve(1), outcomeOf: () => done }, dependencies)).toBe(
      1,
    );
    expect(lines.map(([event]) => event)).toEqual(['operation.ended', 'operation.end-not-recorded']);
    const [operation] = await operationsOfMonth(table, '2026-11');
    expect(operation).toMatchObject(request);
    expect(operation?.endedAtMs).toBeUndefined();
  });
});

describe('an event of an act by hand', () => {
  const event = z.strictObject(byHand);
  const valid = { by: BY, reason: 'INC-42' };

  test('is trimmed', () => {
    expect(event.parse({ by: ` ${BY} `, reason: ' why not ' })).toEqual({ by: BY, reason: 'why not' });
  });

  test.each([' 3 @ 5 EUR', '@jane asks', 'r'.repeat(200), '三つの理由'])('takes the reason %j', (reason) => {
    expect(event.parse({ ...valid, reason }).reason).toBe(reason.trim());
  });

  test.each<[string, unknown, RegExp]>([
    ['no reason', { by: BY }, /→ at reason/],
    ['no name', { reason: 'INC-42' }, /→ at by/],
    ['an empty name', { ...valid, by: ' ' }, /must name who asks.*\n.*→ at by/],
    ['a long name', { ...valid, by: 'b'.repeat(257) }, /<=256 characters\n.*→ at by/],
    [
      'a reason that says nothing',
      { ...valid, reason: ' ok ' },
      /must say why, in 3 to 200 characters.*\n.*→ at reason/,
    ],
    ['a long reason', { ...valid, reason: 'r'.repeat(201) }, /<=200 characters\n.*→ at reason/],
    ['two lines', { ...valid, reason: 'one\ntwo' }, /must be one line.*\n.*→ at reason/],
    ['a reason that turns the text around', { ...valid, reason: 'abc\u202edef' }, /must be one line/],
    ['an e-mail address', { ...valid, reason: 'ask jane.doe@example.com' }, /e-mail address: name a ticket or a team/],
    ['another key', { ...valid, force: true }, /Unrecognized key: "force"/],
  ])('with %s is refused, and the error says where and why, without quoting it', (_, input, fault) => {
    const message = z.prettifyError(event.safeParse(input).error ?? new z.ZodError([]));
    expect(message).toMatch(fault);
    expect(message).not.toContain('jane');
  });
});
