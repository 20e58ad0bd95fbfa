/** The processes of a benchmark: the services, and the handler that is measured. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { createAwsClients, LOCAL_CREDENTIALS } from '../../infra/local/aws/aws-clients.ts';
import type {
  ExtractorVariables,
  ReconcilerVariables,
  SupervisorVariables,
  WorkerVariables,
} from '../../shared/environment.ts';
import { MESSAGE_KEY } from './carts.ts';

export const TABLE_NAME = 'ledger';
const REGION = 'eu-west-1';

export interface Service {
  readonly url: string;
  /** Counts since the start, by operation. */
  stats(): Promise<Readonly<Record<string, number>>>;
  stop(): void;
}

const started = new Set<ChildProcess>();
/** Ends all started processes, also on Ctrl-C. */
export function stopAll(): void {
  for (const child of started) child.kill('SIGKILL');
}

function start(args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  const child = spawn(process.execPath, ['--enable-source-maps', ...args], {
    env,
    stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
  });
  started.add(child);
  child.once('exit', () => started.delete(child));
  return child;
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('no output to read');
  const lines = createInterface({ input: child.stdout });
  const [line]: unknown[] = await Promise.race([once(lines, 'line'), ended(child)]);
  return String(line);
}

async function ended(child: ChildProcess): Promise<never> {
  const [code]: unknown[] = await once(child, 'exit');
  throw new Error(`a process of the benchmark ended with exit code ${String(code)}`);
}

export async function startService(kind: string, ...args: readonly (string | number)[]): Promise<Service> {
  const child = start([join(import.meta.dirname, 'service.ts'), kind, ...args.map(String)], process.env);
  const { url } = z.object({ url: z.string() }).parse(JSON.parse(await firstLine(child)));
  return {
    url,
    stats: async () => z.record(z.string(), z.number()).parse(await (await fetch(`${url}/stats`)).json()),
    stop: () => child.kill('SIGKILL'),
  };
}

const resultSchema = z.object({
  carts: z.number(),
  seconds: z.number(),
  cpuMs: z.number(),
  peakMegabytes: z.number(),
  invocations: z.number(),
  billedMs: z.number(),
  returned: z.number(),
});
export type Measured = z.infer<typeof resultSchema>;

function startSubject(
  file: string,
  args: readonly (string | number)[],
  variables: Readonly<Record<string, string>>,
): ChildProcess {
  const env = { ...variables, PATH: process.env.PATH };
  const child = start([join(import.meta.dirname, 'subject.ts'), file, ...args.map(String)], env);
  // The log lines are discarded.
  child.stdout?.resume();
  return child;
}

async function nextMessage(child: ChildProcess): Promise<unknown> {
  const [message]: unknown[] = await Promise.race([once(child, 'message'), ended(child)]);
  return message;
}

/** Reads all carts with an extractor in a process of its own. @throws when a run fails. */
export async function measureExtractor(
  file: string,
  timeoutSeconds: number,
  variables: Readonly<Record<string, string>>,
): Promise<Measured> {
  return resultSchema.parse(await nextMessage(startSubject(file, ['extractor', timeoutSeconds], variables)));
}

export interface ConsumerWork {
  /** Of all environments together. */
  readonly carts: number;
  readonly batchSize: number;
  /** Execution environments, each in a process of its own. */
  readonly environments: number;
}

/** Far from the carts of another environment. */
const CARTS_APART = 1_000_000;

/** Works carts off with a worker, in so many environments at once. @throws when a batch fails. */
export async function measureConsumer(
  file: string,
  { carts, batchSize, environments }: ConsumerWork,
  variables: Readonly<Record<string, string>>,
): Promise<Measured> {
  const each = Math.ceil(carts / environments);
  const children = Array.from({ length: environments }, (_, index) =>
    startSubject(file, ['consumer', each, batchSize, index * CARTS_APART], variables),
  );
  await Promise.all(children.map(nextMessage));
  for (const child of children) child.send('go');
  const results = await Promise.all(children.map(async (child) => resultSchema.parse(await nextMessage(child))));
  const sum = (name: keyof Measured): number => results.reduce((total, result) => total + result[name], 0);
  return {
    carts: sum('carts'),
    seconds: Math.max(...results.map(({ seconds }) => seconds)),
    cpuMs: sum('cpuMs'),
    peakMegabytes: Math.max(...results.map(({ peakMegabytes }) => peakMegabytes)),
    invocations: sum('invocations'),
    billedMs: sum('billedMs'),
    returned: sum('returned'),
  };
}

const startSchema = z.object({ importMs: z.number(), answerMs: z.number(), answer: z.unknown() });
export type ColdStart = z.infer<typeof startSchema>;

/** Runs one cold start in a process of `subject` (cold-subject.ts). @throws when the handler does. */
export async function measureStart(
  subject: string,
  file: string,
  event: unknown,
  variables: Readonly<Record<string, string>>,
): Promise<ColdStart> {
  const env = { ...variables, PATH: process.env.PATH };
  const child = start([subject, file, JSON.stringify(event)], env);
  // The log lines are discarded.
  child.stdout?.resume();
  return startSchema.parse(await nextMessage(child));
}

export interface Neighbours {
  readonly table: Service;
  readonly secrets: Service;
  readonly queue: Service;
  readonly vms: Service;
  readonly srm: Service;
}

export interface NeighbourOptions {
  /** The carts in SRM, one every 10 ms from then on. */
  readonly source?: { readonly carts: number; readonly startMs: number };
  /** 11VMS loses the answer to one of so many new orders; 0: to none. */
  readonly loseEvery?: number;
}

/** Starts all services, and creates the table and the secrets. */
export async function startNeighbours({ source, loseEvery = 0 }: NeighbourOptions = {}): Promise<Neighbours> {
  const [table, secrets, queue, vms, srm] = await Promise.all([
    startService('table'),
    startService('secrets'),
    startService('queue'),
    startService('vms', loseEvery),
    startService('srm', source?.carts ?? 0, source?.startMs ?? 0),
  ]);
  const clients = createAwsClients({ sqs: queue.url, dynamodb: table.url, secretsManager: secrets.url }, REGION);
  for (const Name of ['srm', 'vms']) {
    const SecretString = JSON.stringify({ clientId: 'benchmark', clientSecret: 'benchmark' });
    await clients.secretsManager.send(new CreateSecretCommand({ Name, SecretString }));
  }
  const { key: SecretString } = MESSAGE_KEY;
  await clients.secretsManager.send(new CreateSecretCommand({ Name: 'message-key', SecretString }));
  for (const client of Object.values(clients)) client.destroy();
  return { table, secrets, queue, vms, srm };
}

export function stopNeighbours(neighbours: Neighbours): void {
  for (const service of Object.values(neighbours)) service.stop();
}

/** The environment variables that Lambda and the stack would set. */
export function variablesOf(
  { table, secrets, queue, vms, srm }: Neighbours,
  taskRoot: string,
  firstWatermark: string,
): Record<string, string> {
  const common = {
    INTERFACE_ENVIRONMENT: MESSAGE_KEY.environment,
    MESSAGE_KEY: 'message-key',
    TABLE_NAME,
    POWERTOOLS_SERVICE_NAME: 'benchmark',
    POWERTOOLS_METRICS_NAMESPACE: 'benchmark',
    POWERTOOLS_LOG_LEVEL: 'INFO',
    SRM_BASE_URL: srm.url,
    SRM_TOKEN_URL: `${srm.url}/oauth/token`,
    SRM_CLIENT_AUTHENTICATION: 'basic',
    SRM_SCOPE: '',
    SRM_SECRET: 'srm',
    SRM_MUTUAL_TLS: 'false',
    SRM_PRIVATE_CA: 'false',
    SRM_API_KEY_HEADER: '',
    SRM_PROXY_URL: '',
    SRM_DIFFERENCES: '{}',
    SRM_CLIENT: '100',
    SRM_LANGUAGE: 'EN',
    SRM_INTERNAL_HOSTS: '',
    SRM_STATUSES: 'I1129',
    SRM_TIMEOUT_MS: '15000',
    SRM_PAGE_SIZE: '0',
    SRM_PAGING: 'next-link',
    SRM_SERVICE_PATH: '/sap/opu/odata/sap/ZSRM_SC_EXTRACT_SRV',
    SRM_ENTITY_SET: 'ShoppingCartSet',
    SRM_KEY_PROPERTY: 'Guid',
    SRM_CHANGED_AT_PROPERTY: 'ChangedAt',
    QUEUE_URL: `${queue.url}/000000000000/carts`,
  } as const;
  const worker: WorkerVariables = {
    ...common,
    VMS_BASE_URL: `${vms.url}/11VMSProxy_V2`,
    VMS_COLLECTION_PATH: '/purchase-orders',
    VMS_LOOK_UP_BY: '?externalId=',
    VMS_FOUND_AT: '/items',
    VMS_ID_AT: '/id',
    VMS_NUMBER_AT: '/number',
    VMS_EXTERNAL_ID_AT: '/externalId',
    VMS_DECIMALS_AS: 'string',
    VMS_TOKEN_URL: `${vms.url}/oauth/token`,
    VMS_CLIENT_AUTHENTICATION: 'basic',
    VMS_SCOPE: '',
    VMS_SECRET: 'vms',
    VMS_MUTUAL_TLS: 'false',
    VMS_PRIVATE_CA: 'false',
    VMS_API_KEY_HEADER: '',
    VMS_PROXY_URL: '',
    VMS_DIFFERENCES: '{}',
    VMS_TIMEOUT_MS: '5000',
    RETRY_BASE_SECONDS: '30',
    MAX_RECEIVE_COUNT: '4',
    PAUSE_FOR_DEAD_LETTERS: 'true',
    LEASE_SECONDS: '65',
  };
  const extractor: ExtractorVariables = {
    ...common,
    FIRST_WATERMARK: firstWatermark,
    OVERLAP_SECONDS: '0',
    SAFETY_SECONDS: '0',
    LEASE_SECONDS: '330',
  };
  const reconciler: ReconcilerVariables = { ...common, FIRST_WATERMARK: firstWatermark, RECONCILIATION_DAYS: '7' };
  const supervisor: Omit<SupervisorVariables, keyof WorkerVariables> = {
    EVENT_SOURCE_MAPPING: 'benchmark',
    WORKER_FUNCTION: 'benchmark',
    WORKER_TIMEOUT_SECONDS: '60',
  };
  return {
    ...worker,
    ...extractor,
    ...supervisor,
    ...reconciler,
    LEASE_SECONDS: worker.LEASE_SECONDS,
    LAMBDA_TASK_ROOT: taskRoot,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_SQS: queue.url,
    AWS_ENDPOINT_URL_DYNAMODB: table.url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url,
  };
}
