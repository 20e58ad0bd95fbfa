/**
 * Moves what a plan has shown from the dead-letter queue to the cart queue: one message first, whose outcome is awaited, then
 * the rest, ten a second, until one fails again for its old reason.
 *
 * Each message takes five steps. Whatever dies after any of them, no message is lost, and the next run of the same selection
 * completes what is missing:
 *
 * | step                            | what a crash after it leaves                                             |
 * |---------------------------------|--------------------------------------------------------------------------|
 * | a record SENDING                | the dead letter, untouched: it is sent again                             |
 * | b send it to the cart queue     | both: it is sent once more, and the ledger of the worker makes one order |
 * | c record SENT, and unlist it    | both: the next run only deletes the dead letter                          |
 * | d delete the dead letter        | the new message; SENT says as much as DONE                               |
 * | e record DONE                   | -                                                                        |
 */
import type { BreakerRecord } from '../../shared/circuit-breaker.ts';
import { inLanes } from '../../shared/lanes.ts';
import type { CartKey } from '../../shared/ledger-keys.ts';
import type { Meter } from '../../shared/log.ts';
import { METRICS } from '../../shared/metric-names.ts';
import type { ByHand } from '../../shared/operations.ts';
import { standingOf } from '../../shared/standing.ts';
import type { Trace } from '../../shared/traces.ts';
import type { CartSender } from './cart-sender.ts';
import { isOfClosedCart } from './closed-cart.ts';
import type { DeadLetter } from './dead-letter-queue.ts';
import { packLetters } from './letter-batches.ts';
import type { MoveTasks } from './move-tasks.ts';
import type { PlannedKind, PlannedMessage, PlanRecord, RedrivePlan } from './plan-record.ts';
import { PLAN_LIFETIME_MS } from './plan-redrive.ts';
import { readDeadLetters, type ReadingDependencies } from './read-dead-letters.ts';
import type { RedriveRequest } from './redrive-event.ts';
import type { LetterKey, RedriveRecord } from './redrive-record.ts';

export interface RedriveDependencies extends ReadingDependencies {
  readonly cartQueue: CartSender;
  readonly record: RedriveRecord;
  readonly plans: Pick<PlanRecord, 'read'>;
  readonly moveTasks: Pick<MoveTasks, 'last'>;
  readonly breaker: Pick<BreakerRecord, 'read'>;
  /** What the ledger holds of a cart: the outcome of a message that was moved. */
  readonly tracesOf: (cart: CartKey) => Promise<readonly Trace[]>;
  readonly meter: Meter;
  readonly wait: (ms: number) => Promise<unknown>;
  /** How long this function still runs. */
  readonly timeLeftMs: () => number;
}

/** What became of a message that was moved; undefined while that is open. */
type MovedOutcome =
  | { readonly kind: 'ordered' | 'skipped' }
  | { readonly kind: 'failed'; readonly codes: readonly string[] }
  | undefined;

export interface FailedLetter {
  readonly messageId: string;
  readonly newMessageId: string;
  readonly cartNumber?: string;
  readonly codes: readonly string[];
}

export interface RedriveResult {
  /** `partly`: SQS did not show, take or delete some; another plan of the same selection completes it. */
  readonly status: 'complete' | 'partly' | 'stopped';
  /** In a sentence. */
  readonly summary: string;
  readonly moved: number;
  /** Sent by an earlier run: now the dead letters are deleted, too. */
  readonly completed: number;
  /** Of those that were moved, as far as it is known by now. */
  readonly ordered: number;
  readonly skipped: number;
  readonly failed: readonly FailedLetter[];
  /** The worker has not come so far. */
  readonly open: number;
  /** Closed by hand since the plan, with this dead letter or with another one of the cart: not moved. */
  readonly closed: readonly string[];
  /** The plan's, not moved: another reader holds them, or they are gone; or the redrive stopped before them. */
  readonly left: readonly string[];
  /** SQS did not take them; they are dead letters as before. */
  readonly notSent: Readonly<Record<string, string>>;
  /** On the cart queue, and still in the dead-letter queue: another run only deletes them. */
  readonly notDeleted: readonly string[];
  readonly stoppedBy?: string;
}

/** The redrive did not begin: nothing was changed. */
export class Refused extends Error {
  constructor(reason: string) {
    super(`${reason}. Nothing was changed.`);
    this.name = 'Refused';
  }
}

/** Enough for a batch and its records. A message that is held longer is not moved in this run. */
const HIDE_SECONDS = 120;
const FRESH_MS = (HIDE_SECONDS * 1000) / 2;
/** SQS takes ten in a batch: ten messages a second. */
const PACE_MS = 1000;
const CANARY_MS = 300_000;
const CANARY_LOOK_MS = 1000;
/** After the last batch, for outcomes that are nearly there. */
const LAST_LOOK_MS = 20_000;
/** To release what is held, and to record the end. */
const RESERVE_MS = 20_000;
const LOOKS_AT_ONCE = 10;
const LOOKS_A_BATCH = 20;

/** The plan of a redrive that may begin. @throws {Refused} */
export async function approveRedrive(
  { planHash, force }: Pick<RedriveRequest, 'planHash' | 'force'>,
  { plans, moveTasks, breaker, now }: Pick<RedriveDependencies, 'plans' | 'moveTasks' | 'breaker' | 'now'>,
): Promise<RedrivePlan> {
  const plan = await plans.read(planHash);
  if (plan === undefined) throw new Refused('There is no such plan: make one with { "plan": { "selection": … } }');
  if (now() - plan.plannedAtMs > PLAN_LIFETIME_MS)
    throw new Refused('The plan is older than an hour, and much can have changed: make a new one');
  await refuseWhileUnsafe({ force }, { moveTasks, breaker });
  return plan;
}

export async function refuseWhileUnsafe(
  { force }: { readonly force: boolean },
  { moveTasks, breaker }: Pick<RedriveDependencies, 'moveTasks' | 'breaker'>,
): Promise<void> {
  if ((await moveTasks.last())?.isActive === true)
    throw new Refused('SQS moves all dead letters right now ("moveTask" of the list): wait for its end, or cancel it');
  const { state, reason } = await breaker.read();
  if (state !== 'CLOSED' && !force)
    throw new Refused(
      `Consumption is paused (${reason}): on the cart queue a cart is kept for 4 days only. Resume first, or add "force": true`,
    );
}

/** @throws the SDK's error; then all that was not moved is released. */
export async function redrive(
  plan: RedrivePlan,
  act: ByHand,
  dependencies: RedriveDependencies,
): Promise<RedriveResult> {
  const run = new RedriveRun(plan, act, dependencies);
  try {
    const isProven = await run.moveCanary();
    await run.moveRest(isProven);
  } finally {
    dependencies.meter.count(METRICS.deadLettersRedriven, run.movedCount);
  }
  return run.result();
}

interface MovedLetter {
  readonly planned: PlannedMessage;
  readonly newMessageId: string;
}

class RedriveRun {
  readonly #act: ByHand;
  readonly #dependencies: RedriveDependencies;
  readonly #plannedAtMs: number;
  /** Of the plan, not moved yet. */
  readonly #left: Map<string, PlannedMessage>;
  readonly #open = new Map<string, MovedLetter>();
  readonly #notSent = new Map<string, string>();
  readonly #notDeleted = new Set<string>();
  readonly #closed: string[] = [];
  readonly #failed: FailedLetter[] = [];
  #moved = 0;
  #completed = 0;
  #ordered = 0;
  #skipped = 0;
  #lastSentMs = Number.NEGATIVE_INFINITY;
  #stoppedBy: string | undefined;

  constructor({ plannedAtMs, messages }: RedrivePlan, { by, reason }: ByHand, dependencies: RedriveDependencies) {
    this.#plannedAtMs = plannedAtMs;
    this.#act = { by, reason };
    this.#dependencies = dependencies;
    this.#left = new Map(messages.filter(({ moves }) => moves).map((message) => [message.messageId, message]));
  }

  get movedCount(): number {
    return this.#moved;
  }

  /** Whether one message shows that the others may follow. */
  async moveCanary(): Promise<boolean> {
    if ([...this.#left.values()].every(isSentBefore)) return false;
    await this.#read(
      () => this.#open.size > 0 || this.#notSent.size > 0,
      async (letters, receivedAtMs) => {
        const gone: string[] = [];
        for (const letter of letters.sort((one, other) => this.#hopeOf(one) - this.#hopeOf(other))) {
          if (this.#open.size > 0 || this.#notSent.size > 0) break;
          gone.push(...(await this.#move([letter], receivedAtMs)));
        }
        return gone;
      },
      (message) => !isSentBefore(message),
    );
    const [canary] = this.#open.values();
    const [refusal] = this.#notSent.values();
    if (canary === undefined) {
      if (refusal !== undefined) this.#stoppedBy = `SQS did not take the first message: ${refusal}`;
      return false;
    }
    const outcome = await this.#awaitCanary();
    if (outcome !== undefined && outcome.kind !== 'failed') return true;
    const { messageId } = canary.planned;
    this.#stoppedBy =
      outcome === undefined
        ? `the first message, ${messageId}, has no outcome yet`
        : `the first message, ${messageId}, failed again: ${outcome.codes.join(', ')}`;
    return false;
  }

  /** Without a canary, only what an earlier run has sent is completed. */
  async moveRest(isProven: boolean): Promise<void> {
    const isWanted = (message: PlannedMessage): boolean => isProven || isSentBefore(message);
    const isEnough = (): boolean => this.#stoppedBy !== undefined || ![...this.#left.values()].some(isWanted);
    if (!isEnough()) await this.#read(isEnough, (letters, receivedAtMs) => this.#move(letters, receivedAtMs), isWanted);
    const untilMs = this.#dependencies.now() + Math.min(LAST_LOOK_MS, this.#timeLeftMs());
    while (this.#open.size > 0 && this.#stoppedBy === undefined && this.#dependencies.now() < untilMs) {
      await this.#dependencies.wait(CANARY_LOOK_MS);
      await this.#lookAtOpen(this.#open.size);
    }
  }

  result(): RedriveResult {
    const left = [...this.#left.keys()];
    const incomplete = left.length + this.#notDeleted.size;
    const status = this.#stoppedBy !== undefined ? 'stopped' : incomplete > 0 ? 'partly' : 'complete';
    const counts = {
      moved: this.#moved,
      completed: this.#completed,
      ordered: this.#ordered,
      skipped: this.#skipped,
      failed: this.#failed,
      open: this.#open.size,
      closed: this.#closed,
      left,
      notSent: Object.fromEntries(this.#notSent),
      notDeleted: [...this.#notDeleted],
      ...(this.#stoppedBy === undefined ? {} : { stoppedBy: this.#stoppedBy }),
    };
    return { status, summary: summaryOf(counts), ...counts };
  }

  /** What fails or is pointless by its forecast says nothing of the others. */
  #hopeOf({ messageId }: DeadLetter): number {
    const order: readonly PlannedKind[] = ['ordered', 'unknown', 'fails'];
    const place = order.indexOf(this.#left.get(messageId)?.forecast ?? 'pointless');
    return place === -1 ? order.length : place;
  }

  #timeLeftMs(): number {
    return Math.max(0, this.#dependencies.timeLeftMs() - RESERVE_MS);
  }

  async #read(
    isEnough: () => boolean,
    move: (letters: DeadLetter[], receivedAtMs: number) => Promise<readonly string[]>,
    isWanted: (message: PlannedMessage) => boolean,
  ): Promise<void> {
    const { now } = this.#dependencies;
    await readDeadLetters(
      { hideSeconds: HIDE_SECONDS, untilMs: now() + this.#timeLeftMs(), isEnough },
      async (received, receivedAtMs) => {
        const wanted = received.filter(({ messageId }) => {
          const planned = this.#left.get(messageId);
          return planned !== undefined && isWanted(planned);
        });
        return wanted.length === 0 ? [] : move(wanted, receivedAtMs);
      },
      this.#dependencies,
    );
  }

  /** Returns the ids of those that are deleted. */
  async #move(letters: readonly DeadLetter[], receivedAtMs: number): Promise<readonly string[]> {
    const gone: string[] = [];
    for (const batch of packLetters(letters)) {
      await this.#keepPace();
      await this.#lookAtOpen(LOOKS_A_BATCH);
      const { now } = this.#dependencies;
      if (this.#stoppedBy !== undefined || now() - receivedAtMs > FRESH_MS || this.#timeLeftMs() === 0) break;
      gone.push(...(await this.#moveBatch(batch)));
    }
    return gone;
  }

  async #keepPace(): Promise<void> {
    const { now, wait } = this.#dependencies;
    const pauseMs = this.#lastSentMs + PACE_MS - now();
    if (pauseMs > 0) await wait(pauseMs);
    this.#lastSentMs = now();
  }

  /** What a person has closed since the plan is not of it any more. */
  async #leaveClosed(messages: readonly PlannedMessage[]): Promise<void> {
    const toSend = messages.filter((message) => !isSentBefore(message));
    const sinceMs = this.#plannedAtMs;
    const areClosed = await Promise.all(
      toSend.map((message) =>
        isOfClosedCart(keyOf(message), { changedAtMs: message.changedAtMs, sinceMs }, this.#dependencies),
      ),
    );
    for (const { messageId } of toSend.filter((_, index) => areClosed[index])) {
      this.#left.delete(messageId);
      this.#closed.push(messageId);
    }
  }

  /** The steps of the table above. */
  async #moveBatch(letters: readonly DeadLetter[]): Promise<readonly string[]> {
    const { record, cartQueue, deadLetters, now } = this.#dependencies;
    await this.#leaveClosed(letters.flatMap(({ messageId }) => this.#left.get(messageId) ?? []));
    const planned = letters.flatMap((letter) => {
      const message = this.#left.get(letter.messageId);
      return message === undefined ? [] : [{ letter, message, key: keyOf(message) }];
    });
    const begun = await Promise.all(
      planned.map(({ key, message: { changedAtMs } }) => record.begin(key, { ...this.#act, changedAtMs }, now())),
    );
    const toSend = planned.filter((_, index) => begun[index]?.kind === 'begun');
    // Before the send: the worker may have given its verdict before SQS has answered.
    const sentAtMs = now();
    const { sent, refused } =
      toSend.length === 0
        ? { sent: new Map<string, string>(), refused: new Map<string, string>() }
        : await cartQueue.send(toSend.map(({ letter }) => letter));
    for (const [messageId, code] of refused) this.#notSent.set(messageId, code);
    const onQueue = planned.filter(({ letter }) => !refused.has(letter.messageId));
    await Promise.all(
      onQueue.map(async ({ key, message }) => {
        const newMessageId = sent.get(message.messageId);
        if (newMessageId !== undefined) {
          this.#moved++;
          this.#notSent.delete(message.messageId);
          this.#open.set(newMessageId, { planned: message, newMessageId });
          await record.sent(key, newMessageId, sentAtMs);
        }
        await record.unlist(key);
      }),
    );
    const undeleted = new Set(
      onQueue.length === 0 ? [] : await deadLetters.remove(onQueue.map(({ letter }) => letter)),
    );
    const gone = onQueue.filter(({ letter }) => !undeleted.has(letter.messageId));
    for (const messageId of undeleted) this.#notDeleted.add(messageId);
    for (const { message } of gone) {
      this.#left.delete(message.messageId);
      this.#notDeleted.delete(message.messageId);
      if (!sent.has(message.messageId)) this.#completed++;
    }
    await Promise.all(gone.map(({ key }) => record.done(key)));
    return gone.map(({ letter }) => letter.messageId);
  }

  async #awaitCanary(): Promise<MovedOutcome> {
    const { now, wait } = this.#dependencies;
    const untilMs = now() + Math.min(CANARY_MS, this.#timeLeftMs());
    for (;;) {
      await wait(CANARY_LOOK_MS);
      const [outcome] = await this.#lookAtOpen(1);
      if (outcome !== undefined || now() >= untilMs) return outcome;
    }
  }

  /** Asks the ledger for the outcomes of the moved messages, in turns; one that fails for its old reason stops the run. */
  async #lookAtOpen(most: number): Promise<readonly MovedOutcome[]> {
    const { tracesOf, now } = this.#dependencies;
    const moved = [...this.#open.values()].slice(0, most);
    const outcomes = await inLanes(moved, LOOKS_AT_ONCE, async ({ planned, newMessageId }) =>
      outcomeOf(await tracesOf(keyOf(planned).cart), { planned, newMessageId }, now()),
    );
    for (const [index, outcome] of outcomes.entries()) {
      const letter = moved[index];
      if (letter === undefined) continue;
      // One that is still open comes last, so that each has its turn.
      this.#open.delete(letter.newMessageId);
      if (outcome === undefined) this.#open.set(letter.newMessageId, letter);
      else this.#note(letter, outcome);
    }
    return outcomes;
  }

  #note({ planned, newMessageId }: MovedLetter, outcome: NonNullable<MovedOutcome>): void {
    if (outcome.kind === 'ordered') this.#ordered++;
    if (outcome.kind === 'skipped') this.#skipped++;
    if (outcome.kind !== 'failed') return;
    const { messageId, number, codes } = planned;
    this.#failed.push({
      messageId,
      newMessageId,
      ...(number === undefined ? {} : { cartNumber: number }),
      codes: outcome.codes,
    });
    const same = outcome.codes.filter((code) => codes.length === 0 || codes.includes(code));
    if (same.length > 0) this.#stoppedBy ??= `message ${messageId} failed again: ${same.join(', ')}`;
  }
}

/** By an earlier run, when the plan was made. */
const isSentBefore = ({ forecast }: PlannedMessage): boolean => forecast === 'sent';

const keyOf = ({ messageId, client, number, guid }: PlannedMessage): LetterKey => ({
  messageId,
  cart: { client, number, guid },
});

/** By the ledger alone. */
function outcomeOf(traces: readonly Trace[], { planned, newMessageId }: MovedLetter, nowMs: number): MovedOutcome {
  const verdict = traces
    .filter((trace) => trace.kind === 'verdict')
    .find(({ messageId, state }) => messageId === newMessageId && state === 'FINAL');
  if (verdict !== undefined) return { kind: 'failed', codes: [...new Set(verdict.faults.map(({ code }) => code))] };
  // A newer version of the cart is known: 11VMS does not hold the order, and the attempt has let go of it.
  const own = traces.filter((trace) => trace.kind === 'order').filter(({ messageId }) => messageId === newMessageId);
  if (own.some(({ state, faults }) => state === 'NEW' && faults.length === 0)) return { kind: 'skipped' };
  const { word } = standingOf(traces, { nowMs, changedAtMs: planned.changedAtMs });
  if (word === 'skipped') return { kind: 'skipped' };
  return word === 'ordered' || word === 'cured' ? { kind: 'ordered' } : undefined;
}

function summaryOf(counts: Omit<RedriveResult, 'status' | 'summary'>): string {
  const { moved, completed, ordered, skipped, failed, open, closed, left, notSent, notDeleted, stoppedBy } = counts;
  const parts = [
    `${moved} moved`,
    ...(completed > 0 ? [`${completed} of an earlier run deleted`] : []),
    `${ordered} ordered`,
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ...(failed.length > 0 ? [`${failed.length} failed again`] : []),
    ...(open > 0 ? [`${open} without an outcome yet`] : []),
    ...(closed.length > 0 ? [`${closed.length} closed by hand since the plan`] : []),
    ...(left.length > 0 ? [`${left.length} left in the dead-letter queue`] : []),
    ...(Object.keys(notSent).length > 0 ? [`${Object.keys(notSent).length} not taken by SQS`] : []),
    ...(notDeleted.length > 0 ? [`${notDeleted.length} sent and not deleted yet`] : []),
    ...(stoppedBy === undefined ? [] : [`stopped: ${stoppedBy}`]),
  ];
  return parts.join(', ');
}
