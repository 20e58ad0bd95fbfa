/**
 * The reconciliation's state, in one item of the ledger's table, and what each of its runs found, in an item of its own: what
 * SRM approved in a period, against what became of it.
 */
import * as z from 'zod';
import { PARTITIONS } from '../../shared/ledger-keys.ts';
import type { LedgerTable } from '../../shared/ledger-table.ts';
import { expiresAt } from '../../shared/lifetimes.ts';

export interface ReconciliationState {
  /** When the schedule last started a reconciliation. */
  readonly startedMs?: number;
  /** How far an unfinished reconciliation has read; undefined when the last one is finished. */
  readonly reachedMs?: number;
  /** Whether an unfinished reconciliation reads up to the watermark. */
  readonly includesLastHour?: boolean;
  /** How wide the slices of an unfinished reconciliation are, since a run of it got nowhere. */
  readonly sliceMs?: number;
  /** Whether an unfinished reconciliation goes back fewer days than the daily one, in whose place it does not count. */
  readonly isPartial?: boolean;
  /** How far the unfinished one had read that a partial one interrupts, and that is continued afterwards. */
  readonly interruptedMs?: number;
}

const count = z.number().default(0);
const report = z.object({
  runId: z.string().default(''),
  /** `stopped` and `paused`: as in the run's result. */
  status: z.enum(['complete', 'stopped', 'paused']),
  endedMs: z.number(),
  /** The approved carts that were last changed in SRM from then on ... */
  fromMs: z.number(),
  /** ... and before then. */
  toMs: z.number(),
  /** The sum of the counts below. */
  cartsRead: count,
  created: count,
  inFlight: count,
  deadLettered: count,
  closed: count,
  skipped: count,
  queuedAgain: count,
  notJudged: count,
  unidentified: count,
});
/** What a run found. One that a run out of time continues has a report for each run. */
export type ReconciliationReport = Readonly<z.infer<typeof report>>;

export interface ReconciliationRecord {
  read(): Promise<ReconciliationState>;
  write(state: ReconciliationState): Promise<void>;
  keepReport(report: ReconciliationReport): Promise<void>;
  /** By their end, from a moment on; oldest first. */
  reports(sinceMs: number): Promise<readonly ReconciliationReport[]>;
}

const stateSchema = z.object({
  startedMs: z.number().exactOptional(),
  reachedMs: z.number().exactOptional(),
  includesLastHour: z.boolean().exactOptional(),
  sliceMs: z.number().positive().exactOptional(),
  isPartial: z.boolean().exactOptional(),
  interruptedMs: z.number().exactOptional(),
});

const REPORT = 'REPORT#';

export function createReconciliationRecord(table: LedgerTable, sapClient: string): ReconciliationRecord {
  const pk = PARTITIONS.reconciliation + sapClient;
  const key = { pk, sk: 'RECONCILIATION' };

  return {
    read: async () => stateSchema.parse((await table.getItem(key)) ?? {}),
    async write(state) {
      await table.putItem({ ...key, ...state });
    },
    async keepReport(report) {
      await table.putItem({
        pk,
        sk: `${REPORT}${new Date(report.endedMs).toISOString()}#${report.runId}`,
        ...report,
        expiresAt: expiresAt(report.endedMs, 'audit'),
      });
    },
    async reports(sinceMs) {
      // One or two a day: all of a year are a page.
      const items = await table.queryItems(pk, REPORT);
      return items.flatMap((item) => {
        const { data } = report.safeParse(item);
        return data === undefined || data.endedMs < sinceMs ? [] : [data];
      });
    },
  };
}
