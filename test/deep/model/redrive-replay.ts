/**
 * Runs the real code of one redrive of one dead letter up to its next call that others can see, with given answers to its
 * earlier calls. As with attempts, each history is run once.
 */
import type { RedrivePlan } from '../../../functions/redrive-dead-letters/plan-record.ts';
import { redrive, type RedriveDependencies } from '../../../functions/redrive-dead-letters/redrive.ts';
import type { Log } from '../../../shared/log.ts';

export interface RedriveStart {
  readonly messageId: string;
  /** `sent`: the plan was made after a redrive had recorded that it is on the queue. */
  readonly forecast: 'ordered' | 'sent';
}

/** The calls whose effects others see. What only hides, counts, lists or completes a record is answered here. */
export type RedriveCall =
  | { readonly kind: 'receive' }
  | { readonly kind: 'begin' }
  | { readonly kind: 'send' }
  | { readonly kind: 'sent'; readonly newMessageId: string }
  | { readonly kind: 'remove' };

export type RedriveAnswer =
  | { readonly kind: 'received'; readonly isThere: boolean }
  | { readonly kind: 'begun' }
  | { readonly kind: 'sent-before'; readonly newMessageId: string }
  | { readonly kind: 'taken'; readonly newMessageId: string }
  | { readonly kind: 'refused' }
  | { readonly kind: 'written' }
  | { readonly kind: 'removed'; readonly isConfirmed: boolean }
  | { readonly kind: 'aws-failed' };

export type RedriveProgress = { readonly kind: 'calls'; readonly call: RedriveCall } | { readonly kind: 'ends' };

export interface RedriveNode {
  readonly id: number;
  readonly start: RedriveStart;
  readonly progress: RedriveProgress;
  readonly answers: readonly RedriveAnswer[];
  readonly next: Map<string, RedriveNode>;
}

const NOW_MS = 0;
/** More than what the redriver reserves for its end, and less than the time after which it looks for the outcome again. */
const TIME_LEFT_MS = 20_500;

const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined, with: () => silent };

/** @throws what is no failure of AWS: a defect of the code. */
export async function replayRedrive(start: RedriveStart, answers: readonly RedriveAnswer[]): Promise<RedriveProgress> {
  const called = Promise.withResolvers<RedriveProgress>();
  const awsFailure = new Error('no answer');
  let used = 0;
  let nowMs = NOW_MS;

  function ask<Kind extends RedriveAnswer['kind']>(
    call: RedriveCall,
    ...kinds: readonly Kind[]
  ): Promise<Extract<RedriveAnswer, { kind: Kind }>> {
    const answer = answers[used];
    used += 1;
    if (answer === undefined) {
      called.resolve({ kind: 'calls', call });
      return new Promise(() => undefined);
    }
    if (answer.kind === 'aws-failed') return Promise.reject(awsFailure);
    const isExpected = (one: RedriveAnswer): one is Extract<RedriveAnswer, { kind: Kind }> =>
      kinds.some((kind) => kind === one.kind);
    if (isExpected(answer)) return Promise.resolve(answer);
    return Promise.reject(
      new Error(`${call.kind} was answered with ${answer.kind}: the code did not do the same again`),
    );
  }

  const plan: RedrivePlan = {
    plannedAtMs: NOW_MS,
    messages: [
      {
        messageId: start.messageId,
        client: '100',
        number: '1',
        codes: [],
        forecast: start.forecast,
        orders: 1,
        moves: true,
      },
    ],
  };
  const letter = { messageId: start.messageId, body: '', attributes: {}, traceHeader: undefined, sentAtMs: NOW_MS };
  const dependencies: RedriveDependencies = {
    deadLetters: {
      counts: async () => ({ visible: 1, hidden: 0 }),
      receive: async () => {
        const { isThere } = await ask({ kind: 'receive' }, 'received');
        return isThere ? [{ ...letter, receiptHandle: '' }] : [];
      },
      remove: async () => {
        const { isConfirmed } = await ask({ kind: 'remove' }, 'removed');
        return isConfirmed ? [] : [start.messageId];
      },
      release: async () => 0,
    },
    cartQueue: {
      send: async () => {
        const answer = await ask({ kind: 'send' }, 'taken', 'refused');
        return answer.kind === 'taken'
          ? { sent: new Map([[start.messageId, answer.newMessageId]]), refused: new Map() }
          : { sent: new Map(), refused: new Map([[start.messageId, 'InternalError']]) };
      },
    },
    record: {
      read: () => Promise.reject(new Error('the cart has a number: its closings are among its traces')),
      begin: () => ask({ kind: 'begin' }, 'begun', 'sent-before'),
      sent: async (_key, newMessageId) => void (await ask({ kind: 'sent', newMessageId }, 'written')),
      unlist: async () => undefined,
      done: async () => undefined,
      close: () => Promise.reject(new Error('a redrive closes nothing')),
    },
    plans: { read: async () => plan },
    moveTasks: { last: async () => undefined },
    breaker: { read: () => Promise.reject(new Error('the plan is approved before')) },
    // No person closes a dead letter here.
    tracesOf: async () => [],
    log: silent,
    meter: { count: () => undefined, milliseconds: () => undefined, seconds: () => undefined },
    now: () => nowMs,
    wait: async (ms) => {
      nowMs += ms;
    },
    timeLeftMs: () => TIME_LEFT_MS,
  };
  async function run(): Promise<RedriveProgress> {
    try {
      await redrive(plan, { by: 'the model', reason: 'the model' }, dependencies);
    } catch (error) {
      if (error !== awsFailure) throw error;
    }
    return { kind: 'ends' };
  }
  return Promise.race([called.promise, run()]);
}

/** The tree of histories. Nodes with the same future are not merged: it is small. */
export class RedriveTree {
  readonly #roots = new Map<string, RedriveNode>();
  #nodes = 0;

  async root(start: RedriveStart): Promise<RedriveNode> {
    const key = `${start.messageId} ${start.forecast}`;
    const known = this.#roots.get(key);
    if (known !== undefined) return known;
    const node = await this.#grow(start, []);
    this.#roots.set(key, node);
    return node;
  }

  async after(node: RedriveNode, key: string, answer: RedriveAnswer): Promise<RedriveNode> {
    const next = await this.#grow(node.start, [...node.answers, answer]);
    node.next.set(key, next);
    return next;
  }

  async #grow(start: RedriveStart, answers: readonly RedriveAnswer[]): Promise<RedriveNode> {
    this.#nodes += 1;
    const id = this.#nodes;
    return { id, start, progress: await replayRedrive(start, answers), answers, next: new Map() };
  }
}
