/**
 * One typed entry per environment, validated at synth. `-c env=dev|test|prod` picks one of those below;
 * `-c env=./file.json` reads a user's own with the same schema, so that a new environment needs no code.
 */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { repeatedKeys } from './repeated-keys.ts';
import { timeZoneSchema, translationSettingsSchema } from '../shared/translation-settings.ts';

const loopbackHosts = ['127.0.0.1', 'localhost', '[::1]'];
/** Judged only once it is a URL: a refinement runs even on what is none. */
const parsedUrl = (text: string): URL | undefined => (URL.canParse(text) ? new URL(text) : undefined);
const serviceUrl = z
  .url({ protocol: /^https?$/ })
  .refine((text) => {
    const url = parsedUrl(text);
    return url === undefined || url.protocol !== 'http:' || loopbackHosts.includes(url.hostname);
  }, 'must be https (plain http is for loopback only)')
  // It stands in the template and in logs, where no password may be; those go into the connection secret.
  .refine((text) => {
    const url = parsedUrl(text);
    return url === undefined || url.username + url.password === '';
  }, 'must not hold a user or password')
  .transform((url) => url.replace(/\/+$/, ''));
/** Paths are added to its end. */
const baseUrl = serviceUrl.refine((text) => !/[?#]/.test(text), 'must not have a query or fragment');

const connection = z.strictObject({
  baseUrl,
  tokenUrl: serviceUrl,
  scope: z.string().default(''),
  /** Name of the secret that holds `{ "clientId", "clientSecret" }`. */
  secretName: z.string().regex(/^[A-Za-z0-9/_+=.@-]{1,256}$/),
  /** False where a secret of that name exists already and is not this stack's: then it is only read. */
  createSecret: z.boolean().default(true),
  /** Present a client certificate: the secret holds `clientCertificate` and `clientKey`, too (PEM). */
  mutualTls: z.boolean().default(false),
  /** Trust a private authority besides the public ones: the secret holds `certificateAuthority`, too (PEM). */
  privateCa: z.boolean().default(false),
});

const scheduleExpression = z
  .string()
  .regex(/^(rate|cron)\(.+\)$/, 'must be an EventBridge Scheduler expression: rate(...) or cron(...)');
/** How much of what is too much: an alarm's threshold, where it differs between landscapes. */
const thresholds = z.strictObject({
  /** No successful extraction for so long; by default two intervals of a `rate(...)`, or 3 days, a long weekend, of a `cron(...)`. */
  extractionSilenceMinutes: z
    .int()
    .min(2)
    .max(7 * 24 * 60)
    .optional(),
  /** The daily reconciliation: a day, an hour for the day of 25 hours, and an hour for the reconciliation itself. */
  reconciliationSilenceHours: z
    .int()
    .min(1)
    .max(7 * 24)
    .default(26),
  /** So many dead letters page somebody: one faulty cart is mail, a faulty mapping is not. */
  deadLetters: z.int().min(1).default(10),
  /** Four attempts with the longest delays fit into half an hour unless 11VMS asks for longer ones. */
  oldestMessageMinutes: z.int().min(1).default(30),
  /** Waiting carts: a day's volume. */
  backlog: z.int().min(1).default(1000),
  /** The breaker resumes by itself after a short outage; only a longer pause pages. */
  pausedMinutes: z.int().min(1).max(60).default(5),
  /** Of the messages received in a quarter of an hour, so many percent went back to be tried again. */
  retryPercent: z.int().min(1).max(100).default(30),
  /** In a quarter of an hour. */
  unknownOutcomes: z.int().min(1).default(5),
  targetThrottled: z.int().min(1).default(50),
  /** Of a function's time-out. */
  durationPercent: z.int().min(1).max(100).default(90),
});

/** Nothing here is required: the topics exist and the alarms act on them, whether anybody is subscribed or not. */
const notifications = z.strictObject({
  /** Name of the secret whose whole text is the integration key of PagerDuty's CloudWatch integration. */
  pagerDutySecretName: z
    .string()
    .regex(/^[A-Za-z0-9/_+=.@-]{1,256}$/)
    .optional(),
  email: z.array(z.email()).default([]),
  /** Where infra/runbook.md can be read by whoever is paged; alarms and outputs name it. */
  runbookUrl: z.string().min(1).max(200).default('infra/runbook.md'),
  thresholds: thresholds.prefault({}),
});

/** What CloudWatch Logs allows, in days. */
const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

const tags = z.record(
  z
    .string()
    .regex(/^[\p{L}\p{N} _.:/=+@-]{1,128}$/u, 'must be 1 to 128 letters, digits, spaces or _.:/=+-@')
    .refine((key) => !/^aws:/i.test(key), 'must not start with aws:'),
  z.string().regex(/^[\p{L}\p{N} _.:/=+@-]{1,256}$/u, 'must be 1 to 256 letters, digits, spaces or _.:/=+-@'),
);

/** How the stack is kept, whatever it carries. */
const operation = z.strictObject({
  logRetentionDays: z.literal(RETENTION_DAYS, `must be one of ${RETENTION_DAYS.join(', ')}`).default(30),
  /** The stack cannot be deleted until somebody switches this off. */
  terminationProtection: z.boolean().default(false),
  /** On every resource, beside `interface` and `environment`. */
  tags: tags.default({}),
});

/** Existing subnets and security groups, for an SRM that is reachable from inside only. */
const network = z.strictObject({
  subnetIds: z
    .array(z.string().regex(/^subnet-[0-9a-f]{8,17}$/, 'must be a subnet id: subnet-...'))
    .min(1)
    .max(16),
  securityGroupIds: z
    .array(z.string().regex(/^sg-[0-9a-f]{8,17}$/, 'must be a security group id: sg-...'))
    .min(1)
    .max(5),
});

const entrySchema = z.strictObject({
  /** Part of every resource name. */
  name: z.string().regex(/^[a-z][a-z0-9-]{0,19}$/, 'must be lower-case letters, digits and hyphens, at most 20'),
  account: z
    .string()
    .regex(/^\d{12}$/)
    .optional(),
  region: z.string().optional(),
  srm: connection.extend({
    client: z.string().regex(/^\d{3}$/, 'must be a sap-client: three digits'),
    language: z.string().length(2).default('EN'),
    /** Hosts that SRM may name in `__next` although we reach it through a proxy (edge case 6). */
    internalHosts: z.array(z.string().min(1)).default([]),
    /** The statuses that the list read asks for (rules.md, "Defaults"). */
    statuses: z
      .array(z.string().regex(/^[A-Z]\d{4}$/))
      .min(1)
      .default(['I1129']),
  }),
  vms: connection.extend({
    /** One call; well under the worker's time-out. */
    timeoutSeconds: z.int().min(1).max(60).default(10),
  }),
  extraction: z.strictObject({
    schedule: scheduleExpression,
    timeZone: timeZoneSchema.default('Europe/Brussels'),
    /** Where the very first run starts; there is no default "beginning of time" (edge case 11). */
    firstWatermark: z.iso.datetime({ offset: true }),
    overlapSeconds: z
      .int()
      .min(0)
      .default(30 * 60),
    safetySeconds: z
      .int()
      .min(0)
      .default(5 * 60),
    timeoutSeconds: z.int().min(60).max(900).default(300),
    memoryMegabytes: z.int().min(128).max(10_240).default(1024),
  }),
  /** The last days are read again, and what the ledger does not account for is queued again. */
  reconciliation: z
    .strictObject({
      /** In the time zone of the extraction, before the working day. The first firing starts it; the others finish it. */
      schedule: scheduleExpression.default('cron(30 4-7 * * ? *)'),
      /** Verdicts are kept for 90 days: further back, dead letters would look like lost carts. */
      days: z.int().min(1).max(60).default(7),
    })
    .prefault({}),
  delivery: z.strictObject({
    /** First retry delay; it doubles: 30, 60, 120 s. */
    retryBaseSeconds: z.int().min(1).max(300).default(30),
    batchSize: z.int().min(1).max(10).default(10),
    /** Protects 11VMS; SQS allows 2 or more. */
    maximumConcurrency: z.int().min(2).max(1000).default(2),
    timeoutSeconds: z.int().min(10).max(900).default(60),
    memoryMegabytes: z.int().min(128).max(10_240).default(1024),
  }),
  translation: translationSettingsSchema,
  notifications: notifications.prefault({}),
  logLevel: z.enum(['DEBUG', 'INFO', 'WARN', 'ERROR']).default('INFO'),
  operation: operation.prefault({}),
  /** Without it the functions run in no network of yours. They must reach AWS's own services from inside it. */
  network: network.optional(),
});

/** A create, a look-up, a probe and the ledger's last write must fit into one invocation, or no order would ever be started. */
export const environmentSchema = entrySchema.refine(
  ({ delivery, vms }) => delivery.timeoutSeconds >= 4 * vms.timeoutSeconds,
  { path: ['delivery', 'timeoutSeconds'], error: 'must be at least four times vms.timeoutSeconds' },
);

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
  // Auditors ask about last year's orders; nobody asks about last quarter's tests.
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

/** Parses an entry. @throws {Error} that names every field which is wrong. */
export function parseEnvironment(entry: unknown, origin: string): Environment {
  const parsed = environmentSchema.safeParse(entry);
  if (parsed.success) return parsed.data;
  throw new Error(`${origin} is not a valid environment:\n${z.prettifyError(parsed.error)}`);
}

/**
 * The environment by its name, or from a JSON file when the name is a path.
 * @throws {Error} for an unknown name, an unreadable file or a bad entry; it says which, and what is allowed.
 */
export function loadEnvironment(nameOrFile: string): Environment {
  if (!/[./\\]/.test(nameOrFile)) {
    const entry = Object.hasOwn(ENVIRONMENTS, nameOrFile) ? ENVIRONMENTS[nameOrFile] : undefined;
    if (entry !== undefined) return parseEnvironment(entry, `Environment ${nameOrFile} (infra/environments.ts)`);
    throw new Error(
      `Unknown environment "${nameOrFile}". Known: ${Object.keys(ENVIRONMENTS).join(', ')}; or give the path of a JSON file.`,
    );
  }
  return parseEnvironment(readJsonFile(nameOrFile), `Environment file ${nameOrFile}`);
}

function readJsonFile(path: string): unknown {
  let text: string;
  let json: unknown;
  try {
    text = readFileSync(path, 'utf8');
    json = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Environment file ${path} cannot be read as JSON: ${reason}`, { cause: error });
  }
  // JSON.parse keeps the last in silence; a value map that says two things of one code must be mended, not guessed.
  const repeated = repeatedKeys(text);
  if (repeated.length > 0) throw new Error(`Environment file ${path} gives a key twice: ${repeated.join(', ')}`);
  return json;
}
