/**
 * Every alarm in words: what is wrong, and who is hurt. Its key is the end of the alarm's name and its heading in
 * infra/runbook.md; a test holds that both lists are the same.
 */

export interface AlarmText {
  readonly what: string;
  readonly hurts: string;
}

const BUYERS_WAIT = 'requesters and buyers: their approved carts are not ordered until somebody acts';

/** Those that wake somebody: each gathers the alarms that one incident trips, so that it pages once. */
export const PAGING_ALARMS = {
  'orders-stopped': {
    what: 'Carts are read but not ordered: consumption is paused, we are refused, the oldest cart waits too long, or the worker fails.',
    hurts: `all ${BUYERS_WAIT}.`,
  },
  'extraction-stopped': {
    what: 'Approved carts are no longer read from SRM: no run succeeds, or SRM refuses us.',
    hurts: `all ${BUYERS_WAIT}. Nothing is lost: the next good run reads the whole gap.`,
  },
  'dead-letters-urgent': {
    what: 'Dead letters pile up, or have lain there for a week.',
    hurts: 'the requesters of those carts; SQS deletes a dead letter 14 days after its cart was queued.',
  },
} as const satisfies Record<string, AlarmText>;

/** Those of one metric each. All of them mail, so that a page that gets lost is not the only word of an incident. */
export const METRIC_ALARMS = {
  'consumption-paused': {
    what: 'The circuit breaker keeps consumption paused, or its supervisor no longer tells whether it does.',
    hurts: `all ${BUYERS_WAIT}.`,
  },
  'target-refused': {
    what: '11VMS refuses us (401 after a refresh, 403, 404 on the collection), or SRM does for single carts.',
    hurts: `all ${BUYERS_WAIT}. Nothing is wrong with the carts.`,
  },
  'oldest-message-too-old': {
    what: 'The oldest queued cart has waited too long.',
    hurts: 'the requesters of the waiting carts: their orders are late.',
  },
  'worker-failing': {
    what: 'At least half of the invocations of the worker crash or time out.',
    hurts: 'all requesters: each crash uses up a receive of up to 10 carts, and four of them dead-letter a good cart.',
  },
  'no-extraction': {
    what: 'No extraction has succeeded in two intervals of the schedule.',
    hurts: `all ${BUYERS_WAIT}.`,
  },
  'source-refused': {
    what: 'SRM refuses us (401 after a refresh, 403): runs will fail until somebody acts.',
    hurts: `all ${BUYERS_WAIT}.`,
  },
  'dead-letters-many': {
    what: 'So many dead letters have one cause: a value map, master data or a release, not single carts.',
    hurts: 'the requesters of those carts, and of every cart like them that comes next.',
  },
  'dead-letters-unattended': {
    what: 'The dead-letter queue has not been empty for a week.',
    hurts: 'the requesters of those carts: SQS deletes a dead letter 14 days after its cart was queued.',
  },
  'new-dead-letter': {
    what: 'A cart became a dead letter.',
    hurts: 'the requester of that cart: it is not ordered, or only in part, until somebody acts.',
  },
  'scheduler-failed': {
    what: 'EventBridge Scheduler could not invoke a function, or dropped an invocation.',
    hurts: 'requesters, if it goes on: carts are read late, and a paused consumption is not resumed.',
  },
  'scheduled-run-failed': {
    what: 'A scheduled run failed, crashed or timed out, or Lambda never started it.',
    hurts: 'nobody yet: the next run makes up for it. no-extraction, no-reconciliation and consumption-paused tell when it does not.',
  },
  'worker-crashed': {
    what: 'An invocation of the worker crashed, ran out of memory or timed out.',
    hurts: 'up to 10 carts of that batch: they are tried again after the visibility time-out, with one receive less.',
  },
  'functions-throttled': {
    what: 'Lambda throttles a function of ours: the concurrency of the account is used up.',
    hurts: 'requesters: carts are read and ordered late. A throttled batch uses up a receive.',
  },
  'worker-near-timeout': {
    what: 'Invocations of the worker come close to its time-out.',
    hurts: 'nobody yet: the next step is worker-crashed.',
  },
  'extractor-near-timeout': {
    what: 'Runs of the extractor come close to its time-out, where they stop themselves.',
    hurts: 'requesters, if it goes on: a run that stops leaves the rest of its window to the next one.',
  },
  backlog: {
    what: 'More carts are queued than a day brings.',
    hurts: 'requesters: new carts wait behind them.',
  },
  'retry-rate': {
    what: 'Many attempts end in a retry: 11VMS, its proxy or the ledger is unwell.',
    hurts: 'requesters: their orders are late.',
  },
  'unknown-outcomes': {
    what: '11VMS often gives no clear answer to a create.',
    hurts: 'requesters: orders are late, since each is looked up before it is posted again.',
  },
  'target-throttled': {
    what: '11VMS throttles us for a quarter of an hour and longer.',
    hurts: 'requesters: their orders are late.',
  },
  'carts-recovered': {
    what: 'The daily reconciliation brought back approved carts that had been lost on the way.',
    hurts:
      'their requesters: the orders are up to a day late. The next such cart is, too, until the gap is understood.',
  },
  'no-reconciliation': {
    what: 'The daily reconciliation has not completed for more than a day.',
    hurts: 'nobody yet: but a cart that the runs miss is now missed by everybody.',
  },
  'reconciliation-failed': {
    what: 'A run of the reconciliation failed, crashed or timed out.',
    hurts: 'nobody yet: the next run goes on where this one ended. no-reconciliation tells when it does not.',
  },
  'pages-undelivered': {
    what: 'PagerDuty did not take a page, after all retries.',
    hurts: 'the person on call, who does not know of an incident: look at the alarms in CloudWatch now.',
  },
  'mails-undelivered': {
    what: 'SNS could not deliver alarm mails.',
    hurts: 'the readers of those mails, who do not know of failed carts.',
  },
} as const satisfies Record<string, AlarmText>;

export type PagingAlarm = keyof typeof PAGING_ALARMS;
export type MetricAlarm = keyof typeof METRIC_ALARMS;

/** The description of an alarm, as the person who is paged reads it. */
export const alarmDescription = (name: string, { what, hurts }: AlarmText, runbookUrl: string): string =>
  `${what} Impact: ${hurts} Runbook: ${runbookUrl}#${name}`;
