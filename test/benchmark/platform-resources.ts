/** What each optional block adds to the template of production: synthesized with the block and without it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import * as z from 'zod';
import { bundleFunctions } from '../../infra/bundle.ts';
import { grafanaDashboard } from '../../infra/docs/grafana.ts';
import { type Environment, ENVIRONMENTS, parseEnvironment } from '../../infra/environments.ts';
import { loadTemplate } from '../../infra/local/aws/template.ts';
import { addPurchaseOrderStack, featureFlags } from '../../infra/synthesize.ts';
import { HEALTH_VALUES } from '../../functions/report-to-cloud-alm/interface-health.ts';
import { EVERYTHING_ENVIRONMENT as EVERYTHING } from '../infra/synthesis.ts';
import { countResources, firingsPerDay } from './deployed-resources.ts';
import type { Platform, PlatformResources, PlatformUse } from './platform-bill.ts';

const BLOCKS: Readonly<Record<Platform, object>> = {
  pagerDuty: { notifications: { pagerDuty: EVERYTHING.notifications.pagerDuty } },
  grafana: { grafana: EVERYTHING.grafana },
  splunk: { logForwarding: { splunk: EVERYTHING.logForwarding.splunk } },
  elastic: { logForwarding: { elastic: EVERYTHING.logForwarding.elastic } },
  cloudAlm: { cloudAlm: EVERYTHING.cloudAlm },
  events: { events: EVERYTHING.events },
  orderNumbers: { orderNumbers: EVERYTHING.orderNumbers },
};
/** Secrets that must exist before the stack: those of its template are counted there. */
const GIVEN_SECRETS: Readonly<Partial<Record<Platform, number>>> = {
  pagerDuty: 1,
  grafana: 1,
  events: Object.keys(EVERYTHING.events.subscribers).length,
};

export interface CountedPlatforms {
  readonly base: number;
  readonly added: Readonly<Record<Platform, PlatformResources>>;
  readonly everything: number;
  readonly use: PlatformUse;
}

/** Counts without checks: the tests check each block. */
export async function countPlatforms(directory: string): Promise<CountedPlatforms> {
  mkdirSync(directory, { recursive: true });
  const everything = parseEnvironment({ ...EVERYTHING, name: 'prod' }, 'everything');
  const bundles = await bundleFunctions(everything, join(directory, 'bundles'));
  const count = async (name: string, environment: Environment) => {
    const app = new App({
      outdir: join(directory, name),
      context: featureFlags(),
      analyticsReporting: false,
      builtinCloudFormationValidation: false,
    });
    const { artifactId } = await addPurchaseOrderStack(app, environment, { bundles });
    const template = loadTemplate(app.synth().directory, artifactId);
    return { ...countResources(template), resources: template.resources.size };
  };
  const withBlock = (block: object): Environment => parseEnvironment({ ...ENVIRONMENTS['prod'], ...block }, 'prod');
  const base = await count('base', withBlock({}));
  const addedBy = async (platform: Platform): Promise<PlatformResources> => {
    const one = await count(platform, withBlock(BLOCKS[platform]));
    return {
      resources: one.resources - base.resources,
      alarmMetrics: one.alarmMetrics - base.alarmMetrics,
      secrets: one.secrets - base.secrets + (GIVEN_SECRETS[platform] ?? 0),
      keys: one.keys - base.keys,
    };
  };
  return {
    base: base.resources,
    added: {
      pagerDuty: await addedBy('pagerDuty'),
      grafana: await addedBy('grafana'),
      splunk: await addedBy('splunk'),
      elastic: await addedBy('elastic'),
      cloudAlm: await addedBy('cloudAlm'),
      events: await addedBy('events'),
      orderNumbers: await addedBy('orderNumbers'),
    },
    everything: (await count('everything', everything)).resources,
    use: {
      reportsPerDay: firingsPerDay({
        ScheduleExpression: everything.cloudAlm?.schedule ?? '',
        ScheduleExpressionTimezone: everything.extraction.timeZone,
      }),
      metricsOfReport: HEALTH_VALUES.length,
      seriesOfBoard: seriesOfBoard(),
      subscribers: Object.keys(EVERYTHING.events.subscribers).length,
    },
  };
}

const boardSchema = z.object({ panels: z.array(z.object({ targets: z.array(z.unknown()).default([]) })) });

const seriesOfBoard = (): number =>
  boardSchema.parse(grafanaDashboard()).panels.reduce((sum, { targets }) => sum + targets.length, 0);
