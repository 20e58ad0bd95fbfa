/**
 * The system around the workers as plain data: the item of the ledger, 11VMS and the queue, with all possible next steps. It
 * does not know how the code decides: an attempt is a node in the tree of its histories.
 *
 * Time is relative to now and does not pass by itself: the end of a lease or of a quiet time is a step like any other.
 *
 * Assumptions:
 * - A request may be committed at any moment until the lease of its crashed attempt ends, or until the quiet time after its
 *   unknown outcome ends. After that it is never committed.
 * - An answer of 11VMS other than a failure or a time-out is true: a request that was answered 4xx, 401, 403 or 429 is never
 *   committed.
 * - The look-up, if there is one, finds every committed order.
 * - An open breaker does not stop messages at once: the supervisor disables the event source mapping within a minute, and
 *   until then any message may be received.
 * - A lease outlives its attempt, because Lambda ends the function earlier. An attempt that stands still, as in a frozen
 *   execution environment, outlives its lease. The HTTP client compares the clock with the latest time of sending and writes
 *   the request in one go: no attempt stands still between the two.
 */
import type { OrderItem } from '../../../shared/ledger.ts';
import type { CreateAnswer } from '../../../functions/create-purchase-orders/delivery/answers.ts';
import { readCreateFailure } from '../../../functions/create-purchase-orders/delivery/vms-answers.ts';
import { HttpError } from '../../../shared/http-client.ts';
import {
  AFTER_LEASE_MS,
  type Answer,
  type AttemptNode,
  type AttemptStart,
  BREAKER_CLOSED,
  BREAKER_OPEN,
  type Call,
  FAILED,
  faultOf,
  HEALTHY,
  type ModelVerdict,
  UNHEALTHY,
  VERSIONS,
  type Version,
  WRITTEN,
} from './attempt-replay.ts';
import type { RedriveAnswer, RedriveNode, RedriveStart } from './redrive-replay.ts';
import { claimItem, confirmItem, settleItem } from './reference-ledger.ts';

export interface Scenario {
  readonly name: string;
  readonly says: string;
  /** One message for each version, all on the queue at the start. */
  readonly messages: readonly Version[];
  readonly workers: number;
  /** maxReceiveCount of the queue. */
  readonly receives: number;
  /** How many dead letters are redriven by SQS's own move task. */
  readonly redrives: number;
  /** How many runs the redriver has; several may be under way at once. */
  readonly redriverRuns: number;
  /** How many messages can be requeued as a copy. Further calls fail. */
  readonly copies: number;
  /** How often 11VMS throttles one attempt. */
  readonly throttles: number;
  /**
   * `careless` honours no key and enforces no uniqueness; `unique` answers 409 to a second order; `judging` is careless, and
   * always answers with its decision about the order.
   */
  readonly target: 'careless' | 'unique' | 'judging';
  readonly lookUp: 'works' | 'none';
  /** `fails`: any call to the ledger or the queue may fail, or its answer may be lost. `answers`: none does. */
  readonly aws: 'fails' | 'answers';
  /** Whether a message may be received again while an attempt still works on it. */
  readonly overlaps: boolean;
  /**
   * Whether an attempt may stand still anywhere, and continue after its lease has ended. Then the HTTP client sends nothing
   * of it any more (`checked`), or it does (`unchecked`).
   */
  readonly freezes: 'never' | 'checked' | 'unchecked';
}

export interface Message {
  readonly id: string;
  readonly version: Version;
  readonly receives: number;
  readonly place: 'queue' | 'dead' | 'deleted';
  /** The codes of the recorded verdict. */
  readonly verdict: ModelVerdict | undefined;
  /** Its last attempt crashed before it wrote a verdict, or the write failed: the dead letter may have no verdict. */
  readonly isExcused: boolean;
  /** Recorded of a dead letter; `SENT` also stands for its completion. */
  readonly redrive?: { readonly state: 'SENDING' } | { readonly state: 'SENT'; readonly newMessageId: string };
  /** The dead letter whose place it took. */
  readonly redrivenFrom?: string;
}

/** A request without an answer that 11VMS may still commit. */
export interface LateRequest {
  readonly attemptId: string;
  readonly version: Version;
}

export interface SystemState {
  readonly item: OrderItem | undefined;
  readonly messages: readonly Message[];
  readonly orders: readonly Version[];
  readonly late: readonly LateRequest[];
  readonly workers: readonly AttemptNode[];
  /** The ids of working attempts that stood still until after their lease. */
  readonly thawed: readonly string[];
  readonly redrives: number;
  readonly copies: number;
  readonly redrivers: readonly RedriveNode[];
  readonly redriverRuns: number;
}

/** A step in words, the state that it leads to, and facts for the invariants. */
export interface Step {
  readonly says: string;
  readonly to: Draft;
  readonly postedBy?: AttemptNode | undefined;
  readonly deleted?: Message | undefined;
}

/** A state in which one worker has its answer but has not continued yet. */
export interface Draft extends SystemState {
  readonly goesOn?: { readonly node: AttemptNode; readonly key: string; readonly answer: Answer };
  readonly starts?: AttemptStart;
  readonly redriverGoesOn?: { readonly node: RedriveNode; readonly key: string; readonly answer: RedriveAnswer };
  readonly redriverStarts?: RedriveStart;
}

/** Replaces the ids of ended attempts, which are no longer compared. */
const GONE = 'gone';

export function initialState(scenario: Scenario): SystemState {
  const messages = scenario.messages.map((version, index): Message => newMessage(`m${index + 1}`, version));
  return {
    item: undefined,
    messages,
    orders: [],
    late: [],
    workers: [],
    thawed: [],
    redrives: 0,
    copies: 0,
    redrivers: [],
    redriverRuns: 0,
  };
}

const newMessage = (id: string, version: Version): Message => ({
  id,
  version,
  receives: 0,
  place: 'queue',
  verdict: undefined,
  isExcused: false,
});

/** All possible next steps. */
export function stepsFrom(system: SystemState, scenario: Scenario): Step[] {
  // Other workers do not see these calls, so the steps of others before such a call may as well come after it.
  const waiting = system.workers.find(({ progress }) => progress.kind === 'calls' && UNSEEN.has(progress.call.kind));
  if (waiting !== undefined) return stepsOfWorker(system, waiting, scenario);
  return [
    ...system.messages.flatMap((message) => stepsOfMessage(system, message, scenario)),
    ...system.workers.flatMap((node) => [...stepsOfWorker(system, node, scenario), killed(system, node)]),
    ...system.redrivers.flatMap((node) => [
      ...stepsOfRedriver(system, node, scenario),
      { says: `the redrive of ${node.start.messageId} dies`, to: withoutRedriver(system, node) },
    ]),
    ...(scenario.freezes === 'never' ? [] : system.workers.flatMap((node) => standstill(system, node))),
    ...system.late.map((request) => landed(system, request, scenario)),
    ...passingOfTime(system),
  ];
}

const UNSEEN: ReadonlySet<Call['kind']> = new Set(['turn', 'breaker', 'probe', 'open-breaker']);

/** The id of the copy of a message that is requeued. */
export const copyOf = (id: string): string => `${id}+`;

/** At rest no step can happen but a redrive. */
export const isAtRest = (system: SystemState): boolean =>
  system.workers.length === 0 &&
  system.redrivers.length === 0 &&
  system.messages.every(({ place }) => place !== 'queue');

function stepsOfMessage(system: SystemState, message: Message, scenario: Scenario): Step[] {
  if (message.place === 'dead') return stepsOfDeadLetter(system, message, scenario);
  if (message.place !== 'queue') return [];
  if (!scenario.overlaps && system.workers.some(({ start }) => start.messageId === message.id)) return [];
  if (message.receives === scenario.receives) {
    const messages = replaced(system, { ...message, place: 'dead' });
    return [{ says: `SQS moves ${message.id} to the dead-letter queue`, to: { ...system, messages } }];
  }
  if (system.workers.length === scenario.workers) return [];
  const receive = message.receives + 1;
  const { id: messageId, version } = message;
  const attemptId = `${messageId}#${receive}`;
  const starts = { attemptId, messageId, version, receive, maximumReceives: scenario.receives };
  const messages = replaced(system, { ...message, receives: receive });
  return [{ says: `${messageId} is received for the ${ORDINALS[receive]} time`, to: { ...system, messages, starts } }];
}

function stepsOfDeadLetter(system: SystemState, message: Message, scenario: Scenario): Step[] {
  const steps: Step[] = [];
  if (system.redrives < scenario.redrives) {
    const messages = [...replaced(system, { ...message, place: 'deleted' }), redrivenFrom(system, message)];
    steps.push({ says: `${message.id} is redriven`, to: { ...system, messages, redrives: system.redrives + 1 } });
  }
  if (system.redriverRuns < scenario.redriverRuns) {
    const redriverRuns = system.redriverRuns + 1;
    // A plan may be older than what the ledger says of a redrive.
    const forecasts = message.redrive?.state === 'SENT' ? (['ordered', 'sent'] as const) : (['ordered'] as const);
    for (const forecast of forecasts) {
      const redriverStarts = { messageId: message.id, forecast };
      const says = `a redrive of ${message.id} begins`;
      steps.push({ says, to: { ...system, redriverRuns, redriverStarts } });
    }
  }
  return steps;
}

/** The new message in the place of a dead letter. A dead letter that is sent twice has two. */
function redrivenFrom({ messages }: SystemState, { id, version }: Message): Message {
  const sent = messages.filter((message) => message.redrivenFrom === id).length;
  return { ...newMessage(`${id}${"'".repeat(sent + 1)}`, version), redrivenFrom: id };
}

export function withoutRedriver(system: SystemState, node: RedriveNode): SystemState {
  const redrivers = [...system.redrivers];
  redrivers.splice(redrivers.indexOf(node), 1);
  return { ...system, redrivers };
}

const REDRIVE_FAILED: RedriveAnswer = { kind: 'aws-failed' };

function stepsOfRedriver(system: SystemState, node: RedriveNode, { aws }: Scenario): Step[] {
  const { start, progress } = node;
  if (progress.kind === 'ends') return [];
  const { call } = progress;
  const letter = system.messages.find(({ id }) => id === start.messageId);
  if (letter === undefined) throw new Error(`no message ${start.messageId}`);
  const step = (says: string, answer: RedriveAnswer, changes: Partial<SystemState> = {}): Step => ({
    says: `the redrive of ${start.messageId} ${says}`,
    to: { ...system, ...changes, redriverGoesOn: { node, key: JSON.stringify(answer), answer } },
  });
  /** AWS does it, does it and the answer is lost, or does not do it. */
  const tried = (says: string, answer: RedriveAnswer, changes: Partial<SystemState>): Step[] => [
    step(says, answer, changes),
    ...(aws === 'fails'
      ? [step(`${says}; the answer is lost`, REDRIVE_FAILED, changes), step(`${says}: it fails`, REDRIVE_FAILED)]
      : []),
  ];
  switch (call.kind) {
    case 'receive':
      // That another reader holds it is as if this one died.
      return letter.place === 'dead'
        ? [step(`receives ${letter.id}`, { kind: 'received', isThere: true })]
        : [step('receives nothing', { kind: 'received', isThere: false })];
    case 'begin': {
      if (letter.redrive?.state === 'SENT') {
        const { newMessageId } = letter.redrive;
        return [step('reads that it was sent', { kind: 'sent-before', newMessageId })];
      }
      const messages = replaced(system, { ...letter, redrive: { state: 'SENDING' } });
      return tried('records SENDING', { kind: 'begun' }, { messages });
    }
    case 'send': {
      const message = redrivenFrom(system, letter);
      return [
        ...tried(
          `sends ${message.id}`,
          { kind: 'taken', newMessageId: message.id },
          {
            messages: [...system.messages, message],
          },
        ),
        step('sends nothing: SQS refuses the entry', { kind: 'refused' }),
      ];
    }
    case 'sent': {
      const { newMessageId } = call;
      const messages = replaced(system, { ...letter, redrive: { state: 'SENT', newMessageId } });
      return tried('records SENT', { kind: 'written' }, { messages });
    }
    case 'remove': {
      const removed = { messages: replaced(system, { ...letter, place: 'deleted' }) };
      const deleted = letter.place === 'dead' ? letter : undefined;
      return [
        ...tried(`deletes ${letter.id}`, { kind: 'removed', isConfirmed: true }, removed).map((one) => ({
          ...one,
          deleted,
        })),
        step('deletes nothing: SQS refuses the entry', { kind: 'removed', isConfirmed: false }),
        // By a receive that is not the last one any more.
        step('deletes nothing, and SQS says that it did', { kind: 'removed', isConfirmed: true }),
      ];
    }
  }
}

const ORDINALS: Readonly<Record<number, string>> = { 1: 'first', 2: 'second', 3: 'third', 4: 'fourth' };

const replaced = ({ messages }: SystemState, message: Message): Message[] =>
  messages.map((one) => (one.id === message.id ? message : one));

const messageOf = ({ messages }: SystemState, { start: { messageId } }: AttemptNode): Message => {
  const message = messages.find(({ id }) => id === messageId);
  if (message === undefined) throw new Error(`no message ${messageId}`);
  return message;
};

/** Removes the worker. Its requests may still be on their way. */
export function withoutWorker(system: SystemState, node: AttemptNode): SystemState {
  const { attemptId } = node.start;
  const workers = [...system.workers];
  workers.splice(workers.indexOf(node), 1);
  const item = system.item?.attemptId === attemptId ? { ...system.item, attemptId: GONE } : system.item;
  const late = system.late.map((request) =>
    request.attemptId === attemptId ? { ...request, attemptId: GONE } : request,
  );
  return { ...system, workers, item, late, thawed: system.thawed.filter((one) => one !== attemptId) };
}

/** Before its provisional verdict, a last receive may end in a dead letter without a verdict. */
const isBeforeVerdict = ({ progress }: AttemptNode): boolean =>
  progress.kind === 'calls' &&
  (progress.call.kind === 'breaker' ||
    progress.call.kind === 'verdict' ||
    (progress.call.kind === 'record-verdict' && progress.call.verdict.state === 'PROVISIONAL'));

const isLastReceive = ({ start }: AttemptNode): boolean => start.receive === start.maximumReceives;

/** A crash between two calls. A crash during a call equals an outcome of the call and a crash before the next. */
function killed(system: SystemState, node: AttemptNode): Step {
  const left = withoutWorker(system, node);
  const message = messageOf(system, node);
  const isExcused = isLastReceive(node) && isBeforeVerdict(node);
  const messages = isExcused ? replaced(left, { ...message, isExcused: true }) : left.messages;
  return { says: `${node.start.attemptId} crashes`, to: { ...left, messages } };
}

function landed(system: SystemState, request: LateRequest, { target }: Scenario): Step {
  const late = system.late.filter((one) => one !== request);
  if (target === 'unique' && system.orders.length > 0) {
    return { says: `11VMS refuses the request that ${request.attemptId} had sent: it exists`, to: { ...system, late } };
  }
  const orders = [...system.orders, request.version];
  return { says: `11VMS commits the request that ${request.attemptId} had sent`, to: { ...system, late, orders } };
}

/** The attempt stands still until after its lease. Afterwards it may stand still again at any time. */
function standstill(system: SystemState, { start: { attemptId } }: AttemptNode): Step[] {
  if (system.thawed.includes(attemptId)) return [];
  const thawed = [...system.thawed, attemptId];
  const { item } = system;
  const holds = item?.state === 'POSTING' && item.attemptId === attemptId;
  const after = holds ? withoutLease({ ...system, thawed }, item) : { ...system, thawed };
  return [{ says: `${attemptId} stands still until after its lease`, to: after }];
}

/** The lease or the quiet time ends. */
function passingOfTime(system: SystemState): Step[] {
  const { item } = system;
  if (item === undefined || item.leaseUntilMs < 0) return [];
  const isPosting = item.state === 'POSTING';
  if (!isPosting && item.state !== 'UNKNOWN') return [];
  if (isPosting && item.attemptId !== GONE && !system.thawed.includes(item.attemptId)) return [];
  const says = isPosting ? 'the lease ends' : 'the quiet time after the unknown outcome ends';
  return [{ says, to: withoutLease(system, item) }];
}

/** Late requests are committed before that, or never. */
function withoutLease(system: SystemState, item: OrderItem): SystemState {
  const late = system.late.filter(({ attemptId }) => attemptId !== item.attemptId);
  return { ...system, late, item: { ...item, leaseUntilMs: OVER } };
}

const OVER = -1;

function stepsOfWorker(system: SystemState, node: AttemptNode, scenario: Scenario): Step[] {
  const { progress } = node;
  return progress.kind === 'calls'
    ? outcomesOfCall(system, node, progress.call, scenario).filter(
        ({ to }) => scenario.aws === 'fails' || to.goesOn?.key !== FAILED.key,
      )
    : acknowledgements(system, node);
}

/** The attempt is done. The deletion of its message may not reach SQS. */
function acknowledgements(system: SystemState, node: AttemptNode): Step[] {
  const left = withoutWorker(system, node);
  const { attemptId } = node.start;
  const message = messageOf(system, node);
  const lost = { says: `${attemptId} is done, and its acknowledgement is lost`, to: left };
  // An old receive cannot delete a message that SQS has moved to the dead-letter queue.
  if (message.place !== 'queue') return [lost];
  const deleted = { says: `${attemptId} is done, and its message deleted`, deleted: message };
  return [{ ...deleted, to: { ...left, messages: replaced(left, { ...message, place: 'deleted' }) } }, lost];
}

function outcomesOfCall(system: SystemState, node: AttemptNode, call: Call, scenario: Scenario): Step[] {
  const who = node.start.attemptId;
  const step = (says: string, key: string, answer: Answer, changes: Partial<SystemState> = {}): Step => ({
    says: `${who}: ${says}`,
    to: { ...system, ...changes, goesOn: { node, key, answer } },
  });
  switch (call.kind) {
    case 'verdict': {
      const { verdict } = messageOf(system, node);
      const text = keyOfVerdict(verdict);
      return [
        step(`reads its verdict: ${text}`, `verdict ${text}`, { kind: 'verdict', verdict }),
        step('cannot read its verdict', FAILED.key, FAILED.answer),
      ];
    }
    case 'record-verdict': {
      const message = messageOf(system, node);
      const what = `the verdict ${keyOfVerdict(call.verdict)}`;
      const written = { messages: replaced(system, { ...message, verdict: call.verdict }) };
      const excused = isLastReceive(node) ? { messages: replaced(system, { ...message, isExcused: true }) } : {};
      return [
        step(`writes ${what}`, WRITTEN.key, WRITTEN.answer, written),
        step(`writes ${what}; the answer is lost`, FAILED.key, FAILED.answer, written),
        step(`cannot write ${what}`, FAILED.key, FAILED.answer, excused),
      ];
    }
    case 'claim': {
      const once = claimItem(system.item, call.claim);
      const twice = claimItem(once.item, call.claim);
      const item = once.item === undefined ? undefined : canonical(once.item);
      const answered = (result: typeof once.result, how: string): Step =>
        step(
          `claims the order${how}: ${result.kind}`,
          `claim ${keyOfClaim(result)}`,
          { kind: 'claim', result },
          { item },
        );
      const failed = step('cannot reach the ledger to claim', FAILED.key, FAILED.answer);
      if (once.result.kind !== 'claimed') return [answered(once.result, ''), failed];
      return [
        answered(once.result, ''),
        answered(twice.result, ', and again as the first answer was lost'),
        step('claims the order; the answer is lost', FAILED.key, FAILED.answer, { item }),
        failed,
      ];
    }
    case 'settle': {
      const { how, codes, mayExist, leaseUntilMs } = call;
      const order = how === 'created' ? { order: { id: `po_${node.start.version}`, number: undefined } } : {};
      const facts = {
        faults: codes.map(faultOf),
        ...(mayExist === undefined ? {} : { mayExist }),
        ...(leaseUntilMs === undefined ? {} : { leaseUntilMs }),
        ...order,
      };
      const settled = settleItem(system.item, who, how, facts);
      const item = settled === undefined ? undefined : canonical(settled);
      return [
        step(`writes ${how}`, WRITTEN.key, WRITTEN.answer, { item }),
        step(`writes ${how}; the answer is lost`, FAILED.key, FAILED.answer, { item }),
        step(`cannot write ${how}`, FAILED.key, FAILED.answer),
      ];
    }
    case 'withdraw-verdict': {
      const message = messageOf(system, node);
      const { verdict } = message;
      const withdrawn =
        verdict === undefined
          ? {}
          : { messages: replaced(system, { ...message, verdict: { ...verdict, state: 'WITHDRAWN' as const } }) };
      return [
        step('withdraws its verdict', WRITTEN.key, WRITTEN.answer, withdrawn),
        step('withdraws its verdict; the answer is lost', FAILED.key, FAILED.answer, withdrawn),
        step('cannot withdraw its verdict', FAILED.key, FAILED.answer),
      ];
    }
    case 'confirm': {
      const item = confirmItem(system.item, call);
      return [
        step('confirms the order', WRITTEN.key, WRITTEN.answer, { item }),
        step('confirms the order; the answer is lost', FAILED.key, FAILED.answer, { item }),
        step('cannot confirm the order', FAILED.key, FAILED.answer),
      ];
    }
    case 'requeue': {
      const notDone = step('cannot requeue its message', FAILED.key, FAILED.answer);
      if (system.copies === scenario.copies) return [notDone];
      const { id, version } = messageOf(system, node);
      const queued = { messages: [...system.messages, newMessage(copyOf(id), version)], copies: system.copies + 1 };
      return [
        step('requeues its message as a copy', WRITTEN.key, WRITTEN.answer, queued),
        step('requeues its message as a copy; the answer is lost', FAILED.key, FAILED.answer, queued),
        notDone,
      ];
    }
    case 'breaker':
      return [
        step('reads that the breaker is closed', BREAKER_CLOSED.key, BREAKER_CLOSED.answer),
        step('reads that the breaker is open', BREAKER_OPEN.key, BREAKER_OPEN.answer),
        step('cannot read the breaker', FAILED.key, FAILED.answer),
      ];
    case 'probe':
      return [
        step('probes 11VMS: healthy', HEALTHY.key, HEALTHY.answer),
        step('probes 11VMS: unhealthy', UNHEALTHY.key, UNHEALTHY.answer),
      ];
    case 'open-breaker':
      return [
        step('opens the breaker', WRITTEN.key, WRITTEN.answer),
        step('cannot open the breaker', FAILED.key, FAILED.answer),
      ];
    case 'turn':
      return [
        step('has a turn at 11VMS', 'turn', { kind: 'turn', granted: true }),
        step('has no turn before its time is up', 'no turn', { kind: 'turn', granted: false }),
      ];
    case 'look-up':
      if (!isSent(system, node, call, scenario)) {
        return [step('looks nothing up: its time is over', 'look-up failed', LOOK_UP_FAILED)];
      }
      return outcomesOfLookUp(system, step, scenario);
    case 'post':
      if (!isSent(system, node, call, scenario)) {
        return [step('posts nothing: its time is over', keyOfPost(NOT_SENT), { kind: 'post', answer: NOT_SENT })];
      }
      return outcomesOfPost(system, node, step, scenario).map((one) => ({ ...one, postedBy: node }));
  }
}

/** The rule of shared/http-client.ts. */
const isSent = (
  { thawed }: SystemState,
  { start }: AttemptNode,
  { sendByMs }: { readonly sendByMs: number },
  { freezes }: Scenario,
): boolean => freezes === 'unchecked' || !thawed.includes(start.attemptId) || sendByMs >= AFTER_LEASE_MS;

const LOOK_UP_FAILED: Answer = { kind: 'look-up-failed', reason: 'failed' };
/** As the real code reads it. */
const NOT_SENT = readCreateFailure(new HttpError('POST', 'DEADLINE', false));

const keyOfVerdict = (verdict: ModelVerdict | undefined): string =>
  verdict === undefined ? 'none' : `${verdict.state} ${verdict.codes.join(' ')}`;

type StepOf = (says: string, key: string, answer: Answer, changes?: Partial<SystemState>) => Step;

function outcomesOfLookUp({ orders }: SystemState, step: StepOf, { lookUp }: Scenario): Step[] {
  const reasons = lookUp === 'none' ? (['impossible', 'failed', 'refused'] as const) : (['failed', 'refused'] as const);
  const failures = reasons.map((reason) =>
    step(
      {
        impossible: 'finds no look-up',
        refused: 'looks the order up: refused',
        failed: 'looks the order up: no answer',
      }[reason],
      `look-up ${reason}`,
      { kind: 'look-up-failed', reason },
    ),
  );
  if (lookUp === 'none') return failures;
  const [found] = orders;
  const says = found === undefined ? 'looks the order up: not there' : 'looks the order up: found';
  return [step(says, `look-up ${found ?? 'nothing'}`, { kind: 'look-up', found }), ...failures];
}

const UNKNOWN: CreateAnswer = {
  kind: 'unknown',
  health: 'unhealthy',
  fault: faultOf('E_TGT_TIMEOUT_UNKNOWN'),
  retryAfterMs: undefined,
};
const EXISTS: CreateAnswer = {
  kind: 'conflict',
  health: 'judged',
  fault: faultOf('E_TGT_RESPONSE_SCHEMA'),
  rejection: undefined,
};
const FORBIDDEN: CreateAnswer = {
  kind: 'not-taken',
  health: 'forbidden',
  fault: faultOf('E_TGT_AUTH'),
  retryAfterMs: undefined,
};
const UNAVAILABLE = faultOf('E_TGT_UNAVAILABLE');
const THROTTLED = faultOf('E_TGT_THROTTLED');

const keyOfPost = (answer: CreateAnswer): string =>
  `post ${answer.kind} ${answer.health} ${'mayBeTaken' in answer ? answer.mayBeTaken : ''}`;

function outcomesOfPost(system: SystemState, node: AttemptNode, step: StepOf, scenario: Scenario): Step[] {
  const { version, attemptId } = node.start;
  const post = (says: string, answer: CreateAnswer, changes: Partial<SystemState> = {}): Step =>
    step(`posts; ${says}`, keyOfPost(answer), { kind: 'post', answer }, changes);
  const committed = { orders: [...system.orders, version] };
  const isJudging = scenario.target === 'judging';
  const isTaken = scenario.target === 'unique' && system.orders.length > 0;
  const accepting = isTaken
    ? [post('409, it exists', EXISTS), post('no answer', UNKNOWN)]
    : [
        post(
          'committed, 201',
          { kind: 'created', health: 'processed', id: `po_${version}`, number: undefined },
          committed,
        ),
        // This covers a commit without an answer, at any time or never.
        ...(isJudging ? [] : [post('no answer', UNKNOWN, { late: [...system.late, { attemptId, version }] })]),
        post('400', { kind: 'rejected', mayBeTaken: false, health: 'judged', faults: [faultOf('E_TGT_VALIDATION')] }),
      ];
  if (isJudging) return accepting;
  const throttled =
    node.throttles < scenario.throttles
      ? [post('429', { kind: 'throttled', health: 'throttled', fault: THROTTLED, retryAfterMs: undefined })]
      : [];
  return [
    ...accepting,
    ...throttled,
    post('never sent', { kind: 'not-taken', health: 'unhealthy', fault: UNAVAILABLE, retryAfterMs: undefined }),
    post('403', FORBIDDEN),
    // A firewall refuses the answer. Without a look-up, nothing tells this from a refused order.
    ...(scenario.lookUp === 'none' || isTaken ? [] : [post('committed, 403', FORBIDDEN, committed)]),
  ];
}

/**
 * Clears the fields that no row of the claim table reads in this state. Only the repetition of a claim reads
 * `lookUpFirst`, and here it is one step with the claim.
 */
function canonical(item: OrderItem): OrderItem {
  const { state, leaseUntilMs, messageId, claimedHashes, faults } = item;
  return {
    ...item,
    attempts: 1,
    lookUpFirst: false,
    claimedHashes: state === 'CREATED' ? new Set() : claimedHashes,
    leaseUntilMs: state === 'POSTING' || state === 'UNKNOWN' ? leaseUntilMs : OVER,
    messageId: state === 'POSTING' || state === 'REJECTED' ? messageId : '-',
    faults: state === 'REJECTED' ? faults : [],
  };
}

type ClaimResult = Extract<Answer, { kind: 'claim' }>['result'];
function keyOfClaim(result: ClaimResult): string {
  switch (result.kind) {
    case 'claimed':
      return `claimed ${result.lookUpFirst} ${keyOfHashes(result.claimedHashes)}`;
    case 'created':
      return `created ${keyOfRead(result.order)}`;
    case 'held':
      return `held ${result.untilMs}`;
    case 'superseded':
      return 'superseded';
    case 'rejected':
      return `rejected ${result.faults.map(({ code }) => code).join(' ')}`;
  }
}

/** The fields that the code may read of an item, as guarded by `attempt-replay.ts`. */
const keyOfRead = (item: OrderItem): string =>
  `${item.contentHash.slice(0, 4)} ${item.changedAtMs} ${item.ordersOfCart} ${item.orderId ?? '-'} ${item.orderNumber ?? '-'}`;

const keyOfHashes = (hashes: ReadonlySet<string>): string =>
  [...hashes]
    .map((hash) => hash.slice(0, 4))
    .sort()
    .join('+');

function keyOfItem(item: OrderItem | undefined): string {
  if (item === undefined) return 'none';
  const { state, contentHash, changedAtMs, messageId, attemptId, leaseUntilMs, mayExist, orderId = '-' } = item;
  const version = ([1, 2, 3] as const).find((one) => VERSIONS[one].changedAtMs === changedAtMs);
  const hash = contentHash.slice(0, 4);
  const hashes = keyOfHashes(item.claimedHashes);
  const codes = item.faults.map(({ code }) => code).join('+');
  return `${state},${version},${hash},${hashes},${messageId},${attemptId},${leaseUntilMs},${mayExist},${orderId},${codes}`;
}

/** States with the same key have the same possible next steps. Workers are compared by their attempts. */
export function keyOfState(system: SystemState): string {
  const { item, messages, orders, late, workers, thawed, redrives, copies, redrivers, redriverRuns } = system;
  const about = messages.map(({ id, receives, place, verdict, isExcused, redrive }) => {
    // A late attempt may still read and write the verdict of a deleted message, and a late redrive its record.
    const isOver =
      place === 'deleted' &&
      !workers.some(({ start }) => start.messageId === id) &&
      !redrivers.some(({ start }) => start.messageId === id);
    const recorded = keyOfVerdict(verdict);
    if (isOver) return id;
    const moved = redrive === undefined ? '' : JSON.stringify(redrive);
    return `${id}${receives}${place}${recorded}${isExcused}${moved}`;
  });
  const requests = late.map(({ attemptId, version }) => `${attemptId}:${version}`).sort();
  const nodes = workers.map(({ id, start }) => `${id}${thawed.includes(start.attemptId) ? ' thawed' : ''}`).sort();
  const runs = redrivers.map(({ id }) => id).sort((one, other) => one - other);
  const parts = [keyOfItem(item), about.sort().join(';'), orders.join(), requests.join(), nodes.join()];
  return [...parts, redrives, copies, redriverRuns, runs.join()].join('|');
}
