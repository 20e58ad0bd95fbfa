/** The sources of the local run: the same adapters on its emulators, where everything can be tried. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { ledgerAt, type OpenedLedger } from '../carts/open-ledger.ts';
import { SERVICE_NAMES } from '../../shared/metric-names.ts';
import type { Environment } from '../environments.ts';
import { LOCAL_ACCOUNT, LOCAL_CREDENTIALS } from '../local/aws/aws-clients.ts';
import { type LocalStack, only } from '../local/aws/local-stack.ts';
import { createDeadLetterLook } from './dead-letter-look.ts';
import { localWorker, settingsOfWorker } from './deployed-settings.ts';
import { createFunctions } from './functions.ts';
import { createRunLogSearch } from './logs/run-log-search.ts';
import type { OpenedSources } from './open-sources.ts';
import { createOrderLookUp } from './order-look-up.ts';
import type { Health, HourOfCarts } from './sources.ts';

/** @param logPath where the run writes its functions' log lines */
export function createLocalSources(environment: Environment, stack: LocalStack, logPath: string): OpenedSources {
  const { endpoints, outputs, region } = stack;
  const common = { region, credentials: LOCAL_CREDENTIALS };
  const output = (key: string): string => outputs[key] ?? '';
  const sqs = new SQSClient({ ...common, endpoint: endpoints.sqs });
  const ledger = ledgerAt(
    environment,
    { tableName: output('LedgerTableName'), queueUrl: output('QueueUrl') },
    {
      dynamodb: new DynamoDBClient({ ...common, endpoint: endpoints.dynamodb }),
      sqs,
    },
  );
  const functions = createFunctions(
    { ...common, endpoint: endpoints.lambda },
    {
      extractor: output('ExtractorFunctionName'),
      supervisor: output('SupervisorFunctionName'),
      reconciler: output('ReconcilerFunctionName'),
      redriver: output('RedriverFunctionName'),
    },
  );
  const worker = only(
    stack.functions.filter(({ description }) => description.name === output('WorkerFunctionName')),
    'worker',
  );
  const secrets = new SecretsManagerClient({ ...common, endpoint: endpoints.secretsManager });
  return {
    environment,
    place: {
      environmentName: `${environment.name} (local run)`,
      account: LOCAL_ACCOUNT,
      region,
      identity: 'the person at this machine',
      deployment: 'this checkout',
    },
    endOfSession: async () => undefined,
    ledger,
    functions,
    health: localHealth(stack, ledger),
    deployedSettings: async () => settingsOfWorker(localWorker(worker.description)),
    deadLetter: createDeadLetterLook({
      functions,
      sqs,
      deadLetterQueueUrl: output('DeadLetterQueueUrl'),
      now: Date.now,
    }),
    lookUpOrder: createOrderLookUp(async () => localWorker(worker.description), secrets),
    logs: createRunLogSearch(logPath, Date.now),
    close() {
      secrets.destroy();
      ledger.close();
      functions.close();
    },
  };
}

const HOUR_MS = 3_600_000;
const HOURS = 24;

/** Nothing measures the local run: its ledger and its queues are counted. */
function localHealth(stack: LocalStack, ledger: OpenedLedger): Health {
  const { queue } = stack.mappingOf(SERVICE_NAMES.worker);
  return {
    alarms: async () => undefined,
    async lastHours(nowMs) {
      const firstMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS - (HOURS - 1) * HOUR_MS;
      const days = [...new Set([firstMs, nowMs].map((ms) => new Date(ms).toISOString().slice(0, 10)))];
      const timesOf = async (list: 'CREATED' | 'DEAD-LETTERED'): Promise<number[]> =>
        (await Promise.all(days.map((day) => ledger.listed(list, day)))).flat().map(({ listedAtMs }) => listedAtMs);
      const [created, deadLettered] = await Promise.all([timesOf('CREATED'), timesOf('DEAD-LETTERED')]);
      return Array.from({ length: HOURS }, (_, index): HourOfCarts => {
        const hourMs = firstMs + index * HOUR_MS;
        const within = (times: readonly number[]): number =>
          times.filter((ms) => ms >= hourMs && ms < hourMs + HOUR_MS).length;
        return { hourMs, created: within(created), deadLettered: within(deadLettered), waiting: undefined };
      });
    },
    async oldestWaitMs() {
      const { ready, delayed, inFlight } = await queue.inspect();
      const sent = [...ready, ...delayed, ...inFlight].map(({ sentTimestamp }) => sentTimestamp);
      return sent.length === 0 ? undefined : Math.min(...sent);
    },
    async deadLetterCounts() {
      const contents = await queue.deadLetters?.inspect();
      return {
        ready: contents?.ready.length ?? 0,
        inFlight: contents?.inFlight.length ?? 0,
        delayed: contents?.delayed.length ?? 0,
      };
    },
    // The emulator has no move tasks.
    moveTask: async () => undefined,
  };
}
