/** Outages of one hour in virtual time, with the real use cases. outage.deep.ts simulates six hours of every kind. */
import { expect, test } from '@jest/globals';
import { expectAllOrdered, expectFewDeadLetters } from './outage-expectations.ts';
import { simulateOutage } from './outage.ts';

const ONE_HOUR = { seed: 1, cartsADay: 1000, outageHours: 1 };

test('an hour without 11VMS ends with every order once and no dead letter', async () => {
  const result = await simulateOutage({ ...ONE_HOUR, kind: 'connection refused' });
  expect(result.carts).toBeGreaterThan(50);
  expectAllOrdered(result);
});

test('an hour in which only creates fail dead-letters at most the first carts, with a reason', async () => {
  expectFewDeadLetters(await simulateOutage({ ...ONE_HOUR, kind: '500 on POST only' }));
});
