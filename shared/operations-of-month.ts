/** Reads what people did by hand: the items of shared/operations.ts. */
import * as z from 'zod';
import type { LedgerTable } from './ledger-table.ts';
import { operationsPartition } from './operations.ts';

/** Never fails on a field that another version of this interface wrote. */
const operationItem = z
  .object({
    sk: z.string(),
    action: z.string().catch(''),
    by: z.string().catch(''),
    reason: z.string().catch(''),
    requestId: z.string().catch(''),
    subject: z.string().catch(''),
    startedAtMs: z.number().catch(0),
    cartNumbers: z.array(z.string()).catch([]),
    messageIds: z.array(z.string()).catch([]),
    /** Absent where no end is recorded: it still runs, or its function died. */
    endedAtMs: z.number().optional().catch(undefined),
    outcome: z.object({ result: z.string(), summary: z.string() }).optional().catch(undefined),
  })
  .transform(({ sk, ...operation }) => ({ id: sk, ...operation }));
export type Operation = Readonly<z.output<typeof operationItem>>;

/** In the order in which they began. `month` is in UTC, such as 2026-11. */
export async function operationsOfMonth(
  table: Pick<LedgerTable, 'queryItems'>,
  month: string,
): Promise<readonly Operation[]> {
  return (await table.queryItems(operationsPartition(month), '')).map((item) => operationItem.parse(item));
}
