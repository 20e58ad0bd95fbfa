/**
 * Runs the real code of one attempt at one message up to its next call to the outside, with given answers to its earlier
 * calls. Each history of answers is run once. The explorer walks the tree of histories.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { type MessageDependencies, processMessage } from '../../../functions/create-purchase-orders/process-message.ts';
import { type Settlement, settle } from '../../../functions/create-purchase-orders/outcome.ts';
import type { PurchaseOrder } from '../../../functions/create-purchase-orders/translation/purchase-order.ts';
import { translateCart } from '../../../functions/create-purchase-orders/translation/translate-cart.ts';
import { createPacedOrders } from '../../../functions/create-purchase-orders/delivery/paced-orders.ts';
import type { CreateAnswer, LookUpResult } from '../../../functions/create-purchase-orders/delivery/answers.ts';
import type { Verdict } from '../../../functions/create-purchase-orders/verdict/verdict-record.ts';
import { createWireOrder } from '../../../functions/create-purchase-orders/translation/wire-order.ts';
import { DEFAULT_VMS_CONTRACT } from '../../../infra/vms-settings.ts';
import { loadEnvironment } from '../../../infra/environments.ts';
import { writeCartMessage } from '../../../shared/cart-message.ts';
import type { Fault, FaultCode } from '../../../shared/failure.ts';
import type { ClaimResult, OrderClaim, OrderItem } from '../../../shared/ledger.ts';
import type { VerdictState } from '../../../shared/ledger-keys.ts';
import type { Log, Meter } from '../../../shared/log.ts';
import type { Settling } from './reference-ledger.ts';

/** The versions of the cart: first approved; changed and approved again; approved again with an unchanged order. */
export type Version = 1 | 2 | 3;

export interface AttemptStart {
  readonly attemptId: string;
  readonly messageId: string;
  readonly version: Version;
  /** ApproximateReceiveCount, and the queue's maxReceiveCount. */
  readonly receive: number;
  readonly maximumReceives: number;
}

/** A verdict without the sentences of its faults. */
export interface ModelVerdict {
  readonly state: VerdictState;
  readonly codes: readonly FaultCode[];
}

/** A call of the code to the outside. Here the explorer decides what happens next. */
export type Call =
  | { readonly kind: 'verdict' }
  | { readonly kind: 'record-verdict'; readonly verdict: ModelVerdict }
  | { readonly kind: 'withdraw-verdict' }
  | { readonly kind: 'claim'; readonly claim: OrderClaim }
  | {
      readonly kind: 'settle';
      readonly how: Settling;
      readonly codes: readonly FaultCode[];
      readonly mayExist?: boolean;
      readonly leaseUntilMs?: number;
    }
  | ({ readonly kind: 'confirm' } & Pick<OrderClaim, 'changedAtMs' | 'contentHash' | 'ordersOfCart'>)
  | { readonly kind: 'turn' }
  /** `sendByMs`: when the code wants it sent at the latest. */
  | { readonly kind: 'post'; readonly sendByMs: number }
  | { readonly kind: 'look-up'; readonly sendByMs: number }
  | { readonly kind: 'breaker' }
  | { readonly kind: 'probe' }
  | { readonly kind: 'open-breaker' }
  | { readonly kind: 'requeue' };

/** The answer to a call. */
export type Answer =
  | { readonly kind: 'verdict'; readonly verdict: ModelVerdict | undefined }
  | { readonly kind: 'claim'; readonly result: ClaimResult }
  | { readonly kind: 'written' }
  | { readonly kind: 'aws-failed' }
  | { readonly kind: 'turn'; readonly granted: boolean }
  | { readonly kind: 'post'; readonly answer: CreateAnswer }
  | { readonly kind: 'look-up'; readonly found: Version | undefined }
  | { readonly kind: 'look-up-failed'; readonly reason: 'failed' | 'refused' | 'impossible' }
  | { readonly kind: 'breaker'; readonly state: 'CLOSED' | 'OPEN' }
  | { readonly kind: 'probe'; readonly result: LookUpResult };

interface KeyedAnswer {
  readonly key: string;
  readonly answer: Answer;
}
export const FAILED = { key: 'failed', answer: { kind: 'aws-failed' } } as const satisfies KeyedAnswer;
export const WRITTEN = { key: 'written', answer: { kind: 'written' } } as const satisfies KeyedAnswer;
export const BREAKER_CLOSED = { key: 'closed', answer: { kind: 'breaker', state: 'CLOSED' } } as const;
export const BREAKER_OPEN = { key: 'open', answer: { kind: 'breaker', state: 'OPEN' } } as const;
export const HEALTHY = {
  key: 'healthy',
  answer: { kind: 'probe', result: { kind: 'absent', health: 'processed' } },
} as const satisfies KeyedAnswer;
export const UNHEALTHY = {
  key: 'unhealthy',
  answer: {
    kind: 'probe',
    result: {
      kind: 'unanswered',
      health: 'unhealthy',
      fault: { code: 'E_TGT_UNAVAILABLE', message: 'E_TGT_UNAVAILABLE' },
      retryAfterMs: undefined,
    },
  },
} as const satisfies KeyedAnswer;

const WRITTEN_OR_NOT: readonly KeyedAnswer[] = [WRITTEN, FAILED];
/** The calls whose possible answers are the same in every state of the system. */
const FORESEEABLE: Partial<Record<Call['kind'], readonly KeyedAnswer[]>> = {
  'record-verdict': WRITTEN_OR_NOT,
  'withdraw-verdict': WRITTEN_OR_NOT,
  settle: WRITTEN_OR_NOT,
  confirm: WRITTEN_OR_NOT,
  requeue: WRITTEN_OR_NOT,
  'open-breaker': WRITTEN_OR_NOT,
  breaker: [BREAKER_CLOSED, BREAKER_OPEN, FAILED],
  probe: [HEALTHY, UNHEALTHY],
};

/** The position of an attempt: before a call, or at its end, with its settlement. */
export type AttemptProgress =
  | { readonly kind: 'calls'; readonly call: Call }
  | { readonly kind: 'ends'; readonly settlement: Settlement['kind']; readonly codes: readonly FaultCode[] };

/** The time of the model is always 0, so every later time is still in the future. */
const LEASE_MS = 2;
/** The time of an attempt that stood still until its lease had ended. */
export const AFTER_LEASE_MS = LEASE_MS + 1;
const QUIET_MS = 1;
export const ALWAYS_MS = 0;

/** A fault with its code as message: the code does not read messages of faults. */
export const faultOf = (code: FaultCode): Fault => ({ code, message: code });
const codesOf = (faults: readonly Fault[]): FaultCode[] => [...new Set(faults.map(({ code }) => code))].sort();

const { translation: settings } = loadEnvironment('local');
const wire = createWireOrder(DEFAULT_VMS_CONTRACT);
const CLIENT = '100';
const page = z
  .object({ d: z.object({ results: z.array(z.record(z.string(), z.unknown())).min(1) }) })
  .parse(
    JSON.parse(
      readFileSync(join(import.meta.dirname, '../../../shared/contract/samples/srm7-shopping-carts.json'), 'utf8'),
    ),
  );
const rowSchema = z.record(z.string(), z.unknown());
const [first = {}] = page.d.results;
const items = z.object({ results: z.array(rowSchema) }).parse(first['Items']).results;
/** One line of the sample is enough for one order, and quick to translate thousands of times. */
const line = items.find(({ DelInd }) => DelInd !== 'X') ?? {};
const sample = { ...first, TotalValue: line['Value'], Items: { results: [line] } };
const carts: Record<Version, Record<string, unknown>> = {
  1: sample,
  2: { ...sample, Description: 'Changed, and approved again', ChangedAt: '/Date(1893456000000+0000)/' },
  3: { ...sample, ChangedAt: '/Date(1893459600000+0000)/' },
};
/** When the cart's versions were changed, and the order that each becomes. */
export const VERSIONS: Record<Version, { readonly changedAtMs: number; readonly order: PurchaseOrder }> = {
  1: translated(1),
  2: translated(2),
  3: translated(3),
};

function translated(version: Version) {
  const translation = translateCart(carts[version], { client: CLIENT, settings, wire, today: '2026-11-22' });
  const [group, ...others] = translation.kind === 'orders' ? translation.groups : [];
  if (translation.kind !== 'orders' || group?.kind !== 'order' || others.length > 0) {
    throw new Error('the model`s cart must become one order');
  }
  return { changedAtMs: translation.changedAtMs, order: group.order };
}

const meter: Meter = { count: () => undefined, milliseconds: () => undefined, seconds: () => undefined };
const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined, with: () => silent };

/** A defect of the model itself, not of the explored code. */
export class ModelDefect extends Error {}

/** An error of the AWS SDK. */
const awsError = (): Error => Object.assign(new Error('no answer'), { name: 'TimeoutError', $metadata: {} });

/** Runs the code with these answers, to its next call or its end. */
export async function replayAttempt(start: AttemptStart, answers: readonly Answer[]): Promise<AttemptProgress> {
  const called = Promise.withResolvers<AttemptProgress>();
  let used = 0;

  function ask<Kind extends Answer['kind']>(
    call: Call,
    ...kinds: readonly Kind[]
  ): Promise<Extract<Answer, { kind: Kind }>> {
    const answer = answers[used];
    used += 1;
    if (answer === undefined) {
      called.resolve({ kind: 'calls', call });
      return new Promise(() => undefined);
    }
    if (answer.kind === 'aws-failed') return Promise.reject(awsError());
    const isExpected = (one: Answer): one is Extract<Answer, { kind: Kind }> => kinds.some((kind) => kind === one.kind);
    if (isExpected(answer)) return Promise.resolve(answer);
    called.reject(new ModelDefect(`${call.kind} was answered with ${answer.kind}: the code did not do the same again`));
    return new Promise(() => undefined);
  }
  const write = async (call: Call): Promise<void> => void (await ask(call, 'written'));
  const never = (what: string) => (): Promise<never> => {
    called.reject(new ModelDefect(`the code called ${what}, which the model does not know`));
    return new Promise(() => undefined);
  };

  const dependencies: MessageDependencies = {
    ledger: {
      claim: async (claim) => guarded((await ask({ kind: 'claim', claim }, 'claim')).result, called.reject),
      created: () => write({ kind: 'settle', how: 'created', codes: [] }),
      rejected: (_claim, faults, mayExist) =>
        write({ kind: 'settle', how: 'rejected', codes: codesOf(faults), mayExist }),
      unknown: (_claim, fault, leaseUntilMs) =>
        write({ kind: 'settle', how: 'unknown', codes: [fault.code], leaseUntilMs }),
      released: (_claim, fault) =>
        write({ kind: 'settle', how: 'released', codes: codesOf(fault === undefined ? [] : [fault]) }),
      confirmed: ({ changedAtMs, contentHash, ordersOfCart }) =>
        write({ kind: 'confirm', changedAtMs, contentHash, ordersOfCart }),
      recordSkip: never('recordSkip'),
    },
    verdicts: {
      read: async () => verdictOf((await ask({ kind: 'verdict' }, 'verdict')).verdict),
      record: (_key, { state, faults }) =>
        write({ kind: 'record-verdict', verdict: { state, codes: codesOf(faults) } }),
      withdraw: () => write({ kind: 'withdraw-verdict' }),
    },
    // Of a cart of one order, which all its versions have, none is left over. Of a later version, its order's item tells.
    tracesOf: async () => [],
    // One that is not signed ends as one that cannot be read; it shares no state with a cart.
    isSigned: async () => true,
    orders: createPacedOrders(
      {
        // True would leave out the turn, and the look-ups that fail: fewer states than the model explores.
        hasNoLookUp: false,
        create: async (_request, sendByMs) => (await ask({ kind: 'post', sendByMs }, 'post')).answer,
        lookUp: async (_externalId, _correlationId, sendByMs) =>
          lookUpResult(await ask({ kind: 'look-up', sendByMs }, 'look-up', 'look-up-failed')),
        probe: async () => (await ask({ kind: 'probe' }, 'probe')).result,
      },
      {
        turn: async () => (await ask({ kind: 'turn' }, 'turn')).granted,
        pausedForMs: () => 0,
        // False ends the attempt as a turn that did not come in time does.
        throttled: () => true,
        succeeded: () => undefined,
      },
      meter,
    ),
    // What it makes of many messages, its own tests tell: here it opens nothing.
    health: { observe: () => undefined, failsForOthers: () => false, refusedAlone: () => false, note: () => undefined },
    breaker: { open: async () => (await write({ kind: 'open-breaker' }), true) },
    requeue: () => write({ kind: 'requeue' }),
    carts: { cart: never('SRM') },
    srmProbe: { cart: never('SRM') },
    limitLargeCarts: (work) => work(),
    log: silent,
    meter,
    now: () => ALWAYS_MS,
    newId: () => start.attemptId,
    deadlineMs: ALWAYS_MS,
    lookUpDeadlineMs: ALWAYS_MS,
    leaseMs: LEASE_MS,
    quietMs: QUIET_MS,
    settings,
    wire,
    sapClient: CLIENT,
    maximumAttempts: start.maximumReceives,
  };
  /** As the batch reads it. */
  async function readPause(): Promise<string | undefined> {
    try {
      return (await ask({ kind: 'breaker' }, 'breaker')).state === 'OPEN' ? 'open' : undefined;
    } catch {
      return undefined;
    }
  }
  const received = {
    messageId: start.messageId,
    body: BODIES[start.version],
    signature: undefined,
    attempt: start.receive,
    waiting: { sentAtMs: ALWAYS_MS, sinceMs: ALWAYS_MS, requeues: 0 },
  };
  async function run(): Promise<AttemptProgress> {
    const outcome = await processMessage(received, { ...dependencies, pausedBecause: await readPause() });
    const codes = 'faults' in outcome ? codesOf(outcome.faults) : [];
    return { kind: 'ends', settlement: settle(outcome, start.receive, { baseSeconds: 30 }, 0).kind, codes };
  }
  return Promise.race([called.promise, run()]);
}

/** The fields that the code may read of the item of a created order. The keys of histories hold no other field. */
const READ_OF_AN_ITEM = ['contentHash', 'changedAtMs', 'ordersOfCart', 'orderId', 'orderNumber'];

function guarded(result: ClaimResult, reject: (defect: ModelDefect) => void): ClaimResult {
  const guardedItem = (item: OrderItem): OrderItem =>
    new Proxy(item, {
      get(target, name, receiver) {
        if (!READ_OF_AN_ITEM.includes(String(name))) {
          reject(new ModelDefect(`the code reads ${String(name)} of an item, but READ_OF_AN_ITEM does not list it`));
        }
        return Reflect.get(target, name, receiver);
      },
    });
  return result.kind === 'created' ? { ...result, order: guardedItem(result.order) } : result;
}

const bodyOf = (version: Version): string =>
  writeCartMessage({
    schemaVersion: 1,
    runId: 'model',
    correlationId: 'model',
    client: CLIENT,
    cart: { number: String(first['ObjectId']), guid: String(first['Guid']) },
    source: carts[version],
  });
const BODIES: Record<Version, string> = { 1: bodyOf(1), 2: bodyOf(2), 3: bodyOf(3) };

const verdictOf = (verdict: ModelVerdict | undefined): Verdict | undefined =>
  verdict === undefined ? undefined : { state: verdict.state, faults: verdict.codes.map(faultOf) };

function lookUpResult(answer: Extract<Answer, { kind: 'look-up' | 'look-up-failed' }>): LookUpResult {
  if (answer.kind === 'look-up') {
    const { found } = answer;
    if (found === undefined) return { kind: 'absent', health: 'processed' };
    const stored = { id: `po_${found}`, number: undefined, order: VERSIONS[found].order };
    return { kind: 'found', health: 'processed', stored };
  }
  const { reason } = answer;
  if (reason === 'impossible') return { kind: 'impossible', health: 'judged', fault: faultOf('E_TGT_UNAVAILABLE') };
  const isRefused = reason === 'refused';
  const fault = faultOf(isRefused ? 'E_TGT_AUTH' : 'E_TGT_UNAVAILABLE');
  return { kind: 'unanswered', health: isRefused ? 'refused' : 'unhealthy', fault, retryAfterMs: undefined };
}

export interface AttemptNode {
  /** Nodes with the same possible futures have the same id, because their histories no longer matter. */
  readonly id: number;
  readonly start: AttemptStart;
  readonly progress: AttemptProgress;
  /** How often 11VMS throttled this attempt. */
  readonly throttles: number;
  readonly answers: readonly Answer[];
  readonly next: Map<string, AttemptNode>;
}

/** The tree of histories. It grows during the exploration. */
export class AttemptTree {
  readonly #roots = new Map<string, AttemptNode>();
  readonly #futures = new Map<string, number>();
  #nodes = 0;
  #replays = 0;

  /** How often the real code was run. */
  get replays(): number {
    return this.#replays;
  }

  async root(start: AttemptStart): Promise<AttemptNode> {
    const key = `${start.attemptId} of ${start.maximumReceives}, version ${start.version}`;
    const known = this.#roots.get(key);
    if (known !== undefined) return known;
    const node = await this.#grow(start, [], 0);
    this.#roots.set(key, node);
    return node;
  }

  async after(node: AttemptNode, key: string, answer: Answer): Promise<AttemptNode> {
    const isThrottle = answer.kind === 'post' && answer.answer.kind === 'throttled';
    const next = await this.#grow(node.start, [...node.answers, answer], node.throttles + (isThrottle ? 1 : 0));
    node.next.set(key, next);
    return next;
  }

  async #grow(start: AttemptStart, answers: readonly Answer[], throttles: number): Promise<AttemptNode> {
    this.#replays += 1;
    const progress = await replayAttempt(start, answers);
    const next = new Map<string, AttemptNode>();
    const foreseeable = progress.kind === 'calls' ? FORESEEABLE[progress.call.kind] : [];
    for (const { key, answer } of foreseeable ?? []) {
      next.set(key, await this.#grow(start, [...answers, answer], throttles));
    }
    const isForeseen = foreseeable !== undefined;
    return {
      id: this.#idOf(start, progress, isForeseen ? next : undefined),
      start,
      progress,
      throttles,
      answers,
      next,
    };
  }

  #idOf(start: AttemptStart, progress: AttemptProgress, next: ReadonlyMap<string, AttemptNode> | undefined): number {
    this.#nodes += 1;
    if (next === undefined) return this.#nodes;
    const { attemptId, version, maximumReceives } = start;
    const ahead = [...next].map(([key, { id }]) => [key, id]);
    const future = JSON.stringify([attemptId, version, maximumReceives, progress, ahead]);
    const id = this.#futures.get(future) ?? this.#nodes;
    this.#futures.set(future, id);
    return id;
  }
}
