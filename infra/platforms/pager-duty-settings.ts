/** PagerDuty, by its Events API v2. */
import * as z from 'zod';
import { secretName } from '../setting-forms.ts';

const REGIONS = ['us', 'eu'] as const;
type Region = (typeof REGIONS)[number];

export const pagerDuty = z.strictObject({
  routingKeySecretName: secretName.describe(
    'Name of the secret whose whole text is the integration key of an Events API v2 integration. It must exist before the deployment, which reads it once: a new key needs a secret of another name.',
  ),
  region: z
    .enum(REGIONS)
    .default('us')
    .describe('Where the PagerDuty account is: `eu` when its address is `….eu.pagerduty.com`.'),
});

/** An account of one region is unknown in the other. */
const HOSTS = { us: 'events.pagerduty.com', eu: 'events.eu.pagerduty.com' } as const satisfies Record<Region, string>;

/** Where pages are sent. */
export const pageAddress = (region: Region): string => `https://${HOSTS[region]}/v2/enqueue`;
