import { expect } from '@jest/globals';
import type { OutageResult } from './outage.ts';

const WORKER_TIMEOUT_MS = 60_000;
const RECOVERED = { leftOnQueue: 0, breaker: 'CLOSED', isEnabled: true };

export function expectAllOrdered(result: OutageResult): void {
  expect(result).toMatchObject({ ...RECOVERED, wrong: [], deadLetters: [] });
  expect(result.longestInvocationMs).toBeLessThan(WORKER_TIMEOUT_MS);
  expect(result.minutesToTheLastOrder).toBeLessThanOrEqual(30);
}

const PAGED_WITHIN_MINUTES = 15;

export function expectPagedSoon({ minutesToThePause, page }: OutageResult): void {
  expect(minutesToThePause).toBeLessThanOrEqual(PAGED_WITHIN_MINUTES);
  expect(page?.afterMinutes).toBeLessThanOrEqual(PAGED_WITHIN_MINUTES);
}

export function expectFewDeadLetters(result: OutageResult): void {
  expect(result).toMatchObject(RECOVERED);
  // Each of the two execution environments decides alone. Before the fifth successive failure of different carts, an
  // outage looks like a cart that 11VMS cannot process.
  expect(result.deadLetters.length).toBeLessThanOrEqual(2);
  for (const { verdict } of result.deadLetters) expect(verdict).toMatchObject([{ code: 'E_TGT_UNAVAILABLE' }]);
  expect([...result.wrong].sort()).toEqual(result.deadLetters.map(({ cart }) => cart).sort());
  expect([...result.ordersPerCart.values()].every((orders) => orders <= 1)).toBe(true);
}
