/**
 * Which versions of carts are durably queued, one item each in the ledger's table (shared/ledger.ts). A run asks before it
 * queues, so that the overlap, which each run reads again, is not queued again. A crash between the queue and the item
 * queues a second copy, which is harmless: the ledger makes one order of both.
 *
 * An item holds no content. The hash of the row is part of its key: two changes of a cart may carry the same ChangedAt.
 */
import { createHash } from 'node:crypto';
import { inLanes } from './lanes.ts';
import { cartPartition, queuedSort } from './ledger.ts';
import type { Item, ItemKey, LedgerTable } from './ledger-table.ts';
import type { SourceRow } from './reading/source-row.ts';

/** The run that queues, and when. */
export interface Queueing {
  readonly runId: string;
  readonly nowMs: number;
}

export interface QueuedVersions {
  /** The rows whose version is not known to be queued. */
  unqueued(rows: readonly SourceRow[]): Promise<readonly SourceRow[]>;
  /** Records rows that were just queued for the first time. Returns how many could not be recorded. */
  record(rows: readonly SourceRow[], queueing: Queueing): Promise<number>;
  /** Records copies of rows that may be recorded already: the time of the first queueing stays. */
  recordCopies(rows: readonly SourceRow[], queueing: Queueing): Promise<void>;
}

/** Longer than a message lives: 4 days on the queue and 14 in the dead-letter queue, then time for questions. */
const LIFETIME_SECONDS = 90 * 24 * 3600;
const WRITES_AT_ONCE = 10;

export function createQueuedVersions(table: LedgerTable, sapClient: string): QueuedVersions {
  const keyOf = ({ number, guid, changedAtMs, source }: SourceRow): ItemKey => ({
    pk: cartPartition({ client: sapClient, number, guid }),
    sk: queuedSort(`${changedAtMs ?? '-'}#${hashOf(source)}`),
  });
  const factsOf = ({ guid, changedAtMs }: SourceRow, { runId, nowMs }: Queueing): Item => ({
    runId,
    queuedAtMs: nowMs,
    expiresAt: Math.floor(nowMs / 1000) + LIFETIME_SECONDS,
    ...(changedAtMs === undefined ? {} : { changedAtMs }),
    ...(guid === undefined ? {} : { guid }),
  });
  /** The same row twice on a page is one item, and DynamoDB refuses a batch that names a key twice. */
  const byKey = (rows: readonly SourceRow[]): Map<string, { readonly key: ItemKey; readonly row: SourceRow }> =>
    new Map(
      rows.map((row) => {
        const key = keyOf(row);
        return [textOf(key), { key, row }];
      }),
    );

  return {
    async unqueued(rows) {
      const versions = byKey(rows);
      for (const key of await table.existingKeys([...versions.values()].map(({ key }) => key))) {
        versions.delete(textOf(key));
      }
      return [...versions.values()].map(({ row }) => row);
    },
    record: (rows, queueing) =>
      table.putItems([...byKey(rows).values()].map(({ key, row }) => ({ ...factsOf(row, queueing), ...key }))),
    async recordCopies(rows, queueing) {
      await inLanes([...byKey(rows).values()], WRITES_AT_ONCE, async ({ key, row }) => {
        const { queuedAtMs, ...facts } = factsOf(row, queueing);
        const names = Object.keys(facts);
        await table.updateItem(key, {
          UpdateExpression: `SET queuedAtMs = if_not_exists(queuedAtMs, :queuedAtMs), copiedAtMs = :queuedAtMs, ${names
            .map((name) => `${name} = :${name}`)
            .join(', ')}`,
          ExpressionAttributeValues: {
            ':queuedAtMs': queuedAtMs,
            ...Object.fromEntries(names.map((name) => [`:${name}`, facts[name]])),
          },
        });
      });
    },
  };
}

const hashOf = (source: unknown): string =>
  createHash('sha256').update(JSON.stringify(source)).digest('hex').slice(0, 16);

const textOf = ({ pk, sk }: ItemKey): string => `${pk} ${sk}`;
