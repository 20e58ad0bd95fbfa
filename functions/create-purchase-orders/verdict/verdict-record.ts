/** Stores verdicts in the ledger's table, one item a message (shared/ledger.ts). What they mean: verdict.ts. */
import * as z from 'zod';
import { cartDeadLetteredEvent } from '../../../shared/event-attribute.ts';
import type { Fault } from '../../../shared/failure.ts';
import {
  type CartKey,
  cartPartition,
  type CartVersion,
  VERDICT_STATES,
  verdictSort,
  type VerdictState,
  versionFields,
} from '../../../shared/ledger-keys.ts';
import type { ItemKey, LedgerTable } from '../../../shared/ledger-table.ts';
import { expiresAt } from '../../../shared/lifetimes.ts';
import { listed } from '../../../shared/lists.ts';
import { boundedFaults, recordedFaults } from '../../../shared/recorded-faults.ts';

interface VerdictPlace {
  readonly cart: CartKey;
  readonly messageId: string;
}

/** The message that a verdict is about. */
export interface VerdictKey extends VerdictPlace {
  readonly cart: CartVersion;
}

export interface Verdict {
  readonly state: VerdictState;
  readonly faults: readonly Fault[];
}

export interface VerdictTimes {
  readonly nowMs: number;
  /** When SQS took the message: a dead letter is deleted 14 days after that, whenever it was given up. */
  readonly sentAtMs?: number;
}

/** Every method throws the SDK's error when the table does not answer. */
export interface VerdictRecord {
  read(place: VerdictPlace): Promise<Verdict | undefined>;
  record(key: VerdictKey, verdict: Verdict & VerdictTimes): Promise<void>;
  /** PROVISIONAL or FINAL to WITHDRAWN. Changes nothing where there is no verdict. */
  withdraw(key: VerdictKey): Promise<void>;
}

/** In a state that this version does not know, it is not read: the attempt that follows comes to a verdict of its own. */
const verdictItem = z.object({ state: z.enum(VERDICT_STATES), faults: recordedFaults });

const itemKey = ({ cart, messageId }: VerdictPlace): ItemKey => ({
  pk: cartPartition(cart),
  sk: verdictSort(messageId),
});

/** Only a verdict that is FINAL is an event: the final attempt may still withdraw a PROVISIONAL one. */
function eventOf({ state, nowMs, faults, ...key }: VerdictKey & Verdict & VerdictTimes) {
  const event = state === 'FINAL' ? cartDeadLetteredEvent(key, faults, nowMs) : undefined;
  return event === undefined ? {} : { event };
}

export function createVerdictRecord(table: LedgerTable): VerdictRecord {
  return {
    async read({ cart, messageId }) {
      const item = await table.getItem(itemKey({ cart, messageId }));
      return item === undefined ? undefined : verdictItem.parse(item);
    },
    async record({ cart, messageId }, { state, faults, nowMs, sentAtMs }) {
      await table.putItem({
        ...itemKey({ cart, messageId }),
        state,
        ...versionFields(cart),
        faults: boundedFaults(faults),
        codes: [...new Set(faults.map(({ code }) => code))],
        ...(state === 'WITHDRAWN' ? {} : listed('DEAD-LETTERED', nowMs)),
        ...eventOf({ state, cart, messageId, faults, nowMs }),
        recordedAtMs: nowMs,
        ...(sentAtMs === undefined ? {} : { sentAtMs }),
        expiresAt: expiresAt(nowMs, 'trace'),
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
