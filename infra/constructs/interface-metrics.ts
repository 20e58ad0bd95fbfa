/** The interface's own metrics for alarms and dashboard, by the names and dimensions under which the functions emit them. */
import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { METRIC_NAMESPACE, METRICS, SERVICE_NAMES } from '../../shared/metric-names.ts';
import type { Environment } from '../environments.ts';

/** Gives a metric of one function by its key in the code. */
export type InterfaceMetrics = (
  service: keyof typeof SERVICE_NAMES,
  metric: keyof typeof METRICS,
  options?: MetricOptions,
) => Metric;

/** `service` is a dimension that Powertools adds, `environment` one that the handlers set. */
export const interfaceMetrics =
  ({ name }: Environment): InterfaceMetrics =>
  (service, metric, options = {}) =>
    new Metric({
      namespace: METRIC_NAMESPACE,
      metricName: METRICS[metric],
      dimensionsMap: { service: SERVICE_NAMES[service], environment: name },
      statistic: 'Sum',
      ...options,
    });
