/**
 * How long the ledger keeps an item; DynamoDB deletes it within days of `expiresAt`.
 *
 * | item                                               | kept     | why                                                                       |
 * |----------------------------------------------------|----------|---------------------------------------------------------------------------|
 * | queued, verdict, skip, redrive, closed, numbers    | 90 days  | a message lives 18 days, and the reconciliation asks for 60 at most       |
 * | operation, report of a reconciliation              | 400 days | an audit spans a year                                                     |
 * | plan                                               | 1 day    | a redrive takes none that is older than an hour                           |
 * | order                                              | for ever | the cart may be approved again at any time: without it, a second order    |
 * | watermark, breaker, state of a reconciliation      | for ever | one item each, which is written over                                      |
 */
const KEPT_DAYS = { trace: 90, audit: 400, plan: 1 } as const;

/** DynamoDB's time to live, in seconds since 1970. */
export const expiresAt = (nowMs: number, kept: keyof typeof KEPT_DAYS): number =>
  Math.floor(nowMs / 1000) + KEPT_DAYS[kept] * 24 * 3600;
