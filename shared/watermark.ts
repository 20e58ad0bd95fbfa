/**
 * How far SRM has been read, and which run may read: one item, written only under conditions (rules.md, "Reading
 * without gaps"; edge cases 5, 9, 11).
 *
 * `watermark` is the end of the last slice that was read whole. `position` is how far the slice under way is durably
 * queued; it is dropped when the slice turns out to be incomplete, so that the slice is read again from its start.
 * `sliceMs` is how wide slices are, from a run that got nowhere until one that is complete.
 */
import * as z from 'zod';
import { PARTITIONS } from './ledger-keys.ts';
import type { LedgerTable } from './ledger-table.ts';

const watermarkItem = z.object({
  watermarkMs: z.number().optional(),
  positionMs: z.number().optional(),
  sliceMs: z.number().positive().optional(),
});
/** All undefined before the first run. */
export type WatermarkItem = z.infer<typeof watermarkItem>;

export interface Lease {
  readonly runId: string;
  readonly leaseMs: number;
}

export interface Watermark {
  /** Reads the item without taking the lease. */
  read(): Promise<WatermarkItem>;
  /** Takes the lease; undefined while another run holds it. */
  acquire(lease: Lease, nowMs: number): Promise<WatermarkItem | undefined>;
  /** Moves the position forward, never back. @throws {LeaseLost} */
  advancePosition(lease: Lease, positionMs: number, nowMs: number): Promise<void>;
  /** Moves the watermark forward, never back: the slice is whole. @throws {LeaseLost} */
  completeSlice(lease: Lease, watermarkMs: number, nowMs: number): Promise<void>;
  /** Forgets the position in the slice under way: the slice must be read again. @throws {LeaseLost} */
  dropPosition(lease: Lease, nowMs: number): Promise<void>;
  /** How wide the slices of the next run are; undefined: as wide as SRM allows. @throws {LeaseLost} */
  keepSliceWidth(lease: Lease, sliceMs: number | undefined, nowMs: number): Promise<void>;
  /** Lets the next run start at once. Changes nothing when the run has lost its lease. */
  release(lease: Lease): Promise<void>;
}

/** Another run holds the watermark now; this one must stop. */
export class LeaseLost extends Error {
  constructor() {
    super('Another extraction run holds the watermark: this run lasted longer than its lease and stops here');
    this.name = 'LeaseLost';
  }
}

export function createWatermark(table: LedgerTable, sapClient: string): Watermark {
  const key = { pk: PARTITIONS.watermark + sapClient, sk: 'WATERMARK' };

  /** One conditional write; undefined when the condition does not hold. */
  async function write(
    UpdateExpression: string,
    ConditionExpression: string,
    ExpressionAttributeValues: Record<string, string | number>,
  ): Promise<WatermarkItem | undefined> {
    const result = await table.updateItem(key, {
      UpdateExpression,
      ConditionExpression,
      ExpressionAttributeValues,
      ReturnValues: 'ALL_NEW',
    });
    return result.kind === 'refused' ? undefined : watermarkItem.parse(result.item);
  }

  /** A write of the holder, which also renews the lease. */
  async function hold(
    lease: Lease,
    nowMs: number,
    change: { set?: string; remove?: string; value?: number; mayFall?: boolean },
  ): Promise<void> {
    const set = change.set === undefined ? '' : `, ${change.set} = :value`;
    const remove = change.remove === undefined ? '' : ` REMOVE ${change.remove}`;
    const forward =
      change.set === undefined || change.mayFall === true
        ? ''
        : ` AND (attribute_not_exists(${change.set}) OR ${change.set} <= :value)`;
    const held = await write(`SET leaseUntilMs = :until${set}${remove}`, `leaseOwner = :owner${forward}`, {
      ':owner': lease.runId,
      ':until': nowMs + lease.leaseMs,
      ...(change.value === undefined ? {} : { ':value': change.value }),
    });
    if (held === undefined) throw new LeaseLost();
  }

  return {
    async read() {
      return watermarkItem.parse((await table.getItem(key)) ?? {});
    },
    acquire: (lease, nowMs) =>
      write(
        'SET leaseOwner = :owner, leaseUntilMs = :until',
        'attribute_not_exists(leaseOwner) OR leaseUntilMs < :now OR leaseOwner = :owner',
        { ':owner': lease.runId, ':until': nowMs + lease.leaseMs, ':now': nowMs },
      ),
    advancePosition: (lease, positionMs, nowMs) => hold(lease, nowMs, { set: 'positionMs', value: positionMs }),
    completeSlice: (lease, watermarkMs, nowMs) =>
      hold(lease, nowMs, { set: 'watermarkMs', value: watermarkMs, remove: 'positionMs' }),
    dropPosition: (lease, nowMs) => hold(lease, nowMs, { remove: 'positionMs' }),
    keepSliceWidth: (lease, sliceMs, nowMs) =>
      hold(
        lease,
        nowMs,
        sliceMs === undefined ? { remove: 'sliceMs' } : { set: 'sliceMs', value: sliceMs, mayFall: true },
      ),
    release: async (lease) => {
      await write('REMOVE leaseOwner, leaseUntilMs', 'leaseOwner = :owner', { ':owner': lease.runId });
    },
  };
}
