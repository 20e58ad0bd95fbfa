/** Tells Cloud ALM how the interface is. A run that fails is not repeated: the next one tells what is true then. */
import { InterfaceError } from '../../shared/failure.ts';
import { errorFields, type Log } from '../../shared/log.ts';
import type { CloudAlm } from './cloud-alm.ts';
import { type InterfaceState, ratedMetrics, type RatedMetric } from './health-metrics.ts';
import { HEALTH_VALUES, type Rating } from './interface-health.ts';

export interface ReportDependencies {
  readonly readState: () => Promise<InterfaceState>;
  readonly cloudAlm: CloudAlm;
  readonly log: Log;
}

export interface ReportResult {
  /** What was told, by name. */
  readonly told: Readonly<Record<string, Rating>>;
  /** The values without data, which were not told. */
  readonly withoutData: readonly string[];
}

export async function reportToCloudAlm({ readState, cloudAlm, log }: ReportDependencies): Promise<ReportResult> {
  try {
    const metrics = ratedMetrics(await readState());
    await cloudAlm.push(metrics);
    const result = resultOf(metrics);
    log.info('health.reported', { summary: summaryOf(result) });
    return result;
  } catch (error) {
    const known =
      error instanceof InterfaceError ? { codes: [error.fault.code], reason: error.fault.message } : undefined;
    log.error('health.not-reported', known ?? errorFields(error));
    throw error;
  }
}

function resultOf(metrics: readonly RatedMetric[]): ReportResult {
  const told = Object.fromEntries(metrics.map(({ name, rating }) => [name, rating]));
  return { told, withoutData: HEALTH_VALUES.map(({ name }) => name).filter((name) => !Object.hasOwn(told, name)) };
}

function summaryOf({ told, withoutData }: ReportResult): string {
  const notOk = Object.entries(told).filter(([, rating]) => rating !== 'ok');
  return [
    notOk.length === 0 ? 'all ok' : notOk.map(([name, rating]) => `${name} ${rating}`).join(', '),
    ...(withoutData.length === 0 ? [] : [`without data: ${withoutData.join(', ')}`]),
  ].join('; ');
}
