/** The reconciliation's state, in one item of the ledger's table. */
import * as z from 'zod';
import type { LedgerTable } from '../../shared/ledger-table.ts';

export interface ReconciliationState {
  /** When the schedule last started a reconciliation. */
  readonly startedMs?: number;
  /** How far an unfinished reconciliation has read; undefined when the last one is finished. */
  readonly reachedMs?: number;
  /** Whether an unfinished reconciliation reads up to the watermark. */
  readonly includesLastHour?: boolean;
}

export interface ReconciliationRecord {
  read(): Promise<ReconciliationState>;
  write(state: ReconciliationState): Promise<void>;
}

const stateSchema = z.object({
  startedMs: z.number().exactOptional(),
  reachedMs: z.number().exactOptional(),
  includesLastHour: z.boolean().exactOptional(),
});

export function createReconciliationRecord(table: LedgerTable, sapClient: string): ReconciliationRecord {
  const key = { pk: `RECONCILIATION#${sapClient}`, sk: 'RECONCILIATION' };

  return {
    read: async () => stateSchema.parse((await table.getItem(key)) ?? {}),
    async write(state) {
      await table.putItem({ ...key, ...state });
    },
  };
}
