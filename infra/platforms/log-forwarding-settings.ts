/** Where the logs go besides CloudWatch. CloudWatch Logs takes two subscriptions of a log group. */
import * as z from 'zod';
import { baseUrl } from '../setting-forms.ts';
import { runtimeSecret } from './platform-secret.ts';

export const logForwarding = z
  .strictObject({
    splunk: z
      .strictObject({
        hecUrl: baseUrl.describe(
          'The HTTP Event Collector for Firehose, such as `https://http-inputs-firehose-acme.splunkcloud.com:443`.',
        ),
        ...runtimeSecret('{ "hec_token" }'),
      })
      .optional()
      .describe('Splunk, by Firehose and the HTTP Event Collector.'),
    elastic: z
      .strictObject({
        url: baseUrl.describe('Elasticsearch, such as `https://acme.es.eu-west-1.aws.found.io`.'),
        dataStream: z
          .string()
          .regex(/^logs-[a-z0-9_.]+-[a-z0-9_.]+$/, 'must be a data stream, such as logs-purchase_orders-default')
          .default('logs-purchase_orders-default')
          .describe('The data stream that takes the logs.'),
        ...runtimeSecret('{ "api_key" }'),
      })
      .optional()
      .describe('Elastic, by Firehose.'),
  })
  .refine(({ splunk, elastic }) => splunk !== undefined || elastic !== undefined, 'must name splunk, elastic or both');
