/** The resources of a synthesized stack that cost money even without carts. */
import * as z from 'zod';
import { nextFiring } from '../../infra/schedule.ts';
import type { Template } from '../../infra/local/aws/template.ts';
import { SERVICE_NAMES } from '../../shared/metric-names.ts';

/**
 * The redriver works only when a person asks it to: too seldom to cost anything. The others are there only in an environment
 * that asks for them (platform-bill.ts).
 */
export type FunctionRole = Exclude<keyof typeof SERVICE_NAMES, 'redriver' | 'cloudAlmReporter' | 'numberWriter'>;

export interface DeployedFunction {
  readonly memoryMegabytes: number;
  readonly timeoutSeconds: number;
  readonly architecture: 'arm64' | 'x86_64';
}

export interface DeployedResources {
  readonly functions: Readonly<Record<FunctionRole, DeployedFunction>>;
  /** How often a day the schedules start each function. */
  readonly schedule: {
    readonly extractionsPerDay: number;
    readonly reconciliationsPerDay: number;
    /** Of the same schedule: they finish what ran out of time, or find that nothing is due. */
    readonly reconciliationResumesPerDay: number;
    readonly supervisionsPerDay: number;
  };
  readonly overlapSeconds: number;
  readonly reconciliationDays: number;
  readonly batchSize: number;
  readonly maximumConcurrency: number;
  readonly eventSourceMappings: number;
  /** Metrics of alarms. An expression has several. */
  readonly alarmMetrics: number;
  readonly compositeAlarms: number;
  readonly dashboards: number;
  readonly secrets: number;
  /** Customer managed keys. AWS managed keys have no monthly price. */
  readonly keys: number;
  readonly tables: number;
  /** Tables with a customer managed key, whose calls are charged. */
  readonly tablesUnderKms: number;
  readonly tablesWithPointInTimeRecovery: number;
  readonly logRetentionDays: number;
  readonly masksLogs: boolean;
  readonly traces: boolean;
  /** Subscriptions by protocol, such as `https` and `email`. */
  readonly subscriptions: Readonly<Record<string, number>>;
}

const functionSchema = z.object({
  MemorySize: z.number(),
  Timeout: z.number(),
  // CloudFormation's default.
  Architectures: z.tuple([z.enum(['arm64', 'x86_64'])]).default(['x86_64']),
  TracingConfig: z.object({ Mode: z.string() }).optional(),
  Environment: z.object({
    Variables: z.looseObject({
      POWERTOOLS_SERVICE_NAME: z.string(),
      OVERLAP_SECONDS: z.coerce.number().optional(),
      RECONCILIATION_DAYS: z.coerce.number().optional(),
    }),
  }),
});
const scheduleSchema = z.object({
  ScheduleExpression: z.string(),
  ScheduleExpressionTimezone: z.string(),
  Target: z.object({
    Arn: z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }),
  }),
});
const alarmSchema = z.object({ Metrics: z.array(z.looseObject({ MetricStat: z.unknown().optional() })).optional() });
const mappingSchema = z.object({
  BatchSize: z.number(),
  ScalingConfig: z.object({ MaximumConcurrency: z.number() }),
});
const tableSchema = z.object({
  SSESpecification: z.object({ SSEEnabled: z.boolean() }).optional(),
  PointInTimeRecoverySpecification: z.object({ PointInTimeRecoveryEnabled: z.boolean() }).optional(),
});
const logGroupSchema = z.object({ RetentionInDays: z.number(), DataProtectionPolicy: z.unknown().optional() });
const subscriptionSchema = z.object({ Protocol: z.string() });

/** @throws {Error} for a template that lacks a part of the interface. */
export function countResources({ resources }: Pick<Template, 'resources'>): DeployedResources {
  const ofType = <Schema extends z.ZodType>(type: string, schema: Schema): [string, z.infer<Schema>][] =>
    [...resources].flatMap(([id, { Type, Properties }]) => (Type === type ? [[id, schema.parse(Properties)]] : []));
  const count = (type: string): number => ofType(type, z.unknown()).length;

  const functions = ofType('AWS::Lambda::Function', functionSchema);
  const functionOf = (role: FunctionRole): [string, z.infer<typeof functionSchema>] =>
    first(
      functions.filter(([, { Environment }]) => Environment.Variables.POWERTOOLS_SERVICE_NAME === SERVICE_NAMES[role]),
      role,
    );
  const deployed = (role: FunctionRole): DeployedFunction => {
    const [, { MemorySize, Timeout, Architectures }] = functionOf(role);
    return { memoryMegabytes: MemorySize, timeoutSeconds: Timeout, architecture: Architectures[0] };
  };
  const schedules = ofType('AWS::Scheduler::Schedule', scheduleSchema).map(([, schedule]) => schedule);
  const startsPerDay = (role: FunctionRole): number => {
    const [id] = functionOf(role);
    return schedules
      .filter(({ Target }) => Target.Arn['Fn::GetAtt'][0] === id)
      .reduce((sum, schedule) => sum + firingsPerDay(schedule), 0);
  };
  const [, mapping] = first(ofType('AWS::Lambda::EventSourceMapping', mappingSchema), 'event source mapping');
  const { OVERLAP_SECONDS = 0 } = functionOf('extractor')[1].Environment.Variables;
  const { RECONCILIATION_DAYS = 0 } = functionOf('reconciler')[1].Environment.Variables;
  const reconcilerStartsPerDay = startsPerDay('reconciler');
  // The function's own rule: one is due each day, however often it is started.
  const reconciliationsPerDay = Math.min(1, reconcilerStartsPerDay);
  const tables = ofType('AWS::DynamoDB::Table', tableSchema).map(([, table]) => table);
  const logGroups = ofType('AWS::Logs::LogGroup', logGroupSchema).map(([, group]) => group);
  return {
    functions: {
      extractor: deployed('extractor'),
      worker: deployed('worker'),
      supervisor: deployed('supervisor'),
      reconciler: deployed('reconciler'),
    },
    schedule: {
      extractionsPerDay: startsPerDay('extractor'),
      reconciliationsPerDay,
      reconciliationResumesPerDay: reconcilerStartsPerDay - reconciliationsPerDay,
      supervisionsPerDay: startsPerDay('supervisor'),
    },
    overlapSeconds: OVERLAP_SECONDS,
    reconciliationDays: RECONCILIATION_DAYS,
    batchSize: mapping.BatchSize,
    maximumConcurrency: mapping.ScalingConfig.MaximumConcurrency,
    eventSourceMappings: count('AWS::Lambda::EventSourceMapping'),
    alarmMetrics: ofType('AWS::CloudWatch::Alarm', alarmSchema).reduce((sum, [, alarm]) => sum + metricsOf(alarm), 0),
    compositeAlarms: count('AWS::CloudWatch::CompositeAlarm'),
    dashboards: count('AWS::CloudWatch::Dashboard'),
    secrets: count('AWS::SecretsManager::Secret'),
    keys: count('AWS::KMS::Key'),
    tables: tables.length,
    tablesUnderKms: tables.filter(({ SSESpecification }) => SSESpecification?.SSEEnabled).length,
    tablesWithPointInTimeRecovery: tables.filter(
      ({ PointInTimeRecoverySpecification }) => PointInTimeRecoverySpecification?.PointInTimeRecoveryEnabled,
    ).length,
    logRetentionDays: Math.max(...logGroups.map(({ RetentionInDays }) => RetentionInDays)),
    masksLogs: logGroups.some(({ DataProtectionPolicy }) => DataProtectionPolicy !== undefined),
    traces: functions.some(([, { TracingConfig }]) => TracingConfig?.Mode === 'Active'),
    subscriptions: countedBy(ofType('AWS::SNS::Subscription', subscriptionSchema).map(([, { Protocol }]) => Protocol)),
  };
}

function first<Thing>([thing]: readonly Thing[], what: string): Thing {
  if (thing === undefined) throw new Error(`The template has no ${what}`);
  return thing;
}

const metricsOf = ({ Metrics }: z.infer<typeof alarmSchema>): number =>
  Metrics?.filter(({ MetricStat }) => MetricStat !== undefined).length ?? 1;

const countedBy = (names: readonly string[]): Record<string, number> =>
  Object.fromEntries([...Map.groupBy(names, (name) => name)].map(([name, same]) => [name, same.length]));

const DAY_MS = 24 * 3_600_000;
/** A week without a change of the clocks. A whole week, so that schedules of working days have their share. */
const [weekStartMs, WEEK_DAYS] = [Date.parse('2026-11-02T00:00:00Z'), 7];

/** How often a schedule fires on a day of an average week. */
export function firingsPerDay({
  ScheduleExpression,
  ScheduleExpressionTimezone,
}: Pick<z.infer<typeof scheduleSchema>, 'ScheduleExpression' | 'ScheduleExpressionTimezone'>): number {
  const endMs = weekStartMs + WEEK_DAYS * DAY_MS;
  let firings = 0;
  let at: Date | undefined = new Date(weekStartMs);
  while (at !== undefined) {
    at = nextFiring(ScheduleExpression, ScheduleExpressionTimezone, at);
    if (at === undefined || at.getTime() > endMs) break;
    firings++;
  }
  return firings / WEEK_DAYS;
}
