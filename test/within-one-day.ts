import { setTimeout } from 'node:timers/promises';

const DAY_MS = 86_400_000;

/**
 * For tests of what the ledger lists by day and month, under a clock that cannot be set: waits past midnight (UTC) when it
 * is nearer than what the test needs.
 */
export async function withinOneDay(neededMs: number): Promise<void> {
  const leftMs = DAY_MS - (Date.now() % DAY_MS);
  if (leftMs <= neededMs) await setTimeout(leftMs);
}
