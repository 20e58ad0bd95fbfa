/**
 * What people did by hand: one item an act, with who did it, why, and what came of it.
 *
 * | pk                  | sk               |
 * |---------------------|------------------|
 * | OPERATION#<yyyy-mm> | <instant>#<uuid> |
 *
 * The item is written before the act, so that no act is without one, and completed after it. An act whose function died
 * has no end. The items of a month, in UTC, are in the order in which the acts began.
 */
import * as z from 'zod';
import { InterfaceError } from './failure.ts';
import { PARTITIONS } from './ledger-keys.ts';
import type { ItemKey, LedgerTable } from './ledger-table.ts';
import { expiresAt } from './lifetimes.ts';
import { errorFields, type Log } from './log.ts';
import { printable } from './printable-text.ts';
import { settingAll } from './setting-all.ts';

export const ACTIONS = [
  'pause',
  'resume',
  'replay-window',
  'replay-cart',
  'reconcile',
  'redrive',
  'redrive-all',
  'cancel-redrive-all',
  'look',
  'close',
] as const;
export type Action = (typeof ACTIONS)[number];

const MAXIMUM_BY = 256;
const MAXIMUM_REASON = 200;
const MAXIMUM_TEXT = 500;
/** Of cart numbers, and of message ids. */
export const MAXIMUM_IDS = 500;

const oneLine = (maximum: number) =>
  z
    .string()
    .trim()
    .max(maximum, { abort: true })
    .refine((text) => printable(text, text.length) === text, 'must be one line, without control characters');

/** What every event of an act by hand holds beside its own fields. */
export const byHand = {
  /** Who asks, as `aws sts get-caller-identity` names them. */
  by: oneLine(MAXIMUM_BY).min(1, 'must name who asks, as `aws sts get-caller-identity` does'),
  reason: oneLine(MAXIMUM_REASON)
    .min(3, 'must say why, in 3 to 200 characters: the reason is kept with the act')
    .refine(
      (text) => !/\S@\S/.test(text),
      'must hold no personal data, and it holds an e-mail address: name a ticket or a team instead',
    ),
} as const;
export type ByHand = Readonly<z.output<z.ZodObject<typeof byHand>>>;

export interface OperationRequest extends ByHand {
  readonly action: Action;
  /** Lambda's id of the invocation, which its log lines carry, too. */
  readonly requestId: string;
  /** On what, in words: `cart 1010000123`. */
  readonly subject: string;
  /** Without leading zeros. */
  readonly cartNumbers?: readonly string[];
  readonly messageIds?: readonly string[];
}

export interface OperationOutcome {
  /** `stopped`: only a part was done; the summary says why. */
  readonly result: 'done' | 'stopped' | 'failed';
  /** In words and numbers. */
  readonly summary: string;
  /** Where they are known only after the act. */
  readonly cartNumbers?: readonly string[];
}

export type OperationKey = ItemKey;
type WritableTable = Pick<LedgerTable, 'updateItem'>;

/** The month is in UTC, such as 2026-11. */
export const operationsPartition = (month: string): string => PARTITIONS.operation + month;

/** `id` makes the key unique: a new UUID. */
export async function beginOperation(
  table: WritableTable,
  { cartNumbers, messageIds, ...request }: OperationRequest,
  { nowMs, id }: { readonly nowMs: number; readonly id: string },
): Promise<OperationKey> {
  const instant = new Date(nowMs).toISOString();
  const key = { pk: operationsPartition(instant.slice(0, 7)), sk: `${instant}#${id}` };
  // Refused only where DynamoDB's first answer was lost and the SDK repeats the write: the item is ours.
  await table.updateItem(key, {
    ...settingAll({
      ...request,
      subject: printable(request.subject, MAXIMUM_TEXT),
      ...(cartNumbers && { cartNumbers: cartNumbers.slice(0, MAXIMUM_IDS) }),
      ...(messageIds && { messageIds: messageIds.slice(0, MAXIMUM_IDS) }),
      startedAtMs: nowMs,
      expiresAt: expiresAt(nowMs, 'audit'),
    }),
    ConditionExpression: 'attribute_not_exists(pk)',
  });
  return key;
}

/** The first end stays. */
export async function endOperation(
  table: WritableTable,
  key: OperationKey,
  { result, summary, cartNumbers }: OperationOutcome,
  nowMs: number,
): Promise<void> {
  await table.updateItem(key, {
    ...settingAll({
      endedAtMs: nowMs,
      outcome: { result, summary: printable(summary, MAXIMUM_TEXT) },
      ...(cartNumbers && { cartNumbers: cartNumbers.slice(0, MAXIMUM_IDS) }),
    }),
    ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(endedAtMs)',
  });
}

export interface OperationDependencies {
  readonly table: WritableTable;
  readonly log: Log;
  readonly now: () => number;
  readonly newId: () => string;
}

/**
 * Does the act between its two records, and writes its one log line. An act that cannot be recorded is not done; one that
 * was done is not undone because its end cannot be recorded.
 */
export async function recordOperation<Result>(
  request: OperationRequest,
  { act, outcomeOf }: { readonly act: () => Promise<Result>; readonly outcomeOf: (result: Result) => OperationOutcome },
  { table, log, now, newId }: OperationDependencies,
): Promise<Result> {
  const key = await beginOperation(table, request, { nowMs: now(), id: newId() });
  const { action, by, reason, subject } = request;
  async function end(outcome: OperationOutcome): Promise<void> {
    log.info('operation.ended', {
      action,
      by,
      reason,
      subject,
      outcome: outcome.result,
      summary: outcome.summary,
      cartNumber: onlyOf(outcome.cartNumbers ?? request.cartNumbers),
      messageId: onlyOf(request.messageIds),
    });
    await endOperation(table, key, outcome, now()).catch((error: unknown) => {
      log.warn('operation.end-not-recorded', { action, ...errorFields(error) });
    });
  }
  try {
    const result = await act();
    await end(outcomeOf(result));
    return result;
  } catch (error) {
    // Other messages may quote personal data.
    const summary = error instanceof InterfaceError ? error.message : (errorFields(error).errorName ?? '');
    await end({ result: 'failed', summary });
    throw error;
  }
}

const onlyOf = (ids: readonly string[] = []): string | undefined => (ids.length === 1 ? ids[0] : undefined);
