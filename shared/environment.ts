/**
 * The functions' environment variables: the only contract between the stack and the code. The stack builds exactly
 * these keys (a missing one is a compile error) and each function parses them once, when it starts.
 */
import * as z from 'zod';
import { CLIENT_AUTHENTICATIONS } from './client-authentication.ts';
import { tryParseJson } from './exact-json.ts';
import { CHANGED_AT_PROPERTIES, PAGINGS } from './srm-service.ts';

const instant = z.iso.datetime({ offset: true });
const whole = (minimum: number) => z.string().regex(/^\d+$/).transform(Number).pipe(z.int().min(minimum));
// Made once each: a schema is slow to make, and all are made at a cold start.
const natural = whole(0);
const positive = whole(1);
const filled = z.string().min(1);
const url = z.url();
/** Empty where there is none. */
const optional = z.string().transform((text) => (text === '' ? undefined : text));
const list = z.string().transform((text) => text.split(',').filter((part) => part !== ''));

const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

/** What is not JSON is refused as what the schema does not expect. */
const json = <Schema extends z.ZodType>(schema: Schema) => z.string().transform(tryParseJson).pipe(schema);
const texts = z.record(z.string(), z.string()).default({});

/** The settings of a connection that have a structure, each where it is not as by default. */
const differences = {
  tokenParameters: texts,
  headers: texts,
};
const srmDifferences = z.strictObject({
  ...differences,
  /** This SRM's names of properties, by SAP's. */
  fields: texts,
  /** The navigations that are expanded, in SAP's names; all without it. */
  expand: z.array(z.string()).optional(),
});
const vmsDifferences = z.strictObject({ ...differences });
export type SrmDifferences = z.input<typeof srmDifferences>;
export type VmsDifferences = z.input<typeof vmsDifferences>;

const connection = {
  BASE_URL: url,
  TOKEN_URL: url,
  CLIENT_AUTHENTICATION: z.enum(CLIENT_AUTHENTICATIONS),
  SCOPE: z.string(),
  SECRET: filled,
  /** The secret holds a client certificate and its key, too. */
  MUTUAL_TLS: flag,
  /** The secret holds the certificate of a private authority, too. */
  PRIVATE_CA: flag,
  /** The header of the API key, which the secret then holds, too. */
  API_KEY_HEADER: optional,
  PROXY_URL: url.or(z.literal('').transform(() => undefined)),
};

/** How 11VMS takes amounts, quantities and percentages. */
export const DECIMAL_FORMS = ['string', 'number'] as const;

const srmVariables = {
  SRM_BASE_URL: connection.BASE_URL,
  SRM_TOKEN_URL: connection.TOKEN_URL,
  SRM_CLIENT_AUTHENTICATION: connection.CLIENT_AUTHENTICATION,
  SRM_SCOPE: connection.SCOPE,
  SRM_SECRET: connection.SECRET,
  SRM_MUTUAL_TLS: connection.MUTUAL_TLS,
  SRM_PRIVATE_CA: connection.PRIVATE_CA,
  SRM_API_KEY_HEADER: connection.API_KEY_HEADER,
  SRM_PROXY_URL: connection.PROXY_URL,
  SRM_DIFFERENCES: json(srmDifferences),
  /** `sap-client`, part of a cart's identity. */
  SRM_CLIENT: z.string().regex(/^\d{3}$/),
  SRM_LANGUAGE: z.string().length(2),
  /** Host names that `__next` may carry instead of the base URL's, comma-separated. */
  SRM_INTERNAL_HOSTS: list,
  /** The statuses in the filter of the list read, comma-separated. */
  SRM_STATUSES: list,
  /** How long one call to SRM, or to its token endpoint, may take. */
  SRM_TIMEOUT_MS: whole(100),
  /** How many carts a page is asked to hold; 0 leaves it to SRM. */
  SRM_PAGE_SIZE: natural,
  SRM_PAGING: z.enum(PAGINGS),
  SRM_SERVICE_PATH: filled,
  SRM_ENTITY_SET: filled,
  SRM_KEY_PROPERTY: filled,
  /** What the window filters and orders by, in SAP's name. */
  SRM_CHANGED_AT_PROPERTY: z.enum(CHANGED_AT_PROPERTIES),
};

const everywhere = {
  INTERFACE_ENVIRONMENT: filled,
  POWERTOOLS_SERVICE_NAME: filled,
  POWERTOOLS_METRICS_NAMESPACE: filled,
  POWERTOOLS_LOG_LEVEL: z.enum(['DEBUG', 'INFO', 'WARN', 'ERROR']),
};
const common = { ...everywhere, TABLE_NAME: filled };
/** The secret with the key of the messages on the cart queue (message-key.ts). */
const messageKey = { MESSAGE_KEY: filled };

export const extractorVariables = z.object({
  ...common,
  ...srmVariables,
  ...messageKey,
  QUEUE_URL: url,
  /** Where reading starts when there is no watermark yet (edge case 11). */
  FIRST_WATERMARK: instant,
  OVERLAP_SECONDS: natural,
  SAFETY_SECONDS: natural,
  /** How long a run may hold the watermark: longer than the function can live. */
  LEASE_SECONDS: positive,
});

export const reconcilerVariables = z.object({
  ...common,
  ...srmVariables,
  ...messageKey,
  QUEUE_URL: url,
  /** As the extractor's: older carts are never read. */
  FIRST_WATERMARK: instant,
  /** How far back the daily reconciliation begins. */
  RECONCILIATION_DAYS: positive,
});

export const workerVariables = z.object({
  ...common,
  ...srmVariables,
  ...messageKey,
  QUEUE_URL: url,
  VMS_BASE_URL: connection.BASE_URL,
  /** Where orders are created, below the base URL. */
  VMS_COLLECTION_PATH: filled,
  /** A query, a path with `{externalId}`, or `none`. */
  VMS_LOOK_UP_BY: filled,
  /** Where the answer to a look-up holds the orders: a JSON pointer. */
  VMS_FOUND_AT: z.string(),
  /** Where the answer to a create names the order: JSON pointers; of the id, or `Location`. */
  VMS_ID_AT: filled,
  VMS_NUMBER_AT: filled,
  VMS_EXTERNAL_ID_AT: filled,
  VMS_DECIMALS_AS: z.enum(DECIMAL_FORMS),
  VMS_TOKEN_URL: connection.TOKEN_URL,
  VMS_CLIENT_AUTHENTICATION: connection.CLIENT_AUTHENTICATION,
  VMS_SCOPE: connection.SCOPE,
  VMS_SECRET: connection.SECRET,
  VMS_MUTUAL_TLS: connection.MUTUAL_TLS,
  VMS_PRIVATE_CA: connection.PRIVATE_CA,
  VMS_API_KEY_HEADER: connection.API_KEY_HEADER,
  VMS_PROXY_URL: connection.PROXY_URL,
  VMS_DIFFERENCES: json(vmsDifferences),
  /** How long one call to 11VMS, or to its token endpoint, may take. */
  VMS_TIMEOUT_MS: whole(100),
  RETRY_BASE_SECONDS: positive,
  /** The queue's maxReceiveCount: the attempt after which SQS moves the message to the dead-letter queue. */
  MAX_RECEIVE_COUNT: positive,
  /** Whether many dead letters pause consumption (edge case 80). Only a dry run, which is to find them all, says no. */
  PAUSE_FOR_DEAD_LETTERS: flag,
  /** How long an attempt may hold an order: longer than the function can live. */
  LEASE_SECONDS: positive,
});

export const supervisorVariables = z.object({
  ...common,
  /** Where carts wait while consumption is paused. */
  QUEUE_URL: url,
  /** The id of the event source mapping between the queue and the worker. */
  EVENT_SOURCE_MAPPING: filled,
  /** The worker's name: it tries one message before consumption resumes. */
  WORKER_FUNCTION: filled,
  WORKER_TIMEOUT_SECONDS: positive,
  /** The worker's: the next trial follows the first failed one after twice this time. */
  RETRY_BASE_SECONDS: positive,
});

export const redriverVariables = z.object({
  ...common,
  /** Where dead letters go back to. */
  QUEUE_URL: url,
  DEAD_LETTER_QUEUE_URL: url,
  DEAD_LETTER_QUEUE_ARN: filled,
  /** The worker's name: it says what would become of a dead letter. */
  WORKER_FUNCTION: filled,
  WORKER_TIMEOUT_SECONDS: positive,
  /** The worker's: messages that cannot be read are filed under it. */
  SRM_CLIENT: srmVariables.SRM_CLIENT,
});

export const cloudAlmReporterVariables = z.object({
  ...everywhere,
  CLOUD_ALM_API_URL: url,
  CLOUD_ALM_TOKEN_URL: connection.TOKEN_URL,
  CLOUD_ALM_SECRET: connection.SECRET,
  /** The id of the interface in Landscape Management. */
  CLOUD_ALM_SERVICE_ID: filled,
  /** As CloudWatch names the queues. */
  QUEUE_NAME: filled,
  DEAD_LETTER_QUEUE_NAME: filled,
  /** What the names of all alarms begin with. */
  ALARM_PREFIX: filled,
});

export const numberWriterVariables = z.object({
  ...common,
  ...srmVariables,
  /** Of the events, whose visibility the function sets. */
  QUEUE_URL: url,
  /** Below the service; `{cart}` is the number of the cart. */
  NUMBERS_PATH: filled,
  NUMBERS_METHOD: z.enum(['PATCH', 'POST']),
  NUMBERS_PROPERTY: filled,
});

export type ExtractorEnvironment = z.infer<typeof extractorVariables>;
export type ReconcilerEnvironment = z.infer<typeof reconcilerVariables>;
export type WorkerEnvironment = z.infer<typeof workerVariables>;
export type SupervisorEnvironment = z.infer<typeof supervisorVariables>;
export type RedriverEnvironment = z.infer<typeof redriverVariables>;
export type CloudAlmReporterEnvironment = z.infer<typeof cloudAlmReporterVariables>;
export type NumberWriterEnvironment = z.infer<typeof numberWriterVariables>;

/** The file that carries the names of 11VMS's fields in the worker's bundle: they may be more than Lambda's variables can hold. */
export const VMS_FIELDS_FILE = 'vms-fields.json';

/** The file that carries the translation's settings in the worker's bundle. */
export const TRANSLATION_SETTINGS_FILE = 'translation-settings.json';

/** What the stack must set; `LAMBDA_TASK_ROOT` and the region come from Lambda. */
export type ExtractorVariables = Record<keyof ExtractorEnvironment, string>;
export type ReconcilerVariables = Record<keyof ReconcilerEnvironment, string>;
export type WorkerVariables = Record<keyof WorkerEnvironment, string>;
export type SupervisorVariables = Record<keyof SupervisorEnvironment, string>;
export type RedriverVariables = Record<keyof RedriverEnvironment, string>;
export type CloudAlmReporterVariables = Record<keyof CloudAlmReporterEnvironment, string>;
export type NumberWriterVariables = Record<keyof NumberWriterEnvironment, string>;
/** The parts that several functions share. */
export type BasicVariables = Record<keyof typeof everywhere, string>;
export type CommonVariables = Record<keyof typeof common, string>;
export type SrmVariables = Record<keyof typeof srmVariables, string>;

/**
 * Parses a function's environment.
 * @throws {Error} that names each variable which is missing or malformed, never its value.
 */
export function parseVariables<Schema extends z.ZodType>(
  schema: Schema,
  variables: Readonly<Record<string, string | undefined>>,
): z.infer<Schema> {
  // zod's compiled parser would cost more than it saves: the schema is used once.
  const parsed = schema.safeParse(variables, { jitless: true });
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')} (${issue.message})`);
  throw new Error(`Environment variables missing or malformed: ${faults.join('; ')}. Deploy the stack again.`);
}
