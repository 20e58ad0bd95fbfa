/**
 * Which versions of carts are durably queued. A run asks before it queues, so that the overlap, which each run reads again, is
 * not queued again. A crash between the queue and the record queues a copy, which is harmless: the ledger makes one order of
 * both.
 */
import type { LedgerTable } from './ledger-table.ts';
import { distinctVersions, type KeyedRow, keyText, queuedFacts, type Queueing } from './queued-item.ts';
import type { SourceRow } from './reading/source-row.ts';

export interface QueuedVersions {
  /** Those whose version is not known to be queued. */
  unqueued(rows: readonly SourceRow[]): Promise<readonly KeyedRow[]>;
  /** Records what was just queued for the first time. Returns how many could not be recorded. */
  record(versions: readonly KeyedRow[], queueing: Queueing): Promise<number>;
}

export function createQueuedVersions(table: LedgerTable, sapClient: string): QueuedVersions {
  return {
    async unqueued(rows) {
      const versions = distinctVersions(rows, sapClient);
      for (const key of await table.existingKeys([...versions.values()].map(({ key }) => key))) {
        versions.delete(keyText(key));
      }
      return [...versions.values()];
    },
    record: (versions, queueing) =>
      table.putItems(versions.map(({ key, row }) => ({ ...queuedFacts(row, queueing), ...key }))),
  };
}
