/** The worklist over a real ledger and a real dead-letter queue, with redriver and worker behind it. */
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { createVerdictRecord } from '../../../functions/create-purchase-orders/verdict/verdict-record.ts';
import { createCloudHealth } from '../../../infra/console/cloud-health.ts';
import { InvocationFailed, type Sources } from '../../../infra/console/sources.ts';
import type { Mode } from '../../../infra/console/page.ts';
import { loadEnvironment } from '../../../infra/environments.ts';
import { writeCartMessage } from '../../../shared/cart-message.ts';
import { createLedgerTable } from '../../../shared/ledger-table.ts';
import { edmInstant, envelope, newCart, type Row, textOf, withItems } from '../create/worker-fixture.ts';
import { type Operator, setUpRedriver } from '../redrive/redriver-fixture.ts';
import { type ConsoleClient, openClient, sourcesOf } from './console-client.ts';

const { fixture, open, urlOf, deadLetters } = await setUpRedriver();
const { systems } = fixture;
const REASON = 'INC-42: it is settled';
const DAY_MS = 86_400_000;

// Both lead to the emulators, by the proxies.
const sqs = new SQSClient();
const cloudwatch = new CloudWatchClient();
afterAll(() => {
  sqs.destroy();
  cloudwatch.destroy();
});

// Each test has a queue of its own, and the ledger for itself.
beforeEach(async () => {
  for (const { pk, sk } of await fixture.wholeTable()) {
    const command = new DeleteItemCommand({ TableName: systems.tableName, Key: marshall({ pk, sk }) });
    await systems.clients.dynamodb.send(command);
  }
});

async function consoleOf(
  operator: Operator,
  mode: Mode = 'operate',
  nowMs = Date.now(),
  known: Partial<Sources['health']> = {},
): Promise<ConsoleClient> {
  const local = loadEnvironment('local');
  const url = await urlOf(operator.worker.deadLetterName);
  const functions: Sources['functions'] = {
    async invoke(_name, event) {
      try {
        return await operator.invoke(event);
      } catch (error) {
        throw new InvocationFailed(error instanceof Error ? error.message : String(error));
      }
    },
  };
  const health: Sources['health'] = {
    ...createCloudHealth({
      cloudwatch,
      sqs,
      stackName: 'a-stack',
      environmentName: 'test',
      queueUrl: systems.queueUrl,
      deadLetterQueueUrl: url,
    }),
    alarms: async () => undefined,
    lastHours: async () => [],
    oldestWaitMs: async () => undefined,
    ...known,
  };
  const environment = { ...local, srm: { ...local.srm, client: '100' } };
  return openClient(sourcesOf(systems, environment, { functions, health }), { mode, nowMs });
}

/** The hidden fields of the form in which a button is. */
function fieldsWith(markup: string, button: string): Record<string, string> {
  const form = [...markup.matchAll(/<form[\s\S]*?<\/form>/g)]
    .map(([text]) => text)
    .find((text) => text.includes(button));
  const hidden = [...(form ?? '').matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)];
  return Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, value]));
}

const rowOf = (text: string, start: string): string =>
  text
    .split('\n')
    .flatMap((line) => line.split('As CSV'))
    .find((line) => line.includes(start)) ?? '';
const csvOf = async (client: ConsoleClient): Promise<string[][]> =>
  parse((await client.get('/dead-letters?as=csv')).markup, { bom: true });

/** SQS itself moves a dead letter back to the cart queue. */
async function moveBySqs(operator: Operator, cart: Row, messageId: string): Promise<void> {
  const QueueUrl = await urlOf(operator.worker.deadLetterName);
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 }),
  );
  const { ReceiptHandle } = Messages.find(({ MessageId }) => MessageId === messageId) ?? {};
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  await operator.worker.send(envelope(cart));
  await operator.drain();
}

describe('dead letters of which no attempt came to an end', () => {
  test('are no empty worklist: they are looked at, planned as a group, and closed', async () => {
    const operator = await open();
    const carts = [newCart(), newCart()];
    const [first = '', second = ''] = await operator.worker.send(...carts.map((cart) => envelope(cart)));
    await operator.giveUpUntried();
    const client = await consoleOf(operator);

    for (const mode of ['read-only', 'operate'] as const) {
      const page = await (await consoleOf(operator, mode)).get('/dead-letters');
      expect(page.text).toContain('The queue holds about 2 more than the ledger lists');
      expect(page.text).not.toContain('No dead letter is open');
      expect(page.markup.includes('Look into the queue')).toBe(mode === 'operate');
    }
    expect((await client.get('/')).text).toContain('About 2 more than the ledger lists');

    const looked = await client.post('/dead-letters', { act: 'list' });
    expect(looked.text).toContain('2 dead letters that the ledger does not list');
    for (const [index, id] of [first, second].entries()) {
      expect(looked.markup).toContain(
        `name="id" value="${id}" aria-label="Cart ${textOf(carts[index]?.['ObjectId'])}"`,
      );
    }
    expect(looked.text).toContain('no verdict is recorded');
    const group = fieldsWith(looked.markup, 'Plan a redrive of all 2 dead letters without a verdict');
    const plan = await client.post('/dead-letters', { act: 'plan-selection', ...group });
    expect(plan.text).toContain('2 dead letters selected, 2 would be redriven');

    const closed = await client.post('/dead-letters', { act: 'close', id: first, reason: REASON });
    expect(closed.text).toContain('1 closed');
    const redriven = await client.post('/dead-letters', { act: 'plan-chosen', id: second });
    const { planHash = '' } = fieldsWith(redriven.markup, 'Redrive 1 message');
    await client.post('/dead-letters', { act: 'redrive', planHash, reason: REASON });
    expect(fixture.ordersOf(carts[1] ?? {})).toHaveLength(1);
    expect((await client.get('/dead-letters')).text).toContain('No dead letter is open');
  }, 60_000);
});

describe('what SQS itself has moved', () => {
  test('is counted as "at most"; once its cart is ordered, list, CSV and ticket say that only its message may be left', async () => {
    const operator = await open();
    const [moved, other] = [newCart(), newCart()];
    const [movedId = '', otherId = ''] = await deadLetters(operator, [moved, other]);
    const client = await consoleOf(operator);
    expect((await client.get('/dead-letters')).text).toContain('Dead letters (2)');
    await moveBySqs(operator, moved, movedId);

    const { text } = await client.get('/dead-letters');
    const [movedNumber, otherNumber] = [moved, other].map((cart) => textOf(cart['ObjectId']));
    expect(text).toContain('Dead letters (at most 2)');
    expect(text).toMatch(/The dead-letter queue holds about 1\b.*\. What SQS itself has moved or deleted stays/);
    expect(text).toMatch(new RegExp(`${movedNumber} \\| cured since it was given up; ${TO_CLOSE}`));
    expect(text).toMatch(new RegExp(`at most 2 dead letters, as of [^]*Carts: ${otherNumber}\n1 more only to close`));
    expect((await csvOf(client)).slice(1).map((row) => [row[0], row[6], row.at(-1)])).toEqual([
      [movedNumber, 'cured', movedId],
      [otherNumber, 'dead-lettered', otherId],
    ]);
    expect((await client.get('/')).text).toContain(
      'at most 2 open dead letters by the ledger; the queue holds about 1',
    );
    const looked = await client.post('/dead-letters', { act: 'list' });
    expect(looked.text).toContain(`${movedNumber} | cured since it was given up; this look did not see its message`);
    expect(looked.text).toContain('The ledger lists each dead letter that was seen. 1 of about 1');
  }, 60_000);

  test('hides behind the number of those listed what lies there unlisted: only a look tells', async () => {
    const operator = await open();
    const [moved, other, untried] = [newCart(), newCart(), newCart()];
    const [movedId = ''] = await deadLetters(operator, [moved, other]);
    const calm = await (await consoleOf(operator)).get('/dead-letters');
    expect(calm.text).not.toContain('Only a look');
    await moveBySqs(operator, moved, movedId);
    await operator.worker.send(envelope(untried));
    await operator.giveUpUntried();

    // Two are listed, and two lie there: they are not the same.
    const client = await consoleOf(operator);
    expect((await client.get('/dead-letters')).text).toContain('Only a look tells which of these lie there');
    const looked = await client.post('/dead-letters', { act: 'list' });
    expect(looked.text).toContain('1 dead letter that the ledger does not list');
    expect(looked.text).not.toContain('Only a look tells');
    // Beside the list, each id stands once.
    const ids = [...looked.markup.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    await operator.invoke({ close: { messageIds: [movedId], by: 'me', reason: REASON } });
    const few = { deadLetterCounts: async () => ({ ready: 1, inFlight: 0, delayed: 0 }) };
    for (const mode of ['read-only', 'operate'] as const) {
      const now = await (await consoleOf(operator, mode, Date.now(), few)).get('/');
      expect(now.text).toMatch(
        mode === 'operate'
          ? /Only a look tells which of these lie there, and whether others do: Look into the queue/
          : /Only a look tells which of these lie there, and whether others do: who can look/,
      );
    }
    const reading = await (await consoleOf(operator, 'read-only', Date.now(), few)).get('/dead-letters');
    expect(reading.text).toMatch(/Only a look tells .* A console that operates can look/);
  }, 60_000);

  test('may all have come back under other ids: after a move, equal numbers say nothing', async () => {
    const operator = await open();
    await deadLetters(operator, [newCart()]);
    const moveTask = async () => ({
      status: 'COMPLETED',
      isActive: false,
      startedAtMs: Date.now(),
      moved: 1,
      toMove: 1,
      failureReason: undefined,
      handle: undefined,
    });
    const client = await consoleOf(operator, 'operate', Date.now(), { moveTask });
    expect((await client.get('/dead-letters')).text).toContain('Only a look tells which of these lie there');
  });
});

const TO_CLOSE = 'its message may still lie on the queue: close it';

describe('the dead letter of a version of which a newer one took the place', () => {
  const versionsOf = (cart: Row): [Row, Row] => [cart, { ...cart, ChangedAt: edmInstant('2026-11-29T12:00:00Z') }];

  test('is listed, seen by a look, and closed, once the newer one is ordered', async () => {
    const operator = await open();
    const [first, second] = versionsOf(newCart());
    const [id = ''] = await deadLetters(operator, [first]);
    await operator.worker.send(envelope(second));
    await operator.drain();
    const client = await consoleOf(operator);
    const number = textOf(first['ObjectId']);

    const page = await client.get('/dead-letters');
    expect(page.text).toMatch(new RegExp(`${number} \\| \\w+ since it was given up; ${TO_CLOSE}`));
    expect(page.markup).toContain(`name="id" value="${id}"`);
    expect(page.text).toContain('Carts: none\n1 more only to close');
    expect((await client.get(`/carts/100/${number}`)).markup).toContain(`href="/dead-letters?cart=${number}"`);
    const [, [cart, , , whatToDo] = []] = await csvOf(client);
    expect([cart, whatToDo]).toEqual([number, TO_CLOSE]);
    const looked = await client.post('/dead-letters', { act: 'list' });
    expect(looked.text).toContain('its message lies on the queue: close it');

    expect((await client.post('/dead-letters', { act: 'close', id, reason: REASON })).text).toContain('1 closed');
    expect((await client.get(`/carts/100/${number}`)).markup).not.toContain('href="/dead-letters?cart=');
    expect((await client.get('/dead-letters')).text).toContain('No dead letter is open');
    expect(await operator.worker.deadLetters()).toEqual([]);
  }, 60_000);

  test('is listed and closed after the newer one was closed', async () => {
    const operator = await open();
    const versions = versionsOf(newCart());
    const [id = '', newer = ''] = await deadLetters(operator, versions);
    const client = await consoleOf(operator);
    const closed = await client.post('/dead-letters', { act: 'close', id: newer, reason: REASON });
    expect(closed.text).toContain(`closed since it was given up; ${TO_CLOSE}`);
    expect(closed.markup).toContain(`name="id" value="${id}"`);

    const refused = await client.post('/dead-letters', { act: 'redrive-all', reason: REASON });
    expect(refused.text).toContain(`close their dead letters first (cart ${textOf(versions[0]['ObjectId'])}: ${id})`);
    await client.post('/dead-letters', { act: 'close', id, reason: REASON });
    expect((await client.get('/dead-letters')).text).toContain('No dead letter is open');
    expect(await operator.worker.deadLetters()).toEqual([]);
  }, 60_000);
});

describe('what was done is said', () => {
  const throttled = () =>
    Promise.reject(Object.assign(new Error('Rate exceeded'), { name: 'ThrottlingException', $metadata: {} }));

  test('where SQS does not say how far its last move is: all else is shown, too', async () => {
    const operator = await open();
    const [id = '', other = ''] = await deadLetters(operator, [newCart(), newCart()]);
    const client = await consoleOf(operator, 'operate', Date.now(), { moveTask: throttled });
    const { text, markup } = await client.post('/dead-letters', { act: 'close', id, reason: REASON });
    expect(text).toContain('1 closed');
    expect(text).toContain('The last move of all dead letters by SQS: not known');
    expect(markup).toContain(`name="id" value="${other}"`);
  }, 60_000);

  test('where the list cannot be read after it', async () => {
    const operator = await open();
    const [id = ''] = await deadLetters(operator, [newCart()]);
    const client = await consoleOf(operator, 'operate', Date.now(), { deadLetterCounts: throttled });
    const { status, text } = await client.post('/dead-letters', { act: 'close', id, reason: REASON });
    expect({ status, text }).toEqual({ status: 200, text: expect.stringContaining('1 closed') });
    expect(text).toContain('This page could not be read after it');
    expect((await client.get('/dead-letters')).text).toContain('ThrottlingException');
  }, 60_000);

  test('where the state cannot be read after a pause', async () => {
    const pausing = { ...(await open()), invoke: async () => ({ state: 'FORCED_OPEN', summary: 'Carts wait.' }) };
    const client = await consoleOf(pausing, 'operate', Date.now(), { alarms: throttled });
    const { status, text } = await client.post('/', { act: 'pause', reason: REASON });
    expect({ status, text }).toEqual({ status: 200, text: expect.stringContaining('Carts wait.') });
  });
});

test('a dead letter is shown as deleted 14 days after SQS took its message, and the next one to go comes first', async () => {
  const operator = await open();
  const verdicts = createVerdictRecord(createLedgerTable(systems.clients.dynamodb, systems.tableName));
  const nowMs = Date.parse('2026-11-29T12:00:00Z');
  const record = (number: string, code: 'E_MAP_UOM' | 'E_MAP_TAX', days: { queued: number; givenUp: number }) =>
    verdicts.record(
      { cart: { client: '100', number, changedAtMs: undefined }, messageId: `m-${number}` },
      {
        state: 'FINAL',
        faults: [{ code, message: 'seeded' }],
        nowMs: nowMs - days.givenUp * DAY_MS,
        sentAtMs: nowMs - days.queued * DAY_MS,
      },
    );
  await record('1', 'E_MAP_UOM', { queued: 5, givenUp: 5 });
  await record('2', 'E_MAP_TAX', { queued: 7, givenUp: 3 });
  await record('3', 'E_MAP_TAX', { queued: 15, givenUp: 11 });
  const client = await consoleOf(operator, 'operate', nowMs);

  const { text } = await client.get('/dead-letters');
  expect(text).toContain('(at most 2)');
  expect(text).toMatch(/\n.*2 \|.*2026-12-06 12:00:00 UTC \(in 7 d\)[^]*1 \|.*2026-12-08 12:00:00 UTC \(in 9 d\)/);
  expect(text).toMatch(/E_MAP_TAX \| 1 \|.*2026-12-06/);
  expect((await csvOf(client)).slice(1).map((row) => [row[0], row[5]])).toEqual([
    ['2', '2026-12-06T12:00:00Z'],
    ['1', '2026-12-08T12:00:00Z'],
  ]);
  expect((await client.get('/')).text).toContain('The next one is deleted 2026-12-06 12:00:00 UTC (in 7 d): 2');
});

test('messages without a cart have each its own reason and its own box', async () => {
  const operator = await open();
  const [unreadable = ''] = await operator.worker.send('no cart');
  const { MessageId: unsigned = '' } = await sqs.send(
    new SendMessageCommand({
      QueueUrl: await urlOf(operator.worker.queueName),
      MessageBody: writeCartMessage(envelope(newCart())),
    }),
  );
  await operator.drain();
  const client = await consoleOf(operator);

  for (const [code, id] of [
    ['E_INT_MESSAGE', unreadable],
    ['E_INT_SIGNATURE', unsigned],
  ] as const) {
    const { markup, text } = await client.get(`/dead-letters?code=${code}`);
    expect(markup).toContain(`name="id" value="${id}"`);
    expect(rowOf(text, 'unidentified |')).toContain(`${code}: `);
  }
  await client.post('/dead-letters', { act: 'close', id: unsigned, reason: REASON });
  expect((await client.get('/dead-letters')).markup).toContain(`name="id" value="${unreadable}"`);
}, 60_000);

describe('a plan of all that the list is filtered by', () => {
  test('takes each of its filters with it, and several codes in one', async () => {
    const operator = await open();
    const wrong = (cart: Row): Row => withItems(cart, (item) => ({ ...item, Unit: 'XXX', Currency: 'XXX' }));
    const [cart, ...others] = [wrong(newCart()), wrong(newCart()), newCart()];
    if (cart === undefined) throw new Error('no cart');
    await deadLetters(operator, [cart, ...others]);
    const client = await consoleOf(operator);

    const page = await client.get('/dead-letters');
    expect(page.markup).toContain('href="/dead-letters?code=E_MAP_CURRENCY+E_MAP_UOM"');
    expect(page.markup).not.toContain('Plan a redrive of all');
    const number = textOf(cart['ObjectId']);
    const shown = await client.get(`/dead-letters?code=E_MAP_UOM+E_MAP_CURRENCY&owner=mapping+owner&cart=${number}`);
    const fields = fieldsWith(
      shown.markup,
      'Plan a redrive of 1 dead letter E_MAP_CURRENCY E_MAP_UOM of the mapping owner',
    );
    expect(fields).toEqual({ code: 'E_MAP_CURRENCY E_MAP_UOM', owner: 'mapping owner', cart: number });
    const plan = await client.post('/dead-letters', { act: 'plan-selection', ...fields });
    expect(plan.text).toContain('1 dead letter selected, 0 would be redriven');
  }, 60_000);
});

describe('SQS’s own move of all', () => {
  test('is shown, and can be stopped while it runs, however few lie there', async () => {
    const operator = await open();
    let Status = 'RUNNING';
    const cancelled: string[] = [];
    fixture.proxies.sqs.intercept(async ({ operation, body }, forward) => {
      const headers = { 'content-type': 'application/x-amz-json-1.0' };
      if (operation === 'ListMessageMoveTasks') {
        const task = {
          TaskHandle: 'the-handle',
          Status,
          StartedTimestamp: Date.now(),
          ApproximateNumberOfMessagesMoved: 12,
          ApproximateNumberOfMessagesToMove: 40,
        };
        return { status: 200, headers, body: JSON.stringify({ Results: [task] }) };
      }
      if (operation !== 'CancelMessageMoveTask') return forward();
      cancelled.push(body);
      Status = 'CANCELLED';
      return { status: 200, headers, body: JSON.stringify({ ApproximateNumberOfMessagesMoved: 12 }) };
    });
    const client = await consoleOf(operator);
    const reading = await (await consoleOf(operator, 'read-only')).get('/dead-letters');
    expect(reading.text).toMatch(/The last move of all dead letters by SQS: RUNNING, begun .*; moved about 12 of 40/);
    expect(reading.markup).not.toContain('Stop the move task');
    expect((await client.get('/dead-letters')).markup).toContain('Stop the move task');

    const stopped = await client.post('/dead-letters', { act: 'cancel-redrive-all', reason: REASON });
    expect(stopped.text).toContain('SQS had moved about 12');
    expect(cancelled).toEqual([expect.stringContaining('the-handle')]);
    expect(stopped.markup).not.toContain('Stop the move task');
    expect(stopped.text).toContain('by SQS: CANCELLED');
  });

  test('is asked for with two protections, each given up on its own; the form says when consumption is paused', async () => {
    const operator = await open();
    const many = { deadLetterCounts: async () => ({ ready: 501, inFlight: 0, delayed: 0 }) };
    const client = await consoleOf(operator, 'operate', Date.now(), many);
    const fields = { act: 'redrive-all', reason: REASON };
    await deadLetters(operator, [newCart(), newCart()]);
    expect((await client.get('/dead-letters')).text).not.toContain('Consumption is paused');
    const Item = marshall({ pk: 'BREAKER#11VMS', sk: 'BREAKER', state: 'FORCED_OPEN', reason: 'maintenance' });
    await systems.clients.dynamodb.send(new PutItemCommand({ TableName: systems.tableName, Item }));
    await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: await urlOf(operator.worker.deadLetterName), VisibilityTimeout: 60 }),
    );

    const { markup, text } = await client.get('/dead-letters');
    expect(text).toContain('Consumption is paused: on the cart queue a cart is kept for 4 days only. Resume first');
    expect(markup).toContain('name="force" value="yes"');
    expect(markup).toContain('name="unseen" value="yes"');
    for (const [given, refusal] of [
      [{}, 'Consumption is paused (maintenance)'],
      [{ unseen: 'yes' }, 'Consumption is paused (maintenance)'],
      [{ force: 'yes' }, 'Only 1 of about 2 could be looked at'],
      // The emulator has no move tasks.
      [{ force: 'yes', unseen: 'yes' }, 'StartMessageMoveTask'],
    ] as const)
      expect((await client.post('/dead-letters', { ...fields, ...given })).text).toContain(refusal);
  }, 60_000);
});
