/** All calls of an attempt fit into its invocation, and none is sent after its lease. */
import { expect, test } from '@jest/globals';
import {
  always,
  CARELESS,
  claimCheck,
  envelope,
  isCreate,
  isToken,
  newCart,
  setUpWorkerFixture,
} from './worker-fixture.ts';

const fixture = await setUpWorkerFixture({ vms: CARELESS });

/** `delivery.timeoutSeconds` 10 and `vms.timeoutSeconds` 2, the shortest that the environment's schema allows. */
const SHORT = { VMS_TIMEOUT_MS: '2000', LEASE_SECONDS: '15' };
const SHORT_MS = 10_000;
const never = () => new Promise<never>(() => undefined);

test.each([
  ['a token endpoint', () => fixture.proxies.vms.intercept(always(isToken, never))],
  ['Secrets Manager', () => fixture.proxies.secrets.intercept(never)],
])('%s that hangs: each attempt ends in time, and the carts are requeued, not dead-lettered', async (_what, hang) => {
  const carts = Array.from({ length: 6 }, () => newCart());
  const worker = await fixture.worker(SHORT);
  await worker.send(...carts.map((cart) => envelope(cart)));
  hang();

  for (let attempt = 1; attempt <= 4; attempt++) {
    const startedMs = performance.now();
    const { failed } = await worker.deliverAndReturn({ remainingMs: SHORT_MS });
    expect(performance.now() - startedMs).toBeLessThan(SHORT_MS);
    expect(failed).toHaveLength(attempt < 4 ? 6 : 0);
  }

  expect(await worker.requeued()).toHaveLength(6);
  expect(await worker.deadLetters()).toEqual([]);
  expect(fixture.takeOutput().join('\n')).not.toContain('E_INT_CRASHED');
});

test('an SRM that hangs: the attempt at a cart that travels as its key ends in time', async () => {
  const silent = await fixture.worker({ ...SHORT, SRM_TOKEN_URL: `${fixture.proxies.vms.url}/oauth/token` });
  fixture.proxies.vms.intercept(always(isToken, never));
  const [messageId = ''] = await silent.send(claimCheck(newCart()));

  const startedMs = performance.now();
  expect((await silent.deliver({ remainingMs: SHORT_MS })).failed).toEqual([messageId]);

  expect(performance.now() - startedMs).toBeLessThan(SHORT_MS);
});

test('an attempt that stood still, and goes on when its lease is over, posts nothing', async () => {
  let skippedMs = 0;
  const now = (): number => Date.now() + skippedMs;
  const cart = newCart();
  const worker = await fixture.worker();
  const [frozen, other] = [1, 2].map(() => fixture.anotherHandler(worker, {}, { now }));
  await worker.send(envelope(cart));
  const records = await worker.receive();
  const [asked, thaw] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  let tokens = 0;
  fixture.proxies.vms.intercept(async (call, forward) => {
    if (!isToken(call) || tokens++ > 0) return forward();
    asked.resolve(undefined);
    await thaw.promise;
    return forward();
  });
  const attempt = worker.invoke(records, frozen === undefined ? {} : { handler: frozen });
  await asked.promise;

  skippedMs = 3_600_000;
  await worker.invoke(records, other === undefined ? {} : { handler: other });
  expect(fixture.ordersOf(cart)).toHaveLength(1);
  thaw.resolve(undefined);
  await attempt;

  expect(fixture.ordersOf(cart)).toHaveLength(1);
  expect(fixture.proxies.vms.calls.filter(isCreate)).toHaveLength(1);
});
