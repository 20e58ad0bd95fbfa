/** An 11VMS that differs from the contract: by each setting alone, through the front door, against a simulator that follows it. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { VmsOptions } from '../../simulators/vms.ts';
import { commitThenReset, onceFor } from '../recording-proxy.ts';
import { openVmsLandscape, type VmsLandscape } from './vms-landscape.ts';
import {
  CARELESS,
  commitThenAnswer,
  envelope,
  externalIdOf,
  newCart,
  setUpWorkerFixture,
  type Variables,
} from './worker-fixture.ts';

const fixture = await setUpWorkerFixture();
const open: VmsLandscape[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((landscape) => landscape.close()));
});

async function landscape(options: VmsOptions, variables: Partial<Variables>): Promise<VmsLandscape> {
  const opened = await openVmsLandscape(fixture, { ...CARELESS, ...options }, variables);
  open.push(opened);
  return opened;
}

const isPost = ({ method }: { readonly method: string }): boolean => method === 'POST';

describe('another collection path', () => {
  const variables = { VMS_COLLECTION_PATH: '/v2/orders' };
  const options = { collectionPath: '/v2/orders' };

  test('is where orders are created and looked up', async () => {
    const cart = newCart();
    const { worker, proxy, calls, ordersOf } = await landscape(options, variables);
    proxy.intercept(onceFor(isPost, commitThenReset));
    await worker.send(envelope(cart));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(calls()).toEqual(['POST /v2/orders', `GET /v2/orders?externalId=${externalIdOf(cart)}`]);
    expect(ordersOf(cart)).toHaveLength(1);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED', orderId: ordersOf(cart)[0]?.id });
  });

  test.each([
    ['https://vms/api/orders/po_17', 'po_17', 1],
    ['/elsewhere/orders/po%2F17/', 'po/17', 1],
    // Of another collection than the one that was posted to: no order shows.
    ['/v2/purchase-orders/po_17', undefined, 2],
    ['/v2/orders', undefined, 2],
  ])('has its name in a Location: %s', async (location, id, calls) => {
    const cart = newCart();
    const { worker, proxy, ordersOf, ...vms } = await landscape(options, variables);
    proxy.intercept(onceFor(isPost, commitThenAnswer(201, '', { location })));
    await worker.send(envelope(cart));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(vms.calls()).toHaveLength(calls);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED', orderId: id ?? ordersOf(cart)[0]?.id });
  });
});
