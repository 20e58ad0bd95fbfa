/** The texts of the saved queries. The console asks some of them, too, and loads no CDK for it. */
import type { LogEvent } from '../../shared/log-events.ts';

/** The fields of a line that tell a cart's story. */
export const STORY_FIELDS = [
  '@timestamp',
  'service',
  'level',
  'event',
  'message',
  'outcome',
  'reason',
  'reasons.0',
  'errorName',
  'externalId',
  'orderNumber',
  'attempt',
  'messageId',
  'runId',
] as const;

/** By title. The operator fills in what stands in angle brackets. */
export const SAVED_QUERIES = {
  // The cart number has no leading zeros, as in the ledger. Lines about a run have no cart number: see "one run".
  "one cart's story": [
    `fields ${STORY_FIELDS.join(', ')}`,
    'filter cartNumber = "<cart number>" or messageId = "<message id>" or externalId = "<externalId>"',
    'sort @timestamp asc',
    'limit 1000',
  ],
  'dead letters': [
    'fields @timestamp, cartNumber, codes.0 as code, reasons.0 as why, attempt, messageId',
    `filter event = "${'cart.dead-lettered' satisfies LogEvent}"`,
    'sort @timestamp desc',
    'limit 200',
  ],
  'dead letters by reason': [
    `filter event = "${'cart.dead-lettered' satisfies LogEvent}"`,
    'stats count_distinct(cartNumber) as carts, count_distinct(messageId) as messages, latest(cartNumber) as latestCart, latest(reasons.0) as latestReason by codes.0',
    // A message that is no cart has no cart number.
    'sort messages desc',
  ],
  // Why consumption paused, the result of each trial, and when it resumed; from the worker and the supervisor. Who paused
  // or resumed it by hand, and why.
  pauses: [
    'filter event like /^consumption\\./ or action in ["pause", "resume"]',
    'fields @timestamp, service, event, message, action, by, reason, cartsWaiting, nextTrialAt',
    'sort @timestamp desc',
    'limit 100',
  ],
  // The ledger holds them, too, for more than a year: runbook, "Before you start".
  'acts by hand': [
    `filter event = "${'operation.ended' satisfies LogEvent}"`,
    'fields @timestamp, action, subject, by, reason, outcome, summary',
    'sort @timestamp desc',
    'limit 200',
  ],
  // Only calls of 3 s and more have a log line; the metrics hold the durations of all calls.
  'slowest calls': [
    `filter event = "${'call.slow' satisfies LogEvent}"`,
    'fields @timestamp, system, method, status, durationMs, correlationId',
    'sort durationMs desc',
    'limit 50',
  ],
  'one run': [
    'fields @timestamp, service, level, event, message, changedFrom, changedTo, watermark, pages, rows, queued, cartNumber, outcome, codes.0, reason, errorName',
    'filter runId = "<run id>"',
    'sort @timestamp asc',
    'limit 1000',
  ],
  runs: [
    'filter service in ["extract-approved-carts", "reconcile-carts"] and (ispresent(watermark) or level = "ERROR" or event = "extraction.locked")',
    'fields @timestamp, service, event, message, runId, watermark, pages, rows, queued, codes.0, reason, errorName',
    'sort @timestamp desc',
    'limit 100',
  ],
  // Every way in which Lambda says that a function died: the `Status` of the lines REPORT and INIT_REPORT (its guide,
  // "Telemetry API Event schema": success, failure, error, timeout), the types of errors that its runtime interface
  // emulator lists, and what the runtime of Node.js writes for an uncaught error.
  crashes: [
    'fields @timestamp, @log, @message',
    'filter @message like /Status: (error|failure|timeout)|Task timed out|Runtime exited|Process exited|^(Runtime|Extension|Function|Sandbox)\\.[A-Z]|ERROR\\s+(Invoke Error|Uncaught Exception|Unhandled Promise Rejection)/',
    'sort @timestamp desc',
    'limit 100',
  ],
} as const satisfies Record<string, readonly string[]>;

export type SavedQuery = keyof typeof SAVED_QUERIES;

/** A query as CloudWatch takes it. */
export const queryText = (title: SavedQuery): string => SAVED_QUERIES[title].join('\n| ');
