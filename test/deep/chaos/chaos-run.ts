/** One chaos run: the synthesized stack with simulators and emulators of its own, under one disturbance schedule. */
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { GetQueueAttributesCommand, type QueueAttributeName } from '@aws-sdk/client-sqs';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { SQSEvent } from 'aws-lambda';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { type Environment, loadEnvironment, parseEnvironment } from '../../../infra/environments.ts';
import { readTable } from '../../../infra/local/run/accounting.ts';
import { createAwsClients } from '../../../infra/local/aws/aws-clients.ts';
import { startEmulators } from '../../../infra/local/aws/emulators.ts';
import type { InvocationResult } from '../../../infra/local/aws/execution-environment.ts';
import type { LambdaFunction } from '../../../infra/local/aws/lambda-function.ts';
import { type LocalSchedule, type LocalStack, only, startLocalStack } from '../../../infra/local/aws/local-stack.ts';
import { scheduledEvent } from '../../../infra/local/aws/scheduled-event.ts';
import { synthesizeOnce } from '../../../infra/synthesis-cache.ts';
import { createBreakerRecord } from '../../../shared/circuit-breaker.ts';
import { createLedgerTable } from '../../../shared/ledger-table.ts';
import { asJsonObject } from '../../../shared/exact-json.ts';
import { SERVICE_NAMES } from '../../../shared/metric-names.ts';
import { startRecordingProxy, type RecordingProxy } from '../../integration/recording-proxy.ts';
import { type GeneratedCart, generateCarts } from '../../simulators/carts.ts';
import { type Srm7Simulator, startSrm7 } from '../../simulators/srm7.ts';
import { startVms, type VmsOptions } from '../../simulators/vms.ts';
import { type Delivery, type Findings, judgeRun, type Violation } from './invariants.ts';
import type { ChaosDisturbance, Schedule, ScheduledDisturbance, Target } from './schedule.ts';
import { type CartDisturbance, createDisturbances, type Disturbances } from './disturbed-calls.ts';

/** The synthesized stack, which all runs share. */
export interface Assembly {
  readonly environment: Environment;
  readonly directory: string;
  readonly artifact: string;
  remove(): void;
}

export interface RunResult extends Findings {
  readonly schedule: Schedule;
  readonly orders: number;
  readonly deadLetters: number;
  /** How many dead letters the redriver has sent, as far as it lived to say so. */
  readonly redriven: number;
  readonly hits: readonly ScheduledDisturbance[];
  readonly durationMs: number;
  /** The log lines of the functions, and the notes of the run. */
  readonly log: readonly string[];
}

export interface RunOptions {
  readonly assembly: Assembly;
  readonly signal?: AbortSignal;
}

/** The local environment with the shortest times that its schema allows, because a run mostly waits. */
function chaosEnvironment(): Environment {
  const { srm, vms, extraction, delivery, ...local } = loadEnvironment('local');
  return parseEnvironment(
    {
      ...local,
      srm,
      vms: { ...vms, timeoutSeconds: 2 },
      extraction: { ...extraction, overlapSeconds: OVERLAP_SECONDS, safetySeconds: SAFETY_SECONDS },
      delivery: { ...delivery, retryBaseSeconds: 1, timeoutSeconds: 10 },
    },
    'The chaos environment',
  );
}

const OVERLAP_SECONDS = 30;
const SAFETY_SECONDS = 1;
/**
 * Carts of the last ten minutes. A page spans more time than the overlap, so the overlap cannot hide a skipped page, and
 * another extraction reads only a few carts again.
 */
const CARTS_FROM_MS = 600_000;
const CARTS_TO_MS = 3_000;
/** The age of the timestamp of a cart that is committed late: older than the watermark, but within the overlap. */
const LATE_STAMP_AGE_MS = 20_000;
const FAULTY_SHARE = 0.2;
/** Small, so that there are several pages. */
const PAGE_SIZE = 10;
const INACTIVE_SUPPLIER = 'SUP-INACTIVE';
const MAXIMUM_RECEIVES = 4;
/** More than the longest silence, which is the visibility timeout of the queue: six times the 10 s of the worker. */
const SILENCE_MS = 90_000;
/** Disturbances are finite: after this time a run will not come to rest, even on a slow machine. */
const PATIENCE_MS = 15 * 60_000;
/** The time for the last calls of the emulators after the processes have ended. */
const LAST_CALLS_MS = 300;
const POLL_MS = 200;
const OPERATOR_ACTS = 3;

const functionOf = ({ functions }: LocalStack, role: 'Redriver' | 'Supervisor'): LambdaFunction =>
  only(
    functions.filter(({ description }) => description.logicalId.startsWith(role)),
    role,
  );

/** Synthesizes and bundles once, for any number of runs. */
export async function prepareAssembly(): Promise<Assembly> {
  const environment = chaosEnvironment();
  const outdir = mkdtempSync(join(tmpdir(), 'chaos-'));
  const { directory, artifact } = await synthesizeOnce(environment, join(outdir, 'assembly'));
  return { environment, directory, artifact, remove: () => rmSync(outdir, { recursive: true, force: true }) };
}

const TARGET_OPTIONS: Readonly<Record<Target, VmsOptions>> = {
  strict: {},
  careless: { ignoreIdempotencyKeys: true, enforceUniqueness: false, disguiseSeed: 1 },
  'no-look-up': { lookup: false },
};

/** Runs a schedule to its end, and checks the invariants. */
export async function runChaos(schedule: Schedule, options: RunOptions): Promise<RunResult> {
  const run = new ChaosRun(schedule, options);
  try {
    return await run.run();
  } finally {
    await run.close();
  }
}

class ChaosRun {
  readonly #schedule: Schedule;
  readonly #options: RunOptions;
  readonly #startedMs = Date.now();
  #lastLineMs = Date.now();
  #isAtRest = false;
  #isClosed = false;
  readonly #log: string[] = [];
  readonly #deliveries: Delivery[] = [];
  readonly #doubled = new Set<Promise<unknown>>();
  readonly #closers: (() => Promise<void>)[] = [];
  readonly #carts: readonly GeneratedCart[];
  /** Carts that SRM does not show yet. */
  readonly #held = new Set<number>();
  #redriven = 0;
  /** When SRM's carts last changed. Only a later extraction reads the change. */
  #srmChangedAtMs = 0;

  constructor(schedule: Schedule, options: RunOptions) {
    this.#schedule = schedule;
    this.#options = options;
    this.#carts = generateCarts({
      count: schedule.carts,
      seed: schedule.seed,
      from: new Date(this.#startedMs - CARTS_FROM_MS),
      to: new Date(this.#startedMs - CARTS_TO_MS),
      faultyShare: FAULTY_SHARE,
      client: options.assembly.environment.srm.client,
    });
    for (const { disturbance } of schedule.disturbances) {
      if (disturbance.kind === 'committed-late' && this.#carts[disturbance.cart]?.expected === 'orders')
        this.#held.add(disturbance.cart);
    }
  }

  async run(): Promise<RunResult> {
    const { environment, directory, artifact } = this.#options.assembly;
    const [emulators, srm, vms] = await Promise.all([
      this.#keep(startEmulators()),
      this.#keep(startSrm7({ client: environment.srm.client, pageSize: PAGE_SIZE, seed: this.#schedule.seed })),
      this.#keep(startVms({ ...TARGET_OPTIONS[this.#schedule.target], inactiveSuppliers: [INACTIVE_SUPPLIER] })),
    ]);
    srm.addCarts(this.#carts.filter((_cart, index) => !this.#held.has(index)).map(({ row }) => row));
    const proxies = {
      srm: await this.#proxy(srm.url),
      '11vms': await this.#proxy(vms.url),
      sqs: await this.#proxy(emulators.endpoints.sqs),
      dynamodb: await this.#proxy(emulators.endpoints.dynamodb),
    };
    let disturbances: Disturbances | undefined;
    const stack = await this.#keep(
      startLocalStack({
        assembly: directory,
        artifact,
        emulators: {
          ...emulators,
          endpoints: { ...emulators.endpoints, sqs: proxies.sqs.url, dynamodb: proxies.dynamodb.url },
        },
        secrets: {
          [environment.srm.secretName]: JSON.stringify({ clientId: srm.clientId, clientSecret: srm.clientSecret }),
          [environment.vms.secretName]: JSON.stringify({ clientId: vms.clientId, clientSecret: vms.clientSecret }),
        },
        variables: {
          SRM_BASE_URL: proxies.srm.url,
          SRM_TOKEN_URL: srm.tokenUrl.replace(srm.url, proxies.srm.url),
          // SRM would write its own address into __next, and so bypass the proxy.
          SRM_INTERNAL_HOSTS: new URL(srm.url).host,
          VMS_BASE_URL: vms.baseUrl.replace(vms.url, proxies['11vms'].url),
          VMS_TOKEN_URL: vms.tokenUrl.replace(vms.url, proxies['11vms'].url),
          FIRST_WATERMARK: new Date(this.#startedMs - CARTS_FROM_MS - 2000).toISOString(),
          NODE_OPTIONS: `--import ${SIGN_CALLS}`,
          // Hundreds of processes are killed. A compile cache makes their successors start faster.
          NODE_COMPILE_CACHE: join(directory, 'compile-cache'),
        },
        invoke: (target, event) => this.#invokeWorker(target, event, disturbances),
        onLogLine: ({ text }) => {
          this.#lastLineMs = Date.now();
          this.#log.push(text);
        },
        onError: (error) => this.#note(`poller: ${String(error)}`),
      }),
    );

    const { queue, poller } = only(stack.mappings, 'event source mapping');
    const direct = createAwsClients(emulators.endpoints, stack.region);
    this.#closers.unshift(async () => {
      for (const client of Object.values(direct)) client.destroy();
    });
    const queueUrl = new URL(new URL(queue.url).pathname, emulators.endpoints.sqs).href;
    disturbances = createDisturbances(this.#schedule, {
      sqs: direct.sqs,
      queueUrl,
      deadLetterQueueName: queue.deadLetters?.name ?? '',
      onCartDisturbance: (disturbance) => this.#changeCart(disturbance, srm),
    });
    for (const service of ['srm', '11vms', 'sqs', 'dynamodb'] as const) {
      proxies[service].intercept(disturbances.interceptorFor(service));
    }
    srm.setDisturbances(disturbances.ofSimulator('srm'));
    vms.setDisturbances(disturbances.ofSimulator('11vms'));

    stack.startMappings();
    let isExtracted = false;
    const tableName = only(stack.tables, 'table').name;
    const endLease = async (): Promise<void> => {
      await direct.dynamodb.send(endOfLease(tableName, environment.srm.client)).catch(() => undefined);
    };
    const extraction = this.#extract(stack, srm, disturbances, endLease);
    extraction.then(
      () => (isExtracted = true),
      (error: unknown) => this.#note(`extraction: ${String(error)}`),
    );
    const isQuiet = async (): Promise<boolean> => {
      if (!isExtracted || poller.inFlight > 0 || this.#doubled.size > 0) return false;
      const { Attributes: counts = {} } = await direct.sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: QUEUE_COUNTS }),
      );
      return QUEUE_COUNTS.every((name) => counts[name] === '0');
    };
    let isOperated = false;
    const deadLettersNow = async (): Promise<readonly string[]> => {
      const { ready, inFlight } = await emulators.inspectQueue(queue.deadLetters?.name ?? '');
      return [...ready, ...inFlight].map(({ messageId }) => messageId);
    };
    this.#operate(stack, disturbances, deadLettersNow, isQuiet).then(
      () => (isOperated = true),
      (error: unknown) => this.#note(`operator: ${String(error)}`),
    );
    const isAtRest = async (): Promise<boolean> => isOperated && (await isQuiet());
    this.#isAtRest = await this.#until(isAtRest, stack);

    const [left, dead, items] = await Promise.all([
      emulators.inspectQueue(queue.name),
      emulators.inspectQueue(queue.deadLetters?.name ?? ''),
      readTable(direct.dynamodb, tableName),
    ]);
    const findings = judgeRun({
      carts: this.#carts,
      orders: vms.orders(),
      deadLetters: [...dead.ready, ...dead.delayed, ...dead.inFlight],
      leftOnQueue: left.ready.length + left.delayed.length + left.inFlight.length,
      items,
      restedAtMs: Date.now(),
      deliveries: this.#deliveries,
      disturbedVerdicts: disturbances.disturbedVerdicts,
      sentToDeadLetters: disturbances.sentToDeadLetters,
      maximumReceives: MAXIMUM_RECEIVES,
    });
    const restless: Violation = {
      invariant: 'comes to rest',
      detail: `${isExtracted ? 'messages are left' : 'no extraction was complete'} after ${this.#ageSeconds()} s`,
    };
    return {
      ...findings,
      schedule: this.#schedule,
      violations: this.#isAtRest ? findings.violations : [restless, ...findings.violations],
      orders: vms.orders().length,
      deadLetters: dead.ready.length + dead.inFlight.length,
      redriven: this.#redriven,
      hits: disturbances.hits,
      durationMs: Date.now() - this.#startedMs,
      log: this.#log,
    };
  }

  /** Closes in the reverse order of opening, so that callers end before the services that they call. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const [index, close] of this.#closers.toReversed().entries()) {
      await close();
      // dynalite throws an uncaught error when it is closed during a write.
      if (index === 0 && !this.#isAtRest) await sleep(LAST_CALLS_MS);
    }
  }

  async #keep<Thing extends { close(): Promise<void> }>(opening: Promise<Thing>): Promise<Thing> {
    const thing = await opening;
    this.#closers.push(() => thing.close());
    return thing;
  }

  #proxy(upstream: string): Promise<RecordingProxy> {
    return this.#keep(startRecordingProxy(upstream));
  }

  #ageSeconds(): number {
    return Math.round((Date.now() - this.#startedMs) / 1000);
  }

  #note(text: string): void {
    this.#lastLineMs = Date.now();
    this.#log.push(JSON.stringify({ chaos: text, atMs: Date.now() }));
  }

  async #until(isDone: () => Promise<boolean>, stack: LocalStack): Promise<boolean> {
    let tickedMs = Date.now();
    while (!(await isDone())) {
      if (this.#options.signal?.aborted === true) throw new Interrupted();
      if (Date.now() - this.#lastLineMs > SILENCE_MS || Date.now() - this.#startedMs > PATIENCE_MS) return false;
      if (Date.now() - tickedMs >= 1000) {
        tickedMs = Date.now();
        await this.#supervise(stack);
      }
      await sleep(POLL_MS);
    }
    return true;
  }

  /** Runs the supervisor each second, unless the breaker is closed, when a run would change nothing. */
  async #supervise(stack: LocalStack): Promise<void> {
    const breaker = createBreakerRecord(createLedgerTable(stack.clients.dynamodb, only(stack.tables, 'table').name));
    const { poller } = only(stack.mappings, 'event source mapping');
    if (poller.enabled && (await breaker.read()).state === 'CLOSED') return;
    // Only a person ends the pause for many dead letters, which a run of 50 carts may set off (edge case 80).
    const isForced = (await breaker.read()).state === 'FORCED_OPEN';
    const resume = { consumption: 'resume', by: 'the chaos run', reason: 'the dead letters are expected' };
    const result = isForced
      ? await functionOf(stack, 'Supervisor').invoke(resume)
      : await stack.scheduleOf(SERVICE_NAMES.supervisor).fire(new Date());
    this.#note(`supervisor: ${result.kind === 'succeeded' ? JSON.stringify(result.payload) : result.reason}`);
  }

  /** Invokes the worker for the event source mapping, disturbed by the schedule. */
  async #invokeWorker(
    target: LambdaFunction,
    event: SQSEvent,
    disturbances: Disturbances | undefined,
  ): Promise<InvocationResult> {
    const disturbance = disturbances?.next('worker invocation');
    const invoke = async (): Promise<InvocationResult> => {
      const result = await target.invoke(event, disturbance?.kind === 'cut-short' ? disturbance.toMs : undefined);
      const ended = result.kind === 'succeeded';
      for (const { messageId, attributes } of event.Records) {
        this.#deliveries.push({ messageId, receiveCount: Number(attributes.ApproximateReceiveCount), ended });
      }
      if (!ended) {
        this.#note(`worker ${result.kind}: ${result.reason}`);
        await disturbances?.passTime(event.Records.map(({ receiptHandle }) => receiptHandle));
      }
      return result;
    };
    if (disturbance?.kind === 'invoked-twice') {
      const second = invoke().finally(() => this.#doubled.delete(second));
      this.#doubled.add(second);
    }
    return invoke();
  }

  /** Fires the extractor repeatedly, as its schedule does, until a run has read all carts of SRM. */
  async #extract(
    stack: LocalStack,
    srm: Srm7Simulator,
    disturbances: Disturbances,
    endLease: () => Promise<void>,
  ): Promise<void> {
    const { target, description } = extractorSchedule(stack);
    while (!this.#isClosed) {
      const firedMs = Date.now();
      const disturbance = disturbances.next('extractor invocation');
      const result = await target.invoke(
        scheduledEvent(description, stack.region, new Date(firedMs)),
        disturbance?.kind === 'cut-short' ? disturbance.toMs : undefined,
      );
      const status = result.kind === 'succeeded' ? asJsonObject(result.payload)?.['status'] : result.kind;
      this.#note(`extraction: ${String(status)}`);
      // There is no other reader, so the holder of the lease has ended. Waiting for the lease would show nothing new.
      if (status === 'crashed' || status === 'timed-out' || status === 'locked') await endLease();
      if (status === 'complete') {
        if (this.#held.size === 0 && firedMs > this.#srmChangedAtMs + (SAFETY_SECONDS + 1) * 1000) return;
        for (const cart of this.#held) this.#changeCart({ kind: 'committed-late', cart }, srm);
      }
      // The next run has something to read only when the window is a second longer.
      await sleep(1000);
    }
  }

  /** Handles the dead letters as the schedule says, while carts are still being processed and after that. */
  async #operate(
    stack: LocalStack,
    disturbances: Disturbances,
    deadLettersNow: () => Promise<readonly string[]>,
    isQuiet: () => Promise<boolean>,
  ): Promise<void> {
    for (let act = 1; act <= OPERATOR_ACTS && !this.#isClosed; act++) {
      const disturbance = disturbances.next('operator');
      if (disturbance === undefined) continue;
      while ((await deadLettersNow()).length === 0 && !this.#isClosed) {
        if (await isQuiet()) return;
        await sleep(POLL_MS);
      }
      if (disturbance.kind === 'move-task') await this.#moveTask(stack);
      if (disturbance.kind === 'redrive') await this.#redrive(stack, disturbance, await deadLettersNow());
    }
  }

  async #moveTask(stack: LocalStack): Promise<void> {
    const { queue } = only(stack.mappings, 'event source mapping');
    await queue.redriveDeadLetters().then(
      (moved) => this.#note(`move task: ${moved}`),
      (error: unknown) => this.#note(`move task: ${String(error)}`),
    );
  }

  async #redrive(
    stack: LocalStack,
    { share, everything, runs, forMs, besideMoveTask }: Extract<ChaosDisturbance, { kind: 'redrive' }>,
    deadLetters: readonly string[],
  ): Promise<void> {
    const redriver = functionOf(stack, 'Redriver');
    const invoke = async (event: object): Promise<Readonly<Record<string, unknown>>> => {
      const result = await redriver.invoke(event, forMs);
      this.#note(
        `redriver ${result.kind}: ${result.kind === 'succeeded' ? JSON.stringify(result.payload) : result.reason}`,
      );
      return (result.kind === 'succeeded' ? asJsonObject(result.payload) : undefined) ?? {};
    };
    const messageIds = deadLetters.slice(0, Math.ceil(deadLetters.length * share));
    const moveTask = besideMoveTask ? this.#moveTask(stack) : undefined;
    const { planHash } = await invoke({ plan: { selection: { messageIds }, everything } });
    if (typeof planHash === 'string') {
      const event = { redrive: { planHash, by: 'an operator', reason: 'chaos', force: true } };
      const results = await Promise.all(Array.from({ length: runs }, () => invoke(event)));
      for (const { moved } of results) this.#redriven += Number(moved ?? 0);
    }
    await moveTask;
  }

  /** An action of SRM's users: a cart appears late, with an earlier timestamp, or is approved again. */
  #changeCart({ kind, cart: index }: CartDisturbance, srm: Srm7Simulator): void {
    const cart = this.#carts[index];
    const isThere = !this.#held.has(index);
    if (cart === undefined || cart.expected !== 'orders' || isThere !== (kind === 'approved-again')) return;
    this.#held.delete(index);
    const nowMs = Date.now();
    const stampMs = Math.floor((kind === 'committed-late' ? nowMs - LATE_STAMP_AGE_MS : nowMs) / 1000) * 1000;
    srm.addCarts([{ ...cart.row, ChangedAt: `/Date(${stampMs}+0000)/` }]);
    this.#srmChangedAtMs = nowMs;
    this.#note(`cart ${cart.number} ${kind}`);
  }
}

export class Interrupted extends Error {}

const SIGN_CALLS = pathToFileURL(join(import.meta.dirname, 'sign-calls.ts')).href;

const QUEUE_COUNTS: QueueAttributeName[] = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesDelayed',
  'ApproximateNumberOfMessagesNotVisible',
];

/** The schedule of an ordinary extraction, which has no input. */
function extractorSchedule({ schedules }: LocalStack): LocalSchedule {
  const own = schedules.filter(
    ({ target, description }) =>
      target.description.logicalId.startsWith('Extractor') && description.input === undefined,
  );
  return only(own, 'schedule of the extractor');
}

/** Ends the lease of a run that has ended, as if its time had passed. */
const endOfLease = (tableName: string, sapClient: string): UpdateItemCommand =>
  new UpdateItemCommand({
    TableName: tableName,
    Key: marshall({ pk: `WATERMARK#${sapClient}`, sk: 'WATERMARK' }),
    UpdateExpression: 'SET leaseUntilMs = :past',
    ConditionExpression: 'attribute_exists(leaseOwner)',
    ExpressionAttributeValues: marshall({ ':past': 0 }),
  });
