/**
 * The ledger's index by day and by state: what people ask for. Its keys, such as `listedAs` CREATED#2026-11-27 and
 * `listedAtMs`, are written with the item that they list; all other items are not in the index.
 */
export const LISTED_INDEX = 'listed';

/** What the index holds of an item, beside the keys. */
export const LISTED_FIELDS = ['changedAtMs', 'orderId', 'orderNumber', 'reason', 'codes', 'sentAtMs'] as const;

export const LISTS = ['CREATED', 'SKIPPED', 'DEAD-LETTERED'] as const;
export type List = (typeof LISTS)[number];
/** The index's partition: one list of one day in UTC, such as CREATED#2026-11-27. */
export const listOfDay = (list: List, day: string): string => `${list}#${day}`;
/** The index's keys of an item. */
export const listed = (list: List, nowMs: number) => ({
  listedAs: listOfDay(list, new Date(nowMs).toISOString().slice(0, 10)),
  listedAtMs: nowMs,
});
