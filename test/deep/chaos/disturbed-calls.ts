/** Carries out a disturbance schedule, at the calls of the functions and at the processes that make them. */
import { ChangeMessageVisibilityBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { Interceptor, Reply, RecordedCall } from '../../integration/recording-proxy.ts';
import { type DisturbanceSource, noDisturbance } from '../../simulators/disturbances.ts';
import { hash32, mulberry32, pick } from '../../simulators/seeded-random.ts';
import { SERVICE_NAMES } from '../../../shared/metric-names.ts';
import { type ChaosDisturbance, type Schedule, type ScheduledDisturbance, simulatorDisturbance } from './schedule.ts';

/** The service behind a proxy. */
export type Service = 'srm' | '11vms' | 'sqs' | 'dynamodb';

/** Disturbs the calls of one run. */
export interface Disturbances {
  /** The disturbances that were carried out. */
  readonly hits: readonly ScheduledDisturbance[];
  /** Messages whose verdict was being written when DynamoDB or the process was disturbed. */
  readonly disturbedVerdicts: ReadonlySet<string>;
  /** The number of calls that tried to send to the dead-letter queue, which only SQS may do. */
  readonly sentToDeadLetters: number;
  /** The disturbance of the next call or invocation at a place (schedule.ts). */
  next(at: string): ChaosDisturbance | undefined;
  /** The disturbances that a simulator carries out. */
  ofSimulator(system: 'srm' | '11vms'): DisturbanceSource;
  /** Carries out the other disturbances in the proxy of a service. */
  interceptorFor(service: Service): Interceptor;
  /** Makes messages visible soon that a disturbance left invisible, as if their visibility timeout had passed. */
  passTime(receiptHandles: readonly string[]): Promise<void>;
}

/** What the disturbances work with; the client speaks to SQS without a proxy. */
export interface DisturbanceOptions {
  readonly sqs: SQSClient;
  readonly queueUrl: string;
  readonly deadLetterQueueName: string;
  /** Called when a page is requested, for an action of SRM's users. */
  readonly onCartDisturbance: (disturbance: CartDisturbance) => void;
}

/** An action of SRM's users. */
export type CartDisturbance = Extract<ChaosDisturbance, { cart: number }>;

/** Longer than all delays of the chaos environment but one: a cart that 11VMS refuses waits for 15 minutes. */
const LONGEST_INVISIBLE_SECONDS = 20;
const SOON_VISIBLE_SECONDS = 12;

export function createDisturbances(schedule: Schedule, options: DisturbanceOptions): Disturbances {
  const byCall = new Map(schedule.disturbances.map((scheduled) => [`${scheduled.at} ${scheduled.nth}`, scheduled]));
  const seen = new Map<string, number>();
  const hits: ScheduledDisturbance[] = [];
  const disturbedVerdicts = new Set<string>();
  const random = mulberry32(hash32(`visibility ${schedule.seed}`));
  let sentToDeadLetters = 0;

  function hit(
    at: string,
    nth: number,
    isOurs: (disturbance: ChaosDisturbance) => boolean,
  ): ChaosDisturbance | undefined {
    const scheduled = byCall.get(`${at} ${nth}`);
    if (scheduled === undefined || !isOurs(scheduled.disturbance)) return undefined;
    hits.push(scheduled);
    return scheduled.disturbance;
  }

  function next(
    at: string,
    isOurs: (disturbance: ChaosDisturbance) => boolean = () => true,
  ): ChaosDisturbance | undefined {
    const nth = (seen.get(at) ?? 0) + 1;
    seen.set(at, nth);
    return hit(at, nth, isOurs);
  }

  /**
   * SQS may do this: it delivers at least once, and does not guarantee the full visibility timeout. A message that comes
   * early finds the order held by the lease in the ledger, which is never shortened, and uses up one of its receives.
   */
  async function passTime(receiptHandles: readonly string[], queueUrl = options.queueUrl): Promise<void> {
    if (receiptHandles.length === 0) return;
    const Entries = receiptHandles.map((ReceiptHandle, index) => ({
      Id: String(index),
      ReceiptHandle,
      VisibilityTimeout: pick(random, [0, 1, 1, 2, 3]),
    }));
    // A message that was deleted or received again has another handle. Then there is nothing to do.
    await options.sqs
      .send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }))
      .catch(() => undefined);
  }

  /** Ends or freezes the redriver, which has a disturbance at its own calls beside those of the services. */
  async function endRedriver(call: RecordedCall, forward: () => Promise<Reply>): Promise<Reply | 'reset' | undefined> {
    if (call.headers['x-chaos-service'] !== SERVICE_NAMES.redriver) return undefined;
    return endProcess(next('redriver call'), call, forward);
  }

  const inFrontOfSimulator =
    (placeOf: (call: RecordedCall) => string): Interceptor =>
    async (call, forward) => {
      const disturbance = next(placeOf(call), (candidate) => simulatorDisturbance(candidate) === undefined);
      if (disturbance !== undefined && 'cart' in disturbance) options.onCartDisturbance(disturbance);
      return (await endProcess(disturbance, call, forward)) ?? forward();
    };

  const interceptors: Readonly<Record<Service, Interceptor>> = {
    srm: inFrontOfSimulator(srmPlace),
    '11vms': inFrontOfSimulator(vmsPlace),
    dynamodb: async (call, forward) => {
      const ended = await endRedriver(call, forward);
      if (ended !== undefined) return ended;
      const disturbance = next(`dynamodb ${call.operation}`);
      const verdictOf = /"VERDICT#([^"]+)"/.exec(call.operation === 'PutItem' ? call.body : '')?.[1];
      if (disturbance !== undefined && verdictOf !== undefined) disturbedVerdicts.add(verdictOf);
      return (
        (await endProcess(disturbance, call, forward)) ??
        (await disturbAws(disturbance, DYNAMODB_THROTTLE, forward)) ??
        forward()
      );
    },
    sqs: async (call, forward) => {
      const body = jsonObject(call.body);
      const isForDeadLetters = String(body['QueueUrl']).endsWith(`/${options.deadLetterQueueName}`);
      if (isForDeadLetters && call.operation.startsWith('SendMessage')) sentToDeadLetters++;
      const ended = await endRedriver(call, forward);
      if (ended !== undefined) return ended;
      const disturbance = next(`sqs ${call.operation}`);
      const queueUrl = isForDeadLetters
        ? new URL(`./${options.deadLetterQueueName}`, options.queueUrl).href
        : options.queueUrl;
      const passTimeThere = (handles: readonly string[]): Promise<void> => passTime(handles, queueUrl);
      // A receive whose answer is lost has made its messages invisible.
      if (call.operation === 'ReceiveMessage' && disturbance?.kind === 'reset-after-commit') {
        await passTimeThere(handlesOf((await forward()).body));
        return 'reset';
      }
      return (
        (await endProcess(disturbance, call, forward)) ??
        (await disturbAws(disturbance, SQS_THROTTLE, forward)) ??
        disturbSqs(call, body, disturbance, { forward, passTime: passTimeThere })
      );
    },
  };

  return {
    hits,
    disturbedVerdicts,
    get sentToDeadLetters() {
      return sentToDeadLetters;
    },
    next: (at) => next(at),
    // The simulators count their own requests.
    ofSimulator: (system) => (request) => {
      const disturbance = hit(
        `${system} ${request.operation}`,
        request.ordinal,
        (candidate) => simulatorDisturbance(candidate) !== undefined,
      );
      return (disturbance === undefined ? undefined : simulatorDisturbance(disturbance)) ?? noDisturbance;
    },
    interceptorFor: (service) => interceptors[service],
    passTime,
  };
}

function srmPlace({ path }: RecordedCall): string {
  if (path.startsWith('/oauth/token')) return 'srm token';
  return path.includes('ShoppingCartSet(') ? 'srm cart' : 'srm page';
}

function vmsPlace({ method, path }: RecordedCall): string {
  if (path.startsWith('/oauth/token')) return '11vms token';
  return method === 'POST' ? '11vms create' : '11vms lookup';
}

/** Ends or freezes the calling process. Undefined for another disturbance, or a caller that is not a function. */
async function endProcess(
  disturbance: ChaosDisturbance | undefined,
  call: RecordedCall,
  forward: () => Promise<Reply>,
): Promise<Reply | 'reset' | undefined> {
  const processId = Number(call.headers['x-chaos-process'] ?? Number.NaN);
  if (disturbance === undefined || Number.isNaN(processId)) return undefined;
  if (disturbance.kind === 'frozen') {
    const reply = await forward();
    signalProcess(processId, 'SIGSTOP');
    void sleep(disturbance.forMs, undefined, { ref: false }).then(() => signalProcess(processId, 'SIGCONT'));
    return reply;
  }
  if (disturbance.kind !== 'killed' && disturbance.kind !== 'out-of-memory') return undefined;
  if (disturbance.when === 'after') await forward();
  // V8 aborts when its heap is full.
  signalProcess(processId, disturbance.kind === 'killed' ? 'SIGKILL' : 'SIGABRT');
  return 'reset';
}

function signalProcess(processId: number, signal: NodeJS.Signals): void {
  try {
    process.kill(processId, signal);
  } catch {
    // The process has just ended.
  }
}

const awsError = (status: number, type: string): Reply => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.0' },
  body: JSON.stringify({ __type: type, message: 'chaos' }),
});
const DYNAMODB_THROTTLE = awsError(400, 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException');
const SQS_THROTTLE = awsError(400, 'com.amazonaws.sqs#RequestThrottled');

async function disturbAws(
  disturbance: ChaosDisturbance | undefined,
  throttle: Reply,
  forward: () => Promise<Reply>,
): Promise<Reply | 'reset' | undefined> {
  switch (disturbance?.kind) {
    case 'throttled':
      return throttle;
    case 'unavailable':
      return awsError(503, 'ServiceUnavailable');
    case 'reset-before':
      return 'reset';
    case 'reset-after-commit':
      await forward();
      return 'reset';
    default:
      return undefined;
  }
}

interface SqsNeighbour {
  readonly forward: (body?: string) => Promise<Reply>;
  readonly passTime: (receiptHandles: readonly string[]) => Promise<void>;
}

/** The disturbances that only SQS has. */
async function disturbSqs(
  call: RecordedCall,
  body: Readonly<Record<string, unknown>>,
  disturbance: ChaosDisturbance | undefined,
  { forward, passTime }: SqsNeighbour,
): Promise<Reply> {
  const entries: unknown = body['Entries'];
  if (Array.isArray(entries)) {
    const changed = z.array(looseObject).parse(entries).map(sooner);
    if (disturbance?.kind === 'in-part') return doneInPart(changed, body, { forward, passTime });
    const delayed = disturbance?.kind === 'delayed' ? { DelaySeconds: disturbance.seconds } : {};
    return forward(JSON.stringify({ ...body, Entries: changed.map((entry) => ({ ...entry, ...delayed })) }));
  }
  const hidden = body['VisibilityTimeout'];
  // What a killed redriver has received comes back within the run.
  const isLong = typeof hidden === 'number' && hidden > LONGEST_INVISIBLE_SECONDS;
  const reply = await forward(
    isLong ? JSON.stringify({ ...body, VisibilityTimeout: SOON_VISIBLE_SECONDS }) : undefined,
  );
  if (call.operation === 'ReceiveMessage' && disturbance?.kind === 'delivered-twice')
    await passTime(handlesOf(reply.body));
  return reply;
}

type Entry = Readonly<Record<string, unknown>>;

function sooner(entry: Entry): Entry {
  const seconds = entry['VisibilityTimeout'];
  if (typeof seconds !== 'number' || seconds <= LONGEST_INVISIBLE_SECONDS) return entry;
  return { ...entry, VisibilityTimeout: 2 };
}

/** Refuses every second entry. */
async function doneInPart(entries: readonly Entry[], body: Entry, { forward, passTime }: SqsNeighbour): Promise<Reply> {
  const refused = entries.filter((_entry, index) => index % 2 === 0);
  const done = entries.filter((_entry, index) => index % 2 === 1);
  const reply =
    done.length === 0
      ? { status: 200, headers: { 'content-type': 'application/x-amz-json-1.0' }, body: '{"Successful":[]}' }
      : await forward(JSON.stringify({ ...body, Entries: done }));
  await passTime(refused.flatMap(({ ReceiptHandle: handle }) => (typeof handle === 'string' ? [handle] : [])));
  const answer = jsonObject(reply.body);
  const Failed = refused.map(({ Id }) => ({ Id, Code: 'InternalError', Message: 'chaos', SenderFault: false }));
  return { ...reply, body: JSON.stringify({ ...answer, Failed }) };
}

function handlesOf(receiveAnswer: string): string[] {
  const { Messages: messages } = receivedMessages.parse(JSON.parse(receiveAnswer));
  return messages.map(({ ReceiptHandle }) => ReceiptHandle);
}

const looseObject = z.record(z.string(), z.unknown());
const jsonObject = (text: string): Entry => looseObject.parse(JSON.parse(text));
const receivedMessages = z.object({ Messages: z.array(z.object({ ReceiptHandle: z.string() })).default([]) });
