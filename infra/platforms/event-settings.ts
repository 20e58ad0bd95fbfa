/** Events of the interface for other systems: an order was created, a cart became a dead letter. */
import * as z from 'zod';
import { headers } from '../connection-settings.ts';
import { eachOnce, secretName, serviceUrl } from '../setting-forms.ts';

const subscriber = z.strictObject({
  url: serviceUrl
    .refine((url) => !url.includes('*'), 'must not hold *, which EventBridge would take for a parameter of the path')
    .describe(
      'Where the events are posted: a webhook, or a topic of SAP Event Mesh, `…/messagingrest/v1/topics/TOPIC/messages`, with each / of the topic written as %2F.',
    ),
  tokenUrl: serviceUrl.describe('Where the OAuth2 client of the subscriber gets its token.'),
  scope: z.string().default('').describe('The OAuth2 scope that is asked for; none when empty.'),
  secretName: secretName.describe(
    'Name of the secret that holds `{ "clientId", "clientSecret" }`. It must exist before the deployment, which reads it; a new client needs a new name and a deployment.',
  ),
  headers: headers.describe(
    'Headers of each delivery, such as `{ "x-qos": "1" }` for SAP Event Mesh. They stand in the template: nothing that is a secret belongs here.',
  ),
  ratePerSecond: z.int().min(1).max(300).default(10).describe('So many events are posted in a second at most.'),
});

export const events = z.strictObject({
  typePrefix: z
    .string()
    .regex(/^[a-z][a-z0-9]*(\.[a-z][a-z0-9]*)*$/, 'must be names in lower case with dots, such as acme.procurement')
    .describe('What the type of each event begins with, such as `acme.procurement`.'),
  subscribers: z
    .record(
      z
        .string()
        .regex(/^[a-z][a-z0-9-]{0,19}$/, 'must be 1 to 20 lower-case letters, digits and hyphens, a letter first'),
      subscriber,
    )
    .refine((given) => Object.keys(given).length <= 5, 'must be at most 5: each is a connection of its own')
    .default({})
    .describe('Who gets the events by HTTP, by a name of your own.'),
  accounts: z
    .array(z.string().regex(/^\d{12}$/, 'must be the id of an AWS account, 12 digits'))
    .superRefine(eachOnce)
    .default([])
    .describe('AWS accounts that may add rules of their own to the bus, such as `123456789012`.'),
});
