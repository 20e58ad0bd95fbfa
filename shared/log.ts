/** Structured logs and EMF metrics, by Powertools. A line can carry only listed fields. */
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { LOG_EVENTS, type LogEvent } from './log-events.ts';
import type { METRICS } from './metric-names.ts';
import { printable } from './printable-text.ts';

/** The only fields a log line can carry: identifiers, counts, codes and reasons; no payload and no secret. `by` names an operator. */
export interface LogFields {
  readonly cartNumber?: string | undefined;
  readonly cartGuid?: string | undefined;
  readonly messageId?: string | undefined;
  readonly runId?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly externalId?: string | undefined;
  readonly orderId?: string | undefined;
  readonly orderNumber?: string | undefined;
  readonly outcome?: string;
  readonly codes?: readonly string[];
  readonly reason?: string;
  readonly reasons?: readonly string[];
  /** Of an act by hand: what, by whom, on what, and what came of it. */
  readonly action?: string;
  readonly by?: string;
  readonly subject?: string;
  readonly summary?: string;
  readonly attempt?: number;
  readonly retryInSeconds?: number;
  readonly waitingSince?: string;
  readonly pausedSince?: string | undefined;
  readonly cartsWaiting?: number | undefined;
  readonly nextTrialAt?: string | undefined;
  readonly requeues?: number;
  readonly status?: number | undefined;
  readonly transactionId?: string | undefined;
  readonly changedFrom?: string;
  readonly changedTo?: string;
  readonly watermark?: string;
  readonly pages?: number;
  readonly rows?: number;
  readonly queued?: number;
  readonly expected?: number;
  readonly skewSeconds?: number;
  /** How many carts the reconciliation found in each status. */
  readonly created?: number;
  readonly inFlight?: number;
  readonly deadLettered?: number;
  readonly closed?: number;
  readonly skipped?: number;
  readonly queuedAgain?: number;
  readonly notJudged?: number;
  readonly unidentified?: number;
  readonly system?: string;
  readonly method?: string;
  readonly durationMs?: number;
  readonly droppedLines?: number;
  readonly errorName?: string;
  readonly stack?: string | undefined;
}

export interface Log {
  info(event: LogEvent, fields?: LogFields): void;
  warn(event: LogEvent, fields?: LogFields): void;
  error(event: LogEvent, fields?: LogFields): void;
  /** A log that puts these fields on each of its lines. */
  with(fields: LogFields): Log;
}

/**
 * Fields of Powertools that repeat what `service` says: a third of each line. An empty value is not printed.
 */
const SAID_BY_SERVICE = { function_arn: '', function_name: '', function_memory_size: '' };

/** Wraps Powertools' logger; `Logger` itself takes its service name and level from the environment. */
export function createLog(logger: Logger, common: Readonly<Record<string, unknown>> = SAID_BY_SERVICE): Log {
  const line = (fields: LogFields = {}) => ({ ...common, ...readable(fields) });
  const write =
    (level: 'info' | 'warn' | 'error'): Log['info'] =>
    (event, fields) =>
      logger[level](LOG_EVENTS[event], { event, ...line(fields) });
  return {
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    // Not a child logger of Powertools: each costs as much as five lines, and every cart has one.
    with: (fields) => createLog(logger, line(fields)),
  };
}

const MAXIMUM_TEXT = 1000;
const MAXIMUM_LIST = 100;

/** Text from other systems must stay on one line and must not fill the log. The frames of a stack are our own. */
function readable({ stack, ...fields }: LogFields): Record<string, unknown> {
  const shown = (value: unknown): unknown => {
    if (typeof value === 'string') return printable(value, MAXIMUM_TEXT);
    return Array.isArray(value) ? value.slice(0, MAXIMUM_LIST).map(shown) : value;
  };
  const entries = Object.entries(fields).map(([name, value]) => [name, shown(value)]);
  return { ...Object.fromEntries(entries), ...(stack === undefined ? {} : { stack: stack.slice(0, 4000) }) };
}

/**
 * The fields of an unexpected error: its name and the frames of its stack. Its message is left out, since it may quote
 * personal data.
 */
export function errorFields(error: unknown): Pick<LogFields, 'errorName' | 'stack'> {
  if (!(error instanceof Error)) return { errorName: typeof error };
  const frames = error.stack?.split('\n').filter((line) => /^\s+at /.test(line));
  return { errorName: error.name, stack: frames?.join('\n') };
}

type MetricName = (typeof METRICS)[keyof typeof METRICS];

export interface Meter {
  count(name: MetricName, value?: number): void;
  milliseconds(name: MetricName, value: number): void;
  seconds(name: MetricName, value: number): void;
}

/** With the dimension that all metrics of the interface have beside `service`, which is Powertools' own. */
export const createMetrics = (environment: string): Metrics =>
  new Metrics({
    defaultDimensions: { environment },
    // It would warn, in plain text, of every invocation without a metric: each dead letter has three such invocations.
    logger: { ...console, warn: () => undefined },
  });

/** Metrics are gathered here and written as one EMF line when the invocation ends. */
export function createMeter(metrics: Metrics): Meter {
  return {
    count: (name, value = 1) => {
      metrics.addMetric(name, MetricUnit.Count, value);
    },
    milliseconds: (name, value) => {
      metrics.addMetric(name, MetricUnit.Milliseconds, value);
    },
    seconds: (name, value) => {
      metrics.addMetric(name, MetricUnit.Seconds, value);
    },
  };
}
