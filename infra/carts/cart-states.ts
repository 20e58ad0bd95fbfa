/** The states that the ledger lists. */
export const STATES = ['dead-lettered', 'skipped', 'ordered'] as const;
export type ListedState = (typeof STATES)[number];
