/** One chaos run: the synthesized stack between simulators and emulators of its own, disturbed by one disturbance schedule. */
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
import { readLedger } from '../../../infra/local/run/accounting.ts';
import { createAwsClients } from '../../../infra/local/aws/aws-clients.ts';
import { startEmulators } from '../../../infra/local/aws/emulators.ts';
import type { InvocationResult } from '../../../infra/local/aws/execution-environment.ts';
import type { LambdaFunction } from '../../../infra/local/aws/lambda-function.ts';
import { type LocalSchedule, type LocalStack, only, startLocalStack } from '../../../infra/local/aws/local-stack.ts';
import { scheduledEvent } from '../../../infra/schedule.ts';
import { synthesize } from '../../../infra/synthesize.ts';
import { createBreakerRecord } from '../../../shared/circuit-breaker.ts';
import { createLedgerTable } from '../../../shared/ledger-table.ts';
import { asJsonObject } from '../../../shared/exact-json.ts';
import { SERVICE_NAMES } from '../../../shared/metric-names.ts';
import { startRecordingProxy, type RecordingProxy } from '../../integration/recording-proxy.ts';
import { type GeneratedCart, generateCarts } from '../../simulators/carts.ts';
import { type Srm7Simulator, startSrm7 } from '../../simulators/srm7.ts';
import { startVms, type VmsOptions } from '../../simulators/vms.ts';
import { type Delivery, type Findings, judgeRun, type Violation } from './invariants.ts';
import type { Schedule, ScheduledDisturbance, Target } from './schedule.ts';
import { type CartDisturbance, createDisturbances, type Disturbances } from './disturbed-calls.ts';

/** What all runs of a session share: the stack, synthesized once. */
export interface Assembly {
  readonly environment: Environment;
  readonly directory: string;
  readonly artifact: string;
  remove(): void;
}

/** What came of a run. */
export interface RunResult extends Findings {
  readonly schedule: Schedule;
  readonly orders: number;
  readonly deadLetters: number;
  readonly hits: readonly ScheduledDisturbance[];
  readonly durationMs: number;
  /** What the functions wrote, and what happened to them. */
  readonly log: readonly string[];
}

/** What a run is given besides its schedule. */
export interface RunOptions {
  readonly assembly: Assembly;
  readonly signal?: AbortSignal;
}

/** The local environment with the shortest times that its schema allows: a run mostly waits. */
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
 * Carts of the last ten minutes: what a page of them spans is longer than the overlap, which therefore hides no page that
 * was skipped; and a further extraction reads only a few of them again.
 */
const CARTS_FROM_MS = 600_000;
const CARTS_TO_MS = 3_000;
/** A cart that is committed late has a stamp of this age: behind the watermark, and well within the overlap. */
const LATE_STAMP_AGE_MS = 20_000;
const FAULTY_SHARE = 0.1;
/** Carts in a page of SRM: few, so that there are pages. */
const PAGE_SIZE = 10;
const INACTIVE_SUPPLIER = 'SUP-INACTIVE';
const MAXIMUM_RECEIVES = 4;
/** Nothing rests longer than a message under the queue's visibility timeout, six times the worker's 10 s. */
const SILENCE_MS = 90_000;
/** Disturbances are finite: a run that still moves by then never comes to rest, however slow the machine. */
const PATIENCE_MS = 15 * 60_000;
/** What the emulators are still working on when the processes are gone. */
const LAST_CALLS_MS = 300;
const POLL_MS = 200;

/** Synthesizes and bundles once, for any number of runs. */
export async function prepareAssembly(): Promise<Assembly> {
  const environment = chaosEnvironment();
  const outdir = mkdtempSync(join(tmpdir(), 'chaos-'));
  const { directory, artifact } = await synthesize(environment, join(outdir, 'assembly'));
  return { environment, directory, artifact, remove: () => rmSync(outdir, { recursive: true, force: true }) };
}

const TARGET_OPTIONS: Readonly<Record<Target, VmsOptions>> = {
  strict: {},
  careless: { ignoreIdempotencyKeys: true, enforceUniqueness: false },
  'no-look-up': { lookup: false },
};

/** Runs a schedule to its end, and judges what is left. */
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
  /** When SRM last changed, and up to where its clock must be read to see that. */
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
          // SRM names itself in __next, and knows nothing of the proxy in front of it.
          SRM_INTERNAL_HOSTS: new URL(srm.url).host,
          VMS_BASE_URL: vms.baseUrl.replace(vms.url, proxies['11vms'].url),
          VMS_TOKEN_URL: vms.tokenUrl.replace(vms.url, proxies['11vms'].url),
          FIRST_WATERMARK: new Date(this.#startedMs - CARTS_FROM_MS - 2000).toISOString(),
          NODE_OPTIONS: `--import ${SIGN_CALLS}`,
          // Functions are killed by the hundred: their successors need not compile the same code again.
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
    const isAtRest = async (): Promise<boolean> => {
      if (!isExtracted || poller.inFlight > 0 || this.#doubled.size > 0) return false;
      const { Attributes: counts = {} } = await direct.sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: QUEUE_COUNTS }),
      );
      return QUEUE_COUNTS.every((name) => counts[name] === '0');
    };
    this.#isAtRest = await this.#until(isAtRest, stack);

    const [left, dead, ledger] = await Promise.all([
      emulators.inspectQueue(queue.name),
      emulators.inspectQueue(queue.deadLetters?.name ?? ''),
      readLedger(direct.dynamodb, tableName),
    ]);
    const findings = judgeRun({
      carts: this.#carts,
      orders: vms.orders(),
      deadLetters: [...dead.ready, ...dead.delayed, ...dead.inFlight],
      leftOnQueue: left.ready.length + left.delayed.length + left.inFlight.length,
      ledger,
      deliveries: this.#deliveries,
      disturbedVerdicts: disturbances.disturbedVerdicts,
      sentToDeadLetters: disturbances.sentToDeadLetters,
      hasLookUp: this.#schedule.target !== 'no-look-up',
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
      deadLetters: dead.ready.length,
      hits: disturbances.hits,
      durationMs: Date.now() - this.#startedMs,
      log: this.#log,
    };
  }

  /** In the reverse order of opening: who calls ends before who is called. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const [index, close] of this.#closers.toReversed().entries()) {
      await close();
      // dynalite throws, outside of any call, when it is closed while it writes.
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

  /** The supervisor's schedule, by the second. Its look at a closed breaker changes nothing, and is spared. */
  async #supervise(stack: LocalStack): Promise<void> {
    const breaker = createBreakerRecord(createLedgerTable(stack.clients.dynamodb, only(stack.tables, 'table').name));
    const { poller } = only(stack.mappings, 'event source mapping');
    if (poller.enabled && (await breaker.read()).state === 'CLOSED') return;
    const result = await stack.scheduleOf(SERVICE_NAMES.supervisor).fire(new Date());
    this.#note(`supervisor: ${result.kind === 'succeeded' ? JSON.stringify(result.payload) : result.reason}`);
  }

  /** Invokes the worker as the event source mapping wants, or as the schedule says. */
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

  /** Fires the extractor again and again, as its schedule does, until a run has seen all that SRM holds. */
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
      // Nobody else reads here: whoever holds the lease is dead, and waiting would show nothing more.
      if (status === 'crashed' || status === 'timed-out' || status === 'locked') await endLease();
      if (status === 'complete') {
        if (this.#held.size === 0 && firedMs > this.#srmChangedAtMs + (SAFETY_SECONDS + 1) * 1000) return;
        for (const cart of this.#held) this.#changeCart({ kind: 'committed-late', cart }, srm);
      }
      // The window must have grown by a second, or the next run has nothing to read.
      await sleep(1000);
    }
  }

  /** SRM's users at work: a cart that SRM shows only now, with an earlier stamp, or that is approved once more. */
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

/** Ctrl-C. */
export class Interrupted extends Error {}

const SIGN_CALLS = pathToFileURL(join(import.meta.dirname, 'sign-calls.ts')).href;

const QUEUE_COUNTS: QueueAttributeName[] = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesDelayed',
  'ApproximateNumberOfMessagesNotVisible',
];

/** The schedule that starts an ordinary extraction: of those that invoke the extractor, the one that sends no input of its own. */
function extractorSchedule({ schedules }: LocalStack): LocalSchedule {
  const own = schedules.filter(
    ({ target, description }) =>
      target.description.logicalId.startsWith('Extractor') && description.input === undefined,
  );
  return only(own, 'schedule of the extractor');
}

/** The lease of a run that is certainly dead ends now, as if its time had passed. */
const endOfLease = (tableName: string, sapClient: string): UpdateItemCommand =>
  new UpdateItemCommand({
    TableName: tableName,
    Key: marshall({ pk: `WATERMARK#${sapClient}`, sk: 'WATERMARK' }),
    UpdateExpression: 'SET leaseUntilMs = :past',
    ConditionExpression: 'attribute_exists(leaseOwner)',
    ExpressionAttributeValues: marshall({ ':past': 0 }),
  });
