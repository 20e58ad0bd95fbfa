/** The dashboard for Grafana, one for all environments: the widgets of CloudWatch's, by the table of both. */
import { createHash } from 'node:crypto';
import {
  AnnotationQueryBuilder as AlarmQuery,
  type Dimensions,
  MetricEditorMode,
  MetricQueryType,
  MetricsQueryBuilder,
  QueryMode,
} from '@grafana/grafana-foundation-sdk/cloudwatch';
import { AxisPlacement, type DataSourceRef, ReduceDataOptionsBuilder } from '@grafana/grafana-foundation-sdk/common';
import {
  AnnotationQueryBuilder,
  CustomVariableBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableHide,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as text from '@grafana/grafana-foundation-sdk/text';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import { METRIC_NAMESPACE, METRICS, SERVICE_NAMES } from '../../shared/metric-names.ts';
import {
  DASHBOARD_ROWS,
  type FunctionRole,
  GUIDE,
  type QueueRole,
  type Series,
  type Widget,
} from '../constructs/dashboard-rows.ts';
import { ENVIRONMENTS, stackName } from '../environments.ts';
import { isJsonObject, type JsonObject, toJson } from './json-text.ts';

/** It never changes: by it, Grafana knows the dashboard that is there. */
const UID = 'proc-srm7-11vms-purchase-order-v1';
const TITLE = 'Purchase orders, SAP SRM 7 to 11VMS';
const DATASOURCE: DataSourceRef = { type: 'cloudwatch', uid: '${datasource}' };
const REGION = '$region';
/** Sums remain sums of five minutes in a view of any length. */
const PERIOD_SECONDS = 300;
const FULL = 24;
const THIRD = 8;

/**
 * What the names of the functions and queues hold that CloudFormation makes: the ids of the constructs. It cuts a long
 * name, and keeps the beginnings of its parts (ASSUMED). Which resources are the environment's own, their tags say.
 */
export const NAME_PARTS: Readonly<Record<FunctionRole | QueueRole, string>> = {
  extractor: 'ExtractorFunction',
  worker: 'WorkerFunction',
  supervisor: 'SupervisorFunction',
  reconciler: 'ReconcilerFunction',
  redriver: 'RedriverFunction',
  queue: 'CartChannelQueue',
  deadLetters: 'CartChannelDeadLetters',
};
const QUEUES: readonly string[] = ['queue', 'deadLetters'] satisfies QueueRole[];

export function grafanaDashboard(): JsonObject {
  const board = new DashboardBuilder(TITLE)
    .uid(UID)
    .description('Printed from the code by npm run docs: change it there, not here.')
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-24h', to: 'now' })
    // Each refresh of an open browser asks CloudWatch for each series, which AWS charges for.
    .refresh('5m')
    .variables([...chosenVariables(), ...resourceVariables()])
    .annotations(['Sum', 'Maximum', undefined].map(alarmsOf))
    .withPanel(new text.PanelBuilder().content(GUIDE).mode(text.TextMode.Markdown).span(FULL).height(3));
  for (const widget of DASHBOARD_ROWS.flat()) board.withPanel(panelOf(widget));
  // Grafana would number them itself, by their order.
  const { panels = [], ...rest } = board.build();
  const printed = toJson({ ...rest, panels: panels.map((panel, index) => ({ id: index + 1, ...panel })) });
  if (!isJsonObject(printed)) throw new Error('infra/docs: the dashboard is no JSON object');
  return { ...printed, tags: [UID, fingerprintTag(printed)] };
}

/** Grafana rewrites what it is given, and keeps tags: by this one the doctor knows which dashboard is there. */
const fingerprintTag = (board: JsonObject): string =>
  `printed-${createHash('sha256').update(JSON.stringify(board)).digest('hex').slice(0, 12)}`;

const chosenVariables = () => {
  const names = Object.keys(ENVIRONMENTS).filter((name) => name !== 'local');
  return [
    new DatasourceVariableBuilder('datasource').label('Data source').type('cloudwatch'),
    new QueryVariableBuilder('region')
      .label('Region')
      .datasource(DATASOURCE)
      .query({ refId: 'regions', queryType: 'regions' })
      .refresh(VariableRefresh.OnDashboardLoad)
      // Of the data source.
      .current({ text: 'default', value: 'default' }),
    new CustomVariableBuilder('environment')
      .label('Environment')
      .description('The name of an environment of your own can be typed.')
      .values(names.join(','))
      .current({ text: names[0] ?? '', value: names[0] ?? '' })
      .allowCustomValue(true),
  ];
};

const resourceVariables = () =>
  Object.entries(NAME_PARTS).map(([role, part]) =>
    new QueryVariableBuilder(role)
      .hide(VariableHide.HideVariable)
      .datasource(DATASOURCE)
      .query({
        refId: role,
        queryType: 'resourceARNs',
        region: REGION,
        resourceType: QUEUES.includes(role) ? 'sqs' : 'lambda:function',
        tags: { interface: [METRIC_NAMESPACE], environment: ['$environment'] },
      })
      // The last part of the ARN.
      .regex(`/:([^:]*-${part}[^:]*)$/`)
      .refresh(VariableRefresh.OnDashboardLoad),
  );

/**
 * Grafana replaces no variable in this prefix: the alarms of all environments that the account holds are shown, by name. Of
 * them it takes those with the statistic of the query alone; an alarm on an expression has none.
 */
function alarmsOf(statistic?: string) {
  const name = `Alarms on ${statistic === undefined ? 'an expression' : `a ${statistic.toLowerCase()}`}`;
  const query = new AlarmQuery()
    .refId('Alarms')
    .queryMode(QueryMode.Annotations)
    .region(REGION)
    .namespace('')
    .prefixMatching(true)
    .actionPrefix('')
    .alarmNamePrefix(stackName({ name: '' }))
    .datasource(DATASOURCE);
  return new AnnotationQueryBuilder()
    .name(name)
    .datasource(DATASOURCE)
    .enable(true)
    .iconColor('red')
    .target(statistic === undefined ? query : query.statistic(statistic));
}

function panelOf({ title, as, series, right = [] }: Widget) {
  const targets = [...series, ...right].map(queryOf);
  if (as === 'graph') {
    const graph = new timeseries.PanelBuilder().title(title).datasource(DATASOURCE).targets(targets).min(0);
    for (const { label } of right)
      graph.overrideByName(label, [{ id: 'custom.axisPlacement', value: AxisPlacement.Right }]);
    return graph.span(THIRD).height(8);
  }
  const value = as === 'numbers of the period' ? 'sum' : 'lastNotNull';
  return new stat.PanelBuilder()
    .title(title)
    .datasource(DATASOURCE)
    .targets(targets)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs([value]))
    .span(THIRD)
    .height(5);
}

const queryOf = (series: Series, index: number) =>
  new MetricsQueryBuilder()
    .refId(String.fromCharCode(65 + index))
    .id('')
    .queryMode(QueryMode.Metrics)
    .metricQueryType(MetricQueryType.Search)
    .metricEditorMode(MetricEditorMode.Builder)
    .region(REGION)
    .namespace(namespaceOf(series))
    .metricName('of' in series ? METRICS[series.metric] : series.metric)
    .dimensions(dimensionsOf(series))
    .matchExact(true)
    .statistic(series.statistic)
    .period(String(series.periodSeconds ?? PERIOD_SECONDS))
    .label(series.label)
    .datasource(DATASOURCE);

const namespaceOf = (series: Series): string =>
  'of' in series ? METRIC_NAMESPACE : 'ofSqs' in series ? 'AWS/SQS' : 'AWS/Lambda';

/** Texts and no lists: Grafana replaces no variable in a list. */
function dimensionsOf(series: Series): Dimensions {
  if ('of' in series) return { service: SERVICE_NAMES[series.of], environment: '$environment' };
  return 'ofSqs' in series ? { QueueName: `$${series.ofSqs}` } : { FunctionName: `$${series.ofLambda}` };
}
