/**
 * One typed entry per environment, validated at synth. `-c env=dev|test|prod` picks one of those below;
 * `-c env=./file.json` reads a user's own with the same schema, so that a new environment needs no code.
 */
import { dirname } from 'node:path';
import * as z from 'zod';
import { CLIENT_AUTHENTICATIONS } from '../shared/client-authentication.ts';
import { apiKeyHeader, headers, isHeaderFree, proxyUrl, tokenParameters } from './connection-settings.ts';
import { NoJsonFile, parseHandwritten, readJsonText, withoutComments } from './json-file.ts';
import { cloudAlm } from './platforms/cloud-alm-settings.ts';
import { events } from './platforms/event-settings.ts';
import { grafana } from './platforms/grafana-settings.ts';
import { logForwarding } from './platforms/log-forwarding-settings.ts';
import { orderNumbers } from './platforms/order-number-settings.ts';
import { pagerDuty } from './platforms/pager-duty-settings.ts';
import { sharedSecrets } from './platforms/runtime-secrets.ts';
import { baseUrl, createSecret, eachOnce, scheduleExpression, secretName, serviceUrl } from './setting-forms.ts';
import { checkSettings, describeMistakes, type Mistake } from './setting-mistakes.ts';
import { serviceMistakes, srmService } from './srm-settings.ts';
import { timeZoneSchema, translationSettingsSchema } from '../shared/translation-settings.ts';
import { collidingPlaces, completeContract, endsBeforeCollection, hasVmsPaths, vmsContract } from './vms-settings.ts';
import { withValueMapFiles } from './value-map-files.ts';

const endsTooLate = (example: string): string =>
  `must end before the path of the service, which is added to it: ${example}`;

const connection = z.strictObject({
  tokenUrl: serviceUrl.describe('Where the OAuth2 client gets its token.'),
  clientAuthentication: z
    .enum(CLIENT_AUTHENTICATIONS)
    .default('basic')
    .describe(
      'How the token endpoint takes clientId and clientSecret: HTTP Basic with both parts percent-encoded (RFC 6749; SAP XSUAA); HTTP Basic without; or in the body.',
    ),
  scope: z.string().default('').describe('The OAuth2 scope that is asked for; none when empty.'),
  tokenParameters,
  headers,
  apiKeyHeader,
  proxyUrl,
  secretName: secretName.describe('Name of the secret that holds `{ "clientId", "clientSecret" }`.'),
  createSecret,
  kmsKeyArn: z
    .string()
    .regex(
      /^arn:aws[a-z-]*:kms:[a-z\d-]+:\d{12}:key\/[\w-]+$/,
      'must be the ARN of a key, and not of an alias, such as arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    )
    .optional()
    .describe(
      'The customer-managed key of a secret that exists already: the functions may then decrypt with it, through Secrets Manager alone. Its key policy must allow the account to do so.',
    ),
  mutualTls: z
    .boolean()
    .default(false)
    .describe('Present a client certificate: the secret then also holds `clientCertificate` and `clientKey` (PEM).'),
  privateCa: z
    .boolean()
    .default(false)
    .describe(
      'Trust a private authority besides the public ones: the secret then also holds `certificateAuthority` (PEM).',
    ),
});

const connectionTo = z.strictObject({ baseUrl, ...connection.shape });

const KEY_OF_CREATED_SECRET =
  'goes with "createSecret": false: a secret that the stack creates is under the key of AWS';

const HEADER_TAKEN = 'must not be one of the fixed headers';

const thresholds = z.strictObject({
  extractionSilenceMinutes: z
    .int()
    .min(2)
    .max(7 * 24 * 60)
    .optional()
    .describe(
      'Alarm when no extraction succeeded for so long. Without it: three intervals of a `rate(...)`, three days (a long weekend) of a `cron(...)`.',
    ),
  reconciliationSilenceHours: z
    .int()
    .min(1)
    .max(7 * 24)
    .default(26)
    .describe(
      'Alarm when no reconciliation completed for so long: a day, an hour for the day of 25 hours, and an hour for the reconciliation itself.',
    ),
  deadLetters: z
    .int()
    .min(1)
    .default(10)
    .describe('So many dead letters page: one faulty cart is a mail, a faulty mapping is not.'),
  oldestMessageMinutes: z
    .int()
    .min(1)
    .default(30)
    .describe(
      'Alarm when the oldest message, which is one version of a cart, has waited so long. Four attempts with the longest delays fit into half an hour.',
    ),
  waitingHours: z
    .int()
    .min(1)
    .default(4)
    .describe('A cart that still fails or is throttled after so many hours pages, although consumption is not paused.'),
  backlog: z
    .int()
    .min(1)
    .default(1000)
    .describe('Alarm at so many waiting messages, each one version of a cart: a day of them.'),
  pausedMinutes: z
    .int()
    .min(1)
    .max(60)
    .default(5)
    .describe('A pause of consumption that lasts so long pages; a shorter one ended by itself.'),
  retryPercent: z
    .int()
    .min(1)
    .max(100)
    .default(30)
    .describe('Alarm when so many percent of the attempts of a quarter of an hour are retried.'),
  unknownOutcomes: z
    .int()
    .min(1)
    .default(5)
    .describe('Alarm at so many creates without a known outcome in a quarter of an hour.'),
  targetThrottled: z
    .int()
    .min(1)
    .default(50)
    .describe('Alarm at so many throttled answers of 11VMS in a quarter of an hour.'),
  durationPercent: z
    .int()
    .min(1)
    .max(100)
    .default(90)
    .describe('Alarm when an invocation takes so many percent of its time-out.'),
});

const notifications = z.strictObject({
  pagerDuty: pagerDuty.optional().describe('PagerDuty, by its Events API v2. Without it, a page is a mail.'),
  email: z
    .array(z.email())
    .superRefine(eachOnce)
    .default([])
    .describe('Addresses that get the mails, and each page as a mail.'),
  runbookUrl: z
    .string()
    .min(1)
    .max(200)
    .default('infra/runbook.md')
    .describe('Where the person on call reads the runbook; alarms and stack outputs name it.'),
  thresholds: thresholds.prefault({}).describe('When an alarm goes off, where landscapes differ.'),
});

/** Both stand in the descriptions of alarms, of which CloudWatch takes 1,024 characters. */
const ownerField = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[^\p{Cc}]*$/u, 'must be one line');
const owner = z.strictObject({
  name: ownerField(60).describe('A team rather than a person, such as `SAP basis`.'),
  contact: ownerField(80).describe('A channel, a mailbox of the team or a queue of tickets, such as `#sap-basis`.'),
});
const owners = z.strictObject({
  mapping: owner.optional().describe('Who keeps the value maps.'),
  srm: owner.optional().describe('Who runs SAP SRM and its extraction service.'),
  vms: owner.optional().describe('Who runs 11VMS and its proxy.'),
  buyer: owner.optional().describe('Who can correct a cart, or an order by hand.'),
});

/** What CloudWatch Logs allows, in days. */
const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

/** Of the stack (infra/synthesize.ts), and of its functions (infra/deployment.ts). */
const OWN_TAGS = ['interface', 'environment', 'version', 'commit', 'deployedAt', 'deployedBy'];
/** AWS takes 50 on a resource. */
const MOST_TAGS = 50 - OWN_TAGS.length;
const tags = z
  .record(
    z
      .string()
      .regex(/^[\p{L}\p{N} _.:/=+@-]{1,128}$/u, 'must be 1 to 128 letters, digits, spaces or _.:/=+-@')
      .refine((key) => !/^aws:/i.test(key), 'must not start with aws:')
      .refine((key) => !OWN_TAGS.includes(key), `must not be one of ${OWN_TAGS.join(', ')}`),
    z.string().regex(/^[\p{L}\p{N} _.:/=+@-]{1,256}$/u, 'must be 1 to 256 letters, digits, spaces or _.:/=+-@'),
  )
  .refine(
    (given) => Object.keys(given).length <= MOST_TAGS,
    `must be at most ${MOST_TAGS}: AWS takes 50, and ${OWN_TAGS.length} are the stack's own`,
  );

const roles = z
  .array(
    z
      .string()
      .regex(
        /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+\*?$/,
        'must be the ARN of a role, such as arn:aws:iam::123456789012:role/Operator; only its end may be "*"',
      ),
  )
  .max(20)
  .superRefine(eachOnce)
  .default([]);

const operation = z.strictObject({
  logRetentionDays: z
    .literal(RETENTION_DAYS, `must be one of ${RETENTION_DAYS.join(', ')}`)
    .default(30)
    .describe('How many days the logs are kept.'),
  terminationProtection: z
    .boolean()
    .default(false)
    .describe('The stack cannot be deleted while this is `true`; `prod` sets it.'),
  tags: tags.default({}).describe('On every resource, beside `interface` and `environment`.'),
  contentRoles: roles.describe(
    'Roles that may read the carts in the dead-letter queue, in the console of this interface or of SQS: those to which you gave the content policy. A cart is personal data, and all others are denied, whatever rights they have; so are all in the cart queue. The redriver needs no entry, and redriveRoles may read, too.',
  ),
  redriveRoles: roles.describe(
    'Roles that may redrive from the console of SQS, which sends with the rights of its user: the right to send to the cart queue is the right to order. All others are denied; the redriver needs no entry. SSO puts random letters behind the name of a permission set: write `arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Operator_*`.',
  ),
});

const network = z.strictObject({
  subnetIds: z
    .array(z.string().regex(/^subnet-[0-9a-f]{8,17}$/, 'must be a subnet id, such as subnet-0a1b2c3d'))
    .min(1)
    .max(16)
    .superRefine(eachOnce)
    .describe(
      'Existing subnets. They need a way to 11VMS, and to SQS, DynamoDB and Secrets Manager (NAT or endpoints).',
    ),
  securityGroupIds: z
    .array(z.string().regex(/^sg-[0-9a-f]{8,17}$/, 'must be a security group id, such as sg-0a1b2c3d'))
    .min(1)
    .max(5)
    .superRefine(eachOnce)
    .describe('Existing security groups.'),
});

/** The supervisor waits for the worker to try one message. */
export const SUPERVISOR_MARGIN_SECONDS = 20;
/** A receive of SQS brings at most so many messages: Lambda collects a larger batch from several. */
const SQS_BATCH = 10;
/** The AWS SDK keeps so many connections to the table, and the worker some more to 11VMS: no cart of a batch waits for one. */
const LARGEST_BATCH = 50;
const MAXIMUM_WORKER_SECONDS = 900 - SUPERVISOR_MARGIN_SECONDS;
const DAY_MS = 86_400_000;

const memoryMegabytes = z
  .int()
  .min(128)
  .max(10_240)
  .default(1024)
  .describe('Memory of the function; its share of a CPU grows with it.');

const entrySchema = z.strictObject({
  name: z
    .string()
    .regex(
      /^[a-z][a-z0-9-]{0,19}$/,
      'must be 1 to 20 lower-case letters, digits and hyphens, a letter first, such as acme-test',
    )
    .describe('Part of every resource name.'),
  account: z
    .string()
    .regex(/^\d{12}$/, 'must be an AWS account, 12 digits in quotes, such as "123456789012"')
    .optional()
    .describe("The AWS account to deploy to; a deployment with another account's credentials is refused."),
  region: z
    .string()
    .regex(/^[a-z]{2,4}(-[a-z]+)+-\d$/, 'must be an AWS region, such as eu-west-1')
    .optional()
    .describe('The AWS region to deploy to. Without it: `AWS_REGION`, or the region of the AWS profile.'),
  srm: connectionTo
    .extend({
      baseUrl: baseUrl.refine((url) => !/\/sap\/opu(\/|$)/i.test(url), endsTooLate('https://srm.example.com')),
      client: z
        .string()
        .regex(/^\d{3}$/, 'must be a sap-client, three digits in quotes, such as "100"')
        .describe('`sap-client`, part of the identity of every cart.'),
      language: z
        .string()
        .regex(/^[A-Z]{2}$/, 'must be a language of two capital letters, such as EN')
        .default('EN')
        .describe('`sap-language`: the language of the texts that SRM sends.'),
      internalHosts: z
        .array(
          z
            .string()
            .regex(
              /^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i,
              'must be a host without https:// and without a path, such as srm-internal.example.com',
            )
            .refine((host) => !host.endsWith(':443'), 'must not name port 443, which https leaves out, too'),
        )
        .superRefine(eachOnce)
        .default([])
        .describe('Hosts that SRM may name in `__next` although it is reached through a proxy (edge case 6).'),
      statuses: z
        .array(z.string().regex(/^[A-Z]\d{4}$/, 'must be a status of SAP, such as I1129'))
        .min(1)
        .superRefine(eachOnce)
        .default(['I1129'])
        .describe(
          'The statuses that the list read asks for (rules.md, "Defaults"). `translation.valueMaps.status` must say what each means.',
        ),
      timeoutSeconds: z
        .int()
        .min(1)
        .max(300)
        .default(15)
        .describe('Time-out of one call, such as a page. Raise it, or lower `pageSize`, where a page takes longer.'),
      ...srmService,
    })
    .describe('The connection to SAP SRM 7.'),
  vms: connectionTo
    .extend({
      ...vmsContract,
      timeoutSeconds: z
        .int()
        .min(1)
        .max(60)
        .default(10)
        .describe(
          "Time-out of one call to 11VMS or its token endpoint, well under the worker's own. Half of it may be spent on connecting.",
        ),
    })
    .describe('The connection to 11VMS, through `11VMSProxy_V2`.'),
  extraction: z
    .strictObject({
      schedule: scheduleExpression.describe(
        'When approved carts are read: `rate(5 minutes)`, or a cron of six fields, `cron(0/5 6-20 ? * MON-FRI *)`.',
      ),
      timeZone: timeZoneSchema.default('Europe/Brussels').describe('The time zone of both schedules.'),
      firstWatermark: z.iso
        .datetime({ offset: true })
        .refine(
          (text) => !(Date.parse(text) > Date.now() + 366 * DAY_MS),
          'must be at most a year ahead: nothing is read before it',
        )
        .refine(
          (text) => !(Date.parse(text) < Date.UTC(2000)),
          'must be the go-live, and not the beginning of time: all carts since then would be ordered',
        )
        .describe(
          'Where the very first run starts reading: the go-live. There is no "beginning of time" (edge case 11).',
        ),
      overlapSeconds: z
        .int()
        .min(0)
        .default(30 * 60)
        .describe('So much is read again in each run, for carts that SRM committed late.'),
      safetySeconds: z
        .int()
        .min(0)
        .default(5 * 60)
        .describe('So much is left unread at the end, for carts that are stamped and not yet committed.'),
      timeoutSeconds: z.int().min(60).max(900).default(300).describe('Time-out of one run; the next run goes on.'),
      memoryMegabytes,
    })
    .describe('Reading from SRM.'),
  reconciliation: z
    .strictObject({
      schedule: scheduleExpression
        .default('cron(30 4-7 * * ? *)')
        .describe(
          'In the time zone of the extraction, before the working day. The first firing starts it; the others finish it.',
        ),
      days: z
        .int()
        .min(1)
        .max(60)
        .default(7)
        .describe(
          'How many days are read again. Verdicts are kept for 90: further back, dead letters would look lost.',
        ),
    })
    .prefault({})
    .describe('The daily reconciliation: what the ledger does not account for is queued again.'),
  delivery: z
    .strictObject({
      retryBaseSeconds: z
        .int()
        .min(1)
        .max(300)
        .default(30)
        .describe('The first retry delay. It doubles: 30, 60, 120 s.'),
      batchSize: z
        .int()
        .min(1)
        .max(LARGEST_BATCH)
        .default(10)
        .describe(
          'How many carts one invocation takes, and sends to 11VMS at once. A crash costs each of them an attempt.',
        ),
      batchingWindowSeconds: z
        .int()
        .min(0)
        .max(300)
        .default(0)
        .describe(
          'How long Lambda collects carts for a batch; more than 10 need it. Larger batches bring little: a cart is billed 4.9 ms in batches of 10, 3.2 of 20, 2.3 of 40 (measured in November 2026 on a quiet machine; `npm run bench` measures it anew), some 15 cents a month at 100,000 carts a day. They cost time: where few carts come, each waits for the window, and up to 20 s however short it is.',
        ),
      maximumConcurrency: z
        .int()
        .min(2)
        .max(1000)
        .default(2)
        .describe('How many invocations run at once: this protects 11VMS. SQS allows no less than 2.'),
      timeoutSeconds: z
        .int()
        .min(10)
        .max(
          MAXIMUM_WORKER_SECONDS,
          `must be at most ${MAXIMUM_WORKER_SECONDS}: the supervisor tries a message for ${SUPERVISOR_MARGIN_SECONDS} s longer, and Lambda ends a function after 900 s`,
        )
        .default(60)
        .describe(
          'Time-out of one invocation. The last create is sent three times `vms.timeoutSeconds` and 2 s earlier. Raise it where 11VMS takes fewer than `batchSize` x `maximumConcurrency` orders until then.',
        ),
      memoryMegabytes,
    })
    .describe('Creating orders in 11VMS.'),
  translation: translationSettingsSchema
    .partial({ timeZone: true })
    .describe('Switches of the mapping, and its value maps.'),
  notifications: notifications
    .prefault({})
    .describe('Who hears of an alarm. The topics and alarms exist without any receiver.'),
  owners: owners
    .prefault({})
    .describe(
      'Who can fix a fault: named by alarms and reports where they tell whom to call. Without its entry, an owner is called by its role.',
    ),
  logLevel: z.enum(['DEBUG', 'INFO', 'WARN', 'ERROR']).default('INFO').describe('The least level that is logged.'),
  operation: operation.prefault({}).describe('How the stack is kept.'),
  network: network
    .optional()
    .describe('For an SRM that is reachable from inside only. Without it, the functions run in no VPC of yours.'),
  grafana: grafana
    .optional()
    .describe('Grafana. Without it, the printed dashboard is imported by hand or read by Git Sync.'),
  logForwarding: logForwarding.optional().describe('Splunk and Elastic. Without it, the logs stay in CloudWatch.'),
  cloudAlm: cloudAlm.optional().describe('SAP Cloud ALM. Without it, nothing is reported to it.'),
  events: events.optional().describe('Events for other systems. Without it, there are none.'),
  orderNumbers: orderNumbers
    .optional()
    .describe("The orders' numbers, back to SRM. Without it, SRM does not learn them."),
  $schema: z
    .string()
    .optional()
    .describe(
      'Where an editor finds the schema of this file, `infra/environments.schema.json`; nothing else reads it.',
    ),
});

/** What must fit into one invocation, or no order would ever be started. Each may take `vms.timeoutSeconds`. */
const STEPS_OF_AN_ORDER = ['secret and token', 'create', 'look-up', 'probe', 'reserve'];
const shortestTimeoutSeconds = ({ vms }: { readonly vms: { readonly timeoutSeconds: number } }): number =>
  STEPS_OF_AN_ORDER.length * vms.timeoutSeconds;
const withTimeout = z.object({ vms: z.object({ timeoutSeconds: z.number() }) });

/** After one page there must be time for another, and for a token: else a run of an extraction would never get on. */
const hasTimeForPages = ({ extraction, srm }: z.infer<typeof entrySchema>): boolean =>
  extraction.timeoutSeconds >= 3 * srm.timeoutSeconds;

const named = z.object({ secretName: z.string() });
const withSecretNames = z.object({ srm: named, vms: named });

export const environmentSchema = entrySchema
  .refine(hasTimeForPages, {
    path: ['extraction', 'timeoutSeconds'],
    error: 'must be at least three times srm.timeoutSeconds, for a token and two pages',
  })
  .refine((entry) => entry.delivery.timeoutSeconds >= shortestTimeoutSeconds(entry), {
    path: ['delivery', 'timeoutSeconds'],
    error({ input }) {
      const entry = withTimeout.safeParse(input);
      const atLeast = entry.success ? `${shortestTimeoutSeconds(entry.data)}: ` : '';
      return `must be at least ${atLeast}five times vms.timeoutSeconds, for ${STEPS_OF_AN_ORDER.join(', ')}`;
    },
  })
  .refine(({ delivery }) => delivery.batchSize <= SQS_BATCH || delivery.batchingWindowSeconds >= 1, {
    path: ['delivery', 'batchingWindowSeconds'],
    error: `must be at least 1 where batchSize is more than ${SQS_BATCH}: Lambda asks for it`,
  })
  .superRefine(({ srm }, { issues }) => {
    for (const { path, message } of serviceMistakes(srm)) {
      issues.push({ code: 'custom', path: ['srm', ...path], message, input: srm });
    }
  })
  .superRefine(({ srm, translation }, { issues }) => {
    for (const [index, status] of srm.statuses.entries()) {
      if (Object.hasOwn(translation.valueMaps.status, status)) continue;
      const message = `must be in translation.valueMaps.status, with its meaning, such as "${status}": "approved"; else each of its carts is a dead letter`;
      issues.push({ code: 'custom', path: ['srm', 'statuses', index], message, input: status });
    }
  })
  .refine(({ srm, vms }) => vms.secretName !== srm.secretName, {
    path: ['vms', 'secretName'],
    error: 'must be another secret than srm.secretName: each system has a client of its own',
    // Beside the mistakes of other fields, too.
    when: ({ value }) => withSecretNames.safeParse(value).success,
  })
  .superRefine((entry, { issues }) => {
    for (const path of sharedSecrets(entry)) {
      const message = 'must be another secret than those of the other systems';
      issues.push({ code: 'custom', path: [...path], message, input: entry });
    }
  })
  .refine(({ orderNumbers: numbers, srm }) => numbers === undefined || srm.timeoutSeconds <= 120, {
    path: ['srm', 'timeoutSeconds'],
    error: 'must be at most 120 with orderNumbers: the function that writes them has ten minutes',
  })
  .refine(({ srm }) => isHeaderFree(srm), { path: ['srm', 'apiKeyHeader'], error: HEADER_TAKEN })
  .refine(({ vms }) => isHeaderFree(vms), { path: ['vms', 'apiKeyHeader'], error: HEADER_TAKEN })
  .refine(endsBeforeCollection, {
    path: ['vms', 'baseUrl'],
    error: endsTooLate('https://apim.example.com/11VMSProxy_V2'),
    when: ({ value }) => hasVmsPaths(value),
  })
  .superRefine(({ vms }, { issues }) => {
    for (const { path, message } of collidingPlaces(vms)) {
      issues.push({ code: 'custom', path: ['vms', ...path], message, input: vms.fields });
    }
  })
  .refine(({ srm }) => srm.kmsKeyArn === undefined || !srm.createSecret, {
    path: ['srm', 'kmsKeyArn'],
    error: KEY_OF_CREATED_SECRET,
  })
  .refine(({ vms }) => vms.kmsKeyArn === undefined || !vms.createSecret, {
    path: ['vms', 'kmsKeyArn'],
    error: KEY_OF_CREATED_SECRET,
  })
  .transform((entry) => {
    const { $schema: _, ...settings } = entry;
    const { translation, extraction, vms } = settings;
    return {
      ...settings,
      vms: completeContract(vms),
      translation: { ...translation, timeZone: translation.timeZone ?? extraction.timeZone },
    };
  });

export type Environment = z.infer<typeof environmentSchema>;
type EnvironmentEntry = z.input<typeof environmentSchema>;

/** What an operator of a landscape changes first: hosts, and the business units of the value map. */
const landscape = (name: 'dev' | 'test' | 'prod', sapClient: string): EnvironmentEntry => ({
  name,
  srm: {
    baseUrl: `https://srm-${name}.example.com`,
    tokenUrl: `https://srm-${name}.example.com/oauth/token`,
    scope: 'srm.carts.read',
    secretName: `proc-srm7-11vms-purchase-order-v1/${name}/srm`,
    client: sapClient,
  },
  vms: {
    baseUrl: `https://apim-${name}.example.com/11VMSProxy_V2`,
    tokenUrl: `https://apim-${name}.example.com/oauth/token`,
    scope: 'vms.purchase-orders.write',
    secretName: `proc-srm7-11vms-purchase-order-v1/${name}/11vms`,
  },
  extraction: { schedule: 'rate(5 minutes)', firstWatermark: '2026-12-01T00:00:00Z' },
  delivery: {},
  translation: { valueMaps: { businessUnit: { BE10: 'BU-BE-BRU' } } },
  // Auditors ask about last year's orders in production only.
  ...(name === 'prod' ? { operation: { logRetentionDays: 365, terminationProtection: true } } : {}),
});

/**
 * What `npm start` synthesizes: the same stack, made quick. The simulators' URLs and the first watermark take the
 * place of those here; the value maps are those of the interface's sample and of the generated carts.
 */
const local: EnvironmentEntry = {
  name: 'local',
  account: '000000000000',
  region: 'eu-west-1',
  srm: {
    baseUrl: 'http://127.0.0.1:8001',
    tokenUrl: 'http://127.0.0.1:8001/oauth/token',
    scope: 'srm.carts.read',
    secretName: 'proc-srm7-11vms-purchase-order-v1/local/srm',
    client: '100',
  },
  vms: {
    baseUrl: 'http://127.0.0.1:8002/11VMSProxy_V2',
    tokenUrl: 'http://127.0.0.1:8002/oauth/token',
    scope: 'vms.purchase-orders.write',
    secretName: 'proc-srm7-11vms-purchase-order-v1/local/11vms',
    timeoutSeconds: 2,
  },
  extraction: {
    schedule: 'rate(1 minute)',
    firstWatermark: '2026-11-20T00:00:00Z',
    overlapSeconds: 60,
    safetySeconds: 5,
    timeoutSeconds: 60,
  },
  delivery: { retryBaseSeconds: 1, timeoutSeconds: 30 },
  translation: {
    valueMaps: {
      businessUnit: { BE10: 'BU-BE-BRU', FR20: 'BU-FR-PAR', DE30: 'BU-DE-BER', NL40: 'BU-NL-AMS' },
      supplier: { mode: 'identity', codes: { '100234': 'SUP-00871', '199999': 'SUP-INACTIVE' } },
    },
  },
};

export const ENVIRONMENTS: Readonly<Record<string, EnvironmentEntry>> = {
  dev: landscape('dev', '100'),
  test: landscape('test', '200'),
  prod: landscape('prod', '400'),
  local,
};

/** What the environment's stack is called in CloudFormation. */
export const stackName = ({ name }: Pick<Environment, 'name'>): string => `proc-srm7-11vms-purchase-order-v1-${name}`;

/** An entry, or every mistake in it. `origin` says whose. */
export type CheckedEnvironment = {
  readonly origin: string;
  /** What is allowed, and probably not meant. */
  readonly warnings: readonly string[];
} & ({ readonly environment: Environment } | { readonly mistakes: readonly Mistake[] });

/** Parses an entry. @throws {Error} that names every field which is wrong. */
export function parseEnvironment(entry: unknown, origin: string): Environment {
  const checked = checkSettings(environmentSchema, entry);
  if ('settings' in checked) return checked.settings;
  throw refusalOf(origin, checked.mistakes);
}

const refusalOf = (origin: string, mistakes: readonly Mistake[]): Error =>
  new Error(`${origin} is not a valid environment:\n${describeMistakes(mistakes)}`);

/**
 * The environment by its name, or from a JSON file when the name is a path.
 * @throws {Error} for an unknown name, an unreadable file or a bad entry; it says which, and what is allowed.
 */
export const loadEnvironment = (nameOrFile: string): Environment => loadWithWarnings(nameOrFile, () => {});

/** As {@link loadEnvironment}, and says what is allowed and probably not meant. */
export function loadWithWarnings(nameOrFile: string, warn: (warning: string) => void): Environment {
  const checked = checkEnvironment(nameOrFile);
  for (const warning of checked.warnings) warn(warning);
  if ('environment' in checked) return checked.environment;
  throw refusalOf(checked.origin, checked.mistakes);
}

/** @throws {Error} for an unknown name or a file that cannot be read. */
export function checkEnvironment(nameOrFile: string): CheckedEnvironment {
  if (/[./\\]/.test(nameOrFile)) return checkEntryFile(nameOrFile);
  const entry = Object.hasOwn(ENVIRONMENTS, nameOrFile) ? ENVIRONMENTS[nameOrFile] : undefined;
  if (entry === undefined) {
    throw new Error(
      `Unknown environment "${nameOrFile}". Known: ${Object.keys(ENVIRONMENTS).join(', ')}; or give the path of a JSON file.`,
    );
  }
  const origin = `Environment ${nameOrFile} (infra/environments.ts)`;
  const checked = checkSettings(environmentSchema, entry);
  return { origin, warnings: [], ...('settings' in checked ? { environment: checked.settings } : checked) };
}

const checkEntryFile = (path: string): CheckedEnvironment => checkEntry(readEntry(path), path);

/** Checks what stands in an entry together with what stands in the CSV files that it names, beside its path. */
export function checkEntry(
  { json, repeated }: { readonly json: unknown; readonly repeated: readonly string[] },
  path: string,
): CheckedEnvironment {
  const { entry, mistakes, warnings, rowOf } = withValueMapFiles(json, dirname(path));
  const checked = checkSettings(environmentSchema, entry);
  const ofSchema = 'mistakes' in checked ? checked.mistakes : [];
  // That a map is missing or empty is no mistake beside those of its file.
  const reported = mistakes.flatMap(({ path: place }) => [place.slice(0, 3).join('.'), place.slice(0, 4).join('.')]);
  const all = [
    // A value map that says two things of one code must be mended, not guessed.
    ...repeated.map((place) => ({ message: 'stands there twice', path: place.split('.') })),
    ...mistakes,
    ...ofSchema
      .filter(({ path: place }) => !reported.includes(place.join('.')))
      .map((mistake) => {
        const row = rowOf(mistake.path);
        return row === undefined ? mistake : { ...mistake, message: `${mistake.message} (${row})` };
      }),
  ];
  const origin = `Environment file ${path}`;
  if (all.length > 0 || 'mistakes' in checked) return { origin, warnings, mistakes: all };
  return { origin, warnings, environment: checked.settings };
}

function readEntry(path: string): ReturnType<typeof parseHandwritten> {
  try {
    const read = parseHandwritten(withoutComments(readJsonText(path)));
    if (isODataAnswer(read.json)) {
      throw new NoJsonFile('holds an answer of SRM, not an environment: it is for npm start -- --input');
    }
    return read;
  } catch (error) {
    if (!(error instanceof NoJsonFile)) throw error;
    throw new Error(`Environment file ${path} ${error.message}`, { cause: error });
  }
}

const isODataAnswer = (json: unknown): boolean =>
  ['d', '@odata.context', 'value'].some((name) => Object.hasOwn(Object(json), name));
