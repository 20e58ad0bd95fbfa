/**
 * The ports of the redriver in memory, with SQS's own semantics: a received message is hidden until its time ends, only the
 * handle of its last receive deletes it, and an order of delivery is not kept. Each call can be the last one of a run.
 */
import type { CartSender, SentLetters } from '../../../functions/redrive-dead-letters/cart-sender.ts';
import type { DeadLetter, DeadLetterQueue } from '../../../functions/redrive-dead-letters/dead-letter-queue.ts';
import type { MoveTask, MoveTasks } from '../../../functions/redrive-dead-letters/move-tasks.ts';
import type { PlanRecord, PlannedMessage, RedrivePlan } from '../../../functions/redrive-dead-letters/plan-record.ts';
import type { RedriveDependencies } from '../../../functions/redrive-dead-letters/redrive.ts';
import type { LetterKey, RedriveRecord } from '../../../functions/redrive-dead-letters/redrive-record.ts';
import type { BreakerItem } from '../../../shared/circuit-breaker.ts';
import type { FaultCode } from '../../../shared/failure.ts';
import type { CartKey } from '../../../shared/ledger-keys.ts';
import type { LogEvent } from '../../../shared/log-events.ts';
import type { Trace } from '../../../shared/traces.ts';

/** The process died: nothing after it happens. */
export class Killed extends Error {}

interface StoredLetter {
  readonly letter: Omit<DeadLetter, 'receiptHandle'>;
  visibleAtMs: number;
  handle: string;
}

export interface NewMessage {
  readonly messageId: string;
  readonly oldMessageId: string;
  readonly body: string;
  readonly attributes: DeadLetter['attributes'];
  readonly traceHeader: string | undefined;
  readonly sentAtMs: number;
}

/** What the worker makes of a message that was sent; undefined: it does not come so far. */
export type Worker = (message: NewMessage) => 'ordered' | readonly FaultCode[] | undefined;

export class World {
  nowMs = 1_000_000_000_000;
  readonly calls: string[] = [];
  readonly events: LogEvent[] = [];
  readonly letters = new Map<string, StoredLetter>();
  readonly queue: NewMessage[] = [];
  readonly redrives = new Map<string, { state: string; newMessageId?: string; sentAtMs?: number }>();
  readonly listed = new Set<string>();
  readonly plans = new Map<string, RedrivePlan>();
  moveTask: MoveTask | undefined;
  breakerState: BreakerItem['state'] = 'CLOSED';
  worker: Worker = () => 'ordered';
  /** Called before each call; may throw. */
  beforeCall: (call: string, index: number) => void = () => undefined;
  /** Called after the effect of each call; may throw: the answer is lost. */
  afterCall: (call: string, index: number) => void = () => undefined;
  /** Ids that SQS does not send, or does not delete, each time that it is asked. */
  readonly refusedSends = new Set<string>();
  readonly refusedDeletes = new Set<string>();
  #handles = 0;
  #dead = false;

  addLetter(messageId: string, changes: Partial<DeadLetter> = {}): void {
    const letter = { messageId, body: `body of ${messageId}`, attributes: {}, traceHeader: undefined, ...changes };
    this.letters.set(messageId, {
      letter: { sentAtMs: this.nowMs - 3_600_000, ...letter },
      visibleAtMs: 0,
      handle: '',
    });
    this.listed.add(messageId);
  }

  plan(messageIds: readonly string[], changes: Partial<PlannedMessage> = {}): RedrivePlan {
    return {
      plannedAtMs: this.nowMs,
      messages: messageIds.map((messageId) => ({
        messageId,
        client: '100',
        number: numberOf(messageId),
        changedAtMs: 500,
        codes: ['E_MAP_UOM'],
        forecast: 'ordered' as const,
        orders: 1,
        moves: true,
        ...changes,
      })),
    };
  }

  get visible(): string[] {
    return [...this.letters.values()]
      .filter(({ visibleAtMs }) => visibleAtMs <= this.nowMs)
      .map(({ letter }) => letter.messageId);
  }

  /** Another run of the function, in a new process. */
  revive(): void {
    this.#dead = false;
    this.beforeCall = () => undefined;
    this.afterCall = () => undefined;
  }

  async #call<Result>(name: string, effect: () => Result): Promise<Result> {
    if (this.#dead) throw new Killed();
    const index = this.calls.push(name) - 1;
    try {
      this.beforeCall(name, index);
      const result = effect();
      this.afterCall(name, index);
      return result;
    } catch (error) {
      if (error instanceof Killed) this.#dead = true;
      throw error;
    }
  }

  readonly deadLetters: DeadLetterQueue = {
    counts: () =>
      this.#call('counts', () => ({ visible: this.visible.length, hidden: this.letters.size - this.visible.length })),
    receive: (hideSeconds) =>
      this.#call('receive', () => {
        // SQS keeps no order: the last come first here.
        const ids = this.visible.toReversed().slice(0, 10);
        if (ids.length === 0) this.nowMs += 1000;
        return ids.flatMap((id) => {
          const stored = this.letters.get(id);
          if (stored === undefined) return [];
          this.#handles += 1;
          stored.handle = `${id} ${this.#handles}`;
          stored.visibleAtMs = this.nowMs + hideSeconds * 1000;
          return [{ ...stored.letter, receiptHandle: stored.handle }];
        });
      }),
    remove: (held) =>
      this.#call('remove', () =>
        held.flatMap(({ messageId, receiptHandle }) => {
          if (this.refusedDeletes.has(messageId)) return [messageId];
          // With an older handle SQS says that it has deleted the message, and keeps it.
          if (this.letters.get(messageId)?.handle === receiptHandle) this.letters.delete(messageId);
          return [];
        }),
      ),
    release: (held) =>
      this.#call('release', () => {
        for (const { messageId, receiptHandle } of held) {
          const stored = this.letters.get(messageId);
          if (stored?.handle === receiptHandle) stored.visibleAtMs = this.nowMs;
        }
        return 0;
      }),
  };

  readonly cartQueue: CartSender = {
    send: (letters) =>
      this.#call('send', (): SentLetters => {
        const sent = new Map<string, string>();
        const refused = new Map<string, string>();
        for (const { messageId: oldMessageId, body, attributes, traceHeader } of letters) {
          if (this.refusedSends.has(oldMessageId)) {
            refused.set(oldMessageId, 'InternalError');
            continue;
          }
          const messageId = `new-${this.queue.length}`;
          this.queue.push({ messageId, oldMessageId, body, attributes, traceHeader, sentAtMs: this.nowMs });
          sent.set(oldMessageId, messageId);
        }
        // Until the answer comes, the worker may be done with them.
        this.nowMs += 5;
        return { sent, refused };
      }),
  };

  readonly record: RedriveRecord = {
    read: async () => ({
      faults: [],
      givenUpAtMs: undefined,
      changedAtMs: undefined,
      redrive: undefined,
      isClosed: false,
    }),
    begin: ({ messageId }) =>
      this.#call('begin', () => {
        const known = this.redrives.get(messageId);
        if (known !== undefined && known.state !== 'SENDING')
          return { kind: 'sent-before' as const, newMessageId: known.newMessageId ?? '' };
        this.redrives.set(messageId, { state: 'SENDING' });
        return { kind: 'begun' as const };
      }),
    sent: ({ messageId }, newMessageId, sentAtMs) =>
      this.#call('sent', () => {
        this.redrives.set(messageId, { state: 'SENT', newMessageId, sentAtMs });
      }),
    unlist: ({ messageId }) =>
      this.#call('unlist', () => {
        this.listed.delete(messageId);
      }),
    done: ({ messageId }: LetterKey) =>
      this.#call('done', () => {
        const known = this.redrives.get(messageId);
        if (known !== undefined) known.state = 'DONE';
      }),
    close: async () => undefined,
  };

  readonly planRecord: Pick<PlanRecord, 'read'> = { read: async (hash) => this.plans.get(hash) };
  readonly moveTasks: Pick<MoveTasks, 'last'> = { last: async () => this.moveTask };

  /** Of the cart whose number is that of the dead letter. */
  async tracesOf({ number }: CartKey): Promise<readonly Trace[]> {
    return this.#call('traces', () =>
      this.queue
        .filter(({ oldMessageId }) => numberOf(oldMessageId) === number)
        .flatMap((message) => traceOf(message, this.worker(message))),
    );
  }

  dependencies(timeLeftMs = 900_000): RedriveDependencies {
    const endMs = this.nowMs + timeLeftMs;
    const log: RedriveDependencies['log'] = {
      info: (event) => void this.events.push(event),
      warn: (event) => void this.events.push(event),
      error: (event) => void this.events.push(event),
      with: () => log,
    };
    return {
      deadLetters: this.deadLetters,
      cartQueue: this.cartQueue,
      record: this.record,
      plans: this.planRecord,
      moveTasks: this.moveTasks,
      breaker: {
        read: async () => ({
          state: this.breakerState,
          reason: '11VMS is down',
          sinceMs: 0,
          mappingPaused: false,
          failedTrials: 0,
          nextTrialAtMs: 0,
        }),
      },
      tracesOf: (cart) => this.tracesOf(cart),
      log,
      meter: { count: () => undefined, milliseconds: () => undefined, seconds: () => undefined },
      now: () => this.nowMs,
      wait: async (ms) => {
        if (this.#dead) throw new Killed();
        this.nowMs += ms;
      },
      timeLeftMs: () => endMs - this.nowMs,
    };
  }
}

const numberOf = (messageId: string): string => messageId.replace(/^old-/, '');

function traceOf({ messageId, sentAtMs }: NewMessage, made: ReturnType<Worker>): Trace[] {
  const common = { changedAtMs: 500, isVersionKnown: true, messageId };
  if (made === undefined) return [];
  if (made !== 'ordered') {
    const faults = made.map((code) => ({ code, message: 'so it is' }));
    return [{ ...common, kind: 'verdict', state: 'FINAL', recordedAtMs: sentAtMs + 1, faults }];
  }
  return [
    {
      ...common,
      kind: 'order',
      externalId: 'one',
      state: 'CREATED',
      receive: 1,
      ordersOfCart: 1,
      firstClaimedAtMs: sentAtMs,
      claimedAtMs: sentAtMs,
      leaseUntilMs: 0,
      faults: [],
    },
  ];
}
