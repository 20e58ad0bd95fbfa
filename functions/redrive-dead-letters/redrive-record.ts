/**
 * The life of a dead letter in a person's hands, in the partition of its cart (shared/ledger.ts). A redrive's states:
 *
 * | state   | meaning                                                                 | next    |
 * |---------|-------------------------------------------------------------------------|---------|
 * | none    | no redrive has begun                                                    | SENDING |
 * | SENDING | it may be on the cart queue as a new message: a second one does no harm | SENT    |
 * | SENT    | it is, under `newMessageId`; what is left of it is to be deleted        | DONE    |
 * | DONE    | it is deleted                                                           | -       |
 *
 * A dead letter that is SENT or closed leaves the list of open ones (shared/lists.ts).
 */
import * as z from 'zod';
import type { Fault } from '../../shared/failure.ts';
import {
  type CartKey,
  cartPartition,
  closedSort,
  REDRIVE_STATES,
  redriveSort,
  type RedriveState,
  verdictSort,
} from '../../shared/ledger-keys.ts';
import type { LedgerTable } from '../../shared/ledger-table.ts';
import { expiresAt } from '../../shared/lifetimes.ts';
import type { ByHand } from '../../shared/operations.ts';
import { recordedFaults } from '../../shared/recorded-faults.ts';
import { settingAll } from '../../shared/setting-all.ts';

export interface LetterKey {
  readonly cart: CartKey;
  readonly messageId: string;
}

/** What the ledger says of one dead letter. */
export interface LetterRecord {
  /** Why it was given up; empty where no verdict says so. */
  readonly faults: readonly Fault[];
  readonly givenUpAtMs: number | undefined;
  /** The version of the cart, where it was read. */
  readonly changedAtMs: number | undefined;
  readonly redrive: RedriveState | undefined;
  readonly isClosed: boolean;
}

export type BegunRedrive =
  | { readonly kind: 'begun' }
  /** An earlier run sent it: only the dead letter is to be deleted. */
  | { readonly kind: 'sent-before'; readonly newMessageId: string };

/** Every method throws the SDK's error when the table does not answer; each may be repeated. */
export interface RedriveRecord {
  read(key: LetterKey): Promise<LetterRecord>;
  /** None or SENDING to SENDING. */
  begin(
    key: LetterKey,
    act: ByHand & { readonly changedAtMs: number | undefined },
    nowMs: number,
  ): Promise<BegunRedrive>;
  /** SENDING to SENT. */
  sent(key: LetterKey, newMessageId: string, sentAtMs: number): Promise<void>;
  /** SENT to DONE. */
  done(key: LetterKey): Promise<void>;
  /** The first closing stays. */
  close(key: LetterKey, act: ByHand & { readonly changedAtMs: number | undefined }, nowMs: number): Promise<void>;
  /** Takes it out of the list of open dead letters. */
  unlist(key: LetterKey): Promise<void>;
}

const verdictItem = z.object({
  faults: recordedFaults.default([]),
  recordedAtMs: z.number().optional(),
  changedAtMs: z.number().optional(),
});
const redriveItem = z.object({ state: z.enum(REDRIVE_STATES).catch('SENDING'), newMessageId: z.string().default('') });

export function createRedriveRecord(table: LedgerTable): RedriveRecord {
  const at = ({ cart, messageId }: LetterKey, sortOf: (messageId: string) => string) => ({
    pk: cartPartition(cart),
    sk: sortOf(messageId),
  });

  return {
    async read(key) {
      const [verdict, redrive, closed] = await Promise.all(
        [verdictSort, redriveSort, closedSort].map((sortOf) => table.getItem(at(key, sortOf))),
      );
      const { faults, recordedAtMs, changedAtMs } = verdictItem.parse(verdict ?? {});
      return {
        faults,
        givenUpAtMs: recordedAtMs,
        changedAtMs,
        redrive: redrive === undefined ? undefined : redriveItem.parse(redrive).state,
        isClosed: closed !== undefined,
      };
    },
    async begin(key, { by, reason, changedAtMs }, nowMs) {
      const begun = settingAll({
        state: 'SENDING',
        by,
        reason,
        changedAtMs,
        startedAtMs: nowMs,
        expiresAt: expiresAt(nowMs, 'trace'),
      });
      const { kind } = await table.updateItem(at(key, redriveSort), {
        ...begun,
        ExpressionAttributeValues: { ...begun.ExpressionAttributeValues, ':sending': 'SENDING' satisfies RedriveState },
        ConditionExpression: 'attribute_not_exists(pk) OR #state = :sending',
      });
      if (kind === 'written') return { kind: 'begun' };
      const { newMessageId } = redriveItem.parse((await table.getItem(at(key, redriveSort))) ?? {});
      return { kind: 'sent-before', newMessageId };
    },
    async sent(key, newMessageId, sentAtMs) {
      await table.updateItem(
        at(key, redriveSort),
        settingAll({ state: 'SENT' satisfies RedriveState, newMessageId, sentAtMs }),
      );
    },
    async done(key) {
      await table.updateItem(at(key, redriveSort), settingAll({ state: 'DONE' satisfies RedriveState }));
    },
    async close(key, { by, reason, changedAtMs }, nowMs) {
      await table.updateItem(at(key, closedSort), {
        ...settingAll({ by, reason, changedAtMs, recordedAtMs: nowMs, expiresAt: expiresAt(nowMs, 'trace') }),
        ConditionExpression: 'attribute_not_exists(pk)',
      });
    },
    async unlist(key) {
      await table.updateItem(at(key, verdictSort), {
        UpdateExpression: 'REMOVE listedAs, listedAtMs',
        ConditionExpression: 'attribute_exists(pk)',
      });
    },
  };
}
