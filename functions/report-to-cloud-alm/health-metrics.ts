/**
 * The health of the interface as Cloud ALM takes it: OTLP JSON, and of that only the members and attributes which SAP's
 * published samples have (README.md).
 */
import { type AlarmStates, HEALTH_VALUES, type Rating, ratingOf, STATUSES } from './interface-health.ts';

/** How the interface is at a moment. A value without data is left out. */
export interface InterfaceState {
  readonly values: ReadonlyMap<string, number>;
  readonly alarms: AlarmStates;
}

/** One value or status of the interface, rated. */
export interface RatedMetric {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly value: number;
  readonly rating: Rating;
}

export function ratedMetrics({ values, alarms }: InterfaceState): RatedMetric[] {
  const rated = HEALTH_VALUES.flatMap((known): RatedMetric[] => {
    const { name, description, unit } = known;
    const value = values.get(name);
    return value === undefined ? [] : [{ name, description, unit, value, rating: ratingOf(known, value, alarms) }];
  });
  const statuses = STATUSES.map(({ alarm, name, description }): RatedMetric => {
    const rating = ratingOf({ critical: [alarm] }, 1, alarms);
    return { name, description, unit: '1', value: 1, rating };
  });
  return [...rated, ...statuses];
}

const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });

/** The body of a push. Without a time: Cloud ALM then takes that of the arrival, as in SAP's samples. */
export const otlpMetrics = (metrics: readonly RatedMetric[]) => ({
  resourceMetrics: [
    {
      resource: {},
      scopeMetrics: [
        {
          scope: { name: 'proc-srm7-11vms-purchase-order-v1' },
          metrics: metrics.map(({ name, description, unit, value, rating }) => ({
            name,
            description,
            unit,
            gauge: {
              dataPoints: [
                {
                  asDouble: value,
                  attributes: [
                    attribute('sap.calm.hm.metric.type', 'status'),
                    attribute('sap.calm.hm.metric.rating', rating),
                  ],
                },
              ],
            },
          })),
        },
      ],
    },
  ],
});
