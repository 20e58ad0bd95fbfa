/** What the reconciliation remembers: how far an unfinished look has come, in one item of the ledger's table. */
import * as z from 'zod';
import type { LedgerTable } from '../../shared/ledger-table.ts';

export interface ReconciliationRecord {
  /** Where a look that was not finished goes on; undefined when the last one was. */
  reached(): Promise<number | undefined>;
  reach(reachedMs: number): Promise<void>;
  finish(): Promise<void>;
}

const record = z.object({ reachedMs: z.number().optional() });

export function createReconciliationRecord(table: LedgerTable, sapClient: string): ReconciliationRecord {
  const key = { pk: `RECONCILIATION#${sapClient}`, sk: 'RECONCILIATION' };

  return {
    async reached() {
      return record.parse((await table.getItem(key)) ?? {}).reachedMs;
    },
    async reach(reachedMs) {
      await table.putItem({ ...key, reachedMs });
    },
    async finish() {
      await table.putItem(key);
    },
  };
}
