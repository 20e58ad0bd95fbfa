/** Stores verdicts in the ledger's table, one item a message (shared/ledger.ts). What they mean: verdict.ts. */
import * as z from 'zod';
import type { Fault } from '../../../shared/failure.ts';
import {
  cartPartition,
  type CartVersion,
  VERDICT_STATES,
  verdictSort,
  type VerdictState,
} from '../../../shared/ledger-keys.ts';
import type { ItemKey, LedgerTable } from '../../../shared/ledger-table.ts';
import { listed } from '../../../shared/lists.ts';
import { boundedFaults, recordedFaults } from '../../../shared/recorded-faults.ts';

/** The message that a verdict is about. */
export interface VerdictKey {
  readonly cart: CartVersion;
  readonly messageId: string;
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
}

/** A verdict outlives its message: 4 days on the queue, 14 in the dead-letter queue, then time for questions. */
const VERDICT_LIFETIME_SECONDS = 90 * 24 * 3600;

/** In a state that this version does not know, it is not read: the attempt that follows comes to a verdict of its own. */
const verdictItem = z.object({ state: z.enum(VERDICT_STATES), faults: recordedFaults });

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
    async record({ cart, messageId }, { state, faults, nowMs }) {
      await table.putItem({
        ...itemKey({ cart, messageId }),
        state,
        ...(cart.changedAtMs === undefined ? {} : { changedAtMs: cart.changedAtMs }),
        faults: boundedFaults(faults),
        codes: [...new Set(faults.map(({ code }) => code))],
        ...(state === 'WITHDRAWN' ? {} : listed('DEAD-LETTERED', nowMs)),
        recordedAtMs: nowMs,
        expiresAt: Math.floor(nowMs / 1000) + VERDICT_LIFETIME_SECONDS,
      });
    },
    async withdraw({ cart, messageId }) {
      await table.updateItem(itemKey({ cart, messageId }), {
        UpdateExpression: 'SET #state = :withdrawn REMOVE listedAs, listedAtMs',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeNames: { '#state': 'state' },
        ExpressionAttributeValues: { ':withdrawn': 'WITHDRAWN' satisfies VerdictState },
      });
    },
  };
}
