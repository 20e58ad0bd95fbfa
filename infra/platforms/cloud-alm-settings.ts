/** SAP Cloud ALM: health metrics of the interface. */
import * as z from 'zod';
import { baseUrl, scheduleExpression, serviceUrl } from '../setting-forms.ts';
import { runtimeSecret } from './platform-secret.ts';

export const cloudAlm = z.strictObject({
  apiUrl: baseUrl.describe('`endpoints.Api` of the service key, such as `https://eu10-004.alm.cloud.sap/api`.'),
  tokenUrl: serviceUrl.describe('`uaa.url` of the service key with `/oauth/token` at its end.'),
  serviceId: z
    .string()
    .regex(/^[\w.-]{1,64}$/, 'must be the service id of Landscape Management, 1 to 64 letters, digits, _, . or -')
    .describe('The id under which Landscape Management of Cloud ALM knows this interface.'),
  schedule: scheduleExpression.default('rate(5 minutes)').describe('When the metrics are pushed.'),
  ...runtimeSecret('{ "clientId", "clientSecret" }'),
});
