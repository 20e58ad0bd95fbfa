/**
 * Stores what a plan has shown, so that a redrive moves exactly that: pk `PLAN#<hash>`, sk `PLAN`. The item expires after a
 * day; a redrive takes no plan that is older than an hour.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { FORECAST_KINDS } from '../../shared/forecast.ts';
import { PARTITIONS } from '../../shared/ledger-keys.ts';
import type { LedgerTable } from '../../shared/ledger-table.ts';
import { expiresAt } from '../../shared/lifetimes.ts';

/**
 * Beside the worker's own forecasts. `sent`: an earlier redrive sent it, and what is left of it is to be deleted; `closed`: a
 * person settled it by hand.
 */
const PLANNED_KINDS = [...FORECAST_KINDS, 'sent', 'closed'] as const;
export type PlannedKind = (typeof PLANNED_KINDS)[number];

const plannedMessage = z.object({
  messageId: z.string(),
  client: z.string(),
  number: z.string().optional(),
  guid: z.string().optional(),
  /** Of the cart's version, where it is known. */
  changedAtMs: z.number().optional(),
  /** For which it was given up. */
  codes: z.array(z.string()),
  forecast: z.enum(PLANNED_KINDS),
  orders: z.number(),
  /** Whether the redrive moves it. */
  moves: z.boolean(),
});
export type PlannedMessage = Readonly<z.output<typeof plannedMessage>>;

const planItem = z.object({
  plannedAtMs: z.number(),
  messages: z.array(plannedMessage),
});
export type RedrivePlan = Readonly<z.output<typeof planItem>>;

export interface PlanRecord {
  /** Returns the plan's hash, which names it. */
  save(plan: RedrivePlan & { readonly selection: unknown }): Promise<string>;
  read(hash: string): Promise<RedrivePlan | undefined>;
}

const key = (hash: string) => ({ pk: PARTITIONS.plan + hash, sk: 'PLAN' });

export function createPlanRecord(table: LedgerTable): PlanRecord {
  return {
    async save(plan) {
      // Plain JSON: DynamoDB takes no undefined.
      const text = JSON.stringify(plan);
      const hash = createHash('sha256').update(text).digest('hex').slice(0, 32);
      await table.putItem({
        ...z.record(z.string(), z.unknown()).parse(JSON.parse(text)),
        ...key(hash),
        expiresAt: expiresAt(plan.plannedAtMs, 'plan'),
      });
      return hash;
    },
    async read(hash) {
      const item = await table.getItem(key(hash));
      return item === undefined ? undefined : planItem.parse(item);
    },
  };
}
