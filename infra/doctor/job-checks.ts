/** Checks when each scheduled job last succeeded, by the metric that it counts then. */
import { paginateGetMetricData } from '@aws-sdk/client-cloudwatch';
import { METRIC_NAMESPACE, METRICS, SERVICE_NAMES } from '../../shared/metric-names.ts';
import type { Environment } from '../environments.ts';
import { nextFiring } from '../schedule.ts';
import { fail, type Finding, ok } from './finding.ts';
import type { DeployedContext } from './stack-context.ts';

interface Job {
  readonly name: string;
  readonly service: keyof typeof SERVICE_NAMES;
  /** Counted by each run that succeeds. */
  readonly metric: keyof typeof METRICS;
  /** When a success is due after an instant; undefined for never. */
  readonly dueMs: (afterMs: number, environment: Environment) => number | undefined;
  readonly advice: string;
}

/** After so many scheduled runs one should have succeeded. */
const MISSED_RUNS = 3;
/** A metric is minutes late, whatever the schedule. */
const LEAST_SILENCE_MS = 15 * 60_000;
const HOUR_MS = 3_600_000;
/** As far back as an alarm of CloudWatch looks. */
const LOOK_BACK_MS = 7 * 24 * HOUR_MS;
const PERIOD_SECONDS = 60;

const JOBS: readonly Job[] = [
  {
    name: 'extraction',
    service: 'extractor',
    metric: 'extractionCompleted',
    dueMs: (afterMs, { extraction }) => runsAfter(extraction, Math.max(afterMs, Date.parse(extraction.firstWatermark))),
    advice: 'read its log (infra/runbook.md, "no-extraction")',
  },
  {
    name: 'reconciliation',
    service: 'reconciler',
    metric: 'reconciliationCompleted',
    dueMs: (afterMs, { notifications }) => afterMs + notifications.thresholds.reconciliationSilenceHours * HOUR_MS,
    advice: 'read its log (infra/runbook.md, "no-reconciliation")',
  },
  {
    name: 'supervision',
    service: 'supervisor',
    metric: 'consumptionPaused',
    dueMs: (afterMs) => afterMs + LEAST_SILENCE_MS,
    advice: 'read its log (infra/runbook.md, "consumption-paused")',
  },
];

/** The time of the last of {@link MISSED_RUNS} runs after an instant. */
export function runsAfter({ schedule, timeZone }: Environment['extraction'], fromMs: number): number | undefined {
  let at: Date | undefined = new Date(fromMs);
  for (let run = 0; run < MISSED_RUNS && at !== undefined; run++) at = nextFiring(schedule, timeZone, at);
  return at?.getTime();
}

export async function checkJobs(context: DeployedContext): Promise<readonly Finding[]> {
  const { cloudwatch, environment, now, stack } = context;
  const endMs = now();
  const lastMs = new Map<string, number>();
  const request = {
    StartTime: new Date(endMs - LOOK_BACK_MS),
    EndTime: new Date(endMs),
    MetricDataQueries: JOBS.map(({ name, service, metric }) => ({
      Id: name,
      MetricStat: {
        Metric: {
          Namespace: METRIC_NAMESPACE,
          MetricName: METRICS[metric],
          Dimensions: [
            { Name: 'service', Value: SERVICE_NAMES[service] },
            { Name: 'environment', Value: environment.name },
          ],
        },
        Period: PERIOD_SECONDS,
        Stat: 'SampleCount',
      },
    })),
  };
  for await (const { MetricDataResults: results = [] } of paginateGetMetricData({ client: cloudwatch }, request)) {
    for (const { Id: id = '', Timestamps: times = [] } of results) {
      const newest = Math.max(lastMs.get(id) ?? Number.NEGATIVE_INFINITY, ...times.map((time) => time.getTime()));
      if (Number.isFinite(newest)) lastMs.set(id, newest);
    }
  }
  return JOBS.map(({ name, dueMs, advice }) => {
    const succeededMs = lastMs.get(name);
    // A job of a new stack is due after its creation.
    const sinceMs = succeededMs ?? Math.max(stack.createdMs, endMs - LOOK_BACK_MS);
    const dueBy = dueMs(sinceMs, environment);
    const what =
      succeededMs === undefined
        ? `${name} has not succeeded in 7 days`
        : `${name} last succeeded at ${new Date(succeededMs).toISOString().slice(0, 16)}Z`;
    const isLate = dueBy !== undefined && Math.max(dueBy, sinceMs + LEAST_SILENCE_MS) < endMs;
    if (isLate) return fail(`${what}: it is overdue`, advice);
    return ok(succeededMs === undefined ? `${name} is not due yet` : what);
  });
}
