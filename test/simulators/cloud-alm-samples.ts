/**
 * Bodies for Cloud ALM's inbound metrics in the form of those that SAP itself publishes, as the collections of
 * SAP-samples/teched2025-XP267 and SAP-samples/automation-pilot-examples send them; the names are ours.
 */
const rated = (type: string, rating: string) => [
  { key: 'sap.calm.hm.metric.type', value: { stringValue: type } },
  { key: 'sap.calm.hm.metric.rating', value: { stringValue: rating } },
];
const quota = (part: string) => [{ key: 'sap.calm.hm.quota', value: { stringValue: part } }];

export const SAP_SAMPLES = {
  'a plain value': {
    resourceMetrics: [
      {
        scopeMetrics: [
          {
            scope: { name: 'orders', version: '1.0.0' },
            metrics: [{ name: 'carts.dead_lettered', unit: '1', gauge: { dataPoints: [{ asDouble: 0 }] } }],
          },
        ],
      },
    ],
  },
  'a rated quota': {
    resourceMetrics: [
      {
        resource: {},
        scopeMetrics: [
          {
            metrics: [
              {
                name: 'dead.letters',
                unit: '1',
                gauge: {
                  dataPoints: [
                    { asDouble: 0, attributes: rated('quota', 'ok') },
                    { asDouble: 10, attributes: quota('limit') },
                    { asDouble: 2, attributes: quota('value') },
                  ],
                },
              },
            ],
          },
        ],
      },
    ],
  },
  'a rated status': {
    resourceMetrics: [
      {
        resource: {},
        scopeMetrics: [
          {
            metrics: [
              {
                name: 'Connection',
                description: 'Endpoint reachable',
                gauge: { dataPoints: [{ asDouble: 1, attributes: rated('status', 'critical') }] },
              },
            ],
          },
        ],
      },
    ],
  },
} as const;
