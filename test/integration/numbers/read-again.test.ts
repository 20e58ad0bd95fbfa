/** A number that is written back changes its cart in SRM: what the second reading of the cart comes to. */
import { PurgeQueueCommand } from '@aws-sdk/client-sqs';
import { expect, test } from '@jest/globals';
import { createHandler as createNumberWriter } from '../../../functions/write-order-numbers/handler.ts';
import { createLedgerTable } from '../../../shared/ledger-table.ts';
import { readTraces } from '../../../shared/traces.ts';
import { edmInstant, newCart, textOf } from '../create/worker-fixture.ts';
import { MINUTE, thisSecond, useFixture } from '../extract/extractor-fixture.ts';
import { lambdaContext } from '../fixture.ts';

const fixture = useFixture();
const NUMBERS = { path: "/ShoppingCarts('{cart}')", property: 'ExternalOrderNumber' };

test('a write moves ChangedAt: the cart is queued again, and its order is confirmed without a call to 11VMS', async () => {
  const changedAtMs = thisSecond() - 10 * MINUTE;
  const writtenAtMs = changedAtMs + MINUTE;
  const extractor = await fixture.open({
    orderNumbers: { ...NUMBERS, clock: () => new Date(writtenAtMs) },
    variables: { OVERLAP_SECONDS: '1800' },
  });
  const row = newCart({ ChangedAt: edmInstant(new Date(changedAtMs).toISOString()) });
  const cart = { client: extractor.variables.SRM_CLIENT, number: textOf(row['ObjectId']) };
  extractor.srm.addCarts([row]);
  await extractor.run();
  await fixture.deliver(extractor);
  const { clients, tableName, vms } = fixture.systems();
  const table = createLedgerTable(clients.dynamodb, tableName);
  const ordersOf = async () => (await readTraces(table, cart)).filter(({ kind }) => kind === 'order');
  expect(await ordersOf()).toMatchObject([{ state: 'CREATED', changedAtMs }]);
  const callsBefore = vms.requests.length;

  const { FIRST_WATERMARK: _first, RECONCILIATION_DAYS: _days, ...common } = extractor.variables;
  const writer = createNumberWriter({
    ...common,
    NUMBERS_PATH: NUMBERS.path,
    NUMBERS_METHOD: 'PATCH',
    NUMBERS_PROPERTY: NUMBERS.property,
  });
  const data = { sapClient: cart.client, cartNumber: cart.number };
  const Records = [
    {
      messageId: 'event',
      receiptHandle: 'the message is gone already',
      body: JSON.stringify({ data }),
      attributes: { ApproximateReceiveCount: '1' },
    },
  ];
  expect(
    await writer(
      { Records },
      lambdaContext(() => 600_000),
    ),
  ).toEqual({ batchItemFailures: [] });
  expect(extractor.srm.orderNumbers?.writes).toHaveLength(1);
  await clients.sqs.send(new PurgeQueueCommand({ QueueUrl: extractor.variables.QUEUE_URL }));
  // Without the safety, a run at once after the other one has something to read.
  await extractor.run({ variables: { SAFETY_SECONDS: '0' } });
  expect(await extractor.messages()).toHaveLength(1);
  await fixture.deliver(extractor);

  expect(await ordersOf()).toMatchObject([{ state: 'CREATED', changedAtMs: writtenAtMs }]);
  expect((await readTraces(table, cart)).filter(({ kind }) => kind === 'verdict')).toEqual([]);
  expect(vms.requests).toHaveLength(callsBefore);
});
