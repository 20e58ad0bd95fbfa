/** Records copies of carts that a replay or the reconciliation has queued: the time of the first queueing stays. */
import { inLanes } from './lanes.ts';
import type { LedgerTable } from './ledger-table.ts';
import { distinctVersions, queuedFacts, type Queueing } from './queued-item.ts';
import type { SourceRow } from './reading/source-row.ts';

export type RecordCopies = (rows: readonly SourceRow[], queueing: Queueing) => Promise<void>;

const WRITES_AT_ONCE = 10;

export const createRecordCopies =
  (table: LedgerTable, sapClient: string): RecordCopies =>
  async (rows, queueing) => {
    await inLanes([...distinctVersions(rows, sapClient).values()], WRITES_AT_ONCE, async ({ key, row }) => {
      const { queuedAtMs, ...facts } = queuedFacts(row, queueing);
      const names = Object.keys(facts);
      const sets = names.map((name) => `${name} = :${name}`).join(', ');
      await table.updateItem(key, {
        UpdateExpression: `SET queuedAtMs = if_not_exists(queuedAtMs, :now), copiedAtMs = :now, ${sets}`,
        ExpressionAttributeValues: {
          ':now': queuedAtMs,
          ...Object.fromEntries(names.map((name) => [`:${name}`, facts[name]])),
        },
      });
    });
  };
