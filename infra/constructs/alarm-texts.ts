/**
 * Every alarm in words: what is wrong, and the impact on people. The key is the end of the alarm's name, and its heading
 * in infra/runbook.md; a test holds that both lists are the same.
 */
import type { FaultOwner } from '../../shared/failure.ts';
import type { Environment } from '../environments.ts';
import { namedOwners } from '../owners.ts';

export interface AlarmText {
  readonly what: string;
  readonly impact: string;
  /** Whom the runbook may tell to call, besides the interface team. */
  readonly owners?: readonly FaultOwner[];
}

/** An alarm that pages. */
export interface PageText extends AlarmText {
  /** As PagerDuty knows it. */
  readonly severity: 'critical' | 'error';
}

const CARTS_WAIT = 'requesters and buyers: their approved carts are not ordered meanwhile';

/** The alarms that page. Each combines the metric alarms that one incident sets off, so that the incident pages once. */
export const PAGING_ALARMS = {
  'orders-stopped': {
    what: 'Carts are read but not ordered: consumption is paused, 11VMS or SRM refuses us, carts wait too long, or the worker fails.',
    impact: `all ${CARTS_WAIT}.`,
    owners: ['11VMS team', 'SRM team'],
    severity: 'critical',
  },
  'extraction-stopped': {
    what: 'Approved carts are no longer read from SRM: no run succeeds, or SRM refuses us.',
    impact: `all ${CARTS_WAIT}. Nothing is lost: the next good run reads the whole gap.`,
    owners: ['SRM team'],
    severity: 'critical',
  },
  'dead-letters-urgent': {
    what: 'There are many dead letters, each one version of a cart, or the dead-letter queue has not been empty for a week.',
    impact: 'the requesters of those carts; SQS deletes a dead letter 14 days after its cart was queued.',
    owners: ['mapping owner', '11VMS team', 'buyer'],
    severity: 'error',
  },
} as const satisfies Record<string, PageText>;

/**
 * Alarms of one metric each. They mail, so that an incident is known even when its page gets lost; one with a severity
 * pages instead.
 */
export const METRIC_ALARMS = {
  'consumption-paused': {
    what: 'The circuit breaker keeps consumption paused, or its supervisor no longer reports.',
    impact: `all ${CARTS_WAIT}.`,
    owners: ['11VMS team'],
  },
  'target-refused': {
    what: '11VMS refuses us (401 after a refresh, 403, 404 on the collection), or SRM does for single carts.',
    impact: `all ${CARTS_WAIT}. Nothing is wrong with the carts.`,
    owners: ['11VMS team'],
  },
  'oldest-message-too-old': {
    what: 'The oldest message has waited too long on the cart queue: each is one version of a cart.',
    impact: 'the requesters of the waiting carts: their orders are late.',
    owners: ['11VMS team'],
  },
  'cart-waiting-too-long': {
    what: 'A cart has waited for hours, was tried and has to wait again: 11VMS throttles us all the time, or something fails without a pause.',
    impact: 'the requesters of such carts: their orders are hours late. Nothing is lost: the carts are requeued.',
    owners: ['11VMS team'],
  },
  'worker-failing': {
    what: 'At least half of the invocations of the worker crash or time out.',
    impact:
      'all requesters: each crash uses up one attempt of the carts of its batch, and four crashes make a good cart a dead letter.',
  },
  'no-extraction': {
    what: 'No extraction has succeeded for longer than the alarm allows: by default three intervals of a rate, three days of a cron.',
    impact: `all ${CARTS_WAIT}.`,
    owners: ['SRM team'],
  },
  'source-refused': {
    what: 'SRM refuses us (401 after a refresh, 403): runs fail until a person acts.',
    impact: `all ${CARTS_WAIT}.`,
    owners: ['SRM team'],
  },
  'dead-letters-many': {
    what: 'So many dead letters, each one version of a cart, have one cause: a value map, master data or a release, not single carts.',
    impact: 'the requesters of those carts, and of every cart like them that comes next.',
    owners: ['mapping owner', '11VMS team'],
  },
  'dead-letters-unattended': {
    what: 'The dead-letter queue has not been empty for a week.',
    impact: 'the requesters of those carts: SQS deletes a dead letter 14 days after its cart was queued.',
    owners: ['mapping owner', 'SRM team', '11VMS team', 'buyer'],
  },
  'new-dead-letter': {
    what: 'A cart became a dead letter.',
    impact: 'the requester of that cart: it is not ordered, or only in part, until a person acts.',
    owners: ['mapping owner', 'SRM team', '11VMS team', 'buyer'],
  },
  'scheduler-failed': {
    what: 'EventBridge Scheduler could not invoke a function, or dropped an invocation.',
    impact: 'requesters, if it continues: carts are read late, and a paused consumption is not resumed.',
  },
  'scheduled-run-failed': {
    what: 'A scheduled run failed, crashed or timed out, or Lambda never started it.',
    impact:
      'none yet: the next run does the work. If it does not, no-extraction, no-reconciliation or consumption-paused follows.',
  },
  'worker-crashed': {
    what: 'An invocation of the worker crashed, ran out of memory or timed out.',
    impact: 'the carts of that batch: they are tried again after the visibility time-out, with one attempt less.',
  },
  'functions-throttled': {
    what: 'Lambda throttles a function of ours: the concurrency of the account is used up.',
    impact:
      'requesters: carts are read and ordered late. A throttled batch uses up one attempt of its carts. The optional functions only report or write later.',
  },
  'worker-near-timeout': {
    what: 'Invocations of the worker come close to its time-out.',
    impact: 'none yet: the next step is worker-crashed.',
    owners: ['11VMS team'],
  },
  'extractor-near-timeout': {
    what: 'Runs of the extractor come close to its time-out, where they stop themselves.',
    impact: 'requesters, if it continues: a run that stops leaves the rest of its window to the next one.',
    owners: ['SRM team'],
  },
  backlog: {
    what: 'More messages wait than a day brings: each is one version of a cart.',
    impact: 'requesters: new carts wait behind them.',
    owners: ['11VMS team'],
  },
  'retry-rate': {
    what: 'Many attempts end in a retry: 11VMS, its proxy or the ledger is unhealthy.',
    impact: 'requesters: their orders are late.',
    owners: ['11VMS team', 'SRM team'],
  },
  'unknown-outcomes': {
    what: '11VMS often gives no clear answer to a create.',
    impact: 'requesters: orders are late, since each is looked up before it is posted again.',
    owners: ['11VMS team'],
  },
  'target-throttled': {
    what: '11VMS has throttled us for a quarter of an hour.',
    impact: 'requesters: their orders are late.',
    owners: ['11VMS team'],
  },
  'carts-recovered': {
    what: 'The daily reconciliation recovered approved carts that had been lost on the way.',
    impact:
      'their requesters: the orders are up to a day late. The next such cart is, too, until the gap is understood.',
    owners: ['SRM team'],
  },
  'no-reconciliation': {
    what: 'The daily reconciliation has not completed for more than a day.',
    impact: 'none yet; but a cart that the runs miss is now ordered late or not at all.',
  },
  'pages-undelivered': {
    what: 'PagerDuty did not take a page, after all retries.',
    impact: 'the person on call does not know of an incident: read the alarms in CloudWatch now.',
  },
  'mails-undelivered': {
    what: 'SNS could not deliver alarm mails.',
    impact: 'the readers of those mails do not know of failed carts.',
    severity: 'error',
  },
} as const satisfies Record<string, AlarmText | PageText>;

/**
 * Alarms without actions: they tell no person, and the rules of paging alarms name them. A latch (`first-...`) holds a page
 * back until there is a first data point; on a new stack, silence is no incident.
 */
export const SILENT_ALARMS = {
  'first-extraction': 'OK since the first extraction that completed. Before it, extraction-stopped does not page.',
  'first-supervision': 'OK since the supervisor first reported. Before it, consumption-paused does not page.',
  'paused-lately':
    'In ALARM during a pause that pages, and for nearly half an hour after it. Meanwhile, dead-letters-many does not page.',
} as const;

export interface PlatformAlarmText extends AlarmText {
  /** The blocks of the environment entry: the alarm exists with any of them. */
  readonly blocks: readonly (keyof Environment)[];
}

/** Alarms of the platforms around the interface. All of them mail: no cart waits for a platform. */
export const PLATFORM_ALARMS = {
  'logs-not-forwarded': {
    blocks: ['logForwarding'],
    what: 'Log lines do not reach Splunk or Elastic.',
    impact: 'those who read the logs there; CloudWatch Logs holds every line.',
  },
  'cloud-alm-not-told': {
    blocks: ['cloudAlm'],
    what: 'SAP Cloud ALM does not get the health metrics.',
    impact: 'those who watch the interface in Cloud ALM; the alarms here do not depend on it.',
  },
  'events-undelivered': {
    blocks: ['events'],
    what: 'A subscriber did not take an event, after all retries, or a pipe fails.',
    impact: 'the subscriber does not know of an order or of a dead letter; the ledger does.',
  },
  'events-standing-still': {
    blocks: ['events', 'orderNumbers'],
    what: 'Orders are created or carts dead-lettered, and the pipe of their events does not run.',
    impact: 'subscribers do not know of them, and SRM of no order number; the ledger does.',
  },
  'order-numbers-unwritten': {
    blocks: ['orderNumbers'],
    what: 'The number of an order could not be written back to its cart in SRM, or waits for days.',
    impact: 'the requester does not see in SRM that the cart is ordered; the order itself exists.',
    owners: ['SRM team'],
  },
} as const satisfies Record<string, PlatformAlarmText>;

export const isSilent = (name: string): name is SilentAlarm => Object.hasOwn(SILENT_ALARMS, name);

export type PagingAlarm = keyof typeof PAGING_ALARMS;
export type SilentAlarm = keyof typeof SILENT_ALARMS;
export type MetricAlarm = keyof typeof METRIC_ALARMS;
export type PlatformAlarm = keyof typeof PLATFORM_ALARMS;

export const isPage = (text: AlarmText): text is PageText => 'severity' in text;

const PAGES: ReadonlySet<string> = new Set(
  Object.entries<AlarmText>({ ...PAGING_ALARMS, ...METRIC_ALARMS }).flatMap(([name, text]) =>
    isPage(text) ? [name] : [],
  ),
);

/** @param name The end of an alarm's name. */
export const doesPage = (name: string): boolean => PAGES.has(name);

/** The description of an alarm, as the person who is paged reads it. */
export function alarmDescription(
  name: string,
  { what, impact, owners = [] }: AlarmText,
  environment: Environment,
): string {
  const named = namedOwners(environment, owners);
  return [
    what,
    `Impact: ${impact}`,
    ...(named.length === 0 ? [] : [`Owners: ${named.join('; ')}.`]),
    `Runbook: ${environment.notifications.runbookUrl}#${name}`,
  ].join(' ');
}
