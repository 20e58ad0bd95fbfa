/** Grafana: where the printed dashboard is pushed after a deployment. */
import * as z from 'zod';
import { baseUrl, secretName } from '../setting-forms.ts';

export const grafana = z.strictObject({
  url: baseUrl.describe('The address of Grafana, such as `https://acme.grafana.net`.'),
  folderUid: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,40}$/, 'must be the uid of a folder, 1 to 40 letters, digits, _ or -')
    .optional()
    .describe('The folder of the dashboard; the general folder without it.'),
  tokenSecretName: secretName.describe(
    'Name of the secret whose whole text is the token of a service account that may write dashboards. The session that deploys reads it.',
  ),
});
