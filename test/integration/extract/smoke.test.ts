import { expect, test } from '@jest/globals';
import { createHandler } from '../../../functions/extract-approved-carts/handler.ts';
import { generateCarts } from '../../sandbox/carts.ts';
import { lambdaContext, openWorkbench } from '../workbench.ts';

test('smoke', async () => {
  const bench = await openWorkbench();
  const now = Date.now();
  bench.srm.addCarts(
    generateCarts({ count: 30, seed: 1, from: new Date(now - 1800_000), to: new Date(now - 60_000) }).map(
      ({ row }) => row,
    ),
  );
  const handler = createHandler(bench.extractorVariables);
  const result = await handler({}, lambdaContext());
  expect(result).toMatchObject({ status: 'complete', cartsQueued: 30 });
  expect((await bench.emulators.inspectQueue(bench.queueName)).ready).toHaveLength(30);
  bench.takeOutput();
  await bench.close();
});
