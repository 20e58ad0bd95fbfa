/** Stores verdicts in the ledger's table, one item a message (shared/ledger.ts). What they mean: verdict.ts. */
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import type { Fault } from '../../../shared/failure.ts';
import {
  cartPartition,
  type CartVersion,
  VERDICT_STATES,
  verdictSort,
  type VerdictState,
} from '../../../shared/ledger.ts';
import type { ItemKey, LedgerTable } from '../../../shared/ledger-table.ts';
import { boundedFaults, recordedFaults } from '../../../shared/recorded-faults.ts';
import { isDuplicateVerdict } from './verdict.ts';

/** The message that a verdict is about. */
export interface VerdictKey {
  readonly cart: CartVersion;
  readonly messageId: string;
  /** The extraction run that queued it; a redrive or a copy keeps it. Undefined where the message cannot be read. */
  readonly runId: string | undefined;
}

export interface Verdict {
  readonly state: VerdictState;
  readonly faults: readonly Fault[];
}

/** Every method throws the SDK's error when the table does not answer. */
export interface VerdictRecord {
  read(key: VerdictKey): Promise<Verdict | undefined>;
  record(key: VerdictKey, verdict: Verdict & { readonly nowMs: number }): Promise<void>;
  /** PROVISIONAL or FINAL to WITHDRAWN. Changes nothing where there is no verdict. */
  withdraw(key: VerdictKey): Promise<void>;
  /** `isDuplicateVerdict`, over all verdicts of the cart. */
  hasDuplicate(
    cart: CartVersion,
    reading: { readonly runId: string; readonly faults: readonly Fault[] },
    sinceMs: number,
  ): Promise<boolean>;
}

/** A verdict outlives its message: 4 days on the queue, 14 in the dead-letter queue, then time for questions. */
const VERDICT_LIFETIME_SECONDS = 90 * 24 * 3600;

/** In a state that this version does not know, it is not read: the attempt that follows comes to a verdict of its own. */
const verdictItem = z.object({ state: z.enum(VERDICT_STATES), faults: recordedFaults });
/** The faults of another reading are only compared: an older version of this code may have written them. */
const otherVerdictItem = z.object({
  state: z.enum(VERDICT_STATES),
  runId: z.string().optional(),
  changedAtMs: z.number().optional(),
  recordedAtMs: z.number(),
  faults: z.unknown(),
});

const itemKey = ({ cart, messageId }: Pick<VerdictKey, 'cart' | 'messageId'>): ItemKey => ({
  pk: cartPartition(cart),
  sk: verdictSort(messageId),
});

export function createVerdictRecord(table: LedgerTable): VerdictRecord {
  return {
    async read({ cart, messageId }) {
      const item = await table.getItem(itemKey({ cart, messageId }));
      return item === undefined ? undefined : verdictItem.parse(item);
    },
    async record({ cart, messageId, runId }, { state, faults, nowMs }) {
      await table.putItem({
        ...itemKey({ cart, messageId }),
        state,
        ...(cart.changedAtMs === undefined ? {} : { changedAtMs: cart.changedAtMs }),
        ...(runId === undefined ? {} : { runId }),
        faults: boundedFaults(faults),
        recordedAtMs: nowMs,
        expiresAt: Math.floor(nowMs / 1000) + VERDICT_LIFETIME_SECONDS,
      });
    },
    async withdraw({ cart, messageId }) {
      await table.updateItem(itemKey({ cart, messageId }), {
        UpdateExpression: 'SET #state = :withdrawn',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeNames: { '#state': 'state' },
        ExpressionAttributeValues: { ':withdrawn': 'WITHDRAWN' satisfies VerdictState },
      });
    },
    async hasDuplicate(cart, { runId, faults }, sinceMs) {
      const items = await table.queryItems(cartPartition(cart), verdictSort(''));
      const bounded = boundedFaults(faults);
      const others = items.flatMap((stored) => {
        const { success, data: item } = otherVerdictItem.safeParse(stored);
        // A verdict of another version of this interface, in a state that this one does not know, stands for no other.
        if (!success) return [];
        const { runId, changedAtMs } = item;
        return [{ ...item, runId, changedAtMs, isSameFaults: isDeepStrictEqual(item.faults, bounded) }];
      });
      return isDuplicateVerdict(others, { runId, changedAtMs: cart.changedAtMs, sinceMs });
    },
  };
}
