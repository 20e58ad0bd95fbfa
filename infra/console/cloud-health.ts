/** The state of a deployed environment, by CloudWatch and SQS. */
import { type CloudWatchClient, GetMetricDataCommand, paginateDescribeAlarms } from '@aws-sdk/client-cloudwatch';
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { createMoveTasks } from '../../functions/redrive-dead-letters/move-tasks.ts';
import { METRIC_NAMESPACE, METRICS, SERVICE_NAMES } from '../../shared/metric-names.ts';
import { queueCountsOf } from '../carts/open-ledger.ts';
import { doesPage, isSilent } from '../constructs/alarm-texts.ts';
import type { AlarmState, Health } from './sources.ts';

export interface CloudHealthOptions {
  readonly cloudwatch: CloudWatchClient;
  readonly sqs: SQSClient;
  readonly stackName: string;
  /** As the metrics' dimension has it. */
  readonly environmentName: string;
  readonly queueUrl: string;
  readonly deadLetterQueueUrl: string;
}

const HOUR_MS = 3_600_000;
const HOURS = 24;

export function createCloudHealth(options: CloudHealthOptions): Health {
  const { cloudwatch, sqs, stackName, environmentName, queueUrl, deadLetterQueueUrl } = options;
  const prefix = `${stackName}-`;
  const queueName = queueUrl.slice(queueUrl.lastIndexOf('/') + 1);
  const ofQueue = (name: string) => ({
    Namespace: 'AWS/SQS',
    MetricName: name,
    Dimensions: [{ Name: 'QueueName', Value: queueName }],
  });
  const ofWorker = (name: string) => ({
    Namespace: METRIC_NAMESPACE,
    MetricName: name,
    Dimensions: [
      { Name: 'environment', Value: environmentName },
      { Name: 'service', Value: SERVICE_NAMES.worker },
    ],
  });

  return {
    async alarms() {
      const alarms: AlarmState[] = [];
      const pages = paginateDescribeAlarms(
        { client: cloudwatch },
        { AlarmNamePrefix: prefix, AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] },
      );
      for await (const { MetricAlarms: metric = [], CompositeAlarms: composite = [] } of pages) {
        for (const { AlarmName = '', StateValue, StateUpdatedTimestamp } of [...composite, ...metric]) {
          const name = AlarmName.slice(prefix.length);
          if (isSilent(name)) continue;
          alarms.push({
            name,
            state: StateValue ?? 'INSUFFICIENT_DATA',
            sinceMs: StateUpdatedTimestamp?.getTime(),
            isPage: doesPage(name),
          });
        }
      }
      return alarms;
    },
    async lastHours(nowMs) {
      const endMs = Math.ceil(nowMs / HOUR_MS) * HOUR_MS;
      const startMs = endMs - HOURS * HOUR_MS;
      const { MetricDataResults: results = [] } = await cloudwatch.send(
        new GetMetricDataCommand({
          StartTime: new Date(startMs),
          EndTime: new Date(endMs),
          MetricDataQueries: [
            { Id: 'created', MetricStat: { Metric: ofWorker(METRICS.ordersCreated), Period: 3600, Stat: 'Sum' } },
            { Id: 'dead', MetricStat: { Metric: ofWorker(METRICS.cartsDeadLettered), Period: 3600, Stat: 'Sum' } },
            {
              Id: 'waiting',
              MetricStat: { Metric: ofQueue('ApproximateNumberOfMessagesVisible'), Period: 3600, Stat: 'Maximum' },
            },
          ],
        }),
      );
      const valueAt = (id: string, hourMs: number): number | undefined => {
        const { Timestamps = [], Values = [] } = results.find(({ Id }) => Id === id) ?? {};
        return Values[Timestamps.findIndex((at) => at.getTime() === hourMs)];
      };
      return Array.from({ length: HOURS }, (_, index) => {
        const hourMs = startMs + index * HOUR_MS;
        return {
          hourMs,
          created: valueAt('created', hourMs) ?? 0,
          deadLettered: valueAt('dead', hourMs) ?? 0,
          waiting: valueAt('waiting', hourMs),
        };
      });
    },
    async oldestWaitMs(nowMs) {
      const { MetricDataResults: results = [] } = await cloudwatch.send(
        new GetMetricDataCommand({
          StartTime: new Date(nowMs - 15 * 60_000),
          EndTime: new Date(nowMs),
          ScanBy: 'TimestampDescending',
          MetricDataQueries: [
            {
              Id: 'oldest',
              MetricStat: { Metric: ofQueue('ApproximateAgeOfOldestMessage'), Period: 60, Stat: 'Maximum' },
            },
          ],
        }),
      );
      const seconds = results[0]?.Values?.[0];
      return seconds === undefined || seconds === 0 ? undefined : nowMs - seconds * 1000;
    },
    deadLetterCounts: () => queueCountsOf(sqs, deadLetterQueueUrl),
    async moveTask() {
      const { Attributes } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: deadLetterQueueUrl, AttributeNames: ['QueueArn'] }),
      );
      return createMoveTasks(sqs, Attributes?.QueueArn ?? '').last();
    },
  };
}
